//! The database: SQLite in a file or in memory, PostgreSQL by URL.
//!
//! A module a table; [`Snapshot`] reads and [`Tx`] writes. One writer at a time on both engines: SQLite by `BEGIN IMMEDIATE`,
//! PostgreSQL by a lock on the table of the event chain. A transaction reads, judges and writes without anybody between; what is
//! slow (hashing) is done outside. Reads see one moment and wait for nobody. The statements are the same for both engines, so
//! there is one set of them, through sqlx's `Any` driver: columns are TEXT and BIGINT only.

pub(crate) mod answers;
pub(crate) mod called;
pub(crate) mod card_types;
pub(crate) mod cards;
pub(crate) mod changed;
pub(crate) mod choices;
pub(crate) mod events;
pub(crate) mod fill;
pub(crate) mod flows;
mod given;
pub(crate) mod hits;
mod list;
pub(crate) mod logins;
pub(crate) mod meant;
pub(crate) mod meta;
pub(crate) mod operators;
pub(crate) mod own_questions;
mod page;
pub(crate) mod policies;
pub(crate) mod questions;
pub(crate) mod refusals;
pub(crate) mod reports;
pub(crate) mod responses;
pub(crate) mod roles;
mod rows;
mod scope;
pub(crate) mod subjects;
pub(crate) mod tasks;
mod transaction;
pub(crate) mod users;
mod words;

pub use transaction::{Snapshot, Tx};

use crate::model::clock::Millis;
use crate::model::refusal::{Code, Refusal, is_about_no_database};
use crate::words::sentence;
use sqlx::any::AnyPoolOptions;
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Any, AnyConnection, AnyPool, Connection, SqlSafeStr, Transaction};
use std::fs::Permissions;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::PathBuf;
use std::pin::pin;
use std::str::FromStr as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

const CONNECTIONS: u32 = 8;
/// How long somebody waits for a connection, or for the turn to write while nobody else has one.
const PATIENCE: Duration = Duration::from_secs(5);
/// Who waits for the turn while others have theirs waits so many times as long.
const LONGEST_WAIT: u32 = 4;
/// Bytes that a database must have room for before it counts as one that writes again: more than any step here writes.
const ROOM: usize = 256 * 1024;

/// How the tables came about: number, name and statements. What has been released stays as it is.
const MIGRATIONS: [(i64, &str, &str); 25] = [
    (1, "first", include_str!("../../migrations/0001_first.sql")),
    (2, "key pending", include_str!("../../migrations/0002_key_pending.sql")),
    (3, "tasks and last tries", include_str!("../../migrations/0003_tasks_and_last_tries.sql")),
    (4, "responses given", include_str!("../../migrations/0004_responses_given.sql")),
    (5, "sessions without keys", include_str!("../../migrations/0005_sessions_without_keys.sql")),
    (6, "names", include_str!("../../migrations/0006_names.sql")),
    (7, "reports by time", include_str!("../../migrations/0007_reports_by_time.sql")),
    (8, "who ordered", include_str!("../../migrations/0008_who_ordered.sql")),
    (9, "lists", include_str!("../../migrations/0009_lists.sql")),
    (10, "refusals", include_str!("../../migrations/0010_refusals.sql")),
    (11, "first issued", include_str!("../../migrations/0011_first_issued.sql")),
    (12, "policy order", include_str!("../../migrations/0012_policy_order.sql")),
    (13, "users of a policy", include_str!("../../migrations/0013_users_of_a_policy.sql")),
    (14, "places in lists", include_str!("../../migrations/0014_places_in_lists.sql")),
    (15, "tags", include_str!("../../migrations/0015_tags.sql")),
    (16, "claims", include_str!("../../migrations/0016_claims.sql")),
    (17, "names of settings", include_str!("../../migrations/0017_names_of_settings.sql")),
    (18, "ends", include_str!("../../migrations/0018_ends.sql")),
    (19, "changed", include_str!("../../migrations/0019_changed.sql")),
    (20, "order of questions", include_str!("../../migrations/0020_order_of_questions.sql")),
    (21, "unseen", include_str!("../../migrations/0021_unseen.sql")),
    (22, "states", include_str!("../../migrations/0022_states.sql")),
    (23, "own questions", include_str!("../../migrations/0023_own_questions.sql")),
    (24, "scopes", include_str!("../../migrations/0024_scopes.sql")),
    (25, "holders", include_str!("../../migrations/0025_holders.sql")),
];

