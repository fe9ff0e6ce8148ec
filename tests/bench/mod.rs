//! The bench in a browser: what is pressed there programs see, what programs do is seen there.

mod buttons;
mod door;
mod everybody;
mod flood;
mod lines;
mod lost;
mod newcomer;
mod wire;

use crate::common::browser::{Browser, Driver};
use crate::common::{CARDLAB, Lab, Said, Up, said};
use serde_json::{Value, json};
use std::process::Command;

/// Readers with a bench over them.
struct Bench {
    up: Up,
    lab: Lab,
    /// What opens it.
    address: String,
}

impl Bench {
    fn with(cards: &[&str]) -> Self {
        let lab = Lab::new("gids");
        let cards = cards.iter().flat_map(|card| ["--card", card]);
        let up = Up::start(&lab, &cards.chain(["--page"]).collect::<Vec<_>>());
        let address = up.ready.split(' ').find_map(|word| word.strip_prefix("page=")).unwrap().to_owned();
        Self { up, lab, address }
    }

    /// The address without the token.
    fn base(&self) -> &str {
        self.address.rsplit_once('/').unwrap().0
    }

    fn card(&self, arguments: &[&str]) -> Said {
        let mut command = Command::new(CARDLAB);
        command.current_dir(self.lab.path()).env("PCSCLITE_CSOCK_NAME", self.up.socket()).arg("card").args(arguments);
        said(command.env_remove("CARDLAB_CONTROL").output().unwrap())
    }

    fn tries(&self, reader: &str, what: &str) -> u64 {
        let shown: Value = serde_json::from_str(&self.card(&["show", "--json", "--reader", reader]).ok()).unwrap();
        shown[0]["card"][what]["left"].as_u64().unwrap()
    }

    /// A browser that has come in.
    async fn open(&self, driver: &Driver, name: &str) -> Browser {
        let browser = driver.browser(name).await;
        browser.go(&self.address).await;
        browser.sees("Wire").await;
        // Whoever loads the page anew loses this.
        browser.0.execute("window.stays = true", vec![]).await.unwrap();
        browser
    }
}

/// The page was not loaded anew.
async fn stays(browser: &Browser) {
    assert_eq!(browser.0.execute("return window.stays === true", vec![]).await.unwrap(), json!(true), "the page was loaded anew");
}

/// SELECT of the GIDS application, and a PIN that is wrong.
const SELECT_GIDS: &[u8] = b"\x00\xA4\x04\x00\x0B\xA0\x00\x00\x03\x97\x42\x54\x46\x59\x02\x01";
const WRONG_PIN: &[u8] = b"\x00\x20\x00\x80\x06999999";
