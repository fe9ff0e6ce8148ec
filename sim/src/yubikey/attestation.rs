//! ATTEST, firmware 4.3.
//!
//! `00 F9 slot 00` answers an X.509 certificate, bare DER, over the slot's public key, signed by
//! the attestation key F9. Extensions under 1.3.6.1.4.1.41482.3: `.3` firmware, `.7` serial, `.8`
//! PIN and touch policy, `.9` form factor.
//!
//! A real key's chain ends in its maker's root. Ours ends in a root that each card makes for itself
//! (`Authority`); its private key is forgotten at once. The attestation key is of the kind that the firmware has, and its certificate
//! says that it is an authority where the firmware's does.

use crate::applet::Env;
use crate::crypto::CryptoError;
use crate::crypto::asymmetric::{Algorithm, KeyPair};
use crate::crypto::certificate::{self, Extension, Request};
use crate::crypto::ec::Curve;
use crate::keys::{self, Origin, PinPolicy, Slot, TouchPolicy};
use crate::memory;
use crate::nvm::Transaction;
use crate::piv::{content, objects};
use crate::profile::YubiKeyRules;
use crate::random::Random;
use crate::status::{Abort, StatusWord};
use cardlab_protocol::apdu::Command;
use cardlab_protocol::tlv;

const ROOT_NAME: &str = "CN=cardlab PIV Attestation Root";
const ATTESTATION_NAME: &str = "CN=Yubico PIV Attestation";

pub(super) fn process(env: &mut Env<'_>, rules: &YubiKeyRules, command: &Command<'_>, out: &mut Vec<u8>) -> Result<(), Abort> {
    let slot = command.p1;
    if command.p2 != 0 || !(keys::is_slot(slot) || slot == keys::ATTESTATION) {
        return Err(StatusWord::WRONG_P1P2.into());
    }
    let content = keys::load(env.nvm, slot).ok_or(env.profile.piv().empty_slot)?;
    if content.origin != Origin::Generated {
        return Err(rules.attest_imported.into());
    }
    let issuer = keys::load(env.nvm, keys::ATTESTATION).ok_or(StatusWord::REFERENCE_NOT_FOUND)?;
    let holder = objects::read(env.nvm, objects::ATTESTATION_CERTIFICATE).and_then(|object| tlv::find(object, 0x70));
    let issuer_name = holder.and_then(certificate::subject).ok_or(StatusWord::INTERNAL)?;
    let serial = crate::factory::serial(env.nvm);
    let extensions = [
        Extension::vendor(3, rules.version.to_vec()),
        Extension::vendor(7, certificate::integer(serial)),
        Extension::vendor(8, vec![content.pin as u8, content.touch as u8]),
        Extension::vendor(9, vec![rules.form_factor]),
    ];
    let request = Request {
        subject: &format!("CN=YubiKey PIV Attestation {slot:02x}"),
        issuer: &issuer_name,
        serial: env.random.bytes(),
        public: &content.key.public()?,
        extensions: &extensions,
    };
    out.extend(certificate::sign(&request, &issuer.key, env.backend)?);
    Ok(())
}

/// A card's own attestation root, and the attestation key that it signed.
pub(crate) struct Authority {
    key: KeyPair,
    certificate: Vec<u8>,
    root: Vec<u8>,
}

/// RSA-2048 keys that were made beforehand, their two primes each: making one takes a card ten times as long as all its
/// other factory content. A simulated key protects nothing; whoever needs one of their own sets `f9`.
const KEYS: &[u8; 4 * 256] = include_bytes!("attestation-keys.bin");

impl Authority {
    pub(crate) fn new(rules: &YubiKeyRules, random: &mut Random) -> Result<Self, CryptoError> {
        let root_key = KeyPair::generate(Algorithm::Ec(Curve::P256), random)?;
        let key = match rules.attestation_key {
            Algorithm::Rsa(2048) => {
                let [choice, ..] = random.bytes::<32>();
                let (p, q) = KEYS[usize::from(choice % 4) * 256..][..256].split_at(128);
                KeyPair::from_parts(Algorithm::Rsa(2048), &[p, q])?
            }
            other => KeyPair::generate(other, random)?,
        };
        let mut issue = |subject: &str, public: &KeyPair, extensions: &[Extension]| {
            let request = Request { subject, issuer: ROOT_NAME, serial: random.bytes(), public: &public.public()?, extensions };
            certificate::sign(&request, &root_key, &crate::crypto::backend::RustCrypto)
        };
        let authority = [Extension::authority()];
        let root = issue(ROOT_NAME, &root_key, &authority)?;
        let certificate = issue(ATTESTATION_NAME, &key, if rules.attestation_ca { &authority } else { &[] })?;
        Ok(Self { key, certificate, root })
    }

    pub(crate) fn write(&self, transaction: &mut Transaction<'_>) -> Result<(), Abort> {
        let slot = Slot { key: self.key.clone(), origin: Origin::Imported, pin: PinPolicy::Never, touch: TouchPolicy::Never };
        keys::store(transaction, keys::ATTESTATION, &slot)?;
        let mut object = |tag, der: &[u8]| transaction.write(memory::object(tag), &content::certificate(der, false));
        object(objects::ATTESTATION_CERTIFICATE, &self.certificate)?;
        object(objects::ATTESTATION_ROOT, &self.root)
    }
}
