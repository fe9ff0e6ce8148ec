//! Local roles: whoever is for some policies sees users, cards and events of these alone, wherever something is listed, shown or
//! looked for.

use crate::common::browser::Browser;
use crate::common::document::operations;
use crate::common::{ANNA, Answer, BORIS, CHALLENGE, Engine, SPARE, Site, given, new_card, right};
use crate::lists::{asking, pages};
use crate::writes::{NEVER_DONE, now};
use cardlab_server_stub::model::role::Privilege;
use cardlab_server_stub::service::setup::sample;
use serde_json::{Value, json};
use std::collections::BTreeSet;

on_both_engines! {
    a_local_role_sees_nothing_of_others,
    a_global_role_sees_all,
    pages_of_a_local_role_are_whole,
    the_log_of_a_local_role,
    a_card_stays_under_its_policy,
    the_policy_that_holds_decides,
    who_assigns_cards_finds_those_that_are_nobodys,
    what_a_role_does_not_see_narrows_no_list,
    numbers_of_a_policy_are_of_those_whom_the_role_sees,
    what_is_refused_tells_nothing_of_others,
    of_who_had_a_card_before_nothing,
    a_database_that_does_not_say_whose_a_card_was,
    a_name_that_is_taken_tells_nothing_of_others,
    what_is_refused_is_not_done,
}

/// Berta's card, under the policy *Branch*.
const BERTA: &str = "E0F1E2D3C4B5A69788796A5B4C3D2E1F";
const SEEING: [&str; 4] = ["view-user", "view-cards", "view-log", "view-policy"];

/// A site where Anna, Boris and Clara are under *Default* and Berta under *Branch*, each with what the log says.
struct Divided {
    site: Site,
    admin: String,
    default: String,
    branch: String,
    berta: String,
}

impl Divided {
    fn new(engine: Engine) -> Self {
        let site = Site::with(engine, |server| server.without_limits());
        let admin = site.administrator();
        let default = site.get("/api/v1/policies", &admin).ok()[0]["id"].as_str().unwrap().to_owned();
        let branch = site.post("/api/v1/policies", &admin, &json!({"name": "Branch"})).ok()["id"].as_str().unwrap().to_owned();
        let new = json!({"logon": "LAB\\berta", "upn": "berta@lab.example", "cn": "Berta Kern", "password": "long enough", "policy": branch});
        let berta = site.post("/api/v1/users", &admin, &new).ok()["id"].as_str().unwrap().to_owned();
        site.block_on(site.server.setup().add_issued_card(&new_card(BERTA), "lab\\berta")).unwrap();
        site.post("/api/v1/cards", &admin, &json!({"serial": SPARE, "card_type": "gids-sim"})).ok();
        for serial in [ANNA, BORIS, BERTA, SPARE] {
            site.post(&format!("/api/v1/cards/{serial}/tags"), &admin, &json!({"add": ["blue"]})).ok();
            site.open(serial);
            // What is refused is of the card alone.
            site.post(&format!("/api/v1/cards/{serial}/enable"), &admin, &json!({})).refused(409, "CARD_STATE");
        }
        Self { site, admin, default, branch, berta }
    }

    /// Somebody whose role is for these policies.
    fn local(&self, name: &str, policies: &[&str], privileges: &[&str]) -> String {
        let role = json!({"policies": policies, "privileges": privileges});
        let role = self.site.put(&format!("/api/v1/roles/{name}"), &self.admin, &role).ok()["id"].clone();
        let operator = json!({"name": name, "password": "local-password", "role": role, "user": Value::Null});
        self.site.post("/api/v1/operators", &self.admin, &operator).ok();
        self.site.log_in((name, "local-password"))
    }

    fn shown(&self, path: &str, token: &str) -> String {
        match path.starts_with("/api") {
            true => self.site.send(path, |http, url| http.get(url).bearer_auth(token)).text().unwrap(),
            false => self.site.page(path, "mc", token),
        }
    }
}

/// What nobody finds who is for *Branch* alone; names in search fields come back, so what is searched for is not among it.
fn of_others(site: &Divided) -> [String; 7] {
    let ids = ["anna", "boris"].map(|name| site.site.user(name));
    let [anna, boris] = ids;
    [ANNA.into(), BORIS.into(), SPARE.into(), "Clara".into(), anna, boris, site.default.clone()]
}

const LISTS: [&str; 20] = [
    "/api/v1/users",
    "/api/v1/users?limit=1",
    "/api/v1/users?q=lab",
    "/api/v1/users?state=active&sort=-logon",
    "/api/v1/cards",
    "/api/v1/cards?limit=1",
    "/api/v1/cards?q=2e1f",
    "/api/v1/cards?tag=blue",
    "/api/v1/cards?q=lab&sort=-serial",
    "/api/v1/cards?state=Issued",
    "/api/v1/events",
    "/api/v1/events?limit=1&name=CARD_TAGS_CHANGED",
    "/api/v1/events.csv",
    "/api/v1/policies",
    "/mc",
    "/mc/csv",
    "/mc/cards",
    "/mc/cards/csv",
    "/mc/log",
    "/mc/log/csv",
];

