//! One type over every key pair that a card can hold, by PIV algorithm identifier.
//!
//! | id | algorithm | private part, as stored |
//! |---|---|---|
//! | 06 07 05 16 | RSA 1024, 2048, 3072, 4096 | p, q |
//! | 11 14 (15) | P-256, P-384 (P-521) | scalar, big-endian |
//! | E0 | Ed25519 | 32-byte seed |
//! | E1 | X25519 | 32-byte scalar |

use super::CryptoError;
use super::backend::{Backend, EcPrivate, RsaPrivate};
use super::ec::Curve;
use super::rsa::{EXPONENT, RsaKey};
use crate::random::Random;
use cardlab_protocol::tlv::Writer;
use std::time::Duration;
use zeroize::Zeroizing;

/// An asymmetric algorithm of SP 800-78-5 table 7 or of YubiKey firmware 5.7.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// RSA with a modulus of this many bits: 1024, 2048, 3072 or 4096.
    Rsa(u16),
    /// A prime curve.
    Ec(Curve),
    /// EdDSA on edwards25519.
    Ed25519,
    /// Diffie-Hellman on curve25519.
    X25519,
}

impl Algorithm {
    /// Every algorithm, with its PIV identifier and its name in options.
    pub const ALL: [(Self, u8, &'static str); 9] = [
        (Self::Rsa(1024), 0x06, "rsa1024"),
        (Self::Rsa(2048), 0x07, "rsa2048"),
        (Self::Rsa(3072), 0x05, "rsa3072"),
        (Self::Rsa(4096), 0x16, "rsa4096"),
        (Self::Ec(Curve::P256), 0x11, "p256"),
        (Self::Ec(Curve::P384), 0x14, "p384"),
        // No PIV identifier: SP 800-78 has no P-521. The number serves the stored form only.
        (Self::Ec(Curve::P521), 0x15, "p521"),
        (Self::Ed25519, 0xE0, "ed25519"),
        (Self::X25519, 0xE1, "x25519"),
    ];

    /// The algorithm of a PIV identifier.
    #[must_use]
    pub fn from_id(id: u8) -> Option<Self> {
        Self::ALL.iter().find(|a| a.1 == id).map(|a| a.0)
    }

    /// The algorithm of a name such as `rsa2048` or `p256`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|a| a.2 == name).map(|a| a.0)
    }

    /// The PIV identifier.
    #[must_use]
    pub fn id(self) -> u8 {
        Self::ALL.iter().find(|a| a.0 == self).map_or(0, |a| a.1)
    }

    /// The name used in profiles and options.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|a| a.0 == self).map_or("?", |a| a.2)
    }

    /// About how long a private operation takes; see [`Backend::rsa_time`].
    #[must_use]
    pub fn private_time(self, backend: &dyn Backend) -> Duration {
        match self {
            Self::Rsa(bits) => backend.rsa_time(bits),
            Self::Ec(curve) => backend.ec_time(curve),
            Self::Ed25519 => Duration::from_micros(15),
            Self::X25519 => Duration::from_micros(40),
        }
    }

    /// About how long it takes to make a key of its stored parts and to derive its public key; see
    /// [`Backend::rsa_time`].
    #[must_use]
    pub fn load_time(self) -> Duration {
        Duration::from_micros(match self {
            Self::Rsa(0..=1024) => 90,
            Self::Rsa(1025..=2048) => 260,
            Self::Rsa(2049..=3072) => 500,
            Self::Rsa(_) => 860,
            Self::Ec(Curve::P256) => 70,
            Self::Ec(Curve::P384) => 230,
            Self::Ec(Curve::P521) => 220,
            Self::Ed25519 | Self::X25519 => 15,
        })
    }
}

/// A key pair. Has no `Debug`: it is a secret.
#[derive(Clone)]
pub enum KeyPair {
    /// An RSA key.
    Rsa(Box<RsaKey>),
    /// A scalar on a prime curve.
    Ec(Curve, Zeroizing<Vec<u8>>),
    /// An Ed25519 seed.
    Ed25519(Zeroizing<[u8; 32]>),
    /// An X25519 scalar.
    X25519(Zeroizing<[u8; 32]>),
}

