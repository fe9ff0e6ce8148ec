//! What users do with their own cards: in Self-Service and in Remote Self-Service, as their policy lets them.

use crate::common::{ANNA, BORIS, CHALLENGE, Engine, Site, given, right};
use crate::issue::RecordingStation;
use reqwest::header::COOKIE;
use serde_json::{Value, json};
use std::sync::Arc;

on_both_engines! {
    a_user_takes_a_card_out_of_use,
    each_permission_is_one_of_the_policy,
    the_cards_of_others_are_not_there,
    a_remote_user_does_the_same,
    a_pin_is_changed_at_the_card,
}

/// Anna in Self-Service.
struct Own<'s> {
    site: &'s Site,
    token: String,
    csrf: String,
}

impl<'s> Own<'s> {
    fn of(site: &'s Site) -> Self {
        let login =
            site.send("/ss/login", |http, url| http.post(url).form(&[("name", "lab\\anna"), ("password", "anna-password")]));
        let cookie = login.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
        let token = cookie.strip_prefix("ss=").unwrap().to_owned();
        let page = site.page("/ss", "ss", &token);
        let csrf = page.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        Self { site, token, csrf }
    }

    /// A form of the page is sent; gives what the page says then.
    fn post(&self, path: &str, fields: &[(&str, &str)]) -> String {
        let cookie = format!("ss={}", self.token);
        let fields = [&[("csrf", self.csrf.as_str())], fields].concat();
        let sent = self.site.send(path, |http, url| http.post(url).header(COOKIE, &cookie).form(&fields));
        assert_eq!((sent.status().as_u16(), sent.headers()["location"].to_str().unwrap()), (303, "/ss"));
        let notice = sent.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
        self.site.send("/ss", |http, url| http.get(url).header(COOKIE, format!("{cookie}; {notice}"))).text().unwrap()
    }

    fn operate(&self, card: &str, operation: &str) -> String {
        self.post("/ss/cards", &[("card", card), ("operation", operation), ("reason", "lost")])
    }

    fn page(&self) -> String {
        self.site.page("/ss", "ss", &self.token)
    }
}

/// State and reason of a card.
fn card(site: &Site, serial: &str) -> (String, String) {
    let card = site.get(&format!("/api/v1/cards/{serial}"), &site.administrator()).ok();
    let field = |name: &str| card[name].as_str().unwrap_or_default().to_owned();
    (field("state"), field("revokeReason"))
}

fn is(state: &str, reason: &str) -> (String, String) {
    (state.to_owned(), reason.to_owned())
}

fn offers(page: &str, operation: &str) -> bool {
    page.contains(&format!("name=\"operation\" value=\"{operation}\""))
}

/// The last event of a card: its name, who did it, and its detail.
fn last(site: &Site, serial: &str) -> (String, String, Value) {
    let events = site.get(&format!("/api/v1/events?card={serial}"), &site.administrator()).ok();
    let last = events.as_array().unwrap().last().unwrap().clone();
    let field = |name: &str| last[name].as_str().unwrap().to_owned();
    let detail = field("detail");
    (field("name"), field("initiator"), if detail.is_empty() { Value::Null } else { serde_json::from_str(&detail).unwrap() })
}

