//! `cardlab conform`: reports, parts, known failures, and a card in a reader that is left as it was.

use crate::common::{self, CARDLAB, Lab, cardlab, has};
use std::process::Command;

fn conform(lab: &Lab, arguments: &[&str]) -> common::Said {
    let mut command = Command::new(CARDLAB);
    command.current_dir(lab.path()).arg("conform").args(arguments);
    common::said(command.output().unwrap())
}

/// What Jenkins' schema of JUnit reports (xunit plugin, junit-10) allows, and more than 500 tests that did not fail.
const JUNIT: &str = r#"
import re, sys, xml.etree.ElementTree as tree
allowed = {
    "testsuites": ({"testsuite"}, set(), {"name", "time", "tests", "failures", "errors"}),
    "testsuite": ({"testsuite", "properties", "testcase", "system-out", "system-err"}, {"name", "tests", "failures", "errors"},
                  {"group", "time", "skipped", "timestamp", "hostname", "id", "package", "file", "log", "url"}),
    "testcase": ({"skipped", "error", "failure", "system-out", "system-err"}, {"name"}, {"time", "classname", "group"}),
    "skipped": (set(), set(), {"type", "message"}),
    "failure": (set(), set(), {"type", "message"}),
    "error": (set(), set(), {"type", "message"}),
}
def check(element):
    children, needed, possible = allowed[element.tag]
    have = set(element.attrib)
    assert needed <= have <= needed | possible, (element.tag, have)
    assert re.fullmatch(r"[0-9]*(\.[0-9]*)?", element.get("time", "")), element.attrib
    for child in element:
        assert child.tag in children, (element.tag, child.tag)
        check(child)
root = tree.parse(sys.argv[1]).getroot()
check(root)
assert root.tag == "testsuites" and int(root.get("tests")) > 500 and root.get("failures") == "0", root.attrib
"#;

#[test]
fn reports_in_every_form() {
    let lab = Lab::new("nist-piv");
    let run = ["--target", "sim:gids", "--without", "rsa-keygen", "--json", "r.json", "--junit", "r.xml", "--html", "r.html"];
    has(&conform(&lab, &run).ok(), &["gids: ", " passed, ", " not applicable"]);
    lab.write("check.py", JUNIT);
    lab.host("python3 check.py r.xml").ok();
    // The page's own script counts what is shown.
    let page = lab
        .host("chromium --headless --no-sandbox --disable-gpu --user-data-dir=$PWD/profile --enable-logging=stderr --dump-dom file://$PWD/r.html 2>log; ! grep -i 'console.*error' log")
        .ok();
    has(&page, &[" tests shown</p>", "The right PIN verifies", "By standard"]);
    assert!(!lab.read("r.html").contains("http"), "the page needs nothing else");
    // The same cards say the same again.
    conform(&lab, &["--target", "sim:gids", "--without", "rsa-keygen", "--json", "again.json"]).ok();
    assert_eq!(conform(&lab, &["diff", "r.json", "again.json"]).ok(), "");
    conform(&lab, &["--target", "sim:piv-admin", "iso", "--json", "other.json"]).ok();
    has(
        &conform(&lab, &["diff", "r.json", "other.json"]).code(1),
        &["unblock/challenge-response/card/unblocks: passed -> absent"],
    );
}

#[test]
fn parts_make_the_whole() {
    let lab = Lab::new("nist-piv");
    conform(&lab, &["--target", "sim:piv-admin", "piv", "--without", "rsa-keygen", "--json", "whole.json"]).ok();
    for part in ["1/3", "2/3", "3/3"] {
        let file = format!("{}.json", &part[..1]);
        conform(&lab, &["--target", "sim:piv-admin", "piv", "--without", "rsa-keygen", "--partition", part, "--json", &file])
            .ok();
    }
    conform(&lab, &["merge", "1.json", "2.json", "3.json", "--json", "merged.json"]).ok();
    assert_eq!(conform(&lab, &["diff", "whole.json", "merged.json"]).ok(), "");
    has(&conform(&lab, &["merge", "1.json", "1.json", "--json", "m.json"]).code(2), &["is in two parts"]);
    lab.write("no.json", "{}");
    has(&conform(&lab, &["diff", "no.json", "1.json"]).code(2), &["no.json", "no report of a conformance run", "missing field"]);
    let full = conform(&lab, &["--target", "sim:gids-blank", "--json", "/dev/full"]).code(2);
    has(&full, &["gids-blank: ", " passed", "/dev/full: the disk is full; make room there"]);
}

