//! The security domain (AID A000000151000000): what is told of the keys of secure channels, and what changes them.
//!
//! | CLA INS P1 P2 | name | data | answer |
//! |---|---|---|---|
//! | 00 CA 00 E0 | GET DATA, keys | | `C0 {KID KVN type length}` each |
//! | 00 CA 00 66 | GET DATA, what the card is | | `73 {06 60 63 64 64}` |
//! | 00 CA FF 33, 34 | GET DATA, names of authorities (KLOC, KLCC) | | `42` name `83 {KID KVN}` each, 6A88 |
//! | 00 CA BF 21 | GET DATA, certificates | `A6 {83 {KID KVN}}` | DER one behind the other, 6A88 |
//! | 80 D8 KVN KID | PUT KEY | KVN, `88` key check value (SCP03, thrice; P2 with bit 80); or `B1` key or `B0` point, `F0` curve, 00 | KVN, check values |
//! | 80 F1 KVN KID | GENERATE KEY | KVN, `F0` curve | `B0` point |
//! | 80 E4 00 last | DELETE | `D0` KID, `D2` KVN | 9000 |
//! | 00 E2 90 00 | STORE DATA | `A6 {83}` and `BF21` certificates or `70 {93 ..}` serial numbers; `A6 {80, 42, 83}` a name | 9000 |
//!
//! A key that is generated has certificates at once. All but GET DATA want a channel whose host has proved itself: SCP03 or SCP11a, else 6982. P1 of PUT KEY and GENERATE KEY
//! is the KVN of the key that is replaced, 00 for a new one. 6A88 no such key; 6A80 data that are none, a key check value
//! that is another's, a KVN that is taken; 6A84 no room; 6985 the last key, unless P2 = 01 says so: then the keys of a new
//! card are there (unconfirmed). A set of SCP03 that is put there takes that of the factory away.

use super::store::{self, FACTORY_SET, Key, KeyRef, Note, SCP03};
use super::{factory, offers};
use crate::applet::{Applet, Env};
use crate::channel::Channel;
use crate::conditions::Conditions;
use crate::crypto::backend::Backend;
use crate::crypto::ec::Curve;
use crate::nvm::{Nvm, Transaction};
use crate::profile::Profile;
use crate::status::{Abort, StatusWord};
use cardlab_protocol::apdu::Command;
use cardlab_protocol::channel::aes;
use cardlab_protocol::channel::scp::derivation::{StaticKeys, check_value};
use cardlab_protocol::tlv::{self, Reader, Tlv, Writer, find};
use hex_literal::hex;
use std::time::Duration;

const AID: [u8; 8] = hex!("A000000151000000");
/// GlobalPlatform 2.3; SCP03 with random challenges, R-MAC and R-ENCRYPTION; SCP11 (GlobalPlatform appendix H.2).
const RECOGNITION: [u8; 61] = hex!(
    "733B 0607 2A864886FC6B01 600C 060A 2A864886FC6B02020301 6309 0607 2A864886FC6B03 640B 0609 2A864886FC6B040360 640A 0608 2A864886FC6B0411"
);
/// P-256, the one curve that there is.
const P256: u8 = 0x00;
/// Sets of SCP03 beside each other.
const MOST_SETS: usize = 3;
/// Keys beside each other; own limit.
const MOST_KEYS: usize = 32;
const KEY: usize = 16;
/// Multiplications of points of GENERATE KEY: three keys, their public halves, two signatures.
const GENERATION: u32 = 8;

/// The security domain.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SecurityDomain;

