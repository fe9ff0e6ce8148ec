//! Every form of every page: sent twice it does what it does once, sent when its login has ended it is not lost.

use crate::common::browser::{Browser, Form, between, forms};
use crate::common::{ANNA, BORIS, CHALLENGE, Engine, Site, right, wrong};
use crate::issue::RecordingStation;
use cardlab_server_stub::service::setup::sample;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

on_both_engines! {
    a_form_sent_twice_does_what_it_does_once,
    what_was_typed_when_a_login_ended_is_kept,
    an_unlocks_forms_sent_twice_do_what_they_do_once,
    users_forms_sent_twice_do_what_they_do_once,
}

/// What somebody types into a field that is empty.
fn typed(name: &str) -> String {
    match name {
        "user" | "operator_user" => "LAB\\clara",
        "logon" => "LAB\\twin",
        "upn" => "twin@lab.example",
        "user_password" | "password" => "a-secret-of-hers",
        "admin_key" => "000102030405060708090A0B0C0D0E0F1011121314151617",
        "serial" => "E0F1",
        "challenge" => CHALLENGE,
        "own_text" => "Which twin was first?",
        "own_answer" | "own_again" => "Twin one",
        "workstation" => "WS1",
        "cn" | "name" | "operator_name" | "role_name" | "type_name" | "text" | "label" | "comment" | "add" => "Twin",
        _ if name.starts_with("answer:") || name.starts_with("again:") || name.ends_with("_pin") => "Twin",
        _ => "",
    }
    .into()
}

/// Fields whose text nobody but who typed it may have.
const SECRET: [&str; 4] = ["user_password", "password", "admin_key", "default_user_pin"];

/// A site on which much can be done, and who does it.
fn site(engine: Engine) -> Site {
    let site = Site::with(engine, |server| server.with_station(Arc::new(RecordingStation::default())));
    let admin = site.administrator();
    site.set_answers("anna");
    site.policy("issuance", "maximum_cards", json!(5));
    for serial in ["D0", "D1"] {
        site.post("/api/v1/cards", &admin, &json!({"serial": serial, "card_type": "gids-sim", "untried": true})).ok();
    }
    site.post("/api/v1/cards/D1/assign", &admin, &json!({"user": "lab\\anna"})).ok();
    // Somebody has answered wrongly, somebody's PIN is to be reset.
    site.answers(&site.open(ANNA), wrong).ok();
    let serial = site.user_with_card(7);
    let task = json!({"comment": "", "workstation": "WS1"});
    site.post(&format!("/api/v1/cards/{serial}/tasks"), &admin, &task).ok();
    site.post(&format!("/api/v1/cards/{BORIS}/disable"), &admin, &json!({})).ok();
    site.put("/api/v1/roles/Unused", &admin, &json!({"privileges": []})).ok();
    for name in ["Second", "Third", "Fourth"] {
        site.post("/api/v1/policies", &admin, &json!({"name": name})).ok();
    }
    let boris = site.user("boris");
    site.post(&format!("/api/v1/users/{boris}/disable"), &admin, &json!({})).ok();
    site
}

/// Every form of the pages that links lead to.
fn all_forms(browser: &Browser<'_>, from: &str) -> BTreeSet<Form> {
    let (mut to_see, mut seen, mut found) = (vec![from.to_owned()], BTreeSet::new(), BTreeSet::new());
    while let Some(path) = to_see.pop() {
        if !seen.insert(path.clone()) {
            continue;
        }
        let page = browser.get(&path);
        assert_eq!(page.status, 200, "{path}");
        let links = between(&page.text, "href=\"", "\"").into_iter().filter(|link| link.starts_with("/mc"));
        to_see.extend(links.filter(|link| !link.contains(['?', '#'])).map(str::to_owned));
        found.extend(forms(&page.text).into_iter().filter(|form| form.action != "/mc/logout"));
    }
    found
}

/// What a form is about: its address without what stands in it, and what it does of several things.
fn kind(form: &Form) -> String {
    let is_word = |part: &&str| part.bytes().all(|letter| letter.is_ascii_lowercase() || letter == b'-');
    let words: Vec<_> = form.action.split('/').map(|part| if is_word(&part) { part } else { "*" }).collect();
    let path = words.join("/");
    match form.fields.get("operation") {
        Some(operation) => format!("{path} {operation}"),
        None => path,
    }
}

