//! From the shared secret to session keys, SP 800-73-4 part 2 section 4.1.6: the one-step key derivation of SP 800-56A
//! section 5.8.1 over the suite's hash.
//!
//! ```text
//! H(00000001 Z OtherInfo) H(00000002 Z OtherInfo) ..  ->  SK_CFRM SK_MAC SK_ENC SK_RMAC
//! OtherInfo = 04 a a a a | 08 IDsH | 01 CBh | 10 first 16 bytes of X_H | 08 IDs_ICC | 10 or 18 N | 01 CBicc
//! ```
//!
//! a = 09 (AES-128) or 0D (AES-256). The crates that have this function exist as release candidates only, so its six
//! lines are here.

use super::Suite;
use super::session::SessionKeys;
use crate::channel::aes::{BLOCK, Key};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// Length of IDsH and IDs_ICC in bytes.
pub const IDENTIFIER: usize = 8;
/// The card's control byte CBicc: it keeps no pairs of ephemeral keys.
pub const CARD_CONTROL: u8 = 0x00;

/// What both sides know once they have multiplied points. Has no `Debug`: it holds the secret.
pub struct Agreement<'a> {
    /// The cipher suite.
    pub suite: Suite,
    /// Z: the x-coordinate of the shared point.
    pub secret: &'a [u8],
    /// CBh: the host's control byte, as it was sent.
    pub control: u8,
    /// IDsH: the host's name for itself.
    pub host: &'a [u8; IDENTIFIER],
    /// The host's ephemeral public key, `04 X Y`.
    pub point: &'a [u8],
    /// IDs_ICC, of [`card_identifier`].
    pub card: &'a [u8; IDENTIFIER],
    /// N: the card's nonce.
    pub nonce: &'a [u8],
}

/// IDs_ICC: the first bytes of SHA-256 - in both suites - over the card's certificate as it is sent, header included.
#[must_use]
pub fn card_identifier(certificate: &[u8]) -> [u8; IDENTIFIER] {
    let mut identifier = [0; IDENTIFIER];
    identifier.copy_from_slice(&Sha256::digest(certificate)[..IDENTIFIER]);
    identifier
}

impl Agreement<'_> {
    /// The session keys, and the cryptogram by which the card proves that it has them. `None` for a point that is
    /// none of the suite.
    #[must_use]
    pub fn derive(&self) -> Option<(SessionKeys, [u8; BLOCK])> {
        if !self.suite.is_point(self.point) {
            return None;
        }
        let key = self.suite.key();
        let other = self.other_info();
        let mut bytes = Zeroizing::new(Vec::with_capacity(5 * key));
        for counter in 1u32.. {
            if bytes.len() >= 4 * key {
                break;
            }
            bytes.extend_from_slice(&Zeroizing::new(self.suite.hash(&[&counter.to_be_bytes(), self.secret, &other])));
        }
        let key = |n: usize| Key::new(&bytes[n * key..(n + 1) * key]);
        let confirmation = key(0)?.mac(&[b"KC_1_V", self.card, self.host, &self.point[1..]]);
        Some((SessionKeys { mac: key(1)?, encryption: key(2)?, response_mac: key(3)? }, confirmation))
    }

    fn other_info(&self) -> Vec<u8> {
        let algorithm = match self.suite {
            Suite::Cs2 => 0x09,
            Suite::Cs7 => 0x0D,
        };
        let mut info = Vec::with_capacity(69);
        let parts: [&[u8]; 7] =
            [&[algorithm; 4], self.host, &[self.control], &self.point[1..=16], self.card, self.nonce, &[CARD_CONTROL]];
        for part in parts {
            info.push(part.len() as u8);
            info.extend_from_slice(part);
        }
        info
    }
}
