//! What people do: each button is a request to the control API, and is shown as a command and for curl.
//!
//! [`Call::of`] is the one place that knows what a button does. The page performs that call on the very routes of the control
//! socket, so what it shows is what it does.

use super::Site;
use super::frame::{At, refused};
use crate::hand::Spent;
use crate::secret::Secret;
use crate::sent::{self, Unread};
use crate::shell::{Elsewhere, curl, quoted};
use crate::view::{CardView, ReaderView, TriesView};
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Json, Router};
use cardlab_protocol::local::is_for_a_page;
use cardlab_protocol::problem::Problem;
use cardlab_sim::Profile;
use cardlab_vreader::Place;
use serde_json::{Value, json};
use std::borrow::Cow;
use std::collections::HashMap;
use tower::ServiceExt as _;
use zeroize::{Zeroize as _, Zeroizing};

/// Longest answer of the control API that is handed on: a snapshot.
const LONGEST_ANSWER: usize = 16 * 1024 * 1024;

/// Longest form: a snapshot, as a form or as JSON has it.
const LONGEST_FORM: usize = 16 * 1024 * 1024;

/// What stands before the name of a file that would be an option.
const HERE: &str = "./";

/// A passphrase is never told.
const PASSPHRASE: (&str, Elsewhere) = ("passphrase", Elsewhere::Variable("CARDLAB_PASSPHRASE"));

/// The fields of a form. Any of them may be a secret: they are wiped when nobody needs them any more.
pub(super) type Fields = HashMap<String, Secret>;

/// What is sent; wiped likewise.
#[derive(Clone)]
struct Sent(Value);

impl Drop for Sent {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(values) => values.iter_mut().for_each(wipe),
        Value::Object(fields) => fields.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// A request to the control API, and the same as a command. Has no `Debug`.
#[derive(Clone)]
pub(super) struct Call {
    method: Method,
    /// With the reader's number in it.
    path: String,
    body: Option<Sent>,
    /// What stands behind `cardlab card`.
    words: Vec<String>,
    /// What of the body is secret or long.
    elsewhere: Vec<(&'static str, Elsewhere)>,
}

/// Why a button does nothing: a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal(pub(super) StatusCode, pub(super) String);

fn refuse<T>(status: StatusCode, sentence: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal(status, sentence.into()))
}

impl Call {
    fn new(method: Method, path: &str, reader: &ReaderView, body: Option<Value>, words: &[&str]) -> Self {
        let mut words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        // A name may look like an option.
        match reader.name.starts_with('-') {
            true => words.push(format!("--reader={}", reader.name)),
            false => words.extend(["--reader".to_owned(), reader.name.clone()]),
        }
        Self { method, path: format!("/v1/readers/{}{path}", reader.number), body: body.map(Sent), words, elsewhere: Vec::new() }
    }

