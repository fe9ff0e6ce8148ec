//! The thread that carries requests out: a request in, a reply out, as pcsc-lite's service has them.

use super::card::Handle;
use super::convert::{active, attribute, becomes, code, control, protocols, reader, share_mode};
use crate::code::ReturnCode;
use crate::wire::{
    Attribute, Connect, ContextOnly, Control, Decoded, Disposed, Establish, Event, HandleOnly, MAX_ATTRIBUTE, MAX_DATA,
    Reconnect, Request, STATES, Transmit, Version, decode, text,
};
use pcsc::{Context, ReaderState, Scope, State};
use std::collections::BTreeMap;
use std::ffi::CString;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How often a wait for changes looks whether it is wanted still, and whether a reader was plugged in or out. A card that comes or
/// goes is told at once.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// The waits of all contexts, by their numbers, so that another connection can cancel them.
static WAITS: Mutex<BTreeMap<u32, Arc<AtomicBool>>> = Mutex::new(BTreeMap::new());

fn waits() -> MutexGuard<'static, BTreeMap<u32, Arc<AtomicBool>>> {
    WAITS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The connection has ended.
struct Over;

/// Whether a change is waited for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Waits {
    /// Nobody waits.
    Not,
    /// Somebody does, and fetches the states first: an event between their parts would be taken for one of them.
    Fetching,
    /// Changes of the states that were fetched.
    ForChange,
}

/// One connection.
pub(super) struct Service {
    inbox: Receiver<Vec<u8>>,
    outbox: Sender<Vec<u8>>,
    /// Bytes of a request that is not whole yet.
    buffer: Vec<u8>,
    context: Option<Context>,
    number: u32,
    cards: BTreeMap<u32, Handle>,
    last: u32,
    /// The readers as they were told last.
    seen: Vec<ReaderState>,
    waits: Waits,
    cancelled: Arc<AtomicBool>,
}

impl Service {
    pub(super) fn new(inbox: Receiver<Vec<u8>>, outbox: Sender<Vec<u8>>) -> Self {
        Self {
            inbox,
            outbox,
            buffer: Vec::new(),
            context: None,
            number: 0,
            cards: BTreeMap::new(),
            last: 0,
            seen: Vec::new(),
            waits: Waits::Not,
            cancelled: Arc::default(),
        }
    }

    /// Until whoever asks is gone, or the system's service is.
    pub(super) fn run(mut self) {
        while self.step().is_ok() {}
        waits().remove(&self.number);
    }

    fn step(&mut self) -> Result<(), Over> {
        let bytes = if self.waits == Waits::ForChange {
            self.inbox.recv_timeout(Duration::ZERO)
        } else {
            self.inbox.recv().map_err(RecvTimeoutError::from)
        };
        match bytes {
            Ok(bytes) => self.take(&bytes),
            Err(RecvTimeoutError::Timeout) => self.look(),
            Err(RecvTimeoutError::Disconnected) => Err(Over),
        }
    }

    fn take(&mut self, bytes: &[u8]) -> Result<(), Over> {
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.extend_from_slice(bytes);
        let mut at = 0;
        while let Decoded::Complete(request, length) = decode(&buffer[at..]).map_err(|_| Over)? {
            self.request(request)?;
            at += length;
        }
        buffer.drain(..at);
        self.buffer = buffer;
        Ok(())
    }

    fn reply(&self, bytes: Vec<u8>) -> Result<(), Over> {
        self.outbox.send(bytes).map_err(|_| Over)
    }

