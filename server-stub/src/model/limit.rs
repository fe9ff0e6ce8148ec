//! What may be done only so often.

use crate::model::clock::Millis;

/// Something that may be done only so often.
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    /// What, for people.
    pub what: &'static str,
    /// How often within the window.
    pub times: i64,
    /// Milliseconds.
    pub window: Millis,
}

pub(crate) const MINUTE: Millis = 60_000;
pub(crate) const HOUR: Millis = 60 * MINUTE;

/// Responses for one card.
pub const RESPONSES_OF_CARD: Limit = Limit { what: "responses for this card", times: 5, window: HOUR };
/// Responses of one operator.
pub const RESPONSES_OF_OPERATOR: Limit = Limit { what: "responses by this operator", times: 50, window: HOUR };
/// Sessions of one card.
pub const SESSIONS_OF_CARD: Limit = Limit { what: "unlock sessions of this card", times: 10, window: HOUR };
/// Sessions from one address.
pub const SESSIONS_OF_ADDRESS: Limit = Limit { what: "unlock sessions from this address", times: 30, window: HOUR };
/// Questions which ways are open, from one address: every lock screen asks at every blocked card.
pub const WAYS_OF_ADDRESS: Limit = Limit { what: "questions for open ways from this address", times: 600, window: HOUR };
/// Reports from one address.
pub const REPORTS_OF_ADDRESS: Limit = Limit { what: "reports from this address", times: 300, window: HOUR };
/// Reports of one card: what a workstation kept while no server was there comes at once.
pub const REPORTS_OF_CARD: Limit = Limit { what: "reports of this card", times: 120, window: HOUR };
/// Answers for one user that operators type; right ones take them back.
pub const OPERATORS_ANSWERS: Limit = Limit { what: "answers typed for this user", times: 10, window: HOUR };
/// Failed logins of one person, under whichever spelling.
pub const FAILED_LOGINS: Limit = Limit { what: "failed logins under this name", times: 5, window: 5 * MINUTE };
