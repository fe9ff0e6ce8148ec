//! The workstation service's messages, version 1: JSON over HTTP below `/credprovapi/v1`.
//!
//! | request | body | answer |
//! |---|---|---|
//! | `POST ways` | [`Open`] | [`Ways`] |
//! | `POST sessions` | [`Open`] | [`Opened`] |
//! | `POST sessions/ID/answers` | [`Answers`] | [`Judged`] |
//! | `POST sessions/ID/challenge` | [`Challenge`] | [`Response`] |
//! | `POST sessions/ID/result` | [`Outcome`] | `{}` |
//! | `POST tasks` | [`Open`] | [`TaskOffer`] |
//! | `POST sessions/ID/later` | | `{}` |
//! | `POST reports` | [`Report`] | `{}` |
//!
//! `ways` opens nothing and draws nothing: a lock screen asks it to know what to offer. `reports` is what became of a card,
//! told by a workstation that needs no session for it, as late as the way to the server is there.
//!
//! A task that an agent takes is a session as any other; `later` is for a user who does not want it now.
//!
//! The server answers 200 whatever it thinks of card and user, so that nobody learns from a status code
//! who is who; 400 is a request that is none, 410 a session that is over, 429 too many, 503 a server that
//! cannot work now. Their body is a [`Problem`](crate::problem::Problem).

use serde::{Deserialize, Serialize};
use sha2::Digest as _;

/// Where the service is, below the server's address.
pub const PATH: &str = "/credprovapi/v1";

/// A card whose PIN is blocked asks for a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Open {
    /// What the card is known by, upper-case hexadecimal.
    pub serial: String,
    /// Answer to reset, hexadecimal; empty when not known.
    #[serde(default)]
    pub atr: String,
    /// The workstation's name, for the log.
    #[serde(default)]
    pub workstation: String,
    /// Whether the lock screen is one of a Remote Desktop connection.
    #[serde(default)]
    pub remote_desktop: bool,
}

/// Which ways are open to a card, without beginning one.
///
/// `online` is false for every reason alike: unknown card, no answers, locked user, wrong state. `offline` is false only
/// where *Unblock card offline* is off in the policy that holds for the card; for a card that nobody knows, in the default
/// policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Ways {
    /// Its user can answer questions now.
    pub online: bool,
    /// A response by an operator may be had.
    pub offline: bool,
}

/// What is possible for this card here and now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "mode", rename_all = "lowercase")]
pub enum Opened {
    /// Questions to answer.
    Online {
        /// The session.
        session: String,
        /// What to ask.
        questions: Vec<Question>,
        /// Seconds until the session is over.
        expires_in: u64,
    },
    /// By an operator only. Never says why.
    Offline,
    /// Not at all: a Remote Desktop lock screen.
    None,
}

/// What an agent has to do with the card that it has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "task", rename_all = "kebab-case")]
pub enum TaskOffer {
    /// Nothing now.
    None,
    /// *Reset user PIN*: questions, then a new PIN, as in an online unlock.
    ResetUserPin {
        /// The session.
        session: String,
        /// What to ask.
        questions: Vec<Question>,
        /// Seconds until the session is over.
        expires_in: u64,
    },
}

/// A security question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Question {
    /// Names it in [`Answers`].
    pub id: String,
    /// What to ask.
    pub text: String,
}

/// Answers to all questions of the session.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Answers {
    /// One each.
    pub answers: Vec<Answer>,
}

/// One answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// [`Question::id`].
    pub question: String,
    /// As typed.
    pub text: String,
}

/// Whether the answers are right; never which of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(untagged)]
pub enum Judged {
    /// Right or wrong; wrong ones may be given again.
    Answered {
        /// Right.
        ok: bool,
    },
    /// The session is over; an operator helps.
    Over {
        /// Always [`Mode::Offline`].
        mode: Mode,
    },
}

/// The way that is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// By an operator.
    Offline,
}

