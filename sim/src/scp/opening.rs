//! The commands that open a secure channel, in whichever application is selected.
//!
//! | CLA INS P1 P2 | name | data | answer |
//! |---|---|---|---|
//! | 80 50 KVN 00 | INITIALIZE UPDATE (SCP03) | challenge (8) | diversification (10) key information (3) challenge (8) cryptogram (8) |
//! | 84 82 33 00 | EXTERNAL AUTHENTICATE (SCP03) | cryptogram (8) MAC (8) | 9000 |
//! | 80 2A KVN KID | PERFORM SECURITY OPERATION (SCP11 a, c) | certificate of a host; P2 with bit 80 where another follows | 9000 |
//! | 80 88 KVN 13 | INTERNAL AUTHENTICATE (SCP11b) | `A6 {90 95 80 81} 5F49` key | `5F49` key `86` receipt |
//! | 80 82 KVN 11 or 15 | EXTERNAL AUTHENTICATE (SCP11 a, c) | the same | the same |
//!
//! 6A88 no such key; 6983 its tries are spent; 6A80 data or certificates that are none; 6982 no host has shown a certificate;
//! 6300 the cryptogram, 6988 the MAC is wrong. A try is spent, durably, before anything is looked at, and given back by what
//! was right: with SCP03 by the second command. Where the last try of the last key is spent in vain the card makes itself
//! the keys of a new one. (The status words of a MAC, a cryptogram and a serial number are unconfirmed.)

use super::certificate::{HostCertificate, number};
use super::store::{self, Key, KeyRef, Note, SCP03, SCP11A, SCP11B, SCP11C};
use super::{Open, factory};
use crate::applet::Env;
use crate::channel::Channel;
use crate::crypto::ec::Curve;
use crate::reference::Verdict;
use crate::status::{Abort, StatusWord};
use cardlab_protocol::apdu::Command;
use cardlab_protocol::channel::scp::derivation::{CHALLENGE, USAGE, scp11};
use cardlab_protocol::channel::scp::session::SessionKeys;
use cardlab_protocol::channel::scp::{Refused, Session};
use cardlab_protocol::tlv::{self, Reader, find, objects};
use subtle::ConstantTimeEq;

const INITIALIZE_UPDATE: u8 = 0x50;
const EXTERNAL_AUTHENTICATE: u8 = 0x82;
const INTERNAL_AUTHENTICATE: u8 = 0x88;
const PERFORM_SECURITY_OPERATION: u8 = 0x2A;
/// MAC and encryption in both directions: the one level that there is.
const LEVEL: u8 = 0x33;
/// P2 of a certificate that another follows.
const MORE: u8 = 0x80;
/// KLOC, the authorities that P2 = 00 stands for.
const ANY: u8 = 0x00;

/// What is known of a channel that is being opened. Volatile.
#[derive(Default)]
pub(crate) struct Opening {
    /// SCP03, after the first command.
    scp03: Option<Scp03>,
    /// SCP11 a and c: the host whose certificates have come.
    host: Option<Host>,
}

struct Scp03 {
    key: KeyRef,
    keys: SessionKeys,
    cryptogram: [u8; CHALLENGE],
}

struct Host {
    /// The authority that its certificates lead to.
    authority: KeyRef,
    /// The key of the last certificate.
    point: Vec<u8>,
    /// Whether that was the host's own.
    whole: bool,
}

impl Opening {
    /// Whether this is the command that proves the host in SCP03: the first one with a MAC, and in the clear.
    pub(crate) fn expects(&self, command: &Command<'_>) -> bool {
        self.scp03.is_some() && (command.cla, command.ins) == (0x84, EXTERNAL_AUTHENTICATE)
    }
}

/// Whether a command of class 80 opens a channel.
pub(crate) const fn opens(ins: u8) -> bool {
    matches!(ins, INITIALIZE_UPDATE | EXTERNAL_AUTHENTICATE | INTERNAL_AUTHENTICATE | PERFORM_SECURITY_OPERATION)
}

/// Multiplications of points that a command takes.
pub(crate) const fn multiplications(ins: u8) -> u32 {
    match ins {
        EXTERNAL_AUTHENTICATE | INTERNAL_AUTHENTICATE => 3,
        PERFORM_SECURITY_OPERATION => 2,
        _ => 0,
    }
}

