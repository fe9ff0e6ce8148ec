//! What a step does: the actions and their arguments, as a file names them.
//!
//! Wherever a text goes to a card, a person or a server, `$name` stands for what an earlier step kept with
//! `save = "name"`.

use crate::typed::Slip;
use crate::vocabulary;
use cardlab_client::unlock::session::words::{self, Word};
use cardlab_vreader::fault::Fault;
use cardlab_vreader::state::Tries;
use cardlab_vreader::{Pace, TouchMode};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{Deserializer, Error};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// What stands in the reference for a type whose text is read by itself.
macro_rules! written {
    ($kind:ty, $words:expr) => {
        impl JsonSchema for $kind {
            fn schema_name() -> Cow<'static, str> {
                stringify!($kind).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "description": $words })
            }
        }
    };
}

written!(Answers, "`right`, `wrong` or a list of texts; `right` where nothing is said");
written!(Button, "what stands on a button");
written!(FaultText, "a fault, as `cardlab card fault` takes it");
written!(PaceText, "a pace, as `cardlab card pace` takes it");
written!(StateText, "a state, as `cardlab card state` takes it, or tries: `pin=0,puk=all`");
written!(TouchText, "`auto`, `never`, `wait` or `after=200ms`");
written!(Setting, "true, false, a number, a text or a table of these");

/// Answers to security questions.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Answers {
    /// Those that the user has set.
    #[default]
    Right,
    /// Others.
    Wrong,
    /// These, in the order of the questions.
    Texts(Vec<String>),
}

impl<'de> Deserialize<'de> for Answers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Word(String),
            Texts(Vec<String>),
        }
        let expected = "answers are \"right\", \"wrong\" or a list of texts";
        match Form::deserialize(deserializer).map_err(|_| D::Error::custom(expected))? {
            Form::Word(word) if word == "right" => Ok(Self::Right),
            Form::Word(word) if word == "wrong" => Ok(Self::Wrong),
            Form::Word(_) => Err(D::Error::custom(expected)),
            Form::Texts(texts) => Ok(Self::Texts(texts)),
        }
    }
}

/// A counted secret of a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Counted {
    /// The PIN.
    Pin,
    /// The PIN unblocking key.
    Puk,
    /// The administrator key.
    Admin,
}

/// A button of the lock screen, by what stands on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Button {
    /// Chooses the security questions.
    Questions,
    /// Cancel, OK, *Lock again*, *Use another card*: back.
    Back,
    /// A new PIN although the old one is good.
    AllTheSame,
    /// The last response.
    Sure,
    /// The PUK way.
    UsePuk,
    /// Asks card and server once more.
    Again,
}

/// What stands on the buttons.
pub const BUTTONS: [(Word, Button); 10] = [
    (words::ANSWER_QUESTIONS, Button::Questions),
    (words::CANCEL, Button::Back),
    (words::OK, Button::Back),
    (words::LOCK_AGAIN, Button::Back),
    (words::OTHER_CARD, Button::Back),
    (words::ALL_THE_SAME, Button::AllTheSame),
    (words::SURE, Button::Sure),
    (words::SURE_PUK, Button::Sure),
    (words::USE_PUK, Button::UsePuk),
    (words::TRY_AGAIN, Button::Again),
];

impl<'de> Deserialize<'de> for Button {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let known = BUTTONS.iter().find(|(label, _)| label.english() == text).map(|(_, button)| *button);
        known.ok_or_else(|| {
            let labels: Vec<String> = BUTTONS.iter().map(|(label, _)| label.english()).collect();
            let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
            D::Error::custom(vocabulary::unknown("button", &text, &labels))
        })
    }
}

macro_rules! parsed {
    ($($(#[$about:meta])* $name:ident($kind:ty);)+) => {$(
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name(pub $kind);

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map(Self).map_err(D::Error::custom)
            }
        }
    )+};
}

