//! What a new GIDS card has in its memory.
//!
//! A blank card has a PIN counter, the administrator key's rules and nothing else. An initialised one
//! has the file system that Windows' minidriver and OpenSC expect:
//!
//! | file | read, write | objects |
//! |---|---|---|
//! | A000 | all, user or admin | DF1F master file: `01`, then records of 28 bytes; DF20 key map, once there are keys |
//! | A010 | all, user or admin | DF21 `cardapps`, DF22 `cardcf`, DF23 `mscp\cmapfile`, DF24 and on certificates |
//! | A011 | nobody, user or admin | |
//! | A012 | all, admin | DF20 `cardid` (16 bytes) |
//! | A013 | user or admin, user or admin | |
//! | A014 | admin, admin | |
//! | B080 | | the administrator key |
//!
//! A record of the master file: directory (9 bytes), file name (9), two unused, data object (u32 LE),
//! file (u32 LE). What an issuer adds is in `issued`.

use super::access::{GET, condition};
use super::files::{self, File, LifeCycle};
use super::issued::{self, Containers};
use crate::admin_key;
use crate::issued::Issued;
use crate::memory;
use crate::nvm::Transaction;
use crate::profile::Profile;
use crate::random::Random;
use crate::reference::PIN;
use crate::status::{Abort, StatusWord};
use cardlab_protocol::tlv;

/// The file and data object of `cardid`.
pub(crate) const CARD_ID: (u16, u32) = (0xA012, 0xDF20);
const MASTER_FILE: (u16, u32) = (0xA000, 0xDF1F);
const CARD_APPLICATIONS: (u16, u32) = (0xA010, 0xDF21);
const CACHE_FILE: (u16, u32) = (0xA010, 0xDF22);
const CONTAINER_MAP: (u16, u32) = (0xA010, 0xDF23);
const KEY_MAP: (u16, u32) = (0xA000, 0xDF20);
/// File and first data object of certificates.
const CERTIFICATES: (u16, u32) = (0xA010, 0xDF24);

/// Data object files with their rules: access mode byte, PUT DATA, GET DATA.
const OBJECT_FILES: [(u16, [u8; 3]); 6] = [
    (0xA000, [0x03, 0x30, 0x00]),
    (0xA010, [0x03, 0x30, 0x00]),
    (0xA011, [0x03, 0x30, 0xFF]),
    (0xA012, [0x03, 0x20, 0x00]),
    (0xA013, [0x03, 0x30, 0x30]),
    (0xA014, [0x03, 0x20, 0x20]),
];
/// The administrator key's rules: MSE always, put by itself, never read.
const ADMIN_RULES: [u8; 4] = [0x87, 0x00, 0x20, 0xFF];

/// Whether everybody may read the data objects of a new card's file.
pub(crate) fn everyone_reads(file: u16) -> bool {
    OBJECT_FILES.iter().any(|(id, rules)| *id == file && condition(rules, GET) == Some(0x00))
}

/// Everything random of a new card.
pub(crate) struct Factory {
    card_id: [u8; 16],
}

impl Factory {
    pub(crate) fn new(profile: &Profile, random: &mut Random) -> Self {
        let card_id = random.bytes();
        Self { card_id: profile.chosen.guid.unwrap_or(card_id) }
    }

    pub(crate) fn write(&self, transaction: &mut Transaction<'_>, profile: &Profile, issued: &[Issued]) -> Result<(), Abort> {
        if !profile.gids().initialised {
            PIN.create_counter(transaction, profile.pin.tries)?;
            return LifeCycle::Creation.set_application(transaction);
        }
        PIN.create(transaction, profile.pin.value.as_bytes(), profile.pin.tries)?;
        admin_key::create(transaction, &profile.management_key)?;
        for (id, rules) in OBJECT_FILES {
            write_file(transaction, id, 0x39, &rules, &[])?;
        }
        let usage =
            tlv::encode(0xA4, &[tlv::encode(0x80, &[0x02]), tlv::encode(0x83, &[0x80]), tlv::encode(0x95, &[0xC0])].concat());
        write_file(transaction, files::ADMINISTRATION, 0x18, &ADMIN_RULES, &usage)?;
        let Containers { map, keys, certificates } = Containers::of(issued)?;
        issued::write_keys(transaction, issued)?;
        let mut objects = vec![
            (MASTER_FILE, master_file(&certificates)),
            (CARD_APPLICATIONS, name::<8>("mscp").to_vec()),
            (CACHE_FILE, vec![0; 6]),
            (CONTAINER_MAP, map),
            (CARD_ID, self.card_id.to_vec()),
        ];
        objects.extend(keys.map(|keys| (KEY_MAP, keys)));
        objects.extend(certificate_objects().zip(certificates).map(|(object, (_, contents))| (object, contents)));
        for (slot, ((file, tag), value)) in (0..).zip(objects) {
            transaction.write(memory::file_object(slot), &files::contents(file, tag, &value))?;
        }
        LifeCycle::Operational.set_application(transaction)
    }
}

pub(super) fn write_file(transaction: &mut Transaction<'_>, id: u16, kind: u8, rules: &[u8], usages: &[u8]) -> Result<(), Abort> {
    let mut body = [tlv::encode(0x82, &[kind]), tlv::encode(0x83, &id.to_be_bytes()), tlv::encode(0x8C, rules)].concat();
    if !usages.is_empty() {
        body.extend(tlv::encode(0xA5, usages));
    }
    let file = File::parse(&tlv::encode(0x62, &body)).ok_or(StatusWord::INTERNAL)?;
    File { state: LifeCycle::Operational, ..file }.write(transaction)
}

/// A name as the minidriver's files have it: filled up with zeros.
fn name<const N: usize>(text: &str) -> [u8; N] {
    let mut out = [0; N];
    out[..text.len()].copy_from_slice(text.as_bytes());
    out
}

/// Where certificates are, one after the other.
fn certificate_objects() -> impl Iterator<Item = (u16, u32)> {
    (CERTIFICATES.1..).map(|object| (CERTIFICATES.0, object))
}

fn master_file(certificates: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut entries = vec![
        ("mscp", "", (0xA000, 0)),
        ("", "cardid", CARD_ID),
        ("", "cardapps", CARD_APPLICATIONS),
        ("", "cardcf", CACHE_FILE),
        ("mscp", "cmapfile", CONTAINER_MAP),
    ];
    let files = certificates.iter().zip(certificate_objects());
    entries.extend(files.map(|((file, _), object)| ("mscp", file.as_str(), object)));
    let mut out = vec![0x01];
    for (directory, file, (id, object)) in entries {
        out.extend_from_slice(&name::<9>(directory));
        out.extend_from_slice(&name::<9>(file));
        out.extend_from_slice(&[0, 0]);
        out.extend_from_slice(&object.to_le_bytes());
        out.extend_from_slice(&u32::from(id).to_le_bytes());
    }
    out
}
