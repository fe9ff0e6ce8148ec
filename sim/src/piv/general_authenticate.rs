//! GENERAL AUTHENTICATE, SP 800-73-4 part 2 section 3.2.4.
//!
//! | CLA INS P1 P2 | data | answer |
//! |---|---|---|
//! | 00 87 alg key | `7C {82, 81 block or digest}` | `7C {82 signature}` |
//! | 00 87 alg key | `7C {82, 85 point}` | `7C {82 shared secret}` |
//! | 00 87 alg 9B | see `administration` | |
//! | 00 87 suite 04 | see `messaging` | |
//!
//! 6982 PIN or touch missing; 6A80 broken template or input; 6A86 no such key or algorithm (other
//! words by profile). The objects of the template may come in any order.

use super::access::{Reach, reach};
use super::{Piv, administration, messaging};
use crate::applet::Env;
use crate::conditions::Touch;
use crate::crypto::asymmetric::{Algorithm, Prepared};
use crate::keys::{self, ADMINISTRATION, MESSAGING, PinPolicy, SlotInfo, TouchPolicy};
use crate::profile::Profile;
use crate::status::{Abort, StatusWord};
use cardlab_protocol::apdu::Command;
use cardlab_protocol::tlv::{self, Reader, Writer};
use std::time::Duration;

/// How long a cached touch counts (Yubico documentation).
const TOUCH_CACHE: Duration = Duration::from_secs(15);

/// The dynamic authentication template 7C. An empty object asks for it.
#[derive(Default)]
pub(super) struct Template<'a> {
    /// 80.
    pub(super) witness: Option<&'a [u8]>,
    /// 81.
    pub(super) challenge: Option<&'a [u8]>,
    /// 82.
    pub(super) response: Option<&'a [u8]>,
    /// 85.
    pub(super) exponentiation: Option<&'a [u8]>,
}

impl<'a> Template<'a> {
    pub(super) fn parse(data: &'a [u8]) -> Option<Self> {
        let mut template = Self::default();
        for object in Reader::new(tlv::only(data, 0x7C)?) {
            let object = object.ok()?;
            let place = match object.tag {
                0x80 => &mut template.witness,
                0x81 => &mut template.challenge,
                0x82 => &mut template.response,
                0x85 => &mut template.exponentiation,
                _ => return None,
            };
            if place.replace(object.value).is_some() {
                return None;
            }
        }
        Some(template)
    }
}

pub(super) fn process(piv: &mut Piv, env: &mut Env<'_>, command: &Command<'_>, out: &mut Vec<u8>) -> Result<(), Abort> {
    let (algorithm, key) = (command.p1, command.p2);
    if key == MESSAGING {
        return messaging::establish(piv, env, command, out);
    }
    let met = reach(piv, env) >= Reach::of_key(key);
    if key == ADMINISTRATION {
        if !met {
            return Err(StatusWord::SECURITY_STATUS.into());
        }
        let template = Template::parse(command.data).ok_or(StatusWord::WRONG_DATA)?;
        return administration::authenticate(piv, env, algorithm, &template, out);
    }
    let slot = slot(env, key, algorithm)?;
    if !met {
        return Err(StatusWord::SECURITY_STATUS.into());
    }
    piv.require_pin(slot.pin)?;
    let template = Template::parse(command.data).ok_or(StatusWord::WRONG_DATA)?;
    let prepared = piv.prepare(env, key)?;
    let result = match template {
        Template { witness: None, challenge: Some(input), response: Some([]) | None, exponentiation: None }
            if !input.is_empty() =>
        {
            check_input(slot.algorithm, input)?;
            piv.use_key(env, slot)?;
            prepared.sign(input)
        }
        Template { witness: None, challenge: None, response: Some([]) | None, exponentiation: Some(point) }
            if agrees(key, env.profile) =>
        {
            piv.use_key(env, slot)?;
            prepared.agree(point)
        }
        _ => {
            piv.prepared.insert(key, prepared);
            return Err(StatusWord::WRONG_DATA.into());
        }
    };
    piv.prepared.insert(key, prepared);
    let result = result?;
    Writer::new(out).nested(0x7C, |t| {
        t.value(0x82, &result);
    });
    Ok(())
}

/// The key that P1 and P2 name, or the status word of a card that has none.
fn slot(env: &Env<'_>, key: u8, algorithm: u8) -> Result<SlotInfo, Abort> {
    // YubiKey's attestation key is none of them: it signs what the card itself says, and nothing else.
    if !keys::is_slot(key) {
        return Err(StatusWord::WRONG_P1P2.into());
    }
    let slot = keys::info(env.nvm, key).ok_or(env.profile.piv().empty_slot)?;
    if slot.algorithm.id() != algorithm {
        return Err(env.profile.piv().wrong_algorithm.into());
    }
    Ok(slot)
}

/// Key establishment keys: 9D and the retired ones; a YubiKey takes any slot.
fn agrees(key: u8, profile: &Profile) -> bool {
    profile.yubikey.is_some() || matches!(key, 0x9D | 0x82..=0x95)
}

fn check_input(algorithm: Algorithm, input: &[u8]) -> Result<(), Abort> {
    let fits = match algorithm {
        Algorithm::Rsa(bits) => input.len() == usize::from(bits / 8),
        Algorithm::Ec(curve) => input.len() <= curve.size(),
        Algorithm::Ed25519 => true,
        Algorithm::X25519 => false,
    };
    if fits { Ok(()) } else { Err(StatusWord::WRONG_DATA.into()) }
}

impl Piv {
    fn require_pin(&self, policy: PinPolicy) -> Result<(), Abort> {
        let met = match policy {
            PinPolicy::Never => true,
            PinPolicy::Once => self.pin_verified(),
            PinPolicy::Always => self.pin_verified() && self.pin_fresh,
        };
        if met { Ok(()) } else { Err(StatusWord::SECURITY_STATUS.into()) }
    }

    /// Asks for the touch, and takes a PIN-always verification: it serves one operation, also one
    /// that fails afterwards.
    fn use_key(&mut self, env: &Env<'_>, slot: SlotInfo) -> Result<(), Abort> {
        if slot.pin == PinPolicy::Always {
            self.pin_fresh = false;
        }
        self.require_touch(env, slot.touch)
    }

    /// Whether a key of this policy wants to be touched now.
    pub(super) fn touch_is_due(&self, env: &Env<'_>, policy: TouchPolicy) -> bool {
        let cached = policy == TouchPolicy::Cached && self.touched_until.is_some_and(|until| env.now < until);
        policy != TouchPolicy::Never && !cached
    }

    pub(super) fn require_touch(&mut self, env: &Env<'_>, policy: TouchPolicy) -> Result<(), Abort> {
        if !self.touch_is_due(env, policy) {
            return Ok(());
        }
        match env.conditions.touch {
            Touch::Auto => {
                self.touched_until = Some(env.now + TOUCH_CACHE);
                Ok(())
            }
            Touch::Never => Err(StatusWord::SECURITY_STATUS.into()),
        }
    }

    /// Takes the prepared key out of the cache, or prepares it.
    pub(super) fn prepare(&mut self, env: &Env<'_>, key: u8) -> Result<Prepared, Abort> {
        if let Some(prepared) = self.prepared.remove(&key) {
            return Ok(prepared);
        }
        let slot = keys::load(env.nvm, key).ok_or(StatusWord::INTERNAL)?;
        Ok(slot.key.prepare(env.backend)?)
    }
}