    /// What the button `act` does at a reader that is as `reader` says.
    pub(super) fn of(act: &str, fields: &Fields, reader: &ReaderView) -> Result<Self, Refusal> {
        let post = |path: &str, body: Option<Value>, words: &[&str]| Ok(Self::new(Method::POST, path, reader, body, words));
        let put = |path: &str, body: Value, words: &[&str]| Ok(Self::new(Method::PUT, path, reader, Some(body), words));
        let field = |name: &str| fields.get(name).map(|Secret(text)| text.trim()).unwrap_or_default();
        let needed = |name: &str, what: &str| match field(name) {
            "" => refuse(StatusCode::BAD_REQUEST, format!("{what} is missing; type it, then press again.")),
            text => Ok(text.to_owned()),
        };
        match act {
            "insert" | "remove" | "plug" | "unplug" => post(&format!("/{act}"), None, &[act]),
            "swap" => {
                let with = needed("with", "The other reader")?;
                let mut call = Self::new(Method::POST, "/swap", reader, Some(json!({ "with": with })), &["swap"]);
                if with.starts_with('-') {
                    call.words.push("--".into());
                }
                call.words.push(with);
                Ok(call)
            }
            "new" => {
                let card = needed("card-of", "The new card")?;
                let mut call = Self::new(Method::PUT, "/card", reader, Some(json!({ "card": card })), &["new", &card]);
                if !field("key-name").is_empty() {
                    call.with_key(&card, fields);
                }
                Ok(call)
            }
            "reset" => match field("how") {
                "cold" => post("/reset", Some(json!({ "cold": true })), &["reset", "--cold"]),
                "usb" => post("/reset", Some(json!({ "usb": true })), &["reset", "--usb"]),
                _ => post("/reset", None, &["reset"]),
            },
            "wrong" => Self::wrong(fields, reader),
            "lock" => {
                let secret = secret(field("secret"))?;
                if secret == Spent::Admin && field("sure") != "yes" {
                    return refuse(StatusCode::CONFLICT, "Nothing unblocks a blocked administrator key. Say that you mean it.");
                }
                Ok(Self::spend(reader, secret, 0))
            }
            "state" => {
                let state = needed("state", "The state")?;
                put("/state", json!({ "state": state }), &["state", &state])
            }
            "touch" => match field("touch") {
                "" => post("/touch", None, &["touch"]),
                mode => put("/touch", json!({ "touch": mode }), &["touch", mode]),
            },
            "fault" => {
                let fault = needed("fault", "The fault")?;
                post("/faults", Some(json!({ "fault": fault })), &["fault", &fault])
            }
            "disarm" => Ok(Self::new(Method::DELETE, "/faults", reader, None, &["fault", "--clear"])),
            "pace" => {
                let pace = needed("pace", "The pace")?;
                put("/pace", json!({ "pace": pace }), &["pace", &pace])
            }
            "undo" => {
                let Ok(count) = field("count").parse::<u32>() else {
                    return refuse(StatusCode::BAD_REQUEST, "That is no number of commands; type one, such as 1.");
                };
                post("/undo", Some(json!({ "count": count })), &["undo", &count.to_string()])
            }
            "snapshot" => {
                let (secrets, passphrase) = (field("secrets"), field("passphrase"));
                let mut body = json!({ "secrets": secrets });
                if secrets == "sealed" {
                    body["passphrase"] = json!(passphrase);
                }
                let file = file_of(&reader.name);
                let mut call =
                    Self::new(Method::POST, "/snapshot", reader, Some(body), &["snapshot", "--secrets", secrets, "-o", &file]);
                if secrets == "sealed" {
                    call.elsewhere.push(PASSPHRASE);
                }
                Ok(call)
            }
            "restore" => {
                let text = fields.get("text").map(|Secret(text)| text.as_str()).unwrap_or_default();
                if text.trim().is_empty() {
                    return refuse(
                        StatusCode::BAD_REQUEST,
                        "There is no snapshot to go back to; choose its file, or drop it here.",
                    );
                }
                let mut body = json!({ "text": text });
                if !field("passphrase").is_empty() {
                    body["passphrase"] = json!(field("passphrase"));
                }
                let mut call = Self::new(Method::POST, "/restore", reader, Some(body), &["restore", "FILE"]);
                call.elsewhere.push(("text", Elsewhere::File));
                if !field("passphrase").is_empty() {
                    call.elsewhere.push(PASSPHRASE);
                }
                Ok(call)
            }
            _ => refuse(StatusCode::NOT_FOUND, "The bench has no such button; load the page again."),
        }
    }

    /// A new card, with a key from a file that comes along.
    fn with_key(&mut self, card: &str, fields: &Fields) {
        let field = |name: &str| fields.get(name).map(|Secret(text)| text.trim()).unwrap_or_default();
        let is_gids = || Profile::builtin(card.split(',').next().unwrap_or_default()).is_ok_and(|profile| profile.gids.is_some());
        let slot = match field("key-slot") {
            "" if is_gids() => "81",
            "" => "9a",
            slot => slot,
        };
        let mut body = json!({ "card": card, "key_name": field("key-name"), "key_slot": slot, "key_file": field("key-file") });
        self.elsewhere.push(("key_file", Elsewhere::Base64));
        let mut password = "";
        if let Some(given) = fields.get("key-password").map(|Secret(given)| given.as_str()).filter(|given| !given.is_empty()) {
            body["key_password"] = json!(given);
            self.elsewhere.push(("key_password", Elsewhere::Variable("CARD_KEY_PASSWORD")));
            password = ":file:PASSWORD_FILE";
        }
        self.words[1] = format!("{card},{slot}=FILE{password}");
        self.body = Some(Sent(body));
    }

