//! Table `users`: the catalog of people.

use super::given::{self, Given};
use super::list::List;
use super::page::{Condition, Page, Source};
use super::policies::policy_of_user;
use super::rows::{body, json, number, optional, text};
use super::words::{self, Words};
use super::{Snapshot, Tx, policies, scope};
use crate::model::clock::Millis;
use crate::model::list::{self, Cursor, Listed};
use crate::model::names::{self, Clash};
use crate::model::refusal::Refusal;
use crate::model::role::Scope;
use crate::model::search::{self, Search};
use crate::model::user::{Contact, User, UserFilter, UserLock, UserOrder, UserState};
use serde_json::{Value, json};
use sqlx::any::AnyRow;
use sqlx::query;

/// Table `user_words`.
const WORDS: Words = Words {
    table: "user_words",
    of: "user_id",
    word: "word",
    places: &["name_key", "logon_key"],
    source: Source {
        all: "SELECT user_id, name_key, logon_key FROM user_words WHERE",
        of_one: "user_words AS also WHERE also.user_id =",
    },
};
/// The cards of who has a word.
pub(super) const CARDS: Source = Source {
    all: "SELECT own.serial AS card FROM user_words CROSS JOIN cards AS own WHERE own.user_id = user_words.user_id AND",
    of_one: "cards AS own CROSS JOIN user_words AS also WHERE also.user_id = own.user_id AND own.serial =",
};

pub(super) fn of_row(row: &AnyRow) -> Result<User, Refusal> {
    Ok(User {
        id: text(row, "id")?,
        logon: text(row, "logon")?,
        upn: text(row, "upn")?,
        cn: text(row, "cn")?,
        mail: text(row, "mail")?,
        phone: text(row, "phone")?,
        active: text(row, "catalog_state")? == "active",
        password: text(row, "password")?,
        failed: number(row, "failed")?,
        lock: UserLock::of_stored(number(row, "lock_state")?),
        last_try_at: number(row, "last_try_at")?,
        draw: json(row, "draw")?,
    })
}

/// The user of this id.
pub(crate) async fn by_id(conn: &mut Snapshot, id: &str) -> Result<Option<User>, Refusal> {
    let row = conn.optional(query("SELECT * FROM users WHERE id = $1").bind(id)).await?;
    row.as_ref().map(of_row).transpose()
}

/// The user of this logon name, in either form; of several that compare alike the one who is written so ([`names::the_one`]).
pub(crate) async fn by_name(conn: &mut Snapshot, name: &str) -> Result<Option<User>, Refusal> {
    let found = query("SELECT * FROM users WHERE logon_key = $1 OR upn_key = $1").bind(names::key(name));
    let found = conn.all(found).await?.iter().map(of_row).collect::<Result<Vec<_>, _>>()?;
    Ok(names::the_one(found, name, |user| vec![user.logon.clone(), user.upn.clone()]))
}

/// The logon name of a user whose `name@domain` has this own part, as it is compared.
pub(crate) async fn logon_of_upn_part(conn: &mut Snapshot, own: &str) -> Result<Option<String>, Refusal> {
    let found = query("SELECT logon FROM users WHERE upn_own = $1 ORDER BY logon_key, id LIMIT 1").bind(own);
    let row = conn.optional(found).await?;
    row.map(|row| text(&row, "logon")).transpose()
}

/// Whether another than the one of the id `own` has this name, in either form; of `None` whether somebody has.
pub(crate) async fn is_taken(conn: &mut Snapshot, name: &str, own: Option<&str>) -> Result<bool, Refusal> {
    let found = query("SELECT id FROM users WHERE (logon_key = $1 OR upn_key = $1) AND id <> $2 LIMIT 1");
    Ok(conn.optional(found.bind(names::key(name)).bind(own.unwrap_or_default())).await?.is_some())
}

/// Users of a list, of those in the scope: those that have all words of the search, and are under the policy.
pub(crate) async fn list(conn: &mut Snapshot, filter: &UserFilter, scope: &Scope) -> Result<Listed<User>, Refusal> {
    let Some(asked) = Asked::of(filter, scope)? else { return Ok(Listed::nothing()) };
    let rarest = Condition::rarest(&asked.conditions, conn).await?;
    asked.list(conn, rarest).await
}

/// A list that is asked for.
pub(super) struct Asked<'f> {
    filter: &'f UserFilter,
    limit: u16,
    cursor: Option<Cursor>,
    patterns: Vec<String>,
    pub(super) conditions: Vec<Condition>,
}

