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

/// The last moment that is written with four digits of the year.
const LATEST: Millis = 253_402_300_799_999;

/// A time that somebody tells, as it is.
///
/// # Errors
/// [`crate::model::refusal::Code::Malformed`] before 1970 and after 9999, whatever a clock that is wrong says: nothing happened then.
pub fn moment(at: Millis) -> Result<Millis, Refusal> {
    if (0..=LATEST).contains(&at) { Ok(at) } else { Err(Refusal::malformed(sentence!("refused-moment", latest = LATEST))) }
}

/// In UTC, `2026-11-24 01:02:03`.
#[must_use]
pub fn utc(at: Millis) -> String {
    let time = jiff::Timestamp::from_millisecond(at);
    time.map_or_else(|_| at.to_string(), |time| time.strftime("%Y-%m-%d %H:%M:%S").to_string())
}

/// Furthest that a clock is from UTC, in minutes: somewhat more than in any zone there is or was.
const FURTHEST: i64 = 16 * 60;

/// The beginning of a day, or of the one so many days after it, where clocks are so many minutes ahead of UTC then.
///
/// # Errors
/// [`crate::model::refusal::Code::Malformed`] for what is no day, and for clocks that go nowhere so.
pub fn midnight(day: &str, later: i64, ahead: &str) -> Result<Millis, Refusal> {
    let ahead: i64 = if ahead.is_empty() { Ok(0) } else { ahead.parse() }
        .ok()
        .filter(|ahead: &i64| ahead.abs() <= FURTHEST)
        .ok_or_else(|| Refusal::malformed(sentence!("refused-filters")))?;
    let none = || Refusal::malformed(sentence!("refused-day", day = day));
    let date: jiff::civil::Date = day.trim().parse().map_err(|_| none())?;
    let date = date.checked_add(jiff::Span::new().days(later)).map_err(|_| none())?;
    let begins = date.to_zoned_datetime(jiff::tz::TimeZone::UTC).map_err(|_| none())?;
    Ok(begins.timestamp().as_millisecond() - ahead * 60_000)
}

/// `2026-11-24T01:02:03.004Z`.
#[must_use]
pub fn iso(at: Millis) -> String {
    jiff::Timestamp::from_millisecond(at).map_or_else(|_| at.to_string(), |t| format!("{t:.3}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_where_clocks_are() {
        let utc = midnight("2026-11-26", 0, "").unwrap();
        assert_eq!(iso(utc), "2026-11-26T00:00:00.000Z");
        assert_eq!(midnight("2026-11-25", 1, "0").unwrap(), utc);
        // Berlin in winter, Newfoundland, the Line Islands.
        for (ahead, begins) in [("60", "2026-11-25T23:00"), ("-210", "2026-11-26T03:30"), ("840", "2026-11-25T10:00")] {
            assert!(iso(midnight("2026-11-26", 0, ahead).unwrap()).starts_with(begins), "{ahead}");
        }
        for ahead in ["961", "-961", "x", "1e2", "9223372036854775808"] {
            assert!(midnight("2026-11-26", 0, ahead).is_err(), "{ahead}");
        }
        assert!(midnight("2026-02-30", 0, "").is_err());
    }
}
