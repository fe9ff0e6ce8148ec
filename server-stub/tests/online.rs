//! Online unlock over HTTP, on both engines.

use crate::common::{self, ANNA, BORIS, CHALLENGE, Engine, SPARE, Site, expected, nth, right, wrong};
use cardlab_server_stub::model::clock::Clock;
use cardlab_server_stub::model::vault::Vault;
use cardlab_server_stub::service::Server;
use cardlab_server_stub::store::Store;
use serde_json::json;

on_both_engines! {
    from_questions_to_unlocked,
    every_reason_is_offline,
    wrong_answers_lock_the_user,
    a_last_try_whose_server_died,
    a_thousand_unlocks_at_once,
    guesses_in_parallel,
    judged_at_the_moment_of_use,
    too_many_sessions,
    another_server_carries_on,
    one_response_a_session,
    the_same_challenge_again,
    a_session_that_ends_while_it_is_compared,
}

fn from_questions_to_unlocked(engine: Engine) {
    let site = Site::start(engine);
    site.set_answers("anna");
    let session = site.open(ANNA);
    assert_eq!(session["mode"], "online");
    assert_eq!(session["questions"].as_array().unwrap().len(), 1);
    site.challenge(&session).refused(400, "MALFORMED");
    assert_eq!(site.answers(&session, |q| format!("  {} ", right(q).to_uppercase())).ok(), json!({"ok": true}));
    let response = site.challenge(&session).ok();
    assert_eq!(response["response"].as_str().unwrap(), expected(ANNA));
    let message = site.challenge_of(&session, &nth(1)).refused(410, "SESSION_OVER");
    assert_eq!(message, "this session has answered another challenge; start again");
    site.report(&session, &json!({"outcome": "unlocked"})).ok();
    site.report(&session, &json!({"outcome": "unlocked"})).refused(410, "SESSION_OVER");
    site.challenge(&session).refused(410, "SESSION_OVER");
    let story = ["CARD_STATE_CHANGED", "UNLOCK_OPENED", "ANSWERS_RIGHT", "RESPONSE_GIVEN", "RESPONSE_REFUSED", "CARD_UNLOCKED"];
    assert_eq!(site.events(&format!("card={ANNA}"))[1..], story, "{engine:?}");
    assert_eq!(site.get("/api/v1/events/check", &site.operator()).ok(), json!({"first_broken": null}));
    // The right answers' secrets are nowhere.
    let log = site.get("/api/v1/events", &site.operator()).text;
    assert!(!log.contains(&expected(ANNA)) && !log.contains(CHALLENGE) && log.contains("1122"), "{log}");
}

/// Whatever the reason, a workstation hears the same.
fn every_reason_is_offline(engine: Engine) {
    let site = Site::start(engine);
    let (token, anna) = (site.administrator(), site.user("anna"));
    let offline = json!({"mode": "offline"});
    let reason = |serial: &str| {
        assert_eq!(site.open(serial), offline);
        let events = site.get(&format!("/api/v1/events?card={serial}&name=UNLOCK_OPENED"), &token).ok();
        let detail = events.as_array().unwrap().last().unwrap()["detail"].as_str().unwrap().to_owned();
        serde_json::from_str::<serde_json::Value>(&detail).unwrap()["reason"].as_str().unwrap().to_owned()
    };
    assert_eq!(reason(ANNA), "ANSWERS_NOT_SET");
    site.set_answers("anna");
    assert_eq!(reason(SPARE), "NOT_FOUND");
    site.post("/api/v1/cards", &token, &json!({"serial": SPARE, "card_type": "gids-sim", "no_admin_key": true})).ok();
    assert_eq!(reason(SPARE), "CARD_STATE");
    let operate = |serial: &str, operation: &str| {
        site.post(&format!("/api/v1/cards/{serial}/{operation}"), &token, &json!({"user": "lab\\clara"}))
    };
    operate(SPARE, "assign").ok();
    operate(SPARE, "issue").ok();
    assert_eq!(reason(SPARE), "NO_ADMIN_KEY");
    operate(ANNA, "disable").ok();
    assert_eq!(reason(ANNA), "CARD_STATE");
    operate(ANNA, "enable").ok();
    site.post(&format!("/api/v1/users/{anna}/disable"), &token, &json!({})).ok();
    assert_eq!(reason(ANNA), "USER_DISABLED");
    site.post(&format!("/api/v1/users/{anna}/enable"), &token, &json!({})).ok();
    assert_eq!(site.open(ANNA)["mode"], "online");
    let rdp = site.post("/credprovapi/v1/sessions", "", &json!({"serial": ANNA, "remote_desktop": true})).ok();
    assert_eq!(rdp, json!({"mode": "none"}));
    let elsewhere = site.post("/certiflow/credprovapi/v1/sessions", "", &json!({"serial": ANNA.to_lowercase()})).ok();
    assert_eq!(elsewhere["mode"], "online");
}

