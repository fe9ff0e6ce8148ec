//! Responses that were given, and what became of them. A response itself is stored nowhere: it is computed anew whenever the
//! same challenge comes again. A challenge is known by its SHA-256.

use crate::model::clock::Millis;
use crate::model::refusal::{Code, Refusal};
use crate::store::{Conn, number, optional_number, text};
use serde::Serialize;
use sqlx::any::AnyRow;
use utoipa::ToSchema;

/// At most so many responses of a card are shown.
const SHOWN: i64 = 20;

/// What became of a response at the card, as a workstation has told it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// Nobody has told yet.
    Waiting,
    /// The card took it and has its new PIN.
    Unlocked,
    /// The card refused it.
    Refused,
    /// The card refused it, and its administrator key has no try left.
    AdminKeyBlocked,
    /// The card was removed, reset or used by another program before.
    Gone,
}

impl Ending {
    const ALL: [Self; 5] = [Self::Waiting, Self::Unlocked, Self::Refused, Self::AdminKeyBlocked, Self::Gone];

    const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Unlocked => "unlocked",
            Self::Refused => "refused",
            Self::AdminKeyBlocked => "admin-key-blocked",
            Self::Gone => "gone",
        }
    }

    /// What a card's refusal was, by the tries that are left.
    pub(crate) const fn of_refusal(tries_left: Option<u8>) -> Self {
        if matches!(tries_left, Some(0)) { Self::AdminKeyBlocked } else { Self::Refused }
    }
}

/// A response that was given, as consoles show one.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct GivenView {
    /// `online`, `agent`, `operator` or `remote`.
    pub channel: String,
    /// The operator's or the user's name; `workstation` for online.
    pub by: String,
    /// UTC milliseconds since 1970.
    pub given_at: Millis,
    /// How often: the same challenge has the same response.
    pub times: i64,
    /// What became of it.
    pub outcome: Ending,
    /// Tries of the administrator key that were left, where the card told.
    pub tries_left: Option<i64>,
    /// When the server heard of it, UTC milliseconds since 1970.
    pub settled_at: Option<Millis>,
}

impl GivenView {
    fn of_row(row: &AnyRow) -> Result<Self, Refusal> {
        let name = text(row, "outcome")?;
        let unknown = || Refusal::new(Code::StoreDown, format!("a response is '{name}', which this version does not know"));
        Ok(Self {
            channel: text(row, "channel")?,
            by: text(row, "by_name")?,
            given_at: number(row, "given_at")?,
            times: number(row, "times")?,
            outcome: Ending::ALL.into_iter().find(|outcome| outcome.name() == name).ok_or_else(unknown)?,
            tries_left: optional_number(row, "tries_left")?,
            settled_at: Some(number(row, "settled_at")?).filter(|at| *at != 0),
        })
    }

    /// What became of it, for people.
    #[must_use]
    pub fn sentence(&self) -> String {
        match (self.outcome, self.tries_left) {
            (Ending::Waiting, _) => "Waiting for the workstation.".into(),
            (Ending::Unlocked, _) => "The card is unlocked.".into(),
            (Ending::Refused, None) => "The card refused the response.".into(),
            (Ending::Refused, Some(1)) => "The card refused the response; 1 try left.".into(),
            (Ending::Refused, Some(left)) => format!("The card refused the response; {left} tries left."),
            (Ending::AdminKeyBlocked, _) => {
                "The card refused the response and has no try left: it can no longer be unlocked with a response.".into()
            }
            (Ending::Gone, _) => "The card was removed or used by another program; a new challenge is needed.".into(),
        }
    }
}

