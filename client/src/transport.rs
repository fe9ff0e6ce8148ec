//! A way to a card.
//!
//! | implementation | reaches |
//! |---|---|
//! | [`cardlab_pcsclite::client::Connection`] | pcsc-lite's socket (pcscd or cardlab, no C library); on Windows the system's PC/SC library |
//! | [`InProcess`] | a card in the same process, for tests |

use cardlab_pcsclite::client::{self, Disposition, ShareMode};
use cardlab_pcsclite::code::ReturnCode;
use cardlab_protocol::apdu;
use thiserror::Error;

/// Why an exchange did not take place.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TransportError {
    /// The card is no longer in the reader.
    #[error("the card was removed")]
    Removed,
    /// Another program reset the card: what it knew of this session is gone.
    #[error("another program reset the card")]
    Reset,
    /// The reader is gone.
    #[error("the reader is no longer there")]
    NoReader,
    /// Another program holds the card for itself.
    #[error("another program holds the card")]
    Busy,
    /// No answer came in the time that was set.
    #[error("{0}")]
    Silent(String),
    /// PC/SC refused it for another reason.
    #[error("{0}")]
    Other(String),
    /// The card answered fewer than the two bytes of a status word.
    #[error("the card answered {0} bytes, which is no response APDU")]
    Short(usize),
    /// The card announced ever more data.
    #[error("the card's answer has no end")]
    Endless,
}

/// Sends command APDUs to one card.
pub trait Transport {
    /// One exchange: the whole response APDU, status word included.
    ///
    /// # Errors
    /// [`TransportError`] when the card could not be asked.
    fn exchange(&mut self, command: &[u8]) -> Result<Vec<u8>, TransportError>;

    /// Begins a transaction: no other program reaches the card until [`Transport::end`].
    ///
    /// # Errors
    /// [`TransportError`] when there is no card, or it was reset since the last exchange.
    fn begin(&mut self) -> Result<(), TransportError> {
        Ok(())
    }

    /// Ends a transaction and leaves the card as it is.
    ///
    /// # Errors
    /// [`TransportError`] when there was none.
    fn end(&mut self) -> Result<(), TransportError> {
        Ok(())
    }

    /// Asks whether the card is there and still as it was, without speaking to it. Windows resets a
    /// card whose transaction idles for five seconds; asking keeps it alive.
    ///
    /// # Errors
    /// [`TransportError::Removed`], [`TransportError::Reset`].
    fn check(&mut self) -> Result<(), TransportError> {
        Ok(())
    }

    /// The card's answer to reset, as its reader tells it: the card is not asked. `None` where there is none.
    fn atr(&mut self) -> Option<Vec<u8>> {
        None
    }

    /// Connects anew after a reset or a removal.
    ///
    /// # Errors
    /// [`TransportError::Removed`] while there is no card.
    fn reconnect(&mut self) -> Result<(), TransportError> {
        Ok(())
    }
}

impl From<client::Error> for TransportError {
    fn from(error: client::Error) -> Self {
        if let client::Error::Silent(_) = error {
            return Self::Silent(error.to_string());
        }
        match error.code() {
            Some(ReturnCode::REMOVED_CARD | ReturnCode::NO_SMARTCARD) => Self::Removed,
            Some(ReturnCode::RESET_CARD) => Self::Reset,
            Some(ReturnCode::READER_UNAVAILABLE | ReturnCode::UNKNOWN_READER) => Self::NoReader,
            Some(ReturnCode::SHARING_VIOLATION) => Self::Busy,
            _ => Self::Other(error.to_string()),
        }
    }
}

impl Transport for client::Connection<'_> {
    fn exchange(&mut self, command: &[u8]) -> Result<Vec<u8>, TransportError> {
        Ok(self.transmit(command)?)
    }

    fn begin(&mut self) -> Result<(), TransportError> {
        Ok(client::Connection::begin(self)?)
    }

    fn end(&mut self) -> Result<(), TransportError> {
        Ok(client::Connection::end(self, Disposition::Leave)?)
    }

    fn check(&mut self) -> Result<(), TransportError> {
        Ok(self.status()?)
    }

    fn atr(&mut self) -> Option<Vec<u8>> {
        client::Connection::atr(self).ok().filter(|atr| !atr.is_empty())
    }

    fn reconnect(&mut self) -> Result<(), TransportError> {
        Ok(client::Connection::reconnect(self, ShareMode::Shared, Disposition::Leave)?)
    }
}

/// A card in the same process: a function from command to response APDU, `None` when there is no card.
pub struct InProcess<F>(pub F);

impl<F: FnMut(&[u8]) -> Option<Vec<u8>>> Transport for InProcess<F> {
    fn exchange(&mut self, command: &[u8]) -> Result<Vec<u8>, TransportError> {
        (self.0)(command).ok_or(TransportError::Removed)
    }
}

/// Parts of one answer: 256 bytes each, 64 KiB in all.
const MOST_PARTS: usize = 256;

/// A response split into data and status word; follows 61xx with GET RESPONSE (ISO/IEC 7816-4
/// section 11.8.1).
///
/// # Errors
/// [`TransportError`] when the card could not be asked.
pub fn send(transport: &mut dyn Transport, command: &[u8]) -> Result<(Vec<u8>, u16), TransportError> {
    let mut data = Vec::new();
    let mut response = transport.exchange(command)?;
    for _ in 0..MOST_PARTS {
        let (part, sw) = apdu::response(&response).ok_or(TransportError::Short(response.len()))?;
        data.extend_from_slice(part);
        let [sw1, sw2] = sw.to_bytes();
        if sw1 != 0x61 {
            return Ok((data, sw.0));
        }
        response = transport.exchange(&[0x00, 0xC0, 0x00, 0x00, sw2])?;
    }
    Err(TransportError::Endless)
}
