//! A handle of a card, in a transaction or not.
//!
//! The library makes whoever begins a transaction wait until no other program has one. So beginning has a thread of its own, and
//! who asks is told after a moment that the card is held, as pcsc-lite tells it; asked again, the same beginning is looked at.

use super::convert::code;
use crate::code::ReturnCode;
use pcsc::{Card, Disposition, Transaction};
use self_cell::{MutBorrow, self_cell};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

/// How long a transaction is waited for before it is said that another program has one: as pcscd.
const MOMENT: Duration = Duration::from_millis(100);

/// `None` once it was ended.
type Open<'card> = Option<Transaction<'card>>;

self_cell! {
    struct InTransaction {
        owner: MutBorrow<Card>,
        #[covariant]
        dependent: Open,
    }
}

/// A card and what is under way with it; left as it is when dropped, and its transaction ended.
pub(super) struct Handle(State);

enum State {
    /// No transaction.
    Free(Card),
    /// In one, begun so many times.
    Busy(InTransaction, u32),
    /// Waiting for one.
    Begins(Receiver<Begun>),
    /// The library has lost it.
    Gone,
}

/// What became of a beginning.
type Begun = Result<InTransaction, (Card, ReturnCode)>;

impl Handle {
    pub(super) const fn new(card: Card) -> Self {
        Self(State::Free(card))
    }

    /// The card, for what needs no transaction.
    pub(super) fn card(&mut self) -> Result<&Card, ReturnCode> {
        match &self.0 {
            State::Free(card) => Ok(card),
            State::Busy(busy, _) => busy.borrow_dependent().as_deref().ok_or(ReturnCode::REMOVED_CARD),
            State::Begins(_) => Err(ReturnCode::SHARING_VIOLATION),
            State::Gone => Err(ReturnCode::INVALID_HANDLE),
        }
    }

    pub(super) fn begin(&mut self) -> Result<(), ReturnCode> {
        let begins = match std::mem::replace(&mut self.0, State::Gone) {
            State::Free(card) => {
                let (tell, begins) = channel();
                std::thread::spawn(move || {
                    let begun =
                        InTransaction::try_new_or_recover(MutBorrow::new(card), |card| card.borrow_mut().transaction().map(Some));
                    // Should nobody wait any more, it ends here.
                    let _ =
                        tell.send(begun.map_err(|(card, error)| (card.into_inner(), code(error)))).map_err(
                            |unheard| match unheard.0 {
                                Ok(busy) => drop(Self(State::Busy(busy, 1))),
                                Err((card, _)) => drop(Self::new(card)),
                            },
                        );
                });
                begins
            }
            State::Busy(busy, depth) => {
                self.0 = State::Busy(busy, depth + 1);
                return Ok(());
            }
            State::Begins(begins) => begins,
            State::Gone => return Err(ReturnCode::INVALID_HANDLE),
        };
        match begins.recv_timeout(MOMENT) {
            Ok(Ok(busy)) => self.0 = State::Busy(busy, 1),
            Ok(Err((card, error))) => {
                self.0 = State::Free(card);
                return Err(error);
            }
            Err(RecvTimeoutError::Timeout) => {
                self.0 = State::Begins(begins);
                return Err(ReturnCode::SHARING_VIOLATION);
            }
            Err(RecvTimeoutError::Disconnected) => return Err(ReturnCode::INTERNAL_ERROR),
        }
        Ok(())
    }

    pub(super) fn end(&mut self, disposition: Disposition) -> Result<(), ReturnCode> {
        match &mut self.0 {
            State::Busy(_, depth) if *depth > 1 => {
                *depth -= 1;
                Ok(())
            }
            State::Busy(..) => {
                let (ended, card) = self.take(disposition);
                self.0 = card.map_or(State::Gone, State::Free);
                ended
            }
            State::Free(_) | State::Begins(_) => Err(ReturnCode::NOT_TRANSACTED),
            State::Gone => Err(ReturnCode::INVALID_HANDLE),
        }
    }

    /// The card to connect anew: a transaction does not outlive what ends the handle's session with it.
    pub(super) fn out_of_transaction(&mut self) -> Result<&mut Card, ReturnCode> {
        if let State::Busy(..) = self.0 {
            let (_, card) = self.take(Disposition::LeaveCard);
            self.0 = card.map_or(State::Gone, State::Free);
        }
        match &mut self.0 {
            State::Free(card) => Ok(card),
            State::Busy(..) | State::Begins(_) => Err(ReturnCode::SHARING_VIOLATION),
            State::Gone => Err(ReturnCode::INVALID_HANDLE),
        }
    }

    pub(super) fn disconnect(mut self, disposition: Disposition) -> Result<(), ReturnCode> {
        self.close(disposition)
    }

    fn close(&mut self, disposition: Disposition) -> Result<(), ReturnCode> {
        let (_, card) = self.take(Disposition::LeaveCard);
        // One that begins still ends by itself.
        card.map_or(Ok(()), |card| {
            card.disconnect(disposition).map_err(|(card, error)| {
                // The crate would reset it.
                std::mem::forget(card);
                code(error)
            })
        })
    }

    /// Takes the card out; a transaction is ended. What the library said of that, and the card.
    fn take(&mut self, disposition: Disposition) -> (Result<(), ReturnCode>, Option<Card>) {
        match std::mem::replace(&mut self.0, State::Gone) {
            State::Free(card) => (Ok(()), Some(card)),
            State::Busy(mut busy, _) => {
                let ended = busy.with_dependent_mut(|_, transaction| match transaction.take() {
                    // One that cannot be ended is tried once more when it is dropped here.
                    Some(transaction) => transaction.end(disposition).map_err(|(_, error)| code(error)),
                    None => Ok(()),
                });
                (ended, Some(busy.into_owner().into_inner()))
            }
            State::Begins(_) | State::Gone => (Ok(()), None),
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        let _ = self.close(Disposition::LeaveCard);
    }
}
