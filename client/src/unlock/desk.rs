//! The driver of a session: readers, server and person on threads of their own, the session in the middle.
//!
//! | thread | waits for |
//! |---|---|
//! | the desk | whatever happens; it alone has the session |
//! | the watcher | cards that come and go |
//! | a hand for each card (`hand`) | that card |
//! | one for each question to the server | that answer |
//! | the teller (`teller`) | reports that are to be sent |
//!
//! So nothing that takes long holds up anything else, and everything can be given up.

use super::hand::{Hand, Word};
use super::pending::Pending;
use super::session::{Act, Effect, Input, Look, Rules, Screen, Seen, ServerAnswer, ServerAsk, Session, Shown, Ticket};
use super::teller::Teller;
use crate::service::Service;
use crate::transport::TransportError;
use cardlab_pcsclite::client::Context;
use cardlab_pcsclite::wire::ReaderState;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How often card and reader are looked at: a person hardly notices it, other programs neither.
pub const LOOK_EVERY: Duration = Duration::from_millis(500);

/// What a desk is made of.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The PC/SC socket.
    pub socket: PathBuf,
    /// The reader, or its name's beginning ([`named`]); else all of them.
    pub reader: Option<String>,
    /// The card management server; none means no network traffic.
    pub service: Option<Service>,
    /// The user's state directory: where reports wait for a server, and where the latest codes are noted. Nowhere without one.
    pub state: Option<PathBuf>,
    /// The rules of the session.
    pub rules: Rules,
    /// How often card and reader are looked at; [`LOOK_EVERY`] when nothing is said.
    pub look_every: Option<Duration>,
}

/// What is shown, for whoever looks or waits for it.
struct Board {
    shown: Mutex<Shown>,
    changed: Condvar,
}

impl Board {
    fn lock(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The way to a session. It ends with the last of its clones.
#[derive(Clone)]
pub struct Desk {
    inbox: Arc<Inbox>,
    board: Arc<Board>,
}

struct Inbox {
    events: Sender<Event>,
    over: Arc<AtomicBool>,
    teller: Option<Arc<Teller>>,
}

impl Drop for Inbox {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Release);
        let _ = self.events.send(Event::Over);
    }
}

enum Event {
    Look(Sender<()>),
    Act(Option<u32>, Act, Sender<bool>),
    Readers(Result<Vec<ReaderState>, String>),
    Word(String, u32, Word),
    Server(Ticket, ServerAnswer),
    Over,
}

impl Desk {
    /// Starts the threads.
    #[must_use]
    pub fn start(setup: Setup) -> Self {
        let (events, inbox) = channel();
        let over = Arc::new(AtomicBool::new(false));
        let session = Session::new(setup.rules.clone());
        let board = Arc::new(Board { shown: Mutex::new(session.shown()), changed: Condvar::new() });
        let every = setup.look_every.unwrap_or(LOOK_EVERY);
        let teller = setup.service.clone().map(|service| {
            let file = setup.state.as_ref().map(|state| state.join(service.reports()));
            Arc::new(Teller::start(service, setup.rules.workstation.clone(), file))
        });
        std::thread::spawn({
            let (socket, reader, events, over) = (setup.socket.clone(), setup.reader.clone(), events.clone(), over.clone());
            move || watch(&socket, reader.as_deref(), every, &events, &over)
        });
        let work = Work {
            socket: setup.socket,
            pending: setup.state.as_deref().map(Pending::below),
            service: setup.service,
            teller: teller.clone(),
            every,
            events: events.clone(),
            session,
            board: board.clone(),
            cards: Vec::new(),
            watched: None,
        };
        std::thread::spawn(move || work.run(&inbox));
        Self { inbox: Arc::new(Inbox { events, over, teller }), board }
    }

    /// What is shown now.
    #[must_use]
    pub fn shown(&self) -> Shown {
        self.board.lock().clone()
    }

    /// Waits until what is shown is `wanted`, and gives it; after `limit` what is shown then.
    pub fn wait_until(&self, limit: Duration, wanted: impl Fn(&Shown) -> bool) -> Shown {
        let waited = self.board.changed.wait_timeout_while(self.board.lock(), limit, |shown| !wanted(shown));
        waited.unwrap_or_else(PoisonError::into_inner).0.clone()
    }

    /// Waits until nothing is being worked on.
    pub fn settled(&self, limit: Duration) -> Shown {
        self.wait_until(limit, is_settled)
    }

