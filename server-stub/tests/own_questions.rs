//! Questions that users write: asked by operators besides the policy's, and told to nobody else.

use crate::common::browser::{Browser, Page, between, unescaped};
use crate::common::{ANNA, Engine, Site, given, right};
use serde_json::{Value, json};

on_both_engines! {
    an_operator_asks_them_besides_the_policys,
    nobody_else_is_told_of_them,
    what_is_none_is_refused_at_its_field,
    as_many_as_the_policy_lets,
    they_go_with_a_reset,
    so_many_answers_and_no_more,
    none_of_them_is_one_of_the_policys,
    a_wizard_whose_question_is_gone_is_over,
}

const ANNA_OWN: (&str, &str) = ("LAB\\anna", "anna-password");
const CAT: (&str, &str) = ("Whose cat slept in the piano?", "aunt Berta");

fn anna(site: &Site) -> Browser<'_> {
    Browser::logged_in(site, "en", "/ss", ANNA_OWN)
}

fn add(browser: &Browser<'_>, (text, answer): (&str, &str)) -> Page {
    browser.send_from("/ss", "/ss/questions", &[("own_text", text), ("own_answer", answer), ("own_again", answer)])
}

/// What an operator asks for her card: the wizard.
fn wizard(site: &Site) -> Value {
    site.post(&format!("/api/v1/cards/{ANNA}/wizard"), &site.operator(), &json!({})).ok()
}

fn texts(questions: &Value) -> Vec<String> {
    questions.as_array().unwrap().iter().map(|question| question["text"].as_str().unwrap().to_owned()).collect()
}

/// Her answer to a question of the policy, or to one of her own.
fn hers(question: &str) -> String {
    if question == CAT.0 { CAT.1.into() } else { right(question) }
}

/// The fields that are wrong.
fn wrong(page: &Page) -> Vec<String> {
    let tags = between(&page.text, "<input", ">").into_iter().filter(|tag| tag.contains("aria-invalid=\"true\""));
    tags.map(|tag| between(tag, " name=\"", "\"")[0].to_owned()).collect()
}

fn an_operator_asks_them_besides_the_policys(engine: Engine) {
    let site = Site::start(engine);
    site.set_answers("anna");
    site.policy("authentication", "own_questions", json!(2));
    let page = add(&anna(&site), CAT);
    assert_eq!((page.path.as_str(), page.alerts()), ("/ss", vec![]), "{engine:?}");
    assert!(page.text.contains("Your question is there.") && page.text.contains(CAT.0), "{}", page.text);
    let opened = wizard(&site);
    let asked = texts(&opened["questions"]);
    assert_eq!((asked.len(), asked[1].as_str()), (2, CAT.0), "{engine:?}: one of the policy's, and hers");
    let path = format!("/api/v1/unlock/{}/answers", opened["wizard"].as_str().unwrap());
    let oleg = site.operator();
    let answer = |how: &dyn Fn(&str) -> String| site.post(&path, &oleg, &given(&opened["questions"], how)).ok()["ok"].clone();
    let one_wrong = |question: &str| if question == CAT.0 { "the dog".into() } else { right(question) };
    assert_eq!((answer(&one_wrong), answer(&hers)), (json!(false), json!(true)));
    // As it is compared, like any answer.
    assert_eq!(answer(&|question: &str| hers(question).to_uppercase()), json!(true));
    // The page asks it as well, and its text is a text.
    let browser = Browser::logged_in(&site, "en", "/mc", ("oleg", "oleg-password"));
    let shown = browser.send_from(&format!("/mc/cards/{ANNA}"), &format!("/mc/cards/{ANNA}/wizard"), &[]);
    assert!(shown.text.contains(CAT.0), "{}", shown.text);
    // Who has written one, and neither what nor the answer.
    let events = site.get("/api/v1/events?name=ANSWERS_SET", &site.administrator()).ok();
    let own = events.as_array().unwrap().last().unwrap();
    assert_eq!(own["detail"], json!({"operation": "own-question-added"}).to_string());
    let log = browser.get("/mc/log").text;
    assert!(log.contains("Anna Berg wrote a question of their own") && !log.contains("piano"), "{log}");
}

