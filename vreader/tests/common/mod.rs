//! A server in a thread, a card that answers what tests need, and a raw client.
#![allow(unreachable_pub)]

use cardlab_pcsclite::code::{ReturnCode, protocol};
use cardlab_pcsclite::wire::{
    self, Connect, ContextOnly, Disposed, Establish, Event, HandleOnly, ReaderState, Reconnect, Request, Transmit, Version,
};
use cardlab_sim::Random;
use cardlab_sim::atr::Protocol;
use cardlab_vreader::icc::Loss;
use cardlab_vreader::resource::ReaderId;
use cardlab_vreader::server::{Leftover, listen};
use cardlab_vreader::{Icc, Server};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// T=1 only.
pub const T1: &str = "3BFD1300008131FE158073C021C057597562694B657940";
/// T=0 and T=1.
pub const BOTH: &str = "3B80800101";

/// A server with one reader and its own thread.
pub struct Bench {
    pub server: Server,
    pub reader: ReaderId,
    pub path: PathBuf,
    pub card: CardHandle,
    runtime: tokio::runtime::Handle,
    _stop: tokio::sync::oneshot::Sender<()>,
    _directory: tempfile::TempDir,
}

/// A look into a card that stands in a reader.
#[derive(Clone, Default)]
pub struct CardHandle(pub Arc<Mutex<CardState>>);

#[derive(Default)]
pub struct CardState {
    pub powered: bool,
    pub mute: bool,
    /// Set by command 01, gone with power and reset: stands for a verified PIN.
    pub verified: bool,
    pub resets: u32,
    pub commands: u32,
    /// A slow command waits for this.
    gate: Option<Receiver<()>>,
}

pub struct TestCard {
    atr: Vec<u8>,
    state: CardHandle,
}

impl Icc for TestCard {
    fn power_on(&mut self) -> Option<Vec<u8>> {
        let mut state = self.state.0.lock().unwrap();
        state.powered = !state.mute;
        state.verified = false;
        (!state.mute).then(|| self.atr.clone())
    }

    fn reset(&mut self) -> Option<Vec<u8>> {
        self.state.0.lock().unwrap().resets += 1;
        self.power_on()
    }

    fn power_off(&mut self) {
        let mut state = self.state.0.lock().unwrap();
        state.powered = false;
        state.verified = false;
    }

    fn set_protocol(&mut self, _: Protocol) {}

    /// 01 verifies, 02 asks (01 or 00), 03 nn nn gives that many bytes, 04 waits for the gate, 05
    /// loses power; everything else comes back.
    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, Loss> {
        let gate = {
            let mut state = self.state.0.lock().unwrap();
            if !state.powered {
                return Err(Loss::Power);
            }
            state.commands += 1;
            match command {
                [1] => {
                    state.verified = true;
                    return Ok(vec![0x90, 0x00]);
                }
                [2] => return Ok(vec![u8::from(state.verified), 0x90, 0x00]),
                [3, a, b] => return Ok(vec![0x5A; usize::from(u16::from_be_bytes([*a, *b]))]),
                [5] => {
                    state.powered = false;
                    return Err(Loss::Power);
                }
                [4] => state.gate.take(),
                _ => return Ok(command.to_vec()),
            }
        };
        if let Some(gate) = gate {
            let _ = gate.recv();
        }
        Ok(vec![0x90, 0x00])
    }

    fn is_slow(&self, command: &[u8]) -> bool {
        command == [4]
    }
}

impl CardHandle {
    pub fn icc(&self, atr: &str) -> Box<dyn Icc> {
        Box::new(TestCard { atr: hex::decode(atr).unwrap(), state: self.clone() })
    }

    /// The next command 04 waits until something is sent here.
    pub fn close_gate(&self) -> Sender<()> {
        let (sender, receiver) = channel();
        self.0.lock().unwrap().gate = Some(receiver);
        sender
    }

    pub fn verified(&self) -> bool {
        self.0.lock().unwrap().verified
    }

    pub fn resets(&self) -> u32 {
        self.0.lock().unwrap().resets
    }
}

/// A server with one reader that holds a card with this ATR.
pub fn bench_with(atr: &str, grace: Duration) -> Bench {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("s");
    let (sender, receiver) = channel();
    let (stop, stopped) = tokio::sync::oneshot::channel();
    let socket = path.clone();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let server = Server::new(Random::from_number(1, 1), grace);
            let listener = listen(&socket).unwrap();
            tokio::spawn(server.clone().serve(listener));
            sender.send((server, tokio::runtime::Handle::current())).unwrap();
            let _ = stopped.await;
        });
        runtime.shutdown_background();
    });
    let (server, runtime) = receiver.recv().unwrap();
    let card = CardHandle::default();
    let reader = server_call(&runtime, &server, |s| Box::pin(async move { s.add_reader("Test") }));
    let bench = Bench { server, reader, path, card, runtime, _stop: stop, _directory: directory };
    bench.insert(atr);
    bench
}

