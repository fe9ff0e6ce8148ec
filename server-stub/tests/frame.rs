//! What stands round every page: also round one that says only why there is no other, and for who may do little.

use crate::common::browser::{Browser, between, unescaped};
use crate::common::{ANNA, CHALLENGE, Engine, Site, right};
use cardlab_server_stub::service::setup::sample;
use serde_json::{Value, json};

on_both_engines! {
    a_role_that_only_unlocks,
    an_unlock_that_is_stopped_says_whose_it_was,
}

/// Somebody whose role has these privileges; without a role, nobody has given them one.
fn somebody(site: &Site, privileges: Option<&[&str]>) -> (&'static str, &'static str) {
    let admin = site.administrator();
    let role = privileges.map_or(Value::Null, |privileges| {
        let role = json!({"policies": null, "privileges": privileges});
        site.put("/api/v1/roles/Some", &admin, &role).ok()["id"].clone()
    });
    site.post("/api/v1/operators", &admin, &json!({"name": "some", "password": "some-password", "role": role})).ok();
    ("some", "some-password")
}

/// The steps of the way to a page: what each is called and where it leads.
fn crumbs(page: &str) -> Vec<(String, Option<String>)> {
    let Some(list) = between(page, "<ol class=\"crumbs\">", "</ol>").first().copied() else { return Vec::new() };
    let crumb = |item: &str| {
        let path = between(item, "href=\"", "\"").first().map(|path| unescaped(path));
        (unescaped(between(item, "\">", "</").first().unwrap()), path)
    };
    between(list, "<li>", "</li>").into_iter().map(crumb).collect()
}

fn titles(page: &str) -> Vec<String> {
    between(page, "<h1>", "</h1>").into_iter().map(unescaped).collect()
}

/// A browser gets a page in its language, in the frame of who looks; a program gets what programs get.
#[test]
fn an_address_that_leads_nowhere() {
    let site = Site::start(Engine::Sqlite);
    site.set_answers("anna");
    for (language, title, says, out) in [
        ("en", "Not found", "There is no such page.", "Log out"),
        ("de", "Nicht gefunden", "Diese Seite gibt es nicht.", "Abmelden"),
    ] {
        let oleg = Browser::logged_in(&site, language, "/mc", sample::OPERATOR);
        let anna = Browser::logged_in(&site, language, "/ss", ("lab\\anna", "anna-password"));
        let nobody = Browser::new(&site, language);
        for (browser, path, back, known) in [
            (&oleg, "/mc/nothing", "/mc", true),
            (&oleg, "/mc/cards/x/y/z", "/mc/cards", true),
            (&oleg, "/mc/log/nothing", "/mc/log", true),
            (&anna, "/ss/nothing", "/ss", true),
            (&nobody, "/mc/nothing", "/mc", false),
            (&nobody, "/rss/nothing", "/rss", false),
            (&nobody, "/nothing", "/", false),
        ] {
            let page = browser.get(path);
            assert_eq!((page.status, page.alerts()), (404, vec![says.to_owned()]), "{path}: {}", page.text);
            assert_eq!(titles(&page.text), [title], "{path}");
            let crumbs = crumbs(&page.text);
            assert_eq!((crumbs.len(), crumbs[0].1.as_deref()), (2, Some(back)), "{path}: {crumbs:?}");
            assert_eq!(crumbs[1], (title.into(), None), "{path}");
            assert!(page.text.contains(&format!("class=\"button\" href=\"{back}\"")), "{path}: {}", page.text);
            assert_eq!(page.text.contains(out), known, "{path}");
        }
        // A form to where none goes is answered on a page too.
        let page = oleg.send("/mc/cards", &[]);
        assert_eq!((page.status, titles(&page.text).len()), (405, 1), "{}", page.text);
        assert!(!page.text.contains("openapi"), "{}", page.text);
    }
    let program = site.send("/mc/nothing", |http, url| http.get(url));
    assert_eq!(program.headers()["content-type"], "application/problem+json");
}

