//! GET METADATA, firmware 5.3.
//!
//! `00 F7 00 ref` answers data objects: `01` algorithm (FF for PIN and PUK), `02` PIN and touch
//! policy, `03` origin, `04` public key, `05` whether the value is the factory one, `06` tries
//! {maximum, left}. An empty slot is 6A88.

use crate::admin_key;
use crate::applet::Env;
use crate::keys;
use crate::piv::pins;
use crate::profile::{ManagementKeyRules, Profile};
use crate::reference::{self, Reference};
use crate::status::{Abort, StatusWord};
use cardlab_protocol::apdu::Command;
use cardlab_protocol::tlv::Writer;
use subtle::ConstantTimeEq;

pub(super) fn process(env: &Env<'_>, command: &Command<'_>, out: &mut Vec<u8>) -> Result<(), Abort> {
    if command.p1 != 0 {
        return Err(StatusWord::WRONG_P1P2.into());
    }
    let profile: &Profile = env.profile;
    match command.p2 {
        0x80 => secret(env, reference::PIN, &profile.pin.value, out),
        0x81 => secret(env, reference::PUK, &profile.puk().value, out),
        keys::ADMINISTRATION => administration(env, &profile.management_key, out),
        slot if keys::is_slot(slot) || slot == keys::ATTESTATION => key(env, slot, out),
        _ => Err(StatusWord::REFERENCE_NOT_FOUND.into()),
    }
}

fn secret(env: &Env<'_>, reference: Reference, factory: &str, out: &mut Vec<u8>) -> Result<(), Abort> {
    let counter = reference.counter(env.nvm);
    let is_factory = reference.is(env.nvm, &pins::pad(factory.as_bytes()));
    Writer::new(out).value(0x01, &[0xFF]).value(0x05, &[u8::from(is_factory)]).value(0x06, &[counter.maximum, counter.left]);
    Ok(())
}

fn administration(env: &Env<'_>, factory: &ManagementKeyRules, out: &mut Vec<u8>) -> Result<(), Abort> {
    let (key, touch) = admin_key::load(env.nvm).ok_or(StatusWord::REFERENCE_NOT_FOUND)?;
    let is_factory = key.cipher() == factory.algorithm && bool::from(key.as_bytes().ct_eq(&factory.value));
    Writer::new(out).value(0x01, &[key.cipher().id()]).value(0x02, &[0, touch as u8]).value(0x05, &[u8::from(is_factory)]);
    Ok(())
}

fn key(env: &Env<'_>, slot: u8, out: &mut Vec<u8>) -> Result<(), Abort> {
    let content = keys::load(env.nvm, slot).ok_or(StatusWord::REFERENCE_NOT_FOUND)?;
    let public = content.key.public()?;
    Writer::new(out)
        .value(0x01, &[content.key.algorithm().id()])
        .value(0x02, &[content.pin as u8, content.touch as u8])
        .value(0x03, &[content.origin as u8])
        .nested(0x04, |w| public.write(w));
    Ok(())
}
