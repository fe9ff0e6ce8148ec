//! What a page that follows the bench costs the readers: 50 cards of one `cardlab up --page`, 10,000 commands a second for all of
//! them together, with and without a client of the page's event stream, by turns. CPU time of the service, all its threads
//! together, for a command; and of it that of the page's own thread, in a second. `CARDLAB=PATH` measures another build of the program.
//!
//! | stream | what it is |
//! |---|---|
//! | page | `/live` of the bench: pictures of readers and rows, in beats |
//! | control | `/v1/events` of the control socket: every record as JSON |
#![allow(missing_docs, clippy::unwrap_used)]

use cardlab_pcsclite::client::{Context, ShareMode};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const CARDS: usize = 50;
const ROUNDS: usize = 9;
/// Commands of a round, and how many of them a second.
const COMMANDS: usize = 20_000;
const RATE: usize = 10_000;
/// Commands between two looks at the clock.
const BATCH: usize = 100;
/// After so long a stream has nothing to tell.
const QUIET: Duration = Duration::from_millis(400);
/// VERIFY, status of the PIN.
const ASK: &[u8] = b"\x00\x20\x00\x80";

/// CPU time.
#[derive(Clone, Copy, Default)]
struct Work {
    all: Duration,
    page: Duration,
}

/// What a round cost and how fast it was.
struct Round {
    /// Microseconds of a command.
    command: f64,
    /// Milliseconds of the page's own thread in a second.
    own: f64,
    /// Commands a second.
    rate: f64,
}

struct Service {
    child: Child,
    /// What opens the page.
    page: String,
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Service {
    fn start(socket: &Path) -> Self {
        let program = std::env::var_os("CARDLAB").unwrap_or_else(|| env!("CARGO_BIN_EXE_cardlab").into());
        let mut command = Command::new(program);
        command
            .arg("up")
            .arg("--page")
            .arg("--socket")
            .arg(socket)
            .args((0..CARDS).flat_map(|_| ["--card", "nist-piv,name=Bench"]));
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut ready = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut ready).unwrap();
        let page = ready.split_whitespace().find_map(|word| word.strip_prefix("page=http://")).unwrap().to_owned();
        Self { child, page }
    }

    /// CPU time of all its threads until now (`/proc/PID/task/TID/schedstat`, nanoseconds), and of that of the page's own.
    fn work(&self) -> Work {
        let threads = std::fs::read_dir(format!("/proc/{}/task", self.child.id())).unwrap();
        let mut work = Work::default();
        for thread in threads {
            let read = |file: &str| std::fs::read_to_string(thread.as_ref().unwrap().path().join(file)).unwrap_or_default();
            let time = Duration::from_nanos(read("schedstat").split(' ').next().and_then(|time| time.parse().ok()).unwrap_or(0));
            work.all += time;
            work.page += if read("comm").trim() == "bench" { time } else { Duration::ZERO };
        }
        work
    }

    fn get(&self, path: &str, cookie: &str) -> String {
        let host = self.page.split_once('/').unwrap().0;
        let mut line = TcpStream::connect(host).unwrap();
        write!(line, "GET /{path} HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n").unwrap();
        let mut said = String::new();
        line.read_to_string(&mut said).unwrap();
        said
    }

    /// Asks for the page with its token; gives the cookie.
    fn enter(&self) -> String {
        let said = self.get(self.page.split_once('/').unwrap().1, "");
        said.split("set-cookie: ").nth(1).unwrap().split(';').next().unwrap().to_owned()
    }

    /// Follows the page until it is shut down.
    fn follow_page(&self, cookie: &str) -> Box<dyn FnOnce() -> u64> {
        // As a browser does: the page first, then what it does not have.
        let page = self.get("", cookie);
        let newest = page.split("data-mark=\"").last().unwrap().split('"').next().unwrap();
        let seen = page.split("data-seen=\"").nth(1).unwrap().split('"').next().unwrap();
        let host = self.page.split_once('/').unwrap().0;
        let mut line = TcpStream::connect(host).unwrap();
        write!(line, "GET /live?after={newest}&seen={seen} HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\n\r\n").unwrap();
        let end = line.try_clone().unwrap();
        line.set_read_timeout(Some(QUIET)).unwrap();
        following(line, move || end.shutdown(std::net::Shutdown::Both).unwrap())
    }

