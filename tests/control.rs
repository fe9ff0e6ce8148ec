//! Driving readers and cards while real programs work with them: `cardlab card` and the control socket.

use crate::common::{self, CARDLAB, Lab, Said, Up, has};
use serde_json::Value;
use std::process::Command;

const OPENSC: &str = "pkcs11-tool --module /usr/lib/x86_64-linux-gnu/opensc-pkcs11.so";

/// Readers that a test drives.
struct Bench {
    up: Up,
    lab: Lab,
}

impl Bench {
    fn with(cards: &[&str]) -> Self {
        Self::with_options(cards, &[])
    }

    fn with_options(cards: &[&str], options: &[&str]) -> Self {
        let lab = Lab::new("nist-piv");
        let cards = cards.iter().flat_map(|card| ["--card", card]);
        let up = Up::start(&lab, &cards.chain(options.iter().copied()).collect::<Vec<_>>());
        Self { up, lab }
    }

    fn card(&self, arguments: &[&str]) -> Said {
        let mut command = Command::new(CARDLAB);
        command.current_dir(self.lab.path()).env("PCSCLITE_CSOCK_NAME", self.up.socket()).arg("card").args(arguments);
        common::said(command.env_remove("CARDLAB_CONTROL").output().unwrap())
    }

    fn sh(&self, script: &str) -> Said {
        self.up.sh(&self.lab, script)
    }

    /// The first reader as the control socket shows it.
    fn shown(&self) -> Value {
        let all: Value = serde_json::from_str(&self.card(&["show", "--json"]).ok()).unwrap();
        all[0].clone()
    }

    fn tries(&self, what: &str) -> u64 {
        self.shown()["card"][what]["left"].as_u64().unwrap()
    }
}

#[test]
fn readers_and_cards_by_hand() {
    let bench = Bench::with(&["gids,name=One,serial=11", "nist-piv,name=Two,serial=22"]);
    let card = |arguments: &[&str]| bench.card(arguments);
    has(
        &card(&["show"]).ok(),
        &["0  One 00 00 (card in), gids 11", "1  Two 01 00 (card in), nist-piv 22", "PIN: 3 of 3 tries left"],
    );
    has(&card(&["remove"]).code(2), &["there are several readers; name one: One 00 00, Two 01 00"]);
    card(&["remove", "--reader", "One"]).ok();
    has(&card(&["remove", "--reader", "0"]).code(2), &["the card of reader One 00 00 is out of it; insert it first"]);
    has(&card(&["list"]).ok(), &["One 00 00: no card"]);
    has(&card(&["wait", "in", "--reader", "0", "--limit", "50"]).code(1), &["it did not happen in 50 ms"]);
    card(&["swap", "--reader", "One", "Two"]).ok();
    has(&card(&["show"]).ok(), &["0  One 00 00 (card in), nist-piv 22", "1  Two 01 00 (card in), gids 11"]);
    card(&["unplug", "--reader", "1"]).ok();
    assert!(!card(&["list"]).ok().contains("Two"));
    has(&card(&["insert", "--reader", "1"]).code(2), &["reader Two 01 00 is unplugged; plug it in first"]);
    card(&["plug", "--reader", "1"]).ok();
    card(&["insert", "--reader", "1"]).ok();
    card(&["reset", "--reader", "1", "--usb"]).ok();
    has(&card(&["show"]).ok(), &["1  Two 01 00 (card in), gids 11"]);
    card(&["state", "--reader", "1", "lost"]).ok();
    has(&card(&["show", "--reader", "1"]).ok(), &["PIN: 0 of 3", "administrator key: 0 of 5"]);
    card(&["state", "--reader", "1", "fresh", "--pin", "1"]).ok();
    has(&card(&["show", "--reader", "1"]).ok(), &["PIN: 1 of 3", "administrator key: 5 of 5"]);
    has(&card(&["state", "--reader", "1", "asleep"]).code(2), &["no state named 'asleep'; there are: fresh, last-try"]);
    has(&card(&["state", "--reader", "1"]).code(2), &["say a state or tries"]);
    has(
        &card(&["fault", "--reader", "1", "mute,applet=piv"]).code(2),
        &["this card has no applet 'piv', so the fault can never strike"],
    );
    has(&card(&["show", "--reader", "Three"]).code(3), &["there is no reader Three; there are: One 00 00, Two 01 00"]);
    has(&card(&["show", "--control", "/nowhere"]).code(3), &["no cardlab listens at /nowhere", "CARDLAB_CONTROL"]);
}

