//! Time. Lifetimes must not follow a wall clock that somebody sets: it is read once, when the process
//! starts (the database's, where several machines share one), and what has passed since is measured.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// UTC in milliseconds since 1970.
pub type Millis = i64;

/// The server's clock; tests let time pass.
#[derive(Clone, Debug)]
pub struct Clock {
    start: Instant,
    wall: Millis,
    passed: std::sync::Arc<std::sync::atomic::AtomicI64>,
}

impl Clock {
    /// Reads the wall clock.
    #[must_use]
    pub fn start() -> Self {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { start: Instant::now(), wall: wall.as_millis() as Millis, passed: std::sync::Arc::default() }
    }

    /// Now.
    #[must_use]
    pub fn now(&self) -> Millis {
        let passed = self.passed.load(std::sync::atomic::Ordering::Relaxed);
        self.wall + self.start.elapsed().as_millis() as Millis + passed
    }

    /// From here on it is `now`: servers over one database go by the database's clock.
    pub(crate) fn set(&self, now: Millis) {
        self.passed.fetch_add(now - self.now(), std::sync::atomic::Ordering::Relaxed);
    }

    /// Lets time pass, for tests.
    pub fn advance(&self, time: Duration) {
        self.passed.fetch_add(time.as_millis() as Millis, std::sync::atomic::Ordering::Relaxed);
    }
}

/// `2026-11-24T01:02:03.004Z`.
#[must_use]
pub fn iso(at: Millis) -> String {
    jiff::Timestamp::from_millisecond(at).map_or_else(|_| at.to_string(), |t| format!("{t:.3}"))
}
