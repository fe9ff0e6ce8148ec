//! YubiKey's additions to the PIV card edge, and the two small applets that its tools ask first.
//!
//! | INS | command | file |
//! |---|---|---|
//! | F6 | MOVE KEY, DELETE KEY | `move_key` |
//! | F7 | GET METADATA | `metadata` |
//! | F8, FD | GET SERIAL, GET VERSION | here |
//! | F9 | ATTEST | [`attestation`] |
//! | FA | SET PIN RETRIES | `pin_retries` |
//! | FB | RESET | `reset` |
//! | FE | IMPORT ASYMMETRIC KEY | `import` |
//! | FF | SET MANAGEMENT KEY | `management_key` |
//!
//! Source: Yubico's PIV extensions page and .NET SDK manual; what clients demand was seen by running
//! them.

pub(crate) mod attestation;
pub(crate) mod device;
mod import;
pub(crate) mod management;
mod management_key;
mod metadata;
mod move_key;
pub(crate) mod otp;
mod pin_retries;
mod reset;

use crate::applet::Env;
use crate::crypto::asymmetric::Algorithm;
use crate::crypto::backend::Backend;
use crate::keys;
use crate::nvm::Nvm;
use crate::piv::Piv;
use crate::profile::YubiKeyRules;
use crate::status::{Abort, StatusWord};
use cardlab_protocol::apdu::Command;
use std::time::Duration;

pub(crate) fn process(
    piv: &mut Piv,
    env: &mut Env<'_>,
    rules: &YubiKeyRules,
    command: &Command<'_>,
    out: &mut Vec<u8>,
) -> Result<(), Abort> {
    match command.ins {
        0xF6 if rules.move_key => move_key::process(piv, env, command),
        0xF7 if rules.metadata => metadata::process(env, command, out),
        0xF8 if rules.serial => no_parameters(command).map(|()| out.extend(crate::factory::serial(env.nvm).to_be_bytes())),
        0xF9 if rules.attestation => attestation::process(env, rules, command, out),
        0xFA => pin_retries::process(piv, env, command),
        0xFB => reset::process(piv, env, command),
        0xFD => no_parameters(command).map(|()| out.extend(rules.version)),
        0xFE => import::process(piv, env, command),
        0xFF => management_key::process(piv, env, command),
        _ => Err(StatusWord::UNKNOWN_INS.into()),
    }
}

/// SET MANAGEMENT KEY, for a managed PIV card: PivApplet and CanoKey, which are no YubiKeys, have it too.
pub(crate) fn set_management_key(piv: &mut Piv, env: &mut Env<'_>, command: &Command<'_>) -> Result<(), Abort> {
    management_key::process(piv, env, command)
}

/// As [`crate::applet::Applet::computing_time`], for the commands of this table.
pub(crate) fn computing_time(nvm: &Nvm, rules: &YubiKeyRules, backend: &dyn Backend, command: &Command<'_>) -> Duration {
    match command.ins {
        0xF6 if rules.move_key => keys::load_time(nvm, command.p2),
        0xF7 if rules.metadata => keys::load_time(nvm, command.p2),
        0xF9 if rules.attestation => {
            let issuer = keys::load_time(nvm, keys::ATTESTATION) + keys::private_time(nvm, keys::ATTESTATION, backend);
            // Nothing is signed over an empty slot.
            keys::info(nvm, command.p1).map_or(Duration::ZERO, |slot| slot.algorithm.load_time() + issuer)
        }
        0xFE => Algorithm::from_id(command.p1).map_or(Duration::ZERO, Algorithm::load_time),
        _ => Duration::ZERO,
    }
}

fn no_parameters(command: &Command<'_>) -> Result<(), Abort> {
    if command.p1p2() == 0 { Ok(()) } else { Err(StatusWord::WRONG_P1P2.into()) }
}
