//! Cards that are connected to the server's own machine, where they are issued. The administrator key
//! goes from here to the card and to nobody else; what talks to readers is given from outside.

use super::clock::Millis;
use cardlab_protocol::admin_key::AdminKey;
use serde::Serialize;
use std::fmt;
use utoipa::ToSchema;
use zeroize::Zeroizing;

/// A card in a reader of this machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Connected {
    /// The reader.
    pub reader: String,
    /// What the card says it is, upper-case hexadecimal; empty for a card that does not tell.
    pub serial: String,
    /// What people call such a card.
    pub kind: String,
    /// Administrator key that new cards of this kind come with, hexadecimal, as their makers publish it; where one is known.
    pub maker_key: Option<String>,
    /// Answer to reset, upper-case hexadecimal.
    pub atr: String,
    /// Another program holds it, so that it is not known what it is.
    pub is_held: bool,
    /// Who that is, where the readers tell it; those of pcscd do not.
    pub held_by: Option<Holder>,
    /// PIN entries that are left, where the card tells them.
    pub pin_left: Option<u8>,
    /// PIN entries that it allows, where the card tells them.
    pub pin_tries: Option<u8>,
}

/// A program that keeps others from a card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Holder {
    /// Its name, as the system has it.
    pub program: String,
    /// Its process.
    pub process: u32,
    /// Since when it is connected to the card, in milliseconds since 1970.
    pub since: Millis,
}

/// As one finds it among all others: its name and its process.
impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.program, self.process)
    }
}

/// The PIN that a card is to have.
pub enum NewPin {
    /// This one.
    Known(Zeroizing<String>),
    /// None: it is blocked.
    Blocked,
    /// The one that it has.
    Unchanged,
    /// Its user's new one, for the one that it has; no administrator key is asked for it.
    Changed {
        /// The one that it has.
        old: Zeroizing<String>,
        /// The one that it is to have.
        new: Zeroizing<String>,
    },
}

/// What is to be written to a card.
pub struct Order {
    /// Which card.
    pub serial: String,
    /// Its administrator key; others that it may have instead, after a change that was cut off. The
    /// next is tried only where a wrong response leaves the card more tries. Without any nothing is proved or written, and what
    /// the card allows is looked at alone.
    pub keys: Vec<AdminKey>,
    /// The administrator key that it is to have.
    pub new_key: Option<AdminKey>,
    /// The PIN that it is to have.
    pub pin: NewPin,
    /// PIN entries that it must allow: written where there is a new administrator key, else looked at.
    pub pin_tries: Option<u8>,
    /// The PIN that it has, as far as one can know: for cards that take another, or another limit, only for it.
    pub present_pin: Zeroizing<String>,
}

impl Order {
    /// One that changes nothing.
    #[must_use]
    pub fn looking(serial: &str) -> Self {
        Self {
            serial: serial.to_owned(),
            keys: Vec::new(),
            new_key: None,
            pin: NewPin::Unchanged,
            pin_tries: None,
            present_pin: Zeroizing::default(),
        }
    }
}

/// What a card has after an order, as far as its work made it known.
#[derive(Default)]
pub struct Written {
    /// PIN entries that it allows.
    pub pin_tries: Option<u8>,
    /// Its new PUK, where setting the limit has put the old one back to the maker's.
    pub puk: Option<Zeroizing<String>>,
}

/// Why an order was not carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StationError {
    /// For people.
    pub message: String,
    /// The card may have the new administrator key already.
    pub key_may_be_new: bool,
}

impl StationError {
    /// Nothing was written.
    #[must_use]
    pub fn before(message: impl Into<String>) -> Self {
        Self { message: message.into(), key_may_be_new: false }
    }
}

/// Readers of this machine. Calls wait for the card.
pub trait Station: Send + Sync {
    /// The cards that are connected now.
    ///
    /// # Errors
    /// When there is no PC/SC service.
    fn connected(&self) -> Result<Vec<Connected>, StationError>;

    /// Carries out an order in one transaction of the card.
    ///
    /// # Errors
    /// What the card said, and whether its key may have changed.
    fn write(&self, order: &Order) -> Result<Written, StationError>;
}
