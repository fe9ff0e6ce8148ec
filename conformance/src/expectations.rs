//! Known failures: a TOML file with a table a failure.
//!
//! ```toml
//! [[failure]]
//! card = "nist-piv"          # a pattern; left out: any card
//! id = "piv/800-73-4-2/3.2.1/right-pin"
//! reason = "the card's firmware 1.2 has this fault; ticket 4711"
//! ```

use crate::report::{Outcome, Report};
use cardlab_whole as whole;
use glob::Pattern;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// One known failure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Known {
    /// On which cards; a pattern.
    #[serde(default = "any")]
    pub card: String,
    /// Of which test.
    pub id: String,
    /// Why it is known.
    pub reason: String,
}

fn any() -> String {
    "*".into()
}

/// Known failures.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expectations {
    /// In the order of the file.
    #[serde(default)]
    pub failure: Vec<Known>,
}

/// Why a file of expectations cannot be used.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum ExpectError {
    /// Not TOML of this form.
    #[error("line {line}: {reason}")]
    Form {
        /// From 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// A failure without a reason.
    #[error("the failure of {0} needs a reason")]
    NoReason(String),
    /// A pattern that is none.
    #[error("'{0}' is no pattern of cards")]
    Card(String),
}

impl Expectations {
    /// Reads a file's text.
    ///
    /// # Errors
    /// [`ExpectError`] names the line or the test.
    pub fn parse(text: &str) -> Result<Self, ExpectError> {
        let parsed: Self = toml::from_str(text).map_err(|error| {
            let line = whole::line_of(text, error.span().map_or(0, |span| span.start));
            ExpectError::Form { line, reason: whole::excerpt(error.message()) }
        })?;
        for known in &parsed.failure {
            if known.reason.trim().is_empty() {
                return Err(ExpectError::NoReason(known.id.clone()));
            }
            if Pattern::new(&known.card).is_err() {
                return Err(ExpectError::Card(known.card.clone()));
            }
        }
        Ok(parsed)
    }

    /// Marks known failures in a report; gives what is stale: entries that no test of the run is for.
    pub fn apply(&self, report: &mut Report) -> Vec<&Known> {
        let mut used = vec![false; self.failure.len()];
        let globs: Vec<_> = self.failure.iter().map(|k| Pattern::new(&k.card).ok()).collect();
        for record in &mut report.records {
            let found = (0..self.failure.len())
                .find(|n| self.failure[*n].id == record.id && globs[*n].as_ref().is_some_and(|g| g.matches(&record.card)));
            let Some(n) = found else { continue };
            match record.outcome {
                Outcome::Failed => {
                    record.outcome = Outcome::ExpectedFailure;
                    record.reason = format!("{} ({})", self.failure[n].reason, record.reason);
                    used[n] = true;
                }
                Outcome::Passed => {
                    record.outcome = Outcome::UnexpectedPass;
                    record.reason = format!("known as a failure ({}), but it passed: take the entry out", self.failure[n].reason);
                    used[n] = true;
                }
                // Not run says nothing of it.
                Outcome::NotRun => used[n] = true,
                _ => {}
            }
        }
        self.failure.iter().zip(used).filter(|(_, used)| !used).map(|(known, _)| known).collect()
    }

    /// What fails in a report, as a file to fill reasons in: without them it is refused.
    #[must_use]
    pub fn of(report: &Report) -> String {
        let failure = report.records.iter().filter(|r| r.outcome == Outcome::Failed);
        let failure = failure.map(|r| Known { card: r.card.clone(), id: r.id.clone(), reason: String::new() }).collect();
        toml::to_string_pretty(&Self { failure }).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_text_is_answered(text in ".{0,200}") {
            let _ = Expectations::parse(&text);
        }
    }

    #[test]
    fn errors_name_the_place() {
        assert_eq!(Expectations::parse("[[failure]]\nid = \"a\"\nreason = \" \"").err(), Some(ExpectError::NoReason("a".into())));
        let error = Expectations::parse("[[failure]]\nid = \"a\"\nreason = \"x\"\nwhy = \"y\"").unwrap_err();
        assert!(error.to_string().starts_with("line 4: unknown field"), "{error}");
    }
}
