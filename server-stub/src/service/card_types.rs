//! Card types.

use crate::model::event::{Happening, Kind};
use crate::model::names;
use crate::model::refusal::{Code, Refusal};
use crate::model::role::Privilege;
use crate::service::Server;
use crate::service::login::Operator;
use crate::store::records::CardType;
use crate::store::{self, Tx, json as parsed, text};
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
        let sets_pins = [Privilege::ResetPin, Privilege::IssueCard, Privilege::ChangePolicy];
        let sets_pins = sets_pins.into_iter().any(|privilege| operator.may(privilege, None));
        let mut tx = self.server.store.begin().await?;
        let rows = sqlx::query("SELECT * FROM card_types ORDER BY id").fetch_all(&mut *tx).await?;
        let view = |about: CardType| CardTypeView {
            cipher: about.cipher,
            default_user_pin: sets_pins.then_some(about.default_user_pin),
        };
        rows.iter().map(|row| Ok((text(row, "id")?, view(parsed(row, "body")?)))).collect()
    }

    /// Adds a card type.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`], [`Code::Conflict`], [`Code::Malformed`].
    pub async fn add(&self, operator: &Operator, id: &str, about: &CardType) -> Result<(), Refusal> {
        let mut tx = self.server.store.begin().await?;
        let done = async {
            operator.require(Privilege::ChangePolicy, None)?;
            self.insert(&mut tx, id, about).await?;
            let detail = json!({"card_type": id.trim(), "after": {"cipher": about.cipher}});
            self.server.record(&mut tx, &Happening { detail, ..Happening::new(Kind::PolicyChanged, &operator.name) }).await?;
            Ok::<_, Refusal>(())
        }
        .await;
        self.server.concluded(tx, done, &Happening::new(Kind::PolicyNotChanged, &operator.name)).await
    }

    pub(crate) async fn insert(&self, tx: &mut Tx, id: &str, about: &CardType) -> Result<(), Refusal> {
        about.cipher()?;
        let id = names::named("a card type's name", id)?;
        if !(4..=31).contains(&about.default_user_pin.len()) || !about.default_user_pin.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(Refusal::malformed("a default user PIN has 4 to 31 printable ASCII characters"));
        }
        let known = sqlx::query("SELECT id FROM card_types WHERE id = $1").bind(&id).fetch_optional(&mut **tx).await?;
        if known.is_some() {
            return Err(Refusal::new(Code::Conflict, "there is a card type of this name"));
        }
        sqlx::query("INSERT INTO card_types (id, body) VALUES ($1, $2)")
            .bind(id)
            .bind(store::body(about))
            .execute(&mut **tx)
            .await?;
        Ok(())
    }
}
