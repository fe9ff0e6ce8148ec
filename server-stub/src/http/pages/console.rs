//! The Management Console.

use super::{At, ErrorPage, Fields, Sent, Visitor, answers, door, page, refused};
use crate::model::card::{CardFilter, Operation};
use crate::model::event::{Event, EventOrder, Filter};
use crate::model::policy::NamedPolicy;
use crate::model::policy::Policy;
use crate::model::question::Question;
use crate::model::random_pin::RandomPin;
use crate::model::refusal::{Code, Refusal};
use crate::model::response::GivenView;
use crate::model::task::TaskView;
use crate::model::user::UserFilter;
use crate::service::Server;
use crate::service::cards::{CardFile, CardView, NewCard, OperationDetail};
use crate::service::flow::wizard::{ReadBack, ReadOut, Wizard, WizardView};
use crate::service::issue::{AtHand, Operated};
use crate::service::login::{Door, Operator};
use crate::service::policies::NewQuestion;
use crate::service::task::NewTask;
use crate::service::users::UserView;
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use axum::routing::{get, post};

pub(super) fn router() -> axum::Router<Server> {
    axum::Router::new()
        .merge(door::<Operator>())
        .route("/mc", get(users))
        .route("/mc/users/{id}", get(user))
        .route("/mc/users/{id}/{action}", post(change_user))
        .route("/mc/cards", get(cards).post(add_card))
        .route("/mc/cards/{serial}", get(card))
        .route("/mc/cards/{serial}/wizard", post(open_wizard))
        .route("/mc/cards/{serial}/reset-pin", post(reset_pin))
        .route("/mc/cards/{serial}/roll-key", post(roll_key))
        .route("/mc/cards/{serial}/tasks", post(order_task))
        .route("/mc/tasks/{id}/cancel", post(cancel_task))
        .route("/mc/cards/{serial}/{operation}", post(operate))
        .route("/mc/connected", get(connected))
        .route("/mc/unlock/{wizard}", get(wizard))
        .route("/mc/unlock/{wizard}/answers", post(answer_wizard))
        .route("/mc/unlock/{wizard}/challenge", post(challenge_wizard))
        .route("/mc/events", get(events))
        .route("/mc/policies", get(policies))
        .route("/mc/policies/{id}", post(change_policy))
        .route("/mc/policies/{id}/questions", post(add_question))
        .route("/mc/questions/{id}/delete", post(delete_question))
        .merge(super::people::router())
}

pub(super) type Page = Result<Response, ErrorPage>;

/// What every page of the console shows.
pub(super) struct Frame {
    pub(super) name: String,
    pub(super) csrf: String,
    pub(super) error: Option<String>,
    pub(super) done: Option<String>,
}

impl Frame {
    pub(super) fn of(operator: &Operator) -> Self {
        Self { name: operator.name.clone(), csrf: operator.csrf.clone(), error: None, done: None }
    }

    pub(super) fn saying(operator: &Operator, error: &Refusal) -> Self {
        Self { error: Some(error.message.clone()), ..Self::of(operator) }
    }

    pub(super) fn done(operator: &Operator, done: &str) -> Self {
        Self { done: Some(done.into()), ..Self::of(operator) }
    }
}

impl Visitor for Operator {
    const DOOR: Door = Door::Console;
    const PATH: &'static str = "/mc";
    const TITLE: &'static str = "Management Console";

    async fn of(server: &Server, token: &str) -> Result<Self, Refusal> {
        server.logins().operator(token).await
    }

    fn csrf(&self) -> &str {
        &self.csrf
    }
}

#[derive(Template)]
#[template(path = "users.html")]
struct Users {
    frame: Frame,
    q: String,
    /// There are more than these.
    more: bool,
    users: Vec<UserView>,
}

#[derive(Template)]
#[template(path = "user.html")]
struct User {
    frame: Frame,
    user: UserView,
}