#[test]
fn what_came_in_and_taking_it_back() {
    let bench = Bench::with(&["gids"]);
    for _ in 0..3 {
        bench.sh(&format!("{OPENSC} -l --pin 999999 -O")).fails();
    }
    assert_eq!(bench.tries("pin"), 0);
    let log = bench.card(&["log", "--name", "VERIFY, PIN", "--status", "63Cx"]).ok();
    has(&log, &["[6 bytes masked]   VERIFY, PIN", "63 C2", "63 C1"]);
    assert!(!log.contains("39 39 39"), "{log}");
    bench.card(&["assert", "--ins", "20", "--at-least", "3"]).ok();
    has(&bench.card(&["assert", "--ins", "2C"]).code(1), &["it came 0 times"]);
    has(&bench.card(&["log", "--ins", "xyz"]).code(2), &["'xyz' is not two hexadecimal digits"]);
    // One by one: each undo of a guess gives a try back.
    let undone = |tries: u64| {
        while bench.tries("pin") != tries {
            bench.card(&["undo"]).ok();
        }
    };
    (1..=3).for_each(undone);
    bench.sh(&format!("{OPENSC} -l --pin 123456 -O")).ok();
    let undoable = bench.shown()["card"]["undoable"].as_u64().unwrap();
    let more = (undoable + 1).to_string();
    has(&bench.card(&["undo", &more]).code(2), &[&format!("only the last {undoable} commands can be undone")]);
}

#[test]
fn a_locked_card_is_handed_to_another_process() {
    let bench = Bench::with(&["gids"]);
    bench.card(&["state", "pin-blocked"]).ok();
    let sentence = "cardlab: PINs and keys are masked in this text: it is for reading, no card can be made from it";
    has(&bench.card(&["snapshot"]).ok(), &["secrets = \"masked\"", "= \"masked:6\"  # PIN, value", sentence]);
    let sealed = "CARDLAB_PASSPHRASE=open $CARDLAB card snapshot --secrets sealed -o locked.card && stat -c %a locked.card";
    has(&bench.sh(sealed).ok(), &["600"]);
    let text = bench.lab.read("locked.card");
    assert!(text.contains("sealed:") && !text.contains(&hex::encode_upper("123456")), "{text}");
    has(&bench.sh("CARDLAB_PASSPHRASE=shut $CARDLAB card restore locked.card").code(2), &["the passphrase is wrong"]);
    // Elsewhere it is as locked, and unlocks with the response to its own challenge.
    let script = r#"
        code=$($CARDLAB unlock --challenge)
        response=$($CARDLAB response --card-type gids --key 000000000000000000000000000000000000000000000000 $code)
        echo 4711 | $CARDLAB unlock --response "$response" --new-pin-stdin
        $CARDLAB card show"#;
    let mut elsewhere = Command::new(CARDLAB);
    elsewhere.current_dir(bench.lab.path()).env("CARDLAB_PASSPHRASE", "open").env("CARDLAB", CARDLAB);
    elsewhere.args(["exec", "--card", "@locked.card,name=Copy", "--", "bash", "-euo", "pipefail", "-c", script]);
    has(&common::said(elsewhere.output().unwrap()).ok(), &["Unlocked.", "Copy 00 00 (card in), gids", "PIN: 3 of 3"]);
    assert_eq!(bench.tries("pin"), 0, "the first is as it was");
    // Back to a snapshot that the process keeps.
    bench.card(&["snapshot", "--keep", "locked"]).ok();
    bench.card(&["state", "fresh"]).ok();
    bench.card(&["restore", "--kept", "locked"]).ok();
    assert_eq!(bench.tries("pin"), 0);
    assert_eq!(bench.card(&["snapshots"]).ok(), "locked: gids\n");
    has(&bench.card(&["restore", "--kept", "other"]).code(3), &["no snapshot is kept as 'other'; there are: locked"]);
    bench.lab.write("broken.card", &text.replace("version = 1", "version = 9"));
    has(&bench.card(&["restore", "broken.card"]).code(2), &["this is version 9 of a snapshot"]);
}

