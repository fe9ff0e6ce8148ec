//! `cardlab serve` as processes: two over one database, killed between the steps; TLS; the Unlock tool
//! online.

use crate::common::site::{Http, Running, right};
use crate::common::terminal::{self, Terminal};
use crate::common::{CARDLAB, Lab, STATE, Said, Up, has, said};
use crate::postgres;
use serde_json::{Value, json};
use std::process::{Command, Stdio};

const SERIAL: &str = "A0F1E2D3C4B5A69788796A5B4C3D2E1F";
const CHALLENGE: &str = "1122334455667788";
/// What the key of zeros answers.
const ZEROS: &str = "000000000000000000000000000000000000000000000000";

/// Servers over one database; any of them can be killed and comes back.
struct Servers {
    lab: Lab,
    db: String,
    up: [Option<Up>; 2],
}

impl Servers {
    fn over(db: &str) -> Self {
        let mut servers = Self { lab: Lab::new("gids"), db: db.into(), up: [None, None] };
        servers.start(0);
        servers.start(1);
        servers
    }

    fn start(&mut self, n: usize) {
        let mut command = Command::new(CARDLAB);
        command.env(STATE[0], STATE[1]);
        command.current_dir(self.lab.path()).env("CARDLAB_ADMIN_PASSWORD", "admin-password");
        self.up[n] = Some(Up::from(command.args(["serve", "--sample", "--listen", "127.0.0.1:0", "--db", &self.db])));
    }

    fn at(&self, n: usize) -> Http {
        Http::at(self.up[n].as_ref().unwrap().ready.strip_prefix("ready ").unwrap())
    }

    /// Kills one that has just answered, starts another in its place, and gives the other.
    fn kill_and_go_on(&mut self, n: usize) -> Http {
        self.up[n].take().unwrap().stop("-KILL");
        let other = self.at(1 - n);
        self.start(n);
        other
    }
}

fn answers(questions: &Value, answer: impl Fn(&str) -> String) -> Value {
    let questions = questions.as_array().unwrap();
    json!({"answers": questions.iter().map(|q| json!({"question": q["id"], "text": answer(q["text"].as_str().unwrap())})).collect::<Vec<_>>()})
}

#[track_caller]
fn ok((status, body): (u16, Value)) -> Value {
    assert_eq!(status, 200, "{body}");
    body
}

fn killed_between_steps(db: &str) {
    let mut servers = Servers::over(db);
    let first = servers.at(0);
    let admin = first.log_in("admin", "admin-password");
    ok(first.post("/api/v1/cards", &admin, &json!({"serial": SERIAL, "card_type": "gids-sim", "admin_key": ZEROS})));
    let http = servers.kill_and_go_on(0);
    ok(http.post(&format!("/api/v1/cards/{SERIAL}/assign"), &admin, &json!({"user": "lab\\anna"})));
    let http = servers.kill_and_go_on(1);
    ok(http.post(&format!("/api/v1/cards/{SERIAL}/issue"), &admin, &json!({})));
    let http = servers.kill_and_go_on(0);
    http.set_answers("lab\\anna", "anna-password");

    // Online.
    let http = servers.kill_and_go_on(1);
    let session = ok(http.post("/credprovapi/v1/sessions", "", &json!({"serial": SERIAL})));
    let path = format!("/credprovapi/v1/sessions/{}", session["session"].as_str().unwrap());
    let http = servers.kill_and_go_on(0);
    assert_eq!(
        ok(http.post(&format!("{path}/answers"), "", &answers(&session["questions"], |_| "wrong".into()))),
        json!({"ok": false})
    );
    let http = servers.kill_and_go_on(1);
    let user = http.get("/api/v1/users?q=anna", &admin);
    assert_eq!(user[0]["failed"], 1, "a wrong answer is remembered");
    assert_eq!(ok(http.post(&format!("{path}/answers"), "", &answers(&session["questions"], right))), json!({"ok": true}));
    let http = servers.kill_and_go_on(0);
    let online = ok(http.post(&format!("{path}/challenge"), "", &json!({"challenge": CHALLENGE})));
    let http = servers.kill_and_go_on(1);
    ok(http.post(&format!("{path}/result"), "", &json!({"outcome": "unlocked"})));

    // Offline.
    let http = servers.kill_and_go_on(0);
    let oleg = http.log_in("oleg", "oleg-password");
    let http = servers.kill_and_go_on(1);
    let wizard = ok(http.post(&format!("/api/v1/cards/{SERIAL}/wizard"), &oleg, &json!({})));
    let path = format!("/api/v1/unlock/{}", wizard["wizard"].as_str().unwrap());
    let http = servers.kill_and_go_on(0);
    assert_eq!(ok(http.post(&format!("{path}/answers"), &oleg, &answers(&wizard["questions"], right)))["ok"], true);
    let http = servers.kill_and_go_on(1);
    let offline = ok(http.post(&format!("{path}/challenge"), &oleg, &json!({"challenge": CHALLENGE})));
    assert_eq!(offline["response"], online["response"]);

    let http = servers.kill_and_go_on(0);
    let events = http.get(&format!("/api/v1/events?card={SERIAL}"), &admin);
    let story: Vec<&str> = events.as_array().unwrap().iter().map(|e| e["name"].as_str().unwrap()).collect();
    let told = [
        "CARD_ADDED",
        "CARD_STATE_CHANGED",
        "CARD_STATE_CHANGED",
        "UNLOCK_OPENED",
        "ANSWERS_WRONG",
        "ANSWERS_RIGHT",
        "RESPONSE_GIVEN",
        "CARD_UNLOCKED",
        "ANSWERS_RIGHT",
        "RESPONSE_GIVEN",
    ];
    assert_eq!(story, told, "nothing lost, nothing doubled");
    assert_eq!(http.get("/api/v1/events/check", &admin), json!({"first_broken": null}));
}

