//! The card that is in a reader: anybody's. Nothing is done to it that was not allowed by name.

use super::owned::Owned;
use super::{NoCard, Placed, Slot, Target};
use crate::bench::{Facts, Objects};
use crate::credentials::Credentials;
use crate::keys::KeyKind;
use crate::oracle::PublicKey;
use crate::report::Afterwards;
use crate::test::{Danger, Need, Test, Wish};
use cardlab_client::alone::{Alone, NotAlone};
use cardlab_client::minidriver::{CardError, Minidriver};
use cardlab_client::recognise::Edge;
use cardlab_client::transport::{TransportError, send};
use cardlab_pcsclite::client::{self, Connection, Context, Disposition, ShareMode};
use cardlab_pcsclite::code::state;
use cardlab_protocol::apdu::short;
use cardlab_protocol::piv;
use cardlab_protocol::tlv::{self, find_path};
use std::path::{Path, PathBuf};
use std::time::Duration;
use thiserror::Error;
use x509_cert::der::{Decode as _, Encode as _};

/// Why a reader's card cannot be judged.
#[derive(Debug, Error)]
pub enum PcscError {
    /// PC/SC refused.
    #[error(transparent)]
    Pcsc(#[from] client::Error),
    /// Another run is on the card.
    #[error(transparent)]
    NotAlone(#[from] NotAlone),
    /// The card could not be asked.
    #[error("{0}")]
    Card(String),
    /// The serial that was given is not this card's.
    #[error("{}, not {given}: nothing was done to it", serial_of(found))]
    OtherCard {
        /// The card's.
        found: String,
        /// What was given.
        given: String,
    },
    /// More than reading was allowed, without naming the card.
    #[error("--allow {0} needs the card's serial as well: --serial {1}")]
    NoSerial(Danger, String),
}

/// Whether a serial that somebody gives is this card's: hexadecimal, or a YubiKey's as it is printed on it.
fn names(given: &str, facts: &Facts) -> bool {
    let printed =
        || matches!(facts.edge, Edge::Piv { yubikey: Some(_), .. }).then(|| u32::from_str_radix(&facts.serial, 16).ok())?;
    given == facts.serial || printed().is_some_and(|number| given == number.to_string())
}

fn serial_of(found: &str) -> String {
    if found.is_empty() { "the card shows no serial".into() } else { format!("the card's serial is {found}") }
}

/// A card in a reader, with what may be done to it.
pub struct Pcsc {
    context: Context,
    socket: PathBuf,
    reader: String,
    card: Owned,
    /// Nobody else runs on it.
    _alone: Alone,
}

/// What a person says of the card, and allows.
#[derive(Clone, Copy, Debug)]
pub struct Allowed<'a> {
    /// What may be done to it.
    pub danger: Danger,
    /// Its serial; needed beyond [`Danger::Safe`].
    pub serial: Option<&'a str>,
    /// What it is to be judged as; else what it is recognised for.
    pub edge: Option<Edge>,
    /// Longest wait for an answer; [`super::SILENCE`] is enough for every key.
    pub limit: Duration,
}

impl Pcsc {
    /// Recognises the card in a reader; only reads. Beyond [`Danger::Safe`] its serial must be named.
    ///
    /// # Errors
    /// [`PcscError`].
    pub fn open(
        socket: &Path,
        reader: &str,
        credentials: Credentials,
        Allowed { danger, serial, edge, limit }: Allowed<'_>,
    ) -> Result<Self, PcscError> {
        let context = Context::establish_at(socket)?;
        context.set_limit(limit)?;
        // Before the first command: reading ends another run's session too.
        let _alone = Alone::take(socket, reader)?;
        let facts = {
            let mut card = context.connect(reader, ShareMode::Shared)?;
            look(&mut card, credentials, edge).map_err(PcscError::Card)?
        };
        let named = serial.map(|s| s.replace(' ', "").to_uppercase());
        let others = [&named, &facts.credentials.serial].into_iter().flatten().find(|given| !names(given, &facts));
        if let Some(given) = others.cloned() {
            return Err(PcscError::OtherCard { found: facts.serial, given });
        }
        if named.is_none() && danger > Danger::Safe {
            return Err(PcscError::NoSerial(danger, facts.serial));
        }
        Ok(Self { context, socket: socket.to_owned(), reader: reader.to_owned(), card: Owned::new(facts, danger), _alone })
    }

    /// What was recognised.
    #[must_use]
    pub const fn facts(&self) -> &Facts {
        self.card.facts()
    }
}

impl Target for Pcsc {
    fn name(&self) -> String {
        self.facts().name.clone()
    }

