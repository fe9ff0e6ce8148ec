//! VERIFY, SP 800-73-4 part 2 section 3.2.1.
//!
//! | CLA INS P1 P2 | data | answer |
//! |---|---|---|
//! | 00 20 00 ref | - | 9000 verified, 63Cx tries left |
//! | 00 20 00 ref | 8 bytes | 9000, 63Cx, 6983, 6A80 |
//! | 00 20 FF ref | - | 9000, no longer verified |
//!
//! ref is 80 (PIV PIN) or 00 (Global PIN, where the card has one); else 6A88.

use super::pins::Kind;
use super::{Piv, restricted};
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
    let kind = Kind::of(command.p2, env.nvm)?;
    if kind == Kind::Puk {
        return Err(StatusWord::REFERENCE_NOT_FOUND.into());
    }
    if restricted(env) {
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
    if left == 0 {
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

/// Sets the security status of a PIN.
pub(super) const fn set(piv: &mut Piv, kind: Kind, verified: bool) {
    match kind {
        Kind::Global => piv.global_pin = verified,
        Kind::Pin => piv.pin = verified,
        Kind::Puk => return,
    }
    piv.pin_fresh = verified;
}
