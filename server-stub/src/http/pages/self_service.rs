//! Self-Service.

use super::{Cookie, Fields, LoginPage, Sorry, answers, enter, ours, page, refused};
use crate::login::{Door, Person};
use crate::refusal::Code;
use crate::self_service::Own;
use crate::server::Server;
use askama::Template;
use axum::extract::{Form, FromRequestParts, State};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};

pub(super) fn router() -> axum::Router<Server> {
    axum::Router::new()
        .route("/ss/login", get(login_page).post(log_in))
        .route("/ss/logout", post(log_out))
        .route("/ss", get(own))
        .route("/ss/answers", post(set_answers))
}

type Page = Result<Response, Sorry>;

/// The user at this browser; others are sent to the login.
struct At(Person);

impl FromRequestParts<Server> for At {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, server: &Server) -> Result<Self, Response> {
        let Cookie(token) = Cookie::<false>::from_request_parts(parts, server).await.map_err(IntoResponse::into_response)?;
        match server.person(&token).await {
            Ok(person) => Ok(Self(person)),
            Err(refusal) if refusal.code == Code::NotLoggedIn => Err(Redirect::to(ACTION).into_response()),
            Err(refusal) => Err(Sorry(refusal).into_response()),
        }
    }
}

#[derive(Template)]
#[template(path = "self_service.html")]
struct OwnPage {
    csrf: String,
    error: Option<String>,
    saved: bool,
    own: Own,
}

const TITLE: &str = "Self-Service";
const ACTION: &str = "/ss/login";

async fn login_page() -> Response {
    page(&LoginPage { title: TITLE, action: ACTION, error: None })
}

async fn log_in(State(server): State<Server>, Form(fields): Form<Fields>) -> Response {
    let field = |name: &str| fields.get(name).map(String::as_str).unwrap_or_default();
    match server.log_in(Door::SelfService, field("name"), field("password")).await {
        Ok(login) => enter(Door::SelfService, &login.token, "/ss"),
        Err(refusal) => refused(&refusal, &LoginPage { title: TITLE, action: ACTION, error: Some(refusal.message.clone()) }),
    }
}

async fn log_out(State(server): State<Server>, At(person): At, Cookie(token): Cookie<false>, Form(fields): Form<Fields>) -> Page {
    ours(&fields, &person.csrf)?;
    server.log_out(&token).await?;
    Ok(enter(Door::SelfService, "", ACTION))
}

async fn own(State(server): State<Server>, At(person): At) -> Page {
    let own = server.own(&person).await?;
    Ok(page(&OwnPage { csrf: person.csrf, error: None, saved: false, own }))
}

async fn set_answers(State(server): State<Server>, At(person): At, Form(fields): Form<Fields>) -> Page {
    ours(&fields, &person.csrf)?;
    let set = server.set_answers(&person, &answers(&fields)).await;
    let own = server.own(&person).await?;
    Ok(match set {
        Ok(()) => page(&OwnPage { csrf: person.csrf, error: None, saved: true, own }),
        Err(refusal) => {
            refused(&refusal, &OwnPage { csrf: person.csrf, error: Some(refusal.message.clone()), saved: false, own })
        }
    })
}
