//! VERIFY: what it says, what it remembers, which reference it means.

use crate::good::{CHANGE, Offer, PIN, PUK, VERIFY, header, is_ok, is_query, says, sw};
use cardlab_protocol::apdu::Command;

fault!(forget_does_not, "P1=FF leaves the PIN verified", |card, command| {
    let forgets = command.ins == VERIFY && command.p1 == 0xFF && command.data.is_empty();
    let kept = forgets && command.p2 == PIN && card.is_verified();
    let answer = card.pass(command);
    if kept && is_ok(&answer) {
        card.log_in();
    }
    answer
});

fault!(wrong_pin_keeps_status, "a wrong PIN leaves the status of a verified one", |card, command| {
    let compared = command.ins == VERIFY && card.offer(command).is_some();
    let kept = compared && card.is_verified();
    let answer = card.pass(command);
    if kept && !is_ok(&answer) {
        card.log_in();
    }
    answer
});

fault!(right_pin_sets_nothing, "a right PIN is not remembered", |card, command| {
    let compared = command.ins == VERIFY && card.offer(command).is_some();
    let known = compared && card.is_verified();
    let answer = card.pass(command);
    if compared && !known && is_ok(&answer) {
        card.log_out();
    }
    answer
});

fault!(query_always_9000, "VERIFY without data says 9000", |card, command| {
    let answer = card.pass(command);
    let tells_tries = matches!(sw(&answer), 0x63C0..=0x63CF | 0x6983);
    if is_query(command) && tells_tries { says(0x9000) } else { answer }
});

fault!(puk_verifies, "VERIFY takes the PUK", |card, command| {
    if (command.ins, command.p1, command.p2) != (VERIFY, 0, PUK) || card.is_gids() {
        return card.pass(command);
    }
    match card.offer(command) {
        None => card.leave(PUK, card.left(PUK)),
        // The one command of a good card that compares a PUK and changes nothing.
        Some(Offer { value, .. }) => {
            let twice = [value, value].concat();
            card.pass(&Command { data: &twice, ..header([0x00, CHANGE, 0x00, PUK]) })
        }
    }
});

fault!(p1_ignored, "VERIFY looks at no P1", |card, command| match command.ins {
    VERIFY => card.pass(&Command { p1: 0, ..*command }),
    _ => card.pass(command),
});

fault!(unknown_reference_is_pin, "every unknown reference is the PIN", |card, command| {
    let unknown = matches!(command.ins, VERIFY | CHANGE) && !matches!(command.p2, 0x00 | PIN | PUK);
    card.pass(&Command { p2: if unknown { PIN } else { command.p2 }, ..*command })
});

fault!(gids_forget_does_not, "VERIFY 82 forgets nothing", |card, command| {
    let forgets = card.is_gids() && (command.ins, command.p1, command.p2) == (VERIFY, 0x00, 0x82);
    if forgets { says(0x9000) } else { card.pass(command) }
});
