//! What a flow rests on goes while it is under way: a question, a policy.

use crate::common::{ANNA, Answer, BORIS, CHALLENGE, Engine, Site, given, right};
use serde_json::{Value, json};

on_both_engines! {
    a_question_that_is_deleted,
    a_policy_that_is_deleted,
}

fn enter(site: &Site, name: &str) -> Value {
    site.post("/api/v1/remote", "", &json!({"name": name})).ok()
}

fn remote_answers(site: &Site, session: &Value, answers: &Value) -> Answer {
    site.post(&format!("/api/v1/remote/{}/answers", session["session"].as_str().unwrap()), "", answers)
}

/// Remote Self-Service asks everybody as many questions, also those that somebody has not answered; such a one may be deleted
/// while it is asked. Who has it on the screen still answers it, who loads the page again does not: both go on.
fn a_question_that_is_deleted(engine: Engine) {
    let site = Site::start(engine);
    site.set_answers("anna");
    let admin = site.administrator();
    let policy = site.get("/api/v1/policies", &admin).ok()[0]["id"].as_str().unwrap().to_owned();
    let defined = site.get(&format!("/api/v1/policies/{policy}/questions"), &admin).ok().as_array().unwrap().len();
    let questions = format!("/api/v1/policies/{policy}/questions");
    let more = site.post(&questions, &admin, &json!({"text": "A question that goes?"})).ok()["id"].as_str().unwrap().to_owned();
    site.policy("authentication", "questions_to_ask", json!(defined + 1));
    let sessions = ["lab\\anna", "lab\\anna", "lab\\nobody"].map(|name| enter(&site, name));
    for session in &sessions {
        assert!(session["questions"].to_string().contains(&more), "{engine:?}: {session}");
    }
    site.policy("authentication", "questions_to_ask", json!(1));
    site.delete(&format!("/api/v1/questions/{more}"), &admin).ok();
    let left = |session: &Value| -> Value {
        let questions = session["questions"].as_array().unwrap().iter();
        questions.filter(|question| question["id"] != *more).cloned().collect()
    };
    let [first, second, nobody] = &sessions;
    assert_eq!(remote_answers(&site, first, &given(&first["questions"], right)).ok()["ok"], true, "{engine:?}: all");
    assert_eq!(remote_answers(&site, second, &given(&left(second), right)).ok()["ok"], true, "{engine:?}: those that are left");
    for questions in [&nobody["questions"], &left(nobody)] {
        assert_eq!(
            remote_answers(&site, nobody, &given(questions, right)).ok()["ok"],
            false,
            "{engine:?}: the same to a stranger"
        );
    }
    let challenge = json!({"card": ANNA, "challenge": CHALLENGE});
    for session in [first, second] {
        site.post(&format!("/api/v1/remote/{}/challenge", session["session"].as_str().unwrap()), "", &challenge).ok();
    }
}

/// It cannot be deleted while people and cards are under it, and flows go on. Where it is gone all the same, by whatever hand, each
/// next step is refused with its reason, or without one where nobody is to know; nothing fails.
fn a_policy_that_is_deleted(engine: Engine) {
    let site = Site::start(engine);
    for name in ["anna", "boris"] {
        site.set_answers(name);
    }
    let (admin, oleg) = (site.administrator(), site.operator());
    let policy = site.get("/api/v1/policies", &admin).ok()[0]["id"].as_str().unwrap().to_owned();
    let [asked, answered] = [ANNA, BORIS].map(|serial| site.open(serial));
    site.answers(&answered, right).ok();
    let wizards = [ANNA, BORIS].map(|serial| site.post(&format!("/api/v1/cards/{serial}/wizard"), &oleg, &json!({})).ok());
    let wizard = |n: usize, what: &str| format!("/api/v1/unlock/{}/{what}", wizards[n]["wizard"].as_str().unwrap());
    site.post(&wizard(1, "answers"), &oleg, &given(&wizards[1]["questions"], right)).ok();
    let remote = enter(&site, "lab\\anna");
    remote_answers(&site, &remote, &given(&remote["questions"], right)).ok();
    let remote_challenge = format!("/api/v1/remote/{}/challenge", remote["session"].as_str().unwrap());
    let challenge = json!({"challenge": CHALLENGE});

    let message = site.delete(&format!("/api/v1/policies/{policy}"), &admin).refused(409, "CONFLICT");
    assert_eq!(message, "users or cards are under this policy; move them first", "{engine:?}");
    site.challenge(&answered).ok();
    site.block_on(async {
        let mut tx = crate::common::database(&site.url).await;
        for statement in [
            "DELETE FROM policy_links",
            "UPDATE cards SET policy_id = NULL",
            "DELETE FROM answers",
            "DELETE FROM questions",
            "DELETE FROM policies",
        ] {
            sqlx::query(statement).execute(&mut *tx).await.unwrap();
        }
        tx.commit().await.unwrap();
    });
    assert_eq!(site.answers(&asked, right).ok(), json!({"mode": "offline"}), "{engine:?}");
    site.challenge(&answered).refused(410, "SESSION_OVER");
    let refused = |answer: Answer| assert!(matches!(answer.status, 403 | 409), "{engine:?}: {} {}", answer.status, answer.text);
    refused(site.post(&wizard(0, "answers"), &oleg, &given(&wizards[0]["questions"], right)));
    refused(site.post(&wizard(1, "challenge"), &oleg, &challenge));
    refused(site.post(&remote_challenge, "", &json!({"card": ANNA, "challenge": CHALLENGE})));
    refused(site.post(&format!("/api/v1/cards/{ANNA}/wizard"), &oleg, &json!({})));
    refused(site.post(&format!("/api/v1/cards/{ANNA}/tasks"), &oleg, &json!({})));
    assert_eq!(site.open(ANNA), json!({"mode": "offline"}));
    site.post("/credprovapi/v1/ways", "", &json!({"serial": ANNA})).ok();
    assert_eq!(enter(&site, "lab\\anna")["questions"], enter(&site, "lab\\nobody")["questions"]);
    // What is left is shown.
    let anna = site.user("anna");
    for path in [format!("users/{anna}"), format!("cards/{ANNA}"), "users".into(), "cards".into(), "events/check".into()] {
        site.get(&format!("/api/v1/{path}"), &admin).ok();
    }
    for page in ["".into(), format!("/users/{anna}"), format!("/cards/{ANNA}"), "/log".into(), "/configuration/policies".into()] {
        let page = format!("/mc{page}");
        let status = site.send(&page, |http, url| http.get(url).header("cookie", format!("mc={admin}"))).status();
        assert_eq!(status, 200, "{engine:?}: {page}");
    }
}