    fn request(&mut self, request: Request<'_>) -> Result<(), Over> {
        match request {
            Request::Version(body) => self.reply(Version { rv: ReturnCode::OK, ..body }.to_bytes()),
            Request::Establish(body) => {
                let rv = self.establish();
                let context = self.number;
                self.reply(Establish { context, rv, ..body }.to_bytes())
            }
            Request::Release(body) => {
                self.cards.clear();
                self.reply(ContextOnly { rv: ReturnCode::OK, ..body }.to_bytes())
            }
            Request::Cancel(body) => {
                let rv = waits().get(&body.context).map_or(ReturnCode::INVALID_HANDLE, |wait| {
                    wait.store(true, Ordering::Release);
                    ReturnCode::OK
                });
                self.reply(ContextOnly { rv, ..body }.to_bytes())
            }
            Request::Connect(body) => {
                let connected = self.connect(&body);
                let (rv, (handle, active)) = parts(connected);
                self.reply(Connect { handle, active, rv, ..body }.to_bytes())
            }
            Request::Reconnect(body) => {
                let (rv, active) = parts(self.reconnect(&body));
                self.reply(Reconnect { active, rv, ..body }.to_bytes())
            }
            Request::Disconnect(body) => {
                let gone = becomes(body.disposition).and_then(|disposition| {
                    let card = self.cards.remove(&body.handle).ok_or(ReturnCode::INVALID_HANDLE)?;
                    card.disconnect(disposition)
                });
                self.reply(Disposed { rv: parts(gone).0, ..body }.to_bytes())
            }
            Request::Begin(body) => {
                let (rv, ()) = parts(self.handle(body.handle).and_then(Handle::begin));
                self.reply(HandleOnly { rv, ..body }.to_bytes())
            }
            Request::End(body) => {
                let ended = becomes(body.disposition).and_then(|disposition| self.handle(body.handle)?.end(disposition));
                self.reply(Disposed { rv: parts(ended).0, ..body }.to_bytes())
            }
            Request::Transmit(body, apdu) => {
                let (rv, answer) = parts(self.transmit(body.handle, apdu));
                let receive_length = answer.len() as u32;
                self.reply([Transmit { receive_length, rv, ..body }.to_bytes(), answer].concat())
            }
            Request::Control(body, input) => {
                let (rv, answer) = parts(self.control(body.handle, body.code, input));
                let returned = answer.len() as u32;
                self.reply([Control { returned, rv, ..body }.to_bytes(), answer].concat())
            }
            Request::Status(body) => {
                let status = self.handle(body.handle).and_then(|card| card.card()?.status2_owned().map_err(code));
                let rv = status.err().unwrap_or(ReturnCode::OK);
                self.reply(HandleOnly { rv, ..body }.to_bytes())
            }
            Request::GetAttribute(body) => {
                let (rv, read) = parts(self.attribute(body.handle, body.id));
                let (mut value, length) = ([0; MAX_ATTRIBUTE], read.len().min(MAX_ATTRIBUTE));
                value[..length].copy_from_slice(&read[..length]);
                self.reply(Attribute { value, length: length as u32, rv, ..body }.to_bytes())
            }
            Request::SetAttribute(body) => self.reply(Attribute { rv: ReturnCode::UNSUPPORTED_FEATURE, ..body }.to_bytes()),
            Request::GetReadersState => {
                self.seen = self.readers()?;
                self.states(STATES)
            }
            Request::GetReadersStateSize => {
                self.seen = self.readers()?;
                let count = self.seen.len() as u32;
                self.reply(count.to_ne_bytes().to_vec())
            }
            Request::GetReadersStateArray => self.states(self.seen.len()),
            Request::WaitReaderStateChange => {
                self.waits = Waits::Fetching;
                Ok(())
            }
            Request::StopWaiting if self.waits != Waits::Not => self.event(ReturnCode::OK),
            // As pcsc-lite: who does not wait is not answered.
            Request::StopWaiting => Ok(()),
            Request::GetReaderEvents => self.reply(0_u32.to_ne_bytes().to_vec()),
        }
    }

    fn establish(&mut self) -> ReturnCode {
        match Context::establish(Scope::User) {
            Ok(context) => {
                let mut waits = waits();
                self.number = waits.last_key_value().map_or(1, |(last, _)| last + 1);
                waits.insert(self.number, self.cancelled.clone());
                self.context = Some(context);
                ReturnCode::OK
            }
            Err(error) => code(error),
        }
    }

    fn context(&self) -> Result<&Context, ReturnCode> {
        self.context.as_ref().ok_or(ReturnCode::INVALID_HANDLE)
    }

    fn handle(&mut self, number: u32) -> Result<&mut Handle, ReturnCode> {
        self.cards.get_mut(&number).ok_or(ReturnCode::INVALID_HANDLE)
    }

    fn connect(&mut self, body: &Connect) -> Result<(u32, u32), ReturnCode> {
        let name = CString::new(text(&body.reader)).map_err(|_| ReturnCode::UNKNOWN_READER)?;
        let card = self.context()?.connect(&name, share_mode(body.share)?, protocols(body.protocols)).map_err(code)?;
        let in_use = active(card.status2_owned().ok().and_then(|status| status.protocol2()));
        self.last += 1;
        self.cards.insert(self.last, Handle::new(card));
        Ok((self.last, in_use))
    }

