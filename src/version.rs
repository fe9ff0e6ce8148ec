//! What this program is built of: `--version` shows it, `-V` the number alone.

#[cfg(feature = "fast-crypto")]
macro_rules! built_of {
    () => {
        "features      fast-crypto\ncryptography  aws-lc for private operations with RSA and EC keys, RustCrypto for the rest"
    };
}
#[cfg(not(feature = "fast-crypto"))]
macro_rules! built_of {
    () => {
        "features      none\ncryptography  RustCrypto"
    };
}

#[cfg(debug_assertions)]
macro_rules! profile {
    () => {
        "development"
    };
}
#[cfg(not(debug_assertions))]
macro_rules! profile {
    () => {
        "release"
    };
}

/// Version, features, where cryptography comes from, and how it was compiled; a line each.
pub(crate) const LONG: &str = concat!(env!("CARGO_PKG_VERSION"), "\n", built_of!(), "\nprofile       ", profile!());
