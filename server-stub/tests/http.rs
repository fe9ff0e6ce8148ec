//! What holds for every answer of the server, whoever asks.

use crate::common::browser::{Browser, between};
use crate::common::{ANNA, Engine, Site, given};
use cardlab_server_stub::service::setup::sample;
use reqwest::blocking::Response;
use serde_json::{Value, json};

/// A refusal for programs: the fields of RFC 9457, and our own.
#[track_caller]
fn problem(response: Response, status: u16, name: &str) -> String {
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    assert_eq!(response.status(), status);
    let title = response.status().canonical_reason().unwrap();
    let body: Value = response.json().unwrap();
    let message = body["message"].as_str().unwrap();
    let whole = json!({
        "type": "about:blank", "title": title, "status": status, "detail": message, "error": name, "message": message,
    });
    assert_eq!(body, whole);
    message.to_owned()
}

#[test]
fn what_is_too_long_is_refused_as_such() {
    let site = Site::start(Engine::Sqlite);
    let long = "x".repeat(64 * 1024 + 1);
    for path in ["/api/v1/login", "/credprovapi/v1/sessions"] {
        let message = problem(site.send(path, |http, url| http.post(url).json(&json!({"name": long}))), 413, "TOO_LONG");
        assert_eq!(message, "a request has at most 65536 bytes");
    }
    for path in ["/mc/login", "/rss", "/rss/answers"] {
        let page = site.send(path, |http, url| http.post(url).form(&[("name", &long)]));
        assert_eq!(page.status(), 413, "{path}");
        assert!(page.text().unwrap().contains("request has at most 65536 bytes"), "{path}");
    }
}

/// Who sends a form that is too long reads it on a page, in the frame of whoever they are, with what to do; nothing is done.
#[test]
fn a_form_that_is_too_long_is_told_on_a_page() {
    let site = Site::start(Engine::Sqlite);
    let long = "x".repeat(64 * 1024 + 1);
    let (logon, _, password) = sample::USERS[0];
    for (area, who, own) in [("/mc", sample::OPERATOR, "/mc/cards"), ("/ss", (logon, password), "/ss")] {
        let browser = Browser::logged_in(&site, "en", area, who);
        let page = browser.send_from(own, &format!("{area}/logout"), &[("x", &long)]);
        assert_eq!(page.status, 413, "{}", page.text);
        let says = "longer than a form may be, which is 65536 bytes in all: go back, shorten the longest text";
        assert!(page.text.contains(says) && page.text.contains(&format!("{area}/logout")), "{}", page.text);
        assert_eq!(browser.get(own).status, 200, "still logged in");
    }
    let anybody = Browser::new(&site, "de").send("/rss", &[("name", &long)]);
    assert!(anybody.status == 413 && anybody.text.contains("ist länger als ein Formular sein darf"), "{}", anybody.text);
    // Elsewhere no page has forms.
    assert_eq!(Browser::new(&site, "en").send("/elsewhere", &[("name", &long)]).status, 413);
}

/// RFC 9110 asks for these (sections 15.5.2 and 15.5.6).
#[test]
fn a_refusal_says_how_it_is_done() {
    let site = Site::start(Engine::Sqlite);
    let header = |path: &str, name: &str| {
        let answer = site.send(path, |http, url| http.get(url));
        answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned())
    };
    assert_eq!(header("/api/v1/users", "www-authenticate").as_deref(), Some("Bearer"));
    assert_eq!(header("/api/v1/login", "allow").as_deref(), Some("POST"));
    assert_eq!(header("/healthz", "www-authenticate"), None);
}

/// Twenty thousand characters of an answer are a fault of that answer, wherever it is given.
#[test]
fn an_answer_that_is_too_long_is_told_as_such() {
    let site = Site::start(Engine::Sqlite);
    site.set_answers("anna");
    let long = |_: &str| "x".repeat(20_000);
    let says = "an answer has 1 to 200 characters";
    let session = site.open(ANNA);
    assert_eq!(site.answers(&session, long).refused(400, "MALFORMED"), says);
    let oleg = site.operator();
    let wizard = site.post(&format!("/api/v1/cards/{ANNA}/wizard"), &oleg, &json!({})).ok();
    let path = format!("/api/v1/unlock/{}/answers", wizard["wizard"].as_str().unwrap());
    assert_eq!(site.post(&path, &oleg, &given(&wizard["questions"], long)).refused(400, "MALFORMED"), says);
    // On a page it is said where the answer is, and the fields are there again.
    let anna = Browser::logged_in(&site, "en", "/ss", ("lab\\anna", "anna-password"));
    let question = between(&anna.get("/ss").text, "name=\"answer:", "\"")[0].to_owned();
    let names = ["answer", "again"].map(|field| format!("{field}:{question}"));
    let typed = long("");
    let page = anna.send_from("/ss", "/ss/answers", &names.each_ref().map(|name| (name.as_str(), typed.as_str())));
    assert!(anna.was_led() && page.path == "/ss", "{}", page.path);
    let page = page.text;
    assert!(page.contains("200 characters") && page.contains(&format!("name=\"answer:{question}\"")), "{page}");
}

