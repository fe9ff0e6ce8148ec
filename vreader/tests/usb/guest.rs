//! Guests of both wires, and what a driver does with a reader.

use cardlab_vreader::usb::ccid::Setup;
use cardlab_vreader::usb::ccid::message::{IccStatus, Message, Outcome, Reply, to_reader};
use cardlab_vreader::usb::descriptor::{BULK_IN, BULK_OUT, INTERRUPT_IN};
use cardlab_vreader::usb::usbip::wire as ip;
use cardlab_vreader::usb::usbredir::wire::{Both, Framed, Packet, capability, read};
use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;

/// A bus with the device on it.
pub(crate) trait Bus {
    /// A control transfer; `None` when it is stalled.
    fn control(&mut self, setup: Setup) -> Option<Vec<u8>>;
    /// A transfer to an endpoint; `false` when it is stalled.
    fn write(&mut self, endpoint: u8, data: &[u8]) -> bool;
    /// Begins a transfer from an endpoint.
    fn ask(&mut self, endpoint: u8, length: u32) -> u64;
    /// Its data; `None` when the device is gone.
    fn wait(&mut self, transfer: u64) -> Option<Vec<u8>>;
    /// Takes the transfer back, and waits until that is done.
    fn take_back(&mut self, transfer: u64);
    fn configure(&mut self);
    /// The next thing that happens is that the device is unplugged.
    fn is_pulled_out(&mut self);
    /// The next thing that happens is that the device is plugged in.
    fn comes_back(&mut self);
}

/// A host with a driver for readers.
pub(crate) struct Host {
    pub(crate) bus: Box<dyn Bus>,
    seq: u8,
    /// How often a command asked for more time.
    pub(crate) extended: usize,
}

/// Where the card is, and the reader's error.
pub(crate) type Failed = (u8, u8);

impl Host {
    pub(crate) fn new(bus: Box<dyn Bus>) -> Self {
        Self { bus, seq: 0, extended: 0 }
    }

    pub(crate) fn configure(&mut self) {
        self.bus.configure();
    }

    pub(crate) fn is_pulled_out(&mut self) {
        self.bus.is_pulled_out();
    }

    pub(crate) fn comes_back(&mut self) {
        self.bus.comes_back();
    }

    pub(crate) fn control(&mut self, request_type: u8, request: u8, value: u16, index: u16, length: u16) -> Option<Vec<u8>> {
        self.bus.control(Setup { request_type, request, value, index, length })
    }

    pub(crate) fn descriptor(&mut self, value: u16, length: u16) -> Vec<u8> {
        self.control(0x80, 6, value, 0, length).unwrap()
    }

    pub(crate) fn interrupt(&mut self) -> Vec<u8> {
        let transfer = self.bus.ask(INTERRUPT_IN, 8);
        self.bus.wait(transfer).unwrap()
    }

    /// Sends a message; its number.
    pub(crate) fn send(&mut self, kind: u8, slot: u8, data: &[u8]) -> u8 {
        self.seq = self.seq.wrapping_add(1);
        let message = Message { kind, slot, seq: self.seq, parameters: [0; 3], data };
        assert!(self.bus.write(BULK_OUT, &message.to_bytes()));
        self.seq
    }

    /// The next message that is no request for more time.
    pub(crate) fn reply(&mut self) -> Reply {
        loop {
            let transfer = self.bus.ask(BULK_IN, 65_554);
            let reply = Reply::read(&self.bus.wait(transfer).unwrap()).unwrap();
            match reply.outcome {
                Outcome::MoreTime => self.extended += 1,
                Outcome::Done | Outcome::Failed(_) => return reply,
            }
        }
    }

    pub(crate) fn reply_to(&mut self, seq: u8) -> Result<Vec<u8>, Failed> {
        let reply = self.reply();
        assert_eq!(reply.seq, seq);
        let icc = match reply.icc {
            IccStatus::Active => 0,
            IccStatus::Inactive => 1,
            IccStatus::Absent => 2,
        };
        match reply.outcome {
            Outcome::Failed(error) => Err((icc, error)),
            Outcome::Done | Outcome::MoreTime => Ok(reply.data),
        }
    }

