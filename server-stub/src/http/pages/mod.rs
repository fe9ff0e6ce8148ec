//! Pages for people: rendered here, nothing from elsewhere; a script only for what is live.
//!
//! A form carries the login's token (`csrf`); each area has a cookie of its own, `HttpOnly`, `SameSite=Strict`, and over TLS
//! `Secure`. Every form leads on to a page, whether it was done or not ([`door::went`]): no reload sends it again, and what was
//! typed into one that was not done is on the page that has it ([`kept`], [`form`]).

mod configuration;
mod console;
mod detail;
mod door;
mod form;
mod frame;
mod kept;
mod list;
mod remote;
mod self_service;
mod told;

use super::body::Fields;
use super::{log, status};
use crate::model::card::Operation;
use crate::model::refusal::{Code, Refusal};
use crate::service::Server;
use crate::service::flow::remote::OwnCard;
use crate::service::self_service::{OwnOperation, OwnReason};
use crate::words::{card_name, filters, plain, say, sentence, text};
use askama::Template;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use cardlab_protocol::workstation::{Answer, Answers};
use frame::Frame;

pub(super) fn router(server: &Server) -> Router<Server> {
    let asset = |kind: &'static str, text: &'static str| get(move || async move { ([(header::CONTENT_TYPE, kind)], text) });
    Router::new()
        .route("/", get(doors))
        .merge(console::router())
        .merge(configuration::router())
        .merge(self_service::router())
        .merge(remote::router())
        .layer(axum::middleware::from_fn_with_state(server.clone(), door::framed))
        .route("/assets/style.css", asset("text/css", include_str!("../../../assets/style.css")))
        .route("/assets/page.js", asset("text/javascript", include_str!("../../../assets/page.js")))
        .route("/assets/icon.svg", asset("image/svg+xml", include_str!("../../../assets/icon.svg")))
}

type Page = Result<Response, ErrorPage>;

/// A refusal on a page of its own, in the frame of whoever asked.
#[derive(Clone)]
pub(super) struct ErrorPage(Refusal);

impl From<Refusal> for ErrorPage {
    fn from(refusal: Refusal) -> Self {
        Self(refusal)
    }
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorTemplate {
    frame: Frame,
    message: String,
}

/// The doors.
#[derive(Template)]
#[template(path = "doors.html")]
struct Doors {
    frame: Frame,
}

impl ErrorPage {
    /// In a frame; `back` is where the frame's first crumb leads.
    fn rendered(&self, frame: Frame, back: &str) -> Response {
        let title = match self.0.code {
            Code::NotFound => "error-title-not-found",
            Code::NoPrivilege => "error-title-refused",
            Code::OtherSite => "error-title-other-site",
            Code::WrongHost => "error-title-wrong-host",
            Code::StoreDown | Code::Busy => "error-title-down",
            _ => "error-title",
        };
        let frame = frame.then_error(back, plain(title));
        refused(&self.0, &ErrorTemplate { frame, message: frame::sentence(&self.0.said()) })
    }
}

/// Why a request is refused, to whoever has a page before them and to programs, where no area's pages are.
pub(super) fn refusal_for(at_page: bool, refusal: Refusal) -> Response {
    if at_page { ErrorPage(refusal).into_response() } else { refusal.into_response() }
}

/// Whether an address is of an area whose pages have its frame, also that of what is refused.
pub(super) fn is_framed(path: &str) -> bool {
    ["mc", "ss", "rss"].contains(&path.split('/').nth(1).unwrap_or_default())
}

/// An address that leads nowhere.
pub(super) async fn nowhere(State(server): State<Server>, request: Request) -> Response {
    door::refused_nowhere(&server, request, Refusal::not_found("page"), Refusal::not_found("page")).await
}

/// A method that an address does not have. A person has loaded an address that only takes forms, or has sent a form of a page
/// that is no more.
pub(super) async fn not_so(State(server): State<Server>, request: Request) -> Response {
    let at_page = Refusal::new(Code::WrongMethod, sentence!("refused-method-page"));
    door::refused_nowhere(&server, request, at_page, Refusal::new(Code::WrongMethod, sentence!("refused-method"))).await
}

impl IntoResponse for ErrorPage {
    fn into_response(self) -> Response {
        let mut response = self.rendered(Frame::of_area("/"), "/");
        // For `door::framed`, which knows who asked.
        response.extensions_mut().insert(self);
        response
    }
}

async fn doors() -> Response {
    page(&Doors { frame: Frame::open("area-doors", "/", "doors-title") })
}

/// A rendered template.
fn page(template: &impl Template) -> Response {
    match template.render() {
        Ok(text) => Html(text).into_response(),
        Err(error) => {
            tracing::error!(target: "cardlab::http", %error, "page");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// A list; where what it is asked for is refused, with the status of that.
fn list_page(refusal: Option<&Refusal>, template: &impl Template) -> Response {
    refusal.map_or_else(|| page(template), |refusal| refused(refusal, template))
}

/// A page with the status of a refusal.
fn refused(refusal: &Refusal, template: &impl Template) -> Response {
    let mut response = (status(refusal), page(template)).into_response();
    log::refused(&mut response, refusal);
    response
}

/// The fields of a form that are answers, by their questions.
fn answers(fields: &Fields) -> Answers {
    let answer = |(name, text): (&String, &String)| {
        Some(Answer { question: name.strip_prefix("answer:")?.to_owned(), text: text.clone() })
    };
    Answers { answers: fields.iter().filter_map(answer).collect() }
}

/// What a form says that a user does with a card.
fn own_operation(fields: &Fields) -> Result<OwnOperation, Refusal> {
    let field = |name: &str| fields.get(name).cloned().unwrap_or_default();
    let operation = Operation::ALL.into_iter().find(|operation| operation.name() == field("operation"));
    let operation = operation.ok_or_else(|| Refusal::not_found("operation"))?;
    let reason = OwnReason::ALL.into_iter().find(|reason| reason.name() == field("reason"));
    Ok(OwnOperation { card: field("card"), operation, reason })
}

/// How a user's card is afterwards.
fn own_card_is(card: &OwnCard) -> String {
    say("own-card-is", &[("card", text(&card_name(&card.serial))), ("name", plain(card.state.word()).into())])
}
