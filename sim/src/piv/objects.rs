//! Data objects: one table of what is behind GET DATA and PUT DATA, SP 800-73-4 part 1 tables 2 and 3.
//!
//! An object is one record: area 3, index = tag, contents = the value of its `53` (of the object
//! itself for 7E and 7F61, which have no `53`).

use super::access::Reach;
use crate::gids::pin_status;
use crate::memory;
use crate::nvm::{Nvm, RecordId};
use crate::profile::{Order, Profile};
use cardlab_protocol::piv;

/// The Discovery Object: stored and read without a `53` around it.
pub const DISCOVERY: u32 = 0x7E;
/// The Biometric Information Templates group: likewise.
pub const BIT_GROUP: u32 = 0x7F61;
/// Card Holder Unique Identifier.
pub const CHUID: u32 = 0x5F_C102;
/// Certificate of who signed the card's secure messaging certificate.
pub const MESSAGING_SIGNER: u32 = 0x5F_C122;
/// The pairing code, for its holder to read.
pub const PAIRING_CODE: u32 = 0x5F_C123;
/// Card Capability Container.
pub const CCC: u32 = 0x5F_C107;
/// Printed Information; YubiKey tools keep the PIN-protected management key here.
pub const PRINTED: u32 = 0x5F_C109;
/// Key History Object.
pub const KEY_HISTORY: u32 = 0x5F_C10C;
/// YubiKey: certificate of the attestation key.
pub const ATTESTATION_CERTIFICATE: u32 = 0x5F_FF01;
/// cardlab's own, read-only on YubiKey profiles: the certificate of the throw-away root that signed
/// the attestation certificate. A real YubiKey's root is published by its maker instead.
pub const ATTESTATION_ROOT: u32 = 0x5F_FFCA;

/// When an object may be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadRule {
    /// Always.
    Always,
    /// After the PIN.
    Pin,
}

/// Who may write an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteRule {
    /// Whoever has the administrator key.
    Administration,
    /// Nobody.
    Nobody,
}

/// Where what is read comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// PUT DATA, or the factory.
    Stored,
    /// The counters, [`crate::gids::pin_status`].
    Tries,
}

/// A row of the table: objects that are alike.
pub struct Row {
    /// What they are, in words.
    pub name: &'static str,
    /// First and last tag.
    pub tags: (u32, u32),
    /// How a command to read them has to reach the card.
    pub reach: Reach,
    /// Who may write them.
    pub write: WriteRule,
    /// What reading them asks for at contacts by the standard; `None` for what is not the standard's. A card's own rule is its
    /// profile's.
    standard: Option<ReadRule>,
    source: Source,
    /// Which cards have them.
    offered: fn(&Profile) -> bool,
}

/// What is behind GET DATA and PUT DATA: SP 800-73-4 part 1 tables 2 and 3, then what makers add. The first row
/// that has the tag and that the card offers counts. What differs between cards - which objects want the PIN, what is
/// looked at first, how long one may be and how much there may be of all - stands in their profiles.
pub static TABLE: [Row; 15] = [
    Row::of("Discovery Object", (DISCOVERY, DISCOVERY)).free(),
    Row::of("Biometric Information Templates group", (BIT_GROUP, BIT_GROUP)).free(),
    Row::of("certificate 9E", (0x5F_C101, 0x5F_C101)).free(),
    Row::of("CHUID", (CHUID, CHUID)).free(),
    Row::of("fingerprints", (0x5F_C103, 0x5F_C103)).after_pin(),
    Row::of("certificate 9A, Security Object, CCC", (0x5F_C105, CCC)),
    Row::of("facial image, printed information", (0x5F_C108, PRINTED)).after_pin(),
    Row::of("certificates 9C, 9D, Key History Object", (0x5F_C10A, KEY_HISTORY)),
    Row::of("certificates 82 to 95", (0x5F_C10D, 0x5F_C120)),
    Row::of("iris images", (0x5F_C121, 0x5F_C121)).after_pin(),
    Row::of("secure messaging signer", (MESSAGING_SIGNER, MESSAGING_SIGNER)).free(),
    Row::of("pairing code", (PAIRING_CODE, PAIRING_CODE)).after_pin(),
    Row {
        reach: Reach::Contactless,
        write: WriteRule::Nobody,
        standard: None,
        source: Source::Tries,
        offered: |profile| profile.piv().admin_unblock,
        ..Row::of("tries left of PIN and administrator key", (pin_status::PIN_STATUS, pin_status::ADMIN_STATUS))
    },
    Row {
        write: WriteRule::Nobody,
        standard: None,
        offered: |profile| profile.piv().vendor_objects,
        ..Row::of("cardlab's attestation root", (ATTESTATION_ROOT, ATTESTATION_ROOT))
    },
    Row {
        standard: None,
        offered: |profile| profile.piv().vendor_objects,
        ..Row::of("any other, with the attestation certificate 5FFF01", (0x5F_0000, 0x5F_FFFF))
    },
];

