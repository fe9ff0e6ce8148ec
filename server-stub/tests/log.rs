//! The log for who runs the server: a line a request with all that helps to find it again, and no secret in any.

use crate::common::{ANNA, CHALLENGE, Engine, Log, Site, outage, right, wrong};
use crate::writes::walked;
use cardlab_server_stub::service::setup::sample;
use serde_json::{Value, json};

on_both_engines! {
    no_secret_of_any_flow_is_in_the_log,
}

/// The lines of requests that were answered.
fn answered(log: &Log) -> Vec<Value> {
    log.lines().into_iter().filter(|line| line["fields"]["message"] == "answered").collect()
}

/// A line without what is drawn anew for each: the time, and the request's own name.
fn said(mut line: Value) -> String {
    line["timestamp"] = Value::Null;
    line["span"]["id"] = Value::Null;
    for span in line["spans"].as_array_mut().into_iter().flatten() {
        span["id"] = Value::Null;
    }
    line.to_string()
}

#[test]
fn a_request_is_a_line() {
    let (site, log) = Site::logged(Engine::Sqlite);
    let token = site.operator();
    let before = answered(&log).len();
    let asked =
        site.send("/api/v1/users/none?q=secret", |http, url| http.get(url).bearer_auth(&token).header("x-request-id", "mine"));
    assert_eq!(asked.status(), 404);
    let id = asked.headers()["x-request-id"].to_str().unwrap().to_owned();
    assert!(id.len() == 16 && id.bytes().all(|digit| digit.is_ascii_hexdigit()), "the server's own: {id}");
    let lines = answered(&log);
    assert_eq!(lines.len(), before + 1);
    let (fields, span) = (&lines[before]["fields"], &lines[before]["span"]);
    assert_eq!((&lines[before]["level"], &lines[before]["target"]), (&json!("INFO"), &json!("cardlab::http")));
    let expected = json!({
        "name": "request", "id": id, "from": "127.0.0.1", "method": "GET", "route": "/api/v1/users/{id}", "actor": sample::OPERATOR.0,
    });
    assert_eq!(*span, expected);
    assert_eq!((&fields["status"], &fields["error"]), (&json!(404), &json!("NOT_FOUND")));
    assert_eq!(fields["cause"], "there is no such user");
    assert!(fields["ms"].as_f64().unwrap() >= 0.0);
}

#[test]
fn a_refusal_has_its_cause_and_nothing_that_was_sent() {
    let (site, log) = Site::logged(Engine::Sqlite);
    let token = site.operator();
    let last = || answered(&log).pop().unwrap();
    // Refused before anything is read, on a page, by a role, and for what was sent.
    site.send("/mc", |http, url| http.get(url).header("host", "evil.example:80"));
    assert_eq!((&last()["fields"]["error"], &last()["span"]["actor"]), (&json!("WRONG_HOST"), &Value::Null));
    site.send("/mc/users/none", |http, url| http.get(url).header("cookie", format!("mc={token}")));
    assert_eq!((&last()["fields"]["error"], &last()["span"]["actor"]), (&json!("NOT_FOUND"), &json!("oleg")));
    site.post("/api/v1/policies", &token, &json!({"name": "P"})).refused(403, "NO_PRIVILEGE");
    assert_eq!(
        last()["fields"]["cause"],
        "your role does not have the privilege 'Change policies, questions, users and card types' here"
    );
    site.post("/api/v1/login", "", &json!({"name": "x", "password": ["hunter22"], "hunter23": 1})).refused(400, "MALFORMED");
    assert_eq!((&last()["fields"]["error"], &last()["fields"]["cause"]), (&json!("MALFORMED"), &Value::Null));
    site.send("/hunter24?hunter25", |http, url| http.request("HUNTER26".parse().unwrap(), url).header("hunter27", "hunter28"));
    assert_eq!((&last()["span"]["method"], &last()["span"]["route"]), (&json!("other"), &Value::Null));
    let all = log.lines().into_iter().map(said).collect::<String>().to_lowercase();
    assert!(!all.contains("hunter"), "{all}");
    // A name that somebody tries may be a password that went into the wrong field.
    site.post("/api/v1/login", "", &json!({"name": "hunter29", "password": "x"})).refused(401, "NOT_LOGGED_IN");
    assert!(!log.lines().into_iter().map(said).collect::<String>().contains("hunter29"));
}