/// Without sqlx's macro for it, which compiles both database drivers a second time to do so.
fn migrator(postgres: bool) -> Migrator {
    // What is found by its beginning is compared byte by byte, which each engine has another name for.
    let bytewise = if postgres { "\"C\"" } else { "BINARY" };
    let migration = |(number, name, statements): (i64, &'static str, &'static str)| {
        let statements = sqlx::AssertSqlSafe(statements.replace("{bytewise}", bytewise));
        Migration::new(number, name.into(), MigrationType::Simple, statements.into_sql_str(), false)
    };
    Migrator::with_migrations(MIGRATIONS.into_iter().map(migration).collect())
}

/// Why the tables of the database of this name are not brought up to date, for who starts the server.
fn not_migrated(error: MigrateError, name: &str) -> Refusal {
    let why = match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => return not_opened(&error, name),
        MigrateError::VersionMissing(_) => {
            "a newer cardlab has made or changed it; use that one, or name another database: it was left as it is".into()
        }
        MigrateError::VersionMismatch(number) => {
            format!(
                "step {number} of its making is not as this cardlab has it; use the cardlab that made it: it was left as it is"
            )
        }
        other => other.to_string(),
    };
    unreachable(&why, name)
}

/// Why the database of this name is not opened: what can be done about, where that is known.
fn not_opened(error: &sqlx::Error, name: &str) -> Refusal {
    if is_about_no_database(error) {
        let why = "it is no SQLite database, or one that is damaged or cut off; name another, or bring back a copy of this one";
        return unreachable(&why, name);
    }
    // Who starts the server is told; in the log it would stand a second time.
    let told = Refusal::of_database(error);
    if told.is_about_a_full_disk() { told.in_database(name) } else { unreachable(error, name) }
}

fn unreachable(why: &dyn std::fmt::Display, name: &str) -> Refusal {
    Refusal::new(Code::StoreDown, sentence!("refused-database-at", name = name, why = why.to_string()))
}

/// An open database with the tables of this version.
#[derive(Clone, Debug)]
pub struct Store {
    pool: AnyPool,
    postgres: bool,
    /// Who writes of this process: one after the other, in the order in which they came.
    turn: Arc<Semaphore>,
    /// Transactions that write, begun so far.
    begun: Arc<AtomicU64>,
    statements: Arc<AtomicU64>,
    /// A write has failed, and none was tried on purpose since.
    doubted: Arc<AtomicBool>,
    /// Its URL as it may be shown.
    name: Arc<str>,
}

