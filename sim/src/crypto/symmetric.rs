//! Single blocks under 3DES and AES: what challenge and response of an administration key need
//! (SP 800-78-5 section 3.3, key 9B).

use super::CryptoError;
use aes::{Aes128, Aes192, Aes256};
use des::TdesEde3;
use des::cipher::{Array, BlockCipherDecrypt, BlockCipherEncrypt, BlockSizeUser, KeyInit};
use zeroize::Zeroizing;

/// A block cipher of SP 800-78-5 table 6, by its PIV algorithm identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cipher {
    /// 03: three-key triple DES, 24-byte key, 8-byte block.
    Tdes,
    /// 08: AES with a 16-byte key.
    Aes128,
    /// 0A: AES with a 24-byte key.
    Aes192,
    /// 0C: AES with a 32-byte key.
    Aes256,
}

impl Cipher {
    /// The cipher of a PIV algorithm identifier; 00 is an alias of 03.
    #[must_use]
    pub const fn from_id(id: u8) -> Option<Self> {
        Some(match id {
            0x00 | 0x03 => Self::Tdes,
            0x08 => Self::Aes128,
            0x0A => Self::Aes192,
            0x0C => Self::Aes256,
            _ => return None,
        })
    }

    /// The PIV algorithm identifier.
    #[must_use]
    pub const fn id(self) -> u8 {
        match self {
            Self::Tdes => 0x03,
            Self::Aes128 => 0x08,
            Self::Aes192 => 0x0A,
            Self::Aes256 => 0x0C,
        }
    }

    /// Key length in bytes.
    #[must_use]
    pub const fn key_len(self) -> usize {
        match self {
            Self::Tdes | Self::Aes192 => 24,
            Self::Aes128 => 16,
            Self::Aes256 => 32,
        }
    }

    /// Block length in bytes: also the length of a challenge and a response.
    #[must_use]
    pub const fn block_len(self) -> usize {
        match self {
            Self::Tdes => 8,
            _ => 16,
        }
    }

    /// The name used in profiles and options.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tdes => "3des",
            Self::Aes128 => "aes128",
            Self::Aes192 => "aes192",
            Self::Aes256 => "aes256",
        }
    }

    /// All ciphers, for lists of what is known.
    pub const ALL: [Self; 4] = [Self::Tdes, Self::Aes128, Self::Aes192, Self::Aes256];
}

/// A symmetric key with its cipher. Has no `Debug`: it is a secret.
#[derive(Clone)]
pub struct SymmetricKey {
    cipher: Cipher,
    bytes: Zeroizing<Vec<u8>>,
}

impl SymmetricKey {
    /// A key for `cipher`. Any bytes of the right length are a key: a DES key with equal parts
    /// (the factory key of YubiKeys) and any parity are taken.
    ///
    /// # Errors
    /// [`CryptoError::Key`] when the length is not [`Cipher::key_len`].
    pub fn new(cipher: Cipher, bytes: &[u8]) -> Result<Self, CryptoError> {
        if bytes.len() == cipher.key_len() {
            Ok(Self { cipher, bytes: Zeroizing::new(bytes.to_vec()) })
        } else {
            Err(CryptoError::Key)
        }
    }

    /// The cipher of this key.
    #[must_use]
    pub const fn cipher(&self) -> Cipher {
        self.cipher
    }

    /// The key bytes, for the card's own memory.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Encrypts one block.
    ///
    /// # Errors
    /// [`CryptoError::Input`] when `block` is not [`Cipher::block_len`] bytes.
    pub fn encrypt(&self, block: &[u8]) -> Result<Vec<u8>, CryptoError> {
        self.block(block, true)
    }

    /// Decrypts one block.
    ///
    /// # Errors
    /// [`CryptoError::Input`] when `block` is not [`Cipher::block_len`] bytes.
    pub fn decrypt(&self, block: &[u8]) -> Result<Vec<u8>, CryptoError> {
        self.block(block, false)
    }

    fn block(&self, block: &[u8], encrypt: bool) -> Result<Vec<u8>, CryptoError> {
        match self.cipher {
            Cipher::Tdes => run::<TdesEde3>(&self.bytes, block, encrypt),
            Cipher::Aes128 => run::<Aes128>(&self.bytes, block, encrypt),
            Cipher::Aes192 => run::<Aes192>(&self.bytes, block, encrypt),
            Cipher::Aes256 => run::<Aes256>(&self.bytes, block, encrypt),
        }
    }
}

fn run<C>(key: &[u8], block: &[u8], encrypt: bool) -> Result<Vec<u8>, CryptoError>
where
    C: KeyInit + BlockSizeUser + BlockCipherEncrypt + BlockCipherDecrypt,
{
    let cipher = C::new_from_slice(key).map_err(|_| CryptoError::Key)?;
    let mut block = Array::<u8, C::BlockSize>::try_from(block).map_err(|_| CryptoError::Input)?;
    if encrypt {
        cipher.encrypt_block(&mut block);
    } else {
        cipher.decrypt_block(&mut block);
    }
    Ok(block.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encrypts(cipher: Cipher, key: &str, block: &str, expected: &str) {
        let key = SymmetricKey::new(cipher, &hex::decode(key).unwrap()).unwrap();
        let block = hex::decode(block).unwrap();
        let out = key.encrypt(&block).unwrap();
        assert_eq!(hex::encode_upper(&out), expected);
        assert_eq!(key.decrypt(&out).unwrap(), block);
    }

    /// Computed with OpenSSL.
    #[test]
    fn known_answers() {
        encrypts(Cipher::Tdes, "0123456789ABCDEF23456789ABCDEF01456789ABCDEF0123", "1122334455667788", "88BE354D2E0B2869");
        encrypts(Cipher::Tdes, "000000000000000000000000000000000000000000000000", "0000000000000001", "166B40B44ABA4BD6");
        encrypts(Cipher::Tdes, "010203040506070801020304050607080102030405060708", "0011223344556677", "26604D88E55BD3E7");
        encrypts(Cipher::Tdes, "0102030405060708090A0B0C0D0E0F101112131415161718", "0011223344556677", "A5E5F164FECEBB87");
        encrypts(
            Cipher::Aes192,
            "010203040506070801020304050607080102030405060708",
            "00112233445566778899AABBCCDDEEFF",
            "C53C74BB02939C2FD3D923078F3E757D",
        );
    }

    #[test]
    fn lengths_are_checked() {
        assert!(SymmetricKey::new(Cipher::Aes256, &[0; 24]).is_err());
        assert_eq!(SymmetricKey::new(Cipher::Tdes, &[0; 24]).unwrap().encrypt(&[0; 16]), Err(CryptoError::Input));
    }
}
