//! Remote Self-Service tells nobody who exists, on both engines.

use crate::common::{ANNA, Answer, CHALLENGE, Engine, Site, given, right, wrong};
use serde_json::{Value, json};
use std::collections::BTreeMap;

on_both_engines! {
    a_bare_word_is_no_name,
    questions_tell_nobody_who_exists,
    a_lock_is_not_seen,
    a_session_ends_with_the_lock,
    guesses_at_once,
    as_many_questions_as_others,
    refusals_are_in_the_log,
}

fn enter(site: &Site, name: &str) -> Value {
    site.post("/api/v1/remote", "", &json!({"name": name})).ok()
}

fn answer(site: &Site, session: &Value, how: impl Fn(&str) -> String) -> Answer {
    let path = format!("/api/v1/remote/{}/answers", session["session"].as_str().unwrap());
    site.post(&path, "", &given(&session["questions"], how))
}

fn unblock(site: &Site, session: &Value) -> Answer {
    let path = format!("/api/v1/remote/{}/challenge", session["session"].as_str().unwrap());
    site.post(&path, "", &json!({"card": ANNA, "challenge": CHALLENGE}))
}

/// A word that is no name is refused before anything is counted, whoever is called so: the rule of the page.
fn a_bare_word_is_no_name(engine: Engine) {
    let site = Site::start(engine);
    for name in ["anna", "Anna Berg", "nobody", "", "\\", "lab\\", "@lab.example", "lab/anna"] {
        let refused = site.post("/api/v1/remote", "", &json!({"name": name})).refused(400, "MALFORMED");
        assert_eq!(
            refused, "write the name as DOMAIN\\Name or as name@domain: a name alone is not enough here",
            "{engine:?}: {name}"
        );
    }
    assert_eq!(site.events("name=RATE_LIMITED"), [""; 0]);
    enter(&site, "lab\\anna");
    enter(&site, "nobody@lab.example");
}

/// Both forms of a name, whoever asks and however often; and all orders come up, for names that exist and for others.
fn questions_tell_nobody_who_exists(engine: Engine) {
    let site = Site::with(engine, |server| server.without_limits());
    for number in 1..=24 {
        site.user_with_card(number);
    }
    site.policy("authentication", "questions_to_ask", json!(2));
    let asked = |name: &str| enter(&site, name)["questions"].clone();
    let mut orders: [BTreeMap<String, u32>; 2] = Default::default();
    for number in 1..=24 {
        for (known, name) in [(0, format!("worker{number}")), (1, format!("nobody{number}"))] {
            let questions = asked(&format!("LAB\\{name}"));
            assert_eq!(questions.as_array().unwrap().len(), 2, "{engine:?}: {name}");
            *orders[known].entry(questions.to_string()).or_default() += 1;
            assert_eq!(asked(&format!(" lab\\{}", name.to_uppercase())), questions);
        }
    }
    // Of one person under each name, though the names have nothing in common; nor does the form that nobody has tell which one
    // somebody has.
    for number in 1..=24 {
        let questions = asked(&format!("LAB\\worker{number}"));
        for name in [format!("w{number}@lab"), format!("LAB\\w{number}"), format!("worker{number}@lab")] {
            assert_eq!(asked(&name), questions, "{engine:?}: {name}");
        }
    }
    // Two of three questions in any order: six ways. With 24 names each, most of them come up on both sides.
    assert!(orders.iter().all(|seen| seen.len() >= 4), "{orders:?}");
    for name in ["anna", "nobody"] {
        if name == "anna" {
            site.set_answers("anna");
        }
        let by_logon = asked(&format!("LAB\\{name}"));
        assert_eq!(asked(&format!("{name}@lab.example")), by_logon, "{engine:?}: {name}");
        let session = enter(&site, &format!("{name}@lab.example"));
        let _ = answer(&site, &session, right).ok();
        assert_eq!(asked(&format!("LAB\\{name}")), by_logon, "{name}: not after right answers either");
    }
    // Nor when an unlock has come to its end.
    let before = asked("LAB\\anna");
    let session = site.open(ANNA);
    site.answers(&session, right).ok();
    site.challenge(&session).ok();
    site.report(&session, &json!({"outcome": "unlocked"})).ok();
    assert_eq!(asked("LAB\\anna"), before);
}

