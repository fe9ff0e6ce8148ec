//! Pages of a list, narrowed by what other tables know: by words, by what somebody is under.
//!
//! Of the conditions the one that the fewest meet is taken first. Its table has the places of the list beside it, so that what
//! meets it is gathered and put in order from an index alone, and only the rows of the page are read.

use super::Snapshot;
use super::list::List;
use super::rows::number;
use crate::model::refusal::Refusal;

/// Where another table says which rows of the list meet something; what they meet goes on behind.
#[derive(Clone, Copy)]
pub(super) struct Source {
    /// `SELECT` the list's columns of all that meet it, `FROM ... WHERE`.
    pub(super) all: &'static str,
    /// What one row of the list has there, `... WHERE column =`; the row's key goes on, and ` AND `.
    pub(super) of_one: &'static str,
}

/// A condition of which other tables say which rows meet it: by one of these.
pub(super) struct Condition(Vec<(Source, Met)>);

enum Met {
    /// By a word that begins so.
    Begins(String),
    /// By this text in this column.
    Is(&'static str, String),
    /// By one of these texts in this column.
    Among(&'static str, Vec<String>),
    /// By being there.
    Any,
}

/// A page of a list.
pub(super) struct Page {
    /// What is listed.
    pub(super) table: &'static str,
    /// Of that, the table that what is asked of a row is asked of.
    pub(super) asked: &'static str,
    /// The columns of its order, as the table has them and as the tables of its conditions have them; the last one tells rows
    /// apart.
    pub(super) by: [(&'static str, &'static str); 2],
    pub(super) down: bool,
    /// Where the page before this one ended.
    pub(super) after: Option<(String, String)>,
    /// Rows at most.
    pub(super) rows: i64,
}

/// More hits than this are not gathered and sorted; rows are looked at in the order of the list instead, where so many hits fill
/// a page soon.
pub(super) const RARE: i64 = 10_000;

/// A statement of a page that was begun.
pub(super) struct Begun {
    /// The columns of the order.
    order: [String; 2],
    /// The rows of the page are read when it is known which they are.
    pub(super) late: bool,
}

impl Page {
    /// The rows of the table that meet all of these, as the first table of a statement; `AND` goes on, until [`Page::end`].
    /// `rarest` is the condition to begin with, if any ([`Condition::rarest`]); `alone` when nothing else is asked of a row.
    pub(super) fn begin(&self, conditions: &[Condition], rarest: Option<usize>, alone: bool, list: &mut List) -> Begun {
        let [(place, of_place), (key, of_key)] = self.by;
        let Some(rarest) = rarest else {
            list.sql(self.table).sql(" WHERE 1 = 1");
            Condition::beside(conditions, key, list);
            let order = [place.to_owned(), key.to_owned()];
            self.past(&order, list);
            return Begun { order, late: false };
        };
        let first = &conditions[rarest];
        // Of thousands that are found a page is shown: of the others only what is asked is looked at.
        let late = !alone;
        list.sql(if late { "(SELECT found.place, found.key FROM " } else { "" });
        list.sql(&format!("(SELECT DISTINCT {of_place} AS place, {of_key} AS key FROM ("));
        first.all(list);
        list.sql(") AS hit WHERE 1 = 1");
        let others = conditions[..rarest].iter().chain(&conditions[rarest + 1..]);
        Condition::beside(others, &format!("hit.{of_key}"), list);
        self.past(&[of_place.to_owned(), of_key.to_owned()], list);
        if alone {
            self.first_rows(&["place".to_owned(), "key".to_owned()], list);
        }
        // In this order: SQLite then begins on the left.
        list.sql(") AS found CROSS JOIN ").sql(if late { self.asked } else { self.table });
        list.sql(" WHERE ").sql(key).sql(" = found.key");
        Begun { order: ["found.place", "found.key"].map(str::to_owned), late }
    }

    /// Ends the statement that was begun: what AND went on about is there now.
    pub(super) fn end(&self, Begun { order, late }: &Begun, list: &mut List) {
        self.first_rows(order, list);
        if *late {
            list.sql(") AS page CROSS JOIN ").sql(self.table).sql(" WHERE ").sql(self.by[1].0).sql(" = page.key");
            self.order(&["page.place".to_owned(), "page.key".to_owned()], list);
        }
    }

    fn first_rows(&self, order: &[String; 2], list: &mut List) {
        self.order(order, list);
        list.sql(" LIMIT ").number(self.rows);
    }

    fn past(&self, [place, key]: &[String; 2], list: &mut List) {
        if let Some((last, id)) = &self.after {
            list.sql(&format!(" AND ({place}, {key}) {} (", if self.down { "<" } else { ">" })).text(last);
            list.sql(", ").text(id).sql(")");
        }
    }

    fn order(&self, [place, key]: &[String; 2], list: &mut List) {
        let way = if self.down { "DESC" } else { "ASC" };
        list.sql(&format!(" ORDER BY {place} {way}, {key} {way}"));
    }
}

impl Condition {
    /// What `source` has with this text in `column`.
    pub(super) fn is(source: Source, column: &'static str, text: impl Into<String>) -> Self {
        Self(vec![(source, Met::Is(column, text.into()))])
    }

    /// Nothing, until something is said that it may be met by.
    pub(super) const fn none() -> Self {
        Self(Vec::new())
    }

    /// Or what `source` has with one of these texts in `column`, however many they are: an engine takes some hundred parts of a
    /// statement, and texts by the ten thousand.
    pub(super) fn or_among<'t>(mut self, source: Source, column: &'static str, texts: impl IntoIterator<Item = &'t str>) -> Self {
        let texts: Vec<String> = texts.into_iter().map(str::to_owned).collect();
        if !texts.is_empty() {
            self.0.push((source, Met::Among(column, texts)));
        }
        self
    }

    /// Or all that `source` has.
    pub(super) fn or_all(mut self, source: Source) -> Self {
        self.0.push((source, Met::Any));
        self
    }

    /// Or what `source` has with a word that begins so.
    pub(super) fn or_begins(mut self, source: Source, word: &str) -> Self {
        self.0.push((source, Met::Begins(word.to_owned())));
        self
    }

    /// Of these conditions the one that the fewest meet, when they are few enough to begin with it: in one statement for all, or none
    /// where there is nothing to count.
    pub(super) async fn rarest(these: &[Self], conn: &mut Snapshot) -> Result<Option<usize>, Refusal> {
        if these.is_empty() {
            return Ok(None);
        }
        let mut count = List::new("");
        for (index, condition) in these.iter().enumerate() {
            count.sql(&format!("{}SELECT CAST({index} AS BIGINT) AS of, ", if index == 0 { "" } else { " UNION ALL " }));
            condition.hits(&mut count);
            count.sql(" AS hits");
        }
        let mut hits = Vec::new();
        for row in count.rows(conn).await? {
            hits.push((number(&row, "of")?, number(&row, "hits")?));
        }
        hits.sort_unstable();
        Ok(Self::fewest(hits.into_iter().map(|(_, hits)| hits)))
    }

    /// The place of the fewest of these hits, of each condition in its place, when they are few enough to begin with them.
    pub(super) fn fewest(hits: impl IntoIterator<Item = i64>) -> Option<usize> {
        let few = hits.into_iter().enumerate().filter(|(_, hits)| *hits < RARE);
        few.min_by_key(|(_, hits)| *hits).map(|(place, _)| place)
    }

    /// How many meet it, as far as they are few enough to begin with them: a value in a statement.
    pub(super) fn hits(&self, list: &mut List) {
        list.sql("(SELECT COUNT(*) FROM (SELECT 1 AS one FROM (");
        self.all(list);
        list.sql(") AS hit LIMIT ").number(RARE).sql(") AS found)");
    }

    /// That what has this key meets these too.
    pub(super) fn beside<'c>(these: impl IntoIterator<Item = &'c Self>, key: &str, list: &mut List) {
        for Self(any) in these {
            for (index, (source, met)) in any.iter().enumerate() {
                list.sql(if index == 0 { " AND (" } else { " OR " });
                list.sql(&format!("EXISTS (SELECT 1 FROM {} {key} AND ", source.of_one));
                met.say(list);
                list.sql(")");
            }
            list.sql(")");
        }
    }

