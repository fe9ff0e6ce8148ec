//! A PostgreSQL server of the test's own, from Debian's packages.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// Starts the server as Debian's user, and takes everything away when its input ends: with the test.
const SCRIPT: &str = r#"
as() { setpriv --reuid=postgres --regid=postgres --clear-groups "$PROGRAMS/$@"; }
chown postgres "$DIRECTORY" && cd /
as initdb -A trust -U postgres --no-sync -D "$DIRECTORY/data" >"$DIRECTORY/log" 2>&1 || { cat "$DIRECTORY/log"; exit 1; }
as postgres -D "$DIRECTORY/data" -k "$DIRECTORY" -c listen_addresses= -c max_connections=200 >"$DIRECTORY/log" 2>&1 </dev/null &
until "$PROGRAMS/pg_isready" -q -h "$DIRECTORY"; do kill -0 $! || { cat "$DIRECTORY/log"; exit 1; }; done
echo ready
cat >/dev/null
kill -QUIT $(head -1 "$DIRECTORY/data/postmaster.pid"); wait
rm -rf "$DIRECTORY"
"#;

struct Server {
    directory: PathBuf,
    _script: Child,
}

fn server() -> &'static Path {
    static SERVER: OnceLock<Server> = OnceLock::new();
    let server = SERVER.get_or_init(|| {
        let programs = std::fs::read_dir("/usr/lib/postgresql").expect("Debian's postgresql; tests/run installs it");
        let programs = programs.flatten().map(|d| d.path().join("bin")).find(|p| p.join("postgres").exists()).unwrap();
        let directory = tempfile::Builder::new().prefix("cardlab-pg-").tempdir().unwrap().keep();
        let mut script = Command::new("sh");
        script.args(["-c", SCRIPT]).env("PROGRAMS", programs).env("DIRECTORY", &directory);
        let mut script = script.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(script.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n", "PostgreSQL does not start; the tests need root for its user");
        Server { directory, _script: script }
    });
    &server.directory
}

/// The URL of a new database.
pub fn database() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let directory = server();
    let name = format!("cms{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    let made = Command::new("createdb").arg("-h").arg(directory).args(["-U", "postgres", &name]).status().unwrap();
    assert!(made.success());
    format!("postgres://postgres@localhost/{name}?host={}", directory.display())
}

fn admin(statement: &str) {
    let done = Command::new("psql")
        .arg("-h")
        .arg(server())
        .args(["-U", "postgres", "-qAtc", statement])
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(done.success());
}

fn name(url: &str) -> &str {
    url.rsplit('/').find_map(|part| part.starts_with("cms").then(|| part.split('?').next())).flatten().unwrap()
}

/// Ends every connection to a database and lets nobody in.
#[allow(dead_code)]
pub fn shut(url: &str) {
    let name = name(url);
    admin(&format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false"));
    admin(&format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"));
}

/// Lets them in again.
#[allow(dead_code)]
pub fn open(url: &str) {
    admin(&format!("ALTER DATABASE {} ALLOW_CONNECTIONS true", name(url)));
}