#[derive(Template)]
#[template(path = "cards.html")]
struct Cards {
    frame: Frame,
    q: String,
    /// There are more than these.
    more: bool,
    cards: Vec<CardView>,
}

#[derive(Template)]
#[template(path = "card.html")]
struct CardPage {
    frame: Frame,
    card: CardView,
    tasks: Vec<TaskView>,
    responses: Vec<GivenView>,
}

impl CardPage {
    /// As it is now.
    async fn of(server: &Server, operator: &Operator, serial: &str, frame: Frame) -> Result<Self, Refusal> {
        let CardFile { card, tasks, responses } = server.cards().file(operator, serial).await?;
        Ok(Self { frame, card, tasks, responses })
    }
}

#[derive(Template)]
#[template(path = "connected.html")]
struct Station {
    frame: Frame,
    cards: Vec<AtHand>,
    card_types: Vec<String>,
}

#[derive(Template)]
#[template(path = "unlock.html")]
struct Unlock {
    frame: Frame,
    serial: String,
    wizard: Wizard,
    ready: bool,
    typed: String,
    response: Option<ReadBack>,
    /// What became of the response that was given last.
    given: Option<GivenView>,
}

#[derive(Template)]
#[template(path = "events.html")]
struct Events {
    frame: Frame,
    card: String,
    name: String,
    events: Vec<Event>,
}

#[derive(Template)]
#[template(path = "policies.html")]
struct Policies {
    frame: Frame,
    policies: Vec<PolicyEntry>,
}

/// A policy with its questions.
struct PolicyEntry {
    policy: NamedPolicy,
    questions: Vec<Question>,
}

/// Events on a page.
const SHOWN_EVENTS: u16 = 200;

async fn users(State(server): State<Server>, At(operator): At<Operator>, Query(fields): Query<Fields>) -> Page {
    let q = fields.get("q").cloned().unwrap_or_default();
    let listed = server.users().list(&operator, &UserFilter { q: q.clone(), ..UserFilter::default() }).await?;
    Ok(page(&Users { frame: Frame::of(&operator), q, more: listed.next.is_some(), users: listed.items }))
}

async fn user(State(server): State<Server>, At(operator): At<Operator>, Path(id): Path<String>) -> Page {
    let user = server.users().view(&operator, &id).await?;
    Ok(page(&User { frame: Frame::of(&operator), user }))
}

async fn change_user(
    State(server): State<Server>,
    Path((id, action)): Path<(String, String)>,
    Sent { by: operator, .. }: Sent<Operator>,
) -> Page {
    let (changed, done) = match action.as_str() {
        "unlock" => (server.users().unlock(&operator, &id).await, "The user is unlocked."),
        "reset-answers" => {
            (server.users().reset_answers(&operator, &id).await, "The answers are reset; the user sets new ones in Self-Service.")
        }
        _ => return Err(Refusal::not_found("action").into()),
    };
    let user = server.users().view(&operator, &id).await?;
    Ok(match changed {
        Ok(()) => page(&User { frame: Frame::done(&operator, done), user }),
        Err(refusal) => refused(&refusal, &User { frame: Frame::saying(&operator, &refusal), user }),
    })
}

async fn cards(State(server): State<Server>, At(operator): At<Operator>, Query(fields): Query<Fields>) -> Page {
    let q = fields.get("q").cloned().unwrap_or_default();
    let listed = server.cards().list(&operator, &CardFilter { q: q.clone(), ..CardFilter::default() }).await?;
    Ok(page(&Cards { frame: Frame::of(&operator), q, more: listed.next.is_some(), cards: listed.items }))
}

async fn card(State(server): State<Server>, At(operator): At<Operator>, Path(serial): Path<String>) -> Page {
    Ok(page(&CardPage::of(&server, &operator, &serial, Frame::of(&operator)).await?))
}

