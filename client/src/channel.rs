//! Secure channels with YubiKeys of firmware 5.7.2 and later, the host's side: SCP03, and SCP11 a, b and c on P-256.
//!
//! A channel is opened in the application that it is for, which has to be selected before; selecting one ends it.
//!
//! | channel | the host has | the card proves itself | the host proves itself |
//! |---|---|---|---|
//! | SCP03 | a set of three AES keys | by the set | by the set |
//! | SCP11b | the card's public key | by that | not at all |
//! | SCP11a, c | that, and certificates of an authority that the card knows | by that | by its key; with c it may change no keys |

use crate::transport::{Transport, TransportError, send};
use cardlab_protocol::apdu::{Command, short};
use cardlab_protocol::channel::aes::Key;
use cardlab_protocol::channel::scp::derivation::{CHALLENGE, StaticKeys, USAGE, check_value, scp11};
use cardlab_protocol::channel::scp::{Refused, Session};
use cardlab_protocol::status::StatusWord;
use cardlab_protocol::tlv::{Reader, Writer, encode, find};
use thiserror::Error;
use zeroize::Zeroizing;

/// The security domain, where the keys are.
pub const SECURITY_DOMAIN: [u8; 8] = [0xA0, 0x00, 0x00, 0x01, 0x51, 0x00, 0x00, 0x00];
/// The management application of a YubiKey.
pub const MANAGEMENT: [u8; 8] = [0xA0, 0x00, 0x00, 0x05, 0x27, 0x47, 0x11, 0x17];
/// KID of a set of SCP03, and of the card's keys for SCP11.
pub const SCP03: u8 = 0x01;
/// Both sides prove themselves.
pub const SCP11A: u8 = 0x11;
/// The card proves itself.
pub const SCP11B: u8 = 0x13;
/// As SCP11a, for scripts that others play.
pub const SCP11C: u8 = 0x15;
/// Longest data of one short command.
const BLOCK: usize = 255;
const SCALAR: usize = 32;

/// Why there is no channel, or none any more.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ChannelError {
    /// The card could not be asked.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The card refused to open it.
    #[error("the card answered {0} to what opens a secure channel")]
    Card(StatusWord),
    /// What the card sent makes no sense.
    #[error("the card's answer makes no sense")]
    Answer,
    /// The card has other keys.
    #[error("the card did not prove that it has these keys")]
    Proof,
    /// A key that is none.
    #[error("the host's key is none of its kind")]
    Key,
    /// A response was changed on its way.
    #[error("a response was not accepted: {0}; open a new channel")]
    Refused(#[from] Refused),
    /// No random numbers.
    #[error("the system gives no random numbers: {0}")]
    Random(String),
}

/// What a host shows of itself in SCP11 a and c.
pub struct HostIdentity<'k> {
    /// KID and KVN of the authority's key on the card; zeros for the one that fits.
    pub authority: [u8; 2],
    /// The host's private key, big-endian.
    pub scalar: &'k [u8],
    /// Its certificates, DER: those of authorities before, its own last.
    pub certificates: &'k [Vec<u8>],
}

/// A channel with a card.
pub struct Channel<'t> {
    card: &'t mut dyn Transport,
    session: Session,
    /// Whether commands go in extended form; else long ones go as chains.
    pub extended: bool,
}

/// SELECT of an application by its whole name.
///
/// # Errors
/// [`ChannelError::Transport`]; [`ChannelError::Card`] where there is none.
pub fn select(card: &mut dyn Transport, aid: &[u8]) -> Result<Vec<u8>, ChannelError> {
    ok(send(card, &short([0x00, 0xA4, 0x04, 0x00], aid, Some(0)))?)
}

impl<'t> Channel<'t> {
    /// Opens SCP03 with the set of this KVN; 00 for the card's first.
    ///
    /// # Errors
    /// [`ChannelError`]. The card counts every attempt that is not carried to its end.
    pub fn scp03(card: &'t mut dyn Transport, kvn: u8, set: &StaticKeys) -> Result<Self, ChannelError> {
        let challenge = random::<CHALLENGE>()?;
        let answer = ok(send(card, &short([0x80, 0x50, kvn, 0x00], &challenge, Some(0)))?)?;
        // Diversification (10), key information (3), challenge, cryptogram.
        let (challenges, cryptogram) = answer.split_last_chunk::<CHALLENGE>().ok_or(ChannelError::Answer)?;
        let theirs =
            challenges.split_last_chunk::<CHALLENGE>().filter(|(head, _)| head.len() == 13).ok_or(ChannelError::Answer)?.1;
        let derived = set.derive(&challenge, theirs).ok_or(ChannelError::Key)?;
        // Nothing secret: the cryptogram is on the wire.
        if derived.card_cryptogram != *cryptogram {
            return Err(ChannelError::Proof);
        }
        let mut session = Session::new(derived.keys, [0; 16]);
        let header = [0x84, 0x82, 0x33, 0x00];
        let proof = session.authenticate_command(header, false, &derived.host_cryptogram);
        ok(send(card, &short(header, &proof, None))?)?;
        Ok(Self { card, session, extended: false })
    }

