//! Policies and their questions.

use super::super::body::{Bearer, Body, Query};
use super::{Done, Made, OfRevision, Reply};
use crate::model::policy::{NamedPolicy, Policy};
use crate::model::question::Question;
use crate::service::Server;
use crate::service::policies::NewQuestion;
use axum::Json;
use axum::extract::{Path, State};
use cardlab_protocol::problem::Problem;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn router() -> OpenApiRouter<Server> {
    OpenApiRouter::new()
        .routes(routes!(move_policy_up))
        .routes(routes!(list_policies, add_policy))
        .routes(routes!(change_policy, delete_policy))
        .routes(routes!(rename_policy))
        .routes(routes!(list_questions, add_question))
        .routes(routes!(change_question, delete_question))
        .routes(routes!(move_question_up))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewPolicy {
    /// Name.
    name: String,
    /// Settings; what is left out has its default.
    #[serde(default)]
    settings: Policy,
}

/// Another name.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Renamed {
    /// It.
    name: String,
}

/// All policies; for a local role its own.
#[utoipa::path(get, path = "/policies", responses((status = 200, body = [NamedPolicy]), (status = 403, body = Problem)))]
async fn list_policies(State(server): State<Server>, Bearer(operator): Bearer) -> Reply<Vec<NamedPolicy>> {
    Ok(Json(server.policies().all(&operator).await?))
}

/// Make a policy.
#[utoipa::path(post, path = "/policies", request_body = NewPolicy, responses((status = 200, body = Made), (status = 400, body = Problem), (status = 403, body = Problem), (status = 409, body = Problem)))]
async fn add_policy(State(server): State<Server>, Bearer(operator): Bearer, Body(new): Body<NewPolicy>) -> Reply<Made> {
    Ok(Json(Made { id: server.policies().add(&operator, &new.name, &new.settings).await? }))
}

/// Change a policy.
#[utoipa::path(put, path = "/policies/{id}", params(("id" = String, Path), OfRevision), request_body = Policy, responses((status = 200, body = Done), (status = 400, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn change_policy(
    State(server): State<Server>,
    Bearer(operator): Bearer,
    Path(id): Path<String>,
    Query(of): Query<OfRevision>,
    Body(settings): Body<Policy>,
) -> Reply<Done> {
    server.policies().change(&operator, &id, &settings, of.revision.as_deref()).await?;
    Ok(Json(Done {}))
}

/// Give a policy another name.
#[utoipa::path(put, path = "/policies/{id}/name", params(("id" = String, Path), OfRevision), request_body = Renamed, responses((status = 200, body = Done), (status = 400, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn rename_policy(
    State(server): State<Server>,
    Bearer(operator): Bearer,
    Path(id): Path<String>,
    Query(of): Query<OfRevision>,
    Body(renamed): Body<Renamed>,
) -> Reply<Done> {
    server.policies().rename(&operator, &id, &renamed.name, of.revision.as_deref()).await?;
    Ok(Json(Done {}))
}

/// Delete a policy that nothing hangs on.
#[utoipa::path(delete, path = "/policies/{id}", params(("id" = String, Path)), responses((status = 200, body = Done), (status = 403, body = Problem), (status = 409, body = Problem)))]
async fn delete_policy(State(server): State<Server>, Bearer(operator): Bearer, Path(id): Path<String>) -> Reply<Done> {
    server.policies().delete(&operator, &id).await?;
    Ok(Json(Done {}))
}

/// Moves a policy before the one that stands before it.
#[utoipa::path(post, path = "/policies/{id}/up", params(("id" = String, Path)), responses((status = 200, body = Done), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn move_policy_up(State(server): State<Server>, Bearer(operator): Bearer, Path(id): Path<String>) -> Reply<Done> {
    server.policies().move_up(&operator, &id, None).await?;
    Ok(Json(Done {}))
}

/// Questions of a policy.
#[utoipa::path(get, path = "/policies/{id}/questions", params(("id" = String, Path)), responses((status = 200, body = [Question]), (status = 403, body = Problem)))]
async fn list_questions(State(server): State<Server>, Bearer(operator): Bearer, Path(id): Path<String>) -> Reply<Vec<Question>> {
    Ok(Json(server.policies().questions(&operator, &id).await?))
}

/// Create a security question.
#[utoipa::path(post, path = "/policies/{id}/questions", params(("id" = String, Path)), request_body = NewQuestion, responses((status = 200, body = Made), (status = 400, body = Problem), (status = 403, body = Problem)))]
async fn add_question(
    State(server): State<Server>,
    Bearer(operator): Bearer,
    Path(id): Path<String>,
    Body(new): Body<NewQuestion>,
) -> Reply<Made> {
    Ok(Json(Made { id: server.policies().add_question(&operator, &id, &new).await? }))
}

/// Change a question; answers to it stay.
#[utoipa::path(put, path = "/questions/{id}", params(("id" = String, Path), OfRevision), request_body = NewQuestion, responses((status = 200, body = Done), (status = 400, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn change_question(
    State(server): State<Server>,
    Bearer(operator): Bearer,
    Path(id): Path<String>,
    Query(of): Query<OfRevision>,
    Body(new): Body<NewQuestion>,
) -> Reply<Done> {
    server.policies().change_question(&operator, &id, &new, of.revision.as_deref()).await?;
    Ok(Json(Done {}))
}

/// Delete a question that nobody has answered.
#[utoipa::path(delete, path = "/questions/{id}", params(("id" = String, Path)), responses((status = 200, body = Done), (status = 403, body = Problem), (status = 409, body = Problem)))]
async fn delete_question(State(server): State<Server>, Bearer(operator): Bearer, Path(id): Path<String>) -> Reply<Done> {
    server.policies().delete_question(&operator, &id).await?;
    Ok(Json(Done {}))
}

/// Move a question before the one that stands before it: in this order they are listed and asked.
#[utoipa::path(post, path = "/questions/{id}/up", params(("id" = String, Path)), responses((status = 200, body = Done), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn move_question_up(State(server): State<Server>, Bearer(operator): Bearer, Path(id): Path<String>) -> Reply<Done> {
    server.policies().move_question_up(&operator, &id, None).await?;
    Ok(Json(Done {}))
}