/// Who is given a response.
pub(crate) struct Receiver<'a> {
    pub(crate) channel: &'a str,
    /// Id of the operator, else of the user.
    pub(crate) actor: &'a str,
    /// For people.
    pub(crate) name: &'a str,
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
pub(crate) async fn give(
    conn: &mut Conn,
    card: &str,
    challenge: &str,
    to: &Receiver<'_>,
    now: Millis,
) -> Result<Before, Refusal> {
    let statement = "INSERT INTO responses (card, challenge, outcome, settled_at, flow) VALUES ($1, $2, $3, 0, $4) ON CONFLICT (card, challenge) DO NOTHING";
    let first = sqlx::query(statement).bind(card).bind(challenge).bind(Ending::Waiting.name()).bind(to.flow);
    let to_anybody = first.execute(&mut *conn).await?.rows_affected() == 0;
    if to_anybody {
        let anew = "UPDATE responses SET outcome = $3, settled_at = 0, tries_left = NULL, flow = $4 WHERE card = $1 AND challenge = $2 AND flow <> $4";
        let anew = sqlx::query(anew).bind(card).bind(challenge).bind(Ending::Waiting.name()).bind(to.flow);
        anew.execute(&mut *conn).await?;
    }
    let row = sqlx::query("INSERT INTO givings (card, challenge, channel, actor, by_name, given_at, again_at, times) VALUES ($1, $2, $3, $4, $5, $6, $6, 1) ON CONFLICT (card, challenge, channel, actor) DO UPDATE SET again_at = excluded.again_at, times = givings.times + 1 RETURNING times")
        .bind(card).bind(challenge).bind(to.channel).bind(to.actor).bind(to.name).bind(now).fetch_one(&mut *conn).await?;
    Ok(Before { to_anybody, to_actor: number(&row, "times")? > 1 })
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
    conn: &mut Conn,
    card: &str,
    challenge: &str,
    (ending, tries_left): (Ending, Option<u8>),
    now: Millis,
) -> Result<Settled, Refusal> {
    // What is final stays. That a card went was told by somebody who did not see what came then.
    let settling = "UPDATE responses SET outcome = $3, tries_left = $4, settled_at = $5 WHERE card = $1 AND challenge = $2 AND outcome <> $3 AND outcome IN ($6, $7)";
    let settled = sqlx::query(settling)
        .bind(card)
        .bind(challenge)
        .bind(ending.name())
        .bind(tries_left.map(i64::from))
        .bind(now)
        .bind(Ending::Waiting.name())
        .bind(Ending::Gone.name())
        .execute(&mut *conn)
        .await?;
    if settled.rows_affected() > 0 {
        return Ok(Settled::Now);
    }
    let row = sqlx::query("SELECT outcome FROM responses WHERE card = $1 AND challenge = $2");
    match row.bind(card).bind(challenge).fetch_optional(&mut *conn).await? {
        None => Ok(Settled::NoResponse),
        Some(row) if text(&row, "outcome")? == ending.name() => Ok(Settled::AsBefore),
        Some(_) => Ok(Settled::Otherwise),
    }
}

/// The responses of a card, the newest first.
pub(crate) async fn of_card(conn: &mut Conn, serial: &str) -> Result<Vec<GivenView>, Refusal> {
    let sql = sql("givings.card = $1 ORDER BY givings.again_at DESC, givings.challenge LIMIT $2");
    let rows = sqlx::query(sql).bind(serial).bind(SHOWN).fetch_all(&mut *conn).await?;
    rows.iter().map(GivenView::of_row).collect()
}

/// The response to a challenge as an actor was given it.
pub(crate) async fn given(conn: &mut Conn, card: &str, challenge: &str, actor: &str) -> Result<Option<GivenView>, Refusal> {
    let sql = sql("givings.card = $1 AND givings.challenge = $2 AND givings.actor = $3");
    let row = sqlx::query(sql).bind(card).bind(challenge).bind(actor).fetch_optional(&mut *conn).await?;
    row.as_ref().map(GivenView::of_row).transpose()
}

/// Responses with what became of them, where the condition holds.
fn sql(condition: &str) -> sqlx::AssertSqlSafe<String> {
    const GIVEN: &str = "SELECT givings.*, responses.outcome, responses.tries_left, responses.settled_at FROM givings \
                         JOIN responses ON responses.card = givings.card AND responses.challenge = givings.challenge WHERE ";
    sqlx::AssertSqlSafe([GIVEN, condition].concat())
}
