//! The page.

use askama::Template;
use axum::Router;
use axum::extract::rejection::FormRejection;
use axum::extract::{DefaultBodyLimit, Form, Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use cardlab_client::unlock::desk::Desk;
use cardlab_client::unlock::session::words::{self, plain};
use cardlab_client::unlock::session::{Act, LockedView, NewPin, Online, Place, Screen, Shown};
use cardlab_protocol::local::{HEADERS, is_elsewhere, is_for_a_page};
use cardlab_protocol::problem::Problem;
use cardlab_protocol::words::Language;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tower_http::set_header::SetResponseHeaderLayer;
use zeroize::Zeroizing;

/// Longest form. Far more than ten answers need, so that one that is too long is told as such.
const LONGEST_BODY: usize = 64 * 1024;
/// How long a form waits for what comes of it before the page says that it takes a while.
const SHORT: Duration = Duration::from_secs(2);
/// How long a page that somebody opens waits for a look at the cards.
const LOOK: Duration = Duration::from_millis(200);
/// How long the page waits for a change before it asks anew.
const LONG: Duration = Duration::from_secs(20);
/// Pages that wait at once.
const MOST_WAITING: usize = 32;
/// Digits of a field of a code.
const GROUP: usize = 4;

#[derive(Clone)]
struct Site {
    desk: Desk,
    place: Place,
    /// In every form: no other page can send one.
    token: Arc<str>,
    /// Places for pages that wait for a change; each has a thread.
    waiting: Arc<Semaphore>,
}

#[derive(Template)]
#[template(path = "screen.html")]
struct Page<'a> {
    shown: &'a Shown,
    session: bool,
    token: &'a str,
}

#[derive(Template)]
#[template(path = "refused.html")]
struct Refused {
    message: String,
}

impl Page<'_> {
    /// What one of the fields of the response is called.
    fn group(&self, number: &usize) -> String {
        words::group(*number)
    }

    /// Fields of the response: as many as the code has groups, with what was typed.
    fn fields(&self, view: &LockedView) -> Vec<String> {
        let groups = view.code.as_ref().map_or(0, |code| code.groups().len());
        let typed: Vec<char> = view.typed.chars().collect();
        let whole: String = typed.iter().filter(|c| !c.is_whitespace() && **c != '-').collect();
        // What fits is shown where it belongs; what does not is shown whole, to be mended.
        if whole.chars().count() > groups * GROUP || !whole.is_ascii() {
            let mut fields = vec![String::new(); groups];
            if let Some(first) = fields.first_mut() {
                first.clone_from(&view.typed);
            }
            return fields;
        }
        (0..groups).map(|n| whole.chars().skip(n * GROUP).take(GROUP).collect()).collect()
    }
}

/// The routes of the lock screen; `place` says whether it is one, or a window in a session.
///
/// # Errors
/// When the system has no random numbers.
pub fn router(desk: Desk, place: Place) -> Result<Router, getrandom::Error> {
    let mut token = [0; 16];
    getrandom::fill(&mut token)?;
    let token = cardlab_protocol::codes::digits(&token).into();
    let style = || async { ([(header::CONTENT_TYPE, "text/css")], include_str!("../assets/style.css")) };
    let script = || async { ([(header::CONTENT_TYPE, "text/javascript")], include_str!("../assets/screen.js")) };
    let router = Router::new()
        .route("/", get(show))
        .route("/changed/{version}", get(changed))
        .route("/style.css", get(style))
        .route("/screen.js", get(script))
        .route("/do/{act}", post(act))
        .fallback(async |headers: HeaderMap| refused(&headers, StatusCode::NOT_FOUND, "NOT_FOUND", || plain("page-no-such")))
        .layer(DefaultBodyLimit::max(LONGEST_BODY))
        .layer(middleware::from_fn(guard))
        .with_state(Site { desk, place, token, waiting: Arc::new(Semaphore::new(MOST_WAITING)) });
    Ok(HEADERS.into_iter().fold(router, |router, (name, value)| {
        router.layer(SetResponseHeaderLayer::overriding(name, HeaderValue::from_static(value)))
    }))
}

/// Names of this machine only.
async fn guard(request: Request, next: Next) -> Response {
    if is_elsewhere(request.headers()) {
        return refused(request.headers(), StatusCode::FORBIDDEN, "ELSEWHERE", || plain("page-elsewhere"));
    }
    next.run(request).await
}

