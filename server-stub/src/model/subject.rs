//! A card with all that decides whether it may be unlocked, read at the moment of use.

use crate::model::card::{CardRecord, CardState, KeySource, Operation};
use crate::model::policy::{Authentication, NamedPolicy};
use crate::model::question::Answered;
use crate::model::refusal::{Code, Refusal};
use crate::model::user::{User, UserLock};
use crate::words::{Sentence, sentence};
use cardlab_protocol::codes::CodeError;
use zeroize::Zeroizing;

/// Digits of an answer to reset.
const LONGEST_ATR: usize = 66;

/// What is known of a serial, or of a user without a card.
#[derive(Default)]
pub(crate) struct Subject {
    pub(crate) card: Option<CardRecord>,
    pub(crate) user: Option<User>,
    /// The one that decides: the card's own when it was issued under one, else the user's.
    pub(crate) policy: Option<NamedPolicy>,
    /// Id of the one that holds for the user.
    pub(crate) user_policy: Option<String>,
    /// Questions of the policy that the user has answered, in their order.
    pub(crate) answered: Vec<Answered>,
    /// Questions that the user has written. Only an operator asks them.
    pub(crate) own: Vec<Answered>,
}

/// As whose card somebody is told of a card.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Whose<'a> {
    /// As anybody's who has ever had it.
    Anybodys,
    /// As that of the user of this id.
    Of(&'a str),
    /// It is in stock: nothing of who had it.
    Nobodys,
}

/// A card that may be unlocked, with its user and policy.
pub(crate) struct Unlockable<'a> {
    pub(crate) card: &'a CardRecord,
    pub(crate) user: &'a User,
    pub(crate) policy: &'a NamedPolicy,
}

impl Subject {
    /// The card, when its state, its user and its key allow unlocking it in any way.
    pub(crate) fn unlockable(&self) -> Result<Unlockable<'_>, Refusal> {
        let card = self.card.as_ref().ok_or_else(|| Refusal::not_found("card"))?;
        if !card.state.can_be_unlocked() {
            return Err(Refusal::new(
                Code::CardState,
                sentence!("refused-not-unlocked", state = Sentence::named(card.state.word())),
            ));
        }
        let user = self.user.as_ref().ok_or_else(|| Refusal::new(Code::CardState, sentence!("refused-card-without-user")))?;
        if !user.active {
            return Err(Refusal::new(Code::UserDisabled, sentence!("refused-card-user-inactive")));
        }
        let policy =
            self.policy.as_ref().ok_or_else(|| Refusal::new(Code::DisabledByPolicy, sentence!("refused-no-policy-holds")))?;
        if card.key == KeySource::Unknown {
            return Err(Refusal::new(Code::NoAdminKey, sentence!("refused-no-key-to-unlock")));
        }
        Ok(Unlockable { card, user, policy })
    }

    /// The user may answer questions: there are answers, and tries.
    pub(crate) fn may_answer(&self) -> Result<(), Refusal> {
        self.may_answer_with(!self.answered.is_empty())
    }

    /// As [`Self::may_answer`], of a user who has answers or has none.
    pub(crate) fn may_answer_with(&self, answers: bool) -> Result<(), Refusal> {
        let user = self.user.as_ref().ok_or_else(|| Refusal::not_found("user"))?;
        if user.lock != UserLock::Open {
            return Err(Refusal::new(Code::UserLocked, sentence!("refused-user-locked")));
        }
        if !user.active {
            return Err(Refusal::new(Code::UserDisabled, sentence!("refused-user-inactive")));
        }
        if !answers {
            return Err(Refusal::new(Code::AnswersNotSet, sentence!("refused-no-answers")));
        }
        Ok(())
    }

    /// The card may be unlocked online.
    pub(crate) fn online(&self) -> Result<Unlockable<'_>, Refusal> {
        let unlockable = self.unlockable()?;
        self.may_answer()?;
        Ok(unlockable)
    }

    /// The card may be unlocked with a response that people carry.
    pub(crate) fn offline(&self) -> Result<Unlockable<'_>, Refusal> {
        let unlockable = self.unlockable()?;
        if !unlockable.policy.settings.workflow.unblock_card_offline {
            let message = sentence!("refused-offline", policy = &unlockable.policy.name);
            return Err(Refusal::new(Code::DisabledByPolicy, message));
        }
        Ok(unlockable)
    }

    /// The card's user may get a response in Remote Self-Service.
    pub(crate) fn remote(&self) -> Result<Unlockable<'_>, Refusal> {
        let unlockable = self.offline()?;
        if unlockable.policy.settings.workflow.unlock_in_remote {
            return Ok(unlockable);
        }
        Err(Refusal::new(Code::DisabledByPolicy, sentence!("refused-not-in-remote")))
    }

    /// The user may set answers.
    pub(crate) fn may_set_answers(&self) -> Result<(), Refusal> {
        if self.policy.as_ref().is_none_or(|policy| policy.settings.workflow.set_answers) {
            return Ok(());
        }
        Err(Refusal::new(Code::DisabledByPolicy, sentence!("refused-answers-not-here")))
    }

    /// The card's user may do this with it.
    pub(crate) fn may_operate(&self, operation: Operation) -> Result<(), Refusal> {
        let workflow = self.policy.as_ref().map(|policy| policy.settings.workflow.clone()).unwrap_or_default();
        let is_on = match operation {
            Operation::Disable => workflow.disable_card,
            Operation::Enable => workflow.enable_card,
            Operation::Revoke => workflow.revoke_card,
            Operation::Assign | Operation::Issue | Operation::Withdraw => false,
        };
        if is_on {
            return Ok(());
        }
        Err(Refusal::new(Code::DisabledByPolicy, sentence!("refused-not-in-self-service")))
    }

    /// The card's user may change its PIN.
    pub(crate) fn may_change_pin(&self) -> Result<(), Refusal> {
        let card = self.card.as_ref().ok_or_else(|| Refusal::not_found("card"))?;
        if card.state != CardState::Issued {
            return Err(Refusal::new(Code::CardState, sentence!("refused-card-not-in-use")));
        }
        if self.policy.as_ref().is_none_or(|policy| policy.settings.workflow.change_pin) {
            return Ok(());
        }
        Err(Refusal::new(Code::DisabledByPolicy, sentence!("refused-pin-change")))
    }

    /// The PIN of the card's user may be reset: of a connected card, or by a task for an agent.
    pub(crate) fn pin_resettable(&self) -> Result<Unlockable<'_>, Refusal> {
        let unlockable = self.unlockable()?;
        if unlockable.policy.settings.workflow.reset_user_pin {
            return Ok(unlockable);
        }
        Err(Refusal::new(Code::DisabledByPolicy, sentence!("refused-pin-reset")))
    }

    /// *Authentication* of the policy that holds.
    pub(crate) fn authentication(&self) -> Authentication {
        self.policy.as_ref().map(|policy| policy.settings.authentication.clone()).unwrap_or_default()
    }

    /// The id of the policy that holds.
    pub(crate) fn policy_id(&self) -> Option<&str> {
        self.policy.as_ref().map(|policy| policy.id.as_str())
    }

    /// The questions with these ids, in the order of the policy's; those that are no more are left out.
    pub(crate) fn questions(&self, ids: &[String]) -> Vec<cardlab_protocol::workstation::Question> {
        self.answered.iter().chain(&self.own).filter(|a| ids.contains(&a.question.id)).map(|a| a.question.shown()).collect()
    }

    /// What is to be compared: each answer beside its hash.
    ///
    /// # Errors
    /// [`Code::Malformed`] when questions and answers do not match.
    pub(crate) fn pairs(
        &self,
        asked: &[String],
        given: &cardlab_protocol::workstation::Answers,
        nobody: &str,
    ) -> Result<Vec<(Zeroizing<String>, String)>, Refusal> {
        if asked.len() != given.answers.len() {
            return Err(Refusal::malformed(sentence!("refused-answers-count", asked = asked.len(), given = given.answers.len())));
        }
        let pair = |id: &String| {
            let answer = given.answers.iter().find(|a| a.question == *id);
            let answer = answer.ok_or_else(|| Refusal::malformed(sentence!("refused-not-asked")))?;
            let text = crate::model::answers::normalised(&answer.text);
            if text.is_empty() || text.chars().count() > crate::model::answers::LONGEST {
                return Err(Refusal::malformed(sentence!("refused-answer-longest", longest = crate::model::answers::LONGEST)));
            }
            let known = self.answered.iter().chain(&self.own).find(|a| a.question.id == *id);
            let hash = known.map_or(nobody, |a| a.hash.as_str());
            Ok((text, hash.to_owned()))
        };
        asked.iter().map(pair).collect()
    }
}

