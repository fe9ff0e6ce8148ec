//! Roles: what they allow, and for which policies.

use super::super::door::{At, Sent, went};
use super::super::frame::Frame;
use super::super::{Page, page};
use super::{Branch, PATH, field, frame, given, tree};
use crate::http::Front;
use crate::model::policy::NamedPolicy;
use crate::model::role::NamedRole;
use crate::model::role::{Privilege, Role};
use crate::service::Server;
use crate::service::login::Operator;
use crate::words::{filters, plain, say, text};
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};

pub(super) fn router() -> Router<Server> {
    Router::new().route("/mc/configuration/roles", get(list).post(set))
}

#[derive(Template)]
#[template(path = "configuration/roles.html")]
struct Roles {
    frame: Frame,
    branches: Vec<Branch>,
    roles: Vec<NamedRole>,
    policies: Vec<NamedPolicy>,
    /// Name of the operator's own role, which others change.
    own: String,
}

impl Roles {
    /// Policies of a local role that have no switch on the page, as whoever sees no policies has none.
    fn unseen_of<'r>(&self, role: &'r NamedRole) -> impl Iterator<Item = &'r String> + use<'_, 'r> {
        let seen = |id: &String| self.policies.iter().any(|policy| policy.id == *id);
        role.role.policies.iter().flatten().filter(move |id| !seen(id))
    }
}

async fn list(State(server): State<Server>, mut at: At<Operator>) -> Page {
    let (branches, policies) = tree(&server, &at.by, &format!("{PATH}/roles")).await?;
    let roles = server.staff().all(&at.by).await?.roles;
    let own = at.by.role_name.clone().unwrap_or_default();
    Ok(page(&Roles { frame: frame(&mut at, &[("", plain("conf-roles"))]), branches, roles, policies, own }))
}

async fn set(
    State(server): State<Server>,
    Extension(front): Extension<Front>,
    Sent { by: operator, fields }: Sent<Operator>,
) -> Response {
    let chosen = |kind: &str| fields.keys().filter_map(|name| Some(name.strip_prefix(kind)?.to_owned())).collect::<Vec<_>>();
    let (policies, named) = (chosen("policy:"), chosen("privilege:"));
    let role = Role {
        policies: Some(policies).filter(|policies| !policies.is_empty()),
        privileges: Privilege::ALL.into_iter().filter(|p| named.iter().any(|name| name == p.name())).collect(),
    };
    let name = given(&fields, "existing_role").unwrap_or_else(|| field(&fields, "role_name"));
    let set = server.staff().set_role(&operator, &name, &role).await;
    went(&server, &front, &format!("{PATH}/roles"), set.map(|_| say("role-saved", &[("name", text(&name))])))
}
