//! What was done at a bench, as a scenario that holds when it is played.

use cardlab_client::lock;
use cardlab_client::minidriver::{Authenticator, Minidriver, Secret};
use cardlab_client::transport::Transport as _;
use cardlab_pcsclite::client::{Context, ShareMode};
use cardlab_protocol::admin_key::AdminKey;
use cardlab_scenario::file::Scenario;
use cardlab_scenario::play::play;
use cardlab_scenario::record::{Recorded, write};
use cardlab_scenario::world::cards::Source;
use cardlab_sim::{World, admin_key};
use cardlab_vreader::session::{Began, Ended, Session};
use cardlab_vreader::state;
use cardlab_vreader::trace::event::Event;
use cardlab_vreader::trace::{Record, Ticks, Trace};
use cardlab_vreader::{CardRequest, Place, ThreadedRack, TouchMode, VirtualCard, Whereabouts};
use proptest::prelude::*;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::Receiver;

/// Readers with cards, and somebody who listens.
struct Bench {
    rack: ThreadedRack,
    places: Vec<Place>,
    heard: Receiver<Arc<Record>>,
    began: Vec<Began>,
}

impl Bench {
    fn with(cards: &[&str]) -> Self {
        let rack = ThreadedRack::start(7, Duration::ZERO).unwrap();
        let trace = Trace::new(Ticks::Count);
        let place = |(index, request): (usize, &&str)| {
            let card = request.parse::<CardRequest>().unwrap().make(World::seeded(40 + index as u64)).unwrap();
            rack.add(&format!("Reader {index}"), VirtualCard::journaled(card, trace.of(&format!("{index}:{request}"))))
        };
        let places: Vec<Place> = cards.iter().enumerate().map(place).collect();
        let heard = trace.listen();
        let began = places.iter().filter_map(|place| Began::of(rack.rack(), *place)).collect();
        Self { rack, places, heard, began }
    }

    /// As the control socket does it.
    fn event(&self, card: usize, event: &Event) {
        self.rack.rack().card(self.places[card]).lock().event(event, false);
    }

    fn remove(&self, card: usize) {
        if self.rack.remove(self.places[card]).is_ok() {
            self.event(card, &Event::Removed);
        }
    }

    fn insert(&self, card: usize) {
        if self.rack.insert(self.places[card]).is_ok() {
            self.event(card, &Event::Inserted);
        }
    }

    fn held<T>(&self, card: usize, work: impl FnOnce(&mut VirtualCard) -> T) -> T {
        work(&mut self.rack.rack().card(self.places[card]).lock())
    }

