//! *Reset user PIN on agent* over HTTP, on both engines.

use crate::common::{ANNA, Answer, BORIS, Engine, Site, expected, right, wrong};
use serde_json::{Value, json};
use std::time::Duration;

on_both_engines! {
    ordered_taken_confirmed_and_done,
    put_off_interrupted_and_cancelled,
    who_may_and_when,
}

fn order(site: &Site, token: &str, body: &Value) -> Answer {
    site.post(&format!("/api/v1/cards/{ANNA}/tasks"), token, body)
}

/// What an agent at this workstation hears.
fn ask(site: &Site, workstation: &str) -> Value {
    site.post("/credprovapi/v1/tasks", "", &json!({"serial": ANNA, "workstation": workstation})).ok()
}

fn later(site: &Site, session: &Value) -> Answer {
    site.post(&format!("/credprovapi/v1/sessions/{}/later", session["session"].as_str().unwrap()), "", &json!({}))
}

/// The newest task of Anna's card: its state, and whether it is slow.
fn state(site: &Site) -> (String, bool) {
    let tasks = site.get(&format!("/api/v1/cards/{ANNA}/tasks"), &site.operator()).ok();
    (tasks[0]["state"].as_str().unwrap().to_owned(), tasks[0]["slow"].as_bool().unwrap())
}

fn is(name: &str) -> (String, bool) {
    (name.to_owned(), false)
}

fn ordered_taken_confirmed_and_done(engine: Engine) {
    let (site, nothing) = (Site::start(engine), json!({"task": "none"}));
    site.set_answers("anna");
    assert_eq!(ask(&site, "WS1"), nothing);
    let oleg = site.operator();
    let task = order(&site, &oleg, &json!({"comment": "called in", "workstation": "ws1"})).ok();
    assert_eq!((&task["state"], &task["operator"]), (&json!("Idle"), &json!("oleg")));
    order(&site, &oleg, &json!({})).refused(409, "CONFLICT");
    // Only the workstation that it is for, and only one session at a time.
    assert_eq!(ask(&site, "WS2"), nothing);
    let session = ask(&site, "WS1");
    assert_eq!((&session["task"], session["questions"].as_array().unwrap().len()), (&json!("reset-user-pin"), 1));
    assert_eq!((ask(&site, "WS1"), state(&site)), (nothing.clone(), is("Running")));
    assert_eq!(site.answers(&session, wrong).ok(), json!({"ok": false}));
    site.challenge(&session).refused(400, "MALFORMED");
    assert_eq!(site.answers(&session, right).ok(), json!({"ok": true}));
    assert_eq!(site.challenge(&session).ok()["response"].as_str().unwrap(), expected(ANNA));
    site.report(&session, &json!({"outcome": "unlocked"})).ok();
    assert_eq!((ask(&site, "WS1"), state(&site)), (nothing, is("Completed")));
    let story = [
        "CARD_STATE_CHANGED",
        "TASK_ORDERED",
        "TASK_NOT_ORDERED",
        "UNLOCK_OPENED",
        "ANSWERS_WRONG",
        "ANSWERS_RIGHT",
        "RESPONSE_GIVEN",
        "CARD_UNLOCKED",
        "PIN_RESET",
    ];
    assert_eq!(site.events(&format!("card={ANNA}"))[1..], story, "{engine:?}");
    let log = site.get(&format!("/api/v1/events?card={ANNA}"), &oleg).text;
    assert!(log.contains("called in") && log.contains("WS1") && log.contains("\\\"channel\\\":\\\"agent\\\""), "{log}");
    let id = task["id"].as_str().unwrap();
    site.post(&format!("/api/v1/tasks/{id}/cancel"), &oleg, &json!({})).refused(409, "CONFLICT");
}