pub(crate) fn process(opening: &mut Opening, env: &mut Env<'_>, command: &Command<'_>, out: &mut Vec<u8>) -> Result<(), Abort> {
    let before = std::mem::take(opening);
    *env.channel = None;
    match (command.cla, command.ins) {
        (0x84, _) => prove_host(before, env, command),
        (_, INITIALIZE_UPDATE) => initialize_update(opening, env, command, out),
        (_, PERFORM_SECURITY_OPERATION) => {
            opening.host = Some(host_certificate(before.host, env, command)?);
            Ok(())
        }
        _ => agree(before.host, env, command, out),
    }
}

fn initialize_update(opening: &mut Opening, env: &mut Env<'_>, command: &Command<'_>, out: &mut Vec<u8>) -> Result<(), Abort> {
    let key = store::find(env.nvm, KeyRef::new(SCP03, command.p1)).ok_or(StatusWord::REFERENCE_NOT_FOUND)?;
    let Ok(challenge) = <&[u8; CHALLENGE]>::try_from(command.data) else { return Err(StatusWord::WRONG_DATA.into()) };
    spend(env, key)?;
    if store::all_blocked(env.nvm) {
        factory::reset(env)?;
        return Err(StatusWord::BLOCKED.into());
    }
    let Some(Key::Set(set)) = store::load(env.nvm, key) else { return Err(StatusWord::INTERNAL.into()) };
    let card = env.random.bytes();
    let derived = set.derive(challenge, &card).ok_or(StatusWord::INTERNAL)?;
    // No diversification; SCP03 with random challenges, R-MAC and R-ENCRYPTION (Amendment D section 5.1).
    out.extend([0; 10]);
    out.extend([key.kvn, 0x03, 0x60]);
    out.extend(card);
    out.extend(derived.card_cryptogram);
    opening.scp03 = Some(Scp03 { key, keys: derived.keys, cryptogram: derived.host_cryptogram });
    Ok(())
}

fn prove_host(before: Opening, env: &mut Env<'_>, command: &Command<'_>) -> Result<(), Abort> {
    let Scp03 { key, keys, cryptogram } = before.scp03.ok_or(StatusWord::SECURITY_STATUS)?;
    if (command.p1, command.p2) != (LEVEL, 0x00) {
        return Err(StatusWord::WRONG_P1P2.into());
    }
    let mut session = Session::new(keys, [0; 16]);
    let header = [command.cla, command.ins, command.p1, command.p2];
    let given = session.check_command(header, command.extended, command.data).map_err(refusal)?;
    if !bool::from(given.ct_eq(&cryptogram)) {
        return Err(StatusWord::VERIFICATION_FAILED.into());
    }
    key.tries().proved(env.nvm)?;
    *env.channel = Some(Channel::Scp(Open { session, authenticated: true }));
    Ok(())
}

/// The status word of a message that a channel does not accept.
pub(crate) const fn refusal(refused: Refused) -> StatusWord {
    match refused {
        Refused::Short => StatusWord::MESSAGING_OBJECT_MISSING,
        Refused::Mac | Refused::Padding => StatusWord::MESSAGING_OBJECT_INCORRECT,
        Refused::Spent => StatusWord::SECURITY_STATUS,
    }
}

fn host_certificate(before: Option<Host>, env: &mut Env<'_>, command: &Command<'_>) -> Result<Host, Abort> {
    let (kid, more) = (command.p2 & !MORE, command.p2 & MORE != 0);
    let named = KeyRef::new(kid, command.p1);
    let parsed = HostCertificate::parse(command.data);
    let authority = match before.as_ref().filter(|host| !host.whole) {
        Some(host) => host.authority,
        None if kid == ANY => parsed.and_then(|c| signer(env, &c)).ok_or(StatusWord::REFERENCE_NOT_FOUND)?,
        None => store::find(env.nvm, named).filter(|key| key.is_authority()).ok_or(StatusWord::REFERENCE_NOT_FOUND)?,
    };
    spend(env, authority)?;
    let issuer = match before.filter(|host| !host.whole) {
        Some(host) => Some(host.point),
        None => match store::load(env.nvm, authority) {
            Some(Key::Public(point)) => Some(point),
            _ => None,
        },
    };
    let verified = parsed.zip(issuer).filter(|(certificate, issuer)| certificate.is_signed_by(issuer));
    let Some((certificate, _)) = verified else { return Err(in_vain(env, StatusWord::WRONG_DATA)) };
    let allowed = store::note(env.nvm, authority, Note::Allowed);
    let allows = |list: &[u8]| objects(list).any(|serial| number(serial.value) == certificate.serial);
    if !more && allowed.is_some_and(|list| !allows(list)) {
        return Err(in_vain(env, StatusWord::SECURITY_STATUS));
    }
    authority.tries().proved(env.nvm)?;
    Ok(Host { authority, point: certificate.point.to_vec(), whole: !more })
}