impl<'f> Asked<'f> {
    /// `None` where nobody can be found.
    ///
    /// # Errors
    /// [`crate::model::refusal::Code::Malformed`] for a limit or a cursor that is none.
    pub(super) fn of(filter: &'f UserFilter, scope: &Scope) -> Result<Option<Self>, Refusal> {
        let limit = list::limit(filter.limit, list::USUAL)?;
        let cursor = Cursor::read(filter.cursor.as_deref(), filter.sort.name())?;
        let Some(search) = Search::of_people(&filter.q) else { return Ok(None) };
        let mut conditions = WORDS.have(&search.words);
        conditions.extend(filter.policy.as_deref().map(policies::under));
        conditions.extend(scope::of_users(scope));
        Ok(Some(Self { filter, limit, cursor, patterns: search.patterns, conditions }))
    }

    /// The list, begun with a condition of [`Condition::rarest`].
    pub(super) async fn list(self, conn: &mut Snapshot, rarest: Option<usize>) -> Result<Listed<User>, Refusal> {
        let rows = self.statement(rarest).rows(conn).await?;
        let placed = |row| Ok((text(row, self.column())?, of_row(row)?));
        let rows = rows.iter().map(placed).collect::<Result<Vec<_>, Refusal>>()?;
        let order = self.filter.sort.name();
        let place = |(key, user): &(String, User)| Cursor { order: order.into(), place: (key.clone(), user.id.clone()) };
        let page = Listed::of(rows, self.limit, place);
        Ok(Listed { items: page.items.into_iter().map(|(_, user)| user).collect(), next: page.next })
    }

    const fn column(&self) -> &'static str {
        match self.filter.sort {
            UserOrder::Name | UserOrder::NameDown => "name_key",
            UserOrder::Logon | UserOrder::LogonDown => "logon_key",
        }
    }

    fn statement(&self, rarest: Option<usize>) -> List {
        let (place, down) = match self.filter.sort {
            UserOrder::Name => ("users.name_key", false),
            UserOrder::NameDown => ("users.name_key", true),
            UserOrder::Logon => ("users.logon_key", false),
            UserOrder::LogonDown => ("users.logon_key", true),
        };
        let by = [(place, self.column()), ("users.id", "user_id")];
        let after = self.cursor.as_ref().map(|cursor| cursor.place.clone());
        let page = Page { table: "users", asked: "users", by, down, after, rows: i64::from(self.limit) + 1 };
        let mut list = List::new("SELECT users.* FROM ");
        let alone = self.patterns.is_empty() && self.filter.state.is_none();
        let begun = page.begin(&self.conditions, rarest, alone, &mut list);
        for pattern in &self.patterns {
            list.sql(" AND search_key LIKE ").text(pattern).sql(r" ESCAPE '\'");
        }
        list.sql(match self.filter.state {
            None => "",
            Some(UserState::Active) => " AND catalog_state = 'active'",
            // Of all the disabled, or of many people whose state is to be known one by one: each has an index of its own.
            Some(UserState::Disabled) if begun.late => " AND catalog_state = 'disabled'",
            Some(UserState::Disabled) => " AND catalog_state <> 'active'",
            Some(UserState::Locked) => " AND lock_state <> 0",
        });
        page.end(&begun, &mut list);
        list
    }
}

/// Who these users are and how to reach them.
pub(crate) async fn contacts(conn: &mut Snapshot, ids: &[&str], scope: &Scope) -> Result<Vec<Contact>, Refusal> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut list =
        List::new(concat!("SELECT id, cn, phone, ", policy_of_user!("users.id"), " AS policy FROM users WHERE id IN "));
    list.texts(ids.iter().copied());
    let contact = |row| {
        let is_seen = scope.covers(optional(row, "policy")?.as_deref());
        Ok(Contact { id: text(row, "id")?, cn: text(row, "cn")?, phone: text(row, "phone")?, is_seen })
    };
    list.rows(conn).await?.iter().map(contact).collect()
}

/// How many there are.
pub(crate) async fn count(conn: &mut Snapshot) -> Result<i64, Refusal> {
    number(&conn.one(query("SELECT COUNT(*) AS n FROM users")).await?, "n")
}

