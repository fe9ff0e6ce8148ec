//! Databases, and server processes over one.

use super::postgres;
use std::fmt;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

pub(crate) const MASTER: &str = "0707070707070707070707070707070707070707070707070707070707070707";
pub(crate) const PASSWORD: &str = "admin-password";

/// A new database, gone in the end where it is a file.
pub(crate) struct Database {
    pub(crate) url: String,
    file: Option<(PathBuf, tempfile::TempDir)>,
}

impl Database {
    pub(crate) fn new(of_postgres: bool) -> Self {
        if of_postgres {
            return Self { url: postgres::database(), file: None };
        }
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("cms.db");
        Self { url: format!("sqlite:{}", file.display()), file: Some((file, directory)) }
    }

    pub(crate) async fn pool(&self) -> sqlx::AnyPool {
        sqlx::any::install_default_drivers();
        sqlx::any::AnyPoolOptions::new().max_connections(1).connect(&self.url).await.unwrap()
    }

    /// How large it is, with nothing left in a log beside it.
    pub(crate) async fn bytes(&self) -> u64 {
        let pool = self.pool().await;
        match &self.file {
            Some((file, _)) => {
                sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").fetch_all(&pool).await.unwrap();
                pool.close().await;
                std::fs::metadata(file).unwrap().len()
            }
            None => {
                let size = sqlx::query("SELECT pg_database_size(current_database()) AS size").fetch_one(&pool).await.unwrap();
                sqlx::Row::get::<i64, _>(&size, 0) as u64
            }
        }
    }
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(if self.file.is_some() { "SQLite" } else { "PostgreSQL" })
    }
}

struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Server processes over one database.
pub(crate) struct Servers {
    pub(crate) urls: Vec<String>,
    /// From its start to `ready`.
    pub(crate) slowest_start: Duration,
    _processes: Vec<Process>,
}

impl Servers {
    pub(crate) fn start(database: &Database, processes: usize, real: bool, options: &[&str]) -> Self {
        let mut servers = Self { urls: Vec::new(), slowest_start: Duration::ZERO, _processes: Vec::new() };
        for _ in 0..processes {
            // Another build of the program is measured so.
            let program = std::env::var_os("CARDLAB_BENCH_PROGRAM").unwrap_or_else(|| env!("CARGO_BIN_EXE_cardlab").into());
            let mut command = Command::new(program);
            command.args(["serve", "--listen", "127.0.0.1:0", "--db", &database.url]).args(options);
            command.args(if real { &[][..] } else { &["--quick-hashes"] });
            command.env("CARDLAB_MASTER_KEY", MASTER).env("CARDLAB_ADMIN_PASSWORD", PASSWORD).stdout(Stdio::piped());
            command.stderr(Stdio::null());
            let began = Instant::now();
            let mut child = command.spawn().unwrap();
            let mut line = String::new();
            BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
            servers.slowest_start = servers.slowest_start.max(began.elapsed());
            servers.urls.push(line.trim().strip_prefix("ready ").unwrap().to_owned());
            servers._processes.push(Process(child));
        }
        servers
    }
}
