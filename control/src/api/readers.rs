//! Readers: who is in them, what happens to them, and who touches or types there.

use super::Control;
use super::asked::{Body, Reader, Reply};
use crate::error::ApiError;
use crate::secret::Secret;
use crate::view::{PaceView, ReaderView, Reset, TouchView, TypedView, With};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use cardlab_protocol::problem::Problem;
use cardlab_vreader::pin_pad::{Entry, EntryError};
use cardlab_vreader::trace::event::Event as Happened;
use cardlab_vreader::{Pace, TouchMode};
use serde_json::{Value, json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn router() -> OpenApiRouter<Control> {
    OpenApiRouter::new()
        .routes(routes!(readers))
        .routes(routes!(reader))
        .routes(routes!(insert))
        .routes(routes!(remove))
        .routes(routes!(plug))
        .routes(routes!(unplug))
        .routes(routes!(swap))
        .routes(routes!(reset))
        .routes(routes!(set_touch, press))
        .routes(routes!(set_pace))
        .routes(routes!(type_in))
}

/// All readers with their cards.
#[utoipa::path(get, path = "/v1/readers", responses((status = 200, body = [ReaderView])))]
async fn readers(State(control): State<Control>) -> Reply<Vec<ReaderView>> {
    Ok(Json(control.views().await))
}

/// One reader with its card.
#[utoipa::path(get, path = "/v1/readers/{reader}", params(("reader" = String, Path)), responses((status = 200, body = ReaderView), (status = 404, body = Problem)))]
async fn reader(State(control): State<Control>, Reader(place): Reader) -> Reply<ReaderView> {
    Ok(Json(control.view(place).await))
}

/// Puts the card in.
#[utoipa::path(post, path = "/v1/readers/{reader}/insert", params(("reader" = String, Path)), responses((status = 200, body = ReaderView), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn insert(State(control): State<Control>, Reader(place): Reader) -> Reply<ReaderView> {
    control.rack.insert(place).await?;
    control.with(place, |card| card.event(&Happened::Inserted, false)).await?;
    Ok(Json(control.view(place).await))
}

/// Pulls the card out, also in the middle of a command.
#[utoipa::path(post, path = "/v1/readers/{reader}/remove", params(("reader" = String, Path)), responses((status = 200, body = ReaderView), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn remove(State(control): State<Control>, Reader(place): Reader) -> Reply<ReaderView> {
    control.rack.remove(place).await?;
    control.with(place, |card| card.event(&Happened::Removed, false)).await?;
    Ok(Json(control.view(place).await))
}

/// Plugs the reader in; its card lies beside it.
#[utoipa::path(post, path = "/v1/readers/{reader}/plug", params(("reader" = String, Path)), responses((status = 200, body = ReaderView), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn plug(State(control): State<Control>, Reader(place): Reader) -> Reply<ReaderView> {
    control.rack.plug(place)?;
    control.with(place, |card| card.event(&Happened::Plugged, false)).await?;
    Ok(Json(control.view(place).await))
}

/// Unplugs the reader, with its card in it.
#[utoipa::path(post, path = "/v1/readers/{reader}/unplug", params(("reader" = String, Path)), responses((status = 200, body = ReaderView), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn unplug(State(control): State<Control>, Reader(place): Reader) -> Reply<ReaderView> {
    control.rack.unplug(place)?;
    control.with(place, |card| card.event(&Happened::Unplugged, false)).await?;
    Ok(Json(control.view(place).await))
}

/// Lets two readers change their cards.
#[utoipa::path(post, path = "/v1/readers/{reader}/swap", params(("reader" = String, Path)), request_body = With, responses((status = 200, body = ReaderView), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn swap(State(control): State<Control>, Reader(place): Reader, Body(With { with }): Body<With>) -> Reply<ReaderView> {
    let other = control.rack.find(&with)?;
    control.tell_of_swap(place, other).await?;
    control.rack.swap(place, other).await?;
    Ok(Json(control.view(place).await))
}

/// Resets the card, as another program does, or the reader, as the system does.
#[utoipa::path(post, path = "/v1/readers/{reader}/reset", params(("reader" = String, Path)), request_body = Reset, responses((status = 200, body = ReaderView), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn reset(
    State(control): State<Control>,
    Reader(place): Reader,
    Body(Reset { cold, usb }): Body<Reset>,
) -> Reply<ReaderView> {
    if usb {
        control.rack.reset_usb(place).await?;
    } else {
        control.rack.reset(place, cold).await?;
    }
    Ok(Json(control.view(place).await))
}

/// Says how questions for a touch are answered.
#[utoipa::path(put, path = "/v1/readers/{reader}/touch", params(("reader" = String, Path)), request_body = TouchView, responses((status = 200, body = TouchView), (status = 400, body = Problem), (status = 404, body = Problem)))]
async fn set_touch(State(control): State<Control>, Reader(place): Reader, Body(view): Body<TouchView>) -> Reply<TouchView> {
    let touch: TouchMode = view.touch.parse()?;
    control.with(place, move |card| card.set_touch(touch)).await??;
    Ok(Json(view))
}

/// Touches the card that waits for it.
#[utoipa::path(post, path = "/v1/readers/{reader}/touch", params(("reader" = String, Path)), responses((status = 200), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn press(State(control): State<Control>, Reader(place): Reader) -> Reply<Value> {
    if control.rack.card(place).button().press() {
        return Ok(Json(json!({})));
    }
    Err(ApiError(StatusCode::CONFLICT, "the card does not wait for a touch".into()))
}

/// Says how long commands take.
#[utoipa::path(put, path = "/v1/readers/{reader}/pace", params(("reader" = String, Path)), request_body = PaceView, responses((status = 200, body = PaceView), (status = 400, body = Problem), (status = 404, body = Problem)))]
async fn set_pace(State(control): State<Control>, Reader(place): Reader, Body(view): Body<PaceView>) -> Reply<PaceView> {
    let pace: Pace = view.pace.parse()?;
    control.with(place, move |card| card.set_pace(pace)).await?;
    Ok(Json(view))
}

/// Says what will be typed at the reader's keypad, one entry after the other.
#[utoipa::path(post, path = "/v1/readers/{reader}/type", params(("reader" = String, Path)), request_body = TypedView, responses((status = 200), (status = 400, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn type_in(State(control): State<Control>, Reader(place): Reader, Body(typed): Body<TypedView>) -> Reply<Value> {
    let pad = control.rack.pin_pad(place);
    let pad = pad.ok_or_else(|| ApiError(StatusCode::CONFLICT, "this reader has no PIN pad; start it with pin-pad=on".into()))?;
    // All of them or none.
    let entries: Vec<Entry> = typed.entries.iter().map(|Secret(entry)| entry.parse()).collect::<Result<_, EntryError>>()?;
    entries.into_iter().try_for_each(|entry| pad.script(entry))?;
    Ok(Json(json!({})))
}
