//! Databases of a PostgreSQL that is there for the tests: the one that `tests/run` started, or else one of this
//! process.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// The directory with the server's socket.
struct Server {
    directory: PathBuf,
    /// It is stopped when this ends: with the test.
    _script: Option<(Child, ChildStdin)>,
}

fn server() -> &'static Path {
    static SERVER: OnceLock<Server> = OnceLock::new();
    let started = || match std::env::var_os("CARDLAB_TEST_POSTGRES") {
        Some(directory) => Server { directory: directory.into(), _script: None },
        None => start(),
    };
    &SERVER.get_or_init(started).directory
}

fn start() -> Server {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().map(|directory| directory.join("tests/postgres"));
    let script = script.into_iter().find(|script| script.is_file()).expect("tests/postgres of this workspace");
    let mut script = Command::new(script);
    script.args(["sh", "-c", "echo $CARDLAB_TEST_POSTGRES; cat >/dev/null"]);
    let mut script = script.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(script.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with('/'), "PostgreSQL does not start; what it said stands above");
    let input = script.stdin.take().unwrap();
    Server { directory: line.trim_end().into(), _script: Some((script, input)) }
}

/// The URL of a new database.
///
/// # Panics
/// In a test whose name does not say so: `tests/run` leaves out by their names what needs PostgreSQL, where there is none.
pub fn database() -> String {
    if let Some(test) = std::thread::current().name().filter(|name| *name != "main") {
        assert!(test.contains("postgres"), "{test} needs PostgreSQL: it must be called so, as tests/run expects");
    }
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let directory = server();
    // Of this process and no other: they share a server.
    let name = format!("cms_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    let made = Command::new("createdb").arg("-h").arg(directory).args(["-U", "postgres", &name]).status().unwrap();
    assert!(made.success());
    format!("postgres://postgres@localhost/{name}?host={}", directory.display())
}
