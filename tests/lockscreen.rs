//! The lock screen in a headless Chromium, as people meet it.

use crate::common::browser::{Browser, Driver};
use crate::common::site::{Http, Running, right};
use crate::common::{CARDLAB, Lab, STATE, Up, has};
use cardlab_pcsclite::client::{Context, ShareMode};
use cardlab_server_stub::service::setup::sample;
use std::path::Path;
use std::process::Command;

/// A lab, and a person before its lock screen.
struct Room {
    running: Running,
    driver: Driver,
    browser: Browser,
    _lab: Lab,
}

impl Room {
    async fn open() -> Self {
        let lab = Lab::new("gids");
        let running = Running::start(&lab);
        let driver = Driver::start();
        let browser = driver.browser("anna").await;
        browser.go(&running.lockscreen).await;
        Self { running, driver, browser, _lab: lab }
    }

    fn card(&self, arguments: &[&str]) -> String {
        self.running.cardlab(&[&["card"], arguments].concat()).ok()
    }

    /// Brings a sample user's card to a state, at once.
    fn state(&self, reader: &str, state: &str) {
        self.card(&["state", state, "--reader", reader]);
    }

    async fn set_answers(&self) {
        let server = self.running.server.clone();
        let set = move || Http::at(&server).set_answers("lab\\anna", "anna-password");
        tokio::task::spawn_blocking(set).await.unwrap();
    }

    /// A window in a session for the card in this reader; its address is on the line that says that it is up.
    fn window(&self, options: &[&str]) -> Up {
        let mut window = Command::new(CARDLAB);
        window.env(STATE[0], STATE[1]).args(["lockscreen", "--listen", "127.0.0.1:0", "--online", &self.running.server]);
        Up::from(window.args(options).env("PCSCLITE_CSOCK_NAME", &self.running.socket))
    }

    /// Types a response and a new PIN.
    async fn respond(&self, response: &str, pin: &str, confirmation: &str) {
        self.browser.fill("response0", response).await;
        self.new_pin(pin, confirmation).await;
    }

    async fn new_pin(&self, pin: &str, confirmation: &str) {
        self.browser.fill("pin", pin).await;
        self.browser.fill("confirmation", confirmation).await;
        self.browser.press("Unlock").await;
    }

    /// Anna has no answers any more.
    async fn reset_answers(&self) {
        let server = self.running.server.clone();
        let reset = move || Http::at(&server).reset_answers("anna");
        tokio::task::spawn_blocking(reset).await.unwrap();
    }

    /// The code on the page, without blanks.
    async fn code(&self) -> String {
        self.browser.text("#challenge").await.replace(' ', "")
    }

    fn tries(&self, reader: &str) -> (u64, u64) {
        let text = self.running.cardlab(&["card", "status", "--reader", reader, "--json"]).ok();
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        let left = |key: &str| value[key]["tries_left"].as_u64().unwrap_or(99);
        (left("pin"), left("admin_key"))
    }

    async fn close(self) {
        self.browser.0.close().await.unwrap();
    }
}

/// Keeps a picture of a window of this width, in which all of the page is.
async fn picture(browser: &Browser, name: &str, width: u32) {
    browser.0.set_window_size(width, 960).await.unwrap();
    browser.picture(name).await;
}

#[tokio::test]
async fn the_code_is_there_the_moment_the_pin_is_blocked() {
    let room = Room::open().await;
    let anna = &room.browser;
    room.reset_answers().await;
    for left in ["2 tries left", "1 try left", "card is locked"] {
        anna.fill("pin", "999999").await;
        anna.press("Sign in").await;
        anna.sees(left).await;
    }
    let page = anna.sees_no_more("Asking the server").await;
    has(&page, &["The PIN was entered wrongly three times. Card ···", "Call the service desk", "Check code", "5 responses left"]);
    assert_eq!(room.code().await.len(), 16);
    // No answers are set: nothing is offered that cannot work.
    assert!(!page.contains("Answer your questions"), "{page}");
    anna.is_accessible().await;
    anna.fits().await;
    room.set_answers().await;
    anna.go(&room.running.lockscreen).await;
    // Another look is another answer of the server.
    room.card(&["reset", "--reader", "Anna"]);
    anna.sees("Another program reset the card; its code is dead. Here is a new one.").await;
    room.close().await;
}

