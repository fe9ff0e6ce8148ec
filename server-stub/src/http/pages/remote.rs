//! Remote Self-Service. What opens the session is in a cookie of the area, and on no page and in no address.

use super::door::{Behind, area_cookie, area_cookie_name, is_encrypted, key, noticed, private, went};
use super::form::Typed;
use super::frame::{Frame, Notice};
use super::kept::Waiting;
use super::{ErrorPage, Page, answers, own_card_is, own_operation, page};
use crate::http::Front;
use crate::http::body::{Fields, Form, PeerAddress};
use crate::model::captcha;
use crate::model::refusal::{Code, Refusal};
use crate::service::Server;
use crate::service::flow::remote::{OwnCard, Standing};
use crate::service::self_service::OwnReason;
use crate::words::{card_name, filters, sentence};
use askama::Template;
use axum::extract::{FromRequest, FromRequestParts, Request, State};
use axum::http::header;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Redirect, Response as Reply};
use axum::routing::{get, post};
use axum::{Extension, Router};
use axum_extra::extract::cookie::{Cookie, CookieJar, PrivateCookieJar};
use cardlab_protocol::workstation::Question;
use std::convert::Infallible;

/// Path of the pages, and of the session's cookie.
const PATH: &str = "/rss";
/// The card and the challenge that were typed, encrypted: the page shows the response when it is loaded again.
const CHALLENGE: &str = "/rss-challenge";

pub(super) fn router() -> Router<Server> {
    let back = async || Redirect::to(PATH);
    Router::new()
        .route("/rss", get(shown).post(open))
        .route("/rss/captcha.png", get(picture))
        .route("/rss/captcha.wav", get(sound))
        .route("/rss/answers", post(answer).get(back))
        .route("/rss/unblock", post(unblock).get(back))
        .route("/rss/cards", post(operate).get(back))
        .route("/rss/again", post(again).get(back))
        .route("/rss/leave", post(leave).get(back))
}

/// What is shown.
enum Step {
    /// The token of letters that are to be typed too, where they are wanted.
    Name(Option<String>),
    Questions(Vec<Question>),
    Cards(Vec<OwnCard>),
    Response {
        card: String,
        challenge: String,
        groups: Vec<String>,
        check: String,
    },
}

#[derive(Template)]
#[template(path = "remote.html")]
struct RemotePage {
    frame: Frame,
    /// What a form sends back.
    csrf: String,
    /// What was typed into one of the forms: the name, or a challenge, by its card.
    typed: Typed,
    step: Step,
}

impl RemotePage {
    /// The form of a card's challenge.
    fn unblock_of(&self, card: &str) -> String {
        format!("unblock/{card}")
    }

    fn of(standing: Standing, csrf: String) -> Self {
        let (step, title) = match standing {
            Standing::Questions(questions) => (Step::Questions(questions), "rss-questions"),
            Standing::Cards(cards) => (Step::Cards(cards), "rss-cards"),
            Standing::Response(card, challenge, response) => {
                let groups = response.grouped.split(' ').map(str::to_owned).collect();
                (Step::Response { card: card_name(&card), challenge, groups, check: response.check }, "rss-response")
            }
        };
        Self { frame: Frame::open("area-remote", PATH, title), csrf, typed: Typed::default(), step }
    }

    async fn name(server: &Server) -> Result<Self, Refusal> {
        let step = Step::Name(server.captchas().wanted().await?);
        Ok(Self { frame: Frame::open("area-remote", PATH, "rss-who"), csrf: String::new(), typed: Typed::default(), step })
    }
}

/// The session of this browser, and the challenge that it has sent last.
struct Here {
    session: Option<String>,
    challenge: Option<String>,
    notices: Vec<Notice>,
    waiting: Waiting,
}

impl FromRequestParts<Server> for Here {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, server: &Server) -> Result<Self, Infallible> {
        let encrypted = is_encrypted(parts);
        let cookies = CookieJar::from_headers(&parts.headers);
        let session = cookies.get(&area_cookie_name(PATH, encrypted)).map(|cookie| cookie.value().to_owned());
        let challenge = private(parts, &area_cookie_name(CHALLENGE, encrypted));
        let notices = noticed(parts, server).into_iter().collect();
        Ok(Self { session, challenge, notices, waiting: Waiting::of(parts, server) })
    }
}

/// A form of a page of ours, in the session of this browser. Who has none says first who they are.
struct Sent {
    session: String,
    fields: Fields,
}

impl FromRequest<Server> for Sent {
    type Rejection = Reply;

    async fn from_request(request: Request, server: &Server) -> Result<Self, Reply> {
        let (mut parts, body) = request.into_parts();
        let here = Here::from_request_parts(&mut parts, server).await.map_err(|never| match never {})?;
        let Some(session) = here.session else { return Err(Redirect::to(PATH).into_response()) };
        let form = Form::from_request(Request::from_parts(parts, body), server).await;
        let Form(fields) = form.map_err(|refusal| ErrorPage::from(refusal).into_response())?;
        if !fields.get("csrf").is_some_and(|sent| crate::model::random::same(sent, &csrf(&session))) {
            let message = sentence!("refused-form-of-session");
            return Err(ErrorPage::from(Refusal::new(Code::OtherSite, message)).into_response());
        }
        Ok(Self { session, fields })
    }
}

/// What a form of this session carries: it does not open the session.
fn csrf(session: &str) -> String {
    crate::model::random::fingerprint(&format!("form of {session}"))
}

