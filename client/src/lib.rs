//! The host side: what programs ask of a card. Knows nothing of simulation, and holds no key of a
//! management system: challenges go out, responses come in.
//!
//! | module | what it knows |
//! |---|---|
//! | [`transport`] | a way to a card: APDU in, APDU out, transactions |
//! | [`recognise`](mod@recognise) | what kind of card it is |
//! | [`minidriver`] | the functions of Microsoft's minidriver, on GIDS and PIV cards |
//! | [`owner`] | whose card it is, by a certificate on it |
//! | [`lock`] | bringing a card to few tries, by spending them |
//! | [`unlock`] | unlocking by challenge and response, online and offline |
//! | [`service`] | the card management server's workstation service |
//! | [`piv`] | reading a PIV card's state without changing it |
//! | [`messaging`] | secure messaging with a PIV card |
//! | [`channel`] | secure channels with a YubiKey |
//! | [`alone`] | one run at a time on a card |
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod alone;
pub mod channel;
pub mod lock;
pub mod messaging;
pub mod minidriver;
pub mod owner;
pub mod piv;
pub mod recognise;
mod said;
pub mod service;
pub mod transport;
pub mod unlock;
mod unreachable;
