//! Round trips through sockets, each peer a process of its own. Placement decides more than code:
//! run it pinned, `taskset -c 0 cargo bench --bench socket`, and compare within one run.
//!
//! | name | way |
//! |---|---|
//! | raw echo | two processes, one Unix socket, the same bytes as a TRANSMIT and its answer |
//! | own client | `cardlab-pcsclite` to `cardlab up` |
//! | libpcsclite | the real library to `cardlab up` |
//! | libpcsclite, minimal server | the real library to the smallest blocking server that satisfies it |
#![allow(missing_docs, clippy::unwrap_used)]

use cardlab_pcsclite::client;
use cardlab_pcsclite::code::ReturnCode;
use cardlab_pcsclite::wire::{self, Decoded, ReaderState, Request};
use criterion::{Criterion, criterion_group};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

const STATUS: [u8; 4] = [0x00, 0x20, 0x00, 0x80];
const SELECT: [u8; 10] = [0x00, 0xA4, 0x04, 0x00, 0x05, 0xA0, 0x00, 0x00, 0x03, 0x08];
const READER: &str = "Bench 00 00";
/// Head, body and data of a TRANSMIT; body and data of its answer.
const REQUEST: usize = 8 + 32 + 4;
const REPLY: usize = 32 + 2;

struct Peer(Child);

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a peer and waits for its first line.
fn peer(mut command: Command) -> Peer {
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut String::new()).unwrap();
    Peer(child)
}

fn myself(role: &str, path: &Path) -> Peer {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.env("BENCH_ROLE", role).env("BENCH_PATH", path);
    peer(command)
}

fn echo(path: &Path) {
    let listener = UnixListener::bind(path).unwrap();
    println!("ready");
    let (mut stream, _) = listener.accept().unwrap();
    let (mut request, reply) = ([0; REQUEST], [0; REPLY]);
    while stream.read_exact(&mut request).is_ok() && stream.write_all(&reply).is_ok() {}
}

/// Answers every request with success, one connection a thread, blocking reads.
fn minimal(path: &Path) {
    let listener = UnixListener::bind(path).unwrap();
    println!("ready");
    for stream in listener.incoming() {
        std::thread::spawn(move || minimal_connection(stream.unwrap()));
    }
}

fn minimal_connection(mut stream: UnixStream) {
    let atr = vec![0x3B, 0x80, 0x80, 0x01, 0x01];
    let state = ReaderState { name: READER.into(), event_counter: 0, state: 0x34, sharing: 0, atr, protocol: 2 };
    let (mut buffer, mut out) = (Vec::new(), Vec::new());
    let mut chunk = [0; 4096];
    loop {
        let used = match wire::decode(&buffer).unwrap() {
            Decoded::Incomplete => {
                match stream.read(&mut chunk) {
                    Ok(n) if n > 0 => buffer.extend_from_slice(&chunk[..n]),
                    _ => return,
                }
                continue;
            }
            Decoded::Complete(request, used) => {
                out.clear();
                match request {
                    Request::Version(b) => b.write(&mut out),
                    Request::Establish(mut b) => {
                        b.context = 1;
                        b.write(&mut out);
                    }
                    Request::Connect(mut b) => {
                        (b.handle, b.active) = (2, 2);
                        b.write(&mut out);
                    }
                    Request::Transmit(mut b, _) => {
                        (b.receive_length, b.rv) = (2, ReturnCode::OK);
                        b.write(&mut out);
                        out.extend([0x90, 0x00]);
                    }
                    Request::Disconnect(b) => b.write(&mut out),
                    Request::Release(b) => b.write(&mut out),
                    _ => (0..wire::STATES)
                        .for_each(|n| if n == 0 { state.write(&mut out) } else { ReaderState::FREE.write(&mut out) }),
                }
                used
            }
        };
        buffer.drain(..used);
        stream.write_all(&out).unwrap();
    }
}