async fn shown(State(server): State<Server>, PeerAddress(address): PeerAddress, mut here: Here) -> Page {
    let mut shown = None;
    if let Some(session) = &here.session {
        let challenge = here.challenge.as_deref().and_then(|text| text.split_once(' '));
        match server.remote().standing(session, &address, challenge).await {
            Ok(standing) => shown = Some(RemotePage::of(standing, csrf(session))),
            Err(refusal) if refusal.code == Code::SessionOver => {}
            Err(refusal) => return Err(refusal.into()),
        }
    }
    let mut shown = match shown {
        Some(shown) => shown,
        None => RemotePage::name(&server).await?,
    };
    shown.typed = here.waiting.typed(PATH, &mut here.notices).by("card");
    shown.frame.notices.extend(here.notices);
    Ok(page(&shown))
}

async fn open(
    State(server): State<Server>,
    Extension(front): Extension<Front>,
    PeerAddress(address): PeerAddress,
    form: Result<Form, Refusal>,
) -> Page {
    let Form(fields) = form?;
    let name = fields.get("name").map(String::as_str).unwrap_or_default();
    let field = |name: &str| fields.get(name).cloned().unwrap_or_default();
    let typed = captcha::Typed { token: field("captcha"), letters: field("letters") };
    match server.remote().open(name, &address, Some(&typed)).await {
        Ok(remote) => {
            let cookies = CookieJar::new().add(area_cookie(PATH, &front, remote.session));
            Ok((cookies, Redirect::to(PATH)).into_response())
        }
        Err(refusal) => Err(refusal.into()),
    }
}

/// Which letters.
#[derive(serde::Deserialize)]
struct Of {
    of: String,
}

async fn picture(State(server): State<Server>, Behind(Of { of }): Behind<Of>) -> Page {
    Ok(([(header::CONTENT_TYPE, "image/png")], server.captchas().picture(&of).await?).into_response())
}

async fn sound(State(server): State<Server>, Behind(Of { of }): Behind<Of>) -> Page {
    Ok(([(header::CONTENT_TYPE, "audio/wav")], server.captchas().sound(&of).await?).into_response())
}

async fn answer(
    State(server): State<Server>,
    Extension(front): Extension<Front>,
    PeerAddress(address): PeerAddress,
    sent: Sent,
) -> Page {
    match server.remote().answer(&sent.session, &address, &answers(&sent.fields)).await {
        Ok(true) => Ok(Redirect::to(PATH).into_response()),
        Ok(false) => {
            let wrong = Refusal::new(Code::AnswersFirst, sentence!("rss-wrong"));
            Ok((forgotten(&front), went(&server, &front, PATH, Err(wrong))).into_response())
        }
        Err(refusal) => went_wrong(&server, &front, refusal),
    }
}

async fn unblock(
    State(server): State<Server>,
    Extension(front): Extension<Front>,
    PeerAddress(address): PeerAddress,
    sent: Sent,
) -> Page {
    let field = |name: &str| sent.fields.get(name).map(String::as_str).unwrap_or_default();
    let (card, challenge) = (field("card"), field("challenge"));
    match server.remote().challenge(&sent.session, &address, card, challenge).await {
        Ok(response) => {
            let cookie = area_cookie(CHALLENGE, &front, format!("{} {challenge}", response.card));
            Ok((PrivateCookieJar::new(key(&server)).add(in_area(cookie, &front)), Redirect::to(PATH)).into_response())
        }
        // What was typed is wrong, or the card is none that is unlocked so.
        Err(refusal) if refusal.code == Code::Malformed => Ok(went(&server, &front, PATH, Err(refusal.at("challenge")))),
        Err(refusal) => went_wrong(&server, &front, refusal),
    }
}

/// *Disable*, *Enable*, *Revoke* of an own card.
async fn operate(
    State(server): State<Server>,
    Extension(front): Extension<Front>,
    PeerAddress(address): PeerAddress,
    sent: Sent,
) -> Page {
    match server.remote().operate(&sent.session, &address, &own_operation(&sent.fields)?).await {
        Ok(card) => Ok(went(&server, &front, PATH, Ok(own_card_is(&card)))),
        Err(refusal) => went_wrong(&server, &front, refusal),
    }
}

/// The page says why; where the session is over there is another one.
fn went_wrong(server: &Server, front: &Front, refusal: Refusal) -> Page {
    if refusal.code == Code::SessionOver { Err(refusal.into()) } else { Ok(went(server, front, PATH, Err(refusal))) }
}

/// A cookie that is read in the whole area.
fn in_area(mut cookie: Cookie<'static>, front: &Front) -> Cookie<'static> {
    if !front.is_encrypted() {
        cookie.set_path(PATH);
    }
    cookie
}

/// Another card, in the same session.
async fn again(Extension(front): Extension<Front>, _: Sent) -> Reply {
    let challenge = in_area(area_cookie(CHALLENGE, &front, String::new()), &front);
    (removed([challenge]), Redirect::to(PATH)).into_response()
}

/// Neither a session nor a challenge is in this browser any more.
fn forgotten(front: &Front) -> CookieJar {
    removed([area_cookie(PATH, front, String::new()), in_area(area_cookie(CHALLENGE, front, String::new()), front)])
}

fn removed<const N: usize>(cookies: [Cookie<'static>; N]) -> CookieJar {
    cookies.into_iter().fold(CookieJar::new(), |jar, mut cookie| {
        cookie.make_removal();
        jar.add(cookie)
    })
}

async fn leave(
    State(server): State<Server>,
    Extension(front): Extension<Front>,
    PeerAddress(address): PeerAddress,
    sent: Sent,
) -> Page {
    server.remote().close(&sent.session, &address).await?;
    Ok((forgotten(&front), Redirect::to(PATH)).into_response())
}
