//! Whether the server lives, and whether it can work, for who watches it: a service manager, a load balancer.
//!
//! | address | answers 200 when | else |
//! |---|---|---|
//! | `/healthz` | the process answers at all | nothing comes: start it anew |
//! | `/readyz` | its database answers too, in time, and writes | 503 with the reason: send people to another server |
//!
//! Nothing is written to find that out as long as all goes well. When something could not be written - a full disk, a database
//! that has become read-only - a write is tried with each question until one is done.
//!
//! They are outside the API's document, as nobody's data and nobody's steps are in them. `HEAD` is answered as `GET`.

use super::log::Quiet;
use crate::model::refusal::{Code, Refusal};
use crate::service::Server;
use crate::words::sentence;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Json, Router};
use serde_json::json;
use std::time::Duration;

/// How long the database may take: shorter than who watches waits.
const PATIENCE: Duration = Duration::from_secs(2);

pub(super) fn router() -> Router<Server> {
    Router::new().route("/healthz", get(lives)).route("/readyz", get(works))
}

async fn lives() -> Response {
    well()
}

async fn works(State(server): State<Server>) -> Result<Response, Refusal> {
    let late = |_| Refusal::new(Code::StoreDown, sentence!("refused-database-late"));
    tokio::time::timeout(PATIENCE, server.look()).await.map_err(late)??;
    Ok(well())
}

fn well() -> Response {
    (Extension(Quiet), Json(json!({"status": "ok"}))).into_response()
}