fn a_user_takes_a_card_out_of_use(engine: Engine) {
    let site = Site::start(engine);
    let anna = Own::of(&site);
    let page = anna.page();
    assert!(offers(&page, "disable") && offers(&page, "revoke") && !offers(&page, "enable"), "{page}");
    let page = anna.operate(ANNA, "disable");
    assert!(page.contains("is Disabled now."), "{page}");
    assert!(offers(&page, "enable") && !offers(&page, "disable"), "{page}");
    assert_eq!(card(&site, ANNA), is("Disabled", ""));
    let detail = json!({"from": "Issued", "to": "Disabled", "operation": "disable", "reason": ""});
    assert_eq!(last(&site, ANNA), ("CARD_STATE_CHANGED".into(), "LAB\\anna".into(), detail));
    // A double click, or a page that is old.
    assert!(anna.operate(ANNA, "disable").contains("The card is Disabled"));
    assert_eq!(last(&site, ANNA).0, "CARD_STATE_NOT_CHANGED");
    anna.operate(ANNA, "enable");
    assert_eq!(card(&site, ANNA), is("Issued", ""));
    let refused = anna.post("/ss/cards", &[("card", ANNA), ("operation", "revoke"), ("reason", "because")]);
    assert!(refused.contains("Say why"), "{refused}");
    let page = anna.operate(ANNA, "revoke");
    assert_eq!(card(&site, ANNA), is("Revoked", "lost"));
    assert!(!page.contains("name=\"operation\""), "nothing is left to do with it: {page}");
}

fn each_permission_is_one_of_the_policy(engine: Engine) {
    let site = Site::start(engine);
    let anna = Own::of(&site);
    for (operation, before, permission) in
        [("disable", "Issued", "disable_card"), ("enable", "Disabled", "enable_card"), ("revoke", "Issued", "revoke_card")]
    {
        assert_eq!(card(&site, ANNA).0, before, "{engine:?}");
        site.policy("workflow", permission, json!(false));
        assert!(!offers(&anna.page(), operation), "{engine:?}: {operation}");
        // A page that was open before.
        let refused = anna.operate(ANNA, operation);
        assert!(refused.contains("not done in Self-Service"), "{refused}");
        assert_eq!((card(&site, ANNA).0, last(&site, ANNA).2["reason"].clone()), (before.into(), json!("DISABLED_BY_POLICY")));
        site.policy("workflow", permission, json!(true));
        anna.operate(ANNA, operation);
        assert_ne!(card(&site, ANNA).0, before, "{engine:?}: {operation}");
    }
    // What is an operator's is never a user's.
    for operation in ["assign", "issue", "withdraw"] {
        assert!(anna.operate(ANNA, operation).contains("not done in Self-Service"));
    }
    assert_eq!(card(&site, ANNA).0, "Revoked");
}

fn the_cards_of_others_are_not_there(engine: Engine) {
    let site = Site::start(engine);
    let anna = Own::of(&site);
    for serial in [BORIS, "00"] {
        for operation in ["disable", "revoke"] {
            assert!(anna.operate(serial, operation).contains("There is no such card of yours"), "{engine:?}");
        }
    }
    assert_eq!(card(&site, BORIS), is("Issued", ""));
    assert_eq!(last(&site, BORIS).0, "CARD_STATE_NOT_CHANGED");
    let forged = [("csrf", ""), ("card", ANNA), ("operation", "disable")];
    let cookie = format!("ss={}", anna.token);
    let sent = site.send("/ss/cards", |http, url| http.post(url).header(COOKIE, &cookie).form(&forged));
    assert_eq!((sent.status().as_u16(), card(&site, ANNA)), (403, is("Issued", "")));
}

