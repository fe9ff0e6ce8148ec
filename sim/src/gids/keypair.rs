//! Making, loading and reading keys.
//!
//! | CLA INS P1 P2 | data | answer |
//! |---|---|---|
//! | 00 47 00 00 | `AC {83 key, 80 algorithm}` | `7F49` public key, 6984, 6A81, 6982 |
//! | 00 DB 3F FF | `70 {84 key, A5 {83 02, 87 RSAPrivateKey}}` | 9000; an RSA key, RFC 8017 appendix A.1.2 |
//! | 00 DB 3F FF | `70 {84 key, A5 {83 03, 87 ECPrivateKey}}` | 9000; an elliptic-curve key, RFC 5915 |
//! | 00 DB 3F FF | `70 {84 80, A5 {87 key, 88 check value}}` | 9000; the administrator key |
//! | 00 DB 3F FF | `70 {84 key, A5 {[83 01,] 87 key, 88 check value}}` | 9000; a symmetric key in a file for one (a usage A4) |
//! | 00 CB 3F FF | `70 {84 key, A5 {7F49}}` | `7F49 {81 modulus, 82 exponent}` or `7F49 {86 point}` |
//!
//! Algorithms: 06 to 09 RSA-1024, 2048, 3072, 4096; 0C to 0E P-256, P-384, P-521. The check value is
//! not looked at: OpenSC sends the same one for every key. A symmetric key in another file than the administration
//! key's is kept and opens nothing: only that one's tries are counted. GidsApplet authenticates with any.

use super::files::{self, File, Kind};
use super::{Gids, access};
use crate::admin_key;
use crate::applet::Env;
use crate::crypto::asymmetric::{Algorithm, KeyPair};
use crate::crypto::ec::Curve;
use crate::crypto::encoded;
use crate::keys::{self, Origin, PinPolicy, Slot, TouchPolicy};
use crate::nvm::Nvm;
use crate::status::{Abort, StatusWord};
use cardlab_protocol::admin_key::{AdminKey, Cipher};
use cardlab_protocol::apdu::Command;
use cardlab_protocol::tlv::{self, Reader, Writer};
use std::time::Duration;
use zeroize::Zeroizing;

const ADMINISTRATION: u8 = 0x80;
/// Stored bytes of an RSA-4096 key, the longest.
const LONGEST: usize = 520;

pub(super) fn generate(gids: &mut Gids, env: &mut Env<'_>, command: &Command<'_>, out: &mut Vec<u8>) -> Result<(), Abort> {
    if command.p1p2() != 0 {
        return Err(StatusWord::WRONG_P1P2.into());
    }
    let wanted = tlv::only(command.data, 0xAC).and_then(|t| Some((byte(t, 0x83)?, byte(t, 0x80)?)));
    let (reference, algorithm) = wanted.ok_or(StatusWord::DATA_INVALID)?;
    let file = key_file(env, reference)?;
    access::check_file(gids, env, &file, access::GENERATE)?;
    let algorithm = algorithm_of(algorithm).filter(|a| env.profile.gids().algorithms.contains(a));
    let algorithm = algorithm.ok_or(StatusWord::NOT_SUPPORTED)?;
    files::check_room(env.nvm, env.profile, LONGEST)?;
    let key = KeyPair::generate(algorithm, env.random)?;
    let public = key.public()?;
    store(gids, env, reference, key, Origin::Generated)?;
    Writer::new(out).nested(0x7F49, |t| public.write(t));
    Ok(())
}

pub(super) fn read_public(gids: &Gids, env: &Env<'_>, wanted: &[u8], out: &mut Vec<u8>) -> Result<(), Abort> {
    // The value template is `7F49 80 00`; OpenSC leaves the length out, so only its tag counts.
    let public = tlv::find(wanted, 0xA5).is_some_and(|t| t.starts_with(&[0x7F, 0x49]));
    let reference = byte(wanted, 0x84).filter(|_| public).ok_or(StatusWord::DATA_INVALID)?;
    let file = key_file(env, reference)?;
    access::check_file(gids, env, &file, access::GET)?;
    let key = keys::load(env.nvm, reference).ok_or(StatusWord::REFERENCE_NOT_FOUND)?;
    let public = key.key.public()?;
    Writer::new(out).nested(0x7F49, |t| public.write(t));
    Ok(())
}

pub(super) fn put(gids: &mut Gids, env: &mut Env<'_>, data: &[u8]) -> Result<(), Abort> {
    let template = tlv::only(data, 0x70).ok_or(StatusWord::DATA_INVALID)?;
    let parts = byte(template, 0x84).and_then(|reference| Some((reference, tlv::find(template, 0xA5)?)));
    let (reference, body) = parts.ok_or(StatusWord::DATA_INVALID)?;
    let file = key_file(env, reference)?;
    access::check_file(gids, env, &file, access::PUT)?;
    let value = tlv::find(body, 0x87).ok_or(StatusWord::DATA_INVALID)?;
    // 84 would name a key that the value is encrypted with: there is none.
    if byte(body, 0x84).is_some_and(|encrypted_with| encrypted_with != 0) {
        return Err(StatusWord::NOT_SUPPORTED.into());
    }
    if reference == ADMINISTRATION {
        return put_administration(gids, env, value);
    }
    let key = match byte(body, 0x83) {
        None | Some(1) => return put_symmetric(gids, env, reference, &file, value),
        Some(2) => rsa(value).ok_or(StatusWord::DATA_INVALID)?,
        Some(3) => encoded::from_sec1(value).map_err(|_| StatusWord::DATA_INVALID)?,
        _ => return Err(StatusWord::DATA_INVALID.into()),
    };
    if !env.profile.gids().algorithms.contains(&key.algorithm()) {
        return Err(StatusWord::NOT_SUPPORTED.into());
    }
    files::check_room(env.nvm, env.profile, LONGEST)?;
    store(gids, env, reference, key, Origin::Imported)
}

