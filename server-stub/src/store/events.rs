//! Tables `events` and `chain`: the log, append-only, each row's hash over the row before.

use super::list::List;
use super::rows::{number, optional, text};
use super::{Snapshot, Tx, scope};
use crate::model::clock::Millis;
use crate::model::event::{Event, EventOrder, Filter, Happening, Level, WORKSTATION, bounded};
use crate::model::list::{self, Cursor, Listed};
use crate::model::refusal::Refusal;
use crate::model::role::Scope;
use crate::words::sentence;
use sqlx::any::AnyRow;
use sqlx::query;

/// Events that are checked at once.
const PAGE: i64 = 1000;

fn of_row(row: &AnyRow) -> Result<Event, Refusal> {
    Ok(Event {
        seq: number(row, "seq")?,
        at: number(row, "at")?,
        code: number(row, "code")?,
        name: text(row, "name")?,
        kind: text(row, "kind")?,
        initiator: text(row, "initiator")?,
        card: text(row, "card")?,
        user: text(row, "user_id")?,
        workstation: text(row, "workstation")?,
        flow: text(row, "flow")?,
        detail: text(row, "detail")?,
        hash: text(row, "hash")?,
    })
}

/// Writes an event; it is there when the transaction is committed.
pub(crate) async fn record(tx: &mut Tx, at: Millis, happening: &Happening<'_>) -> Result<(), Refusal> {
    let (seq, before) = last(tx).await?;
    let (code, name, kind) = happening.kind.facts();
    let detail = if happening.detail.is_null() { String::new() } else { happening.detail.to_string() };
    let mut event = Event {
        seq: seq + 1,
        at,
        code,
        name: name.into(),
        kind: kind.into(),
        // Nobody fills the log with what they call themselves.
        initiator: bounded(happening.initiator),
        card: bounded(happening.card),
        user: bounded(happening.user),
        workstation: bounded(happening.workstation),
        flow: happening.flow.into(),
        detail,
        hash: String::new(),
    };
    event.hash = event.chained(&before);
    let insert = "INSERT INTO events (seq, at, code, name, kind, initiator, card, user_id, workstation, flow, detail, hash) \
                  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
    let insert = query(insert).bind(event.seq).bind(event.at).bind(event.code).bind(&event.name).bind(&event.kind);
    let insert = insert.bind(&event.initiator).bind(&event.card).bind(&event.user).bind(&event.workstation);
    tx.run(insert.bind(&event.flow).bind(&event.detail).bind(&event.hash)).await?;
    tx.run(query("UPDATE chain SET seq = $1, hash = $2 WHERE id = 1").bind(event.seq).bind(&event.hash)).await?;
    Ok(())
}

/// Number and hash of the last event.
async fn last(conn: &mut Snapshot) -> Result<(i64, String), Refusal> {
    let last = conn.one(query("SELECT seq, hash FROM chain WHERE id = 1")).await?;
    Ok((number(&last, "seq")?, text(&last, "hash")?))
}

/// Events of a list, of those in the scope.
pub(crate) async fn list(conn: &mut Snapshot, filter: &Filter, scope: &Scope) -> Result<Listed<Event>, Refusal> {
    let (limit, list) = page(conn, filter, scope, false).await?;
    let rows = list.rows(conn).await?.iter().map(of_row).collect::<Result<Vec<_>, _>>()?;
    Ok(Listed::of(rows, limit, |event| place(filter, event)))
}

/// Events of a list, of those in the scope, each with the name of its user.
pub(crate) async fn list_with_users(
    conn: &mut Snapshot,
    filter: &Filter,
    scope: &Scope,
) -> Result<Listed<(Event, Option<String>)>, Refusal> {
    let (limit, list) = page(conn, filter, scope, true).await?;
    let row = |row| Ok((of_row(row)?, optional(row, "user_cn")?));
    let rows = list.rows(conn).await?.iter().map(row).collect::<Result<Vec<_>, Refusal>>()?;
    Ok(Listed::of(rows, limit, |(event, _)| place(filter, event)))
}

fn place(filter: &Filter, event: &Event) -> Cursor {
    Cursor { order: filter.sort.name().into(), place: (event.at.to_string(), event.seq.to_string()) }
}