fn round_trips(c: &mut Criterion) {
    let link = PathBuf::from(std::env::var_os("PCSCLITE_CSOCK_NAME").unwrap());
    let path = |name: &str| -> PathBuf { link.with_file_name(name) };
    let mut group = c.benchmark_group("round trip");
    {
        let _peer = myself("echo", &path("echo"));
        let mut stream = UnixStream::connect(path("echo")).unwrap();
        let (request, mut reply) = ([0; REQUEST], [0; REPLY]);
        group.bench_function("raw echo", |b| {
            b.iter(|| {
                stream.write_all(&request).unwrap();
                stream.read_exact(&mut reply).unwrap();
            });
        });
    }
    let mut up = Command::new(env!("CARGO_BIN_EXE_cardlab"));
    up.args(["up", "--card", "nist-piv,name=Bench", "--socket"]).arg(path("ours"));
    let _up = peer(up);
    let context = client::Context::establish_at(&path("ours")).unwrap();
    let mut card = context.connect(READER, client::ShareMode::Shared).unwrap();
    card.transmit(&SELECT).unwrap();
    group.bench_function("own client", |b| b.iter(|| card.transmit(&STATUS).unwrap()));
    drop(card);
    drop(context);

    // The library reads its variable once; what the link points to may change.
    let _minimal = myself("minimal", &path("minimal"));
    for (name, target) in [("libpcsclite", "ours"), ("libpcsclite, minimal server", "minimal")] {
        let _ = std::fs::remove_file(path("link"));
        std::os::unix::fs::symlink(path(target), path("link")).unwrap();
        let context = pcsc::Context::establish(pcsc::Scope::System).unwrap();
        let reader = std::ffi::CString::new(READER).unwrap();
        let card = context.connect(&reader, pcsc::ShareMode::Shared, pcsc::Protocols::T1).unwrap();
        let mut buffer = [0; 258];
        card.transmit(&SELECT, &mut buffer).unwrap();
        group.bench_function(name, |b| b.iter(|| card.transmit(&STATUS, &mut buffer).unwrap().len()));
        card.disconnect(pcsc::Disposition::LeaveCard).map_err(|(_, e)| e).unwrap();
    }
    group.finish();
}

fn starts(c: &mut Criterion) {
    let mut group = c.benchmark_group("start");
    group.sample_size(30);
    let run = |arguments: &[&str]| {
        assert!(Command::new(arguments[0]).args(&arguments[1..]).stdout(Stdio::null()).status().unwrap().success())
    };
    let cardlab = env!("CARGO_BIN_EXE_cardlab");
    group.bench_function("true", |b| b.iter(|| run(&["true"])));
    group.bench_function("exec -- true", |b| b.iter(|| run(&[cardlab, "exec", "--", "true"])));
    group.bench_function("exec --card yubikey-5.7 -- true", |b| {
        b.iter(|| run(&[cardlab, "exec", "--card", "yubikey-5.7", "--", "true"]))
    });
    group.bench_function("exec -- card status", |b| b.iter(|| run(&[cardlab, "exec", "--", cardlab, "card", "status"])));
    group.finish();
}

criterion_group!(benches, round_trips, starts);

fn main() {
    let path = || PathBuf::from(std::env::var_os("BENCH_PATH").unwrap());
    match std::env::var("BENCH_ROLE").as_deref() {
        Ok("echo") => return echo(&path()),
        Ok("minimal") => return minimal(&path()),
        _ => {}
    }
    if std::env::var_os("PCSCLITE_CSOCK_NAME").is_none() {
        // The library's link must be known before its first call, and this process may not change
        // its own environment: start again with it.
        let directory = tempfile::tempdir().unwrap();
        let status = Command::new(std::env::current_exe().unwrap())
            .args(std::env::args_os().skip(1))
            .env("PCSCLITE_CSOCK_NAME", directory.path().join("link"))
            .status();
        std::process::exit(status.unwrap().code().unwrap_or(1));
    }
    benches();
    Criterion::default().configure_from_args().final_summary();
}
