//! Pages for people: rendered here, no script, nothing from elsewhere.
//!
//! A form carries the login's token (`csrf`); cookies are `HttpOnly` and `SameSite=Strict`.

mod console;
mod people;
mod remote;
mod self_service;

use crate::login::Door;
use crate::refusal::{Code, Refusal};
use crate::server::Server;
use askama::Template;
use axum::Router;
use axum::extract::{Form, FromRequest, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use cardlab_protocol::workstation::{Answer, Answers};
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

/// Somebody who has come in by a door.
trait Visitor: Sized + Send {
    const DOOR: Door;
    /// Path of the pages behind the door, and of its cookie.
    const PATH: &'static str;
    /// What its login is called.
    const TITLE: &'static str;

    /// Whose token it is.
    fn of(server: &Server, token: &str) -> impl Future<Output = Result<Self, Refusal>> + Send;

    /// What a form of theirs carries.
    fn csrf(&self) -> &str;
}

/// Who is at this browser; others are sent to the login.
struct At<V>(V);

impl<V: Visitor> FromRequestParts<Server> for At<V> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, server: &Server) -> Result<Self, Response> {
        let login = || Redirect::to(&format!("{}/login", V::PATH)).into_response();
        let token = cookie::<V>(&parts.headers).ok_or_else(login)?;
        match V::of(server, &token).await {
            Ok(visitor) => Ok(Self(visitor)),
            Err(refusal) if refusal.code == Code::NotLoggedIn => Err(login()),
            Err(refusal) => Err(Sorry(refusal).into_response()),
        }
    }
}

/// A form of a page of ours, from who is at this browser.
struct Sent<V> {
    by: V,
    fields: Fields,
}

impl<V: Visitor> FromRequest<Server> for Sent<V> {
    type Rejection = Response;

    async fn from_request(request: Request, server: &Server) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let At(by) = At::<V>::from_request_parts(&mut parts, server).await?;
        let form = Form::<Fields>::from_request(Request::from_parts(parts, body), server).await;
        let Form(fields) = form.map_err(|e| Sorry(Refusal::malformed(e.body_text())).into_response())?;
        if fields.get("csrf").is_none_or(|sent| sent != by.csrf()) {
            let message = "this form did not come from a page of this login; open the page again";
            return Err(Sorry(Refusal::new(Code::NoPrivilege, message)).into_response());
        }
        Ok(Self { by, fields })
    }
}

/// Login and logout at a door.
fn door<V: Visitor + 'static>() -> Router<Server> {
    Router::new()
        .route(&format!("{}/login", V::PATH), get(async || login_page::<V>(None)).post(log_in::<V>))
        .route(&format!("{}/logout", V::PATH), post(log_out::<V>))
}

fn login_page<V: Visitor>(refusal: Option<&Refusal>) -> Response {
    let error = refusal.map(|refusal| refusal.message.clone());
    let login = LoginPage { title: V::TITLE, action: &format!("{}/login", V::PATH), error };
    refusal.map_or_else(|| page(&login), |refusal| refused(refusal, &login))
}

async fn log_in<V: Visitor>(State(server): State<Server>, Form(fields): Form<Fields>) -> Response {
    let field = |name: &str| fields.get(name).map(String::as_str).unwrap_or_default();
    match server.log_in(V::DOOR, field("name"), field("password")).await {
        Ok(login) => enter::<V>(&login.token, V::PATH),
        Err(refusal) => login_page::<V>(Some(&refusal)),
    }
}

async fn log_out<V: Visitor>(State(server): State<Server>, headers: HeaderMap, _: Sent<V>) -> Result<Response, Sorry> {
    server.log_out(&cookie::<V>(&headers).unwrap_or_default()).await?;
    Ok(enter::<V>("", &format!("{}/login", V::PATH)))
}

/// The name of a door's login cookie.
fn cookie_name<V: Visitor>() -> &'static str {
    V::PATH.trim_start_matches('/')
}

/// The login cookie of a door.
fn cookie<V: Visitor>(headers: &HeaderMap) -> Option<String> {
    let all = headers.get(header::COOKIE)?.to_str().ok()?;
    all.split(';')
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == cookie_name::<V>())
        .map(|(_, value)| value.to_owned())
}

/// Sets or, with an empty token, clears the cookie and goes to a page.
fn enter<V: Visitor>(token: &str, to: &str) -> Response {
    let age = if token.is_empty() { "; Max-Age=0" } else { "" };
    let cookie = format!("{}={token}; Path={}; HttpOnly; SameSite=Strict{age}", cookie_name::<V>(), V::PATH);
    ([(header::SET_COOKIE, cookie)], Redirect::to(to)).into_response()
}

/// Every other field of a form as an answer.
fn answers(fields: &Fields) -> Answers {
    let answer = |(question, text): (&String, &String)| Answer { question: question.clone(), text: text.clone() };
    Answers { answers: fields.iter().filter(|(name, _)| *name != "csrf").map(answer).collect() }
}
