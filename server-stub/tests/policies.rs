//! The order of policies, and who is under which.

use crate::common::{ANNA, BORIS, Engine, Site};
use serde_json::{Value, json};

on_both_engines! {
    of_several_policies_the_first_holds,
    who_may_move_a_user,
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
    assert_eq!(site.get(&under, &admin).ok(), json!({"policies": both}));
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
    assert_eq!(site.get(&under, &admin).ok(), json!({"policies": [default]}), "nothing of it is half done");
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
    assert_eq!(users("policy=none"), [""; 0]);
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
