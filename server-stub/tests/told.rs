//! What workstations ask and tell without a session, on both engines.

use crate::common::{ANNA, BORIS, CHALLENGE, Engine, SPARE, Site, nth, right, wrong};
use cardlab_protocol::workstation::Report;
use serde_json::{Value, json};

on_both_engines! {
    ways_are_the_same_for_every_reason,
    offline_is_off_by_policy_only,
    asking_for_ways_begins_nothing,
    ways_have_a_limit_of_their_own,
    a_report_settles_what_became_of_a_response,
    what_is_known_is_told_once,
    who_tells_last_changes_nothing,
    a_report_that_comes_again_settles_nothing_newer,
    what_workstations_see_is_in_the_log,
    reports_are_answered_alike,
    operators_see_what_became_of_a_response,
    whoever_was_given_no_response_only_claims,
    a_strangers_flood_keeps_nobody_out,
    equal_reports_count_once,
    what_is_told_of_a_response_has_its_own_limit,
    a_card_says_under_what_and_by_whom_it_was_issued,
}

fn ways(site: &Site, serial: &str) -> Value {
    site.post("/credprovapi/v1/ways", "", &json!({"serial": serial, "workstation": "WS1"})).ok()
}

fn is(online: bool, offline: bool) -> Value {
    json!({"online": online, "offline": offline})
}

fn ways_are_the_same_for_every_reason(engine: Engine) {
    let site = Site::start(engine);
    let (token, anna) = (site.administrator(), site.user("anna"));
    let by_operator = is(false, true);
    assert_eq!(ways(&site, ANNA), by_operator, "{engine:?}: no answers");
    site.set_answers("anna");
    assert_eq!(ways(&site, ANNA), is(true, true));
    assert_eq!(ways(&site, SPARE), by_operator, "unknown");
    let operate = |operation: &str| site.post(&format!("/api/v1/cards/{ANNA}/{operation}"), &token, &json!({})).ok();
    operate("disable");
    assert_eq!(ways(&site, ANNA), by_operator, "card disabled");
    operate("enable");
    for (action, after) in [("disable", by_operator.clone()), ("enable", is(true, true))] {
        site.post(&format!("/api/v1/users/{anna}/{action}"), &token, &json!({})).ok();
        assert_eq!(ways(&site, ANNA), after, "user {action}d");
    }
    let session = site.open(ANNA);
    (0..3).for_each(|_| drop(site.answers(&session, wrong)));
    assert_eq!(ways(&site, ANNA), by_operator, "user locked");
    site.post("/api/v1/cards", &token, &json!({"serial": SPARE, "card_type": "gids-sim", "no_admin_key": true})).ok();
    assert_eq!(ways(&site, SPARE), by_operator, "nobody's");
    let remote = json!({"serial": BORIS, "remote_desktop": true});
    assert_eq!(site.post("/credprovapi/v1/ways", "", &remote).ok(), is(false, false));
    assert_eq!(site.post("/certiflow/credprovapi/v1/ways", "", &json!({"serial": BORIS})).ok(), by_operator);
    // What no card sends is refused wherever a workstation tells of one; known or not.
    for path in ["ways", "sessions", "tasks"] {
        let sent = |body: Value| site.post(&format!("/credprovapi/v1/{path}"), "", &body);
        for serial in ["xyz", "", "0", &"00".repeat(33), "[]"] {
            sent(json!({"serial": serial})).refused(400, "MALFORMED");
        }
        for atr in ["xyz", "3B0", &"3B".repeat(34), "3B\u{0}", &"3B".repeat(5_000)] {
            sent(json!({"serial": SPARE, "atr": atr})).refused(400, "MALFORMED");
        }
        sent(json!({"serial": SPARE, "atr": "3b 00"})).ok();
        sent(json!({"serial": SPARE, "workstation": "w".repeat(15_000)})).ok();
        sent(json!([SPARE])).refused(400, "MALFORMED");
    }
}

