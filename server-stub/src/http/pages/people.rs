//! The console's page of people: operators and their roles, new users, card types.

use super::console::{Frame, Page};
use super::{At, Fields, Sent, page, refused};
use crate::model::card::CardType;
use crate::model::names::Clash;
use crate::model::policy::NamedPolicy;
use crate::model::refusal::Refusal;
use crate::model::role::{Privilege, Role};
use crate::service::Server;
use crate::service::card_types::CardTypeView;
use crate::service::login::Operator;
use crate::service::staff::{Around, NewOperator, Staff};
use crate::service::users::NewUser;
use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::routing::{get, post};

pub(super) fn router() -> Router<Server> {
    Router::new()
        .route("/mc/people", get(people))
        .route("/mc/operators", post(add_operator))
        .route("/mc/operators/{id}/role", post(assign_role))
        .route("/mc/roles", post(set_role))
        .route("/mc/users", post(add_user))
        .route("/mc/card-types", post(add_card_type))
}

#[derive(Template)]
#[template(path = "people.html")]
struct People {
    frame: Frame,
    staff: Staff,
    policies: Vec<NamedPolicy>,
    card_types: Vec<(String, CardTypeView)>,
    clashes: Vec<Clash>,
}

impl People {
    async fn of(server: &Server, operator: &Operator, frame: Frame) -> Result<Self, Refusal> {
        let Around { staff, policies, card_types, clashes } = server.staff().with_all_around(operator).await?;
        Ok(Self { frame, staff, policies, card_types, clashes })
    }
}

async fn people(State(server): State<Server>, At(operator): At<Operator>) -> Page {
    Ok(page(&People::of(&server, &operator, Frame::of(&operator)).await?))
}

/// The page again, saying how it went.
async fn done_or_refused(server: &Server, operator: &Operator, done: Result<String, Refusal>) -> Page {
    Ok(match done {
        Ok(done) => page(&People::of(server, operator, Frame::done(operator, &done)).await?),
        Err(refusal) => refused(&refusal, &People::of(server, operator, Frame::saying(operator, &refusal)).await?),
    })
}

fn field(fields: &Fields, name: &str) -> String {
    fields.get(name).cloned().unwrap_or_default()
}

fn given(fields: &Fields, name: &str) -> Option<String> {
    fields.get(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

async fn add_operator(State(server): State<Server>, Sent { by: operator, fields }: Sent<Operator>) -> Page {
    let add = async {
        let user = match given(&fields, "operator_user") {
            Some(name) => Some(server.users().id_of(&operator, &name).await?),
            None => None,
        };
        let (name, password) = (field(&fields, "operator_name"), field(&fields, "password"));
        let new = NewOperator { name: name.clone(), password, role: given(&fields, "role"), user };
        server.staff().add_operator(&operator, &new).await.map(|_| format!("Operator {} is added.", name.trim()))
    };
    done_or_refused(&server, &operator, add.await).await
}

async fn assign_role(
    State(server): State<Server>,
    Path(id): Path<String>,
    Sent { by: operator, fields }: Sent<Operator>,
) -> Page {
    let assigned = server.staff().assign_role(&operator, &id, given(&fields, "role").as_deref()).await;
    done_or_refused(&server, &operator, assigned.map(|()| "The role holds from now on.".into())).await
}

async fn set_role(State(server): State<Server>, Sent { by: operator, fields }: Sent<Operator>) -> Page {
    let chosen = |kind: &str| fields.keys().filter_map(|name| Some(name.strip_prefix(kind)?.to_owned())).collect::<Vec<_>>();
    let (policies, named) = (chosen("policy:"), chosen("privilege:"));
    let role = Role {
        policies: Some(policies).filter(|policies| !policies.is_empty()),
        privileges: Privilege::ALL.into_iter().filter(|p| named.iter().any(|name| name == p.name())).collect(),
    };
    let name = given(&fields, "existing_role").unwrap_or_else(|| field(&fields, "role_name"));
    let set = server.staff().set_role(&operator, &name, &role).await;
    done_or_refused(&server, &operator, set.map(|_| format!("Role {} is saved; it holds from now on.", name.trim()))).await
}

async fn add_user(State(server): State<Server>, Sent { by: operator, fields }: Sent<Operator>) -> Page {
    let new = NewUser {
        logon: field(&fields, "logon"),
        upn: field(&fields, "upn"),
        cn: field(&fields, "cn"),
        mail: field(&fields, "mail"),
        phone: field(&fields, "phone"),
        password: field(&fields, "user_password"),
        policy: field(&fields, "policy"),
    };
    let added = server.users().add(&operator, &new).await;
    done_or_refused(&server, &operator, added.map(|_| format!("User {} is added.", new.cn.trim()))).await
}

async fn add_card_type(State(server): State<Server>, Sent { by: operator, fields }: Sent<Operator>) -> Page {
    let about = CardType { cipher: field(&fields, "cipher"), default_user_pin: field(&fields, "default_user_pin") };
    let name = field(&fields, "type_name");
    let added = server.card_types().add(&operator, &name, &about).await;
    done_or_refused(&server, &operator, added.map(|()| format!("Card type {} is created.", name.trim()))).await
}
