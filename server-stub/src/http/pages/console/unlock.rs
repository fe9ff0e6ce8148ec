//! Unlock: the person first, then questions, challenge, response, and how it ended.

use super::super::door::{At, Sent, area_cookie_name, is_encrypted, key, private, went, wrong_at};
use super::super::form::Typed;
use super::super::frame::{Frame, Here, Notice, sentence as sentence_of};
use super::super::told::claimed;
use super::super::{Page, answers, page};
use super::moment::{Dated, Moment};
use super::start::{before_unlock, of_card};
use super::{Line, story};
use crate::http::Front;
use crate::model::event::{Event as Logged, Kind};
use crate::model::refusal::{Code, Refusal};
use crate::model::response::{Ending, GivenView};
use crate::model::role::Privilege;
use crate::service::Server;
use crate::service::flow::wizard::ReadOut;
use crate::service::login::Operator;
use crate::service::picture::{Owner, Seen, UnlockPicture};
use crate::words::{card_name, filters, plain, say, sentence};
use askama::Template;
use axum::extract::{FromRequestParts, Path, State};
use axum::http::request::Parts;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use axum_extra::extract::cookie::{Cookie, PrivateCookieJar, SameSite};
use cardlab_protocol::words::Language;
use cardlab_protocol::workstation::Question;
use futures_core::Stream;
use std::convert::Infallible;
use std::time::Duration;

/// The challenge that was read out, encrypted: the page shows its response when it is loaded again.
const CHALLENGE: &str = "challenge";
/// How often the database is asked how an unlock ended, while somebody looks on: another server may have been told.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// The field of what is wrong with answers: which of several is, nobody is told.
const ANSWERS: &str = "answers";
/// How long somebody looks on.
const LOOKS_ON: u32 = 600;

pub(super) fn router() -> Router<Server> {
    Router::new()
        .route("/mc/cards/{serial}/wizard", post(open).get(async |Path(serial): Path<String>| to_card(&serial)))
        .route("/mc/unlock/{wizard}", get(shown))
        .route("/mc/unlock/{wizard}/answers", post(answer).get(back))
        .route("/mc/unlock/{wizard}/challenge", post(challenge).get(back))
        .route("/mc/unlock/{wizard}/again", post(again).get(back))
        .route("/mc/unlock/{wizard}/outcome", get(outcome))
}

#[derive(Template)]
#[template(path = "unlock.html")]
struct UnlockPage {
    frame: Frame,
    wizard: String,
    serial: String,
    card: String,
    /// The person, or what stands for one whose name is not to be seen.
    person: String,
    owner: Option<Owner>,
    badges: Vec<Badge>,
    step: Step,
    validates: bool,
    questions: Vec<Question>,
    challenge_length: usize,
    /// What was typed into the form of a step, by its name.
    typed: Typed,
    also_open: String,
    left: i64,
    given: Option<Given>,
    lines: Vec<Line>,
    /// Where it leads back to, and the name of that link's sentence.
    back: (String, &'static str),
}

/// Where an unlock is.
enum Step {
    /// Something has changed since it was begun; a notice says what.
    Stopped,
    Questions,
    Challenge,
    Response(Response_),
}

/// What is read to the user.
struct Response_ {
    challenge: String,
    groups: Vec<String>,
    check: String,
}

impl Step {
    const fn number(&self) -> u8 {
        match self {
            Self::Stopped => 0,
            Self::Questions => 1,
            Self::Challenge => 2,
            Self::Response(_) => 3,
        }
    }

    /// As a step line shows one of the three.
    const fn class_of(&self, number: &u8) -> &'static str {
        if *number < self.number() { "done" } else { "" }
    }
}

/// What was heard of the card last.
pub(super) struct Badge {
    pub(super) class: &'static str,
    pub(super) said: Dated,
}

impl Badge {
    /// What was heard, then what is only said.
    pub(super) fn all(seen: Option<&Seen>, claim: Option<&Logged>, now: i64) -> Vec<Self> {
        seen.map(|seen| Self::of(seen, now)).into_iter().chain(claim.map(|claim| Self::of_claim(claim, now))).collect()
    }

