//! The workstation service. Its messages are [`cardlab_protocol::workstation`]'s.

use super::api::Done;
use super::body::{Body, PeerAddress};
use crate::model::refusal::Refusal;
use crate::service::Server;
use axum::Json;
use axum::extract::{Path, State};
use cardlab_protocol::problem::Problem;
use cardlab_protocol::workstation::{Answers, Challenge, Judged, Open, Opened, Outcome, Report, Response, TaskOffer, Ways};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn router() -> OpenApiRouter<Server> {
    OpenApiRouter::new()
        .routes(routes!(ways))
        .routes(routes!(open))
        .routes(routes!(answer))
        .routes(routes!(challenge))
        .routes(routes!(report))
        .routes(routes!(task))
        .routes(routes!(later))
        .routes(routes!(tell))
}

type Reply<T> = Result<Json<T>, Refusal>;

/// Which ways are open to a card. Begins nothing.
#[utoipa::path(post, path = "/ways", request_body = Open, responses((status = 200, body = Ways), (status = 400, body = Problem), (status = 429, body = Problem), (status = 503, body = Problem)))]
async fn ways(State(server): State<Server>, PeerAddress(address): PeerAddress, Body(open): Body<Open>) -> Reply<Ways> {
    Ok(Json(server.workstations().ways(&open, &address).await?))
}

/// A card whose PIN is blocked asks what is possible.
#[utoipa::path(post, path = "/sessions", request_body = Open, responses((status = 200, body = Opened), (status = 400, body = Problem), (status = 429, body = Problem), (status = 503, body = Problem)))]
async fn open(State(server): State<Server>, PeerAddress(address): PeerAddress, Body(open): Body<Open>) -> Reply<Opened> {
    Ok(Json(server.online().open(&open, &address).await?))
}

/// Answers to all questions of the session.
#[utoipa::path(post, path = "/sessions/{id}/answers", params(("id" = String, Path)), request_body = Answers, responses((status = 200, body = Judged), (status = 400, body = Problem), (status = 410, body = Problem), (status = 503, body = Problem)))]
async fn answer(
    State(server): State<Server>,
    PeerAddress(address): PeerAddress,
    Path(id): Path<String>,
    Body(answers): Body<Answers>,
) -> Reply<Judged> {
    Ok(Json(server.online().answer(&id, &address, &answers).await?))
}

/// The card's challenge: its response. One challenge a session, however often it comes.
#[utoipa::path(post, path = "/sessions/{id}/challenge", params(("id" = String, Path)), request_body = Challenge, responses((status = 200, body = Response), (status = 400, body = Problem), (status = 410, body = Problem), (status = 429, body = Problem), (status = 503, body = Problem)))]
async fn challenge(
    State(server): State<Server>,
    PeerAddress(address): PeerAddress,
    Path(id): Path<String>,
    Body(read): Body<Challenge>,
) -> Reply<Response> {
    Ok(Json(server.online().challenge(&id, &address, &read.challenge).await?))
}

/// What an agent has to do with the card that it has.
#[utoipa::path(post, path = "/tasks", request_body = Open, responses((status = 200, body = TaskOffer), (status = 400, body = Problem), (status = 429, body = Problem), (status = 503, body = Problem)))]
async fn task(State(server): State<Server>, PeerAddress(address): PeerAddress, Body(open): Body<Open>) -> Reply<TaskOffer> {
    Ok(Json(server.tasks().take(&open, &address).await?))
}

/// The user does not want the task now.
#[utoipa::path(post, path = "/sessions/{id}/later", params(("id" = String, Path)), responses((status = 200, body = Done), (status = 410, body = Problem), (status = 503, body = Problem)))]
async fn later(State(server): State<Server>, PeerAddress(address): PeerAddress, Path(id): Path<String>) -> Reply<Done> {
    server.tasks().put_off(&id, &address).await?;
    Ok(Json(Done {}))
}

/// How it ended at the card.
#[utoipa::path(post, path = "/sessions/{id}/result", params(("id" = String, Path)), request_body = Outcome, responses((status = 200, body = Done), (status = 400, body = Problem), (status = 410, body = Problem), (status = 503, body = Problem)))]
async fn report(
    State(server): State<Server>,
    PeerAddress(address): PeerAddress,
    Path(id): Path<String>,
    Body(outcome): Body<Outcome>,
) -> Reply<Done> {
    server.online().report(&id, &address, &outcome).await?;
    Ok(Json(Done {}))
}

/// What became of a card, whenever it was. Answered alike for every card.
#[utoipa::path(post, path = "/reports", request_body = Report, responses((status = 200, body = Done), (status = 400, body = Problem), (status = 429, body = Problem), (status = 503, body = Problem)))]
async fn tell(State(server): State<Server>, PeerAddress(address): PeerAddress, Body(report): Body<Report>) -> Reply<Done> {
    server.workstations().take_report(&report, &address).await?;
    Ok(Json(Done {}))
}
