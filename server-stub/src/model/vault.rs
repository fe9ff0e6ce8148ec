//! Administrator keys under the master key. They leave this crate as responses, and to the [`crate::model::station`]
//! that writes them to a card; never to a client.

use crate::model::card::KeySource;
use crate::model::keys::{CardIdentity, MasterKey, MasterKeyError};
use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use cardlab_protocol::admin_key::{AdminKey, Cipher};
use zeroize::Zeroizing;

const NONCE: usize = 12;

/// The master key and what it protects.
pub struct Vault {
    master: MasterKey,
    seal: Aes256Gcm,
}

/// Where a card's key comes from.
#[derive(Clone, Copy, Debug)]
pub struct CardKey<'a> {
    /// Derived or sealed.
    pub source: KeySource,
    /// The card type's cipher.
    pub cipher: Cipher,
    /// Type, serial and version.
    pub card: CardIdentity<'a>,
    /// A sealed key.
    pub sealed: &'a str,
}

impl Vault {
    /// Under this master key.
    ///
    /// # Errors
    /// [`MasterKeyError`] when it is too short.
    pub fn new(master: &[u8]) -> Result<Self, MasterKeyError> {
        let master = MasterKey::new(master)?;
        let seal = Aes256Gcm::new(&(*own(&master, b"seal")).into());
        Ok(Self { master, seal })
    }

    /// The key that a new card of this identity is to get.
    #[must_use]
    pub fn derived(&self, cipher: Cipher, card: CardIdentity<'_>) -> AdminKey {
        self.master.derive(cipher, card)
    }

    /// Bytes that only this master key gives, for choices that must look random and stay the same.
    #[must_use]
    pub fn salt(&self) -> [u8; 32] {
        *own(&self.master, b"salt")
    }

    /// What encrypts the cookies that only servers with this master key read.
    #[must_use]
    pub fn cookie_key(&self) -> Zeroizing<[u8; 64]> {
        let mut key = Zeroizing::new([0; 64]);
        key[..32].copy_from_slice(&*own(&self.master, b"cookies, signing"));
        key[32..].copy_from_slice(&*own(&self.master, b"cookies, encryption"));
        key
    }

    /// A key as it is stored: AES-256-GCM, bound to the card's serial.
    ///
    /// # Errors
    /// A sentence when the system has no random numbers.
    pub fn seal(&self, key: &AdminKey, serial: &[u8]) -> Result<String, String> {
        let mut nonce = [0; NONCE];
        getrandom::fill(&mut nonce).map_err(|e| e.to_string())?;
        let payload = Payload { msg: key.as_bytes(), aad: serial };
        let sealed = self.seal.encrypt(&Nonce::from(nonce), payload).map_err(|e| e.to_string())?;
        Ok(hex::encode([&nonce[..], &sealed].concat()))
    }

    /// A text that only servers with this master key read, for this purpose.
    ///
    /// # Errors
    /// A sentence when the system has no random numbers.
    pub(crate) fn seal_text(&self, purpose: &[u8], text: &str) -> Result<String, String> {
        let mut nonce = [0; NONCE];
        getrandom::fill(&mut nonce).map_err(|e| e.to_string())?;
        let cipher = Aes256Gcm::new(&(*own(&self.master, purpose)).into());
        let sealed = cipher.encrypt(&Nonce::from(nonce), text.as_bytes()).map_err(|e| e.to_string())?;
        Ok(hex::encode([&nonce[..], &sealed].concat()))
    }

    /// A sealed text; `None` when it is none of this purpose and this master key.
    pub(crate) fn open_text(&self, purpose: &[u8], sealed: &str) -> Option<String> {
        let sealed = hex::decode(sealed).ok()?;
        let (nonce, sealed) = sealed.split_at_checked(NONCE)?;
        let cipher = Aes256Gcm::new(&(*own(&self.master, purpose)).into());
        String::from_utf8(cipher.decrypt(&Nonce::try_from(nonce).ok()?, sealed).ok()?).ok()
    }

    /// The response of a card's key; `None` when the key is not known, or does not open under this
    /// master key.
    #[must_use]
    pub fn respond(&self, key: CardKey<'_>, challenge: &[u8]) -> Option<Vec<u8>> {
        self.key(key)?.respond(challenge).ok()
    }

    /// A card's key, for writing to it; `None` when it is not known, or does not open under this master
    /// key.
    #[must_use]
    pub(crate) fn key(&self, key: CardKey<'_>) -> Option<AdminKey> {
        match key.source {
            KeySource::Derived => Some(self.derived(key.cipher, key.card)),
            KeySource::Sealed => self.open(key),
            KeySource::Unknown => None,
        }
    }

    fn open(&self, key: CardKey<'_>) -> Option<AdminKey> {
        let sealed = hex::decode(key.sealed).ok()?;
        let (nonce, sealed) = sealed.split_at_checked(NONCE)?;
        let payload = Payload { msg: sealed, aad: key.card.serial };
        let bytes = Zeroizing::new(self.seal.decrypt(&Nonce::try_from(nonce).ok()?, payload).ok()?);
        AdminKey::new(key.cipher, &bytes).ok()
    }
}

/// A secret of the server's own, derived as a key of a card type without a name, which no card has.
fn own(master: &MasterKey, purpose: &[u8]) -> Zeroizing<[u8; 32]> {
    let card = CardIdentity { card_type: "", serial: purpose, key_version: 0 };
    let mut bytes = Zeroizing::new([0; 32]);
    bytes.copy_from_slice(master.derive(Cipher::Aes256, card).as_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_key_answers_for_its_card_only() {
        let vault = Vault::new(&[7; 32]).unwrap();
        let key = AdminKey::new(Cipher::Tdes, &[0; 24]).unwrap();
        let sealed = vault.seal(&key, b"one").unwrap();
        let of = |serial: &'static [u8]| CardKey {
            source: KeySource::Sealed,
            cipher: Cipher::Tdes,
            card: CardIdentity { card_type: "gids", serial, key_version: 1 },
            sealed: &sealed,
        };
        assert_eq!(vault.respond(of(b"one"), &[0, 0, 0, 0, 0, 0, 0, 1]), hex::decode("166B40B44ABA4BD6").ok());
        assert_eq!(vault.respond(of(b"two"), &[1; 8]), None);
        assert_eq!(Vault::new(&[8; 32]).unwrap().respond(of(b"one"), &[1; 8]), None, "another master key");
        assert_eq!(vault.respond(CardKey { sealed: "00", ..of(b"one") }, &[1; 8]), None);
    }
}
