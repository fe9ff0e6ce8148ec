//! The room of scenarios: recorded at these readers, picked from the list, or one's own; played whole or step by step, with what
//! lock screen, cards and server show beside the steps.

mod playing;
pub(super) mod requests;

use super::lines::Lines;
use super::runs::{Filled, Run, Runs, done, file, follow, gone};
use super::{Driven, beside};
use askama::Template;
use axum::extract::{DefaultBodyLimit, Extension, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use cardlab_control::error::ApiError;
use cardlab_control::page::{At, Frame, Room};
use cardlab_control::recording::Recorded;
use cardlab_control::shell::{Elsewhere, quoted};
use cardlab_control::view::{RecordingOrder, RecordingView};
use cardlab_scenario::catalogue;
use cardlab_scenario::file::Scenario;
use playing::{Order, Playing};
use requests::PlayOrder;
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;

const PATH: &str = "scenarios";
/// Longest scenario: with the memory of several cards in it.
const LONGEST: usize = 8 * 1024 * 1024;

/// The room.
pub(super) struct Scenarios {
    driven: Driven,
    runs: Arc<Runs<Playing>>,
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
    /// Lines of the buttons of a recording.
    recording_lines: [Lines; 3],
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
    lines: &'a Lines,
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

impl TryFrom<&Begin> for PlayOrder {
    type Error = ApiError;

    fn try_from(begin: &Begin) -> Result<Self, ApiError> {
        let given = |text: &str| Some(text.to_owned()).filter(|text| !text.trim().is_empty());
        let (name, recorded, text) = (given(&begin.name), given(&begin.recorded), given(&begin.text));
        let number = |text: String| {
            let odd = |_| ApiError(StatusCode::BAD_REQUEST, format!("'{text}' is no number of a recording; the first is 1."));
            text.trim().parse::<usize>().map_err(odd)
        };
        Ok(Self { name, recorded: recorded.map(number).transpose()?, text, step: begin.how == "step" })
    }
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

/// The room.
pub(super) fn room(scenarios: Arc<Scenarios>) -> Room {
    let runs = scenarios.runs.clone();
    let pages = Router::new()
        .route("/", get(list))
        .route("/record/begin", post(begin_recording))
        .route("/record/said", post(said))
        .route("/record/end", post(end_recording))
        .route("/record/drop", post(drop_recording))
        .route("/recorded/{file}", get(recorded))
        .route("/play", post(play).layer(DefaultBodyLimit::max(LONGEST)))
        .route("/run/{number}", get(show))
        .route("/run/{number}/live", get(follow::<Playing>).with_state(runs))
        .route("/run/{number}/{order}", post(order))
        .with_state(scenarios);
    Room { path: PATH, title: "Scenarios", pages }
}

impl Scenarios {
    /// Over these readers.
    pub(super) fn over(driven: Driven) -> Self {
        Self { driven, runs: Arc::new(Runs::new()) }
    }

    fn page(&self, frame: &Frame, status: StatusCode, refusal: String, own: String, search: String) -> Response {
        let list = List {
            refusal,
            recording: self.driven.control.recording_view(),
            recorded: self.driven.control.recorded(),
            recording_lines: [begin_lines(""), end_lines(), drop_lines()],
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

    /// Title and text of what is to be played.
    fn chosen(&self, order: &PlayOrder) -> Result<(String, String), ApiError> {
        let gone = |sentence: String| ApiError(StatusCode::NOT_FOUND, sentence);
        match order {
            PlayOrder { name: Some(name), recorded: None, text: None, .. } => {
                let entry = catalogue::all().into_iter().find(|entry| entry.name == name);
                let entry = entry.ok_or_else(|| gone(format!("There is no scenario '{name}' in the list.")))?;
                Ok((entry.name.into(), entry.text.into()))
            }
            PlayOrder { name: None, recorded: Some(number), text: None, .. } => {
                let found = self.driven.control.recorded().into_iter().find(|recorded| recorded.number == *number);
                let found = found.ok_or_else(|| gone(format!("Recording {number} is not kept any more.")))?;
                Ok((found.title, found.written.text))
            }
            PlayOrder { name: None, recorded: None, text: Some(text), .. } => Ok(("One's own".into(), text.clone())),
            PlayOrder { name: None, recorded: None, text: None, .. } => {
                Err(ApiError(StatusCode::BAD_REQUEST, "There is no scenario: choose a file, or paste its text.".into()))
            }
            _ => Err(ApiError(StatusCode::BAD_REQUEST, "Say one of name, recorded and text.".into())),
        }
    }

    /// Plays it. Reading some MiB of it takes its time.
    async fn begin(self: Arc<Self>, order: PlayOrder) -> Result<Arc<Run<Playing>>, ApiError> {
        beside(move || self.read(&order)).await?
    }

    /// Reads it, and plays it.
    fn read(&self, order: &PlayOrder) -> Result<Arc<Run<Playing>>, ApiError> {
        let (title, text) = self.chosen(order)?;
        let malformed = |error| ApiError(StatusCode::BAD_REQUEST, format!("It is no scenario: {error}."));
        let scenario = Scenario::parse(&text).map_err(malformed)?;
        let (playing, orders) = Playing::of(&scenario, &text, order.lines(), order.step);
        let run = self.runs.begin(title, playing)?;
        playing::start(run.clone(), scenario, orders, order.step)?;
        Ok(run)
    }
}

impl PlayOrder {
    /// The same in a shell.
    fn lines(&self) -> Lines {
        let which = match (&self.name, self.recorded) {
            (Some(name), _) => quoted(name),
            (None, Some(number)) => quoted(&file_of(number)),
            (None, None) => "FILE".into(),
        };
        let step = if self.step { "--step " } else { "" };
        let mut body = json!({});
        if let Some(name) = &self.name {
            body["name"] = json!(name);
        }
        if let Some(number) = self.recorded {
            body["recorded"] = json!(number);
        }
        if self.step {
            body["step"] = json!(true);
        }
        let elsewhere: &[_] = if self.text.is_some() { &[("text", Elsewhere::File)] } else { &[] };
        Lines::sending(format!("cardlab scenario run {step}{which}"), "/v1/scenarios/runs", &body, elsewhere)
    }
}

/// What a recording is called, as a file.
fn file_of(number: usize) -> String {
    format!("recorded-{number}.toml")
}

/// The button that begins a recording.
fn begin_lines(title: &str) -> Lines {
    let mut body = json!({ "secrets": true });
    let mut command = "cardlab scenario record begin --secrets".to_owned();
    if !title.trim().is_empty() {
        body["title"] = json!(title.trim());
        command = format!("{command} --title {}", quoted(title.trim()));
    }
    Lines::sending(command, "/v1/recording", &body, &[])
}

/// The one that ends it.
fn end_lines() -> Lines {
    Lines::asking("cardlab scenario record end -o FILE", "POST", "/v1/recording/end")
}

/// The one that throws it away.
fn drop_lines() -> Lines {
    Lines::asking("cardlab scenario record drop", "DELETE", "/v1/recording")
}

impl Entry {
    fn lines(&self, step: bool) -> Lines {
        PlayOrder { name: Some(self.name.into()), step, ..PlayOrder::default() }.lines()
    }
}

fn recorded_lines(number: usize, step: bool) -> Lines {
    PlayOrder { recorded: Some(number), step, ..PlayOrder::default() }.lines()
}

fn own_lines(step: bool) -> Lines {
    PlayOrder { text: Some(String::new()), step, ..PlayOrder::default() }.lines()
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

/// What the button that begins would do, as a command and for curl.
async fn said(Filled(form): Filled<Beginning>) -> Json<Lines> {
    Json(begin_lines(&form.title))
}

async fn end_recording(State(room): Shared, Extension(frame): Extension<Frame>, headers: HeaderMap) -> Response {
    let control = room.driven.control.clone();
    match room.driven.at_readers(async move { control.end_recording().await }).await {
        Ok(_) => done(&headers, "/scenarios"),
        Err(error) => room.refused(&frame, error),
    }
}

async fn drop_recording(State(room): Shared, headers: HeaderMap) -> Response {
    room.driven.control.drop_recording();
    done(&headers, "/scenarios")
}

/// What was recorded, as a file.
async fn recorded(State(room): Shared, Extension(frame): Extension<Frame>, At(name): At<String>, headers: HeaderMap) -> Response {
    let found = room.driven.control.recorded().into_iter().find(|recorded| file_of(recorded.number) == name);
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
    let begun = match PlayOrder::try_from(&begin) {
        Ok(order) => room.clone().begin(order).await,
        Err(error) => Err(error),
    };
    match begun {
        Ok(run) => done(&headers, &format!("/scenarios/run/{}", run.number)),
        Err(ApiError(_, sentence)) => room.page(&frame, StatusCode::CONFLICT, sentence, begin.text, String::new()),
    }
}

async fn show(State(room): Shared, Extension(frame): Extension<Frame>, At(number): At<u64>, headers: HeaderMap) -> Response {
    let Some(run) = room.runs.find(number) else { return gone::<Playing>(&frame, &headers) };
    let lines = run.look(|playing| playing.lines.clone());
    let part = run.part();
    let page = OfRun { run: &run, lines: &lines, part: part.html, is_over: part.is_over };
    frame.page(PATH, &run.title, &page.to_string())
}

/// `next`, `rest` or `end`.
async fn order(
    State(room): Shared,
    Extension(frame): Extension<Frame>,
    At((number, order)): At<(u64, String)>,
    headers: HeaderMap,
) -> Response {
    let Some(run) = room.runs.find(number) else { return gone::<Playing>(&frame, &headers) };
    let Some(order) = Order::named(&order) else {
        return frame.refuse(&headers, StatusCode::NOT_FOUND, "There is next, rest and end.");
    };
    match run.change(|playing| playing.order(order)) {
        Ok(()) => done(&headers, &format!("/scenarios/run/{number}")),
        Err(ApiError(status, sentence)) => frame.refuse(&headers, status, &sentence),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::tests::beside_the_readers;

    #[test]
    fn a_scenario_is_read_beside_the_readers() {
        let order = PlayOrder { text: Some("title = 3".into()), ..PlayOrder::default() };
        let refused = beside_the_readers(|driven| Arc::new(Scenarios::over(driven)).begin(order)).err().unwrap();
        assert!(refused.1.starts_with("It is no scenario: line 1"), "{}", refused.1);
    }

    #[test]
    fn a_recording_is_named_by_its_number() {
        let named = |recorded: &str| PlayOrder::try_from(&Begin { recorded: recorded.into(), ..Begin::default() });
        assert_eq!(named(" 2 ").unwrap().recorded, Some(2));
        assert_eq!(named(" ").unwrap().recorded, None);
        for text in ["x", "-1", "1.5", "99999999999999999999999"] {
            let says = format!("'{text}' is no number of a recording; the first is 1.");
            assert_eq!(named(text).unwrap_err(), ApiError(StatusCode::BAD_REQUEST, says));
        }
    }
}
