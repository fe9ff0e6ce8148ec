//! What is shown, in words: the one place where a session's sentences are, for lock screen, terminal and scenarios alike.
//!
//! Sentences begin with a capital and end with a full stop; what is pressed is named as on its button. A translation
//! replaces this file.

use super::input::Disturbance;
use super::shown::{Chip, Face, Faults, LockedView, Loss, Notice, Online, Responses, Screen, Shown, Trouble, Work};
use crate::minidriver::{CardError, PinCharacters, PinPolicy, Secret};
use crate::service::ServiceError;
use crate::transport::TransportError;

/// Button: types a PIN.
pub const SIGN_IN: &str = "Sign in";
/// Button: chooses the questions.
pub const ANSWER_QUESTIONS: &str = "Answer your questions";
/// Button: gives the answers.
pub const CHECK_ANSWERS: &str = "Check answers";
/// Button: sends the response or the PUK and the new PIN.
pub const UNLOCK: &str = "Unlock";
/// Button: the PUK way.
pub const USE_PUK: &str = "Unlock with your PUK";
/// Button: the last response.
pub const SURE: &str = "Use the last response";
/// Button: the last PUK.
pub const SURE_PUK: &str = "Use the last try";
/// Button: a new PIN although the old one is good.
pub const ALL_THE_SAME: &str = "Set a new PIN all the same";
/// Button: back.
pub const CANCEL: &str = "Cancel";
/// Button: what was done is seen.
pub const OK: &str = "OK";
/// Button: after a welcome.
pub const LOCK_AGAIN: &str = "Lock again";
/// Button: asks card and server once more.
pub const TRY_AGAIN: &str = "Try again";
/// Button: another card.
pub const OTHER_CARD: &str = "Use another card";
/// Field: the response.
pub const RESPONSE: &str = "Response data";
/// Heading: the challenge.
pub const CHALLENGE: &str = "Challenge data";
/// Field: confirmation.
pub const CONFIRM: &str = "Confirm new PIN";
/// Field: the PUK.
pub const PUK: &str = "PUK";
/// Heading: the way by an operator.
pub const OPERATOR: &str = "Unlock with an operator";
/// Heading beside it.
pub const OR_QUESTIONS: &str = "Or answer your security questions";
/// That letters of another script were read as Latin ones.
pub const LOOKALIKES: &str = "Cyrillic letters were read as the Latin ones that they look like.";
/// Longest text of a server or a card that is shown.
const LONGEST: usize = 500;

/// A message as a sentence.
#[must_use]
pub fn sentence(message: &str) -> String {
    let message = visible(message);
    let mut characters = message.chars();
    let first = characters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    let end = if message.ends_with(['.', '?', '!']) { "" } else { "." };
    format!("{first}{}{end}", characters.as_str())
}

/// A text of somebody else as it may be shown: control characters are made visible, and one that is too long is cut.
#[must_use]
pub fn visible(text: &str) -> String {
    let shown = |c: char| match c {
        '\n' | '\t' => ' ',
        // Pictures of the controls of ASCII.
        c if (c as u32) < 0x20 => char::from_u32(0x2400 + c as u32).unwrap_or('\u{FFFD}'),
        '\x7f' => '\u{2421}',
        // What else controls, or turns the direction of text round.
        c if c.is_control() || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}') => '\u{FFFD}',
        c => c,
    };
    let mut cut: String = text.chars().take(LONGEST).map(shown).collect();
    if text.chars().nth(LONGEST).is_some() {
        cut.push('…');
    }
    cut
}

/// So many of something.
fn count(number: u8, one: &str, more: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {more}") }
}

/// Tries that are left.
#[must_use]
pub fn tries(left: u8) -> String {
    count(left, "try left", "tries left")
}

/// The rules of a new PIN.
#[must_use]
pub fn rules(policy: &PinPolicy) -> String {
    let kind = if policy.characters == PinCharacters::Digits { "digits" } else { "characters" };
    format!("{} to {} {kind}", policy.minimum, policy.maximum)
}