/// The privilege is called what the roles page calls it.
#[test]
fn what_a_role_does_not_allow_is_called_as_where_roles_are_given() {
    let site = Site::start(Engine::Sqlite);
    let who = somebody(&site, None);
    for (language, title, says) in [
        ("en", "Your role does not allow this", "Your role does not have the privilege 'View the card repository' here."),
        ("de", "Ihre Rolle erlaubt das nicht", "Ihre Rolle hat hier das Recht „Kartenbestand sehen“ nicht."),
    ] {
        let page = Browser::logged_in(&site, language, "/mc", who).get("/mc/cards");
        assert_eq!((page.status, page.alerts()), (403, vec![says.to_owned()]), "{}", page.text);
        assert_eq!(titles(&page.text), [title]);
    }
    let admin = Browser::logged_in(&site, "de", "/mc", sample::ADMINISTRATOR).get("/mc/configuration/roles");
    assert!(admin.text.contains("Kartenbestand sehen"), "{}", admin.text);
}

/// Who has no role, or one that has no page, is told so, and what to do.
#[test]
fn a_role_that_has_no_page_says_what_it_allows() {
    for (privileges, says) in [
        (None, "You have no role yet: so far you may do nothing."),
        (Some(&[][..]), "Your role Some allows nothing yet."),
        (Some(&["reset-pin", "unlock-user"][..]), "Unlock users"),
    ] {
        let site = Site::start(Engine::Sqlite);
        let page = Browser::logged_in(&site, "en", "/mc", somebody(&site, privileges)).get("/mc");
        assert_eq!((page.status, titles(&page.text)), (200, vec!["What you may do".to_owned()]), "{}", page.text);
        assert!(page.text.contains(says) && page.text.contains("Ask an administrator"), "{}", page.text);
        assert!(!page.text.contains("aria-label=\"Menu\"") && page.text.contains("Log out"), "{}", page.text);
    }
}

/// It begins with the card's serial, however it is written, and leads nowhere that the role does not allow.
fn a_role_that_only_unlocks(engine: Engine) {
    let site = Site::start(engine);
    site.set_answers("anna");
    let who = somebody(&site, Some(&["unlock-card"]));
    let browser = Browser::new(&site, "en");
    let page = browser.send("/mc/login", &[("name", who.0), ("password", who.1)]);
    assert_eq!((page.status, page.path.as_str()), (200, "/mc/unlock"), "{engine:?}: {}", page.text);
    let menu = between(&page.text, "<nav aria-label=\"Menu\">", "</nav>");
    assert_eq!(between(menu[0], "href=\"", "\""), ["/mc/unlock"]);
    let wrong = browser.send_from("/mc/unlock", "/mc/unlock", &[("serial", "FFFF")]);
    assert_eq!((wrong.path.as_str(), wrong.alerts()), ("/mc/unlock", vec!["There is no such card.".to_owned()]));
    let spoken = ANNA.to_lowercase().replace("d3", " d3 ");
    let asked = browser.send_from("/mc/unlock", "/mc/unlock", &[("serial", &spoken)]);
    assert!(asked.path.starts_with("/mc/unlock/") && asked.text.contains("Anna Berg"), "{engine:?}: {}", asked.text);
    let question = between(&asked.text, "name=\"answer:", "\"")[0].to_owned();
    let asks = between(&asked.text, &format!("<label for=\"q-{question}\">"), "</label>")[0].to_owned();
    let answers = format!("answer:{question}");
    let ready = browser.send_from(&asked.path, &format!("{}/answers", asked.path), &[(&answers, &right(&asks))]);
    let given = browser.send_from(&ready.path, &format!("{}/challenge", ready.path), &[("challenge", CHALLENGE)]);
    assert!(given.text.contains("Response data"), "{engine:?}: {}", given.text);
    for page in [&wrong, &asked, &ready, &given] {
        for link in between(&page.text, "href=\"", "\"").into_iter().filter(|link| link.starts_with("/mc")) {
            let status = browser.get(link).status;
            assert_eq!(status, 200, "{engine:?}: {link} of {}", page.path);
        }
    }
}