/// A program whose card is pulled out at its n-th command, for every n: it ends with its own error, it never
/// hangs, and the card is none the worse.
#[test]
fn pulled_out_at_every_command() {
    for (card, work) in [
        ("yubikey-5.4,9a=new:rsa2048", format!("{OPENSC} -l --pin 123456 --test")),
        ("gids", format!("{OPENSC} -l --pin 123456 -O")),
        ("nist-piv,9a=new:p256", format!("{OPENSC} -l --pin 123456 -O")),
    ] {
        let bench = Bench::with(&[card]);
        for when in ["remove-before", "remove-after"] {
            let mut pulled = 0;
            loop {
                bench.card(&["fault", &format!("{when},nth={}", pulled + 1)]).ok();
                let said = bench.sh(&format!("timeout -k 5 60 {work}"));
                assert!(said.code.is_some_and(|code| code != 124 && code != 137), "{card}, {when}, command {}: hung", pulled + 1);
                if bench.shown()["card_is"] == "in" {
                    break;
                }
                pulled += 1;
                bench.card(&["insert"]).ok();
                assert_eq!(bench.tries("pin"), 3, "{card}, {when}, command {pulled}: {}", said.text);
            }
            assert!(pulled > 5, "{card}: {pulled} commands");
            bench.card(&["fault", "--clear"]).ok();
            bench.sh(&work).ok();
        }
    }
}

/// Power fails at each tear point of a change of the PIN and of a wrong guess: the old PIN or the new one
/// verifies, and a guess is never free.
#[test]
fn power_cut_at_every_tear_point() {
    let bench = Bench::with(&["gids"]);
    for point in 0.. {
        bench.card(&["fault", &format!("power-cut={point},ins=24")]).ok();
        let said = bench.sh(&format!("timeout -k 5 60 {OPENSC} -l --pin 123456 --change-pin --new-pin 654321"));
        let done = said.code == Some(0);
        bench.card(&["reset", "--cold"]).ok();
        let old = bench.sh(&format!("{OPENSC} -l --pin 123456 -O")).code == Some(0);
        if !old {
            bench.sh(&format!("{OPENSC} -l --pin 654321 --change-pin --new-pin 123456")).ok();
        }
        assert_eq!(bench.tries("pin"), 3, "tear point {point}");
        if done {
            assert!(point > 2 && !old, "{point} tear points");
            break;
        }
    }
    for point in 0.. {
        bench.card(&["fault", &format!("power-cut={point},ins=20")]).ok();
        let before = bench.card(&["log", "--ins", "20", "--json"]).ok().lines().count();
        bench.sh(&format!("timeout -k 5 60 {OPENSC} -l --pin 999999 -O")).fails();
        let log = bench.card(&["log", "--ins", "20", "--json"]).ok();
        let asked: Vec<Value> = log.lines().skip(before).map(|line| serde_json::from_str(line).unwrap()).collect();
        bench.card(&["reset", "--cold"]).ok();
        let left = bench.tries("pin");
        // A silent card may have decremented already; one that answered has.
        let cut = asked.iter().any(|record| record["response"].is_null());
        assert!(left == 2 || (cut && (left == 3 || left == 1)), "tear point {point}: {left} left, {asked:?}");
        bench.card(&["state", "fresh"]).ok();
        bench.card(&["fault", "--clear"]).ok();
        if !cut {
            break;
        }
    }
}

