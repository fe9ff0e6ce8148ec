//! What pages show of a card, a user, an unlock, a list: all of it at one moment.

use crate::model::card::{CardFilter, CardRecord, CardState, KeySource, Operation};
use crate::model::clock::Millis;
use crate::model::event::{Event, Filter, Kind};
use crate::model::list::Listed;
use crate::model::policy::NamedPolicy;
use crate::model::refusal::Refusal;
use crate::model::response::GivenView;
use crate::model::role::Privilege;
use crate::model::subject::{self, Subject, Whose};
use crate::model::task::TaskView;
use crate::model::user::UserLock;
use crate::service::Server;
use crate::service::cards::{CardView, narrowed, require_seen, told_of};
use crate::service::flow::wizard::{ReadBack, Wizard, permitted};
use crate::service::login::Operator;
use crate::service::users::UserView;
use crate::store::cards::{Holder, WithOwner};
use crate::store::events::Of;
use crate::store::{Snapshot, cards, choices, events, responses, subjects};

/// Events of a card or a user that stand beside it.
const HAPPENED: u16 = 12;

/// The user of a card.
#[derive(Clone, Debug)]
pub struct Owner {
    /// Id.
    pub id: String,
    /// Name.
    pub cn: String,
    /// `DOMAIN\Name`.
    pub logon: String,
    /// `name@domain`.
    pub upn: String,
    /// Telephone.
    pub phone: String,
    /// *User is locked*.
    pub locked: bool,
    /// Whether the operator sees the user alone too: a card stays under its policy when its user has moved to another.
    pub is_seen: bool,
    /// Name of the policy that holds.
    pub policy: Option<String>,
    /// Questions of the policy that are answered.
    pub answered: usize,
    /// Questions that the policy asks.
    pub asked: usize,
}

/// What was heard of a card last.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The name of an event that tells of a card's PIN.
    pub what: String,
    /// When.
    pub at: Millis,
    /// Where, or empty.
    pub workstation: String,
}

impl Seen {
    const KINDS: [Kind; 3] = [Kind::CardUnlocked, Kind::PinReset, Kind::AdminKeyBlocked];

    /// Of events, the newest first; what nobody has confirmed is not seen.
    fn of(events: &[Event]) -> Option<Self> {
        let found = events.iter().find(|event| Self::says(event))?;
        Some(Self { what: found.name.clone(), at: found.at, workstation: found.workstation.clone() })
    }

    fn says(event: &Event) -> bool {
        !event.is_claim() && Self::KINDS.iter().any(|kind| kind.facts().1 == event.name)
    }

    /// What a workstation has claimed since, of events, the newest first.
    fn claimed(events: &[Event]) -> Option<Event> {
        events.iter().take_while(|event| !Self::says(event)).find(|event| event.is_claim()).cloned()
    }
}

/// A card with what belongs to it.
pub struct CardPicture {
    /// The card.
    pub card: CardView,
    /// Its user, for those who may see users.
    pub owner: Option<Owner>,
    /// What was heard of it last.
    pub seen: Option<Seen>,
    /// What a workstation has claimed of it since, and nobody has confirmed.
    pub claimed: Option<Event>,
    /// Name of the policy that holds for it.
    pub policy: Option<String>,
    /// That it was issued to who has it.
    pub issued: Option<Event>,
    /// PIN entries that it allows since it was initialized.
    pub pin_tries: Option<u64>,
    /// Responses given, the newest first.
    pub responses: Vec<GivenView>,
    /// Tasks, the newest first.
    pub tasks: Vec<TaskView>,
    /// Events, the newest first, for those who may see the log.
    pub happened: Vec<Event>,
    /// What this operator can do with it now.
    pub may: May,
}

