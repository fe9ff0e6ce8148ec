//! Whose card it is: the common name (2.5.4.3) of the subject of a certificate that everybody may read.
//!
//! | card edge | certificates, in this order | packed |
//! |---|---|---|
//! | PIV | `53 {70}` of 5FC105 (9A), 5FC10A (9C), 5FC10B (9D), 5FC101 (9E); SP 800-73-5 part 1 table 3 | not, or gzip |
//! | GIDS | the files `mscp\kxcNN` and `mscp\kscNN` of the minidriver's file system | `01 00`, length (u16 LE), zlib |
//!
//! A name is what an issuer, or whoever wrote the certificate, says: nothing is verified. What makes no sense is no name.

use crate::recognise::Edge;
use crate::transport::{Transport, TransportError, send};
use cardlab_protocol::apdu::short;
use cardlab_protocol::piv;
use cardlab_protocol::tlv::{find, find_path, objects, tag_list};
use flate2::read::{GzDecoder, ZlibDecoder};
use std::borrow::Cow;
use std::io::Read;

/// The master file of the minidriver's file system, in the file A000: `01`, then the records.
const MASTER_FILE: [u8; 10] = [0x00, 0xCB, 0xA0, 0x00, 0x04, 0x5C, 0x02, 0xDF, 0x1F, 0x00];
/// A record of it: directory (9 bytes), name (9), two unused, data object (u32 LE), file (u32 LE).
const RECORD: usize = 28;
/// So many certificate files of a GIDS card are looked at.
const MOST_FILES: usize = 4;
/// Longest certificate that is unpacked; PIV cards hold some three thousand bytes.
const LONGEST: u64 = 32 * 1024;
/// Longest common name (RFC 5280, ub-common-name).
const LONGEST_NAME: usize = 64;
/// 2.5.4.3, commonName (X.520).
const COMMON_NAME: [u8; 3] = [0x55, 0x04, 0x03];
const SEQUENCE: u32 = 0x30;
const SET: u32 = 0x31;

/// The name in the first certificate that has one, of a card whose application is selected. The card is only read; a challenge
/// that waits in it lives on.
///
/// # Errors
/// [`TransportError`] when the card is gone or silent; one that answers nonsense has no name.
pub fn owner(card: &mut dyn Transport, edge: Edge) -> Result<Option<String>, TransportError> {
    let read = match edge {
        Edge::Piv { .. } => of_piv(card),
        Edge::Gids { initialised: true } => of_gids(card),
        Edge::Gids { initialised: false } => Ok(None),
    };
    match read {
        Err(TransportError::Short(_) | TransportError::Endless) => Ok(None),
        read => read,
    }
}

fn of_piv(card: &mut dyn Transport) -> Result<Option<String>, TransportError> {
    for tag in piv::KEYS.into_iter().filter_map(piv::certificate_of) {
        let command = short([0x00, 0xCB, 0x3F, 0xFF], &tag_list(tag), Some(0));
        if let Some(name) = answered(send(card, &command)?).and_then(|data| name_in(find_path(&data, &[0x53, 0x70])?)) {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

fn of_gids(card: &mut dyn Transport) -> Result<Option<String>, TransportError> {
    let master = answered(send(card, &MASTER_FILE)?).unwrap_or_default();
    for (file, object) in certificate_files(find(&master, 0xDF1F).unwrap_or_default()).take(MOST_FILES) {
        let [file, at] = file.to_be_bytes();
        let command = short([0x00, 0xCB, file, at], &tag_list(object.into()), Some(0));
        if let Some(name) = answered(send(card, &command)?).and_then(|data| name_in(find(&data, object.into())?)) {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

fn answered((data, sw): (Vec<u8>, u16)) -> Option<Vec<u8>> {
    (sw == 0x9000).then_some(data)
}

/// File and data object of the certificates that a master file lists.
fn certificate_files(master: &[u8]) -> impl Iterator<Item = (u16, u16)> {
    let records = master.strip_prefix(&[0x01]).unwrap_or_default().chunks_exact(RECORD);
    records.filter_map(|record| {
        let name = |at: usize| record[at..at + 9].split(|byte| *byte == 0).next().unwrap_or_default();
        let number =
            |at: usize| Some(u32::from_le_bytes(record[at..at + 4].try_into().ok()?)).and_then(|n| u16::try_from(n).ok());
        let certificate = name(0) == b"mscp" && [&b"kxc"[..], b"ksc"].iter().any(|begin| name(9).starts_with(begin));
        Some((number(24)?, number(20)?)).filter(|_| certificate)
    })
}

/// The subject's common name in a certificate as cards hold it: DER, gzip, zlib, or zlib behind the minidriver's four bytes.
/// Of several the last, which is the most specific.
#[must_use]
pub fn name_in(content: &[u8]) -> Option<String> {
    let certificate = unpacked(content)?;
    let fields = objects(find(find(&certificate, SEQUENCE)?, SEQUENCE)?);
    // Behind the version: serial number, signature, issuer, validity, subject (RFC 5280 section 4.1).
    let subject = fields.filter(|field| field.tag != 0xA0).nth(4).filter(|field| field.tag == SEQUENCE)?;
    let sets = objects(subject.value).filter(|set| set.tag == SET);
    let attributes = sets.flat_map(|set| objects(set.value)).filter(|attribute| attribute.tag == SEQUENCE);
    attributes.filter_map(|attribute| common_name(attribute.value)).last()
}

fn unpacked(content: &[u8]) -> Option<Cow<'_, [u8]>> {
    let all = |unpacking: &mut dyn Read| {
        let mut out = Vec::new();
        unpacking.take(LONGEST).read_to_end(&mut out).ok()?;
        Some(Cow::Owned(out))
    };
    match content {
        [0x30, ..] => Some(Cow::Borrowed(content)),
        [0x1F, 0x8B, ..] => all(&mut GzDecoder::new(content)),
        [0x01, 0x00, _, _, zlib @ ..] => all(&mut ZlibDecoder::new(zlib)),
        [0x78, ..] => all(&mut ZlibDecoder::new(content)),
        _ => None,
    }
}

/// The value of an attribute, if it is a common name (X.520, DirectoryString and what came before it).
fn common_name(attribute: &[u8]) -> Option<String> {
    let mut parts = objects(attribute);
    let (id, value) = (parts.next()?, parts.next()?);
    if id.tag != 0x06 || id.value != COMMON_NAME {
        return None;
    }
    let wide = |bytes: &[u8]| u32::from_be_bytes(bytes.try_into().unwrap_or_default());
    let name: String = match value.tag {
        // UTF8String, PrintableString, IA5String.
        0x0C | 0x13 | 0x16 => std::str::from_utf8(value.value).ok()?.into(),
        // TeletexString, which everybody writes in ISO 8859-1.
        0x14 => value.value.iter().copied().map(char::from).collect(),
        // UniversalString.
        0x1C => value.value.chunks_exact(4).map(wide).map(char::from_u32).collect::<Option<_>>()?,
        // BMPString.
        0x1E => {
            let units = value.value.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
            char::decode_utf16(units).collect::<Result<_, _>>().ok()?
        }
        _ => return None,
    };
    let name: String = name.trim().chars().take(LONGEST_NAME).collect();
    (!name.is_empty()).then_some(name)
}
