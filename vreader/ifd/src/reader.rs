//! A reader of a running cardlab, as pcscd handles one. Three connections to it: for the card, for looking, for
//! waiting, because each is busy while it does that.

use cardlab_pcsclite::client::{Connection, Context, Disposition, ShareMode};
use cardlab_pcsclite::code::{ReturnCode, attribute, state};
use cardlab_pcsclite::wire::ReaderState;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How something ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// As it should.
    Fine,
    /// There is no card.
    Absent,
    /// The service or the card does not answer.
    Broken,
}

/// A connection that is made again when it breaks. It lives as long as pcscd: a card borrows from it.
type SharedContext = Mutex<Option<&'static Context>>;

pub(crate) struct Reader {
    socket: PathBuf,
    number: usize,
    for_card: SharedContext,
    card: Mutex<Option<Connection<'static>>>,
    for_looking: SharedContext,
    for_waiting: SharedContext,
    known: Mutex<Vec<ReaderState>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Reader {
    /// `SOCKET:NUMBER`. The service need not be there yet: until then there is no card.
    pub(crate) fn open(name: &str) -> Option<Self> {
        let (socket, number) = name.rsplit_once(':')?;
        Some(Self {
            socket: socket.into(),
            number: number.parse().ok()?,
            for_card: Mutex::default(),
            card: Mutex::default(),
            for_looking: Mutex::default(),
            for_waiting: Mutex::default(),
            known: Mutex::default(),
        })
    }

    fn context(&self, connection: &SharedContext) -> Option<&'static Context> {
        let mut context = lock(connection);
        if context.is_none() {
            // A few hundred bytes each time the service is started anew.
            *context = Context::establish_at(&self.socket).ok().map(|context| &*Box::leak(Box::new(context)));
        }
        *context
    }

    fn state(&self, connection: &SharedContext) -> Option<ReaderState> {
        let states = self.context(connection)?.readers();
        if states.is_err() {
            *lock(connection) = None;
        }
        states.ok()?.into_iter().nth(self.number)
    }

    pub(crate) fn presence(&self) -> Answer {
        match self.state(&self.for_looking) {
            Some(reader) if reader.state & state::PRESENT != 0 => Answer::Fine,
            // Without a service there is a reader without a card.
            _ => Answer::Absent,
        }
    }

    /// Waits until something happens at the readers.
    pub(crate) fn wait(&self, limit: Duration) {
        let known = lock(&self.known).clone();
        let waited = self.context(&self.for_waiting).map(|context| context.wait_for_change(&known, limit));
        match waited {
            Some(Ok(states)) => *lock(&self.known) = states,
            // The service has gone, or is not there yet: it is looked for every second at most.
            _ => {
                *lock(&self.for_waiting) = None;
                std::thread::sleep(limit.min(Duration::from_secs(1)));
            }
        }
    }

    pub(crate) fn stop_waiting(&self) {
        if let Some(context) = *lock(&self.for_waiting) {
            // A wait that is over already needs no end.
            let _ = context.cancel();
        }
    }

    /// The card's answer to reset.
    pub(crate) fn atr(&self) -> Vec<u8> {
        lock(&self.card).as_mut().and_then(|card| card.attribute(attribute::ATR_STRING).ok()).unwrap_or_default()
    }

    pub(crate) fn power_up(&self) -> Option<Vec<u8>> {
        let name = self.state(&self.for_card)?.name;
        let mut card = self.context(&self.for_card)?.connect(&name, ShareMode::Shared).ok()?;
        // Cold: what the card knew before belongs to another session.
        card.reconnect(ShareMode::Shared, Disposition::Unpower).ok()?;
        *lock(&self.card) = Some(card);
        Some(self.atr())
    }

    pub(crate) fn reset(&self) -> Option<Vec<u8>> {
        lock(&self.card).as_mut()?.reconnect(ShareMode::Shared, Disposition::Reset).ok()?;
        Some(self.atr())
    }

    pub(crate) fn power_down(&self) {
        if let Some(card) = lock(&self.card).take() {
            // A card that is gone has no power any more.
            let _ = card.disconnect(Disposition::Unpower);
        }
    }

    pub(crate) fn transmit(&self, command: &[u8]) -> (Answer, Vec<u8>) {
        let mut card = lock(&self.card);
        let Some(connected) = card.as_mut() else { return (Answer::Absent, Vec::new()) };
        match connected.transmit(command) {
            Ok(response) => (Answer::Fine, response),
            Err(error) => {
                let gone = matches!(error.code(), Some(ReturnCode::REMOVED_CARD | ReturnCode::NO_SMARTCARD));
                (if gone { Answer::Absent } else { Answer::Broken }, Vec::new())
            }
        }
    }

    pub(crate) fn control(&self, code: u32, input: &[u8]) -> Option<Vec<u8>> {
        lock(&self.card).as_mut()?.control(code, input).ok()
    }
}
