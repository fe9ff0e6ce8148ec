//! What a card asks of the applications on it: the interface of a card edge, those of this crate and those of others
//! ([`crate::own`]).
//!
//! The card does what all cards do: power, SELECT by name, chains of commands, long answers and GET RESPONSE, lengths of T=0
//! and T=1. An applet sees whole commands and gives data and a status word. What it must keep stands in [`Env::nvm`], each
//! change in a transaction; what it has in its own fields is gone with [`Applet::reset`]. It counts secrets with
//! [`crate::reference`], and computes at no other time than [`Env::now`] and with no other randomness than
//! [`Env::random`], so that a session under a seed repeats.

use crate::channel::Channel;
use crate::conditions::Conditions;
use crate::crypto::backend::Backend;
use crate::nvm::Nvm;
use crate::profile::Profile;
use crate::random::Random;
use crate::status::Abort;
pub use cardlab_protocol::apdu::Command;
use std::time::Duration;

/// What an applet may use while it processes a command.
pub struct Env<'a> {
    /// Non-volatile memory.
    pub nvm: &'a mut Nvm,
    /// Random source.
    pub random: &'a mut Random,
    /// Private operations.
    pub backend: &'a dyn Backend,
    /// The card's rules.
    pub profile: &'a Profile,
    /// What surrounds the card now.
    pub conditions: Conditions,
    /// The secure channel that is open; an applet that agrees on keys opens one, the card wraps and unwraps.
    pub(crate) channel: &'a mut Option<Channel>,
    /// Whether this command came through it.
    pub(crate) secured: bool,
    /// Time since some fixed moment; only differences mean something.
    pub now: Duration,
}

/// What secure messaging (class bits 0C) does for an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Messaging {
    /// There is none, or not for this instruction.
    Unsupported,
    /// It is carried.
    Carried,
    /// It is carried, and always has an Le.
    CarriedWithLe,
}

/// What an application has in RAM of who has proved what, for whoever looks at the card.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// A PIN is verified: the application's own, or the global one.
    pub pin: bool,
    /// The administrator key is authenticated.
    pub admin: bool,
    /// What the host has to answer.
    pub pending: Option<Challenge>,
}

/// A block that the card waits for the answer to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Challenge {
    /// Given out in the clear; these bytes.
    Clear(Vec<u8>),
    /// Given out in another way, or secret: a witness, or both sides' numbers.
    Hidden,
}

/// An application on a card.
pub trait Applet: Send {
    /// What it is called - `piv`, `gids`, `management`, `otp` - where people name it: in a fault's `applet=`.
    fn name(&self) -> &'static str;

    /// Whether SELECT by name with `aid` (perhaps right-truncated) means this application.
    fn answers_to(&self, aid: &[u8], profile: &Profile) -> bool;

    /// Whether it is switched on: otherwise SELECT does not find it.
    fn is_on(&self, nvm: &Nvm, profile: &Profile, conditions: Conditions) -> bool {
        let _ = (nvm, profile, conditions);
        true
    }

    /// The values that P2 of a SELECT by name may have; others are 6A86 and select nothing.
    fn select_options(&self) -> &'static [u8] {
        &[0x00]
    }

    /// SELECT: the response data go to `out`. `again` tells that the application was selected already.
    ///
    /// # Errors
    /// [`Abort`] with the status word to answer.
    fn select(&mut self, env: &mut Env<'_>, command: &Command<'_>, again: bool, out: &mut Vec<u8>) -> Result<(), Abort>;

    /// Whether it has commands of class 80.
    fn is_proprietary(&self) -> bool {
        false
    }

    /// Whether secure messaging carries this instruction now.
    fn messaging(&self, nvm: &Nvm, ins: u8) -> Messaging {
        let _ = (nvm, ins);
        Messaging::Unsupported
    }

    /// Whether this command is carried out only after a touch.
    fn wants_touch(&self, env: &Env<'_>, command: &Command<'_>) -> bool {
        let _ = (env, command);
        false
    }

    /// About how long this command, chains joined, computes with the keys of `nvm`; zero for one that does not.
    /// Decided by the command and the key that it names alone: one that the security status forbids, or whose
    /// data are wrong, is over sooner.
    fn computing_time(&self, nvm: &Nvm, profile: &Profile, backend: &dyn Backend, command: &Command<'_>) -> Duration {
        let _ = (nvm, profile, backend, command);
        Duration::ZERO
    }

    /// What it has in RAM of who has proved what.
    fn standing(&self) -> Standing {
        Standing::default()
    }

    /// Another application has been selected.
    fn deselect(&mut self);

    /// The card was reset or lost power: everything volatile is gone.
    fn reset(&mut self);

    /// Any other command, chains joined; the response data go to `out`.
    ///
    /// # Errors
    /// [`Abort`] with the status word to answer; what stands in `out` is then dropped.
    fn process(&mut self, env: &mut Env<'_>, command: &Command<'_>, out: &mut Vec<u8>) -> Result<(), Abort>;
}

/// An application that nobody can select.
pub(crate) struct Nothing;

impl Applet for Nothing {
    fn name(&self) -> &'static str {
        "nothing"
    }

    fn answers_to(&self, _: &[u8], _: &Profile) -> bool {
        false
    }

    fn select(&mut self, _: &mut Env<'_>, _: &Command<'_>, _: bool, _: &mut Vec<u8>) -> Result<(), Abort> {
        Ok(())
    }

    fn deselect(&mut self) {}

    fn reset(&mut self) {}

    fn process(&mut self, _: &mut Env<'_>, _: &Command<'_>, _: &mut Vec<u8>) -> Result<(), Abort> {
        Err(crate::status::StatusWord::UNKNOWN_INS.into())
    }
}
