//! GENERAL AUTHENTICATE and GENERATE ASYMMETRIC KEY PAIR with the keys of a PIV card.

use crate::good::{AUTHENTICATE, Answer, GENERATE, Good, PUT_DATA, data, says};
use cardlab_protocol::apdu::Command;
use cardlab_protocol::tlv::{Reader, encode, find, only};
use cardlab_sim::keys::{ATTESTATION, is_slot};
use cardlab_sim::memory;
use cardlab_sim::nvm::RecordId;

/// In the record of a key.
const ALGORITHM: usize = 0;
const PIN_POLICY: usize = 2;
/// A place for a key that no test uses.
const SPARE: u8 = 0x95;

/// The record of the key that a GENERAL AUTHENTICATE uses.
fn used(card: &Good, command: &Command<'_>) -> Option<(RecordId, Vec<u8>)> {
    let record = memory::key(command.p2);
    let uses = command.ins == AUTHENTICATE && is_slot(command.p2) && !card.is_gids();
    Some((record, card.record(record).filter(|_| uses)?))
}

/// The answer while the keys of one PIN policy have another.
fn with_policy(card: &mut Good, command: &Command<'_>, concerned: fn(u8) -> bool, policy: u8) -> Answer {
    match used(card, command) {
        Some((record, mut key)) if concerned(key[PIN_POLICY]) => {
            key[PIN_POLICY] = policy;
            card.pass_with(&[(record, key)], command)
        }
        _ => card.pass(command),
    }
}

fault!(pin_always_is_once, "a key that wants the PIN each time wants it once", |card, command| {
    with_policy(card, command, |policy| policy == 3, 2)
});

fault!(pin_never_asked, "no key wants the PIN", |card, command| with_policy(card, command, |_| true, 1));

fault!(any_algorithm, "a key works under every algorithm", |card, command| match used(card, command) {
    Some((_, key)) => card.pass(&Command { p1: key[ALGORITHM], ..*command }),
    None => card.pass(command),
});

fault!(any_key_agrees, "every key agrees", |card, command| {
    let agrees = only(command.data, 0x7C).and_then(|template| find(template, 0x85)).is_some();
    match used(card, command) {
        Some((_, key)) if agrees && card.profile().yubikey.is_none() => {
            card.pass_with(&[(memory::key(SPARE), key)], &Command { p2: SPARE, ..*command })
        }
        _ => card.pass(command),
    }
});

fault!(empty_slot_9000, "an empty slot answers 9000", |card, command| {
    let concerned = command.ins == AUTHENTICATE && is_slot(command.p2) && !card.is_gids();
    if concerned && used(card, command).is_none() { says(0x9000) } else { card.pass(command) }
});

fault!(unknown_tags_ignored, "unknown tags in a template are passed over", |card, command| {
    let template = only(command.data, 0x7C).filter(|_| command.ins == AUTHENTICATE && !card.is_gids());
    let Some(template) = template else { return card.pass(command) };
    let known = Reader::new(template).map_while(Result::ok).filter(|object| matches!(object.tag, 0x80..=0x82 | 0x85));
    let kept: Vec<u8> = known.flat_map(|object| encode(object.tag, object.value)).collect();
    card.pass_data(command, &encode(0x7C, &kept))
});

fault!(same_public_key, "GENERATE answers and keeps the old key", |card, command| match command.ins {
    GENERATE => card.pass_in_vain(command),
    _ => card.pass(command),
});

fault!(rsa_of_zero_refused, "an RSA key does not answer to 0", |card, command| {
    let rsa = used(card, command).is_some_and(|(_, key)| key[ALGORITHM] == 0x07);
    let answer = card.pass(command);
    // 7C, 82 and their lengths, then zeros.
    let zeros = data(&answer).get(8..).is_some_and(|result| result.len() > 64 && result.iter().all(|byte| *byte == 0));
    if rsa && zeros { says(0x6A80) } else { answer }
});

fault!(symmetric_keys_refused, "only the administrator key is a symmetric key", |card, command| {
    let symmetric = only(command.data, 0x70).filter(|_| command.ins == PUT_DATA && card.is_gids());
    let other = symmetric
        .is_some_and(|body| find(body, 0x84) != Some(&[0x80]) && find(body, 0xA5).is_some_and(|key| find(key, 0x83).is_none()));
    if other { says(0x6984) } else { card.pass(command) }
});

fault!(attestation_key_signs, "the attestation key signs what it is given", |card, command| {
    let own = card.record(memory::key(ATTESTATION)).filter(|_| (command.ins, command.p2) == (AUTHENTICATE, ATTESTATION));
    match own {
        Some(key) => card.pass_with(&[(memory::key(SPARE), key)], &Command { p2: SPARE, ..*command }),
        None => card.pass(command),
    }
});
