//! People, cards and events: a few through the server, many straight into the tables.

use super::process::{Database, PASSWORD};
use cardlab_protocol::workstation::{Answer, Answers};
use cardlab_server_stub::model::answers::Hashing;
use cardlab_server_stub::model::clock::Clock;
use cardlab_server_stub::model::event::Event;
use cardlab_server_stub::model::vault::Vault;
use cardlab_server_stub::service::Server;
use cardlab_server_stub::service::cards::NewCard;
use cardlab_server_stub::service::login::Door;
use cardlab_server_stub::service::setup::{CARD_TYPE, sample};
use cardlab_server_stub::store::Store;
use std::fmt;

/// Rows of a statement.
const ROWS: usize = 500;
/// 2026-01-01, and milliseconds between events.
const FIRST_EVENT: i64 = 1_767_225_600_000;
const BETWEEN: i64 = 20_000;

/// A policy that one in twenty is under, behind the one that everybody is under.
pub(crate) const FEW: &str = "few";

/// How many there are.
pub(crate) struct Size {
    pub(crate) users: usize,
    pub(crate) cards: usize,
    pub(crate) events: usize,
    /// Of those who have a card, so many unlock theirs.
    pub(crate) answered: usize,
}

impl Size {
    pub(crate) const fn of(users: usize) -> Self {
        let answered = if users < 1000 { users } else { 1000 };
        Self { users, cards: users + users / 2, events: 10 * users, answered }
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} users, {} cards, {} events", self.users, self.cards, self.events)
    }
}

/// The serial of a card: those of the first are the first users' own.
pub(crate) fn serial(n: usize) -> String {
    // As of a maker's batches: the front tells little.
    format!("{:08X}{:024X}", (n * 2_654_435_761) % 0x1_0000_0000, n)
}

/// The right answer to a question.
pub(crate) fn answer(question: &str) -> String {
    question.chars().rev().filter(|c| c.is_alphabetic()).collect()
}

fn hashing(real: bool) -> Hashing {
    if real { Hashing::strong() } else { Hashing::quick() }
}

/// Three people with answers, a card each.
pub(crate) async fn people(database: &Database, real: bool) {
    let store = Store::open(&database.url).await.unwrap();
    let server = Server::new(store, Vault::new(&[7; 32]).unwrap(), Clock::start(), hashing(real)).await.unwrap();
    server.setup().bootstrap("admin", PASSWORD).await.unwrap();
    server.setup().add_sample().await.unwrap();
    for (n, (logon, _, password)) in sample::USERS.into_iter().enumerate() {
        let login = server.logins().log_in(Door::SelfService, logon, password, "127.0.0.1").await.unwrap();
        let person = server.logins().person(&login.token).await.unwrap();
        let own = server.self_service().own(&person).await.unwrap();
        let answers = own.questions.iter().map(|q| Answer { question: q.id.clone(), text: answer(&q.text) });
        server.self_service().set_answers(&person, &Answers { answers: answers.collect() }).await.unwrap();
        let card = NewCard {
            serial: serial(n),
            card_type: CARD_TYPE.into(),
            atr: String::new(),
            label: String::new(),
            admin_key: None,
            no_admin_key: false,
            untried: false,
        };
        server.setup().add_issued_card(&card, logon).await.unwrap();
    }
    server.store().close().await;
}

const FIRST: [&str; 20] = [
    "Anna", "Boris", "Clara", "Daniel", "Emil", "Frida", "Georg", "Hanna", "Ivan", "Julia", "Karl", "Lena", "Maria", "Nils",
    "Olga", "Paul", "Rosa", "Stefan", "Tanja", "Viktor",
];
const LAST: [&str; 50] = [
    "Albers", "Bauer", "Becker", "Berg", "Brandt", "Busch", "Dietz", "Ebert", "Engel", "Fischer", "Frank", "Fuchs", "Graf",
    "Gross", "Haas", "Hahn", "Hartmann", "Heinz", "Herzog", "Horn", "Jahn", "Kaiser", "Keller", "Klein", "Koch", "Krause",
    "Lang", "Lehmann", "Lorenz", "Maier", "Martin", "Meyer", "Moss", "Neumann", "Otto", "Peters", "Pohl", "Richter", "Roth",
    "Sauer", "Schmidt", "Schulz", "Simon", "Stein", "Thomas", "Vogel", "Wagner", "Weber", "Winter", "Zola",
];

/// The name of a user: first name, last name.
pub(crate) fn name(n: usize) -> (&'static str, &'static str) {
    (FIRST[n % FIRST.len()], LAST[n / FIRST.len() % LAST.len()])
}

