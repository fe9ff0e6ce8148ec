//! Profiles: what a card is, as data.
//!
//! A profile is a TOML file of `profiles/`. Whatever differs between real cards stands there, each
//! difference with its source under `[sources]`. What a person wants otherwise is a setting,
//! [`Profile::set`]. A profile does not change once a card is made of it: what changes while a card
//! works is in its memory, or in [`crate::conditions`].
//!
//! | file | what it knows |
//! |---|---|
//! | `values` | the sections of the file: values and quirks |
//! | `form` | how values are written there |
//! | `builtin` | the profiles that come with the crate |
//! | `settings`, `table` | what a setting is; the one table of them |
//! | `check` | what values have to agree on |
//! | `error` | what can be wrong, in sentences |

mod builtin;
mod check;
mod error;
mod form;
mod settings;
mod table;
mod values;

pub use error::ProfileError;
pub use settings::{Cards, Kept, Setting};
pub use values::{
    CardRules, EmptyObject, GidsRules, Malformed, ManagementKeyRules, Order, PinAlways, PinFormat, PinRules, PivRules, PukRules,
    TemplateAid, YubiKeyRules,
};

use crate::conditions::Conditions;
use crate::own::Kind;
use cardlab_protocol::channel::piv::Suite;
use serde::Deserialize;
use std::collections::BTreeMap;
use zeroize::Zeroizing;

/// Everything that makes one kind of card different from another.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Profile {
    /// Name, as given to `--card`.
    pub name: String,
    /// One sentence for lists.
    pub description: String,
    /// The card below its applications.
    pub card: CardRules,
    /// PIN of the application, reference 80.
    pub pin: PinRules,
    /// PIN Unblocking Key, reference 81; PIV cards have one.
    pub puk: Option<PukRules>,
    /// Administrator key: 9B on a PIV card, B080 on a GIDS card.
    pub management_key: ManagementKeyRules,
    /// The PIV card edge.
    pub piv: Option<PivRules>,
    /// The GIDS card edge; a card has one edge or the other.
    pub gids: Option<GidsRules>,
    /// YubiKey's additions, where the card has them.
    pub yubikey: Option<YubiKeyRules>,
    /// Where each value was read: `"piv.apt"` = text.
    pub sources: BTreeMap<String, String>,
    /// What the person who set up this card chose; not part of the file.
    #[serde(skip)]
    pub chosen: Chosen,
    /// The card edge, where it is not of this crate; not part of the file.
    #[serde(skip)]
    pub own: Option<Kind>,
}

/// What was chosen for one card on top of its profile.
#[derive(Clone, Debug, Default)]
pub struct Chosen {
    /// Serial number; random without it.
    pub serial: Option<u32>,
    /// Card UUID of the CHUID, or GIDS `cardid`; random without it.
    pub guid: Option<[u8; 16]>,
    /// Whole CHUID content.
    pub chuid: Option<Vec<u8>>,
    /// Global PIN (reference 00): value and tries.
    pub global_pin: Option<(String, u8)>,
    /// The cipher suite of PIV secure messaging; without it the card has none.
    pub messaging: Option<Suite>,
    /// The pairing code of a card with secure messaging.
    pub pairing: PairingCode,
    /// What surrounds the card when it is made; what surrounds it later is the card's to know
    /// ([`crate::card::Card::conditions`]).
    pub conditions: Conditions,
    /// The settings that changed a rule ([`Kept::Rule`]), in the words they were given in, for keeping
    /// the card elsewhere.
    pub rules: BTreeMap<&'static str, String>,
}

/// What a new card that offers a virtual contact interface wants before it.
#[derive(Clone, Debug, Default)]
pub enum PairingCode {
    /// Eight digits that the card draws.
    #[default]
    Random,
    /// These.
    Given(Zeroizing<[u8; 8]>),
    /// Nothing.
    None,
}

impl Profile {
    /// A profile from TOML text.
    ///
    /// # Errors
    /// [`ProfileError::Text`] with line and column.
    pub fn parse(text: &str) -> Result<Self, ProfileError> {
        let profile: Self = toml::from_str(text).map_err(|e| ProfileError::Text(e.to_string()))?;
        profile.check_file()?;
        Ok(profile)
    }

    /// The profile of a card edge that is not of this crate.
    pub(crate) fn own(kind: Kind) -> Result<Self, ProfileError> {
        let mut profile: Self = toml::from_str(builtin::OWN).map_err(|e| ProfileError::Text(e.to_string()))?;
        (profile.name, profile.description) = (kind.name.into(), kind.description.into());
        (profile.card.atr, profile.card.reader) = (kind.atr.to_vec(), kind.reader.into());
        profile.own = Some(kind);
        profile.check_file()?;
        Ok(profile)
    }

    /// The rules of the PIV card edge. Only its applet asks, and a card has that applet exactly when
    /// its profile has these rules.
    pub(crate) fn piv(&self) -> &PivRules {
        self.piv.as_ref().expect("a PIV applet is on PIV cards only")
    }

    /// The rules of the PUK: every PIV card has them (`check_file`).
    pub(crate) fn puk(&self) -> &PukRules {
        self.puk.as_ref().expect("a PIV card has a PUK")
    }

    /// The rules of the GIDS card edge; as [`Profile::piv`].
    pub(crate) fn gids(&self) -> &GidsRules {
        self.gids.as_ref().expect("a GIDS applet is on GIDS cards only")
    }
}