#[test]
fn killed_between_steps_on_sqlite() {
    let directory = tempfile::tempdir().unwrap();
    killed_between_steps(&format!("sqlite:{}", directory.path().join("cms.db").display()));
}

#[test]
fn killed_between_steps_on_postgresql() {
    killed_between_steps(&postgres::database());
}

/// The Unlock tool in a terminal of its own.
pub(crate) fn unlock(socket: &str, arguments: &[&str]) -> Terminal {
    let command = terminal::Command::new(CARDLAB)
        .env(STATE[0], STATE[1])
        .arg("unlock")
        .args(arguments)
        .env("PCSCLITE_CSOCK_NAME", socket)
        .env("TERM", "xterm")
        .env("NO_COLOR", "1");
    Terminal::run(command)
}

#[test]
fn the_unlock_tool_online_and_with_the_console() {
    let lab = Lab::new("gids");
    let running = Running::start(&lab);
    let server = Http::at(&running.server);
    server.set_answers("lab\\anna", "anna-password");
    running.cardlab(&["card", "lock", "pin", "--reader", "Anna"]).ok();
    let mut session = unlock(&running.socket, &["--reader", "Anna", "--online", &running.server]);
    session.sees("the PIN is blocked");
    // The question is the prompt; the answer is not shown.
    let question = session.question();
    session.enters("wrong");
    session.sees("That is not right. Try again.");
    session.question();
    session.enters(&right(&question));
    session.sees("New PIN (4 to 16 characters): ");
    session.enters("4711");
    session.sees("Confirm new PIN: ");
    session.enters("4711");
    session.sees("Unlocked. The new PIN is set.");
    session.ends();

    // The same by the settings that an administrator rolls out; a mistake in them is named.
    running.cardlab(&["card", "lock", "pin", "--reader", "Anna"]).ok();
    lab.write("client.toml", &format!("service_url = \"{}/credprovapi\"\nverify_server_certificate = true\n", running.server));
    let settings = lab.file("client.toml").to_str().unwrap().to_owned();
    let mut session = unlock(&running.socket, &["--reader", "Anna", "--settings", &settings]);
    let question = session.question();
    session.enters(&right(&question));
    session.sees("New PIN (4 to 16 characters): ");
    session.enters("4712");
    session.sees("Confirm new PIN: ");
    session.enters("4712");
    session.sees("Unlocked. The new PIN is set.");
    session.ends();
    lab.write("client.toml", "service_ulr = \"x\"\n");
    let wrong = running.cardlab(&["unlock", "--reader", "Anna", "--settings", &settings]);
    has(&wrong.code(2), &["client.toml", "line 1", "unknown field `service_ulr`", "service_url"]);

    // A card that the server cannot unlock, and a server that is not there: the operator's way is left.
    running.cardlab(&["card", "lock", "pin", "--reader", "Boris"]).ok();
    server.reset_answers("boris");
    for server in [running.server.as_str(), "http://127.0.0.1:1"] {
        let mut session = unlock(&running.socket, &["--reader", "Boris", "--online", server]);
        session.sees("our operator can help.");
        session.sees("Challenge data");
    }
    // The console's answer, typed into the tool.
    let admin = server.log_in("admin", "admin-password");
    let policies = server.get("/api/v1/policies", &admin);
    let mut settings = policies[0]["settings"].clone();
    settings["workflow"]["validate_answers"] = json!(false);
    let path = format!("{}/api/v1/policies/{}", server.base, policies[0]["id"].as_str().unwrap());
    let put = Command::new("curl")
        .args([
            "-sfX",
            "PUT",
            "-H",
            &format!("Authorization: Bearer {admin}"),
            "-H",
            "Content-Type: application/json",
            "-d",
            &settings.to_string(),
            &path,
        ])
        .status();
    assert!(put.unwrap().success());
    let mut session = unlock(&running.socket, &["--reader", "Boris"]);
    session.sees("Challenge data   ");
    let challenge = session.sees("   check code");
    let users = server.get("/api/v1/users?q=boris", &admin);
    let serial = users[0]["cards"][0]["serialNumber"].as_str().unwrap();
    let wizard = ok(server.post(&format!("/api/v1/cards/{serial}/wizard"), &admin, &json!({})));
    let path = format!("/api/v1/unlock/{}/challenge", wizard["wizard"].as_str().unwrap());
    let response = ok(server.post(&path, &admin, &json!({"challenge": challenge})));
    session.sees("Response data");
    session.enters(response["grouped"].as_str().unwrap());
    session.sees("New PIN (6 to 8 digits): ");
    session.enters("864209");
    session.sees("Confirm new PIN: ");
    session.enters("864209");
    session.sees("Unlocked. The new PIN is set.");
}

