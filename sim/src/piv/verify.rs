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
use crate::seeded;
use crate::status::{Abort, StatusWord};
use cardlab_protocol::apdu::Command;

pub(super) fn process(piv: &mut Piv, env: &mut Env<'_>, command: &Command<'_>) -> Result<(), Abort> {
    let forget = match command.p1 {
        0x00 => false,
        _ if seeded::is_on("p1-ignored") => false,
        0xFF if env.profile.pin.can_forget => true,
        _ => return Err(StatusWord::WRONG_P1P2.into()),
    };
    let kind = Kind::of(command.p2, env.nvm)?;
    if kind == Kind::Puk && !seeded::is_on("puk-verifies") {
        return Err(StatusWord::REFERENCE_NOT_FOUND.into());
    }
    if restricted(env.profile) {
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
        if !seeded::is_on("forget-does-not") {
            set(piv, kind, false);
        }
        return Ok(());
    }
    let reference = kind.reference();
    let left = reference.counter(env.nvm).left;
    if command.data.is_empty() {
        return Err(match (verified, left) {
            _ if seeded::is_on("query-always-9000") => return Ok(()),
            (true, _) => return Ok(()),
            (false, 0) => env.profile.pin.blocked_query,
            (false, left) => StatusWord::tries_left(left),
        }
        .into());
    }
    if left == 0 && !seeded::is_on("zero-tries-still-compared") {
        let blocked = if seeded::is_on("blocked-says-6982") { StatusWord::SECURITY_STATUS } else { StatusWord::BLOCKED };
        return Err(blocked.into());
    }
    kind.check_candidate(command.data, env.profile)?;
    let verdict = reference.verify(env.nvm, command.data);
    // A comparison that did not end well leaves the reference unverified, whatever the reason.
    let matched = verdict == Ok(Verdict::Match);
    let kept = if matched { seeded::is_on("right-pin-sets-nothing") } else { seeded::is_on("wrong-pin-keeps-status") };
    if !kept {
        set(piv, kind, matched);
    }
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
