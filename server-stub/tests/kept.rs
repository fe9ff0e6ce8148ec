//! A form that was not done: its page says why and has what was typed, but for what is secret, and nothing sends it again.

use crate::common::browser::{Browser, Page, between, unescaped};
use crate::common::{ANNA, CHALLENGE, Engine, Site, right};
use cardlab_server_stub::service::setup::sample;
use serde_json::json;
use std::time::Duration;

on_both_engines! {
    a_refused_form_leads_to_its_page,
    a_form_that_came_when_the_login_had_ended,
    an_unlock_goes_on_after_the_login_had_ended,
}

/// The tag of a field that has this name, the last of several.
fn field<'a>(page: &'a Page, name: &str) -> &'a str {
    let named = format!(" name=\"{name}\"");
    let mut tags = page.text.split('<').filter(|tag| tag.starts_with("input") || tag.starts_with("select"));
    let found = tags.rfind(|tag| tag.contains(&named));
    found.unwrap_or_else(|| panic!("no {name} on {}", page.text)).split('>').next().unwrap()
}

/// What stands in it.
fn value(page: &Page, name: &str) -> String {
    between(field(page, name), " value=\"", "\"").first().map(|value| unescaped(value)).unwrap_or_default()
}

/// What is wrong with it, as it stands behind it.
fn fault(page: &Page, name: &str) -> Option<String> {
    let tag = field(page, name);
    assert!(tag.contains("aria-invalid=\"true\""), "{tag}");
    let described = between(tag, "aria-describedby=\"", "\"")[0].split(' ').next_back().unwrap();
    let said = between(&page.text, &format!("<p class=\"fault\" id=\"{described}\" role=\"alert\">"), "</p>");
    said.first().map(|said| unescaped(said))
}