#[test]
fn a_card_that_waits_for_a_touch() {
    let bench = Bench::with(&["yubikey-5.4"]);
    bench.sh("yubico-piv-tool -a generate -s 9a -A ECCP256 --touch-policy=always -o public.pem").ok();
    // Succeeds when the last answer is a signature.
    let digest = "42".repeat(32);
    let sign = &format!(
        "opensc-tool -s 00A4040005A000000308 -s 0020008008313233343536FFFF -s 0087119A267C2482008120{digest}00 | grep -c 'SW1=0x90' | grep -x 3"
    );
    bench.card(&["touch", "never"]).ok();
    bench.sh(sign).fails();
    has(&bench.card(&["touch"]).code(2), &["the card does not wait for a touch"]);
    bench.card(&["touch", "wait"]).ok();
    let touched = format!("{{ {sign}; }} & work=$!; $CARDLAB card wait touch; $CARDLAB card touch; wait $work");
    bench.sh(&touched).ok();
    // Pulled out instead: the program hears it at once.
    let pulled = format!("{{ {sign}; }} & work=$!; $CARDLAB card wait touch; $CARDLAB card remove; wait $work");
    bench.sh(&pulled).fails();
    bench.card(&["insert"]).ok();
    bench.card(&["touch", "after=20ms"]).ok();
    bench.sh(sign).ok();
    has(&bench.card(&["log"]).ok(), &["waits for a touch", "= touched", "= not touched"]);
    has(&bench.card(&["touch", "sometimes"]).code(2), &["'sometimes' is no way of touching; there are auto, never"]);
}

/// Cards that take their time, as those that people carry: each command never less than was asked for. The trace
/// tells when it was answered; a program that sends one after the other takes no such time itself.
#[test]
fn a_slow_card() {
    let bench = Bench::with(&["gids,pace=verify:41+read:1"]);
    has(&bench.card(&["show"]).ok(), &["pace: verify:41+read:1"]);
    bench.sh(&format!("{OPENSC} -l --pin 123456 -O")).ok();
    let before = bench.card(&["log", "--json"]).ok().lines().count();
    bench.sh(&format!("opensc-tool -s 00A404000BA000000397425446590201{}", " -s 00200080".repeat(5))).ok();
    let log = bench.card(&["log", "--json"]).ok();
    let records: Vec<Value> = log.lines().skip(before).map(|line| serde_json::from_str(line).unwrap()).collect();
    let asked = |pair: &&[Value]| pair[1]["command"] == "00200080";
    let times = records.windows(2).filter(asked).map(|pair| pair[1]["at"].as_f64().unwrap() - pair[0]["at"].as_f64().unwrap());
    let times: Vec<f64> = times.collect();
    // One millisecond is for the clock of the records, which may be put right meanwhile.
    assert!(times.len() >= 5 && times.iter().all(|time| *time >= 0.040), "{times:?}");
    bench.card(&["pace", "java-card"]).ok();
    has(&bench.card(&["show", "--json"]).ok(), &["\"pace\": \"java-card\""]);
    bench.card(&["pace", "off"]).ok();
    assert!(!bench.card(&["show"]).ok().contains("pace"));
    has(&bench.card(&["pace", "sign:soon"]).code(2), &["'soon' is not milliseconds, at most a minute; write off,"]);
}

/// A fault that is there from the start, for the second of two cards.
#[test]
fn faults_on_the_command_line() {
    let fault = ["--fault", "1:remove-after,ins=20"];
    let bench = Bench::with_options(&["gids,name=One", "gids,name=Two"], &fault);
    has(&bench.card(&["fault", "--reader", "Two"]).ok(), &["remove-after,ins=20"]);
    bench.sh(&format!("{OPENSC} --slot-index 1 -l --pin 123456 -O")).fails();
    has(&bench.card(&["show"]).ok(), &["One 00 00 (card in)", "Two 01 00 (card out)"]);
}

