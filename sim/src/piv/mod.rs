//! The PIV card edge, SP 800-73-4 part 2 with revision 5's changes.
//!
//! One file a command. `Piv` holds what is volatile: the security status, a pending challenge,
//! prepared keys. Everything else is in [`crate::nvm`], laid out in [`crate::keys`], `pins` and
//! [`objects`]. YubiKey's own commands are in `yubikey` and work on the same state.
//!
//! | INS | command | file |
//! |---|---|---|
//! | A4 | SELECT | `select` |
//! | CB | GET DATA | `get_data` |
//! | 20 | VERIFY | `verify`, `pairing` |
//! | 24 | CHANGE REFERENCE DATA | `change_reference_data` |
//! | 2C | RESET RETRY COUNTER | `reset_retry_counter` |
//! | 87 | GENERAL AUTHENTICATE | `general_authenticate`, `administration`, `messaging` |
//! | DB | PUT DATA | `put_data` |
//! | 47 | GENERATE ASYMMETRIC KEY PAIR | `generate` |

pub mod access;
mod administration;
mod change_reference_data;
pub(crate) mod content;
pub mod factory;
mod general_authenticate;
mod generate;
mod get_data;
mod messaging;
pub mod objects;
mod pairing;
pub(crate) mod pins;
mod put_data;
mod reset_retry_counter;
mod select;
mod verify;

use crate::applet::{Applet, Challenge, Env, Messaging, Standing};
use crate::conditions::Conditions;
use crate::crypto::asymmetric::Prepared;
use crate::crypto::backend::Backend;
use crate::keys;
use crate::nvm::Nvm;
use crate::profile::{PinAlways, Profile};
use crate::status::{Abort, StatusWord};
use crate::yubikey::{self, device};
use access::Reach;
use administration::Pending;
use cardlab_protocol::apdu::Command;
use std::collections::BTreeMap;
use std::time::Duration;

/// RID of NIST.
pub(crate) const RID: [u8; 5] = [0xA0, 0x00, 0x00, 0x03, 0x08];
/// The PIV Card Application's AID, SP 800-73-4 part 1 section 2.2.
pub const AID: [u8; 11] = [0xA0, 0x00, 0x00, 0x03, 0x08, 0x00, 0x00, 0x10, 0x00, 0x01, 0x00];

/// The volatile state of the application.
#[derive(Default)]
pub(crate) struct Piv {
    /// PIV PIN verified (application indicator).
    pub(crate) pin: bool,
    /// Global PIN verified (global indicator: survives a change of application).
    pub(crate) global_pin: bool,
    /// The pairing code was given.
    pub(crate) paired: bool,
    /// A PIN was verified and no PIN-always key has used that yet.
    pub(crate) pin_fresh: bool,
    /// Administrator key authenticated.
    pub(crate) admin: bool,
    pub(crate) pending: Option<Pending>,
    /// Keys made ready since power came on, by key reference.
    pub(crate) prepared: BTreeMap<u8, Prepared>,
    /// Until when a cached touch counts.
    pub(crate) touched_until: Option<Duration>,
}

impl Piv {
    /// Whether the rule "PIN" is met: the PIV PIN, or the Global PIN where the card has one.
    pub(crate) fn pin_verified(&self) -> bool {
        self.pin || self.global_pin
    }

    pub(crate) fn require_admin(&self) -> Result<(), Abort> {
        if self.admin { Ok(()) } else { Err(StatusWord::SECURITY_STATUS.into()) }
    }

    /// Application indicators become false (SP 800-73-4 part 2 section 2.4.2).
    pub(crate) fn clear_status(&mut self) {
        self.pin = false;
        self.pin_fresh = false;
        self.paired = false;
        self.admin = false;
        self.pending = None;
    }
}

/// Refuses a command that SP 800-73 does not offer on the contactless interface (6A81).
pub(crate) fn contact_only(piv: &Piv, env: &Env<'_>) -> Result<(), Abort> {
    if access::reach(piv, env) < Reach::Contact { Err(StatusWord::NOT_SUPPORTED.into()) } else { Ok(()) }
}

