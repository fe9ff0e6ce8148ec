//! Session keys and proofs.
//!
//! | channel | keys |
//! |---|---|
//! | SCP03 | CMAC(static key, 00 * 11, constant, 00, length in bits, 01, both challenges) - Amendment D section 4.1.5 |
//! | SCP11 | X9.63 KDF with SHA-256 over both shared secrets: receipt key, S-ENC, S-MAC, S-RMAC, DEK - Amendment F section 3.1.2 |
//!
//! The crates that have the X9.63 function exist as release candidates only, so its lines are here.

use super::session::SessionKeys;
use crate::channel::aes::{BLOCK, Key};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// Length of a challenge and of a cryptogram of SCP03 in bytes.
pub const CHALLENGE: usize = 8;
/// What an SCP11 session is for: authenticated, MAC and encryption both ways; AES; 16 bytes.
pub const USAGE: [u8; 3] = [0x3C, 0x88, 0x10];

const KEY: usize = 16;
const CARD_CRYPTOGRAM: u8 = 0x00;
const HOST_CRYPTOGRAM: u8 = 0x01;
const ENCRYPTION: u8 = 0x04;
const COMMAND_MAC: u8 = 0x06;
const RESPONSE_MAC: u8 = 0x07;

/// A key set of SCP03. Has no `Debug`: it is a secret.
#[derive(Clone)]
pub struct StaticKeys {
    /// Key-ENC.
    pub encryption: Key,
    /// Key-MAC.
    pub mac: Key,
    /// Key-DEK.
    pub dek: Key,
}

/// What both sides of SCP03 derive.
pub struct Scp03 {
    /// The session's keys.
    pub keys: SessionKeys,
    /// By which the card proves itself.
    pub card_cryptogram: [u8; CHALLENGE],
    /// By which the host proves itself.
    pub host_cryptogram: [u8; CHALLENGE],
}

impl StaticKeys {
    /// A key set of three AES-128 keys; `None` for other lengths.
    #[must_use]
    pub fn new(encryption: &[u8], mac: &[u8], dek: &[u8]) -> Option<Self> {
        let key = |bytes: &[u8]| Key::new(bytes).filter(|_| bytes.len() == KEY);
        Some(Self { encryption: key(encryption)?, mac: key(mac)?, dek: key(dek)? })
    }

    /// The session of these challenges.
    #[must_use]
    pub fn derive(&self, host: &[u8; CHALLENGE], card: &[u8; CHALLENGE]) -> Option<Scp03> {
        let key = |from: &Key, constant| Key::new(&*Zeroizing::new(block(from, constant, 0x80, host, card)));
        let mac = key(&self.mac, COMMAND_MAC)?;
        let cryptogram = |constant| {
            let mut cryptogram = [0; CHALLENGE];
            cryptogram.copy_from_slice(&block(&mac, constant, 0x40, host, card)[..CHALLENGE]);
            cryptogram
        };
        let (card_cryptogram, host_cryptogram) = (cryptogram(CARD_CRYPTOGRAM), cryptogram(HOST_CRYPTOGRAM));
        let keys = SessionKeys {
            encryption: key(&self.encryption, ENCRYPTION)?,
            response_mac: key(&self.mac, RESPONSE_MAC)?,
            dek: self.dek.clone(),
            mac,
        };
        Some(Scp03 { keys, card_cryptogram, host_cryptogram })
    }
}

/// One block of the derivation of SCP03: enough for all that is derived.
fn block(key: &Key, constant: u8, bits: u8, host: &[u8], card: &[u8]) -> [u8; BLOCK] {
    key.mac(&[&[0; 11], &[constant, 0x00, 0x00, bits, 0x01], host, card])
}

/// The session of SCP11 and the receipt by which the card proves itself: `secrets` are the x-coordinates that the
/// ephemeral keys and then the static ones share, `exchanged` what the receipt covers - the command's data and the card's
/// key as it answers it. The receipt also begins the chain of MACs.
#[must_use]
pub fn scp11(secrets: [&[u8]; 2], exchanged: [&[u8]; 2]) -> Option<(SessionKeys, [u8; BLOCK])> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(6 * KEY));
    for counter in 1u32..=3 {
        let hash = Sha256::new().chain_update(secrets[0]).chain_update(secrets[1]);
        bytes.extend_from_slice(&hash.chain_update(counter.to_be_bytes()).chain_update(USAGE).finalize());
    }
    let key = |n: usize| Key::new(&bytes[n * KEY..(n + 1) * KEY]);
    let receipt = key(0)?.mac(&exchanged);
    let keys = SessionKeys { encryption: key(1)?, mac: key(2)?, response_mac: key(3)?, dek: key(4)? };
    Some((keys, receipt))
}

/// The check value of an AES key that is put on a card: tells keys apart without showing them.
#[must_use]
pub fn check_value(key: &Key) -> [u8; 3] {
    let [a, b, c, ..] = key.block(&[0x01; BLOCK]);
    [a, b, c]
}
