//! SET MANAGEMENT KEY.
//!
//! `00 FF FF touch` with `algorithm 9B length key`; touch is FF (never), FE (always) or FD (cached).
//! Needs the administrator key.

use crate::admin_key;
use crate::applet::Env;
use crate::keys::{self, TouchPolicy};
use crate::piv::Piv;
use crate::status::{Abort, StatusWord};
use cardlab_protocol::admin_key::{AdminKey, Cipher};
use cardlab_protocol::apdu::Command;

pub(super) fn process(piv: &mut Piv, env: &mut Env<'_>, command: &Command<'_>) -> Result<(), Abort> {
    let touch = match (command.p1, command.p2) {
        (0xFF, 0xFF) => TouchPolicy::Never,
        (0xFF, 0xFE) => TouchPolicy::Always,
        (0xFF, 0xFD) => TouchPolicy::Cached,
        _ => return Err(StatusWord::WRONG_P1P2.into()),
    };
    piv.require_admin()?;
    let [algorithm, keys::ADMINISTRATION, length, key @ ..] = command.data else {
        return Err(StatusWord::WRONG_DATA.into());
    };
    let cipher = Cipher::from_id(*algorithm).filter(|c| *algorithm != 0 && env.profile.management_key.algorithms.contains(c));
    if key.len() != usize::from(*length) {
        return Err(StatusWord::WRONG_DATA.into());
    }
    let key = AdminKey::new(cipher.ok_or(StatusWord::WRONG_DATA)?, key)?;
    let mut transaction = env.nvm.begin();
    admin_key::store(&mut transaction, &key, touch)?;
    transaction.commit()
}