fn offline_is_off_by_policy_only(engine: Engine) {
    let site = Site::start(engine);
    site.set_answers("anna");
    let token = site.administrator();
    let other = json!({"name": "Another", "settings": {"workflow": {"unblock_card_offline": false}}});
    let other = site.post("/api/v1/policies", &token, &other).ok()["id"].clone();
    let user = json!({"logon": "LAB\\dora", "upn": "dora@lab", "cn": "Dora", "password": "dora-password", "policy": other});
    site.post("/api/v1/users", &token, &user).ok();
    site.block_on(site.server.setup().add_issued_card(&crate::common::new_card("D0"), "lab\\dora")).unwrap();
    assert_eq!(ways(&site, "D0"), is(false, false), "{engine:?}");
    assert_eq!((ways(&site, ANNA), ways(&site, SPARE)), (is(true, true), is(false, true)), "cards that nobody knows: Default");
    site.policy("workflow", "unblock_card_offline", json!(false));
    assert_eq!((ways(&site, ANNA), ways(&site, SPARE)), (is(true, false), is(false, false)));
}

/// Neither a session nor a draw, and no line in the log: an hour of a lock screen that asks leaves nothing.
fn asking_for_ways_begins_nothing(engine: Engine) {
    let site = Site::start(engine);
    site.set_answers("anna");
    let of = |statement: &'static str| {
        site.block_on(async {
            let mut tx = crate::common::database(&site.url).await;
            let rows = sqlx::query(statement).fetch_all(&mut *tx).await.unwrap();
            rows.iter().map(|row| sqlx::Row::get::<String, _>(row, 0)).collect::<Vec<_>>()
        })
    };
    let all = || {
        [
            "SELECT id FROM flows",
            "SELECT draw FROM users ORDER BY id",
            "SELECT hash FROM chain",
            "SELECT DISTINCT bucket FROM hits ORDER BY bucket",
        ]
        .map(of)
    };
    let mut before = all();
    let hashes = site.hashing.made();
    for serial in [ANNA, BORIS, SPARE] {
        ways(&site, serial);
    }
    before[3].push("ways from 127.0.0.1".into());
    assert_eq!(all(), before, "{engine:?}");
    assert_eq!(site.hashing.made(), hashes);
}

fn ways_have_a_limit_of_their_own(engine: Engine) {
    let site = Site::start(engine);
    site.set_answers("anna");
    for _ in 0..600 {
        ways(&site, ANNA);
    }
    for serial in [ANNA, SPARE] {
        let message = site.post("/credprovapi/v1/ways", "", &json!({"serial": serial})).refused(429, "RATE_LIMITED");
        assert_eq!(message, "too many questions for open ways from this address; try again in 60 minutes", "{engine:?}");
    }
    assert_eq!(site.open(ANNA)["mode"], "online", "sessions are counted apart");
}

/// A report as a workstation sends it.
fn report(serial: &str, kind: &str, challenge: &str) -> Value {
    let challenge = Report::fingerprint(&hex::decode(challenge).unwrap());
    json!({"serial": serial, "workstation": "WS1", "kind": kind, "challenge": challenge, "at": 1_790_000_000_000_i64})
}

/// An operator's wizard for Anna's card, without questions.
fn wizard(site: &Site, token: &str) -> String {
    let wizard = site.post(&format!("/api/v1/cards/{ANNA}/wizard"), token, &json!({})).ok();
    wizard["wizard"].as_str().unwrap().to_owned()
}

fn respond(site: &Site, token: &str, wizard: &str, challenge: &str) {
    site.post(&format!("/api/v1/unlock/{wizard}/challenge"), token, &json!({"challenge": challenge})).ok();
}

fn responses(site: &Site, token: &str) -> Vec<Value> {
    site.get(&format!("/api/v1/cards/{ANNA}/responses"), token).ok().as_array().unwrap().clone()
}