/// The label of the field for a new PIN.
#[must_use]
pub fn new_pin(policy: &PinPolicy) -> String {
    format!("New PIN, {}", rules(policy))
}

impl Face {
    /// The card by its last digits.
    #[must_use]
    pub fn card(&self) -> String {
        if self.serial.is_empty() { self.kind.clone() } else { format!("Card ···{}", self.last_digits()) }
    }

    /// The owner and the last digits, else what kind of card it is.
    #[must_use]
    pub fn name(&self) -> String {
        match (&self.owner, self.serial.is_empty()) {
            (Some(owner), true) => visible(owner),
            (Some(owner), false) => format!("{} ···{}", visible(owner), self.last_digits()),
            (None, true) => self.kind.clone(),
            (None, false) => format!("{} ···{}", self.kind, self.last_digits()),
        }
    }

    /// The name that one is called by.
    #[must_use]
    pub fn first_name(&self) -> Option<String> {
        let owner = visible(self.owner.as_deref()?);
        owner.split_whitespace().next().map(str::to_owned)
    }

    /// Two letters.
    #[must_use]
    pub fn initials(&self) -> String {
        let owner = visible(self.owner.as_deref().unwrap_or_default());
        let mut letters = owner.split_whitespace().filter_map(|word| word.chars().next());
        let (first, last) = (letters.next(), letters.next_back());
        first.into_iter().chain(last).flat_map(char::to_uppercase).collect()
    }

    fn addressed(&self, what: &str) -> String {
        self.first_name().map_or_else(|| format!("Your {what}"), |name| format!("{name}, your {what}"))
    }
}

impl Chip {
    /// What it is called.
    #[must_use]
    pub fn name(&self) -> String {
        self.face.as_ref().map_or_else(|| self.reader.clone(), Face::name)
    }

    /// How it is.
    #[must_use]
    pub fn state(&self) -> String {
        match (&self.trouble, self.blocked, self.left) {
            (Some(Trouble::Looking), ..) => "Being looked at.".into(),
            (Some(Trouble::Held), ..) => "In use by another program.".into(),
            (Some(Trouble::Strange(error)), ..) => sentence(&error.to_string()),
            (None, true, _) => "Locked.".into(),
            (None, false, Some(left)) => format!("Not locked, {}.", tries(left)),
            (None, false, None) => "Not locked.".into(),
        }
    }
}

impl Screen {
    /// Its headline.
    #[must_use]
    pub fn title(&self) -> String {
        match self {
            Self::Looking => "Looking for card readers".into(),
            Self::NoService(_) => "There is no card reader".into(),
            Self::Insert => "Insert your card".into(),
            Self::Choose(cards) if cards.iter().any(|card| card.trouble.is_none()) => "Choose your card".into(),
            Self::Choose(cards) if cards.iter().any(|card| card.trouble == Some(Trouble::Looking)) => {
                "Looking at the card".into()
            }
            Self::Choose(cards) if cards.iter().any(|card| card.trouble == Some(Trouble::Held)) => "The card is in use".into(),
            Self::Choose(_) => "This card cannot be used".into(),
            Self::PutBack(card) if card.serial.is_empty() => "Put the card back".into(),
            Self::PutBack(card) => format!("Put the card ···{} back", card.last_digits()),
            Self::Pin(card, _) => card.first_name().map_or_else(|| "Smart card".into(), |name| format!("Hello, {name}")),
            Self::Welcome(card) => card.first_name().map_or_else(|| "Welcome".into(), |name| format!("Welcome, {name}")),
            Self::NotBlocked(card, _) => card.addressed("card is not locked"),
            Self::Locked(view) => view.card.addressed("card is locked"),
            Self::LastResponse(_) => "This is the last response that the card takes".into(),
            Self::LastPuk(_) => "This is the last try of the PUK".into(),
            Self::Puk(_) => USE_PUK.into(),
            Self::Questions { task: true, .. } => "Your operator asks you to set a new PIN".into(),
            Self::Questions { .. } => "Your security questions".into(),
            Self::NewPin { .. } => "Choose a new PIN".into(),
            Self::Working(_, Work::Asking) => "Asking the server".into(),
            Self::Working(_, Work::Judging) => "Checking your answers".into(),
            Self::Working(_, Work::Verifying) => "Checking your PIN".into(),
            Self::Working(_, Work::Unlocking) => "Unlocking the card".into(),
            Self::Done(_) => "The card is unlocked".into(),
            Self::Lost(_, Loss::NotInitialised) => "This card has no PIN yet".into(),
            Self::Lost(card, _) => card.addressed("card cannot be unlocked any more"),
            Self::RemoteDesktop(card) => card.addressed("card is locked"),
            Self::NoTask(_) => "There is nothing to do for this card".into(),
        }
    }

