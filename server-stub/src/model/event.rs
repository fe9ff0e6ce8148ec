//! The log: what happened, in order, append-only. Each row's hash covers the row before, so that a row
//! that was changed or taken out shows.
//!
//! Never in an event: answers, PINs, keys, a challenge together with its response.

use crate::model::clock::Millis;
use crate::model::csv;
use crate::model::flow::FlowKind;
use crate::words::is_direction;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

/// What can happen. A failure has the code of its success plus 1000.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Kind {
    UnlockOpened,
    AnswersRight,
    AnswersWrong,
    UserLocked,
    UserUnlocked,
    AnswersSet,
    AnswersReset,
    ResponseGiven,
    ResponseRefused,
    CardUnlocked,
    CardRefusedResponse,
    CardGone,
    AdminKeyBlocked,
    PinBlockSeen,
    PinWrongSeen,
    PinReset,
    PinNotReset,
    AdminKeyRolled,
    AdminKeyNotRolled,
    CardInitialized,
    CardNotInitialized,
    PolicyChanged,
    RoleChanged,
    QuestionChanged,
    CardStateChanged,
    RateLimited,
    TaskPutOff,
    TaskOrdered,
    TaskCancelled,
    LoggedIn,
    LoginFailed,
    LoggedOut,
    CardAdded,
    CardNotAdded,
    UserAdded,
    UserNotAdded,
    UserNotUnlocked,
    AnswersNotSet,
    AnswersNotReset,
    PolicyNotChanged,
    RoleNotChanged,
    QuestionNotChanged,
    CardStateNotChanged,
    TaskNotOrdered,
    TaskNotCancelled,
    UserStateChanged,
    UserStateNotChanged,
    CardRemoved,
    CardNotRemoved,
    AdminKeyCorrected,
    AdminKeyNotCorrected,
    NotLetIn,
    PinChanged,
    PinNotChanged,
    UserPolicyChanged,
    UserPolicyNotChanged,
    CardTagsChanged,
    CardTagsNotChanged,
    ReportUnconfirmed,
    UserCorrected,
    UserNotCorrected,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 61] = [
        Self::UnlockOpened,
        Self::AnswersRight,
        Self::AnswersWrong,
        Self::UserLocked,
        Self::UserUnlocked,
        Self::AnswersSet,
        Self::AnswersReset,
        Self::ResponseGiven,
        Self::ResponseRefused,
        Self::CardUnlocked,
        Self::CardRefusedResponse,
        Self::CardGone,
        Self::AdminKeyBlocked,
        Self::PinBlockSeen,
        Self::PinWrongSeen,
        Self::PinReset,
        Self::PinNotReset,
        Self::AdminKeyRolled,
        Self::AdminKeyNotRolled,
        Self::CardInitialized,
        Self::CardNotInitialized,
        Self::PolicyChanged,
        Self::RoleChanged,
        Self::QuestionChanged,
        Self::CardStateChanged,
        Self::RateLimited,
        Self::TaskPutOff,
        Self::TaskOrdered,
        Self::TaskCancelled,
        Self::LoggedIn,
        Self::LoginFailed,
        Self::LoggedOut,
        Self::CardAdded,
        Self::CardNotAdded,
        Self::UserAdded,
        Self::UserNotAdded,
        Self::UserNotUnlocked,
        Self::AnswersNotSet,
        Self::AnswersNotReset,
        Self::PolicyNotChanged,
        Self::RoleNotChanged,
        Self::QuestionNotChanged,
        Self::CardStateNotChanged,
        Self::TaskNotOrdered,
        Self::TaskNotCancelled,
        Self::UserStateChanged,
        Self::UserStateNotChanged,
        Self::CardRemoved,
        Self::CardNotRemoved,
        Self::AdminKeyCorrected,
        Self::AdminKeyNotCorrected,
        Self::NotLetIn,
        Self::PinChanged,
        Self::PinNotChanged,
        Self::UserPolicyChanged,
        Self::UserPolicyNotChanged,
        Self::CardTagsChanged,
        Self::CardTagsNotChanged,
        Self::ReportUnconfirmed,
        Self::UserCorrected,
        Self::UserNotCorrected,
    ];

    /// Code, name, and I, W or E for information, warning, error.
    #[must_use]
    pub const fn facts(self) -> (i64, &'static str, &'static str) {
        match self {
            Self::CardAdded => (1, "CARD_ADDED", "I"),
            Self::UnlockOpened => (100, "UNLOCK_OPENED", "I"),
            Self::AnswersRight => (101, "ANSWERS_RIGHT", "I"),
            Self::AnswersWrong => (1101, "ANSWERS_WRONG", "W"),
            Self::UserLocked => (102, "USER_LOCKED", "W"),
            Self::UserUnlocked => (103, "USER_UNLOCKED", "I"),
            Self::AnswersSet => (104, "ANSWERS_SET", "I"),
            Self::AnswersReset => (105, "ANSWERS_RESET", "I"),
            Self::ResponseGiven => (106, "RESPONSE_GIVEN", "I"),
            Self::ResponseRefused => (1106, "RESPONSE_REFUSED", "E"),
            Self::CardUnlocked => (107, "CARD_UNLOCKED", "I"),
            Self::CardRefusedResponse => (1107, "CARD_REFUSED_RESPONSE", "E"),
            Self::AdminKeyBlocked => (108, "ADMIN_KEY_BLOCKED", "E"),
            Self::PinBlockSeen => (109, "PIN_BLOCK_SEEN", "W"),
            Self::PinWrongSeen => (110, "PIN_WRONG_SEEN", "W"),
            Self::PinReset => (111, "PIN_RESET", "I"),
            Self::PinNotReset => (1111, "PIN_NOT_RESET", "E"),
            Self::CardInitialized => (123, "CARD_INITIALIZED", "I"),
            Self::CardNotInitialized => (1123, "CARD_NOT_INITIALIZED", "E"),
            Self::AdminKeyRolled => (113, "ADMIN_KEY_ROLLED", "I"),
            Self::AdminKeyNotRolled => (1113, "ADMIN_KEY_NOT_ROLLED", "E"),
            Self::PolicyChanged => (114, "POLICY_CHANGED", "I"),
            Self::RoleChanged => (115, "ROLE_CHANGED", "I"),
            Self::QuestionChanged => (116, "QUESTION_CHANGED", "I"),
            Self::CardStateChanged => (117, "CARD_STATE_CHANGED", "I"),
            Self::RateLimited => (118, "RATE_LIMITED", "W"),
            Self::TaskPutOff => (119, "TASK_CANCELLED_BY_USER", "I"),
            Self::TaskOrdered => (124, "TASK_ORDERED", "I"),
            Self::TaskCancelled => (125, "TASK_CANCELLED", "I"),
            Self::CardGone => (120, "CARD_GONE", "W"),
            Self::LoggedIn => (121, "LOGGED_IN", "I"),
            Self::LoginFailed => (1121, "LOGIN_FAILED", "W"),
            Self::LoggedOut => (134, "LOGGED_OUT", "I"),
            Self::UserAdded => (122, "USER_ADDED", "I"),
            Self::CardNotAdded => (1001, "CARD_NOT_ADDED", "E"),
            Self::UserNotAdded => (1122, "USER_NOT_ADDED", "E"),
            Self::UserNotUnlocked => (1103, "USER_NOT_UNLOCKED", "E"),
            Self::AnswersNotSet => (1104, "ANSWERS_NOT_SET", "W"),
            Self::AnswersNotReset => (1105, "ANSWERS_NOT_RESET", "E"),
            Self::PolicyNotChanged => (1114, "POLICY_NOT_CHANGED", "E"),
            Self::RoleNotChanged => (1115, "ROLE_NOT_CHANGED", "E"),
            Self::QuestionNotChanged => (1116, "QUESTION_NOT_CHANGED", "E"),
            Self::CardStateNotChanged => (1117, "CARD_STATE_NOT_CHANGED", "E"),
            Self::TaskNotOrdered => (1124, "TASK_NOT_ORDERED", "E"),
            Self::TaskNotCancelled => (1125, "TASK_NOT_CANCELLED", "E"),
            Self::UserStateChanged => (126, "USER_STATE_CHANGED", "I"),
            Self::UserStateNotChanged => (1126, "USER_STATE_NOT_CHANGED", "E"),
            Self::CardRemoved => (2, "CARD_REMOVED", "I"),
            Self::CardNotRemoved => (1002, "CARD_NOT_REMOVED", "E"),
            Self::AdminKeyCorrected => (127, "ADMIN_KEY_CORRECTED", "I"),
            Self::AdminKeyNotCorrected => (1127, "ADMIN_KEY_NOT_CORRECTED", "E"),
            Self::NotLetIn => (1128, "NOT_LET_IN", "W"),
            Self::PinChanged => (129, "PIN_CHANGED", "I"),
            Self::PinNotChanged => (1129, "PIN_NOT_CHANGED", "W"),
            Self::UserPolicyChanged => (130, "USER_POLICY_CHANGED", "I"),
            Self::UserPolicyNotChanged => (1130, "USER_POLICY_NOT_CHANGED", "E"),
            Self::CardTagsChanged => (131, "CARD_TAGS_CHANGED", "I"),
            Self::CardTagsNotChanged => (1131, "CARD_TAGS_NOT_CHANGED", "E"),
            Self::ReportUnconfirmed => (132, "REPORT_UNCONFIRMED", "W"),
            Self::UserCorrected => (133, "USER_CORRECTED", "I"),
            Self::UserNotCorrected => (1133, "USER_NOT_CORRECTED", "E"),
        }
    }
}

