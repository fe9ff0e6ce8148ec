//! The administrator key: what answers a card's challenge, and what a card compares the answer with.
//!
//! A response is the challenge under the key, one block: 3DES with 24-byte keys (8-byte challenges),
//! AES with 16, 24 or 32 bytes (16-byte challenges); SP 800-78-5 section 3.3. For one block ECB and CBC
//! with a zero initial vector are the same.

use aes::{Aes128, Aes192, Aes256};
use cbc::cipher::block_padding::NoPadding;
use cbc::cipher::{BlockModeDecrypt, BlockModeEncrypt, InnerIvInit};
use cbc::{Decryptor, Encryptor};
use des::TdesEde3;
use des::cipher::{Array, BlockCipherDecrypt, BlockCipherEncrypt, BlockSizeUser, KeyInit};
use thiserror::Error;
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
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Tdes, Self::Aes128, Self::Aes192, Self::Aes256];

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

    /// Block length in bytes: also the length of a challenge and of a response.
    #[must_use]
    pub const fn block_len(self) -> usize {
        match self {
            Self::Tdes => 8,
            _ => 16,
        }
    }

    /// Name as in profiles and on the command line.
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
        Self::ALL.into_iter().find(|c| c.key_len() == key && c.block_len() == challenge)
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
    /// A challenge, or anything else that goes under the key, of another length.
    #[error("{} challenges have {} bytes, not {found}", .cipher.name(), .cipher.block_len())]
    Challenge {
        /// The cipher.
        cipher: Cipher,
        /// Bytes given.
        found: usize,
    },
}

/// An administrator key. Has no `Debug`: it is a secret, zeroised when dropped.
#[derive(Clone)]
pub struct AdminKey {
    cipher: Cipher,
    bytes: Zeroizing<Vec<u8>>,
}

impl AdminKey {
    /// A key from its bytes. Any bytes of the right length are a key: a DES key with equal parts (the
    /// factory key of YubiKeys) and any parity are taken.
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

    /// A key whose bytes `fill` writes into zeros: random or derived ones.
    pub fn filled(cipher: Cipher, fill: impl FnOnce(&mut [u8])) -> Self {
        let mut bytes = Zeroizing::new(vec![0; cipher.key_len()]);
        fill(&mut bytes);
        Self { cipher, bytes }
    }

    /// The cipher.
    #[must_use]
    pub const fn cipher(&self) -> Cipher {
        self.cipher
    }

    /// The key bytes, for putting the key on a card and for the card's own memory.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The response to a challenge: [`AdminKey::encrypt`] under the name that people know it by.
    ///
    /// # Errors
    /// [`KeyError::Challenge`] when it is not [`Cipher::block_len`] bytes.
    pub fn respond(&self, challenge: &[u8]) -> Result<Vec<u8>, KeyError> {
        self.encrypt(challenge)
    }

    /// Encrypts one block.
    ///
    /// # Errors
    /// [`KeyError::Challenge`] when `block` is not [`Cipher::block_len`] bytes.
    pub fn encrypt(&self, block: &[u8]) -> Result<Vec<u8>, KeyError> {
        self.one(block, |cipher, block| cipher.encrypt(block))
    }

    /// Decrypts one block.
    ///
    /// # Errors
    /// [`KeyError::Challenge`] when `block` is not [`Cipher::block_len`] bytes.
    pub fn decrypt(&self, block: &[u8]) -> Result<Vec<u8>, KeyError> {
        self.one(block, |cipher, block| cipher.decrypt(block))
    }

    /// CBC with a zero initial vector and no padding, as mutual authentication of GIDS cards has it.
    ///
    /// # Errors
    /// [`KeyError::Challenge`] when `plain` is not whole blocks.
    pub fn encrypt_cbc(&self, plain: &[u8]) -> Result<Vec<u8>, KeyError> {
        self.whole(plain, |cipher, plain| cipher.encrypt_cbc(plain))
    }