/// OpenSC finds the keypad and logs in through it, without asking for a PIN itself.
#[test]
fn a_pin_is_typed_at_the_reader() {
    let bench = Bench::with(&["gids,pin-pad=on"]);
    has(&bench.sh("opensc-tool -l").ok(), &["PIN pad"]);
    let log_in = |entry: &str| {
        bench.card(&["type", entry]).ok();
        bench.sh(&format!("timeout 60 {OPENSC} -l -O"))
    };
    log_in("123456").ok();
    has(&log_in("999999").fails(), &["CKR_PIN_INCORRECT"]);
    has(&log_in("cancel").fails(), &["CKR_FUNCTION_CANCELED"]);
    assert_eq!(bench.tries("pin"), 2);
    assert!(!bench.card(&["log"]).ok().contains("31 32 33 34"), "typed PINs are masked");
    has(&bench.card(&["type", "12a"]).code(2), &["at a PIN pad one types digits"]);
    let plain = Bench::with(&["gids"]);
    has(&plain.card(&["type", "1"]).code(2), &["this reader has no PIN pad; start it with pin-pad=on"]);
}

/// A test that runs inside `exec` drives its own card.
#[test]
fn from_inside_exec() {
    let lab = Lab::new("nist-piv,9a=new:p256").and("gids");
    let script = format!(
        "test -n \"$CARDLAB_CONTROL\"; {CARDLAB} card remove --reader 0; {CARDLAB} card wait out --reader 0; \
         curl -sf --unix-socket $CARDLAB_CONTROL http://x/v1/readers/1 | grep -q '\"card_is\":\"in\"'; \
         curl -sf --unix-socket $CARDLAB_CONTROL http://x/openapi.json | grep -q '/v1/readers/{{reader}}/insert'; \
         stat -c %a $CARDLAB_CONTROL"
    );
    has(&lab.sh(&script).ok(), &["600"]);
}

/// Who follows the events hears everything in order; who does not read hears how much it has missed, and costs
/// the others nothing.
#[test]
fn followers() {
    let bench = Bench::with(&["gids"]);
    let follow = format!(
        "$CARDLAB card events > heard & follower=$!; \
         curl -sN --unix-socket {0}.control http://x/v1/events > /dev/null & stuck=$!; kill -STOP $stuck; \
         for n in $(seq 40); do {OPENSC} -l --pin 123456 -O >/dev/null; done; \
         last=$($CARDLAB card log --json | grep -o '\"n\":[0-9]*' | tail -1); \
         until tail -n 3 heard | grep -q \"$last\"; do $CARDLAB card show > /dev/null; done; \
         kill -KILL $stuck $follower",
        bench.up.socket().display()
    );
    bench.sh(&follow).ok();
    let heard = bench.lab.read("heard");
    let lines: Vec<&str> = heard.lines().collect();
    let numbers = lines[..lines.len() - 1].iter().filter_map(|line| {
        let record: Value = serde_json::from_str(line).unwrap();
        record["command"].as_str().and(record["n"].as_u64())
    });
    let numbers: Vec<u64> = numbers.collect();
    assert!(numbers.len() > 500 && numbers.is_sorted() && !heard.contains("missed"), "{} records", numbers.len());
}

