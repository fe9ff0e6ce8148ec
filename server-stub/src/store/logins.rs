//! Table `logins`: who is logged in. A token is known by its SHA-256.

use super::operators::{self, OperatorRow};
use super::rows::{number, text};
use super::{Snapshot, Tx};
use crate::model::clock::Millis;
use crate::model::refusal::Refusal;
use sqlx::any::AnyRow;
use sqlx::query;

/// A login that there is.
pub(crate) struct LoginRow {
    /// What a page must send back with a form.
    pub(crate) csrf: String,
    /// When it ends if it is not used.
    pub(crate) expires: Millis,
}

fn of_row(row: &AnyRow) -> Result<LoginRow, Refusal> {
    Ok(LoginRow { csrf: text(row, "csrf")?, expires: number(row, "expires")? })
}

/// A login at the console, and the operator as one is now.
pub(crate) async fn of_operator(conn: &mut Snapshot, fingerprint: &str) -> Result<Option<(LoginRow, OperatorRow)>, Refusal> {
    let found = "SELECT logins.csrf, logins.expires, operators.*, roles.name AS role_name, roles.body AS role, users.catalog_state FROM logins \
                 JOIN operators ON operators.id = logins.subject LEFT JOIN roles ON roles.id = operators.role_id \
                 LEFT JOIN users ON users.id = operators.user_id WHERE logins.token = $1 AND logins.kind = 'console'";
    let row = conn.optional(query(found).bind(fingerprint)).await?;
    row.map(|row| Ok((of_row(&row)?, operators::of_row(&row)?))).transpose()
}

/// A login of an active user at Self-Service, and the user's id.
pub(crate) async fn of_user(conn: &mut Snapshot, fingerprint: &str) -> Result<Option<(LoginRow, String)>, Refusal> {
    let found = "SELECT logins.csrf, logins.expires, users.id FROM logins JOIN users ON users.id = logins.subject \
                 WHERE logins.token = $1 AND logins.kind = 'self-service' AND users.catalog_state = 'active'";
    let row = conn.optional(query(found).bind(fingerprint)).await?;
    row.map(|row| Ok((of_row(&row)?, text(&row, "id")?))).transpose()
}

/// A new login. `kind` is where: `console` or `self-service`; `subject` the id of the operator or user.
pub(crate) async fn insert(
    tx: &mut Tx,
    (fingerprint, csrf): (&str, &str),
    kind: &str,
    subject: &str,
    expires: Millis,
) -> Result<(), Refusal> {
    let insert = query("INSERT INTO logins (token, kind, subject, csrf, expires) VALUES ($1, $2, $3, $4, $5)");
    tx.run(insert.bind(fingerprint).bind(kind).bind(subject).bind(csrf).bind(expires)).await?;
    Ok(())
}

/// The login lasts on.
pub(crate) async fn prolong(tx: &mut Tx, fingerprint: &str, expires: Millis) -> Result<(), Refusal> {
    tx.run(query("UPDATE logins SET expires = $2 WHERE token = $1").bind(fingerprint).bind(expires)).await?;
    Ok(())
}

/// Ends a login.
pub(crate) async fn delete(tx: &mut Tx, fingerprint: &str) -> Result<(), Refusal> {
    tx.run(query("DELETE FROM logins WHERE token = $1").bind(fingerprint)).await?;
    Ok(())
}

/// Ends the logins of a user, also those as the operator who the user is.
pub(crate) async fn delete_of_user(tx: &mut Tx, user: &str) -> Result<(), Refusal> {
    let delete = "DELETE FROM logins WHERE subject = $1 OR subject IN (SELECT id FROM operators WHERE user_id = $1)";
    tx.run(query(delete).bind(user)).await?;
    Ok(())
}

/// Ends the logins of an operator.
pub(crate) async fn delete_of_operator(tx: &mut Tx, operator: &str) -> Result<(), Refusal> {
    tx.run(query("DELETE FROM logins WHERE subject = $1").bind(operator)).await?;
    Ok(())
}

/// Deletes those that have ended.
pub(crate) async fn sweep(tx: &mut Tx, now: Millis) -> Result<(), Refusal> {
    tx.run(query("DELETE FROM logins WHERE expires <= $1").bind(now)).await?;
    Ok(())
}
