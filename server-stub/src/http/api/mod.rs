//! The API for programs of operators and administrators, and Remote Self-Service for programs: a file a thing that there is.

mod card_types;
mod cards;
mod log;
mod policies;
mod remote;
mod staff;
mod unlock;
mod users;

use crate::model::list::Listed;
use crate::model::refusal::Refusal;
use crate::service::Server;
use axum::Json;
use axum::http::{HeaderName, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;

pub(super) fn router() -> OpenApiRouter<Server> {
    OpenApiRouter::new()
        .merge(staff::router())
        .merge(users::router())
        .merge(cards::router())
        .merge(unlock::router())
        .merge(policies::router())
        .merge(card_types::router())
        .merge(log::router())
        .merge(remote::router())
}

type Reply<T> = Result<Json<T>, Refusal>;

/// A page of a list: its rows as JSON, and the next page as `Link` (RFC 8288).
struct Page<T> {
    listed: Listed<T>,
    /// What stood behind `?`.
    asked: Option<String>,
}

impl<T: Serialize> IntoResponse for Page<T> {
    fn into_response(self) -> Response {
        (next(self.listed.next.as_deref(), self.asked.as_deref()), Json(self.listed.items)).into_response()
    }
}

/// The same question for the next page, relative to where this one was asked.
fn next(cursor: Option<&str>, asked: Option<&str>) -> Option<[(HeaderName, String); 1]> {
    let pairs = asked.unwrap_or_default().split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("cursor="));
    let query: Vec<&str> = pairs.collect();
    let query = |cursor: &str| [query.join("&"), format!("cursor={cursor}")].join(if query.is_empty() { "" } else { "&" });
    cursor.map(|cursor| [(header::LINK, format!("<?{}>; rel=\"next\"", query(cursor)))])
}

#[derive(Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default, deny_unknown_fields)]
struct OfRevision {
    /// The revision that the change is of: another one now is refused with 409. Without it, the last who writes counts.
    revision: Option<String>,
}

/// What was made.
#[derive(Serialize, ToSchema)]
struct Made {
    /// Its id.
    id: String,
}

/// It is done, and there is nothing to say of it.
#[derive(Serialize, ToSchema)]
pub(super) struct Done {}
