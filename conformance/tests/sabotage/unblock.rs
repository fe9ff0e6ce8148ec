//! RESET RETRY COUNTER, with the PUK and after the administrator key.

use crate::good::{Good, PIN, PUK, PUT_DATA, UNBLOCK, is_ok};
use cardlab_protocol::apdu::Command;

/// RESET RETRY COUNTER after the administrator key, on a card that knows it.
fn by_administrator(card: &Good, command: &Command<'_>) -> bool {
    let managed = card.profile().piv.as_ref().is_none_or(|piv| piv.admin_unblock);
    managed && (command.cla, command.ins, command.p1) == (0x00, UNBLOCK, 0x02)
}

fault!(unblock_verifies, "RESET RETRY COUNTER verifies the PIN", |card, command| {
    let answer = card.pass(command);
    if (command.ins, command.p1) == (UNBLOCK, 0x00) && is_ok(&answer) {
        card.log_in();
    }
    answer
});

fault!(blocked_puk_unblocks, "a blocked PUK unblocks", |card, command| {
    if (command.ins, command.p1) != (UNBLOCK, 0x00) || card.is_gids() || card.left(PUK) > 0 {
        return card.pass(command);
    }
    card.set_left(PUK, 1);
    let answer = card.pass(command);
    card.set_left(PUK, 0);
    answer
});

fault!(unblock_without_key, "the administrator key of a PIV card is not asked for to unblock", |card, command| {
    if !card.is_gids() && by_administrator(card, command) {
        card.be_administrator();
    }
    card.pass(command)
});

fault!(gids_unblock_without_key, "a GIDS card unblocks without the administrator key", |card, command| {
    if card.is_gids() && by_administrator(card, command) {
        card.be_administrator();
    }
    card.pass(command)
});

fault!(unblock_keeps_authentication, "one response unblocks again and again", |card, command| {
    let answer = card.pass(command);
    if by_administrator(card, command) && is_ok(&answer) {
        card.be_administrator();
    }
    answer
});

/// A new limit of wrong PINs.
fn sets_limit(command: &Command<'_>) -> bool {
    command.ins == PUT_DATA && command.data.starts_with(&[0x7F, 0x71])
}

fault!(limit_without_key, "the limit of wrong PINs is set without the administrator key", |card, command| {
    if sets_limit(command) {
        card.be_administrator();
    }
    card.pass(command)
});

fault!(limit_gives_tries_back, "a new limit of wrong PINs gives all tries back", |card, command| {
    let answer = card.pass(command);
    if sets_limit(command) && is_ok(&answer) {
        let (_, maximum) = card.tries(PIN);
        card.set_left(PIN, maximum);
    }
    answer
});

fault!(limit_in_vain, "the limit of wrong PINs is not written, and 9000 is answered", |card, command| {
    if sets_limit(command) { card.pass_in_vain(command) } else { card.pass(command) }
});
