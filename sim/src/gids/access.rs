//! Access rules in compact format, ISO/IEC 7816-4:2020 section 9.3.3.1, as GIDS uses them.
//!
//! Tag 8C holds the access mode byte and one security condition byte for each of its bits 7 to 1 that
//! is set, the highest first.
//!
//! | bit | on the application | on data objects | on keys |
//! |---|---|---|---|
//! | 40 | delete itself | delete | delete |
//! | 10 | activate | activate | activate |
//! | 08 | | | generate |
//! | 04 | | | select in MSE |
//! | 02 | create a file | PUT DATA | put a key |
//! | 01 | delete a file | GET DATA | read the public key |
//!
//! | condition | meaning |
//! |---|---|
//! | 00, FF | always, never |
//! | 1x, 2x, 3x | user PIN, administrator key, either |
//! | 9x, Ax, Bx | user PIN, administrator key, both |
//! | x1, x2 | contact, contactless only |
//!
//! What no condition byte stands for is refused on an operational file: deleting and activating have
//! rules of their own, see `life_cycle`. GidsApplet allows it, which would let everybody make an RSA key where the
//! administrator key is. A file without tag 8C has no rules at all: it is open, as on GidsApplet
//! (`gids.open-without-rules`, setting `open-files`), but for deleting, which is the application's to allow.

use super::Gids;
use super::files::{File, LifeCycle};
use crate::applet::Env;
use crate::conditions::Interface;
use crate::status::{Abort, StatusWord};

pub(super) const DELETE: u8 = 0x40;
pub(super) const GENERATE: u8 = 0x08;
pub(super) const MANAGE: u8 = 0x04;
pub(super) const PUT: u8 = 0x02;
pub(super) const GET: u8 = 0x01;
pub(super) const CREATE_CHILD: u8 = 0x02;
pub(super) const DELETE_CHILD: u8 = 0x01;

/// The condition byte that asks for the administrator key.
pub(super) const ADMINISTRATOR: u8 = 0x20;

/// The application's own rules: files are created and deleted by user or administrator key.
pub(super) const APPLICATION: [u8; 3] = [CREATE_CHILD | DELETE_CHILD, 0x30, 0x30];

/// Whether there are as many condition bytes as the access mode byte announces.
pub(super) fn is_consistent(rules: &[u8]) -> bool {
    match rules {
        [] => true,
        [mode, conditions @ ..] => (mode & 0x7F).count_ones() as usize == conditions.len(),
    }
}

/// The condition byte for one bit of the access mode byte.
pub(super) fn condition(rules: &[u8], operation: u8) -> Option<u8> {
    let (mode, conditions) = rules.split_first()?;
    let above = !(operation | (operation - 1)) & 0x7F;
    (mode & operation != 0).then(|| conditions.get((mode & above).count_ones() as usize).copied()).flatten()
}

/// Refuses (6982) what a condition byte does not allow now.
pub(super) fn check(gids: &Gids, env: &Env<'_>, condition: Option<u8>) -> Result<(), Abort> {
    let creation = LifeCycle::of_application(env.nvm) == LifeCycle::Creation;
    let (user, admin) = (creation || gids.pin, creation || gids.admin);
    let interface = |wanted: u8| match wanted {
        1 => env.conditions.interface == Interface::Contact,
        2 => env.conditions.interface == Interface::Contactless,
        _ => true,
    };
    let allowed = match condition {
        Some(0x00) => true,
        Some(byte) if byte != 0xFF && interface(byte & 0x0F) => match byte >> 4 {
            0x1 | 0x9 => user,
            0x2 | 0xA => admin,
            0x3 => user || admin,
            0xB => user && admin,
            _ => false,
        },
        _ => false,
    };
    if allowed { Ok(()) } else { Err(StatusWord::SECURITY_STATUS.into()) }
}

/// Refuses an operation on a file: 6985 while it is not activated, 6982 when its rules say so.
pub(super) fn check_file(gids: &Gids, env: &Env<'_>, file: &File, operation: u8) -> Result<(), Abort> {
    if file.state != LifeCycle::Operational {
        return Err(StatusWord::CONDITIONS_OF_USE.into());
    }
    if file.rules().is_empty() && env.profile.gids().open_without_rules {
        return Ok(());
    }
    check(gids, env, condition(file.rules(), operation))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_stand_in_the_order_of_the_bits() {
        // The administrator key's and a key pair's rules, as OpenSC and Windows write them.
        let admin = [0x87, 0x00, 0x20, 0xFF];
        assert_eq!([MANAGE, PUT, GET].map(|op| condition(&admin, op)), [Some(0x00), Some(0x20), Some(0xFF)]);
        assert_eq!(condition(&admin, GENERATE), None);
        let pair = [0x8F, 0x11, 0x12, 0x13, 0x00];
        assert_eq!([GENERATE, MANAGE, PUT, GET].map(|op| condition(&pair, op)), [Some(0x11), Some(0x12), Some(0x13), Some(0)]);
        assert_eq!(condition(&[0x41, 0x10, 0x20], DELETE), Some(0x10));
        assert_eq!(condition(&[], GET), None);
        assert!(is_consistent(&admin) && is_consistent(&pair) && is_consistent(&[]));
        assert!(!is_consistent(&[0x03, 0x30]) && !is_consistent(&[0x01, 0x30, 0x30]));
    }
}
