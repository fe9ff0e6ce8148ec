//! CHANGE REFERENCE DATA, and the form of a new value.

use crate::good::{CHANGE, Good, PIN, UNBLOCK, is_ok, says, sw};
use cardlab_protocol::apdu::Command;

/// A value that every card takes.
const WELL_FORMED: &[u8] = b"13579246";

fault!(short_new_pin, "a new PIN may have any form", |card, command| {
    let sets = matches!(command.ins, CHANGE | UNBLOCK) && !card.is_gids();
    let Some(offer) = card.offer(command).filter(|offer| sets && offer.rest.len() == WELL_FORMED.len()) else {
        return card.pass(command);
    };
    let set = if command.ins == CHANGE { offer.secret } else { PIN };
    let answer = card.pass_data(command, &[offer.value, WELL_FORMED].concat());
    if is_ok(&answer) {
        card.set_value(set, offer.rest);
    }
    answer
});

fault!(change_verifies_nothing, "CHANGE REFERENCE DATA does not verify the PIN", |card, command| {
    let answer = card.pass(command);
    if command.ins == CHANGE && command.p2 == PIN && is_ok(&answer) {
        card.log_out();
    }
    answer
});

fault!(change_keeps_the_old, "CHANGE REFERENCE DATA sets no new value", |card, command| {
    let Some(offer) = card.offer(command).filter(|_| command.ins == CHANGE) else { return card.pass(command) };
    let answer = card.pass(command);
    if is_ok(&answer) {
        card.set_value(offer.secret, offer.value);
    }
    answer
});

fault!(blocked_is_changed, "a blocked PIN is changed, whatever the old one is said to be", |card, command| {
    let blocked = card.offer(command).filter(|offer| command.ins == CHANGE && card.left(offer.secret) == 0);
    let Some(offer) = blocked else { return card.pass(command) };
    card.set_left(offer.secret, 1);
    let answer = card.pass_right(command, &offer);
    if !is_ok(&answer) {
        card.set_left(offer.secret, 0);
    }
    answer
});

fault!(gids_new_value_without_old, "P1=01 sets a PIN without the old one", |card, command| {
    if !card.is_gids() || (command.ins, command.p1) != (CHANGE, 0x01) || card.is_verified() {
        return card.pass(command);
    }
    card.log_in();
    let answer = card.pass(command);
    card.log_out();
    answer
});

/// Whether a YubiKey is offered a new value that is too short.
fn offers_a_short_one(card: &Good, command: &Command<'_>) -> bool {
    let sets = matches!(command.ins, CHANGE | UNBLOCK) && card.profile().yubikey.is_some();
    let short = |rest: &[u8]| rest.len() == 8 && rest.iter().filter(|byte| **byte != 0xFF).count() < 6;
    sets && card.offer(command).is_some_and(|offer| short(offer.rest))
}

fault!(new_value_first, "the new value is judged before the old one is compared", |card, command| {
    match command.ins == CHANGE && offers_a_short_one(card, command) {
        true => says(0x6985),
        false => card.pass(command),
    }
});

fault!(new_pin_first_in_unblock, "RESET RETRY COUNTER judges the new PIN before it compares the PUK", |card, command| {
    match command.ins == UNBLOCK && offers_a_short_one(card, command) {
        true => says(0x6985),
        false => card.pass(command),
    }
});

fault!(refused_new_value_restores, "a right old value with a refused new one gives all tries back", |card, command| {
    let short = offers_a_short_one(card, command);
    let answer = card.pass(command);
    if short && sw(&answer) == 0x6985 {
        card.set_left(PIN, card.tries(PIN).1);
    }
    answer
});

fault!(well_known_values_taken, "a value that everybody knows is taken under complexity", |card, command| {
    let offered = card.offer(command).filter(|offer| command.ins == CHANGE && offer.rest.starts_with(b"abc123"));
    let Some(offer) = offered else { return card.pass(command) };
    let answer = card.pass(command);
    if sw(&answer) == 0x6985 {
        card.set_value(offer.secret, offer.rest);
        return says(0x9000);
    }
    answer
});

fault!(p1_of_change_as_in_iso, "a YubiKey refuses another P1 in other words", |card, command| {
    match command.ins == CHANGE && command.p1 != 0 && card.profile().yubikey.is_some() {
        true => says(0x6A86),
        false => card.pass(command),
    }
});
