//! A slot: its card, the command that is at work, a chain of blocks, an abort that is under way.

use super::message::{IccStatus, Message, Outcome, Reply, error, from_reader, to_reader};
use super::secure::PinBlock;
use super::{Function, Ticket, Work};
use crate::usb::ccid::message::MAX_DATA;
use cardlab_sim::atr::{Atr, Protocol};
use zeroize::Zeroizing;

/// Seconds after which a card that gives no ATR is mute. A host has no use for more time then (CCID 1.1 section 6.1.1).
const POWER_SECONDS: u8 = 2;
/// Fi/Di, checksum, guard time, BWI and CWI, clock stop, IFSC, NAD of T=1 (CCID 1.1 section 6.1.7).
const T1: [u8; 7] = [0x11, 0x10, 0x00, 0x45, 0x00, 0xFE, 0x00];
/// Fi/Di, convention, guard time, WI, clock stop of T=0.
const T0: [u8; 5] = [0x11, 0x00, 0x00, 0x0A, 0x00];

/// A command that the card, the reader or a person is busy with.
pub(super) struct Command {
    pub(super) kind: u8,
    pub(super) seq: u8,
    pub(super) ticket: Ticket,
    pub(super) keypad: bool,
    seconds: u8,
}

#[derive(Default)]
pub(super) struct Slot {
    pub(super) present: bool,
    /// Since the host was told last.
    pub(super) changed: bool,
    pub(super) powered: bool,
    command: Option<Command>,
    /// What the card speaks, and what is used.
    offered: Vec<Protocol>,
    protocol: Option<Protocol>,
    /// What has come of a command in several blocks.
    chain: Option<Zeroizing<Vec<u8>>>,
    /// The host has asked by endpoint 0 to abort the command of this number, and not yet by a message.
    aborting: Option<u8>,
    /// The last message that asked so.
    aborted: Option<u8>,
}

/// What a command at work needs after a second.
pub(super) enum Patience {
    Wait,
    Extend { seq: u8 },
    End,
}

/// The type of message that answers one of this type.
pub(super) const fn answer_to(kind: u8) -> u8 {
    match kind {
        to_reader::ICC_POWER_ON | to_reader::XFR_BLOCK | to_reader::SECURE => from_reader::DATA_BLOCK,
        to_reader::SET_PARAMETERS | to_reader::GET_PARAMETERS | to_reader::RESET_PARAMETERS => from_reader::PARAMETERS,
        to_reader::ESCAPE => from_reader::ESCAPE,
        to_reader::SET_DATA_RATE_AND_CLOCK_FREQUENCY => from_reader::DATA_RATE_AND_CLOCK_FREQUENCY,
        _ => from_reader::SLOT_STATUS,
    }
}

impl Slot {
    /// A slot that nobody has used yet.
    pub(super) fn fresh(present: bool) -> Self {
        Self { present, changed: present, ..Self::default() }
    }

    pub(super) const fn icc(&self) -> IccStatus {
        match (self.present, self.powered) {
            (false, _) => IccStatus::Absent,
            (true, false) => IccStatus::Inactive,
            (true, true) => IccStatus::Active,
        }
    }

    pub(super) const fn is_busy(&self) -> bool {
        self.command.is_some()
    }

    pub(super) fn asks_at_keypad(&self) -> Option<Ticket> {
        self.command.as_ref().filter(|command| command.keypad).map(|command| command.ticket)
    }

    /// The command with this ticket, which is over.
    pub(super) fn finish(&mut self, ticket: Ticket) -> Option<Command> {
        self.command.take_if(|command| command.ticket == ticket)
    }

    /// Whatever is at work, which nobody waits for any more. A chain is over too.
    pub(super) fn stop(&mut self) -> Option<Command> {
        self.chain = None;
        self.command.take()
    }

    pub(super) fn second(&mut self) -> Patience {
        let Some(command) = &mut self.command else { return Patience::Wait };
        command.seconds = command.seconds.saturating_add(1);
        match command.kind {
            to_reader::XFR_BLOCK | to_reader::SECURE => Patience::Extend { seq: command.seq },
            _ if command.seconds > POWER_SECONDS => Patience::End,
            _ => Patience::Wait,
        }
    }