    fn spend(reader: &ReaderView, secret: Spent, left: u8) -> Self {
        let body = json!({ "secret": secret, "left": left });
        let tries = left.to_string();
        let mut words = vec!["lock", secret.word()];
        if left > 0 {
            words.extend(["--tries", &tries]);
        } else if secret == Spent::Admin {
            words.push("--for-good");
        }
        Self::new(Method::POST, "/lock", reader, Some(body), &words)
    }

    /// One try of a secret; the last one only from who is sure.
    fn wrong(fields: &Fields, reader: &ReaderView) -> Result<Self, Refusal> {
        let secret = secret(fields.get("secret").map_or("pin", |Secret(word)| word))?;
        let Some(card) = &reader.card else {
            return refuse(StatusCode::CONFLICT, "The card is at work; try again when it has answered.");
        };
        match counted(card, secret).map(|tries| tries.left) {
            None => refuse(StatusCode::CONFLICT, format!("This card counts no tries of its {secret}.")),
            Some(0) => refuse(StatusCode::CONFLICT, format!("The {secret} is blocked already; no try is left to spend.")),
            Some(1) if fields.get("sure").is_none_or(|Secret(sure)| **sure != "yes") => refuse(
                StatusCode::CONFLICT,
                format!("This is the last try: the {secret} would be blocked. Say that you mean it."),
            ),
            Some(left) => Ok(Self::spend(reader, secret, left - 1)),
        }
    }

    /// As a command.
    pub(super) fn command(&self) -> String {
        let words: Vec<String> = self.words.iter().map(|word| quoted(word)).collect();
        let variables = if self.elsewhere.contains(&PASSPHRASE) { "CARDLAB_PASSPHRASE=… " } else { "" };
        format!("{variables}cardlab card {}", words.join(" "))
    }

    /// For curl. What is long or secret is not written out.
    pub(super) fn curl(&self) -> String {
        let line = curl(self.method.as_str(), &self.path, self.body.as_ref().map(|Sent(body)| body), &self.elsewhere);
        self.file().map_or_else(|| line.clone(), |file| format!("{line} -o {}", quoted(file)))
    }

    /// The file that the answer is kept in.
    fn file(&self) -> Option<&str> {
        let option = self.words.iter().position(|word| word == "-o")?;
        self.words.get(option + 1).map(String::as_str)
    }