parsed! {
    /// A fault as text, such as `remove-after,ins=2C`.
    FaultText(Fault);
    /// A pace as text.
    PaceText(Pace);
    /// A state as text: its name, or tries.
    StateText(Tries);
    /// How questions for a touch are answered, as text.
    TouchText(TouchMode);
}

/// A setting of a policy: true, false or a number.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Setting {
    /// A switch.
    Switch(bool),
    /// A number.
    Number(i64),
    /// The rules of random PINs.
    Table(BTreeMap<String, Setting>),
    /// A text in such rules.
    Text(String),
}

/// One step's action. `card` is the name of a card of the file; left out where there is only one.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[allow(missing_docs)] // The fields have the names of the file; those that do not explain themselves are explained.
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case", deny_unknown_fields)]
pub enum Action {
    // Hands.
    /// Puts the card into its reader.
    Insert { card: Option<String> },
    /// Pulls the card out.
    Remove { card: Option<String> },
    /// Two cards change their readers, and are in them afterwards.
    Swap { card: Option<String>, with: String },
    /// Another program resets the card.
    Reset {
        card: Option<String>,
        /// It also takes the power away.
        #[serde(default)]
        cold: bool,
    },
    /// Unplugs the card's reader.
    Unplug { card: Option<String> },
    /// Plugs it in again; the card lies beside it.
    Plug { card: Option<String> },
    /// Something goes wrong at the card.
    Fault { card: Option<String>, fault: FaultText },
    /// No fault waits any more.
    Disarm { card: Option<String> },
    /// The card is brought to a state at once, in its memory.
    State { card: Option<String>, state: StateText },
    /// Says how questions for a touch are answered from now on.
    Touch { card: Option<String>, touch: TouchText },
    /// Says how long commands take from now on.
    Pace { card: Option<String>, pace: PaceText },
    /// Takes the last commands back, in the card's memory, and resets it.
    Undo { card: Option<String>, commands: usize },
    /// Another program begins a transaction with the card and keeps it.
    Hold { card: Option<String> },
    /// It ends it, and leaves the card as it is.
    LetGo { card: Option<String> },

    // Programs that use the card.
    /// VERIFY.
    Verify { card: Option<String>, pin: String },
    /// CHANGE REFERENCE DATA.
    ChangePin { card: Option<String>, pin: String, new: String },
    /// RESET RETRY COUNTER by the PUK.
    UnblockWithPuk { card: Option<String>, puk: String, new: String },
    /// Spends tries until `left` are left.
    Spend { card: Option<String>, secret: Counted, left: u8 },
    /// A command APDU in hexadecimal, with blanks as one likes; a `$name` between blanks stands for a value. A challenge in the
    /// answer is `$challenge` from then on.
    Send { card: Option<String>, command: String },
    /// Whoever has the administrator key of the card computes the response to a challenge.
    Respond {
        card: Option<String>,
        #[serde(default = "shown")]
        challenge: String,
        /// It is a witness (SP 800-73-4 part 2, table 7), to be decrypted.
        #[serde(default)]
        witness: bool,
    },
    /// Nothing: for what `expect` says of the card.
    Look { card: Option<String> },

    // The Unlock tool, in two steps.
    /// Draws a challenge and leaves it pending.
    ToolChallenge { card: Option<String> },
    /// Gives the card a response to that challenge, and a new PIN.
    ToolRespond {
        card: Option<String>,
        #[serde(default = "given")]
        response: String,
        /// How the response is typed.
        #[serde(default)]
        typed: Vec<Slip>,
        pin: String,
    },

