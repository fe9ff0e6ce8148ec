//! Self-Service.

use super::{At, ErrorPage, Sent, Visitor, answers, door, page, refused};
use crate::model::refusal::Refusal;
use crate::service::Server;
use crate::service::login::{Door, Person};
use crate::service::self_service::Own;
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};

pub(super) fn router() -> axum::Router<Server> {
    axum::Router::new().merge(door::<Person>()).route("/ss", get(own)).route("/ss/answers", post(set_answers))
}

type Page = Result<Response, ErrorPage>;

impl Visitor for Person {
    const DOOR: Door = Door::SelfService;
    const PATH: &'static str = "/ss";
    const TITLE: &'static str = "Self-Service";

    async fn of(server: &Server, token: &str) -> Result<Self, Refusal> {
        server.logins().person(token).await
    }

    fn csrf(&self) -> &str {
        &self.csrf
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

async fn own(State(server): State<Server>, At(person): At<Person>) -> Page {
    let own = server.self_service().own(&person).await?;
    Ok(page(&OwnPage { csrf: person.csrf, error: None, saved: false, own }))
}

async fn set_answers(State(server): State<Server>, Sent { by: person, fields }: Sent<Person>) -> Page {
    let set = server.self_service().set_answers(&person, &answers(&fields)).await;
    let own = server.self_service().own(&person).await?;
    Ok(match set {
        Ok(()) => page(&OwnPage { csrf: person.csrf, error: None, saved: true, own }),
        Err(refusal) => {
            refused(&refusal, &OwnPage { csrf: person.csrf, error: Some(refusal.message.clone()), saved: false, own })
        }
    })
}
