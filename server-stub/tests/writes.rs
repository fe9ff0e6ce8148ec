//! Every write has its event, and every refusal of somebody who is known: a walk through all that writes, on both engines.

use crate::common::document::operations;
use crate::common::{ANNA, BORIS, CHALLENGE, Engine, SPARE, Site, given, right, wrong};
use cardlab_server_stub::service::setup::sample;
use serde_json::{Value, json};
use sqlx::{Column as _, Row as _};
use std::collections::BTreeSet;

on_both_engines! {
    every_write_and_every_refusal_is_in_the_log,
    who_was_not_let_in_is_in_the_log,
}

/// What is somebody's: people, cards, and what holds for them. Not what a server notes for itself (sessions, logins, counts).
const TABLES: [&str; 12] = [
    "SELECT * FROM users ORDER BY id",
    "SELECT * FROM policies ORDER BY id",
    "SELECT * FROM policy_links ORDER BY user_id",
    "SELECT * FROM questions ORDER BY id",
    "SELECT * FROM answers ORDER BY user_id, question_id",
    "SELECT * FROM card_types ORDER BY id",
    "SELECT * FROM cards ORDER BY serial",
    "SELECT * FROM roles ORDER BY id",
    "SELECT * FROM operators ORDER BY id",
    "SELECT * FROM tasks ORDER BY id",
    "SELECT * FROM changed ORDER BY what, id",
    "SELECT * FROM own_questions ORDER BY id",
];

/// Operations that cannot be refused to somebody who is known: the reason.
const NEVER_REFUSED: [(&str, &str); 9] = [
    ("post /credprovapi/v1/sessions/{id}/answers", "wrong answers are events"),
    ("post /credprovapi/v1/ways", "writes nothing, and is in no log"),
    ("post /credprovapi/v1/sessions", "every reason is an event of its own"),
    ("post /credprovapi/v1/tasks", "nothing to do is no refusal"),
    ("post /credprovapi/v1/reports", "taken alike for every card"),
    ("post /credprovapi/v1/sessions/{id}/later", "a session that is none is nobody's"),
    ("post /credprovapi/v1/sessions/{id}/result", "a session that is none is nobody's"),
    ("post /api/v1/remote", "every name is asked"),
    ("post /api/v1/remote/{session}/answers", "wrong answers are events"),
];
/// Those that need a card in a reader: the reason.
pub(crate) const NEVER_DONE: [(&str, &str); 2] = [
    ("post /api/v1/cards/{serial}/reset-pin", "tests/issue.rs, with readers"),
    ("post /api/v1/cards/{serial}/roll-key", "tests/issue.rs, with readers"),
];

/// A walk through all that writes.
pub(crate) struct Walk<'s> {
    site: &'s Site,
    done: BTreeSet<String>,
    refused: BTreeSet<String>,
}

/// What is somebody's, and the number of events.
pub(crate) fn now(site: &Site) -> (String, i64) {
    site.block_on(async {
        let mut tx = crate::common::database(&site.url).await;
        let mut all = String::new();
        for table in TABLES {
            for row in sqlx::query(table).fetch_all(&mut *tx).await.unwrap() {
                for column in row.columns().iter().filter(|column| column.name() != "draw") {
                    let text = row.try_get::<Option<String>, _>(column.ordinal());
                    let number = row.try_get::<Option<i64>, _>(column.ordinal());
                    all.push_str(&format!(
                        "{}={:?};",
                        column.name(),
                        text.unwrap_or_else(|_| number.unwrap().map(|n| n.to_string()))
                    ));
                }
            }
        }
        let row = sqlx::query("SELECT seq FROM chain").fetch_one(&mut *tx).await.unwrap();
        (all, row.get(0))
    })
}

