//! The suite's own keys, for cards that are made with them. They protect nothing.

/// A kind of key, by its PIV algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// RSA-2048.
    Rsa2048,
    /// RSA-3072.
    Rsa3072,
    /// NIST P-256.
    P256,
    /// NIST P-384.
    P384,
    /// Ed25519.
    Ed25519,
    /// X25519.
    X25519,
}

impl KeyKind {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Rsa2048, Self::Rsa3072, Self::P256, Self::P384, Self::Ed25519, Self::X25519];

    /// Algorithm identifier, SP 800-78-5 table 6; Ed25519 and X25519 are Yubico's.
    #[must_use]
    pub const fn id(self) -> u8 {
        match self {
            Self::Rsa2048 => 0x07,
            Self::Rsa3072 => 0x05,
            Self::P256 => 0x11,
            Self::P384 => 0x14,
            Self::Ed25519 => 0xE0,
            Self::X25519 => 0xE1,
        }
    }

    /// For ids and titles.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rsa2048 => "rsa2048",
            Self::Rsa3072 => "rsa3072",
            Self::P256 => "p256",
            Self::P384 => "p384",
            Self::Ed25519 => "ed25519",
            Self::X25519 => "x25519",
        }
    }

    /// The private key, PKCS #8 DER.
    #[must_use]
    pub const fn pkcs8(self) -> &'static [u8] {
        match self {
            Self::Rsa2048 => include_bytes!("../keys/rsa2048.p8"),
            Self::Rsa3072 => include_bytes!("../keys/rsa3072.p8"),
            Self::P256 => include_bytes!("../keys/p256.p8"),
            Self::P384 => include_bytes!("../keys/p384.p8"),
            Self::Ed25519 => include_bytes!("../keys/ed25519.p8"),
            Self::X25519 => include_bytes!("../keys/x25519.p8"),
        }
    }

    /// Whether it signs.
    #[must_use]
    pub const fn signs(self) -> bool {
        !matches!(self, Self::X25519)
    }

    /// Bytes of an RSA block, or of a coordinate.
    #[must_use]
    pub const fn size(self) -> usize {
        match self {
            Self::Rsa2048 => 256,
            Self::Rsa3072 => 384,
            Self::P384 => 48,
            _ => 32,
        }
    }
}