/// A public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublicKey {
    /// Modulus, big-endian; the exponent is 65,537.
    Rsa(Vec<u8>),
    /// Uncompressed point `04 X Y`.
    Ec(Curve, Vec<u8>),
    /// 32 bytes, RFC 8032.
    Ed25519([u8; 32]),
    /// 32 bytes, RFC 7748.
    X25519([u8; 32]),
}

impl KeyPair {
    /// A new key pair.
    ///
    /// # Errors
    /// [`CryptoError::Key`] when the algorithm cannot be generated.
    pub fn generate(algorithm: Algorithm, random: &mut Random) -> Result<Self, CryptoError> {
        Ok(match algorithm {
            Algorithm::Rsa(bits) => Self::Rsa(Box::new(RsaKey::generate(bits.into(), random)?)),
            Algorithm::Ec(curve) => Self::Ec(curve, curve.generate(random)),
            Algorithm::Ed25519 => Self::Ed25519(Zeroizing::new(random.bytes())),
            Algorithm::X25519 => Self::X25519(Zeroizing::new(random.bytes())),
        })
    }

    /// The key pair whose private part is `parts`, as the table above says.
    ///
    /// # Errors
    /// [`CryptoError::Key`] when they are no key of that algorithm.
    pub fn from_parts(algorithm: Algorithm, parts: &[&[u8]]) -> Result<Self, CryptoError> {
        let array = |bytes: &[u8]| <[u8; 32]>::try_from(bytes).map(Zeroizing::new).map_err(|_| CryptoError::Key);
        Ok(match (algorithm, parts) {
            (Algorithm::Rsa(bits), [p, q]) => Self::Rsa(Box::new(RsaKey::from_primes(p, q, usize::from(bits / 8))?)),
            (Algorithm::Ec(curve), [scalar]) => {
                let scalar = Zeroizing::new(curve.integer(scalar).map_err(|_| CryptoError::Key)?);
                curve.public(&scalar)?;
                Self::Ec(curve, scalar)
            }
            (Algorithm::Ed25519, [seed]) => Self::Ed25519(array(seed)?),
            (Algorithm::X25519, [scalar]) => Self::X25519(array(scalar)?),
            _ => return Err(CryptoError::Key),
        })
    }

    /// The private part, as [`KeyPair::from_parts`] takes it.
    #[must_use]
    pub fn parts(&self) -> Vec<Zeroizing<Vec<u8>>> {
        match self {
            Self::Rsa(key) => key.primes().into(),
            Self::Ec(_, scalar) => vec![scalar.clone()],
            Self::Ed25519(bytes) | Self::X25519(bytes) => vec![Zeroizing::new(bytes.to_vec())],
        }
    }

    /// The algorithm of this key.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        match self {
            Self::Rsa(key) => Algorithm::Rsa((key.size() * 8) as u16),
            Self::Ec(curve, _) => Algorithm::Ec(*curve),
            Self::Ed25519(_) => Algorithm::Ed25519,
            Self::X25519(_) => Algorithm::X25519,
        }
    }

    /// The public key.
    ///
    /// # Errors
    /// [`CryptoError::Key`] when the scalar is no key; a key pair made here never is that.
    pub fn public(&self) -> Result<PublicKey, CryptoError> {
        Ok(match self {
            Self::Rsa(key) => PublicKey::Rsa(key.modulus()),
            Self::Ec(curve, scalar) => PublicKey::Ec(*curve, curve.public(scalar)?),
            Self::Ed25519(seed) => PublicKey::Ed25519(ed25519_dalek::SigningKey::from_bytes(seed).verifying_key().to_bytes()),
            Self::X25519(scalar) => {
                let secret = x25519_dalek::StaticSecret::from(**scalar);
                PublicKey::X25519(x25519_dalek::PublicKey::from(&secret).to_bytes())
            }
        })
    }

    /// The key made ready for private operations.
    ///
    /// # Errors
    /// [`CryptoError::Key`] when the backend refuses it.
    pub fn prepare(&self, backend: &dyn Backend) -> Result<Prepared, CryptoError> {
        Ok(match self {
            Self::Rsa(key) => Prepared::Rsa(backend.rsa(key)?),
            Self::Ec(curve, scalar) => Prepared::Ec(*curve, backend.ec(*curve, scalar)?),
            Self::Ed25519(seed) => Prepared::Ed25519(ed25519_dalek::SigningKey::from_bytes(seed)),
            Self::X25519(scalar) => Prepared::X25519(x25519_dalek::StaticSecret::from(**scalar)),
        })
    }
}

