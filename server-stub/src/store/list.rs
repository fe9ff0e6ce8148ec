//! Statements of lists: conditions that are there only when they are asked for, so that an index can serve those that are.

use super::Snapshot;
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

    /// How it would be done.
    #[cfg(test)]
    pub(super) async fn plan(mut self, conn: &mut Snapshot) -> String {
        use sqlx::Row as _;
        self.sql.insert_str(0, "EXPLAIN QUERY PLAN ");
        let rows = self.rows(conn).await.unwrap();
        rows.iter().map(|row| row.get::<String, _>("detail")).collect::<Vec<_>>().join("\n")
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