/// An operator orders it, the user answers and sets a new PIN at the workstation that has the card. Nobody who answers
/// puts it off.
#[test]
fn an_agent_does_what_operators_order() {
    let lab = Lab::new("gids");
    let running = Running::start(&lab);
    let server = Http::at(&running.server);
    server.set_answers("lab\\anna", "anna-password");
    let once = ["agent", "--online", &running.server, "--reader", "Anna", "--once"];
    running.cardlab(&once).code(1);
    let oleg = server.log_in("oleg", "oleg-password");
    let serial = server.get("/api/v1/users?q=anna", &oleg)[0]["cards"][0]["serialNumber"].as_str().unwrap().to_owned();
    let tasks = format!("/api/v1/cards/{serial}/tasks");
    ok(server.post(&tasks, &oleg, &json!({"comment": "called in"})));
    let command = terminal::Command::new(CARDLAB)
        .env(STATE[0], STATE[1])
        .args(["agent", "--online", &running.server, "--reader", "Anna", "--every", "1"])
        .env("PCSCLITE_CSOCK_NAME", &running.socket)
        .env("TERM", "xterm")
        .env("NO_COLOR", "1");
    let mut session = Terminal::run(command);
    session.sees("Your operator asks you to set a new PIN.");
    let question = session.question();
    session.enters(&right(&question));
    session.sees("New PIN (4 to 16 characters): ");
    session.enters("864209");
    session.sees("Confirm new PIN: ");
    session.enters("864209");
    session.sees("User PIN reset successfully.");
    assert_eq!(server.get(&tasks, &oleg)[0]["state"], "Completed");
    // It goes on asking: the next task is done without another start. Nobody answers, and it waits.
    ok(server.post(&tasks, &oleg, &json!({})));
    session.sees("Your operator asks you to set a new PIN.");
    session.question();
    session.control('d');
    // The answer of the server is there before the next question to it.
    let idle = |task: &Value| task["state"] == "Idle";
    let waiting = std::time::Instant::now();
    while !idle(&server.get(&tasks, &oleg)[0]) {
        assert!(waiting.elapsed().as_secs() < 60, "{}", server.get(&tasks, &oleg));
    }
    has(
        &running.cardlab(&["agent"]).code(2),
        &["--online URL, or service_url in --settings FILE, says which server orders tasks"],
    );
    has(
        &running.cardlab(&["agent", "--online", "http://127.0.0.1:1", "--once", "--reader", "Anna"]).code(1),
        &["The server cannot be reached: no program listens at its address"],
    );
}