/// A refusal: on a page for who asks for one, in their language, else as a problem.
fn refused(headers: &HeaderMap, status: StatusCode, name: &str, say: impl FnOnce() -> String) -> Response {
    if is_for_a_page(headers) {
        let page = rendered(headers, || Refused { message: say() });
        return (status, page).into_response();
    }
    Problem::new(status, name, say()).answer().into_response()
}

/// Whoever opens the page or loads it again sees how the cards are now; what follows by itself is told of changes.
async fn show(State(site): State<Site>, headers: HeaderMap) -> Response {
    if is_for_a_page(&headers) {
        let desk = site.desk.clone();
        let _ = tokio::task::spawn_blocking(move || desk.look(LOOK)).await;
    }
    let shown = site.desk.shown();
    let session = site.place == Place::InSession;
    rendered(&headers, || Page { shown: &shown, session, token: &site.token })
}

/// A page in the language that the browser likes best.
fn rendered<T: Template>(headers: &HeaderMap, page: impl FnOnce() -> T) -> Response {
    let language = Language::asked(headers);
    match language.speaking(|| page().render()) {
        Ok(text) => {
            let mut answer = Html(text).into_response();
            language.tell(answer.headers_mut());
            answer
        }
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

/// Waits until something else is shown than this version; gives which. Where too many wait, nobody else does.
async fn changed(State(site): State<Site>, Path(version): Path<String>) -> Response {
    let version: u32 = version.parse().unwrap_or(u32::MAX);
    let Ok(_place) = site.waiting.clone().try_acquire_owned() else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let wait = move || site.desk.wait_until(LONG, |shown| shown.version != version).version;
    match tokio::task::spawn_blocking(wait).await {
        Ok(version) => version.to_string().into_response(),
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

async fn act(
    State(site): State<Site>,
    Path(name): Path<String>,
    headers: HeaderMap,
    form: Result<Form<HashMap<String, String>>, FormRejection>,
) -> Response {
    let mut fields = match form {
        Ok(Form(fields)) => fields,
        Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            return refused(&headers, StatusCode::PAYLOAD_TOO_LARGE, "TOO_LONG", || words::too_long(LONGEST_BODY));
        }
        Err(rejection) => return refused(&headers, StatusCode::BAD_REQUEST, "MALFORMED", || rejection.body_text()),
    };
    if fields.get("token").is_none_or(|sent| *sent != *site.token) {
        return refused(&headers, StatusCode::FORBIDDEN, "NOT_OUR_FORM", || plain("page-not-our-form"));
    }
    let step = fields.get("step").and_then(|step| step.parse().ok());
    let Some(act) = act_of(&name, &mut fields) else {
        return refused(&headers, StatusCode::NOT_FOUND, "NOT_FOUND", || plain("page-no-form"));
    };
    let desk = site.desk;
    // What was sent twice, or to an older page, does nothing: the page shows what is.
    let done = tokio::task::spawn_blocking(move || {
        desk.act(Some(step.unwrap_or(u32::MAX)), act);
        desk.settled(SHORT)
    });
    match done.await {
        Ok(_) => Redirect::to("/").into_response(),
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

fn act_of(name: &str, fields: &mut HashMap<String, String>) -> Option<Act> {
    let mut secret = |name: &str| Zeroizing::new(fields.remove(name).unwrap_or_default());
    let numbered = |fields: &mut HashMap<String, String>, name: &str| {
        (0..10).map_while(|n| fields.remove(&format!("{name}{n}"))).map(Zeroizing::new).collect::<Vec<_>>()
    };
    Some(match name {
        "choose" => Act::Choose(secret("card").to_string()),
        "pin" => Act::Pin(secret("pin")),
        "all-the-same" => Act::AllTheSame,
        "questions" => Act::Questions,
        "answers" => Act::Answers(numbered(fields, "answer")),
        "new-pin" => Act::NewPin(NewPin { pin: secret("pin"), confirmation: secret("confirmation") }),
        "respond" => {
            let new = NewPin { pin: secret("pin"), confirmation: secret("confirmation") };
            Act::Respond(Zeroizing::new(numbered(fields, "response").iter().map(|part| part.as_str()).collect()), new)
        }
        "sure" => Act::Sure,
        "use-puk" => Act::UsePuk,
        "puk" => Act::Puk(secret("puk"), NewPin { pin: secret("pin"), confirmation: secret("confirmation") }),
        "again" => Act::Again,
        "back" => Act::Back,
        _ => return None,
    })
}
