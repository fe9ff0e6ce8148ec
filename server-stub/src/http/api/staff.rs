//! Operators: who they are, their roles, and how they log in.

use super::super::body::{Bearer, Body, PeerAddress, Query};
use super::{Done, Made, OfRevision, Reply};
use crate::model::role::Role;
use crate::service::Server;
use crate::service::login::Door;
use crate::service::staff::{NewOperator, RoleOf, Staff};
use axum::Json;
use axum::extract::{Path, State};
use cardlab_protocol::problem::Problem;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn router() -> OpenApiRouter<Server> {
    OpenApiRouter::new()
        .routes(routes!(log_in))
        .routes(routes!(set_role))
        .routes(routes!(add_operator))
        .routes(routes!(staff))
        .routes(routes!(assign_role))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Credentials {
    /// Operator's name.
    name: String,
    /// Password.
    password: String,
}

#[derive(Serialize, ToSchema)]
struct Token {
    /// For `Authorization: Bearer`.
    token: String,
}

/// Log in as an operator.
#[utoipa::path(post, path = "/login", request_body = Credentials, responses((status = 200, body = Token), (status = 401, body = Problem), (status = 429, body = Problem)))]
async fn log_in(State(server): State<Server>, PeerAddress(address): PeerAddress, Body(body): Body<Credentials>) -> Reply<Token> {
    let login = server.logins().log_in(Door::Console, &body.name, &body.password, &address).await?;
    Ok(Json(Token { token: login.token }))
}

/// Roles, and the operators who have them.
#[utoipa::path(get, path = "/staff", responses((status = 200, body = Staff), (status = 403, body = Problem)))]
async fn staff(State(server): State<Server>, Bearer(operator): Bearer) -> Reply<Staff> {
    Ok(Json(server.staff().all(&operator).await?))
}

/// Make or change a role.
#[utoipa::path(put, path = "/roles/{name}", params(("name" = String, Path), OfRevision), request_body = Role, responses((status = 200, body = Made), (status = 403, body = Problem), (status = 409, body = Problem)))]
async fn set_role(
    State(server): State<Server>,
    Bearer(operator): Bearer,
    Path(name): Path<String>,
    Query(of): Query<OfRevision>,
    Body(role): Body<Role>,
) -> Reply<Made> {
    Ok(Json(Made { id: server.staff().set_role(&operator, &name, &role, of.revision.as_deref()).await? }))
}

/// Add an operator.
#[utoipa::path(post, path = "/operators", request_body = NewOperator, responses((status = 200, body = Made), (status = 403, body = Problem), (status = 409, body = Problem)))]
async fn add_operator(State(server): State<Server>, Bearer(operator): Bearer, Body(new): Body<NewOperator>) -> Reply<Made> {
    Ok(Json(Made { id: server.staff().add_operator(&operator, &new).await? }))
}

/// Give an operator another role, or none.
#[utoipa::path(put, path = "/operators/{id}/role", params(("id" = String, Path), OfRevision), request_body = RoleOf, responses((status = 200, body = Done), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn assign_role(
    State(server): State<Server>,
    Bearer(operator): Bearer,
    Path(id): Path<String>,
    Query(of): Query<OfRevision>,
    Body(RoleOf { role }): Body<RoleOf>,
) -> Reply<Done> {
    server.staff().assign_role(&operator, &id, role.as_deref(), of.revision.as_deref()).await?;
    Ok(Json(Done {}))
}
