//! Which card is meant where several are in readers: a person is asked, a program is told which there are.

use crate::common::terminal::{Command, Terminal};
use crate::common::{CARDLAB, Lab, Said, Up, has, said};
use std::path::Path;
use std::process::Stdio;

const ANNA: &str = "00112233445566778899AABBCCDDEEFF";
const BORIS: &str = "FFEEDDCCBBAA99887766554433221100";

fn two(lab: &Lab) -> Up {
    let card = |name: &str, id: &str| format!("gids,name={name},owner={name} Berg,card-id={id}");
    Up::start(lab, &["--card", &card("Anna", ANNA), "--card", &card("Boris", BORIS)])
}

fn at(socket: &Path, arguments: &[&str]) -> Said {
    let mut command = std::process::Command::new(CARDLAB);
    command.args(arguments).env("PCSCLITE_CSOCK_NAME", socket).stdin(Stdio::null());
    said(command.output().unwrap())
}

fn tries(socket: &Path, reader: &str) -> u64 {
    let status = at(socket, &["card", "status", "--json", "--reader", reader]).ok();
    serde_json::from_str::<serde_json::Value>(&status).unwrap()["pin"]["tries_left"].as_u64().unwrap()
}

const BOTH: &str = "several cards are in readers; say which with --reader or --serial: \
                    Anna Berg ···EEFF, Anna 00 00: Not locked, 3 tries left. Boris Berg ···1100, Boris 01 00: Not locked, 3 tries left.";

#[test]
fn a_program_has_to_say_which_card_it_locks() {
    let lab = Lab::new("gids");
    let up = two(&lab);
    let socket = up.socket();
    for target in ["pin", "challenge"] {
        has(&at(&socket, &["card", "lock", target]).code(2), &[BOTH]);
    }
    has(&at(&socket, &["unlock", "--challenge"]).code(2), &[BOTH]);
    has(&at(&socket, &["card", "status"]).code(2), &[BOTH]);
    has(&at(&socket, &["card", "attestation-root"]).code(2), &[BOTH]);
    has(&at(&socket, &["card", "status", "--serial", "1100"]).ok(), &["reader        Boris 01 00\n"]);
    let text = at(&socket, &["card", "lock", "pin", "--serial", "152D"]).code(3);
    has(&text, &["no card with this serial; there are: Anna Berg ···EEFF, Anna 00 00", "Boris Berg ···1100, Boris 01 00"]);
    let text = at(&socket, &["card", "lock", "pin", "--serial", BORIS, "--reader", "Anna"]).code(3);
    has(&text, &["no card with this serial; there are: Anna Berg ···EEFF, Anna 00 00"]);
    assert!(!text.contains("Boris"), "{text}");
    has(&at(&socket, &["card", "lock", "pin", "--serial", "00"]).code(3), &["no card with this serial"]);
    has(&at(&socket, &["card", "lock", "pin", "--serial", "Anna"]).code(2), &["--serial 'Anna': a serial is hexadecimal digits"]);
    assert_eq!((tries(&socket, "Anna"), tries(&socket, "Boris")), (3, 3), "nothing was spent");
    at(&socket, &["card", "lock", "pin", "--tries", "2", "--serial", "1100"]).ok();
    assert_eq!((tries(&socket, "Anna"), tries(&socket, "Boris")), (3, 2));
    at(&socket, &["card", "lock", "pin", "--serial", "ffee ddcc bbaa 9988 7766 5544 3322 1100"]).ok();
    at(&socket, &["card", "lock", "pin", "--tries", "1", "--reader", "Anna"]).ok();
    assert_eq!((tries(&socket, "Anna"), tries(&socket, "Boris")), (1, 0));
}