#[tokio::test]
async fn the_card_that_was_pulled_out_is_waited_for_at_every_state() {
    let room = Room::open().await;
    let anna = &room.browser;
    room.set_answers().await;
    room.state("Boris", "pin-blocked");
    let before = room.tries("Boris");
    let out_and_in = async |and_then: &str| {
        room.card(&["remove", "--reader", "Anna"]);
        let page = anna.sees("Put the card ···").await;
        assert!(page.contains("Any reader will do.") && !page.contains("Challenge data"), "{page}");
        anna.is_accessible().await;
        room.card(&["insert", "--reader", "Anna"]);
        anna.sees(and_then).await
    };
    anna.sees("3 tries left").await;
    out_and_in("3 tries left").await;
    anna.fill("pin", "123456").await;
    anna.press("Sign in").await;
    anna.sees("The PIN is right.").await;
    out_and_in("3 tries left").await;
    room.state("Anna", "pin-blocked");
    anna.sees("Check code").await;
    let first = room.code().await;
    let page = out_and_in("Check code").await;
    assert!(page.contains("The card was pulled out: the code of before is dead"), "{page}");
    assert_ne!(room.code().await, first);
    for state in ["Your security questions", "Choose a new PIN"] {
        anna.press("Answer your questions").await;
        anna.sees("Your security questions").await;
        if state == "Choose a new PIN" {
            let question = anna.questions().await.remove(0).0;
            anna.fill("answer0", &right(&question)).await;
            anna.press("Check answers").await;
        }
        anna.sees(state).await;
        out_and_in("Check code").await;
    }
    // In another reader it is the same card; and Boris' was never taken, nor asked anything.
    let before_swap = anna.text("#challenge").await;
    room.card(&["swap", "Boris", "--reader", "Anna"]);
    anna.sees_no_more(&before_swap).await;
    anna.sees("Check code").await;
    let page = anna.page().await;
    assert!(page.contains("card is locked"), "{page}");
    assert_eq!(room.tries("Anna"), before, "Boris' card lies in that reader now");
    // Chosen, it is.
    let others = anna.0.find_all(fantoccini::Locator::Css("nav.cards button")).await.unwrap();
    assert_eq!(others.len(), 2);
    room.close().await;
}

#[tokio::test]
async fn a_held_reader_freezes_nothing_and_is_named() {
    let room = Room::open().await;
    let anna = &room.browser;
    anna.sees("3 tries left").await;
    let context = Context::establish_at(Path::new(&room.running.socket)).unwrap();
    let reader = context.readers().unwrap().into_iter().find(|r| r.name.starts_with("Anna")).unwrap().name;
    let mut other = context.connect(&reader, ShareMode::Shared).unwrap();
    other.begin().unwrap();
    anna.fill("pin", "123456").await;
    anna.press("Sign in").await;
    anna.sees(&format!("Another program is using the card in {reader}. Waiting for it.")).await;
    anna.is_accessible().await;
    anna.press("Cancel").await;
    anna.sees("Given up. Nothing was sent to the card.").await;
    anna.fill("pin", "123456").await;
    anna.press("Sign in").await;
    anna.sees("Waiting for it.").await;
    other.end(cardlab_pcsclite::client::Disposition::Leave).unwrap();
    anna.sees("The PIN is right.").await;
    room.close().await;
}

#[tokio::test]
async fn switched_off_there_is_no_code() {
    let room = Room::open().await;
    let server = room.running.server.clone();
    let off = move || {
        let http = Http::at(&server);
        let token = http.log_in("admin", "admin-password");
        let policies = http.get("/api/v1/policies", &token);
        let mut settings = policies[0]["settings"].clone();
        settings["workflow"]["unblock_card_offline"] = false.into();
        http.put(&format!("/api/v1/policies/{}", policies[0]["id"].as_str().unwrap()), &token, &settings);
    };
    tokio::task::spawn_blocking(off).await.unwrap();
    room.set_answers().await;
    room.state("Anna", "pin-blocked");
    let page = room.browser.sees("Unblock card offline").await;
    assert!(!page.contains("Check code") && page.contains("Answer your questions"), "{page}");
    room.browser.is_accessible().await;
    room.close().await;
}

