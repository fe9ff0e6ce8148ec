//! The memory of a card: which record holds what, and what of it may be shown.
//!
//! [`LAYOUT`] is the one list of it. A record is secret unless a row of it says otherwise: one that no row
//! knows - of a newer version, of a mistake - is secret too. Snapshots mask and name records by it, the table in
//! `docs/architecture.md` is made from it, and traces ask [`shows_object`] and [`shows_file`].

use crate::card::CardError;
use crate::gids;
use crate::nvm::{RecordId, Records, StoreError};
use crate::piv::objects;

const CARD: u8 = 0;
const REFERENCES: u8 = 1;
/// Area of keys.
pub const KEYS: u8 = 2;
/// Area of PIV data objects.
pub const OBJECTS: u8 = 3;
/// Area of GIDS files.
pub const FILES: u8 = 4;
/// Area of data objects in GIDS files.
pub const FILE_OBJECTS: u8 = 5;
/// Area of the keys of secure channels.
pub const CHANNEL_KEYS: u8 = 6;
/// Area of what belongs to these.
pub const CHANNEL_NOTES: u8 = 7;

/// The record that names the profile of the others.
pub const HEADER: RecordId = RecordId::new(CARD, 0);
pub(crate) const SERIAL: RecordId = RecordId::new(CARD, 1);
/// The device configuration of a YubiKey.
pub const DEVICE: RecordId = RecordId::new(CARD, 2);
/// Its lock code.
pub const DEVICE_LOCK: RecordId = RecordId::new(CARD, 3);
/// The certificate of the key of secure messaging.
pub const CARD_CERTIFICATE: RecordId = RecordId::new(CARD, 4);
/// What is added to a reference for the index of its counter.
const COUNTERS: u32 = 0x100;
/// What is added to KID and KVN for the index of their counter.
const CHANNEL_TRIES: u32 = 0x1_0000;

/// Format of the records; the first byte of the header.
pub(crate) const FORMAT: u8 = 1;

/// The record of the value of a PIN or PUK.
#[must_use]
pub const fn reference(reference: u8) -> RecordId {
    RecordId::new(REFERENCES, reference as u32)
}

/// The record of its counter: `{tries left, maximum}`. The administrator key (9B) has one too, where it is counted.
#[must_use]
pub const fn counter(reference: u8) -> RecordId {
    RecordId::new(REFERENCES, reference as u32 + COUNTERS)
}

/// The record of a key.
#[must_use]
pub const fn key(reference: u8) -> RecordId {
    RecordId::new(KEYS, reference as u32)
}

/// The record of a PIV data object.
#[must_use]
pub const fn object(tag: u32) -> RecordId {
    RecordId::new(OBJECTS, tag)
}

/// The record of a GIDS file.
#[must_use]
pub const fn file(identifier: u16) -> RecordId {
    RecordId::new(FILES, identifier as u32)
}

/// The record of a data object in a GIDS file; objects take the first slot that is free.
#[must_use]
pub const fn file_object(slot: u32) -> RecordId {
    RecordId::new(FILE_OBJECTS, slot)
}

/// The record of a key of secure channels.
#[must_use]
pub const fn channel_key(kid: u8, kvn: u8) -> RecordId {
    RecordId::new(CHANNEL_KEYS, (kid as u32) << 8 | kvn as u32)
}

/// The record of its counter: `{tries left, maximum}`.
#[must_use]
pub const fn channel_tries(kid: u8, kvn: u8) -> RecordId {
    RecordId::new(CHANNEL_KEYS, CHANNEL_TRIES | (kid as u32) << 8 | kvn as u32)
}

/// The record of something that belongs to it.
pub(crate) const fn channel_note(note: u8, kid: u8, kvn: u8) -> RecordId {
    RecordId::new(CHANNEL_NOTES, (note as u32) << 16 | (kid as u32) << 8 | kvn as u32)
}

/// A kind of record.
pub struct Row {
    /// The area.
    pub area: u8,
    /// What its index is, in words.
    pub index: &'static str,
    /// What it holds, in words.
    pub contents: &'static str,
    /// Which of them may be shown, in words; empty for none.
    pub shown: &'static str,
    holds: fn(u32) -> bool,
    is_public: fn(&Records, RecordId) -> bool,
    name: fn(u32) -> String,
}

