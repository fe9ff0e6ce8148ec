//! What things are called, as it is compared ([`names::key`]), in a column beside the name: both engines compare the same, and who
//! has found in a transaction that a name is nobody's may take it, as nobody writes between.

use super::given::Given;
use super::rows::text;
use super::{Snapshot, Tx};
use crate::model::names;
use crate::model::refusal::Refusal;
use serde_json::json;
use sqlx::{AssertSqlSafe, query};

/// The names of one table, with the column that has them.
pub(crate) struct Called {
    table: &'static str,
    name: &'static str,
}

pub(crate) const POLICIES: Called = Called { table: "policies", name: "name" };
pub(crate) const ROLES: Called = Called { table: "roles", name: "name" };
pub(crate) const OPERATORS: Called = Called { table: "operators", name: "name" };
pub(crate) const CARD_TYPES: Called = Called { table: "card_types", name: "id" };

/// All of them.
const ALL: [Called; 4] = [POLICIES, ROLES, OPERATORS, CARD_TYPES];

impl Called {
    /// Whether another than the one of the id `own` is called so; of `None` whether one is.
    pub(crate) async fn is_taken(&self, conn: &mut Snapshot, name: &str, own: Option<&str>) -> Result<bool, Refusal> {
        let found = format!("SELECT id FROM {} WHERE name_key = $1 AND id <> $2 LIMIT 1", self.table);
        let found = query(AssertSqlSafe(found)).bind(names::key(name)).bind(own.unwrap_or_default());
        Ok(conn.optional(found).await?.is_some())
    }
}

/// Fills the column of rows that an older version has written.
pub(super) async fn fill(tx: &mut Tx) -> Result<(), Refusal> {
    for Called { table, name } in ALL {
        let bare = format!("SELECT id, {name} AS called FROM {table} WHERE name_key = ''");
        let rows = tx.all(query(AssertSqlSafe(bare))).await?;
        let key = |row| Ok(json!([text(row, "id")?, names::key(&text(row, "called")?)]));
        let keys = rows.iter().map(key).collect::<Result<Vec<_>, Refusal>>()?;
        let update =
            format!("UPDATE {table} SET name_key = given.value ->> 1 FROM {{given}} WHERE {table}.id = given.value ->> 0");
        Given::new(keys).run(tx, &update).await?;
    }
    Ok(())
}
