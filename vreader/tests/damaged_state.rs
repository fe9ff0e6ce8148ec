//! State directories that something else wrote into: an error that says so, or a card that works;
//! never a panic.

use cardlab_sim::nvm::{Change, RecordId, Store, StoreError};
use cardlab_sim::{Card, Profile, World};
use cardlab_vreader::StateDirectory;
use proptest::prelude::*;
use std::path::Path;

const SELECTS: [&[u8]; 2] = [
    &[0x00, 0xA4, 0x04, 0x00, 0x0B, 0xA0, 0x00, 0x00, 0x03, 0x97, 0x42, 0x54, 0x46, 0x59, 0x02, 0x01, 0x00],
    &[0x00, 0xA4, 0x04, 0x00, 0x05, 0xA0, 0x00, 0x00, 0x03, 0x08, 0x00],
];

/// Memory that a test has filled.
struct Filled(Vec<(RecordId, Vec<u8>)>);

impl Store for Filled {
    fn load(&self) -> Result<Vec<(RecordId, Vec<u8>)>, StoreError> {
        Ok(self.0.clone())
    }

    fn commit(&mut self, _: &[Change]) -> Result<(), StoreError> {
        Ok(())
    }
}

fn pristine(directory: &Path, profile: &str) -> Vec<(RecordId, Vec<u8>)> {
    let state = StateDirectory::open(directory).unwrap();
    let world = World { store: state.card(0), ..World::seeded(1) };
    drop(Card::new(Profile::builtin(profile).unwrap(), world).unwrap());
    state.card(0).load().unwrap()
}

/// Uses a card whose memory may hold anything.
fn use_card(store: Box<dyn Store>) {
    let Ok(profile) = Card::stored_profile(&*store) else { return };
    let Ok(mut card) = Card::new(profile, World { store, ..World::seeded(1) }) else { return };
    card.power_on();
    for select in SELECTS {
        let Ok(_) = card.transmit(select) else { return };
        for command in [
            &[0x00, 0x20, 0x00, 0x80][..],
            &[0x00, 0x20, 0x00, 0x80, 0x06, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36],
            &[0x00, 0x20, 0x00, 0x80, 0x08, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0xFF, 0xFF],
            &[0x00, 0xCB, 0xA0, 0x00, 0x04, 0x5C, 0x02, 0xDF, 0x1F, 0x00],
            &[0x00, 0xCB, 0x3F, 0xFF, 0x05, 0x5C, 0x03, 0x5F, 0xC1, 0x02, 0x00],
            &[0x00, 0x22, 0xC1, 0xA4, 0x03, 0x83, 0x01, 0x80],
            &[0x00, 0x87, 0x00, 0x00, 0x04, 0x7C, 0x02, 0x81, 0x00, 0x00],
            &[0x00, 0x87, 0x03, 0x9B, 0x04, 0x7C, 0x02, 0x81, 0x00, 0x00],
            &[0x00, 0xF7, 0x00, 0x9B, 0x00],
        ] {
            assert!(card.transmit(command).is_ok_and(|response| response.len() >= 2));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_damaged_file(patches in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8), length in prop::option::of(any::<prop::sample::Index>())) {
        let directory = tempfile::tempdir().unwrap();
        pristine(directory.path(), "gids");
        let file = directory.path().join("cards.redb");
        let mut bytes = std::fs::read(&file).unwrap();
        for (place, byte) in patches {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        if let Some(length) = length {
            bytes.truncate(length.index(bytes.len()));
        }
        std::fs::write(&file, bytes).unwrap();
        if let Ok(state) = StateDirectory::open(directory.path()) {
            use_card(state.card(0));
        }
    }

    #[test]
    fn damaged_records(gids in any::<bool>(), patches in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<u8>()), 1..8), cut in prop::option::of(any::<prop::sample::Index>())) {
        let directory = tempfile::tempdir().unwrap();
        let mut records = pristine(directory.path(), if gids { "gids" } else { "yubikey-5.7" });
        for (record, place, byte) in patches {
            let record = record.index(records.len());
            let value = &mut records[record].1;
            if let Some(place) = (!value.is_empty()).then(|| place.index(value.len())) {
                value[place] = byte;
                if cut.is_some_and(|cut| cut.index(2) == 0) {
                    value.truncate(place);
                }
            }
        }
        use_card(Box::new(Filled(records)));
    }
}
