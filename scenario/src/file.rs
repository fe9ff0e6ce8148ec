//! A scenario file: TOML, a step a table.
//!
//! ```toml
//! title = "The last wrong PIN locks the card, and the lock screen gives a challenge"
//! covers = ["R1", "R6"]
//!
//! [card.G1]
//! pin-left = 1
//!
//! [[step]]
//! do = "lock-screen"
//! expect = { screen = "pin" }
//!
//! [[step]]
//! do = "type-pin"
//! pin = "999999"
//! expect = { screen = "locked", pin-left = 0 }
//! ```
//! Without a card there is `G1`: a GIDS card, issued to anna, its PIN blocked.

use crate::action::{Action, Setting};
use crate::expect::Expect;
use crate::names::{self, Known, Name};
use crate::reference::{self, Field};
use crate::vocabulary::{STATES, unknown};
use cardlab_vreader::Snapshot;
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::IntoDeserializer;
use std::collections::BTreeMap;
use thiserror::Error;
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

/// A scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scenario {
    /// What a tester would search for.
    pub title: String,
    /// Requirements and cases that it shows.
    pub covers: Vec<String>,
    /// More about it.
    pub about: String,
    /// Cards by name.
    pub cards: BTreeMap<String, CardSetup>,
    /// Settings of the policy *Default* from the start.
    pub policy: BTreeMap<String, Setting>,
    /// Answers of users to all questions, in their order.
    pub answers: BTreeMap<String, Vec<String>>,
    /// The card's administrator key or the card itself is lost afterwards.
    pub destroys: bool,
    /// What happens.
    pub steps: Vec<Step>,
}

/// A card at the beginning.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct CardSetup {
    /// Its kind: a profile of `cardlab profile list`.
    pub profile: String,
    /// What `cardlab card snapshot --secrets clear` writes, for a card that is as it was: it has its profile and settings.
    pub snapshot: Option<String>,
    /// Settings on top of it.
    pub settings: BTreeMap<String, Setting>,
    /// Tries of its PIN.
    pub pin_left: Option<u8>,
    /// Tries of its PUK.
    pub puk_left: Option<u8>,
    /// Tries of its administrator key.
    pub admin_left: Option<u8>,
    /// Where it is at the server.
    pub state: String,
    /// Whose it is.
    pub user: String,
    /// Whether the server knows its administrator key.
    pub key_known: bool,
    /// Whether it is in its reader.
    pub inserted: bool,
}

impl Default for CardSetup {
    fn default() -> Self {
        Self {
            profile: "gids".into(),
            snapshot: None,
            settings: BTreeMap::new(),
            pin_left: None,
            puk_left: None,
            admin_left: None,
            state: "Issued".into(),
            user: "anna".into(),
            key_known: true,
            inserted: true,
        }
    }
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Line of its table, from 1.
    pub line: usize,
    /// Name of the action.
    pub name: String,
    /// What it does.
    pub action: Action,
    /// What must hold afterwards.
    pub expect: Expect,
    /// Keeps what it gives under this name.
    pub save: Option<String>,
}

/// Why a file is no scenario.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("line {line}, column {column}{}: {message}", step.map(|n| format!(", step {n}")).unwrap_or_default())]
pub struct FileError {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// From 1; none outside of steps.
    pub step: Option<usize>,
    /// What is wrong.
    pub message: String,
}

/// A file without its steps.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Head {
    /// What a tester would search for.
    title: String,
    /// Requirements and cases that it shows, by the names of `docs/conformance.md`.
    #[serde(default)]
    covers: Vec<String>,
    /// More about it.
    #[serde(default)]
    about: String,
    /// Cards by name.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, CardTable>")]
    card: BTreeMap<String, Spanned<CardSetup>>,
    /// Settings of the policy *Default* from the start, each `"section.name"`.
    #[serde(default)]
    policy: BTreeMap<String, Setting>,
    /// Answers of users to all questions, in their order; anna has some where nothing is said.
    #[serde(default)]
    answers: BTreeMap<String, Vec<String>>,
    /// The card's administrator key or the card itself is lost afterwards.
    #[serde(default)]
    destroys: bool,
}

/// A card, in the reference.
#[derive(JsonSchema)]
#[schemars(description = "see below")]
struct CardTable {}

/// Where things are in a text.
struct Places<'a>(&'a str);

impl Places<'_> {
    fn before(&self, offset: usize) -> &str {
        // A place in the middle of a character is that of the character.
        let end = (0..=offset.min(self.0.len())).rev().find(|at| self.0.is_char_boundary(*at));
        &self.0[..end.unwrap_or_default()]
    }

    fn line(&self, offset: usize) -> usize {
        self.before(offset).matches('\n').count() + 1
    }

    fn error(&self, offset: usize, step: Option<usize>, message: impl Into<String>) -> FileError {
        let column = self.before(offset).rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        FileError { line: self.line(offset), column, step, message: message.into() }
    }

    fn toml(&self, error: &toml::de::Error, otherwise: usize, step: Option<usize>) -> FileError {
        let at = error.span().map_or(otherwise, |span| span.start);
        self.error(at, step, error.message().lines().next().unwrap_or("no scenario"))
    }
}

