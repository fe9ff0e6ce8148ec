//! `cardlab conform`: judges cards by their standards.

use crate::choose::{ReaderChoice, ServiceChoice};
use crate::exit::{Exit, Failure, OrExit};
use anyhow::{Context as _, anyhow};
use cardlab_client::recognise::Edge;
use cardlab_conformance::credentials::Credentials;
use cardlab_conformance::expectations::Expectations;
use cardlab_conformance::report::{FORMAT, Record, Report, compare, html, json, junit, terminal};
use cardlab_conformance::run::{Settings, run};
use cardlab_conformance::select::{Partition, Selection, select};
use cardlab_conformance::target::{
    Target,
    pcsc::{Allowed, Pcsc},
    sim::Sim,
};
use cardlab_conformance::test::{Danger, Level, Test};
use cardlab_sim::Profile;
use cardlab_whole as whole;
use clap::{Args, Subcommand};
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What can be judged here.
const TARGETS: &str = if cfg!(windows) { "sim and pcsc" } else { "sim, socket, pcsc and unlock" };

#[derive(Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:\n  cardlab conform piv --target sim:nist-piv --html report.html\n  cardlab conform --target pcsc --credentials card.toml --allow spends-tries --serial 0123456789ABCDEF"
)]
pub(crate) struct Conform {
    #[command(subcommand)]
    also: Option<Also>,

    /// Ids of tests, their beginnings, or patterns; none is all
    #[arg(value_name = "FILTER")]
    patterns: Vec<String>,

    /// `sim` or `sim:PROFILE`, new simulated cards in process; `socket`, the same behind a PC/SC socket; `pcsc` or `pcsc:READER`, the card in a reader; `unlock`, the unlock system, which is part of `sim` and `socket` without a profile
    #[arg(long, default_value = "sim", value_name = "TARGET")]
    target: String,

    /// Only tests of this level: must, should or profile
    #[arg(long, value_name = "LEVEL", value_parser = level)]
    level: Vec<Level>,

    /// Only tests that need this: piv, gids, yubikey, pcsc, ..
    #[arg(long, value_name = "NEED")]
    with: Vec<String>,

    /// No tests that need this, such as rsa-keygen
    #[arg(long, value_name = "NEED")]
    without: Vec<String>,

    /// The i-th of n parts of the tests
    #[arg(long, value_name = "I/N")]
    partition: Option<Partition>,

    /// Show the tests instead of running them
    #[arg(long)]
    list: bool,

    /// With --list: as JSON
    #[arg(long = "list-json", requires = "list")]
    list_json: bool,

    /// What may be done to a card in a reader: safe, spends-tries, changes-keys, locks or resets
    #[arg(long, value_name = "LEVEL", default_value = "safe", value_parser = danger)]
    allow: Danger,

    /// The serial of the card in the reader, as `cardlab card status` shows it
    #[arg(long)]
    serial: Option<String>,

    /// Judge the card in the reader as this, whatever it is recognised for: piv, gids or yubikey-VERSION
    #[arg(long = "as", value_name = "KIND", value_parser = kind)]
    judged_as: Option<Edge>,

    /// Seconds that the card in the reader has for an answer; making an RSA key takes some a minute
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3600))]
    answer_within: u64,

    /// TOML file with pin, puk, admin-key and admin-algorithm of the card in the reader
    #[arg(long, value_name = "FILE")]
    credentials: Option<PathBuf>,

    #[command(flatten)]
    service: ServiceChoice,

    /// Known failures, a TOML file
    #[arg(long, value_name = "FILE")]
    expect: Option<PathBuf>,

    /// Write the failures of this run as known ones, for reasons to be filled in
    #[arg(long, value_name = "FILE")]
    write_expect: Option<PathBuf>,

    /// Run each test this many times
    #[arg(long, default_value_t = 1, value_name = "N")]
    repeat: u32,

    /// Seed of the simulated cards
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,

    /// Stop at the first failure
    #[arg(long)]
    fail_fast: bool,

    /// Write the report as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,

    /// Write the report as JUnit XML
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,

    /// Write the report as one HTML page
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Also {
    /// Which tests ended otherwise in two reports
    Diff {
        /// A report, JSON
        one: PathBuf,
        /// Another
        two: PathBuf,
    },
    /// Put the reports of all parts of a run together
    Merge {
        /// Reports, JSON
        #[arg(required = true)]
        parts: Vec<PathBuf>,
        /// Where the whole goes, JSON
        #[arg(long, value_name = "FILE")]
        json: PathBuf,
    },
}

/// The suite: cards and readers, and the unlock system.
#[cfg(unix)]
fn all() -> Vec<Test> {
    cardlab_scenario::suite::all()
}

