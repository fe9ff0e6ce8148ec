//! `cardlab scenario`: reproduces lock states step by step.

mod record;
mod step;

pub(crate) use record::Scenarios;

use crate::choose::ReaderChoice;
use crate::exit::{Exit, Failure, OrExit};
use anyhow::{Context as _, anyhow};
use cardlab_client::minidriver::Minidriver;
use cardlab_conformance::credentials::Credentials;
use cardlab_pcsclite::client::ShareMode;
use cardlab_scenario::catalogue;
use cardlab_scenario::file::Scenario;
use cardlab_scenario::play::{Seen, play};
use cardlab_scenario::reference;
use cardlab_scenario::world::cards::{RealCard, Source};
use cardlab_whole as whole;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

#[derive(Args)]
pub(crate) struct ScenarioCommand {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Play scenarios, with cards, a server and a lock screen of their own
    ///
    /// Exit code: 0 when all hold, 1 when one does not, 2 for a file that is none.
    Run(Run),
    /// List the scenarios that come with cardlab
    List {
        /// Names that begin so, or titles that say so
        search: Vec<String>,

        /// For programs
        #[arg(long)]
        json: bool,
    },
    /// Print a scenario's file, to read it or to make one's own of it
    Show {
        /// Its name in the list
        name: String,
    },
    /// Print the language of scenario files: actions, expectations, names
    Language,
    /// Record a scenario at readers that are up: `up`, `exec`, `lab`
    ///
    /// Between `begin` and `end` everything that is done to cards becomes steps, also what programs do. What is different each
    /// time, such as the response to a challenge, is computed anew when it is played.
    Record {
        #[command(subcommand)]
        what: record::Record,
    },
    /// Read files without playing them: what they name must be there
    ///
    /// Exit code: 0 when all are scenarios, 2 when one is none.
    Check {
        /// Scenario files
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
}

#[derive(Args)]
struct Run {
    /// Files, or names of the list and their beginnings
    #[arg(required = true, value_name = "FILE|NAME")]
    which: Vec<String>,

    /// Show each step, and what is on the screen after it
    #[arg(short, long)]
    verbose: bool,

    /// Play one scenario step by step: Enter plays the next, r the rest, q leaves
    ///
    /// After each step it shows what lock screen, cards and server show. With --json: a line a step.
    #[arg(long, conflicts_with = "verbose")]
    step: bool,

    /// Seed of the simulated cards
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,

    /// For programs
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    real: Real,
}

/// A card in a reader instead of a simulated one.
#[derive(Args)]
struct Real {
    /// Play with the card in a reader that has this serial, as `cardlab card status` shows it. Its PIN will be
    /// blocked, and is put back in the end
    #[arg(long, requires = "credentials")]
    serial: Option<String>,

    /// TOML file with pin, admin-key and admin-algorithm of that card
    #[arg(long, value_name = "FILE", requires = "serial")]
    credentials: Option<PathBuf>,

    #[command(flatten)]
    choice: ReaderChoice,
}

impl ScenarioCommand {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        match self.what {
            What::Run(run) => run.run(),
            What::List { search, json } => list(&search, json),
            What::Show { name } => {
                let found = catalogue::all().into_iter().find(|entry| entry.name == name);
                let found = found.ok_or_else(|| unknown(&name)).or_exit(Exit::USAGE)?;
                print!("{}", found.text);
                Ok(Exit::FINE)
            }
            What::Language => {
                print!("{}", reference::page());
                Ok(Exit::FINE)
            }
            What::Record { what } => what.run(),
            What::Check { files } => check(&files),
        }
    }
}

/// Every file is read, so that one run shows what is wrong in each.
fn check(files: &[PathBuf]) -> Result<Exit, Failure> {
    let mut exit = Exit::FINE;
    for file in files {
        if let Err(failure) = read(file) {
            eprintln!("cardlab: {}", failure.sentence());
            exit = failure.exit;
        }
    }
    Ok(exit)
}

fn unknown(name: &str) -> anyhow::Error {
    if Path::new(name).is_dir() {
        return anyhow!("{name}: it is a directory; name a file, or a scenario of `cardlab scenario list`");
    }
    anyhow!("no file and no scenario named '{name}'; `cardlab scenario list` shows them")
}

fn read(file: &Path) -> Result<Scenario, Failure> {
    let text = whole::read_text(file, whole::TEXT).with_context(|| file.display().to_string())?;
    Scenario::parse(&text).with_context(|| file.display().to_string()).or_exit(Exit::USAGE)
}

fn list(search: &[String], json: bool) -> Result<Exit, Failure> {
    let mut rows = Vec::new();
    for entry in catalogue::all() {
        let scenario = Scenario::parse(entry.text).context(entry.name)?;
        let wanted = |part: &String| {
            entry.name.starts_with(part.as_str())
                || scenario.title.to_lowercase().contains(&part.to_lowercase())
                || scenario.covers.contains(part)
        };
        if search.is_empty() || search.iter().any(wanted) {
            rows.push((entry.name, scenario));
        }
    }
    if json {
        let row = |(name, s): &(&str, Scenario)| json!({"name": name, "title": s.title, "covers": s.covers, "steps": s.steps.len(), "needs_simulation": s.needs_simulation()});
        println!("{:#}", rows.iter().map(row).collect::<Value>());
    } else {
        rows.iter().for_each(|(name, scenario)| println!("{name:<40} {}", scenario.title));
    }
    Ok(if rows.is_empty() { Exit::FAILED } else { Exit::FINE })
}

