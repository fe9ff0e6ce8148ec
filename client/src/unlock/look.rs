//! One look at a card in a reader: what it is and whose, without ending a challenge or a login that waits in it.

use super::session::{Chip, Facts, Look, Seen};
use crate::minidriver::{CardError, Minidriver};
use crate::owner;
use crate::transport::{Transport, TransportError};
use cardlab_pcsclite::client::{Connection, Context, ShareMode};
use std::time::Duration;

/// How long connecting may take before the card counts as held.
const CONNECT: Duration = Duration::from_secs(2);
/// Longest wait for one answer of a card.
pub(super) const ANSWER: Duration = Duration::from_secs(60);

/// The card in a reader, as it can be chosen among others.
#[must_use]
pub fn look(context: &Context, reader: &str) -> Chip {
    let card = match looked(context, reader) {
        Ok(facts) => Look::Card(facts),
        Err(CardError::Transport(TransportError::Busy)) => Look::Held,
        Err(error) => Look::Strange(error),
    };
    Chip::of(&Seen { reader: reader.to_owned(), card })
}

fn looked(context: &Context, reader: &str) -> Result<Facts, CardError> {
    // A connection that the service makes wait is given up with its context.
    let context = context.another().map_err(TransportError::from)?;
    let mut connection = connect(&context, reader).map_err(|error| match error {
        TransportError::Silent(_) => TransportError::Busy,
        other => other,
    })?;
    connection.try_begin().map_err(TransportError::from)?;
    let facts = Minidriver::resume_or_open(&mut connection).and_then(facts);
    // What the card has said holds, however the transaction ends.
    let _ = Transport::end(&mut connection);
    facts
}

/// A connection to the card. Services make whoever connects wait as long as another program has a transaction: that is
/// [`TransportError::Silent`], and leaves a context that is of no use any more.
pub(super) fn connect<'c>(context: &'c Context, reader: &str) -> Result<Connection<'c>, TransportError> {
    context.set_limit(CONNECT)?;
    let connection = context.connect(reader, ShareMode::Shared)?;
    context.set_limit(ANSWER)?;
    Ok(connection)
}

/// What the card says of itself.
pub(super) fn facts(mut card: Minidriver<'_>) -> Result<Facts, CardError> {
    let status = card.card_pin_status()?;
    let (edge, policy, id) = (card.edge(), card.card_pin_policy(), card.card_id()?);
    let atr = card.transport().atr().unwrap_or_default();
    let owner = owner::owner(card.transport(), edge)?;
    Ok(Facts { id, atr, edge, status, policy, owner })
}
