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
    a_refusal_is_told_however_much_was_typed,
    what_was_typed_is_shown_to_nobody_else,
    what_was_typed_goes_when_one_logs_out,
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
    let before = browser.get(&workflow);
    let (was, csrf) = (value(&before, "was"), value(&before, "csrf"));
    browser.forget("/mc");
    let login = browser.send(&workflow, &[("csrf", &csrf), ("was", &was), ("reset_user_pin", "on")]);
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
    let csrf = value(&page, "csrf");
    let fields = [("csrf", csrf.as_str()), ("cn", "<b>Nora"), ("logon", "LAB\\nora"), ("user_password", "a-secret-of-hers")];
    let login = browser.send("/mc/users/new", &fields);
    assert!(login.text.contains("What is secret you type once more."), "{}", login.text);
    assert!(!login.text.contains("a-secret-of-hers") && !login.text.contains("Nora"), "{}", login.text);
    let page = browser.send("/mc/login", &[("name", name), ("password", password), ("next", "/mc/users/new")]);
    assert_eq!((value(&page, "cn").as_str(), value(&page, "user_password").as_str()), ("<b>Nora", ""), "{engine:?}");
    // As long as a login lasts, and not longer.
    browser.forget("/mc");
    let csrf = value(&page, "csrf");
    let login = browser.send("/mc/users/new", &[&[("csrf", csrf.as_str())], &fields[1..]].concat());
    assert!(login.text.contains("What you typed was not sent yet."), "{}", login.text);
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
    let csrf = value(&refused, "csrf");
    let typed = [("csrf", csrf.as_str()), ("card", ANNA), ("challenge", CHALLENGE), ("check", "")];
    let login = browser.send(&path, &typed);
    let page = log_in(&login);
    assert_eq!((page.path.as_str(), value(&page, "challenge").as_str()), (begun.path.as_str(), CHALLENGE), "{engine:?}");
    assert!(page.text.contains("Anna Berg") && page.text.contains("You are logged in again."), "{}", page.text);
    // Where it has ended meanwhile, its card is there to begin again.
    browser.forget("/mc");
    let csrf = value(&page, "csrf");
    let login = browser.send(&path, &[&[("csrf", csrf.as_str())], &typed[1..]].concat());
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

/// A browser keeps cookies of 4096 bytes: what is too much for one is not there again, but why it was refused is.
fn a_refusal_is_told_however_much_was_typed(engine: Engine) {
    let site = Site::start(engine);
    let admin = Browser::logged_in(&site, "en", "/mc", sample::ADMINISTRATOR);
    for length in [2_000, 2_600, 2_700, 2_800, 2_900, 3_000, 20_000] {
        let long = "x".repeat(length);
        let page = admin.send_from(
            "/mc/users/new",
            "/mc/users/new",
            &[("cn", &long), ("logon", "nora"), ("user_password", "a-secret-1")],
        );
        assert_eq!(page.path, "/mc/users/new", "{engine:?}: {length}");
        assert_eq!(page.alerts().len(), 1, "{engine:?}: {length}: {}", page.text);
        assert_eq!(value(&page, "logon"), "nora", "{engine:?}: {length}");
        let stands = value(&page, "cn");
        assert!(stands == long || stands.is_empty() && length > 2_000, "{engine:?}: {length}: {stands}");
        assert!(stands.is_empty() || length < 3_000, "{engine:?}: {length}");
    }
}

