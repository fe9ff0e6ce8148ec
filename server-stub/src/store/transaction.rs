//! Transactions: a [`Snapshot`] reads, a [`Tx`] writes as well. What writes takes a `Tx`, so that a read cannot.

use crate::model::refusal::{Code, Refusal};
use sqlx::any::{AnyArguments, AnyRow};
use sqlx::query::Query;
use sqlx::{Any, Transaction};
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use tokio::sync::OwnedSemaphorePermit;

/// A statement with what is bound to it.
pub(super) type Statement<'q> = Query<'q, Any, AnyArguments>;

/// The database as it is at one moment: whatever others write meanwhile, all statements see the same. Waits for no writer, and
/// no writer waits for it.
pub struct Snapshot {
    transaction: Transaction<'static, Any>,
    postgres: bool,
    statements: Arc<AtomicU64>,
    /// The database's URL as it may be shown.
    place: Arc<str>,
}

impl Snapshot {
    pub(super) const fn new(
        transaction: Transaction<'static, Any>,
        postgres: bool,
        statements: Arc<AtomicU64>,
        place: Arc<str>,
    ) -> Self {
        Self { transaction, postgres, statements, place }
    }

    /// Whether the engine is PostgreSQL, for the few words that each has another name for.
    pub(super) const fn is_postgres(&self) -> bool {
        self.postgres
    }

    fn count(&self) {
        self.statements.fetch_add(1, Ordering::Relaxed);
    }

    /// All rows.
    pub(super) async fn all(&mut self, statement: Statement<'_>) -> Result<Vec<AnyRow>, Refusal> {
        self.count();
        statement.fetch_all(&mut *self.transaction).await.map_err(|e| told(e, &self.place))
    }

    /// The only row.
    pub(super) async fn one(&mut self, statement: Statement<'_>) -> Result<AnyRow, Refusal> {
        self.count();
        statement.fetch_one(&mut *self.transaction).await.map_err(|e| told(e, &self.place))
    }

    /// The only row, if there is one.
    pub(super) async fn optional(&mut self, statement: Statement<'_>) -> Result<Option<AnyRow>, Refusal> {
        self.count();
        statement.fetch_optional(&mut *self.transaction).await.map_err(|e| told(e, &self.place))
    }
}

/// A transaction that nobody comes between: no other writer, in this process or another. Dropped, it has written nothing.
pub struct Tx {
    snapshot: Snapshot,
    /// Whether a write has failed since one was last tried on purpose.
    doubted: Arc<AtomicBool>,
    /// The next of this process has its turn when this ends.
    _turn: OwnedSemaphorePermit,
}

impl Tx {
    pub(super) const fn new(snapshot: Snapshot, doubted: Arc<AtomicBool>, turn: OwnedSemaphorePermit) -> Self {
        Self { snapshot, doubted, _turn: turn }
    }

    /// Changes rows; gives how many.
    pub(super) async fn run(&mut self, statement: Statement<'_>) -> Result<u64, Refusal> {
        self.count();
        let done = statement.execute(&mut *self.snapshot.transaction).await.map_err(|e| told(e, &self.snapshot.place));
        Ok(noted(&self.doubted, done)?.rows_affected())
    }

    /// What was written is there, and durable.
    ///
    /// # Errors
    /// [`crate::model::refusal::Code::StoreDown`].
    pub async fn commit(self) -> Result<(), Refusal> {
        let Snapshot { transaction, place, .. } = self.snapshot;
        noted(&self.doubted, transaction.commit().await.map_err(|e| told(e, &place)))
    }

    /// What was written is gone.
    ///
    /// # Errors
    /// [`crate::model::refusal::Code::StoreDown`].
    pub async fn rollback(self) -> Result<(), Refusal> {
        Ok(self.snapshot.transaction.rollback().await?)
    }
}

/// What the database said, of the database at this place.
fn told(error: sqlx::Error, place: &str) -> Refusal {
    Refusal::from(error).in_database(place)
}

/// Remembers that the database did not write.
fn noted<T>(doubted: &AtomicBool, written: Result<T, Refusal>) -> Result<T, Refusal> {
    if written.as_ref().is_err_and(|refusal| refusal.code == Code::StoreDown) {
        doubted.store(true, Ordering::Relaxed);
    }
    written
}

impl Deref for Tx {
    type Target = Snapshot;

    fn deref(&self) -> &Snapshot {
        &self.snapshot
    }
}

impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut Snapshot {
        &mut self.snapshot
    }
}
