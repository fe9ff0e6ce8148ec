//! The programs of `examples/` do what they say. `loyalty` has tests of its own, `in_process.rs` is one.

use crate::common::{CARDLAB, Lab, Said, has, said};
use std::path::Path;
use std::process::Command;

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples");

/// Runs a script in which the examples are `$X/NAME` and cardlab is on the path, as it is for those who try them.
fn run(script: &str) -> Said {
    let lab = Lab::new("nist-piv");
    let path = format!("{}:{}", Path::new(CARDLAB).parent().unwrap().display(), std::env::var("PATH").unwrap());
    let mut command = Command::new("timeout");
    command.args(["120", "bash", "-uo", "pipefail", "-c", script]).current_dir(lab.path());
    command.env("PATH", path).env("X", EXAMPLES).env_remove("PCSCLITE_CSOCK_NAME").env_remove("CARDLAB_CONTROL");
    said(command.output().unwrap())
}

#[test]
fn each_is_short_and_in_the_list() {
    let list = std::fs::read_to_string(format!("{EXAMPLES}/README.md")).unwrap();
    let mut seen = 0;
    for entry in Path::new(EXAMPLES).read_dir().unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        if name == "README.md" {
            continue;
        }
        assert!(list.contains(&format!("| [{name}]({name}) |")), "{name} is not in examples/README.md");
        if entry.path().is_file() {
            let lines = std::fs::read_to_string(entry.path()).unwrap().lines().count();
            assert!(lines < 60, "{name} has {lines} lines");
        }
        seen += 1;
    }
    assert_eq!(seen, list.matches("| [").count(), "examples/README.md has one that is not there");
}

#[test]
fn every_card_says_which_fails() {
    let program = "$X/every-card pkcs11-tool --login --pin 123456 --list-slots";
    has(
        &run(program).code(1),
        &["gids                     ok", "gids-blank               exit code 1", "yubikey-5.7              ok"],
    );
    has(&run(&format!("CARDS='nist-piv,pin=654321 gids' {program}")).code(1), &["nist-piv,pin=654321      exit code 1"]);
    run(&format!("CARDS=nist-piv {program}")).ok();
    has(&run("$X/every-card").code(2), &["examples/every-card pkcs11-tool"]);
}

#[test]
fn a_pulled_card_shows_who_crashes_and_who_hangs() {
    let text = run("$X/pulled-card.py pkcs11-tool --login --pin 123456 --list-objects").code(0);
    let commands = text.split(' ').next().unwrap().parse::<u32>().unwrap();
    assert!(commands > 20, "{text}");
    has(&text, &[&format!("ends with exit code 1: {commands} times, first before command 1")]);
    let one = "opensc-tool -c default -s 00A4040005A000000308";
    has(&run(&format!("$X/pulled-card.py sh -c '{one} || kill -SEGV $$'")).code(1), &["1 commands\ncrashes: SIGSEGV: 1 times"]);
    has(&run(&format!("LIMIT=1 $X/pulled-card.py sh -c '{one} || exec sleep 1000'")).code(1), &["1 commands\nhangs: 1 times"]);
    has(&run(&format!("$X/pulled-card.py sh -c '{one} || true'")).code(0), &["ends as if nothing had happened: 1 times"]);
    // What could not be tried is no success.
    has(&run("$X/pulled-card.py true").code(1), &["true sends the card no command: nothing was tried"]);
    has(&run("$X/pulled-card.py nosuchprogram").code(1), &["nosuchprogram"]);
    has(&run("CARD=nist-pvi $X/pulled-card.py true").code(1), &["no profile named 'nist-pvi'"]);
}

#[test]
fn two_cards_are_compared() {
    has(&run("$X/compare gids gids opensc-tool -c default -s 00A4040005A000000308").ok(), &["1 commands, 0 answered otherwise"]);
    has(&run("$X/compare nist-piv gids opensc-tool -c default -s 00A4040005A000000308").code(1), &["now:      6A 82"]);
}

#[test]
fn the_help_desk_unlocks() {
    let text = run("$X/help-desk").ok();
    has(&text, &["PIN: 0 of 3 tries left", "the user reads to the help desk: ", "PIN: 3 of 3 tries left"]);
    has(&text, &["administrator key: 5 of 5 tries left"]);
}

#[test]
fn a_card_opens_a_web_site() {
    let text = run("$X/web-login").ok();
    assert!(text.contains("cardlab ") && text.contains(" 9a\n") && text.contains("PIN: 3 of 3 tries left"), "{text}");
}

#[test]
fn readers_in_any_language() {
    has(
        &run("$X/any-language").ok(),
        &["cardlab GIDS 00 00", r#""card_is":"out""#, r#""pin":{"left":1"#, "no fault named 'fire'"],
    );
}

#[test]
fn a_scenario_of_ones_own() {
    has(&run("cardlab scenario run $X/mine.toml").ok(), &["holds       ", "mine.toml: A user whose PIN is blocked"]);
}
