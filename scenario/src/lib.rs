//! Lock scenarios: what happens to a card, its user and its server, step by step, and what must hold after
//! each step. A file is TOML; it is played with simulated cards in readers of its own, a management
//! server over loopback HTTP and the lock screen, or with a real card in the place of the simulated one.
//!
//! | module | what it knows |
//! |---|---|
//! | [`mod@file`] | a file's text and its errors, by line and step |
//! | [`action`], [`typed`], [`expect`] | what steps do, how people type, what must hold |
//! | [`vocabulary`], `names` | the words that a file may use, and what it names that is not there |
//! | [`reference`](mod@reference) | the language as a page, made from its types |
//! | [`world`] | cards in readers, the server with its people |
//! | [`mod@play`] | one step after the other |
//! | [`mod@record`] | a scenario out of what was done at a bench |
//! | [`catalogue`] | the scenarios that come with cardlab |
//! | [`suite`] | these as tests of the conformance suite |
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod action;
pub mod catalogue;
pub mod expect;
pub mod file;
mod names;
pub mod play;
pub mod record;
pub mod reference;
pub mod suite;
pub mod typed;
pub mod vocabulary;
pub mod world;