    /// What it says below.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        match self {
            Self::NoService(why) => vec![sentence(why)],
            Self::Looking | Self::Insert | Self::Choose(_) => vec![],
            Self::PutBack(card) => {
                let owner = card.owner.as_deref().map(|owner| format!(" of {}", visible(owner))).unwrap_or_default();
                vec![format!("The {}{owner} was pulled out. Any reader will do.", card.kind)]
            }
            Self::Pin(_, left) => left.iter().map(|left| sentence(&tries(*left))).collect(),
            Self::Welcome(_) => vec!["The PIN is right.".into()],
            Self::NotBlocked(_, left) => {
                let left = left.map(|left| format!(", {}", tries(left))).unwrap_or_default();
                vec![format!("The PIN is not blocked{left}. There is nothing to unlock.")]
            }
            Self::Locked(view) => view.lines(),
            Self::LastResponse(_) => vec![
                "A wrong one blocks the administrator key, and the card is lost for good.".into(),
                "Compare the check code with your operator before you use it.".into(),
            ],
            Self::LastPuk(_) => vec!["A wrong one blocks the PUK, and the card is lost for good.".into()],
            Self::Puk(view) => view.left.iter().map(|left| sentence(&tries(*left))).collect(),
            Self::Questions { .. } => vec!["Upper and lower case do not matter.".into()],
            Self::NewPin { .. } => vec!["Your answers are right.".into()],
            Self::Working(..) => vec!["One moment, please. Leave the card in the reader.".into()],
            Self::Done(_) => vec!["Your new PIN is set.".into()],
            Self::Lost(_, loss) => vec![lost(*loss)],
            Self::RemoteDesktop(_) => vec![
                "Unlocking a card is not supported on the lock screen of a Remote Desktop connection.".into(),
                "Unlock it at the computer itself, or sign in another way and unlock it in the session.".into(),
            ],
            Self::NoTask(_) => vec!["The server has no task for it.".into()],
        }
    }
}

fn lost(loss: Loss) -> String {
    match loss {
        Loss::Key => "The administrator key is blocked after too many wrong responses. Ask for a replacement.",
        Loss::Puk => "The PUK is blocked after too many wrong ones. Ask for a replacement.",
        Loss::Both => "Administrator key and PUK are both blocked. Ask for a replacement.",
        Loss::NotInitialised => "It is not initialised: there is nothing to unlock.",
    }
    .into()
}

impl LockedView {
    fn lines(&self) -> Vec<String> {
        let mut lines = vec![self.why()];
        lines.extend(self.offline_note());
        lines.extend(self.online_note());
        lines
    }

    /// Why it is locked, and which card it is.
    #[must_use]
    pub fn why(&self) -> String {
        let why = if self.wrongly { "The PIN was entered wrongly too often." } else { "Its PIN is blocked." };
        format!("{why} {}.", self.card.card())
    }

    /// What is to be done with the code, or why there is none.
    #[must_use]
    pub fn offline_note(&self) -> Option<String> {
        match self.responses {
            Responses::Off => {
                Some("Your administrator has switched off unlocking with an operator (Unblock card offline).".into())
            }
            Responses::PukOnly => Some("This card is unlocked with its PUK.".into()),
            Responses::KeyBlocked => {
                Some("Its administrator key is blocked after too many wrong responses; its PUK unlocks it still.".into())
            }
            Responses::Taken(_) if self.code.is_some() => Some("Leave the card in the reader: the code ends with it.".into()),
            Responses::Taken(_) if self.drawing => Some("The card makes a code.".into()),
            Responses::Taken(_) => Some("There is no code now.".into()),
        }
    }