impl PublicKey {
    /// The data objects of a public key template (7F49), SP 800-73-4 part 2 section 3.3.2:
    /// `81` modulus and `82` exponent, or `86` point.
    pub fn write(&self, writer: &mut Writer<'_>) {
        match self {
            Self::Rsa(modulus) => writer.value(0x81, modulus).value(0x82, &EXPONENT),
            Self::Ec(_, point) => writer.value(0x86, point),
            Self::Ed25519(bytes) | Self::X25519(bytes) => writer.value(0x86, bytes),
        };
    }
}

/// A key pair ready for private operations; lives while the card is powered.
pub enum Prepared {
    /// RSA: raw private operation.
    Rsa(Box<dyn RsaPrivate>),
    /// Prime curve: ECDSA and ECDH.
    Ec(Curve, Box<dyn EcPrivate>),
    /// Ed25519: signature over a whole message.
    Ed25519(ed25519_dalek::SigningKey),
    /// X25519: shared secret.
    X25519(x25519_dalek::StaticSecret),
}

impl Prepared {
    /// Signs or decrypts `input`: an RSA block, a digest, or an Ed25519 message.
    ///
    /// # Errors
    /// [`CryptoError::Input`] when the key cannot process it; X25519 cannot sign at all.
    pub fn sign(&self, input: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        use ed25519_dalek::Signer;
        match self {
            Self::Rsa(key) => key.private(input),
            Self::Ec(_, key) => key.sign(input).map(Zeroizing::new),
            Self::Ed25519(key) => Ok(Zeroizing::new(key.sign(input).to_bytes().to_vec())),
            Self::X25519(_) => Err(CryptoError::Input),
        }
    }

    /// The secret shared with a peer's public key.
    ///
    /// # Errors
    /// [`CryptoError::Input`] for a key that cannot agree or a point that is none.
    pub fn agree(&self, peer: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        match self {
            Self::Ec(_, key) => key.agree(peer),
            Self::X25519(key) => {
                let peer = <[u8; 32]>::try_from(peer).map_err(|_| CryptoError::Input)?;
                let shared = key.diffie_hellman(&peer.into());
                if shared.was_contributory() { Ok(Zeroizing::new(shared.to_bytes().to_vec())) } else { Err(CryptoError::Input) }
            }
            Self::Rsa(_) | Self::Ed25519(_) => Err(CryptoError::Input),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::backend::RustCrypto;

    #[test]
    fn stored_parts_make_the_same_key() {
        let mut random = Random::from_number(3, 0);
        for (algorithm, id, name) in Algorithm::ALL {
            if matches!(algorithm, Algorithm::Rsa(bits) if bits > 1024) {
                continue;
            }
            let key = KeyPair::generate(algorithm, &mut random).unwrap();
            let parts = key.parts();
            let parts: Vec<&[u8]> = parts.iter().map(|p| p.as_slice()).collect();
            let again = KeyPair::from_parts(algorithm, &parts).unwrap();
            assert_eq!(again.public().unwrap(), key.public().unwrap(), "{name}");
            assert_eq!(again.algorithm().id(), id);
            assert!(KeyPair::from_parts(algorithm, &[&[]]).is_err());
        }
    }

    #[test]
    fn x25519_agrees_and_refuses_the_zero_point() {
        let mut random = Random::from_number(4, 0);
        let mut key = || KeyPair::generate(Algorithm::X25519, &mut random).unwrap();
        let (a, b) = (key(), key());
        let public = |k: &KeyPair| match k.public().unwrap() {
            PublicKey::X25519(bytes) => bytes,
            _ => unreachable!("an X25519 key"),
        };
        let shared = |k: &KeyPair, p: &[u8]| k.prepare(&RustCrypto).unwrap().agree(p);
        assert_eq!(*shared(&a, &public(&b)).unwrap(), *shared(&b, &public(&a)).unwrap());
        assert!(shared(&a, &[0; 32]).is_err());
    }
}
