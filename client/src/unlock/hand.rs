//! One reader's card, on a thread of its own: whatever a card or another program does, it holds up nobody else.
//!
//! Each thing that is asked is one transaction. A drawn challenge waits without one - it lives as long as nobody disturbs the
//! card - or, where that is wanted, keeps the transaction for [`LIMIT`] at most.

use super::card::Card;
use super::exchange::{carry_out, failed, is_silent};
use super::look::ANSWER;
use super::pending::Pending;
use super::session::{CardAnswer, CardAsk, Disturbance, Look, Ticket};
use super::watch::Known;
use crate::transport::{Transport, TransportError};
use cardlab_pcsclite::client::Context;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often a kept card is asked whether it is there: Windows resets a card whose transaction idles for five seconds
/// (Win32, SCardBeginTransaction).
const KEEP_EVERY: Duration = Duration::from_secs(2);
/// How long a card is kept at most.
pub(super) const LIMIT: Duration = Duration::from_secs(600);
/// Pause before a card that another program holds is asked for once more; the service has waited a while by itself.
const HELD: Duration = Duration::from_millis(50);

/// What a hand tells.
pub(super) enum Word {
    /// What the card is now.
    Seen(Look),
    /// The card was reset, or left to others.
    Disturbed(Disturbance),
    /// An answer.
    Answer(Ticket, CardAnswer),
    /// It was looked at, which somebody waits for until this is dropped.
    Looked(Sender<()>),
}

/// Gives up waiting for a card that another program holds.
#[derive(Clone, Default)]
pub(super) struct GiveUp(Arc<(Mutex<bool>, Condvar)>);

impl GiveUp {
    pub(super) fn now(&self) {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.0.1.notify_all();
    }