fn wrong_answers_lock_the_user(engine: Engine) {
    let site = Site::start(engine);
    site.set_answers("anna");
    let (token, anna) = (site.administrator(), site.user("anna"));
    let session = site.open(ANNA);
    let no = json!({"ok": false});
    assert_eq!(site.answers(&session, wrong).ok(), no);
    assert_eq!(site.answers(&session, wrong).ok(), no);
    // Right in between takes the count back.
    assert_eq!(site.answers(&session, right).ok(), json!({"ok": true}));
    let session = site.open(ANNA);
    let first = session["questions"].clone();
    assert_eq!(site.answers(&session, wrong).ok(), no);
    assert_eq!(site.open(ANNA)["questions"], first, "no shopping for an easier question");
    assert_eq!(site.answers(&session, wrong).ok(), no);
    assert_eq!(site.answers(&session, wrong).ok(), json!({"mode": "offline"}));
    site.answers(&session, right).refused(410, "SESSION_OVER");
    assert_eq!(site.open(ANNA), json!({"mode": "offline"}));
    let view = site.get(&format!("/api/v1/users/{anna}"), &token).ok();
    assert_eq!((&view["locked"], &view["failed"]), (&json!(true), &json!(3)));
    assert_eq!(site.events("name=USER_LOCKED").len(), 1);
    // Resetting the answers leaves the lock; unlocking leaves nothing to ask.
    let reset = site.post(&format!("/api/v1/users/{anna}/reset-answers"), &token, &json!({})).ok();
    assert_eq!((&reset["locked"], &reset["answers_set"]), (&json!(true), &json!(0)));
    site.post(&format!("/api/v1/users/{anna}/unlock"), &token, &json!({})).ok();
    assert_eq!(site.open(ANNA), json!({"mode": "offline"}));
    site.set_answers("anna");
    assert_eq!(site.open(ANNA)["mode"], "online");
}

