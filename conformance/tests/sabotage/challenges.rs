//! How long a challenge lives, and what passes for its response.

use crate::good::{Answer, Good, SELECT, is_ok, part};
use cardlab_protocol::apdu::Command;
use cardlab_protocol::tlv::{encode, find};

/// The right response to the challenge that was shown last takes the place of one that `judge` lets pass.
fn judged(judge: fn(given: &[u8], right: &[u8]) -> bool) -> impl FnMut(&mut Good, &Command<'_>) -> Answer {
    let mut shown = Vec::new();
    move |card, command| {
        if let Some(given) = card.answers(command) {
            let right = card.response(&std::mem::take(&mut shown));
            if given.len() == right.len() && judge(given, &right) {
                return card.pass_response(command, &right);
            }
        }
        let answer = card.pass(command);
        if card.asks(command) {
            shown = part(&answer, 0x81);
        }
        answer
    }
}

fault!(any_response_matches, "every response is right", judged(|_, _| true));

fault!(
    half_response_matches,
    "the first half of a response is enough",
    judged(|given, right| given[..right.len() / 2] == right[..right.len() / 2])
);

fault!(same_challenge, "every challenge is the same", {
    let mut drawn = Vec::new();
    move |card, command| {
        let same = vec![0; drawn.len()];
        if !drawn.is_empty() && card.answers(command) == Some(&card.response(&same)) {
            return card.pass_response(command, &card.response(&drawn));
        }
        let answer = card.pass(command);
        if !card.asks(command) || !is_ok(&answer) {
            return answer;
        }
        drawn = part(&answer, 0x81);
        let mut shown = answer?;
        let end = shown.len() - 2;
        shown[end - drawn.len()..end].fill(0);
        Ok(shown)
    }
});

fault!(challenge_not_cleared, "a challenge stays after its response", {
    let (mut shown, mut answered) = (Vec::new(), false);
    move |card, command| {
        if command.ins == SELECT {
            (shown, answered) = (Vec::new(), false);
        }
        if let Some(given) = card.answers(command) {
            if answered && !shown.is_empty() && given == card.response(&shown) {
                let fresh = card.challenge();
                return card.pass_response(command, &card.response(&fresh));
            }
            answered = true;
        }
        let answer = card.pass(command);
        if card.asks(command) {
            (shown, answered) = (part(&answer, 0x81), false);
        }
        answer
    }
});

fault!(challenge_passes_as_witness, "a challenge that was given in the clear passes as a witness", {
    let mut shown = Vec::new();
    move |card, command| {
        let template = card.template(command).filter(|_| !card.is_gids()).unwrap_or_default();
        if let (Some(witness), Some(mine)) = (find(template, 0x80), find(template, 0x81))
            && !witness.is_empty()
            && witness == std::mem::take(&mut shown)
        {
            let hidden = card.pass_data(command, &[0x7C, 0x02, 0x80, 0x00]);
            let real = card.key().decrypt(&part(&hidden, 0x80)).unwrap();
            return card.pass_data(command, &encode(0x7C, &[encode(0x80, &real), encode(0x81, mine)].concat()));
        }
        let answer = card.pass(command);
        if card.asks(command) {
            shown = part(&answer, 0x81);
        }
        answer
    }
});
