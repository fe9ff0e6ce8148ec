//! The pairing code, reference 98: what tells a card that its reader may use the virtual contact interface
//! (SP 800-73-4 part 1 section 5.1.3, part 2 section 3.2.1). Eight digits of the issuer's, that nothing counts and
//! nobody changes; the holder reads a copy in the data object 5FC123.
//!
//! | CLA INS P1 P2 | data | answer |
//! |---|---|---|
//! | 0C 20 00 98 | - | 9000 given, 6300 not |
//! | 0C 20 00 98 | 8 bytes | 9000, 6300 wrong, 6A80 no eight digits |
//! | 0C 20 FF 98 | - | 9000, not given any more |
//!
//! 6A88 where the Discovery Object offers no virtual contact interface, or the card has no code.

use super::Piv;
use super::access::{Policy, Reach, reach};
use crate::applet::Env;
use crate::memory;
use crate::nvm::Transaction;
use crate::status::{Abort, StatusWord};
use cardlab_protocol::apdu::Command;
use cardlab_protocol::tlv::Writer;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Its reference.
pub(super) const REFERENCE: u8 = 0x98;
/// Its length in digits.
pub(crate) const LENGTH: usize = 8;

pub(super) fn verify(piv: &mut Piv, env: &Env<'_>, command: &Command<'_>, forget: bool) -> Result<(), Abort> {
    let code = env.nvm.read(memory::reference(REFERENCE)).filter(|_| Policy::of(env.nvm).virtual_contact);
    let code = code.ok_or(StatusWord::REFERENCE_NOT_FOUND)?;
    if reach(piv, env) < Reach::of_reference(REFERENCE) {
        return Err(StatusWord::SECURITY_STATUS.into());
    }
    match command.data {
        [] if forget => piv.paired = false,
        [] if piv.paired => {}
        [] => return Err(StatusWord::VERIFICATION_FAILED.into()),
        given if forget || !is_well_formed(given) => return Err(StatusWord::WRONG_DATA.into()),
        given => {
            piv.paired = code.ct_eq(given).into();
            if !piv.paired {
                return Err(StatusWord::VERIFICATION_FAILED.into());
            }
        }
    }
    Ok(())
}

/// Puts a code on a new card, and the copy that its holder reads.
pub(super) fn create(transaction: &mut Transaction<'_>, code: &[u8; LENGTH]) -> Result<(), Abort> {
    transaction.write(memory::reference(REFERENCE), code)?;
    let mut copy = Zeroizing::new(Vec::with_capacity(2 + LENGTH + 2));
    Writer::new(&mut copy).value(0x99, code).value(0xFE, &[]);
    transaction.write(memory::object(super::objects::PAIRING_CODE), &copy)
}

fn is_well_formed(code: &[u8]) -> bool {
    code.len() == LENGTH && code.iter().all(u8::is_ascii_digit)
}
