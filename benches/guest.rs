//! A card that is not ours, in a reader of ours: what the line costs, and what it costs through a system-wide pcscd.
//!
//! One command (VERIFY status, the shortest there is) through our socket, by a card that is simulated there, by a card that
//! connects by vsmartcard's protocol, and by a recording. With `CARDLAB_BENCH_PCSCD=SOCKET`, also through the pcscd
//! there, by the same card in its vpcd reader at 127.0.0.1:35963.
#![allow(missing_docs, clippy::unwrap_used)]

use cardlab_pcsclite::client::{Context, ShareMode};
use cardlab_sim::{Card, Profile, World};
use cardlab_vreader::replay::{Order, Replay};
use cardlab_vreader::trace::{Record, Ticks, What};
use cardlab_vreader::vpcd::{self, guest};
use cardlab_vreader::{Button, Presence, ThreadedRack, Trace, VirtualCard};
use criterion::{Criterion, criterion_group, criterion_main};
use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;
use std::time::Duration;

const STATUS: &[u8] = &[0, 0x20, 0, 0x80];

fn simulated() -> VirtualCard {
    VirtualCard::new(Card::new(Profile::builtin("nist-piv").unwrap(), World::seeded(1)).unwrap(), None)
}

/// A card on a thread of its own in the vpcd reader at this address.
fn serve(address: String) {
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        match runtime.block_on(vpcd::serve(&address, Box::new(simulated()), || {})) {}
    });
}

fn measure(criterion: &mut Criterion, name: &str, socket: &Path, reader: &str) {
    let context = Context::establish_at(socket).unwrap();
    let mut handle = context.connect(reader, ShareMode::Shared).unwrap();
    let mut group = criterion.benchmark_group("guest");
    group.bench_function(name, |bench| bench.iter(|| handle.transmit(STATUS).unwrap()));
    group.finish();
}

fn guests(criterion: &mut Criterion) {
    let (rack, trace) = (ThreadedRack::start(1, Duration::ZERO).unwrap(), Trace::new(Ticks::Clock));
    rack.add("Simulated", simulated());
    measure(criterion, "simulated", rack.socket(), "Simulated 00 00");

    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let port = guest::Port::new(guest::PATIENCE);
    let place = rack.add("Guest", port.card("vpcd", port.icc(), trace.of("vpcd")));
    let (here, card, (tell, told)) = (rack.rack().clone(), rack.rack().card(place), channel());
    rack.runtime().spawn(async move {
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        port.keep(listener, here, card, move |event| drop(tell.send(event))).await
    });
    serve(address);
    assert!(matches!(told.recv().unwrap(), guest::Event::Came(_)));
    measure(criterion, "vpcd", rack.socket(), "Guest 01 00");

    let atr = Profile::builtin("nist-piv").unwrap().card.atr;
    let mut recorder = trace.of("replay");
    let records: Vec<Record> = [recorder.event("power on", &atr), recorder.exchange(STATUS, Some(&[0x63, 0xC3]), None)]
        .iter()
        .map(|record| (**record).clone())
        .collect();
    assert!(matches!(records[0].what, What::Event { .. }));
    let replay = Replay::new(&records, None, Order::Match, Box::new(|_| {})).unwrap();
    rack.add("Replay", VirtualCard::guest("replay", Box::new(replay), Presence::always(), Button::default(), trace.of("r")));
    measure(criterion, "replay", rack.socket(), "Replay 02 00");

    let Some(socket) = std::env::var_os("CARDLAB_BENCH_PCSCD").map(PathBuf::from) else { return };
    serve("127.0.0.1:35963".into());
    let context = Context::establish_at(&socket).unwrap();
    let mut known = context.readers().unwrap();
    while known.iter().all(|reader| reader.atr.is_empty()) {
        known = context.wait_for_change(&known, Duration::from_secs(60)).unwrap();
    }
    let reader = known.iter().find(|reader| !reader.atr.is_empty()).unwrap().name.clone();
    measure(criterion, "vpcd through pcscd", &socket, &reader);
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).measurement_time(Duration::from_secs(3));
    targets = guests
}
criterion_main!(benches);
