//! A scenario under way: whoever watches says when the next step is played, and may look round between two.

use super::{Failure, Player, Seen};
use crate::file::{Scenario, Step};
use crate::world::cards::Source;
use serde::Serialize;
use serde_json::Value;

/// A scenario in its world, before its next step.
pub struct Stage<'a> {
    player: Player<'a>,
    /// Steps that were played.
    played: usize,
    /// A step did not hold: no other is played.
    over: bool,
    watcher: Watcher,
}

/// A step that was played.
#[derive(Debug)]
pub struct Played<'a> {
    /// From 1.
    pub number: usize,
    /// The step.
    pub step: &'a Step,
    /// What the lock screen shows, where there is one.
    pub screen: Option<Seen>,
    /// What did not hold; nothing where all did.
    pub wrong: Option<String>,
}

/// What there is to see between two steps, as data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Around {
    /// The lock screen, where there is one.
    pub screen: Option<Seen>,
    /// The cards, in the order of their names.
    pub cards: Vec<CardSeen>,
    /// What an administrator sees at the server.
    pub console: Console,
}

/// A card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CardSeen {
    /// Its name in the file.
    pub name: String,
    /// Its reader's name.
    pub reader: String,
    /// Whether it is in its reader; nothing where that is not known.
    pub inserted: Option<bool>,
    /// Tries of its PIN.
    pub pin_left: Option<u8>,
    /// Tries of its PUK.
    pub puk_left: Option<u8>,
    /// Tries of its administrator key.
    pub admin_left: Option<u8>,
    /// Its state at the server; nothing where that does not know it.
    pub state: Option<String>,
    /// Whose it is there.
    pub user: Option<String>,
    /// Whether that user is locked.
    pub user_locked: Option<bool>,
}

/// The Management Console.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Console {
    /// Whether there is a server.
    pub answers: bool,
    /// What the log has more than when it was last looked at.
    pub log: Vec<Logged>,
}

/// An entry of the server's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Logged {
    /// The event's name.
    pub name: String,
    /// More about it; may be empty.
    pub detail: String,
}

/// Somebody who looks at the server, with a login of its own: those of the file stay as old as they are.
#[derive(Default)]
struct Watcher {
    token: Option<String>,
    seen: i64,
}

fn failed(step: usize, line: usize, name: &str, message: String) -> Failure {
    Failure { line, step, name: name.into(), message }
}

impl<'a> Stage<'a> {
    /// The world at its beginning.
    ///
    /// # Errors
    /// [`Failure`] of step 0 for a world that cannot be made.
    pub fn set(scenario: &'a Scenario, source: &Source) -> Result<Self, Failure> {
        if let (Source::Real(_), Some(why)) = (source, scenario.needs_simulation()) {
            return Err(failed(0, 1, "set-up", format!("this scenario is for simulated cards: {why}")));
        }
        let player = Player::set_up(scenario, source).map_err(|e| failed(0, 1, "set-up", e.0))?;
        let watcher = Watcher { token: None, seen: player.seen };
        Ok(Self { player, played: 0, over: false, watcher })
    }

    /// The step that is played next; nothing when it is over.
    #[must_use]
    pub fn next(&self) -> Option<&'a Step> {
        self.player.scenario.steps.get(self.played).filter(|_| !self.over)
    }

    /// Plays the next step; nothing when it is over: all were played, or one did not hold.
    pub fn step(&mut self) -> Option<Played<'a>> {
        let step = self.next()?;
        let wrong = self.player.step(step).err();
        self.played += 1;
        self.over = wrong.is_some();
        Some(Played { number: self.played, step, screen: self.player.seen_on_screen(), wrong })
    }

    /// Looks round. Nothing is changed by it.
    pub fn around(&mut self) -> Around {
        let console = self.watcher.log(&self.player);
        let names: Vec<String> = self.player.scenario.cards.keys().cloned().collect();
        let cards = names.into_iter().map(|name| self.card(name)).collect();
        Around { screen: self.player.seen_on_screen(), cards, console }
    }

    fn card(&mut self, name: String) -> CardSeen {
        let known = self.player.cards.known(&name).clone();
        let [pin_left, puk_left, admin_left] = self.player.cards.left(&name).unwrap_or_default();
        let view = self.watcher.ask(&self.player, &format!("/cards/{}", known.serial)).filter(|_| !known.serial.is_empty());
        let text = |view: &Value, field: &str| view[field].as_str().map(str::to_owned);
        let user = view.as_ref().and_then(|card| text(card, "user_id"));
        let user = user.and_then(|id| self.watcher.ask(&self.player, &format!("/users/{id}")));
        CardSeen {
            inserted: self.player.cards.is_in(&name),
            name,
            reader: known.reader,
            pin_left,
            puk_left,
            admin_left,
            state: view.as_ref().and_then(|card| text(card, "state")),
            user: user.as_ref().and_then(|user| text(user, "cn")),
            user_locked: user.as_ref().and_then(|user| user["locked"].as_bool()),
        }
    }

    /// It is over, at whichever step: a real card is given back as it was.
    ///
    /// # Errors
    /// [`Failure`] of step 0, when the card is not as it was.
    pub fn leave(mut self) -> Result<(), Failure> {
        // The lock screen lets go of the card first.
        self.player.desk = None;
        self.player.holders.clear();
        self.player.cards.give_back().map_err(|e| failed(0, 1, "giving the card back", e.0))
    }
}

impl Watcher {
    /// An answer of the server; nothing when it refuses, or nobody answers.
    fn ask(&mut self, player: &Player<'_>, path: &str) -> Option<Value> {
        // A login is over when the scenario lets time pass.
        for _ in 0..2 {
            if self.token.is_none() {
                self.token = player.site.login_of("admin").ok();
            }
            let token = self.token.as_deref()?;
            let reply = player.site.request("GET", &format!("/api/v1{path}"), token, "").ok()?;
            match reply.status {
                200 => return Some(reply.body),
                401 => self.token = None,
                _ => return None,
            }
        }
        None
    }

    fn log(&mut self, player: &Player<'_>) -> Console {
        let Some(events) = self.ask(player, &format!("/events?after={}", self.seen)) else { return Console::default() };
        let events = events.as_array().cloned().unwrap_or_default();
        self.seen = events.last().and_then(|event| event["seq"].as_i64()).unwrap_or(self.seen);
        let text = |event: &Value, field: &str| event[field].as_str().unwrap_or_default().to_owned();
        let logged = events.iter().map(|event| Logged { name: text(event, "name"), detail: text(event, "detail") });
        Console { answers: true, log: logged.filter(|event| event.name != crate::world::site::LOGIN).collect() }
    }
}

/// Plays it from its beginning to its end. `told` hears of every step that was played, also of the one at which it ends.
///
/// # Errors
/// [`Failure`], also for a world that cannot be made: then of step 0.
pub fn play(scenario: &Scenario, source: &Source, mut told: impl FnMut(&Played<'_>)) -> Result<(), Failure> {
    let mut stage = Stage::set(scenario, source)?;
    let mut held = Ok(());
    while let Some(played) = stage.step() {
        told(&played);
        if let Some(message) = played.wrong {
            held = Err(failed(played.number, played.step.line, &played.step.name, message));
        }
    }
    held.and(stage.leave())
}