    /// What was read otherwise than it was typed.
    #[must_use]
    pub fn read_as(&self) -> Option<&'static str> {
        cardlab_protocol::codes::has_lookalikes(&self.typed).then_some(LOOKALIKES)
    }

    /// Responses that are left before it is too late.
    #[must_use]
    pub fn left(&self) -> Option<String> {
        let Responses::Taken(Some(left)) = self.responses else { return None };
        let lost = if self.puk { "the administrator key is blocked" } else { "the card is lost for good" };
        Some(format!("{} before {lost}.", count(left, "response left", "responses left")))
    }

    /// Whether asking once more may bring a code, or the server.
    #[must_use]
    pub fn may_try_again(&self) -> bool {
        let no_code = self.code.is_none() && !self.drawing && matches!(self.responses, Responses::Taken(_));
        no_code || matches!(self.online, Online::Failed(_))
    }

    /// What is known of the other way.
    #[must_use]
    pub fn online_note(&self) -> Option<String> {
        match &self.online {
            Online::NoServer | Online::Yes | Online::No => None,
            Online::Asking => Some("Asking the server whether you can answer your security questions.".into()),
            Online::Failed(error) => Some(sentence(&error.to_string())),
        }
    }
}

impl Faults {
    /// What is wrong with the response.
    #[must_use]
    pub fn response(&self) -> Option<String> {
        self.response.as_ref().map(|fault| sentence(&fault.to_string()))
    }

    /// What is wrong with the PUK.
    #[must_use]
    pub fn puk(&self) -> Option<String> {
        self.puk.map(|fault| sentence(&fault.to_string()))
    }

    /// What is wrong with the new PIN.
    #[must_use]
    pub fn pin(&self) -> Option<String> {
        self.pin.map(|fault| sentence(&fault.to_string()))
    }

    /// What is wrong with its confirmation.
    #[must_use]
    pub fn confirmation(&self) -> Option<String> {
        self.confirmation.map(|fault| sentence(&fault.to_string()))
    }

    fn lines(&self) -> impl Iterator<Item = String> {
        [self.response(), self.puk(), self.pin(), self.confirmation()].into_iter().flatten()
    }
}

impl Notice {
    /// In words.
    #[must_use]
    pub fn text(&self) -> String {
        let new_code = "Here is a new one.";
        match self {
            Self::Card(CardError::Transport(TransportError::Reset)) => "Another program reset the card; try it again.".into(),
            Self::Card(CardError::Wrong { secret: Secret::Puk, left: Some(0) } | CardError::Blocked(Secret::Puk)) => {
                "The PUK is blocked.".into()
            }
            Self::Card(
                CardError::Unexpected { .. }
                | CardError::Transport(
                    TransportError::Other(_) | TransportError::Silent(_) | TransportError::Short(_) | TransportError::Endless,
                ),
            ) => "The card gives no answer that makes sense. Pull it out and put it in again.".into(),
            Self::Card(error) => sentence(&error.to_string()),
            Self::ResponseWrong(Some(0)) => {
                "The response was wrong, and it was the last: the administrator key is blocked.".into()
            }
            Self::ResponseWrong(Some(left)) => {
                format!("The response was wrong; {}. The code is used up. {new_code}", tries(*left))
            }
            Self::ResponseWrong(None) => format!("The response was wrong. The code is used up. {new_code}"),
            Self::Pin(fault) => sentence(&fault.to_string()),
            Self::CodeDead(Disturbance::Reset) => format!("Another program reset the card; its code is dead. {new_code}"),
            Self::CodeDead(Disturbance::OtherProgram) => {
                format!("Another program used the card: it no longer waits for this response. No try was spent. {new_code}")
            }
            Self::CodeDead(Disturbance::TimeOver) => {
                format!("Ten minutes are over: the card was free for other programs. {new_code}")
            }
            Self::CodeDead(Disturbance::Removed) => {
                "The card was pulled out: the code of before is dead, and so is the response to it.".into()
            }
            Self::UnlockedElsewhere => "Another program has unlocked the card.".into(),
            Self::AnswersWrong => "That is not right. Try again.".into(),
            Self::OnlineNot => "Questions cannot be answered for this card now; your operator can help.".into(),
            Self::OnlineOver => "That was wrong too often. Your operator can help.".into(),
            Self::SessionOver => "The time for answering is over. You can start again.".into(),
            Self::Server(error @ (ServiceError::Refused(_) | ServiceError::Busy(_))) => sentence(&error.to_string()),
            Self::Server(error) => format!("{} Your operator can help.", sentence(&error.to_string())),
            Self::NoSerial => "This card has no serial that the server could know it by.".into(),
            Self::TooLate => "That came too late; look again at what is shown.".into(),
            Self::GivenUp => "Given up. Nothing was sent to the card.".into(),
        }
    }
}

