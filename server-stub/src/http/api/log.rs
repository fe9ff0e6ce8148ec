//! The log.

use super::super::body::{Bearer, Query};
use super::{Page, Reply, next};
use crate::model::event::{Event, Filter};
use crate::model::refusal::Refusal;
use crate::service::Server;
use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::header;
use axum::response::IntoResponse;
use cardlab_protocol::problem::Problem;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn router() -> OpenApiRouter<Server> {
    OpenApiRouter::new().routes(routes!(events)).routes(routes!(events_csv)).routes(routes!(check_log))
}

/// Whether the log is whole: for a role that is for all policies.
#[derive(Serialize, ToSchema)]
struct Checked {
    /// The place of the first event whose hash is wrong; `null` when all are right.
    first_broken: Option<i64>,
}

/// The log, by pages. A local role finds what is of users under its policies, and what is of no user and of a card under them.
#[utoipa::path(get, path = "/events", params(Filter), responses((status = 200, body = [Event], headers(("Link" = Option<String>, description = "The next page, as `<?..>; rel=\"next\"`; none on the last"))), (status = 400, body = Problem), (status = 403, body = Problem)))]
async fn events(
    State(server): State<Server>,
    Bearer(operator): Bearer,
    RawQuery(asked): RawQuery,
    Query(filter): Query<Filter>,
) -> Result<Page<Event>, Refusal> {
    let filter = server.meanings().of_log(&operator, filter).await?;
    Ok(Page { listed: server.log().list(&operator, &filter).await?, asked })
}

/// The log for spreadsheets.
#[utoipa::path(get, path = "/events.csv", params(Filter), responses((status = 200, content_type = "text/csv", headers(("Link" = Option<String>, description = "The next page, as `<?..>; rel=\"next\"`; none on the last"))), (status = 400, body = Problem), (status = 403, body = Problem)))]
async fn events_csv(
    State(server): State<Server>,
    Bearer(operator): Bearer,
    RawQuery(asked): RawQuery,
    Query(filter): Query<Filter>,
) -> Result<impl IntoResponse, Refusal> {
    let filter = server.meanings().of_log(&operator, filter).await?;
    let listed = server.log().list(&operator, &filter).await?;
    let events: Vec<String> = [Event::COLUMNS.to_owned()].into_iter().chain(listed.items.iter().map(Event::csv)).collect();
    let csv = ([(header::CONTENT_TYPE, "text/csv; charset=utf-8")], events.concat());
    Ok((next(listed.next.as_deref(), asked.as_deref()), csv))
}

/// Whether the log is whole.
#[utoipa::path(get, path = "/events/check", responses((status = 200, body = Checked), (status = 403, body = Problem)))]
async fn check_log(State(server): State<Server>, Bearer(operator): Bearer) -> Reply<Checked> {
    Ok(Json(Checked { first_broken: server.log().check(&operator).await? }))
}
