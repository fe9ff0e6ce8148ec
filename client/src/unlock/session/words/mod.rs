//! What is shown, in words: the one place where a session says something, for lock screen, terminal and scenarios alike. The
//! sentences are in the crate's `words/`, one file a language, in Fluent's syntax; another language is another file, and its name in
//! `language`.
//!
//! Sentences begin with a capital and end with a full stop; what is pressed is named as on its button.

mod errors;
mod language;

pub use language::{Language, Word, plain};

use super::input::Disturbance;
use super::shown::{Chip, Face, Faults, LockedView, Loss, Notice, Online, Responses, Screen, Shown, Trouble, Work};
use crate::minidriver::{CardError, PinCharacters, PinPolicy, Secret};
use crate::recognise::Edge;
use crate::service::ServiceError;
use crate::transport::TransportError;
use errors::text;
use language::{counted, say};
use std::fmt::Display;

/// Button: types a PIN.
pub const SIGN_IN: Word = Word("sign-in");
/// Button: chooses the questions.
pub const ANSWER_QUESTIONS: Word = Word("answer-questions");
/// Button: gives the answers.
pub const CHECK_ANSWERS: Word = Word("check-answers");
/// Button: sends the response or the PUK and the new PIN.
pub const UNLOCK: Word = Word("unlock");
/// Button: the PUK way.
pub const USE_PUK: Word = Word("use-puk");
/// Button: the last response.
pub const SURE: Word = Word("sure");
/// Button: the last PUK.
pub const SURE_PUK: Word = Word("sure-puk");
/// Button: a new PIN although the old one is good.
pub const ALL_THE_SAME: Word = Word("all-the-same");
/// Button: back.
pub const CANCEL: Word = Word("cancel");
/// Button: what was done is seen.
pub const OK: Word = Word("ok");
/// Button: after a welcome.
pub const LOCK_AGAIN: Word = Word("lock-again");
/// Button: asks card and server once more.
pub const TRY_AGAIN: Word = Word("try-again");
/// Button: another card.
pub const OTHER_CARD: Word = Word("other-card");
/// Field: the response.
pub const RESPONSE: Word = Word("response");
/// Heading: the challenge.
pub const CHALLENGE: Word = Word("challenge");
/// Field: confirmation.
pub const CONFIRM: Word = Word("confirm");
/// Field: the PUK.
pub const PUK: Word = Word("puk");
/// Heading: the way by an operator.
pub const OPERATOR: Word = Word("operator");
/// Heading beside it.
pub const OR_QUESTIONS: Word = Word("or-questions");
/// That letters of another script were read as Latin ones.
pub const LOOKALIKES: Word = Word("lookalikes");
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

/// Tries that are left.
#[must_use]
pub fn tries(left: u8) -> String {
    counted("tries-left", left)
}

/// A sentence about a PIN, by what it is made of.
fn of_policy(policy: &PinPolicy, digits: &str, characters: &str) -> String {
    let key = if policy.characters == PinCharacters::Digits { digits } else { characters };
    say(key, &[("least", policy.minimum.into()), ("most", policy.maximum.into())])
}

/// The rules of a new PIN.
#[must_use]
pub fn rules(policy: &PinPolicy) -> String {
    of_policy(policy, "rules-digits", "rules-characters")
}

/// The label of the field for a new PIN.
#[must_use]
pub fn new_pin(policy: &PinPolicy) -> String {
    of_policy(policy, "new-pin-digits", "new-pin-characters")
}

/// That a form is too long for its page, which takes so many bytes.
#[must_use]
pub fn too_long(most: usize) -> String {
    say("page-too-long", &[("most", most.into())])
}

/// What one of the fields of a response is called.
#[must_use]
pub fn group(number: usize) -> String {
    say("page-group", &[("count", number.into())])
}

/// A sentence that the page's script says, with `{digit}`, `{count}`, `{all}` and `{code}` where those go.
#[must_use]
pub fn for_script(key: &str) -> String {
    say(key, &["digit", "count", "all", "code"].map(|name| (name, format!("{{{name}}}").into())))
}

