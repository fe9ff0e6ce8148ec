//! A card of another PC/SC service - the system's pcscd with its readers - as a guest in a reader of ours.
//!
//! It is held exclusively, so that nobody else changes what programs of ours rely on, and let go when it is pulled out. One
//! thread watches the reader, one works with the card; power and resets are ordered and not waited for, so that a slow
//! card holds up its own programs only.

use crate::chip::Presence;
use crate::icc::{Icc, Loss, SharedCard, VirtualCard};
use crate::rack::Rack;
use crate::touch::Button;
use crate::trace::Recorder;
use cardlab_pcsclite::client::{Connection, Context, Disposition, Error, ShareMode};
use cardlab_pcsclite::code::{ReturnCode, state};
use cardlab_sim::atr::Protocol;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use thiserror::Error as ThisError;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use zeroize::Zeroizing;

/// How long is waited for news of the reader before the question is asked anew.
const WATCH: Duration = Duration::from_secs(60);
/// How long until a service that has gone, or a card that cannot be had, is tried again.
const PAUSE: Duration = Duration::from_secs(1);

/// Why there is no such reader.
#[derive(Debug, ThisError)]
pub enum FindError {
    /// No reader has this name.
    #[error("{}: no reader named '{wanted}'; there are: {known}", socket.display())]
    NoReader {
        /// The service.
        socket: PathBuf,
        /// What was asked for.
        wanted: String,
        /// All readers.
        known: String,
    },
    /// Several readers have names that begin so.
    #[error("several readers have names that begin with '{wanted}': {known}")]
    Several {
        /// What was asked for.
        wanted: String,
        /// Those.
        known: String,
    },
    /// No service.
    #[error(transparent)]
    Service(#[from] Error),
}

/// What happens at the reader.
#[derive(Debug)]
pub enum Event {
    /// Its card is in.
    Came,
    /// It is out; with an error where it did not just leave.
    Went(Option<Error>),
    /// There is a card, and it cannot be had: another program holds it, or it does not answer.
    Held(Error),
}

/// A reader of another service.
pub struct Real {
    link: Arc<Link>,
    signals: UnboundedReceiver<Event>,
}

enum Job {
    /// Whether there is a card in the reader.
    Look(bool),
    PowerOn,
    Reset,
    Transmit(u64, Zeroizing<Vec<u8>>),
}

struct Link {
    jobs: Sender<Job>,
    slot: Mutex<Slot>,
    presence: Presence,
    button: Button,
    patience: Duration,
}

#[derive(Default)]
struct Slot {
    atr: Option<Vec<u8>>,
    commands: u64,
    answer: Option<(u64, Result<Vec<u8>, Loss>)>,
}

/// The full name of the reader that `wanted` means at the service of `socket`: its name or the beginning of it.
///
/// # Errors
/// [`FindError`].
pub fn find(socket: &Path, wanted: &str) -> Result<String, FindError> {
    let readers = Context::establish_at(socket)?.readers()?;
    let names: Vec<String> = readers.into_iter().map(|reader| reader.name).collect();
    let meant: Vec<&String> = names.iter().filter(|name| *name == wanted).collect();
    let meant = if meant.is_empty() { names.iter().filter(|name| name.starts_with(wanted)).collect() } else { meant };
    match meant[..] {
        [one] => Ok(one.clone()),
        [] => Err(FindError::NoReader { socket: socket.into(), wanted: wanted.into(), known: names.join(", ") }),
        _ => {
            let known = meant.into_iter().cloned().collect::<Vec<_>>().join(", ");
            Err(FindError::Several { wanted: wanted.into(), known })
        }
    }
}

impl Real {
    /// The reader of this full name at the service of `socket`. A card that gives no answer within `patience` is mute.
    ///
    /// # Errors
    /// The system's, when there can be no more threads.
    pub fn open(socket: PathBuf, reader: String, patience: Duration) -> std::io::Result<Self> {
        let ((jobs, orders), (tell, signals)) = (channel(), unbounded_channel());
        let (slot, presence, button) = (Mutex::default(), Presence::absent(), Button::default());
        let link = Arc::new(Link { jobs: jobs.clone(), slot, presence, button, patience });
        let worker = Worker { link: Arc::downgrade(&link), socket: socket.clone(), reader: reader.clone(), tell };
        let wanted = Arc::downgrade(&link);
        let spawn = |name: &str| std::thread::Builder::new().name(name.into());
        spawn("real card").spawn(move || worker.run(&orders))?;
        spawn("real reader").spawn(move || watch(&socket, &reader, &jobs, &wanted))?;
        Ok(Self { link, signals })
    }

