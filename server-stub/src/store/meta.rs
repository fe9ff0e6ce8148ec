//! Table `meta`: what is known of the database itself.

use super::rows::text;
use super::{Snapshot, Tx};
use crate::model::random;
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

/// Writes this many bytes, which mean nothing: to see whether that can be done.
pub(crate) async fn fill(tx: &mut Tx, bytes: usize) -> Result<(), Refusal> {
    // Nothing that could be written shorter than it is; a token has 32 characters.
    let text: String = std::iter::repeat_with(random::token).take(bytes.div_ceil(32)).collect();
    let fill = "INSERT INTO meta (name, value) VALUES ('room', $1) ON CONFLICT (name) DO UPDATE SET value = $1";
    tx.run(query(fill).bind(text)).await?;
    Ok(())
}

/// Takes them away.
pub(crate) async fn empty(tx: &mut Tx) -> Result<(), Refusal> {
    tx.run(query("DELETE FROM meta WHERE name = 'room'")).await?;
    Ok(())
}