    /// All that meet it, of some more than once.
    pub(super) fn all(&self, list: &mut List) {
        for (index, (source, met)) in self.0.iter().enumerate() {
            list.sql(if index == 0 { "" } else { " UNION ALL " }).sql(source.all).sql(" ");
            met.say(list);
        }
    }
}

impl Met {
    fn say(&self, list: &mut List) {
        match self {
            Self::Begins(word) => list.sql("word >= ").text(word).sql(" AND word < ").text(format!("{word}\u{10FFFF}")),
            Self::Is(column, text) => list.sql(column).sql(" = ").text(text),
            Self::Among(column, texts) => list.sql(column).sql(" IN ").texts(texts.iter().map(String::as_str)),
            Self::Any => list.sql("1 = 1"),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Store, policies};
    use sqlx::Row as _;

    /// Who is under a policy is found by it: nobody else is read, neither to count nor to list them.
    #[tokio::test]
    async fn users_of_a_policy_are_found_by_an_index() {
        let store = Store::open("sqlite::memory:").await.unwrap();
        let mut snapshot = store.read().await.unwrap();
        let under = [policies::under("p")];
        let by = [("users.name_key", "name_key"), ("users.id", "user_id")];
        let page = Page { table: "users", asked: "users", by, down: false, after: None, rows: 50 };
        let mut list = List::new("EXPLAIN QUERY PLAN SELECT users.* FROM ");
        let begun = page.begin(&under, Some(0), true, &mut list);
        page.end(&begun, &mut list);
        let mut count = List::new("EXPLAIN QUERY PLAN SELECT COUNT(*) FROM (");
        under[0].all(&mut count);
        count.sql(") AS hit");
        for statement in [list, count] {
            let rows = statement.rows(&mut snapshot).await.unwrap();
            let plan = rows.iter().map(|row| row.get::<String, _>("detail")).collect::<Vec<_>>().join("\n");
            assert!(plan.contains("COVERING INDEX policy_links_of_policy (policy_id=?)"), "{plan}");
            assert!(!plan.contains("SCAN users") && !plan.contains("SCAN policy_links"), "{plan}");
        }
    }
}
