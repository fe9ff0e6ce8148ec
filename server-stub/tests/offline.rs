//! Offline unlock over HTTP: operators at the console, users in Remote Self-Service, on both engines.

use crate::common::{ANNA, Answer, BORIS, CHALLENGE, Engine, SPARE, Site, expected, given, nth, right, wrong};
use cardlab_server_stub::service::login::Door;
use cardlab_server_stub::service::setup::sample;
use serde_json::{Value, json};

on_both_engines! {
    nobody_locks_everybody_out,
    questions_then_challenge,
    policies_are_judged_at_each_step,
    five_wrong_answers_end_the_wizard,
    who_may,
    responses_are_limited,
    remote_self_service,
    answers_are_set_where_the_policy_says_so,
    logins,
    configuration,
}

fn open(site: &Site, token: &str, serial: &str) -> Answer {
    site.post(&format!("/api/v1/cards/{serial}/wizard"), token, &json!({}))
}

fn answer(site: &Site, token: &str, wizard: &Value, answer: impl Fn(&str) -> String) -> Answer {
    let path = format!("/api/v1/unlock/{}/answers", wizard["wizard"].as_str().unwrap());
    site.post(&path, token, &given(&wizard["questions"], answer))
}

fn challenge(site: &Site, token: &str, wizard: &Value, body: &Value) -> Answer {
    site.post(&format!("/api/v1/unlock/{}/challenge", wizard["wizard"].as_str().unwrap()), token, body)
}

fn read() -> Value {
    json!({"challenge": CHALLENGE})
}

fn nobody_locks_everybody_out(engine: Engine) {
    let site = Site::start(engine);
    let admin = site.administrator();
    let staff = site.get("/api/v1/staff", &admin).ok();
    let id = |kind: &str, name: &str| {
        let found = staff[kind].as_array().unwrap().iter().find(|entry| entry["name"] == name);
        found.unwrap_or_else(|| panic!("{name} in {staff}"))["id"].as_str().unwrap().to_owned()
    };
    let (oleg, own, operator) = (id("operators", "oleg"), id("operators", "admin"), id("roles", "Operator"));
    let role = |id: &str| format!("/api/v1/operators/{id}/role");
    site.put(&role(&own), &admin, &json!({"role": null})).refused(409, "CONFLICT");
    site.put("/api/v1/roles/Administrator", &admin, &json!({"privileges": ["view-user"]})).refused(409, "CONFLICT");
    site.put(&role(&oleg), &site.operator(), &json!({"role": operator})).refused(403, "NO_PRIVILEGE");
    site.put(&role(&oleg), &admin, &json!({"role": "none such"})).refused(404, "NOT_FOUND");
    site.put(&role("nobody"), &admin, &json!({"role": operator})).refused(404, "NOT_FOUND");
    let token = site.operator();
    site.put(&role(&oleg), &admin, &json!({"role": null})).ok();
    site.get("/api/v1/users?q=anna", &token).refused(403, "NO_PRIVILEGE");
    site.put(&role(&oleg), &admin, &json!({"role": operator})).ok();
    site.get("/api/v1/users?q=anna", &token).ok();
    let new = json!({"name": "x", "password": "x-password", "role": "none such"});
    site.post("/api/v1/operators", &admin, &new).refused(404, "NOT_FOUND");
    site.post("/api/v1/card-types/long", &admin, &json!({"cipher": "des"})).refused(400, "MALFORMED");
    site.post("/api/v1/card-types/aes", &admin, &json!({"cipher": "aes128", "default_user_pin": "1"})).refused(400, "MALFORMED");
    site.post("/api/v1/card-types/aes", &admin, &json!({"cipher": "aes128"})).ok();
    assert_eq!(site.get("/api/v1/card-types", &admin).ok()["aes"]["cipher"], "aes128");
}

