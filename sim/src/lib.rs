//! Software smart cards: bytes in, bytes out.
//!
//! No I/O, no async, no clock and no random source of its own: all of that comes from outside, so
//! that the same seed and the same commands give the same bytes.
//!
//! | module | what it knows |
//! |---|---|
//! | [`status`], [`atr`] | how commands end, the bytes of ISO/IEC 7816-3 that belong to a card alone |
//! | [`nvm`] | non-volatile memory: transactions and tear points |
//! | [`memory`] | which record holds what, and what of it is secret |
//! | [`reference`](mod@reference) | the retry counter that every PIN and PUK uses |
//! | [`crypto`] | 3DES, AES, RSA, EC behind the field's crates |
//! | [`profile`] | what a card is: data, with the sources of its quirks; settings |
//! | [`conditions`] | what surrounds a card now: touch, interface |
//! | [`keys`] | private keys as records |
//! | [`admin_key`] | the administrator key: challenges, responses, tries |
//! | [`piv`], `yubikey`, `gids` | card edges, one file a command |
//! | [`card`], [`applet`] | the card that holds applets; selection, chaining, GET RESPONSE, power |
//! | [`own`] | card edges that are not of this crate |
//!
//! One command's way: [`Card::transmit`] parses it ([`cardlab_protocol::apdu`]), joins chains, hands it to the
//! selected applet, which calls one command's function; that uses [`mod@reference`],
//! [`nvm`] and [`crypto`] and gives a status word.
//!
//! What most users need stands at the head of the crate: a [`Card`] is made of a [`Profile`] in a
//! [`World`].
//!
//! ```
//! use cardlab_sim::{Card, Profile, World};
//!
//! let profile = Profile::builtin("yubikey-5.4")?;
//! let mut card = Card::new(profile, World::seeded(1))?;
//! card.power_on();
//! let select = [0x00, 0xA4, 0x04, 0x00, 0x05, 0xA0, 0x00, 0x00, 0x03, 0x08];
//! let response = card.transmit(&select).expect("a powered card answers");
//! assert_eq!(response[response.len() - 2..], [0x90, 0x00]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod admin_key;
pub mod applet;
pub mod atr;
pub mod card;
mod channel;
pub mod conditions;
pub mod crypto;
mod factory;
pub mod gids;
mod issued;
pub mod keys;
pub mod memory;
pub mod nvm;
pub mod own;
pub mod piv;
pub mod profile;
pub mod random;
pub mod reference;
mod scp;
pub mod status;
mod yubikey;

pub use card::{Card, CardError, Clock, NoAnswer, Stopped, World};
pub use conditions::{Conditions, Interface, Touch};
pub use issued::{Issue, Issued, IssuedObject};
pub use profile::{Profile, ProfileError, Setting};
pub use random::Random;
