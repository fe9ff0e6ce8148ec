//! Private keys as files hold them: PKCS#8 (RFC 5958), PKCS#1 (RFC 8017 appendix A.1), SEC 1 (RFC 5915), in DER.
//!
//! A key that no card holds is told by what it is ([`EncodedError::Other`]), so that whoever gave the file knows which
//! one to give instead. A prime curve may stand there by its name or by all its parameters (X9.62 `ECParameters`).

use super::asymmetric::{Algorithm, KeyPair};
use super::ec::Curve;
use super::oid;
use ::rsa::pkcs1::RsaPrivateKeyRef;
use const_oid::ObjectIdentifier;
use const_oid::db::DB;
use der::asn1::{AnyRef, BitStringRef, ContextSpecific, OctetStringRef, UintRef};
use der::{Decode, Reader, SliceReader, Tag, TagNumber};
use hex_literal::hex;
use pkcs8::PrivateKeyInfoRef;
use thiserror::Error;

/// What cards hold, for the sentences of [`EncodedError`].
pub const HELD: &str = "RSA of 1024, 2048, 3072 or 4096 bits with the exponent 65537, P-256, P-384, P-521, Ed25519, X25519";

/// Why bytes are no key of a card.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EncodedError {
    /// They do not have this form.
    #[error("not a private key in PKCS#8, PKCS#1 or SEC 1")]
    Form,
    /// They are a key that cards do not hold; what it is.
    #[error("{0}; cards hold {HELD}")]
    Other(String),
    /// They have the form of a key, but its numbers do not belong together.
    #[error("the numbers of this key do not belong together: the file is damaged")]
    Damaged,
}

impl From<der::Error> for EncodedError {
    fn from(_: der::Error) -> Self {
        Self::Form
    }
}

/// The key of a PKCS#8 `PrivateKeyInfo` or `OneAsymmetricKey`.
///
/// # Errors
/// [`EncodedError`].
pub fn from_pkcs8(der: &[u8]) -> Result<KeyPair, EncodedError> {
    let info = PrivateKeyInfoRef::from_der(der).map_err(|_| EncodedError::Form)?;
    let private = info.private_key.as_bytes();
    match info.algorithm.oid {
        // A key that is meant for RSASSA-PSS only is the same key: padding is not the card's business.
        oid::RSA | oid::RSA_PSS => from_pkcs1(private),
        oid::EC => {
            let parameters = info.algorithm.parameters.ok_or(EncodedError::Form)?;
            sec1(private, Some(held(parameters)?))
        }
        // RFC 8410: an OCTET STRING within the OCTET STRING.
        oid::ED25519 => wrapped(private, Algorithm::Ed25519),
        oid::X25519 => wrapped(private, Algorithm::X25519),
        other => Err(EncodedError::Other(format!("a key for {}", name(&other)))),
    }
}

/// The key of a PKCS#1 `RSAPrivateKey` with the exponent 65,537.
///
/// # Errors
/// [`EncodedError`].
pub fn from_pkcs1(der: &[u8]) -> Result<KeyPair, EncodedError> {
    let key = RsaPrivateKeyRef::from_der(der).map_err(|_| EncodedError::Form)?;
    let modulus = key.modulus.as_bytes();
    let bits = modulus.len() * 8 - modulus.first().map_or(0, |byte| byte.leading_zeros() as usize);
    let algorithm = Algorithm::ALL.iter().map(|row| row.0).find(|a| matches!(a, Algorithm::Rsa(n) if usize::from(*n) == bits));
    let algorithm = algorithm.ok_or_else(|| EncodedError::Other(format!("an RSA key of {bits} bits")))?;
    if key.public_exponent.as_bytes() != super::rsa::EXPONENT {
        let exponent = key.public_exponent.as_bytes().iter().try_fold(0u64, |n, b| Some(n.checked_mul(256)? + u64::from(*b)));
        let exponent = exponent.map_or_else(|| "a long one".into(), |n| n.to_string());
        return Err(EncodedError::Other(format!("an RSA key whose public exponent is {exponent}")));
    }
    if key.other_prime_infos.is_some() {
        return Err(EncodedError::Other("an RSA key of more than two primes".into()));
    }
    let pair = KeyPair::from_parts(algorithm, &[key.prime1.as_bytes(), key.prime2.as_bytes()]);
    match pair {
        Ok(KeyPair::Rsa(rsa)) if rsa.modulus() == modulus => Ok(KeyPair::Rsa(rsa)),
        _ => Err(EncodedError::Damaged),
    }
}

/// The key of a SEC 1 `ECPrivateKey` that names its curve; without a name the scalar's length tells it.
///
/// # Errors
/// [`EncodedError`].
pub fn from_sec1(der: &[u8]) -> Result<KeyPair, EncodedError> {
    sec1(der, None)
}