#[tokio::test]
async fn nothing_typed_is_lost_and_nothing_is_done_twice() {
    let room = Room::open().await;
    let anna = &room.browser;
    room.state("Anna", "pin-blocked");
    anna.sees("Check code").await;
    let code = room.code().await;
    // As it is spoken and pasted: blanks, dashes, lower case, a Cyrillic letter.
    anna.fill("response0", "88be-354d 2e0b 286А").await;
    let page = anna.sees("Compare it with your operator.").await;
    assert!(page.contains("Check code ") && page.contains("Cyrillic letters were read as the Latin ones"), "{page}");
    let typed = async || {
        let script = "return [...document.querySelectorAll('.fields input')].map(i => i.value).join(' ')";
        anna.0.execute(script, vec![]).await.unwrap()
    };
    assert_eq!(typed().await, "88BE 354D 2E0B 286A");
    room.new_pin("471147", "471148").await;
    anna.sees("The confirmation differs from the new PIN.").await;
    assert_eq!(typed().await, "88BE 354D 2E0B 286A");
    assert_eq!(room.code().await, code);
    anna.is_accessible().await;
    // Reload and Back keep it too: a form answers with another page.
    anna.0.refresh().await.unwrap();
    anna.sees("The confirmation differs from the new PIN.").await;
    assert_eq!(typed().await, "88BE 354D 2E0B 286A");
    // What happens at another card takes nothing from what is being typed.
    anna.fill("pin", "4711").await;
    room.card(&["remove", "--reader", "Boris"]);
    let gone = tokio::time::timeout(std::time::Duration::from_secs(20), async {
        while anna.0.find_all(fantoccini::Locator::Css("nav.cards button")).await.unwrap().len() != 1 {}
    });
    gone.await.unwrap();
    let pin = anna.0.execute("return document.getElementById('pin').value", vec![]).await.unwrap();
    assert_eq!(pin, "4711");
    assert_eq!(room.tries("Anna"), (0, 5), "nothing was sent to the card");
    // The same form twice: one try, not two.
    anna.fill("confirmation", "4711").await;
    let twice = "const form = document.querySelector('form[action=\"/do/respond\"]'); const body = new URLSearchParams(new FormData(form));
        const done = arguments[0]; Promise.all([1, 2].map(() => fetch(form.action, {method: 'POST', body, redirect: 'manual'}))).then(() => done(1))";
    anna.0.execute_async(twice, vec![]).await.unwrap();
    anna.sees("The response was wrong; 4 tries left.").await;
    assert_eq!(room.tries("Anna"), (0, 4));
    room.close().await;
}

#[tokio::test]
async fn the_last_response_asks_again_and_a_lost_card_says_so() {
    let room = Room::open().await;
    let anna = &room.browser;
    room.card(&["lock", "admin", "--tries", "1", "--reader", "Anna"]);
    room.state("Anna", "pin-blocked");
    anna.sees("Check code").await;
    let respond = async || {
        room.respond("88BE 354D 2E0B 2869", "471147", "471147").await;
        anna.sees("This is the last response that the card takes").await;
    };
    anna.sees("1 response left before the card is lost for good.").await;
    respond().await;
    anna.is_accessible().await;
    anna.press("Cancel").await;
    anna.sees("Check code").await;
    assert_eq!(room.tries("Anna"), (0, 1));
    respond().await;
    anna.press("Use the last response").await;
    let page = anna.sees("card cannot be unlocked any more").await;
    has(&page, &["The response was wrong, and it was the last", "Ask for a replacement."]);
    anna.is_accessible().await;
    assert_eq!(room.tries("Anna"), (0, 0));
    room.close().await;
}

