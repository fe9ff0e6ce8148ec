//! The room of the conformance suite: a selection of tests for the card in a reader here, how far it is, and the report.

mod judging;

use super::Driven;
use super::runs::{Filled, Run, Runs, done, file, follow, gone};
use askama::Template;
use axum::Router;
use axum::extract::{Extension, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use cardlab_conformance::credentials::Credentials;
use cardlab_conformance::report::{html, json, junit};
use cardlab_conformance::select::{Selection, select};
use cardlab_conformance::test::{Danger, Level, Test};
use cardlab_control::known::Known;
use cardlab_control::page::{Frame, Room};
use cardlab_control::shell::quoted;
use cardlab_pcsclite::client::Context;
use cardlab_protocol::admin_key::{AdminKey, Cipher};
use cardlab_scenario::suite;
use judging::{Judging, Order};
use serde::{Deserialize, Deserializer};
use std::sync::{Arc, LazyLock};
use zeroize::Zeroizing;

const PATH: &str = "conformance";

/// The whole suite, made when somebody wants it.
static SUITE: LazyLock<Vec<Test>> = LazyLock::new(suite::all);

/// The room.
struct Suite {
    driven: Driven,
    runs: Arc<Runs<Judging>>,
}

/// What a person wants to be judged, and what may be done for it.
#[derive(Clone, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
struct Wanted {
    reader: String,
    /// Ids, their beginnings or patterns, with blanks between; none is all.
    tests: String,
    level: String,
    allow: String,
    serial: String,
    #[serde(flatten)]
    known: Secrets,
}

/// What a person knows of the card.
#[derive(Clone, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
struct Secrets {
    /// `here` where it is what the bench knows of the card; else what was typed.
    by: String,
    pin: Typed,
    puk: Typed,
    admin_key: Typed,
    admin_algorithm: String,
}

/// A secret as it was typed. Has no `Debug`.
#[derive(Clone, Default)]
struct Typed(Zeroizing<String>);

impl<'de> Deserialize<'de> for Typed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Zeroizing::new(text)))
    }
}

impl Typed {
    fn given(&self) -> Option<Zeroizing<String>> {
        Some(Zeroizing::new(self.0.trim().to_owned())).filter(|text| !text.is_empty())
    }
}

impl Secrets {
    /// What the bench knows is used unless something else was said.
    fn is_here(&self) -> bool {
        self.by != "typed"
    }

    fn is_something(&self) -> bool {
        self.is_here() || [&self.pin, &self.puk, &self.admin_key].iter().any(|secret| secret.given().is_some())
    }

    fn credentials(&self) -> Result<Credentials, String> {
        let cipher = match self.admin_algorithm.as_str() {
            "" | "3des" => Cipher::Tdes,
            "aes128" => Cipher::Aes128,
            "aes192" => Cipher::Aes192,
            "aes256" => Cipher::Aes256,
            other => return Err(format!("There are 3des, aes128, aes192 and aes256, not '{other}'.")),
        };
        let admin = match self.admin_key.given() {
            None => None,
            Some(digits) => {
                let digits: Zeroizing<String> = Zeroizing::new(digits.chars().filter(|c| !c.is_whitespace()).collect());
                let bytes = hex::decode(&*digits).map(Zeroizing::new);
                let bytes = bytes.map_err(|_| "The administrator key is an even number of hexadecimal digits.".to_owned())?;
                Some(AdminKey::new(cipher, &bytes).map_err(|error| format!("The administrator key: {error}."))?)
            }
        };
        Ok(Credentials { pin: self.pin.given(), puk: self.puk.given(), admin, ..Credentials::default() })
    }
}

/// A part of the suite on the page.
struct Part {
    /// Its beginning of ids.
    name: String,
    tests: usize,
}

#[derive(Template)]
#[template(path = "conformance.html")]
struct Asked<'a> {
    refusal: String,
    readers: Vec<String>,
    wanted: &'a Wanted,
    dangers: Vec<(&'static str, &'static str)>,
    parts: Vec<Part>,
    runs: Vec<Arc<Run<Judging>>>,
}

#[derive(Template)]
#[template(path = "judged.html")]
struct OfRun<'a> {
    run: &'a Run<Judging>,
    command: &'a str,
    part: String,
    is_over: bool,
}

type Shared = State<Arc<Suite>>;

/// The room over these readers.
pub(super) fn room(driven: Driven) -> Room {
    let runs = Arc::new(Runs::new());
    let pages = Router::new()
        .route("/", get(list))
        .route("/run", post(begin))
        .route("/run/{number}", get(show))
        .route("/run/{number}/live", get(follow::<Judging>).with_state(runs.clone()))
        .route("/run/{number}/stop", post(stop))
        .route("/run/{number}/{file}", get(report))
        .with_state(Arc::new(Suite { driven, runs }));
    Room { path: PATH, title: "Conformance", pages }
}

