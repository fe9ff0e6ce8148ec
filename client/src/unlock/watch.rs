//! When a card is looked at again, and what is told of it.
//!
//! What other programs do to the card is seen by looking at it again, which takes a few commands. Without a challenge the
//! card that is watched is looked at all the time; one in which a challenge waits, and one that nobody watches, when there
//! is reason to:
//!
//! | reason | how it is noticed |
//! |---|---|
//! | another program has reset the card | the handle says so |
//! | another has a transaction | the handle cannot be asked |
//! | another has left the card | its reader is shared by fewer (`desk`) |
//! | another program of ours has drawn a challenge | its note (`pending`) |
//! | somebody opens a page | `Desk::look` |
//! | none, where a challenge waits: PC/SC does not tell of whoever is quick and resets nothing | every ten seconds |

use super::card::Card;
use super::hand::{LIMIT, Question, Word, Work};
use super::session::{Disturbance, Facts, Look};
use crate::minidriver::CardError;
use crate::transport::{Transport, TransportError};
use std::time::{Duration, Instant};

/// How often a card is looked at in which a challenge waits, where nothing has been noticed.
const SELDOM: Duration = Duration::from_secs(10);
/// How long a look at a card that is not watched is taken for the other program that seems to have left it.
const ECHO: Duration = Duration::from_secs(2);
/// Looks at a card that answers nonsense before it is left alone. One that is of another kind is left alone at once.
const PATIENCE: u8 = 5;

/// What is known of the card, whatever becomes of the connection to the service.
pub(super) struct Known {
    /// What was told last.
    pub(super) look: Look,
    pub(super) watched: bool,
    /// How often an answer that makes no sense is asked for once more.
    patience: u8,
    /// What was asked and could not be begun yet.
    pub(super) asked: Option<Question>,
    /// When it was looked at last.
    pub(super) looked: Option<Instant>,
    /// When it is to be looked at, watched or not.
    again: Option<Instant>,
    /// The last look was such a one: what seems to have left the card since was that look.
    echo: bool,
}

impl Known {
    pub(super) const fn new() -> Self {
        Self { look: Look::Looking, watched: false, patience: PATIENCE, asked: None, looked: None, again: None, echo: false }
    }

    pub(super) fn facts(&self) -> Option<&Facts> {
        match &self.look {
            Look::Card(facts) => Some(facts),
            _ => None,
        }
    }

    fn is_stale(&self, age: Duration) -> bool {
        self.looked.is_none_or(|looked| looked.elapsed() >= age)
    }
}

impl Work {
    pub(super) fn idle(&self, card: &mut Card<'_>, known: &mut Known) -> bool {
        if let Look::Strange(CardError::Transport(_) | CardError::Unexpected { .. }) = known.look {
            if known.patience == 0 {
                return true;
            }
            known.patience -= 1;
            return self.look(card, known, false);
        }
        if known.again.is_some_and(|again| again <= Instant::now()) {
            let going_on = self.look_anew(card, known);
            known.echo = true;
            return going_on;
        }
        if !known.watched {
            return true;
        }
        if card.kept.is_some_and(|since| since.elapsed() >= LIMIT) {
            self.release(card);
            return (self.tell)(Word::Disturbed(Disturbance::TimeOver));
        }
        let Some(connection) = &mut card.connection else { return self.look(card, known, false) };
        match Transport::check(connection) {
            Ok(()) if card.kept.is_some() => true,
            Ok(()) if card.drawn.is_some() && !known.is_stale(SELDOM) && !self.is_overtaken(card, known) => true,
            Ok(()) => self.look(card, known, false),
            Err(TransportError::Reset) => {
                card.was_reset();
                self.look(card, known, false)
            }
            Err(TransportError::Busy) => {
                // Whatever it does is seen when it is done.
                known.looked = None;
                self.lost(card, known)
            }
            // The service tells of cards that come and go.
            Err(_) => true,
        }
    }

    /// Another program of ours has drawn a challenge, which ended the one that waited.
    fn is_overtaken(&self, card: &Card<'_>, known: &Known) -> bool {
        let id = known.facts().and_then(|facts| facts.id.as_deref());
        let overtaken = |drawn| self.pending.as_ref().zip(id).is_some_and(|(pending, id)| pending.is_overtaken(id, drawn));
        card.drawn.as_deref().is_some_and(overtaken)
    }

    /// Another program has left the card, as it seems. Of one that is not watched that may have been a look: what else it was
    /// is seen by one look more.
    pub(super) fn left(&self, card: &mut Card<'_>, known: &mut Known) -> bool {
        match known.looked.filter(|looked| !known.watched && looked.elapsed() < ECHO) {
            Some(_) if known.echo => true,
            Some(looked) => {
                known.again = Some(looked + ECHO);
                true
            }
            None => self.look_anew(card, known),
        }
    }

    /// Looks at the card, and at whose it is.
    pub(super) fn look_anew(&self, card: &mut Card<'_>, known: &mut Known) -> bool {
        // One that is of another kind is left alone.
        if known.look == Look::Strange(CardError::Unknown) {
            return true;
        }
        (known.again, known.echo) = (None, false);
        self.look(card, known, true)
    }

    /// Looks at the card, where no other program holds it; whether somebody listens still. What it is is told before what
    /// became of the challenge.
    pub(super) fn look(&self, card: &mut Card<'_>, known: &mut Known, anew: bool) -> bool {
        if card.kept.is_some() {
            return true;
        }
        let anew = anew && card.drawn.is_none();
        let now = match card.look(known.facts(), anew) {
            Ok(look) => {
                known.looked = Some(Instant::now());
                Some(look)
            }
            // Removal is told by the service; what was known stays until then.
            Err(TransportError::Removed | TransportError::NoReader) => None,
            Err(TransportError::Busy) if known.facts().is_some() => {
                known.looked = None;
                known.again = Some(Instant::now() + self.every);
                None
            }
            Err(TransportError::Busy) => Some(Look::Held),
            Err(error) => Some(Look::Strange(error.into())),
        };
        let going_on = now.is_none_or(|now| self.seen(known, now)) && self.lost(card, known);
        self.unwatched(card, known);
        going_on
    }

    /// Tells that what the card knew of us is gone, where it is; whether somebody listens still.
    fn lost(&self, card: &mut Card<'_>, known: &Known) -> bool {
        if self.is_overtaken(card, known) {
            card.lose(Disturbance::Overtaken);
        }
        card.lost.take().is_none_or(|why| (self.tell)(Word::Disturbed(why)))
    }

    /// Tells what the card is now, where it is not what it was; whether somebody listens still.
    pub(super) fn seen(&self, known: &mut Known, now: Look) -> bool {
        if now == known.look {
            return true;
        }
        if matches!(now, Look::Card(_)) {
            known.patience = PATIENCE;
        }
        known.look = now.clone();
        (self.tell)(Word::Seen(now))
    }
}
