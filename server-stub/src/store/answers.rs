//! Table `answers`: hashes of what users have answered.

use super::list::List;
use super::rows::{number, text};
use super::{Snapshot, Tx, questions};
use crate::model::answers::NORM_VERSION;
use crate::model::clock::Millis;
use crate::model::question::Answered;
use crate::model::refusal::Refusal;
use sqlx::query;

/// What a user has answered: of the questions of a policy, in their order, and those that the user has written. One statement, the
/// same for everybody, so that the time does not tell who has written some.
pub(crate) async fn of_user(conn: &mut Snapshot, user: &str, policy: &str) -> Result<(Vec<Answered>, Vec<Answered>), Refusal> {
    let answered = "SELECT questions.id, questions.text, questions.min_length, questions.position, answers.hash, CAST(0 AS BIGINT) AS own \
                    FROM answers JOIN questions ON questions.id = answers.question_id \
                    WHERE answers.user_id = $1 AND questions.policy_id = $2 \
                    UNION ALL SELECT id, text, CAST(1 AS BIGINT), position, hash, CAST(1 AS BIGINT) FROM own_questions WHERE user_id = $1 \
                    ORDER BY own, position, id";
    let rows = conn.all(query(answered).bind(user).bind(policy)).await?;
    let (mut of_policy, mut own) = (Vec::new(), Vec::new());
    for row in &rows {
        let to = if number(row, "own")? == 1 { &mut own } else { &mut of_policy };
        to.push(Answered { question: questions::of_row(row)?, hash: text(row, "hash")? });
    }
    Ok((of_policy, own))
}

/// How many questions of each policy these users have answered, and under no policy how many they have written: user, policy, how
/// many.
pub(crate) async fn counts_of_users(conn: &mut Snapshot, users: &[&str]) -> Result<Vec<(String, String, i64)>, Refusal> {
    let mut list = List::new(
        "SELECT answers.user_id, questions.policy_id, COUNT(*) AS n FROM answers \
         JOIN questions ON questions.id = answers.question_id WHERE answers.user_id IN ",
    );
    list.texts(users.iter().copied()).sql(
        " GROUP BY answers.user_id, questions.policy_id UNION ALL \
         SELECT user_id, '' AS policy_id, COUNT(*) AS n FROM own_questions WHERE user_id IN ",
    );
    list.texts(users.iter().copied()).sql(" GROUP BY user_id");
    if users.is_empty() {
        return Ok(Vec::new());
    }
    let counts = list.rows(conn).await?;
    counts.iter().map(|row| Ok((text(row, "user_id")?, text(row, "policy_id")?, number(row, "n")?))).collect()
}

/// How many users have answered a question.
pub(crate) async fn uses(conn: &mut Snapshot, question: &str) -> Result<i64, Refusal> {
    number(&conn.one(query("SELECT COUNT(*) AS n FROM answers WHERE question_id = $1").bind(question)).await?, "n")
}

/// One more answer of a user.
pub(crate) async fn insert(tx: &mut Tx, user: &str, question: &str, hash: &str, at: Millis) -> Result<(), Refusal> {
    let insert = query("INSERT INTO answers (user_id, question_id, hash, norm_version, set_at) VALUES ($1, $2, $3, $4, $5)");
    tx.run(insert.bind(user).bind(question).bind(hash).bind(NORM_VERSION).bind(at)).await?;
    Ok(())
}

/// Takes a user's answer to one question away.
pub(crate) async fn delete(tx: &mut Tx, user: &str, question: &str) -> Result<(), Refusal> {
    tx.run(query("DELETE FROM answers WHERE user_id = $1 AND question_id = $2").bind(user).bind(question)).await?;
    Ok(())
}

/// Takes all answers of a user away.
pub(crate) async fn delete_of_user(tx: &mut Tx, user: &str) -> Result<(), Refusal> {
    tx.run(query("DELETE FROM answers WHERE user_id = $1").bind(user)).await?;
    Ok(())
}
