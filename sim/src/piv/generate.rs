//! GENERATE ASYMMETRIC KEY PAIR, SP 800-73-4 part 2 section 3.3.2.
//!
//! | CLA INS P1 P2 | data | answer |
//! |---|---|---|
//! | 00 47 00 key | `AC {80 algorithm [, 81 exponent] [, AA PIN policy] [, AB touch policy]}` | `7F49 {81 modulus, 82 exponent}` or `7F49 {86 point}` |
//!
//! Needs the administrator key. Replaces the key; the certificate object stays. AA and AB are
//! YubiKey's.

use super::{Piv, contact_only, messaging};
use crate::applet::Env;
use crate::crypto::asymmetric::{Algorithm, KeyPair};
use crate::keys::{self, Origin, PinPolicy, Slot, TouchPolicy};
use crate::profile::Profile;
use crate::status::{Abort, StatusWord};
use cardlab_protocol::apdu::Command;
use cardlab_protocol::tlv::{self, Reader, Writer};

pub(super) fn process(piv: &mut Piv, env: &mut Env<'_>, command: &Command<'_>, out: &mut Vec<u8>) -> Result<(), Abort> {
    if command.p1 != 0x00 || !can_generate(command.p2, env.profile) {
        return Err(StatusWord::WRONG_P1P2.into());
    }
    contact_only(piv, env)?;
    piv.require_admin()?;
    let slot = command.p2;
    let wanted = tlv::only(command.data, 0xAC).and_then(|t| Wanted::parse(t, slot, env.profile));
    let wanted = wanted
        .filter(|wanted| messaging::allows(messaging::suite(env.nvm), slot, wanted.algorithm))
        .ok_or(StatusWord::WRONG_DATA)?;
    let key = KeyPair::generate(wanted.algorithm, env.random)?;
    let public = key.public()?;
    let mut transaction = env.nvm.begin();
    keys::store(&mut transaction, slot, &Slot { key, origin: Origin::Generated, pin: wanted.pin, touch: wanted.touch })?;
    transaction.commit()?;
    piv.prepared.remove(&slot);
    Writer::new(out).nested(0x7F49, |template| public.write(template));
    Ok(())
}

fn can_generate(slot: u8, profile: &Profile) -> bool {
    match slot {
        0x9A | 0x9C | 0x9D | 0x9E => true,
        0x82..=0x95 => profile.piv().generate_retired,
        keys::ATTESTATION => profile.yubikey.is_some(),
        _ => false,
    }
}

/// Algorithm and policies of a new key.
struct Wanted {
    algorithm: Algorithm,
    pin: PinPolicy,
    touch: TouchPolicy,
}

impl Wanted {
    fn parse(template: &[u8], slot: u8, profile: &Profile) -> Option<Self> {
        let mut algorithm = None;
        let (mut pin, mut touch) = (PinPolicy::of_slot(slot), TouchPolicy::Never);
        for object in Reader::new(template) {
            let object = object.ok()?;
            match (object.tag, object.value) {
                (0x80, [id]) => algorithm = Algorithm::from_id(*id),
                (0x81, exponent) => Some(exponent).filter(|e| **e == [1, 0, 1]).map(|_| ())?,
                (0xAA, [byte]) if profile.yubikey.is_some() => pin = PinPolicy::from_byte(*byte, slot)?,
                (0xAB, [byte]) if profile.yubikey.is_some() => touch = TouchPolicy::from_byte(*byte)?,
                _ => return None,
            }
        }
        let algorithm = algorithm.filter(|a| profile.piv().algorithms.contains(a))?;
        Some(Self { algorithm, pin, touch })
    }
}
