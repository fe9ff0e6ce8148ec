//! A PIV card with secure messaging: anything that is sent to it, in the clear, wrapped, or wrapped and then changed, gets
//! an answer; counters stay within their maximum.
//! Input: commands, each behind its way and its length; a way above 1 names a byte that is changed.
#![no_main]
use cardlab_client::messaging::{Host, wrapped};
use cardlab_client::transport::{InProcess, send};
use cardlab_protocol::apdu::short;
use cardlab_protocol::channel::piv::Suite;
use cardlab_sim::conditions::Interface;
use cardlab_sim::reference::PIN;
use cardlab_sim::{Card, Profile, World};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((&first, mut rest)) = bytes.split_first() else { return };
    let suite = Suite::ALL[usize::from(first & 1)];
    let mut profile = Profile::builtin("nist-piv").expect("built in");
    profile.set("sm", suite.name()).expect("a setting");
    profile.set("pairing", "65135275").expect("a setting");
    let mut card = Card::new(profile, World::seeded(1)).expect("a card");
    card.set_interface(if first & 2 == 0 { Interface::Contact } else { Interface::Contactless });
    card.power_on();
    let host = Host::with_key(suite, [1; 8], vec![0x33; suite.coordinate()].into()).expect("a key");
    let request = short([0x00, 0x87, suite.id(), 0x04], &host.request(suite).expect("a request"), Some(0));
    let (answer, _) = send(&mut InProcess(|command: &[u8]| card.transmit(command).ok()), &request).expect("an answer");
    let mut session = host.accept(suite, &answer).expect("a session").session;
    while let [way, length, after @ ..] = rest {
        let (command, after) = after.split_at(after.len().min(usize::from(*length)));
        rest = after;
        // Searching primes takes longer than a fuzzer waits.
        if command.get(1) == Some(&0x47) {
            continue;
        }
        let mut apdus = match (way, command) {
            (0, command) => vec![command.to_vec()],
            (_, [_, ins, p1, p2, data @ ..]) => {
                let header = [*ins, *p1, *p2];
                let Ok(field) = session.seal_command(header, data, way & 1 != 0) else { return };
                wrapped(header, &field)
            }
            _ => continue,
        };
        for apdu in &mut apdus {
            if *way > 1 {
                let at = usize::from(*way) % apdu.len();
                apdu[at] ^= 1 << (way % 8);
            }
            let answer = card.transmit(apdu).expect("a powered card answers");
            assert!(answer.len() >= 2);
            if let [field @ .., 0x90, 0x00] = &answer[..] {
                let _ = session.open_response(field);
            }
        }
        let counter = PIN.counter(card.nvm());
        assert!(counter.left <= counter.maximum);
    }
});
