//! Issuing real (simulated) cards by `cardlab serve --readers`: the key and the PIN are on the card
//! afterwards, and the unlock works with them.

use crate::common::site::{Http, between};
use crate::common::{CARDLAB, Lab, Up, has};
use cardlab_client::lock;
use cardlab_client::minidriver::{Authenticator, CardError, Minidriver, Secret};
use cardlab_pcsclite::client::{Context, ShareMode};
use cardlab_protocol::admin_key::{AdminKey, Cipher};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

/// Card ids of the three readers.
const IDS: [&str; 3] =
    ["A0F1E2D3C4B5A69788796A5B4C3D2E1F", "B0F1E2D3C4B5A69788796A5B4C3D2E1F", "C0F1E2D3C4B5A69788796A5B4C3D2E1F"];
pub(crate) const ZEROS: &str = "000000000000000000000000000000000000000000000000";
const PIV_KEY: &str = "010203040506070801020304050607080102030405060708";
/// Another key, also without its parity bits.
const OTHER: &str = "0202020202020202FDFDFDFDFDFDFDFD4040404040404040";

/// Readers with new cards, and a server that has them.
pub(crate) struct Desk {
    lab: Lab,
    readers: Up,
    _serve: Up,
    pub(crate) http: Http,
    pub(crate) admin: String,
}

impl Desk {
    fn new() -> Self {
        let lab = Lab::new("gids");
        let cards = [
            format!("gids,name=One,card-id={}", IDS[0]),
            format!("gids,name=Two,card-id={},admin-tries=5", IDS[1]),
            format!("gids,name=Three,card-id={},pin-tries=5,tries-writable=off", IDS[2]),
        ];
        let readers = Up::start(&lab, &["--card", &cards[0], "--card", &cards[1], "--card", &cards[2]]);
        Self::of(lab, readers)
    }

    fn of(lab: Lab, readers: Up) -> Self {
        Self::over(lab, readers, "sqlite:cardlab-cms.db")
    }

    /// Over this database.
    pub(crate) fn over(lab: Lab, readers: Up, db: &str) -> Self {
        let (serve, http) = serve(&lab, &readers.socket(), db);
        let admin = http.log_in("admin", "admin-password");
        Self { lab, readers, _serve: serve, http, admin }
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        self.http.post(&format!("/api/v1{path}"), &self.admin, body)
    }

