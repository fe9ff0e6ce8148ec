//! Operators and the roles that they have.

use super::super::door::{At, Sent, went};
use super::super::frame::Frame;
use super::super::{Page, page};
use super::{Branch, PATH, field, frame, given, tree};
use crate::http::Front;
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
        .route("/mc/configuration/operators/{id}/role", post(assign).get(back))
}

#[derive(Template)]
#[template(path = "configuration/operators.html")]
struct Operators {
    frame: Frame,
    branches: Vec<Branch>,
    staff: Staff,
    /// The operator's own id, whose role others change.
    own: String,
}

async fn list(State(server): State<Server>, mut at: At<Operator>) -> Page {
    let (branches, _) = tree(&server, &at.by, &format!("{PATH}/operators")).await?;
    let staff = server.staff().all(&at.by).await?;
    let own = at.by.id.clone();
    Ok(page(&Operators { frame: frame(&mut at, &[("", plain("conf-operators"))]), branches, staff, own }))
}

async fn add(
    State(server): State<Server>,
    Extension(front): Extension<Front>,
    Sent { by: operator, fields }: Sent<Operator>,
) -> Response {
    let name = field(&fields, "operator_name");
    let add = async {
        let user = match given(&fields, "operator_user") {
            Some(name) => Some(server.users().id_of(&operator, &name).await?),
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
    let assigned = server.staff().assign_role(&operator, &id, given(&fields, "role").as_deref()).await;
    went(&server, &front, &format!("{PATH}/operators"), assigned.map(|()| plain("operator-role-saved")))
}
