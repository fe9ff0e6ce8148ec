//! Card types.

use super::super::door::{At, Sent, went};
use super::super::form::{Typed, was};
use super::super::frame::Frame;
use super::super::{Page, page};
use super::{Branch, PATH, called_alike, field, frame, tree};
use crate::http::Front;
use crate::model::card::CardType;
use crate::model::refusal::Refusal;
use crate::model::role::Privilege;
use crate::service::Server;
use crate::service::card_types::CardTypeView;
use crate::service::login::Operator;
use crate::words::{filters, plain};
use askama::Template;
use axum::extract::State;
use axum::response::{Redirect, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use cardlab_protocol::admin_key::Cipher;

pub(super) fn router() -> Router<Server> {
    let back = async || Redirect::to(&format!("{PATH}/card-types"));
    Router::new()
        .route("/mc/configuration/card-types", get(list).post(set))
        .route("/mc/configuration/card-types/delete", post(delete).get(back))
}

#[derive(Template)]
#[template(path = "configuration/types.html")]
struct Types {
    frame: Frame,
    branches: Vec<Branch>,
    types: Vec<(String, CardTypeView)>,
    ciphers: [Cipher; 4],
    may_change: bool,
    /// What was typed into the form of a type, by its name, or of a new one.
    typed: Typed,
    alike: Vec<String>,
}

impl Types {
    /// An id of the page's own for a field of the form of the type at this place.
    fn id(&self, field: &str, place: &usize) -> String {
        format!("{field}-{place}")
    }
}

async fn types_page(server: &Server, at: &mut At<Operator>) -> Result<Types, Refusal> {
    let path = format!("{PATH}/card-types");
    let (branches, _) = tree(server, &at.by, &path).await?;
    let types = server.card_types().all(&at.by).await?;
    let may_change = at.by.may(Privilege::ChangePolicy, None);
    let revision = |of: &str| types.iter().find(|(name, _)| name == of).map(|(_, about)| about.revision.as_str());
    let typed = at.typed(&path).by("type").beside(revision);
    let frame = frame(at, &[("", plain("conf-types"))]);
    let alike = called_alike(types.iter().map(|(name, _)| name.as_str()));
    Ok(Types { frame, branches, types, ciphers: Cipher::ALL, may_change, typed, alike })
}

async fn list(State(server): State<Server>, mut at: At<Operator>) -> Page {
    Ok(page(&types_page(&server, &mut at).await?))
}

async fn set(
    State(server): State<Server>,
    Extension(front): Extension<Front>,
    Sent { by: operator, fields }: Sent<Operator>,
) -> Response {
    let about = CardType { cipher: field(&fields, "cipher"), default_user_pin: field(&fields, "default_user_pin") };
    let (set, says) = match fields.get("type") {
        Some(name) => (server.card_types().change(&operator, name, &about, was(&fields)).await, "type-changed"),
        None => (server.card_types().add(&operator, &field(&fields, "type_name"), &about).await, "type-added"),
    };
    went(&server, &front, &format!("{PATH}/card-types"), set.map(|_| plain(says)))
}

async fn delete(
    State(server): State<Server>,
    Extension(front): Extension<Front>,
    Sent { by: operator, fields }: Sent<Operator>,
) -> Response {
    let deleted = server.card_types().delete(&operator, fields.get("type").map(String::as_str).unwrap_or_default()).await;
    went(&server, &front, &format!("{PATH}/card-types"), deleted.map(|()| plain("type-deleted")))
}