/// A serial as it is stored: upper-case hexadecimal.
///
/// # Errors
/// [`Code::Malformed`].
pub(crate) fn serial(text: &str) -> Result<String, Refusal> {
    let digits: String = text.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_uppercase();
    let right = !digits.is_empty()
        && digits.len() <= 64
        && digits.len().is_multiple_of(2)
        && digits.bytes().all(|b| b.is_ascii_hexdigit());
    if right { Ok(digits) } else { Err(Refusal::malformed(sentence!("refused-serial"))) }
}

/// An answer to reset as it is stored: upper-case hexadecimal, or nothing where it is not known.
///
/// # Errors
/// [`Code::Malformed`] for what no card sends (ISO/IEC 7816-3, section 8.2.1: TS and 32 characters at most).
pub(crate) fn atr(text: &str) -> Result<String, Refusal> {
    let digits: String = text.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_uppercase();
    let right = digits.len() <= LONGEST_ATR && digits.len().is_multiple_of(2) && digits.bytes().all(|b| b.is_ascii_hexdigit());
    if right { Ok(digits) } else { Err(Refusal::malformed(sentence!("refused-atr"))) }
}

/// A challenge as people type it.
///
/// # Errors
/// [`Code::Malformed`] names the place.
pub(crate) fn challenge(text: &str, card: &CardRecord) -> Result<Vec<u8>, Refusal> {
    let length = card.about.cipher()?.block_len();
    cardlab_protocol::codes::parse_challenge(text, &[length]).map_err(|error| Refusal::malformed(mistyped(&error)))
}

/// What is wrong with a challenge that somebody typed.
fn mistyped(error: &CodeError) -> Sentence {
    match error {
        CodeError::Digit { found, place } => sentence!("refused-challenge-digit", found = found.to_string(), place = *place),
        CodeError::Length { found, expected } => {
            let expected: Vec<String> = expected.iter().map(ToString::to_string).collect();
            sentence!("refused-challenge-length", found = *found, expected = expected.join(" or "))
        }
        CodeError::Implausible => sentence!("refused-challenge-zeros"),
    }
}
