//! The line for curl that stands beside a button does what the button does.

use super::door::Http;
use super::{Bench, SELECT_GIDS};
use crate::common::has;
use cardlab_pcsclite::client::{Connection, Context, Error, ShareMode};
use cardlab_pcsclite::code::ReturnCode;
use serde_json::{Value, json};
use std::process::Command;

/// Somebody who reads lines on the bench and types them.
struct Shell {
    bench: Bench,
    http: Http,
}

/// Text as it stands on a page.
fn plain(html: &str) -> String {
    [("&#39;", "'"), ("&#34;", "\""), ("&#60;", "<"), ("&#62;", ">"), ("&#38;", "&")]
        .iter()
        .fold(html.to_owned(), |text, (mark, letter)| text.replace(mark, letter))
}

/// What stands in an attribute of an element.
fn attribute(element: &str, name: &str) -> Option<String> {
    let value = element.split_once(&format!("{name}=\""))?.1;
    Some(plain(value.split('"').next()?))
}

impl Shell {
    fn at(bench: Bench) -> Self {
        Self { http: Http::open(&bench), bench }
    }

    fn page(&self, path: &str) -> String {
        self.http.get(path).send().unwrap().text().unwrap()
    }

    /// The line for curl of a button on the bench, from the list of its reader.
    fn of_bench(&self, button: &str) -> String {
        let page = self.page("/");
        let listed = page.split("The same in a shell").nth(1).unwrap();
        let entry = listed.split(&format!("<p>{button}</p><pre class=\"cmd\">")).nth(1);
        let lines = entry.unwrap_or_else(|| panic!("no line of '{button}': {listed}")).split("</pre>").next().unwrap();
        plain(lines.lines().nth(1).unwrap())
    }

    /// The line for curl of a button of a room, by its text or label.
    fn of_room(&self, path: &str, button: &str) -> String {
        let page = self.page(path);
        let is = |element: &&str| {
            let (marks, text) = element.split_once('>').unwrap();
            text.starts_with(&format!("{button}<")) || attribute(marks, "aria-label").as_deref() == Some(button)
        };
        // One's own stands last.
        let found = page.split("<button").skip(1).filter(is).last().unwrap_or_else(|| panic!("no button '{button}': {page}"));
        attribute(found, "data-curl").unwrap_or_else(|| panic!("'{button}' has no line: {found}"))
    }

    /// Types a line; what was answered.
    #[track_caller]
    fn types(&self, line: &str) -> String {
        assert!(line.contains("curl --unix-socket \"$CARDLAB_CONTROL\""), "{line}");
        let control = format!("{}.control", self.bench.up.socket().display());
        let mut shell = Command::new("sh");
        shell.current_dir(self.bench.lab.path()).env("CARDLAB_CONTROL", control);
        // What is refused is answered all the same: then it is no success.
        let typed =
            shell.args(["-euc", &line.replace("curl ", "curl --silent --show-error --fail-with-body ")]).output().unwrap();
        let said = String::from_utf8_lossy(&typed.stdout).into_owned();
        assert!(typed.status.success(), "{line}: {said}{}", String::from_utf8_lossy(&typed.stderr));
        said
    }

    #[track_caller]
    fn answers(&self, line: &str) -> Value {
        let said = self.types(line);
        serde_json::from_str(&said).unwrap_or_else(|error| panic!("{line}: {error}: {said}"))
    }

    #[track_caller]
    fn presses(&self, button: &str) {
        self.types(&self.of_bench(button));
    }

    /// The first reader, as a program sees it.
    fn reader(&self) -> Value {
        let shown: Value = serde_json::from_str(&self.bench.card(&["show", "--json", "--reader", "0"]).ok()).unwrap();
        shown[0].clone()
    }

    /// A run, as soon as it rests.
    #[track_caller]
    fn rests(&self, room: &str, number: &Value) -> Value {
        self.answers(&format!("curl --unix-socket \"$CARDLAB_CONTROL\" http://cardlab/v1/{room}/runs/{number}/wait"))
    }
}

