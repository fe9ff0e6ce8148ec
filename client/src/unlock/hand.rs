//! One reader's card, on a thread of its own: whatever a card or another program does, it holds up nobody else.
//!
//! Each thing that is asked is one transaction. A drawn challenge waits without one - it lives as long as nobody disturbs the
//! card, which the handle notices - or, where that is wanted, keeps the transaction for [`LIMIT`] at most.

use super::look::{self, ANSWER};
use super::pending::Pending;
use super::session::{CardAnswer, CardAsk, Disturbance, Facts, Look, Ticket};
use crate::minidriver::{Authenticator, CardError, Minidriver};
use crate::transport::{Transport, TransportError};
use cardlab_pcsclite::client::{Connection, Context};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often a kept card is asked whether it is there: Windows resets a card whose transaction idles for five seconds
/// (Win32, SCardBeginTransaction).
const KEEP_EVERY: Duration = Duration::from_secs(2);
/// How long a card is kept at most.
const LIMIT: Duration = Duration::from_secs(600);
/// Looks at a card that answers nonsense before it is left alone. One that is of another kind is left alone at once.
const PATIENCE: u8 = 5;
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
}

/// What is asked of a card.
struct Question {
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
}

struct Work {
    socket: PathBuf,
    pending: Option<Pending>,
    reader: String,
    every: Duration,
    tell: Box<dyn Fn(Word) -> bool + Send>,
    inbox: Receiver<Job>,
}

/// What is known of the card, whatever becomes of the connection to the service.
struct Known {
    /// What was told last.
    look: Look,
    watched: bool,
    /// How often an answer that makes no sense is asked for once more.
    patience: u8,
    /// What was asked and could not be begun yet.
    asked: Option<Question>,
}

