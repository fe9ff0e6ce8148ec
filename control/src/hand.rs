//! What is done to a card as a program does it: through PC/SC, with commands that stand in the trace. Who has a client hands it in;
//! this crate has none.

use std::fmt;

/// A secret whose tries are spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Spent {
    /// The PIN.
    Pin,
    /// The PIN unblocking key.
    Puk,
    /// The administrator key.
    Admin,
}

impl Spent {
    /// As `cardlab card lock` and the control API name it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pin => "pin",
            Self::Puk => "puk",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Spent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pin => "PIN",
            Self::Puk => "PUK",
            Self::Admin => "administrator key",
        })
    }
}

/// A program's hand. It waits as long as the card works: call it where that holds up nobody.
pub trait Hand: Send + Sync {
    /// Spends tries of `secret` with wrong values, until `left` are left.
    ///
    /// # Errors
    /// A sentence, when another program has the card for itself, the card is out, or it counts no such tries.
    fn spend(&self, reader: &str, secret: Spent, left: u8) -> Result<(), String>;
}
