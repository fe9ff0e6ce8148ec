//! Issuing over HTTP with a station that says what it is told to: what the server keeps of it, on both
//! engines. Real cards are in the workspace's `tests/issue.rs`.

use crate::common::browser::Browser;
use crate::common::{self, ANNA, Engine, MASTER, SPARE, Site};
use cardlab_protocol::admin_key::{AdminKey, Cipher};
use cardlab_server_stub::model::keys::{CardIdentity, MasterKey};
use cardlab_server_stub::model::station::{Connected, NewPin, Order, Station, StationError, Written};
use cardlab_server_stub::service::setup::sample;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

on_both_engines! {
    a_new_key_comes_in_two_phases,
    a_key_that_the_server_is_told_is_tried_at_the_card,
    a_key_is_corrected,
    a_card_that_was_never_issued_is_deleted,
    a_limit_holds_where_nothing_is_written,
    a_connected_card_says_whose_it_is,
    a_new_card_is_asked_for_its_makers_key,
    who_may_write_to_cards,
}

/// Check values of the keys that the card may have and of the new one; the PIN.
pub(crate) type Ordered = (Vec<[u8; 3]>, Option<[u8; 3]>, Option<String>);

/// A card that is as its maker made it, and its key.
const MAKERS: &str = "D0F1E2D3C4B5A69788796A5B4C3D2E1F";
const MAKERS_KEY: &str = "010203040506070801020304050607080102030405060708";

/// Remembers orders, and answers the next one with this.
#[derive(Default)]
pub(crate) struct RecordingStation {
    answers: Mutex<Vec<Result<(), StationError>>>,
    orders: Mutex<Vec<Ordered>>,
    /// Another program holds the cards of these readers.
    held: Mutex<Vec<String>>,
    /// PIN entries that the last order wanted.
    tries: Mutex<Option<u8>>,
    /// A card of the maker's lies in a reader, too.
    has_makers: bool,
}

impl RecordingStation {
    /// The orders since this was asked last.
    pub(crate) fn ordered(&self) -> Vec<Ordered> {
        std::mem::take(&mut *self.orders.lock().unwrap())
    }

    pub(crate) fn will_say(&self, message: &str) {
        self.answers.lock().unwrap().push(Err(StationError::before(message)));
    }
}

impl Station for RecordingStation {
    fn connected(&self) -> Result<Vec<Connected>, StationError> {
        let card = |serial: &str| Connected {
            reader: "R".into(),
            serial: serial.into(),
            kind: "GIDS card".into(),
            maker_key: (serial == MAKERS).then(|| MAKERS_KEY.into()),
            atr: String::new(),
            is_held: false,
            held_by: None,
            pin_left: Some(2),
            pin_tries: Some(3),
        };
        let held = self.held.lock().unwrap().clone();
        let held = held.into_iter().map(|reader| Connected { reader, is_held: true, ..card("") });
        let makers = self.has_makers.then(|| card(MAKERS));
        Ok([card(ANNA), card(SPARE)].into_iter().chain(makers).chain(held).collect())
    }

    fn write(&self, order: &Order) -> Result<Written, StationError> {
        let pin = match &order.pin {
            NewPin::Known(pin) => Some(pin.to_string()),
            NewPin::Changed { old, new } => Some(format!("{} for {}", **new, **old)),
            NewPin::Blocked | NewPin::Unchanged => None,
        };
        *self.tries.lock().unwrap() = order.pin_tries;
        let keys = order.keys.iter().map(|key| key.check_value()).collect();
        self.orders.lock().unwrap().push((keys, order.new_key.as_ref().map(|key| key.check_value()), pin));
        self.answers.lock().unwrap().pop().unwrap_or(Ok(())).map(|()| Written { pin_tries: order.pin_tries, puk: None })
    }
}

/// The check value of a spare card's derived key.
fn derived(version: u32) -> [u8; 3] {
    let serial = hex::decode(SPARE).unwrap();
    let identity = CardIdentity { card_type: "gids-sim", serial: &serial, key_version: version };
    MasterKey::new(&MASTER).unwrap().derive(Cipher::Tdes, identity).check_value()
}

