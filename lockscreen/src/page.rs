//! The page.

use crate::desk::{Act, Desk};
use crate::screen::{Screen, Shown};
use askama::Template;
use axum::Router;
use axum::extract::{Form, Path, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use std::collections::HashMap;
use std::sync::Arc;
use zeroize::Zeroizing;

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
    Ok(Router::new()
        .route("/", get(show))
        .route("/state", state)
        .route("/style.css", get(style))
        .route("/watch.js", get(script))
        .route("/do/{act}", post(act))
        .layer(middleware::from_fn(guard))
        .with_state(Site { desk, token }))
}

/// Names of this machine only: a page elsewhere cannot reach here under a name of its own.
async fn guard(request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    if !matches!(name, "127.0.0.1" | "localhost" | "[::1]") {
        return (StatusCode::FORBIDDEN, "the lock screen is for this machine only").into_response();
    }
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    let policy = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    response
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
    let shown = site.desk.shown();
    let page = Page { state: kind(&shown.screen), shown, token: &site.token };
    match page.render() {
        Ok(text) => Html(text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

async fn act(State(site): State<Site>, Path(name): Path<String>, Form(fields): Form<HashMap<String, String>>) -> Response {
    if fields.get("token").is_none_or(|sent| *sent != *site.token) {
        return (StatusCode::FORBIDDEN, "this form is not from the lock screen's own page; load it again").into_response();
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
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    site.desk.act(act).await;
    Redirect::to("/").into_response()
}
