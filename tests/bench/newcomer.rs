//! As a new user would: from `cardlab lab` to a card that is locked, unlocked and its trace saved, with nothing but what stands on
//! the pages and what lab has printed.

use super::stays;
use crate::common::browser::Driver;
use crate::common::site::Running;
use crate::common::{Lab, has};
use fantoccini::Locator;
use serde_json::json;

/// Each way that somebody goes is one more.
const CLICKS: u32 = 7;

#[tokio::test]
async fn a_card_is_locked_unlocked_and_saved_by_what_is_seen() {
    let lab = Lab::new("gids");
    let (driver, running) = (Driver::start(), Running::start(&lab));
    let browser = driver.browser("newcomer").await;
    browser.go(&running.bench).await;
    browser.sees_in("#now-0", "3 of 3").await;
    browser.0.execute("window.stays = true", vec![]).await.unwrap();
    let clicks = std::cell::Cell::new(0);
    let click = async |xpath: &str| {
        clicks.set(clicks.get() + 1);
        browser.settled(async || browser.0.wait().for_element(Locator::XPath(xpath)).await?.click().await).await;
    };
    // Locked, where what asks says what comes of it.
    click("//section[@id='reader-0']//summary[.='Lock…']").await;
    click("//section[@id='reader-0']//button[.='Lock PIN']").await;
    browser.sees_in("#now-0", "PIN blocked").await;
    // What was asked is folded again: nothing that locks more has come under the pointer.
    let folded = "return document.querySelector('#ask-0-lock[open]') === null";
    assert_eq!(browser.0.execute(folded, vec![]).await.unwrap(), json!(true));
    // Unlocked, as the card's owner does it: the way there stands on the page.
    let bench = browser.0.window().await.unwrap();
    click("//header//a[starts-with(., 'Lock screen')]").await;
    let others = async || {
        loop {
            let all = browser.0.windows().await.unwrap();
            if let Some(other) = all.into_iter().find(|window| *window != bench) {
                return other;
            }
        }
    };
    browser.0.switch_to_window(others().await).await.unwrap();
    browser.sees("your card is locked").await;
    click("//*[self::a or self::button][normalize-space()='Answer your questions']").await;
    browser.sees("Check answers").await;
    for (question, name) in browser.questions().await {
        let answer = running.said.lines().find_map(|line| line.trim().strip_prefix(question.as_str())).unwrap();
        browser.fill(&name, answer.trim()).await;
    }
    click("//button[.='Check answers']").await;
    browser.sees("Confirm new PIN").await;
    for (question, name) in browser.questions().await {
        if question.contains("PIN") {
            browser.fill(&name, "654321").await;
        }
    }
    click("//button[.='Unlock']").await;
    browser.0.switch_to_window(bench).await.unwrap();
    browser.sees_in("#now-0", "3 of 3").await;
    // And its trace saved.
    click("//p[contains(@class, 'foot')]//a[.='text']").await;
    assert_eq!(clicks.get(), CLICKS);
    let saved =
        "const done = arguments[0]; fetch(document.querySelector('.foot a').href).then((answer) => answer.text()).then(done)";
    let saved = browser.0.execute_async(saved, vec![]).await.unwrap();
    has(saved.as_str().unwrap(), &["VERIFY, PIN", "63 C0", "bytes masked"]);
    stays(&browser).await;
    for width in [1280, 375] {
        browser.0.set_window_size(width, 900).await.unwrap();
        browser.picture(&format!("newcomer-{width}")).await;
    }
    browser.fits().await;
    browser.is_accessible().await;
    browser.0.close().await.unwrap();
}

/// Two quick clicks are one where the second would lock more than was meant.
#[tokio::test]
async fn a_double_click_locks_once() {
    let lab = Lab::new("gids");
    let (driver, running) = (Driver::start(), Running::start(&lab));
    let browser = driver.browser("newcomer").await;
    browser.go(&running.bench).await;
    browser.sees_in("#now-0", "5 of 5").await;
    browser.0.execute("document.querySelector('#ask-0-lock').open = true", vec![]).await.unwrap();
    // As a browser tells of it: the second says that it is the second, wherever it comes to.
    let twice = "const second = new MouseEvent('click', { bubbles: true, cancelable: true, detail: 2 }); \
                 return document.querySelector('#b-0-lock-admin-yes').dispatchEvent(second)";
    assert_eq!(browser.0.execute(twice, vec![]).await.unwrap(), json!(false), "it is not taken");
    browser.press_here("Lock PIN").await;
    browser.sees_in("#now-0", "PIN blocked").await;
    browser.sees_in("#now-0", "5 of 5").await;
    browser.0.close().await.unwrap();
}
