//! X.509 certificates (RFC 5280) that are made here: attestation certificates and throw-away CAs.
//!
//! Names are RFC 4514 strings. Every certificate is valid from 2020 to the end of 2049: a card has
//! no calendar.

use super::CryptoError;
use super::asymmetric::{KeyPair, PublicKey};
use super::backend::Backend;
use super::ec::Curve;
use super::oid;
use super::padding::signature_block;
use super::rsa::EXPONENT;
use cardlab_protocol::tlv;
use const_oid::ObjectIdentifier;
use der::asn1::{Any, BitString, OctetString, Uint};
use der::{Decode, Encode};
use flate2::read::{GzDecoder, ZlibDecoder};
use sha2::{Digest, Sha256, Sha384, Sha512};
use std::io::Read;
use std::str::FromStr;
use x509_cert::certificate::{Certificate, Rfc5280, Version};
use x509_cert::name::Name;
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};

/// What precedes a SHA-256 digest in its `DigestInfo`, RFC 8017 section 9.2.
const SHA256_INFO: [u8; 19] =
    [0x30, 0x31, 0x30, 0x0D, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20];
const SHA256_WITH_RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.11");
const ECDSA_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");
const ECDSA_SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.3");
const ECDSA_SHA512: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.4");
const BASIC_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.19");
const KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.15");
const SUBJECT_KEY_IDENTIFIER: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.14");
const CERTIFICATE_POLICIES: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.32");
const EXTENDED_KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37");
const OCTET_STRING: u32 = 0x04;
const OID: u32 = 0x06;
const SEQUENCE: u32 = 0x30;
const UTC_TIME: u32 = 0x17;
const VALIDITY: [&[u8]; 2] = [b"200101000000Z", b"491231235959Z"];
/// No card has room for a longer certificate.
const LONGEST: u64 = 64 * 1024;
const YUBICO_PIV: &str = "1.3.6.1.4.1.41482.3";

/// An extension and its DER value.
#[derive(Clone, Debug)]
pub struct Extension {
    id: ObjectIdentifier,
    critical: bool,
    value: Vec<u8>,
}

impl Extension {
    /// `1.3.6.1.4.1.41482.3.arc` with a raw value, not critical.
    ///
    /// # Panics
    /// Never: every arc makes a valid object identifier.
    #[must_use]
    #[allow(clippy::unwrap_used)]
    pub fn vendor(arc: u8, value: Vec<u8>) -> Self {
        let id = ObjectIdentifier::new(&format!("{YUBICO_PIV}.{arc}")).unwrap();
        Self { id, critical: false, value }
    }

    fn to_der(&self) -> der::Result<Vec<u8>> {
        let value = OctetString::new(self.value.as_slice())?;
        x509_cert::ext::Extension { extn_id: self.id, critical: self.critical, extn_value: value }.to_der()
    }

    /// What the key may do: digitalSignature alone.
    #[must_use]
    pub fn key_usage_signature() -> Self {
        Self { id: KEY_USAGE, critical: true, value: vec![0x03, 0x02, 0x07, 0x80] }
    }

    /// The name of the subject's key.
    #[must_use]
    pub fn subject_key_identifier(identifier: &[u8]) -> Self {
        Self { id: SUBJECT_KEY_IDENTIFIER, critical: false, value: tlv::encode(OCTET_STRING, identifier) }
    }

    /// The one policy that the certificate was made under.
    #[must_use]
    pub fn policy(policy: ObjectIdentifier) -> Self {
        let policy = tlv::encode(SEQUENCE, &tlv::encode(OID, policy.as_bytes()));
        Self { id: CERTIFICATE_POLICIES, critical: false, value: tlv::encode(SEQUENCE, &policy) }
    }

    /// The one purpose that the key is for.
    #[must_use]
    pub fn extended_key_usage(purpose: ObjectIdentifier) -> Self {
        Self { id: EXTENDED_KEY_USAGE, critical: true, value: tlv::encode(SEQUENCE, &tlv::encode(OID, purpose.as_bytes())) }
    }

    /// Basic constraints: this is an authority.
    #[must_use]
    pub fn authority() -> Self {
        Self { id: BASIC_CONSTRAINTS, critical: true, value: vec![0x30, 0x03, 0x01, 0x01, 0xFF] }
    }
}

