//! Policies: the list, and the pages of one.

use super::super::door::{At, Sent, went};
use super::super::form::{Typed, was};
use super::super::frame::Frame;
use super::super::{ErrorPage, Page, page};
use super::{Branch, PATH, called_alike, field, frame, given, tree};
use crate::http::Front;
use crate::http::body::Fields;
use crate::model::policy::{NamedPolicy, Number, Policy};
use crate::model::question::Question;
use crate::model::random_pin::RandomPin;
use crate::model::refusal::Refusal;
use crate::model::role::Privilege;
use crate::service::Server;
use crate::service::login::Operator;
use crate::service::policies::Affected;
use crate::words::{filters, plain};
use askama::Template;
use axum::extract::{Path, State};
use axum::response::{Redirect, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};

pub(super) fn router() -> Router<Server> {
    let to_list = async || Redirect::to(&format!("{PATH}/policies"));
    Router::new()
        .route("/mc/configuration/policies", get(list).post(add))
        .route("/mc/configuration/policies/{id}", get(first_section))
        .route("/mc/configuration/policies/{id}/up", post(move_up).get(to_list))
        .route("/mc/configuration/policies/{id}/name", post(rename).get(to_list))
        .route("/mc/configuration/policies/{id}/delete", post(delete).get(to_list))
        .route("/mc/configuration/policies/{id}/{section}", get(section).post(save))
}

/// Pages of a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    Issuance,
    Workflow,
    Authentication,
}

impl Section {
    pub(super) const ALL: [Self; 3] = [Self::Issuance, Self::Workflow, Self::Authentication];

    /// As in addresses.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Issuance => "issuance",
            Self::Workflow => "workflow",
            Self::Authentication => "authentication",
        }
    }

    /// Name of its sentence.
    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Issuance => "conf-issuance",
            Self::Workflow => "conf-workflow",
            Self::Authentication => "conf-authentication",
        }
    }

    fn of_name(name: &str) -> Result<Self, Refusal> {
        Self::ALL.into_iter().find(|section| section.name() == name).ok_or_else(|| Refusal::not_found("page"))
    }

    /// A policy with what the form of this page says of it; the other pages' settings stay.
    fn applied(self, before: &Policy, fields: &Fields) -> Result<Policy, Refusal> {
        let on = |name: &str| fields.contains_key(name);
        let mut after = before.clone();
        match self {
            Self::Workflow => {
                let workflow = &mut after.workflow;
                workflow.reset_user_pin = on("reset_user_pin");
                workflow.unblock_card_offline = on("unblock_card_offline");
                workflow.validate_answers = on("validate_answers");
                workflow.allow_self_unlock = on("allow_self_unlock");
                workflow.set_answers = on("set_answers");
                workflow.unlock_in_remote = on("unlock_in_remote");
                workflow.disable_card = on("disable_card");
                workflow.enable_card = on("enable_card");
                workflow.revoke_card = on("revoke_card");
                workflow.change_pin = on("change_pin");
            }
            Self::Authentication => {
                let authentication = &mut after.authentication;
                authentication.questions_to_ask = number(fields, Number::QUESTIONS_TO_ASK)?;
                authentication.maximum_retry_count = number(fields, Number::MAXIMUM_RETRY)?;
                authentication.count_operator_answers = on("count_operator_answers");
                authentication.captcha = on("captcha");
                // A form without them leaves them as they are.
                for (setting, value) in [
                    (Number::OWN_QUESTIONS, &mut authentication.own_questions),
                    (Number::OWN_QUESTION_LENGTH, &mut authentication.own_question_length),
                    (Number::OWN_ANSWER_LENGTH, &mut authentication.own_answer_length),
                ] {
                    if fields.contains_key(setting.field) {
                        *value = number(fields, setting)?;
                    }
                }
            }
            Self::Issuance => {
                let issuance = &mut after.issuance;
                issuance.maximum_cards = number(fields, Number::MAXIMUM_CARDS)?;
                issuance.require_tags = on("require_tags");
                issuance.initialize_card = on("initialize_card");
                issuance.lock_card = on("lock_card");
                issuance.random_user_pin = if on("random_user_pin") { Some(random_pin(fields)?) } else { None };
                let any = given(fields, "pin_tries").is_none();
                issuance.pin_tries = if any { None } else { Some(number(fields, Number::PIN_TRIES)?) };
            }
        }
        Ok(after)
    }
}

/// A number that a form has.
fn number(fields: &Fields, setting: Number) -> Result<u8, Refusal> {
    setting.read(fields.get(setting.field).map(String::as_str).unwrap_or_default())
}

