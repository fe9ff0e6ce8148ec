//! Names and tokens that nobody guesses.

use sha2::{Digest, Sha256};

/// 128 random bits, hexadecimal: an id that is never used again, a token that cannot be guessed.
///
/// # Panics
/// When the system has no random numbers: nothing may go on then.
#[must_use]
pub(crate) fn token() -> String {
    let mut bytes = [0; 16];
    #[allow(clippy::expect_used)]
    getrandom::fill(&mut bytes).expect("the system's random numbers");
    hex::encode(bytes)
}

/// What is stored of a token: who reads the database cannot use it.
#[must_use]
pub(crate) fn fingerprint(token: &str) -> String {
    hex::encode(Sha256::digest(token.as_bytes()))
}