    pub(super) fn powered_up(&mut self, atr: &[u8]) {
        self.powered = true;
        self.chain = None;
        self.offered = Atr::parse(atr).map(|atr| atr.protocols().to_vec()).unwrap_or_default();
        self.protocol = Some(self.usual_protocol());
    }

    fn usual_protocol(&self) -> Protocol {
        self.offered.first().copied().unwrap_or(Protocol::T0)
    }
}

impl Function {
    pub(super) fn at_slot(&mut self, slot: usize, message: &Message<'_>) {
        let Message { kind, seq, .. } = *message;
        if kind == to_reader::ABORT {
            return self.abort_by_message(slot, seq);
        }
        self.slots[slot].aborted = None;
        if self.slots[slot].aborting.is_some() {
            return self.fail(slot, kind, seq, error::ABORTED);
        }
        if self.slots[slot].is_busy() {
            return self.fail(slot, kind, seq, error::SLOT_BUSY);
        }
        if kind != to_reader::XFR_BLOCK {
            self.slots[slot].chain = None;
        }
        let state = &self.slots[slot];
        match kind {
            to_reader::ICC_POWER_ON if state.present => self.begin(slot, message, Work::PowerOn { warm: state.powered }),
            to_reader::ICC_POWER_OFF if state.powered => {
                self.slots[slot].powered = false;
                self.begin(slot, message, Work::PowerOff);
            }
            to_reader::ICC_POWER_ON => self.fail(slot, kind, seq, error::ICC_MUTE),
            to_reader::ICC_POWER_OFF | to_reader::GET_SLOT_STATUS | to_reader::ICC_CLOCK | to_reader::T0_APDU => {
                self.done(slot, kind, seq);
            }
            to_reader::SET_DATA_RATE_AND_CLOCK_FREQUENCY if message.data.len() == 8 => {
                let reply = self.reply(slot, answer_to(kind), seq);
                self.send(&Reply { data: message.data.to_vec(), ..reply });
            }
            to_reader::SET_DATA_RATE_AND_CLOCK_FREQUENCY => self.fail(slot, kind, seq, error::BAD_LENGTH),
            to_reader::XFR_BLOCK | to_reader::SECURE if !state.powered => self.fail(slot, kind, seq, error::ICC_MUTE),
            to_reader::XFR_BLOCK => self.block(slot, message),
            to_reader::SECURE => self.secure(slot, message),
            to_reader::GET_PARAMETERS => self.done(slot, kind, seq),
            to_reader::SET_PARAMETERS => self.set_parameters(slot, message),
            to_reader::RESET_PARAMETERS => self.use_protocol(slot, message, state.usual_protocol()),
            _ => self.fail(slot, kind, seq, error::NOT_SUPPORTED),
        }
    }

    /// The slot is busy until this is done.
    fn begin(&mut self, slot: usize, message: &Message<'_>, work: Work) {
        let keypad = matches!(work, Work::AtKeypad(_));
        let ticket = self.act(slot, work);
        self.slots[slot].command = Some(Command { kind: message.kind, seq: message.seq, ticket, keypad, seconds: 0 });
    }

    /// The answer to what has nothing else to say than that it is done.
    pub(super) fn done(&mut self, slot: usize, kind: u8, seq: u8) {
        let reply = self.reply(slot, answer_to(kind), seq);
        match (reply.kind, self.slots[slot].protocol.unwrap_or(Protocol::T0)) {
            (from_reader::PARAMETERS, Protocol::T1) => self.send(&Reply { parameter: 1, data: T1.to_vec(), ..reply }),
            (from_reader::PARAMETERS, Protocol::T0) => self.send(&Reply { parameter: 0, data: T0.to_vec(), ..reply }),
            _ => self.send(&reply),
        }
    }