pub fn bench() -> Bench {
    bench_with(T1, Duration::ZERO)
}

fn server_call<T: Send + 'static>(
    runtime: &tokio::runtime::Handle,
    server: &Server,
    call: impl FnOnce(Server) -> std::pin::Pin<Box<dyn Future<Output = T> + Send>>,
) -> T {
    let (sender, receiver) = channel();
    let future = call(server.clone());
    runtime.spawn(async move {
        let _ = sender.send(future.await);
    });
    receiver.recv().unwrap()
}

impl Bench {
    pub fn insert(&self, atr: &str) {
        let (icc, reader) = (self.card.icc(atr), self.reader);
        server_call(&self.runtime, &self.server, |s| Box::pin(async move { drop(s.insert(reader, icc).await) }));
    }

    pub fn remove(&self) {
        let reader = self.reader;
        server_call(&self.runtime, &self.server, |s| Box::pin(async move { drop(s.remove(reader).await) }));
    }

    /// Begins the removal without waiting for the card's command to end.
    pub fn pull(&self) {
        let (server, reader) = (self.server.clone(), self.reader);
        self.runtime.spawn(async move { drop(server.remove(reader).await) });
    }

    pub fn add_reader(&self, name: &'static str) -> ReaderId {
        server_call(&self.runtime, &self.server, |s| Box::pin(async move { s.add_reader(name) }))
    }

    pub fn unplug(&self, id: ReaderId) -> Leftover {
        server_call(&self.runtime, &self.server, |s| Box::pin(async move { s.unplug(id) }))
    }

    /// Told when the last command of a reader that was unplugged is over.
    pub fn ended(&self, leftover: Leftover) -> Receiver<()> {
        let (sender, receiver) = channel();
        self.runtime.spawn(async move {
            leftover.ended().await;
            let _ = sender.send(());
        });
        receiver
    }

    pub fn set_failing(&self, failing: bool) {
        let reader = self.reader;
        server_call(&self.runtime, &self.server, |s| Box::pin(async move { s.set_failing(reader, failing) }));
    }

    pub fn raw(&self, minor: u32) -> Raw {
        let mut raw = Raw::open(&self.path);
        assert_eq!(raw.version(4, minor), (4, minor, ReturnCode::OK));
        raw.establish();
        raw
    }
}

/// A client that says exactly what a test wants.
pub struct Raw {
    pub stream: UnixStream,
    pub context: u32,
    pub handle: u32,
}

impl Raw {
    pub fn open(path: &PathBuf) -> Self {
        let stream = UnixStream::connect(path).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        Self { stream, context: 0, handle: 0 }
    }

    pub fn send(&mut self, request: &Request<'_>) {
        let mut out = Vec::new();
        request.write(&mut out);
        self.stream.write_all(&out).unwrap();
    }

    pub fn read(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        self.stream.read_exact(&mut bytes).unwrap();
        bytes
    }

    /// Whether the server has closed the connection.
    pub fn is_closed(&mut self) -> bool {
        !matches!(self.stream.read(&mut [0]), Ok(1..))
    }

    /// Whether nothing comes for a moment.
    pub fn is_silent(&mut self) -> bool {
        self.stream.set_read_timeout(Some(Duration::from_millis(150))).unwrap();
        let result = self.stream.read(&mut [0]);
        self.stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        matches!(result, Err(e) if matches!(e.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut))
    }

    pub fn version(&mut self, major: u32, minor: u32) -> (u32, u32, ReturnCode) {
        self.send(&Request::Version(Version { major, minor, rv: ReturnCode::OK }));
        let v = Version::read(&self.read(Version::SIZE));
        (v.major, v.minor, v.rv)
    }

    pub fn establish(&mut self) {
        assert_eq!(self.establish_scope(0), ReturnCode::OK);
    }

    pub fn establish_scope(&mut self, scope: u32) -> ReturnCode {
        self.send(&Request::Establish(Establish { scope, context: 0, rv: ReturnCode::OK }));
        let e = Establish::read(&self.read(Establish::SIZE));
        self.context = e.context;
        e.rv
    }

    pub fn release(&mut self, context: u32) -> ReturnCode {
        self.send(&Request::Release(ContextOnly { context, rv: ReturnCode::OK }));
        ContextOnly::read(&self.read(ContextOnly::SIZE)).rv
    }

    pub fn connect_to(&mut self, name: &str, share: u32, protocols: u32) -> Result<(u32, u32), ReturnCode> {
        let body = Connect {
            context: self.context,
            reader: wire::name(name).unwrap(),
            share,
            protocols,
            handle: 0,
            active: 0,
            rv: ReturnCode::OK,
        };
        self.send(&Request::Connect(body));
        let c = Connect::read(&self.read(Connect::SIZE));
        if c.rv == ReturnCode::OK { Ok((c.handle, c.active)) } else { Err(c.rv) }
    }

