//! What is shown.

use cardlab_protocol::workstation::Question;

/// One state of the lock screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Screen {
    /// No card, or no reader.
    Insert {
        /// What is missing.
        message: String,
    },
    /// PIN entry.
    Pin {
        /// Which card.
        card: String,
        /// Tries left, where the card tells.
        left: Option<u8>,
    },
    /// The PIN was right.
    Welcome {
        /// Which card.
        card: String,
    },
    /// The PIN is blocked.
    Locked {
        /// Which card.
        card: String,
        /// Whether a server is set.
        online: bool,
        /// Whether the card answers challenges.
        offline: bool,
        /// Why neither is, or more about it.
        message: String,
    },
    /// Security questions.
    Questions {
        /// What to ask.
        questions: Vec<Question>,
    },
    /// A new PIN after right answers.
    NewPin {
        /// The card's rules.
        rules: String,
    },
    /// A challenge that waits for its response.
    Challenge {
        /// In fours.
        grouped: String,
        /// Two digits to compare.
        check: String,
        /// The card's rules.
        rules: String,
        /// Whom to call.
        text: String,
    },
    /// The card is unlocked.
    Done,
}

/// A screen with what has just gone wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The screen.
    pub screen: Screen,
    /// What was wrong and what to do, or empty.
    pub error: String,
}

impl Screen {
    /// With nothing wrong.
    #[must_use]
    pub const fn plain(self) -> Shown {
        Shown { screen: self, error: String::new() }
    }

    /// With what was wrong.
    pub fn with(self, error: impl Into<String>) -> Shown {
        Shown { screen: self, error: error.into() }
    }
}