impl Row {
    const fn of(name: &'static str, tags: (u32, u32)) -> Self {
        let (reach, write, source) = (Reach::Virtual, WriteRule::Administration, Source::Stored);
        Self { name, tags, reach, write, standard: Some(ReadRule::Always), source, offered: |_| true }
    }

    /// Read after the PIN.
    const fn after_pin(self) -> Self {
        Self { standard: Some(ReadRule::Pin), ..self }
    }

    /// Also without contacts and in the clear.
    const fn free(self) -> Self {
        Self { reach: Reach::Contactless, ..self }
    }

    const fn has(&self, tag: u32) -> bool {
        self.tags.0 <= tag && tag <= self.tags.1
    }

    /// Whether a card of this profile has such objects.
    #[must_use]
    pub fn is_offered(&self, profile: &Profile) -> bool {
        (self.offered)(profile)
    }
}

/// What a card says of a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Object {
    /// What reading it asks for besides.
    pub read: ReadRule,
    /// How a command to read it has to reach the card.
    pub reach: Reach,
    /// Who may write it.
    pub write: WriteRule,
    /// What GET DATA looks at first.
    pub order: Order,
    /// Longest value in bytes.
    pub most: usize,
    pub(crate) source: Source,
}

/// The object of a tag on a card of this profile; `None` where it has none.
#[must_use]
pub fn of(tag: u32, profile: &Profile) -> Option<Object> {
    let row = TABLE.iter().find(|row| row.has(tag) && row.is_offered(profile))?;
    let rules = profile.piv();
    Some(Object {
        read: if rules.pin_objects.contains(&tag) { ReadRule::Pin } else { ReadRule::Always },
        reach: row.reach,
        write: row.write,
        order: rules.looks_first,
        most: rules.max_object,
        source: row.source,
    })
}

/// Whether SP 800-73-4 part 1 table 2 lets everybody read the object over the contact interface.
pub(crate) fn everyone_reads(tag: u32) -> bool {
    TABLE.iter().any(|row| row.has(tag) && row.standard == Some(ReadRule::Always))
}

/// Bytes that these data objects take. cardlab's own is not counted: no real card has it.
pub(crate) fn size<'a>(records: impl Iterator<Item = (RecordId, &'a [u8])>) -> usize {
    let own = memory::object(ATTESTATION_ROOT);
    records.filter(|(id, _)| *id != own).map(|(_, value)| value.len()).sum()
}

/// Bytes that are left for data objects.
#[must_use]
pub fn free(nvm: &Nvm, profile: &Profile) -> usize {
    profile.piv().memory.saturating_sub(size(nvm.area(memory::OBJECTS)))
}

/// Whether a value of `length` bytes fits beside all others, in the place of the one that is there.
pub(crate) fn fits(nvm: &Nvm, profile: &Profile, tag: u32, length: usize) -> bool {
    length <= free(nvm, profile) + read(nvm, tag).map_or(0, <[u8]>::len)
}

/// Whether the tag is stored without a `53` around its value.
pub(crate) const fn is_bare(tag: u32) -> bool {
    matches!(tag, DISCOVERY | BIT_GROUP)
}

/// The stored value of a tag.
pub(crate) fn read(nvm: &Nvm, tag: u32) -> Option<&[u8]> {
    nvm.read(memory::object(tag))
}

/// The tag of the certificate of a key: the standard's, and that of a YubiKey's attestation key.
#[must_use]
pub fn certificate_of(key: u8) -> Option<u32> {
    if key == 0xF9 { Some(ATTESTATION_CERTIFICATE) } else { piv::certificate_of(key) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SP 800-73-4 part 1 table 2, read over contacts; what is not there is nobody's.
    #[test]
    fn what_everybody_reads_is_what_a_card_of_the_standard_lets_everybody_read() {
        let profile = Profile::builtin("nist-piv").unwrap();
        for tag in
            (0..=0xFF).chain(0x7F00..=0x7FFF).chain(0x5F_C100..=0x5F_C1FF).chain([ATTESTATION_CERTIFICATE, ATTESTATION_ROOT])
        {
            let read = of(tag, &profile).map(|object| object.read);
            assert_eq!(everyone_reads(tag), read == Some(ReadRule::Always), "{tag:X}");
        }
        assert_eq!((0x5F_C100..=0x5F_C1FF).filter(|tag| everyone_reads(*tag)).count(), 29);
    }
}
