//! Cards of the repository, as operators handle them.

use crate::model::card::{CardState, KeySource, Operation};
use crate::model::event::{Happening, Kind};
use crate::model::refusal::{Code, Refusal};
use crate::model::role::Privilege;
use crate::service::Server;
use crate::service::issue::Operated;
use crate::service::login::Operator;
use crate::service::subject::{self, Subject};
use crate::store::records::{self, CardRecord};
use crate::store::responses::{self, GivenView};
use crate::store::{Tx, number};
use cardlab_protocol::admin_key::AdminKey;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

/// Digits of the longest answer to reset (ISO/IEC 7816-3, section 8.2.1).
const LONGEST_ATR: usize = 66;
/// Characters of the longest reason.
const LONGEST_REASON: usize = 200;

/// A card as consoles show one.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CardView {
    /// Serial.
    pub serial_number: String,
    /// Card type.
    pub card_type_name: String,
    /// Answer to reset.
    pub atr: String,
    /// For people.
    pub label: String,
    /// State.
    pub state: CardState,
    /// Its user's id.
    pub user_id: Option<String>,
    /// Whether the server has its administrator key.
    pub admin_key_known: bool,
    /// Why it was revoked.
    pub revoke_reason: String,
    /// What can be done with it now.
    pub operations: Vec<Operation>,
}

/// A card to be registered.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCard {
    /// What the card says it is, hexadecimal.
    pub serial: String,
    /// Card type.
    pub card_type: String,
    /// Answer to reset, hexadecimal; empty accepts any.
    #[serde(default)]
    pub atr: String,
    /// For people.
    #[serde(default)]
    pub label: String,
    /// The card's administrator key, hexadecimal. Without it the card has the key derived from the
    /// master key.
    #[serde(default)]
    pub admin_key: Option<String>,
    /// The card has a key that nobody knows: it cannot be unlocked.
    #[serde(default)]
    pub no_admin_key: bool,
}

/// What goes with a card operation.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OperationDetail {
    /// To whom (assign): an id or a logon name.
    pub user: Option<String>,
    /// Why (revoke).
    pub reason: Option<String>,
}

impl CardView {
    pub(crate) fn of(card: &CardRecord) -> Self {
        Self {
            serial_number: card.serial.clone(),
            card_type_name: card.card_type.clone(),
            atr: card.atr.clone(),
            label: card.label.clone(),
            state: card.state,
            user_id: card.user.clone(),
            admin_key_known: card.key != KeySource::Unknown,
            revoke_reason: card.revoke_reason.clone(),
            operations: card.state.operations(),
        }
    }
}

/// Cards of the repository, as operators handle them.
#[derive(Clone, Copy)]
pub struct Cards<'s> {
    pub(super) server: &'s Server,
}

