//! Server processes over one database that are killed while people work at them: nothing that somebody was told is lost, nothing
//! is given without its event. With two processes and with four, on both engines.

use crate::common::site::{Http, right};
use crate::common::{CARDLAB, Lab, STATE, Up};
use crate::postgres;
use serde_json::{Value, json};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, MutexGuard};

/// People who unlock, each a card of one's own.
const WORKERS: usize = 6;
/// Processes that are killed, one after the other, after so many steps that people have made.
const KILLS: usize = 12;
const STEPS_BETWEEN: usize = 40;
const PASSWORD: &str = "worker-password";

/// Processes over one database.
struct Servers {
    lab: Lab,
    db: String,
    up: Mutex<Vec<Up>>,
}

impl Servers {
    fn over(db: &str, processes: usize) -> Self {
        let servers = Self { lab: Lab::new("gids"), db: db.into(), up: Mutex::default() };
        for _ in 0..processes {
            let up = servers.started();
            servers.all().push(up);
        }
        servers
    }

    fn started(&self) -> Up {
        let mut command = Command::new(CARDLAB);
        command.env(STATE[0], STATE[1]).current_dir(self.lab.path()).env("CARDLAB_ADMIN_PASSWORD", "admin-password");
        command.args(["serve", "--sample", "--without-limits", "--quick-hashes", "--listen", "127.0.0.1:0", "--db", &self.db]);
        Up::from(command.stderr(Stdio::null()))
    }

    fn all(&self) -> MutexGuard<'_, Vec<Up>> {
        self.up.lock().unwrap()
    }

    fn at(&self, n: usize) -> Http {
        let up = self.all();
        Http::at(up[n % up.len()].ready.strip_prefix("ready ").unwrap())
    }

    /// Kills one as it stands, and starts another in its place.
    fn kill(&self, n: usize) {
        let next = self.started();
        let mut up = self.all();
        let place = n % up.len();
        std::mem::replace(&mut up[place], next).stop("-KILL");
    }
}

/// What a person was told.
#[derive(Default)]
struct Told {
    /// Wrong answers since right ones may have come in.
    wrong: i64,
    /// Of all time.
    wrong_ever: usize,
    responses: usize,
    reported: usize,
}

fn serial(worker: usize) -> String {
    format!("{:032X}", 0xA0 + worker)
}

fn logon(worker: usize) -> String {
    format!("LAB\\worker{worker}")
}

/// People with cards, answers, and ten tries.
fn people(http: &Http, admin: &str) -> Vec<String> {
    let policies = http.get("/api/v1/policies", admin);
    let mut settings = policies[0]["settings"].clone();
    settings["authentication"]["maximum_retry_count"] = json!(10);
    let policy = policies[0]["id"].as_str().unwrap();
    http.put(&format!("/api/v1/policies/{policy}"), admin, &settings);
    let ok = |(status, body): (u16, Value)| {
        assert_eq!(status, 200, "{body}");
        body
    };
    let add = |worker: usize| {
        let logon = logon(worker);
        let user = json!({"logon": logon, "upn": format!("w{worker}@lab.example"), "cn": "Worker", "password": PASSWORD, "policy": policy});
        let user = ok(http.post("/api/v1/users", admin, &user));
        let card = format!("/api/v1/cards/{}", serial(worker));
        ok(http.post("/api/v1/cards", admin, &json!({"serial": serial(worker), "card_type": "gids-sim"})));
        ok(http.post(&format!("{card}/assign"), admin, &json!({"user": logon})));
        ok(http.post(&format!("{card}/issue"), admin, &json!({})));
        http.set_answers(&logon, PASSWORD);
        user["id"].as_str().unwrap().to_owned()
    };
    (0..WORKERS).map(add).collect()
}

/// Unlocks again and again, at whichever server is next, until it is over; what a server that was killed leaves open is begun anew.
fn work(servers: &Servers, worker: usize, admin: &str, user: &str, steps: &Sender<()>, over: &AtomicBool) -> Told {
    let (mut told, mut turn) = (Told::default(), worker);
    while !over.load(Ordering::Relaxed) {
        turn += 1;
        let _ = unlocked(servers, worker, admin, user, turn, &mut told, steps);
    }
    told
}

/// One unlock; every third time a wrong answer instead. None when a server has not answered, or has answered that it cannot.
fn unlocked(
    servers: &Servers,
    worker: usize,
    admin: &str,
    user: &str,
    turn: usize,
    told: &mut Told,
    steps: &Sender<()>,
) -> Option<()> {
    let mut place = turn;
    let mut ask = |path: &str, token: &str, body: &Value| {
        place += 1;
        let answer = servers.at(place).may(path, token, body).filter(|(status, _)| *status != 503);
        steps.send(()).unwrap();
        answer
    };
    let (status, session) = ask("/credprovapi/v1/sessions", "", &json!({"serial": serial(worker)}))?;
    assert_eq!(status, 200, "{session}");
    if session["mode"] != "online" {
        // Ten tries whose servers were killed while they compared.
        told.wrong = 0;
        ask(&format!("/api/v1/users/{user}/unlock"), admin, &json!({}))?;
        return None;
    }
    let at = |what: &str| format!("/credprovapi/v1/sessions/{}/{what}", session["session"].as_str().unwrap());
    let given = |answer: &dyn Fn(&str) -> String| {
        let answers = session["questions"].as_array().unwrap().iter();
        json!({"answers": answers.map(|q| json!({"question": q["id"], "text": answer(q["text"].as_str().unwrap())})).collect::<Vec<_>>()})
    };
    if turn.is_multiple_of(3) {
        let (_, judged) = ask(&at("answers"), "", &given(&|_| "wrong".into()))?;
        if judged["ok"] == false {
            told.wrong += 1;
            told.wrong_ever += 1;
        }
        return Some(());
    }
    // Whether or not the answer comes back, these may have been compared.
    told.wrong = 0;
    let (_, judged) = ask(&at("answers"), "", &given(&right))?;
    if judged["ok"] != true {
        return None;
    }
    let challenge = json!({"challenge": format!("{:04X}{worker:04X}{turn:08X}", 0x1122)});
    let (status, given) = ask(&at("challenge"), "", &challenge)?;
    assert_eq!(status, 200, "{given}");
    assert_eq!(given["response"].as_str().unwrap().len(), 16);
    told.responses += 1;
    let (status, _) = ask(&at("result"), "", &json!({"outcome": "unlocked"}))?;
    told.reported += usize::from(status == 200);
    Some(())
}

