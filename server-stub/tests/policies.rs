//! The order of policies, and who is under which.

use crate::common::browser::Browser;
use crate::common::{ANNA, BORIS, Engine, Site};
use cardlab_server_stub::service::setup::sample;
use serde_json::{Value, json};

on_both_engines! {
    of_several_policies_the_first_holds,
    who_may_move_a_user,
    the_second_who_moves_a_user_is_told,
    a_policy_is_renamed,
    who_is_under_a_policy_is_listed,
}

fn names(site: &Site, token: &str) -> Vec<String> {
    let policies = site.get("/api/v1/policies", token).ok();
    policies.as_array().unwrap().iter().map(|policy| policy["name"].as_str().unwrap().to_owned()).collect()
}

fn made(site: &Site, token: &str, name: &str) -> String {
    let made = site.post("/api/v1/policies", token, &json!({"name": name})).ok();
    made["id"].as_str().unwrap().to_owned()
}

/// The policy that holds for a user.
fn holds(site: &Site, token: &str, user: &str) -> String {
    let user = site.get(&format!("/api/v1/users/{user}"), token).ok();
    user["policy"].as_str().unwrap().to_owned()
}

fn of_several_policies_the_first_holds(engine: Engine) {
    let site = Site::start(engine);
    let (admin, anna) = (site.administrator(), site.user("anna"));
    let default = site.get("/api/v1/policies", &admin).ok()[0]["id"].as_str().unwrap().to_owned();
    // A new one is the last, whatever it is called.
    let (strict, lax) = (made(&site, &admin, "Astrict"), made(&site, &admin, "Alax"));
    assert_eq!(names(&site, &admin), ["Default", "Astrict", "Alax"], "{engine:?}");
    let under = format!("/api/v1/users/{anna}/policies");
    let put = |ids: Value| site.put(&under, &admin, &json!({"policies": ids}));
    put(json!([strict, default, strict])).ok();
    let mut both = vec![default.clone(), strict.clone()];
    both.sort_unstable();
    assert_eq!(site.get(&under, &admin).ok()["policies"], json!(both));
    assert_eq!(holds(&site, &admin, &anna), "Default");
    let up = |id: &str| site.post(&format!("/api/v1/policies/{id}/up"), &admin, &json!({}));
    up(&lax).ok();
    assert_eq!(names(&site, &admin), ["Default", "Alax", "Astrict"]);
    assert_eq!(holds(&site, &admin, &anna), "Default", "nothing has passed it");
    up(&strict).ok();
    up(&strict).ok();
    assert_eq!(holds(&site, &admin, &anna), "Astrict");
    assert_eq!(up(&strict).refused(409, "CONFLICT"), "this policy is the first already");
    up("none").refused(404, "NOT_FOUND");
    // Moved, and back.
    put(json!([lax])).ok();
    assert_eq!(holds(&site, &admin, &anna), "Alax");
    site.delete(&format!("/api/v1/policies/{lax}"), &admin).refused(409, "CONFLICT");
    put(json!([default])).ok();
    site.delete(&format!("/api/v1/policies/{lax}"), &admin).ok();
    assert_eq!(holds(&site, &admin, &anna), "Default");
    put(json!([])).refused(400, "MALFORMED");
    put(json!([default, "none"])).refused(404, "NOT_FOUND");
    assert_eq!(site.get(&under, &admin).ok()["policies"], json!([default]), "nothing of it is half done");
    let events = site.events(&format!("user={anna}"));
    assert_eq!(events.iter().filter(|name| *name == "USER_POLICY_CHANGED").count(), 3);
    assert_eq!(events.iter().filter(|name| *name == "USER_POLICY_NOT_CHANGED").count(), 2);
}

