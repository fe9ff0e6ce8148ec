//! GET DATA, SP 800-73-4 part 2 section 3.1.2.
//!
//! | CLA INS P1 P2 | data | answer |
//! |---|---|---|
//! | 00 CB 3F FF | `5C` tag | `53` value (7E and 7F61: the object itself), 6982, 6A82, 6A80, 6A86 |
//!
//! What there is to read, by whom, and what is looked at first stands in [`objects`].

use super::Piv;
use super::access::reach;
use super::objects::{self, ReadRule, Source};
use crate::applet::Env;
use crate::gids::pin_status;
use crate::profile::Order;
use crate::status::{Abort, StatusWord};
use cardlab_protocol::apdu::Command;
use cardlab_protocol::tlv::{self, Writer};

pub(super) fn process(piv: &Piv, env: &Env<'_>, command: &Command<'_>, out: &mut Vec<u8>) -> Result<(), Abort> {
    if command.p1p2() != 0x3FFF {
        return Err(StatusWord::WRONG_P1P2.into());
    }
    let tag = tlv::only(command.data, 0x5C).and_then(tag).ok_or(StatusWord::WRONG_DATA)?;
    let object = objects::of(tag, env.profile).ok_or(StatusWord::NOT_FOUND)?;
    if object.source == Source::Tries {
        return pin_status::write(env.nvm, tag, out);
    }
    let value = objects::read(env.nvm, tag).ok_or(StatusWord::NOT_FOUND);
    if object.order == Order::Existence {
        value?;
    }
    let open = reach(piv, env) >= object.reach && (object.read == ReadRule::Always || piv.pin_verified());
    if !open {
        return Err(StatusWord::SECURITY_STATUS.into());
    }
    let value = value?;
    Writer::new(out).value(if objects::is_bare(tag) { tag } else { 0x53 }, value);
    Ok(())
}

/// A tag of one to three bytes.
pub(super) fn tag(bytes: &[u8]) -> Option<u32> {
    (1..=3).contains(&bytes.len()).then(|| bytes.iter().fold(0, |tag, b| tag << 8 | u32::from(*b)))
}