/// Also for the second card, whose user orders nothing of the first.
#[test]
fn an_agent_asks_for_each_card() {
    let lab = Lab::new("gids");
    let running = Running::start(&lab);
    let server = Http::at(&running.server);
    server.set_answers("lab\\boris", "boris-password");
    let oleg = server.log_in("oleg", "oleg-password");
    let serial = server.get("/api/v1/users?q=boris", &oleg)[0]["cards"][0]["serialNumber"].as_str().unwrap().to_owned();
    let tasks = format!("/api/v1/cards/{serial}/tasks");
    ok(server.post(&tasks, &oleg, &json!({})));
    let command = terminal::Command::new(CARDLAB)
        .env(STATE[0], STATE[1])
        .args(["agent", "--online", &running.server, "--once"])
        .env("PCSCLITE_CSOCK_NAME", &running.socket)
        .env("TERM", "xterm")
        .env("NO_COLOR", "1");
    let mut session = Terminal::run(command);
    session.sees("There is no task for");
    session.sees("Your operator asks you to set a new PIN.");
    let question = session.question();
    session.enters(&right(&question));
    session.sees("New PIN (6 to 8 digits): ");
    session.enters("864209");
    session.sees("Confirm new PIN: ");
    session.enters("864209");
    session.sees("User PIN reset successfully.");
    session.sees("There is no task for");
    session.ends();
    assert_eq!(server.get(&tasks, &oleg)[0]["state"], "Completed");
    // Who cannot be reached is asked once.
    let text = running.cardlab(&["agent", "--online", "http://127.0.0.1:1", "--once"]).code(1);
    assert_eq!(text.matches("cannot be reached").count(), 1, "{text}");
}

/// Starts a server over a kept database with this master key, and stops it.
fn serve_once(lab: &Lab, master: &str) {
    let mut command = Command::new(CARDLAB);
    command.env(STATE[0], STATE[1]);
    command.current_dir(lab.path()).args(["serve", "--db", "sqlite:kept.db", "--listen", "127.0.0.1:0", "--master-file", master]);
    assert_eq!(Up::from(command.stderr(Stdio::null())).stop("-TERM"), Some(0));
}

fn online(socket: &std::path::Path, arguments: &[&str]) -> Said {
    let mut command = Command::new(CARDLAB);
    command.env(STATE[0], STATE[1]);
    command.args(["unlock", "--force", "--json"]).args(arguments).env("PCSCLITE_CSOCK_NAME", socket).stdin(Stdio::null());
    // A proxy that is not there: nobody asks one for this machine.
    for variable in ["ALL_PROXY", "HTTPS_PROXY", "http_proxy"] {
        command.env(variable, "http://127.0.0.1:1");
    }
    said(command.output().unwrap())
}

/// A database of another program.
fn table_of_others(file: &std::path::Path) {
    sqlx::any::install_default_drivers();
    let url = format!("sqlite:{}?mode=rwc", file.display());
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        let pool = sqlx::AnyPool::connect(&url).await.unwrap();
        sqlx::query("CREATE TABLE users (name TEXT NOT NULL)").execute(&pool).await.unwrap();
        pool.close().await;
    });
}

/// A server that forgets everything when it ends.
fn in_memory(lab: &Lab, options: &[&str]) -> Up {
    let mut command = Command::new(CARDLAB);
    command.current_dir(lab.path()).args(["serve", "--db", "sqlite::memory:", "--listen", "127.0.0.1:0"]).args(options);
    Up::from(command.stderr(Stdio::null()))
}