impl Run {
    fn run(&self) -> Result<Exit, Failure> {
        let chosen = self.chosen()?;
        let source = self.real.source(self.seed)?;
        if self.step {
            let [(name, scenario)] = &chosen[..] else {
                return Err(anyhow!("--step plays one scenario, and {} are named", chosen.len())).or_exit(Exit::USAGE);
            };
            return step::run(name, scenario, &source, self.json);
        }
        let mut reports = Vec::new();
        let mut failed = 0;
        let several = chosen.len() > 1;
        for (name, scenario) in &chosen {
            let skipped = scenario.needs_simulation().filter(|_| matches!(source, Source::Real(_)) && several);
            if let Some(why) = skipped {
                self.say(&format!("not played  {name}: for simulated cards, {why}"));
                reports.push(json!({"name": name, "outcome": "not-played", "reason": why}));
                continue;
            }
            let played = play(scenario, &source, |played| {
                if self.verbose {
                    self.say(&format!("  {:>2} {} (line {})", played.number, played.step.name, played.step.line));
                    for line in played.screen.iter().flat_map(on_screen) {
                        self.say(&format!("       {line}"));
                    }
                }
            });
            match played {
                Ok(()) => {
                    self.say(&format!("holds       {name}: {}", scenario.title));
                    reports.push(json!({"name": name, "outcome": "holds"}));
                }
                Err(failure) => {
                    failed += 1;
                    self.say(&format!("does not hold {name}: {}\n  {failure}", scenario.title));
                    reports.push(json!({
                        "name": name, "outcome": "fails", "line": failure.line, "step": failure.step, "action": failure.name,
                        "reason": failure.message,
                    }));
                }
            }
        }
        if self.json {
            println!("{:#}", Value::Array(reports));
        } else if several {
            println!("{} of {} hold", chosen.len() - failed, chosen.len());
        }
        Ok(if failed == 0 { Exit::FINE } else { Exit::FAILED })
    }

    fn say(&self, line: &str) {
        if !self.json {
            println!("{line}");
        }
    }

    /// What the arguments name, each once.
    fn chosen(&self) -> Result<Vec<(String, Scenario)>, Failure> {
        let entries = catalogue::all();
        let mut chosen: Vec<(String, Scenario)> = Vec::new();
        for which in &self.which {
            // A pipe of the shell is one too.
            if Path::new(which).exists() && !Path::new(which).is_dir() {
                chosen.push((which.clone(), read(Path::new(which))?));
                continue;
            }
            let exact: Vec<_> = entries.iter().filter(|e| e.name == which).collect();
            let found =
                if exact.is_empty() { entries.iter().filter(|e| e.name.starts_with(which.as_str())).collect() } else { exact };
            if found.is_empty() {
                return Err(unknown(which)).or_exit(Exit::USAGE);
            }
            for entry in found {
                if !chosen.iter().any(|(name, _)| name == entry.name) {
                    chosen.push((entry.name.to_owned(), Scenario::parse(entry.text).context(entry.name)?));
                }
            }
        }
        Ok(chosen)
    }
}

/// What is to be seen, a line each.
fn on_screen(seen: &Seen) -> Vec<String> {
    let name = std::iter::once(format!("[{}]", seen.name));
    name.chain(seen.words.iter().map(|words| format!("| {words}"))).collect()
}

impl Real {
    fn source(&self, seed: u64) -> Result<Source, Failure> {
        let (Some(serial), Some(file)) = (&self.serial, &self.credentials) else { return Ok(Source::Simulated(seed)) };
        let credentials = Credentials::read(file).or_exit(Exit::USAGE)?;
        let (Some(pin), Some(admin_key)) = (credentials.pin, credentials.admin) else {
            return Err(anyhow!("{}: pin and admin-key are needed, to put the card back", file.display())).or_exit(Exit::USAGE);
        };
        let context = self.choice.context()?;
        let reader = self.choice.pick_for(&context, Some(serial))?;
        let mut card = context.connect(&reader, ShareMode::Shared).or_exit(Exit::NOT_THERE)?;
        let id = Minidriver::open(&mut card).and_then(|mut card| card.card_id()).or_exit(Exit::NOT_THERE)?.unwrap_or_default();
        let id = hex::encode_upper(id);
        if !id.eq_ignore_ascii_case(serial) {
            return Err(anyhow!("the card in {reader} has serial {id}, not {serial}; nothing was done to it"))
                .or_exit(Exit::NOT_THERE);
        }
        let socket = self.choice.service.socket();
        Ok(Source::Real(RealCard { socket, reader, pin, admin_key, tell: |order| eprintln!("{order}.") }))
    }
}
