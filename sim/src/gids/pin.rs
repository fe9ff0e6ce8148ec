//! VERIFY, CHANGE REFERENCE DATA, RESET RETRY COUNTER, ISO/IEC 7816-4:2020 sections 11.5.6 to 11.5.10.
//!
//! | CLA INS P1 P2 | data | answer |
//! |---|---|---|
//! | 00 20 00 80 | - | 9000 verified (or creation state), 63Cx, 6983 |
//! | 00 20 00 80 | PIN | 9000, 63Cx, 6983 |
//! | 00 20 00 82 | - | 9000; PIN and administrator key are forgotten |
//! | 00 24 00 80 | old new, nothing between | 9000, 63Cx, 6983, 6700 |
//! | 00 24 01 80 | new | creation state: sets the PIN; else needs it verified |
//! | 00 2C 02 80 | new | needs the administrator key, and ends it; 6982, 6700 |
//!
//! Reference 00 is 80. A PIN is not padded, so the card knows where the old one ends: at the length
//! of the PIN it holds.

use super::Gids;
use super::files::LifeCycle;
use crate::applet::Env;
use crate::nvm::Transaction;
use crate::profile::Malformed;
use crate::reference::{Compared, PIN, Verdict};
use crate::status::{Abort, StatusWord};
use cardlab_protocol::apdu::Command;

pub(super) fn verify(gids: &mut Gids, env: &mut Env<'_>, command: &Command<'_>) -> Result<(), Abort> {
    if command.p1 != 0x00 {
        return Err(StatusWord::WRONG_P1P2.into());
    }
    if command.p2 == 0x82 && env.profile.pin.can_forget {
        gids.deauthenticate();
        return Ok(());
    }
    check_reference(command.p2)?;
    let left = PIN.counter(env.nvm).left;
    if command.data.is_empty() {
        let open = gids.pin || LifeCycle::of_application(env.nvm) == LifeCycle::Creation;
        return match left {
            _ if open => Ok(()),
            0 => Err(env.profile.pin.blocked_query.into()),
            left => Err(StatusWord::tries_left(left).into()),
        };
    }
    check_not_blocked(env)?;
    if !env.profile.pin.has_length(command.data.len()) {
        match env.profile.pin.malformed {
            Malformed::NotCounted => return Err(StatusWord::tries_left(left).into()),
            Malformed::Refused => return Err(StatusWord::WRONG_LENGTH.into()),
            Malformed::Counted => {}
        }
    }
    let verdict = PIN.verify(env.nvm, command.data);
    finish(gids, env, verdict)
}

pub(super) fn change(gids: &mut Gids, env: &mut Env<'_>, command: &Command<'_>) -> Result<(), Abort> {
    match command.p1 {
        0x00 => change_with_old(gids, env, command),
        0x01 => set(gids, env, command),
        _ => Err(StatusWord::WRONG_P1P2.into()),
    }
}

fn change_with_old(gids: &mut Gids, env: &mut Env<'_>, command: &Command<'_>) -> Result<(), Abort> {
    check_reference(command.p2)?;
    check_not_blocked(env)?;
    let rules = &env.profile.pin;
    let counter = PIN.counter(env.nvm);
    if !(2 * rules.min_length..=2 * rules.max_length).contains(&command.data.len()) {
        return Err(match rules.malformed {
            Malformed::NotCounted | Malformed::Counted => StatusWord::tries_left(counter.left),
            Malformed::Refused => StatusWord::WRONG_LENGTH,
        }
        .into());
    }
    let (old, new) = command.data.split_at(PIN.length(env.nvm).min(command.data.len()));
    let change = |transaction: &mut Transaction<'_>| PIN.replace(transaction, new, counter);
    match PIN.verify_while(env.nvm, old, check_new(env, new), rules.old_first, change) {
        Compared::NewRefused(refused) => Err(refused),
        Compared::Old(verdict) => finish(gids, env, verdict),
    }
}

fn set(gids: &mut Gids, env: &mut Env<'_>, command: &Command<'_>) -> Result<(), Abort> {
    check_reference(command.p2)?;
    check_new(env, command.data)?;
    let creation = LifeCycle::of_application(env.nvm) == LifeCycle::Creation;
    if !creation && !gids.pin {
        return Err(StatusWord::SECURITY_STATUS.into());
    }
    let counter = PIN.counter(env.nvm);
    let mut transaction = env.nvm.begin();
    PIN.replace(&mut transaction, command.data, counter)?;
    transaction.commit()
}

pub(super) fn reset_retry_counter(gids: &mut Gids, env: &mut Env<'_>, command: &Command<'_>) -> Result<(), Abort> {
    if LifeCycle::of_application(env.nvm) == LifeCycle::Creation {
        return Err(StatusWord::NOT_ALLOWED.into());
    }
    if command.p1 != 0x02 {
        return Err(StatusWord::WRONG_P1P2.into());
    }
    if command.p2 != 0x80 {
        return Err(StatusWord::REFERENCE_NOT_FOUND.into());
    }
    if !gids.admin {
        return Err(StatusWord::SECURITY_STATUS.into());
    }
    check_new(env, command.data)?;
    let counter = PIN.counter(env.nvm);
    let mut transaction = env.nvm.begin();
    PIN.replace(&mut transaction, command.data, counter)?;
    transaction.commit()?;
    gids.deauthenticate();
    Ok(())
}

fn check_reference(p2: u8) -> Result<(), Abort> {
    if matches!(p2, 0x00 | 0x80) { Ok(()) } else { Err(StatusWord::REFERENCE_NOT_FOUND.into()) }
}

fn check_not_blocked(env: &Env<'_>) -> Result<(), Abort> {
    if PIN.counter(env.nvm).left == 0 { Err(StatusWord::BLOCKED.into()) } else { Ok(()) }
}

fn check_new(env: &Env<'_>, new: &[u8]) -> Result<(), Abort> {
    if env.profile.pin.is_well_formed(new) { Ok(()) } else { Err(env.profile.pin.malformed_new.into()) }
}

/// The security status after a comparison: true after a match, false after anything else.
fn finish(gids: &mut Gids, env: &Env<'_>, verdict: Result<Verdict, Abort>) -> Result<(), Abort> {
    gids.pin = verdict == Ok(Verdict::Match);
    match verdict? {
        Verdict::Match => Ok(()),
        other => {
            gids.environment = None;
            Err(other.status(env.profile.pin.last_wrong).into())
        }
    }
}
