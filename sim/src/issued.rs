//! What an issuer puts on a new card: keys and certificates, data objects. How they are kept is the card edge's: `piv::factory`,
//! `gids::issued`.

use crate::card::CardError;
use crate::crypto::asymmetric::{Algorithm, KeyPair};
use crate::profile::Profile;
use crate::{gids, piv};

/// What an issuer puts on a new card.
#[derive(Default)]
pub struct Issue {
    /// Keys with their certificates.
    pub keys: Vec<Issued>,
    /// Data objects of a PIV card. They are written last: one that holds a certificate stands in the place of the key's.
    pub objects: Vec<IssuedObject>,
}

/// A data object that an issuer puts on a new card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuedObject {
    /// Its tag.
    pub tag: u32,
    /// The value of its `53` (of the object itself for 7E and 7F61). An empty one takes the object away.
    pub value: Vec<u8>,
}

/// A key that an issuer puts on a new card.
pub struct Issued {
    /// Key reference: 9A, 9C, 9D, 9E, 82 to 95 on a PIV card, F9 on a YubiKey; 81 to 8F on a GIDS card.
    pub slot: u8,
    /// The key pair.
    pub key: KeyPair,
    /// Its certificate: DER, or as `compressed` says.
    pub certificate: Option<Vec<u8>>,
    /// Whether the certificate is compressed (RFC 1952), as it may be on a PIV card.
    pub compressed: bool,
}

impl Issue {
    /// Keys alone.
    #[must_use]
    pub const fn of(keys: Vec<Issued>) -> Self {
        Self { keys, objects: Vec::new() }
    }

    /// Whether a card of this profile can hold all of it.
    pub(crate) fn check(&self, profile: &Profile) -> Result<(), CardError> {
        for key in &self.keys {
            key.check(profile).map_err(|reason| CardError::Slot { slot: key.slot, reason })?;
        }
        for object in &self.objects {
            object.check(profile).map_err(|reason| CardError::Object { tag: object.tag, reason })?;
        }
        Ok(())
    }
}

impl IssuedObject {
    fn check(&self, profile: &Profile) -> Result<(), String> {
        match profile.piv {
            None => Err(format!("a {} has no such data object", profile.name)),
            Some(_) => piv::factory::check_object(self, profile),
        }
    }
}

impl Issued {
    /// Whether a card of this profile can hold it; the reason of a refusal is for people.
    fn check(&self, profile: &Profile) -> Result<(), String> {
        match profile.gids {
            Some(_) if self.compressed => Err("a GIDS card compresses its certificates itself; leave 'gzip' out".into()),
            Some(_) => gids::issued::check(self, profile),
            None if profile.own.is_some() => Err(format!("a {} has no such key", profile.name)),
            None => piv::factory::check_issued(self, profile),
        }
    }

    /// Refuses a key of an algorithm that the card does not have.
    pub(crate) fn check_algorithm(&self, profile: &Profile, known: &[Algorithm]) -> Result<(), String> {
        let algorithm = self.key.algorithm();
        if known.contains(&algorithm) {
            return Ok(());
        }
        let known: Vec<_> = known.iter().map(|a| a.name()).collect();
        Err(format!("a {} cannot hold a {} key; it takes {}", profile.name, algorithm.name(), known.join(", ")))
    }
}
