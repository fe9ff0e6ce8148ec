//! The suite, judged. One module a subject.
#![allow(clippy::unwrap_used)]

mod harm;
mod profiles;
mod reports;
mod restored;
mod theirs;
