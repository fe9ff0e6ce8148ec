//! Every profile passes the whole suite, in process and behind the socket, with the same results.
#![allow(clippy::unwrap_used)]

use cardlab_conformance::catalogue::all;
use cardlab_conformance::report::{Outcome, Report, terminal};
use cardlab_conformance::run::{Settings, run};
use cardlab_conformance::target::Target;
use cardlab_conformance::target::sim::Sim;
use cardlab_conformance::target::socket::Socket;
use cardlab_conformance::test::{Need, Test};
use cardlab_sim::profile::Profile;
use std::collections::BTreeMap;

fn report(target: &mut dyn Target, tests: &[&Test]) -> Report {
    let records = run(target, tests, Settings::default(), &mut |_| {});
    Report { format: 1, target: "t".into(), seed: 1, records }
}

#[test]
fn every_profile_passes_in_process_and_behind_the_socket() {
    let tests = all();
    let quick: Vec<&Test> = tests.iter().filter(|t| !t.needs.contains(&Need::RsaKeyGeneration)).collect();
    let mut passed_somewhere: BTreeMap<&str, bool> = quick.iter().map(|t| (t.id.as_str(), false)).collect();
    for profile in Profile::names() {
        let here = report(&mut Sim::new(profile, 1).unwrap(), &quick);
        let there = report(&mut Socket::new(profile, 1).unwrap(), &quick);
        for report in [&here, &there] {
            assert!(!report.is_bad(), "{}", terminal::write(report));
            for record in report.records.iter().filter(|r| r.outcome == Outcome::Passed) {
                *passed_somewhere.get_mut(record.id.as_str()).unwrap() = true;
            }
        }
        for (one, two) in here.records.iter().zip(&there.records) {
            let only_one = |r: &str| r.contains("(pcsc)") || r.contains("(tear-points)");
            if !only_one(&one.reason) && !only_one(&two.reason) {
                assert_eq!((one.outcome, &one.reason), (two.outcome, &two.reason), "{profile}: {}", one.id);
            }
        }
    }
    let never: Vec<&str> = passed_somewhere.into_iter().filter(|(_, passed)| !passed).map(|(id, _)| id).collect();
    assert!(never.is_empty(), "tests that never apply test nothing: {never:#?}");
}
