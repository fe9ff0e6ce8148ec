//! The keys of a new card: a set of SCP03 that everybody knows (KVN FF, `40 41 .. 4F` three times), and a key for SCP11b
//! (KVN 01) that the card makes, with its certificate and that of who signed it. A card whose keys are all blocked, or
//! deleted, makes itself these anew.

use super::store::{self, FACTORY_SET, Key, KeyRef, Note, SCP03, SCP11B};
use crate::applet::Env;
use crate::crypto::CryptoError;
use crate::crypto::asymmetric::{Algorithm, KeyPair, PublicKey};
use crate::crypto::backend::RustCrypto;
use crate::crypto::certificate::{self, Extension, Request};
use crate::crypto::ec::Curve;
use crate::memory::{CHANNEL_KEYS, CHANNEL_NOTES};
use crate::nvm::Transaction;
use crate::random::Random;
use crate::status::{Abort, StatusWord};
use cardlab_protocol::channel::scp::derivation::StaticKeys;
use hex_literal::hex;

const KNOWN: [u8; 16] = hex!("404142434445464748494A4B4C4D4E4F");
const ROOT: &str = "CN=cardlab SD Attestation Root";
const ISSUER: &str = "CN=cardlab SD Attestation";

/// What a new card has.
pub(crate) struct Content(Made);

impl Content {
    pub(crate) fn new(random: &mut Random) -> Result<Self, CryptoError> {
        Ok(Self(Made::new(SCP11B, random)?))
    }

    /// Writes it.
    pub(crate) fn write(&self, transaction: &mut Transaction<'_>) -> Result<(), Abort> {
        let set = StaticKeys::new(&KNOWN, &KNOWN, &KNOWN).ok_or(StatusWord::INTERNAL)?;
        store::store(transaction, KeyRef::new(SCP03, FACTORY_SET), &Key::Set(set))?;
        let b = KeyRef::new(SCP11B, 0x01);
        store::store(transaction, b, &self.0.key)?;
        store::set_note(transaction, b, Note::Certificates, &self.0.certificates)
    }
}

/// A key that the card has made for SCP11, with the certificate that says so and that of who signed it. A real key signs
/// with one that its maker put there; here it is one that is made for it and forgotten.
pub(crate) struct Made {
    /// The key.
    pub(crate) key: Key,
    /// Its point.
    pub(crate) point: Vec<u8>,
    /// The certificates, its own last.
    pub(crate) certificates: Vec<u8>,
}

impl Made {
    pub(crate) fn new(kid: u8, random: &mut Random) -> Result<Self, CryptoError> {
        let mut pair = || KeyPair::generate(Algorithm::Ec(Curve::P256), random);
        let (root, issuer, pair) = (pair()?, pair()?, pair()?);
        let mut issue = |subject: &str, of: &KeyPair, name: &str, by: &KeyPair, extensions: &[Extension]| {
            let public = of.public()?;
            let request = Request { subject, issuer: name, serial: random.bytes(), public: &public, extensions };
            certificate::sign(&request, by, &RustCrypto)
        };
        let intermediate = issue(ISSUER, &issuer, ROOT, &root, &[Extension::authority()])?;
        let leaf = issue(&format!("CN=YubiKey SD Attestation {kid:02x}"), &pair, ISSUER, &issuer, &[])?;
        let (KeyPair::Ec(_, scalar), PublicKey::Ec(_, point)) = (&pair, pair.public()?) else { return Err(CryptoError::Key) };
        let key = Key::Private(scalar.clone(), point.clone());
        Ok(Self { key, point, certificates: [intermediate, leaf].concat() })
    }
}

/// Everything as on a new card: all old keys go and the new ones come in one transaction.
pub(crate) fn reset(env: &mut Env<'_>) -> Result<(), Abort> {
    let content = Content::new(env.random)?;
    let mut transaction = env.nvm.begin();
    transaction.erase_area(CHANNEL_KEYS)?;
    transaction.erase_area(CHANNEL_NOTES)?;
    content.write(&mut transaction)?;
    transaction.commit()
}
