//! The Unlock tool in a terminal and in scripts; what the operator computes.

use crate::common;
use crate::common::desk::{Desk, card};
use crate::common::terminal::{self, Terminal};
use crate::common::{CARDLAB, Lab, STATE, Said, Up, cardlab, has, said};
use cardlab_pcsclite::client::{Context, Disposition, ShareMode};
use std::path::Path;
use std::process::{Command, Stdio};

/// The administrator key of a new GIDS card.
const ZEROS: &str = "000000000000000000000000000000000000000000000000";
/// `cardlab` in a terminal of its own.
fn in_terminal(socket: &Path, arguments: &[&str]) -> Terminal {
    let command = terminal::Command::new(CARDLAB)
        .env(STATE[0], STATE[1])
        .args(arguments)
        .env("PCSCLITE_CSOCK_NAME", socket)
        .env("TERM", "xterm")
        .env_remove("NO_COLOR");
    Terminal::run(command)
}

fn at(socket: &Path, arguments: &[&str], input: &str) -> Said {
    use std::io::Write;
    let mut command = Command::new(CARDLAB);
    command.env(STATE[0], STATE[1]);
    command.args(arguments).env("PCSCLITE_CSOCK_NAME", socket);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A program that wants nothing may be gone before it could be told.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    said(child.wait_with_output().unwrap())
}

/// Waits for challenge data on the screen and gives its digits. It is bold.
fn challenge(session: &mut Terminal) -> String {
    session.sees("Challenge data   \u{1b}[1m");
    let shown = session.sees("\u{1b}[0m");
    session.sees("check code ");
    shown.replace(' ', "")
}

/// What the operator's program answers, in another process.
fn respond(key: &str, challenge: &str) -> String {
    let text = cardlab(&["response", "--key", key, challenge, "--json"]).ok();
    let value: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    value["response"].as_str().unwrap().to_owned()
}

/// Types a line once the question stands there.
fn answer(session: &mut Terminal, question: &str, line: &str) {
    session.sees(question);
    session.enters(line);
}

fn tries(socket: &Path) -> (u64, u64) {
    let text = at(socket, &["card", "status", "--json"], "").ok();
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    let left = |key: &str| value[key]["tries_left"].as_u64().unwrap_or(99);
    (left("pin"), left("admin_key"))
}

