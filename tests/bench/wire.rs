//! What programs do is seen on the bench.

use super::{Bench, SELECT_GIDS, WRONG_PIN, stays};
use crate::common::browser::{Driver, PATIENCE};
use crate::common::has;
use cardlab_pcsclite::client::{Context, ShareMode};
use fantoccini::Locator;
use serde_json::json;

/// Pip by pip, on two pages at once, with the name of the program that does it.
#[tokio::test]
async fn a_program_that_locks_a_card_is_seen_doing_it() {
    let (driver, bench) = (Driver::start(), Bench::with(&["gids,name=Anna,pin=123456"]));
    let pages = [bench.open(&driver, "one").await, bench.open(&driver, "two").await];
    let context = Context::establish_at(&bench.up.socket()).unwrap();
    let mut card = context.connect("Anna 00 00", ShareMode::Shared).unwrap();
    assert_eq!(card.transmit(SELECT_GIDS).unwrap().last_chunk(), Some(&[0x90, 0x00]));
    let me = std::fs::read_to_string("/proc/self/comm").unwrap().trim().to_owned();
    for left in [2, 1, 0] {
        assert_eq!(card.transmit(WRONG_PIN).unwrap(), [0x63, 0xC0 + left]);
        for page in &pages {
            let shown = page.sees(&format!("{left} of 3")).await;
            has(&shown, &["Held by", &me]);
            let pips = "return document.querySelector('#now-0 .pips').querySelectorAll('i:not(.gone)').length";
            assert_eq!(page.0.execute(pips, vec![]).await.unwrap(), json!(left));
        }
    }
    drop(card);
    drop(context);
    for page in pages {
        has(&page.sees("wrong, blocked").await, &["wrong, 2 left", "wrong, 1 left", "PIN blocked", &me]);
        page.sees_in("#now-0", "Held by\nnobody").await;
        stays(&page).await;
        page.0.close().await.unwrap();
    }
}

/// A program of ours is named with what it does, also after it has ended.
#[tokio::test]
async fn what_a_program_of_ours_does_is_named() {
    let (driver, bench) = (Driver::start(), Bench::with(&["gids,name=Anna,pin=123456"]));
    let browser = bench.open(&driver, "anna").await;
    bench.card(&["lock", "pin"]).ok();
    has(&browser.sees("wrong, blocked").await, &["cardlab card"]);
    browser.0.close().await.unwrap();
}

/// What is asked again and again is counted where it stands first; a pause holds rows back; two commands beside each other; a filter.
#[tokio::test]
async fn the_wire_is_read_in_peace() {
    let (driver, bench) = (Driver::start(), Bench::with(&["gids,name=Anna,pin=123456,pace=verify:400"]));
    let browser = bench.open(&driver, "anna").await;
    let context = Context::establish_at(&bench.up.socket()).unwrap();
    let mut card = context.connect("Anna 00 00", ShareMode::Shared).unwrap();
    card.transmit(SELECT_GIDS).unwrap();
    card.transmit(WRONG_PIN).unwrap();
    browser.sees("wrong, 2 left").await;
    // Each takes longer than what parts one burst from the next.
    (0..3).for_each(|_| drop(card.transmit(b"\x00\x20\x00\x80").unwrap()));
    let page = browser.sees("this 3 times, last ").await;
    assert_eq!(page.matches("status of PIN").count(), 1, "{page}");
    browser.press_here("Pause").await;
    card.transmit(WRONG_PIN).unwrap();
    browser.sees("1 of 3").await;
    let page = browser.sees("Paused; ").await;
    assert!(!page.contains("wrong, 1 left"), "{page}");
    browser.press_here("Go on").await;
    browser.sees("wrong, 1 left").await;
    // Taken apart, and beside the one before.
    let click = async |text: &str| {
        let row = format!("//tr[contains(., '{text}')]//a");
        browser.0.find(Locator::XPath(&row)).await.unwrap().click().await.unwrap();
    };
    click("wrong, 1 left").await;
    has(&browser.sees("63 C1").await, &["[6 bytes masked]"]);
    let picked = "return [...document.querySelectorAll('#rows tr[aria-selected=true]')].map((row) => row.querySelector('.badge').textContent)";
    assert_eq!(browser.0.execute(picked, vec![]).await.unwrap(), json!(["wrong, 1 left"]));
    let first = "return [...document.querySelectorAll('#rows tr')].find((row) => row.innerText.includes('wrong, 2 left')).querySelector('a').getAttribute('href').split('?')[0]";
    let first = browser.0.execute(first, vec![]).await.unwrap().as_str().unwrap().replace("/record/", "").replace('/', ".");
    browser.fill("with", &first).await;
    browser.press_here("Compare").await;
    has(&browser.sees("What stands on one side only is marked.").await, &["63 C1", "63 C2"]);
    let marked = "return [...document.querySelectorAll('.differs')].map((line) => line.innerText.trim())";
    let marked = browser.0.execute(marked, vec![]).await.unwrap().to_string();
    has(&marked, &["63 C1", "63 C2"]);
    assert!(!marked.contains("VERIFY"), "{marked}");
    // What the filter takes.
    browser.fill("status", "63c1").await;
    let seen = "return [...document.querySelectorAll('#rows tr:not([hidden])')].map((row) => row.innerText).join('|')";
    let seen = browser.0.execute(seen, vec![]).await.unwrap().to_string();
    has(&seen, &["wrong, 1 left"]);
    assert!(!seen.contains("wrong, 2 left") && !seen.contains("SELECT"), "{seen}");
    // Of which program: one of ours, and this one.
    browser.fill("status", "").await;
    bench.card(&["lock", "pin"]).ok();
    browser.sees("wrong, blocked").await;
    let me = std::fs::read_to_string("/proc/self/comm").unwrap().trim().to_owned();
    for (program, wanted) in [("CARDLAB card", "wrong, blocked"), (&*me.to_uppercase(), "wrong, 1 left")] {
        browser.fill("program", program).await;
        let by =
            "return [...document.querySelectorAll('#rows tr:not([hidden])')].map((row) => row.querySelector('.by')?.innerText)";
        let by = browser.0.execute(by, vec![]).await.unwrap();
        let by = by.as_array().unwrap();
        assert!(!by.is_empty(), "{program}");
        let is_of = |by: &serde_json::Value| by.as_str().is_some_and(|by| by.to_uppercase().contains(&program.to_uppercase()));
        assert!(by.iter().all(is_of), "{program}: {by:?}");
        let shown = "return [...document.querySelectorAll('#rows tr:not([hidden])')].map((row) => row.innerText).join('|')";
        has(&browser.0.execute(shown, vec![]).await.unwrap().to_string(), &[wanted]);
        // What is saved is what is seen; and so is what a page without a script shows.
        let saved = "const done = arguments[0]; fetch(document.querySelector('.foot a[href*=jsonl]').href).then((answer) => answer.text()).then(done)";
        let saved = browser.0.execute_async(saved, vec![]).await.unwrap();
        let lines: Vec<serde_json::Value> =
            saved.as_str().unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert!(!lines.is_empty() && lines.iter().all(|line| is_of(&line["program"])), "{program}: {saved}");
        let logged = bench.card(&["log", "--json", "--program", program]).ok();
        assert_eq!(logged.lines().count(), lines.len(), "{logged}");
    }
    stays(&browser).await;
    browser.0.close().await.unwrap();
}

