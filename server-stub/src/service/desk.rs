//! What operators do with users and cards.

use crate::model::card::{CardState, KeySource, Operation};
use crate::model::event::{self, Event, Filter, Happening, Kind};
use crate::model::refusal::{Code, Refusal};
use crate::model::role::Privilege;
use crate::service::Server;
use crate::service::issue::Operated;
use crate::service::login::Operator;
use crate::service::subject::{self, Subject};
use crate::store::records::{self, CardRecord, User, UserLock};
use crate::store::{Tx, number};
use cardlab_protocol::admin_key::AdminKey;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

/// Digits of the longest answer to reset (ISO/IEC 7816-3, section 8.2.1).
const LONGEST_ATR: usize = 66;
/// Characters of the longest reason.
const LONGEST_REASON: usize = 200;

/// A user as consoles show one.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct UserView {
    /// Id.
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
    /// Active in the catalog.
    pub active: bool,
    /// *User is locked*.
    pub locked: bool,
    /// Wrong answers since the last right ones.
    pub failed: i64,
    /// Name of the policy that holds.
    pub policy: Option<String>,
    /// Questions answered.
    pub answers_set: usize,
    /// Serials of the cards.
    pub cards: Vec<CardView>,
}

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

impl Server {
    async fn view(&self, tx: &mut Tx, user: User) -> Result<UserView, Refusal> {
        let cards = records::cards_of(tx, &user.id).await?;
        let subject = Subject::of_user(tx, Some(user)).await?;
        let user = subject.user.ok_or_else(|| Refusal::not_found("user"))?;
        Ok(UserView {
            id: user.id,
            logon: user.logon,
            upn: user.upn,
            cn: user.cn,
            mail: user.mail,
            phone: user.phone,
            active: user.active,
            locked: user.lock != UserLock::Open,
            failed: user.failed,
            policy: subject.policy.map(|p| p.name),
            answers_set: subject.answered.len(),
            cards: cards.iter().map(CardView::of).collect(),
        })
    }

    /// Users whose name has `part` in it.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`].
    pub async fn find_users(&self, operator: &Operator, part: &str) -> Result<Vec<UserView>, Refusal> {
        operator.require(Privilege::ViewUser, None)?;
        let mut tx = self.store.begin().await?;
        let mut views = Vec::new();
        for user in records::users(&mut tx, part).await? {
            views.push(self.view(&mut tx, user).await?);
        }
        Ok(views)
    }

    /// The id of the user with this logon name.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`], [`Code::NotFound`].
    pub async fn user_id(&self, operator: &Operator, name: &str) -> Result<String, Refusal> {
        operator.require(Privilege::ViewUser, None)?;
        let mut tx = self.store.begin().await?;
        let user = records::user_by_name(&mut tx, name).await?;
        user.map(|user| user.id).ok_or_else(|| Refusal::not_found("user"))
    }

    /// One user.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`], [`Code::NotFound`].
    pub async fn view_user(&self, operator: &Operator, id: &str) -> Result<UserView, Refusal> {
        operator.require(Privilege::ViewUser, None)?;
        let mut tx = self.store.begin().await?;
        let user = records::user(&mut tx, id).await?.ok_or_else(|| Refusal::not_found("user"))?;
        self.view(&mut tx, user).await
    }

    /// The policy of a user, for the question whether a role covers it.
    async fn covered(&self, tx: &mut Tx, operator: &Operator, id: &str, privilege: Privilege) -> Result<User, Refusal> {
        let user = records::user(tx, id).await?;
        let subject = Subject::of_user(tx, user).await?;
        operator.require(privilege, subject.policy.as_ref().map(|p| p.id.as_str()))?;
        subject.user.ok_or_else(|| Refusal::not_found("user"))
    }

    /// *Unlock user*: answers are compared again. Touches neither cards nor answers.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`], [`Code::NotFound`].
    pub async fn unlock_user(&self, operator: &Operator, id: &str) -> Result<(), Refusal> {
        let mut tx = self.store.begin().await?;
        let done = async {
            let user = self.covered(&mut tx, operator, id, Privilege::UnlockUser).await?;
            self.settle_last_try(&mut tx, &user).await?;
            sqlx::query("UPDATE users SET failed = 0, lock_state = 0 WHERE id = $1").bind(&user.id).execute(&mut *tx).await?;
            self.record(&mut tx, &Happening { user: &user.id, ..Happening::new(Kind::UserUnlocked, &operator.name) }).await?;
            Ok::<_, Refusal>(())
        }
        .await;
        self.concluded(tx, done, &Happening { user: id, ..Happening::new(Kind::UserNotUnlocked, &operator.name) }).await
    }