/// The suite. On Windows only of cards and readers: the unlock system brings readers of our own.
#[cfg(windows)]
fn all() -> Vec<Test> {
    let mut book = cardlab_conformance::book::Book::default();
    cardlab_conformance::catalogue::fill(&mut book);
    book.into_tests()
}

fn level(text: &str) -> Result<Level, String> {
    let all = [Level::Must, Level::Should, Level::Profile];
    all.into_iter().find(|l| l.name() == text).ok_or_else(|| "there are must, should and profile".into())
}

fn kind(text: &str) -> Result<Edge, String> {
    let version = |text: &str| {
        let parts: Vec<u8> = text.split('.').map(|part| part.parse().ok()).collect::<Option<_>>()?;
        <[u8; 3]>::try_from(parts).ok()
    };
    match (text, text.strip_prefix("yubikey-").and_then(version)) {
        ("piv", _) => Ok(Edge::Piv { admin_unblock: false, yubikey: None }),
        ("gids", _) => Ok(Edge::Gids { initialised: true }),
        (_, Some(version)) => Ok(Edge::Piv { admin_unblock: false, yubikey: Some(version) }),
        _ => Err("there are piv, gids and yubikey-VERSION, such as yubikey-5.4.3".into()),
    }
}

fn danger(text: &str) -> Result<Danger, String> {
    let names = || Danger::ALL.map(Danger::name).join(", ");
    Danger::ALL.into_iter().find(|d| d.name() == text).ok_or_else(|| format!("there are {}", names()))
}

