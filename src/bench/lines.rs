//! What a button does, as one types it: a command, and a request to the control socket.

use cardlab_control::shell::{Elsewhere, curl};
use serde::Serialize;
use serde_json::Value;

/// The same in a shell.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Lines {
    pub(super) command: String,
    pub(super) curl: String,
}

impl Lines {
    /// A command, and a request that sends nothing.
    pub(super) fn asking(command: impl Into<String>, method: &str, path: &str) -> Self {
        Self { command: command.into(), curl: curl(method, path, None, &[]) }
    }

    /// A command, and a request that sends this, where some of it does not stand in the line.
    pub(super) fn sending(command: impl Into<String>, path: &str, body: &Value, elsewhere: &[(&str, Elsewhere)]) -> Self {
        Self { command: command.into(), curl: curl("POST", path, Some(body), elsewhere) }
    }
}
