//! Status words, ISO/IEC 7816-4:2020 section 5.6.
//!
//! | SW1-SW2 | meaning |
//! |---|---|
//! | 9000 | normal |
//! | 61xx | normal, xx bytes still available |
//! | 62xx-63xx | warning |
//! | 64xx-6Fxx | error |

use serde::Deserialize;
use std::fmt;

/// A two-byte status word (SW1-SW2) as it stands at the end of every response.
/// In data it is a number.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(transparent)]
pub struct StatusWord(pub u16);

impl StatusWord {
    /// 9000: normal processing.
    pub const OK: Self = Self(0x9000);
    /// 6581: memory failure; a write to non-volatile memory did not succeed.
    pub const MEMORY_FAILURE: Self = Self(0x6581);
    /// 6700: wrong length.
    pub const WRONG_LENGTH: Self = Self(0x6700);
    /// 6881: logical channel not supported.
    pub const CHANNEL_NOT_SUPPORTED: Self = Self(0x6881);
    /// 6882: secure messaging not supported.
    pub const SECURE_MESSAGING_NOT_SUPPORTED: Self = Self(0x6882);
    /// 6884: command chaining not supported (for this command).
    pub const CHAINING_NOT_SUPPORTED: Self = Self(0x6884);
    /// 6982: security status not satisfied.
    pub const SECURITY_STATUS: Self = Self(0x6982);
    /// 6983: authentication method blocked.
    pub const BLOCKED: Self = Self(0x6983);
    /// 6981: command incompatible with file structure.
    pub const WRONG_STRUCTURE: Self = Self(0x6981);
    /// 6984: reference data not usable; GIDS cards say it of malformed data too.
    pub const DATA_INVALID: Self = Self(0x6984);
    /// 6987: an expected data object of secure messaging is missing.
    pub const MESSAGING_OBJECT_MISSING: Self = Self(0x6987);
    /// 6988: a data object of secure messaging is incorrect.
    pub const MESSAGING_OBJECT_INCORRECT: Self = Self(0x6988);
    /// 6300: verification failed, and nothing counts it.
    pub const VERIFICATION_FAILED: Self = Self(0x6300);
    /// 6986: command not allowed (no current elementary file, or not in this state).
    pub const NOT_ALLOWED: Self = Self(0x6986);
    /// 6285: the selected file is in termination state.
    pub const TERMINATED: Self = Self(0x6285);
    /// 6985: conditions of use not satisfied.
    pub const CONDITIONS_OF_USE: Self = Self(0x6985);
    /// 6A80: incorrect parameters in the command data field.
    pub const WRONG_DATA: Self = Self(0x6A80);
    /// 6A81: function not supported.
    pub const NOT_SUPPORTED: Self = Self(0x6A81);
    /// 6A82: file, object or application not found.
    pub const NOT_FOUND: Self = Self(0x6A82);
    /// 6A84: not enough memory space.
    pub const NO_MEMORY: Self = Self(0x6A84);
    /// 6A86: incorrect parameters P1-P2.
    pub const WRONG_P1P2: Self = Self(0x6A86);
    /// 6A88: referenced data or reference data not found.
    pub const REFERENCE_NOT_FOUND: Self = Self(0x6A88);
    /// 6D00: instruction code not supported or invalid.
    pub const UNKNOWN_INS: Self = Self(0x6D00);
    /// 6E00: class not supported.
    pub const UNKNOWN_CLA: Self = Self(0x6E00);
    /// 6F00: no precise diagnosis.
    pub const INTERNAL: Self = Self(0x6F00);

    /// 63Cx: comparison failed, `left` tries remain. More than 15 tries are reported as F.
    #[must_use]
    pub const fn tries_left(left: u8) -> Self {
        Self(0x63C0 | if left > 15 { 15 } else { left as u16 })
    }

    /// 61xx: `left` response bytes remain; 256 and more are reported as `many`.
    #[must_use]
    pub const fn more_data(left: usize, many: u8) -> Self {
        Self(0x6100 | if left > 255 { many as u16 } else { left as u16 })
    }

    /// 6Cxx: wrong Le; `length` bytes are available.
    #[must_use]
    pub const fn wrong_le(length: usize) -> Self {
        Self(0x6C00 | (length & 0xFF) as u16)
    }

    /// The two bytes in the order of transmission.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 2] {
        self.0.to_be_bytes()
    }

    /// The tries left that a 63Cx carries.
    #[must_use]
    pub const fn retries(self) -> Option<u8> {
        if self.0 & 0xFFF0 == 0x63C0 { Some((self.0 & 0x0F) as u8) } else { None }
    }

    /// What the status word means, in the words of ISO/IEC 7816-4.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self.0 {
            0x9000 => "ok",
            0x6100..=0x61FF => "ok, more data",
            0x6285 => "in termination state",
            0x6300 => "verification failed",
            0x63C0..=0x63CF => "wrong, tries left",
            0x6581 => "memory failure",
            0x6700 => "wrong length",
            0x6881 => "logical channel not supported",
            0x6882 => "secure messaging not supported",
            0x6883 => "last command of chain expected",
            0x6884 => "command chaining not supported",
            0x6981 => "wrong file structure",
            0x6982 => "security status not satisfied",
            0x6983 => "blocked",
            0x6984 => "reference data not usable",
            0x6985 => "conditions of use not satisfied",
            0x6986 => "command not allowed",
            0x6987 => "secure messaging object missing",
            0x6988 => "secure messaging object wrong",
            0x6A80 => "wrong data",
            0x6A81 => "function not supported",
            0x6A82 => "not found",
            0x6A84 => "not enough memory",
            0x6A86 => "wrong P1-P2",
            0x6A88 => "reference not found",
            0x6B00 => "wrong parameters",
            0x6C00..=0x6CFF => "wrong Le",
            0x6D00 => "unknown instruction",
            0x6E00 => "unknown class",
            0x6F00 => "no precise diagnosis",
            _ => "unknown status",
        }
    }
}

impl fmt::Display for StatusWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04X}", self.0)
    }
}

impl fmt::Debug for StatusWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04X} ({})", self.0, self.meaning())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_above_fifteen_read_f() {
        assert_eq!(StatusWord::tries_left(3).0, 0x63C3);
        assert_eq!(StatusWord::tries_left(200).0, 0x63CF);
        assert_eq!(StatusWord(0x63C2).retries(), Some(2));
        assert_eq!(StatusWord(0x6300).retries(), None);
    }

    #[test]
    fn long_rests_read_as_the_profile_says() {
        assert_eq!(StatusWord::more_data(300, 0x00).0, 0x6100);
        assert_eq!(StatusWord::more_data(300, 0xFF).0, 0x61FF);
        assert_eq!(StatusWord::more_data(8, 0xFF).0, 0x6108);
    }
}
