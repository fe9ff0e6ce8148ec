//! `docs/conformance.md` says which section of which standard has which tests. `CARDLAB_WRITE_DOCS=1`
//! writes it anew.

use cardlab_conformance::test::Test;
use cardlab_scenario::file::Scenario;
use cardlab_scenario::suite::all;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

/// What has no tests, and why.
const GAPS: [(&str, &str); 4] = [
    (
        "SP 800-73-4 part 2 section 3.2.1.2",
        "on-card biometric comparison: cardlab's cards have none, so no test could pass anywhere",
    ),
    ("SP 800-85B sections 9 to 11", "biometric records, signed objects and certificate profiles of issued cards"),
    ("SP 800-73-4 part 1 table 5, reference 9B with AES internal authentication", "deprecated"),
    (
        "PC/SC part 5, insertion and removal",
        "no test of the suite pulls a card out; the scenarios, `vreader/tests` and `tests/` do, on simulated readers",
    ),
];

/// What the unlock system must do, in a few words; scenarios name these in `covers`.
const REQUIREMENTS: [(&str, &str); 20] = [
    ("R1", "the card locks after its number of wrong PINs"),
    ("R2", "online unlock on the lock screen"),
    ("R3", "online needs a server and answers; else offline"),
    ("R4", "answers are set in Self-Service, each with a minimum length"),
    ("R5", "wrong answers lock the user"),
    ("R6", "offline unlock: a challenge on the lock screen"),
    ("R7", "Remote Desktop: not on the lock screen, but in a session"),
    ("R8", "operator: answers first, then the response"),
    ("R9", "the response and a new PIN unlock the card"),
    ("R10", "the Unlock tool"),
    ("R11", "Unblock card offline, switched off and on"),
    ("R12", "Validate answers, switched off and on"),
    ("R13", "card states"),
    ("R14", "issuing: initialised, locked, random PIN, number of cards"),
    ("R15", "roles and privileges"),
    ("R16", "Reset answers, Reset user PIN"),
    ("R17", "Remote Self-Service"),
    ("R18", "administrator keys of each card, rolled, with tries of their own"),
    ("R19", "administrator keys stay at the server"),
    ("R20", "every step is an event"),
];

/// Hostile and failing cases that must have an answer.
const HOSTILE: [&str; 31] = [
    "challenge with spaces, dashes, lower case",
    "one wrong character",
    "wrong length, not hex",
    "not hex",
    "implausible challenge",
    "wrong response",
    "response to an older challenge",
    "response to another card",
    "replayed",
    "reset",
    "after reset",
    "after reset or removal",
    "PIN outside the card's rules",
    "card removed",
    "card removed between challenge and response",
    "server down",
    "server dying between answers and response",
    "two operators on one card",
    "policy changed in mid-flow",
    "role changed in mid-flow",
    "user disabled",
    "user deleted",
    "card disabled",
    "card revoked",
    "card unknown to the server",
    "card belonging to another user",
    "admin key blocked",
    "guessing of answers",
    "sessions expire",
    "clock changes",
    "forged wizard",
];
/// Faults of cards and programs beyond those.
const MORE: [&str; 2] = ["bad input", "bad card"];

/// A table of what scenarios cover. Everything has one, and none covers what is not listed.
fn covered(out: &mut String) {
    let mut scenarios = Vec::new();
    for entry in cardlab_scenario::catalogue::all() {
        let scenario = Scenario::parse(entry.text).unwrap_or_else(|e| panic!("{}: {e}", entry.name));
        assert!(!scenario.covers.is_empty(), "{} covers nothing", entry.name);
        scenarios.push((entry.name, scenario));
    }
    assert!(scenarios.len() >= 80, "{}", scenarios.len());
    let hostile = HOSTILE.iter().chain(&MORE).map(|case| (format!("hostile: {case}"), ""));
    let rows: Vec<(String, &str)> = REQUIREMENTS.iter().map(|(id, words)| ((*id).to_owned(), *words)).chain(hostile).collect();
    for (name, scenario) in &scenarios {
        for what in &scenario.covers {
            assert!(rows.iter().any(|(id, _)| id == what), "{name} covers '{what}', which is no row");
        }
    }
    let _ = writeln!(out, "\n## The unlock system\n\n| requirement | scenarios (`cardlab scenario`) |\n|---|---|");
    for (id, words) in rows {
        let own: Vec<&str> = scenarios.iter().filter(|(_, s)| s.covers.contains(&id)).map(|(name, _)| *name).collect();
        assert!(!own.is_empty(), "{id} has no scenario");
        let title = if words.is_empty() { id.trim_start_matches("hostile: ").to_owned() } else { format!("{id} {words}") };
        let _ = writeln!(out, "| {title} | {} |", own.join(", "));
    }
}

fn document(tests: &[Test]) -> String {
    let mut out = String::from(
        "# What the conformance suite covers\n\nMade from the catalogue (`CARDLAB_WRITE_DOCS=1 cargo test -p cardlab-scenario traceability`); a test fails when it is out of date.\n`cardlab conform --list` shows every test.\n\n| section | source | tests | may |\n|---|---|---|---|\n",
    );
    let mut sections: Vec<&str> = Vec::new();
    for test in tests {
        if !sections.contains(&test.section()) {
            sections.push(test.section());
        }
    }
    for section in sections {
        let own: Vec<&Test> = tests.iter().filter(|t| t.section() == section).collect();
        let worst = own.iter().map(|t| t.danger).max().unwrap();
        let _ = writeln!(out, "| `{section}` | {} | {} | {worst} |", own[0].source, own.len());
    }
    let _ = writeln!(out, "\n{} tests in all.", tests.len());
    covered(&mut out);
    let _ = writeln!(out, "\n## Gaps\n\n| what | why |\n|---|---|");
    for (what, why) in GAPS {
        assert!(tests.iter().all(|test| !test.source.starts_with(what)), "{what} is no gap: it has tests");
        let _ = writeln!(out, "| {what} | {why} |");
    }
    out
}

#[test]
fn ids_are_unique() {
    let tests = all();
    let ids: BTreeSet<&str> = tests.iter().map(|test| test.id.as_str()).collect();
    assert_eq!(ids.len(), tests.len());
}

#[test]
fn the_document_is_true() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/conformance.md");
    let made = document(&all());
    if std::env::var_os("CARDLAB_WRITE_DOCS").is_some() {
        std::fs::write(&file, &made).unwrap();
    }
    assert!(
        std::fs::read_to_string(&file).is_ok_and(|text| text == made),
        "docs/conformance.md is out of date; CARDLAB_WRITE_DOCS=1 writes it"
    );
}