/// The whole story: the card locks in other people's programs, is unlocked in a terminal with the
/// operator's answer, and the same programs log in with the new PIN.
#[test]
fn offline_unlock_in_a_terminal() {
    let lab = Lab::new("gids");
    let up = Up::start(&lab, &["--card", "gids"]);
    let socket = up.socket();
    let wrong = "for n in 1 2 3; do pkcs11-tool --login --pin 999999 -O >/dev/null 2>&1 || :; done; pkcs11-tool --login --pin 123456 -O 2>&1 || :";
    has(&up.sh(&lab, wrong).ok(), &["CKR_PIN_LOCKED"]);
    assert_eq!(tries(&socket), (0, 5));

    let mut session = in_terminal(&socket, &["unlock"]);
    session.sees("in cardlab GIDS 00 00: the PIN is blocked");
    let first = challenge(&mut session);
    assert_eq!(first.len(), 16);
    answer(&mut session, "Response data", "1234");
    session.sees("4 digits, but the code has 16.");
    answer(&mut session, "Response data", "88BE354D2E0B286G");
    session.sees("'G' at place 16 is no digit of the code");
    has(&first_words(&socket), &["In use by another program."]);

    // A wrong one: a try less, a new challenge.
    answer(&mut session, "Response data", "88BE354D2E0B2869");
    session.sees("check code 15");
    answer(&mut session, "New PIN (4 to 16 characters): ", "4711");
    answer(&mut session, "Confirm new PIN: ", "4711");
    session.sees("The response was wrong; 4 tries left.");
    let second = challenge(&mut session);
    assert_ne!(first, second);

    // The right answer to the old challenge is wrong now, also with a letter of another keyboard.
    answer(&mut session, "Response data", &respond(ZEROS, &first).replace('A', "А"));
    answer(&mut session, "New PIN", "4711");
    answer(&mut session, "Confirm new PIN: ", "4711");
    session.sees("The response was wrong; 3 tries left.");
    let third = challenge(&mut session);

    // As people type it, with slips in the PIN that the card never hears of.
    let response = respond(ZEROS, &third).to_lowercase();
    let spaced: Vec<&str> = (0..4).map(|n| &response[4 * n..4 * n + 4]).collect();
    answer(&mut session, "Response data", &spaced.join("-"));
    answer(&mut session, "New PIN", "123");
    session.sees("A PIN of this card has 4 to 16 characters, not 3.");
    answer(&mut session, "New PIN", "pässword");
    session.sees("plain keyboard only");
    answer(&mut session, "New PIN", "");
    session.sees("The PIN is empty.");
    answer(&mut session, "New PIN", "864209");
    answer(&mut session, "Confirm new PIN: ", "864290");
    session.sees("The confirmation differs from the new PIN.");
    session.sees("New PIN (4 to 16 characters): ");
    // Backspace works, and the PIN does not show.
    session.types("86x");
    session.types("\u{7f}");
    session.enters("4209");
    answer(&mut session, "Confirm new PIN: ", "864209");
    let shown = session.sees("Unlocked. The new PIN is set.");
    assert!(!shown.contains("864209") && shown.contains("******"), "{shown}");
    session.ends();
    assert_eq!(tries(&socket), (3, 5), "all tries are back");

    has(&up.sh(&lab, "pkcs11-tool --login --pin 864209 -O 2>&1").ok(), &["Profile object"]);
    has(&up.sh(&lab, "pkcs11-tool --login --pin 123456 -O 2>&1 || :").ok(), &["CKR_PIN_INCORRECT"]);
}

/// What another Unlock tool says first, while the operator of this one is on the telephone.
fn first_words(socket: &Path) -> String {
    use std::io::{BufRead, BufReader};
    let mut command = Command::new(CARDLAB);
    command.env(STATE[0], STATE[1]);
    command.args(["unlock", "--json"]).env("PCSCLITE_CSOCK_NAME", socket).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    line
}

#[test]
fn a_card_that_is_pulled_out_gets_a_new_challenge() {
    let desk = Desk::with(card("gids", 1));
    at(desk.socket(), &["card", "lock", "pin"], "").ok();
    let mut session = in_terminal(desk.socket(), &["unlock"]);
    let first = challenge(&mut session);
    // In the middle of typing.
    session.types("88BE");
    desk.remove();
    session.sees("was pulled out; its challenge is gone. Put it back for a new one");
    desk.insert();
    let second = challenge(&mut session);
    assert_ne!(first, second);
    answer(&mut session, "Response data", &respond(ZEROS, &first));
    answer(&mut session, "New PIN", "4711");
    answer(&mut session, "Confirm", "4711");
    session.sees("The response was wrong; 4 tries left.");
    let third = challenge(&mut session);
    answer(&mut session, "Response data", &respond(ZEROS, &third));
    // And once more between response and PIN.
    session.sees("New PIN");
    desk.remove();
    session.sees("was pulled out; its challenge is gone");
    desk.insert();
    let fourth = challenge(&mut session);
    answer(&mut session, "Response data", &respond(ZEROS, &fourth));
    answer(&mut session, "New PIN", "4711");
    answer(&mut session, "Confirm", "4711");
    session.sees("Unlocked.");
    session.ends();
    assert_eq!(tries(desk.socket()), (3, 5));
}

