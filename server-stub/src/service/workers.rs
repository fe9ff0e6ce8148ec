//! Hashing in a bounded pool: it takes memory and a core each time.

use crate::model::answers::Hashing;
use crate::model::refusal::{Code, Refusal};
use crate::words::sentence;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use zeroize::Zeroizing;

/// Hashes at once, and how many more may wait.
const AT_ONCE: usize = 2;
const WAITING: usize = 400;

/// The pool.
#[derive(Clone)]
pub struct Workers {
    hashing: Hashing,
    queue: Arc<Semaphore>,
    running: Arc<Semaphore>,
}

/// A place in the queue. To be had before anything is counted.
pub struct Place(#[allow(dead_code)] OwnedSemaphorePermit);

impl Workers {
    /// With these parameters.
    #[must_use]
    pub fn new(hashing: Hashing) -> Self {
        Self { hashing, queue: Arc::new(Semaphore::new(WAITING)), running: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// A place in the queue.
    ///
    /// # Errors
    /// [`Code::Busy`] when it is full.
    pub fn place(&self) -> Result<Place, Refusal> {
        let full = |_| Refusal::new(Code::Busy, sentence!("refused-busy"));
        Ok(Place(self.queue.clone().try_acquire_owned().map_err(full)?))
    }

    /// Whether each secret has the hash beside it. All are compared, whatever the first says.
    ///
    /// # Errors
    /// [`Code::Busy`] when the server stops.
    pub async fn verify(&self, _place: &Place, pairs: Vec<(Zeroizing<String>, String)>) -> Result<bool, Refusal> {
        let hashing = self.hashing.clone();
        self.run(move || pairs.iter().fold(!pairs.is_empty(), |right, (secret, hash)| hashing.verify(secret, hash) & right)).await
    }

    /// The hashes of secrets.
    ///
    /// # Errors
    /// [`Code::Busy`] when the server stops.
    pub async fn hash(&self, secrets: Vec<Zeroizing<String>>) -> Result<Vec<String>, Refusal> {
        let hashing = self.hashing.clone();
        let hashes = self.run(move || secrets.iter().map(|secret| hashing.hash(secret)).collect::<Result<Vec<_>, _>>()).await?;
        hashes.map_err(|e| Refusal::new(Code::Busy, sentence!("refused-work", why = e)))
    }

    /// The hash of a password that may be one; `field` is where it was typed.
    ///
    /// # Errors
    /// [`Code::Malformed`] for one that is too short or too long; as [`Workers::hash`].
    pub(crate) async fn password(&self, field: &'static str, password: &str) -> Result<String, Refusal> {
        if !(8..=200).contains(&password.chars().count()) {
            return Err(Refusal::malformed(sentence!("refused-password")).at(field));
        }
        let hashes = self.hash(vec![Zeroizing::new(password.to_owned())]).await?;
        hashes.into_iter().next().ok_or_else(|| Refusal::new(Code::Busy, sentence!("refused-stopping")))
    }

    /// Work that takes a core for a while.
    pub(crate) async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Refusal> {
        let stopping = || Refusal::new(Code::Busy, sentence!("refused-stopping"));
        let _running = self.running.acquire().await.map_err(|_| stopping())?;
        tokio::task::spawn_blocking(work).await.map_err(|_| stopping())
    }
}
