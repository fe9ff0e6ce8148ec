//! Scenarios over the control socket: what the room does, for who comes without a browser.

use super::Scenarios;
use super::playing::Order;
use crate::bench::runs::Patience;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use cardlab_control::api::{Body, Path, Query, Reply};
use cardlab_control::error::ApiError;
use cardlab_protocol::problem::Problem;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// A scenario to play: one of `name`, `recorded` and `text`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct PlayOrder {
    /// A name of the list, such as `online/happy`.
    pub(super) name: Option<String>,
    /// The number of a recording that has ended here; the first is 1.
    pub(super) recorded: Option<usize>,
    /// The text of a scenario's file.
    pub(super) text: Option<String>,
    /// Waits before each step until the next is asked for.
    pub(super) step: bool,
}

/// A scenario that is played.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct PlayView {
    /// Its number; it is in its address.
    pub(super) number: u64,
    /// What it shows.
    pub(super) title: String,
    /// `made` (cards, server and people are made ready), `waits` (before a step), `plays`, `holds`, `fails`, `ended` (by whoever
    /// watched).
    pub(super) state: String,
    /// Whether nothing will change any more.
    pub(super) over: bool,
    /// Why it fails.
    pub(super) why: Option<String>,
    /// Its steps.
    pub(super) steps: Vec<StepView>,
}

/// A step of a scenario.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct StepView {
    /// From 1.
    pub(super) number: usize,
    /// What it does.
    pub(super) name: String,
    /// Where it stands in the file.
    pub(super) line: usize,
    /// Whether it holds, once it was played.
    pub(super) holds: Option<bool>,
    /// What does not hold.
    pub(super) wrong: Option<String>,
}

type Shared = State<Arc<Scenarios>>;

/// The routes.
pub(crate) fn routes(scenarios: Arc<Scenarios>) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(all, play))
        .routes(routes!(one))
        .routes(routes!(wait))
        .routes(routes!(order))
        .with_state(scenarios)
}

/// Plays a scenario, whole or step by step. It has cards, a server and a lock screen of its own; one at a time.
#[utoipa::path(post, path = "/v1/scenarios/runs", request_body = PlayOrder, responses((status = 200, body = PlayView), (status = 400, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn play(State(room): Shared, Body(order): Body<PlayOrder>) -> Reply<PlayView> {
    let run = room.begin(order).await?;
    Ok(Json(run.view()))
}

/// The last scenarios that were played, the newest first.
#[utoipa::path(get, path = "/v1/scenarios/runs", responses((status = 200, body = [PlayView])))]
async fn all(State(room): Shared) -> Json<Vec<PlayView>> {
    Json(room.runs.views())
}

/// A scenario that is played.
#[utoipa::path(get, path = "/v1/scenarios/runs/{number}", params(("number" = u64, Path)), responses((status = 200, body = PlayView), (status = 404, body = Problem)))]
async fn one(State(room): Shared, Path(number): Path<u64>) -> Reply<PlayView> {
    Ok(Json(room.runs.asked(number)?.view()))
}

/// Waits until it is over, or waits before a step itself.
#[utoipa::path(get, path = "/v1/scenarios/runs/{number}/wait", params(("number" = u64, Path), Patience), responses((status = 200, body = PlayView), (status = 404, body = Problem), (status = 408, body = Problem)))]
async fn wait(State(room): Shared, Path(number): Path<u64>, Query(patience): Query<Patience>) -> Reply<PlayView> {
    Ok(Json(room.runs.rested(number, patience).await?))
}

/// `next` plays the next step, `rest` all others, `end` no more.
#[utoipa::path(post, path = "/v1/scenarios/runs/{number}/{order}", params(("number" = u64, Path), ("order" = String, Path)), responses((status = 200, body = PlayView), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn order(State(room): Shared, Path((number, order)): Path<(u64, String)>) -> Reply<PlayView> {
    let run = room.runs.asked(number)?;
    let named = Order::named(&order);
    let order = named.ok_or_else(|| ApiError(StatusCode::NOT_FOUND, format!("There is next, rest and end, not '{order}'.")))?;
    run.change(|playing| playing.order(order))?;
    Ok(Json(run.view()))
}
