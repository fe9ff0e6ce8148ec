//! A certification authority that is made for one card and forgotten: P-256, one level.

use cardlab_sim::Random;
use cardlab_sim::crypto::CryptoError;
use cardlab_sim::crypto::asymmetric::{Algorithm, KeyPair};
use cardlab_sim::crypto::backend::RustCrypto;
use cardlab_sim::crypto::certificate::{Extension, Request, sign};
use cardlab_sim::crypto::ec::Curve;

const NAME: &str = "CN=cardlab throw-away CA";

/// The authority with its own certificate.
pub(super) struct Authority {
    key: KeyPair,
    certificate: Vec<u8>,
}

impl Authority {
    /// A new authority.
    ///
    /// # Errors
    /// [`CryptoError`], which P-256 does not give.
    pub(super) fn new(random: &mut Random) -> Result<Self, CryptoError> {
        let key = KeyPair::generate(Algorithm::Ec(Curve::P256), random)?;
        let request = Request {
            subject: NAME,
            issuer: NAME,
            serial: random.bytes(),
            public: &key.public()?,
            extensions: &[Extension::authority()],
        };
        let certificate = sign(&request, &key, &RustCrypto)?;
        Ok(Self { key, certificate })
    }

    /// A certificate for a key's public part; DER.
    ///
    /// # Errors
    /// [`CryptoError::Input`] for a subject that is no RFC 4514 name.
    pub(super) fn issue(&self, subject: &str, key: &KeyPair, random: &mut Random) -> Result<Vec<u8>, CryptoError> {
        let public = key.public()?;
        let request = Request { subject, issuer: NAME, serial: random.bytes(), public: &public, extensions: &[] };
        sign(&request, &self.key, &RustCrypto)
    }

    /// The authority's own certificate; DER.
    #[must_use]
    pub(super) fn certificate(&self) -> &[u8] {
        &self.certificate
    }
}