#[test]
fn tls_and_wrong_use() {
    let lab = Lab::new("gids");
    let cards = Up::start(&lab, &["--card", "gids"]);
    let socket = cards.socket();
    let server = in_memory(&lab, &["--tls-self-made", "server.pem"]);
    let url = server.ready.strip_prefix("ready ").unwrap();
    assert!(url.starts_with("https://"), "{url}");
    let pem = lab.file("server.pem");
    let pem = pem.to_str().unwrap();
    // Nobody's certificate: neither answers nor challenge go there.
    has(&online(&socket, &["--online", url]).code(1), &["server cannot be reached: its certificate", "our operator can help"]);
    let known = "Questions cannot be answered for this card now";
    has(&online(&socket, &["--online", url, "--server-certificate", pem]).code(1), &[known]);
    has(&online(&socket, &["--online", url, "--do-not-verify-server"]).code(1), &[known]);
    // The right certificate under another name: the server answers at every address, its certificate is for some.
    let everywhere = ["serve", "--db", "sqlite::memory:", "--listen", "0.0.0.0:0", "--tls-self-made", "server.pem"];
    let mut command = Command::new(CARDLAB);
    command.env(STATE[0], STATE[1]);
    let wide = Up::from(command.current_dir(lab.path()).args(everywhere).stderr(Stdio::null()));
    let at = |address: &str| wide.ready.strip_prefix("ready ").unwrap().replace("0.0.0.0", address);
    has(&online(&socket, &["--online", &at("127.0.0.1"), "--server-certificate", pem]).code(1), &[known]);
    let elsewhere = at("127.0.0.2");
    let other = online(&socket, &["--online", &elsewhere, "--server-certificate", pem]).code(1);
    has(&other, &["The server cannot be reached: its certificate is for another name. Your operator can help."]);
    assert_eq!(wide.stop("-TERM"), Some(0));
    has(&online(&socket, &["--online", "http://cms.example"]).code(2), &["write https://HOST[:PORT]"]);
    // What somebody puts before the host is refused before anything is sent, in settings as well, and not repeated.
    let userinfo = "http://localhost:secret@127.0.0.2:9";
    std::fs::write(lab.file("client.toml"), format!("service_url = \"{userinfo}\"\n")).unwrap();
    let settings = lab.file("client.toml");
    for way in [["--online", userinfo], ["--settings", settings.to_str().unwrap()]] {
        let refused = online(&socket, &way).code(2);
        has(&refused, &["a server's address has no '@'"]);
        assert!(!refused.contains("secret"), "{refused}");
    }
    assert_eq!(server.stop("-TERM"), Some(0));

    let serve = |arguments: &[&str]| {
        let mut command = Command::new(CARDLAB);
        command.env(STATE[0], STATE[1]);
        said(command.current_dir(lab.path()).arg("serve").args(arguments).output().unwrap()).code(2)
    };
    has(&serve(&["--listen", "0.0.0.0:0"]), &["beyond this machine only with TLS"]);
    has(&serve(&["--db", "mysql://x"]), &["write sqlite:FILE, sqlite::memory: or postgres://..."]);
    has(&serve(&["--db", "postgres://u:secret@127.0.0.1:1/x"]), &["database postgres://...@127.0.0.1:1/x"]);
    has(&serve(&["--db", "sqlite:/no/such/place/cms.db"]), &["/no/such/place/cms.db"]);
    lab.write("text.db", &"no database, not at all. ".repeat(100));
    let refused = serve(&["--db", "sqlite:text.db", "--master-file", "other.key"]);
    let no_database =
        "it is no SQLite database, or one that is damaged or cut off; name another, or bring back a copy of this one\n";
    assert_eq!(refused, format!("cardlab: database sqlite:text.db: {no_database}"), "once, and in words");
    lab.write("empty.pem", "");
    let tls = ["--db", "sqlite:new.db", "--tls-certificate", "empty.pem", "--tls-key", "empty.pem"];
    let said = serve(&tls);
    has(&said, &["TLS with empty.pem and empty.pem"]);
    assert!(!said.contains("ready") && !lab.file("new.db").exists(), "{said}");
    serve_once(&lab, "first.key");
    has(&serve(&["--db", "sqlite:kept.db", "--master-file", "other.key"]), &["this database belongs to another master key"]);
    let kept = std::fs::read(lab.file("kept.db")).unwrap();
    std::fs::write(lab.file("cut.db"), &kept[..kept.len() / 2]).unwrap();
    let refused = serve(&["--db", "sqlite:cut.db", "--master-file", "other.key"]);
    assert_eq!(refused, format!("cardlab: database sqlite:cut.db: {no_database}"));
    has(&serve(&["--db", "sqlite:/no/such/place/cms.db", "--master-file", "other.key"]), &["/no/such/place/cms.db"]);
    table_of_others(&lab.file("others.db"));
    let refused = serve(&["--db", "sqlite:others.db", "--master-file", "other.key"]);
    has(&refused, &["database sqlite:others.db: there are tables in it that are not this server's; name another database"]);
    assert!(!lab.file("other.key").exists(), "a refused start leaves no key");
    // At a named pipe it would wait for ever.
    lab.host("mkfifo pipe").ok();
    has(&serve(&["--db", "sqlite:pipe", "--master-file", "first.key"]), &["database sqlite:pipe: it is no file"]);
    has(&serve(&["--master-file", "pipe"]), &["master key pipe: it is a named pipe, not a file"]);
    has(&serve(&["--db", "sqlite:new.db", "--tls-self-made", "pipe"]), &["--tls-self-made pipe: it is a named pipe, not a file"]);
    has(&serve(&["--log", "loud"]), &["write a level, as in --log warn"]);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let says = format!("--listen {address}: another program listens there; end it, or give another address with --listen");
    has(&serve(&["--listen", &address, "--master-file", "first.key"]), &[&says]);
    lab.write("bad.key", "not hexadecimal");
    has(&serve(&["--master-file", "bad.key"]), &["bad.key: a master key is an even number of hexadecimal digits"]);
    lab.write("nothing.key", " \n");
    has(&serve(&["--master-file", "nothing.key"]), &["master key nothing.key: there is nothing in it; bring back the key"]);
    lab.write("short.key", "0011");
    has(&serve(&["--master-file", "short.key"]), &["master key short.key: a master key has at least 16 bytes, not 2"]);
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(lab.file("cardlab-cms.key")).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
}