fn site(engine: Engine) -> (Site, Arc<RecordingStation>, String) {
    let station = Arc::new(RecordingStation::default());
    let given = Arc::clone(&station);
    let site = Site::with(engine, |server| server.with_station(given));
    let admin = site.administrator();
    site.post("/api/v1/cards", &admin, &json!({"serial": SPARE, "card_type": "gids-sim"})).ok();
    station.ordered();
    site.policy("issuance", "maximum_cards", json!(5));
    site.post(&format!("/api/v1/cards/{SPARE}/assign"), &admin, &json!({"user": "lab\\anna"})).ok();
    (site, station, admin)
}

fn issue(site: &Site, token: &str) -> common::Answer {
    site.post(&format!("/api/v1/cards/{SPARE}/issue"), token, &json!({}))
}

fn state(site: &Site, token: &str) -> Value {
    site.get(&format!("/api/v1/cards/{SPARE}"), token).ok()["state"].clone()
}

fn failed(key_may_be_new: bool) -> Result<(), StationError> {
    Err(StationError { message: "the card was pulled out".into(), key_may_be_new })
}

fn a_new_key_comes_in_two_phases(engine: Engine) {
    let (site, station, admin) = site(engine);
    site.policy("issuance", "initialize_card", json!(true));
    // Nothing was written: as before.
    station.answers.lock().unwrap().push(failed(false));
    assert_eq!(issue(&site, &admin).refused(409, "CARD_REFUSED"), "the card was pulled out");
    assert_eq!(state(&site, &admin), "Assigned");
    // Cut off in the middle: the next attempt has both keys, and makes no third.
    station.answers.lock().unwrap().push(failed(true));
    issue(&site, &admin).refused(409, "CARD_REFUSED");
    assert_eq!(state(&site, &admin), "Pending");
    let issued = issue(&site, &admin).ok();
    assert_eq!((&issued["state"], &issued["userPin"], &issued["locked"]), (&json!("Issued"), &json!("123456"), &json!(false)));
    let pin = Some("123456".to_owned());
    assert_eq!(
        *station.orders.lock().unwrap(),
        [
            (vec![derived(1)], Some(derived(2)), pin.clone()),
            (vec![derived(1)], Some(derived(2)), pin.clone()),
            (vec![derived(1), derived(2)], Some(derived(2)), pin),
        ]
    );
    let names = site.events(&format!("card={SPARE}"));
    assert_eq!(
        names[names.len() - 4..],
        ["CARD_NOT_INITIALIZED", "CARD_NOT_INITIALIZED", "CARD_INITIALIZED", "CARD_STATE_CHANGED"]
    );
    let events = site.get(&format!("/api/v1/events?card={SPARE}"), &admin).ok().to_string();
    assert!(!events.contains("123456"), "no PIN in the log: {events}");
}

/// A key of somebody's, and its check value.
fn given_key() -> (String, [u8; 3]) {
    let key = "0123456789ABCDEF".repeat(3);
    let check = AdminKey::new(Cipher::Tdes, &hex::decode(&key).unwrap()).unwrap().check_value();
    (key, check)
}

/// The last event of this name about the spare card: its detail.
fn detail(site: &Site, name: &str) -> Value {
    let events = site.get(&format!("/api/v1/events?card={SPARE}&name={name}"), &site.administrator()).ok();
    let last = events.as_array().unwrap().last().unwrap_or_else(|| panic!("no {name}"));
    serde_json::from_str(last["detail"].as_str().unwrap()).unwrap()
}

