//! The cards of a scenario: simulated ones in readers of their own, or one real card that a person puts in
//! and pulls out.

use super::Broken;
use crate::action::{Counted, Setting};
use crate::file::{CardSetup, Scenario};
use cardlab_client::minidriver::{Authenticator, Minidriver, Secret};
use cardlab_client::{alone::Alone, lock, recognise::Edge};
use cardlab_pcsclite::client::{Connection, Context, Disposition, ShareMode};
use cardlab_pcsclite::code::state as reader_state;
use cardlab_protocol::admin_key::AdminKey;
use cardlab_sim::card::World as CardWorld;
use cardlab_sim::reference::{ADMINISTRATION, PIN, PUK, Reference};
use cardlab_sim::{Card, admin_key};
use cardlab_vreader::fault::Fault;
use cardlab_vreader::icc::VirtualCard;
use cardlab_vreader::rack::{Place, Whereabouts};
use cardlab_vreader::setup::settings::assignment;
use cardlab_vreader::setup::{CardRequest, SetupError};
use cardlab_vreader::state::{self, Tries};
use cardlab_vreader::threaded::ThreadedRack;
use cardlab_vreader::trace::event::Event;
use cardlab_vreader::trace::{Ticks, Trace};
use cardlab_vreader::{Snapshot, TouchMode};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;
use zeroize::Zeroizing;

/// How often a person is looked after who has to insert a card or to pull it out.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// A card that somebody has, in a reader that PC/SC shows.
#[derive(Clone)]
pub struct RealCard {
    /// The PC/SC service.
    pub socket: PathBuf,
    /// The reader's name.
    pub reader: String,
    /// The card's PIN.
    pub pin: Zeroizing<String>,
    /// Its administrator key.
    pub admin_key: AdminKey,
    /// Tells a person what to do.
    pub tell: fn(&str),
}

/// Where the cards come from.
#[derive(Clone)]
pub enum Source {
    /// Simulated; the number makes their random numbers repeat.
    Simulated(u64),
    /// One real card.
    Real(RealCard),
}

/// What is known of a card.
#[derive(Clone, Debug)]
pub struct Known {
    /// Name of its reader.
    pub reader: String,
    /// What it says it is, upper-case hexadecimal.
    pub serial: String,
    /// The PIN it was made with.
    pub pin: Zeroizing<String>,
    /// Its administrator key, hexadecimal; none where it has none for unlocking.
    pub admin_key: Option<Zeroizing<String>>,
    /// Logon name of its user.
    pub user: String,
}

enum Hands {
    Ours {
        rack: ThreadedRack,
        /// What happens, for the cards' journals.
        trace: Trace,
        places: BTreeMap<String, Place>,
    },
    /// Nobody else runs on that card.
    APerson(RealCard, #[expect(dead_code, reason = "held")] Alone),
}

/// A program that keeps a card from all others until it is let go.
pub(crate) struct Holder {
    release: Option<Sender<()>>,
    thread: Option<JoinHandle<Result<(), Broken>>>,
}

impl Holder {
    /// It ends its transaction and leaves the card as it is.
    pub(crate) fn let_go(mut self) -> Result<(), Broken> {
        self.end()
    }

    fn end(&mut self) -> Result<(), Broken> {
        self.release = None;
        let ended = self.thread.take().map(JoinHandle::join);
        ended.unwrap_or(Ok(Ok(()))).unwrap_or_else(|_| Err(Broken("the program that held the card has ended".into())))
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        let _ = self.end();
    }
}

/// The cards, by the names that the file gives them.
pub struct Cards {
    hands: Hands,
    known: BTreeMap<String, Known>,
}

/// Tries left: PIN, PUK, administrator key.
pub(crate) type Left = [Option<u8>; 3];

impl Setting {
    /// As it is written in the settings of a card.
    fn text(&self) -> String {
        match self {
            Self::Switch(on) => on.to_string(),
            Self::Number(number) => number.to_string(),
            Self::Text(text) => text.clone(),
            Self::Table(_) => String::new(),
        }
    }
}

impl CardSetup {
    /// A card that nothing is asked of at the beginning: the server does not know it, and its tries are those of the snapshot.
    pub(crate) const fn is_as_it_was(&self) -> bool {
        let untouched = self.pin_left.is_none() && self.puk_left.is_none() && self.admin_left.is_none();
        self.snapshot.is_some() && untouched && matches!(self.state.as_bytes(), b"unknown")
    }