    /// Performs it on these routes; gives the answer's text.
    async fn perform(self, api: Router) -> Result<Bytes, Refusal> {
        let broken =
            |_| Refusal(StatusCode::INTERNAL_SERVER_ERROR, "The readers gave no answer; look whether they still run.".into());
        let wiped = |Sent(body): &Sent| Bytes::from_owner(Zeroizing::new(body.to_string().into_bytes()));
        let body = self.body.as_ref().map_or_else(Body::empty, |body| Body::from(wiped(body)));
        let request = Request::builder().method(self.method).uri(&self.path).body(body).map_err(|_| broken(()))?;
        // Its only error is that there is none.
        let answer = api.oneshot(request).await.map_err(|_| broken(()))?;
        let status = answer.status();
        let bytes = axum::body::to_bytes(answer.into_body(), LONGEST_ANSWER).await.map_err(|_| broken(()))?;
        if status.is_success() {
            return Ok(bytes);
        }
        let problem: Problem = serde_json::from_slice(&bytes).map_err(|_| broken(()))?;
        refuse(status, problem.message)
    }
}

fn secret(word: &str) -> Result<Spent, Refusal> {
    let known = [Spent::Pin, Spent::Puk, Spent::Admin].into_iter().find(|secret| secret.word() == word);
    known.map_or_else(|| refuse(StatusCode::BAD_REQUEST, "A secret is one of pin, puk, admin."), Ok)
}

/// The file for a snapshot of this reader's card, as a command has it: no other place, and no option.
fn file_of(reader: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-') { c } else { '_' };
    let name: String = super::picture::short(reader).chars().map(plain).collect();
    format!("{}{name}.snapshot.toml", if name.starts_with('-') { HERE } else { "" })
}

/// The tries of a secret, where the card counts them.
pub(super) const fn counted(card: &CardView, secret: Spent) -> Option<TriesView> {
    match secret {
        Spent::Pin => card.pin,
        Spent::Puk => card.puk,
        Spent::Admin => card.admin_key,
    }
}

/// The fields that were sent, as a form or as JSON.
fn fields(headers: &HeaderMap, bytes: &[u8]) -> Result<Fields, Refusal> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let malformed = |why: String| Refusal(StatusCode::BAD_REQUEST, format!("What was sent is no form: {why}"));
    if kind.starts_with("application/json") {
        return serde_json::from_slice(bytes).map_err(|error| malformed(error.to_string()));
    }
    let field = |(name, value): (Cow<'_, str>, Cow<'_, str>)| (name.into_owned(), Secret(Zeroizing::new(value.into_owned())));
    Ok(form_urlencoded::parse(bytes).map(field).collect())
}