#[test]
fn other_programs_may_disturb_a_shared_card_at_no_cost() {
    let desk = Desk::with(card("gids", 2));
    at(desk.socket(), &["card", "lock", "pin"], "").ok();
    let mut session = in_terminal(desk.socket(), &["unlock", "--share"]);
    let first = challenge(&mut session);
    let context = Context::establish_at(desk.socket()).unwrap();
    let mut other = context.connect("Desk 00 00", ShareMode::Shared).unwrap();
    // Another program selects: the card has forgotten the challenge, and says so without a try.
    other.transmit(&hex::decode("00A404000BA0000003974254465902 01".replace(' ', "")).unwrap()).unwrap();
    answer(&mut session, "Response data", &respond(ZEROS, &first));
    answer(&mut session, "New PIN", "4711");
    answer(&mut session, "Confirm", "4711");
    session.sees("it no longer waits for this response. No try was spent.");
    let second = challenge(&mut session);
    assert_eq!(tries(desk.socket()).1, 5);
    // Another program resets the card.
    other.disconnect(Disposition::Reset).unwrap();
    session.sees("Another program reset the card; its code is dead.");
    let third = challenge(&mut session);
    assert!(second != third && first != second);
    session.sees("Response data");
    session.control('c');
    session.ends();
}

/// Two programs that show a code of one card: the card has the later one only, and takes no response to the first.
#[test]
fn a_code_that_another_program_has_overtaken_costs_no_try() {
    let desk = Desk::with(card("gids", 12));
    at(desk.socket(), &["card", "lock", "pin"], "").ok();
    let mut session = in_terminal(desk.socket(), &["unlock", "--share"]);
    let first = challenge(&mut session);
    let second = at(desk.socket(), &["unlock", "--challenge"], "").ok();
    answer(&mut session, "Response data", &respond(ZEROS, &first));
    answer(&mut session, "New PIN", "4711");
    answer(&mut session, "Confirm", "4711");
    session.sees("it no longer waits for this response. No try was spent.");
    let third = challenge(&mut session);
    assert!(first != third && second.trim() != third);
    answer(&mut session, "Response data", &respond(ZEROS, &third));
    answer(&mut session, "New PIN", "4711");
    answer(&mut session, "Confirm", "4711");
    session.sees("Unlocked.");
    session.ends();
    assert_eq!(tries(desk.socket()), (3, 5));
}

#[test]
fn a_card_is_chosen_from_those_in_readers() {
    let lab = Lab::new("gids");
    let up = Up::start(&lab, &["--card", "gids", "--card", "yubikey-5.4", "--card", "piv-admin"]);
    let socket = up.socket();
    at(&socket, &["card", "lock", "pin", "--reader", "cardlab PIV admin"], "").ok();
    let mut session = in_terminal(&socket, &["unlock"]);
    session.sees("1  GIDS card ···");
    session.sees(", cardlab GIDS 00 00: Not locked, 3 tries left.");
    session.sees("2  YubiKey 5.4.3 ···");
    session.sees("3  PIV card, managed ···");
    session.sees(", cardlab PIV admin 02 00: Locked.");
    answer(&mut session, "Card (1 to 3): ", "4");
    session.sees("A number from 1 to 3, please.");
    answer(&mut session, "Card (1 to 3): ", "3");
    let code = challenge(&mut session);
    answer(&mut session, "Response data", &respond(common::KEY, &code));
    answer(&mut session, "New PIN (6 to 8 digits): ", "12345a");
    session.sees("A PIN of this card has digits only.");
    answer(&mut session, "New PIN", "135790");
    answer(&mut session, "Confirm", "135790");
    session.sees("Unlocked.");
    session.ends();
    let verified = "opensc-tool -r 2 -s 00:A4:04:00:05:A0:00:00:03:08:00 -s 00:20:00:80:08:31:33:35:37:39:30:FF:FF";
    has(&up.sh(&lab, verified).ok(), &["SW1=0x90, SW2=0x00"]);

    // Not blocked: a person is asked first.
    let mut session = in_terminal(&socket, &["unlock", "--reader", "cardlab GIDS"]);
    answer(&mut session, "Set a new PIN all the same? [y/N] ", "n");
    session.ends();
    let text = at(&socket, &["unlock", "--reader", "cardlab GIDS"], "").code(1);
    has(&text, &["The PIN is not blocked, 3 tries left. There is nothing to unlock. --force sets a new PIN all the same"]);
    // Of several cards none is taken unasked.
    let text = at(&socket, &["unlock"], "").code(2);
    has(&text, &["several cards are in readers; say which with --reader or --serial: GIDS card ···"]);
    // A YubiKey has no challenge for its PIN.
    let text = at(&socket, &["unlock", "--reader", "Yubico", "--force"], "").code(1);
    has(&text, &["This card is unlocked with its PUK.", "Use --puk."]);
    let text = at(&socket, &["unlock", "--reader", "Nobody"], "").code(3);
    has(&text, &["no reader named 'Nobody'; there are: 'cardlab GIDS 00 00', "]);
    let text = at(&lab.file("nothing"), &["unlock"], "").code(3);
    has(&text, &["no PC/SC service at "]);
}

