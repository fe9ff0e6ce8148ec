//! What a file names: operators, users, policies, screens, events and the like. What is not there is found before anything is
//! played.

use crate::action::Action;
use crate::expect::Expect;
use crate::file::Step;
use crate::vocabulary::{self, unknown};
use std::collections::BTreeSet;

/// What a word is a name of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Of {
    Operator,
    User,
    Policy,
    Role,
    Setting,
    Privilege,
    Screen,
    Event,
    Refusal,
    Mode,
    Outcome,
    CardState,
    OperationWithCard,
    OperationWithUser,
    /// `$name`.
    Value,
}

/// A word, and where it stands in its step: `expect/events/2`; as a key, `set/workflow.validate_answers#`.
pub(crate) struct Name<'a> {
    pub(crate) at: String,
    of: Of,
    word: &'a str,
}

/// Who and what is there, as the steps before have left it.
pub(crate) struct Known {
    operators: BTreeSet<String>,
    users: BTreeSet<String>,
    policies: BTreeSet<String>,
    roles: BTreeSet<String>,
    values: BTreeSet<String>,
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

impl Default for Known {
    fn default() -> Self {
        Self {
            operators: set(&vocabulary::OPERATORS),
            users: set(&vocabulary::USERS),
            policies: set(&[vocabulary::POLICY]),
            roles: BTreeSet::new(),
            values: set(&vocabulary::VALUES),
        }
    }
}

impl Known {
    /// What is said of a name that is none; `None` where it is one.
    pub(crate) fn check(&self, name: &Name<'_>) -> Option<String> {
        let (what, known): (&str, Vec<String>) = match name.of {
            // A whole logon name is typed as it stands.
            Of::User if name.word.contains(['\\', '@']) => return None,
            Of::User => ("user", self.users.iter().cloned().collect()),
            Of::Operator => ("operator", self.operators.iter().cloned().collect()),
            Of::Policy => ("policy", self.policies.iter().cloned().collect()),
            Of::Role => ("role", self.roles.iter().cloned().collect()),
            Of::Value => ("value saved as", self.values.iter().cloned().collect()),
            Of::Setting => ("setting of a policy", vocabulary::settings()),
            Of::Privilege => ("privilege", owned(&vocabulary::privileges())),
            Of::Screen => ("screen", vocabulary::SCREENS.iter().map(|(name, _)| (*name).to_owned()).collect()),
            Of::Event => ("event", owned(&vocabulary::events())),
            Of::Refusal => ("refusal", owned(&vocabulary::refusals())),
            Of::Mode => ("mode", owned(&vocabulary::MODES)),
            Of::Outcome => ("outcome", owned(&vocabulary::OUTCOMES)),
            Of::CardState => ("state of a card", owned(&vocabulary::card_states())),
            Of::OperationWithCard => ("operation with a card", owned(&vocabulary::of_cards())),
            Of::OperationWithUser => ("operation with a user", owned(&vocabulary::OF_USERS)),
        };
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        (!known.contains(&name.word)).then(|| unknown(what, name.word, &known))
    }

    /// What is there after a step.
    pub(crate) fn after(&mut self, step: &Step) {
        match &step.action {
            Action::AddOperator { name, .. } => drop(self.operators.insert(name.clone())),
            Action::AddUser { name, .. } => drop(self.users.insert(name.clone())),
            Action::AddPolicy { name } => drop(self.policies.insert(name.clone())),
            Action::Role { name, .. } => drop(self.roles.insert(name.clone())),
            _ => {}
        }
        self.values.extend(step.save.clone());
    }
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// A policy's settings, each named.
pub(crate) fn settings<'a>(at: &str, names: impl Iterator<Item = &'a String>) -> Vec<Name<'a>> {
    names.map(|word| Name { at: format!("{at}/{word}#"), of: Of::Setting, word }).collect()
}

/// Somebody's name.
pub(crate) const fn user(at: String, word: &str) -> Name<'_> {
    Name { at, of: Of::User, word }
}

/// Everything that a step names.
pub(crate) fn of_step(step: &Step) -> Vec<Name<'_>> {
    let mut names = of_action(&step.action);
    names.extend(of_expect(&step.expect));
    names
}