    fn reconnect(&mut self, body: &Reconnect) -> Result<u32, ReturnCode> {
        let card = self.handle(body.handle)?.out_of_transaction()?;
        card.reconnect(share_mode(body.share)?, protocols(body.protocols), becomes(body.initialization)?).map_err(code)?;
        Ok(active(card.status2_owned().ok().and_then(|status| status.protocol2())))
    }

    fn transmit(&mut self, handle: u32, apdu: &[u8]) -> Result<Vec<u8>, ReturnCode> {
        let mut room = vec![0; MAX_DATA];
        let length = self.handle(handle)?.card()?.transmit(apdu, &mut room).map_err(code)?.len();
        room.truncate(length);
        Ok(room)
    }

    fn control(&mut self, handle: u32, number: u32, input: &[u8]) -> Result<Vec<u8>, ReturnCode> {
        let mut room = vec![0; MAX_DATA];
        let length = self.handle(handle)?.card()?.control(control(number).into(), input, &mut room).map_err(code)?.len();
        room.truncate(length);
        Ok(room)
    }

    fn attribute(&mut self, handle: u32, id: u32) -> Result<Vec<u8>, ReturnCode> {
        let card = self.handle(handle)?;
        let attribute = attribute(id).ok_or(ReturnCode::UNSUPPORTED_FEATURE)?;
        card.card()?.get_attribute_owned(attribute).map_err(code)
    }

    /// The readers as they are now.
    fn readers(&self) -> Result<Vec<ReaderState>, Over> {
        let context = self.context().map_err(|_| Over)?;
        let names = context.list_readers_owned().map_err(|_| Over)?;
        let mut readers: Vec<_> = names.into_iter().map(|name| ReaderState::new(name, State::UNAWARE)).collect();
        if !readers.is_empty() {
            // A reader that was pulled out meanwhile is told as one that does not work, until it is not listed any more.
            match context.get_status_change(Duration::ZERO, &mut readers) {
                Ok(()) | Err(pcsc::Error::Timeout | pcsc::Error::UnknownReader) => {}
                Err(_) => return Err(Over),
            }
        }
        readers.iter_mut().for_each(ReaderState::sync_current_state);
        Ok(readers)
    }

    /// The readers as they were seen last, in so many places.
    fn states(&mut self, places: usize) -> Result<(), Over> {
        if self.waits == Waits::Fetching {
            self.waits = Waits::ForChange;
        }
        let mut bytes = Vec::new();
        self.seen.iter().take(places).for_each(|seen| reader(seen).write(&mut bytes));
        for _ in self.seen.len()..places {
            crate::wire::ReaderState::FREE.write(&mut bytes);
        }
        self.reply(bytes)
    }

    /// Looks for a change once.
    fn look(&mut self) -> Result<(), Over> {
        if self.cancelled.swap(false, Ordering::AcqRel) {
            return self.event(ReturnCode::CANCELLED);
        }
        let names = self.context().map_err(|_| Over)?.list_readers_owned().map_err(|_| Over)?;
        let changed = if !names.iter().map(CString::as_c_str).eq(self.seen.iter().map(ReaderState::name)) {
            true
        } else if self.seen.is_empty() {
            // Nothing can change but that a reader comes, or that nobody waits any more.
            match self.inbox.recv_timeout(LOOK_EVERY) {
                Ok(bytes) => return self.take(&bytes),
                Err(RecvTimeoutError::Timeout) => false,
                Err(RecvTimeoutError::Disconnected) => return Err(Over),
            }
        } else {
            let context = self.context.clone().ok_or(Over)?;
            match context.get_status_change(LOOK_EVERY, &mut self.seen) {
                Ok(()) => true,
                Err(pcsc::Error::Timeout) => false,
                Err(pcsc::Error::UnknownReader | pcsc::Error::ReaderUnavailable) => true,
                Err(_) => return Err(Over),
            }
        };
        if changed { self.event(ReturnCode::OK) } else { Ok(()) }
    }

    /// Ends the wait.
    fn event(&mut self, rv: ReturnCode) -> Result<(), Over> {
        self.waits = Waits::Not;
        self.reply(Event { time_out: 0, rv }.to_bytes())
    }
}

/// A result in the two parts that a reply has.
fn parts<T: Default>(result: Result<T, ReturnCode>) -> (ReturnCode, T) {
    match result {
        Ok(value) => (ReturnCode::OK, value),
        Err(code) => (code, T::default()),
    }
}