/// All kinds of records.
pub static LAYOUT: [Row; 14] = [
    Row {
        area: CARD,
        index: "0",
        contents: "format byte and profile name",
        shown: "all",
        holds: |index| index == HEADER.index(),
        is_public: |_, _| true,
        name: |_| "format and profile".into(),
    },
    Row {
        area: CARD,
        index: "1",
        contents: "serial number",
        shown: "all",
        holds: |index| index == SERIAL.index(),
        is_public: |_, _| true,
        name: |_| "serial number".into(),
    },
    Row {
        area: CARD,
        index: "2",
        contents: "what a YubiKey is set to: `{applications switched on, eject after, challenge timeout, flags}`",
        shown: "all",
        holds: |index| index == DEVICE.index(),
        is_public: |_, _| true,
        name: |_| "device configuration".into(),
    },
    Row {
        area: CARD,
        index: "3",
        contents: "the lock code of that, where there is one",
        shown: "",
        holds: |index| index == DEVICE_LOCK.index(),
        is_public: |_, _| false,
        name: |_| "lock code of the device configuration".into(),
    },
    Row {
        area: CARD,
        index: "4",
        contents: "card verifiable certificate of the key of secure messaging (04)",
        shown: "all",
        holds: |index| index == CARD_CERTIFICATE.index(),
        is_public: |_, _| true,
        name: |_| "certificate of the secure messaging key".into(),
    },
    Row {
        area: REFERENCES,
        index: "reference",
        contents: "value of PIN (80), PUK (81), Global PIN (00), pairing code (98)",
        shown: "",
        holds: |index| index < COUNTERS,
        is_public: |_, _| false,
        name: |index| format!("{}, value", reference_name(index as u8)),
    },
    Row {
        area: REFERENCES,
        index: "reference + 100h",
        contents: "`{tries left, maximum}` of the same, and of the administrator key (9B)",
        shown: "all",
        holds: |index| (COUNTERS..2 * COUNTERS).contains(&index),
        // Two bytes, and nothing else that might hide behind them.
        is_public: |records, id| records.get(&id).is_some_and(|value| value.len() == 2),
        name: |index| format!("{}, tries left and maximum", reference_name((index - COUNTERS) as u8)),
    },
    Row {
        area: KEYS,
        index: "key reference",
        contents: "`{algorithm, origin, PIN policy, touch policy}`, then the key's parts, each behind two length bytes",
        shown: "",
        holds: |index| index <= 0xFF,
        is_public: |_, _| false,
        name: |index| format!("key {index:02X}"),
    },
    Row {
        area: OBJECTS,
        index: "data object tag",
        contents: "value of its `53`; of the object itself for 7E and 7F61",
        shown: "what SP 800-73 lets everybody read; the attestation certificate and its root",
        holds: |_| true,
        is_public: |_, id| shows_object(id.index()),
        name: |index| format!("data object {index:X}"),
    },
    Row {
        area: FILES,
        index: "file identifier (GIDS); 3FFF is the application",
        contents: "life cycle, then the file control parameters as they were created",
        shown: "all",
        holds: |index| index <= 0xFFFF,
        is_public: |_, _| true,
        name: |index| format!("file {index:04X}"),
    },
    Row {
        area: FILE_OBJECTS,
        index: "slot (GIDS)",
        contents: "file identifier, then one data object",
        shown: "those of files that everybody may read",
        holds: |_| true,
        is_public: is_in_open_file,
        name: |index| format!("data object in slot {index}"),
    },
    Row {
        area: CHANNEL_KEYS,
        index: "KID, KVN",
        contents: "`88` and the three keys of a set of SCP03; `B1`, scalar and point of a private key; `B0`, point of a public key",
        shown: "",
        holds: |index| index < CHANNEL_TRIES,
        is_public: |_, _| false,
        name: |index| format!("channel key {index:04X}"),
    },
    Row {
        area: CHANNEL_KEYS,
        index: "KID, KVN + 10000h",
        contents: "`{tries left, maximum}` of the same",
        shown: "all",
        holds: |index| (CHANNEL_TRIES..2 * CHANNEL_TRIES).contains(&index),
        is_public: |records, id| records.get(&id).is_some_and(|value| value.len() == 2),
        name: |index| format!("channel key {:04X}, tries left and maximum", index - CHANNEL_TRIES),
    },
    Row {
        area: CHANNEL_NOTES,
        index: "what, KID, KVN",
        contents: "what belongs to it: 1 certificates, 2 KLOC (00) or KLCC (01) and its issuer's name, 3 serial numbers that it allows",
        shown: "all",
        holds: |index| matches!(index >> 16, 1..=3),
        is_public: |_, _| true,
        name: |index| format!("what belongs to channel key {:04X}", index & 0xFFFF),
    },
];

fn row(id: RecordId) -> Option<&'static Row> {
    LAYOUT.iter().find(|row| row.area == id.area() && (row.holds)(id.index()))
}

/// Whether a record of this memory may be shown to people: no PIN, no key, nothing that the card itself
/// gives only after a PIN, and nothing unknown.
#[must_use]
pub fn is_public(records: &Records, id: RecordId) -> bool {
    row(id).is_some_and(|row| (row.is_public)(records, id))
}

/// What a record is, for people: `PIN, tries left and maximum`.
#[must_use]
pub fn name(id: RecordId) -> String {
    row(id).map_or_else(|| format!("unknown, area {}", id.area()), |row| (row.name)(id.index()))
}

/// What a reference is called: `PIN`, `PUK`, `Global PIN`, `administrator key`, or its number.
#[must_use]
pub fn reference_name(reference: u8) -> String {
    match reference {
        0x00 => "Global PIN".into(),
        0x80 => "PIN".into(),
        0x81 => "PUK".into(),
        0x98 => "pairing code".into(),
        0x9B => "administrator key".into(),
        other => format!("reference {other:02X}"),
    }
}

