//! What is shown: data without a word of text. The words are [`super::words`]'s.

use super::input::{Disturbance, Facts};
use crate::minidriver::{CardError, PinFault, PinPolicy, PinStatus};
use crate::recognise::Edge;
use crate::service::ServiceError;
use cardlab_protocol::codes::{self, CodeError};
use cardlab_protocol::workstation::Question;

/// What a person sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Counts what a person can answer: what is sent to an older step came too late, and does nothing.
    pub step: u32,
    /// Counts every change of what is shown.
    pub version: u32,
    /// The screen.
    pub screen: Screen,
    /// What has just happened, and what it means.
    pub notice: Option<Notice>,
    /// Tries of the secrets of the card of this session.
    pub tries: PinStatus,
    /// Other cards in readers, which can be chosen.
    pub others: Vec<Chip>,
    /// The reader of the card of this session, where another program holds it and it is waited for.
    pub held: Option<String>,
}

/// A card as people tell it from others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Face {
    /// What kind of card it is.
    pub edge: Edge,
    /// Whose, where a certificate on it says so.
    pub owner: Option<String>,
    /// The serial, upper-case hexadecimal; empty where it has none.
    pub serial: String,
    /// The reader it is in, or was.
    pub reader: String,
}

/// Digits of a serial that people compare.
const LAST: usize = 4;

impl Face {
    pub(super) fn of(facts: &Facts, reader: &str) -> Self {
        let serial = facts.id.as_deref().map(codes::digits).unwrap_or_default();
        Self { edge: facts.edge, owner: facts.owner.clone(), serial, reader: reader.into() }
    }

    /// The last digits of the serial; empty where it has none.
    #[must_use]
    pub fn last_digits(&self) -> &str {
        &self.serial[self.serial.len().saturating_sub(LAST)..]
    }
}

/// A card that can be chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chip {
    /// What [`super::Act::Choose`] takes.
    pub key: String,
    /// The card, where it could be looked at.
    pub face: Option<Face>,
    /// The reader.
    pub reader: String,
    /// Why it cannot be chosen.
    pub trouble: Option<Trouble>,
    /// Its PIN is blocked.
    pub blocked: bool,
    /// Tries of its PIN that are left, where it tells.
    pub left: Option<u8>,
}

/// Why a card cannot be chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It is being looked at.
    Looking,
    /// Another program holds it.
    Held,
    /// It is of no use.
    Strange(CardError),
}

/// A screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Screen {
    /// Nobody has looked at the readers yet.
    Looking,
    /// There is no PC/SC service; why.
    NoService(String),
    /// There is no card in any reader.
    Insert,
    /// One of several cards is to be chosen, or the only one is of no use.
    Choose(Vec<Chip>),
    /// The card of this session is out of its reader.
    PutBack(Face),
    /// PIN entry.
    Pin(Face, Option<u8>),
    /// The PIN was right.
    Welcome(Face),
    /// The PIN is not blocked: in a session there is nothing to sign in to.
    NotBlocked(Face, Option<u8>),
    /// The PIN is blocked.
    Locked(Box<LockedView>),
    /// The card would take one response more, and is lost after a wrong one.
    LastResponse(Face),
    /// The PUK has one try more, and nothing else unlocks the card.
    LastPuk(Face),
    /// PUK entry.
    Puk(PukView),
    /// Security questions.
    Questions {
        /// The card.
        card: Face,
        /// What to ask.
        questions: Vec<Question>,
        /// An operator has ordered this.
        task: bool,
    },
    /// A new PIN after right answers.
    NewPin {
        /// The card.
        card: Face,
        /// The card's rules.
        policy: PinPolicy,
        /// What is wrong with what was typed.
        faults: Faults,
    },
    /// Something that takes a while.
    Working(Face, Work),
    /// The card has its new PIN.
    Done(Face),
    /// Nothing here unlocks the card any more.
    Lost(Face, Loss),
    /// A lock screen inside a Remote Desktop connection.
    RemoteDesktop(Face),
    /// The server has no task for the card (agent).
    NoTask(Face),
}

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// The server draws questions.
    Asking,
    /// The server compares answers.
    Judging,
    /// The card compares a PIN.
    Verifying,
    /// The card is being unlocked.
    Unlocking,
}

