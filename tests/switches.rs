//! Each setting of a policy has its effect on a card in a reader or on somebody's way to a response: with one value something
//! else is seen than with the other, on SQLite and on PostgreSQL. [`every_setting_is_shown`] compares the rows with the model, so
//! that no setting is without one.

use crate::common::site::right;
use crate::common::{Lab, Up};
use crate::issue::{Desk, ZEROS};
use cardlab_client::lock;
use cardlab_client::minidriver::{Authenticator, CardError, Minidriver, Secret};
use cardlab_protocol::admin_key::{AdminKey, Cipher};
use cardlab_server_stub::model::captcha::Letters;
use cardlab_server_stub::model::policy::Policy;
use cardlab_server_stub::model::random_pin::RandomPin;
use cardlab_server_stub::model::vault::Vault;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::{SystemTime, UNIX_EPOCH};

/// A row: the setting, what looks at a card or a flow, and what it sees under which settings.
type Row = (&'static str, fn(&Place) -> String, Vec<(Value, &'static str)>);

/// Makes of each row a test on each engine, and [`ROWS`] of their settings.
macro_rules! settings {
    ($($test:ident: $field:literal by $shows:ident { $($settings:tt => $seen:literal),+ })*) => {
        const ROWS: &[&str] = &[$($field),*];
        $(mod $test {
            fn row() -> super::Row {
                ($field, super::$shows, vec![$((serde_json::json!($settings), $seen)),+])
            }

            #[test]
            fn sqlite() {
                super::hold(&row(), || "sqlite:cardlab-cms.db".into());
            }

            #[test]
            fn postgres() {
                super::hold(&row(), crate::postgres::database);
            }
        })*
    };
}

