//! A scenario out of what was done at a bench: every command that came to a card, every hand at it, and the status words and
//! tries that must be the same when it is played.
//!
//! The cards begin from their snapshots, so the file has their PINs and keys. What is different each time stands by its name:
//! a right response to a challenge is computed anew (`respond`). What cannot be repeated - messages of a secure channel, cards
//! that are not simulated - is left out, and said.
//!
//! | module | what it knows |
//! |---|---|
//! | `card` | one card under way: where it is, which challenge waits |
//! | `file` | steps as text |

mod card;
mod file;

use crate::file::Scenario;
use card::{Card, Place};
use cardlab_vreader::session::Session;
use cardlab_vreader::trace::event::Event;
use cardlab_vreader::trace::{Record, What};
use file::{Line, Value, quoted, table};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

/// What was made of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The file.
    pub text: String,
    /// Steps in it.
    pub steps: usize,
    /// What happened and is not in it, and why.
    pub left_out: Vec<String>,
}

/// The scenario of a session.
///
/// # Errors
/// A sentence, when nothing of the session can be repeated.
pub fn write(title: &str, session: &Session) -> Result<Recorded, String> {
    let mut recorder = Recorder::of(session);
    for record in &session.records {
        recorder.take(record);
    }
    recorder.end(session);
    let steps = recorder.lines.iter().filter(|line| line.is_needed()).count();
    if steps == 0 {
        let why = recorder.left_out().join("; ");
        let why = if why.is_empty() { "nothing was done to a card".to_owned() } else { why };
        return Err(format!("there is no step: {why}"));
    }
    let text = recorder.text(title, session)?;
    Scenario::parse(&text).map_err(|error| format!("what was recorded is no scenario: {error}"))?;
    Ok(Recorded { text, steps, left_out: recorder.left_out() })
}

struct Recorder {
    /// By their names in the records.
    cards: BTreeMap<Arc<str>, Card>,
    /// Cards that were there, and are not simulated.
    guests: BTreeSet<Arc<str>>,
    lines: Vec<Line>,
    /// What is left out, and how often.
    left_out: BTreeMap<String, usize>,
    /// Responses that were named.
    responses: usize,
}

/// A name that TOML takes as a key without quotes, and that no other card has: that of the reader, without the two numbers that
/// PC/SC puts behind it. So a reader is called when it is played as it was.
fn named(reader: &str, taken: &[String]) -> String {
    let reader = reader.rsplitn(3, ' ').last().unwrap_or(reader);
    let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_') { c } else { '-' };
    let name: String = reader.chars().map(plain).take(40).collect();
    let name = if name.is_empty() { "card".to_owned() } else { name };
    let numbered = (2..).map(|n| format!("{name}-{n}"));
    std::iter::once(name.clone()).chain(numbered).find(|name| !taken.contains(name)).unwrap_or(name)
}

impl Recorder {
    fn of(session: &Session) -> Self {
        let mut this =
            Self { cards: BTreeMap::new(), guests: BTreeSet::new(), lines: Vec::new(), left_out: BTreeMap::new(), responses: 0 };
        let mut taken = Vec::new();
        for began in &session.began {
            let name = named(&began.reader, &taken);
            let Some(card) = Card::of(began, name.clone()) else {
                this.guests.insert(began.card.clone());
                continue;
            };
            taken.push(name);
            this.cards.insert(began.card.clone(), card);
        }
        this
    }