impl Store {
    /// Opens `sqlite:FILE`, `sqlite::memory:` or `postgres://...` and brings its tables up to date.
    ///
    /// # Errors
    /// A sentence that names the database and what to do.
    pub async fn open(url: &str) -> Result<Self, Refusal> {
        sqlx::any::install_default_drivers();
        let postgres = url.starts_with("postgres");
        if !postgres && !url.starts_with("sqlite:") {
            // What it is may be a password.
            return Err(Refusal::malformed(sentence!("refused-database-url")));
        }
        let memory = url.contains(":memory:");
        // Each connection to memory would be a database of its own.
        let options = if memory {
            AnyPoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None)
        } else {
            AnyPoolOptions::new().max_connections(CONNECTIONS)
        };
        let named = shown(url);
        let url = if postgres || memory || url.contains('?') { url.to_owned() } else { format!("{url}?mode=rwc") };
        if !postgres && !memory {
            file_for_its_owner(&url).map_err(|e| unreachable(&e, &named))?;
        }
        // A pool tries again and again and then says only that time is over; one connection says why.
        if !memory {
            let mut first = AnyConnection::connect(&url).await.map_err(|e| not_opened(&e, &named))?;
            if is_somebody_elses(&mut first, postgres).await.map_err(|e| not_opened(&e, &named))? {
                let why = "there are tables in it that are not this server's; name another database: it was left as it is";
                return Err(unreachable(&why, &named));
            }
            if !postgres {
                keep_from_others(&url).map_err(|e| unreachable(&e, &named))?;
            }
            // On a connection that waits: another process may be at it, and a table may be large.
            migrator(postgres).run(&mut first).await.map_err(|e| not_migrated(e, &named))?;
        }
        let pool = options
            .acquire_timeout(PATIENCE)
            // A commit that failed, on a full disk, leaves a connection that takes no other transaction.
            .before_acquire(move |connection, _| Box::pin(async move { Ok(memory || !connection.is_in_transaction()) }))
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    if postgres {
                        // Whoever holds a lock for longer has others turned away, not kept waiting.
                        sqlx::query("SET lock_timeout = '3s'").execute(&mut *connection).await?;
                        sqlx::query("SET statement_timeout = '10s'").execute(&mut *connection).await?;
                        sqlx::query("SET idle_in_transaction_session_timeout = '30s'").execute(&mut *connection).await?;
                    } else {
                        sqlx::query("PRAGMA foreign_keys = ON").execute(&mut *connection).await?;
                        sqlx::query("PRAGMA busy_timeout = 5000").execute(&mut *connection).await?;
                        sqlx::query("PRAGMA journal_mode = WAL").fetch_all(&mut *connection).await?;
                        sqlx::query("PRAGMA synchronous = FULL").execute(&mut *connection).await?;
                    }
                    Ok(())
                })
            })
            .connect(&url)
            .await
            .map_err(|e| not_opened(&e, &named))?;
        if memory {
            migrator(postgres).run(&pool).await.map_err(|e| not_migrated(e, &named))?;
        }
        Ok(Self {
            pool,
            postgres,
            turn: Arc::new(Semaphore::new(1)),
            begun: Arc::default(),
            statements: Arc::default(),
            doubted: Arc::default(),
            name: named.into(),
        })
    }

    /// Begins a transaction that nobody comes between. Those of this process have their turn in the order in which they ask, and
    /// hold no connection while they wait: a lock that is polled for goes to whoever happens to look.
    ///
    /// # Errors
    /// [`Code::StoreDown`], also when others take too long.
    pub async fn begin(&self) -> Result<Tx, Refusal> {
        let turn = self.turn().await?;
        if self.postgres {
            let mut transaction = self.pool.begin().await?;
            sqlx::query("LOCK TABLE chain IN EXCLUSIVE MODE").execute(&mut *transaction).await?;
            return Ok(self.begun(transaction, turn));
        }
        Ok(self.begun(self.pool.begin_with("BEGIN IMMEDIATE").await?, turn))
    }

    fn begun(&self, transaction: Transaction<'static, Any>, turn: OwnedSemaphorePermit) -> Tx {
        self.begun.fetch_add(1, Ordering::Relaxed);
        Tx::new(Snapshot::new(transaction, self.postgres, self.statements.clone(), self.name.clone()), self.doubted.clone(), turn)
    }

    /// Waits for the turn to write, for as long as others before write and do not wait in vain.
    async fn turn(&self) -> Result<OwnedSemaphorePermit, Refusal> {
        let mut turn = pin!(self.turn.clone().acquire_owned());
        let mut begun = self.begun.load(Ordering::Relaxed);
        for _ in 0..LONGEST_WAIT {
            if let Ok(Ok(turn)) = tokio::time::timeout(PATIENCE, &mut turn).await {
                return Ok(turn);
            }
            let before = std::mem::replace(&mut begun, self.begun.load(Ordering::Relaxed));
            if begun == before {
                break;
            }
        }
        Err(Refusal::new(Code::StoreDown, sentence!("refused-database-busy")))
    }

    /// The database as it is now, for reading; no writer waits for it.
    ///
    /// # Errors
    /// [`Code::StoreDown`].
    pub async fn read(&self) -> Result<Snapshot, Refusal> {
        let begin = if self.postgres { "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" } else { "BEGIN" };
        let transaction = self.pool.begin_with(begin).await?;
        Ok(Snapshot::new(transaction, self.postgres, self.statements.clone(), self.name.clone()))
    }

    /// Statements made so far, without those that begin and end transactions: what a request costs.
    #[must_use]
    pub fn statements(&self) -> u64 {
        self.statements.load(Ordering::Relaxed)
    }

    /// The clock of a database that several machines share.
    ///
    /// # Errors
    /// [`Code::StoreDown`].
    pub(crate) async fn clock(&self) -> Result<Option<Millis>, Refusal> {
        if !self.postgres {
            return Ok(None);
        }
        let now = "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT) AS now";
        Ok(Some(rows::number(&sqlx::query(now).fetch_one(&self.pool).await?, "now")?))
    }

    /// Whether it answers; and, when it did not write what was last to be written, whether it writes again.
    ///
    /// # Errors
    /// [`Code::StoreDown`].
    pub(crate) async fn look(&self) -> Result<(), Refusal> {
        sqlx::query("SELECT seq FROM chain WHERE id = 1").fetch_one(&self.pool).await?;
        if self.doubted.load(Ordering::Relaxed) {
            let mut tx = self.begin().await?;
            meta::fill(&mut tx, ROOM).await?;
            tx.commit().await?;
            self.doubted.store(false, Ordering::Relaxed);
            let mut tx = self.begin().await?;
            meta::empty(&mut tx).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// Its URL, without what may have a password.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Closes all connections.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// A database URL as it may be shown: without what may have a password.
fn shown(url: &str) -> String {
    let (before, behind) = url.split_at(url.find(['?', '#']).unwrap_or(url.len()));
    match (before.split_once("://"), before.rfind('@')) {
        // A password with one of these signs in it, or one behind them: which it is nobody can say.
        (Some((scheme, _)), _) if behind.contains('@') => format!("{scheme}://..."),
        (Some((scheme, _)), Some(at)) => format!("{scheme}://...{}", &before[at..]),
        // Somebody left the host out: what stands where a port does is none.
        (Some((scheme, rest)), None) if !has_a_port_or_none(rest) => format!("{scheme}://..."),
        _ => before.to_owned(),
    }
}

/// Whether what stands behind the host, in what follows `://`, is a port (RFC 3986, section 3.2).
fn has_a_port_or_none(rest: &str) -> bool {
    let authority = rest.split('/').next().unwrap_or_default();
    let behind_address = authority.rsplit(']').next().unwrap_or_default();
    behind_address.split_once(':').is_none_or(|(_, port)| port.parse::<u16>().is_ok())
}

/// Whether a database has tables, and not those that the first of [`MIGRATIONS`] makes: another program keeps its own there. Where
/// the first start was cut off before it, there is the list of migrations alone. Tables of PostgreSQL's extensions are nobody's.
async fn is_somebody_elses(connection: &mut AnyConnection, postgres: bool) -> sqlx::Result<bool> {
    let tables = if postgres {
        "SELECT CAST(c.relname AS TEXT) AS name FROM pg_class c WHERE c.relnamespace = to_regnamespace(quote_ident(current_schema())) \
         AND c.relkind IN ('r', 'p') AND NOT EXISTS \
         (SELECT 1 FROM pg_depend d WHERE d.classid = CAST('pg_class' AS regclass) AND d.objid = c.oid AND d.deptype = 'e')"
    } else {
        "SELECT name FROM sqlite_master WHERE type = 'table' AND substr(name, 1, 7) <> 'sqlite_'"
    };
    let tables: Vec<String> = sqlx::query_scalar(tables).fetch_all(connection).await?;
    let has = |name: &str| tables.iter().any(|table| table == name);
    let are_ours = has("_sqlx_migrations") && (tables.len() == 1 || has("chain") && has("meta"));
    Ok(!tables.is_empty() && !are_ours)
}

/// The file of a SQLite database in a URL.
fn file_of(url: &str) -> Result<PathBuf, String> {
    Ok(SqliteConnectOptions::from_str(url).map_err(|e| e.to_string())?.get_filename().to_owned())
}

/// The file of a new database is its owner's alone, whatever the umask; SQLite gives the files beside it the same mode.
fn file_for_its_owner(url: &str) -> Result<(), String> {
    let file = file_of(url)?;
    // At a named pipe one waits for ever; what is a directory or a device is no database either.
    if std::fs::metadata(&file).is_ok_and(|there| !there.is_file()) {
        return Err("it is no file; name one, or a path where there is nothing yet".into());
    }
    if url.contains("mode=rwc") {
        let made = std::fs::File::options().append(true).create(true).mode(0o600).open(&file);
        made.map_err(|e| e.to_string())?;
    }
    Ok(())
}

/// The same of one that was there, and is ours.
fn keep_from_others(url: &str) -> Result<(), String> {
    let file = file_of(url)?;
    for beside in ["", "-wal", "-shm", "-journal"] {
        let mut name = file.clone().into_os_string();
        name.push(beside);
        match std::fs::metadata(&name) {
            Ok(there) if there.permissions().mode() & 0o077 != 0 => {
                std::fs::set_permissions(&name, Permissions::from_mode(0o600))
                    .map_err(|e| format!("others may read it, and that cannot be changed: {e}"))?;
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_not_shown() {
        assert_eq!(shown("sqlite:cms.db"), "sqlite:cms.db");
        for (url, says) in [
            ("postgres://u:secret@host/db", "postgres://...@host/db"),
            ("postgres://u:se@cret@host/db", "postgres://...@host/db"),
            ("postgres://u:se/cret@host/db?x", "postgres://...@host/db"),
            ("postgres://host/db?user=u&password=secret", "postgres://host/db"),
            ("postgres://u:secr?et@host/db", "postgres://..."),
            ("postgres://u@host/db?password=sec@ret", "postgres://..."),
            ("postgres://host/db#secret", "postgres://host/db"),
            ("postgres://u:secret", "postgres://..."),
            ("postgres://u:secret/db", "postgres://..."),
            ("postgres://u:se:cret", "postgres://..."),
            ("postgres://[::1]:secret/db", "postgres://..."),
            ("postgres://[::1]:5432/db?password=secret", "postgres://[::1]:5432/db"),
            ("postgres://host:5432/db?password=secret", "postgres://host:5432/db"),
            ("sqlite://cms.db?key=secret", "sqlite://cms.db"),
            ("sqlite:cms.db?key=secret", "sqlite:cms.db"),
        ] {
            assert_eq!(shown(url), says);
            assert!(!shown(url).contains("cre") && !shown(url).contains("ret"), "{url}");
        }
    }
}