fn a_local_role_sees_nothing_of_others(engine: Engine) {
    let it = Divided::new(engine);
    let local = it.local("local", &[&it.branch], &SEEING);
    let others = of_others(&it);
    for path in LISTS {
        let shown = it.shown(path, &local);
        let own = [BERTA, "Berta Kern", &*it.berta, &*it.branch].iter().any(|own| shown.contains(own));
        assert!(own, "{engine:?}: {path}: {shown}");
        for other in &others {
            assert!(!shown.contains(other), "{engine:?}: {path} has {other}: {shown}");
        }
    }
    // By no search, filter or name either.
    let (anna, clara) = (it.site.user("anna"), it.site.user("clara"));
    for (path, fields) in [
        ("users", vec![("q", "anna")]),
        ("users", vec![("q", "clara moss")]),
        ("cards", vec![("q", ANNA)]),
        ("cards", vec![("q", "anna")]),
        ("cards", vec![("q", SPARE)]),
        ("cards", vec![("q", "berg"), ("tag", "blue")]),
        ("events", vec![("card", ANNA)]),
        ("events", vec![("card", SPARE)]),
        ("events", vec![("initiator", "setup"), ("card", BORIS)]),
        ("events", vec![("name", "LOGGED_IN")]),
        ("events", vec![("name", "POLICY_CHANGED")]),
        ("events", vec![("name", "ROLE_CHANGED")]),
    ] {
        let (rows, _) = pages(&it.site, &asking(&format!("/api/v1/{path}"), &fields), &local);
        assert_eq!(rows, Vec::<Value>::new(), "{engine:?}: {path} {fields:?}");
    }
    // Whom a name is of is not said, as of one that nobody has.
    for name in [&*anna, "lab\\anna", "anna@lab.example", "Clara Moss", "nobody"] {
        for path in ["cards", "events"] {
            let address = asking(&format!("/api/v1/{path}"), &[("user", name)]);
            it.site.get(&address, &local).refused(400, "MALFORMED");
        }
    }
    // Nor whether there is a policy.
    for path in ["users", "cards"] {
        for policy in [&*it.default, "none"] {
            it.site.get(&format!("/api/v1/{path}?policy={policy}"), &local).refused(400, "MALFORMED");
        }
    }
    for path in [
        format!("users/{anna}"),
        format!("users/{clara}"),
        format!("users/{anna}/policies"),
        "users/nobody".into(),
        "users/nobody/policies".into(),
        format!("cards/{ANNA}"),
        format!("cards/{ANNA}/responses"),
        format!("cards/{ANNA}/tasks"),
        format!("cards/{SPARE}"),
        "cards/00".into(),
        "cards/00/tasks".into(),
        format!("policies/{}/questions", it.default),
        "events/check".into(),
        "clashing-names".into(),
    ] {
        it.site.get(&format!("/api/v1/{path}"), &local).refused(403, "NO_PRIVILEGE");
    }
    let page = |path: &str| it.site.send(path, |http, url| http.get(url).header("cookie", format!("mc={local}")));
    for path in
        [format!("/mc/users/{anna}"), format!("/mc/users/{anna}/policies"), format!("/mc/cards/{ANNA}"), "/mc/cards/00".into()]
    {
        let answer = page(&path);
        assert_eq!(answer.status(), 403, "{engine:?}: {path}");
        let text = answer.text().unwrap();
        assert!(!text.contains("Anna") && !text.contains("lab.example"), "{engine:?}: {path}: {text}");
    }
    assert_eq!(page(&format!("/mc/configuration/policies/{}/issuance", it.default)).status(), 404);
    let own = [format!("users/{}", it.berta), format!("cards/{BERTA}"), format!("policies/{}/questions", it.branch)];
    own.iter().for_each(|path| drop(it.site.get(&format!("/api/v1/{path}"), &local).ok()));
    for path in [format!("/mc/users/{}", it.berta), format!("/mc/cards/{BERTA}"), "/mc/configuration/policies".into()] {
        let shown = it.shown(&path, &local);
        assert!(others.iter().all(|other| !shown.contains(other)), "{engine:?}: {path}: {shown}");
    }
    // A role that is for no policy at all.
    let nowhere = it.local("nowhere", &[], &SEEING);
    for path in ["users", "cards", "events", "policies"] {
        assert_eq!(it.site.get(&format!("/api/v1/{path}"), &nowhere).ok(), json!([]), "{engine:?}: {path}");
    }
}

/// One that is for all policies that there are sees who is under them: all but what is under none.
fn a_global_role_sees_all(engine: Engine) {
    let it = Divided::new(engine);
    let global = it.site.log_in(it.site.somebody("global", &SEEING));
    let both = it.local("both", &[&it.branch, &it.default], &SEEING);
    let rows = |path: &str, token: &str| pages(&it.site, &format!("/api/v1/{path}"), token).0;
    for path in ["users?limit=2", "cards?limit=2", "cards?q=2e1f", "users?q=lab&sort=-name", "policies", "events?limit=1000&to=1"]
    {
        assert_eq!(rows(path, &global), rows(path, &it.admin), "{engine:?}: {path}");
    }
    assert_eq!(rows("users?limit=1", &both), rows("users", &it.admin), "{engine:?}");
    assert_eq!(rows("policies", &both), rows("policies", &it.admin), "{engine:?}");
    let of_somebody = |card: &&Value| card["userId"] != Value::Null;
    let all = rows("cards", &it.admin);
    let expected: Vec<Value> = all.iter().filter(of_somebody).cloned().collect();
    assert_eq!((rows("cards?limit=1", &both), all.len()), (expected, 4), "{engine:?}");
    it.site.get("/api/v1/events/check", &global).ok();
}

/// However many rows a page has, its pages together are what one page has, in either order.
fn pages_of_a_local_role_are_whole(engine: Engine) {
    let it = Divided::new(engine);
    for number in 0..9 {
        // Turn by turn, so that those of others stand between.
        let policy = if number % 2 == 0 { &it.branch } else { &it.default };
        let user = json!({"logon": format!("LAB\\u{number}"), "upn": format!("u{number}@x"), "cn": format!("User {number}"), "password": "long enough", "policy": policy});
        it.site.post("/api/v1/users", &it.admin, &user).ok();
        it.site
            .block_on(it.site.server.setup().add_issued_card(&new_card(&format!("F{number}")), &format!("lab\\u{number}")))
            .unwrap();
    }
    let local = it.local("local", &[&it.branch], &SEEING);
    for (path, field, count) in [
        ("users?", "id", 6),
        ("users?q=lab&", "id", 6),
        ("users?q=lab&state=active&", "id", 6),
        ("cards?", "serialNumber", 6),
        ("cards?q=lab&", "serialNumber", 6),
        ("cards?q=f&", "serialNumber", 5),
        ("cards?state=Issued&", "serialNumber", 6),
    ] {
        let address = |limit: usize| format!("/api/v1/{path}limit={limit}");
        let (whole, _) = pages(&it.site, &address(1000), &local);
        assert_eq!(whole.len(), count, "{engine:?}: {path}");
        let (all, _) = pages(&it.site, &address(1000), &it.admin);
        let of_all: Vec<&Value> = all.iter().filter(|row| whole.iter().any(|own| own[field] == row[field])).collect();
        assert_eq!(whole.iter().collect::<Vec<_>>(), of_all, "{engine:?}: {path}: as who sees all has them");
        for limit in [1, 2, 3, 6] {
            assert_eq!(
                pages(&it.site, &address(limit), &local),
                (whole.clone(), count.div_ceil(limit)),
                "{engine:?}: {path} {limit}"
            );
        }
    }
    let page = it.shown("/mc", &local);
    assert!(page.contains("<h2>6 users</h2>"), "{page}");
}

