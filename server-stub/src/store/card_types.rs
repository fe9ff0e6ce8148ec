//! Table `card_types`: how cards of a make are unlocked.

use super::rows::{body, json, number, text};
use super::{Snapshot, Tx};
use crate::model::card::CardType;
use crate::model::names;
use crate::model::refusal::Refusal;
use sqlx::query;

/// All card types, by id, each with whether cards have it.
pub(crate) async fn all(conn: &mut Snapshot) -> Result<Vec<(String, CardType, bool)>, Refusal> {
    let all = "SELECT card_types.*, CASE WHEN EXISTS (SELECT 1 FROM cards WHERE card_type = card_types.id) \
               THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END AS used FROM card_types ORDER BY id";
    let rows = conn.all(query(all)).await?;
    rows.iter().map(|row| Ok((text(row, "id")?, json(row, "body")?, number(row, "used")? == 1))).collect()
}

/// The card type of this id.
pub(crate) async fn by_id(conn: &mut Snapshot, id: &str) -> Result<Option<CardType>, Refusal> {
    let row = conn.optional(query("SELECT body FROM card_types WHERE id = $1").bind(id)).await?;
    row.map(|row| json(&row, "body")).transpose()
}

/// How many cards have this type.
pub(crate) async fn uses(conn: &mut Snapshot, id: &str) -> Result<i64, Refusal> {
    number(&conn.one(query("SELECT COUNT(*) AS n FROM cards WHERE card_type = $1").bind(id)).await?, "n")
}

/// Another cipher and PIN.
pub(crate) async fn set(tx: &mut Tx, id: &str, about: &CardType) -> Result<(), Refusal> {
    tx.run(query("UPDATE card_types SET body = $2 WHERE id = $1").bind(id).bind(body(about))).await?;
    Ok(())
}

/// Takes a card type away that no card has.
pub(crate) async fn delete(tx: &mut Tx, id: &str) -> Result<(), Refusal> {
    tx.run(query("DELETE FROM card_types WHERE id = $1").bind(id)).await?;
    Ok(())
}

/// A new card type.
pub(crate) async fn insert(tx: &mut Tx, id: &str, about: &CardType) -> Result<(), Refusal> {
    let insert = query("INSERT INTO card_types (id, body, name_key) VALUES ($1, $2, $3)");
    tx.run(insert.bind(id).bind(body(about)).bind(names::key(id))).await?;
    Ok(())
}
