//! The CCID function (USB-IF, "Device Class: Smart Card CCID", 1.1), as a state machine without I/O and without a clock.
//!
//! | file | what it knows |
//! |---|---|
//! | [`message`] | messages of the bulk endpoints, bytes only |
//! | [`secure`] | PIN blocks |
//! | `control` | requests to endpoint 0 |
//! | `slot` | a slot: its card, the command at work, chains, aborts |
//!
//! In go transfers ([`Function::control`], [`Function::write`], [`Function::read`]), what happens to cards
//! ([`Function::card`], [`Function::lost_power`]), what became of an action ([`Function::ended`]), and every second
//! [`Function::second`]. Out come what is read, and [`Action`]s, which the caller carries out at the cards.
//!
//! A host may write anything, in pieces of any size: what it can make this keep is one message of [`message::MAX_DATA`]
//! bytes, a chain of as many a slot, and [`MOST_UNREAD`] replies that it does not read. After a message that is longer
//! than any reader takes the endpoint is halted until the host clears that.

mod control;
pub mod message;
pub mod secure;
mod slot;

pub use control::Setup;

use crate::icc::Loss;
use crate::usb::descriptor::{BULK_IN, BULK_OUT, INTERRUPT_IN, Identity};
use cardlab_protocol::status::StatusWord;
use cardlab_sim::atr::Protocol;
use message::{Message, Parsed, Reply, error, from_reader};
use secure::PinBlock;
use slot::Slot;
use std::collections::VecDeque;
use zeroize::Zeroizing;

/// Replies that a host may leave unread; a reader has little memory.
pub const MOST_UNREAD: usize = 64;

/// The transfer is refused by a STALL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stall;

/// Which command an action belongs to. None comes twice.
pub type Ticket = u64;

/// What is to be done at a slot's card; [`Function::ended`] hears of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Action {
    /// The slot, from 0.
    pub slot: usize,
    /// For [`Function::ended`].
    pub ticket: Ticket,
    /// What it is.
    pub what: Work,
}

/// What is to be done.
#[derive(Clone, PartialEq, Eq)]
pub enum Work {
    /// Give it power and ask for its ATR: a cold reset, or a warm one of a card that has power.
    PowerOn {
        /// It has power.
        warm: bool,
    },
    /// Take its power away.
    PowerOff,
    /// Use this protocol from now on.
    SetProtocol(Protocol),
    /// Send it a command APDU.
    Transmit(Zeroizing<Vec<u8>>),
    /// Ask for a PIN at the keypad, and send the command with it.
    AtKeypad(PinBlock),
    /// Nobody waits for a PIN any more that this ticket asked for.
    GiveUp,
}

/// What became of an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The card's ATR, or nothing.
    Power(Option<Vec<u8>>),
    /// Done; there is nothing to tell.
    Done,
    /// The card's answer.
    Answer(Result<Vec<u8>, Loss>),
    /// The keypad answered instead of the card.
    Keypad(StatusWord),
}

/// A reply, and what of it was read.
struct Unread {
    bytes: Vec<u8>,
    read: usize,
}

/// A reader's function.
pub struct Function {
    identity: Identity,
    configured: bool,
    /// The bulk OUT endpoint is halted.
    halted: bool,
    /// What has come of a message.
    collected: Zeroizing<Vec<u8>>,
    replies: VecDeque<Unread>,
    slots: Vec<Slot>,
    actions: VecDeque<Action>,
    tickets: Ticket,
}

impl Function {
    /// A device that was just plugged in, with empty slots.
    #[must_use]
    pub fn new(identity: Identity) -> Self {
        let slots = (0..identity.slots).map(|_| Slot::default()).collect();
        Self {
            identity,
            configured: false,
            halted: false,
            collected: Zeroizing::default(),
            replies: VecDeque::new(),
            slots,
            actions: VecDeque::new(),
            tickets: 0,
        }
    }

    /// Who it is.
    #[must_use]
    pub const fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Whether the host has chosen the configuration.
    #[must_use]
    pub const fn is_configured(&self) -> bool {
        self.configured
    }

    /// The next thing to be done at a card, in the order they were asked for.
    pub fn next_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// Whether a command is at work in some slot, so that [`Function::second`] is to be called.
    #[must_use]
    pub fn is_working(&self) -> bool {
        self.slots.iter().any(Slot::is_busy)
    }

