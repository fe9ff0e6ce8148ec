//! Non-volatile memory: numbered records, changed by transactions, with tear points.
//!
//! The card reads from a copy in RAM. A [`Transaction`] collects changes and hands them to the
//! [`Store`] in one step; only when the store has them durably does the RAM copy change. So a
//! power cut leaves either the old or the new contents of *all* records of a transaction.
//!
//! Every `write` or `erase`, the moment before the commit and the moment after it are *tear
//! points*. A test arms one by number with [`Nvm::cut_power_at`]; when it is reached the operation
//! ends with [`Abort::PowerLost`], the card falls silent and its volatile state is gone.

use crate::status::{Abort, StatusWord};
use std::collections::{BTreeMap, BTreeSet};
use thiserror::Error;
use zeroize::Zeroizing;

/// Names a record: an area in the top byte, an index below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId(pub u32);

impl RecordId {
    /// Record `index` (24 bits) of `area`.
    #[must_use]
    pub const fn new(area: u8, index: u32) -> Self {
        Self((area as u32) << 24 | index & 0x00FF_FFFF)
    }

    /// The area of this record.
    #[must_use]
    pub const fn area(self) -> u8 {
        (self.0 >> 24) as u8
    }

    /// The index within the area.
    #[must_use]
    pub const fn index(self) -> u32 {
        self.0 & 0x00FF_FFFF
    }
}

/// All records of a memory in order.
pub type Records = BTreeMap<RecordId, Zeroizing<Vec<u8>>>;

/// One change of a transaction: new contents, or `None` to erase.
pub type Change = (RecordId, Option<Zeroizing<Vec<u8>>>);

/// Why a store could not make a transaction durable. All of it or nothing has been kept.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct StoreError(pub String);

/// What keeps records when the power is off.
pub trait Store: Send {
    /// All records.
    ///
    /// # Errors
    /// [`StoreError`] when they cannot be read.
    fn load(&self) -> Result<Vec<(RecordId, Vec<u8>)>, StoreError>;

    /// Makes all changes durable, or none.
    ///
    /// # Errors
    /// [`StoreError`]; then nobody knows whether they are. [`Nvm`] sets those records again with what comes next.
    fn commit(&mut self, changes: &[Change]) -> Result<(), StoreError>;
}

/// A store that forgets when it is dropped: the records live in the card's RAM copy.
#[derive(Clone, Copy, Debug, Default)]
pub struct Volatile;

impl Store for Volatile {
    fn load(&self) -> Result<Vec<(RecordId, Vec<u8>)>, StoreError> {
        Ok(Vec::new())
    }

    fn commit(&mut self, _changes: &[Change]) -> Result<(), StoreError> {
        Ok(())
    }
}

/// The non-volatile memory of one card.
pub struct Nvm {
    records: Records,
    store: Box<dyn Store>,
    /// Tear points still to pass until power is cut.
    cut_after: Option<u32>,
    passed: u64,
    /// What was there before, newest first; `None` while nobody wants to know.
    history: Option<Vec<Change>>,
    /// Nothing can be written.
    failing: bool,
    /// Records of commits that failed: the store may hold the old or the new contents.
    unsettled: BTreeSet<RecordId>,
}

