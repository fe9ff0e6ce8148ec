//! The suite over the control socket: what the room does, for who comes without a browser.

use super::{Suite, Wanted, data};
use crate::bench::beside;
use crate::bench::runs::Patience;
use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use cardlab_control::api::{Body, Path, Query, Reply};
use cardlab_control::error::ApiError;
use cardlab_control::secret::Secret;
use cardlab_protocol::problem::Problem;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// What is to be judged, and what may be done for it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct JudgeOrder {
    /// The reader's name.
    pub(super) reader: String,
    /// Ids, their beginnings or patterns, with blanks between; all where nothing is said.
    #[serde(default)]
    pub(super) tests: Option<String>,
    /// `must`, `should` or `profile`; all where nothing is said.
    #[serde(default)]
    pub(super) level: Option<String>,
    /// What may be done, as `--allow` of `cardlab conform` has it; `safe` where nothing is said.
    #[serde(default)]
    pub(super) allow: Option<String>,
    /// The card's serial number, for more than reading.
    #[serde(default)]
    pub(super) serial: Option<String>,
    /// PIN, PUK and administrator key as the bench knows them, of a card that is simulated here; `false` for those that stand here.
    /// Where nothing is said it is `true` exactly when none of the three stands here.
    #[serde(default)]
    pub(super) known: Option<bool>,
    /// The PIN.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub(super) pin: Option<Secret>,
    /// The PUK.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub(super) puk: Option<Secret>,
    /// The administrator key, in hexadecimal.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub(super) admin_key: Option<Secret>,
    /// Its algorithm: `3des`, `aes128`, `aes192`, `aes256`; `3des` where nothing is said.
    #[serde(default)]
    pub(super) admin_algorithm: Option<String>,
}

/// A run of the suite on the card in a reader.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct JudgeView {
    /// Its number; it is in its address.
    pub(super) number: u64,
    /// The reader's name.
    pub(super) reader: String,
    /// What was recognised in it.
    pub(super) card: String,
    /// `looks` (at the card), `runs`, `over`, `stopped`, `not-run`.
    pub(super) state: String,
    /// Whether nothing will change any more.
    pub(super) over: bool,
    /// Tests that are to run.
    pub(super) tests: usize,
    /// How many have ended, by their outcome.
    pub(super) counts: BTreeMap<String, usize>,
    /// Why it was not run.
    pub(super) why: Option<String>,
    /// What did not hold, the first of it.
    pub(super) failures: Vec<String>,
}

type Shared = State<Arc<Suite>>;

/// The routes.
pub(crate) fn routes(suite: Arc<Suite>) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(all, begin))
        .routes(routes!(one))
        .routes(routes!(wait))
        .routes(routes!(stop))
        .routes(routes!(report))
        .with_state(suite)
}

/// Runs a selection of the suite on the card in a reader; one at a time.
#[utoipa::path(post, path = "/v1/conformance/runs", request_body = JudgeOrder, responses((status = 200, body = JudgeView), (status = 400, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn begin(State(suite): Shared, Body(order): Body<JudgeOrder>) -> Reply<JudgeView> {
    let run = suite.begin(&Arc::new(Wanted::try_from(order)?)).await?;
    Ok(Json(run.view()))
}

/// The last runs of the suite, the newest first.
#[utoipa::path(get, path = "/v1/conformance/runs", responses((status = 200, body = [JudgeView])))]
async fn all(State(suite): Shared) -> Json<Vec<JudgeView>> {
    Json(suite.runs.views())
}

/// A run of the suite.
#[utoipa::path(get, path = "/v1/conformance/runs/{number}", params(("number" = u64, Path)), responses((status = 200, body = JudgeView), (status = 404, body = Problem)))]
async fn one(State(suite): Shared, Path(number): Path<u64>) -> Reply<JudgeView> {
    Ok(Json(suite.runs.asked(number)?.view()))
}

/// Waits until it is over.
#[utoipa::path(get, path = "/v1/conformance/runs/{number}/wait", params(("number" = u64, Path), Patience), responses((status = 200, body = JudgeView), (status = 404, body = Problem), (status = 408, body = Problem)))]
async fn wait(State(suite): Shared, Path(number): Path<u64>, Query(patience): Query<Patience>) -> Reply<JudgeView> {
    Ok(Json(suite.runs.rested(number, patience).await?))
}

/// Stops it: the test that runs ends, and the card is put back.
#[utoipa::path(post, path = "/v1/conformance/runs/{number}/stop", params(("number" = u64, Path)), responses((status = 200, body = JudgeView), (status = 404, body = Problem)))]
async fn stop(State(suite): Shared, Path(number): Path<u64>) -> Reply<JudgeView> {
    let run = suite.runs.asked(number)?;
    run.look(|judging| judging.stop());
    Ok(Json(run.view()))
}

/// Its report, as `cardlab conform --json` writes it.
#[utoipa::path(get, path = "/v1/conformance/runs/{number}/report", params(("number" = u64, Path)), responses((status = 200, content_type = "application/json"), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn report(State(suite): Shared, Path(number): Path<u64>) -> Result<impl IntoResponse, ApiError> {
    let early = || ApiError(StatusCode::CONFLICT, "There is no report before the run is over.".into());
    let report = suite.runs.asked(number)?.look(|judging| judging.kept()).ok_or_else(early)?;
    Ok(([(header::CONTENT_TYPE, "application/json")], beside(move || data::write(&report)).await?))
}
