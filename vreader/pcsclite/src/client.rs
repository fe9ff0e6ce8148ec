//! A small blocking PC/SC client.
//!
//! One [`Context`] is one connection. A card that another program holds is waited for in
//! [`Connection::begin`] and [`Connection::transmit`], as libpcsclite does.

use crate::code::{ReturnCode, disposition, protocol, share};
use crate::stream::Stream;
use crate::wire::{
    Attribute, Connect, ContextOnly, Control, Disposed, Establish, Event, HandleOnly, MAX_ATTRIBUTE, MAX_DATA, ReaderState,
    Reconnect, Request, SOCKET_VARIABLE, STATES, SYSTEM_SOCKET, Transmit, Version, name,
};
use std::io::{BufReader, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use thiserror::Error;

/// The newest version this client speaks.
const MINOR: u32 = 6;
const BUSY_PAUSE: Duration = Duration::from_millis(20);

/// What can go wrong in a call.
#[derive(Debug, Error)]
pub enum Error {
    /// The socket cannot be reached.
    #[error("no PC/SC service at {}: {reason}", path.display())]
    NoService {
        /// The socket.
        path: PathBuf,
        /// Why.
        reason: std::io::Error,
    },
    /// The connection broke.
    #[error("the PC/SC service closed the connection: {0}")]
    Connection(#[from] std::io::Error),
    /// The service did not answer in the time that was set; the connection is of no use any more.
    #[error("the PC/SC service or the card gave no answer in {} seconds", .0.as_secs())]
    Silent(Duration),
    /// The service refused the call.
    #[error("{call}: {code}")]
    Refused {
        /// PC/SC function.
        call: &'static str,
        /// What it returned.
        code: ReturnCode,
    },
}

impl Error {
    /// The return code, when the service gave one.
    #[must_use]
    pub const fn code(&self) -> Option<ReturnCode> {
        match self {
            Self::Refused { code, .. } => Some(*code),
            _ => None,
        }
    }
}

/// How a card is shared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShareMode {
    /// With others.
    Shared,
    /// With nobody.
    Exclusive,
    /// The reader rather than its card.
    Direct,
}

impl ShareMode {
    const fn number(self) -> u32 {
        match self {
            Self::Shared => share::SHARED,
            Self::Exclusive => share::EXCLUSIVE,
            Self::Direct => share::DIRECT,
        }
    }
}

/// What happens to the card at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// Nothing.
    Leave,
    /// Warm reset.
    Reset,
    /// Power off.
    Unpower,
}

impl Disposition {
    const fn number(self) -> u32 {
        match self {
            Self::Leave => disposition::LEAVE,
            Self::Reset => disposition::RESET,
            Self::Unpower => disposition::UNPOWER,
        }
    }
}

/// The socket that programs on this machine use: `PCSCLITE_CSOCK_NAME`, else pcscd's.
#[must_use]
pub fn default_socket() -> PathBuf {
    std::env::var_os(SOCKET_VARIABLE).map_or_else(|| SYSTEM_SOCKET.into(), PathBuf::from)
}

struct Link {
    /// Buffered, so that a reply and its data take one system call.
    stream: BufReader<Stream>,
    out: Vec<u8>,
    /// Longest wait for an answer.
    limit: Option<Duration>,
    /// An answer did not come: what comes now would be taken for another's.
    silent: bool,
}

impl Link {
    fn open(path: &Path) -> Result<Self, Error> {
        Ok(Self::over(Stream::connect(path).map_err(|reason| Error::NoService { path: path.into(), reason })?))
    }

    fn over(stream: Stream) -> Self {
        Self { stream: BufReader::new(stream), out: Vec::with_capacity(512), limit: None, silent: false }
    }

    fn send(&mut self, request: &Request<'_>) -> Result<(), Error> {
        if let (true, Some(limit)) = (self.silent, self.limit) {
            return Err(Error::Silent(limit));
        }
        self.out.clear();
        request.write(&mut self.out);
        Ok(self.stream.get_mut().write_all(&self.out)?)
    }

    fn receive<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    fn receive_vec(&mut self, length: usize) -> Result<Vec<u8>, Error> {
        let mut bytes = vec![0; length];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), Error> {
        use std::io::ErrorKind::{TimedOut, UnexpectedEof, WouldBlock};
        match (self.stream.read_exact(bytes), self.limit) {
            (Err(error), Some(limit)) if matches!(error.kind(), TimedOut | WouldBlock) => {
                self.silent = true;
                Err(Error::Silent(limit))
            }
            (Err(error), _) if error.kind() == UnexpectedEof => {
                Err(std::io::Error::new(UnexpectedEof, "it ended before it had answered").into())
            }
            (read, _) => Ok(read?),
        }
    }

