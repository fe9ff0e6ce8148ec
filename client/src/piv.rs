//! Reading a PIV card's state: nothing here spends a try or changes the card.

use crate::transport::{Transport, TransportError, send};

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
    let puk = metadata.and_then(|data| object(&data, 0x06)?.get(1).copied());
    let chuid = read(card, &[0x5F, 0xC1, 0x02])?;
    let guid = chuid.and_then(|data| object(&data, 0x34)?.try_into().ok());
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
    Ok(read(card, &ATTESTATION_ROOT)?.and_then(|data| object(&data, 0x70)))
}

/// GET DATA: the value of the `53` object.
fn read(card: &mut dyn Transport, tag: &[u8; 3]) -> Result<Option<Vec<u8>>, TransportError> {
    let command = [0x00, 0xCB, 0x3F, 0xFF, 0x05, 0x5C, 0x03, tag[0], tag[1], tag[2], 0x00];
    Ok(ok(send(card, &command)?).and_then(|data| object(&data, 0x53)))
}

fn ok((data, sw): (Vec<u8>, u16)) -> Option<Vec<u8>> {
    (sw == 0x9000).then_some(data)
}

/// Tags and values of one level of a PIV data object: one-byte tags, definite lengths. PIV uses tags
/// such as 34 and 70, whose BER form says "constructed", for plain bytes; a general decoder refuses
/// them. Reading stops at the first malformed one.
fn objects(data: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut found = Vec::new();
    let mut rest = data;
    while let [tag, after @ ..] = rest {
        let (length, after) = match after {
            [n @ 0..=0x7F, after @ ..] => (usize::from(*n), after),
            [0x81, n, after @ ..] => (usize::from(*n), after),
            [0x82, a, b, after @ ..] => (usize::from(u16::from_be_bytes([*a, *b])), after),
            _ => break,
        };
        let Some((value, after)) = after.split_at_checked(length) else { break };
        found.push((*tag, value.to_vec()));
        rest = after;
    }
    found
}

/// The value of the first object with this tag.
fn object(data: &[u8], wanted: u8) -> Option<Vec<u8>> {
    objects(data).into_iter().find(|(tag, _)| *tag == wanted).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers from a table; everything else is "not found".
    struct Scripted(Vec<(Vec<u8>, Vec<u8>)>);

    impl Transport for Scripted {
        fn exchange(&mut self, command: &[u8]) -> Result<Vec<u8>, TransportError> {
            let answer = self.0.iter().find(|(c, _)| command.starts_with(c)).map(|(_, r)| r.clone());
            Ok(answer.unwrap_or_else(|| vec![0x6A, 0x82]))
        }
    }

    #[test]
    fn reads_what_the_card_tells() {
        let mut chuid = vec![0x53, 0x12, 0x34, 0x10];
        chuid.extend([7; 16]);
        let (first, rest) = chuid.split_at(9);
        let mut card = Scripted(vec![
            (vec![0x00, 0xA4], vec![0x90, 0x00]),
            (vec![0x00, 0x20], vec![0x63, 0xC2]),
            (vec![0x00, 0xF7, 0x00, 0x81], vec![0x06, 0x02, 0x03, 0x01, 0x90, 0x00]),
            (vec![0x00, 0xCB, 0x3F, 0xFF, 0x05, 0x5C, 0x03, 0x5F, 0xC1, 0x02], [first, &[0x61, 0x0B]].concat()),
            (vec![0x00, 0xC0], [rest, &[0x90, 0x00]].concat()),
        ]);
        let status = status(&mut card).ok().flatten();
        let expected =
            Status { version: None, serial: None, guid: Some([7; 16]), pin: Tries::Left(2), puk: Some(1), certificates: vec![] };
        assert_eq!(status, Some(expected));
    }

    #[test]
    fn no_application_and_no_status_word() {
        assert!(matches!(status(&mut Scripted(vec![])), Ok(None)));
        let mut broken = Scripted(vec![(vec![0x00], vec![0x90])]);
        assert!(matches!(status(&mut broken), Err(TransportError::Short(1))));
    }
}
