//! No card at all: tests that bring their own cards, server and lock screen with them.

use super::{NoCard, Placed, Slot, Target};
use crate::bench::{Facts, Objects};
use crate::credentials::Credentials;
use crate::test::{Danger, Need, Wish};
use cardlab_client::recognise::Edge;
use cardlab_client::transport::TransportError;

/// The whole unlock, in a world of its own for each test.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unlock;

struct NoSlot;

impl Slot for NoSlot {
    fn transmit(&mut self, _: &[u8]) -> Result<Vec<u8>, TransportError> {
        Err(TransportError::Removed)
    }

    fn reset(&mut self, _: bool) -> Result<(), TransportError> {
        Err(TransportError::Removed)
    }
}

impl Target for Unlock {
    fn name(&self) -> String {
        "unlock".into()
    }

    fn place(&mut self, needs: &[Need], _: &Wish, _: Danger) -> Result<Placed<'_>, NoCard> {
        if !needs.contains(&Need::Server) {
            return Err(NoCard::NotApplicable("for cards, not for the unlock system (card)".into()));
        }
        let facts = Facts {
            name: self.name(),
            edge: Edge::Gids { initialised: true },
            serial: String::new(),
            credentials: Credentials::default(),
            keys: Vec::new(),
            new: true,
            extended_length: false,
            pin_tries: None,
            objects: Objects::new(),
        };
        Ok(Placed { slot: Box::new(NoSlot), facts })
    }
}
