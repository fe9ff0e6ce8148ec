//! `docs/conformance.md` says which section of which standard has which tests. `CARDLAB_WRITE_DOCS=1`
//! writes it anew.
#![allow(clippy::unwrap_used)]

use cardlab_conformance::catalogue::all;
use cardlab_conformance::test::Test;
use std::fmt::Write as _;
use std::path::Path;

/// What has no tests, and why.
const GAPS: [(&str, &str); 6] = [
    (
        "SP 800-73-4 part 2 section 3.2.1.2",
        "on-card biometric comparison: cardlab's cards have none, so no test could pass anywhere",
    ),
    ("SP 800-73-4 part 2 section 4", "secure messaging and the virtual contact interface: the same"),
    ("SP 800-85B sections 9 to 11", "biometric records, signed objects and certificate profiles of issued cards"),
    ("SP 800-73-4 part 1 table 5, reference 9B with AES internal authentication", "deprecated"),
    (
        "PC/SC part 5, insertion and removal",
        "nothing pulls a card out for a test yet; `vreader/tests` and `tests/` do, on simulated readers",
    ),
    ("The unlock flows with a management server", "tested in `server-stub/tests` and `tests/`, not by this suite yet"),
];

fn document(tests: &[Test]) -> String {
    let mut out = String::from(
        "# What the conformance suite covers\n\nMade from the catalogue (`CARDLAB_WRITE_DOCS=1 cargo test -p cardlab-conformance --test traceability`); a test fails when it is out of date.\n`cardlab conform --list` shows every test.\n\n| section | source | tests | may |\n|---|---|---|---|\n",
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
    let _ = writeln!(out, "\n{} tests in all.\n\n## Gaps\n\n| what | why |\n|---|---|", tests.len());
    for (what, why) in GAPS {
        let _ = writeln!(out, "| {what} | {why} |");
    }
    out
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
