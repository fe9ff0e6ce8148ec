//! Table `roles`: what operators may do.

use super::rows::{body, json, text};
use super::{Snapshot, Tx};
use crate::model::names;
use crate::model::refusal::Refusal;
use crate::model::role::{NamedRole, Role};
use sqlx::any::AnyRow;
use sqlx::query;

fn of_row(row: &AnyRow) -> Result<NamedRole, Refusal> {
    Ok(NamedRole::new(text(row, "id")?, text(row, "name")?, json(row, "body")?))
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

/// The role of this name; of several that compare alike the one that is written so ([`names::the_one`]).
pub(crate) async fn by_name(conn: &mut Snapshot, name: &str) -> Result<Option<NamedRole>, Refusal> {
    let rows = conn.all(query("SELECT * FROM roles WHERE name_key = $1").bind(names::key(name))).await?;
    let found = rows.iter().map(of_row).collect::<Result<Vec<_>, _>>()?;
    Ok(names::the_one(found, name, |role| vec![role.name.clone()]))
}

/// Takes a role away that nobody has.
pub(crate) async fn delete(tx: &mut Tx, id: &str) -> Result<(), Refusal> {
    tx.run(query("DELETE FROM roles WHERE id = $1").bind(id)).await?;
    Ok(())
}

/// A new role.
pub(crate) async fn insert(tx: &mut Tx, id: &str, name: &str, role: &Role) -> Result<(), Refusal> {
    let insert = query("INSERT INTO roles (id, name, body, name_key) VALUES ($1, $2, $3, $4)");
    tx.run(insert.bind(id).bind(name).bind(body(role)).bind(names::key(name))).await?;
    Ok(())
}

/// What a role is called and allows now.
pub(crate) async fn set(tx: &mut Tx, id: &str, name: &str, role: &Role) -> Result<(), Refusal> {
    let update = query("UPDATE roles SET name = $2, name_key = $3, body = $4 WHERE id = $1");
    tx.run(update.bind(id).bind(name).bind(names::key(name)).bind(body(role))).await?;
    Ok(())
}