/// What a server under `options` logs while somebody fails to log in.
fn logged(options: &[&str]) -> String {
    let lab = Lab::new("gids");
    let mut command = Command::new(CARDLAB);
    command.current_dir(lab.path()).env("CARDLAB_ADMIN_PASSWORD", "admin-password").args(["serve", "--db", "sqlite::memory:"]);
    command.args(["--listen", "127.0.0.1:0"]).args(options).stderr(std::fs::File::create(lab.file("log")).unwrap());
    let up = Up::from(&mut command);
    let server = Http::at(up.ready.strip_prefix("ready ").unwrap());
    let (status, _) = server.post("/api/v1/login", "", &json!({"name": "admin", "password": "a-wrong-password"}));
    assert_eq!(status, 401);
    assert_eq!(up.stop("-TERM"), Some(0));
    lab.read("log")
}

#[test]
fn the_log_is_what_was_asked_for() {
    let text = logged(&[]);
    has(
        &text,
        &[
            " INFO ",
            " up version=",
            " stopped\n",
            "method=\"POST\" route=\"/api/v1/login\"",
            "status=401",
            "error=\"NOT_LOGGED_IN\"",
        ],
    );
    assert_eq!(text.matches("answered").count(), 1, "{text}");
    let json = logged(&["--log-json"]);
    let lines: Vec<Value> = json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let line = lines.iter().find(|line| line["message"] == "answered").unwrap();
    assert_eq!((&line["span"]["route"], &line["status"]), (&json!("/api/v1/login"), &json!(401)), "{line}");
    assert!(line["span"]["id"].as_str().unwrap().len() == 16 && line["timestamp"].is_string(), "{line}");
    assert_eq!(logged(&["--log", "off"]), "");
    assert_eq!(logged(&["--log", "warn"]), "");
    for all in [text, json, logged(&["--log", "trace"])] {
        assert!(!all.contains("a-wrong-password") && !all.contains("admin-password"), "{all}");
    }
}

/// Also where a page is refused, for which its frame is made once more.
#[test]
fn who_asked_is_in_a_line_once() {
    let lab = Lab::new("gids");
    let mut command = Command::new(CARDLAB);
    command.current_dir(lab.path()).env("CARDLAB_ADMIN_PASSWORD", "admin-password").args(["serve", "--db", "sqlite::memory:"]);
    command.args(["--listen", "127.0.0.1:0"]).stderr(std::fs::File::create(lab.file("log")).unwrap());
    let up = Up::from(&mut command);
    let server = Http::at(up.ready.strip_prefix("ready ").unwrap());
    let token = server.log_in("admin", "admin-password");
    assert_eq!(server.ask("/mc/users/none", &format!("mc={token}")).0, 404);
    assert_eq!(up.stop("-TERM"), Some(0));
    let text = lab.read("log");
    let line = text.lines().find(|line| line.contains("route=\"/mc/users/{id}\"")).unwrap_or_else(|| panic!("{text}"));
    assert!(line.contains("status=404") && line.matches("actor=").count() == 1, "{line}");
}

/// A log that nobody reads holds up no request: a pipe takes some hundred lines.
#[test]
fn a_log_that_nobody_reads_holds_nobody_up() {
    let mut command = Command::new(CARDLAB);
    let lab = Lab::new("gids");
    command.current_dir(lab.path()).args(["serve", "--db", "sqlite::memory:", "--listen", "127.0.0.1:0"]).stderr(Stdio::piped());
    let up = Up::from(&mut command);
    let server = Http::at(up.ready.strip_prefix("ready ").unwrap());
    for _ in 0..2_000 {
        assert_eq!(server.get("/api/openapi.json", "")["openapi"].as_str().unwrap().len(), 5);
    }
    assert_eq!(up.stop("-TERM"), Some(0));
}

/// The tables have no room: it is said which disk is full and what to do, and with room the same command goes on.
#[test]
fn a_full_disk_at_the_first_start() {
    let lab = Lab::new("gids");
    let serve = format!("{CARDLAB} serve --sample --listen 127.0.0.1:0 --db sqlite:disk/cms.db");
    for size in ["16k", "64k", "160k"] {
        let script = format!("mkdir -p disk; mount -t tmpfs -o size={size} none disk; exec {serve}");
        let text = lab.host(&format!("unshare -rm bash -euc '{script}'")).fails();
        has(&text, &["the disk of the server's database sqlite:disk/cms.db is full: make room there, then try again"]);
    }
    let text = lab.host(&format!(
        "export CARDLAB_ADMIN_PASSWORD=admin-password
         unshare -rm bash -euc 'mount -t tmpfs -o size=64k none disk; {serve} 2>&1 || true
         mount -o remount,size=8m disk; coproc S {{ exec {serve}; }}
         read -r ready <&${{S[0]}}; echo $ready; kill $S_PID; wait'"
    ));
    has(&text.ok(), &["is full: make room there", "ready http://127.0.0.1:"]);
}

