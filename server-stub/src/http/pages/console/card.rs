//! One card: whose it is, what was heard of it, what can be done with it.

use super::super::door::{At, Sent, went};
use super::super::form::Typed;
use super::super::frame::{Frame, Here, sentence as refusal_sentence};
use super::super::list::Address;
use super::super::{Page, page};
use super::moment::{Dated, Moment};
use super::unlock::{Badge, sentence};
use super::{Line, story};
use crate::http::Front;
use crate::model::card::{CardState, Operation};
use crate::model::refusal::Refusal;
use crate::model::role::Privilege;
use crate::model::tags::Retag;
use crate::model::task::TaskView;
use crate::service::Server;
use crate::service::admin_key::{KeyThatIs, Keyed};
use crate::service::cards::{CardView, OperationDetail};
use crate::service::issue::Operated;
use crate::service::login::Operator;
use crate::service::picture::{May, Owner};
use crate::service::task::NewTask;
use crate::words::{card_name, filters, has, plain, say, text};
use askama::Template;
use axum::extract::{Path, State};
use axum::response::{Redirect, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};

pub(super) fn router() -> Router<Server> {
    let to_card = async |Path(serial): Path<String>| Redirect::to(&format!("/mc/cards/{serial}"));
    Router::new()
        .route("/mc/cards/{serial}", get(card))
        .route("/mc/cards/{serial}/reset-pin", post(reset_pin).get(to_card))
        .route("/mc/cards/{serial}/roll-key", post(roll_key).get(to_card))
        .route("/mc/cards/{serial}/correct-key", post(correct_key).get(to_card))
        .route("/mc/cards/{serial}/remove", post(remove).get(to_card))
        .route("/mc/cards/{serial}/tags", post(retag).get(to_card))
        .route("/mc/cards/{serial}/tasks", post(order_task).get(to_card))
        .route("/mc/tasks/{id}/cancel", post(cancel_task).get(async || Redirect::to("/mc/cards")))
        .route(
            "/mc/cards/{serial}/{operation}",
            post(operate).get(async |Path((serial, _)): Path<(String, String)>| Redirect::to(&format!("/mc/cards/{serial}"))),
        )
}

#[derive(Template)]
#[template(path = "card.html")]
struct CardPage {
    frame: Frame,
    card: CardView,
    name: String,
    owner: Option<Owner>,
    badges: Vec<Badge>,
    policy: Option<String>,
    /// To whom, by whom and when it was issued.
    issued: Option<Dated>,
    pin_tries: Option<u64>,
    may: May,
    may_view_log: bool,
    /// Why the card cannot be unlocked.
    not_unlocked: Option<String>,
    operations: Vec<Doable>,
    responses: Vec<Response_>,
    tasks: Vec<TaskView>,
    lines: Vec<Line>,
    /// What was typed into the form of an operation, by its name.
    typed: Typed,
}

impl CardPage {
    /// The list of the cards with this tag.
    fn cards_of(&self, tag: &str) -> String {
        Address::new("/mc/cards", &[("tag", tag)]).first()
    }
}

/// An operation of the card's menu.
struct Doable {
    operation: &'static str,
    title: String,
    /// What is asked first.
    ask: Option<String>,
    is_risk: bool,
}

impl Doable {
    fn of(operation: Operation) -> Self {
        let name = operation.name();
        let ask = format!("card-operation-ask-{name}");
        Self {
            operation: name,
            title: plain(&format!("card-operation-{name}")),
            ask: has(&ask).then(|| plain(&ask)),
            is_risk: matches!(operation, Operation::Disable | Operation::Revoke | Operation::Withdraw),
        }
    }
}

/// A response that was given.
struct Response_ {
    at: Moment,
    by: String,
    channel: String,
    times: i64,
    outcome: String,
}

async fn card(State(server): State<Server>, mut at: At<Operator>, Path(serial): Path<String>) -> Page {
    let picture = server.pictures().of_card(&at.by, &serial).await?;
    let now = server.now();
    let typed = at.typed(&format!("/mc/cards/{}", picture.card.serial_number)).by("remove");
    let name = card_name(&picture.card.serial_number);
    let title = say("card-title", &[("name", text(&name))]);
    let frame = match &picture.owner {
        Some(owner) if owner.is_seen => {
            at.frame(Here::Users).then("/mc", owner.cn.clone()).then(&format!("/mc/users/{}", owner.id), title)
        }
        _ => at.frame(Here::Cards).then("/mc/cards", title),
    };
    let responses = picture.responses.iter().map(|given| Response_ {
        at: Moment::of(given.given_at),
        by: given.by.clone(),
        channel: plain(&format!("channel-{}", given.channel)),
        times: given.times,
        outcome: sentence(given),
    });
    Ok(page(&CardPage {
        frame,
        name,
        badges: Badge::all(picture.seen.as_ref(), picture.claimed.as_ref(), now),
        policy: picture.policy,
        issued: picture.issued.map(|event| {
            let (by, at) = (("by", text(&event.initiator)), Moment::of(event.at));
            match &picture.owner {
                Some(owner) => Dated::of("card-issued-to", at, "", &[("user", text(&owner.cn)), by]),
                None => Dated::of("card-issued-by", at, "", &[by]),
            }
        }),
        pin_tries: picture.pin_tries,
        may_view_log: at.by.may_somewhere(Privilege::ViewLog),
        operations: picture.may.operations.iter().map(|operation| Doable::of(*operation)).collect(),
        responses: responses.collect(),
        lines: story(&picture.happened, picture.owner.as_ref().map(|owner| owner.cn.as_str()), now),
        // Of a card that was never in use nobody expects it.
        not_unlocked: picture
            .may
            .not_unlocked
            .as_ref()
            .filter(|_| !matches!(picture.card.state, CardState::Clean | CardState::Assigned))
            .map(|refusal| refusal_sentence(&refusal.said())),
        tasks: picture.tasks,
        may: picture.may,
        owner: picture.owner,
        card: picture.card,
        typed,
    }))
}

