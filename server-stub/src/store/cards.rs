//! Table `cards`: the repository.

use super::given::{self, Given};
use super::list::List;
use super::page::{Condition, Page, Source};
use super::policies::policy_of_user;
use super::rows::{self, body, named, number, optional, text};
use super::words::{self, Words};
use super::{Snapshot, Tx, scope, users};
use crate::model::card::{CardFilter, CardOrder, CardRecord, CardState, KeySource};
use crate::model::clock::Millis;
use crate::model::list::{self, Cursor, Listed};
use crate::model::names;
use crate::model::refusal::Refusal;
use crate::model::role::Scope;
use crate::model::search::{self, Search, Sought};
use serde_json::{Value, json};
use sqlx::any::AnyRow;
use sqlx::query;
use std::collections::BTreeSet;

/// Table `card_words`.
const WORDS: Words = Words {
    table: "card_words",
    of: "card",
    word: "word",
    places: &[],
    source: Source { all: "SELECT card FROM card_words WHERE", of_one: "card_words AS also WHERE also.card =" },
};

/// Table `card_tags`.
const TAGS: Words = Words {
    table: "card_tags",
    of: "card",
    word: "tag",
    places: &[],
    source: Source { all: "SELECT card FROM card_tags WHERE", of_one: "card_tags AS tagged WHERE tagged.card =" },
};

/// Cards with their type.
const CARDS: &str =
    "SELECT cards.*, card_types.body AS about FROM cards JOIN card_types ON card_types.id = cards.card_type WHERE ";

fn sql(condition: &str) -> sqlx::AssertSqlSafe<String> {
    sqlx::AssertSqlSafe([CARDS, condition].concat())
}

pub(super) fn of_row(row: &AnyRow) -> Result<CardRecord, Refusal> {
    Ok(CardRecord {
        serial: text(row, "serial")?,
        card_type: text(row, "card_type")?,
        about: rows::json(row, "about")?,
        atr: text(row, "atr")?,
        label: text(row, "label")?,
        tags: rows::json(row, "tags")?,
        state: named(row, "state", &CardState::ALL, CardState::name)?,
        user: optional(row, "user_id")?,
        policy: optional(row, "policy_id")?,
        key: KeySource::of_name(&text(row, "admin_key")?),
        key_version: number(row, "key_version")?,
        key_pending: number(row, "key_pending")?,
        sealed: text(row, "sealed_key")?,
        revoke_reason: text(row, "revoke_reason")?,
        issued_at: number(row, "issued_at")?,
    })
}

/// The card of this serial.
pub(crate) async fn by_serial(conn: &mut Snapshot, serial: &str) -> Result<Option<CardRecord>, Refusal> {
    conn.optional(query(sql("cards.serial = $1")).bind(serial)).await?.as_ref().map(of_row).transpose()
}

/// Cards of these users.
pub(crate) async fn of_users(conn: &mut Snapshot, users: &[&str]) -> Result<Vec<CardRecord>, Refusal> {
    among(conn, "cards.user_id", users, &Scope::All).await
}

/// Those of these serials that are registered, and in the scope.
pub(crate) async fn of_serials(conn: &mut Snapshot, serials: &[&str], scope: &Scope) -> Result<Vec<CardRecord>, Refusal> {
    among(conn, "cards.serial", serials, scope).await
}

async fn among(conn: &mut Snapshot, column: &str, these: &[&str], scope: &Scope) -> Result<Vec<CardRecord>, Refusal> {
    let mut list = List::new(CARDS);
    list.sql(column).sql(" IN ").texts(these.iter().copied());
    Condition::beside(&scope::of_cards(scope), "cards.serial", &mut list);
    list.sql(" ORDER BY cards.serial");
    if these.is_empty() { Ok(Vec::new()) } else { list.rows(conn).await?.iter().map(of_row).collect() }
}

/// A card of a list, and its user.
pub(crate) type WithOwner = (CardRecord, Option<Holder>);

