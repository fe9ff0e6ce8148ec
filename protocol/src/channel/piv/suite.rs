//! The cipher suites, SP 800-73-4 part 2 table 14.

use sha2::{Digest, Sha256, Sha384};

/// A cipher suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suite {
    /// P-256, SHA-256, AES-128.
    Cs2,
    /// P-384, SHA-384, AES-256.
    Cs7,
}

impl Suite {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::Cs2, Self::Cs7];

    /// The suite of an algorithm identifier.
    #[must_use]
    pub fn from_id(id: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|suite| suite.id() == id)
    }

    /// The suite whose points are as long as this one, `04 X Y`.
    #[must_use]
    pub fn of_point(point: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|suite| suite.is_point(point))
    }

    /// The algorithm identifier: P1 of GENERAL AUTHENTICATE, and in the application property template.
    #[must_use]
    pub const fn id(self) -> u8 {
        match self {
            Self::Cs2 => 0x27,
            Self::Cs7 => 0x2E,
        }
    }

    /// The word for it in settings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cs2 => "cs2",
            Self::Cs7 => "cs7",
        }
    }

    /// Length of a coordinate in bytes.
    #[must_use]
    pub const fn coordinate(self) -> usize {
        match self {
            Self::Cs2 => 32,
            Self::Cs7 => 48,
        }
    }

    /// Length of the card's nonce in bytes.
    #[must_use]
    pub const fn nonce(self) -> usize {
        match self {
            Self::Cs2 => 16,
            Self::Cs7 => 24,
        }
    }

    /// Length of a session key in bytes.
    #[must_use]
    pub const fn key(self) -> usize {
        match self {
            Self::Cs2 => 16,
            Self::Cs7 => 32,
        }
    }

    /// Whether `point` has the length and form of an uncompressed point. Whether it is on the curve is for whoever
    /// multiplies it.
    #[must_use]
    pub fn is_point(self, point: &[u8]) -> bool {
        point.len() == 2 * self.coordinate() + 1 && point[0] == 0x04
    }

    /// The suite's hash over `parts`.
    #[must_use]
    pub fn hash(self, parts: &[&[u8]]) -> Vec<u8> {
        match self {
            Self::Cs2 => parts.iter().fold(Sha256::new(), Sha256::chain_update).finalize().to_vec(),
            Self::Cs7 => parts.iter().fold(Sha384::new(), Sha384::chain_update).finalize().to_vec(),
        }
    }
}
