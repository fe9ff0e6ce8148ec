//! VERIFY, SP 800-73-4 part 2 section 3.2.1.
//!
//! | CLA INS P1 P2 | data | answer |
//! |---|---|---|
//! | 00 20 00 ref | - | 9000 verified, 63Cx tries left |
//! | 00 20 00 ref | 8 bytes | 9000, 63Cx, 6983, 6A80 |
//! | 00 20 FF ref | - | 9000, no longer verified |
//!
//! ref is 80 (PIV PIN), 00 (Global PIN, where the card has one) or 98 (see `pairing`); else 6A88. Over the virtual contact
//! interface some tries are kept from it (`piv.kept-tries`): nobody in a crowd locks the card.

use super::access::{Reach, reach};
use super::pins::Kind;
use super::{Piv, pairing};
use crate::applet::Env;
use crate::reference::Verdict;
use crate::status::{Abort, StatusWord};
use cardlab_protocol::apdu::Command;

pub(super) fn process(piv: &mut Piv, env: &mut Env<'_>, command: &Command<'_>) -> Result<(), Abort> {
    let forget = match command.p1 {
        0x00 => false,
        0xFF if env.profile.pin.can_forget => true,
        _ => return Err(StatusWord::WRONG_P1P2.into()),
    };
    if command.p2 == pairing::REFERENCE {
        return pairing::verify(piv, env, command, forget);
    }
    let kind = Kind::of(command.p2, env.nvm)?;
    if kind == Kind::Puk {
        return Err(StatusWord::REFERENCE_NOT_FOUND.into());
    }
    let reach = reach(piv, env);
    if reach < Reach::of_reference(command.p2) {
        return Err(StatusWord::SECURITY_STATUS.into());
    }
    let verified = match kind {
        Kind::Global => piv.global_pin,
        _ => piv.pin,
    };
    if forget {
        if !command.data.is_empty() {
            return Err(StatusWord::WRONG_DATA.into());
        }
        set(piv, kind, false);
        return Ok(());
    }
    let reference = kind.reference();
    let left = reference.counter(env.nvm).left;
    if command.data.is_empty() {
        return Err(match (verified, left) {
            (true, _) => return Ok(()),
            (false, 0) => env.profile.pin.blocked_query,
            (false, left) => StatusWord::tries_left(left),
        }
        .into());
    }
    if left <= kept_tries(reach, env) {
        return Err(StatusWord::BLOCKED.into());
    }
    kind.check_candidate(command.data, env.profile)?;
    let verdict = reference.verify(env.nvm, command.data);
    // A comparison that did not end well leaves the reference unverified, whatever the reason.
    set(piv, kind, verdict == Ok(Verdict::Match));
    match verdict? {
        Verdict::Match => Ok(()),
        other => Err(other.status(env.profile.pin.last_wrong).into()),
    }
}

/// Tries that a command which reached the card so may not spend.
pub(super) fn kept_tries(reach: Reach, env: &Env<'_>) -> u8 {
    if reach < Reach::Contact { env.profile.piv().kept_tries } else { 0 }
}

/// Sets the security status of a PIN.
pub(super) const fn set(piv: &mut Piv, kind: Kind, verified: bool) {
    match kind {
        Kind::Global => piv.global_pin = verified,
        Kind::Pin => piv.pin = verified,
        Kind::Puk => return,
    }
    piv.pin_fresh = verified;
}
