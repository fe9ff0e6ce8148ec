//! What a session wants done: of a card, of a server, of whoever drives it.

use super::input::Ticket;
use cardlab_protocol::workstation::{Answers, Open, Outcome, ReportKind};
use std::fmt;
use zeroize::Zeroizing;

/// Something to do. Answers come back as [`super::Input`]s with the same ticket.
pub enum Effect {
    /// Ask the card in this reader.
    Card {
        /// Comes back with the answer.
        ticket: Ticket,
        /// The reader.
        reader: String,
        /// What the card is known by: another gets neither secret nor command after its name was read.
        id: Option<Vec<u8>>,
        /// What to ask.
        ask: CardAsk,
    },
    /// Ask the server.
    Server {
        /// Comes back with the answer.
        ticket: Ticket,
        /// What to ask.
        ask: ServerAsk,
    },
    /// Nobody waits for this any more; a card that has not been asked yet need not be.
    Forget(Ticket),
    /// The challenge of [`CardAsk::Draw`] is forgotten, and a card that is kept for it let go.
    LetGo(String),
    /// Tell the server what became of a card, now or when it can be reached.
    Tell(Told),
    /// Tell the server how a session ended at the card.
    Result {
        /// The session.
        session: String,
        /// How.
        outcome: Outcome,
        /// The same as a report, where the session cannot be reached any more.
        told: Told,
    },
    /// Tell the server that the user does not want the task of this session now.
    Later(String),
}

/// What is asked of a card. Each is one transaction, except where a drawn challenge keeps it.
pub enum CardAsk {
    /// VERIFY.
    Verify(Zeroizing<String>),
    /// A challenge. It ends the one before.
    Draw {
        /// Only where the PIN is blocked still, as the card says now; else it is [`super::CardAnswer::GivenUp`].
        blocked: bool,
        /// The transaction lasts until the response is used or the card is let go.
        keep: bool,
    },
    /// The response to the challenge that was drawn, and the new PIN. Nothing is sent where the challenge is dead.
    Respond {
        /// The challenge.
        challenge: Vec<u8>,
        /// Its response.
        response: Vec<u8>,
        /// The new PIN.
        pin: Zeroizing<String>,
    },
    /// The PUK, and the new PIN.
    Puk {
        /// The PUK.
        puk: Zeroizing<String>,
        /// The new PIN.
        pin: Zeroizing<String>,
    },
}

/// Which command it is, without what it carries.
impl fmt::Debug for CardAsk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Verify(_) => "Verify",
            Self::Draw { keep: true, .. } => "Draw, kept",
            Self::Draw { keep: false, .. } => "Draw",
            Self::Respond { .. } => "Respond",
            Self::Puk { .. } => "Puk",
        })
    }
}

/// What is asked of a server.
pub enum ServerAsk {
    /// What it would offer for the card, without beginning anything.
    Ways(Open),
    /// A session of questions.
    Open(Open),
    /// What an agent is to do.
    Task(Open),
    /// Whether these are right.
    Answers {
        /// The session.
        session: String,
        /// One for each question.
        answers: Answers,
    },
    /// The response to a challenge.
    Response {
        /// The session.
        session: String,
        /// What the card is known by: a response for another is refused.
        card: String,
        /// The challenge.
        challenge: Vec<u8>,
    },
}

/// What became of a card: a report without when and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// What the card is known by.
    pub serial: String,
    /// What happened.
    pub kind: ReportKind,
    /// Fingerprint of the challenge that was answered.
    pub challenge: Option<String>,
    /// The card's status word.
    pub status_word: Option<u16>,
    /// Tries left.
    pub tries_left: Option<u8>,
}
