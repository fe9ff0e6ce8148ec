//! The resource manager: PC/SC's rules as a state machine without I/O and without a clock.
//!
//! Requests go in, decisions come out; the card that a request may touch is lent by the caller.
//! [`Signals`] tell the caller whom to wake. What real pcscd does is the measure, except where it is
//! wrong (`docs/architecture.md` lists those places).
//!
//! | file | requests |
//! |---|---|
//! | `context` | connections, ESTABLISH, RELEASE, clean-up |
//! | `connect` | CONNECT, RECONNECT, DISCONNECT |
//! | `transaction` | BEGIN, END |
//! | `exchange` | TRANSMIT, CONTROL, attributes, STATUS |
//! | `events` | waiting for changes, CANCEL |
//! | `reader` | readers, their cards and states |
//! | `guest` | a reader that another machine has as a USB device |
//!
//! Who holds what: a connection has at most one context; a context has handles; a handle belongs to
//! one reader; a reader has handles, a lock (owner and depth) and a card.

mod connect;
mod context;
mod events;
mod exchange;
mod guest;
mod reader;
mod transaction;

pub use context::{FIRST_VERSION, LAST_VERSION, ProtocolVersion};
pub use reader::ReaderId;

use crate::icc::Icc;
use cardlab_pcsclite::code::ReturnCode;
use cardlab_sim::Random;
use reader::{Reader, Slot};
use std::collections::HashMap;

/// A client's connection to the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId(pub u64);

/// The card in a slot, lent for the time of one request.
pub type SlotCard = Option<Box<dyn Icc>>;

/// The decision on a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision<T> {
    /// Answer with this.
    Answer(T),
    /// Another connection's transaction is in the way: ask again when [`Signals::freed`] names the
    /// reader.
    Wait,
    /// The request breaks the protocol: close the connection.
    Close,
}

impl<T> Decision<T> {
    fn map<U>(self, f: impl FnOnce(T) -> U) -> Decision<U> {
        match self {
            Self::Answer(value) => Decision::Answer(f(value)),
            Self::Wait => Decision::Wait,
            Self::Close => Decision::Close,
        }
    }
}

/// Whom the caller has to wake after a request.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Signals {
    /// Connections that have an event to send.
    pub events: Vec<ConnectionId>,
    /// Readers whose lock has come free.
    pub freed: Vec<ReaderId>,
    /// Readers whose last handle was closed: power off after the grace time.
    pub idle: Vec<ReaderId>,
    /// Readers whose sharing has changed: publish it a little later.
    pub shared: Vec<ReaderId>,
}

/// What a handle's program has to be told first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flag {
    None,
    Reset,
    Removed,
}

impl Flag {
    const fn code(self) -> ReturnCode {
        match self {
            Self::None => ReturnCode::OK,
            Self::Reset => ReturnCode::RESET_CARD,
            Self::Removed => ReturnCode::REMOVED_CARD,
        }
    }
}

/// What a connection has of a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Holding {
    /// All of it: nobody else connects.
    Exclusive,
    /// A transaction: others wait.
    Transaction,
    /// As others may.
    Shared,
}

struct Handle {
    connection: ConnectionId,
    /// `None` once the reader has been unplugged.
    reader: Option<ReaderId>,
    exclusive: bool,
    flag: Flag,
}

struct Connection {
    context: Option<u32>,
    handles: Vec<u32>,
    minor: u32,
    /// Waits for a change; an event has not been decided yet.
    registered: bool,
    /// A 4:6 client is between WAIT and the end of ARRAY: events are held back.
    fetching: bool,
    /// The event to be sent.
    event: Option<ReturnCode>,
    /// States that the last SIZE answer announced.
    announced: usize,
}

/// The state of all readers, contexts and handles of one server.
pub struct Resource {
    connections: HashMap<ConnectionId, Connection>,
    handles: HashMap<u32, Handle>,
    contexts: HashMap<u32, ConnectionId>,
    slots: Vec<Slot>,
    /// Count of readers added and removed, 1 to 32767.
    reader_events: u16,
    /// Numbers of contexts and handles: unpredictable, unique in the server.
    numbers: Random,
    next_connection: u64,
    /// States that SIZE answers; never shrinks.
    capacity: usize,
    signals: Signals,
}

impl Resource {
    /// No readers, no clients. `numbers` gives context and handle numbers.
    #[must_use]
    pub fn new(numbers: Random) -> Self {
        Self {
            connections: HashMap::new(),
            handles: HashMap::new(),
            contexts: HashMap::new(),
            slots: Vec::new(),
            reader_events: 1,
            numbers,
            next_connection: 0,
            capacity: cardlab_pcsclite::wire::STATES,
            signals: Signals::default(),
        }
    }

    /// What has to be woken since the last call.
    pub fn take_signals(&mut self) -> Signals {
        std::mem::take(&mut self.signals)
    }

    /// A number from 1 to 2^31-1 that `taken` does not know.
    fn number(random: &mut Random, taken: impl Fn(u32) -> bool) -> u32 {
        loop {
            let number = u32::from_be_bytes(random.bytes()) >> 1;
            if number != 0 && !taken(number) {
                return number;
            }
        }
    }

    /// The handle, when it belongs to this connection.
    fn own(&self, connection: ConnectionId, handle: u32) -> Option<&Handle> {
        self.handles.get(&handle).filter(|h| h.connection == connection)
    }

    fn reader(&self, id: ReaderId) -> Option<&Reader> {
        self.slots.get(id.slot())?.holding(id)
    }

    fn reader_mut(&mut self, id: ReaderId) -> Option<&mut Reader> {
        self.slots.get_mut(id.slot())?.holding_mut(id)
    }

    /// The reader that a handle of this connection speaks to.
    #[must_use]
    pub fn reader_of(&self, connection: ConnectionId, handle: u32) -> Option<ReaderId> {
        self.own(connection, handle)?.reader
    }

    /// The connections that have the card of a reader, each once with the most that it has; who keeps others out first.
    #[must_use]
    pub fn holding(&self, id: ReaderId) -> Vec<(ConnectionId, Holding)> {
        let Some(reader) = self.reader(id) else { return Vec::new() };
        let of = |number: &u32| {
            let handle = self.handles.get(number)?;
            let holding = match (handle.exclusive, reader.lock) {
                (true, _) => Holding::Exclusive,
                (false, Some(lock)) if lock.owner == *number => Holding::Transaction,
                (false, _) => Holding::Shared,
            };
            Some((handle.connection, holding))
        };
        let mut found: Vec<_> = reader.handles.iter().filter_map(of).collect();
        found.sort_by_key(|(connection, holding)| (*connection, *holding));
        found.dedup_by_key(|(connection, _)| *connection);
        found.sort_by_key(|(connection, holding)| (*holding, *connection));
        found
    }

    /// Who holds the reader's lock, seen from `handle`.
    fn lock_seen_by(&self, reader: ReaderId, connection: ConnectionId, handle: Option<u32>) -> LockSeen {
        let Some(lock) = self.reader(reader).and_then(|r| r.lock) else { return LockSeen::Free };
        if Some(lock.owner) == handle {
            return LockSeen::Own;
        }
        match self.handles.get(&lock.owner) {
            Some(owner) if owner.connection == connection => LockSeen::SameConnection,
            _ => LockSeen::Other,
        }
    }
}

/// A lock from a handle's point of view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LockSeen {
    Free,
    Own,
    /// Another handle of the same connection: it cannot free the lock while it is made to wait.
    SameConnection,
    Other,
}
