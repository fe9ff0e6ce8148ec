//! The management server: complete online unlocks - session, answers, challenge, report - and what operators read meanwhile,
//! with three people and with a hundred thousand, on SQLite and PostgreSQL, with several server processes.
//! PostgreSQL needs Debian's package and root.
//!
//! `cargo bench --bench server` measures all of it in about half an hour; `cargo test --bench server` goes the same ways with
//! few people in a minute, and measures nothing. `CARDLAB_BENCH_USERS` says how many people are many.
#![allow(missing_docs, clippy::unwrap_used)]

mod fill;
mod load;
#[allow(unreachable_pub)]
#[path = "../../server-stub/tests/common/postgres.rs"]
mod postgres;
mod process;

use fill::Size;
use load::{Plan, Times};
use process::{Database, Servers};
use std::time::{Duration, Instant};

/// People, cards and events of the large database.
const USERS: usize = 100_000;

/// How much of it.
struct Scale {
    size: Size,
    unlocks_of_each: usize,
    seconds: u64,
    workstations: usize,
    /// Argon2id as it ships; else quick hashes.
    real: bool,
    processes: &'static [usize],
}

impl Scale {
    fn of_arguments() -> Self {
        // Cargo says so when it is a bench; a test only goes the ways.
        let bench = std::env::args().any(|argument| argument == "--bench");
        let users = std::env::var("CARDLAB_BENCH_USERS").ok().and_then(|users| users.parse().ok());
        let users = users.unwrap_or(if bench { USERS } else { 300 });
        if bench {
            let processes = &[1, 2, 4];
            Self { size: Size::of(users), unlocks_of_each: 50, seconds: 15, workstations: 1000, real: true, processes }
        } else {
            Self { size: Size::of(users), unlocks_of_each: 3, seconds: 2, workstations: 30, real: false, processes: &[2] }
        }
    }
}

fn main() {
    let scale = Scale::of_arguments();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let part = std::env::var("CARDLAB_BENCH_PART").unwrap_or_default();
    let asked = |name: &str| part.is_empty() || part == name;
    for postgres in [false, true] {
        if asked("rate") {
            runtime.block_on(rate(&scale, postgres));
        }
        if asked("large") {
            runtime.block_on(large(&scale, postgres));
        }
        if asked("curve") {
            runtime.block_on(curve(&scale, postgres));
        }
    }
}

/// Unlocks a second from three workstations, each of its own user, as fast as they go.
async fn rate(scale: &Scale, postgres: bool) {
    for real in [false, true].into_iter().filter(|real| scale.real || !real) {
        for processes in scale.processes.iter().copied().filter(|n| *n <= 2) {
            let database = Database::new(postgres);
            fill::people(&database, real).await;
            let servers = Servers::start(&database, processes, real, &["--without-limits"]);
            let (times, all) = load::as_fast_as_they_go(&servers, 3, scale.unlocks_of_each).await;
            let rate = times.len() as f64 / all.as_secs_f64();
            println!("{database:<10} {processes} process(es), {} hashes: {rate:>5.0} unlocks/s, {times}", hashes(real));
        }
    }
}

/// What operators read, four at once, and unlocks beside it: three a second, with three people and with many.
async fn large(scale: &Scale, postgres: bool) {
    let few = Database::new(postgres);
    fill::people(&few, scale.real).await;
    let servers = Servers::start(&few, 1, scale.real, &["--without-limits"]);
    let plan = Plan { unlocks_a_second: 3, readers: 0, seconds: scale.seconds, cards: 3 };
    let (_, unlocks) = load::beside(&servers, &plan, &Size::of(0)).await;
    println!("{few:<10} 3 people, 3 unlocks/s alone: {unlocks}");
    drop((servers, few));
    let many = Database::new(postgres);
    let began = Instant::now();
    fill::many(&many, &scale.size, scale.real).await;
    println!("{many:<10} {}: filled in {:.0} s, {} MB", scale.size, began.elapsed().as_secs_f64(), many.bytes().await >> 20);
    for processes in scale.processes {
        let servers = Servers::start(&many, *processes, scale.real, &["--without-limits"]);
        println!("{many:<10} {processes} process(es): the last was there after {} ms", servers.slowest_start.as_millis());
        let cards = scale.size.answered;
        let plan = Plan { unlocks_a_second: 3, readers: 0, seconds: scale.seconds, cards };
        let (_, alone) = load::beside(&servers, &plan, &scale.size).await;
        println!("  3 unlocks/s alone:            {alone}");
        let (reads, unlocks) = load::beside(&servers, &Plan { readers: 4, ..plan }, &scale.size).await;
        println!("  3 unlocks/s, four who read:   {unlocks}");
        for (what, times) in &reads {
            println!("  {what:<28}  {times}");
        }
    }
    grows(scale, &many).await;
    workstations(scale, &many).await;
    checked(&many, scale).await;
    updated(&many, scale).await;
}

/// What one unlock leaves behind.
async fn grows(scale: &Scale, database: &Database) {
    let servers = Servers::start(database, 1, scale.real, &["--without-limits"]);
    let before = database.bytes().await;
    let (times, _) = load::as_fast_as_they_go(&servers, 3, 10 * scale.unlocks_of_each).await;
    drop(servers);
    let grown = database.bytes().await.saturating_sub(before);
    println!("  an unlock leaves behind:      {} bytes ({} unlocks)", grown / times.len() as u64, times.len());
}

/// A complete unlock by each of many workstations within a minute, each at an address of its own, with all limits.
async fn workstations(scale: &Scale, database: &Database) {
    let servers = Servers::start(database, 1, scale.real, &[]);
    let within = Duration::from_secs(if scale.real { 60 } else { 3 });
    let steps = load::workstations(&servers, scale.workstations, scale.size.answered, within).await;
    println!("  {} workstations within {} s", scale.workstations, within.as_secs());
    for (what, times) in steps {
        println!("  {what:<28}  {times}");
    }
}

/// The check of the chain, beside which everybody goes on.
async fn checked(database: &Database, scale: &Scale) {
    let servers = Servers::start(database, 1, scale.real, &["--without-limits"]);
    let began = Instant::now();
    load::check(&servers).await;
    println!("  the chain of {} events and more, checked in {:.1} s", scale.size.events, began.elapsed().as_secs_f64());
}

/// Reads with a tenth and a hundredth of the people.
async fn curve(scale: &Scale, postgres: bool) {
    for users in [scale.size.users / 100, scale.size.users / 10, scale.size.users] {
        let (database, size) = (Database::new(postgres), Size::of(users));
        fill::many(&database, &size, scale.real).await;
        let servers = Servers::start(&database, 1, scale.real, &["--without-limits"]);
        let plan = Plan { unlocks_a_second: 3, readers: 4, seconds: scale.seconds, cards: size.answered };
        let (reads, unlocks) = load::beside(&servers, &plan, &size).await;
        let all = Times::of(reads.into_iter().flat_map(|(_, times)| times.0).collect());
        println!("{database:<10} {size}: reads {all}; unlocks beside them {unlocks}");
    }
}

const fn hashes(real: bool) -> &'static str {
    if real { "real" } else { "quick" }
}

/// The first start of a version that finds people and cards by other words than the one before.
async fn updated(database: &Database, scale: &Scale) {
    fill::made_bare(database).await;
    let servers = Servers::start(database, 1, scale.real, &["--without-limits"]);
    println!("  started with all words to be made anew: {:.1} s", servers.slowest_start.as_secs_f64());
}