    fn program<T>(&self, card: usize, work: impl FnOnce(&mut Minidriver<'_>) -> T) -> T {
        let context = Context::establish_at(self.rack.socket()).unwrap();
        let name = self.rack.rack().name(self.places[card]);
        let mut connection = context.connect(&name, ShareMode::Shared).unwrap();
        work(&mut Minidriver::open(&mut connection).unwrap())
    }

    /// A command of a program; nobody hears it where the card is out.
    fn send(&self, card: usize, command: &[u8]) {
        let context = Context::establish_at(self.rack.socket()).unwrap();
        let name = self.rack.rack().name(self.places[card]);
        if let Ok(mut connection) = context.connect(&name, ShareMode::Shared) {
            let _ = connection.exchange(command);
        }
    }

    fn key(&self, card: usize) -> AdminKey {
        self.held(card, |card| card.card().and_then(|card| admin_key::load(card.nvm())).unwrap().0)
    }

    fn end(mut self) -> Session {
        let mut records = Vec::new();
        while let Ok(record) = self.heard.try_recv() {
            records.push(record);
        }
        let ended = self.places.iter().map(|place| {
            let card = self.rack.rack().card(*place);
            Ended::of(card.label().unwrap(), &card.lock())
        });
        Session { ended: ended.collect(), began: self.began, records }
    }
}

/// It is a scenario, and it holds.
fn holds(session: &Session) -> Recorded {
    let recorded = write("Recorded", session).unwrap();
    let scenario = Scenario::parse(&recorded.text).unwrap();
    assert_eq!(scenario.steps.len(), recorded.steps);
    let played = play(&scenario, &Source::Simulated(5), |_| {});
    assert!(played.is_ok(), "{}\n{}", played.unwrap_err(), recorded.text);
    recorded
}

#[test]
fn a_card_that_was_locked_and_unlocked_by_its_administrator() {
    for profile in ["gids", "piv-admin"] {
        let bench = Bench::with(&[profile]);
        let key = bench.key(0);
        bench.program(0, |card| lock::bring_to(card, Secret::Pin, 0).unwrap());
        bench.remove(0);
        bench.insert(0);
        bench.program(0, |card| {
            let challenge = card.unblock_challenge().unwrap();
            let response = key.respond(&challenge).unwrap();
            card.card_unblock_pin(Authenticator::Response(&response), b"471147").unwrap();
            // And a response that is wrong stays it.
            let mut wrong = key.respond(&card.card_get_challenge().unwrap()).unwrap();
            wrong[0] ^= 1;
            card.card_authenticate_challenge(&wrong).unwrap_err();
            card.card_authenticate_pin(b"471147").unwrap();
        });
        let recorded = holds(&bench.end());
        for part in ["do = \"remove\"", "do = \"insert\"", "do = \"respond\"", "$response-", "status = \"63C0\"", "pin-left = "] {
            assert!(recorded.text.contains(part), "{profile}: {part}\n{}", recorded.text);
        }
        assert_eq!(recorded.left_out, [""; 0]);
    }
}

/// YubiKeys prove the key of their manager mutually, by a witness.
#[test]
fn a_witness_is_decrypted_anew() {
    let bench = Bench::with(&["yubikey-5.4"]);
    let key = bench.key(0);
    let id = key.cipher().id();
    let length = key.cipher().block_len() as u8;
    bench.send(0, &hex::decode("00A4040005A000000308").unwrap());
    let context = Context::establish_at(bench.rack.socket()).unwrap();
    let mut card = context.connect(&bench.rack.rack().name(bench.places[0]), ShareMode::Shared).unwrap();
    let answer = card.exchange(&[0x00, 0x87, id, 0x9B, 0x04, 0x7C, 0x02, 0x80, 0x00, 0x00]).unwrap();
    let witness = cardlab_protocol::tlv::find_path(&answer[..answer.len() - 2], &[0x7C, 0x80]).unwrap();
    let proof = key.decrypt(witness).unwrap();
    let challenge = vec![0x11; length.into()];
    let template = [&[0x80, length][..], &proof, &[0x81, length], &challenge, &[0x82, 0x00]].concat();
    let template = [&[0x7C, template.len() as u8][..], &template].concat();
    let command = [&[0x00, 0x87, id, 0x9B, template.len() as u8][..], &template, &[0x00]].concat();
    assert!(card.exchange(&command).unwrap().ends_with(&[0x90, 0x00]));
    drop(card);
    assert!(holds(&bench.end()).text.contains("witness = true"));
}

#[test]
fn hands_faults_and_what_was_round_the_card() {
    let bench = Bench::with(&["gids", "nist-piv"]);
    let select = hex::decode("00A4040009A00000039742544659").unwrap();
    let wrong = b"\x00\x20\x00\x80\x06999999";
    bench.held(0, |card| card.arm("remove-after,ins=20".parse().unwrap())).unwrap();
    bench.send(0, &select);
    bench.send(0, wrong);
    assert_eq!(bench.rack.rack().whereabouts(bench.places[0]), Whereabouts::Out);
    bench.insert(0);
    bench
        .held(0, |card| {
            card.change(&Event::State("pin=3,admin=2".parse().unwrap()), |card| {
                state::set(card, "pin=3,admin=2".parse().unwrap())
            })
        })
        .unwrap();
    bench.send(0, &select);
    bench.send(0, wrong);
    bench.held(0, |card| card.undo(1)).unwrap();
    bench.rack.reset(bench.places[0], true).unwrap();
    bench.held(0, |card| card.set_touch(TouchMode::Never)).unwrap();
    bench.held(0, |card| card.set_pace("any:1".parse().unwrap()));
    for (one, other) in [(0, "1:nist-piv"), (1, "0:gids")] {
        bench.event(one, &Event::SwappedWith(other.into()));
    }
    bench.rack.swap(bench.places[0], bench.places[1]).unwrap();
    // Reader 0 has the PIV card now.
    bench.send(0, &hex::decode("00A4040005A000000308").unwrap());
    bench.send(0, b"\x00\x20\x00\x80\x08999999\xFF\xFF");
    let recorded = holds(&bench.end());
    for part in [
        "do = \"fault\"",
        "expect = { error = \"\" }",
        "state = \"pin=3,admin=2\"",
        "commands = 1",
        "with = \"Reader-1\"",
        "pace = \"any:1\"",
    ] {
        assert!(recorded.text.contains(part), "{part}\n{}", recorded.text);
    }
    assert_eq!(recorded.text.matches("do = \"swap\"").count(), 1);
}

#[test]
fn what_cannot_be_repeated_is_said() {
    let bench = Bench::with(&["gids"]);
    assert_eq!(write("x", &bench.end()).unwrap_err(), "there is no step: nothing was done to a card");
    let bench = Bench::with(&["gids"]);
    bench.send(0, &hex::decode("0C2000800A8E080000000000000000").unwrap());
    bench.event(0, &Event::Restored);
    let error = write("x", &bench.end()).unwrap_err();
    assert!(error.contains("0:gids: what went through a secure channel") && error.contains("record from there on"), "{error}");
}

/// A command or a deed.
#[derive(Clone, Debug)]
enum Deed {
    Send(Vec<u8>),
    Remove,
    Insert,
    Reset(bool),
    Undo,
    Fault(&'static str),
    State(&'static str),
}

fn deed() -> impl Strategy<Value = Deed> {
    let commands = [
        "00A4040005A000000308",
        "0020008008393939393939FFFF",
        "0020008008313233343536FFFF",
        "00200080",
        "002C008010313233343536373837313134373131FFFF",
        "0087039B047C02810000",
        "0087039B0A7C0882080011223344556677",
        "00CB3FFF055C035FC10200",
        "00F7009B00",
        "00",
    ];
    let commands = commands.map(|command| hex::decode(command).unwrap()).to_vec();
    prop_oneof![
        6 => prop::sample::select(commands).prop_map(Deed::Send),
        1 => Just(Deed::Remove),
        2 => Just(Deed::Insert),
        1 => any::<bool>().prop_map(Deed::Reset),
        1 => Just(Deed::Undo),
        1 => prop::sample::select(vec!["status=6F00", "remove-before,ins=20", "mute,nth=2", "truncate=1,ins=CB"]).prop_map(Deed::Fault),
        1 => prop::sample::select(vec!["fresh", "last-try", "blocked"]).prop_map(Deed::State),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// Whatever was done, the file of it holds.
    #[test]
    fn any_session_holds_again(deeds in prop::collection::vec(deed(), 1..14)) {
        let bench = Bench::with(&["yubikey-5.4"]);
        for deed in deeds {
            match deed {
                Deed::Send(command) => bench.send(0, &command),
                Deed::Remove => bench.remove(0),
                Deed::Insert => bench.insert(0),
                Deed::Reset(cold) => drop(bench.rack.reset(bench.places[0], cold)),
                Deed::Undo => {
                    if bench.held(0, |card| card.undo(1)).is_ok() {
                        let _ = bench.rack.reset(bench.places[0], true);
                    }
                }
                Deed::Fault(fault) => bench.held(0, |card| card.arm(fault.parse().unwrap())).unwrap(),
                Deed::State(name) => {
                    let tries = name.parse().unwrap();
                    bench.held(0, |card| card.change(&Event::State(tries), |card| state::set(card, tries))).unwrap();
                }
            }
        }
        let session = bench.end();
        if write("x", &session).is_ok() {
            holds(&session);
        }
    }
}
