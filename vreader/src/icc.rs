//! A card in a slot (ICC, integrated circuit card), as a reader sees it.

use crate::trace::Trace;
use cardlab_sim::atr::Protocol;
use cardlab_sim::card::{Card, NoAnswer};

/// What a reader does with the card in its slot.
pub trait Icc: Send {
    /// Cold reset; the ATR, or `None` when the card does not answer.
    fn power_on(&mut self) -> Option<Vec<u8>>;

    /// Warm reset; the ATR, or `None` when the card does not answer.
    fn reset(&mut self) -> Option<Vec<u8>>;

    /// Takes the power away.
    fn power_off(&mut self);

    /// The protocol that was chosen.
    fn set_protocol(&mut self, protocol: Protocol);

    /// Sends a command APDU.
    ///
    /// # Errors
    /// [`NoAnswer`] when the card has no power or loses it.
    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, NoAnswer>;

    /// Whether this command may take so long that others must not wait for its thread.
    fn is_slow(&self, command: &[u8]) -> bool;
}

/// GENERATE ASYMMETRIC KEY PAIR: the only command that searches for primes.
const INS_GENERATE: u8 = 0x47;

/// A simulated card with its trace.
pub struct VirtualCard {
    card: Card,
    trace: Option<Trace>,
}

impl VirtualCard {
    /// A card in a slot; every exchange goes to `trace` when there is one.
    #[must_use]
    pub const fn new(card: Card, trace: Option<Trace>) -> Self {
        Self { card, trace }
    }

    fn event(&mut self, text: &str) {
        if let Some(trace) = &mut self.trace {
            trace.event(text, self.card.atr().as_bytes());
        }
    }
}

impl Icc for VirtualCard {
    fn power_on(&mut self) -> Option<Vec<u8>> {
        let atr = self.card.power_on().as_bytes().to_vec();
        self.event("power on");
        Some(atr)
    }

    fn reset(&mut self) -> Option<Vec<u8>> {
        let atr = self.card.reset().as_bytes().to_vec();
        self.event("reset");
        Some(atr)
    }

    fn power_off(&mut self) {
        self.card.power_off();
        if let Some(trace) = &mut self.trace {
            trace.event("power off", &[]);
        }
    }

    fn set_protocol(&mut self, protocol: Protocol) {
        self.card.set_protocol(protocol);
    }

    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, NoAnswer> {
        let response = self.card.transmit(command);
        if let Some(trace) = &mut self.trace {
            trace.exchange(command, response.as_deref().ok());
        }
        response
    }

    fn is_slow(&self, command: &[u8]) -> bool {
        command.get(1) == Some(&INS_GENERATE)
    }
}
