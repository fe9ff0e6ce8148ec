//! One card by one connection to the service: how it is reached, what waits in it, and what it says of itself. Looking spends
//! no try, and ends nobody's login or challenge: a card is selected anew only where nothing can wait in it any more.

use super::look::{self, connect};
use super::session::{Disturbance, Facts, Look};
use crate::minidriver::{CardError, Minidriver};
use crate::transport::{Transport, TransportError};
use cardlab_pcsclite::client::{Connection, Context};
use std::time::Instant;

pub(super) struct Card<'c> {
    context: &'c Context,
    reader: &'c str,
    pub(super) connection: Option<Connection<'c>>,
    /// The service is still busy with connecting: this connection to it is of no use any more.
    pub(super) stuck: bool,
    /// The challenge that waits in it.
    pub(super) drawn: Option<Vec<u8>>,
    /// Since when a transaction is kept.
    pub(super) kept: Option<Instant>,
    /// What it knew of us is gone, which nobody was told yet.
    pub(super) lost: Option<Disturbance>,
    /// Another program has reset it since it was looked at.
    reset: bool,
}

impl<'c> Card<'c> {
    pub(super) const fn new(context: &'c Context, reader: &'c str) -> Self {
        Self { context, reader, connection: None, stuck: false, drawn: None, kept: None, lost: None, reset: false }
    }

    /// The challenge that waited in it is gone.
    pub(super) fn lose(&mut self, why: Disturbance) {
        if self.drawn.take().is_some() {
            self.lost = Some(why);
        }
    }

    /// Another program has reset it: it has forgotten what it knew, and who had logged in.
    pub(super) fn was_reset(&mut self) {
        self.reset = true;
        self.drawn = None;
        // One that gave no challenge may do so now: it is told of that, too.
        self.lost = Some(Disturbance::Reset);
        if self.kept.take().is_some() {
            // The transaction goes with the connection.
            self.connection = None;
        }
    }

    /// A connection to the card. Services make whoever connects wait as long as another program has a transaction.
    pub(super) fn connected(&mut self) -> Result<&mut Connection<'c>, TransportError> {
        if self.connection.is_none() {
            match connect(self.context, self.reader) {
                Ok(connection) => self.connection = Some(connection),
                Err(TransportError::Silent(_)) => {
                    self.stuck = true;
                    return Err(TransportError::Busy);
                }
                Err(error) => return Err(error),
            }
        }
        self.connection.as_mut().ok_or(TransportError::NoReader)
    }

    /// One request for a transaction. A reset is noted and said: the next request is good again.
    pub(super) fn try_begin(&mut self) -> Result<(), TransportError> {
        let begun = self.connected().and_then(|connection| Ok(connection.try_begin()?));
        if begun == Err(TransportError::Reset) {
            self.was_reset();
            if let Some(connection) = &mut self.connection {
                Transport::reconnect(connection)?;
            }
        }
        begun
    }

    /// Whether no other program is connected with it. Windows does not tell how many are.
    fn is_alone(&self) -> bool {
        let readers = self.context.readers().unwrap_or_default();
        readers.iter().any(|reader| reader.name == self.reader && (0..=1).contains(&reader.sharing))
    }

    /// What it is now, where no other program holds it; `known` is what it was. `anew`: whose it is may have changed, too.
    pub(super) fn look(&mut self, known: Option<&Facts>, anew: bool) -> Result<Look, TransportError> {
        match self.try_begin() {
            Err(TransportError::Reset) => self.try_begin()?,
            begun => begun?,
        }
        let facts = match known {
            Some(known) => self.known(known, anew),
            None if self.is_alone() => self.opened(),
            // Whoever is there may have a challenge waiting in it.
            None => Minidriver::resume_or_open(self.connected()?).and_then(look::facts),
        };
        self.reset = facts == Err(CardError::Transport(TransportError::Reset));
        if let Some(connection) = &mut self.connection {
            Transport::end(connection)?;
        }
        match facts {
            Ok(facts) => Ok(Look::Card(facts)),
            Err(CardError::Transport(
                error @ (TransportError::Removed | TransportError::NoReader | TransportError::Silent(_)),
            )) => Err(error),
            // Another application is selected, or the card was disturbed; it is the one that it was.
            Err(error) => Ok(known.cloned().map_or(Look::Strange(error), Look::Card)),
        }
    }

    /// As [`Card::look`], in a transaction that has begun, before a challenge is drawn: that selects it anyway.
    pub(super) fn before_drawing(&mut self, known: &Facts) -> Result<Facts, CardError> {
        let status = Minidriver::resume_or_open(self.connected()?)?.card_pin_status()?;
        self.reset = false;
        Ok(Facts { status, ..known.clone() })
    }

    fn opened(&mut self) -> Result<Facts, CardError> {
        look::facts(Minidriver::open(self.connected()?)?)
    }

    /// A card that is known already is not selected anew while anybody may have something to lose by it: after a reset nobody
    /// has, nor where nobody else is connected.
    fn known(&mut self, known: &Facts, anew: bool) -> Result<Facts, CardError> {
        let resumed = Minidriver::resume(self.connected()?).and_then(|mut card| {
            if !anew {
                return Ok(Facts { status: card.card_pin_status()?, ..known.clone() });
            }
            let now = look::facts(card)?;
            // Which kind it is was seen better when it was selected.
            Ok(Facts { id: now.id.or_else(|| known.id.clone()), status: now.status, owner: now.owner, ..known.clone() })
        });
        match resumed {
            Err(CardError::ChallengeGone) if self.reset || self.is_alone() => {
                // Who selected something else ended the challenge.
                self.lose(Disturbance::OtherProgram);
                self.opened()
            }
            resumed => resumed,
        }
    }
}
