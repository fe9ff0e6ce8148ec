//! Rows as values, and the rows of flows, which are written here as well. What changes the others is in the modules that do it.

use crate::model::card::{CardState, KeySource};
use crate::model::clock::Millis;
use crate::model::keys::CardIdentity;
use crate::model::names;
use crate::model::policy::{Link, Policy};
use crate::model::refusal::{Code, Refusal};
use crate::model::vault::CardKey;
use crate::store::{Conn, json, number, optional, text};
use cardlab_protocol::admin_key::Cipher;
use serde::{Deserialize, Serialize};
use sqlx::any::AnyRow;
use utoipa::ToSchema;

/// A user of the catalog.
#[derive(Clone, Debug)]
pub struct User {
    /// Never used again.
    pub id: String,
    /// `DOMAIN\Name`.
    pub logon: String,
    /// `name@domain`.
    pub upn: String,
    /// Name.
    pub cn: String,
    /// Mail address.
    pub mail: String,
    /// Telephone.
    pub phone: String,
    /// Whether the catalog has the user as active.
    pub active: bool,
    /// Hash of the password for Self-Service.
    pub password: String,
    /// Wrong answers since the last right ones; counted before they are compared.
    pub failed: i64,
    /// What the counter has come to.
    pub lock: UserLock,
    /// When the latest try was counted.
    pub last_try_at: Millis,
    /// Questions drawn and not yet answered rightly.
    pub draw: Vec<String>,
}

/// A user's lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserLock {
    /// Answers are compared.
    Open,
    /// The last try is being compared, or was when a server died.
    LastTry,
    /// Until an operator unlocks.
    Locked,
}

impl UserLock {
    pub(crate) const fn stored(self) -> i64 {
        match self {
            Self::Open => 0,
            Self::LastTry => 1,
            Self::Locked => 2,
        }
    }

    const fn of_stored(stored: i64) -> Self {
        match stored {
            0 => Self::Open,
            1 => Self::LastTry,
            _ => Self::Locked,
        }
    }
}

