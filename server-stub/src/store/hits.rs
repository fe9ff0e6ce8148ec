//! Table `hits`: what is counted for limits, in the database, so that several servers count together.

use super::rows::number;
use super::{Snapshot, Tx};
use crate::model::clock::Millis;
use crate::model::limit::{HOUR, Limit, MINUTE};
use crate::model::refusal::Refusal;
use crate::words::{Sentence, sentence};
use sqlx::query;

/// Counts one more in `bucket`, or refuses it.
///
/// # Errors
/// [`RateLimited`](crate::model::refusal::Code::RateLimited) with the time to wait.
pub(crate) async fn count(tx: &mut Tx, limit: Limit, bucket: &str, now: Millis) -> Result<(), Refusal> {
    check(tx, limit, bucket, now).await?;
    tx.run(query("INSERT INTO hits (bucket, at) VALUES ($1, $2)").bind(bucket).bind(now)).await?;
    Ok(())
}

/// Whether one more would be too many.
///
/// # Errors
/// [`RateLimited`](crate::model::refusal::Code::RateLimited) with the time to wait.
async fn check(conn: &mut Snapshot, limit: Limit, bucket: &str, now: Millis) -> Result<(), Refusal> {
    let counted = "SELECT COUNT(*) AS n, COALESCE(MIN(at), 0) AS first FROM hits WHERE bucket = $1 AND at > $2";
    let row = conn.one(query(counted).bind(bucket).bind(now - limit.window)).await?;
    if number(&row, "n")? < limit.times {
        return Ok(());
    }
    // What a clock that was wrong has counted ahead of now is put right by the next sweep.
    let first = number(&row, "first")?.min(now);
    let wait = first + limit.window - now;
    let (minutes, seconds) = ((wait + MINUTE - 1) / MINUTE, wait.max(0).unsigned_abs().div_ceil(1000));
    let sentence = sentence!("refused-too-often", what = Sentence::named(limit.what), minutes = minutes);
    Err(Refusal::too_often(bucket, seconds, sentence))
}

/// Takes back what was counted in `bucket`.
pub(crate) async fn forget(tx: &mut Tx, bucket: &str) -> Result<(), Refusal> {
    tx.run(query("DELETE FROM hits WHERE bucket = $1").bind(bucket)).await?;
    Ok(())
}

/// Takes back the latest that was counted in `bucket`, and no other.
pub(crate) async fn take_back(tx: &mut Tx, bucket: &str) -> Result<(), Refusal> {
    let latest = "DELETE FROM hits WHERE bucket = $1 AND at = (SELECT MAX(at) FROM hits WHERE bucket = $1) RETURNING at";
    let rows = tx.all(query(latest).bind(bucket)).await?;
    // Of several at one moment, one.
    for row in rows.iter().skip(1) {
        tx.run(query("INSERT INTO hits (bucket, at) VALUES ($1, $2)").bind(bucket).bind(number(row, "at")?)).await?;
    }
    Ok(())
}

/// Deletes what no limit counts any more. What a clock that was wrong has counted in the future counts from now on, no longer
/// than other things.
pub(crate) async fn sweep(tx: &mut Tx, now: Millis) -> Result<(), Refusal> {
    tx.run(query("DELETE FROM hits WHERE at <= $1").bind(now - HOUR)).await?;
    tx.run(query("UPDATE hits SET at = $1 WHERE at > $1").bind(now)).await?;
    Ok(())
}
