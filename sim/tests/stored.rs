//! A card that a store holds already: opened as it was left, or refused with the reason.

use crate::common::Bench;
use cardlab_sim::memory::HEADER;
use cardlab_sim::nvm::{Change, RecordId, Store, StoreError};
use cardlab_sim::{Card, CardError, Profile, World};

type Records = Vec<(RecordId, Vec<u8>)>;

struct Holding(Records);

impl Store for Holding {
    fn load(&self) -> Result<Records, StoreError> {
        Ok(self.0.clone())
    }

    fn commit(&mut self, _: &[Change]) -> Result<(), StoreError> {
        Ok(())
    }
}

fn records(card: &Card) -> Records {
    card.nvm().records().iter().map(|(id, bytes)| (*id, bytes.to_vec())).collect()
}

/// What a card with a wrong PIN behind it leaves.
fn left_by(profile: &str) -> Records {
    let mut b = Bench { card: Card::new(Profile::builtin(profile).unwrap(), World::seeded(1)).unwrap() };
    b.power_on();
    b.select();
    assert_eq!(b.verify("654321"), "63C2");
    records(&b.card)
}

/// The store that has these records is given to a card of this profile, with another seed.
fn open(profile: &str, records: Records) -> Result<Card, CardError> {
    Card::new(Profile::builtin(profile).unwrap(), World { store: Box::new(Holding(records)), ..World::seeded(2) })
}

#[test]
fn a_stored_card_is_opened_as_it_was_left() {
    for profile in ["nist-piv", "gids", "yubikey-5.7"] {
        let left = left_by(profile);
        assert_eq!(records(&open(profile, left.clone()).unwrap()), left, "{profile}");
        let mut b = Bench { card: open(profile, left).unwrap() };
        b.power_on();
        b.select();
        assert_eq!(b.sw("00200080"), "63C2", "{profile}");
    }
}

#[test]
fn a_card_of_another_profile_is_refused() {
    let refused = open("piv-admin", left_by("nist-piv")).err();
    assert_eq!(refused, Some(CardError::OtherProfile { stored: "nist-piv".into(), wanted: "piv-admin".into() }));
}

#[test]
fn records_of_another_format_are_refused() {
    let mut newer = left_by("nist-piv");
    newer.iter_mut().find(|(id, _)| *id == HEADER).unwrap().1[0] = 2;
    assert_eq!(open("nist-piv", newer).err(), Some(CardError::Format(2)));
    let mut headless = left_by("nist-piv");
    headless.retain(|(id, _)| *id != HEADER);
    assert!(matches!(open("nist-piv", headless), Err(CardError::Store(_))));
}

#[test]
fn a_store_tells_which_profile_its_card_has() {
    let stored = |records: Records| Card::stored_profile(&Holding(records)).map(|profile| profile.name);
    assert_eq!(stored(left_by("gids")), Ok("gids".into()));
    assert!(matches!(stored(Vec::new()), Err(CardError::Store(_))));
}