    /// *Reset answers to security questions*. A locked user stays locked.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`], [`Code::NotFound`].
    pub async fn reset_answers(&self, operator: &Operator, id: &str) -> Result<(), Refusal> {
        let mut tx = self.store.begin().await?;
        let done = async {
            let user = self.covered(&mut tx, operator, id, Privilege::ResetQuestions).await?;
            sqlx::query("DELETE FROM answers WHERE user_id = $1").bind(&user.id).execute(&mut *tx).await?;
            sqlx::query("UPDATE users SET failed = 0, draw = '[]' WHERE id = $1").bind(&user.id).execute(&mut *tx).await?;
            self.record(&mut tx, &Happening { user: &user.id, ..Happening::new(Kind::AnswersReset, &operator.name) }).await?;
            Ok::<_, Refusal>(())
        }
        .await;
        self.concluded(tx, done, &Happening { user: id, ..Happening::new(Kind::AnswersNotReset, &operator.name) }).await
    }

    /// Activates or deactivates a user in the catalog.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`], [`Code::NotFound`]; [`Code::Conflict`] for the last operator who changes roles.
    pub async fn set_user_active(&self, operator: &Operator, id: &str, active: bool) -> Result<(), Refusal> {
        let mut tx = self.store.begin().await?;
        let done = async {
            let user = self.covered(&mut tx, operator, id, Privilege::ChangePolicy).await?;
            let state = if active { "active" } else { "disabled" };
            if !active {
                // Who is no user any more is nowhere logged in, neither as the operator who the user is, and has no session.
                let logins = "DELETE FROM logins WHERE subject = $1 OR subject IN (SELECT id FROM operators WHERE user_id = $1)";
                sqlx::query(logins).bind(&user.id).execute(&mut *tx).await?;
                self.end_sessions(&mut tx, &user.id).await?;
            }
            sqlx::query("UPDATE users SET catalog_state = $2 WHERE id = $1").bind(&user.id).bind(state).execute(&mut *tx).await?;
            if !active {
                self.somebody_changes_roles(&mut tx).await?;
            }
            let detail = json!({"to": state});
            self.record(&mut tx, &Happening { user: &user.id, detail, ..Happening::new(Kind::UserStateChanged, &operator.name) })
                .await?;
            Ok::<_, Refusal>(())
        }
        .await;
        self.concluded(tx, done, &Happening { user: id, ..Happening::new(Kind::UserStateNotChanged, &operator.name) }).await
    }

    /// Cards whose serial or label has `part` in it.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`].
    pub async fn find_cards(&self, operator: &Operator, part: &str) -> Result<Vec<CardView>, Refusal> {
        operator.require(Privilege::ViewCards, None)?;
        let mut tx = self.store.begin().await?;
        Ok(records::cards(&mut tx, part).await?.iter().map(CardView::of).collect())
    }

    /// One card.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`], [`Code::NotFound`].
    pub async fn view_card(&self, operator: &Operator, serial: &str) -> Result<CardView, Refusal> {
        operator.require(Privilege::ViewCards, None)?;
        let mut tx = self.store.begin().await?;
        let card = records::card(&mut tx, &subject::serial(serial)?).await?.ok_or_else(|| Refusal::not_found("card"))?;
        Ok(CardView::of(&card))
    }

    /// Registers a card; it is Clean.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`], [`Code::Conflict`], [`Code::Malformed`].
    pub async fn add_card(&self, operator: &Operator, new: &NewCard) -> Result<CardView, Refusal> {
        let mut tx = self.store.begin().await?;
        let done = async {
            operator.require(Privilege::IssueCard, None)?;
            let card = self.register(&mut tx, &operator.name, new).await?;
            Ok::<_, Refusal>(CardView::of(&card))
        }
        .await;
        self.concluded(tx, done, &Happening { card: new.serial.trim(), ..Happening::new(Kind::CardNotAdded, &operator.name) })
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
                (KeySource::Sealed, self.vault.seal(&key, &bytes).map_err(|e| Refusal::new(Code::Busy, e))?)
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
        self.record(tx, &Happening { card: &card.serial, ..Happening::new(Kind::CardAdded, initiator) }).await?;
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
            return self.issue(operator, &serial).await;
        }
        let mut tx = self.store.begin().await?;
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
        self.concluded(tx, done, &refused).await
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
        self.record(tx, &happening).await
    }

    /// The log.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`].
    pub async fn events(&self, operator: &Operator, filter: &Filter) -> Result<Vec<Event>, Refusal> {
        operator.require(Privilege::ViewLog, None)?;
        let mut tx = self.store.begin().await?;
        event::list(&mut tx, filter).await
    }

    /// The latest events, the newest first.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`].
    pub async fn latest_events(&self, operator: &Operator, filter: &Filter, count: i64) -> Result<Vec<Event>, Refusal> {
        operator.require(Privilege::ViewLog, None)?;
        let mut tx = self.store.begin().await?;
        event::latest(&mut tx, filter, count).await
    }

    /// The first event whose hash does not follow from the one before it.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`].
    pub async fn check_log(&self, operator: &Operator) -> Result<Option<i64>, Refusal> {
        operator.require(Privilege::ViewLog, None)?;
        let mut tx = self.store.begin().await?;
        event::first_broken(&mut tx).await
    }
}
