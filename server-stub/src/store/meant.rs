//! Who and what texts of people mean: by a name or a number first, else by a search that finds one.

use super::list::List;
use super::page::Condition;
use super::rows::{number, text};
use super::{Snapshot, cards, scope, users};
use crate::model::card::CardFilter;
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

/// Users and cards that words are of, in the scope: where one of them is not meant by a name or a number.
pub(crate) struct Words<'f> {
    users: Option<users::Asked<'f>>,
    cards: Option<cards::Asked<'f>>,
    /// Of the conditions of each the rarest.
    rarest: [Option<usize>; 2],
}

impl<'f> Words<'f> {
    /// Of these lists, each where it is asked for, cards also by their owners where `by_owner`.
    ///
    /// # Errors
    /// [`crate::model::refusal::Code::Malformed`].
    pub(crate) fn of(
        users: Option<&'f UserFilter>,
        cards: Option<&'f CardFilter>,
        by_owner: bool,
        scope: &Scope,
    ) -> Result<Self, Refusal> {
        let users = users.map(|filter| users::Asked::of(filter, scope)).transpose()?.flatten();
        let cards = cards.map(|filter| cards::Asked::of(filter, by_owner, scope)).transpose()?.flatten();
        Ok(Self { users, cards, rarest: [None; 2] })
    }

    fn conditions(&self) -> [&[Condition]; 2] {
        let users = self.users.as_ref().map_or(&[][..], |asked| &asked.conditions);
        [users, self.cards.as_ref().map_or(&[][..], |asked| &asked.conditions)]
    }

    /// The users: one statement, or none.
    pub(crate) async fn users(&mut self, conn: &mut Snapshot) -> Result<Listed<User>, Refusal> {
        match self.users.take() {
            Some(asked) => asked.list(conn, self.rarest[0]).await,
            None => Ok(Listed::nothing()),
        }
    }

    /// The cards: one statement, or none.
    pub(crate) async fn cards(&mut self, conn: &mut Snapshot) -> Result<Listed<cards::WithOwner>, Refusal> {
        match self.cards.take() {
            Some(asked) => asked.list(conn, self.rarest[1]).await,
            None => Ok(Listed::nothing()),
        }
    }
}

/// Looks all of them up, users of the scope, and counts what the words may be begun with: one statement.
pub(crate) async fn named(
    conn: &mut Snapshot,
    named: &Named<'_>,
    words: &mut Words<'_>,
    scope: &Scope,
) -> Result<Found, Refusal> {
    let (id, key) = (named.user, names::key(named.user));
    let mut list = List::new("SELECT 'user' AS what, id, logon, upn, CAST(0 AS BIGINT) AS hits FROM users WHERE (id = ");
    list.text(id).sql(" OR logon_key = ").text(&*key).sql(" OR upn_key = ").text(&*key).sql(")");
    Condition::beside(&scope::of_users(scope), "users.id", &mut list);
    list.sql(" UNION ALL SELECT 'card', serial, '', '', 0 FROM cards WHERE serial = ").text(named.card);
    list.sql(" UNION ALL SELECT 'operator', '', name, '', 0 FROM operators WHERE name_key = ").text(names::key(named.operator));
    for (which, conditions) in words.conditions().into_iter().enumerate() {
        for (place, condition) in conditions.iter().enumerate() {
            list.sql(&format!(" UNION ALL SELECT 'hits {which} {place}', '', '', '', "));
            condition.hits(&mut list);
        }
    }
    let (mut users, mut operators, mut card) = (Vec::new(), Vec::new(), false);
    let mut hits = words.conditions().map(|conditions| vec![0; conditions.len()]);
    for row in list.rows(conn).await? {
        match text(&row, "what")?.as_str() {
            "user" if !named.user.is_empty() => users.push((text(&row, "id")?, text(&row, "logon")?, text(&row, "upn")?)),
            "card" => card = true,
            "operator" if !named.operator.is_empty() => operators.push(text(&row, "logon")?),
            other => {
                let counted = other.strip_prefix("hits ").and_then(|of| of.split_once(' '));
                let counted = counted.and_then(|(which, place)| Some((which.parse().ok()?, place.parse().ok()?)));
                if let Some((which, place)) =
                    counted.filter(|(which, place): &(usize, usize)| hits.get(*which).is_some_and(|hits| *place < hits.len()))
                {
                    hits[which][place] = number(&row, "hits")?;
                }
            }
        }
    }
    words.rarest = hits.map(Condition::fewest);
    let by_id = users.iter().find(|(id, ..)| id == named.user).map(|(id, ..)| id.clone());
    let by_name = || names::the_one(users, named.user, |(_, logon, upn)| vec![logon.clone(), upn.clone()]).map(|(id, ..)| id);
    let operator = names::the_one(operators, named.operator, |name| vec![name.clone()]);
    Ok(Found { user: by_id.or_else(by_name), card, operator })
}
