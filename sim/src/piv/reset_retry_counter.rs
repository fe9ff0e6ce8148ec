//! RESET RETRY COUNTER, SP 800-73-4 part 2 section 3.2.3.
//!
//! | CLA INS P1 P2 | data | answer |
//! |---|---|---|
//! | 00 2C 00 80 | PUK (8) new PIN (8) | 9000, 63Cx (PUK tries), 6983, 6A80 (YubiKey: 6985) |
//! | 00 2C 02 80 | new PIN (8) | 9000, 6982, 6A80; managed cards only (`piv.admin-unblock`) |
//!
//! Which value of the first row is looked at first is the profile's (`pin.old-first`): tools that reset a YubiKey spend
//! PUK tries with malformed PINs.
//! A success fills the PIN's and the PUK's counter. New PIN and counters become durable together.
//! The form of the last row is GIDS': it needs the administrator key, and ends it.

use super::pins::{Kind, LENGTH};
use super::{Piv, contact_only};
use crate::applet::Env;
use crate::nvm::Transaction;
use crate::reference::{Compared, PIN, PUK, Verdict};
use crate::status::{Abort, StatusWord};
use cardlab_protocol::apdu::Command;

pub(super) fn process(piv: &mut Piv, env: &mut Env<'_>, command: &Command<'_>) -> Result<(), Abort> {
    let by_admin = match command.p1 {
        0x00 => false,
        0x02 if env.profile.piv().admin_unblock => true,
        _ => return Err(StatusWord::WRONG_P1P2.into()),
    };
    if command.p2 != 0x80 {
        return Err(StatusWord::REFERENCE_NOT_FOUND.into());
    }
    contact_only(piv, env)?;
    if by_admin { with_administration_key(piv, env, command.data) } else { with_puk(piv, env, command.data) }
}

fn with_administration_key(piv: &mut Piv, env: &mut Env<'_>, new: &[u8]) -> Result<(), Abort> {
    piv.require_admin()?;
    if new.len() != LENGTH {
        return Err(env.profile.pin.malformed_new.into());
    }
    Kind::Pin.check_new(new, env.profile)?;
    let counter = PIN.counter(env.nvm);
    let mut transaction = env.nvm.begin();
    PIN.replace(&mut transaction, new, counter)?;
    transaction.commit()?;
    piv.clear_status();
    Ok(())
}

fn with_puk(piv: &mut Piv, env: &mut Env<'_>, data: &[u8]) -> Result<(), Abort> {
    if PUK.counter(env.nvm).left == 0 {
        return Err(StatusWord::BLOCKED.into());
    }
    if data.len() != 2 * LENGTH {
        return Err(StatusWord::WRONG_DATA.into());
    }
    let (puk, new) = data.split_at(LENGTH);
    let judged = Kind::Pin.check_new(new, env.profile);
    let pin_counter = PIN.counter(env.nvm);
    let change = |transaction: &mut Transaction<'_>| PIN.replace(transaction, new, pin_counter);
    let verdict = match PUK.verify_while(env.nvm, puk, judged, env.profile.pin.old_first, change) {
        Compared::NewRefused(refused) => return Err(refused),
        Compared::Old(verdict) => verdict,
    };
    match verdict? {
        Verdict::Match => {
            if !env.profile.puk().unblock_keeps_pin {
                piv.pin = false;
                piv.pin_fresh = false;
            }
            Ok(())
        }
        other => {
            if env.profile.puk().wrong_clears_pin {
                piv.pin = false;
                piv.pin_fresh = false;
            }
            Err(other.status(env.profile.pin.last_wrong).into())
        }
    }
}