    /// The card as command lines ask for one.
    pub(crate) fn request(&self, name: &str) -> Result<CardRequest, SetupError> {
        let mut text = format!("{},{}", self.profile, assignment("name", name));
        for (key, value) in &self.settings {
            text.push_str(&format!(",{}", assignment(key, &value.text())));
        }
        text.parse()
    }
}

impl Cards {
    /// The cards of a scenario, each in its reader, with the tries that the file wants.
    pub(crate) fn set_up(scenario: &Scenario, source: &Source) -> Result<Self, Broken> {
        let mut cards = match source {
            Source::Simulated(seed) => {
                let rack = ThreadedRack::start(*seed, Duration::ZERO).map_err(Broken::at("readers"))?;
                let trace = Trace::new(Ticks::Count);
                let hands = Hands::Ours { rack, trace, places: BTreeMap::new() };
                Self { hands, known: BTreeMap::new() }
            }
            Source::Real(card) => {
                let alone = Alone::take(&card.socket, &card.reader).map_err(Broken::at("card"))?;
                Self { hands: Hands::APerson(card.clone(), alone), known: BTreeMap::new() }
            }
        };
        for (index, (name, setup)) in scenario.cards.iter().enumerate() {
            cards.make(name, setup, index as u64, source)?;
        }
        Ok(cards)
    }

    fn make(&mut self, name: &str, setup: &CardSetup, index: u64, source: &Source) -> Result<(), Broken> {
        let (reader, pin, key) = match (&mut self.hands, source) {
            (Hands::Ours { rack, trace, places }, Source::Simulated(seed)) => {
                let world = CardWorld::seeded(seed.wrapping_mul(97) + index);
                let card = match &setup.snapshot {
                    Some(text) => {
                        let snapshot = Snapshot::read(text, None).map_err(Broken::at("snapshot"))?;
                        snapshot.card(world).map_err(Broken::at("snapshot"))?
                    }
                    None => setup.request(name).and_then(|request| request.make(world)).map_err(Broken::at("card"))?,
                };
                let profile = card.profile();
                let pin = Zeroizing::new(profile.pin.value.clone());
                let key = Zeroizing::new(hex::encode_upper(&profile.management_key.value));
                let recorder = trace.of(name);
                let place = rack.add(name, VirtualCard::journaled(card, recorder));
                places.insert(name.to_owned(), place);
                (rack.rack().name(place), pin, key)
            }
            (Hands::APerson(real, _), _) => {
                (real.reader.clone(), real.pin.clone(), Zeroizing::new(hex::encode_upper(real.admin_key.as_bytes())))
            }
            (Hands::Ours { .. }, Source::Real(_)) => return Err(Broken("a real card has no place in a rack".into())),
        };
        let known = Known { reader, serial: String::new(), pin, admin_key: None, user: setup.user.clone() };
        self.known.insert(name.to_owned(), known);
        if setup.is_as_it_was() {
            // Nobody asks it anything before the first step does.
            return if setup.inserted { Ok(()) } else { self.remove(name) };
        }
        let (serial, unblocks) = self.with(name, |card| {
            let mut opened = Minidriver::open(card).map_err(Broken::at("card"))?;
            let id = opened.card_id().map_err(Broken::at("card"))?.unwrap_or_default();
            let unblocks = !matches!(opened.edge(), Edge::Piv { admin_unblock: false, .. });
            for (secret, left) in
                [(Secret::Puk, setup.puk_left), (Secret::AdminKey, setup.admin_left), (Secret::Pin, setup.pin_left)]
            {
                if let Some(left) = left {
                    lock::bring_to(&mut opened, secret, left).map_err(Broken::at("card"))?;
                }
            }
            Ok((cardlab_protocol::codes::digits(&id), unblocks))
        })?;
        if let Some(known) = self.known.get_mut(name) {
            known.serial = serial;
            known.admin_key = unblocks.then_some(key);
        }
        if !setup.inserted {
            self.remove(name)?;
        }
        Ok(())
    }

    /// The PC/SC service's socket.
    #[must_use]
    pub fn socket(&self) -> &Path {
        match &self.hands {
            Hands::Ours { rack, .. } => rack.socket(),
            Hands::APerson(real, _) => &real.socket,
        }
    }

    /// What is known of a card.
    pub(crate) fn known(&self, name: &str) -> &Known {
        &self.known[name]
    }