/// The fields as somebody fills them.
fn filled(form: &Form) -> Vec<(String, String)> {
    let fill = |(name, text): (&String, &String)| (name.clone(), if text.is_empty() { typed(name) } else { text.clone() });
    form.fields.iter().map(fill).collect()
}

fn send(browser: &Browser<'_>, form: &Form, fields: &[(String, String)]) -> crate::common::browser::Page {
    let fields: Vec<_> = fields.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    browser.send(&form.action, &fields)
}

/// All that a form can change, but how often a key was changed.
fn state(site: &Site) -> Value {
    let admin = site.administrator();
    let list = |path: &str| site.get(path, &admin).ok();
    let policies = list("/api/v1/policies");
    let questions = policies.as_array().unwrap().iter().map(|policy| {
        let id = policy["id"].as_str().unwrap();
        list(&format!("/api/v1/policies/{id}/questions"))
    });
    let questions: Vec<_> = questions.collect();
    let users = list("/api/v1/users");
    let under =
        users.as_array().unwrap().iter().map(|user| list(&format!("/api/v1/users/{}/policies", user["id"].as_str().unwrap())));
    let staff = site.block_on(async {
        let operator = site.server.logins().operator(&admin).await.unwrap();
        let staff = site.server.staff().all(&operator).await.unwrap();
        json!({
            "roles": staff.roles,
            "operators": staff.operators.iter().map(|member| json!([member.name, member.role])).collect::<Vec<_>>(),
        })
    });
    json!([policies, questions, under.collect::<Vec<_>>(), users, list("/api/v1/cards"), list("/api/v1/card-types"), staff])
}

/// A double click, and a page that is stale: other forms of its page were sent before.
fn a_form_sent_twice_does_what_it_does_once(engine: Engine) {
    let site = site(engine);
    let browser = Browser::logged_in(&site, "en", "/mc", sample::ADMINISTRATOR);
    let found = all_forms(&browser, "/mc");
    let (mut kinds, mut done) = (BTreeSet::new(), BTreeSet::new());
    // What takes something away comes last, so that all can be done.
    let takes_away = |form: &Form| ["delete", "remove", "revoke", "disable"].iter().any(|end| form.action.ends_with(end));
    let (last, first): (Vec<_>, Vec<_>) = found.iter().partition(|form| takes_away(form));
    for form in first.into_iter().chain(last) {
        let (kind, fields, before) = (kind(form), filled(form), state(&site));
        let first = send(&browser, form, &fields);
        let once = state(&site);
        let second = send(&browser, form, &fields);
        for page in [&first, &second] {
            assert!(page.status < 500, "{kind}: {}", page.text);
            // Whoever is refused reads why.
            assert!(page.status == 200 || !page.alerts().is_empty(), "{kind}: {}", page.text);
        }
        assert_eq!(state(&site), once, "{engine:?}: {kind} {fields:?}, twice");
        if before != once {
            done.insert(kind.clone());
        }
        kinds.insert(kind);
    }
    let none = BTreeSet::new();
    assert_eq!(
        kinds.symmetric_difference(&KINDS.map(str::to_owned).into()).collect::<BTreeSet<_>>(),
        none,
        "forms of the console"
    );
    let new = ["users/new", "connected", "configuration/policies", "configuration/operators", "configuration/roles"];
    let done_by = |path: &&str| done.contains(&format!("/mc/{path}"));
    assert!(new.iter().chain(&["configuration/policies/*/up", "cards/*/assign"]).all(done_by), "{done:?}");
}

