//! Which tests are to run.

use crate::test::{Level, Test};
use glob::Pattern;
use std::str::FromStr;
use thiserror::Error;

/// Why a selection cannot be.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum SelectError {
    /// A pattern that is none.
    #[error("'{pattern}' is no pattern: {reason}")]
    Pattern {
        /// As given.
        pattern: String,
        /// Why.
        reason: String,
    },
    /// A pattern that no id fits.
    #[error("no test is called '{0}'; --list shows all, and * stands for anything")]
    Unknown(String),
    /// A part that is none.
    #[error("'{0}' is no part of a run; write 2/5 for the second of five")]
    Partition(String),
    /// A capability that no test needs.
    #[error("no test needs '{0}'; there are: {1}")]
    Need(String, String),
}

/// Every n-th test, by its place in the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Partition {
    /// From 1.
    pub part: usize,
    /// How many there are.
    pub of: usize,
}

impl FromStr for Partition {
    type Err = SelectError;

    fn from_str(text: &str) -> Result<Self, SelectError> {
        let wrong = || SelectError::Partition(text.into());
        let (part, of) = text.split_once('/').ok_or_else(wrong)?;
        let (part, of) = (part.trim().parse().map_err(|_| wrong())?, of.trim().parse().map_err(|_| wrong())?);
        if part >= 1 && part <= of { Ok(Self { part, of }) } else { Err(wrong()) }
    }
}

/// A selection.
#[derive(Debug, Default)]
pub struct Selection {
    /// Ids or patterns of ids; none is all. An id's beginning up to a slash selects all below it.
    pub patterns: Vec<String>,
    /// Of these levels only.
    pub levels: Vec<Level>,
    /// Only tests that need all of these.
    pub with: Vec<String>,
    /// No tests that need any of these.
    pub without: Vec<String>,
    /// A part of what is left.
    pub partition: Option<Partition>,
}

fn matcher(pattern: &str) -> Result<Pattern, SelectError> {
    Pattern::new(pattern).map_err(|error| SelectError::Pattern { pattern: pattern.into(), reason: error.msg.into() })
}

/// Whether an id fits a pattern.
fn fits(pattern: &str, glob: &Pattern, id: &str) -> bool {
    let below = id.strip_prefix(pattern.trim_end_matches('/')).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    below || glob.matches(id)
}

/// The tests of a selection, in the catalogue's order.
///
/// # Errors
/// [`SelectError`] for a pattern that fits nothing, and what is no pattern at all.
pub fn select<'t>(tests: &'t [Test], selection: &Selection) -> Result<Vec<&'t Test>, SelectError> {
    let mut patterns = Vec::new();
    for pattern in &selection.patterns {
        let glob = matcher(pattern)?;
        if !tests.iter().any(|t| fits(pattern, &glob, &t.id)) {
            return Err(SelectError::Unknown(pattern.clone()));
        }
        patterns.push((pattern, glob));
    }
    let mut known: Vec<String> = tests.iter().flat_map(|t| t.needs.iter().map(|n| n.name())).collect();
    known.sort();
    known.dedup();
    for need in selection.with.iter().chain(&selection.without) {
        if !known.contains(need) {
            return Err(SelectError::Need(need.clone(), known.join(", ")));
        }
    }
    let chosen = tests.iter().filter(|test| {
        let needs = |wanted: &String| test.needs.iter().any(|n| n.name() == *wanted);
        (patterns.is_empty() || patterns.iter().any(|(pattern, glob)| fits(pattern, glob, &test.id)))
            && (selection.levels.is_empty() || selection.levels.contains(&test.level))
            && selection.with.iter().all(needs)
            && !selection.without.iter().any(needs)
    });
    let Some(Partition { part, of }) = selection.partition else { return Ok(chosen.collect()) };
    Ok(chosen.enumerate().filter(|(n, _)| n % of == part - 1).map(|(_, test)| test).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::all;
    use proptest::prelude::*;

    #[test]
    fn patterns_partitions_and_needs() {
        let tests = all();
        let of = |patterns: &[&str]| {
            let patterns = patterns.iter().map(|p| (*p).to_owned()).collect();
            select(&tests, &Selection { patterns, ..Selection::default() })
        };
        assert_eq!(of(&[]).unwrap().len(), tests.len());
        assert_eq!(of(&["piv/800-73-4-2/3.2.1/right-pin"]).unwrap().len(), 1);
        assert!(of(&["piv/800-73-4-2/3.2.1"]).unwrap().iter().all(|t| t.section() == "piv/800-73-4-2/3.2.1"));
        assert!(of(&["*blocked*"]).unwrap().len() > 10);
        assert_eq!(of(&["piv/nothing"]).err(), Some(SelectError::Unknown("piv/nothing".into())));
        assert!(matches!(of(&["[a"]), Err(SelectError::Pattern { .. })));
        let parts: usize = (1..=7)
            .map(|part| {
                select(&tests, &Selection { partition: Some(Partition { part, of: 7 }), ..Selection::default() }).unwrap().len()
            })
            .sum();
        assert_eq!(parts, tests.len());
        let without = Selection { without: vec!["rsa-keygen".into()], ..Selection::default() };
        assert!(select(&tests, &without).unwrap().len() < tests.len());
        let unknown = Selection { with: vec!["wings".into()], ..Selection::default() };
        assert!(select(&tests, &unknown).err().unwrap().to_string().contains("there are: "));
    }

    proptest! {
        #[test]
        fn any_partition_is_answered(text in ".{0,12}") {
            if let Ok(Partition { part, of }) = text.parse::<Partition>() {
                prop_assert!(part >= 1 && part <= of);
            }
        }

        #[test]
        fn any_pattern_is_answered(text in ".{0,40}") {
            let tests = [];
            let _ = select(&tests, &Selection { patterns: vec![text], ..Selection::default() });
        }
    }
}