    /// Data for an OUT endpoint.
    ///
    /// # Errors
    /// [`Stall`]: no such endpoint, a halted one, a message that is too long, too many replies unread.
    pub fn write(&mut self, endpoint: u8, data: &[u8]) -> Result<(), Stall> {
        if endpoint != BULK_OUT || !self.configured || self.halted {
            return Err(Stall);
        }
        let mut collected = std::mem::take(&mut self.collected);
        collected.extend_from_slice(data);
        let mut used = 0;
        let refused = loop {
            match message::parse(&collected[used..]) {
                Parsed::Incomplete => break false,
                Parsed::Complete(..) if self.replies.len() >= MOST_UNREAD => break true,
                Parsed::TooLong => break true,
                Parsed::Complete(message, length) => {
                    self.message(&message);
                    used += length;
                }
            }
        };
        if refused {
            self.halted = true;
            return Err(Stall);
        }
        // What is left is the beginning of one message: no PIN of those before stays.
        if used < collected.len() {
            self.collected.extend_from_slice(&collected[used..]);
        }
        Ok(())
    }

    /// Up to `most` bytes of an IN endpoint: a reply or the next piece of one, or which slots have changed. `None`:
    /// nothing yet; ask again when something has happened.
    pub fn read(&mut self, endpoint: u8, most: usize) -> Option<Vec<u8>> {
        match endpoint {
            BULK_IN if self.configured => self.read_reply(most),
            INTERRUPT_IN if self.configured => self.changes(most),
            _ => None,
        }
    }

    /// Whether there is such an IN endpoint.
    #[must_use]
    pub const fn has_in(endpoint: u8) -> bool {
        matches!(endpoint, BULK_IN | INTERRUPT_IN)
    }

    fn read_reply(&mut self, most: usize) -> Option<Vec<u8>> {
        let reply = self.replies.front_mut()?;
        if reply.read == 0 && reply.bytes.len() <= most {
            return self.replies.pop_front().map(|reply| reply.bytes);
        }
        let end = reply.bytes.len().min(reply.read + most);
        let piece = reply.bytes[reply.read..end].to_vec();
        reply.read = end;
        if end == reply.bytes.len() {
            self.replies.pop_front();
        }
        Some(piece)
    }

    /// RDR_to_PC_NotifySlotChange: two bits a slot, present and changed.
    fn changes(&mut self, most: usize) -> Option<Vec<u8>> {
        if !self.slots.iter().any(|slot| slot.changed) {
            return None;
        }
        let mut bits = vec![0x50; 1];
        bits.resize(1 + self.slots.len().div_ceil(4), 0);
        for (index, slot) in self.slots.iter_mut().enumerate() {
            let state = u8::from(slot.present) | u8::from(std::mem::take(&mut slot.changed)) << 1;
            bits[1 + index / 4] |= state << (index % 4 * 2);
        }
        bits.truncate(most);
        Some(bits)
    }

    /// The bus is reset: everything is as after plugging in, and cards lose their power.
    pub fn reset(&mut self) {
        self.set_configuration(0);
    }

    /// SET_CONFIGURATION; `false` when there is none of this number.
    pub fn set_configuration(&mut self, number: u8) -> bool {
        if number > 1 {
            return false;
        }
        (self.configured, self.halted) = (number == 1, false);
        self.collected = Zeroizing::default();
        self.replies.clear();
        for index in 0..self.slots.len() {
            let present = self.slots[index].present;
            let before = std::mem::replace(&mut self.slots[index], Slot::fresh(present));
            if let Some(ticket) = before.asks_at_keypad() {
                self.actions.push_back(Action { slot: index, ticket, what: Work::GiveUp });
            }
            if before.powered || before.is_busy() {
                self.act(index, Work::PowerOff);
            }
        }
        true
    }

    /// A card is in the slot now, or is not.
    pub fn card(&mut self, slot: usize, present: bool) {
        let Some(state) = self.slots.get_mut(slot).filter(|state| state.present != present) else { return };
        (state.present, state.changed, state.powered) = (present, true, false);
        self.lost(slot);
    }