/// Something that happened, to be written.
#[derive(Clone, Debug)]
pub struct Happening<'a> {
    /// What.
    pub kind: Kind,
    /// Who: an operator's name, a user's, `workstation`.
    pub initiator: &'a str,
    /// Serial of the card, or empty.
    pub card: &'a str,
    /// Id of the user, or empty.
    pub user: &'a str,
    /// The workstation, or empty.
    pub workstation: &'a str,
    /// The unlock session, or empty.
    pub flow: &'a str,
    /// More, by kind.
    pub detail: Value,
}

impl<'a> Happening<'a> {
    /// With nothing but who did what.
    #[must_use]
    pub const fn new(kind: Kind, initiator: &'a str) -> Self {
        Self { kind, initiator, card: "", user: "", workstation: "", flow: "", detail: Value::Null }
    }
}

/// An event as the log has it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Event {
    /// Place in the log, from 1.
    pub seq: i64,
    /// UTC milliseconds since 1970.
    pub at: Millis,
    /// Code.
    pub code: i64,
    /// Name.
    pub name: String,
    /// I, W or E.
    pub kind: String,
    /// Who.
    pub initiator: String,
    /// Serial of the card.
    pub card: String,
    /// Id of the user.
    pub user: String,
    /// The workstation.
    pub workstation: String,
    /// The unlock session.
    pub flow: String,
    /// More, JSON.
    pub detail: String,
    /// SHA-256 over the hash before and this row.
    pub hash: String,
}