/// The console's forms but those of an unlock. Who adds one has looked at what it does twice.
const KINDS: [&str; 42] = [
    "/mc/cards/*/assign",
    "/mc/cards/*/correct-key",
    "/mc/cards/*/disable",
    "/mc/cards/*/enable",
    "/mc/cards/*/issue",
    "/mc/cards/*/remove",
    "/mc/cards/*/reset-pin",
    "/mc/cards/*/revoke",
    "/mc/cards/*/roll-key",
    "/mc/cards/*/tags",
    "/mc/cards/*/tasks",
    "/mc/cards/*/withdraw",
    "/mc/cards/*/wizard",
    "/mc/configuration/card-types",
    "/mc/configuration/card-types/delete",
    "/mc/configuration/operators",
    "/mc/configuration/operators/*",
    "/mc/configuration/operators/*/delete",
    "/mc/configuration/operators/*/role",
    "/mc/configuration/policies",
    "/mc/configuration/policies/*/authentication",
    "/mc/configuration/policies/*/delete",
    "/mc/configuration/policies/*/issuance",
    "/mc/configuration/policies/*/name",
    "/mc/configuration/policies/*/questions",
    "/mc/configuration/policies/*/questions/*",
    "/mc/configuration/policies/*/questions/*/delete",
    "/mc/configuration/policies/*/questions/*/up",
    "/mc/configuration/policies/*/up",
    "/mc/configuration/policies/*/workflow",
    "/mc/configuration/roles",
    "/mc/configuration/roles/*/delete",
    "/mc/connected",
    "/mc/log/check",
    "/mc/tasks/*/cancel",
    "/mc/users/*/data",
    "/mc/users/*/disable",
    "/mc/users/*/enable",
    "/mc/users/*/policies",
    "/mc/users/*/reset-answers",
    "/mc/users/*/unlock",
    "/mc/users/new",
];

/// Each form of the console, sent when its login has ended: it waits for the next login, but for what is secret.
fn what_was_typed_when_a_login_ended_is_kept(engine: Engine) {
    let site = site(engine);
    let browser = Browser::logged_in(&site, "en", "/mc", sample::ADMINISTRATOR);
    let found = all_forms(&browser, "/mc");
    let before = state(&site);
    let one_of_a_kind: BTreeMap<_, _> = found.iter().map(|form| (kind(form), form)).collect();
    for (kind, form) in one_of_a_kind {
        let late = browser.after_its_login("/mc");
        let fields = filled(form);
        let login = send(&late, form, &fields);
        assert!(late.was_led() && login.path.starts_with("/mc/login?"), "{engine:?}: {kind}: {}", login.path);
        let is_secret = |name: &str| name == "csrf" || SECRET.contains(&name);
        let kept: BTreeMap<String, String> = fields.iter().filter(|(name, _)| !is_secret(name)).cloned().collect();
        for (name, text) in fields.iter().filter(|(name, text)| is_secret(name) && !text.is_empty()) {
            assert!(!login.text.contains(text.as_str()), "{kind}: {name} {text}: {}", login.text);
        }
        let mut door = forms(&login.text).remove(0);
        let (name, password) = sample::ADMINISTRATOR;
        door.fields.insert("name".into(), name.into());
        door.fields.insert("password".into(), password.into());
        let back = send(&late, &door, &door.fields.clone().into_iter().collect::<Vec<_>>());
        assert_eq!(back.status, 200, "{kind}");
        if kept.is_empty() {
            continue;
        }
        let again = forms(&back.text).into_iter().filter(|again| again.action == form.action);
        let again = again.map(|Form { mut fields, .. }| {
            assert!(fields.contains_key("csrf"), "{kind}");
            // What is secret is typed again.
            fields.retain(|name, _| !is_secret(name));
            fields
        });
        let again: Vec<_> = again.collect();
        assert!(again.contains(&kept), "{engine:?}: {kind}: {kept:?}, {again:?}");
    }
    assert_eq!(state(&site), before, "{engine:?}: nothing was sent by itself");
}

/// The right answers to the questions of a page.
fn answered(page: &str) -> Vec<(String, String)> {
    let labels = between(page, "<label for=\"q-", "</label>").into_iter().filter_map(|label| label.split_once("\">"));
    labels.map(|(id, question)| (format!("answer:{id}"), right(question))).collect()
}

