//! Many rows given to a statement at once, as one text of JSON: however many they are, it is one statement with one text bound.

use super::{Snapshot, Tx};
use crate::model::refusal::Refusal;
use serde_json::Value;
use sqlx::{AssertSqlSafe, query};

/// Rows of a table that are gone through in one statement.
pub(super) const AT_ONCE: i64 = 2000;

/// Rows, each a list: of texts, and of lists of texts.
pub(super) struct Given(String);

impl Given {
    pub(super) fn new(rows: Vec<Value>) -> Self {
        Self(Value::Array(rows).to_string())
    }

    /// Writes by a statement in which `{given}` stands for these rows behind `FROM`: `given.value ->> 0` is the first text of one.
    /// `{each N}` is what stands in such a row's list at the place N, a row each.
    pub(super) async fn run(&self, tx: &mut Tx, sql: &str) -> Result<(), Refusal> {
        let (given, each) = words_of(tx);
        let sql = sql.replace("{given}", given).replace("{each ", each);
        tx.run(query(AssertSqlSafe(sql.replace('}', ")"))).bind(self.0.clone())).await?;
        Ok(())
    }
}

/// As the engine has them; of what is given in the list of a row the beginning.
fn words_of(conn: &Snapshot) -> (&'static str, &'static str) {
    if conn.is_postgres() {
        ("json_array_elements(CAST($1 AS json)) AS given", "json_array_elements_text(given.value -> ")
    } else {
        ("json_each($1) AS given", "json_each(given.value -> ")
    }
}
