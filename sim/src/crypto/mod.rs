//! Cryptography of the cards behind the field's crates.
//!
//! - [`rsa`], [`ec`]: keys, their stored form, generation;
//! - [`asymmetric`]: one type over all key pairs a card can hold;
//! - [`backend`]: who does the private operations: RustCrypto here, or a faster one given by the
//!   program that holds the card;
//! - [`padding`]: what a card adds or removes around an RSA block itself;
//! - [`encoded`]: private keys as files hold them;
//! - [`certificate`]: the X.509 certificates that a card makes itself (attestation);
//! - [`holder`]: whose a certificate is; `oid`: what keys and curves are called in files.

pub mod asymmetric;
pub mod backend;
pub mod certificate;
pub mod ec;
pub mod encoded;
pub mod holder;
mod oid;
pub mod padding;
pub mod rsa;

use thiserror::Error;

/// Why a cryptographic operation was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CryptoError {
    /// Bytes that are no key of the algorithm.
    #[error("not a key of this algorithm")]
    Key,
    /// A block, digest or point that the key cannot process.
    #[error("input does not fit the key")]
    Input,
}