impl Conform {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        match &self.also {
            Some(Also::Diff { one, two }) => {
                let text = compare::diff(&read(one)?, &read(two)?);
                print!("{text}");
                return Ok(if text.is_empty() { Exit::FINE } else { Exit::FAILED });
            }
            Some(Also::Merge { parts, json: to }) => {
                let parts = parts.iter().map(|p| read(p)).collect::<Result<Vec<_>, _>>()?;
                let whole = compare::merge(&parts).or_exit(Exit::USAGE)?;
                write(to, &json::write(&whole))?;
                print!("{}", terminal::write(&whole));
                return Ok(if whole.is_bad() { Exit::FAILED } else { Exit::FINE });
            }
            None => {}
        }
        let tests = all();
        let selection = Selection {
            patterns: self.patterns.clone(),
            levels: self.level.clone(),
            with: self.with.clone(),
            without: self.without.clone(),
            partition: self.partition,
        };
        let chosen = select(&tests, &selection).or_exit(Exit::USAGE)?;
        if self.list {
            print!("{}", if self.list_json { listed_json(&chosen) } else { listed(&chosen) });
            return Ok(Exit::FINE);
        }
        let known = match &self.expect {
            Some(file) => {
                let text = whole::read_text(file, whole::TEXT).with_context(|| file.display().to_string())?;
                let parsed = Expectations::parse(&text).with_context(|| file.display().to_string());
                parsed.or_exit(Exit::USAGE)?
            }
            None => Expectations::default(),
        };
        let (mut records, mut afterwards) = (Vec::new(), Vec::new());
        for target in &mut self.targets()? {
            for line in target.prepare(&chosen).map_err(|e| anyhow!(e)).or_exit(Exit::NOT_THERE)? {
                eprintln!("  {line}");
            }
            records.extend(self.run_on(&mut **target, &chosen));
            afterwards.extend(target.afterwards());
        }
        let mut report = Report { format: FORMAT, target: self.target.clone(), seed: self.seed, records, afterwards };
        let failures = Expectations::of(&report);
        let stale: Vec<String> = known.apply(&mut report).into_iter().map(|k| format!("{} on {}", k.id, k.card)).collect();
        // What was found is said before a file can fail.
        print!("{}", terminal::write(&report));
        self.hand_out(&report)?;
        if let Some(file) = &self.write_expect {
            write(file, &failures)?;
        }
        // A part of the tests says nothing of the others' entries.
        let whole = self.patterns.is_empty() && self.partition.is_none() && self.without.is_empty() && self.with.is_empty();
        let stale = if whole { stale } else { Vec::new() };
        for entry in &stale {
            println!("stale: no test of this run fails as {entry}; take the entry out");
        }
        Ok(if report.is_bad() || !stale.is_empty() { Exit::FAILED } else { Exit::FINE })
    }

    fn targets(&self) -> Result<Vec<Box<dyn Target>>, Failure> {
        let (kind, name) = self.target.split_once(':').map_or((self.target.as_str(), None), |(kind, name)| (kind, Some(name)));
        let profiles = || match name {
            Some(name) => vec![name.to_owned()],
            None => Profile::names().map(str::to_owned).collect(),
        };
        let of_a_reader = [("credentials", self.credentials.is_some()), ("serial", self.serial.is_some())];
        if let Some((option, _)) =
            of_a_reader.into_iter().find(|(_, given)| *given && matches!(kind, "sim" | "socket" | "unlock"))
        {
            let why = format!(
                "--{option} is for a card in a reader (--target pcsc); {kind} makes cards of its own and knows what opens them: leave it out"
            );
            return Err(anyhow!(why)).or_exit(Exit::USAGE);
        }
        let mut targets: Vec<Box<dyn Target>> = Vec::new();
        match kind {
            "sim" => {
                for profile in profiles() {
                    targets.push(Box::new(Sim::new(&profile, self.seed).or_exit(Exit::NOT_THERE)?));
                }
            }
            #[cfg(unix)]
            "socket" => {
                use cardlab_conformance::target::socket::Socket;
                for profile in profiles() {
                    targets.push(Box::new(Socket::new(&profile, self.seed).or_exit(Exit::NOT_THERE)?));
                }
            }
            "pcsc" => {
                let credentials = match &self.credentials {
                    Some(file) => Credentials::read(file).or_exit(Exit::USAGE)?,
                    None => Credentials::default(),
                };
                let choice = ReaderChoice { reader: name.map(str::to_owned), service: self.service.clone() };
                let serial = self.serial.as_ref().or(credentials.serial.as_ref());
                let reader = choice.pick_for(&choice.context()?, serial.map(String::as_str))?;
                let card = Pcsc::open(
                    &self.service.socket(),
                    &reader,
                    credentials,
                    Allowed {
                        danger: self.allow,
                        serial: self.serial.as_deref(),
                        edge: self.judged_as,
                        limit: Duration::from_secs(self.answer_within),
                    },
                );
                let card = card.or_exit(Exit::NOT_THERE)?;
                eprintln!(
                    "{} in {reader}: at most '{}' will be done to it{}",
                    card.facts().name,
                    self.allow,
                    if self.allow > Danger::Safe { "; PIN, PUK and their tries are put back" } else { "" }
                );
                targets.push(Box::new(card));
            }
            #[cfg(unix)]
            "unlock" => {}
            profile if Profile::names().any(|name| name == profile) => {
                return Err(anyhow!("no target '{kind}'; a simulated card of this profile is sim:{kind}")).or_exit(Exit::USAGE);
            }
            _ => return Err(anyhow!("no target '{kind}'; there are {TARGETS}")).or_exit(Exit::USAGE),
        }
        #[cfg(unix)]
        if kind != "pcsc" && name.is_none() {
            targets.push(Box::new(cardlab_scenario::suite::Unlock));
        }
        Ok(targets)
    }

    fn run_on(&self, target: &mut dyn Target, tests: &[&Test]) -> Vec<Record> {
        let shown = std::io::stderr().is_terminal();
        let (name, all) = (target.name(), tests.len());
        let mut done = 0;
        let settings = Settings { repeat: self.repeat, fail_fast: self.fail_fast };
        let records = run(target, tests, settings, &mut |record| {
            done += 1;
            if shown {
                eprint!("\r\x1b[K{name}: {done} of {all}  {}", record.id);
                let _ = std::io::stderr().flush();
            }
        });
        if shown {
            eprint!("\r\x1b[K");
        }
        records
    }

    fn hand_out(&self, report: &Report) -> Result<(), Failure> {
        if let Some(file) = &self.json {
            write(file, &json::write(report))?;
        }
        if let Some(file) = &self.junit {
            write(file, &junit::write(report).map_err(|e| anyhow!(e))?)?;
        }
        if let Some(file) = &self.html {
            write(file, &html::write(report))?;
        }
        Ok(())
    }
}

fn read(file: &Path) -> Result<Report, Failure> {
    let text = whole::read_text(file, whole::RECORDING).with_context(|| file.display().to_string())?;
    json::read(&text).with_context(|| file.display().to_string()).or_exit(Exit::USAGE)
}

fn write(file: &Path, text: &str) -> Result<(), Failure> {
    Ok(whole::write(file, text.as_bytes(), whole::For::Everybody).with_context(|| file.display().to_string())?)
}

fn listed(tests: &[&Test]) -> String {
    let line = |t: &&Test| format!("{}  [{}, {}] {}\n", t.id, t.level.name(), t.danger, t.title);
    tests.iter().map(line).collect()
}

fn listed_json(tests: &[&Test]) -> String {
    let one = |t: &&Test| {
        serde_json::json!({
            "id": t.id, "title": t.title, "source": t.source, "level": t.level.name(), "danger": t.danger.name(),
            "needs": t.needs.iter().map(|n| n.name()).collect::<Vec<_>>(),
        })
    };
    format!("{:#}\n", serde_json::Value::Array(tests.iter().map(one).collect()))
}
