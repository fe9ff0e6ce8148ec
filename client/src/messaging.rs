//! Secure messaging with a PIV card, the host's side of SP 800-73-4 part 2 section 4: establishment, the card's proof,
//! and commands that go under it.
//!
//! 1. SELECT names the card's cipher suite (AC {80}).
//! 2. The object 5FC122 has the certificate of who signed the card's own; it is read in the clear.
//! 3. GENERAL AUTHENTICATE with key 04 brings the card's certificate and its cryptogram; both are verified.
//!
//! Whether the signer is one that anybody trusts is not judged here: its certificate is handed on.

use crate::transport::{Transport, TransportError, send};
use cardlab_protocol::apdu::short;
use cardlab_protocol::channel::piv::certificate::Signed;
use cardlab_protocol::channel::piv::derivation::{Agreement, CARD_CONTROL, IDENTIFIER, card_identifier};
use cardlab_protocol::channel::piv::{Refused, Session, Suite};
use cardlab_protocol::status::StatusWord;
use cardlab_protocol::tlv::{self, encode, find, find_path, objects};
use flate2::read::GzDecoder;
use p256::ecdsa::signature::hazmat::PrehashVerifier;
use std::io::Read;
use thiserror::Error;
use zeroize::Zeroizing;

const SELECT: [u8; 11] = [0x00, 0xA4, 0x04, 0x00, 0x05, 0xA0, 0x00, 0x00, 0x03, 0x08, 0x00];
const READ_SIGNER: [u8; 11] = [0x00, 0xCB, 0x3F, 0xFF, 0x05, 0x5C, 0x03, 0x5F, 0xC1, 0x22, 0x00];
/// The key of secure messaging.
const KEY: u8 = 0x04;
/// Class of a wrapped command, and of a block of one that goes on.
const SECURED: u8 = 0x0C;
const MORE: u8 = 0x10;
/// Longest data of one short command.
const BLOCK: usize = 255;
/// Longest certificate that is unpacked.
const LONGEST: u64 = 32 * 1024;
const SEQUENCE: u32 = 0x30;
const BIT_STRING: u32 = 0x03;

/// Why there is no session, or none any more.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum MessagingError {
    /// The card could not be asked.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The card offers none.
    #[error("the card offers no secure messaging; a simulated one does with sm=cs2 or sm=cs7")]
    NotOffered,
    /// The card refused it, or ended it.
    #[error("the card answered {0} where secure messaging goes on; open a new session")]
    Card(StatusWord),
    /// What the card sent is no answer to a key establishment.
    #[error("the card's answer to the key establishment makes no sense")]
    Answer,
    /// The certificate of who signed the card's own cannot be read or used.
    #[error("the object 5FC122 holds no certificate of a signer with a key on the suite's curve")]
    Signer,
    /// The card's certificate is not signed by it, or of another curve.
    #[error("the card's certificate is not signed by the signer that it shows")]
    Certificate,
    /// The card does not have the key of its certificate.
    #[error("the card did not prove that it has the key of its certificate")]
    Cryptogram,
    /// A response was changed on its way.
    #[error("a response was not accepted: {0}; open a new session")]
    Refused(#[from] Refused),
    /// No random numbers.
    #[error("the system gives no random numbers: {0}")]
    Random(String),
}

/// What a host brings to an establishment. Has no `Debug`: it holds a private key.
pub struct Host {
    /// IDsH: its name for itself, which nobody verifies.
    pub identifier: [u8; IDENTIFIER],
    /// CBh: its control byte; 00 unless one wants to see what a card does.
    pub control: u8,
    scalar: Zeroizing<Vec<u8>>,
}

impl Host {
    /// A host with a new key for this suite.
    ///
    /// # Errors
    /// [`MessagingError::Random`].
    pub fn new(suite: Suite) -> Result<Self, MessagingError> {
        let random = |bytes: &mut [u8]| getrandom::fill(bytes).map_err(|error| MessagingError::Random(error.to_string()));
        let mut identifier = [0; IDENTIFIER];
        random(&mut identifier)?;
        loop {
            let mut scalar = Zeroizing::new(vec![0; suite.coordinate()]);
            random(&mut scalar)?;
            if let Some(host) = Self::with_key(suite, identifier, scalar) {
                return Ok(host);
            }
        }
    }

    /// A host with this private key, big-endian; `None` when it is none of the suite's curve.
    #[must_use]
    pub fn with_key(suite: Suite, identifier: [u8; IDENTIFIER], scalar: Zeroizing<Vec<u8>>) -> Option<Self> {
        public(suite, &scalar)?;
        Some(Self { identifier, control: 0x00, scalar })
    }

