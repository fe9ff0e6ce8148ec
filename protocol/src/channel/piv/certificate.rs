//! The card verifiable certificate (CVC) of a card's secure messaging key, SP 800-73-4 part 2 section 4.1.5.
//!
//! ```text
//! 7F21 { 5F29 01 80 | 42 08 issuer | 5F20 10 GUID | 7F49 { 06 curve | 86 04 X Y } | 5F4C 01 00
//!      | 5F37 { SEQUENCE { SEQUENCE { OID } BIT STRING 00 ECDSA-Sig-Value } } }
//! ```
//!
//! Signed are the objects 5F29 to 5F4C as they stand, without the 7F21 and without the 5F37.

use super::Suite;
use crate::tlv::{self, Reader, Writer};

const CERTIFICATE: u32 = 0x7F21;
const PROFILE: u32 = 0x5F29;
const ISSUER: u32 = 0x42;
const SUBJECT: u32 = 0x5F20;
const PUBLIC_KEY: u32 = 0x7F49;
const ROLE: u32 = 0x5F4C;
const SIGNATURE: u32 = 0x5F37;
const OID: u32 = 0x06;
const POINT: u32 = 0x86;
const SEQUENCE: u32 = 0x30;
const BIT_STRING: u32 = 0x03;

/// What a card's certificate says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CardCertificate<'a> {
    /// The issuer: the first bytes of the key identifier of the signer's certificate.
    pub issuer: [u8; 8],
    /// The card's UUID, as in its CHUID.
    pub subject: [u8; 16],
    /// The suite whose curve the key is on.
    pub suite: Suite,
    /// The key, `04 X Y`.
    pub point: &'a [u8],
}

/// A certificate as it came, not verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signed<'a> {
    /// What it says.
    pub certificate: CardCertificate<'a>,
    /// What the signature covers.
    pub message: &'a [u8],
    /// The signature, a DER `ECDSA-Sig-Value`.
    pub signature: &'a [u8],
}

impl Suite {
    /// DER contents of the object identifier of the curve.
    const fn curve(self) -> &'static [u8] {
        match self {
            Self::Cs2 => &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07],
            Self::Cs7 => &[0x2B, 0x81, 0x04, 0x00, 0x22],
        }
    }

    /// DER contents of the object identifier of the signature: ecdsa-with-SHA256, ecdsa-with-SHA384.
    const fn signature(self) -> &'static [u8] {
        match self {
            Self::Cs2 => &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02],
            Self::Cs7 => &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x03],
        }
    }
}

impl CardCertificate<'_> {
    /// What the issuer has to sign.
    #[must_use]
    pub fn message(&self) -> Vec<u8> {
        let mut out = Vec::new();
        Writer::new(&mut out)
            .value(PROFILE, &[0x80])
            .value(ISSUER, &self.issuer)
            .value(SUBJECT, &self.subject)
            .nested(PUBLIC_KEY, |key| {
                key.value(OID, self.suite.curve()).value(POINT, self.point);
            })
            .value(ROLE, &[0x00]);
        out
    }

    /// The certificate with the issuer's signature, a DER `ECDSA-Sig-Value` over the suite's hash.
    #[must_use]
    pub fn signed(&self, signature: &[u8]) -> Vec<u8> {
        let mut body = self.message();
        Writer::new(&mut body).nested(SIGNATURE, |outer| {
            outer.nested(SEQUENCE, |signed| {
                signed.nested(SEQUENCE, |algorithm| {
                    algorithm.value(OID, self.suite.signature());
                });
                signed.value(BIT_STRING, &[&[0x00], signature].concat());
            });
        });
        tlv::encode(CERTIFICATE, &body)
    }
}

impl<'a> Signed<'a> {
    /// Reads a card's certificate; `None` when it is none of this form.
    #[must_use]
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let body = tlv::only(bytes, CERTIFICATE)?;
        let mut objects = Reader::new(body);
        let mut next = |tag: u32| {
            let object = objects.next()?.ok().filter(|object| object.tag == tag)?;
            Some((object.value, objects.rest().len()))
        };
        next(PROFILE).filter(|(value, _)| *value == [0x80])?;
        let (issuer, _) = next(ISSUER)?;
        let (subject, _) = next(SUBJECT)?;
        let (key, _) = next(PUBLIC_KEY)?;
        let (_, after) = next(ROLE).filter(|(value, _)| *value == [0x00])?;
        let (signature, 0) = next(SIGNATURE)? else { return None };
        let (suite, point) = public_key(key)?;
        let certificate = CardCertificate { issuer: issuer.try_into().ok()?, subject: subject.try_into().ok()?, suite, point };
        Some(Self { certificate, message: &body[..body.len() - after], signature: signature_value(signature, suite)? })
    }
}

fn public_key(bytes: &[u8]) -> Option<(Suite, &[u8])> {
    let mut objects = Reader::new(bytes);
    let oid = objects.next()?.ok().filter(|object| object.tag == OID)?.value;
    let point = tlv::only(objects.rest(), POINT)?;
    let suite = Suite::ALL.into_iter().find(|suite| suite.curve() == oid)?;
    suite.is_point(point).then_some((suite, point))
}

/// The `ECDSA-Sig-Value` of a signature by this suite.
fn signature_value(bytes: &[u8], suite: Suite) -> Option<&[u8]> {
    let mut objects = Reader::new(tlv::only(bytes, SEQUENCE)?);
    let algorithm = objects.next()?.ok().filter(|object| object.tag == SEQUENCE)?.value;
    if tlv::only(algorithm, OID)? != suite.signature() {
        return None;
    }
    match tlv::only(objects.rest(), BIT_STRING)? {
        [0x00, signature @ ..] => Some(signature),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            prop_assert_eq!(Signed::parse(&bytes), None);
        }

        #[test]
        fn what_is_written_is_read_and_nothing_shorter(cs7: bool, issuer: [u8; 8], subject: [u8; 16], signature in proptest::collection::vec(any::<u8>(), 0..110), fill: u8) {
            let suite = if cs7 { Suite::Cs7 } else { Suite::Cs2 };
            let mut point = vec![fill; 2 * suite.coordinate() + 1];
            point[0] = 4;
            let certificate = CardCertificate { issuer, subject, suite, point: &point };
            let bytes = certificate.signed(&signature);
            let message = certificate.message();
            prop_assert_eq!(Signed::parse(&bytes), Some(Signed { certificate, message: &message, signature: &signature }));
            for end in 0..bytes.len() {
                prop_assert_eq!(Signed::parse(&bytes[..end]), None);
            }
        }
    }
}