#[track_caller]
fn is_told(card: &mut Connection<'_>, wanted: ReturnCode) {
    match card.transmit(SELECT_GIDS) {
        Err(Error::Refused { code, .. }) => assert_eq!(code, wanted),
        other => panic!("{other:?}"),
    }
}

#[test]
fn of_every_button_of_the_bench() {
    let shell = Shell::at(Bench::with(&["gids,name=Anna,pin=123456", "nist-piv,name=Boris"]));
    for (button, pointer, wanted) in [
        ("Wrong PIN", "/card/pin/left", json!(2)),
        ("Fresh", "/card/pin/left", json!(3)),
        ("Lock PIN", "/card/pin/left", json!(0)),
        ("Undo", "/card/pin/left", json!(1)),
        ("Block the PIN", "/card/pin/left", json!(0)),
        ("last-try", "/card/pin/left", json!(1)),
        ("Pull out", "/card_is", json!("out")),
        ("Put in", "/card_is", json!("in")),
        ("Unplug reader", "/card_is", json!("unplugged")),
        ("Plug in", "/card_is", json!("out")),
        ("Put in", "/card_is", json!("in")),
        ("Swap with", "/card/profile", json!("nist-piv")),
        ("Swap with", "/card/profile", json!("gids")),
        ("Never", "/card/touch", json!("never")),
        ("By hand", "/card/touch", json!("wait")),
        ("At once", "/card/touch", json!("auto")),
        ("Arm", "/card/faults", json!(["remove-after,ins=20"])),
        ("Disarm all", "/card/faults", json!([])),
        ("Set", "/card/pace", json!("any:10+sign:475")),
    ] {
        shell.presses(button);
        assert_eq!(shell.reader().pointer(pointer), Some(&wanted), "{button}");
    }
    // Resets, each told to whoever is connected.
    let context = Context::establish_at(&shell.bench.up.socket()).unwrap();
    for button in ["Reset warm", "Reset cold"] {
        let mut card = context.connect("Anna 00 00", ShareMode::Shared).unwrap();
        shell.presses(button);
        is_told(&mut card, ReturnCode::RESET_CARD);
    }
    let mut card = context.connect("Anna 00 00", ShareMode::Shared).unwrap();
    shell.presses("Reset USB");
    assert!(card.transmit(SELECT_GIDS).is_err(), "its reader went away");
    // To a file and back, under a passphrase that stands in no line.
    let sealed = shell.of_bench("Save to a file");
    shell.types(&sealed.replace('…', "sesame"));
    has(&shell.bench.lab.read("Anna.snapshot.toml"), &["gids"]);
    shell.presses("Fresh");
    assert_eq!(shell.reader()["card"]["pin"]["left"], 3);
    let back = shell.http.said("/said/0/restore", &[("text", "long"), ("passphrase", "sesame")]);
    let back = back["curl"].as_str().unwrap();
    assert!(!back.contains("sesame") && !back.contains("long"), "{back}");
    shell.types(&back.replace('…', "sesame").replace("FILE", "Anna.snapshot.toml"));
    assert_eq!(shell.reader()["card"]["pin"]["left"], 1);
    // In the clear it needs none.
    let clear = shell.http.said("/said/0/snapshot", &[("secrets", "clear")]);
    shell.types(clear["curl"].as_str().unwrap());
    shell.presses("Fresh");
    shell.types(&shell.of_bench("Go back to it").replace("FILE", "Anna.snapshot.toml"));
    assert_eq!(shell.reader()["card"]["pin"]["left"], 1);
    shell.presses("New card");
    assert_eq!(shell.reader()["card"]["profile"], "yubikey-5.7");
}