/// Where people come in, what two of them are called, a page, where its form goes, what one of them types that is refused, and one of
/// its fields.
struct Way {
    area: &'static str,
    people: [(&'static str, &'static str); 2],
    page: &'static str,
    form: &'static str,
    fields: Vec<(&'static str, String)>,
    field: &'static str,
}

/// Another administrator.
const SECOND: (&str, &str) = ("second", "second-password");

impl Way {
    fn all(site: &Site) -> [Self; 2] {
        let policies = site.get("/api/v1/policies", &site.administrator()).ok();
        let policy = policies[0]["id"].as_str().unwrap().to_owned();
        site.policy("authentication", "own_questions", json!(2));
        let admin = site.administrator();
        let roles = site.get("/api/v1/staff", &admin).ok()["roles"].clone();
        let role = roles.as_array().unwrap().iter().find(|role| role["name"] == "Administrator").unwrap()["id"].clone();
        site.post("/api/v1/operators", &admin, &json!({"name": SECOND.0, "password": SECOND.1, "role": role})).ok();
        let text = |fields: &[(&'static str, &str)]| fields.iter().map(|(name, text)| (*name, (*text).to_owned())).collect();
        [
            Self {
                area: "/mc",
                people: [sample::ADMINISTRATOR, SECOND],
                page: "/mc/users/new",
                form: "/mc/users/new",
                fields: text(&[
                    ("cn", "Nora"),
                    ("logon", "nora"),
                    ("upn", "n@lab"),
                    ("user_password", "a-secret-1"),
                    ("policy", &policy),
                ]),
                field: "cn",
            },
            Self {
                area: "/ss",
                people: [("lab\\anna", "anna-password"), ("lab\\boris", "boris-password")],
                page: "/ss",
                form: "/ss/questions",
                fields: text(&[("own_text", "Whose cat?"), ("own_answer", "Berta"), ("own_again", "Bertha")]),
                field: "own_text",
            },
        ]
    }

    fn sent<'a>(&'a self, csrf: &'a str) -> Vec<(&'a str, &'a str)> {
        let fields = self.fields.iter().map(|(name, text)| (*name, text.as_str()));
        std::iter::once(("csrf", csrf)).chain(fields).collect()
    }

    /// What was typed into the field.
    fn typed(&self) -> &str {
        &self.fields.iter().find(|(name, _)| *name == self.field).unwrap().1
    }

    /// The page, when this one of them has logged in.
    fn log_in(&self, browser: &Browser<'_>, who: usize) -> Page {
        let (name, password) = self.people[who];
        let page = browser.send(&format!("{}/login", self.area), &[("name", name), ("password", password), ("next", self.page)]);
        assert_eq!((page.status, page.path.as_str()), (200, self.page), "{}", page.text);
        page
    }

    /// Nothing of what was typed is on it, and nothing is wrong.
    fn is_as_new(&self, page: &Page) {
        assert_eq!((value(page, self.field), page.alerts()), (String::new(), Vec::new()), "{}: {}", self.area, page.text);
        assert!(!page.text.contains("You are logged in again."), "{}: {}", self.area, page.text);
    }
}

const NOT_SENT: &str = "What you typed was not sent yet.";

fn what_was_typed_is_shown_to_nobody_else(engine: Engine) {
    let site = Site::start(engine);
    for way in Way::all(&site) {
        let browser = Browser::new(&site, "en");
        let csrf = value(&way.log_in(&browser, 0), "csrf");
        // It was refused, and before its page comes somebody else logs in.
        browser.send_unseen(way.form, &way.sent(&csrf));
        assert!(browser.was_led() && browser.has("kept"), "{engine:?}: {}", way.area);
        browser.forget(way.area);
        let page = way.log_in(&browser, 1);
        way.is_as_new(&page);
        assert!(!browser.has("kept"), "{engine:?}: {}: it waits no more", way.area);
        // A form that came too late: of one of them, and then of the other.
        for (of, by) in [(1, 0), (0, 0), (0, 1), (1, 1)] {
            let csrf = value(&way.log_in(&browser, of), "csrf");
            browser.forget(way.area);
            let login = browser.send(way.form, &way.sent(&csrf));
            assert!(login.text.contains(NOT_SENT), "{engine:?}: {}: {}", way.area, login.text);
            let page = way.log_in(&browser, by);
            if of == by {
                assert_eq!(value(&page, way.field), way.typed(), "{engine:?}: {}", way.area);
                assert!(page.text.contains("You are logged in again."), "{}", page.text);
            } else {
                way.is_as_new(&page);
            }
        }
        // A form of a login before the one that ended: whose it is nobody knows any more.
        let of_first = value(&way.log_in(&browser, 0), "csrf");
        way.log_in(&browser, 1);
        browser.forget(way.area);
        // Nor whose it is in a browser that has forgotten all.
        for (browser, who) in [(browser, 1), (Browser::new(&site, "en"), 0)] {
            let login = browser.send(way.form, &way.sent(&of_first));
            assert!(browser.was_led() && login.path.starts_with(&format!("{}/login?", way.area)), "{}", login.path);
            assert!(login.text.contains("Your login has ended") && !login.text.contains(NOT_SENT), "{}", login.text);
            assert!(!browser.has("kept"), "{engine:?}: {}", way.area);
            way.is_as_new(&way.log_in(&browser, who));
        }
    }
}

fn what_was_typed_goes_when_one_logs_out(engine: Engine) {
    let site = Site::start(engine);
    for way in Way::all(&site) {
        let browser = Browser::new(&site, "en");
        // What somebody has typed as a name at the login is theirs as well.
        let login = format!("{}/login", way.area);
        browser.send_unseen(&login, &[("name", "lab\\nobody"), ("password", "wrong")]);
        let csrf = value(&way.log_in(&browser, 0), "csrf");
        browser.send_unseen(way.form, &way.sent(&csrf));
        let of_page = format!("author-{}", &way.area[1..]);
        let theirs = ["kept", "kept-login", &of_page, &way.area[1..]];
        assert!(theirs.iter().all(|cookie| browser.has(cookie)), "{engine:?}: {}", way.area);
        browser.send_unseen(&format!("{}/logout", way.area), &[("csrf", &csrf)]);
        assert!(browser.was_led() && !theirs.iter().any(|cookie| browser.has(cookie)), "{engine:?}: {}", way.area);
        // Not even to the same person.
        way.is_as_new(&way.log_in(&browser, 0));
    }
}

/// What was typed before somebody logged out is not on the pages of their next login, though the browser has kept it.
#[test]
fn what_was_typed_ends_with_its_login() {
    let site = Site::start(Engine::Sqlite);
    let browser = Browser::logged_in(&site, "en", "/mc", sample::ADMINISTRATOR);
    let page = browser.get("/mc/users/new");
    let csrf = between(&page.text, "name=\"csrf\" value=\"", "\"")[0];
    let typed = [("csrf", csrf), ("cn", "Nora Lind"), ("logon", "nora")];
    browser.send_unseen("/mc/users/new", &typed);
    let [same, copied] = ["/none", "/mc"].map(|area| browser.after_its_login(area));
    assert!(same.get("/mc/users/new").text.contains("Nora Lind"), "in the same login it waits");
    browser.send_unseen("/mc/logout", &[("csrf", csrf)]);
    let (name, password) = sample::ADMINISTRATOR;
    copied.send_unseen("/mc/login", &[("name", name), ("password", password)]);
    assert!(copied.has("kept"));
    let page = copied.get("/mc/users/new");
    assert!(page.status == 200 && page.path == "/mc/users/new" && !page.text.contains("Nora"), "{}", page.text);
    assert!(!copied.has("kept"), "nor does it wait any longer");
}