impl Walk<'_> {
    /// Carries out one step. `at` is the operation as the document names it.
    #[track_caller]
    fn step(&mut self, at: &str, path: &str, token: &str, body: &Value) -> Value {
        let before = now(self.site);
        let answer = match at.split_once(' ').unwrap().0 {
            "post" => self.site.post(path, token, body),
            "put" => self.site.put(path, token, body),
            "delete" => self.site.delete(path, token),
            other => panic!("{other}"),
        };
        let after = now(self.site);
        assert!(matches!(answer.status, 200 | 403 | 409 | 410 | 429 | 401 | 400 | 404), "{at}: {}", answer.text);
        if answer.status == 200 {
            assert!(before.0 == after.0 || before.1 < after.1, "{at} has written without an event: {}", answer.text);
            self.done.insert(at.to_owned());
        } else {
            assert_eq!(before.0, after.0, "{at} is refused and has written: {}", answer.text);
            assert!(before.1 < after.1, "{at} is refused without an event: {}", answer.text);
            self.refused.insert(at.to_owned());
        }
        answer.body
    }
}

fn every_write_and_every_refusal_is_in_the_log(engine: Engine) {
    let site = Site::start(engine);
    let Walk { done, refused, .. } = walked(&site);
    for (method, path, _) in operations() {
        let at = format!("{} {path}", method.to_lowercase());
        if path.starts_with("/certiflow") || method == "GET" {
            continue;
        }
        let named = |list: &[(&str, &str)]| list.iter().any(|(name, _)| *name == at);
        assert_eq!(done.contains(&at), !named(&NEVER_DONE), "{engine:?}: {at} is not in the walk");
        assert_eq!(refused.contains(&at), !named(&NEVER_REFUSED), "{engine:?}: {at} is never refused in the walk");
    }
    assert_eq!(site.get("/api/v1/events/check", &site.operator()).ok(), json!({"first_broken": null}));
}

/// Whoever reads what the role does not cover, by program or page, or sends a form that no page of the login has: an event a minute
/// and route, with how often it was.
fn who_was_not_let_in_is_in_the_log(engine: Engine) {
    let site = Site::start(engine);
    let admin = site.administrator();
    site.post("/api/v1/operators", &admin, &json!({"name": "nobody", "password": "nobody-password"})).ok();
    let nobody = site.log_in(("nobody", "nobody-password"));
    let told = || -> Vec<(Value, Value)> {
        let log = site.get("/api/v1/events?name=NOT_LET_IN", &admin).ok();
        let detail = |event: &Value| serde_json::from_str::<Value>(event["detail"].as_str().unwrap()).unwrap();
        log.as_array().unwrap().iter().map(|event| (event["initiator"].clone(), detail(event))).collect()
    };
    let mut routes = Vec::new();
    for (method, path, operation) in operations() {
        // What is the operator's own needs no privilege.
        if method != "GET" || operation["security"].is_null() {
            continue;
        }
        let address = path.replace("{serial}", ANNA).replace(['{', '}'], "");
        let answers: Vec<u16> = (0..3).map(|_| site.get(&address, &nobody).status).collect();
        if answers == [403; 3] {
            routes.push(path.to_owned());
            let (by, detail) = told().pop().unwrap();
            assert_eq!((by, &detail["route"], &detail["reason"]), (json!("nobody"), &json!(path), &json!("NO_PRIVILEGE")));
        }
        assert_eq!(told().len(), routes.len(), "{engine:?}: {path}: {answers:?}");
    }
    assert!(routes.len() >= 12, "{engine:?}: {routes:?}");
    for (page, status) in [("/mc/log", 403), ("/mc/cards", 403)] {
        let seen =
            site.send(page, |http, url| http.get(url).header("cookie", format!("mc={nobody}")).header("accept", "text/html"));
        assert_eq!(seen.status(), status);
        routes.push(page.into());
    }
    let form = format!("/mc/cards/{ANNA}/wizard");
    assert_eq!(site.form(&form, "mc", &nobody, &[("csrf", "another")]), 403);
    let seen = told();
    assert_eq!(seen.len(), routes.len() + 1, "{engine:?}: {seen:?}");
    assert_eq!(seen.last().unwrap().1["reason"], "OTHER_SITE");
    // What came after the first of a minute is told with its number, as the operator's.
    site.clock.advance(std::time::Duration::from_secs(61));
    site.open(ANNA);
    let seen = told();
    let later: Vec<&(Value, Value)> = seen[routes.len() + 1..].iter().collect();
    assert_eq!(later.len(), routes.len() - 2, "{engine:?}: those that were asked for once are told");
    assert!(later.iter().all(|(by, detail)| by == "nobody" && detail["refused"] == 2), "{later:?}");
}

