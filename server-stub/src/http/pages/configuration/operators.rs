//! Operators and the roles that they have.

use super::super::door::{At, Sent, went};
use super::super::form::{Typed, was};
use super::super::frame::Frame;
use super::super::{Page, page};
use super::{Branch, PATH, called_alike, field, frame, given, tree};
use crate::http::Front;
use crate::model::refusal::Refusal;
use crate::service::Server;
use crate::service::login::Operator;
use crate::service::staff::{NewOperator, Staff};
use crate::words::{filters, plain, say, text};
use askama::Template;
use axum::extract::{Path, State};
use axum::response::{Redirect, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};

pub(super) fn router() -> Router<Server> {
    let back = async || Redirect::to(&format!("{PATH}/operators"));
    Router::new()
        .route("/mc/configuration/operators", get(list).post(add))
        .route("/mc/configuration/operators/{id}", post(change).get(back))
        .route("/mc/configuration/operators/{id}/role", post(assign).get(back))
        .route("/mc/configuration/operators/{id}/delete", post(delete).get(back))
}

#[derive(Template)]
#[template(path = "configuration/operators.html")]
struct Operators {
    frame: Frame,
    branches: Vec<Branch>,
    staff: Staff,
    /// The operator's own id, whose role others change.
    own: String,
    /// What was typed into the form of one, by the id, of the role of one, or of a new one.
    typed: Typed,
    alike: Vec<String>,
}

impl Operators {
    /// The form of the role of one.
    fn role_of(&self, member: &str) -> String {
        format!("{member}/role")
    }

    /// An id of the page's own for a field of a form about this one.
    fn id(&self, field: &str, of: &str) -> String {
        format!("{field}-{of}")
    }
}

async fn operators_page(server: &Server, at: &mut At<Operator>) -> Result<Operators, Refusal> {
    let path = format!("{PATH}/operators");
    let (branches, _) = tree(server, &at.by, &path).await?;
    let staff = server.staff().all(&at.by).await?;
    let own = at.by.id.clone();
    let revision = |of: &str| {
        let id = of.strip_suffix("/role").unwrap_or(of);
        staff.operators.iter().find(|member| member.id == id).map(|member| member.revision.as_str())
    };
    let typed = at.typed(&path).beside(revision);
    let alike = called_alike(staff.operators.iter().map(|member| member.name.as_str()));
    Ok(Operators { frame: frame(at, &[("", plain("conf-operators"))]), branches, staff, own, typed, alike })
}

async fn list(State(server): State<Server>, mut at: At<Operator>) -> Page {
    Ok(page(&operators_page(&server, &mut at).await?))
}

async fn add(
    State(server): State<Server>,
    Extension(front): Extension<Front>,
    Sent { by: operator, fields }: Sent<Operator>,
) -> Response {
    let name = field(&fields, "operator_name");
    let add = async {
        let user = match given(&fields, "operator_user") {
            Some(name) => Some(server.users().id_of(&operator, &name).await.map_err(|refusal| refusal.at("operator_user"))?),
            None => None,
        };
        let password = fields.get("password").cloned().unwrap_or_default();
        let new = NewOperator { name: name.clone(), password, role: given(&fields, "role"), user };
        server.staff().add_operator(&operator, &new).await
    };
    let added = add.await.map(|_| say("operator-added", &[("name", text(&name))]));
    went(&server, &front, &format!("{PATH}/operators"), added)
}

async fn assign(
    State(server): State<Server>,
    Extension(front): Extension<Front>,
    Path(id): Path<String>,
    Sent { by: operator, fields }: Sent<Operator>,
) -> Response {
    let assigned = server.staff().assign_role(&operator, &id, given(&fields, "role").as_deref(), was(&fields)).await;
    went(&server, &front, &format!("{PATH}/operators"), assigned.map(|()| plain("operator-role-saved")))
}

async fn change(
    State(server): State<Server>,
    Extension(front): Extension<Front>,
    Path(id): Path<String>,
    Sent { by: operator, fields }: Sent<Operator>,
) -> Response {
    let password = fields.get("password").map(String::as_str).filter(|password| !password.is_empty());
    let name = field(&fields, "operator_name");
    let changed = server.staff().change_operator(&operator, &id, &name, password, was(&fields)).await;
    went(&server, &front, &format!("{PATH}/operators"), changed.map(|()| plain("operator-changed")))
}

async fn delete(
    State(server): State<Server>,
    Extension(front): Extension<Front>,
    Path(id): Path<String>,
    Sent { by: operator, .. }: Sent<Operator>,
) -> Response {
    let deleted = server.staff().delete_operator(&operator, &id).await;
    went(&server, &front, &format!("{PATH}/operators"), deleted.map(|()| plain("operator-deleted")))
}