impl Event {
    /// Whether it is what a workstation said without having been given a response: anybody can say it.
    #[must_use]
    pub fn is_claim(&self) -> bool {
        let detail: Value = serde_json::from_str(&self.detail).unwrap_or_default();
        detail.get("settles") == Some(&Value::Bool(false))
    }

    /// The hash that this row must have after `before`.
    #[must_use]
    pub fn chained(&self, before: &str) -> String {
        let mut digest = Sha256::new();
        let numbers = [self.seq, self.at, self.code].map(|n| n.to_string());
        let texts =
            [&self.name, &self.kind, &self.initiator, &self.card, &self.user, &self.workstation, &self.flow, &self.detail];
        for field in [before].into_iter().chain(numbers.iter().map(String::as_str)).chain(texts.into_iter().map(String::as_str)) {
            digest.update((field.len() as u64).to_be_bytes());
            digest.update(field.as_bytes());
        }
        hex::encode(digest.finalize())
    }
}

/// Characters of what an event is about.
const LONGEST: usize = 200;

pub(crate) fn bounded(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() && !is_direction(*c)).take(LONGEST).collect()
}

/// Who did what a workstation has told, in the log.
pub const WORKSTATION: &str = "workstation";
/// Who did what an agent does, in the log.
pub(crate) const AGENT: &str = FlowKind::Agent.name();
/// Who did what the server does by itself, in the log.
pub(crate) const SERVER: &str = "server";
/// Who did what was there from the beginning, in the log.
pub(crate) const SETUP: &str = "setup";
/// Who does things without being somebody: nobody is called so.
pub(crate) const PROGRAMS: [&str; 4] = [WORKSTATION, AGENT, SERVER, SETUP];