fn a_key_that_the_server_is_told_is_tried_at_the_card(engine: Engine) {
    let station = Arc::new(RecordingStation::default());
    let given = Arc::clone(&station);
    let site = Site::with(engine, |server| server.with_station(given));
    let (admin, (key, check)) = (site.administrator(), given_key());
    let add = |serial: &str, key: Value, none: bool| {
        let card = json!({"serial": serial, "card_type": "gids-sim", "admin_key": key, "no_admin_key": none});
        site.post("/api/v1/cards", &admin, &card)
    };
    // Another key than the card's: the card is not added, and the log says in the card's words why.
    station.will_say("another key; 3 tries left");
    assert_eq!(add(SPARE, json!(key), false).refused(409, "CARD_REFUSED"), "another key; 3 tries left");
    site.get(&format!("/api/v1/cards/{SPARE}"), &admin).refused(404, "NOT_FOUND");
    assert_eq!(detail(&site, "CARD_NOT_ADDED"), json!({"reason": "another key; 3 tries left"}));
    assert_eq!(station.ordered(), [(vec![check], None, None)], "it is asked, and nothing is written to it");
    // What is refused for another reason costs no try.
    site.post("/api/v1/cards", &site.operator(), &json!({"serial": SPARE, "card_type": "gids-sim"})).refused(403, "NO_PRIVILEGE");
    add(SPARE, json!("0123"), false).refused(400, "MALFORMED");
    add(ANNA, Value::Null, false).refused(409, "CONFLICT");
    assert_eq!(station.ordered(), []);
    // A card that is elsewhere, and one whose key nobody knows, are not asked.
    let away = "D0F1E2D3C4B5A69788796A5B4C3D2E1F";
    assert_eq!(add(away, json!(key), false).ok()["keyTried"], false);
    assert_eq!(add(SPARE, Value::Null, true).ok()["keyTried"], false);
    assert_eq!(station.ordered(), []);
    // A card that another program holds may be the one: that is no card that is elsewhere, and is said.
    *station.held.lock().unwrap() = vec!["Held".into()];
    let card = json!({"serial": "E0F1E2D3C4B5A69788796A5B4C3D2E1F", "card_type": "gids-sim"});
    let untold = site.post("/api/v1/cards", &admin, &card).ok();
    assert_eq!((&untold["keyTried"], &untold["heldIn"]), (&json!(false), &json!(["Held"])), "{engine:?}");
    let correct = format!("/api/v1/cards/{}/correct-key", card["serial"].as_str().unwrap());
    assert_eq!(site.post(&correct, &admin, &json!({"admin_key": key})).ok()["heldIn"], json!(["Held"]));
    assert_eq!(site.post(&correct, &admin, &json!({"no_admin_key": true})).ok()["heldIn"], json!([]), "nothing was to be asked");
    site.delete(&format!("/api/v1/cards/{SPARE}"), &admin).ok();
    // Nor is one that is to be added as it is, whatever it would have said.
    station.will_say("one try left");
    let as_it_is = json!({"serial": SPARE, "card_type": "gids-sim", "admin_key": key, "untried": true});
    assert_eq!(site.post("/api/v1/cards", &admin, &as_it_is).ok()["keyTried"], false);
    assert_eq!(station.ordered(), []);
    site.delete(&format!("/api/v1/cards/{SPARE}"), &admin).ok();
    station.answers.lock().unwrap().clear();
    let spaced = format!(" {} {}", &key[..10], &key[10..]);
    let added = add(SPARE, json!(spaced), false).ok();
    assert_eq!((&added["keyTried"], &added["adminKeyKnown"], &added["state"]), (&json!(true), &json!(true), &json!("Clean")));
    assert_eq!(station.ordered(), [(vec![check], None, None)]);
    let events = site.get("/api/v1/events", &admin).ok().to_string();
    assert!(!events.contains(&key), "no key in the log");
}

