//! The example as a person runs it: under `up` and `exec`, with the journal, undo, faults, a snapshot and a state.
#![allow(clippy::unwrap_used)]

use cardlab_pcsclite::client::{Connection, Context, ShareMode};
use cardlab_pcsclite::code::ReturnCode;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

const PROGRAM: &str = env!("CARGO_BIN_EXE_loyalty");
const SELECT: &str = "00A4040008F04C4F59414C5459";
const RIGHT: &str = "002000800432343638";
const WRONG: &str = "002000800431313131";

/// Readers that end with the test.
struct Up(Child, PathBuf);

impl Up {
    fn start(directory: &Path, arguments: &[&str]) -> Self {
        let mut command = Command::new(PROGRAM);
        let mut child = command.current_dir(directory).arg("up").args(arguments).stdout(Stdio::piped()).spawn().unwrap();
        let mut ready = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut ready).unwrap();
        let socket = ready.trim_end().strip_prefix("ready PCSCLITE_CSOCK_NAME=").unwrap().into();
        Self(child, socket)
    }

    /// `loyalty card ..`; exit code and text.
    fn card(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let mut command = Command::new(PROGRAM);
        command.arg("card").args(arguments).env("PCSCLITE_CSOCK_NAME", &self.1).env_remove("CARDLAB_CONTROL");
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    }

    fn context(&self) -> Context {
        Context::establish_at(&self.1).unwrap()
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn send(card: &mut Connection<'_>, command: &str) -> Result<String, ReturnCode> {
    card.transmit(&hex::decode(command).unwrap()).map(hex::encode_upper).map_err(|e| e.code().unwrap())
}

#[test]
fn points_and_a_pin_that_locks() {
    let directory = tempfile::tempdir().unwrap();
    let up = Up::start(directory.path(), &["--card", "loyalty,pin=2468,pin-tries=2,serial=77"]);
    let context = up.context();
    let mut card = context.connect("Loyalty 00 00", ShareMode::Shared).unwrap();
    let mut ask = |command: &str| send(&mut card, command).unwrap();
    assert_eq!(ask("00CA010000"), "6D00", "not selected");
    assert_eq!(ask(SELECT), "6C6F79616C74799000");
    assert_eq!([ask("0032000002012C00"), ask("00CA010000")], ["0000012C9000", "0000012C9000"]);
    assert_eq!(ask("0030000002000A"), "6982");
    assert_eq!([ask("00200080"), ask(WRONG), ask(RIGHT), ask("00200080")], ["63C2", "63C1", "9000", "9000"]);
    assert_eq!([ask("0030000002000A00"), ask("003000000203E800")], ["000001229000", "6A84"]);
    assert_eq!([ask("003000000101"), ask("00CA020000"), ask("00B0000000")], ["6700", "6A86", "6D00"]);
    assert_eq!([ask(WRONG), ask(WRONG), ask(RIGHT)], ["63C1", "63C0", "6983"]);
    assert_eq!(ask("0030000002000A"), "6982", "a wrong PIN ends the right one's permission");
}

/// What the bench does with the card, without a word in its source.
#[test]
fn journal_undo_faults_and_snapshots() {
    let directory = tempfile::tempdir().unwrap();
    let up = Up::start(directory.path(), &["--card", "loyalty,pin=2468,serial=77", "--state", "state"]);
    let context = up.context();
    let ask = |commands: &[&str]| {
        let mut card = context.connect("Loyalty 00 00", ShareMode::Shared).unwrap();
        send(&mut card, SELECT).unwrap();
        commands.iter().map(|command| send(&mut card, command)).collect::<Vec<_>>()
    };
    let ok = |text: &str| Ok(text.to_owned());
    assert_eq!(ask(&["0032000002006400", WRONG]), [ok("000000649000"), ok("63C2")]);
    let (code, text) = up.card(&["show"]);
    assert!(code == Some(0) && text.contains("loyalty 77") && text.contains("PIN: 2 of 3 tries left"), "{text}");
    let (_, log) = up.card(&["log"]);
    assert!(log.contains("00 32 00 00 02 00 64 00") && !log.contains("31 31 31 31"), "{log}");
    assert_eq!(up.card(&["undo"]).0, Some(0), "the wrong PIN");
    assert_eq!(ask(&["00200080", "00CA010000"]), [ok("63C3"), ok("000000649000")]);
    // The power goes at the first tear point: the old number of points.
    assert_eq!(up.card(&["fault", "power-cut=0,ins=32,applet=loyalty"]).0, Some(0));
    assert_eq!(ask(&["0032000002006400"]), [Err(ReturnCode::NOT_TRANSACTED)]);
    assert_eq!(ask(&["00CA010000"]), [ok("000000649000")]);
    assert_eq!(up.card(&["fault", "remove-after,ins=32"]).0, Some(0));
    assert_eq!(ask(&["0032000002006400"]), [Err(ReturnCode::NO_SMARTCARD)]);
    assert_eq!(up.card(&["insert"]).0, Some(0));
    assert_eq!(ask(&["00CA010000"]), [ok("000000C89000")], "it had done it");
    let (_, masked) = up.card(&["snapshot"]);
    assert!(masked.contains("profile = \"loyalty\"") && masked.contains("= \"masked:4\""), "{masked}");
    let file = directory.path().join("l.card");
    let (code, text) = up.card(&["snapshot", "--secrets", "clear", "-o", file.to_str().unwrap()]);
    assert_eq!(code, Some(0), "{text}");
    assert_eq!(up.card(&["state", "pin-blocked"]).0, Some(0));
    assert_eq!(ask(&["00200080"]), [ok("6983")]);
    let kept = context.readers().unwrap().len();
    assert_eq!(kept, 1);
    // Another process: what was kept, and what was handed on.
    drop(context);
    drop(up);
    for (card, pin) in [("loyalty", "6983"), ("@l.card", "63C3")] {
        let state = ["--card", card, "--state", "state"];
        let up = Up::start(directory.path(), if card == "loyalty" { &state } else { &state[..2] });
        let context = up.context();
        let mut card = context.connect("Loyalty 00 00", ShareMode::Shared).unwrap();
        let answers = [SELECT, "00200080", "00CA010000"].map(|command| send(&mut card, command).unwrap());
        assert_eq!(answers[1..], [pin, "000000C89000"]);
    }
}

#[test]
fn the_program_knows_its_card_and_all_others() {
    let run = |arguments: &[&str]| {
        let output = Command::new(PROGRAM).args(arguments).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    };
    let (_, list) = run(&["profile", "list"]);
    assert!(list.contains("loyalty       an example") && list.contains("yubikey-5.7"), "{list}");
    let seen = run(&["exec", "--card", "loyalty", "--card", "gids", "--", "sh", "-c", &format!("{PROGRAM} card show")]);
    assert!(seen.1.contains("0  Loyalty 00 00 (card in), loyalty") && seen.1.contains("1  cardlab GIDS 01 00"), "{}", seen.1);
    for (card, why) in [
        ("loyalty,puk=12345678", "card setting 'puk' is for PIV cards; loyalty is another kind"),
        ("loyalty,9a=new:p256", "a loyalty has no such key"),
        ("loyalty,pin=1", "'..' is no value for pin"),
        ("loyality", "there are: gids, gids-blank, nist-piv, piv-admin, yubikey-4.3, yubikey-5.4, yubikey-5.7, loyalty"),
    ] {
        let (code, text) = run(&["exec", "--card", card, "--", "true"]);
        assert!(code == Some(2) && text.contains(why), "{card}: {text}");
    }
}
