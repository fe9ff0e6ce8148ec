//! The thread that has the card.

use crate::screen::{Screen, Shown};
use crate::{LOOK_EVERY, Settings};
use cardlab_client::minidriver::{CardError, Minidriver, PinCharacters, PinFault, PinPolicy};
use cardlab_client::recognise::Edge;
use cardlab_client::service::{self, Service, ServiceError};
use cardlab_client::transport::TransportError;
use cardlab_client::unlock::offline::{Guard, Offline};
use cardlab_client::unlock::online::{self, OnlineError};
use cardlab_pcsclite::client::{Connection, Context, ShareMode};
use cardlab_pcsclite::code::attribute;
use cardlab_protocol::workstation::{Answer, Answers, CardOutcome, Judged, Open, Opened, Outcome};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;
use zeroize::Zeroizing;

/// What a person does.
pub enum Act {
    /// Types a PIN.
    Pin(Zeroizing<String>),
    /// Chooses online unlock.
    Online,
    /// Answers, in the order of the questions.
    Answer(Vec<Zeroizing<String>>),
    /// A new PIN and its confirmation.
    NewPin(Zeroizing<String>, Zeroizing<String>),
    /// Chooses offline unlock.
    Offline,
    /// A response, a new PIN and its confirmation.
    Respond(String, Zeroizing<String>, Zeroizing<String>),
    /// Goes back to the beginning.
    Back,
}

type Order = (Act, oneshot::Sender<()>);

/// What is shown, for the page and whoever waits for it.
struct Board {
    shown: Mutex<Shown>,
    changed: Condvar,
}

impl Board {
    fn lock(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn show(&self, shown: Shown) {
        *self.lock() = shown;
        self.changed.notify_all();
    }
}

/// The way to the thread.
#[derive(Clone)]
pub struct Desk {
    orders: Sender<Order>,
    board: Arc<Board>,
}

impl Desk {
    /// Starts the thread; it ends with the last `Desk`.
    #[must_use]
    pub fn start(settings: Settings) -> Self {
        let (orders, inbox) = channel();
        let shown = Mutex::new(nothing("Looking for a reader").plain());
        let board = Arc::new(Board { shown, changed: Condvar::new() });
        let worker = Worker { settings, inbox, board: board.clone() };
        std::thread::spawn(move || worker.run());
        Self { orders, board }
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

    /// Does something and waits until it is done.
    pub async fn act(&self, act: Act) {
        let (done, wait) = oneshot::channel();
        if self.orders.send((act, done)).is_ok() {
            // A thread that went on without an answer has shown why.
            let _ = wait.await;
        }
    }
}

/// Why a part of the work ended.
enum End {
    /// The card or the reader is gone, or the service.
    Gone(String),
    /// Nobody looks any more.
    Closed,
}

impl From<TransportError> for End {
    fn from(error: TransportError) -> Self {
        Self::Gone(error.to_string())
    }
}

struct Worker {
    settings: Settings,
    inbox: Receiver<Order>,
    board: Arc<Board>,
}

/// People read why a card is of no use before it is looked at again: so many times longer.
const READ_LOOKS: u32 = 4;

fn nothing(message: &str) -> Screen {
    Screen::Insert { message: message.into() }
}

impl Worker {
    fn look_every(&self) -> Duration {
        self.settings.look_every.unwrap_or(LOOK_EVERY)
    }

    fn show(&self, shown: Shown) {
        self.board.show(shown);
    }

