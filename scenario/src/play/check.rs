//! What must hold after a step.

use super::screen::{PATIENCE, name, text};
use super::{Done, Player};
use crate::expect::Expect;
use crate::file::Step;
use cardlab_client::unlock::desk::is_settled;
use cardlab_client::unlock::session::Shown;
use serde_json::Value;
use std::fmt::Debug;
use std::time::Instant;

fn same<T: PartialEq + Debug>(what: &str, expected: &T, found: &T) -> Result<(), String> {
    if expected == found { Ok(()) } else { Err(format!("{what}: expected {expected:?}, found {found:?}")) }
}

/// The same where there may be none.
fn same_or_none<T: PartialEq + Debug>(what: &str, expected: &Option<T>, found: &Option<T>) -> Result<(), String> {
    let told = |value: &Option<T>| value.as_ref().map_or_else(|| "none".to_owned(), |value| format!("{value:?}"));
    if expected == found { Ok(()) } else { Err(format!("{what}: expected {}, found {}", told(expected), told(found))) }
}

fn contains(what: &str, part: &str, whole: &str) -> Result<(), String> {
    if whole.contains(part) { Ok(()) } else { Err(format!("{what}: expected it to say {part:?}, found {whole:?}")) }
}

impl Player<'_> {
    pub(super) fn check(&mut self, step: &Step, done: &Done) -> Result<(), String> {
        let expect = &step.expect;
        self.check_answer(expect, done)?;
        self.check_screen(expect)?;
        self.check_card(step, expect)?;
        self.check_server(step, expect)
    }

    /// What the step itself gave.
    fn check_answer(&self, expect: &Expect, done: &Done) -> Result<(), String> {
        match (&expect.error, &done.error) {
            (None, None) => {}
            (Some(part), Some(error)) => contains("the program's error", part, error)?,
            (Some(part), None) => return Err(format!("expected the error {part:?}, but it was carried out")),
            (None, Some(error)) => return Err(error.clone()),
        }
        match (&expect.refused, &done.refused) {
            (None, None) => {}
            (Some(expected), Some((name, message))) => {
                if expected != name {
                    return Err(format!("expected the refusal {expected}, found {name}: {message}"));
                }
                contains("the refusal", expect.says.as_deref().unwrap_or_default(), message)?;
            }
            (Some(expected), None) => return Err(format!("expected the refusal {expected}, but it was carried out")),
            (None, Some((name, message))) => return Err(format!("the server refused: {name}, {message}")),
        }
        match (&expect.status, &done.status) {
            (Some(_), _) => same_or_none("status word", &expect.status, &done.status)?,
            (None, Some(status)) if status != "9000" => return Err(format!("the card answered {status}")),
            _ => {}
        }
        if expect.ok.is_some() {
            same_or_none("answers right", &expect.ok, &done.ok)?;
        }
        if expect.mode.is_some() {
            same_or_none("mode", &expect.mode, &done.mode)?;
        }
        if let Some(value) = &expect.value {
            same_or_none("value", &Some(self.text(value).map_err(|e| e.0)?), &done.value)?;
        }
        if let Some((field, expected)) = &expect.field {
            let found = match &done.body[field.as_str()] {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            same(field, expected, &found)?;
        }
        Ok(())
    }

    fn check_screen(&mut self, expect: &Expect) -> Result<(), String> {
        if expect.screen.is_none() && expect.shows.is_none() && expect.shows_not.is_none() {
            return Ok(());
        }
        let desk = self.desk().map_err(|e| e.0)?;
        let shows = expect.shows.as_deref().unwrap_or_default();
        let settled = |shown: &Shown| is_settled(shown) || expect.screen.as_deref() == Some("working");
        let shown = desk.wait_until(PATIENCE, |shown| {
            settled(shown)
                && expect.screen.as_deref().is_none_or(|wanted| name(&shown.screen) == wanted)
                && text(shown).contains(shows)
        });
        // What it tells the server stands in the log before what comes next.
        desk.finish(PATIENCE);
        if let Some(wanted) = &expect.screen
            && name(&shown.screen) != wanted
        {
            return Err(format!("screen: expected {wanted:?}, found {:?}: {}", name(&shown.screen), text(&shown)));
        }
        contains("the screen", shows, &text(&shown))?;
        if let Some(part) = expect.shows_not.as_ref().filter(|part| text(&shown).contains(part.as_str())) {
            return Err(format!("the screen says {part:?}: {}", text(&shown)));
        }
        // What is shown now may be another challenge than the step's own.
        self.read_challenge().map(drop).map_err(|e| e.0)
    }

    fn card_of(&self, step: &Step) -> Result<String, String> {
        let named = step.action.cards().first().map(|name| (*name).to_owned());
        let named = named.or_else(|| Some(self.at_screen.clone()).filter(|name| !name.is_empty()));
        self.card(named.as_ref()).map_err(|e| e.0)
    }

    fn check_card(&self, step: &Step, expect: &Expect) -> Result<(), String> {
        let expected = [("PIN", expect.pin_left), ("PUK", expect.puk_left), ("administrator key", expect.admin_left)];
        if expected.iter().all(|(_, left)| left.is_none()) {
            return Ok(());
        }
        let left = self.cards.left(&self.card_of(step)?).map_err(|e| e.0)?;
        for ((what, expected), found) in expected.into_iter().zip(left) {
            if expected.is_some() {
                same_or_none(&format!("tries of the {what}"), &expected, &found)?;
            }
        }
        Ok(())
    }

    fn check_server(&mut self, step: &Step, expect: &Expect) -> Result<(), String> {
        if let Some(expected) = &expect.card_state {
            let serial = self.cards.known(&self.card_of(step)?).serial.clone();
            let view = self.site.must("admin", "GET", &format!("/cards/{serial}"), &Value::Null).map_err(|e| e.0)?;
            same("card state", &expected.as_str(), &view["state"].as_str().unwrap_or_default())?;
        }
        if let Some(expected) = &expect.user_locked {
            let id = self.site.user(expect.user.as_deref().unwrap_or("anna")).map_err(|e| e.0)?;
            let view = self.site.must("admin", "GET", &format!("/users/{id}"), &Value::Null).map_err(|e| e.0)?;
            same_or_none("user locked", &Some(*expected), &view["locked"].as_bool())?;
        }
        if let Some(expected) = &expect.events {
            let (events, last) = self.events(expected.len())?;
            self.seen = last;
            let names: Vec<String> = events.iter().map(|(name, _)| name.clone()).collect();
            same("events", expected, &names)?;
            if let Some(detail) = &expect.detail {
                contains("the event's detail", detail, events.last().map_or("", |(_, detail)| detail))?;
            }
        }
        Ok(())
    }

    /// Events since they were last looked at: as many as are expected, or what there is when the lock screen has told all.
    fn events(&mut self, expected: usize) -> Result<(Vec<(String, String)>, i64), String> {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(desk) = &self.desk {
                desk.finish(PATIENCE);
            }
            let (events, last) = self.site.events(self.seen).map_err(|e| e.0)?;
            if events.len() >= expected || self.desk.is_none() || Instant::now() >= end {
                return Ok((events, last));
            }
        }
    }
}
