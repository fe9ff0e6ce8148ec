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

/// More hits than this are not gathered and sorted; rows are looked at in the order of the list instead, where so many hits fill
/// a page soon.
const RARE: i64 = 10_000;

impl Words {
    /// The word that is found least often, when it is rare enough to begin with what has it.
    pub(super) async fn rarest(self, conn: &mut Snapshot, words: &[String]) -> Result<Option<usize>, Refusal> {
        if words.is_empty() {
            return Ok(None);
        }
        let mut count = List::new("SELECT ");
        for (index, word) in words.iter().enumerate() {
            count.sql(if index == 0 { "" } else { ", " }).sql("(SELECT COUNT(*) FROM (SELECT 1 AS one FROM ").sql(self.table);
            self.begins(count.sql(" WHERE "), word);
            count.sql(" LIMIT ").number(RARE).sql(&format!(") AS hits{index}) AS n{index}"));
        }
        let rows = count.rows(conn).await?;
        let mut rarest = None;
        for (index, _) in words.iter().enumerate() {
            let hits = rows.first().map_or(Ok(0), |row| number(row, &format!("n{index}")))?;
            if hits < RARE && rarest.is_none_or(|(least, _)| hits < least) {
                rarest = Some((hits, index));
            }
        }
        Ok(rarest.map(|(_, index)| index))
    }

    fn begins(self, list: &mut List, word: &str) {
        list.sql("word >= ").text(word).sql(" AND word < ").text(format!("{word}\u{10FFFF}"));
    }

    /// The rows of a table that have a word which begins so, as the first table of a statement; `AND` goes on.
    pub(super) fn from(self, list: &mut List, table: &str, key: &str, word: Option<&str>) {
        match word {
            None => drop(list.sql(table).sql(" WHERE 1 = 1")),
            Some(word) => {
                list.sql("(SELECT DISTINCT ").sql(self.of).sql(" FROM ").sql(self.table).sql(" WHERE ");
                self.begins(list, word);
                // In this order: SQLite then begins on the left.
                list.sql(") AS found CROSS JOIN ").sql(table).sql(" WHERE ").sql(key).sql(" = found.").sql(self.of);
            }
        }
    }

    /// ` AND` a row has a word that begins so.
    pub(super) fn has(self, list: &mut List, key: &str, word: &str) {
        list.sql(" AND EXISTS (SELECT 1 FROM ").sql(self.table).sql(" WHERE ").sql(self.of).sql(" = ").sql(key).sql(" AND ");
        self.begins(list, word);
        list.sql(")");
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
