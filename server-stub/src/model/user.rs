//! People of the catalog.

use crate::model::clock::Millis;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

/// A user of the catalog.
#[derive(Clone, Debug)]
pub struct User {
    /// Never used again.
    pub id: String,
    /// `DOMAIN\Name`.
    pub logon: String,
    /// `name@domain`.
    pub upn: String,
    /// Name.
    pub cn: String,
    /// Mail address.
    pub mail: String,
    /// Telephone.
    pub phone: String,
    /// Whether the catalog has the user as active.
    pub active: bool,
    /// Hash of the password for Self-Service.
    pub password: String,
    /// Wrong answers since the last right ones; counted before they are compared.
    pub failed: i64,
    /// What the counter has come to.
    pub lock: UserLock,
    /// When the latest try was counted.
    pub last_try_at: Millis,
    /// Questions drawn and not yet answered rightly.
    pub draw: Vec<String>,
}

/// Who somebody is and how to reach them.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, ToSchema)]
pub struct Contact {
    /// Id.
    pub id: String,
    /// Name.
    pub cn: String,
    /// Telephone.
    pub phone: String,
    /// Whether who asks sees the user alone too: a card stays under its policy when its user has moved to another.
    pub is_seen: bool,
}

/// A user's lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserLock {
    /// Answers are compared.
    Open,
    /// The last try is being compared, or was when a server died.
    LastTry,
    /// Until an operator unlocks.
    Locked,
}

impl UserLock {
    pub(crate) const fn stored(self) -> i64 {
        match self {
            Self::Open => 0,
            Self::LastTry => 1,
            Self::Locked => 2,
        }
    }

    pub(crate) const fn of_stored(stored: i64) -> Self {
        match stored {
            0 => Self::Open,
            1 => Self::LastTry,
            _ => Self::Locked,
        }
    }
}

/// What a list of users can be narrowed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum UserState {
    /// Active in the catalog.
    Active,
    /// Not active in the catalog.
    Disabled,
    /// *User is locked*, or the last try is being compared.
    Locked,
}

/// The order of a list of users; a `-` before it turns it round.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
pub enum UserOrder {
    /// By name, as names are compared.
    #[default]
    #[serde(rename = "name")]
    Name,
    /// By name, from the end.
    #[serde(rename = "-name")]
    NameDown,
    /// By logon name.
    #[serde(rename = "logon")]
    Logon,
    /// By logon name, from the end.
    #[serde(rename = "-logon")]
    LogonDown,
}

impl UserOrder {
    /// As programs write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::NameDown => "-name",
            Self::Logon => "logon",
            Self::LogonDown => "-logon",
        }
    }
}

/// Which users, in which order.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct UserFilter {
    /// Words that name, logon names or mail address have: each as it begins, at most five; or a telephone number or its end,
    /// however it is written.
    pub q: String,
    /// Only these.
    #[param(inline)]
    pub state: Option<UserState>,
    /// Only under the policy of this id, whether it holds for them or one that stands before it.
    pub policy: Option<String>,
    /// The order.
    #[param(inline)]
    pub sort: UserOrder,
    /// Rows of a page, 1 to 1000; usually 200.
    #[param(minimum = 1, maximum = 1000)]
    pub limit: Option<u16>,
    /// Where the page before has ended: of its `Link` header.
    pub cursor: Option<String>,
}
