//! Whose a certificate is: its subject and its public key, told so that a person can compare it with a private key.

use super::asymmetric::{Algorithm, KeyPair, PublicKey};
use super::{encoded, oid};
use der::Decode;
use der::asn1::AnyRef;
use sha2::{Digest, Sha256};
use std::fmt;
use x509_cert::certificate::Certificate;
use x509_cert::spki::SubjectPublicKeyInfoOwned;

/// A public key as people compare it: `rsa2048 3A5F 0011 22B4 90C3`, the algorithm and the first eight bytes of the
/// SHA-256 digest over the contents of its `subjectPublicKey` (method 1 of RFC 7093 section 2, shortened).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyName {
    algorithm: String,
    digest: [u8; 32],
}

/// What a certificate says of its holder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The subject, RFC 4514.
    pub subject: String,
    /// The public key.
    pub key: KeyName,
}

impl Holder {
    /// The holder of a DER certificate; `None` when it is no certificate.
    #[must_use]
    pub fn of(der: &[u8]) -> Option<Self> {
        let certificate = Certificate::from_der(der).ok()?;
        let certificate = certificate.tbs_certificate();
        let info = certificate.subject_public_key_info();
        let key = info.subject_public_key.raw_bytes();
        Some(Self { subject: certificate.subject().to_string(), key: KeyName::new(algorithm(info), key) })
    }
}

impl KeyName {
    fn new(algorithm: String, public: &[u8]) -> Self {
        Self { algorithm, digest: Sha256::digest(public).into() }
    }

    /// The public half of a key pair; `None` for a key pair that is none.
    #[must_use]
    pub fn of(key: &KeyPair) -> Option<Self> {
        let info = super::certificate::public_key_info(&key.public().ok()?).ok()?;
        Some(Self::new(key.algorithm().name().into(), info.subject_public_key.raw_bytes()))
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.algorithm)?;
        self.digest[..8].chunks(2).try_for_each(|pair| write!(f, " {:02X}{:02X}", pair[0], pair[1]))
    }
}

/// The algorithm of a public key: as [`Algorithm::name`] says it where cards hold it.
fn algorithm(info: &SubjectPublicKeyInfoOwned) -> String {
    let held = match info.algorithm.oid {
        oid::RSA | oid::RSA_PSS => {
            let key = rsa::pkcs1::RsaPublicKeyRef::from_der(info.subject_public_key.raw_bytes());
            return key.map_or_else(|_| "rsa".into(), |key| format!("rsa{}", key.modulus.as_bytes().len() * 8));
        }
        oid::EC => {
            let parameters = info.algorithm.parameters.as_ref().map(AnyRef::from);
            return match parameters.and_then(|parameters| encoded::curve(parameters).ok()) {
                Some(Ok(curve)) => Algorithm::Ec(curve).name().into(),
                Some(Err(other)) => format!("ec on {other}"),
                None => "ec".into(),
            };
        }
        oid::ED25519 => Some(Algorithm::Ed25519),
        oid::X25519 => Some(Algorithm::X25519),
        _ => None,
    };
    held.map_or_else(|| encoded::name(&info.algorithm.oid), |held| held.name().into())
}

impl PublicKey {
    /// Whether the holder of a certificate has this key.
    #[must_use]
    pub fn is_of(&self, holder: &Holder) -> bool {
        let info = super::certificate::public_key_info(self);
        info.is_ok_and(|info| holder.key.digest[..] == Sha256::digest(info.subject_public_key.raw_bytes())[..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::backend::RustCrypto;
    use crate::crypto::certificate::{Request, sign};
    use crate::crypto::ec::Curve;
    use crate::random::Random;
    use proptest::prelude::*;

    #[test]
    fn a_certificate_is_of_its_own_key_and_of_no_other() {
        let mut random = Random::from_number(1, 0);
        for algorithm in [Algorithm::Rsa(1024), Algorithm::Ec(Curve::P256), Algorithm::Ec(Curve::P384), Algorithm::Ed25519] {
            let (key, other) =
                (KeyPair::generate(algorithm, &mut random).unwrap(), KeyPair::generate(algorithm, &mut random).unwrap());
            let public = key.public().unwrap();
            let request = Request { subject: "CN=a", issuer: "CN=a", serial: [1; 16], public: &public, extensions: &[] };
            let holder = Holder::of(&sign(&request, &key, &RustCrypto).unwrap()).unwrap();
            assert!(public.is_of(&holder) && !other.public().unwrap().is_of(&holder));
            assert_eq!((holder.subject.as_str(), Some(holder.key.clone())), ("CN=a", KeyName::of(&key)));
            assert!(holder.key.to_string().starts_with(algorithm.name()), "{}", holder.key);
        }
    }

    /// One of a card's curves and one that no card holds have points of the same length.
    #[test]
    fn a_curve_is_told_by_its_name_and_not_by_its_length() {
        let mut random = Random::from_number(1, 0);
        let key = KeyPair::generate(Algorithm::Ec(Curve::P256), &mut random).unwrap();
        let public = key.public().unwrap();
        let request = Request { subject: "CN=a", issuer: "CN=a", serial: [1; 16], public: &public, extensions: &[] };
        let mut der = sign(&request, &key, &RustCrypto).unwrap();
        let at = der.windows(8).position(|window| window == oid::of_curve(Curve::P256).as_bytes()).unwrap();
        // 1.2.840.10045.3.1.5, prime239v2.
        der[at + 7] = 0x05;
        let name = Holder::of(&der).unwrap().key.to_string();
        assert!(name.starts_with("ec on the curve 1.2.840.10045.3.1.5 "), "{name}");
        // A tag of its own in the place of the parameters: neither a name nor parameters.
        der[at - 2] = 0x02;
        assert!(Holder::of(&der).unwrap().key.to_string().starts_with("ec "));
    }

    proptest! {
        #[test]
        fn any_bytes_are_no_certificate(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            prop_assert_eq!(Holder::of(&bytes), None);
        }
    }
}
