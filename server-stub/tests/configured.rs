//! What administrators set: the order of questions, card types that are changed and deleted, who is told of what another has
//! saved, and names that an older version told apart.

use crate::common::browser::{Browser, Page, between, unescaped};
use crate::common::{ANNA, Engine, Site, given, right};
use cardlab_server_stub::service::setup::{AES_CARD_TYPE, CARD_TYPE, sample};
use serde_json::{Value, json};

on_both_engines! {
    questions_are_asked_in_the_order_that_was_chosen,
    an_order_of_questions_is_moved_once_however_often_it_is_sent,
    a_card_type_is_changed_and_deleted_as_far_as_cards_let_it,
    whoever_saves_second_is_told_at_every_form,
    programs_are_told_as_well,
    names_that_differ_by_their_spelling_alone_are_listed,
}

fn value(tag: &str, attribute: &str) -> String {
    between(tag, &format!(" {attribute}=\""), "\"").first().map(|text| unescaped(text)).unwrap_or_default()
}

/// The forms of a page that go to this address, each from its first tag to its last.
fn forms_to<'p>(page: &'p Page, action: &str) -> Vec<&'p str> {
    let forms = between(&page.text, "<form", "</form>");
    forms.into_iter().filter(|form| value(&form[..form.find('>').unwrap()], "action") == action).collect()
}

/// The revision that a form carries, of those to this address the one that has this text.
fn revision(page: &Page, action: &str, with: &str) -> String {
    let form = forms_to(page, action).into_iter().find(|form| form.contains(with)).unwrap_or_else(|| panic!("{}", page.text));
    let was = between(form, "<input", ">").into_iter().find(|tag| value(tag, "name") == "was").unwrap();
    value(was, "value")
}

fn texts(questions: &Value) -> Vec<String> {
    questions.as_array().unwrap().iter().map(|question| question["text"].as_str().unwrap().to_owned()).collect()
}

fn default_policy(site: &Site) -> String {
    site.get("/api/v1/policies", &site.administrator()).ok()[0]["id"].as_str().unwrap().to_owned()
}

fn questions_are_asked_in_the_order_that_was_chosen(engine: Engine) {
    let site = Site::start(engine);
    site.set_answers("anna");
    site.policy("authentication", "questions_to_ask", json!(3));
    let (admin, policy) = (site.administrator(), default_policy(&site));
    let list = || texts(&site.get(&format!("/api/v1/policies/{policy}/questions"), &admin).ok());
    assert_eq!(list(), sample::QUESTIONS, "{engine:?}: as they were made");
    let page = format!("/mc/configuration/policies/{policy}/authentication");
    let browser = Browser::logged_in(&site, "en", "/mc", sample::ADMINISTRATOR);
    let press = |button: &str| {
        let shown = browser.get(&page);
        let form =
            between(&shown.text, "<form", "</form>").into_iter().find(|form| form.contains(&format!("aria-label=\"{button}\"")));
        let form = form.unwrap_or_else(|| panic!("no {button}: {}", shown.text));
        let over = between(form, "<input", ">").into_iter().find(|tag| value(tag, "name") == "over").unwrap();
        let moved = browser.send_from(&page, &value(form, "action"), &[("over", &value(over, "value"))]);
        assert!(moved.text.contains("The order of the questions is changed"), "{}", moved.text);
        moved
    };
    let [pet, town, teacher] = sample::QUESTIONS;
    press(&format!("Move up: {teacher}"));
    assert_eq!(list(), [pet, teacher, town]);
    let shown = press(&format!("Move down: {pet}"));
    assert_eq!(list(), [teacher, pet, town]);
    // Neither does the first go up, nor the last down.
    for nowhere in [format!("Move up: {teacher}"), format!("Move down: {town}")] {
        assert!(!shown.text.contains(&nowhere), "{nowhere}");
    }
    let listed: Vec<_> = between(&shown.text, "<li><div>", "<div").into_iter().map(unescaped).collect();
    assert_eq!(listed, [teacher, pet, town]);
    // At the lock screen, to an operator, and where she sets her answers.
    let session = site.open(ANNA);
    assert_eq!(texts(&session["questions"]), [teacher, pet, town]);
    assert_eq!(site.answers(&session, right).ok(), json!({"ok": true}));
    let oleg = site.operator();
    let wizard = site.post(&format!("/api/v1/cards/{ANNA}/wizard"), &oleg, &json!({})).ok();
    assert_eq!(texts(&wizard["questions"]), [teacher, pet, town]);
    let answered = format!("/api/v1/unlock/{}/answers", wizard["wizard"].as_str().unwrap());
    assert_eq!(site.post(&answered, &oleg, &given(&wizard["questions"], right)).ok()["ok"], true);
    let own = Browser::logged_in(&site, "en", "/ss", ("LAB\\anna", "anna-password")).get("/ss");
    let asked: Vec<_> = between(&own.text, "data-question=\"", "</span>")
        .into_iter()
        .map(|tag| tag.split_once('>').unwrap().1)
        .map(unescaped)
        .collect();
    assert_eq!(asked, [teacher, pet, town]);
    // A new one is the last, and a copy of the policy has the order.
    site.post(&format!("/api/v1/policies/{policy}/questions"), &admin, &json!({"text": "A first?"})).ok();
    assert_eq!(list().last().map(String::as_str), Some("A first?"));
    let policies = "/mc/configuration/policies";
    browser.send_from(policies, policies, &[("name", "Copy"), ("copy_from", &policy)]);
    let copy = site.get("/api/v1/policies", &admin).ok()[1]["id"].as_str().unwrap().to_owned();
    assert_eq!(texts(&site.get(&format!("/api/v1/policies/{copy}/questions"), &admin).ok()), list());
    let events = site.get("/api/v1/events?name=QUESTION_CHANGED", &admin).ok();
    let moved = |event: &&Value| event["detail"].as_str().unwrap().contains("\"before\":3");
    let moved = events.as_array().unwrap().iter().find(moved).unwrap();
    let detail: Value = serde_json::from_str(moved["detail"].as_str().unwrap()).unwrap();
    assert_eq!((detail, &moved["initiator"]), (json!({"question": teacher, "before": 3, "after": 2}), &json!("admin")));
}