/// What somebody sees who guesses, at a name that exists and at one that does not: the same to the end.
fn a_lock_is_not_seen(engine: Engine) {
    let site = Site::start(engine);
    site.set_answers("anna");
    let seen = |name: &str| {
        let mut seen = Vec::new();
        for _ in 0..2 {
            let session = enter(&site, name);
            let hashes = site.hashing.made();
            for _ in 0..11 {
                let answered = answer(&site, &session, wrong);
                seen.push((answered.status, answered.text));
            }
            // The same work.
            seen.push((0, (site.hashing.made() - hashes).to_string()));
            seen.push((unblock(&site, &session).status, String::new()));
        }
        let questions: Vec<Value> = (0..2).map(|_| enter(&site, name)["questions"].clone()).collect();
        assert_eq!(questions[0], questions[1]);
        seen
    };
    assert_eq!(seen("lab\\anna"), seen("lab\\nobody"), "{engine:?}");
    assert_eq!(site.events("name=USER_LOCKED").len(), 1);
    let anna = site.user("anna");
    assert_eq!(site.events(&format!("user={anna}&name=ANSWERS_WRONG")).len(), 3, "compared as often as the policy says");
    assert_eq!(site.events(&format!("user={anna}&name=RESPONSE_REFUSED")).len(), 17, "and the others are in the log");
}

fn a_session_ends_with_the_lock(engine: Engine) {
    let site = Site::start(engine);
    site.set_answers("anna");
    let (asking, answered) = (enter(&site, "anna@lab.example"), enter(&site, "lab\\anna"));
    assert_eq!(answer(&site, &answered, right).ok()["ok"], true);
    let online = site.open(ANNA);
    assert_eq!(site.answers(&online, right).ok(), json!({"ok": true}));
    let guessing = site.open(ANNA);
    (0..3).for_each(|_| drop(site.answers(&guessing, wrong)));
    let oleg = site.operator();
    // Unlocked or not, what was open before is over.
    for unlock in [false, true] {
        if unlock {
            site.post(&format!("/api/v1/users/{}/unlock", site.user("anna")), &oleg, &json!({})).ok();
        }
        assert_eq!(answer(&site, &asking, right).ok()["ok"], false, "{engine:?} {unlock}");
        unblock(&site, &asking).refused(409, "ANSWERS_FIRST");
        unblock(&site, &answered).refused(410, "SESSION_OVER");
        site.challenge(&online).refused(410, "SESSION_OVER");
    }
    let session = enter(&site, "lab\\anna");
    assert_eq!(answer(&site, &session, right).ok()["ok"], true);
    unblock(&site, &session).ok();
}

/// Two hundred answers at once, right ones among them: compared as often as the policy says.
fn guesses_at_once(engine: Engine) {
    let site = Site::with(engine, |server| server.without_limits());
    site.set_answers("anna");
    let sessions: Vec<Value> = (0..40).map(|_| enter(&site, "lab\\anna")).collect();
    let right_ones = std::thread::scope(|scope| {
        let asked: Vec<_> = (0..200)
            .map(|n| (&sessions[n % 40], &site))
            .map(|(session, site)| scope.spawn(move || answer(site, session, wrong).ok()["ok"] == true))
            .collect();
        asked.into_iter().filter(|_| true).map(|thread| thread.join().unwrap()).filter(|right| *right).count()
    });
    assert_eq!(right_ones, 0);
    let anna = site.user("anna");
    assert_eq!(site.events(&format!("user={anna}&name=ANSWERS_WRONG")).len(), 3, "{engine:?}");
    assert_eq!(site.events("name=USER_LOCKED").len(), 1);
    assert!(sessions.iter().all(|session| answer(&site, session, right).ok()["ok"] == false));
}

/// A policy asks for more than somebody has answered: one question more is asked, and decides nothing.
fn as_many_questions_as_others(engine: Engine) {
    let site = Site::start(engine);
    let login = site.block_on(site.server.logins().log_in(
        cardlab_server_stub::service::login::Door::SelfService,
        "lab\\anna",
        "anna-password",
        "127.0.0.1",
    ));
    let set = |texts: usize| {
        site.block_on(async {
            let person = site.server.logins().person(&login.as_ref().unwrap().token).await.unwrap();
            let own = site.server.self_service().own(&person).await.unwrap();
            let answers: Vec<Value> =
                own.questions.iter().take(texts).map(|q| json!({"question": q.id, "text": right(&q.text)})).collect();
            site.server
                .self_service()
                .set_answers(&person, &serde_json::from_value(json!({"answers": answers})).unwrap())
                .await
                .unwrap();
        });
    };
    set(1);
    site.policy("authentication", "questions_to_ask", json!(2));
    let session = enter(&site, "lab\\anna");
    assert_eq!(
        session["questions"].as_array().unwrap().len(),
        enter(&site, "lab\\nobody")["questions"].as_array().unwrap().len()
    );
    let token = site.administrator();
    let policy = site.get("/api/v1/policies", &token).ok()[0]["id"].as_str().unwrap().to_owned();
    let first = site.get(&format!("/api/v1/policies/{policy}/questions"), &token).ok()[0]["text"].as_str().unwrap().to_owned();
    assert_eq!(answer(&site, &session, |q| if q == first { wrong(q) } else { right(q) }).ok()["ok"], false, "{engine:?}");
    assert_eq!(answer(&site, &session, |q| if q == first { right(q) } else { wrong(q) }).ok()["ok"], true);
    unblock(&site, &session).ok();
}

