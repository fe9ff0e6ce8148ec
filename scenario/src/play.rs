//! Plays a scenario: one step after the other, each with what must hold afterwards.

mod check;
mod console;
mod programs;
mod screen;
mod stage;

use crate::action::{Action, Answers};
use crate::file::{Scenario, Step};
use crate::typed::{Slip, typed};
use crate::world::Broken;
use crate::world::cards::{Cards, Holder, Source};
use crate::world::site::Site;
use cardlab_client::unlock::desk::Desk;
use cardlab_protocol::workstation::Question;
use cardlab_vreader::VirtualCard;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;
use thiserror::Error;

pub use screen::SCREENS;
pub use stage::{Around, CardSeen, Console, Logged, Played, Stage, play};

/// What a step gave.
#[derive(Clone, Debug, Default)]
pub(crate) struct Done {
    /// Status word of a command.
    status: Option<String>,
    /// A program's complaint.
    error: Option<String>,
    /// The server's: name and sentence.
    refused: Option<(String, String)>,
    /// Whether answers were right.
    ok: Option<bool>,
    /// `online`, `offline`, `none`.
    mode: Option<String>,
    /// A challenge, a response, a PIN.
    value: Option<String>,
    /// The whole answer of the server.
    body: Value,
}

/// Something else than what a scenario says.
#[derive(Debug, Error)]
#[error("line {line}, step {step} ({name}): {message}")]
pub struct Failure {
    /// Line of the step.
    pub line: usize,
    /// From 1.
    pub step: usize,
    /// Its action.
    pub name: String,
    /// What was expected, and what was.
    pub message: String,
}

/// An open flow: its id and what it asks.
#[derive(Clone, Debug, Default)]
struct Flow {
    id: String,
    questions: Vec<Question>,
}

/// A world in which a scenario is under way.
struct Player<'a> {
    scenario: &'a Scenario,
    cards: Cards,
    site: Site,
    desk: Option<Desk>,
    /// What the workstation keeps for a server that cannot be reached.
    workstation: tempfile::TempDir,
    /// Other programs that keep cards, by card.
    holders: BTreeMap<String, Holder>,
    /// The card before the lock screen.
    at_screen: String,
    session: Flow,
    remote: Flow,
    /// Whose answers are asked for there.
    remote_user: String,
    /// Open wizards by operator.
    wizards: BTreeMap<String, Flow>,
    values: BTreeMap<String, String>,
    /// Events up to here have been looked at.
    seen: i64,
}

/// A lock screen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Seen {
    /// Its name in files.
    pub name: &'static str,
    /// All that can be read on it: the headline first.
    pub words: Vec<String>,
}

impl<'a> Player<'a> {
    fn set_up(scenario: &'a Scenario, source: &Source) -> Result<Self, Broken> {
        let cards = Cards::set_up(scenario, source)?;
        let mut site = Site::start(cards.socket())?;
        let mut policy = scenario.policy.clone();
        // Several cards of one user are the scenario's business, not the policy's.
        policy
            .entry("issuance.maximum_cards".into())
            .or_insert(crate::action::Setting::Number(scenario.cards.len().max(1) as i64));
        let defaults = BTreeMap::from([("anna".to_owned(), ["Bello", "Göteborg", "Frau Weber"].map(str::to_owned).to_vec())]);
        let answers = if scenario.answers.is_empty() { &defaults } else { &scenario.answers };
        for (user, texts) in answers.iter().filter(|(_, texts)| !texts.is_empty()) {
            if let Some((name, message)) = site.set_answers(user, texts)? {
                return Err(Broken(format!("answers of {user}: {name}, {message}")));
            }
        }
        let mut player = Self {
            scenario,
            cards,
            site,
            desk: None,
            workstation: tempfile::tempdir().map_err(Broken::at("workstation"))?,
            holders: BTreeMap::new(),
            at_screen: String::new(),
            session: Flow::default(),
            remote: Flow::default(),
            remote_user: String::new(),
            wizards: BTreeMap::new(),
            values: BTreeMap::new(),
            seen: 0,
        };
        let changed = player.change_policy("admin", "Default", &policy)?;
        if let Some((name, message)) = changed.refused {
            return Err(Broken(format!("policy: {name}, {message}")));
        }
        for (name, setup) in &scenario.cards {
            let known = player.cards.known(name).clone();
            player.site.register(&known, setup)?;
        }
        player.seen = player.site.events(0)?.1;
        Ok(player)
    }

    fn step(&mut self, step: &Step) -> Result<(), String> {
        let done = self.act(&step.action).map_err(|broken| broken.0)?;
        self.check(step, &done)?;
        if let Some(name) = &step.save {
            let value = done.value.ok_or("the step gives no value that could be saved")?;
            self.values.insert(name.clone(), value);
        }
        Ok(())
    }

    /// The card that a step means.
    fn card(&self, named: Option<&String>) -> Result<String, Broken> {
        match named {
            Some(name) => Ok(name.clone()),
            None if self.scenario.cards.len() == 1 => Ok(self.scenario.cards.keys().next().cloned().unwrap_or_default()),
            None => Err(Broken("the file has several cards: say which with card = \"...\"".into())),
        }
    }

    /// A text of the file; `$name` stands for a value.
    fn text(&self, text: &str) -> Result<String, Broken> {
        let Some(name) = text.strip_prefix('$') else { return Ok(text.to_owned()) };
        if let (None, "pin", Some(card)) = (self.values.get(name), name, self.scenario.cards.keys().next()) {
            return Ok(self.cards.known(card).pin.to_string());
        }
        self.values.get(name).cloned().ok_or_else(|| Broken(format!("nothing was saved as '{name}'")))
    }

