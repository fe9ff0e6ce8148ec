//! Table `own_questions`: questions that users have written themselves. They are read with the users' answers
//! ([`super::answers::of_user`]).

use super::Tx;
use crate::model::answers::NORM_VERSION;
use crate::model::clock::Millis;
use crate::model::refusal::Refusal;
use sqlx::query;

/// One more question of a user, after all others, with the hash of its answer.
pub(crate) async fn insert(tx: &mut Tx, user: &str, id: &str, text: &str, hash: &str, at: Millis) -> Result<(), Refusal> {
    let insert = "INSERT INTO own_questions (id, user_id, text, hash, norm_version, set_at, position) VALUES ($1, $2, $3, $4, $5, $6, \
                  (SELECT COALESCE(MAX(position), 0) + 1 FROM own_questions WHERE user_id = $2))";
    tx.run(query(insert).bind(id).bind(user).bind(text).bind(hash).bind(NORM_VERSION).bind(at)).await?;
    Ok(())
}

/// Takes a question of a user away.
pub(crate) async fn delete(tx: &mut Tx, user: &str, id: &str) -> Result<(), Refusal> {
    tx.run(query("DELETE FROM own_questions WHERE user_id = $1 AND id = $2").bind(user).bind(id)).await?;
    Ok(())
}

/// Takes all questions of a user away.
pub(crate) async fn delete_of_user(tx: &mut Tx, user: &str) -> Result<(), Refusal> {
    tx.run(query("DELETE FROM own_questions WHERE user_id = $1").bind(user)).await?;
    Ok(())
}
