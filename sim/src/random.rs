//! The card's random source: a ChaCha20 stream whose seed comes from outside, so that a seed
//! repeats every byte and the crate itself asks no operating system.

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

/// A card's random source.
#[derive(Clone)]
pub struct Random(ChaCha20Rng);

impl Random {
    /// A stream from 32 bytes: the system's for a card that must not be predictable, a fixed
    /// value for one whose bytes must repeat.
    #[must_use]
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self(ChaCha20Rng::from_seed(seed))
    }

    /// A stream from a number given by a person, told apart by `stream` for several cards.
    #[must_use]
    pub fn from_number(seed: u64, stream: u64) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        rng.set_stream(stream);
        Self(rng)
    }

    /// Fills `out`.
    pub fn fill(&mut self, out: &mut [u8]) {
        self.0.fill_bytes(out);
    }

    /// `N` bytes.
    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut out = [0; N];
        self.fill(&mut out);
        out
    }

    pub(crate) fn rng(&mut self) -> &mut ChaCha20Rng {
        &mut self.0
    }
}
