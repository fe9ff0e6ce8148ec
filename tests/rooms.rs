//! The rooms of the bench in a real browser: what is recorded, played, judged and told there.

use crate::common::browser::{Browser, Driver};
use crate::common::has;
use crate::record::Desk;
use fantoccini::Locator;
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};

/// A browser that has come in.
async fn open(driver: &Driver, desk: &Desk, name: &str) -> Browser {
    let browser = driver.browser(name).await;
    browser.go(desk.page()).await;
    browser.sees("Wire").await;
    browser
}

async fn room(browser: &Browser, path: &str) {
    let here = browser.0.current_url().await.unwrap();
    browser.go(here.join(path).unwrap().as_str()).await;
}

/// Presses a button that the page stays for.
async fn stays(browser: &Browser, text: &str) {
    browser.0.execute("window.stays = true", vec![]).await.unwrap();
    browser.press_here(text).await;
}

async fn stayed(browser: &Browser) {
    assert_eq!(browser.0.execute("return window.stays === true", vec![]).await.unwrap(), json!(true), "the page was loaded anew");
}

/// What a file of the bench has in it.
async fn fetched(browser: &Browser, path: &str) -> String {
    let script = "const done = arguments[1]; fetch(arguments[0]).then((answer) => answer.text()).then(done)";
    let text = browser.0.execute_async(script, vec![json!(path)]).await.unwrap();
    text.as_str().unwrap().to_owned()
}

/// What the badge at the head says, once the run is over.
async fn ended(browser: &Browser, button: &str) -> String {
    browser.sees_no_button(button).await;
    browser.text(".head .badge").await
}

/// No rule of accessibility is broken, on a telephone nothing is wider than it, and there are pictures to look at.
async fn is_for_everybody(browser: &Browser, name: &str) {
    browser.open_all().await;
    browser.is_accessible().await;
    browser.fits().await;
    for (width, height) in [(375, 900), (1280, 900)] {
        browser.0.set_window_size(width, height).await.unwrap();
        browser.picture(&format!("{name}-{width}")).await;
    }
}

#[tokio::test]
async fn what_is_done_on_the_page_becomes_a_scenario_that_holds() {
    let (driver, desk) = (Driver::start(), Desk::with(&["gids,name=Anna,pin=123456", "nist-piv,name=Boris"]));
    let browser = open(&driver, &desk, "anna").await;
    browser.follow("Scenarios").await;
    browser.press("Record").await;
    browser.sees("say that it may").await;
    browser.fill("title", "Anna locks her card").await;
    browser.0.find(Locator::Css("[name=secrets]")).await.unwrap().click().await.unwrap();
    browser.press("Record").await;
    browser.sees("Recording Anna locks her card: 0 commands").await;
    is_for_everybody(&browser, "recording").await;
    browser.follow("Bench").await;
    browser.sees("● recording").await;
    for button in ["Wrong PIN", "Pull out"] {
        browser.press_here(button).await;
        browser.sees(&format!("{button}: done.")).await;
    }
    desk.card(&["insert", "--reader", "Anna"]);
    desk.card(&["lock", "pin", "--reader", "Anna"]);
    browser.follow("Scenarios").await;
    // Another page is told, without being loaded anew.
    let other = open(&driver, &desk, "other").await;
    other.sees("● recording").await;
    browser.press("End and keep it").await;
    other.sees_no_more("● recording").await;
    other.0.close().await.unwrap();
    has(&browser.sees("Recorded here").await, &["Anna locks her card", " steps"]);
    browser.press("Play Anna locks her card").await;
    assert_eq!(ended(&browser, "End it").await, "holds");
    is_for_everybody(&browser, "recorded-played").await;
    // The file is one that the command runs as well, and that says when it is not so.
    let text = fetched(&browser, "/scenarios/recorded/recorded-1.toml").await;
    has(&text, &["title = \"Anna locks her card\"", "do = \"remove\"", "do = \"insert\"", "status = \"63C0\""]);
    has(&text, &["[card.Anna]"]);
    assert!(!text.contains("Boris"), "nothing was done to that card");
    desk.lab.write("anna.toml", &text);
    has(&desk.cardlab(&["scenario", "run", "anna.toml"]).ok(), &["holds       anna.toml: Anna locks her card"]);
    desk.lab.write("other.toml", &text.replacen("status = \"63C0\"", "status = \"63C1\"", 1));
    desk.cardlab(&["scenario", "run", "other.toml"]).code(1);
    browser.follow("Scenarios").await;
    is_for_everybody(&browser, "scenarios").await;
    browser.0.close().await.unwrap();
}