    fn run(self) {
        loop {
            match self.with_service() {
                End::Closed => return,
                End::Gone(why) => self.show(nothing(&sentence(&why)).plain()),
            }
            // Orders that were for a card that is gone are done.
            match self.inbox.recv_timeout(self.look_every() * READ_LOOKS) {
                Err(RecvTimeoutError::Disconnected) => return,
                Ok((_, done)) => drop(done.send(())),
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    fn with_service(&self) -> End {
        let context = match Context::establish_at(&self.settings.socket) {
            Ok(context) => context,
            Err(error) => return End::Gone(format!("there is no PC/SC service: {error}")),
        };
        loop {
            let reader = match self.wait_for_card(&context) {
                Ok(reader) => reader,
                Err(end) => return end,
            };
            let ended = match context.connect(&reader, ShareMode::Shared) {
                Ok(mut card) => self.with_card(&mut card),
                Err(error) => End::Gone(TransportError::from(error).to_string()),
            };
            match ended {
                End::Closed => return End::Closed,
                End::Gone(why) => self.show(nothing(&sentence(&why)).plain()),
            }
            // A card of an unknown kind stays what it is; people read why before it is asked again.
            match self.inbox.recv_timeout(self.look_every() * READ_LOOKS) {
                Err(RecvTimeoutError::Disconnected) => return End::Closed,
                Ok((_, done)) => drop(done.send(())),
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    fn wait_for_card(&self, context: &Context) -> Result<String, End> {
        loop {
            let readers = context.readers().map_err(|e| End::Gone(e.to_string()))?;
            let wanted = |name: &str| self.settings.reader.as_ref().is_none_or(|wanted| name.starts_with(wanted.as_str()));
            if let Some(reader) = readers.iter().find(|r| wanted(&r.name) && r.has_card()) {
                return Ok(reader.name.clone());
            }
            self.show(nothing("Insert your card").plain());
            match self.inbox.recv_timeout(self.look_every()) {
                Err(RecvTimeoutError::Disconnected) => return Err(End::Closed),
                Ok((_, done)) => drop(done.send(())),
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    /// The next thing that a person does. `idle` looks after the card meanwhile.
    fn next(&self, mut idle: impl FnMut() -> Result<(), End>) -> Result<Order, End> {
        loop {
            match self.inbox.recv_timeout(self.look_every()) {
                Ok(order) => return Ok(order),
                Err(RecvTimeoutError::Disconnected) => return Err(End::Closed),
                Err(RecvTimeoutError::Timeout) => idle()?,
            }
        }
    }

    fn with_card(&self, card: &mut Connection<'_>) -> End {
        let mut shown = match self.first(card) {
            Ok(screen) => screen.plain(),
            Err(error) => return gone(&error),
        };
        loop {
            self.show(shown.clone());
            match self.inbox.recv_timeout(self.look_every()) {
                Err(RecvTimeoutError::Disconnected) => return End::Closed,
                Ok((act, done)) => match self.carry_out(card, act, done) {
                    Ok(next) => shown = next,
                    Err(end) => return end,
                },
                Err(RecvTimeoutError::Timeout) => match self.look(card, &shown.screen) {
                    Ok(Some(screen)) => shown = screen.plain(),
                    Ok(None) => {}
                    Err(error) => return error.into(),
                },
            }
        }
    }

    /// Whether other programs have changed what is to be shown. Selects nothing, so that a challenge of
    /// theirs lives on, and leaves them their transactions.
    fn look(&self, card: &mut Connection<'_>, shown: &Screen) -> Result<Option<Screen>, TransportError> {
        match card.status().map_err(TransportError::from) {
            Err(TransportError::Reset) => card.reconnect(ShareMode::Shared, LEAVE)?,
            other => other?,
        }
        if !matches!(shown, Screen::Pin { .. } | Screen::Locked { .. }) || card.try_begin().is_err() {
            return Ok(None);
        }
        let now = Minidriver::resume(card).and_then(|mut opened| self.screen_of(&mut opened));
        card.end(LEAVE)?;
        match now {
            Ok(screen) => Ok(Some(screen).filter(|screen| screen != shown)),
            Err(CardError::Transport(error)) => Err(error),
            // Another application is selected.
            Err(_) => Ok(None),
        }
    }

    /// PIN entry, or what else the card's state asks for.
    fn first(&self, card: &mut Connection<'_>) -> Result<Screen, CardError> {
        self.screen_of(&mut Minidriver::open(card)?)
    }

    fn screen_of(&self, opened: &mut Minidriver<'_>) -> Result<Screen, CardError> {
        let name = opened.card_id()?.map_or_else(
            || opened.edge().name(),
            |id| format!("{}, {}", opened.edge().name(), cardlab_protocol::codes::digits(&id)),
        );
        let status = opened.card_pin_status()?;
        if status.pin_blocked() != Some(true) {
            return Ok(Screen::Pin { card: name, left: status.pin.map(|c| c.left) });
        }
        if self.settings.remote_desktop && !self.settings.in_session {
            let message = "Unlocking a card is not supported on the lock screen of a Remote Desktop connection.".into();
            return Ok(Screen::Locked { card: name, online: false, offline: false, message });
        }
        let lost = status.admin.is_some_and(|c| c.left == 0);
        let offline = !lost && !matches!(opened.edge(), Edge::Piv { admin_unblock: false, .. });
        let message = if lost {
            "The administration key of this card is blocked as well: it can no longer be unlocked. Ask for a replacement."
        } else if !offline {
            "This card has no administration key for unlocking, but a PUK: use the Unlock tool, cardlab unlock --puk."
        } else {
            ""
        };
        Ok(Screen::Locked { card: name, online: offline && self.settings.service.is_some(), offline, message: message.into() })
    }

    fn again(&self, card: &mut Connection<'_>, error: &str) -> Result<Shown, End> {
        match self.first(card) {
            Ok(screen) => Ok(screen.with(error)),
            Err(error) => Err(gone(&error)),
        }
    }

    fn carry_out(&self, card: &mut Connection<'_>, act: Act, done: oneshot::Sender<()>) -> Result<Shown, End> {
        let done = Done(Some(done));
        match act {
            Act::Pin(pin) => self.pin(card, &pin),
            Act::Online => match &self.settings.service {
                Some(service) => self.online(card, service, done),
                None => self.again(card, "No server is set on this workstation."),
            },
            Act::Offline => self.offline(card, done, String::new()),
            Act::Back => self.again(card, ""),
            Act::Answer(_) | Act::NewPin(..) | Act::Respond(..) => self.again(card, "That came too late; start again."),
        }
    }

    fn pin(&self, card: &mut Connection<'_>, pin: &str) -> Result<Shown, End> {
        let verified = Minidriver::open(card).and_then(|mut opened| opened.card_authenticate_pin(pin.as_bytes()));
        match verified {
            Ok(()) => Ok(match self.first(card) {
                Ok(Screen::Pin { card, .. }) => Screen::Welcome { card }.plain(),
                Ok(other) => other.plain(),
                Err(error) => return Err(gone(&error)),
            }),
            Err(CardError::Transport(TransportError::Reset)) => {
                self.again(card, "Another program reset the card; type the PIN again.")
            }
            Err(CardError::Transport(error)) => Err(error.into()),
            Err(error) => self.again(card, &sentence(&error.to_string())),
        }
    }

    fn online(&self, card: &mut Connection<'_>, service: &Service, done: Done) -> Result<Shown, End> {
        let (id, policy) = match Minidriver::open(card).and_then(|mut c| Ok((c.card_id()?, c.card_pin_policy()))) {
            Ok((Some(id), policy)) => (id, policy),
            Ok((None, _)) => return self.again(card, "This card has no serial that the server could know it by."),
            Err(error) => return Err(gone(&error)),
        };
        let open = Open {
            serial: cardlab_protocol::codes::digits(&id),
            atr: cardlab_protocol::codes::digits(&card.attribute(attribute::ATR_STRING).unwrap_or_default()),
            workstation: self.settings.workstation.clone(),
            remote_desktop: self.settings.remote_desktop && !self.settings.in_session,
        };
        let (session, questions) = match service.open(&open) {
            Ok(Opened::Online { session, questions, .. }) => (session, questions),
            Ok(Opened::Offline) => {
                return self.offline(
                    card,
                    done,
                    "Online unlock is not possible for this card now; your operator can help.".into(),
                );
            }
            Ok(Opened::None) => return self.again(card, "Unlocking a card is not supported here."),
            Err(error) => return self.offline(card, done, format!("{} Your operator can help.", sentence(&error.to_string()))),
        };
        let mut shown = Screen::Questions { questions: questions.clone() }.plain();
        let mut done = done;
        // Questions.
        loop {
            self.show(shown);
            drop(done);
            let (act, next) = self.next(|| present(card))?;
            done = Done(Some(next));
            let Act::Answer(texts) = act else { return self.other(card, act, done) };
            let answer = |(question, text): (&cardlab_protocol::workstation::Question, &Zeroizing<String>)| Answer {
                question: question.id.clone(),
                text: text.to_string(),
            };
            let answers = Answers { answers: questions.iter().zip(&texts).map(answer).collect() };
            let again = Screen::Questions { questions: questions.clone() };
            shown = match service.answer(&session, &answers) {
                Ok(Judged::Answered { ok: true }) => break,
                Ok(Judged::Answered { ok: false }) => again.with("That is not right."),
                Ok(Judged::Over { .. }) => {
                    return self.offline(card, done, "Online unlock is over for this card; your operator can help.".into());
                }
                Err(ServiceError::Refused(message) | ServiceError::Busy(message)) => again.with(sentence(&message)),
                Err(error) => {
                    return self.offline(card, done, format!("{} Your operator can help.", sentence(&error.to_string())));
                }
            };
        }
        let mut shown = Screen::NewPin { rules: rules(policy) }.plain();
        // The new PIN, and the card.
        loop {
            self.show(shown);
            drop(done);
            let (act, next) = self.next(|| present(card))?;
            done = Done(Some(next));
            let Act::NewPin(pin, confirmation) = act else { return self.other(card, act, done) };
            if let Err(fault) = checked(policy, &pin, &confirmation) {
                shown = Screen::NewPin { rules: rules(policy) }.with(sentence(&fault.to_string()));
                continue;
            }
            let unlocked = online::unlock(card, Some(&id), pin.as_bytes(), |challenge| service.challenge(&session, challenge));
            let report = |outcome: &Outcome| drop(service.report(&session, outcome));
            return match unlocked {
                Ok(()) => {
                    report(&Outcome { outcome: CardOutcome::Unlocked, tries_left: None });
                    Ok(Screen::Done.plain())
                }
                Err(OnlineError::Response(error)) => {
                    self.offline(card, done, format!("{} Your operator can help.", sentence(&error.to_string())))
                }
                Err(OnlineError::Card(error)) => {
                    if let Some(outcome) = service::outcome(&error) {
                        report(&outcome);
                    }
                    match error {
                        CardError::Transport(error) => Err(error.into()),
                        error => self.again(card, &sentence(&error.to_string())),
                    }
                }
            };
        }
    }

    fn offline(&self, card: &mut Connection<'_>, done: Done, why: String) -> Result<Shown, End> {
        let guard = if self.settings.share { Guard::Look } else { Guard::Transaction };
        let mut why = why;
        let mut done = done;
        let left = 'challenges: loop {
            let mut offline = match Offline::begin(card, guard) {
                Ok(offline) => offline,
                Err(CardError::Transport(error)) => return Err(error.into()),
                Err(error) => break 'challenges (None, sentence(&error.to_string())),
            };
            loop {
                let screen = Screen::Challenge {
                    grouped: cardlab_protocol::codes::grouped(offline.challenge()),
                    check: cardlab_protocol::codes::check_code(offline.challenge()),
                    rules: rules(offline.pin_policy()),
                    text: self.settings.offline_text.clone(),
                };
                self.show(screen.with(std::mem::take(&mut why)));
                drop(done);
                let next = self.next(|| match offline.keep() {
                    Ok(true) => Ok(()),
                    Ok(false) => Err(End::Gone(OVER.into())),
                    Err(error) => Err(error.into()),
                });
                let (act, next) = match next {
                    Ok(order) => order,
                    Err(End::Gone(message)) if message == OVER || message == TransportError::Reset.to_string() => {
                        drop(offline);
                        why = format!("{} Here is a new challenge.", sentence(&message));
                        done = Done(None);
                        // The handle learns of the reset before the card is asked again.
                        let _ = card.reconnect(ShareMode::Shared, LEAVE);
                        continue 'challenges;
                    }
                    Err(end) => return Err(end),
                };
                done = Done(Some(next));
                let (response, pin, confirmation) = match act {
                    Act::Respond(response, pin, confirmation) => (response, pin, confirmation),
                    other => break 'challenges (Some(other), String::new()),
                };
                let length = offline.challenge().len();
                let parsed = cardlab_protocol::codes::parse(&response, &[length]).map_err(|e| format!("Response data: {e}."));
                let pins = checked(offline.pin_policy(), &pin, &confirmation).map_err(|fault| sentence(&fault.to_string()));
                let response = match parsed.and_then(|response| pins.map(|()| response)) {
                    Ok(response) => response,
                    Err(message) => {
                        why = message;
                        continue;
                    }
                };
                match offline.answer(&response, pin.as_bytes()) {
                    Ok(()) => return Ok(Screen::Done.plain()),
                    Err(CardError::Transport(error)) => return Err(error.into()),
                    Err(CardError::Blocked(_)) => break 'challenges (None, String::new()),
                    Err(error) => why = format!("{} Here is a new challenge.", sentence(&error.to_string())),
                }
                match offline.again() {
                    Ok(()) => {}
                    Err(CardError::Transport(error)) => return Err(error.into()),
                    Err(_) => break 'challenges (None, String::new()),
                }
            }
        };
        match left {
            (Some(act), _) => self.other(card, act, done),
            (None, message) => self.again(card, &message),
        }
    }

    /// Something else than what the screen asks for.
    fn other(&self, card: &mut Connection<'_>, act: Act, mut done: Done) -> Result<Shown, End> {
        match done.0.take() {
            Some(reply) => self.carry_out(card, act, reply),
            None => self.again(card, ""),
        }
    }
}

const LEAVE: cardlab_pcsclite::client::Disposition = cardlab_pcsclite::client::Disposition::Leave;
const OVER: &str = "ten minutes are over, the card was free for other programs";

/// Tells the page that an act is done, when the next screen is shown.
struct Done(Option<oneshot::Sender<()>>);

impl Drop for Done {
    fn drop(&mut self) {
        if let Some(done) = self.0.take() {
            let _ = done.send(());
        }
    }
}

fn present(card: &mut Connection<'_>) -> Result<(), End> {
    match card.status().map_err(TransportError::from) {
        Ok(()) | Err(TransportError::Reset) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn gone(error: &CardError) -> End {
    End::Gone(error.to_string())
}

fn checked(policy: PinPolicy, pin: &str, confirmation: &str) -> Result<(), PinFault> {
    policy.check(pin.as_bytes())?;
    if pin == confirmation { Ok(()) } else { Err(PinFault::Confirmation) }
}

fn rules(policy: PinPolicy) -> String {
    let kind = if policy.characters == PinCharacters::Digits { "digits" } else { "characters" };
    format!("{} to {} {kind}", policy.minimum, policy.maximum)
}

fn sentence(message: &str) -> String {
    let mut characters = message.chars();
    let first = characters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", characters.as_str())
}
