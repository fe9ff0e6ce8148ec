//! The room of scenarios: recorded at these readers, picked from the list, or one's own; played whole or step by step, with what
//! lock screen, cards and server show beside the steps.

mod playing;

use super::Driven;
use super::runs::{Filled, Run, Runs, done, file, follow, gone};
use askama::Template;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Extension, Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use cardlab_control::error::ApiError;
use cardlab_control::page::{Frame, Room};
use cardlab_control::shell::quoted;
use cardlab_control::view::{RecordingOrder, RecordingView, Written};
use cardlab_scenario::catalogue;
use cardlab_scenario::file::Scenario;
use playing::{Order, Playing};
use serde::Deserialize;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

const PATH: &str = "scenarios";
/// Longest scenario: with the memory of several cards in it.
const LONGEST: usize = 8 * 1024 * 1024;
/// Recordings that are kept.
const KEPT: usize = 10;

/// The room.
struct Scenarios {
    driven: Driven,
    runs: Arc<Runs<Playing>>,
    recorded: Mutex<VecDeque<Recorded>>,
}

/// What was recorded here.
#[derive(Clone)]
struct Recorded {
    /// From 1.
    number: usize,
    title: String,
    written: Written,
}

/// A scenario on the page.
struct Entry {
    name: &'static str,
    title: String,
    steps: usize,
}

/// Scenarios that belong together.
struct Group {
    name: &'static str,
    entries: Vec<Entry>,
}

#[derive(Template)]
#[template(path = "scenarios.html")]
struct List {
    refusal: String,
    recording: RecordingView,
    recorded: Vec<Recorded>,
    runs: Vec<Arc<Run<Playing>>>,
    groups: Vec<Group>,
    search: String,
    /// One's own, as it was typed.
    own: String,
}

#[derive(Template)]
#[template(path = "playing.html")]
struct OfRun<'a> {
    run: &'a Run<Playing>,
    command: &'a str,
    part: String,
    is_over: bool,
}

/// What is searched for.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Search {
    q: String,
}

/// What is to be played, and how.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Begin {
    /// A name of the list.
    name: String,
    /// A number of what was recorded.
    recorded: String,
    /// One's own.
    text: String,
    /// `step` is step by step.
    how: String,
}

/// How a recording begins.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Beginning {
    title: String,
    /// `yes` when PINs and keys may be in it.
    secrets: String,
}

type Shared = State<Arc<Scenarios>>;

/// The room over these readers.
pub(super) fn room(driven: Driven) -> Room {
    let runs = Arc::new(Runs::new());
    let scenarios = Scenarios { driven, runs: runs.clone(), recorded: Mutex::default() };
    let pages = Router::new()
        .route("/", get(list))
        .route("/record/begin", post(begin_recording))
        .route("/record/end", post(end_recording))
        .route("/record/drop", post(drop_recording))
        .route("/recorded/{file}", get(recorded))
        .route("/play", post(play).layer(DefaultBodyLimit::max(LONGEST)))
        .route("/run/{number}", get(show))
        .route("/run/{number}/live", get(follow::<Playing>).with_state(runs.clone()))
        .route("/run/{number}/{order}", post(order))
        .with_state(Arc::new(scenarios));
    Room { path: PATH, title: "Scenarios", pages }
}

impl Scenarios {
    fn recorded(&self) -> MutexGuard<'_, VecDeque<Recorded>> {
        self.recorded.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn page(&self, frame: &Frame, status: StatusCode, refusal: String, own: String, search: String) -> Response {
        let list = List {
            refusal,
            recording: self.driven.control.recording_view(),
            recorded: self.recorded().iter().rev().cloned().collect(),
            runs: self.runs.all(),
            groups: groups(&search),
            search,
            own,
        };
        (status, frame.page(PATH, "Scenarios", &list.to_string())).into_response()
    }

    fn refused(&self, frame: &Frame, ApiError(status, sentence): ApiError) -> Response {
        self.page(frame, status, capital(&sentence), String::new(), String::new())
    }

    /// Name, text and command of what is to be played.
    fn chosen(&self, begin: &Begin) -> Result<(String, String, String), String> {
        let step = if begin.how == "step" { "--step " } else { "" };
        let command = |which: &str| format!("cardlab scenario run {step}{}", quoted(which));
        if let Some(entry) = catalogue::all().into_iter().find(|entry| entry.name == begin.name) {
            return Ok((entry.name.into(), entry.text.into(), command(entry.name)));
        }
        if !begin.name.is_empty() {
            return Err(format!("There is no scenario '{}' in the list.", begin.name));
        }
        if !begin.recorded.is_empty() {
            let recorded = self.recorded();
            let found = recorded.iter().find(|recorded| recorded.number.to_string() == begin.recorded);
            let found = found.ok_or_else(|| format!("Recording {} is not kept any more.", begin.recorded))?;
            return Ok((found.title.clone(), found.written.text.clone(), command(&found.file())));
        }
        if begin.text.trim().is_empty() {
            return Err("There is no scenario: choose a file, or paste its text.".into());
        }
        Ok(("One's own".into(), begin.text.clone(), command("FILE")))
    }
}

impl Recorded {
    fn file(&self) -> String {
        format!("recorded-{}.toml", self.number)
    }
}

