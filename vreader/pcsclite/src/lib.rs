//! pcsc-lite's socket protocol: what `libpcsclite.so.1` and `pcscd` say to each other.
//!
//! The protocol is internal to pcsc-lite; this crate knows the versions 4:4 (1.8.24 to 2.2), 4:5
//! (2.3, 2.4) and 4:6 (2.5 and newer).
//!
//! | module | what it holds |
//! |---|---|
//! | [`wire`] | commands and structures as bytes, framing |
//! | [`code`] | return codes, share modes, protocols, reader states |
//! | [`client`] | a small blocking client: talks to cardlab's readers or to a real pcscd, links no C library |
//! | `system` | the system's own PC/SC library as such a service, where there is no pcsc-lite (Windows) |
//!
//! ```no_run
//! use cardlab_pcsclite::client::{Context, ShareMode};
//!
//! let context = Context::establish()?;
//! for reader in context.readers()? {
//!     println!("{}", reader.name);
//! }
//! let mut card = context.connect("cardlab NIST PIV 00 00", ShareMode::Shared)?;
//! let response = card.transmit(&[0x00, 0xA4, 0x04, 0x00, 0x05, 0xA0, 0x00, 0x00, 0x03, 0x08, 0x00])?;
//! assert!(response.ends_with(&[0x90, 0x00]));
//! # Ok::<(), cardlab_pcsclite::client::Error>(())
//! ```
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod client;
pub mod code;
mod stream;
#[cfg(any(not(unix), feature = "pcsc"))]
mod system;
pub mod wire;