fn killed_under_load(db: &str, processes: usize) {
    let servers = Servers::over(db, processes);
    let admin = servers.at(0).log_in("admin", "admin-password");
    let users = people(&servers.at(0), &admin);
    let (over, (sender, steps)): (_, (Sender<()>, Receiver<()>)) = (AtomicBool::new(false), channel());
    let told: Vec<Told> = std::thread::scope(|scope| {
        let (servers, admin, over) = (&servers, &admin, &over);
        let mut workers = Vec::new();
        for (worker, user) in users.iter().enumerate() {
            let sender = sender.clone();
            workers.push(scope.spawn(move || work(servers, worker, admin, user, &sender, over)));
        }
        for kill in 0..KILLS {
            assert_eq!(steps.iter().take(STEPS_BETWEEN).count(), STEPS_BETWEEN);
            servers.kill(kill);
        }
        steps.iter().take(STEPS_BETWEEN).for_each(drop);
        over.store(true, Ordering::Relaxed);
        workers.into_iter().map(|worker| worker.join().unwrap()).collect()
    });
    let http = servers.at(0);
    assert_eq!(http.get("/api/v1/events/check", &admin), json!({"first_broken": null}), "{processes}");
    let count = |worker: usize, name: &str| {
        let events = http.get(&format!("/api/v1/events?card={}&name={name}", serial(worker)), &admin);
        events.as_array().unwrap().len()
    };
    let mut unlocks = 0;
    for (worker, told) in told.iter().enumerate() {
        let given = count(worker, "RESPONSE_GIVEN");
        assert!(told.responses <= given, "{processes}: {} responses, {given} events", told.responses);
        assert!(told.reported <= count(worker, "CARD_UNLOCKED") && count(worker, "CARD_UNLOCKED") <= given, "{processes}");
        assert!(given <= count(worker, "ANSWERS_RIGHT"), "{processes}: no response without right answers");
        assert!(told.wrong_ever <= count(worker, "ANSWERS_WRONG"), "{processes}");
        let failed = http.get(&format!("/api/v1/users/{}", users[worker]), &admin)["failed"].as_i64().unwrap();
        assert!(told.wrong <= failed, "{processes}: {failed} of {} wrong answers are counted", told.wrong);
        unlocks += told.reported;
    }
    assert!(unlocks > WORKERS, "{processes}: {unlocks} unlocks");
    assert!(told.iter().any(|told| told.wrong_ever > 0), "{processes}: nobody was told of wrong answers");
}

fn sqlite(processes: usize) {
    let directory = tempfile::tempdir().unwrap();
    killed_under_load(&format!("sqlite:{}", directory.path().join("cms.db").display()), processes);
}

#[test]
fn two_killed_under_load_on_sqlite() {
    sqlite(2);
}

#[test]
fn four_killed_under_load_on_sqlite() {
    sqlite(4);
}

#[test]
fn two_killed_under_load_on_postgresql() {
    killed_under_load(&postgres::database(), 2);
}

#[test]
fn four_killed_under_load_on_postgresql() {
    killed_under_load(&postgres::database(), 4);
}

/// Who sends nothing, half a head, or a head and half a body has an end or an answer in time, and holds up nobody.
#[test]
fn who_sends_slowly_is_not_waited_for() {
    use std::io::{Read as _, Write as _};
    let servers = Servers::over("sqlite::memory:", 1);
    let address = servers.at(0).base.strip_prefix("http://").unwrap().to_owned();
    let head = "POST /api/v1/login HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";
    let said = |begun: String| {
        let mut stream = std::net::TcpStream::connect(&address).unwrap();
        // Longer than any of the server's times: what comes then is no answer.
        stream.set_read_timeout(Some(std::time::Duration::from_secs(120))).unwrap();
        stream.write_all(begun.as_bytes()).unwrap();
        let mut all = String::new();
        // A connection that is cut is one that has ended.
        match stream.read_to_string(&mut all) {
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => panic!("still open: {begun}"),
            _ => all,
        }
    };
    std::thread::scope(|scope| {
        let begun = [String::new(), head.into(), format!("{head}content-length: 100\r\n\r\n{{\"name\":")];
        let slow = begun.map(|begun| scope.spawn(move || said(begun)));
        servers.at(0).log_in("admin", "admin-password");
        let [nothing, half, body] = slow.map(|slow| slow.join().unwrap());
        assert_eq!(nothing, "");
        assert!(half.is_empty() || half.starts_with("HTTP/1.1 408"), "{half}");
        assert!(body.starts_with("HTTP/1.1 408") && body.contains("\"error\":\"TOO_SLOW\""), "{body}");
    });
}
