//! One client: frames in, decisions of the state machine, replies out.

use super::holder::Client;
use super::{Shared, lock};
use crate::icc::Loss;
use crate::placement::{self, HeldCard};
use crate::resource::{ConnectionId, Decision, ProtocolVersion, ReaderId, Resource, SlotCard};
use cardlab_pcsclite::code::{ReturnCode, part10, protocol};
use cardlab_pcsclite::wire::{self, Decoded, MAX_ATTRIBUTE, Request};
use rustix::net::RecvFlags;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::sync::Notify;
use tokio::time::Instant;

/// How long a reply may be withheld while another program holds the card. The client library holds
/// a lock of its whole process meanwhile, and asks again by itself.
const PATIENCE: Duration = Duration::from_millis(100);
/// A client that does not read its answer for so long is dropped.
const WRITE_LIMIT: Duration = Duration::from_secs(30);
/// Buffers that one large exchange has grown are given back above this size.
const KEPT_BUFFER: usize = 4096;

/// The client broke the protocol, or has gone.
struct Gone;

/// What the state machine needs for its decision.
#[derive(Clone, Copy)]
enum Needs {
    /// The reader's card.
    Card,
    /// Its own tables only.
    Nothing,
}

/// Serves a client until it goes, then cleans up after it.
pub(super) async fn run(shared: Arc<Shared>, stream: UnixStream) {
    let id = shared.resource().open();
    let bell = Arc::new(Notify::new());
    lock(&shared.bells).insert(id, Arc::clone(&bell));
    lock(&shared.clients).insert(id, Client::of(&stream));
    let mut connection = Connection { shared, id, stream, out: Vec::with_capacity(256), bell };
    // Either way the connection is over.
    let Gone = connection.serve().await;
    connection.clean_up().await;
    let Connection { shared, .. } = connection;
    shared.resource().close(id);
    lock(&shared.bells).remove(&id);
    lock(&shared.clients).remove(&id);
}

struct Connection {
    shared: Arc<Shared>,
    id: ConnectionId,
    stream: UnixStream,
    out: Vec<u8>,
    bell: Arc<Notify>,
}

impl Connection {
    async fn serve(&mut self) -> Gone {
        let mut buffer = Vec::with_capacity(512);
        loop {
            let mut used = 0;
            loop {
                match wire::decode(&buffer[used..]) {
                    Ok(Decoded::Complete(request, length)) => {
                        if self.answer(request).await.is_err() || self.flush().await.is_err() {
                            return Gone;
                        }
                        used += length;
                    }
                    Ok(Decoded::Incomplete) => break,
                    Err(_) => return Gone,
                }
            }
            if used == buffer.len() {
                buffer.clear();
                buffer.shrink_to(KEPT_BUFFER);
            } else {
                buffer.drain(..used);
            }
            tokio::select! {
                biased;
                read = self.stream.read_buf(&mut buffer) => match read {
                    Ok(0) | Err(_) => return Gone,
                    Ok(_) => {}
                },
                () = self.bell.notified() => {
                    if let Some(event) = self.shared.resource().take_event(self.id) {
                        event.write(&mut self.out);
                    }
                    if self.flush().await.is_err() {
                        return Gone;
                    }
                }
            }
        }
    }

    /// Writes the reply with one write.
    async fn flush(&mut self) -> Result<(), Gone> {
        if self.out.is_empty() {
            return Ok(());
        }
        // The common case does not need a timer.
        let written = match self.stream.try_write(&self.out) {
            Ok(n) => n,
            Err(e) if e.kind() == std::io::ErrorKind::WouldBlock => 0,
            Err(_) => return Err(Gone),
        };
        if written < self.out.len() {
            let rest = self.stream.write_all(&self.out[written..]);
            match tokio::time::timeout(WRITE_LIMIT, rest).await {
                Ok(Ok(())) => {}
                _ => return Err(Gone),
            }
        }
        self.out.clear();
        self.out.shrink_to(KEPT_BUFFER);
        Ok(())
    }

