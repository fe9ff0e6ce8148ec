//! A scenario that is played: which step it is at, and what there is to see.

use super::requests::{PlayView, StepView};
use crate::bench::lines::Lines;
use crate::bench::runs::{Run, Shown};
use askama::Template;
use axum::http::StatusCode;
use cardlab_control::error::ApiError;
use cardlab_scenario::file::Scenario;
use cardlab_scenario::play::{Around, CardSeen, Logged, Stage};
use cardlab_scenario::world::cards::Source;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

/// Seed of the simulated cards.
const SEED: u64 = 1;
/// Entries of the server's log that are shown.
const MOST_LOGGED: usize = 60;

/// What whoever watches wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// The next step.
    Next,
    /// All others.
    Rest,
    /// No more.
    End,
}

impl Order {
    const ALL: [Self; 3] = [Self::Next, Self::Rest, Self::End];

    /// As an address has it.
    const fn name(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::Rest => "rest",
            Self::End => "end",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|order| order.name() == name)
    }
}

/// Where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Now {
    /// Cards, server and people are made.
    Made,
    /// The next step waits to be asked for.
    Waits,
    /// A step is played.
    Plays,
    /// It is over: as it says.
    Holds,
    /// A step did not hold, or the world could not be made.
    Fails(String),
    /// Whoever watched ended it.
    Ended,
}

/// A step on the page.
struct Row {
    number: usize,
    name: String,
    line: usize,
    /// What stands in the file about it: a comment before it, and its fields.
    about: String,
    fields: String,
    /// What came of it; nothing while it has not been played.
    wrong: Option<Option<String>>,
}

/// What of the page changes.
#[derive(Template)]
#[template(path = "stage.html")]
struct Part<'a> {
    number: u64,
    playing: &'a Playing,
}

/// What is known of it.
pub(super) struct Playing {
    pub(super) title: String,
    pub(super) lines: Lines,
    by_step: bool,
    now: Now,
    steps: Vec<Row>,
    around: Option<Around>,
    /// The newest first.
    log: Vec<Logged>,
    orders: Sender<Order>,
}

impl Shown for Playing {
    const GONE: &'static str = "That run is not kept any more; play the scenario again.";

    fn is_over(&self) -> bool {
        matches!(self.now, Now::Holds | Now::Fails(_) | Now::Ended)
    }

    fn waits(&self) -> bool {
        self.now == Now::Waits
    }

    fn html(&self, number: u64) -> String {
        Part { number, playing: self }.to_string()
    }

    type View = PlayView;

    fn view(&self, number: u64) -> PlayView {
        let step = |row: &Row| {
            let outcome = row.wrong.as_ref().map(|wrong| wrong.is_none());
            StepView {
                number: row.number,
                name: row.name.clone(),
                line: row.line,
                holds: outcome,
                wrong: row.wrong.clone().flatten(),
            }
        };
        let state = match self.now {
            Now::Made => "made",
            Now::Waits => "waits",
            Now::Plays => "plays",
            Now::Holds => "holds",
            Now::Fails(_) => "fails",
            Now::Ended => "ended",
        };
        let (title, why) = (self.title.clone(), self.why().map(str::to_owned));
        PlayView { number, title, state: state.into(), over: self.is_over(), why, steps: self.steps.iter().map(step).collect() }
    }
}

impl Playing {
    /// Before anything was played.
    pub(super) fn of(scenario: &Scenario, text: &str, lines: Lines, by_step: bool) -> (Self, Receiver<Order>) {
        let (orders, ordered) = channel();
        let (title, steps) = (scenario.title.clone(), rows(scenario, text));
        let playing = Self { title, lines, by_step, now: Now::Made, steps, around: None, log: Vec::new(), orders };
        (playing, ordered)
    }

    /// Hands on what is wanted: from now on it waits no more.
    pub(super) fn order(&mut self, order: Order) -> Result<(), ApiError> {
        if !self.is_over() && self.orders.send(order).is_ok() {
            if self.now == Now::Waits {
                self.now = Now::Plays;
            }
            return Ok(());
        }
        Err(ApiError(StatusCode::CONFLICT, "It is over: nothing is played any more.".into()))
    }

    /// An order in a shell: a key of the command that plays it, and a request.
    fn order_lines(&self, order: Order, number: u64) -> Lines {
        let key = match order {
            Order::Next => "Enter",
            Order::Rest => "r and Enter",
            Order::End if self.by_step => "q and Enter",
            Order::End => "Ctrl-C",
        };
        let path = format!("/v1/scenarios/runs/{number}/{}", order.name());
        Lines::asking(format!("{}  # then {key}", self.lines.command), "POST", &path)
    }

    fn played(&self) -> usize {
        self.steps.iter().filter(|step| step.wrong.is_some()).count()
    }

    /// Whether a step is next, or played just now.
    fn is_at(&self, step: &Row) -> bool {
        !self.is_over() && step.number == self.played() + 1
    }

    pub(super) fn badge(&self) -> (&'static str, String) {
        match &self.now {
            Now::Made => ("", "is made ready".into()),
            Now::Waits => ("warn", format!("waits before step {}", self.played() + 1)),
            Now::Plays => ("", format!("plays step {}", self.played() + 1)),
            Now::Holds => ("good", "holds".into()),
            Now::Fails(_) => ("bad", "does not hold".into()),
            Now::Ended => ("", format!("ended after {} of {} steps", self.played(), self.steps.len())),
        }
    }

    fn why(&self) -> Option<&str> {
        match &self.now {
            Now::Fails(why) => Some(why),
            _ => None,
        }
    }

