//! Two runs side by side, and parts of one put together.

use super::{Afterwards, FORMAT, Outcome, Record, Report};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use thiserror::Error;

/// Why reports cannot be put together.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum MergeError {
    /// Parts of different runs.
    #[error("the parts are of different runs: target {0} and {1}")]
    Targets(String, String),
    /// One test twice.
    #[error("{0} on {1} is in two parts")]
    Twice(String, String),
    /// Nothing to merge.
    #[error("there is no part to merge")]
    Nothing,
}

/// Puts the parts of a run together, in the order of cards and ids.
///
/// # Errors
/// [`MergeError`].
pub fn merge(parts: &[Report]) -> Result<Report, MergeError> {
    let first = parts.first().ok_or(MergeError::Nothing)?;
    let mut records: BTreeMap<(String, String), Record> = BTreeMap::new();
    let mut afterwards: Vec<Afterwards> = Vec::new();
    for part in parts {
        if part.target != first.target || part.seed != first.seed {
            return Err(MergeError::Targets(first.target.clone(), part.target.clone()));
        }
        for record in &part.records {
            let place = (record.card.clone(), record.id.clone());
            if records.insert(place, record.clone()).is_some() {
                return Err(MergeError::Twice(record.id.clone(), record.card.clone()));
            }
        }
        for of_part in &part.afterwards {
            match afterwards.iter_mut().find(|of_whole| of_whole.card == of_part.card) {
                Some(of_whole) => together(of_whole, of_part),
                None => afterwards.push(of_part.clone()),
            }
        }
    }
    let records = records.into_values().collect();
    Ok(Report { format: FORMAT, target: first.target.clone(), seed: first.seed, records, afterwards })
}

/// What became of a card in one part more. Both lists name each thing once.
fn together(of_whole: &mut Afterwards, of_part: &Afterwards) {
    of_whole.put_back.extend(of_part.put_back.iter().cloned());
    of_whole.stays.extend(of_part.stays.iter().cloned());
    of_whole.put_back.sort();
    of_whole.put_back.dedup();
    of_whole.stays.sort();
    of_whole.stays.dedup();
    let stays = &of_whole.stays;
    of_whole.put_back.retain(|thing| !stays.iter().any(|left| left.what == *thing));
}

/// Which tests ended otherwise: a line each. Two cards of one run are compared when each report has one
/// card; else cards are matched by name.
#[must_use]
pub fn diff(one: &Report, two: &Report) -> String {
    let single = one.cards().len() == 1 && two.cards().len() == 1;
    let by_place = |report: &Report| -> BTreeMap<(String, String), Outcome> {
        let card = |r: &Record| if single { String::new() } else { r.card.clone() };
        report.records.iter().map(|r| ((card(r), r.id.clone()), r.outcome)).collect()
    };
    let (left, right) = (by_place(one), by_place(two));
    let mut out = String::new();
    for (place, outcome) in &left {
        match right.get(place) {
            Some(other) if other == outcome => {}
            Some(other) => line(&mut out, place, outcome.name(), other.name()),
            None => line(&mut out, place, outcome.name(), "absent"),
        }
    }
    for (place, outcome) in right.iter().filter(|(place, _)| !left.contains_key(*place)) {
        line(&mut out, place, "absent", outcome.name());
    }
    out
}

fn line(out: &mut String, (card, id): &(String, String), before: &str, after: &str) {
    let card = if card.is_empty() { String::new() } else { format!("{card}: ") };
    let _ = writeln!(out, "{card}{id}: {before} -> {after}");
}
