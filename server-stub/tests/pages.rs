//! Pages: what a role is shown it may do, a form is sent once, what was typed is not lost.

use crate::common::browser::{Browser, Form, between, forms};
use crate::common::{ANNA, Engine, SPARE, Site};
use reqwest::header::COOKIE;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const PRIVILEGES: [&str; 14] = [
    "view-user",
    "unlock-user",
    "reset-questions",
    "view-cards",
    "unlock-card",
    "reset-pin",
    "issue-card",
    "enable-card",
    "disable-card",
    "revoke-card",
    "view-log",
    "view-policy",
    "change-policy",
    "change-roles",
];

/// Who sees no policies changes nothing in which ones a role holds.
#[test]
fn a_local_role_stays_local() {
    let site = Site::start(Engine::Sqlite);
    let admin = site.administrator();
    let policy = site.get("/api/v1/policies", &admin).ok()[0]["id"].clone();
    let local = json!({"policies": [policy], "privileges": ["view-user", "unlock-user"]});
    site.put("/api/v1/roles/Local", &admin, &local).ok();
    let who = site.somebody("some", &["change-roles"]);
    let browser = Browser::logged_in(&site, "en", "/mc", who);
    let page = browser.get("/mc/configuration/roles");
    let of_role = |form: &Form| form.fields.get("role_name").is_some_and(|name| name == "Local");
    let Form { action, mut fields } = forms(&page.text).into_iter().find(of_role).unwrap();
    assert!(fields.remove("privilege:unlock-user").is_some(), "{fields:?}");
    let fields: Vec<_> = fields.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    assert_eq!(browser.send(&action, &fields).alerts(), [""; 0]);
    let roles = site.block_on(async {
        let operator = site.server.logins().operator(&admin).await.unwrap();
        site.server.staff().all(&operator).await.unwrap().roles
    });
    let role = json!(roles.iter().find(|role| role.name == "Local").unwrap().role);
    assert_eq!(role, json!({"policies": [policy], "privileges": ["view-user"]}));
}

/// A role's pages lead to nothing that is refused, and none of their forms is.
#[test]
fn what_a_role_is_shown_it_may_do() {
    let mut roles: Vec<Vec<&str>> = vec![PRIVILEGES.to_vec(), vec!["view-cards", "unlock-card"], vec!["change-roles"]];
    // All but one, and one beside those that see.
    roles.extend(PRIVILEGES.map(|left_out| PRIVILEGES.into_iter().filter(|privilege| *privilege != left_out).collect()));
    roles.extend(PRIVILEGES.map(|one| vec!["view-user", "view-cards", one]));
    // And those that find nobody.
    roles.extend(PRIVILEGES.map(|one| vec![one]));
    let mut roles: Vec<_> = roles.into_iter().map(|role| (role, true)).collect();
    // For the sample's policy alone.
    let of_lists = ["view-user", "view-cards", "view-log", "view-policy"];
    let local = [PRIVILEGES.to_vec(), of_lists.to_vec(), vec!["view-cards", "issue-card"], vec!["view-log"], vec!["unlock-card"]];
    roles.extend(local.map(|role| (role, false)));
    for (role, everywhere) in roles {
        let site = Site::start(Engine::Sqlite);
        site.set_answers("anna");
        let who = site.somebody("some", &role);
        if !everywhere {
            let admin = site.administrator();
            let default = site.get("/api/v1/policies", &admin).ok()[0]["id"].clone();
            site.post("/api/v1/policies", &admin, &json!({"name": "Another"})).ok();
            site.post("/api/v1/cards", &admin, &json!({"serial": SPARE, "card_type": "gids-sim"})).ok();
            site.put("/api/v1/roles/Of%20some", &admin, &json!({"policies": [default], "privileges": role})).ok();
        }
        let token = site.log_in(who);
        let cookie = format!("mc={token}");
        let mut to_see: Vec<String> = vec!["/mc".into()];
        let (mut seen, mut sent) = (BTreeSet::new(), BTreeMap::new());
        while let Some(path) = to_see.pop() {
            if !seen.insert(path.clone()) {
                continue;
            }
            let answer = site.send(&path, |http, url| http.get(url).header(COOKIE, &cookie));
            let status = answer.status().as_u16();
            let location = answer.headers().get("location").map(|to| to.to_str().unwrap().to_owned());
            assert!(
                status == 200 || status == 303 && !location.as_ref().unwrap().contains("login"),
                "{role:?}: {path}: {status}"
            );
            to_see.extend(location);
            let page = answer.text().unwrap();
            let links = between(&page, "href=\"", "\"").into_iter().filter(|link| link.starts_with("/mc"));
            to_see.extend(links.map(|link| link.replace("&#38;", "&").replace("&amp;", "&")));
            let leading = forms(&page).into_iter().map(|form| (form.action, form.fields));
            sent.extend(leading.filter(|(to, _)| to != "/mc/logout"));
        }
        let is_told = || site.page("/mc", "mc", &token).contains("What you may do");
        assert!(seen.len() > 1 || is_told(), "{role:?}");
        for (to, fields) in sent {
            let status = site.send(&to, |http, url| http.post(url).header(COOKIE, &cookie).form(&fields)).status().as_u16();
            assert!(status != 403 && status < 500, "{role:?}: {to} {fields:?}: {status}");
        }
    }
}