    fn exchange(&mut self, kind: u8, slot: u8, data: &[u8]) -> Result<Vec<u8>, Failed> {
        let seq = self.send(kind, slot, data);
        self.reply_to(seq)
    }

    pub(crate) fn power_on(&mut self, slot: u8) -> Result<Vec<u8>, Failed> {
        self.exchange(to_reader::ICC_POWER_ON, slot, &[])
    }

    pub(crate) fn power_off(&mut self, slot: u8) {
        self.exchange(to_reader::ICC_POWER_OFF, slot, &[]).unwrap();
    }

    /// Begins a command; [`Host::reply_to`] gives its answer.
    pub(crate) fn begin(&mut self, slot: u8, command: &[u8]) -> u8 {
        self.send(to_reader::XFR_BLOCK, slot, command)
    }

    pub(crate) fn transmit(&mut self, slot: u8, command: &[u8]) -> Vec<u8> {
        self.exchange(to_reader::XFR_BLOCK, slot, command).unwrap()
    }

    pub(crate) fn begin_secure(&mut self, slot: u8, block: &[u8]) {
        self.send(to_reader::SECURE, slot, block);
    }

    pub(crate) fn secure(&mut self, slot: u8, block: &[u8]) -> Result<Vec<u8>, Failed> {
        self.exchange(to_reader::SECURE, slot, block)
    }

    pub(crate) fn abort(&mut self, slot: u8) {
        let seq = self.seq.wrapping_add(1);
        self.control(0x21, 1, u16::from_le_bytes([slot, seq]), 0, 0).unwrap();
        self.exchange(to_reader::ABORT, slot, &[]).unwrap();
    }
}

/// A packet that an answer is made of.
#[derive(Debug)]
enum Came {
    Bulk(Vec<u8>),
    Interrupt(Vec<u8>),
    Cancelled,
    Written(bool),
    Control(Option<Vec<u8>>),
    Configured,
    Out,
    In,
}

/// A QEMU guest.
pub(crate) struct Redir {
    stream: UnixStream,
    input: Vec<u8>,
    both: Both,
    id: u64,
    /// Answers that were not waited for yet.
    came: Vec<(u64, Came)>,
}

const CAPABILITIES: u32 = capability::CONNECT_DEVICE_VERSION
    | capability::DEVICE_DISCONNECT_ACK
    | capability::EP_INFO_MAX_PACKET_SIZE
    | capability::IDS_64BITS
    | capability::BULK_LENGTH_32BITS;

impl Redir {
    /// A guest to whom the device was plugged in; `None` when it was sent away.
    pub(crate) fn connect(path: &Path) -> Option<Self> {
        let stream = UnixStream::connect(path).unwrap();
        let mut this = Self { stream, input: Vec::new(), both: Both::default(), id: 0, came: Vec::new() };
        let mut hello = Vec::new();
        Framed { id: 0, packet: Packet::Hello { capabilities: CAPABILITIES } }.write(Both::default(), &mut hello);
        this.stream.write_all(&hello).ok()?;
        this.receive()?;
        this.wait_for(|_, came| matches!(came, Came::In))?;
        Some(this)
    }

    fn send(&mut self, id: u64, packet: Packet<'_>) {
        let mut bytes = Vec::new();
        Framed { id, packet }.write(self.both, &mut bytes);
        let _ = self.stream.write_all(&bytes);
    }

    fn next_id(&mut self) -> u64 {
        self.id += 1;
        self.id
    }

    /// The next packet; `None` at the end of the connection.
    fn receive(&mut self) -> Option<()> {
        loop {
            if let Some((framed, used)) = read(&self.input, self.both).unwrap() {
                let came = match framed.packet {
                    Packet::Hello { capabilities } => {
                        self.both = Both(capabilities & CAPABILITIES);
                        None
                    }
                    Packet::DeviceConnect { .. } => Some(Came::In),
                    Packet::DeviceDisconnect => Some(Came::Out),
                    Packet::ConfigurationStatus { status: 0, configuration: 1 } => Some(Came::Configured),
                    Packet::Control { status, data, .. } => Some(Came::Control((status == 0).then(|| data.to_vec()))),
                    Packet::Bulk { status: 1, .. } => Some(Came::Cancelled),
                    Packet::Bulk { endpoint: BULK_IN, status: 0, data, .. } => Some(Came::Bulk(data.to_vec())),
                    Packet::Bulk { status, .. } => Some(Came::Written(status == 0)),
                    Packet::Interrupt { endpoint: INTERRUPT_IN, data, .. } => Some(Came::Interrupt(data.to_vec())),
                    _ => None,
                };
                self.came.extend(came.map(|came| (framed.id, came)));
                self.input.drain(..used);
                return Some(());
            }
            let mut chunk = [0; 4096];
            match self.stream.read(&mut chunk) {
                Ok(count) if count > 0 => self.input.extend_from_slice(&chunk[..count]),
                _ => return None,
            }
        }
    }

