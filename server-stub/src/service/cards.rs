//! Cards of the repository, as operators handle them.

use crate::model::card::{CardFilter, CardRecord, CardState, KeySource, Operation};
use crate::model::event::{Happening, Kind};
use crate::model::list::Listed;
use crate::model::names;
use crate::model::policy::NamedPolicy;
use crate::model::refusal::{Code, Refusal};
use crate::model::response::GivenView;
use crate::model::role::{Privilege, Scope};
use crate::model::subject::{self, Subject, Whose};
use crate::model::tags::Retag;
use crate::service::Server;
use crate::service::admin_key::{Keyed, Tried};
use crate::service::issue::Operated;
use crate::service::login::Operator;
use crate::store::{Snapshot, Tx, card_types, cards, choices, responses, subjects, tasks};
use crate::words::sentence;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

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
    /// Tags, in the order in which they are shown.
    pub tags: Vec<String>,
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
    /// Without asking the card, though it is in a reader of the server: one with a last try, or without any.
    #[serde(default)]
    pub untried: bool,
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
            tags: card.tags.clone(),
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
    /// Cards of a list; by a local role those under its policies, and those that are nobody's where it assigns cards.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`], [`Code::Malformed`], also for a policy or a card type that there is not.
    pub async fn list(&self, operator: &Operator, filter: &CardFilter) -> Result<Listed<CardView>, Refusal> {
        let scope = operator.scope(Privilege::ViewCards)?;
        let by_owner = operator.may_somewhere(Privilege::ViewUser);
        let mut snapshot = self.server.store.read().await?;
        if filter.policy.is_some() || filter.card_type.is_some() {
            let (types, policies) = choices::of_cards(&mut snapshot).await?;
            narrowed(filter, &types, &policies, &scope)?;
        }
        let page = cards::list(&mut snapshot, filter, by_owner, &scope).await?;
        let views = page.items.iter().map(|(card, _)| CardView::of(card)).collect();
        Ok(page.with(views))
    }

    /// What a list of cards can be narrowed to: names of all card types, and the policies that the role sees, in their order.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`].
    pub async fn choices(&self, operator: &Operator) -> Result<(Vec<String>, Vec<NamedPolicy>), Refusal> {
        operator.scope(Privilege::ViewCards)?;
        let (types, mut policies) = choices::of_cards(&mut self.server.store.read().await?).await?;
        policies.retain(|policy| operator.may(Privilege::ViewPolicy, Some(&policy.id)));
        Ok((types, policies))
    }

    /// One card.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`], [`Code::NotFound`].
    pub async fn view(&self, operator: &Operator, serial: &str) -> Result<CardView, Refusal> {
        operator.scope(Privilege::ViewCards)?;
        let subject = seen(&mut self.server.store.read().await?, operator, &subject::serial(serial)?).await?;
        subject.card.as_ref().map(CardView::of).ok_or_else(|| Refusal::not_found("card"))
    }

    /// Registers a card; it is Clean. A card in a reader of the server is asked first whether it has the key that the server is
    /// to know, which costs it a try when it has another; unless it is to be added untried.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`], [`Code::Conflict`], [`Code::Malformed`]; [`Code::CardRefused`] when the card has another key, or
    /// too few tries to ask it.
    pub async fn add(&self, operator: &Operator, new: &NewCard) -> Result<Keyed, Refusal> {
        let refused = Happening { card: new.serial.trim(), ..Happening::new(Kind::CardNotAdded, &operator.name) };
        let tried = self.tried(operator, new).await;
        let step = async |tx: &mut Tx, operator: &Operator| {
            operator.require(Privilege::IssueCard, None)?;
            let tried = tried?;
            let card = self.register(tx, &operator.name, new).await?;
            Ok(tried.keyed(CardView::of(&card)))
        };
        self.server.attempt(operator, &refused, step).await
    }

    /// Whether a card that can be registered was at hand, and has the key that the server is to know.
    async fn tried(&self, operator: &Operator, new: &NewCard) -> Result<Tried, Refusal> {
        operator.require(Privilege::IssueCard, None)?;
        let mut snapshot = self.server.store.read().await?;
        let card = self.registrable(&mut snapshot, new).await?;
        drop(snapshot);
        if new.untried { Ok(Tried::No(Vec::new())) } else { self.server.issuing().try_key(&card).await }
    }

    pub(crate) async fn register(&self, tx: &mut Tx, initiator: &str, new: &NewCard) -> Result<CardRecord, Refusal> {
        let card = self.registrable(tx, new).await?;
        cards::insert(tx, &card).await?;
        self.server.record(tx, &Happening { card: &card.serial, ..Happening::new(Kind::CardAdded, initiator) }).await?;
        Ok(card)
    }

    /// A new card as its record would be.
    async fn registrable(&self, conn: &mut Snapshot, new: &NewCard) -> Result<CardRecord, Refusal> {
        let serial = subject::serial(&new.serial)?;
        let atr = subject::atr(&new.atr)?;
        let label = names::labelled(&new.label)?;
        let about = card_types::by_id(conn, &new.card_type).await?.ok_or_else(|| Refusal::not_found("card-type"))?;
        if cards::by_serial(conn, &serial).await?.is_some() {
            return Err(Refusal::new(Code::Conflict, sentence!("refused-card-there")));
        }
        let (key, sealed) = self.server.issuing().known_key(&about, &serial, new.admin_key.as_deref(), new.no_admin_key)?;
        Ok(CardRecord {
            serial,
            card_type: new.card_type.clone(),
            about,
            atr,
            label,
            tags: Vec::new(),
            state: CardState::Clean,
            user: None,
            policy: None,
            key,
            key_version: 1,
            key_pending: 0,
            sealed,
            revoke_reason: String::new(),
            issued_at: 0,
        })
    }

    /// Deletes a card that was never issued. What the log says of it stays.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`], [`Code::NotFound`], [`Code::CardState`].
    pub async fn remove(&self, operator: &Operator, serial: &str) -> Result<(), Refusal> {
        let serial = subject::serial(serial)?;
        let refused = Happening { card: &serial, ..Happening::new(Kind::CardNotRemoved, &operator.name) };
        let step = async |tx: &mut Tx, operator: &Operator| {
            let subject = subjects::of_card(tx, &serial).await?;
            operator.require(Privilege::IssueCard, subject.policy_id())?;
            let card = subject.card.ok_or_else(|| Refusal::not_found("card"))?;
            if card.was_issued() || !tasks::of_card(tx, &serial).await?.is_empty() {
                let message = sentence!("refused-card-was-issued");
                return Err(Refusal::new(Code::CardState, message));
            }
            cards::delete(tx, &serial).await?;
            let detail = json!({"card_type": card.card_type, "label": card.label});
            let user = card.user.as_deref().unwrap_or_default();
            self.server.record(tx, &Happening { kind: Kind::CardRemoved, user, detail, ..refused.clone() }).await
        };
        self.server.attempt(operator, &refused, step).await
    }

    /// Gives a card tags, and takes tags from it. What changes nothing leaves no event.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`], [`Code::NotFound`], [`Code::Malformed`].
    pub async fn retag(&self, operator: &Operator, serial: &str, retag: &Retag) -> Result<CardView, Refusal> {
        let serial = subject::serial(serial)?;
        let refused = Happening { card: &serial, ..Happening::new(Kind::CardTagsNotChanged, &operator.name) };
        let step = async |tx: &mut Tx, operator: &Operator| {
            let subject = subjects::of_card(tx, &serial).await?;
            operator.require(Privilege::IssueCard, subject.policy_id())?;
            let card = subject.card.ok_or_else(|| Refusal::not_found("card"))?;
            let tags = retag.of(&card.tags)?;
            if tags == card.tags {
                return Ok(CardView::of(&card));
            }
            let card = CardRecord { tags, ..card };
            cards::set_tags(tx, &card).await?;
            let user = card.user.as_deref().unwrap_or_default();
            let detail = json!({"tags": card.tags});
            self.server.record(tx, &Happening { kind: Kind::CardTagsChanged, user, detail, ..refused.clone() }).await?;
            Ok(CardView::of(&card))
        };
        self.server.attempt(operator, &refused, step).await
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
        let refused = Happening {
            card: &serial,
            detail: json!({"operation": operation.name()}),
            ..Happening::new(Kind::CardStateNotChanged, &operator.name)
        };
        let step = async |tx: &mut Tx, operator: &Operator| {
            let subject = subjects::of_card(tx, &serial).await?;
            let (user, policy) = match operation {
                Operation::Assign => {
                    let name = detail.user.as_deref().unwrap_or_default();
                    new_holder(tx, operator, operation.privilege(), &subject, name).await?
                }
                _ => {
                    operator.require(operation.privilege(), subject.policy_id())?;
                    (subject.card.as_ref().and_then(|card| card.user.clone()), subject.policy_id().map(str::to_owned))
                }
            };
            let card = subject.card.ok_or_else(|| Refusal::not_found("card"))?;
            let before = card.state;
            let reason = if operation == Operation::Revoke { detail.reason.clone().unwrap_or_default() } else { String::new() };
            // What happens to it happens to who has it, also that it is taken from them.
            let of_user = CardRecord { state: before.after(operation)?, user, policy, revoke_reason: reason.clone(), ..card };
            let card = match operation {
                Operation::Withdraw => CardRecord { user: None, policy: None, ..of_user.clone() },
                _ => of_user.clone(),
            };
            if reason.chars().count() > LONGEST_REASON {
                return Err(Refusal::malformed(sentence!("refused-reason-longest", longest = LONGEST_REASON)));
            }
            cards::set(tx, &card).await?;
            self.record_state(tx, &operator.name, before, &of_user, operation, &reason).await?;
            if operation == Operation::Withdraw {
                self.server.tasks().take_back_all(tx, &operator.name, &serial).await?;
            }
            Ok(Operated::of(&card))
        };
        self.server.attempt(operator, &refused, step).await
    }

    /// Writes down that a card's state changed; `card` is as it is now, with the user to whom it happened.
    pub(crate) async fn record_state(
        &self,
        tx: &mut Tx,
        by: &str,
        before: CardState,
        card: &CardRecord,
        operation: Operation,
        reason: &str,
    ) -> Result<(), Refusal> {
        let happening = Happening {
            card: &card.serial,
            user: card.user.as_deref().unwrap_or_default(),
            detail: json!({"from": before.name(), "to": card.state.name(), "operation": operation.name(), "reason": reason}),
            ..Happening::new(Kind::CardStateChanged, by)
        };
        self.server.record(tx, &happening).await
    }

    /// The responses that a card was given, the newest first, with what became of them; by a local role those given while it was
    /// of who has it now.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`], [`Code::NotFound`].
    pub async fn responses(&self, operator: &Operator, serial: &str) -> Result<Vec<GivenView>, Refusal> {
        operator.scope(Privilege::ViewCards)?;
        let (mut snapshot, serial) = (self.server.store.read().await?, subject::serial(serial)?);
        let subject = seen(&mut snapshot, operator, &serial).await?;
        responses::of_card(&mut snapshot, &serial, told_of(operator, &subject)).await
    }
}