#[test]
fn a_postgresql_that_is_away_is_an_error_with_its_reason() {
    let (site, log) = Site::logged(Engine::Postgres);
    outage::shut(&site.url);
    site.get("/api/v1/users", "x").refused(503, "STORE_DOWN");
    outage::open(&site.url);
    let lines = log.lines();
    let error = lines.iter().find(|line| line["level"] == "ERROR" && line["fields"]["message"] == "database").unwrap();
    let line = answered(&log).pop().unwrap();
    assert_eq!((&error["span"]["id"], &line["level"]), (&line["span"]["id"], &json!("WARN")), "{error}");
    assert!(error["fields"]["error"].as_str().unwrap().len() > 10, "{error}");
}

/// All that writes, done and refused; the pages' ways; then every password, answer, challenge, response, token, session, form token
/// and PIN of it is looked for in every line, whatever level it has.
fn no_secret_of_any_flow_is_in_the_log(engine: Engine) {
    let (site, log) = Site::logged(engine);
    drop(walked(&site));
    pages(&site);
    let mut secrets = site.secrets.lock().unwrap().clone();
    secrets.extend([sample::ADMINISTRATOR.1, sample::OPERATOR.1].map(str::to_owned));
    // The master key, and what stands there grouped as people read it.
    secrets.insert(hex::encode(crate::common::MASTER));
    let grouped: Vec<String> = secrets.iter().map(|secret| secret.split(' ').collect()).collect();
    secrets.extend(grouped);
    // What is shorter is a word of every sentence.
    secrets.retain(|secret| secret.len() >= 6);
    assert!(secrets.len() > 30, "{}", secrets.len());
    let lines = log.lines();
    assert!(answered(&log).len() > 80, "{}", answered(&log).len());
    for line in lines {
        let line = said(line).to_lowercase();
        for secret in &secrets {
            assert!(!line.contains(&secret.to_lowercase()), "{engine:?}: {secret} is in {line}");
        }
    }
}

/// What people do at pages.
fn pages(site: &Site) {
    let mut secrets = Vec::new();
    let cookie_of = |answer: &reqwest::blocking::Response| {
        answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned()
    };
    let csrf_of = |page: &str| page.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let form = |path: &str, cookie: &str, fields: &[(&str, &str)]| {
        site.send(path, |http, url| http.post(url).header("cookie", cookie).form(fields))
    };
    for (area, name, password) in [("mc", sample::OPERATOR.0, sample::OPERATOR.1), ("ss", "lab\\boris", "boris-password")] {
        let (login, wrong) = (format!("/{area}/login"), [("name", name), ("password", "wrong-password")]);
        form(&login, "", &wrong);
        let cookie = cookie_of(&form(&login, "", &[("name", name), ("password", password)]));
        let page = site.send(&format!("/{area}"), |http, url| http.get(url).header("cookie", &cookie)).text().unwrap();
        let csrf = csrf_of(&page);
        if area == "mc" {
            let opened = form(&format!("/mc/cards/{ANNA}/wizard"), &cookie, &[("csrf", &csrf)]);
            let wizard = opened.headers()["location"].to_str().unwrap().strip_prefix("/mc/unlock/").unwrap().to_owned();
            form(&format!("/mc/unlock/{wizard}/challenge"), &cookie, &[("csrf", &csrf), ("challenge", CHALLENGE)]);
            secrets.push(wizard);
        } else {
            form(
                "/ss/answers",
                &cookie,
                &[("csrf", &csrf), ("answer:1", "an-answer-of-boris"), ("again:1", "an-answer-of-boris")],
            );
        }
        form(&format!("/{area}/logout"), &cookie, &[("csrf", &csrf)]);
        secrets.extend([cookie.split('=').nth(1).unwrap().to_owned(), csrf]);
    }
    let cookie = cookie_of(&form("/rss", "", &[("name", "lab\\anna")]));
    let csrf = csrf_of(&site.send("/rss", |http, url| http.get(url).header("cookie", &cookie)).text().unwrap());
    form("/rss/answers", &cookie, &[("csrf", &csrf), ("answer:1", "an-answer-of-anna")]);
    form("/rss/unblock", &cookie, &[("csrf", &csrf), ("card", ANNA), ("challenge", CHALLENGE)]);
    secrets.extend([cookie.split('=').nth(1).unwrap().to_owned(), csrf]);
    secrets.extend(["wrong-password", "boris-password", "an-answer-of-boris", "an-answer-of-anna"].map(str::to_owned));
    site.secrets.lock().unwrap().extend(secrets);
    // And by the API once more, with a session that is somebody else's.
    let session = site.open(ANNA);
    site.from("127.0.0.9".parse().unwrap()).challenge(&session).refused(410, "SESSION_OVER");
    if session["questions"].is_array() {
        for how in [wrong, right] {
            site.answers(&session, how);
        }
    }
}
