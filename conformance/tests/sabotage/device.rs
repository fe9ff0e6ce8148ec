//! The device configuration of a YubiKey.

use crate::good::{Good, sw};
use cardlab_protocol::apdu::Command;
use cardlab_sim::memory::{DEVICE, DEVICE_LOCK};

const WRITE_CONFIG: u8 = 0x1C;

fn configures(card: &Good, command: &Command<'_>) -> bool {
    command.ins == WRITE_CONFIG && !card.is_gids()
}

fault!(switched_off_is_there, "an application that is switched off is selected", |card, command| {
    let configuration = card.record(DEVICE).filter(|_| command.ins == 0xA4);
    match configuration {
        Some(mut on) => {
            on[..2].fill(0xFF);
            card.pass_with(&[(DEVICE, on)], command)
        }
        None => card.pass(command),
    }
});

fault!(switched_off_for_good, "what was switched off stays off", |card, command| {
    let before = card.record(DEVICE);
    let answer = card.pass(command);
    if let (true, Some(before)) = (configures(card, command), before) {
        card.write(DEVICE, Some(&before));
    }
    answer
});

fault!(any_lock_code_unlocks, "a wrong lock code opens the configuration", |card, command| {
    let code = card.record(DEVICE_LOCK).filter(|_| configures(card, command));
    let at = command.data.windows(2).position(|window| window == [0x0B, 0x10]);
    match (code, at) {
        (Some(code), Some(at)) => {
            let mut data = command.data.to_vec();
            data[at + 2..at + 18].copy_from_slice(&code);
            card.pass_data(command, &data)
        }
        _ => card.pass(command),
    }
});

fault!(no_lock_code_needed, "a locked configuration is changed without its code", |card, command| {
    let code = card.record(DEVICE_LOCK).filter(|_| configures(card, command));
    let answer = card.pass(command);
    if code.is_none() || sw(&answer) != 0x6982 {
        return answer;
    }
    card.write(DEVICE_LOCK, None);
    let answer = card.pass(command);
    card.write(DEVICE_LOCK, code.as_deref());
    answer
});

fault!(a_part_is_written, "of a configuration that is refused the first tag is kept", |card, command| {
    let answer = card.pass(command);
    if configures(card, command) && sw(&answer) == 0x6A80 && command.data.get(1..4) == Some(&[0x07, 0x01, 0x05]) {
        card.pass_data(command, &[0x03, 0x07, 0x01, 0x05])?;
    }
    answer
});
