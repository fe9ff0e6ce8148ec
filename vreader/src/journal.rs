//! What came in at a card, and how to take it back.
//!
//! The newest records are kept, and for each command what it replaced in the card's memory. Undoing a
//! command brings that back; what a card keeps in RAM only - verified PINs, a pending challenge - is gone, as
//! after pulling the card.
//!
//! What came in is read beside the card, not through it: a card that works, or waits for a touch, keeps nobody waiting
//! who only wants to see what it did before.

use crate::trace::{Record, What};
use cardlab_sim::nvm::Change;
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Records of one card that are kept.
pub const RECORDS: usize = 10_000;
/// Bytes that the journals of all cards of a process keep together. Beyond that a card keeps no more than its
/// newest [`LEAST`] records.
pub const BUDGET: usize = 64 * 1024 * 1024;
/// Records that a card keeps in any case.
pub const LEAST: usize = 100;
/// Records that are read at a time: for so long the card cannot write down the next.
const PIECE: usize = 256;

/// Bytes that all journals of the process keep, about.
static KEPT: AtomicUsize = AtomicUsize::new(0);

/// Something that came in.
struct Entry {
    record: Arc<Record>,
    /// What a command replaced in the card's memory, as long as it can be taken back.
    replaced: Option<Vec<Change>>,
    size: usize,
}

/// What a journal holds.
#[derive(Default)]
struct Kept {
    entries: VecDeque<Entry>,
    /// Entries before the first of these, which are kept no longer.
    dropped: usize,
    /// Entries that can be taken back.
    undoable: usize,
}

/// The newest records of a card. Cheap to clone: a clone is the same journal.
#[derive(Clone, Default)]
pub struct Journal(Arc<Mutex<Kept>>);

impl Journal {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a record; `replaced` is what a command replaced in the card's memory, `None` where that is not known.
    pub(crate) fn keep(&self, record: Arc<Record>, replaced: Option<Vec<Change>>) {
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
        let mut held = self.kept();
        held.undoable += usize::from(replaced.is_some());
        held.entries.push_back(Entry { record, replaced, size });
        let mut kept = KEPT.fetch_add(size, Ordering::Relaxed) + size;
        while held.entries.len() > RECORDS || (kept > BUDGET && held.entries.len() > LEAST) {
            let Some(oldest) = held.entries.pop_front() else { break };
            held.dropped += 1;
            held.undoable -= usize::from(oldest.replaced.is_some());
            KEPT.fetch_sub(oldest.size, Ordering::Relaxed);
            kept = kept.saturating_sub(oldest.size);
        }
    }

    /// The records after exchange number `after` that are there now, oldest first.
    pub fn after(&self, after: u64) -> impl Iterator<Item = Arc<Record>> + use<> {
        let (mut next, end) = {
            let kept = self.kept();
            // Numbers never go back.
            let first = kept.entries.partition_point(|entry| entry.record.number <= after);
            (kept.dropped + first, kept.dropped + kept.entries.len())
        };
        let journal = self.clone();
        pieces(move || {
            let piece = journal.piece(next, end.min(next + PIECE));
            next = (next + PIECE).min(end);
            (piece, next < end)
        })
    }

    /// All records that are there now, newest first.
    pub fn newest(&self) -> impl Iterator<Item = Arc<Record>> + use<> {
        self.back(0..usize::MAX)
    }

    /// How many records have come, also those that are kept no longer.
    #[must_use]
    pub fn count(&self) -> usize {
        let kept = self.kept();
        kept.dropped + kept.entries.len()
    }

    /// How many records had come by this time (since 1970), also those that are kept no longer.
    #[must_use]
    pub fn count_at(&self, time: Duration) -> usize {
        let kept = self.kept();
        kept.dropped + kept.entries.partition_point(|entry| entry.record.at <= time)
    }

    /// Those of these records that are there now, newest first; they are counted as [`Journal::count`] does. Who wants only a few
    /// takes little more than these in hand.
    pub fn back(&self, records: Range<usize>) -> impl Iterator<Item = Arc<Record>> + use<> {
        let (start, mut end) = (records.start, records.end.min(self.count()));
        let (journal, mut size) = (self.clone(), 1);
        pieces(move || {
            let begin = end.saturating_sub(size).max(start);
            let mut piece = journal.piece(begin, end);
            piece.reverse();
            (end, size) = (begin, PIECE.min(2 * size));
            (piece, end > start.max(journal.kept().dropped))
        })
    }

    /// The records of these places, counted from the first that ever came; those that are kept no longer are left out.
    fn piece(&self, from: usize, to: usize) -> Vec<Arc<Record>> {
        let kept = self.kept();
        let to = to.saturating_sub(kept.dropped).min(kept.entries.len());
        let from = from.saturating_sub(kept.dropped).min(to);
        kept.entries.range(from..to).map(|entry| entry.record.clone()).collect()
    }