fn a_report_settles_what_became_of_a_response(engine: Engine) {
    let site = Site::start(engine);
    site.policy("workflow", "validate_answers", json!(false));
    let oleg = site.operator();
    let id = wizard(&site, &oleg);
    let outcome = || site.get(&format!("/api/v1/unlock/{id}/outcome"), &oleg).ok();
    assert_eq!(outcome(), Value::Null, "{engine:?}");
    for (number, told, left, becomes, event) in [
        (0, "unlocked", json!(null), "unlocked", "CARD_UNLOCKED"),
        (1, "refused", json!(2), "refused", "CARD_REFUSED_RESPONSE"),
        (2, "refused", json!(0), "admin-key-blocked", "ADMIN_KEY_BLOCKED"),
        (3, "admin-key-blocked", json!(0), "admin-key-blocked", "ADMIN_KEY_BLOCKED"),
        (4, "gone", json!(null), "gone", "CARD_GONE"),
    ] {
        respond(&site, &oleg, &id, &nth(number));
        assert_eq!((&outcome()["outcome"], &outcome()["settled_at"]), (&json!("waiting"), &Value::Null), "{told}");
        let mut told = report(ANNA, told, &nth(number));
        told["tries_left"] = left.clone();
        assert_eq!(site.tell(&told).ok(), json!({}));
        assert_eq!((&outcome()["outcome"], &outcome()["tries_left"]), (&json!(becomes), &left), "{told}");
        assert_eq!(site.events(&format!("card={ANNA}")).last().unwrap(), event);
    }
    // Of another card, or to another challenge: written down as a claim, and nothing is settled.
    respond(&site, &oleg, &id, &nth(4));
    let settled = responses(&site, &oleg);
    for told in [report(BORIS, "unlocked", &nth(4)), report(ANNA, "unlocked", &nth(9)), report(SPARE, "unlocked", &nth(4))] {
        site.tell(&told).ok();
    }
    assert_eq!(responses(&site, &oleg), settled);
    let log = site.get("/api/v1/events?name=CARD_UNLOCKED", &oleg).ok();
    let settles = |log: &Value| log.as_array().unwrap().iter().map(|e| detail(e)["settles"].clone()).collect::<Vec<_>>();
    assert_eq!(settles(&log), [true]);
    let claims = site.get("/api/v1/events?name=REPORT_UNCONFIRMED", &oleg).ok();
    assert_eq!(settles(&claims), [false, false, false]);
}

fn detail(event: &Value) -> Value {
    serde_json::from_str(event["detail"].as_str().unwrap()).unwrap()
}

/// Sent again, days later, or told in another way before: one event.
fn what_is_known_is_told_once(engine: Engine) {
    let site = Site::start(engine);
    site.set_answers("anna");
    let session = site.open(ANNA);
    site.answers(&session, right).ok();
    site.challenge(&session).ok();
    site.clock.advance(std::time::Duration::from_secs(5 * 24 * 60 * 60));
    let told = report(ANNA, "unlocked", CHALLENGE);
    for again in [
        told.clone(),
        told.clone(),
        json!({"at": 7, "serial": ANNA.to_lowercase(), "kind": "unlocked", "challenge": told["challenge"]}),
    ] {
        site.tell(&again).ok();
    }
    site.report(&session, &json!({"outcome": "unlocked"})).ok();
    assert_eq!(site.events("name=CARD_UNLOCKED").len(), 1, "{engine:?}");
    // What stands for itself is told each time it happens, and once each time.
    for at in [1, 2, 2, 1] {
        site.tell(&json!({"serial": ANNA, "kind": "pin-wrong", "tries_left": 2, "at": at})).ok();
    }
    assert_eq!(site.events("name=PIN_WRONG_SEEN").len(), 2);
    // The log has both, and its page says them in one line: what happened, in words, and as programs read it.
    let log = site.page("/mc/log?name=PIN_WRONG_SEEN", "mc", &site.administrator());
    assert!(log.contains("<h2>2 events</h2>") && log.contains("(2 times)"), "{engine:?}: {log}");
    assert_eq!(log.matches("<dt>Tries left</dt><dd>2</dd>").count(), 2, "{engine:?}: {log}");
    assert_eq!((log.matches("<tr>").count(), log.matches("110 PIN_WRONG_SEEN").count()), (2, 2), "{engine:?}: {log}");
    assert_eq!(site.second().events("name=CARD_UNLOCKED").len(), 1);
}

/// A card that went may still have been unlocked by who saw it last; an end that somebody saw stays.
fn who_tells_last_changes_nothing(engine: Engine) {
    let site = Site::start(engine);
    site.policy("workflow", "validate_answers", json!(false));
    let oleg = site.operator();
    let id = wizard(&site, &oleg);
    respond(&site, &oleg, &id, CHALLENGE);
    for (kind, becomes) in [("gone", "gone"), ("unlocked", "unlocked"), ("refused", "unlocked"), ("gone", "unlocked")] {
        let mut told = report(ANNA, kind, CHALLENGE);
        told["at"] = json!(becomes.len());
        site.tell(&told).ok();
        assert_eq!(responses(&site, &oleg)[0]["outcome"], becomes, "{engine:?}: {kind}");
    }
    assert!(site.events("name=CARD_REFUSED_RESPONSE").is_empty());
    assert_eq!(site.events("name=REPORT_UNCONFIRMED").len(), 2, "it is in the log all the same");
}

