//! Round trips over usbredir and USB/IP, beside raw echoes of as many bytes over the same kinds of sockets, all in one run: each in
//! turn, in rounds. A command is two of them, as drivers make them: a transfer to the reader and its acknowledgement, then one
//! that asks for the answer.
//!
//! | name | what |
//! |---|---|
//! | Unix echo, TCP echo | a process that reads and writes the same lengths, blocking |
//! | usbredir, USB/IP | a card's status (VERIFY without data) by a reader in another process |
#![allow(missing_docs, clippy::unwrap_used)]

use cardlab_sim::{Card, Profile, Random, World};
use cardlab_vreader::server::listen;
use cardlab_vreader::usb::ccid::Setup;
use cardlab_vreader::usb::ccid::message::{HEAD, Message, Reply, to_reader};
use cardlab_vreader::usb::descriptor::{BULK_IN, BULK_OUT, Wanted};
use cardlab_vreader::usb::usbip::wire as ip;
use cardlab_vreader::usb::usbredir::wire::{Both, Framed, Packet, read};
use cardlab_vreader::usb::{Device, Identity, usbip, usbredir};
use cardlab_vreader::{Rack, Server, VirtualCard};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const ROUNDS: usize = 40;
const TRIPS: usize = 500;
const STATUS: [u8; 4] = [0x00, 0x20, 0x00, 0x80];
/// Lengths of a transfer to the reader, its acknowledgement, a question, the answer.
type Lengths = [usize; 4];
const REDIR: Lengths = [26 + HEAD + STATUS.len(), 26, 26, 26 + HEAD + 2];
const USBIP: Lengths = [48 + HEAD + STATUS.len(), 48, 48, 48 + HEAD + 2];
const ALL: Both = Both(0x7A);
const NO_SETUP: Setup = Setup { request_type: 0, request: 0, value: 0, index: 0, length: 0 };

struct Peer(Child);

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Asks for a card's status once, or does what an echo does of that.
type Way = Box<dyn FnMut()>;

/// This program in another role; what it says first.
fn peer(role: &str, path: &Path) -> (Peer, String) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    let mut child = command.env("BENCH_ROLE", role).env("BENCH_PATH", path).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    (Peer(child), line.trim().to_owned())
}

fn echo(mut stream: impl Read + Write, [out, ack, question, answer]: Lengths) {
    let mut buffer = [0; 256];
    let mut trip = |from: usize, to: usize| stream.read_exact(&mut buffer[..from]).and_then(|()| stream.write_all(&buffer[..to]));
    while trip(out, ack).is_ok() && trip(question, answer).is_ok() {}
}

fn cards(path: &Path) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let rack = Rack::new(Server::new(Random::from_number(1, 1), Duration::ZERO));
        let mut devices = Vec::new();
        for number in 1..3 {
            let card = Card::new(Profile::builtin("nist-piv").unwrap(), World::seeded(number)).unwrap();
            let place = rack.add("Bench", VirtualCard::new(card, None)).await;
            let identity = Identity::of(&Wanted::default(), "nist-piv", number as u32, "Bench", false);
            devices.push(Device::new(rack.clone(), vec![place], identity));
        }
        tokio::spawn(usbredir::serve(listen(path).unwrap(), devices.remove(0), |error| eprintln!("{error}")));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("{}", listener.local_addr().unwrap());
        tokio::spawn(usbip::serve(listener, devices, |error| eprintln!("{error}")));
        std::future::pending::<()>().await;
    });
}

/// Writes, and reads until so many bytes have come.
fn exchange(stream: &mut (impl Read + Write), out: &[u8], reply: &mut [u8]) {
    stream.write_all(out).unwrap();
    stream.read_exact(reply).unwrap();
}

fn raw(mut stream: impl Read + Write, [out, ack, question, answer]: Lengths) -> impl FnMut() {
    let (request, mut reply) = ([0x5A; 256], [0; 256]);
    move || {
        exchange(&mut stream, &request[..out], &mut reply[..ack]);
        exchange(&mut stream, &request[..question], &mut reply[..answer]);
    }
}

fn command(kind: u8, data: &[u8]) -> Vec<u8> {
    Message { kind, slot: 0, seq: 0, parameters: [0; 3], data }.to_bytes().to_vec()
}

