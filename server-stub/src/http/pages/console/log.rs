//! The log as sentences.

use super::super::door::{At, Behind, Sent, went};
use super::super::frame::{Frame, Here};
use super::super::list::{self, Address, FieldKind, ROWS, Search, chosen};
use super::super::told::{Told, told};
use super::super::{Page, list_page};
use super::moment::Moment;
use crate::http::Front;
use crate::model::clock;
use crate::model::event::{Event, EventOrder, Filter, Kind};
use crate::model::list::MOST;
use crate::model::refusal::{Code, Refusal};
use crate::model::role::Privilege;
use crate::service::Server;
use crate::service::login::Operator;
use crate::words::{filters, plain, say, sentence};
use askama::Template;
use axum::extract::State;
use axum::response::{Redirect, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use std::io;

pub(super) fn router() -> Router<Server> {
    Router::new()
        .route("/mc/log", get(log))
        .route("/mc/log/csv", get(save))
        .route("/mc/log/check", post(check).get(async || Redirect::to("/mc/log")))
}

/// What is asked for, as the form has it.
#[derive(Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Asked {
    user: String,
    card: String,
    by: String,
    name: String,
    kind: String,
    from: String,
    to: String,
    /// Minutes that clocks of who asks are ahead of UTC when the first day begins, and when the last has ended; the page's script
    /// knows them.
    from_ahead: String,
    to_ahead: String,
    cursor: String,
}

impl Asked {
    fn address(&self) -> Address {
        let fields = [
            ("user", self.user.as_str()),
            ("card", &self.card),
            ("by", &self.by),
            ("name", &self.name),
            ("kind", &self.kind),
            ("from", &self.from),
            ("to", &self.to),
            ("from_ahead", &self.from_ahead),
            ("to_ahead", &self.to_ahead),
        ];
        Address::new("/mc/log", &fields)
    }

    /// What the log is asked for.
    async fn filter(&self, server: &Server, operator: &Operator, limit: u16) -> Result<Filter, Refusal> {
        let given = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let asked = Filter {
            user: given(&self.user),
            card: given(&self.card),
            initiator: given(&self.by),
            name: given(&self.name),
            kind: chosen(&self.kind)?,
            from: given(&self.from).map(|day| clock::midnight(&day, 0, &self.from_ahead)).transpose()?,
            to: given(&self.to).map(|day| clock::midnight(&day, 1, &self.to_ahead)).transpose()?.map(|end| end - 1),
            sort: EventOrder::SeqDown,
            limit: Some(limit),
            cursor: given(&self.cursor),
            ..Filter::default()
        };
        server.meanings().of_log(operator, asked).await
    }
}

#[derive(Template)]
#[template(path = "log.html")]
struct Log {
    frame: Frame,
    asked: Asked,
    address: Address,
    search: Search,
    rows: Vec<Row>,
    next: Option<String>,
    /// Says of which zone times are, for the script.
    zone: String,
    /// Whether the log is whole is for who sees all of it.
    may_check: bool,
}

/// One event.
struct Row {
    event: Event,
    at: Moment,
    told: Told,
}

async fn log(State(server): State<Server>, mut at: At<Operator>, Behind(asked): Behind<Asked>) -> Page {
    at.by.scope(Privilege::ViewLog)?;
    let filter = asked.filter(&server, &at.by, ROWS).await;
    let listed = match &filter {
        Ok(filter) => Some(server.pictures().log(&at.by, filter).await?),
        Err(_) => None,
    };
    let refusal = filter.err();
    let frame = at.list_frame(Here::Log, refusal.as_ref());
    let (items, next) = listed.map_or_else(Default::default, |listed| (listed.items, listed.next));
    let row =
        |(event, user): (Event, Option<String>)| Row { at: Moment::of(event.at), told: told(&event, user.as_deref()), event };
    let zone = say("time-here", &[("name", "{zone}".into())]);
    let rows = items.into_iter().map(row).collect();
    let (address, may_check) = (asked.address(), at.by.may(Privilege::ViewLog, None));
    let page = Log { frame, search: searched(&address), address, asked, rows, next, zone, may_check };
    Ok(list_page(refusal.as_ref(), &page))
}

/// The form of the list.
fn searched(address: &Address) -> Search {
    let title = |kind: &Kind| (kind.facts().1.to_owned(), plain(&format!("kind-{}", kind.facts().1)));
    let mut events: Vec<_> = Kind::ALL.iter().map(title).collect();
    events.sort_by(|one, other| one.1.cmp(&other.1));
    let weights = [("I", "event-information"), ("W", "event-warning"), ("E", "event-error")];
    let weights = weights.map(|(name, title)| (name.to_owned(), plain(title)));
    let search = Search::of(address, "filter")
        .words("user", "log-search-user")
        .words("card", "log-search-card")
        .words("by", "log-search-by");
    let search = search.one_of("name", "log-search-event", events).one_of("kind", "log-kind", weights);
    search.day("from", "log-from").day("to", "log-to")
}

/// All of them as CSV, as programs read them.
async fn save(State(server): State<Server>, at: At<Operator>, Behind(asked): Behind<Asked>) -> Page {
    let mut filter = asked.filter(&server, &at.by, MOST).await?;
    let mut listed = server.log().list(&at.by, &filter).await?;
    Ok(list::csv(
        "log",
        async_stream::try_stream! {
            yield Event::COLUMNS.to_owned();
            loop {
                for event in listed.items {
                    yield event.csv();
                }
                let Some(next) = listed.next else { break };
                filter.cursor = Some(next);
                listed = server.log().list(&at.by, &filter).await.map_err(io::Error::other)?;
            }
        },
    ))
}

/// Whether the log is whole.
async fn check(
    State(server): State<Server>,
    Extension(front): Extension<Front>,
    Sent { by: operator, .. }: Sent<Operator>,
) -> Response {
    let checked = match server.log().check(&operator).await {
        Ok(None) => Ok(plain("log-whole")),
        Ok(Some(seq)) => Err(Refusal::new(Code::Conflict, sentence!("log-broken", count = seq))),
        Err(refusal) => Err(refusal),
    };
    went(&server, &front, "/mc/log", checked)
}
