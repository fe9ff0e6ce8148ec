//! Card types.

use super::super::body::{Bearer, Body, Query};
use super::{Done, OfRevision, Reply};
use crate::model::card::CardType;
use crate::service::Server;
use crate::service::card_types::CardTypeView;
use axum::Json;
use axum::extract::{Path, State};
use cardlab_protocol::problem::Problem;
use std::collections::BTreeMap;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn router() -> OpenApiRouter<Server> {
    OpenApiRouter::new().routes(routes!(card_types)).routes(routes!(add_card_type, change_card_type, delete_card_type))
}

/// Card types by name.
#[utoipa::path(get, path = "/card-types", responses((status = 200, body = std::collections::BTreeMap<String, CardTypeView>), (status = 403, body = Problem)))]
async fn card_types(State(server): State<Server>, Bearer(operator): Bearer) -> Reply<BTreeMap<String, CardTypeView>> {
    Ok(Json(server.card_types().all(&operator).await?.into_iter().collect()))
}

/// Add a card type.
#[utoipa::path(post, path = "/card-types/{name}", params(("name" = String, Path)), request_body = CardType, responses((status = 200, body = Done), (status = 400, body = Problem), (status = 403, body = Problem), (status = 409, body = Problem)))]
async fn add_card_type(
    State(server): State<Server>,
    Bearer(operator): Bearer,
    Path(name): Path<String>,
    Body(about): Body<CardType>,
) -> Reply<Done> {
    server.card_types().add(&operator, &name, &about).await?;
    Ok(Json(Done {}))
}

/// Change a card type; cards keep the PIN that they have.
#[utoipa::path(put, path = "/card-types/{name}", params(("name" = String, Path), OfRevision), request_body = CardType, responses((status = 200, body = Done), (status = 400, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn change_card_type(
    State(server): State<Server>,
    Bearer(operator): Bearer,
    Path(name): Path<String>,
    Query(of): Query<OfRevision>,
    Body(about): Body<CardType>,
) -> Reply<Done> {
    server.card_types().change(&operator, &name, &about, of.revision.as_deref()).await?;
    Ok(Json(Done {}))
}

/// Delete a card type that no card has.
#[utoipa::path(delete, path = "/card-types/{name}", params(("name" = String, Path)), responses((status = 200, body = Done), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn delete_card_type(State(server): State<Server>, Bearer(operator): Bearer, Path(name): Path<String>) -> Reply<Done> {
    server.card_types().delete(&operator, &name).await?;
    Ok(Json(Done {}))
}