/// No half of a master key stays: with room the same command makes one.
#[test]
fn a_full_disk_at_the_first_master_key() {
    let lab = Lab::new("gids");
    let serve = format!("{CARDLAB} serve --listen 127.0.0.1:0 --db sqlite::memory: --master-file disk/master.key");
    let text = lab.host(&format!(
        "mkdir disk; unshare -rm bash -euc 'mount -t tmpfs -o size=64k none disk; cat /dev/zero >disk/filler 2>/dev/null || true
         {serve} 2>&1 || true; ls disk; rm disk/filler; coproc S {{ exec {serve}; }}
         read -r ready <&${{S[0]}}; echo $ready; kill $S_PID; wait; wc -c disk/master.key'"
    ));
    let text = text.ok();
    has(
        &text,
        &["master key disk/master.key: the disk is full; make room there\nfiller\n", "ready http://", "65 disk/master.key"],
    );
}

/// A full disk: no comparison and no response without its event; with space again the flow goes on.
#[test]
fn a_full_disk() {
    let lab = Lab::new("gids");
    let script = format!(
        "mkdir disk; mount -t tmpfs -o size=4m none disk; exec {CARDLAB} serve --sample --listen 127.0.0.1:0 --db sqlite:disk/cms.db"
    );
    let mut command = Command::new("unshare");
    command.current_dir(lab.path()).args(["-m", "bash", "-euc", &script]).env("CARDLAB_ADMIN_PASSWORD", "admin-password");
    let up = Up::from(&mut command);
    let server = Http::at(up.ready.strip_prefix("ready ").unwrap());
    let admin = server.log_in("admin", "admin-password");
    ok(server.post("/api/v1/cards", &admin, &json!({"serial": SERIAL, "card_type": "gids-sim", "admin_key": ZEROS})));
    ok(server.post(&format!("/api/v1/cards/{SERIAL}/assign"), &admin, &json!({"user": "lab\\anna"})));
    ok(server.post(&format!("/api/v1/cards/{SERIAL}/issue"), &admin, &json!({})));
    server.set_answers("lab\\anna", "anna-password");
    let session = ok(server.post("/credprovapi/v1/sessions", "", &json!({"serial": SERIAL})));
    let path = format!("/credprovapi/v1/sessions/{}", session["session"].as_str().unwrap());
    ok(server.post(&format!("{path}/answers"), "", &answers(&session["questions"], right)));

    // As the server sees the disk.
    let filler = format!("/proc/{}/root{}/disk/filler", up.child.id(), lab.path().display());
    let mut file = std::fs::File::create(&filler).unwrap();
    while std::io::Write::write(&mut file, &[0; 4096]).is_ok_and(|n| n > 0) {}
    let challenge = json!({"challenge": CHALLENGE});
    let mut refused = 0;
    // What fits into the pages that the database has already may still be written.
    for _ in 0..200 {
        match server.post("/credprovapi/v1/sessions", "", &json!({"serial": format!("{refused:04X}")})) {
            (503, body) => {
                assert_eq!(body["error"], "STORE_DOWN", "{body}");
                let says = "the disk of the server's database sqlite:disk/cms.db is full: make room there, then try again";
                has(body["message"].as_str().unwrap(), &[says]);
                refused += 1;
                break;
            }
            (status, _) => assert!(status == 200 || status == 429, "{status}"),
        }
    }
    let (status, body) = server.post(&format!("{path}/challenge"), "", &challenge);
    assert!(refused == 1 && status == 503 && body["response"].is_null(), "{refused} {status} {body}");
    // Who watches the server sends people elsewhere for as long as it is so.
    for _ in 0..3 {
        let (status, body) = server.ask("/readyz", "");
        assert_eq!((status, &body["error"]), (503, &json!("STORE_DOWN")), "{body}");
        has(body["message"].as_str().unwrap(), &["the disk of the server's database sqlite:disk/cms.db is full"]);
        assert_eq!(server.ask("/healthz", "").0, 200);
    }
    std::fs::remove_file(filler).unwrap();
    drop(file);
    assert_eq!(server.ask("/readyz", ""), (200, json!({"status": "ok"})));
    ok(server.post(&format!("{path}/challenge"), "", &challenge));
    let given = server.get(&format!("/api/v1/events?card={SERIAL}&name=RESPONSE_GIVEN"), &admin);
    assert_eq!(given.as_array().unwrap().len(), 1);
    assert_eq!(server.get("/api/v1/events/check", &admin), json!({"first_broken": null}));
}