/// A newcomer unlocked the card in a terminal, and the page went on saying that it is locked, with a code that was dead, also when
/// it was loaded again; the other cards stood there as they had been put in.
#[tokio::test]
async fn what_other_programs_do_to_the_cards_is_on_the_page() {
    let room = Room::open().await;
    let anna = &room.browser;
    room.set_answers().await;
    let others = async || anna.text("nav.cards").await;
    anna.sees("3 tries left").await;
    assert!(!others().await.contains("Locked."), "{}", others().await);
    room.card(&["lock", "pin", "--reader", "Boris"]);
    anna.0.refresh().await.unwrap();
    anna.sees_in("nav.cards", "Locked.").await;
    assert!(others().await.contains("Not locked, 3 tries left."), "{}", others().await);
    // At the code, and at the questions.
    for step in ["Check code", "Your security questions"] {
        room.card(&["lock", "pin", "--reader", "Anna"]);
        anna.sees("Check code").await;
        if step != "Check code" {
            anna.sees("Answer your questions").await;
            anna.press("Answer your questions").await;
        }
        anna.sees(step).await;
        let mut tool = crate::serve::unlock(&room.running.socket, &["--reader", "Anna", "--online", &room.running.server]);
        let question = tool.question();
        tool.enters(&right(&question));
        for asked in ["New PIN (4 to 16 characters): ", "Confirm new PIN: "] {
            tool.sees(asked);
            tool.enters("471147");
        }
        tool.sees("Unlocked. The new PIN is set.");
        tool.ends();
        let page = anna.sees("Another program has unlocked the card.").await;
        has(&page, &["Hello, Anna", "3 tries left"]);
        assert!(!page.contains("Check code") && !page.contains(step), "{page}");
        anna.0.refresh().await.unwrap();
        anna.sees("Another program has unlocked the card.").await;
        anna.is_accessible().await;
    }
    assert_eq!(room.tries("Anna"), (3, 5));
    // The Unlock tool's two steps leave a challenge in the card with nobody there: it is not taken away.
    room.card(&["lock", "pin", "--reader", "Anna"]);
    anna.sees("Check code").await;
    room.running.cardlab(&["unlock", "--reader", "Anna", "--challenge"]).ok();
    let page = anna.sees("Another program has taken a new code from the card: the one of before is dead.").await;
    has(&page, &["card is locked", "There is no code now.", "Try again", "Answer your questions"]);
    anna.is_accessible().await;
    anna.is_seen("overtaken").await;
    anna.press("Try again").await;
    anna.sees("Check code").await;
    // A program that resets the card when it is done.
    room.state("Clara", "pin-blocked");
    let up = room.window(&["--in-session", "--reader", "Clara"]);
    let german = room.driver.german_browser("elsewhere").await;
    german.go(up.ready.strip_prefix("ready ").unwrap()).await;
    german.sees("Diese Karte wird mit ihrer PUK entsperrt.").await;
    let mut other = Command::new("yubico-piv-tool");
    other.args(["-r", "Clara", "-a", "unblock-pin", "-P", "12345678", "-N", "135790"]);
    let said = other.env("PCSCLITE_CSOCK_NAME", &room.running.socket).output().unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let page = german.sees("Ein anderes Programm hat die Karte entsperrt.").await;
    has(&page, &["Karte ist nicht gesperrt"]);
    german.is_seen("unlocked-elsewhere").await;
    german.0.close().await.unwrap();
    drop(up);
    room.close().await;
}

#[tokio::test]
async fn the_puk_way_in_a_window_of_a_session() {
    let room = Room::open().await;
    let anna = &room.browser;
    room.state("Clara", "pin-blocked");
    let up = room.window(&["--in-session", "--reader", "Clara"]);
    anna.go(up.ready.strip_prefix("ready ").unwrap()).await;
    let page = anna.sees("This card is unlocked with its PUK.").await;
    assert!(page.contains("Unlock card") && !page.contains("Sign in"), "{page}");
    anna.is_accessible().await;
    anna.press("Unlock with your PUK").await;
    anna.fill("puk", "87654321").await;
    anna.fill("pin", "135790").await;
    anna.fill("confirmation", "135790").await;
    anna.is_accessible().await;
    anna.press("Unlock").await;
    anna.sees("Wrong PUK; 2 tries left.").await;
    anna.fill("puk", "12345678").await;
    room.new_pin("135790", "135790").await;
    anna.sees("The card is unlocked").await;
    anna.press("OK").await;
    anna.sees("card is not locked").await;
    drop(up);
    room.close().await;
}