/// Rows as the bench tells them, in the same moment; nothing is pressed any more, which a page hears a moment later than who presses.
const STREAM: &str = "
    release();
    const row = [...document.querySelectorAll('#rows tr[data-at]')].at(-1).cloneNode(true);
    row.removeAttribute('data-mark');
    const stream = (count) => wire(row.outerHTML.repeat(count));";

/// What is kept to find out what comes again does not grow with what comes.
#[tokio::test]
async fn a_stream_without_a_pause_is_not_kept_whole() {
    let (driver, bench) = (Driver::start(), Bench::with(&["gids,name=Anna,pin=123456"]));
    let browser = bench.open(&driver, "anna").await;
    let context = Context::establish_at(&bench.up.socket()).unwrap();
    let mut card = context.connect("Anna 00 00", ShareMode::Shared).unwrap();
    card.transmit(SELECT_GIDS).unwrap();
    card.transmit(WRONG_PIN).unwrap();
    browser.sees("wrong, 2 left").await;
    let kept = format!("{STREAM} stream(400); stream(400); return [...bursts.values()].map((known) => known.now.length);");
    let kept = browser.0.execute(&kept, vec![]).await.unwrap();
    let kept: Vec<u64> = serde_json::from_value(kept).unwrap();
    assert_eq!(kept.iter().max(), Some(&500), "{kept:?}");
    browser.0.close().await.unwrap();
}

/// What came during a pause comes once, also where the page was not looked at meanwhile; what is more than it shows is counted.
#[tokio::test]
async fn what_came_during_a_pause_comes_once() {
    let (driver, bench) = (Driver::start(), Bench::with(&["gids,name=Anna,pin=123456"]));
    let browser = bench.open(&driver, "anna").await;
    let context = Context::establish_at(&bench.up.socket()).unwrap();
    let mut card = context.connect("Anna 00 00", ShareMode::Shared).unwrap();
    card.transmit(SELECT_GIDS).unwrap();
    browser.sees("SELECT").await;
    browser.press_here("Pause").await;
    card.transmit(WRONG_PIN).unwrap();
    let waits = async |text: &str| {
        let waits = format!("return (waiting ?? []).some((row) => row.textContent.includes('{text}'))");
        let waits = async || browser.0.execute(&waits, vec![]).await.unwrap() == json!(true);
        let waited = tokio::time::timeout(PATIENCE, async { while !waits().await {} }).await;
        assert!(waited.is_ok(), "{text}");
    };
    waits("wrong, 2 left").await;
    // Another tab, and back.
    for hidden in [true, false] {
        let looks = format!(
            "Object.defineProperty(document, 'hidden', {{ value: {hidden}, configurable: true }});
            document.dispatchEvent(new Event('visibilitychange'));"
        );
        browser.0.execute(&looks, vec![]).await.unwrap();
    }
    card.transmit(WRONG_PIN).unwrap();
    waits("wrong, 1 left").await;
    browser.press_here("Go on").await;
    let page = browser.sees("wrong, 1 left").await;
    assert_eq!(page.matches("wrong, 2 left").count(), 1, "{page}");
    browser.press_here("Pause").await;
    let held = format!("{STREAM} missed(7); stream(600); return document.getElementById('held').textContent;");
    assert_eq!(browser.0.execute(&held, vec![]).await.unwrap(), json!("Paused; 607 new"));
    browser.press_here("Go on").await;
    browser.sees("108 more, too many to show one by one").await;
    let rows = "return [document.getElementById('rows').rows.length, document.querySelectorAll('#rows .missed').length]";
    assert_eq!(browser.0.execute(rows, vec![]).await.unwrap(), json!([500, 1]));
    stays(&browser).await;
    browser.0.close().await.unwrap();
}
