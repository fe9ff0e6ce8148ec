//! Cards: the repository, those that are connected to the server's machine, and their tasks.

use super::super::body::{Bearer, Body, Query};
use super::{Done, Page, Reply};
use crate::model::card::{CardFilter, Operation};
use crate::model::refusal::Refusal;
use crate::model::response::GivenView;
use crate::model::tags::Retag;
use crate::model::task::TaskView;
use crate::service::Server;
use crate::service::admin_key::{KeyThatIs, Keyed};
use crate::service::cards::{CardView, NewCard, OperationDetail};
use crate::service::issue::{AtHand, Operated};
use crate::service::task::NewTask;
use axum::Json;
use axum::extract::{Path, RawQuery, State};
use cardlab_protocol::problem::Problem;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn router() -> OpenApiRouter<Server> {
    OpenApiRouter::new()
        .routes(routes!(find_cards, add_card))
        .routes(routes!(view_card, remove_card))
        .routes(routes!(retag))
        .routes(routes!(responses_of_card))
        .routes(routes!(connected))
        .routes(routes!(reset_pin))
        .routes(routes!(roll_key))
        .routes(routes!(correct_key))
        .routes(routes!(tasks, order_task))
        .routes(routes!(cancel_task))
        .routes(routes!(operate))
}

/// Find cards. A local role finds those under its policies, and those that are nobody's where it assigns cards.
#[utoipa::path(get, path = "/cards", params(CardFilter), responses((status = 200, body = [CardView], headers(("Link" = Option<String>, description = "The next page, as `<?..>; rel=\"next\"`; none on the last"))), (status = 400, body = Problem), (status = 403, body = Problem)))]
async fn find_cards(
    State(server): State<Server>,
    Bearer(operator): Bearer,
    RawQuery(asked): RawQuery,
    Query(mut filter): Query<CardFilter>,
) -> Result<Page<CardView>, Refusal> {
    if let Some(user) = &filter.user {
        filter.user = Some(server.meanings().user(&operator, user).await?);
    }
    Ok(Page { listed: server.cards().list(&operator, &filter).await?, asked })
}

/// Register a card. One in a reader of the server is asked whether it has the key, which costs it a try when it has another.
#[utoipa::path(post, path = "/cards", request_body = NewCard, responses((status = 200, body = Keyed), (status = 403, body = Problem), (status = 409, body = Problem)))]
async fn add_card(State(server): State<Server>, Bearer(operator): Bearer, Body(new): Body<NewCard>) -> Reply<Keyed> {
    Ok(Json(server.cards().add(&operator, &new).await?))
}

/// One card.
#[utoipa::path(get, path = "/cards/{serial}", params(("serial" = String, Path)), responses((status = 200, body = CardView), (status = 404, body = Problem)))]
async fn view_card(State(server): State<Server>, Bearer(operator): Bearer, Path(serial): Path<String>) -> Reply<CardView> {
    Ok(Json(server.cards().view(&operator, &serial).await?))
}

/// Delete a card that was never issued.
#[utoipa::path(delete, path = "/cards/{serial}", params(("serial" = String, Path)), responses((status = 200, body = Done), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn remove_card(State(server): State<Server>, Bearer(operator): Bearer, Path(serial): Path<String>) -> Reply<Done> {
    server.cards().remove(&operator, &serial).await?;
    Ok(Json(Done {}))
}

/// Give a card tags, and take tags from it.
#[utoipa::path(post, path = "/cards/{serial}/tags", params(("serial" = String, Path)), request_body = Retag, responses((status = 200, body = CardView), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn retag(
    State(server): State<Server>,
    Bearer(operator): Bearer,
    Path(serial): Path<String>,
    Body(change): Body<Retag>,
) -> Reply<CardView> {
    Ok(Json(server.cards().retag(&operator, &serial, &change).await?))
}

/// The responses that a card was given, the newest first, with what became of them.
#[utoipa::path(get, path = "/cards/{serial}/responses", params(("serial" = String, Path)), responses((status = 200, body = [GivenView]), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn responses_of_card(
    State(server): State<Server>,
    Bearer(operator): Bearer,
    Path(serial): Path<String>,
) -> Reply<Vec<GivenView>> {
    Ok(Json(server.cards().responses(&operator, &serial).await?))
}