settings! {
    maximum_cards: "issuance.maximum_cards" by second_card {
        {"issuance": {"maximum_cards": 1}} => "the second card is refused",
        {"issuance": {"maximum_cards": 2}} => "the second card is hers"
    }
    require_tags: "issuance.require_tags" by issued_without_a_tag {
        {"issuance": {"require_tags": true}} => "Assigned until it has a tag",
        {"issuance": {"require_tags": false}} => "Issued without a tag"
    }
    initialize_card: "issuance.initialize_card" by key_of_the_issued {
        {"issuance": {"initialize_card": true}} => "the card has a key of its own",
        {"issuance": {"initialize_card": false}} => "the card has its maker's key"
    }
    lock_card: "issuance.lock_card" by pin_of_the_issued {
        {"issuance": {"initialize_card": true, "lock_card": true}} => "blocked",
        {"issuance": {"initialize_card": true, "lock_card": false}} => "the PIN of its type"
    }
    random_user_pin: "issuance.random_user_pin" by pin_of_the_issued {
        {"issuance": {"initialize_card": true, "random_user_pin": {"length": 8}}} => "a PIN that nobody chose",
        {"issuance": {"initialize_card": true, "random_user_pin": null}} => "the PIN of its type"
    }
    random_length: "issuance.random_user_pin.length" by random_length_of {
        {"issuance": {"initialize_card": true, "random_user_pin": {"length": 4}}} => "4",
        {"issuance": {"initialize_card": true, "random_user_pin": {"length": 9}}} => "9"
    }
    random_digits: "issuance.random_user_pin.digits" by random_groups {
        {"issuance": {"initialize_card": true, "random_user_pin": {"digits": true}}} => "digits",
        {"issuance": {"initialize_card": true, "random_user_pin": {"digits": false, "lower": true}}} => "lower"
    }
    random_upper: "issuance.random_user_pin.upper" by random_groups {
        {"issuance": {"initialize_card": true, "random_user_pin": {"digits": false, "upper": true}}} => "upper",
        {"issuance": {"initialize_card": true, "random_user_pin": {"digits": true, "upper": false}}} => "digits"
    }
    random_lower: "issuance.random_user_pin.lower" by random_groups {
        {"issuance": {"initialize_card": true, "random_user_pin": {"digits": false, "lower": true}}} => "lower",
        {"issuance": {"initialize_card": true, "random_user_pin": {"digits": true, "lower": false}}} => "digits"
    }
    random_special: "issuance.random_user_pin.special" by random_groups {
        {"issuance": {"initialize_card": true, "random_user_pin": {"digits": false, "special": true}}} => "special",
        {"issuance": {"initialize_card": true, "random_user_pin": {"digits": true, "special": false}}} => "digits"
    }
    random_forbidden: "issuance.random_user_pin.forbidden" by random_characters {
        {"issuance": {"initialize_card": true, "random_user_pin": {"length": 5, "forbidden": "01234"}}} => "56789",
        {"issuance": {"initialize_card": true, "random_user_pin": {"length": 5, "forbidden": "56789"}}} => "01234"
    }
    pin_tries: "issuance.pin_tries" by entries_of_the_issued {
        {"issuance": {"initialize_card": true, "pin_tries": 5}} => "5 entries",
        {"issuance": {"initialize_card": true, "pin_tries": null}} => "3 entries"
    }

    unblock_card_offline: "workflow.unblock_card_offline" by response_to_an_operator {
        {"workflow": {"validate_answers": false, "unblock_card_offline": true}} => "unlocked",
        {"workflow": {"validate_answers": false, "unblock_card_offline": false}} => "DISABLED_BY_POLICY"
    }
    validate_answers: "workflow.validate_answers" by response_to_an_operator {
        {"workflow": {"validate_answers": true}} => "ANSWERS_FIRST",
        {"workflow": {"validate_answers": false}} => "unlocked"
    }
    reset_user_pin: "workflow.reset_user_pin" by reset_pin {
        {"workflow": {"reset_user_pin": true}} => "the PIN of its type",
        {"workflow": {"reset_user_pin": false}} => "DISABLED_BY_POLICY, and blocked"
    }
    allow_self_unlock: "workflow.allow_self_unlock" by response_for_the_operators_own_card {
        {"workflow": {"validate_answers": false, "allow_self_unlock": true}} => "unlocked",
        {"workflow": {"validate_answers": false, "allow_self_unlock": false}} => "SELF_SERVICE_ONLY"
    }
    set_answers: "workflow.set_answers" by answers_of_her_own {
        {"workflow": {"set_answers": true}} => "online",
        {"workflow": {"set_answers": false}} => "offline"
    }
    unlock_in_remote: "workflow.unlock_in_remote" by response_in_remote {
        {"workflow": {"unlock_in_remote": true}} => "unlocked",
        {"workflow": {"unlock_in_remote": false}} => "DISABLED_BY_POLICY"
    }
    disable_card: "workflow.disable_card" by disabled_by_her {
        {"workflow": {"disable_card": true}} => "Disabled, and not unlocked",
        {"workflow": {"disable_card": false}} => "Issued, and unlocked"
    }
    enable_card: "workflow.enable_card" by enabled_by_her {
        {"workflow": {"enable_card": true}} => "Issued, and unlocked",
        {"workflow": {"enable_card": false}} => "Disabled, and not unlocked"
    }
    revoke_card: "workflow.revoke_card" by revoked_by_her {
        {"workflow": {"revoke_card": true}} => "Revoked, and not unlocked",
        {"workflow": {"revoke_card": false}} => "Issued, and unlocked"
    }
    change_pin: "workflow.change_pin" by pin_changed_by_her {
        {"workflow": {"change_pin": true}} => "her new PIN",
        {"workflow": {"change_pin": false}} => "the PIN of its type"
    }

    questions_to_ask: "authentication.questions_to_ask" by questions_of_the_lock_screen {
        {"authentication": {"questions_to_ask": 1}} => "1",
        {"authentication": {"questions_to_ask": 3}} => "3"
    }
    maximum_retry_count: "authentication.maximum_retry_count" by wrong_answers_until_the_lock {
        {"authentication": {"maximum_retry_count": 2}} => "2",
        {"authentication": {"maximum_retry_count": 4}} => "4"
    }
    count_operator_answers: "authentication.count_operator_answers" by wrong_answers_of_an_operator {
        {"authentication": {"count_operator_answers": true}} => "the user is locked",
        {"authentication": {"count_operator_answers": false}} => "the user is not locked"
    }
    own_questions: "authentication.own_questions" by questions_of_the_operator {
        {"authentication": {"own_questions": 0}} => "1 question",
        {"authentication": {"own_questions": 1}} => "2 questions",
        {"authentication": {"own_questions": 2}} => "3 questions"
    }
    own_question_length: "authentication.own_question_length" by questions_of_the_operator {
        {"authentication": {"own_questions": 2, "own_question_length": 14}} => "3 questions",
        {"authentication": {"own_questions": 2, "own_question_length": 15}} => "2 questions"
    }
    own_answer_length: "authentication.own_answer_length" by questions_of_the_operator {
        {"authentication": {"own_questions": 2, "own_answer_length": 5}} => "3 questions",
        {"authentication": {"own_questions": 2, "own_answer_length": 6}} => "2 questions"
    }
    captcha: "authentication.captcha" by name_at_remote {
        {"authentication": {"captcha": true}} => "questions after the letters",
        {"authentication": {"captcha": false}} => "questions"
    }
}

