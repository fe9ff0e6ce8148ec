//! A report for people at a terminal.

use super::{Record, Report, Standing};
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
        let records = report.records.iter().filter(|r| r.card == card).cloned().collect();
        let _ = writeln!(out, "{card}: {}", Report { records, ..report.clone() }.summary());
        out.push_str(&standing(&Standing::of(report, card)));
    }
    out
}

/// How a card stands, and below it what is not as it was; nothing where there is nothing to say.
fn standing(standing: &Standing) -> String {
    if standing.is_plain() {
        return String::new();
    }
    let mut out = format!("  {standing}\n");
    if let Some(afterwards) = &standing.afterwards {
        if !afterwards.put_back.is_empty() {
            let _ = writeln!(out, "  put back: {}", afterwards.put_back.join(", "));
        }
        for line in afterwards.lines() {
            let _ = writeln!(out, "  not as it was: {line}");
        }
    }
    out
}

/// A long line with its middle left out.
fn cut(text: &str) -> String {
    const MOST: usize = 100;
    if text.len() <= MOST || !text.is_ascii() {
        return text.to_owned();
    }
    format!("{}..{} ({} bytes)", &text[..60], &text[text.len() - 20..], text.len() / 2)
}