fn an_order_of_questions_is_moved_once_however_often_it_is_sent(engine: Engine) {
    let site = Site::start(engine);
    let (admin, policy) = (site.administrator(), default_policy(&site));
    let questions = format!("/api/v1/policies/{policy}/questions");
    let list = || texts(&site.get(&questions, &admin).ok());
    let ids: Vec<String> =
        site.get(&questions, &admin).ok().as_array().unwrap().iter().map(|q| q["id"].as_str().unwrap().to_owned()).collect();
    let page = format!("/mc/configuration/policies/{policy}/authentication");
    let browser = Browser::logged_in(&site, "en", "/mc", sample::ADMINISTRATOR);
    let [pet, town, teacher] = sample::QUESTIONS;
    for _ in 0..2 {
        let up = format!("/mc/configuration/policies/{policy}/questions/{}/up", ids[2]);
        assert_eq!(browser.send_from(&page, &up, &[("over", &ids[1])]).alerts(), [""; 0]);
        assert_eq!(list(), [pet, teacher, town], "{engine:?}");
    }
    // Programs move one by one, up to the first.
    let up = |id: &str| site.post(&format!("/api/v1/questions/{id}/up"), &admin, &json!({}));
    up(&ids[2]).ok();
    assert_eq!(list(), [teacher, pet, town]);
    assert_eq!(up(&ids[2]).refused(409, "CONFLICT"), "this question is the first already");
    up("none").refused(404, "NOT_FOUND");
    site.post(&format!("/api/v1/questions/{}/up", ids[0]), &site.operator(), &json!({})).refused(403, "NO_PRIVILEGE");
    assert_eq!(list(), [teacher, pet, town]);
}

