//! Cards that are not simulated, under `exec` and `up`: other people's, real ones, recordings. (A virtual machine to which our
//! readers are USB devices is in `virtual_machine.rs`.)

use crate::common::{CARDLAB, Lab, Up, cardlab, has};

/// Debian's programs with a card at the other end of a line, which is ours in this test: also with a fault, and after the
/// card's program has ended.
#[test]
fn programs_with_a_card_that_connects() {
    let lab = Lab::new("vpcd:0,name=Desk").with(&["--trace", "t.jsonl", "--trace-secrets"]);
    let script = format!(
        r#"trap 'kill $(jobs -p) 2>/dev/null || :' EXIT
        {CARDLAB} card insert && exit 1 || echo insert $?
        {CARDLAB} up --card nist-piv,serial=4711 --vpcd $CARDLAB_VPCD >ready & card=$!
        {CARDLAB} card wait in --limit 60000
        opensc-tool -a -n
        yubico-piv-tool -r Desk -a verify-pin -P 123456
        {CARDLAB} card fault status=6F00,ins=20,times=9
        yubico-piv-tool -r Desk -a verify-pin -P 123456 && exit 1 || echo refused
        for what in "state pin-blocked" "undo" "snapshot" "touch wait" "fault power-cut=0"; do
            {CARDLAB} card $what && exit 1 || echo "$what: $?"
        done
        kill $card; wait $card || :
        {CARDLAB} card wait out --limit 60000; {CARDLAB} card show; {CARDLAB} card list"#
    );
    let text = lab.sh(&script).ok();
    has(
        &text,
        &[
            "the card of reader Desk 00 00 is not there: nobody is at the other end",
            "insert 2",
            "Personal Identity Verification Card",
            "Successfully verified PIN.",
            "refused",
            "vpcd 127.0.0.1:",
            "is not simulated here, its memory is its own",
            "state pin-blocked: 2",
            "undo: 2",
            "snapshot: 2",
            "touch wait: 2",
            "fault power-cut=0: 2",
            "0  Desk 00 00 (card out), vpcd 127.0.0.1:",
            "Desk 00 00: no card",
        ],
    );
    // The recording is a card by itself.
    lab.host("mv t.jsonl seen.jsonl").ok();
    let again = lab.holding("replay:seen.jsonl,order=match,name=Yubico");
    let text = again.sh("yubico-piv-tool -r Yubico -a verify-pin -P 123456; yubico-piv-tool -r Yubico -a verify-pin -P 111111 || echo refused").ok();
    has(
        &text,
        &[
            "Successfully verified PIN.",
            "cardlab: Yubico: not recorded: 00 20 00 80 08 [8 bytes masked]   VERIFY, PIN",
            "refused",
        ],
    );
}

/// In order: the same program finds the same card; another one is told where it leaves the recording.
#[test]
fn a_recording_in_order() {
    let lab = Lab::new("yubikey-5.4,serial=4711").with(&["--trace", "t.pcapng", "--trace-secrets"]);
    let first = lab.sh("yubico-piv-tool -a verify-pin -P 123456 -a status").ok();
    lab.host("mv t.pcapng seen.pcapng").ok();
    let replay = lab.holding("replay:seen.pcapng,name=\"Yubico YubiKey CCID\"");
    let again = replay.sh("yubico-piv-tool -a verify-pin -P 123456 -a status").ok();
    assert_eq!(first, again);
    has(&again, &["Serial Number:\t4711"]);
    let other = replay.sh("opensc-tool -s 00CB3FFF055C035FC10200").ok();
    has(&other, &["cardlab: Yubico YubiKey CCID: not recorded here: ", "; command 1 is 00 A4 04 00", "SW1=0x6F, SW2=0x00"]);
    replay.write("none.jsonl", "");
    has(&replay.holding("replay:none.jsonl").run(&["true"]).code(2), &["--card replay:none.jsonl: there is nothing in it"]);
}

/// What stands for the system's pcscd is a reader of `up`; what is spent of its card is seen there.
#[test]
fn a_real_card_with_tries_to_spare() {
    let lab = Lab::new("pcsc:Real").with(&["--spare-tries", "2"]);
    let theirs = Up::start(&lab, &["--card", "nist-piv,name=Real reader"]);
    let exec = |lab: &Lab, script: &str| {
        let socket = theirs.socket();
        crate::common::said(
            lab.exec().env("PCSCLITE_CSOCK_NAME", socket).args(["bash", "-euo", "pipefail", "-c", script]).output().unwrap(),
        )
    };
    let verify = "yubico-piv-tool -r Real -a verify-pin -P";
    let text = exec(&lab, &format!("{CARDLAB} card wait in --limit 60000; {CARDLAB} card show; {verify} 123456; {verify} 999999 || :; {verify} 123456 || :")).ok();
    has(
        &text,
        &[
            "0  Real reader 00 00 (card in), pcsc Real reader 00 00",
            "Successfully verified PIN.",
            "cardlab: Real reader: VERIFY, PIN is stopped: PIN: 2 of its tries are left, and 2 are spared",
        ],
    );
    has(&theirs.sh(&lab, &format!("{CARDLAB} card show")).ok(), &["PIN: 2 of 3 tries left"]);
    let other = lab.holding("pcsc:Drawer");
    has(&exec(&other, "true").code(3), &["--card pcsc:Drawer", "no reader named 'Drawer'; there are: Real reader 00 00"]);
}

#[test]
fn wrong_use_is_explained() {
    let wrong = |arguments: &[&str]| cardlab(&[&["exec"], arguments, &["--", "true"]].concat()).code(2);
    has(
        &wrong(&["--card", "vpcd:1,pin=123456"]),
        &[
            "card setting 'pin': this card is not simulated here; only name=, pace=, pin-pad=, usb=, usb-product=, usb-serial=, usb-speed=; answer-within=",
        ],
    );
    has(&wrong(&["--card", "vpcd:no.such.host.invalid:0"]), &["cannot listen at no.such.host.invalid:0"]);
    has(&wrong(&["--card", "replay:/no/such.jsonl"]), &["--card replay:/no/such.jsonl: there is no such file or directory"]);
    has(&wrong(&["--spare-tries", "0"]), &["0 is not in 1..=15"]);
    has(
        &cardlab(&["up", "--card", "vpcd:0", "--vpcd", "127.0.0.1:1"]).code(2),
        &["only simulated cards go into the readers of others"],
    );
    // Whoever listens beyond this machine is warned.
    has(&cardlab(&["exec", "--card", "vpcd:0.0.0.0:0", "--", "true"]).ok(), &["this protocol knows no password"]);
}