    /// What reaches the card, for [`Real::card`].
    #[must_use]
    pub fn icc(&self) -> Box<dyn Icc> {
        Box::new(Plug(Arc::clone(&self.link)))
    }

    /// The card, for a rack: `name` is for people, `icc` is [`Real::icc`], perhaps with layers round it.
    #[must_use]
    pub fn card(&self, name: &str, icc: Box<dyn Icc>, recorder: Recorder) -> VirtualCard {
        VirtualCard::guest(name, icc, self.link.presence.clone(), self.link.button.clone(), recorder)
    }

    /// Puts `card` in and takes it out of its reader of `rack` as the real one is; `told` hears of it. Ends with the
    /// threads.
    pub async fn keep(mut self, rack: Rack, card: SharedCard, mut told: impl FnMut(Event)) {
        while let Some(event) = self.signals.recv().await {
            match &event {
                Event::Came => {
                    self.link.presence.set(true);
                    if let Some(place) = rack.place_of(&card) {
                        let _ = rack.insert(place).await;
                    }
                }
                Event::Went(_) => {
                    self.link.presence.set(false);
                    if let Some(place) = rack.place_of(&card) {
                        let _ = rack.remove(place).await;
                    }
                }
                Event::Held(_) => {}
            }
            told(event);
        }
    }
}

/// Tells of cards that come and go, while somebody wants to know.
fn watch(socket: &Path, reader: &str, jobs: &Sender<Job>, wanted: &Weak<Link>) {
    while wanted.strong_count() > 0 {
        if let Ok(context) = Context::establish_at(socket) {
            let mut known = Vec::new();
            while let Ok(states) = context.wait_for_change(&known, WATCH) {
                let is = states.iter().any(|s| s.name == reader && s.state & state::PRESENT != 0);
                // Also where it was there before: another program may have let it go.
                if wanted.strong_count() == 0 || jobs.send(Job::Look(is)).is_err() {
                    return;
                }
                known = states;
            }
        }
        if jobs.send(Job::Look(false)).is_err() {
            return;
        }
        std::thread::sleep(PAUSE);
    }
}

/// Who works with the card.
struct Worker {
    link: Weak<Link>,
    socket: PathBuf,
    reader: String,
    tell: UnboundedSender<Event>,
}

/// Why a service is left.
enum Leave {
    /// Nobody has orders any more.
    Over,
    /// The service has gone.
    Gone,
}

impl Worker {
    fn run(&self, orders: &Receiver<Job>) {
        loop {
            let Ok(job) = orders.recv() else { return };
            match job {
                // A service that was started anew is tried once more: nothing tells of a card that is in already.
                Job::Look(true) => {
                    for _ in 0..2 {
                        let Ok(context) = Context::establish_at(&self.socket) else { break };
                        if let Leave::Over = self.attend(&context, orders) {
                            return;
                        }
                    }
                }
                Job::Transmit(number, _) => self.answer(number, Err(Loss::Card)),
                Job::Look(false) | Job::PowerOn | Job::Reset => {}
            }
        }
    }

    /// Works with the cards that come into the reader.
    fn attend(&self, context: &Context, orders: &Receiver<Job>) -> Leave {
        let mut card = None;
        let mut held = None;
        let mut is_there = true;
        let mut job = Job::Look(true);
        loop {
            if let Job::Look(there) = job {
                is_there = there;
            }
            match (job, card.as_mut()) {
                (Job::Look(true), None) => match context.connect(&self.reader, ShareMode::Exclusive) {
                    Ok(connected) => {
                        held = None;
                        if self.reset_done(&connected) {
                            let _ = self.tell.send(Event::Came);
                        }
                        card = Some(connected);
                    }
                    Err(Error::Refused { code, call }) => {
                        // Said once, not at each look.
                        if held != Some(code) && code != ReturnCode::NO_SMARTCARD {
                            let _ = self.tell.send(Event::Held(Error::Refused { code, call }));
                        }
                        held = Some(code);
                    }
                    Err(_) => return Leave::Gone,
                },
                (Job::Look(false), Some(_)) => self.lose(&mut card, None),
                (Job::PowerOn, Some(connected)) => {
                    let done = connected.reconnect(ShareMode::Exclusive, Disposition::Unpower);
                    self.judge(done, &mut card);
                }
                (Job::Reset, Some(connected)) => {
                    let done = connected.reconnect(ShareMode::Exclusive, Disposition::Reset);
                    self.judge(done, &mut card);
                }
                (Job::Transmit(number, command), Some(connected)) => {
                    let answer = connected.transmit(&command);
                    let (answer, lost) = match answer {
                        Ok(answer) => (Ok(answer), None),
                        Err(error) => (Err(loss(&error)), Some(error)),
                    };
                    let gone = answer == Err(Loss::Card);
                    self.answer(number, answer);
                    if gone {
                        self.lose(&mut card, lost);
                    }
                }
                (Job::Transmit(number, _), None) => self.answer(number, Err(Loss::Card)),
                (Job::Look(_) | Job::PowerOn | Job::Reset, _) => {}
            }
            // Nothing tells reliably when another program lets a card go, or that a reader was away for a moment.
            let again = is_there && card.is_none();
            job = match orders.recv_timeout(if again { PAUSE } else { WATCH }) {
                Ok(job) => job,
                Err(RecvTimeoutError::Timeout) => Job::Look(is_there),
                Err(RecvTimeoutError::Disconnected) => return Leave::Over,
            };
        }
    }

