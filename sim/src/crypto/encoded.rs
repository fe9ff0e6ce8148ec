//! Private keys as files hold them: PKCS#8 (RFC 5958), PKCS#1 (RFC 8017), SEC1 (RFC 5915), in DER.

use super::CryptoError;
use super::asymmetric::{Algorithm, KeyPair};
use super::ec::Curve;
use ::rsa::PrivateKey as RsaPrivateKey;
use ::rsa::pkcs1::DecodeRsaPrivateKey;
use ::rsa::traits::{PrivateKeyParts, PublicKeyParts};
use const_oid::ObjectIdentifier;
use der::Decode;
use pkcs8::PrivateKeyInfoRef;
use zeroize::Zeroizing;

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
const X25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.110");

/// The key of a PKCS#8 `PrivateKeyInfo`.
///
/// # Errors
/// [`CryptoError::Key`] for other algorithms, curves, sizes and exponents than a card can hold.
pub fn from_pkcs8(der: &[u8]) -> Result<KeyPair, CryptoError> {
    let info = PrivateKeyInfoRef::from_der(der).map_err(|_| CryptoError::Key)?;
    let private = info.private_key.as_bytes();
    match info.algorithm.oid {
        RSA => from_pkcs1(private),
        EC => {
            let curve: ObjectIdentifier = info.algorithm.parameters_oid().map_err(|_| CryptoError::Key)?;
            let curve = match curve {
                P384 => Curve::P384,
                P521 => Curve::P521,
                _ => Curve::P256,
            };
            sec1_on(private, curve)
        }
        // RFC 8410: an OCTET STRING within the OCTET STRING.
        ED25519 => KeyPair::from_parts(Algorithm::Ed25519, &[private.strip_prefix(&[0x04, 0x20]).ok_or(CryptoError::Key)?]),
        X25519 => KeyPair::from_parts(Algorithm::X25519, &[private.strip_prefix(&[0x04, 0x20]).ok_or(CryptoError::Key)?]),
        _ => Err(CryptoError::Key),
    }
}

const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const P521: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.35");

/// The key of a PKCS#1 `RSAPrivateKey` with the exponent 65,537.
///
/// # Errors
/// [`CryptoError::Key`] for another exponent or size than a card can hold.
pub fn from_pkcs1(der: &[u8]) -> Result<KeyPair, CryptoError> {
    let key = RsaPrivateKey::from_pkcs1_der(der).map_err(|_| CryptoError::Key)?;
    let bits = Algorithm::ALL.iter().find_map(|(a, ..)| match a {
        Algorithm::Rsa(bits) if usize::from(bits / 8) == key.size() => Some(*a),
        _ => None,
    });
    let [p, q] = key.primes() else { return Err(CryptoError::Key) };
    if key.e_bytes().iter().skip_while(|b| **b == 0).copied().collect::<Vec<_>>() != super::rsa::EXPONENT {
        return Err(CryptoError::Key);
    }
    let (p, q) = (Zeroizing::new(p.as_ref().to_be_bytes()), Zeroizing::new(q.as_ref().to_be_bytes()));
    KeyPair::from_parts(bits.ok_or(CryptoError::Key)?, &[&p, &q])
}

/// The key of a SEC1 `ECPrivateKey` on P-256, P-384 or P-521.
///
/// # Errors
/// [`CryptoError::Key`] for other curves.
pub fn from_sec1(der: &[u8]) -> Result<KeyPair, CryptoError> {
    sec1_on(der, Curve::P256).or_else(|_| sec1_on(der, Curve::P384)).or_else(|_| sec1_on(der, Curve::P521))
}

fn sec1_on(der: &[u8], curve: Curve) -> Result<KeyPair, CryptoError> {
    let scalar = match curve {
        Curve::P256 => p256::SecretKey::from_sec1_der(der).map(|k| Zeroizing::new(k.to_bytes().to_vec())),
        Curve::P384 => p384::SecretKey::from_sec1_der(der).map(|k| Zeroizing::new(k.to_bytes().to_vec())),
        Curve::P521 => p521::SecretKey::from_sec1_der(der).map(|k| Zeroizing::new(k.to_bytes().to_vec())),
    };
    Ok(KeyPair::Ec(curve, scalar.map_err(|_| CryptoError::Key)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;
    use ::rsa::pkcs1::EncodeRsaPrivateKey;

    #[test]
    fn rsa_keys_keep_their_size() {
        for bits in [1024, 2048] {
            let key = RsaPrivateKey::new(Random::from_number(1, 0).rng(), bits).unwrap();
            let der = key.to_pkcs1_der().unwrap();
            assert_eq!(from_pkcs1(der.as_bytes()).unwrap().algorithm(), Algorithm::Rsa(bits as u16));
        }
    }
}