    /// The inverse of [`AdminKey::encrypt_cbc`].
    ///
    /// # Errors
    /// [`KeyError::Challenge`] when `cryptogram` is not whole blocks.
    pub fn decrypt_cbc(&self, cryptogram: &[u8]) -> Result<Vec<u8>, KeyError> {
        self.whole(cryptogram, |cipher, cryptogram| cipher.decrypt_cbc(cryptogram))
    }

    /// The first three bytes of a block of zeros under the key: tells keys apart without showing them.
    #[must_use]
    pub fn check_value(&self) -> [u8; 3] {
        let zeros = vec![0; self.cipher.block_len()];
        match self.encrypt(&zeros).ok().as_deref() {
            Some([a, b, c, ..]) => [*a, *b, *c],
            _ => [0; 3],
        }
    }

    fn one(&self, block: &[u8], run: impl FnOnce(&dyn Ready, &[u8]) -> Option<Vec<u8>>) -> Result<Vec<u8>, KeyError> {
        let wrong = KeyError::Challenge { cipher: self.cipher, found: block.len() };
        if block.len() == self.cipher.block_len() { self.run(block, run).ok_or(wrong) } else { Err(wrong) }
    }

    fn whole(&self, blocks: &[u8], run: impl FnOnce(&dyn Ready, &[u8]) -> Option<Vec<u8>>) -> Result<Vec<u8>, KeyError> {
        let wrong = KeyError::Challenge { cipher: self.cipher, found: blocks.len() };
        if blocks.len().is_multiple_of(self.cipher.block_len()) { self.run(blocks, run).ok_or(wrong) } else { Err(wrong) }
    }

    /// The one place where a key becomes a cipher.
    fn run(&self, input: &[u8], run: impl FnOnce(&dyn Ready, &[u8]) -> Option<Vec<u8>>) -> Option<Vec<u8>> {
        let key = &self.bytes[..];
        match self.cipher {
            Cipher::Tdes => run(&TdesEde3::new_from_slice(key).ok()?, input),
            Cipher::Aes128 => run(&Aes128::new_from_slice(key).ok()?, input),
            Cipher::Aes192 => run(&Aes192::new_from_slice(key).ok()?, input),
            Cipher::Aes256 => run(&Aes256::new_from_slice(key).ok()?, input),
        }
    }
}

/// A cipher that has its key. `None` for an input of another length than the method takes.
trait Ready {
    fn encrypt(&self, block: &[u8]) -> Option<Vec<u8>>;
    fn decrypt(&self, block: &[u8]) -> Option<Vec<u8>>;
    fn encrypt_cbc(&self, plain: &[u8]) -> Option<Vec<u8>>;
    fn decrypt_cbc(&self, cryptogram: &[u8]) -> Option<Vec<u8>>;
}

impl<C: Clone + BlockSizeUser + BlockCipherEncrypt + BlockCipherDecrypt> Ready for C {
    fn encrypt(&self, block: &[u8]) -> Option<Vec<u8>> {
        let mut block = Array::<u8, C::BlockSize>::try_from(block).ok()?;
        self.encrypt_block(&mut block);
        Some(block.to_vec())
    }

    fn decrypt(&self, block: &[u8]) -> Option<Vec<u8>> {
        let mut block = Array::<u8, C::BlockSize>::try_from(block).ok()?;
        self.decrypt_block(&mut block);
        Some(block.to_vec())
    }

    fn encrypt_cbc(&self, plain: &[u8]) -> Option<Vec<u8>> {
        Some(Encryptor::inner_iv_init(self.clone(), &Array::default()).encrypt_padded_vec::<NoPadding>(plain))
    }

    fn decrypt_cbc(&self, cryptogram: &[u8]) -> Option<Vec<u8>> {
        Decryptor::inner_iv_init(self.clone(), &Array::default()).decrypt_padded_vec::<NoPadding>(cryptogram).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hex_literal::hex;
    use proptest::prelude::*;

    /// Key, block, block under the key.
    struct Known<'a>(Cipher, &'a [u8], &'a [u8], &'a [u8]);