    /// Opens SCP11 with the card's key of this KID and KVN, whose public half is `point`; with SCP11 a and c the host
    /// shows itself.
    ///
    /// # Errors
    /// [`ChannelError`].
    pub fn scp11(
        card: &'t mut dyn Transport,
        [kid, kvn]: [u8; 2],
        point: &[u8],
        host: Option<&HostIdentity<'_>>,
    ) -> Result<Self, ChannelError> {
        if let Some(HostIdentity { authority: [kid, kvn], certificates, .. }) = host {
            for (n, certificate) in certificates.iter().enumerate() {
                let more = if n + 1 < certificates.len() { 0x80 } else { 0x00 };
                long(card, [0x80, 0x2A, *kvn, kid | more], certificate)?;
            }
        }
        let own = loop {
            if let Ok(key) = p256::SecretKey::from_slice(&*Zeroizing::new(random::<SCALAR>()?)) {
                break key;
            }
        };
        let parameters = match kid {
            SCP11A => 0x01,
            SCP11B => 0x00,
            _ => 0x03,
        };
        let mut data = Vec::new();
        Writer::new(&mut data)
            .nested(0xA6, |template| {
                template.value(0x90, &[0x11, parameters]).value(0x95, &USAGE[..1]);
                template.value(0x80, &USAGE[1..2]).value(0x81, &USAGE[2..]);
            })
            .value(0x5F49, &own.public_key().to_sec1_bytes());
        let ins = if kid == SCP11B { 0x88 } else { 0x82 };
        let answer = ok(send(card, &short([0x80, ins, kvn, kid], &data, Some(0)))?)?;
        let mut parts = Reader::new(&answer);
        let theirs = parts.next().and_then(Result::ok).filter(|part| part.tag == 0x5F49).ok_or(ChannelError::Answer)?.value;
        let exchanged = &answer[..answer.len() - parts.rest().len()];
        let receipt = find(parts.rest(), 0x86).ok_or(ChannelError::Answer)?;
        let fixed = match host {
            Some(host) => p256::SecretKey::from_slice(host.scalar).map_err(|_| ChannelError::Key)?,
            None => own.clone(),
        };
        let secrets = [shared(&own, theirs).ok_or(ChannelError::Answer)?, shared(&fixed, point).ok_or(ChannelError::Key)?];
        let (keys, expected) = scp11([&secrets[0], &secrets[1]], [&data, exchanged]).ok_or(ChannelError::Key)?;
        if receipt != expected {
            return Err(ChannelError::Proof);
        }
        Ok(Self { card, session: Session::new(keys, expected), extended: false })
    }

    /// One command through the channel: what it answers, and its status word.
    ///
    /// # Errors
    /// [`ChannelError`]: the channel is over then.
    pub fn command(&mut self, header: [u8; 4], data: &[u8]) -> Result<(Zeroizing<Vec<u8>>, StatusWord), ChannelError> {
        let field = self.session.seal_command(header, self.extended, data)?;
        let [cla, ins, p1, p2] = header;
        let header = [cla | 0x04, ins, p1, p2];
        let (answer, sw) = match self.extended {
            true => {
                let command = Command { cla: header[0], ins, p1, p2, data: &field, le: Some(65_536), extended: true };
                send(self.card, &command.to_bytes())?
            }
            false => chained(self.card, header, &field)?,
        };
        Ok((self.session.open_response(&answer, StatusWord(sw))?, StatusWord(sw)))
    }