impl User {
    fn of_row(row: &AnyRow) -> Result<Self, Refusal> {
        Ok(Self {
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
}

/// The user of this id.
pub(crate) async fn user(conn: &mut Conn, id: &str) -> Result<Option<User>, Refusal> {
    let row = sqlx::query("SELECT * FROM users WHERE id = $1").bind(id).fetch_optional(&mut *conn).await?;
    row.as_ref().map(User::of_row).transpose()
}

/// The user of this logon name, in either form; of several that compare alike the one who is written so ([`names::the_one`]).
pub(crate) async fn user_by_name(conn: &mut Conn, name: &str) -> Result<Option<User>, Refusal> {
    let rows = sqlx::query("SELECT * FROM users WHERE logon_key = $1 OR upn_key = $1")
        .bind(names::key(name))
        .fetch_all(&mut *conn)
        .await?;
    names::the_one(&rows, name, &["logon", "upn"])?.map(User::of_row).transpose()
}

/// The logon name of a user whose `name@domain` has this own part, as it is compared.
pub(crate) async fn logon_of_upn_part(conn: &mut Conn, own: &str) -> Result<Option<String>, Refusal> {
    let row = sqlx::query(r"SELECT logon FROM users WHERE upn_key LIKE $1 ESCAPE '\' ORDER BY logon_key, id LIMIT 1")
        .bind(format!("{}@%", names::escaped(own)))
        .fetch_optional(&mut *conn)
        .await?;
    row.map(|row| text(&row, "logon")).transpose()
}

/// Users whose name, logon names and mail address have all these words in them.
pub(crate) async fn users(conn: &mut Conn, part: &str) -> Result<Vec<User>, Refusal> {
    let patterns = names::patterns(part);
    let conditions: String = (1..=patterns.len()).map(|n| format!(r" AND search_key LIKE ${n} ESCAPE '\'")).collect();
    let sql = format!("SELECT * FROM users WHERE 1 = 1{conditions} ORDER BY cn, id LIMIT 200");
    let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
    for pattern in patterns {
        query = query.bind(pattern);
    }
    let rows = query.fetch_all(&mut *conn).await?;
    rows.iter().map(User::of_row).collect()
}

/// How cards of a make are unlocked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CardType {
    /// `3des`, `aes128`, `aes192` or `aes256`.
    pub cipher: String,
    /// *Default user PIN*: what *Issue* with *Initialize card* and *Reset user PIN* set.
    #[serde(default = "usual_pin")]
    pub default_user_pin: String,
}

fn usual_pin() -> String {
    "123456".into()
}

impl CardType {
    /// With this cipher and the usual default PIN.
    #[must_use]
    pub fn with_cipher(cipher: Cipher) -> Self {
        Self { cipher: cipher.name().into(), default_user_pin: usual_pin() }
    }

    /// The cipher of the administrator key.
    ///
    /// # Errors
    /// [`Code::Malformed`] for another name.
    pub fn cipher(&self) -> Result<Cipher, Refusal> {
        let known = || Cipher::ALL.map(Cipher::name).join(", ");
        Cipher::ALL
            .into_iter()
            .find(|cipher| cipher.name() == self.cipher)
            .ok_or_else(|| Refusal::malformed(format!("no cipher '{}'; there are: {}", self.cipher, known())))
    }
}

/// A card of the repository.
#[derive(Clone, Debug)]
pub struct CardRecord {
    /// What it says it is, upper-case hexadecimal.
    pub serial: String,
    /// Id of its type.
    pub card_type: String,
    /// Its type.
    pub about: CardType,
    /// Answer to reset, or empty.
    pub atr: String,
    /// For people.
    pub label: String,
    /// In the system.
    pub state: CardState,
    /// Its user.
    pub user: Option<String>,
    /// The policy that it was issued under.
    pub policy: Option<String>,
    /// Where its administrator key comes from.
    pub key: KeySource,
    /// Counts its keys.
    pub key_version: i64,
    /// The version that is being put on the card, or 0.
    pub key_pending: i64,
    /// A sealed key.
    pub sealed: String,
    /// Why it was revoked.
    pub revoke_reason: String,
}

impl CardRecord {
    fn of_row(row: &AnyRow) -> Result<Self, Refusal> {
        let state = text(row, "state")?;
        let unknown = || {
            Refusal::new(Code::StoreDown, format!("the database has a card in state '{state}', which this version does not know"))
        };
        Ok(Self {
            serial: text(row, "serial")?,
            card_type: text(row, "card_type")?,
            about: json(row, "about")?,
            atr: text(row, "atr")?,
            label: text(row, "label")?,
            state: CardState::of_name(&state).ok_or_else(unknown)?,
            user: optional(row, "user_id")?,
            policy: optional(row, "policy_id")?,
            key: KeySource::of_name(&text(row, "admin_key")?),
            key_version: number(row, "key_version")?,
            key_pending: number(row, "key_pending")?,
            sealed: text(row, "sealed_key")?,
            revoke_reason: text(row, "revoke_reason")?,
        })
    }

    /// What the vault needs; `serial` is the decoded one.
    pub(crate) fn vault_key<'a>(&'a self, serial: &'a [u8]) -> Result<CardKey<'a>, Refusal> {
        let card = CardIdentity { card_type: &self.card_type, serial, key_version: self.key_version as u32 };
        Ok(CardKey { source: self.key, cipher: self.about.cipher()?, card, sealed: &self.sealed })
    }
}

/// The card of this serial.
pub(crate) async fn card(conn: &mut Conn, serial: &str) -> Result<Option<CardRecord>, Refusal> {
    let sql = sql(" cards.serial = $1");
    let row = sqlx::query(sql).bind(serial).fetch_optional(&mut *conn).await?;
    row.as_ref().map(CardRecord::of_row).transpose()
}

/// A user's cards.
pub(crate) async fn cards_of(conn: &mut Conn, user: &str) -> Result<Vec<CardRecord>, Refusal> {
    let sql = sql(" cards.user_id = $1 ORDER BY cards.serial");
    let rows = sqlx::query(sql).bind(user).fetch_all(&mut *conn).await?;
    rows.iter().map(CardRecord::of_row).collect()
}

/// Cards whose serial or label has this in it.
pub(crate) async fn cards(conn: &mut Conn, part: &str) -> Result<Vec<CardRecord>, Refusal> {
    let sql = sql(" lower(cards.serial) LIKE $1 OR lower(cards.label) LIKE $1 ORDER BY cards.serial LIMIT 200");
    let like = format!("%{}%", part.trim().to_lowercase().replace(['%', '_', '\\', '*'], ""));
    let rows = sqlx::query(sql).bind(like).fetch_all(&mut *conn).await?;
    rows.iter().map(CardRecord::of_row).collect()
}

/// Cards with their type, where the condition holds.
fn sql(condition: &str) -> sqlx::AssertSqlSafe<String> {
    const CARDS: &str =
        "SELECT cards.*, card_types.body AS about FROM cards JOIN card_types ON card_types.id = cards.card_type WHERE";
    sqlx::AssertSqlSafe([CARDS, condition].concat())
}

/// A policy with its name.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct NamedPolicy {
    /// Id.
    pub id: String,
    /// Name.
    pub name: String,
    /// Settings.
    pub settings: Policy,
}

impl NamedPolicy {
    fn of_row(row: &AnyRow) -> Result<Self, Refusal> {
        Ok(Self { id: text(row, "id")?, name: text(row, "name")?, settings: json(row, "body")? })
    }
}

/// The policy of this id.
pub(crate) async fn policy(conn: &mut Conn, id: &str) -> Result<Option<NamedPolicy>, Refusal> {
    let row = sqlx::query("SELECT * FROM policies WHERE id = $1").bind(id).fetch_optional(&mut *conn).await?;
    row.as_ref().map(NamedPolicy::of_row).transpose()
}

/// All policies.
pub(crate) async fn policies(conn: &mut Conn) -> Result<Vec<NamedPolicy>, Refusal> {
    let rows = sqlx::query("SELECT * FROM policies ORDER BY name").fetch_all(&mut *conn).await?;
    rows.iter().map(NamedPolicy::of_row).collect()
}

/// The policy that stands for those to whom none applies, as for cards and names that nobody has: the one that is called
/// *Default*, else the first by name.
pub(crate) async fn default_policy(conn: &mut Conn) -> Result<Option<NamedPolicy>, Refusal> {
    let row = sqlx::query("SELECT * FROM policies ORDER BY CASE WHEN name = 'Default' THEN 0 ELSE 1 END, name LIMIT 1")
        .fetch_optional(&mut *conn)
        .await?;
    row.as_ref().map(NamedPolicy::of_row).transpose()
}

/// The links of a user to policies.
pub(crate) async fn links(conn: &mut Conn, user: &str) -> Result<Vec<Link>, Refusal> {
    let rows =
        sqlx::query("SELECT policy_id, priority FROM policy_links WHERE user_id = $1").bind(user).fetch_all(&mut *conn).await?;
    rows.iter().map(|row| Ok(Link { policy: text(row, "policy_id")?, priority: number(row, "priority")? })).collect()
}

/// A security question.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Question {
    /// Id.
    pub id: String,
    /// What to ask.
    pub text: String,
    /// Fewest characters of an answer.
    pub min_length: i64,
}

