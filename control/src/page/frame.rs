//! What stands round every page of the bench.

use askama::Template;
use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use cardlab_protocol::local::is_for_a_page;
use cardlab_protocol::problem::Problem;
use std::sync::Arc;

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
#[derive(Clone, Default)]
pub struct Frame {
    rooms: Arc<[(&'static str, &'static str)]>,
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
    pub(super) fn of(rooms: &[Room]) -> Self {
        Self { rooms: rooms.iter().map(|room| (room.path, room.title)).collect() }
    }

    /// Path and title of each room, and whether one is there.
    pub(super) fn rooms(&self, current: &str) -> Vec<(&'static str, &'static str, bool)> {
        self.rooms.iter().map(|(path, title)| (*path, *title, *path == current)).collect()
    }

    /// A page of the room at `path`: `body` is HTML, whatever stands in it escaped already.
    #[must_use]
    pub fn page(&self, path: &str, title: &str, body: &str) -> Response {
        rendered(&InRoom { frame: self, current: path, title, body })
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
