//! People and what they may: disabled users, one's own role, guesses, spellings, clocks, and what is kept, on both engines.

use crate::common::browser::{Browser, between};
use crate::common::{ANNA, Answer, CHALLENGE, Engine, Site, given, right, wrong};
use cardlab_server_stub::service::setup::sample;
use cardlab_server_stub::store::Store;
use serde_json::{Value, json};
use std::time::Duration;

on_both_engines! {
    the_second_of_two_administrators_is_told,
    a_disabled_user_is_nowhere_logged_in,
    somebody_is_left_who_changes_roles,
    nobody_widens_their_own_role,
    operators_guess_no_more_in_many_wizards,
    failed_logins_are_of_a_person,
    a_clock_that_was_wrong,
    what_is_over_is_deleted,
    names_are_bounded,
    default_pins_are_for_who_sets_them,
    no_text_has_a_zero_character,
    a_logout_is_in_the_log,
}

fn sql(site: &Site, statement: &'static str) -> i64 {
    site.block_on(async {
        let mut tx = crate::common::database(&site.url).await;
        let row = sqlx::query(statement).fetch_one(&mut *tx).await.unwrap();
        sqlx::Row::get(&row, 0)
    })
}

pub(crate) fn change(site: &Site, statements: &[&'static str]) {
    site.block_on(async {
        let mut tx = crate::common::database(&site.url).await;
        for statement in statements {
            sqlx::query(*statement).execute(&mut *tx).await.unwrap();
        }
        tx.commit().await.unwrap();
    });
}

fn a_disabled_user_is_nowhere_logged_in(engine: Engine) {
    let site = Site::start(engine);
    site.set_answers("anna");
    let admin = site.administrator();
    let login = site.send("/ss/login", |http, url| http.post(url).form(&[("name", "lab\\anna"), ("password", "anna-password")]));
    let cookie = login.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let own = || site.send("/ss", |http, url| http.get(url).header("cookie", &cookie)).status().as_u16();
    let (anna, session) = (site.user("anna"), site.open(ANNA));
    let operator = json!({"name": "anna-op", "password": "anna-op-password", "role": Value::Null, "user": anna});
    site.post("/api/v1/operators", &admin, &operator).ok();
    let token = site.log_in(("anna-op", "anna-op-password"));
    assert_eq!((own(), site.get("/api/v1/users", &token).status), (200, 403), "{engine:?}");
    site.post(&format!("/api/v1/users/{anna}/disable"), &admin, &json!({})).ok();
    // Neither as a user nor as the operator who the user is; nor does a session go on.
    assert_eq!((own(), site.get("/api/v1/users", &token).status), (303, 401));
    let body = json!({"name": "anna-op", "password": "anna-op-password"});
    site.post("/api/v1/login", "", &body).refused(401, "NOT_LOGGED_IN");
    assert_eq!(site.answers(&session, right).ok(), json!({"mode": "offline"}));
    site.post(&format!("/api/v1/users/{anna}/enable"), &admin, &json!({})).ok();
    assert_eq!((own(), site.get("/api/v1/users", &token).status), (303, 401), "the logins do not come back");
    assert_eq!(site.answers(&session, right).status, 410);
    site.post("/api/v1/login", "", &body).ok();
    assert_eq!(site.events(&format!("user={anna}&name=USER_STATE_CHANGED")).len(), 2);
}

/// An operator whose user is disabled does not log in, and so does not count.
fn somebody_is_left_who_changes_roles(engine: Engine) {
    let site = Site::start(engine);
    let admin = site.administrator();
    let staff = site.get("/api/v1/staff", &admin).ok();
    let role = staff["roles"].as_array().unwrap().iter().find(|role| role["name"] == "Administrator").unwrap()["id"].clone();
    let first = staff["operators"].as_array().unwrap().iter().find(|one| one["name"] == sample::ADMINISTRATOR.0).unwrap();
    let first = format!("/api/v1/operators/{}/role", first["id"].as_str().unwrap());
    let [anna, boris] = ["anna", "boris"].map(|name| site.user(name));
    for (name, user) in [("anna-op", &anna), ("boris-op", &boris)] {
        let operator = json!({"name": name, "password": "a-long-password", "role": role, "user": user});
        site.post("/api/v1/operators", &admin, &operator).ok();
    }
    let by_anna = site.log_in(("anna-op", "a-long-password"));
    site.put(&first, &by_anna, &json!({"role": Value::Null})).ok();
    let disable = |user: &str| site.post(&format!("/api/v1/users/{user}/disable"), &by_anna, &json!({}));
    disable(&boris).ok();
    let message = disable(&anna).refused(409, "CONFLICT");
    assert_eq!(message, "nobody could change roles any more; give somebody that privilege first", "{engine:?}");
    // Nothing of it is done: the operator is still logged in, and gives the privilege to another.
    assert_eq!(site.get(&format!("/api/v1/users/{anna}"), &by_anna).ok()["active"], true);
    let log = site.get(&format!("/api/v1/events?user={anna}&name=USER_STATE_NOT_CHANGED"), &by_anna).ok();
    assert_eq!(log.as_array().unwrap().len(), 1);
    site.put(&first, &by_anna, &json!({"role": role})).ok();
    disable(&anna).ok();
    site.get("/api/v1/staff", &by_anna).refused(401, "NOT_LOGGED_IN");
}

fn nobody_widens_their_own_role(engine: Engine) {
    let site = Site::start(engine);
    let admin = site.administrator();
    let few = json!({"privileges": ["change-roles"]});
    let role = site.put("/api/v1/roles/Chief", &admin, &few).ok()["id"].clone();
    site.post("/api/v1/operators", &admin, &json!({"name": "chief", "password": "chief-password", "role": role})).ok();
    let chief = site.log_in(("chief", "chief-password"));
    for own in ["Chief", " Chief", "Chief%20"] {
        for wanted in [json!({"privileges": ["change-roles", "unlock-card"]}), few.clone()] {
            let message = site.put(&format!("/api/v1/roles/{own}"), &chief, &wanted).refused(409, "CONFLICT");
            assert_eq!(message, "your own role is changed by another administrator", "{engine:?}");
        }
    }
    site.get("/api/v1/users", &chief).refused(403, "NO_PRIVILEGE");
    site.put("/api/v1/roles/Another", &chief, &few).ok();
    site.put("/api/v1/roles/Chief", &admin, &json!({"privileges": ["change-roles", "view-user"]})).ok();
    site.get("/api/v1/users", &chief).ok();
    assert_eq!(site.events("name=ROLE_NOT_CHANGED").len(), 6);
}

/// Twenty wizards, of two operators: ten wrong answers in an hour, and not one more.
fn operators_guess_no_more_in_many_wizards(engine: Engine) {
    let site = Site::start(engine);
    site.set_answers("anna");
    let tokens = [site.operator(), site.administrator()];
    let answer = |token: &str, how: fn(&str) -> String| -> Answer {
        let wizard = site.post(&format!("/api/v1/cards/{ANNA}/wizard"), token, &json!({})).ok();
        let path = format!("/api/v1/unlock/{}/answers", wizard["wizard"].as_str().unwrap());
        site.post(&path, token, &given(&wizard["questions"], how))
    };
    // Right ones take back what was counted.
    assert_eq!(answer(&tokens[0], wrong).ok()["ok"], false);
    assert_eq!(answer(&tokens[0], right).ok()["ok"], true);
    let compared = (0..20).filter(|n| answer(&tokens[n % 2], wrong).status == 200).count();
    assert_eq!(compared, 10, "{engine:?}");
    let message = answer(&tokens[1], right).refused(429, "RATE_LIMITED");
    assert_eq!(message, "too many answers typed for this user; try again in 60 minutes");
    assert_eq!(site.events(&format!("card={ANNA}&name=RATE_LIMITED")).len(), 1, "one a minute");
    site.clock.advance(Duration::from_secs(3601));
    assert_eq!(answer(&site.operator(), right).ok()["ok"], true);
    let log = site.get("/api/v1/events?name=RATE_LIMITED", &site.administrator()).ok();
    assert!(log[1]["detail"].as_str().unwrap().contains("\"refused\":10"), "and how often it was since: {log}");
}

fn failed_logins_are_of_a_person(engine: Engine) {
    let site = Site::start(engine);
    let log_in = |name: &str, password: &str| {
        site.send("/ss/login", |http, url| http.post(url).form(&[("name", name), ("password", password)])).status().as_u16()
    };
    // The same whether there is somebody or not: in whichever spelling, the sixth is one too many.
    for who in ["anna", "nobody"] {
        let spellings = [format!("LAB\\{who}"), format!("{who}@lab.example"), format!(" lab\\{}", who.to_uppercase())];
        let statuses: Vec<u16> = (0..7).map(|n| log_in(&spellings[n % 3], "wrong")).collect();
        assert_eq!(statuses, [401, 401, 401, 401, 401, 429, 429], "{engine:?}: {who}");
    }
    assert_eq!(log_in("lab\\anna", "anna-password"), 429);
    // The forms of a name that have nothing in common are of one person all the same.
    let admin = site.administrator();
    let policy = site.get("/api/v1/policies", &admin).ok()[0]["id"].clone();
    let user = json!({"logon": "LAB\\dora", "upn": "d.hale@lab", "cn": "Dora", "password": "dora-password", "policy": policy});
    site.post("/api/v1/users", &admin, &user).ok();
    // Nobody is told that: each name has its own five, as two names of nobody have, and the five of the person are the last
    // that are compared.
    let names = [["lab\\dora", "d.hale@lab"], ["lab\\nemo", "n.body@lab"]];
    let tried = |names: [&str; 2]| (0..12).map(|n| log_in(names[n % 2], "wrong")).collect::<Vec<u16>>();
    let (person, nobody) = (tried(names[0]), tried(names[1]));
    assert_eq!(person, [[401; 10].as_slice(), &[429; 2]].concat(), "{engine:?}");
    assert_eq!(person, nobody);
    let log = site.get("/api/v1/events?name=LOGIN_FAILED", &site.administrator()).ok();
    let refused = log.as_array().unwrap().iter().filter(|e| e["detail"].as_str().unwrap().contains("RATE_LIMITED"));
    assert_eq!(refused.count(), 5, "the log says why");
    site.clock.advance(Duration::from_secs(301));
    (0..3).for_each(|_| assert_eq!(log_in("lab\\dora", "wrong"), 401));
    (0..2).for_each(|_| assert_eq!(log_in("d.hale@lab", "wrong"), 401));
    for name in names[0] {
        assert_eq!(log_in(name, "dora-password"), 401, "the right one as well");
    }
    site.clock.advance(Duration::from_secs(301));
    assert_eq!(log_in("D.Hale@LAB", "dora-password"), 303);
}

/// A machine whose clock was a year ahead has counted, opened and locked; then it is put right.
fn a_clock_that_was_wrong(engine: Engine) {
    let site = Site::start(engine);
    site.set_answers("anna");
    let session = site.open(ANNA);
    for _ in 0..9 {
        site.open(ANNA);
    }
    site.post("/api/v1/login", "", &json!({"name": "oleg", "password": "wrong"})).refused(401, "NOT_LOGGED_IN");
    let token = site.operator();
    // 365 days.
    change(
        &site,
        &[
            "UPDATE hits SET at = at + 31536000000",
            "UPDATE flows SET expires = expires + 31536000000",
            "UPDATE logins SET expires = expires + 31536000000",
            "UPDATE users SET failed = 3, lock_state = 1, last_try_at = last_try_at + 31536000000 WHERE logon LIKE '%boris'",
        ],
    );
    let message = site.post("/credprovapi/v1/sessions", "", &json!({"serial": ANNA})).refused(429, "RATE_LIMITED");
    assert_eq!(message, "too many unlock sessions of this card from this address; try again in 60 minutes", "{engine:?}");
    site.answers(&session, right).refused(410, "SESSION_OVER");
    site.get("/api/v1/users", &token).refused(401, "NOT_LOGGED_IN");
    site.clock.advance(Duration::from_secs(3601));
    assert_eq!(site.open(ANNA)["mode"], "online");
}

fn what_is_over_is_deleted(engine: Engine) {
    let site = Site::start(engine);
    site.set_answers("anna");
    for _ in 0..10 {
        site.open(ANNA);
    }
    for number in 0..20 {
        site.post("/api/v1/login", "", &json!({"name": format!("nobody{number}"), "password": "wrong"}));
        site.post("/credprovapi/v1/ways", "", &json!({"serial": ANNA})).ok();
    }
    let given = site.open(&format!("{:02X}", 7));
    assert_eq!(given["mode"], "offline");
    assert!(sql(&site, "SELECT COUNT(*) FROM hits") > 40 && sql(&site, "SELECT COUNT(*) FROM flows") == 11, "{engine:?}");
    site.clock.advance(Duration::from_secs(2 * 3600));
    site.post("/credprovapi/v1/ways", "", &json!({"serial": ANNA})).ok();
    assert_eq!((sql(&site, "SELECT COUNT(*) FROM hits"), sql(&site, "SELECT COUNT(*) FROM flows")), (1, 0));
    assert_eq!(sql(&site, "SELECT COUNT(*) FROM logins"), 0);
    // Reports are known again for thirty days; who logs in deletes as well.
    let reports = || sql(&site, "SELECT COUNT(*) FROM reports");
    site.tell(&json!({"serial": ANNA, "kind": "pin-wrong", "at": 1})).ok();
    for (days, left) in [(29, 1), (2, 0)] {
        site.open(ANNA);
        site.clock.advance(Duration::from_secs(days * 24 * 3600));
        site.administrator();
        assert_eq!((reports(), sql(&site, "SELECT COUNT(*) FROM flows")), (left, 0), "{engine:?}: {days}");
        assert_eq!((sql(&site, "SELECT COUNT(*) FROM hits"), sql(&site, "SELECT COUNT(*) FROM logins")), (0, 1));
    }
}

/// Three hundred failed logins with names of 15 KB, and whatever else people call themselves and others.
fn names_are_bounded(engine: Engine) {
    let site = Site::start(engine);
    let admin = site.administrator();
    let long = "n".repeat(15_000);
    // From four addresses: one has no more than a hundred.
    for address in 1..=4 {
        let site = site.from(std::net::IpAddr::from([127, 0, 1, address]));
        for number in 0..75 {
            let name = format!("{address}-{number}{long}");
            site.post("/api/v1/login", "", &json!({"name": name, "password": "wrong"})).refused(401, "NOT_LOGGED_IN");
        }
    }
    site.post("/credprovapi/v1/sessions", "", &json!({"serial": ANNA, "workstation": long})).ok();
    site.tell(&json!({"serial": ANNA, "workstation": long, "kind": "pin-wrong", "at": 1})).ok();
    let longest = [
        "SELECT MAX(LENGTH(initiator) + LENGTH(workstation) + LENGTH(card) + LENGTH(user_id) + LENGTH(detail)) FROM events",
        "SELECT MAX(LENGTH(bucket)) FROM hits",
        "SELECT MAX(LENGTH(workstation)) FROM flows",
    ]
    .map(|statement| sql(&site, statement));
    assert!(longest.iter().all(|length| *length < 2_000), "{engine:?}: {longest:?}");
    let policy = site.get("/api/v1/policies", &admin).ok()[0]["id"].clone();
    let user = |field: &str| {
        let mut user = json!({"logon": "LAB\\x", "upn": "x@lab", "cn": "X", "password": "x-password", "policy": policy});
        user[field] = json!(long);
        site.post("/api/v1/users", &admin, &user).refused(400, "MALFORMED")
    };
    for field in ["logon", "upn", "cn", "mail", "phone"] {
        assert!(user(field).ends_with(" has at most 200 characters, not 15000"), "{field}");
    }
    let card = json!({"serial": "0102", "card_type": "gids-sim", "atr": "3B".repeat(7_000)});
    assert!(site.post("/api/v1/cards", &admin, &card).refused(400, "MALFORMED").contains("33 bytes"));
    let revoke = json!({"reason": long});
    site.post(&format!("/api/v1/cards/{ANNA}/revoke"), &admin, &revoke).refused(400, "MALFORMED");
}

fn default_pins_are_for_who_sets_them(engine: Engine) {
    let site = Site::start(engine);
    let admin = site.administrator();
    let role = site.put("/api/v1/roles/Viewer", &admin, &json!({"privileges": ["view-cards"]})).ok()["id"].clone();
    site.post("/api/v1/operators", &admin, &json!({"name": "viewer", "password": "viewer-password", "role": role})).ok();
    let viewer = site.log_in(("viewer", "viewer-password"));
    let pin = |token: &str| site.get("/api/v1/card-types", token).ok()["gids-sim"].get("default_user_pin").cloned();
    assert_eq!(
        (pin(&viewer), pin(&admin), pin(&site.operator())),
        (None, Some(json!("123456")), Some(json!("123456"))),
        "{engine:?}"
    );
}

/// Wherever a text can be sent: it is refused as what it is, on both engines alike.
fn no_text_has_a_zero_character(engine: Engine) {
    let site = Site::start(engine);
    let admin = site.administrator();
    let (name, _) = sample::ADMINISTRATOR;
    for (path, body) in [
        ("/api/v1/login", json!({"name": format!("{name}\0"), "password": "x"})),
        ("/api/v1/remote", json!({"name": "lab\\an\0na"})),
        ("/credprovapi/v1/sessions", json!({"serial": ANNA, "workstation": "W\0"})),
        ("/credprovapi/v1/reports", json!({"serial": ANNA, "workstation": "W\0", "kind": "pin-wrong", "at": 1})),
        ("/api/v1/policies", json!({"name": "P\0"})),
        ("/api/v1/remote/x/challenge", json!({"card": ANNA, "challenge": format!("{CHALLENGE}\0")})),
    ] {
        site.post(path, &admin, &body).refused(400, "MALFORMED");
    }
    for path in ["/api/v1/users/%00", "/api/v1/users?q=%00", "/api/v1/events?name=a%00b", "/api/v1/cards/00%0000"] {
        site.get(path, &admin).refused(400, "MALFORMED");
    }
    for (path, field) in [("/rss", "name"), ("/mc/login", "name"), ("/ss/login", "password")] {
        let answer = site.send(path, |http, url| http.post(url).form(&[("name", "x"), ("password", "x"), (field, "a\0b")]));
        assert_eq!(answer.status(), 400, "{engine:?}: {path}");
    }
    // What only looks like one is a text as any other.
    let text = json!({"name": r"a backslash and u0000: \u0000"});
    site.post("/api/v1/policies", &admin, &text).ok();
    assert_eq!(site.get("/api/v1/users?q=%2500", &admin).status, 200);
}

/// Somebody holds the table that writers wait for: whoever asks hears so in time, and is served when it is free.
#[test]
fn a_lock_that_somebody_holds_on_postgresql() {
    let site = Site::start(Engine::Postgres);
    let held = site.block_on(async { Store::open(&site.url).await.unwrap().begin().await.unwrap() });
    let answers = std::thread::scope(|scope| {
        let ask = || site.post("/credprovapi/v1/ways", "", &json!({"serial": ANNA})).refused(503, "STORE_DOWN");
        let asking: Vec<_> = (0..12).map(|_| scope.spawn(ask)).collect();
        asking.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    assert_eq!(answers.len(), 12);
    site.block_on(held.rollback()).unwrap();
    site.post("/credprovapi/v1/ways", "", &json!({"serial": ANNA})).ok();
}

/// Two administrators open one policy, and save it: what the first has set is not undone unseen.
fn the_second_of_two_administrators_is_told(engine: Engine) {
    let site = Site::start(engine);
    let admin = site.administrator();
    let default = || site.get("/api/v1/policies", &admin).ok()[0].clone();
    let seen = default();
    let path = |revision: &Value| {
        format!("/api/v1/policies/{}?revision={}", seen["id"].as_str().unwrap(), revision["revision"].as_str().unwrap())
    };
    let settings = |name: &str, value: Value| {
        let mut settings = seen["settings"].clone();
        settings["workflow"][name] = value;
        settings
    };
    site.put(&path(&seen), &admin, &settings("validate_answers", json!(false))).ok();
    let message = site.put(&path(&seen), &admin, &settings("reset_user_pin", json!(false))).refused(409, "CONFLICT");
    assert!(message.contains("admin has changed this policy meanwhile"), "{engine:?}: {message}");
    assert_eq!(default()["settings"], settings("validate_answers", json!(false)), "{engine:?}: the first holds");
    assert_eq!(site.events("name=POLICY_NOT_CHANGED").len(), 1);
    // Looked at again, it is changed.
    site.put(&path(&default()), &admin, &settings("reset_user_pin", json!(false))).ok();
    assert_eq!(default()["settings"], settings("reset_user_pin", json!(false)));
}

/// Who goes by the button of a page, from either area. A login that has ended before is no other's to end, and leaves nothing.
fn a_logout_is_in_the_log(engine: Engine) {
    let site = Site::start(engine);
    let (logon, _, password) = sample::USERS[0];
    let logouts = || -> Vec<(String, Value)> {
        let log = site.get("/api/v1/events?name=logged_out", &site.administrator()).ok();
        let of = |event: &Value| {
            let detail = serde_json::from_str(event["detail"].as_str().unwrap()).unwrap();
            (event["initiator"].as_str().unwrap().to_owned(), detail)
        };
        log.as_array().unwrap().iter().map(of).collect()
    };
    let mut expected = Vec::new();
    for (area, who, initiator, door) in
        [("/mc", sample::OPERATOR, "oleg", "console"), ("/ss", (logon, password), "LAB\\anna", "self-service")]
    {
        let browser = Browser::logged_in(&site, "en", area, who);
        let page = browser.get(area);
        let csrf = between(&page.text, "name=\"csrf\" value=\"", "\"")[0];
        // Neither a form of another page, nor one of who is not logged in, ends anything.
        browser.send(&format!("{area}/logout"), &[("csrf", "forged")]);
        Browser::new(&site, "en").send(&format!("{area}/logout"), &[("csrf", csrf)]);
        assert_eq!(logouts(), expected, "{engine:?}");
        let again = browser.after_its_login("/none");
        browser.send(&format!("{area}/logout"), &[("csrf", csrf)]);
        expected.push((initiator.to_owned(), json!({"at": door})));
        assert_eq!(logouts(), expected, "{engine:?}");
        again.send(&format!("{area}/logout"), &[("csrf", csrf)]);
        assert_eq!(logouts(), expected, "{engine:?}: once");
    }
    let log = site.page("/mc/log?name=LOGGED_OUT", "mc", &site.administrator());
    assert!(log.contains("logged out of Self-Service"), "{log}");
    // Who came in to Self-Service is a user; who tried to, is nobody known.
    Browser::new(&site, "en").send("/ss/login", &[("name", logon), ("password", "wrong")]);
    let anna = site.user("anna");
    let of = |name: &str| {
        let log = site.get(&format!("/api/v1/events?name={name}"), &site.administrator()).ok();
        let all = log.as_array().unwrap().iter().filter(|event| event["detail"].as_str().unwrap().contains("self-service"));
        all.map(|event| event["user"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!((of("LOGGED_IN"), of("LOGGED_OUT"), of("LOGIN_FAILED")), (vec![anna.clone()], vec![anna], vec![String::new()]));
}
