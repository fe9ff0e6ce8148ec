//! Virtual PC/SC readers.
//!
//! | module | what it knows |
//! |---|---|
//! | [`clock`] | time for cards |
//! | [`icc`] | a card in a slot: power, protocol, exchange, trace |
//! | [`resource`] | the rules of PC/SC as a state machine without I/O: who may speak to which card when |
//! | [`server`] | pcsc-lite's socket: bytes in and out, waiting, one task a connection |
//! | [`vpcd`] | the card side of vsmartcard's virtual reader, for a system-wide pcscd |
//! | [`store`] | cards in a state directory: durable, one owner at a time |
//! | [`setup`] | cards as people ask for them: `yubikey-5.4,serial=1,9a=new:p256` |
//! | [`trace`] | exchanges as readable text |
//! | [`private`] | private directories and their clean-up |
//!
//! One APDU's way: [`server`] frames it, [`resource`] says whether this handle may speak now, the
//! slot's [`icc::Icc`] passes it to the card and traces it, and the answer goes back with one write.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod clock;
mod contain;
pub mod icc;
pub mod private;
pub mod resource;
pub mod server;
pub mod setup;
pub mod store;
pub mod trace;
pub mod vpcd;
