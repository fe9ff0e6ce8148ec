//! Access rules and life cycle of a GIDS card's files.

use crate::good::{Answer, GENERATE, GET_DATA, Good, PUT_DATA, says};
use cardlab_protocol::apdu::Command;
use cardlab_protocol::tlv::{find, only};
use cardlab_sim::gids::files::APPLICATION;
use cardlab_sim::memory::FILES;
use cardlab_sim::nvm::RecordId;
use std::ops::Range;

const OPERATIONAL: u8 = 0x07;

/// The answer to a command about files while all of them are other ones.
fn with_files(card: &mut Good, command: &Command<'_>, change: impl Fn(&mut [u8])) -> Answer {
    if !matches!(command.ins, GET_DATA | PUT_DATA | GENERATE) {
        return card.pass(command);
    }
    let files = card.nvm().area(FILES).filter(|(id, _)| id.index() != u32::from(APPLICATION));
    let mut files: Vec<(RecordId, Vec<u8>)> = files.map(|(id, bytes)| (id, bytes.to_vec())).collect();
    files.iter_mut().for_each(|(_, bytes)| change(bytes));
    card.pass_with(&files, command)
}

/// Where a file's condition bytes stand.
fn conditions(file: &[u8]) -> Option<Range<usize>> {
    let rules = find(only(&file[1..], 0x62)?, 0x8C)?;
    let start = rules.as_ptr() as usize - file.as_ptr() as usize;
    Some(start + 1..start + rules.len())
}

/// The answer while each condition byte of each file's rules is another.
fn with_conditions(card: &mut Good, command: &Command<'_>, change: fn(u8) -> u8) -> Answer {
    with_files(card, command, |file| {
        for at in conditions(file).into_iter().flatten() {
            file[at] = change(file[at]);
        }
    })
}

fault!(access_rules_ignored, "the access rules of files are not looked at", |card, command| {
    with_conditions(card, command, |_| 0x00)
});

fault!(never_means_always, "what nobody may do everybody may", |card, command| {
    with_conditions(card, command, |condition| if condition == 0xFF { 0x00 } else { condition })
});

fault!(user_stands_for_admin, "the PIN opens the administrator's files", |card, command| {
    with_conditions(card, command, |condition| if condition >> 4 == 2 { condition | 0x30 } else { condition })
});

fault!(admin_not_asked_for_either, "only the PIN opens what either opens", |card, command| {
    with_conditions(card, command, |condition| if condition >> 4 == 3 { condition & 0x1F } else { condition })
});

fault!(inactive_files_work, "a file works before it is activated", |card, command| {
    with_files(card, command, |file| file[0] = OPERATIONAL)
});

fault!(files_without_rules_closed, "a file without rules is closed", |card, command| {
    let file = RecordId::new(FILES, u32::from(command.p1) << 8 | u32::from(command.p2));
    let open = card.record(file).is_some_and(|file| file.len() > 1 && conditions(&file).is_none());
    match open && matches!(command.ins, GET_DATA | PUT_DATA) {
        true => says(0x6982),
        false => card.pass(command),
    }
});