impl Nvm {
    /// Loads the records of `store`.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub fn open(store: Box<dyn Store>) -> Result<Self, StoreError> {
        let records = store.load()?.into_iter().map(|(id, value)| (id, Zeroizing::new(value))).collect();
        Ok(Self { records, store, cut_after: None, passed: 0, history: None, failing: false, unsettled: BTreeSet::new() })
    }

    /// The contents of a record.
    #[must_use]
    pub fn read(&self, id: RecordId) -> Option<&[u8]> {
        self.records.get(&id).map(|value| value.as_slice())
    }

    /// The records of an area in the order of their indices.
    pub fn area(&self, area: u8) -> impl Iterator<Item = (RecordId, &[u8])> {
        self.records.range(RecordId::new(area, 0)..=RecordId::new(area, 0x00FF_FFFF)).map(|(id, value)| (*id, value.as_slice()))
    }

    /// Whether nothing has ever been written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Starts a transaction. Dropping it without [`Transaction::commit`] changes nothing.
    pub fn begin(&mut self) -> Transaction<'_> {
        Transaction { nvm: self, changes: Vec::new() }
    }

    /// Cuts the power at the `n`-th tear point from now (0 is the next one).
    pub fn cut_power_at(&mut self, n: u32) {
        self.cut_after = Some(n);
    }

    /// Disarms [`Nvm::cut_power_at`]; tells whether it was still waiting.
    pub fn disarm(&mut self) -> bool {
        self.cut_after.take().is_some()
    }

    /// How many tear points have been passed since the card was opened.
    #[must_use]
    pub const fn tear_points(&self) -> u64 {
        self.passed
    }

    /// All records.
    #[must_use]
    pub const fn records(&self) -> &Records {
        &self.records
    }

    /// From now on every transaction fails with 6581, as memory that is worn out; or works again.
    pub const fn set_failing(&mut self, failing: bool) {
        self.failing = failing;
    }

    /// From now on what each transaction replaces is kept for [`Nvm::take_history`].
    pub fn keep_history(&mut self) {
        self.history.get_or_insert_default();
    }

    /// What has been replaced since the last call, newest first: [`Nvm::rewrite`] brings it back.
    pub fn take_history(&mut self) -> Vec<Change> {
        let mut changes = self.history.as_mut().map(std::mem::take).unwrap_or_default();
        changes.reverse();
        changes
    }

    /// Sets records from outside the card: no tear points, no history.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails: the card goes on with the old contents, and the store may hold either until
    /// the next commit.
    pub fn rewrite(&mut self, changes: Vec<Change>) -> Result<(), StoreError> {
        self.keep(&changes)?;
        for (id, value) in changes {
            match value {
                Some(value) => self.records.insert(id, value),
                None => self.records.remove(&id),
            };
        }
        Ok(())
    }

    fn tear_point(&mut self) -> Result<(), Abort> {
        self.passed += 1;
        match self.cut_after {
            Some(0) => {
                self.cut_after = None;
                Err(Abort::PowerLost)
            }
            Some(n) => {
                self.cut_after = Some(n - 1);
                Ok(())
            }
            None => Ok(()),
        }
    }
}

impl Nvm {
    /// Gives changes to the store, and with them what commits that failed may have left there.
    fn keep(&mut self, changes: &[Change]) -> Result<(), StoreError> {
        let changed = |id: &RecordId| changes.iter().any(|(changed, _)| changed == id);
        let settled = self.unsettled.iter().filter(|id| !changed(id)).map(|id| (*id, self.records.get(id).cloned()));
        let settled: Vec<Change> = settled.collect();
        let kept = match settled.is_empty() {
            true => self.store.commit(changes),
            false => self.store.commit(&[&settled, changes].concat()),
        };
        match &kept {
            Ok(()) => self.unsettled.clear(),
            Err(_) => self.unsettled.extend(changes.iter().map(|(id, _)| *id)),
        }
        kept
    }
}

/// Changes that become durable together.
#[must_use = "a transaction that is not committed changes nothing"]
pub struct Transaction<'a> {
    nvm: &'a mut Nvm,
    changes: Vec<Change>,
}

