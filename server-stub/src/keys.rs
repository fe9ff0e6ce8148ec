//! Administration keys: what answers a card's challenge.
//!
//! A response is the challenge under the key, one block: 3DES with 24-byte keys (8-byte challenges),
//! AES with 16, 24 or 32 bytes (16-byte challenges). For one block ECB and CBC with a zero initial
//! vector are the same.

use aes::{Aes128, Aes192, Aes256};
use des::TdesEde3;
use des::cipher::{Array, BlockCipherEncrypt, BlockSizeUser, KeyInit};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use thiserror::Error;
use zeroize::{Zeroize, Zeroizing};

/// What is derived, as it stands in the input of the derivation.
const LABEL: &[u8] = b"admin-key";
/// Bit of the key version that asks for another key when a 3DES key came out weak.
const AGAIN: u32 = 1 << 31;

/// The cipher of an administration key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cipher {
    /// Three-key 3DES.
    Tdes,
    /// AES-128.
    Aes128,
    /// AES-192.
    Aes192,
    /// AES-256.
    Aes256,
}

impl Cipher {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Tdes, Self::Aes128, Self::Aes192, Self::Aes256];

    /// Key length in bytes.
    #[must_use]
    pub const fn key_len(self) -> usize {
        match self {
            Self::Tdes | Self::Aes192 => 24,
            Self::Aes128 => 16,
            Self::Aes256 => 32,
        }
    }

    /// Length of challenge and response in bytes.
    #[must_use]
    pub const fn challenge_len(self) -> usize {
        match self {
            Self::Tdes => 8,
            _ => 16,
        }
    }

    /// Name as on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tdes => "3des",
            Self::Aes128 => "aes128",
            Self::Aes192 => "aes192",
            Self::Aes256 => "aes256",
        }
    }

    /// The cipher that a key and a challenge of these lengths can only mean.
    #[must_use]
    pub fn of_lengths(key: usize, challenge: usize) -> Option<Self> {
        Self::ALL.into_iter().find(|c| c.key_len() == key && c.challenge_len() == challenge)
    }
}

/// Why a key cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum KeyError {
    /// Another length than the cipher's.
    #[error("{} keys have {} bytes, not {found}", .cipher.name(), .cipher.key_len())]
    Length {
        /// The cipher.
        cipher: Cipher,
        /// Bytes given.
        found: usize,
    },
    /// A challenge of another length.
    #[error("{} challenges have {} bytes, not {found}", .cipher.name(), .cipher.challenge_len())]
    Challenge {
        /// The cipher.
        cipher: Cipher,
        /// Bytes given.
        found: usize,
    },
    /// A master key that is too short to be one.
    #[error("a master key has at least 16 bytes, not {0}")]
    Master(usize),
}

/// An administration key. Has no `Debug`: it is a secret.
#[derive(Clone)]
pub struct AdminKey {
    cipher: Cipher,
    bytes: Zeroizing<Vec<u8>>,
}

/// The secret that the keys of all cards are derived from. Has no `Debug`.
pub struct MasterKey(Zeroizing<Vec<u8>>);

/// What makes a card's key its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CardIdentity<'a> {
    /// Card type, ASCII.
    pub card_type: &'a str,
    /// What the card says: GIDS `cardid`, PIV card UUID, YubiKey serial.
    pub serial: &'a [u8],
    /// Counts the keys that the card has had.
    pub key_version: u32,
}

impl AdminKey {
    /// A key from its bytes.
    ///
    /// # Errors
    /// [`KeyError::Length`].
    pub fn new(cipher: Cipher, bytes: &[u8]) -> Result<Self, KeyError> {
        if bytes.len() == cipher.key_len() {
            Ok(Self { cipher, bytes: Zeroizing::new(bytes.to_vec()) })
        } else {
            Err(KeyError::Length { cipher, found: bytes.len() })
        }
    }