fn a_key_is_corrected(engine: Engine) {
    let (site, station, admin) = site(engine);
    let (key, check) = given_key();
    let path = format!("/api/v1/cards/{SPARE}/correct-key");
    let correct = |token: &str, body: Value| site.post(&path, token, &body);
    correct(&site.operator(), json!({"admin_key": key})).refused(403, "NO_PRIVILEGE");
    correct(&admin, json!({"admin_key": "no key"})).refused(400, "MALFORMED");
    correct(&admin, json!({"admin_key": key, "no_admin_key": true})).refused(400, "MALFORMED");
    assert_eq!(station.ordered(), [], "none of these has cost a try");
    station.will_say("one try left");
    assert_eq!(correct(&admin, json!({"admin_key": key})).refused(409, "CARD_REFUSED"), "one try left");
    assert_eq!(detail(&site, "ADMIN_KEY_NOT_CORRECTED"), json!({"reason": "one try left"}));
    station.ordered();
    // What was refused has changed nothing: the card is issued with the key that was known before.
    site.policy("issuance", "initialize_card", json!(true));
    station.answers.lock().unwrap().push(failed(true));
    issue(&site, &admin).refused(409, "CARD_REFUSED");
    assert_eq!(station.ordered()[0].0, [derived(1)]);
    // The card may have a new key since: a corrected one takes its place, one that is derived leaves the question open.
    assert_eq!(correct(&admin, json!({})).ok()["keyTried"], true);
    station.answers.lock().unwrap().push(failed(true));
    issue(&site, &admin).refused(409, "CARD_REFUSED");
    assert_eq!(station.ordered()[1].0, [derived(1), derived(2)]);
    let corrected = correct(&admin, json!({"admin_key": key})).ok();
    assert_eq!((&corrected["keyTried"], &corrected["adminKeyKnown"]), (&json!(true), &json!(true)));
    assert_eq!(detail(&site, "ADMIN_KEY_CORRECTED"), json!({"from": "derived", "to": "sealed", "tried": true}));
    issue(&site, &admin).ok();
    assert_eq!(
        station.ordered(),
        [(vec![check], None, None), (vec![check], Some(derived(2)), Some("123456".into()))],
        "asked, then issued with that key"
    );
    // A server without readers takes it as it is told; a card whose key nobody knows cannot be unlocked.
    let other = site.second();
    assert_eq!(other.post(&path, &admin, &json!({"admin_key": key})).ok()["keyTried"], false);
    let unknown = correct(&admin, json!({"no_admin_key": true})).ok();
    assert_eq!((&unknown["keyTried"], &unknown["adminKeyKnown"]), (&json!(false), &json!(false)));
    site.post(&format!("/api/v1/cards/{SPARE}/roll-key"), &admin, &json!({})).refused(409, "NO_ADMIN_KEY");
    let events = site.get("/api/v1/events", &admin).ok().to_string();
    assert!(!events.contains(&key), "no key in the log");
}

fn a_card_that_was_never_issued_is_deleted(engine: Engine) {
    let (site, station, admin) = site(engine);
    let path = format!("/api/v1/cards/{SPARE}");
    let add = || site.post("/api/v1/cards", &admin, &json!({"serial": SPARE, "card_type": "gids-sim"})).ok();
    let operate = |name: &str| {
        let detail = json!({"user": "lab\\anna", "reason": "lost"});
        site.post(&format!("{path}/{name}"), &admin, &detail).ok()
    };
    // Somebody's, but not issued.
    site.delete(&path, &site.operator()).refused(403, "NO_PRIVILEGE");
    site.delete(&path, &admin).ok();
    site.get(&path, &admin).refused(404, "NOT_FOUND");
    site.delete(&path, &admin).refused(404, "NOT_FOUND");
    assert_eq!(site.get("/api/v1/cards?q=C0F1", &admin).ok(), json!([]));
    let names = site.events(&format!("card={SPARE}"));
    assert_eq!(names[names.len() - 3..], ["CARD_NOT_REMOVED", "CARD_REMOVED", "CARD_NOT_REMOVED"]);
    // It can come back, and goes no more once it was issued, whatever becomes of it.
    add();
    operate("assign");
    operate("issue");
    for then in ["revoke", "withdraw"] {
        assert!(site.delete(&path, &admin).refused(409, "CARD_STATE").contains("was issued"));
        operate(then);
    }
    assert_eq!(state(&site, &admin), "Clean");
    site.delete(&path, &admin).refused(409, "CARD_STATE");
    site.delete(&format!("/api/v1/cards/{ANNA}"), &admin).refused(409, "CARD_STATE");
    // One that was cut off while it was issued has a key that nobody else can give again.
    let away = "D0F1E2D3C4B5A69788796A5B4C3D2E1F";
    site.post("/api/v1/cards", &admin, &json!({"serial": away, "card_type": "gids-sim"})).ok();
    site.post(&format!("/api/v1/cards/{away}/assign"), &admin, &json!({"user": "lab\\anna"})).ok();
    site.policy("issuance", "initialize_card", json!(true));
    station.answers.lock().unwrap().push(failed(true));
    site.post(&format!("/api/v1/cards/{away}/issue"), &admin, &json!({})).refused(409, "CARD_REFUSED");
    for then in ["revoke", "withdraw"] {
        site.post(&format!("/api/v1/cards/{away}/{then}"), &admin, &json!({"reason": "lost"})).ok();
    }
    site.delete(&format!("/api/v1/cards/{away}"), &admin).refused(409, "CARD_STATE");
}

