//! PUT DATA, SP 800-73-4 part 2 section 3.3.1.
//!
//! | CLA INS P1 P2 | data | answer |
//! |---|---|---|
//! | 00 DB 3F FF | `5C` tag, `53` value (7E and 7F61: the object itself) | 9000, 6982, 6A80, 6A81, 6A84 |
//! | 00 DB 3F FF | `7F71 {93 limit}`, managed cards only | see `gids::pin_status` |
//!
//! Needs the administrator key. The new value replaces the old one whole; an empty one empties it. One that is too
//! long, or for which the memory has no room, leaves the old one as it is.

use super::objects::{self, WriteRule};
use super::{Piv, contact_only, get_data};
use crate::applet::Env;
use crate::gids::pin_status;
use crate::memory;
use crate::profile::EmptyObject;
use crate::status::{Abort, StatusWord};
use cardlab_protocol::apdu::Command;
use cardlab_protocol::tlv::{self, Reader};

pub(super) fn process(piv: &Piv, env: &mut Env<'_>, command: &Command<'_>) -> Result<(), Abort> {
    if command.p1p2() != 0x3FFF {
        return Err(StatusWord::WRONG_P1P2.into());
    }
    contact_only(piv, env)?;
    piv.require_admin()?;
    if let Some(contents) = pin_status::limit(&env.profile.pin, command.data) {
        return pin_status::set_limit(env.nvm, &env.profile.pin, contents);
    }
    let (tag, value) = object(command.data).ok_or(StatusWord::WRONG_DATA)?;
    let object = objects::of(tag, env.profile).filter(|object| object.write == WriteRule::Administration);
    let object = object.ok_or(StatusWord::NOT_SUPPORTED)?;
    if value.len() > object.most || !objects::fits(env.nvm, env.profile, tag, value.len()) {
        return Err(StatusWord::NO_MEMORY.into());
    }
    let mut transaction = env.nvm.begin();
    if value.is_empty() && env.profile.piv().empty_object == EmptyObject::Absent {
        transaction.erase(memory::object(tag))?;
    } else {
        transaction.write(memory::object(tag), value)?;
    }
    transaction.commit()
}

fn object(data: &[u8]) -> Option<(u32, &[u8])> {
    for tag in [objects::DISCOVERY, objects::BIT_GROUP] {
        if let Some(value) = tlv::only(data, tag) {
            return Some((tag, value));
        }
    }
    let mut reader = Reader::new(data);
    let list = reader.next()?.ok().filter(|o| o.tag == 0x5C)?;
    Some((get_data::tag(list.value)?, tlv::only(reader.rest(), 0x53)?))
}
