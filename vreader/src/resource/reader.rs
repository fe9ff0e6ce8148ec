//! Readers, the cards in them, and the states that clients see.

use super::{Flag, Resource, SlotCard};
use crate::icc::Icc;
use cardlab_pcsclite::code::{protocol, state};
use cardlab_pcsclite::wire::ReaderState;
use cardlab_sim::atr::{Atr, Protocol};

/// A reader from the moment it is plugged in until it is unplugged.
///
/// It names this one time and no other: what still speaks of it afterwards - a command under way, a timer, a
/// caller - meets nobody, also when the same reader is back in its slot. [`crate::Place`] is what stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ReaderId {
    /// From 0; a slot belongs to one reader for ever, so its name stays as well.
    slot: usize,
    /// How often the reader was plugged in before.
    time: u64,
}

impl ReaderId {
    /// Its place in the list of readers that programs get, from 0.
    pub(super) const fn slot(self) -> usize {
        self.slot
    }
}

/// Where a reader is plugged in, for as long as the server lives.
pub(super) struct Slot {
    /// With ` RR 00` at its end.
    name: String,
    /// How often it was unplugged.
    time: u64,
    reader: Option<Reader>,
}

impl Slot {
    /// The reader that is plugged in now.
    pub(super) const fn reader(&self) -> Option<&Reader> {
        self.reader.as_ref()
    }

    /// The reader, when it has not been unplugged since `id` was given.
    pub(super) fn holding(&self, id: ReaderId) -> Option<&Reader> {
        self.reader.as_ref().filter(|_| self.time == id.time)
    }

    /// As [`Slot::holding`].
    pub(super) fn holding_mut(&mut self, id: ReaderId) -> Option<&mut Reader> {
        self.reader.as_mut().filter(|_| self.time == id.time)
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Lock {
    pub(super) owner: u32,
    pub(super) depth: u32,
}

/// What is in the slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    Absent,
    /// A card that gave this ATR.
    Present {
        atr: Vec<u8>,
        powered: bool,
    },
    /// A card that does not answer.
    Mute,
}

/// How the reader is shared, as far as waiting clients are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sharing {
    Free,
    InUse,
    Exclusive,
}

pub(super) struct Reader {
    pub(super) name: String,
    pub(super) presence: Presence,
    /// The reader itself does not work.
    pub(super) failing: bool,
    /// It has a keypad for PINs.
    pub(super) pin_pad: bool,
    /// Another machine has it as a USB device, and has powered the card.
    pub(super) guest: bool,
    pub(super) lock: Option<Lock>,
    pub(super) exclusive: bool,
    pub(super) handles: Vec<u32>,
    /// Protocol in use, as a bit; 0 for none yet.
    pub(super) protocol: u32,
    /// Whether the automatic power-off has let the protocol lapse; invisible to clients otherwise.
    pub(super) resting: bool,
    event_counter: u16,
    pub(super) published: Sharing,
    /// Changes with every handle opened: an idle timer that started before is void.
    pub(super) uses: u64,
}

impl Reader {
    fn new(name: String) -> Self {
        Self {
            name,
            presence: Presence::Absent,
            failing: false,
            pin_pad: false,
            guest: false,
            lock: None,
            exclusive: false,
            handles: Vec::new(),
            protocol: protocol::UNDEFINED,
            resting: false,
            event_counter: 0,
            published: Sharing::Free,
            uses: 0,
        }
    }

    pub(super) fn sharing(&self) -> Sharing {
        match (self.exclusive, self.handles.is_empty()) {
            (true, _) => Sharing::Exclusive,
            (false, true) => Sharing::Free,
            (false, false) => Sharing::InUse,
        }
    }

    /// What clients read of this reader.
    pub(super) fn state(&self) -> ReaderState {
        let (bits, atr) = match &self.presence {
            _ if self.failing => (state::UNKNOWN, &[][..]),
            Presence::Absent => (state::ABSENT, &[][..]),
            Presence::Mute => (state::PRESENT | state::SWALLOWED, &[][..]),
            Presence::Present { atr, powered: true } => (state::PRESENT | state::POWERED | state::NEGOTIABLE, &atr[..]),
            // The automatic power-off is not to be seen; an UNPOWER is.
            Presence::Present { atr, powered: false } if self.resting => {
                (state::PRESENT | state::POWERED | state::NEGOTIABLE, &atr[..])
            }
            Presence::Present { atr, powered: false } => (state::PRESENT, &atr[..]),
        };
        ReaderState {
            name: self.name.clone(),
            event_counter: self.event_counter.into(),
            state: bits,
            sharing: if self.exclusive { -1 } else { self.handles.len() as i32 },
            atr: atr.to_vec(),
            protocol: self.protocol,
        }
    }