/// The card's challenge.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Challenge {
    /// Hexadecimal, as people write it.
    pub challenge: String,
}

/// What the card expects. A session answers one challenge, however often it comes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Response {
    /// Hexadecimal digits.
    pub response: String,
    /// Two digits to compare.
    pub check: String,
    /// What the card is known by whose key it was computed with: nobody sends it to another.
    #[serde(default)]
    pub card: String,
}

/// How it ended at the card.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// What happened.
    pub outcome: CardOutcome,
    /// Tries of the administrator key that are left, where the card tells.
    #[serde(default)]
    pub tries_left: Option<u8>,
}

/// See [`Outcome`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum CardOutcome {
    /// The card took the response and has its new PIN.
    Unlocked,
    /// The card refused the response.
    Refused,
    /// The card was removed, reset, or used by another program.
    Gone,
}

/// What became of a card at a workstation. Taken alike for every card; it settles an unlock only where this card was given a
/// response to this challenge, and is a claim otherwise: the log says who makes it, and nothing of the card changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// What the card is known by, upper-case hexadecimal.
    pub serial: String,
    /// The workstation's name, for the log.
    #[serde(default)]
    pub workstation: String,
    /// What happened.
    pub kind: ReportKind,
    /// Upper-case hexadecimal SHA-256 of the challenge that was answered; none where none was.
    #[serde(default)]
    pub challenge: Option<String>,
    /// The card's status word, four hexadecimal digits; none where it gave none.
    #[serde(default)]
    pub status_word: Option<String>,
    /// Tries left of what was presented, where the card tells: of the PIN for [`ReportKind::PinWrong`], else of the
    /// administrator key.
    #[serde(default)]
    pub tries_left: Option<u8>,
    /// Milliseconds since 1970 by the workstation's clock, when it happened.
    pub at: i64,
}

/// See [`Report`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ReportKind {
    /// The card took the response and has its new PIN.
    Unlocked,
    /// The card refused the response.
    Refused,
    /// The card's administrator key has no try left: it is lost for unlocking.
    AdminKeyBlocked,
    /// The card went, was reset or was used by another program while a challenge waited.
    Gone,
    /// The PIN was found blocked, or was blocked.
    PinBlocked,
    /// A wrong PIN was entered.
    PinWrong,
}

impl Report {
    /// [`Report::challenge`] of a challenge.
    #[must_use]
    pub fn fingerprint(challenge: &[u8]) -> String {
        crate::codes::digits(&sha2::Sha256::digest(challenge))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_on_the_wire() {
        let json = |value: &dyn erased::Json| value.json();
        assert_eq!(json(&Opened::Offline), r#"{"mode":"offline"}"#);
        assert_eq!(json(&TaskOffer::None), r#"{"task":"none"}"#);
        assert_eq!(json(&Judged::Answered { ok: false }), r#"{"ok":false}"#);
        assert_eq!(json(&Judged::Over { mode: Mode::Offline }), r#"{"mode":"offline"}"#);
        assert!(serde_json::from_str::<Open>(r#"{"serial":"00","extra":1}"#).is_err());
        assert_eq!(json(&Ways { online: false, offline: true }), r#"{"online":false,"offline":true}"#);
        let report: Report = serde_json::from_str(r#"{"serial":"00","kind":"admin-key-blocked","at":0}"#).unwrap();
        assert_eq!((report.kind, report.challenge, report.tries_left), (ReportKind::AdminKeyBlocked, None, None));
        assert_eq!(Report::fingerprint(b"abc"), "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD");
        assert!(matches!(serde_json::from_str(r#"{"mode":"offline"}"#), Ok(Judged::Over { .. })));
    }

    mod erased {
        pub(super) trait Json {
            fn json(&self) -> String;
        }
        impl<T: serde::Serialize> Json for T {
            fn json(&self) -> String {
                serde_json::to_string(self).unwrap_or_default()
            }
        }
    }
}