/// A sentence on a page begins with a capital.
fn capital(sentence: &str) -> String {
    let mut letters = sentence.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// The list, by its folders: names and titles that have this in them.
fn groups(search: &str) -> Vec<Group> {
    let wanted = search.trim().to_lowercase();
    let mut groups: Vec<Group> = Vec::new();
    for entry in catalogue::all() {
        // Each is read by a test.
        let Ok(scenario) = Scenario::parse(entry.text) else { continue };
        let covers = || scenario.covers.iter().any(|covered| covered.to_lowercase() == wanted);
        if !(entry.name.contains(&wanted) || scenario.title.to_lowercase().contains(&wanted) || covers()) {
            continue;
        }
        let name = entry.name.split_once('/').map_or("", |(group, _)| group);
        let row = Entry { name: entry.name, title: scenario.title, steps: scenario.steps.len() };
        match groups.last_mut() {
            Some(group) if group.name == name => group.entries.push(row),
            _ => groups.push(Group { name, entries: vec![row] }),
        }
    }
    groups
}

async fn list(State(room): Shared, Extension(frame): Extension<Frame>, Query(search): Query<Search>) -> Response {
    room.page(&frame, StatusCode::OK, String::new(), String::new(), search.q)
}

async fn begin_recording(
    State(room): Shared,
    Extension(frame): Extension<Frame>,
    headers: HeaderMap,
    Filled(form): Filled<Beginning>,
) -> Response {
    if form.secrets != "yes" {
        let why = "The file has the PINs and keys of these cards in it, or it would not run: say that it may.";
        return room.refused(&frame, ApiError(StatusCode::BAD_REQUEST, why.into()));
    }
    let order = RecordingOrder { title: Some(form.title), secrets: true };
    let control = room.driven.control.clone();
    match room.driven.at_readers(async move { control.begin_recording(order).await }).await {
        Ok(_) => done(&headers, "/scenarios"),
        Err(error) => room.refused(&frame, error),
    }
}

async fn end_recording(State(room): Shared, Extension(frame): Extension<Frame>, headers: HeaderMap) -> Response {
    let control = room.driven.control.clone();
    let title = control.recording_view().title;
    match room.driven.at_readers(async move { control.end_recording().await }).await {
        Ok(written) => {
            {
                let mut recorded = room.recorded();
                let number = recorded.back().map_or(1, |last| last.number + 1);
                recorded.push_back(Recorded { number, title, written });
                if recorded.len() > KEPT {
                    recorded.pop_front();
                }
            }
            done(&headers, "/scenarios")
        }
        Err(error) => room.refused(&frame, error),
    }
}

async fn drop_recording(State(room): Shared, headers: HeaderMap) -> Response {
    room.driven.control.drop_recording();
    done(&headers, "/scenarios")
}

/// What was recorded, as a file.
async fn recorded(
    State(room): Shared,
    Extension(frame): Extension<Frame>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Response {
    let found = room.recorded().iter().find(|recorded| recorded.file() == name).cloned();
    match found {
        Some(found) => file(&name, "application/toml", found.written.text),
        None => frame.refuse(&headers, StatusCode::NOT_FOUND, "That recording is not kept any more."),
    }
}

async fn play(
    State(room): Shared,
    Extension(frame): Extension<Frame>,
    headers: HeaderMap,
    Filled(begin): Filled<Begin>,
) -> Response {
    let begun = || {
        let (name, text, command) = room.chosen(&begin)?;
        let scenario = Scenario::parse(&text).map_err(|error| format!("It is no scenario: {error}."))?;
        let by_step = begin.how == "step";
        let (playing, orders) = Playing::of(&scenario, &text, command, by_step);
        let run = room.runs.begin(name, playing)?;
        playing::start(run.clone(), scenario, orders, by_step)?;
        Ok::<_, String>(run)
    };
    match begun() {
        Ok(run) => done(&headers, &format!("/scenarios/run/{}", run.number)),
        Err(sentence) => room.page(&frame, StatusCode::CONFLICT, sentence, begin.text, String::new()),
    }
}

async fn show(State(room): Shared, Extension(frame): Extension<Frame>, Path(number): Path<u64>, headers: HeaderMap) -> Response {
    let Some(run) = room.runs.find(number) else { return gone::<Playing>(&frame, &headers) };
    let command = run.look(|playing| playing.command.clone());
    let part = run.part();
    let page = OfRun { run: &run, command: &command, part: part.html, is_over: part.is_over };
    frame.page(PATH, &run.title, &page.to_string())
}

/// `next`, `rest` or `end`.
async fn order(
    State(room): Shared,
    Extension(frame): Extension<Frame>,
    Path((number, order)): Path<(u64, String)>,
    headers: HeaderMap,
) -> Response {
    let Some(run) = room.runs.find(number) else { return gone::<Playing>(&frame, &headers) };
    let order = match order.as_str() {
        "next" => Order::Next,
        "rest" => Order::Rest,
        "end" => Order::End,
        _ => return frame.refuse(&headers, StatusCode::NOT_FOUND, "There is next, rest and end."),
    };
    if run.look(|playing| playing.order(order)) {
        return done(&headers, &format!("/scenarios/run/{number}"));
    }
    frame.refuse(&headers, StatusCode::CONFLICT, "It is over: nothing is played any more.")
}