impl Cards<'_> {
    /// Cards whose serial or label has `part` in it.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`].
    pub async fn find(&self, operator: &Operator, part: &str) -> Result<Vec<CardView>, Refusal> {
        operator.require(Privilege::ViewCards, None)?;
        let mut tx = self.server.store.begin().await?;
        Ok(records::cards(&mut tx, part).await?.iter().map(CardView::of).collect())
    }

    /// One card.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`], [`Code::NotFound`].
    pub async fn view(&self, operator: &Operator, serial: &str) -> Result<CardView, Refusal> {
        operator.require(Privilege::ViewCards, None)?;
        let mut tx = self.server.store.begin().await?;
        let card = records::card(&mut tx, &subject::serial(serial)?).await?.ok_or_else(|| Refusal::not_found("card"))?;
        Ok(CardView::of(&card))
    }

    /// Registers a card; it is Clean.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`], [`Code::Conflict`], [`Code::Malformed`].
    pub async fn add(&self, operator: &Operator, new: &NewCard) -> Result<CardView, Refusal> {
        let mut tx = self.server.store.begin().await?;
        let done = async {
            operator.require(Privilege::IssueCard, None)?;
            let card = self.register(&mut tx, &operator.name, new).await?;
            Ok::<_, Refusal>(CardView::of(&card))
        }
        .await;
        self.server
            .concluded(tx, done, &Happening { card: new.serial.trim(), ..Happening::new(Kind::CardNotAdded, &operator.name) })
            .await
    }

    pub(crate) async fn register(&self, tx: &mut Tx, initiator: &str, new: &NewCard) -> Result<CardRecord, Refusal> {
        let serial = subject::serial(&new.serial)?;
        let atr = new.atr.replace(' ', "").to_uppercase();
        if atr.len() > LONGEST_ATR || !atr.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(Refusal::malformed("an answer to reset is hexadecimal, of 33 bytes at most"));
        }
        let row = sqlx::query("SELECT body FROM card_types WHERE id = $1").bind(&new.card_type).fetch_optional(&mut **tx).await?;
        let row = row.ok_or_else(|| Refusal::not_found("card type"))?;
        let about: records::CardType = crate::store::json(&row, "body")?;
        if records::card(tx, &serial).await?.is_some() {
            return Err(Refusal::new(Code::Conflict, "a card with this serial is registered already"));
        }
        let (key, sealed) = match (&new.admin_key, new.no_admin_key) {
            (Some(key), false) => {
                let bytes = zeroize::Zeroizing::new(
                    hex::decode(key).map_err(|_| Refusal::malformed("an administrator key is hexadecimal"))?,
                );
                let key = AdminKey::new(about.cipher()?, &bytes).map_err(|e| Refusal::malformed(e.to_string()))?;
                let bytes = hex::decode(&serial).unwrap_or_default();
                (KeySource::Sealed, self.server.vault.seal(&key, &bytes).map_err(|e| Refusal::new(Code::Busy, e))?)
            }
            (None, false) => (KeySource::Derived, String::new()),
            (None, true) => (KeySource::Unknown, String::new()),
            (Some(_), true) => return Err(Refusal::malformed("a card has an administrator key or has none")),
        };
        let card = CardRecord {
            serial,
            card_type: new.card_type.clone(),
            about,
            atr,
            label: new.label.chars().filter(|c| !c.is_control()).take(100).collect(),
            state: CardState::Clean,
            user: None,
            policy: None,
            key,
            key_version: 1,
            key_pending: 0,
            sealed,
            revoke_reason: String::new(),
        };
        sqlx::query("INSERT INTO cards (serial, card_type, atr, label, state, admin_key, key_version, sealed_key, revoke_reason, issued_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, '', 0)")
            .bind(&card.serial).bind(&card.card_type).bind(&card.atr).bind(&card.label).bind(card.state.name()).bind(card.key.name())
            .bind(card.key_version).bind(&card.sealed).execute(&mut **tx).await?;
        self.server.record(tx, &Happening { card: &card.serial, ..Happening::new(Kind::CardAdded, initiator) }).await?;
        Ok(card)
    }

    /// Assign, issue, disable, enable, revoke, withdraw.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`], [`Code::NotFound`], [`Code::CardState`], [`Code::Conflict`]; for *Issue* with
    /// *Initialize card* also [`Code::NoReaders`], [`Code::NoAdminKey`] and [`Code::CardRefused`].
    pub async fn operate(
        &self,
        operator: &Operator,
        serial: &str,
        operation: Operation,
        detail: &OperationDetail,
    ) -> Result<Operated, Refusal> {
        let serial = subject::serial(serial)?;
        if operation == Operation::Issue {
            return self.server.issuing().issue(operator, &serial).await;
        }
        let mut tx = self.server.store.begin().await?;
        let done = async {
            let subject = Subject::of_card(&mut tx, &serial).await?;
            let privilege = match operation {
                Operation::Assign | Operation::Issue => Privilege::IssueCard,
                Operation::Enable => Privilege::EnableCard,
                Operation::Disable => Privilege::DisableCard,
                Operation::Revoke | Operation::Withdraw => Privilege::RevokeCard,
            };
            let mut policy = subject.policy.as_ref().map(|p| p.id.clone());
            let mut user = subject.card.as_ref().and_then(|c| c.user.clone());
            if operation == Operation::Assign {
                let name = detail.user.as_deref().unwrap_or_default();
                let found = match records::user(&mut tx, name).await? {
                    Some(user) => Some(user),
                    None => records::user_by_name(&mut tx, name).await?,
                };
                let found = Subject::of_user(&mut tx, found).await?;
                policy = found.policy.as_ref().map(|p| p.id.clone());
                let settings = found.policy.map(|p| p.settings).unwrap_or_default();
                let found = found.user.ok_or_else(|| Refusal::not_found("user"))?;
                let row = sqlx::query("SELECT COUNT(*) AS n FROM cards WHERE user_id = $1 AND state <> 'Revoked'")
                    .bind(&found.id)
                    .fetch_one(&mut *tx)
                    .await?;
                let maximum = settings.issuance.maximum_cards;
                if number(&row, "n")? >= i64::from(maximum) {
                    let message = format!("the user has {maximum} cards already, the most that the policy allows");
                    return Err(Refusal::new(Code::Conflict, message));
                }
                user = Some(found.id);
            }
            operator.require(privilege, policy.as_deref())?;
            let card = subject.card.ok_or_else(|| Refusal::not_found("card"))?;
            let after = card.state.after(operation)?;
            let reason = if operation == Operation::Revoke { detail.reason.clone().unwrap_or_default() } else { String::new() };
            if reason.chars().count() > LONGEST_REASON {
                return Err(Refusal::malformed(format!("a reason has at most {LONGEST_REASON} characters")));
            }
            let withdrawn = operation == Operation::Withdraw;
            let held = if withdrawn { None } else { user };
            let policy = if withdrawn { None } else { policy };
            sqlx::query("UPDATE cards SET state = $2, user_id = $3, policy_id = $4, revoke_reason = $5 WHERE serial = $1")
                .bind(&serial)
                .bind(after.name())
                .bind(&held)
                .bind(&policy)
                .bind(&reason)
                .execute(&mut *tx)
                .await?;
            let before = card.state;
            let card = records::card(&mut tx, &serial).await?.ok_or_else(|| Refusal::not_found("card"))?;
            self.record_state(&mut tx, operator, before, &card, operation, &reason).await?;
            Ok::<_, Refusal>(Operated::of(&card))
        }
        .await;
        let detail = json!({"operation": operation.name()});
        let refused = Happening { card: &serial, detail, ..Happening::new(Kind::CardStateNotChanged, &operator.name) };
        self.server.concluded(tx, done, &refused).await
    }

    /// Writes down that a card's state changed; `card` is as it is now.
    pub(crate) async fn record_state(
        &self,
        tx: &mut Tx,
        operator: &Operator,
        before: CardState,
        card: &CardRecord,
        operation: Operation,
        reason: &str,
    ) -> Result<(), Refusal> {
        let happening = Happening {
            card: &card.serial,
            user: card.user.as_deref().unwrap_or_default(),
            detail: json!({"from": before.name(), "to": card.state.name(), "operation": operation.name(), "reason": reason}),
            ..Happening::new(Kind::CardStateChanged, &operator.name)
        };
        self.server.record(tx, &happening).await
    }

    /// The responses that a card was given, the newest first, with what became of them.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`], [`Code::NotFound`].
    pub async fn responses(&self, operator: &Operator, serial: &str) -> Result<Vec<GivenView>, Refusal> {
        operator.require(Privilege::ViewCards, None)?;
        let serial = subject::serial(serial)?;
        let mut tx = self.server.store.begin().await?;
        records::card(&mut tx, &serial).await?.ok_or_else(|| Refusal::not_found("card"))?;
        responses::of_card(&mut tx, &serial).await
    }
}
