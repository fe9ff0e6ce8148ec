//! Names and tokens that nobody guesses.

use sha2::{Digest, Sha256};

/// 128 random bits, hexadecimal: an id that is never used again, a token that cannot be guessed.
///
/// # Panics
/// When the system has no random numbers: nothing may go on then.
#[must_use]
pub(crate) fn token() -> String {
    hex::encode(bytes::<16>())
}

/// A number below `end`, which is not 0; a preference of 2^-60 for the small ones.
///
/// # Panics
/// As [`token`].
pub(crate) fn below(end: usize) -> usize {
    (u64::from_be_bytes(bytes()) % end as u64) as usize
}

fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    #[allow(clippy::expect_used)]
    getrandom::fill(&mut bytes).expect("the system's random numbers");
    bytes
}

/// Whether two tokens are the same, in a time that does not tell where they differ.
#[must_use]
pub(crate) fn same(one: &str, other: &str) -> bool {
    use subtle::ConstantTimeEq as _;
    Sha256::digest(one).ct_eq(&Sha256::digest(other)).into()
}

/// What is stored of a token: who reads the database cannot use it.
#[must_use]
pub(crate) fn fingerprint(token: &str) -> String {
    hex::encode(Sha256::digest(token.as_bytes()))
}