/// The user of a card of a list.
pub(crate) struct Holder {
    /// Name.
    pub(crate) cn: String,
    /// Id of the policy that holds for the user, which may be another than that of the card.
    pub(crate) policy: Option<String>,
}

/// Cards of a list, of those in the scope: those that have all words of the search in serial, label and tags, or in their owner's
/// names where these may be searched (`by_owner`).
pub(crate) async fn list(
    conn: &mut Snapshot,
    filter: &CardFilter,
    by_owner: bool,
    scope: &Scope,
) -> Result<Listed<WithOwner>, Refusal> {
    let Some(asked) = Asked::of(filter, by_owner, scope)? else { return Ok(Listed::nothing()) };
    let rarest = Condition::rarest(&asked.conditions, conn).await?;
    asked.list(conn, rarest).await
}

/// A list that is asked for.
pub(super) struct Asked<'f> {
    filter: &'f CardFilter,
    by_owner: bool,
    limit: u16,
    cursor: Option<Cursor>,
    patterns: Vec<String>,
    pub(super) conditions: Vec<Condition>,
}

impl<'f> Asked<'f> {
    /// `None` where nothing can be found.
    ///
    /// # Errors
    /// [`crate::model::refusal::Code::Malformed`] for a limit or a cursor that is none.
    pub(super) fn of(filter: &'f CardFilter, by_owner: bool, scope: &Scope) -> Result<Option<Self>, Refusal> {
        let limit = list::limit(filter.limit, list::USUAL)?;
        let cursor = Cursor::read(filter.cursor.as_deref(), filter.sort.name())?;
        let Some(search) = Search::of_cards(&filter.q) else { return Ok(None) };
        let mut conditions = WORDS.have(&search.words);
        if by_owner {
            let or_owner = |(met, sought): (Condition, &Sought)| met.or_begins(users::CARDS, &sought.begin[0]);
            conditions = conditions.into_iter().zip(&search.words).map(or_owner).collect();
        }
        conditions.extend(filter.tag.as_deref().map(|tag| Condition::is(TAGS.source, TAGS.word, names::key(tag))));
        conditions.extend(scope::of_cards(scope));
        Ok(Some(Self { filter, by_owner, limit, cursor, patterns: search.patterns, conditions }))
    }

    /// The list, begun with a condition of [`Condition::rarest`].
    pub(super) async fn list(self, conn: &mut Snapshot, rarest: Option<usize>) -> Result<Listed<WithOwner>, Refusal> {
        let card = |row| {
            let holder = match optional(row, "owner_cn")? {
                Some(cn) => Some(Holder { cn, policy: optional(row, "owner_policy")? }),
                None => None,
            };
            Ok((of_row(row)?, holder))
        };
        let rows = self.statement(rarest).rows(conn).await?.iter().map(card).collect::<Result<Vec<_>, Refusal>>()?;
        let order = self.filter.sort.name();
        let place = |(card, _): &WithOwner| Cursor { order: order.into(), place: (card.serial.clone(), String::new()) };
        Ok(Listed::of(rows, self.limit, place))
    }

