//! What somebody has seen of something that is configured: a change that says which revision it is of does not undo another's.

use crate::model::random;
use serde::Serialize;

/// The revision of what is stored: another text for whatever else is stored.
pub(crate) fn of(stored: &impl Serialize) -> String {
    // A structure of numbers, texts and lists always has its JSON.
    random::fingerprint(&serde_json::to_string(stored).unwrap_or_default())
}