/// How bad an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, ToSchema)]
pub enum Level {
    /// Information.
    I,
    /// Warning.
    W,
    /// Error.
    E,
}

impl Level {
    /// As stored.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::I => "I",
            Self::W => "W",
            Self::E => "E",
        }
    }
}

/// The order of the log; a `-` before it turns it round.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, ToSchema)]
pub enum EventOrder {
    /// By place in the log, which is the order in which it was written.
    #[default]
    #[serde(rename = "seq")]
    Seq,
    /// The newest first.
    #[serde(rename = "-seq")]
    SeqDown,
    /// By time: another order than that of the log only where clocks were wrong.
    #[serde(rename = "at")]
    At,
    /// By time, the newest first.
    #[serde(rename = "-at")]
    AtDown,
}

impl EventOrder {
    /// As programs write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Seq => "seq",
            Self::SeqDown => "-seq",
            Self::At => "at",
            Self::AtDown => "-at",
        }
    }
}

/// Which events, in which order.
#[derive(Clone, Debug, Default, serde::Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default, deny_unknown_fields)]
pub struct Filter {
    /// Of this card: a serial in any spelling, or for who may see cards what finds one.
    pub card: Option<String>,
    /// Of this user: an id, or for who may see users a logon name in either form or words that find one.
    pub user: Option<String>,
    /// Of this name, `USER_LOCKED`, in any spelling.
    pub name: Option<String>,
    /// Information, warning or error.
    #[param(inline)]
    pub kind: Option<Level>,
    /// By this operator, in any spelling; or by a user or `workstation`, as the log has it.
    pub initiator: Option<String>,
    /// From this time on, UTC milliseconds since 1970.
    pub from: Option<i64>,
    /// Up to this time, UTC milliseconds since 1970.
    pub to: Option<i64>,
    /// After this place in the log.
    pub after: Option<i64>,
    /// The order. Where a time is asked for, that of time is quick.
    #[param(inline)]
    pub sort: EventOrder,
    /// Rows of a page, 1 to 1000; usually 1000.
    #[param(minimum = 1, maximum = 1000)]
    pub limit: Option<u16>,
    /// Where the page before has ended: of its `Link` header.
    pub cursor: Option<String>,
}

impl Event {
    /// What the columns of its [line](Event::csv) are.
    pub const COLUMNS: &'static str = "seq,time,code,name,kind,initiator,card,user,workstation,session,detail\r\n";

    /// The same with more behind them.
    #[must_use]
    pub(crate) fn columns_with(more: &[&str]) -> String {
        format!("{},{}", Self::COLUMNS.trim_end(), csv::line(more))
    }

    /// As a line of CSV.
    #[must_use]
    pub fn csv(&self) -> String {
        self.csv_with(&[])
    }

    /// The same with more behind it.
    #[must_use]
    pub(crate) fn csv_with(&self, more: &[&str]) -> String {
        let (seq, at, code) = (self.seq.to_string(), crate::model::clock::iso(self.at), self.code.to_string());
        let about = [self.card.as_str(), &self.user, &self.workstation, &self.flow, &self.detail];
        csv::line(&[[seq.as_str(), &at, &code, &self.name, &self.kind, &self.initiator].as_slice(), &about, more].concat())
    }
}