    fn prepare(&mut self, tests: &[&Test]) -> Result<Vec<String>, String> {
        let card = self.context.connect(&self.reader, ShareMode::Shared).map_err(|e| e.to_string())?;
        let slot = Connected { card, socket: &self.socket, reader: &self.reader };
        self.card.prepare(Box::new(slot), tests).map_err(|stop| stop.to_string())
    }

    fn afterwards(&self) -> Option<Afterwards> {
        Some(self.card.afterwards())
    }

    fn place(&mut self, needs: &[Need], wish: &Wish, danger: Danger) -> Result<Placed<'_>, NoCard> {
        self.card.admit(needs, wish, danger)?;
        let card = self.context.connect(&self.reader, ShareMode::Shared).map_err(|e| NoCard::NotRun(e.to_string()))?;
        let slot = Connected { card, socket: &self.socket, reader: &self.reader };
        Ok(self.card.place(Box::new(slot)))
    }
}

/// Reads what a card tells of itself.
fn look(card: &mut Connection<'_>, credentials: Credentials, wanted: Option<Edge>) -> Result<Facts, String> {
    let (edge, serial) = match (Minidriver::open(card), wanted) {
        (Ok(mut card), wanted) => {
            let serial = card.card_id().map_err(|e| e.to_string())?.map(hex::encode_upper).unwrap_or_default();
            (wanted.unwrap_or(card.edge()), serial)
        }
        (Err(CardError::Unknown), Some(wanted)) => (wanted, String::new()),
        (Err(error), _) => return Err(error.to_string()),
    };
    let mut keys = Vec::new();
    if let Edge::Piv { .. } = edge {
        for slot in piv::KEYS {
            let Some(tag) = piv::certificate_of(slot) else { continue };
            let command = short([0x00, 0xCB, 0x3F, 0xFF], &tlv::tag_list(tag), Some(0));
            let (data, sw) = send(card, &command).map_err(|e| e.to_string())?;
            let certificate = find_path(&data, &[0x53, 0x70]).filter(|_| sw == 0x9000);
            keys.extend(certificate.and_then(public_of).map(|key| (slot, key)));
        }
    }
    let name = if serial.is_empty() { edge.name() } else { format!("{} {serial}", edge.name()) };
    // Cards tell it nowhere that all of them have; long answers are fetched in parts anyway.
    Ok(Facts {
        name,
        edge,
        serial,
        credentials,
        keys,
        new: false,
        extended_length: false,
        tells_verified: false,
        pin_tries: None,
        objects: Objects::new(),
        files: Vec::new(),
    })
}

/// The public key of a certificate, when the suite can judge it.
fn public_of(der: &[u8]) -> Option<PublicKey> {
    let certificate = x509_cert::Certificate::from_der(der).ok()?;
    let info = certificate.tbs_certificate().subject_public_key_info();
    let bits = info.subject_public_key.raw_bytes();
    match info.algorithm.oid.to_string().as_str() {
        "1.2.840.113549.1.1.1" => {
            let fields = tlv::objects(tlv::find(bits, 0x30)?);
            let mut numbers = fields.map(|n| n.value.iter().copied().skip_while(|b| *b == 0).collect::<Vec<u8>>());
            Some(PublicKey::Rsa { modulus: numbers.next()?, exponent: numbers.next()? })
        }
        "1.2.840.10045.2.1" => {
            let curve = info.algorithm.parameters.as_ref()?.to_der().ok()?;
            // The curves' object identifiers: P-256, P-384.
            let kind = match curve.as_slice() {
                [0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07] => KeyKind::P256,
                [0x06, 0x05, 0x2B, 0x81, 0x04, 0x00, 0x22] => KeyKind::P384,
                _ => return None,
            };
            Some(PublicKey::Point(kind, bits.to_vec()))
        }
        _ => None,
    }
}

/// A connection to a card in a reader.
pub(super) struct Connected<'a> {
    pub(super) card: Connection<'a>,
    pub(super) socket: &'a Path,
    pub(super) reader: &'a str,
}

impl Slot for Connected<'_> {
    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, TransportError> {
        Ok(self.card.transmit(command)?)
    }

    fn reset(&mut self, cold: bool) -> Result<(), TransportError> {
        let how = if cold { Disposition::Unpower } else { Disposition::Reset };
        Ok(self.card.reconnect(ShareMode::Shared, how)?)
    }

    fn is_there(&mut self) -> bool {
        let readers = Context::establish_at(self.socket).and_then(|context| context.readers());
        readers.is_ok_and(|readers| readers.iter().any(|r| r.name == self.reader && r.state & state::PRESENT != 0))
    }

    fn reader(&self) -> Option<(&Path, &str)> {
        Some((self.socket, self.reader))
    }
}
