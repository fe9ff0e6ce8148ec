//! Table `refusals`: what was refused as too often since the log last had it. The log is for ever, and who is refused costs it no
//! row a request.

use super::Tx;
use super::rows::{number, text};
use crate::model::clock::Millis;
use crate::model::limit::MINUTE;
use crate::model::refusal::Refusal;
use sqlx::query;

/// One more was refused in `bucket`: how many were since the log last had it, or none when that is not a minute ago.
pub(crate) async fn count(tx: &mut Tx, bucket: &str, now: Millis) -> Result<Option<i64>, Refusal> {
    let more = "UPDATE refusals SET refused = refused + 1 WHERE bucket = $1 AND at > $2 AND at <= $3";
    if tx.run(query(more).bind(bucket).bind(now - MINUTE).bind(now)).await? > 0 {
        return Ok(None);
    }
    let row = tx.optional(query("SELECT refused FROM refusals WHERE bucket = $1").bind(bucket)).await?;
    let before = row.map_or(Ok(0), |row| number(&row, "refused"))?;
    let anew =
        "INSERT INTO refusals (bucket, at, refused) VALUES ($1, $2, 0) ON CONFLICT (bucket) DO UPDATE SET at = $2, refused = 0";
    tx.run(query(anew).bind(bucket).bind(now)).await?;
    Ok(Some(before + 1))
}

/// Buckets that the log has had no row of for a minute, and how many were refused since: they are to be told now. Those of which
/// there is nothing to tell are forgotten.
pub(crate) async fn take(tx: &mut Tx, now: Millis) -> Result<Vec<(String, i64)>, Refusal> {
    let over = "DELETE FROM refusals WHERE at <= $1 OR at > $2 RETURNING bucket, refused";
    let rows = tx.all(query(over).bind(now - MINUTE).bind(now)).await?;
    let mut untold = Vec::new();
    for row in rows {
        let (bucket, refused) = (text(&row, "bucket")?, number(&row, "refused")?);
        if refused > 0 {
            // Told now: who is refused next waits for the minute to end.
            let told = "INSERT INTO refusals (bucket, at, refused) VALUES ($1, $2, 0)";
            tx.run(query(told).bind(&bucket).bind(now)).await?;
            untold.push((bucket, refused));
        }
    }
    Ok(untold)
}