    /// The data of the command that begins an establishment.
    ///
    /// # Errors
    /// [`MessagingError::Answer`] never, for a host of this suite.
    pub fn request(&self, suite: Suite) -> Result<Vec<u8>, MessagingError> {
        let point = public(suite, &self.scalar).ok_or(MessagingError::Answer)?;
        let challenge = [&[self.control], &self.identifier[..], &point].concat();
        Ok(encode(0x7C, &[encode(0x81, &challenge), encode(0x82, &[])].concat()))
    }

    /// The session that the card's answer opens. The card's proof is verified, its certificate is not.
    ///
    /// # Errors
    /// [`MessagingError::Answer`], [`MessagingError::Cryptogram`].
    pub fn accept(&self, suite: Suite, answer: &[u8]) -> Result<Established, MessagingError> {
        let body = find_path(answer, &[0x7C, 0x82]).ok_or(MessagingError::Answer)?;
        let (control, rest) = body.split_first().ok_or(MessagingError::Answer)?;
        let (nonce, rest) = rest.split_at_checked(suite.nonce()).ok_or(MessagingError::Answer)?;
        let (cryptogram, certificate) = rest.split_first_chunk::<16>().ok_or(MessagingError::Answer)?;
        let signed = Signed::parse(certificate).ok_or(MessagingError::Answer)?;
        if *control != CARD_CONTROL || signed.certificate.suite != suite {
            return Err(MessagingError::Answer);
        }
        let point = public(suite, &self.scalar).ok_or(MessagingError::Answer)?;
        let secret = shared(suite, &self.scalar, signed.certificate.point).ok_or(MessagingError::Answer)?;
        let agreement = Agreement {
            suite,
            secret: &secret,
            control: self.control,
            host: &self.identifier,
            point: &point,
            card: &card_identifier(certificate),
            nonce,
        };
        let (keys, expected) = agreement.derive().ok_or(MessagingError::Answer)?;
        // Nothing secret: the cryptogram is on the wire.
        if expected != *cryptogram {
            return Err(MessagingError::Cryptogram);
        }
        let (certificate, nonce) = (certificate.to_vec(), nonce.to_vec());
        Ok(Established { session: Session::new(suite, keys), certificate, nonce })
    }
}

/// What an establishment gives.
pub struct Established {
    /// The session.
    pub session: Session,
    /// The card's certificate, as it was sent.
    pub certificate: Vec<u8>,
    /// The card's nonce.
    pub nonce: Vec<u8>,
}

/// The suite that a card's answer to SELECT names.
#[must_use]
pub fn offered(template: &[u8]) -> Option<Suite> {
    let algorithms = objects(find(template, 0x61)?).filter(|object| object.tag == 0xAC);
    let mut ids = algorithms.flat_map(|object| objects(object.value)).filter(|object| object.tag == 0x80);
    ids.find_map(|id| Suite::from_id(*id.value.first()?))
}

/// Verifies a card's certificate with the certificate of its signer.
///
/// # Errors
/// [`MessagingError::Signer`], [`MessagingError::Certificate`].
pub fn verify(certificate: &[u8], signer: &[u8]) -> Result<(), MessagingError> {
    let signed = Signed::parse(certificate).ok_or(MessagingError::Certificate)?;
    let key = public_key_of(signer).ok_or(MessagingError::Signer)?;
    let digest = signed.certificate.suite.hash(&[signed.message]);
    let verified = match signed.certificate.suite {
        Suite::Cs2 => {
            let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(key).map_err(|_| MessagingError::Signer)?;
            p256::ecdsa::Signature::from_der(signed.signature).and_then(|signature| key.verify_prehash(&digest, &signature))
        }
        Suite::Cs7 => {
            let key = p384::ecdsa::VerifyingKey::from_sec1_bytes(key).map_err(|_| MessagingError::Signer)?;
            p384::ecdsa::Signature::from_der(signed.signature).and_then(|signature| key.verify_prehash(&digest, &signature))
        }
    };
    verified.map_err(|_| MessagingError::Certificate)
}

/// The certificate in the object 5FC122, DER.
///
/// # Errors
/// [`MessagingError::Signer`] where there is none.
pub fn signer(object: &[u8]) -> Result<Vec<u8>, MessagingError> {
    match find_path(object, &[0x53, 0x70]) {
        Some(packed @ [0x1F, 0x8B, ..]) => {
            let mut der = Vec::new();
            GzDecoder::new(packed).take(LONGEST).read_to_end(&mut der).map_err(|_| MessagingError::Signer)?;
            Ok(der)
        }
        Some(der @ [0x30, ..]) => Ok(der.to_vec()),
        _ => Err(MessagingError::Signer),
    }
}

