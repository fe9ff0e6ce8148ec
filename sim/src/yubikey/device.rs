//! The device configuration: which applications are switched on over USB, and what else the management application keeps.
//!
//! | tag | length | what |
//! |---|---|---|
//! | 03 | 1 or 2 | applications switched on over USB, one bit each ([`CAPABILITIES`]) |
//! | 06 | 2 | seconds until the card is ejected after a touch |
//! | 07 | 1 | seconds that a challenge waits for a touch |
//! | 08 | 1 | flags: 40 remote wake-up, 80 eject by touch |
//!
//! A new card has no record of it: everything is on. Sources: Yubico's .NET SDK manual (Get and Set Device Info) and what
//! yubikey-manager reads and writes.

use crate::conditions::{Conditions, Interface};
use crate::memory::{DEVICE, DEVICE_LOCK};
use crate::nvm::{Nvm, Transaction};
use crate::profile::{Profile, YubiKeyRules};
use crate::status::Abort;
use subtle::ConstantTimeEq;

/// Applications by name, and their bits.
pub(crate) const CAPABILITIES: [(&str, u16); 7] = [
    ("otp", 0x0001),
    ("u2f", 0x0002),
    ("openpgp", 0x0008),
    ("piv", PIV),
    ("oath", 0x0020),
    ("hsmauth", 0x0100),
    ("fido2", 0x0200),
];
/// The bit of the PIV application.
pub(crate) const PIV: u16 = 0x0010;
/// The bit of the OTP application.
pub(crate) const OTP: u16 = 0x0001;
/// Length of a lock code in bytes.
pub(super) const LOCK_CODE: usize = 16;

/// What the card is set to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Configuration {
    /// Applications switched on over USB.
    pub(super) enabled: u16,
    /// Tag 06.
    pub(super) eject_after: u16,
    /// Tag 07.
    pub(super) challenge_timeout: u8,
    /// Tag 08.
    pub(super) flags: u8,
}

impl Configuration {
    /// What the card is set to now.
    pub(super) fn load(nvm: &Nvm, rules: &YubiKeyRules) -> Self {
        match nvm.read(DEVICE) {
            Some(&[e1, e2, a1, a2, challenge_timeout, flags]) => Self {
                enabled: u16::from_be_bytes([e1, e2]) & rules.applications,
                eject_after: u16::from_be_bytes([a1, a2]),
                challenge_timeout,
                flags,
            },
            _ => Self { enabled: rules.applications, eject_after: 0, challenge_timeout: 15, flags: 0 },
        }
    }

    /// Keeps it.
    pub(super) fn store(self, transaction: &mut Transaction<'_>) -> Result<(), Abort> {
        let ([e1, e2], [a1, a2]) = (self.enabled.to_be_bytes(), self.eject_after.to_be_bytes());
        transaction.write(DEVICE, &[e1, e2, a1, a2, self.challenge_timeout, self.flags])
    }
}

/// Whether the configuration is locked.
pub(super) fn is_locked(nvm: &Nvm) -> bool {
    nvm.read(DEVICE_LOCK).is_some()
}

/// Whether this lock code opens the configuration: the one that was set, or zeros where none was.
pub(super) fn unlocks(nvm: &Nvm, code: &[u8]) -> bool {
    nvm.read(DEVICE_LOCK).unwrap_or(&[0; LOCK_CODE]).ct_eq(code).into()
}

/// Sets a lock code; zeros take it away.
pub(super) fn lock(transaction: &mut Transaction<'_>, code: &[u8; LOCK_CODE]) -> Result<(), Abort> {
    if *code == [0; LOCK_CODE] { transaction.erase(DEVICE_LOCK) } else { transaction.write(DEVICE_LOCK, code) }
}

/// Whether the application of this bit can be selected: one that the card tells of has to be switched on. What is
/// switched off over USB is still there over NFC.
pub(crate) fn is_on(nvm: &Nvm, profile: &Profile, conditions: Conditions, capability: u16) -> bool {
    let Some(rules) = &profile.yubikey else { return true };
    conditions.interface == Interface::Contactless
        || rules.applications & capability == 0
        || Configuration::load(nvm, rules).enabled & capability != 0
}

/// The bits of `all`, or of names such as `piv+otp`; PIV is always among them.
pub(crate) fn parse(names: &str, rules: &YubiKeyRules) -> Option<u16> {
    let known = |name: &str| CAPABILITIES.iter().find(|known| known.0 == name).map(|known| known.1);
    let bits = match names {
        // Before firmware 5 there were neither FIDO2 nor HSM-auth.
        "all" if rules.version[0] < 5 => 0x003B,
        "all" => 0x033B,
        names => names.split('+').try_fold(0, |bits, name| Some(bits | known(name)?))?,
    };
    (bits & PIV != 0).then_some(bits)
}
