//! Keys and certificates that an issuer puts on a new card. How they are kept is the card edge's: `piv::factory`,
//! `gids::issued`.

use crate::crypto::asymmetric::{Algorithm, KeyPair};
use crate::profile::Profile;
use crate::{gids, piv};

/// A key that an issuer puts on a new card.
pub struct Issued {
    /// Key reference: 9A, 9C, 9D, 9E, 82 to 95 on a PIV card; 81 to 8F on a GIDS card.
    pub slot: u8,
    /// The key pair.
    pub key: KeyPair,
    /// Its certificate, DER.
    pub certificate: Option<Vec<u8>>,
}

impl Issued {
    /// Whether a card of this profile can hold it; the reason of a refusal is for people.
    pub(crate) fn check(&self, profile: &Profile) -> Result<(), String> {
        match profile.gids {
            Some(_) => gids::issued::check(self, profile),
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
