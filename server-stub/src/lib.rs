//! The operator's side of unlocking a card. Knows nothing of simulation and never talks to a card: the
//! administration key stays here, only challenges come in and responses go out.
//!
//! | module | what it knows |
//! |---|---|
//! | [`keys`] | administration keys: derivation for each card, responses, check values |
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod keys;
