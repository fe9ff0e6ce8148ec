//! The page.

use crate::desk::{Act, Desk};
use crate::screen::{Screen, Shown};
use askama::Template;
use axum::Router;
use axum::extract::rejection::FormRejection;
use axum::extract::{DefaultBodyLimit, Form, Path, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use cardlab_protocol::problem::Problem;
use std::collections::HashMap;
use std::sync::Arc;
use tower_http::set_header::SetResponseHeaderLayer;
use zeroize::Zeroizing;

/// Longest form: ten answers.
const LONGEST_BODY: usize = 16 * 1024;

/// Of every answer: it is kept by nobody, and is shown in no other site's page.
const HEADERS: [(HeaderName, &str); 3] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'",
    ),
];

#[derive(Clone)]
struct Site {
    desk: Desk,
    /// In every form: no other page can send one.
    token: Arc<str>,
}

#[derive(Template)]
#[template(path = "screen.html")]
struct Page<'a> {
    shown: Shown,
    state: String,
    token: &'a str,
}

#[derive(Template)]
#[template(path = "refused.html")]
struct Refused<'a> {
    message: &'a str,
}

/// The routes of the lock screen.
///
/// # Errors
/// When the system has no random numbers.
pub fn router(desk: Desk) -> Result<Router, getrandom::Error> {
    let mut token = [0; 16];
    getrandom::fill(&mut token)?;
    let token = cardlab_protocol::codes::digits(&token).into();
    let style = || async { ([(header::CONTENT_TYPE, "text/css")], include_str!("../assets/style.css")) };
    let script = || async { ([(header::CONTENT_TYPE, "text/javascript")], include_str!("../assets/watch.js")) };
    let state = get(|State(site): State<Site>| async move { kind(&site.desk.shown().screen) });
    let router = Router::new()
        .route("/", get(show))
        .route("/state", state)
        .route("/style.css", get(style))
        .route("/watch.js", get(script))
        .route("/do/{act}", post(act))
        .fallback(async |headers: HeaderMap| refused(&headers, StatusCode::NOT_FOUND, "NOT_FOUND", "there is no such page"))
        .layer(DefaultBodyLimit::max(LONGEST_BODY))
        .layer(middleware::from_fn(guard))
        .with_state(Site { desk, token });
    Ok(HEADERS.into_iter().fold(router, |router, (name, value)| {
        router.layer(SetResponseHeaderLayer::overriding(name, HeaderValue::from_static(value)))
    }))
}

/// Names of this machine only: a page elsewhere cannot reach here under a name of its own.
async fn guard(request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    if !matches!(name, "127.0.0.1" | "localhost" | "[::1]") {
        let message = "the lock screen is for this machine only: 127.0.0.1 or localhost";
        return refused(request.headers(), StatusCode::FORBIDDEN, "ELSEWHERE", message);
    }
    next.run(request).await
}

/// A refusal: on a page for who asks for one, else as a problem.
fn refused(headers: &HeaderMap, status: StatusCode, name: &str, message: &str) -> Response {
    let accepted = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if accepted.contains("text/html") {
        return (status, shown(&Refused { message })).into_response();
    }
    Problem::new(status, name, message).answer().into_response()
}

/// What the page watches: it loads anew when this changes.
fn kind(screen: &Screen) -> String {
    match screen {
        Screen::Insert { message } => format!("insert {message}"),
        Screen::Pin { card, left } => format!("pin {card} {left:?}"),
        Screen::Welcome { card } => format!("welcome {card}"),
        Screen::Locked { card, .. } => format!("locked {card}"),
        Screen::Questions { .. } => "questions".into(),
        Screen::NewPin { .. } => "new-pin".into(),
        Screen::Challenge { grouped, .. } => format!("challenge {grouped}"),
        Screen::Done => "done".into(),
    }
}

async fn show(State(site): State<Site>) -> Response {
    let now = site.desk.shown();
    shown(&Page { state: kind(&now.screen), shown: now, token: &site.token })
}

fn shown(page: &impl Template) -> Response {
    match page.render() {
        Ok(text) => Html(text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

async fn act(
    State(site): State<Site>,
    Path(name): Path<String>,
    headers: HeaderMap,
    form: Result<Form<HashMap<String, String>>, FormRejection>,
) -> Response {
    let fields = match form {
        Ok(Form(fields)) => fields,
        Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            let message = format!("a form has at most {LONGEST_BODY} bytes");
            return refused(&headers, StatusCode::PAYLOAD_TOO_LARGE, "TOO_LONG", &message);
        }
        Err(rejection) => return refused(&headers, StatusCode::BAD_REQUEST, "MALFORMED", &rejection.body_text()),
    };
    if fields.get("token").is_none_or(|sent| *sent != *site.token) {
        let message = "this form is not from the lock screen's own page; load it again";
        return refused(&headers, StatusCode::FORBIDDEN, "NOT_OUR_FORM", message);
    }
    let field = |name: &str| fields.get(name).cloned().unwrap_or_default();
    let secret = |name: &str| Zeroizing::new(field(name));
    let answers = || (0..10).map_while(|n| fields.get(&format!("answer{n}")).cloned().map(Zeroizing::new)).collect();
    let act = match name.as_str() {
        "pin" => Act::Pin(secret("pin")),
        "online" => Act::Online,
        "answer" => Act::Answer(answers()),
        "new-pin" => Act::NewPin(secret("pin"), secret("confirmation")),
        "offline" => Act::Offline,
        "respond" => Act::Respond(field("response"), secret("pin"), secret("confirmation")),
        "back" => Act::Back,
        _ => return refused(&headers, StatusCode::NOT_FOUND, "NOT_FOUND", "the lock screen has no such form"),
    };
    site.desk.act(act).await;
    Redirect::to("/").into_response()
}
