//! What stands round every page of the bench.

use askama::Template;
use axum::Router;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{Html, IntoResponse, Response};
use cardlab_protocol::local::is_for_a_page;
use cardlab_protocol::problem::Problem;
use serde::de::DeserializeOwned;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio_stream::Stream;

/// Pages that follow something at once, of all rooms.
pub(super) const FOLLOWERS: usize = 32;
/// Between two tellings.
const BEAT: Duration = Duration::from_millis(100);

/// Pages that the program hands in: what the bench itself does not know, such as scenarios.
pub struct Room {
    /// Where they are: `scenarios` for `/scenarios` and what is under it.
    pub path: &'static str,
    /// What leads there.
    pub title: &'static str,
    /// The pages, as under `/`. They find their [`Frame`] in the request's extensions.
    pub pages: Router,
}

/// Name and way to every room.
#[derive(Clone)]
pub struct Frame {
    rooms: Arc<[(&'static str, &'static str)]>,
    /// Names and addresses of what is beside the bench.
    links: Arc<[(&'static str, String)]>,
    /// Places for pages that follow what goes on.
    followers: Arc<Semaphore>,
}

/// What of a page has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// HTML of one element, whose `id` is that of the one on the page.
    pub html: String,
    /// Nothing will change any more.
    pub is_over: bool,
}

#[derive(Template)]
#[template(path = "room.html")]
struct InRoom<'a> {
    frame: &'a Frame,
    current: &'a str,
    title: &'a str,
    body: &'a str,
}

#[derive(Template)]
#[template(path = "refused.html")]
struct Refused<'a> {
    message: &'a str,
}

impl Frame {
    pub(super) fn of(rooms: &[Room], links: &[(&'static str, String)]) -> Self {
        let rooms = rooms.iter().map(|room| (room.path, room.title)).collect();
        Self { rooms, links: links.into(), followers: Arc::new(Semaphore::new(FOLLOWERS)) }
    }

    /// Path and title of each room, and whether one is there.
    pub(super) fn rooms(&self, current: &str) -> Vec<(&'static str, &'static str, bool)> {
        self.rooms.iter().map(|(path, title)| (*path, *title, *path == current)).collect()
    }

    /// Name and address of what is beside the bench.
    pub(super) fn links(&self) -> &[(&'static str, String)] {
        &self.links
    }

    /// A page of the room at `path`: `body` is HTML, whatever stands in it escaped already.
    #[must_use]
    pub fn page(&self, path: &str, title: &str, body: &str) -> Response {
        rendered(&InRoom { frame: self, current: path, title, body })
    }

    /// A refusal: on a page for who asks for one, else as a problem.
    #[must_use]
    pub fn refuse(&self, headers: &HeaderMap, status: StatusCode, message: &str) -> Response {
        refused(headers, status, "REFUSED", message)
    }

    /// Follows a part of a page, as server-sent events: as it is now, then whenever `changed` tells, a few times a second at most.
    /// On the page the element with this address in `data-live` is what is followed.
    #[must_use]
    pub fn follow(
        &self,
        headers: &HeaderMap,
        mut changed: watch::Receiver<()>,
        part: impl Fn() -> Part + Send + 'static,
    ) -> Response {
        self.telling(headers, async move |page| {
            loop {
                changed.mark_unchanged();
                let Part { html, is_over } = part();
                page.part(html).await?;
                if is_over {
                    return page.over().await;
                }
                tokio::time::sleep(BEAT).await;
                tokio::select! {
                    changed = changed.changed() => changed.map_err(|_| Gone)?,
                    () = page.gone() => return Err(Gone),
                }
            }
        })
    }

    /// A stream of server-sent events, as long as somebody hears it.
    pub(super) fn telling<F: Future<Output = Result<(), Gone>> + Send + 'static>(
        &self,
        headers: &HeaderMap,
        tell: impl FnOnce(Hearer) -> F,
    ) -> Response {
        let Ok(place) = self.followers.clone().try_acquire_owned() else {
            let message = format!("{FOLLOWERS} pages follow what goes on here already; close one of them.");
            return refused(headers, StatusCode::SERVICE_UNAVAILABLE, "TOO_MANY", &message);
        };
        let (page, told) = mpsc::channel(1);
        let (telling, told) = (tell(Hearer(page)), Told { beats: told, now: Vec::new().into_iter() });
        tokio::spawn(async move {
            // Whoever does not hear it any more has gone.
            let _ = telling.await;
            drop(place);
        });
        Sse::new(told).keep_alive(KeepAlive::default()).into_response()
    }
}

/// Nobody hears it any more, or there is nothing to tell.
pub(super) struct Gone;

/// A page that follows. What it is told next waits for it, and nothing more: meanwhile nothing is made for a page that reads slowly.
pub(super) struct Hearer(mpsc::Sender<Vec<Event>>);

impl Hearer {
    /// An element in the place of the one with its `id`.
    pub(super) async fn part(&self, html: String) -> Result<(), Gone> {
        self.hear(vec![event("part", html)]).await
    }

    /// Nothing will change any more.
    async fn over(&self) -> Result<(), Gone> {
        self.hear(vec![event("over", "over".into())]).await
    }

    /// What is told at once.
    pub(super) async fn hear(&self, events: Vec<Event>) -> Result<(), Gone> {
        self.0.send(events).await.map_err(|_| Gone)
    }

    /// As soon as it has gone.
    pub(super) async fn gone(&self) {
        self.0.closed().await;
    }
}

/// An event of a stream.
pub(super) fn event(name: &str, text: String) -> Event {
    // A carriage return would end a line of the stream.
    let text = if text.contains('\r') { text.replace('\r', " ") } else { text };
    Event::default().event(name).data(text)
}

/// What a page is told, event by event.
struct Told {
    beats: mpsc::Receiver<Vec<Event>>,
    now: std::vec::IntoIter<Event>,
}

impl Stream for Told {
    type Item = Result<Event, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(event) = self.now.next() {
                return Poll::Ready(Some(Ok(event)));
            }
            match ready!(self.beats.poll_recv(context)) {
                Some(events) => self.now = events.into_iter(),
                None => return Poll::Ready(None),
            }
        }
    }
}

pub(super) fn rendered(page: &impl Template) -> Response {
    match page.render() {
        Ok(text) => Html(text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

/// A refusal: on a page for who asks for one, else as a problem.
pub(super) fn refused(headers: &HeaderMap, status: StatusCode, name: &str, message: &str) -> Response {
    if is_for_a_page(headers) {
        return (status, rendered(&Refused { message })).into_response();
    }
    Problem::new(status, name, message).answer().into_response()
}

/// There is nothing at an address.
pub(super) fn no_such_page(headers: &HeaderMap) -> Response {
    refused(headers, StatusCode::NOT_FOUND, "NOT_FOUND", "There is no such page.")
}

/// What stands in the address of a page. An address with something else in it, such as a word for a number, is that of no page.
pub struct At<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for At<T> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let found = axum::extract::Path::from_request_parts(parts, state).await;
        found.map(|axum::extract::Path(found)| Self(found)).map_err(|_| no_such_page(&parts.headers))
    }
}