fn a_refused_form_leads_to_its_page(engine: Engine) {
    let site = Site::start(engine);
    site.set_answers("anna");
    let admin = Browser::logged_in(&site, "en", "/mc", sample::ADMINISTRATOR);
    let policy = site.get("/api/v1/policies", &site.administrator()).ok()[0]["id"].as_str().unwrap().to_owned();
    let (card, issuance) = (format!("/mc/cards/{ANNA}"), format!("/mc/configuration/policies/{policy}/issuance"));
    let (revoke, questions) = (format!("{card}/revoke"), format!("/mc/configuration/policies/{policy}/questions"));
    let (tries, long) = (admin.get(&issuance), "because ".repeat(40));
    let was = value(&tries, "was");
    let authentication = format!("/mc/configuration/policies/{policy}/authentication");
    // The page, where its form goes, what is sent, what the page says, and which of it stands there again.
    type Row<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)], &'a str, &'a [(&'a str, &'a str)]);
    let rows: [Row<'_>; 7] = [
        (
            "/mc/users/new",
            "/mc/users/new",
            &[
                ("cn", "Nora \"N\" <Lind>"),
                ("logon", "nora"),
                ("upn", "n@lab"),
                ("user_password", "a-secret-of-hers"),
                ("policy", &policy),
            ],
            "A logon name is DOMAIN\\Name.",
            &[("cn", "Nora \"N\" <Lind>"), ("logon", "nora"), ("upn", "n@lab"), ("user_password", "")],
        ),
        (&card, &revoke, &[("reason", &long)], "A reason has at most 200 characters.", &[("reason", &long)]),
        (
            &issuance,
            &issuance,
            &[("was", &was), ("maximum_cards", "7"), ("pin_tries", "16"), ("initialize_card", "on")],
            "Maximum PIN attempts is 16; it can be 1 to 15.",
            &[("maximum_cards", "7"), ("pin_tries", "16")],
        ),
        (
            &authentication,
            &questions,
            &[("text", "Who?"), ("min_length", "77")],
            "A minimum answer length is 1 to 50.",
            &[("text", "Who?"), ("min_length", "77")],
        ),
        (
            "/mc/configuration/operators",
            "/mc/configuration/operators",
            &[("operator_name", "olga"), ("password", "short"), ("operator_user", "")],
            "A password has 8 to 200 characters.",
            &[("operator_name", "olga"), ("password", "")],
        ),
        (
            "/mc/unlock",
            "/mc/unlock",
            &[("serial", "XY")],
            "A serial is 2 to 64 hexadecimal digits in pairs.",
            &[("serial", "XY")],
        ),
        (
            "/mc/login",
            "/mc/login",
            &[("name", "olga"), ("password", "wrong"), ("next", "/mc")],
            "Wrong name or password.",
            &[("name", "olga"), ("password", "")],
        ),
    ];
    for (on, path, fields, says, stands) in rows {
        let page = admin.send_from(on, path, fields);
        assert!(admin.was_led(), "{engine:?}: {path}");
        assert_eq!((page.status, page.path.split('?').next()), (200, Some(on)), "{engine:?}: {path}");
        assert_eq!(page.alerts(), [says], "{engine:?}: {path}: {}", page.text);
        for (name, text) in stands {
            assert_eq!(value(&page, name), *text, "{engine:?}: {path} {name}");
        }
        // It is shown once: loaded again, the page is as it was.
        let again = admin.get(on);
        assert_eq!((again.alerts(), value(&again, stands[0].0) == stands[0].1), (Vec::new(), false), "{engine:?}: {path}");
    }
    // Boxes are as they were sent, and what is folded is open.
    let page =
        admin.send_from(&issuance, &issuance, &[("was", &was), ("maximum_cards", "7"), ("pin_tries", "16"), ("lock_card", "on")]);
    let ticked = |name: &str| field(&page, name).contains(" checked");
    assert_eq!((ticked("initialize_card"), ticked("lock_card")), (false, true), "{}", page.text);
    let page = admin.send_from(&card, &revoke, &[("reason", &long)]);
    let open = page.text.split(&revoke).next().unwrap().rsplit("<details").next().unwrap();
    assert!(open.starts_with(" class=\"ask\" open>"), "{open}");
    // Who is no browser, and is on no page, gets an answer with its status.
    assert_eq!(site.form("/mc/users/new", "mc", "gone", &[]), 401);

    // Self-Service: what is wrong stands at each answer, which is typed again.
    let anna = Browser::logged_in(&site, "en", "/ss", ("lab\\anna", "anna-password"));
    let answer = between(&anna.get("/ss").text, "name=\"answer:", "\"")[0].to_owned();
    let names = [format!("answer:{answer}"), format!("again:{answer}")];
    let page = anna.send_from("/ss", "/ss/answers", &[(&names[0], "Rex of hers"), (&names[1], "Rox")]);
    assert!(anna.was_led() && !page.text.contains("Rex of hers"), "{engine:?}");
    assert_eq!(fault(&page, &names[0]).as_deref(), Some("The two entries differ."), "{}", page.text);

    // Remote Self-Service: the name; then of several cards the challenge at the one that it was typed for.
    let remote = Browser::new(&site, "en");
    let asked = remote.send_from("/rss", "/rss", &[("name", "lab\\anna")]);
    let asks = between(&asked.text, "<label for=\"q-", "</label>")[0].split_once("\">").unwrap();
    remote.send_from("/rss", "/rss/answers", &[(&format!("answer:{}", asks.0), &right(asks.1))]);
    let page = remote.send_from("/rss", "/rss/unblock", &[("card", ANNA), ("challenge", "11 22")]);
    assert!(remote.was_led(), "{engine:?}");
    assert_eq!((value(&page, "challenge").as_str(), page.alerts().len()), ("11 22", 1), "{engine:?}: {}", page.text);
    assert_eq!(fault(&page, "challenge").as_deref(), Some("Challenge: 4 digits, but the code has 16."));
}

