//! Complete online unlocks at the management server - session, answers, challenge, report - from three
//! workstations at once, each of its own user: SQLite and PostgreSQL, one and two server processes, real and quick hashes.
//! PostgreSQL needs Debian's package and root.
#![allow(missing_docs, clippy::unwrap_used)]

#[allow(unreachable_pub)]
#[path = "../server-stub/tests/common/postgres.rs"]
mod postgres;

use cardlab_client::service::{Service, Trust};
use cardlab_protocol::workstation::{Answer, Answers, CardOutcome, Judged, Open, Opened, Outcome};
use cardlab_server_stub::model::answers::Hashing;
use cardlab_server_stub::model::clock::Clock;
use cardlab_server_stub::model::vault::Vault;
use cardlab_server_stub::service::Server;
use cardlab_server_stub::service::cards::NewCard;
use cardlab_server_stub::service::login::Door;
use cardlab_server_stub::service::setup::{CARD_TYPE, sample};
use cardlab_server_stub::store::Store;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const WORKSTATIONS: usize = sample::USERS.len();
const UNLOCKS_OF_EACH: usize = 50;
const MASTER: &str = "0707070707070707070707070707070707070707070707070707070707070707";

struct Process(Child, String);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn serve(db: &str, hashes: &[&str]) -> Process {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cardlab"));
    command.args(["serve", "--listen", "127.0.0.1:0", "--without-limits", "--db", db]).args(hashes);
    command.env("CARDLAB_MASTER_KEY", MASTER).env("CARDLAB_ADMIN_PASSWORD", "admin-password").stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    let url = line.trim().strip_prefix("ready ").unwrap().to_owned();
    Process(child, url)
}

fn serial(n: usize) -> String {
    format!("{n:032X}")
}

/// People with answers, and a card for each workstation.
fn fill(db: &str, hashing: Hashing) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = Store::open(db).await.unwrap();
        let server = Server::new(store, Vault::new(&[7; 32]).unwrap(), Clock::start(), hashing).await.unwrap();
        server.setup().bootstrap("admin", "admin-password").await.unwrap();
        server.setup().add_sample().await.unwrap();
        for (n, (logon, _, password)) in sample::USERS.into_iter().enumerate() {
            let login = server.logins().log_in(Door::SelfService, logon, password).await.unwrap();
            let person = server.logins().person(&login.token).await.unwrap();
            let own = server.self_service().own(&person).await.unwrap();
            let answers = own.questions.iter().map(|q| Answer { question: q.id.clone(), text: answer(&q.text) });
            server.self_service().set_answers(&person, &Answers { answers: answers.collect() }).await.unwrap();
            let card = NewCard {
                serial: serial(n),
                card_type: CARD_TYPE.into(),
                atr: String::new(),
                label: String::new(),
                admin_key: None,
                no_admin_key: false,
            };
            server.setup().add_issued_card(&card, logon).await.unwrap();
        }
    });
}

/// The right answer to a question.
fn answer(question: &str) -> String {
    question.chars().rev().filter(|c| c.is_alphabetic()).collect()
}

/// One unlock.
fn unlock(service: &Service, serial: &str) {
    let open = Open { serial: serial.into(), atr: String::new(), workstation: "bench".into(), remote_desktop: false };
    let Opened::Online { session, questions, .. } = service.open(&open).unwrap() else { panic!("not online") };
    let answers = questions.iter().map(|q| Answer { question: q.id.clone(), text: answer(&q.text) }).collect();
    assert_eq!(service.answer(&session, &Answers { answers }).unwrap(), Judged::Answered { ok: true });
    service.challenge(&session, serial, &[0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88]).unwrap();
    service.report(&session, &Outcome { outcome: CardOutcome::Unlocked, tries_left: None }).unwrap();
}

fn measure(name: &str, db: &str, processes: usize, quick: bool) {
    fill(db, if quick { Hashing::quick() } else { Hashing::strong() });
    let hashes: &[&str] = if quick { &["--quick-hashes"] } else { &[] };
    let servers: Vec<Process> = (0..processes).map(|_| serve(db, hashes)).collect();
    let start = Instant::now();
    let mut times: Vec<Duration> = std::thread::scope(|scope| {
        let work = |n: usize| {
            let service = Service::at(&servers[n % servers.len()].1, &Trust::default()).unwrap();
            move || {
                let one = |_| {
                    let start = Instant::now();
                    unlock(&service, &serial(n));
                    start.elapsed()
                };
                (0..UNLOCKS_OF_EACH).map(one).collect::<Vec<_>>()
            }
        };
        let threads: Vec<_> = (0..WORKSTATIONS).map(|n| scope.spawn(work(n))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let all = start.elapsed();
    times.sort();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1000.0;
    let rate = times.len() as f64 / all.as_secs_f64();
    println!(
        "{name:<12} {processes} process(es), {:<6} {rate:>7.0} unlocks/s   p50 {:>6.1} ms   p99 {:>6.1} ms",
        if quick { "quick" } else { "real" },
        at(0.5),
        at(0.99)
    );
}

fn main() {
    for quick in [false, true] {
        for processes in [1, 2] {
            let directory = tempfile::tempdir().unwrap();
            measure("SQLite", &format!("sqlite:{}", directory.path().join("cms.db").display()), processes, quick);
            measure("PostgreSQL", &postgres::database(), processes, quick);
        }
    }
}