/// What the policy no longer allows stops an unlock on its own page: whose it was stays, with the way back.
fn an_unlock_that_is_stopped_says_whose_it_was(engine: Engine) {
    let site = Site::start(engine);
    site.policy("workflow", "validate_answers", json!(false));
    let browser = Browser::logged_in(&site, "en", "/mc", sample::OPERATOR);
    let card = format!("/mc/cards/{ANNA}");
    let begun = browser.send_from(&card, &format!("{card}/wizard"), &[]);
    assert!(begun.text.contains("Get response"), "{}", begun.text);
    let csrf = between(&begun.text, "name=\"csrf\" value=\"", "\"")[0].to_owned();
    site.policy("workflow", "unblock_card_offline", json!(false));
    let challenge = format!("{}/challenge", begun.path);
    for stopped in [browser.get(&begun.path), browser.send(&challenge, &[("csrf", &csrf), ("challenge", CHALLENGE)])] {
        let says = "Unblock card offline is switched off in policy 'Default'.";
        assert_eq!((stopped.path.as_str(), stopped.alerts()), (begun.path.as_str(), vec![says.to_owned()]), "{engine:?}");
        assert_eq!(titles(&stopped.text), ["Anna Berg"]);
        let way: Vec<_> = crumbs(&stopped.text).into_iter().filter_map(|(_, path)| path).collect();
        assert_eq!(way, ["/mc".to_owned(), format!("/mc/users/{}", site.user("anna")), card.clone()], "{engine:?}");
        assert!(!stopped.text.contains("Get response") && stopped.text.contains("Back to the card"), "{}", stopped.text);
    }
    // Where it is over, its form leads back to the card.
    let over = browser.send("/mc/unlock/none/challenge", &[("csrf", &csrf), ("card", ANNA), ("challenge", CHALLENGE)]);
    assert_eq!((over.path, over.status), (card, 200), "{engine:?}");
    assert!(over.text.contains("This unlock session is over; start again."), "{}", over.text);
}

/// A refusal of a page elsewhere says what it was, not that somebody may not see something.
#[test]
fn what_another_site_made_a_browser_send() {
    let site = Site::start(Engine::Sqlite);
    for (language, title, says) in [
        ("en", "This was sent from elsewhere", "nothing was done"),
        ("de", "Das wurde von anderswo gesendet", "nichts ist geschehen"),
    ] {
        let answer = site.send("/mc/login", |http, url| {
            let post = http.post(url).header("origin", "http://evil.example").header("accept", "text/html");
            post.header("accept-language", language).form(&[("name", "x")])
        });
        assert_eq!(answer.status(), 403);
        let page = answer.text().unwrap();
        assert_eq!(titles(&page), [title]);
        assert!(between(&page, "role=\"alert\">", "</p>")[0].contains(says), "{page}");
    }
}

/// Who may not see users has no column of them.
#[test]
fn a_list_has_no_column_that_is_empty_for_everybody() {
    let site = Site::start(Engine::Sqlite);
    let owners = |who| Browser::logged_in(&site, "en", "/mc", who).get("/mc/cards").text.contains("<th scope=\"col\">Owner</th>");
    assert!(owners(sample::OPERATOR) && !owners(somebody(&site, Some(&["view-cards", "unlock-card"]))));
}

/// The workstation that was heard of last with the card is named while its word is waited for.
#[test]
fn who_is_waited_for_is_named() {
    let site = Site::start(Engine::Sqlite);
    site.policy("workflow", "validate_answers", json!(false));
    let oleg = Browser::logged_in(&site, "en", "/mc", sample::OPERATOR);
    let card = format!("/mc/cards/{ANNA}");
    let waits = || {
        let begun = oleg.send_from(&card, &format!("{card}/wizard"), &[]);
        oleg.send_from(&begun.path, &format!("{}/challenge", begun.path), &[("challenge", CHALLENGE)]).text
    };
    assert!(waits().contains("<b>Waiting for the workstation.</b>"));
    let report = json!({"serial": ANNA, "kind": "pin-blocked", "at": site.clock.now(), "workstation": "PC-12"});
    site.post("/credprovapi/v1/reports", "", &report).ok();
    assert!(waits().contains("<b>Waiting for PC-12.</b>"));
}

/// The same to everybody, whether there is such a name or not, and nothing is begun.
#[test]
fn a_name_for_remote_self_service_has_a_domain() {
    let site = Site::start(Engine::Sqlite);
    site.set_answers("anna");
    for (language, says) in [
        ("en", "Write the name as DOMAIN\\Name or as name@domain: a name alone is not enough here."),
        ("de", "Schreiben Sie den Namen als DOMÄNE\\Name oder als name@domäne: ein Name allein genügt hier nicht."),
    ] {
        for name in ["anna", "Anna Berg", "Frey", "lab\\", "@lab.example", "a\\b\\c"] {
            let browser = Browser::new(&site, language);
            let page = browser.send_from("/rss", "/rss", &[("name", name)]);
            assert_eq!((page.path.as_str(), page.alerts()), ("/rss", vec![says.to_owned()]), "{name}: {}", page.text);
            assert!(page.text.contains(&format!("value=\"{}\"", name)), "{name}: {}", page.text);
        }
    }
    for name in ["lab\\anna", "anna@lab.example", "lab\\frey", "frey@lab.example"] {
        let page = Browser::new(&site, "en").send_from("/rss", "/rss", &[("name", name)]);
        assert!(page.text.contains("Security questions"), "{name}: {}", page.text);
    }
}