    fn follow_control(socket: &Path) -> Box<dyn FnOnce() -> u64> {
        let mut line = UnixStream::connect(format!("{}.control", socket.display())).unwrap();
        write!(line, "GET /v1/events HTTP/1.1\r\nHost: cardlab\r\n\r\n").unwrap();
        let end = line.try_clone().unwrap();
        line.set_read_timeout(Some(QUIET)).unwrap();
        following(line, move || end.shutdown(std::net::Shutdown::Both).unwrap())
    }
}

/// Reads on a thread of its own what comes; what is given ends that, and tells how much came.
fn following(mut line: impl Read + Send + 'static, end: impl FnOnce() + 'static) -> Box<dyn FnOnce() -> u64> {
    let mut first = [0; 1 << 16];
    assert!(line.read(&mut first).unwrap() > 0, "it answers");
    // What a page is told when it comes is not what it costs to follow: that is over when nothing comes for a while.
    while line.read(&mut first).is_ok_and(|count| count > 0) {}
    let reading = std::thread::spawn(move || {
        let mut all = 0;
        loop {
            match line.read(&mut first) {
                Ok(0) => return all,
                Ok(count) => all += count as u64,
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(_) => return all,
            }
        }
    });
    Box::new(move || {
        end();
        reading.join().unwrap()
    })
}

fn round(service: &Service, cards: &mut [cardlab_pcsclite::client::Connection<'_>]) -> Round {
    let (work, start) = (service.work(), Instant::now());
    for batch in 0..COMMANDS / BATCH {
        for number in 0..BATCH {
            let card = (batch * BATCH + number) % CARDS;
            cards[card].transmit(ASK).unwrap();
        }
        let due = Duration::from_secs_f64(((batch + 1) * BATCH) as f64 / RATE as f64);
        std::thread::sleep(due.saturating_sub(start.elapsed()));
    }
    let (took, now) = (start.elapsed().as_secs_f64(), service.work());
    Round {
        command: (now.all - work.all).as_secs_f64() * 1e6 / COMMANDS as f64,
        own: (now.page - work.page).as_secs_f64() * 1e3 / took,
        rate: COMMANDS as f64 / took,
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("s");
    let service = Service::start(&socket);
    let cookie = service.enter();
    let contexts: Vec<Context> = (0..CARDS).map(|_| Context::establish_at(&socket).unwrap()).collect();
    let connected = contexts.iter().enumerate();
    let connected = connected.map(|(number, context)| context.connect(&format!("Bench {number:02X} 00"), ShareMode::Shared));
    let mut cards: Vec<_> = connected.collect::<Result<_, _>>().unwrap();
    round(&service, &mut cards);
    let (mut alone, mut page, mut control, mut own) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let Round { command: without, rate, .. } = round(&service, &mut cards);
        let end = service.follow_page(&cookie);
        let Round { command: with_page, own: beside, .. } = round(&service, &mut cards);
        let shown = end();
        let end = Service::follow_control(&socket);
        let Round { command: with_control, .. } = round(&service, &mut cards);
        let told = end();
        println!(
            "{without:.2} us a command alone, {with_page:.2} with a page ({} KiB, {beside:.2} ms a second of its own thread), \
             {with_control:.2} with a listener at the control socket ({} KiB); {rate:.0} a second",
            shown >> 10,
            told >> 10
        );
        alone.push(without);
        own.push(beside);
        page.push(with_page);
        control.push(with_control);
    }
    let ratios = |with: &[f64]| median(with.iter().zip(&alone).map(|(with, without)| with / without).collect());
    let least = |work: &[f64]| work.iter().copied().fold(f64::INFINITY, f64::min);
    let [cheapest, cheapest_page, cheapest_control] = [&alone, &page, &control].map(|work| least(work));
    println!("page: {:.3} x, control: {:.3} x (medians of {ROUNDS} rounds)", ratios(&page), ratios(&control));
    // What else the machine does makes a round dearer, never cheaper.
    println!(
        "page: {:.3} x, control: {:.3} x (the cheapest rounds: {cheapest:.2}, {cheapest_page:.2}, {cheapest_control:.2} us)",
        cheapest_page / cheapest,
        cheapest_control / cheapest
    );
    println!("the page's own thread: {:.2} ms a second, {:.2} in the cheapest round", median(own.clone()), least(&own));
}