#[test]
fn the_puk_way() {
    let desk = Desk::with(card("yubikey-5.4", 3));
    at(desk.socket(), &["card", "lock", "pin"], "").ok();
    let mut session = in_terminal(desk.socket(), &["unlock", "--puk"]);
    answer(&mut session, "PUK: ", "1");
    session.sees("A PUK has 6 to 8 characters.");
    answer(&mut session, "PUK: ", "00000000");
    answer(&mut session, "New PIN (6 to 8 characters): ", "abc123");
    answer(&mut session, "Confirm", "abc123");
    session.sees("Wrong PUK; 2 tries left.");
    answer(&mut session, "PUK: ", "12345678");
    answer(&mut session, "New PIN", "abc123");
    answer(&mut session, "Confirm", "abc123");
    session.sees("Unlocked.");
    session.ends();
    // A challenge whose response nothing would take is not given out.
    has(&at(desk.socket(), &["unlock", "--challenge"], "").code(1), &["unblocked with its PUK only"]);
    at(desk.socket(), &["card", "lock", "puk"], "").ok();
    let text = at(desk.socket(), &["unlock", "--puk", "--force"], "12345678\n123456\n").code(1);
    has(&text, &["Your card cannot be unlocked any more.", "The PUK is blocked after too many wrong ones."]);
    let gids = Desk::with(card("gids", 3));
    has(&at(gids.socket(), &["unlock", "--puk", "--force"], "").code(1), &["this card has no PUK; leave --puk out"]);
}

