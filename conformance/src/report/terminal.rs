//! A report for people at a terminal.

use super::{Outcome, Record, Report};
use crate::test::Level;
use std::fmt::Write as _;

/// Lines of a transcript that are shown of a failure: the last ones tell most.
const SHOWN: usize = 12;

/// A failure with its source and what was said.
#[must_use]
pub fn explained(record: &Record) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "{}: {} [{}]", record.card, record.id, record.outcome.name());
    let _ = writeln!(out, "  should hold  {}", record.title);
    let _ = writeln!(out, "  source       {} ({})", record.source, record.level.name());
    if !record.reason.is_empty() {
        let _ = writeln!(out, "  but          {}", record.reason);
    }
    let hidden = record.transcript.len().saturating_sub(SHOWN);
    if hidden > 0 {
        let _ = writeln!(out, "    .. {hidden} exchanges before");
    }
    for line in &record.transcript[hidden..] {
        let _ = writeln!(out, "    > {}", cut(&line.command));
        if !line.response.is_empty() {
            let _ = writeln!(out, "    < {}", cut(&line.response));
        }
    }
    out
}

/// The end of a run: what went wrong, then the numbers.
#[must_use]
pub fn write(report: &Report) -> String {
    let mut out = String::new();
    for record in report.records.iter().filter(|r| r.outcome.is_bad()) {
        out.push_str(&explained(record));
        out.push('\n');
    }
    for card in report.cards() {
        let own = Report { records: report.records.iter().filter(|r| r.card == card).cloned().collect(), ..report.clone() };
        let _ = writeln!(out, "{card}: {}", own.summary());
        out.push_str(&by_level(&own));
    }
    out
}

/// Whether a card keeps the standard, in one line; nothing where there is nothing to say.
fn by_level(report: &Report) -> String {
    let failed = |record: &&Record| matches!(record.outcome, Outcome::Failed | Outcome::ExpectedFailure);
    let of = |level: Level| {
        let judged = report.records.iter().filter(|r| r.level == level);
        let judged = judged.filter(|r| r.outcome == Outcome::Passed || failed(r));
        let (failed, all) = (judged.clone().filter(failed).count(), judged.count());
        format!("{}: {failed} of {all} failed", level.name())
    };
    if !report.records.iter().any(|record| failed(&record)) {
        return String::new();
    }
    let silent =
        report.records.iter().filter(|r| r.outcome == Outcome::NotApplicable && r.reason.contains("does not tell")).count();
    let levels = [Level::Must, Level::Should, Level::Profile].map(of).join(", ");
    format!("  {levels}, not told by the card: {silent}\n")
}

/// A long line with its middle left out.
fn cut(text: &str) -> String {
    const MOST: usize = 100;
    if text.len() <= MOST || !text.is_ascii() {
        return text.to_owned();
    }
    format!("{}..{} ({} bytes)", &text[..60], &text[text.len() - 20..], text.len() / 2)
}
