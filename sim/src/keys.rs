//! Key references and their stored form.
//!
//! An asymmetric key is one record: area 2, index = key reference, contents
//! `{algorithm, origin, PIN policy, touch policy}` followed by its parts, each with a two-byte
//! length. The administrator key (9B, [`crate::admin_key`]) has its key bytes as the only part. PIV
//! keys have references 9A, 9C, 9D, 9E, 82 to 95, 04, F9; GIDS keys 81 and up, whose policies stand in the
//! key file instead.

use crate::crypto::asymmetric::{Algorithm, KeyPair};
use crate::crypto::backend::Backend;
use crate::memory;
use crate::nvm::{Nvm, Transaction};
use crate::status::Abort;
use cardlab_protocol::admin_key::AdminKey;
use std::time::Duration;
use zeroize::Zeroizing;

/// About how long it takes to make a key pair: primes are searched for.
pub(crate) const GENERATION: Duration = Duration::from_millis(100);
/// The administrator key's reference.
pub const ADMINISTRATION: u8 = 0x9B;
/// The key of secure messaging.
pub const MESSAGING: u8 = 0x04;
/// YubiKey's attestation key.
pub const ATTESTATION: u8 = 0xF9;

/// Where a key came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Made on the card.
    Generated = 1,
    /// Loaded from outside.
    Imported = 2,
}

/// When a key wants the PIN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PinPolicy {
    /// Never.
    Never = 1,
    /// Once since selection.
    Once = 2,
    /// Immediately before every use.
    Always = 3,
}

/// When a key wants a touch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TouchPolicy {
    /// Never.
    Never = 1,
    /// At every use.
    Always = 2,
    /// Once in 15 seconds.
    Cached = 3,
}

impl PinPolicy {
    /// The policy of a byte of an `AA` object; 0 is the slot's default.
    #[must_use]
    pub const fn from_byte(byte: u8, slot: u8) -> Option<Self> {
        Some(match byte {
            0 => Self::of_slot(slot),
            1 => Self::Never,
            2 => Self::Once,
            3 => Self::Always,
            _ => return None,
        })
    }

    /// SP 800-73-4 part 1 table 5: always for 9C, never for 9E, else once.
    #[must_use]
    pub const fn of_slot(slot: u8) -> Self {
        match slot {
            0x9C => Self::Always,
            0x9E | MESSAGING | ATTESTATION => Self::Never,
            _ => Self::Once,
        }
    }
}

impl TouchPolicy {
    /// The policy of a byte of an `AB` object; 0 is "never".
    #[must_use]
    pub const fn from_byte(byte: u8) -> Option<Self> {
        Some(match byte {
            0 | 1 => Self::Never,
            2 => Self::Always,
            3 => Self::Cached,
            _ => return None,
        })
    }
}

/// A slot's key with its policies.
pub struct Slot {
    /// The key pair.
    pub key: KeyPair,
    /// Where it came from.
    pub origin: Origin,
    /// When it wants the PIN.
    pub pin: PinPolicy,
    /// When it wants a touch.
    pub touch: TouchPolicy,
}

/// What a slot holds, without its private part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotInfo {
    /// The key's algorithm.
    pub algorithm: Algorithm,
    /// Where it came from.
    pub origin: Origin,
    /// When it wants the PIN.
    pub pin: PinPolicy,
    /// When it wants a touch.
    pub touch: TouchPolicy,
}

/// Whether `slot` is a key reference for asymmetric keys: 9A, 9C, 9D, 9E, 82 to 95.
#[must_use]
pub const fn is_slot(slot: u8) -> bool {
    matches!(slot, 0x9A | 0x9C | 0x9D | 0x9E | 0x82..=0x95)
}

/// What stands in a slot; `None` when it is empty.
#[must_use]
pub fn info(nvm: &Nvm, slot: u8) -> Option<SlotInfo> {
    let [algorithm, origin, pin, touch, ..] = nvm.read(memory::key(slot))? else { return None };
    Some(SlotInfo {
        algorithm: Algorithm::from_id(*algorithm)?,
        origin: if *origin == Origin::Imported as u8 { Origin::Imported } else { Origin::Generated },
        pin: PinPolicy::from_byte(*pin, slot)?,
        touch: TouchPolicy::from_byte(*touch)?,
    })
}

/// A slot's key; `None` when it is empty.
#[must_use]
pub fn load(nvm: &Nvm, slot: u8) -> Option<Slot> {
    let SlotInfo { algorithm, origin, pin, touch } = info(nvm, slot)?;
    let parts = split(nvm.read(memory::key(slot))?.get(4..)?)?;
    Some(Slot { key: KeyPair::from_parts(algorithm, &parts).ok()?, origin, pin, touch })
}

/// About how long it takes to load a slot's key; zero when it is empty.
pub(crate) fn load_time(nvm: &Nvm, slot: u8) -> Duration {
    info(nvm, slot).map_or(Duration::ZERO, |slot| slot.algorithm.load_time())
}

/// About how long a private operation with a slot's key takes; zero when it is empty.
pub(crate) fn private_time(nvm: &Nvm, slot: u8, backend: &dyn Backend) -> Duration {
    info(nvm, slot).map_or(Duration::ZERO, |slot| slot.algorithm.private_time(backend))
}

/// Stores a key in a slot.
pub(crate) fn store(transaction: &mut Transaction<'_>, slot: u8, content: &Slot) -> Result<(), Abort> {
    let parts = content.key.parts();
    let parts: Vec<&[u8]> = parts.iter().map(|part| part.as_slice()).collect();
    let header = [content.key.algorithm().id(), content.origin as u8, content.pin as u8, content.touch as u8];
    transaction.write(memory::key(slot), &join(header, &parts))
}

/// Stores a symmetric key; its policies but touch say nothing.
pub(crate) fn store_symmetric(
    transaction: &mut Transaction<'_>,
    reference: u8,
    key: &AdminKey,
    touch: TouchPolicy,
) -> Result<(), Abort> {
    let header = [key.cipher().id(), Origin::Imported as u8, PinPolicy::Never as u8, touch as u8];
    transaction.write(memory::key(reference), &join(header, &[key.as_bytes()]))
}

/// A key record: header and parts.
pub(crate) fn join(header: [u8; 4], parts: &[&[u8]]) -> Zeroizing<Vec<u8>> {
    let length = header.len() + parts.iter().map(|part| 2 + part.len()).sum::<usize>();
    // Room for all of it at once: a vector that grows would leave copies of the key behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(length));
    bytes.extend_from_slice(&header);
    for part in parts {
        bytes.extend_from_slice(&(part.len() as u16).to_be_bytes());
        bytes.extend_from_slice(part);
    }
    bytes
}

/// The parts behind the header of a key record.
pub(crate) fn split(mut bytes: &[u8]) -> Option<Vec<&[u8]>> {
    let mut parts = Vec::with_capacity(2);
    while let Some((length, rest)) = bytes.split_first_chunk::<2>() {
        let (part, rest) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
        parts.push(part);
        bytes = rest;
    }
    Some(parts)
}