#[test]
fn known_failures() {
    let lab = Lab::new("nist-piv");
    let one = ["--target", "sim:nist-piv", "piv/800-73-4-2/3.2.1/right-pin", "--expect", "known.toml"];
    lab.write("known.toml", "[[failure]]\nid = \"piv/800-73-4-2/3.2.1/right-pin\"\nreason = \"a test of the test\"\n");
    has(&conform(&lab, &one).code(1), &["unexpected pass", "take the entry out"]);
    lab.write("known.toml", "[[failure]]\nid = \"piv/800-73-4-2/3.2.1/right-pin\"\nreason = \"\"\n");
    has(&conform(&lab, &one).code(2), &["known.toml", "needs a reason"]);
    lab.write("known.toml", "[[failure]]\nid = 3\n");
    has(&conform(&lab, &one).code(2), &["line 2"]);
    lab.write("known.toml", "[[failure]]\nid = \"piv/gone\"\nreason = \"x\"\n");
    has(&conform(&lab, &["--target", "sim:gids-blank", "--expect", "known.toml"]).code(1), &["stale", "piv/gone"]);
    has(&conform(&lab, &["piv/nothing"]).code(2), &["no test is called 'piv/nothing'"]);
    has(&conform(&lab, &["--target", "drawer"]).code(2), &["there are sim, socket, pcsc and unlock"]);
    has(&conform(&lab, &["--target", "nist-piv"]).code(2), &["a simulated card of this profile is sim:nist-piv"]);
    has(&conform(&lab, &["--target", "sim:none"]).code(3), &["none"]);
    has(&conform(&lab, &["--partition", "4/3", "--list"]).code(2), &["2/5 for the second of five"]);
    has(&cardlab(&["conform", "--list", "*9c-once"]).ok(), &["piv/800-73-4-1/table-5/p256-9c-once  [must, safe]"]);
}