    // The lock screen.
    /// Looks at the lock screen of the workstation whose reader has the card.
    LockScreen {
        card: Option<String>,
        /// Whether a server is set.
        #[serde(default = "yes")]
        server: bool,
        /// It is the lock screen of a Remote Desktop connection.
        #[serde(default)]
        remote_desktop: bool,
        /// It is the window in a session, without *Sign in*.
        #[serde(default)]
        in_session: bool,
        /// What the administrator has written: whom to call.
        #[serde(default)]
        offline_text: String,
        /// It sees the cards in all readers, and begins with this one.
        #[serde(default)]
        all_readers: bool,
    },
    /// Types a PIN to sign in.
    TypePin { pin: String },
    /// Presses a button that is shown.
    Press { button: Button },
    /// Chooses a card among those in readers.
    ChooseCard { card: String },
    /// Types answers.
    TypeAnswers {
        #[serde(default)]
        answers: Answers,
        #[serde(default)]
        typed: Vec<Slip>,
    },
    /// Types a new PIN and its confirmation, which is the same where it is left out.
    TypeNewPin { pin: String, confirmation: Option<String> },
    /// Types a PUK, a new PIN and its confirmation.
    TypePuk { puk: String, pin: String, confirmation: Option<String> },
    /// Types a response, a new PIN and its confirmation.
    TypeResponse {
        #[serde(default = "given")]
        response: String,
        #[serde(default)]
        typed: Vec<Slip>,
        pin: String,
        confirmation: Option<String>,
    },
    /// Looks at the screen only: waits until it shows what `expect` says.
    Screen {},

    // A workstation that is not our lock screen: the service's messages.
    /// Asks for an unlock session.
    SessionOpen {
        card: Option<String>,
        /// Another serial than the card's.
        serial: Option<String>,
        #[serde(default)]
        atr: String,
        #[serde(default)]
        remote_desktop: bool,
    },
    /// Gives answers.
    SessionAnswers {
        #[serde(default)]
        answers: Answers,
        #[serde(default)]
        typed: Vec<Slip>,
    },
    /// Asks for the response to a challenge.
    SessionChallenge {
        #[serde(default = "shown")]
        challenge: String,
    },
    /// Says how it ended: `unlocked`, `refused`, `gone`.
    SessionResult { outcome: String },
    /// Wrong answers in so many sessions at the same time.
    GuessAnswers { card: Option<String>, sessions: u16 },

    // The Management Console.
    /// *Unlock* in the card's menu.
    ConsoleOpen {
        card: Option<String>,
        #[serde(default = "oleg")]
        operator: String,
    },
    /// Types the user's answers.
    ConsoleAnswers {
        #[serde(default = "oleg")]
        operator: String,
        #[serde(default)]
        answers: Answers,
        #[serde(default)]
        typed: Vec<Slip>,
        /// The operator whose wizard it is.
        wizard_of: Option<String>,
    },
    /// Types the challenge.
    ConsoleChallenge {
        #[serde(default = "oleg")]
        operator: String,
        #[serde(default = "shown")]
        challenge: String,
        #[serde(default)]
        typed: Vec<Slip>,
        /// The check code that the user reads out.
        check: Option<String>,
    },
    /// Does something with a user: `unlock`, `reset-answers`, `enable`, `disable`.
    User {
        #[serde(default = "anna")]
        user: String,
        operation: String,
        #[serde(default = "oleg")]
        operator: String,
    },
    /// Registers the card.
    AddCard {
        card: Option<String>,
        #[serde(default = "admin")]
        operator: String,
        /// Another administrator key than the card's.
        key: Option<String>,
        #[serde(default)]
        no_key: bool,
        /// The answer to reset that it is registered with.
        #[serde(default)]
        atr: String,
        #[serde(default = "gids")]
        card_type: String,
    },
    /// Does something with the card: `assign`, `issue`, `disable`, `enable`, `revoke`, `withdraw`,
    /// `reset-pin`, `roll-key`.
    Card {
        card: Option<String>,
        operation: String,
        #[serde(default = "admin")]
        operator: String,
        user: Option<String>,
        #[serde(default)]
        reason: String,
    },