/// What is not there yet is set, what is there is changed.
#[test]
fn an_answer_that_is_not_set_is_not_changed() {
    let site = Site::start(Engine::Sqlite);
    site.set_answers("anna");
    for (who, word, other) in
        [(("lab\\anna", "anna-password"), "Change", "Set"), (("lab\\boris", "boris-password"), "Set", "Change")]
    {
        let page = Browser::logged_in(&site, "en", "/ss", who).get("/ss").text;
        let folds = |word: &str| page.matches(&format!("<summary>{word}<span class=\"sr\">: ")).count();
        assert_eq!((folds(word), folds(other)), (3, 0), "{page}");
    }
}

/// Without its script a page says that times are of UTC; with it the days of the filter are the reader's.
#[test]
fn a_day_of_the_log_is_the_readers() {
    const MINUTE: i64 = 60_000;
    let site = Site::start(Engine::Sqlite);
    let admin = Browser::logged_in(&site, "en", "/mc", sample::ADMINISTRATOR);
    let log = admin.get("/mc/log").text;
    assert!(log.contains("Times and days are those of UTC."), "{log}");
    let times = between(&log, "<time ", "</time>");
    assert!(
        !times.is_empty() && times.iter().all(|time| time.ends_with(" UTC") && time.contains("data-time=\"whole\"")),
        "{times:?}"
    );
    // Where a day begins an hour ago all that happened is of it, where it begins in an hour nothing is.
    let now = site.clock.now();
    for (begins, is_there) in [(now - 60 * MINUTE, true), (now + 60 * MINUTE, false)] {
        // Clocks that are so far ahead that it is midnight then, or so far behind.
        let ahead = (-begins).rem_euclid(24 * 60 * MINUTE) / MINUTE;
        let ahead = if ahead > 12 * 60 { ahead - 24 * 60 } else { ahead };
        let day = cardlab_server_stub::model::clock::iso(begins + (ahead + 1) * MINUTE)[..10].to_owned();
        let shown = admin.get(&format!("/mc/log?from={day}&from_ahead={ahead}"));
        assert_eq!((shown.status, shown.text.contains("<time ")), (200, is_there), "{day} {ahead}");
        let before = admin.get(&format!("/mc/log?to={day}&to_ahead={ahead}"));
        assert!(before.text.contains("<time "), "{day} {ahead}: its end is still to come");
    }
    for wrong in ["x", "961", "1e3"] {
        let says =
            "The address asks for something that this list does not have, or twice for the same; use the fields of the page.";
        assert_eq!(admin.get(&format!("/mc/log?from=2026-11-26&from_ahead={wrong}")).alerts(), [says], "{wrong}");
    }
}

/// A button is where its page has one: what the policy forbids is offered nowhere.
#[test]
fn unlock_is_offered_where_it_is_possible() {
    let site = Site::start(Engine::Sqlite);
    site.set_answers("anna");
    let oleg = Browser::logged_in(&site, "en", "/mc", sample::OPERATOR);
    let (user, card) = (format!("/mc/users/{}", site.user("anna")), format!("/mc/cards/{ANNA}"));
    let offers = |path: &str| oleg.get(path).text.contains(&format!("action=\"{card}/wizard\""));
    assert_eq!((offers(&user), offers(&card)), (true, true));
    site.policy("workflow", "unblock_card_offline", json!(false));
    assert_eq!((offers(&user), offers(&card)), (false, false));
    site.policy("workflow", "unblock_card_offline", json!(true));
    assert_eq!((offers(&user), offers(&card)), (true, true));
    // Where answers come first, somebody must have set them.
    let boris = (format!("/mc/users/{}", site.user("boris")), format!("/mc/cards/{}", crate::common::BORIS));
    let offers = || {
        let action = format!("action=\"{}/wizard\"", boris.1);
        [&boris.0, &boris.1].map(|path| oleg.get(path).text.contains(&action))
    };
    assert_eq!(offers(), [false, false]);
    site.policy("workflow", "validate_answers", json!(false));
    assert_eq!(offers(), [true, true]);
}
