//! The keys of the security domain in memory.
//!
//! | area | index | contents |
//! |---|---|---|
//! | 6 | KID, KVN | `88` and the three keys of a set of SCP03; `B1`, scalar, point of a private key; `B0`, point of a public key |
//! | 6 | 1, KID, KVN | `{tries left, maximum}` of it |
//! | 7 | what, KID, KVN | what belongs to a key: 1 certificates, 2 its issuer's name, 3 the serial numbers that it allows |

use crate::memory;
use crate::nvm::{Nvm, Transaction};
use crate::reference::Reference;
use crate::status::Abort;
use cardlab_protocol::channel::scp::derivation::StaticKeys;
use zeroize::Zeroizing;

/// Wrong tries that block a key.
pub(crate) const TRIES: u8 = 65;
/// KID of a set of SCP03; 02 and 03 are its other keys.
pub(crate) const SCP03: u8 = 0x01;
/// KIDs of the card's private keys for SCP11 a, b and c.
pub(crate) const SCP11A: u8 = 0x11;
pub(crate) const SCP11B: u8 = 0x13;
pub(crate) const SCP11C: u8 = 0x15;
/// KVN of the set that comes with the card.
pub(crate) const FACTORY_SET: u8 = 0xFF;

const SET: u8 = 0x88;
const PRIVATE: u8 = 0xB1;
const PUBLIC: u8 = 0xB0;
const KEY: usize = 16;
const SCALAR: usize = 32;

/// Names a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeyRef {
    /// What it is for.
    pub(crate) kid: u8,
    /// Which of these.
    pub(crate) kvn: u8,
}

/// A key. Has no `Debug`: it is a secret.
pub(crate) enum Key {
    /// A set of SCP03.
    Set(StaticKeys),
    /// A private key on P-256 with its point.
    Private(Zeroizing<Vec<u8>>, Vec<u8>),
    /// The point of an authority of hosts.
    Public(Vec<u8>),
}

/// What belongs to a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Note {
    /// Certificates, DER one behind the other, its own last.
    Certificates = 1,
    /// `{KLOC 00 or KLCC 01}` and the subject key identifier of its issuer.
    Issuer = 2,
    /// The serial numbers that it allows, `{93 serial}` each.
    Allowed = 3,
}

impl KeyRef {
    pub(crate) const fn new(kid: u8, kvn: u8) -> Self {
        Self { kid, kvn }
    }

    pub(crate) const fn bytes(self) -> [u8; 2] {
        [self.kid, self.kvn]
    }

    /// Its counted tries.
    pub(crate) const fn tries(self) -> Reference {
        Reference::of_channel(self.kid, self.kvn)
    }

    /// Whether it is the public key of an authority of hosts.
    pub(crate) const fn is_authority(self) -> bool {
        matches!(self.kid, 0x10 | 0x20..=0x2F)
    }

    /// Whether it is a private key of the card.
    pub(crate) const fn is_private(self) -> bool {
        matches!(self.kid, SCP11A | SCP11B | SCP11C)
    }
}

/// All keys, in the order of KID and KVN.
pub(crate) fn keys(nvm: &Nvm) -> impl Iterator<Item = KeyRef> {
    let keys = nvm.area(memory::CHANNEL_KEYS).map(|(id, _)| id.index()).take_while(|index| *index <= 0xFFFF);
    keys.map(|index| KeyRef::new((index >> 8) as u8, index as u8))
}

/// The key of this name; of KVN 00 the first of its kind that is not blocked, or the first.
pub(crate) fn find(nvm: &Nvm, wanted: KeyRef) -> Option<KeyRef> {
    let of_kind = || keys(nvm).filter(|key| key.kid == wanted.kid);
    match wanted.kvn {
        0x00 => of_kind().find(|key| key.tries().counter(nvm).left > 0).or_else(|| of_kind().next()),
        kvn => of_kind().find(|key| key.kvn == kvn),
    }
}

/// A key's value.
pub(crate) fn load(nvm: &Nvm, key: KeyRef) -> Option<Key> {
    match nvm.read(memory::channel_key(key.kid, key.kvn))? {
        [SET, keys @ ..] => {
            let (encryption, rest) = keys.split_at_checked(KEY)?;
            let (mac, dek) = rest.split_at_checked(KEY)?;
            Some(Key::Set(StaticKeys::new(encryption, mac, dek)?))
        }
        [PRIVATE, key @ ..] => {
            let (scalar, point) = key.split_at_checked(SCALAR)?;
            Some(Key::Private(Zeroizing::new(scalar.to_vec()), point.to_vec()))
        }
        [PUBLIC, point @ ..] => Some(Key::Public(point.to_vec())),
        _ => None,
    }
}

/// Puts a key there with full tries.
pub(crate) fn store(transaction: &mut Transaction<'_>, key: KeyRef, value: &Key) -> Result<(), Abort> {
    // Room for all of it at once: a vector that grows would leave copies of the key behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(1 + 3 * SCALAR + 2));
    match value {
        Key::Set(keys) => {
            bytes.push(SET);
            [&keys.encryption, &keys.mac, &keys.dek].iter().for_each(|key| bytes.extend_from_slice(key.as_bytes()));
        }
        Key::Private(scalar, point) => {
            bytes.push(PRIVATE);
            bytes.extend_from_slice(scalar);
            bytes.extend_from_slice(point);
        }
        Key::Public(point) => {
            bytes.push(PUBLIC);
            bytes.extend_from_slice(point);
        }
    }
    transaction.write(memory::channel_key(key.kid, key.kvn), &bytes)?;
    key.tries().create_counter(transaction, TRIES)
}

/// Takes a key away, and what belongs to it.
pub(crate) fn erase(transaction: &mut Transaction<'_>, key: KeyRef) -> Result<(), Abort> {
    transaction.erase(memory::channel_key(key.kid, key.kvn))?;
    transaction.erase(memory::channel_tries(key.kid, key.kvn))?;
    for note in [Note::Certificates, Note::Issuer, Note::Allowed] {
        if transaction.nvm().read(id(key, note)).is_some() {
            transaction.erase(id(key, note))?;
        }
    }
    Ok(())
}

/// What belongs to a key.
pub(crate) fn note(nvm: &Nvm, key: KeyRef, note: Note) -> Option<&[u8]> {
    nvm.read(id(key, note))
}

/// Sets what belongs to a key; empty takes it away.
pub(crate) fn set_note(transaction: &mut Transaction<'_>, key: KeyRef, note: Note, value: &[u8]) -> Result<(), Abort> {
    if value.is_empty() { transaction.erase(id(key, note)) } else { transaction.write(id(key, note), value) }
}

const fn id(key: KeyRef, note: Note) -> crate::nvm::RecordId {
    memory::channel_note(note as u8, key.kid, key.kvn)
}

/// Whether no key of the card can be tried any more.
pub(crate) fn all_blocked(nvm: &Nvm) -> bool {
    keys(nvm).all(|key| key.tries().counter(nvm).left == 0)
}