/// `ECPrivateKey ::= SEQUENCE { 1, privateKey OCTET STRING, parameters [0] OPTIONAL, publicKey [1] BIT STRING OPTIONAL }`
fn sec1(der: &[u8], outer: Option<Curve>) -> Result<KeyPair, EncodedError> {
    let mut reader = SliceReader::new(der)?;
    let (scalar, inner, public) = reader.sequence(|reader: &mut SliceReader<'_>| -> Result<_, der::Error> {
        if u8::decode(reader)? != 1 {
            return Err(Tag::Integer.value_error().into());
        }
        let scalar = <&OctetStringRef>::decode(reader)?;
        let parameters = ContextSpecific::<AnyRef<'_>>::decode_explicit(reader, TagNumber(0))?.map(|field| field.value);
        let public = ContextSpecific::<BitStringRef<'_>>::decode_explicit(reader, TagNumber(1))?.map(|field| field.value);
        Ok((scalar.as_bytes(), parameters, public))
    })?;
    reader.finish()?;
    let inner = inner.map(held).transpose()?;
    let curve = match (outer, inner) {
        (Some(outer), Some(inner)) if outer != inner => return Err(EncodedError::Damaged),
        (Some(curve), _) | (None, Some(curve)) => curve,
        (None, None) => {
            CURVES.iter().map(|known| known.curve).find(|curve| curve.size() == scalar.len()).ok_or(EncodedError::Form)?
        }
    };
    // Some writers pad the scalar with zeros, some leave its leading zeros out.
    let start = scalar.iter().take_while(|byte| **byte == 0).count();
    let pair = KeyPair::from_parts(Algorithm::Ec(curve), &[&scalar[start..]]).map_err(|_| EncodedError::Damaged)?;
    let own = curve.public(&pair.parts()[0]).map_err(|_| EncodedError::Damaged)?;
    match public.map(|bits| bits.as_bytes()) {
        None => Ok(pair),
        Some(Some(point)) if is_point(point, &own, curve) => Ok(pair),
        Some(_) => Err(EncodedError::Damaged),
    }
}

/// Whether a point, compressed or not (SEC 1 section 2.3.3), is the one that is written out in `own`.
fn is_point(point: &[u8], own: &[u8], curve: Curve) -> bool {
    match point {
        // Compressed: the first byte tells whether y is odd.
        [sign @ (2 | 3), x @ ..] => {
            let (own, y) = own.get(1..).unwrap_or_default().split_at_checked(curve.size()).unwrap_or_default();
            x == own && y.last().is_some_and(|last| last & 1 == sign & 1)
        }
        point => point == own,
    }
}

/// A key of curve25519 in its own OCTET STRING, RFC 8410 section 7.
fn wrapped(der: &[u8], algorithm: Algorithm) -> Result<KeyPair, EncodedError> {
    let private = <&OctetStringRef>::from_der(der)?;
    KeyPair::from_parts(algorithm, &[private.as_bytes()]).map_err(|_| EncodedError::Form)
}

/// A curve by its name, or by all its parameters; what one is called that cards do not hold.
pub(super) fn curve(parameters: AnyRef<'_>) -> der::Result<Result<Curve, String>> {
    if let Ok(named) = parameters.decode_as::<ObjectIdentifier>() {
        return Ok(oid::curve(&named).ok_or_else(|| format!("the curve {}", name(&named))));
    }
    let explicit = Explicit::of(parameters)?;
    let known = CURVES.iter().find(|known| explicit.is(known));
    Ok(known.map(|known| known.curve).ok_or_else(|| "a curve of its own parameters".into()))
}

/// A curve that cards hold.
fn held(parameters: AnyRef<'_>) -> Result<Curve, EncodedError> {
    curve(parameters)?.map_err(|other| EncodedError::Other(format!("a key on {other}")))
}

/// The name of an algorithm or curve, or its object identifier.
#[must_use]
pub fn name(oid: &ObjectIdentifier) -> String {
    let own = NAMES.iter().find(|known| known.0 == *oid).map(|known| known.1);
    own.or_else(|| DB.by_oid(oid)).map_or_else(|| oid.to_string(), str::to_owned)
}

