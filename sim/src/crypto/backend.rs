//! Who does the private operations.
//!
//! A [`Backend`] turns stored key bytes into a prepared operation, which a card keeps while it is
//! powered. [`RustCrypto`] is here; a program can give a faster one. Ed25519 and X25519 always run
//! here: they are fast enough.

use super::CryptoError;
use super::ec::Curve;
use super::rsa::RsaKey;
use std::time::Duration;
use zeroize::Zeroizing;

/// Prepares private keys.
pub trait Backend: Send + Sync {
    /// An RSA key ready for use.
    ///
    /// # Errors
    /// [`CryptoError::Key`] when the backend refuses the key.
    fn rsa(&self, key: &RsaKey) -> Result<Box<dyn RsaPrivate>, CryptoError>;

    /// An elliptic-curve key ready for use.
    ///
    /// # Errors
    /// [`CryptoError::Key`] when the scalar is no key of the curve.
    fn ec(&self, curve: Curve, scalar: &[u8]) -> Result<Box<dyn EcPrivate>, CryptoError>;

    /// About how long a private operation with an RSA key of this many bits takes, for whoever chooses a
    /// thread for it. Measured on one machine (docs/performance.md): only the order of magnitude counts.
    fn rsa_time(&self, bits: u16) -> Duration;

    /// As [`Backend::rsa_time`], for a key of this curve.
    fn ec_time(&self, curve: Curve) -> Duration;
}

/// A prepared RSA key.
pub trait RsaPrivate: Send {
    /// `block ^ d mod n`; both have the modulus' length.
    ///
    /// # Errors
    /// [`CryptoError::Input`] when the block has another length or is not below the modulus.
    fn private(&self, block: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError>;
}

/// A prepared elliptic-curve key.
pub trait EcPrivate: Send {
    /// ECDSA over a digest of 1 to curve-length bytes; DER `ECDSA-Sig-Value`.
    ///
    /// # Errors
    /// [`CryptoError::Input`] for a digest of another length.
    fn sign(&self, digest: &[u8]) -> Result<Vec<u8>, CryptoError>;

    /// The x-coordinate shared with an uncompressed point.
    ///
    /// # Errors
    /// [`CryptoError::Input`] when the point is not on the curve.
    fn agree(&self, point: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError>;
}

/// Everything in RustCrypto: portable, and ECDSA is deterministic (RFC 6979).
#[derive(Clone, Copy, Debug, Default)]
pub struct RustCrypto;

impl Backend for RustCrypto {
    fn rsa(&self, key: &RsaKey) -> Result<Box<dyn RsaPrivate>, CryptoError> {
        Ok(Box::new(key.clone()))
    }

    fn ec(&self, curve: Curve, scalar: &[u8]) -> Result<Box<dyn EcPrivate>, CryptoError> {
        curve.public(scalar)?;
        Ok(Box::new(Scalar { curve, bytes: Zeroizing::new(scalar.to_vec()) }))
    }

    fn rsa_time(&self, bits: u16) -> Duration {
        Duration::from_micros(match bits {
            0..=1024 => 150,
            1025..=2048 => 950,
            2049..=3072 => 2_500,
            _ => 6_500,
        })
    }

    fn ec_time(&self, curve: Curve) -> Duration {
        Duration::from_micros(match curve {
            Curve::P256 => 80,
            Curve::P384 => 240,
            Curve::P521 => 230,
        })
    }
}

impl RsaPrivate for RsaKey {
    fn private(&self, block: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        Self::private(self, block)
    }
}

struct Scalar {
    curve: Curve,
    bytes: Zeroizing<Vec<u8>>,
}

impl EcPrivate for Scalar {
    fn sign(&self, digest: &[u8]) -> Result<Vec<u8>, CryptoError> {
        self.curve.sign(&self.bytes, digest)
    }

    fn agree(&self, point: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        self.curve.agree(&self.bytes, point)
    }
}

/// RSA by a fast backend, ECDSA by [`RustCrypto`]: the bytes repeat under a seed, since raw RSA is
/// deterministic in any implementation and RFC 6979 makes ECDSA so.
pub struct Repeatable<B>(pub B);

impl<B: Backend> Backend for Repeatable<B> {
    fn rsa(&self, key: &RsaKey) -> Result<Box<dyn RsaPrivate>, CryptoError> {
        self.0.rsa(key)
    }

    fn ec(&self, curve: Curve, scalar: &[u8]) -> Result<Box<dyn EcPrivate>, CryptoError> {
        RustCrypto.ec(curve, scalar)
    }

    fn rsa_time(&self, bits: u16) -> Duration {
        self.0.rsa_time(bits)
    }

    fn ec_time(&self, curve: Curve) -> Duration {
        RustCrypto.ec_time(curve)
    }
}