    /// Waits for a moment; whether it was given up.
    fn within(&self, pause: Duration) -> bool {
        let given_up = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.0.1.wait_timeout_while(given_up, pause, |given_up| !*given_up);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

enum Job {
    Ask(Question),
    LetGo,
    Watch(bool),
    /// Somebody wants to see how it is now.
    Look(Sender<()>),
    /// Another program has left it, as it seems.
    Left,
}

/// What is asked of a card.
pub(super) struct Question {
    ticket: Ticket,
    /// What the card is known by.
    id: Option<Vec<u8>>,
    ask: CardAsk,
    give_up: GiveUp,
}

/// The way to the thread; it ends with this, and gives up what it waits for.
pub(super) struct Hand {
    jobs: Sender<Job>,
    /// What has no answer yet.
    asked: BTreeMap<Ticket, GiveUp>,
}

impl Drop for Hand {
    fn drop(&mut self) {
        self.asked.values().for_each(GiveUp::now);
    }
}

impl Hand {
    /// For the card that was put into `reader`. `tell` gets what happens, until it says that nobody listens.
    pub(super) fn start(
        socket: PathBuf,
        pending: Option<Pending>,
        reader: String,
        every: Duration,
        tell: impl Fn(Word) -> bool + Send + 'static,
    ) -> Self {
        let (jobs, inbox) = channel();
        let work = Work { socket, pending, reader, every, tell: Box::new(tell), inbox };
        std::thread::spawn(move || work.run());
        Self { jobs, asked: BTreeMap::new() }
    }

    pub(super) fn ask(&mut self, ticket: Ticket, id: Option<Vec<u8>>, ask: CardAsk) {
        let give_up = GiveUp::default();
        self.asked.insert(ticket, give_up.clone());
        let _ = self.jobs.send(Job::Ask(Question { ticket, id, ask, give_up }));
    }

    /// Nobody waits for this answer any more.
    pub(super) fn give_up(&self, ticket: Ticket) {
        if let Some(give_up) = self.asked.get(&ticket) {
            give_up.now();
        }
    }

    /// This answer has come.
    pub(super) fn answered(&mut self, ticket: Ticket) {
        self.asked.remove(&ticket);
    }

    pub(super) fn let_go(&self) {
        let _ = self.jobs.send(Job::LetGo);
    }

    /// Whether resets and changed tries are looked for.
    pub(super) fn watch(&self, on: bool) {
        let _ = self.jobs.send(Job::Watch(on));
    }

    /// The card is looked at now, whoever watches it; [`Word::Looked`] says when that is done.
    pub(super) fn look(&self, done: Sender<()>) {
        let _ = self.jobs.send(Job::Look(done));
    }

    /// Fewer programs are connected with the card than before.
    pub(super) fn left(&self) {
        let _ = self.jobs.send(Job::Left);
    }
}

pub(super) struct Work {
    socket: PathBuf,
    pub(super) pending: Option<Pending>,
    reader: String,
    pub(super) every: Duration,
    pub(super) tell: Box<dyn Fn(Word) -> bool + Send>,
    inbox: Receiver<Job>,
}

/// Why a connection to the service is given up.
enum Again {
    /// Nobody wants it any more.
    Over,
    /// The service is busy with connecting for as long as another program holds the card.
    Held,
    /// The service did not answer, or is gone.
    Lost(TransportError),
}

impl Work {
    fn run(self) {
        let mut known = Known::new();
        loop {
            let lost = match self.with_service(&mut known) {
                Again::Over => return,
                Again::Held => continue,
                Again::Lost(error) => error,
            };
            // Whoever waits is told; the next may do better.
            if let Some(question) = known.asked.take() {
                (self.tell)(Word::Answer(question.ticket, failed(&question.ask, lost.clone().into())));
            }
            known.look = Look::Strange(lost.clone().into());
            if !(self.tell)(Word::Seen(known.look.clone())) {
                return;
            }
            match self.inbox.recv_timeout(self.every) {
                Ok(Job::Ask(question)) => {
                    (self.tell)(Word::Answer(question.ticket, failed(&question.ask, lost.into())));
                }
                Ok(Job::Watch(on)) => known.watched = on,
                Ok(Job::LetGo | Job::Look(_) | Job::Left) | Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            known.look = Look::Looking;
        }
    }

    fn with_service(&self, known: &mut Known) -> Again {
        let context = match Context::establish_at(&self.socket).and_then(|context| context.set_limit(ANSWER).map(|()| context)) {
            Ok(context) => context,
            Err(error) => return Again::Lost(error.into()),
        };
        let mut card = Card::new(&context, &self.reader);
        loop {
            if known.asked.is_none() && matches!(known.look, Look::Looking | Look::Held) && !self.look(&mut card, known, false) {
                return Again::Over;
            }
            if card.stuck {
                return Again::Held;
            }
            let pause = if card.kept.is_some() { self.every.min(KEEP_EVERY) } else { self.every };
            let job = match known.asked.take() {
                Some(question) => Ok(Job::Ask(question)),
                None => self.inbox.recv_timeout(pause),
            };
            let going_on = match job {
                Ok(Job::Ask(question)) => match self.ask(&mut card, known, &question) {
                    Some(answer) => {
                        if let Some(error) = is_silent(&answer) {
                            (self.tell)(Word::Answer(question.ticket, answer));
                            return Again::Lost(error);
                        }
                        // What the card is now comes before the answer, which may say more: a challenge that waits is not
                        // disturbed by looking.
                        (card.drawn.is_some() || self.look(&mut card, known, false))
                            && (self.tell)(Word::Answer(question.ticket, answer))
                    }
                    None => {
                        known.asked = Some(question);
                        true
                    }
                },
                Ok(Job::LetGo) => {
                    self.release(&mut card);
                    true
                }
                Ok(Job::Watch(on)) => {
                    known.watched = on;
                    self.unwatched(&mut card, known);
                    true
                }
                Ok(Job::Look(done)) => self.look_anew(&mut card, known) && (self.tell)(Word::Looked(done)),
                Ok(Job::Left) => self.left(&mut card, known),
                Err(RecvTimeoutError::Timeout) => self.idle(&mut card, known),
                Err(RecvTimeoutError::Disconnected) => return Again::Over,
            };
            if !going_on {
                return Again::Over;
            }
        }
    }

    /// A card that nobody watches is left to others as if nobody had been there.
    pub(super) fn unwatched(&self, card: &mut Card<'_>, known: &Known) {
        if !known.watched && card.drawn.is_none() {
            card.connection = None;
        }
    }

    pub(super) fn release(&self, card: &mut Card<'_>) {
        card.drawn = None;
        if card.kept.take().is_some()
            && let Some(connection) = &mut card.connection
        {
            let _ = Transport::end(connection);
        }
    }

    /// The card's answer; `None` where the service is stuck before the card could be asked.
    fn ask(&self, card: &mut Card<'_>, known: &mut Known, question: &Question) -> Option<CardAnswer> {
        let ask = &question.ask;
        let begun = match card.kept {
            Some(_) => Ok(true),
            None => self.begin(card, question),
        };
        match begun {
            Ok(true) => {}
            Ok(false) => return Some(CardAnswer::GivenUp),
            Err(TransportError::Busy) => return None,
            Err(error) => {
                (card.drawn, card.lost) = (None, None);
                return Some(failed(ask, error.into()));
            }
        }
        card.kept = None;
        let drawn = card.drawn.take();
        let wanted = self.is_wanted(card, known, ask);
        let Some(connection) = &mut card.connection else { return Some(failed(ask, TransportError::NoReader.into())) };
        let answer = if wanted {
            carry_out(connection, ask, question.id.as_deref(), drawn.as_deref(), self.pending.as_ref())
        } else {
            CardAnswer::GivenUp
        };
        let (keep, challenge) = match (ask, &answer) {
            (CardAsk::Draw { keep, .. }, CardAnswer::Challenge(Ok(challenge))) => (*keep, Some(challenge.clone())),
            _ => (false, None),
        };
        card.drawn = challenge;
        // What was lost before this was asked is nothing new.
        card.lost = None;
        if keep {
            card.kept = Some(Instant::now());
        } else {
            // What the card has said holds, however the transaction ends.
            let _ = Transport::end(connection);
        }
        Some(answer)
    }

    /// Whether it is to be asked. What another program did to the card meanwhile is seen before a challenge is drawn, in the
    /// same transaction: a card that is not blocked any more needs none.
    fn is_wanted(&self, card: &mut Card<'_>, known: &mut Known, ask: &CardAsk) -> bool {
        let (CardAsk::Draw { blocked, .. }, Some(before)) = (ask, known.facts()) else { return true };
        // Whatever keeps it from being looked at is told by whoever asks it.
        let Ok(now) = card.before_drawing(before) else { return true };
        let wanted = !blocked || now.status.pin_blocked() == Some(true);
        known.looked = Some(Instant::now());
        self.seen(known, Look::Card(now));
        wanted
    }

    /// Begins a transaction as soon as no other program has one; whether that was before it was given up.
    fn begin(&self, card: &mut Card<'_>, question: &Question) -> Result<bool, TransportError> {
        let mut told = false;
        loop {
            if question.give_up.within(Duration::ZERO) {
                return Ok(false);
            }
            match card.try_begin() {
                Ok(()) => return Ok(true),
                // A response is for a challenge, which a reset ends; everything else begins anew anyhow.
                Err(TransportError::Reset) if !matches!(question.ask, CardAsk::Respond { .. }) => {}
                Err(TransportError::Busy) => {
                    if !std::mem::replace(&mut told, true) {
                        (self.tell)(Word::Answer(question.ticket, CardAnswer::Waiting));
                    }
                    if question.give_up.within(HELD) {
                        return Ok(false);
                    }
                    if card.stuck {
                        return Err(TransportError::Busy);
                    }
                }
                Err(error) => {
                    card.connection = None;
                    return Err(error);
                }
            }
        }
    }
}