/// A card whose challenges repeat was given its response anew since: what became of that nobody has told.
fn a_report_that_comes_again_settles_nothing_newer(engine: Engine) {
    let site = Site::start(engine);
    site.policy("workflow", "validate_answers", json!(false));
    let oleg = site.operator();
    let told = report(ANNA, "refused", CHALLENGE);
    respond(&site, &oleg, &wizard(&site, &oleg), CHALLENGE);
    site.tell(&told).ok();
    assert_eq!(responses(&site, &oleg)[0]["outcome"], "refused", "{engine:?}");
    respond(&site, &oleg, &wizard(&site, &oleg), CHALLENGE);
    site.tell(&told).ok();
    assert_eq!(responses(&site, &oleg)[0]["outcome"], "waiting");
    assert_eq!(site.events("name=CARD_REFUSED_RESPONSE").len(), 1);
    let mut newer = told;
    newer["at"] = json!(1_790_000_000_001_i64);
    site.tell(&newer).ok();
    assert_eq!(responses(&site, &oleg)[0]["outcome"], "refused");
    assert_eq!(site.events("name=CARD_REFUSED_RESPONSE").len(), 2);
}

fn what_workstations_see_is_in_the_log(engine: Engine) {
    let site = Site::start(engine);
    let told = json!({
        "serial": ANNA, "workstation": "WS\u{1b}7", "kind": "pin-blocked", "status_word": "6983", "tries_left": 0,
        "at": 1_790_000_000_000_i64,
    });
    site.tell(&told).ok();
    let event = site.get("/api/v1/events?name=PIN_BLOCK_SEEN", &site.administrator()).ok()[0].clone();
    let about = |name: &str| event[name].as_str().unwrap().to_owned();
    assert_eq!((event["code"].as_i64(), about("kind"), about("card")), (Some(109), "W".into(), ANNA.into()), "{engine:?}");
    assert_eq!(
        (about("initiator"), about("workstation"), about("user")),
        ("workstation".into(), "WS7".into(), site.user("anna"))
    );
    let detail = detail(&event);
    let is = json!({
        "by": "the workstation", "at": "2026-09-21T14:13:20.000Z", "report": "pin-blocked", "status_word": "6983", "tries_left": 0,
        "settles": false,
    });
    assert_eq!(detail, is);
    site.tell(&json!({"serial": ANNA, "kind": "pin-wrong", "at": 0})).ok();
    let event = site.get("/api/v1/events?name=PIN_WRONG_SEEN", &site.administrator()).ok()[0].clone();
    assert_eq!(event["code"], 110);
    // What a workstation says changes nobody and no card.
    let card = site.get(&format!("/api/v1/cards/{ANNA}"), &site.administrator()).ok();
    assert_eq!(card["state"], "Issued");
}

fn reports_are_answered_alike(engine: Engine) {
    let site = Site::start(engine);
    for serial in [ANNA, SPARE, "00"] {
        for kind in ["unlocked", "refused", "admin-key-blocked", "gone", "pin-blocked", "pin-wrong"] {
            assert_eq!(site.tell(&report(serial, kind, CHALLENGE)).ok(), json!({}), "{engine:?}");
        }
    }
    let with = |name: &str, value: Value| {
        let mut told = report(ANNA, "unlocked", CHALLENGE);
        told[name] = value;
        told
    };
    for wrong in [
        with("serial", json!("xyz")),
        with("kind", json!("exploded")),
        with("challenge", json!(CHALLENGE)),
        with("challenge", json!("g".repeat(64))),
        with("status_word", json!("90")),
        with("status_word", json!("é00")),
        with("tries_left", json!(256)),
        with("at", json!("now")),
        with("extra", json!(1)),
        json!({}),
    ] {
        site.tell(&wrong).refused(400, "MALFORMED");
    }
    // As far as a clock goes that is wrong, and no further.
    for at in [0, 253_402_300_799_999_i64] {
        site.tell(&with("at", json!(at))).ok();
    }
    for at in [i64::MIN, -1, 253_402_300_800_000, i64::MAX] {
        let message = site.tell(&with("at", json!(at))).refused(400, "MALFORMED");
        assert_eq!(message, "a time is milliseconds since 1970, 0 to 253402300799999 (the year 9999)", "{at}");
    }
    // Known or not, a card's reports are counted.
    let site = Site::start(engine);
    for serial in [ANNA, SPARE] {
        for at in 0..120 {
            site.tell(&json!({"serial": serial, "kind": "pin-wrong", "at": at})).ok();
        }
        let refused = site.tell(&json!({"serial": serial, "kind": "pin-wrong", "at": 120}));
        assert_eq!(
            refused.refused(429, "RATE_LIMITED"),
            "too many reports of this card from this address; try again in 60 minutes"
        );
        assert_eq!(site.events(&format!("card={serial}&name=RATE_LIMITED")).len(), 1);
    }
}