/// The authority that has signed a certificate.
fn signer(env: &Env<'_>, certificate: &HostCertificate<'_>) -> Option<KeyRef> {
    store::keys(env.nvm).filter(|key| key.is_authority()).find(|key| match store::load(env.nvm, *key) {
        Some(Key::Public(point)) => certificate.is_signed_by(&point),
        _ => false,
    })
}

fn agree(host: Option<Host>, env: &mut Env<'_>, command: &Command<'_>, out: &mut Vec<u8>) -> Result<(), Abort> {
    let wanted = match (command.ins, command.p2) {
        (INTERNAL_AUTHENTICATE, SCP11B) | (EXTERNAL_AUTHENTICATE, SCP11A | SCP11C) => KeyRef::new(command.p2, command.p1),
        _ => return Err(StatusWord::REFERENCE_NOT_FOUND.into()),
    };
    let key = store::find(env.nvm, wanted).ok_or(StatusWord::REFERENCE_NOT_FOUND)?;
    spend(env, key)?;
    let Some(ephemeral) = request(command.data, key.kid) else { return Err(in_vain(env, StatusWord::WRONG_DATA)) };
    let theirs = match (key.kid, host.filter(|host| host.whole)) {
        (SCP11B, _) => ephemeral.to_vec(),
        (_, Some(host)) => host.point,
        (_, None) => return Err(in_vain(env, StatusWord::SECURITY_STATUS)),
    };
    let Some(Key::Private(scalar, _)) = store::load(env.nvm, key) else { return Err(StatusWord::INTERNAL.into()) };
    let curve = Curve::P256;
    let own = curve.generate(env.random);
    let secrets = env.backend.ec(curve, &own).and_then(|key| key.agree(ephemeral));
    let secrets = secrets.and_then(|first| Ok((first, env.backend.ec(curve, &scalar)?.agree(&theirs)?)));
    let Ok((first, second)) = secrets else { return Err(in_vain(env, StatusWord::WRONG_DATA)) };
    let answer = tlv::encode(0x5F49, &curve.public(&own)?);
    let (keys, receipt) = scp11([&first, &second], [command.data, &answer]).ok_or(StatusWord::INTERNAL)?;
    key.tries().proved(env.nvm)?;
    out.extend(answer);
    out.extend(tlv::encode(0x86, &receipt));
    *env.channel = Some(Channel::Scp(Open { session: Session::new(keys, receipt), authenticated: key.kid == SCP11A }));
    Ok(())
}

/// The host's ephemeral key, where all else asks for what there is.
fn request(data: &[u8], kid: u8) -> Option<&[u8]> {
    let parameters = match kid {
        SCP11A => 0x01,
        SCP11B => 0x00,
        _ => 0x03,
    };
    let mut parts = Reader::new(data);
    let template = parts.next()?.ok().filter(|part| part.tag == 0xA6)?.value;
    let asked = [(0x90, &[0x11, parameters][..]), (0x95, &USAGE[..1]), (0x80, &USAGE[1..2]), (0x81, &USAGE[2..])];
    let agrees =
        asked.iter().all(|(tag, value)| find(template, *tag) == Some(*value)) && objects(template).count() == asked.len();
    tlv::only(parts.rest(), 0x5F49).filter(|_| agrees)
}

/// Spends a try of a key before it is used.
fn spend(env: &mut Env<'_>, key: KeyRef) -> Result<(), Abort> {
    match key.tries().spend_ahead(env.nvm)? {
        Verdict::Blocked => Err(StatusWord::BLOCKED.into()),
        _ => Ok(()),
    }
}

/// A try that was spent in vain; of the last key it brings back the keys of a new card.
fn in_vain(env: &mut Env<'_>, status: StatusWord) -> Abort {
    match store::all_blocked(env.nvm).then(|| factory::reset(env)) {
        Some(Err(abort)) => abort,
        _ => status.into(),
    }
}
