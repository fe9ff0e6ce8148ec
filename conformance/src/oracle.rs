//! Cryptography that judges a card's: aws-lc, where the simulated card computes with RustCrypto.

use crate::bench::{Checked, Stop, holds};
use crate::keys::KeyKind;
use aws_lc_rs::agreement::{self, ECDH_P256, ECDH_P384, PrivateKey, X25519};
use aws_lc_rs::digest::{SHA256, SHA384, digest};
use aws_lc_rs::rsa::KeyPair as RsaKeyPair;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_ASN1,
    ECDSA_P384_SHA384_ASN1_SIGNING, ECDSA_P384_SHA384_FIXED, ED25519, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
    RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use cardlab_protocol::tlv::{encode, find, find_path, objects};

/// The public half of a card's key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublicKey {
    /// Modulus and exponent.
    Rsa {
        /// Big-endian.
        modulus: Vec<u8>,
        /// Big-endian.
        exponent: Vec<u8>,
    },
    /// Uncompressed point on P-256 or P-384, or 32 bytes of Ed25519 or X25519.
    Point(KeyKind, Vec<u8>),
}

/// What is signed in tests.
pub(crate) const MESSAGE: &[u8] = b"what a conformance test signs";

const DIGEST_INFO_SHA256: [u8; 19] =
    [0x30, 0x31, 0x30, 0x0D, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20];

fn broken<E>(what: &'static str) -> impl FnOnce(E) -> Stop {
    move |_| Stop::failed(format!("the suite's own key: {what}"))
}

/// The suite's key of a kind, as a public key.
pub(crate) fn public_of(kind: KeyKind) -> Checked<PublicKey> {
    let der = kind.pkcs8();
    Ok(match kind {
        KeyKind::Rsa2048 | KeyKind::Rsa3072 => {
            let pair = RsaKeyPair::from_pkcs8(der).map_err(broken("RSA"))?;
            let public = pair.public_key();
            PublicKey::Rsa {
                modulus: public.modulus().big_endian_without_leading_zero().to_vec(),
                exponent: public.exponent().big_endian_without_leading_zero().to_vec(),
            }
        }
        KeyKind::P256 | KeyKind::P384 => {
            let algorithm = if kind == KeyKind::P256 { &ECDSA_P256_SHA256_ASN1_SIGNING } else { &ECDSA_P384_SHA384_ASN1_SIGNING };
            let pair = EcdsaKeyPair::from_pkcs8(algorithm, der).map_err(broken("EC"))?;
            PublicKey::Point(kind, pair.public_key().as_ref().to_vec())
        }
        KeyKind::Ed25519 => {
            let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).map_err(broken("Ed25519"))?;
            PublicKey::Point(kind, pair.public_key().as_ref().to_vec())
        }
        KeyKind::X25519 => {
            let private = PrivateKey::from_private_key(&X25519, &der[der.len() - 32..]).map_err(broken("X25519"))?;
            PublicKey::Point(kind, private.compute_public_key().map_err(broken("X25519"))?.as_ref().to_vec())
        }
    })
}

impl PublicKey {
    /// What a card answers to GENERATE: `81 modulus, 82 exponent` or `86 point`, inside 7F49.
    pub(crate) fn of_template(kind: KeyKind, template: &[u8]) -> Checked<Self> {
        let field = |tag| {
            find(template, tag).map(<[u8]>::to_vec).ok_or_else(|| Stop::failed(format!("a public key template needs {tag:02X}")))
        };
        Ok(match kind {
            // A number is the same with zeros before it.
            KeyKind::Rsa2048 | KeyKind::Rsa3072 => {
                let number = |tag| field(tag).map(|bytes| bytes.into_iter().skip_while(|byte| *byte == 0).collect());
                Self::Rsa { modulus: number(0x81)?, exponent: number(0x82)? }
            }
            _ => Self::Point(kind, field(0x86)?),
        })
    }

    /// The input of a signature over [`MESSAGE`] as a PIV card takes it.
    pub(crate) fn input(&self) -> Vec<u8> {
        match self {
            Self::Rsa { modulus, .. } => padded(modulus.len()),
            Self::Point(KeyKind::P384, _) => digest(&SHA384, MESSAGE).as_ref().to_vec(),
            Self::Point(KeyKind::Ed25519, _) => MESSAGE.to_vec(),
            Self::Point(..) => digest(&SHA256, MESSAGE).as_ref().to_vec(),
        }
    }

