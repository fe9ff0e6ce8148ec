//! The conformance suite: judges smart cards and readers by their standards. Tests of what is around cards
//! are written into the same [`book`] by the crates that know it.
//!
//! | module | what it knows |
//! |---|---|
//! | [`test`](mod@test) | a test: its place in a standard, what it needs, what it may do to a card |
//! | [`bench`](mod@bench) | the bench that a test's body works at: one card, its transcript, what was expected |
//! | [`target`] | where cards come from: simulated in process, simulated behind a socket, any reader |
//! | [`catalogue`] | all tests |
//! | `sections` | their bodies, one file a section of a standard |
//! | [`book`] | how they are written down, by this crate and by others |
//! | [`select`] | which of them are to run |
//! | [`ledger`] | what a run may cost a card that is somebody's |
//! | [`run`] | running them |
//! | [`expectations`] | known failures with their reasons |
//! | [`report`] | what came of it: terminal, JSON, JUnit, HTML, differences, merging |
//!
//! A body never asks which product a card is. What a standard leaves open is accepted in all its forms;
//! what differs by kind of card is asked of the card.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod bench;
pub mod book;
pub mod catalogue;
pub mod changes;
pub mod credentials;
pub mod expectations;
mod keys;
pub mod ledger;
mod oracle;
pub mod place;
pub mod report;
pub mod run;
mod sections;
pub mod select;
pub mod target;
pub mod test;
