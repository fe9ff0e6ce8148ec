//! The log as sentences.

use super::super::detail::details;
use super::super::door::{At, Behind, Sent, went};
use super::super::frame::{Frame, Here};
use super::super::list::{self, Address, FieldKind, ROWS, Search, chosen};
use super::super::told::{Told, told};
use super::super::{Page, list_page};
use super::moment::Moment;
use super::{Folded, folded};
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
use cardlab_protocol::words::Language;
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
    /// Events of the page.
    count: usize,
    next: Option<String>,
    /// Says of which zone times are, for the script.
    zone: String,
    /// Whether the log is whole is for who sees all of it.
    may_check: bool,
}

/// One event, or several in a row that say the same.
struct Row {
    at: Moment,
    told: Told,
    times: usize,
    workstation: String,
    events: Vec<Detailed>,
}

/// An event with what it says beside its sentence.
struct Detailed {
    event: Event,
    at: Moment,
    details: Vec<(String, String)>,
}

impl Row {
    fn of(line: Folded) -> Self {
        let (at, times) = (Moment::of(line.newest.at), line.times());
        let detailed = |event: Event| Detailed { at: Moment::of(event.at), details: details(&event.detail), event };
        let workstation = line.newest.workstation.clone();
        let events = [line.newest].into_iter().chain(line.before).map(detailed).collect();
        Self { at, told: line.told, times, workstation, events }
    }
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
    let count = items.len();
    let said = |(event, user): (Event, Option<String>)| (told(&event, user.as_deref()), event);
    let lines = folded(items.into_iter().map(said).map(|(told, event)| (event, told)));
    let zone = say("time-here", &[("name", "{zone}".into())]);
    let rows = lines.into_iter().map(Row::of).collect();
    let (address, may_check) = (asked.address(), at.by.may(Privilege::ViewLog, None));
    let page = Log { frame, search: searched(&address), address, asked, rows, count, next, zone, may_check };
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

/// All of them as CSV: as programs read them, and behind that as people do.
async fn save(State(server): State<Server>, at: At<Operator>, Behind(asked): Behind<Asked>) -> Page {
    let mut filter = asked.filter(&server, &at.by, MOST).await?;
    let mut listed = server.pictures().log(&at.by, &filter).await?;
    // The rest is written when the request is over.
    let language = Language::now();
    let line = move |(event, user): (Event, Option<String>)| {
        let told = language.speaking(|| told(&event, user.as_deref()));
        event.csv_with(&[&told.weight, &told.sentence])
    };
    Ok(list::csv(
        "log",
        async_stream::try_stream! {
            yield Event::columns_with(&["type", "text"]);
            loop {
                for found in listed.items {
                    yield line(found);
                }
                let Some(next) = listed.next else { break };
                filter.cursor = Some(next);
                listed = server.pictures().log(&at.by, &filter).await.map_err(io::Error::other)?;
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
