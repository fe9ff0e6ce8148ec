//! The system's own PC/SC library (winscard on Windows), which speaks as pcsc-lite's service does.
//!
//! A [`System`] is one connection: what is written into it are requests of [`crate::wire`], what is read from it the replies. A thread
//! of its own ([`service`]) carries them out, so that who asks can give up waiting as at a socket; it ends with the connection.
//! So [`crate::client`] is one client for every system.
//!
//! What the library does otherwise than pcsc-lite stays as it is: on Windows connecting anew ends a transaction, a card whose
//! transaction idles for five seconds is reset, and a reader that is used directly is nobody else's.

mod card;
mod convert;
mod service;

use service::Service;
use std::io::{self, ErrorKind, Read, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

/// A connection to the system's PC/SC service.
pub(crate) struct System {
    requests: Sender<Vec<u8>>,
    replies: Receiver<Vec<u8>>,
    /// A reply that was not read to its end, and how much was.
    rest: (Vec<u8>, usize),
    limit: Option<Duration>,
}

impl System {
    /// Starts the thread. A service that does not run is said when a context is asked for.
    pub(crate) fn start() -> Self {
        let ((requests, inbox), (outbox, replies)) = (channel(), channel());
        std::thread::spawn(move || Service::new(inbox, outbox).run());
        Self { requests, replies, rest: (Vec::new(), 0), limit: None }
    }

    pub(crate) fn set_read_timeout(&mut self, limit: Option<Duration>) {
        self.limit = limit;
    }

    /// The next reply; nothing when the thread has ended.
    fn next(&self) -> io::Result<Vec<u8>> {
        let next = match self.limit {
            Some(limit) => self.replies.recv_timeout(limit),
            None => self.replies.recv().map_err(RecvTimeoutError::from),
        };
        match next {
            Err(RecvTimeoutError::Timeout) => Err(ErrorKind::TimedOut.into()),
            Err(RecvTimeoutError::Disconnected) => Ok(Vec::new()),
            Ok(reply) => Ok(reply),
        }
    }
}

impl Read for System {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.rest.1 == self.rest.0.len() {
            self.rest = (self.next()?, 0);
        }
        let left = &self.rest.0[self.rest.1..];
        let count = left.len().min(buffer.len());
        buffer[..count].copy_from_slice(&left[..count]);
        self.rest.1 += count;
        Ok(count)
    }
}

impl Write for System {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.requests.send(bytes.to_vec()).map_err(|_| io::Error::from(ErrorKind::BrokenPipe))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
