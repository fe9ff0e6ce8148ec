//! Cards at work at once: programs, each a process of its own, sign through libpcsclite with a card each, in readers
//! of one `cardlab up`. The sum of their rates, against what one alone gets in the same round; and what the way to
//! another thread and back costs. `CARDLAB=PATH` measures another build of the program.
//!
//! | name | what |
//! |---|---|
//! | hop | an empty task on a blocking thread of a runtime of one thread, and back |
//! | RSA-2048, RSA-4096, P-256 | GENERAL AUTHENTICATE of 1, 2 and 4 cards for a second each |
#![allow(missing_docs, clippy::unwrap_used)]

use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const CARDS: usize = 4;
const ROUNDS: usize = 5;
const TIME: Duration = Duration::from_secs(1);
/// Name, algorithm of PIV, length of what is signed, as `cardlab up` takes it.
const KEYS: [(&str, u8, usize, &str); 3] =
    [("RSA-2048", 0x07, 256, "rsa2048"), ("RSA-4096", 0x16, 512, "rsa4096"), ("P-256", 0x11, 32, "p256")];

/// A process that is gone with this value.
struct Peer(Child);

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Peer {
    fn start(command: &mut Command) -> Self {
        let mut peer = Self(command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap());
        peer.line();
        peer
    }

    fn line(&mut self) -> String {
        let (mut line, mut byte) = (Vec::new(), [0]);
        let out = self.0.stdout.as_mut().unwrap();
        // Nothing is read beyond the line: what follows is for the next call.
        while std::io::Read::read(out, &mut byte).unwrap() == 1 && byte != *b"\n" {
            line.extend(byte);
        }
        String::from_utf8(line).unwrap()
    }

    /// Lets it begin the next round; then [`Peer::line`] gives its signatures a second.
    fn go(&mut self) {
        self.0.stdin.as_mut().unwrap().write_all(b"go\n").unwrap();
    }
}

/// A program that signs for a while whenever it is told to.
fn signer(reader: &str, algorithm: u8, length: usize) {
    let context = pcsc::Context::establish(pcsc::Scope::System).unwrap();
    let reader = std::ffi::CString::new(reader).unwrap();
    let card = context.connect(&reader, pcsc::ShareMode::Shared, pcsc::Protocols::T1).unwrap();
    let mut buffer = [0; 1024];
    let mut input = vec![0x5A; length];
    input[0] = 0;
    let template = tlv(0x7C, &[&[0x82, 0], &tlv(0x81, &input)[..]].concat());
    let length = (template.len() as u16).to_be_bytes();
    let sign = [&[0, 0x87, algorithm, 0x9A, 0, length[0], length[1]], &template[..], &[0, 0]].concat();
    let mut send = |command: &[u8]| {
        let answer = card.transmit(command, &mut buffer).unwrap();
        assert!(answer.ends_with(&[0x90, 0]), "{answer:02X?}");
    };
    send(&[0, 0xA4, 4, 0, 5, 0xA0, 0, 0, 3, 8]);
    send(b"\x00\x20\x00\x80\x08123456\xFF\xFF");
    send(&sign);
    println!("ready");
    for _ in std::io::stdin().lock().lines() {
        let (start, mut count) = (Instant::now(), 0);
        while start.elapsed() < TIME {
            send(&sign);
            count += 1;
        }
        println!("{}", f64::from(count) / start.elapsed().as_secs_f64());
    }
}

fn tlv(tag: u8, value: &[u8]) -> Vec<u8> {
    let length = value.len() as u16;
    let head = match length {
        ..0x80 => vec![tag, length as u8],
        0x80..0x100 => vec![tag, 0x81, length as u8],
        _ => [&[tag, 0x82][..], &length.to_be_bytes()].concat(),
    };
    [head, value.to_vec()].concat()
}

/// A new private key in a file: RustCrypto would search for primes for a minute.
fn key(directory: &Path, name: &str) -> PathBuf {
    let path = directory.join(format!("{name}.pem"));
    let key = match name {
        "p256" => {
            let group = openssl::ec::EcGroup::from_curve_name(openssl::nid::Nid::X9_62_PRIME256V1).unwrap();
            openssl::pkey::PKey::from_ec_key(openssl::ec::EcKey::generate(&group).unwrap()).unwrap()
        }
        rsa => openssl::pkey::PKey::from_rsa(openssl::rsa::Rsa::generate(rsa[3..].parse().unwrap()).unwrap()).unwrap(),
    };
    std::fs::write(&path, key.private_key_to_pem_pkcs8().unwrap()).unwrap();
    path
}

fn sign_side_by_side(directory: &Path, (name, algorithm, length, file): (&str, u8, usize, &str)) {
    let (socket, key) = (directory.join("s"), key(directory, file));
    let program = std::env::var_os("CARDLAB").unwrap_or_else(|| env!("CARGO_BIN_EXE_cardlab").into());
    let mut up = Command::new(program);
    up.arg("up").arg("--socket").arg(&socket);
    for _ in 0..CARDS {
        up.arg("--card").arg(format!("yubikey-5.7,name=Bench,9a={}", key.display()));
    }
    let _up = Peer::start(&mut up);
    let mut signers: Vec<Peer> = (0..CARDS)
        .map(|number| {
            let mut command = Command::new(std::env::current_exe().unwrap());
            command.env("PCSCLITE_CSOCK_NAME", &socket).env("BENCH_READER", format!("Bench {number:02} 00"));
            Peer::start(command.env("BENCH_ALGORITHM", algorithm.to_string()).env("BENCH_LENGTH", length.to_string()))
        })
        .collect();
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let rates = [1, 2, 4].map(|count| {
            let working = &mut signers[..count];
            working.iter_mut().for_each(Peer::go);
            working.iter_mut().map(|signer| signer.line().parse::<f64>().unwrap()).sum::<f64>()
        });
        println!("{name}: {rates:.0?} a second, {:.2} and {:.2} x one alone", rates[1] / rates[0], rates[2] / rates[0]);
        rounds.push(rates);
    }
    let best = [0, 1, 2].map(|n| rounds.iter().map(|rates| rates[n]).fold(0.0, f64::max));
    println!("{name}, best: {best:.0?} a second, {:.2} and {:.2} x one alone", best[1] / best[0], best[2] / best[0]);
}

fn hop() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut times = Vec::new();
    runtime.block_on(async {
        for _ in 0..20_000 {
            let start = Instant::now();
            tokio::task::spawn_blocking(|| ()).await.unwrap();
            times.push(start.elapsed());
        }
    });
    times.sort_unstable();
    println!("hop: {:.1?} at best, {:.1?} median, {:.1?} for one in ten", times[0], times[10_000], times[18_000]);
}

fn main() {
    let variable = |name: &str| std::env::var(name).ok();
    if let Some(reader) = variable("BENCH_READER") {
        let number = |name: &str| variable(name).unwrap().parse::<usize>().unwrap();
        return signer(&reader, number("BENCH_ALGORITHM") as u8, number("BENCH_LENGTH"));
    }
    hop();
    let directory = tempfile::tempdir().unwrap();
    KEYS.into_iter().for_each(|key| sign_side_by_side(directory.path(), key));
}