    fn version(&mut self) -> Result<u32, Error> {
        let mut minor = MINOR;
        loop {
            self.send(&Request::Version(Version { major: 4, minor, rv: ReturnCode::OK }))?;
            let answer = Version::read(&self.receive::<{ Version::SIZE }>()?);
            match answer.rv {
                ReturnCode::OK => return Ok(answer.minor.min(minor)),
                // An older service names its own minor; ask again with that, never with a higher one.
                ReturnCode::SERVICE_STOPPED if answer.major == 4 && (4..minor).contains(&answer.minor) => minor = answer.minor,
                // pcscd before 2.4.1 refuses without saying what it would take.
                ReturnCode::SERVICE_STOPPED if minor > 4 => minor -= 1,
                code => return Err(Error::Refused { call: "version", code }),
            }
        }
    }

    fn states(&mut self, minor: u32) -> Result<Vec<ReaderState>, Error> {
        let count = if minor >= 6 {
            self.send(&Request::GetReadersStateSize)?;
            let count = u32::from_ne_bytes(self.receive()?) as usize;
            self.send(&Request::GetReadersStateArray)?;
            count
        } else {
            self.send(&Request::GetReadersState)?;
            STATES
        };
        self.read_states(count)
    }

    fn read_states(&mut self, count: usize) -> Result<Vec<ReaderState>, Error> {
        let bytes = self.receive_vec(count * ReaderState::SIZE)?;
        let states = bytes.chunks(ReaderState::SIZE).filter_map(ReaderState::read);
        Ok(states.filter(|s| !s.name.is_empty()).collect())
    }
}

fn check(call: &'static str, code: ReturnCode) -> Result<(), Error> {
    if code == ReturnCode::OK { Ok(()) } else { Err(Error::Refused { call, code }) }
}

/// A connection to the PC/SC service.
pub struct Context {
    link: Mutex<Link>,
    number: u32,
    minor: u32,
    path: PathBuf,
}

impl Context {
    /// Connects to [`default_socket`].
    ///
    /// # Errors
    /// [`Error::NoService`] when nothing listens there.
    pub fn establish() -> Result<Self, Error> {
        Self::establish_at(&default_socket())
    }

    /// Connects to the service at `path`. The system's own PC/SC library is the service where there is no pcsc-lite (Windows),
    /// whatever the path is, and with the feature `pcsc` at an empty path.
    ///
    /// # Errors
    /// [`Error::NoService`] when nothing listens there, [`Error::Refused`] when it speaks another version.
    pub fn establish_at(path: &Path) -> Result<Self, Error> {
        Self::over(Link::open(path)?, path.into())
    }

    fn over(mut link: Link, path: PathBuf) -> Result<Self, Error> {
        let minor = link.version()?;
        link.send(&Request::Establish(Establish { scope: 2, context: 0, rv: ReturnCode::OK }))?;
        let answer = Establish::read(&link.receive::<{ Establish::SIZE }>()?);
        check("SCardEstablishContext", answer.rv)?;
        Ok(Self { link: Mutex::new(link), number: answer.context, minor, path })
    }

    /// Another connection to the same service, with waits of its own.
    ///
    /// # Errors
    /// As [`Context::establish_at`].
    pub fn another(&self) -> Result<Self, Error> {
        Self::establish_at(&self.path)
    }

    /// The longest wait for an answer from now on, of the service or of a card; without one it is waited for
    /// ever. Waiting for a change of readers has its own.
    ///
    /// # Errors
    /// [`Error::Connection`] when the system refuses.
    pub fn set_limit(&self, limit: Duration) -> Result<(), Error> {
        let mut link = self.link();
        link.stream.get_mut().set_read_timeout(Some(limit))?;
        link.limit = Some(limit);
        Ok(())
    }

    /// The minor version in use, 4 to 6.
    #[must_use]
    pub const fn minor(&self) -> u32 {
        self.minor
    }

    fn link(&self) -> MutexGuard<'_, Link> {
        self.link.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The readers and their states.
    ///
    /// # Errors
    /// [`Error::Connection`].
    pub fn readers(&self) -> Result<Vec<ReaderState>, Error> {
        self.link().states(self.minor)
    }