/// What each level of danger is to a person.
const fn in_words(danger: Danger) -> &'static str {
    match danger {
        Danger::Safe => "Only read, and present what is right",
        Danger::SpendsTries => "Spend tries, and bring them back",
        Danger::ChangesKeys => "Write objects and keys, and put back what can be",
        Danger::Locks => "Lock PIN and PUK, and unlock them",
        Danger::Resets => "Leave it as new, or of no use",
    }
}

impl Suite {
    async fn page(&self, frame: &Frame, status: StatusCode, refusal: String, wanted: &Wanted) -> Response {
        let socket = self.driven.socket.clone();
        let readers = move || {
            let readers = Context::establish_at(&socket).and_then(|context| context.readers()).unwrap_or_default();
            readers.into_iter().filter(|reader| reader.has_card()).map(|reader| reader.name).collect()
        };
        let page = Asked {
            refusal,
            readers: tokio::task::spawn_blocking(readers).await.unwrap_or_default(),
            wanted,
            dangers: Danger::ALL.map(|danger| (danger.name(), in_words(danger))).to_vec(),
            parts: parts(),
            runs: self.runs.all(),
        };
        (status, frame.page(PATH, "Conformance", &page.to_string())).into_response()
    }
}

/// The suite's parts: the first two words of ids, without what needs no card.
fn parts() -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    for test in SUITE.iter().filter(|test| !test.id.starts_with("unlock/")) {
        let name: String = test.id.split('/').take(2).collect::<Vec<_>>().join("/");
        match parts.iter_mut().find(|part| part.name == name) {
            Some(part) => part.tests += 1,
            None => parts.push(Part { name, tests: 1 }),
        }
    }
    parts
}

impl Wanted {
    fn danger(&self) -> Result<Danger, String> {
        let found = Danger::ALL.into_iter().find(|danger| danger.name() == self.allow || self.allow.is_empty());
        found.ok_or_else(|| format!("What may be done is one of the five, not '{}'.", self.allow))
    }

    fn selection(&self) -> Result<Vec<&'static Test>, String> {
        let levels = match self.level.as_str() {
            "" => Vec::new(),
            "must" => vec![Level::Must],
            "should" => vec![Level::Should],
            "profile" => vec![Level::Profile],
            other => return Err(format!("There are must, should and profile, not '{other}'.")),
        };
        let patterns = self.tests.split_whitespace().map(str::to_owned).collect();
        // What brings a server and cards of its own with it is not about a card in a reader.
        let chosen = select(&SUITE, &Selection { patterns, levels, ..Selection::default() });
        let chosen: Vec<_> = chosen.map_err(|error| format!("{error}."))?;
        let chosen: Vec<&Test> = chosen.into_iter().filter(|test| !test.id.starts_with("unlock/")).collect();
        if chosen.is_empty() {
            return Err("No test of a card is among these; those of the unlock system are in the room of scenarios.".into());
        }
        Ok(chosen)
    }

    /// The same in a shell.
    fn command(&self) -> String {
        let mut words = vec!["cardlab conform".to_owned()];
        words.extend(self.tests.split_whitespace().map(quoted));
        words.extend(["--target".into(), quoted(&format!("pcsc:{}", self.reader))]);
        for (option, value) in [("--level", &self.level), ("--allow", &self.allow), ("--serial", &self.serial)] {
            if !value.trim().is_empty() && value != "safe" {
                words.extend([option.to_owned(), quoted(value.trim())]);
            }
        }
        if self.known.is_something() {
            words.push("--credentials FILE".into());
        }
        words.push("--html report.html".into());
        words.join(" ")
    }
}

async fn list(State(room): Shared, Extension(frame): Extension<Frame>) -> Response {
    room.page(&frame, StatusCode::OK, String::new(), &Wanted::default()).await
}

