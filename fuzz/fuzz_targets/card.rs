//! Any sequence of commands gets an answer with a status word; counters stay within their maximum.
//! Input: commands, each behind its length.
#![no_main]
use cardlab_sim::reference;
use cardlab_sim::{Card, Profile, World};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((profile, mut rest)) = bytes.split_first() else { return };
    let name = Profile::names().nth(usize::from(*profile) % Profile::names().count()).expect("in range");
    let mut card = Card::new(Profile::builtin(name).expect("built in"), World::seeded(1)).expect("a card");
    card.power_on();
    while let Some((length, after)) = rest.split_first() {
        let (command, after) = after.split_at(after.len().min(usize::from(*length)));
        rest = after;
        // Searching primes takes longer than a fuzzer waits.
        if command.get(1) == Some(&0x47) {
            continue;
        }
        let response = card.transmit(command).expect("a powered card answers");
        assert!(response.len() >= 2);
        for reference in [reference::PIN, reference::PUK, reference::ADMINISTRATION] {
            let counter = reference.counter(card.nvm());
            assert!(counter.left <= counter.maximum);
        }
    }
});
