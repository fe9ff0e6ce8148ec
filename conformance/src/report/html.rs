//! A report as one page that needs nothing else.

use super::{Outcome, Record, Report, Standing};
use askama::Template;

const STYLE: &str = include_str!("../../templates/report.css");
const SCRIPT: &str = include_str!("../../templates/report.js");

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    report: &'a Report,
    /// The names of all cards.
    cards: String,
    /// The outcomes that there are, and how often.
    outcomes: Vec<(Outcome, usize)>,
    standards: Vec<Standard>,
    tested: Vec<Tested<'a>>,
}

/// A row of the table: a standard with how many tests of it ended how.
struct Standard {
    name: String,
    counts: Vec<(Outcome, usize)>,
}

/// A card.
struct Tested<'a> {
    name: &'a str,
    standing: Standing,
    sections: Vec<Section<'a>>,
}

/// The tests of a standard's section, in the order of running.
struct Section<'a> {
    name: &'a str,
    source: &'a str,
    records: Vec<&'a Record>,
}

/// Writes a report.
#[must_use]
pub fn write(report: &Report) -> String {
    let outcomes: Vec<_> = Outcome::ALL.into_iter().map(|o| (o, report.count(o))).filter(|(_, count)| *count > 0).collect();
    let page = Page {
        report,
        cards: report.cards().join(", "),
        standards: standards(report, &outcomes),
        outcomes,
        tested: report.cards().into_iter().map(|card| tested(report, card)).collect(),
    };
    page.to_string()
}

fn standards(report: &Report, outcomes: &[(Outcome, usize)]) -> Vec<Standard> {
    let standard = |r: &Record| r.id.splitn(3, '/').take(2).collect::<Vec<_>>().join("/");
    let mut names: Vec<String> = report.records.iter().map(standard).collect();
    names.sort();
    names.dedup();
    let row = |name: String| {
        let count = |outcome| report.records.iter().filter(|r| r.outcome == outcome && standard(r) == name).count();
        Standard { counts: outcomes.iter().map(|(outcome, _)| (*outcome, count(*outcome))).collect(), name }
    };
    names.into_iter().map(row).collect()
}

fn tested<'a>(report: &'a Report, name: &'a str) -> Tested<'a> {
    let mut sections: Vec<Section<'a>> = Vec::new();
    for record in report.records.iter().filter(|r| r.card == name) {
        let own = record.id.rsplit_once('/').map_or("", |(section, _)| section);
        match sections.last_mut() {
            Some(section) if section.name == own => section.records.push(record),
            _ => sections.push(Section { name: own, source: &record.source, records: vec![record] }),
        }
    }
    Tested { name, standing: Standing::of(report, name), sections }
}

impl Outcome {
    /// Whether it is among what the page shows at first.
    const fn is_shown(self) -> bool {
        !matches!(self, Self::NotApplicable)
    }

    /// Its name in style and script.
    const fn class(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::ExpectedFailure => "expected-failure",
            Self::UnexpectedPass => "unexpected-pass",
            Self::NotApplicable => "not-applicable",
            Self::NotRun => "not-run",
        }
    }
}