fn random_pin(fields: &Fields) -> Result<RandomPin, Refusal> {
    let on = |name: &str| fields.contains_key(name);
    Ok(RandomPin {
        length: number(fields, Number::RANDOM_LENGTH)?,
        digits: on("random_digits"),
        upper: on("random_upper"),
        lower: on("random_lower"),
        special: on("random_special"),
        // Blanks are characters here.
        forbidden: fields.get("random_forbidden").cloned().unwrap_or_default(),
    })
}

#[derive(Template)]
#[template(path = "configuration/policies.html")]
struct List {
    frame: Frame,
    branches: Vec<Branch>,
    policies: Vec<(NamedPolicy, Affected)>,
    sees: Sees,
    may_change: bool,
    typed: Typed,
    alike: Vec<String>,
}

/// Which lists of who is under a policy somebody may go on to.
struct Sees {
    users: bool,
    cards: bool,
}

impl List {
    /// The form of another name for a policy.
    fn name_of(&self, policy: &str) -> String {
        format!("{policy}/name")
    }

    /// An id of the page's own for its field.
    fn id(&self, policy: &str) -> String {
        format!("name-{policy}")
    }

    /// The one that stands before the policy at this place.
    fn over(&self, place: &usize) -> Option<&str> {
        place.checked_sub(1).and_then(|above| self.policies.get(above)).map(|(policy, _)| policy.id.as_str())
    }
}

impl Sees {
    fn of(operator: &Operator) -> Self {
        Self { users: operator.may_somewhere(Privilege::ViewUser), cards: operator.may_somewhere(Privilege::ViewCards) }
    }
}

#[derive(Template)]
#[template(path = "configuration/policy.html")]
struct PolicyPage {
    frame: Frame,
    branches: Vec<Branch>,
    policy: NamedPolicy,
    affected: Affected,
    sees: Sees,
    section: Section,
    random: RandomPin,
    questions: Vec<Question>,
    may_change: bool,
    /// What was typed into one of the forms: of the section, by its name, of a question, or of a new one.
    typed: Typed,
}

impl PolicyPage {
    /// The question that stands before the one at this place.
    fn before(&self, place: &usize) -> Option<&Question> {
        place.checked_sub(1).and_then(|above| self.questions.get(above))
    }

    /// The question that stands behind the one at this place.
    fn behind(&self, place: &usize) -> Option<&Question> {
        self.questions.get(place + 1)
    }

    /// More are asked than there are, on the page as it is.
    fn too_few_questions(&self) -> bool {
        let asked = usize::from(self.policy.settings.authentication.questions_to_ask);
        !self.questions.is_empty() && self.questions.len() < asked
    }

    /// *Maximum PIN attempts*, empty for as many as the card has.
    fn pin_tries(&self) -> String {
        self.policy.settings.issuance.pin_tries.map(|tries| tries.to_string()).unwrap_or_default()
    }

    /// The form of a question.
    fn form_of(&self, question: &str) -> String {
        format!("questions/{question}")
    }

    /// An id of the page's own for a field of a form about this.
    fn id(&self, field: &str, of: &str) -> String {
        format!("{field}-{of}")
    }

    /// Groups of characters of a random PIN: field, whether they come, sentence.
    const fn groups(&self) -> [(&'static str, bool, &'static str); 4] {
        [
            ("random_digits", self.random.digits, "policy-random-digits"),
            ("random_upper", self.random.upper, "policy-random-upper"),
            ("random_lower", self.random.lower, "policy-random-lower"),
            ("random_special", self.random.special, "policy-random-special"),
        ]
    }
}

async fn list_page(server: &Server, at: &mut At<Operator>) -> Result<List, Refusal> {
    let path = format!("{PATH}/policies");
    let (branches, policies) = tree(server, &at.by, &path).await?;
    let affected = server.policies().affected(&at.by).await?;
    let with = |policy: NamedPolicy| {
        let affected = affected_by(&affected, &policy.id);
        (policy, affected)
    };
    let alike = called_alike(policies.iter().map(|policy| policy.name.as_str()));
    let policies: Vec<_> = policies.into_iter().map(with).collect();
    let may_change = at.by.may(Privilege::ChangePolicy, None);
    let revision = |of: &str| {
        let renamed = policies.iter().find(|(policy, _): &&(NamedPolicy, Affected)| of.strip_suffix("/name") == Some(&policy.id));
        renamed.map(|(policy, _)| policy.revision.as_str())
    };
    let typed = at.typed(&path).beside(revision);
    let frame = frame(at, &[("", plain("conf-policies"))]);
    Ok(List { frame, branches, policies, sees: Sees::of(&at.by), may_change, typed, alike })
}