    async fn answer(&mut self, request: Request<'_>) -> Result<(), Gone> {
        let id = self.id;
        match request {
            Request::Version(mut b) => {
                let asked = ProtocolVersion { major: b.major, minor: b.minor };
                let (answered, rv) = self.shared.resource().version(id, asked);
                if rv != ReturnCode::OK {
                    self.shared.strange(asked);
                }
                (b.major, b.minor, b.rv) = (answered.major, answered.minor, rv);
                b.write(&mut self.out);
            }
            Request::Establish(mut b) => {
                (b.context, b.rv) = self.shared.resource().establish(id, b.scope);
                b.write(&mut self.out);
            }
            Request::Release(mut b) => {
                b.rv = self.shared.resource().release(id, b.context);
                if b.rv == ReturnCode::OK {
                    self.clean_up().await;
                }
                b.write(&mut self.out);
            }
            Request::Connect(mut b) => {
                let reader = self.shared.resource().find_reader(&wire::text(&b.reader));
                let decided = self
                    .decide(reader, Needs::Card, None, |r, card| r.connect(id, b.context, reader, b.share, b.protocols, card))
                    .await?;
                match decided.flatten() {
                    Ok((handle, active)) => {
                        (b.handle, b.active, b.rv) = (handle, active, ReturnCode::OK);
                        if let Some((client, reader)) = lock(&self.shared.clients).get_mut(&id).zip(reader) {
                            client.connected(reader);
                        }
                    }
                    Err(code) => (b.handle, b.active, b.rv) = (0, protocol::UNDEFINED, code),
                }
                b.write(&mut self.out);
            }
            Request::Reconnect(mut b) => {
                let reader = self.shared.resource().reader_of(id, b.handle);
                let decided = self
                    .decide(reader, Needs::Card, Some(PATIENCE), |r, card| {
                        r.reconnect(id, b.handle, b.share, b.protocols, b.initialization, card)
                    })
                    .await?;
                match decided.flatten() {
                    Ok(active) => (b.active, b.rv) = (active, ReturnCode::OK),
                    Err(code) => (b.active, b.rv) = (protocol::UNDEFINED, code),
                }
                b.write(&mut self.out);
            }
            Request::Disconnect(mut b) => {
                let reader = self.shared.resource().reader_of(id, b.handle);
                let decided =
                    self.decide(reader, Needs::Card, None, |r, card| r.disconnect(id, b.handle, b.disposition, card)).await?;
                b.rv = decided.unwrap_or_else(|refused| refused);
                b.write(&mut self.out);
            }
            Request::Begin(mut b) => {
                let reader = self.shared.resource().reader_of(id, b.handle);
                let decided = self.decide(reader, Needs::Nothing, Some(PATIENCE), |r, _| r.begin(id, b.handle)).await?;
                b.rv = decided.unwrap_or_else(|refused| refused);
                b.write(&mut self.out);
            }
            Request::Status(mut b) => {
                let reader = self.shared.resource().reader_of(id, b.handle);
                let decided = self.decide(reader, Needs::Nothing, Some(PATIENCE), |r, _| r.status(id, b.handle)).await?;
                b.rv = decided.unwrap_or_else(|refused| refused);
                b.write(&mut self.out);
            }
            Request::End(mut b) => {
                let reader = self.shared.resource().reader_of(id, b.handle);
                let decided =
                    self.decide(reader, Needs::Card, Some(PATIENCE), |r, card| r.end(id, b.handle, b.disposition, card)).await?;
                b.rv = decided.unwrap_or_else(|refused| refused);
                b.write(&mut self.out);
            }
            Request::Transmit(b, apdu) => self.transmit(b, apdu).await?,
            Request::Control(mut b, input) => {
                let answer = match self.at_pin_pad(&b, input).await? {
                    Some(answer) => answer,
                    None => settled(self.shared.resource().control(id, b.handle, b.code))?,
                };
                b.returned = 0;
                let answer = answer.and_then(|data| {
                    b.returned = data.len() as u32;
                    if data.len() > b.receive_length as usize { Err(ReturnCode::INSUFFICIENT_BUFFER) } else { Ok(data) }
                });
                b.rv = answer.as_ref().err().copied().unwrap_or(ReturnCode::OK);
                b.write(&mut self.out);
                self.out.extend(answer.unwrap_or_default());
            }
            Request::GetAttribute(mut b) => {
                match settled(self.shared.resource().attribute(id, b.handle, b.id))? {
                    Ok(value) => {
                        let length = value.len().min(MAX_ATTRIBUTE);
                        b.value = [0; MAX_ATTRIBUTE];
                        b.value[..length].copy_from_slice(&value[..length]);
                        (b.length, b.rv) = (length as u32, ReturnCode::OK);
                    }
                    Err(code) => b.rv = code,
                }
                b.write(&mut self.out);
            }
            Request::SetAttribute(mut b) => {
                b.rv = settled(self.shared.resource().set_attribute(id, b.handle))?;
                b.write(&mut self.out);
            }
            Request::Cancel(mut b) => {
                b.rv = self.shared.resource().cancel(b.context);
                b.write(&mut self.out);
            }
            Request::GetReadersState => {
                let states = self.shared.resource().states(wire::STATES);
                states.iter().for_each(|s| s.write(&mut self.out));
            }
            Request::WaitReaderStateChange => {
                let states = self.shared.resource().wait(id);
                states.iter().flatten().for_each(|s| s.write(&mut self.out));
            }
            Request::StopWaiting => {
                if let Some(event) = self.shared.resource().stop_waiting(id) {
                    event.write(&mut self.out);
                }
            }
            Request::GetReaderEvents => {
                let count = self.shared.resource().reader_events();
                self.out.extend(count.to_ne_bytes());
                self.out.extend(ReturnCode::OK.0.to_ne_bytes());
            }
            Request::GetReadersStateSize => {
                let count = self.shared.resource().announce_size(id) as u32;
                self.out.extend(count.to_ne_bytes());
            }
            Request::GetReadersStateArray => {
                let states = self.shared.resource().announced_states(id);
                states.iter().for_each(|s| s.write(&mut self.out));
            }
        }
        self.shared.wake();
        Ok(())
    }