impl Applet for Piv {
    fn name(&self) -> &'static str {
        "piv"
    }

    fn answers_to(&self, aid: &[u8], profile: &Profile) -> bool {
        aid.len() >= profile.piv().aid_prefix && AID.starts_with(aid)
    }

    fn is_on(&self, nvm: &Nvm, profile: &Profile, conditions: Conditions) -> bool {
        device::is_on(nvm, profile, conditions, device::PIV)
    }

    fn select(&mut self, env: &mut Env<'_>, _command: &Command<'_>, again: bool, out: &mut Vec<u8>) -> Result<(), Abort> {
        // Even where the status is kept: a challenge is read out to somebody, and whoever selects
        // may be another program.
        self.pending = None;
        if again && !env.profile.piv().reselect_keeps {
            self.clear_status();
        }
        select::property_template(env.nvm, env.profile, out);
        Ok(())
    }

    fn messaging(&self, nvm: &Nvm, ins: u8) -> Messaging {
        match ins {
            _ if messaging::suite(nvm).is_none() => Messaging::Unsupported,
            0xCB => Messaging::CarriedWithLe,
            0x20 | 0x24 | 0x87 => Messaging::Carried,
            _ => Messaging::Unsupported,
        }
    }

    fn wants_touch(&self, env: &Env<'_>, command: &Command<'_>) -> bool {
        let slot = keys::info(env.nvm, command.p2).filter(|_| command.ins == 0x87);
        slot.is_some_and(|slot| self.touch_is_due(env, slot.touch))
    }

    fn computing_time(&self, nvm: &Nvm, profile: &Profile, backend: &dyn Backend, command: &Command<'_>) -> Duration {
        match (command.ins, &profile.yubikey) {
            (0x47, _) => keys::GENERATION,
            (0x87, _) if command.p2 == keys::MESSAGING => keys::private_time(nvm, keys::MESSAGING, backend),
            (0x87, _) => {
                let key = keys::info(nvm, command.p2).filter(|slot| slot.algorithm.id() == command.p1);
                key.map_or(Duration::ZERO, |slot| slot.algorithm.private_time(backend))
            }
            (_, Some(rules)) => yubikey::computing_time(nvm, rules, backend, command),
            (_, None) => Duration::ZERO,
        }
    }

    fn standing(&self) -> Standing {
        let pending = self.pending.as_ref().map(|pending| match pending {
            Pending::Challenge(challenge) => Challenge::Clear(challenge.to_vec()),
            Pending::Witness(_) => Challenge::Hidden,
        });
        Standing { pin: self.pin_verified(), admin: self.admin, pending }
    }

    fn deselect(&mut self) {
        self.clear_status();
    }

    fn reset(&mut self) {
        *self = Self::default();
    }

    fn process(&mut self, env: &mut Env<'_>, command: &Command<'_>, out: &mut Vec<u8>) -> Result<(), Abort> {
        let was_fresh = self.pin_fresh;
        let result = match command.ins {
            0x20 => verify::process(self, env, command),
            0x24 => change_reference_data::process(self, env, command),
            0x2C => reset_retry_counter::process(self, env, command),
            0x47 => generate::process(self, env, command, out),
            0x87 => general_authenticate::process(self, env, command, out),
            0xA4 => Err(StatusWord::WRONG_P1P2.into()),
            0xCB => get_data::process(self, env, command, out),
            0xDB => put_data::process(self, env, command),
            0xFF if env.profile.piv().admin_unblock => yubikey::set_management_key(self, env, command),
            _ => match &env.profile.yubikey {
                Some(rules) => yubikey::process(self, env, rules, command, out),
                None => Err(StatusWord::UNKNOWN_INS.into()),
            },
        };
        // Only a VERIFY or CHANGE that has just succeeded leaves the PIN fresh for a card that
        // reads "immediately before" strictly.
        if env.profile.piv().pin_always == PinAlways::NextCommand && was_fresh && !matches!(command.ins, 0x20 | 0x24) {
            self.pin_fresh = false;
        }
        result
    }
}
