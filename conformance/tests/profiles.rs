//! Every profile passes the whole suite, in process and behind the socket, with the same results.

use cardlab_conformance::catalogue::all;
use cardlab_conformance::report::{Outcome, Report, terminal};
use cardlab_conformance::run::{Settings, run};
use cardlab_conformance::target::Target;
use cardlab_conformance::target::sim::Sim;
use cardlab_conformance::target::socket::Socket;
use cardlab_conformance::test::{Need, Test};
use cardlab_sim::profile::Profile;

/// A test of each profile, so that they run beside each other.
macro_rules! profiles {
    ($($test:ident: $profile:literal,)*) => {
        const PROFILES: &[&str] = &[$($profile),*];
        $(
            #[test]
            fn $test() {
                passes_in_process_and_behind_the_socket($profile);
            }
        )*
    };
}

profiles! {
    gids: "gids",
    gids_blank: "gids-blank",
    nist_piv: "nist-piv",
    piv_admin: "piv-admin",
    yubikey_4_3: "yubikey-4.3",
    yubikey_5_4: "yubikey-5.4",
    yubikey_5_7: "yubikey-5.7",
}

#[test]
fn every_profile_has_its_test() {
    let mut names: Vec<&str> = Profile::names().collect();
    names.sort_unstable();
    assert_eq!(PROFILES, names);
}

fn report(target: &mut dyn Target, tests: &[&Test]) -> Report {
    let records = run(target, tests, Settings::default(), &mut |_| {});
    Report { format: 2, target: "t".into(), seed: 1, records, afterwards: Vec::new() }
}

/// All but the generation of RSA keys, which takes seconds each.
fn quick(tests: &[Test]) -> Vec<&Test> {
    tests.iter().filter(|test| !test.needs.contains(&Need::RsaKeyGeneration)).collect()
}

fn passes_in_process_and_behind_the_socket(profile: &str) {
    let tests = all();
    let here = report(&mut Sim::new(profile, 1).unwrap(), &quick(&tests));
    let there = report(&mut Socket::new(profile, 1).unwrap(), &quick(&tests));
    for report in [&here, &there] {
        assert!(!report.is_bad(), "{}", terminal::write(report));
    }
    for (one, two) in here.records.iter().zip(&there.records) {
        let only_one = |r: &str| r.contains("(pcsc)") || r.contains("(tear-points)");
        if !only_one(&one.reason) && !only_one(&two.reason) {
            assert_eq!((one.outcome, &one.reason), (two.outcome, &two.reason), "{profile}: {}", one.id);
        }
    }
}

#[test]
fn every_test_applies_somewhere() {
    let tests = all();
    let mut never = quick(&tests);
    for profile in PROFILES {
        for target in [&mut Sim::new(profile, 1).unwrap() as &mut dyn Target, &mut Socket::new(profile, 1).unwrap()] {
            let report = report(target, &never);
            let passed = |test: &&Test| report.records.iter().any(|r| r.id == test.id && r.outcome == Outcome::Passed);
            never.retain(|test| !passed(test));
        }
    }
    let ids: Vec<&str> = never.iter().map(|test| test.id.as_str()).collect();
    assert!(ids.is_empty(), "tests that never apply test nothing: {ids:#?}");
}
