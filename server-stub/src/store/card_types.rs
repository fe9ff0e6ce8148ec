//! Table `card_types`: how cards of a make are unlocked.

use super::rows::{body, json, text};
use super::{Snapshot, Tx};
use crate::model::card::CardType;
use crate::model::names;
use crate::model::refusal::Refusal;
use sqlx::query;

/// All card types, by id.
pub(crate) async fn all(conn: &mut Snapshot) -> Result<Vec<(String, CardType)>, Refusal> {
    let rows = conn.all(query("SELECT * FROM card_types ORDER BY id")).await?;
    rows.iter().map(|row| Ok((text(row, "id")?, json(row, "body")?))).collect()
}

/// The card type of this id.
pub(crate) async fn by_id(conn: &mut Snapshot, id: &str) -> Result<Option<CardType>, Refusal> {
    let row = conn.optional(query("SELECT body FROM card_types WHERE id = $1").bind(id)).await?;
    row.map(|row| json(&row, "body")).transpose()
}

/// A new card type.
pub(crate) async fn insert(tx: &mut Tx, id: &str, about: &CardType) -> Result<(), Refusal> {
    let insert = query("INSERT INTO card_types (id, body, name_key) VALUES ($1, $2, $3)");
    tx.run(insert.bind(id).bind(body(about)).bind(names::key(id))).await?;
    Ok(())
}
