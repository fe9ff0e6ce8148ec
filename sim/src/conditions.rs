//! What surrounds a card: a finger on its button, the field or the contacts that it hangs on. A card
//! does not have these; they are as they are now and may change between two commands, so
//! [`crate::card::Card`] holds them and no [`crate::profile::Profile`] does.

use std::fmt;

/// What surrounds a card now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Conditions {
    /// Whether somebody touches it when it asks.
    pub touch: Touch,
    /// How it is reached.
    pub interface: Interface,
}

/// How a card's question for a touch is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Touch {
    /// Touched at once.
    #[default]
    Auto,
    /// Never touched: the operation fails.
    Never,
}

/// How the card is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Interface {
    /// Contacts (ISO/IEC 7816-3).
    #[default]
    Contact,
    /// Contactless (ISO/IEC 14443).
    Contactless,
}

impl Touch {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Auto, Self::Never];

    /// The word for it in settings and snapshots.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Never => "never",
        }
    }
}

impl Interface {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Contact, Self::Contactless];

    /// The word for it in settings and snapshots.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Contact => "contact",
            Self::Contactless => "contactless",
        }
    }
}

impl fmt::Display for Touch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Interface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