/// Whether the value of a data object of the application may be shown: everybody may read it, and it is known
/// what it holds. PIV's, and the status objects of GIDS.
#[must_use]
pub fn shows_object(tag: u32) -> bool {
    matches!(tag, objects::ATTESTATION_CERTIFICATE | objects::ATTESTATION_ROOT)
        || gids::pin_status::is_status(tag)
        || objects::everyone_reads(tag)
}

/// Whether the data objects of a GIDS file may be shown where only its identifier is known: everybody may read
/// those of a new card's file of this name.
#[must_use]
pub fn shows_file(file: u16) -> bool {
    file == gids::files::EF_ATR || gids::factory::everyone_reads(file)
}

fn is_in_open_file(records: &Records, id: RecordId) -> bool {
    let file = records.get(&id).and_then(|object| object.first_chunk().copied().map(u16::from_be_bytes));
    let parameters = file.and_then(|file| records.get(&self::file(file))?.get(1..));
    parameters.is_some_and(gids::files::everyone_reads)
}

/// The header of the records of a card of this profile.
pub(crate) fn header(profile: &str) -> Vec<u8> {
    [&[FORMAT], profile.as_bytes()].concat()
}

/// The name of the profile that the records say they are of.
///
/// # Errors
/// [`CardError`] when they say nothing, or are of another format.
pub fn profile_name(records: &Records) -> Result<&str, CardError> {
    let not_a_card = || CardError::Store(StoreError("the records have no header: not a card".into()));
    match records.get(&HEADER).map(|value| value.as_slice()) {
        Some([FORMAT, name @ ..]) => str::from_utf8(name).map_err(|_| not_a_card()),
        Some([format, ..]) => Err(CardError::Format(*format)),
        _ => Err(not_a_card()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::card::{Card, World};
    use crate::profile::Profile;
    use proptest::prelude::*;
    use zeroize::Zeroizing;

    fn records(profile: &str) -> Records {
        let card = Card::new(Profile::builtin(profile).unwrap(), World::seeded(1)).unwrap();
        card.nvm().records().clone()
    }

    #[test]
    fn every_record_of_a_new_card_is_in_the_layout() {
        for profile in Profile::names() {
            for id in records(profile).keys() {
                assert!(row(*id).is_some(), "{profile}: {:08X}", id.0);
            }
        }
    }

    #[test]
    fn what_everybody_may_read_is_shown_and_nothing_else() {
        let shown = |records: &Records, area: u8, index: u32| is_public(records, RecordId::new(area, index));
        let piv = records("yubikey-5.7");
        assert!(shown(&piv, 0, 0) && shown(&piv, 0, 1) && shown(&piv, 1, 0x180) && shown(&piv, 3, 0x5F_C102));
        for (area, index) in
            [(0, 3), (0, 5), (1, 0x80), (1, 0x81), (1, 0x200), (2, 0x9B), (2, 0xF9), (2, 0x100), (3, 0x5F_C109), (3, 0x5F_FF00)]
        {
            assert!(!shown(&piv, area, index), "{area} {index:X}");
        }
        let mut gids = records("gids");
        let slot_of = |records: &Records, file: u16| {
            records.iter().find(|(id, v)| id.area() == FILE_OBJECTS && v.starts_with(&file.to_be_bytes())).map(|(id, _)| *id)
        };
        let card_id = slot_of(&gids, 0xA012).unwrap();
        assert!(is_public(&gids, card_id));
        // Of the administrator's file, of no file, and too short.
        for object in [&b"\xA0\x14\xDF\x30\x01\x07"[..], b"\xA0\x77\xDF\x30\x01\x07", b"\xA0"] {
            gids.insert(card_id, Zeroizing::new(object.to_vec()));
            assert!(!is_public(&gids, card_id), "{object:02X?}");
        }
        assert!(shows_file(0xA010) && !shows_file(0xA014) && !shows_file(0xB080) && !shows_file(0xA099));
    }

    #[test]
    fn the_architecture_has_this_table() {
        let mut table = String::from("| area | index | contents | shown in masked snapshots |\n|---|---|---|---|\n");
        for Row { area, index, contents, shown, .. } in &LAYOUT {
            let shown = if shown.is_empty() { "none" } else { shown };
            table.push_str(&format!("| {area} | {index} | {contents} | {shown} |\n"));
        }
        let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/architecture.md")).unwrap();
        assert!(text.contains(&table), "docs/architecture.md, \"Memory of a card\", should have:\n{table}");
    }

    proptest! {
        #[test]
        fn what_no_row_knows_is_secret(area in 8u8.., index in 0u32..0x100_0000, value in proptest::collection::vec(any::<u8>(), 0..40)) {
            let id = RecordId::new(area, index);
            let records = Records::from([(id, Zeroizing::new(value))]);
            prop_assert!(!is_public(&records, id));
            prop_assert_eq!(name(id), format!("unknown, area {area}"));
        }
    }
}
