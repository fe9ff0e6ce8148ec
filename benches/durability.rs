//! What it costs that a counter survives: a commit of redb in one phase and in two, side by side on the file of a
//! card, and a right PIN at a card that is kept. `TMPDIR` says on which disk.
#![allow(missing_docs, clippy::unwrap_used)]

use cardlab_sim::{Card, Profile, World};
use cardlab_vreader::StateDirectory;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use redb::{Database, TableDefinition};

const RECORDS: TableDefinition<'_, (u16, u32), &[u8]> = TableDefinition::new("records");
const COUNTER: (u16, u32) = (0, 0x0100_0180);
const SELECT: [u8; 10] = [0x00, 0xA4, 0x04, 0x00, 0x05, 0xA0, 0x00, 0x00, 0x03, 0x08];
const VERIFY: [u8; 13] = [0x00, 0x20, 0x00, 0x80, 0x08, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0xFF, 0xFF];

fn commit(database: &Database, two_phases: bool, tries: u8) {
    let mut write = database.begin_write().unwrap();
    write.set_two_phase_commit(two_phases);
    write.open_table(RECORDS).unwrap().insert(COUNTER, &[tries, 3][..]).unwrap();
    write.commit().unwrap();
}

fn commits(c: &mut Criterion) {
    let directory = tempfile::tempdir().unwrap();
    let card = || {
        let store = StateDirectory::open(directory.path()).unwrap().card(0);
        let mut card = Card::new(Profile::builtin("yubikey-5.4").unwrap(), World { store, ..World::seeded(1) }).unwrap();
        card.power_on();
        card.transmit(&SELECT).unwrap();
        card
    };
    drop(card());
    let mut group = c.benchmark_group("durable");
    group.throughput(Throughput::Elements(1));
    let database = Database::builder().set_cache_size(64 * 1024).open(directory.path().join("cards.redb")).unwrap();
    for (name, two_phases) in [("commit in one phase", false), ("commit in two phases", true)] {
        let mut tries = 0;
        group.bench_function(name, |b| {
            b.iter(|| {
                tries = (tries + 1) % 3;
                commit(&database, two_phases, tries);
            });
        });
    }
    drop(database);
    let mut card = card();
    group.bench_function("VERIFY right PIN, two commits", |b| b.iter(|| card.transmit(&VERIFY).unwrap()));
    group.finish();
}

criterion_group!(benches, commits);
criterion_main!(benches);