/// Events are of their user, and those without one of their card; those of neither are of nobody's policy.
fn the_log_of_a_local_role(engine: Engine) {
    let it = Divided::new(engine);
    let local = it.local("local", &[&it.branch], &SEEING);
    let all = pages(&it.site, "/api/v1/events", &it.admin).0;
    let is_own = |event: &&Value| event["user"] == *it.berta || event["user"] == "" && event["card"] == BERTA;
    let own = |keep: &dyn Fn(&Value) -> bool| -> Vec<Value> {
        all.iter().filter(is_own).filter(|event| keep(event)).cloned().collect()
    };
    assert!(own(&|event| event["user"] == "").len() > 1 && own(&|event| event["user"] != "").len() > 1, "{all:?}");
    let shown = |query: &str| pages(&it.site, &format!("/api/v1/events?{query}"), &local).0;
    let admin = |event: &Value| event["initiator"] == "admin";
    for limit in [1, 2, 1000] {
        assert_eq!(shown(&format!("limit={limit}")), own(&|_| true), "{engine:?}");
        assert_eq!(shown(&format!("limit={limit}&initiator=ADMIN")), own(&admin), "{engine:?}");
        assert_eq!(shown(&format!("limit={limit}&kind=I&sort=at")), own(&|event| event["kind"] == "I"), "{engine:?}");
        assert_eq!(shown(&format!("limit={limit}&card={BERTA}")), own(&|event| event["card"] == BERTA), "{engine:?}");
        assert_eq!(shown(&format!("limit={limit}&user=berta")), own(&|event| event["user"] == *it.berta), "{engine:?}");
        let mut down = shown(&format!("limit={limit}&sort=-seq"));
        down.reverse();
        assert_eq!(down, own(&|_| true), "{engine:?}");
    }
    let page = it.shown("/mc/log", &local);
    assert!(!page.contains("/mc/log/check"), "{page}");
    // The form is as good as that of who may check: it is refused for want of the privilege alone.
    let checked = |login| {
        let browser = Browser::logged_in(&it.site, "en", "/mc", login);
        let page = browser.send_from("/mc/log", "/mc/log/check", &[]);
        (page.status, browser.was_led(), page.alerts(), page.text)
    };
    let (status, led, alerts, page) = checked(sample::ADMINISTRATOR);
    assert!(
        (status, led, alerts.len()) == (200, true, 0) && page.contains("Every event follows from the one before it"),
        "{engine:?}: {page}"
    );
    let (_, _, alerts, page) = checked(("local", "local-password"));
    assert_eq!(alerts, ["Your role does not have the privilege 'View the log' here."], "{engine:?}: {page}");
    assert!(!page.contains("Every event follows from the one before it"), "{page}");
}

/// Who has moved is under another policy, the card that was issued before is not: with it one sees whose it is, and nothing of
/// those who had it before.
fn a_card_stays_under_its_policy(engine: Engine) {
    let it = Divided::new(engine);
    let (local, other) = (it.local("local", &[&it.branch], &SEEING), it.local("other", &[&it.default], &SEEING));
    let put = |policy: &str| {
        it.site.put(&format!("/api/v1/users/{}/policies", it.berta), &it.admin, &json!({"policies": [policy]})).ok();
    };
    put(&it.default);
    let cards = |token: &str| -> Vec<String> {
        let rows = it.site.get("/api/v1/cards?q=e0f1", token).ok();
        rows.as_array().unwrap().iter().map(|card| card["serialNumber"].as_str().unwrap().to_owned()).collect()
    };
    let user = |token: &str| it.site.get(&format!("/api/v1/users/{}", it.berta), token);
    user(&local).refused(403, "NO_PRIVILEGE");
    assert_eq!(it.site.get("/api/v1/users", &local).ok(), json!([]), "{engine:?}");
    assert_eq!((cards(&local), cards(&other)), (vec![BERTA.to_owned()], vec![]), "{engine:?}");
    // Nothing leads to the user's page, which is refused.
    for path in ["/mc/cards", &*format!("/mc/cards/{BERTA}")] {
        let (local, admin) = (it.shown(path, &local), it.shown(path, &it.admin));
        assert!(local.contains("Berta Kern") && !local.contains(&it.berta), "{engine:?}: {path}");
        assert!(admin.contains(&format!("/mc/users/{}", it.berta)), "{engine:?}: {path}");
    }
    assert_eq!(user(&other).ok()["cards"], json!([]), "{engine:?}");
    it.site.get(&format!("/api/v1/cards/{BERTA}"), &other).refused(403, "NO_PRIVILEGE");
    // The card is somebody else's, under the same policy.
    let operate = |operation: &str, body: &Value| {
        it.site.post(&format!("/api/v1/cards/{BERTA}/{operation}"), &it.admin, body).ok();
    };
    operate("revoke", &json!({"reason": "Berta Kern has left"}));
    operate("withdraw", &json!({}));
    put(&it.branch);
    let new = json!({"logon": "LAB\\carl", "upn": "carl@x", "cn": "Carl Holm", "password": "long enough", "policy": it.branch});
    it.site.post("/api/v1/users", &it.admin, &new).ok();
    operate("assign", &json!({"user": "lab\\carl"}));
    let page = it.shown(&format!("/mc/cards/{BERTA}"), &local);
    assert!(page.contains("Carl Holm") && page.contains("assigned the card"), "{engine:?}: {page}");
    assert!(!page.contains("revoked the card") && !page.contains("Berta"), "{engine:?}: {page}");
    assert!(it.shown(&format!("/mc/cards/{BERTA}"), &it.admin).contains("revoked the card"), "{engine:?}");
}

