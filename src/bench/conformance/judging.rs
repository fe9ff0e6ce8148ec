//! A run of the suite on the card in a reader: how far it is, and what came of it.

use super::requests::JudgeView;
use crate::bench::lines::Lines;
use crate::bench::runs::{Run, Shown};
use askama::Template;
use axum::http::StatusCode;
use cardlab_conformance::credentials::Credentials;
use cardlab_conformance::report::{Afterwards, FORMAT, Outcome, Record, Report, Standing, terminal};
use cardlab_conformance::run::{Settings, run as judge};
use cardlab_conformance::target::pcsc::{Allowed, Pcsc, PcscError};
use cardlab_conformance::target::{NoCard, Placed, SILENCE, Target};
use cardlab_conformance::test::{Danger, Need, Test, Wish};
use cardlab_control::error::ApiError;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Failures that are shown while it goes.
const SHOWN: usize = 20;

/// What is to be judged.
pub(super) struct Order {
    pub(super) socket: PathBuf,
    pub(super) reader: String,
    pub(super) danger: Danger,
    pub(super) serial: Option<String>,
    pub(super) credentials: Credentials,
    pub(super) tests: Vec<&'static Test>,
}

/// Where it is.
enum Now {
    /// The card is looked at.
    Looks,
    /// Tests run; the last that ended.
    Runs(String),
    /// It is over.
    Over(Arc<Report>),
    /// It could not begin, or broke down.
    Broken(String),
}

/// What is known of it.
pub(super) struct Judging {
    reader: String,
    pub(super) lines: Lines,
    /// What was recognised.
    card: String,
    all: usize,
    counts: Vec<(Outcome, usize)>,
    /// What the run may cost the card.
    costs: Vec<String>,
    failures: Vec<String>,
    now: Now,
    stop: Arc<AtomicBool>,
}

/// What of the page changes.
#[derive(Template)]
#[template(path = "judging.html")]
struct Part<'a> {
    number: u64,
    judging: &'a Judging,
    sections: Vec<Section<'a>>,
    standing: Vec<Standing>,
}

/// The tests of a section, once all have run.
struct Section<'a> {
    name: &'a str,
    source: &'a str,
    records: Vec<&'a Record>,
    bad: usize,
}

impl Shown for Judging {
    const GONE: &'static str = "That run is not kept any more; run it again.";

    fn is_over(&self) -> bool {
        matches!(self.now, Now::Over(_) | Now::Broken(_))
    }

    fn html(&self, number: u64) -> String {
        let cards = self.report().map(Report::cards).unwrap_or_default();
        let standing = |card: &&str| self.report().map(|report| Standing::of(report, card));
        let standing = cards.iter().filter_map(standing).filter(|standing| !standing.is_plain()).collect();
        Part { number, judging: self, sections: self.report().map(sections).unwrap_or_default(), standing }.to_string()
    }

    type View = JudgeView;

    fn view(&self, number: u64) -> JudgeView {
        let state = match &self.now {
            Now::Looks => "looks",
            Now::Runs(_) => "runs",
            Now::Over(_) if self.stop.load(Ordering::Relaxed) => "stopped",
            Now::Over(_) => "over",
            Now::Broken(_) => "not-run",
        };
        let counts = self.counts.iter().map(|(outcome, count)| (outcome.name().to_owned(), *count)).collect();
        let why = if let Now::Broken(why) = &self.now { Some(why.clone()) } else { None };
        let (reader, card, failures) = (self.reader.clone(), self.card.clone(), self.failures.clone());
        JudgeView { number, reader, card, state: state.into(), over: self.is_over(), tests: self.all, counts, why, failures }
    }
}

/// In the order of running.
fn sections(report: &Report) -> Vec<Section<'_>> {
    let mut sections: Vec<Section<'_>> = Vec::new();
    for record in &report.records {
        let own = record.id.rsplit_once('/').map_or("", |(section, _)| section);
        let bad = usize::from(record.outcome.is_bad());
        match sections.last_mut() {
            Some(section) if section.name == own => {
                section.records.push(record);
                section.bad += bad;
            }
            _ => sections.push(Section { name: own, source: &record.source, records: vec![record], bad }),
        }
    }
    sections
}

/// How good an outcome is, for its badge.
const fn class(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Passed => "good",
        Outcome::Failed | Outcome::UnexpectedPass => "bad",
        Outcome::ExpectedFailure => "warn",
        Outcome::NotApplicable | Outcome::NotRun => "",
    }
}

/// Whether a card keeps less than the standard, or is not as it was.
fn is_bad(standing: &Standing) -> bool {
    let changed = standing.afterwards.as_ref().is_some_and(|afterwards| !afterwards.stays.is_empty());
    changed || standing.levels.iter().any(|(_, failed, _)| *failed > 0)
}

impl Judging {
    /// Before anything was asked of the card.
    pub(super) fn of(order: &Order, lines: Lines) -> Self {
        Self {
            reader: order.reader.clone(),
            lines,
            card: String::new(),
            all: order.tests.len(),
            counts: Vec::new(),
            costs: Vec::new(),
            failures: Vec::new(),
            now: Now::Looks,
            stop: Arc::default(),
        }
    }

    /// No other test is begun. What is over stays as it ended.
    pub(super) fn stop(&self) {
        if !self.is_over() {
            self.stop.store(true, Ordering::Relaxed);
        }
    }

