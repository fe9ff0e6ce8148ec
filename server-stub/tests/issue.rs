//! Issuing over HTTP with a station that says what it is told to: what the server keeps of it, on both
//! engines. Real cards are in the workspace's `tests/issue.rs`.

use crate::common::{self, ANNA, Engine, MASTER, SPARE, Site};
use cardlab_protocol::admin_key::Cipher;
use cardlab_server_stub::model::keys::{CardIdentity, MasterKey};
use cardlab_server_stub::model::station::{Connected, NewPin, Order, Station, StationError};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

on_both_engines! {
    a_new_key_comes_in_two_phases,
    who_may_write_to_cards,
}

/// Check values of the keys that the card may have and of the new one; the PIN.
type Ordered = (Vec<[u8; 3]>, Option<[u8; 3]>, Option<String>);

/// Remembers orders, and answers the next one with this.
#[derive(Default)]
struct RecordingStation {
    answers: Mutex<Vec<Result<(), StationError>>>,
    orders: Mutex<Vec<Ordered>>,
}

impl Station for RecordingStation {
    fn connected(&self) -> Result<Vec<Connected>, StationError> {
        let card = |serial: &str| Connected {
            reader: "R".into(),
            serial: serial.into(),
            kind: "GIDS card".into(),
            atr: String::new(),
            is_held: false,
        };
        Ok(vec![card(ANNA), card(SPARE)])
    }

    fn write(&self, order: &Order) -> Result<(), StationError> {
        let pin = match &order.pin {
            NewPin::Known(pin) => Some(pin.to_string()),
            NewPin::Blocked | NewPin::Unchanged => None,
        };
        let keys = order.keys.iter().map(|key| key.check_value()).collect();
        self.orders.lock().unwrap().push((keys, order.new_key.as_ref().map(|key| key.check_value()), pin));
        self.answers.lock().unwrap().pop().unwrap_or(Ok(()))
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

#[test]
fn a_card_revoked_meanwhile_stays_so_and_keeps_its_key() {
    struct Revoking(Mutex<Option<Arc<Site>>>);
    impl Station for Revoking {
        fn connected(&self) -> Result<Vec<Connected>, StationError> {
            Ok(Vec::new())
        }
        fn write(&self, _: &Order) -> Result<(), StationError> {
            let site = self.0.lock().unwrap().take().unwrap();
            site.post(&format!("/api/v1/cards/{SPARE}/revoke"), &site.administrator(), &json!({"reason": "lost"})).ok();
            Ok(())
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