    /// PUT KEY of a set of SCP03, in the place of the set `replaced` (00: beside it).
    ///
    /// # Errors
    /// [`ChannelError`].
    pub fn put_set(&mut self, kvn: u8, set: &StaticKeys, replaced: u8) -> Result<StatusWord, ChannelError> {
        let mut data = Zeroizing::new(vec![kvn]);
        let mut expected = vec![kvn];
        for key in [&set.encryption, &set.mac, &set.dek] {
            let value = check_value(key);
            data.extend(encode(0x88, &self.wrapped(key.as_bytes())?));
            data.push(value.len() as u8);
            data.extend(value);
            expected.extend(value);
        }
        let (answer, sw) = self.command([0x80, 0xD8, replaced, SCP03 | 0x80], &data)?;
        if sw == StatusWord::OK && answer[..] != expected[..] { Err(ChannelError::Answer) } else { Ok(sw) }
    }

    /// PUT KEY of a private key of the card on P-256.
    ///
    /// # Errors
    /// [`ChannelError`].
    pub fn put_private(&mut self, [kid, kvn]: [u8; 2], scalar: &[u8], replaced: u8) -> Result<StatusWord, ChannelError> {
        let data = [&[kvn], &encode(0xB1, &self.wrapped(scalar)?)[..], &[0xF0, 0x01, 0x00, 0x00]].concat();
        Ok(self.command([0x80, 0xD8, replaced, kid], &data)?.1)
    }

    /// PUT KEY of the public key of an authority of hosts.
    ///
    /// # Errors
    /// [`ChannelError`].
    pub fn put_authority(&mut self, [kid, kvn]: [u8; 2], point: &[u8], replaced: u8) -> Result<StatusWord, ChannelError> {
        let data = [&[kvn], &encode(0xB0, point)[..], &[0xF0, 0x01, 0x00, 0x00]].concat();
        Ok(self.command([0x80, 0xD8, replaced, kid], &data)?.1)
    }

    /// GENERATE KEY: the new public key.
    ///
    /// # Errors
    /// [`ChannelError`]; [`ChannelError::Card`] when the card refuses it.
    pub fn generate(&mut self, [kid, kvn]: [u8; 2], replaced: u8) -> Result<Vec<u8>, ChannelError> {
        match self.command([0x80, 0xF1, replaced, kid], &[kvn, 0xF0, 0x01, 0x00])? {
            (answer, StatusWord::OK) => find(&answer, 0xB0).map(<[u8]>::to_vec).ok_or(ChannelError::Answer),
            (_, sw) => Err(ChannelError::Card(sw)),
        }
    }

    /// DELETE of the keys of this KID and KVN, 00 for any.
    ///
    /// # Errors
    /// [`ChannelError`].
    pub fn delete(&mut self, [kid, kvn]: [u8; 2], last: bool) -> Result<StatusWord, ChannelError> {
        let one = |tag: u32, value: u8| if value == 0 { Vec::new() } else { encode(tag, &[value]) };
        Ok(self.command([0x80, 0xE4, 0x00, u8::from(last)], &[one(0xD0, kid), one(0xD2, kvn)].concat())?.1)
    }

    /// A key under the channel's DEK.
    fn wrapped(&self, key: &[u8]) -> Result<Vec<u8>, ChannelError> {
        let dek: &Key = self.session.dek();
        dek.encrypt(&[0; 16], key).ok_or(ChannelError::Key)
    }
}

/// A command in short form, as a chain where it is long.
fn chained(card: &mut dyn Transport, [cla, ins, p1, p2]: [u8; 4], data: &[u8]) -> Result<(Vec<u8>, u16), TransportError> {
    let mut blocks: Vec<&[u8]> = data.chunks(BLOCK).collect();
    let last = blocks.pop().unwrap_or_default();
    for block in blocks {
        let (answer, sw) = send(card, &short([cla | 0x10, ins, p1, p2], block, None))?;
        if sw != 0x9000 {
            return Ok((answer, sw));
        }
    }
    send(card, &short([cla, ins, p1, p2], last, Some(0)))
}

fn long(card: &mut dyn Transport, header: [u8; 4], data: &[u8]) -> Result<Vec<u8>, ChannelError> {
    ok(chained(card, header, data)?)
}

fn ok((data, sw): (Vec<u8>, u16)) -> Result<Vec<u8>, ChannelError> {
    if sw == 0x9000 { Ok(data) } else { Err(ChannelError::Card(StatusWord(sw))) }
}

fn random<const N: usize>() -> Result<[u8; N], ChannelError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| ChannelError::Random(error.to_string()))?;
    Ok(bytes)
}

/// The x-coordinate that a key shares with a point.
fn shared(key: &p256::SecretKey, point: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let peer = p256::PublicKey::from_sec1_bytes(point).ok()?;
    Some(Zeroizing::new(key.diffie_hellman(&peer).raw_secret_bytes().to_vec()))
}