    /// The cipher.
    #[must_use]
    pub const fn cipher(&self) -> Cipher {
        self.cipher
    }

    /// The key bytes, for putting the key on a card.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The response to a challenge.
    ///
    /// # Errors
    /// [`KeyError::Challenge`] when it has another length than a block.
    pub fn respond(&self, challenge: &[u8]) -> Result<Vec<u8>, KeyError> {
        let wrong = KeyError::Challenge { cipher: self.cipher, found: challenge.len() };
        match self.cipher {
            Cipher::Tdes => encrypt::<TdesEde3>(&self.bytes, challenge),
            Cipher::Aes128 => encrypt::<Aes128>(&self.bytes, challenge),
            Cipher::Aes192 => encrypt::<Aes192>(&self.bytes, challenge),
            Cipher::Aes256 => encrypt::<Aes256>(&self.bytes, challenge),
        }
        .ok_or(wrong)
    }

    /// The first three bytes of a block of zeros under the key: tells keys apart without showing them.
    #[must_use]
    pub fn check_value(&self) -> [u8; 3] {
        let zeros = vec![0; self.cipher.challenge_len()];
        match self.respond(&zeros).ok().as_deref() {
            Some([a, b, c, ..]) => [*a, *b, *c],
            _ => [0; 3],
        }
    }
}

fn encrypt<C: KeyInit + BlockSizeUser + BlockCipherEncrypt>(key: &[u8], block: &[u8]) -> Option<Vec<u8>> {
    let cipher = C::new_from_slice(key).ok()?;
    let mut block = Array::<u8, C::BlockSize>::try_from(block).ok()?;
    cipher.encrypt_block(&mut block);
    Some(block.to_vec())
}

impl MasterKey {
    /// A master key from its bytes.
    ///
    /// # Errors
    /// [`KeyError::Master`] when it has fewer than 16 bytes.
    pub fn new(bytes: &[u8]) -> Result<Self, KeyError> {
        if bytes.len() < 16 { Err(KeyError::Master(bytes.len())) } else { Ok(Self(Zeroizing::new(bytes.to_vec()))) }
    }

    /// The key of one card: NIST SP 800-108r1 section 4.1, counter mode, HMAC-SHA-256, 32-bit counter
    /// and length, Context = type, 00, serial, version.
    ///
    /// A 3DES key gets odd parity; one with two equal parts is derived again with the top bit of the
    /// version set.
    #[must_use]
    pub fn derive(&self, cipher: Cipher, card: CardIdentity<'_>) -> AdminKey {
        let key = AdminKey { cipher, bytes: self.derive_bytes(cipher, card) };
        if cipher == Cipher::Tdes && is_weak(&key.bytes) {
            let again = CardIdentity { key_version: card.key_version | AGAIN, ..card };
            return AdminKey { cipher, bytes: self.derive_bytes(cipher, again) };
        }
        key
    }

    fn derive_bytes(&self, cipher: Cipher, card: CardIdentity<'_>) -> Zeroizing<Vec<u8>> {
        let length = cipher.key_len();
        let bits = (length * 8) as u32;
        let mut out = Zeroizing::new(Vec::with_capacity(64));
        for counter in 1u32.. {
            // HMAC takes keys of any length.
            let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else { break };
            mac.update(&counter.to_be_bytes());
            mac.update(LABEL);
            mac.update(&[0]);
            mac.update(card.card_type.as_bytes());
            mac.update(&[0]);
            mac.update(card.serial);
            mac.update(&card.key_version.to_be_bytes());
            mac.update(&bits.to_be_bytes());
            let mut block = mac.finalize().into_bytes();
            out.extend_from_slice(&block);
            block.as_mut_slice().zeroize();
            if out.len() >= length {
                break;
            }
        }
        out.truncate(length);
        if cipher == Cipher::Tdes {
            out.iter_mut().for_each(|byte| *byte = with_odd_parity(*byte));
        }
        out
    }
}

