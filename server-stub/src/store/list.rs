//! Statements of lists: conditions that are there only when they are asked for, so that an index can serve those that are.

use super::rows::number;
use super::{Snapshot, Tx};
use crate::model::refusal::Refusal;
use sqlx::any::AnyRow;
use sqlx::query;

enum Bound {
    Text(String),
    Number(i64),
}

/// A statement in the making.
pub(super) struct List {
    sql: String,
    bound: Vec<Bound>,
}

impl List {
    /// Begins as written.
    pub(super) fn new(sql: impl Into<String>) -> Self {
        Self { sql: sql.into(), bound: Vec::new() }
    }

    /// As written.
    pub(super) fn sql(&mut self, sql: &str) -> &mut Self {
        self.sql.push_str(sql);
        self
    }

    /// A text in this place.
    pub(super) fn text(&mut self, text: impl Into<String>) -> &mut Self {
        self.bound.push(Bound::Text(text.into()));
        self.sql.push_str(&format!("${}", self.bound.len()));
        self
    }

    /// A number in this place.
    pub(super) fn number(&mut self, number: i64) -> &mut Self {
        self.bound.push(Bound::Number(number));
        self.sql.push_str(&format!("${}", self.bound.len()));
        self
    }

    /// ` AND column = text`, when there is one, and no index for it: another one is better.
    pub(super) fn is_beside(&mut self, column: &str, text: Option<&str>) -> &mut Self {
        if let Some(text) = text {
            self.sql(" AND (").sql(column).sql(" || '') = ").text(text);
        }
        self
    }

    /// ` AND column = text`, when there is one.
    pub(super) fn is(&mut self, column: &str, text: Option<&str>) -> &mut Self {
        if let Some(text) = text {
            self.sql(" AND ").sql(column).sql(" = ").text(text);
        }
        self
    }

    /// These texts in parentheses.
    pub(super) fn texts<'t>(&mut self, texts: impl IntoIterator<Item = &'t str>) -> &mut Self {
        self.sql("(");
        for (index, text) in texts.into_iter().enumerate() {
            self.sql(if index == 0 { "" } else { ", " }).text(text);
        }
        self.sql(")")
    }

    /// Its rows.
    pub(super) async fn rows(self, conn: &mut Snapshot) -> Result<Vec<AnyRow>, Refusal> {
        // There are as many of them as there are filters: none is kept prepared.
        let mut statement = query(sqlx::AssertSqlSafe(self.sql)).persistent(false);
        for bound in self.bound {
            statement = match bound {
                Bound::Text(text) => statement.bind(text),
                Bound::Number(number) => statement.bind(number),
            };
        }
        conn.all(statement).await
    }
}

/// A table of words: its name, and the column of what has them.
#[derive(Clone, Copy)]
pub(super) struct Words {
    pub(super) table: &'static str,
    pub(super) of: &'static str,
}

/// A condition of which another table says which rows meet it.
pub(super) struct Condition {
    table: &'static str,
    /// The column of what meets it.
    of: &'static str,
    met: Met,
}

enum Met {
    /// By a word that begins so.
    Begins(String),
    /// By this text in this column.
    Is(&'static str, String),
}

/// More hits than this are not gathered and sorted; rows are looked at in the order of the list instead, where so many hits fill
/// a page soon.
const RARE: i64 = 10_000;

impl Condition {
    /// What `table` has in the column `of`, in rows with this text in `column`.
    pub(super) fn is(table: &'static str, of: &'static str, column: &'static str, text: impl Into<String>) -> Self {
        Self { table, of, met: Met::Is(column, text.into()) }
    }