/// Rows of a page, and the statement that gives them and one more.
async fn page(conn: &mut Snapshot, filter: &Filter, scope: &Scope, with_users: bool) -> Result<(u16, List), Refusal> {
    let limit = list::limit(filter.limit, list::MOST)?;
    let cursor = Cursor::read(filter.cursor.as_deref(), filter.sort.name())?;
    let (column, past, way) = match filter.sort {
        EventOrder::Seq => ("seq", ">", "ASC"),
        EventOrder::SeqDown => ("seq", "<", "DESC"),
        EventOrder::At => ("at", ">", "ASC"),
        EventOrder::AtDown => ("at", "<", "DESC"),
    };
    let mut list = List::new(if with_users { "SELECT page.*, users.cn AS user_cn FROM (" } else { "" });
    list.sql("SELECT events.* FROM ");
    scope::from_events(conn, scope, filter.user.is_some() || filter.card.is_some(), &mut list).await?;
    let (name, initiator) = (("name", filter.name.as_deref()), ("initiator", filter.initiator.as_deref()));
    // Workstations do most of what is done; somebody does little.
    let (first, second) = if initiator.1 == Some(WORKSTATION) { (name, initiator) } else { (initiator, name) };
    let mut found = false;
    let conditions = [("card", filter.card.as_deref()), ("user_id", filter.user.as_deref()), first, second];
    for (column, text) in conditions.into_iter().chain([("kind", filter.kind.map(Level::name))]) {
        // By the index of the first of them, in the order in which they say most; SQLite may choose another by itself.
        if found {
            list.is_beside(column, text)
        } else {
            list.is(column, text)
        };
        found |= text.is_some();
    }
    if matches!(filter.kind, Some(Level::W | Level::E)) {
        list.sql(" AND kind <> 'I'");
    }
    for (condition, number) in [(" AND at >= ", filter.from), (" AND at <= ", filter.to), (" AND seq > ", filter.after)] {
        if let Some(number) = number {
            list.sql(condition).number(number);
        }
    }
    if let Some(Cursor { place: (at, seq), .. }) = cursor {
        let none = || Refusal::malformed(sentence!("refused-cursor"));
        let number = |text: &str| text.parse::<i64>().map_err(|_| none());
        let (at, seq) = (number(&at)?, number(&seq)?);
        match column {
            "at" => list.sql(&format!(" AND (at, seq) {past} (")).number(at).sql(", ").number(seq).sql(")"),
            _ => list.sql(&format!(" AND seq {past} ")).number(seq),
        };
    }
    let by = if column == "at" { format!("at {way}, seq {way}") } else { format!("seq {way}") };
    list.sql(&format!(" ORDER BY {by} LIMIT ")).number(i64::from(limit) + 1);
    if with_users {
        list.sql(&format!(") AS page LEFT JOIN users ON users.id = page.user_id ORDER BY {by}"));
    }
    Ok((limit, list))
}

/// Whose story is told.
#[derive(Clone, Copy)]
pub(crate) enum Of<'a> {
    /// A card's, by its serial.
    Card(&'a str),
    /// A card's since it is this user's, whose it is now, and what it was to the user before.
    CardAndUser(&'a str, &'a str),
    /// A user's, by the id.
    User(&'a str),
}

/// What workstations have said without having been given a response, as the indexes of migration 16 have it.
const CLAIMS: &str = "('PIN_BLOCK_SEEN', 'PIN_WRONG_SEEN', 'REPORT_UNCONFIRMED')";

/// What has happened to a card or a user lately, the newest first: the latest events, so many, and of a card the latest of each
/// of two kinds that say what it is, if it is not among them. Whoever reaches the workstation service can make claims; of these
/// the latest is told, and no number of them takes the place of what is known.
pub(crate) async fn story(conn: &mut Snapshot, of: Of<'_>, count: u16) -> Result<Vec<Event>, Refusal> {
    let story = query(sqlx::AssertSqlSafe(told_of(of))).bind(of.id()).bind(i64::from(count));
    let story = match of {
        Of::CardAndUser(_, user) => story.bind(user),
        Of::Card(_) | Of::User(_) => story,
    };
    conn.all(story).await?.iter().map(of_row).collect()
}

/// The statement of [`story`].
fn told_of(of: Of<'_>) -> String {
    let known = format!("name NOT IN {CLAIMS}");
    // Somebody gets a card that is Clean.
    let got = format!(
        r#"SELECT COALESCE(MAX(seq), 0) FROM events WHERE card = $1 AND {known} AND user_id = $3 AND name = 'CARD_STATE_CHANGED'
        AND detail LIKE '%"from":"Clean"%'"#
    );
    let whose = match of {
        Of::CardAndUser(..) => format!(" AND (user_id = $3 OR (user_id = '' AND seq > ({got})))"),
        Of::Card(_) | Of::User(_) => String::new(),
    };
    let latest = |condition: &str, count: &str| {
        let column = of.column();
        format!(
            "SELECT * FROM (SELECT * FROM events WHERE {column} = $1{whose} AND {condition} ORDER BY seq DESC LIMIT {count}) AS part"
        )
    };
    let mut parts = vec![latest(&known, "$2"), latest(&format!("name IN {CLAIMS}"), "1")];
    if !matches!(of, Of::User(_)) {
        parts.push(latest(&format!("{known} AND name = 'CARD_INITIALIZED'"), "1"));
        let issued = format!(r#"{known} AND name = 'CARD_STATE_CHANGED' AND detail LIKE '%"operation":"issue"%'"#);
        parts.push(latest(&issued, "1"));
    }
    parts.join(" UNION ") + " ORDER BY seq DESC"
}

impl Of<'_> {
    const fn column(self) -> &'static str {
        match self {
            Self::Card(_) | Self::CardAndUser(..) => "card",
            Self::User(_) => "user_id",
        }
    }

    const fn id(&self) -> &str {
        match self {
            Self::Card(id) | Self::CardAndUser(id, _) | Self::User(id) => id,
        }
    }
}