/// Of several policies that a user is under one holds: whoever is for the others does not see the user, until they are moved up.
fn the_policy_that_holds_decides(engine: Engine) {
    let it = Divided::new(engine);
    let privileges = ["view-user", "view-policy", "change-policy"];
    let (local, other) = (it.local("local", &[&it.branch], &privileges), it.local("other", &[&it.default], &privileges));
    let put = |ids: Value| {
        it.site.put(&format!("/api/v1/users/{}/policies", it.berta), &it.admin, &json!({"policies": ids})).ok();
    };
    let sees = |token: &str| {
        let listed = it.site.get("/api/v1/users?q=berta", token).ok().as_array().unwrap().len() == 1;
        let alone = it.site.get(&format!("/api/v1/users/{}", it.berta), token).status == 200;
        let writes = it.site.post(&format!("/api/v1/users/{}/enable", it.berta), token, &json!({})).status == 200;
        assert!(listed == alone && alone == writes, "{engine:?}: {listed} {alone} {writes}");
        listed
    };
    assert_eq!((sees(&local), sees(&other)), (true, false), "{engine:?}");
    put(json!([it.branch, it.default]));
    assert_eq!((sees(&local), sees(&other)), (false, true), "{engine:?}");
    // Whom a role is for is shown with all that they are under, and with no other policy's name.
    let (own, shown) = (format!("/mc/users/{}/policies", it.berta), |token: &str, path: &str| it.shown(path, token));
    assert!(shown(&other, &own).contains("Branch") && !shown(&other, "/mc/configuration/policies").contains("Branch"));
    it.site.post(&format!("/api/v1/policies/{}/up", it.branch), &it.admin, &json!({})).ok();
    assert_eq!((sees(&local), sees(&other)), (true, false), "{engine:?}");
    put(json!([it.default]));
    assert_eq!((sees(&local), sees(&other)), (false, true), "{engine:?}");
}