impl Applet for SecurityDomain {
    fn name(&self) -> &'static str {
        "security-domain"
    }

    fn answers_to(&self, aid: &[u8], _profile: &Profile) -> bool {
        aid == AID
    }

    fn is_on(&self, nvm: &Nvm, profile: &Profile, _conditions: Conditions) -> bool {
        offers(nvm, profile)
    }

    fn is_proprietary(&self) -> bool {
        true
    }

    fn select(&mut self, _env: &mut Env<'_>, _command: &Command<'_>, _again: bool, out: &mut Vec<u8>) -> Result<(), Abort> {
        Writer::new(out).nested(0x6F, |template| {
            template.value(0x84, &AID).nested(0xA5, |own| {
                own.value(0x9F65, &[0xFF]);
            });
        });
        Ok(())
    }

    fn computing_time(&self, _nvm: &Nvm, _profile: &Profile, backend: &dyn Backend, command: &Command<'_>) -> Duration {
        if command.ins == 0xF1 { backend.ec_time(Curve::P256) * GENERATION } else { Duration::ZERO }
    }

    fn deselect(&mut self) {}

    fn reset(&mut self) {}

    fn process(&mut self, env: &mut Env<'_>, command: &Command<'_>, out: &mut Vec<u8>) -> Result<(), Abort> {
        match command.ins {
            0xCA => get_data(env, command, out),
            0xD8 => put_key(env, command, out),
            0xE2 => store_data(env, command),
            0xE4 => delete(env, command),
            0xF1 => generate(env, command, out),
            _ => Err(StatusWord::UNKNOWN_INS.into()),
        }
    }
}

/// The key that keys are encrypted with, on a channel whose host may change keys.
fn authenticated<'e>(env: &'e Env<'_>) -> Result<&'e aes::Key, Abort> {
    match &*env.channel {
        Some(Channel::Scp(open)) if env.secured && open.authenticated => Ok(open.session.dek()),
        _ => Err(StatusWord::SECURITY_STATUS.into()),
    }
}

fn get_data(env: &Env<'_>, command: &Command<'_>, out: &mut Vec<u8>) -> Result<(), Abort> {
    match command.p1p2() {
        0x00E0 => key_information(env.nvm, out),
        0x0066 => out.extend(RECOGNITION),
        0xFF33 => names(env.nvm, 0x00, out)?,
        0xFF34 => names(env.nvm, 0x01, out)?,
        0xBF21 => {
            let key = tlv::only(command.data, 0xA6).and_then(key_ref).ok_or(StatusWord::WRONG_DATA)?;
            out.extend(store::note(env.nvm, key, Note::Certificates).ok_or(StatusWord::REFERENCE_NOT_FOUND)?);
        }
        _ => return Err(StatusWord::REFERENCE_NOT_FOUND.into()),
    }
    Ok(())
}

fn key_information(nvm: &Nvm, out: &mut Vec<u8>) {
    let mut writer = Writer::new(out);
    for key in store::keys(nvm) {
        match key.kid {
            SCP03 => (0..3).for_each(|n| {
                writer.value(0xC0, &[key.kid + n, key.kvn, 0x88, 0x10]);
            }),
            kid => {
                let (kind, length) = if key.is_private() { (0xB1, 0x20) } else { (0xB0, 0x41) };
                writer.value(0xC0, &[kid, key.kvn, kind, length]);
            }
        }
    }
}

/// The names of authorities of this kind.
fn names(nvm: &Nvm, kind: u8, out: &mut Vec<u8>) -> Result<(), Abort> {
    for key in store::keys(nvm) {
        if let Some([of, name @ ..]) = store::note(nvm, key, Note::Issuer)
            && *of == kind
        {
            Writer::new(out).value(0x42, name).value(0x83, &key.bytes());
        }
    }
    if out.is_empty() { Err(StatusWord::REFERENCE_NOT_FOUND.into()) } else { Ok(()) }
}

/// The `83` of a control reference template.
fn key_ref(template: &[u8]) -> Option<KeyRef> {
    match find(template, 0x83)? {
        [kid, kvn] => Some(KeyRef::new(*kid, *kvn)),
        _ => None,
    }
}

