//! Tables `responses` and `givings`: which responses were given to whom, and what became of them. A challenge is known by its
//! SHA-256.

use super::rows::{named, number, optional_number, text};
use super::{Snapshot, Tx};
use crate::model::clock::Millis;
use crate::model::flow::{Actor, FlowKind};
use crate::model::refusal::Refusal;
use crate::model::response::{Ending, GivenView};
use crate::model::subject::Whose;
use sqlx::any::AnyRow;
use sqlx::query;

/// At most so many responses of a card are shown.
const SHOWN: i64 = 20;

fn of_row(row: &AnyRow) -> Result<GivenView, Refusal> {
    Ok(GivenView {
        channel: text(row, "channel")?,
        by: text(row, "by_name")?,
        given_at: number(row, "given_at")?,
        times: number(row, "times")?,
        outcome: named(row, "outcome", &Ending::ALL, Ending::name)?,
        tries_left: optional_number(row, "tries_left")?,
        settled_at: Some(number(row, "settled_at")?).filter(|at| *at != 0),
    })
}

/// Who is given a response.
pub(crate) struct Receiver<'a> {
    pub(crate) channel: FlowKind,
    pub(crate) actor: &'a Actor,
    /// For people.
    pub(crate) name: &'a str,
    /// Id of the user whose the card is.
    pub(crate) user: &'a str,
    /// The session.
    pub(crate) flow: &'a str,
}

/// Whether a response has been given.
pub(crate) struct Before {
    pub(crate) to_anybody: bool,
    pub(crate) to_actor: bool,
}

/// Writes down that a response is given, and gives whether it was before. To another session than before it is given anew: what
/// became of it is not known yet.
pub(crate) async fn give(tx: &mut Tx, card: &str, challenge: &str, to: &Receiver<'_>, now: Millis) -> Result<Before, Refusal> {
    let first = "INSERT INTO responses (card, challenge, outcome, settled_at, flow) VALUES ($1, $2, $3, 0, $4) \
                 ON CONFLICT (card, challenge) DO NOTHING";
    let first = query(first).bind(card).bind(challenge).bind(Ending::Waiting.name()).bind(to.flow);
    let to_anybody = tx.run(first).await? == 0;
    if to_anybody {
        let anew = "UPDATE responses SET outcome = $3, settled_at = 0, tries_left = NULL, flow = $4 \
                    WHERE card = $1 AND challenge = $2 AND flow <> $4";
        tx.run(query(anew).bind(card).bind(challenge).bind(Ending::Waiting.name()).bind(to.flow)).await?;
    }
    let giving = "INSERT INTO givings (card, challenge, channel, actor, by_name, given_at, again_at, times, user_id) \
                  VALUES ($1, $2, $3, $4, $5, $6, $6, 1, $7) ON CONFLICT (card, challenge, channel, actor) \
                  DO UPDATE SET again_at = excluded.again_at, times = givings.times + 1, user_id = excluded.user_id \
                  RETURNING times";
    let giving = query(giving).bind(card).bind(challenge).bind(to.channel.name()).bind(to.actor.id()).bind(to.name);
    let giving = giving.bind(now).bind(to.user);
    Ok(Before { to_anybody, to_actor: number(&tx.one(giving).await?, "times")? > 1 })
}

/// What a report of a card means for the response that it was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Settled {
    /// The card was given no response to this challenge.
    NoResponse,
    /// It is known from now on.
    Now,
    /// It was known.
    AsBefore,
    /// Something else is known, and stays.
    Otherwise,
}

/// Settles what became of the response to a challenge, if there was one.
pub(crate) async fn settle(
    tx: &mut Tx,
    card: &str,
    challenge: &str,
    (ending, tries_left): (Ending, Option<u8>),
    now: Millis,
) -> Result<Settled, Refusal> {
    // What is final stays. That a card went was told by somebody who did not see what came then.
    let settling = "UPDATE responses SET outcome = $3, tries_left = $4, settled_at = $5 \
                    WHERE card = $1 AND challenge = $2 AND outcome <> $3 AND outcome IN ($6, $7)";
    let settling = query(settling).bind(card).bind(challenge).bind(ending.name()).bind(tries_left.map(i64::from)).bind(now);
    if tx.run(settling.bind(Ending::Waiting.name()).bind(Ending::Gone.name())).await? > 0 {
        return Ok(Settled::Now);
    }
    let known = query("SELECT outcome FROM responses WHERE card = $1 AND challenge = $2").bind(card).bind(challenge);
    match tx.optional(known).await? {
        None => Ok(Settled::NoResponse),
        Some(row) if text(&row, "outcome")? == ending.name() => Ok(Settled::AsBefore),
        Some(_) => Ok(Settled::Otherwise),
    }
}

/// The responses of a card, the newest first; as one user's card those alone that were given while it was the user's.
pub(crate) async fn of_card(conn: &mut Snapshot, serial: &str, whose: Whose<'_>) -> Result<Vec<GivenView>, Refusal> {
    let all = query(sql("givings.card = $1 ORDER BY givings.again_at DESC, givings.challenge LIMIT $2"));
    let of_user = "givings.card = $1 AND givings.user_id = $3 ORDER BY givings.again_at DESC, givings.challenge LIMIT $2";
    let given = match whose {
        Whose::Anybodys => all.bind(serial).bind(SHOWN),
        Whose::Nobodys => return Ok(Vec::new()),
        Whose::Of(user) => query(sql(of_user)).bind(serial).bind(SHOWN).bind(user),
    };
    conn.all(given).await?.iter().map(of_row).collect()
}

/// The response to a challenge as an actor was given it.
pub(crate) async fn given(conn: &mut Snapshot, card: &str, challenge: &str, actor: &Actor) -> Result<Option<GivenView>, Refusal> {
    let sql = sql("givings.card = $1 AND givings.challenge = $2 AND givings.actor = $3");
    let row = conn.optional(query(sql).bind(card).bind(challenge).bind(actor.id())).await?;
    row.as_ref().map(of_row).transpose()
}

/// Responses with what became of them, where the condition holds.
fn sql(condition: &str) -> sqlx::AssertSqlSafe<String> {
    const GIVEN: &str = "SELECT givings.*, responses.outcome, responses.tries_left, responses.settled_at FROM givings \
                         JOIN responses ON responses.card = givings.card AND responses.challenge = givings.challenge WHERE ";
    sqlx::AssertSqlSafe([GIVEN, condition].concat())
}