/// The user goes, the card goes, the agent dies, the operator changes their mind.
fn put_off_interrupted_and_cancelled(engine: Engine) {
    let site = Site::start(engine);
    site.set_answers("anna");
    let oleg = site.operator();
    let task = order(&site, &oleg, &json!({})).ok();
    let none = |site: &Site| assert_eq!(ask(site, "WS1"), json!({"task": "none"}));
    // Cancelled by the user: asked again after a minute.
    let session = ask(&site, "WS1");
    later(&site, &session).ok();
    later(&site, &session).refused(410, "SESSION_OVER");
    site.answers(&session, right).refused(410, "SESSION_OVER");
    assert_eq!(state(&site), is("Idle"));
    site.clock.advance(Duration::from_secs(59));
    none(&site);
    site.clock.advance(Duration::from_secs(2));
    // The card goes after the response.
    let session = ask(&site, "WS1");
    site.answers(&session, right).ok();
    site.challenge(&session).ok();
    site.report(&session, &json!({"outcome": "gone"})).ok();
    assert_eq!(state(&site), is("Idle"));
    site.clock.advance(Duration::from_secs(61));
    // The agent dies: the task is shown as slow, and another agent takes it. Another process of the server as well.
    ask(&site, "WS1");
    none(&site);
    site.clock.advance(Duration::from_secs(11 * 60));
    assert_eq!(state(&site), ("Running".into(), true));
    let second = site.second();
    second.clock.advance(Duration::from_secs(14 * 60));
    let session = ask(&second, "WS2");
    assert_eq!(session["task"], "reset-user-pin");
    // Cancelled by an operator while the user is asked.
    let id = task["id"].as_str().unwrap();
    site.post(&format!("/api/v1/tasks/{id}/cancel"), &oleg, &json!({})).ok();
    assert_eq!(state(&site), is("Cancelled"));
    second.answers(&session, right).refused(410, "SESSION_OVER");
    none(&site);
    // The card refuses the next one's response.
    order(&site, &oleg, &json!({})).ok();
    let session = ask(&site, "WS1");
    site.answers(&session, right).ok();
    site.challenge(&session).ok();
    site.report(&session, &json!({"outcome": "refused", "tries_left": 4})).ok();
    assert_eq!(state(&site), is("Error"));
    let names = site.events(&format!("card={ANNA}"));
    for name in ["TASK_CANCELLED_BY_USER", "CARD_GONE", "TASK_CANCELLED", "CARD_REFUSED_RESPONSE", "PIN_NOT_RESET"] {
        assert!(names.iter().any(|n| n == name), "{name} in {names:?}");
    }
}

/// Judged when it is ordered, when it is taken, and when the response is asked for.
fn who_may_and_when(engine: Engine) {
    let site = Site::start(engine);
    site.set_answers("anna");
    let oleg = site.operator();
    site.policy("workflow", "reset_user_pin", json!(false));
    assert!(order(&site, &oleg, &json!({})).refused(403, "DISABLED_BY_POLICY").contains("Reset user PIN"));
    site.policy("workflow", "reset_user_pin", json!(true));
    order(&site, "nobody", &json!({})).refused(401, "NOT_LOGGED_IN");
    site.post("/api/v1/cards/00/tasks", &oleg, &json!({})).refused(404, "NOT_FOUND");
    order(&site, &oleg, &json!({"comment": 7})).refused(400, "MALFORMED");
    site.post("/api/v1/tasks/none/cancel", &oleg, &json!({})).refused(404, "NOT_FOUND");
    order(&site, &oleg, &json!({"comment": "<b>'; DROP TABLE tasks; --"})).ok();
    let page = site.page(&format!("/mc/cards/{ANNA}"), "mc", &oleg);
    assert!(page.contains("DROP TABLE") && !page.contains("<b>'"), "{page}");
    site.policy("workflow", "reset_user_pin", json!(false));
    assert_eq!(ask(&site, "WS1"), json!({"task": "none"}));
    site.policy("workflow", "reset_user_pin", json!(true));
    let session = ask(&site, "WS1");
    site.answers(&session, right).ok();
    site.policy("workflow", "reset_user_pin", json!(false));
    site.challenge(&session).refused(410, "SESSION_OVER");
    // Wrong answers lock the user here as well, and a locked user is not asked again.
    site.policy("workflow", "reset_user_pin", json!(true));
    later(&site, &session).ok();
    site.clock.advance(Duration::from_secs(61));
    let session = ask(&site, "WS1");
    site.answers(&session, wrong).ok();
    site.answers(&session, wrong).ok();
    assert_eq!(site.answers(&session, wrong).ok(), json!({"mode": "offline"}));
    assert_eq!(ask(&site, "WS1"), json!({"task": "none"}));
    // A card whose user has set no answers has nobody to ask.
    site.post(&format!("/api/v1/cards/{BORIS}/tasks"), &oleg, &json!({})).ok();
    let asked = site.post("/credprovapi/v1/tasks", "", &json!({"serial": BORIS, "workstation": "WS1"})).ok();
    assert_eq!(asked, json!({"task": "none"}));
}
