//! The PIN status objects of GET DATA 3FFF.
//!
//! `5C 7F71` (and 7F72) answers `7F71 {97 tries left, 93 limit}` for the PIN, `5C 7F73` the same for
//! the administrator key where its tries are counted, else 6A88. Managed PIV cards
//! (`piv.admin-unblock`) answer the same way.
//!
//! | CLA INS P1 P2 | data | answer |
//! |---|---|---|
//! | 00 DB 3F FF | `7F71 {93 limit}` | 9000, 6982, 6A80 |
//!
//! An extension of ours (`pin.tries-writable`): no standard has a command with which an issuer sets how many wrong PINs block
//! the PIN. It needs the administrator key, and gives no try back: what is left is cut to the new limit. RESET RETRY COUNTER
//! then gives as many as the limit says.

use crate::nvm::Nvm;
use crate::profile::PinRules;
use crate::reference::{ADMINISTRATION, PIN, RetryCounter};
use crate::status::{Abort, StatusWord};
use cardlab_protocol::tlv::{self, Writer};

/// Tag of the PIN's status.
pub(crate) const PIN_STATUS: u32 = 0x7F71;
/// The same for the primary card PIN, which is this PIN.
pub(crate) const PRIMARY_PIN_STATUS: u32 = 0x7F72;
/// Tag of the administrator key's status.
pub(crate) const ADMIN_STATUS: u32 = 0x7F73;

/// Whether `tag` is one of the three.
pub(crate) const fn is_status(tag: u32) -> bool {
    matches!(tag, PIN_STATUS | PRIMARY_PIN_STATUS | ADMIN_STATUS)
}

pub(crate) fn write(nvm: &Nvm, tag: u32, out: &mut Vec<u8>) -> Result<(), Abort> {
    let reference = if tag == ADMIN_STATUS { ADMINISTRATION } else { PIN };
    if !reference.exists(nvm) {
        return Err(StatusWord::REFERENCE_NOT_FOUND.into());
    }
    let RetryCounter { left, maximum } = reference.counter(nvm);
    Writer::new(out).nested(tag, |t| {
        t.value(0x97, &[left]).value(0x93, &[maximum]);
    });
    Ok(())
}

/// The contents of 7F71, when this is what a PUT DATA of a card that takes it writes.
pub(crate) fn limit<'d>(rules: &PinRules, data: &'d [u8]) -> Option<&'d [u8]> {
    tlv::only(data, PIN_STATUS).filter(|_| rules.tries_writable)
}

/// Sets how many wrong PINs block the PIN, once the administrator key is there.
pub(crate) fn set_limit(nvm: &mut Nvm, rules: &PinRules, contents: &[u8]) -> Result<(), Abort> {
    let limit = match tlv::only(contents, 0x93) {
        Some(&[limit]) if (1..=rules.max_tries).contains(&limit) => limit,
        _ => return Err(StatusWord::WRONG_DATA.into()),
    };
    let mut transaction = nvm.begin();
    PIN.set_limit(&mut transaction, limit)?;
    transaction.commit()
}
