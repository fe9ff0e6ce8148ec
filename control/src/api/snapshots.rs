//! Snapshots of a card, and what it was before.

use super::Control;
use super::asked::{Body, Reader, Reply};
use crate::error::ApiError;
use crate::secret::Secret;
use crate::view::{ReaderView, RestoreOrder, SnapshotOrder, UndoOrder};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use cardlab_protocol::problem::Problem;
use cardlab_vreader::trace::event::Event as Happened;
use cardlab_vreader::{Secrets, Snapshot};
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use zeroize::Zeroizing;

/// Snapshots that are kept.
const KEPT: usize = 100;

pub(super) fn router() -> OpenApiRouter<Control> {
    OpenApiRouter::new().routes(routes!(snapshot)).routes(routes!(restore)).routes(routes!(snapshots)).routes(routes!(undo))
}

/// The card as text.
#[utoipa::path(post, path = "/v1/readers/{reader}/snapshot", params(("reader" = String, Path)), request_body = SnapshotOrder, responses((status = 200, body = String), (status = 400, body = Problem), (status = 404, body = Problem)))]
async fn snapshot(
    State(control): State<Control>,
    Reader(place): Reader,
    Body(order): Body<SnapshotOrder>,
) -> Result<String, ApiError> {
    let secrets = match (order.secrets.as_deref().unwrap_or("masked"), order.passphrase) {
        ("masked", None) => Secrets::Masked,
        ("clear", None) => Secrets::Clear,
        ("sealed", Some(Secret(passphrase))) if !passphrase.is_empty() => Secrets::Sealed(passphrase),
        ("sealed", _) => {
            return Err(ApiError::bad(
                "sealed secrets need a passphrase, which commands read from the variable CARDLAB_PASSPHRASE",
            ));
        }
        ("masked" | "clear", Some(_)) => {
            return Err(ApiError::bad("a passphrase is for sealed secrets: \"secrets\": \"sealed\""));
        }
        _ => return Err(ApiError::bad("secrets are masked, clear or sealed")),
    };
    let taken = control.with(place, |card| Snapshot::of_virtual(card)).await??;
    let (taken, text) = tokio::task::spawn_blocking(move || {
        let text = taken.write(&secrets);
        (taken, text)
    })
    .await
    .map_err(|_| ApiError::bad("the snapshot's thread ended"))?;
    let text = text?;
    if let Some(name) = order.keep {
        let mut kept = control.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT && !kept.contains_key(&name) {
            return Err(ApiError(StatusCode::CONFLICT, format!("{KEPT} snapshots are kept; use one of their names again")));
        }
        kept.insert(name, Arc::new(taken));
    }
    Ok(text)
}

/// Brings the card back to a snapshot; it is reset.
#[utoipa::path(post, path = "/v1/readers/{reader}/restore", params(("reader" = String, Path)), request_body = RestoreOrder, responses((status = 200, body = ReaderView), (status = 400, body = Problem), (status = 404, body = Problem)))]
async fn restore(State(control): State<Control>, Reader(place): Reader, Body(order): Body<RestoreOrder>) -> Reply<ReaderView> {
    let RestoreOrder { text, passphrase, kept } = order;
    let snapshot = match (text, kept) {
        // Opening a sealed one takes its time, and is not done with the card in hand.
        (Some(text), None) => {
            let text = Zeroizing::new(text);
            let read = move || Snapshot::read(&text, passphrase.as_ref().map(|Secret(passphrase)| passphrase.as_str()));
            Arc::new(tokio::task::spawn_blocking(read).await.map_err(|_| ApiError::bad("the snapshot's thread ended"))??)
        }
        (None, Some(name)) => {
            let kept = control.kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.get(&name).cloned().ok_or_else(|| {
                let known: Vec<&str> = kept.keys().map(String::as_str).collect();
                ApiError(StatusCode::NOT_FOUND, format!("no snapshot is kept as '{name}'; there are: {}", known.join(", ")))
            })?
        }
        _ => return Err(ApiError::bad("give the text of a snapshot, or the name that one is kept under")),
    };
    control.with(place, move |card| card.change(&Happened::Restored, |card| snapshot.restore(card))).await??;
    control.renewed(place).await
}

/// Names of the snapshots that are kept, and their profiles.
#[utoipa::path(get, path = "/v1/snapshots", responses((status = 200)))]
async fn snapshots(State(control): State<Control>) -> Json<BTreeMap<String, String>> {
    let kept = control.kept.lock().unwrap_or_else(PoisonError::into_inner);
    Json(kept.iter().map(|(name, snapshot)| (name.clone(), snapshot.profile().to_owned())).collect())
}

/// Takes the last commands back; the card is reset.
#[utoipa::path(post, path = "/v1/readers/{reader}/undo", params(("reader" = String, Path)), request_body = UndoOrder, responses((status = 200, body = ReaderView), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn undo(
    State(control): State<Control>,
    Reader(place): Reader,
    Body(UndoOrder { count }): Body<UndoOrder>,
) -> Reply<ReaderView> {
    control.with(place, move |card| card.undo(count)).await??;
    control.renewed(place).await
}
