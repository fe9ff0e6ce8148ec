//! Decrypting with a block cipher in CBC mode and PKCS#7 padding: the ciphers that key files use beside PBES2.

use aes::{Aes128, Aes192, Aes256};
use cbc::Decryptor;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockCipherDecrypt, BlockModeDecrypt, BlockSizeUser, KeyInit, KeyIvInit};
use des::{Des, TdesEde2, TdesEde3};
use rc2::Rc2;
use zeroize::Zeroizing;

/// A block cipher with its key length in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cipher {
    Des,
    /// Two keys.
    TripleDes2,
    /// Three keys.
    TripleDes3,
    Aes128,
    Aes192,
    Aes256,
    /// 40 bits.
    Rc2Weak,
    /// 128 bits.
    Rc2,
}

impl Cipher {
    /// By the name in a `DEK-Info` header.
    pub(super) fn of_openssl(name: &str) -> Option<Self> {
        Some(match name {
            "DES-CBC" => Self::Des,
            "DES-EDE3-CBC" => Self::TripleDes3,
            "AES-128-CBC" => Self::Aes128,
            "AES-192-CBC" => Self::Aes192,
            "AES-256-CBC" => Self::Aes256,
            _ => return None,
        })
    }

    /// Length of its key in bytes.
    pub(super) const fn key_length(self) -> usize {
        match self {
            Self::Rc2Weak => 5,
            Self::Des => 8,
            Self::TripleDes2 | Self::Aes128 | Self::Rc2 => 16,
            Self::TripleDes3 | Self::Aes192 => 24,
            Self::Aes256 => 32,
        }
    }

    /// Length of its block in bytes.
    pub(super) const fn block_length(self) -> usize {
        if matches!(self, Self::Aes128 | Self::Aes192 | Self::Aes256) { 16 } else { 8 }
    }

    /// The plain text; `None` when the padding is not right, or a length does not fit the cipher.
    pub(super) fn decrypt(self, key: &[u8], vector: &[u8], data: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let decrypt = match self {
            Self::Des => plain::<Des>,
            Self::TripleDes2 => plain::<TdesEde2>,
            Self::TripleDes3 => plain::<TdesEde3>,
            Self::Aes128 => plain::<Aes128>,
            Self::Aes192 => plain::<Aes192>,
            Self::Aes256 => plain::<Aes256>,
            // The key's length is its strength.
            Self::Rc2Weak | Self::Rc2 => plain::<Rc2>,
        };
        decrypt(key, vector, data)
    }
}

fn plain<C: BlockCipherDecrypt + BlockSizeUser + KeyInit>(key: &[u8], vector: &[u8], data: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let decryptor = Decryptor::<C>::new_from_slices(key, vector).ok()?;
    let mut plain = Zeroizing::new(data.to_vec());
    let length = decryptor.decrypt_padded::<Pkcs7>(&mut plain).ok()?.len();
    plain.truncate(length);
    Some(plain)
}
