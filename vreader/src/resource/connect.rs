//! CONNECT, RECONNECT, DISCONNECT.

use super::reader::{Lock, Presence};
use super::{ConnectionId, Decision, Flag, Handle, LockSeen, ReaderId, Resource, SlotCard};
use cardlab_pcsclite::code::{ReturnCode, disposition, protocol, share};

/// pcscd's limits; beyond them a clean error.
const MAX_HANDLES_OF_CONTEXT: usize = 200;
const MAX_HANDLES_OF_READER: usize = 200;

const PROTOCOLS: u32 = protocol::T0 | protocol::T1 | protocol::RAW | protocol::ANY_OLD;

/// A handle and the protocol in use, or an error.
pub(super) type Connected = Result<(u32, u32), ReturnCode>;
/// The protocol in use, or an error.
pub(super) type ActiveProtocol = Result<u32, ReturnCode>;

impl Resource {
    /// CONNECT to `reader` (`None`: no reader of that name), in pcscd's order of checks.
    pub fn connect(
        &mut self,
        id: ConnectionId,
        context: u32,
        reader: Option<ReaderId>,
        mode: u32,
        asked: u32,
        card: &mut SlotCard,
    ) -> Decision<Connected> {
        let refuse = |code| Decision::Answer(Err(code));
        if asked & PROTOCOLS == 0 && mode != share::DIRECT {
            return refuse(ReturnCode::PROTO_MISMATCH);
        }
        if !(share::EXCLUSIVE..=share::DIRECT).contains(&mode) {
            return refuse(ReturnCode::INVALID_VALUE);
        }
        let Some((reader_id, reader)) = reader.and_then(|r| Some((r, self.reader(r)?))) else {
            return refuse(ReturnCode::UNKNOWN_READER);
        };
        if reader.failing {
            return refuse(ReturnCode::READER_UNAVAILABLE);
        }
        if reader.exclusive {
            return refuse(ReturnCode::SHARING_VIOLATION);
        }
        if self.lock_seen_by(reader_id, id, None) == LockSeen::Other {
            return Decision::Wait;
        }
        if self.connections.get(&id).is_none_or(|c| c.context != Some(context)) {
            return refuse(ReturnCode::INVALID_VALUE);
        }
        let active = match self.ready(reader_id, mode, asked, card) {
            Ok(active) => active,
            Err(code) => return refuse(code),
        };
        Decision::Answer(self.open_handle(id, reader_id, mode == share::EXCLUSIVE).map(|handle| (handle, active)))
    }

    /// Powers the card and chooses a protocol; gives the protocol in use. DIRECT does neither. RAW
    /// stays with the handle that asked for it: others keep their protocol.
    fn ready(&mut self, id: ReaderId, mode: u32, asked: u32, card: &mut SlotCard) -> ActiveProtocol {
        let Some(reader) = self.reader_mut(id) else { return Err(ReturnCode::READER_UNAVAILABLE) };
        if mode == share::DIRECT {
            return Ok(reader.protocol);
        }
        if reader.is_absent() {
            return Err(ReturnCode::NO_SMARTCARD);
        }
        if !reader.is_powered() {
            reader.power_on(card);
        }
        if !reader.is_powered() {
            return Err(ReturnCode::UNPOWERED_CARD);
        }
        if asked & protocol::RAW != 0 {
            return Ok(protocol::RAW);
        }
        if reader.negotiate(asked, card.as_mut()) { Ok(reader.protocol) } else { Err(ReturnCode::PROTO_MISMATCH) }
    }

    fn open_handle(&mut self, id: ConnectionId, reader_id: ReaderId, exclusive: bool) -> Result<u32, ReturnCode> {
        let number = Self::number(&mut self.numbers, |n| self.handles.contains_key(&n));
        let reader = self.slots.get_mut(reader_id.slot()).and_then(|slot| slot.holding_mut(reader_id));
        let (Some(connection), Some(reader)) = (self.connections.get_mut(&id), reader) else {
            return Err(ReturnCode::INTERNAL_ERROR);
        };
        if exclusive && !reader.handles.is_empty() {
            return Err(ReturnCode::SHARING_VIOLATION);
        }
        // The reader's list is looked at first, so a context that fills one reader meets that limit.
        if reader.handles.len() >= MAX_HANDLES_OF_READER {
            return Err(ReturnCode::INTERNAL_ERROR);
        }
        if connection.handles.len() >= MAX_HANDLES_OF_CONTEXT {
            return Err(ReturnCode::NO_MEMORY);
        }
        connection.handles.push(number);
        reader.handles.push(number);
        reader.uses += 1;
        if exclusive {
            reader.exclusive = true;
            reader.lock = Some(Lock { owner: number, depth: 1 });
        }
        self.handles.insert(number, Handle { connection: id, reader: Some(reader_id), exclusive, flag: Flag::None });
        self.signals.shared.push(reader_id);
        Ok(number)
    }

