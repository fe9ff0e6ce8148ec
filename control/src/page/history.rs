//! The room of what became of the cards; what is seen there is what the file has.

use super::Site;
use super::frame::{Frame, Gone, Room, refused};
use super::picture::short;
use crate::history::{body, write};
use crate::view::Of;
use askama::Template;
use axum::extract::{Extension, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Router, routing::get};
use serde::Deserialize;
use std::time::{Duration, Instant};
use tokio::sync::broadcast::error::{RecvError, TryRecvError};

const PATH: &str = "history";

/// Of which reader; an empty field is none.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Choice {
    reader: String,
}

impl Choice {
    fn of(&self) -> Of {
        Of { reader: Some(self.reader.trim().to_owned()).filter(|reader| !reader.is_empty()) }
    }
}

#[derive(Template)]
#[template(path = "past.html")]
struct Past<'a> {
    /// Number and name of each reader, and whether it is the one that is told of.
    readers: Vec<(usize, String, bool)>,
    /// As it stands behind `?`.
    chosen: &'a str,
    told: String,
}

pub(super) fn room(site: Site) -> Room {
    let pages = Router::new().route("/", get(show)).route("/session.html", get(file)).route("/live", get(live)).with_state(site);
    Room { path: PATH, title: "History", pages }
}

/// Between two tellings, at least, and in times of what one took: thousands of records are read anew for each.
const PACE: Duration = Duration::from_secs(1);
const RESTS: u32 = 9;

/// What is told, as the element that is followed.
fn element(told: &str) -> String {
    format!("<div id=\"history\">{told}</div>")
}

/// Follows it: as it is now, then whenever something has happened, once in a while.
async fn live(
    State(site): State<Site>,
    Extension(frame): Extension<Frame>,
    Query(choice): Query<Choice>,
    headers: HeaderMap,
) -> Response {
    let of = choice.of();
    if let Some(Err(error)) = of.reader.as_ref().map(|name| site.control.rack().find(name)) {
        return refused(&headers, StatusCode::NOT_FOUND, "REFUSED", &error.to_string());
    }
    frame.telling(&headers, async move |page| {
        let mut records = site.control.trace().listen();
        let mut shown = String::new();
        loop {
            // All that has come by now is in what is read now.
            while !matches!(records.try_recv(), Err(TryRecvError::Empty | TryRecvError::Closed)) {}
            let began = Instant::now();
            let told = element(&site.control.history(&of, body).await.map_err(|_| Gone)?);
            if told != shown {
                page.part(told.clone()).await?;
                shown = told;
            }
            tokio::time::sleep(PACE.max(RESTS * began.elapsed())).await;
            tokio::select! {
                record = records.recv() => if matches!(record, Err(RecvError::Closed)) {
                    return Err(Gone);
                },
                () = page.gone() => return Err(Gone),
            }
        }
    })
}

async fn show(
    State(site): State<Site>,
    Extension(frame): Extension<Frame>,
    Query(choice): Query<Choice>,
    headers: HeaderMap,
) -> Response {
    let told = match site.control.history(&choice.of(), body).await {
        Ok(told) => told,
        Err(error) => return refused(&headers, error.0, "REFUSED", &error.1),
    };
    let rack = site.control.rack();
    let here = choice.of().reader.and_then(|name| rack.find(&name).ok());
    let readers = rack.places().into_iter();
    let readers = readers.map(|place| (place.number(), short(&rack.name(place)).to_owned(), here == Some(place)));
    let chosen = here.map_or_else(String::new, |place| place.number().to_string());
    let page = Past { readers: readers.collect(), chosen: &chosen, told: element(&told) };
    frame.page(PATH, "History", &page.to_string())
}

/// To be handed on.
async fn file(State(site): State<Site>, Query(choice): Query<Choice>, headers: HeaderMap) -> Response {
    match site.control.history(&choice.of(), write).await {
        Ok(file) => {
            let kept = (header::CONTENT_DISPOSITION, "attachment; filename=\"session.html\"");
            ([(header::CONTENT_TYPE, "text/html; charset=utf-8"), kept], file).into_response()
        }
        Err(error) => refused(&headers, error.0, "REFUSED", &error.1),
    }
}
