//! GIDS commands after selection and both authentications. Input: a byte that chooses the card's state,
//! then commands, each behind its length; the class byte is left out.
#![no_main]
use cardlab_sim::reference;
use cardlab_sim::{Card, Profile, World};

const SELECT: &[u8] = &[0x00, 0xA4, 0x04, 0x00, 0x0B, 0xA0, 0x00, 0x00, 0x03, 0x97, 0x42, 0x54, 0x46, 0x59, 0x02, 0x01, 0x00];
const VERIFY: &[u8] = &[0x00, 0x20, 0x00, 0x80, 0x06, b'1', b'2', b'3', b'4', b'5', b'6'];

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((state, mut rest)) = bytes.split_first() else { return };
    let name = if state & 1 == 0 { "gids" } else { "gids-blank" };
    let mut card = Card::new(Profile::builtin(name).expect("built in"), World::seeded(1)).expect("a card");
    card.power_on();
    card.transmit(SELECT).expect("answers");
    if state & 2 == 0 {
        card.transmit(VERIFY).expect("answers");
    }
    while let Some((length, after)) = rest.split_first() {
        let (command, after) = after.split_at(after.len().min(usize::from(*length)));
        rest = after;
        // Searching primes takes longer than a fuzzer waits.
        if command.first() == Some(&0x47) {
            continue;
        }
        let response = card.transmit(&[&[0x00], command].concat()).expect("a powered card answers");
        assert!(response.len() >= 2);
        for reference in [reference::PIN, reference::ADMINISTRATION] {
            let counter = reference.counter(card.nvm());
            assert!(counter.left <= counter.maximum);
        }
    }
    // What was written is a card again after a power cut.
    card.power_off();
    card.power_on();
    card.transmit(SELECT).expect("answers");
});