/// An unlock that an operator has begun, with what belongs to it.
pub struct UnlockPicture {
    /// The card.
    pub serial: String,
    /// Questions, and the challenge's length.
    pub wizard: Wizard,
    /// The challenge can be entered.
    pub is_ready: bool,
    /// The policy wants answers first.
    pub validates: bool,
    /// Why it does not go on, where something has changed since it was begun.
    pub stopped: Option<Refusal>,
    /// The card's user.
    pub owner: Option<Owner>,
    /// What was heard of the card last.
    pub seen: Option<Seen>,
    /// What a workstation has claimed of it since, and nobody has confirmed.
    pub claimed: Option<Event>,
    /// Events of the card, the newest first, for those who may see the log.
    pub happened: Vec<Event>,
    /// Responses that this operator may still give for the card, this hour.
    pub left: i64,
    /// The challenge as it is read, and its response.
    pub response: Option<(String, ReadBack)>,
    /// What became of it.
    pub given: Option<GivenView>,
    /// The workstation that was last heard of with the card, or empty.
    pub workstation: String,
}

/// A card of a list.
pub struct CardRow {
    /// The card.
    pub card: CardView,
    /// Its user, for those who may see users.
    pub owner: Option<RowOwner>,
}

/// The user of a card of a list.
pub struct RowOwner {
    /// Id.
    pub id: String,
    /// Name.
    pub cn: String,
    /// Whether the operator sees the user too: a card stays under its policy when its user has moved to another.
    pub is_seen: bool,
}

/// What an operator can do with a card now.
#[derive(Clone, Debug, Default)]
pub struct May {
    /// *Unlock*.
    pub unlock: bool,
    /// Why not, for who has the privilege.
    pub not_unlocked: Option<Refusal>,
    /// *Reset user PIN*, here or on an agent.
    pub reset_pin: bool,
    /// *New administrator key*.
    pub roll_key: bool,
    /// *Correct administrator key*.
    pub correct_key: bool,
    /// Giving it tags, and taking them.
    pub tag: bool,
    /// *Delete card*.
    pub remove: bool,
    /// Changes of its state.
    pub operations: Vec<Operation>,
}

/// What pages show of a card, a user, an unlock, a list.
#[derive(Clone, Copy)]
pub struct Pictures<'s> {
    pub(super) server: &'s Server,
}

