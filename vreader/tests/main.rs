//! Readers as programs see them. One module a subject.
#![allow(clippy::unwrap_used)]

mod common;
mod damaged_state;
mod kills;
mod placement;
mod rack;
mod readers;
mod real;
mod side_by_side;
mod socket;
mod state_files;
mod stress;
mod usb;
mod vpcd;
