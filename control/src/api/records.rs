//! What came in: asked for, claimed, waited for, followed.

use super::Control;
use super::asked::{Body, Query, Reader, Reply};
use crate::error::ApiError;
use crate::view::{Claim, ClaimResult, WaitFor, Which, word};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use cardlab_protocol::problem::Problem;
use cardlab_vreader::Place;
use cardlab_vreader::trace::{Record, What, decode, json};
use serde_json::{Value, json};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::BroadcastStream;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// How long is waited where nothing is said, and at most.
const WAIT: Duration = Duration::from_secs(10);
const LONGEST_WAIT: Duration = Duration::from_secs(600);

pub(super) fn router() -> OpenApiRouter<Control> {
    OpenApiRouter::new().routes(routes!(log)).routes(routes!(claim)).routes(routes!(wait)).routes(routes!(events))
}

/// Whether a record is one of `which`.
pub(crate) fn matches(record: &Record, which: &Which) -> bool {
    let has = |name: &str, part: &str| name.to_lowercase().contains(&part.to_lowercase());
    if which.program.as_ref().is_some_and(|part| !record.program.as_deref().is_some_and(|name| has(name, part))) {
        return false;
    }
    let What::Exchange { command, response, continues, .. } = &record.what else {
        return which.ins.is_none() && which.name.is_none() && which.status.is_none();
    };
    let ins = |ins: &String| u8::from_str_radix(ins, 16).is_ok_and(|ins| command.get(1) == Some(&ins));
    let status = |wanted: &String| {
        let sw = response.as_ref().and_then(|r| r.last_chunk::<2>()).map(|sw| format!("{:02X}{:02X}", sw[0], sw[1]));
        sw.is_some_and(|sw| {
            sw.len() == wanted.len() && sw.chars().zip(wanted.to_uppercase().chars()).all(|(a, b)| b == 'X' || a == b)
        })
    };
    which.ins.as_ref().is_none_or(ins)
        && which.name.as_ref().is_none_or(|name| decode::describe(command, *continues).contains(name.as_str()))
        && which.status.as_ref().is_none_or(status)
}

fn checked(which: &Which) -> Result<(), ApiError> {
    if let Some(ins) = which.ins.as_ref().filter(|ins| ins.len() != 2 || u8::from_str_radix(ins, 16).is_err()) {
        return Err(ApiError::bad(format!("ins: '{ins}' is not two hexadecimal digits")));
    }
    let digit = |c: char| c.is_ascii_hexdigit() || c.eq_ignore_ascii_case(&'x');
    if let Some(status) = which.status.as_ref().filter(|s| s.len() != 4 || !s.chars().all(digit)) {
        return Err(ApiError::bad(format!("status: '{status}' is not four hexadecimal digits, with x for any")));
    }
    Ok(())
}

impl Control {
    /// What came in at the card of a reader; it is not waited for.
    pub(crate) async fn records(&self, place: Place, which: Which) -> Result<Vec<Arc<Record>>, ApiError> {
        checked(&which)?;
        let Some(journal) = self.rack.card(place).journal().cloned() else { return Ok(Vec::new()) };
        let chosen = move || journal.after(which.after.unwrap_or(0)).filter(|record| matches(record, &which)).collect();
        tokio::task::spawn_blocking(chosen)
            .await
            .map_err(|_| ApiError(StatusCode::INTERNAL_SERVER_ERROR, "the log's thread ended".into()))
    }
}

/// What came in, the newest records (10,000 at most, 64 MiB for all cards together); PINs and keys are masked.
#[utoipa::path(get, path = "/v1/readers/{reader}/log", params(("reader" = String, Path), Which), responses((status = 200), (status = 400, body = Problem), (status = 404, body = Problem)))]
async fn log(State(control): State<Control>, Reader(place): Reader, Query(which): Query<Which>) -> Reply<Vec<Value>> {
    let records = control.records(place, which).await?;
    Ok(Json(records.iter().map(|record| json::value(record, control.secrets)).collect()))
}

