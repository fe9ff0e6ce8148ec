//! The secret from which the administrator keys of all cards are derived.

use cardlab_protocol::admin_key::{AdminKey, Cipher};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use thiserror::Error;
use zeroize::{Zeroize, Zeroizing};

/// What is derived, as it stands in the input of the derivation.
const LABEL: &[u8] = b"admin-key";
/// Bit of the key version that asks for another key when a 3DES key came out weak.
const AGAIN: u32 = 1 << 31;

/// A master key that is too short to be one.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("a master key has at least 16 bytes, not {0}")]
pub struct MasterKeyError(usize);

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

impl MasterKey {
    /// A master key from its bytes.
    ///
    /// # Errors
    /// [`MasterKeyError`] when it has fewer than 16 bytes.
    pub fn new(bytes: &[u8]) -> Result<Self, MasterKeyError> {
        if bytes.len() < 16 { Err(MasterKeyError(bytes.len())) } else { Ok(Self(Zeroizing::new(bytes.to_vec()))) }
    }

    /// The key of one card: NIST SP 800-108r1 section 4.1, counter mode, HMAC-SHA-256, 32-bit counter
    /// and length, Context = type, 00, serial, version.
    ///
    /// A 3DES key gets odd parity; one with two equal parts is derived again with the top bit of the
    /// version set.
    #[must_use]
    pub fn derive(&self, cipher: Cipher, card: CardIdentity<'_>) -> AdminKey {
        let key = AdminKey::filled(cipher, |bytes| self.derive_bytes(cipher, card, bytes));
        if cipher == Cipher::Tdes && is_weak(key.as_bytes()) {
            let again = CardIdentity { key_version: card.key_version | AGAIN, ..card };
            return AdminKey::filled(cipher, |bytes| self.derive_bytes(cipher, again, bytes));
        }
        key
    }

    fn derive_bytes(&self, cipher: Cipher, card: CardIdentity<'_>, out: &mut [u8]) {
        let bits = (out.len() * 8) as u32;
        for (counter, part) in (1u32..).zip(out.chunks_mut(32)) {
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
            part.copy_from_slice(&block[..part.len()]);
            block.as_mut_slice().zeroize();
        }
        if cipher == Cipher::Tdes {
            out.iter_mut().for_each(|byte| *byte = with_odd_parity(*byte));
        }
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