    async fn transmit(&mut self, mut b: wire::Transmit, apdu: &[u8]) -> Result<(), Gone> {
        let room = std::mem::take(&mut b.receive_length) as usize;
        let answer = self.exchange(b.handle, b.send_protocol, apdu).await?.and_then(|(pci, response)| {
            // The card has acted all the same; so it is on real readers too.
            b.receive_length = response.len() as u32;
            if response.len() > room {
                return Err(ReturnCode::INSUFFICIENT_BUFFER);
            }
            b.receive_protocol = pci;
            Ok(response)
        });
        b.rv = answer.as_ref().err().copied().unwrap_or(ReturnCode::OK);
        b.write(&mut self.out);
        self.out.extend(answer.unwrap_or_default());
        Ok(())
    }

    async fn exchange(&self, handle: u32, send_protocol: u32, apdu: &[u8]) -> Result<Result<(u32, Vec<u8>), ReturnCode>, Gone> {
        let reader = self.shared.resource().reader_of(self.id, handle);
        let (allowed, card) = self
            .decide_keeping(reader, Needs::Card, Some(PATIENCE), |r, _| r.may_transmit(self.id, handle, send_protocol))
            .await?;
        let pci = match allowed.flatten() {
            Ok(pci) => pci,
            Err(code) => return Ok(Err(code)),
        };
        let Some((reader, mut card)) = reader.zip(card).filter(|(_, card)| card.is_some()) else {
            return Ok(Err(ReturnCode::NO_SMARTCARD));
        };
        let program = lock(&self.shared.clients).get(&self.id).map(Client::program);
        if let Some((icc, program)) = card.as_mut().zip(program) {
            icc.asked_by(&program);
        }
        // Held until the state machine knows how it went.
        let (_card, response) = placement::transmit(card, apdu).await;
        let resource = self.shared.resource();
        if !resource.is_present(self.id, handle, reader) {
            // Pulled out while it worked: what it answered came too late.
            return Ok(Err(ReturnCode::NO_SMARTCARD));
        }
        Ok(response.unwrap_or(Err(Loss::Power)).map(|response| (pci, response)).map_err(|loss| {
            self.shared.lost(resource, reader, loss);
            match loss {
                Loss::Card => ReturnCode::NO_SMARTCARD,
                Loss::Reader => ReturnCode::READER_UNAVAILABLE,
                Loss::Mute | Loss::Power => ReturnCode::NOT_TRANSACTED,
            }
        }))
    }

    /// VERIFY_PIN_DIRECT and MODIFY_PIN_DIRECT of a reader that has a keypad: the card's answer, or the reader's
    /// own. `None` for everything else.
    async fn at_pin_pad(&self, b: &wire::Control, structure: &[u8]) -> Result<Option<Result<Vec<u8>, ReturnCode>>, Gone> {
        const VERIFY: u32 = part10::control_code(part10::FEATURE_VERIFY_PIN_DIRECT);
        const MODIFY: u32 = part10::control_code(part10::FEATURE_MODIFY_PIN_DIRECT);
        let slot = self.shared.resource().reader_of(self.id, b.handle).and_then(|reader| self.shared.slot(reader));
        let Some(pad) = slot.and_then(|slot| slot.pin_pad.get().cloned()) else { return Ok(None) };
        let typed = async { if b.code == VERIFY { pad.verify(structure).await } else { pad.modify(structure).await } };
        if !matches!(b.code, VERIFY | MODIFY) {
            return Ok(None);
        }
        // What is typed after a program has gone is for the next.
        let command = tokio::select! {
            biased;
            Gone = self.hangup() => return Err(Gone),
            command = typed => command,
        };
        Ok(Some(match command {
            Err(sw) => Ok(sw.to_bytes().to_vec()),
            Ok(command) => self.exchange(b.handle, protocol::ANY_OLD, &command).await?.map(|(_, response)| response),
        }))
    }