    /// A command, or one block of it (CCID 1.1 section 6.1.4, wLevelParameter of the extended APDU level).
    fn block(&mut self, slot: usize, message: &Message<'_>) {
        let state = &mut self.slots[slot];
        let (begins, ends) = match message.parameters {
            [_, 0, 0] => (true, true),
            [_, 1, 0] => (true, false),
            [_, 2, 0] => (false, true),
            [_, 3, 0] => (false, false),
            _ => return self.fail(slot, message.kind, message.seq, error::BAD_LEVEL),
        };
        let chain = state.chain.take();
        let mut command = match (begins, chain) {
            (true, _) => Zeroizing::default(),
            (false, Some(chain)) => chain,
            (false, None) => return self.fail(slot, message.kind, message.seq, error::BAD_LEVEL),
        };
        if command.len() + message.data.len() > MAX_DATA {
            return self.fail(slot, message.kind, message.seq, error::BAD_LENGTH);
        }
        command.extend_from_slice(message.data);
        if ends {
            return self.begin(slot, message, Work::Transmit(command));
        }
        state.chain = Some(command);
        // bChainParameter: send on.
        let reply = self.reply(slot, from_reader::DATA_BLOCK, message.seq);
        self.send(&Reply { parameter: 0x10, ..reply });
    }

    fn secure(&mut self, slot: usize, message: &Message<'_>) {
        if !self.identity.pin_pad {
            return self.fail(slot, message.kind, message.seq, error::NOT_SUPPORTED);
        }
        match PinBlock::read(message.data) {
            Some(block) => self.begin(slot, message, Work::AtKeypad(block)),
            None => self.fail(slot, message.kind, message.seq, error::BAD_PIN_BLOCK),
        }
    }

    fn set_parameters(&mut self, slot: usize, message: &Message<'_>) {
        let wanted = match (message.parameters[0], message.data.len()) {
            (0, 5) => Protocol::T0,
            (1, 7) => Protocol::T1,
            (0 | 1, _) => return self.fail(slot, message.kind, message.seq, error::BAD_LENGTH),
            _ => return self.fail(slot, message.kind, message.seq, error::BAD_PROTOCOL),
        };
        let state = &self.slots[slot];
        if !state.powered {
            self.fail(slot, message.kind, message.seq, error::ICC_MUTE);
        } else if !state.offered.is_empty() && !state.offered.contains(&wanted) {
            self.fail(slot, message.kind, message.seq, error::BAD_PROTOCOL);
        } else {
            self.use_protocol(slot, message, wanted);
        }
    }

    fn use_protocol(&mut self, slot: usize, message: &Message<'_>, protocol: Protocol) {
        let state = &mut self.slots[slot];
        if state.protocol == Some(protocol) || !state.powered {
            return self.done(slot, message.kind, message.seq);
        }
        state.protocol = Some(protocol);
        self.begin(slot, message, Work::SetProtocol(protocol));
    }

    /// PC_to_RDR_Abort: the command that is at work is answered by nothing but this.
    fn abort_by_message(&mut self, slot: usize, seq: u8) {
        self.stop_for_host(slot);
        let state = &mut self.slots[slot];
        state.aborted = match state.aborting.take() {
            Some(_) => None,
            None => Some(seq),
        };
        let reply = self.reply(slot, from_reader::SLOT_STATUS, seq);
        self.send(&Reply { outcome: Outcome::Done, ..reply });
    }

    /// ABORT at endpoint 0, before or after the message of the same number.
    pub(super) fn abort_by_control(&mut self, slot: usize, seq: u8) {
        let Some(state) = self.slots.get_mut(slot) else { return };
        if state.aborted.take_if(|aborted| *aborted == seq).is_none() {
            state.aborting = Some(seq);
            self.stop_for_host(slot);
        }
    }

    fn stop_for_host(&mut self, slot: usize) {
        if let Some(command) = self.slots[slot].stop()
            && command.keypad
        {
            self.actions.push_back(super::Action { slot, ticket: command.ticket, what: Work::GiveUp });
        }
    }
}
