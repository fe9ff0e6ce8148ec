//! Data objects of a PIV card, what it tells of its tries, and its rules for the contactless interface.

use crate::good::{GET_DATA, Good, PUT_DATA, is_ok, says, sw};
use cardlab_protocol::apdu::Command;
use cardlab_protocol::tlv::{encode, only};
use cardlab_sim::conditions::Interface;
use cardlab_sim::memory::{OBJECTS, object};
use cardlab_sim::nvm::RecordId;
use cardlab_sim::piv::objects::ATTESTATION_CERTIFICATE;

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

/// Whether the value of the data object that a GET DATA of a YubiKey asks for is there; its tag.
fn asked_of_a_yubikey(card: &Good, command: &Command<'_>) -> Option<(u32, bool)> {
    let tag = only(command.data, 0x5C).filter(|_| command.ins == GET_DATA && card.profile().yubikey.is_some())?;
    let index = tag.iter().fold(0, |tag, byte| tag << 8 | u32::from(*byte));
    Some((index, card.record(object(index)).is_some()))
}

fault!(existence_is_told, "a YubiKey tells that a protected object is absent", |card, command| {
    match (asked_of_a_yubikey(card, command), card.pass(command)) {
        (Some((_, false)), answer) if sw(&answer) == 0x6982 => says(0x6A82),
        (_, answer) => answer,
    }
});

fault!(absence_is_hidden, "a YubiKey refuses an absent object also after the PIN", |card, command| {
    match (asked_of_a_yubikey(card, command), card.pass(command)) {
        (Some((0x5F_C121, false)), answer) if sw(&answer) == 0x6A82 => says(0x6982),
        (_, answer) => answer,
    }
});

fault!(pairing_code_protected, "a YubiKey protects an object that it does not", |card, command| {
    match asked_of_a_yubikey(card, command) {
        Some((0x5F_C123, _)) if !card.is_verified() => says(0x6982),
        _ => card.pass(command),
    }
});

fault!(shorter_objects, "an object of 3,060 bytes is too long", |card, command| {
    let full = command.ins == PUT_DATA && card.profile().yubikey.is_some();
    let answer = card.pass(command);
    let long = card.nvm().area(OBJECTS).find(|(_, value)| value.len() > 3059).map(|(id, _)| id);
    match long.filter(|_| full && is_ok(&answer)) {
        Some(record) => {
            card.write(record, None);
            says(0x6A84)
        }
        None => answer,
    }
});

fault!(memory_without_end, "what does not fit is said to be written", |card, command| {
    let answer = card.pass(command);
    if command.ins == PUT_DATA && sw(&answer) == 0x6A84 { says(0x9000) } else { answer }
});

fault!(full_memory_loses, "a full card loses an object", |card, command| {
    let answer = card.pass(command);
    if command.ins == PUT_DATA && !card.is_gids() && sw(&answer) == 0x6A84 {
        let any = card.nvm().area(OBJECTS).map(|(id, _)| id).find(|id| id.index() == 0x5F_C10E);
        any.into_iter().for_each(|record| card.write(record, None));
    }
    answer
});

fault!(attestation_is_no_authority, "the attestation key's certificate is no authority's", |card, command| {
    let asked = asked_of_a_yubikey(card, command).filter(|(tag, _)| *tag == ATTESTATION_CERTIFICATE);
    let Some(mut value) = asked.and_then(|(tag, _)| card.record(object(tag))) else { return card.pass(command) };
    // 2.5.29.19 becomes 2.5.29.18.
    if let Some(at) = value.windows(3).position(|bytes| bytes == [0x55, 0x1D, 0x13]) {
        value[at + 2] = 0x12;
    }
    card.pass_with(&[(object(ATTESTATION_CERTIFICATE), value)], command)
});
