//! The words that a file may use for what its world has, and what is said of a word that is none of them.

pub use crate::play::SCREENS;
use cardlab_server_stub::model::card::{CardState, Operation};
use cardlab_server_stub::model::event::Kind;
use cardlab_server_stub::model::policy::Policy;
use cardlab_server_stub::model::refusal::Code;
use cardlab_server_stub::model::role::Privilege;

/// States that a card may begin in.
pub const STATES: [&str; 6] = ["unknown", "Clean", "Assigned", "Issued", "Disabled", "Revoked"];
/// What is possible for a card, as a workstation hears it.
pub const MODES: [&str; 3] = ["online", "offline", "none"];
/// How a session ended, as a workstation says it.
pub const OUTCOMES: [&str; 3] = ["unlocked", "refused", "gone"];
/// What is done with a user.
pub const OF_USERS: [&str; 4] = ["unlock", "reset-answers", "enable", "disable"];
/// Operators from the start.
pub const OPERATORS: [&str; 2] = ["admin", "oleg"];
/// Users from the start.
pub const USERS: [&str; 3] = ["anna", "boris", "clara"];
/// The policy from the start.
pub const POLICY: &str = "Default";
/// Values that nobody has to save: the first card's PIN, the challenge and check code that were read last, the response that
/// was given last.
pub const VALUES: [&str; 4] = ["pin", "challenge", "check", "response"];

/// Every value of an enumeration: one that is new does not compile until it stands here.
macro_rules! every {
    ($kind:ident: $($value:ident)+) => {{
        const fn listed(kind: $kind) {
            match kind { $($kind::$value => {})+ }
        }
        [$({ listed($kind::$value); $kind::$value }),+]
    }};
}

/// Names of events.
#[must_use]
pub fn events() -> Vec<&'static str> {
    let all = every!(Kind: UnlockOpened AnswersRight AnswersWrong UserLocked UserUnlocked AnswersSet AnswersReset ResponseGiven
        ResponseRefused CardUnlocked CardRefusedResponse CardGone AdminKeyBlocked PinBlockSeen PinWrongSeen PinReset PinNotReset
        AdminKeyRolled AdminKeyNotRolled CardInitialized CardNotInitialized PolicyChanged RoleChanged QuestionChanged
        CardStateChanged RateLimited TaskPutOff TaskOrdered TaskCancelled LoggedIn LoginFailed LoggedOut CardAdded CardNotAdded UserAdded
        UserNotAdded UserNotUnlocked AnswersNotSet AnswersNotReset PolicyNotChanged RoleNotChanged QuestionNotChanged
        CardStateNotChanged TaskNotOrdered TaskNotCancelled UserStateChanged UserStateNotChanged CardRemoved CardNotRemoved
        AdminKeyCorrected AdminKeyNotCorrected NotLetIn PinChanged PinNotChanged
        UserPolicyChanged UserPolicyNotChanged CardTagsChanged CardTagsNotChanged ReportUnconfirmed UserCorrected
        UserNotCorrected);
    all.map(|kind| kind.facts().1).to_vec()
}

/// Names of refusals.
#[must_use]
pub fn refusals() -> Vec<&'static str> {
    let all = every!(Code: Malformed TooLong TooSlow WrongMethod WrongHost OtherSite NotLoggedIn NoPrivilege DisabledByPolicy
        UserLocked UserDisabled CardState NoAdminKey AnswersNotSet SelfServiceOnly AnswersFirst Captcha NotFound Conflict NoReaders
        CardRefused SessionOver RateLimited Busy StoreDown);
    all.map(Code::name).to_vec()
}

/// States of a card at the server.
#[must_use]
pub fn card_states() -> Vec<&'static str> {
    CardState::ALL.map(CardState::name).to_vec()
}

/// What is done with a card.
#[must_use]
pub fn of_cards() -> Vec<&'static str> {
    Operation::ALL.map(Operation::name).into_iter().chain(["reset-pin", "roll-key"]).collect()
}

/// Privileges of a role.
#[must_use]
pub fn privileges() -> Vec<&'static str> {
    Privilege::ALL.map(Privilege::name).to_vec()
}

/// Settings of a policy, each `section.name`.
#[must_use]
pub fn settings() -> Vec<String> {
    let policy = serde_json::to_value(Policy::default()).unwrap_or_default();
    let sections = policy.as_object().into_iter().flatten();
    let named = sections.flat_map(|(section, settings)| {
        settings.as_object().into_iter().flatten().map(move |(name, _)| format!("{section}.{name}"))
    });
    named.collect()
}

/// The word that was meant, where one is near enough.
fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let distance = |other: &&str| strsim::damerau_levenshtein(&word.to_lowercase(), &other.to_lowercase());
    let near = known.iter().copied().min_by_key(distance)?;
    (distance(&near) <= 1 + word.chars().count() / 4).then_some(near)
}

/// What is said of a word that is none of the known ones: the nearest of them, else all.
#[must_use]
pub fn unknown(what: &str, word: &str, known: &[&str]) -> String {
    match nearest(word, known) {
        Some(near) => format!("there is no {what} '{word}'; did you mean '{near}'?"),
        None => format!("there is no {what} '{word}'; there are: {}", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_offered_and_else_all_of_them() {
        let known = ["locked", "lost", "put-back"];
        assert_eq!(unknown("screen", "lokced", &known), "there is no screen 'lokced'; did you mean 'locked'?");
        assert_eq!(unknown("screen", "Put-Back", &known), "there is no screen 'Put-Back'; did you mean 'put-back'?");
        assert_eq!(unknown("screen", "welcome", &known), "there is no screen 'welcome'; there are: locked, lost, put-back");
        assert_eq!(unknown("screen", "", &[]), "there is no screen ''; there are: ");
    }
}