fn a_remote_user_does_the_same(engine: Engine) {
    let site = Site::start(engine);
    site.set_answers("anna");
    let session = site.post("/api/v1/remote", "", &json!({"name": "lab\\anna"})).ok();
    let path = format!("/api/v1/remote/{}", session["session"].as_str().unwrap());
    let operate = |serial: &str, operation: &str, reason: Value| {
        site.post(&format!("{path}/operations"), "", &json!({"card": serial, "operation": operation, "reason": reason}))
    };
    operate(ANNA, "disable", Value::Null).refused(409, "ANSWERS_FIRST");
    assert_eq!(card(&site, ANNA).0, "Issued", "nothing before the answers");
    assert_eq!(site.post(&format!("{path}/answers"), "", &given(&session["questions"], right)).ok()["ok"], true);
    operate(BORIS, "disable", Value::Null).refused(404, "NOT_FOUND");
    let disabled = operate(ANNA, "disable", Value::Null).ok();
    assert_eq!((&disabled["state"], &disabled["operations"]), (&json!("Disabled"), &json!(["enable", "revoke"])));
    let challenge = json!({"card": ANNA, "challenge": CHALLENGE});
    site.post(&format!("{path}/challenge"), "", &challenge).refused(409, "CARD_STATE");
    operate(ANNA, "enable", Value::Null).ok();
    site.post(&format!("{path}/challenge"), "", &challenge).ok();
    site.policy("workflow", "revoke_card", json!(false));
    operate(ANNA, "revoke", json!("faulty")).refused(403, "DISABLED_BY_POLICY");
    let cards = site.get(&format!("{path}/cards"), "").ok();
    assert_eq!(cards[0]["operations"], json!(["disable"]));
    site.policy("workflow", "revoke_card", json!(true));
    operate(ANNA, "revoke", Value::Null).refused(400, "MALFORMED");
    assert_eq!(operate(ANNA, "revoke", json!("compromised")).ok()["state"], "Revoked");
    assert_eq!(card(&site, ANNA), is("Revoked", "compromised"));
}

fn a_pin_is_changed_at_the_card(engine: Engine) {
    let station = Arc::new(RecordingStation::default());
    let readers = Arc::clone(&station);
    let site = Site::with(engine, |server| server.with_station(readers));
    let anna = Own::of(&site);
    let change = |card: &str, old: &str, new: &str, again: &str| {
        anna.post("/ss/pin", &[("card", card), ("old_pin", old), ("new_pin", new), ("again_pin", again)])
    };
    assert!(anna.page().contains("name=\"old_pin\""));
    assert!(change(ANNA, "1111", "2222", "2223").contains("The two entries of the new PIN differ"));
    assert!(change(BORIS, "1111", "2222", "2222").contains("There is no such card of yours"));
    assert_eq!(station.ordered(), [], "neither has come to a card");
    station.will_say("the PIN is wrong; 2 tries left");
    assert!(change(ANNA, "1112", "2222", "2222").contains("The PIN is wrong; 2 tries left."));
    let (name, by, detail) = last(&site, ANNA);
    assert_eq!((name.as_str(), by.as_str()), ("PIN_NOT_CHANGED", "LAB\\anna"));
    assert_eq!(detail, json!({"reason": "the PIN is wrong; 2 tries left"}));
    let page = change(ANNA, "1111", "2222", "2222");
    assert!(page.contains("has its new PIN."), "{page}");
    let ordered = [(vec![], None, Some("2222 for 1112".into())), (vec![], None, Some("2222 for 1111".into()))];
    assert_eq!(station.ordered(), ordered, "no administrator key is asked for it");
    assert_eq!(last(&site, ANNA).0, "PIN_CHANGED");
    let events = site.get(&format!("/api/v1/events?card={ANNA}"), &site.administrator()).ok().to_string();
    assert!(!events.contains("1111") && !events.contains("2222"), "no PIN in the log: {events}");
    // Switched off, or out of use, or without readers.
    site.policy("workflow", "change_pin", json!(false));
    assert!(!anna.page().contains("name=\"old_pin\""));
    assert!(change(ANNA, "1111", "2222", "2222").contains("PINs are not changed in Self-Service"));
    site.policy("workflow", "change_pin", json!(true));
    anna.operate(ANNA, "disable");
    assert!(!anna.page().contains("name=\"old_pin\""));
    assert!(change(ANNA, "1111", "2222", "2222").contains("The card is not in use"));
    anna.operate(ANNA, "enable");
    let elsewhere = site.second();
    let there = Own { site: &elsewhere, token: anna.token.clone(), csrf: anna.csrf.clone() };
    assert!(!there.page().contains("name=\"old_pin\""));
    assert_eq!(station.ordered(), []);
}