#[test]
fn a_person_chooses_the_card_to_lock() {
    let lab = Lab::new("gids");
    let up = two(&lab);
    let socket = up.socket();
    let command = Command::new(CARDLAB).args(["card", "lock", "pin"]).env("PCSCLITE_CSOCK_NAME", &socket).env("TERM", "xterm");
    let mut session = Terminal::run(command);
    session.sees("1  Anna Berg ···EEFF, Anna 00 00: Not locked, 3 tries left.");
    session.sees("2  Boris Berg ···1100, Boris 01 00");
    session.sees("Card (1 to 2): ");
    session.enters("3");
    session.sees("A number from 1 to 2, please.");
    session.sees("Card (1 to 2): ");
    session.enters("2");
    session.sees("PIN blocked");
    session.ends();
    assert_eq!((tries(&socket, "Anna"), tries(&socket, "Boris")), (3, 0));
}

/// Between the two steps nobody may select anything: the list of cards does not.
#[test]
fn a_response_is_for_the_card_whose_challenge_waits() {
    let lab = Lab::new("gids");
    let up = two(&lab);
    let socket = up.socket();
    at(&socket, &["card", "lock", "pin", "--reader", "Boris"]).ok();
    let challenge = at(&socket, &["unlock", "--challenge", "--serial", "1100"]).ok();
    let response = at(&socket, &["response", "--key", &"0".repeat(48), challenge.trim(), "--json"]).ok();
    let response = serde_json::from_str::<serde_json::Value>(response.lines().next().unwrap()).unwrap()["response"]
        .as_str()
        .unwrap()
        .to_owned();
    has(
        &at(&socket, &["unlock", "--response", &response, "--new-pin-stdin"]).code(2),
        &["Boris Berg ···1100, Boris 01 00: Locked."],
    );
    let script = format!("echo 4711 | {CARDLAB} unlock --response {response} --new-pin-stdin --serial 1100");
    let mut shell = std::process::Command::new("sh");
    has(&said(shell.args(["-c", &script]).env("PCSCLITE_CSOCK_NAME", &socket).output().unwrap()).ok(), &["Unlocked."]);
    assert_eq!((tries(&socket, "Anna"), tries(&socket, "Boris")), (3, 3));
}

/// Whichever reader it is in; a YubiKey by the number that is printed on it, too.
#[test]
fn a_card_is_found_by_its_serial() {
    let lab = Lab::new("gids");
    let boris = format!("gids,name=Boris,card-id={BORIS}");
    let up = Up::start(&lab, &["--card", "nist-piv,name=First", "--card", "yubikey-5.7,name=Key,serial=4711", "--card", &boris]);
    let socket = up.socket();
    has(&at(&socket, &["card", "status", "--serial", "4711"]).ok(), &["reader        Key 01 00\n", "serial        4711\n"]);
    let judge = ["conform", "pcsc/part-5/states", "--target", "pcsc", "--serial"];
    for (serial, card) in [("4711", " 00001267 in Key 01 00: "), (BORIS, " FFEEDDCCBBAA99887766554433221100 in Boris 02 00: ")] {
        has(&at(&socket, &[&judge[..], &[serial]].concat()).ok(), &[card]);
    }
    has(&at(&socket, &[&judge[..], &["00"]].concat()).code(3), &["no card with this serial; there are: "]);
    lab.write("card.toml", "pin = \"123456\"\nadmin-key = \"000000000000000000000000000000000000000000000000\"\n");
    let credentials = lab.file("card.toml");
    let play = ["scenario", "run", "offline/happy", "--credentials", credentials.to_str().unwrap(), "--serial", BORIS];
    has(&at(&socket, &play).ok(), &["holds       offline/happy"]);
    assert_eq!(tries(&socket, "Boris"), 3);
}

#[test]
fn a_serial_names_one_card_also_where_another_is_alone() {
    let lab = Lab::new("gids");
    let up = Up::start(&lab, &["--card", &format!("gids,name=Anna,card-id={ANNA}")]);
    let socket = up.socket();
    at(&socket, &["card", "lock", "pin"]).ok();
    let text = at(&socket, &["unlock", "--serial", BORIS]).code(3);
    has(&text, &["no card with this serial; there are: GIDS card ···EEFF, Anna 00 00: Locked."]);
    let text = at(&socket, &["unlock", "--serial", "EEFF", "--json"]).code(1);
    has(&text, &["\"event\":\"challenge\""]);
}
