//! Tables `policies` and `policy_links`: what holds, and for which users.

use super::list::List;
use super::page::{Condition, Source};
use super::rows::{body, json, number, text};
use super::{Snapshot, Tx};
use crate::model::names;
use crate::model::policy::{NamedPolicy, Policy};
use crate::model::refusal::Refusal;
use sqlx::any::AnyRow;
use sqlx::query;
use std::collections::HashMap;

/// The id of the policy that holds for a user ([`settle`]).
macro_rules! policy_of_user {
    ($user:literal) => {
        concat!("(SELECT held.policy_id FROM policy_links AS held WHERE held.user_id = ", $user, " AND held.holds = 1)")
    };
}
pub(super) use policy_of_user;

pub(super) fn of_row(row: &AnyRow) -> Result<NamedPolicy, Refusal> {
    Ok(NamedPolicy::new(text(row, "id")?, text(row, "name")?, json(row, "body")?))
}

/// The policy of this id.
pub(crate) async fn by_id(conn: &mut Snapshot, id: &str) -> Result<Option<NamedPolicy>, Refusal> {
    let row = conn.optional(query("SELECT * FROM policies WHERE id = $1").bind(id)).await?;
    row.as_ref().map(of_row).transpose()
}

/// All policies, in their order.
pub(crate) async fn all(conn: &mut Snapshot) -> Result<Vec<NamedPolicy>, Refusal> {
    conn.all(query("SELECT * FROM policies ORDER BY position, id")).await?.iter().map(of_row).collect()
}

/// The policy that stands for those to whom none applies, as for cards and names that nobody has: the one that is called
/// *Default*, else the first in their order.
pub(crate) async fn default(conn: &mut Snapshot) -> Result<Option<NamedPolicy>, Refusal> {
    let first = "SELECT * FROM policies ORDER BY CASE WHEN name = $1 THEN 0 ELSE 1 END, position, id LIMIT 1";
    conn.optional(query(first).bind(NamedPolicy::DEFAULT)).await?.as_ref().map(of_row).transpose()
}

/// All policies in their order, and the id of the one that holds for each of these users, by the user's id.
pub(crate) async fn of_users(
    conn: &mut Snapshot,
    users: &[&str],
) -> Result<(Vec<NamedPolicy>, HashMap<String, String>), Refusal> {
    if users.is_empty() {
        return Ok((all(conn).await?, HashMap::new()));
    }
    // In one statement: first, by their position, who is under what.
    let mut list = List::new("SELECT position, id, name, body, '' AS user_id FROM policies UNION ALL SELECT -1, COALESCE(");
    list.sql(policy_of_user!("users.id")).sql(", ''), '', '', users.id FROM users WHERE users.id IN ");
    list.texts(users.iter().copied()).sql(" ORDER BY position, id");
    let (mut policies, mut held) = (Vec::new(), HashMap::new());
    for row in &list.rows(conn).await? {
        match text(row, "user_id")?.as_str() {
            "" => policies.push(of_row(row)?),
            user => drop(held.insert(user.to_owned(), text(row, "id")?)),
        }
    }
    Ok((policies, held))
}

/// That a user is under the policy of this id, whether it holds or one before it.
pub(super) fn under(policy: &str) -> Condition {
    const LINKS: Source = Source {
        all: "SELECT user_id, name_key, logon_key FROM policy_links WHERE",
        of_one: "policy_links AS link WHERE link.user_id =",
    };
    Condition::is(LINKS, "policy_id", policy)
}

/// Users' links and cards that hang on a policy.
pub(crate) async fn uses(conn: &mut Snapshot, id: &str) -> Result<i64, Refusal> {
    let used = "SELECT (SELECT COUNT(*) FROM cards WHERE policy_id = $1) + (SELECT COUNT(*) FROM policy_links WHERE policy_id = $1) AS n";
    number(&conn.one(query(used).bind(id)).await?, "n")
}

/// How many users are linked to each policy - or, with `holding`, it holds for - and how many cards were issued under it: id, users,
/// cards.
pub(crate) async fn affected(conn: &mut Snapshot, holding: bool) -> Result<Vec<(String, i64, i64)>, Refusal> {
    let counted = "SELECT policies.id, \
                   (SELECT COUNT(*) FROM policy_links WHERE policy_id = policies.id AND holds >= $1) AS users, \
                   (SELECT COUNT(*) FROM cards WHERE policy_id = policies.id) AS cards FROM policies";
    let rows = conn.all(query(counted).bind(i64::from(holding))).await?;
    rows.iter().map(|row| Ok((text(row, "id")?, number(row, "users")?, number(row, "cards")?))).collect()
}

