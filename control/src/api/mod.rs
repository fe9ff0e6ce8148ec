//! What is driven, and the routes: a file a thing that there is.

mod asked;
mod cards;
mod readers;
mod records;
mod snapshots;

pub use asked::{Body, Path, Query, Reply};
pub(crate) use records::matches;

use crate::contents::Contents;
use crate::error::ApiError;
use crate::hand::Hand;
use crate::maker::Maker;
use crate::recording::{Recorded, Recorder, Recording};
use crate::view::ReaderView;
use crate::waiting::Opened;
use crate::{history, recording};
use axum::extract::DefaultBodyLimit;
use axum::http::{StatusCode, header};
use axum::{Json, Router};
use cardlab_vreader::trace::event::Event as Happened;
use cardlab_vreader::{Place, Rack, Snapshot, Trace, VirtualCard, Whereabouts};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Longest request: a snapshot.
const LONGEST_BODY: usize = 8 * 1024 * 1024;

/// How often a card that works is looked at again.
const LOOKS: u32 = 20;

const LOOK_AGAIN: Duration = Duration::from_millis(5);

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
            .layer(axum::middleware::map_request(asked::whole))
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
        .merge(readers::router())
        .merge(cards::router())
        .merge(records::router())
        .merge(snapshots::router())
        .routes(routes!(history::history_file))
        .routes(routes!(recording::begin_recording, recording::show_recording, recording::drop_recording))
        .routes(routes!(recording::end_recording));
    match more {
        Some(more) => own.merge(more().with_state(())).split_for_parts(),
        None => own.split_for_parts(),
    }
}
