//! `cardlab conform`: reports, parts, known failures, and a card in a reader that is left as it was.
#![allow(clippy::unwrap_used)]

mod common;
use common::{CARDLAB, Lab, cardlab, has};
use std::process::Command;

fn conform(lab: &Lab, arguments: &[&str]) -> common::Said {
    let mut command = Command::new(CARDLAB);
    command.current_dir(lab.path()).arg("conform").args(arguments);
    common::said(command.output().unwrap())
}

#[test]
fn reports_in_every_form() {
    let lab = Lab::new("nist-piv");
    let run = ["--target", "sim:gids", "--without", "rsa-keygen", "--json", "r.json", "--junit", "r.xml", "--html", "r.html"];
    has(&conform(&lab, &run).ok(), &["gids: ", " passed, ", " not applicable"]);
    lab.host("python3 -c \"import xml.etree.ElementTree as e; r = e.parse('r.xml').getroot(); assert int(r.get('tests')) > 500 and r.get('failures') == '0', r.attrib\"").ok();
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
    has(&full, &["gids-blank: ", " passed", "/dev/full: No space left"]);
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
    has(&conform(&lab, &["--target", "drawer"]).code(2), &["there are sim, socket and pcsc"]);
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
    lab.write("card.toml", "pin = \"123456\"\npuk = \"12345678\"\nadmin-key = \"010203040506070801020304050607080102030405060708\"\nadmin-algorithm = \"aes192\"\n");
    let before = lab.sh(&format!("{CARDLAB} card status")).ok();
    // Reading only, without a word of permission.
    let read = lab.sh(&format!("{CARDLAB} conform --target pcsc --credentials card.toml --json read.json")).ok();
    has(&read, &["at most 'safe' will be done", "not run"]);
    let refused = lab.sh(&format!("{CARDLAB} conform --target pcsc --allow locks")).code(3);
    has(&refused, &["needs the card's serial as well: --serial", &serial]);
    has(&lab.sh(&format!("{CARDLAB} conform --target pcsc --allow locks --serial 00")).code(3), &["nothing was done to it"]);
    has(&lab.sh(&format!("{CARDLAB} conform --target pcsc --credentials none.toml")).code(2), &["none.toml"]);
    let run = format!(
        "{CARDLAB} conform --target pcsc --credentials card.toml --allow locks --serial {serial} piv/800-73-4-2/3.2 piv/800-73-4-2/3.2.1 piv/800-73-4-2/3.2.2 piv/800-73-4-2/3.2.3 piv/800-73-4-1/table-5 pcsc --json all.json"
    );
    let run = run.replace(" piv/800-73-4-2/3.2 ", " ");
    has(&lab.sh(&run).ok(), &[" passed"]);
    assert_eq!(lab.sh(&format!("{CARDLAB} card status")).ok(), before);
    lab.sh("yubico-piv-tool -r '' -a verify-pin -P 123456 || pkcs11-tool --login --pin 123456 -O").ok();
}

/// A service that is not ours: Debian's pcscd with its virtual reader.
#[test]
fn under_pcscd() {
    let lab = Lab::new("gids");
    let id = "A0F1E2D3C4B5A69788796A5B4C3D2E1F";
    lab.write("card.toml", "pin = \"123456\"\nadmin-key = \"000000000000000000000000000000000000000000000000\"\n");
    let script = format!(
        r#"ip link set lo up
        mkdir -p run; mount --bind run /run/pcscd 2>/dev/null || {{ mkdir -p /run/pcscd; mount --bind run /run/pcscd; }}
        {CARDLAB} up --card gids,card-id={id} --vpcd 127.0.0.1:35963 >ready & card=$!
        pcscd --foreground >pcscd.log 2>&1 & daemon=$!
        for n in $(seq 200); do if opensc-tool -a 2>/dev/null | grep -q 3b:; then break; fi; read -t 0.1 <> <(:) || :; done
        {CARDLAB} conform --target "pcsc:Virtual PCD 00 00" --socket /run/pcscd/pcscd.comm --credentials card.toml --allow locks --serial {id} \
            gids/2.0/verify gids/2.0/access-rules unblock minidriver --json r.json
        kill $card $daemon"#
    );
    let text = lab.host(&format!("timeout 120 unshare -mn bash -euo pipefail -c '{}'", script.replace('\'', "'\\''"))).ok();
    has(&text, &["GIDS card A0F1E2D3C4B5A69788796A5B4C3D2E1F: ", " passed"]);
}