fn questions_then_challenge(engine: Engine) {
    let site = Site::start(engine);
    site.set_answers("anna");
    let oleg = site.operator();
    let wizard = open(&site, &oleg, ANNA).ok();
    assert_eq!((wizard["questions"].as_array().unwrap().len(), &wizard["challenge_length"]), (1, &json!(16)));
    let message = challenge(&site, &oleg, &wizard, &read()).refused(409, "ANSWERS_FIRST");
    assert!(message.contains("come before the challenge"), "{message}");
    assert_eq!(answer(&site, &oleg, &wizard, wrong).ok(), json!({"ok": false, "left": 4}));
    assert_eq!(answer(&site, &oleg, &wizard, right).ok()["ok"], true);
    let wrong_check = challenge(&site, &oleg, &wizard, &json!({"challenge": CHALLENGE, "check": "00"})).refused(400, "MALFORMED");
    assert!(wrong_check.contains("a digit is wrong"), "{wrong_check}");
    let spoken = json!({"challenge": "1122-3344 5566 7788", "check": "d7"});
    let response = challenge(&site, &oleg, &wizard, &spoken).ok();
    assert_eq!(response["response"].as_str().unwrap(), expected(ANNA));
    assert_eq!(response["grouped"].as_str().unwrap().replace(' ', ""), expected(ANNA));
    // The same once more: the same, and both are in the log.
    assert_eq!(challenge(&site, &oleg, &wizard, &read()).ok(), response);
    assert_eq!(site.events(&format!("card={ANNA}&name=RESPONSE_GIVEN")).len(), 2);
    let view = site.get(&format!("/api/v1/users/{}", site.user("anna")), &oleg).ok();
    assert_eq!(view["locked"], false, "what an operator types locks nobody");
}

