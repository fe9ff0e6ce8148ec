//! A reader and its card as people see them.

use super::wire::named;
use crate::view::{CardView, HolderView, ReaderView, TriesView};
use askama::Template;
use cardlab_vreader::Fault;
use cardlab_vreader::trace::decode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Most pips in a row: a counter of more is told in figures.
const MOST_PIPS: u8 = 15;

/// A word for a state, and how good that is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Badge {
    /// `good`, `warn`, `bad`, or nothing.
    pub(super) class: &'static str,
    pub(super) text: String,
}

impl Badge {
    pub(super) fn new(class: &'static str, text: impl Into<String>) -> Self {
        Self { class, text: text.into() }
    }
}

/// The tries of a secret.
pub(super) struct Counter {
    pub(super) name: &'static str,
    pub(super) tries: TriesView,
}

impl Counter {
    /// One for each try; whether it is left.
    pub(super) fn pips(&self) -> Vec<bool> {
        if self.tries.maximum > MOST_PIPS { Vec::new() } else { (0..self.tries.maximum).map(|n| n < self.tries.left).collect() }
    }
}

/// A reader and its card.
#[derive(Template)]
#[template(path = "now.html")]
pub(super) struct Picture {
    pub(super) reader: ReaderView,
}

impl Picture {
    pub(super) const fn of(reader: ReaderView) -> Self {
        Self { reader }
    }

    /// The name without the numbers that PC/SC puts behind it.
    pub(super) fn short(&self) -> &str {
        short(&self.reader.name)
    }

    pub(super) fn badge(&self) -> Badge {
        let card = self.reader.card.as_ref();
        let left = |tries: Option<TriesView>, n: u8| tries.is_some_and(|tries| tries.left == n);
        let all_tries = |tries: Option<TriesView>| tries.is_some_and(|tries| tries.maximum > 1 && tries.left == 1);
        match (self.reader.card_is.as_str(), card) {
            ("unplugged", _) => Badge::new("", "unplugged"),
            ("out", _) => Badge::new("", "card is out"),
            _ if self.reader.touch_awaited => Badge::new("warn", "waits for a touch"),
            (_, None) => Badge::new("", "at work"),
            (_, Some(card)) if card.mute => Badge::new("bad", "mute"),
            (_, Some(card)) if left(card.admin_key, 0) => Badge::new("bad", "administrator key blocked"),
            (_, Some(card)) if left(card.pin, 0) && left(card.puk, 0) => Badge::new("bad", "PIN and PUK blocked"),
            (_, Some(card)) if left(card.pin, 0) => Badge::new("bad", "PIN blocked"),
            (_, Some(card)) if left(card.puk, 0) => Badge::new("bad", "PUK blocked"),
            (_, Some(card)) if all_tries(card.pin) => Badge::new("warn", "last PIN try"),
            (_, Some(card)) if card.challenge.is_some() => Badge::new("warn", "challenge pending"),
            _ => Badge::new("good", "ready"),
        }
    }

    pub(super) fn counters(&self) -> Vec<Counter> {
        let Some(card) = &self.reader.card else { return Vec::new() };
        let counted = [("PIN", card.pin), ("PUK", card.puk), ("Admin key", card.admin_key), ("Global PIN", card.global_pin)];
        counted.into_iter().filter_map(|(name, tries)| Some(Counter { name, tries: tries? })).collect()
    }

    /// Profile and serial number of a simulated card; where another comes from.
    pub(super) fn kind(card: &CardView) -> String {
        match card.serial {
            Some(serial) => format!("{}, serial {serial}", card.profile),
            None => card.profile.clone(),
        }
    }

    /// The commands that a fault strikes next, in words.
    pub(super) fn strike(fault: &str) -> String {
        // A fault that waits reads back as it was written.
        fault.parse().map(|fault| strike(&fault)).unwrap_or_default()
    }

    /// What has been proved to the card.
    pub(super) fn verified(card: &CardView) -> &'static str {
        match (card.pin_verified, card.admin_verified) {
            (true, true) => "PIN and administrator key",
            (true, false) => "PIN",
            (false, true) => "administrator key",
            (false, false) => "nothing",
        }
    }
}

/// A reader's name without the numbers that PC/SC puts behind it (index and slot, two digits each).
pub(crate) fn short(name: &str) -> &str {
    name.rsplitn(3, ' ').last().unwrap_or(name)
}

fn strike(fault: &Fault) -> String {
    let what = match fault.ins {
        Some(ins) => named(&decode::describe(&[0, ins, 0, 0], false)).0,
        None => "command".into(),
    };
    let applet = fault.applet.as_ref().map(|applet| format!(" for {applet}")).unwrap_or_default();
    let first = match fault.nth {
        1 => format!("at the next {what}{applet}"),
        nth => format!("at the {what}{applet} after {} more", nth - 1),
    };
    match fault.times {
        1 => first,
        times => format!("{first}, {times} times"),
    }
}

impl HolderView {
    /// Who it is.
    pub(crate) fn name(&self) -> String {
        match (self.program.as_str(), self.process) {
            ("", 0) => "a program".into(),
            ("", process) => format!("process {process}"),
            (program, _) => program.into(),
        }
    }

    /// How it keeps others out, if it does.
    pub(crate) fn words(&self) -> &'static str {
        match self.how.as_str() {
            "exclusive" => "alone",
            "transaction" => "in a transaction",
            _ => "",
        }
    }

    /// How long it has had the card.
    pub(crate) fn age(&self) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        age(now.saturating_sub(Duration::from_secs(self.since)))
    }
}

/// A time as people say it; `bench.js` says it the same way.
fn age(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..60 => format!("{seconds} s"),
        seconds @ 60..3600 => format!("{} min", seconds / 60),
        seconds => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_without_numbers() {
        for (name, wanted) in [("Anna 00 00", "Anna"), ("Desk, left 0A 00", "Desk, left"), ("X", "X")] {
            assert_eq!(short(name), wanted);
        }
    }

    #[test]
    fn where_a_fault_strikes_next() {
        for (fault, wanted) in [
            ("mute", "at the next command"),
            ("remove-after,ins=20", "at the next VERIFY"),
            ("status=6F00,ins=87,nth=3", "at the GENERAL AUTHENTICATE after 2 more"),
            ("status=6F00,ins=A4,applet=piv,times=2", "at the next SELECT for piv, 2 times"),
        ] {
            assert_eq!(Picture::strike(fault), wanted);
        }
    }

    #[test]
    fn times_as_people_say_them() {
        let said = [0, 59, 60, 3599, 3600, 90_061].map(|seconds| age(Duration::from_secs(seconds)));
        assert_eq!(said, ["0 s", "59 s", "1 min", "59 min", "1 h 0 min", "25 h 1 min"]);
    }
}
