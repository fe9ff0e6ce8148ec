//! Who and what texts of people mean: by a name or a number first, else by a search that finds one.

use super::list::List;
use super::page::Condition;
use super::rows::text;
use super::{Snapshot, cards, scope, users};
use crate::model::card::{CardFilter, CardRecord};
use crate::model::list::Listed;
use crate::model::names;
use crate::model::refusal::Refusal;
use crate::model::role::Scope;
use crate::model::user::{User, UserFilter};

/// Texts that mean something by themselves; an empty one means nothing.
pub(crate) struct Named<'a> {
    /// A user's id, or a logon name in either form.
    pub(crate) user: &'a str,
    /// A serial as it is stored.
    pub(crate) card: &'a str,
    /// An operator's name.
    pub(crate) operator: &'a str,
}

/// What these are, where there is one.
#[derive(Default)]
pub(crate) struct Found {
    /// The user's id.
    pub(crate) user: Option<String>,
    /// The card is registered.
    pub(crate) card: bool,
    /// The operator's name as it is written.
    pub(crate) operator: Option<String>,
}

/// Looks all of them up, users of the scope: one statement.
pub(crate) async fn named(conn: &mut Snapshot, named: &Named<'_>, scope: &Scope) -> Result<Found, Refusal> {
    let (id, key) = (named.user, names::key(named.user));
    let mut found = List::new("SELECT 'user' AS what, id, logon, upn FROM users WHERE (id = ");
    found.text(id).sql(" OR logon_key = ").text(&*key).sql(" OR upn_key = ").text(&*key).sql(")");
    Condition::beside(&scope::of_users(scope), "users.id", &mut found);
    found.sql(" UNION ALL SELECT 'card', serial, '', '' FROM cards WHERE serial = ").text(named.card);
    found.sql(" UNION ALL SELECT 'operator', '', name, '' FROM operators WHERE name_key = ").text(names::key(named.operator));
    let (mut users, mut operators, mut card) = (Vec::new(), Vec::new(), false);
    for row in found.rows(conn).await? {
        match text(&row, "what")?.as_str() {
            "user" if !named.user.is_empty() => users.push((text(&row, "id")?, text(&row, "logon")?, text(&row, "upn")?)),
            "card" => card = true,
            "operator" if !named.operator.is_empty() => operators.push(text(&row, "logon")?),
            _ => {}
        }
    }
    let by_id = users.iter().find(|(id, ..)| id == named.user).map(|(id, ..)| id.clone());
    let by_name = || names::the_one(users, named.user, |(_, logon, upn)| vec![logon.clone(), upn.clone()]).map(|(id, ..)| id);
    let operator = names::the_one(operators, named.operator, |name| vec![name.clone()]);
    Ok(Found { user: by_id.or_else(by_name), card, operator })
}

/// Users and cards of these lists in the scope, each where it is asked for, cards also by their owners where `by_owner`: three
/// statements at most.
pub(crate) async fn searched(
    conn: &mut Snapshot,
    users: Option<&UserFilter>,
    cards: Option<&CardFilter>,
    by_owner: bool,
    scope: &Scope,
) -> Result<(Listed<User>, Listed<CardRecord>), Refusal> {
    let users = users.map(|filter| users::Asked::of(filter, scope)).transpose()?.flatten();
    let cards = cards.map(|filter| cards::Asked::of(filter, by_owner, scope)).transpose()?.flatten();
    let users_are = users.as_ref().map_or(&[][..], |asked| &asked.conditions);
    let cards_are = cards.as_ref().map_or(&[][..], |asked| &asked.conditions);
    let [rarest_of_users, rarest_of_cards] = Condition::rarest([users_are, cards_are], conn).await?;
    let users = match users {
        Some(asked) => asked.list(conn, rarest_of_users).await?,
        None => Listed::nothing(),
    };
    let cards = match cards {
        Some(asked) => asked.list(conn, rarest_of_cards).await?,
        None => Listed::nothing(),
    };
    Ok((users, cards))
}
