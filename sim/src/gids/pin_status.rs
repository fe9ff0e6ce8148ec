//! The PIN status objects of GET DATA 3FFF.
//!
//! `5C 7F71` (and 7F72) answers `7F71 {97 tries left, 93 limit}` for the PIN, `5C 7F73` the same for
//! the administrator key where its tries are counted, else 6A88. Managed PIV cards
//! (`piv.admin-unblock`) answer the same way.

use crate::nvm::Nvm;
use crate::reference::{ADMINISTRATION, PIN, RetryCounter};
use crate::status::{Abort, StatusWord};
use cardlab_protocol::tlv::Writer;

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