    fn wait_for(&mut self, wanted: impl Fn(u64, &Came) -> bool) -> Option<Came> {
        loop {
            if let Some(index) = self.came.iter().position(|(id, came)| wanted(*id, came)) {
                return Some(self.came.remove(index).1);
            }
            self.receive()?;
        }
    }
}

impl Bus for Redir {
    fn control(&mut self, setup: Setup) -> Option<Vec<u8>> {
        let id = self.next_id();
        self.send(id, Packet::Control { endpoint: setup.request_type & 0x80, status: 0, setup, data: &[] });
        match self.wait_for(|other, came| other == id && matches!(came, Came::Control(_)))? {
            Came::Control(answer) => answer,
            other => panic!("{other:?}"),
        }
    }

    fn write(&mut self, endpoint: u8, data: &[u8]) -> bool {
        let id = self.next_id();
        self.send(id, Packet::Bulk { endpoint, status: 0, length: data.len() as u32, data });
        matches!(self.wait_for(|other, came| other == id && matches!(came, Came::Written(_))), Some(Came::Written(true)))
    }

    /// Interrupts come unasked.
    fn ask(&mut self, endpoint: u8, length: u32) -> u64 {
        if endpoint == INTERRUPT_IN {
            return 0;
        }
        let id = self.next_id();
        self.send(id, Packet::Bulk { endpoint, status: 0, length, data: &[] });
        id
    }

    fn wait(&mut self, transfer: u64) -> Option<Vec<u8>> {
        let came = self.wait_for(|id, came| match came {
            Came::Interrupt(_) => transfer == 0,
            Came::Bulk(_) => id == transfer,
            _ => false,
        });
        match came? {
            Came::Bulk(data) | Came::Interrupt(data) => Some(data),
            other => panic!("{other:?}"),
        }
    }

    fn take_back(&mut self, transfer: u64) {
        self.send(transfer, Packet::CancelDataPacket);
        self.wait_for(|id, came| id == transfer && matches!(came, Came::Cancelled)).unwrap();
    }

    fn configure(&mut self) {
        self.send(0, Packet::Reset);
        let id = self.next_id();
        self.send(id, Packet::SetConfiguration(1));
        self.wait_for(|_, came| matches!(came, Came::Configured)).unwrap();
        let id = self.next_id();
        self.send(id, Packet::StartInterruptReceiving(INTERRUPT_IN));
    }

    fn is_pulled_out(&mut self) {
        self.wait_for(|_, came| matches!(came, Came::Out)).unwrap();
        self.came.clear();
    }

    fn comes_back(&mut self) {
        self.send(0, Packet::DeviceDisconnectAck);
        self.wait_for(|_, came| matches!(came, Came::In)).unwrap();
    }
}

/// A computer that has attached a device by USB/IP.
pub(crate) struct Usbip {
    stream: TcpStream,
    input: Vec<u8>,
    seq: u32,
    /// Which transfers are to the host.
    to_host: HashMap<u32, bool>,
    came: Vec<ip::Answer>,
}

fn exactly<const N: usize>(stream: &mut TcpStream) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes).ok().map(|()| bytes)
}

impl Usbip {
    /// The devices of a computer.
    pub(crate) fn listed(address: SocketAddr) -> Vec<String> {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(&ip::Request::List.to_bytes()).unwrap();
        let [0x01, 0x11, 0x00, 0x05, 0, 0, 0, 0, 0, 0, 0, count] = exactly(&mut stream).unwrap() else { panic!() };
        let devices = (0..count).map(|_| {
            let (name, ..) = ip::described(&exactly(&mut stream).unwrap());
            assert_eq!(exactly(&mut stream), Some([0x0B, 0, 0, 0]));
            name
        });
        let devices = devices.collect();
        assert_eq!(stream.read(&mut [0]).unwrap(), 0, "the connection is over");
        devices
    }