fn put_key(env: &mut Env<'_>, command: &Command<'_>, out: &mut Vec<u8>) -> Result<(), Abort> {
    let dek = authenticated(env)?.clone();
    let (kvn, data) = command.data.split_first().ok_or(StatusWord::WRONG_DATA)?;
    let (key, set) = (KeyRef::new(command.p2 & 0x7F, *kvn), command.p2 & 0x80 != 0);
    let mut answer = vec![*kvn];
    let value = match key.kid {
        SCP03 if set => {
            let (keys, values) = unwrap_set(&dek, data).ok_or(StatusWord::WRONG_DATA)?;
            answer.extend(values);
            Key::Set(keys)
        }
        _ if set => return Err(StatusWord::WRONG_P1P2.into()),
        _ => elliptic(&dek, key, data).ok_or(StatusWord::WRONG_DATA)?,
    };
    put(env, key, command.p1, &value, &[])?;
    out.extend(answer);
    Ok(())
}

/// Three keys, each `88 {key under the DEK} 03 check value`; and the check values.
fn unwrap_set(dek: &aes::Key, data: &[u8]) -> Option<(StaticKeys, Vec<u8>)> {
    let (mut rest, mut keys, mut values) = (data, Vec::with_capacity(3), Vec::with_capacity(9));
    for _ in 0..3 {
        let mut reader = Reader::new(rest);
        let wrapped = reader.next()?.ok().filter(|object| object.tag == 0x88 && object.value.len() == KEY)?.value;
        let (length, after) = reader.rest().split_first()?;
        let (value, after) = after.split_at_checked(3).filter(|_| *length == 3)?;
        let key = aes::Key::new(&dek.decrypt(&[0; 16], wrapped)?)?;
        if check_value(&key) != value {
            return None;
        }
        values.extend_from_slice(value);
        keys.push(key);
        rest = after;
    }
    let keys: [aes::Key; 3] = keys.try_into().ok().filter(|_| rest.is_empty())?;
    let [encryption, mac, dek] = keys;
    Some((StaticKeys { encryption, mac, dek }, values))
}

/// `B1 {scalar under the DEK}` or `B0 {point}`, `F0 {curve}`, 00.
fn elliptic(dek: &aes::Key, key: KeyRef, data: &[u8]) -> Option<Key> {
    let mut reader = Reader::new(data);
    let mut next = |tag: u32| {
        let object: Tlv<'_> = reader.next()?.ok().filter(|object| object.tag == tag)?;
        Some((object.value, reader.rest()))
    };
    let (value, _) = next(if key.is_private() { 0xB1 } else { 0xB0 })?;
    let ([P256], [0x00]) = next(0xF0)? else { return None };
    if key.is_private() {
        let scalar = dek.decrypt(&[0; 16], value)?;
        let point = Curve::P256.public(&scalar).ok()?;
        return Some(Key::Private(scalar, point));
    }
    let on_curve = p256::PublicKey::from_sec1_bytes(value).is_ok() && value.len() == 65;
    (key.is_authority() && on_curve).then(|| Key::Public(value.to_vec()))
}

fn generate(env: &mut Env<'_>, command: &Command<'_>, out: &mut Vec<u8>) -> Result<(), Abort> {
    authenticated(env)?;
    let (kvn, data) = command.data.split_first().ok_or(StatusWord::WRONG_DATA)?;
    let key = KeyRef::new(command.p2, *kvn);
    if tlv::only(data, 0xF0) != Some(&[P256]) || !key.is_private() {
        return Err(StatusWord::WRONG_DATA.into());
    }
    let made = factory::Made::new(key.kid, env.random)?;
    put(env, key, command.p1, &made.key, &made.certificates)?;
    Writer::new(out).value(0xB0, &made.point);
    Ok(())
}

