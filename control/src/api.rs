//! The routes.

use crate::contents::Contents;
use crate::error::ApiError;
use crate::hand::Hand;
use crate::history;
use crate::maker::Maker;
use crate::recording::{self, Recorded, Recorder, Recording};
use crate::secret::Secret;
use crate::sent::{self, Unread};
use crate::view::{
    CardView, Claim, ClaimResult, FaultView, LockOrder, NewCard, PaceView, ReaderView, Reset, RestoreOrder, SnapshotOrder,
    TouchView, TypedView, UndoOrder, WaitFor, Wanted, Which, With, word,
};
use crate::waiting::Opened;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{DefaultBodyLimit, FromRequest, FromRequestParts, State};
use axum::http::{StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::{Json, Router};
use cardlab_protocol::problem::Problem;
use cardlab_vreader::pin_pad::{Entry, EntryError};
use cardlab_vreader::rack::RackError;
use cardlab_vreader::state;
use cardlab_vreader::trace::event::Event as Happened;
use cardlab_vreader::trace::{Record, What, decode, json};
use cardlab_vreader::{Fault, Pace, Place, Rack, Secrets, Snapshot, TouchMode, Trace, VirtualCard, Whereabouts};
use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::BroadcastStream;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use zeroize::Zeroizing;

/// Longest request: a snapshot.
const LONGEST_BODY: usize = 8 * 1024 * 1024;
/// Snapshots that are kept.
const KEPT: usize = 100;
/// How often a card that works is looked at again.
const LOOKS: u32 = 20;
const LOOK_AGAIN: Duration = Duration::from_millis(5);
/// How long is waited where nothing is said, and at most.
const WAIT: Duration = Duration::from_secs(10);
const LONGEST_WAIT: Duration = Duration::from_secs(600);

/// What is driven.
#[derive(Clone)]
pub struct Control {
    pub(crate) rack: Rack,
    pub(crate) trace: Trace,
    /// Makes scenarios of recordings.
    pub(crate) recorder: Option<Arc<dyn Recorder>>,
    /// The one that is under way.
    pub(crate) recording: Arc<Mutex<Option<Recording>>>,
    /// Those that have ended, the newest last.
    pub(crate) recorded: Arc<Mutex<VecDeque<Recorded>>>,
    /// Whether PINs and keys are shown in what came in.
    secrets: bool,
    kept: Arc<Mutex<BTreeMap<String, Arc<Snapshot>>>>,
    /// Who spends tries as a program does.
    hand: Option<Arc<dyn Hand>>,
    /// Who makes new cards.
    maker: Option<Arc<dyn Maker>>,
    /// Routes of the program.
    more: Option<Arc<dyn Fn() -> OpenApiRouter + Send + Sync>>,
}

impl Control {
    /// Over a rack whose cards write down what happens into `trace`. With `secrets`, PINs and keys are shown.
    #[must_use]
    pub fn new(rack: Rack, trace: Trace, secrets: bool) -> Self {
        Self {
            rack,
            trace,
            recorder: None,
            recording: Arc::default(),
            recorded: Arc::default(),
            secrets,
            kept: Arc::default(),
            hand: None,
            maker: None,
            more: None,
        }
    }

    /// With somebody who makes scenarios of what is done.
    #[must_use]
    pub fn with_recorder(self, recorder: Arc<dyn Recorder>) -> Self {
        Self { recorder: Some(recorder), ..self }
    }

    /// With a hand that spends tries as a program does.
    #[must_use]
    pub fn with_hand(self, hand: Arc<dyn Hand>) -> Self {
        Self { hand: Some(hand), ..self }
    }

    /// With a maker of new cards.
    #[must_use]
    pub fn with_maker(self, maker: Arc<dyn Maker>) -> Self {
        Self { maker: Some(maker), ..self }
    }

    /// With routes of what this crate does not know, such as scenarios. They are made when somebody comes.
    #[must_use]
    pub fn with_routes(self, more: impl Fn() -> OpenApiRouter + Send + Sync + 'static) -> Self {
        Self { more: Some(Arc::new(more)), ..self }
    }

    /// The whole name of the reader that this means: its number, its name or the beginning of its name.
    ///
    /// # Errors
    /// [`ApiError`] when there is none, or there are several.
    pub fn reader(&self, name: &str) -> Result<String, ApiError> {
        Ok(self.rack.name(self.rack.find(name)?))
    }

    /// What is driven.
    pub(crate) const fn rack(&self) -> &Rack {
        &self.rack
    }

    /// What happens at the cards.
    pub(crate) const fn trace(&self) -> &Trace {
        &self.trace
    }

    /// Whether PINs and keys are shown.
    pub(crate) const fn shows_secrets(&self) -> bool {
        self.secrets
    }

    /// A reader as it is at this moment; a card that works has no view.
    pub(crate) fn look(&self, place: Place) -> ReaderView {
        ReaderView::of(&self.rack, place)
    }

    /// All routes.
    pub fn router(self) -> Router {
        let (routes, document) = described(self.more.as_deref());
        let document = document.to_json().unwrap_or_default();
        let show = move || async move { ([(header::CONTENT_TYPE, "application/json")], document) };
        routes
            .route("/openapi.json", axum::routing::get(show))
            .fallback(async || ApiError(StatusCode::NOT_FOUND, "no such path; /openapi.json has them all".into()))
            .method_not_allowed_fallback(async || {
                ApiError(StatusCode::METHOD_NOT_ALLOWED, "this is not asked so; /openapi.json says how".into())
            })
            .layer(axum::middleware::map_request(whole))
            .layer(DefaultBodyLimit::max(LONGEST_BODY))
            .with_state(self)
    }

    /// Serves a listener for ever. The routes and their document take a millisecond to make: that is done when
    /// somebody comes, and not on the readers' thread.
    ///
    /// # Errors
    /// The system's, when nobody can be let in any more.
    pub async fn serve(self, listener: tokio::net::UnixListener) -> std::io::Result<()> {
        let opened = Opened::by_first_client(listener).await;
        let router = tokio::task::spawn_blocking(move || self.router()).await?;
        axum::serve(opened, router).await
    }

    /// The card of a reader, as soon as it does not work.
    pub(crate) async fn with<T: Send + 'static>(
        &self,
        place: Place,
        work: impl FnOnce(&mut VirtualCard) -> T + Send + 'static,
    ) -> Result<T, ApiError> {
        let card = self.rack.card(place);
        let done = tokio::task::spawn_blocking(move || work(&mut card.lock())).await;
        done.map_err(|_| ended())
    }

    /// As [`Self::with`], of a card that does not work, or not for long; `None` of one that does.
    pub(crate) async fn soon<T: Send + 'static>(
        &self,
        place: Place,
        work: impl FnOnce(&mut VirtualCard) -> T + Send + 'static,
    ) -> Result<Option<T>, ApiError> {
        let card = self.rack.card(place);
        let done = tokio::task::spawn_blocking(move || {
            for _ in 0..LOOKS {
                if let Some(mut card) = card.try_lock() {
                    return Some(work(&mut card));
                }
                std::thread::sleep(LOOK_AGAIN);
            }
            card.try_lock().map(|mut card| work(&mut card))
        });
        done.await.map_err(|_| ended())
    }

    pub(crate) async fn view(&self, place: Place) -> ReaderView {
        let mut view = self.look(place);
        self.look_again(&[place], std::slice::from_mut(&mut view)).await;
        view
    }

    /// All readers as they are now.
    pub(crate) async fn views(&self) -> Vec<ReaderView> {
        let places = self.rack.places();
        let mut views: Vec<ReaderView> = places.iter().map(|place| self.look(*place)).collect();
        self.look_again(&places, &mut views).await;
        views
    }

    /// Those of these readers whose card works are looked at again for a moment, all of them together: fifty slow cards hold up
    /// nobody fifty times as long. Most commands are over at once; a card that waits for a touch is not waited for.
    async fn look_again(&self, places: &[Place], views: &mut [ReaderView]) {
        for _ in 0..LOOKS {
            if views.iter().all(|view| view.card.is_some()) {
                return;
            }
            tokio::time::sleep(LOOK_AGAIN).await;
            for (place, view) in places.iter().zip(&mut *views).filter(|(_, view)| view.card.is_none()) {
                *view = self.look(*place);
            }
        }
    }

    /// What is on the card of a reader.
    pub(crate) async fn contents(&self, place: Place) -> Result<Contents, ApiError> {
        self.with(place, contents_of).await?
    }

    /// As [`Self::contents`]; `None` of a card that works.
    pub(crate) async fn contents_soon(&self, place: Place) -> Result<Option<Contents>, ApiError> {
        self.soon(place, contents_of).await?.transpose()
    }

    /// Written down before the cards are in their readers: who waits for one speaks to it at once.
    async fn tell_of_swap(&self, one: Place, other: Place) -> Result<(), ApiError> {
        if [one, other].into_iter().any(|place| self.rack.whereabouts(place) == Whereabouts::Unplugged) {
            return Ok(());
        }
        for (place, with) in [(one, other), (other, one)] {
            let with = self.rack.card(with).label().map_or_else(String::new, ToString::to_string);
            self.with(place, |card| card.event(&Happened::SwappedWith(with), false)).await?;
        }
        Ok(())
    }

    /// After its memory was set from outside: programs are told, as after pulling the card.
    async fn renewed(&self, place: Place) -> Result<Json<ReaderView>, ApiError> {
        // A card that lies beside its reader has no power anyway.
        let _ = self.rack.reset(place, true).await;
        Ok(Json(self.view(place).await))
    }
}