    /// Computed with OpenSSL; those of AES with keys 00 01 02 .. are FIPS 197 appendix C.
    const KNOWN: [Known<'static>; 7] = [
        Known(
            Cipher::Tdes,
            &hex!("0123456789ABCDEF23456789ABCDEF01456789ABCDEF0123"),
            &hex!("1122334455667788"),
            &hex!("88BE354D2E0B2869"),
        ),
        Known(Cipher::Tdes, &[0; 24], &hex!("0000000000000001"), &hex!("166B40B44ABA4BD6")),
        Known(
            Cipher::Tdes,
            &hex!("010203040506070801020304050607080102030405060708"),
            &hex!("0011223344556677"),
            &hex!("26604D88E55BD3E7"),
        ),
        Known(
            Cipher::Tdes,
            &hex!("0102030405060708090A0B0C0D0E0F101112131415161718"),
            &hex!("0011223344556677"),
            &hex!("A5E5F164FECEBB87"),
        ),
        Known(
            Cipher::Aes192,
            &hex!("010203040506070801020304050607080102030405060708"),
            &hex!("00112233445566778899AABBCCDDEEFF"),
            &hex!("C53C74BB02939C2FD3D923078F3E757D"),
        ),
        Known(
            Cipher::Aes128,
            &hex!("000102030405060708090A0B0C0D0E0F"),
            &hex!("00112233445566778899AABBCCDDEEFF"),
            &hex!("69C4E0D86A7B0430D8CDB78070B4C55A"),
        ),
        Known(
            Cipher::Aes192,
            &hex!("000102030405060708090A0B0C0D0E0F1011121314151617"),
            &hex!("00112233445566778899AABBCCDDEEFF"),
            &hex!("DDA97CA4864CDFE06EAF70A0EC0D7191"),
        ),
    ];

    #[test]
    fn known_answers() {
        for Known(cipher, key, block, expected) in KNOWN {
            let key = AdminKey::new(cipher, key).unwrap();
            assert_eq!(key.respond(block).unwrap(), expected);
            assert_eq!(key.decrypt(expected).unwrap(), block);
            assert_eq!(key.encrypt_cbc(block).unwrap(), expected, "one block is the same");
        }
        assert_eq!(AdminKey::new(Cipher::Tdes, &[0; 24]).unwrap().check_value(), [0x8C, 0xA6, 0x4D]);
    }

    #[test]
    fn lengths_are_checked() {
        let short = AdminKey::new(Cipher::Aes256, &[0; 24]).err().unwrap();
        assert_eq!(short.to_string(), "aes256 keys have 32 bytes, not 24");
        let zeros = AdminKey::new(Cipher::Tdes, &[0; 24]).unwrap();
        assert_eq!(zeros.respond(&[0; 16]).unwrap_err().to_string(), "3des challenges have 8 bytes, not 16");
        assert!(zeros.encrypt_cbc(&[0; 12]).is_err() && zeros.decrypt_cbc(&[0; 7]).is_err());
    }

    proptest! {
        /// Each block is mixed with the cryptogram before it, the first with zeros (SP 800-38A section 6.2).
        #[test]
        fn cbc_chains_blocks(which in 0..4usize, key: [u8; 32], blocks in 1..5usize, fill: [u8; 80]) {
            let cipher = Cipher::ALL[which];
            let key = AdminKey::new(cipher, &key[..cipher.key_len()]).unwrap();
            let plain = &fill[..blocks * cipher.block_len()];
            let cryptogram = key.encrypt_cbc(plain).unwrap();
            let mut before = vec![0; cipher.block_len()];
            for (plain, got) in plain.chunks(before.len()).zip(cryptogram.chunks(before.len())) {
                let mixed: Vec<u8> = plain.iter().zip(&before).map(|(a, b)| a ^ b).collect();
                before = key.encrypt(&mixed).unwrap();
                prop_assert_eq!(got, &before[..]);
            }
            prop_assert_eq!(key.decrypt_cbc(&cryptogram).unwrap(), plain);
        }
    }
}
