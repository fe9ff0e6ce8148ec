//! What is asked of a card, as commands: a transaction has begun, and ends when this has answered.

use super::pending::Pending;
use super::session::{CardAnswer, CardAsk};
use crate::minidriver::{Authenticator, CardError, Minidriver};
use crate::transport::{Transport, TransportError};

/// Asks, in a transaction that has begun. `id` is what the card is known by: another one gets no secret; `drawn` is the
/// challenge that waits in it.
pub(super) fn carry_out(
    card: &mut dyn Transport,
    ask: &CardAsk,
    id: Option<&[u8]>,
    drawn: Option<&[u8]>,
    pending: Option<&Pending>,
) -> CardAnswer {
    match ask {
        CardAsk::Verify(pin) => {
            CardAnswer::Verified(open(card, id).and_then(|mut opened| opened.card_authenticate_pin(pin.as_bytes())))
        }
        CardAsk::Draw { .. } => {
            let drawn = open(card, id).and_then(|mut opened| opened.unblock_challenge());
            if let (Some(pending), Some(id), Ok(challenge)) = (pending, id, &drawn) {
                pending.note(id, challenge);
            }
            CardAnswer::Challenge(drawn)
        }
        CardAsk::Respond { challenge, .. }
            if drawn != Some(challenge) || pending.zip(id).is_some_and(|(pending, id)| pending.is_overtaken(id, challenge)) =>
        {
            CardAnswer::Unlocked(Err(CardError::ChallengeGone))
        }
        CardAsk::Respond { response, pin, .. } => CardAnswer::Unlocked(
            Minidriver::resume(card)
                .and_then(|mut opened| opened.card_unblock_pin(Authenticator::Response(response), pin.as_bytes())),
        ),
        CardAsk::Puk { puk, pin } => CardAnswer::Unlocked(
            open(card, id).and_then(|mut opened| opened.card_unblock_pin(Authenticator::Puk(puk.as_bytes()), pin.as_bytes())),
        ),
    }
}

/// The card that is meant, and no other.
fn open<'t>(card: &'t mut dyn Transport, id: Option<&[u8]>) -> Result<Minidriver<'t>, CardError> {
    let mut opened = Minidriver::open(card)?;
    if id.is_some() && opened.card_id()?.as_deref() != id {
        return Err(CardError::AnotherCard);
    }
    Ok(opened)
}

/// The answer where the card could not be asked.
pub(super) fn failed(ask: &CardAsk, error: CardError) -> CardAnswer {
    match ask {
        CardAsk::Verify(_) => CardAnswer::Verified(Err(error)),
        CardAsk::Draw { .. } => CardAnswer::Challenge(Err(error)),
        CardAsk::Respond { .. } | CardAsk::Puk { .. } => CardAnswer::Unlocked(Err(error)),
    }
}

/// A card that gives no answer leaves a connection that is of no use any more.
pub(super) fn is_silent(answer: &CardAnswer) -> Option<TransportError> {
    let error = match answer {
        CardAnswer::Verified(Err(error)) | CardAnswer::Challenge(Err(error)) | CardAnswer::Unlocked(Err(error)) => error,
        _ => return None,
    };
    match error {
        CardError::Transport(error @ TransportError::Silent(_)) => Some(error.clone()),
        _ => None,
    }
}