/// Refuses a list of cards that is to be narrowed to a type or a policy that there is not, or that the role does not see.
pub(crate) fn narrowed(filter: &CardFilter, types: &[String], policies: &[NamedPolicy], scope: &Scope) -> Result<(), Refusal> {
    one_of("policy", filter.policy.as_deref(), policies.iter().map(|policy| policy.id.as_str()), scope)?;
    one_of("card_type", filter.card_type.as_deref(), types.iter().map(String::as_str), &Scope::All)
}

/// Refuses what a list is to be narrowed to, in this field, when it is none of these or nothing that the role sees.
pub(crate) fn one_of<'t>(
    field: &'static str,
    asked: Option<&str>,
    mut there: impl Iterator<Item = &'t str>,
    scope: &Scope,
) -> Result<(), Refusal> {
    match asked {
        Some(text) if !there.any(|one| one == text) || !scope.covers(Some(text)) => {
            Err(Refusal::malformed(sentence!("refused-value", field = field, text = text)).at(field))
        }
        _ => Ok(()),
    }
}

/// A card, when the operator sees it: with its user and policy, without questions.
pub(crate) async fn seen(conn: &mut Snapshot, operator: &Operator, serial: &str) -> Result<Subject, Refusal> {
    let subject = subjects::of_card_without_questions(conn, serial).await?;
    require_seen(operator, &subject)?;
    if subject.card.is_some() { Ok(subject) } else { Err(Refusal::not_found("card")) }
}

