//! Times on pages. They are written in UTC, and say so; the page's script puts them into the zone of whose browser it is.

use crate::model::clock::{self, Millis};
use crate::words::{Value, say};

/// A moment for people and for programs.
pub(super) struct Moment {
    pub(super) iso: String,
    /// As it is read without a script.
    pub(super) utc: String,
    /// How much of it is shown, for the script.
    pub(super) shape: &'static str,
}

impl Moment {
    /// To the second.
    pub(super) fn of(at: Millis) -> Self {
        Self::shaped(at, "whole", clock::utc(at))
    }

    /// The time of a day that everybody knows.
    pub(super) fn clock(at: Millis) -> Self {
        let whole = clock::utc(at);
        let time = whole.split_once(' ').and_then(|(_, time)| time.get(..5)).unwrap_or(&whole).to_owned();
        Self::shaped(at, "clock", time)
    }

    /// Without the day when it is today, without the time when it is not.
    pub(super) fn short(at: Millis, now: Millis) -> Self {
        let (whole, today) = (clock::utc(at), clock::utc(now));
        let short = match (whole.split_once(' '), today.split_once(' ')) {
            (Some((day, time)), Some((today, _))) if day == today => time.get(..5).unwrap_or(time).to_owned(),
            (Some((day, _)), _) => day.to_owned(),
            _ => whole,
        };
        Self::shaped(at, "short", short)
    }

    fn shaped(at: Millis, shape: &'static str, text: String) -> Self {
        Self { iso: clock::iso(at), utc: format!("{text} UTC"), shape }
    }
}

/// A sentence with a moment in it.
pub(super) struct Dated {
    pub(super) before: String,
    pub(super) at: Moment,
    pub(super) after: String,
}

/// Stands in a sentence where the moment does: of the private use area. In a name that has it the moment stands too early, no more.
const HERE: char = '\u{F8FF}';

impl Dated {
    /// The sentence of this name, in which `name` is the moment with what comes right after it.
    pub(super) fn of(key: &str, at: Moment, then: &str, values: &[(&'static str, Value<'_>)]) -> Self {
        let place = format!("{HERE}{then}");
        let mut values = values.to_vec();
        values.push(("name", crate::words::text(&place)));
        let said = say(key, &values);
        let (before, after) = said.split_once(HERE).unwrap_or((said.as_str(), ""));
        Self { before: before.to_owned(), at, after: after.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-26 10:45:03.004 UTC.
    const AT: Millis = 1_795_689_903_004;
    const DAY: Millis = 24 * 60 * 60 * 1000;

    #[test]
    fn a_time_says_its_zone() {
        assert_eq!(Moment::of(AT).utc, "2026-11-26 10:45:03 UTC");
        assert_eq!(Moment::clock(AT).utc, "10:45 UTC");
        assert_eq!((Moment::short(AT, AT).utc, Moment::short(AT, AT + DAY).utc), ("10:45 UTC".into(), "2026-11-26 UTC".into()));
        assert_eq!(Moment::clock(AT).iso, "2026-11-26T10:45:03.004Z");
    }

    #[test]
    fn a_sentence_has_it_in_its_place() {
        let dated = Dated::of("card-claim-pin-wrong", Moment::clock(AT), ", PC-12", &[]);
        assert_eq!(
            format!("{}{}", dated.before, dated.after).replace(['\u{2068}', '\u{2069}'], ""),
            "Not confirmed: wrong PIN entered, reported , PC-12"
        );
        assert!(dated.after.contains("PC-12"));
    }
}
