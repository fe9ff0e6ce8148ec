//! Reading a PIV card's state: nothing here spends a try or changes the card.

use crate::transport::{Transport, TransportError, send};
use cardlab_protocol::apdu::short;
use cardlab_protocol::piv::{KEYS, certificate_of};
use cardlab_protocol::tlv::{find, tag_list};

/// What a PIV card says of itself, but for its tries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Firmware version, on cards that have GET VERSION.
    pub version: Option<[u8; 3]>,
    /// Serial number, on cards that have GET SERIAL.
    pub serial: Option<u32>,
    /// Card UUID of the CHUID.
    pub guid: Option<[u8; 16]>,
    /// Key references whose certificate is on the card.
    pub certificates: Vec<u8>,
}

const SELECT: [u8; 11] = [0x00, 0xA4, 0x04, 0x00, 0x05, 0xA0, 0x00, 0x00, 0x03, 0x08, 0x00];
/// Card Holder Unique Identifier.
const CHUID: u32 = 0x5F_C102;
/// cardlab's own object with the root of a simulated YubiKey's attestation chain.
const ATTESTATION_ROOT: u32 = 0x5F_FFCA;

/// What the PIV application, which is selected, says of itself.
///
/// # Errors
/// [`TransportError`] when the card cannot be asked.
pub fn identity(card: &mut dyn Transport) -> Result<Identity, TransportError> {
    let version = ok(send(card, &[0x00, 0xFD, 0x00, 0x00, 0x00])?).and_then(|v| v.try_into().ok());
    let serial = ok(send(card, &[0x00, 0xF8, 0x00, 0x00, 0x00])?).and_then(|v| v.try_into().ok()).map(u32::from_be_bytes);
    let chuid = read(card, CHUID)?;
    let guid = chuid.and_then(|data| find(&data, 0x34)?.try_into().ok());
    let mut certificates = Vec::new();
    for key in KEYS {
        let Some(tag) = certificate_of(key) else { continue };
        if read(card, tag)?.is_some_and(|value| !value.is_empty()) {
            certificates.push(key);
        }
    }
    Ok(Identity { version, serial, guid, certificates })
}

/// The attestation root that a simulated YubiKey made for itself, DER.
///
/// # Errors
/// [`TransportError`] when the card cannot be asked.
pub fn attestation_root(card: &mut dyn Transport) -> Result<Option<Vec<u8>>, TransportError> {
    send(card, &SELECT)?;
    Ok(read(card, ATTESTATION_ROOT)?.and_then(|data| find(&data, 0x70).map(<[u8]>::to_vec)))
}

/// GET DATA: the value of the `53` object.
fn read(card: &mut dyn Transport, tag: u32) -> Result<Option<Vec<u8>>, TransportError> {
    let command = short([0x00, 0xCB, 0x3F, 0xFF], &tag_list(tag), Some(0));
    Ok(ok(send(card, &command)?).and_then(|data| find(&data, 0x53).map(<[u8]>::to_vec)))
}

fn ok((data, sw): (Vec<u8>, u16)) -> Option<Vec<u8>> {
    (sw == 0x9000).then_some(data)
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
            (vec![0x00, 0xCB, 0x3F, 0xFF, 0x05, 0x5C, 0x03, 0x5F, 0xC1, 0x02], [first, &[0x61, 0x0B]].concat()),
            (vec![0x00, 0xC0], [rest, &[0x90, 0x00]].concat()),
        ]);
        let identity = identity(&mut card).ok();
        assert_eq!(identity, Some(Identity { version: None, serial: None, guid: Some([7; 16]), certificates: vec![] }));
    }

    #[test]
    fn no_status_word() {
        let mut broken = Scripted(vec![(vec![0x00], vec![0x90])]);
        assert!(matches!(identity(&mut broken), Err(TransportError::Short(1))));
    }
}