    /// As [`Self::decide_keeping`], for requests that are done when they are decided.
    async fn decide<T>(
        &self,
        reader: Option<ReaderId>,
        needs: Needs,
        patience: Option<Duration>,
        ask: impl FnMut(&mut Resource, &mut SlotCard) -> Decision<T>,
    ) -> Result<Result<T, ReturnCode>, Gone> {
        Ok(self.decide_keeping(reader, needs, patience, ask).await?.0)
    }

    /// Asks the state machine until it answers; SHARING_VIOLATION when the patience is over. A
    /// request that needs the reader's card gets it together with the answer, still held. Requests
    /// that do not touch the card must not wait for one that is busy with another program's command.
    async fn decide_keeping<T>(
        &self,
        reader: Option<ReaderId>,
        needs: Needs,
        patience: Option<Duration>,
        mut ask: impl FnMut(&mut Resource, &mut SlotCard) -> Decision<T>,
    ) -> Result<(Result<T, ReturnCode>, Option<HeldCard>), Gone> {
        let Some(slot) = reader.and_then(|r| self.shared.slot(r)) else {
            return settled(ask(&mut self.shared.resource(), &mut None)).map(|answer| (Ok(answer), None));
        };
        let deadline = patience.map(|p| Instant::now() + p);
        loop {
            // Listening begins before the question, so that no end of a transaction is missed.
            let freed = slot.freed.notified();
            tokio::pin!(freed);
            freed.as_mut().enable();
            let mut card = match needs {
                Needs::Card => Some(Arc::clone(&slot.card).lock_owned().await),
                Needs::Nothing => None,
            };
            let decision = ask(&mut self.shared.resource(), card.as_deref_mut().unwrap_or(&mut None));
            match decision {
                Decision::Answer(answer) => return Ok((Ok(answer), card)),
                Decision::Close => return Err(Gone),
                Decision::Wait => drop(card),
            }
            if !self.wait_until_free(freed, deadline).await? {
                return Ok((Err(ReturnCode::SHARING_VIOLATION), None));
            }
        }
    }

    /// Waits for the reader's lock; `false` when the time is over. A client that goes meanwhile, or
    /// breaks the protocol by asking more, is not waited for.
    async fn wait_until_free(&self, freed: impl Future<Output = ()>, deadline: Option<Instant>) -> Result<bool, Gone> {
        tokio::select! {
            biased;
            Gone = self.hangup() => Err(Gone),
            () = freed => Ok(true),
            () = until(deadline) => Ok(false),
        }
    }

    /// Ends when the client has closed its end, or has sent bytes before its reply.
    async fn hangup(&self) -> Gone {
        loop {
            if self.stream.readable().await.is_err() {
                return Gone;
            }
            let peek = self.stream.try_io(tokio::io::Interest::READABLE, || {
                let mut byte = [0u8; 1];
                rustix::net::recv(&self.stream, &mut byte[..], RecvFlags::PEEK | RecvFlags::DONTWAIT)
                    .map(|(_, n)| n)
                    .map_err(std::io::Error::from)
            });
            match peek {
                Err(e) if e.kind() == std::io::ErrorKind::WouldBlock => {}
                _ => return Gone,
            }
        }
    }

    /// Closes every handle as a program's end does.
    async fn clean_up(&self) {
        let handles = self.shared.resource().handles(self.id);
        for (handle, reader) in handles {
            match reader.and_then(|r| self.shared.slot(r)) {
                Some(slot) => {
                    let mut card = slot.card.lock().await;
                    self.shared.resource().clean_up(self.id, handle, &mut card);
                }
                None => self.shared.resource().clean_up(self.id, handle, &mut None),
            }
        }
        self.shared.wake();
    }
}

/// A decision that never waits.
fn settled<T>(decision: Decision<T>) -> Result<T, Gone> {
    match decision {
        Decision::Answer(answer) => Ok(answer),
        Decision::Wait | Decision::Close => Err(Gone),
    }
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