impl Pictures<'_> {
    /// One card with what belongs to it.
    ///
    /// # Errors
    /// [`crate::model::refusal::Code::NoPrivilege`], [`crate::model::refusal::Code::NotFound`].
    pub async fn of_card(&self, operator: &Operator, serial: &str) -> Result<CardPicture, Refusal> {
        operator.scope(Privilege::ViewCards)?;
        let serial = subject::serial(serial)?;
        let mut snapshot = self.server.store.read().await?;
        let subject = subjects::of_card(&mut snapshot, &serial).await?;
        require_seen(operator, &subject)?;
        let card = subject.card.as_ref().ok_or_else(|| Refusal::not_found("card"))?;
        let initialized = Kind::CardInitialized.facts().1;
        let whose = told_of(operator, &subject);
        let mut events = story(&mut snapshot, &serial, whose).await?;
        let (seen, claimed) = (Seen::of(&events), Seen::claimed(&events));
        let issued = events.iter().find(|event| is_issue_to(event, card.user.as_deref())).cloned();
        let pin_tries = events.iter().find(|event| event.name == initialized).and_then(|event| pin_tries(&event.detail));
        events.truncate(usize::from(HAPPENED));
        Ok(CardPicture {
            card: CardView::of(card),
            owner: owner(operator, &subject).filter(|_| operator.may_somewhere(Privilege::ViewUser)),
            seen,
            claimed,
            policy: subject.policy.as_ref().map(|policy| policy.name.clone()),
            issued,
            pin_tries,
            responses: responses::of_card(&mut snapshot, &serial, whose).await?,
            tasks: self.server.tasks().shown(&mut snapshot, &serial, whose).await?,
            may: may(operator, &subject),
            happened: if operator.may_somewhere(Privilege::ViewLog) { events } else { Vec::new() },
        })
    }

    /// Cards of a list, with their users, and what the list can be narrowed to: as [`crate::service::cards::Cards::choices`].
    ///
    /// # Errors
    /// [`crate::model::refusal::Code::NoPrivilege`], [`crate::model::refusal::Code::Malformed`].
    pub async fn cards(
        &self,
        operator: &Operator,
        filter: &CardFilter,
    ) -> Result<(Listed<CardRow>, (Vec<String>, Vec<NamedPolicy>)), Refusal> {
        let scope = operator.scope(Privilege::ViewCards)?;
        let mut snapshot = self.server.store.read().await?;
        let (types, mut policies) = choices::of_cards(&mut snapshot).await?;
        narrowed(filter, &types, &policies, &scope)?;
        policies.retain(|policy| operator.may(Privilege::ViewPolicy, Some(&policy.id)));
        Ok((rows(&mut snapshot, operator, filter).await?, (types, policies)))
    }

    /// The next cards of a list, without what it can be narrowed to, which was read for its beginning.
    ///
    /// # Errors
    /// As [`Self::cards`].
    pub async fn more_cards(&self, operator: &Operator, filter: &CardFilter) -> Result<Listed<CardRow>, Refusal> {
        rows(&mut self.server.store.read().await?, operator, filter).await
    }

    /// Events of a list, with the names of their users.
    ///
    /// # Errors
    /// [`crate::model::refusal::Code::NoPrivilege`], [`crate::model::refusal::Code::Malformed`].
    pub async fn log(&self, operator: &Operator, filter: &Filter) -> Result<Listed<(Event, Option<String>)>, Refusal> {
        let scope = operator.scope(Privilege::ViewLog)?;
        events::list_with_users(&mut self.server.store.read().await?, filter, &scope).await
    }

    /// What has happened to a user lately, the newest first; nothing for who may not see the log of such users.
    ///
    /// # Errors
    /// [`crate::model::refusal::Code::StoreDown`].
    pub async fn happened_to_user(&self, operator: &Operator, user: &UserView) -> Result<Vec<Event>, Refusal> {
        if !operator.may(Privilege::ViewLog, user.policy_id.as_deref()) {
            return Ok(Vec::new());
        }
        let mut snapshot = self.server.store.read().await?;
        let mut events = events::story(&mut snapshot, Of::User(&user.id), HAPPENED).await?;
        events.truncate(usize::from(HAPPENED));
        Ok(events)
    }

    /// An unlock that an operator has begun. `challenge` is what the user has read out, when the operator's browser has it
    /// still: its response is shown again, and is not counted again.
    ///
    /// # Errors
    /// [`crate::model::refusal::Code::SessionOver`], [`crate::model::refusal::Code::NoPrivilege`]. What else keeps the operator
    /// from unlocking the card now is in the picture.
    pub async fn of_unlock(&self, operator: &Operator, wizard: &str, challenge: Option<&str>) -> Result<UnlockPicture, Refusal> {
        let mut snapshot = self.server.store.read().await?;
        let flow = self.server.wizards().own(&mut snapshot, operator, wizard).await?;
        // While answers are waited for, nothing has been given; afterwards nobody is asked.
        let asks = flow.step.asks();
        let subject = match asks {
            true => subjects::of_card(&mut snapshot, &flow.card).await?,
            false => subjects::of_card_without_questions(&mut snapshot, &flow.card).await?,
        };
        operator.require(Privilege::UnlockCard, subject.policy_id())?;
        let permitted = permitted(&subject, operator);
        let given = match flow.challenge.as_str() {
            "" => None,
            challenge => responses::given(&mut snapshot, &flow.card, challenge, &flow.actor()).await?,
        };
        let response = match (challenge, &permitted) {
            (Some(challenge), Ok(unlockable)) if given.is_some() => {
                self.server.flows().respond_again(&flow, unlockable.card, challenge)?
            }
            _ => None,
        };
        let validates = subject.policy.as_ref().is_some_and(|policy| policy.settings.workflow.validate_answers);
        let mut events = story(&mut snapshot, &flow.card, told_of(operator, &subject)).await?;
        let (seen, claimed) = (Seen::of(&events), Seen::claimed(&events));
        events.truncate(usize::from(HAPPENED));
        let (wizard, left) = self.server.wizards().shown(&mut snapshot, operator, wizard, &flow, &subject).await?;
        let workstation = events.iter().find(|event| !event.workstation.is_empty()).map(|event| event.workstation.clone());
        let workstation = workstation.unwrap_or_default();
        Ok(UnlockPicture {
            wizard,
            is_ready: !validates || !asks,
            validates,
            stopped: permitted.err(),
            owner: owner(operator, &subject),
            seen,
            claimed,
            happened: if operator.may_somewhere(Privilege::ViewLog) { events } else { Vec::new() },
            left,
            response,
            given,
            workstation,
            serial: flow.card,
        })
    }
}

