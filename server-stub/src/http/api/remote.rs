//! Remote Self-Service for programs.

use super::super::body::{Body, PeerAddress};
use super::Reply;
use crate::model::captcha::Typed;
use crate::service::Server;
use crate::service::flow::remote::{OwnCard, Remote};
use crate::service::self_service::OwnOperation;
use axum::Json;
use axum::extract::{Path, State};
use cardlab_protocol::problem::Problem;
use cardlab_protocol::workstation::{Answers, Response as Responded};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn router() -> OpenApiRouter<Server> {
    OpenApiRouter::new()
        .routes(routes!(open_remote))
        .routes(routes!(captcha_remote))
        .routes(routes!(answer_remote))
        .routes(routes!(cards_remote))
        .routes(routes!(challenge_remote))
        .routes(routes!(operate_remote))
}

/// Whether a remote user's answers are right; never which of them.
#[derive(Serialize, ToSchema)]
struct Right {
    /// Right.
    ok: bool,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Name {
    /// Logon name, either form.
    name: String,
    /// The letters of `GET /remote/captcha`, where they are wanted.
    #[serde(default)]
    captcha: Option<Typed>,
}

/// Letters that are to be typed before a name is taken.
#[derive(Serialize, ToSchema)]
struct Letters {
    /// Names them; `null` where nobody is asked.
    token: Option<String>,
    /// Where their picture is, PNG.
    picture: Option<String>,
    /// Where their sound is, WAV.
    sound: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CardChallenge {
    /// Serial of one of the user's cards.
    card: String,
    /// As people write it.
    challenge: String,
}

/// Remote Self-Service: who are you?
#[utoipa::path(post, path = "/remote", request_body = Name, responses((status = 200, body = Remote), (status = 400, body = Problem), (status = 403, body = Problem), (status = 429, body = Problem)))]
async fn open_remote(State(server): State<Server>, PeerAddress(address): PeerAddress, Body(body): Body<Name>) -> Reply<Remote> {
    Ok(Json(server.remote().open(&body.name, &address, body.captcha.as_ref()).await?))
}

/// Remote Self-Service: the letters that somebody types who says a name.
#[utoipa::path(get, path = "/remote/captcha", responses((status = 200, body = Letters)))]
async fn captcha_remote(State(server): State<Server>) -> Reply<Letters> {
    let token = server.captchas().wanted().await?;
    let at = |kind: &str| token.as_ref().map(|token| format!("/rss/captcha.{kind}?of={token}"));
    Ok(Json(Letters { picture: at("png"), sound: at("wav"), token }))
}

/// Remote Self-Service: answers.
#[utoipa::path(post, path = "/remote/{session}/answers", params(("session" = String, Path)), request_body = Answers, responses((status = 200, body = Right), (status = 400, body = Problem), (status = 410, body = Problem)))]
async fn answer_remote(
    State(server): State<Server>,
    PeerAddress(address): PeerAddress,
    Path(session): Path<String>,
    Body(answers): Body<Answers>,
) -> Reply<Right> {
    Ok(Json(Right { ok: server.remote().answer(&session, &address, &answers).await? }))
}

/// Remote Self-Service: the user's cards.
#[utoipa::path(get, path = "/remote/{session}/cards", params(("session" = String, Path)), responses((status = 200, body = [OwnCard]), (status = 409, body = Problem), (status = 410, body = Problem)))]
async fn cards_remote(
    State(server): State<Server>,
    PeerAddress(address): PeerAddress,
    Path(session): Path<String>,
) -> Reply<Vec<OwnCard>> {
    Ok(Json(server.remote().cards(&session, &address).await?))
}

/// Remote Self-Service: the response to a card's challenge.
#[utoipa::path(post, path = "/remote/{session}/challenge", params(("session" = String, Path)), request_body = CardChallenge, responses((status = 200, body = Responded), (status = 400, body = Problem), (status = 403, body = Problem), (status = 409, body = Problem), (status = 410, body = Problem), (status = 429, body = Problem)))]
async fn challenge_remote(
    State(server): State<Server>,
    PeerAddress(address): PeerAddress,
    Path(session): Path<String>,
    Body(body): Body<CardChallenge>,
) -> Reply<Responded> {
    Ok(Json(server.remote().challenge(&session, &address, &body.card, &body.challenge).await?))
}

/// Remote Self-Service: *Disable*, *Enable* or *Revoke* of one of the user's cards.
#[utoipa::path(post, path = "/remote/{session}/operations", params(("session" = String, Path)), request_body = OwnOperation, responses((status = 200, body = OwnCard), (status = 400, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem), (status = 410, body = Problem)))]
async fn operate_remote(
    State(server): State<Server>,
    PeerAddress(address): PeerAddress,
    Path(session): Path<String>,
    Body(body): Body<OwnOperation>,
) -> Reply<OwnCard> {
    Ok(Json(server.remote().operate(&session, &address, &body).await?))
}
