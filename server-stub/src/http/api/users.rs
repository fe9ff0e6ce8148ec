//! Users, and the policies that they are under.

use super::super::body::{Bearer, Body, Query};
use super::{Done, Made, OfRevision, Page, Reply};
use crate::model::names::Clash;
use crate::model::refusal::Refusal;
use crate::model::user::UserFilter;
use crate::service::Server;
use crate::service::users::{NewUser, UserData, UserView};
use axum::Json;
use axum::extract::{Path, RawQuery, State};
use cardlab_protocol::problem::Problem;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn router() -> OpenApiRouter<Server> {
    OpenApiRouter::new()
        .routes(routes!(find_users, add_user))
        .routes(routes!(clashing_names))
        .routes(routes!(view_user, correct_user))
        .routes(routes!(change_user))
        .routes(routes!(policies_of_user, set_policies))
}

/// The policies that a user is under.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Under {
    /// Their ids. The first in the order of policies holds.
    policies: Vec<String>,
}

/// The policies that a user is under now.
#[derive(Serialize, ToSchema)]
struct UnderNow {
    /// Their ids. The first in the order of policies holds.
    policies: Vec<String>,
    /// Names them: a change that says of which they are does not undo another's.
    revision: String,
}

/// Find users. A local role finds those for whom one of its policies holds.
#[utoipa::path(get, path = "/users", params(UserFilter), responses((status = 200, body = [UserView], headers(("Link" = Option<String>, description = "The next page, as `<?..>; rel=\"next\"`; none on the last"))), (status = 400, body = Problem), (status = 403, body = Problem)))]
async fn find_users(
    State(server): State<Server>,
    Bearer(operator): Bearer,
    RawQuery(asked): RawQuery,
    Query(filter): Query<UserFilter>,
) -> Result<Page<UserView>, Refusal> {
    Ok(Page { listed: server.users().list(&operator, &filter).await?, asked })
}

/// Add a user to the catalog.
#[utoipa::path(post, path = "/users", request_body = NewUser, responses((status = 200, body = Made), (status = 403, body = Problem), (status = 409, body = Problem)))]
async fn add_user(State(server): State<Server>, Bearer(operator): Bearer, Body(new): Body<NewUser>) -> Reply<Made> {
    Ok(Json(Made { id: server.users().add(&operator, &new).await? }))
}

/// Names that more than one user or operator has, after an older version told them apart: each of them logs in by it only as it
/// is written in the catalog.
#[utoipa::path(get, path = "/clashing-names", responses((status = 200, body = [Clash]), (status = 403, body = Problem)))]
async fn clashing_names(State(server): State<Server>, Bearer(operator): Bearer) -> Reply<Vec<Clash>> {
    Ok(Json(server.users().clashes(&operator).await?))
}

/// One user.
#[utoipa::path(get, path = "/users/{id}", params(("id" = String, Path)), responses((status = 200, body = UserView), (status = 404, body = Problem)))]
async fn view_user(State(server): State<Server>, Bearer(operator): Bearer, Path(id): Path<String>) -> Reply<UserView> {
    Ok(Json(server.users().view(&operator, &id).await?))
}

/// Correct what the catalog says of a user.
#[utoipa::path(put, path = "/users/{id}", params(("id" = String, Path), OfRevision), request_body = UserData, responses((status = 200, body = UserView), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn correct_user(
    State(server): State<Server>,
    Bearer(operator): Bearer,
    Path(id): Path<String>,
    Query(of): Query<OfRevision>,
    Body(data): Body<UserData>,
) -> Reply<UserView> {
    server.users().correct(&operator, &id, &data, of.revision.as_deref()).await?;
    Ok(Json(server.users().view(&operator, &id).await?))
}

/// What is done with a user: `unlock`, `reset-answers`, `enable`, `disable`.
#[utoipa::path(post, path = "/users/{id}/{action}", params(("id" = String, Path), ("action" = String, Path)), responses((status = 200, body = UserView), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn change_user(
    State(server): State<Server>,
    Bearer(operator): Bearer,
    Path((id, action)): Path<(String, String)>,
) -> Reply<UserView> {
    match action.as_str() {
        "unlock" => server.users().unlock(&operator, &id).await?,
        "reset-answers" => server.users().reset_answers(&operator, &id).await?,
        "enable" => server.users().set_active(&operator, &id, true).await?,
        "disable" => server.users().set_active(&operator, &id, false).await?,
        _ => return Err(Refusal::not_found("user-action")),
    }
    Ok(Json(server.users().view(&operator, &id).await?))
}

/// The policies that a user is under.
#[utoipa::path(get, path = "/users/{id}/policies", params(("id" = String, Path)), responses((status = 200, body = UnderNow), (status = 403, body = Problem)))]
async fn policies_of_user(State(server): State<Server>, Bearer(operator): Bearer, Path(id): Path<String>) -> Reply<UnderNow> {
    let (policies, revision) = server.users().policies(&operator, &id).await?;
    Ok(Json(UnderNow { policies, revision }))
}

/// Puts a user under these policies, and under no other.
#[utoipa::path(put, path = "/users/{id}/policies", params(("id" = String, Path), OfRevision), request_body = Under, responses((status = 200, body = Done), (status = 400, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn set_policies(
    State(server): State<Server>,
    Bearer(operator): Bearer,
    Path(id): Path<String>,
    Query(of): Query<OfRevision>,
    Body(under): Body<Under>,
) -> Reply<Done> {
    server.users().set_policies(&operator, &id, &under.policies, of.revision.as_deref()).await?;
    Ok(Json(Done {}))
}