fn refusals_are_in_the_log(engine: Engine) {
    let site = Site::start(engine);
    let long = format!("lab\\\u{1b}{}", "é".repeat(4_000));
    for _ in 0..30 {
        enter(&site, &long);
    }
    site.post("/api/v1/remote", "", &json!({"name": long})).refused(429, "RATE_LIMITED");
    let event = site.get("/api/v1/events?name=RATE_LIMITED", &site.administrator()).ok()[0].clone();
    assert_eq!(event["initiator"].as_str().unwrap(), format!("lab\\{}", "é".repeat(196)), "{engine:?}");
}

/// The session of the pages is in a cookie of theirs: nothing that opens it is in an address or on a page.
#[test]
fn the_pages_hide_what_opens_the_session() {
    let site = Site::start(Engine::Sqlite);
    site.set_answers("anna");
    let opened = site.send("/rss", |http, url| http.post(url).form(&[("name", "lab\\anna")]));
    let cookie = opened.headers()["set-cookie"].to_str().unwrap().to_owned();
    let (pair, attributes) = cookie.split_once("; ").unwrap();
    assert_eq!(attributes, "HttpOnly; SameSite=Strict; Path=/rss");
    let token = pair.strip_prefix("rss=").unwrap().to_owned();
    let between = |page: &str, from: &str| page.split(from).nth(1).unwrap().split('"').next().unwrap().to_owned();
    assert_eq!((opened.status().as_u16(), opened.headers()["location"].to_str().unwrap()), (303, "/rss"));
    let shown = |cookie: &str| site.send("/rss", |http, url| http.get(url).header("cookie", cookie)).text().unwrap();
    let page = shown(pair);
    assert_eq!(page, shown(pair), "a reload asks the same");
    let (csrf, question) = (between(&page, "name=\"csrf\" value=\""), between(&page, "for=\"q-"));
    let text = page.split("<label for=\"q-").nth(1).unwrap().split(['>', '<']).nth(1).unwrap().to_owned();
    let post = |path: &str, cookie: &str, csrf: &str, field: (&str, &str)| {
        site.send(path, |http, url| http.post(url).header("cookie", cookie).form(&[("csrf", csrf), field]))
    };
    let answer = right(&text);
    let name = format!("answer:{question}");
    let field = (name.as_str(), answer.as_str());
    assert_eq!(post("/rss/answers", "", &csrf, field).headers()["location"], "/rss");
    assert_eq!(post("/rss/answers", pair, &token, field).status(), 403);
    assert_eq!(post("/rss/answers", pair, "", field).status(), 403);
    assert_eq!(post("/rss/answers", &format!("rss={csrf}"), &csrf, field).status(), 403);
    assert_eq!(post("/rss/answers", pair, &csrf, field).status(), 303);
    let cards = shown(pair);
    let body = [("csrf", csrf.as_str()), ("card", ANNA), ("challenge", CHALLENGE)];
    let given = site.send("/rss/unblock", |http, url| http.post(url).header("cookie", pair).form(&body));
    let read_out = given.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    assert!(!read_out.contains(CHALLENGE), "{read_out}");
    // As often as it is loaded, to the browser that has the challenge.
    let events = site.events("name=RESPONSE_GIVEN").len();
    let response = shown(&format!("{pair}; {read_out}"));
    assert!(response.contains("id=\"response\"") && !shown(pair).contains("id=\"response\""), "{response}");
    assert_eq!(site.events("name=RESPONSE_GIVEN").len(), events);
    for page in [&page, &cards, &response] {
        assert!(!page.contains(&token), "{page}");
    }
    let left = post("/rss/leave", pair, &csrf, ("", ""));
    assert!(left.headers()["set-cookie"].to_str().unwrap().contains("Max-Age=0"));
    assert_eq!(post("/rss/answers", pair, &csrf, field).status(), 410);
    assert!(shown(pair).contains("Who are you?"));
}