async fn operate(
    State(server): State<Server>,
    Path((serial, name)): Path<(String, String)>,
    Sent { by: operator, fields }: Sent<Operator>,
) -> Page {
    let operation = Operation::ALL.into_iter().find(|o| o.name() == name).ok_or_else(|| Refusal::not_found("operation"))?;
    let detail = OperationDetail { user: fields.get("user").cloned(), reason: fields.get("reason").cloned() };
    let operated = server.cards().operate(&operator, &serial, operation, &detail).await;
    shown(&server, &operator, &serial, operated).await
}

async fn reset_pin(State(server): State<Server>, Path(serial): Path<String>, Sent { by: operator, .. }: Sent<Operator>) -> Page {
    let operated = server.issuing().reset_pin(&operator, &serial).await;
    shown(&server, &operator, &serial, operated).await
}

async fn roll_key(State(server): State<Server>, Path(serial): Path<String>, Sent { by: operator, .. }: Sent<Operator>) -> Page {
    let operated = server.issuing().roll_key(&operator, &serial).await;
    shown(&server, &operator, &serial, operated).await
}

/// The card's page, saying how it went.
async fn shown(server: &Server, operator: &Operator, serial: &str, operated: Result<Operated, Refusal>) -> Page {
    Ok(match operated {
        Ok(Operated { card, user_pin, locked }) => {
            let mut done = format!("The card is {} now.", card.state.name());
            if let Some(pin) = user_pin {
                done = format!("{done} Its PIN is {pin}; it is shown only now.");
            }
            if locked {
                done.push_str(" Its PIN is blocked: the user unlocks the card and so sets the first PIN.");
            }
            page(&CardPage { card, ..CardPage::of(server, operator, serial, Frame::done(operator, &done)).await? })
        }
        Err(refusal) => refused(&refusal, &CardPage::of(server, operator, serial, Frame::saying(operator, &refusal)).await?),
    })
}

async fn order_task(
    State(server): State<Server>,
    Path(serial): Path<String>,
    Sent { by: operator, fields }: Sent<Operator>,
) -> Page {
    let field = |name: &str| fields.get(name).cloned().unwrap_or_default();
    let new = NewTask { comment: field("comment"), workstation: field("workstation") };
    let done = "The task waits for the workstation that has the card; its user answers the questions there.";
    let ordered = server.tasks().order_pin_reset(&operator, &serial, &new).await;
    task_ended(&server, &operator, &serial, ordered, done).await
}

async fn cancel_task(
    State(server): State<Server>,
    Path(id): Path<String>,
    Sent { by: operator, fields }: Sent<Operator>,
) -> Page {
    let serial = fields.get("card").cloned().unwrap_or_default();
    let cancelled = server.tasks().cancel(&operator, &id).await;
    task_ended(&server, &operator, &serial, cancelled, "The task is cancelled.").await
}

/// The card's page, saying how it went with a task.
async fn task_ended(server: &Server, operator: &Operator, serial: &str, task: Result<TaskView, Refusal>, done: &str) -> Page {
    Ok(match task {
        Ok(_) => page(&CardPage::of(server, operator, serial, Frame::done(operator, done)).await?),
        Err(refusal) => refused(&refusal, &CardPage::of(server, operator, serial, Frame::saying(operator, &refusal)).await?),
    })
}

async fn type_names(server: &Server, operator: &Operator) -> Result<Vec<String>, Refusal> {
    Ok(server.card_types().all(operator).await?.into_iter().map(|(name, _)| name).collect())
}

async fn connected(State(server): State<Server>, At(operator): At<Operator>) -> Page {
    let (cards, card_types) = (server.issuing().connected(&operator).await?, type_names(&server, &operator).await?);
    Ok(page(&Station { frame: Frame::of(&operator), cards, card_types }))
}

