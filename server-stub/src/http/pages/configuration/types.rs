//! Card types.

use super::super::door::{At, Sent, went};
use super::super::form::Typed;
use super::super::frame::Frame;
use super::super::{Page, page};
use super::{Branch, PATH, field, frame, tree};
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
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};
use cardlab_protocol::admin_key::Cipher;

pub(super) fn router() -> Router<Server> {
    Router::new().route("/mc/configuration/card-types", get(list).post(add))
}

#[derive(Template)]
#[template(path = "configuration/types.html")]
struct Types {
    frame: Frame,
    branches: Vec<Branch>,
    types: Vec<(String, CardTypeView)>,
    ciphers: [Cipher; 4],
    may_change: bool,
    typed: Typed,
}

async fn types_page(server: &Server, at: &mut At<Operator>) -> Result<Types, Refusal> {
    let path = format!("{PATH}/card-types");
    let (branches, _) = tree(server, &at.by, &path).await?;
    let types = server.card_types().all(&at.by).await?;
    let may_change = at.by.may(Privilege::ChangePolicy, None);
    let typed = at.typed(&path);
    Ok(Types { frame: frame(at, &[("", plain("conf-types"))]), branches, types, ciphers: Cipher::ALL, may_change, typed })
}

async fn list(State(server): State<Server>, mut at: At<Operator>) -> Page {
    Ok(page(&types_page(&server, &mut at).await?))
}

async fn add(
    State(server): State<Server>,
    Extension(front): Extension<Front>,
    Sent { by: operator, fields }: Sent<Operator>,
) -> Response {
    let about = CardType { cipher: field(&fields, "cipher"), default_user_pin: field(&fields, "default_user_pin") };
    let added = server.card_types().add(&operator, &field(&fields, "type_name"), &about).await;
    went(&server, &front, &format!("{PATH}/card-types"), added.map(|_| plain("type-added")))
}