fn operators_see_what_became_of_a_response(engine: Engine) {
    let site = Site::start(engine);
    site.policy("workflow", "validate_answers", json!(false));
    let (oleg, admin) = (site.operator(), site.administrator());
    let id = wizard(&site, &oleg);
    let pages = || (site.page(&format!("/mc/unlock/{id}"), "mc", &oleg), site.page(&format!("/mc/cards/{ANNA}"), "mc", &admin));
    assert!(!pages().0.contains("outcome") && !pages().1.contains("Responses given"), "{engine:?}");
    let csrf = pages().0.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let mut read_out = String::new();
    for _ in 0..2 {
        let fields = [("csrf", csrf.as_str()), ("challenge", CHALLENGE)];
        let given = site.send(&format!("/mc/unlock/{id}/challenge"), |http, url| {
            http.post(url).header("cookie", format!("mc={oleg}")).form(&fields)
        });
        assert_eq!(given.status(), 303);
        assert_eq!(given.headers()["location"], format!("/mc/unlock/{id}"));
        read_out = given.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    }
    // The page shows it as often as it is loaded, to the browser that has the challenge: neither is stored.
    let given = || site.page(&format!("/mc/unlock/{id}"), &format!("{read_out}; mc"), &oleg);
    let pages = || (given(), site.page(&format!("/mc/cards/{ANNA}"), "mc", &admin));
    let events = site.events("name=RESPONSE_GIVEN").len();
    let (own, card) = pages();
    assert!(own.contains("Waiting for the workstation.") && own.contains("id=\"response\""), "{own}");
    assert!(!read_out.contains(CHALLENGE) && !site.page(&format!("/mc/unlock/{id}"), "mc", &oleg).contains("id=\"response\""));
    assert_eq!(site.events("name=RESPONSE_GIVEN").len(), events);
    assert!(card.contains("2 times") && card.contains("<td>oleg</td><td>Operator</td><td>Waiting"), "{card}");
    let mut told = report(ANNA, "refused", CHALLENGE);
    told["tries_left"] = json!(1);
    site.tell(&told).ok();
    let (own, card) = pages();
    assert!(own.contains("The card refused the response; 1 try left.") && card.contains("1 try left."), "{own} {card}");
    // Another operator's wizard is nobody's to look at.
    site.get(&format!("/api/v1/unlock/{id}/outcome"), &admin).refused(410, "SESSION_OVER");
    site.get(&format!("/api/v1/cards/{SPARE}/responses"), &admin).refused(404, "NOT_FOUND");
}

