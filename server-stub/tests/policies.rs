//! The order of policies, and who is under which.

use crate::common::{Engine, Site};
use serde_json::{Value, json};

on_both_engines! {
    of_several_policies_the_first_holds,
    who_may_move_a_user,
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