    /// A step at a card, which is part of the file from then on: first what was round it from the beginning.
    fn step(&mut self, label: &Arc<str>, action: &'static str, fields: Vec<(&'static str, Value)>) -> Option<&mut Line> {
        let card = self.cards.get_mut(label)?;
        let name = card.name.clone();
        let before = if std::mem::replace(&mut card.used, true) { Vec::new() } else { std::mem::take(&mut card.before) };
        self.lines.extend(before.into_iter().map(|(action, fields)| Line::new(&name, action, fields)));
        self.lines.push(Line::new(&name, action, fields));
        self.lines.last_mut()
    }

    fn leave_out(&mut self, what: String) {
        *self.left_out.entry(what).or_default() += 1;
    }

    fn left_out(&self) -> Vec<String> {
        let one = |(what, count): (&String, &usize)| if *count == 1 { what.clone() } else { format!("{what} ({count} times)") };
        self.left_out.iter().map(one).collect()
    }

    fn take(&mut self, record: &Record) {
        let label = &record.card;
        if self.guests.contains(label) {
            return self.leave_out(format!("{label}: this card is not simulated, so nobody else has it"));
        }
        if !self.cards.contains_key(label) {
            return self.leave_out(format!("{label}: this card came after the beginning; record from there on"));
        }
        match &record.what {
            What::Event { text, .. } => self.happened(label, Event::read(text)),
            What::Exchange { command, response, continues, .. } => {
                let response = response.as_ref().map(|response| response.as_slice());
                let comment = file::comment(record.number, command, *continues, response);
                self.exchanged(label, command, response, comment);
            }
        }
    }

    fn happened(&mut self, label: &Arc<str>, event: Event) {
        let Some(card) = self.cards.get_mut(label) else { return };
        let text = |text: String| Value::Text(text);
        match event {
            Event::PowerOn => match (card.place, std::mem::take(&mut card.spoken_to)) {
                // It is in its reader before anybody could write that down.
                (Place::Out, _) => {
                    card.place = Place::In;
                    self.step(label, "insert", vec![]);
                }
                (_, true) => drop(self.step(label, "reset", vec![("cold", Value::Bare("true".into()))])),
                (_, false) => {}
            },
            Event::Reset => {
                if std::mem::take(&mut card.spoken_to) {
                    self.step(label, "reset", vec![]);
                }
            }
            Event::Inserted if card.place == Place::Out => {
                card.place = Place::In;
                self.step(label, "insert", vec![]);
            }
            Event::Removed if card.place == Place::In => {
                (card.place, card.spoken_to) = (Place::Out, false);
                self.step(label, "remove", vec![]);
            }
            Event::Unplugged if card.place != Place::Unplugged => {
                (card.place, card.spoken_to) = (Place::Unplugged, false);
                self.step(label, "unplug", vec![]);
            }
            Event::Plugged => {
                card.place = Place::Out;
                self.step(label, "plug", vec![]);
            }
            Event::SwappedWith(other) => self.swapped(label, &other),
            Event::State(tries) => drop(self.step(label, "state", vec![("state", text(tries.to_string()))])),
            Event::Touch(mode) => {
                card.touch = mode;
                self.step(label, "touch", vec![("touch", text(mode.to_string()))]);
            }
            Event::Pace(pace) => drop(self.step(label, "pace", vec![("pace", text(pace.to_string()))])),
            Event::Armed(fault) => drop(self.step(label, "fault", vec![("fault", text(fault.to_string()))])),
            Event::Disarmed => drop(self.step(label, "disarm", vec![])),
            Event::Undone(count) => {
                // It resets the card by itself.
                card.spoken_to = false;
                self.step(label, "undo", vec![("commands", Value::Bare(count.to_string()))]);
            }
            Event::Struck(effect) => card.struck(&effect),
            Event::Touched => card.answered_touch = Some(true),
            Event::NotTouched => card.answered_touch = Some(false),
            Event::Restored => self.leave_out(format!("{label}: a snapshot was restored; record from there on")),
            Event::Other(what) => self.leave_out(format!("{label}: {what}")),
            Event::PowerOff | Event::WaitsForTouch | Event::Inserted | Event::Removed | Event::Unplugged => {}
        }
    }

    /// Both cards tell of it; one step is enough.
    fn swapped(&mut self, label: &Arc<str>, other: &str) {
        let Some(with) = self.cards.get(other).map(|other| other.name.clone()) else {
            return self.leave_out(format!("{label}: it was swapped with {other}, which is not simulated"));
        };
        let Some(card) = self.cards.get_mut(label) else { return };
        if std::mem::take(&mut card.was_swapped) {
            return;
        }
        (card.place, card.spoken_to) = (Place::In, false);
        if let Some(other) = self.cards.get_mut(other) {
            (other.place, other.spoken_to, other.was_swapped) = (Place::In, false, true);
            other.used = true;
        }
        self.step(label, "swap", vec![("with", Value::Text(with))]);
    }

    fn exchanged(&mut self, label: &Arc<str>, command: &[u8], response: Option<&[u8]>, comment: String) {
        // Session keys are new each time.
        if card::is_secured(command) {
            return self.leave_out(format!("{label}: what went through a secure channel"));
        }
        let status = response.and_then(|response| response.last_chunk::<2>()).copied();
        let Some(card) = self.cards.get_mut(label) else { return };
        card.spoken_to = true;
        // Who sends a command fetches the rest of its answer, too.
        if std::mem::take(&mut card.has_more) && command.get(1) == Some(&card::GET_RESPONSE) {
            card.has_more = matches!(status, Some([0x61, _]));
            if let Some(line) = self.lines.iter_mut().rev().find(|line| line.is_of(&card.name)) {
                line.expect_answer(status);
            }
            return;
        }
        card.has_more = matches!(status, Some([0x61, _]));
        // A touch that somebody gave, or did not give, when the card asked for it.
        let touched = card.answered_touch.take().filter(|_| card.touch == cardlab_vreader::TouchMode::Wait);
        let touch = |mode: &str| vec![("touch", Value::Text(mode.to_owned()))];
        let right = card.right_response(command, status);
        if let Some(touched) = touched {
            self.step(label, "touch", touch(if touched { "auto" } else { "never" }));
        }
        let text = match &right {
            Some((part, name)) => {
                self.lines.iter_mut().filter(|line| line.saves(name)).for_each(Line::need);
                file::with_value(command, part, name)
            }
            None => file::spelled(command),
        };
        if let Some(line) = self.step(label, "send", vec![("command", Value::Text(text))]) {
            line.comment = comment;
            line.expect_answer(status);
        }
        if touched.is_some() {
            self.step(label, "touch", touch("wait"));
        }
        if let Some(witness) = self.cards.get_mut(label).and_then(|card| card.challenged(command, response)) {
            self.responses += 1;
            let name = format!("response-{}", self.responses);
            let fields = if witness { vec![("witness", Value::Bare("true".into()))] } else { vec![] };
            if let Some(line) = self.step(label, "respond", fields) {
                line.save(&name);
            }
            if let Some(card) = self.cards.get_mut(label) {
                card.awaits(name, witness);
            }
        }
    }

    /// What must be left in the end.
    fn end(&mut self, session: &Session) {
        for ended in &session.ended {
            let Some(card) = self.cards.get(&ended.card).filter(|card| card.used) else { continue };
            let [pin, puk, admin, _] = ended.left;
            let left = [("pin-left", pin), ("puk-left", puk), ("admin-left", admin)];
            let left: Vec<_> = left.into_iter().filter_map(|(name, left)| Some((name, Value::Bare(left?.to_string())))).collect();
            if !left.is_empty() {
                let mut line = Line::new(&card.name, "look", vec![]);
                line.comment = format!("What is left of the tries of {}", card.name);
                line.expect = left;
                self.lines.push(line);
            }
        }
    }

    fn text(&self, title: &str, session: &Session) -> Result<String, String> {
        let mut text = String::from("# Recorded at a bench. It has the PINs and keys of its cards.\n");
        let _ = writeln!(text, "title = {}", quoted(title));
        for what in self.left_out() {
            let _ = writeln!(text, "# Not in it: {}", file::one_line(&what));
        }
        for began in &session.began {
            let Some(card) = self.cards.get(&began.card).filter(|card| card.used) else { continue };
            let Some(snapshot) = &began.snapshot else { continue };
            text.push_str(&table(card, began, snapshot)?);
        }
        for line in self.lines.iter().filter(|line| line.is_needed()) {
            text.push_str(&line.to_string());
        }
        Ok(text)
    }
}
