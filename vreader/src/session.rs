//! What was done at a bench from one moment to another: the cards as they were, and all that happened since.

use crate::fault::Fault;
use crate::icc::VirtualCard;
use crate::pace::Pace;
use crate::rack::{Place, Rack, Whereabouts};
use crate::snapshot::Snapshot;
use crate::state::{COUNTED, tries};
use crate::touch::TouchMode;
use crate::trace::{Record, What};
use std::sync::Arc;

/// A card when the session began.
pub struct Began {
    /// Its name in the records.
    pub card: Arc<str>,
    /// Its reader's name.
    pub reader: String,
    /// Where it was.
    pub whereabouts: Whereabouts,
    /// Its memory; none for a card that is not simulated.
    pub snapshot: Option<Snapshot>,
    /// How questions for a touch were answered.
    pub touch: TouchMode,
    /// How long commands took.
    pub pace: Pace,
    /// Faults that waited.
    pub faults: Vec<Fault>,
    /// Commands that had come: those of the session have higher numbers.
    pub commands: u64,
}

/// A card when the session ended: tries of PIN, PUK, administrator key, and Global PIN.
pub struct Ended {
    /// Its name in the records.
    pub card: Arc<str>,
    /// What is left of each; none for what the card does not count.
    pub left: [Option<u8>; 4],
}

/// A session.
pub struct Session {
    /// All cards.
    pub began: Vec<Began>,
    /// What happened, in its order, also at cards that came later. What came before the beginning of its card is not part of it.
    pub records: Vec<Arc<Record>>,
    /// The same cards, as they are now.
    pub ended: Vec<Ended>,
}

impl Began {
    /// The card of a reader, as it is now; none for one that writes nothing down. Waits while the card works.
    #[must_use]
    pub fn of(rack: &Rack, place: Place) -> Option<Self> {
        let (reader, whereabouts, shared) = (rack.name(place), rack.whereabouts(place), rack.card(place));
        let card = shared.label()?.clone();
        let held = shared.lock();
        Some(Self {
            card,
            reader,
            whereabouts,
            snapshot: Snapshot::of_virtual(&held).ok(),
            touch: held.touch(),
            pace: held.pace().clone(),
            faults: held.faults().waiting().to_vec(),
            commands: held.commands(),
        })
    }

    /// Whether a record is one of this card since then.
    #[must_use]
    pub fn has(&self, record: &Record) -> bool {
        // An event has the number of the command before it.
        let least = self.commands + u64::from(matches!(record.what, What::Exchange { .. }));
        record.card == self.card && record.number >= least
    }
}

impl Ended {
    /// A card as it is now.
    #[must_use]
    pub fn of(card: &Arc<str>, held: &VirtualCard) -> Self {
        let left = COUNTED.map(|reference| held.card().and_then(|card| tries(card, reference)).map(|tries| tries.left));
        Self { card: card.clone(), left }
    }
}
