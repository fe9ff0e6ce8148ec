//! Responses that were given, and what became of them. A response itself is stored nowhere: it is computed anew whenever the
//! same challenge comes again. A challenge is known by its SHA-256.

use crate::model::clock::Millis;
use serde::Serialize;
use utoipa::ToSchema;

/// What became of a response at the card, as a workstation has told it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// Nobody has told yet.
    Waiting,
    /// The card took it and has its new PIN.
    Unlocked,
    /// The card refused it.
    Refused,
    /// The card refused it, and its administrator key has no try left.
    AdminKeyBlocked,
    /// The card was removed, reset or used by another program before.
    Gone,
}

impl Ending {
    pub(crate) const ALL: [Self; 5] = [Self::Waiting, Self::Unlocked, Self::Refused, Self::AdminKeyBlocked, Self::Gone];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Unlocked => "unlocked",
            Self::Refused => "refused",
            Self::AdminKeyBlocked => "admin-key-blocked",
            Self::Gone => "gone",
        }
    }

    /// What a card's refusal was, by the tries that are left.
    pub(crate) const fn of_refusal(tries_left: Option<u8>) -> Self {
        if matches!(tries_left, Some(0)) { Self::AdminKeyBlocked } else { Self::Refused }
    }
}

/// A response that was given, as consoles show one.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct GivenView {
    /// `online`, `agent`, `operator` or `remote`.
    pub channel: String,
    /// The operator's or the user's name; `workstation` for online.
    pub by: String,
    /// UTC milliseconds since 1970.
    pub given_at: Millis,
    /// How often: the same challenge has the same response.
    pub times: i64,
    /// What became of it.
    pub outcome: Ending,
    /// Tries of the administrator key that were left, where the card told.
    pub tries_left: Option<i64>,
    /// When the server heard of it, UTC milliseconds since 1970.
    pub settled_at: Option<Millis>,
}
