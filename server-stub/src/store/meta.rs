//! Table `meta`: what is known of the database itself.

use super::rows::text;
use super::{Snapshot, Tx};
use crate::model::refusal::Refusal;
use sqlx::query;

/// A value by its name.
pub(crate) async fn value(conn: &mut Snapshot, name: &str) -> Result<Option<String>, Refusal> {
    let row = conn.optional(query("SELECT value FROM meta WHERE name = $1").bind(name)).await?;
    row.map(|row| text(&row, "value")).transpose()
}

/// Gives a name its value.
pub(crate) async fn insert(tx: &mut Tx, name: &str, value: &str) -> Result<(), Refusal> {
    tx.run(query("INSERT INTO meta (name, value) VALUES ($1, $2)").bind(name).bind(value)).await?;
    Ok(())
}
