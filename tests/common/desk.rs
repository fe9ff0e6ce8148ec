//! One reader in a thread of the test, whose card it can pull out and put back.

use cardlab_sim::{Card, Profile, World};
use cardlab_vreader::{Place, ThreadedRack, VirtualCard};
use std::path::Path;
use std::time::Duration;

pub struct Desk {
    readers: ThreadedRack,
    place: Place,
}

/// A card of this profile and seed.
pub fn card(profile: &str, seed: u64) -> Card {
    Card::new(Profile::builtin(profile).unwrap(), World::seeded(seed)).unwrap()
}

impl Desk {
    /// One reader with this card in it.
    pub fn with(card: Card) -> Self {
        let readers = ThreadedRack::start(1, Duration::from_secs(60)).unwrap();
        let place = readers.add("Desk", VirtualCard::new(card, None));
        Self { readers, place }
    }

    pub fn socket(&self) -> &Path {
        self.readers.socket()
    }

    pub fn insert(&self) {
        self.readers.insert(self.place).unwrap();
    }

    pub fn remove(&self) {
        self.readers.remove(self.place).unwrap();
    }
}
