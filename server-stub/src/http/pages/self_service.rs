//! Self-Service.

use super::door::{At, Sent, Visitor, door, went};
use super::frame::{Frame, Notice, Who};
use super::{ErrorPage, Page, own_card_is, own_operation, page, refused};
use crate::http::Front;
use crate::http::body::Fields;
use crate::model::refusal::Refusal;
use crate::service::Server;
use crate::service::login::{Door, Person};
use crate::service::self_service::{Own, OwnReason};
use crate::words::{card_name, filters, plain, say, sentence, text};
use askama::Template;
use axum::extract::State;
use axum::response::Redirect;
use axum::routing::{get, post};
use axum::{Extension, Router};
use cardlab_protocol::workstation::{Answer, Answers};
use std::borrow::Cow;
use std::collections::HashMap;
use zeroize::Zeroizing;

pub(super) fn router() -> Router<Server> {
    Router::new()
        .merge(door::<Person>())
        .route("/ss", get(own))
        .route("/ss/cards", post(operate).get(async || Redirect::to(Person::PATH)))
        .route("/ss/pin", post(change_pin).get(async || Redirect::to(Person::PATH)))
        .route("/ss/answers", post(set_answers).get(async || Redirect::to(Person::PATH)))
}

impl Visitor for Person {
    const DOOR: Door = Door::SelfService;
    const PATH: &'static str = "/ss";
    const AREA: &'static str = "area-self-service";
    const TITLE: &'static str = "login-self-service";

    async fn of(server: &Server, token: &str) -> Result<Self, Refusal> {
        server.logins().person(token).await
    }

    fn csrf(&self) -> &str {
        &self.csrf
    }

    fn name(&self) -> Cow<'_, str> {
        Cow::Owned(format!("user {}", self.user))
    }
}

#[derive(Template)]
#[template(path = "self_service.html")]
struct OwnPage {
    frame: Frame,
    own: Own,
    /// By question: what is wrong with its answer.
    faults: HashMap<String, String>,
    /// Answers that are missing until online unlock is possible.
    missing: usize,
}

impl OwnPage {
    async fn of(server: &Server, at: &mut At<Person>) -> Result<Self, Refusal> {
        let own = server.self_service().own(&at.by).await?;
        let who = Who { name: own.cn.clone(), role: String::new(), csrf: at.by.csrf.clone() };
        let frame = Frame { who: Some(who), ..Frame::open(Person::AREA, Person::PATH, "ss-title") };
        let frame = at.notices().into_iter().fold(frame, Frame::noting);
        let asked = usize::from(own.questions_to_ask).min(own.questions.len());
        Ok(Self { frame, missing: asked.saturating_sub(own.answered.len()), own, faults: HashMap::new() })
    }

    fn is_set(&self, question: &str) -> bool {
        self.own.answered.iter().any(|id| id == question)
    }
}

async fn own(State(server): State<Server>, mut at: At<Person>) -> Page {
    Ok(page(&OwnPage::of(&server, &mut at).await?))
}

/// What was typed: of each question the answer, and the answer once more.
fn typed(fields: &Fields) -> Result<Answers, HashMap<String, String>> {
    let mut faults = HashMap::new();
    let mut answers = Vec::new();
    for (name, text) in fields {
        let Some(question) = name.strip_prefix("answer:") else { continue };
        let again = fields.get(&format!("again:{question}")).map(String::as_str).unwrap_or_default();
        if text != again {
            faults.insert(question.to_owned(), plain("ss-differs"));
        } else if !text.trim().is_empty() {
            answers.push(Answer { question: question.to_owned(), text: text.clone() });
        }
    }
    if faults.is_empty() { Ok(Answers { answers }) } else { Err(faults) }
}

async fn set_answers(
    State(server): State<Server>,
    Extension(front): Extension<Front>,
    Sent { by: person, fields }: Sent<Person>,
) -> Result<axum::response::Response, ErrorPage> {
    let mut at = At::new(person);
    let answers = match typed(&fields) {
        Ok(answers) => answers,
        Err(faults) => {
            let refusal = Refusal::malformed(sentence!("ss-differs"));
            return Ok(refused(&refusal, &OwnPage { faults, ..OwnPage::of(&server, &mut at).await? }));
        }
    };
    match server.self_service().change_answers(&at.by, &answers).await {
        Ok(()) => Ok(went(&server, &front, Person::PATH, Ok(plain("ss-saved")))),
        Err(refusal) => {
            let mut view = OwnPage::of(&server, &mut at).await?;
            view.frame.notices.push(Notice::refused(&refusal));
            Ok(refused(&refusal, &view))
        }
    }
}

async fn operate(
    State(server): State<Server>,
    Extension(front): Extension<Front>,
    Sent { by: person, fields }: Sent<Person>,
) -> Page {
    let done = server.self_service().operate(&person, &own_operation(&fields)?).await;
    Ok(went(&server, &front, Person::PATH, done.map(|card| own_card_is(&card))))
}

async fn change_pin(
    State(server): State<Server>,
    Extension(front): Extension<Front>,
    Sent { by: person, mut fields }: Sent<Person>,
) -> Page {
    let mut field = |name: &str| Zeroizing::new(fields.remove(name).unwrap_or_default());
    let (card, old, new, again) = (field("card"), field("old_pin"), field("new_pin"), field("again_pin"));
    if new != again {
        return Ok(went(&server, &front, Person::PATH, Err(Refusal::malformed(sentence!("own-pin-differs")))));
    }
    let changed = server.self_service().change_pin(&person, &card, old, new).await;
    let said = changed.map(|card| say("own-pin-changed", &[("card", text(&card_name(&card.serial)))]));
    Ok(went(&server, &front, Person::PATH, said))
}
