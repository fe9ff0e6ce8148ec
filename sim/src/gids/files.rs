//! Files and data objects in non-volatile memory.
//!
//! | area | index | contents |
//! |---|---|---|
//! | 4 | 3FFF | life cycle of the application |
//! | 4 | file identifier | life cycle, then the file control parameters (`62`) as they were created |
//! | 5 | slot | file identifier (2 bytes), then one data object: tag, length, value |
//!
//! A file is either a set of BER-TLV data objects (descriptor 39) or a key (18). Key files are named
//! B0xx after their key reference xx.

use crate::keys;
use crate::memory::{self, FILE_OBJECTS, FILES, KEYS};
use crate::nvm::{Nvm, RecordId, Transaction};
use crate::profile::Profile;
use crate::status::{Abort, StatusWord};
use cardlab_protocol::tlv::{self, Reader};

/// File identifier of the application itself.
pub const APPLICATION: u16 = 0x3FFF;
/// File identifier of EF.ATR: what the card can do.
pub(crate) const EF_ATR: u16 = 0x2F01;
/// File identifier of the administrator key.
pub const ADMINISTRATION: u16 = 0xB080;

/// Life cycle status, ISO/IEC 7816-4:2020 section 7.4.10.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LifeCycle {
    /// Just made: an application is open to everyone, a file only to ACTIVATE FILE.
    Creation = 0x01,
    /// In use; access rules hold.
    Operational = 0x07,
    /// At its end.
    Terminated = 0x0F,
}

impl LifeCycle {
    fn of_byte(byte: Option<&u8>) -> Self {
        match byte {
            Some(0x01) => Self::Creation,
            Some(0x07) => Self::Operational,
            _ => Self::Terminated,
        }
    }

    /// The application's.
    #[must_use]
    pub fn of_application(nvm: &Nvm) -> Self {
        Self::of_byte(nvm.read(memory::file(APPLICATION)).and_then(<[u8]>::first))
    }

    /// Sets the application's.
    pub(crate) fn set_application(self, transaction: &mut Transaction<'_>) -> Result<(), Abort> {
        transaction.write(memory::file(APPLICATION), &[self as u8])
    }
}

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Data objects.
    Objects,
    /// A key.
    Key,
}

/// An elementary file.
pub(crate) struct File {
    pub(crate) id: u16,
    pub(crate) state: LifeCycle,
    pub(crate) kind: Kind,
    /// The whole template `62`.
    pub(crate) parameters: Vec<u8>,
}

impl File {
    /// The file that file control parameters ask for; `None` when they are malformed.
    pub(crate) fn parse(parameters: &[u8]) -> Option<Self> {
        let body = tlv::only(parameters, 0x62).or_else(|| tlv::only(parameters, 0x6F))?;
        if Reader::new(body).any(|object| object.is_err()) {
            return None;
        }
        let id = u16::from_be_bytes(tlv::find(body, 0x83)?.try_into().ok()?);
        let kind = match tlv::find(body, 0x82)?.first()? {
            0x39 => Kind::Objects,
            0x18 if key_reference(id).is_some() => Kind::Key,
            _ => return None,
        };
        let named = id != APPLICATION && id != 0x3F00 && id != 0x0000 && id != 0xFFFF;
        let rules = tlv::find(body, 0x8C).unwrap_or_default();
        let file = Self { id, state: LifeCycle::Creation, kind, parameters: parameters.to_vec() };
        (named && super::access::is_consistent(rules)).then_some(file)
    }

    /// The file with this identifier.
    pub(crate) fn open(nvm: &Nvm, id: u16) -> Option<Self> {
        let (state, parameters) = nvm.read(memory::file(id)).filter(|_| id != APPLICATION)?.split_first()?;
        Some(Self { state: LifeCycle::of_byte(Some(state)), ..Self::parse(parameters)? })
    }

    /// The compact access rules, tag 8C; empty when the file has none.
    pub(crate) fn rules(&self) -> &[u8] {
        tlv::only(&self.parameters, 0x62)
            .or_else(|| tlv::only(&self.parameters, 0x6F))
            .and_then(|body| tlv::find(body, 0x8C))
            .unwrap_or_default()
    }