    /// Does something, if `step` is what is shown still; whether it was. [`Desk::settled`] waits for what comes of it.
    pub fn act(&self, step: Option<u32>, act: Act) -> bool {
        let (done, wait) = channel();
        self.inbox.events.send(Event::Act(step, act, done)).is_ok() && wait.recv().unwrap_or(false)
    }

    /// Has the cards looked at once more, and waits until that is done or `limit` is over: for whoever wants to see how they are
    /// now. What becomes of them in between is seen without, but not always at once: PC/SC does not tell what others do to a
    /// card.
    pub fn look(&self, limit: Duration) {
        let (done, wait) = channel();
        if self.inbox.events.send(Event::Look(done)).is_ok() {
            // Nothing is sent: it is done when the last hand has let go of its end.
            let _ = wait.recv_timeout(limit);
        }
    }

    /// Waits until what there is to tell has been told or is kept for later.
    pub fn finish(&self, limit: Duration) {
        if let Some(teller) = &self.inbox.teller {
            teller.finish(limit);
        }
    }
}

/// The reader of this name, or the first whose name begins with it.
#[must_use]
pub fn named<'a>(readers: &'a [ReaderState], name: &str) -> Option<&'a ReaderState> {
    readers.iter().find(|reader| reader.name == name).or_else(|| readers.iter().find(|reader| reader.name.starts_with(name)))
}

/// Nothing is being worked on.
#[must_use]
pub fn is_settled(shown: &Shown) -> bool {
    match &shown.screen {
        Screen::Looking | Screen::Working(..) => false,
        Screen::Locked(view) => !view.drawing,
        Screen::Choose(cards) => !cards.iter().any(|card| card.trouble == Some(super::session::Trouble::Looking)),
        _ => true,
    }
}

/// Tells of cards that come and go, until it is over.
fn watch(socket: &std::path::Path, reader: Option<&str>, every: Duration, events: &Sender<Event>, over: &AtomicBool) {
    let over = || over.load(Ordering::Acquire);
    while !over() {
        let watched = Context::establish_at(socket).and_then(|context| {
            let mut known = context.readers()?;
            loop {
                let readers = match reader {
                    Some(wanted) => named(&known, wanted).into_iter().cloned().collect(),
                    None => known.clone(),
                };
                if over() || events.send(Event::Readers(Ok(readers))).is_err() {
                    return Ok(());
                }
                let before = known.clone();
                while known == before && !over() {
                    known = context.wait_for_change(&before, every)?;
                }
            }
        });
        if let Err(error) = watched
            && events.send(Event::Readers(Err(TransportError::from(error).to_string()))).is_err()
        {
            return;
        }
        if !over() {
            // Until the service is there, there is nothing to wait for but time.
            std::thread::park_timeout(every);
        }
    }
}

struct InReader {
    reader: String,
    counter: u32,
    /// How many programs are connected with it; -1 for one that has it for itself.
    sharing: i32,
    hand: Hand,
    look: Look,
}

struct Work {
    socket: PathBuf,
    pending: Option<Pending>,
    service: Option<Service>,
    teller: Option<Arc<Teller>>,
    every: Duration,
    events: Sender<Event>,
    session: Session,
    board: Arc<Board>,
    /// In the order in which the service names the readers.
    cards: Vec<InReader>,
    /// The reader whose hand watches.
    watched: Option<(String, u32)>,
}

impl Work {
    fn run(mut self, inbox: &Receiver<Event>) {
        while let Ok(event) = inbox.recv() {
            match event {
                Event::Over => return,
                Event::Look(done) => self.cards.iter().for_each(|card| card.hand.look(done.clone())),
                Event::Act(step, act, done) => {
                    let current = step.is_none_or(|step| step == self.session.step());
                    if current {
                        self.input(Input::Person(act));
                    }
                    let _ = done.send(current);
                }
                Event::Readers(Ok(readers)) => self.readers(&readers),
                Event::Readers(Err(why)) => {
                    self.cards.clear();
                    self.input(Input::NoService(why));
                }
                Event::Word(reader, counter, word) => self.word(&reader, counter, word),
                Event::Server(ticket, answer) => self.input(Input::Server(ticket, answer)),
            }
        }
    }

    fn input(&mut self, input: Input) {
        for effect in self.session.input(input) {
            self.carry_out(effect);
        }
        let watched = self.session.watched().map(str::to_owned);
        let watched = watched.and_then(|reader| self.card(&reader).map(|card| (reader.clone(), card.counter)));
        if watched != self.watched {
            for (now, reader) in [(false, &self.watched), (true, &watched)] {
                if let Some((reader, counter)) = reader
                    && let Some(card) = self.card(reader).filter(|card| card.counter == *counter)
                {
                    card.hand.watch(now);
                }
            }
            self.watched = watched;
        }
        let shown = self.session.shown();
        let mut board = self.board.lock();
        if *board != shown {
            *board = shown;
            self.board.changed.notify_all();
        }
    }