/// Who sends too much hears why: also who sends all of it before reading, and who asks first.
#[test]
fn what_is_too_long_is_refused_and_the_refusal_is_heard() {
    use std::io::{Read as _, Write as _};
    let bench = Bench::with(&["gids"]);
    let control = format!("{}.control", bench.up.socket().display());
    let before = bench.shown();
    let megabyte = vec![b' '; 1 << 20];
    for chunked in [false, true] {
        let mut client = std::os::unix::net::UnixStream::connect(&control).unwrap();
        let length = if chunked { "Transfer-Encoding: chunked".into() } else { format!("Content-Length: {}", 100 << 20) };
        write!(client, "POST /v1/readers/0/restore HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{length}\r\n\r\n").unwrap();
        for _ in 0..100 {
            if chunked {
                client.write_all(b"100000\r\n").unwrap();
            }
            client.write_all(&megabyte).unwrap();
            if chunked {
                client.write_all(b"\r\n").unwrap();
            }
        }
        if chunked {
            client.write_all(b"0\r\n\r\n").unwrap();
        }
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        has(&answer, &["HTTP/1.1 413", "that is too long: at most 8 MiB; nothing was done"]);
    }
    // A file of 3 GiB, of which nothing need be sent: curl asks first.
    std::fs::File::create(bench.lab.file("long")).unwrap().set_len(3 << 30).unwrap();
    let asked = "curl --silent --unix-socket $PCSCLITE_CSOCK_NAME.control -H 'Expect: 100-continue' -T long -X POST \
                 -w ' sent %{size_upload}' http://x/v1/readers/0/restore";
    has(&bench.sh(asked).ok(), &["at most 8 MiB", " sent 0"]);
    assert_eq!(bench.shown(), before, "nothing was changed");
}

/// Files that a card's text names are files: at a pipe or a device whoever reads them would wait for ever, and nothing could end it.
#[test]
fn what_is_no_file_holds_nobody_up() {
    let bench = Bench::with(&["nist-piv"]);
    bench.lab.host("mkfifo pipe; openssl ecparam -name prime256v1 -genkey -noout -out key.pem").ok();
    let at = |file: &str| bench.lab.path().join(file).display().to_string();
    let (pipe, key) = (at("pipe"), at("key.pem"));
    let told = |card: &str, says: &str| {
        has(&bench.card(&["new", card]).code(2), &[says]);
        has(&common::cardlab(&["exec", "--card", card, "--", "true"]).code(2), &[says]);
    };
    let pipes = [
        format!("nist-piv,9a={pipe}"),
        format!("nist-piv,9a={key}:{pipe}"),
        format!("nist-piv,9a={key}:file:{pipe}"),
        format!("nist-piv,5fc102={pipe}"),
    ];
    pipes.iter().for_each(|card| told(card, "pipe: it is a named pipe, not a file; name a file"));
    told("nist-piv,9a=/dev/zero", "/dev/zero: more than 1 MiB; no key file is that large");
    has(
        &common::cardlab(&["exec", "--card", &format!("replay:{pipe}"), "--", "true"]).code(2),
        &["pipe: it is a named pipe, not a file; name a file"],
    );
    let certificate = ["unlock", "--online", "https://127.0.0.1:9", "--server-certificate", &pipe];
    let tls = ["serve", "--db", "sqlite::memory:", "--tls-certificate", &pipe, "--tls-key", &key];
    let key = ["serve", "--db", "sqlite::memory:", "--tls-certificate", &key, "--tls-key", &pipe];
    for command in [
        &["card", "restore", &pipe][..],
        &["card", "snapshot", "-o", &pipe],
        &["card", "history", "-o", &pipe],
        &["scenario", "run", &pipe],
        &["conform", "--target", "pcsc", "--credentials", &pipe],
        &["conform", "--expect", &pipe],
        &["conform", "diff", &pipe, &pipe],
        &["conform", "iso", "--target", "sim:gids", "--junit", &pipe],
        &["response", "--key-file", &pipe, "1122334455667788"],
        &["trace", "show", &pipe],
        &["trace", "history", &pipe],
        &["trace", "replay", &pipe],
        &["lockscreen", "--settings", &pipe],
        &["agent", "--settings", &pipe],
        &certificate,
        &tls,
        &key,
        &["exec", "--trace", &pipe, "--", "true"],
    ] {
        let mut asked = Command::new(CARDLAB);
        asked.current_dir(bench.lab.path()).args(command).env_remove("CARDLAB_CONTROL");
        let asked = asked.env("PCSCLITE_CSOCK_NAME", bench.up.socket());
        has(&common::said(asked.output().unwrap()).code(2), &["pipe: it is a named pipe, not a file; name a file"]);
    }
    has(&bench.card(&["show"]).ok(), &["nist-piv"]);
}