impl Transaction<'_> {
    /// The memory as it was before this transaction.
    #[must_use]
    pub fn nvm(&self) -> &Nvm {
        self.nvm
    }

    /// The records of an area as this transaction leaves them, of those that it writes.
    pub fn written(&self, area: u8) -> impl Iterator<Item = (RecordId, &[u8])> {
        // Of several writes of a record the last one counts.
        let last: BTreeMap<RecordId, Option<&[u8]>> =
            self.changes.iter().map(|(id, value)| (*id, value.as_ref().map(|value| value.as_slice()))).collect();
        last.into_iter().filter_map(|(id, value)| Some((id, value?))).filter(move |(id, _)| id.area() == area)
    }

    /// Sets the contents of a record.
    ///
    /// # Errors
    /// [`Abort::PowerLost`] at an armed tear point.
    pub fn write(&mut self, id: RecordId, value: &[u8]) -> Result<(), Abort> {
        self.nvm.tear_point()?;
        self.changes.push((id, Some(Zeroizing::new(value.to_vec()))));
        Ok(())
    }

    /// Removes a record.
    ///
    /// # Errors
    /// [`Abort::PowerLost`] at an armed tear point.
    pub fn erase(&mut self, id: RecordId) -> Result<(), Abort> {
        self.nvm.tear_point()?;
        self.changes.push((id, None));
        Ok(())
    }

    /// Removes every record of an area.
    ///
    /// # Errors
    /// [`Abort::PowerLost`] at an armed tear point.
    pub fn erase_area(&mut self, area: u8) -> Result<(), Abort> {
        let ids: Vec<RecordId> = self.nvm.area(area).map(|(id, _)| id).collect();
        ids.into_iter().try_for_each(|id| self.erase(id))
    }

    /// Makes the changes durable.
    ///
    /// # Errors
    /// [`Abort::PowerLost`] at an armed tear point: before the commit nothing has changed, after it
    /// everything has. 6581 when the store fails: the card goes on with the old contents, and the store may hold
    /// either until the next commit.
    pub fn commit(self) -> Result<(), Abort> {
        let Self { nvm, changes } = self;
        nvm.tear_point()?;
        if nvm.failing || nvm.keep(&changes).is_err() {
            return Err(StatusWord::MEMORY_FAILURE.into());
        }
        for (id, value) in changes {
            let old = match value {
                Some(value) => nvm.records.insert(id, value),
                None => nvm.records.remove(&id),
            };
            if let Some(history) = &mut nvm.history {
                history.push((id, old));
            }
        }
        nvm.tear_point()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Arc, Mutex};

    const A: RecordId = RecordId::new(1, 1);
    const B: RecordId = RecordId::new(1, 2);

    fn change(nvm: &mut Nvm) -> Result<(), Abort> {
        let mut transaction = nvm.begin();
        transaction.write(A, b"new")?;
        transaction.erase(B)?;
        transaction.commit()
    }

    #[test]
    fn a_record_is_named_by_area_and_index() {
        let id = RecordId::new(0x12, 0xFF34_5678);
        assert_eq!(id, RecordId(0x1234_5678), "an index has 24 bits");
        assert_eq!((id.area(), id.index()), (0x12, 0x34_5678));
    }

    #[test]
    fn a_cut_leaves_the_old_or_the_new_state() {
        for cut in 0..4 {
            let mut nvm = Nvm::open(Box::new(Volatile)).unwrap();
            let mut first = nvm.begin();
            first.write(A, b"old").unwrap();
            first.write(B, b"old").unwrap();
            first.commit().unwrap();
            nvm.cut_power_at(cut);
            assert_eq!(change(&mut nvm), Err(Abort::PowerLost), "tear point {cut}");
            let state = (nvm.read(A), nvm.read(B));
            let old = (Some(&b"old"[..]), Some(&b"old"[..]));
            let new = (Some(&b"new"[..]), None);
            assert_eq!(state, if cut < 3 { old } else { new }, "tear point {cut}");
        }
    }

    #[test]
    fn an_area_is_erased_and_no_other() {
        let mut nvm = Nvm::open(Box::new(Volatile)).unwrap();
        let kept = RecordId::new(2, 1);
        let mut first = nvm.begin();
        [A, B, kept].into_iter().try_for_each(|id| first.write(id, b"old")).unwrap();
        first.commit().unwrap();
        let mut transaction = nvm.begin();
        transaction.erase_area(1).unwrap();
        transaction.commit().unwrap();
        assert_eq!(nvm.records().keys().collect::<Vec<_>>(), [&kept]);
    }

    #[test]
    fn tear_points_are_counted_and_records_are_listed() {
        let mut nvm = Nvm::open(Box::new(Volatile)).unwrap();
        assert_eq!((nvm.tear_points(), nvm.records().len()), (0, 0));
        change(&mut nvm).unwrap();
        assert_eq!(nvm.tear_points(), 4, "a write, an erasure, before and after the commit");
        change(&mut nvm).unwrap();
        assert_eq!(nvm.tear_points(), 8);
        assert_eq!(nvm.records().keys().collect::<Vec<_>>(), [&A]);
    }

    #[test]
    fn history_brings_back_what_was_there() {
        let mut nvm = Nvm::open(Box::new(Volatile)).unwrap();
        let mut first = nvm.begin();
        first.write(A, b"old").unwrap();
        first.commit().unwrap();
        nvm.keep_history();
        for value in [&b"newer"[..], b"newest"] {
            let mut transaction = nvm.begin();
            transaction.write(A, value).unwrap();
            transaction.write(B, value).unwrap();
            transaction.commit().unwrap();
        }
        let history = nvm.take_history();
        nvm.rewrite(history).unwrap();
        assert_eq!((nvm.read(A), nvm.read(B)), (Some(&b"old"[..]), None));
        assert!(nvm.take_history().is_empty());
    }

    #[test]
    fn memory_that_is_worn_out_changes_nothing() {
        let mut nvm = Nvm::open(Box::new(Volatile)).unwrap();
        nvm.set_failing(true);
        assert_eq!(change(&mut nvm), Err(Abort::Status(StatusWord::MEMORY_FAILURE)));
        assert!(nvm.is_empty());
        nvm.set_failing(false);
        assert_eq!(change(&mut nvm), Ok(()));
    }

    /// Keeps everything, and says that it did not while it is told to.
    #[derive(Clone, Default)]
    struct Liar {
        kept: Arc<Mutex<BTreeMap<RecordId, Vec<u8>>>>,
        lies: Arc<AtomicBool>,
    }

    impl Store for Liar {
        fn load(&self) -> Result<Vec<(RecordId, Vec<u8>)>, StoreError> {
            Ok(self.kept.lock().unwrap().clone().into_iter().collect())
        }

        fn commit(&mut self, changes: &[Change]) -> Result<(), StoreError> {
            let mut kept = self.kept.lock().unwrap();
            for (id, value) in changes {
                match value {
                    Some(value) => kept.insert(*id, value.to_vec()),
                    None => kept.remove(id),
                };
            }
            match self.lies.load(Ordering::Relaxed) {
                true => Err(StoreError("no space left".into())),
                false => Ok(()),
            }
        }
    }

    #[test]
    fn what_a_failed_commit_left_is_set_again_by_the_next() {
        let store = Liar::default();
        let other = RecordId::new(3, 1);
        let mut nvm = Nvm::open(Box::new(store.clone())).unwrap();
        let mut first = nvm.begin();
        first.write(B, b"old").unwrap();
        first.commit().unwrap();
        store.lies.store(true, Ordering::Relaxed);
        assert_eq!(change(&mut nvm), Err(Abort::Status(StatusWord::MEMORY_FAILURE)));
        assert_eq!((nvm.read(A), nvm.read(B)), (None, Some(&b"old"[..])));
        store.lies.store(false, Ordering::Relaxed);
        let mut next = nvm.begin();
        next.write(other, b"next").unwrap();
        next.commit().unwrap();
        assert_eq!(store.load().unwrap(), [(B, b"old".to_vec()), (other, b"next".to_vec())], "as the card has it");
        assert!(nvm.unsettled.is_empty());
    }

    struct Full;
    impl Store for Full {
        fn load(&self) -> Result<Vec<(RecordId, Vec<u8>)>, StoreError> {
            Ok(vec![(A, b"old".to_vec())])
        }
        fn commit(&mut self, _: &[Change]) -> Result<(), StoreError> {
            Err(StoreError("no space left".into()))
        }
    }

    #[test]
    fn a_store_that_fails_changes_nothing() {
        let mut nvm = Nvm::open(Box::new(Full)).unwrap();
        assert_eq!(change(&mut nvm), Err(Abort::Status(StatusWord::MEMORY_FAILURE)));
        assert_eq!(nvm.read(A), Some(&b"old"[..]));
    }
}
