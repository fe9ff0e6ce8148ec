//! Key establishment for secure messaging: GENERAL AUTHENTICATE with key 04, SP 800-73-4 part 2 section 4.1.
//!
//! | CLA INS P1 P2 | data | answer |
//! |---|---|---|
//! | 00 87 suite 04 | `7C {81 CBh IDsH point, 82}` | `7C {82 CBicc N cryptogram certificate}` |
//!
//! suite is 27 (CS2) or 2E (CS7). 6A86 another suite than the card's, or none; 6A80 a control byte that asks for what the
//! card does not keep, a point that is none; 6982 under secure messaging itself. Whatever it ends in, the session that
//! there was is gone. What comes after it - wrapped commands - is [`crate::channel`]'s.
//!
//! A card offers secure messaging when it has the key and a certificate for it.

use super::Piv;
use super::general_authenticate::Template;
use crate::applet::Env;
use crate::channel::Channel;
use crate::crypto::CryptoError;
use crate::crypto::asymmetric::{Algorithm, KeyPair, PublicKey};
use crate::crypto::backend::RustCrypto;
use crate::crypto::certificate::{self, Extension, Request};
use crate::crypto::ec::Curve;
use crate::keys::{self, MESSAGING, Origin, PinPolicy, Slot, TouchPolicy};
use crate::memory;
use crate::nvm::{Nvm, Transaction};
use crate::piv::{content, objects};
use crate::random::Random;
use crate::status::{Abort, StatusWord};
use cardlab_protocol::apdu::Command;
use cardlab_protocol::channel::piv::certificate::CardCertificate;
use cardlab_protocol::channel::piv::derivation::{Agreement, CARD_CONTROL, IDENTIFIER, card_identifier};
use cardlab_protocol::channel::piv::{Session, Suite};
use cardlab_protocol::tlv::Writer;
use const_oid::ObjectIdentifier;
use sha1::{Digest, Sha1};

const SIGNER_NAME: &str = "CN=cardlab PIV Content Signer";
/// id-PIV-content-signing, SP 800-73-4 part 1 section 3.3.7.
const CONTENT_SIGNING: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.6.7");
/// id-fpki-common-piv-contentSigning.
const CONTENT_SIGNING_POLICY: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.2.1.3.39");

/// The suite of this card; `None` for one without secure messaging.
pub(super) fn suite(nvm: &Nvm) -> Option<Suite> {
    nvm.read(memory::CARD_CERTIFICATE)?;
    match keys::info(nvm, MESSAGING)?.algorithm {
        Algorithm::Ec(Curve::P256) => Some(Suite::Cs2),
        Algorithm::Ec(Curve::P384) => Some(Suite::Cs7),
        _ => None,
    }
}

/// Whether keys of this algorithm may stand beside the card's suite: over the virtual contact interface a P-384 key for
/// signature or key management wants CS7 (SP 800-78-5 section 3.1).
pub(super) fn allows(suite: Option<Suite>, slot: u8, algorithm: Algorithm) -> bool {
    let weaker = suite == Some(Suite::Cs2) && algorithm == Algorithm::Ec(Curve::P384);
    !(weaker && matches!(slot, 0x9C | 0x9D | 0x82..=0x95))
}

pub(super) fn establish(piv: &mut Piv, env: &mut Env<'_>, command: &Command<'_>, out: &mut Vec<u8>) -> Result<(), Abort> {
    if env.secured {
        return Err(StatusWord::SECURITY_STATUS.into());
    }
    *env.channel = None;
    let suite = suite(env.nvm).filter(|suite| suite.id() == command.p1).ok_or(StatusWord::WRONG_P1P2)?;
    let request = request(command.data).ok_or(StatusWord::WRONG_DATA)?;
    if request.control & 0xF0 != CARD_CONTROL || !suite.is_point(request.point) {
        return Err(StatusWord::WRONG_DATA.into());
    }
    let key = piv.prepare(env, MESSAGING)?;
    let secret = key.agree(request.point);
    piv.prepared.insert(MESSAGING, key);
    let secret = secret?;
    let mut nonce = vec![0; suite.nonce()];
    env.random.fill(&mut nonce);
    let certificate = env.nvm.read(memory::CARD_CERTIFICATE).ok_or(StatusWord::INTERNAL)?;
    let agreement = Agreement {
        suite,
        secret: &secret,
        control: request.control,
        host: request.host,
        point: request.point,
        card: &card_identifier(certificate),
        nonce: &nonce,
    };
    let (keys, cryptogram) = agreement.derive().ok_or(StatusWord::INTERNAL)?;
    Writer::new(out).nested(0x7C, |template| {
        template.value(0x82, &[&[CARD_CONTROL], &nonce[..], &cryptogram, certificate].concat());
    });
    *env.channel = Some(Channel::Messaging(Session::new(suite, keys)));
    Ok(())
}

/// What a host sends.
struct HostRequest<'a> {
    control: u8,
    host: &'a [u8; IDENTIFIER],
    point: &'a [u8],
}

fn request(data: &[u8]) -> Option<HostRequest<'_>> {
    match Template::parse(data)? {
        Template { witness: None, challenge: Some([control, rest @ ..]), response: Some([]), exponentiation: None } => {
            let (host, point) = rest.split_first_chunk()?;
            Some(HostRequest { control: *control, host, point })
        }
        _ => None,
    }
}

/// What a new card gets for secure messaging: its key, the certificate of that, the certificate of who signed it.
pub(super) struct Credentials {
    key: KeyPair,
    certificate: Vec<u8>,
    signer: Vec<u8>,
}