/// Puts a key there with its certificates, in the place of the one of its kind that `replaced` names: the old one goes and the new one comes
/// in one transaction.
fn put(env: &mut Env<'_>, key: KeyRef, replaced: u8, value: &Key, certificates: &[u8]) -> Result<(), Abort> {
    let old = match replaced {
        0x00 => None,
        kvn => Some(store::find(env.nvm, KeyRef::new(key.kid, kvn)).ok_or(StatusWord::REFERENCE_NOT_FOUND)?),
    };
    let others = || store::keys(env.nvm).filter(|other| Some(*other) != old);
    if !(0x01..=0x7F).contains(&key.kvn) || others().any(|other| other == key) {
        return Err(StatusWord::WRONG_DATA.into());
    }
    let sets = others().filter(|other| other.kid == SCP03 && other.kvn != FACTORY_SET).count();
    if others().count() >= MOST_KEYS || (key.kid == SCP03 && sets >= MOST_SETS) {
        return Err(StatusWord::NO_MEMORY.into());
    }
    let factory = KeyRef::new(SCP03, FACTORY_SET);
    let goes = key.kid == SCP03 && Some(factory) != old && others().any(|other| other == factory);
    let mut transaction = env.nvm.begin();
    for gone in old.into_iter().chain(goes.then_some(factory)) {
        store::erase(&mut transaction, gone)?;
    }
    store::store(&mut transaction, key, value)?;
    if !certificates.is_empty() {
        store::set_note(&mut transaction, key, Note::Certificates, certificates)?;
    }
    transaction.commit()
}

fn delete(env: &mut Env<'_>, command: &Command<'_>) -> Result<(), Abort> {
    authenticated(env)?;
    let one = |tag| match find(command.data, tag) {
        None => Ok(None),
        Some([byte]) => Ok(Some(*byte)),
        Some(_) => Err(StatusWord::WRONG_DATA),
    };
    let (kid, kvn) = (one(0xD0)?, one(0xD2)?);
    // The keys of a set go together.
    if (kid, kvn) == (None, None) || kid.is_some_and(|kid| (0x01..=0x03).contains(&kid)) || command.p1 != 0x00 {
        return Err(StatusWord::WRONG_DATA.into());
    }
    let meant = |key: &KeyRef| kid.is_none_or(|kid| key.kid == kid) && kvn.is_none_or(|kvn| key.kvn == kvn);
    let (gone, left): (Vec<KeyRef>, Vec<KeyRef>) = store::keys(env.nvm).partition(meant);
    match (gone.is_empty(), left.is_empty(), command.p2) {
        (true, ..) => Err(StatusWord::REFERENCE_NOT_FOUND.into()),
        (_, true, 0x01) => factory::reset(env),
        (_, true, _) => Err(StatusWord::CONDITIONS_OF_USE.into()),
        _ => {
            let mut transaction = env.nvm.begin();
            gone.into_iter().try_for_each(|key| store::erase(&mut transaction, key))?;
            transaction.commit()
        }
    }
}

fn store_data(env: &mut Env<'_>, command: &Command<'_>) -> Result<(), Abort> {
    authenticated(env)?;
    if command.p1p2() != 0x9000 {
        return Err(StatusWord::WRONG_P1P2.into());
    }
    let wanted = Wanted::parse(command.data).ok_or(StatusWord::WRONG_DATA)?;
    if !store::keys(env.nvm).any(|key| key == wanted.key) {
        return Err(StatusWord::REFERENCE_NOT_FOUND.into());
    }
    let mut transaction: Transaction<'_> = env.nvm.begin();
    store::set_note(&mut transaction, wanted.key, wanted.note, &wanted.value)?;
    transaction.commit()
}

/// What a STORE DATA asks for.
struct Wanted {
    key: KeyRef,
    note: Note,
    value: Vec<u8>,
}

impl Wanted {
    fn parse(data: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(data);
        let template = reader.next()?.ok().filter(|object| object.tag == 0xA6)?.value;
        let key = key_ref(template)?;
        let (note, value) = match (find(template, 0x80), find(template, 0x42), reader.rest()) {
            (Some([kind @ (0x00 | 0x01)]), Some(name), []) => (Note::Issuer, [&[*kind], name].concat()),
            (None, None, _) => match reader.next()?.ok().filter(|_| reader.rest().is_empty())? {
                Tlv { tag: 0xBF21, value } => (Note::Certificates, value.to_vec()),
                Tlv { tag: 0x70, value } if serials(value) => (Note::Allowed, value.to_vec()),
                _ => return None,
            },
            _ => return None,
        };
        Some(Self { key, note, value })
    }
}

/// Whether a list is of serial numbers alone.
fn serials(list: &[u8]) -> bool {
    Reader::new(list).all(|object| object.is_ok_and(|object| object.tag == 0x93))
}
