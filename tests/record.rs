//! What is done at readers that are up, as a scenario that runs again, and as a history that any browser opens.

use crate::common::{CARDLAB, Lab, Said, Up, has, said};
use std::io::Write;
use std::process::{Command, Stdio};

/// Readers that are up, and who drives them.
pub(crate) struct Desk {
    pub(crate) up: Up,
    pub(crate) lab: Lab,
}

impl Desk {
    pub(crate) fn with(cards: &[&str]) -> Self {
        let lab = Lab::new("gids");
        let options: Vec<&str> = cards.iter().flat_map(|card| ["--card", card]).chain(["--page"]).collect();
        Self { up: Up::start(&lab, &options), lab }
    }

    /// What opens the bench.
    pub(crate) fn page(&self) -> &str {
        self.up.ready.split(' ').find_map(|word| word.strip_prefix("page=")).unwrap()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(CARDLAB);
        command.current_dir(self.lab.path()).env("PCSCLITE_CSOCK_NAME", self.up.socket()).env_remove("CARDLAB_CONTROL");
        command.args(arguments);
        command
    }

    pub(crate) fn cardlab(&self, arguments: &[&str]) -> Said {
        said(self.command(arguments).stdin(Stdio::null()).output().unwrap())
    }

    pub(crate) fn card(&self, arguments: &[&str]) -> String {
        self.cardlab(&[&["card"], arguments].concat()).ok()
    }

    fn record(&self, arguments: &[&str]) -> Said {
        self.cardlab(&[&["scenario", "record"], arguments].concat())
    }

    /// Types lines into a command.
    fn typed(&self, arguments: &[&str], lines: &str) -> Said {
        let mut child =
            self.command(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
        said(child.wait_with_output().unwrap())
    }
}

#[test]
fn what_is_done_becomes_a_scenario_that_runs_again() {
    let desk = Desk::with(&["gids,name=Anna,pin=123456", "yubikey-5.4,name=Boris"]);
    has(&desk.record(&["show"]).ok(), &["nothing is being recorded"]);
    has(&desk.record(&["end"]).code(2), &["nothing is being recorded: begin first"]);
    has(&desk.record(&["begin"]).code(2), &["has the PINs and keys of these cards in the clear", "--secrets"]);
    desk.record(&["begin", "--secrets", "--title", "Anna locks her card"]).ok();
    has(&desk.record(&["begin", "--secrets"]).code(2), &["a recording is under way: end it, or throw it away, first"]);
    desk.card(&["lock", "pin", "--reader", "Anna"]);
    desk.card(&["remove", "--reader", "Anna"]);
    desk.card(&["insert", "--reader", "Anna"]);
    desk.card(&["state", "last-try", "--reader", "Boris"]);
    has(&desk.record(&["show", "--json"]).ok(), &["\"under_way\":true", "\"title\":\"Anna locks her card\"", "\"missed\":0"]);
    has(&desk.record(&["end", "-o", "anna.toml"]).ok(), &[" steps, and it holds"]);
    has(&desk.record(&["show"]).ok(), &["nothing is being recorded"]);
    let text = desk.lab.read("anna.toml");
    has(&text, &["title = \"Anna locks her card\"", "status = \"63C0\"", "do = \"remove\"", "do = \"insert\"", "pin-left = 1"]);
    has(&desk.cardlab(&["scenario", "run", "anna.toml"]).ok(), &["holds       anna.toml: Anna locks her card"]);
    // What it says must hold: a try more or less, and it does not.
    desk.lab.write("other.toml", &text.replacen("status = \"63C0\"", "status = \"63C1\"", 1));
    has(&desk.cardlab(&["scenario", "run", "other.toml"]).code(1), &["expected", "63C1", "63C0"]);
    // What cannot be repeated is said, and the rest holds.
    desk.record(&["begin", "--secrets"]).ok();
    desk.card(&["state", "fresh", "--reader", "Boris"]);
    desk.card(&["new", "gids", "--reader", "Anna"]);
    desk.card(&["lock", "pin", "--reader", "Anna"]);
    has(
        &desk.record(&["end", "-o", "boris.toml"]).ok(),
        &["not in it: 0:gids.2: this card came after the beginning; record from there on (", "2 steps, and it holds"],
    );
    desk.record(&["begin", "--secrets"]).ok();
    desk.record(&["drop"]).ok();
    has(&desk.record(&["end"]).code(2), &["nothing is being recorded"]);
    // Its file is for its owner.
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(desk.lab.file("anna.toml")).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600, "it has keys in it");
}

#[test]
fn a_scenario_goes_step_by_step() {
    let desk = Desk::with(&["gids"]);
    let step = ["scenario", "run", "--step", "online/last-try"];
    let text = desk.typed(&step, "\n\nr\n").ok();
    has(
        &text,
        &[
            "online/last-try: The last wrong PIN",
            "next: lock-screen (line 6); Enter plays it, r plays the rest, q leaves",
            " 1 lock-screen (line 6): holds\n     [pin]",
            " 2 type-pin (line 10): holds\n     [locked]",
            "     card G1, in, PIN 0 left",
            "     server ",
            "\nholds: online/last-try",
        ],
    );
    has(&desk.typed(&step, "\nq\n").code(1), &[" 1 lock-screen", "left before its end: online/last-try"]);
    has(&desk.typed(&["scenario", "run", "--step", "online"], "").code(2), &["--step plays one scenario, and "]);
    let json = desk.typed(&[&step[..], &["--json"]].concat(), "r\n").ok();
    let lines: Vec<serde_json::Value> = json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[1]["action"], "type-pin", "{json}");
    assert_eq!(lines[1]["around"]["cards"][0]["pin_left"], 0, "{json}");
    assert_eq!(lines[1]["around"]["screen"]["name"], "locked", "{json}");
}
