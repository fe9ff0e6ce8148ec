//! A state directory whose file something else wrote into: an error, or a card that works.
//! Input: patches of four bytes, three of them the place. redb zeroes up to 4 GiB for a page whose size
//! is damaged before it says so: run with `-rss_limit_mb=0`.
#![no_main]
use cardlab_sim::{Card, Profile, World};
use cardlab_vreader::StateDirectory;
use std::sync::OnceLock;

const SELECT: &[u8] = &[0x00, 0xA4, 0x04, 0x00, 0x0B, 0xA0, 0x00, 0x00, 0x03, 0x97, 0x42, 0x54, 0x46, 0x59, 0x02, 0x01, 0x00];
const VERIFY: &[u8] = &[0x00, 0x20, 0x00, 0x80, 0x06, b'1', b'2', b'3', b'4', b'5', b'6'];

fn pristine() -> &'static [u8] {
    static FILE: OnceLock<Vec<u8>> = OnceLock::new();
    FILE.get_or_init(|| {
        let directory = tempfile::tempdir().expect("a directory");
        let world = World { store: StateDirectory::open(directory.path()).expect("new").card(0), ..World::seeded(1) };
        drop(Card::new(Profile::builtin("gids").expect("built in"), world).expect("a card"));
        std::fs::read(directory.path().join("cards.redb")).expect("written")
    })
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut file = pristine().to_vec();
    for patch in bytes.chunks_exact(4) {
        let place = u32::from_be_bytes([0, patch[0], patch[1], patch[2]]) as usize % file.len();
        file[place] = patch[3];
    }
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::write(directory.path().join("cards.redb"), file).expect("space");
    let Ok(state) = StateDirectory::open(directory.path()) else { return };
    let store = state.card(0);
    let Ok(profile) = Card::stored_profile(&*store) else { return };
    let Ok(mut card) = Card::new(profile, World { store, ..World::seeded(1) }) else { return };
    card.power_on();
    for command in [SELECT, VERIFY] {
        let _ = card.transmit(command);
    }
});