/// Names that more than one user, or more than one operator, has, or an operator and a user who is somebody else.
pub(crate) async fn clashes(conn: &mut Snapshot) -> Result<Vec<Clash>, Refusal> {
    // By what an index has in order: nobody reads everybody to find that there is none.
    let found = "WITH clashing AS (SELECT logon_key AS name FROM users GROUP BY logon_key HAVING COUNT(*) > 1 \
                 UNION SELECT upn_key FROM users GROUP BY upn_key HAVING COUNT(*) > 1 \
                 UNION SELECT one.logon_key FROM users AS one JOIN users AS other ON other.upn_key = one.logon_key \
                 WHERE other.id <> one.id), \
                 mixed AS (SELECT operators.name_key AS name, operators.name AS operator, users.logon \
                 FROM operators CROSS JOIN users WHERE users.logon_key = operators.name_key \
                 AND COALESCE(operators.user_id, '') <> users.id \
                 UNION SELECT operators.name_key, operators.name, users.logon \
                 FROM operators CROSS JOIN users WHERE users.upn_key = operators.name_key \
                 AND COALESCE(operators.user_id, '') <> users.id) \
                 SELECT CAST(0 AS BIGINT) AS which, clashing.name, users.logon AS shown FROM clashing \
                 JOIN users ON users.logon_key = clashing.name \
                 UNION SELECT CAST(0 AS BIGINT), clashing.name, users.logon FROM clashing \
                 JOIN users ON users.upn_key = clashing.name \
                 UNION SELECT CAST(0 AS BIGINT), name, logon FROM mixed \
                 UNION SELECT CAST(1 AS BIGINT), name, operator FROM mixed \
                 UNION ALL SELECT CAST(2 AS BIGINT), name_key, name FROM operators \
                 WHERE name_key IN (SELECT name_key FROM operators GROUP BY name_key HAVING COUNT(*) > 1) \
                 ORDER BY which, name, shown";
    let mut clashes: Vec<Clash> = Vec::new();
    for row in conn.all(query(found)).await? {
        let (name, shown, which) = (text(&row, "name")?, text(&row, "shown")?, number(&row, "which")?);
        let known = clashes.iter_mut().find(|clash| clash.name == name && clash.operators == (which == 2));
        match (known, which) {
            (Some(clash), 1) => clash.also.push(shown),
            (Some(clash), _) => clash.of.push(shown),
            (None, _) => clashes.push(Clash { name, of: vec![shown], operators: which == 2, also: Vec::new() }),
        }
    }
    Ok(clashes)
}

/// A new user, who is active.
pub(crate) async fn insert(tx: &mut Tx, user: &User) -> Result<(), Refusal> {
    let insert = "INSERT INTO users (id, logon, upn, cn, mail, phone, catalog_state, password, failed, lock_state, draw) \
                  VALUES ($1, $2, $3, $4, $5, $6, 'active', $7, 0, 0, '[]')";
    let insert = query(insert).bind(&user.id).bind(&user.logon).bind(&user.upn).bind(&user.cn).bind(&user.mail);
    tx.run(insert.bind(&user.phone).bind(&user.password)).await?;
    let (found, has) = Written::of(user).found();
    update_found(tx, vec![found]).await?;
    WORDS.insert(tx, has).await
}

/// What people have written of a user is now otherwise.
pub(crate) async fn set(tx: &mut Tx, user: &User) -> Result<(), Refusal> {
    let update = query("UPDATE users SET logon = $2, upn = $3, cn = $4, mail = $5, phone = $6 WHERE id = $1");
    let update = update.bind(&user.id).bind(&user.logon).bind(&user.upn).bind(&user.cn);
    tx.run(update.bind(&user.mail).bind(&user.phone)).await?;
    set_found(tx, &[Written::of(user)]).await
}

/// What of a user is written by people, who is found and put in order by it.
struct Written {
    id: String,
    logon: String,
    upn: String,
    cn: String,
    mail: String,
    phone: String,
}

impl Written {
    fn of(user: &User) -> Self {
        let User { id, logon, upn, cn, mail, phone, .. } = user.clone();
        Self { id, logon, upn, cn, mail, phone }
    }

    fn of_row(row: &AnyRow) -> Result<Self, Refusal> {
        Ok(Self {
            id: text(row, "id")?,
            logon: text(row, "logon")?,
            upn: text(row, "upn")?,
            cn: text(row, "cn")?,
            mail: text(row, "mail")?,
            phone: text(row, "phone")?,
        })
    }

    /// What the user is found and put in order by: the columns that are compared, as [`update_found`] has them, and the words.
    fn found(&self) -> (Value, Value) {
        let (name_key, logon_key) = (names::key(&self.cn), names::key(&self.logon));
        let number = search::telephone(&self.phone);
        let searched = [self.cn.as_str(), &self.logon, &self.upn, &self.mail, &number];
        let words = search::words_of_person(&searched, &self.phone);
        let (upn_key, search_key) = (names::key(&self.upn), search::search_key(&searched));
        let found = json!([self.id, name_key, logon_key, upn_key, search_key, &*names::own_part(&self.upn)]);
        (found, words::has(&self.id, words, &[&name_key, &logon_key]))
    }
}

/// What users are found and put in order by: the columns that are compared, the words, and the places beside these and beside
/// policies.
async fn set_found(tx: &mut Tx, users: &[Written]) -> Result<(), Refusal> {
    let (found, have) = users.iter().map(Written::found).unzip();
    update_found(tx, found).await?;
    WORDS.set(tx, have).await
}