/// Where a form is done, another page says so: a reload sends nothing again. Where it was not, what was typed is there.
#[test]
fn a_form_leads_on() {
    let site = Site::start(Engine::Sqlite);
    let (admin, anna) = (site.administrator(), site.user("anna"));
    let page = site.page(&format!("/mc/users/{anna}"), "mc", &admin);
    let csrf = between(&page, "name=\"csrf\" value=\"", "\"")[0].to_owned();
    let post = |path: &str, fields: &[(&str, &str)]| {
        site.send(path, |http, url| http.post(url).header(COOKIE, format!("mc={admin}")).form(fields))
    };
    let done = post(&format!("/mc/users/{anna}/disable"), &[("csrf", &csrf)]);
    assert_eq!((done.status().as_u16(), done.headers()["location"].to_str().unwrap()), (303, &*format!("/mc/users/{anna}")));
    let notice = done.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    assert!(!notice.contains("disabled"), "what it says is nobody's to read: {notice}");
    let told = |cookie: &str| {
        site.send(&format!("/mc/users/{anna}"), |http, url| http.get(url).header(COOKIE, format!("{cookie}; mc={admin}")))
    };
    let first = told(&notice);
    let gone = first.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(gone.starts_with("notice=; ") && gone.contains("Max-Age=0"), "{gone}");
    assert!(first.text().unwrap().contains("The user is disabled."));
    assert!(!told("a=b").text().unwrap().contains("The user is disabled."));
    // Nobody else writes what a page says, and what is old is not said.
    for forged in ["notice=1 1 The user is an administrator.", &notice.replacen("notice=", "notice=A", 1), "notice="] {
        let page = told(forged).text().unwrap();
        assert!(!page.contains("The user is"), "{forged}");
    }
    site.clock.advance(std::time::Duration::from_secs(61));
    assert!(!told(&notice).text().unwrap().contains("The user is disabled."));

    let policy = site.get("/api/v1/policies", &admin).ok()[0]["id"].as_str().unwrap().to_owned();
    let fields = [
        ("policy", policy.as_str()),
        ("csrf", csrf.as_str()),
        ("cn", "Nora \"N\" Lind"),
        ("logon", "nora"),
        ("upn", "n@lab"),
        ("user_password", "long-enough-1"),
    ];
    let refused = post("/mc/users/new", &fields);
    assert_eq!((refused.status().as_u16(), refused.headers()["location"].to_str().unwrap()), (303, "/mc/users/new"));
    let kept = refused.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(kept.starts_with("kept=") && kept.contains("HttpOnly; SameSite=Strict"), "{kept}");
    assert!(!kept.contains("Nora") && !kept.contains("long-enough-1"), "what was typed is nobody's to read: {kept}");
    let shown = |kept: &str| {
        let kept = kept.split(';').next().unwrap();
        site.send("/mc/users/new", |http, url| http.get(url).header(COOKIE, format!("{kept}; mc={admin}")))
    };
    let first = shown(&kept);
    let gone = first.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(gone.starts_with("kept=; ") && gone.contains("Max-Age=0"), "{gone}");
    let page = first.text().unwrap();
    assert!(page.contains("value=\"Nora &#34;N&#34; Lind\"") && !page.contains("long-enough-1"), "{page}");
    // Nobody else writes what somebody has typed.
    for forged in ["kept={}", &kept.replacen("kept=", "kept=A", 1)] {
        assert!(!shown(forged).text().unwrap().contains("Nora"), "{forged}");
    }
    // Where only forms go, a person is led back.
    for (path, to) in
        [("/mc/users/x/unlock", "/mc/users/x"), ("/rss/answers", "/rss"), ("/ss/answers", "/ss"), ("/mc/logout", "/mc")]
    {
        let answer = site.send(path, |http, url| http.get(url));
        assert_eq!((answer.status().as_u16(), answer.headers()["location"].to_str().unwrap()), (303, to), "{path}");
    }
}

