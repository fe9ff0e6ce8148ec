//! The card repository.

use super::super::door::{At, Behind};
use super::super::frame::{Frame, Here};
use super::super::list::{self, Address, FieldKind, ROWS, Search, chosen};
use super::super::{Page, list_page};
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
#[serde(default, deny_unknown_fields)]
struct Asked {
    q: String,
    state: String,
    #[serde(rename = "type")]
    card_type: String,
    user: String,
    policy: String,
    tag: String,
    sort: String,
    cursor: String,
}

impl Asked {
    fn address(&self) -> Address {
        let fields = [
            ("q", self.q.as_str()),
            ("state", &self.state),
            ("type", &self.card_type),
            ("user", &self.user),
            ("policy", &self.policy),
            ("tag", &self.tag),
            ("sort", &self.sort),
        ];
        Address::new("/mc/cards", &fields)
    }

    /// What the repository is asked for. A user is known by an id or by a name.
    async fn filter(&self, server: &Server, operator: &Operator, limit: u16) -> Result<CardFilter, Refusal> {
        let given = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let user = match given(&self.user) {
            Some(name) => Some(server.meanings().user(operator, &name).await?),
            None => None,
        };
        Ok(CardFilter {
            q: self.q.clone(),
            state: chosen(&self.state)?,
            card_type: given(&self.card_type),
            user,
            policy: given(&self.policy),
            tag: given(&self.tag),
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
    search: Search,
    cards: Vec<CardRow>,
    next: Option<String>,
    /// Whose they are is for who may see users.
    sees_owners: bool,
}

/// Where the cards of the user with this logon name are listed.
pub(super) fn of_user(logon: &str) -> String {
    Address::new("/mc/cards", &[("user", logon)]).first()
}

async fn cards(State(server): State<Server>, mut at: At<Operator>, Behind(asked): Behind<Asked>) -> Page {
    at.by.scope(Privilege::ViewCards)?;
    let found = match asked.filter(&server, &at.by, ROWS).await {
        Ok(filter) => server.pictures().cards(&at.by, &filter).await,
        Err(refusal) => Err(refusal),
    };
    let (listed, (types, policies), refusal) = match found {
        Ok((listed, choices)) => (Some(listed), choices, None),
        Err(refusal) => (None, server.cards().choices(&at.by).await?, Some(refusal)),
    };
    let frame = at.list_frame(Here::Cards, refusal.as_ref());
    let (cards, next) = listed.map_or_else(Default::default, |listed| (listed.items, listed.next));
    let address = asked.address();
    let sees_owners = at.by.may_somewhere(Privilege::ViewUser);
    let search = searched(&address, types, &policies, sees_owners);
    Ok(list_page(refusal.as_ref(), &Cards { frame, address, search, asked, cards, next, sees_owners }))
}

/// The form of the list. Who may not see users or policies has none to choose from.
fn searched(address: &Address, types: Vec<String>, policies: &[NamedPolicy], sees_users: bool) -> Search {
    let search = Search::of(address, "search");
    let search = if sees_users {
        search.words("q", "cards-search").wide().words("user", "cards-owner")
    } else {
        search.words("q", "cards-search-cards").wide()
    };
    let states = CardState::ALL.map(|state| (state.name().to_owned(), plain(state.word())));
    let search = search.one_of("state", "cards-state", states);
    let search = search.one_of("type", "cards-type", types.into_iter().map(|name| (name.clone(), name)));
    let search = search.words("tag", "card-tag");
    if policies.is_empty() {
        return search;
    }
    search.one_of("policy", "users-policy", policies.iter().map(|policy| (policy.id.clone(), policy.name.clone())))
}

/// All of them as CSV.
async fn save(State(server): State<Server>, at: At<Operator>, Behind(asked): Behind<Asked>) -> Page {
    let mut filter = asked.filter(&server, &at.by, MOST).await?;
    let (mut listed, _) = server.pictures().cards(&at.by, &filter).await?;
    Ok(list::csv(
        "cards",
        async_stream::try_stream! {
            yield "serial,type,label,state,owner,tags\r\n".to_owned();
            loop {
                for CardRow { card, owner } in listed.items {
                    let owner = owner.map(|owner| owner.cn).unwrap_or_default();
                    yield csv::line(&[&card.serial_number, &card.card_type_name, &card.label, &plain(card.state.word()), &owner, &card.tags.join(", ")]);
                }
                let Some(next) = listed.next else { break };
                filter.cursor = Some(next);
                listed = server.pictures().more_cards(&at.by, &filter).await.map_err(io::Error::other)?;
            }
        },
    ))
}
