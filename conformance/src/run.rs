//! Running tests: one card after the other, one test after the other, a card for each test.

use crate::bench::{Bench, Stop};
use crate::report::{Outcome, Record};
use crate::target::{NoCard, Target};
use crate::test::{Danger, Test};
use cardlab_client::transport::TransportError;
use std::any::Any;
use std::panic::{self, AssertUnwindSafe};
use std::time::Instant;

/// How to run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Settings {
    /// Run each test this many times; the first that does not pass counts. 0 is once.
    pub repeat: u32,
    /// Stop at the first failure.
    pub fail_fast: bool,
}

/// Runs tests on a target's cards. `watch` sees each record as it comes.
pub fn run(target: &mut dyn Target, tests: &[&Test], settings: Settings, watch: &mut dyn FnMut(&Record)) -> Vec<Record> {
    let mut records = Vec::with_capacity(tests.len());
    let mut over: Option<String> = None;
    for test in tests {
        let record = match &over {
            Some(why) => record(&target.name(), test, Outcome::NotRun, why.clone(), Vec::new(), 0),
            None => repeated(target, test, settings.repeat.max(1), &mut over),
        };
        watch(&record);
        if settings.fail_fast && record.outcome == Outcome::Failed && over.is_none() {
            over = Some("the run was to stop at the first failure".into());
        }
        records.push(record);
    }
    records
}

fn repeated(target: &mut dyn Target, test: &Test, times: u32, over: &mut Option<String>) -> Record {
    let mut last = once(target, test, over);
    for _ in 1..times {
        if last.outcome != Outcome::Passed {
            break;
        }
        last = once(target, test, over);
    }
    last
}

fn once(target: &mut dyn Target, test: &Test, over: &mut Option<String>) -> Record {
    let name = target.name();
    let placed = match target.place(&test.needs, &test.wish, test.danger) {
        Ok(placed) => placed,
        Err(NoCard::NotApplicable(why)) => return record(&name, test, Outcome::NotApplicable, why, Vec::new(), 0),
        Err(NoCard::NotRun(why)) => return record(&name, test, Outcome::NotRun, why, Vec::new(), 0),
    };
    let lives_on = !placed.facts.new;
    let mut bench = Bench::new(placed.slot, placed.facts, test.danger);
    if let Some(custody) = placed.custody {
        bench = bench.under(custody);
    }
    let started = Instant::now();
    let verdict = panic::catch_unwind(AssertUnwindSafe(|| test.perform(&mut bench)))
        .unwrap_or_else(|payload| Err(Stop::Failed(format!("the card or the test broke down: {}", message_of(&*payload)))));
    let micros = started.elapsed().as_micros() as u64;
    // A new card is waited for no more than any other: what keeps one from answering keeps the next one too.
    let gone = match &verdict {
        Err(Stop::Card(TransportError::Removed | TransportError::NoReader)) if lives_on => {
            Some("the card is no longer there".to_owned())
        }
        Err(Stop::Card(TransportError::Silent(why))) => Some(why.clone()),
        _ => None,
    };
    let (mut outcome, mut reason) = match verdict {
        Ok(()) => (Outcome::Passed, String::new()),
        Err(Stop::Failed(what)) => (Outcome::Failed, what),
        Err(Stop::NotApplicable(why)) => (Outcome::NotApplicable, why),
        Err(Stop::NotRun(why)) => (Outcome::NotRun, why),
        Err(stop @ Stop::Card(_)) => (Outcome::Failed, stop.to_string()),
    };
    let transcript = std::mem::take(&mut bench.transcript);
    if let (false, Outcome::Passed, Some(place)) = (lives_on, outcome, bench.written_beside(&test.writes)) {
        (outcome, reason) =
            (Outcome::Failed, format!("a fault of the suite: the test writes {place}, and does not say so before"));
    }
    if gone.is_some() {
        bench.left_as_it_is("the card could not be asked any more");
        *over = gone;
    } else if lives_on
        && test.danger > Danger::Safe
        && test.danger < Danger::Resets
        && let Err(stop) = bench.restore()
    {
        // Nothing more is done to a card that is not as it was.
        *over = Some(format!("the card could not be brought back to what it was after {}: {stop}", test.id));
        let before = if reason.is_empty() { String::new() } else { format!("{reason}; ") };
        (outcome, reason) = (Outcome::Failed, format!("{before}the card could not be brought back to what it was: {stop}"));
    }
    record(&name, test, outcome, reason, transcript, micros)
}

/// What a panic said.
fn message_of(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("it says nothing of why")
}

fn record(card: &str, test: &Test, outcome: Outcome, reason: String, transcript: Vec<crate::bench::Line>, micros: u64) -> Record {
    Record {
        card: card.to_owned(),
        id: test.id.clone(),
        title: test.title.clone(),
        source: test.source.clone(),
        level: test.level,
        danger: test.danger,
        outcome,
        reason,
        transcript,
        micros,
    }
}