/// Rows for a table, gathered.
struct Rows<'p> {
    pool: &'p sqlx::AnyPool,
    into: &'static str,
    values: Vec<String>,
}

impl<'p> Rows<'p> {
    const fn new(pool: &'p sqlx::AnyPool, into: &'static str) -> Self {
        Self { pool, into, values: Vec::new() }
    }

    async fn add(&mut self, values: String) {
        self.values.push(values);
        if self.values.len() == ROWS {
            self.flush().await;
        }
    }

    async fn flush(&mut self) {
        if !self.values.is_empty() {
            let insert = format!("INSERT INTO {} VALUES {}", self.into, self.values.join(", "));
            sqlx::raw_sql(sqlx::AssertSqlSafe(insert)).execute(self.pool).await.unwrap();
            self.values.clear();
        }
    }
}

/// As an update leaves it that changes what people and cards are found by (migration 18); everybody has a telephone number.
pub(crate) async fn made_bare(database: &Database) {
    let pool = database.pool().await;
    for change in ["UPDATE users SET phone = '+43 1 5' || substr(id, 5), name_key = ''", "UPDATE cards SET search_key = ''"] {
        sqlx::raw_sql(change).execute(&pool).await.unwrap();
    }
    pool.close().await;
}

/// People, cards and events in these numbers, beside the three.
pub(crate) async fn many(database: &Database, size: &Size, real: bool) {
    people(database, real).await;
    let pool = database.pool().await;
    if database.url.starts_with("sqlite") {
        for pragma in ["PRAGMA journal_mode = WAL", "PRAGMA synchronous = OFF"] {
            sqlx::raw_sql(pragma).execute(&pool).await.unwrap();
        }
    }
    let text = |row: &sqlx::any::AnyRow| sqlx::Row::get::<String, _>(row, 0);
    let policy = text(&sqlx::query("SELECT id FROM policies").fetch_one(&pool).await.unwrap());
    let few = format!(
        "INSERT INTO policies (id, name, name_key, body, position) SELECT '{FEW}', 'Few', 'few', body, position + 1 \
         FROM policies WHERE id = '{policy}'"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(few)).execute(&pool).await.unwrap();
    let questions = sqlx::query("SELECT id, text FROM questions").fetch_all(&pool).await.unwrap();
    let questions: Vec<(String, String)> = questions.iter().map(|row| (text(row), sqlx::Row::get(row, 1))).collect();
    let hashing = hashing(real);
    // The same hash for everybody: comparing with it costs what it costs.
    let hash = |question: &str| {
        let text = cardlab_server_stub::model::answers::normalised(&answer(question));
        hashing.hash(&text).unwrap()
    };
    let hashes: Vec<(&str, String)> = questions.iter().map(|(id, text)| (id.as_str(), hash(text))).collect();
    let password = hashing.hash("nobody's").unwrap();
    let mut rows = Rows::new(
        &pool,
        "users (id, logon, upn, cn, mail, phone, catalog_state, password, failed, lock_state, draw, logon_key, upn_key, search_key, name_key, upn_own)",
    );
    for n in 0..size.users {
        let (first, last) = name(n);
        let (cn, logon, upn) = (format!("{first} {last}"), format!("LAB\\user{n}"), format!("user{n}@lab.example"));
        let (locked, state) = (i32::from(n % 97 == 0) * 2, if n % 101 == 100 { "disabled" } else { "active" });
        let locked = if n < size.answered { 0 } else { locked };
        let state = if n < size.answered { "active" } else { state };
        let lower = [&cn, &logon, &upn].map(|text| text.to_lowercase());
        rows.add(format!(
            "('user{n}', '{logon}', '{upn}', '{cn}', '{upn}', '', '{state}', '{password}', 0, {locked}, '[]', '{}', '{}', '{} {} {} {}', '{}', 'user{n}')",
            lower[1], lower[2], lower[0], lower[1], lower[2], lower[2], lower[0]
        ))
        .await;
    }
    rows.flush().await;
    let mut links = Rows::new(&pool, "policy_links (user_id, policy_id, name_key, logon_key, holds)");
    let mut words = Rows::new(&pool, "user_words (user_id, word, name_key, logon_key)");
    let mut answers = Rows::new(&pool, "answers (user_id, question_id, hash, norm_version, set_at)");
    for n in 0..size.users {
        let (first, last) = name(n);
        let places = format!("'{} {}', 'lab\\user{n}'", first.to_lowercase(), last.to_lowercase());
        links.add(format!("('user{n}', '{policy}', {places}, 1)")).await;
        // By the last name: whoever is under it stands all over the list.
        if n / FIRST.len() % 20 == 7 {
            links.add(format!("('user{n}', '{FEW}', {places}, 0)")).await;
        }
        for word in [first.to_lowercase(), last.to_lowercase(), "lab".into(), format!("user{n}"), "example".into()] {
            words.add(format!("('user{n}', '{word}', {places})")).await;
        }
        for (question, hash) in &hashes {
            answers.add(format!("('user{n}', '{question}', '{hash}', 1, 0)")).await;
        }
    }
    links.flush().await;
    words.flush().await;
    answers.flush().await;
    let mut cards = Rows::new(
        &pool,
        "cards (serial, card_type, atr, label, state, user_id, policy_id, admin_key, key_version, sealed_key, revoke_reason, issued_at, search_key)",
    );
    let mut words = Rows::new(&pool, "card_words (card, word)");
    for n in 3..size.cards + 3 {
        let (serial, user) = (serial(n), format!("user{}", (n - 3) % size.users.max(1)));
        let state = if n % 50 == 49 && n - 3 >= size.answered { "Revoked" } else { "Issued" };
        cards
            .add(format!(
                "('{serial}', '{CARD_TYPE}', '', 'batch {}', '{state}', '{user}', '{policy}', 'derived', 1, '', '', 0, '{} batch {}')",
                n / 1000,
                serial.to_lowercase(),
                n / 1000
            ))
            .await;
    }
    cards.flush().await;
    for n in 3..size.cards + 3 {
        let serial = serial(n);
        // The serials of the first are numbers of batches to nobody.
        let end = format!("<{}", serial.to_lowercase().chars().rev().collect::<String>());
        for word in [serial.to_lowercase(), end, "batch".into(), (n / 1000).to_string()] {
            words.add(format!("('{serial}', '{word}')")).await;
        }
    }
    words.flush().await;
    events(&pool, size).await;
    if !database.url.starts_with("sqlite") {
        // As autovacuum would have done by then: what is read from an index alone is not looked up in the table once more.
        sqlx::raw_sql("VACUUM (ANALYZE)").execute(&pool).await.unwrap();
    }
    pool.close().await;
}

