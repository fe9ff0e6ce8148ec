//! CHANGE REFERENCE DATA, SP 800-73-4 part 2 section 3.2.2.
//!
//! | CLA INS P1 P2 | data | answer |
//! |---|---|---|
//! | 00 24 00 ref | old (8) new (8) | 9000, 63Cx, 6983, 6A80 (YubiKey: 6985) |
//!
//! ref is 80, 81 or 00; else 6A88. Which value is looked at first is the profile's (`pin.old-first`). A right old
//! value with a malformed new one leaves counter and status as they are either way.

use super::access::{Reach, reach};
use super::pins::{Kind, LENGTH};
use super::{Piv, verify};
use crate::applet::Env;
use crate::nvm::Transaction;
use crate::reference::{Compared, Verdict};
use crate::status::{Abort, StatusWord};
use cardlab_protocol::apdu::Command;

pub(super) fn process(piv: &mut Piv, env: &mut Env<'_>, command: &Command<'_>) -> Result<(), Abort> {
    if command.p1 != 0x00 {
        return Err(env.profile.piv().change_p1.into());
    }
    let kind = Kind::of(command.p2, env.nvm)?;
    let reach = reach(piv, env);
    if reach < Reach::of_reference(command.p2) {
        return Err(StatusWord::SECURITY_STATUS.into());
    }
    let reference = kind.reference();
    let counter = reference.counter(env.nvm);
    if counter.left <= verify::kept_tries(reach, env) {
        return Err(StatusWord::BLOCKED.into());
    }
    if command.data.len() != 2 * LENGTH {
        return Err(StatusWord::WRONG_DATA.into());
    }
    let (old, new) = command.data.split_at(LENGTH);
    kind.check_candidate(old, env.profile)?;
    let judged = kind.check_new(new, env.profile);
    let change = |transaction: &mut Transaction<'_>| reference.replace(transaction, new, counter);
    let verdict = match reference.verify_while(env.nvm, old, judged, env.profile.pin.old_first, change) {
        Compared::NewRefused(refused) => return Err(refused),
        Compared::Old(verdict) => verdict,
    };
    verify::set(piv, kind, verdict == Ok(Verdict::Match));
    match verdict? {
        Verdict::Match => Ok(()),
        other => Err(other.status(env.profile.pin.last_wrong).into()),
    }
}
