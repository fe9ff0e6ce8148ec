//! The tries of a PIN or PUK.

use crate::good::{UNBLOCK, is_ok, says, sw};
use cardlab_sim::card::NoAnswer;

fault!(
    counter_after_comparison,
    "the try is written after the comparison: power that goes away in between gives it back",
    |card, command| {
        let Some(offer) = card.offer(command) else { return card.pass(command) };
        let before = card.left(offer.secret);
        let answer = card.pass(command);
        if answer == Err(NoAnswer::PowerLost) {
            card.set_left(offer.secret, before);
        }
        answer
    }
);

fault!(wrong_value_costs_nothing, "a wrong value costs no try", |card, command| {
    let Some(offer) = card.offer(command) else { return card.pass(command) };
    let before = card.left(offer.secret);
    let answer = card.pass(command);
    if card.left(offer.secret) < before { card.leave(offer.secret, before) } else { answer }
});

fault!(wrong_value_costs_two, "a wrong value costs two tries", |card, command| {
    let Some(offer) = card.offer(command) else { return card.pass(command) };
    let before = card.left(offer.secret);
    let answer = card.pass(command);
    if card.left(offer.secret) < before { card.leave(offer.secret, before.saturating_sub(2)) } else { answer }
});

fault!(match_restores_nothing, "a right value gives no tries back, not even its own", |card, command| {
    let Some(offer) = card.offer(command) else { return card.pass(command) };
    let before = card.left(offer.secret);
    let answer = card.pass(command);
    if is_ok(&answer) {
        card.set_left(offer.secret, before.saturating_sub(1));
    }
    answer
});

fault!(match_restores_one, "a right value gives one try back", |card, command| {
    let Some(offer) = card.offer(command) else { return card.pass(command) };
    let before = card.left(offer.secret);
    let answer = card.pass(command);
    if is_ok(&answer) {
        card.set_left(offer.secret, before);
    }
    answer
});

fault!(zero_tries_still_compared, "with no tries left the value is compared all the same", |card, command| {
    let Some(offer) = card.offer(command) else { return card.pass(command) };
    if card.left(offer.secret) > 0 {
        return card.pass(command);
    }
    card.set_left(offer.secret, 1);
    let answer = card.pass(command);
    if !is_ok(&answer) {
        card.set_left(offer.secret, 0);
    }
    answer
});

fault!(blocked_says_6982, "a blocked reference answers 6982", |card, command| {
    let blocked = card.offer(command).is_some_and(|offer| card.left(offer.secret) == 0);
    let answer = card.pass(command);
    if blocked && sw(&answer) == 0x6983 { says(0x6982) } else { answer }
});

fault!(tries_off_by_one, "63Cx names one try more than there is", |card, command| {
    let compared = card.offer(command).is_some();
    match card.pass(command) {
        answer if compared && sw(&answer) & 0xFFF0 == 0x63C0 => says(sw(&answer) + 1),
        answer => answer,
    }
});

fault!(puk_failure_not_counted, "a wrong PUK costs no try when it is to unblock", |card, command| {
    let Some(offer) = card.offer(command).filter(|_| command.ins == UNBLOCK) else { return card.pass(command) };
    let before = card.left(offer.secret);
    let answer = card.pass(command);
    if card.left(offer.secret) < before { card.leave(offer.secret, before) } else { answer }
});
