//! What can be wrong with a profile and with a setting.

use thiserror::Error;

/// A profile or a setting that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ProfileError {
    /// No profile of that name.
    #[error("no profile named '{name}'; there are: {known}")]
    UnknownProfile {
        /// What was asked for.
        name: String,
        /// The names there are.
        known: String,
    },
    /// No setting of that name.
    #[error("no card setting named '{key}'; there are: {known}")]
    UnknownSetting {
        /// What was asked for.
        key: String,
        /// The names there are.
        known: String,
    },
    /// A setting that would change nothing on this kind of card.
    #[error("card setting '{key}' is for {cards}; {profile} is another kind")]
    OtherCard {
        /// The setting.
        key: String,
        /// Which cards have it.
        cards: &'static str,
        /// The profile of this card.
        profile: String,
    },
    /// A value that the setting cannot have.
    #[error("'{value}' is no value for {key}: {expected}")]
    Value {
        /// The setting.
        key: String,
        /// What was given.
        value: String,
        /// What would be right.
        expected: String,
    },
    /// The profile's text is wrong.
    #[error("profile: {0}")]
    Text(String),
}
