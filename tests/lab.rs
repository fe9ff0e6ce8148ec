//! `cardlab lab`: everything together, gone without a trace, or kept.

use crate::common::site::{Http, Running};
use crate::common::terminal::{Command, Terminal};
use crate::common::{CARDLAB, Lab, STATE, cardlab, has};

#[test]
fn three_cards_that_programs_see() {
    let lab = Lab::new("gids");
    let running = Running::start(&lab);
    let list = running.cardlab(&["card", "list"]).ok();
    has(&list, &["Anna 00 00", "Boris 01 00", "Clara 02 00"]);
    for (reader, kind) in [("Anna", "GIDS card"), ("Boris", "PIV card, managed"), ("Clara", "YubiKey 5.7.1")] {
        has(&running.cardlab(&["card", "status", "--reader", reader]).ok(), &[kind]);
    }
    let server = Http::at(&running.server);
    let admin = server.log_in("admin", "admin-password");
    let cards = server.get("/api/v1/cards", &admin);
    let states: Vec<_> = cards.as_array().unwrap().iter().map(|c| (c["state"].clone(), c["admin_key_known"].clone())).collect();
    assert_eq!(states.len(), 3, "{cards}");
    assert!(states.iter().all(|(state, _)| state == "Issued"));
    let (socket, directory) = (running.socket.clone(), std::path::Path::new(&running.socket).parent().unwrap().to_owned());
    assert!(directory.exists());
    assert_eq!(running.interrupt(), Some(0));
    assert!(!directory.exists(), "{socket} and its directory go with it");
    assert_eq!(std::fs::read_dir(lab.path()).unwrap().count(), 0, "nothing else is written");
    let busy = Running::start(&lab);
    let address = busy.server.strip_prefix("http://").unwrap();
    let state = lab.file("state");
    let kept = |arguments: &[&str]| cardlab(&[&["lab", "--state", state.to_str().unwrap()], arguments].concat()).code(2);
    has(&kept(&["--server", address]), &["another program listens there", "give another address with --server"]);
    let screen = busy.lockscreen.strip_prefix("http://").unwrap();
    has(&kept(&["--server", "127.0.0.1:0", "--lockscreen", screen]), &["give another address with --lockscreen"]);
    assert!(!state.exists(), "nothing is made before the addresses are taken");
    has(&cardlab(&["lab", "--server", "0.0.0.0:0"]).code(2), &["the lab is for this machine"]);
}

/// A newcomer copies each line into a shell that is somewhere else and has nothing on its path.
#[test]
fn what_it_says_to_try_runs_as_it_stands() {
    let lab = Lab::new("gids");
    let running = Running::start(&lab);
    let elsewhere = tempfile::tempdir().unwrap();
    let commands: Vec<&str> = running.said.lines().filter_map(|line| line.strip_prefix("    ")).collect();
    let typed = |line: &str| {
        let shell = Command::new("/bin/sh").args(["-c", line]).env_clear().env("TERM", "dumb").current_dir(elsewhere.path());
        Terminal::run(shell)
    };
    let [lock, unlock] = commands[..] else { panic!("{}", running.said) };
    has(&running.said, &["1 of these is asked, drawn at random; 3 wrong answers lock the user"]);
    let mut session = typed(lock);
    session.sees("PIN blocked");
    session.ends();
    let mut session = typed(unlock);
    session.sees("GIDS card of Anna Berg");
    let question = format!("{}?", session.question());
    let answer = running.said.lines().find_map(|line| line.trim().strip_prefix(&question)).unwrap().trim();
    session.enters(answer);
    for field in ["New PIN", "Confirm"] {
        session.sees(field);
        session.enters("135790");
    }
    session.sees("Unlocked.");
    session.ends();
}

#[test]
fn who_has_which_card() {
    let lab = Lab::new("gids");
    let running = Running::start(&lab);
    for name in ["Anna Berg", "Boris Lund", "Clara Moss"] {
        let first = name.split(' ').next().unwrap();
        let status = running.cardlab(&["card", "status", "--json", "--reader", first]).ok();
        let status: serde_json::Value = serde_json::from_str(&status).unwrap();
        assert_eq!(status["owner"], name);
        let known = status["card_id"].as_str().or(status["guid"].as_str()).map(str::to_uppercase);
        let serial = known.unwrap_or_else(|| format!("{:08X}", status["serial"].as_u64().unwrap()));
        let line = running.said.lines().find(|line| line.contains(name) && line.contains("PIN 123456")).unwrap();
        has(line, &[&format!("···{}", &serial[serial.len() - 4..]), status["reader"].as_str().unwrap()]);
        let puk = line.contains("PUK 12345678");
        assert_eq!(puk, name != "Anna Berg", "{line}");
        // PIN and PUK are what they are said to be.
        running.cardlab(&["card", "lock", "pin", "--reader", first]).ok();
        if puk {
            let text = format!(
                "echo '12345678\n123456' | PCSCLITE_CSOCK_NAME={} {CARDLAB} unlock --puk --reader {first}",
                running.socket
            );
            let unlocked = std::process::Command::new("sh").args(["-c", &text]).output().unwrap();
            has(&String::from_utf8_lossy(&unlocked.stdout), &[&format!("of {name}, "), "Unlocked."]);
        }
    }
}

