//! What the server knows of a card's administrator key: taken when a card is added, corrected later, and tried at the card when
//! it is in a reader of the server, so that a wrong key is found before it costs the card a try at every unlock.

use crate::model::card::{CardRecord, CardType, KeySource};
use crate::model::event::{Happening, Kind};
use crate::model::refusal::{Code, Refusal};
use crate::model::role::Privilege;
use crate::model::station::Order;
use crate::model::subject;
use crate::service::cards::CardView;
use crate::service::issue::{Issuing, covered, ended};
use crate::service::login::Operator;
use crate::store::{Tx, cards};
use crate::words::sentence;
use cardlab_protocol::admin_key::AdminKey;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use zeroize::Zeroizing;

/// A card whose administrator key the server was told.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Keyed {
    /// The card.
    #[serde(flatten)]
    pub card: CardView,
    /// The card was in a reader of the server and has this key; else it was not asked.
    #[serde(rename = "keyTried")]
    pub key_tried: bool,
    /// Readers whose card another program holds, when the card was not asked: it may be one of these.
    #[serde(rename = "heldIn")]
    pub held_in: Vec<String>,
}

/// Whether a card was asked for its key.
pub(crate) enum Tried {
    /// It was, and has it.
    Yes,
    /// It was not; in these readers is a card that another program holds.
    No(Vec<String>),
}

impl Tried {
    /// A card with what became of the asking.
    pub(crate) fn keyed(self, card: CardView) -> Keyed {
        match self {
            Self::Yes => Keyed { card, key_tried: true, held_in: Vec::new() },
            Self::No(held_in) => Keyed { card, key_tried: false, held_in },
        }
    }
}

/// The administrator key that a card has.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct KeyThatIs {
    /// Hexadecimal. Without it the card has the key derived from the master key.
    pub admin_key: Option<String>,
    /// The card has a key that nobody knows: it cannot be unlocked.
    pub no_admin_key: bool,
}

impl Issuing<'_> {
    /// Corrects what the server knows of a card's administrator key; the card keeps the key that it has. A card in a reader of
    /// the server is asked first, which costs it a try when it has another.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`], [`Code::NotFound`], [`Code::Malformed`]; [`Code::CardRefused`] when the card has another key, or
    /// too few tries to ask it; [`Code::Conflict`] when its key was changed meanwhile.
    pub async fn correct_key(&self, operator: &Operator, serial: &str, is: &KeyThatIs) -> Result<Keyed, Refusal> {
        let serial = subject::serial(serial)?;
        let refused = Happening { card: &serial, ..Happening::new(Kind::AdminKeyNotCorrected, &operator.name) };
        let tried = self.corrected(operator, &serial, is).await;
        let step = async |tx: &mut Tx, operator: &Operator| {
            let now = covered(tx, operator, &serial, Privilege::IssueCard).await?;
            let now = now.card.ok_or_else(|| Refusal::not_found("card"))?;
            let (before, after, tried) = tried?;
            let key = |card: &CardRecord| (card.key.name(), card.key_version, card.key_pending, card.sealed.clone());
            if key(&now) != key(&before) {
                return Err(Refusal::new(Code::Conflict, sentence!("refused-key-changed")));
            }
            cards::correct_key(tx, &after).await?;
            let detail = json!({"from": before.key.name(), "to": after.key.name(), "tried": matches!(tried, Tried::Yes)});
            let user = now.user.as_deref().unwrap_or_default();
            let corrected = Happening { kind: Kind::AdminKeyCorrected, user, detail, ..refused.clone() };
            self.server.record(tx, &corrected).await?;
            let card = CardRecord { key: after.key, sealed: after.sealed, key_pending: after.key_pending, ..now.clone() };
            Ok(tried.keyed(CardView::of(&card)))
        };
        self.server.attempt(operator, &refused, step).await
    }

    /// The card as it is known, as it would be, and whether it was asked.
    async fn corrected(
        &self,
        operator: &Operator,
        serial: &str,
        is: &KeyThatIs,
    ) -> Result<(CardRecord, CardRecord, Tried), Refusal> {
        let mut snapshot = self.server.store.read().await?;
        let before = covered(&mut snapshot, operator, serial, Privilege::IssueCard).await?;
        drop(snapshot);
        let before = before.card.ok_or_else(|| Refusal::not_found("card"))?;
        let (key, sealed) = self.known_key(&before.about, serial, is.admin_key.as_deref(), is.no_admin_key)?;
        // A new key that was cut off is a derived one: it may be what the card has.
        let key_pending = if key == KeySource::Derived { before.key_pending } else { 0 };
        let after = CardRecord { key, sealed, key_pending, ..before.clone() };
        let tried = self.try_key(&after).await?;
        Ok((before, after, tried))
    }

    /// A key as people give it, as it is stored.
    ///
    /// # Errors
    /// [`Code::Malformed`]; [`Code::Busy`] without random numbers.
    pub(crate) fn known_key(
        &self,
        about: &CardType,
        serial: &str,
        key: Option<&str>,
        is_unknown: bool,
    ) -> Result<(KeySource, String), Refusal> {
        match (key, is_unknown) {
            (Some(key), false) => {
                let digits: Zeroizing<String> = Zeroizing::new(key.chars().filter(|c| !c.is_whitespace()).collect());
                let bytes = hex::decode(&*digits).map_err(|_| Refusal::malformed(sentence!("refused-key-hexadecimal")))?;
                let (bytes, cipher) = (Zeroizing::new(bytes), about.cipher()?);
                let key = AdminKey::new(cipher, &bytes).map_err(|_| {
                    let (name, length, found) = (cipher.name(), cipher.key_len(), bytes.len());
                    Refusal::malformed(sentence!("refused-key-length", cipher = name, length = length, found = found))
                })?;
                let serial = hex::decode(serial).unwrap_or_default();
                let sealed = self
                    .server
                    .vault
                    .seal(&key, &serial)
                    .map_err(|e| Refusal::new(Code::Busy, sentence!("refused-work", why = e)))?;
                Ok((KeySource::Sealed, sealed))
            }
            (None, false) => Ok((KeySource::Derived, String::new())),
            (None, true) => Ok((KeySource::Unknown, String::new())),
            (Some(_), true) => Err(Refusal::malformed(sentence!("refused-key-and-none"))),
        }
    }

    /// Whether a card is in a reader of the server, and has the key that the record says. What nobody knows is not tried.
    ///
    /// # Errors
    /// [`Code::CardRefused`] with what the card said: it has another key, or too few tries to ask it.
    pub(crate) async fn try_key(&self, card: &CardRecord) -> Result<Tried, Refusal> {
        let Ok(station) = self.server.station() else { return Ok(Tried::No(Vec::new())) };
        if card.key == KeySource::Unknown {
            return Ok(Tried::No(Vec::new()));
        }
        let keys = vec![self.key(card, card.key, card.key_version)?];
        let order = Order { keys, ..Order::looking(&card.serial) };
        let ask = move || {
            // Where there is no PC/SC service, no card is at hand.
            let connected = station.connected().unwrap_or_default();
            if connected.iter().any(|card| card.serial == order.serial) {
                return station.write(&order).map(|_| Tried::Yes);
            }
            let held = connected.into_iter().filter(|card| card.is_held);
            Ok(Tried::No(held.map(|card| card.reader).collect()))
        };
        let asked = tokio::task::spawn_blocking(ask).await.map_err(|_| ended())?;
        asked.map_err(Refusal::by_card)
    }
}
