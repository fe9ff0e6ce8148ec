//! What a scenario is played in: readers with cards, a management server with people, a lock screen.

pub mod cards;
pub mod site;
pub mod station;

use thiserror::Error;

/// The world itself does not work: nothing that a scenario could be blamed for.
#[derive(Debug, Error)]
#[error("{0}")]
pub struct Broken(pub String);

impl Broken {
    /// With what was to be done.
    pub(crate) fn at<E: std::fmt::Display>(what: &'static str) -> impl Fn(E) -> Self {
        move |error| Self(format!("{what}: {error}"))
    }
}
