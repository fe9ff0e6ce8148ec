//! How a body ends, and the checks that end it.

use cardlab_client::transport::TransportError;
use std::fmt;

/// How a body ends: quietly, or with a reason.
pub type Checked<T = ()> = Result<T, Stop>;

/// Why a test did not pass.
#[derive(Debug)]
pub enum Stop {
    /// The card did something else than the standard says.
    Failed(String),
    /// The test does not apply to this card after all.
    NotApplicable(String),
    /// The test would have cost a card that is somebody's more than was announced, or needs what is not to be sent.
    NotRun(String),
    /// The card could not be asked.
    Card(TransportError),
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(why) | Self::NotApplicable(why) | Self::NotRun(why) => f.write_str(why),
            Self::Card(error) => write!(f, "the card could not be asked: {error}"),
        }
    }
}

impl From<TransportError> for Stop {
    fn from(error: TransportError) -> Self {
        Self::Card(error)
    }
}

impl Stop {
    pub(crate) fn failed(what: impl Into<String>) -> Self {
        Self::Failed(what.into())
    }
}

/// Checks a fact; the message says what should have been.
pub(crate) fn holds(fact: bool, what: impl Into<String>) -> Checked {
    if fact { Ok(()) } else { Err(Stop::Failed(what.into())) }
}

/// Two values that must be the same.
pub(crate) fn same(got: &[u8], expected: &[u8], what: &str) -> Checked {
    holds(got == expected, format!("{what}: expected {}, got {}", shown(expected), shown(got)))
}

fn shown(bytes: &[u8]) -> String {
    const MOST: usize = 40;
    let hex = hex::encode_upper(&bytes[..bytes.len().min(MOST)]);
    if bytes.len() > MOST { format!("{hex}.. ({} bytes)", bytes.len()) } else { format!("'{hex}'") }
}