#[test]
fn every_setting_is_shown() {
    let mut all = Policy::default();
    all.issuance.random_user_pin = Some(RandomPin::default());
    let mut settings = BTreeSet::from(["issuance.random_user_pin".to_owned()]);
    leaves("", &serde_json::to_value(all).unwrap(), &mut settings);
    let rows: BTreeSet<String> = ROWS.iter().map(|field| (*field).to_owned()).collect();
    assert_eq!(rows, settings, "each setting has a row of this file, and each row is a setting");
    assert_eq!(rows.len(), ROWS.len(), "each has one");
}

fn leaves(path: &str, value: &Value, into: &mut BTreeSet<String>) {
    let Value::Object(fields) = value else {
        into.insert(path.to_owned());
        return;
    };
    for (name, value) in fields {
        leaves(&if path.is_empty() { name.clone() } else { format!("{path}.{name}") }, value, into);
    }
}

/// Under each of a row's settings that is seen which the row says; they differ in the setting, and in what is seen.
fn hold((field, shows, cases): &Row, database: impl Fn() -> String) {
    let value = |settings: &Value| {
        // As the server reads them: what is left out has its default.
        let whole = serde_json::to_value(serde_json::from_value::<Policy>(settings.clone()).unwrap()).unwrap();
        whole.pointer(&format!("/{}", field.replace('.', "/"))).cloned().unwrap_or_default()
    };
    for (number, (settings, seen)) in cases.iter().enumerate() {
        for (other, seen_then) in &cases[number + 1..] {
            assert!(value(settings) != value(other) && seen != seen_then, "{field}: these two cases show nothing");
        }
        let place = Place::under(settings, &database());
        assert_eq!(shows(&place), *seen, "{settings}");
    }
    assert!(cases.len() > 1, "{field}: one case shows nothing");
}

const READER: &str = "Desk 00 00";
const CARD: &str = "A0F1E2D3C4B5A69788796A5B4C3D2E1F";
/// The PIN of the card's type.
const TYPES_PIN: &[u8] = b"123456";
const ANNA: (&str, &str) = ("LAB\\anna", "anna-password");

/// A reader with a card that is Anna's and not issued, and a server under these settings.
struct Place {
    desk: Desk,
}

impl Place {
    fn under(settings: &Value, db: &str) -> Self {
        let lab = Lab::new("gids");
        let readers = Up::start(&lab, &["--card", &format!("gids,name=Desk,card-id={CARD}")]);
        let desk = Desk::over(lab, readers, db);
        let policies = desk.http.get("/api/v1/policies", &desk.admin);
        desk.http.put(&format!("/api/v1/policies/{}", policies[0]["id"].as_str().unwrap()), &desk.admin, settings);
        desk.add(CARD, ZEROS);
        Self { desk }
    }

