//! Data objects of a PIV card, what it tells of its tries, and its rules for the contactless interface.

use crate::good::{GET_DATA, Good, PUT_DATA, sw};
use cardlab_protocol::apdu::Command;
use cardlab_protocol::tlv::{encode, only};
use cardlab_sim::conditions::Interface;
use cardlab_sim::memory::object;
use cardlab_sim::nvm::RecordId;

/// The record and value of the data object that a GET DATA asks for.
fn asked(card: &Good, command: &Command<'_>) -> Option<(RecordId, Vec<u8>)> {
    let tag = only(command.data, 0x5C).filter(|_| command.ins == GET_DATA && !card.is_gids())?;
    let index = tag.iter().fold(0, |tag, byte| tag << 8 | u32::from(*byte));
    let record = object(index);
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

fault!(contactless_open, "the contactless rules are not kept", |card, command| {
    card.set_interface(Interface::Contact);
    card.pass(command)
});