impl Scenario {
    /// Reads a file's text.
    ///
    /// # Errors
    /// [`FileError`] names the line, and the step where it is in one.
    pub fn parse(text: &str) -> Result<Self, FileError> {
        let places = Places(text);
        if text.trim().is_empty() {
            return Err(places.error(0, None, "there is nothing in it; `cardlab scenario show NAME` prints one to begin with"));
        }
        let mut table = DeTable::parse(text).map_err(|e| places.toml(&e, 0, None))?.into_inner();
        let steps = match table.remove("step") {
            None => Vec::new(),
            Some(steps) => {
                let at = steps.span().start;
                match steps.into_inner() {
                    DeValue::Array(steps) => steps.into_iter().collect(),
                    _ => return Err(places.error(at, None, "steps are tables: write [[step]]")),
                }
            }
        };
        check_head(&table).map_err(|(at, message)| places.error(at, None, message))?;
        let spots = Spots::of(&table, 0);
        let head: Spanned<DeTable<'_>> = Spanned::new(0..text.len(), table);
        let head = Head::deserialize(head.into_deserializer()).map_err(|e| places.toml(&e, 0, None))?;
        if steps.is_empty() {
            return Err(places.error(text.len(), None, "there is no step: a scenario needs at least one [[step]]"));
        }
        if head.title.trim().is_empty() {
            return Err(places.error(0, None, "the title is empty"));
        }
        let mut known = Known::default();
        let settings = names::settings("policy", head.policy.keys());
        let answering = head.answers.keys().map(|user| names::user(format!("answers/{user}#"), user));
        spots.check(&known, settings.into_iter().chain(answering)).map_err(|(at, message)| places.error(at, None, message))?;
        let mut cards = BTreeMap::new();
        for (name, setup) in head.card {
            let at = setup.span().start;
            let setup = setup.into_inner();
            check_card(&setup).map_err(|message| places.error(at, None, message))?;
            let user = names::user(format!("card/{name}/user"), &setup.user);
            spots.check(&known, [user]).map_err(|(at, message)| places.error(at, None, message))?;
            cards.insert(name, setup);
        }
        if cards.is_empty() {
            cards.insert("G1".to_owned(), CardSetup { pin_left: Some(0), ..CardSetup::default() });
        }
        let mut parsed = Vec::with_capacity(steps.len());
        for (index, step) in steps.into_iter().enumerate() {
            let (step, spots) = read_step(&places, index + 1, step)?;
            let wrong = |(at, message): (usize, String)| places.error(at, Some(index + 1), message);
            if let Some(name) = step.action.cards().into_iter().find(|name| !cards.contains_key(*name)) {
                let there: Vec<&str> = cards.keys().map(String::as_str).collect();
                let with = if matches!(&step.action, Action::Swap { with, .. } if with == name) { "with" } else { "card" };
                return Err(wrong((spots.at(with), unknown("card", name, &there))));
            }
            spots.check(&known, names::of_step(&step)).map_err(wrong)?;
            known.after(&step);
            parsed.push(step);
        }
        let Head { title, covers, about, policy, answers, destroys, .. } = head;
        Ok(Self { title, covers, about, cards, policy, answers, destroys, steps: parsed })
    }

    /// Why it cannot be played with a real card; `None` when it can.
    #[must_use]
    pub fn needs_simulation(&self) -> Option<String> {
        if self.cards.len() > 1 {
            return Some("it has several cards".into());
        }
        if self.destroys {
            return Some("the card would be lost".into());
        }
        if self.cards.values().any(|card| card.snapshot.is_some()) {
            return Some("it wants a card that is as it was".into());
        }
        if self.cards.values().any(|card| !card.settings.is_empty()) {
            return Some("it wants a card with settings of its own".into());
        }
        if self.cards.values().any(|card| card.admin_left.is_some()) {
            return Some("it spends tries of the administrator key before it begins".into());
        }
        let step = self.steps.iter().find(|step| step.action.needs_simulation())?;
        Some(format!("'{}' (line {}) needs a simulated card", step.name, step.line))
    }
}

fn check_card(setup: &CardSetup) -> Result<(), String> {
    if !STATES.contains(&setup.state.as_str()) {
        return Err(unknown("state at the beginning", &setup.state, &STATES));
    }
    if let Some(text) = &setup.snapshot {
        if setup.profile != CardSetup::default().profile || !setup.settings.is_empty() {
            return Err("a card from a snapshot has its profile and its settings from there: leave both out".into());
        }
        return Snapshot::read(text, None).map(drop).map_err(|error| format!("snapshot: {error}"));
    }
    setup.request("card").map(drop).map_err(|e| e.to_string())
}

