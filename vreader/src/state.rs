//! Bringing a simulated card to a state at once, by its memory: what would take guesses, responses and time.

use crate::chip::NotSimulated;
use cardlab_sim::Card;
use cardlab_sim::nvm::StoreError;
use cardlab_sim::reference::{ADMINISTRATION, GLOBAL_PIN, PIN, PUK, Reference, RetryCounter};
use cardlab_sim::status::Abort;
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// Tries to be left; what is not named stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tries {
    /// PIN.
    pub pin: Option<Left>,
    /// PUK.
    pub puk: Option<Left>,
    /// Administrator key.
    pub admin: Option<Left>,
    /// Global PIN.
    pub global_pin: Option<Left>,
}

/// How many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// All that the card has.
    All,
    /// So many.
    Exactly(u8),
}

impl Tries {
    /// The counted secrets, by the names that they have on the command line.
    const fn named(&self) -> [(&'static str, Option<Left>); 4] {
        [("pin", self.pin), ("puk", self.puk), ("admin", self.admin), ("global-pin", self.global_pin)]
    }

    /// A list as it is displayed, `pin=0,puk=all`; `None` for a text that is none.
    #[must_use]
    pub fn listed(list: &str) -> Option<Self> {
        let mut tries = Self::default();
        for part in list.split(',').filter(|part| !part.is_empty()) {
            let (name, left) = part.split_once('=')?;
            let left = if left == "all" { Left::All } else { Left::Exactly(left.parse().ok()?) };
            let place = match name {
                "pin" => &mut tries.pin,
                "puk" => &mut tries.puk,
                "admin" => &mut tries.admin,
                "global-pin" => &mut tries.global_pin,
                _ => return None,
            };
            *place = Some(left);
        }
        Some(tries)
    }
}

impl fmt::Display for Tries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let one = |(name, left): (&str, Option<Left>)| {
            left.map(|left| match left {
                Left::All => format!("{name}=all"),
                Left::Exactly(left) => format!("{name}={left}"),
            })
        };
        f.write_str(&self.named().into_iter().filter_map(one).collect::<Vec<_>>().join(","))
    }
}

/// Names of states, and what they are.
pub const STATES: [(&str, &str); 7] = [
    ("fresh", "all tries of everything"),
    ("last-try", "one try of the PIN"),
    ("pin-blocked", "no try of the PIN"),
    ("puk-blocked", "no try of the PUK"),
    ("admin-blocked", "no try of the administrator key"),
    ("blocked", "no try of PIN and PUK"),
    ("lost", "no try of the PIN and of the administrator key"),
];

