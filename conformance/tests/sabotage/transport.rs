//! Class, chaining, GET RESPONSE, selection, reset: what is the same for every application.

use crate::good::{Answer, GET_RESPONSE, Good, MORE, SELECT, data, goes_on, says, sw};
use crate::shell::Shell;
use cardlab_protocol::apdu::Command;
use cardlab_protocol::status::StatusWord;

fault!(class_ignored, "the class byte is not looked at", |card, command| {
    card.pass(&Command { cla: command.cla & MORE, ..*command })
});

fault!(secure_messaging_ignored, "secure messaging is taken for plain", |card, command| {
    let wrapped = command.cla & 0x0C != 0;
    card.pass(&Command { cla: if wrapped { command.cla & MORE } else { command.cla }, ..*command })
});

/// The blocks of a chain that is not at its end.
#[derive(Default)]
struct Open {
    header: [u8; 3],
    blocks: Vec<Vec<u8>>,
}

impl Open {
    const fn header(command: &Command<'_>) -> [u8; 3] {
        [command.ins, command.p1, command.p2]
    }

    /// Notes a command that the card has carried out.
    fn note(&mut self, command: &Command<'_>) {
        if self.header != Self::header(command) {
            *self = Self { header: Self::header(command), blocks: Vec::new() };
        }
        if goes_on(command) { self.blocks.push(command.data.to_vec()) } else { self.blocks.clear() }
    }

    /// Sends the blocks, as if they belonged to this command.
    fn send(&self, card: &mut Good, [ins, p1, p2]: [u8; 3]) {
        for data in &self.blocks {
            let _ = card.pass(&Command { cla: MORE, ins, p1, p2, data, le: None, extended: false });
        }
    }
}

fault!(chain_survives, "a chain goes on over another command", {
    let mut open = Open::default();
    move |card, command| {
        let answer = card.pass(command);
        if open.blocks.is_empty() || open.header == Open::header(command) {
            open.note(command);
        } else {
            open.send(card, open.header);
        }
        answer
    }
});

fault!(chain_joins_anything, "a last block joins a chain for another key", {
    let mut open = Open::default();
    move |card, command| {
        if open.header[0] == command.ins && open.header != Open::header(command) {
            open.send(card, Open::header(command));
        }
        let answer = card.pass(command);
        open.note(command);
        answer
    }
});

fault!(pending_survives, "a response waits over other commands", {
    let mut rest = Vec::new();
    move |card, command| {
        if command.ins == GET_RESPONSE && !rest.is_empty() {
            let part: Vec<u8> = rest.drain(..rest.len().min(command.le.unwrap_or(256) as usize)).collect();
            let end = if rest.is_empty() { StatusWord::OK } else { StatusWord::more_data(rest.len(), 0) };
            return Ok([part, end.to_bytes().to_vec()].concat());
        }
        let answer = card.pass(command);
        let mut more = sw(&answer);
        while more >> 8 == 0x61 {
            let next = card.pass_bytes(&[0x00, GET_RESPONSE, 0x00, 0x00, 0x00]);
            rest.extend_from_slice(data(&next));
            more = sw(&next);
        }
        answer
    }
});

fault!(get_response_repeats, "GET RESPONSE gives the first bytes twice", |card, command| {
    let mut answer = card.pass(command)?;
    if command.ins == GET_RESPONSE {
        let first = answer[..answer.len().saturating_sub(2).min(8)].to_vec();
        answer.splice(..0, first);
    }
    Ok(answer)
});

/// SELECT by name of an application that the card does not have.
fn is_unknown(command: &Command<'_>, answer: &Answer) -> bool {
    (command.ins, command.p1, sw(answer)) == (SELECT, 0x04, 0x6A82)
}

fault!(unknown_aid_deselects, "SELECT of an unknown application selects none", {
    let mut none = false;
    move |card, command| {
        if none && command.ins != SELECT {
            return says(0x6D00);
        }
        let answer = card.pass(command);
        none = is_unknown(command, &answer);
        answer
    }
});

fault!(unknown_aid_9000, "SELECT of an unknown application says 9000", |card, command| {
    let answer = card.pass(command);
    if is_unknown(command, &answer) { says(0x9000) } else { answer }
});

/// Does not hear of a reset while it has power.
struct Deaf;

impl Shell for Deaf {
    fn transmit(&mut self, card: &mut Good, command: &Command<'_>) -> Answer {
        card.pass(command)
    }

    fn reset(&mut self, card: &mut Good, cold: bool) {
        if !card.is_powered() {
            card.reset(cold);
        }
    }
}

#[test]
fn reset_keeps_status() {
    crate::shell::is_caught("a reset forgets nothing", || Box::new(Deaf));
}

fault!(nothing_to_fetch_in_other_words, "a YubiKey with nothing left to fetch says 6985", |card, command| {
    let answer = card.pass(command);
    match command.ins == GET_RESPONSE && card.profile().yubikey.is_some() && sw(&answer) == 0x6A80 {
        true => says(0x6985),
        false => answer,
    }
});
