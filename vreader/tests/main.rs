//! Readers as programs see them. One module a subject.
#![allow(clippy::unwrap_used)]

mod common;
mod damaged_state;
mod rack;
mod socket;
mod stress;
