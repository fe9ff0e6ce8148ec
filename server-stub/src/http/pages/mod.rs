//! Pages for people: rendered here, no script, nothing from elsewhere.
//!
//! A form carries the login's token (`csrf`); cookies are `HttpOnly` and `SameSite=Strict`.

mod console;
mod remote;
mod self_service;

use crate::login::Door;
use crate::refusal::{Code, Refusal};
use crate::server::Server;
use askama::Template;
use axum::Router;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;
use cardlab_credprov::{Answer, Answers};
use std::collections::HashMap;

pub(super) fn router() -> Router<Server> {
    let asset = |kind: &'static str, text: &'static str| get(move || async move { ([(header::CONTENT_TYPE, kind)], text) });
    Router::new()
        .route("/", get(async || page(&Home)))
        .route("/assets/style.css", asset("text/css", include_str!("../../../assets/style.css")))
        .route("/assets/icon.svg", asset("image/svg+xml", include_str!("../../../assets/icon.svg")))
        .merge(console::router())
        .merge(self_service::router())
        .merge(remote::router())
}

/// Fields of a form.
type Fields = HashMap<String, String>;

/// A refusal on a page of its own.
pub(super) struct Sorry(Refusal);

impl From<Refusal> for Sorry {
    fn from(refusal: Refusal) -> Self {
        Self(refusal)
    }
}

#[derive(Template)]
#[template(path = "message.html")]
struct Message<'a> {
    title: &'a str,
    message: &'a str,
    back: &'a str,
}

/// The doors.
#[derive(Template)]
#[template(path = "home.html")]
struct Home;

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage<'a> {
    title: &'a str,
    action: &'a str,
    error: Option<String>,
}

impl IntoResponse for Sorry {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, page(&Message { title: "That cannot be done", message: &self.0.message, back: "/" })).into_response()
    }
}

/// A rendered template.
fn page(template: &impl Template) -> Response {
    match template.render() {
        Ok(text) => Html(text).into_response(),
        Err(error) => {
            eprintln!("cardlab: page: {error}");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// A page with the status of a refusal.
fn refused(refusal: &Refusal, template: &impl Template) -> Response {
    let status = StatusCode::from_u16(refusal.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, page(template)).into_response()
}

const fn cookie_name(door: Door) -> &'static str {
    match door {
        Door::Console => "mc",
        Door::SelfService => "ss",
    }
}

/// The login cookie of a door.
fn cookie(headers: &HeaderMap, door: Door) -> Option<String> {
    let all = headers.get(header::COOKIE)?.to_str().ok()?;
    all.split(';')
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == cookie_name(door))
        .map(|(_, value)| value.to_owned())
}

/// Sets or, with an empty token, clears the cookie and goes to a page.
fn enter(door: Door, token: &str, to: &str) -> Response {
    let path = if door == Door::Console { "/mc" } else { "/ss" };
    let age = if token.is_empty() { "; Max-Age=0" } else { "" };
    let cookie = format!("{}={token}; Path={path}; HttpOnly; SameSite=Strict{age}", cookie_name(door));
    ([(header::SET_COOKIE, cookie)], Redirect::to(to)).into_response()
}

/// The token of a door's cookie.
struct Cookie<const CONSOLE: bool>(String);

impl<const CONSOLE: bool> FromRequestParts<Server> for Cookie<CONSOLE> {
    type Rejection = Redirect;

    async fn from_request_parts(parts: &mut Parts, _: &Server) -> Result<Self, Redirect> {
        let (door, login) = if CONSOLE { (Door::Console, "/mc/login") } else { (Door::SelfService, "/ss/login") };
        cookie(&parts.headers, door).map(Self).ok_or_else(|| Redirect::to(login))
    }
}

/// A form must come from our own page.
fn ours(fields: &Fields, csrf: &str) -> Result<(), Refusal> {
    if fields.get("csrf").is_some_and(|sent| sent == csrf) {
        return Ok(());
    }
    Err(Refusal::new(Code::NoPrivilege, "this form did not come from a page of this login; open the page again"))
}

/// Every other field of a form as an answer.
fn answers(fields: &Fields) -> Answers {
    let answer = |(question, text): (&String, &String)| Answer { question: question.clone(), text: text.clone() };
    Answers { answers: fields.iter().filter(|(name, _)| *name != "csrf").map(answer).collect() }
}