fn contents_of(card: &mut VirtualCard) -> Result<Contents, ApiError> {
    match card.card() {
        Some(simulated) => Ok(Contents::of(simulated)),
        None => {
            let sentence = format!("{} is not simulated here: what is on it, only it knows", card.name());
            Err(ApiError(StatusCode::CONFLICT, sentence))
        }
    }
}

fn ended() -> ApiError {
    ApiError(StatusCode::INTERNAL_SERVER_ERROR, "the card's thread ended".into())
}

#[derive(OpenApi)]
#[openapi(info(title = "cardlab control", description = "Virtual readers and their cards"))]
struct Document;

fn described(more: Option<&(dyn Fn() -> OpenApiRouter + Send + Sync)>) -> (Router<Control>, utoipa::openapi::OpenApi) {
    let own = OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(readers))
        .routes(routes!(reader))
        .routes(routes!(insert))
        .routes(routes!(remove))
        .routes(routes!(plug))
        .routes(routes!(unplug))
        .routes(routes!(swap))
        .routes(routes!(reset))
        .routes(routes!(contents))
        .routes(routes!(renew))
        .routes(routes!(bring))
        .routes(routes!(lock))
        .routes(routes!(faults, arm, disarm))
        .routes(routes!(set_touch, press))
        .routes(routes!(set_pace))
        .routes(routes!(type_in))
        .routes(routes!(log))
        .routes(routes!(history::history_file))
        .routes(routes!(claim))
        .routes(routes!(snapshot))
        .routes(routes!(restore))
        .routes(routes!(snapshots))
        .routes(routes!(recording::begin_recording, recording::show_recording, recording::drop_recording))
        .routes(routes!(recording::end_recording))
        .routes(routes!(undo))
        .routes(routes!(wait))
        .routes(routes!(events));
    match more {
        Some(more) => own.merge(more().with_state(())).split_for_parts(),
        None => own.split_for_parts(),
    }
}

