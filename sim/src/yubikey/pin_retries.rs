//! SET PIN RETRIES.
//!
//! `00 FA pin-tries puk-tries`. Needs the administrator key and a verified PIN (6982). PIN and PUK
//! go back to their factory values with the new numbers of tries, blocked or not.

use crate::applet::Env;
use crate::piv::{Piv, factory};
use crate::status::{Abort, StatusWord};
use cardlab_protocol::apdu::Command;

pub(super) fn process(piv: &mut Piv, env: &mut Env<'_>, command: &Command<'_>) -> Result<(), Abort> {
    piv.require_admin()?;
    if !piv.pin {
        return Err(StatusWord::SECURITY_STATUS.into());
    }
    if command.p1 == 0 || command.p2 == 0 {
        return Err(StatusWord::WRONG_P1P2.into());
    }
    let mut transaction = env.nvm.begin();
    factory::reference_data(&mut transaction, env.profile, command.p1, command.p2)?;
    transaction.commit()?;
    piv.pin = false;
    piv.pin_fresh = false;
    Ok(())
}
