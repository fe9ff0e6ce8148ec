//! RESET.
//!
//! `00 FB 00 00`, only when PIN and PUK are both blocked (6985): keys, objects and policies are
//! wiped, PIN, PUK, tries and administrator key are the factory's again. The attestation key, its
//! certificate and the discovery object stay.

use super::no_parameters;
use crate::admin_key;
use crate::applet::{Applet, Env};
use crate::keys;
use crate::memory;
use crate::nvm::RecordId;
use crate::piv::{Piv, factory, objects};
use crate::reference;
use crate::status::{Abort, StatusWord};
use cardlab_protocol::apdu::Command;

pub(super) fn process(piv: &mut Piv, env: &mut Env<'_>, command: &Command<'_>) -> Result<(), Abort> {
    no_parameters(command)?;
    if [reference::PIN, reference::PUK].iter().any(|r| r.counter(env.nvm).left > 0) {
        return Err(StatusWord::CONDITIONS_OF_USE.into());
    }
    let keep = [
        memory::key(keys::ATTESTATION),
        memory::object(objects::ATTESTATION_CERTIFICATE),
        memory::object(objects::ATTESTATION_ROOT),
        memory::object(objects::DISCOVERY),
    ];
    let wipe: Vec<RecordId> = [memory::KEYS, memory::OBJECTS]
        .iter()
        .flat_map(|area| env.nvm.area(*area).map(|(id, _)| id))
        .filter(|id| !keep.contains(id))
        .collect();
    let mut transaction = env.nvm.begin();
    wipe.into_iter().try_for_each(|id| transaction.erase(id))?;
    // A reset gives the factory's tries, whatever SET PIN RETRIES made of them.
    factory::reference_data(&mut transaction, env.profile, env.profile.pin.tries, env.profile.puk().tries)?;
    admin_key::create(&mut transaction, &env.profile.management_key)?;
    transaction.commit()?;
    piv.reset();
    Ok(())
}