/// A card of three tries is not issued under a policy of five because nothing is written to it.
fn a_limit_holds_where_nothing_is_written(engine: Engine) {
    let (site, station, admin) = site(engine);
    site.policy("issuance", "pin_tries", json!(5));
    station.will_say("the card allows 3 PIN entries");
    assert_eq!(issue(&site, &admin).refused(409, "CARD_REFUSED"), "the card allows 3 PIN entries");
    assert_eq!(state(&site, &admin), "Assigned");
    assert_eq!(detail(&site, "CARD_STATE_NOT_CHANGED"), json!({"reason": "the card allows 3 PIN entries"}));
    // A server that cannot look at the card issues none.
    assert!(site.second().post(&format!("/api/v1/cards/{SPARE}/issue"), &admin, &json!({})).status == 409);
    assert_eq!(state(&site, &admin), "Assigned");
    station.ordered();
    issue(&site, &admin).ok();
    assert_eq!(*station.tries.lock().unwrap(), Some(5));
    assert_eq!(station.ordered(), [(vec![], None, None)], "it is looked at, and no key is tried");
    assert_eq!(state(&site, &admin), "Issued");
}

#[test]
fn a_card_revoked_meanwhile_stays_so_and_keeps_its_key() {
    struct Revoking(Mutex<Option<Arc<Site>>>);
    impl Station for Revoking {
        fn connected(&self) -> Result<Vec<Connected>, StationError> {
            Ok(Vec::new())
        }
        fn write(&self, _: &Order) -> Result<Written, StationError> {
            let site = self.0.lock().unwrap().take().unwrap();
            site.post(&format!("/api/v1/cards/{SPARE}/revoke"), &site.administrator(), &json!({"reason": "lost"})).ok();
            Ok(Written::default())
        }
    }
    let (first, _, admin) = site(Engine::Sqlite);
    first.policy("issuance", "initialize_card", json!(true));
    let first = Arc::new(first);
    let station = Arc::new(Revoking(Mutex::new(Some(Arc::clone(&first)))));
    let second = first.second_with(|server| server.with_station(station));
    assert_eq!(issue(&second, &admin).ok()["state"], "Revoked");
    assert_eq!(first.events(&format!("card={SPARE}&name=CARD_INITIALIZED")).len(), 1);
}

fn who_may_write_to_cards(engine: Engine) {
    let (site, station, admin) = site(engine);
    let oleg = site.operator();
    issue(&site, &oleg).refused(403, "NO_PRIVILEGE");
    let reset = |token: &str| site.post(&format!("/api/v1/cards/{ANNA}/reset-pin"), token, &json!({}));
    assert_eq!(reset(&oleg).ok()["userPin"], "123456");
    assert_eq!(site.events(&format!("card={ANNA}&name=PIN_RESET")).len(), 1);
    station.answers.lock().unwrap().push(failed(false));
    reset(&oleg).refused(409, "CARD_REFUSED");
    assert_eq!(site.events(&format!("card={ANNA}&name=PIN_NOT_RESET")).len(), 1);
    site.policy("workflow", "reset_user_pin", json!(false));
    reset(&admin).refused(403, "DISABLED_BY_POLICY");
    site.policy("workflow", "reset_user_pin", json!(true));
    site.post(&format!("/api/v1/cards/{ANNA}/disable"), &admin, &json!({})).ok();
    assert!(reset(&admin).refused(409, "CARD_STATE").contains("Disabled"));
    let cards = site.get("/api/v1/connected", &oleg).ok();
    assert_eq!((&cards[0]["state"], &cards[1]["state"]), (&json!("Disabled"), &json!("Assigned")));
    // A server without readers says what to do.
    let other = site.second();
    assert!(other.get("/api/v1/connected", &oleg).refused(409, "NO_READERS").contains("serve --readers"));
    site.policy("issuance", "initialize_card", json!(true));
    issue(&other, &admin).refused(409, "NO_READERS");
    assert_eq!(state(&site, &admin), "Assigned");
}

