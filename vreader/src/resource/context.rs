//! Connections and contexts.

use super::{Connection, ConnectionId, Decision, Flag, ReaderId, Resource, SlotCard};
use cardlab_pcsclite::code::{ReturnCode, disposition};
use std::fmt;

/// The last known scope (SCARD_SCOPE_GLOBAL).
const MAX_SCOPE: u32 = 3;

/// A version of pcsc-lite's protocol, which is not that of its library.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProtocolVersion {
    /// 4 in all versions since 2010.
    pub major: u32,
    /// 4 to 6 in all libraries since 1.8.24.
    pub minor: u32,
}

/// The first version that is served.
pub const FIRST_VERSION: ProtocolVersion = ProtocolVersion { major: 4, minor: 4 };
/// The last version that is served, and what a client of an unknown one is told to speak.
pub const LAST_VERSION: ProtocolVersion = ProtocolVersion { major: 4, minor: 6 };

impl fmt::Display for ProtocolVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.major, self.minor)
    }
}

impl Resource {
    /// A client has connected. Until it says otherwise it is served as 4:4.
    pub fn open(&mut self) -> ConnectionId {
        let id = ConnectionId(self.next_connection);
        self.next_connection += 1;
        let connection = Connection {
            context: None,
            handles: Vec::new(),
            minor: FIRST_VERSION.minor,
            registered: false,
            fetching: false,
            event: None,
            announced: self.capacity,
        };
        self.connections.insert(id, connection);
        id
    }

    /// VERSION: 4:4 to 4:6 are served as the client speaks them; the answer is its own minor. For
    /// anything else the answer is what we would speak.
    pub fn version(&mut self, id: ConnectionId, asked: ProtocolVersion) -> (ProtocolVersion, ReturnCode) {
        match self.connections.get_mut(&id) {
            Some(connection) if (FIRST_VERSION..=LAST_VERSION).contains(&asked) => {
                connection.minor = asked.minor;
                (asked, ReturnCode::OK)
            }
            _ => (LAST_VERSION, ReturnCode::SERVICE_STOPPED),
        }
    }

    /// ESTABLISH_CONTEXT: the new context's number, 0 with an error.
    pub fn establish(&mut self, id: ConnectionId, scope: u32) -> (u32, ReturnCode) {
        let Some(connection) = self.connections.get_mut(&id) else { return (0, ReturnCode::INTERNAL_ERROR) };
        if scope > MAX_SCOPE {
            return (0, ReturnCode::INVALID_VALUE);
        }
        // A client repeats the call when it knows the number already: the connection has one context.
        if let Some(old) = connection.context {
            self.contexts.remove(&old);
        }
        let number = Self::number(&mut self.numbers, |n| self.contexts.contains_key(&n));
        connection.context = Some(number);
        self.contexts.insert(number, id);
        (number, ReturnCode::OK)
    }

    /// RELEASE_CONTEXT. On OK the caller runs the clean-up of every handle, see [`Resource::handles`].
    pub fn release(&mut self, id: ConnectionId, context: u32) -> ReturnCode {
        let Some(connection) = self.connections.get_mut(&id) else { return ReturnCode::INVALID_HANDLE };
        match connection.context {
            None => ReturnCode::INVALID_HANDLE,
            Some(own) if own != context => ReturnCode::INVALID_VALUE,
            Some(own) => {
                connection.context = None;
                self.contexts.remove(&own);
                ReturnCode::OK
            }
        }
    }

    /// The handles of a connection with their readers: what a clean-up has to go through.
    #[must_use]
    pub fn handles(&self, id: ConnectionId) -> Vec<(u32, Option<ReaderId>)> {
        let Some(connection) = self.connections.get(&id) else { return Vec::new() };
        connection.handles.iter().map(|h| (*h, self.handles.get(h).and_then(|h| h.reader))).collect()
    }

    /// Closes a handle whose program has gone. The owner of a lock leaves a card that nobody knows
    /// the state of: it is reset, unless the handle knows already that it was reset or removed.
    pub fn clean_up(&mut self, id: ConnectionId, handle: u32, card: &mut SlotCard) {
        let Some((reader, flag)) = self.own(id, handle).map(|h| (h.reader, h.flag)) else { return };
        let owns = reader.and_then(|r| self.reader(r)).and_then(|r| r.lock).is_some_and(|l| l.owner == handle);
        let disposition = if owns && flag == Flag::None { disposition::RESET } else { disposition::LEAVE };
        let done = self.disconnect(id, handle, disposition, card);
        debug_assert!(done != Decision::Wait, "an owner never waits, and LEAVE neither");
    }

    /// The connection has ended; its handles were cleaned up before.
    pub fn close(&mut self, id: ConnectionId) {
        if let Some(context) = self.connections.remove(&id).and_then(|c| c.context) {
            self.contexts.remove(&context);
        }
    }
}
