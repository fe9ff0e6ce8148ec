//! How often: counted in the database, so that several servers count together.

use crate::model::clock::Millis;
use crate::model::refusal::{Code, Refusal};
use crate::store::{Conn, number};

/// Something that may be done only so often.
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    /// What, for people.
    pub what: &'static str,
    /// How often within the window.
    pub times: i64,
    /// Milliseconds.
    pub window: Millis,
}

const MINUTE: Millis = 60_000;
const HOUR: Millis = 60 * MINUTE;

/// Responses for one card.
pub const RESPONSES_OF_CARD: Limit = Limit { what: "responses for this card", times: 5, window: HOUR };
/// Responses of one operator.
pub const RESPONSES_OF_OPERATOR: Limit = Limit { what: "responses by this operator", times: 50, window: HOUR };
/// Sessions of one card.
pub const SESSIONS_OF_CARD: Limit = Limit { what: "unlock sessions of this card", times: 10, window: HOUR };
/// Sessions from one address.
pub const SESSIONS_OF_ADDRESS: Limit = Limit { what: "unlock sessions from this address", times: 30, window: HOUR };
/// Questions which ways are open, from one address: every lock screen asks at every blocked card.
pub const WAYS_OF_ADDRESS: Limit = Limit { what: "questions for open ways from this address", times: 600, window: HOUR };
/// Reports from one address.
pub const REPORTS_OF_ADDRESS: Limit = Limit { what: "reports from this address", times: 300, window: HOUR };
/// Reports of one card: what a workstation kept while no server was there comes at once.
pub const REPORTS_OF_CARD: Limit = Limit { what: "reports of this card", times: 120, window: HOUR };
/// Answers for one user that operators type; right ones take them back.
pub const OPERATORS_ANSWERS: Limit = Limit { what: "answers typed for this user", times: 10, window: HOUR };
/// Failed logins of one person, under whichever spelling.
pub const FAILED_LOGINS: Limit = Limit { what: "failed logins under this name", times: 5, window: 5 * MINUTE };

/// Counts one more in `bucket`, or refuses it.
///
/// # Errors
/// [`Code::RateLimited`] with the time to wait.
pub(crate) async fn count(conn: &mut Conn, limit: Limit, bucket: &str, now: Millis) -> Result<(), Refusal> {
    check(conn, limit, bucket, now).await?;
    sqlx::query("INSERT INTO hits (bucket, at) VALUES ($1, $2)").bind(bucket).bind(now).execute(&mut *conn).await?;
    Ok(())
}

/// Whether one more would be too many.
///
/// # Errors
/// [`Code::RateLimited`] with the time to wait.
pub(crate) async fn check(conn: &mut Conn, limit: Limit, bucket: &str, now: Millis) -> Result<(), Refusal> {
    sqlx::query("DELETE FROM hits WHERE bucket = $1 AND at <= $2")
        .bind(bucket)
        .bind(now - limit.window)
        .execute(&mut *conn)
        .await?;
    let row = sqlx::query("SELECT COUNT(*) AS n, COALESCE(MIN(at), 0) AS first FROM hits WHERE bucket = $1")
        .bind(bucket)
        .fetch_one(&mut *conn)
        .await?;
    if number(&row, "n")? < limit.times {
        return Ok(());
    }
    // What a clock that was wrong has counted ahead of now is put right by the next sweep.
    let first = number(&row, "first")?.min(now);
    let minutes = (first + limit.window - now + MINUTE - 1) / MINUTE;
    Err(Refusal::new(Code::RateLimited, format!("too many {}; try again in {minutes} minutes", limit.what)))
}

/// Takes back what was counted in `bucket`.
pub(crate) async fn forget(conn: &mut Conn, bucket: &str) -> Result<(), Refusal> {
    sqlx::query("DELETE FROM hits WHERE bucket = $1").bind(bucket).execute(&mut *conn).await?;
    Ok(())
}

/// Deletes what no limit counts any more. What a clock that was wrong has counted in the future counts from now on, no longer
/// than other things.
pub(crate) async fn sweep(conn: &mut Conn, now: Millis) -> Result<(), Refusal> {
    sqlx::query("DELETE FROM hits WHERE at <= $1").bind(now - HOUR).execute(&mut *conn).await?;
    sqlx::query("UPDATE hits SET at = $1 WHERE at > $1").bind(now).execute(&mut *conn).await?;
    Ok(())
}