    /// Waits until a reader's state differs from `known` or `limit` is over; gives the states then.
    ///
    /// # Errors
    /// [`Error::Refused`] with CANCELLED after [`Context::cancel`]; [`Error::Connection`].
    pub fn wait_for_change(&self, known: &[ReaderState], limit: Duration) -> Result<Vec<ReaderState>, Error> {
        let end = Instant::now() + limit;
        let mut link = self.link();
        loop {
            link.send(&Request::WaitReaderStateChange)?;
            let states = if self.minor >= 6 { link.states(self.minor)? } else { link.read_states(STATES)? };
            let left = end.saturating_duration_since(Instant::now());
            if states != known || left.is_zero() {
                link.send(&Request::StopWaiting)?;
                link.receive::<{ Event::SIZE }>()?;
                return Ok(states);
            }
            // The limit of answers is not for this.
            let answers = link.limit.take();
            link.stream.get_mut().set_read_timeout(Some(left))?;
            let event = link.receive::<{ Event::SIZE }>();
            link.limit = answers;
            link.stream.get_mut().set_read_timeout(answers)?;
            match event {
                Ok(bytes) => check("SCardGetStatusChange", Event::read(&bytes).rv)?,
                Err(Error::Connection(e)) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    link.send(&Request::StopWaiting)?;
                    link.receive::<{ Event::SIZE }>()?;
                }
                Err(e) => return Err(e),
            }
        }
    }

    /// Ends a wait of this context, from another thread.
    ///
    /// # Errors
    /// [`Error`](enum@Error) when the service cannot be reached.
    pub fn cancel(&self) -> Result<(), Error> {
        let mut link = Link::open(&self.path)?;
        link.send(&Request::Cancel(ContextOnly { context: self.number, rv: ReturnCode::OK }))?;
        check("SCardCancel", ContextOnly::read(&link.receive::<{ ContextOnly::SIZE }>()?).rv)
    }

    /// Connects to a card with T=0 or T=1, or to a reader with [`ShareMode::Direct`].
    ///
    /// # Errors
    /// [`Error::Refused`] with the service's code.
    pub fn connect(&self, reader: &str, mode: ShareMode) -> Result<Connection<'_>, Error> {
        let code = ReturnCode::UNKNOWN_READER;
        let field = name(reader).ok_or(Error::Refused { call: "SCardConnect", code })?;
        let protocols = if mode == ShareMode::Direct { protocol::UNDEFINED } else { protocol::T0 | protocol::T1 };
        let body = Connect {
            context: self.number,
            reader: field,
            share: mode.number(),
            protocols,
            handle: 0,
            active: 0,
            rv: ReturnCode::OK,
        };
        let mut link = self.link();
        link.send(&Request::Connect(body))?;
        let answer = Connect::read(&link.receive::<{ Connect::SIZE }>()?);
        check("SCardConnect", answer.rv)?;
        Ok(Connection { context: self, reader: reader.into(), handle: answer.handle, protocol: answer.active, open: true })
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        let request = Request::Release(ContextOnly { context: self.number, rv: ReturnCode::OK });
        let mut link = self.link();
        // The service cleans up as well when the connection just ends.
        if link.send(&request).is_ok() {
            let _ = link.receive::<{ ContextOnly::SIZE }>();
        }
    }
}

/// A connected card; disconnected and left as it is when dropped.
pub struct Connection<'a> {
    context: &'a Context,
    reader: String,
    handle: u32,
    protocol: u32,
    open: bool,
}