/// Reads up to this packet, and not further.
fn wait_for(stream: &mut UnixStream, wanted: impl Fn(&Framed<'_>) -> bool) {
    let mut input = Vec::new();
    loop {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        input.push(byte[0]);
        if let Some((framed, _)) = read(&input, ALL).unwrap() {
            if wanted(&framed) {
                return;
            }
            input.clear();
        }
    }
}

/// Powers the card, and gives what asks for its status.
fn redir(path: &Path) -> impl FnMut() + use<> {
    let mut stream = UnixStream::connect(path).unwrap();
    let framed = |id: u64, packet: Packet<'_>| {
        let mut bytes = Vec::new();
        Framed { id, packet }.write(ALL, &mut bytes);
        bytes
    };
    let mut hello = Vec::new();
    Framed { id: 0, packet: Packet::Hello { capabilities: ALL.0 } }.write(Both::default(), &mut hello);
    stream.write_all(&hello).unwrap();
    stream.read_exact(&mut [0; 80]).unwrap();
    // The device comes before it is asked.
    wait_for(&mut stream, |framed| matches!(framed.packet, Packet::DeviceConnect { .. }));
    let transfer = |message: &[u8]| {
        let out = Packet::Bulk { endpoint: BULK_OUT, status: 0, length: message.len() as u32, data: message };
        [framed(1, out), framed(2, Packet::Bulk { endpoint: BULK_IN, status: 0, length: 1000, data: &[] })]
    };
    stream.write_all(&framed(0, Packet::SetConfiguration(1))).unwrap();
    stream.write_all(&transfer(&command(to_reader::ICC_POWER_ON, &[])).concat()).unwrap();
    wait_for(&mut stream, |framed| matches!(framed, Framed { id: 2, packet: Packet::Bulk { .. } }));
    let [out, question] = transfer(&command(to_reader::XFR_BLOCK, &STATUS));
    assert_eq!([out.len(), question.len()], [REDIR[0], REDIR[2]]);
    let mut reply = [0; 256];
    move || {
        exchange(&mut stream, &out, &mut reply[..REDIR[1]]);
        exchange(&mut stream, &question, &mut reply[..REDIR[3]]);
        assert!(Reply::read(&reply[26..REDIR[3]]).is_some_and(|reply| reply.data == [0x63, 0xC3]));
    }
}

fn usbip(address: &str) -> impl FnMut() + use<> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.write_all(&ip::Request::Import("1-1".into()).to_bytes()).unwrap();
    stream.read_exact(&mut [0; 8 + ip::DEVICE]).unwrap();
    let submit = |endpoint: u8, to_host: bool, length: usize, setup: Setup, data: &[u8]| {
        ip::Command::Submit { seq: 1, endpoint, to_host, flags: 0, length: length as u32, setup, data }.to_bytes()
    };
    let mut reply = [0; 256];
    let configure = submit(0, false, 0, Setup { request: 9, value: 1, ..NO_SETUP }, &[]);
    exchange(&mut stream, &configure, &mut reply[..ip::HEAD]);
    let power = command(to_reader::ICC_POWER_ON, &[]);
    exchange(&mut stream, &submit(1, false, power.len(), NO_SETUP, &power), &mut reply[..ip::HEAD]);
    let question = submit(2, true, 1000, NO_SETUP, &[]);
    exchange(&mut stream, &question, &mut reply[..ip::HEAD]);
    let length = u32::from_be_bytes(reply[24..28].try_into().unwrap()) as usize;
    stream.read_exact(&mut reply[..length]).unwrap();
    let status = command(to_reader::XFR_BLOCK, &STATUS);
    let out = submit(1, false, status.len(), NO_SETUP, &status);
    assert_eq!([out.len(), question.len()], [USBIP[0], USBIP[2]]);
    move || {
        exchange(&mut stream, &out, &mut reply[..USBIP[1]]);
        exchange(&mut stream, &question, &mut reply[..USBIP[3]]);
        assert!(Reply::read(&reply[48..USBIP[3]]).is_some_and(|reply| reply.data == [0x63, 0xC3]));
    }
}

fn main() {
    let path = || PathBuf::from(std::env::var_os("BENCH_PATH").unwrap());
    match std::env::var("BENCH_ROLE").as_deref() {
        Ok("cards") => return cards(&path()),
        Ok("unix") => {
            let listener = UnixListener::bind(path()).unwrap();
            println!("ready");
            return echo(listener.accept().unwrap().0, REDIR);
        }
        Ok("tcp") => {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            println!("{}", listener.local_addr().unwrap());
            let stream = listener.accept().unwrap().0;
            stream.set_nodelay(true).unwrap();
            return echo(stream, USBIP);
        }
        _ => {}
    }
    let directory = tempfile::tempdir().unwrap();
    let (unix_path, card_path) = (directory.path().join("echo"), directory.path().join("card"));
    let (_unix, _) = peer("unix", &unix_path);
    let (_tcp, tcp) = peer("tcp", &unix_path);
    let (_cards, address) = peer("cards", &card_path);
    let tcp = TcpStream::connect(tcp).unwrap();
    tcp.set_nodelay(true).unwrap();
    let mut ways: [(&str, Way); 4] = [
        ("Unix echo", Box::new(raw(UnixStream::connect(&unix_path).unwrap(), REDIR))),
        ("usbredir", Box::new(redir(&card_path))),
        ("TCP echo", Box::new(raw(tcp, USBIP))),
        ("USB/IP", Box::new(usbip(&address))),
    ];
    let mut times = [const { Vec::new() }; 4];
    for _ in 0..ROUNDS {
        for ((_, way), times) in ways.iter_mut().zip(&mut times) {
            for _ in 0..TRIPS {
                let start = Instant::now();
                way();
                times.push(start.elapsed());
            }
        }
    }
    let medians = times.map(|mut times| {
        times.sort_unstable();
        times[times.len() / 2].as_secs_f64() * 1e6
    });
    for (index, ((name, _), median)) in ways.iter().zip(medians).enumerate() {
        println!("{name:<10} {median:>6.1} us a command, {:.2} x the echo", median / medians[index / 2 * 2]);
    }
}
