//! Self-Service.

use super::door::{At, Sent, Visitor, door, went, wrong_at};
use super::form::Typed;
use super::frame::{Frame, Who};
use super::{Page, own_card_is, own_operation, page};
use crate::http::Front;
use crate::http::body::Fields;
use crate::model::refusal::Refusal;
use crate::service::Server;
use crate::service::login::{Door, Person};
use crate::service::own_questions::OwnQuestion;
use crate::service::self_service::{Own, OwnReason};
use crate::words::{card_name, filters, plain, say, sentence, text};
use askama::Template;
use axum::extract::State;
use axum::response::Redirect;
use axum::routing::{get, post};
use axum::{Extension, Router};
use cardlab_protocol::workstation::{Answer, Answers};
use std::borrow::Cow;
use zeroize::Zeroizing;

pub(super) fn router() -> Router<Server> {
    Router::new()
        .merge(door::<Person>())
        .route("/ss", get(own))
        .route("/ss/cards", post(operate).get(async || Redirect::to(Person::PATH)))
        .route("/ss/pin", post(change_pin).get(async || Redirect::to(Person::PATH)))
        .route("/ss/answers", post(set_answers).get(async || Redirect::to(Person::PATH)))
        .route("/ss/questions", post(add_question).get(async || Redirect::to(Person::PATH)))
        .route("/ss/questions/delete", post(delete_question).get(async || Redirect::to(Person::PATH)))
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
    /// What was wrong with the answers that were sent last: they are secret, and typed again.
    typed: Typed,
    /// Answers that are missing until online unlock is possible.
    missing: usize,
}

impl OwnPage {
    /// The form that changes the PIN of a card.
    fn pin_of(&self, card: &str) -> String {
        format!("pin/{card}")
    }

    /// The field of the answer to a question.
    fn answer_to(&self, question: &str) -> String {
        format!("{ANSWER}{question}")
    }

    fn is_set(&self, question: &str) -> bool {
        self.own.answered.iter().any(|id| id == question)
    }
}

async fn own(State(server): State<Server>, mut at: At<Person>) -> Page {
    let own = server.self_service().own(&at.by).await?;
    let typed = at.typed(Person::PATH).by("card");
    let who = Who { name: own.cn.clone(), role: String::new(), csrf: at.by.csrf.clone() };
    let frame = Frame { who: Some(who), ..Frame::open(Person::AREA, Person::PATH, "ss-title") };
    let frame = at.notices().into_iter().fold(frame, Frame::noting);
    let asked = usize::from(own.questions_to_ask).min(own.questions.len());
    Ok(page(&OwnPage { frame, missing: asked.saturating_sub(own.answered.len()), own, typed }))
}

/// How the names of fields with answers begin.
const ANSWER: &str = "answer:";

/// What was typed: of each question the answer, and the answer once more; else by field what is wrong.
fn typed(fields: &Fields) -> Result<Answers, Vec<(String, String)>> {
    let mut faults = Vec::new();
    let mut answers = Vec::new();
    for (name, text) in fields {
        let Some(question) = name.strip_prefix(ANSWER) else { continue };
        let again = fields.get(&format!("again:{question}")).map(String::as_str).unwrap_or_default();
        if text != again {
            faults.push((name.clone(), plain("ss-differs")));
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
) -> Page {
    let answers = match typed(&fields) {
        Ok(answers) => answers,
        Err(faults) => return Ok(wrong_at(Person::PATH, &Refusal::malformed(sentence!("ss-differs")), faults)),
    };
    server.self_service().change_answers(&person, &answers).await?;
    Ok(went(&server, &front, Person::PATH, Ok(plain("ss-saved"))))
}

async fn add_question(
    State(server): State<Server>,
    Extension(front): Extension<Front>,
    Sent { by: person, mut fields }: Sent<Person>,
) -> Page {
    let mut secret = |name: &str| Zeroizing::new(fields.remove(name).unwrap_or_default());
    let (answer, again) = (secret("own_answer"), secret("own_again"));
    if answer != again {
        return Err(Refusal::malformed(sentence!("ss-differs")).at("own_answer").into());
    }
    let text = fields.remove("own_text").unwrap_or_default();
    server.self_service().add_question(&person, &OwnQuestion { text, answer }).await?;
    Ok(went(&server, &front, Person::PATH, Ok(plain("ss-own-added"))))
}

async fn delete_question(
    State(server): State<Server>,
    Extension(front): Extension<Front>,
    Sent { by: person, fields }: Sent<Person>,
) -> Page {
    let id = fields.get("question").map(String::as_str).unwrap_or_default();
    let deleted = server.self_service().delete_question(&person, id).await;
    Ok(went(&server, &front, Person::PATH, deleted.map(|()| plain("ss-own-deleted"))))
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
