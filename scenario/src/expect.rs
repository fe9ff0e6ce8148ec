//! What must hold after a step.

use schemars::JsonSchema;
use serde::Deserialize;

/// Expectations of one step. Where nothing is said of failing, the step must succeed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Expect {
    /// The status word, hexadecimal: of a command, or behind a program's error.
    pub status: Option<String>,
    /// What the program that uses the card says, or a part of it.
    pub error: Option<String>,
    /// The server refuses with this name.
    pub refused: Option<String>,
    /// A part of what the server says when it refuses.
    pub says: Option<String>,
    /// Whether answers are right.
    pub ok: Option<bool>,
    /// What is possible: `online`, `offline`, `none`.
    pub mode: Option<String>,
    /// A field of the server's answer by its name, and its value as text.
    pub field: Option<(String, String)>,
    /// The value that the step gives: a challenge, a response, a PIN.
    pub value: Option<String>,
    /// Which screen the lock screen comes to show.
    pub screen: Option<String>,
    /// A part of what the screen shows, in the words of its headline, its lines or its buttons.
    pub shows: Option<String>,
    /// What the screen does not show.
    pub shows_not: Option<String>,
    /// Tries of the card's PIN.
    pub pin_left: Option<u8>,
    /// Tries of its PUK.
    pub puk_left: Option<u8>,
    /// Tries of its administrator key.
    pub admin_left: Option<u8>,
    /// The card's state at the server.
    pub card_state: Option<String>,
    /// Whether *User is locked*.
    pub user_locked: Option<bool>,
    /// Of which user; anna where nothing is said.
    pub user: Option<String>,
    /// The names of all events since they were last looked at, without logins.
    pub events: Option<Vec<String>>,
    /// A part of the detail of the last of them.
    pub detail: Option<String>,
}
