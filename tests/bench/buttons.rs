//! What is pressed on the bench, programs see.

use super::{Bench, SELECT_GIDS, WRONG_PIN, stays};
use crate::common::browser::Driver;
use crate::common::has;
use cardlab_pcsclite::client::{Connection, Context, Error, ShareMode};
use cardlab_pcsclite::code::ReturnCode;
use fantoccini::Locator;
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
    browser.sees("Verified").await;
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
    browser.sees("long.toml has 9.0 MiB; a snapshot has at most 8").await;
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
