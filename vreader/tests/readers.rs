//! Readers are who they are: whatever is plugged, unplugged, put in, pulled out, swapped or breaks away, a reader
//! keeps its name and its card, and a handle of before speaks to nobody.
//!
//! It came so: A and B unplugged, B plugged in again, and both were called B; what was put into A went into B.

use cardlab_pcsclite::client::{Connection, Context, ShareMode};
use cardlab_pcsclite::code::{ReturnCode, state};
use cardlab_sim::{Card, Profile, World};
use cardlab_vreader::rack::RackError;
use cardlab_vreader::{Place, ThreadedRack, VirtualCard, Whereabouts};
use proptest::prelude::*;
use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;

const READERS: usize = 3;
const SELECT: &[u8] = &[0, 0xA4, 4, 0, 5, 0xA0, 0, 0, 3, 8];
const SERIAL: &[u8] = &[0, 0xF8, 0, 0];

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Step {
    Plug(usize),
    Unplug(usize),
    Insert(usize),
    Remove(usize),
    /// The reader breaks away in the middle of a command; where there is no card in it, it is not asked.
    Gone(usize),
    Swap(usize, usize),
}

impl Step {
    fn all() -> Vec<Self> {
        let readers = || 0..READERS;
        let one = readers().flat_map(|n| [Self::Plug(n), Self::Unplug(n), Self::Insert(n), Self::Remove(n), Self::Gone(n)]);
        let two = readers().flat_map(|a| (a..READERS).map(move |b| Self::Swap(a, b)));
        one.chain(two).collect()
    }
}

/// What must hold: where each reader is, and which card belongs to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Model([(Whereabouts, usize); READERS]);

fn name(reader: usize) -> String {
    format!("Reader {} {reader:02X} 00", ["A", "B", "C"][reader])
}

impl Model {
    const fn start() -> Self {
        Self([(Whereabouts::In, 0), (Whereabouts::In, 1), (Whereabouts::In, 2)])
    }

    /// The reader goes from one of these whereabouts to another, or why not.
    fn go(&mut self, reader: usize, from: &[Whereabouts], to: Whereabouts) -> Result<(), RackError> {
        let now = &mut self.0[reader].0;
        if from.contains(now) {
            *now = to;
            return Ok(());
        }
        Err(match *now {
            Whereabouts::Unplugged => RackError::Unplugged(name(reader)),
            _ if from == [Whereabouts::Unplugged] => RackError::Plugged(name(reader)),
            Whereabouts::In => RackError::Occupied(name(reader)),
            Whereabouts::Out => RackError::Empty(name(reader)),
        })
    }

    fn step(&mut self, step: Step) -> Result<(), RackError> {
        use Whereabouts::{In, Out, Unplugged};
        match step {
            Step::Plug(n) => self.go(n, &[Unplugged], Out),
            Step::Unplug(n) => self.go(n, &[In, Out], Unplugged),
            Step::Insert(n) => self.go(n, &[Out], In),
            Step::Remove(n) => self.go(n, &[In], Out),
            Step::Gone(n) => {
                let _ = self.go(n, &[In], Unplugged);
                Ok(())
            }
            Step::Swap(a, b) => {
                if let Some(n) = [a, b].into_iter().find(|n| self.0[*n].0 == Unplugged) {
                    return Err(RackError::Unplugged(name(n)));
                }
                let cards = [self.0[a].1, self.0[b].1];
                self.0[a] = (In, cards[1]);
                self.0[b] = (In, cards[0]);
                Ok(())
            }
        }
    }

    fn after(mut self, step: Step) -> Self {
        let _ = self.step(step);
        self
    }
}

/// A handle that a program keeps, and what it gets for a command.
struct Kept<'a> {
    handle: Connection<'a>,
    reader: usize,
    /// The card's number, or the code.
    gets: Result<usize, ReturnCode>,
}

/// Readers, and programs that work with them.
struct World3<'a> {
    rack: &'a ThreadedRack,
    context: &'a Context,
    places: [Place; READERS],
    serials: Vec<Vec<u8>>,
    kept: Vec<Kept<'a>>,
    model: Model,
}

/// Three readers with three cards whose serial numbers differ.
fn readers() -> (ThreadedRack, [Place; READERS]) {
    let rack = ThreadedRack::start(1, Duration::ZERO).unwrap();
    let places = [0, 1, 2].map(|n| {
        let card = Card::new(Profile::builtin("yubikey-5.4").unwrap(), World::seeded(n)).unwrap();
        rack.add(["Reader A", "Reader B", "Reader C"][n as usize], VirtualCard::new(card, None))
    });
    (rack, places)
}

fn send(handle: &mut Connection<'_>, command: &[u8]) -> Result<Vec<u8>, ReturnCode> {
    handle.transmit(command).map_err(|e| e.code().unwrap())
}

fn serial(handle: &mut Connection<'_>) -> Result<Vec<u8>, ReturnCode> {
    send(handle, SELECT)?;
    send(handle, SERIAL)
}

impl<'a> World3<'a> {
    fn new(rack: &'a ThreadedRack, places: [Place; READERS], context: &'a Context) -> Self {
        let read = |n| serial(&mut context.connect(&name(n), ShareMode::Shared).unwrap()).unwrap();
        let serials: Vec<_> = (0..READERS).map(read).collect();
        assert_eq!(serials.iter().collect::<HashSet<_>>().len(), READERS);
        Self { rack, context, places, serials, kept: Vec::new(), model: Model::start() }
    }