    fn judge(&self, done: Result<(), Error>, card: &mut Option<Connection<'_>>) {
        match (done, card.as_ref()) {
            (Ok(()), Some(connected)) => drop(self.reset_done(connected)),
            (Err(error), _) => self.lose(card, Some(error)),
            (Ok(()), None) => {}
        }
    }

    /// Remembers the ATR; whether anybody cares.
    fn reset_done(&self, card: &Connection<'_>) -> bool {
        let Some(link) = self.link.upgrade() else { return false };
        link.slot().atr = card.atr().ok().filter(|atr| !atr.is_empty());
        true
    }

    /// The card has gone: it is let go, or it could not be powered when it comes back.
    fn lose(&self, card: &mut Option<Connection<'_>>, error: Option<Error>) {
        drop(card.take());
        if let Some(link) = self.link.upgrade() {
            link.slot().atr = None;
        }
        let _ = self.tell.send(Event::Went(error));
    }

    fn answer(&self, number: u64, answer: Result<Vec<u8>, Loss>) {
        let Some(link) = self.link.upgrade() else { return };
        link.slot().answer = Some((number, answer));
        link.button.nudge();
    }
}

/// What an error of the other service is to programs of ours.
fn loss(error: &Error) -> Loss {
    match error.code() {
        Some(ReturnCode::RESET_CARD) => Loss::Power,
        Some(ReturnCode::NOT_TRANSACTED | ReturnCode::COMM_ERROR | ReturnCode::UNRESPONSIVE_CARD) => Loss::Mute,
        _ => Loss::Card,
    }
}

impl Link {
    fn slot(&self) -> MutexGuard<'_, Slot> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The card in its slot.
struct Plug(Arc<Link>);

impl Plug {
    /// The ATR of now; one that the reset brings is known from the next on.
    fn order(&self, job: Job) -> Option<Vec<u8>> {
        let atr = self.0.slot().atr.clone()?;
        self.0.jobs.send(job).ok()?;
        Some(atr)
    }
}

impl Icc for Plug {
    fn power_on(&mut self) -> Option<Vec<u8>> {
        self.order(Job::PowerOn)
    }

    fn reset(&mut self) -> Option<Vec<u8>> {
        self.order(Job::Reset)
    }

    /// Its power is the other service's; the next power-on resets it.
    fn power_off(&mut self) {}

    /// The other service has chosen, by the same ATR and the same rule.
    fn set_protocol(&mut self, _: Protocol) {}

    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, Loss> {
        let number = {
            let mut slot = self.0.slot();
            slot.commands += 1;
            slot.answer = None;
            slot.commands
        };
        self.0.jobs.send(Job::Transmit(number, Zeroizing::new(command.to_vec()))).map_err(|_| Loss::Card)?;
        let there = || self.0.slot().answer.as_ref().is_some_and(|(of, _)| *of == number);
        let in_place = self.0.button.until(self.0.patience, there);
        let answer = self.0.slot().answer.take().filter(|(of, _)| *of == number);
        match answer {
            Some((_, answer)) => answer,
            None if in_place => Err(Loss::Mute),
            None => Err(Loss::Card),
        }
    }

    fn is_slow(&self, _: &[u8]) -> bool {
        true
    }
}