impl Face {
    /// What kind of card it is.
    #[must_use]
    pub fn kind(&self) -> String {
        match self.edge {
            Edge::Gids { initialised: true } => plain("card-gids"),
            Edge::Gids { initialised: false } => plain("card-gids-new"),
            // A name.
            Edge::Piv { yubikey: Some(_), .. } => self.edge.name(),
            Edge::Piv { admin_unblock: true, .. } => plain("card-piv-managed"),
            Edge::Piv { .. } => plain("card-piv"),
        }
    }

    /// The last digits of the serial, as those of a longer one.
    fn digits(&self) -> String {
        format!("···{}", self.last_digits())
    }

    /// The card by its last digits.
    #[must_use]
    pub fn card(&self) -> String {
        if self.serial.is_empty() { self.kind() } else { say("card", &[("digits", self.digits().into())]) }
    }

    /// The owner and the last digits, else what kind of card it is.
    #[must_use]
    pub fn name(&self) -> String {
        let called = self.owner.as_deref().map_or_else(|| self.kind(), visible);
        if self.serial.is_empty() { called } else { format!("{called} {}", self.digits()) }
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

    /// One of two sentences: to somebody whose name is known, and else.
    fn addressed(&self, named: &str, nameless: &str) -> String {
        self.first_name().map_or_else(|| plain(nameless), |name| say(named, &[("name", name.into())]))
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
            (Some(Trouble::Looking), ..) => plain("chip-looking"),
            (Some(Trouble::Held), ..) => plain("chip-held"),
            (Some(Trouble::Strange(error)), ..) => errors::card(error),
            (None, true, _) => plain("chip-locked"),
            (None, false, Some(left)) => counted("chip-not-locked-left", left),
            (None, false, None) => plain("chip-not-locked"),
        }
    }
}

impl Screen {
    /// Its headline.
    #[must_use]
    pub fn title(&self) -> String {
        let any = |cards: &[Chip], trouble: &Option<Trouble>| cards.iter().any(|card| card.trouble == *trouble);
        match self {
            Self::Looking => plain("title-looking"),
            Self::NoService(_) => plain("title-no-service"),
            Self::Insert => plain("title-insert"),
            Self::Choose(cards) if any(cards, &None) => plain("title-choose"),
            Self::Choose(cards) if any(cards, &Some(Trouble::Looking)) => plain("title-choose-looking"),
            Self::Choose(cards) if any(cards, &Some(Trouble::Held)) => plain("title-choose-held"),
            Self::Choose(_) => plain("title-choose-none"),
            Self::PutBack(card) if card.serial.is_empty() => plain("title-put-back"),
            Self::PutBack(card) => say("title-put-back-card", &[("digits", card.digits().into())]),
            Self::Pin(card, _) => card.addressed("title-pin-name", "title-pin"),
            Self::Welcome(card) => card.addressed("title-welcome-name", "title-welcome"),
            Self::NotBlocked(card, _) => card.addressed("title-not-blocked-name", "title-not-blocked"),
            Self::Locked(view) => view.card.addressed("title-locked-name", "title-locked"),
            Self::LastResponse(_) => plain("title-last-response"),
            Self::LastPuk(_) => plain("title-last-puk"),
            Self::Puk(_) => USE_PUK.to_string(),
            Self::Questions { task: true, .. } => plain("title-task"),
            Self::Questions { .. } => plain("title-questions"),
            Self::NewPin { .. } => plain("title-new-pin"),
            Self::Working(_, Work::Asking) => plain("title-asking"),
            Self::Working(_, Work::Judging) => plain("title-judging"),
            Self::Working(_, Work::Verifying) => plain("title-verifying"),
            Self::Working(_, Work::Unlocking) => plain("title-unlocking"),
            Self::Done(_) => plain("title-done"),
            Self::Lost(_, Loss::NotInitialised) => plain("title-no-pin"),
            Self::Lost(card, _) => card.addressed("title-lost-name", "title-lost"),
            Self::RemoteDesktop(card) => card.addressed("title-locked-name", "title-locked"),
            Self::NoTask(_) => plain("title-no-task"),
        }
    }