/// The steps of an unlock: what is counted is counted once, and the response is the same.
fn an_unlocks_forms_sent_twice_do_what_they_do_once(engine: Engine) {
    let site = site(engine);
    let browser = Browser::logged_in(&site, "en", "/mc", sample::ADMINISTRATOR);
    let card = format!("/mc/cards/{ANNA}");
    let path = browser.send_from(&card, &format!("{card}/wizard"), &[]).path;
    let twice = |step: &str, fields: &[(&str, &str)]| {
        let csrf = between(&browser.get(&path).text, "name=\"csrf\" value=\"", "\"")[0].to_owned();
        let fields = [&[("csrf", csrf.as_str())], fields].concat();
        browser.send(&format!("{path}/{step}"), &fields);
        let once = (state(&site), steps(&browser.get(&path).text));
        let second = browser.send(&format!("{path}/{step}"), &fields);
        assert!(second.status == 200 || !second.alerts().is_empty(), "{step}: {}", second.text);
        assert_eq!((state(&site), steps(&browser.get(&path).text)), once, "{engine:?}: {step}, twice");
    };
    let answers = answered(&browser.get(&path).text);
    let answers: Vec<_> = answers.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    twice("answers", &answers);
    twice("challenge", &[("challenge", CHALLENGE), ("check", "")]);
    twice("again", &[]);
}

/// Where an unlock's page says that it is, with the response.
fn steps(page: &str) -> Vec<String> {
    let shown = [
        ("<ol class=\"steps\">", "</ol>"),
        ("<p class=\"code\"", "</p>"),
        ("<p class=\"aside soft\" id=\"left\" data-live>", "</p>"),
    ];
    shown.iter().flat_map(|(start, end)| between(page, start, end)).map(str::to_owned).collect()
}

/// Self-Service and Remote Self-Service.
fn users_forms_sent_twice_do_what_they_do_once(engine: Engine) {
    let site = site(engine);
    let browser = Browser::logged_in(&site, "en", "/ss", ("lab\\anna", "anna-password"));
    site.policy("authentication", "own_questions", json!(2));
    let own = [("own_text", "Whose cat slept there?"), ("own_answer", "Berta"), ("own_again", "Berta")];
    browser.send_from("/ss", "/ss/questions", &own);
    let page = browser.get("/ss");
    let own: Vec<_> = forms(&page.text).into_iter().filter(|form| form.action != "/ss/logout").collect();
    let kinds: BTreeSet<_> = own.iter().map(kind).collect();
    let all = ["/ss/answers", "/ss/cards disable", "/ss/cards revoke", "/ss/pin", "/ss/questions", "/ss/questions/delete"];
    assert_eq!(kinds, all.map(str::to_owned).into(), "{engine:?}");
    for form in &own {
        let kind = kind(form);
        let fields = filled(form);
        // A login that has ended: nothing that was typed here is on a page, as all of it is secret.
        let nobody = browser.after_its_login("/ss");
        let late = send(&nobody, form, &fields);
        assert!(nobody.was_led() && late.path.starts_with("/ss/login?"), "{kind}: {}", late.path);
        assert!(!late.text.contains("Twin") && late.text.contains("What you typed was not sent yet."), "{kind}: {}", late.text);
        send(&browser, form, &fields);
        let once = state(&site);
        let second = send(&browser, form, &fields);
        assert!(second.status == 200 || !second.alerts().is_empty(), "{kind}: {}", second.text);
        assert_eq!(state(&site), once, "{engine:?}: {kind}, twice");
    }
    // The whole way through Remote Self-Service, each step twice.
    let site = self::site(engine);
    let browser = Browser::new(&site, "en");
    let twice = |path: &str, fields: &[(&str, &str)]| {
        browser.send_from("/rss", path, fields);
        let once = (state(&site), browser.get("/rss").text);
        let page = browser.get("/rss");
        let csrf = between(&page.text, "name=\"csrf\" value=\"", "\"").first().copied().unwrap_or_default();
        let second = browser.send(path, &[&[("csrf", csrf)], fields].concat());
        assert!(second.status < 500, "{path}: {}", second.text);
        assert_eq!((state(&site), browser.get("/rss").text), once, "{engine:?}: {path}, twice");
    };
    browser.send("/rss", &[("name", "lab\\anna")]);
    let answers = answered(&browser.get("/rss").text);
    let answers: Vec<_> = answers.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    twice("/rss/answers", &answers);
    twice("/rss/unblock", &[("card", ANNA), ("challenge", CHALLENGE)]);
    twice("/rss/again", &[]);
    twice("/rss/cards", &[("card", ANNA), ("operation", "disable")]);
    twice("/rss/cards", &[("card", ANNA), ("operation", "enable")]);
    twice("/rss/cards", &[("card", ANNA), ("operation", "revoke"), ("reason", "lost")]);
}
