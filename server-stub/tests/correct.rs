//! What the catalog says of a user is corrected: found, listed and logged in by from then on, and told to who corrects it as well.

use crate::common::browser::{Browser, Page, between, unescaped};
use crate::common::{ANNA, Engine, Site, right};
use cardlab_server_stub::service::setup::sample;
use serde_json::{Value, json};

on_both_engines! {
    what_is_corrected_is_found_and_listed_so,
    whoever_is_renamed_stays_the_same_person,
    a_name_that_another_has_is_refused_at_its_field,
    the_second_who_corrects_is_told_what_the_first_has_saved,
    who_may_not_is_shown_no_way,
}

const PASSWORD: &str = "anna-password";

/// What the sample's Anna is.
const IS: [(&str, &str); 5] = [
    ("cn", "Anna Berg"),
    ("logon", "LAB\\anna"),
    ("upn", "anna@lab.example"),
    ("mail", "anna@lab.example"),
    ("phone", "+49 30 5550 117"),
];

/// Hers, but for these.
fn but<'a>(other: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    IS.map(|(field, is)| other.iter().find(|(name, _)| *name == field).copied().unwrap_or((field, is))).to_vec()
}

/// The fields that the page shows as wrong.
fn wrong(page: &Page) -> Vec<String> {
    let tags = between(&page.text, "<input", ">").into_iter().filter(|tag| tag.contains("aria-invalid=\"true\""));
    tags.map(|tag| value(tag, "name")).collect()
}

fn value(tag: &str, attribute: &str) -> String {
    between(tag, &format!(" {attribute}=\""), "\"").first().map(|text| unescaped(text)).unwrap_or_default()
}

/// What stands in the field of this name.
fn typed(page: &Page, name: &str) -> String {
    let tags = between(&page.text, "<input", ">");
    value(tags.into_iter().find(|tag| value(tag, "name") == name).unwrap(), "value")
}

