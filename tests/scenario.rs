//! `cardlab scenario`: the list, files of one's own, and a card in a reader in the place of the simulated.

use crate::common;
use crate::common::desk::{Desk, card};
use crate::common::{CARDLAB, Lab, Said, cardlab, has};
use cardlab_client::minidriver::Minidriver;
use cardlab_pcsclite::client::{Context, ShareMode};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

const CREDENTIALS: &str = "pin = \"123456\"\nadmin-key = \"000000000000000000000000000000000000000000000000\"\n";

fn scenario(lab: &Lab, arguments: &[&str]) -> Said {
    common::said(Command::new(CARDLAB).current_dir(lab.path()).arg("scenario").args(arguments).output().unwrap())
}

#[test]
fn the_list_and_files_of_ones_own() {
    let lab = Lab::new("nist-piv");
    has(&scenario(&lab, &["list", "R12"]).ok(), &["operator/validation-off ", "Validate answers switched off"]);
    scenario(&lab, &["list", "no such words"]).code(1);
    has(&scenario(&lab, &["list", "--json", "online/happy"]).ok(), &["\"covers\": [", "\"needs_simulation\": null"]);
    let text = scenario(&lab, &["show", "online/last-try"]).ok();
    lab.write("mine.toml", &text);
    has(
        &scenario(&lab, &["run", "-v", "mine.toml", "offline/happy-tool"]).ok(),
        &[
            "holds       mine.toml: The last wrong PIN",
            "2 of 2 hold",
            "   2 type-pin (line 10)\n       [locked]\n       | ",
            "| Check code ",
        ],
    );
    lab.write("wrong.toml", &text.replace("pin-left = 0", "pin-left = 2"));
    has(
        &scenario(&lab, &["run", "wrong.toml"]).code(1),
        &["does not hold wrong.toml", "line 10, step 2 (type-pin): tries of the PIN: expected 2, found 0"],
    );
    has(&scenario(&lab, &["run", "--json", "wrong.toml"]).code(1), &["\"line\": 10", "\"step\": 2"]);
    lab.write("broken.toml", "title = \"x\"\n[[step]]\ndo = \"dance\"\n");
    has(
        &scenario(&lab, &["check", "broken.toml"]).code(2),
        &["broken.toml: line 3, column 6, step 1: there is no action 'dance'"],
    );
    lab.write("screen.toml", "title = \"x\"\n[[step]]\ndo = \"look\"\nexpect = { screen = \"lokced\" }\n");
    has(
        &scenario(&lab, &["check", "broken.toml", "mine.toml", "screen.toml"]).code(2),
        &["broken.toml: line 3", "screen.toml: line 4, column 21, step 1: there is no screen 'lokced'; did you mean 'locked'?"],
    );
    scenario(&lab, &["check", "mine.toml"]).ok();
    has(&scenario(&lab, &["language"]).ok(), &["# Lock scenarios", "**`type-pin`**", "workflow.unblock_card_offline"]);
    has(&scenario(&lab, &["run", "nothing"]).code(2), &["no file and no scenario named 'nothing'"]);
    has(&cardlab(&["scenario", "show", "nothing"]).code(2), &["`cardlab scenario list` shows them"]);
}

#[test]
fn a_card_in_a_reader_plays_and_is_put_back() {
    let lab = Lab::new("nist-piv");
    lab.write("card.toml", CREDENTIALS);
    let desk = Desk::with(card("gids", 11));
    let context = Context::establish_at(desk.socket()).unwrap();
    let serial = {
        let mut card = context.connect("Desk 00 00", ShareMode::Shared).unwrap();
        hex::encode_upper(Minidriver::open(&mut card).unwrap().card_id().unwrap().unwrap())
    };
    let socket = desk.socket().to_str().unwrap().to_owned();
    let real = ["--socket", &socket, "--serial", &serial, "--credentials", "card.toml"];
    let run = |more: &[&str]| scenario(&lab, &[&["run"], &real[..], more].concat());
    has(&run(&["online/happy"]).ok(), &["holds       online/happy"]);
    let text = run(&["offline/happy", "offline/five-wrong-responses"]).ok();
    has(
        &text,
        &[
            "holds       offline/happy-tool",
            "not played  offline/five-wrong-responses: for simulated cards, the card would be lost",
        ],
    );
    has(&run(&["offline/five-wrong-responses"]).code(1), &["for simulated cards: the card would be lost"]);
    let other = ["run", "--socket", &socket, "--serial", "00", "--credentials", "card.toml", "online/happy"];
    has(&scenario(&lab, &other).code(3), &["not 00; nothing was done to it"]);
    // The PIN is what it was, all tries are there.
    let mut card = context.connect("Desk 00 00", ShareMode::Shared).unwrap();
    let mut opened = Minidriver::open(&mut card).unwrap();
    assert_eq!(opened.card_pin_status().unwrap().pin.unwrap().left, 3);
    opened.card_authenticate_pin(b"123456").unwrap();
    assert_eq!(opened.card_pin_status().unwrap().admin.unwrap().left, 5);
}

/// A person is told when to pull the card and when to put it back.
#[test]
fn a_person_handles_the_card() {
    let lab = Lab::new("nist-piv");
    lab.write("card.toml", CREDENTIALS);
    let desk = Desk::with(card("gids", 12));
    let context = Context::establish_at(desk.socket()).unwrap();
    let serial = {
        let mut card = context.connect("Desk 00 00", ShareMode::Shared).unwrap();
        hex::encode_upper(Minidriver::open(&mut card).unwrap().card_id().unwrap().unwrap())
    };
    let mut command = Command::new(CARDLAB);
    command.current_dir(lab.path()).args([
        "scenario",
        "run",
        "offline/card-removed-during-the-call",
        "--credentials",
        "card.toml",
    ]);
    command.args(["--serial", &serial, "--socket"]).arg(desk.socket()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    for line in BufReader::new(child.stderr.take().unwrap()).lines() {
        match line.unwrap().as_str() {
            "Pull the card out." => desk.remove(),
            "Insert the card." => desk.insert(),
            other => panic!("{other}"),
        }
    }
    has(&common::said(child.wait_with_output().unwrap()).ok(), &["holds       offline/card-removed-during-the-call"]);
}