    /// RECONNECT: the protocol in use, or an error.
    pub fn reconnect(
        &mut self,
        id: ConnectionId,
        handle: u32,
        mode: u32,
        asked: u32,
        initialization: u32,
        card: &mut SlotCard,
    ) -> Decision<ActiveProtocol> {
        let Some(reader_id) = self.own(id, handle).map(|h| h.reader) else { return Decision::Close };
        let refuse = |code| Decision::Answer(Err(code));
        if initialization > disposition::UNPOWER || !(share::EXCLUSIVE..=share::DIRECT).contains(&mode) {
            return refuse(ReturnCode::INVALID_VALUE);
        }
        if asked & PROTOCOLS == 0 && mode != share::DIRECT {
            return refuse(ReturnCode::PROTO_MISMATCH);
        }
        let Some((reader_id, reader)) = reader_id.and_then(|r| Some((r, self.reader(r)?))) else {
            return refuse(ReturnCode::INVALID_VALUE);
        };
        if reader.failing {
            return refuse(ReturnCode::READER_UNAVAILABLE);
        }
        match self.lock_seen_by(reader_id, id, Some(handle)) {
            LockSeen::Other => return Decision::Wait,
            LockSeen::SameConnection => return refuse(ReturnCode::SHARING_VIOLATION),
            LockSeen::Free | LockSeen::Own => {}
        }
        Decision::Answer(self.reconnect_now(handle, reader_id, mode, asked, initialization, card))
    }

    fn reconnect_now(
        &mut self,
        handle: u32,
        reader_id: ReaderId,
        mode: u32,
        asked: u32,
        initialization: u32,
        card: &mut SlotCard,
    ) -> ActiveProtocol {
        if initialization != disposition::LEAVE {
            self.flag_handles(reader_id, None, Flag::Reset);
            self.act(reader_id, initialization, card);
        }
        let Some(reader) = self.reader_mut(reader_id) else { return Err(ReturnCode::READER_UNAVAILABLE) };
        match reader.presence {
            Presence::Absent => return Err(ReturnCode::NO_SMARTCARD),
            Presence::Mute => return Err(ReturnCode::UNRESPONSIVE_CARD),
            Presence::Present { .. } => {}
        }
        if !reader.is_powered() {
            reader.power_on(card);
        }
        let alone = reader.handles == [handle];
        if mode == share::EXCLUSIVE && !alone {
            return Err(ReturnCode::SHARING_VIOLATION);
        }
        let active = self.ready(reader_id, mode, asked, card)?;
        self.set_exclusive(reader_id, handle, mode == share::EXCLUSIVE);
        if let Some(handle) = self.handles.get_mut(&handle) {
            handle.flag = Flag::None;
        }
        Ok(active)
    }

    /// Goes to or from exclusive; the connection's own level of the lock comes and goes with it.
    fn set_exclusive(&mut self, reader_id: ReaderId, number: u32, exclusive: bool) {
        let reader = self.slots.get_mut(reader_id.slot()).and_then(|slot| slot.holding_mut(reader_id));
        let (Some(handle), Some(reader)) = (self.handles.get_mut(&number), reader) else {
            return;
        };
        let has_level = !exclusive || reader.lock.is_some();
        if handle.exclusive == exclusive && reader.exclusive == exclusive && has_level {
            return;
        }
        handle.exclusive = exclusive;
        reader.exclusive = exclusive;
        reader.lock = match (reader.lock, exclusive) {
            (Some(lock), true) => Some(Lock { depth: lock.depth + 1, ..lock }),
            (None, true) => Some(Lock { owner: number, depth: 1 }),
            (Some(lock), false) if lock.depth > 1 => Some(Lock { depth: lock.depth - 1, ..lock }),
            (_, false) => None,
        };
        self.signals.freed.push(reader_id);
        self.signals.shared.push(reader_id);
    }

    /// DISCONNECT. What happens to the card is not reported.
    pub fn disconnect(&mut self, id: ConnectionId, handle: u32, disposition: u32, card: &mut SlotCard) -> Decision<ReturnCode> {
        let Some(reader) = self.own(id, handle).map(|h| h.reader) else { return Decision::Close };
        if disposition > disposition::EJECT {
            return Decision::Answer(ReturnCode::INVALID_VALUE);
        }
        if let Some(reader) = reader {
            let acts = matches!(disposition, disposition::RESET | disposition::UNPOWER);
            if acts && self.lock_seen_by(reader, id, Some(handle)) == LockSeen::Other {
                return Decision::Wait;
            }
            if acts {
                self.flag_handles(reader, Some(handle), Flag::Reset);
                self.act(reader, disposition, card);
            }
        }
        self.close_handle(id, handle);
        Decision::Answer(ReturnCode::OK)
    }

    fn close_handle(&mut self, id: ConnectionId, number: u32) {
        let Some(handle) = self.handles.remove(&number) else { return };
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.handles.retain(|h| *h != number);
        }
        let Some(reader_id) = handle.reader else { return };
        let Some(reader) = self.reader_mut(reader_id) else { return };
        reader.handles.retain(|h| *h != number);
        if handle.exclusive {
            reader.exclusive = false;
        }
        let freed = reader.lock.is_some_and(|l| l.owner == number);
        if freed {
            reader.lock = None;
        }
        let idle = reader.handles.is_empty();
        if freed {
            self.signals.freed.push(reader_id);
        }
        if idle {
            self.signals.idle.push(reader_id);
        }
        self.signals.shared.push(reader_id);
    }

    /// Does to the card what a disposition says.
    pub(super) fn act(&mut self, id: ReaderId, disposition: u32, card: &mut SlotCard) {
        let Some(reader) = self.reader_mut(id) else { return };
        if reader.is_absent() {
            return;
        }
        match disposition {
            disposition::RESET => reader.reset(card),
            disposition::UNPOWER => reader.power_off(card),
            _ => {}
        }
    }
}