    /// Speaks to a card as a program of its own.
    pub(crate) fn with<T>(&self, name: &str, work: impl FnOnce(&mut Connection<'_>) -> Result<T, Broken>) -> Result<T, Broken> {
        let context = Context::establish_at(self.socket()).map_err(Broken::at("PC/SC"))?;
        let mut card = context.connect(&self.known[name].reader, ShareMode::Shared).map_err(Broken::at("the card"))?;
        work(&mut card)
    }

    /// Spends tries.
    pub(crate) fn spend(&self, name: &str, secret: Counted, left: u8) -> Result<(), Broken> {
        let secret = match secret {
            Counted::Pin => Secret::Pin,
            Counted::Puk => Secret::Puk,
            Counted::Admin => Secret::AdminKey,
        };
        self.with(name, |card| {
            let mut opened = Minidriver::open(card).map_err(Broken::at("card"))?;
            lock::bring_to(&mut opened, secret, left).map_err(Broken::at("card"))
        })
    }

    /// Tries left, without a word to a simulated card.
    pub(crate) fn left(&self, name: &str) -> Result<Left, Broken> {
        if let Hands::Ours { rack, places, .. } = &self.hands {
            let card = rack.rack().card(places[name]);
            let card = card.lock();
            let nvm = card.card().map(Card::nvm);
            let left = |reference: Reference| nvm.filter(|nvm| reference.exists(nvm)).map(|nvm| reference.counter(nvm).left);
            return Ok([PIN, PUK, ADMINISTRATION].map(left));
        }
        self.with(name, |card| {
            let mut opened = Minidriver::resume_or_open(card).map_err(Broken::at("card"))?;
            let status = opened.card_pin_status().map_err(Broken::at("card"))?;
            Ok([status.pin, status.puk, status.admin].map(|c| c.map(|c| c.left)))
        })
    }

    /// Whether a card is in its reader; nothing for a real one, which would have to be asked for.
    pub(crate) fn is_in(&self, name: &str) -> Option<bool> {
        let Hands::Ours { rack, places, .. } = &self.hands else { return None };
        Some(rack.rack().whereabouts(places[name]) == Whereabouts::In)
    }

    /// Puts a card into its reader.
    pub(crate) fn insert(&self, name: &str) -> Result<(), Broken> {
        match &self.hands {
            Hands::Ours { rack, places, .. } => rack.insert(places[name]).map_err(Broken::at("insert")),
            Hands::APerson(real, _) => self.person(real, "Insert the card", true),
        }
    }

    /// Pulls it out.
    pub(crate) fn remove(&self, name: &str) -> Result<(), Broken> {
        match &self.hands {
            Hands::Ours { rack, places, .. } => rack.remove(places[name]).map_err(Broken::at("remove")),
            Hands::APerson(real, _) => self.person(real, "Pull the card out", false),
        }
    }

    fn person(&self, real: &RealCard, order: &str, present: bool) -> Result<(), Broken> {
        (real.tell)(order);
        let context = Context::establish_at(&real.socket).map_err(Broken::at("PC/SC"))?;
        loop {
            let readers = context.readers().map_err(Broken::at("PC/SC"))?;
            let reader = readers.iter().find(|r| r.name == real.reader).ok_or_else(|| Broken("the reader is gone".into()))?;
            if (reader.state & reader_state::PRESENT != 0) == present {
                return Ok(());
            }
            // A person is waited for; the service is asked as the lock screen asks it.
            std::thread::sleep(LOOK_EVERY);
        }
    }

    /// Another program begins a transaction with a card and keeps it.
    pub(crate) fn hold(&self, name: &str) -> Result<Holder, Broken> {
        let (socket, reader) = (self.socket().to_owned(), self.known[name].reader.clone());
        let (begun, wait) = channel();
        let (release, released) = channel::<()>();
        let thread = std::thread::spawn(move || {
            let context = Context::establish_at(&socket).map_err(Broken::at("PC/SC"))?;
            let mut card = context.connect(&reader, ShareMode::Shared).map_err(Broken::at("the card"))?;
            card.begin().map_err(Broken::at("the transaction"))?;
            let _ = begun.send(());
            // Until it is let go, or the scenario has ended.
            let _ = released.recv();
            card.end(Disposition::Leave).map_err(Broken::at("the transaction"))
        });
        match wait.recv() {
            Ok(()) => Ok(Holder { release: Some(release), thread: Some(thread) }),
            Err(_) => Err(thread.join().ok().and_then(Result::err).unwrap_or_else(|| Broken("nobody holds the card".into()))),
        }
    }

    fn ours(&self) -> Result<(&ThreadedRack, &BTreeMap<String, Place>), Broken> {
        match &self.hands {
            Hands::Ours { rack, places, .. } => Ok((rack, places)),
            Hands::APerson(..) => Err(Broken("this needs a simulated card".into())),
        }
    }

    /// Two cards change their readers.
    pub(crate) fn swap(&mut self, one: &str, other: &str) -> Result<(), Broken> {
        let Hands::Ours { rack, places, .. } = &mut self.hands else { return Err(Broken("this needs simulated cards".into())) };
        let (first, second) = (places[one], places[other]);
        rack.swap(first, second).map_err(Broken::at("swap"))?;
        places.insert(one.to_owned(), second);
        places.insert(other.to_owned(), first);
        let readers = [self.known[one].reader.clone(), self.known[other].reader.clone()];
        for (name, reader) in [other, one].into_iter().zip(readers) {
            if let Some(known) = self.known.get_mut(name) {
                known.reader = reader;
            }
        }
        Ok(())
    }

    /// Another program resets the card.
    pub(crate) fn reset(&self, name: &str, cold: bool) -> Result<(), Broken> {
        let (rack, places) = self.ours()?;
        rack.reset(places[name], cold).map_err(Broken::at("reset"))
    }

    /// Unplugs the reader, or plugs it in.
    pub(crate) fn plug(&self, name: &str, in_: bool) -> Result<(), Broken> {
        let (rack, places) = self.ours()?;
        if in_ { rack.plug(places[name]) } else { rack.unplug(places[name]) }.map_err(Broken::at("reader"))
    }

    /// Something goes wrong at the card.
    pub(crate) fn fault(&self, name: &str, fault: &Fault) -> Result<(), Broken> {
        let (rack, places) = self.ours()?;
        rack.rack().card(places[name]).lock().arm(fault.clone()).map_err(Broken::at("fault"))
    }

    /// Changes what is round a simulated card.
    pub(crate) fn bench<T>(&self, name: &str, work: impl FnOnce(&mut VirtualCard) -> T) -> Result<T, Broken> {
        let (rack, places) = self.ours()?;
        Ok(work(&mut rack.rack().card(places[name]).lock()))
    }

    /// Brings a simulated card to these tries at once.
    pub(crate) fn bring(&self, name: &str, tries: Tries) -> Result<(), Broken> {
        let brought = self.bench(name, |card| card.change(&Event::State(tries), |card| state::set(card, tries)));
        brought?.map_err(Broken::at("state"))
    }

    /// Says how questions for a touch are answered.
    pub(crate) fn set_touch(&self, name: &str, touch: TouchMode) -> Result<(), Broken> {
        self.bench(name, |card| card.set_touch(touch))?.map_err(Broken::at("touch"))
    }

    /// Takes commands back; the card is reset, as after pulling it.
    pub(crate) fn undo(&self, name: &str, commands: usize) -> Result<(), Broken> {
        self.bench(name, |card| card.undo(commands))?.map_err(Broken::at("undo"))?;
        let (rack, places) = self.ours()?;
        // A card that lies beside its reader has no power anyway.
        let _ = rack.reset(places[name], true);
        Ok(())
    }

    /// The administrator key that a card has now.
    pub(crate) fn admin_key(&self, name: &str) -> Result<AdminKey, Broken> {
        if let Hands::APerson(real, _) = &self.hands {
            return Ok(real.admin_key.clone());
        }
        let key = self.bench(name, |card| card.card().and_then(|card| admin_key::load(card.nvm())).map(|(key, _)| key))?;
        key.ok_or_else(|| Broken("the card has no administrator key".into()))
    }

    /// Gives a real card its PIN and its tries back; a simulated one is thrown away.
    pub(crate) fn give_back(&self) -> Result<(), Broken> {
        let Hands::APerson(real, _) = &self.hands else { return Ok(()) };
        let Some(name) = self.known.keys().next() else { return Ok(()) };
        self.with(name, |card| {
            let mut opened = Minidriver::open(card).map_err(Broken::at("card"))?;
            let challenge = opened.card_get_challenge().map_err(Broken::at("card"))?;
            let response = real.admin_key.respond(&challenge).map_err(Broken::at("administrator key"))?;
            opened.card_unblock_pin(Authenticator::Response(&response), real.pin.as_bytes()).map_err(Broken::at("card"))
        })
    }
}
