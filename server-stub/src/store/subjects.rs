//! A card or a user with all that decides what may be done with it: read from several tables in two statements, always the same
//! two, whatever is found, so that the time tells nothing.

use super::policies::policy_of_user;
use super::rows::{json, optional, text};
use super::{Snapshot, answers, cards, users};
use crate::model::names;
use crate::model::policy::NamedPolicy;
use crate::model::refusal::Refusal;
use crate::model::subject::Subject;
use sqlx::any::AnyRow;
use sqlx::query;

/// The columns of a policy beside those of another table.
macro_rules! with_policy {
    () => {
        "policies.id AS policy, policies.name AS policy_name, policies.body AS policy_body"
    };
}
/// Users with the policy that holds.
macro_rules! users {
    ($condition:literal) => {
        concat!(
            "SELECT users.*, ",
            with_policy!(),
            " FROM users LEFT JOIN policies ON policies.id = ",
            policy_of_user!("users.id"),
            " WHERE ",
            $condition
        )
    };
}
/// Cards with their type, user and policy: the card's own when it was issued under one, else the user's.
macro_rules! cards {
    ($condition:literal) => {
        concat!(
            "SELECT cards.*, card_types.body AS about, users.*, ",
            with_policy!(),
            ", ",
            policy_of_user!("cards.user_id"),
            " AS user_policy FROM cards JOIN card_types ON card_types.id = cards.card_type LEFT JOIN users ON users.id = cards.user_id",
            " LEFT JOIN policies ON policies.id = COALESCE(cards.policy_id, ",
            policy_of_user!("cards.user_id"),
            ") WHERE ",
            $condition
        )
    };
}

fn policy_of_row(row: &AnyRow) -> Result<Option<NamedPolicy>, Refusal> {
    let of_id = |id| Ok(NamedPolicy::new(id, text(row, "policy_name")?, json(row, "policy_body")?));
    optional(row, "policy")?.map(of_id).transpose()
}

async fn answered(conn: &mut Snapshot, subject: Subject) -> Result<Subject, Refusal> {
    let user = subject.user.as_ref().map_or("", |user| user.id.as_str());
    let policy = subject.policy.as_ref().map_or("", |policy| policy.id.as_str());
    let (answered, own) = answers::of_user(conn, user, policy).await?;
    Ok(Subject { answered, own, ..subject })
}

fn of_card_row(row: &AnyRow) -> Result<Subject, Refusal> {
    let user = optional(row, "id")?.map(|_| users::of_row(row)).transpose()?;
    let (card, policy, user_policy) = (cards::of_row(row)?, policy_of_row(row)?, optional(row, "user_policy")?);
    Ok(Subject { card: Some(card), user, policy, user_policy, ..Subject::default() })
}

fn of_user_row(row: &AnyRow) -> Result<Subject, Refusal> {
    let (policy, user_policy) = (policy_of_row(row)?, optional(row, "policy")?);
    Ok(Subject { card: None, user: Some(users::of_row(row)?), policy, user_policy, ..Subject::default() })
}

/// What is known of a serial.
pub(crate) async fn of_card(conn: &mut Snapshot, serial: &str) -> Result<Subject, Refusal> {
    let subject = of_card_without_questions(conn, serial).await?;
    answered(conn, subject).await
}

/// What is known of a serial but for the questions: in one statement.
pub(crate) async fn of_card_without_questions(conn: &mut Snapshot, serial: &str) -> Result<Subject, Refusal> {
    let row = conn.optional(query(cards!("cards.serial = $1")).bind(serial)).await?;
    Ok(row.as_ref().map(of_card_row).transpose()?.unwrap_or_default())
}

/// The cards of a user, without the questions: in one statement.
pub(crate) async fn cards_of_user(conn: &mut Snapshot, user: &str) -> Result<Vec<Subject>, Refusal> {
    let rows = conn.all(query(cards!("cards.user_id = $1 ORDER BY cards.serial")).bind(user)).await?;
    rows.iter().map(of_card_row).collect()
}

/// A user without a card.
pub(crate) async fn of_user(conn: &mut Snapshot, id: &str) -> Result<Subject, Refusal> {
    let row = conn.optional(query(users!("users.id = $1")).bind(id)).await?;
    let subject = row.as_ref().map(of_user_row).transpose()?.unwrap_or_default();
    answered(conn, subject).await
}

/// The user of this name ([`users::by_name`]), without a card.
pub(crate) async fn of_name(conn: &mut Snapshot, name: &str) -> Result<Subject, Refusal> {
    let found = query(users!("users.logon_key = $1 OR users.upn_key = $1")).bind(names::key(name));
    let found = conn.all(found).await?.iter().map(of_user_row).collect::<Result<Vec<_>, _>>()?;
    let written =
        |subject: &Subject| subject.user.as_ref().map(|user| vec![user.logon.clone(), user.upn.clone()]).unwrap_or_default();
    let subject = names::the_one(found, name, written).unwrap_or_default();
    answered(conn, subject).await
}
