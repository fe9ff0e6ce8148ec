//! A reader that another machine has as a USB device, beside the programs here.
//!
//! To the programs here such a guest is one more program, which shares the card: it waits while a transaction holds the
//! reader, and whoever resets the card is told to all others. A card that a guest has powered is not powered off
//! because nobody here uses it.

use super::{Decision, ReaderId, Resource, SlotCard};
use cardlab_pcsclite::code::protocol;
use cardlab_sim::atr::Protocol;

impl Resource {
    /// The guest powers the card: a reset, cold unless `warm`, which programs here are told. The ATR, where there is one.
    pub fn power_for_guest(&mut self, id: ReaderId, warm: bool, card: &mut SlotCard) -> Option<Vec<u8>> {
        if self.reader(id)?.failing {
            return None;
        }
        self.reset_card(id, !warm, card);
        let reader = self.reader_mut(id)?;
        reader.guest = reader.is_powered();
        reader.atr().filter(|_| reader.guest)
    }

    /// The guest takes the power away, or has gone. A card that programs here use keeps it.
    pub fn let_go_of_guest(&mut self, id: ReaderId, card: &mut SlotCard) {
        if let Some(reader) = self.reader_mut(id).filter(|reader| reader.guest) {
            reader.guest = false;
            if reader.handles.is_empty() {
                reader.power_off(card);
                reader.resting = true;
            }
        }
    }

    /// The guest chooses a protocol.
    pub fn set_protocol_of_guest(&mut self, id: ReaderId, chosen: Protocol, card: &mut SlotCard) {
        if let (Some(reader), Some(icc)) = (self.reader_mut(id).filter(|reader| reader.guest), card) {
            icc.set_protocol(chosen);
            reader.protocol = match chosen {
                Protocol::T0 => protocol::T0,
                Protocol::T1 => protocol::T1,
            };
        }
    }

    /// Whether the guest may send a command now; `false` when the card has not the power that the guest gave it.
    #[must_use]
    pub fn guest_may_transmit(&self, id: ReaderId) -> Decision<bool> {
        match self.reader(id) {
            Some(reader) if reader.guest && !reader.failing && reader.lock.is_some() => Decision::Wait,
            Some(reader) => Decision::Answer(reader.guest && !reader.failing),
            None => Decision::Answer(false),
        }
    }

    /// Whether the card still has the power that the guest gave it.
    #[must_use]
    pub fn is_powered_by_guest(&self, id: ReaderId) -> bool {
        self.reader(id).is_some_and(|reader| reader.guest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::icc::VirtualCard;
    use cardlab_sim::card::World;
    use cardlab_sim::{Card, Profile, Random};

    #[test]
    fn a_card_that_a_guest_has_powered_is_not_idle() {
        let card = Card::new(Profile::builtin("nist-piv").unwrap(), World::seeded(1)).unwrap();
        let mut slot: SlotCard = Some(Box::new(VirtualCard::new(card, None)));
        let mut resource = Resource::new(Random::from_number(1, 1));
        let id = resource.add_reader("One");
        resource.insert_card(id, &mut slot);
        assert!(resource.power_for_guest(id, false, &mut slot).is_some());
        resource.rest(id, resource.uses(id), &mut slot);
        assert!(resource.is_powered_by_guest(id) && slot.as_mut().unwrap().transmit(&[0, 0x20, 0, 0x80]).is_ok());
        resource.let_go_of_guest(id, &mut slot);
        assert!(!resource.is_powered_by_guest(id) && slot.as_mut().unwrap().transmit(&[0, 0x20, 0, 0x80]).is_err());
        // A reader that does not work gives nothing, and takes nothing.
        resource.set_failing(id, true);
        assert!(resource.power_for_guest(id, false, &mut slot).is_none());
        assert_eq!(resource.guest_may_transmit(id), Decision::Answer(false));
    }
}
