//! The suite catches bugs: each fault that is seeded into the card makes a test fail.
#![allow(clippy::unwrap_used)]

use cardlab_conformance::catalogue::all;
use cardlab_conformance::report::Outcome;
use cardlab_conformance::run::{Settings, run};
use cardlab_conformance::target::sim::Sim;
use cardlab_conformance::test::{Need, Test};
use cardlab_sim::seeded::{FAULTS, switch};

/// One of each kind of card.
const PROFILES: [&str; 4] = ["piv-admin", "gids", "nist-piv", "yubikey-5.7"];

#[test]
fn every_fault_is_caught() {
    let tests = all();
    let quick: Vec<&Test> = tests.iter().filter(|t| !t.needs.contains(&Need::RsaKeyGeneration)).collect();
    let mut missed = Vec::new();
    for (name, what) in FAULTS {
        switch(name);
        let caught = PROFILES.into_iter().find_map(|profile| {
            let settings = Settings { fail_fast: true, ..Settings::default() };
            let records = run(&mut Sim::new(profile, 1).unwrap(), &quick, settings, &mut |_| {});
            records.into_iter().find(|r| r.outcome == Outcome::Failed).map(|r| format!("{profile}: {}", r.id))
        });
        switch("");
        match caught {
            Some(by) => println!("{name}: caught by {by}"),
            None => missed.push((name, what)),
        }
    }
    assert!(missed.is_empty(), "not caught: {missed:#?}");
}