#[tokio::test]
async fn a_scenario_goes_step_by_step_with_what_is_seen_beside_it() {
    let (driver, desk) = (Driver::start(), Desk::with(&["gids,name=Anna"]));
    let browser = open(&driver, &desk, "anna").await;
    room(&browser, "/scenarios?q=online/last-try").await;
    browser.press("Step by step: online/last-try").await;
    browser.sees("waits before step 1").await;
    stays(&browser, "Next step").await;
    has(&browser.sees("1 try left.").await, &["waits before step 2", "Lock screen", "PIN"]);
    // Another is refused while this one waits, and this one goes on.
    let other = driver.browser("other").await;
    other.go(desk.page()).await;
    other.sees("Wire").await;
    room(&other, "/scenarios?q=online/happy").await;
    other.press("Play online/happy").await;
    other.sees("\"online/last-try\" is under way: let it end, or end it, and begin again.").await;
    stays(&browser, "Next step").await;
    has(&browser.sees("Challenge data").await, &["PIN_BLOCK_SEEN", "0 left", "Issued"]);
    stayed(&browser).await;
    browser.picture("step-by-step").await;
    stays(&browser, "Play the rest").await;
    assert_eq!(ended(&browser, "End it").await, "holds");
    stayed(&browser).await;
    is_for_everybody(&browser, "played").await;
    // One's own: what is wrong is said with its line, and what was typed stays.
    browser.follow("All scenarios").await;
    browser.fill("text", "title = \"x\"\n[[step]]\ndo = \"dance\"\n").await;
    browser.press("Play").await;
    browser.sees("It is no scenario: line 3, column 6, step 1: there is no action 'dance'").await;
    assert!(browser.0.find(Locator::Css("#own")).await.unwrap().prop("value").await.unwrap().unwrap().contains("dance"));
    let wrong = "title = \"Not so\"\n[[step]]\ndo = \"look\"\nexpect = { pin-left = 3 }\n";
    browser.fill("text", wrong).await;
    browser.press("Step by step").await;
    browser.sees("waits before step 1").await;
    stays(&browser, "Next step").await;
    assert_eq!(ended(&browser, "End it").await, "does not hold");
    browser.sees("tries of the PIN: expected 3, found 0").await;
    is_for_everybody(&browser, "does-not-hold").await;
    other.0.close().await.unwrap();
    browser.0.close().await.unwrap();
}

#[tokio::test]
async fn the_card_in_a_reader_is_judged() {
    let (driver, desk) = (Driver::start(), Desk::with(&["gids,name=Anna,pin=123456", "nist-piv,name=Boris"]));
    let browser = open(&driver, &desk, "anna").await;
    browser.follow("Conformance").await;
    is_for_everybody(&browser, "conformance").await;
    browser.fill("tests", "gids").await;
    browser.press("Run").await;
    let page = browser.sees("Report as a page").await;
    assert_eq!(browser.text(".head .badge").await, "no test failed", "{page}");
    has(&page, &["passed", "cardlab conform gids --target 'pcsc:Anna 00 00' --credentials FILE --html report.html"]);
    is_for_everybody(&browser, "judged").await;
    // The report is that of the command.
    desk.lab.write("card.toml", "pin = \"123456\"\nadmin-key = \"000000000000000000000000000000000000000000000000\"\n");
    let report: Value = serde_json::from_str(&fetched(&browser, &path(&browser, "report.json").await).await).unwrap();
    desk.cardlab(&["conform", "gids", "--target", "pcsc:Anna", "--credentials", "card.toml", "--json", "own.json"]).ok();
    let own: Value = serde_json::from_str(&desk.lab.read("own.json")).unwrap();
    let ends = |report: &Value| -> Vec<(String, String)> {
        let records = report["records"].as_array().unwrap();
        records.iter().map(|record| (record["id"].to_string(), record["outcome"].to_string())).collect()
    };
    assert!(ends(&report).len() > 20);
    assert_eq!(ends(&report), ends(&own));
    has(&fetched(&browser, &path(&browser, "report.html").await).await, &["<!doctype html>", "gids"]);
    // More than reading is for a card that is named.
    browser.follow("Another run").await;
    browser.fill("tests", "gids/msft-3.0").await;
    browser.0.find(Locator::Css("[name=allow]")).await.unwrap().select_by_value("locks").await.unwrap();
    browser.press("Run").await;
    let refused = browser.sees("no test is called").await;
    has(&refused, &["'gids/msft-3.0'"]);
    browser.fill("tests", "gids").await;
    browser.press("Run").await;
    let page = browser.sees("Type it, and run again.").await;
    let serial = page.split("its serial is ").nth(1).unwrap().split('.').next().unwrap().to_owned();
    browser.follow("Another run").await;
    browser.fill("tests", "gids").await;
    browser.0.find(Locator::Css("[name=allow]")).await.unwrap().select_by_value("locks").await.unwrap();
    browser.fill("serial", &serial).await;
    browser.0.find(Locator::Css("[value=typed]")).await.unwrap().click().await.unwrap();
    browser.open("Say them").await;
    browser.fill("pin", "123456").await;
    browser.fill("admin-key", "000000000000000000000000000000000000000000000000").await;
    browser.press("Run").await;
    has(&browser.sees("Report as a page").await, &["What the run may cost the card", "restored"]);
    assert_eq!(browser.text(".head .badge").await, "no test failed");
    // A card that answers otherwise: which test fails, and what was said.
    desk.card(&["fault", "status=6F00,ins=A4,nth=20", "--reader", "Boris"]);
    browser.follow("Another run").await;
    browser.0.find(Locator::Css("[name=reader]")).await.unwrap().select_by_value("Boris 01 00").await.unwrap();
    browser.fill("tests", "piv").await;
    browser.press("Run").await;
    has(&browser.sees("Report as a page").await, &["should hold", "1 failed", "6F00"]);
    assert_eq!(browser.text(".head .badge").await, "1 failed");
    is_for_everybody(&browser, "failed").await;
    browser.0.close().await.unwrap();
}