    fn statement(&self, rarest: Option<usize>) -> List {
        let filter = self.filter;
        let place = ("cards.serial", "card");
        let page = Page {
            table: "cards JOIN card_types ON card_types.id = cards.card_type LEFT JOIN users AS holder ON holder.id = cards.user_id",
            asked: "cards",
            by: [place, place],
            down: matches!(filter.sort, CardOrder::SerialDown),
            after: self.cursor.as_ref().map(|Cursor { place: (serial, _), .. }| (serial.clone(), serial.clone())),
            rows: i64::from(self.limit) + 1,
        };
        let narrowed = filter.user.is_some() || filter.state.is_some() || filter.card_type.is_some() || filter.policy.is_some();
        let mut list = List::new(concat!(
            "SELECT cards.*, card_types.body AS about, holder.cn AS owner_cn, ",
            policy_of_user!("cards.user_id"),
            " AS owner_policy FROM "
        ));
        let begun = page.begin(&self.conditions, rarest, self.patterns.is_empty() && !narrowed, &mut list);
        for pattern in &self.patterns {
            list.sql(" AND (cards.search_key LIKE ").text(pattern).sql(r" ESCAPE '\'");
            if self.by_owner {
                list.sql(" OR EXISTS (SELECT 1 FROM users AS owner WHERE owner.id = cards.user_id AND owner.search_key LIKE ");
                list.text(pattern).sql(r" ESCAPE '\')");
            }
            list.sql(")");
        }
        let (state, card_type) = (filter.state.map(CardState::name), filter.card_type.as_deref());
        list.is("cards.user_id", filter.user.as_deref());
        if filter.user.is_some() {
            // A user has few cards.
            list.is_beside("cards.state", state).is_beside("cards.card_type", card_type);
            list.is_beside("cards.policy_id", filter.policy.as_deref());
        } else {
            list.is("cards.state", state).is("cards.card_type", card_type).is("cards.policy_id", filter.policy.as_deref());
        }
        page.end(&begun, &mut list);
        list
    }
}

/// How many cards a user has that are not revoked.
pub(crate) async fn count_of_user(conn: &mut Snapshot, user: &str) -> Result<i64, Refusal> {
    let count = query("SELECT COUNT(*) AS n FROM cards WHERE user_id = $1 AND state <> 'Revoked'").bind(user);
    number(&conn.one(count).await?, "n")
}

/// A new card, which is nobody's.
pub(crate) async fn insert(tx: &mut Tx, card: &CardRecord) -> Result<(), Refusal> {
    let insert = "INSERT INTO cards (serial, card_type, atr, label, state, admin_key, key_version, sealed_key, revoke_reason, \
                  issued_at, search_key) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, '', 0, $9)";
    let insert = query(insert).bind(&card.serial).bind(&card.card_type).bind(&card.atr).bind(&card.label);
    let insert = insert.bind(card.state.name()).bind(card.key.name()).bind(card.key_version).bind(&card.sealed);
    tx.run(insert.bind("")).await?;
    set_searched(tx, &[(card.serial.clone(), card.label.clone(), card.tags.clone())]).await
}

/// What cards are found by: serial, label and tags of each.
async fn set_searched(tx: &mut Tx, cards: &[(String, String, Vec<String>)]) -> Result<(), Refusal> {
    let searched = |(serial, label, tags): &(String, String, Vec<String>)| {
        let searched: Vec<&str> = [serial, label].into_iter().chain(tags).map(String::as_str).collect();
        let words = search::words_of_card(serial, &searched.join(" "));
        (json!([serial, search::search_key(&searched)]), words::has(serial, words, &[]))
    };
    let (found, have): (Vec<Value>, Vec<Value>) = cards.iter().map(searched).unzip();
    let update = "UPDATE cards SET search_key = given.value ->> 1 FROM {given} WHERE cards.serial = given.value ->> 0";
    Given::new(found).run(tx, update).await?;
    WORDS.set(tx, have).await
}

/// The tags of a card, as the record has them, and what it is found by.
pub(crate) async fn set_tags(tx: &mut Tx, card: &CardRecord) -> Result<(), Refusal> {
    let update = query("UPDATE cards SET tags = $2 WHERE serial = $1").bind(&card.serial);
    tx.run(update.bind(body(&card.tags))).await?;
    let card = [(card.serial.clone(), card.label.clone(), card.tags.clone())];
    set_listed_by(tx, &card).await?;
    set_searched(tx, &card).await
}

/// The tags that cards are listed by. Two that an older version told apart may be one now.
async fn set_listed_by(tx: &mut Tx, cards: &[(String, String, Vec<String>)]) -> Result<(), Refusal> {
    let keys = |tags: &[String]| tags.iter().map(|tag| names::key(tag)).collect::<BTreeSet<_>>();
    TAGS.set(tx, cards.iter().map(|(serial, _, tags)| words::has(serial, keys(tags), &[])).collect()).await
}

