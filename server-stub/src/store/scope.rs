//! Whom and what an operator finds ([`Scope`]), as conditions of statements: none where that is everything.

use super::Snapshot;
use super::list::List;
use super::page::{Condition, RARE, Source};
use super::rows::number;
use crate::model::refusal::Refusal;
use crate::model::role::Scope;

/// Users of a policy that holds for them.
const HELD: Source = Source {
    all: "SELECT user_id, name_key, logon_key FROM policy_links WHERE holds = 1 AND",
    of_one: "policy_links AS held WHERE held.holds = 1 AND held.user_id =",
};
/// Cards that were issued under a policy.
const ISSUED: Source = Source { all: "SELECT serial AS card FROM cards WHERE", of_one: "cards AS own WHERE own.serial =" };
/// Cards that were issued under none, of users of a policy.
const OWNED: Source = Source {
    all: "SELECT own.serial AS card FROM cards AS own CROSS JOIN policy_links AS held WHERE COALESCE(own.policy_id, '') = '' \
          AND own.user_id IS NOT NULL AND held.user_id = own.user_id AND held.holds = 1 AND",
    of_one: "cards AS own CROSS JOIN policy_links AS held WHERE own.policy_id IS NULL AND held.user_id = own.user_id \
             AND held.holds = 1 AND own.serial =",
};
/// Cards that are nobody's and under no policy.
const STOCK: Source = Source {
    all: "SELECT serial AS card FROM cards WHERE COALESCE(policy_id, '') = '' AND user_id IS NULL AND",
    of_one: "cards AS own WHERE own.policy_id IS NULL AND own.user_id IS NULL AND own.serial =",
};

/// The policies of a local role; of one that is for none, a policy that there is not.
fn policies(scope: &Scope) -> Option<(Vec<&str>, bool)> {
    match scope {
        Scope::All => None,
        Scope::Of { policies, stock } if policies.is_empty() => Some((vec![""], *stock)),
        Scope::Of { policies, stock } => Some((policies.iter().map(String::as_str).collect(), *stock)),
    }
}

/// That the policy which holds for a user is one of these.
pub(super) fn of_users(scope: &Scope) -> Option<Condition> {
    let (policies, _) = policies(scope)?;
    Some(Condition::none().or_among(HELD, "policy_id", policies))
}

/// That a card is under one of these policies, or is nobody's and may be assigned.
pub(super) fn of_cards(scope: &Scope) -> Option<Condition> {
    let (policies, stock) = policies(scope)?;
    let any =
        Condition::none().or_among(ISSUED, "policy_id", policies.iter().copied()).or_among(OWNED, "held.policy_id", policies);
    Some(if stock { any.or_all(STOCK) } else { any })
}

/// ` AND` that a row of `events` is of a user, or of nobody and a card, under one of these policies.
pub(super) fn beside_events(scope: &Scope, list: &mut List) {
    let Some((policies, _)) = policies(scope) else { return };
    list.sql(" AND (EXISTS (SELECT 1 FROM policy_links AS held WHERE held.user_id = events.user_id AND held.holds = 1");
    list.sql(" AND held.policy_id IN ").texts(policies.iter().copied());
    list.sql(") OR (events.user_id = '' AND EXISTS (SELECT 1 FROM cards AS own WHERE own.serial = events.card AND COALESCE(");
    list.sql(
        "own.policy_id, (SELECT held.policy_id FROM policy_links AS held WHERE held.user_id = own.user_id AND held.holds = 1)",
    );
    list.sql(") IN ").texts(policies.iter().copied()).sql(")))");
}

/// The places in the log of all events that [`beside_events`] is met by, each once: begun with the users and cards.
fn all_events(scope: &Scope, list: &mut List) -> bool {
    let Some((policies, _)) = policies(scope) else { return false };
    let policies = || policies.iter().copied();
    list.sql(
        "SELECT events.seq AS place FROM policy_links AS held CROSS JOIN events WHERE held.holds = 1 AND held.policy_id IN ",
    );
    list.texts(policies()).sql(" AND events.user_id = held.user_id");
    list.sql(" UNION ALL SELECT events.seq FROM cards AS own CROSS JOIN events WHERE own.policy_id IN ");
    list.texts(policies()).sql(" AND events.card = own.serial AND events.user_id = ''");
    list.sql(" UNION ALL SELECT events.seq FROM cards AS own CROSS JOIN policy_links AS held CROSS JOIN events");
    list.sql(
        " WHERE COALESCE(own.policy_id, '') = '' AND own.user_id IS NOT NULL AND held.user_id = own.user_id AND held.holds = 1",
    );
    list.sql(" AND held.policy_id IN ").texts(policies()).sql(" AND events.card = own.serial AND events.user_id = ''");
    true
}