async fn add_card(State(server): State<Server>, Sent { by: operator, fields }: Sent<Operator>) -> Page {
    let field = |name: &str| fields.get(name).cloned().unwrap_or_default();
    let new = NewCard {
        serial: field("serial"),
        card_type: field("card_type"),
        atr: field("atr"),
        label: field("label"),
        admin_key: Some(field("admin_key")).filter(|key| !key.trim().is_empty()),
        no_admin_key: false,
    };
    Ok(match server.cards().add(&operator, &new).await {
        Ok(card) => {
            let (frame, tasks, responses) = (Frame::done(&operator, "The card is registered."), Vec::new(), Vec::new());
            page(&CardPage { frame, card, tasks, responses })
        }
        Err(refusal) => {
            let (cards, card_types) = (server.issuing().connected(&operator).await?, type_names(&server, &operator).await?);
            refused(&refusal, &Station { frame: Frame::saying(&operator, &refusal), cards, card_types })
        }
    })
}

async fn open_wizard(
    State(server): State<Server>,
    Path(serial): Path<String>,
    Sent { by: operator, .. }: Sent<Operator>,
) -> Page {
    Ok(match server.wizards().open(&operator, &serial).await {
        Ok(wizard) => {
            let ready = wizard.questions.is_empty();
            page(&Unlock {
                frame: Frame::of(&operator),
                serial,
                wizard,
                ready,
                typed: String::new(),
                response: None,
                given: None,
            })
        }
        Err(refusal) => refused(&refusal, &CardPage::of(&server, &operator, &serial, Frame::saying(&operator, &refusal)).await?),
    })
}

/// The wizard as it is now, with what to say.
async fn unlock(server: &Server, operator: &Operator, id: &str, frame: Frame, typed: String) -> Result<Unlock, ErrorPage> {
    let WizardView { card, wizard, ready, given } = server.wizards().view(operator, id).await?;
    Ok(Unlock { frame, serial: card, wizard, ready, typed, response: None, given })
}

async fn wizard(State(server): State<Server>, At(operator): At<Operator>, Path(id): Path<String>) -> Page {
    Ok(page(&unlock(&server, &operator, &id, Frame::of(&operator), String::new()).await?))
}

async fn answer_wizard(
    State(server): State<Server>,
    Path(id): Path<String>,
    Sent { by: operator, fields }: Sent<Operator>,
) -> Page {
    let frame = match server.wizards().answer(&operator, &id, &answers(&fields)).await {
        Ok(verdict) if verdict.ok => Frame::done(&operator, "The answers are right."),
        Ok(verdict) => {
            let message = format!("The answers are not right; {} tries left.", verdict.left);
            let refusal = Refusal::new(if verdict.left == 0 { Code::SessionOver } else { Code::AnswersFirst }, message);
            if verdict.left == 0 {
                return Err(refusal.into());
            }
            Frame::saying(&operator, &refusal)
        }
        Err(refusal) => Frame::saying(&operator, &refusal),
    };
    Ok(page(&unlock(&server, &operator, &id, frame, String::new()).await?))
}

async fn challenge_wizard(
    State(server): State<Server>,
    Path(id): Path<String>,
    Sent { by: operator, fields }: Sent<Operator>,
) -> Page {
    let read = ReadOut { challenge: fields.get("challenge").cloned().unwrap_or_default(), check: fields.get("check").cloned() };
    match server.wizards().challenge(&operator, &id, &read).await {
        Ok(response) => {
            let view = unlock(&server, &operator, &id, Frame::of(&operator), String::new()).await?;
            Ok(page(&Unlock { response: Some(response), ..view }))
        }
        Err(refusal) => {
            let view = unlock(&server, &operator, &id, Frame::saying(&operator, &refusal), read.challenge).await?;
            Ok(refused(&refusal, &view))
        }
    }
}

async fn events(State(server): State<Server>, At(operator): At<Operator>, Query(filter): Query<Filter>) -> Page {
    let filled = |text: &Option<String>| text.clone().filter(|t| !t.is_empty());
    let (card, name) = (filled(&filter.card), filled(&filter.name));
    let filter = Filter { card, name, sort: EventOrder::SeqDown, limit: Some(SHOWN_EVENTS), ..filter };
    let events = server.log().list(&operator, &filter).await?.items;
    let frame = Frame::of(&operator);
    Ok(page(&Events { frame, card: filter.card.unwrap_or_default(), name: filter.name.unwrap_or_default(), events }))
}

