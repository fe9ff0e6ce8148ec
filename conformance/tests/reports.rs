//! What reports look like, for a run with one of each outcome. `INSTA_UPDATE=always` takes a change over.

use cardlab_conformance::bench::Line;
use cardlab_conformance::report::{FORMAT, Outcome, Record, Report, compare, html, json, junit, terminal};
use cardlab_conformance::test::{Danger, Level};

fn record(id: &str, outcome: Outcome, reason: &str) -> Record {
    let line = |command: &str, response: &str| Line { command: command.into(), response: response.into() };
    Record {
        card: "card <A> & Co".into(),
        id: format!("piv/800-73-4-2/3.2.1/{id}"),
        title: format!("A wrong PIN, \"{id}\""),
        source: "SP 800-73-4 part 2 section 3.2.1".into(),
        level: Level::Must,
        danger: Danger::SpendsTries,
        outcome,
        reason: reason.into(),
        transcript: vec![line("reset", ""), line("00 20 00 80 08 31", "63 C2")],
        micros: 1500,
    }
}

fn report() -> Report {
    let records = vec![
        record("passes", Outcome::Passed, ""),
        record("fails", Outcome::Failed, "expected 63C2, got 9000 <script>"),
        record("known", Outcome::ExpectedFailure, "ticket 4711 (expected 63C2, got 9000)"),
        record("passes-after-all", Outcome::UnexpectedPass, "known as a failure (ticket), but it passed: take the entry out"),
        record("of-others", Outcome::NotApplicable, "for cards of another kind (gids)"),
        record("not-run", Outcome::NotRun, "'locks' is not allowed; --allow locks --serial 00"),
    ];
    Report { format: FORMAT, target: "pcsc".into(), seed: 1, records }
}

#[test]
fn for_people_at_a_terminal() {
    insta::assert_snapshot!(terminal::write(&report()));
}

#[test]
fn for_programs() {
    insta::assert_snapshot!(json::write(&report()));
}

#[test]
fn for_ci() {
    insta::assert_snapshot!(junit::write(&report()).unwrap_or_else(|error| error));
}

#[test]
fn for_people_who_read() {
    let page = html::write(&report());
    assert_eq!(page.matches("<script").count(), 1, "what cards say is text");
    // Style and script are the page's own; what it says is what the snapshot keeps.
    let body = page.split("<body").nth(1).and_then(|rest| rest.split("<script").next()).unwrap_or_default();
    insta::assert_snapshot!(body);
}

#[test]
fn what_differs() {
    let mut other = report();
    other.records[0].outcome = Outcome::Failed;
    other.records.remove(1);
    insta::assert_snapshot!(compare::diff(&report(), &other));
}