impl Shown {
    /// That another program holds the card.
    #[must_use]
    pub fn held(&self) -> Option<String> {
        self.held.as_ref().map(|reader| format!("Another program is using the card in {reader}. Waiting for it."))
    }

    /// All that can be read, in its order, and what can be pressed.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        let mut words: Vec<String> = self.notice.iter().map(Notice::text).chain(self.held()).collect();
        words.push(self.screen.title());
        words.extend(self.screen.lines());
        words.extend(self.more());
        words.extend(self.others.iter().map(|chip| format!("{}: {}", chip.name(), chip.state())));
        words
    }

    fn more(&self) -> Vec<String> {
        let mut words = Vec::new();
        let mut say = |texts: &[&str]| words.extend(texts.iter().map(|text| (*text).to_owned()));
        match &self.screen {
            Screen::Choose(cards) => cards.iter().for_each(|chip| say(&[&format!("{}: {}", chip.name(), chip.state())])),
            Screen::Pin(..) => say(&[SIGN_IN]),
            Screen::Welcome(_) => say(&[LOCK_AGAIN]),
            Screen::NotBlocked(..) => say(&[ALL_THE_SAME]),
            Screen::Locked(view) => {
                if let Some(code) = &view.code {
                    say(&[OPERATOR, CHALLENGE, &code.grouped(), &format!("Check code {}", code.check()), RESPONSE]);
                    say(&[&*new_pin(&view.policy), CONFIRM, UNLOCK, CANCEL]);
                    view.left().iter().for_each(|left| say(&[left]));
                    view.read_as().iter().for_each(|note| say(&[note]));
                }
                if !view.text.is_empty() {
                    say(&[&visible(&view.text)]);
                }
                if view.online == Online::Yes {
                    say(&[OR_QUESTIONS, ANSWER_QUESTIONS]);
                }
                if view.may_try_again() {
                    say(&[TRY_AGAIN]);
                }
                if view.puk {
                    say(&[USE_PUK]);
                }
                view.faults.lines().for_each(|fault| say(&[&fault]));
            }
            Screen::LastResponse(_) => say(&[SURE, CANCEL]),
            Screen::LastPuk(_) => say(&[SURE_PUK, CANCEL]),
            Screen::Puk(view) => {
                say(&[PUK, &*new_pin(&view.policy), CONFIRM, UNLOCK, CANCEL]);
                view.faults.lines().for_each(|fault| say(&[&fault]));
            }
            Screen::Questions { questions, .. } => {
                questions.iter().for_each(|question| say(&[&visible(&question.text)]));
                say(&[CHECK_ANSWERS, CANCEL]);
            }
            Screen::NewPin { policy, faults, .. } => {
                say(&[&*new_pin(policy), CONFIRM, UNLOCK, CANCEL]);
                faults.lines().for_each(|fault| say(&[&fault]));
            }
            Screen::Working(..) => say(&[CANCEL]),
            Screen::Done(_) => say(&[OK]),
            Screen::Looking
            | Screen::NoService(_)
            | Screen::Insert
            | Screen::PutBack(_)
            | Screen::Lost(..)
            | Screen::RemoteDesktop(_)
            | Screen::NoTask(_) => {}
        }
        words
    }
}
