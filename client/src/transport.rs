//! A way to a card.

use cardlab_pcsclite::client;
use thiserror::Error;

/// Why an exchange did not take place.
#[derive(Debug, Error)]
pub enum TransportError {
    /// PC/SC refused it.
    #[error(transparent)]
    Pcsc(#[from] client::Error),
    /// The card answered fewer than the two bytes of a status word.
    #[error("the card answered {0} bytes, which is no response APDU")]
    Short(usize),
}

/// Sends command APDUs to one card.
pub trait Transport {
    /// One exchange: the whole response APDU, status word included.
    ///
    /// # Errors
    /// [`TransportError`] when the card could not be asked.
    fn exchange(&mut self, command: &[u8]) -> Result<Vec<u8>, TransportError>;
}

impl Transport for client::Card<'_> {
    fn exchange(&mut self, command: &[u8]) -> Result<Vec<u8>, TransportError> {
        Ok(self.transmit(command)?)
    }
}

/// A response split into data and status word; follows 61xx with GET RESPONSE (ISO/IEC 7816-4
/// section 11.8.1).
///
/// # Errors
/// [`TransportError`] when the card could not be asked.
pub fn send(transport: &mut dyn Transport, command: &[u8]) -> Result<(Vec<u8>, u16), TransportError> {
    let mut data = Vec::new();
    let mut response = transport.exchange(command)?;
    loop {
        let length = response.len();
        let Some((part, sw)) = response.split_last_chunk::<2>() else { return Err(TransportError::Short(length)) };
        data.extend_from_slice(part);
        let [sw1, sw2] = *sw;
        if sw1 != 0x61 {
            return Ok((data, u16::from_be_bytes([sw1, sw2])));
        }
        response = transport.exchange(&[0x00, 0xC0, 0x00, 0x00, sw2])?;
    }
}