    /// Judges a signature over [`MESSAGE`]; ECDSA as ASN.1.
    pub(crate) fn judge(&self, signature: &[u8]) -> Checked {
        let right = match self {
            Self::Rsa { modulus, exponent } => {
                RsaPublicKeyComponents { n: modulus, e: exponent }.verify(&RSA_PKCS1_2048_8192_SHA256, MESSAGE, signature).is_ok()
            }
            Self::Point(KeyKind::P256, point) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point).verify(MESSAGE, signature).is_ok()
            }
            Self::Point(KeyKind::P384, point) => {
                UnparsedPublicKey::new(&ECDSA_P384_SHA384_ASN1, point).verify(MESSAGE, signature).is_ok()
            }
            Self::Point(KeyKind::Ed25519, point) => UnparsedPublicKey::new(&ED25519, point).verify(MESSAGE, signature).is_ok(),
            Self::Point(..) => false,
        };
        holds(right, "the signature does not verify with the card's public key")
    }

    /// As [`PublicKey::judge`] for ECDSA as r and s side by side.
    pub(crate) fn judge_fixed(&self, signature: &[u8]) -> Checked {
        let right = match self {
            Self::Point(KeyKind::P256, point) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(MESSAGE, signature).is_ok()
            }
            Self::Point(KeyKind::P384, point) => {
                UnparsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, point).verify(MESSAGE, signature).is_ok()
            }
            _ => false,
        };
        holds(right, "the signature (r and s) does not verify with the card's public key")
    }
}

/// EMSA-PKCS1-v1_5 of [`MESSAGE`] under SHA-256 (RFC 8017 section 9.2).
fn padded(length: usize) -> Vec<u8> {
    let hash = digest(&SHA256, MESSAGE);
    let mut block = vec![0xFF; length];
    let tail = DIGEST_INFO_SHA256.len() + hash.as_ref().len();
    block[0] = 0x00;
    block[1] = 0x01;
    block[length - tail - 1] = 0x00;
    block[length - tail..length - hash.as_ref().len()].copy_from_slice(&DIGEST_INFO_SHA256);
    block[length - hash.as_ref().len()..].copy_from_slice(hash.as_ref());
    block
}

/// DigestInfo of [`MESSAGE`] under SHA-256.
pub(crate) fn digest_info() -> Vec<u8> {
    [&DIGEST_INFO_SHA256[..], digest(&SHA256, MESSAGE).as_ref()].concat()
}

/// Our side of a key agreement with a card: our point, and what both must get.
pub(crate) fn agreement_with(card: &PublicKey) -> Checked<(Vec<u8>, Vec<u8>)> {
    let PublicKey::Point(kind, point) = card else { return Err(Stop::failed("RSA keys do not agree")) };
    let algorithm = match kind {
        KeyKind::P256 => &ECDH_P256,
        KeyKind::P384 => &ECDH_P384,
        _ => &X25519,
    };
    let private = PrivateKey::generate(algorithm).map_err(broken("agreement"))?;
    let public = private.compute_public_key().map_err(broken("agreement"))?.as_ref().to_vec();
    let peer = agreement::UnparsedPublicKey::new(algorithm, point);
    let shared = agreement::agree(&private, peer, Stop::failed("the card's public key is no point of its curve"), |z| {
        Ok::<_, Stop>(z.to_vec())
    })?;
    Ok((public, shared))
}

/// Data of IMPORT KEY (FE) for one of the suite's keys: primes and CRT exponents, or a scalar.
pub(crate) fn import_parts(kind: KeyKind) -> Vec<u8> {
    let der = kind.pkcs8();
    match kind {
        KeyKind::Rsa2048 | KeyKind::Rsa3072 => {
            let key = octets(der);
            let fields = integers(key);
            // RSAPrivateKey: version, n, e, d, p, q, dp, dq, qinv.
            let wanted = fields.get(4..9).unwrap_or_default();
            (1u8..).zip(wanted).flat_map(|(tag, part)| encode(u32::from(tag), &left_padded(part, kind.size() / 2))).collect()
        }
        KeyKind::P256 | KeyKind::P384 => {
            // ECPrivateKey: version, then the scalar.
            let key = octets(der);
            encode(0x06, find_path(key, &[0x30, 0x04]).unwrap_or_default())
        }
        KeyKind::Ed25519 => encode(0x07, &der[der.len() - 32..]),
        KeyKind::X25519 => encode(0x08, &der[der.len() - 32..]),
    }
}

/// The private key inside PKCS #8.
pub(crate) fn octets(der: &[u8]) -> &[u8] {
    find_path(der, &[0x30, 0x04]).unwrap_or_default()
}

fn integers(key: &[u8]) -> Vec<&[u8]> {
    objects(find(key, 0x30).unwrap_or_default()).filter(|o| o.tag == 0x02).map(|o| o.value).collect()
}

fn left_padded(part: &[u8], length: usize) -> Vec<u8> {
    let part = &part[part.len().saturating_sub(length)..];
    [&vec![0; length - part.len()][..], part].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_suites_keys_are_keys() {
        for kind in KeyKind::ALL {
            assert!(public_of(kind).is_ok(), "{}", kind.name());
            assert!(!import_parts(kind).is_empty());
        }
        assert_eq!(import_parts(KeyKind::Rsa2048).len(), 5 * (1 + 2 + 128));
        assert_eq!(import_parts(KeyKind::P384)[..2], [0x06, 48]);
        assert!(public_of(KeyKind::P256).unwrap().judge(&[0; 70]).is_err());
    }
}