/// About how long GET DATA of a public key, or PUT DATA of a private one, takes.
pub(super) fn computing_time(nvm: &Nvm, command: &Command<'_>) -> Duration {
    let template = tlv::only(command.data, 0x70).unwrap_or_default();
    if command.ins == 0xCB {
        return byte(template, 0x84).map_or(Duration::ZERO, |key| keys::load_time(nvm, key));
    }
    match tlv::find(template, 0xA5).and_then(|body| byte(body, 0x83)) {
        // Of this kind at least.
        Some(2) => Algorithm::Rsa(1024).load_time(),
        Some(3) => Algorithm::Ec(Curve::P256).load_time(),
        _ => Duration::ZERO,
    }
}

/// Puts the administrator key. Its cipher stays; its tries are full again, as for any new secret.
fn put_administration(gids: &mut Gids, env: &mut Env<'_>, value: &[u8]) -> Result<(), Abort> {
    let cipher = admin_key::load(env.nvm).map_or(env.profile.management_key.algorithm, |(key, _)| key.cipher());
    let key = AdminKey::new(cipher, value).map_err(|_| StatusWord::DATA_INVALID)?;
    let mut transaction = env.nvm.begin();
    admin_key::store(&mut transaction, &key, TouchPolicy::Never)?;
    admin_key::create_tries(&mut transaction, &env.profile.management_key)?;
    transaction.commit()?;
    gids.pending = None;
    Ok(())
}

/// Puts a symmetric key into a file that was made for one.
fn put_symmetric(gids: &mut Gids, env: &mut Env<'_>, reference: u8, file: &File, value: &[u8]) -> Result<(), Abort> {
    let authenticates = Reader::new(file.usages()).map_while(Result::ok).any(|usage| usage.tag == 0xA4);
    let cipher = Cipher::ALL.into_iter().find(|cipher| cipher.key_len() == value.len());
    let cipher = cipher.filter(|_| authenticates).ok_or(StatusWord::DATA_INVALID)?;
    let key = AdminKey::new(cipher, value).map_err(|_| StatusWord::DATA_INVALID)?;
    files::check_room(env.nvm, env.profile, value.len())?;
    let mut transaction = env.nvm.begin();
    keys::store_symmetric(&mut transaction, reference, &key, TouchPolicy::Never)?;
    transaction.commit()?;
    gids.forget_key(files::key_file(reference));
    Ok(())
}

fn store(gids: &mut Gids, env: &mut Env<'_>, reference: u8, key: KeyPair, origin: Origin) -> Result<(), Abort> {
    // The key file holds the rules; the policies of PIV slots say nothing here.
    let slot = Slot { key, origin, pin: PinPolicy::Never, touch: TouchPolicy::Never };
    let mut transaction = env.nvm.begin();
    keys::store(&mut transaction, reference, &slot)?;
    transaction.commit()?;
    gids.forget_key(files::key_file(reference));
    Ok(())
}

fn key_file(env: &Env<'_>, reference: u8) -> Result<File, Abort> {
    let file = File::open(env.nvm, files::key_file(reference)).filter(|f| f.kind == Kind::Key);
    file.ok_or_else(|| StatusWord::DATA_INVALID.into())
}

/// A GIDS algorithm identifier.
const fn algorithm_of(id: u8) -> Option<Algorithm> {
    Some(match id {
        0x06 => Algorithm::Rsa(1024),
        0x07 => Algorithm::Rsa(2048),
        0x08 => Algorithm::Rsa(3072),
        0x09 => Algorithm::Rsa(4096),
        0x0C => Algorithm::Ec(Curve::P256),
        0x0D => Algorithm::Ec(Curve::P384),
        0x0E => Algorithm::Ec(Curve::P521),
        _ => return None,
    })
}

/// The GIDS algorithm identifier of an algorithm.
pub(super) fn identifier(algorithm: Algorithm) -> Option<u8> {
    (0x06..=0x0E).find(|id| algorithm_of(*id) == Some(algorithm))
}

/// The one-byte value of an object.
fn byte(template: &[u8], tag: u32) -> Option<u8> {
    match tlv::find(template, tag) {
        Some([byte]) => Some(*byte),
        _ => None,
    }
}

/// An RSAPrivateKey: version, n, e, d, p, q and more. Read by hand, since OpenSC writes its integers
/// without the sign byte that DER wants.
fn rsa(der: &[u8]) -> Option<KeyPair> {
    let numbers: Vec<&[u8]> = Reader::new(tlv::only(der, 0x30)?)
        .map(|object| object.ok().filter(|o| o.tag == 0x02).map(|o| without_zeros(o.value)))
        .collect::<Option<_>>()?;
    let [_version, n, e, _d, p, q, ..] = numbers[..] else { return None };
    let bits = u16::try_from(n.len() * 8).ok()?;
    if e != crate::crypto::rsa::EXPONENT || !Algorithm::ALL.iter().any(|a| a.0 == Algorithm::Rsa(bits)) {
        return None;
    }
    let (p, q) = (Zeroizing::new(p.to_vec()), Zeroizing::new(q.to_vec()));
    KeyPair::from_parts(Algorithm::Rsa(bits), &[&p, &q]).ok()
}

fn without_zeros(number: &[u8]) -> &[u8] {
    &number[number.iter().take_while(|b| **b == 0).count()..]
}
