//! How a card stands: whether it keeps the standard and is as it was, in one line.

use super::{Afterwards, Outcome, Report};
use crate::test::Level;
use std::fmt;

/// Of one card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Of each level: how many failed, known or not, and of how many that were judged.
    pub levels: [(Level, usize, usize); 3],
    /// Tests that the card tells too little for.
    pub not_told: usize,
    /// Tests that were not run.
    pub not_run: usize,
    /// What became of it, where it is somebody's.
    pub afterwards: Option<Afterwards>,
}

impl Standing {
    /// Read off a report.
    #[must_use]
    pub fn of(report: &Report, card: &str) -> Self {
        let own = || report.records.iter().filter(|r| r.card == card);
        let of = |level: Level| {
            let with = |outcomes: &[Outcome]| own().filter(|r| r.level == level && outcomes.contains(&r.outcome)).count();
            let failed = with(&[Outcome::Failed, Outcome::ExpectedFailure]);
            (level, failed, failed + with(&[Outcome::Passed]))
        };
        Self {
            levels: [Level::Must, Level::Should, Level::Profile].map(of),
            not_told: own().filter(|r| r.outcome == Outcome::NotApplicable && r.reason.contains("does not tell")).count(),
            not_run: own().filter(|r| r.outcome == Outcome::NotRun).count(),
            afterwards: report.afterwards.iter().find(|afterwards| afterwards.card == card).cloned(),
        }
    }

    /// Whether there is anything to say.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.afterwards.is_none() && self.levels.iter().all(|(_, failed, _)| *failed == 0)
    }

    /// Whether the card is as it was.
    #[must_use]
    pub fn restored(&self) -> &'static str {
        self.afterwards.as_ref().map_or("nobody's card", Afterwards::summary)
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (level, failed, judged) in self.levels {
            write!(f, "{}: {failed} of {judged} failed, ", level.name())?;
        }
        write!(f, "not told by the card: {}, not run: {}", self.not_told, self.not_run)?;
        if self.afterwards.is_some() { write!(f, ", {}", self.restored()) } else { Ok(()) }
    }
}
