//! SELECT, ISO/IEC 7816-4:2020 section 11.2.2.
//!
//! | CLA INS P1 P2 | data | answer |
//! |---|---|---|
//! | 00 A4 04 xx | AID | by name; only the first nine bytes count |
//! | 00 A4 00 xx | file identifier, or nothing for the application | 9000, 6A82 |
//!
//! P2 chooses what is told: 00 control information (`61`, applications only), 04 control parameters
//! (`62`), 08 management data (`64`, applications only), 0C nothing.

use super::files::{self, File, LifeCycle};
use super::{AID, Gids, access};
use crate::applet::Env;
use crate::status::{Abort, StatusWord};
use cardlab_protocol::apdu::Command;
use cardlab_protocol::tlv::Writer;

pub(super) const OPTIONS: [u8; 4] = [0x00, 0x04, 0x08, 0x0C];

/// Cryptographic mechanisms of the application, as public cards announce them.
const MECHANISMS: u8 = 0xC0;

pub(super) fn application(env: &Env<'_>, p2: u8, out: &mut Vec<u8>) -> Result<(), Abort> {
    if LifeCycle::of_application(env.nvm) == LifeCycle::Terminated {
        return Err(StatusWord::TERMINATED.into());
    }
    let mut writer = Writer::new(out);
    match p2 {
        0x00 => writer.nested(0x61, |t| {
            let aid = [&AID[..], &[env.profile.gids().version, 0x01]].concat();
            t.value(0x4F, &aid).nested(0x73, |t| {
                t.value(0x40, &[MECHANISMS]);
            });
        }),
        0x04 => writer.nested(0x62, |t| {
            t.value(0x82, &[0x38]).value(0x8C, &access::APPLICATION);
        }),
        // PIN usage policy: the application's PIN; discretionary data without content.
        0x08 => writer.nested(0x64, |t| {
            t.value(0x5F2F, &[0x60]).value(0x7F65, &[0x80, 0x00]);
        }),
        _ => &mut writer,
    };
    Ok(())
}

pub(super) fn file(gids: &mut Gids, env: &Env<'_>, command: &Command<'_>, out: &mut Vec<u8>) -> Result<(), Abort> {
    if command.p1 != 0x00 || !OPTIONS.contains(&command.p2) {
        return Err(StatusWord::WRONG_P1P2.into());
    }
    let id = match *command.data {
        [] => files::APPLICATION,
        [a, b] => u16::from_be_bytes([a, b]),
        _ => return Err(StatusWord::WRONG_LENGTH.into()),
    };
    if matches!(id, files::APPLICATION | 0x3F00) {
        gids.selected = None;
        return application(env, command.p2, out);
    }
    let file = File::open(env.nvm, id).ok_or(StatusWord::NOT_FOUND)?;
    match command.p2 {
        0x04 => out.extend_from_slice(&file.parameters),
        0x0C => {}
        _ => return Err(StatusWord::WRONG_P1P2.into()),
    }
    gids.selected = Some(id);
    Ok(())
}
