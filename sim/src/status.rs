//! How a command ends: a status word, or no answer at all.

use cardlab_protocol::admin_key::KeyError;
pub use cardlab_protocol::status::StatusWord;

/// Why a command ended without its normal answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Abort {
    /// The card answers with this status word and no data.
    Status(StatusWord),
    /// Power went away at a tear point: no answer at all, volatile state is gone.
    PowerLost,
}

impl From<StatusWord> for Abort {
    fn from(sw: StatusWord) -> Self {
        Self::Status(sw)
    }
}

impl From<KeyError> for Abort {
    fn from(_: KeyError) -> Self {
        StatusWord::WRONG_DATA.into()
    }
}
