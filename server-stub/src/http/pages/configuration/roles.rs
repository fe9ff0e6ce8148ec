//! Roles: what they allow, and for which policies.

use super::super::door::{At, Behind, Sent, went};
use super::super::form::{Typed, was};
use super::super::frame::Frame;
use super::super::{Page, page};
use super::{Branch, PATH, called_alike, field, frame, given, tree};
use crate::http::Front;
use crate::model::policy::NamedPolicy;
use crate::model::refusal::Refusal;
use crate::model::role::{NamedRole, Privilege, Role};
use crate::service::Server;
use crate::service::login::Operator;
use crate::words::{filters, plain, say, text};
use askama::Template;
use axum::extract::{Path, State};
use axum::response::{Redirect, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};

pub(super) fn router() -> Router<Server> {
    let back = async || Redirect::to(&format!("{PATH}/roles"));
    Router::new()
        .route("/mc/configuration/roles", get(list).post(set))
        .route("/mc/configuration/roles/{id}/delete", post(delete).get(back))
}

#[derive(Template)]
#[template(path = "configuration/roles.html")]
struct Roles {
    frame: Frame,
    branches: Vec<Branch>,
    /// Each with whether somebody has it.
    roles: Vec<(NamedRole, bool)>,
    policies: Vec<NamedPolicy>,
    /// Name of the operator's own role, which others change.
    own: String,
    /// What was typed into the form of a role, by its id, or of a new one.
    typed: Typed,
    /// Id of the role that is open: the one that was made or changed last.
    open: String,
    alike: Vec<String>,
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Asked {
    open: String,
}

impl Roles {
    /// Policies of a local role that have no switch on the page, as whoever sees no policies has none.
    fn unseen_of<'r>(&self, role: &'r NamedRole) -> impl Iterator<Item = &'r String> + use<'_, 'r> {
        let seen = |id: &String| self.policies.iter().any(|policy| policy.id == *id);
        role.role.policies.iter().flatten().filter(move |id| !seen(id))
    }

    /// An id of the page's own for the name of this role.
    fn id(&self, role: &str) -> String {
        format!("name-{role}")
    }

    /// The box of a privilege or a policy.
    fn box_of(&self, kind: &str, which: &str) -> String {
        format!("{kind}:{which}")
    }
}

async fn roles_page(server: &Server, at: &mut At<Operator>, open: String) -> Result<Roles, Refusal> {
    let path = format!("{PATH}/roles");
    let (branches, policies) = tree(server, &at.by, &path).await?;
    let staff = server.staff().all(&at.by).await?;
    let with = |role: NamedRole| {
        let has_members = staff.operators.iter().any(|member| member.role.as_deref() == Some(role.id.as_str()));
        (role, has_members)
    };
    let alike = called_alike(staff.roles.iter().map(|role| role.name.as_str()));
    let roles: Vec<_> = staff.roles.into_iter().map(with).collect();
    let own = at.by.role_name.clone().unwrap_or_default();
    let revision = |of: &str| roles.iter().find(|(role, _)| role.id == of).map(|(role, _)| role.revision.as_str());
    let typed = at.typed(&path).by("role").beside(revision);
    Ok(Roles { frame: frame(at, &[("", plain("conf-roles"))]), branches, roles, policies, own, typed, open, alike })
}

async fn list(State(server): State<Server>, mut at: At<Operator>, Behind(asked): Behind<Asked>) -> Page {
    Ok(page(&roles_page(&server, &mut at, asked.open).await?))
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
    let (id, name) = (given(&fields, "role"), field(&fields, "role_name"));
    let set = match &id {
        Some(id) => server.staff().change_role(&operator, id, &name, &role, was(&fields)).await.map(|()| id.clone()),
        None => server.staff().add_role(&operator, &name, &role).await,
    };
    // It is open where one comes to.
    let open = |id: &str| format!("{PATH}/roles?open={id}#r-{id}");
    match set {
        Ok(id) => went(&server, &front, &open(&id), Ok(say("role-saved", &[("name", text(&name))]))),
        Err(refusal) => went(&server, &front, &id.map_or_else(|| format!("{PATH}/roles"), |id| open(&id)), Err(refusal)),
    }
}

async fn delete(
    State(server): State<Server>,
    Extension(front): Extension<Front>,
    Path(id): Path<String>,
    Sent { by: operator, .. }: Sent<Operator>,
) -> Response {
    let deleted = server.staff().delete_role(&operator, &id).await;
    went(&server, &front, &format!("{PATH}/roles"), deleted.map(|()| plain("role-deleted")))
}
