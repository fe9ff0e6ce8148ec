//! Cards by the system's own PC/SC library.

use crate::transport::{Transport, TransportError};
use pcsc::{Card, Context, Disposition, Error, Protocols, Scope, ShareMode, Transaction};
use self_cell::{MutBorrow, self_cell};
use std::ffi::CString;

/// The readers that the system's PC/SC service shows.
pub struct SystemReaders(Context);

/// A card in one of them; left as it is when dropped, and its transaction ended.
pub struct SystemCard {
    context: Context,
    reader: CString,
    handle: Handle,
}

/// The handle of a card, which a transaction borrows as long as it lasts.
enum Handle {
    /// No transaction.
    Free(Card),
    /// In one.
    Busy(CardInTransaction),
    /// Connecting anew has failed, or nothing was put back yet.
    Gone,
}

/// `None` once it was ended.
type Open<'card> = Option<Transaction<'card>>;

self_cell! {
    struct CardInTransaction {
        owner: MutBorrow<Card>,
        #[covariant]
        dependent: Open,
    }
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
        Ok(SystemCard { context: self.0.clone(), reader: name, handle: Handle::Free(card) })
    }
}

impl SystemCard {
    fn card(&self) -> Result<&Card, TransportError> {
        match &self.handle {
            Handle::Free(card) => Ok(card),
            Handle::Busy(busy) => busy.borrow_dependent().as_deref().ok_or(TransportError::Removed),
            Handle::Gone => Err(TransportError::Removed),
        }
    }

    /// Takes the handle out; a transaction is ended. What the service said of that, and the card.
    fn take(&mut self) -> (Result<(), Error>, Option<Card>) {
        match std::mem::replace(&mut self.handle, Handle::Gone) {
            Handle::Free(card) => (Ok(()), Some(card)),
            Handle::Busy(mut busy) => {
                let ended = busy.with_dependent_mut(|_, transaction| match transaction.take() {
                    // One that cannot be ended is tried once more when it is dropped here.
                    Some(transaction) => transaction.end(Disposition::LeaveCard).map_err(|(_, error)| error),
                    None => Ok(()),
                });
                (ended, Some(busy.into_owner().into_inner()))
            }
            Handle::Gone => (Ok(()), None),
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
        if let Handle::Busy(_) = self.handle {
            return Err(TransportError::Other("a transaction is under way already".into()));
        }
        let (_, card) = self.take();
        let card = MutBorrow::new(card.ok_or(TransportError::Removed)?);
        match CardInTransaction::try_new_or_recover(card, |card| card.borrow_mut().transaction().map(Some)) {
            Ok(busy) => self.handle = Handle::Busy(busy),
            Err((card, error)) => {
                self.handle = Handle::Free(card.into_inner());
                return Err(error.into());
            }
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), TransportError> {
        if !matches!(self.handle, Handle::Busy(_)) {
            return Err(TransportError::Other("no transaction is under way".into()));
        }
        let (ended, card) = self.take();
        self.handle = card.map_or(Handle::Gone, Handle::Free);
        Ok(ended?)
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
        // A transaction does not outlive what ends the handle's session with the card.
        let (_, card) = self.take();
        let Some(mut card) = card else {
            self.handle = Handle::Free(self.context.connect(&self.reader, ShareMode::Shared, Protocols::ANY)?);
            return Ok(());
        };
        let again = card.reconnect(ShareMode::Shared, Protocols::ANY, Disposition::LeaveCard);
        self.handle = Handle::Free(card);
        Ok(again?)
    }
}

impl Drop for SystemCard {
    /// The crate would reset a card whose handle is dropped.
    fn drop(&mut self) {
        if let (_, Some(card)) = self.take() {
            let _ = card.disconnect(Disposition::LeaveCard);
        }
    }
}