    pub(super) const fn is_absent(&self) -> bool {
        matches!(self.presence, Presence::Absent)
    }

    pub(super) fn is_powered(&self) -> bool {
        matches!(self.presence, Presence::Present { powered: true, .. })
    }

    /// The ATR that the card gave.
    pub(super) fn atr(&self) -> Option<Vec<u8>> {
        match &self.presence {
            Presence::Present { atr, .. } => Some(atr.clone()),
            Presence::Absent | Presence::Mute => None,
        }
    }

    fn answered(&mut self, atr: Option<Vec<u8>>) {
        self.protocol = protocol::UNDEFINED;
        self.resting = false;
        self.guest = false;
        self.presence = match atr {
            Some(atr) => Presence::Present { atr, powered: true },
            None => Presence::Mute,
        };
    }

    /// Cold reset. Nothing happens without a card.
    pub(super) fn power_on(&mut self, card: &mut SlotCard) {
        if let (false, Some(icc)) = (self.is_absent(), card.as_mut()) {
            let atr = icc.power_on();
            self.answered(atr);
        }
    }

    /// Warm reset, or a cold one when the card has no power.
    pub(super) fn reset(&mut self, card: &mut SlotCard) {
        if let (true, Some(icc)) = (self.is_powered(), card.as_mut()) {
            let atr = icc.reset();
            self.answered(atr);
        } else {
            self.power_on(card);
        }
    }

    pub(super) fn power_off(&mut self, card: &mut SlotCard) {
        if let Some(icc) = card.as_mut() {
            icc.power_off();
        }
        self.protocol = protocol::UNDEFINED;
        self.resting = false;
        self.guest = false;
        if let Presence::Present { powered, .. } = &mut self.presence {
            *powered = false;
        }
    }

    /// Chooses a protocol among those asked for, T=1 first; `false` when none fits. One that is in
    /// use stays until the next reset.
    pub(super) fn negotiate(&mut self, asked: u32, icc: Option<&mut Box<dyn Icc>>) -> bool {
        let wants = |bit: u32| asked & (bit | protocol::ANY_OLD) != 0;
        if self.protocol != protocol::UNDEFINED {
            return wants(self.protocol);
        }
        let Presence::Present { atr, .. } = &self.presence else { return false };
        let offered = Atr::parse(atr).map(|a| a.protocols().to_vec()).unwrap_or_else(|_| vec![Protocol::T0]);
        let choices = [(Protocol::T1, protocol::T1), (Protocol::T0, protocol::T0)];
        let Some((chosen, bit)) = choices.into_iter().find(|(p, bit)| offered.contains(p) && wants(*bit)) else {
            return false;
        };
        if let Some(icc) = icc {
            icc.set_protocol(chosen);
        }
        self.protocol = bit;
        true
    }

    fn count_event(&mut self) {
        self.event_counter = self.event_counter.wrapping_add(1);
    }
}

impl Resource {
    /// Adds a reader without a card; ` RR 00` is appended to `name`, RR being its index.
    pub fn add_reader(&mut self, name: &str) -> ReaderId {
        let slot = self.slots.len();
        let mut name = name.to_owned();
        while name.len() > 121 {
            name.pop();
        }
        let name = format!("{name} {slot:02X} 00");
        self.slots.push(Slot { reader: Some(Reader::new(name.clone())), name, time: 0 });
        self.capacity = self.capacity.max(self.slots.len());
        self.reader_changed();
        ReaderId { slot, time: 0 }
    }

    /// Plugs an unplugged reader in again, without a card: in its slot, under its name. `None` when it is plugged in.
    pub fn plug(&mut self, id: ReaderId) -> Option<ReaderId> {
        let slot = self.slots.get_mut(id.slot).filter(|slot| slot.reader.is_none())?;
        slot.reader = Some(Reader::new(slot.name.clone()));
        let id = ReaderId { time: slot.time, ..id };
        self.reader_changed();
        Some(id)
    }

    /// Unplugs a reader with whatever is in it. Its slot stays free until it is back.
    pub fn unplug(&mut self, id: ReaderId) {
        let Some(slot) = self.slots.get_mut(id.slot).filter(|slot| slot.time == id.time) else { return };
        let Some(reader) = slot.reader.take() else { return };
        slot.time += 1;
        for handle in reader.handles {
            if let Some(handle) = self.handles.get_mut(&handle) {
                handle.reader = None;
            }
        }
        self.signals.freed.push(id);
        self.reader_changed();
    }