/// A file of the run whose page is open.
async fn path(browser: &Browser, file: &str) -> String {
    format!("{}/{file}", browser.0.current_url().await.unwrap().path())
}

/// A run that is stopped leaves the card as it is, and says what was not run.
#[tokio::test]
async fn a_run_is_stopped() {
    let (driver, desk) = (Driver::start(), Desk::with(&["nist-piv,name=Boris,pace=any:60"]));
    let browser = open(&driver, &desk, "boris").await;
    browser.follow("Conformance").await;
    browser.press("Run").await;
    browser.sees("1 passed").await;
    browser.picture("judging").await;
    stays(&browser, "Stop").await;
    assert_eq!(ended(&browser, "Stop").await, "stopped");
    stayed(&browser).await;
    has(&browser.page().await, &["not run", "Report as a page"]);
    // And one whose card is pulled out ends by itself.
    browser.follow("Another run").await;
    browser.press("Run").await;
    browser.sees("1 passed").await;
    desk.card(&["remove"]);
    assert_eq!(ended(&browser, "Stop").await, "1 failed");
    has(&browser.page().await, &["the card is no longer there"]);
    browser.follow("Another run").await;
    browser.sees("No reader has a card.").await;
    browser.0.close().await.unwrap();
}

/// Who has not come in, or comes from elsewhere, does nothing here; what is too long or no form is refused in words.
#[test]
fn rooms_are_behind_the_same_door() {
    let desk = Desk::with(&["gids,name=Anna"]);
    let policy = reqwest::redirect::Policy::none();
    let client = reqwest::blocking::Client::builder().redirect(policy).tls_certs_only([]).no_proxy().build().unwrap();
    let base = desk.page().rsplit_once('/').unwrap().0;
    let opened = client.get(desk.page()).send().unwrap();
    let cookie = opened.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let get = [
        "scenarios",
        "scenarios/run/1/live",
        "scenarios/recorded/recorded-1.toml",
        "conformance",
        "history",
        "history/session.html",
    ];
    for path in get {
        assert_eq!(client.get(format!("{base}/{path}")).send().unwrap().status(), 403, "{path}");
    }
    let form = [("secrets", "yes"), ("name", "online/happy"), ("reader", "Anna 00 00")];
    for path in ["scenarios/record/begin", "scenarios/record/end", "scenarios/play", "conformance/run", "conformance/run/1/stop"]
    {
        let post = || client.post(format!("{base}/{path}")).form(&form);
        assert_eq!(post().send().unwrap().status(), 403, "{path} without the cookie");
        let elsewhere = post().header("cookie", &cookie).header("origin", "http://evil.example").send().unwrap();
        assert_eq!(elsewhere.status(), 403, "{path} from another page");
    }
    has(&desk.cardlab(&["scenario", "record", "show"]).ok(), &["nothing is being recorded"]);
    // What breaks off is not what is too long.
    let host = base.strip_prefix("http://").unwrap();
    let mut cut = std::net::TcpStream::connect(host).unwrap();
    let form = "Content-Type: application/x-www-form-urlencoded\r\nAccept: text/html\r\nTransfer-Encoding: chunked";
    write!(cut, "POST /scenarios/play HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\n{form}\r\n\r\n5\r\nname=\r\nno length\r\n")
        .unwrap();
    let mut answer = String::new();
    cut.read_to_string(&mut answer).unwrap();
    has(&answer, &["HTTP/1.1 400", "The form was cut off; send it again."]);
    let sent = |path: &str, body: &str| {
        let request = client.post(format!("{base}/{path}")).header("cookie", &cookie).header("accept", "text/html");
        let answer = request.header("content-type", "application/x-www-form-urlencoded").body(body.to_owned()).send().unwrap();
        (answer.status().as_u16(), answer.text().unwrap())
    };
    let long = format!("text={}", "x".repeat(9 << 20));
    for (path, body, status, says) in [
        ("scenarios/play", &*long, 413, "That is too long; nothing was done."),
        ("scenarios/play", "name=no/such", 409, "There is no scenario &#39;no/such&#39; in the list."),
        ("scenarios/play", "recorded=7", 409, "Recording 7 is not kept any more."),
        ("scenarios/play", "recorded=x", 409, "&#39;x&#39; is no number of a recording; the first is 1."),
        ("scenarios/play", "", 409, "choose a file, or paste its text"),
        ("scenarios/record/end", "", 409, "Nothing is being recorded"),
        ("scenarios/run/9/next", "", 404, "That run is not kept any more"),
        ("conformance/run", "reader=&by=typed", 409, "No reader is chosen"),
        ("conformance/run", "reader=x&allow=anything", 409, "not &#39;anything&#39;"),
        ("conformance/run", "reader=x&by=typed&admin-key=0x", 409, "an even number of hexadecimal digits"),
    ] {
        let (code, text) = sent(path, body);
        assert_eq!(code, status, "{path} {}: {text}", &body[..body.len().min(40)]);
        has(&text, &[says]);
    }
}