#[test]
fn in_scripts() {
    let desk = Desk::with(card("gids", 4));
    let socket = desk.socket();
    at(socket, &["card", "lock", "pin"], "").ok();
    // Two steps: the challenge stays pending between them, and `card status` does not end it.
    let code = at(socket, &["unlock", "--challenge"], "").ok();
    let code = code.trim();
    assert_eq!(code.len(), 16);
    assert_eq!(tries(socket), (0, 5));
    let wrong = at(socket, &["unlock", "--response", "0123456789ABCDEF", "--new-pin-stdin", "--json"], "4711\n").code(1);
    has(&wrong, &[r#""event":"refused""#, r#""reason":"wrong""#, r#""tries_left":4"#, r#""event":"challenge""#]);
    let replayed = at(socket, &["unlock", "--response", &respond(ZEROS, code), "--new-pin-stdin", "--json"], "4711\n").code(1);
    has(&replayed, &[r#""tries_left":3"#]);
    let code = at(socket, &["unlock", "--challenge"], "").ok();
    let response = respond(ZEROS, code.trim());
    // PIN and response are looked at before the card is asked.
    let text = at(socket, &["unlock", "--response", &response, "--new-pin-stdin"], "12\n").code(2);
    has(&text, &["a PIN of this card has 4 to 16 characters, not 2; the card was not asked"]);
    let text = at(socket, &["unlock", "--response", "12", "--new-pin-stdin"], "4711\n").code(2);
    has(&text, &["--response: 2 digits, but the code has 16 or 32"]);
    let text = at(socket, &["unlock", "--response", &response, "--new-pin-stdin"], "").code(1);
    has(&text, &["Not unlocked: no more input. What was asked: New PIN (4 to 16 characters)\n"]);
    assert_eq!(tries(socket), (0, 3), "none of that cost anything");
    has(&at(socket, &["unlock", "--response", &response, "--new-pin-stdin"], "4711\n").ok(), &["Unlocked."]);
    let again = at(socket, &["unlock", "--response", &response, "--new-pin-stdin", "--json"], "4711\n").code(1);
    has(&again, &[r#""reason":"challenge-gone""#]);
    assert_eq!(tries(socket), (3, 5));
    // Another card's response.
    let other = Desk::with(card("gids", 5));
    let code = at(socket, &["unlock", "--challenge"], "").ok();
    at(other.socket(), &["unlock", "--challenge"], "").ok();
    let text = at(other.socket(), &["unlock", "--response", &respond(ZEROS, code.trim()), "--new-pin-stdin"], "4711\n").code(1);
    has(&text, &["Wrong response; 4 tries left."]);
}

#[test]
fn as_a_coprocess_with_json() {
    let desk = Desk::with(card("gids", 6));
    at(desk.socket(), &["card", "lock", "pin"], "").ok();
    let lab = Lab::new("gids");
    let script = r#"coproc tool { "$CARDLAB" unlock --json; }; pid=$tool_PID
        # bash forgets the array when the tool ends.
        exec 7<&${tool[0]} 8>&${tool[1]}
        read -r card <&7; read -r line <&7; echo "$card"
        challenge=$(sed 's/.*"challenge":"\([0-9A-F]*\)".*/\1/' <<<"$line")
        response=$("$CARDLAB" response --key "$KEY" "$challenge")
        printf '%s\n4711\n' "$response" >&8
        read -r end <&7; echo "$end"; wait $pid"#;
    let mut command = Command::new("bash");
    command.current_dir(lab.path()).env("PCSCLITE_CSOCK_NAME", desk.socket()).env("CARDLAB", CARDLAB).env("KEY", ZEROS);
    let text = said(command.stdin(Stdio::null()).args(["-euo", "pipefail", "-c", script]).output().unwrap()).ok();
    has(&text, &[r#""event":"card""#, r#""kind":"GIDS card""#, r#""pin_tries_left":0"#, r#"{"event":"unlocked"}"#]);
}

#[test]
fn a_lost_card_says_so() {
    let desk = Desk::with(card("gids", 7));
    at(desk.socket(), &["card", "lock", "pin"], "").ok();
    has(&at(desk.socket(), &["card", "lock", "admin"], "").code(2), &["say --for-good if you mean it"]);
    at(desk.socket(), &["card", "lock", "admin", "--tries", "1"], "").ok();
    let mut session = in_terminal(desk.socket(), &["unlock"]);
    challenge(&mut session);
    answer(&mut session, "Response data", "0123456789ABCDEF");
    answer(&mut session, "New PIN", "4711");
    answer(&mut session, "Confirm", "4711");
    session.sees("A wrong one blocks the administrator key, and the card is lost for good.");
    answer(&mut session, "Use the last response? [y/N] ", "y");
    session.sees("it was the last: the administrator key is blocked.");
    session.sees("Your card cannot be unlocked any more.");
    session.ends();
    assert_eq!(tries(desk.socket()), (0, 0));
    let blank = Desk::with(card("gids-blank", 7));
    has(&at(blank.socket(), &["unlock"], "").code(1), &["This card has no PIN yet", "It is not initialised"]);
}

#[test]
fn aes_cards_show_32_characters_and_no_colour_is_no_colour() {
    let lab = Lab::new("gids");
    let key = "000102030405060708090A0B0C0D0E0F";
    let up = Up::start(&lab, &["--card", &format!("gids,admin-algorithm=aes128,admin-key={key}")]);
    at(&up.socket(), &["card", "lock", "pin"], "").ok();
    let command = terminal::Command::new(CARDLAB)
        .env(STATE[0], STATE[1])
        .arg("unlock")
        .env("PCSCLITE_CSOCK_NAME", up.socket())
        .env("TERM", "xterm")
        .env("NO_COLOR", "1");
    let mut session = Terminal::run(command);
    session.sees("Challenge data   ");
    let code = session.sees("   check code").replace(' ', "");
    assert_eq!(code.len(), 32, "{code}");
    answer(&mut session, "Response data", &respond(key, &code));
    answer(&mut session, "New PIN", "4711");
    answer(&mut session, "Confirm", "4711");
    session.sees("Unlocked.");
}

#[test]
fn what_the_operator_computes() {
    let lab = Lab::new("gids");
    let key = "0123456789ABCDEF23456789ABCDEF01456789ABCDEF0123";
    let text = cardlab(&["response", "--key", key, "1122334455667788"]).ok();
    has(&text, &["challenge 1122 3344 5566 7788, check code D7; check code of the response 15:", "88BE 354D 2E0B 2869\n"]);
    has(&text, &["warning: other users see --key in the list of processes; --key-file keeps it from them"]);
    has(&cardlab(&["response", "--key", ZEROS, "0000-0000", "0000-0001"]).ok(), &["166B 40B4 4ABA 4BD6"]);
    has(&cardlab(&["response", "--key", ZEROS, "--show-key"]).ok(), &["check value  8CA64D"]);
    lab.write("key", &format!("{key}\n"));
    let file = lab.file("key");
    let text = cardlab(&["response", "--key-file", file.to_str().unwrap(), "1122334455667788"]).ok();
    has(&text, &["88BE 354D"]);
    assert!(!text.contains("warning"), "{text}");
    let text = lab.host(&format!("echo {key} | {CARDLAB} response --key-file - 1122334455667788")).ok();
    has(&text, &["88BE 354D"]);
    let master = "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F";
    let derive = ["response", "--master", master, "--serial", "0123456789ABCDEF0011223344556677"];
    has(&cardlab(&[&derive[..], &["1122334455667788"]].concat()).ok(), &["8470 22B5 74DF 4753"]);
    let shown = cardlab(&[&derive[..], &["--show-key"]].concat()).ok();
    has(&shown, &["D3543DC49EABC257B973D56B92686DD5E3B66B20D64689F8", "C18725"]);
    let aes = cardlab(&[&derive[..], &["000102030405060708090A0B0C0D0E0F"]].concat()).ok();
    has(&aes, &["7F0D 8EAA 1DE2 223C 6F43 1EFC 1B79 3405"]);
    for (arguments, message) in [
        (&["--key", ZEROS, "112233445566778"][..], "challenge: 15 digits, but the code has 16 or 32"),
        (&["--key", ZEROS, "11223344556677O8"], "is it the digit 0?"),
        (&["--key", ZEROS, "0000000000000000"], "a challenge of zeros only is none that a card gives"),
        (&["--key", "0011", "1122334455667788"], "a key of 2 bytes does not answer challenges of 16 characters"),
        (&["--key", "xyz", "1122334455667788"], "--key: a key is an even number of hexadecimal digits"),
        (&["--key-file", "/nowhere", "1122334455667788"], "/nowhere"),
        (&["--key", ZEROS], "required"),
        (&["1122334455667788"], "required"),
        (&["--master", master, "1122334455667788"], "--serial"),
    ] {
        has(&cardlab(&[&["response"], arguments].concat()).code(2), &[message]);
    }
}

#[test]
fn cards_are_brought_to_a_state() {
    let lab = Lab::new("gids");
    let state = lab.file("state");
    let state = state.to_str().unwrap();
    let up = Up::start(&lab, &["--state", "state", "--card", "gids", "--card", "piv-admin"]);
    let socket = up.socket();
    let gids = |arguments: &[&str]| at(&socket, &[arguments, &["--reader", "cardlab GIDS"]].concat(), "");
    has(&gids(&["card", "lock", "pin", "--tries", "2"]).ok(), &["PIN: 2 tries left"]);
    has(&gids(&["card", "lock", "pin", "--tries", "3"]).code(1), &["the PIN has 2 tries left already"]);
    has(&gids(&["card", "lock", "puk"]).code(1), &["this card counts no tries of its PUK"]);
    let piv = ["--reader", "cardlab PIV admin"];
    has(&at(&socket, &[&["card", "lock", "puk", "--tries", "1"], &piv[..]].concat(), "").ok(), &["PUK: 1 try left"]);
    let text = gids(&["card", "lock", "challenge"]).ok();
    assert_eq!(text.split("  check code ").next().unwrap().len(), 16, "{text}");
    has(&cardlab(&["card", "status", "--state", state]).code(2), &["another process uses these cards"]);
    assert_eq!(up.stop("-KILL"), None);

    let status = cardlab(&["card", "status", "--state", state]).ok();
    has(&status, &["profile       gids\n", "PIN           2 of 3 tries left", "admin key     5 of 5 tries left"]);
    has(&cardlab(&["card", "lock", "pin", "--state", state]).ok(), &["PIN blocked"]);
    has(&cardlab(&["card", "lock", "admin", "--state", state, "--number", "1"]).ok(), &["administrator key blocked"]);
    let json = cardlab(&["card", "status", "--state", state, "--number", "1", "--json"]).ok();
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((value["admin_key"]["tries_left"].as_u64(), value["puk"]["tries_left"].as_u64()), (Some(0), Some(1)));
    has(&cardlab(&["card", "lock", "pin", "--state", state, "--tries", "9"]).code(2), &["this card has 3 at most"]);
    has(&cardlab(&["card", "lock", "puk", "--state", state]).code(3), &["does not count tries of that"]);
    has(&cardlab(&["card", "lock", "challenge", "--state", state]).code(2), &["only while the card has power"]);
    has(&cardlab(&["card", "status", "--state", state, "--number", "7"]).code(3), &["no card 7; there are: 0, 1"]);
    has(&cardlab(&["card", "status", "--state", "/nowhere"]).code(3), &["/nowhere: no cards here"]);
    lab.write("state/cards.redb", "this is not a database");
    has(&cardlab(&["card", "status", "--state", state]).code(2), &["is damaged", "move it away"]);
}

/// Somebody who is quick types the end of input before the terminal hands over each key: Linux makes a zero of it then.
#[test]
fn an_end_that_is_typed_ahead_is_an_end() {
    let lab = Lab::new("gids");
    let up = Up::start(&lab, &["--card", "gids"]);
    let socket = up.socket();
    let mut session = in_terminal(&socket, &["unlock", "--force"]);
    let code = challenge(&mut session);
    session.sees("Response data");
    session.types(&format!("{}\n\u{4}", respond(ZEROS, &code)));
    session.sees("New PIN");
    session.ends();
    assert_eq!(tries(&socket), (3, 5), "nothing was presented");
}

/// What a settings file has that is none is said in a line, however long its own are.
#[test]
fn a_settings_file_that_is_none_is_told_in_a_line() {
    let lab = Lab::new("gids");
    let refused = |name: &str, bytes: &[u8]| {
        std::fs::write(lab.file(name), bytes).unwrap();
        let text = lab.host(&format!("{CARDLAB} unlock --settings {name}")).code(2);
        assert!(text.len() < 400, "{} bytes", text.len());
        text
    };
    has(&refused("long", "x".repeat(3_000_000).as_bytes()), &["--settings long, line 1: "]);
    has(
        &refused("unknown", format!("\n{} = 1\n", "y".repeat(100_000)).as_bytes()),
        &["--settings unknown, line 2: unknown field `yyy", "..."],
    );
    has(&refused("u16", b"\xFF\xFEs\0"), &["--settings u16: text in UTF-16; convert it with: iconv"]);
    has(
        &lab.host(&format!("{CARDLAB} unlock --settings none")).code(2),
        &["--settings none: there is no such file or directory"],
    );
}