    #[track_caller]
    pub(crate) fn ok(&self, path: &str, body: &Value) -> Value {
        let (status, body) = self.post(path, body);
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    #[track_caller]
    fn refused(&self, path: &str, error: &str) -> String {
        let (status, body) = self.post(path, &json!({}));
        assert_eq!((status, body["error"].as_str()), (409, Some(error)), "{body}");
        body["message"].as_str().unwrap().to_owned()
    }

    fn policy(&self, issuance: &Value) {
        let id = self.http.get("/api/v1/policies", &self.admin)[0]["id"].as_str().unwrap().to_owned();
        let settings = json!({"workflow": {"validate_answers": false}, "issuance": issuance});
        self.http.put(&format!("/api/v1/policies/{id}"), &self.admin, &settings);
    }

    /// What a file of the server's directory says.
    pub(crate) fn read(&self, name: &str) -> String {
        self.lab.read(name)
    }

    /// Registers a card with the key that it has now, and gives it to Anna.
    pub(crate) fn add(&self, id: &str, key: &str) {
        self.ok("/cards", &json!({"serial": id, "card_type": "gids-sim", "admin_key": key}));
        self.ok(&format!("/cards/{id}/assign"), &json!({"user": "lab\\anna"}));
    }

    /// Lets a test speak to the card itself.
    pub(crate) fn card<T>(&self, reader: &str, speak: impl FnOnce(&mut Minidriver<'_>) -> T) -> T {
        let context = Context::establish_at(&self.readers.socket()).unwrap();
        let mut card = context.connect(reader, ShareMode::Exclusive).unwrap();
        speak(&mut Minidriver::open(&mut card).unwrap())
    }

    /// The offline unlock: the card's challenge to the operator, the operator's response to the card.
    pub(crate) fn unlock(&self, reader: &str, id: &str, pin: &str) {
        self.card(reader, |card| {
            let challenge = hex::encode(card.card_get_challenge().unwrap());
            let wizard = self.ok(&format!("/cards/{id}/wizard"), &json!({}));
            let path = format!("/unlock/{}/challenge", wizard["wizard"].as_str().unwrap());
            let response = self.ok(&path, &json!({"challenge": challenge}))["response"].as_str().unwrap().to_owned();
            card.card_unblock_pin(Authenticator::Response(&hex::decode(response).unwrap()), pin.as_bytes()).unwrap();
        });
    }
}

/// A server for the readers at this socket.
fn serve(lab: &Lab, readers: &Path, db: &str) -> (Up, Http) {
    let mut command = Command::new(CARDLAB);
    command.current_dir(lab.path()).env("CARDLAB_ADMIN_PASSWORD", "admin-password");
    command.env("PCSCLITE_CSOCK_NAME", readers);
    command.args(["serve", "--sample", "--listen", "127.0.0.1:0", "--readers", "--quick-hashes", "--db", db]);
    let serve = Up::from(&mut command);
    let http = Http::at(serve.ready.strip_prefix("ready ").unwrap());
    (serve, http)
}

const ONE: &str = "One 00 00";
const TWO: &str = "Two 01 00";
const THREE: &str = "Three 02 00";

#[test]
fn initialised_with_a_random_pin() {
    let desk = Desk::new();
    let cards = desk.http.get("/api/v1/connected", &desk.admin);
    let found: Vec<&str> = cards.as_array().unwrap().iter().map(|c| c["serial"].as_str().unwrap()).collect();
    assert_eq!((found, &cards[0]["kind"], &cards[0]["state"]), (IDS.to_vec(), &json!("GIDS card"), &Value::Null));
    desk.policy(&json!({"initialize_card": true, "random_user_pin": {"length": 9, "forbidden": "0"}}));
    desk.add(IDS[0], ZEROS);
    let issued = desk.ok(&format!("/cards/{}/issue", IDS[0]), &json!({}));
    let pin = issued["userPin"].as_str().unwrap().to_owned();
    assert!(pin.len() == 9 && pin.bytes().all(|b| (b'1'..=b'9').contains(&b)), "{pin}");
    desk.card(ONE, |card| {
        card.card_authenticate_pin(pin.as_bytes()).unwrap();
        let challenge = card.card_get_challenge().unwrap();
        let old = AdminKey::new(Cipher::Tdes, &[0; 24]).unwrap().respond(&challenge).unwrap();
        assert!(card.card_authenticate_challenge(&old).is_err(), "the factory key is gone");
        lock::bring_to(card, Secret::Pin, 0).unwrap();
    });
    desk.unlock(ONE, IDS[0], "2468");
    // The operator gives the default PIN back.
    let reset = desk.ok(&format!("/cards/{}/reset-pin", IDS[0]), &json!({}));
    assert_eq!(reset["userPin"], "123456");
    desk.card(ONE, |card| {
        assert!(matches!(card.card_authenticate_pin(b"2468"), Err(CardError::Wrong { left: Some(2), .. })));
        card.card_authenticate_pin(b"123456").unwrap();
    });
    // And rolls the key: the unlock goes on with the new one, the PIN stays.
    desk.ok(&format!("/cards/{}/roll-key", IDS[0]), &json!({}));
    desk.card(ONE, |card| card.card_authenticate_pin(b"123456").unwrap());
    desk.unlock(ONE, IDS[0], "1357");
    let log = desk.http.get(&format!("/api/v1/events?card={}", IDS[0]), &desk.admin);
    has(&log.to_string(), &["CARD_INITIALIZED", "PIN_RESET", "ADMIN_KEY_ROLLED"]);
}

/// A key that somebody else has changed is corrected, tried at the card, and the card is issued with it.
#[test]
fn a_key_is_corrected_at_the_card() {
    let desk = Desk::new();
    let away = json!({"serial": IDS[0], "card_type": "gids-sim", "no_admin_key": true});
    assert_eq!(desk.ok("/cards", &away)["keyTried"], false);
    let correct = format!("/cards/{}/correct-key", IDS[0]);
    let (status, refused) = desk.post(&correct, &json!({"admin_key": OTHER}));
    assert_eq!((status, refused["error"].as_str()), (409, Some("CARD_REFUSED")), "{refused}");
    assert_eq!(desk.ok(&correct, &json!({"admin_key": ZEROS}))["keyTried"], true);
    desk.ok(&format!("/cards/{}/assign", IDS[0]), &json!({"user": "lab\\anna"}));
    desk.policy(&json!({"initialize_card": true}));
    desk.ok(&format!("/cards/{}/issue", IDS[0]), &json!({}));
    desk.card(ONE, |card| card.card_authenticate_pin(b"123456").unwrap());
}

#[test]
fn issued_locked() {
    let desk = Desk::new();
    desk.policy(&json!({"initialize_card": true, "lock_card": true}));
    desk.add(IDS[1], ZEROS);
    let issued = desk.ok(&format!("/cards/{}/issue", IDS[1]), &json!({}));
    assert_eq!((&issued["locked"], &issued["userPin"], &issued["state"]), (&json!(true), &Value::Null, &json!("Issued")));
    desk.card(TWO, |card| {
        assert!(matches!(card.card_authenticate_pin(b"123456"), Err(CardError::Blocked(Secret::Pin))));
    });
    desk.unlock(TWO, IDS[1], "97531");
    desk.card(TWO, |card| card.card_authenticate_pin(b"97531").unwrap());
}

#[test]
fn what_a_card_refuses() {
    let desk = Desk::new();
    let issue = |n: usize| format!("/cards/{}/issue", IDS[n]);
    let state = |n: usize| desk.http.get(&format!("/api/v1/cards/{}", IDS[n]), &desk.admin)["state"].clone();
    desk.policy(&json!({"initialize_card": true, "maximum_cards": 5}));
    // The key that the server is told is tried at the card: a wrong one costs it a try, and the card is not added.
    let wrong = json!({"serial": IDS[1], "card_type": "gids-sim", "admin_key": OTHER});
    let (status, refused) = desk.post("/cards", &wrong);
    assert_eq!((status, refused["error"].as_str()), (409, Some("CARD_REFUSED")), "{refused}");
    has(refused["message"].as_str().unwrap(), &["another administrator key", "; 4 tries left"]);
    desk.card(TWO, |card| assert_eq!(card.card_pin_status().unwrap().admin.unwrap().left, 4));
    desk.add(IDS[1], ZEROS);
    desk.card(TWO, |card| {
        let status = card.card_pin_status().unwrap();
        assert_eq!(status.admin.unwrap().left, 5, "the right one gives its tries back");
        // Somebody gives it another key, of which the server does not know.
        let challenge = card.card_get_challenge().unwrap();
        let response = AdminKey::new(Cipher::Tdes, &[0; 24]).unwrap().respond(&challenge).unwrap();
        card.card_authenticate_challenge(&response).unwrap();
        let other = AdminKey::new(Cipher::Tdes, &hex::decode(OTHER).unwrap()).unwrap();
        card.card_change_admin_key(&other).unwrap();
        card.card_deauthenticate().unwrap();
    });
    // Each attempt costs it a try, and the last one is never spent.
    for left in (1..5).rev() {
        let message = desk.refused(&issue(1), "CARD_REFUSED");
        has(&message, &["another administrator key than the server knows: wrong response", &format!("; {left} tr")]);
        assert_eq!(state(1), "Assigned");
    }
    for _ in 0..2 {
        has(&desk.refused(&issue(1), "CARD_REFUSED"), &["one try of its administrator key left"]);
    }
    // A correction is not tried at its last try either, and the server goes on knowing what it knew.
    let correct = format!("/cards/{}/correct-key", IDS[1]);
    let (status, refused) = desk.post(&correct, &json!({"admin_key": OTHER}));
    assert_eq!((status, refused["error"].as_str()), (409, Some("CARD_REFUSED")), "{refused}");
    has(refused["message"].as_str().unwrap(), &["one try of its administrator key left"]);
    desk.card(TWO, |card| assert_eq!(card.card_pin_status().unwrap().admin.unwrap().left, 1));
    // Limits are checked before anything is spent.
    desk.policy(&json!({"initialize_card": true, "maximum_cards": 5, "pin_tries": 4}));
    desk.add(IDS[2], ZEROS);
    has(&desk.refused(&issue(2), "CARD_REFUSED"), &["the card allows 5 PIN entries, the policy wants 4", "from its maker"]);
    desk.policy(
        &json!({"initialize_card": true, "maximum_cards": 5, "pin_tries": 5, "random_user_pin": {"length": 31, "upper": true}}),
    );
    has(&desk.refused(&issue(2), "CARD_REFUSED"), &["4 to 16 characters, not 31"]);
    desk.policy(&json!({"initialize_card": true, "maximum_cards": 5, "pin_tries": 5}));
    desk.ok(&issue(2), &json!({}));
    desk.card(THREE, |card| card.card_authenticate_pin(b"123456").unwrap());
    // A card of three tries is refused under a policy of five where nothing is written to it.
    desk.add(IDS[0], ZEROS);
    desk.policy(&json!({"initialize_card": false, "maximum_cards": 5, "pin_tries": 5}));
    let says = ["the card allows 3 PIN entries, the policy wants 5", "Initialize card"];
    has(&desk.refused(&issue(0), "CARD_REFUSED"), &says);
    assert_eq!(state(0), "Assigned");
    desk.policy(&json!({"initialize_card": false, "maximum_cards": 5, "pin_tries": 3}));
    desk.ok(&issue(0), &json!({}));
    desk.policy(&json!({"initialize_card": true, "maximum_cards": 5, "pin_tries": 5}));
    // A card that is elsewhere.
    let away = "D0F1E2D3C4B5A69788796A5B4C3D2E1F";
    desk.add(away, ZEROS);
    has(&desk.refused(&format!("/cards/{away}/issue"), "CARD_REFUSED"), &["in no reader", "insert it"]);
}

/// The limit is written to whatever has a command for it, with its own key, and counts.
#[test]
fn the_maximum_of_the_policy_reaches_the_card() {
    let ids = [IDS[0], "000102030405460788090A0B0C0D0E0F", "00BC614E"];
    let lab = Lab::new("tries");
    let readers = Up::start(
        &lab,
        &[
            "--card",
            &format!("gids,name=One,card-id={}", ids[0]),
            "--card",
            "piv-admin,name=Two,chuid=00010203-0405-4607-8809-0a0b0c0d0e0f",
            "--card",
            "yubikey-5.4,name=Three,serial=12345678",
        ],
    );
    let desk = Desk::of(lab, readers);
    desk.policy(&json!({"initialize_card": true, "maximum_cards": 5, "pin_tries": 5}));
    for (n, (reader, id, key)) in [(ONE, ids[0], ZEROS), (TWO, ids[1], PIV_KEY), (THREE, ids[2], PIV_KEY)].into_iter().enumerate()
    {
        desk.add(id, key);
        let issued = desk.ok(&format!("/cards/{id}/issue"), &json!({}));
        assert_eq!((&issued["state"], &issued["userPin"]), (&json!("Issued"), &json!("123456")), "{reader}");
        let told = desk.http.get("/api/v1/connected", &desk.admin)[n].clone();
        assert_eq!((&told["pin_left"], &told["pin_tries"]), (&json!(5), &json!(5)), "{reader}");
        desk.card(reader, |card| {
            let pin = card.card_pin_status().unwrap().pin.unwrap();
            assert_eq!((pin.left, pin.maximum), (5, Some(5)), "{reader}");
            for left in (0..5).rev() {
                let wrong = card.card_authenticate_pin(b"999999").unwrap_err();
                assert!(matches!(wrong, CardError::Wrong { left: Some(now), .. } if now == left), "{reader}: {wrong}");
            }
            assert!(matches!(card.card_authenticate_pin(b"123456"), Err(CardError::Blocked(Secret::Pin))), "{reader}");
            // Its administrator key is its own.
            let challenge = card.card_get_challenge().unwrap();
            let old = AdminKey::new(Cipher::Tdes, &hex::decode(key).unwrap()).unwrap().respond(&challenge).unwrap();
            assert!(card.card_authenticate_challenge(&old).is_err(), "{reader}: the factory key is gone");
        });
        match issued["puk"].as_str() {
            // A YubiKey's PUK went back to the maker's with the new limit: it got another one.
            Some(puk) => desk.card(reader, |card| {
                assert_eq!(reader, THREE);
                assert!(card.card_unblock_pin(Authenticator::Puk(b"12345678"), b"246813").is_err(), "the maker's PUK");
                card.card_unblock_pin(Authenticator::Puk(puk.as_bytes()), b"246813").unwrap();
            }),
            None => {
                assert_ne!(reader, THREE);
                desk.unlock(reader, id, "246813");
            }
        }
        desk.card(reader, |card| {
            card.card_authenticate_pin(b"246813").unwrap();
            card.card_deauthenticate().unwrap();
            assert_eq!(card.card_pin_status().unwrap().pin.unwrap().left, 5, "{reader}: all of the new ones are back");
        });
        let log = desk.http.get(&format!("/api/v1/events?card={id}&name=CARD_INITIALIZED"), &desk.admin);
        has(&log.to_string(), &["pin_tries", "5"]);
    }
}

/// A YubiKey whose PIN is not the one of its card type keeps all that it has.
#[test]
fn a_yubikey_with_another_pin_is_not_initialized() {
    let lab = Lab::new("tries");
    let readers = Up::start(&lab, &["--card", "yubikey-5.4,name=One,serial=12345678,pin=654321"]);
    let desk = Desk::of(lab, readers);
    desk.policy(&json!({"initialize_card": true, "pin_tries": 5}));
    let id = "00BC614E";
    desk.add(id, PIV_KEY);
    let issue = format!("/cards/{id}/issue");
    has(&desk.refused(&issue, "CARD_REFUSED"), &["another one than its card type says", "2 tries left"]);
    has(&desk.refused(&issue, "CARD_REFUSED"), &["another one than its card type says", "1 try left"]);
    has(&desk.refused(&issue, "CARD_REFUSED"), &["has one try left", "unblock it with its PUK first"]);
    desk.card(ONE, |card| {
        card.card_authenticate_pin(b"654321").unwrap();
        let challenge = card.card_get_challenge().unwrap();
        let old = AdminKey::new(Cipher::Tdes, &hex::decode(PIV_KEY).unwrap()).unwrap();
        card.card_authenticate_challenge(&old.respond(&challenge).unwrap()).unwrap();
        card.card_deauthenticate().unwrap();
        assert_eq!(card.card_pin_status().unwrap().pin.unwrap().maximum, Some(3));
    });
}

/// Set for the child of [`a_busy_card_says_who_holds_it`], which is that test again.
const HOLDS: &str = "CARDLAB_TEST_HOLDS";

/// What a program of the real PC/SC library does that has the card of a reader for itself until its input ends.
fn hold(reader: &str) {
    let context = pcsc::Context::establish(pcsc::Scope::User).unwrap();
    let reader = std::ffi::CString::new(reader).unwrap();
    let mut card = context.connect(&reader, pcsc::ShareMode::Shared, pcsc::Protocols::ANY).unwrap();
    let transaction = card.transaction().unwrap();
    println!("\nholds it");
    std::io::stdin().read_line(&mut String::new()).unwrap();
    transaction.end(pcsc::Disposition::LeaveCard).map_err(|(_, error)| error).unwrap();
}

/// Readers of ours tell who that is; where they do not, as pcscd's, it is another program.
#[test]
fn a_busy_card_says_who_holds_it() {
    if std::env::var_os(HOLDS).is_some() {
        return hold(ONE);
    }
    let desk = Desk::new();
    desk.add(IDS[0], ZEROS);
    let millis = || i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap();
    let before = millis();
    let mut other = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "issue::a_busy_card_says_who_holds_it", "--nocapture"])
        .env(HOLDS, "1")
        .env("PCSCLITE_CSOCK_NAME", desk.readers.socket())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    BufReader::new(other.stdout.as_mut().unwrap()).lines().find(|line| line.as_ref().unwrap() == "holds it").unwrap().unwrap();
    let process = other.id();
    let program = std::fs::read_to_string(format!("/proc/{process}/comm")).unwrap().trim_end().to_owned();
    let connected = |http: &Http, token: &str| http.get("/api/v1/connected", token);
    let cards = connected(&desk.http, &desk.admin);
    let holder = &cards[0]["held_by"];
    assert_eq!((&holder["program"], &holder["process"]), (&json!(program), &json!(process)), "{cards}");
    let since = holder["since"].as_i64().unwrap();
    assert!((before / 1000 * 1000..=millis()).contains(&since), "{before} {since}");
    assert_eq!((&cards[0]["is_held"], &cards[1]["is_held"], &cards[1]["held_by"]), (&json!(true), &json!(false), &Value::Null));
    // The page says it, and so does whoever needs that card.
    let page = |http: &Http| http.page("/mc/connected", &http.cookie("mc", "admin", "admin-password"));
    let said = page(&desk.http).replace(['\u{2068}', '\u{2069}'], "");
    has(&said, &[&format!("{program} (process {process}) has been connected to this card since <time")]);
    assert!(!said.contains("Another program"), "{said}");
    desk.policy(&json!({"initialize_card": true}));
    let message = desk.refused(&format!("/cards/{}/issue", IDS[0]), "CARD_REFUSED");
    has(&message, &[&format!("{program} ({process}) holds the card in {ONE}, which may be it")]);
    // The same readers under a name that tells nothing more than PC/SC does.
    let elsewhere = tempfile::tempdir().unwrap();
    let socket = elsewhere.path().join("pcscd.comm");
    std::os::unix::fs::symlink(desk.readers.socket(), &socket).unwrap();
    let (_serve, http) = serve(&desk.lab, &socket, "sqlite:other.db");
    let cards = connected(&http, &http.log_in("admin", "admin-password"));
    assert_eq!((&cards[0]["is_held"], &cards[0]["held_by"]), (&json!(true), &Value::Null), "{cards}");
    has(&page(&http), &["Another program holds this card; what it is cannot be read until it lets go."]);
    drop(other.stdin.take());
    assert!(other.wait().unwrap().success());
    let cards = connected(&desk.http, &desk.admin);
    assert_eq!((&cards[0]["serial"], &cards[0]["held_by"]), (&json!(IDS[0]), &Value::Null), "{cards}");
}

