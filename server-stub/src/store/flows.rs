//! Table `flows`: where unlock sessions stand, so that any server goes on with them.

use super::rows::{body, json, named, number, text};
use super::{Snapshot, Tx};
use crate::model::clock::Millis;
use crate::model::flow::{Flow, FlowKind, Step};
use crate::model::refusal::Refusal;
use sqlx::any::AnyRow;
use sqlx::query;

fn of_row(row: &AnyRow) -> Result<Flow, Refusal> {
    Ok(Flow {
        id: text(row, "id")?,
        opener: text(row, "opener")?,
        kind: named(row, "kind", &FlowKind::ALL, FlowKind::name)?,
        card: text(row, "card")?,
        user: text(row, "user_id")?,
        step: named(row, "step", &Step::ALL, Step::name)?,
        questions: json(row, "questions")?,
        wrong: number(row, "wrong")?,
        workstation: text(row, "workstation")?,
        expires: number(row, "expires")?,
        challenge: text(row, "challenge")?,
    })
}

/// The flow of this id.
pub(crate) async fn by_id(conn: &mut Snapshot, id: &str) -> Result<Option<Flow>, Refusal> {
    let row = conn.optional(query("SELECT * FROM flows WHERE id = $1").bind(id)).await?;
    row.as_ref().map(of_row).transpose()
}

/// What stands round a wizard: who else has one open for the card, and how many responses were counted.
pub(crate) struct Around {
    pub(crate) others: Vec<String>,
    pub(crate) of_card: i64,
    pub(crate) of_operator: i64,
}

/// What stands round a wizard of this operator for a card; `most_wrong` answers end one. `counted` are the buckets of responses
/// for the card and by the operator, since `from`.
pub(crate) async fn around(
    conn: &mut Snapshot,
    (card, operator): (&str, &str),
    (now, from): (Millis, Millis),
    most_wrong: i64,
    counted: (&str, &str),
) -> Result<Around, Refusal> {
    let around = "SELECT operators.name AS name, CAST(0 AS BIGINT) AS of_card, CAST(0 AS BIGINT) AS of_operator FROM flows \
                  JOIN operators ON operators.id = flows.opener WHERE flows.card = $1 AND flows.kind = $2 AND flows.step <> $3 \
                  AND flows.expires > $4 AND flows.opener <> $5 AND flows.wrong < $6 UNION ALL \
                  SELECT '', (SELECT COUNT(*) FROM hits WHERE bucket = $7 AND at > $9), \
                  (SELECT COUNT(*) FROM hits WHERE bucket = $8 AND at > $9)";
    let around = query(around).bind(card).bind(FlowKind::Operator.name()).bind(Step::Over.name()).bind(now);
    let around = around.bind(operator).bind(most_wrong).bind(counted.0).bind(counted.1).bind(from);
    let mut found = Around { others: Vec::new(), of_card: 0, of_operator: 0 };
    for row in conn.all(around).await? {
        let name = text(&row, "name")?;
        if name.is_empty() {
            (found.of_card, found.of_operator) = (number(&row, "of_card")?, number(&row, "of_operator")?);
        } else {
            found.others.push(name);
        }
    }
    Ok(found)
}

/// A new flow.
pub(crate) async fn insert(tx: &mut Tx, flow: &Flow) -> Result<(), Refusal> {
    let insert = "INSERT INTO flows (id, kind, card, user_id, step, questions, wrong, workstation, expires, opener) \
                  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    let insert = query(insert).bind(&flow.id).bind(flow.kind.name()).bind(&flow.card).bind(&flow.user).bind(flow.step.name());
    let insert = insert.bind(body(&flow.questions)).bind(flow.wrong).bind(&flow.workstation).bind(flow.expires);
    tx.run(insert.bind(&flow.opener)).await?;
    Ok(())
}

/// What a flow has answered last, and its step.
pub(crate) async fn set_answered(tx: &mut Tx, flow: &str, step: Step, challenge: &str) -> Result<(), Refusal> {
    let update = query("UPDATE flows SET step = $2, challenge = $3 WHERE id = $1");
    tx.run(update.bind(flow).bind(step.name()).bind(challenge)).await?;
    Ok(())
}

/// Another step.
pub(crate) async fn set_step(tx: &mut Tx, flow: &str, step: Step) -> Result<(), Refusal> {
    tx.run(query("UPDATE flows SET step = $2 WHERE id = $1").bind(flow).bind(step.name())).await?;
    Ok(())
}

/// Counts answers that are going to be compared.
pub(crate) async fn count_answers(tx: &mut Tx, flow: &str) -> Result<(), Refusal> {
    tx.run(query("UPDATE flows SET wrong = wrong + 1 WHERE id = $1").bind(flow)).await?;
    Ok(())
}

/// The answers of a flow that was asking were right; gives whether it still was.
pub(crate) async fn open(tx: &mut Tx, flow: &str) -> Result<bool, Refusal> {
    let update = query("UPDATE flows SET step = $2, wrong = 0 WHERE id = $1 AND step = $3");
    Ok(tx.run(update.bind(flow).bind(Step::Answered.name()).bind(Step::Asking.name())).await? == 1)
}

/// Ends the flows that a user can have opened: one that asks asks on, and is dead; one that is answered is over.
pub(crate) async fn end_of_user(tx: &mut Tx, user: &str) -> Result<(), Refusal> {
    for (before, after) in [(Step::Asking, Step::Dead), (Step::Answered, Step::Over)] {
        let update = query("UPDATE flows SET step = $3 WHERE user_id = $1 AND step = $2 AND kind <> $4");
        tx.run(update.bind(user).bind(before.name()).bind(after.name()).bind(FlowKind::Operator.name())).await?;
    }
    Ok(())
}

/// Deletes flows that are over; those that have given a response when nobody tells any more how it ended.
pub(crate) async fn sweep(tx: &mut Tx, now: Millis, untold: Millis) -> Result<(), Refusal> {
    let delete = query("DELETE FROM flows WHERE expires <= $1 AND (step <> $2 OR expires <= $3)");
    tx.run(delete.bind(now).bind(Step::Given.name()).bind(untold)).await?;
    Ok(())
}