fn a_card_type_is_changed_and_deleted_as_far_as_cards_let_it(engine: Engine) {
    let site = Site::start(engine);
    let admin = site.administrator();
    let page = "/mc/configuration/card-types";
    let browser = Browser::logged_in(&site, "en", "/mc", sample::ADMINISTRATOR);
    let types = || site.get("/api/v1/card-types", &admin).ok();
    assert_eq!((&types()[CARD_TYPE]["in_use"], &types()[AES_CARD_TYPE]["in_use"]), (&json!(true), &json!(false)), "{engine:?}");
    let name = "A & <c> %2F";
    let new = [("type_name", name), ("cipher", "3des"), ("default_user_pin", "123456")];
    assert_eq!(browser.send_from(page, page, &new).alerts(), [""; 0]);
    // Nothing is in it yet: all of it can be another, and it can go.
    let changed = browser.send_from(page, page, &[("type", name), ("cipher", "aes256"), ("default_user_pin", "4711")]);
    assert!(changed.text.contains("The card type is changed."), "{}", changed.text);
    assert_eq!((&types()[name]["cipher"], &types()[name]["default_user_pin"]), (&json!("aes256"), &json!("4711")));
    let refused = browser.send_from(page, page, &[("type", name), ("cipher", "aes256"), ("default_user_pin", "1")]);
    assert_eq!(refused.alerts(), ["A default user PIN has 4 to 31 printable ASCII characters."]);
    assert_eq!(types()[name]["default_user_pin"], "4711", "nothing half saved");
    let delete = "/mc/configuration/card-types/delete";
    let deletable = |page: &Page| -> Vec<String> {
        let named = |form: &&str| {
            between(form, "<input", ">").into_iter().find(|tag| value(tag, "name") == "type").map(|tag| value(tag, "value"))
        };
        forms_to(page, delete).iter().filter_map(named).collect()
    };
    assert_eq!(deletable(&changed), [name, AES_CARD_TYPE]);
    assert_eq!(browser.send_from(page, delete, &[("type", name)]).alerts(), [""; 0]);
    assert_eq!(types()[name], Value::Null);
    // Cards have this one: its PIN is another from now on, its cipher stays, and so does it.
    let of = |cipher: &str, pin: &str| json!({"cipher": cipher, "default_user_pin": pin});
    let path = format!("/api/v1/card-types/{CARD_TYPE}");
    site.put(&path, &admin, &of("3des", "86420")).ok();
    let message = site.put(&path, &admin, &of("aes128", "86420")).refused(409, "CONFLICT");
    assert!(message.contains("cards have this type: 2; the cipher of their keys stays"), "{message}");
    let at_field = browser.send_from(page, page, &[("type", CARD_TYPE), ("cipher", "aes128"), ("default_user_pin", "86420")]);
    assert_eq!(at_field.alerts(), ["Cards have this type: 2; the cipher of their keys stays, so make another type."]);
    let message = site.delete(&path, &admin).refused(409, "CONFLICT");
    assert!(message.contains("cards have this type: 2"), "{message}");
    assert_eq!((&types()[CARD_TYPE]["cipher"], &types()[CARD_TYPE]["default_user_pin"]), (&json!("3des"), &json!("86420")));
    site.delete("/api/v1/card-types/none", &admin).refused(404, "NOT_FOUND");
    site.put("/api/v1/card-types/none", &admin, &of("3des", "123456")).refused(404, "NOT_FOUND");
    for answer in [site.put(&path, &site.operator(), &of("3des", "1234")), site.delete(&path, &site.operator())] {
        answer.refused(403, "NO_PRIVILEGE");
    }
    // Who and what is in the log; a PIN never.
    let events = site.get("/api/v1/events?name=POLICY_CHANGED", &admin).ok();
    let details: Vec<Value> = events
        .as_array()
        .unwrap()
        .iter()
        .filter(|event| event["initiator"] == "admin")
        .map(|event| serde_json::from_str(event["detail"].as_str().unwrap()).unwrap())
        .collect();
    let is = |cipher: &str, pin: bool| json!({"cipher": cipher, "another_default_pin": pin});
    assert_eq!(
        details,
        [
            json!({"card_type": name, "after": {"cipher": "3des"}}),
            json!({"card_type": name, "before": {"cipher": "3des"}, "after": is("aes256", true)}),
            json!({"card_type": name, "before": {"cipher": "aes256"}}),
            json!({"card_type": CARD_TYPE, "before": {"cipher": "3des"}, "after": is("3des", true)}),
        ]
    );
    assert!(browser.get("/mc/log").text.contains(&format!("admin changed the configuration: {CARD_TYPE}")));
}