/// The columns that are compared, and the places beside policies.
async fn update_found(tx: &mut Tx, users: Vec<Value>) -> Result<(), Refusal> {
    let users = Given::new(users);
    let update = "UPDATE users SET name_key = given.value ->> 1, logon_key = given.value ->> 2, upn_key = given.value ->> 3, \
                  search_key = given.value ->> 4, upn_own = given.value ->> 5 FROM {given} WHERE users.id = given.value ->> 0";
    users.run(tx, update).await?;
    let update = "UPDATE policy_links SET name_key = given.value ->> 1, logon_key = given.value ->> 2 FROM {given} \
                  WHERE policy_links.user_id = given.value ->> 0 \
                  AND (policy_links.name_key <> given.value ->> 1 OR policy_links.logon_key <> given.value ->> 2)";
    users.run(tx, update).await
}

/// Active in the catalog or not.
pub(crate) async fn set_active(tx: &mut Tx, id: &str, active: bool) -> Result<(), Refusal> {
    let state = if active { "active" } else { "disabled" };
    tx.run(query("UPDATE users SET catalog_state = $2 WHERE id = $1").bind(id).bind(state)).await?;
    Ok(())
}

/// Counts a try of a user's answers, and what that comes to.
pub(crate) async fn count_try(tx: &mut Tx, id: &str, failed: i64, lock: UserLock, now: Millis) -> Result<(), Refusal> {
    let update = query("UPDATE users SET failed = $2, lock_state = $3, last_try_at = $4 WHERE id = $1");
    tx.run(update.bind(id).bind(failed).bind(lock.stored()).bind(now)).await?;
    Ok(())
}

/// The user's answers are compared again, from the first try on.
pub(crate) async fn reopen(tx: &mut Tx, id: &str) -> Result<(), Refusal> {
    tx.run(query("UPDATE users SET failed = 0, lock_state = 0 WHERE id = $1").bind(id)).await?;
    Ok(())
}

/// The user is locked.
pub(crate) async fn lock(tx: &mut Tx, id: &str) -> Result<(), Refusal> {
    tx.run(query("UPDATE users SET lock_state = $2 WHERE id = $1").bind(id).bind(UserLock::Locked.stored())).await?;
    Ok(())
}

/// The questions that are drawn for the user.
pub(crate) async fn set_draw(tx: &mut Tx, id: &str, draw: &[String]) -> Result<(), Refusal> {
    tx.run(query("UPDATE users SET draw = $2 WHERE id = $1").bind(id).bind(body(&draw))).await?;
    Ok(())
}

/// No wrong answers, and no questions drawn; a lock stays.
pub(crate) async fn forget_answers(tx: &mut Tx, id: &str) -> Result<(), Refusal> {
    tx.run(query("UPDATE users SET failed = 0, draw = '[]' WHERE id = $1").bind(id)).await?;
    Ok(())
}

/// Fills the columns of rows that an older version has written, and their words.
pub(super) async fn fill(tx: &mut Tx) -> Result<(), Refusal> {
    let mut after = String::new();
    loop {
        let bare = "SELECT id, logon, upn, cn, mail, phone FROM users WHERE (name_key = '' OR logon_key = '') AND id > $1 \
                    ORDER BY id LIMIT $2";
        let rows = tx.all(query(bare).bind(&after).bind(given::AT_ONCE)).await?;
        let users = rows.iter().map(Written::of_row).collect::<Result<Vec<_>, _>>()?;
        let Some(last) = users.last() else { return Ok(()) };
        after.clone_from(&last.id);
        set_found(tx, &users).await?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    /// Of thousands who are found by a word and narrowed by a state no row is read but those of the page.
    #[tokio::test]
    async fn a_state_is_read_from_an_index() {
        let store = Store::open("sqlite::memory:").await.unwrap();
        let mut snapshot = store.read().await.unwrap();
        for state in [UserState::Active, UserState::Disabled] {
            let filter = UserFilter { q: "anna".into(), state: Some(state), ..UserFilter::default() };
            let asked = Asked::of(&filter, &Scope::All).unwrap().unwrap();
            let plan = asked.statement(Some(0)).plan(&mut snapshot).await;
            assert!(plan.contains("SEARCH users USING COVERING INDEX users_states (id=?"), "{plan}");
            let rows = plan.lines().filter(|line| line.contains("SEARCH users") && !line.contains("COVERING"));
            assert_eq!(rows.count(), 1, "{plan}");
            assert!(
                plan.lines().skip_while(|line| !line.contains("users_states")).any(|line| line.contains("SCAN page")),
                "{plan}"
            );
            assert!(!plan.contains("SCAN users"), "{plan}");
        }
    }
}
