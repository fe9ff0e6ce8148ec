//! A YubiKey with secure channels: anything that comes in the clear or through a channel gets an answer, and there is
//! always a key that opens.
//! Input: commands, each behind its way (0 in the clear, else through the channel) and its length.
#![no_main]
use cardlab_client::channel::{Channel, SECURITY_DOMAIN, select};
use cardlab_client::transport::InProcess;
use cardlab_protocol::channel::scp::derivation::StaticKeys;
use cardlab_sim::{Card, Profile, World};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut profile = Profile::builtin("yubikey-5.7").expect("built in");
    profile.set("version", "5.7.4").expect("a setting");
    let mut card = Card::new(profile, World::seeded(1)).expect("a card");
    card.power_on();
    let known: [u8; 16] = *b"@ABCDEFGHIJKLMNO";
    let set = StaticKeys::new(&known, &known, &known).expect("keys");
    let mut rest = bytes;
    while let [way, length, after @ ..] = rest {
        let (command, after) = after.split_at(after.len().min(usize::from(*length)));
        rest = after;
        if *way == 0 {
            assert!(card.transmit(command).expect("a powered card answers").len() >= 2);
            continue;
        }
        let [cla, ins, p1, p2, data @ ..] = command else { continue };
        let mut reached = InProcess(|command: &[u8]| card.transmit(command).ok());
        select(&mut reached, &SECURITY_DOMAIN).expect("there is always a key");
        if let Ok(mut channel) = Channel::scp03(&mut reached, 0x00, &set) {
            channel.command([cla & 0x80, *ins, *p1, *p2], data).expect("an answer that is accepted");
        }
    }
});
