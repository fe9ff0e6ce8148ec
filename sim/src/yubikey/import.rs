//! IMPORT ASYMMETRIC KEY.
//!
//! `00 FE alg slot` with `01` p, `02` q, `03` dp, `04` dq, `05` qinv for RSA, `06` scalar for prime
//! curves, `07` Ed25519 seed, `08` X25519 scalar, then optionally `AA` PIN policy, `AB` touch
//! policy. Needs the administrator key.

use crate::applet::Env;
use crate::crypto::asymmetric::{Algorithm, KeyPair};
use crate::keys::{self, Origin, PinPolicy, Slot, TouchPolicy};
use crate::piv::Piv;
use crate::status::{Abort, StatusWord};
use cardlab_protocol::apdu::Command;
use cardlab_protocol::tlv::Reader;

pub(super) fn process(piv: &mut Piv, env: &mut Env<'_>, command: &Command<'_>) -> Result<(), Abort> {
    let (algorithm, slot) = (command.p1, command.p2);
    piv.require_admin()?;
    if !keys::is_slot(slot) && slot != keys::ATTESTATION {
        return Err(StatusWord::WRONG_P1P2.into());
    }
    let algorithm =
        Algorithm::from_id(algorithm).filter(|a| env.profile.piv().algorithms.contains(a)).ok_or(StatusWord::WRONG_DATA)?;
    let content = parse(algorithm, slot, command.data).ok_or(StatusWord::WRONG_DATA)?;
    let mut transaction = env.nvm.begin();
    keys::store(&mut transaction, slot, &content)?;
    transaction.commit()?;
    piv.prepared.remove(&slot);
    Ok(())
}

fn parse(algorithm: Algorithm, slot: u8, data: &[u8]) -> Option<Slot> {
    let mut parts: [Option<&[u8]>; 9] = [None; 9];
    let (mut pin, mut touch) = (PinPolicy::of_slot(slot), TouchPolicy::Never);
    for object in Reader::new(data) {
        let object = object.ok()?;
        match (object.tag, object.value) {
            (tag @ 0x01..=0x08, value) => {
                if parts[tag as usize].replace(value).is_some() {
                    return None;
                }
            }
            (0xAA, [byte]) => pin = PinPolicy::from_byte(*byte, slot)?,
            (0xAB, [byte]) => touch = TouchPolicy::from_byte(*byte)?,
            _ => return None,
        }
    }
    let key = match algorithm {
        Algorithm::Rsa(_) => {
            // All five must be there; the card computes its own exponents from p and q.
            parts[3].and(parts[4]).and(parts[5])?;
            KeyPair::from_parts(algorithm, &[parts[1]?, parts[2]?])
        }
        Algorithm::Ec(_) => KeyPair::from_parts(algorithm, &[parts[6]?]),
        Algorithm::Ed25519 => KeyPair::from_parts(algorithm, &[parts[7]?]),
        Algorithm::X25519 => KeyPair::from_parts(algorithm, &[parts[8]?]),
    };
    Some(Slot { key: key.ok()?, origin: Origin::Imported, pin, touch })
}