/// Two have the same page before them; one saves, then the other: who saves second reads who was first, and what.
fn whoever_saves_second_is_told_at_every_form(engine: Engine) {
    let site = Site::start(engine);
    let (admin, policy, anna) = (site.administrator(), default_policy(&site), site.user("anna"));
    let other = site.post("/api/v1/policies", &admin, &json!({"name": "Other"})).ok()["id"].as_str().unwrap().to_owned();
    let staff = site.get("/api/v1/staff", &admin).ok();
    let id = |list: &str, name: &str| {
        let list = staff[list].as_array().unwrap();
        list.iter().find(|one| one["name"] == name).unwrap()["id"].as_str().unwrap().to_owned()
    };
    let (desk, oleg, chief) = (id("roles", "Operator"), id("operators", "oleg"), id("roles", "Administrator"));
    let hannah = json!({"name": "Hannah", "password": "hannahs-password", "role": chief});
    site.post("/api/v1/operators", &admin, &hannah).ok();
    let question = site.get(&format!("/api/v1/policies/{policy}/questions"), &admin).ok()[0]["id"].as_str().unwrap().to_owned();
    let first = Browser::logged_in(&site, "en", "/mc", ("Hannah", "hannahs-password"));
    let second = Browser::logged_in(&site, "en", "/mc", sample::ADMINISTRATOR);
    let conf = |page: &str| format!("/mc/configuration/{page}");
    let of_question = conf(&format!("policies/{policy}/questions/{question}"));
    let (of_operator, of_role) = (conf(&format!("operators/{oleg}")), conf(&format!("operators/{oleg}/role")));
    let (roles, types, under) = (conf("roles"), conf("card-types"), format!("/mc/users/{anna}/policies"));
    let (policy, other) = (format!("policy:{policy}"), format!("policy:{other}"));
    // The page, where its form goes, a text of the form, what the first saves, what the second, who was first, what stands beside.
    type Case<'a> = (String, &'a str, &'a str, Vec<(&'a str, &'a str)>, Vec<(&'a str, &'a str)>, &'a str, &'a [&'a str]);
    let cases: [Case<'_>; 6] = [
        (
            conf(&format!("policies/{}/authentication", policy.trim_start_matches("policy:"))),
            &of_question,
            "",
            vec![("text", "Whose house?"), ("min_length", "5")],
            vec![("text", "Whose cat?"), ("min_length", "4")],
            "Hannah has changed this question meanwhile",
            &["Whose house?", "5"],
        ),
        (
            types.clone(),
            &types,
            "gids-sim-aes",
            vec![("type", AES_CARD_TYPE), ("cipher", "aes256"), ("default_user_pin", "4711")],
            vec![("type", AES_CARD_TYPE), ("cipher", "aes128"), ("default_user_pin", "4712")],
            "Hannah has changed this card type meanwhile",
            &["aes256", "4711"],
        ),
        (
            roles.clone(),
            &roles,
            &desk,
            vec![("role", &desk), ("role_name", "Desk"), ("privilege:view-log", "on")],
            vec![("role", &desk), ("role_name", "Night"), ("privilege:view-user", "on")],
            "Hannah has changed this role meanwhile",
            &["Desk", "off", "on"],
        ),
        (
            conf("operators"),
            &of_operator,
            "",
            vec![("operator_name", "Olga")],
            vec![("operator_name", "Ole")],
            "Hannah has changed this operator meanwhile",
            &["Olga"],
        ),
        // It is a choice, and the page that says so has what is chosen now.
        (
            conf("operators"),
            &of_role,
            "",
            vec![("role", "")],
            vec![("role", &chief)],
            "Hannah has changed this operator meanwhile",
            &[],
        ),
        (
            under.clone(),
            &under,
            "",
            vec![(&policy, "on"), (&other, "on")],
            vec![(&other, "on")],
            "Hannah has put this user under other policies meanwhile",
            &["on"],
        ),
    ];
    for (page, action, with, hers, mine, says, beside) in cases {
        let was = revision(&second.get(&page), action, with);
        let hers = [hers, vec![("was", &*was)]].concat();
        for _ in 0..2 {
            // Sent twice it is done once, and nobody is told of oneself.
            assert_eq!(first.send_from(&page, action, &hers).alerts(), [""; 0], "{engine:?}: {action}");
        }
        let saved = first.get(&page).text;
        let late = [mine.clone(), vec![("was", &*was)]].concat();
        let told = second.send_from(&page, action, &late);
        let says = format!("{says}; look at what is saved now, and make your change again.");
        assert_eq!(told.alerts(), [says], "{action}: {}", told.text);
        assert_eq!(between(&told.text, "<p class=\"fault\">Saved meanwhile: ", "</p>"), *beside, "{action}");
        let csrf = |text: &str| between(text, "name=\"csrf\" value=\"", "\"")[0].to_owned();
        let now = first.get(&page).text;
        assert_eq!(now.replace(&csrf(&now), ""), saved.replace(&csrf(&saved), ""), "{action}: what was saved stays");
        // Sent once more from the page that said so, it is what one wants.
        let seen = revision(&told, action, with);
        let again = [mine, vec![("was", &*seen)]].concat();
        assert_eq!(second.send_from(&page, action, &again).alerts(), [""; 0], "{action}");
        assert_ne!(first.get(&page).text.replace(&csrf(&now), ""), now.replace(&csrf(&now), ""), "{action}");
    }
}

