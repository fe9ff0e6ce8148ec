//! Where who finds neither users nor cards begins: what the role allows, and *Unlock* by a card's serial.

use super::super::door::{At, Sent, went};
use super::super::form::Typed;
use super::super::frame::{Frame, Here};
use super::super::{Page, page};
use crate::http::Front;
use crate::model::role::Privilege;
use crate::model::subject;
use crate::service::Server;
use crate::service::login::Operator;
use crate::words::filters;
use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use axum::{Extension, Router};

pub(super) fn router() -> Router<Server> {
    Router::new().route("/mc/unlock", get(by_serial).post(open))
}

#[derive(Template)]
#[template(path = "start.html")]
struct Start {
    frame: Frame,
    may_unlock: bool,
    /// Empty without a role.
    role: String,
    privileges: Vec<Privilege>,
    /// For some policies only.
    is_local: bool,
    typed: Typed,
}

impl Start {
    fn of(at: &mut At<Operator>, here: Here) -> Self {
        let role = at.by.role.clone();
        Self {
            may_unlock: at.by.may_somewhere(Privilege::UnlockCard),
            role: at.by.role_name.clone().unwrap_or_default(),
            is_local: role.as_ref().is_some_and(|role| role.policies.is_some()),
            privileges: role.map(|role| role.privileges).unwrap_or_default(),
            typed: at.typed(Here::Unlock.path()),
            frame: at.frame(here),
        }
    }
}

/// For who does not see users: the first page of the menu, or what the role allows where it has none.
pub(super) fn instead(at: &mut At<Operator>) -> Response {
    match Here::first_of(&at.by) {
        Some(other) => Redirect::to(other).into_response(),
        None => page(&Start::of(at, Here::Elsewhere)),
    }
}

async fn by_serial(mut at: At<Operator>) -> Page {
    if !at.by.may_somewhere(Privilege::UnlockCard) {
        at.by.require(Privilege::UnlockCard, None)?;
    }
    Ok(page(&Start::of(&mut at, Here::Unlock)))
}

async fn open(
    State(server): State<Server>,
    Extension(front): Extension<Front>,
    Sent { by: operator, fields }: Sent<Operator>,
) -> Response {
    let serial = fields.get("serial").map(String::as_str).unwrap_or_default();
    match server.wizards().open(&operator, serial).await {
        Ok(wizard) => Redirect::to(&format!("/mc/unlock/{}", wizard.wizard)).into_response(),
        Err(refusal) => went(&server, &front, Here::Unlock.path(), Err(refusal)),
    }
}

/// Where an unlock that is no more leads back to: the card that its form names, for who may see it.
pub(super) fn of_card(operator: &Operator, card: Option<&str>) -> String {
    let serial = card.and_then(|serial| subject::serial(serial).ok());
    before_unlock(operator, &serial.unwrap_or_default())
}

/// Where somebody begins an unlock of a card.
pub(super) fn before_unlock(operator: &Operator, serial: &str) -> String {
    let sees_it = operator.may_somewhere(Privilege::ViewCards) && !serial.is_empty();
    if sees_it { format!("/mc/cards/{serial}") } else { Here::Unlock.path().to_owned() }
}