/// The page of the form has it as it was sent: labels, boxes that were not ticked, and where one is.
fn a_form_that_came_when_the_login_had_ended(engine: Engine) {
    let site = Site::start(engine);
    let browser = Browser::logged_in(&site, "en", "/mc", sample::ADMINISTRATOR);
    let policy = site.get("/api/v1/policies", &site.administrator()).ok()[0]["id"].as_str().unwrap().to_owned();
    let workflow = format!("/mc/configuration/policies/{policy}/workflow");
    let was = value(&browser.get(&workflow), "was");
    browser.forget("/mc");
    let login = browser.send(&workflow, &[("csrf", "of before"), ("was", &was), ("reset_user_pin", "on")]);
    assert!(browser.was_led() && login.path.starts_with("/mc/login?"), "{engine:?}: {}", login.path);
    assert!(login.text.contains("What you typed was not sent yet."), "{}", login.text);
    let (name, password) = sample::ADMINISTRATOR;
    let next = between(&login.text, "name=\"next\" value=\"", "\"")[0].to_owned();
    // A wrong password loses nothing of it.
    let wrong = browser.send("/mc/login", &[("name", name), ("password", "wrong"), ("next", &next)]);
    assert!(browser.was_led() && wrong.text.contains("What you typed was not sent yet."), "{}", wrong.text);
    assert_eq!((value(&wrong, "name").as_str(), wrong.alerts()), (name, vec!["Wrong name or password.".to_owned()]));
    let page = browser.send("/mc/login", &[("name", name), ("password", password), ("next", &next)]);
    assert_eq!((page.status, page.path.as_str()), (200, workflow.as_str()), "{engine:?}");
    assert!(page.text.contains("You are logged in again.") && page.text.contains("not sent yet"), "{}", page.text);
    let ticked = |name: &str| field(&page, name).contains(" checked");
    assert_eq!((ticked("reset_user_pin"), ticked("unblock_card_offline")), (true, false), "{engine:?}");
    assert!(!page.text.contains("type=\"text\" id=\"k-") && page.text.contains("Unblock card offline"), "{}", page.text);
    // It is not sent by itself.
    let settings = site.get("/api/v1/policies", &site.administrator()).ok()[0]["settings"]["workflow"].clone();
    assert_eq!(settings["unblock_card_offline"], json!(true));
    // What is secret is typed again.
    browser.forget("/mc");
    let fields = [("csrf", ""), ("cn", "<b>Nora"), ("logon", "LAB\\nora"), ("user_password", "a-secret-of-hers")];
    let login = browser.send("/mc/users/new", &fields);
    assert!(login.text.contains("What is secret you type once more."), "{}", login.text);
    assert!(!login.text.contains("a-secret-of-hers") && !login.text.contains("Nora"), "{}", login.text);
    let page = browser.send("/mc/login", &[("name", name), ("password", password), ("next", "/mc/users/new")]);
    assert_eq!((value(&page, "cn").as_str(), value(&page, "user_password").as_str()), ("<b>Nora", ""), "{engine:?}");
    // As long as a login lasts, and not longer.
    browser.forget("/mc");
    browser.send("/mc/users/new", &fields);
    site.clock.advance(Duration::from_secs(15 * 60 + 1));
    let page = browser.send("/mc/login", &[("name", name), ("password", password), ("next", "/mc/users/new")]);
    assert_eq!(value(&page, "cn"), "", "{engine:?}");
}

/// One is back in it, with the challenge that was typed; where it is over, at its card.
fn an_unlock_goes_on_after_the_login_had_ended(engine: Engine) {
    let site = Site::start(engine);
    site.policy("workflow", "validate_answers", json!(false));
    let browser = Browser::logged_in(&site, "en", "/mc", sample::OPERATOR);
    let (name, password) = sample::OPERATOR;
    let card = format!("/mc/cards/{ANNA}");
    let begun = browser.send_from(&card, &format!("{card}/wizard"), &[]);
    let path = format!("{}/challenge", begun.path);
    // A challenge that was misheard leaves the check code, which was heard right.
    let typed = [("card", ANNA), ("challenge", "1122"), ("check", "AB")];
    let refused = browser.send_from(&begun.path, &path, &typed);
    assert!(browser.was_led(), "{engine:?}");
    assert_eq!((value(&refused, "challenge").as_str(), value(&refused, "check").as_str()), ("1122", "AB"));
    assert_eq!(fault(&refused, "challenge").as_deref(), Some("Challenge: 4 digits, but the code has 16."));
    let log_in = |login: &Page| {
        let next = between(&login.text, "name=\"next\" value=\"", "\"")[0].to_owned();
        browser.send("/mc/login", &[("name", name), ("password", password), ("next", &next)])
    };
    browser.forget("/mc");
    let typed = [("csrf", ""), ("card", ANNA), ("challenge", CHALLENGE), ("check", "")];
    let login = browser.send(&path, &typed);
    let page = log_in(&login);
    assert_eq!((page.path.as_str(), value(&page, "challenge").as_str()), (begun.path.as_str(), CHALLENGE), "{engine:?}");
    assert!(page.text.contains("Anna Berg") && page.text.contains("You are logged in again."), "{}", page.text);
    // Where it has ended meanwhile, its card is there to begin again.
    browser.forget("/mc");
    let login = browser.send(&path, &typed);
    site.block_on(async {
        let mut tx = crate::common::database(&site.url).await;
        sqlx::query("DELETE FROM flows").execute(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
    });
    let page = log_in(&login);
    assert_eq!(
        (page.path.as_str(), page.alerts()),
        (card.as_str(), vec!["This unlock session is over; start again.".to_owned()])
    );
}
