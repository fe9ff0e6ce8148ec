//! A million random commands: the card answers each with a status word and keeps its rules.

use crate::common::{MANAGED, PROFILES, bench};
use cardlab_sim::Random;
use cardlab_sim::reference;

/// Instructions that cards know, so that random bytes get past the first check.
const KNOWN: [u8; 22] = [
    0x20, 0x22, 0x24, 0x2A, 0x2C, 0x44, 0x87, 0xA4, 0xC0, 0xCB, 0xDB, 0xE0, 0xE4, 0xE6, 0xF6, 0xF7, 0xF9, 0xFA, 0xFB, 0xFD, 0xFE,
    0xFF,
];

#[test]
fn a_million_random_commands() {
    // GENERATE (47) is left out: with authentication absent it is refused like the rest.
    for (index, profile) in PROFILES.iter().chain(&MANAGED).enumerate() {
        let mut b = bench(profile, &[]);
        let mut random = Random::from_number(2026, index as u64);
        for number in 0..200_000u32 {
            let [shape, length, ins, flavour] = random.bytes();
            let mut command = vec![0; usize::from(length % 48)];
            random.fill(&mut command);
            if shape < 224 && command.len() >= 4 {
                // Most of them are well-formed commands with known instructions.
                command[0] = if flavour < 24 {
                    flavour
                } else if flavour < 48 {
                    0x10
                } else {
                    0x00
                };
                command[1] = KNOWN[usize::from(ins) % KNOWN.len()];
                if flavour & 1 == 0 {
                    command[2] = [0x00, 0x3F, 0x04, 0xFF][usize::from(flavour >> 1 & 3)];
                    command[3] = [0x80, 0xFF, 0x00, 0x9B][usize::from(flavour >> 3 & 3)];
                }
                if command.len() > 5 {
                    command[4] = (command.len() - 5) as u8;
                }
            }
            if flavour == 77 {
                b.card.power_on();
            }
            let response = b.card.transmit(&command).unwrap_or_else(|e| panic!("{profile} {number}: {e}"));
            assert!(response.len() >= 2 && response.len() <= 65_538, "{profile} {number}");
            let sw1 = response[response.len() - 2];
            assert!(sw1 == 0x90 || (0x61..=0x6F).contains(&sw1), "{profile} {number}: SW1 {sw1:02X}");
        }
        let (pin, puk) = (reference::PIN.counter(b.card.nvm()), reference::PUK.counter(b.card.nvm()));
        assert!(pin.left <= pin.maximum && puk.left <= puk.maximum);
        let puk_tries = if b.is_gids() { 0 } else { 3 };
        assert_eq!((pin.maximum, puk.maximum), (3, puk_tries), "nobody authenticated, nothing was set");
    }
}