/// Why a card is not brought there.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum StateError {
    /// No such state.
    #[error("no state named '{name}'; there are: {}, and tries such as pin=0,puk=all", names())]
    Unknown {
        /// What was asked for.
        name: String,
    },
    /// The card has no such secret, or does not count it.
    #[error("this card counts no tries of its {0}")]
    NotCounted(String),
    /// More than it has.
    #[error("this card has {maximum} tries of its {what} at most")]
    TooMany {
        /// Which.
        what: String,
        /// What it has.
        maximum: u8,
    },
    /// Its memory.
    #[error("card memory: {0}")]
    Store(#[from] StoreError),
    /// Its memory is its own.
    #[error(transparent)]
    NotSimulated(#[from] NotSimulated),
}

fn names() -> String {
    STATES.map(|(name, _)| name).join(", ")
}

impl FromStr for Tries {
    type Err = StateError;

    fn from_str(name: &str) -> Result<Self, StateError> {
        let (none, one, all) = (Some(Left::Exactly(0)), Some(Left::Exactly(1)), Some(Left::All));
        Ok(match name {
            "fresh" => Self { pin: all, puk: all, admin: all, global_pin: all },
            "last-try" => Self { pin: one, ..Self::default() },
            "pin-blocked" => Self { pin: none, ..Self::default() },
            "puk-blocked" => Self { puk: none, ..Self::default() },
            "admin-blocked" => Self { admin: none, ..Self::default() },
            "blocked" => Self { pin: none, puk: none, ..Self::default() },
            "lost" => Self { pin: none, admin: none, ..Self::default() },
            list => Self::listed(list).filter(|_| list.contains('=')).ok_or(StateError::Unknown { name: name.to_owned() })?,
        })
    }
}

/// The counted secrets of a card.
pub const COUNTED: [Reference; 4] = [PIN, PUK, ADMINISTRATION, GLOBAL_PIN];

/// The tries of a secret; `None` where the card has none such or does not count it.
#[must_use]
pub fn tries(card: &Card, reference: Reference) -> Option<RetryCounter> {
    reference.exists(card.nvm()).then(|| reference.counter(card.nvm()))
}

/// Brings the card there. What it keeps in RAM, such as a verified PIN, stays until it is reset.
///
/// # Errors
/// [`StateError`]; then nothing has changed.
pub fn set(card: &mut Card, wanted: Tries) -> Result<(), StateError> {
    let mut changes = Vec::new();
    for (reference, left) in COUNTED.into_iter().zip([wanted.pin, wanted.puk, wanted.admin, wanted.global_pin]) {
        let Some(left) = left else { continue };
        match (tries(card, reference), left) {
            (None, Left::All) => {}
            (None, Left::Exactly(_)) => return Err(StateError::NotCounted(reference.name())),
            (Some(counter), Left::All) => changes.push((reference, counter.maximum)),
            (Some(counter), Left::Exactly(n)) if n <= counter.maximum => changes.push((reference, n)),
            (Some(counter), Left::Exactly(_)) => {
                return Err(StateError::TooMany { what: reference.name(), maximum: counter.maximum });
            }
        }
    }
    let mut transaction = card.nvm_mut().begin();
    let written = changes.into_iter().try_for_each(|(reference, left)| reference.set_left(&mut transaction, left));
    written.and_then(|()| transaction.commit()).map_err(|abort| match abort {
        Abort::Status(sw) => StateError::Store(StoreError(format!("status {sw}"))),
        Abort::PowerLost => StateError::Store(StoreError("power was cut".into())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use cardlab_sim::card::World;
    use cardlab_sim::profile::Profile;

    #[test]
    fn states_by_name() {
        let mut card = Card::new(Profile::builtin("gids").unwrap(), World::seeded(1)).unwrap();
        let mut bring = |name: &str| {
            set(&mut card, name.parse().unwrap()).map_err(|e| e.to_string())?;
            Ok::<_, String>((tries(&card, PIN).unwrap().left, tries(&card, ADMINISTRATION).unwrap().left))
        };
        assert_eq!(bring("lost"), Ok((0, 0)));
        assert_eq!(bring("last-try"), Ok((1, 0)));
        assert_eq!(bring("puk-blocked").unwrap_err(), "this card counts no tries of its PUK");
        assert_eq!(bring("fresh"), Ok((3, 5)));
        assert_eq!(bring("pin=2,admin=all"), Ok((2, 5)));
        for text in ["pin=2,admin=all", "puk=0,global-pin=all"] {
            assert_eq!(text.parse::<Tries>().unwrap().to_string(), text);
        }
        for text in ["pin=", "pin=300", "pim=1", "pin=1;puk=1", ""] {
            assert!(text.parse::<Tries>().is_err(), "{text}");
        }
        for (name, _) in STATES {
            assert!(name.parse::<Tries>().is_ok());
        }
        assert!("asleep".parse::<Tries>().unwrap_err().to_string().starts_with("no state named 'asleep'; there are: fresh, "));
        let wanted = Tries { pin: Some(Left::Exactly(9)), ..Tries::default() };
        assert_eq!(set(&mut card, wanted).unwrap_err().to_string(), "this card has 3 tries of its PIN at most");
    }
}
