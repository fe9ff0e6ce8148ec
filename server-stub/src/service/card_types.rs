//! Card types.

use crate::model::card::CardType;
use crate::model::event::{Happening, Kind};
use crate::model::names;
use crate::model::refusal::{Code, Refusal};
use crate::model::revision;
use crate::model::role::Privilege;
use crate::service::Server;
use crate::service::login::Operator;
use crate::store::changed::Configured;
use crate::store::{Tx, called, card_types};
use crate::words::sentence;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

/// A card type as operators see it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CardTypeView {
    /// `3des`, `aes128`, `aes192` or `aes256`.
    pub cipher: String,
    /// *Default user PIN*, for those who set it on cards.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_user_pin: Option<String>,
    /// Cards have it: neither is its cipher another, nor is it deleted.
    pub in_use: bool,
    /// Names cipher and PIN, as far as they are shown: a change that says of which it is does not undo another's.
    pub revision: String,
}

impl CardTypeView {
    /// As this operator may see it.
    fn of(about: CardType, operator: &Operator, in_use: bool) -> Self {
        let sets_pins = [Privilege::ResetPin, Privilege::IssueCard, Privilege::ChangePolicy];
        let sets_pins = sets_pins.into_iter().any(|privilege| operator.may(privilege, None));
        let (cipher, default_user_pin) = (about.cipher, sets_pins.then_some(about.default_user_pin));
        // Of a PIN that is not shown there is no digest either: who has one tries all PINs.
        let revision = revision::of(&(&cipher, &default_user_pin));
        Self { cipher, default_user_pin, in_use, revision }
    }
}

/// Card types.
#[derive(Clone, Copy)]
pub struct CardTypes<'s> {
    pub(super) server: &'s Server,
}

impl CardTypes<'_> {
    /// All card types, by id.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`].
    pub async fn all(&self, operator: &Operator) -> Result<Vec<(String, CardTypeView)>, Refusal> {
        operator.scope(Privilege::ViewCards)?;
        let types = card_types::all(&mut self.server.store.read().await?).await?;
        Ok(types.into_iter().map(|(id, about, in_use)| (id, CardTypeView::of(about, operator, in_use))).collect())
    }

    /// Names of all card types.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`].
    pub async fn names(&self, operator: &Operator) -> Result<Vec<String>, Refusal> {
        Ok(self.all(operator).await?.into_iter().map(|(name, _)| name).collect())
    }

    /// Adds a card type.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`], [`Code::Conflict`], [`Code::Malformed`].
    pub async fn add(&self, operator: &Operator, id: &str, about: &CardType) -> Result<(), Refusal> {
        let step = async |tx: &mut Tx, operator: &Operator| {
            operator.require(Privilege::ChangePolicy, None)?;
            self.insert(tx, id, about).await?;
            Configured::CardType.note(tx, id.trim(), &operator.name).await?;
            let detail = json!({"card_type": id.trim(), "after": {"cipher": about.cipher}});
            self.server.record(tx, &Happening { detail, ..Happening::new(Kind::PolicyChanged, &operator.name) }).await
        };
        self.server.attempt(operator, &Happening::new(Kind::PolicyNotChanged, &operator.name), step).await
    }

    /// Changes a card type: the default PIN holds for what is set from then on. `seen` is the revision that the change is of, where
    /// who makes it says so.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`], [`Code::NotFound`], [`Code::Malformed`]; [`Code::Conflict`] for another cipher than cards of this type
    /// have, and when it is another revision now.
    pub async fn change(&self, operator: &Operator, id: &str, about: &CardType, seen: Option<&str>) -> Result<(), Refusal> {
        let step = async |tx: &mut Tx, operator: &Operator| {
            operator.require(Privilege::ChangePolicy, None)?;
            let before = card_types::by_id(tx, id).await?.ok_or_else(|| Refusal::not_found("card-type"))?;
            about.check()?;
            if *about == before {
                return Ok(());
            }
            let shown = CardTypeView::of(before.clone(), operator, false);
            Configured::CardType.require(tx, id, &shown.revision, seen).await?;
            let cards = card_types::uses(tx, id).await?;
            if about.cipher != before.cipher && cards > 0 {
                return Err(Refusal::new(Code::Conflict, sentence!("refused-cipher-in-use", count = cards)).at("cipher"));
            }
            card_types::set(tx, id, about).await?;
            Configured::CardType.note(tx, id, &operator.name).await?;
            // That the PIN is another one, never which.
            let is_another = about.default_user_pin != before.default_user_pin;
            let (was, is) =
                (json!({"cipher": before.cipher}), json!({"cipher": about.cipher, "another_default_pin": is_another}));
            let detail = json!({"card_type": id, "before": was, "after": is});
            self.server.record(tx, &Happening { detail, ..Happening::new(Kind::PolicyChanged, &operator.name) }).await
        };
        self.server.attempt(operator, &Happening::new(Kind::PolicyNotChanged, &operator.name), step).await
    }

    /// Deletes a card type that no card has.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`], [`Code::NotFound`]; [`Code::Conflict`] while cards have it.
    pub async fn delete(&self, operator: &Operator, id: &str) -> Result<(), Refusal> {
        let step = async |tx: &mut Tx, operator: &Operator| {
            operator.require(Privilege::ChangePolicy, None)?;
            let before = card_types::by_id(tx, id).await?.ok_or_else(|| Refusal::not_found("card-type"))?;
            let cards = card_types::uses(tx, id).await?;
            if cards > 0 {
                return Err(Refusal::new(Code::Conflict, sentence!("refused-card-type-in-use", count = cards)));
            }
            card_types::delete(tx, id).await?;
            Configured::CardType.forget(tx, id).await?;
            let detail = json!({"card_type": id, "before": {"cipher": before.cipher}});
            self.server.record(tx, &Happening { detail, ..Happening::new(Kind::PolicyChanged, &operator.name) }).await
        };
        self.server.attempt(operator, &Happening::new(Kind::PolicyNotChanged, &operator.name), step).await
    }

    pub(crate) async fn insert(&self, tx: &mut Tx, id: &str, about: &CardType) -> Result<(), Refusal> {
        let id = names::named_in_paths("type_name", sentence!("refused-name-card-type"), id)?;
        about.check()?;
        if called::CARD_TYPES.is_taken(tx, &id, None).await? {
            return Err(Refusal::new(Code::Conflict, sentence!("refused-card-type-there")).at("type_name"));
        }
        card_types::insert(tx, &id, about).await
    }
}
