//! Table `operators`: who works at the console.

use super::rows::{json, number, optional, text};
use super::{Snapshot, Tx};
use crate::model::names;
use crate::model::refusal::Refusal;
use crate::model::role::{OperatorView, Role};
use sqlx::any::AnyRow;
use sqlx::query;

/// An operator as the login knows one.
pub(crate) struct OperatorRow {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) password: String,
    /// Id of the catalog user who the operator is.
    pub(crate) user: Option<String>,
    /// No user of the catalog, or an active one.
    pub(crate) may_log_in: bool,
    pub(crate) role: Option<Role>,
    pub(crate) role_name: Option<String>,
}

/// Columns of an [`OperatorRow`].
const COLUMNS: &str = "SELECT operators.*, roles.name AS role_name, roles.body AS role, users.catalog_state FROM operators \
                       LEFT JOIN roles ON roles.id = operators.role_id LEFT JOIN users ON users.id = operators.user_id";

pub(super) fn of_row(row: &AnyRow) -> Result<OperatorRow, Refusal> {
    let user = optional(row, "user_id")?;
    Ok(OperatorRow {
        id: text(row, "id")?,
        name: text(row, "name")?,
        password: text(row, "password")?,
        may_log_in: user.is_none() || optional(row, "catalog_state")?.as_deref() == Some("active"),
        user,
        role: optional(row, "role")?.map(|_| json(row, "role")).transpose()?,
        role_name: optional(row, "role_name")?,
    })
}

/// The operator of this id.
pub(crate) async fn by_id(conn: &mut Snapshot, id: &str) -> Result<Option<OperatorRow>, Refusal> {
    let found = sqlx::AssertSqlSafe([COLUMNS, " WHERE operators.id = $1"].concat());
    conn.optional(query(found).bind(id)).await?.as_ref().map(of_row).transpose()
}

/// The operator of this name; of several that compare alike the one who is written so ([`names::the_one`]).
pub(crate) async fn by_name(conn: &mut Snapshot, name: &str) -> Result<Option<OperatorRow>, Refusal> {
    let found = sqlx::AssertSqlSafe([COLUMNS, " WHERE operators.name_key = $1"].concat());
    let rows = conn.all(query(found).bind(names::key(name))).await?;
    let found = rows.iter().map(of_row).collect::<Result<Vec<_>, _>>()?;
    Ok(names::the_one(found, name, |operator| vec![operator.name.clone()]))
}

/// Whether an operator of this name is somebody else than the user of the id `user`.
pub(crate) async fn somebody_is_called(conn: &mut Snapshot, name: &str, user: Option<&str>) -> Result<bool, Refusal> {
    let found = query("SELECT id FROM operators WHERE name_key = $1 AND (user_id IS NULL OR user_id <> $2) LIMIT 1");
    Ok(conn.optional(found.bind(names::key(name)).bind(user.unwrap_or_default())).await?.is_some())
}

/// All operators, by name.
pub(crate) async fn all(conn: &mut Snapshot) -> Result<Vec<OperatorView>, Refusal> {
    let rows = conn.all(query("SELECT id, name, role_id FROM operators ORDER BY name")).await?;
    rows.iter().map(view_of_row).collect()
}

fn view_of_row(row: &AnyRow) -> Result<OperatorView, Refusal> {
    Ok(OperatorView::new(text(row, "id")?, text(row, "name")?, optional(row, "role_id")?))
}

/// The operator of this id, as administrators see one.
pub(crate) async fn view(conn: &mut Snapshot, id: &str) -> Result<Option<OperatorView>, Refusal> {
    let row = conn.optional(query("SELECT id, name, role_id FROM operators WHERE id = $1").bind(id)).await?;
    row.as_ref().map(view_of_row).transpose()
}

/// How many there are.
pub(crate) async fn count(conn: &mut Snapshot) -> Result<i64, Refusal> {
    number(&conn.one(query("SELECT COUNT(*) AS n FROM operators")).await?, "n")
}

/// The roles of those who may log in.
pub(crate) async fn roles_of_active(conn: &mut Snapshot) -> Result<Vec<Role>, Refusal> {
    let roles = "SELECT roles.body FROM operators JOIN roles ON roles.id = operators.role_id \
                 LEFT JOIN users ON users.id = operators.user_id \
                 WHERE operators.user_id IS NULL OR users.catalog_state = 'active'";
    conn.all(query(roles)).await?.iter().map(|row| json(row, "body")).collect()
}

/// The id of the role that an operator has.
pub(crate) async fn role_id(conn: &mut Snapshot, id: &str) -> Result<Option<String>, Refusal> {
    let row = conn.optional(query("SELECT role_id FROM operators WHERE id = $1").bind(id)).await?;
    row.map_or(Ok(None), |row| optional(&row, "role_id"))
}

/// A new operator.
pub(crate) async fn insert(tx: &mut Tx, new: &OperatorRow, role: Option<&str>) -> Result<(), Refusal> {
    let insert = query("INSERT INTO operators (id, name, password, role_id, user_id, name_key) VALUES ($1, $2, $3, $4, $5, $6)");
    let insert = insert.bind(&new.id).bind(&new.name).bind(&new.password).bind(role).bind(&new.user);
    tx.run(insert.bind(names::key(&new.name))).await?;
    Ok(())
}

/// How many have a role.
pub(crate) async fn of_role(conn: &mut Snapshot, role: &str) -> Result<i64, Refusal> {
    number(&conn.one(query("SELECT COUNT(*) AS n FROM operators WHERE role_id = $1").bind(role)).await?, "n")
}

/// Another name, and the hash of the password.
pub(crate) async fn set(tx: &mut Tx, id: &str, name: &str, password: &str) -> Result<(), Refusal> {
    let update = query("UPDATE operators SET name = $2, name_key = $3, password = $4 WHERE id = $1");
    tx.run(update.bind(id).bind(name).bind(names::key(name)).bind(password)).await?;
    Ok(())
}

/// Takes an operator away.
pub(crate) async fn delete(tx: &mut Tx, id: &str) -> Result<(), Refusal> {
    tx.run(query("DELETE FROM operators WHERE id = $1").bind(id)).await?;
    Ok(())
}

/// Gives an operator another role, or none.
pub(crate) async fn set_role(tx: &mut Tx, id: &str, role: Option<&str>) -> Result<(), Refusal> {
    tx.run(query("UPDATE operators SET role_id = $2 WHERE id = $1").bind(id).bind(role)).await?;
    Ok(())
}
