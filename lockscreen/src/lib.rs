//! The lock screen of a workstation, as a page: what a credential provider shows for a card.
//!
//! | module | what it knows |
//! |---|---|
//! | [`screen`] | what is shown, as data |
//! | [`desk`] | the thread that has the card: one person, one card, one step after the other |
//! | [`page`] | the page, and the forms that become [`desk::Act`]s |
//!
//! The page holds no secret and knows no card; the thread holds the card and a pending challenge
//! between two requests. It works with any reader that PC/SC shows.
#![forbid(unsafe_code)]

pub mod desk;
pub mod page;
pub mod screen;

use cardlab_client::service::Service;
use std::path::PathBuf;
use std::time::Duration;

/// What an administrator sets.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The PC/SC socket.
    pub socket: PathBuf,
    /// The reader, or its name's beginning; else the first with a card.
    pub reader: Option<String>,
    /// The card management server; none means offline only, and no network traffic.
    pub service: Option<Service>,
    /// The workstation's name, for the server's log.
    pub workstation: String,
    /// Shown beside the challenge: whom to call.
    pub offline_text: String,
    /// A lock screen inside a Remote Desktop connection: unlocking is not supported there.
    pub remote_desktop: bool,
    /// A window in a session instead of the lock screen: works in Remote Desktop, does not log on.
    pub in_session: bool,
    /// Other programs may use the card while a challenge waits for its response.
    pub share: bool,
    /// How often card and reader are looked at; [`LOOK_EVERY`] when nothing is said.
    pub look_every: Option<Duration>,
}

/// How often card and reader are looked at: a person hardly notices it, other programs neither.
pub const LOOK_EVERY: Duration = Duration::from_millis(500);