/// `FROM` the events that an operator finds, for `WHERE`; begun with the users and cards of the scope where these have few, which
/// is counted then, unless the log is asked for somebody's or something's alone (`narrow`).
pub(super) async fn from_events(conn: &mut Snapshot, scope: &Scope, narrow: bool, list: &mut List) -> Result<(), Refusal> {
    let mut few = List::new("SELECT COUNT(*) AS n FROM (SELECT 1 AS one FROM (");
    if !narrow && all_events(scope, &mut few) {
        few.sql(") AS hit LIMIT ").number(RARE).sql(") AS hits");
        let rows = few.rows(conn).await?;
        if rows.first().map_or(Ok(RARE), |row| number(row, "n"))? < RARE {
            list.sql("(");
            all_events(scope, list);
            // In this order: SQLite then begins on the left.
            list.sql(") AS found CROSS JOIN events WHERE events.seq = found.place");
            return Ok(());
        }
    }
    list.sql("events WHERE 1 = 1");
    beside_events(scope, list);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::rows::text;
    use crate::store::{Store, Tx};
    use proptest::prelude::*;
    use sqlx::query;
    use std::collections::BTreeSet;

    /// Users with the policy that holds, cards with their own policy and user, events with user and card.
    type Rows = (Vec<Option<u8>>, Vec<(Option<u8>, Option<u8>)>, Vec<(Option<u8>, Option<u8>)>);

    fn rows() -> impl Strategy<Value = Rows> {
        let any = |most: u8| prop::option::of(0..most);
        let users = prop::collection::vec(any(3), 4);
        (users, prop::collection::vec((any(3), any(4)), 4), prop::collection::vec((any(4), any(4)), 0..12))
    }

    async fn run(tx: &mut Tx, sql: String) {
        tx.run(query(sqlx::AssertSqlSafe(sql))).await.unwrap();
    }

    async fn fill(store: &Store, (users, cards, events): &Rows) {
        let mut tx = store.begin().await.unwrap();
        let or_null = |of: &str, n: &Option<u8>| n.map_or("NULL".into(), |n| format!("'{of}{n}'"));
        let or_empty = |of: &str, n: &Option<u8>| n.map_or("''".into(), |n| format!("'{of}{n}'"));
        run(&mut tx, "INSERT INTO card_types (id, body) VALUES ('t', '{}')".into()).await;
        for n in 0..3 {
            run(&mut tx, format!("INSERT INTO policies (id, name, body, position) VALUES ('p{n}', 'P{n}', '{{}}', {n})")).await;
        }
        for (n, policy) in users.iter().enumerate() {
            let columns = "id, logon, upn, cn, mail, phone, catalog_state, password, failed, lock_state, draw";
            run(
                &mut tx,
                format!("INSERT INTO users ({columns}) VALUES ('u{n}', 'u{n}', 'u{n}@x', '', '', '', '', '', 0, 0, '[]')"),
            )
            .await;
            if let Some(policy) = policy {
                run(&mut tx, format!("INSERT INTO policy_links (user_id, policy_id, holds) VALUES ('u{n}', 'p{policy}', 1)"))
                    .await;
            }
        }
        for (n, (policy, user)) in cards.iter().enumerate() {
            let (policy, user) = (or_null("p", policy), or_null("u", user));
            let columns = "serial, card_type, atr, label, state, user_id, policy_id, admin_key, key_version, sealed_key, \
                           revoke_reason, issued_at";
            let values = format!("'c{n}', 't', '', '', '', {user}, {policy}, '', 1, '', '', 0");
            run(&mut tx, format!("INSERT INTO cards ({columns}) VALUES ({values})")).await;
        }
        for (n, (user, card)) in events.iter().enumerate() {
            let (user, card) = (or_empty("u", user), or_empty("c", card));
            let columns = "seq, at, code, name, kind, initiator, card, user_id, workstation, flow, detail, hash";
            let values = format!("{n}, 0, 0, '', '', '', {card}, {user}, '', '', '', ''");
            run(&mut tx, format!("INSERT INTO events ({columns}) VALUES ({values})")).await;
        }
        tx.commit().await.unwrap();
    }

    async fn found(conn: &mut Snapshot, list: List, column: &str) -> Vec<String> {
        let rows = list.rows(conn).await.unwrap();
        let mut found: Vec<_> = rows.iter().map(|row| text(row, column).unwrap()).collect();
        found.sort();
        found
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

        /// Both ways to put it - begun with the scope, and asked of each row - find the same: what the scope covers, each once.
        #[test]
        fn both_ways_find_what_is_covered(rows in rows(), of in prop::collection::btree_set(0u8..3, 0..3), stock: bool) {
            let scope = Scope::Of { policies: of.iter().map(|n| format!("p{n}")).collect(), stock };
            let (users, cards, events) = &rows;
            let covers = |policy: Option<u8>| policy.is_some_and(|policy| of.contains(&policy));
            let holding = |user: Option<u8>| user.and_then(|user| users[usize::from(user)]);
            let of_card = |card: &(Option<u8>, Option<u8>)| covers(card.0.or(holding(card.1)));
            let names = |of: &str, keep: &dyn Fn(usize) -> bool, count: usize| -> Vec<String> {
                (0..count).filter(|n| keep(*n)).map(|n| format!("{of}{n}")).collect()
            };
            let wanted_users = names("u", &|n| covers(users[n]), users.len());
            let wanted_cards = names("c", &|n| of_card(&cards[n]) || stock && cards[n] == (None, None), cards.len());
            let mut wanted_events = names("", &|n| match events[n] {
                (Some(user), _) => covers(holding(Some(user))),
                (None, Some(card)) => of_card(&cards[usize::from(card)]),
                (None, None) => false,
            }, events.len());
            wanted_events.sort();
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let store = Store::open("sqlite::memory:").await.unwrap();
                fill(&store, &rows).await;
                let mut snapshot = store.read().await.unwrap();
                let (of_users, of_cards) = (of_users(&scope).unwrap(), of_cards(&scope).unwrap());
                for (table, key, column, condition, wanted) in [
                    ("users", "users.id", "user_id", of_users, wanted_users),
                    ("cards", "cards.serial", "card", of_cards, wanted_cards),
                ] {
                    let mut begun = List::new("");
                    condition.all(&mut begun);
                    let begun: BTreeSet<_> = found(&mut snapshot, begun, column).await.into_iter().collect();
                    prop_assert_eq!(begun.into_iter().collect::<Vec<_>>(), wanted.clone());
                    let mut asked = List::new(format!("SELECT {key} AS key FROM {table} WHERE 1 = 1"));
                    Condition::beside([&condition], key, &mut asked);
                    prop_assert_eq!(found(&mut snapshot, asked, "key").await, wanted);
                }
                for narrow in [false, true] {
                    let mut list = List::new("SELECT CAST(events.seq AS TEXT) AS key FROM ");
                    from_events(&mut snapshot, &scope, narrow, &mut list).await.unwrap();
                    prop_assert_eq!(found(&mut snapshot, list, "key").await, wanted_events.clone());
                }
                Ok(())
            })?;
        }
    }

    /// However many policies a role is for: each of its lists is one that the engine takes.
    #[tokio::test]
    async fn a_role_may_be_for_a_thousand_policies() {
        let store = Store::open("sqlite::memory:").await.unwrap();
        fill(&store, &(vec![Some(1)], vec![(None, Some(0))], vec![(Some(0), None)])).await;
        let mut snapshot = store.read().await.unwrap();
        let scope = Scope::Of { policies: (0..1000).map(|n| format!("p{n}")).collect(), stock: true };
        for (condition, column, wanted) in
            [(of_users(&scope).unwrap(), "user_id", "u0"), (of_cards(&scope).unwrap(), "card", "c0")]
        {
            let mut list = List::new("");
            condition.all(&mut list);
            assert_eq!(found(&mut snapshot, list, column).await, [wanted]);
        }
        let mut list = List::new("SELECT CAST(events.seq AS TEXT) AS key FROM ");
        from_events(&mut snapshot, &scope, false, &mut list).await.unwrap();
        assert_eq!(found(&mut snapshot, list, "key").await, ["0"]);
    }

    /// What the scope finds is found by indexes: nobody else, no other card and no other event is read.
    #[tokio::test]
    async fn a_scope_is_found_by_indexes() {
        let store = Store::open("sqlite::memory:").await.unwrap();
        let mut snapshot = store.read().await.unwrap();
        let scope = Scope::Of { policies: vec!["p".into(), "q".into()], stock: true };
        let mut events = List::new("");
        all_events(&scope, &mut events);
        let mut users = List::new("");
        of_users(&scope).unwrap().all(&mut users);
        let mut cards = List::new("");
        of_cards(&scope).unwrap().all(&mut cards);
        let mut page = List::new("SELECT events.* FROM events WHERE 1 = 1");
        beside_events(&scope, &mut page);
        page.sql(" ORDER BY seq DESC LIMIT 201");
        for (list, indexes) in [
            (users, &["COVERING INDEX policy_links_of_policy (policy_id=? AND holds=?)"][..]),
            (
                cards,
                &[
                    "INDEX cards_by_policy (policy_id=?)",
                    "INDEX cards_without_policy (user_id>?)",
                    "INDEX cards_without_policy (user_id=?)",
                ],
            ),
            (
                events,
                &["INDEX events_of_user (user_id=?)", "INDEX events_of_card_alone (card=?)", "cards_without_policy (user_id>?)"],
            ),
        ] {
            let plan = list.plan(&mut snapshot).await;
            assert!(indexes.iter().all(|index| plan.contains(index)) && !plan.contains("SCAN "), "{plan}");
        }
        let plan = page.plan(&mut snapshot).await;
        assert!(plan.contains("SCAN events USING INDEX sqlite_autoindex_events_1") && !plan.contains("TEMP B-TREE"), "{plan}");
    }
}
