//! GET DATA and PUT DATA, ISO/IEC 7816-4:2020 sections 11.4.3 and 11.4.6.
//!
//! | CLA INS P1 P2 | data | answer |
//! |---|---|---|
//! | 00 CB file | `5C` tag; no tag for all objects | the object with its tag, 6A88, 6A82, 6981, 6982 |
//! | 00 DB file | one object | 9000, 6A84 |
//! | 00 CB 3F FF | `5C` 7F71 to 7F73, or `70 {84 key, A5 {7F49}}` | see `pin_status`, `keypair` |
//! | 00 DB 3F FF | `70 {84 key, A5 ..}` | see `keypair` |
//! | 00 DB 3F FF | `7F71 {93 limit}` | see `pin_status` |
//! | 00 CB 2F 01 | `5C` | EF.ATR: what the card can do |
//!
//! `file` 0000 is the selected file. An object without a value empties one that is there, makes an
//! empty one where there is none, and deletes an empty one: so does the public applet, and OpenSC
//! counts on reading the empty container map that it has written.

use super::files::{self, File, Kind};
use super::{Gids, access, keypair, pin_status};
use crate::applet::Env;
use crate::status::{Abort, StatusWord};
use cardlab_protocol::apdu::Command;
use cardlab_protocol::tlv::{self, Reader, Tlv, Writer};

/// Longest tag list of one tag.
const MAX_TAG: usize = 3;

pub(super) fn get(gids: &mut Gids, env: &Env<'_>, command: &Command<'_>, out: &mut Vec<u8>) -> Result<(), Abort> {
    match command.p1p2() {
        files::APPLICATION => return of_application(gids, env, command.data, out),
        files::EF_ATR => {
            tlv::only(command.data, 0x5C).ok_or(StatusWord::DATA_INVALID)?;
            Writer::new(out)
                .value(0x43, &[0xF4])
                .value(0x47, &[0x08, 0x01, 0x80])
                .value(0x46, env.profile.gids().product.as_bytes());
            return Ok(());
        }
        _ => {}
    }
    let file = file(gids, env, command)?;
    access::check_file(gids, env, &file, access::GET)?;
    gids.selected = Some(file.id);
    match tlv::only(command.data, 0x5C).ok_or(StatusWord::DATA_INVALID)? {
        [] | [0x5C] => files::objects(env.nvm, file.id).for_each(|(_, bytes)| out.extend_from_slice(bytes)),
        list => {
            let tag = tag(list).ok_or(StatusWord::DATA_INVALID)?;
            let (_, bytes) = files::object(env.nvm, file.id, tag).ok_or(StatusWord::REFERENCE_NOT_FOUND)?;
            out.extend_from_slice(bytes);
        }
    }
    Ok(())
}

fn of_application(gids: &Gids, env: &Env<'_>, data: &[u8], out: &mut Vec<u8>) -> Result<(), Abort> {
    if let Some(wanted) = tlv::only(data, 0x70) {
        return keypair::read_public(gids, env, wanted, out);
    }
    let tag = tlv::only(data, 0x5C).and_then(tag).filter(|tag| pin_status::is_status(*tag));
    pin_status::write(env.nvm, tag.ok_or(StatusWord::DATA_INVALID)?, out)
}

pub(super) fn put(gids: &mut Gids, env: &mut Env<'_>, command: &Command<'_>) -> Result<(), Abort> {
    if command.p1p2() == files::APPLICATION {
        if let Some(contents) = pin_status::limit(&env.profile.pin, command.data) {
            access::check(gids, env, Some(access::ADMINISTRATOR))?;
            return pin_status::set_limit(env.nvm, &env.profile.pin, contents);
        }
        return keypair::put(gids, env, command.data);
    }
    let file = file(gids, env, command)?;
    access::check_file(gids, env, &file, access::PUT)?;
    gids.selected = Some(file.id);
    let mut objects = Reader::new(command.data);
    let Some(Ok(Tlv { tag, value })) = objects.next().filter(|_| objects.rest().is_empty()) else {
        return Err(StatusWord::DATA_INVALID.into());
    };
    let old = files::object(env.nvm, file.id, tag).map(|(record, bytes)| (record, bytes.len(), tlv::only(bytes, tag)));
    let delete = matches!(old, Some((_, _, Some([])))) && value.is_empty();
    let (record, room) = match old {
        Some((record, length, _)) => (record, length),
        None => (files::free_slot(env.nvm), 0),
    };
    let contents = files::contents(file.id, tag, value);
    files::check_room(env.nvm, env.profile, contents.len().saturating_sub(room))?;
    let mut transaction = env.nvm.begin();
    if delete {
        transaction.erase(record)?;
    } else {
        transaction.write(record, &contents)?;
    }
    transaction.commit()
}

/// The data object file that P1 and P2 name.
fn file(gids: &Gids, env: &Env<'_>, command: &Command<'_>) -> Result<File, Abort> {
    let id = match command.p1p2() {
        0x0000 => gids.selected.ok_or(StatusWord::WRONG_STRUCTURE)?,
        0xFFFF => return Err(StatusWord::WRONG_P1P2.into()),
        id => id,
    };
    let file = File::open(env.nvm, id).ok_or(StatusWord::NOT_FOUND)?;
    if file.kind == Kind::Objects { Ok(file) } else { Err(StatusWord::WRONG_STRUCTURE.into()) }
}

/// A tag list of exactly one tag.
fn tag(list: &[u8]) -> Option<u32> {
    (1..=MAX_TAG).contains(&list.len()).then(|| list.iter().fold(0, |tag, b| tag << 8 | u32::from(*b)))
}
