//! What came of a run.
//!
//! | form | for |
//! |---|---|
//! | [`terminal`] | people who wait |
//! | [`json`] | programs, comparing, merging; the other forms are made from it |
//! | [`junit`] | CI |
//! | [`html`] | people who read |

pub mod compare;
pub mod html;
pub mod json;
pub mod junit;
mod standing;
pub mod terminal;

pub use standing::Standing;

use crate::bench::Line;
use crate::test::{Danger, Level};
use serde::{Deserialize, Serialize};

/// How a test ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// As the standard says.
    Passed,
    /// Not as the standard says.
    Failed,
    /// Not as the standard says, and known.
    ExpectedFailure,
    /// Known as a failure, but it passed.
    UnexpectedPass,
    /// Not for this card.
    NotApplicable,
    /// Not run, and why.
    NotRun,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Passed, Self::Failed, Self::ExpectedFailure, Self::UnexpectedPass, Self::NotApplicable, Self::NotRun];

    /// In words.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::ExpectedFailure => "expected failure",
            Self::UnexpectedPass => "unexpected pass",
            Self::NotApplicable => "not applicable",
            Self::NotRun => "not run",
        }
    }

    /// Whether a run with it has failed.
    #[must_use]
    pub const fn is_bad(self) -> bool {
        matches!(self, Self::Failed | Self::UnexpectedPass)
    }
}

/// One test on one card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The card.
    pub card: String,
    /// The test's id.
    pub id: String,
    /// What holds when it passes.
    pub title: String,
    /// Standard and section.
    pub source: String,
    /// How binding it is.
    pub level: Level,
    /// What it may do to a card.
    pub danger: Danger,
    /// How it ended.
    pub outcome: Outcome,
    /// What was expected and what came, or why it was not run; may be empty.
    pub reason: String,
    /// What was said.
    pub transcript: Vec<Line>,
    /// Microseconds.
    pub micros: u64,
}

/// What became of a card that is somebody's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Afterwards {
    /// The card.
    pub card: String,
    /// What was changed and is as it was before.
    pub put_back: Vec<String>,
    /// What is not as it was before.
    pub stays: Vec<Stays>,
}

/// A thing on a card that is not as it was before the run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stays {
    /// What it is.
    pub what: String,
    /// How it is now, and why.
    pub why: String,
}

impl Afterwards {
    /// Whether the card is as it was, in a few words.
    #[must_use]
    pub const fn summary(&self) -> &'static str {
        match (self.put_back.is_empty(), self.stays.is_empty()) {
            (true, true) => "nothing was changed",
            (false, true) => "restored",
            (_, false) => "not all restored",
        }
    }

    /// What is not as it was, a line for each reason.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
        for Stays { what, why } in &self.stays {
            match reasons.iter_mut().find(|(of, _)| of == why) {
                Some((_, things)) => things.push(what),
                None => reasons.push((why, vec![what])),
            }
        }
        reasons.into_iter().map(|(why, things)| format!("{}: {why}", things.join(", "))).collect()
    }
}

/// A whole run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// Version of this form.
    pub format: u32,
    /// Where the cards came from.
    pub target: String,
    /// The seed of simulated cards.
    pub seed: u64,
    /// In the order of running.
    pub records: Vec<Record>,
    /// Of cards that are somebody's; reports before version 2 say nothing of it.
    #[serde(default)]
    pub afterwards: Vec<Afterwards>,
}

/// Version of [`Report`].
pub const FORMAT: u32 = 2;

impl Report {
    /// How many ended so.
    #[must_use]
    pub fn count(&self, outcome: Outcome) -> usize {
        self.records.iter().filter(|r| r.outcome == outcome).count()
    }

    /// The cards in the order of running.
    #[must_use]
    pub fn cards(&self) -> Vec<&str> {
        let mut cards: Vec<&str> = Vec::new();
        for record in &self.records {
            if !cards.contains(&record.card.as_str()) {
                cards.push(&record.card);
            }
        }
        cards
    }

    /// Whether the run has failed.
    #[must_use]
    pub fn is_bad(&self) -> bool {
        self.records.iter().any(|r| r.outcome.is_bad())
    }

    /// The outcomes that there are, with how many each.
    #[must_use]
    pub fn summary(&self) -> String {
        let counts = Outcome::ALL.into_iter().map(|o| (o, self.count(o))).filter(|(_, n)| *n > 0);
        counts.map(|(o, n)| format!("{n} {}", o.name())).collect::<Vec<_>>().join(", ")
    }
}