    /// Connects to the one reader; the active protocol.
    pub fn connect(&mut self, share: u32, protocols: u32) -> Result<u32, ReturnCode> {
        let (handle, active) = self.connect_to("Test 00 00", share, protocols)?;
        self.handle = handle;
        Ok(active)
    }

    pub fn shared(&mut self) {
        assert_eq!(self.connect(2, protocol::T0 | protocol::T1), Ok(protocol::T1));
    }

    pub fn send_reconnect(&mut self, share: u32, protocols: u32, initialization: u32) {
        let body = Reconnect { handle: self.handle, share, protocols, initialization, active: 0, rv: ReturnCode::OK };
        self.send(&Request::Reconnect(body));
    }

    pub fn reconnect(&mut self, share: u32, protocols: u32, initialization: u32) -> Result<u32, ReturnCode> {
        self.send_reconnect(share, protocols, initialization);
        let r = Reconnect::read(&self.read(Reconnect::SIZE));
        if r.rv == ReturnCode::OK { Ok(r.active) } else { Err(r.rv) }
    }

    pub fn send_disconnect(&mut self, disposition: u32) {
        self.send(&Request::Disconnect(Disposed { handle: self.handle, disposition, rv: ReturnCode::OK }));
    }

    pub fn disposed(&mut self) -> ReturnCode {
        Disposed::read(&self.read(Disposed::SIZE)).rv
    }

    pub fn disconnect(&mut self, disposition: u32) -> ReturnCode {
        self.send_disconnect(disposition);
        self.disposed()
    }

    pub fn end(&mut self, disposition: u32) -> ReturnCode {
        self.send(&Request::End(Disposed { handle: self.handle, disposition, rv: ReturnCode::OK }));
        self.disposed()
    }

    pub fn send_begin(&mut self) {
        self.send(&Request::Begin(HandleOnly { handle: self.handle, rv: ReturnCode::OK }));
    }

    pub fn handled(&mut self) -> ReturnCode {
        HandleOnly::read(&self.read(HandleOnly::SIZE)).rv
    }

    pub fn begin(&mut self) -> ReturnCode {
        self.send_begin();
        self.handled()
    }

    pub fn status(&mut self) -> ReturnCode {
        self.send(&Request::Status(HandleOnly { handle: self.handle, rv: ReturnCode::OK }));
        self.handled()
    }

    /// The body of a TRANSMIT of `length` bytes through this handle.
    pub fn transmit_body(&self, send_protocol: u32, length: usize, room: u32) -> Transmit {
        Transmit {
            handle: self.handle,
            send_protocol,
            send_pci_length: 16,
            send_length: length as u32,
            receive_protocol: 3,
            receive_pci_length: 16,
            receive_length: room,
            rv: ReturnCode::OK,
        }
    }

    pub fn send_transmit(&mut self, send_protocol: u32, apdu: &[u8], room: u32) {
        let body = self.transmit_body(send_protocol, apdu.len(), room);
        self.send(&Request::Transmit(body, apdu));
    }

    pub fn transmitted(&mut self) -> (Transmit, Vec<u8>) {
        let t = Transmit::read(&self.read(Transmit::SIZE));
        let data = if t.rv == ReturnCode::OK { self.read(t.receive_length as usize) } else { Vec::new() };
        (t, data)
    }

    pub fn transmit(&mut self, apdu: &[u8]) -> Result<Vec<u8>, ReturnCode> {
        self.send_transmit(protocol::T1, apdu, 65_548);
        let (t, data) = self.transmitted();
        if t.rv == ReturnCode::OK { Ok(data) } else { Err(t.rv) }
    }

    pub fn states(&mut self, minor: u32) -> Vec<ReaderState> {
        let count = if minor == 6 {
            self.send(&Request::GetReadersStateSize);
            let count = u32::from_ne_bytes(self.read(4).try_into().unwrap()) as usize;
            self.send(&Request::GetReadersStateArray);
            count
        } else {
            self.send(&Request::GetReadersState);
            16
        };
        let bytes = self.read(count * ReaderState::SIZE);
        bytes.chunks(ReaderState::SIZE).map(|c| ReaderState::read(c).unwrap()).collect()
    }

    pub fn state(&mut self) -> ReaderState {
        self.states(4).remove(0)
    }

    /// WAIT as a 4:4 or 4:5 client: the states come at once.
    pub fn wait(&mut self) -> Vec<ReaderState> {
        self.send(&Request::WaitReaderStateChange);
        let bytes = self.read(16 * ReaderState::SIZE);
        bytes.chunks(ReaderState::SIZE).map(|c| ReaderState::read(c).unwrap()).collect()
    }

    pub fn event(&mut self) -> Event {
        Event::read(&self.read(Event::SIZE))
    }
}