impl Question {
    fn of_row(row: &AnyRow) -> Result<Self, Refusal> {
        Ok(Self { id: text(row, "id")?, text: text(row, "text")?, min_length: number(row, "min_length")? })
    }
}

/// The questions of a policy.
pub(crate) async fn questions(conn: &mut Conn, policy: &str) -> Result<Vec<Question>, Refusal> {
    let rows =
        sqlx::query("SELECT * FROM questions WHERE policy_id = $1 ORDER BY text, id").bind(policy).fetch_all(&mut *conn).await?;
    rows.iter().map(Question::of_row).collect()
}

/// All questions, each with the id of its policy.
pub(crate) async fn all_questions(conn: &mut Conn) -> Result<Vec<(String, Question)>, Refusal> {
    let rows = sqlx::query("SELECT * FROM questions ORDER BY text, id").fetch_all(&mut *conn).await?;
    rows.iter().map(|row| Ok((text(row, "policy_id")?, Question::of_row(row)?))).collect()
}

/// A question that a user has answered, and the answer's hash.
#[derive(Clone)]
pub(crate) struct Answered {
    pub(crate) question: Question,
    pub(crate) hash: String,
}

/// What a user has answered.
pub(crate) async fn answered(conn: &mut Conn, user: &str) -> Result<Vec<Answered>, Refusal> {
    let rows = sqlx::query("SELECT questions.*, answers.hash FROM answers JOIN questions ON questions.id = answers.question_id WHERE answers.user_id = $1 ORDER BY questions.id")
        .bind(user).fetch_all(&mut *conn).await?;
    rows.iter().map(|row| Ok(Answered { question: Question::of_row(row)?, hash: text(row, "hash")? })).collect()
}

