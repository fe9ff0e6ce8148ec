//! Time. Lifetimes must not follow a wall clock that somebody sets: it is read once, when the process
//! starts (the database's, where several machines share one), and what has passed since is measured.

use crate::model::refusal::Refusal;
use crate::words::sentence;
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

/// As clocks of this machine have it, `2026-11-24 02:02:03`.
#[must_use]
pub fn local(at: Millis) -> String {
    let time = jiff::Timestamp::from_millisecond(at).map(|time| time.to_zoned_datetime(jiff::tz::TimeZone::system()));
    time.map_or_else(|_| at.to_string(), |time| time.strftime("%Y-%m-%d %H:%M:%S").to_string())
}

/// The beginning of a day, or of the one so many days after it, as clocks of this machine have it.
///
/// # Errors
/// [`crate::model::refusal::Code::Malformed`] for what is no day.
pub fn midnight(day: &str, later: i64) -> Result<Millis, Refusal> {
    let none = || Refusal::malformed(sentence!("refused-day", day = day));
    let date: jiff::civil::Date = day.trim().parse().map_err(|_| none())?;
    let date = date.checked_add(jiff::Span::new().days(later)).map_err(|_| none())?;
    let zoned = date.to_zoned_datetime(jiff::tz::TimeZone::system()).map_err(|_| none())?;
    Ok(zoned.timestamp().as_millisecond())
}

/// The name of this machine's time zone.
#[must_use]
pub fn zone() -> String {
    let zone = jiff::tz::TimeZone::system();
    zone.iana_name().map_or_else(|| jiff::ZonedDateTime::now().strftime("UTC%:z").to_string(), str::to_owned)
}

/// `2026-11-24T01:02:03.004Z`.
#[must_use]
pub fn iso(at: Millis) -> String {
    jiff::Timestamp::from_millisecond(at).map_or_else(|_| at.to_string(), |t| format!("{t:.3}"))
}