fn of_action(action: &Action) -> Vec<Name<'_>> {
    let mut names = Vec::new();
    let mut add = |at: &str, of: Of, word| names.push((at.to_owned(), of, word));
    match action {
        Action::ConsoleOpen { operator, .. } => add("operator", Of::Operator, operator),
        Action::ConsoleAnswers { operator, wizard_of, .. } => {
            add("operator", Of::Operator, operator);
            wizard_of.iter().for_each(|name| add("wizard-of", Of::Operator, name));
        }
        Action::ConsoleChallenge { operator, challenge, check, .. } => {
            add("operator", Of::Operator, operator);
            add("challenge", Of::Value, challenge);
            check.iter().for_each(|check| add("check", Of::Value, check));
        }
        Action::User { user, operation, operator } => {
            add("user", Of::User, user);
            add("operation", Of::OperationWithUser, operation);
            add("operator", Of::Operator, operator);
        }
        Action::AddCard { operator, .. } => add("operator", Of::Operator, operator),
        Action::Card { operation, operator, user, .. } => {
            add("operation", Of::OperationWithCard, operation);
            add("operator", Of::Operator, operator);
            user.iter().for_each(|user| add("user", Of::User, user));
        }
        Action::Policy { set, policy, operator } => {
            set.keys().for_each(|name| add(&format!("set/{name}#"), Of::Setting, name));
            add("policy", Of::Policy, policy);
            add("operator", Of::Operator, operator);
        }
        Action::DeletePolicy { name } => add("name", Of::Policy, name),
        Action::Role { privileges, policies, .. } => {
            for (index, name) in privileges.iter().enumerate() {
                add(&format!("privileges/{index}"), Of::Privilege, name);
            }
            for (index, name) in policies.iter().flatten().enumerate() {
                add(&format!("policies/{index}"), Of::Policy, name);
            }
        }
        Action::AddOperator { role, user, .. } => {
            role.iter().for_each(|role| add("role", Of::Role, role));
            user.iter().for_each(|user| add("user", Of::User, user));
        }
        Action::AddUser { policy, .. } => add("policy", Of::Policy, policy),
        Action::SetAnswers { user, .. } => add("user", Of::User, user),
        Action::SessionResult { outcome } => add("outcome", Of::Outcome, outcome),
        Action::SessionChallenge { challenge } | Action::RemoteChallenge { challenge, .. } => {
            add("challenge", Of::Value, challenge);
        }
        Action::SessionOpen { serial: Some(serial), .. } => add("serial", Of::Value, serial),
        Action::Request { operator: Some(operator), .. } => add("operator", Of::Operator, operator),
        Action::Verify { pin, .. } | Action::TypePin { pin } => add("pin", Of::Value, pin),
        Action::ChangePin { pin, new, .. } => {
            add("pin", Of::Value, pin);
            add("new", Of::Value, new);
        }
        Action::UnblockWithPuk { puk, new, .. } => {
            add("puk", Of::Value, puk);
            add("new", Of::Value, new);
        }
        Action::Send { command, .. } => {
            let values = command.split_whitespace().filter(|word| word.starts_with('$'));
            return values.filter_map(|word| name("command".into(), Of::Value, word)).collect();
        }
        Action::Respond { challenge, .. } => add("challenge", Of::Value, challenge),
        Action::ToolRespond { response, pin, .. } => {
            add("response", Of::Value, response);
            add("pin", Of::Value, pin);
        }
        Action::TypeNewPin { pin, confirmation } => {
            add("pin", Of::Value, pin);
            confirmation.iter().for_each(|pin| add("confirmation", Of::Value, pin));
        }
        Action::TypePuk { puk, pin, confirmation } => {
            add("puk", Of::Value, puk);
            add("pin", Of::Value, pin);
            confirmation.iter().for_each(|pin| add("confirmation", Of::Value, pin));
        }
        Action::TypeResponse { response, pin, confirmation, .. } => {
            add("response", Of::Value, response);
            add("pin", Of::Value, pin);
            confirmation.iter().for_each(|pin| add("confirmation", Of::Value, pin));
        }
        _ => {}
    }
    names.into_iter().filter_map(|(at, of, word): (String, Of, &String)| name(at, of, word)).collect()
}

/// A text that is no `$name` names no value.
fn name(at: String, of: Of, word: &str) -> Option<Name<'_>> {
    let word = if of == Of::Value { word.strip_prefix('$')? } else { word };
    Some(Name { at, of, word })
}

fn of_expect(expect: &Expect) -> Vec<Name<'_>> {
    let single = [
        ("refused", Of::Refusal, &expect.refused),
        ("mode", Of::Mode, &expect.mode),
        ("screen", Of::Screen, &expect.screen),
        ("card-state", Of::CardState, &expect.card_state),
        ("user", Of::User, &expect.user),
        ("value", Of::Value, &expect.value),
    ];
    let single = single.into_iter().filter_map(|(at, of, word)| name(format!("expect/{at}"), of, word.as_ref()?));
    let events = expect.events.iter().flatten().enumerate();
    single.chain(events.map(|(index, word)| Name { at: format!("expect/events/{index}"), of: Of::Event, word })).collect()
}