/// What a button would do now, as a command and for curl; nothing is done.
pub(super) async fn say(
    State(site): State<Site>,
    At((number, name)): At<(usize, String)>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Response {
    let said = async {
        let (fields, place) = (fields(&headers, &bytes)?, place(&site, number)?);
        Call::of(&name, &fields, &site.control.view(place).await)
    };
    match said.await {
        Ok(call) => Json(json!({ "command": call.command(), "curl": call.curl() })).into_response(),
        Err(Refusal(status, sentence)) => refused(&headers, status, "REFUSED", &sentence),
    }
}

fn place(site: &Site, number: usize) -> Result<Place, Refusal> {
    let found = site.control.rack().places().into_iter().find(|place| place.number() == number);
    found.map_or_else(|| refuse(StatusCode::NOT_FOUND, format!("There is no reader {number}; load the page again.")), Ok)
}

/// A button was pressed.
pub(super) async fn act(
    State(site): State<Site>,
    At((number, name)): At<(usize, String)>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    match perform(&site, number, &name, &headers, body).await {
        Ok((call, answer)) => told(&headers, number, &name, &call, answer),
        Err(Refusal(status, sentence)) => refused(&headers, status, "REFUSED", &sentence),
    }
}

/// All of a form.
async fn whole(body: Body) -> Result<Bytes, Refusal> {
    sent::whole(body, LONGEST_FORM).await.or_else(|why| match why {
        Unread::TooLong => {
            let sentence = format!("That is too long: at most {} MiB. Nothing was done to the card.", LONGEST_FORM >> 20);
            refuse(StatusCode::PAYLOAD_TOO_LARGE, sentence)
        }
        Unread::Cut => refuse(StatusCode::BAD_REQUEST, "The form was cut off; send it again."),
    })
}

async fn perform(site: &Site, number: usize, name: &str, headers: &HeaderMap, body: Body) -> Result<(Call, Bytes), Refusal> {
    let fields = fields(headers, &whole(body).await?)?;
    let (rack, place) = (site.control.rack(), place(site, number)?);
    // What was pressed was this card's button: another one that came in meanwhile keeps its tries.
    let here = rack.card(place).label().cloned();
    if fields.get("card").is_some_and(|Secret(meant)| here.as_deref() != Some(meant.as_str())) {
        let sentence = "The card of this reader is another one now. Nothing was done; look again, and press again.";
        return refuse(StatusCode::CONFLICT, sentence);
    }
    let call = Call::of(name, &fields, &site.control.view(place).await)?;
    // On the readers' own thread: what they begin there ends with them.
    let performed = site.readers.spawn(call.clone().perform(site.api.clone())).await;
    match performed {
        Ok(answer) => Ok((call, answer?)),
        Err(_) => refuse(StatusCode::SERVICE_UNAVAILABLE, "The readers have ended."),
    }
}

/// What was done: for the script as data, else the page again, or the file that was asked for.
fn told(headers: &HeaderMap, number: usize, name: &str, call: &Call, answer: Bytes) -> Response {
    let file = call.file().map(|file| file.strip_prefix(HERE).unwrap_or(file));
    if is_for_a_page(headers) {
        return match file {
            Some(file) => {
                let kept = format!("attachment; filename=\"{file}\"");
                ([(header::CONTENT_TYPE, "application/toml".to_owned()), (header::CONTENT_DISPOSITION, kept)], answer)
                    .into_response()
            }
            None => Redirect::to(&format!("/#reader-{number}")).into_response(),
        };
    }
    let mut told = json!({ "act": name, "command": call.command(), "curl": call.curl() });
    if let Some(file) = file {
        told["file"] = json!({ "name": file, "text": String::from_utf8_lossy(&answer) });
    }
    Json(told).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader(pin: u8) -> ReaderView {
        let tries = |left| Some(TriesView { left, maximum: 3 });
        let card = CardView { pin: tries(pin), puk: tries(3), ..CardView::default() };
        ReaderView { number: 2, name: "Anna 02 00".into(), card_is: "in".into(), card: Some(card), ..ReaderView::default() }
    }

    fn call(act: &str, fields: &[(&str, &str)], pin: u8) -> Result<(String, String), String> {
        let field = |(name, value): &(&str, &str)| ((*name).to_owned(), Secret(Zeroizing::new((*value).to_owned())));
        let fields = fields.iter().map(field).collect();
        Call::of(act, &fields, &reader(pin)).map(|call| (call.command(), call.curl())).map_err(|refusal| refusal.1)
    }

    #[test]
    fn a_button_is_a_command_and_a_request() {
        for (act, fields, command, curl) in [
            ("remove", &[][..], "remove", "-X POST http://cardlab/v1/readers/2/remove"),
            ("reset", &[("how", "cold")], "reset --cold", "--json '{\"cold\":true}' http://cardlab/v1/readers/2/reset"),
            (
                "state",
                &[("state", "fresh")],
                "state fresh",
                "-X PUT --json '{\"state\":\"fresh\"}' http://cardlab/v1/readers/2/state",
            ),
            ("wrong", &[], "lock pin --tries 1", "--json '{\"left\":1,\"secret\":\"pin\"}' http://cardlab/v1/readers/2/lock"),
            ("disarm", &[], "fault --clear", "-X DELETE http://cardlab/v1/readers/2/faults"),
            ("undo", &[("count", "3")], "undo 3", "--json '{\"count\":3}' http://cardlab/v1/readers/2/undo"),
        ] {
            let wanted = (
                format!("cardlab card {command} --reader 'Anna 02 00'"),
                format!("curl --unix-socket \"$CARDLAB_CONTROL\" {curl}"),
            );
            assert_eq!(call(act, fields, 2), Ok(wanted), "{act}");
        }
    }

    /// A name that looks like an option is none.
    #[test]
    fn names_of_readers_are_no_options() {
        let reader = ReaderView { name: "-v 02 00".into(), ..reader(3) };
        let told = |act: &str, fields: &[(&str, &str)]| {
            let field = |(name, value): &(&str, &str)| ((*name).to_owned(), Secret(Zeroizing::new((*value).to_owned())));
            Call::of(act, &fields.iter().map(field).collect(), &reader).map(|call| call.command()).unwrap_or_default()
        };
        assert_eq!(told("remove", &[]), "cardlab card remove '--reader=-v 02 00'");
        assert_eq!(told("swap", &[("with", "-x 03 00")]), "cardlab card swap '--reader=-v 02 00' -- '-x 03 00'");
        assert_eq!(told("swap", &[("with", "Boris 03 00")]), "cardlab card swap '--reader=-v 02 00' 'Boris 03 00'");
    }

    /// A line is typed as it is: the file of a snapshot lies where it is typed, and its name is no option.
    #[test]
    fn the_file_of_a_snapshot_has_a_name_that_can_be_typed() {
        for (name, file) in [
            ("Anna 02 00", "Anna.snapshot.toml"),
            ("-foo 02 00", "./-foo.snapshot.toml"),
            ("a/b 02 00", "a_b.snapshot.toml"),
            ("/etc/x 02 00", "_etc_x.snapshot.toml"),
            ("Desk, \"left\" 02 00", "Desk___left_.snapshot.toml"),
        ] {
            let reader = ReaderView { name: name.into(), ..reader(3) };
            let fields = [("secrets".to_owned(), Secret(Zeroizing::new("masked".to_owned())))];
            let call = Call::of("snapshot", &fields.into(), &reader).unwrap_or_else(|refusal| panic!("{}", refusal.1));
            assert!(call.command().contains(&format!(" -o {file} ")), "{}", call.command());
            assert!(call.curl().ends_with(&format!(" -o {file}")), "{}", call.curl());
            let answer =
                told(&HeaderMap::from_iter([(header::ACCEPT, "text/html".parse().unwrap())]), 2, "snapshot", &call, Bytes::new());
            let kept = format!("attachment; filename=\"{}\"", file.trim_start_matches("./"));
            assert_eq!(answer.headers()[header::CONTENT_DISPOSITION], kept);
        }
    }

    #[test]
    fn what_was_sent_is_wiped() {
        let mut body = json!({ "passphrase": "sesame", "all": ["sesame", { "deep": "sesame" }], "left": 1 });
        wipe(&mut body);
        assert_eq!(body, json!({ "passphrase": "", "all": ["", { "deep": "" }], "left": 1 }));
    }

    #[test]
    fn the_last_try_and_the_administrator_key_ask_first() {
        assert!(call("wrong", &[], 1).unwrap_err().contains("last try"));
        assert!(call("wrong", &[("sure", "yes")], 1).unwrap().0.contains("lock pin --reader"));
        assert!(call("wrong", &[("sure", "yes")], 0).unwrap_err().contains("blocked already"));
        assert!(call("wrong", &[("secret", "admin")], 3).unwrap_err().contains("counts no tries"));
        assert!(call("lock", &[("secret", "admin")], 3).unwrap_err().contains("Nothing unblocks"));
        assert!(call("lock", &[("secret", "admin"), ("sure", "yes")], 3).unwrap().0.contains("--for-good"));
    }

    #[test]
    fn what_is_missing_or_wrong_is_said() {
        for (act, fields, says) in [
            ("fault", &[][..], "The fault is missing"),
            ("undo", &[("count", "many")], "is no number of commands"),
            ("lock", &[("secret", "door")], "one of pin, puk, admin"),
            ("restore", &[], "no snapshot to go back to"),
            ("explode", &[], "no such button"),
        ] {
            assert!(call(act, fields, 3).unwrap_err().contains(says), "{act}");
        }
    }

    #[test]
    fn a_key_that_comes_along_stands_in_no_line() {
        let fields = [("card-of", "gids,pin=1234"), ("key-name", "a.p12"), ("key-file", "TUlJ"), ("key-password", "sesame")];
        let (command, curl) = call("new", &fields, 3).unwrap();
        assert_eq!(command, "cardlab card new gids,pin=1234,81=FILE:file:PASSWORD_FILE --reader 'Anna 02 00'");
        assert!(!curl.contains("TUlJ") && !curl.contains("sesame"), "{curl}");
        assert!(curl.starts_with("base64 -w0 FILE | CARD_KEY_PASSWORD=… jq -R "), "{curl}");
    }

    #[test]
    fn passphrases_and_cards_are_not_written_out() {
        let (command, curl) = call("restore", &[("text", "whole card"), ("passphrase", "sesame")], 3).unwrap();
        assert!(!curl.contains("sesame") && !curl.contains("whole card") && !command.contains("sesame"), "{command} {curl}");
        assert!(command.starts_with("CARDLAB_PASSPHRASE="));
    }
}
