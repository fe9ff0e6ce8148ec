//! What reports look like, for a run with one of each outcome. `INSTA_UPDATE=always` takes a change over.

use cardlab_conformance::bench::Line;
use cardlab_conformance::report::{Afterwards, FORMAT, Outcome, Record, Report, Stays, compare, html, json, junit, terminal};
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

fn stays(what: &str, why: &str) -> Stays {
    Stays { what: what.into(), why: why.into() }
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
    let afterwards = Afterwards {
        card: "card <A> & Co".into(),
        put_back: vec!["object 5FC105".into(), "the PIN and its tries".into()],
        stays: vec![stays("the key in 9A", "made by the tests <b>"), stays("the key in 9C", "made by the tests <b>")],
    };
    Report { format: FORMAT, target: "pcsc".into(), seed: 1, records, afterwards: vec![afterwards] }
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

/// What one part could not put back is not called put back because another part did.
#[test]
fn parts_say_together_what_became_of_the_card() {
    let (mut one, mut two) = (report(), report());
    two.records.iter_mut().for_each(|record| record.id.push_str("-too"));
    one.afterwards[0].stays = vec![stays("object 5FC121", "absent before, empty now")];
    two.afterwards[0].put_back.push("object 5FC121".into());
    let whole = compare::merge(&[one, two]).unwrap();
    assert_eq!(whole.afterwards[0].put_back, ["object 5FC105", "the PIN and its tries"]);
    assert_eq!(whole.afterwards[0].lines().len(), 2);
    assert_eq!(whole.afterwards.len(), 1);
}

/// Reports of version 1 say nothing of what became of a card, and are read.
#[test]
fn older_reports_are_read() {
    let mut older = report();
    older.afterwards.clear();
    let text = json::write(&older).replace("\"format\": 2", "\"format\": 1").replace(",\n  \"afterwards\": []", "");
    assert!(!text.contains("afterwards"));
    assert_eq!(json::read(&text).unwrap().records, older.records);
    assert!(json::read(&text.replace("\"format\": 1", "\"format\": 3")).unwrap_err().to_string().contains("formats 1 to 2"));
}

#[test]
fn a_card_that_is_as_it_was_says_so() {
    let mut report = report();
    report.afterwards[0].stays.clear();
    assert!(terminal::write(&report).contains(", restored\n"));
    report.afterwards[0].put_back.clear();
    assert!(terminal::write(&report).contains(", nothing was changed\n"));
    report.afterwards.clear();
    assert!(!terminal::write(&report).contains("put back"));
}
