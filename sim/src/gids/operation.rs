//! PERFORM SECURITY OPERATION, ISO/IEC 7816-8 section 11.
//!
//! | CLA INS P1 P2 | algorithm | data | answer |
//! |---|---|---|---|
//! | 00 2A 9E 9A | 1x RSA | whole padded block | signature |
//! | 00 2A 9E 9A | 5x RSA | DigestInfo; the card pads, PKCS #1 type 1 | signature |
//! | 00 2A 9E 9A | 1x EC | digest | r and s, each of the curve's length |
//! | 00 2A 80 86 | 0x RSA | cryptogram | whole block |
//! | 00 2A 80 86 | 4x RSA | cryptogram | plain text, PKCS #1 type 2 removed |
//! | 00 2A 80 86 | 8x RSA | cryptogram | plain text, OAEP with SHA-1 removed |
//! | 00 2A 80 86 | 0x EC | uncompressed point | x-coordinate of the shared point |
//!
//! A cryptogram may have a padding indicator 00 before it. 6985 without a fitting MSE, 6A80 for input
//! that the key cannot process. Bad padding is 6A80 too, as on the cards themselves: GIDS offers the
//! oracle of Bleichenbacher to whoever knows the PIN.

use super::environment::{Environment, Purpose};
use super::files::File;
use super::{Gids, access};
use crate::applet::Env;
use crate::crypto::asymmetric::{Algorithm, Prepared};
use crate::crypto::padding;
use crate::keys;
use crate::status::{Abort, StatusWord};
use cardlab_protocol::apdu::Command;
use cardlab_protocol::tlv;
use zeroize::Zeroizing;

pub(super) fn process(gids: &mut Gids, env: &mut Env<'_>, command: &Command<'_>, out: &mut Vec<u8>) -> Result<(), Abort> {
    let purpose = match (command.p1, command.p2) {
        (0x9E, 0x9A) => Purpose::Signature,
        (0x80, 0x86) => Purpose::Confidentiality,
        _ => return Err(StatusWord::WRONG_P1P2.into()),
    };
    let environment = gids.environment.filter(|e| e.purpose == purpose).ok_or(StatusWord::CONDITIONS_OF_USE)?;
    // The PIN may have been forgotten since MSE.
    let file = File::open(env.nvm, environment.file()).ok_or(StatusWord::CONDITIONS_OF_USE)?;
    access::check_file(gids, env, &file, access::MANAGE)?;
    let key = environment.key;
    let algorithm = keys::info(env.nvm, key).ok_or(StatusWord::CONDITIONS_OF_USE)?.algorithm;
    let prepared = match gids.prepared.remove(&key) {
        Some(prepared) => prepared,
        None => keys::load(env.nvm, key).ok_or(StatusWord::CONDITIONS_OF_USE)?.key.prepare(env.backend)?,
    };
    let result = match purpose {
        Purpose::Signature => sign(&prepared, algorithm, environment, command.data),
        _ => decipher(&prepared, algorithm, environment, command.data),
    };
    gids.prepared.insert(key, prepared);
    out.extend_from_slice(&result?);
    Ok(())
}

fn sign(prepared: &Prepared, algorithm: Algorithm, environment: Environment, input: &[u8]) -> Result<Zeroizing<Vec<u8>>, Abort> {
    match (algorithm, environment.algorithm >> 4) {
        (Algorithm::Rsa(bits), 0x1) if input.len() != usize::from(bits / 8) => Err(StatusWord::WRONG_LENGTH.into()),
        (Algorithm::Rsa(_), 0x1) => Ok(prepared.sign(input)?),
        (Algorithm::Rsa(bits), 0x5) => {
            let block = padding::signature_block(input, usize::from(bits / 8)).ok_or(StatusWord::WRONG_LENGTH)?;
            Ok(prepared.sign(&block)?)
        }
        (Algorithm::Ec(curve), 0x1) => {
            let der = prepared.sign(input)?;
            Ok(Zeroizing::new(joined(&der, curve.size()).ok_or(StatusWord::INTERNAL)?))
        }
        _ => Err(StatusWord::CONDITIONS_OF_USE.into()),
    }
}

fn decipher(
    prepared: &Prepared,
    algorithm: Algorithm,
    environment: Environment,
    input: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Abort> {
    let nibble = environment.algorithm >> 4;
    let size = match algorithm {
        Algorithm::Rsa(bits) => usize::from(bits / 8),
        Algorithm::Ec(curve) if nibble == 0 => 2 * curve.size() + 1,
        _ => return Err(StatusWord::NOT_SUPPORTED.into()),
    };
    let input = match input {
        [0x00, cryptogram @ ..] if cryptogram.len() == size => cryptogram,
        cryptogram if cryptogram.len() == size => cryptogram,
        _ => return Err(StatusWord::WRONG_LENGTH.into()),
    };
    if matches!(algorithm, Algorithm::Ec(_)) {
        return Ok(prepared.agree(input)?);
    }
    let block = prepared.sign(input)?;
    let plain = match nibble {
        0x0 => return Ok(block),
        0x4 => padding::unpad_encryption_block(&block),
        0x8 => padding::unpad_oaep_sha1(&block),
        _ => return Err(StatusWord::NOT_SUPPORTED.into()),
    };
    plain.ok_or_else(|| StatusWord::WRONG_DATA.into())
}

/// `ECDSA-Sig-Value` as r and s of fixed length.
fn joined(der: &[u8], size: usize) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(2 * size);
    for number in tlv::Reader::new(tlv::only(der, 0x30)?) {
        let number = number.ok()?.value;
        let number = &number[number.iter().take_while(|b| **b == 0).count()..];
        out.resize(out.len() + size.checked_sub(number.len())?, 0);
        out.extend_from_slice(number);
    }
    (out.len() == 2 * size).then_some(out)
}