#[tokio::test]
async fn keyboard_zoom_and_narrow_windows() {
    let room = Room::open().await;
    let anna = &room.browser;
    room.set_answers().await;
    anna.sees("3 tries left").await;
    // The field has the focus; Enter sends; Esc cancels.
    let keys = async |keys: &str| {
        let focused = "return document.readyState === 'complete' && document.activeElement.tagName === 'INPUT'";
        let ready = async { while anna.0.execute(focused, vec![]).await.ok() != Some(true.into()) {} };
        tokio::time::timeout(std::time::Duration::from_secs(20), ready).await.expect("a field with the focus");
        anna.0.active_element().await.unwrap().send_keys(keys).await.unwrap();
    };
    for left in ["2 tries left", "1 try left", "Check code"] {
        keys("999999\n").await;
        anna.sees(left).await;
    }
    anna.sees("Answer your questions").await;
    anna.press("Answer your questions").await;
    anna.sees("Your security questions").await;
    keys("nothing\n").await;
    anna.sees("That is not right.").await;
    keys("\u{e00c}").await;
    anna.sees("Check code").await;
    picture(anna, "lock-screen", 1280).await;
    picture(anna, "lock-screen-narrow", 375).await;
    // 200 % zoom of a window of 1280 pixels is one of 640.
    for width in [320, 375, 640, 1280] {
        anna.0.set_window_size(width, 900).await.unwrap();
        let over = anna.0.execute("return document.documentElement.scrollWidth - innerWidth", vec![]).await.unwrap();
        assert!(over.as_i64().unwrap() <= 0, "{over} pixels too wide at {width}");
    }
    anna.is_accessible().await;
    room.close().await;
}

/// Back and reload show what is, at every page, and ask for no confirmation of a form.
#[tokio::test]
async fn back_and_reload_show_what_is() {
    let room = Room::open().await;
    let anna = &room.browser;
    room.set_answers().await;
    let back_and_reload = async |what: &str| {
        anna.sees(what).await;
        // A page further, and back to the one that the form led to.
        anna.go(&format!("{}/?again", room.running.lockscreen)).await;
        anna.sees(what).await;
        anna.0.back().await.unwrap();
        anna.sees(what).await;
        anna.0.refresh().await.unwrap();
        let page = anna.sees(what).await;
        assert!(!page.contains("Confirm Form Resubmission"), "{page}");
        let posted = "return performance.getEntriesByType('navigation')[0].name";
        let address = anna.0.execute(posted, vec![]).await.unwrap();
        assert_eq!(address.as_str().unwrap().trim_end_matches('/'), room.running.lockscreen.trim_end_matches('/'));
    };
    anna.fill("pin", "999999").await;
    anna.press("Sign in").await;
    back_and_reload("2 tries left").await;
    room.state("Anna", "pin-blocked");
    back_and_reload("Answer your questions").await;
    anna.press("Answer your questions").await;
    back_and_reload("Your security questions").await;
    let question = anna.questions().await.remove(0).0;
    anna.fill("answer0", &right(&question)).await;
    anna.press("Check answers").await;
    back_and_reload("Choose a new PIN").await;
    room.new_pin("471147", "471147").await;
    back_and_reload("The card is unlocked").await;
    anna.press("OK").await;
    anna.fill("pin", "471147").await;
    anna.press("Sign in").await;
    back_and_reload("The PIN is right.").await;
    assert_eq!(room.tries("Anna"), (3, 5));
    room.close().await;
}