/// A step of an unlock flow, kept in the database so that any server goes on with it.
#[derive(Clone, Debug)]
pub(crate) struct Flow {
    /// SHA-256 of what opens it.
    pub(crate) id: String,
    /// Who opened it: an operator's id, else an address.
    pub(crate) opener: String,
    pub(crate) kind: String,
    pub(crate) card: String,
    pub(crate) user: String,
    pub(crate) operator: String,
    pub(crate) step: String,
    pub(crate) questions: Vec<String>,
    pub(crate) wrong: i64,
    pub(crate) workstation: String,
    pub(crate) expires: Millis,
    /// SHA-256 of the challenge that it has answered last, or empty.
    pub(crate) challenge: String,
}

impl Flow {
    fn of_row(row: &AnyRow) -> Result<Self, Refusal> {
        Ok(Self {
            id: text(row, "id")?,
            opener: text(row, "opener")?,
            kind: text(row, "kind")?,
            card: text(row, "card")?,
            user: text(row, "user_id")?,
            operator: text(row, "operator")?,
            step: text(row, "step")?,
            questions: json(row, "questions")?,
            wrong: number(row, "wrong")?,
            workstation: text(row, "workstation")?,
            expires: number(row, "expires")?,
            challenge: text(row, "challenge")?,
        })
    }
}

/// The flow of this id and kind; the id is the fingerprint of what opens it.
pub(crate) async fn flow(conn: &mut Conn, id: &str, kind: &str) -> Result<Option<Flow>, Refusal> {
    let row =
        sqlx::query("SELECT * FROM flows WHERE id = $1 AND kind = $2").bind(id).bind(kind).fetch_optional(&mut *conn).await?;
    row.as_ref().map(Flow::of_row).transpose()
}

/// Deletes sessions that are over; those that have given a response when nobody tells any more how it ended.
pub(crate) async fn sweep_flows(conn: &mut Conn, now: Millis, untold: Millis) -> Result<(), Refusal> {
    sqlx::query("DELETE FROM flows WHERE expires <= $1 AND (step <> $2 OR expires <= $3)")
        .bind(now)
        .bind(crate::service::flow::GIVEN)
        .bind(untold)
        .execute(&mut *conn)
        .await?;
    Ok(())
}

pub(crate) async fn insert_flow(conn: &mut Conn, flow: &Flow) -> Result<(), Refusal> {
    sqlx::query("INSERT INTO flows (id, kind, card, user_id, operator, step, questions, wrong, workstation, expires, opener) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)")
        .bind(&flow.id).bind(&flow.kind).bind(&flow.card).bind(&flow.user).bind(&flow.operator).bind(&flow.step)
        .bind(serde_json::to_string(&flow.questions).unwrap_or_default()).bind(flow.wrong).bind(&flow.workstation).bind(flow.expires).bind(&flow.opener)
        .execute(&mut *conn).await?;
    Ok(())
}

/// What a flow has answered last, and its step.
pub(crate) async fn set_answered(conn: &mut Conn, flow: &str, step: &str, fingerprint: &str) -> Result<(), Refusal> {
    sqlx::query("UPDATE flows SET step = $2, challenge = $3 WHERE id = $1")
        .bind(flow)
        .bind(step)
        .bind(fingerprint)
        .execute(&mut *conn)
        .await?;
    Ok(())
}

pub(crate) async fn set_step(conn: &mut Conn, flow: &str, step: &str) -> Result<(), Refusal> {
    sqlx::query("UPDATE flows SET step = $2 WHERE id = $1").bind(flow).bind(step).execute(&mut *conn).await?;
    Ok(())
}

/// Ids as JSON text.
pub(crate) fn list(ids: &[String]) -> String {
    serde_json::to_string(ids).unwrap_or_default()
}