/// Neither the lock screen nor Remote Self-Service: who holds a card or says a name sees the policy's alone, whether
/// somebody has written some or not.
fn nobody_else_is_told_of_them(engine: Engine) {
    let site = Site::start(engine);
    site.set_answers("anna");
    site.set_answers("boris");
    site.policy("authentication", "own_questions", json!(5));
    site.policy("authentication", "questions_to_ask", json!(3));
    let remote = |name: &str| site.post("/api/v1/remote", "", &json!({"name": name})).ok()["questions"].clone();
    let before = ["LAB\\anna", "LAB\\boris", "LAB\\nobody"].map(remote);
    let online = texts(&site.open(ANNA)["questions"]);
    assert_eq!(add(&anna(&site), CAT).alerts(), [""; 0], "{engine:?}");
    assert_eq!(["LAB\\anna", "LAB\\boris", "LAB\\nobody"].map(remote), before);
    assert_eq!(texts(&site.open(ANNA)["questions"]), online);
    let session = site.open(ANNA);
    assert_eq!(site.answers(&session, right).ok(), json!({"ok": true}), "the policy's are enough there");
}

fn what_is_none_is_refused_at_its_field(engine: Engine) {
    let site = Site::start(engine);
    site.set_answers("anna");
    let browser = anna(&site);
    assert!(!browser.get("/ss").text.contains("Your own questions"), "{engine:?}");
    let off = add(&browser, CAT);
    assert_eq!(off.alerts(), ["Your policy lets you have no questions of your own."]);
    site.policy("authentication", "own_questions", json!(3));
    site.policy("authentication", "own_question_length", json!(12));
    site.policy("authentication", "own_answer_length", json!(4));
    assert_eq!(add(&browser, CAT).alerts(), [""; 0]);
    let known = "Town where you were born?";
    for (text, answer, field, says) in [
        ("Which cat?", "Miezi", "own_text", "A question of your own has 12 characters at least, not 10."),
        (" ", "Miezi", "own_text", "A question is missing."),
        ("whose CAT slept in the piano?", "Miezi", "own_text", "There is this question already; write another one."),
        (known, "Miezi", "own_text", "There is this question already; write another one."),
        ("Which cat was mine?", "cat", "own_answer", "'Which cat was mine?': an answer has 4 to 200 characters, not 3."),
        ("Which cat was mine?", " MINE ", "own_answer", "'Which cat was mine?': the answer stands in the question."),
        ("Which cat was mine?", "cat was", "own_answer", "'Which cat was mine?': the answer stands in the question."),
        ("Which cat was mine?", "Which cat was mine?", "own_answer", "'Which cat was mine?': the answer stands in the question."),
        (
            "Which cat was mine?",
            "AUNT berta",
            "own_answer",
            "Each question has an answer of its own: one of these is set already.",
        ),
        (
            "Which cat was mine?",
            &right(known),
            "own_answer",
            "Each question has an answer of its own: one of these is set already.",
        ),
    ] {
        let page = add(&browser, (text, answer));
        assert_eq!((page.alerts(), wrong(&page)), (vec![says.to_owned()], vec![field.to_owned()]), "{engine:?}: {text}");
        let typed = between(&page.text, "name=\"own_text\" value=\"", "\"")[0];
        assert_eq!(unescaped(typed), text, "what was typed stays, but for the answer");
        assert!(!page.text.contains("Miezi"));
    }
    let differ = [("own_text", "Which cat was mine?"), ("own_answer", "Miezi"), ("own_again", "Mietzi")];
    let page = browser.send_from("/ss", "/ss/questions", &differ);
    assert_eq!((page.alerts(), wrong(&page)), (vec!["The two entries differ.".to_owned()], vec!["own_answer".to_owned()]));
    // Nor is an answer of hers to one of the policy's what she has said to her own.
    let town = browser.get("/ss").text;
    let id = between(&town, "data-question=\"", "\"")[0].to_owned();
    let (answer, again) = (format!("answer:{id}"), format!("again:{id}"));
    let page = browser.send_from("/ss", "/ss/answers", &[(&answer, CAT.1), (&again, CAT.1)]);
    assert_eq!(page.alerts(), ["Each question has an answer of its own: one of these is set already."]);
    assert_eq!(texts(&wizard(&site)["questions"]).len(), 2, "one was written, and no other");
    site.policy("workflow", "set_answers", json!(false));
    let not_here = ["Answers are not set in Self-Service here; ask your operator."];
    assert_eq!(add(&browser, ("Which cat was mine?", "Miezi")).alerts(), not_here);
    // What helps to know somebody again stays as well.
    let shown = browser.get("/ss").text;
    assert!(shown.contains(CAT.0) && !shown.contains("/ss/questions/delete"), "{shown}");
    site.policy("workflow", "set_answers", json!(true));
    let id = between(&browser.get("/ss").text, "name=\"question\" value=\"", "\"")[0].to_owned();
    site.policy("workflow", "set_answers", json!(false));
    assert_eq!(browser.send_from("/ss", "/ss/questions/delete", &[("question", &id)]).alerts(), not_here);
    assert_eq!(texts(&wizard(&site)["questions"]).len(), 2);
}