    /// Takes the device of this number; `None` when it is not to be had.
    pub(crate) fn import(address: SocketAddr, number: usize) -> Option<Self> {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(&ip::Request::Import(ip::bus_id(number)).to_bytes()).unwrap();
        let [0x01, 0x11, 0x00, 0x03, 0, 0, 0, status] = exactly(&mut stream)? else { panic!() };
        if status != 0 {
            return None;
        }
        let (name, vendor, product) = ip::described(&exactly(&mut stream)?);
        assert_eq!((name, vendor, product), (ip::bus_id(number), 0x0E0F, 0x0004));
        Some(Self { stream, input: Vec::new(), seq: 0, to_host: HashMap::new(), came: Vec::new() })
    }

    fn submit(&mut self, endpoint: u8, to_host: bool, length: u32, setup: Setup, data: &[u8]) -> u32 {
        self.seq += 1;
        self.to_host.insert(self.seq, to_host);
        let command = ip::Command::Submit { seq: self.seq, endpoint, to_host, flags: 0, length, setup, data };
        let _ = self.stream.write_all(&command.to_bytes());
        self.seq
    }

    fn answer(&mut self, wanted: impl Fn(&ip::Answer) -> bool) -> Option<ip::Answer> {
        loop {
            if let Some(index) = self.came.iter().position(&wanted) {
                return Some(self.came.remove(index));
            }
            if let Some((answer, used)) = ip::Answer::read(&self.input, |seq| self.to_host[&seq]) {
                self.came.push(answer);
                self.input.drain(..used);
                continue;
            }
            let mut chunk = [0; 4096];
            match self.stream.read(&mut chunk) {
                Ok(count) if count > 0 => self.input.extend_from_slice(&chunk[..count]),
                _ => return None,
            }
        }
    }

    fn submitted(&mut self, number: u32) -> Option<(i32, u32, Vec<u8>)> {
        match self.answer(|answer| matches!(answer, ip::Answer::Submitted { seq, .. } if *seq == number))? {
            ip::Answer::Submitted { status, length, data, .. } => Some((status, length, data)),
            other => panic!("{other:?}"),
        }
    }
}

const NO_SETUP: Setup = Setup { request_type: 0, request: 0, value: 0, index: 0, length: 0 };

impl Bus for Usbip {
    fn control(&mut self, setup: Setup) -> Option<Vec<u8>> {
        let seq = self.submit(0, setup.request_type & 0x80 != 0, setup.length.into(), setup, &[]);
        match self.submitted(seq)? {
            (0, _, data) => Some(data),
            (ip::status::STALL, ..) => None,
            other => panic!("{other:?}"),
        }
    }

    fn write(&mut self, endpoint: u8, data: &[u8]) -> bool {
        let seq = self.submit(endpoint, false, data.len() as u32, NO_SETUP, data);
        matches!(self.submitted(seq), Some((0, length, _)) if length == data.len() as u32)
    }

    fn ask(&mut self, endpoint: u8, length: u32) -> u64 {
        self.submit(endpoint & 0x0F, true, length, NO_SETUP, &[]).into()
    }

    fn wait(&mut self, transfer: u64) -> Option<Vec<u8>> {
        self.submitted(transfer as u32).map(|(_, _, data)| data)
    }

    fn take_back(&mut self, transfer: u64) {
        self.seq += 1;
        let seq = self.seq;
        self.stream.write_all(&ip::Command::Unlink { seq, of: transfer as u32 }.to_bytes()).unwrap();
        let wanted = ip::Answer::Unlinked { seq, status: ip::status::UNLINKED };
        self.answer(|answer| *answer == wanted).unwrap();
    }

    fn configure(&mut self) {
        self.control(Setup { request_type: 0, request: 9, value: 1, index: 0, length: 0 }).unwrap();
    }

    fn is_pulled_out(&mut self) {
        assert!(self.answer(|_| false).is_none(), "the connection is over");
    }

    fn comes_back(&mut self) {
        unreachable!("a host imports it anew");
    }
}
