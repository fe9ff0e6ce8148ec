//! What a run has changed on a card that is somebody's: what is as it was before, and what is not.

use crate::place::Place;
use crate::report::Stays;
use std::collections::{BTreeMap, BTreeSet};

/// Of one card in one run.
#[derive(Debug, Default)]
pub struct Changes {
    back: BTreeSet<String>,
    stays: BTreeMap<String, String>,
    keys: BTreeSet<u8>,
}

impl Changes {
    /// This was changed, and is as it was.
    pub fn back(&mut self, what: impl ToString) {
        let what = what.to_string();
        if !self.stays.contains_key(&what) {
            self.back.insert(what);
        }
    }

    /// This is not as it was, and why.
    pub fn stays(&mut self, what: impl ToString, why: impl Into<String>) {
        let what = what.to_string();
        self.back.remove(&what);
        self.stays.insert(what, why.into());
    }

    /// A key was made or imported, and nothing brings back what was there.
    pub fn key(&mut self, reference: u8, why: impl Into<String>) {
        self.keys.insert(reference);
        self.stays(Place::Key(reference), why);
    }

    /// Whether the key is not the one that was found.
    #[must_use]
    pub fn has_key(&self, reference: u8) -> bool {
        self.keys.contains(&reference)
    }

    /// What was changed and is as it was.
    #[must_use]
    pub fn put_back(&self) -> Vec<String> {
        self.back.iter().cloned().collect()
    }

    /// What is not as it was.
    #[must_use]
    pub fn staying(&self) -> Vec<Stays> {
        self.stays.iter().map(|(what, why)| Stays { what: what.clone(), why: why.clone() }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stays_is_not_called_put_back() {
        let mut changes = Changes::default();
        changes.back(Place::Object(0x5FC105));
        changes.back("the PIN");
        changes.stays(Place::Object(0x5FC105), "it is empty");
        changes.back(Place::Object(0x5FC105));
        changes.key(0x9A, "made anew");
        assert_eq!(changes.put_back(), ["the PIN"]);
        let staying = changes.staying();
        let staying: Vec<(&str, &str)> = staying.iter().map(|left| (left.what.as_str(), left.why.as_str())).collect();
        assert_eq!(staying, [("object 5FC105", "it is empty"), ("the key in 9A", "made anew")]);
        assert!(changes.has_key(0x9A) && !changes.has_key(0x9C));
    }
}