async fn policies(State(server): State<Server>, At(operator): At<Operator>) -> Page {
    Ok(page(&configuration(&server, &operator, Frame::of(&operator)).await?))
}

async fn configuration(server: &Server, operator: &Operator, frame: Frame) -> Result<Policies, Refusal> {
    let policies = server.policies().with_questions(operator).await?;
    let entry = |(policy, questions)| PolicyEntry { policy, questions };
    Ok(Policies { frame, policies: policies.into_iter().map(entry).collect() })
}

/// The page again, saying how it went.
async fn configured(server: &Server, operator: &Operator, changed: Result<(), Refusal>) -> Page {
    Ok(match changed {
        Ok(()) => page(&configuration(server, operator, Frame::done(operator, "Saved; it holds from now on.")).await?),
        Err(refusal) => refused(&refusal, &configuration(server, operator, Frame::saying(operator, &refusal)).await?),
    })
}

async fn change_policy(
    State(server): State<Server>,
    Path(id): Path<String>,
    Sent { by: operator, fields }: Sent<Operator>,
) -> Page {
    let policies = server.policies().all(&operator).await?;
    let before = policies.iter().find(|p| p.id == id).ok_or_else(|| Refusal::not_found("policy"))?;
    let changed = match settings(&before.settings, &fields) {
        Ok(settings) => server.policies().change(&operator, &id, &settings).await,
        Err(refusal) => Err(refusal),
    };
    configured(&server, &operator, changed).await
}

async fn add_question(
    State(server): State<Server>,
    Path(id): Path<String>,
    Sent { by: operator, fields }: Sent<Operator>,
) -> Page {
    let min_length = fields.get("min_length").and_then(|text| text.trim().parse().ok()).unwrap_or_default();
    let new = NewQuestion { text: fields.get("text").cloned().unwrap_or_default(), min_length };
    let changed = server.policies().add_question(&operator, &id, &new).await.map(drop);
    configured(&server, &operator, changed).await
}

async fn delete_question(
    State(server): State<Server>,
    Path(id): Path<String>,
    Sent { by: operator, .. }: Sent<Operator>,
) -> Page {
    let changed = server.policies().delete_question(&operator, &id).await;
    configured(&server, &operator, changed).await
}

/// A policy with what the form says of it.
fn settings(before: &Policy, fields: &Fields) -> Result<Policy, Refusal> {
    let on = |name: &str| fields.contains_key(name);
    let number = |name: &str| {
        let text = fields.get(name).map(String::as_str).unwrap_or_default();
        text.trim().parse::<u8>().map_err(|_| Refusal::malformed(format!("'{text}' is no number for {}", name.replace('_', " "))))
    };
    let mut after = before.clone();
    after.workflow.unblock_card_offline = on("unblock_card_offline");
    after.workflow.validate_answers = on("validate_answers");
    after.workflow.reset_user_pin = on("reset_user_pin");
    after.workflow.allow_self_unlock = on("allow_self_unlock");
    after.authentication.count_operator_answers = on("count_operator_answers");
    after.authentication.questions_to_ask = number("questions_to_ask")?;
    after.authentication.maximum_retry_count = number("maximum_retry_count")?;
    after.issuance.maximum_cards = number("maximum_cards")?;
    after.issuance.initialize_card = on("initialize_card");
    after.issuance.lock_card = on("lock_card");
    // Rules that were set over the API stay as they are.
    let rules = before.issuance.random_user_pin.clone().unwrap_or_default();
    after.issuance.random_user_pin =
        if on("random_user_pin") { Some(RandomPin { length: number("random_pin_length")?, ..rules }) } else { None };
    let any = fields.get("pin_tries").is_none_or(|text| text.trim().is_empty());
    after.issuance.pin_tries = if any { None } else { Some(number("pin_tries")?) };
    Ok(after)
}