    /// The same in a shell.
    fn stop_lines(&self, number: u64) -> Lines {
        let path = format!("/v1/conformance/runs/{number}/stop");
        Lines::asking(format!("{}  # then Ctrl-C", self.lines.command), "POST", &path)
    }

    /// Once it is over.
    fn report(&self) -> Option<&Report> {
        match &self.now {
            Now::Over(report) => Some(report),
            _ => None,
        }
    }

    /// The same, to be written while others look at the run.
    pub(super) fn kept(&self) -> Option<Arc<Report>> {
        match &self.now {
            Now::Over(report) => Some(report.clone()),
            _ => None,
        }
    }

    fn done(&self) -> usize {
        self.counts.iter().map(|(_, count)| count).sum()
    }

    pub(super) fn badge(&self) -> (&'static str, String) {
        match &self.now {
            Now::Looks => ("", "looks at the card".into()),
            Now::Runs(_) => ("", format!("{} of {}", self.done(), self.all)),
            Now::Over(report) if report.is_bad() => ("bad", format!("{} failed", report.count(Outcome::Failed))),
            Now::Over(_) if self.stop.load(Ordering::Relaxed) => ("warn", "stopped".into()),
            Now::Over(report) if report.count(Outcome::Passed) == 0 => ("warn", "nothing was tested".into()),
            Now::Over(_) => ("good", "no test failed".into()),
            Now::Broken(_) => ("bad", "not run".into()),
        }
    }

    /// What is said of where it is.
    fn words(&self) -> Option<&str> {
        match &self.now {
            Now::Runs(last) => Some(last),
            Now::Broken(why) => Some(why),
            Now::Looks | Now::Over(_) => None,
        }
    }

    fn is_broken(&self) -> bool {
        matches!(self.now, Now::Broken(_))
    }

    fn ended(&mut self, record: &Record) {
        match self.counts.iter_mut().find(|(outcome, _)| *outcome == record.outcome) {
            Some((_, count)) => *count += 1,
            None => self.counts.push((record.outcome, 1)),
        }
        self.counts.sort_unstable();
        if record.outcome.is_bad() && self.failures.len() < SHOWN {
            self.failures.push(terminal::explained(record));
        }
        self.now = Now::Runs(record.id.clone());
    }
}

/// A target until somebody says stop: what was begun ends, and the card is put back.
struct Until<'a> {
    target: &'a mut Pcsc,
    stop: Arc<AtomicBool>,
}

impl Target for Until<'_> {
    fn name(&self) -> String {
        self.target.name()
    }

    fn prepare(&mut self, tests: &[&Test]) -> Result<Vec<String>, String> {
        self.target.prepare(tests)
    }

    fn afterwards(&self) -> Option<Afterwards> {
        self.target.afterwards()
    }

    fn place(&mut self, needs: &[Need], wish: &Wish, danger: Danger) -> Result<Placed<'_>, NoCard> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(NoCard::NotRun("the run was stopped before it".into()));
        }
        self.target.place(needs, wish, danger)
    }
}

/// Runs it on a thread of its own.
pub(super) fn start(run: Arc<Run<Judging>>, order: Order) -> Result<(), ApiError> {
    let judged = run.clone();
    let begun = std::thread::Builder::new().name("conformance".into()).spawn(move || {
        let end = catch_unwind(AssertUnwindSafe(|| work(&judged, order)));
        let end = end.unwrap_or_else(|_| Err("The suite broke down; stderr of cardlab has why.".into()));
        judged.change(|judging| {
            judging.now = end.map_or_else(Now::Broken, |report| Now::Over(Arc::new(report)));
        });
    });
    begun.map(drop).map_err(|error| {
        let why = format!("There is no thread to run it: {error}.");
        run.change(|judging| judging.now = Now::Broken(why.clone()));
        ApiError(StatusCode::INTERNAL_SERVER_ERROR, why)
    })
}

/// The whole of it, or a sentence why it could not begin.
fn work(run: &Run<Judging>, order: Order) -> Result<Report, String> {
    let Order { socket, reader, danger, serial, credentials, tests } = order;
    let allowed = Allowed { danger, serial: serial.as_deref(), edge: None, limit: SILENCE };
    let mut card = Pcsc::open(&socket, &reader, credentials, allowed).map_err(|error| sentence(&error))?;
    run.change(|judging| judging.card = card.facts().name.clone());
    let stop = run.look(|judging| judging.stop.clone());
    let mut target = Until { target: &mut card, stop };
    let costs = target.prepare(&tests)?;
    run.change(|judging| judging.costs = costs);
    let records = judge(&mut target, &tests, Settings::default(), &mut |record| run.change(|judging| judging.ended(record)));
    let afterwards = target.afterwards().into_iter().collect();
    Ok(Report { format: FORMAT, target: format!("pcsc:{reader}"), seed: 0, records, afterwards })
}

/// Why the card cannot be judged, and what to do.
fn sentence(error: &PcscError) -> String {
    match error {
        PcscError::NoSerial(_, serial) if serial.is_empty() => {
            "More than reading is done only to a card that is named, and this one shows no serial.".into()
        }
        PcscError::NoSerial(_, serial) => {
            format!("More than reading is done only to a card that is named: its serial is {serial}. Type it, and run again.")
        }
        other => format!("The card cannot be judged: {other}."),
    }
}