    fn typed(&self, text: &str, slips: &[Slip]) -> Result<String, Broken> {
        Ok(typed(&self.text(text)?, slips))
    }

    /// What is answered to these questions.
    fn answers(&self, user: &str, questions: &[Question], answers: &Answers, slips: &[Slip]) -> Vec<String> {
        let texts: Vec<String> = match answers {
            Answers::Right => questions.iter().map(|q| self.site.right_answer(user, &q.text)).collect(),
            Answers::Wrong => questions.iter().map(|_| "nothing of the kind".to_owned()).collect(),
            Answers::Texts(texts) => texts.clone(),
        };
        texts.iter().map(|text| typed(text, slips)).collect()
    }

    fn act(&mut self, action: &Action) -> Result<Done, Broken> {
        match action {
            Action::Insert { card } => self.cards.insert(&self.card(card.as_ref())?).map(|()| Done::default()),
            Action::Remove { card } => self.cards.remove(&self.card(card.as_ref())?).map(|()| Done::default()),
            Action::Reset { card, cold } => self.cards.reset(&self.card(card.as_ref())?, *cold).map(|()| Done::default()),
            Action::Unplug { card } => self.cards.plug(&self.card(card.as_ref())?, false).map(|()| Done::default()),
            Action::Plug { card } => self.cards.plug(&self.card(card.as_ref())?, true).map(|()| Done::default()),
            Action::Fault { card, fault } => self.cards.fault(&self.card(card.as_ref())?, &fault.0).map(|()| Done::default()),
            Action::Disarm { card } => {
                self.cards.bench(&self.card(card.as_ref())?, VirtualCard::disarm).map(|()| Done::default())
            }
            Action::State { card, state } => self.cards.bring(&self.card(card.as_ref())?, state.0).map(|()| Done::default()),
            Action::Touch { card, touch } => self.cards.set_touch(&self.card(card.as_ref())?, touch.0).map(|()| Done::default()),
            Action::Pace { card, pace } => {
                let pace = pace.0.clone();
                self.cards.bench(&self.card(card.as_ref())?, |card| card.set_pace(pace)).map(|()| Done::default())
            }
            Action::Undo { card, commands } => self.cards.undo(&self.card(card.as_ref())?, *commands).map(|()| Done::default()),
            Action::Hold { card } => {
                let card = self.card(card.as_ref())?;
                let holder = self.cards.hold(&card)?;
                self.holders.insert(card, holder);
                Ok(Done::default())
            }
            Action::LetGo { card } => {
                let card = self.card(card.as_ref())?;
                let holder = self.holders.remove(&card);
                holder.ok_or_else(|| Broken(format!("no other program holds {card}: begin with do = \"hold\"")))?.let_go()?;
                Ok(Done::default())
            }
            Action::Swap { card, with } => {
                let card = match card {
                    Some(card) => card.clone(),
                    None => self.scenario.cards.keys().find(|name| *name != with).cloned().unwrap_or_default(),
                };
                self.cards.swap(&card, with).map(|()| Done::default())
            }
            Action::StopServer {} => {
                self.site.stop();
                Ok(Done::default())
            }
            Action::StartServer {} => self.site.restart().map(|()| Done::default()),
            Action::TimePasses { minutes } => {
                self.site.time_passes(Duration::from_secs(60 * u64::from(*minutes)));
                Ok(Done::default())
            }
            Action::Look { card } => {
                self.card(card.as_ref())?;
                Ok(Done::default())
            }
            Action::Verify { .. }
            | Action::ChangePin { .. }
            | Action::UnblockWithPuk { .. }
            | Action::Spend { .. }
            | Action::Send { .. }
            | Action::Respond { .. }
            | Action::ToolChallenge { .. }
            | Action::ToolRespond { .. } => self.program(action),
            Action::LockScreen { .. }
            | Action::TypePin { .. }
            | Action::Press { .. }
            | Action::ChooseCard { .. }
            | Action::TypePuk { .. }
            | Action::TypeAnswers { .. }
            | Action::TypeNewPin { .. }
            | Action::TypeResponse { .. }
            | Action::Screen {} => self.screen(action),
            other => self.at_the_server(other),
        }
    }

    /// Changes settings, each named by its section and its name.
    fn change_policy(
        &mut self,
        operator: &str,
        policy: &str,
        set: &BTreeMap<String, crate::action::Setting>,
    ) -> Result<Done, Broken> {
        let (id, mut settings) = self.site.policy(policy)?;
        for (name, value) in set {
            let (section, setting) =
                name.split_once('.').ok_or_else(|| Broken(format!("'{name}' is no setting: write section.name")))?;
            settings[section][setting] = json_of(value);
        }
        let reply = self.site.ask(operator, "PUT", &format!("/policies/{id}"), &settings)?;
        Ok(Done { refused: reply.refusal(), ..Done::default() })
    }
}

fn json_of(setting: &crate::action::Setting) -> Value {
    use crate::action::Setting;
    match setting {
        Setting::Switch(on) => json!(on),
        Setting::Number(number) => json!(number),
        Setting::Text(text) => json!(text),
        Setting::Table(table) => table.iter().map(|(name, value)| (name.clone(), json_of(value))).collect(),
    }
}