    // Configuration.
    /// Changes settings of a policy, such as `workflow.validate_answers`.
    Policy {
        set: BTreeMap<String, Setting>,
        #[serde(default = "default_policy")]
        policy: String,
        #[serde(default = "admin")]
        operator: String,
    },
    /// Makes a policy.
    AddPolicy { name: String },
    /// Deletes a policy.
    DeletePolicy { name: String },
    /// Makes or changes a role.
    Role { name: String, privileges: Vec<String>, policies: Option<Vec<String>> },
    /// Adds an operator.
    AddOperator { name: String, role: Option<String>, user: Option<String> },
    /// Adds a user to the catalog.
    AddUser {
        name: String,
        #[serde(default = "default_policy")]
        policy: String,
    },

    // Self-Service and Remote Self-Service.
    /// Sets the answers to all questions in Self-Service.
    SetAnswers {
        #[serde(default = "anna")]
        user: String,
        answers: Vec<String>,
    },
    /// Says who one is.
    RemoteOpen { user: String },
    /// Answers there.
    RemoteAnswers {
        #[serde(default)]
        answers: Answers,
    },
    /// Asks for the response to a challenge there.
    RemoteChallenge {
        card: Option<String>,
        #[serde(default = "shown")]
        challenge: String,
    },

    // The server itself.
    /// The server is gone.
    StopServer {},
    /// It is there again, at the same address.
    StartServer {},
    /// Its clock goes on.
    TimePasses { minutes: u32 },
    /// A request as it stands; `$card` is the card's serial.
    Request {
        card: Option<String>,
        method: String,
        path: String,
        #[serde(default)]
        body: String,
        operator: Option<String>,
    },
}

fn yes() -> bool {
    true
}
fn given() -> String {
    "$response".into()
}
fn shown() -> String {
    "$challenge".into()
}
fn oleg() -> String {
    "oleg".into()
}
fn admin() -> String {
    "admin".into()
}
fn anna() -> String {
    "anna".into()
}
fn gids() -> String {
    cardlab_server_stub::service::setup::CARD_TYPE.into()
}
fn default_policy() -> String {
    "Default".into()
}

impl Action {
    /// The cards that it names.
    #[must_use]
    pub fn cards(&self) -> Vec<&str> {
        let named = match self {
            Self::ChooseCard { card } => return vec![card],
            Self::Swap { card, with } => return card.as_deref().into_iter().chain([with.as_str()]).collect(),
            Self::Insert { card }
            | Self::Remove { card }
            | Self::Reset { card, .. }
            | Self::Unplug { card }
            | Self::Plug { card }
            | Self::Fault { card, .. }
            | Self::Disarm { card }
            | Self::State { card, .. }
            | Self::Touch { card, .. }
            | Self::Pace { card, .. }
            | Self::Undo { card, .. }
            | Self::Respond { card, .. }
            | Self::Hold { card }
            | Self::LetGo { card }
            | Self::Verify { card, .. }
            | Self::ChangePin { card, .. }
            | Self::UnblockWithPuk { card, .. }
            | Self::Spend { card, .. }
            | Self::Send { card, .. }
            | Self::Look { card }
            | Self::ToolChallenge { card }
            | Self::ToolRespond { card, .. }
            | Self::LockScreen { card, .. }
            | Self::SessionOpen { card, .. }
            | Self::GuessAnswers { card, .. }
            | Self::ConsoleOpen { card, .. }
            | Self::AddCard { card, .. }
            | Self::Card { card, .. }
            | Self::RemoteChallenge { card, .. }
            | Self::Request { card, .. } => card,
            _ => return Vec::new(),
        };
        named.as_deref().into_iter().collect()
    }

    /// Whether it needs hands or a card that only a simulation has.
    #[must_use]
    pub const fn needs_simulation(&self) -> bool {
        matches!(
            self,
            Self::Swap { .. }
                | Self::Reset { .. }
                | Self::Unplug { .. }
                | Self::Plug { .. }
                | Self::Fault { .. }
                | Self::Disarm { .. }
                | Self::State { .. }
                | Self::Touch { .. }
                | Self::Pace { .. }
                | Self::Undo { .. }
                | Self::Spend { secret: Counted::Admin, .. }
        )
    }
}
