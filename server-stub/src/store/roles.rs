//! Table `roles`: what operators may do.

use super::rows::{body, json, text};
use super::{Snapshot, Tx};
use crate::model::refusal::Refusal;
use crate::model::role::{NamedRole, Role};
use sqlx::any::AnyRow;
use sqlx::query;

fn of_row(row: &AnyRow) -> Result<NamedRole, Refusal> {
    Ok(NamedRole { id: text(row, "id")?, name: text(row, "name")?, role: json(row, "body")? })
}

/// All roles, by name.
pub(crate) async fn all(conn: &mut Snapshot) -> Result<Vec<NamedRole>, Refusal> {
    conn.all(query("SELECT * FROM roles ORDER BY name")).await?.iter().map(of_row).collect()
}

/// The role of this id.
pub(crate) async fn by_id(conn: &mut Snapshot, id: &str) -> Result<Option<NamedRole>, Refusal> {
    let row = conn.optional(query("SELECT * FROM roles WHERE id = $1").bind(id)).await?;
    row.as_ref().map(of_row).transpose()
}

/// The role of this name.
pub(crate) async fn by_name(conn: &mut Snapshot, name: &str) -> Result<Option<NamedRole>, Refusal> {
    let row = conn.optional(query("SELECT * FROM roles WHERE name = $1").bind(name)).await?;
    row.as_ref().map(of_row).transpose()
}

/// A new role.
pub(crate) async fn insert(tx: &mut Tx, id: &str, name: &str, role: &Role) -> Result<(), Refusal> {
    tx.run(query("INSERT INTO roles (id, name, body) VALUES ($1, $2, $3)").bind(id).bind(name).bind(body(role))).await?;
    Ok(())
}

/// What a role allows now.
pub(crate) async fn set(tx: &mut Tx, id: &str, role: &Role) -> Result<(), Refusal> {
    tx.run(query("UPDATE roles SET body = $2 WHERE id = $1").bind(id).bind(body(role))).await?;
    Ok(())
}