/// New cards are added as the page offers it: with their maker's key, and without a try for a wrong one.
#[test]
fn a_new_card_is_added_without_a_try() {
    let lab = Lab::new("new");
    let ids = [IDS[0], "00BC614E"];
    let gids = format!("gids,name=One,card-id={}", ids[0]);
    let readers = Up::start(&lab, &["--card", &gids, "--card", "yubikey-5.4,name=Two,serial=12345678"]);
    let desk = Desk::of(lab, readers);
    let cookie = desk.http.cookie("mc", "admin", "admin-password");
    let value = |form: &str, name: &str| between(form, &format!("name=\"{name}\" value=\""), "\"").remove(0);
    let tries = |reader: &str| desk.card(reader, |card| card.card_pin_status().unwrap().admin.map(|admin| admin.left));
    assert!(tries(ONE).is_some(), "a GIDS card counts");
    for (reader, id) in [ONE, TWO].into_iter().zip(ids) {
        let before = tries(reader);
        let page = desk.http.page("/mc/connected", &cookie);
        let form = page.split("<form").find(|form| form.contains(&format!("name=\"serial\" value=\"{id}\""))).unwrap();
        assert!(form.contains("<option value=\"maker\" selected>"), "{form}");
        let mut fields: Vec<(String, String)> =
            ["csrf", "serial", "maker_key"].map(|name| (name.to_owned(), value(form, name))).into();
        fields.extend([("card_type", "gids-sim"), ("key", "maker"), ("admin_key", "")].map(|(n, v)| (n.into(), v.into())));
        assert_eq!(desk.http.form("/mc/connected", &cookie, &fields).status(), 303);
        assert_eq!(desk.http.get(&format!("/api/v1/cards/{id}"), &desk.admin)["adminKeyKnown"], true, "{id}");
        let log = desk.http.get(&format!("/api/v1/events?card={id}"), &desk.admin);
        assert!(!log.to_string().contains("CARD_NOT_ADDED"), "{log}");
        assert_eq!(tries(reader), before, "{id}");
    }
}
