//! What computes behind the contacts: a card that is simulated here, or a guest - a card of somebody else's, reached
//! from here - whose memory is its own.

use crate::icc::{Icc, Loss};
use crate::placement::HOP;
use cardlab_sim::atr::Protocol;
use cardlab_sim::card::Card;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use thiserror::Error;

/// Something was asked for that needs the memory of a card.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "{0} is not simulated here, its memory is its own: states, snapshots, undo, touches, and faults of power and memory are for \
     simulated cards"
)]
pub struct NotSimulated(pub(crate) String);

/// Whether a guest can be reached now: the other end of a line is there. A simulated card always can.
#[derive(Clone, Debug)]
pub struct Presence(Arc<AtomicBool>);

impl Presence {
    /// A guest's, who is not there yet.
    #[must_use]
    pub fn absent() -> Self {
        Self(Arc::new(AtomicBool::new(false)))
    }

    /// Somebody who is always there.
    #[must_use]
    pub fn always() -> Self {
        Self(Arc::new(AtomicBool::new(true)))
    }

    /// Whether it is there.
    #[must_use]
    pub fn is_there(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Says so.
    pub fn set(&self, is_there: bool) {
        self.0.store(is_there, Ordering::Relaxed);
    }
}

pub(crate) enum Chip {
    Simulated(Box<Card>),
    Guest(Guest),
}

pub(crate) struct Guest {
    /// As people call it: `vpcd 127.0.0.1:35963`.
    name: String,
    icc: Box<dyn Icc>,
    powered: bool,
    atr: Vec<u8>,
}

impl Guest {
    pub(crate) const fn new(name: String, icc: Box<dyn Icc>) -> Self {
        Self { name, icc, powered: false, atr: Vec::new() }
    }

    fn answered(&mut self, atr: Option<Vec<u8>>) -> Option<Vec<u8>> {
        self.powered = atr.is_some();
        self.atr = atr.clone().unwrap_or_default();
        atr
    }
}

impl Chip {
    pub(crate) fn simulated(&self) -> Option<&Card> {
        match self {
            Self::Simulated(card) => Some(card),
            Self::Guest(_) => None,
        }
    }

    pub(crate) fn simulated_mut(&mut self) -> Result<&mut Card, NotSimulated> {
        match self {
            Self::Simulated(card) => Ok(card),
            Self::Guest(guest) => Err(NotSimulated(guest.name.clone())),
        }
    }

    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Simulated(card) => &card.profile().name,
            Self::Guest(guest) => &guest.name,
        }
    }

    pub(crate) fn is_powered(&self) -> bool {
        match self {
            Self::Simulated(card) => card.is_powered(),
            Self::Guest(guest) => guest.powered,
        }
    }

    /// The answer to the last reset.
    pub(crate) fn atr(&self) -> &[u8] {
        match self {
            Self::Simulated(card) => card.atr().as_bytes(),
            Self::Guest(guest) => &guest.atr,
        }
    }

    pub(crate) fn power_on(&mut self) -> Option<Vec<u8>> {
        match self {
            Self::Simulated(card) => Some(card.power_on().as_bytes().to_vec()),
            Self::Guest(guest) => {
                let atr = guest.icc.power_on();
                guest.answered(atr)
            }
        }
    }

    pub(crate) fn reset(&mut self) -> Option<Vec<u8>> {
        match self {
            Self::Simulated(card) => Some(card.reset().as_bytes().to_vec()),
            Self::Guest(guest) => {
                let atr = guest.icc.reset();
                guest.answered(atr)
            }
        }
    }

    pub(crate) fn power_off(&mut self) {
        match self {
            Self::Simulated(card) => card.power_off(),
            Self::Guest(guest) => {
                guest.icc.power_off();
                guest.powered = false;
            }
        }
    }

    pub(crate) fn set_protocol(&mut self, protocol: Protocol) {
        match self {
            Self::Simulated(card) => card.set_protocol(protocol),
            Self::Guest(guest) => guest.icc.set_protocol(protocol),
        }
    }

    pub(crate) fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, Loss> {
        match self {
            Self::Simulated(card) => Ok(card.transmit(command)?),
            Self::Guest(guest) if guest.powered => guest.icc.transmit(command),
            Self::Guest(_) => Err(Loss::Power),
        }
    }

    /// Whether the command takes longer than the way to another thread.
    pub(crate) fn is_slow(&self, command: &[u8]) -> bool {
        match self {
            Self::Simulated(card) => card.computing_time(command) > HOP,
            Self::Guest(guest) => guest.icc.is_slow(command),
        }
    }
}
