//! A database of PostgreSQL that is out of reach for a while.

use std::process::{Command, Stdio};

/// Runs a statement, in the server's own database.
fn admin(url: &str, statement: &str) {
    let url = url.replacen(name(url), "postgres", 1);
    let done = Command::new("psql").args([&url, "-qAtc", statement]).stdout(Stdio::null()).status().unwrap();
    assert!(done.success());
}

fn name(url: &str) -> &str {
    url.split(['/', '?']).find(|part| part.starts_with("cms_")).unwrap()
}

/// Ends every connection to a database and lets nobody in.
pub fn shut(url: &str) {
    let name = name(url);
    admin(url, &format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false"));
    admin(url, &format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"));
}

/// Whoever connects from now on may read alone, or write again; who is connected is put out.
pub fn set_read_only(url: &str, read_only: bool) {
    let name = name(url);
    admin(url, &format!("ALTER DATABASE {name} SET default_transaction_read_only = {read_only}"));
    admin(url, &format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"));
}

/// Lets them in again.
pub fn open(url: &str) {
    admin(url, &format!("ALTER DATABASE {} ALLOW_CONNECTIONS true", name(url)));
}