    fn issue(&self) -> Value {
        self.desk.ok(&format!("/cards/{CARD}/issue"), &json!({}))
    }

    /// Issued, and blocked by wrong PINs.
    fn locked(&self) {
        self.issue();
        self.desk.card(READER, |card| lock::bring_to(card, Secret::Pin, 0).unwrap());
    }

    fn answered(&self) {
        self.desk.http.set_answers(ANNA.0, ANNA.1);
    }

    fn card<T>(&self, speak: impl FnOnce(&mut Minidriver<'_>) -> T) -> T {
        self.desk.card(READER, speak)
    }

    /// Whether the card takes this PIN, or none.
    fn pin(&self, pin: &[u8]) -> Result<(), CardError> {
        self.card(|card| card.card_authenticate_pin(pin))
    }

    /// What a way to a response comes to: the card is unlocked by it, or it is refused with this code.
    fn unlocked(&self, respond: impl FnOnce(&str) -> (u16, Value)) -> String {
        self.card(|card| {
            let (status, answer) = respond(&hex::encode(card.card_get_challenge().unwrap()));
            if status != 200 {
                assert!(matches!(card.card_authenticate_pin(TYPES_PIN), Err(CardError::Blocked(Secret::Pin))));
                return answer["error"].as_str().unwrap().to_owned();
            }
            let response = hex::decode(answer["response"].as_str().unwrap()).unwrap();
            card.card_unblock_pin(Authenticator::Response(&response), b"97531").unwrap();
            card.card_authenticate_pin(b"97531").unwrap();
            "unlocked".to_owned()
        })
    }

    /// An operator's way, straight to the challenge.
    fn unlocked_by(&self, operator: &str) -> String {
        let (status, wizard) = self.desk.http.post(&format!("/api/v1/cards/{CARD}/wizard"), operator, &json!({}));
        if status != 200 {
            return self.unlocked(|_| (status, wizard));
        }
        let path = format!("/api/v1/unlock/{}/challenge", wizard["wizard"].as_str().unwrap());
        self.unlocked(|challenge| self.desk.http.post(&path, operator, &json!({"challenge": challenge})))
    }

    /// A session of Remote Self-Service that is answered: its address.
    fn remote(&self) -> String {
        let (status, session) = self.desk.http.post("/api/v1/remote", "", &json!({"name": ANNA.0}));
        assert_eq!(status, 200, "{session}");
        let path = format!("/api/v1/remote/{}", session["session"].as_str().unwrap());
        let answers = answers(&session["questions"], right);
        assert_eq!(self.desk.http.post(&format!("{path}/answers"), "", &answers), (200, json!({"ok": true})));
        path
    }

    /// What she does with her card, what its state is then, and whether it is unlocked for her.
    fn operated(&self, operation: &str) -> String {
        let path = self.remote();
        let (status, _) = self.desk.http.post(
            &format!("{path}/operations"),
            "",
            &json!({"card": CARD, "operation": operation, "reason": "lost"}),
        );
        assert!(status == 200 || status == 403, "{status}");
        let state = self.desk.http.get(&format!("/api/v1/cards/{CARD}"), &self.desk.admin)["state"].clone();
        let way = self.unlocked(|challenge| {
            self.desk.http.post(&format!("{path}/challenge"), "", &json!({"card": CARD, "challenge": challenge}))
        });
        let way = if way == "CARD_STATE" { "not unlocked" } else { &way };
        format!("{}, and {way}", state.as_str().unwrap())
    }

    fn anna(&self) -> Value {
        self.desk.http.get("/api/v1/users?q=anna", &self.desk.admin)[0].clone()
    }
}

fn answers(questions: &Value, answer: impl Fn(&str) -> String) -> Value {
    let answer = |q: &Value| json!({"question": q["id"], "text": answer(q["text"].as_str().unwrap())});
    json!({"answers": questions.as_array().unwrap().iter().map(answer).collect::<Vec<_>>()})
}

fn second_card(place: &Place) -> String {
    let other = "B0F1E2D3C4B5A69788796A5B4C3D2E1F";
    place.desk.ok("/cards", &json!({"serial": other, "card_type": "gids-sim", "admin_key": ZEROS}));
    match place.desk.post(&format!("/cards/{other}/assign"), &json!({"user": ANNA.0})) {
        (200, _) => "the second card is hers".into(),
        (409, _) => "the second card is refused".into(),
        (status, body) => panic!("{status} {body}"),
    }
}

fn issued_without_a_tag(place: &Place) -> String {
    let path = format!("/cards/{CARD}/issue");
    match place.desk.post(&path, &json!({})) {
        (200, card) => format!("{} without a tag", card["state"].as_str().unwrap()),
        (409, _) => {
            let card = place.desk.http.get(&format!("/api/v1/cards/{CARD}"), &place.desk.admin);
            place.desk.ok(&format!("/cards/{CARD}/tags"), &json!({"add": ["desk 4"]}));
            assert_eq!(place.desk.ok(&path, &json!({}))["state"], "Issued");
            format!("{} until it has a tag", card["state"].as_str().unwrap())
        }
        (status, body) => panic!("{status} {body}"),
    }
}

fn key_of_the_issued(place: &Place) -> String {
    place.issue();
    place.card(|card| {
        let challenge = card.card_get_challenge().unwrap();
        let makers = AdminKey::new(Cipher::Tdes, &[0; 24]).unwrap().respond(&challenge).unwrap();
        let is = if card.card_authenticate_challenge(&makers).is_ok() { "its maker's key" } else { "a key of its own" };
        format!("the card has {is}")
    })
}

fn pin_of_the_issued(place: &Place) -> String {
    let issued = place.issue();
    match place.pin(TYPES_PIN) {
        Ok(()) => "the PIN of its type".into(),
        Err(CardError::Blocked(Secret::Pin)) => "blocked".into(),
        Err(_) => {
            place.pin(issued["userPin"].as_str().unwrap().as_bytes()).unwrap();
            "a PIN that nobody chose".into()
        }
    }
}

/// The random PIN of the issued card, which takes it.
fn random_pin(place: &Place) -> String {
    let pin = place.issue()["userPin"].as_str().unwrap().to_owned();
    place.pin(pin.as_bytes()).unwrap();
    pin
}

fn random_length_of(place: &Place) -> String {
    random_pin(place).len().to_string()
}

fn random_groups(place: &Place) -> String {
    let group = |c: char| match c {
        '0'..='9' => "digits",
        'A'..='Z' => "upper",
        'a'..='z' => "lower",
        _ => "special",
    };
    let groups: BTreeSet<&str> = random_pin(place).chars().map(group).collect();
    groups.into_iter().collect::<Vec<_>>().join(" ")
}

fn random_characters(place: &Place) -> String {
    random_pin(place).chars().collect::<BTreeSet<char>>().into_iter().collect()
}

fn entries_of_the_issued(place: &Place) -> String {
    place.issue();
    let pin = place.card(|card| card.card_pin_status().unwrap().pin.unwrap());
    assert_eq!(pin.maximum, Some(pin.left));
    format!("{} entries", pin.left)
}

fn response_to_an_operator(place: &Place) -> String {
    place.answered();
    place.locked();
    place.unlocked_by(&place.desk.http.log_in("oleg", "oleg-password"))
}

fn response_for_the_operators_own_card(place: &Place) -> String {
    place.locked();
    let staff = place.desk.http.get("/api/v1/staff", &place.desk.admin);
    let role = staff["roles"].as_array().unwrap().iter().find(|role| role["name"] == "Operator").unwrap()["id"].clone();
    let new = json!({"name": "anna-op", "password": "long enough", "role": role, "user": place.anna()["id"]});
    place.desk.ok("/operators", &new);
    place.unlocked_by(&place.desk.http.log_in("anna-op", "long enough"))
}

fn reset_pin(place: &Place) -> String {
    place.locked();
    match place.desk.post(&format!("/cards/{CARD}/reset-pin"), &json!({})) {
        (200, _) => {
            place.pin(TYPES_PIN).unwrap();
            "the PIN of its type".into()
        }
        (_, refused) => {
            assert!(matches!(place.pin(TYPES_PIN), Err(CardError::Blocked(Secret::Pin))));
            format!("{}, and blocked", refused["error"].as_str().unwrap())
        }
    }
}

fn answers_of_her_own(place: &Place) -> String {
    place.issue();
    let http = &place.desk.http;
    let policy = http.get("/api/v1/policies", &place.desk.admin)[0]["id"].as_str().unwrap().to_owned();
    let questions = http.get(&format!("/api/v1/policies/{policy}/questions"), &place.desk.admin);
    let (cookie, csrf) = http.own(ANNA.0, ANNA.1);
    let mut fields = vec![("csrf".to_owned(), csrf)];
    for question in questions.as_array().unwrap() {
        let (id, text) = (question["id"].as_str().unwrap(), right(question["text"].as_str().unwrap()));
        fields.extend(["answer", "again"].map(|field| (format!("{field}:{id}"), text.clone())));
    }
    http.form("/ss/answers", &cookie, &fields);
    http.post("/credprovapi/v1/sessions", "", &json!({"serial": CARD})).1["mode"].as_str().unwrap().to_owned()
}

fn response_in_remote(place: &Place) -> String {
    place.answered();
    place.locked();
    let path = place.remote();
    let body = |challenge: &str| json!({"card": CARD, "challenge": challenge});
    place.unlocked(|challenge| place.desk.http.post(&format!("{path}/challenge"), "", &body(challenge)))
}

fn disabled_by_her(place: &Place) -> String {
    place.answered();
    place.locked();
    place.operated("disable")
}

fn enabled_by_her(place: &Place) -> String {
    place.answered();
    place.locked();
    place.desk.ok(&format!("/cards/{CARD}/disable"), &json!({}));
    place.operated("enable")
}

fn revoked_by_her(place: &Place) -> String {
    place.answered();
    place.locked();
    place.operated("revoke")
}

fn pin_changed_by_her(place: &Place) -> String {
    place.issue();
    let (cookie, csrf) = place.desk.http.own(ANNA.0, ANNA.1);
    let new = "86420";
    let old = std::str::from_utf8(TYPES_PIN).unwrap();
    let fields = [("csrf", csrf.as_str()), ("card", CARD), ("old_pin", old), ("new_pin", new), ("again_pin", new)];
    let fields = fields.map(|(name, text)| (name.to_owned(), text.to_owned()));
    assert_eq!(place.desk.http.form("/ss/pin", &cookie, &fields).status(), 303);
    match place.pin(new.as_bytes()) {
        Ok(()) => "her new PIN".into(),
        Err(_) => {
            place.pin(TYPES_PIN).unwrap();
            "the PIN of its type".into()
        }
    }
}

/// A session of the lock screen: its address and its questions.
fn lock_screen(place: &Place) -> (String, Value) {
    place.answered();
    place.locked();
    let (_, session) = place.desk.http.post("/credprovapi/v1/sessions", "", &json!({"serial": CARD}));
    let path = format!("/credprovapi/v1/sessions/{}", session["session"].as_str().unwrap());
    (path, session["questions"].clone())
}

fn questions_of_the_lock_screen(place: &Place) -> String {
    let (path, questions) = lock_screen(place);
    let answered = place.desk.http.post(&format!("{path}/answers"), "", &answers(&questions, right));
    assert_eq!(answered, (200, json!({"ok": true})));
    let way = |challenge: &str| place.desk.http.post(&format!("{path}/challenge"), "", &json!({"challenge": challenge}));
    assert_eq!(place.unlocked(way), "unlocked");
    questions.as_array().unwrap().len().to_string()
}

fn wrong_answers_until_the_lock(place: &Place) -> String {
    let (path, questions) = lock_screen(place);
    let wrong = answers(&questions, |_| "wrong".into());
    let locks = (1..=10).find(|_| {
        place.desk.http.post(&format!("{path}/answers"), "", &wrong);
        place.anna()["locked"] == true
    });
    locks.unwrap().to_string()
}

/// How many questions an operator asks her whose card is locked, when she has tried to write two of her own: one is a long one with
/// a long answer, one has 14 characters, and 5 in its answer. Rightly answered, the card is unlocked.
fn questions_of_the_operator(place: &Place) -> String {
    const OWN: [(&str, &str); 2] = [("Whose cat slept in the piano?", "aunt Berta"), ("Which street??", "elm r")];
    place.answered();
    place.locked();
    let http = &place.desk.http;
    let (cookie, csrf) = http.own(ANNA.0, ANNA.1);
    for (text, answer) in OWN {
        let fields = [("csrf", &*csrf), ("own_text", text), ("own_answer", answer), ("own_again", answer)];
        let sent = http.form("/ss/questions", &cookie, &fields.map(|(name, text)| (name.to_owned(), text.to_owned())));
        assert!(matches!(sent.status().as_u16(), 303 | 400 | 403 | 409), "{}", sent.status());
    }
    let oleg = http.log_in("oleg", "oleg-password");
    let (status, wizard) = http.post(&format!("/api/v1/cards/{CARD}/wizard"), &oleg, &json!({}));
    assert_eq!(status, 200, "{wizard}");
    let path = format!("/api/v1/unlock/{}", wizard["wizard"].as_str().unwrap());
    let hers =
        |question: &str| OWN.iter().find(|(text, _)| *text == question).map_or_else(|| right(question), |own| own.1.into());
    let (_, checked) = http.post(&format!("{path}/answers"), &oleg, &answers(&wizard["questions"], hers));
    assert_eq!(checked["ok"], true, "{checked}");
    let way = place.unlocked(|challenge| http.post(&format!("{path}/challenge"), &oleg, &json!({"challenge": challenge})));
    assert_eq!(way, "unlocked");
    let count = wizard["questions"].as_array().unwrap().len();
    format!("{count} question{}", if count == 1 { "" } else { "s" })
}

fn wrong_answers_of_an_operator(place: &Place) -> String {
    place.answered();
    place.locked();
    let oleg = place.desk.http.log_in("oleg", "oleg-password");
    let (_, wizard) = place.desk.http.post(&format!("/api/v1/cards/{CARD}/wizard"), &oleg, &json!({}));
    let path = format!("/api/v1/unlock/{}/answers", wizard["wizard"].as_str().unwrap());
    for _ in 0..3 {
        let (status, told) = place.desk.http.post(&path, &oleg, &answers(&wizard["questions"], |_| "wrong".into()));
        assert_eq!((status, &told["ok"]), (200, &json!(false)));
    }
    format!("the user is {}", if place.anna()["locked"] == true { "locked" } else { "not locked" })
}

fn name_at_remote(place: &Place) -> String {
    place.answered();
    place.issue();
    let http = &place.desk.http;
    let (status, without) = http.post("/api/v1/remote", "", &json!({"name": ANNA.0}));
    if status == 200 {
        assert!(!without["questions"].as_array().unwrap().is_empty());
        return "questions".into();
    }
    assert_eq!(without["error"], "CAPTCHA");
    // The letters as who has the master key reads them.
    let token = http.get("/api/v1/remote/captcha", "")["token"].as_str().unwrap().to_owned();
    let vault = Vault::new(&hex::decode(place.desk.read("cardlab-cms.key").trim()).unwrap()).unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    let letters = Letters::of(&vault, &token, now.try_into().unwrap()).unwrap();
    let typed = json!({"name": ANNA.0, "captcha": {"token": token, "letters": letters.as_str()}});
    let (status, session) = http.post("/api/v1/remote", "", &typed);
    assert!(status == 200 && !session["questions"].as_array().unwrap().is_empty(), "{session}");
    "questions after the letters".into()
}