/// Takes the whole request in before it is answered: a client that sends its body apart must not find the
/// connection closed. Who asks first whether it may send so much (RFC 9110, section 10.1.1) is told at once that it may not.
async fn whole(request: axum::extract::Request) -> Result<axum::extract::Request, ApiError> {
    let too_long = || {
        let sentence = format!("that is too long: at most {} MiB; nothing was done", LONGEST_BODY >> 20);
        ApiError(StatusCode::PAYLOAD_TOO_LARGE, sentence)
    };
    let (parts, body) = request.into_parts();
    let announced = parts.headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if parts.headers.contains_key(header::EXPECT) && announced.is_some_and(|length| length > LONGEST_BODY as u64) {
        return Err(too_long());
    }
    match sent::whole(body, LONGEST_BODY).await {
        Ok(bytes) => Ok(axum::extract::Request::from_parts(parts, bytes.into())),
        Err(Unread::TooLong) => Err(too_long()),
        Err(Unread::Cut) => Err(ApiError::bad("the request was cut off; send it again")),
    }
}

/// JSON, or a problem.
pub type Reply<T> = Result<Json<T>, ApiError>;

/// A JSON body; refusals are ours. An empty one is `{}`.
pub struct Body<T>(pub T);

impl<S: Send + Sync, T: serde::de::DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: axum::extract::Request, state: &S) -> Result<Self, ApiError> {
        let bytes = axum::body::Bytes::from_request(request, state).await.map_err(|e| ApiError(e.status(), e.body_text()))?;
        let text: &[u8] = if bytes.is_empty() { b"{}" } else { &bytes };
        Json::from_bytes(text).map(|Json(body)| Self(body)).map_err(|e: JsonRejection| ApiError::bad(e.body_text()))
    }
}

/// What stands in the address; refusals are ours.
pub struct Path<T>(pub T);

impl<S: Send + Sync, T: serde::de::DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut axum::http::request::Parts, state: &S) -> Result<Self, ApiError> {
        let axum::extract::Path(found) = axum::extract::Path::from_request_parts(parts, state)
            .await
            .map_err(|_| ApiError(StatusCode::NOT_FOUND, "there is nothing at this address: a number in it is none".into()))?;
        Ok(Self(found))
    }
}

/// The part behind `?`; refusals are ours.
pub struct Query<T>(pub T);

impl<S: Send + Sync, T: serde::de::DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut axum::http::request::Parts, state: &S) -> Result<Self, ApiError> {
        let query = axum::extract::Query::from_request_parts(parts, state).await;
        query.map(|axum::extract::Query(value)| Self(value)).map_err(|e: QueryRejection| ApiError::bad(e.body_text()))
    }
}

/// A reader of the path: its number, its name or the beginning of its name.
struct Reader(Place);

impl FromRequestParts<Control> for Reader {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut axum::http::request::Parts, control: &Control) -> Result<Self, ApiError> {
        let name = axum::extract::Path::<String>::from_request_parts(parts, control).await;
        let axum::extract::Path(name) = name.map_err(|e| ApiError::bad(e.body_text()))?;
        Ok(Self(control.rack.find(&name)?))
    }
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
        ("sealed", _) => return Err(ApiError::bad("sealed secrets need a passphrase")),
        ("masked" | "clear", Some(_)) => {
            return Err(ApiError::bad("a passphrase is for sealed secrets: \"secrets\": \"sealed\""));
        }
        (other, _) => return Err(ApiError::bad(format!("secrets are masked, clear or sealed, not '{other}'"))),
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
        _ => return Err(ApiError::bad(format!("wait for card={} or for ins=20", known.join("|")))),
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