/// A place in the text, and what is wrong there.
type Wrong = (usize, String);

/// Where the values of a table stand: `expect/events/2`; and its keys: `set/workflow.validate_answers#`.
struct Spots {
    table: usize,
    values: BTreeMap<String, usize>,
}

impl Spots {
    fn of(table: &DeTable<'_>, at: usize) -> Self {
        let mut spots = Self { table: at, values: BTreeMap::new() };
        spots.add("", table);
        spots
    }

    fn add(&mut self, path: &str, table: &DeTable<'_>) {
        for (key, value) in table.iter() {
            self.values.insert(format!("{path}{}#", key.get_ref()), key.span().start);
            self.value(format!("{path}{}", key.get_ref()), value);
        }
    }

    fn value(&mut self, path: String, value: &Spanned<DeValue<'_>>) {
        match value.get_ref() {
            DeValue::Table(table) => self.add(&format!("{path}/"), table),
            DeValue::Array(values) => {
                for (index, value) in values.iter().enumerate() {
                    self.value(format!("{path}/{index}"), value);
                }
            }
            _ => {}
        }
        self.values.insert(path, value.span().start);
    }

    /// The place of a value, or of the table where it was left out.
    fn at(&self, path: &str) -> usize {
        self.values.get(path).copied().unwrap_or(self.table)
    }

    fn check<'a>(&self, known: &Known, names: impl IntoIterator<Item = Name<'a>>) -> Result<(), Wrong> {
        let wrong = |name: Name<'_>| Some((self.at(&name.at), known.check(&name)?));
        names.into_iter().find_map(wrong).map_or(Ok(()), Err)
    }
}

/// Refuses a key that is none of these.
fn check_keys(table: &DeTable<'_>, of: &str, fields: &[Field], more: &[&str]) -> Result<(), Wrong> {
    let known: Vec<&str> = fields.iter().map(|field| field.name.as_str()).chain(more.iter().copied()).collect();
    for key in table.iter().map(|(key, _)| key) {
        if !known.contains(&key.get_ref().as_ref()) {
            return Err((key.span().start, unknown(&format!("field of {of}"), key.get_ref(), &known)));
        }
    }
    Ok(())
}

fn check_head(table: &DeTable<'_>) -> Result<(), Wrong> {
    check_keys(table, "a scenario", reference::of_file(), &["step"])?;
    if let Some(DeValue::Table(cards)) = table.get("card").map(Spanned::get_ref) {
        for card in cards.values() {
            if let DeValue::Table(card) = card.get_ref() {
                check_keys(card, "a card", reference::of_card(), &[])?;
            }
        }
    }
    Ok(())
}

fn read_step(places: &Places<'_>, number: usize, step: Spanned<DeValue<'_>>) -> Result<(Step, Spots), FileError> {
    let start = step.span().start;
    let wrong = |(offset, message): Wrong| places.error(offset, Some(number), message);
    let DeValue::Table(mut table) = step.into_inner() else {
        return Err(wrong((start, "a step is a table: write [[step]]".into())));
    };
    let spots = Spots::of(&table, start);
    let name = table.remove("do").ok_or_else(|| wrong((start, "the step does nothing: write do = \"...\"".into())))?;
    let (span, name) = (name.span(), name.into_inner());
    let Some(name) = name.as_str().map(str::to_owned) else {
        return Err(wrong((span.start, "do is the name of an action".into())));
    };
    let save = match table.remove("save") {
        None => None,
        Some(save) => match save.get_ref().as_str() {
            Some(text) if !text.is_empty() => Some(text.to_owned()),
            _ => return Err(wrong((save.span().start, "save is a name".into()))),
        },
    };
    let Some(form) = reference::actions().iter().find(|form| form.name == name) else {
        let all: Vec<&str> = reference::actions().iter().map(|form| form.name.as_str()).collect();
        return Err(wrong((span.start, unknown("action", &name, &all))));
    };
    let expect = match table.remove("expect") {
        None => Expect::default(),
        Some(expect) => {
            let at = expect.span().start;
            if let DeValue::Table(expect) = expect.get_ref() {
                check_keys(expect, "expect", reference::expectations(), &[]).map_err(wrong)?;
            }
            Expect::deserialize(expect.into_deserializer()).map_err(|e| places.toml(&e, at, Some(number)))?
        }
    };
    check_keys(&table, &name, &form.fields, &["do", "expect", "save"]).map_err(wrong)?;
    // An action is a table with the action's name as its only key.
    let mut only = DeTable::new();
    only.insert(Spanned::new(span.clone(), DeString::from(name.clone())), Spanned::new(span.clone(), DeValue::Table(table)));
    let only: Spanned<DeValue<'_>> = Spanned::new(span.clone(), DeValue::Table(only));
    let action = Action::deserialize(only.into_deserializer()).map_err(|e| places.toml(&e, span.start, Some(number)))?;
    Ok((Step { line: places.line(start), name, action, expect, save }, spots))
}