/// Somebody without a login, a session or a response says what there is to say of a card: the log and its pages have it as what
/// was said, and what the server knows of the card stays as it was.
fn whoever_was_given_no_response_only_claims(engine: Engine) {
    let site = Site::start(engine);
    site.policy("workflow", "validate_answers", json!(false));
    let (oleg, admin) = (site.operator(), site.administrator());
    respond(&site, &oleg, &wizard(&site, &oleg), CHALLENGE);
    site.tell(&report(ANNA, "unlocked", CHALLENGE)).ok();
    let page = || site.page(&format!("/mc/cards/{ANNA}"), "mc", &admin);
    let known = |page: &str| page.contains("<span class=\"badge good\">Unlocked ");
    assert!(known(&page()), "{engine:?}: {}", page());
    let before = site.events(&format!("card={ANNA}"));
    let calls_itself = "PC-12 <b>\u{202e}evil";
    for (kind, claim) in [
        ("unlocked", "was unlocked"),
        ("refused", "refused a response"),
        ("admin-key-blocked", "can no longer be unlocked"),
        ("gone", "was removed before it had its response"),
    ] {
        // Without a challenge, and with one that nobody answered.
        for challenge in [Value::Null, report(ANNA, kind, &nth(9))["challenge"].clone()] {
            let told = json!({
                "serial": ANNA, "kind": kind, "at": 1, "workstation": calls_itself, "tries_left": 0, "challenge": challenge,
            });
            site.tell(&told).ok();
        }
        let page = page();
        let sentence = format!("PC-12 bevil reports that the card \u{22EF}2E1F of Anna Berg {claim}; nobody has confirmed it");
        assert!(page.contains(&sentence) && page.contains("<span class=\"badge \">Not confirmed: "), "{engine:?}: {page}");
        assert!(known(&page) && !page.contains("badge bad") && !page.contains('\u{202e}'), "{engine:?}: {page}");
    }
    let after = site.events(&format!("card={ANNA}"));
    assert_eq!(after[before.len()..], vec!["REPORT_UNCONFIRMED"; 8], "{engine:?}");
    // Of the PIN nobody can say more than that.
    for (kind, badge) in [("pin-blocked", "PIN blocked"), ("pin-wrong", "wrong PIN entered")] {
        site.tell(&json!({"serial": ANNA, "kind": kind, "at": 2, "workstation": "PC-12"})).ok();
        let page = page();
        assert!(page.contains(&format!("<span class=\"badge \">Not confirmed: {badge}, reported ")), "{engine:?}: {page}");
        assert!(known(&page) && page.contains("nobody has confirmed it"), "{engine:?}: {page}");
    }
    let german = site.send(&format!("/mc/cards/{ANNA}"), |http, url| {
        http.get(url).header("cookie", format!("mc={admin}")).header("accept-language", "de")
    });
    assert!(german.text().unwrap().contains("niemand hat es bestätigt"), "{engine:?}");
}

/// Somebody fills the log with claims about a card: who sees it elsewhere is heard, so is at the same address who was given a
/// response, and the card's page still tells what happened.
fn a_strangers_flood_keeps_nobody_out(engine: Engine) {
    let site = Site::start(engine);
    site.policy("workflow", "validate_answers", json!(false));
    let (oleg, admin) = (site.operator(), site.administrator());
    respond(&site, &oleg, &wizard(&site, &oleg), CHALLENGE);
    let claim = |at: i64| json!({"serial": ANNA, "kind": "pin-blocked", "at": at, "workstation": format!("X{at}")});
    let stranger = site.from(std::net::IpAddr::from([127, 0, 0, 9]));
    (0..120).for_each(|at| drop(stranger.tell(&claim(at)).ok()));
    for at in 120..200 {
        stranger.tell(&claim(at)).refused(429, "RATE_LIMITED");
    }
    site.tell(&claim(500)).ok();
    stranger.tell(&report(ANNA, "unlocked", CHALLENGE)).ok();
    assert_eq!(responses(&site, &oleg)[0]["outcome"], "unlocked", "{engine:?}");
    let page = site.page(&format!("/mc/cards/{ANNA}"), "mc", &admin);
    assert!(page.contains("<span class=\"badge good\">Unlocked ") && !page.contains("Not confirmed"), "{engine:?}: {page}");
    assert_eq!(page.matches("nobody has confirmed it").count(), 1, "{engine:?}: {page}");
    let anna = site.page(&format!("/mc/users/{}", site.user("anna")), "mc", &admin);
    for page in [page, anna] {
        assert!(page.contains("oleg gave Anna Berg a response for the card"), "{engine:?}: {page}");
        assert!(page.contains("was unlocked at WS1"), "{engine:?}: {page}");
    }
    // Neither are its unlocks asked for in vain.
    for _ in 0..10 {
        stranger.open(ANNA);
    }
    stranger.post("/credprovapi/v1/sessions", "", &json!({"serial": ANNA})).refused(429, "RATE_LIMITED");
    site.open(ANNA);
}

