//! Every scenario that comes with cardlab holds on simulated cards: a test each, by its id in the suite.

use cardlab_conformance::book::Book;
use cardlab_conformance::report::Outcome;
use cardlab_conformance::run::{Settings, run};
use cardlab_conformance::test::Test;
use cardlab_scenario::suite::{self, Unlock};
use libtest_mimic::{Arguments, Failed, Trial};

fn main() {
    let mut book = Book::default();
    suite::fill(&mut book);
    let trial = |test: Test| Trial::test(test.id.clone(), move || holds(&test));
    libtest_mimic::run(&Arguments::from_args(), book.into_tests().into_iter().map(trial).collect()).exit();
}

fn holds(test: &Test) -> Result<(), Failed> {
    let records = run(&mut Unlock, &[test], Settings::default(), &mut |_| {});
    if records.iter().all(|record| record.outcome == Outcome::Passed) {
        return Ok(());
    }
    Err(records.iter().map(|record| record.reason.as_str()).collect::<String>().into())
}
