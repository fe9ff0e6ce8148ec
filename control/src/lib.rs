//! Driving virtual readers and their cards, while programs work with them: HTTP and JSON on a Unix socket
//! beside the PC/SC socket, readable by its owner only.
//!
//! ```text
//! curl --unix-socket $CARDLAB_CONTROL http://cardlab/v1/readers
//! curl --unix-socket $CARDLAB_CONTROL -X POST http://cardlab/v1/readers/0/remove
//! ```
//! | module | what it knows |
//! |---|---|
//! | [`view`] | what is said and asked, as data |
//! | [`api`] | the routes; the document is at `/openapi.json` |
//! | [`error`] | errors, as HTTP status and JSON |
//! | [`contents`] | what is on a card |
//! | [`page`] | the same in a browser: the bench |
//! | [`hand`] | what is done to a card through PC/SC, by a client that is handed in |
//! | [`maker`] | new cards, by a maker that is handed in |
//! | [`shell`] | words as a shell takes them |
//! | [`history`] | what became of cards, as a file for any browser |
//! | [`known`] | what opens a simulated card, for who is in the same process |
//! | [`recording`] | what is done from now on, for whoever makes a scenario of it |
//! | [`secret`] | what is handed over and nobody is to find again |
//! | [`sent`] | what somebody sends, taken in whole |
//! | [`client`] | the same for programs in Rust |
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod api;
pub mod client;
pub mod contents;
pub mod error;
pub mod hand;
pub mod history;
pub mod known;
pub mod maker;
pub mod page;
pub mod recording;
pub mod secret;
pub mod sent;
pub mod shell;
pub mod view;
mod waiting;

use std::path::{Path, PathBuf};

/// The environment variable that names the control socket.
pub const CONTROL_VARIABLE: &str = "CARDLAB_CONTROL";
const ENDING: &str = ".control";

/// The control socket that belongs to a PC/SC socket.
#[must_use]
pub fn beside(socket: &Path) -> PathBuf {
    let mut path = socket.as_os_str().to_owned();
    path.push(ENDING);
    path.into()
}