fn programs_are_told_as_well(engine: Engine) {
    let site = Site::start(engine);
    let (admin, policy) = (site.administrator(), default_policy(&site));
    let question = || site.get(&format!("/api/v1/policies/{policy}/questions"), &admin).ok()[0].clone();
    let role = || {
        let roles = site.get("/api/v1/staff", &admin).ok()["roles"].clone();
        roles.as_array().unwrap().iter().find(|role| role["name"] == "Operator").unwrap().clone()
    };
    let oleg = || {
        let all = site.get("/api/v1/staff", &admin).ok()["operators"].clone();
        all.as_array().unwrap().iter().find(|one| one["name"] == "oleg").unwrap().clone()
    };
    let card_type = || site.get("/api/v1/card-types", &admin).ok()[AES_CARD_TYPE].clone();
    let id = |of: &Value| of["id"].as_str().unwrap().to_owned();
    type Program<'a> = (String, Value, Value, &'a dyn Fn() -> Value);
    let cases: [Program<'_>; 4] = [
        (format!("/api/v1/questions/{}", id(&question())), json!({"text": "One?"}), json!({"text": "Two?"}), &question),
        ("/api/v1/roles/Operator".into(), json!({"privileges": ["view-log"]}), json!({"privileges": []}), &role),
        (format!("/api/v1/operators/{}/role", id(&oleg())), json!({"role": null}), json!({"role": id(&role())}), &oleg),
        (format!("/api/v1/card-types/{AES_CARD_TYPE}"), json!({"cipher": "3des"}), json!({"cipher": "aes128"}), &card_type),
    ];
    for (path, one, two, now) in cases {
        let seen = |of: &Value| format!("{path}?revision={}", of["revision"].as_str().unwrap());
        let before = now();
        site.put(&seen(&before), &admin, &one).ok();
        assert_ne!(now()["revision"], before["revision"], "{engine:?}: {path}");
        let message = site.put(&seen(&before), &admin, &two).refused(409, "CONFLICT");
        assert!(message.starts_with("admin has changed this"), "{message}");
        site.put(&seen(&now()), &admin, &two).ok();
        // Who says nothing of it writes last.
        site.put(&path, &admin, &one).ok();
    }
    // No digest of a PIN for who may not see it.
    let token = site.log_in(site.somebody("viewer", &["view-cards"]));
    let shown = site.get("/api/v1/card-types", &token).ok();
    assert_eq!(shown[CARD_TYPE]["default_user_pin"], Value::Null);
    assert_eq!(shown[CARD_TYPE]["revision"], {
        site.put(&format!("/api/v1/card-types/{CARD_TYPE}"), &admin, &json!({"cipher": "3des", "default_user_pin": "97531"}))
            .ok();
        site.get("/api/v1/card-types", &token).ok()[CARD_TYPE]["revision"].clone()
    });
}

fn names_that_differ_by_their_spelling_alone_are_listed(engine: Engine) {
    let site = Site::start(engine);
    let admin = site.administrator();
    let pages = ["policies", "roles", "operators", "card-types"].map(|page| format!("/mc/configuration/{page}"));
    const TITLE: &str = "Names that more than one has";
    let browser = Browser::logged_in(&site, "en", "/mc", sample::ADMINISTRATOR);
    for page in &pages {
        assert!(!browser.get(page).text.contains(TITLE), "{engine:?}: {page}");
    }
    site.post("/api/v1/policies", &admin, &json!({"name": "Other"})).ok();
    site.put("/api/v1/roles/Other", &admin, &json!({"privileges": []})).ok();
    site.post("/api/v1/operators", &admin, &json!({"name": "Other", "password": "a-long-password"})).ok();
    site.post("/api/v1/card-types/Other", &admin, &json!({"cipher": "3des"})).ok();
    crate::people::change(
        &site,
        &[
            "UPDATE policies SET name = 'DEFAULT', name_key = 'default' WHERE name = 'Other'",
            "UPDATE roles SET name = 'OPERATOR', name_key = 'operator' WHERE name = 'Other'",
            "UPDATE operators SET name = 'OLEG', name_key = 'oleg' WHERE name = 'Other'",
            "UPDATE card_types SET id = 'GIDS-SIM-AES', name_key = 'gids-sim-aes' WHERE id = 'Other'",
        ],
    );
    let names = [["Default", "DEFAULT"], ["OPERATOR", "Operator"], ["OLEG", "oleg"], ["GIDS-SIM-AES", "gids-sim-aes"]];
    for (page, names) in pages.iter().zip(names) {
        let shown = browser.get(page).text;
        let listed = between(&shown, TITLE, "</section>")[0];
        let [one, other] = names;
        let found = between(listed, "<li>", "</li>");
        assert!(
            found.len() == 1 && (found[0] == format!("{one}, {other}") || found[0] == format!("{other}, {one}")),
            "{page}: {found:?}"
        );
    }
    let german = Browser::logged_in(&site, "de", "/mc", sample::ADMINISTRATOR);
    assert!(german.get(&pages[0]).text.contains("Namen, die mehr als einer hat"));
}
