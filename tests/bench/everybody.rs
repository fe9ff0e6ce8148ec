//! The bench for everybody: small windows, dark pages, a keyboard.

use crate::common::Lab;
use crate::common::browser::Driver;
use crate::common::site::Running;
use fantoccini::Locator;
use fantoccini::key::Key;
use serde_json::json;

/// Without a pointer, on a telephone, at 200 %, in the dark: nothing is wider than the window, no rule is broken.
#[tokio::test]
async fn for_everybody() {
    let lab = Lab::new("gids");
    let (driver, running) = (Driver::start(), Running::start(&lab));
    for (name, browser) in [("light", driver.browser("light").await), ("dark", driver.dark_browser("dark").await)] {
        browser.go(&running.bench).await;
        browser.sees("Clara").await;
        running.cardlab(&["card", "state", "pin-blocked", "--reader", "Boris"]).ok();
        browser.sees("PIN blocked").await;
        browser.open_all().await;
        browser.is_accessible().await;
        browser.fits().await;
        // Nothing sticks out of its box, at either width.
        for width in [375, 1280] {
            browser.0.set_window_size(width, 900).await.unwrap();
            let out = "return [...document.querySelectorAll('.box')].flatMap((box) => [...box.querySelectorAll('*')].filter((one) => \
                       one.checkVisibility() && one.getBoundingClientRect().right > box.getBoundingClientRect().right + 0.5 \
                       && !one.closest('.unseen')).map((one) => one.outerHTML))";
            assert_eq!(browser.0.execute(out, vec![]).await.unwrap(), json!([]), "{width}");
        }
        browser.picture(&format!("bench-{name}-open")).await;
        browser.go(&format!("{}/", running.bench.rsplit_once('/').unwrap().0)).await;
        browser.sees("PIN blocked").await;
        // A card that a program is locking, and one of its commands taken apart.
        running.cardlab(&["card", "state", "fresh", "--reader", "Anna"]).ok();
        running.cardlab(&["card", "lock", "pin", "--tries", "1", "--reader", "Anna"]).ok();
        browser.sees("last PIN try").await;
        browser.sees("wrong, 1 left").await;
        let row = Locator::XPath("//tr[contains(., 'wrong, 1 left')]//a");
        browser.0.find(row).await.unwrap().click().await.unwrap();
        browser.sees("63 C1").await;
        browser.is_accessible().await;
        browser.picture(&format!("bench-{name}")).await;
        // 200 % of a window of 1280 is one of 640.
        browser.0.set_window_size(640, 800).await.unwrap();
        let over = "return document.documentElement.scrollWidth - document.documentElement.clientWidth";
        assert_eq!(browser.0.execute(over, vec![]).await.unwrap(), json!(0));
        browser.0.set_window_size(375, 800).await.unwrap();
        browser.picture(&format!("bench-{name}-375")).await;
        browser.0.set_window_size(1280, 900).await.unwrap();
        // By the keyboard: the button that has the focus is told, pressed, and keeps the focus.
        browser.0.execute("document.getElementById('b-0-remove').focus()", vec![]).await.unwrap();
        browser.sees("cardlab card remove --reader 'Anna 00 00'").await;
        if name == "light" {
            browser.picture("bench").await;
        }
        browser.0.active_element().await.unwrap().send_keys(&String::from(char::from(Key::Enter))).await.unwrap();
        browser.sees("card is out").await;
        browser.0.execute("document.getElementById('b-0-insert').focus()", vec![]).await.unwrap();
        browser.0.active_element().await.unwrap().send_keys(" ").await.unwrap();
        browser.sees_no_more("card is out").await;
        browser.0.close().await.unwrap();
    }
}