    fn of(seen: &Seen, now: i64) -> Self {
        let (class, key) = match seen.what.as_str() {
            name if name == Kind::AdminKeyBlocked.facts().1 => ("bad", "card-key-blocked"),
            _ => ("good", "card-pin-unlocked"),
        };
        Self::saying(class, key, (seen.at, &seen.workstation), now)
    }

    /// What a workstation says and nobody has confirmed.
    fn of_claim(claim: &Logged, now: i64) -> Self {
        let key = match claimed(claim).as_str() {
            "pin-blocked" => "card-claim-pin-blocked",
            "pin-wrong" => "card-claim-pin-wrong",
            "unlocked" => "card-claim-unlocked",
            "refused" => "card-claim-refused",
            "admin-key-blocked" => "card-claim-admin-key-blocked",
            _ => "card-claim-gone",
        };
        Self::saying("", key, (claim.at, &claim.workstation), now)
    }

    fn saying(class: &'static str, key: &str, (at, workstation): (i64, &str), now: i64) -> Self {
        let place = if workstation.is_empty() { String::new() } else { format!(", {workstation}") };
        Self { class, said: Dated::of(key, Moment::short(at, now), &place, &[]) }
    }
}

/// What became of a response, for people.
struct Given {
    class: &'static str,
    sentence: String,
    settled: bool,
    at: Dated,
}

/// How a response's end is said.
pub(super) fn sentence(given: &GivenView) -> String {
    match (given.outcome, given.tries_left) {
        (Ending::Waiting, _) => plain("given-waiting"),
        (Ending::Unlocked, _) => plain("given-unlocked"),
        (Ending::Refused, None) => plain("given-refused"),
        (Ending::Refused, Some(left)) => say("given-refused-left", &[("count", left.into())]),
        (Ending::AdminKeyBlocked, _) => plain("given-admin-key-blocked"),
        (Ending::Gone, _) => plain("given-gone"),
    }
}

impl Given {
    /// `workstation` is where the card was heard of last, or empty.
    fn of(given: &GivenView, workstation: &str) -> Self {
        let class = match given.outcome {
            Ending::Waiting => "",
            Ending::Unlocked => "good",
            Ending::Gone => "warn",
            Ending::Refused | Ending::AdminKeyBlocked => "bad",
        };
        let settled = given.outcome != Ending::Waiting;
        let sentence = match settled || workstation.is_empty() {
            true => sentence(given),
            false => say("given-waiting-for", &[("name", crate::words::text(workstation))]),
        };
        Self { class, sentence, settled, at: Dated::of("unlock-given", Moment::clock(given.given_at), "", &[]) }
    }
}

impl UnlockPage {
    /// The steps that there are, with their numbers.
    fn steps(&self) -> Vec<(u8, &'static str)> {
        let all = [(1, "unlock-step-questions"), (2, "unlock-step-challenge"), (3, "unlock-step-response")];
        all.into_iter().filter(|(number, _)| *number != 1 || self.validates).collect()
    }
}

/// The page of an unlock as it is now.
async fn unlock(server: &Server, at: &mut At<Operator>, wizard: &str, challenge: Option<&str>) -> Result<UnlockPage, Refusal> {
    let picture = server.pictures().of_unlock(&at.by, wizard, challenge).await?;
    let now = server.now();
    let typed = at.typed(&format!("/mc/unlock/{wizard}"));
    let UnlockPicture {
        serial,
        wizard: view,
        is_ready,
        validates,
        stopped,
        owner,
        seen,
        claimed,
        happened,
        left,
        response,
        given,
        workstation,
    } = picture;
    let card = card_name(&serial);
    let person = owner.as_ref().map_or_else(|| plain("event-somebody"), |owner| owner.cn.clone());
    let (mut frame, back) = way(at, &serial, owner.as_ref());
    let is_stopped = stopped.is_some();
    if let Some(why) = stopped.map(|refusal| Notice::refused(&refusal))
        && frame.notices.iter().all(|notice| notice.text != why.text)
    {
        frame = frame.noting(why);
    }
    let step = match response {
        _ if is_stopped => Step::Stopped,
        Some((challenge, response)) => Step::Response(Response_ {
            challenge,
            groups: response.grouped.split(' ').map(str::to_owned).collect(),
            check: response.check,
        }),
        None if is_ready => Step::Challenge,
        None => Step::Questions,
    };
    Ok(UnlockPage {
        frame,
        wizard: wizard.into(),
        card,
        badges: Badge::all(seen.as_ref(), claimed.as_ref(), now),
        lines: story(&happened, owner.as_ref().map(|owner| owner.cn.as_str()), now),
        serial,
        person,
        owner,
        step,
        validates,
        questions: view.questions,
        challenge_length: view.challenge_length,
        typed,
        also_open: view.also_open.join(", "),
        left,
        given: given.as_ref().map(|given| Given::of(given, &workstation)),
        back,
    })
}