fn who_assigns_cards_finds_those_that_are_nobodys(engine: Engine) {
    let it = Divided::new(engine);
    let issuing = it.local("issuing", &[&it.branch], &["view-user", "view-cards", "issue-card"]);
    let serials = |query: &str| -> Vec<String> {
        let rows = pages(&it.site, &format!("/api/v1/cards?limit=1&{query}"), &issuing).0;
        rows.iter().map(|card| card["serialNumber"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(serials(""), [SPARE, BERTA], "{engine:?}");
    assert_eq!(serials("state=Clean"), [SPARE], "{engine:?}");
    assert_eq!(serials("q=2e1f"), [SPARE, BERTA], "{engine:?}");
    it.site.get(&format!("/api/v1/cards/{SPARE}"), &issuing).ok();
    assert!(it.shown(&format!("/mc/cards/{SPARE}"), &issuing).contains("/assign"), "{engine:?}");
    let assign = |user: &str| it.site.post(&format!("/api/v1/cards/{SPARE}/assign"), &issuing, &json!({"user": user}));
    assign("lab\\clara").refused(403, "NO_PRIVILEGE");
    // Berta has one card, and is allowed no other.
    it.site
        .post(
            "/api/v1/users",
            &it.admin,
            &json!({"logon": "LAB\\dora", "upn": "dora@x", "cn": "Dora", "password": "long enough", "policy": it.branch}),
        )
        .ok();
    assign("lab\\dora").ok();
    assert_eq!(serials("state=Assigned"), [SPARE], "{engine:?}");
}

/// A policy that the role does not see is as one that there is not, in each list and in its file, also for who may see no policy.
fn what_a_role_does_not_see_narrows_no_list(engine: Engine) {
    let it = Divided::new(engine);
    let status = |path: &str, token: &str| {
        let at = |http: &reqwest::blocking::Client, url| http.get(url).bearer_auth(token).header("Cookie", format!("mc={token}"));
        it.site.send(path, at).status().as_u16()
    };
    for (name, privileges) in [("blind", &SEEING[..3]), ("seeing", &SEEING[..])] {
        let local = it.local(name, &[&it.branch], privileges);
        for path in ["/mc", "/mc/csv", "/mc/cards", "/mc/cards/csv", "/api/v1/users", "/api/v1/cards"] {
            let of = |policy: &str| status(&format!("{path}?policy={policy}"), &local);
            assert_eq!((of(&it.default), of("zzz"), of(&it.branch)), (400, 400, 200), "{engine:?}: {name}: {path}");
        }
        assert_eq!(status("/mc/cards?type=none", &local), 400, "{engine:?}: {name}");
    }
}

fn numbers_of_a_policy_are_of_those_whom_the_role_sees(engine: Engine) {
    let it = Divided::new(engine);
    let local = it.local("local", &[&it.branch], &SEEING);
    let under = format!("/api/v1/users/{}/policies", it.site.user("anna"));
    it.site.put(&under, &it.admin, &json!({"policies": [it.default, it.branch]})).ok();
    let users = |token: &str| {
        let page = it.shown("/mc/configuration/policies", token);
        let (_, of_branch) = page.split_once(&format!("/mc?policy={}\">", it.branch)).unwrap();
        of_branch.chars().next().unwrap()
    };
    assert_eq!((users(&local), users(&it.admin)), ('1', '2'), "{engine:?}");
}

/// Who may not do something is refused alike, whether what it would be done to is there and how it stands, or is not there.
fn what_is_refused_tells_nothing_of_others(engine: Engine) {
    let it = Divided::new(engine);
    let bare = it.local("bare", &[], &["view-log"]);
    let may = [&SEEING[..], &["issue-card", "revoke-card", "reset-pin", "unlock-card", "change-policy"]].concat();
    let local = it.local("local", &[&it.branch], &may);
    let question = it.site.get(&format!("/api/v1/policies/{}/questions", it.default), &it.admin).ok()[0]["id"].clone();
    let task = it.site.post(&format!("/api/v1/cards/{ANNA}/tasks"), &it.admin, &json!({})).ok()["id"].clone();
    let refused = |token: &str, path: &str, body: &Value| {
        it.site.post(&format!("/api/v1/{path}"), token, body).refused(403, "NO_PRIVILEGE")
    };
    // Anna has as many cards as she may; nobody has the card 0A0B.
    for (token, users) in
        [(&bare, &["lab\\nobody", "lab\\anna", "lab\\berta", ""][..]), (&local, &["lab\\nobody", "lab\\anna", ""])]
    {
        let said = users.iter().flat_map(|user| {
            [SPARE, ANNA, BERTA, "0A0B"].map(|card| refused(token, &format!("cards/{card}/assign"), &json!({"user": user})))
        });
        let said: std::collections::BTreeSet<String> = said.collect();
        assert_eq!(said.len(), 1, "{engine:?}: {said:?}");
    }
    // To one of their own neither a card of others, whatever its state, nor one that there is not.
    let said = [ANNA, BORIS, "0A0B"].map(|card| refused(&local, &format!("cards/{card}/assign"), &json!({"user": "lab\\berta"})));
    assert!(said.iter().all(|one| *one == said[0]), "{engine:?}: {said:?}");
    let of_card = ["issue", "disable", "enable", "revoke", "withdraw", "tasks", "wizard", "tags", "roll-key", "reset-pin"];
    for (token, operation) in [&bare, &local].into_iter().flat_map(|token| of_card.map(|operation| (token, operation))) {
        let said = [ANNA, "0A0B"].map(|card| refused(token, &format!("cards/{card}/{operation}"), &json!({})));
        assert_eq!(said[0], said[1], "{engine:?}: {operation}");
    }
    let text = |id: &Value| id.as_str().unwrap().to_owned();
    for token in [&bare, &local] {
        for (kind, known, operation) in [("tasks", &task, "cancel"), ("questions", &question, "up")] {
            let said = [text(known), "none".into()].map(|id| refused(token, &format!("{kind}/{id}/{operation}"), &json!({})));
            assert_eq!(said[0], said[1], "{engine:?}: {kind}");
        }
        for id in [text(&question), "none".into()] {
            let path = format!("/api/v1/questions/{id}");
            it.site.put(&path, token, &json!({"text": "Another question?"})).refused(403, "NO_PRIVILEGE");
            it.site.delete(&path, token).refused(403, "NO_PRIVILEGE");
        }
    }
    for policy in [&*it.default, "none"] {
        let under = json!({"policies": [it.branch, policy]});
        it.site.put(&format!("/api/v1/users/{}/policies", it.berta), &local, &under).refused(403, "NO_PRIVILEGE");
    }
    // Who may is told what is in the way.
    let assign = |token: &str, card: &str, user: &str| {
        it.site.post(&format!("/api/v1/cards/{card}/assign"), token, &json!({"user": user}))
    };
    assign(&it.admin, SPARE, "lab\\nobody").refused(404, "NOT_FOUND");
    assign(&local, SPARE, "lab\\berta").refused(409, "CONFLICT");
    let new = json!({"logon": "LAB\\dora", "upn": "dora@x", "cn": "Dora", "password": "long enough", "policy": it.branch});
    it.site.post("/api/v1/users", &it.admin, &new).ok();
    assign(&it.admin, "0A0B", "lab\\dora").refused(404, "NOT_FOUND");
    assign(&local, BERTA, "lab\\dora").refused(409, "CARD_STATE");
    assign(&local, SPARE, "lab\\dora").ok();
}

/// No two people are called alike, so that a name that is taken is refused; whose it is, is told to who sees them.
fn a_name_that_is_taken_tells_nothing_of_others(engine: Engine) {
    let it = Divided::new(engine);
    let local = it.local("local", &[&it.branch], &["view-user", "change-policy"]);
    let new = json!({"logon": "LAB\\dora", "upn": "dora@x", "cn": "Dora", "password": "long enough", "policy": it.branch});
    it.site.post("/api/v1/users", &it.admin, &new).ok();
    it.site.post("/api/v1/operators", &it.admin, &json!({"name": "LAB\\desk", "password": "long enough"})).ok();
    let renamed = |token: &str, logon: &str| {
        let data = json!({"logon": logon, "upn": "berta@lab.example", "cn": "Berta Kern"});
        it.site.put(&format!("/api/v1/users/{}", it.berta), token, &data).refused(409, "CONFLICT")
    };
    for name in ["LAB\\anna", "LAB\\desk"] {
        assert_eq!(renamed(&local, name), format!("the name '{name}' is taken; give another"), "{engine:?}");
        assert_ne!(renamed(&it.admin, name), renamed(&local, name), "{engine:?}");
    }
    assert_eq!(renamed(&local, "LAB\\dora"), "there is a user 'LAB\\dora'", "{engine:?}");
    let tried = it.site.get(&format!("/api/v1/events?name=USER_NOT_CORRECTED&user={}&initiator=local", it.berta), &it.admin).ok();
    assert_eq!(tried.as_array().unwrap().len(), 5, "{engine:?}: each try is in the log");
}

/// An operator begins to unlock a card, without answers, and sends this challenge.
fn unlock(it: &Divided, serial: &str, challenge: &str) -> Answer {
    let wizard = it.site.post(&format!("/api/v1/cards/{serial}/wizard"), &it.admin, &json!({})).ok()["wizard"].clone();
    let path = format!("/api/v1/unlock/{}/challenge", wizard.as_str().unwrap());
    it.site.post(&path, &it.admin, &json!({"challenge": challenge}))
}

/// Responses and tasks of a card, as somebody is told of them: how many, and the comments.
fn told(it: &Divided, serial: &str, token: &str) -> (usize, Vec<String>) {
    let of = |what: &str| it.site.get(&format!("/api/v1/cards/{serial}/{what}"), token).ok().as_array().unwrap().clone();
    (of("responses").len(), of("tasks").iter().map(|task| task["comment"].as_str().unwrap().to_owned()).collect())
}

/// Responses, tasks and what was refused are of who had the card then: whoever is for the policy of who has it now is told nothing
/// of them, and who has it is asked for nothing that was ordered for somebody else.
fn of_who_had_a_card_before_nothing(engine: Engine) {
    let it = Divided::new(engine);
    it.site.set_answers("anna");
    let before = it.local("before", &[&it.default], &[&SEEING[..], &["reset-pin"]].concat());
    let local = it.local("local", &[&it.branch], &[&SEEING[..], &["issue-card", "reset-pin"]].concat());
    let new = json!({"logon": "LAB\\wim", "upn": "wim@x", "cn": "Wim Holm", "password": "long enough", "policy": it.branch});
    it.site.post("/api/v1/users", &it.admin, &new).ok();
    let anna = it.site.user("anna");
    // Refused on each way: at the workstation, in Remote Self-Service, at the console.
    let session = it.site.open(ANNA);
    it.site.answers(&session, right).ok();
    it.site.challenge_of(&session, "11").refused(400, "MALFORMED");
    it.site.challenge(&session).ok();
    let remote = it.site.post("/api/v1/remote", "", &json!({"name": "lab\\anna"})).ok();
    let path = |step: &str| format!("/api/v1/remote/{}/{step}", remote["session"].as_str().unwrap());
    it.site.post(&path("answers"), "", &crate::common::given(&remote["questions"], right)).ok();
    it.site.post(&path("challenge"), "", &json!({"card": ANNA, "challenge": "11"})).refused(400, "MALFORMED");
    it.site.post(&path("challenge"), "", &json!({"card": BORIS, "challenge": CHALLENGE})).refused(404, "NOT_FOUND");
    it.site.policy("workflow", "validate_answers", json!(false));
    unlock(&it, ANNA, "11").refused(400, "MALFORMED");
    unlock(&it, ANNA, CHALLENGE).ok();
    let events = |query: &str| it.site.get(&format!("/api/v1/events?{query}"), &it.admin).ok().as_array().unwrap().clone();
    let refused = events("name=RESPONSE_REFUSED");
    let by: Vec<_> =
        refused.iter().map(|event| (event["initiator"].as_str().unwrap(), event["user"].as_str().unwrap())).collect();
    let own = "LAB\\anna";
    assert_eq!(by, [("workstation", &*anna), (own, &*anna), (own, &*anna), ("admin", &*anna)], "{engine:?}");
    let order = |token: &str, comment: &str, workstation: &str| {
        let task = json!({"comment": comment, "workstation": workstation});
        it.site.post(&format!("/api/v1/cards/{ANNA}/tasks"), token, &task).ok();
    };
    order(&before, "lost her bag", "PC-ANNA");
    assert_eq!(told(&it, ANNA, &before), (2, vec!["lost her bag".into()]), "{engine:?}");

    let operate = |operation: &str, body: &Value| {
        it.site.post(&format!("/api/v1/cards/{ANNA}/{operation}"), &it.admin, body).ok();
    };
    operate("revoke", &json!({"reason": "left"}));
    operate("withdraw", &json!({}));
    // What was ordered is taken back, and the log says so of who had the card.
    let cancelled = events("name=TASK_CANCELLED");
    assert!(cancelled.len() == 1 && cancelled[0]["user"] == *anna && cancelled[0]["card"] == ANNA, "{engine:?}: {cancelled:?}");
    assert_eq!(it.site.get(&format!("/api/v1/cards/{ANNA}/tasks"), &it.admin).ok()[0]["state"], "Cancelled", "{engine:?}");
    let page = format!("/mc/cards/{ANNA}");
    let nothing_of_anna = |shown: String| {
        for of_before in ["lost her bag", "PC-ANNA", "anna", "Anna", "withdr", "revoke"] {
            assert!(!shown.contains(of_before), "{engine:?}: {of_before}: {shown}");
        }
    };
    assert_eq!(told(&it, ANNA, &local), (0, vec![]), "{engine:?}: in stock");
    nothing_of_anna(it.shown(&page, &local));
    operate("assign", &json!({"user": "lab\\wim"}));
    assert_eq!(told(&it, ANNA, &local), (0, vec![]), "{engine:?}: of somebody else");
    nothing_of_anna(it.shown(&page, &local));
    nothing_of_anna(it.shown(&format!("/mc/log?card={ANNA}"), &local).replace(&format!("card={ANNA}"), ""));
    operate("issue", &json!({}));
    let ask = json!({"serial": ANNA, "workstation": "PC-ANNA"});
    assert_eq!(it.site.post("/credprovapi/v1/tasks", "", &ask).ok(), json!({"task": "none"}), "{engine:?}");
    // What is of who has it now is told, and of all who had it to who is for all policies.
    order(&local, "has a new PIN", "PC-WIM");
    let mut settings = it.site.get("/api/v1/policies", &it.admin).ok()[1]["settings"].clone();
    settings["workflow"]["validate_answers"] = json!(false);
    it.site.put(&format!("/api/v1/policies/{}", it.branch), &it.admin, &settings).ok();
    unlock(&it, ANNA, "8877665544332211").ok();
    assert_eq!(told(&it, ANNA, &local), (1, vec!["has a new PIN".into()]), "{engine:?}");
    let shown = it.shown(&page, &local);
    assert!(shown.contains("PC-WIM") && shown.contains("assigned the card") && !shown.contains("PC-ANNA"), "{engine:?}: {shown}");
    // The same challenge again: now it is of who has the card now.
    unlock(&it, ANNA, CHALLENGE).ok();
    assert_eq!((told(&it, ANNA, &local).0, told(&it, ANNA, &it.admin).0), (2, 3), "{engine:?}");
    assert_eq!(told(&it, ANNA, &it.admin).1.len(), 2, "{engine:?}");
    assert_eq!(it.site.get("/api/v1/events/check", &it.admin).ok(), json!({"first_broken": null}));
}

/// An older version noted a card's tasks and responses as the card's alone: the log says whose it was. What was ordered for somebody
/// whose it is no more is cancelled.
fn a_database_that_does_not_say_whose_a_card_was(engine: Engine) {
    let mut it = Divided::new(engine);
    let (local, branch) = (it.local("local", &[&it.default], &SEEING), it.local("branch", &[&it.branch], &SEEING));
    it.site.policy("workflow", "validate_answers", json!(false));
    for serial in [ANNA, BORIS] {
        unlock(&it, serial, CHALLENGE).ok();
        it.site.post(&format!("/api/v1/cards/{serial}/tasks"), &it.admin, &json!({"comment": serial})).ok();
    }
    crate::people::change(
        &it.site,
        &[
            "DELETE FROM _sqlx_migrations WHERE version = 25",
            "ALTER TABLE tasks DROP COLUMN user_id",
            "ALTER TABLE givings DROP COLUMN user_id",
            "UPDATE cards SET user_id = (SELECT id FROM users WHERE logon = 'LAB\\berta'), policy_id = (SELECT id FROM policies WHERE name = 'Branch') WHERE user_id = (SELECT id FROM users WHERE logon = 'LAB\\boris')",
        ],
    );
    let after = it.site.second();
    // It goes with the directory of the database.
    let _before = std::mem::replace(&mut it.site, after);
    assert_eq!(told(&it, ANNA, &local), (1, vec![ANNA.into()]), "{engine:?}");
    assert_eq!(told(&it, BORIS, &branch), (0, vec![]), "{engine:?}");
    assert_eq!(told(&it, BORIS, &it.admin), (1, vec![BORIS.into()]), "{engine:?}");
    let state = |serial: &str| it.site.get(&format!("/api/v1/cards/{serial}/tasks"), &it.admin).ok()[0]["state"].clone();
    assert_eq!((state(ANNA), state(BORIS)), (json!("Idle"), json!("Cancelled")), "{engine:?}");
}

/// Whoever does what a login is needed for, once each; `number` makes it another each time.
struct Doer<'d> {
    it: &'d Divided,
    token: &'d str,
    /// Whom it says, when somebody fails.
    who: String,
    done: BTreeSet<String>,
}

impl Doer<'_> {
    /// One step, of the operation that the document names `at`: when it is refused nothing is done.
    #[track_caller]
    fn step(&mut self, at: &str, path: &str, body: &Value) -> Answer {
        let (site, path) = (&self.it.site, format!("/api/v1/{path}"));
        let before = now(site);
        let answer = match at.split_once(' ').unwrap().0 {
            "POST" => site.post(&path, self.token, body),
            "PUT" => site.put(&path, self.token, body),
            _ => site.delete(&path, self.token),
        };
        if answer.status == 200 {
            self.done.insert(at.to_owned());
            return answer;
        }
        assert!(matches!(answer.status, 400 | 403 | 404 | 409 | 410 | 422), "{}: {at}: {}", self.who, answer.text);
        assert_eq!(before.0, now(site).0, "{}: {at} is refused and done: {}", self.who, answer.text);
        let said = site.get(&format!("/api/v1/events?kind=I&after={}", before.1), &self.it.admin).ok();
        assert_eq!(said, json!([]), "{}: {at} is refused, and said to be done", self.who);
        answer
    }

    /// All of them; gives how those that change a user were answered.
    fn walk(&mut self, number: usize) -> BTreeSet<u16> {
        let (it, nothing) = (self.it, json!({}));
        let made = |path: &str, body: Value| it.site.post(&format!("/api/v1/{path}"), &it.admin, &body).ok()["id"].clone();
        let text = |id: Value| id.as_str().unwrap().to_owned();
        let policy = text(made("policies", json!({"name": format!("Policy {number}")})));
        let questions = format!("policies/{policy}/questions");
        let question = text(["First?", "Second?"].map(|text| made(&questions, json!({"text": text})))[1].clone());
        let operator = text(made("operators", json!({"name": format!("operator{number}"), "password": "long enough"})));
        it.site.post(&format!("/api/v1/card-types/type{number}"), &it.admin, &json!({"cipher": "aes128"})).ok();
        let anna = it.site.user("anna");
        it.site.set_answers("anna");

        let data = json!({"logon": "LAB\\anna", "upn": "anna@lab.example", "cn": format!("Anna {number}")});
        let mut of_user = vec![self.step("PUT /api/v1/users/{id}", &format!("users/{anna}"), &data).status];
        for action in ["disable", "enable", "unlock", "reset-answers"] {
            let path = format!("users/{anna}/{action}");
            of_user.push(self.step("POST /api/v1/users/{id}/{action}", &path, &nothing).status);
        }
        for under in [json!([it.default, policy]), json!([it.default])] {
            let path = format!("users/{anna}/policies");
            of_user.push(self.step("PUT /api/v1/users/{id}/policies", &path, &json!({"policies": under})).status);
        }
        let new = |name: &str| json!({"logon": format!("LAB\\{name}"), "upn": format!("{name}@x"), "cn": name, "password": "long enough", "policy": it.default});
        of_user.push(self.step("POST /api/v1/users", "users", &new(&format!("u{number}"))).status);

        let named = json!({"name": format!("Another {number}")});
        self.step("POST /api/v1/policies", "policies", &named);
        let settings = json!({"issuance": {"maximum_cards": 3}});
        self.step("PUT /api/v1/policies/{id}", &format!("policies/{policy}"), &settings);
        let name = json!({"name": format!("Third {number}")});
        self.step("PUT /api/v1/policies/{id}/name", &format!("policies/{policy}/name"), &name);
        self.step("POST /api/v1/policies/{id}/up", &format!("policies/{policy}/up"), &nothing);
        self.step("POST /api/v1/policies/{id}/questions", &questions, &json!({"text": "Third?"}));
        self.step("POST /api/v1/questions/{id}/up", &format!("questions/{question}/up"), &nothing);
        self.step("PUT /api/v1/questions/{id}", &format!("questions/{question}"), &json!({"text": "Fourth?"}));
        self.step("DELETE /api/v1/questions/{id}", &format!("questions/{question}"), &nothing);
        self.step("DELETE /api/v1/policies/{id}", &format!("policies/{policy}"), &nothing);

        let role =
            self.step("PUT /api/v1/roles/{name}", &format!("roles/r{number}"), &json!({"privileges": []})).body["id"].clone();
        let new = json!({"name": format!("o{number}"), "password": "long enough", "role": role});
        self.step("POST /api/v1/operators", "operators", &new);
        self.step("PUT /api/v1/operators/{id}/role", &format!("operators/{operator}/role"), &json!({"role": role}));

        let cipher = |cipher: &str| json!({"cipher": cipher});
        self.step("POST /api/v1/card-types/{name}", &format!("card-types/t{number}"), &cipher("aes128"));
        self.step("PUT /api/v1/card-types/{name}", &format!("card-types/type{number}"), &cipher("aes256"));
        self.step("DELETE /api/v1/card-types/{name}", &format!("card-types/type{number}"), &nothing);

        let card = format!("{number:032X}");
        let of_type = |serial: &str| json!({"serial": serial, "card_type": "gids-sim"});
        if self.step("POST /api/v1/cards", "cards", &of_type(&card)).status != 200 {
            it.site.post("/api/v1/cards", &it.admin, &of_type(&card)).ok();
        }
        let user = format!("lab\\holder{number}");
        let of_holder = json!({"logon": user, "upn": format!("holder{number}@x"), "cn": "Holder", "password": "long enough", "policy": it.default});
        it.site.post("/api/v1/users", &it.admin, &of_holder).ok();
        self.step("POST /api/v1/cards/{serial}/tags", &format!("cards/{card}/tags"), &json!({"add": ["red"]}));
        self.step(
            "POST /api/v1/cards/{serial}/correct-key",
            &format!("cards/{card}/correct-key"),
            &json!({"no_admin_key": true}),
        );
        for operation in ["assign", "issue", "disable", "enable", "revoke", "withdraw"] {
            let path = format!("cards/{card}/{operation}");
            self.step("POST /api/v1/cards/{serial}/{operation}", &path, &json!({"user": user, "reason": "lost"}));
        }
        for write in ["reset-pin", "roll-key"] {
            self.step(&format!("POST /api/v1/cards/{{serial}}/{write}"), &format!("cards/{ANNA}/{write}"), &nothing);
        }
        let spare = format!("{number:030X}FF");
        it.site.post("/api/v1/cards", &it.admin, &of_type(&spare)).ok();
        self.step("DELETE /api/v1/cards/{serial}", &format!("cards/{spare}"), &nothing);

        let ordered = self.step("POST /api/v1/cards/{serial}/tasks", &format!("cards/{ANNA}/tasks"), &nothing);
        let task = ordered.body["id"].as_str().unwrap_or("none").to_owned();
        self.step("POST /api/v1/tasks/{id}/cancel", &format!("tasks/{task}/cancel"), &nothing);
        it.site.set_answers("anna");
        let opened = self.step("POST /api/v1/cards/{serial}/wizard", &format!("cards/{ANNA}/wizard"), &nothing).body;
        let wizard = opened["wizard"].as_str().unwrap_or("none").to_owned();
        let answers = if wizard == "none" { json!({"answers": []}) } else { given(&opened["questions"], right) };
        self.step("POST /api/v1/unlock/{wizard}/answers", &format!("unlock/{wizard}/answers"), &answers);
        let challenge = json!({"challenge": crate::common::nth(number as u64)});
        self.step("POST /api/v1/unlock/{wizard}/challenge", &format!("unlock/{wizard}/challenge"), &challenge);
        of_user.into_iter().collect()
    }
}

/// What is refused is refused before anything is done: whoever may change something, but not see it, and whoever may do one thing
/// alone, walks through all that writes and needs a login.
fn what_is_refused_is_not_done(engine: Engine) {
    let it = Divided::new(engine);
    let all: BTreeSet<&str> = Privilege::ALL.iter().map(|privilege| privilege.name()).collect();
    let without = |left_out: &[&str]| all.iter().filter(|name| !left_out.contains(name)).copied().collect::<Vec<_>>();
    let mut roles: Vec<Vec<&str>> = SEEING.iter().map(|sees| without(&[sees])).collect();
    roles.push(without(&SEEING));
    roles.extend(all.iter().map(|one| vec![*one]));
    let mut done = BTreeSet::new();
    for (number, privileges) in roles.iter().enumerate() {
        let name = format!("somebody{number}");
        let mut doers = vec![it.site.log_in(it.site.somebody(&name, privileges))];
        if number <= SEEING.len() {
            doers.push(it.local(&format!("local{number}"), &[&it.default], privileges));
        }
        for (place, token) in doers.iter().enumerate() {
            let who = format!("{engine:?}: {privileges:?}, {}", ["everywhere", "local"][place]);
            let mut doer = Doer { it: &it, token, who, done: BTreeSet::new() };
            let of_user = doer.walk(1000 + 2 * number + place);
            if !privileges.contains(&"view-user") {
                assert_eq!(of_user, BTreeSet::from([403]), "{}: whoever changes a user sees the user", doer.who);
            }
            done.extend(doer.done);
        }
    }
    for (method, path, operation) in operations().filter(|(method, ..)| method != "GET") {
        let at = format!("{method} {path}");
        let is_never = NEVER_DONE.iter().any(|(never, _)| never.eq_ignore_ascii_case(&at));
        assert_eq!(done.contains(&at), !operation["security"].is_null() && !is_never, "{engine:?}: {at}");
    }
}