/// A card by one connection to the service.
struct Card<'c> {
    context: &'c Context,
    connection: Option<Connection<'c>>,
    /// The service is still busy with connecting: this connection to it is of no use any more.
    stuck: bool,
    /// The challenge that waits in it.
    drawn: Option<Vec<u8>>,
    /// Since when a transaction is kept.
    kept: Option<Instant>,
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
        let mut known = Known { look: Look::Looking, watched: false, patience: PATIENCE, asked: None };
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
                Ok(Job::LetGo) | Err(RecvTimeoutError::Timeout) => {}
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
        let mut card = Card { context: &context, connection: None, stuck: false, drawn: None, kept: None };
        loop {
            if known.asked.is_none() && matches!(known.look, Look::Looking | Look::Held) && !self.look(&mut card, known) {
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
                // What another program did to the card meanwhile is seen before a new code is drawn: that ends the old one anyway.
                Ok(Job::Ask(Question { ask: CardAsk::Draw { .. }, .. }))
                    if card.kept.is_none() && !self.look(&mut card, known) =>
                {
                    false
                }
                Ok(Job::Ask(question)) => match self.ask(&mut card, &question) {
                    Some(answer) => {
                        if let Some(error) = is_silent(&answer) {
                            (self.tell)(Word::Answer(question.ticket, answer));
                            return Again::Lost(error);
                        }
                        // What the card is now comes before the answer, which may say more: a challenge that waits is not
                        // disturbed by looking.
                        (card.drawn.is_some() || self.look(&mut card, known))
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
                Err(RecvTimeoutError::Timeout) => self.idle(&mut card, known),
                Err(RecvTimeoutError::Disconnected) => return Again::Over,
            };
            if !going_on {
                return Again::Over;
            }
        }
    }

    /// A card that nobody watches is left to others as if nobody had been there.
    fn unwatched(&self, card: &mut Card<'_>, known: &Known) {
        if !known.watched && card.drawn.is_none() {
            card.connection = None;
        }
    }

    fn release(&self, card: &mut Card<'_>) {
        card.drawn = None;
        if card.kept.take().is_some()
            && let Some(connection) = &mut card.connection
        {
            let _ = Transport::end(connection);
        }
    }

    fn idle(&self, card: &mut Card<'_>, known: &mut Known) -> bool {
        if let Look::Strange(CardError::Transport(_) | CardError::Unexpected { .. }) = known.look {
            if known.patience == 0 {
                return true;
            }
            known.patience -= 1;
            return self.look(card, known);
        }
        if !known.watched {
            return true;
        }
        if card.kept.is_some_and(|since| since.elapsed() >= LIMIT) {
            self.release(card);
            return (self.tell)(Word::Disturbed(Disturbance::TimeOver));
        }
        let Some(connection) = &mut card.connection else { return self.look(card, known) };
        match Transport::check(connection) {
            Ok(()) if card.drawn.is_some() => true,
            Ok(()) => self.look(card, known),
            Err(TransportError::Reset) => {
                card.kept = None;
                card.drawn = None;
                // The handle learns of the reset before the card is asked again.
                let _ = Transport::reconnect(connection);
                (self.tell)(Word::Disturbed(Disturbance::Reset))
            }
            // The service tells of cards that come and go.
            Err(_) => true,
        }
    }

    /// Looks at the card, where no other program holds it; whether somebody listens still.
    fn look(&self, card: &mut Card<'_>, known: &mut Known) -> bool {
        let now = match self.try_look(card, known) {
            Ok(look) => look,
            // Removal is told by the service; what was known stays until then.
            Err(TransportError::Removed | TransportError::NoReader) => return true,
            Err(TransportError::Busy) => match known.look {
                Look::Card(_) => return true,
                _ => Look::Held,
            },
            Err(error) => Look::Strange(error.into()),
        };
        self.unwatched(card, known);
        if now == known.look {
            return true;
        }
        if matches!(now, Look::Card(_)) {
            known.patience = PATIENCE;
        }
        known.look = now.clone();
        (self.tell)(Word::Seen(now))
    }

    /// A connection to the card. Services make whoever connects wait as long as another program has a transaction.
    fn connected<'a, 'c>(&self, card: &'a mut Card<'c>) -> Result<&'a mut Connection<'c>, TransportError> {
        if card.connection.is_none() {
            match look::connect(card.context, &self.reader) {
                Ok(connection) => card.connection = Some(connection),
                Err(TransportError::Silent(_)) => {
                    card.stuck = true;
                    return Err(TransportError::Busy);
                }
                Err(error) => return Err(error),
            }
        }
        card.connection.as_mut().ok_or(TransportError::NoReader)
    }

    fn try_look(&self, card: &mut Card<'_>, known: &Known) -> Result<Look, TransportError> {
        let connection = self.connected(card)?;
        match connection.try_begin().map_err(TransportError::from) {
            Err(TransportError::Reset) => {
                Transport::reconnect(connection)?;
                connection.try_begin()?;
            }
            begun => begun?,
        }
        let known = match &known.look {
            Look::Card(facts) => Some(facts.clone()),
            _ => None,
        };
        let facts = facts(connection, known.as_ref());
        Transport::end(connection)?;
        match facts {
            Ok(facts) => Ok(Look::Card(facts)),
            Err(CardError::Transport(
                error @ (TransportError::Removed | TransportError::NoReader | TransportError::Silent(_)),
            )) => Err(error),
            // Another application is selected, or the card was disturbed; it is the one that it was.
            Err(error) => Ok(known.map_or(Look::Strange(error), Look::Card)),
        }
    }

    /// The card's answer; `None` where the service is stuck before the card could be asked.
    fn ask(&self, card: &mut Card<'_>, question: &Question) -> Option<CardAnswer> {
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
                card.drawn = None;
                return Some(failed(ask, error.into()));
            }
        }
        card.kept = None;
        let drawn = card.drawn.take();
        let Some(connection) = &mut card.connection else { return Some(failed(ask, TransportError::NoReader.into())) };
        let answer = carry_out(connection, ask, question.id.as_deref(), drawn.as_deref(), self.pending.as_ref());
        let (keep, challenge) = match (ask, &answer) {
            (CardAsk::Draw { keep, .. }, CardAnswer::Challenge(Ok(challenge))) => (*keep, Some(challenge.clone())),
            _ => (false, None),
        };
        card.drawn = challenge;
        if keep {
            card.kept = Some(Instant::now());
        } else {
            // What the card has said holds, however the transaction ends.
            let _ = Transport::end(connection);
        }
        Some(answer)
    }

    /// Begins a transaction as soon as no other program has one; whether that was before it was given up.
    fn begin(&self, card: &mut Card<'_>, question: &Question) -> Result<bool, TransportError> {
        let mut told = false;
        loop {
            if question.give_up.within(Duration::ZERO) {
                return Ok(false);
            }
            let begun = self.connected(card).and_then(|connection| Ok(connection.try_begin()?));
            match begun {
                Ok(()) => return Ok(true),
                // A response is for a challenge, which a reset ends; everything else begins anew anyhow.
                Err(TransportError::Reset) if !matches!(question.ask, CardAsk::Respond { .. }) => {
                    if let Some(connection) = &mut card.connection {
                        Transport::reconnect(connection)?;
                    }
                }
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

/// What the card says of itself. One that is known already is not selected anew: nobody's login or challenge ends by looking.
fn facts(card: &mut dyn Transport, known: Option<&Facts>) -> Result<Facts, CardError> {
    match known {
        Some(known) => Ok(Facts { status: Minidriver::resume(card)?.card_pin_status()?, ..known.clone() }),
        None => look::facts(Minidriver::open(card)?),
    }
}

/// `id` is what the card is known by: another one gets no secret.
fn carry_out(
    card: &mut dyn Transport,
    ask: &CardAsk,
    id: Option<&[u8]>,
    drawn: Option<&[u8]>,
    pending: Option<&Pending>,
) -> CardAnswer {
    match ask {
        CardAsk::Verify(pin) => {
            CardAnswer::Verified(open(card, id).and_then(|mut opened| opened.card_authenticate_pin(pin.as_bytes())))
        }
        CardAsk::Draw { .. } => {
            let drawn = open(card, id).and_then(|mut opened| opened.unblock_challenge());
            if let (Some(pending), Some(id), Ok(challenge)) = (pending, id, &drawn) {
                pending.note(id, challenge);
            }
            CardAnswer::Challenge(drawn)
        }
        CardAsk::Respond { challenge, .. }
            if drawn != Some(challenge) || pending.zip(id).is_some_and(|(pending, id)| pending.is_overtaken(id, challenge)) =>
        {
            CardAnswer::Unlocked(Err(CardError::ChallengeGone))
        }
        CardAsk::Respond { response, pin, .. } => CardAnswer::Unlocked(
            Minidriver::resume(card)
                .and_then(|mut opened| opened.card_unblock_pin(Authenticator::Response(response), pin.as_bytes())),
        ),
        CardAsk::Puk { puk, pin } => CardAnswer::Unlocked(
            open(card, id).and_then(|mut opened| opened.card_unblock_pin(Authenticator::Puk(puk.as_bytes()), pin.as_bytes())),
        ),
    }
}

/// The card that is meant, and no other.
fn open<'t>(card: &'t mut dyn Transport, id: Option<&[u8]>) -> Result<Minidriver<'t>, CardError> {
    let mut opened = Minidriver::open(card)?;
    if id.is_some() && opened.card_id()?.as_deref() != id {
        return Err(CardError::AnotherCard);
    }
    Ok(opened)
}

fn failed(ask: &CardAsk, error: CardError) -> CardAnswer {
    match ask {
        CardAsk::Verify(_) => CardAnswer::Verified(Err(error)),
        CardAsk::Draw { .. } => CardAnswer::Challenge(Err(error)),
        CardAsk::Respond { .. } | CardAsk::Puk { .. } => CardAnswer::Unlocked(Err(error)),
    }
}

/// A card that gives no answer leaves a connection that is of no use any more.
fn is_silent(answer: &CardAnswer) -> Option<TransportError> {
    let error = match answer {
        CardAnswer::Verified(Err(error)) | CardAnswer::Challenge(Err(error)) | CardAnswer::Unlocked(Err(error)) => error,
        _ => return None,
    };
    match error {
        CardError::Transport(error @ TransportError::Silent(_)) => Some(error.clone()),
        _ => None,
    }
}