/// Cards that are connected to the server's machine.
#[utoipa::path(get, path = "/connected", responses((status = 200, body = [AtHand]), (status = 403, body = Problem), (status = 409, body = Problem)))]
async fn connected(State(server): State<Server>, Bearer(operator): Bearer) -> Reply<Vec<AtHand>> {
    Ok(Json(server.issuing().connected(&operator).await?))
}

/// *Reset user PIN* of a connected card.
#[utoipa::path(post, path = "/cards/{serial}/reset-pin", params(("serial" = String, Path)), responses((status = 200, body = Operated), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn reset_pin(State(server): State<Server>, Bearer(operator): Bearer, Path(serial): Path<String>) -> Reply<Operated> {
    Ok(Json(server.issuing().reset_pin(&operator, &serial).await?))
}

/// A new administrator key for a connected card.
#[utoipa::path(post, path = "/cards/{serial}/roll-key", params(("serial" = String, Path)), responses((status = 200, body = Operated), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn roll_key(State(server): State<Server>, Bearer(operator): Bearer, Path(serial): Path<String>) -> Reply<Operated> {
    Ok(Json(server.issuing().roll_key(&operator, &serial).await?))
}

/// Correct what the server knows of a card's administrator key. A card in a reader of the server is asked whether it has the key,
/// which costs it a try when it has another.
#[utoipa::path(post, path = "/cards/{serial}/correct-key", params(("serial" = String, Path)), request_body = KeyThatIs, responses((status = 200, body = Keyed), (status = 400, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn correct_key(
    State(server): State<Server>,
    Bearer(operator): Bearer,
    Path(serial): Path<String>,
    Body(is): Body<KeyThatIs>,
) -> Reply<Keyed> {
    Ok(Json(server.issuing().correct_key(&operator, &serial, &is).await?))
}

/// The tasks of a card, the newest first.
#[utoipa::path(get, path = "/cards/{serial}/tasks", params(("serial" = String, Path)), responses((status = 200, body = [TaskView]), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn tasks(State(server): State<Server>, Bearer(operator): Bearer, Path(serial): Path<String>) -> Reply<Vec<TaskView>> {
    Ok(Json(server.tasks().of_card(&operator, &serial).await?))
}

/// *Reset user PIN on agent*: the card's user confirms it with answers, at the workstation that has the card.
#[utoipa::path(post, path = "/cards/{serial}/tasks", params(("serial" = String, Path)), request_body = NewTask, responses((status = 200, body = TaskView), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn order_task(
    State(server): State<Server>,
    Bearer(operator): Bearer,
    Path(serial): Path<String>,
    Body(new): Body<NewTask>,
) -> Reply<TaskView> {
    Ok(Json(server.tasks().order_pin_reset(&operator, &serial, &new).await?))
}

/// Take a task back.
#[utoipa::path(post, path = "/tasks/{id}/cancel", params(("id" = String, Path)), responses((status = 200, body = TaskView), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn cancel_task(State(server): State<Server>, Bearer(operator): Bearer, Path(id): Path<String>) -> Reply<TaskView> {
    Ok(Json(server.tasks().cancel(&operator, &id).await?))
}

/// Assign, issue, disable, enable, revoke, withdraw.
#[utoipa::path(post, path = "/cards/{serial}/{operation}", params(("serial" = String, Path), ("operation" = Operation, Path)), request_body = OperationDetail, responses((status = 200, body = Operated), (status = 403, body = Problem), (status = 409, body = Problem)))]
async fn operate(
    State(server): State<Server>,
    Bearer(operator): Bearer,
    Path((serial, operation)): Path<(String, String)>,
    Body(detail): Body<OperationDetail>,
) -> Reply<Operated> {
    let operation = Operation::ALL.into_iter().find(|o| o.name() == operation).ok_or_else(|| Refusal::not_found("operation"))?;
    Ok(Json(server.cards().operate(&operator, &serial, operation, &detail).await?))
}
