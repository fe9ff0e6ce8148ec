//! What both ends of a smart card system agree on. No I/O, no clock, no random source.
//!
//! | module | who agrees on it |
//! |---|---|
//! | [`apdu`], [`tlv`], [`status`] | a card and whoever speaks to it: the bytes of ISO/IEC 7816-3 and -4 |
//! | [`piv`] | a PIV card and whoever reads it: which certificate is which key's |
//! | [`admin_key`] | a card and who administers it: the administrator key, its challenge and response |
//! | [`channel`] | a card and whoever speaks to it under encryption: secure messaging of PIV |
//! | [`codes`] | a user and an operator: challenge and response as people read, type and compare them |
//! | [`workstation`] | a workstation and the management server: their messages |
//! | [`host`] | a browser and any service here: for whom a request is |
//! | `local` (feature `http`) | a browser and the pages that are for this machine only: the same, and what goes with every answer |
//! | `words` (feature `words`) | a page or screen and whoever reads it: sentences, a file a language |
//! | [`problem`] | a program and any service here: why a request was refused |
//!
//! ```
//! use cardlab_protocol::admin_key::{AdminKey, Cipher};
//! use cardlab_protocol::codes;
//!
//! let challenge = codes::parse("1122-3344 5566 7788", &[8])?;
//! let key = AdminKey::new(Cipher::Tdes, &[0; 24])?;
//! println!("{}", codes::grouped(&key.respond(&challenge)?));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod admin_key;
pub mod apdu;
pub mod channel;
pub mod codes;
pub mod host;
#[cfg(feature = "http")]
pub mod local;
pub mod piv;
pub mod problem;
pub mod status;
pub mod tlv;
#[cfg(feature = "words")]
pub mod words;
pub mod workstation;
