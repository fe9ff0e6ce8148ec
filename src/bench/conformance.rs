//! The room of the conformance suite: a selection of tests for the card in a reader here, how far it is, and the report.

mod judging;
pub(super) mod requests;

use super::lines::Lines;
use super::runs::{Filled, Run, Runs, done, file, follow, gone};
use super::{Driven, beside};
use askama::Template;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use cardlab_conformance::credentials::Credentials;
use cardlab_conformance::report::{html, json as data, junit};
use cardlab_conformance::select::{Selection, select};
use cardlab_conformance::test::{Danger, Level, Test};
use cardlab_control::error::ApiError;
use cardlab_control::known::Known;
use cardlab_control::page::{At, Frame, Room};
use cardlab_control::secret::Secret;
use cardlab_control::shell::{Elsewhere, quoted};
use cardlab_pcsclite::client::Context;
use cardlab_protocol::admin_key::{AdminKey, Cipher};
use cardlab_scenario::suite;
use judging::{Judging, Order};
use requests::JudgeOrder;
use serde::Deserialize;
use serde_json::json;
use std::sync::{Arc, LazyLock};
use zeroize::Zeroizing;

const PATH: &str = "conformance";

/// The whole suite, made when somebody wants it.
static SUITE: LazyLock<Vec<Test>> = LazyLock::new(suite::all);

/// The room.
pub(super) struct Suite {
    driven: Driven,
    runs: Arc<Runs<Judging>>,
}

/// What a person wants to be judged, and what may be done for it.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub(super) struct Wanted {
    /// The reader's name.
    reader: String,
    /// Ids, their beginnings or patterns, with blanks between; none is all.
    tests: String,
    /// `must`, `should`, `profile`; none is all.
    level: String,
    /// What may be done.
    allow: String,
    /// The card's serial number, for more than reading.
    serial: String,
    #[serde(flatten)]
    known: Secrets,
}

/// What a person knows of the card.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub(super) struct Secrets {
    /// `typed` where it is what stands beside it; else what the bench knows of the card.
    by: String,
    /// As it is typed at the card.
    pin: Secret,
    /// As it is typed at the card.
    puk: Secret,
    /// The administrator key, in hexadecimal.
    admin_key: Secret,
    /// Its algorithm: `3des`, `aes128`, `aes192`, `aes256`; `3des` where nothing is said.
    admin_algorithm: String,
}

/// A secret as it was typed, where something was.
fn typed(Secret(text): &Secret) -> Option<Zeroizing<String>> {
    Some(Zeroizing::new(text.trim().to_owned())).filter(|text| !text.is_empty())
}

impl Secrets {
    /// What the bench knows is used unless something else was said.
    fn is_here(&self) -> bool {
        self.by != "typed"
    }

    fn is_something(&self) -> bool {
        self.is_here() || [&self.pin, &self.puk, &self.admin_key].iter().any(|secret| typed(secret).is_some())
    }