#[test]
fn a_card_in_a_reader_is_left_as_it_was() {
    let lab = Lab::new("nist-piv,9a=new:p256,9c=new:rsa2048").kept();
    let serial = lab.sh(&format!("{CARDLAB} card status --json")).ok();
    let serial = serial.split("\"guid\":\"").nth(1).map(|rest| rest.split('"').next().unwrap().replace('-', "").to_uppercase());
    let serial = serial.unwrap_or_else(|| panic!("a card UUID"));
    lab.write("card.toml", "pin = \"123456\"\npuk = \"12345678\"\npuk-tries = 3\nadmin-key = \"010203040506070801020304050607080102030405060708\"\nadmin-algorithm = \"aes192\"\n");
    let before = lab.sh(&format!("{CARDLAB} card status")).ok();
    // Reading only, without a word of permission.
    let read = lab.sh(&format!("{CARDLAB} conform --target pcsc --credentials card.toml --json read.json")).ok();
    has(&read, &["at most 'safe' will be done", "not run"]);
    let refused = lab.sh(&format!("{CARDLAB} conform --target pcsc --allow locks")).code(3);
    has(&refused, &["needs the card's serial as well: --serial", &serial]);
    has(&lab.sh(&format!("{CARDLAB} conform --target pcsc --allow locks --serial 00")).code(3), &["nothing was done to it"]);
    has(&lab.sh(&format!("{CARDLAB} conform --target pcsc --credentials none.toml")).code(2), &["none.toml"]);
    lab.write("other.toml", "serial = \"00\"\npin = \"111111\"\n");
    has(
        &lab.sh(&format!("{CARDLAB} conform --target pcsc --credentials other.toml")).code(3),
        &["not 00: nothing was done to it"],
    );
    let run = format!(
        "{CARDLAB} conform --target pcsc --credentials card.toml --allow locks --serial {serial} piv/800-73-4-2/3.2 piv/800-73-4-2/3.2.1 piv/800-73-4-2/3.2.2 piv/800-73-4-2/3.2.3 piv/800-73-4-1/table-5 pcsc --json all.json"
    );
    let run = run.replace(" piv/800-73-4-2/3.2 ", " ");
    has(&lab.sh(&run).ok(), &[" passed", "PIN: 3 tries left, proved; it may be blocked", "not run: ", ", restored\n"]);
    // The certificate of the key that the tests replace is told of before and afterwards.
    let keys = format!(
        "{CARDLAB} conform --target pcsc --credentials card.toml --allow changes-keys --serial {serial} --json keys.json --html keys.html --junit keys.xml piv/800-73-4-2/3.3.2/p256-in-9a"
    );
    let lost =
        "made, imported or deleted by the tests; what was there before is lost, and the certificate there is of the key before";
    has(
        &lab.sh(&keys).ok(),
        &[
            "keys that are lost, and stay as the tests leave them: 9A (which has a certificate now), 9C (which has",
            "not all restored",
            lost,
        ],
    );
    for (file, told) in [("keys.json", lost), ("keys.html", lost), ("keys.xml", "value=\"not all restored\"")] {
        has(&lab.read(file), &["the key in 9A", told]);
    }
    // The next run knows that the certificate is not of that key, and 9C is judged as before.
    let again = lab
        .sh(&format!(
            "{CARDLAB} conform --target pcsc --credentials card.toml --json again.json piv/800-73-4-1/table-5 piv/800-73-4-2/a.4"
        ))
        .ok();
    has(&again, &["9A: the key there does not sign as its certificate says; it is not judged"]);
    has(&lab.read("again.json"), &["no certificate of the key in slot 9A that is of a p256 key"]);
    // A file with no word in it is refused: it would be a run without a secret, and nobody told. Without a file nothing is sent.
    lab.write("empty.toml", "");
    let empty = lab.sh(&format!("{CARDLAB} conform --target pcsc --credentials empty.toml")).code(2);
    has(&empty, &["empty.toml: there is nothing in it"]);
    has(&lab.sh(&format!("{CARDLAB} conform --target pcsc")).ok(), &["nothing was changed"]);
    has(&lab.sh(&format!("{CARDLAB} conform --target pcsc:Nobody")).code(3), &["no reader named 'Nobody'"]);
    assert_eq!(lab.sh(&format!("{CARDLAB} card status")).ok(), before);
    lab.sh("yubico-piv-tool -r '' -a verify-pin -P 123456 || pkcs11-tool --login --pin 123456 -O").ok();
}

/// A YubiKey is named as `card status` names it, and a wrong PIN costs one try of three.
#[test]
fn a_wrong_pin_in_the_file_costs_one_try() {
    let lab = Lab::new("yubikey-5.7,serial=4711").kept();
    lab.write("wrong.toml", "pin = \"739164\"\n");
    let run = format!(
        "{CARDLAB} conform piv yubikey --without rsa-keygen --target pcsc --credentials wrong.toml --allow locks --serial 4711"
    );
    has(&lab.sh(&run).ok(), &["PIN: the PIN that was given is not the card's (63C2); it is not sent again", " not run"]);
    has(&lab.sh(&format!("{CARDLAB} card status")).ok(), &["PIN           2 of 3 tries left", "PUK           3 of 3 tries left"]);
    // Taken for another kind of card, the YubiKey's own tests are not for it.
    let other = lab.sh(&format!("{CARDLAB} conform yubikey --target pcsc --as piv --answer-within 5")).ok();
    has(&other, &["PIV card 00001267: "]);
    assert!(!other.contains(" passed"), "{other}");
    has(&lab.sh(&format!("{CARDLAB} conform --target pcsc --as drawer")).code(2), &["there are piv, gids and yubikey-VERSION"]);
    // The tests on PC/SC itself keep to it as well: they are another run, and two are left.
    for level in ["safe", "spends-tries", "changes-keys", "locks"] {
        let run = format!("{CARDLAB} conform pcsc --target pcsc --credentials wrong.toml --allow {level} --serial 4711");
        has(&lab.sh(&run).ok(), &[" not run"]);
    }
    // Two are left: nothing is tried.
    has(&lab.sh(&run).ok(), &["PIN: the PIN has 2 tries only: nothing is tried on it"]);
    has(&lab.sh(&format!("{CARDLAB} card status")).ok(), &["PIN           2 of 3 tries left"]);
}

