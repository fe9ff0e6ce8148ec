//! Sealing the secrets of a snapshot: Argon2id makes a key of the passphrase, AES-256-GCM seals each
//! record and binds it to its place, so that one record's seal is worth nothing at another's.

use super::SnapshotError;
use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use std::sync::{Mutex, PoisonError};
use zeroize::Zeroizing;

const NONCE: usize = 12;
/// Bytes of a salt.
pub(super) const SALT: usize = 16;
/// Argon2id, first choice of RFC 9106 for little memory, section 4.
const MEMORY_KIB: u32 = 64 * 1024;
const PASSES: u32 = 3;
const LANES: u32 = 4;
/// Held while a key is made, so that any number of snapshots at once take the memory of one.
static MAKING: Mutex<()> = Mutex::new(());

/// Seals and opens records.
pub(super) struct Seal(Aes256Gcm);

impl Seal {
    /// With the key of this passphrase; takes about a tenth of a second, and waits while others do.
    pub(super) fn new(passphrase: &str, salt: &[u8]) -> Result<Self, SnapshotError> {
        let failed = |e: argon2::Error| SnapshotError::System(e.to_string());
        let params = argon2::Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(failed)?;
        let mut key = Zeroizing::new([0; 32]);
        let hasher = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
        let _one_at_a_time = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
        hasher.hash_password_into(passphrase.as_bytes(), salt, &mut *key).map_err(failed)?;
        Aes256Gcm::new_from_slice(&*key).map(Self).map_err(|e| SnapshotError::System(e.to_string()))
    }

    /// A new salt.
    pub(super) fn salt() -> Result<[u8; SALT], SnapshotError> {
        random()
    }

    /// `value`, bound to `place`: the nonce, then what AES-GCM makes of it.
    pub(super) fn close(&self, place: &str, value: &[u8]) -> Result<Vec<u8>, SnapshotError> {
        let nonce: [u8; NONCE] = random()?;
        let payload = Payload { msg: value, aad: place.as_bytes() };
        let sealed = self.0.encrypt(&Nonce::from(nonce), payload).map_err(|e| SnapshotError::System(e.to_string()))?;
        Ok([&nonce[..], &sealed].concat())
    }

    /// The value; `None` for another passphrase or place, or one that was changed.
    pub(super) fn open(&self, place: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE>()?;
        let payload = Payload { msg: sealed, aad: place.as_bytes() };
        self.0.decrypt(&Nonce::from(*nonce), payload).ok()
    }
}

fn random<const N: usize>() -> Result<[u8; N], SnapshotError> {
    let mut out = [0; N];
    getrandom::fill(&mut out).map_err(|e| SnapshotError::System(e.to_string()))?;
    Ok(out)
}