    fn step(&mut self, step: Step) {
        let before = self.model;
        let expected = self.model.step(step);
        let place = |n: usize| self.places[n];
        let done = match step {
            Step::Plug(n) => self.rack.plug(place(n)),
            Step::Unplug(n) => self.rack.unplug(place(n)),
            Step::Insert(n) => self.rack.insert(place(n)),
            Step::Remove(n) => self.rack.remove(place(n)),
            Step::Gone(n) => {
                if before.0[n].0 == Whereabouts::In {
                    self.break_away(n);
                }
                Ok(())
            }
            Step::Swap(a, b) => self.rack.swap(place(a), place(b)),
        };
        assert_eq!(done, expected, "{before:?} {step:?}");
        if done.is_ok() {
            self.tell_kept(step);
        }
        self.look();
    }

    fn break_away(&self, reader: usize) {
        self.rack.rack().card(self.places[reader]).lock().arm("reader-gone".parse().unwrap()).unwrap();
        let mut handle = self.context.connect(&name(reader), ShareMode::Shared).unwrap();
        assert_eq!(send(&mut handle, SELECT), Err(ReturnCode::READER_UNAVAILABLE));
    }

    /// What a step means for handles that programs have.
    fn tell_kept(&mut self, step: Step) {
        let (touched, code) = match step {
            Step::Unplug(n) => (vec![n], ReturnCode::INVALID_VALUE),
            Step::Gone(n) if self.model.0[n].0 == Whereabouts::Unplugged => (vec![n], ReturnCode::INVALID_VALUE),
            Step::Remove(n) => (vec![n], ReturnCode::REMOVED_CARD),
            Step::Swap(a, b) => (vec![a, b], ReturnCode::REMOVED_CARD),
            _ => return,
        };
        for kept in self.kept.iter_mut().filter(|kept| touched.contains(&kept.reader)) {
            // A reader that was unplugged once is gone for this handle for ever.
            if kept.gets != Err(ReturnCode::INVALID_VALUE) {
                kept.gets = Err(code);
            }
        }
    }

    /// What people and programs see.
    fn look(&mut self) {
        let states = self.context.readers().unwrap();
        for (n, (whereabouts, card)) in self.model.0.into_iter().enumerate() {
            let place = self.places[n];
            assert_eq!(self.rack.rack().whereabouts(place), whereabouts, "{:?}", self.model);
            assert_eq!(self.rack.rack().name(place), name(n));
            assert_eq!(self.rack.rack().find(&name(n)), Ok(place));
            let seen = states.iter().find(|s| s.name == name(n)).map(|s| s.state & state::PRESENT != 0);
            let expected = match whereabouts {
                Whereabouts::In => Some(true),
                Whereabouts::Out => Some(false),
                Whereabouts::Unplugged => None,
            };
            assert_eq!(seen, expected, "{:?}", self.model);
            if whereabouts == Whereabouts::In {
                let mut handle = self.context.connect(&name(n), ShareMode::Shared).unwrap();
                assert_eq!(serial(&mut handle).as_ref(), Ok(&self.serials[card]), "{:?}", self.model);
                self.keep(Kept { handle, reader: n, gets: Ok(card) });
            }
        }
        assert_eq!(states.len(), self.model.0.iter().filter(|(w, _)| *w != Whereabouts::Unplugged).count());
        for kept in &mut self.kept {
            let expected = kept.gets.map(|card| self.serials[card].clone());
            assert_eq!(serial(&mut kept.handle), expected, "a handle of reader {} in {:?}", kept.reader, self.model);
        }
    }

    /// The last three of a reader: one of now, two of before.
    fn keep(&mut self, kept: Kept<'a>) {
        let same: Vec<usize> = (0..self.kept.len()).filter(|n| self.kept[*n].reader == kept.reader).collect();
        if let [oldest, _, _] = same[..] {
            drop(self.kept.remove(oldest));
        }
        self.kept.push(kept);
    }
}

/// The steps from a state to the nearest one in which something has not been tried.
fn way_to_work(from: Model, done: &HashSet<(Model, Step)>) -> Option<Vec<Step>> {
    let mut ways = HashMap::from([(from, Vec::new())]);
    let mut queue = VecDeque::from([from]);
    while let Some(at) = queue.pop_front() {
        let way = ways[&at].clone();
        if let Some(step) = Step::all().into_iter().find(|step| !done.contains(&(at, *step))) {
            return Some([way, vec![step]].concat());
        }
        for step in Step::all() {
            let next = at.after(step);
            if let std::collections::hash_map::Entry::Vacant(entry) = ways.entry(next) {
                entry.insert([way.clone(), vec![step]].concat());
                queue.push_back(next);
            }
        }
    }
    None
}

/// All 162 states of three readers and three cards, and each step from each.
#[test]
fn every_step_from_every_state() {
    let (rack, places) = readers();
    let context = Context::establish_at(rack.socket()).unwrap();
    let mut world = World3::new(&rack, places, &context);
    let mut done = HashSet::new();
    while let Some(way) = way_to_work(world.model, &done) {
        for step in way {
            done.insert((world.model, step));
            world.step(step);
        }
    }
    let states: HashSet<Model> = done.iter().map(|(model, _)| *model).collect();
    assert_eq!((states.len(), done.len()), (162, 162 * 21));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    /// Also where it matters what came before: orders of pluggings, handles of long ago.
    #[test]
    fn any_sequence(steps in proptest::collection::vec(proptest::sample::select(Step::all()), 1..40)) {
        let (rack, places) = readers();
        let context = Context::establish_at(rack.socket()).unwrap();
        let mut world = World3::new(&rack, places, &context);
        for step in steps {
            world.step(step);
        }
    }
}