/// Cards of a list, with their users.
async fn rows(conn: &mut Snapshot, operator: &Operator, filter: &CardFilter) -> Result<Listed<CardRow>, Refusal> {
    let (scope, sees_users) = (operator.scope(Privilege::ViewCards)?, operator.may_somewhere(Privilege::ViewUser));
    let page = cards::list(conn, filter, sees_users, &scope).await?;
    let owner = |card: &CardRecord, holder: &Holder| {
        let (id, is_seen) = (card.user.clone()?, operator.may(Privilege::ViewUser, holder.policy.as_deref()));
        Some(RowOwner { id, cn: holder.cn.clone(), is_seen })
    };
    let row = |(card, holder): &WithOwner| CardRow {
        card: CardView::of(card),
        owner: holder.as_ref().filter(|_| sees_users).and_then(|holder| owner(card, holder)),
    };
    let rows = page.items.iter().map(row).collect();
    Ok(page.with(rows))
}

/// What has happened to a card lately.
async fn story(conn: &mut Snapshot, serial: &str, whose: Whose<'_>) -> Result<Vec<Event>, Refusal> {
    match whose {
        Whose::Anybodys => events::story(conn, Of::Card(serial), HAPPENED).await,
        Whose::Nobodys => Ok(Vec::new()),
        Whose::Of(user) => events::story(conn, Of::CardAndUser(serial, user), HAPPENED).await,
    }
}

/// Whether an event says that a card was issued to this user.
fn is_issue_to(event: &Event, user: Option<&str>) -> bool {
    let detail: serde_json::Value = serde_json::from_str(&event.detail).unwrap_or_default();
    event.name == Kind::CardStateChanged.facts().1
        && detail.get("operation").and_then(serde_json::Value::as_str) == Some(Operation::Issue.name())
        && user == Some(event.user.as_str())
}

/// PIN entries that a card allows, as the event of its initialization says.
fn pin_tries(detail: &str) -> Option<u64> {
    serde_json::from_str::<serde_json::Value>(detail).ok()?.get("pin_tries")?.as_u64()
}

fn owner(operator: &Operator, subject: &Subject) -> Option<Owner> {
    let user = subject.user.as_ref()?;
    let policy = subject.policy.as_ref();
    Some(Owner {
        id: user.id.clone(),
        cn: user.cn.clone(),
        logon: user.logon.clone(),
        upn: user.upn.clone(),
        phone: user.phone.clone(),
        locked: user.lock != UserLock::Open,
        is_seen: operator.may(Privilege::ViewUser, subject.user_policy.as_deref()),
        policy: policy.map(|policy| policy.name.clone()),
        answered: subject.answered.len(),
        asked: policy.map_or(0, |policy| usize::from(policy.settings.authentication.questions_to_ask)),
    })
}

fn may(operator: &Operator, subject: &Subject) -> May {
    let Some(card) = &subject.card else { return May::default() };
    let may = |privilege| operator.may(privilege, subject.policy_id());
    // Who it is assigned to decides then.
    let may_do = |operation: &Operation| match operation {
        Operation::Assign => operator.may_somewhere(operation.privilege()),
        _ => may(operation.privilege()),
    };
    let key_known = card.key != KeySource::Unknown;
    // Where answers come first, somebody must be able to give them.
    let unlockable = permitted(subject, operator)
        .and_then(|unlockable| if unlockable.policy.settings.workflow.validate_answers { subject.may_answer() } else { Ok(()) });
    May {
        unlock: unlockable.is_ok(),
        not_unlocked: unlockable.err().filter(|_| may(Privilege::UnlockCard)),
        reset_pin: may(Privilege::ResetPin) && subject.pin_resettable().is_ok(),
        roll_key: may(Privilege::IssueCard) && key_known && card.state == CardState::Issued,
        correct_key: may(Privilege::IssueCard),
        tag: may(Privilege::IssueCard),
        remove: may(Privilege::IssueCard) && !card.was_issued(),
        operations: card.state.operations().into_iter().filter(may_do).collect(),
    }
}