/// What a certificate says.
pub struct Request<'a> {
    /// Subject, RFC 4514.
    pub subject: &'a str,
    /// Issuer, RFC 4514.
    pub issuer: &'a str,
    /// Serial number.
    pub serial: [u8; 16],
    /// The subject's public key.
    pub public: &'a PublicKey,
    /// Extensions.
    pub extensions: &'a [Extension],
}

/// A certificate over `request`, signed by `issuer`; DER.
///
/// # Errors
/// [`CryptoError::Key`] when the issuer's key cannot sign certificates,
/// [`CryptoError::Input`] for a name that is none.
pub fn sign(request: &Request<'_>, issuer: &KeyPair, backend: &dyn Backend) -> Result<Vec<u8>, CryptoError> {
    let algorithm = signature_algorithm(issuer)?;
    let mut serial = request.serial;
    serial[0] &= 0x7F; // positive, RFC 5280 section 4.1.2.2
    let encode = || -> der::Result<Vec<u8>> {
        let (issuer, subject) = (Name::from_str(request.issuer)?, Name::from_str(request.subject)?);
        let extensions: der::Result<Vec<Vec<u8>>> = request.extensions.iter().map(Extension::to_der).collect();
        let fields = [
            tlv::encode(0xA0, &Version::V3.to_der()?),
            SerialNumber::<Rfc5280>::new(&serial)?.to_der()?,
            algorithm.clone(),
            issuer.to_der()?,
            tlv::encode(SEQUENCE, &VALIDITY.map(|t| tlv::encode(UTC_TIME, t)).concat()),
            subject.to_der()?,
            public_key_info(request.public)?.to_der()?,
            // RFC 5280 section 4.1: at least one, or no field.
            match extensions?.concat() {
                none if none.is_empty() => Vec::new(),
                extensions => tlv::encode(0xA3, &tlv::encode(SEQUENCE, &extensions)),
            },
        ];
        Ok(tlv::encode(SEQUENCE, &fields.concat()))
    };
    let to_be_signed = encode().map_err(|_| CryptoError::Input)?;
    let signature = sign_message(issuer, &to_be_signed, backend)?;
    let signature = BitString::from_bytes(&signature).and_then(|s| s.to_der()).map_err(|_| CryptoError::Input)?;
    Ok(tlv::encode(SEQUENCE, &[to_be_signed, algorithm, signature].concat()))
}

/// The subject of a DER certificate, RFC 4514; `None` when it is no certificate.
#[must_use]
pub fn subject(der: &[u8]) -> Option<String> {
    Some(Certificate::from_der(der).ok()?.tbs_certificate().subject().to_string())
}

/// What a certificate says, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Its subject, RFC 4514.
    pub subject: String,
    /// The last day that it is valid, `2049-12-31`.
    pub until: String,
}

/// A certificate as cards keep it: DER, perhaps in a PIV data object (SP 800-73-4 part 1 section 4.2), packed with gzip, or with
/// zlib behind the minidriver's four bytes. `None` when it is none, or is longer unpacked than any card's.
#[must_use]
pub fn summary(content: &[u8]) -> Option<Summary> {
    let content = tlv::find(content, 0x70).filter(|_| content.first() == Some(&0x70)).unwrap_or(content);
    let all = |unpacking: &mut dyn Read| {
        let mut der = Vec::new();
        unpacking.take(LONGEST).read_to_end(&mut der).ok().map(|_| der)
    };
    let der = match content {
        [0x30, ..] => content.to_vec(),
        [0x1F, 0x8B, ..] => all(&mut GzDecoder::new(content))?,
        [0x01, 0x00, _, _, zlib @ ..] => all(&mut ZlibDecoder::new(zlib))?,
        _ => return None,
    };
    let certificate = Certificate::from_der(&der).ok()?;
    let body = certificate.tbs_certificate();
    let until = body.validity().not_after.to_string();
    Some(Summary { subject: body.subject().to_string(), until: until.chars().take("2049-12-31".len()).collect() })
}

/// A DER INTEGER.
///
/// # Panics
/// Never: any number has an encoding.
#[must_use]
#[allow(clippy::unwrap_used)]
pub fn integer(number: u32) -> Vec<u8> {
    number.to_der().unwrap()
}

