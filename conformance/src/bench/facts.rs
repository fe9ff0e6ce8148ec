//! What is known of a card before a test.

use crate::credentials::Credentials;
use crate::oracle::PublicKey;
use crate::place::Place;
use cardlab_client::recognise::Edge;
use std::collections::BTreeMap;

/// Data objects: the value, or `None` for one that is absent.
pub type Objects = BTreeMap<Place, Option<Vec<u8>>>;

/// A card as the suite knows it.
#[derive(Clone)]
pub struct Facts {
    /// What its report is called by.
    pub name: String,
    /// What kind of card it is.
    pub edge: Edge,
    /// Serial or card id, upper-case hexadecimal; may be empty.
    pub serial: String,
    /// Secrets that are known.
    pub credentials: Credentials,
    /// Keys in slots.
    pub keys: Vec<(u8, PublicKey)>,
    /// The card is new, and nobody's: it may be used up.
    pub new: bool,
    /// It takes extended-length commands.
    pub extended_length: bool,
    /// VERIFY without data says 9000 while the PIN is verified: seen once after the right PIN, or a card of our own.
    pub tells_verified: bool,
    /// PIN entries that it allows, when known.
    pub pin_tries: Option<u8>,
    /// Data objects of a card that lives on, as they were: the contents of their `53` or, on GIDS cards and of 7E and 7F61,
    /// of the object itself.
    pub objects: Objects,
    /// Files that a GIDS card has, among those that tests make and delete.
    pub files: Vec<u16>,
}
