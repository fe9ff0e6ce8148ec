//! Pages for people: rendered here, no script, nothing from elsewhere.
//!
//! A form carries the login's token (`csrf`); each area has a cookie of its own, `HttpOnly`, `SameSite=Strict`, and over TLS
//! `Secure`.

mod console;
mod people;
mod remote;
mod self_service;

use super::body::{Fields, Form};
use super::{Front, status};
use crate::model::refusal::{Code, Refusal};
use crate::service::Server;
use crate::service::login::Door;
use askama::Template;
use axum::extract::{FromRequest, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};
use cardlab_protocol::workstation::{Answer, Answers};

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

/// A refusal on a page of its own.
pub(super) struct ErrorPage(Refusal);

impl From<Refusal> for ErrorPage {
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

impl IntoResponse for ErrorPage {
    fn into_response(self) -> Response {
        (status(&self.0), page(&Message { title: "That cannot be done", message: &self.0.message, back: "/" })).into_response()
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
    (status(refusal), page(template)).into_response()
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
        let cookies = CookieJar::from_headers(&parts.headers);
        let token = cookies.get(&area_cookie_name(V::PATH, is_encrypted(parts))).ok_or_else(login)?;
        match V::of(server, token.value()).await {
            Ok(visitor) => Ok(Self(visitor)),
            Err(refusal) if refusal.code == Code::NotLoggedIn => Err(login()),
            Err(refusal) => Err(ErrorPage(refusal).into_response()),
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
        let form = Form::from_request(Request::from_parts(parts, body), server).await;
        let Form(fields) = form.map_err(|refusal| ErrorPage(refusal).into_response())?;
        if !fields.get("csrf").is_some_and(|sent| crate::model::random::same(sent, by.csrf())) {
            let message = "this form did not come from a page of this login; open the page again";
            return Err(ErrorPage(Refusal::new(Code::NoPrivilege, message)).into_response());
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

async fn log_in<V: Visitor>(
    State(server): State<Server>,
    Extension(front): Extension<Front>,
    form: Result<Form, Refusal>,
) -> Response {
    let come_in = async {
        let Form(fields) = form?;
        let field = |name: &str| fields.get(name).map(String::as_str).unwrap_or_default();
        server.logins().log_in(V::DOOR, field("name"), field("password")).await
    };
    match come_in.await {
        Ok(login) => (CookieJar::new().add(area_cookie(V::PATH, &front, login.token)), Redirect::to(V::PATH)).into_response(),
        Err(refusal) => login_page::<V>(Some(&refusal)),
    }
}

async fn log_out<V: Visitor>(
    State(server): State<Server>,
    Extension(front): Extension<Front>,
    cookies: CookieJar,
    _: Sent<V>,
) -> Result<(CookieJar, Redirect), ErrorPage> {
    let cookie = area_cookie(V::PATH, &front, String::new());
    server.logins().log_out(cookies.get(cookie.name()).map(Cookie::value).unwrap_or_default()).await?;
    Ok((cookies.remove(cookie), Redirect::to(&format!("{}/login", V::PATH))))
}

fn is_encrypted(parts: &Parts) -> bool {
    parts.extensions.get::<Front>().is_some_and(Front::is_encrypted)
}

/// The name of an area's cookie, by its path. Over TLS browsers take a cookie of this prefix from the very host alone, encrypted
/// (RFC 6265bis, section 4.1.3.2); it has no path then.
fn area_cookie_name(path: &str, encrypted: bool) -> String {
    format!("{}{}", if encrypted { "__Host-" } else { "" }, path.trim_start_matches('/'))
}

/// The cookie of an area.
fn area_cookie(area: &'static str, front: &Front, token: String) -> Cookie<'static> {
    let encrypted = front.is_encrypted();
    let path = if encrypted { "/" } else { area };
    let cookie = Cookie::build((area_cookie_name(area, encrypted), token)).path(path).http_only(true);
    cookie.same_site(SameSite::Strict).secure(encrypted).build()
}

/// Every other field of a form as an answer.
fn answers(fields: &Fields) -> Answers {
    let answer = |(question, text): (&String, &String)| Answer { question: question.clone(), text: text.clone() };
    Answers { answers: fields.iter().filter(|(name, _)| *name != "csrf").map(answer).collect() }
}