/// The point in the certificate's subjectPublicKey (RFC 5280 section 4.1).
fn public_key_of(certificate: &[u8]) -> Option<&[u8]> {
    let fields = objects(find(find(certificate, SEQUENCE)?, SEQUENCE)?);
    let info = fields.filter(|field| field.tag != 0xA0).nth(5).filter(|field| field.tag == SEQUENCE)?;
    find(info.value, BIT_STRING)?.strip_prefix(&[0x00])
}

/// A card under secure messaging.
pub struct Secured<'t> {
    card: &'t mut dyn Transport,
    session: Session,
    /// The certificate of the card, verified with `signer`.
    pub certificate: Vec<u8>,
    /// The certificate of who signed it, DER.
    pub signer: Vec<u8>,
}

impl<'t> Secured<'t> {
    /// Selects the PIV application and opens a session with it.
    ///
    /// # Errors
    /// [`MessagingError`].
    pub fn open(card: &'t mut dyn Transport) -> Result<Self, MessagingError> {
        let (template, sw) = send(card, &SELECT)?;
        let suite = Some(template).filter(|_| sw == 0x9000).and_then(|t| offered(&t)).ok_or(MessagingError::NotOffered)?;
        let (object, sw) = send(card, &READ_SIGNER)?;
        let signer = if sw == 0x9000 { signer(&object)? } else { return Err(MessagingError::Signer) };
        let host = Host::new(suite)?;
        let request = short([0x00, 0x87, suite.id(), KEY], &host.request(suite)?, Some(0));
        let (answer, sw) = send(card, &request)?;
        if sw != 0x9000 {
            return Err(MessagingError::Card(StatusWord(sw)));
        }
        let Established { session, certificate, .. } = host.accept(suite, &answer)?;
        verify(&certificate, &signer)?;
        Ok(Self { card, session, certificate, signer })
    }

    /// One command under secure messaging: what it answers, and its own status word.
    ///
    /// # Errors
    /// [`MessagingError`]: the session is over then.
    pub fn command(
        &mut self,
        header: [u8; 3],
        data: &[u8],
        expects_data: bool,
    ) -> Result<(Zeroizing<Vec<u8>>, StatusWord), MessagingError> {
        let field = self.session.seal_command(header, data, expects_data)?;
        let mut answer = (Vec::new(), 0x9000);
        for command in wrapped(header, &field) {
            answer = send(self.card, &command)?;
            if answer.1 != 0x9000 {
                return Err(MessagingError::Card(StatusWord(answer.1)));
            }
        }
        Ok(self.session.open_response(&answer.0)?)
    }

    /// GET DATA: the object as the card has it.
    ///
    /// # Errors
    /// [`MessagingError`].
    pub fn get(&mut self, tag: u32) -> Result<(Zeroizing<Vec<u8>>, StatusWord), MessagingError> {
        self.command([0xCB, 0x3F, 0xFF], &tlv::tag_list(tag), true)
    }

    /// VERIFY with these bytes.
    ///
    /// # Errors
    /// [`MessagingError`].
    pub fn verify(&mut self, reference: u8, value: &[u8]) -> Result<StatusWord, MessagingError> {
        Ok(self.command([0x20, 0x00, reference], value, false)?.1)
    }
}

/// The APDUs that carry a wrapped command's field: a chain where it is long, an Le with the last.
#[must_use]
pub fn wrapped([ins, p1, p2]: [u8; 3], field: &[u8]) -> Vec<Vec<u8>> {
    let mut blocks: Vec<&[u8]> = field.chunks(BLOCK).collect();
    let last = blocks.pop().unwrap_or_default();
    let first = blocks.into_iter().map(|block| short([SECURED | MORE, ins, p1, p2], block, None));
    first.chain([short([SECURED, ins, p1, p2], last, Some(0))]).collect()
}

/// The public point of a scalar.
fn public(suite: Suite, scalar: &[u8]) -> Option<Vec<u8>> {
    match suite {
        Suite::Cs2 => p256::SecretKey::from_slice(scalar).map(|key| key.public_key().to_sec1_bytes().to_vec()),
        Suite::Cs7 => p384::SecretKey::from_slice(scalar).map(|key| key.public_key().to_sec1_bytes().to_vec()),
    }
    .ok()
}

/// The x-coordinate that a scalar shares with a point.
fn shared(suite: Suite, scalar: &[u8], point: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let secret = match suite {
        Suite::Cs2 => {
            let peer = p256::PublicKey::from_sec1_bytes(point).ok()?;
            p256::SecretKey::from_slice(scalar).ok()?.diffie_hellman(&peer).raw_secret_bytes().to_vec()
        }
        Suite::Cs7 => {
            let peer = p384::PublicKey::from_sec1_bytes(point).ok()?;
            p384::SecretKey::from_slice(scalar).ok()?.diffie_hellman(&peer).raw_secret_bytes().to_vec()
        }
    };
    Some(Zeroizing::new(secret))
}