/// A hundred guesses at once are compared as often as the policy says, not once more.
fn a_last_try_whose_server_died(engine: Engine) {
    let site = Site::start(engine);
    site.set_answers("anna");
    // What a server leaves behind that is killed while it compares: counted, and not judged.
    let left = "UPDATE users SET failed = 3, lock_state = 1, last_try_at = $1 WHERE logon LIKE '%anna'";
    site.block_on(async {
        let mut tx = crate::common::database(&site.url).await;
        sqlx::query(left).bind(site.clock.now()).execute(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
    });
    let offline = json!({"mode": "offline"});
    assert_eq!(site.open(ANNA), offline, "the door is closed from the start");
    assert!(!site.events("").contains(&"USER_LOCKED".to_owned()), "somebody may still be comparing");
    site.clock.advance(std::time::Duration::from_secs(61));
    assert_eq!((site.open(ANNA), site.open(ANNA)), (offline.clone(), offline));
    assert_eq!(site.events("name=USER_LOCKED").len(), 1, "{engine:?}: told once");
    site.post(&format!("/api/v1/users/{}/unlock", site.user("anna")), &site.operator(), &json!({})).ok();
    assert_eq!(site.open(ANNA)["mode"], "online");
}

/// A machine whose clock is wrong by hours serves beside others: it goes by the database's.
#[test]
fn a_machine_with_a_wrong_clock_on_postgresql() {
    let site = Site::start(Engine::Postgres);
    site.set_answers("anna");
    let session = site.open(ANNA);
    let wrong = Clock::start();
    wrong.advance(std::time::Duration::from_secs(2 * 60 * 60));
    let other = site.block_on(async {
        let store = Store::open(&site.url).await.unwrap();
        Server::new(store, Vault::new(&common::MASTER).unwrap(), wrong.clone(), site.hashing.clone()).await.unwrap()
    });
    assert!(wrong.now().abs_diff(site.clock.now()) < 60_000);
    let answers = serde_json::from_value(common::given(&session["questions"], right)).unwrap();
    let id = session["session"].as_str().unwrap();
    site.block_on(other.online().answer(id, "127.0.0.1", &answers)).expect("the session lives there as well");
}

/// 1,000 unlocks from 50 workstations at once: no session and no answer is lost or counted twice; whoever finds no room
/// among the hashers hears so, is not counted, and comes again.
fn a_thousand_unlocks_at_once(engine: Engine) {
    let site = Site::with(engine, |server| server.without_limits());
    let unlocked = std::sync::atomic::AtomicUsize::new(0);
    let serials: Vec<String> = (1..=50).map(|number| site.user_with_card(number)).collect();
    std::thread::scope(|scope| {
        for serial in &serials {
            let (site, unlocked) = (&site, &unlocked);
            scope.spawn(move || {
                for _ in 0..20 {
                    let session = site.open(serial);
                    assert_eq!(session["mode"], "online", "{session}");
                    loop {
                        let answered = site.answers(&session, right);
                        if answered.status == 503 {
                            continue;
                        }
                        assert_eq!(answered.ok(), json!({"ok": true}));
                        break;
                    }
                    site.challenge(&session).ok();
                    site.report(&session, &json!({"outcome": "unlocked"})).ok();
                    unlocked.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(unlocked.into_inner(), 1000);
    let token = site.administrator();
    let (mut after, mut counts) = (0, std::collections::BTreeMap::new());
    loop {
        let page = site.get(&format!("/api/v1/events?after={after}"), &token).ok();
        let events = page.as_array().unwrap();
        let Some(last) = events.last() else { break };
        after = last["seq"].as_i64().unwrap();
        events.iter().for_each(|e| *counts.entry(e["name"].as_str().unwrap().to_owned()).or_insert(0) += 1);
    }
    for name in ["UNLOCK_OPENED", "ANSWERS_RIGHT", "RESPONSE_GIVEN", "CARD_UNLOCKED"] {
        assert_eq!(counts[name], 1000, "{engine:?}: {name} in {counts:?}");
    }
    assert!(!counts.contains_key("ANSWERS_WRONG") && !counts.contains_key("USER_LOCKED"), "{counts:?}");
}

fn guesses_in_parallel(engine: Engine) {
    let site = Site::with(engine, |server| server.without_limits());
    site.set_answers("anna");
    let sessions: Vec<_> = (0..100).map(|_| site.open(ANNA)).collect();
    let before = site.hashing.made();
    let replies = std::thread::scope(|scope| {
        let asked: Vec<_> = sessions.iter().map(|session| scope.spawn(|| site.answers(session, wrong))).collect();
        asked.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    assert!(replies.iter().all(|reply| reply.status == 200), "{replies:?}");
    assert_eq!(site.hashing.made() - before, 3, "{engine:?}: comparisons");
    let compared = site.events("name=ANSWERS_WRONG").len();
    assert_eq!(compared, 3, "{engine:?}");
    assert_eq!(site.events("name=USER_LOCKED").len(), 1);
    let view = site.get(&format!("/api/v1/users/{}", site.user("anna")), &site.administrator()).ok();
    assert_eq!((&view["locked"], &view["failed"]), (&json!(true), &json!(3)));
}

fn judged_at_the_moment_of_use(engine: Engine) {
    let site = Site::start(engine);
    site.set_answers("anna");
    let token = site.administrator();
    // A lower maximum locks at the next wrong answer.
    let session = site.open(ANNA);
    site.answers(&session, wrong).ok();
    site.answers(&session, wrong).ok();
    site.policy("authentication", "maximum_retry_count", json!(1));
    assert_eq!(site.answers(&session, right).ok(), json!({"ok": true}), "a right one passes");
    // The card is taken away between answers and challenge.
    site.post(&format!("/api/v1/cards/{ANNA}/revoke"), &token, &json!({"reason": "lost"})).ok();
    let message = site.challenge(&session).refused(410, "SESSION_OVER");
    assert!(!message.contains("Revoked"), "the workstation is not told: {message}");
    assert_eq!(site.events(&format!("card={ANNA}&name=RESPONSE_REFUSED")).len(), 1);
    // Time passes.
    site.set_answers("boris");
    let session = site.open(BORIS);
    site.clock.advance(std::time::Duration::from_secs(301));
    site.answers(&session, right).refused(410, "SESSION_OVER");
    // Offline switched off does not touch online.
    site.policy("workflow", "unblock_card_offline", json!(false));
    assert_eq!(site.open(BORIS)["mode"], "online");
}

#[test]
fn bad_input_is_named_and_counts_nothing() {
    let site = Site::start(Engine::Sqlite);
    site.set_answers("anna");
    let session = site.open(ANNA);
    let id = session["session"].as_str().unwrap();
    let path = format!("/credprovapi/v1/sessions/{id}/answers");
    let question = &session["questions"][0]["id"];
    let long = "x".repeat(20_000);
    for body in [
        "{".to_owned(),
        "[]".into(),
        json!({"answers": []}).to_string(),
        json!({"answers": [{"question": question, "text": ""}]}).to_string(),
        json!({"answers": [{"question": question, "text": "\u{200b}"}]}).to_string(),
        json!({"answers": [{"question": "'; DROP TABLE users; --", "text": "x"}]}).to_string(),
        json!({"answers": [{"question": question, "text": 7}]}).to_string(),
        json!({"answers": [{"question": question, "text": "x"}], "extra": 1}).to_string(),
    ] {
        let message = site.raw(&path, "", &body).refused(400, "MALFORMED");
        assert!(!message.is_empty() && !message.contains("panicked"), "{message}");
    }
    let body = json!({"answers": [{"question": question, "text": long}]}).to_string();
    assert_eq!(site.raw(&path, "", &body).refused(400, "MALFORMED"), "an answer has 1 to 200 characters");
    for serial in ["", "0", "xyz", "00'", &"00".repeat(40)] {
        site.post("/credprovapi/v1/sessions", "", &json!({"serial": serial})).refused(400, "MALFORMED");
    }
    assert_eq!(site.events("name=ANSWERS_WRONG"), [""; 0]);
    site.answers(&session, right).ok();
    let challenge = format!("/credprovapi/v1/sessions/{id}/challenge");
    for (text, says) in [
        ("11223344556677", "14 digits, but the code has 16"),
        ("112233445566778O", "'O' at place 16"),
        ("0000000000000000", "zeros only"),
        ("", "0 digits"),
    ] {
        let message = site.post(&challenge, "", &json!({"challenge": text})).refused(400, "MALFORMED");
        assert!(message.contains(says), "{message}");
    }
    let typed = site.post(&challenge, "", &json!({"challenge": "0x1122-3344 5566:7788"})).ok();
    assert_eq!(typed["response"].as_str().unwrap(), expected(ANNA));
    site.post("/credprovapi/v1/sessions/nobody/challenge", "", &json!({"challenge": CHALLENGE})).refused(410, "SESSION_OVER");
}

fn too_many_sessions(engine: Engine) {
    let site = Site::start(engine);
    for _ in 0..10 {
        site.open(SPARE);
    }
    let message = site.post("/credprovapi/v1/sessions", "", &json!({"serial": SPARE})).refused(429, "RATE_LIMITED");
    assert!(message.contains("unlock sessions of this card from this address; try again in 60 minutes"), "{message}");
    assert_eq!(site.events("name=RATE_LIMITED").len(), 1);
    for n in 0..20 {
        site.open(&format!("AA{n:02X}"));
    }
    site.post("/credprovapi/v1/sessions", "", &json!({"serial": "BB"})).refused(429, "RATE_LIMITED");
}

fn another_server_carries_on(engine: Engine) {
    let (first, sessions) = {
        let site = Site::start(engine);
        site.set_answers("anna");
        (site.second(), site)
    };
    let session = sessions.open(ANNA);
    assert_eq!(first.answers(&session, wrong).ok(), json!({"ok": false}));
    assert_eq!(sessions.answers(&session, right).ok(), json!({"ok": true}));
    assert_eq!(first.challenge(&session).ok()["response"].as_str().unwrap(), expected(ANNA));
    sessions.challenge_of(&session, &nth(1)).refused(410, "SESSION_OVER");
    sessions.report(&session, &json!({"outcome": "refused", "tries_left": 0})).ok();
    assert_eq!(first.events(&format!("card={ANNA}&name=ADMIN_KEY_BLOCKED")).len(), 1);
    assert_eq!(first.get("/api/v1/events/check", &first.operator()).ok(), json!({"first_broken": null}));
}

/// A stranger costs the server what a user costs it: the same comparisons, so the same time.
#[test]
fn strangers_cost_the_same() {
    let site = Site::start(Engine::Sqlite);
    site.set_answers("anna");
    let cost = |deed: &dyn Fn()| {
        let before = site.hashing.made();
        deed();
        site.hashing.made() - before
    };
    let log_in = |name: &str| drop(site.post("/api/v1/login", "", &json!({"name": name, "password": "no"})));
    assert_eq!((cost(&|| log_in("oleg")), cost(&|| log_in("nobody"))), (1, 1));
    let remote = |name: &str| {
        let session = site.post("/api/v1/remote", "", &json!({"name": name})).ok();
        let path = format!("/api/v1/remote/{}/answers", session["session"].as_str().unwrap());
        site.post(&path, "", &common::given(&session["questions"], wrong)).ok();
    };
    assert_eq!((cost(&|| remote("lab\\anna")), cost(&|| remote("lab\\boris")), cost(&|| remote("lab\\nobody"))), (1, 1, 1));
    assert_eq!((cost(&|| drop(site.open(ANNA))), cost(&|| drop(site.open(SPARE)))), (0, 0));
}

/// The database goes and comes back: nothing is given or compared meanwhile, and the flow goes on.
#[test]
fn a_postgresql_that_goes_and_comes_back() {
    let site = Site::start(Engine::Postgres);
    site.set_answers("anna");
    let session = site.open(ANNA);
    common::outage::shut(&site.url);
    let before = site.hashing.made();
    let message = site.answers(&session, right).refused(503, "STORE_DOWN");
    assert_eq!(message, "the server cannot reach its database; try again later");
    assert_eq!(site.hashing.made(), before, "nothing was compared");
    common::outage::open(&site.url);
    assert_eq!(site.answers(&session, right).ok(), json!({"ok": true}));
    assert_eq!(site.challenge(&session).ok()["response"].as_str().unwrap(), expected(ANNA));
}

/// Right answers that come many times at once open a session once, for the response to one challenge.
fn one_response_a_session(engine: Engine) {
    let site = Site::with(engine, |server| server.without_limits());
    site.set_answers("anna");
    site.policy("authentication", "maximum_retry_count", json!(10));
    for _ in 0..10 {
        let session = site.open(ANNA);
        let given = std::thread::scope(|scope| {
            // Each that is compared is told that it is right; one that comes when they are answered, that it is too late.
            let answer = || match site.answers(&session, right) {
                answered if answered.status == 200 => assert_eq!(answered.body, json!({"ok": true})),
                late => drop(late.refused(410, "SESSION_OVER")),
            };
            let answering: Vec<_> = (0..6).map(|_| scope.spawn(answer)).collect();
            let asking = scope.spawn(|| (0..20).filter(|n| site.challenge_of(&session, &nth(*n)).status == 200).count());
            answering.into_iter().for_each(|thread| thread.join().unwrap());
            asking.join().unwrap() + (20..23).filter(|n| site.challenge_of(&session, &nth(*n)).status == 200).count()
        });
        assert_eq!(given, 1, "{engine:?}");
    }
}

/// An answer that was lost on its way is asked for again: the same response, as long as the session lives, and counted once.
fn the_same_challenge_again(engine: Engine) {
    let site = Site::start(engine);
    site.set_answers("anna");
    let session = site.open(ANNA);
    site.answers(&session, right).ok();
    for _ in 0..7 {
        assert_eq!(site.challenge(&session).ok()["response"].as_str().unwrap(), expected(ANNA), "{engine:?}");
    }
    assert_eq!(site.events(&format!("card={ANNA}&name=RESPONSE_GIVEN")).len(), 7, "each is in the log");
    site.challenge_of(&session, &nth(1)).refused(410, "SESSION_OVER");
    // Four more challenges are left in this hour, and not one more.
    for number in 1..=5 {
        let session = site.open(ANNA);
        site.answers(&session, right).ok();
        let given = site.challenge_of(&session, &nth(number));
        if number < 5 { drop(given.ok()) } else { drop(given.refused(429, "RATE_LIMITED")) }
    }
    // Judged each time: the response is not had again once the user is locked.
    let guessed = site.open(ANNA);
    (0..3).for_each(|_| drop(site.answers(&guessed, wrong)));
    site.challenge(&session).refused(410, "SESSION_OVER");
}

/// As when the user is disabled between the try that is counted and what it comes to: right answers open nothing any more, and
/// nobody is told that they do.
fn a_session_that_ends_while_it_is_compared(engine: Engine) {
    let site = Site::start(engine);
    site.set_answers("anna");
    let remote = site.post("/api/v1/remote", "", &json!({"name": "lab\\anna"})).ok();
    let session = site.open(ANNA);
    let statements: &[&'static str] = match engine {
        Engine::Sqlite => &[
            "CREATE TRIGGER ends AFTER UPDATE OF failed ON users WHEN NEW.failed > OLD.failed BEGIN UPDATE flows SET step = 'dead' WHERE user_id = NEW.id AND step = 'asking'; END",
        ],
        Engine::Postgres => &[
            "CREATE FUNCTION ends() RETURNS trigger AS 'BEGIN UPDATE flows SET step = ''dead'' WHERE user_id = NEW.id AND step = ''asking''; RETURN NEW; END' LANGUAGE plpgsql",
            "CREATE TRIGGER ends AFTER UPDATE OF failed ON users FOR EACH ROW WHEN (NEW.failed > OLD.failed) EXECUTE FUNCTION ends()",
        ],
    };
    let change = |statements: &[&'static str]| {
        site.block_on(async {
            let mut tx = crate::common::database(&site.url).await;
            for statement in statements {
                sqlx::query(*statement).execute(&mut *tx).await.unwrap();
            }
            tx.commit().await.unwrap();
        });
    };
    change(statements);
    assert_eq!(site.answers(&session, right).ok(), json!({"mode": "offline"}), "{engine:?}");
    site.challenge(&session).refused(410, "SESSION_OVER");
    change(&["UPDATE flows SET step = 'asking' WHERE kind = 'remote'"]);
    let at = |what: &str| format!("/api/v1/remote/{}/{what}", remote["session"].as_str().unwrap());
    let answers = common::given(&remote["questions"], right);
    for _ in 0..2 {
        assert_eq!(site.post(&at("answers"), "", &answers).ok(), json!({"ok": false}));
    }
    site.get(&at("cards"), "").refused(409, "ANSWERS_FIRST");
    let anna = site.user("anna");
    assert_eq!(site.events(&format!("user={anna}&name=RESPONSE_REFUSED")).len(), 3, "the log says so");
    assert_eq!(site.events(&format!("user={anna}&name=ANSWERS_RIGHT")).len(), 0);
    // They were right: they are no try that is gone.
    assert_eq!(site.get(&format!("/api/v1/users/{anna}"), &site.administrator()).ok()["failed"], 0);
}
