//! A thousand cards, a hundred programs at once, and faults at random: no event is lost, no transaction is
//! stuck, memory does not grow, and every card's counters are what a model says.
//!
//! It takes a few seconds; `CARDLAB_STRESS_SECONDS=60` makes it a minute.

use cardlab_pcsclite::client::{Connection, Context, Disposition, Error, ShareMode};
use cardlab_sim::reference::PIN;
use cardlab_sim::{Card as SimCard, Profile, Random, World};
use cardlab_vreader::journal;
use cardlab_vreader::trace::Ticks;
use cardlab_vreader::{Place, ThreadedRack, Trace, VirtualCard, Whereabouts};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

const CARDS: usize = 1000;
const PROGRAMS: usize = 100;
const SELECT: &[u8] = &[0, 0xA4, 4, 0, 5, 0xA0, 0, 0, 3, 8];
const WRONG: &[u8] = b"\x00\x20\x00\x80\x08999999\xFF\xFF";
const RIGHT: &[u8] = b"\x00\x20\x00\x80\x08123456\xFF\xFF";
const FAULTS: [&str; 9] = [
    "remove-before",
    "remove-after",
    "power-cut=0",
    "power-cut=1",
    "power-cut=2",
    "status=6F00",
    "mute",
    "silent=1",
    "memory-failure",
];

/// A card as it must be.
struct Model {
    name: String,
    place: Place,
    left: u8,
}

fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

fn number(random: &mut Random, below: usize) -> usize {
    u32::from_be_bytes(random.bytes()) as usize % below
}

/// One program's turn at one card: a transaction with a guess or the right PIN, perhaps with a fault.
fn turn(rack: &ThreadedRack, context: &Context, model: &mut Model, random: &mut Random, removed: &AtomicU64) {
    let fault = (number(random, 4) == 0).then(|| FAULTS[number(random, FAULTS.len())]);
    let command = if number(random, 3) == 0 { RIGHT } else { WRONG };
    let work = |card: &mut Connection<'_>| -> Result<Vec<u8>, Error> {
        card.begin()?;
        card.transmit(SELECT)?;
        if let Some(fault) = fault {
            rack.rack().card(model.place).lock().arm(fault.parse().unwrap()).unwrap();
        }
        let answer = card.transmit(command);
        // A card that is gone ends the transaction by itself.
        let _ = card.end(Disposition::Leave);
        answer
    };
    let answer = context.connect(&model.name, ShareMode::Shared).and_then(|mut card| work(&mut card));
    let after = match (model.left, command) {
        (0, _) => 0,
        (left, WRONG) => left - 1,
        _ => 3,
    };
    let now = PIN.counter(rack.rack().card(model.place).lock().card().unwrap().nvm()).left;
    match (fault, &answer) {
        (None | Some("silent=1"), Ok(_)) => assert_eq!(now, after, "{}: {answer:02X?}", model.name),
        (Some("status=6F00" | "remove-before" | "mute" | "memory-failure"), _) => {
            // Not carried out, or nothing could be written.
            assert_eq!(now, model.left, "{}: {fault:?} {answer:02X?}", model.name);
        }
        (Some("remove-after"), Err(_)) => assert_eq!(now, after, "{}", model.name),
        (Some(cut), _) if cut.starts_with("power-cut") => {
            let spent = model.left.saturating_sub(1);
            assert!([model.left, spent, after].contains(&now), "{}: {cut}, {now} left after {}", model.name, model.left);
        }
        other => panic!("{}: {other:02X?}", model.name),
    }
    model.left = now;
    // Hands put right what went wrong.
    if rack.rack().whereabouts(model.place) == Whereabouts::Out {
        removed.fetch_add(1, Ordering::Relaxed);
        rack.insert(model.place).unwrap();
    } else if fault.is_some() {
        rack.rack().card(model.place).lock().disarm();
        rack.reset(model.place, true).unwrap();
    }
}

#[test]
fn a_thousand_cards_and_a_hundred_programs() {
    let seconds = std::env::var("CARDLAB_STRESS_SECONDS").ok().map_or(3, |text| text.parse().unwrap());
    let rack = ThreadedRack::start(1, Duration::ZERO).unwrap();
    let trace = Trace::new(Ticks::Clock);
    let profile = Profile::builtin("nist-piv").unwrap();
    let models: Vec<Mutex<Model>> = (0..CARDS)
        .map(|n| {
            let card = SimCard::new(profile.clone(), World::seeded(n as u64)).unwrap();
            let place = rack.add(&format!("R{n}"), VirtualCard::journaled(card, trace.of(&format!("c{n}"))));
            Mutex::new(Model { name: rack.rack().name(place), place, left: 3 })
        })
        .collect();
    let (turns, removed, busy) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut settled = 0;
    std::thread::scope(|scope| {
        for program in 0..PROGRAMS {
            let (rack, models, turns, removed, busy) = (&rack, &models, &turns, &removed, &busy);
            scope.spawn(move || {
                let mut random = Random::from_number(5, program as u64);
                let context = Context::establish_at(rack.socket()).unwrap();
                while Instant::now() < end {
                    // Another program is at this card: its turn is over soon.
                    match models[number(&mut random, CARDS)].try_lock() {
                        Ok(mut model) => turn(rack, &context, &mut model, &mut random, removed),
                        Err(_) => drop(busy.fetch_add(1, Ordering::Relaxed)),
                    }
                    turns.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        std::thread::park_timeout(Duration::from_secs(seconds) / 2);
        settled = resident_kib();
    });
    let context = Context::establish_at(rack.socket()).unwrap();
    for model in &models {
        let model = model.lock().unwrap();
        // Nobody holds the card any more, and it is what the model says.
        let mut card = context.connect(&model.name, ShareMode::Exclusive).unwrap();
        // A PIN that was right last may be verified still.
        card.reconnect(ShareMode::Exclusive, Disposition::Reset).unwrap();
        card.transmit(SELECT).unwrap();
        let answer = card.transmit(&[0, 0x20, 0, 0x80]).unwrap();
        assert_eq!(answer, [0x63, 0xC0 + model.left], "{}", model.name);
    }
    // Every insertion and removal was counted: one to begin with, two for each time the card was out.
    let counted: u64 = context.readers().unwrap().iter().map(|reader| u64::from(reader.event_counter)).sum();
    assert_eq!(counted, CARDS as u64 + 2 * removed.load(Ordering::Relaxed));
    let grown = resident_kib().saturating_sub(settled);
    let turns = turns.load(Ordering::Relaxed);
    println!(
        "{turns} turns, {} removals, {} busy, {grown} KiB more in the second half",
        removed.load(Ordering::Relaxed),
        busy.load(Ordering::Relaxed)
    );
    assert!(turns > 1000, "{turns} turns");
    // The journals keep what comes in up to their budget, and nothing else grows. The allocator rounds up.
    let budget = 2 * (journal::BUDGET / 1024) as u64;
    assert!(grown < budget, "{grown} KiB more for {turns} turns");
}
