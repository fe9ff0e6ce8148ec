//! What it costs to write down what happens, and what a card costs in a rack.
//!
//! `recording`: one command (VERIFY status, the shortest there is) by a card in a slot, with nothing kept, with a
//! listener's channel, with a journal, and with a file of each form. `rack`: cards put into readers, and the memory
//! of 1,000 and 10,000 of them, which is printed once.
#![allow(missing_docs, clippy::unwrap_used)]

use cardlab_sim::{Card, Profile, World};
use cardlab_vreader::trace::{Form, Ticks};
use cardlab_vreader::{Icc, ThreadedRack, Trace, VirtualCard};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use std::hint::black_box;
use std::time::{Duration, Instant};

const SELECT: &[u8] = &[0, 0xA4, 4, 0, 5, 0xA0, 0, 0, 3, 8];
const STATUS: &[u8] = &[0, 0x20, 0, 0x80];

fn card(seed: u64) -> Card {
    Card::new(Profile::builtin("nist-piv").unwrap(), World::seeded(seed)).unwrap()
}

fn recording(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("recording");
    let mut measure = |name: &str, mut card: VirtualCard| {
        card.power_on();
        card.transmit(SELECT).unwrap();
        group.bench_function(name, |bench| bench.iter(|| black_box(card.transmit(black_box(STATUS)))));
    };
    let trace = || Trace::new(Ticks::Clock);
    measure("nothing", VirtualCard::new(card(1), None));
    measure("channel", VirtualCard::new(card(1), Some(trace().of("c"))));
    measure("journal", VirtualCard::journaled(card(1), trace().of("c")));
    for (name, form) in [("text", Form::Text), ("json", Form::Json), ("pcapng", Form::Pcapng)] {
        let trace = trace();
        trace.to_file(form, false, Box::new(tempfile::tempfile().unwrap()), cardlab_vreader::Outage::untold()).unwrap();
        measure(name, VirtualCard::journaled(card(1), trace.of("c")));
    }
    group.finish();
}

fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

fn rack(criterion: &mut Criterion) {
    for count in [1_000, 10_000] {
        let (before, started) = (resident_kib(), Instant::now());
        let rack = ThreadedRack::start(1, Duration::ZERO).unwrap();
        let trace = Trace::new(Ticks::Clock);
        for n in 0..count {
            rack.add("R", VirtualCard::journaled(card(n), trace.of("c")));
        }
        let (took, grown) = (started.elapsed(), resident_kib() - before);
        println!("{count} cards: {} ms, {:.1} KiB each", took.as_millis(), grown as f64 / count as f64);
    }
    let mut group = criterion.benchmark_group("rack");
    let rack = ThreadedRack::start(1, Duration::ZERO).unwrap();
    let place = rack.add("R", VirtualCard::new(card(1), None));
    group.bench_function("remove and insert", |bench| {
        bench.iter(|| {
            rack.remove(place).unwrap();
            rack.insert(place).unwrap();
        });
    });
    group.bench_function("a new card", |bench| bench.iter_batched(|| (), |()| card(1), BatchSize::SmallInput));
    group.finish();
}

criterion_group!(benches, recording, rack);
criterion_main!(benches);