#[tokio::test]
async fn the_history_is_a_page_and_a_file_for_any_browser() {
    let (driver, desk) = (Driver::start(), Desk::with(&["gids,name=Anna,pin=123456", "nist-piv,name=Boris"]));
    desk.card(&["lock", "pin", "--reader", "Anna"]);
    desk.card(&["fault", "mute,ins=20", "--reader", "Anna"]);
    desk.card(&["remove", "--reader", "Anna"]);
    desk.card(&["insert", "--reader", "Anna"]);
    desk.card(&["state", "fresh", "--reader", "Anna"]);
    desk.card(&["status", "--reader", "Boris"]);
    let browser = open(&driver, &desk, "anna").await;
    browser.follow("History").await;
    let told = ["Wrong PIN: it is locked now", "PIN: 0 tries left", "Card removed", "Card inserted", "Fault armed: mute,ins=20"];
    let page = browser.sees("2 cards: ").await;
    has(&page, &told);
    has(&page, &["Anna (0:gids)", "Boris (1:nist-piv)"]);
    is_for_everybody(&browser, "history").await;
    // What happens is told while one looks, and what one has opened stays open.
    let opened = "window.stays = true; return document.querySelectorAll('.past details[open]').length";
    let opened = browser.0.execute(opened, vec![]).await.unwrap();
    assert_ne!(opened, json!(0));
    desk.card(&["touch", "never", "--reader", "Boris"]);
    desk.card(&["unplug", "--reader", "Boris"]);
    browser.sees("Reader unplugged").await;
    let open = browser.0.execute("return document.querySelectorAll('.past details[open]').length", vec![]).await.unwrap();
    assert_eq!(open, opened, "what is open stays so");
    stayed(&browser).await;
    desk.card(&["plug", "--reader", "Boris"]);
    desk.card(&["insert", "--reader", "Boris"]);
    browser.sees("Reader plugged in").await;
    browser.0.find(Locator::Css("[name=reader]")).await.unwrap().select_by_value("0").await.unwrap();
    browser.press("Show").await;
    let page = browser.sees("One card: ").await;
    has(&page, &told);
    assert!(!page.contains("Boris ("), "{page}");
    let file = fetched(&browser, "/history/session.html?reader=0").await;
    // From a disk, with nothing else.
    desk.card(&["history", "-o", "session.html", "--reader", "Anna"]);
    assert_eq!(desk.lab.read("session.html"), file, "page and command make the same file");
    browser.go(&format!("file://{}", desk.lab.file("session.html").display())).await;
    has(&browser.sees("One card: ").await, &told);
    let loaded = browser.0.execute("return performance.getEntriesByType('resource').map((entry) => entry.name)", vec![]).await;
    assert_eq!(loaded.unwrap(), json!([]), "it has everything in it");
    browser.open("Command 11").await;
    has(&browser.page().await, &["00 20 00 80", "bytes masked"]);
    is_for_everybody(&browser, "history-file").await;
    let dark = driver.dark_browser("dark").await;
    dark.go(&format!("file://{}", desk.lab.file("session.html").display())).await;
    dark.sees("One card: ").await;
    dark.is_accessible().await;
    dark.picture("history-file-dark").await;
    dark.0.close().await.unwrap();
    browser.0.close().await.unwrap();
}
