//! Data objects and their access rules, SP 800-73-4 part 1 tables 2 and 3.
//!
//! An object is one record: area 3, index = tag, contents = the value of its `53` (of the object
//! itself for 7E and 7F61, which have no `53`).

use crate::memory;
use crate::nvm::Nvm;

/// The Discovery Object: stored and read without a `53` around it.
pub const DISCOVERY: u32 = 0x7E;
/// The Biometric Information Templates group: likewise.
pub const BIT_GROUP: u32 = 0x7F61;
/// Card Holder Unique Identifier.
pub const CHUID: u32 = 0x5F_C102;
/// Card Capability Container.
pub const CCC: u32 = 0x5F_C107;
/// Printed Information; YubiKey tools keep the PIN-protected management key here.
pub const PRINTED: u32 = 0x5F_C109;
/// Key History Object.
pub const KEY_HISTORY: u32 = 0x5F_C10C;
/// YubiKey: certificate of the attestation key.
pub const ATTESTATION_CERTIFICATE: u32 = 0x5F_FF01;
/// cardlab's own, read-only on YubiKey profiles: the certificate of the throw-away root that signed
/// the attestation certificate. A real YubiKey's root is published by its maker instead.
pub const ATTESTATION_ROOT: u32 = 0x5F_FFCA;

/// When an object may be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadRule {
    /// Always.
    Always,
    /// After the PIN.
    Pin,
}

/// One row of SP 800-73-4 part 1 table 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ObjectRule {
    /// Rule on the contact interface.
    pub contact: ReadRule,
    /// Whether it can be read on the contactless interface without a virtual contact interface.
    pub contactless: bool,
}

/// The rule of a tag that SP 800-73 names.
#[must_use]
pub const fn rule(tag: u32) -> Option<ObjectRule> {
    let (contact, contactless) = match tag {
        0x7E | 0x7F61 | 0x5F_C101 | 0x5F_C102 | 0x5F_C122 => (ReadRule::Always, true),
        0x5F_C105..=0x5F_C107 | 0x5F_C10A..=0x5F_C120 => (ReadRule::Always, false),
        0x5F_C103 | 0x5F_C108 | 0x5F_C109 | 0x5F_C121 | 0x5F_C123 => (ReadRule::Pin, false),
        _ => return None,
    };
    Some(ObjectRule { contact, contactless })
}

/// Whether the tag is stored without a `53` around its value.
pub(crate) const fn is_bare(tag: u32) -> bool {
    matches!(tag, DISCOVERY | BIT_GROUP)
}

/// The stored value of a tag.
pub(crate) fn read(nvm: &Nvm, tag: u32) -> Option<&[u8]> {
    nvm.read(memory::object(tag))
}

/// The tag of the X.509 certificate of a key reference, SP 800-73-4 part 1 table 5.
#[must_use]
pub const fn certificate_of(key: u8) -> Option<u32> {
    Some(match key {
        0x9A => 0x5F_C105,
        0x9C => 0x5F_C10A,
        0x9D => 0x5F_C10B,
        0x9E => 0x5F_C101,
        0x82..=0x95 => 0x5F_C10D + (key - 0x82) as u32,
        0xF9 => ATTESTATION_CERTIFICATE,
        _ => return None,
    })
}
