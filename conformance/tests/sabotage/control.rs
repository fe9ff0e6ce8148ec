//! Nothing is wrong with these cards, or they give no answer at all.

use crate::good::{SELECT, VERIFY};
use crate::shell::{PROFILES, Sabotaged, quick, shell};
use cardlab_conformance::catalogue::all;
use cardlab_conformance::report::{Outcome, Record};
use cardlab_conformance::run::{Settings, run};
use cardlab_conformance::target::sim::Sim;
use cardlab_conformance::test::Test;
use std::time::Duration;

/// What the suite catches is the fault, never the shell.
#[test]
fn a_shell_without_a_fault_is_the_good_card() {
    let tests = all();
    for profile in PROFILES {
        let good = run(&mut Sim::new(profile, 1).unwrap(), &quick(&tests), Settings::default(), &mut |_| {});
        let mut covered = Sabotaged::new(profile, || shell(|card, command| card.pass(command)));
        let covered = run(&mut covered, &quick(&tests), Settings::default(), &mut |_| {});
        assert!(good.iter().any(|record| record.outcome == Outcome::Passed));
        for (good, covered) in good.iter().zip(&covered) {
            assert_ne!(good.outcome, Outcome::Failed, "{profile}: {}: {}", good.id, good.reason);
            assert_eq!((good.outcome, &good.reason), (covered.outcome, &covered.reason), "{profile}: {}", good.id);
            assert_eq!(said(good), said(covered), "{profile}: {}", good.id);
        }
    }
}

/// Headers and status words of all commands; some data is drawn by the suite, anew each time.
fn said(record: &Record) -> Vec<(&str, &str)> {
    record
        .transcript
        .iter()
        .map(|line| (&line.command[..line.command.len().min(8)], &line.response[line.response.len().saturating_sub(4)..]))
        .collect()
}

/// Three tests that say no more than a VERIFY.
fn three(tests: &[Test]) -> Vec<&Test> {
    ["right-pin", "wrong-pin-costs-a-try", "query-costs-nothing"]
        .map(|name| tests.iter().find(|test| test.id == format!("piv/800-73-4-2/3.2.1/{name}")).unwrap())
        .to_vec()
}

#[test]
fn a_card_that_breaks_down_fails_its_test_and_the_run_goes_on() {
    let tests = all();
    let broken = || {
        shell(|card, command| {
            assert!(command.ins != VERIFY || command.data.is_empty(), "a fuse has blown");
            card.pass(command)
        })
    };
    let records = run(&mut Sabotaged::new("nist-piv", broken), &three(&tests), Settings::default(), &mut |_| {});
    let told = "the card or the test broke down: a fuse has blown";
    assert_eq!((records[0].outcome, records[0].reason.as_str()), (Outcome::Failed, told));
    assert_eq!((records[1].outcome, records[1].reason.as_str()), (Outcome::Failed, told));
    assert_eq!(records[2].outcome, Outcome::Passed, "{}", records[2].reason);
}

#[test]
fn a_card_that_hangs_ends_the_run_within_the_limit() {
    let tests = all();
    let hanging = || {
        shell(|card, command| {
            if command.ins == SELECT {
                return card.pass(command);
            }
            loop {
                std::thread::park();
            }
        })
    };
    let mut target = Sabotaged::impatient("nist-piv", hanging, Duration::from_millis(1500));
    let records = run(&mut target, &three(&tests), Settings::default(), &mut |_| {});
    let told = "the card gave no answer in 1.5 seconds";
    assert_eq!((records[0].outcome, &*records[0].reason), (Outcome::Failed, &*format!("the card could not be asked: {told}")));
    for record in &records[1..] {
        assert_eq!((record.outcome, record.reason.as_str()), (Outcome::NotRun, told));
    }
}
