//! The card in a reader: its state, what is on it, another one, faults.

use super::Control;
use super::asked::{Body, Reader, Reply};
use crate::contents::Contents;
use crate::error::ApiError;
use crate::view::{CardView, FaultView, LockOrder, NewCard, ReaderView, Wanted};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use cardlab_protocol::problem::Problem;
use cardlab_vreader::rack::RackError;
use cardlab_vreader::trace::event::Event as Happened;
use cardlab_vreader::{Fault, VirtualCard, Whereabouts, state};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn router() -> OpenApiRouter<Control> {
    OpenApiRouter::new()
        .routes(routes!(contents))
        .routes(routes!(renew))
        .routes(routes!(bring))
        .routes(routes!(lock))
        .routes(routes!(faults, arm, disarm))
}

/// Brings the card to a state at once.
#[utoipa::path(put, path = "/v1/readers/{reader}/state", params(("reader" = String, Path)), request_body = Wanted, responses((status = 200, body = ReaderView), (status = 400, body = Problem), (status = 404, body = Problem)))]
async fn bring(State(control): State<Control>, Reader(place): Reader, Body(wanted): Body<Wanted>) -> Reply<ReaderView> {
    if wanted == Wanted::default() {
        return Err(ApiError::bad("say a state or tries: {\"state\": \"pin-blocked\"}"));
    }
    let tries = wanted.tries()?;
    control.with(place, move |card| card.change(&Happened::State(tries), |card| state::set(card, tries))).await??;
    Ok(Json(control.view(place).await))
}

/// What is on the card: keys with their certificates, data objects, room. Nothing secret.
#[utoipa::path(get, path = "/v1/readers/{reader}/contents", params(("reader" = String, Path)), responses((status = 200, body = Contents), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn contents(State(control): State<Control>, Reader(place): Reader) -> Reply<Contents> {
    Ok(Json(control.contents(place).await?))
}

/// Puts a new card in; the one before is thrown away.
#[utoipa::path(put, path = "/v1/readers/{reader}/card", params(("reader" = String, Path)), request_body = NewCard, responses((status = 200, body = ReaderView), (status = 400, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn renew(State(control): State<Control>, Reader(place): Reader, Body(order): Body<NewCard>) -> Reply<ReaderView> {
    let Some(maker) = control.maker.clone() else {
        return Err(ApiError(StatusCode::CONFLICT, "no cards are made here".into()));
    };
    if control.rack.whereabouts(place) == Whereabouts::Unplugged {
        return Err(RackError::Unplugged(control.rack.name(place)).into());
    }
    let made = tokio::task::spawn_blocking(move || maker.make(&order, place.number())).await;
    let made = made.map_err(|_| ApiError(StatusCode::INTERNAL_SERVER_ERROR, "the card's thread ended".into()))?;
    let made = made.map_err(ApiError::bad)?;
    // One that is out already is not pulled out.
    let _ = control.rack.remove(place).await;
    control.rack.replace(place, made).await;
    Ok(Json(control.view(place).await))
}

/// Spends tries with wrong values, as a program does: the commands stand in the log.
#[utoipa::path(post, path = "/v1/readers/{reader}/lock", params(("reader" = String, Path)), request_body = LockOrder, responses((status = 200, body = ReaderView), (status = 400, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn lock(State(control): State<Control>, Reader(place): Reader, Body(order): Body<LockOrder>) -> Reply<ReaderView> {
    let conflict = |sentence: String| ApiError(StatusCode::CONFLICT, sentence);
    let Some(hand) = control.hand.clone() else {
        return Err(conflict("these readers are driven from inside another program; use `cardlab card lock`".into()));
    };
    let name = control.rack.name(place);
    let spent = tokio::task::spawn_blocking(move || hand.spend(&name, order.secret, order.left)).await;
    spent.map_err(|_| conflict("the card's thread ended".into()))?.map_err(conflict)?;
    Ok(Json(control.view(place).await))
}

/// Faults that wait.
#[utoipa::path(get, path = "/v1/readers/{reader}/faults", params(("reader" = String, Path)), responses((status = 200, body = [String]), (status = 404, body = Problem)))]
async fn faults(State(control): State<Control>, Reader(place): Reader) -> Reply<Vec<String>> {
    Ok(Json(control.with(place, |card| CardView::of(card).faults).await?))
}

/// Arms a fault.
#[utoipa::path(post, path = "/v1/readers/{reader}/faults", params(("reader" = String, Path)), request_body = FaultView, responses((status = 200, body = [String]), (status = 400, body = Problem), (status = 404, body = Problem)))]
async fn arm(
    State(control): State<Control>,
    Reader(place): Reader,
    Body(FaultView { fault }): Body<FaultView>,
) -> Reply<Vec<String>> {
    let fault: Fault = fault.parse()?;
    let armed = move |card: &mut VirtualCard| card.arm(fault).map(|()| CardView::of(card).faults);
    Ok(Json(control.with(place, armed).await??))
}

/// Disarms all faults; those that waited.
#[utoipa::path(delete, path = "/v1/readers/{reader}/faults", params(("reader" = String, Path)), responses((status = 200, body = [String]), (status = 404, body = Problem)))]
async fn disarm(State(control): State<Control>, Reader(place): Reader) -> Reply<Vec<String>> {
    let disarmed = |card: &mut VirtualCard| {
        let waited = CardView::of(card).faults;
        card.disarm();
        waited
    };
    Ok(Json(control.with(place, disarmed).await?))
}