/// A role that covers one policy puts nobody under another, nor takes anybody from there.
fn who_may_move_a_user(engine: Engine) {
    let site = Site::start(engine);
    let (admin, anna, boris) = (site.administrator(), site.user("anna"), site.user("boris"));
    let default = site.get("/api/v1/policies", &admin).ok()[0]["id"].as_str().unwrap().to_owned();
    let other = made(&site, &admin, "Other");
    let role = json!({"policies": [default], "privileges": ["view-user", "view-policy", "change-policy"]});
    let role = site.put("/api/v1/roles/Local", &admin, &role).ok()["id"].clone();
    let operator = json!({"name": "local", "password": "local-password", "role": role, "user": Value::Null});
    site.post("/api/v1/operators", &admin, &operator).ok();
    let local = site.log_in(("local", "local-password"));
    let put = |token: &str, user: &str, ids: Value| {
        site.put(&format!("/api/v1/users/{user}/policies"), token, &json!({"policies": ids}))
    };
    put(&local, &anna, json!([other])).refused(403, "NO_PRIVILEGE");
    put(&local, &anna, json!([default, other])).refused(403, "NO_PRIVILEGE");
    put(&admin, &boris, json!([default, other])).ok();
    put(&local, &boris, json!([default])).refused(403, "NO_PRIVILEGE");
    site.post(&format!("/api/v1/policies/{other}/up"), &local, &json!({})).refused(403, "NO_PRIVILEGE");
    assert_eq!(holds(&site, &admin, &anna), "Default", "{engine:?}");
    put(&local, &anna, json!([default])).ok();
}

/// Users and cards of a policy: as many as its page counts, and the page leads to them.
fn who_is_under_a_policy_is_listed(engine: Engine) {
    let site = Site::start(engine);
    let (admin, anna, boris) = (site.administrator(), site.user("anna"), site.user("boris"));
    let default = site.get("/api/v1/policies", &admin).ok()[0]["id"].as_str().unwrap().to_owned();
    let (other, empty) = (made(&site, &admin, "Other"), made(&site, &admin, "Empty"));
    let put =
        |user: &str, ids: Value| site.put(&format!("/api/v1/users/{user}/policies"), &admin, &json!({"policies": ids})).ok();
    // Another holds for her; she is under it all the same.
    put(&anna, json!([default, other]));
    put(&boris, json!([other]));
    let listed = |query: &str, field: &str| -> Vec<String> {
        let found = site.get(&format!("/api/v1/{query}"), &admin).ok();
        found.as_array().unwrap().iter().map(|row| row[field].as_str().unwrap().to_owned()).collect()
    };
    let users = |query: &str| listed(&format!("users?{query}"), "cn");
    assert_eq!(users(&format!("policy={default}")), ["Anna Berg", "Clara Moss"], "{engine:?}");
    assert_eq!(users(&format!("policy={other}&sort=-name")), ["Boris Lund", "Anna Berg"]);
    assert_eq!(users(&format!("policy={other}&q=lab+ann")), ["Anna Berg"]);
    assert_eq!(users(&format!("policy={other}&q=clara")), [""; 0]);
    assert_eq!(users(&format!("policy={other}&state=disabled")), [""; 0]);
    assert_eq!(users(&format!("policy={empty}")), [""; 0]);
    site.get("/api/v1/users?policy=none", &admin).refused(400, "MALFORMED");
    let first = site.send(&format!("/api/v1/users?limit=1&policy={other}"), |http, url| http.get(url).bearer_auth(&admin));
    let next = first.headers()["link"].to_str().unwrap().trim_matches(['<', '>']).split('>').next().unwrap().to_owned();
    assert_eq!(users(&next[1..]), ["Boris Lund"], "{next}");

    let page = |path: &str| site.page(path, "mc", &admin);
    let list = page("/mc/configuration/policies");
    for (policy, count, cards) in [(&default, 2, 2), (&other, 2, 0)] {
        let to_users = format!("<a href=\"/mc?policy={policy}\">{count} users</a>");
        let to_cards = format!("<a href=\"/mc/cards?policy={policy}\">{cards} cards</a>");
        for shown in [&list, &page(&format!("/mc/configuration/policies/{policy}/workflow"))] {
            assert_eq!((shown.contains(&to_users), shown.contains(&to_cards)), (true, cards > 0), "{shown}");
        }
        assert!(page(&format!("/mc?policy={policy}")).contains(&format!("<h2>{count} users</h2>")));
    }
    assert!(!list.contains(&format!("policy={empty}")), "to nobody there is no way: {list}");
    let narrowed = page(&format!("/mc?policy={other}"));
    assert!(narrowed.contains(&format!("<option value=\"{other}\" selected>Other</option>")), "{narrowed}");
    assert!(narrowed.contains(&format!("/mc/csv?policy={other}")) && !narrowed.contains("Clara Moss"), "{narrowed}");
    let csv = page(&format!("/mc/csv?policy={other}"));
    assert_eq!(csv.lines().count(), 3, "{csv}");
    let cards = page(&format!("/mc/cards?policy={default}"));
    assert!(cards.contains("2 cards") && [ANNA, BORIS].iter().all(|serial| cards.contains(serial)), "{cards}");
}

