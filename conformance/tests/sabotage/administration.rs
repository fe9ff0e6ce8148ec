//! The administrator key: its tries, its responses, what it opens.

use crate::good::{ADMINISTRATION, SELECT, is_ok};

fault!(response_costs_nothing, "a wrong response costs no try", |card, command| {
    let before = card.left(ADMINISTRATION);
    let answer = card.pass(command);
    if card.left(ADMINISTRATION) < before { card.leave(ADMINISTRATION, before) } else { answer }
});

fault!(blocked_key_answers, "a blocked administrator key gives challenges", |card, command| {
    let (left, maximum) = card.tries(ADMINISTRATION);
    if !card.asks(command) || left > 0 || maximum == 0 {
        return card.pass(command);
    }
    card.set_left(ADMINISTRATION, 1);
    let answer = card.pass(command);
    card.set_left(ADMINISTRATION, 0);
    answer
});

fault!(admin_not_asked, "nothing on a PIV card wants the administrator key", |card, command| {
    let answer = card.pass(command);
    if (command.ins, command.p1) == (SELECT, 0x04) && is_ok(&answer) && !card.is_gids() {
        card.be_administrator();
    }
    answer
});

fault!(wrong_response_keeps_authentication, "a wrong response leaves an authentication that was there", {
    let mut authenticated = false;
    move |card, command| {
        let response = card.answers(command).is_some();
        let answer = card.pass(command);
        if command.ins == SELECT {
            authenticated = false;
        } else if response && is_ok(&answer) {
            authenticated = true;
        } else if response && authenticated {
            card.be_administrator();
        }
        answer
    }
});

fault!(gids_key_not_named, "GENERAL AUTHENTICATE works without MSE", |card, command| {
    if card.is_gids() && card.asks(command) {
        card.name_key();
    }
    card.pass(command)
});
