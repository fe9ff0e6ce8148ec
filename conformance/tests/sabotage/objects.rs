//! Data objects of a PIV card, what it tells of its tries, and its rules for the contactless interface.

use crate::good::{GET_DATA, Good, PUT_DATA, sw};
use cardlab_protocol::apdu::Command;
use cardlab_protocol::tlv::{encode, only};
use cardlab_sim::card::{Card, World};
use cardlab_sim::nvm::{Change, RecordId, Store, StoreError};
use cardlab_sim::profile::Interface;

/// Area of data objects: index = tag, contents = value of `53`.
const OBJECTS: u8 = 3;

/// The record and value of the data object that a GET DATA asks for.
fn asked(card: &Good, command: &Command<'_>) -> Option<(RecordId, Vec<u8>)> {
    let tag = only(command.data, 0x5C).filter(|_| command.ins == GET_DATA && !card.is_gids())?;
    let index = tag.iter().fold(0, |tag, byte| tag << 8 | u32::from(*byte));
    let record = RecordId::new(OBJECTS, index);
    Some((record, card.record(record)?))
}

fault!(objects_without_pin, "protected objects are read without the PIN", |card, command| {
    let object = asked(card, command);
    match (object, card.pass(command)) {
        (Some((_, value)), answer) if sw(&answer) == 0x6982 => Ok([encode(0x53, &value), vec![0x90, 0x00]].concat()),
        (_, answer) => answer,
    }
});

fault!(one_byte_short, "the last byte of an object is not answered", |card, command| match asked(card, command) {
    Some((record, mut value)) => {
        value.pop();
        card.pass_with(&[(record, value)], command)
    }
    None => card.pass(command),
});

fault!(object_is_not_written, "PUT DATA says 9000 and writes nothing", |card, command| match command.ins {
    PUT_DATA if !card.is_gids() => card.pass_in_vain(command),
    _ => card.pass(command),
});

fault!(status_tells_one_more, "7F71 tells one try more", |card, command| {
    let tells = command.ins == GET_DATA && only(command.data, 0x5C).is_some_and(|tag| matches!(tag, [0x7F, 0x71..=0x73]));
    let mut answer = card.pass(command);
    if let (true, Ok([_, _, _, 0x97, 0x01, left, ..])) = (tells, answer.as_deref_mut()) {
        *left += 1;
    }
    answer
});

/// Memory that was filled elsewhere.
struct Copied(Vec<(RecordId, Vec<u8>)>);

impl Store for Copied {
    fn load(&self) -> Result<Vec<(RecordId, Vec<u8>)>, StoreError> {
        Ok(self.0.clone())
    }

    fn commit(&mut self, _: &[Change]) -> Result<(), StoreError> {
        Ok(())
    }
}

fault!(contactless_open, "the contactless rules are not kept", |card, command| {
    let mut profile = card.profile().clone();
    if profile.chosen.interface == Interface::Contactless {
        // The same card once more, which takes itself for one with contacts.
        profile.chosen.interface = Interface::Contact;
        let memory = Copied(card.nvm().records().map(|(id, bytes)| (id, bytes.to_vec())).collect());
        card.replace(Card::new(profile, World { store: Box::new(memory), ..World::seeded(1) }).unwrap());
    }
    card.pass(command)
});