#[test]
fn the_same_again_and_again_without_limits() {
    let lab = Lab::new("gids");
    let open = serde_json::json!({"serial": "00112233445566778899AABBCCDDEEFF", "atr": "", "workstation": "PC", "remote_desktop": false});
    for (options, last) in [(&[][..], 429), (&["--without-limits"], 200)] {
        let running = Running::with(&lab, options);
        let server = Http::at(&running.server);
        let statuses: Vec<u16> = (0..12).map(|_| server.post("/credprovapi/v1/sessions", "", &open).0).collect();
        assert_eq!((statuses[0], statuses[11]), (200, last), "{statuses:?}");
    }
}

#[test]
fn the_lock_screen_refuses_what_is_not_its_own() {
    let lab = Lab::new("gids");
    let running = Running::start(&lab);
    let client = reqwest::blocking::Client::builder().tls_certs_only([]).no_proxy().build().unwrap();
    let refused = |request: reqwest::blocking::RequestBuilder, status: u16, name: &str| {
        let page = request.try_clone().unwrap().header("accept", "text/html").send().unwrap();
        assert_eq!(
            (page.status().as_u16(), &page.headers()["x-frame-options"], &page.headers()["cache-control"]),
            (status, &"DENY".parse().unwrap(), &"no-store".parse().unwrap())
        );
        let page = page.text().unwrap();
        let problem = request.send().unwrap();
        assert_eq!(problem.headers()["content-type"], "application/problem+json");
        let problem: serde_json::Value = problem.json().unwrap();
        assert_eq!((problem["status"].as_u64(), problem["error"].as_str()), (Some(status.into()), Some(name)), "{problem}");
        has(&page, &["That cannot be done", "Back to the lock screen</a>"]);
    };
    let url = |path: &str| format!("{}{path}", running.lockscreen);
    for host in ["cms.example", "localhost:80x", "localhost:", "127.0.0.1:evil.example", "[::1]x"] {
        refused(client.get(url("/")).header("host", host), 403, "ELSEWHERE");
    }
    refused(client.get(url("/nowhere")), 404, "NOT_FOUND");
    refused(client.post(url("/do/pin")).form(&[("pin", "123456")]), 403, "NOT_OUR_FORM");
    refused(client.post(url("/do/pin")).body("pin=123456"), 400, "MALFORMED");
    refused(client.post(url("/do/pin")).form(&[("pin", "1".repeat(64 * 1024))]), 413, "TOO_LONG");
}

/// While cards are looked at and registered: nothing stays of the readers.
#[test]
fn a_signal_ends_it_before_it_is_up() {
    let lab = Lab::new("gids");
    let runtime = lab.file("run");
    std::fs::create_dir(&runtime).unwrap();
    let mut command = std::process::Command::new(CARDLAB);
    command.args(["lab", "--server", "127.0.0.1:0", "--lockscreen", "127.0.0.1:0"]).env("XDG_RUNTIME_DIR", &runtime);
    let mut running = command.env(STATE[0], STATE[1]).stdout(std::process::Stdio::null()).spawn().unwrap();
    let listens = || runtime.read_dir().unwrap().flatten().any(|private| private.path().join("pcscd.comm").exists());
    while !listens() {
        assert!(running.try_wait().unwrap().is_none(), "it has ended");
    }
    lab.host(&format!("kill -TERM {}", running.id())).ok();
    assert_eq!(running.wait().unwrap().code(), Some(0));
    assert_eq!(runtime.read_dir().unwrap().count(), 0, "nothing is left behind");
}

#[test]
fn kept_with_state() {
    let lab = Lab::new("gids");
    let first = Running::with(&lab, &["--state", "kept"]);
    Http::at(&first.server).set_answers("lab\\anna", "anna-password");
    first.cardlab(&["card", "lock", "pin", "--tries", "2", "--reader", "Anna"]).ok();
    let status = first.cardlab(&["card", "status", "--reader", "Anna"]).ok();
    assert_eq!(first.interrupt(), Some(0));
    let second = Running::with(&lab, &["--state", "kept"]);
    assert_eq!(second.cardlab(&["card", "status", "--reader", "Anna"]).ok(), status);
    let server = Http::at(&second.server);
    let admin = server.log_in("admin", "admin-password");
    assert_eq!(server.get("/api/v1/users?q=anna", &admin)[0]["answers_set"], 3);
    assert_eq!(server.get("/api/v1/cards", &admin).as_array().unwrap().len(), 3, "the same cards");
}