/// Events as of many unlocks, chained as the server chains them.
async fn events(pool: &sqlx::AnyPool, size: &Size) {
    const KINDS: [(i64, &str, &str, &str); 10] = [
        (100, "UNLOCK_OPENED", "I", "workstation"),
        (101, "ANSWERS_RIGHT", "I", "workstation"),
        (106, "RESPONSE_GIVEN", "I", "workstation"),
        (107, "CARD_UNLOCKED", "I", "workstation"),
        (100, "UNLOCK_OPENED", "I", "workstation"),
        (1101, "ANSWERS_WRONG", "W", "workstation"),
        (121, "LOGGED_IN", "I", "oleg"),
        (101, "ANSWERS_RIGHT", "I", "oleg"),
        (106, "RESPONSE_GIVEN", "I", "oleg"),
        (1106, "RESPONSE_REFUSED", "E", "oleg"),
    ];
    let last = sqlx::query("SELECT seq, hash FROM chain").fetch_one(pool).await.unwrap();
    let (mut seq, mut before) = (sqlx::Row::get::<i64, _>(&last, 0), sqlx::Row::get::<String, _>(&last, 1));
    let columns = "events (seq, at, code, name, kind, initiator, card, user_id, workstation, flow, detail, hash)";
    let mut rows = Rows::new(pool, columns);
    for n in 0..size.events {
        let (code, name, kind, initiator) = KINDS[n % KINDS.len()];
        let of = n / KINDS.len() * 7919 % size.cards.max(1);
        seq += 1;
        let mut event = Event {
            seq,
            at: FIRST_EVENT + n as i64 * BETWEEN,
            code,
            name: name.into(),
            kind: kind.into(),
            initiator: initiator.into(),
            card: serial(of + 3),
            user: format!("user{}", of % size.users.max(1)),
            workstation: format!("WS{}", n % 1000),
            flow: format!("{n:064x}"),
            detail: r#"{"channel":"online"}"#.into(),
            hash: String::new(),
        };
        event.hash = event.chained(&before);
        let Event { at, card, user, workstation, flow, detail, hash, .. } = &event;
        rows.add(format!(
            "({seq}, {at}, {code}, '{name}', '{kind}', '{initiator}', '{card}', '{user}', '{workstation}', '{flow}', '{detail}', '{hash}')"
        ))
        .await;
        before = event.hash;
    }
    rows.flush().await;
    let update = sqlx::query("UPDATE chain SET seq = $1, hash = $2").bind(seq).bind(before);
    update.execute(pool).await.unwrap();
}
