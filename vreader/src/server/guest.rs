//! What a machine does that has a reader as a USB device: as a program's connection, but for one reader and without handles.

use super::Server;
use crate::icc::Loss;
use crate::placement;
use crate::resource::{Decision, ReaderId};
use cardlab_sim::atr::Protocol;
use std::sync::Arc;

impl Server {
    /// Powers the card, or resets it; its ATR, or nothing. Waits for a command that is under way.
    pub(crate) async fn power_for_guest(&self, id: ReaderId, warm: bool) -> Option<Vec<u8>> {
        let slot = self.shared.slot(id)?;
        let mut card = slot.card.lock().await;
        let atr = self.shared.resource().power_for_guest(id, warm, &mut card);
        drop(card);
        self.shared.wake();
        atr
    }

    /// Takes the power away, unless programs here use the card.
    pub(crate) async fn let_go_of_guest(&self, id: ReaderId) {
        if let Some(slot) = self.shared.slot(id) {
            let mut card = slot.card.lock().await;
            self.shared.resource().let_go_of_guest(id, &mut card);
        }
    }

    /// Chooses the protocol.
    pub(crate) async fn set_protocol_of_guest(&self, id: ReaderId, chosen: Protocol) {
        if let Some(slot) = self.shared.slot(id) {
            let mut card = slot.card.lock().await;
            self.shared.resource().set_protocol_of_guest(id, chosen, &mut card);
        }
    }

    /// Whether the card still has the power that the guest gave it.
    pub(crate) fn is_powered_by_guest(&self, id: ReaderId) -> bool {
        self.shared.resource().is_powered_by_guest(id)
    }

    /// Sends a command to the card, after transactions of programs here.
    ///
    /// # Errors
    /// [`Loss`]: what there is no longer.
    pub(crate) async fn transmit_for_guest(&self, id: ReaderId, command: &[u8]) -> Result<Vec<u8>, Loss> {
        let slot = self.shared.slot(id).ok_or(Loss::Reader)?;
        let card = loop {
            // Listening begins before the question, so that no end of a transaction is missed.
            let freed = slot.freed.notified();
            tokio::pin!(freed);
            freed.as_mut().enable();
            let card = Arc::clone(&slot.card).lock_owned().await;
            let decision = self.shared.resource().guest_may_transmit(id);
            match decision {
                Decision::Answer(true) => break card,
                Decision::Answer(false) | Decision::Close => return Err(Loss::Power),
                Decision::Wait => drop(card),
            }
            freed.await;
        };
        // Held until the state machine knows how it went.
        let (_card, response) = placement::transmit(card, command).await;
        let resource = self.shared.resource();
        if !resource.is_powered_by_guest(id) {
            // Pulled out while it worked: what it answers comes too late.
            return Err(Loss::Card);
        }
        let response = response.unwrap_or(Err(Loss::Power));
        if let Err(loss) = response {
            self.shared.lost(resource, id, loss);
            self.shared.wake();
        }
        response
    }
}
