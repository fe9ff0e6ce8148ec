//! GlobalPlatform's secure channels as YubiKeys have them: SCP03 (Amendment D) with AES-128, and SCP11 a, b and c
//! (Amendment F) on P-256. They differ in how both sides get their keys; the messages are the same.
//!
//! | file | what |
//! |---|---|
//! | [`derivation`] | session keys and proofs, of SCP03 and of SCP11 |
//! | [`wrapping`] | which bytes a MAC covers |
//! | [`session`] | keys, counter and chain of MACs |
//!
//! Source beside the amendments: what yubikit 5.9 sends and demands.

pub mod derivation;
pub mod session;
pub mod wrapping;

pub use session::{Refused, Session};