/// One leads back to where one was.
#[test]
fn a_login_leads_back() {
    let site = Site::start(Engine::Sqlite);
    let (name, password) = cardlab_server_stub::service::setup::sample::ADMINISTRATOR;
    let path = format!("/mc/cards/{ANNA}?a=b&c=d");
    let to_login = site.send(&path, |http, url| http.get(url));
    let login = to_login.headers()["location"].to_str().unwrap().to_owned();
    let page = site.send(&login, |http, url| http.get(url)).text().unwrap();
    assert!(!page.contains("Your login has ended"), "{page}");
    let next = forms(&page).remove(0).fields["next"].clone();
    let fields = [("name", "nobody"), ("password", "wrong"), ("next", &next)];
    assert_eq!(site.send("/mc/login", |http, url| http.post(url).form(&fields)).status(), 401);
    let browser = Browser::new(&site, "en");
    let wrong = browser.send("/mc/login", &fields);
    assert_eq!((browser.was_led(), wrong.status, forms(&wrong.text).remove(0).fields["next"].as_str()), (true, 200, &*next));
    // The name stays, the password does not.
    let page = wrong.text;
    assert!(page.contains("value=\"nobody\"") && !page.contains("value=\"wrong\""), "{page}");
    let fields = [("name", name), ("password", password), ("next", &next)];
    let done = site.send("/mc/login", |http, url| http.post(url).form(&fields));
    assert_eq!(done.headers()["location"].to_str().unwrap(), path);
    let ended = site.send(&path, |http, url| http.get(url).header(COOKIE, "mc=gone"));
    let login = ended.headers()["location"].to_str().unwrap().to_owned();
    let page = site.send(&login, |http, url| http.get(url)).text().unwrap();
    assert!(page.contains("Your login has ended"), "{page}");
}

/// Pages are in the language of ours that the browser likes best; what programs read is as it was.
#[test]
fn a_page_speaks_the_browsers_language() {
    let site = Site::start(Engine::Sqlite);
    let admin = site.administrator();
    let shown = |path: &str, liked: &str| {
        let cookie = format!("mc={admin}");
        site.send(path, |http, url| {
            http.get(url).header(COOKIE, &cookie).header("accept", "text/html").header("accept-language", liked)
        })
    };
    let paths =
        ["/", "/mc", "/mc/cards", "/mc/log", "/mc/configuration/policies", "/mc/login", "/ss/login", "/rss", "/mc/users/none"];
    for path in paths {
        let (german, english) = (shown(path, "de-DE,de;q=0.9,en;q=0.8"), shown(path, "fr,en;q=0.5"));
        for (page, language) in [(&german, "de"), (&english, "en")] {
            assert_eq!(page.headers()["content-language"], language, "{path}");
            assert_eq!(page.headers()["vary"], "accept-language", "{path}");
        }
        let (german, english) = (german.text().unwrap(), english.text().unwrap());
        assert!(german.contains("<html lang=\"de\">") && english.contains("<html lang=\"en\">"), "{path}");
        assert!(german.contains("Zum Inhalt") && english.contains("Go to the content"), "{path}");
    }
    assert!(shown("/mc", "de").text().unwrap().contains("3 Benutzer"));
    let program = shown("/api/v1/users", "de");
    assert_eq!((program.status().as_u16(), program.headers().get("content-language")), (401, None));
    // So is what is refused: at a page for its reader, to a program in English whatever it likes.
    for (liked, said) in [("de", "Diesen Benutzer gibt es nicht."), ("en", "There is no such user.")] {
        let page = shown("/mc/users/none", liked).text().unwrap();
        assert!(page.contains(said), "{page}");
    }
    let refused = site.send("/api/v1/users/none", |http, url| http.get(url).bearer_auth(&admin).header("accept-language", "de"));
    let refused: Value = refused.json().unwrap();
    assert_eq!(refused["message"], "there is no such user");
}
