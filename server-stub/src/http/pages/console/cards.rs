//! The card repository.

use super::super::door::{At, Behind};
use super::super::frame::{Frame, Here};
use super::super::list::{self, Address, ROWS, chosen};
use super::super::{Page, page};
use crate::model::card::{CardFilter, CardState};
use crate::model::csv;
use crate::model::list::MOST;
use crate::model::policy::NamedPolicy;
use crate::model::refusal::Refusal;
use crate::model::role::Privilege;
use crate::service::Server;
use crate::service::login::Operator;
use crate::service::picture::CardRow;
use crate::words::{filters, plain};
use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::routing::get;
use std::io;

pub(super) fn router() -> Router<Server> {
    Router::new().route("/mc/cards", get(cards)).route("/mc/cards/csv", get(save))
}

/// What is asked for, as the form has it.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Asked {
    q: String,
    state: String,
    #[serde(rename = "type")]
    card_type: String,
    policy: String,
    sort: String,
    cursor: String,
}

impl Asked {
    fn address(&self) -> Address {
        let fields = [
            ("q", self.q.as_str()),
            ("state", &self.state),
            ("type", &self.card_type),
            ("policy", &self.policy),
            ("sort", &self.sort),
        ];
        Address::new("/mc/cards", &fields)
    }

    fn filter(&self, limit: u16) -> Result<CardFilter, Refusal> {
        let given = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        Ok(CardFilter {
            q: self.q.clone(),
            state: chosen(&self.state)?,
            card_type: given(&self.card_type),
            user: None,
            policy: given(&self.policy),
            sort: chosen(&self.sort)?.unwrap_or_default(),
            limit: Some(limit),
            cursor: given(&self.cursor),
        })
    }
}

#[derive(Template)]
#[template(path = "cards.html")]
struct Cards {
    frame: Frame,
    asked: Asked,
    address: Address,
    cards: Vec<CardRow>,
    next: Option<String>,
    types: Vec<String>,
    policies: Vec<NamedPolicy>,
}

async fn cards(State(server): State<Server>, mut at: At<Operator>, Behind(asked): Behind<Asked>) -> Page {
    let listed = server.pictures().cards(&at.by, &asked.filter(ROWS)?).await?;
    let types = server.card_types().names(&at.by).await?;
    let policies = if at.by.may(Privilege::ViewPolicy, None) { server.policies().all(&at.by).await? } else { Vec::new() };
    let (address, next, cards) = (asked.address(), listed.next, listed.items);
    Ok(page(&Cards { frame: at.frame(Here::Cards), address, asked, cards, next, types, policies }))
}

/// All of them as CSV.
async fn save(State(server): State<Server>, at: At<Operator>, Behind(asked): Behind<Asked>) -> Page {
    let mut filter = asked.filter(MOST)?;
    let mut listed = server.pictures().cards(&at.by, &filter).await?;
    Ok(list::csv(
        "cards",
        async_stream::try_stream! {
            yield "serial,type,label,state,owner\r\n".to_owned();
            loop {
                for CardRow { card, owner } in listed.items {
                    let owner = owner.map(|(_, name)| name).unwrap_or_default();
                    yield csv::line(&[&card.serial_number, &card.card_type_name, &card.label, &plain(card.state.word()), &owner]);
                }
                let Some(next) = listed.next else { break };
                filter.cursor = Some(next);
                listed = server.pictures().cards(&at.by, &filter).await.map_err(io::Error::other)?;
            }
        },
    ))
}