/// Who is under this policy.
fn affected_by(all: &[Affected], policy: &str) -> Affected {
    all.iter().find(|affected| affected.policy == policy).cloned().unwrap_or_default()
}

async fn list(State(server): State<Server>, mut at: At<Operator>) -> Page {
    Ok(page(&list_page(&server, &mut at).await?))
}

async fn add(
    State(server): State<Server>,
    Extension(front): Extension<Front>,
    Sent { by: operator, fields }: Sent<Operator>,
) -> Response {
    let name = field(&fields, "name");
    let added = server.policies().add_copy(&operator, &name, given(&fields, "copy_from").as_deref()).await;
    match added {
        Ok(id) => went(&server, &front, &format!("{PATH}/policies/{id}"), Ok(plain("policy-added"))),
        Err(refusal) => went(&server, &front, &format!("{PATH}/policies"), Err(refusal)),
    }
}

async fn delete(
    State(server): State<Server>,
    Extension(front): Extension<Front>,
    Path(id): Path<String>,
    Sent { by: operator, .. }: Sent<Operator>,
) -> Response {
    let deleted = server.policies().delete(&operator, &id).await;
    went(&server, &front, &format!("{PATH}/policies"), deleted.map(|()| plain("policy-deleted")))
}

async fn rename(
    State(server): State<Server>,
    Extension(front): Extension<Front>,
    Path(id): Path<String>,
    Sent { by: operator, fields }: Sent<Operator>,
) -> Response {
    let renamed = server.policies().rename(&operator, &id, &field(&fields, "name"), was(&fields)).await;
    went(&server, &front, &format!("{PATH}/policies"), renamed.map(|()| plain("policy-renamed")))
}

async fn move_up(
    State(server): State<Server>,
    Extension(front): Extension<Front>,
    Path(id): Path<String>,
    Sent { by: operator, fields }: Sent<Operator>,
) -> Response {
    let moved = server.policies().move_up(&operator, &id, given(&fields, "over").as_deref()).await;
    went(&server, &front, &format!("{PATH}/policies"), moved.map(|()| plain("policy-moved")))
}

async fn first_section(Path(id): Path<String>) -> Redirect {
    Redirect::to(&format!("{PATH}/policies/{id}/{}", Section::Issuance.name()))
}

async fn section_page(server: &Server, at: &mut At<Operator>, id: &str, section: Section) -> Result<PolicyPage, Refusal> {
    let path = format!("{PATH}/policies/{id}/{}", section.name());
    let (branches, policies) = tree(server, &at.by, &path).await?;
    let policy = policies.into_iter().find(|policy| policy.id == id).ok_or_else(|| Refusal::not_found("policy"))?;
    let list = format!("{PATH}/policies");
    let titles = [
        (list.as_str(), plain("conf-policies")),
        (&*format!("{PATH}/policies/{id}"), policy.name.clone()),
        ("", plain(section.title())),
    ];
    let questions = server.policies().questions(&at.by, id).await?;
    let affected = affected_by(&server.policies().affected(&at.by).await?, id);
    let revision = |of: &str| match of.strip_prefix("questions/") {
        Some(id) => questions.iter().find(|question| question.id == id).map(|question| question.revision.as_str()),
        None => Some(policy.revision.as_str()),
    };
    let typed = at.typed(&format!("{PATH}/policies/{id}")).beside(revision);
    Ok(PolicyPage {
        frame: frame(at, &titles),
        branches,
        affected,
        sees: Sees::of(&at.by),
        section,
        random: policy.settings.issuance.random_user_pin.clone().unwrap_or_default(),
        questions,
        may_change: at.by.may(Privilege::ChangePolicy, Some(id)),
        typed,
        policy,
    })
}

async fn section(State(server): State<Server>, mut at: At<Operator>, Path((id, section)): Path<(String, String)>) -> Page {
    Ok(page(&section_page(&server, &mut at, &id, Section::of_name(&section)?).await?))
}

async fn save(
    State(server): State<Server>,
    Extension(front): Extension<Front>,
    Path((id, name)): Path<(String, String)>,
    Sent { by: operator, fields }: Sent<Operator>,
) -> Result<Response, ErrorPage> {
    let section = Section::of_name(&name)?;
    let before = server.policies().all(&operator).await?.into_iter().find(|policy| policy.id == id);
    let before = before.ok_or_else(|| Refusal::not_found("policy"))?;
    let saved = match section.applied(&before.settings, &fields) {
        Ok(after) => server.policies().change(&operator, &id, &after, was(&fields)).await,
        Err(refusal) => Err(refusal),
    };
    Ok(went(&server, &front, &format!("{PATH}/policies/{id}/{name}"), saved.map(|()| plain("policy-saved"))))
}
