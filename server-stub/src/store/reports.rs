//! Table `reports`: what workstations have told, by SHA-256, so that the same again is not told twice.

use super::Tx;
use crate::model::clock::Millis;
use crate::model::refusal::Refusal;
use sqlx::query;

/// Whether this very report has not come before; from now on it has.
pub(crate) async fn is_new(tx: &mut Tx, fingerprint: &str, at: Millis) -> Result<bool, Refusal> {
    let insert = query("INSERT INTO reports (fingerprint, at) VALUES ($1, $2) ON CONFLICT (fingerprint) DO NOTHING");
    Ok(tx.run(insert.bind(fingerprint).bind(at)).await? == 1)
}

/// Deletes those that are this old.
pub(crate) async fn sweep(tx: &mut Tx, until: Millis) -> Result<(), Refusal> {
    tx.run(query("DELETE FROM reports WHERE at <= $1").bind(until)).await?;
    Ok(())
}
