//! Card types.

use crate::model::card::CardType;
use crate::model::event::{Happening, Kind};
use crate::model::names;
use crate::model::refusal::{Code, Refusal};
use crate::model::role::Privilege;
use crate::service::Server;
use crate::service::login::Operator;
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
}

impl CardTypeView {
    /// As this operator may see it.
    pub(crate) fn of(about: CardType, operator: &Operator) -> Self {
        let sets_pins = [Privilege::ResetPin, Privilege::IssueCard, Privilege::ChangePolicy];
        let sets_pins = sets_pins.into_iter().any(|privilege| operator.may(privilege, None));
        Self { cipher: about.cipher, default_user_pin: sets_pins.then_some(about.default_user_pin) }
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
        operator.require(Privilege::ViewCards, None)?;
        let types = card_types::all(&mut self.server.store.read().await?).await?;
        Ok(types.into_iter().map(|(id, about)| (id, CardTypeView::of(about, operator))).collect())
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
            let detail = json!({"card_type": id.trim(), "after": {"cipher": about.cipher}});
            self.server.record(tx, &Happening { detail, ..Happening::new(Kind::PolicyChanged, &operator.name) }).await
        };
        self.server.attempt(operator, &Happening::new(Kind::PolicyNotChanged, &operator.name), step).await
    }

    pub(crate) async fn insert(&self, tx: &mut Tx, id: &str, about: &CardType) -> Result<(), Refusal> {
        about.cipher()?;
        let id = names::named_in_paths("type_name", sentence!("refused-name-card-type"), id)?;
        if !(4..=31).contains(&about.default_user_pin.len()) || !about.default_user_pin.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(Refusal::malformed(sentence!("refused-default-pin")).at("default_user_pin"));
        }
        if called::CARD_TYPES.is_taken(tx, &id, None).await? {
            return Err(Refusal::new(Code::Conflict, sentence!("refused-card-type-there")).at("type_name"));
        }
        card_types::insert(tx, &id, about).await
    }
}