    /// How many commands can be taken back.
    #[must_use]
    pub fn undoable(&self) -> usize {
        self.kept().undoable
    }

    /// What the last `count` commands replaced, the newest first; `None` when fewer can be taken back. Commands
    /// that were taken back before do not count.
    pub(crate) fn take_back(&self, count: usize) -> Option<Vec<Change>> {
        let mut kept = self.kept();
        kept.undoable = kept.undoable.checked_sub(count)?;
        let taken = kept.entries.iter_mut().rev().filter_map(|entry| entry.replaced.take()).take(count);
        Some(taken.flatten().collect())
    }

    /// Nothing can be taken back any more: the memory was set from outside.
    pub(crate) fn forget(&self) {
        let mut kept = self.kept();
        kept.undoable = 0;
        kept.entries.iter_mut().for_each(|entry| entry.replaced = None);
    }
}

/// One after the other what `next` gives in pieces, each with whether there are more.
fn pieces(mut next: impl FnMut() -> (Vec<Arc<Record>>, bool)) -> impl Iterator<Item = Arc<Record>> {
    let (mut piece, mut more) = (Vec::new().into_iter(), true);
    std::iter::from_fn(move || {
        loop {
            if let Some(record) = piece.next() {
                return Some(record);
            }
            if !more {
                return None;
            }
            let (records, others) = next();
            (piece, more) = (records.into_iter(), others);
        }
    })
}

impl Drop for Kept {
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
        let journal = Journal::default();
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

    /// In both directions, whole, also what is more than is read at a time; what is written or dropped meanwhile disturbs nobody.
    #[test]
    fn it_is_read_while_it_is_written() {
        let mut recorder = Trace::new(Ticks::Count).of("c");
        let journal = Journal::default();
        assert_eq!((journal.after(0).count(), journal.newest().count()), (0, 0));
        let mut write = |count: usize| {
            for _ in 0..count {
                journal.keep(recorder.exchange(&[0, 0x20, 0, 0x80], Some(&[0x90, 0]), None), None);
            }
        };
        let numbers = |records: &mut dyn Iterator<Item = Arc<Record>>| records.map(|record| record.number).collect::<Vec<_>>();
        write(3 * PIECE);
        let last = 3 * PIECE as u64;
        assert_eq!(numbers(&mut journal.after(PIECE as u64)), (PIECE as u64 + 1..=last).collect::<Vec<_>>());
        assert_eq!(numbers(&mut journal.newest()), (1..=last).rev().collect::<Vec<_>>());
        assert_eq!(numbers(&mut journal.after(last)), Vec::<u64>::new());
        // Both begun before, and read on after most of what they go through is gone.
        let (mut forward, mut back) = (journal.after(0), journal.newest());
        assert_eq!((forward.next().map(|r| r.number), back.next().map(|r| r.number)), (Some(1), Some(last)));
        write(RECORDS - PIECE);
        let (forward, back) = (numbers(&mut forward), numbers(&mut back));
        // What was read into a piece is told; of the others, what is kept: the second and third piece but for what was dropped.
        assert_eq!(forward.first(), Some(&2));
        assert!(forward.is_sorted() && forward.last() == Some(&last), "{forward:?}");
        assert!(back.is_sorted_by(|a, b| a > b) && back.first() == Some(&(last - 1)), "{back:?}");
        assert_eq!(*back.last().unwrap(), last - PIECE as u64 + 1, "the others are kept no longer");
    }

    /// By their count from the first that ever came, whatever is asked for and however much is kept no longer.
    #[test]
    fn records_are_found_by_how_many_came_before() {
        let mut recorder = Trace::new(Ticks::Count).of("c");
        let journal = Journal::default();
        assert_eq!((journal.count(), journal.back(0..5).count(), journal.count_at(Duration::MAX)), (0, 0, 0));
        for _ in 0..RECORDS + 5 {
            journal.keep(recorder.exchange(&[0, 0x20, 0, 0x80], Some(&[0x90, 0]), None), None);
        }
        let all = RECORDS + 5;
        assert_eq!(journal.count(), all);
        let back = |records: Range<usize>| journal.back(records).map(|record| record.number as usize).collect::<Vec<_>>();
        assert_eq!(back(all - 3..all), [all, all - 1, all - 2]);
        assert_eq!(back(all - 700..all - 2), (all - 699..=all - 2).rev().collect::<Vec<_>>());
        assert_eq!(back(0..8), [8, 7, 6], "the others are kept no longer");
        assert_eq!((back(0..5), back(3..3), back(all..all + 9)), (vec![], vec![], vec![]));
        assert_eq!(back(all - 1..usize::MAX), [all]);
        // A record takes a millisecond of this clock.
        let by = |millis: usize| journal.count_at(Duration::from_millis(millis as u64));
        assert_eq!((by(all - 2), by(all), by(all + 9), by(0)), (all - 2, all, all, 5));
    }
}
