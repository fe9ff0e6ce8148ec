//! CHANGE REFERENCE DATA, and the form of a new value.

use crate::good::{CHANGE, PIN, UNBLOCK, is_ok};

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