    /// What it says below.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        match self {
            Self::NoService(why) => vec![sentence(why)],
            Self::Looking | Self::Insert | Self::Choose(_) => vec![],
            Self::PutBack(card) => vec![match &card.owner {
                Some(owner) => say("pulled-out-of", &[("kind", card.kind().into()), ("name", text(owner))]),
                None => say("pulled-out", &[("kind", card.kind().into())]),
            }],
            Self::Pin(_, left) => left.iter().map(|left| sentence(&tries(*left))).collect(),
            Self::Welcome(_) => vec![plain("pin-right")],
            Self::NotBlocked(_, left) => {
                vec![left.map_or_else(|| plain("pin-not-blocked"), |left| counted("pin-not-blocked-left", left))]
            }
            Self::Locked(view) => view.lines(),
            Self::LastResponse(_) => vec![plain("last-response-lost"), plain("last-response-compare")],
            Self::LastPuk(_) => vec![plain("last-puk-lost")],
            Self::Puk(view) => view.left.iter().map(|left| sentence(&tries(*left))).collect(),
            Self::Questions { .. } => vec![plain("capitals")],
            Self::NewPin { .. } => vec![plain("answers-right")],
            Self::Working(..) => vec![plain("moment")],
            Self::Done(_) => vec![plain("pin-set")],
            Self::Lost(_, loss) => vec![lost(*loss)],
            Self::RemoteDesktop(_) => vec![plain("remote-desktop"), plain("remote-desktop-then")],
            Self::NoTask(_) => vec![plain("no-task")],
        }
    }
}

fn lost(loss: Loss) -> String {
    plain(match loss {
        Loss::Key => "lost-key",
        Loss::Puk => "lost-puk",
        Loss::Both => "lost-both",
        Loss::NotInitialised => "lost-not-initialised",
    })
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
        let why = match (self.wrongly, self.pin_tries) {
            (true, Some(tries)) => counted("wrongly", tries),
            (true, None) => plain("wrongly-often"),
            (false, _) => plain("pin-blocked"),
        };
        format!("{why} {}.", self.card.card())
    }

    /// What is to be done with the code, or why there is none.
    #[must_use]
    pub fn offline_note(&self) -> Option<String> {
        Some(plain(match self.responses {
            Responses::Off => "offline-off",
            Responses::PukOnly => "offline-puk-only",
            Responses::KeyBlocked => "offline-key-blocked",
            Responses::Taken(_) if self.code.is_some() => "offline-leave",
            Responses::Taken(_) if self.drawing => "offline-drawing",
            Responses::Taken(_) => "offline-none",
        }))
    }

    /// What was read otherwise than it was typed.
    #[must_use]
    pub fn read_as(&self) -> Option<Word> {
        cardlab_protocol::codes::has_lookalikes(&self.typed).then_some(LOOKALIKES)
    }

    /// Responses that are left before it is too late.
    #[must_use]
    pub fn left(&self) -> Option<String> {
        let Responses::Taken(Some(left)) = self.responses else { return None };
        Some(counted(if self.puk { "responses-left-key" } else { "responses-left-card" }, left))
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
            Online::Asking => Some(plain("online-asking")),
            Online::Failed(error) => Some(errors::service(error)),
        }
    }
}

impl Faults {
    /// What is wrong with the response.
    #[must_use]
    pub fn response(&self) -> Option<String> {
        self.response.as_ref().map(errors::code)
    }

    /// What is wrong with the PUK.
    #[must_use]
    pub fn puk(&self) -> Option<String> {
        self.puk.map(errors::pin)
    }

    /// What is wrong with the new PIN.
    #[must_use]
    pub fn pin(&self) -> Option<String> {
        self.pin.map(errors::pin)
    }

    /// What is wrong with its confirmation.
    #[must_use]
    pub fn confirmation(&self) -> Option<String> {
        self.confirmation.map(errors::pin)
    }

    fn lines(&self) -> impl Iterator<Item = String> {
        [self.response(), self.puk(), self.pin(), self.confirmation()].into_iter().flatten()
    }
}

