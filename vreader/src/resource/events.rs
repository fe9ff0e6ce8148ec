//! Waiting for changes.
//!
//! Every registration ends with exactly one 8-byte message: an event, a cancel, or the answer to
//! STOP. It is decided here, under the caller's one lock, and taken by the connection's own task, so
//! that a STOP that crosses an event finds the event and takes it as its answer.

use super::reader::{Reader, Slot};
use super::{ConnectionId, Resource};
use cardlab_pcsclite::code::ReturnCode;
use cardlab_pcsclite::wire::{Event, ReaderState, STATES};

impl Resource {
    /// WAIT_READER_STATE_CHANGE: registers. 4:4 and 4:5 clients get the states at once; a 4:6
    /// client fetches them, and events are held back until it has.
    pub fn wait(&mut self, id: ConnectionId) -> Option<Vec<ReaderState>> {
        let connection = self.connections.get_mut(&id)?;
        connection.registered = true;
        connection.event = None;
        connection.fetching = connection.minor >= 6;
        if connection.fetching { None } else { Some(self.states(STATES)) }
    }

    /// STOP_WAITING: the message that ends the registration, or nothing when an event has been sent
    /// or there was none.
    pub fn stop_waiting(&mut self, id: ConnectionId) -> Option<Event> {
        let connection = self.connections.get_mut(&id)?;
        let registered = std::mem::take(&mut connection.registered);
        connection.fetching = false;
        let event = connection.event.take();
        (registered || event.is_some()).then(|| self.event(event.unwrap_or(ReturnCode::OK)))
    }

    /// The event that a connection has to send now.
    pub fn take_event(&mut self, id: ConnectionId) -> Option<Event> {
        let connection = self.connections.get_mut(&id).filter(|c| !c.fetching)?;
        let rv = connection.event.take()?;
        Some(self.event(rv))
    }

    /// CANCEL: ends the wait of a context, if it waits.
    pub fn cancel(&mut self, context: u32) -> ReturnCode {
        let Some(id) = self.contexts.get(&context).copied() else { return ReturnCode::INVALID_HANDLE };
        self.fire(id, ReturnCode::CANCELLED);
        ReturnCode::OK
    }

    /// GET_READERS_STATE_SIZE: how many states ARRAY will carry.
    pub fn announce_size(&mut self, id: ConnectionId) -> usize {
        let capacity = self.capacity;
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.announced = capacity;
        }
        capacity
    }

    /// GET_READERS_STATE_ARRAY: as many states as were announced. Events may flow again.
    pub fn announced_states(&mut self, id: ConnectionId) -> Vec<ReaderState> {
        let Some(connection) = self.connections.get_mut(&id) else { return Vec::new() };
        connection.fetching = false;
        let count = connection.announced;
        if connection.event.is_some() {
            self.signals.events.push(id);
        }
        self.states(count)
    }

    /// The first `count` slots.
    #[must_use]
    pub fn states(&self, count: usize) -> Vec<ReaderState> {
        let slot = |index: usize| self.slots.get(index).and_then(Slot::reader).map_or(ReaderState::FREE, Reader::state);
        (0..count).map(slot).collect()
    }

    /// The count of reader events, for GET_READER_EVENTS.
    #[must_use]
    pub const fn reader_events(&self) -> u32 {
        self.reader_events as u32
    }

    /// Something has changed: everyone who waits is told.
    pub(super) fn announce(&mut self) {
        let waiting: Vec<ConnectionId> = self.connections.iter().filter(|(_, c)| c.registered).map(|(id, _)| *id).collect();
        for id in waiting {
            self.fire(id, ReturnCode::OK);
        }
    }

    fn fire(&mut self, id: ConnectionId, rv: ReturnCode) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        if connection.registered {
            connection.registered = false;
            connection.event = Some(rv);
            self.signals.events.push(id);
        } else if rv == ReturnCode::CANCELLED && connection.fetching && connection.event.is_some() {
            connection.event = Some(rv);
        }
    }

    const fn event(&self, rv: ReturnCode) -> Event {
        Event { time_out: self.reader_events(), rv }
    }
}