/// Each new answer is compared with those that are there: who has found a login open does not try them all.
fn so_many_answers_and_no_more(engine: Engine) {
    let site = Site::start(engine);
    site.set_answers("anna");
    site.policy("authentication", "own_questions", json!(2));
    let browser = anna(&site);
    let known = right("Town where you were born?");
    // One was when she set them.
    for time in 1..30 {
        let says = add(&browser, (CAT.0, &known)).alerts();
        assert_eq!(says, ["Each question has an answer of its own: one of these is set already."], "{engine:?}: {time}");
    }
    for answer in [known.as_str(), CAT.1] {
        let says = add(&browser, (CAT.0, answer)).alerts();
        assert!(says[0].starts_with("Too many answers that this user has set; try again in"), "{engine:?}: {says:?}");
    }
    assert_eq!(texts(&wizard(&site)["questions"]).len(), 1);
}

/// They come on top: the policy's are answered as if there were none.
fn none_of_them_is_one_of_the_policys(engine: Engine) {
    let site = Site::start(engine);
    site.policy("authentication", "own_questions", json!(2));
    site.policy("authentication", "questions_to_ask", json!(2));
    let browser = anna(&site);
    assert_eq!(add(&browser, CAT).alerts(), [""; 0], "{engine:?}");
    let page = browser.get("/ss").text;
    let ids = between(&page, "data-question=\"", "\"");
    let set = |ids: &[&str]| {
        let fields = ids.iter().flat_map(|id| ["answer", "again"].map(|name| (format!("{name}:{id}"), format!("Rex {id}"))));
        let fields: Vec<_> = fields.collect();
        let fields: Vec<_> = fields.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        browser.send_from("/ss", "/ss/answers", &fields).alerts()
    };
    assert_eq!(set(&ids[..1]), ["Answer 2 questions at least."]);
    assert_eq!(set(&ids[..2]), [""; 0]);
}

/// Nobody can answer what is left of them.
fn a_wizard_whose_question_is_gone_is_over(engine: Engine) {
    let site = Site::start(engine);
    site.set_answers("anna");
    site.policy("authentication", "own_questions", json!(2));
    let browser = anna(&site);
    assert_eq!(add(&browser, CAT).alerts(), [""; 0], "{engine:?}");
    let opened = wizard(&site);
    let id = between(&browser.get("/ss").text, "name=\"question\" value=\"", "\"")[0].to_owned();
    assert_eq!(browser.send_from("/ss", "/ss/questions/delete", &[("question", &id)]).alerts(), [""; 0]);
    let answers = format!("/api/v1/unlock/{}/answers", opened["wizard"].as_str().unwrap());
    site.post(&answers, &site.operator(), &given(&opened["questions"], hers)).refused(410, "SESSION_OVER");
    assert_eq!(texts(&wizard(&site)["questions"]).len(), 1, "another one asks what there is");
}

