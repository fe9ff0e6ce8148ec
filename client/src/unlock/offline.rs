//! Unlocking with a response that comes by telephone or on paper.

use crate::minidriver::{Authenticator, CardError, Minidriver, PinPolicy};
use crate::transport::{Transport, TransportError};
use std::time::{Duration, Instant};

/// How often a kept transaction wants [`Offline::keep`]: Windows resets a card whose transaction idles
/// for five seconds (Win32, SCardBeginTransaction).
pub const KEEP_EVERY: Duration = Duration::from_secs(2);
/// How long a transaction is kept at most.
pub const LIMIT: Duration = Duration::from_secs(600);

/// How a pending challenge is guarded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// A transaction, kept alive: nobody else reaches the card, for [`LIMIT`] at most.
    Transaction,
    /// None: other programs work with the card meanwhile, and may end the challenge. What happened is
    /// looked at before the response is used.
    Look,
}

/// A challenge that somebody is answering.
pub struct Offline<'t> {
    card: Minidriver<'t>,
    guard: Guard,
    challenge: Vec<u8>,
    since: Instant,
    held: bool,
}

impl<'t> Offline<'t> {
    /// Draws a challenge.
    ///
    /// # Errors
    /// [`CardError::Blocked`] when the card is lost for unblocking, [`CardError::NotSupported`] when it
    /// is unblocked in another way.
    pub fn begin(card: &'t mut dyn Transport, guard: Guard) -> Result<Self, CardError> {
        let held = guard == Guard::Transaction;
        if held {
            card.begin()?;
        }
        let card = match Minidriver::open_or_return(card) {
            Ok(card) => card,
            Err((card, error)) => {
                if held {
                    let _ = card.end();
                }
                return Err(error);
            }
        };
        let mut drawn = Self { card, guard, challenge: Vec::new(), since: Instant::now(), held };
        drawn.again()?;
        Ok(drawn)
    }

    /// The challenge, 8 or 16 bytes.
    #[must_use]
    pub fn challenge(&self) -> &[u8] {
        &self.challenge
    }

    /// The rules of a new PIN.
    #[must_use]
    pub const fn pin_policy(&self) -> PinPolicy {
        self.card.card_pin_policy()
    }

    /// To be called every [`KEEP_EVERY`]: keeps the transaction alive and notices that the card went.
    ///
    /// # Errors
    /// [`TransportError::Removed`], [`TransportError::Reset`]; the challenge is gone. `Ok(false)` when
    /// [`LIMIT`] is over: the transaction has ended, other programs have their turn.
    pub fn keep(&mut self) -> Result<bool, TransportError> {
        self.card.transport().check()?;
        if self.held && self.since.elapsed() >= LIMIT {
            self.release();
        }
        Ok(self.guard == Guard::Look || self.held)
    }

    /// Gives the response and the new PIN to the card. The challenge is gone afterwards, unless the PIN
    /// was refused before the card was asked.
    ///
    /// # Errors
    /// As [`Minidriver::card_unblock_pin`]; [`CardError::ChallengeGone`] when another program came
    /// between, with no try spent.
    pub fn answer(&mut self, response: &[u8], new_pin: &[u8]) -> Result<(), CardError> {
        self.pin_policy().check(new_pin)?;
        match self.card.transport().check() {
            Err(TransportError::Reset) => return Err(CardError::ChallengeGone),
            other => other?,
        }
        self.card.card_unblock_pin(Authenticator::Response(response), new_pin)
    }

    /// Draws another challenge on the same card, after a refusal.
    ///
    /// # Errors
    /// As [`Offline::begin`].
    pub fn again(&mut self) -> Result<(), CardError> {
        self.challenge = self.card.unblock_challenge()?;
        self.since = Instant::now();
        Ok(())
    }

    fn release(&mut self) {
        if std::mem::take(&mut self.held) {
            // A card that is gone has no transaction any more.
            let _ = self.card.transport().end();
        }
    }
}

impl Drop for Offline<'_> {
    fn drop(&mut self) {
        self.release();
    }
}
