//! Data objects and private keys of a PIV card.

use super::{Bench, Checked, Reply, Stop};
use crate::keys::KeyKind;
use crate::oracle::PublicKey;
use cardlab_protocol::apdu::short;
use cardlab_protocol::tlv::{encode, tag_list};

impl Bench<'_> {
    /// GET DATA of a PIV object: the whole answer.
    pub(crate) fn get(&mut self, tag: u32) -> Checked<Reply> {
        self.full(&short([0x00, 0xCB, 0x3F, 0xFF], &tag_list(tag), Some(0)))
    }

    /// PUT DATA of a PIV object: `53` with this value.
    pub(crate) fn put(&mut self, tag: u32, value: &[u8]) -> Checked<Reply> {
        let data = [tag_list(tag), encode(0x53, value)].concat();
        self.long([0x00, 0xDB, 0x3F, 0xFF], &data)
    }

    /// GENERAL AUTHENTICATE with a key: `7C {82, 81 input}`.
    pub(crate) fn sign(&mut self, algorithm: u8, slot: u8, input: &[u8]) -> Checked<Reply> {
        let template = encode(0x7C, &[&[0x82, 0x00], &encode(0x81, input)[..]].concat());
        self.long([0x00, 0x87, algorithm, slot], &template)
    }

    /// Key agreement: `7C {82, 85 point}`.
    pub(crate) fn agree(&mut self, algorithm: u8, slot: u8, point: &[u8]) -> Checked<Reply> {
        let template = encode(0x7C, &[&[0x82, 0x00], &encode(0x85, point)[..]].concat());
        self.long([0x00, 0x87, algorithm, slot], &template)
    }

    /// The public key of a slot.
    pub(crate) fn public(&self, slot: u8) -> Checked<PublicKey> {
        let found = self.facts.keys.iter().find(|(of, _)| *of == slot).map(|(_, key)| key.clone());
        found.ok_or_else(|| Stop::NotApplicable(format!("no key is known in slot {slot:02X}")))
    }

    /// GENERATE ASYMMETRIC KEY PAIR on a PIV card.
    pub(crate) fn generate(&mut self, slot: u8, algorithm: u8) -> Checked<Reply> {
        self.full(&short([0x00, 0x47, 0x00, slot], &[0xAC, 0x03, 0x80, 0x01, algorithm], Some(0)))
    }

    /// Puts a key of the suite into a slot of a YubiKey.
    pub(crate) fn import(&mut self, slot: u8, kind: KeyKind, extra: &[u8]) -> Checked<Reply> {
        let mut data = crate::oracle::import_parts(kind);
        data.extend_from_slice(extra);
        self.long([0x00, 0xFE, kind.id(), slot], &data)
    }
}