/// Who waits for a touch is touched.
#[test]
fn of_a_touch() {
    let shell = Shell::at(Bench::with(&["yubikey-5.4"]));
    let made = "yubico-piv-tool -a generate -s 9e -A ECCP256 --touch-policy=always -o public.pem";
    shell.bench.up.sh(&shell.bench.lab, made).ok();
    shell.presses("By hand");
    let sign = [&b"\x00\x87\x11\x9E\x26\x7C\x24\x82\x00\x81\x20"[..], &[1; 32]].concat();
    let socket = shell.bench.up.socket();
    let signing = std::thread::spawn(move || {
        let context = Context::establish_at(&socket).unwrap();
        let mut card = context.connect("Yubico YubiKey CCID 00 00", ShareMode::Shared).unwrap();
        card.transmit(b"\x00\xA4\x04\x00\x05\xA0\x00\x00\x03\x08").unwrap();
        card.transmit(&sign).unwrap()
    });
    shell.bench.card(&["wait", "touch"]).ok();
    shell.presses("Touch");
    assert_eq!(signing.join().unwrap().last_chunk(), Some(&[0x90, 0x00]));
}

#[test]
fn of_every_button_of_the_scenarios() {
    let shell = Shell::at(Bench::with(&["gids,name=Anna,pin=123456"]));
    let recording = || shell.answers("curl --unix-socket \"$CARDLAB_CONTROL\" http://cardlab/v1/recording");
    // Recorded, kept and played.
    let begin = shell.http.said("/scenarios/record/said", &[("title", "Anna's card"), ("secrets", "yes")]);
    has(begin["command"].as_str().unwrap(), &[r"cardlab scenario record begin --secrets --title 'Anna'\''s card'"]);
    shell.types(begin["curl"].as_str().unwrap());
    assert_eq!((&recording()["under_way"], &recording()["title"]), (&json!(true), &json!("Anna's card")));
    shell.bench.card(&["lock", "pin"]).ok();
    has(shell.answers(&shell.of_room("/scenarios", "End and keep it"))["text"].as_str().unwrap(), &["63C0"]);
    has(&plain(&shell.page("/scenarios")), &["Recorded here", "Anna's card"]);
    let played = shell.answers(&shell.of_room("/scenarios", "Play Anna's card"));
    let rested = shell.rests("scenarios", &played["number"]);
    assert_eq!((&rested["state"], &rested["why"]), (&json!("holds"), &Value::Null), "{rested}");
    // Thrown away.
    let begin = shell.http.said("/scenarios/record/said", &[("title", ""), ("secrets", "yes")]);
    has(&plain(&shell.page("/scenarios")), &[begin["command"].as_str().unwrap(), begin["curl"].as_str().unwrap()]);
    shell.types(begin["curl"].as_str().unwrap());
    assert_eq!(recording()["under_way"], true);
    shell.types(&shell.of_room("/scenarios", "Throw it away"));
    assert_eq!(recording()["under_way"], false);
    // Of the list, whole; then step by step.
    let whole = shell.answers(&shell.of_room("/scenarios?q=online/last-try", "Play online/last-try"));
    assert_eq!(shell.rests("scenarios", &whole["number"])["state"], "holds");
    let line = shell.of_room("/scenarios?q=online/last-try", "Step by step: online/last-try");
    let stepped = shell.answers(&line)["number"].clone();
    let waits = shell.rests("scenarios", &stepped);
    assert_eq!((&waits["state"], &waits["steps"][0]["holds"]), (&json!("waits"), &Value::Null), "{waits}");
    let run = format!("/scenarios/run/{stepped}");
    has(&plain(&shell.page(&run)), &["cardlab scenario run --step online/last-try\n", &line]);
    shell.types(&shell.of_room(&run, "Next step"));
    let waits = shell.rests("scenarios", &stepped);
    assert_eq!(waits["state"], "waits", "{waits}");
    assert_eq!((&waits["steps"][0]["holds"], &waits["steps"][1]["holds"]), (&json!(true), &Value::Null), "{waits}");
    shell.types(&shell.of_room(&run, "Play the rest"));
    assert_eq!(shell.rests("scenarios", &stepped)["state"], "holds");
    let stepped = shell.answers(&shell.of_room("/scenarios", "Step by step: Anna's card"))["number"].clone();
    assert_eq!(shell.rests("scenarios", &stepped)["state"], "waits");
    shell.types(&shell.of_room(&format!("/scenarios/run/{stepped}"), "End it"));
    assert_eq!(shell.rests("scenarios", &stepped)["state"], "ended");
    // One's own, from a file.
    shell.bench.lab.write("own.toml", "title = \"Own\"\n[[step]]\ndo = \"look\"\nexpect = { pin-left = 3 }\n");
    let own = shell.answers(&shell.of_room("/scenarios", "Play").replace("FILE", "own.toml"));
    let fails = shell.rests("scenarios", &own["number"]);
    assert_eq!(fails["state"], "fails", "{fails}");
    has(fails["why"].as_str().unwrap(), &["expected 3, found 0"]);
}

