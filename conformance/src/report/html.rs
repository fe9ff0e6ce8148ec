//! A report as one page that needs nothing else.

use super::{Outcome, Record, Report};
use std::fmt::Write as _;

const STYLE: &str = include_str!("report.css");
const SCRIPT: &str = include_str!("report.js");

/// Writes a report.
#[must_use]
pub fn write(report: &Report) -> String {
    let mut out = String::with_capacity(report.records.len() * 600);
    let _ = write!(
        out,
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>Conformance: {}</title><style>{STYLE}</style></head><body><header><h1>Conformance</h1><p>Target {}, seed {}: {}.</p></header>",
        escaped(&report.cards().join(", ")),
        escaped(&report.target),
        report.seed,
        escaped(&report.summary()),
    );
    overview(&mut out, report);
    filters(&mut out, report);
    out.push_str("<main>");
    for card in report.cards() {
        let _ = write!(out, "<section data-card=\"{0}\"><h2>{0}</h2>", escaped(card));
        let mut section = "";
        for record in report.records.iter().filter(|r| r.card == card) {
            let own = record.id.rsplit_once('/').map_or("", |(section, _)| section);
            if own != section {
                let _ = write!(out, "<h3>{} <small>{}</small></h3>", escaped(own), escaped(&record.source));
                section = own;
            }
            one(&mut out, record);
        }
        out.push_str("</section>");
    }
    let _ = write!(out, "</main><script>{SCRIPT}</script></body></html>");
    out
}

/// A table: a row a standard, a column an outcome.
fn overview(out: &mut String, report: &Report) {
    let shown: Vec<Outcome> = Outcome::ALL.into_iter().filter(|o| report.count(*o) > 0).collect();
    out.push_str("<section><h2>By standard</h2><table><thead><tr><th scope=\"col\">Standard</th>");
    for outcome in &shown {
        let _ = write!(out, "<th scope=\"col\">{}</th>", outcome.name());
    }
    out.push_str("</tr></thead><tbody>");
    let standard = |r: &Record| r.id.splitn(3, '/').take(2).collect::<Vec<_>>().join("/");
    let mut rows: Vec<String> = report.records.iter().map(standard).collect();
    rows.sort();
    rows.dedup();
    for row in rows {
        let _ = write!(out, "<tr><th scope=\"row\">{}</th>", escaped(&row));
        for outcome in &shown {
            let count = report.records.iter().filter(|r| r.outcome == *outcome && standard(r) == row).count();
            let _ = write!(out, "<td class=\"{}\">{count}</td>", class(*outcome));
        }
        out.push_str("</tr>");
    }
    out.push_str("</tbody></table></section>");
}

fn filters(out: &mut String, report: &Report) {
    out.push_str(
        "<form id=\"filter\"><label>Id or title <input type=\"search\" id=\"words\"></label><fieldset><legend>Show</legend>",
    );
    for outcome in Outcome::ALL.into_iter().filter(|o| report.count(*o) > 0) {
        let checked = if outcome == Outcome::NotApplicable { "" } else { " checked" };
        let _ = write!(
            out,
            "<label><input type=\"checkbox\" name=\"outcome\" value=\"{}\"{checked}> {} ({})</label>",
            class(outcome),
            outcome.name(),
            report.count(outcome)
        );
    }
    out.push_str("</fieldset><p id=\"shown\" role=\"status\"></p></form>");
}

fn one(out: &mut String, record: &Record) {
    let open = if record.outcome.is_bad() { " open" } else { "" };
    let _ = write!(
        out,
        "<details class=\"test {}\" data-outcome=\"{}\"{open}><summary><b>{}</b> {} <code>{}</code></summary>",
        class(record.outcome),
        class(record.outcome),
        record.outcome.name(),
        escaped(&record.title),
        escaped(&record.id),
    );
    let _ = write!(out, "<p>{} ({}); danger: {}.</p>", escaped(&record.source), record.level.name(), record.danger);
    if !record.reason.is_empty() {
        let _ = write!(out, "<p class=\"reason\">{}</p>", escaped(&record.reason));
    }
    if !record.transcript.is_empty() {
        out.push_str("<pre>");
        for line in &record.transcript {
            let _ = writeln!(out, "&gt; {}", escaped(&line.command));
            if !line.response.is_empty() {
                let _ = writeln!(out, "&lt; {}", escaped(&line.response));
            }
        }
        out.push_str("</pre>");
    }
    out.push_str("</details>");
}

const fn class(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Passed => "passed",
        Outcome::Failed => "failed",
        Outcome::ExpectedFailure => "expected-failure",
        Outcome::UnexpectedPass => "unexpected-pass",
        Outcome::NotApplicable => "not-applicable",
        Outcome::NotRun => "not-run",
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