/// The place of the first event whose hash is wrong; `None` when the log is whole.
pub(crate) async fn first_broken(conn: &mut Snapshot) -> Result<Option<i64>, Refusal> {
    let (mut before, mut seq) = (String::new(), 0);
    loop {
        let page = query("SELECT * FROM events WHERE seq > $1 ORDER BY seq LIMIT $2").bind(seq).bind(PAGE);
        let page = conn.all(page).await?;
        if page.is_empty() {
            return Ok((last(conn).await? != (seq, before)).then_some(seq + 1));
        }
        for row in page {
            let event = of_row(&row)?;
            if event.seq != seq + 1 || event.hash != event.chained(&before) {
                return Ok(Some(seq + 1));
            }
            (before, seq) = (event.hash, event.seq);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::event::Kind;
    use crate::store::Store;

    async fn add(store: &Store) {
        let mut tx = store.begin().await.unwrap();
        record(&mut tx, 0, &Happening::new(Kind::LoggedIn, "somebody")).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// However many claims there are, they are not read to tell what is known.
    #[tokio::test]
    async fn a_story_is_told_by_indexes() {
        let store = Store::open("sqlite::memory:").await.unwrap();
        let mut snapshot = store.read().await.unwrap();
        for (of, indexes) in [
            (Of::Card("00"), ["events_known_of_card (card=?)", "events_claimed_of_card (card=?)"]),
            (Of::CardAndUser("00", "u"), ["events_known_of_card (card=?)", "events_claimed_of_card (card=?)"]),
            (Of::User("u"), ["events_known_of_user (user_id=?)", "events_claimed_of_user (user_id=?)"]),
        ] {
            let plan = query(sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {}", told_of(of))));
            let rows = snapshot.all(plan.bind(of.id()).bind(12).bind("u")).await.unwrap();
            let plan = rows.iter().map(|row| text(row, "detail").unwrap()).collect::<Vec<_>>().join("\n");
            assert!(indexes.iter().all(|index| plan.contains(index)), "{plan}");
            assert!(!plan.contains("SCAN events") && !plan.contains("events_of_"), "{plan}");
        }
    }

    #[tokio::test]
    async fn a_snapshot_stays_while_somebody_writes() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("sqlite:{}", directory.path().join("cms.db").display())).await.unwrap();
        add(&store).await;
        let mut snapshot = store.read().await.unwrap();
        let seen = list(&mut snapshot, &Filter::default(), &Scope::All).await.unwrap().items.len();
        add(&store).await;
        assert_eq!(last(&mut snapshot).await.unwrap().0, 1, "the chain is as old as the rows");
        assert_eq!((seen, list(&mut snapshot, &Filter::default(), &Scope::All).await.unwrap().items.len()), (1, 1));
        assert_eq!(first_broken(&mut snapshot).await, Ok(None));
        assert_eq!(list(&mut store.read().await.unwrap(), &Filter::default(), &Scope::All).await.unwrap().items.len(), 2);
    }
}