/// The card is pulled out in the middle of a run: what is left is not run, and said so.
#[test]
fn pulled_out_in_mid_run() {
    let lab = Lab::new("nist-piv");
    let run = format!(
        "{CARDLAB} card fault remove-after,nth=40 && {CARDLAB} conform iso piv --target pcsc --json r.json --junit r.xml"
    );
    has(&lab.sh(&run).code(1), &["the card was removed", " not run"]);
    let report = lab.read("r.json");
    has(&report, &["the card is no longer there", "\"outcome\": \"passed\""]);
    let count = "from junitparser import JUnitXml; s = JUnitXml.fromfile('r.xml'); \
                 print(sum(u.tests for u in s), sum(u.failures for u in s), sum(u.skipped for u in s))";
    let counted = lab.host(&format!("/usr/bin/python3 -c \"{count}\"")).ok();
    let numbers: Vec<u32> = counted.split_whitespace().map(|n| n.parse().unwrap()).collect();
    assert!(numbers[0] > 300 && numbers[1] == 1 && numbers[2] > 300, "{counted}");
}

/// Two runs on one card would end each other's sessions and count each other's tries: the second says so and sends
/// nothing. The first is stopped where it is on the card, and then killed: the third has the card to itself.
#[test]
fn one_run_at_a_time() {
    let lab = Lab::new("yubikey-5.7,serial=4711").kept();
    lab.write("wrong.toml", "pin = \"739164\"\n");
    let run = format!(
        "mkfifo said
        {CARDLAB} conform --target pcsc >first 2>said & first=$!
        exec 3<said; read -r line <&3; kill -STOP $first
        {CARDLAB} conform --target pcsc --credentials wrong.toml --allow locks --serial 4711 && exit 1 || echo second $?
        {CARDLAB} card status
        kill -KILL $first; wait $first || :
        {CARDLAB} conform --target pcsc minidriver && echo third $?"
    );
    let text = lab.sh(&run).ok();
    has(
        &text,
        &["another run is on the card in ", "nothing was done to it", "second 3", "PIN           3 of 3 tries left", "third 0"],
    );
}

/// A serial for a card that shows none is not this card's.
#[test]
fn a_card_without_a_serial() {
    let lab = Lab::new("gids-blank");
    let named = lab.sh(&format!("{CARDLAB} conform --target pcsc --allow locks --serial 4711")).code(3);
    has(&named, &["the card shows no serial, not 4711: nothing was done to it"]);
    lab.write("other.toml", "serial = \"4711\"\npin = \"111111\"\n");
    let named = lab.sh(&format!("{CARDLAB} conform --target pcsc --credentials other.toml")).code(3);
    has(&named, &["the card shows no serial, not 4711: nothing was done to it"]);
}

/// Debian's pcscd with its virtual readers, in a network and mounts of its own; nothing in them tells that it is ready.
const PCSCD: &str = r#"trap 'kill $(jobs -p) 2>/dev/null || :' EXIT
        ip link set lo up
        # The driver writes length and data apart: with delayed acknowledgements each command takes 44 ms.
        ip route replace table local local 127.0.0.1 dev lo proto kernel scope host src 127.0.0.1 quickack 1
        mkdir -p run /run/pcscd; mount --bind run /run/pcscd
        pcscd --foreground >pcscd.log 2>&1 &
        in_reader() { opensc-tool -a 2>/dev/null </dev/null | grep -q 3b:; }
        until_it() { for n in $(seq 300); do if "$@"; then return; fi; read -t 0.1 <> <(:) || :; done; "$@"; }
        is_out() { ! in_reader; }
        objects() { opensc-tool -s 00A4040005A000000308 -s 00CB3FFF055C035FC10200 -s 00CB3FFF055C035FC10700 </dev/null; }"#;

