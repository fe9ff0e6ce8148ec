//! Bringing a card to few tries by spending them, as a forgetful person would. Works on real cards, so
//! it is a one-way street: tries are spent, never given back.

use crate::minidriver::{CardError, Minidriver, Secret};
use crate::recognise::Edge;
use thiserror::Error;

/// Guesses that are hardly anybody's PIN. Should one be right after all, the next is taken.
const GUESSES: [&[u8; 8]; 3] = [b"90817263", b"19283746", b"55667788"];

/// Why a card could not be brought there.
#[derive(Debug, Error)]
pub enum LockError {
    /// There are fewer already.
    #[error("the {secret} has {left} tries left already; only the right one, or unblocking, gives tries back")]
    Fewer {
        /// Which secret.
        secret: Secret,
        /// Tries left.
        left: u8,
    },
    /// The card does not count this secret, or does not tell.
    #[error("this card counts no tries of its {0}")]
    NotCounted(Secret),
    /// A wrong guess cost nothing.
    #[error("a wrong {0} costs this card no try, so it cannot be brought there")]
    Free(Secret),
    /// The card refused in another way.
    #[error(transparent)]
    Card(#[from] CardError),
}

/// Spends tries of `secret` until `left` are left. An administrator key at 0 is lost for good.
///
/// # Errors
/// [`LockError`].
pub fn bring_to(card: &mut Minidriver<'_>, secret: Secret, left: u8) -> Result<(), LockError> {
    card.card_deauthenticate()?;
    let mut known = tries(card, secret)?;
    let mut guesses = GUESSES.iter().cycle().take(3 * GUESSES.len() * usize::from(u8::MAX));
    loop {
        match known {
            Some(now) if now == left => return Ok(()),
            Some(now) if now < left => return Err(LockError::Fewer { secret, left: now }),
            _ => {}
        }
        let guess = guesses.next().ok_or(LockError::Free(secret))?;
        let now = match wrong(card, secret, guess.as_slice()) {
            Err(CardError::Wrong { left: Some(now), .. }) => now,
            Err(CardError::Wrong { left: None, .. }) => return Err(LockError::NotCounted(secret)),
            Err(CardError::Blocked(_)) => 0,
            Err(other) => return Err(other.into()),
            // It was right: all tries are back.
            Ok(()) => {
                card.card_deauthenticate()?;
                known = tries(card, secret)?;
                continue;
            }
        };
        if known == Some(now) && now < 15 {
            return Err(LockError::Free(secret));
        }
        known = Some(now);
    }
}

/// The tries left; `None` where only a wrong value would tell.
fn tries(card: &mut Minidriver<'_>, secret: Secret) -> Result<Option<u8>, LockError> {
    let status = card.card_pin_status()?;
    let counter = match secret {
        Secret::Pin => status.pin,
        Secret::Puk if matches!(card.edge(), Edge::Gids { .. }) => return Err(LockError::NotCounted(secret)),
        Secret::Puk => status.puk,
        Secret::AdminKey => Some(status.admin.ok_or(LockError::NotCounted(secret))?),
    };
    Ok(counter.map(|c| c.left))
}

fn wrong(card: &mut Minidriver<'_>, secret: Secret, guess: &[u8]) -> Result<(), CardError> {
    match secret {
        Secret::Pin => card.card_authenticate_pin(guess),
        Secret::Puk => card.card_change_puk(guess, guess),
        Secret::AdminKey => {
            let challenge = card.card_get_challenge()?;
            // The response to a challenge is hardly ever the challenge itself.
            card.card_authenticate_challenge(&challenge)
        }
    }
}