fn what_is_corrected_is_found_and_listed_so(engine: Engine) {
    let site = Site::start(engine);
    let (admin, anna) = (site.administrator(), site.user("anna"));
    let policy = site.get("/api/v1/policies", &admin).ok()[0]["id"].as_str().unwrap().to_owned();
    let (user, data) = (format!("/mc/users/{anna}"), format!("/mc/users/{anna}/data"));
    let browser = Browser::logged_in(&site, "en", "/mc", sample::ADMINISTRATOR);
    assert!(browser.get(&user).text.contains(&format!("href=\"{data}\"")), "{engine:?}");
    for (field, is) in IS {
        assert_eq!(typed(&browser.get(&data), field), is, "the form has what is stored");
    }
    let new = but(&[("cn", " Zoë Zuse "), ("mail", "zoe@lab.example"), ("phone", "+49 30 999")]);
    let page = browser.send_from(&data, &data, &new);
    assert_eq!((page.path.as_str(), page.alerts()), (user.as_str(), vec![]));
    assert!(page.text.contains("The data of Zoë Zuse are saved."), "{}", page.text);
    let found = |query: &str| {
        let users = site.get(&format!("/api/v1/users?{query}"), &admin).ok();
        users.as_array().unwrap().iter().map(|user| user["cn"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    for query in ["q=zo%C3%AB", "q=zuse", "q=zoe@lab", "q=4930999", "q=LAB%5Canna"] {
        assert_eq!(found(query), ["Zoë Zuse"], "{query}");
    }
    for query in ["q=berg", "q=5550%20117"] {
        assert!(!found(query).contains(&"Zoë Zuse".to_owned()), "{query}");
    }
    // The last by name, wherever the order is read from.
    for query in [String::new(), format!("policy={policy}"), "q=lab".into(), format!("policy={policy}&q=lab")] {
        assert_eq!(found(&query).last().map(String::as_str), Some("Zoë Zuse"), "{query}");
        assert_eq!(found(&format!("{query}&sort=-name")).first().map(String::as_str), Some("Zoë Zuse"), "{query}");
    }
    let cards = |q: &str| site.get(&format!("/api/v1/cards?q={q}"), &admin).ok().as_array().unwrap().len();
    assert_eq!((cards("zuse"), cards("berg")), (1, 0), "her card is found by her name");
    // The log says what is otherwise now, and nothing of what is as it was.
    let events = site.get(&format!("/api/v1/events?user={anna}&name=USER_CORRECTED"), &admin).ok();
    let detail: Value = serde_json::from_str(events[0]["detail"].as_str().unwrap()).unwrap();
    // How she is reached is not for whoever may only read the log.
    let (was, is) = (json!({"cn": "Anna Berg"}), json!({"cn": "Zoë Zuse"}));
    assert_eq!(detail, json!({"changed": ["cn", "mail", "phone"], "before": was, "after": is}));
    let told = "admin corrected the data of the user Zoë Zuse: Name Anna Berg → Zoë Zuse; Mail; Telephone";
    assert!(browser.get("/mc/log").text.contains(told), "{}", browser.get("/mc/log").text);
    let german = Browser::logged_in(&site, "de", "/mc", sample::ADMINISTRATOR);
    let told = "admin hat die Daten des Benutzers Zoë Zuse berichtigt: Name Anna Berg → Zoë Zuse";
    assert!(german.get("/mc/log").text.contains(told));
    // What is saved as it was is nothing that happened.
    assert_eq!(browser.send_from(&data, &data, &new).alerts(), [""; 0]);
    assert_eq!(site.events("name=USER_CORRECTED").len(), 1);
}

/// Answers, the card and an open login are of the person, not of the name.
fn whoever_is_renamed_stays_the_same_person(engine: Engine) {
    let site = Site::start(engine);
    site.set_answers("anna");
    let (admin, anna) = (site.administrator(), site.user("anna"));
    let own = Browser::logged_in(&site, "en", "/ss", ("LAB\\anna", PASSWORD));
    let session = site.open(ANNA);
    let path = format!("/api/v1/users/{anna}");
    let new = json!({"logon": "LAB\\zoe", "upn": "zoe@lab.example", "cn": "Zoë Zuse"});
    let after = site.put(&path, &admin, &new).ok();
    assert_eq!(
        (&after["logon"], &after["mail"], &after["answers_set"]),
        (&json!("LAB\\zoe"), &json!(""), &json!(3)),
        "{engine:?}"
    );
    assert_eq!(site.answers(&session, right).ok(), json!({"ok": true}));
    assert!(own.get("/ss").text.contains("Zoë Zuse"));
    for name in ["LAB\\zoe", "zoe@lab.example"] {
        Browser::logged_in(&site, "en", "/ss", (name, PASSWORD));
    }
    let old = Browser::new(&site, "en").send("/ss/login", &[("name", "LAB\\anna"), ("password", PASSWORD)]);
    assert_eq!(old.alerts(), ["Wrong name or password."]);
    // The old names are nobody's: who comes may have them.
    let policy = site.get("/api/v1/policies", &admin).ok()[0]["id"].clone();
    let other =
        json!({"logon": "LAB\\anna", "upn": "anna@lab.example", "cn": "Anna", "password": "another-one", "policy": policy});
    site.post("/api/v1/users", &admin, &other).ok();
    Browser::logged_in(&site, "en", "/ss", ("LAB\\anna", "another-one"));
    // Whose spelling alone is otherwise takes no name from herself.
    let spelled = json!({"logon": "Lab\\ZOE", "upn": "Zoe@lab.example", "cn": "Zoë Zuse"});
    assert_eq!(site.put(&path, &admin, &spelled).ok()["logon"], "Lab\\ZOE");
}

fn a_name_that_another_has_is_refused_at_its_field(engine: Engine) {
    let site = Site::start(engine);
    let (admin, anna) = (site.administrator(), site.user("anna"));
    let data = format!("/mc/users/{anna}/data");
    let before = site.get(&format!("/api/v1/users/{anna}"), &admin).ok();
    let browser = Browser::logged_in(&site, "en", "/mc", sample::ADMINISTRATOR);
    for (field, text, says) in [
        ("logon", "lab\\BORIS", "There is a user 'lab\\BORIS'."),
        ("upn", "Boris@lab.example", "There is a user 'Boris@lab.example'."),
        ("logon", "anna", "A logon name is DOMAIN\\Name."),
        ("upn", "anna", "A UPN is name@domain."),
        ("cn", " ", "A name is missing."),
        ("mail", "zoe", "A mail address is name@domain, without blanks and signs such as < > , ;."),
        (
            "phone",
            "seven",
            "A telephone number has 2 to 30 digits, blanks and the signs + - ( ) / . # *, with x before an extension.",
        ),
    ] {
        let new = but(&[(field, text), ("phone", "117")]);
        let page = browser.send_from(&data, &data, &new);
        assert_eq!(
            (browser.was_led(), page.alerts(), wrong(&page)),
            (true, vec![says.to_owned()], vec![field.to_owned()]),
            "{engine:?}"
        );
        for (name, text) in new {
            assert_eq!(typed(&page, name), text, "{field}: what was typed stays");
        }
        assert!(!page.text.contains("Saved meanwhile"), "{}", page.text);
    }
    assert_eq!(site.get(&format!("/api/v1/users/{anna}"), &admin).ok(), before, "nothing half saved");
    assert_eq!(site.events(&format!("user={anna}&name=USER_NOT_CORRECTED")).len(), 7);
    site.put("/api/v1/users/nobody", &admin, &json!({"logon": "A\\b", "upn": "a@b", "cn": "A"})).refused(404, "NOT_FOUND");
}

fn the_second_who_corrects_is_told_what_the_first_has_saved(engine: Engine) {
    let site = Site::start(engine);
    let (admin, anna) = (site.administrator(), site.user("anna"));
    let role = site.get("/api/v1/staff", &admin).ok()["roles"].clone();
    let role = role.as_array().unwrap().iter().find(|role| role["name"] == "Administrator").unwrap()["id"].clone();
    site.post("/api/v1/operators", &admin, &json!({"name": "Hannah", "password": "hannahs-password", "role": role})).ok();
    let data = format!("/mc/users/{anna}/data");
    let first = Browser::logged_in(&site, "en", "/mc", ("Hannah", "hannahs-password"));
    let second = Browser::logged_in(&site, "en", "/mc", sample::ADMINISTRATOR);
    let seen = typed(&second.get(&data), "was");
    let revision = site.get(&format!("/api/v1/users/{anna}"), &admin).ok()["revision"].clone();
    assert_eq!(revision, seen, "{engine:?}");
    assert_eq!(first.send_from(&data, &data, &but(&[("phone", "110"), ("was", &*seen)])).alerts(), [""; 0]);
    let mine = [but(&[("phone", "112"), ("cn", "Anna Maier")]), vec![("was", &*seen)]].concat();
    let page = second.send_from(&data, &data, &mine);
    let says = "Hannah has changed the data of this user meanwhile; look at what is saved now, and make your change again.";
    assert_eq!((second.was_led(), page.path.as_str(), page.alerts()), (true, data.as_str(), vec![says.to_owned()]));
    // Beside what one has typed stands what is saved, where it is something else.
    assert_eq!((typed(&page, "phone"), typed(&page, "cn")), ("112".into(), "Anna Maier".into()));
    let beside = between(&page.text, "<p class=\"fault\">", "</p>");
    assert_eq!(beside, ["Saved meanwhile: Anna Berg", "Saved meanwhile: 110"]);
    let path = format!("/api/v1/users/{anna}?revision={seen}");
    let body = json!({"logon": "LAB\\anna", "upn": "anna@lab.example", "cn": "Anna Maier"});
    let message = site.put(&path, &admin, &body).refused(409, "CONFLICT");
    assert!(message.contains("Hannah has changed the data"), "{message}");
    // Sent once more from that page, one has seen it.
    let again = typed(&page, "was");
    let mine = [but(&[("phone", "112"), ("cn", "Anna Maier")]), vec![("was", &*again)]].concat();
    assert_eq!(second.send_from(&data, &data, &mine).alerts(), [""; 0]);
    let user = site.get(&format!("/api/v1/users/{anna}"), &admin).ok();
    assert_eq!((&user["cn"], &user["phone"]), (&json!("Anna Maier"), &json!("112")));
}

fn who_may_not_is_shown_no_way(engine: Engine) {
    let site = Site::start(engine);
    let anna = site.user("anna");
    let (user, data) = (format!("/mc/users/{anna}"), format!("/mc/users/{anna}/data"));
    let oleg = Browser::logged_in(&site, "en", "/mc", sample::OPERATOR);
    assert!(!oleg.get(&user).text.contains(&data), "{engine:?}");
    let sent = oleg.send_from(&user, &data, &but(&[("phone", "117")]));
    assert_eq!((oleg.get(&data).status, sent.status), (403, 403));
    let token = site.log_in(sample::OPERATOR);
    let body = json!({"logon": "LAB\\zoe", "upn": "zoe@lab", "cn": "Zoë"});
    site.put(&format!("/api/v1/users/{anna}"), &token, &body).refused(403, "NO_PRIVILEGE");
    assert_eq!(site.events(&format!("user={anna}&name=USER_NOT_CORRECTED")).len(), 2);
}