    fn credentials(&self) -> Result<Credentials, String> {
        let cipher = match self.admin_algorithm.as_str() {
            "" | "3des" => Cipher::Tdes,
            "aes128" => Cipher::Aes128,
            "aes192" => Cipher::Aes192,
            "aes256" => Cipher::Aes256,
            other => return Err(format!("There are 3des, aes128, aes192 and aes256, not '{other}'.")),
        };
        let admin = match typed(&self.admin_key) {
            None => None,
            Some(digits) => {
                let digits: Zeroizing<String> = Zeroizing::new(digits.chars().filter(|c| !c.is_whitespace()).collect());
                let bytes = hex::decode(&*digits).map(Zeroizing::new);
                let bytes = bytes.map_err(|_| "The administrator key is an even number of hexadecimal digits.".to_owned())?;
                Some(AdminKey::new(cipher, &bytes).map_err(|error| format!("The administrator key: {error}."))?)
            }
        };
        Ok(Credentials { pin: typed(&self.pin), puk: typed(&self.puk), admin, ..Credentials::default() })
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
    lines: &'a Lines,
    part: String,
    is_over: bool,
}

type Shared = State<Arc<Suite>>;

/// The room.
pub(super) fn room(suite: Arc<Suite>) -> Room {
    let runs = suite.runs.clone();
    let pages = Router::new()
        .route("/", get(list))
        .route("/run", post(begin))
        .route("/said", post(said))
        .route("/run/{number}", get(show))
        .route("/run/{number}/live", get(follow::<Judging>).with_state(runs))
        .route("/run/{number}/stop", post(stop))
        .route("/run/{number}/{file}", get(report))
        .with_state(suite);
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
    /// Over these readers.
    pub(super) fn over(driven: Driven) -> Self {
        Self { driven, runs: Arc::new(Runs::new()) }
    }

    /// Runs it.
    async fn begin(&self, wanted: &Arc<Wanted>) -> Result<Arc<Run<Judging>>, ApiError> {
        let malformed = |sentence| ApiError(StatusCode::BAD_REQUEST, sentence);
        let selected = wanted.clone();
        let tests = beside(move || selected.selection()).await?.map_err(malformed)?;
        let danger = wanted.danger().map_err(malformed)?;
        let typed = if wanted.known.is_here() { None } else { Some(wanted.known.credentials().map_err(malformed)?) };
        if wanted.reader.is_empty() {
            return Err(malformed("No reader is chosen; put a card into one.".to_owned()));
        }
        let reader = self.driven.control.reader(&wanted.reader)?;
        let credentials = match typed {
            Some(typed) => typed,
            None => {
                let (control, reader) = (self.driven.control.clone(), reader.clone());
                let known = self.driven.at_readers(async move { control.known(&reader).await }).await;
                // A card that is not simulated: only what needs no secret is run.
                let Known { pin, puk, admin } = known.unwrap_or_default();
                Credentials { pin, puk, admin, ..Credentials::default() }
            }
        };
        // What is told names the reader whole: a command line knows no numbers.
        let (title, lines) = (format!("{} for {reader}", wanted.title()), wanted.lines_at(&reader));
        let order = Order {
            socket: self.driven.socket.clone(),
            reader,
            danger,
            serial: Some(wanted.serial.trim().to_owned()).filter(|serial| !serial.is_empty()),
            credentials,
            tests,
        };
        let judging = Judging::of(&order, lines);
        let run = self.runs.begin(title, judging)?;
        judging::start(run.clone(), order)?;
        Ok(run)
    }

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

impl TryFrom<JudgeOrder> for Wanted {
    type Error = ApiError;

    fn try_from(order: JudgeOrder) -> Result<Self, ApiError> {
        let text = |given: Option<String>| given.unwrap_or_default();
        let given = [("pin", &order.pin), ("puk", &order.puk), ("admin_key", &order.admin_key)];
        let empty = given.into_iter().find(|(_, secret)| secret.as_ref().is_some_and(|secret| secret.0.trim().is_empty()));
        if let Some((name, _)) = empty {
            return Err(ApiError(StatusCode::BAD_REQUEST, format!("{name} is empty: leave it out, or give it.")));
        }
        let is_said = [&order.pin, &order.puk, &order.admin_key].into_iter().any(Option::is_some);
        if is_said && order.known == Some(true) {
            let both =
                "The card's secrets are known to the bench, or they stand here: leave out known, or pin, puk and admin_key.";
            return Err(ApiError(StatusCode::BAD_REQUEST, both.into()));
        }
        let by = if order.known.unwrap_or(!is_said) { String::new() } else { "typed".into() };
        let [pin, puk, admin_key] = [order.pin, order.puk, order.admin_key].map(Option::unwrap_or_default);
        let known = Secrets { by, pin, puk, admin_key, admin_algorithm: text(order.admin_algorithm) };
        let (tests, level, allow) = (text(order.tests), text(order.level), text(order.allow));
        Ok(Self { reader: order.reader, tests, level, allow, serial: text(order.serial), known })
    }
}

impl Wanted {
    fn danger(&self) -> Result<Danger, String> {
        let found = Danger::ALL.into_iter().find(|danger| danger.name() == self.allow || self.allow.is_empty());
        found.ok_or_else(|| {
            let known = Danger::ALL.map(Danger::name).join(", ");
            format!("What may be done is one of {known}, not '{}'.", self.allow)
        })
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

    /// What may be done, where it is more than what may be done anyway.
    fn more(&self) -> &str {
        Some(self.allow.trim()).filter(|allow| *allow != Danger::Safe.name()).unwrap_or_default()
    }

    /// What is judged, in words.
    fn title(&self) -> &str {
        Some(self.tests.trim()).filter(|tests| !tests.is_empty()).unwrap_or("the whole suite")
    }

    /// The same as a command, and for curl.
    fn lines(&self) -> Lines {
        self.lines_at(&self.reader)
    }

    /// The same, at the reader of this name.
    fn lines_at(&self, reader: &str) -> Lines {
        let secrets = [
            ("pin", &self.known.pin, "CARD_PIN"),
            ("puk", &self.known.puk, "CARD_PUK"),
            ("admin_key", &self.known.admin_key, "CARD_ADMIN_KEY"),
        ];
        let mut body = json!({ "reader": reader });
        let plain = [("tests", &*self.tests), ("level", &self.level), ("allow", self.more()), ("serial", &self.serial)];
        for (name, value) in plain.into_iter().filter(|(_, value)| !value.trim().is_empty()) {
            body[name] = json!(value.trim());
        }
        let mut elsewhere = Vec::new();
        if !self.known.is_here() {
            body["known"] = json!(false);
            let said = secrets.iter().filter(|(_, secret, _)| typed(secret).is_some());
            elsewhere.extend(said.map(|(name, _, variable)| (*name, Elsewhere::Variable(variable))));
            if typed(&self.known.admin_key).is_some() && !self.known.admin_algorithm.is_empty() {
                body["admin_algorithm"] = json!(self.known.admin_algorithm);
            }
        }
        Lines::sending(self.command(reader), "/v1/conformance/runs", &body, &elsewhere)
    }

    /// The same in a shell.
    fn command(&self, reader: &str) -> String {
        let mut words = vec!["cardlab conform".to_owned()];
        words.extend(self.tests.split_whitespace().map(quoted));
        words.extend(["--target".into(), quoted(&format!("pcsc:{reader}"))]);
        for (option, value) in [("--level", &*self.level), ("--allow", self.more()), ("--serial", &self.serial)] {
            if !value.trim().is_empty() {
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
    let wanted = Arc::new(wanted);
    match room.begin(&wanted).await {
        Ok(run) => done(&headers, &format!("/conformance/run/{}", run.number)),
        Err(ApiError(_, sentence)) => room.page(&frame, StatusCode::CONFLICT, sentence, &wanted).await,
    }
}

/// What the button would do, as a command and for curl. A secret that was typed is not sent for that.
async fn said(Filled(wanted): Filled<Wanted>) -> Json<Lines> {
    Json(wanted.lines())
}

async fn show(State(room): Shared, Extension(frame): Extension<Frame>, At(number): At<u64>, headers: HeaderMap) -> Response {
    let Some(run) = room.runs.find(number) else { return gone::<Judging>(&frame, &headers) };
    let lines = run.look(|judging| judging.lines.clone());
    let part = run.part();
    let page = OfRun { run: &run, lines: &lines, part: part.html, is_over: part.is_over };
    frame.page(PATH, "Conformance", &page.to_string())
}

async fn stop(State(room): Shared, Extension(frame): Extension<Frame>, At(number): At<u64>, headers: HeaderMap) -> Response {
    let Some(run) = room.runs.find(number) else { return gone::<Judging>(&frame, &headers) };
    run.look(Judging::stop);
    done(&headers, &format!("/conformance/run/{number}"))
}

/// `report.html`, `report.json` or `report.xml`.
async fn report(
    State(room): Shared,
    Extension(frame): Extension<Frame>,
    At((number, name)): At<(u64, String)>,
    headers: HeaderMap,
) -> Response {
    let Some(run) = room.runs.find(number) else { return gone::<Judging>(&frame, &headers) };
    let Some(report) = run.look(Judging::kept) else {
        return frame.refuse(&headers, StatusCode::CONFLICT, "There is no report before the run is over.");
    };
    match name.as_str() {
        "report.html" => file(&name, "text/html; charset=utf-8", html::write(&report)),
        "report.json" => file(&name, "application/json", data::write(&report)),
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
    use crate::bench::tests::beside_the_readers;

    fn secret(text: &str) -> Secret {
        Secret(Zeroizing::new(text.into()))
    }

    #[test]
    fn what_is_wanted_is_a_command_and_a_selection() {
        let wanted = Wanted {
            reader: "Anna 00 00".into(),
            tests: "gids piv/800-73-4-2/3.2.1".into(),
            level: "must".into(),
            allow: "locks".into(),
            serial: "0A".into(),
            known: Secrets { by: "typed".into(), pin: secret("123456"), ..Secrets::default() },
        };
        let command = "cardlab conform gids piv/800-73-4-2/3.2.1 --target 'pcsc:Anna 00 00' --level must --allow locks --serial 0A \
                       --credentials FILE --html report.html";
        assert_eq!(wanted.command(&wanted.reader), command);
        let curl = r#"CARD_PIN=… jq -n '{"allow":"locks","known":false,"level":"must","reader":"Anna 00 00","serial":"0A","tests":"gids piv/800-73-4-2/3.2.1","pin":env.CARD_PIN}' | curl --unix-socket "$CARDLAB_CONTROL" --json @- http://cardlab/v1/conformance/runs"#;
        assert_eq!(wanted.lines().curl, curl);
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
        let key = |digits: &str| Secrets { admin_key: secret(digits), ..Secrets::default() };
        assert!(key("0102").credentials().is_err() && key("xyz").credentials().is_err());
        assert!(key("010203040506070801020304050607080102030405060708").credentials().unwrap().admin.is_some());
    }

    #[test]
    fn only_what_may_be_done_is_left_out_where_it_is_safe() {
        let safe = || "safe".to_owned();
        let wanted =
            Wanted { reader: "x".into(), tests: safe(), level: safe(), allow: safe(), serial: safe(), ..Wanted::default() };
        let command = "cardlab conform safe --target pcsc:x --level safe --serial safe --credentials FILE --html report.html";
        assert_eq!(wanted.command(&wanted.reader), command);
        let curl = wanted.lines().curl;
        assert!(curl.contains(r#"'{"level":"safe","reader":"x","serial":"safe","tests":"safe"}'"#), "{curl}");
    }

    #[test]
    fn secrets_that_stand_in_an_order_are_what_is_used() {
        let wanted = |order: &str| Wanted::try_from(serde_json::from_str::<JudgeOrder>(order).unwrap());
        for (order, is_here, pin) in [
            (r#"{"reader":"x"}"#, true, None),
            (r#"{"reader":"x","known":true,"pin":null}"#, true, None),
            (r#"{"reader":"x","known":false}"#, false, None),
            (r#"{"reader":"x","pin":"123456"}"#, false, Some("123456")),
            (r#"{"reader":"x","known":false,"pin":"123456"}"#, false, Some("123456")),
            (r#"{"reader":"x","puk":"12345678"}"#, false, None),
            (r#"{"reader":"x","admin_key":"00"}"#, false, None),
        ] {
            let known = wanted(order).ok().unwrap().known;
            assert_eq!((known.is_here(), typed(&known.pin).as_ref().map(|pin| pin.as_str())), (is_here, pin), "{order}");
        }
        for secret in ["pin", "puk", "admin_key"] {
            let refused = wanted(&format!(r#"{{"reader":"x","known":true,"{secret}":"00"}}"#)).err().unwrap();
            assert_eq!(refused.0, StatusCode::BAD_REQUEST);
            assert!(refused.1.ends_with("leave out known, or pin, puk and admin_key."), "{}", refused.1);
        }
    }

    #[test]
    fn tests_are_selected_beside_the_readers() {
        let known = Secrets { by: "typed".into(), ..Secrets::default() };
        let wanted = Arc::new(Wanted { reader: "x".into(), tests: "no/such".into(), known, ..Wanted::default() });
        let refused = beside_the_readers(|driven| async move { Suite::over(driven).begin(&wanted).await.err() }).unwrap();
        assert!(refused.1.contains("no test is called 'no/such'"), "{}", refused.1);
    }
}
