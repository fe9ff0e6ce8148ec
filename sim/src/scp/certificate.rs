//! The certificates of hosts (off-card entities), X.509 on P-256 with ECDSA and SHA-256: as much of RFC 5280 as a card
//! looks at. It has no calendar.

use cardlab_protocol::tlv::{self, Reader, find};
use p256::ecdsa::signature::hazmat::PrehashVerifier;
use p256::ecdsa::{Signature, VerifyingKey};
use sha2::{Digest, Sha256};

const SEQUENCE: u32 = 0x30;
const INTEGER: u32 = 0x02;
const BIT_STRING: u32 = 0x03;
/// 1.2.840.10045.4.3.2, ecdsa-with-SHA256.
const ECDSA_SHA256: [u8; 8] = [0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02];
const OID: u32 = 0x06;
/// `04 X Y`.
const POINT: usize = 65;

/// What a card looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct HostCertificate<'a> {
    /// The serial number, without zeros before it.
    pub(super) serial: &'a [u8],
    /// The public key, `04 X Y`.
    pub(super) point: &'a [u8],
    signed: &'a [u8],
    signature: &'a [u8],
}

impl<'a> HostCertificate<'a> {
    /// Reads a certificate, DER; `None` when it is none, or of other algorithms.
    pub(super) fn parse(der: &'a [u8]) -> Option<Self> {
        let outer = tlv::only(der, SEQUENCE)?;
        let mut parts = Reader::new(outer);
        let body = parts.next()?.ok().filter(|part| part.tag == SEQUENCE)?.value;
        let signed = &outer[..outer.len() - parts.rest().len()];
        let algorithm = parts.next()?.ok().filter(|part| part.tag == SEQUENCE)?.value;
        if find(algorithm, OID)? != ECDSA_SHA256 {
            return None;
        }
        let signature = tlv::only(parts.rest(), BIT_STRING)?.strip_prefix(&[0x00])?;
        let mut fields = tlv::objects(body).filter(|field| field.tag != 0xA0);
        let serial = fields.next().filter(|field| field.tag == INTEGER)?.value;
        // Behind it: signature, issuer, validity, subject, subjectPublicKeyInfo.
        let key = fields.nth(4).filter(|field| field.tag == SEQUENCE)?.value;
        let point = find(key, BIT_STRING)?.strip_prefix(&[0x00])?;
        (point.len() == POINT).then_some(Self { serial: number(serial), point, signed, signature })
    }

    /// Whether the holder of this key has signed it.
    pub(super) fn is_signed_by(&self, point: &[u8]) -> bool {
        let (Ok(key), Ok(signature)) = (VerifyingKey::from_sec1_bytes(point), Signature::from_der(self.signature)) else {
            return false;
        };
        key.verify_prehash(&Sha256::digest(self.signed), &signature).is_ok()
    }
}

/// A number without zeros before it.
pub(super) fn number(bytes: &[u8]) -> &[u8] {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    &bytes[zeros..]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::asymmetric::{Algorithm, KeyPair, PublicKey};
    use crate::crypto::backend::RustCrypto;
    use crate::crypto::certificate::{Request, sign};
    use crate::crypto::ec::Curve;
    use crate::random::Random;
    use proptest::prelude::*;

    #[test]
    fn a_certificate_is_its_signers_and_nobody_elses() {
        let mut random = Random::from_number(1, 0);
        let mut pair = |curve| KeyPair::generate(Algorithm::Ec(curve), &mut random).unwrap();
        let (signer, other, large) = (pair(Curve::P256), pair(Curve::P256), pair(Curve::P384));
        let point = |key: &KeyPair| match key.public().unwrap() {
            PublicKey::Ec(_, point) => point,
            _ => panic!("a point"),
        };
        let make = |of: &KeyPair, by: &KeyPair| {
            let public = of.public().unwrap();
            let request = Request { subject: "CN=a", issuer: "CN=b", serial: [7; 16], public: &public, extensions: &[] };
            sign(&request, by, &RustCrypto).unwrap()
        };
        let der = make(&other, &signer);
        let certificate = HostCertificate::parse(&der).unwrap();
        assert_eq!((certificate.serial, certificate.point), (&[7; 16][..], &point(&other)[..]));
        assert!(certificate.is_signed_by(&point(&signer)) && !certificate.is_signed_by(&point(&other)));
        assert!(!certificate.is_signed_by(&[]));
        assert_eq!(HostCertificate::parse(&make(&other, &large)), None, "another algorithm");
        assert_eq!(HostCertificate::parse(&make(&large, &signer)), None, "another curve");
        for end in 0..der.len() {
            assert_eq!(HostCertificate::parse(&der[..end]), None);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_no_certificate(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert_eq!(HostCertificate::parse(&bytes), None);
        }
    }
}