/// So it is where others answer: at Remote Self-Service, and where an operator types what somebody says.
#[test]
fn an_answer_that_is_too_long_is_told_on_other_pages() {
    let site = Site::start(Engine::Sqlite);
    site.set_answers("anna");
    let cookie_of = |answer: &Response| answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let shown = |path: &str, cookie: &str| site.send(path, |http, url| http.get(url).header("cookie", cookie)).text().unwrap();
    let between = |page: &str, from: &str| page.split(from).nth(1).unwrap().split('"').next().unwrap().to_owned();
    let entered = cookie_of(&site.send("/rss", |http, url| http.post(url).form(&[("name", "lab\\anna")])));
    let oleg = format!("mc={}", site.operator());
    let csrf = between(&shown(&format!("/mc/cards/{ANNA}"), &oleg), "name=\"csrf\" value=\"");
    let wizard = site.send(&format!("/mc/cards/{ANNA}/wizard"), |http, url| {
        http.post(url).header("cookie", &oleg).form(&[("csrf", csrf.as_str())])
    });
    let wizard = wizard.headers()["location"].to_str().unwrap().to_owned();
    for (page, cookie) in [("/rss", &entered), (&*wizard, &oleg)] {
        let asked = shown(page, cookie);
        let (csrf, question) = (between(&asked, "name=\"csrf\" value=\""), between(&asked, "name=\"answer:"));
        let form = [("csrf".to_owned(), csrf), (format!("answer:{question}"), "x".repeat(20_000))];
        let sent = site.send(&format!("{page}/answers"), |http, url| http.post(url).header("cookie", cookie).form(&form));
        assert_eq!((sent.status().as_u16(), sent.headers()["location"].to_str().unwrap()), (303, page));
        let told = shown(page, &format!("{cookie}; {}", cookie_of(&sent)));
        assert!(told.contains("An answer has 1 to 200 characters"), "{page}: {told}");
        assert!(told.contains(&format!("name=\"answer:{question}\"")), "{page}: it is asked again");
    }
}

#[test]
fn every_refusal_is_a_problem() {
    let site = Site::start(Engine::Sqlite);
    let token = site.administrator();
    problem(site.send("/nowhere", |http, url| http.get(url)), 404, "NOT_FOUND");
    problem(site.send("/api/v1/login", |http, url| http.get(url)), 405, "WRONG_METHOD");
    problem(site.send("/api/v1/users", |http, url| http.get(url)), 401, "NOT_LOGGED_IN");
    problem(site.send("/api/v1/login", |http, url| http.post(url).body("{}")), 400, "MALFORMED");
    problem(site.send("/api/v1/login", |http, url| http.post(url).json(&json!({"name": 1}))), 400, "MALFORMED");
    let message = problem(site.send("/api/v1/events?after=x", |http, url| http.get(url).bearer_auth(&token)), 400, "MALFORMED");
    assert!(message.contains("after"), "{message}");
    // At a page it is a page.
    for (path, status) in [("/mc/login?ended=x", 400), ("/mc/users/none", 404)] {
        let page = site.send(path, |http, url| http.get(url).header("cookie", format!("mc={token}")));
        assert_eq!(page.status(), status, "{path}");
        let text = page.text().unwrap();
        assert!(text.contains("<h1>") && text.contains("role=\"alert\""), "{path}: {text}");
    }
}

#[test]
fn no_answer_is_kept_or_shown_elsewhere() {
    let site = Site::start(Engine::Sqlite);
    for path in ["/", "/mc", "/assets/style.css", "/api/openapi.json", "/nowhere"] {
        let answer = site.send(path, |http, url| http.get(url));
        let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(header("cache-control"), "no-store", "{path}");
        assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(header("referrer-policy"), "same-origin", "{path}");
        assert_eq!(header("x-frame-options"), "DENY", "{path}");
        assert!(header("content-security-policy").ends_with("base-uri 'none'; frame-ancestors 'none'"), "{path}");
    }
}

#[test]
fn a_login_is_a_cookie_that_goes_with_it() {
    let site = Site::start(Engine::Sqlite);
    let (name, password) = sample::ADMINISTRATOR;
    let login = site.send("/mc/login", |http, url| http.post(url).form(&[("name", name), ("password", password)]));
    assert_eq!((login.status().as_u16(), login.headers()["location"].to_str().unwrap()), (303, "/mc"));
    let cookie = login.headers()["set-cookie"].to_str().unwrap().to_owned();
    let (pair, attributes) = cookie.split_once("; ").unwrap();
    assert_eq!(attributes, "HttpOnly; SameSite=Strict; Path=/mc");
    let (name, token) = pair.split_once('=').unwrap();
    assert_eq!(name, "mc");

    let page = site.send("/mc", |http, url| http.get(url).header("cookie", format!("a=b; mc={token}; mcx=1")));
    assert_eq!(page.status(), 200);
    let page = page.text().unwrap();
    let csrf = page.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let out = site.send("/mc/logout", |http, url| http.post(url).header("cookie", pair).form(&[("csrf", csrf)]));
    assert_eq!((out.status().as_u16(), out.headers()["location"].to_str().unwrap()), (303, "/mc/login"));
    let cleared = out.headers()["set-cookie"].to_str().unwrap();
    assert!(cleared.starts_with("mc=; ") && cleared.contains("Path=/mc") && cleared.contains("Max-Age=0"), "{cleared}");
    assert_eq!(site.send("/mc", |http, url| http.get(url).header("cookie", pair)).status(), 303);
}
