//! PIV PIN, Global PIN and PUK: references, formats, padding (SP 800-73-4 part 2 section 2.4.3).

use crate::nvm::Nvm;
use crate::profile::{PinFormat, Profile};
use crate::reference::{GLOBAL_PIN, PIN, PUK, Reference};
use crate::status::{Abort, StatusWord};

/// Length of every one of them on the wire.
pub(crate) const LENGTH: usize = 8;

/// Which counted secret a key reference names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Global,
    Pin,
    Puk,
}

impl Kind {
    /// The secret of key reference `p2`; 6A88 when the card has none there.
    pub(crate) fn of(p2: u8, nvm: &Nvm) -> Result<Self, Abort> {
        let kind = match p2 {
            0x00 => Self::Global,
            0x80 => Self::Pin,
            0x81 => Self::Puk,
            _ => return Err(StatusWord::REFERENCE_NOT_FOUND.into()),
        };
        if kind.reference().exists(nvm) { Ok(kind) } else { Err(StatusWord::REFERENCE_NOT_FOUND.into()) }
    }

    pub(crate) const fn reference(self) -> Reference {
        match self {
            Self::Global => GLOBAL_PIN,
            Self::Pin => PIN,
            Self::Puk => PUK,
        }
    }

    /// Whether `value` (8 bytes) has the form that the profile wants.
    pub(crate) fn is_well_formed(self, value: &[u8], profile: &Profile) -> bool {
        let text = unpad(value);
        match self {
            Self::Puk if profile.puk().min_length == LENGTH => value.len() == LENGTH,
            Self::Puk => text.len() >= profile.puk().min_length && text.iter().all(|b| *b <= profile.puk().max_byte),
            _ => {
                let bytes = match profile.pin.format {
                    PinFormat::Digits => text.iter().all(u8::is_ascii_digit),
                    PinFormat::Any => !text.contains(&0xFF),
                };
                profile.pin.has_length(text.len()) && bytes
            }
        }
    }

    /// Checks a value that is to be compared: 6A80 for a wrong length, and for a wrong form where
    /// the profile refuses instead of counting.
    pub(crate) fn check_candidate(self, value: &[u8], profile: &Profile) -> Result<(), Abort> {
        let refuse = !profile.pin.counts_malformed() && self != Self::Puk;
        if value.len() != LENGTH || (refuse && !self.is_well_formed(value, profile)) {
            return Err(StatusWord::WRONG_DATA.into());
        }
        Ok(())
    }

    /// Checks a value that is to be set: form, and complexity where the profile wants it.
    pub(crate) fn check_new(self, value: &[u8], profile: &Profile) -> Result<(), Abort> {
        if !self.is_well_formed(value, profile) || (profile.pin.complexity && is_simple(unpad(value), &profile.pin.common)) {
            return Err(profile.pin.malformed_new.into());
        }
        Ok(())
    }
}

/// The value without the FF padding at its end.
fn unpad(value: &[u8]) -> &[u8] {
    let end = value.iter().rposition(|b| *b != 0xFF).map_or(0, |last| last + 1);
    &value[..end]
}

/// One character repeated, or a value that everybody tries first.
fn is_simple(text: &[u8], common: &[String]) -> bool {
    text.windows(2).all(|w| w[0] == w[1]) || common.iter().any(|known| known.as_bytes() == text)
}

/// A value padded with FF to eight bytes; longer ones are cut.
#[must_use]
pub(crate) fn pad(value: &[u8]) -> [u8; LENGTH] {
    let mut out = [0xFF; LENGTH];
    let n = value.len().min(LENGTH);
    out[..n].copy_from_slice(&value[..n]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_sp_800_73() {
        let nist = Profile::builtin("nist-piv").unwrap();
        let ok = |v: &[u8]| Kind::Pin.is_well_formed(&pad(v), &nist);
        assert!(ok(b"123456") && ok(b"12345678"));
        assert!(!ok(b"12345") && !ok(b"12345a") && !ok(b"") && !ok(b"123456\x00"));
        assert!(!Kind::Pin.is_well_formed(b"123456\xFF8", &nist), "digit after the padding");
        assert!(Kind::Puk.is_well_formed(&[0, 1, 2, 3, 4, 5, 6, 7], &nist));
    }

    #[test]
    fn a_yubikey_takes_any_character() {
        let yubikey = Profile::builtin("yubikey-5.7").unwrap();
        assert!(Kind::Pin.is_well_formed(&pad(b"abc-12"), &yubikey));
        assert!(!Kind::Pin.is_well_formed(&pad(b"abc"), &yubikey));
        assert!(!Kind::Puk.is_well_formed(&[0x80; 8], &yubikey));
    }
}