    fn reader_changed(&mut self) {
        self.reader_events = if self.reader_events == i16::MAX as u16 { 1 } else { self.reader_events + 1 };
        self.announce();
    }

    /// A card has come into the slot: it is powered up at once.
    pub fn insert_card(&mut self, id: ReaderId, card: &mut SlotCard) {
        let Some(reader) = self.reader_mut(id) else { return };
        let atr = card.as_mut().and_then(|icc| icc.power_on());
        reader.answered(atr);
        reader.count_event();
        if reader.handles.is_empty() {
            self.signals.idle.push(id);
        }
        self.announce();
    }

    /// The card has gone. Every handle says so until it reconnects; a transaction is over.
    pub fn remove_card(&mut self, id: ReaderId) {
        let Some(reader) = self.reader_mut(id).filter(|r| !r.is_absent()) else { return };
        reader.presence = Presence::Absent;
        reader.guest = false;
        reader.protocol = protocol::UNDEFINED;
        reader.lock = None;
        reader.count_event();
        self.signals.freed.push(id);
        self.flag_handles(id, None, Flag::Removed);
        self.announce();
    }

    /// Somebody resets the card: a cold reset takes its power away for a moment. Every handle is told, a
    /// transaction lives on.
    pub fn reset_card(&mut self, id: ReaderId, cold: bool, card: &mut SlotCard) {
        let Some(reader) = self.reader_mut(id).filter(|r| !r.is_absent()) else { return };
        if cold {
            reader.power_off(card);
        }
        reader.reset(card);
        self.flag_handles(id, None, Flag::Reset);
        self.announce();
    }

    /// The reader has a keypad for PINs.
    pub fn set_pin_pad(&mut self, id: ReaderId) {
        if let Some(reader) = self.reader_mut(id) {
            reader.pin_pad = true;
        }
    }

    /// The reader stops working, or works again.
    pub fn set_failing(&mut self, id: ReaderId, failing: bool) {
        let Some(reader) = self.reader_mut(id) else { return };
        reader.failing = failing;
        reader.protocol = protocol::UNDEFINED;
        self.announce();
    }

    /// Powers an unused card off, when no handle was opened since `uses` was read.
    pub fn rest(&mut self, id: ReaderId, uses: u64, card: &mut SlotCard) {
        let Some(reader) = self.reader_mut(id) else { return };
        if reader.handles.is_empty() && !reader.guest && reader.uses == uses && reader.is_powered() {
            reader.power_off(card);
            reader.resting = true;
        }
    }

    /// How often handles were opened on a reader, for [`Resource::rest`].
    #[must_use]
    pub fn uses(&self, id: ReaderId) -> u64 {
        self.reader(id).map_or(0, |r| r.uses)
    }

    /// Tells waiting clients how a reader is shared now, when that differs from what they were told.
    pub fn publish_sharing(&mut self, id: ReaderId) {
        let Some(reader) = self.reader_mut(id) else { return };
        let sharing = reader.sharing();
        if reader.published != sharing {
            reader.published = sharing;
            self.announce();
        }
    }

    /// The full name of a reader, plugged in or not.
    #[must_use]
    pub fn reader_name(&self, id: ReaderId) -> Option<&str> {
        self.slots.get(id.slot).map(|slot| slot.name.as_str())
    }

    /// Whether there is a card in the reader; `None` for one that was unplugged.
    #[must_use]
    pub fn has_card(&self, id: ReaderId) -> Option<bool> {
        self.reader(id).map(|r| !r.is_absent())
    }

    /// The reader of a name, when it is plugged in.
    #[must_use]
    pub fn find_reader(&self, name: &str) -> Option<ReaderId> {
        let plugged = |slot: &Slot| slot.reader.is_some() && slot.name == name;
        let slot = self.slots.iter().position(plugged)?;
        Some(ReaderId { slot, time: self.slots[slot].time })
    }

    /// Flags the handles of a reader, all but `except`.
    pub(super) fn flag_handles(&mut self, id: ReaderId, except: Option<u32>, flag: Flag) {
        let Some(reader) = self.slots.get(id.slot).and_then(|slot| slot.holding(id)) else { return };
        for number in reader.handles.iter().filter(|n| Some(**n) != except) {
            if let Some(handle) = self.handles.get_mut(number) {
                handle.flag = flag;
            }
        }
    }
}