/// Why a card is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// Its administrator key is blocked, and it has no PUK.
    Key,
    /// Its PUK is blocked, and no response unblocks its PIN.
    Puk,
    /// Both.
    Both,
    /// It has not been initialised: there is no PIN.
    NotInitialised,
}

/// The message of a locked card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockedView {
    /// The card.
    pub card: Face,
    /// Wrong PINs were typed here; else it was found blocked, as a card is that was issued so.
    pub wrongly: bool,
    /// PIN entries that the card allows, where it tells.
    pub pin_tries: Option<u8>,
    /// The challenge; `None` while there is none, and where no response unlocks.
    pub code: Option<Code>,
    /// A code is being drawn.
    pub drawing: bool,
    /// Whether a response unlocks the card.
    pub responses: Responses,
    /// Whether questions can be answered.
    pub online: Online,
    /// Whether the card has a PUK that can be used.
    pub puk: bool,
    /// The administrator's text: whom to call.
    pub text: String,
    /// Rules of a new PIN.
    pub policy: PinPolicy,
    /// What was typed for the response.
    pub typed: String,
    /// What is wrong with what was typed.
    pub faults: Faults,
}

/// A code as it is read aloud.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code(pub Vec<u8>);

impl Code {
    /// In fours.
    #[must_use]
    pub fn grouped(&self) -> String {
        codes::grouped(&self.0)
    }

    /// The groups of [`Code::grouped`].
    #[must_use]
    pub fn groups(&self) -> Vec<String> {
        self.grouped().split(' ').map(str::to_owned).collect()
    }

    /// Two digits to compare.
    #[must_use]
    pub fn check(&self) -> String {
        codes::check_code(&self.0)
    }
}

/// Whether a response unlocks the card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Responses {
    /// So many, where the card counts.
    Taken(Option<u8>),
    /// No: *Unblock card offline* is off.
    Off,
    /// No: the card is unlocked with its PUK.
    PukOnly,
    /// No: its administrator key is blocked.
    KeyBlocked,
}

/// Whether security questions can be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Online {
    /// No server is set.
    NoServer,
    /// The server is being asked, or will be.
    Asking,
    /// Yes.
    Yes,
    /// The server says no, and never why.
    No,
    /// The server gives no answer.
    Failed(ServiceError),
}

/// PUK entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PukView {
    /// The card.
    pub card: Face,
    /// Tries left, where the card tells.
    pub left: Option<u8>,
    /// Rules of a new PIN.
    pub policy: PinPolicy,
    /// What is wrong with what was typed.
    pub faults: Faults,
}

/// What is wrong with what was typed, by field. Nothing was sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// The response.
    pub response: Option<CodeError>,
    /// The PUK.
    pub puk: Option<PinFault>,
    /// The new PIN.
    pub pin: Option<PinFault>,
    /// Its confirmation.
    pub confirmation: Option<PinFault>,
}

impl Faults {
    /// Nothing is wrong.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.response.is_none() && self.puk.is_none() && self.pin.is_none() && self.confirmation.is_none()
    }
}

/// What has just happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The card refused, or could not be asked.
    Card(CardError),
    /// The response was wrong; tries left where the card counts.
    ResponseWrong(Option<u8>),
    /// What was typed for a PIN cannot be one.
    Pin(PinFault),
    /// The code that was shown is dead.
    CodeDead(Disturbance),
    /// The card was unlocked by another program meanwhile.
    UnlockedElsewhere,
    /// The answers are not right.
    AnswersWrong,
    /// Online unlock is not possible for this card now.
    OnlineNot,
    /// Online unlock is over for this card.
    OnlineOver,
    /// The time for answering is over.
    SessionOver,
    /// The server gave no answer, or refused.
    Server(ServiceError),
    /// The card has no serial that a server could know it by.
    NoSerial,
    /// What was sent was for what is not shown any more.
    TooLate,
    /// What was being done was given up; nothing was sent to the card.
    GivenUp,
}