/// The ids of the policies that a user is under.
pub(crate) async fn of_user(conn: &mut Snapshot, user: &str) -> Result<Vec<String>, Refusal> {
    Ok(of_user_with_holding(conn, user).await?.0)
}

/// The same, and the id of the one that holds.
pub(crate) async fn of_user_with_holding(conn: &mut Snapshot, user: &str) -> Result<(Vec<String>, Option<String>), Refusal> {
    let links = "SELECT policy_id, holds FROM policy_links WHERE user_id = $1 ORDER BY policy_id";
    let (mut under, mut holding) = (Vec::new(), None);
    for row in conn.all(query(links).bind(user)).await? {
        let policy = text(&row, "policy_id")?;
        if number(&row, "holds")? == 1 {
            holding = Some(policy.clone());
        }
        under.push(policy);
    }
    Ok((under, holding))
}

/// The order of all policies: their ids, the first first.
pub(crate) async fn order(tx: &mut Tx, ids: &[&str]) -> Result<(), Refusal> {
    for (position, id) in (1i64..).zip(ids) {
        tx.run(query("UPDATE policies SET position = $2 WHERE id = $1").bind(*id).bind(position)).await?;
    }
    let several = "user_id IN (SELECT user_id FROM policy_links GROUP BY user_id HAVING COUNT(*) > 1)";
    settle(tx, several, None).await
}

/// Notes which policy holds for the users whom a condition is about: of those that each is under, the first in their order.
async fn settle(tx: &mut Tx, users: &'static str, bound: Option<&str>) -> Result<(), Refusal> {
    let holds = "UPDATE policy_links SET holds = CASE WHEN policy_id = (\
                 SELECT other.policy_id FROM policy_links AS other JOIN policies AS ordered ON ordered.id = other.policy_id \
                 WHERE other.user_id = policy_links.user_id ORDER BY ordered.position, ordered.id LIMIT 1) THEN 1 ELSE 0 END WHERE ";
    let update = query(sqlx::AssertSqlSafe([holds, users].concat()));
    tx.run(bound.into_iter().fold(update, |update, text| update.bind(text.to_owned()))).await?;
    Ok(())
}

/// A new policy, after all others.
pub(crate) async fn insert(tx: &mut Tx, id: &str, name: &str, settings: &Policy) -> Result<(), Refusal> {
    let insert = "INSERT INTO policies (id, name, body, name_key, position) \
                  VALUES ($1, $2, $3, $4, (SELECT COALESCE(MAX(position), 0) + 1 FROM policies))";
    tx.run(query(insert).bind(id).bind(name).bind(body(settings)).bind(names::key(name))).await?;
    Ok(())
}

/// Other settings.
pub(crate) async fn set(tx: &mut Tx, id: &str, settings: &Policy) -> Result<(), Refusal> {
    tx.run(query("UPDATE policies SET body = $2 WHERE id = $1").bind(id).bind(body(settings))).await?;
    Ok(())
}

/// Another name.
pub(crate) async fn rename(tx: &mut Tx, id: &str, name: &str) -> Result<(), Refusal> {
    let update = query("UPDATE policies SET name = $2, name_key = $3 WHERE id = $1");
    tx.run(update.bind(id).bind(name).bind(names::key(name))).await?;
    Ok(())
}

/// Takes a policy away that nothing hangs on.
pub(crate) async fn delete(tx: &mut Tx, id: &str) -> Result<(), Refusal> {
    tx.run(query("DELETE FROM policies WHERE id = $1").bind(id)).await?;
    Ok(())
}

/// Puts a user under policies, and takes the user from under others.
pub(crate) async fn relink(tx: &mut Tx, user: &str, under: &[&str], from: &[&str]) -> Result<(), Refusal> {
    for policy in under {
        let insert = "INSERT INTO policy_links (user_id, policy_id, name_key, logon_key) \
                      SELECT id, $2, name_key, logon_key FROM users WHERE id = $1";
        tx.run(query(insert).bind(user).bind(*policy)).await?;
    }
    for policy in from {
        let delete = query("DELETE FROM policy_links WHERE user_id = $1 AND policy_id = $2");
        tx.run(delete.bind(user).bind(*policy)).await?;
    }
    settle(tx, "user_id = $1", Some(user)).await
}