/// Whatever the umask, the database and what is beside it are for their owner; so is a trace.
#[test]
fn what_has_secrets_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let lab = Lab::new("gids");
    let mode = |name: &str| lab.file(name).metadata().unwrap().permissions().mode() & 0o777;
    // One that was made before, for everybody.
    lab.write("cms.db", "");
    std::fs::set_permissions(lab.file("cms.db"), std::fs::Permissions::from_mode(0o666)).unwrap();
    let mut command = Command::new("sh");
    let serve = format!("umask 0; exec {CARDLAB} serve --sample --quick-hashes --db sqlite:cms.db --listen 127.0.0.1:0");
    let server = Up::from(command.current_dir(lab.path()).args(["-c", &serve]).stderr(Stdio::null()));
    for name in ["cms.db", "cms.db-wal", "cms.db-shm", "cardlab-cms.key"] {
        assert_eq!(mode(name), 0o600, "{name}");
    }
    assert_eq!(server.stop("-TERM"), Some(0));
    lab.write("t.jsonl", "");
    std::fs::set_permissions(lab.file("t.jsonl"), std::fs::Permissions::from_mode(0o666)).unwrap();
    let trace = format!("umask 0; exec {CARDLAB} exec --card gids --trace t.jsonl --trace-secrets -- true");
    assert!(Command::new("sh").current_dir(lab.path()).args(["-c", &trace]).status().unwrap().success());
    assert_eq!(mode("t.jsonl"), 0o600);
}

/// What cannot be reached is named without what may have a password.
#[test]
fn no_database_error_shows_a_password() {
    let lab = Lab::new("gids");
    for db in [
        "postgres://u:hidden@127.0.0.1:1/db",
        "postgres://127.0.0.1:1/db?user=u&password=hidden",
        "postgress://u:hidden@127.0.0.1:1/db",
        "mysql://u:hidden@127.0.0.1/db",
        "postgres://u:hidden",
        "host=127.0.0.1 password=hidden",
    ] {
        let mut command = Command::new(CARDLAB);
        command.current_dir(lab.path()).args(["serve", "--listen", "127.0.0.1:0", "--db", db]);
        let refused = said(command.output().unwrap()).code(2);
        has(&refused, &["database"]);
        assert!(!refused.contains("hidden"), "{db}: {refused}");
    }
}

/// Two hundred who connect and wait, and a process that may have 128 files open: who asks is answered.
#[test]
fn nobody_is_shut_out_by_who_waits() {
    let lab = Lab::new("gids");
    let serve = format!("ulimit -n 128; exec {CARDLAB} serve --sample --quick-hashes --db sqlite::memory: --listen 127.0.0.1:0");
    let mut command = Command::new("sh");
    command.current_dir(lab.path()).env("CARDLAB_ADMIN_PASSWORD", "admin-password").args(["-c", &serve]);
    let server = Up::from(command.stderr(Stdio::null()));
    let url = server.ready.strip_prefix("ready ").unwrap();
    let address = url.strip_prefix("http://").unwrap();
    let waiting: Vec<_> = (0..200).map(|_| std::net::TcpStream::connect(address).unwrap()).collect();
    for _ in 0..5 {
        // Each time over a connection of its own.
        let http = Http::at(url);
        http.log_in("admin", "admin-password");
    }
    drop(waiting);
    assert_eq!(server.stop("-TERM"), Some(0));
}

/// A page elsewhere, and a name that somebody else points here.
#[test]
fn the_server_answers_to_its_own_names() {
    let lab = Lab::new("gids");
    let server = in_memory(&lab, &["--name", "cms.example"]);
    let address = server.ready.strip_prefix("ready http://").unwrap().to_owned();
    let status = |host: &str| {
        use std::io::{Read as _, Write as _};
        let mut stream = std::net::TcpStream::connect(&address).unwrap();
        write!(stream, "GET / HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.split(' ').nth(1).unwrap().to_owned()
    };
    assert_eq!(["localhost", "cms.example", "CMS.example:443", "evil.example"].map(status), ["200", "200", "200", "421"]);
    assert_eq!(server.stop("-TERM"), Some(0));
    let mut command = Command::new(CARDLAB);
    command.current_dir(lab.path()).args(["serve", "--name", "https://cms.example"]);
    has(&said(command.output().unwrap()).code(2), &["--name https://cms.example: a host's name alone"]);
}
