//! The suite, judged. One module a subject.
#![allow(clippy::unwrap_used)]

mod profiles;
mod reports;
