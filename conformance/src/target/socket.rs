//! Simulated cards behind pcsc-lite's socket: each test gets a new one, in a reader of its own server.

use super::pcsc::Connected;
use super::sim::Sim;
use super::{NoCard, Placed, SILENCE, Target, check_needs};
use crate::test::{Danger, Need, Wish};
use cardlab_pcsclite::client::{Context, ShareMode};
use cardlab_sim::card::Card;
use cardlab_sim::profile::ProfileError;
use cardlab_vreader::icc::VirtualCard;
use cardlab_vreader::rack::Place;
use cardlab_vreader::threaded::{StartError, ThreadedRack};
use std::time::Duration;
use thiserror::Error;

/// Why there is no socket to speak through.
#[derive(Debug, Error)]
pub enum SocketError {
    /// No such profile, or a setting of it.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// No readers.
    #[error(transparent)]
    Readers(#[from] StartError),
    /// No service at the socket.
    #[error("a socket of our own: {0}")]
    Service(String),
}

/// New cards of one profile, behind a socket.
pub struct Socket {
    sim: Sim,
    readers: ThreadedRack,
    context: Context,
    /// The one reader, once it has had a card.
    reader: Option<(Place, String)>,
}

impl Socket {
    /// As [`Sim::new`], with a reader on a socket that nobody else knows.
    ///
    /// # Errors
    /// [`SocketError`].
    pub fn new(profile: &str, seed: u64) -> Result<Self, SocketError> {
        let sim = Sim::new(profile, seed)?;
        let readers = ThreadedRack::start(seed, Duration::ZERO)?;
        let service = |e: cardlab_pcsclite::client::Error| SocketError::Service(e.to_string());
        let context = Context::establish_at(readers.socket()).map_err(service)?;
        context.set_limit(SILENCE).map_err(service)?;
        Ok(Self { sim, readers, context, reader: None })
    }

    /// Puts a card into the reader, in the place of the one before.
    fn insert(&mut self, card: Card) {
        let card = VirtualCard::new(card, None);
        match self.reader {
            Some((place, _)) => self.readers.replace(place, card),
            None => {
                let place = self.readers.add("Conformance", card);
                self.reader = Some((place, self.readers.rack().name(place)));
            }
        }
    }
}

impl Target for Socket {
    fn name(&self) -> String {
        self.sim.name()
    }

    fn place(&mut self, needs: &[Need], wish: &Wish, _: Danger) -> Result<Placed<'_>, NoCard> {
        let (card, facts) = self.sim.card(wish)?;
        check_needs(&facts, needs, true, false)?;
        self.insert(card);
        let Some((_, reader)) = &self.reader else { return Err(NoCard::NotRun("there is no reader".into())) };
        let card = self.context.connect(reader, ShareMode::Shared).map_err(|e| NoCard::NotRun(e.to_string()))?;
        Ok(Placed::new(Box::new(Connected { card, socket: self.readers.socket(), reader }), facts))
    }
}