fn in_namespaces(lab: &Lab, seconds: u32, script: &str) -> common::Said {
    lab.host(&format!("timeout {seconds} unshare -mn bash -euo pipefail -c '{}'", script.replace('\'', "'\\''")))
}

/// A card that is not ours, in a reader of ours: piv-authenticator, the PIV application of Nitrokeys. It is
/// recognised for what it is, and given back as it was; what it does otherwise than the standard is known, each with
/// its reason.
#[test]
fn a_card_of_another_make() {
    let lab = Lab::new("vpcd:0,name=Nitrokey");
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let card = root.join("target/foreign/debug/foreign-card");
    assert!(card.is_file(), "{}: tests/run builds it", card.display());
    lab.write("card.toml", &format!("pin = \"123456\"\npuk = \"12345678\"\npuk-tries = 3\nadmin-key = \"{}\"\n", common::KEY));
    let script = format!(
        r#"trap 'kill $(jobs -p) 2>/dev/null || :' EXIT
        objects() {{ opensc-tool -s 00A4040005A000000308 -s 00CB3FFF055C035FC10200 -s 00CB3FFF055C035FC10700; }}
        mkdir memory; {} $CARDLAB_VPCD memory & card=$!
        {CARDLAB} card wait in --limit 60000
        objects >before
        {CARDLAB} card status
        {CARDLAB} conform --target pcsc --credentials card.toml --allow locks --serial 0A074E206DAE4B65A000000000000001 \
            --expect {} iso piv unblock minidriver --without rsa-keygen
        objects | cmp - before
        {CARDLAB} card show
        {CARDLAB} card log --name VERIFY --status 6983 | head -1
        {CARDLAB} card undo || echo "undo $?"
        kill $card; {CARDLAB} card wait out --limit 60000; {CARDLAB} card list"#,
        card.display(),
        root.join("conformance/foreign/known.toml").display()
    );
    let text = lab.sh(&script).ok();
    has(&text, &["card          PIV card", "version       6.6.6", "PIN           3 tries left", " 24 expected failure"]);
    let passed = text.split(" passed").next().and_then(|t| t.rsplit(' ').next()).and_then(|n| n.parse::<u32>().ok());
    assert!(passed.is_some_and(|passed| passed > 340), "{text}");
    // What the bench does for it, and what it cannot do.
    has(
        &text,
        &[
            "0  Nitrokey 00 00 (card in), vpcd 127.0.0.1:",
            " > 00 20 00 80",
            "is not simulated here",
            "undo 2",
            "Nitrokey 00 00: no card",
        ],
    );
}