/// A full disk costs nobody the file of before, whatever is written over it.
#[test]
fn a_full_disk_leaves_the_file_of_before() {
    let lab = Lab::new("nist-piv");
    let script = "mount -t tmpfs -o size=64k none disk; cd disk
         for file in s.toml h.html r.xml e.toml ca.pem m.jsonl; do echo before >$file; done
         cat /dev/zero >filler 2>/dev/null || true
         $CARDLAB exec -- $CARDLAB card snapshot -o s.toml 2>&1 || true
         $CARDLAB exec --trace ../t.jsonl -- $CARDLAB card history -o h.html 2>&1 || true
         $CARDLAB trace history ../t.jsonl -o h.html 2>&1 || true
         $CARDLAB conform --target sim:gids iso --junit r.xml 2>&1 | grep -v tests || true
         $CARDLAB conform --target sim:gids iso --write-expect e.toml 2>&1 | grep -v tests || true
         $CARDLAB serve --db sqlite::memory: --listen 127.0.0.1:0 --master-file ../m.key --tls-self-made ca.pem 2>&1 || true
         cat s.toml h.html r.xml e.toml ca.pem; ls -A | wc -l; rm filler
         $CARDLAB exec -- $CARDLAB card snapshot -o s.toml; stat -c %a s.toml; ls -A | wc -l";
    let text = lab.host(&format!("mkdir disk; export CARDLAB={CARDLAB}; unshare -rm bash -euc '{script}'")).ok();
    for file in ["s.toml", "h.html", "r.xml", "e.toml", "ca.pem"] {
        has(&text, &[&format!("{file}: the disk is full; make room there\n")]);
    }
    has(&text, &[&"before\n".repeat(5), "\n600\n"]);
}

/// What does not fit into a request is named, with its limit; `-` is stdout, as elsewhere.
#[test]
fn words_that_are_too_long_and_where_a_history_goes() {
    let bench = Bench::with(&["nist-piv"]);
    let long = "x".repeat(100_000);
    for option in ["--program", "--name", "--reader"] {
        let said = bench.card(&["log", option, &long]).code(2);
        has(&said, &[&format!("cardlab: {option}: 100000 characters; at most 1000 are possible")]);
    }
    has(&bench.card(&["history", "--reader", &long]).code(2), &["--reader: 100000 characters"]);
    has(&bench.card(&["history", "-o", "-"]).ok(), &["<!doctype html>"]);
    has(&bench.card(&["snapshot", "-o", "-"]).ok(), &["secrets = \"masked\""]);
    assert!(!bench.lab.path().join("-").exists());
}

/// A key file that is sent along has no text behind whose name its password could stand.
#[test]
fn the_password_of_a_key_file_that_is_sent_has_a_field() {
    let bench = Bench::with(&["nist-piv"]);
    bench
        .lab
        .host("openssl ecparam -name prime256v1 -genkey -noout | openssl pkcs8 -topk8 -passout pass:geheim -out key.pem")
        .ok();
    let send = |more: &str| {
        let line = format!(
            "base64 -w0 key.pem | jq -R '{{card:\"nist-piv\",key_file:.,key_name:\"key.pem\"{more}}}' | curl --silent --unix-socket \
             $PCSCLITE_CSOCK_NAME.control -X PUT --json @- http://cardlab/v1/readers/0/card"
        );
        bench.sh(&line).ok()
    };
    let refused = send("");
    has(&refused, &["key.pem: the private key is encrypted; hand its password over with it (key_password)"]);
    assert!(!refused.contains("FILE"), "{refused}");
    has(&send(",key_password:\"geheim\""), &["\"card_is\":\"in\""]);
}