/// Fills the column of cards that an older version has written, their words and their tags.
pub(super) async fn fill(tx: &mut Tx) -> Result<(), Refusal> {
    let mut after = String::new();
    loop {
        let bare = "SELECT serial, label, tags FROM cards WHERE search_key = '' AND serial > $1 ORDER BY serial LIMIT $2";
        let rows = tx.all(query(bare).bind(&after).bind(given::AT_ONCE)).await?;
        let card = |row| Ok((text(row, "serial")?, text(row, "label")?, rows::json(row, "tags")?));
        let cards = rows.iter().map(card).collect::<Result<Vec<_>, Refusal>>()?;
        let Some((last, ..)) = cards.last() else { return Ok(()) };
        after.clone_from(last);
        set_listed_by(tx, &cards).await?;
        set_searched(tx, &cards).await?;
    }
}

/// State, holder, policy and reason, as the record has them.
pub(crate) async fn set(tx: &mut Tx, card: &CardRecord) -> Result<(), Refusal> {
    let update = "UPDATE cards SET state = $2, user_id = $3, policy_id = $4, revoke_reason = $5 WHERE serial = $1";
    let update = query(update).bind(&card.serial).bind(card.state.name()).bind(&card.user).bind(&card.policy);
    tx.run(update.bind(&card.revoke_reason)).await?;
    Ok(())
}

/// Another state.
pub(crate) async fn set_state(tx: &mut Tx, serial: &str, state: CardState) -> Result<(), Refusal> {
    tx.run(query("UPDATE cards SET state = $2 WHERE serial = $1").bind(serial).bind(state.name())).await?;
    Ok(())
}

/// The state of a card that is being issued, unless somebody else has moved it since.
pub(crate) async fn settle_state(tx: &mut Tx, serial: &str, state: CardState) -> Result<(), Refusal> {
    let update = query("UPDATE cards SET state = $2 WHERE serial = $1 AND state = 'Pending'");
    tx.run(update.bind(serial).bind(state.name())).await?;
    Ok(())
}

/// A card is issued; when that was the first time stays.
pub(crate) async fn note_issued(tx: &mut Tx, serial: &str, now: Millis) -> Result<(), Refusal> {
    tx.run(query("UPDATE cards SET issued_at = $2 WHERE serial = $1 AND issued_at = 0").bind(serial).bind(now)).await?;
    Ok(())
}

/// A card is in the repository no more; nothing may hang on it.
pub(crate) async fn delete(tx: &mut Tx, serial: &str) -> Result<(), Refusal> {
    tx.run(query("DELETE FROM card_words WHERE card = $1").bind(serial)).await?;
    tx.run(query("DELETE FROM card_tags WHERE card = $1").bind(serial)).await?;
    tx.run(query("DELETE FROM cards WHERE serial = $1").bind(serial)).await?;
    Ok(())
}

/// Where a card's key comes from, as the record has it.
pub(crate) async fn correct_key(tx: &mut Tx, card: &CardRecord) -> Result<(), Refusal> {
    let update = "UPDATE cards SET admin_key = $2, sealed_key = $3, key_pending = $4 WHERE serial = $1";
    tx.run(query(update).bind(&card.serial).bind(card.key.name()).bind(&card.sealed).bind(card.key_pending)).await?;
    Ok(())
}

/// The version of the key that is being put on a card; 0 for none.
pub(crate) async fn set_key_pending(tx: &mut Tx, serial: &str, version: i64) -> Result<(), Refusal> {
    tx.run(query("UPDATE cards SET key_pending = $2 WHERE serial = $1").bind(serial).bind(version)).await?;
    Ok(())
}

/// A card has the derived key of this version.
pub(crate) async fn set_key(tx: &mut Tx, serial: &str, version: i64) -> Result<(), Refusal> {
    let update = "UPDATE cards SET admin_key = $2, key_version = $3, key_pending = 0, sealed_key = '' WHERE serial = $1";
    tx.run(query(update).bind(serial).bind(KeySource::Derived.name()).bind(version)).await?;
    Ok(())
}