    /// Somebody else took the card's power away, reset it, or put another in its place: the host is told as of a card that
    /// was out for a moment.
    pub fn lost_power(&mut self, slot: usize) {
        let Some(state) = self.slots.get_mut(slot).filter(|state| state.powered) else { return };
        (state.changed, state.powered) = (true, false);
        self.lost(slot);
    }

    /// What was at work with the card has failed.
    fn lost(&mut self, slot: usize) {
        if let Some(command) = self.slots[slot].stop() {
            if command.keypad {
                self.actions.push_back(Action { slot, ticket: command.ticket, what: Work::GiveUp });
            }
            self.fail(slot, command.kind, command.seq, error::ICC_MUTE);
        }
    }

    /// A second has gone by: what still works asks for more time, since hosts wait three seconds and not longer.
    pub fn second(&mut self) {
        for index in 0..self.slots.len() {
            match self.slots[index].second() {
                slot::Patience::Wait => {}
                slot::Patience::Extend { seq } if self.replies.len() < MOST_UNREAD => {
                    let reply = self.reply(index, from_reader::DATA_BLOCK, seq);
                    self.send(&Reply { outcome: message::Outcome::MoreTime, ..reply });
                }
                slot::Patience::Extend { .. } => {}
                slot::Patience::End => self.lost(index),
            }
        }
    }

    /// What became of an action; of one that nobody waits for any more nothing does.
    pub fn ended(&mut self, slot: usize, ticket: Ticket, ended: Ended) {
        let Some(state) = self.slots.get_mut(slot) else { return };
        let Some(command) = state.finish(ticket) else { return };
        let (kind, seq) = (command.kind, command.seq);
        match ended {
            Ended::Power(Some(atr)) => {
                state.powered_up(&atr);
                self.data(slot, seq, atr);
            }
            Ended::Power(None) => {
                state.powered = false;
                self.fail(slot, kind, seq, error::ICC_MUTE);
            }
            Ended::Done => self.done(slot, kind, seq),
            Ended::Answer(Ok(answer)) => self.data(slot, seq, answer),
            Ended::Answer(Err(loss)) => {
                if loss == Loss::Power {
                    (state.powered, state.changed) = (false, true);
                }
                self.fail(slot, kind, seq, error::ICC_MUTE);
            }
            Ended::Keypad(crate::pin_pad::CANCELLED) => self.fail(slot, kind, seq, error::PIN_CANCELLED),
            Ended::Keypad(crate::pin_pad::TIMEOUT) => self.fail(slot, kind, seq, error::PIN_TIMEOUT),
            Ended::Keypad(status) => self.data(slot, seq, status.to_bytes().to_vec()),
        }
    }

    fn message(&mut self, message: &Message<'_>) {
        let index = usize::from(message.slot);
        if index >= self.slots.len() {
            let icc = message::IccStatus::Absent;
            let outcome = message::Outcome::Failed(error::BAD_SLOT);
            let kind = slot::answer_to(message.kind);
            let reply = Reply { kind, slot: message.slot, seq: message.seq, icc, outcome, parameter: 0, data: Vec::new() };
            return self.send(&reply);
        }
        self.at_slot(index, message);
    }

    fn act(&mut self, slot: usize, what: Work) -> Ticket {
        self.tickets += 1;
        self.actions.push_back(Action { slot, ticket: self.tickets, what });
        self.tickets
    }

    /// A reply that says where the card is, done.
    fn reply(&self, slot: usize, kind: u8, seq: u8) -> Reply {
        let (icc, outcome) = (self.slots[slot].icc(), message::Outcome::Done);
        Reply { kind, slot: slot as u8, seq, icc, outcome, parameter: 0, data: Vec::new() }
    }

    fn data(&mut self, slot: usize, seq: u8, data: Vec<u8>) {
        let reply = self.reply(slot, from_reader::DATA_BLOCK, seq);
        self.send(&Reply { data, ..reply });
    }

    /// `kind` is the command's.
    fn fail(&mut self, slot: usize, kind: u8, seq: u8, error: u8) {
        let reply = self.reply(slot, slot::answer_to(kind), seq);
        self.send(&Reply { outcome: message::Outcome::Failed(error), ..reply });
    }

    fn send(&mut self, reply: &Reply) {
        self.replies.push_back(Unread { bytes: reply.to_bytes(), read: 0 });
    }
}

#[cfg(test)]
mod tests;