impl Notice {
    /// In words.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Card(CardError::Transport(TransportError::Reset)) => plain("card-reset"),
            Self::Card(CardError::Wrong { secret: Secret::Puk, left: Some(0) } | CardError::Blocked(Secret::Puk)) => {
                plain("puk-blocked")
            }
            Self::Card(
                CardError::Unexpected { .. }
                | CardError::Transport(
                    TransportError::Other(_) | TransportError::Silent(_) | TransportError::Short(_) | TransportError::Endless,
                ),
            ) => plain("no-sense"),
            Self::Card(error) => errors::card(error),
            Self::ResponseWrong(Some(0)) => plain("response-wrong-last"),
            Self::ResponseWrong(Some(left)) => counted("response-wrong-left", *left),
            Self::ResponseWrong(None) => plain("response-wrong"),
            Self::Pin(fault) => errors::pin(*fault),
            Self::CodeDead(Disturbance::Reset) => plain("dead-reset"),
            Self::CodeDead(Disturbance::OtherProgram) => plain("dead-other"),
            Self::CodeDead(Disturbance::Overtaken) => plain("dead-overtaken"),
            Self::CodeDead(Disturbance::TimeOver) => plain("dead-time"),
            Self::CodeDead(Disturbance::Removed) => plain("dead-removed"),
            Self::UnlockedElsewhere => plain("unlocked-elsewhere"),
            Self::AnswersWrong => plain("answers-wrong"),
            Self::OnlineNot => plain("online-not"),
            Self::OnlineOver => plain("online-over"),
            Self::SessionOver => plain("session-over"),
            Self::Server(error @ (ServiceError::Refused(_) | ServiceError::Busy(_))) => errors::service(error),
            Self::Server(error) => say("operator-helps", &[("said", errors::service(error).into())]),
            Self::NoSerial => plain("no-serial"),
            Self::TooLate => plain("too-late"),
            Self::GivenUp => plain("given-up"),
        }
    }
}

impl Shown {
    /// That another program holds the card.
    #[must_use]
    pub fn held(&self) -> Option<String> {
        self.held.as_ref().map(|reader| say("held", &[("reader", text(reader))]))
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
        let mut add = |texts: &[&dyn Display]| words.extend(texts.iter().map(ToString::to_string));
        match &self.screen {
            Screen::Choose(cards) => cards.iter().for_each(|chip| add(&[&format!("{}: {}", chip.name(), chip.state())])),
            Screen::Pin(..) => add(&[&SIGN_IN]),
            Screen::Welcome(_) => add(&[&LOCK_AGAIN]),
            Screen::NotBlocked(..) => add(&[&ALL_THE_SAME]),
            Screen::Locked(view) => {
                if let Some(code) = &view.code {
                    add(&[
                        &OPERATOR,
                        &CHALLENGE,
                        &code.grouped(),
                        &format!("{} {}", plain("page-check-code"), code.check()),
                        &RESPONSE,
                    ]);
                    add(&[&new_pin(&view.policy), &CONFIRM, &UNLOCK, &CANCEL]);
                    view.left().iter().for_each(|left| add(&[left]));
                    view.read_as().iter().for_each(|note| add(&[note]));
                }
                if !view.text.is_empty() {
                    add(&[&visible(&view.text)]);
                }
                if view.online == Online::Yes {
                    add(&[&OR_QUESTIONS, &ANSWER_QUESTIONS]);
                }
                if view.may_try_again() {
                    add(&[&TRY_AGAIN]);
                }
                if view.puk {
                    add(&[&USE_PUK]);
                }
                view.faults.lines().for_each(|fault| add(&[&fault]));
            }
            Screen::LastResponse(_) => add(&[&SURE, &CANCEL]),
            Screen::LastPuk(_) => add(&[&SURE_PUK, &CANCEL]),
            Screen::Puk(view) => {
                add(&[&PUK, &new_pin(&view.policy), &CONFIRM, &UNLOCK, &CANCEL]);
                view.faults.lines().for_each(|fault| add(&[&fault]));
            }
            Screen::Questions { questions, .. } => {
                questions.iter().for_each(|question| add(&[&visible(&question.text)]));
                add(&[&CHECK_ANSWERS, &CANCEL]);
            }
            Screen::NewPin { policy, faults, .. } => {
                add(&[&new_pin(policy), &CONFIRM, &UNLOCK, &CANCEL]);
                faults.lines().for_each(|fault| add(&[&fault]));
            }
            Screen::Working(..) => add(&[&CANCEL]),
            Screen::Done(_) => add(&[&OK]),
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