/// SubjectPublicKeyInfo, RFC 5280 section 4.1.2.7, RFC 5480, RFC 8410.
///
/// # Errors
/// DER errors, which no key of this crate gives.
pub fn public_key_info(public: &PublicKey) -> der::Result<SubjectPublicKeyInfoOwned> {
    let (algorithm, parameters, bytes) = match public {
        PublicKey::Rsa(modulus) => {
            let modulus = Uint::new(modulus)?.to_der()?;
            let exponent = Uint::new(&EXPONENT)?.to_der()?;
            (oid::RSA, Some(Any::null()), tlv::encode(SEQUENCE, &[modulus, exponent].concat()))
        }
        PublicKey::Ec(curve, point) => (oid::EC, Some(Any::encode_from(&oid::of_curve(*curve))?), point.clone()),
        PublicKey::Ed25519(bytes) => (oid::ED25519, None, bytes.to_vec()),
        PublicKey::X25519(bytes) => (oid::X25519, None, bytes.to_vec()),
    };
    Ok(SubjectPublicKeyInfoOwned {
        algorithm: AlgorithmIdentifierOwned { oid: algorithm, parameters },
        subject_public_key: BitString::from_bytes(&bytes)?,
    })
}

/// The DER AlgorithmIdentifier of the key's signatures.
fn signature_algorithm(key: &KeyPair) -> Result<Vec<u8>, CryptoError> {
    let (algorithm, parameters) = match key {
        KeyPair::Rsa(_) => (SHA256_WITH_RSA, Some(Any::null())),
        KeyPair::Ec(Curve::P256, _) => (ECDSA_SHA256, None),
        KeyPair::Ec(Curve::P384, _) => (ECDSA_SHA384, None),
        KeyPair::Ec(Curve::P521, _) => (ECDSA_SHA512, None),
        KeyPair::Ed25519(_) => (oid::ED25519, None),
        KeyPair::X25519(_) => return Err(CryptoError::Key),
    };
    AlgorithmIdentifierOwned { oid: algorithm, parameters }.to_der().map_err(|_| CryptoError::Key)
}

fn sign_message(key: &KeyPair, message: &[u8], backend: &dyn Backend) -> Result<Vec<u8>, CryptoError> {
    let input = match key {
        KeyPair::Rsa(rsa) => {
            let info = [&SHA256_INFO[..], &Sha256::digest(message)].concat();
            signature_block(&info, rsa.size()).ok_or(CryptoError::Key)?
        }
        KeyPair::Ec(Curve::P256, _) => Sha256::digest(message).to_vec(),
        KeyPair::Ec(Curve::P384, _) => Sha384::digest(message).to_vec(),
        KeyPair::Ec(Curve::P521, _) => Sha512::digest(message).to_vec(),
        _ => message.to_vec(),
    };
    Ok(key.prepare(backend)?.sign(&input)?.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::asymmetric::Algorithm;
    use crate::crypto::backend::RustCrypto;
    use crate::random::Random;
    use hex_literal::hex;

    /// EMSA-PKCS1-v1_5, RFC 8017 section 9.2, with SHA-256's DigestInfo as it stands in its note 1.
    #[test]
    fn an_rsa_signature_holds_the_digest_of_its_message() {
        let key = KeyPair::generate(Algorithm::Rsa(1024), &mut Random::from_number(1, 0)).unwrap();
        let PublicKey::Rsa(modulus) = key.public().unwrap() else { panic!("an RSA key") };
        let number = ::rsa::BoxedUint::from_be_slice_vartime;
        let public = ::rsa::PublicKey::new(number(&modulus), number(&EXPONENT)).unwrap();
        let signature = sign_message(&key, b"message", &RustCrypto).unwrap();
        let signature = ::rsa::BoxedUint::from_be_slice(&signature, 1024).unwrap();
        let info = hex!("3031300d060960864801650304020105000420");
        let end = [&[0x00][..], &info, &Sha256::digest(b"message")].concat();
        let block = [&[0x00, 0x01][..], &vec![0xFF; 126 - end.len()], &end].concat();
        assert_eq!(::rsa::hazmat::rsa_encrypt(&public, &signature).unwrap().to_be_bytes()[..], block);
    }
}