fn policies_are_judged_at_each_step(engine: Engine) {
    let site = Site::start(engine);
    let oleg = site.operator();
    open(&site, &oleg, ANNA).refused(409, "ANSWERS_NOT_SET");
    site.set_answers("anna");
    let wizard = open(&site, &oleg, ANNA).ok();
    // Validation off while the operator is at the questions: the next step goes without.
    site.policy("workflow", "validate_answers", json!(false));
    challenge(&site, &oleg, &wizard, &read()).ok();
    let straight = open(&site, &oleg, ANNA).ok();
    assert_eq!(straight["questions"], json!([]));
    // On again at the challenge: answers are asked.
    site.policy("workflow", "validate_answers", json!(true));
    challenge(&site, &oleg, &straight, &read()).refused(409, "ANSWERS_FIRST");
    // A response that was given without answers has not answered them.
    challenge(&site, &oleg, &wizard, &read()).refused(409, "ANSWERS_FIRST");
    // Off everywhere.
    site.policy("workflow", "unblock_card_offline", json!(false));
    let message = challenge(&site, &oleg, &wizard, &read()).refused(403, "DISABLED_BY_POLICY");
    assert!(message.contains("Unblock card offline is switched off in policy 'Default'"), "{message}");
    open(&site, &oleg, ANNA).refused(403, "DISABLED_BY_POLICY");
    site.policy("workflow", "unblock_card_offline", json!(true));
    // A locked user: refused with validation, unlockable without it.
    let session = site.open(ANNA);
    (0..3).for_each(|_| drop(site.answers(&session, wrong)));
    open(&site, &oleg, ANNA).refused(403, "USER_LOCKED");
    site.policy("workflow", "validate_answers", json!(false));
    let wizard = open(&site, &oleg, ANNA).ok();
    challenge(&site, &oleg, &wizard, &read()).ok();
    let log = site.get(&format!("/api/v1/events?card={ANNA}&name=RESPONSE_GIVEN"), &oleg).text;
    assert!(log.contains(r#"\"answers_validated\":false"#), "{log}");
}

fn five_wrong_answers_end_the_wizard(engine: Engine) {
    let site = Site::start(engine);
    site.set_answers("anna");
    let oleg = site.operator();
    let wizard = open(&site, &oleg, ANNA).ok();
    for left in [4, 3, 2, 1, 0] {
        assert_eq!(answer(&site, &oleg, &wizard, wrong).ok()["left"], left);
    }
    answer(&site, &oleg, &wizard, right).refused(410, "SESSION_OVER");
    let view = |what: &str| site.get(&format!("/api/v1/users/{}", site.user("anna")), &oleg).ok()[what].clone();
    assert_eq!(view("locked"), false);
    site.policy("authentication", "count_operator_answers", json!(true));
    let wizard = open(&site, &oleg, ANNA).ok();
    for _ in 0..3 {
        answer(&site, &oleg, &wizard, wrong).ok();
    }
    assert_eq!(view("locked"), true);
}

fn who_may(engine: Engine) {
    let site = Site::start(engine);
    site.set_answers("anna");
    let (admin, oleg) = (site.administrator(), site.operator());
    let add = |name: &str, role: Value, user: Value| {
        let body = json!({"name": name, "password": "long enough", "role": role, "user": user});
        site.post("/api/v1/operators", &admin, &body).ok();
        site.log_in((name, "long enough"))
    };
    // Nobody without a role does anything.
    let nina = add("nina", Value::Null, Value::Null);
    open(&site, &nina, ANNA).refused(403, "NO_PRIVILEGE");
    site.get("/api/v1/users", &nina).refused(403, "NO_PRIVILEGE");
    // A local role ends at its policies.
    let policy = site.post("/api/v1/policies", &admin, &json!({"name": "Other"})).ok()["id"].clone();
    let role = json!({"policies": [policy], "privileges": ["unlock-card", "view-user"]});
    let role = site.put("/api/v1/roles/Local", &admin, &role).ok()["id"].clone();
    let lena = add("lena", role, Value::Null);
    open(&site, &lena, ANNA).refused(403, "NO_PRIVILEGE");
    // Operators have no configuration, and no card of their own.
    site.put(&format!("/api/v1/policies/{}", policy.as_str().unwrap()), &oleg, &json!({})).refused(403, "NO_PRIVILEGE");
    let all = json!({"privileges": ["unlock-card"]});
    let all = site.put("/api/v1/roles/Desk", &admin, &all).ok()["id"].clone();
    let anna = add("anna-op", all, json!(site.user("anna")));
    open(&site, &anna, ANNA).refused(403, "SELF_SERVICE_ONLY");
    // The privilege goes between answers and challenge; another's wizard is none.
    let otto = add(
        "otto",
        site.put("/api/v1/roles/Desk2", &admin, &json!({"privileges": ["unlock-card"]})).ok()["id"].clone(),
        Value::Null,
    );
    let wizard = open(&site, &otto, ANNA).ok();
    answer(&site, &oleg, &wizard, right).refused(410, "SESSION_OVER");
    let second = open(&site, &oleg, ANNA).ok();
    assert_eq!(second["also_open"], json!(["otto"]));
    answer(&site, &otto, &wizard, right).ok();
    site.put("/api/v1/roles/Desk2", &admin, &json!({"privileges": []})).ok();
    challenge(&site, &otto, &wizard, &read()).refused(403, "NO_PRIVILEGE");
    // The login lasts fifteen minutes.
    answer(&site, &oleg, &second, right).ok();
    site.clock.advance(std::time::Duration::from_secs(901));
    challenge(&site, &oleg, &second, &read()).refused(401, "NOT_LOGGED_IN");
    let again = site.operator();
    challenge(&site, &again, &second, &read()).refused(410, "SESSION_OVER");
    for path in ["/api/v1/users", "/api/v1/events", "/api/v1/policies", "/api/v1/cards"] {
        site.get(path, "").refused(401, "NOT_LOGGED_IN");
    }
    site.get("/no/such/page", "").refused(404, "NOT_FOUND");
}

#[test]
fn another_user_in_mid_flow() {
    let site = Site::start(Engine::Sqlite);
    site.set_answers("anna");
    site.set_answers("clara");
    let (admin, oleg) = (site.administrator(), site.operator());
    let wizard = open(&site, &oleg, ANNA).ok();
    answer(&site, &oleg, &wizard, right).ok();
    for (operation, user) in [("revoke", ""), ("withdraw", ""), ("assign", "clara@lab.example"), ("issue", "")] {
        site.post(&format!("/api/v1/cards/{ANNA}/{operation}"), &admin, &json!({"user": user})).ok();
    }
    challenge(&site, &oleg, &wizard, &read()).refused(410, "SESSION_OVER");
    open(&site, &oleg, SPARE).refused(404, "NOT_FOUND");
    open(&site, &admin, SPARE).refused(404, "NOT_FOUND");
    let message = site.post(&format!("/api/v1/cards/{BORIS}/withdraw"), &admin, &json!({})).refused(409, "CARD_STATE");
    assert_eq!(message, "the card is Issued; this can be done with Revoked, Assigned cards");
    let message = site.post(&format!("/api/v1/cards/{BORIS}/revoke"), &admin, &json!({"user": 7})).refused(400, "MALFORMED");
    assert!(message.contains("user"), "{message}");
}

fn responses_are_limited(engine: Engine) {
    let site = Site::start(engine);
    site.policy("workflow", "validate_answers", json!(false));
    let oleg = site.operator();
    let wizard = open(&site, &oleg, ANNA).ok();
    let of = |token: &str, wizard: &Value, number: u64| challenge(&site, token, wizard, &json!({"challenge": nth(number)}));
    for number in 0..5 {
        of(&oleg, &wizard, number).ok();
    }
    of(&oleg, &wizard, 5).refused(429, "RATE_LIMITED");
    assert_eq!(site.events(&format!("card={ANNA}&name=RATE_LIMITED")).len(), 1);
    // A page that is loaded again asks for nothing new; nor does a colleague, or the user.
    let before = of(&oleg, &wizard, 0).ok();
    assert_eq!(before["response"].as_str().unwrap(), expected(ANNA), "{engine:?}");
    let admin = site.administrator();
    let second = open(&site, &admin, ANNA).ok();
    assert_eq!(of(&admin, &second, 0).ok(), before);
    of(&admin, &second, 5).refused(429, "RATE_LIMITED");
    assert_eq!(site.events(&format!("card={ANNA}&name=RESPONSE_GIVEN")).len(), 7, "each is in the log");
    site.clock.advance(std::time::Duration::from_secs(3601));
    let oleg = site.operator();
    let wizard = open(&site, &oleg, ANNA).ok();
    challenge(&site, &oleg, &wizard, &read()).ok();
}

#[test]
fn a_sealed_key_and_an_aes_card() {
    let site = Site::start(Engine::Sqlite);
    site.policy("workflow", "validate_answers", json!(false));
    site.policy("issuance", "maximum_cards", json!(5));
    let (admin, oleg) = (site.administrator(), site.operator());
    let add = |serial: &str, kind: &str, key: &str| {
        site.post("/api/v1/cards", &admin, &json!({"serial": serial, "card_type": kind, "admin_key": key})).ok();
        site.post(&format!("/api/v1/cards/{serial}/assign"), &admin, &json!({"user": "lab\\anna"})).ok();
        site.post(&format!("/api/v1/cards/{serial}/issue"), &admin, &json!({})).ok();
        open(&site, &oleg, serial).ok()
    };
    let zeros = add("01", "gids-sim", &"0".repeat(48));
    let response = challenge(&site, &oleg, &zeros, &json!({"challenge": "0000000000000001"})).ok();
    assert_eq!(response["response"], "166B40B44ABA4BD6");
    let aes = add("02", "gids-sim-aes", "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F");
    assert_eq!(aes["challenge_length"], 32);
    let message = challenge(&site, &oleg, &aes, &read()).refused(400, "MALFORMED");
    assert!(message.contains("16 digits, but the code has 32"), "{message}");
    // FIPS 197 appendix C.3.
    let response = challenge(&site, &oleg, &aes, &json!({"challenge": "00112233445566778899AABBCCDDEEFF"})).ok();
    assert_eq!(response["response"], "8EA2B7CA516745BFEAFC49904B496089");
    let wrong = site.post("/api/v1/cards", &admin, &json!({"serial": "03", "card_type": "gids-sim", "admin_key": "00"}));
    assert_eq!(wrong.refused(400, "MALFORMED"), "3des keys have 24 bytes, not 1");
    site.post("/api/v1/cards", &admin, &json!({"serial": "01", "card_type": "gids-sim"})).refused(409, "CONFLICT");
}

fn remote_self_service(engine: Engine) {
    let site = Site::start(engine);
    site.set_answers("anna");
    let enter = |name: &str| site.post("/api/v1/remote", "", &json!({"name": name})).ok();
    let answer = |session: &Value, how: fn(&str) -> String| {
        let path = format!("/api/v1/remote/{}/answers", session["session"].as_str().unwrap());
        site.post(&path, "", &given(&session["questions"], how)).ok()["ok"] == true
    };
    let unblock = |session: &Value, card: &str| {
        let path = format!("/api/v1/remote/{}/challenge", session["session"].as_str().unwrap());
        site.post(&path, "", &json!({"card": card, "challenge": CHALLENGE}))
    };
    let session = enter("Lab\\Anna");
    unblock(&session, ANNA).refused(409, "ANSWERS_FIRST");
    assert!(answer(&session, right));
    let cards = site.get(&format!("/api/v1/remote/{}/cards", session["session"].as_str().unwrap()), "").ok();
    assert_eq!((&cards[0]["serial"], &cards[0]["can_be_unblocked"]), (&json!(ANNA), &json!(true)));
    assert_eq!(unblock(&session, ANNA).ok()["response"].as_str().unwrap(), expected(ANNA));
    unblock(&session, BORIS).refused(404, "NOT_FOUND");
    // Each of the two switches keeps users from responses; the second leaves them to operators.
    for (switch, operators) in [("unblock_card_offline", 403), ("unlock_in_remote", 200)] {
        site.policy("workflow", switch, json!(false));
        unblock(&session, ANNA).refused(403, "DISABLED_BY_POLICY");
        let cards = site.get(&format!("/api/v1/remote/{}/cards", session["session"].as_str().unwrap()), "").ok();
        assert_eq!(cards[0]["can_be_unblocked"], false, "{switch}");
        assert_eq!(
            site.post(&format!("/api/v1/cards/{ANNA}/wizard"), &site.operator(), &json!({})).status,
            operators,
            "{switch}"
        );
        site.policy("workflow", switch, json!(true));
    }
    // Nobody: the same page, always the same question, always wrong, and nothing is counted.
    let stranger = enter("lab\\nobody");
    assert_eq!(stranger["questions"].as_array().unwrap().len(), 1);
    assert_eq!(stranger["questions"], enter("LAB\\Nobody")["questions"]);
    assert!(!answer(&stranger, right) && !answer(&stranger, right));
    // As many questions as others get, whoever it is.
    site.policy("authentication", "questions_to_ask", json!(2));
    for name in ["lab\\nobody", "lab\\boris", "lab\\anna"] {
        assert_eq!(enter(name)["questions"].as_array().unwrap().len(), 2, "{name}");
    }
    site.policy("authentication", "questions_to_ask", json!(1));
    // Somebody: locked after three, and hears nothing of it.
    let session = enter("anna@lab.example");
    assert!(!(0..4).any(|_| answer(&session, wrong)));
    assert!(!answer(&session, right), "locked");
    assert_eq!(site.events("name=USER_LOCKED").len(), 1);
    assert_eq!(enter("lab\\anna")["questions"].as_array().unwrap().len(), 1);
}

fn answers_are_set_where_the_policy_says_so(engine: Engine) {
    let site = Site::start(engine);
    let (logon, _, password) = sample::USERS[0];
    let login = site.block_on(site.server.logins().log_in(Door::SelfService, logon, password, "127.0.0.1")).unwrap();
    let own = || site.page("/ss", "ss", &login.token);
    let field = |page: &str, start: &str| page.split(start).nth(1).and_then(|rest| rest.split('"').next()).unwrap().to_owned();
    let open = own();
    let (csrf, question) = (field(&open, "name=\"csrf\" value=\""), field(&open, "name=\"answer:"));
    let set = || {
        let (answer, again) = (format!("answer:{question}"), format!("again:{question}"));
        site.form("/ss/answers", "ss", &login.token, &[("csrf", &csrf), (&answer, "Waldemar"), (&again, "Waldemar")])
    };
    site.policy("workflow", "set_answers", json!(false));
    let closed = own();
    assert!(closed.contains("Answers are not set here.") && !closed.contains("name=\"answer:"), "{closed}");
    // A page that was open when it was switched off is refused.
    assert_eq!((set(), site.events("name=ANSWERS_SET").len(), site.events("name=ANSWERS_NOT_SET").len()), (403, 0, 1));
    site.policy("workflow", "set_answers", json!(true));
    assert_eq!((set(), site.events("name=ANSWERS_SET").len()), (303, 1));
}

fn logins(engine: Engine) {
    let site = Site::start(engine);
    let try_it = |name: &str, password: &str| site.post("/api/v1/login", "", &json!({"name": name, "password": password}));
    assert_eq!(try_it("oleg", "wrong").refused(401, "NOT_LOGGED_IN"), try_it("nobody", "wrong").refused(401, "NOT_LOGGED_IN"));
    for _ in 0..4 {
        try_it("OLEG ", "wrong").refused(401, "NOT_LOGGED_IN");
    }
    try_it("oleg", "oleg-password").refused(429, "RATE_LIMITED");
    site.clock.advance(std::time::Duration::from_secs(301));
    try_it("oleg", "oleg-password").ok();
}

fn configuration(engine: Engine) {
    let site = Site::start(engine);
    let admin = site.administrator();
    let none = json!({"name": "P", "settings": {"authentication": {"questions_to_ask": 0}}});
    let message = site.post("/api/v1/policies", &admin, &none).refused(400, "MALFORMED");
    assert!(message.contains("Number of questions to ask is 0; it can be 1 to 6"), "{message}");
    site.post("/api/v1/policies", &admin, &json!({"name": "P", "settings": {"colour": 1}})).refused(400, "MALFORMED");
    site.post("/api/v1/policies", &admin, &json!({"name": "Default"})).refused(409, "CONFLICT");
    let policies = site.get("/api/v1/policies", &admin).ok();
    let default = policies[0]["id"].as_str().unwrap();
    // No more questions are asked than there are: three, of which each is one that the policy can ask.
    let ask = |number: u8| {
        let settings = json!({"authentication": {"questions_to_ask": number}});
        site.put(&format!("/api/v1/policies/{default}"), &admin, &settings)
    };
    ask(3).ok();
    let message = ask(4).refused(400, "MALFORMED");
    assert!(message.contains("is 4, of 3 that are defined"), "{message}");
    assert_eq!(site.get("/api/v1/policies", &admin).ok()[0]["settings"]["authentication"]["questions_to_ask"], 3);
    let questions = site.get(&format!("/api/v1/policies/{default}/questions"), &admin).ok();
    let unanswered = format!("/api/v1/questions/{}", questions[0]["id"].as_str().unwrap());
    assert!(site.delete(&unanswered, &admin).refused(409, "CONFLICT").contains("asks 3 questions, and 2 would be left"));
    ask(1).ok();
    site.delete(&format!("/api/v1/policies/{default}"), &admin).refused(409, "CONFLICT");
    site.set_answers("anna");
    let questions = site.get(&format!("/api/v1/policies/{default}/questions"), &admin).ok();
    let used = questions[0]["id"].as_str().unwrap();
    site.delete(&format!("/api/v1/questions/{used}"), &admin).refused(409, "CONFLICT");
    let id = site.post(&format!("/api/v1/policies/{default}/questions"), &admin, &json!({"text": "New?"})).ok()["id"].clone();
    site.delete(&format!("/api/v1/questions/{}", id.as_str().unwrap()), &admin).ok();
    let empty = site.post("/api/v1/policies", &admin, &json!({"name": "Empty"})).ok()["id"].clone();
    site.delete(&format!("/api/v1/policies/{}", empty.as_str().unwrap()), &admin).ok();
    // Names that spreadsheets and pages would take for something else.
    let new = json!({"logon": "LAB\\=cmd|x", "upn": "\"><script>@lab", "cn": "'; DROP TABLE users; --", "password": "long enough", "policy": default});
    site.post("/api/v1/users", &admin, &new).ok();
    site.post("/api/v1/users", &admin, &new).refused(409, "CONFLICT");
    let login = site.post("/api/v1/login", "", &json!({"name": "=cmd|x", "password": "no"}));
    login.refused(401, "NOT_LOGGED_IN");
    let csv = site.get("/api/v1/events.csv", &admin).text;
    assert!(csv.contains(",\"'=cmd|x\",") && csv.starts_with("seq,time,"), "{csv}");
    let found = site.get("/api/v1/users?q=drop", &admin).ok();
    assert_eq!(found.as_array().unwrap().len(), 1);
    // On a page they are text.
    let page = site.page(&format!("/mc/users/{}", found[0]["id"].as_str().unwrap()), "mc", &admin);
    assert!(page.contains("&#34;&#62;&#60;script&#62;") && !page.contains("><script>"), "{page}");
}

/// Forms act only when they come from a page of that very login.
#[test]
fn forms_of_other_pages() {
    let site = Site::start(Engine::Sqlite);
    let (oleg, anna) = (site.operator(), site.user("anna"));
    let path = format!("/mc/users/{anna}/unlock");
    let csrf = |token: &str| {
        let page = site.page(&format!("/mc/users/{anna}"), "mc", token);
        page.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
    };
    let mine = csrf(&oleg);
    let others = csrf(&site.administrator());
    for (cookie, sent, status) in
        [(oleg.as_str(), others.as_str(), 403), (&oleg, "", 403), ("forged", &mine, 401), ("", &mine, 401), (&oleg, &mine, 303)]
    {
        assert_eq!(site.form(&path, "mc", cookie, &[("csrf", sent)]), status, "{cookie} {sent}");
    }
    assert_eq!(site.form(&path, "mc", &oleg, &[("other", &mine)]), 403);
    assert_eq!(site.events("name=USER_UNLOCKED").len(), 1);
    // Logged out, the cookie is nobody's.
    assert_eq!(site.form("/mc/logout", "mc", &oleg, &[("csrf", "forged")]), 403);
    assert_eq!(site.form("/mc/logout", "mc", &oleg, &[("csrf", &mine)]), 303);
    assert_eq!(site.form(&path, "mc", &oleg, &[("csrf", &mine)]), 401);
    assert_eq!(site.events("name=USER_UNLOCKED").len(), 1);
}