fn as_many_as_the_policy_lets(engine: Engine) {
    let site = Site::start(engine);
    site.set_answers("anna");
    site.policy("authentication", "own_questions", json!(2));
    let browser = anna(&site);
    let more = [("Which street had no trees?", "elm road"), ("What did Karl break?", "the vase")];
    assert_eq!(add(&browser, CAT).alerts(), [""; 0], "{engine:?}");
    assert_eq!(add(&browser, more[0]).alerts(), [""; 0]);
    let full = browser.get("/ss").text;
    assert!(!full.contains("New question of your own"), "{full}");
    assert_eq!(add(&browser, more[1]).alerts(), ["You may have 2 questions of your own; delete one first."]);
    let asked = || texts(&wizard(&site)["questions"]);
    assert_eq!(asked()[1..], [CAT.0, more[0].0]);
    // Fewer from now on: the first that she wrote are asked; none where the policy has none.
    site.policy("authentication", "own_questions", json!(1));
    assert_eq!(asked()[1..], [CAT.0]);
    site.policy("authentication", "own_questions", json!(0));
    assert_eq!(asked().len(), 1);
    let shown = browser.get("/ss").text;
    assert!(shown.contains("None is asked any more.") && shown.contains(CAT.0), "{shown}");
    // One goes, once; another's is none of hers.
    let id = between(&shown, "name=\"question\" value=\"", "\"")[0].to_owned();
    let boris = Browser::logged_in(&site, "en", "/ss", ("LAB\\boris", "boris-password"));
    assert_eq!(boris.send_from("/ss", "/ss/questions/delete", &[("question", &id)]).alerts().len(), 1);
    let gone = browser.send_from("/ss", "/ss/questions/delete", &[("question", &id)]);
    assert!(gone.text.contains("Your question is deleted.") && !gone.text.contains(CAT.0), "{}", gone.text);
    assert_eq!(browser.send_from("/ss", "/ss/questions/delete", &[("question", &id)]).alerts().len(), 1);
    site.policy("authentication", "own_questions", json!(2));
    assert_eq!(asked()[1..], [more[0].0]);
}

fn they_go_with_a_reset(engine: Engine) {
    let site = Site::start(engine);
    site.set_answers("anna");
    site.policy("authentication", "own_questions", json!(2));
    assert_eq!(add(&anna(&site), CAT).alerts(), [""; 0], "{engine:?}");
    let opened = wizard(&site);
    let path = format!("/api/v1/users/{}/reset-answers", site.user("anna"));
    // Whoever has written some and answered none of the policy's has something to be reset as well.
    let boris = Browser::logged_in(&site, "en", "/ss", ("LAB\\boris", "boris-password"));
    assert_eq!(add(&boris, CAT).alerts(), [""; 0]);
    let browser = Browser::logged_in(&site, "en", "/mc", ("oleg", "oleg-password"));
    let of_boris = format!("/mc/users/{}", site.user("boris"));
    let reset = format!("{of_boris}/reset-answers");
    assert!(browser.get(&of_boris).text.contains(&reset), "{engine:?}");
    assert_eq!(browser.send_from(&of_boris, &reset, &[]).alerts(), [""; 0]);
    assert!(!browser.get(&of_boris).text.contains(&reset) && !boris.get("/ss").text.contains(CAT.0));
    site.post(&path, &site.operator(), &json!({})).ok();
    assert!(!anna(&site).get("/ss").text.contains(CAT.0));
    // What was asked before is answered by nobody.
    let answers = format!("/api/v1/unlock/{}/answers", opened["wizard"].as_str().unwrap());
    site.post(&answers, &site.operator(), &given(&opened["questions"], hers)).refused(409, "ANSWERS_NOT_SET");
    site.set_answers("anna");
    assert_eq!(texts(&wizard(&site)["questions"]).len(), 1);
}