async fn operate(
    State(server): State<Server>,
    Extension(front): Extension<Front>,
    Path((serial, name)): Path<(String, String)>,
    Sent { by: operator, fields }: Sent<Operator>,
) -> Page {
    let operation = Operation::ALL.into_iter().find(|o| o.name() == name).ok_or_else(|| Refusal::not_found("operation"))?;
    let detail = OperationDetail { user: fields.get("user").cloned(), reason: fields.get("reason").cloned() };
    let operated = server.cards().operate(&operator, &serial, operation, &detail).await;
    Ok(operation_went(&server, &front, &serial, operated))
}

/// One tag more, or one less.
async fn retag(
    State(server): State<Server>,
    Extension(front): Extension<Front>,
    Path(serial): Path<String>,
    Sent { by: operator, fields }: Sent<Operator>,
) -> Response {
    let given = |name: &str| fields.get(name).cloned().into_iter().collect();
    let change = Retag { add: given("add"), remove: given("remove") };
    let changed = server.cards().retag(&operator, &serial, &change).await;
    went(&server, &front, &format!("/mc/cards/{serial}"), changed.map(|_| plain("card-tags-changed")))
}

async fn reset_pin(
    State(server): State<Server>,
    Extension(front): Extension<Front>,
    Path(serial): Path<String>,
    Sent { by: operator, .. }: Sent<Operator>,
) -> Response {
    let operated = server.issuing().reset_pin(&operator, &serial).await;
    operation_went(&server, &front, &serial, operated)
}

async fn roll_key(
    State(server): State<Server>,
    Extension(front): Extension<Front>,
    Path(serial): Path<String>,
    Sent { by: operator, .. }: Sent<Operator>,
) -> Response {
    let operated = server.issuing().roll_key(&operator, &serial).await;
    operation_went(&server, &front, &serial, operated)
}

async fn correct_key(
    State(server): State<Server>,
    Extension(front): Extension<Front>,
    Path(serial): Path<String>,
    Sent { by: operator, mut fields }: Sent<Operator>,
) -> Response {
    let admin_key = fields.remove("admin_key").filter(|key| !key.trim().is_empty());
    let is = KeyThatIs { admin_key, no_admin_key: fields.contains_key("no_admin_key") };
    let corrected = server.issuing().correct_key(&operator, &serial, &is).await;
    let done = corrected.map(|keyed| [plain("card-key-corrected"), key_said(&keyed)].join(" "));
    went(&server, &front, &format!("/mc/cards/{serial}"), done)
}

/// Whether a card was asked about its key.
pub(super) fn key_said(keyed: &Keyed) -> String {
    if !keyed.held_in.is_empty() {
        return say("card-key-held", &[("name", text(&keyed.held_in.join(", ")))]);
    }
    plain(match (keyed.key_tried, keyed.card.admin_key_known) {
        (true, _) => "card-key-tried",
        (false, true) => "card-key-untried",
        (false, false) => "card-key-none",
    })
}

async fn remove(
    State(server): State<Server>,
    Extension(front): Extension<Front>,
    Path(serial): Path<String>,
    Sent { by: operator, .. }: Sent<Operator>,
) -> Response {
    match server.cards().remove(&operator, &serial).await {
        Ok(()) => went(&server, &front, "/mc/cards", Ok(say("card-removed", &[("name", text(&card_name(&serial)))]))),
        Err(refusal) => went(&server, &front, &format!("/mc/cards/{serial}"), Err(refusal)),
    }
}

/// Back to the card, saying how it went.
fn operation_went(server: &Server, front: &Front, serial: &str, operated: Result<Operated, Refusal>) -> Response {
    let done = operated.map(|Operated { card, user_pin, puk, locked }| {
        let mut said = vec![say("card-is", &[("name", plain(card.state.word()).into())])];
        said.extend(user_pin.map(|pin| say("card-pin-is", &[("name", pin.into())])));
        said.extend(puk.map(|puk| say("card-puk-is", &[("name", puk.into())])));
        said.extend(locked.then(|| plain("card-is-locked")));
        said.join(" ")
    });
    went(server, front, &format!("/mc/cards/{serial}"), done)
}

async fn order_task(
    State(server): State<Server>,
    Extension(front): Extension<Front>,
    Path(serial): Path<String>,
    Sent { by: operator, fields }: Sent<Operator>,
) -> Response {
    let field = |name: &str| fields.get(name).cloned().unwrap_or_default();
    let new = NewTask { comment: field("comment"), workstation: field("workstation") };
    let ordered = server.tasks().order_pin_reset(&operator, &serial, &new).await;
    went(&server, &front, &format!("/mc/cards/{serial}"), ordered.map(|_| plain("card-agent-ordered")))
}

async fn cancel_task(
    State(server): State<Server>,
    Extension(front): Extension<Front>,
    Path(id): Path<String>,
    Sent { by: operator, .. }: Sent<Operator>,
) -> Response {
    match server.tasks().cancel(&operator, &id).await {
        Ok(task) => went(&server, &front, &format!("/mc/cards/{}", task.card), Ok(plain("card-task-cancelled"))),
        Err(refusal) => went(&server, &front, "/mc/cards", Err(refusal)),
    }
}
