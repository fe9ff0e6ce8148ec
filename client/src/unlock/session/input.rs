//! What a session hears: what is in the readers, what the person does, what card and server answered.

use crate::minidriver::{CardError, PinPolicy, PinStatus};
use crate::recognise::Edge;
use crate::service::ServiceError;
use cardlab_protocol::workstation::{Judged, Opened, TaskOffer, Ways};
use zeroize::Zeroizing;

/// Names one question to a card or a server, so that an answer that came too late is known as such.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket(pub u32);

/// What happened.
pub enum Input {
    /// What is in the readers now; whenever that changes, and when a card's tries do.
    Cards(Vec<Seen>),
    /// There are no readers that could be asked, and why: the PC/SC service is not there.
    NoService(String),
    /// Another program reset the card in this reader or ended its challenge, or ours was kept for too long: what the card knew
    /// of us is gone. What the card is now came before, where it could be looked at.
    Disturbed(String, Disturbance),
    /// The person did this.
    Person(Act),
    /// The card answered.
    Card(Ticket, CardAnswer),
    /// The server answered, or did not.
    Server(Ticket, ServerAnswer),
}

/// Why a challenge is dead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disturbance {
    /// Another program reset the card.
    Reset,
    /// The longest time that a card is kept from other programs is over.
    TimeOver,
    /// Another program used the card.
    OtherProgram,
    /// Another program of ours has drawn a challenge, which may be waiting for its response.
    Overtaken,
    /// It was pulled out.
    Removed,
}

/// A reader with a card in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The reader's name.
    pub reader: String,
    /// What could be learned of the card.
    pub card: Look,
}

/// What could be learned of a card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Look {
    /// All of it.
    Card(Facts),
    /// Not yet: it is being looked at.
    Looking,
    /// Nothing: another program holds it.
    Held,
    /// Nothing: it is no card of a kind that we know, or answers nonsense.
    Strange(CardError),
}

/// What a card says of itself without any secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// What a management system knows it by; `None` where it has no such thing.
    pub id: Option<Vec<u8>>,
    /// Answer to reset.
    pub atr: Vec<u8>,
    /// Which commands it understands.
    pub edge: Edge,
    /// Tries of its secrets.
    pub status: PinStatus,
    /// Rules of a new PIN.
    pub policy: PinPolicy,
    /// Whose it is, where a certificate on it says so.
    pub owner: Option<String>,
}

impl Facts {
    /// Whether a challenge and its response unblock the PIN.
    #[must_use]
    pub const fn takes_responses(&self) -> bool {
        !matches!(self.edge, Edge::Piv { admin_unblock: false, .. })
    }

    /// Whether it has a PUK.
    #[must_use]
    pub const fn has_puk(&self) -> bool {
        matches!(self.edge, Edge::Piv { .. })
    }

    /// A response to a challenge unblocks the PIN still.
    #[must_use]
    pub fn key_unlocks(&self) -> bool {
        self.takes_responses() && !self.key_blocked()
    }

    /// Its administrator key has no try left.
    #[must_use]
    pub fn key_blocked(&self) -> bool {
        self.status.admin.is_some_and(|counter| counter.left == 0)
    }

    /// Its PUK has no try left.
    #[must_use]
    pub fn puk_blocked(&self) -> bool {
        self.status.puk.is_some_and(|counter| counter.left == 0)
    }
}

/// What a person does.
pub enum Act {
    /// Takes this card: [`super::Chip::key`].
    Choose(String),
    /// Types a PIN.
    Pin(Zeroizing<String>),
    /// Wants to set a new PIN although the old one is not blocked.
    AllTheSame,
    /// Chooses to answer the security questions.
    Questions,
    /// Answers, in the order of the questions.
    Answers(Vec<Zeroizing<String>>),
    /// A new PIN and its confirmation.
    NewPin(NewPin),
    /// A response, and a new PIN.
    Respond(Zeroizing<String>, NewPin),
    /// Means it: the last response that the card will take.
    Sure,
    /// Chooses the PUK.
    UsePuk,
    /// A PUK, and a new PIN.
    Puk(Zeroizing<String>, NewPin),
    /// Asks card and server once more: for a new code, and whether questions can be answered.
    Again,
    /// Goes back: Cancel, OK, *Lock again*.
    Back,
    /// Asks the server for a task for this card (agent).
    AskTask,
}

/// A new PIN, typed twice.
#[derive(Clone)]
pub struct NewPin {
    /// The PIN.
    pub pin: Zeroizing<String>,
    /// The same again.
    pub confirmation: Zeroizing<String>,
}

impl NewPin {
    /// Typed once, by a program.
    #[must_use]
    pub fn once(pin: Zeroizing<String>) -> Self {
        Self { confirmation: pin.clone(), pin }
    }
}

/// What a card answered to a [`super::CardAsk`].
#[derive(Debug)]
pub enum CardAnswer {
    /// Nothing yet: another program holds the card, and is waited for.
    Waiting,
    /// Nothing: it was given up before the card was asked.
    GivenUp,
    /// To [`super::CardAsk::Verify`].
    Verified(Result<(), CardError>),
    /// To [`super::CardAsk::Draw`].
    Challenge(Result<Vec<u8>, CardError>),
    /// To [`super::CardAsk::Respond`] and [`super::CardAsk::Puk`].
    Unlocked(Result<(), CardError>),
}

/// What a server answered to a [`super::ServerAsk`].
#[derive(Debug)]
pub enum ServerAnswer {
    /// To [`super::ServerAsk::Ways`].
    Ways(Result<Ways, ServiceError>),
    /// To [`super::ServerAsk::Open`].
    Opened(Result<Opened, ServiceError>),
    /// To [`super::ServerAsk::Task`].
    Task(Result<TaskOffer, ServiceError>),
    /// To [`super::ServerAsk::Answers`].
    Judged(Result<Judged, ServiceError>),
    /// To [`super::ServerAsk::Response`].
    Response(Result<Vec<u8>, ServiceError>),
}
