//! Who asks too often is refused, and cannot make the log grow by it: one event a bucket and minute, with how often it was.

use crate::common::{ANNA, Answer, Engine, Site, nth, right};
use cardlab_server_stub::service::setup::sample;
use serde_json::{Value, json};
use std::time::Duration;

on_both_engines! {
    a_refusal_a_minute_is_in_the_log,
    what_was_refused_last_is_told_too,
    ever_new_names_are_of_one_address,
    agents_are_limited_as_lock_screens,
    what_is_too_often_says_when_it_is_not,
}

/// What is counted, how one asks for it, how often it is allowed.
type WayIn = (&'static str, fn(&Site, usize) -> Answer, usize);

/// What is limited, once each; all of it within the limit of another.
const WAYS_IN: [WayIn; 5] = [
    ("reports of", |site, at| site.tell(&json!({"serial": "AA", "kind": "pin-wrong", "at": at})), 120),
    ("sessions of", |site, _| site.post("/credprovapi/v1/sessions", "", &json!({"serial": "BB"})), 10),
    ("remote from", |site, _| site.post("/api/v1/remote", "", &json!({"name": "lab\\nobody"})), 30),
    ("failed logins", |site, _| site.post("/api/v1/login", "", &json!({"name": "nobody", "password": "x"})), 5),
    ("sessions from", |site, at| site.post("/credprovapi/v1/sessions", "", &json!({"serial": format!("{at:04X}")})), 20),
];

/// The details of the events, in order.
fn details(site: &Site) -> Vec<Value> {
    let log = site.get("/api/v1/events?name=RATE_LIMITED", &site.administrator()).ok();
    log.as_array().unwrap().iter().map(|event| serde_json::from_str(event["detail"].as_str().unwrap()).unwrap()).collect()
}

fn a_refusal_a_minute_is_in_the_log(engine: Engine) {
    let site = Site::start(engine);
    for (index, (bucket, ask, times)) in WAYS_IN.into_iter().enumerate() {
        for at in 0..times {
            let status = ask(&site, at).status;
            assert!(matches!(status, 200 | 401), "{engine:?}: {bucket}: {status}");
        }
        let before = site.events("").len();
        for at in 0..50 {
            ask(&site, times + at).refused(429, "RATE_LIMITED");
        }
        // Two logins read the log meanwhile.
        assert_eq!(site.events("").len(), before + 2, "{engine:?}: {bucket}");
        let told = details(&site);
        assert_eq!((told.len(), &told[index]["refused"]), (index + 1, &json!(1)), "{engine:?}: {bucket}");
        assert!(told[index]["counted"].as_str().unwrap().starts_with(bucket), "{told:?}");
    }
    site.clock.advance(Duration::from_secs(61));
    let (bucket, ask, _) = WAYS_IN[0];
    ask(&site, 1000).refused(429, "RATE_LIMITED");
    // Of each once more, and not of this one as well: it is of the next minute.
    let told = details(&site);
    assert_eq!(told.len(), 2 * WAYS_IN.len(), "{engine:?}");
    let again = told[WAYS_IN.len()..].iter().find(|detail| detail["counted"].as_str().unwrap().starts_with(bucket)).unwrap();
    assert_eq!(again["refused"], 49, "{engine:?}: since it was told");
    site.clock.advance(Duration::from_secs(61));
    ask(&site, 1001).refused(429, "RATE_LIMITED");
    assert_eq!(details(&site).last().unwrap()["refused"], 1, "{engine:?}: the one before");
}

/// Also when nobody is refused any more.
fn what_was_refused_last_is_told_too(engine: Engine) {
    let site = Site::start(engine);
    let (_, ask, times) = WAYS_IN[1];
    (0..times + 8).for_each(|at| drop(ask(&site, at)));
    site.clock.advance(Duration::from_secs(61));
    site.set_answers("anna");
    let session = site.open(ANNA);
    site.answers(&session, right).ok();
    site.challenge_of(&session, &nth(0)).ok();
    let told: Vec<Value> = details(&site).iter().map(|detail| detail["refused"].clone()).collect();
    assert_eq!(told, [1, 7], "{engine:?}");
    site.clock.advance(Duration::from_secs(3601));
    site.open(ANNA);
    assert_eq!(details(&site).len(), 2, "{engine:?}: once");
}

/// Somebody tries names without end, which nobody has or with one password: a hundred in a quarter of an hour, and one event a
/// minute for all that come then. Who logs in rightly is not counted, and frees nobody else.
fn ever_new_names_are_of_one_address(engine: Engine) {
    let site = Site::start(engine);
    let admin = site.administrator();
    let fail = |site: &Site, name: &str| site.post("/api/v1/login", "", &json!({"name": name, "password": "wrong"}));
    let rows = |name: &str| site.get(&format!("/api/v1/events?name={name}"), &admin).ok().as_array().unwrap().len();
    for number in 0..99 {
        fail(&site, &format!("nobody{number}")).refused(401, "NOT_LOGGED_IN");
    }
    for _ in 0..5 {
        site.log_in(sample::OPERATOR);
    }
    fail(&site, "lab\\nobody").refused(401, "NOT_LOGGED_IN");
    let says = "too many failed logins from this address; try again in 15 minutes";
    for number in 100..150 {
        assert_eq!(fail(&site, &format!("nobody{number}")).refused(429, "RATE_LIMITED"), says, "{engine:?}");
    }
    // By every door, the right password as well.
    let (name, password) = sample::OPERATOR;
    site.post("/api/v1/login", "", &json!({"name": name, "password": password})).refused(429, "RATE_LIMITED");
    for (door, name) in [("mc", "admin"), ("ss", "lab\\anna")] {
        let page = site.send(&format!("/{door}/login"), |http, url| http.post(url).form(&[("name", name), ("password", "x")]));
        assert_eq!(page.status(), 429, "{engine:?}: {door}");
    }
    assert_eq!((rows("LOGIN_FAILED"), rows("RATE_LIMITED")), (100, 1), "{engine:?}");
    // Others are not kept out.
    let elsewhere = site.from(std::net::IpAddr::from([127, 0, 0, 9]));
    elsewhere.log_in(sample::OPERATOR);
    site.clock.advance(Duration::from_secs(15 * 60 + 1));
    site.log_in(sample::OPERATOR);
}

/// Who asks for tasks asks for sessions; what is refused is in the log.
fn agents_are_limited_as_lock_screens(engine: Engine) {
    let site = Site::start(engine);
    site.set_answers("anna");
    let ask = || site.post("/credprovapi/v1/tasks", "", &json!({"serial": ANNA}));
    for number in 0..30 {
        // Nothing to do is not counted: agents ask every half a minute.
        assert_eq!(ask().ok(), json!({"task": "none"}));
        site.post("/credprovapi/v1/sessions", "", &json!({"serial": format!("{number:04X}")})).ok();
    }
    site.post(&format!("/api/v1/cards/{ANNA}/tasks"), &site.operator(), &json!({})).ok();
    for _ in 0..10 {
        let says = "too many unlock sessions from this address; try again in 60 minutes";
        assert_eq!(ask().refused(429, "RATE_LIMITED"), says, "{engine:?}");
    }
    let told = details(&site);
    assert_eq!((told.len(), &told[0]["counted"]), (1, &json!("sessions from 127.0.0.1")), "{engine:?}: {told:?}");
    assert_eq!(site.events(&format!("card={ANNA}&name=RATE_LIMITED")).len(), 1);
}

/// To the second, of whichever limit: who waits so long is served, and no sooner.
fn what_is_too_often_says_when_it_is_not(engine: Engine) {
    let site = Site::start(engine);
    let report = |at: usize| {
        let report = json!({"serial": "AA", "kind": "pin-wrong", "at": at});
        site.send("/credprovapi/v1/reports", |http, url| http.post(url).json(&report))
    };
    let again = |answer: &reqwest::blocking::Response| {
        let seconds = answer.headers().get("retry-after")?.to_str().unwrap().parse::<u64>().unwrap();
        Some(Duration::from_secs(seconds))
    };
    assert!((0..120).all(|at| report(at).status() == 200));
    let refused = report(120);
    let wait = again(&refused).unwrap();
    assert!(refused.status() == 429 && (3400..=3600).contains(&wait.as_secs()), "{engine:?}: {wait:?}");
    site.clock.advance(wait - Duration::from_secs(200));
    assert!(again(&report(121)).is_some_and(|left| left <= Duration::from_secs(200)), "{engine:?}");
    site.clock.advance(Duration::from_secs(200));
    assert_eq!(report(122).status(), 200, "{engine:?}");
    // At a page, too.
    let log_in = || site.send("/mc/login", |http, url| http.post(url).form(&[("name", "nobody"), ("password", "x")]));
    assert!((0..5).all(|_| log_in().status() == 401));
    let refused = log_in();
    assert!(refused.status() == 429 && again(&refused).is_some_and(|wait| wait <= Duration::from_secs(300)), "{engine:?}");
}

/// For benches and load tests: no limit at all, that of failed logins neither.
#[test]
fn without_limits_there_are_none() {
    let site = Site::with(Engine::Sqlite, |server| server.without_limits());
    for (_, ask, times) in WAYS_IN {
        for at in 0..times + 5 {
            assert_ne!(ask(&site, at).status, 429);
        }
    }
    let (name, password) = sample::OPERATOR;
    for _ in 0..12 {
        site.post("/api/v1/login", "", &json!({"name": name, "password": "wrong"})).refused(401, "NOT_LOGGED_IN");
    }
    site.log_in((name, password));
}