    /// The control reference templates of a key, tag A5.
    pub(crate) fn usages(&self) -> &[u8] {
        tlv::only(&self.parameters, 0x62).and_then(|body| tlv::find(body, 0xA5)).unwrap_or_default()
    }

    pub(crate) fn write(&self, transaction: &mut Transaction<'_>) -> Result<(), Abort> {
        let bytes = [&[self.state as u8], self.parameters.as_slice()].concat();
        transaction.write(memory::file(self.id), &bytes)
    }
}

/// Whether everybody may read the data objects of a file with these file control parameters.
pub(crate) fn everyone_reads(parameters: &[u8]) -> bool {
    let file = File::parse(parameters).filter(|file| file.kind == Kind::Objects);
    file.is_some_and(|file| super::access::condition(file.rules(), super::access::GET) == Some(0x00))
}

/// The key reference of a key file's identifier. None is the one under which the card keeps its administrator key
/// (`keys::ADMINISTRATION`; reference 80 stands for that on a GIDS card): such a file would put, delete and make it.
pub(crate) const fn key_reference(id: u16) -> Option<u8> {
    match id.to_be_bytes() {
        [0xB0, reference] if reference >= 0x80 && reference != keys::ADMINISTRATION => Some(reference),
        _ => None,
    }
}

/// The file identifier of a key reference.
pub(crate) const fn key_file(reference: u8) -> u16 {
    u16::from_be_bytes([0xB0, reference])
}

/// The data objects of a file: record, and tag, length, value.
pub(crate) fn objects(nvm: &Nvm, file: u16) -> impl Iterator<Item = (RecordId, &[u8])> {
    nvm.area(FILE_OBJECTS).filter_map(move |(id, bytes)| Some((id, bytes.strip_prefix(&file.to_be_bytes())?)))
}

/// A data object with this tag: record, and tag, length, value.
pub(crate) fn object(nvm: &Nvm, file: u16, tag: u32) -> Option<(RecordId, &[u8])> {
    objects(nvm, file).find(|(_, bytes)| tlv::only(bytes, tag).is_some())
}

/// The value of a data object; for people who look at a card's files.
#[must_use]
pub fn read(nvm: &Nvm, file: u16, tag: u32) -> Option<&[u8]> {
    tlv::only(object(nvm, file, tag)?.1, tag)
}

/// A record of area 5 that is not in use.
pub(crate) fn free_slot(nvm: &Nvm) -> RecordId {
    let mut next = 0;
    for (id, _) in nvm.area(FILE_OBJECTS) {
        if id.index() != next {
            break;
        }
        next += 1;
    }
    memory::file_object(next)
}

/// Contents of an object's record.
pub(crate) fn contents(file: u16, tag: u32, value: &[u8]) -> Vec<u8> {
    [&file.to_be_bytes()[..], &tlv::encode(tag, value)].concat()
}

/// Bytes that files, objects and keys take now.
pub(crate) fn used(nvm: &Nvm) -> usize {
    size(|area| nvm.area(area))
}

/// Bytes that the records of these areas take.
pub(crate) fn size<'a, I: Iterator<Item = (RecordId, &'a [u8])>>(area: impl Fn(u8) -> I) -> usize {
    [FILES, FILE_OBJECTS, KEYS].into_iter().flat_map(area).map(|(_, bytes)| bytes.len() + 8).sum()
}

/// Bytes that are left for files, objects and keys.
#[must_use]
pub fn free(nvm: &Nvm, profile: &Profile) -> usize {
    profile.gids().memory.saturating_sub(used(nvm))
}

/// 6A84 when `more` bytes do not fit.
pub(crate) fn check_room(nvm: &Nvm, profile: &Profile, more: usize) -> Result<(), Abort> {
    if more + 8 <= free(nvm, profile) { Ok(()) } else { Err(StatusWord::NO_MEMORY.into()) }
}