/// Does once all that writes, and is refused it once.
pub(crate) fn walked(site: &Site) -> Walk<'_> {
    for name in ["anna", "boris"] {
        site.set_answers(name);
    }
    let (admin, oleg, anna) = (site.administrator(), site.operator(), site.user("anna"));
    let policy = site.get("/api/v1/policies", &admin).ok()[0]["id"].as_str().unwrap().to_owned();
    let nothing = json!({});
    let mut walk = Walk { site, done: BTreeSet::new(), refused: BTreeSet::new() };
    let text = |value: &Value, name: &str| value[name].as_str().unwrap().to_owned();

    let login = "post /api/v1/login";
    walk.step(login, "/api/v1/login", "", &json!({"name": sample::OPERATOR.0, "password": sample::OPERATOR.1}));
    walk.step(login, "/api/v1/login", "", &json!({"name": sample::OPERATOR.0, "password": "wrong"}));

    // Users.
    let user = json!({"logon": "LAB\\dora", "upn": "dora@lab", "cn": "Dora", "password": "dora-password", "policy": policy});
    for (token, body) in [(&admin, &user), (&admin, &user), (&oleg, &user)] {
        walk.step("post /api/v1/users", "/api/v1/users", token, body);
    }
    for (action, token) in [("disable", &admin), ("enable", &admin), ("disable", &oleg), ("unlock", &oleg)] {
        walk.step("post /api/v1/users/{id}/{action}", &format!("/api/v1/users/{anna}/{action}"), token, &nothing);
    }
    walk.step("post /api/v1/users/{id}/{action}", "/api/v1/users/none/reset-answers", &admin, &nothing);
    let role = walk.step("put /api/v1/roles/{name}", "/api/v1/roles/None", &admin, &json!({"privileges": []}));
    walk.step("put /api/v1/roles/{name}", "/api/v1/roles/Administrator", &admin, &json!({"privileges": []}));
    let new = json!({"name": "nina", "password": "nina-password", "role": role["id"]});
    let nina_id = walk.step("post /api/v1/operators", "/api/v1/operators", &admin, &new);
    walk.step("post /api/v1/operators", "/api/v1/operators", &admin, &new);
    let nina = site.log_in(("nina", "nina-password"));
    for action in ["unlock", "reset-answers", "enable", "disable"] {
        walk.step("post /api/v1/users/{id}/{action}", &format!("/api/v1/users/{anna}/{action}"), &nina, &nothing);
    }
    let nina_role = format!("/api/v1/operators/{}/role", text(&nina_id, "id"));
    for (token, body) in [(&admin, json!({"role": null})), (&nina, json!({"role": role["id"]}))] {
        walk.step("put /api/v1/operators/{id}/role", &nina_role, token, &body);
    }

    // Policies, questions, card types.
    let named = json!({"name": "Another"});
    let another = walk.step("post /api/v1/policies", "/api/v1/policies", &admin, &named);
    walk.step("post /api/v1/policies", "/api/v1/policies", &admin, &named);
    let another = format!("/api/v1/policies/{}", text(&another, "id"));
    walk.step("put /api/v1/policies/{id}", &another, &admin, &json!({"workflow": {"reset_user_pin": false}}));
    walk.step("put /api/v1/policies/{id}", &another, &oleg, &nothing);
    walk.step("put /api/v1/policies/{id}", &another, &admin, &json!({"authentication": {"questions_to_ask": 0}}));
    for (token, name) in [(&admin, "Another name"), (&oleg, "Another name"), (&admin, "Default")] {
        walk.step("put /api/v1/policies/{id}/name", &format!("{another}/name"), token, &json!({"name": name}));
    }
    let questions = format!("{another}/questions");
    let question = walk.step("post /api/v1/policies/{id}/questions", &questions, &admin, &json!({"text": "Colour?"}));
    walk.step("post /api/v1/policies/{id}/questions", &questions, &oleg, &json!({"text": "Colour?"}));
    let question = format!("/api/v1/questions/{}", text(&question, "id"));
    let data = |logon: &str| json!({"logon": logon, "upn": "anna@lab.example", "cn": "Anna Maier"});
    for (token, logon) in [(&oleg, "LAB\\anna"), (&admin, "LAB\\anna"), (&admin, "LAB\\boris")] {
        walk.step("put /api/v1/users/{id}", &format!("/api/v1/users/{anna}"), token, &data(logon));
    }
    let under = format!("/api/v1/users/{anna}/policies");
    let id = another.rsplit('/').next().unwrap();
    for (token, ids) in [(&oleg, json!([policy])), (&admin, json!([])), (&admin, json!([policy, id])), (&admin, json!([policy]))]
    {
        walk.step("put /api/v1/users/{id}/policies", &under, token, &json!({"policies": ids}));
    }
    for _ in 0..2 {
        walk.step("post /api/v1/policies/{id}/up", &format!("{another}/up"), &admin, &nothing);
    }
    for (token, text) in [(&oleg, "Colours?"), (&admin, "Colours?"), (&admin, " ")] {
        walk.step("put /api/v1/questions/{id}", &question, token, &json!({"text": text}));
    }
    let second = walk.step("post /api/v1/policies/{id}/questions", &questions, &admin, &json!({"text": "Taste?"}));
    let second = format!("/api/v1/questions/{}", text(&second, "id"));
    for _ in 0..2 {
        walk.step("post /api/v1/questions/{id}/up", &format!("{second}/up"), &admin, &nothing);
    }
    for token in [&oleg, &admin, &admin] {
        walk.step("delete /api/v1/questions/{id}", &question, token, &nothing);
    }
    for (path, token) in [(&another, &oleg), (&another, &admin), (&format!("/api/v1/policies/{policy}"), &admin)] {
        walk.step("delete /api/v1/policies/{id}", path, token, &nothing);
    }
    for _ in 0..2 {
        walk.step("post /api/v1/card-types/{name}", "/api/v1/card-types/new", &admin, &json!({"cipher": "aes128"}));
    }

    for (token, cipher) in [(&oleg, "aes256"), (&admin, "aes256"), (&admin, "rot13")] {
        walk.step("put /api/v1/card-types/{name}", "/api/v1/card-types/new", token, &json!({"cipher": cipher}));
    }
    for token in [&oleg, &admin, &admin] {
        walk.step("delete /api/v1/card-types/{name}", "/api/v1/card-types/new", token, &nothing);
    }

    // Cards and tasks.
    let card = json!({"serial": SPARE, "card_type": "gids-sim"});
    for token in [&admin, &admin, &oleg] {
        walk.step("post /api/v1/cards", "/api/v1/cards", token, &card);
    }
    for (token, tag) in [(&oleg, "spare"), (&admin, "spare"), (&admin, "a,b")] {
        let tags = json!({"add": [tag]});
        walk.step("post /api/v1/cards/{serial}/tags", &format!("/api/v1/cards/{SPARE}/tags"), token, &tags);
    }
    let correct = format!("/api/v1/cards/{SPARE}/correct-key");
    for token in [&oleg, &admin] {
        walk.step("post /api/v1/cards/{serial}/correct-key", &correct, token, &json!({"no_admin_key": true}));
    }
    for token in [&oleg, &admin, &admin] {
        walk.step("delete /api/v1/cards/{serial}", &format!("/api/v1/cards/{SPARE}"), token, &nothing);
    }
    walk.step("post /api/v1/cards", "/api/v1/cards", &admin, &card);
    let operate = "post /api/v1/cards/{serial}/{operation}";
    for (operation, token) in [
        ("assign", &oleg),
        ("assign", &admin),
        ("assign", &admin),
        ("issue", &oleg),
        ("issue", &admin),
        ("issue", &admin),
        ("disable", &oleg),
        ("disable", &oleg),
        ("enable", &oleg),
        ("revoke", &oleg),
        ("revoke", &admin),
        ("withdraw", &admin),
        ("withdraw", &admin),
    ] {
        let detail = json!({"user": "lab\\dora", "reason": "lost"});
        walk.step(operate, &format!("/api/v1/cards/{SPARE}/{operation}"), token, &detail);
    }
    for write in ["reset-pin", "roll-key"] {
        walk.step(&format!("post /api/v1/cards/{{serial}}/{write}"), &format!("/api/v1/cards/{ANNA}/{write}"), &admin, &nothing);
    }
    let tasks = format!("/api/v1/cards/{ANNA}/tasks");
    let task = walk.step("post /api/v1/cards/{serial}/tasks", &tasks, &oleg, &nothing);
    walk.step("post /api/v1/cards/{serial}/tasks", &tasks, &oleg, &nothing);
    let taken = walk.step("post /credprovapi/v1/tasks", "/credprovapi/v1/tasks", "", &json!({"serial": ANNA}));
    let later = format!("/credprovapi/v1/sessions/{}/later", text(&taken, "session"));
    walk.step("post /credprovapi/v1/sessions/{id}/later", &later, "", &nothing);
    for _ in 0..2 {
        walk.step("post /api/v1/tasks/{id}/cancel", &format!("/api/v1/tasks/{}/cancel", text(&task, "id")), &oleg, &nothing);
    }

    // Ways to a response.
    let challenge = json!({"challenge": CHALLENGE});
    let open = json!({"serial": ANNA});
    walk.step("post /credprovapi/v1/ways", "/credprovapi/v1/ways", "", &open);
    for serial in [SPARE, BORIS, ANNA] {
        walk.step("post /credprovapi/v1/sessions", "/credprovapi/v1/sessions", "", &json!({"serial": serial}));
    }
    let session = walk.step("post /credprovapi/v1/sessions", "/credprovapi/v1/sessions", "", &open);
    let at = |what: &str| format!("/credprovapi/v1/sessions/{}/{what}", text(&session, "session"));
    for how in [wrong, right] {
        walk.step("post /credprovapi/v1/sessions/{id}/answers", &at("answers"), "", &given(&session["questions"], how));
    }
    for digits in ["", CHALLENGE] {
        walk.step("post /credprovapi/v1/sessions/{id}/challenge", &at("challenge"), "", &json!({"challenge": digits}));
    }
    walk.step("post /credprovapi/v1/sessions/{id}/result", &at("result"), "", &json!({"outcome": "unlocked"}));
    walk.step(
        "post /credprovapi/v1/reports",
        "/credprovapi/v1/reports",
        "",
        &json!({"serial": ANNA, "kind": "pin-wrong", "at": 1}),
    );
    let wizards = "post /api/v1/cards/{serial}/wizard";
    let wizard = walk.step(wizards, &format!("/api/v1/cards/{ANNA}/wizard"), &oleg, &nothing);
    walk.step(wizards, &format!("/api/v1/cards/{SPARE}/wizard"), &oleg, &nothing);
    let at = |what: &str| format!("/api/v1/unlock/{}/{what}", text(&wizard, "wizard"));
    walk.step("post /api/v1/unlock/{wizard}/challenge", &at("challenge"), &oleg, &challenge);
    // Another operator's, and one that is nobody's.
    walk.step("post /api/v1/unlock/{wizard}/challenge", &at("challenge"), &admin, &challenge);
    walk.step("post /api/v1/unlock/{wizard}/answers", "/api/v1/unlock/none/answers", &admin, &json!({"answers": []}));
    for how in [wrong, right] {
        walk.step("post /api/v1/unlock/{wizard}/answers", &at("answers"), &oleg, &given(&wizard["questions"], how));
    }
    walk.step("post /api/v1/unlock/{wizard}/challenge", &at("challenge"), &oleg, &challenge);
    let remote = walk.step("post /api/v1/remote", "/api/v1/remote", "", &json!({"name": "lab\\anna"}));
    let at = |what: &str| format!("/api/v1/remote/{}/{what}", text(&remote, "session"));
    for how in [wrong, right] {
        walk.step("post /api/v1/remote/{session}/answers", &at("answers"), "", &given(&remote["questions"], how));
    }
    for card in [BORIS, ANNA] {
        let body = json!({"card": card, "challenge": CHALLENGE});
        walk.step("post /api/v1/remote/{session}/challenge", &at("challenge"), "", &body);
    }
    for (card, operation) in [(BORIS, "disable"), (ANNA, "disable"), (ANNA, "enable")] {
        let body = json!({"card": card, "operation": operation});
        walk.step("post /api/v1/remote/{session}/operations", &at("operations"), "", &body);
    }

    // Self-Service.
    let before = now(site);
    site.set_answers("anna");
    assert!(before.1 + 1 < now(site).1, "the login and the answers");
    walk
}