/// What people have in files and the database of [`const_oid`] does not name.
const NAMES: [(ObjectIdentifier, &str); 7] = [
    (ObjectIdentifier::new_unwrap("1.2.840.10040.4.1"), "DSA"),
    (ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.1.1"), "RC4 of 128 bits"),
    (ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.1.2"), "RC4 of 40 bits"),
    (ObjectIdentifier::new_unwrap("1.3.36.3.3.2.8.1.1.7"), "brainpoolP256r1"),
    (ObjectIdentifier::new_unwrap("1.3.36.3.3.2.8.1.1.11"), "brainpoolP384r1"),
    (ObjectIdentifier::new_unwrap("1.3.36.3.3.2.8.1.1.13"), "brainpoolP512r1"),
    (ObjectIdentifier::new_unwrap("1.3.132.0.10"), "secp256k1"),
];

/// What tells a curve: SP 800-186 section 3.2.1. Its `a` is the prime less 3, and `b` follows from the base point.
struct Known {
    curve: Curve,
    prime: &'static [u8],
    order: &'static [u8],
}

const CURVES: [Known; 3] = [
    Known {
        curve: Curve::P256,
        prime: &hex!("FFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF"),
        order: &hex!("FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551"),
    },
    Known {
        curve: Curve::P384,
        prime: &hex!("FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEFFFFFFFF0000000000000000FFFFFFFF"),
        order: &hex!("FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973"),
    },
    Known {
        curve: Curve::P521,
        prime: &hex!(
            "01FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"
            "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"
        ),
        order: &hex!(
            "01FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFA51868783BF2F966B7FCC0148F709"
            "A5D03BB5C9B8899C47AEBB6FB71E91386409"
        ),
    },
];

/// `ECParameters ::= SEQUENCE { version, fieldID { prime-field, p }, curve { a, b, seed }, base, order, cofactor }`, SEC 1
/// appendix C.2.
struct Explicit<'a> {
    prime: &'a [u8],
    a: &'a [u8],
    base: &'a [u8],
    order: &'a [u8],
}

impl<'a> Explicit<'a> {
    fn of(parameters: AnyRef<'a>) -> der::Result<Self> {
        parameters.sequence(|reader| {
            u8::decode(reader)?;
            let prime = reader.sequence(|field: &mut SliceReader<'a>| -> der::Result<_> {
                <ObjectIdentifier>::decode(field)?;
                Ok(UintRef::decode(field)?.as_bytes())
            })?;
            let a = reader.sequence(|curve: &mut SliceReader<'a>| -> der::Result<_> {
                let a = <&OctetStringRef>::decode(curve)?.as_bytes();
                <&OctetStringRef>::decode(curve)?;
                Option::<BitStringRef<'_>>::decode(curve)?;
                Ok(a)
            })?;
            let base = <&OctetStringRef>::decode(reader)?.as_bytes();
            let order = UintRef::decode(reader)?.as_bytes();
            Option::<UintRef<'_>>::decode(reader)?;
            Ok(Self { prime, a, base, order })
        })
    }

    fn is(&self, known: &Known) -> bool {
        let mut a = known.prime.to_vec();
        // No prime of these ends in less than 3.
        if let Some(last) = a.last_mut() {
            *last -= 3;
        }
        let mut one = vec![0; known.curve.size()];
        if let Some(last) = one.last_mut() {
            *last = 1;
        }
        let base = known.curve.public(&one).unwrap_or_default();
        let is_base = is_point(self.base, &base, known.curve);
        let trimmed = |bytes: &'_ [u8]| bytes.iter().skip_while(|byte| **byte == 0).copied().collect::<Vec<_>>();
        self.prime == known.prime && trimmed(self.a) == trimmed(&a) && is_base && self.order == known.order
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;
    use ::rsa::PrivateKey;
    use ::rsa::pkcs1::EncodeRsaPrivateKey;
    use proptest::prelude::*;

    #[test]
    fn rsa_keys_keep_their_size() {
        for bits in [1024, 2048] {
            let key = PrivateKey::new(Random::from_number(1, 0).rng(), bits).unwrap();
            let der = key.to_pkcs1_der().unwrap();
            assert_eq!(from_pkcs1(der.as_bytes()).unwrap().algorithm(), Algorithm::Rsa(bits as u16));
        }
    }

    #[test]
    fn an_rsa_key_whose_numbers_differ_is_damaged() {
        let key = PrivateKey::new(Random::from_number(1, 0).rng(), 1024).unwrap();
        let mut der = key.to_pkcs1_der().unwrap().as_bytes().to_vec();
        // The second byte of the modulus, behind SEQUENCE, version and its own header.
        der[12] ^= 1;
        assert_eq!(from_pkcs1(&der).err(), Some(EncodedError::Damaged));
    }

    #[test]
    fn the_base_point_of_each_curve_is_known() {
        for Known { curve, prime, order } in CURVES {
            assert_eq!((prime.len(), order.len()), (curve.size(), curve.size()));
            assert!(curve.public(order).is_err(), "the order is no scalar");
            let mut last = order.to_vec();
            *last.last_mut().unwrap() -= 1;
            assert!(curve.public(&last).is_ok(), "the number before it is the last one");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_key_or_none(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(from_pkcs8(&bytes).is_err() && from_pkcs1(&bytes).is_err());
            let _ = from_sec1(&bytes);
        }
    }
}