#[tokio::test]
async fn a_window_in_a_session_is_light_or_dark_as_its_user_likes() {
    let room = Room::open().await;
    room.state("Boris", "pin-blocked");
    let up = room.window(&["--in-session", "--reader", "Boris"]);
    let dark = room.driver.dark_browser("dark").await;
    let mut grounds = Vec::new();
    for browser in [&room.browser, &dark] {
        browser.go(up.ready.strip_prefix("ready ").unwrap()).await;
        let page = browser.sees("Check code").await;
        assert!(page.starts_with("Unlock card") && !page.contains("Sign in"), "{page}");
        browser.is_accessible().await;
        browser.fits().await;
        let ground = "return getComputedStyle(document.body).backgroundColor";
        grounds.push(browser.0.execute(ground, vec![]).await.unwrap());
    }
    assert_ne!(grounds[0], grounds[1]);
    picture(&room.browser, "unlock-window", 1280).await;
    dark.0.close().await.unwrap();
    drop(up);
    room.close().await;
}

/// In the language that the browser likes; what a script says, too. On a narrow window one begins to read at the headline, where
/// one types is further down.
#[tokio::test]
async fn a_german_reader_is_told_in_german() {
    let room = Room::open().await;
    let german = room.driver.german_browser("german").await;
    german.0.set_window_size(375, 700).await.unwrap();
    german.go(&room.running.lockscreen).await;
    german.sees("Hallo, Anna").await;
    for left in ["Noch 2 Versuche.", "Noch 1 Versuch.", "Anna, Ihre Karte ist gesperrt"] {
        german.fill("pin", "999999").await;
        german.press("Anmelden").await;
        german.sees(left).await;
    }
    let page = german.sees("Oder beantworten Sie Ihre Sicherheitsfragen").await;
    has(
        &page,
        &[
            "Die PIN wurde dreimal falsch eingegeben. Karte ···",
            "Rufen Sie den Service Desk an",
            sample::DESK,
            "Anfragedaten",
            "Prüfzeichen",
            "Neue PIN, 4 bis 16 Zeichen",
            "Noch 5 Antworten, dann ist die Karte endgültig verloren.",
        ],
    );
    for english in ["Call", "code", "Check", "Unlock", "Cancel", "left", "card", "read"] {
        assert!(!page.contains(english), "{english}: {page}");
    }
    german.go(&room.running.lockscreen).await;
    german.sees("Anfragedaten").await;
    let at = "return [document.documentElement.lang, scrollY, document.activeElement.id]";
    let at = german.0.execute(at, vec![]).await.unwrap();
    assert_eq!(at, serde_json::json!(["de", 0, "response0"]));
    german.fill("response0", "12G4").await;
    german.sees("„G“ ist keine Ziffer eines Codes: nur 0 bis 9 und A bis F.").await;
    german.fill("response0", "1234").await;
    german.sees("4 von 16 Ziffern").await;
    german.fill("pin", "24681").await;
    german.fill("confirmation", "24680").await;
    german.press("Entsperren").await;
    let refused = german.sees("Die Bestätigung ist anders als die neue PIN.").await;
    has(&refused, &["4 Ziffern, aber der Code hat 16."]);
    german.is_seen("german-lock-screen").await;
    // Who reads English beside it does so.
    room.browser.sees("Anna, your card is locked").await;
    let lockscreen = room.running.lockscreen.clone();
    let refused = move || {
        let client = reqwest::blocking::Client::builder().tls_certs_only([]).no_proxy().build().unwrap();
        let asked = client.get(format!("{lockscreen}/nowhere")).header("accept-language", "de-CH, fr;q=0.9");
        let page = asked.try_clone().unwrap().header("accept", "text/html").send().unwrap();
        let said = ["content-language", "vary"].map(|name| page.headers()[name].to_str().unwrap().to_owned());
        assert_eq!(said, ["de", "accept-language"]);
        has(&page.text().unwrap(), &["<html lang=\"de\">", "Das geht nicht", "Diese Seite gibt es nicht."]);
        let problem: serde_json::Value = asked.send().unwrap().json().unwrap();
        assert_eq!(problem["message"], "There is no such page.", "programs read English");
    };
    tokio::task::spawn_blocking(refused).await.unwrap();
    german.0.close().await.unwrap();
    room.close().await;
}