    /// The one that the fewest meet, when they are few enough to begin with them.
    async fn rarest(these: &[Self], conn: &mut Snapshot) -> Result<Option<usize>, Refusal> {
        if these.is_empty() {
            return Ok(None);
        }
        let mut count = List::new("SELECT ");
        for (index, condition) in these.iter().enumerate() {
            let table = condition.table;
            count.sql(if index == 0 { "" } else { ", " }).sql("(SELECT COUNT(*) FROM (SELECT 1 AS one FROM ").sql(table);
            condition.met(count.sql(" WHERE "));
            count.sql(" LIMIT ").number(RARE).sql(&format!(") AS hits{index}) AS n{index}"));
        }
        let rows = count.rows(conn).await?;
        let mut rarest = None;
        for (index, _) in these.iter().enumerate() {
            let hits = rows.first().map_or(Ok(0), |row| number(row, &format!("n{index}")))?;
            if hits < RARE && rarest.is_none_or(|(least, _)| hits < least) {
                rarest = Some((hits, index));
            }
        }
        Ok(rarest.map(|(_, index)| index))
    }

    /// The rows of a table that meet all of these, as the first table of a statement; `AND` goes on. `key` is the column that
    /// the others name.
    pub(super) async fn all(these: &[Self], conn: &mut Snapshot, list: &mut List, table: &str, key: &str) -> Result<(), Refusal> {
        let rarest = Self::rarest(these, conn).await?;
        match rarest.map(|index| &these[index]) {
            None => drop(list.sql(table).sql(" WHERE 1 = 1")),
            Some(first) => {
                list.sql("(SELECT DISTINCT ").sql(first.of).sql(" FROM ").sql(first.table).sql(" WHERE ");
                first.met(list);
                // In this order: SQLite then begins on the left.
                list.sql(") AS found CROSS JOIN ").sql(table).sql(" WHERE ").sql(key).sql(" = found.").sql(first.of);
            }
        }
        for (index, other) in these.iter().enumerate() {
            if rarest != Some(index) {
                list.sql(" AND EXISTS (SELECT 1 FROM ").sql(other.table);
                list.sql(" WHERE ").sql(other.of).sql(" = ").sql(key).sql(" AND ");
                other.met(list);
                list.sql(")");
            }
        }
        Ok(())
    }

    fn met(&self, list: &mut List) {
        match &self.met {
            Met::Begins(word) => list.sql("word >= ").text(word).sql(" AND word < ").text(format!("{word}\u{10FFFF}")),
            Met::Is(column, text) => list.sql(column).sql(" = ").text(text),
        };
    }
}

impl Words {
    /// What has a word that begins so, of each of these.
    pub(super) fn begin(self, words: Vec<String>) -> Vec<Condition> {
        let begins = |word| Condition { table: self.table, of: self.of, met: Met::Begins(word) };
        words.into_iter().map(begins).collect()
    }

    /// These are the words of something new.
    pub(super) async fn insert(self, tx: &mut Tx, of: &str, words: &[String]) -> Result<(), Refusal> {
        if words.is_empty() {
            return Ok(());
        }
        let places: Vec<String> = (0..words.len()).map(|n| format!("($1, ${})", n + 2)).collect();
        let sql = format!("INSERT INTO {} ({}, word) VALUES {}", self.table, self.of, places.join(", "));
        let mut insert = query(sqlx::AssertSqlSafe(sql)).bind(of.to_owned());
        for word in words {
            insert = insert.bind(word.clone());
        }
        tx.run(insert).await?;
        Ok(())
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
        let mut list = List::new("EXPLAIN QUERY PLAN SELECT users.* FROM ");
        Condition::all(&under, &mut snapshot, &mut list, "users", "users.id").await.unwrap();
        list.sql(" ORDER BY name_key ASC, id ASC LIMIT ").number(50);
        let mut count = List::new("EXPLAIN QUERY PLAN SELECT COUNT(*) FROM policy_links WHERE ");
        under[0].met(&mut count);
        for statement in [list, count] {
            let rows = statement.rows(&mut snapshot).await.unwrap();
            let plan = rows.iter().map(|row| row.get::<String, _>("detail")).collect::<Vec<_>>().join("\n");
            assert!(plan.contains("INDEX policy_links_of_policy (policy_id=?)"), "{plan}");
            assert!(!plan.contains("SCAN users") && !plan.contains("SCAN policy_links"), "{plan}");
        }
    }
}