    /// Counted tries of a card, by their names.
    fn tries(card: &CardSeen) -> Vec<(&'static str, u8)> {
        let counted = [("PIN", card.pin_left), ("PUK", card.puk_left), ("Admin key", card.admin_left)];
        counted.into_iter().filter_map(|(name, left)| Some((name, left?))).collect()
    }

    fn saw(&mut self, mut around: Around) {
        self.log.splice(0..0, std::mem::take(&mut around.console.log).into_iter().rev());
        self.log.truncate(MOST_LOGGED);
        self.around = Some(around);
    }
}

/// The steps with what stands in the file about each.
fn rows(scenario: &Scenario, text: &str) -> Vec<Row> {
    let lines: Vec<&str> = text.lines().collect();
    let ends = scenario.steps.iter().skip(1).map(|step| step.line).chain([lines.len() + 1]);
    let row = |(index, (step, end)): (usize, (&cardlab_scenario::file::Step, usize))| {
        let first = step.line.saturating_sub(1).min(lines.len());
        let own = &lines[first..end.saturating_sub(1).clamp(first, lines.len())];
        let is_field = |line: &&&str| {
            let line = line.trim();
            !line.is_empty() && !line.starts_with("[[") && !line.starts_with('#') && !line.starts_with("do =")
        };
        let fields: Vec<&str> = own.iter().filter(is_field).copied().collect();
        let comments = lines[..first].iter().rev().map_while(|line| line.trim().strip_prefix('#'));
        let mut about: Vec<&str> = comments.map(str::trim).collect();
        about.reverse();
        let (about, fields) = (about.join(" "), fields.join("\n"));
        Row { number: index + 1, name: step.name.clone(), line: step.line, about, fields, wrong: None }
    };
    scenario.steps.iter().zip(ends).enumerate().map(row).collect()
}

/// Plays it on a thread of its own.
pub(super) fn start(run: Arc<Run<Playing>>, scenario: Scenario, orders: Receiver<Order>, by_step: bool) -> Result<(), ApiError> {
    let played = run.clone();
    let begun = std::thread::Builder::new().name("scenario".into()).spawn(move || {
        let end = catch_unwind(AssertUnwindSafe(|| play(&played, &scenario, &orders, by_step)));
        let end = end.unwrap_or_else(|_| Now::Fails("the player broke down; stderr of cardlab has why".into()));
        played.change(|playing| playing.now = end);
    });
    begun.map(drop).map_err(|error| {
        run.change(|playing| playing.now = Now::Ended);
        ApiError(StatusCode::INTERNAL_SERVER_ERROR, format!("There is no thread to play it: {error}."))
    })
}

fn play(run: &Run<Playing>, scenario: &Scenario, orders: &Receiver<Order>, by_step: bool) -> Now {
    let mut stage = match Stage::set(scenario, &Source::Simulated(SEED)) {
        Ok(stage) => stage,
        Err(failure) => return Now::Fails(failure.to_string()),
    };
    let around = stage.around();
    run.change(|playing| playing.saw(around));
    let mut end = Now::Holds;
    let mut waits = by_step;
    while stage.next().is_some() {
        if waits {
            run.change(|playing| playing.now = Now::Waits);
        }
        let order = if waits { orders.recv().unwrap_or(Order::End) } else { orders.try_recv().unwrap_or(Order::Rest) };
        match order {
            Order::Next => {}
            Order::Rest => waits = false,
            Order::End => {
                end = Now::Ended;
                break;
            }
        }
        run.change(|playing| playing.now = Now::Plays);
        let Some(played) = stage.step() else { break };
        let around = stage.around();
        if let Some(why) = &played.wrong {
            end = Now::Fails(format!("Step {}, {}: {why}", played.number, played.step.name));
        }
        run.change(|playing| {
            if let Some(row) = playing.steps.get_mut(played.number - 1) {
                row.wrong = Some(played.wrong);
            }
            playing.saw(around);
        });
    }
    match (stage.leave(), end) {
        (Err(failure), Now::Holds | Now::Ended) => Now::Fails(failure.to_string()),
        (_, end) => end,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cardlab_scenario::catalogue;

    #[test]
    fn every_scenario_of_the_list_is_told_step_by_step() {
        for entry in catalogue::all() {
            let scenario = Scenario::parse(entry.text).unwrap();
            let rows = rows(&scenario, entry.text);
            assert_eq!(rows.len(), scenario.steps.len(), "{}", entry.name);
            for (row, step) in rows.iter().zip(&scenario.steps) {
                assert_eq!((row.line, &row.name), (step.line, &step.name), "{}", entry.name);
                assert!(!row.fields.contains("[[") && !row.fields.contains("do ="), "{}: {}", entry.name, row.fields);
            }
        }
    }

    #[test]
    fn steps_have_what_stands_in_the_file() {
        let text = "title = \"x\"\n# about the file\n\n# Looks.\n[[step]]\ndo = \"look\"\n\n# Waits,\n# then looks.\n[[step]]\ndo = \"look\"\ncard = \"G1\"\nexpect = { pin-left = 0 }\n";
        let scenario = Scenario::parse(text).unwrap();
        let rows = rows(&scenario, text);
        let told: Vec<_> = rows.iter().map(|row| (row.number, row.line, &*row.about, &*row.fields)).collect();
        assert_eq!(told, [(1, 5, "Looks.", ""), (2, 10, "Waits, then looks.", "card = \"G1\"\nexpect = { pin-left = 0 }")]);
    }
}
