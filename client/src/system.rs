//! Cards by the system's own PC/SC library.

use crate::transport::{Transport, TransportError};
use pcsc::{Card, Context, Disposition, Error, Protocols, Scope, ShareMode};
use std::ffi::CString;

/// The readers that the system's PC/SC service shows.
pub struct SystemReaders(Context);

/// A card in one of them; left as it is when dropped.
pub struct SystemCard {
    context: Context,
    reader: CString,
    /// `None` when connecting anew has failed.
    card: Option<Card>,
}

impl From<Error> for TransportError {
    fn from(error: Error) -> Self {
        match error {
            Error::RemovedCard | Error::NoSmartcard => Self::Removed,
            Error::ResetCard => Self::Reset,
            Error::ReaderUnavailable | Error::UnknownReader => Self::NoReader,
            Error::SharingViolation => Self::Busy,
            other => Self::Other(other.to_string()),
        }
    }
}

impl SystemReaders {
    /// Connects to the service.
    ///
    /// # Errors
    /// [`TransportError::Other`] when it does not run.
    pub fn establish() -> Result<Self, TransportError> {
        Ok(Self(Context::establish(Scope::User)?))
    }

    /// The names of the readers.
    ///
    /// # Errors
    /// [`TransportError::Other`] when the service fails.
    pub fn names(&self) -> Result<Vec<String>, TransportError> {
        let names = self.0.list_readers_owned()?;
        Ok(names.iter().map(|name| name.to_string_lossy().into_owned()).collect())
    }

    /// Connects to the card in a reader.
    ///
    /// # Errors
    /// [`TransportError::Removed`] when there is none, [`TransportError::NoReader`].
    pub fn connect(&self, reader: &str) -> Result<SystemCard, TransportError> {
        let name = CString::new(reader).map_err(|_| TransportError::NoReader)?;
        let card = self.0.connect(&name, ShareMode::Shared, Protocols::ANY)?;
        Ok(SystemCard { context: self.0.clone(), reader: name, card: Some(card) })
    }
}

impl SystemCard {
    fn card(&mut self) -> Result<&mut Card, TransportError> {
        self.card.as_mut().ok_or(TransportError::Removed)
    }

    /// Lets the handle go and leaves the card as it is.
    fn release(&mut self) {
        if let Some(card) = self.card.take() {
            let _ = card.disconnect(Disposition::LeaveCard);
        }
    }
}

impl Transport for SystemCard {
    fn exchange(&mut self, command: &[u8]) -> Result<Vec<u8>, TransportError> {
        let mut buffer = vec![0; pcsc::MAX_BUFFER_SIZE_EXTENDED];
        let length = self.card()?.transmit(command, &mut buffer)?.len();
        buffer.truncate(length);
        Ok(buffer)
    }

    fn begin(&mut self) -> Result<(), TransportError> {
        // It ends with the handle, not with a borrow of ours: see `end`.
        std::mem::forget(self.card()?.transaction()?);
        Ok(())
    }

    fn end(&mut self) -> Result<(), TransportError> {
        // The crate ties a transaction to a borrow, which cannot span calls; a handle that goes ends
        // its transaction, and the next one finds the card as it was.
        self.release();
        self.card = Some(self.context.connect(&self.reader, ShareMode::Shared, Protocols::ANY)?);
        Ok(())
    }

    fn check(&mut self) -> Result<(), TransportError> {
        self.card()?.status2_owned()?;
        Ok(())
    }

    fn atr(&mut self) -> Option<Vec<u8>> {
        let status = self.card().ok()?.status2_owned().ok()?;
        Some(status.atr().to_vec()).filter(|atr| !atr.is_empty())
    }

    fn reconnect(&mut self) -> Result<(), TransportError> {
        match &mut self.card {
            Some(card) => card.reconnect(ShareMode::Shared, Protocols::ANY, Disposition::LeaveCard)?,
            None => self.card = Some(self.context.connect(&self.reader, ShareMode::Shared, Protocols::ANY)?),
        }
        Ok(())
    }
}

impl Drop for SystemCard {
    fn drop(&mut self) {
        self.release();
    }
}
