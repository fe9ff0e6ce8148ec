//! How many durable commits a command is: what a card kept on disk costs.

use crate::common::Bench;
use cardlab_sim::nvm::{Change, RecordId, Store, StoreError};
use cardlab_sim::{Card, Profile, World};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

struct Counting(Arc<AtomicUsize>);

impl Store for Counting {
    fn load(&self) -> Result<Vec<(RecordId, Vec<u8>)>, StoreError> {
        Ok(Vec::new())
    }

    fn commit(&mut self, _: &[Change]) -> Result<(), StoreError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

#[test]
fn commits_of_each_command() {
    for profile in ["gids", "nist-piv", "piv-admin", "yubikey-5.7"] {
        let commits = Arc::new(AtomicUsize::new(0));
        let store = Box::new(Counting(commits.clone()));
        let mut b = Bench { card: Card::new(Profile::builtin(profile).unwrap(), World { store, ..World::seeded(1) }).unwrap() };
        b.power_on();
        let mut of = |deed: &mut dyn FnMut(&mut Bench)| {
            commits.store(0, Ordering::Relaxed);
            deed(&mut b);
            commits.load(Ordering::Relaxed)
        };
        assert_eq!(of(&mut |b| drop(b.select())), 0, "{profile}: selection");
        assert_eq!(of(&mut |b| drop(b.sw("00200080"))), 0, "{profile}: status");
        assert_eq!(of(&mut |b| assert_eq!(b.verify("123456"), "9000")), 2, "{profile}: a right PIN, decrement and reset");
        assert_eq!(of(&mut |b| assert_ne!(b.verify("654321"), "9000")), 1, "{profile}: a wrong PIN");
        if profile == "gids" {
            let unlock = &mut |b: &mut Bench| {
                b.admin();
                assert_eq!(b.unblock_by_admin("246810"), "9000");
            };
            assert_eq!(of(unlock), 3, "decrement and reset of the key, the new PIN");
        }
    }
}