impl Connection<'_> {
    /// The protocol in use: bit 0 for T=0, bit 1 for T=1, 0 for none.
    #[must_use]
    pub const fn protocol(&self) -> u32 {
        self.protocol
    }

    /// Sends a command APDU and gives the response APDU.
    ///
    /// # Errors
    /// [`Error::Refused`], for instance RESET_CARD when another program reset it.
    pub fn transmit(&mut self, apdu: &[u8]) -> Result<Vec<u8>, Error> {
        let body = Transmit {
            handle: self.handle,
            send_protocol: self.protocol,
            send_pci_length: 16,
            send_length: apdu.len() as u32,
            receive_protocol: 3,
            receive_pci_length: 16,
            receive_length: MAX_DATA as u32,
            rv: ReturnCode::OK,
        };
        loop {
            let mut link = self.context.link();
            link.send(&Request::Transmit(body, apdu))?;
            let answer = Transmit::read(&link.receive::<{ Transmit::SIZE }>()?);
            match answer.rv {
                ReturnCode::OK => return link.receive_vec(answer.receive_length as usize),
                ReturnCode::SHARING_VIOLATION => drop(link),
                code => return Err(Error::Refused { call: "SCardTransmit", code }),
            }
            std::thread::sleep(BUSY_PAUSE);
        }
    }

    /// Sends a control code to the reader.
    ///
    /// # Errors
    /// [`Error::Refused`] with UNSUPPORTED_FEATURE for a code the reader does not know.
    pub fn control(&mut self, code: u32, input: &[u8]) -> Result<Vec<u8>, Error> {
        let body = Control {
            handle: self.handle,
            code,
            send_length: input.len() as u32,
            receive_length: MAX_DATA as u32,
            returned: 0,
            rv: ReturnCode::OK,
        };
        let mut link = self.context.link();
        link.send(&Request::Control(body, input))?;
        let answer = Control::read(&link.receive::<{ Control::SIZE }>()?);
        check("SCardControl", answer.rv)?;
        link.receive_vec(answer.returned as usize)
    }

    /// Reads an attribute of the reader.
    ///
    /// # Errors
    /// [`Error::Refused`] with UNSUPPORTED_FEATURE for an attribute the reader does not have.
    pub fn attribute(&mut self, id: u32) -> Result<Vec<u8>, Error> {
        let body =
            Attribute { handle: self.handle, id, value: [0; MAX_ATTRIBUTE], length: MAX_ATTRIBUTE as u32, rv: ReturnCode::OK };
        let mut link = self.context.link();
        link.send(&Request::GetAttribute(body))?;
        let answer = Attribute::read(&link.receive::<{ Attribute::SIZE }>()?);
        check("SCardGetAttrib", answer.rv)?;
        Ok(answer.value[..(answer.length as usize).min(MAX_ATTRIBUTE)].to_vec())
    }

    /// Begins a transaction; waits while another program has one.
    ///
    /// # Errors
    /// [`Error::Refused`], for instance REMOVED_CARD.
    pub fn begin(&mut self) -> Result<(), Error> {
        loop {
            match self.try_begin() {
                Err(Error::Refused { code: ReturnCode::SHARING_VIOLATION, .. }) => std::thread::sleep(BUSY_PAUSE),
                other => return other,
            }
        }
    }

    /// As [`Connection::begin`], with one request: SHARING_VIOLATION when the service still has it held
    /// by another program after its own short wait.
    ///
    /// # Errors
    /// [`Error::Refused`].
    pub fn try_begin(&mut self) -> Result<(), Error> {
        let mut link = self.context.link();
        link.send(&Request::Begin(HandleOnly { handle: self.handle, rv: ReturnCode::OK }))?;
        check("SCardBeginTransaction", HandleOnly::read(&link.receive::<{ HandleOnly::SIZE }>()?).rv)
    }

    /// Ends a transaction.
    ///
    /// # Errors
    /// [`Error::Refused`] with NOT_TRANSACTED when there is none.
    pub fn end(&mut self, disposition: Disposition) -> Result<(), Error> {
        let body = Disposed { handle: self.handle, disposition: disposition.number(), rv: ReturnCode::OK };
        let mut link = self.context.link();
        link.send(&Request::End(body))?;
        check("SCardEndTransaction", Disposed::read(&link.receive::<{ Disposed::SIZE }>()?).rv)
    }

    /// Connects anew after a reset or removal, or in another mode.
    ///
    /// # Errors
    /// [`Error::Refused`], for instance NO_SMARTCARD.
    pub fn reconnect(&mut self, mode: ShareMode, initialization: Disposition) -> Result<(), Error> {
        let protocols = protocol::T0 | protocol::T1;
        let body = Reconnect {
            handle: self.handle,
            share: mode.number(),
            protocols,
            initialization: initialization.number(),
            active: 0,
            rv: ReturnCode::OK,
        };
        let mut link = self.context.link();
        link.send(&Request::Reconnect(body))?;
        let answer = Reconnect::read(&link.receive::<{ Reconnect::SIZE }>()?);
        check("SCardReconnect", answer.rv)?;
        self.protocol = answer.active;
        Ok(())
    }

    /// Asks whether the handle is still good.
    ///
    /// # Errors
    /// [`Error::Refused`] with RESET_CARD or REMOVED_CARD.
    pub fn status(&mut self) -> Result<(), Error> {
        let mut link = self.context.link();
        link.send(&Request::Status(HandleOnly { handle: self.handle, rv: ReturnCode::OK }))?;
        check("SCardStatus", HandleOnly::read(&link.receive::<{ HandleOnly::SIZE }>()?).rv)
    }

    /// The answer to reset of the card that is in the reader now; empty when there is none.
    ///
    /// # Errors
    /// [`Error::Connection`].
    pub fn atr(&self) -> Result<Vec<u8>, Error> {
        let readers = self.context.readers()?;
        Ok(readers.into_iter().find(|state| state.name == self.reader).map(|state| state.atr).unwrap_or_default())
    }

    /// Disconnects.
    ///
    /// # Errors
    /// [`Error::Refused`] or [`Error::Connection`]; the handle is gone either way.
    pub fn disconnect(mut self, disposition: Disposition) -> Result<(), Error> {
        self.close(disposition)
    }

    fn close(&mut self, disposition: Disposition) -> Result<(), Error> {
        self.open = false;
        let body = Disposed { handle: self.handle, disposition: disposition.number(), rv: ReturnCode::OK };
        let mut link = self.context.link();
        link.send(&Request::Disconnect(body))?;
        check("SCardDisconnect", Disposed::read(&link.receive::<{ Disposed::SIZE }>()?).rv)
    }
}

impl Drop for Connection<'_> {
    fn drop(&mut self) {
        if self.open {
            let _ = self.close(Disposition::Leave);
        }
    }
}