    /// A card that was changed for another is first gone.
    fn readers(&mut self, readers: &[ReaderState]) {
        let there =
            |name: &str, counter: u32| readers.iter().any(|r| r.name == name && r.has_card() && r.event_counter == counter);
        let before = self.cards.len();
        self.cards.retain(|card| there(&card.reader, card.counter));
        if self.cards.len() != before {
            self.see();
        }
        for reader in readers.iter().filter(|r| r.has_card()) {
            if let Some(card) = self.cards.iter_mut().find(|card| card.reader == reader.name) {
                let before = std::mem::replace(&mut card.sharing, reader.sharing);
                if before != reader.sharing && (before < 0 || (0..before).contains(&reader.sharing)) {
                    card.hand.left();
                }
                continue;
            }
            let (events, name, counter) = (self.events.clone(), reader.name.clone(), reader.event_counter);
            let tell = move |word| events.send(Event::Word(name.clone(), counter, word)).is_ok();
            let hand = Hand::start(self.socket.clone(), self.pending.clone(), reader.name.clone(), self.every, tell);
            let (reader, sharing) = (reader.name.clone(), reader.sharing);
            self.cards.push(InReader { reader, counter, sharing, hand, look: Look::Looking });
        }
        let place = |card: &InReader| readers.iter().position(|reader| reader.name == card.reader);
        self.cards.sort_by_key(place);
        self.see();
    }

    fn card(&self, reader: &str) -> Option<&InReader> {
        self.cards.iter().find(|card| card.reader == reader)
    }

    fn see(&mut self) {
        let seen = |card: &InReader| Seen { reader: card.reader.clone(), card: card.look.clone() };
        let cards = self.cards.iter().map(seen).collect();
        self.input(Input::Cards(cards));
    }

    fn word(&mut self, reader: &str, counter: u32, word: Word) {
        let Some(card) = self.cards.iter_mut().find(|card| card.reader == reader && card.counter == counter) else { return };
        match word {
            Word::Seen(look) => {
                card.look = look;
                self.see();
            }
            Word::Disturbed(why) => self.input(Input::Disturbed(reader.to_owned(), why)),
            Word::Looked(done) => drop(done),
            Word::Answer(ticket, answer) => {
                if !matches!(answer, super::session::CardAnswer::Waiting) {
                    card.hand.answered(ticket);
                }
                self.input(Input::Card(ticket, answer));
                // Should the card have come back before it was said to be gone.
                self.see();
            }
        }
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Card { ticket, reader, id, ask } => {
                if let Some(card) = self.cards.iter_mut().find(|card| card.reader == reader) {
                    card.hand.ask(ticket, id, ask);
                }
            }
            Effect::Server { ticket, ask } => self.ask_server(ticket, ask),
            Effect::Forget(ticket) => self.cards.iter().for_each(|card| card.hand.give_up(ticket)),
            Effect::LetGo(reader) => {
                if let Some(card) = self.card(&reader) {
                    card.hand.let_go();
                }
            }
            Effect::Tell(told) => self.teller.iter().for_each(|teller| teller.tell(told.clone())),
            Effect::Result { session, outcome, told } => {
                if let Some(teller) = &self.teller {
                    teller.result(session, outcome, told);
                }
            }
            Effect::Later(session) => self.teller.iter().for_each(|teller| teller.later(session.clone())),
        }
    }

    fn ask_server(&self, ticket: Ticket, ask: ServerAsk) {
        let (Some(service), events) = (self.service.clone(), self.events.clone()) else { return };
        let answer = move |service: &Service| match ask {
            ServerAsk::Ways(open) => ServerAnswer::Ways(service.ways(&open)),
            ServerAsk::Open(open) => ServerAnswer::Opened(service.open(&open)),
            ServerAsk::Task(open) => ServerAnswer::Task(service.task(&open)),
            ServerAsk::Answers { session, answers } => ServerAnswer::Judged(service.answer(&session, &answers)),
            ServerAsk::Response { session, card, challenge } => {
                ServerAnswer::Response(service.challenge(&session, &card, &challenge))
            }
        };
        std::thread::spawn(move || {
            let _ = events.send(Event::Server(ticket, answer(&service)));
        });
    }
}
