//! MOVE KEY and DELETE KEY, firmware 5.7.
//!
//! `00 F6 to from` moves, `00 F6 FF slot` deletes. Needs the administrator key. The certificate
//! object does not move; the attestation key can be deleted but not moved.

use crate::applet::Env;
use crate::keys;
use crate::memory;
use crate::piv::Piv;
use crate::status::{Abort, StatusWord};
use cardlab_protocol::apdu::Command;

const DELETE: u8 = 0xFF;

pub(super) fn process(piv: &mut Piv, env: &mut Env<'_>, command: &Command<'_>) -> Result<(), Abort> {
    let (to, from) = (command.p1, command.p2);
    let known = match to {
        DELETE => keys::is_slot(from) || from == keys::ATTESTATION,
        _ => keys::is_slot(to) && keys::is_slot(from) && to != from,
    };
    if !known {
        return Err(StatusWord::WRONG_P1P2.into());
    }
    piv.require_admin()?;
    let content = keys::load(env.nvm, from).ok_or(StatusWord::REFERENCE_NOT_FOUND)?;
    let mut transaction = env.nvm.begin();
    transaction.erase(memory::key(from))?;
    if to != DELETE {
        keys::store(&mut transaction, to, &content)?;
    }
    transaction.commit()?;
    piv.prepared.remove(&from);
    piv.prepared.remove(&to);
    Ok(())
}
