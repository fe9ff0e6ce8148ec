//! The cards in readers of the server's machine.

use super::super::door::{At, Sent, went};
use super::super::form::Typed;
use super::super::frame::{self, Frame, Here};
use super::super::{Page, page};
use super::card::key_said;
use super::moment::{Dated, Moment};
use crate::http::Front;
use crate::model::clock::Millis;
use crate::model::refusal::{Code, Refusal};
use crate::model::role::Privilege;
use crate::service::Server;
use crate::service::cards::NewCard;
use crate::service::issue::AtHand;
use crate::service::login::Operator;
use crate::words::{filters, plain, sentence, text};
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};

pub(super) fn router() -> Router<Server> {
    Router::new().route("/mc/connected", get(connected).post(add))
}

#[derive(Template)]
#[template(path = "connected.html")]
struct Station {
    frame: Frame,
    cards: Vec<AtHand>,
    now: Millis,
    card_types: Vec<String>,
    may_add: bool,
    /// Why there are none.
    without: Option<String>,
    /// What was typed for a card that was not added, by its serial.
    typed: Typed,
}

impl Station {
    /// Keys that a card may have, beside its maker's: as the form names them, and their sentences.
    const KEYS: [(&str, &str); 3] =
        [("derived", "connected-key-derived"), ("typed", "connected-key-other"), ("none", "connected-key-none")];

    /// The id of a field of the form of the card at this place.
    fn field(&self, name: &str, place: &usize) -> String {
        format!("{name}-{place}")
    }

    /// Who keeps others from a card, where that is told.
    fn holder(&self, card: &AtHand) -> Option<Dated> {
        let holder = card.connected.held_by.as_ref()?;
        let values = [("program", text(&holder.program)), ("process", holder.process.into())];
        Some(Dated::of("connected-held-by", Moment::short(holder.since, self.now), "", &values))
    }
}

async fn connected(State(server): State<Server>, mut at: At<Operator>) -> Page {
    let (cards, without) = match server.issuing().connected(&at.by).await {
        Ok(cards) => (cards, None),
        Err(refusal) if refusal.code == Code::NoReaders => (Vec::new(), Some(frame::sentence(&refusal.said()))),
        Err(refusal) => return Err(refusal.into()),
    };
    let may_add = at.by.may(Privilege::IssueCard, None);
    let types = if may_add { server.card_types().names(&at.by).await? } else { Vec::new() };
    let typed = at.typed(Here::Connected.path()).by("serial");
    Ok(page(&Station { frame: at.frame(Here::Connected), cards, now: server.now(), card_types: types, may_add, without, typed }))
}

async fn add(
    State(server): State<Server>,
    Extension(front): Extension<Front>,
    Sent { by: operator, fields }: Sent<Operator>,
) -> Response {
    let field = |name: &str| fields.get(name).cloned().unwrap_or_default();
    let given = |name: &str| Some(field(name)).filter(|key| !key.trim().is_empty());
    // One that was typed is meant, whatever is chosen above it.
    let admin_key = match (given("admin_key"), field("key").as_str()) {
        (Some(typed), _) => Some(typed),
        (None, "maker") => given("maker_key"),
        (None, "typed") => {
            let missing = Refusal::malformed(sentence!("refused-key-missing")).at("admin_key");
            return went(&server, &front, Here::Connected.path(), Err(missing));
        }
        (None, _) => None,
    };
    let new = NewCard {
        serial: field("serial"),
        card_type: field("card_type"),
        atr: field("atr"),
        label: field("label"),
        no_admin_key: admin_key.is_none() && field("key") == "none",
        admin_key,
        untried: fields.contains_key("untried"),
    };
    match server.cards().add(&operator, &new).await {
        Ok(added) => {
            let said = [plain("card-registered"), key_said(&added)].join(" ");
            went(&server, &front, &format!("/mc/cards/{}", added.card.serial_number), Ok(said))
        }
        Err(refusal) => went(&server, &front, Here::Connected.path(), Err(refusal)),
    }
}
