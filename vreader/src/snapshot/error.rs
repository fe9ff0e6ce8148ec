//! What can be wrong with a snapshot, in sentences.

use super::VERSION;
use crate::chip::NotSimulated;
use cardlab_sim::nvm::StoreError;
use cardlab_sim::{CardError, ProfileError};
use thiserror::Error;

/// Why there is no snapshot, or no card from one.
#[derive(Debug, Error)]
pub enum SnapshotError {
    /// An empty text.
    #[error("there is nothing in it: it is not what `cardlab card snapshot` wrote, or that had no room to write")]
    Nothing,
    /// Not TOML of this form.
    #[error("line {line}: {reason}")]
    Form {
        /// From 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// Something else, or from another version.
    #[error("this is version {0} of a snapshot; this cardlab knows version {known}", known = VERSION)]
    Version(u32),
    /// Not a snapshot.
    #[error("this is no snapshot of a card: its format is '{0}'")]
    Format(String),
    /// A record that is none.
    #[error("record {id}: {reason}")]
    Record {
        /// As written.
        id: String,
        /// What is wrong.
        reason: String,
    },
    /// Only for reading.
    #[error("the secrets of this snapshot are masked: it is for reading, no card can be made from it")]
    Masked,
    /// Sealed, and nothing to open it with.
    #[error("the secrets of this snapshot are sealed: give its passphrase, to commands in the variable CARDLAB_PASSPHRASE")]
    NoPassphrase,
    /// A wrong passphrase, or a record that was changed.
    #[error("record {0} does not open: the passphrase is wrong, or the snapshot was changed")]
    Sealed(String),
    /// The system.
    #[error("{0}")]
    System(String),
    /// Another profile than the card's.
    #[error("the snapshot is of a {snapshot}, the card in the reader is a {card}: start a reader with --card @FILE")]
    OtherProfile {
        /// The snapshot's.
        snapshot: String,
        /// The card's.
        card: String,
    },
    /// Its memory is its own.
    #[error(transparent)]
    NotSimulated(#[from] NotSimulated),
    /// The profile.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// The card.
    #[error(transparent)]
    Card(#[from] CardError),
    /// The card's memory.
    #[error("card memory: {0}")]
    Store(#[from] StoreError),
}
