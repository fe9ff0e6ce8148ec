//! What is pressed on the bench, programs see.

use super::{Bench, SELECT_GIDS, WRONG_PIN, stays};
use crate::common::browser::{Browser, Driver, PATIENCE};
use crate::common::has;
use cardlab_pcsclite::client::{Connection, Context, Error, ShareMode};
use cardlab_pcsclite::code::ReturnCode;
use fantoccini::Locator;
use fantoccini::actions::{InputSource, KeyAction, KeyActions, MOUSE_BUTTON_LEFT, MouseActions, PointerAction};
use serde_json::{Value, json};

/// Each button's effect is seen by a program, and on the page without loading it anew.
#[tokio::test]
async fn what_is_pressed_programs_see() {
    let (driver, bench) = (Driver::start(), Bench::with(&["gids,name=Anna,pin=123456"]));
    let browser = bench.open(&driver, "anna").await;
    browser.sees("3 of 3").await;
    browser.press_here("Wrong PIN").await;
    browser.sees("2 of 3").await;
    assert_eq!(bench.tries("Anna", "pin"), 2);
    let page = browser.sees("wrong, 2 left").await;
    has(
        &page,
        &[
            "Wrong PIN: done.",
            "cardlab card lock pin --tries 2 --reader 'Anna 00 00'",
            "curl --unix-socket",
            "/v1/readers/0/lock",
        ],
    );
    browser.press_here("Wrong PIN").await;
    browser.sees("last PIN try").await;
    browser.open("Wrong PIN…").await;
    browser.sees("This is the last try").await;
    assert_eq!(bench.tries("Anna", "pin"), 1, "it asks before the last");
    browser.press_here("Block the PIN").await;
    browser.sees("PIN blocked").await;
    assert_eq!(bench.tries("Anna", "pin"), 0);
    browser.press_here("Fresh").await;
    browser.sees("3 of 3").await;
    browser.press_here("Pull out").await;
    browser.sees("card is out").await;
    has(&bench.card(&["list"]).ok(), &["Anna 00 00: no card"]);
    browser.press_here("Put in").await;
    browser.sees("ready").await;
    browser.open("More…").await;
    browser.fill("fault", "no-such-fault").await;
    browser.press_here("Arm").await;
    browser.sees("no fault named 'no-such-fault'").await;
    browser.fill("fault", "remove-after,ins=20").await;
    browser.press_here("Arm").await;
    browser.sees("Disarm all").await;
    has(&bench.card(&["fault"]).ok(), &["remove-after,ins=20"]);
    browser.press_here("Disarm all").await;
    browser.sees("faults disarmed").await;
    assert_eq!(bench.card(&["fault"]).ok(), "");
    browser.press_here("last-try").await;
    browser.sees("last PIN try").await;
    browser.press_here("Unplug reader").await;
    browser.sees("unplugged").await;
    has(&bench.card(&["list"]).ok(), &["no readers"]);
    browser.press_here("Plug in").await;
    browser.sees("card is out").await;
    // The shown command is one that runs.
    bench.card(&["insert", "--reader", "Anna 00 00"]).ok();
    browser.sees("last PIN try").await;
    // Taken apart beside the wire.
    let row = Locator::XPath("//tr[contains(., 'VERIFY') and contains(., 'wrong, 2 left')]//a");
    browser.0.find(row).await.unwrap().click().await.unwrap();
    let taken = browser.sees("bytes masked").await;
    has(&taken, &["VERIFY, PIN", "63 C2", "Compare with"]);
    stays(&browser).await;
    browser.0.close().await.unwrap();
}

/// A program that asks for its tries: `63Cx`.
const ASK: &[u8] = b"\x00\x20\x00\x80";

#[track_caller]
fn answers(card: &mut Connection<'_>, command: &[u8], status: u16) {
    assert_eq!(card.transmit(command).unwrap().last_chunk(), Some(&status.to_be_bytes()));
}