async fn begin(
    State(room): Shared,
    Extension(frame): Extension<Frame>,
    headers: HeaderMap,
    Filled(wanted): Filled<Wanted>,
) -> Response {
    let credentials = match wanted.known.is_here() {
        true => {
            let (control, reader) = (room.driven.control.clone(), wanted.reader.clone());
            let known = room.driven.at_readers(async move { control.known(&reader).await }).await;
            // A card that is not simulated: only what needs no secret is run.
            let Known { pin, puk, admin } = known.unwrap_or_default();
            Ok(Credentials { pin, puk, admin, ..Credentials::default() })
        }
        false => wanted.known.credentials(),
    };
    let begun = || {
        let tests = wanted.selection()?;
        let order = Order {
            socket: room.driven.socket.clone(),
            reader: wanted.reader.clone(),
            danger: wanted.danger()?,
            serial: Some(wanted.serial.trim().to_owned()).filter(|serial| !serial.is_empty()),
            credentials: credentials?,
            tests,
        };
        if wanted.reader.is_empty() {
            return Err("No reader is chosen; put a card into one.".to_owned());
        }
        let title = if wanted.tests.trim().is_empty() { "the whole suite" } else { wanted.tests.trim() };
        let judging = Judging::of(&order, wanted.command());
        let run = room.runs.begin(format!("{title} for {}", wanted.reader), judging)?;
        judging::start(run.clone(), order)?;
        Ok(run)
    };
    match begun() {
        Ok(run) => done(&headers, &format!("/conformance/run/{}", run.number)),
        Err(sentence) => room.page(&frame, StatusCode::CONFLICT, sentence, &wanted).await,
    }
}

async fn show(State(room): Shared, Extension(frame): Extension<Frame>, Path(number): Path<u64>, headers: HeaderMap) -> Response {
    let Some(run) = room.runs.find(number) else { return gone::<Judging>(&frame, &headers) };
    let command = run.look(|judging| judging.command.clone());
    let part = run.part();
    let page = OfRun { run: &run, command: &command, part: part.html, is_over: part.is_over };
    frame.page(PATH, "Conformance", &page.to_string())
}

async fn stop(State(room): Shared, Extension(frame): Extension<Frame>, Path(number): Path<u64>, headers: HeaderMap) -> Response {
    let Some(run) = room.runs.find(number) else { return gone::<Judging>(&frame, &headers) };
    run.look(Judging::stop);
    done(&headers, &format!("/conformance/run/{number}"))
}

/// `report.html`, `report.json` or `report.xml`.
async fn report(
    State(room): Shared,
    Extension(frame): Extension<Frame>,
    Path((number, name)): Path<(u64, String)>,
    headers: HeaderMap,
) -> Response {
    let Some(run) = room.runs.find(number) else { return gone::<Judging>(&frame, &headers) };
    let Some(report) = run.look(|judging| judging.report().cloned()) else {
        return frame.refuse(&headers, StatusCode::CONFLICT, "There is no report before the run is over.");
    };
    match name.as_str() {
        "report.html" => file(&name, "text/html; charset=utf-8", html::write(&report)),
        "report.json" => file(&name, "application/json", json::write(&report)),
        "report.xml" => match junit::write(&report) {
            Ok(text) => file(&name, "application/xml", text),
            Err(error) => frame.refuse(&headers, StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
        },
        _ => frame.refuse(&headers, StatusCode::NOT_FOUND, "The report is report.html, report.json or report.xml (JUnit)."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(text: &str) -> Typed {
        Typed(Zeroizing::new(text.into()))
    }

    #[test]
    fn what_is_wanted_is_a_command_and_a_selection() {
        let wanted = Wanted {
            reader: "Anna 00 00".into(),
            tests: "gids piv/800-73-4-2/3.2.1".into(),
            level: "must".into(),
            allow: "locks".into(),
            serial: "0A".into(),
            known: Secrets { by: "typed".into(), pin: typed("123456"), ..Secrets::default() },
        };
        let command = "cardlab conform gids piv/800-73-4-2/3.2.1 --target 'pcsc:Anna 00 00' --level must --allow locks --serial 0A \
                       --credentials FILE --html report.html";
        assert_eq!(wanted.command(), command);
        assert_eq!(wanted.danger(), Ok(Danger::Locks));
        assert!(wanted.selection().unwrap().iter().all(|test| test.level == Level::Must));
        assert!(Wanted::default().selection().unwrap().len() > 100);
        assert_eq!(Wanted::default().danger(), Ok(Danger::Safe));
        for (wanted, says) in [
            (Wanted { tests: "no/such".into(), ..Wanted::default() }, "no test is called 'no/such'"),
            (Wanted { tests: "unlock".into(), ..Wanted::default() }, "in the room of scenarios"),
            (Wanted { level: "maybe".into(), ..Wanted::default() }, "not 'maybe'"),
        ] {
            assert!(wanted.selection().err().is_some_and(|why| why.contains(says)), "{says}");
        }
        let key = |digits: &str| Secrets { admin_key: typed(digits), ..Secrets::default() };
        assert!(key("0102").credentials().is_err() && key("xyz").credentials().is_err());
        assert!(key("010203040506070801020304050607080102030405060708").credentials().unwrap().admin.is_some());
    }
}
