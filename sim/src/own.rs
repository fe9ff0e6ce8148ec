//! Card edges that are not of this crate: an [`Applet`] of one's own, and the card round it.
//!
//! ```
//! use cardlab_sim::applet::{Applet, Command, Env};
//! use cardlab_sim::own::{self, Kind};
//! use cardlab_sim::status::{Abort, StatusWord};
//! use cardlab_sim::{Card, Profile, World};
//!
//! /// A card that says hello, to whatever it is asked.
//! struct Hello;
//!
//! impl Applet for Hello {
//!     fn name(&self) -> &'static str {
//!         "hello"
//!     }
//!     fn answers_to(&self, aid: &[u8], _: &Profile) -> bool {
//!         aid == b"\xF0hello"
//!     }
//!     fn select(&mut self, _: &mut Env<'_>, _: &Command<'_>, _: bool, _: &mut Vec<u8>) -> Result<(), Abort> {
//!         Ok(())
//!     }
//!     fn deselect(&mut self) {}
//!     fn reset(&mut self) {}
//!     fn process(&mut self, _: &mut Env<'_>, command: &Command<'_>, out: &mut Vec<u8>) -> Result<(), Abort> {
//!         match command.ins {
//!             0xCA => out.extend(b"hello"),
//!             _ => return Err(StatusWord::UNKNOWN_INS.into()),
//!         }
//!         Ok(())
//!     }
//! }
//!
//! own::register(Kind {
//!     name: "hello",
//!     description: "says hello",
//!     applet: || Box::new(Hello),
//!     ..Kind::DEFAULT
//! })?;
//! let mut card = Card::new(Profile::builtin("hello")?, World::seeded(1))?;
//! card.power_on();
//! card.transmit(b"\x00\xA4\x04\x00\x06\xF0hello").expect("a powered card answers");
//! assert_eq!(card.transmit(&[0x00, 0xCA, 0x00, 0x00, 0x00]).as_deref(), Ok(&b"hello\x90\x00"[..]));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A kind that is registered is asked for by its name wherever a profile is: in `--card`, in snapshots, in a state
//! directory. `examples/loyalty` is a program with one: the whole of `cardlab`, and a card more.

use crate::applet::Applet;
use crate::nvm::{RecordId, Transaction};
use crate::profile::{Profile, ProfileError};
use crate::random::Random;
use crate::status::Abort;
use std::sync::{PoisonError, RwLock};

/// A kind of card that is not of this crate.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// Its name, as given to `--card`: lower-case letters, digits and hyphens.
    pub name: &'static str,
    /// One sentence for lists.
    pub description: &'static str,
    /// Its answer to reset; T=1 where nothing else is said.
    pub atr: &'static [u8],
    /// The name of its reader, without the numbers.
    pub reader: &'static str,
    /// A card's applet, before its power is on.
    pub applet: fn() -> Box<dyn Applet>,
    /// Writes what a new card has: PIN (`profile.pin` has the value and tries that were asked for), keys, records.
    /// Factory content becomes durable together.
    pub personalise: fn(&mut Transaction<'_>, &Profile, &mut Random) -> Result<(), Abort>,
}

impl Kind {
    /// For what is left out: an ATR without historical bytes, nothing in memory. The applet there is none: give one.
    pub const DEFAULT: Self = Self {
        name: "own",
        description: "a card of one's own",
        atr: &[0x3B, 0x80, 0x01, 0x81],
        reader: "cardlab",
        applet: || Box::new(crate::applet::Nothing),
        personalise: |_, _, _| Ok(()),
    };
}

/// A record of a card edge of one's own. What it holds is secret: masked in snapshots, unless `--secrets` says
/// otherwise.
#[must_use]
pub const fn record(index: u16) -> RecordId {
    /// Areas below are this crate's.
    const AREA: u8 = 0x40;
    RecordId::new(AREA, index as u32)
}

static KINDS: RwLock<Vec<Kind>> = RwLock::new(Vec::new());

/// Makes a kind known to this process, before the first card of it is made.
///
/// # Errors
/// [`ProfileError`] for a name that is taken or is none, and for an ATR that is none.
pub fn register(kind: Kind) -> Result<(), ProfileError> {
    let wrong = |expected: &str| ProfileError::Value { key: "name".into(), value: kind.name.into(), expected: expected.into() };
    let spelled = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if kind.name.is_empty() || !kind.name.chars().all(spelled) {
        return Err(wrong("lower-case letters, digits and hyphens"));
    }
    if Profile::builtin(kind.name).is_ok() {
        return Err(wrong("a name that no other kind of card has"));
    }
    Profile::own(kind)?;
    KINDS.write().unwrap_or_else(PoisonError::into_inner).push(kind);
    Ok(())
}

/// The kinds that were registered, in that order.
#[must_use]
pub fn kinds() -> Vec<Kind> {
    KINDS.read().unwrap_or_else(PoisonError::into_inner).clone()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::card::{Card, World};

    #[test]
    fn a_kind_is_known_once_and_by_a_name_that_can_be_written() {
        let kind = Kind { name: "once", ..Kind::DEFAULT };
        register(kind).unwrap();
        let refused = |kind: Kind| register(kind).unwrap_err().to_string();
        assert_eq!(refused(kind), "'once' is no value for name: a name that no other kind of card has");
        assert_eq!(refused(Kind { name: "gids", ..kind }), "'gids' is no value for name: a name that no other kind of card has");
        assert_eq!(refused(Kind { name: "A b", ..kind }), "'A b' is no value for name: lower-case letters, digits and hyphens");
        assert!(refused(Kind { name: "no-atr", atr: &[1, 2], ..kind }).contains("card.atr"));
        assert!(kinds().iter().any(|known| known.name == "once"));
        let unknown = Profile::builtin("twice").unwrap_err().to_string();
        assert!(unknown.contains("yubikey-5.7") && unknown.contains("once"), "{unknown}");
    }

    /// What is PIV's and GIDS's is refused for it in a sentence.
    #[test]
    fn settings_of_other_card_edges() {
        let kind = Kind { name: "plain", ..Kind::DEFAULT };
        register(kind).unwrap();
        let mut profile = Profile::builtin("plain").unwrap();
        profile.set("pin", "4711").unwrap();
        profile.set("serial", "7").unwrap();
        assert!(profile.set("puk", "12345678").is_err());
        let mut card = Card::new(profile, World::seeded(1)).unwrap();
        assert_eq!(card.serial(), 7);
        card.power_on();
        assert_eq!(card.transmit(&[0, 0xA4, 4, 0, 1, 1]).unwrap(), [0x6A, 0x82]);
        assert_eq!(card.transmit(&[0, 0x20, 0, 0x80]).unwrap(), [0x6D, 0x00]);
    }
}
