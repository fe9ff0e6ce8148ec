//! The host side: what programs ask of a card. Knows nothing of simulation.
//!
//! | module | what it knows |
//! |---|---|
//! | [`transport`] | a way to a card: APDU in, APDU out |
//! | [`piv`] | reading a PIV card's state without changing it |
#![forbid(unsafe_code)]

pub mod piv;
pub mod transport;