/// Refuses a card that the role does not see: one under another policy; one under none, unless who has the role assigns such cards.
pub(crate) fn require_seen(operator: &Operator, subject: &Subject) -> Result<(), Refusal> {
    match operator.scope(Privilege::ViewCards)? {
        Scope::Of { stock: true, .. } if is_in_stock(subject) => Ok(()),
        _ => operator.require(Privilege::ViewCards, subject.policy_id()),
    }
}

/// As whose card an operator is told of a card: by a global role as anybody's who has ever had it; by a local role as the card of
/// who has it now.
pub(crate) fn told_of<'s>(operator: &Operator, subject: &'s Subject) -> Whose<'s> {
    let is_global = operator.role.as_ref().is_some_and(|role| role.policies.is_none());
    match &subject.user {
        _ if is_global => Whose::Anybodys,
        Some(user) => Whose::Of(&user.id),
        None => Whose::Nobodys,
    }
}

/// Whether there is such a card, and it is nobody's and under no policy.
fn is_in_stock(subject: &Subject) -> bool {
    subject.card.as_ref().is_some_and(|card| card.user.is_none() && card.policy.is_none())
}

/// Who is to hold a card, by id or name, and the policy that then holds; with room for one more. Privilege first: whether there is
/// somebody of this name, or such a card, is told to who may assign it to them.
async fn new_holder(
    conn: &mut Snapshot,
    operator: &Operator,
    privilege: Privilege,
    card: &Subject,
    name: &str,
) -> Result<(Option<String>, Option<String>), Refusal> {
    let found = subjects::of_user(conn, name).await?;
    let found = if found.user.is_some() { found } else { subjects::of_name(conn, name).await? };
    operator.require(privilege, found.policy_id())?;
    if !is_in_stock(card) {
        operator.require(privilege, card.policy_id())?;
    }
    let policy = found.policy_id().map(str::to_owned);
    let maximum = found.policy.map(|policy| policy.settings).unwrap_or_default().issuance.maximum_cards;
    let user = found.user.ok_or_else(|| Refusal::not_found("user"))?;
    if cards::count_of_user(conn, &user.id).await? >= i64::from(maximum) {
        let message = sentence!("refused-cards-most", maximum = maximum);
        return Err(Refusal::new(Code::Conflict, message));
    }
    Ok((Some(user.id), policy))
}