#[test]
fn of_every_button_of_the_suite() {
    let shell = Shell::at(Bench::with(&["gids,name=Anna,pin=123456", "nist-piv,name=Boris,pace=any:60"]));
    let said = shell.http.said("/conformance/said", &[("reader", "Anna 00 00"), ("tests", "gids"), ("by", "here")]);
    let begun = shell.answers(said["curl"].as_str().unwrap());
    let run = format!("/conformance/run/{}", begun["number"]);
    let over = shell.rests("conformance", &begun["number"]);
    assert_eq!((&over["state"], &over["failures"]), (&json!("over"), &json!([])), "{over}");
    let known = over["counts"]["passed"].as_u64().unwrap();
    // What is over stays as it ended.
    let stop =
        format!("curl --unix-socket \"$CARDLAB_CONTROL\" -X POST http://cardlab/v1/conformance/runs/{}/stop", begun["number"]);
    assert_eq!(shell.answers(&stop), over);
    has(&plain(&shell.page(&run)), &[said["curl"].as_str().unwrap(), "cardlab conform gids --target"]);
    let report = format!("curl --unix-socket \"$CARDLAB_CONTROL\" http://cardlab/v1/conformance/runs/{}/report", begun["number"]);
    assert_eq!(shell.answers(&report)["records"].as_array().unwrap().len() as u64, over["tests"]);
    // With what is typed, which stands in no line; and with nothing, when what needs a PIN is not run.
    let typed = [("reader", "Anna 00 00"), ("tests", "gids"), ("by", "typed")];
    let nothing = shell.http.said("/conformance/said", &typed);
    let begun = shell.answers(nothing["curl"].as_str().unwrap());
    let without = shell.rests("conformance", &begun["number"])["counts"]["passed"].as_u64().unwrap();
    assert!(without < known, "{without} of {known}");
    let key = "000000000000000000000000000000000000000000000000";
    let typed = [&typed[..], &[("pin", "…"), ("admin-key", "…"), ("admin-algorithm", "3des")]].concat();
    let line = shell.http.said("/conformance/said", &typed)["curl"].as_str().unwrap().to_owned();
    let line = line.replace("CARD_PIN=…", "CARD_PIN=123456").replace("CARD_ADMIN_KEY=…", &format!("CARD_ADMIN_KEY={key}"));
    let begun = shell.answers(&line);
    assert_eq!(shell.rests("conformance", &begun["number"])["counts"]["passed"], known);
    // By the number of its reader, as a program may: what is shown names the reader whole.
    let by_number =
        r#"curl --unix-socket "$CARDLAB_CONTROL" --json '{"reader":"0","tests":"gids"}' http://cardlab/v1/conformance/runs"#;
    let begun = shell.answers(by_number);
    let page = plain(&shell.page(&format!("/conformance/run/{}", begun["number"])));
    has(&page, &["--target 'pcsc:Anna 00 00'", r#""reader":"Anna 00 00""#]);
    let listed = shell.page("/conformance");
    assert!(listed.contains("gids for Anna 00 00") && !listed.contains("gids for 0"), "{listed}");
    assert_eq!(shell.rests("conformance", &begun["number"])["counts"]["passed"], known);
    // Stopped. Its card is slow: it runs for longer than a shell takes.
    let said = shell.http.said("/conformance/said", &[("reader", "Boris 01 00")]);
    let begun = shell.answers(said["curl"].as_str().unwrap());
    shell.types(&shell.of_room(&format!("/conformance/run/{}", begun["number"]), "Stop"));
    let stopped = shell.rests("conformance", &begun["number"]);
    assert_eq!(stopped["state"], "stopped", "{stopped}");
}

/// What is not understood is refused in words, and nothing is begun.
#[test]
fn what_a_run_cannot_be_made_of() {
    let shell = Shell::at(Bench::with(&["gids,name=Anna,pin=123456"]));
    for (path, body, says) in [
        ("scenarios/runs", r#"{"name":"no/such"}"#, "There is no scenario 'no/such' in the list."),
        ("scenarios/runs", r#"{"recorded":7}"#, "Recording 7 is not kept any more."),
        ("scenarios/runs", r#"{"recorded":7,"name":"online/happy"}"#, "Say one of name, recorded and text."),
        ("scenarios/runs", r#"{"text":"title = 3"}"#, "It is no scenario: line 1"),
        ("scenarios/runs", r#"{"nme":"online/happy"}"#, "unknown field `nme`"),
        ("scenarios/runs/9/next", "{}", "That run is not kept any more"),
        ("conformance/runs", r#"{"reader":"","known":false}"#, "No reader is chosen"),
        ("conformance/runs", r#"{"reader":"x","test":"gids"}"#, "unknown field `test`"),
        ("conformance/runs", r#"{"reader":"x","known":false}"#, "there is no reader x; there are: Anna 00 00"),
        ("conformance/runs", r#"{"reader":"x"}"#, "there is no reader x; there are: Anna 00 00"),
        (
            "conformance/runs",
            r#"{"reader":"x","allow":"anything"}"#,
            "What may be done is one of safe, spends-tries, changes-keys, locks, resets, not 'anything'",
        ),
        ("conformance/runs", r#"{"reader":"x","known":false,"admin_key":"0x"}"#, "an even number of hexadecimal digits"),
        ("conformance/runs", r#"{"reader":"x","known":true,"pin":"123456"}"#, "leave out known, or pin, puk and admin_key."),
        ("conformance/runs", r#"{"reader":"x","pin":""}"#, "pin is empty: leave it out, or give it."),
        ("conformance/runs", r#"{"reader":"x","puk":" \t"}"#, "puk is empty: leave it out, or give it."),
        ("conformance/runs", r#"{"reader":"x","pin":4711471}"#, "a secret is a text, in quotation marks"),
        ("conformance/runs/9/stop", "{}", "That run is not kept any more"),
        ("conformance/runs/abc/stop", "{}", "there is nothing at this address"),
        ("scenarios/runs/-1/next", "{}", "there is nothing at this address"),
    ] {
        let line = format!(
            "curl --silent --unix-socket $PCSCLITE_CSOCK_NAME.control --json '{}' http://cardlab/v1/{path}",
            body.replace('\'', r"'\''")
        );
        let problem: Value = serde_json::from_str(&shell.bench.up.sh(&shell.bench.lab, &line).ok()).unwrap();
        assert!(problem["status"].as_u64().unwrap() >= 400, "{problem}");
        has(problem["message"].as_str().unwrap(), &[says]);
        assert!(!problem.to_string().contains("4711"), "{problem}");
    }
    for room in ["scenarios", "conformance"] {
        assert_eq!(shell.answers(&format!("curl --unix-socket \"$CARDLAB_CONTROL\" http://cardlab/v1/{room}/runs")), json!([]));
    }
}