/// The byte with its lowest bit set so that the number of ones is odd (FIPS 46-3).
const fn with_odd_parity(byte: u8) -> u8 {
    byte & 0xFE | (byte & 0xFE).count_ones().is_multiple_of(2) as u8
}

/// Two equal parts make single or two-key DES of three-key 3DES.
fn is_weak(key: &[u8]) -> bool {
    let (a, b, c) = (&key[..8], &key[8..16], &key[16..]);
    a == b || b == c || a == c
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        hex::decode(text).unwrap()
    }

    #[test]
    fn known_responses() {
        for (cipher, key, challenge, response) in [
            (Cipher::Tdes, "0123456789ABCDEF23456789ABCDEF01456789ABCDEF0123", "1122334455667788", "88BE354D2E0B2869"),
            (Cipher::Tdes, "000000000000000000000000000000000000000000000000", "0000000000000001", "166B40B44ABA4BD6"),
            // FIPS 197 appendix C.
            (
                Cipher::Aes128,
                "000102030405060708090A0B0C0D0E0F",
                "00112233445566778899AABBCCDDEEFF",
                "69C4E0D86A7B0430D8CDB78070B4C55A",
            ),
            (
                Cipher::Aes192,
                "000102030405060708090A0B0C0D0E0F1011121314151617",
                "00112233445566778899AABBCCDDEEFF",
                "DDA97CA4864CDFE06EAF70A0EC0D7191",
            ),
        ] {
            let key = AdminKey::new(cipher, &hex(key)).unwrap();
            assert_eq!(key.respond(&hex(challenge)).unwrap(), hex(response));
        }
        let zeros = AdminKey::new(Cipher::Tdes, &[0; 24]).unwrap();
        assert_eq!(zeros.check_value(), [0x8C, 0xA6, 0x4D]);
        assert_eq!(zeros.respond(&[0; 16]).unwrap_err().to_string(), "3des challenges have 8 bytes, not 16");
        let short = AdminKey::new(Cipher::Aes256, &[0; 24]).err().unwrap();
        assert_eq!(short.to_string(), "aes256 keys have 32 bytes, not 24");
    }

    /// Checked against OpenSSL's KBKDF.
    #[test]
    fn known_derivations() {
        let master = MasterKey::new(&(0..32).collect::<Vec<u8>>()).unwrap();
        let serial = hex("0123456789ABCDEF0011223344556677");
        let card = |key_version| CardIdentity { card_type: "gids-sim", serial: &serial, key_version };
        let first = master.derive(Cipher::Tdes, card(1));
        assert_eq!(first.as_bytes(), hex("D3543DC49EABC257B973D56B92686DD5E3B66B20D64689F8"));
        assert_eq!(first.check_value(), [0xC1, 0x87, 0x25]);
        assert_eq!(first.respond(&hex("1122334455667788")).unwrap(), hex("847022B574DF4753"));
        assert_eq!(master.derive(Cipher::Tdes, card(2)).as_bytes(), hex("F8E97A04EC9415910B5D9BB608F254FB83AB917C37CDEC52"));
        let aes = master.derive(Cipher::Aes256, card(1));
        assert_eq!(aes.as_bytes(), hex("582BC052B304676B1FD32BB7431DF791822E6ABEE84BA13352825A2ECF0958C4"));
        let response = aes.respond(&hex("000102030405060708090A0B0C0D0E0F")).unwrap();
        assert_eq!(response, hex("7F0D8EAA1DE2223C6F431EFC1B793405"));
        assert!(MasterKey::new(&[0; 15]).is_err());
    }

    #[test]
    fn parity_and_weakness() {
        assert!((0..=255).all(|byte| with_odd_parity(byte).count_ones() % 2 == 1));
        assert!(is_weak(&[7; 24]) && !is_weak(&(0..24).collect::<Vec<u8>>()));
    }
}