fn equal_reports_count_once(engine: Engine) {
    let site = Site::start(engine);
    let claim = |at: i64| json!({"serial": ANNA, "kind": "pin-blocked", "at": at, "workstation": "WS1"});
    (0..300).for_each(|_| drop(site.tell(&claim(1)).ok()));
    assert_eq!(site.events("name=PIN_BLOCK_SEEN").len(), 1, "{engine:?}");
    (2..=120).for_each(|at| drop(site.tell(&claim(at)).ok()));
    site.tell(&claim(121)).refused(429, "RATE_LIMITED");
    // What was refused has not come: it is taken when there is room again.
    site.clock.advance(std::time::Duration::from_secs(3601));
    site.tell(&claim(121)).ok();
    assert_eq!(site.events("name=PIN_BLOCK_SEEN").len(), 121, "{engine:?}");
}

fn what_is_told_of_a_response_has_its_own_limit(engine: Engine) {
    let site = Site::start(engine);
    site.policy("workflow", "validate_answers", json!(false));
    let oleg = site.operator();
    let id = wizard(&site, &oleg);
    respond(&site, &oleg, &id, &nth(0));
    let told = |number: u64, at: i64| {
        let mut told = report(ANNA, "gone", &nth(number));
        told["at"] = json!(at);
        site.tell(&told)
    };
    (0..20).for_each(|at| drop(told(0, at).ok()));
    let message = told(0, 20).refused(429, "RATE_LIMITED");
    assert_eq!(message, "too many reports of this response; try again in 60 minutes", "{engine:?}");
    // What the log has of it is not what a report is known by.
    let log = site.get("/api/v1/events?name=RATE_LIMITED", &oleg).ok();
    assert!(!log.to_string().contains(report(ANNA, "gone", &nth(0))["challenge"].as_str().unwrap()), "{log}");
    respond(&site, &oleg, &id, &nth(1));
    told(1, 0).ok();
    site.tell(&json!({"serial": ANNA, "kind": "pin-blocked", "at": 0})).ok();
}

/// To whom, by whom and when, as long as it is theirs; under which policy; and where the rest of its story is.
fn a_card_says_under_what_and_by_whom_it_was_issued(engine: Engine) {
    let site = Site::start(engine);
    let admin = site.administrator();
    let page = |serial: &str| site.page(&format!("/mc/cards/{serial}"), "mc", &admin);
    let anna = page(ANNA);
    assert!(anna.contains("<dt>Policy</dt><dd>Default</dd>"), "{engine:?}: {anna}");
    assert!(anna.contains("<dt>Issued</dt><dd>to Anna Berg by setup, "), "{engine:?}: {anna}");
    assert!(anna.contains(&format!("<a href=\"/mc/log?card={ANNA}\">All events of this card</a>")), "{engine:?}: {anna}");
    assert_eq!(site.events(&format!("card={ANNA}"))[..2], ["CARD_ADDED", "CARD_STATE_CHANGED"], "{engine:?}");
    let user = site.user("anna");
    let of_user = site.page(&format!("/mc/users/{user}"), "mc", &admin);
    assert!(of_user.contains(&format!("<a href=\"/mc/log?user={user}\">All events of this user</a>")), "{engine:?}: {of_user}");
    let new = json!({"serial": SPARE, "card_type": "gids-sim", "no_admin_key": true});
    site.post("/api/v1/cards", &admin, &new).ok();
    assert!(!page(SPARE).contains("<dt>Policy</dt>") && !page(SPARE).contains("<dt>Issued</dt>"), "{engine:?}");
    // Many events later, and by whom it was issued last.
    let operate = |operation: &str, body: Value| {
        site.post(&format!("/api/v1/cards/{ANNA}/{operation}"), &admin, &body).ok();
    };
    for _ in 0..8 {
        operate("disable", json!({}));
        operate("enable", json!({}));
    }
    assert!(page(ANNA).contains("<dd>to Anna Berg by setup, "), "{engine:?}: {}", page(ANNA));
    operate("revoke", json!({"reason": "lost"}));
    operate("withdraw", json!({}));
    assert!(!page(ANNA).contains("<dt>Issued</dt>"), "{engine:?}: {}", page(ANNA));
}