/// A service that is not ours: Debian's pcscd with its virtual readers. Every profile, and all sections but those
/// on PC/SC itself, which are about our service.
#[test]
fn under_pcscd() {
    let lab = Lab::new("gids");
    let (gids, piv) = ("A0F1E2D3C4B5A69788796A5B4C3D2E1F", "B0F1E2D3C4B5469788796A5B4C3D2E1F");
    let key = "010203040506070801020304050607080102030405060708";
    lab.write("zeros.toml", "pin = \"123456\"\nadmin-key = \"000000000000000000000000000000000000000000000000\"\n");
    lab.write("tdes.toml", &format!("pin = \"123456\"\npuk = \"12345678\"\npuk-tries = 3\nadmin-key = \"{key}\"\n"));
    lab.write("aes.toml", &format!("{}admin-algorithm = \"aes192\"\n", lab.read("tdes.toml")));
    let allowed = format!("--allow locks --serial {gids}");
    let on_piv = format!("--allow locks --serial {piv}");
    let cards = [
        (format!("gids,card-id={gids}"), "--credentials zeros.toml", &*allowed, "GIDS card", 150),
        ("gids-blank".into(), "", "", "GIDS card, not initialised", 20),
        (format!("piv-admin,chuid={piv}"), "--credentials tdes.toml", &on_piv, "PIV card, managed", 350),
        (format!("nist-piv,chuid={piv}"), "--credentials aes.toml", &on_piv, "PIV card B0", 350),
        (format!("yubikey-4.3,chuid={piv}"), "--credentials tdes.toml", &on_piv, "YubiKey 4.3", 340),
        (format!("yubikey-5.4,chuid={piv}"), "--credentials tdes.toml", &on_piv, "YubiKey 5.4", 340),
        (format!("yubikey-5.7,chuid={piv}"), "--credentials aes.toml", &on_piv, "YubiKey 5.7", 340),
    ];
    let judged: String =
        cards.iter().map(|(card, credentials, allowed, ..)| format!("judge '{card}' {credentials} {allowed}\n")).collect();
    let script = format!(
        r#"{PCSCD}
        judge() {{
            {CARDLAB} up --card "$1" --vpcd 127.0.0.1:35963 >ready & card=$!
            until_it in_reader
            objects >before
            {CARDLAB} conform --target "pcsc:Virtual PCD 00 00" --socket /run/pcscd/pcscd.comm "${{@:2}}" \
                iso piv yubikey gids unblock minidriver
            objects | cmp - before
            kill $card; wait $card || :
            until_it is_out
        }}
        {judged}"#
    );
    let text = in_namespaces(&lab, 240, &script).ok();
    has(&text, &["PIN, PUK and their tries are put back", "objects that are written and put back: "]);
    for (.., name, least) in cards {
        let line = text.lines().find(|line| line.starts_with(name) && line.contains(" passed"));
        let line = line.unwrap_or_else(|| panic!("no result of {name}:\n{text}"));
        let passed = line.split(": ").nth(1).and_then(|counts| counts.split(' ').next()).and_then(|n| n.parse::<u32>().ok());
        assert!(passed.is_some_and(|passed| passed >= least), "{line}");
    }
}

/// The whole suite, those tests on PC/SC itself included, comes to its end at Debian's pcscd, and leaves it able to serve;
/// so does a run that is killed somewhere on its way.
#[test]
fn pcscd_serves_the_next_program() {
    let lab = Lab::new("gids");
    let id = "A0F1E2D3C4B5A69788796A5B4C3D2E1F";
    lab.write("card.toml", "pin = \"123456\"\nadmin-key = \"000000000000000000000000000000000000000000000000\"\n");
    let script = format!(
        r#"{PCSCD}
        {CARDLAB} up --card gids,card-id={id} --vpcd 127.0.0.1:35963 >ready &
        until_it in_reader
        run="{CARDLAB} conform --target pcsc --socket /run/pcscd/pcscd.comm --credentials card.toml --allow spends-tries --serial {id}"
        $run --json whole.json
        in_reader && echo serves after the whole
        for n in $(seq 50); do
            timeout --signal=KILL 0.$(printf "%03d" $((n * 17 % 400 + 20))) $run pcsc gids >/dev/null 2>&1 || :
            until_it in_reader || {{ echo "wedged by kill $n"; exit 1; }}
        done
        echo serves after 50 kills
        {CARDLAB} card status --socket /run/pcscd/pcscd.comm"#
    );
    let text = in_namespaces(&lab, 240, &script).ok();
    has(&text, &["serves after the whole", "serves after 50 kills", "PIN           "]);
    assert!(lab.read("whole.json").contains("pcsc/part-5/transactions/one-at-a-time"));
}

/// What is of a card in a reader is no part of a run at cards that are made for it: it is not taken and then not used.
#[test]
fn credentials_are_for_a_card_in_a_reader() {
    for (option, value) in [("--credentials", "card.toml"), ("--serial", "0123456789ABCDEF")] {
        // What is no target is said first.
        has(&cardlab(&["conform", "--target", "pcsd:x", option, value]).code(2), &["no target 'pcsd'; there are "]);
        for target in ["sim", "sim:nist-piv", "socket:gids"] {
            let said = cardlab(&["conform", "piv", "--target", target, option, value]).code(2);
            has(&said, &[&format!("{option} is for a card in a reader (--target pcsc)"), "leave it out"]);
        }
    }
}
