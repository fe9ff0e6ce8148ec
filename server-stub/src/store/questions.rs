//! Table `questions`: the security questions of policies.

use super::rows::{number, text};
use super::{Snapshot, Tx};
use crate::model::question::Question;
use crate::model::refusal::Refusal;
use sqlx::any::AnyRow;
use sqlx::query;

pub(super) fn of_row(row: &AnyRow) -> Result<Question, Refusal> {
    Ok(Question::new(text(row, "id")?, text(row, "text")?, number(row, "min_length")?))
}

/// The questions of a policy, in their order.
pub(crate) async fn of_policy(conn: &mut Snapshot, policy: &str) -> Result<Vec<Question>, Refusal> {
    let rows = conn.all(query("SELECT * FROM questions WHERE policy_id = $1 ORDER BY position, id").bind(policy)).await?;
    rows.iter().map(of_row).collect()
}

/// All questions, each with the id of its policy; those of one in their order.
pub(crate) async fn all(conn: &mut Snapshot) -> Result<Vec<(String, Question)>, Refusal> {
    let rows = conn.all(query("SELECT * FROM questions ORDER BY position, id")).await?;
    rows.iter().map(|row| Ok((text(row, "policy_id")?, of_row(row)?))).collect()
}

/// A question with the id of its policy.
pub(crate) async fn by_id(conn: &mut Snapshot, id: &str) -> Result<Option<(String, Question)>, Refusal> {
    let row = conn.optional(query("SELECT * FROM questions WHERE id = $1").bind(id)).await?;
    row.map(|row| Ok((text(&row, "policy_id")?, of_row(&row)?))).transpose()
}

/// A new question of a policy, after all others.
pub(crate) async fn insert(tx: &mut Tx, policy: &str, question: &Question) -> Result<(), Refusal> {
    let insert = "INSERT INTO questions (id, policy_id, text, min_length, position) \
                  VALUES ($1, $2, $3, $4, (SELECT COALESCE(MAX(position), 0) + 1 FROM questions WHERE policy_id = $2))";
    tx.run(query(insert).bind(&question.id).bind(policy).bind(&question.text).bind(question.min_length)).await?;
    Ok(())
}

/// The order of a policy's questions: the ids of all, the first first.
pub(crate) async fn order(tx: &mut Tx, ids: &[&str]) -> Result<(), Refusal> {
    for (position, id) in (1i64..).zip(ids) {
        tx.run(query("UPDATE questions SET position = $2 WHERE id = $1").bind(*id).bind(position)).await?;
    }
    Ok(())
}

/// Another text and another minimum.
pub(crate) async fn set(tx: &mut Tx, question: &Question) -> Result<(), Refusal> {
    let update = query("UPDATE questions SET text = $2, min_length = $3 WHERE id = $1");
    tx.run(update.bind(&question.id).bind(&question.text).bind(question.min_length)).await?;
    Ok(())
}

/// Takes a question away that nobody has answered.
pub(crate) async fn delete(tx: &mut Tx, id: &str) -> Result<(), Refusal> {
    tx.run(query("DELETE FROM questions WHERE id = $1").bind(id)).await?;
    Ok(())
}

/// Takes the questions of a policy away.
pub(crate) async fn delete_of_policy(tx: &mut Tx, policy: &str) -> Result<(), Refusal> {
    tx.run(query("DELETE FROM questions WHERE policy_id = $1").bind(policy)).await?;
    Ok(())
}
