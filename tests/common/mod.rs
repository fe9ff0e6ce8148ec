//! Runs programs under `cardlab exec` and looks at what they say.
#![allow(unreachable_pub)]

pub mod browser;
pub mod desk;
pub mod site;
pub mod terminal;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

/// The program under test.
pub const CARDLAB: &str = env!("CARGO_BIN_EXE_cardlab");
/// The user's state directory of programs under test: notes of codes, reports that wait.
pub const STATE: [&str; 2] = ["XDG_STATE_HOME", concat!(env!("CARGO_TARGET_TMPDIR"), "/state")];
/// The factory management key.
pub const KEY: &str = "010203040506070801020304050607080102030405060708";

/// A scratch directory in which commands run.
pub struct Lab {
    pub directory: tempfile::TempDir,
    cards: Vec<String>,
    options: Vec<String>,
}

/// What a command said.
pub struct Said {
    pub code: Option<i32>,
    pub text: String,
}

impl Lab {
    /// Commands see one new card of this kind each time.
    pub fn new(card: &str) -> Self {
        Self { directory: tempfile::tempdir().unwrap(), cards: vec![card.into()], options: Vec::new() }
    }

    /// One more card in a reader of its own.
    pub fn and(mut self, card: &str) -> Self {
        self.cards.push(card.into());
        self
    }

    /// One more option of `exec`.
    pub fn with(mut self, options: &[&str]) -> Self {
        self.options.extend(options.iter().map(|o| (*o).to_owned()));
        self
    }

    /// Keeps the cards between commands.
    pub fn kept(self) -> Self {
        self.with(&["--state", "state"])
    }

    /// The same directory and options with another card.
    pub fn holding(mut self, card: &str) -> Self {
        self.cards = vec![card.into()];
        self
    }

    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.file(name)).unwrap()
    }

    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.file(name), text).unwrap();
    }

    /// `cardlab exec` with this lab's cards, before its command.
    pub fn exec(&self) -> Command {
        let mut command = Command::new(CARDLAB);
        command.current_dir(self.path()).stdin(Stdio::null()).arg("exec");
        for card in &self.cards {
            command.args(["--card", card]);
        }
        command.args(&self.options).arg("--");
        command
    }

    /// Runs a program with arguments under `exec`.
    pub fn run(&self, program: &[&str]) -> Said {
        said(self.exec().args(program).output().unwrap())
    }

    /// Runs a shell script under `exec`; it stops at the first command that fails.
    pub fn sh(&self, script: &str) -> Said {
        self.run(&["bash", "-euo", "pipefail", "-c", script])
    }

    /// Runs a shell script without a card.
    pub fn host(&self, script: &str) -> Said {
        said(Command::new("bash").current_dir(self.path()).args(["-euo", "pipefail", "-c", script]).output().unwrap())
    }
}

/// Runs `inside` in a child under `exec`; the child is this very test (`MODULE::NAME`), told so by the environment.
pub fn under_exec(lab: &Lab, test: &str, inside: fn()) {
    if std::env::var_os("CARDLAB_TEST_CHILD").is_some() {
        return inside();
    }
    let me = std::env::current_exe().unwrap();
    let output = lab.exec().env("CARDLAB_TEST_CHILD", "1").arg(me).args(["--exact", test, "--nocapture"]).output().unwrap();
    has(&said(output).ok(), &["1 passed"]);
}

/// A `cardlab up` that is stopped when the test ends.
pub struct Up {
    pub child: Child,
    pub ready: String,
}

impl Up {
    pub fn start(lab: &Lab, arguments: &[&str]) -> Self {
        let mut command = Command::new(CARDLAB);
        Self::from(command.current_dir(lab.path()).arg("up").args(arguments))
    }

    pub fn from(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut ready = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut ready).unwrap();
        Self { child, ready: ready.trim_end().into() }
    }

    /// The socket of the ready line.
    pub fn socket(&self) -> PathBuf {
        self.ready.split(' ').find_map(|word| word.strip_prefix("PCSCLITE_CSOCK_NAME=")).unwrap().into()
    }

    /// Runs a shell script that sees these readers.
    pub fn sh(&self, lab: &Lab, script: &str) -> Said {
        let mut command = Command::new("bash");
        command.current_dir(lab.path()).env("PCSCLITE_CSOCK_NAME", self.socket()).env("XDG_CACHE_HOME", lab.path());
        command.env("CARDLAB", CARDLAB).stdin(Stdio::null());
        said(command.args(["-euo", "pipefail", "-c", script]).output().unwrap())
    }

    pub fn stop(mut self, signal: &str) -> Option<i32> {
        Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap();
        self.child.wait().unwrap().code()
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn said(output: Output) -> Said {
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    Said { code: output.status.code(), text }
}

/// Runs `cardlab` itself.
pub fn cardlab(arguments: &[&str]) -> Said {
    said(Command::new(CARDLAB).args(arguments).stdin(Stdio::null()).output().unwrap())
}

impl Said {
    /// Exit code 0; gives the text.
    #[track_caller]
    pub fn ok(self) -> String {
        assert_eq!(self.code, Some(0), "{}", self.text);
        self.text
    }

    /// This exit code; gives the text.
    #[track_caller]
    pub fn code(self, code: i32) -> String {
        assert_eq!(self.code, Some(code), "{}", self.text);
        self.text
    }

    /// Any exit code but 0; gives the text.
    #[track_caller]
    pub fn fails(self) -> String {
        assert_ne!(self.code, Some(0), "{}", self.text);
        self.text
    }
}

/// Every one of these stands in the text.
#[track_caller]
pub fn has(text: &str, wanted: &[&str]) {
    for wanted in wanted {
        assert!(text.contains(wanted), "no '{wanted}' in:\n{text}");
    }
}