impl Credentials {
    /// Everything random, and a signer that is forgotten at once.
    pub(super) fn new(suite: Suite, guid: [u8; 16], random: &mut Random) -> Result<Self, CryptoError> {
        let curve = match suite {
            Suite::Cs2 => Curve::P256,
            Suite::Cs7 => Curve::P384,
        };
        let signer = KeyPair::generate(Algorithm::Ec(curve), random)?;
        let key = KeyPair::generate(Algorithm::Ec(curve), random)?;
        Self::of(suite, key, &signer, guid, random.bytes())
    }

    fn of(suite: Suite, key: KeyPair, signer: &KeyPair, guid: [u8; 16], serial: [u8; 16]) -> Result<Self, CryptoError> {
        let public = signer.public()?;
        let identifier = key_identifier(&public)?;
        let extensions = [
            Extension::subject_key_identifier(&identifier),
            Extension::key_usage_signature(),
            Extension::policy(CONTENT_SIGNING_POLICY),
            Extension::extended_key_usage(CONTENT_SIGNING),
        ];
        let request = Request { subject: SIGNER_NAME, issuer: SIGNER_NAME, serial, public: &public, extensions: &extensions };
        let signer_certificate = certificate::sign(&request, signer, &RustCrypto)?;
        let mut issuer = [0; 8];
        issuer.copy_from_slice(&identifier[..8]);
        let PublicKey::Ec(_, point) = key.public()? else { return Err(CryptoError::Key) };
        let unsigned = CardCertificate { issuer, subject: guid, suite, point: &point };
        let signature = signer.prepare(&RustCrypto)?.sign(&suite.hash(&[&unsigned.message()]))?;
        Ok(Self { certificate: unsigned.signed(&signature), key, signer: signer_certificate })
    }

    pub(super) fn write(&self, transaction: &mut Transaction<'_>) -> Result<(), Abort> {
        let slot = Slot { key: self.key.clone(), origin: Origin::Generated, pin: PinPolicy::Never, touch: TouchPolicy::Never };
        keys::store(transaction, MESSAGING, &slot)?;
        transaction.write(memory::CARD_CERTIFICATE, &self.certificate)?;
        transaction.write(memory::object(objects::MESSAGING_SIGNER), &content::certificate(&self.signer, false))
    }
}

/// Method 1 of RFC 5280 section 4.2.1.2.
fn key_identifier(public: &PublicKey) -> Result<Vec<u8>, CryptoError> {
    match public {
        PublicKey::Ec(_, point) => Ok(Sha1::digest(point).to_vec()),
        _ => Err(CryptoError::Key),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hex_literal::hex;

    /// The certificates of an independent program, whose signatures are RFC 6979 too. Their issuer is no key identifier.
    #[test]
    fn certificates_known_answers() {
        let guid = hex!("A0A1A2A3A4A5A6A7A8A9AAABACADAEAF");
        let known: [(Suite, Curve, usize, &[u8]); 2] = [
            (
                Suite::Cs2,
                Curve::P256,
                32,
                &hex!(
                    "7F2181D15F290180420801020304050607085F2010A0A1A2A3A4A5A6A7A8A9AAABACADAEAF7F494D06082A8648CE3D030107864104D65A93977CAA3D1B081852FF57A79E465F1660577304BAEAD505DD3A48589CF350185E895372DF6221EA3A137557E473FDDB6755F05BD507C3C533FCE9C912855F4C01005F37593057300A06082A8648CE3D04030203490030460221009E06A6BAFB751F7D1A1B995665DB2F4C5D7C0C5CC5062D63E6B16FED9BC0301D0221009B926EF7DA821CE756388BC7AAA07B8577FD6089617D38814AF6E8010B3389ED"
                ),
            ),
            (
                Suite::Cs7,
                Curve::P384,
                48,
                &hex!(
                    "7F2182010C5F290180420801020304050607085F2010A0A1A2A3A4A5A6A7A8A9AAABACADAEAF7F496A06052B810400228661044F2BDA7FD2105F8467E21F45223AD58863FFA4C084832D9F6C64FFC47FDD519727AB53CB71F9C40DE24B64ACDE61F02FC7DCE130B612FA5DBCAC94573A2354FD005D8E9CAEFDC5FDE48304474708BBD82F77E1FD2C630BEA236F6F8DCCC1678E5F4C01005F37773075300A06082A8648CE3D040303036700306402305D7B3F3406FA76EE071F4811FF9147E27A47B95B5BD8F9384CFA53CBF5F4C0DE73445E95AD2494AC6D9D670804F5BC3002300E5FBADCC31F60F9A14649E70DC1C433D2291D2F5497AB36434D99E3D8D396794165CC87DA33AAC2A2FBAC7B9E7D6533"
                ),
            ),
        ];
        for (suite, curve, size, expected) in known {
            let pair = |fill: u8| KeyPair::from_parts(Algorithm::Ec(curve), &[&vec![fill; size]]).unwrap();
            let PublicKey::Ec(_, point) = pair(0x22).public().unwrap() else { panic!("a point") };
            let unsigned = CardCertificate { issuer: [1, 2, 3, 4, 5, 6, 7, 8], subject: guid, suite, point: &point };
            let digest = suite.hash(&[&unsigned.message()]);
            let signature = pair(0x11).prepare(&RustCrypto).unwrap().sign(&digest).unwrap();
            assert_eq!(hex::encode_upper(unsigned.signed(&signature)), hex::encode_upper(expected));
        }
    }
}
