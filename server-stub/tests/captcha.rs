//! Letters of Remote Self-Service: seen or heard, typed once, the same for every name.

use crate::common::browser::Browser;
use crate::common::{Answer, Engine, MASTER, Site};
use cardlab_server_stub::model::captcha::Letters;
use cardlab_server_stub::model::vault::Vault;
use serde_json::{Value, json};
use std::time::Duration;

on_both_engines! {
    nobody_is_asked_where_it_is_off,
    a_name_is_taken_with_the_letters,
    letters_are_taken_once_and_for_a_while,
}

/// The letters that a token names, as who has the master key reads them.
fn letters(site: &Site, token: &str) -> String {
    Letters::of(&Vault::new(&MASTER).unwrap(), token, site.clock.now()).unwrap().as_str().to_owned()
}

/// A token of letters that are wanted now.
fn wanted(site: &Site) -> String {
    site.get("/api/v1/remote/captcha", "").ok()["token"].as_str().unwrap().to_owned()
}

fn enter(site: &Site, name: &str, token: &str, letters: &str) -> Answer {
    site.post("/api/v1/remote", "", &json!({"name": name, "captcha": {"token": token, "letters": letters}}))
}

fn on(engine: Engine) -> Site {
    let site = Site::start(engine);
    site.set_answers("anna");
    site.policy("authentication", "captcha", json!(true));
    site
}

fn nobody_is_asked_where_it_is_off(engine: Engine) {
    let site = Site::start(engine);
    assert_eq!(site.get("/api/v1/remote/captcha", "").ok(), json!({"token": null, "picture": null, "sound": null}));
    assert!(!site.page("/rss", "rss", "").contains("captcha"));
    site.post("/api/v1/remote", "", &json!({"name": "lab\\anna"})).ok();
    // Another policy than the one that stands for everybody changes nothing.
    let admin = site.administrator();
    site.post("/api/v1/policies", &admin, &json!({"name": "Aside", "settings": {"authentication": {"captcha": true}}})).ok();
    site.post("/api/v1/remote", "", &json!({"name": "lab\\anna"})).ok();
}

fn a_name_is_taken_with_the_letters(engine: Engine) {
    let site = on(engine);
    let shown = site.get("/api/v1/remote/captcha", "").ok();
    for (what, kind, begins) in [("picture", "image/png", &b"\x89PNG"[..]), ("sound", "audio/wav", &b"RIFF"[..])] {
        let made = site.send(shown[what].as_str().unwrap(), |http, url| http.get(url));
        assert_eq!((made.status().as_u16(), made.headers()["content-type"].to_str().unwrap()), (200, kind), "{engine:?}");
        assert!(made.bytes().unwrap().starts_with(begins));
    }
    for path in ["/rss/captcha.png?of=00", "/rss/captcha.wav?of="] {
        assert_eq!(site.send(path, |http, url| http.get(url)).status(), 404, "{path}");
    }
    // Whoever it is: no letters, no questions.
    let mut said: Vec<Value> = Vec::new();
    for name in ["lab\\anna", "lab\\nobody"] {
        said.push(site.post("/api/v1/remote", "", &json!({"name": name})).body);
        said.push(enter(&site, name, &wanted(&site), "AAAAA").body);
        said.push(enter(&site, name, "00", "AAAAA").body);
        let token = wanted(&site);
        let typed = letters(&site, &token).to_lowercase();
        assert!(enter(&site, name, &token, &format!(" {typed}")).ok()["questions"].is_array(), "{engine:?}: {name}");
    }
    assert!(said.iter().all(|said| *said == said_of(&site)), "{said:?}");
    // The page has what the program has: picture, sound, and the name that was typed when the letters were wrong.
    let browser = Browser::new(&site, "en");
    let page = browser.get("/rss").text;
    let token = page.split("name=\"captcha\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    assert!(page.contains(&format!("/rss/captcha.png?of={token}")) && page.contains(&format!("/rss/captcha.wav?of={token}")));
    assert!(!page.contains(&letters(&site, &token)), "the letters are not on the page");
    let post = |token: &str, letters: &str| {
        let fields = [("name", "lab\\anna"), ("captcha", token), ("letters", letters)];
        browser.send("/rss", &fields)
    };
    let wrong = post(&token, "AAAAA");
    assert!(browser.was_led() && wrong.path == "/rss", "{}", wrong.path);
    let page = wrong.text;
    assert!(page.contains("Type the letters of the picture") && page.contains("value=\"lab\\anna\""), "{page}");
    let another = page.split("name=\"captcha\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    assert_ne!(another, token);
    assert!(post(&another, &letters(&site, &another)).text.contains("Security questions"));
}

/// What is said to whom the letters are missing.
fn said_of(site: &Site) -> Value {
    let refused = site.post("/api/v1/remote", "", &json!({"name": "lab\\anybody"}));
    assert_eq!((refused.status, &refused.body["error"]), (403, &json!("CAPTCHA")));
    refused.body
}

fn letters_are_taken_once_and_for_a_while(engine: Engine) {
    let site = on(engine);
    let token = wanted(&site);
    let typed = letters(&site, &token);
    enter(&site, "lab\\anna", &token, &typed).ok();
    enter(&site, "lab\\anna", &token, &typed).refused(403, "CAPTCHA");
    // Nor after they were typed wrong, nor at another server of the same database.
    let token = wanted(&site);
    enter(&site, "lab\\anna", &token, "AAAAA").refused(403, "CAPTCHA");
    let other = site.second();
    enter(&other, "lab\\anna", &token, &letters(&site, &token)).refused(403, "CAPTCHA");
    // That one takes letters that it has not shown itself.
    let token = wanted(&site);
    enter(&other, "lab\\anna", &token, &letters(&site, &token)).ok();
    let token = wanted(&site);
    let typed = letters(&site, &token);
    site.clock.advance(Duration::from_secs(601));
    enter(&site, "lab\\anna", &token, &typed).refused(403, "CAPTCHA");
}