/// By a program as on the page: a change says of which state it is.
fn the_second_who_moves_a_user_is_told(engine: Engine) {
    let site = Site::start(engine);
    let (admin, anna) = (site.administrator(), site.user("anna"));
    let (one, other) = (made(&site, &admin, "One"), made(&site, &admin, "Other"));
    let under = format!("/api/v1/users/{anna}/policies");
    let seen = site.get(&under, &admin).ok()["revision"].as_str().unwrap().to_owned();
    let put = |ids: &Value, seen: &str| site.put(&format!("{under}?revision={seen}"), &admin, &json!({"policies": ids}));
    put(&json!([one]), &seen).ok();
    let refused = put(&json!([other]), &seen).refused(409, "CONFLICT");
    assert!(refused.starts_with("admin has put this user under other policies meanwhile"), "{engine:?}: {refused}");
    assert_eq!(site.get(&under, &admin).ok()["policies"], json!([one]));
    // Who sends the same again is told nothing; who has looked since is not late.
    put(&json!([one]), &seen).ok();
    put(&json!([other]), site.get(&under, &admin).ok()["revision"].as_str().unwrap()).ok();
    site.put(&under, &admin, &json!({"policies": [one]})).ok();
    assert_eq!(holds(&site, &admin, &anna), "One");
}

/// A policy has another name; of two who give it one the second is told, as is who changes its settings meanwhile. That of those
/// to whom none applies keeps its own, by which it is known.
fn a_policy_is_renamed(engine: Engine) {
    let site = Site::start(engine);
    let (admin, oleg) = (site.administrator(), site.operator());
    let one = made(&site, &admin, "One");
    made(&site, &admin, "Other");
    let path = format!("/api/v1/policies/{one}");
    let rename = |token: &str, name: &str, seen: &str| site.put(&format!("{path}/name{seen}"), token, &json!({"name": name}));
    let policy = |at: usize| site.get("/api/v1/policies", &admin).ok()[at].clone();
    let seen = format!("?revision={}", policy(1)["revision"].as_str().unwrap());
    rename(&admin, "Contractors", &seen).ok();
    assert_eq!(names(&site, &admin), ["Default", "Contractors", "Other"], "{engine:?}");
    let late = "admin has changed this policy meanwhile";
    assert!(rename(&admin, "Guests", &seen).refused(409, "CONFLICT").starts_with(late));
    assert!(site.put(&format!("{path}{seen}"), &admin, &json!({})).refused(409, "CONFLICT").starts_with(late));
    for taken in ["other", " OTHER "] {
        assert_eq!(rename(&admin, taken, "").refused(409, "CONFLICT"), "there is a policy of this name");
    }
    rename(&admin, "", "").refused(400, "MALFORMED");
    rename(&oleg, "Guests", "").refused(403, "NO_PRIVILEGE");
    rename(&admin, "CONTRACTORS", "").ok();
    let default = policy(0)["id"].as_str().unwrap().to_owned();
    let kept = site.put(&format!("/api/v1/policies/{default}/name"), &admin, &json!({"name": "Usual"}));
    assert!(kept.refused(409, "CONFLICT").starts_with("the policy Default stands by its name"));
    assert_eq!(names(&site, &admin), ["Default", "CONTRACTORS", "Other"]);
    // On the page, with what was typed where it is refused; and in the log.
    let browser = Browser::logged_in(&site, "en", "/mc", sample::ADMINISTRATOR);
    let list = "/mc/configuration/policies";
    let was = policy(1)["revision"].as_str().unwrap().to_owned();
    let send = |name: &str| browser.send_from(list, &format!("{list}/{one}/name"), &[("was", &was), ("name", name)]);
    let refused = send("Other");
    assert_eq!(refused.alerts(), ["There is a policy of this name."], "{engine:?}: {}", refused.text);
    assert!(refused.text.contains("value=\"Other\""), "{}", refused.text);
    assert!(send("Guests").text.contains("The policy has its new name."), "{engine:?}");
    assert!(!browser.get(list).text.contains(&format!("{default}/name")), "Default keeps its name");
    let log = browser.get("/mc/log").text.replace(['\u{2068}', '\u{2069}'], "");
    assert!(log.contains("admin gave the policy CONTRACTORS another name: Guests"), "{engine:?}: {log}");
}
