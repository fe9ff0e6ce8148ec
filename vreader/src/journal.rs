//! What came in at a card, and how to take it back.
//!
//! The newest records are kept, and for each command what it replaced in the card's memory. Undoing a
//! command brings that back; what a card keeps in RAM only - verified PINs, a pending challenge - is gone, as
//! after pulling the card.

use crate::trace::{Record, What};
use cardlab_sim::nvm::Change;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Records of one card that are kept.
pub const RECORDS: usize = 10_000;
/// Bytes that the journals of all cards of a process keep together. Beyond that a card keeps no more than its
/// newest [`LEAST`] records.
pub const BUDGET: usize = 64 * 1024 * 1024;
/// Records that a card keeps in any case.
pub const LEAST: usize = 100;

/// Bytes that all journals of the process keep, about.
static KEPT: AtomicUsize = AtomicUsize::new(0);

/// Something that came in.
struct Entry {
    record: Arc<Record>,
    /// What a command replaced in the card's memory, as long as it can be taken back.
    replaced: Option<Vec<Change>>,
    size: usize,
}

/// The newest records of a card.
#[derive(Default)]
pub struct Journal {
    entries: VecDeque<Entry>,
    /// Entries that can be taken back.
    undoable: usize,
}

impl Journal {
    /// Keeps a record; `replaced` is what a command replaced in the card's memory, `None` where that is not known.
    pub(crate) fn keep(&mut self, record: Arc<Record>, replaced: Option<Vec<Change>>) {
        let data = match &record.what {
            What::Exchange { command, response, inside, .. } => {
                let inside = inside.as_ref().map_or(0, |inside| inside.command.len() + inside.response.len());
                command.len() + response.as_ref().map_or(0, |r| r.len()) + inside
            }
            What::Event { text, atr } => text.len() + atr.len(),
        };
        let old = |(_, old): &Change| size_of::<Change>() + old.as_ref().map_or(0, |old| old.len());
        let changed: usize = replaced.iter().flatten().map(old).sum();
        let size = size_of::<Entry>() + size_of::<Record>() + data + changed;
        self.undoable += usize::from(replaced.is_some());
        self.entries.push_back(Entry { record, replaced, size });
        let mut kept = KEPT.fetch_add(size, Ordering::Relaxed) + size;
        while self.entries.len() > RECORDS || (kept > BUDGET && self.entries.len() > LEAST) {
            let Some(oldest) = self.entries.pop_front() else { break };
            self.undoable -= usize::from(oldest.replaced.is_some());
            KEPT.fetch_sub(oldest.size, Ordering::Relaxed);
            kept = kept.saturating_sub(oldest.size);
        }
    }

    /// The records after exchange number `after`, oldest first.
    pub fn after(&self, after: u64) -> impl Iterator<Item = &Arc<Record>> {
        self.entries.iter().map(|entry| &entry.record).filter(move |record| record.number > after)
    }

    /// All records, newest first.
    pub fn newest(&self) -> impl Iterator<Item = &Arc<Record>> {
        self.entries.iter().rev().map(|entry| &entry.record)
    }

    /// How many commands can be taken back.
    #[must_use]
    pub const fn undoable(&self) -> usize {
        self.undoable
    }

    /// What the last `count` commands replaced, the newest first; `None` when fewer can be taken back. Commands
    /// that were taken back before do not count.
    pub(crate) fn take_back(&mut self, count: usize) -> Option<Vec<Change>> {
        self.undoable = self.undoable.checked_sub(count)?;
        let taken = self.entries.iter_mut().rev().filter_map(|entry| entry.replaced.take()).take(count);
        Some(taken.flatten().collect())
    }

    /// Nothing can be taken back any more: the memory was set from outside.
    pub(crate) fn forget(&mut self) {
        self.undoable = 0;
        self.entries.iter_mut().for_each(|entry| entry.replaced = None);
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        KEPT.fetch_sub(self.entries.iter().map(|entry| entry.size).sum(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::{Ticks, Trace};
    use cardlab_sim::nvm::RecordId;
    use zeroize::Zeroizing;

    #[test]
    fn the_newest_are_kept_and_taken_back_once() {
        let mut recorder = Trace::new(Ticks::Count).of("c");
        let mut journal = Journal::default();
        for n in 0..RECORDS + 5 {
            let change = (RecordId(n as u32), Some(Zeroizing::new(vec![1])));
            journal.keep(recorder.exchange(&[0, 0x20, 0, 0x80], Some(&[0x90, 0]), None), Some(vec![change]));
            if n % 2 == 0 {
                journal.keep(recorder.event("reset", &[]), None);
            }
        }
        assert_eq!(journal.after(0).count(), RECORDS);
        let undoable = journal.undoable();
        let ids = |changes: Option<Vec<Change>>| changes.map(|c| c.iter().map(|(id, _)| id.0).collect::<Vec<_>>());
        let last = RECORDS as u32 + 4;
        assert_eq!(ids(journal.take_back(2)), Some(vec![last, last - 1]));
        assert_eq!(ids(journal.take_back(1)), Some(vec![last - 2]));
        assert_eq!(journal.undoable(), undoable - 3);
        assert_eq!(journal.take_back(undoable), None);
        journal.forget();
        assert_eq!((journal.undoable(), ids(journal.take_back(1))), (0, None));
    }
}