/// Whose a connected card is and how to reach them, for who may see people.
/// A card as its maker made it was asked for the derived key, which cost it a try, unless somebody typed 48 digits.
fn a_new_card_is_asked_for_its_makers_key(engine: Engine) {
    let station = Arc::new(RecordingStation { has_makers: true, ..RecordingStation::default() });
    let given = Arc::clone(&station);
    let site = Site::with(engine, |server| server.with_station(given));
    let browser = Browser::logged_in(&site, "en", "/mc", sample::ADMINISTRATOR);
    let page = browser.get("/mc/connected").text;
    assert_eq!(page.matches("<option value=\"maker\" selected>").count(), 1, "{engine:?}: {page}");
    let add = |key: &str, typed: &str| {
        let about = [("serial", MAKERS), ("card_type", "gids-sim"), ("maker_key", MAKERS_KEY)];
        browser.send_from("/mc/connected", "/mc/connected", &[&about[..], &[("key", key), ("admin_key", typed)]].concat())
    };
    let refused = add("typed", "");
    assert_eq!(refused.alerts(), ["Type the administrator key, or choose another."], "{engine:?}: {}", refused.text);
    assert!(refused.text.contains("<option value=\"typed\" selected>"), "{}", refused.text);
    assert_eq!(station.ordered(), [], "the card was not asked");
    let check = |key: &str| AdminKey::new(Cipher::Tdes, &hex::decode(key).unwrap()).unwrap().check_value();
    let other = "0202020202020202FDFDFDFDFDFDFDFD4040404040404040";
    let admin = site.administrator();
    for (key, typed, asked, known) in [
        ("maker", "", Some(check(MAKERS_KEY)), true),
        // What was typed is meant, whatever is chosen.
        ("maker", other, Some(check(other)), true),
        ("none", "", None, false),
    ] {
        let added = add(key, typed);
        assert!(added.path.ends_with(MAKERS), "{engine:?}: {key}: {} {}", added.path, added.text);
        let ordered: Vec<_> = asked.map(|check| (vec![check], None, None)).into_iter().collect();
        assert_eq!(station.ordered(), ordered, "{engine:?}: {key}");
        assert_eq!(site.get(&format!("/api/v1/cards/{MAKERS}"), &admin).ok()["adminKeyKnown"], known, "{engine:?}: {key}");
        site.delete(&format!("/api/v1/cards/{MAKERS}"), &admin).ok();
    }
}

fn a_connected_card_says_whose_it_is(engine: Engine) {
    let site = Site::with(engine, |server| server.with_station(Arc::new(RecordingStation::default())));
    let admin = site.administrator();
    let role = json!({"policies": null, "privileges": ["view-cards"]});
    let id = site.put("/api/v1/roles/Cards", &admin, &role).ok()["id"].clone();
    site.post("/api/v1/operators", &admin, &json!({"name": "carl", "password": "carl-password", "role": id, "user": null})).ok();
    let carl = site.log_in(("carl", "carl-password"));
    let owner = json!({"id": site.user("anna"), "cn": "Anna Berg", "phone": "+49 30 5550 117", "is_seen": true});
    let cards = |token: &str| site.get("/api/v1/connected", token).ok();
    assert_eq!((&cards(&admin)[0]["owner"], &cards(&admin)[1]["owner"]), (&owner, &Value::Null), "{engine:?}");
    assert_eq!((&cards(&carl)[0]["owner"], &cards(&carl)[0]["state"]), (&Value::Null, &json!("Issued")), "{engine:?}");
    let page = |token: &str| site.page("/mc/connected", "mc", token);
    let link = format!("<a href=\"/mc/users/{}\">Anna Berg</a>", owner["id"].as_str().unwrap());
    assert!(page(&admin).contains(&link) && page(&admin).contains("<b>+49 30 5550 117</b>"), "{engine:?}: {}", page(&admin));
    assert!(!page(&carl).contains("Anna Berg") && !page(&carl).contains("5550"), "{engine:?}: {}", page(&carl));
}
