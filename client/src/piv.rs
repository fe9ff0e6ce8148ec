//! Reading a PIV card's state: nothing here spends a try or changes the card.

use crate::transport::{Transport, TransportError, send};
use iso7816_tlv::ber;

/// What a PIV card says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Firmware version, on cards that have GET VERSION.
    pub version: Option<[u8; 3]>,
    /// Serial number, on cards that have GET SERIAL.
    pub serial: Option<u32>,
    /// Card UUID of the CHUID.
    pub guid: Option<[u8; 16]>,
    /// Tries of the PIN.
    pub pin: Tries,
    /// Tries of the PUK, on cards that tell them.
    pub puk: Option<u8>,
    /// Key references whose certificate is on the card.
    pub certificates: Vec<u8>,
}

/// What the status query of VERIFY tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tries {
    /// Verified by another program on this card.
    Verified,
    /// Tries left; 15 stands for 15 or more.
    Left(u8),
    /// None left.
    Blocked,
    /// The card does not say.
    Unknown,
}

const SELECT: [u8; 11] = [0x00, 0xA4, 0x04, 0x00, 0x05, 0xA0, 0x00, 0x00, 0x03, 0x08, 0x00];
const CERTIFICATES: [(u8, u8); 4] = [(0x9A, 0x05), (0x9C, 0x0A), (0x9D, 0x0B), (0x9E, 0x01)];
/// cardlab's own object with the root of a simulated YubiKey's attestation chain.
const ATTESTATION_ROOT: [u8; 3] = [0x5F, 0xFF, 0xCA];

/// The state of the PIV application; `None` when the card has none.
///
/// # Errors
/// [`TransportError`] when the card cannot be asked.
pub fn status(card: &mut dyn Transport) -> Result<Option<Status>, TransportError> {
    if send(card, &SELECT)?.1 != 0x9000 {
        return Ok(None);
    }
    let version = ok(send(card, &[0x00, 0xFD, 0x00, 0x00, 0x00])?).and_then(|v| v.try_into().ok());
    let serial = ok(send(card, &[0x00, 0xF8, 0x00, 0x00, 0x00])?).and_then(|v| v.try_into().ok()).map(u32::from_be_bytes);
    let pin = match send(card, &[0x00, 0x20, 0x00, 0x80])?.1 {
        0x9000 => Tries::Verified,
        0x6983 | 0x63C0 => Tries::Blocked,
        sw if sw & 0xFFF0 == 0x63C0 => Tries::Left((sw & 0x0F) as u8),
        _ => Tries::Unknown,
    };
    let metadata = ok(send(card, &[0x00, 0xF7, 0x00, 0x81, 0x00])?);
    let puk =
        metadata.and_then(|data| objects(&data).into_iter().find(|(tag, _)| tag == &[0x06])).and_then(|(_, v)| v.get(1).copied());
    let chuid = read(card, &[0x5F, 0xC1, 0x02])?;
    let guid =
        chuid.and_then(|data| objects(&data).into_iter().find(|(tag, _)| tag == &[0x34])).and_then(|(_, v)| v.try_into().ok());
    let mut certificates = Vec::new();
    for (key, last) in CERTIFICATES {
        if read(card, &[0x5F, 0xC1, last])?.is_some_and(|value| !value.is_empty()) {
            certificates.push(key);
        }
    }
    Ok(Some(Status { version, serial, guid, pin, puk, certificates }))
}

/// The attestation root that a simulated YubiKey made for itself, DER.
///
/// # Errors
/// [`TransportError`] when the card cannot be asked.
pub fn attestation_root(card: &mut dyn Transport) -> Result<Option<Vec<u8>>, TransportError> {
    send(card, &SELECT)?;
    let object = read(card, &ATTESTATION_ROOT)?;
    Ok(object.and_then(|data| objects(&data).into_iter().find(|(tag, _)| tag == &[0x70])).map(|(_, value)| value))
}

/// GET DATA: the value of the `53` object.
fn read(card: &mut dyn Transport, tag: &[u8; 3]) -> Result<Option<Vec<u8>>, TransportError> {
    let command = [0x00, 0xCB, 0x3F, 0xFF, 0x05, 0x5C, 0x03, tag[0], tag[1], tag[2], 0x00];
    Ok(ok(send(card, &command)?).and_then(|data| objects(&data).pop()).map(|(_, value)| value))
}

fn ok((data, sw): (Vec<u8>, u16)) -> Option<Vec<u8>> {
    (sw == 0x9000).then_some(data)
}

/// Tags and values of one level. Values stay bytes, also those of constructed objects.
fn objects(data: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut rest = data;
    let mut found = Vec::new();
    while !rest.is_empty() {
        let (object, after) = ber::Tlv::parse(rest);
        let Ok(object) = object else { break };
        let value = match object.value() {
            ber::Value::Primitive(bytes) => bytes.clone(),
            ber::Value::Constructed(children) => children.iter().flat_map(ber::Tlv::to_vec).collect(),
        };
        found.push((object.tag().to_bytes().to_vec(), value));
        rest = after;
    }
    found
}