#[track_caller]
fn is_told(card: &mut Connection<'_>, wanted: ReturnCode) {
    match card.transmit(ASK) {
        Err(Error::Refused { code, .. }) => assert_eq!(code, wanted),
        other => panic!("{other:?}"),
    }
}

/// The other buttons, at a program that is connected all the time.
#[tokio::test]
async fn a_connected_program_sees_every_button() {
    let bench = Bench::with(&["gids,name=Anna,pin=123456", "nist-piv,name=Boris"]);
    let driver = Driver::start();
    let browser = bench.open(&driver, "anna").await;
    browser.0.execute("document.querySelector('#more-0').open = true", vec![]).await.unwrap();
    let context = Context::establish_at(&bench.up.socket()).unwrap();
    let connect = || context.connect("Anna 00 00", ShareMode::Shared).unwrap();
    let mut card = connect();
    answers(&mut card, SELECT_GIDS, 0x9000);
    // Resets, each told to whoever is connected.
    for button in ["Reset warm", "Reset cold"] {
        browser.press_here(button).await;
        browser.sees(&format!("{button}: done.")).await;
        is_told(&mut card, ReturnCode::RESET_CARD);
        card = connect();
        answers(&mut card, SELECT_GIDS, 0x9000);
    }
    // Undo takes back what a program did.
    assert_eq!(card.transmit(WRONG_PIN).unwrap(), [0x63, 0xC2]);
    browser.sees("2 of 3").await;
    browser.press_here("Undo").await;
    browser.sees("3 of 3").await;
    assert_eq!(bench.tries("Anna", "pin"), 3);
    card = connect();
    answers(&mut card, SELECT_GIDS, 0x9000);
    // A fault strikes the next command, and is gone from the page.
    browser.type_into("fault-0", "status=6F42,ins=20").await;
    browser.sees("cardlab card fault status=6F42,ins=20 --reader 'Anna 00 00'").await;
    browser.press_here("Arm").await;
    browser.sees("Arm: done.").await;
    browser.sees("Disarm all").await;
    has(&browser.page().await, &["at the next VERIFY"]);
    answers(&mut card, ASK, 0x6F42);
    browser.sees_no_more("Disarm all").await;
    answers(&mut card, ASK, 0x63C3);
    // How long commands take, and who touches.
    browser.type_into("pace-0", "verify:5").await;
    browser.press_here("Set").await;
    browser.sees("Set: done.").await;
    has(&bench.card(&["show", "--reader", "Anna"]).ok(), &["pace: verify:5"]);
    browser.press_here("Never").await;
    browser.sees("Never: done.").await;
    has(&bench.card(&["show", "--json", "--reader", "Anna"]).ok(), &[r#""touch": "never""#]);
    // Cards change places: another answer to reset.
    let before = card.atr().unwrap();
    browser.press_here("Swap with").await;
    browser.sees("Swap with: done.").await;
    is_told(&mut card, ReturnCode::REMOVED_CARD);
    assert_ne!(connect().atr().unwrap(), before);
    // And a new one.
    browser.type_into("new-0", "gids,pin=1234").await;
    browser.press_here("New card").await;
    browser.sees("New card: done.").await;
    let mut card = connect();
    answers(&mut card, SELECT_GIDS, 0x9000);
    answers(&mut card, b"\x00\x20\x00\x80\x041234", 0x9000);
    browser.sees_in("#now-0", "Verified\nPIN").await;
    browser.type_into("new-0", "no-such-kind").await;
    browser.press_here("New card").await;
    browser.sees("no-such-kind").await;
    answers(&mut card, ASK, 0x9000);
    // The reader itself.
    browser.press_here("Reset USB").await;
    browser.sees("Reset USB: done.").await;
    assert!(card.transmit(ASK).is_err(), "its reader went away");
    connect();
    stays(&browser).await;
    browser.0.close().await.unwrap();
}

/// While something is pressed nothing moves: what has changed meanwhile is drawn when it is let go. A click was lost when the page was
/// drawn anew between the press and the letting go, or met another button.
#[tokio::test]
async fn what_is_pressed_stays_until_it_is_let_go() {
    let (driver, bench) = (Driver::start(), Bench::with(&["gids,name=Anna,pin=123456"]));
    let browser = bench.open(&driver, "anna").await;
    browser.sees_in("#now-0", "3 of 3").await;
    let button = || browser.0.find(Locator::Css("#b-0-wrong-pin"));
    // Both that above it, which grows, and that of the button itself have come and wait.
    let wait = async || {
        let waits = "return later.has('now-0') && later.has('do-0')";
        while browser.0.execute(waits, vec![]).await.unwrap() != json!(true) {}
    };
    let mouse = || MouseActions::new("mouse".into());
    let over = PointerAction::MoveToElement { element: button().await.unwrap(), duration: None, x: 0.0, y: 0.0 };
    let down = PointerAction::Down { button: MOUSE_BUTTON_LEFT };
    let up = PointerAction::Up { button: MOUSE_BUTTON_LEFT };
    browser.0.perform_actions(mouse().then(over.clone()).then(down.clone())).await.unwrap();
    bench.card(&["fault", "mute,ins=20,nth=9"]).ok();
    wait().await;
    assert!(!browser.text("#now-0").await.contains("mute"), "it is drawn later");
    browser.0.perform_actions(mouse().then(up.clone())).await.unwrap();
    browser.sees_in("#now-0", "2 of 3").await;
    browser.sees_in("#now-0", "mute,ins=20").await;
    // The same by the keyboard, where the blank is a click when it comes up.
    let keys = || KeyActions::new("keys".into());
    browser.0.execute("document.querySelector('#b-0-wrong-pin').focus()", vec![]).await.unwrap();
    browser.0.perform_actions(keys().then(KeyAction::Down { value: ' ' })).await.unwrap();
    bench.card(&["fault", "--clear"]).ok();
    wait().await;
    browser.0.perform_actions(keys().then(KeyAction::Up { value: ' ' })).await.unwrap();
    browser.sees_in("#now-0", "1 of 3").await;
    assert!(!browser.text("#now-0").await.contains("mute"));
    // Who thinks better of it lets go elsewhere: nothing is pressed, and the page goes on.
    let over = PointerAction::MoveToElement {
        element: browser.0.find(Locator::Css("#b-0-remove")).await.unwrap(),
        duration: None,
        x: 0.0,
        y: 0.0,
    };
    let away = PointerAction::MoveBy { duration: None, x: 0.0, y: 300.0 };
    browser.0.perform_actions(mouse().then(over).then(down).then(away).then(up)).await.unwrap();
    bench.card(&["state", "fresh"]).ok();
    browser.sees_in("#now-0", "3 of 3").await;
    stays(&browser).await;
    browser.0.close().await.unwrap();
}

/// A snapshot goes to a file, and comes back when the file is dropped on the page.
#[tokio::test]
async fn a_snapshot_is_saved_and_dropped() {
    let (driver, bench) = (Driver::start(), Bench::with(&["gids,name=Anna,pin=123456"]));
    let browser = bench.open(&driver, "anna").await;
    browser.open("More…").await;
    let catch = "const make = URL.createObjectURL; URL.createObjectURL = (blob) => { blob.text().then((text) => { window.saved = text; }); return make(blob); }";
    browser.0.execute(catch, vec![]).await.unwrap();
    browser.type_into("seal-0", "sesame").await;
    browser.press_here("Save to a file").await;
    browser.sees("Save to a file: done.").await;
    let page = browser.page().await;
    has(&page, &["CARDLAB_PASSPHRASE=… cardlab card snapshot --secrets sealed -o Anna.snapshot.toml --reader 'Anna 00 00'"]);
    assert!(!page.contains("sesame"));
    browser.press_here("last-try").await;
    browser.sees("last PIN try").await;
    let drop = "const data = new DataTransfer(); data.items.add(new File([arguments[0] || window.saved], 'anna.toml')); \
                document.querySelector('.drop').dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }))";
    // One of another card, and none at all: refused, nothing changed.
    let other = Bench::with(&["nist-piv"]).card(&["snapshot", "--secrets", "clear"]).ok();
    for (text, why) in [(json!("nothing of the kind"), "line 1"), (json!(other), "nist-piv")] {
        browser.0.execute(drop, vec![text]).await.unwrap();
        browser.press_here("Go back to it").await;
        browser.sees(why).await;
        assert_eq!(bench.tries("Anna", "pin"), 1);
    }
    browser.0.execute(drop, vec![Value::Null]).await.unwrap();
    browser.type_into("open-0", "sesame").await;
    browser.press_here("Go back to it").await;
    browser.sees("3 of 3").await;
    assert_eq!(bench.tries("Anna", "pin"), 3);
    // Longer than any card's.
    let long = "const data = new DataTransfer(); data.items.add(new File([new Uint8Array(9 << 20)], 'long.toml')); \
                document.querySelector('#file-0').files = data.files";
    browser.0.execute(long, vec![]).await.unwrap();
    browser.press_here("Go back to it").await;
    browser.sees("long.toml has 9.0 MiB; a file here has at most 8").await;
    stays(&browser).await;
    browser.0.close().await.unwrap();
}

/// A program that waits for a touch is seen waiting, and touched.
#[tokio::test]
async fn a_touch_is_given_on_the_page() {
    let (driver, bench) = (Driver::start(), Bench::with(&["yubikey-5.4"]));
    let browser = bench.open(&driver, "anna").await;
    let made = bench.up.sh(&bench.lab, "yubico-piv-tool -a generate -s 9e -A ECCP256 --touch-policy=always -o public.pem");
    made.ok();
    browser.open("More…").await;
    browser.press_here("By hand").await;
    browser.sees("By hand: done.").await;
    // GENERAL AUTHENTICATE with the key of slot 9E, which wants no PIN: 32 bytes to sign.
    let sign = [&b"\x00\x87\x11\x9E\x26\x7C\x24\x82\x00\x81\x20"[..], &[1; 32]].concat();
    let socket = bench.up.socket();
    let signing = std::thread::spawn(move || {
        let context = Context::establish_at(&socket).unwrap();
        let mut card = context.connect("Yubico YubiKey CCID 00 00", ShareMode::Shared).unwrap();
        card.transmit(b"\x00\xA4\x04\x00\x05\xA0\x00\x00\x03\x08").unwrap();
        card.transmit(&sign).unwrap()
    });
    browser.sees("waits for a touch").await;
    browser.press_here("Touch").await;
    assert_eq!(signing.join().unwrap().last_chunk(), Some(&[0x90, 0x00]));
    browser.sees("touched").await;
    let page = browser.sees("ready").await;
    has(&page, &["GENERAL AUTHENTICATE"]);
    browser.0.close().await.unwrap();
}

/// Pages that are opened while a card works, what came in and what is told of it: all of that is beside the card, and keeps nobody
/// waiting. A button that needs the card says that it waits.
#[tokio::test]
async fn nothing_that_is_drawn_waits_for_a_card() {
    let (driver, bench) = (Driver::start(), Bench::with(&["gids,name=Anna,pin=123456"]));
    let browser = bench.open(&driver, "anna").await;
    let context = Context::establish_at(&bench.up.socket()).unwrap();
    let mut card = context.connect("Anna 00 00", ShareMode::Shared).unwrap();
    answers(&mut card, SELECT_GIDS, 0x9000);
    browser.sees("SELECT").await;
    bench.card(&["fault", "silent=3600000,ins=20"]).ok();
    let works = std::thread::spawn({
        let socket = bench.up.socket();
        move || {
            let context = Context::establish_at(&socket).unwrap();
            context.connect("Anna 00 00", ShareMode::Shared).unwrap().transmit(ASK).is_err()
        }
    });
    // From outside it has no view from when it works.
    while bench.card(&["show", "--json"]).ok().contains("\"card\": {") {}
    browser.press_here("Fresh").await;
    browser.sees("Fresh: waits until the card has answered.").await;
    browser.0.find(Locator::LinkText("What is on it")).await.unwrap().click().await.unwrap();
    browser.sees("The card is at work, or waits for a touch").await;
    let other = bench.open(&driver, "other").await;
    other.sees_in("#now-0", "at work").await;
    has(&other.page().await, &["SELECT", "Pull out"]);
    has(&bench.card(&["log"]).ok(), &["SELECT"]);
    other.follow("History").await;
    has(&other.sees("1 command.").await, &["Fault armed: silent=3600000,ins=20"]);
    other.0.close().await.unwrap();
    assert!(!works.is_finished(), "it works all the time");
    browser.press_here("Pull out").await;
    assert!(works.join().unwrap(), "pulled out in the middle");
    browser.sees("card is out").await;
    stays(&browser).await;
    browser.0.close().await.unwrap();
}

/// Keys, certificates and objects of a card, and nothing that is not everybody's.
#[tokio::test]
async fn what_is_on_a_card_is_shown() {
    let (driver, bench) = (Driver::start(), Bench::with(&["nist-piv,name=Anna,pin=123456,owner=Anna Berg,9a=new:p256"]));
    let browser = bench.open(&driver, "anna").await;
    browser.0.find(Locator::LinkText("What is on it")).await.unwrap().click().await.unwrap();
    let shown = browser.sees("Keys and certificates").await;
    has(&shown, &["9A", "Anna Berg", "until 2049-12-31", "p256", "bytes are free", "5FC105", "not everybody's to read"]);
    // The same for a program, and without a script; a card that is gone says so.
    let contents =
        bench.up.sh(&bench.lab, "curl -sS --unix-socket $PCSCLITE_CSOCK_NAME.control http://cardlab/v1/readers/0/contents");
    has(&contents.ok(), &[r#""slot":"9A""#, r#""until":"2049-12-31""#]);
    stays(&browser).await;
    browser.0.close().await.unwrap();
}

/// A key file that is dropped makes a new card with its key; one that is none is refused in words, and nothing is changed.
#[tokio::test]
async fn a_key_file_is_dropped_and_makes_a_card() {
    let (driver, bench) = (Driver::start(), Bench::with(&["gids,name=Anna,pin=123456"]));
    let made = "openssl ecparam -name prime256v1 -genkey -noout | openssl pkcs8 -topk8 -nocrypt -out key.pem && \
                openssl req -x509 -key key.pem -subj '/CN=Dropped Berg' -days 30 -out cert.pem && \
                openssl pkcs12 -export -inkey key.pem -in cert.pem -passout pass:sesame -out key.p12";
    bench.up.sh(&bench.lab, made).ok();
    let browser = bench.open(&driver, "anna").await;
    browser.open("More…").await;
    // Onto the reader, or onto the fields themselves.
    let drop = "const [name, digits, onto] = arguments; const bytes = Uint8Array.from(digits.match(/../g) ?? [], (two) => parseInt(two, 16)); \
                const data = new DataTransfer(); data.items.add(new File([bytes], name)); \
                document.querySelector(onto).dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }))";
    let digits = |name: &str| hex::encode(std::fs::read(bench.lab.file(name)).unwrap());
    let dropped = async |name: &str, digits: &str, onto: &str| {
        browser.0.execute(drop, vec![json!(name), json!(digits), json!(onto)]).await.unwrap();
    };
    browser.type_into("new-0", "nist-piv,pin=1234567").await;
    for (name, contents, password, why) in [
        ("empty.pem", "", "", "empty.pem: "),
        ("letter.txt", "446561722042657267", "", "letter.txt: "),
        ("key.ppk", &*hex::encode("PuTTY-User-Key-File-3: ecdsa"), "", "puttygen"),
        ("key.p12", &*digits("key.p12"), "wrong", "key.p12: "),
    ] {
        dropped(name, contents, ".of-key").await;
        browser.type_into("key-password-0", password).await;
        browser.press_here("New card").await;
        browser.sees(why).await;
        browser.sees_in("#told-0", why).await;
        has(&bench.card(&["show"]).ok(), &["gids "]);
    }
    // One that no browser could read whole: 3 GiB, of which nothing is sent.
    let long = "const file = new File([], 'long.pem'); Object.defineProperty(file, 'size', { value: 3 * 2 ** 30 }); \
                Object.defineProperty(document.querySelector('#key-0'), 'files', { value: [file], configurable: true })";
    browser.0.execute(long, vec![]).await.unwrap();
    browser.press_here("New card").await;
    browser.sees("long.pem has 3072.0 MiB; a file here has at most 1. Nothing was done.").await;
    has(&bench.card(&["show"]).ok(), &["gids "]);
    browser.0.execute("delete document.querySelector('#key-0').files", vec![]).await.unwrap();
    // What is of the reader, and would have no effect, is refused.
    for setting in ["name=Berg", "pin-pad=on", "usb=0E0F:0004"] {
        let said = bench.card(&["new", &format!("nist-piv,{setting}")]).code(2);
        has(&said, &["is of the reader, which stays as it is"]);
    }
    // The right one, in the slot that is said.
    dropped("key.p12", &digits("key.p12"), "#now-0").await;
    browser.type_into("slot-0", "9d").await;
    browser.type_into("key-password-0", "sesame").await;
    browser.press_here("New card").await;
    browser.sees("New card: done.").await;
    let page = browser.page().await;
    has(&page, &["cardlab card new nist-piv,pin=1234567,9d=FILE:file:PASSWORD_FILE --reader 'Anna 00 00'"]);
    assert!(!page.contains("sesame"));
    let contents = "curl -sS --unix-socket $PCSCLITE_CSOCK_NAME.control http://cardlab/v1/readers/0/contents";
    let contents: Value = serde_json::from_str(&bench.up.sh(&bench.lab, contents).ok()).unwrap();
    assert_eq!((&contents["slots"][0]["slot"], &contents["slots"][0]["algorithm"]), (&json!("9D"), &json!("p256")), "{contents}");
    has(&contents.to_string(), &["Dropped Berg"]);
    // The command that stands there makes the same, and so does the request.
    let file = bench.lab.file("key.p12");
    bench.card(&["new", &format!("nist-piv,9a={}:pass:sesame", file.display())]).ok();
    let line = "base64 -w0 key.p12 | P=sesame jq -R '{\"card\":\"nist-piv\",\"key_file\":.,\"key_password\":env.P}' | \
                curl -sS --unix-socket $PCSCLITE_CSOCK_NAME.control -X PUT --json @- http://cardlab/v1/readers/0/card";
    has(&bench.up.sh(&bench.lab, line).ok(), &["nist-piv"]);
    has(
        &bench.up.sh(&bench.lab, "curl -sS --unix-socket $PCSCLITE_CSOCK_NAME.control http://cardlab/v1/readers/0/contents").ok(),
        &["9A"],
    );
    stays(&browser).await;
    browser.0.close().await.unwrap();
}

/// Opens the list of what becomes of a snapshot's secrets; it is `window.list`.
async fn opens_list(browser: &Browser) {
    browser.0.execute("document.querySelector('#more-0').open = true", vec![]).await.unwrap();
    let list = async || browser.0.wait().for_element(Locator::Css("#secrets-0")).await?.click().await;
    browser.settled(list).await;
    let script = "
        const list = document.getElementById('secrets-0');
        window.list = list;
        if (!list.matches(':open')) list.showPicker();
        return list.matches(':open');";
    assert_eq!(browser.0.execute(script, vec![]).await.unwrap(), json!(true), "the list is open");
}

/// Presses Escape.
async fn escapes(browser: &Browser) {
    let keys =
        KeyActions::new("keys".into()).then(KeyAction::Down { value: '\u{E00C}' }).then(KeyAction::Up { value: '\u{E00C}' });
    browser.0.perform_actions(keys).await.unwrap();
}

/// A list that somebody chooses from stays open while its reader changes under it; what has changed is drawn when it is closed.
#[tokio::test]
async fn an_open_list_stays_open() {
    let (driver, bench) = (Driver::start(), Bench::with(&["gids,name=Anna,pin=123456"]));
    let browser = bench.open(&driver, "anna").await;
    opens_list(&browser).await;
    let context = Context::establish_at(&bench.up.socket()).unwrap();
    let mut card = context.connect("Anna 00 00", ShareMode::Shared).unwrap();
    answers(&mut card, SELECT_GIDS, 0x9000);
    answers(&mut card, WRONG_PIN, 0x63C2);
    browser.sees_in("#now-0", "2 of 3").await;
    let open = "return window.list.isConnected && window.list.matches(':open')";
    assert_eq!(browser.0.execute(open, vec![]).await.unwrap(), json!(true), "it is closed by what has changed");
    // Chosen: what has changed meanwhile is drawn, with what was chosen.
    let chosen =
        "window.list.value = 'clear'; window.list.dispatchEvent(new Event('change', { bubbles: true })); window.list.blur()";
    browser.0.execute(chosen, vec![]).await.unwrap();
    escapes(&browser).await;
    let drawn = async || {
        let drawn = "return !window.list.isConnected && document.getElementById('secrets-0').value === 'clear'";
        browser.0.execute(drawn, vec![]).await.unwrap() == json!(true)
    };
    let waited = tokio::time::timeout(PATIENCE, async { while !drawn().await {} }).await;
    assert!(waited.is_ok(), "what has changed under a list is drawn when it is closed");
    stays(&browser).await;
    browser.0.close().await.unwrap();
}

/// What is drawn after an open list is what came last: also where that is what was drawn before the list was opened, and where it
/// comes when the list is closed and nobody has looked at it yet.
#[tokio::test]
async fn what_came_last_under_an_open_list_is_drawn() {
    let (driver, bench) = (Driver::start(), Bench::with(&["gids,name=Anna"]));
    let browser = bench.open(&driver, "anna").await;
    let told = "
        window.told = {};
        for (const word of ['A', 'B', 'C', 'D']) {
          const copy = document.getElementById('do-0').cloneNode(true);
          copy.dataset.told = word;
          window.told[word] = copy.outerHTML;
        }
        part(window.told.A);
        return document.getElementById('do-0').dataset.told;";
    assert_eq!(browser.0.execute(told, vec![]).await.unwrap(), json!("A"));
    let now = "return [document.getElementById('do-0').dataset.told, listed.size]";
    let drawn = async |told: &str| {
        let rests = async || browser.0.execute("return listed.size", vec![]).await.unwrap() == json!(0);
        let waited = tokio::time::timeout(PATIENCE, async { while !rests().await {} }).await;
        assert!(waited.is_ok(), "a closed list is looked at");
        assert_eq!(browser.0.execute(now, vec![]).await.unwrap(), json!([told, 0]));
    };
    opens_list(&browser).await;
    browser.0.execute("release(); part(window.told.B); part(window.told.A);", vec![]).await.unwrap();
    assert_eq!(browser.0.execute(now, vec![]).await.unwrap(), json!(["A", 1]), "it waits for the list");
    browser.0.execute("window.list.blur()", vec![]).await.unwrap();
    escapes(&browser).await;
    drawn("A").await;
    opens_list(&browser).await;
    // Closed as the page sees it, in the same moment.
    let closed = "
        release();
        part(window.told.C);
        const waits = listed.size;
        CSS.supports = () => false;
        part(window.told.D);
        return waits;";
    assert_eq!(browser.0.execute(closed, vec![]).await.unwrap(), json!(1), "it waits for the list");
    drawn("D").await;
    stays(&browser).await;
    browser.0.close().await.unwrap();
}
