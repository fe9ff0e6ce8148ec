//! Unlocking while the one who has the key is at hand.

use crate::minidriver::{Authenticator, CardError, Minidriver};
use crate::transport::Transport;

/// Why the card was not unlocked.
#[derive(Debug)]
pub enum OnlineError<E> {
    /// The card refused, or cannot be asked.
    Card(CardError),
    /// No response came. The card is as it was, but for a challenge that nobody answers.
    Response(E),
}

impl<E> From<CardError> for OnlineError<E> {
    fn from(error: CardError) -> Self {
        Self::Card(error)
    }
}

/// Unlocks the card in one transaction: challenge, `respond`, response, new PIN. The PIN is checked
/// first, so that a slip costs nothing; `respond` should take no more than a second or two. `card_id` is
/// what the card was known by when its user was asked; another one gets nothing.
///
/// # Errors
/// [`OnlineError`].
pub fn unlock<E>(
    card: &mut dyn Transport,
    card_id: Option<&[u8]>,
    new_pin: &[u8],
    respond: impl FnOnce(&[u8]) -> Result<Vec<u8>, E>,
) -> Result<(), OnlineError<E>> {
    card.begin().map_err(CardError::from)?;
    let result = within(card, card_id, new_pin, respond);
    let ended = card.end().map_err(CardError::from);
    result?;
    Ok(ended?)
}

fn within<E>(
    card: &mut dyn Transport,
    card_id: Option<&[u8]>,
    new_pin: &[u8],
    respond: impl FnOnce(&[u8]) -> Result<Vec<u8>, E>,
) -> Result<(), OnlineError<E>> {
    let mut card = Minidriver::open(card)?;
    if card_id.is_some() && card.card_id()?.as_deref() != card_id {
        return Err(CardError::AnotherCard.into());
    }
    card.card_pin_policy().check(new_pin).map_err(CardError::from)?;
    let challenge = card.unblock_challenge()?;
    let response = respond(&challenge).map_err(OnlineError::Response)?;
    Ok(card.card_unblock_pin(Authenticator::Response(&response), new_pin)?)
}