/// The way to an unlock, as far as the operator may go it back.
fn way(at: &mut At<Operator>, serial: &str, owner: Option<&Owner>) -> (Frame, (String, &'static str)) {
    let sees = |privilege| at.by.may_somewhere(privilege);
    let (user, sees_card) = (owner.filter(|owner| owner.is_seen), sees(Privilege::ViewCards));
    let here = match (user, sees_card) {
        (Some(_), _) => Here::Users,
        (None, true) => Here::Cards,
        (None, false) => Here::Unlock,
    };
    let (mut frame, mut back) = (at.frame(here), (here.path().to_owned(), "error-back"));
    if let Some(user) = user {
        frame = frame.then(&back.0, user.cn.clone());
        back = (format!("/mc/users/{}", user.id), "error-back");
    }
    if sees_card {
        frame = frame.then(&back.0, say("card-title", &[("name", crate::words::text(&card_name(serial)))]));
        back = (format!("/mc/cards/{serial}"), "unlock-back");
    }
    (frame.then(&back.0, plain("unlock-title")), back)
}

async fn open(
    State(server): State<Server>,
    Extension(front): Extension<Front>,
    Path(serial): Path<String>,
    Sent { by: operator, .. }: Sent<Operator>,
) -> Response {
    match server.wizards().open(&operator, &serial).await {
        Ok(wizard) => Redirect::to(&format!("/mc/unlock/{}", wizard.wizard)).into_response(),
        Err(refusal) => went(&server, &front, &before_unlock(&operator, &serial), Err(refusal)),
    }
}

fn to_card(serial: &str) -> Redirect {
    Redirect::to(&format!("/mc/cards/{serial}"))
}

async fn back(Path(wizard): Path<String>) -> Redirect {
    Redirect::to(&format!("/mc/unlock/{wizard}"))
}

async fn shown(
    State(server): State<Server>,
    Extension(front): Extension<Front>,
    mut at: At<Operator>,
    Path(wizard): Path<String>,
    ReadOutBefore(challenge): ReadOutBefore,
) -> Page {
    let challenge = challenge.as_ref().and_then(|read| read.split_once(' ')).filter(|(of, _)| *of == wizard).map(|(_, c)| c);
    match unlock(&server, &mut at, &wizard, challenge).await {
        Ok(view) => Ok(page(&view)),
        // It ended while somebody logged in again: its card is known by what was sent.
        Err(refusal) if refusal.code == Code::SessionOver => {
            let Some(sent) = at.sent_below(&format!("/mc/unlock/{wizard}")) else { return Err(refusal.into()) };
            Ok(went(&server, &front, &of_card(&at.by, sent.value("card")), Err(refusal)))
        }
        Err(refusal) => Err(refusal.into()),
    }
}

async fn answer(
    State(server): State<Server>,
    Extension(front): Extension<Front>,
    Path(wizard): Path<String>,
    Sent { by: operator, fields }: Sent<Operator>,
) -> Response {
    let to = format!("/mc/unlock/{wizard}");
    let card = fields.get("card").map(String::as_str);
    match server.wizards().answer(&operator, &wizard, &answers(&fields)).await {
        Ok(verdict) if verdict.ok => went(&server, &front, &to, Ok(plain("unlock-answers-right"))),
        Ok(verdict) if verdict.left == 0 => {
            let ended = Refusal::new(Code::SessionOver, sentence!("unlock-answers-ended"));
            went(&server, &front, &of_card(&operator, card), Err(ended))
        }
        Ok(verdict) => {
            let wrong = Refusal::new(Code::AnswersFirst, sentence!("unlock-answers-wrong", count = verdict.left));
            wrong_at(&to, &wrong, vec![(ANSWERS.into(), sentence_of(&wrong.said()))])
        }
        Err(refusal) if refusal.code == Code::SessionOver => went(&server, &front, &of_card(&operator, card), Err(refusal)),
        Err(refusal) => went(&server, &front, &to, Err(refusal)),
    }
}

async fn challenge(
    State(server): State<Server>,
    Extension(front): Extension<Front>,
    Path(wizard): Path<String>,
    Sent { by: operator, fields }: Sent<Operator>,
) -> Response {
    let read = ReadOut { challenge: fields.get("challenge").cloned().unwrap_or_default(), check: fields.get("check").cloned() };
    match server.wizards().challenge(&operator, &wizard, &read).await {
        Ok(_) => {
            let cookie = challenge_cookie(&front, format!("{wizard} {}", read.challenge));
            let to = Redirect::to(&format!("/mc/unlock/{wizard}"));
            (PrivateCookieJar::new(key(&server)).add(cookie), to).into_response()
        }
        Err(refusal) if refusal.code == Code::SessionOver => {
            went(&server, &front, &of_card(&operator, fields.get("card").map(String::as_str)), Err(refusal))
        }
        Err(refusal) => {
            let refusal = if refusal.code == Code::Malformed { refusal.at("challenge") } else { refusal };
            went(&server, &front, &format!("/mc/unlock/{wizard}"), Err(refusal))
        }
    }
}

/// Another challenge, in the same unlock.
async fn again(Extension(front): Extension<Front>, Path(wizard): Path<String>, _: Sent<Operator>) -> Response {
    let mut cookie = challenge_cookie(&front, String::new());
    cookie.make_removal();
    let jar = axum_extra::extract::cookie::CookieJar::new().add(cookie);
    (jar, Redirect::to(&format!("/mc/unlock/{wizard}"))).into_response()
}

/// How it ends, as soon as the server knows.
async fn outcome(
    State(server): State<Server>,
    at: At<Operator>,
    Path(wizard): Path<String>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    // The request is over when the page hears of it.
    let language = Language::now();
    let stream = async_stream::stream! {
        for _ in 0..LOOKS_ON {
            match server.pictures().of_unlock(&at.by, &wizard, None).await {
                Ok(UnlockPicture { given: Some(given), workstation, .. }) if given.outcome != Ending::Waiting => {
                    let given = language.speaking(|| Given::of(&given, &workstation));
                    let told = serde_json::json!({"sentence": given.sentence, "class": given.class});
                    yield Ok(Event::default().event("outcome").data(told.to_string()));
                    return;
                }
                Ok(_) => tokio::time::sleep(LOOK_AGAIN).await,
                Err(_) => return,
            }
        }
    };
    Sse::new(stream).keep_alive(KeepAlive::default())
}

fn challenge_name(encrypted: bool) -> String {
    area_cookie_name(CHALLENGE, encrypted)
}

fn challenge_cookie(front: &Front, text: String) -> Cookie<'static> {
    let encrypted = front.is_encrypted();
    let path = if encrypted { "/" } else { "/mc" };
    let cookie = Cookie::build((challenge_name(encrypted), text)).path(path).http_only(true);
    cookie.same_site(SameSite::Strict).secure(encrypted).build()
}

/// The unlock and the challenge that this browser has sent last.
struct ReadOutBefore(Option<String>);

impl FromRequestParts<Server> for ReadOutBefore {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &Server) -> Result<Self, Infallible> {
        Ok(Self(private(parts, &challenge_name(is_encrypted(parts)))))
    }
}