/// Whether something came in.
#[utoipa::path(post, path = "/v1/readers/{reader}/assert", params(("reader" = String, Path)), request_body = Claim, responses((status = 200, body = ClaimResult), (status = 400, body = Problem), (status = 404, body = Problem)))]
async fn claim(State(control): State<Control>, Reader(place): Reader, Body(claim): Body<Claim>) -> Reply<ClaimResult> {
    let found = control.records(place, claim.which).await?.len();
    let least = claim.at_least.unwrap_or(usize::from(claim.count.is_none()));
    let holds = claim.count.is_none_or(|count| count == found) && found >= least;
    Ok(Json(ClaimResult { holds, found }))
}

/// Waits until the card is in, out, waits for a touch, or gets a command.
#[utoipa::path(get, path = "/v1/readers/{reader}/wait", params(("reader" = String, Path), WaitFor), responses((status = 200), (status = 400, body = Problem), (status = 404, body = Problem), (status = 408, body = Problem)))]
async fn wait(State(control): State<Control>, Reader(place): Reader, Query(wanted): Query<WaitFor>) -> Reply<Value> {
    // Listening begins before the question.
    let (mut records, mut changes) = (control.trace.listen(), control.rack.server().changes());
    let which = Which { ins: wanted.ins.clone(), ..Which::default() };
    checked(&which)?;
    let known = ["in", "out", "unplugged", "touch"];
    match (&wanted.card, &wanted.ins) {
        (Some(card), None) if known.contains(&card.as_str()) => {}
        (None, Some(_)) => {}
        _ => {
            return Err(ApiError::bad(format!(
                "wait for one of {}, or for a command: --ins 20, over the socket ins=20",
                known.join(", ")
            )));
        }
    }
    let limit = wanted.limit.map_or(WAIT, Duration::from_millis).min(LONGEST_WAIT);
    let name = control.rack.card(place).label().cloned();
    let there = || match wanted.card.as_deref() {
        Some("touch") => control.rack.card(place).button().is_waiting(),
        Some(card) => word(control.rack.whereabouts(place)) == card,
        None => false,
    };
    let waiting = async {
        while !there() {
            tokio::select! {
                record = records.recv() => match record {
                    Ok(record) if wanted.ins.is_some() && Some(&record.card) == name.as_ref() && matches(&record, &which) => return true,
                    Ok(_) | Err(tokio::sync::broadcast::error::RecvError::Lagged(_)) => {}
                    Err(tokio::sync::broadcast::error::RecvError::Closed) => return false,
                },
                changed = changes.changed() => if changed.is_err() {
                    return false;
                },
            }
        }
        true
    };
    match tokio::time::timeout(limit, waiting).await {
        Ok(true) => Ok(Json(json!({}))),
        Ok(false) => Err(ApiError(StatusCode::GONE, "the readers are gone".into())),
        Err(_) => Err(ApiError(StatusCode::REQUEST_TIMEOUT, format!("it did not happen in {} ms", limit.as_millis()))),
    }
}

/// What happens at all cards, as server-sent events; PINs and keys are masked. Who reads too slowly is told how many records it has missed.
#[utoipa::path(get, path = "/v1/events", responses((status = 200, content_type = "text/event-stream")))]
async fn events(State(control): State<Control>) -> Sse<impl tokio_stream::Stream<Item = Result<Event, Infallible>>> {
    let secrets = control.secrets;
    let stream = BroadcastStream::new(control.trace.listen()).map(move |record| {
        Ok(match record {
            Ok(record) => Event::default().event("record").data(json::value(&record, secrets).to_string()),
            Err(tokio_stream::wrappers::errors::BroadcastStreamRecvError::Lagged(missed)) => {
                Event::default().event("missed").data(missed.to_string())
            }
        })
    });
    Sse::new(stream).keep_alive(KeepAlive::default())
}
