//! PEM: the blocks of a text (RFC 7468), and the encryption of its own that OpenSSL had before PKCS#8 (RFC 1421 headers).

use super::Fault;
use super::cbc;
use super::password::Password;
use md5::{Digest, Md5};
use zeroize::Zeroizing;

/// A block: what stands between BEGIN and END.
pub(super) struct Block {
    /// `PRIVATE KEY`, `CERTIFICATE` and so on.
    pub(super) label: String,
    /// The decoded contents.
    pub(super) contents: Zeroizing<Vec<u8>>,
    /// `DEK-Info` of an encrypted one: cipher and initialisation vector.
    cipher: Option<String>,
}

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";

/// Whether a text has a block.
pub(super) fn is_pem(bytes: &[u8]) -> bool {
    find(bytes, BEGIN).is_some()
}

/// The blocks of a text. What stands between them does not matter, nor how long the lines are.
///
/// # Errors
/// [`Fault::Pem`], naming the block that cannot be read.
pub(super) fn blocks(mut text: &[u8]) -> Result<Vec<Block>, Fault> {
    let mut blocks = Vec::new();
    while let Some(start) = find(text, BEGIN) {
        let rest = &text[start..];
        let label = rest[BEGIN.len()..].split(|byte| *byte == b'-').next().unwrap_or_default();
        let label = String::from_utf8_lossy(label).trim().to_owned();
        let unreadable = || Fault::Pem { label: label.clone() };
        let end = find(rest, END).ok_or_else(unreadable)?;
        let closed = find(&rest[end + END.len()..], b"-----").ok_or_else(unreadable)?;
        let length = end + END.len() + closed + 5;
        let one = ::pem::parse(&rest[..length]).map_err(|_| unreadable())?;
        let cipher = one.headers().get("DEK-Info").map(str::to_owned);
        blocks.push(Block { label: one.tag().to_owned(), cipher, contents: Zeroizing::new(one.into_contents()) });
        text = &rest[length..];
    }
    Ok(blocks)
}

impl Block {
    /// Whether its contents are encrypted by the headers.
    pub(super) const fn is_encrypted(&self) -> bool {
        self.cipher.is_some()
    }

    /// The contents, decrypted where the headers say so.
    ///
    /// # Errors
    /// [`Fault::NoPassword`], [`Fault::WrongPassword`] when the padding is not right, [`Fault::Cipher`] for another
    /// cipher than DES, 3DES and AES.
    pub(super) fn open(&self, password: Option<&Password>) -> Result<Zeroizing<Vec<u8>>, Fault> {
        let Some(cipher) = &self.cipher else { return Ok(self.contents.clone()) };
        let password = password.ok_or(Fault::NoPassword)?;
        let (name, vector) = cipher.split_once(',').ok_or(Fault::Structure)?;
        let vector = hex::decode(vector.trim()).map_err(|_| Fault::Structure)?;
        let salt = vector.get(..8).ok_or(Fault::Structure)?;
        let cipher = cbc::Cipher::of_openssl(name.trim()).ok_or_else(|| Fault::Cipher(name.trim().to_owned()))?;
        let key = bytes_to_key(password.utf8(), salt, cipher.key_length());
        cipher.decrypt(&key, &vector, &self.contents).ok_or(Fault::WrongPassword)
    }
}

/// OpenSSL's `EVP_BytesToKey` with MD5 and one iteration, as PEM encryption uses it.
fn bytes_to_key(password: &[u8], salt: &[u8], length: usize) -> Zeroizing<Vec<u8>> {
    let mut key = Zeroizing::new(Vec::with_capacity(length + 16));
    let mut last = Zeroizing::new([0; 16]);
    while key.len() < length {
        let mut digest = Md5::new();
        if !key.is_empty() {
            digest.update(*last);
        }
        digest.update(password);
        digest.update(salt);
        *last = digest.finalize().into();
        key.extend_from_slice(&*last);
    }
    key.truncate(length);
    key
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Bag Attributes\n  name: x\n-----BEGIN PRIVATE KEY-----\nAAECAwQF\nBgcI\n-----END PRIVATE KEY-----\r\n\
        between\n-----BEGIN CERTIFICATE-----\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7\n\
        -----END CERTIFICATE-----";

    #[test]
    fn text_between_blocks_and_the_length_of_lines_do_not_matter() {
        let blocks = blocks(TEXT.as_bytes()).unwrap();
        let seen: Vec<_> = blocks.iter().map(|block| (block.label.as_str(), block.contents.len())).collect();
        assert_eq!(seen, [("PRIVATE KEY", 9), ("CERTIFICATE", 60)]);
    }

    #[test]
    fn a_block_that_is_cut_off_is_named() {
        for end in [60, 90, 200] {
            assert!(matches!(blocks(&TEXT.as_bytes()[..end]), Err(Fault::Pem { .. })), "{end}");
        }
    }
}
