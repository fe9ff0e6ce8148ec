//! Questions that a user writes. They belong to who is known already: their user, logged in, writes them, and an operator asks them on
//! the telephone, besides the policy's. Nobody else is shown one - neither the lock screen nor Remote Self-Service, where a text that
//! somebody has written would tell that there is somebody, and who.

use crate::model::answers::normalised;
use crate::model::names;
use crate::model::policy::Authentication;
use crate::model::question::Question;
use crate::model::random;
use crate::model::refusal::{Code, Refusal};
use crate::model::subject::Subject;
use crate::service::login::Person;
use crate::service::self_service::{SelfService, asked, fits, hashes, unchanged};
use crate::store::{Tx, own_questions};
use crate::words::sentence;
use serde_json::json;
use zeroize::Zeroizing;

/// A question that a user has written, and its answer.
pub struct OwnQuestion {
    /// What to ask.
    pub text: String,
    /// The answer.
    pub answer: Zeroizing<String>,
}

impl SelfService<'_> {
    /// The user's own question, as their policy lets them have some.
    ///
    /// # Errors
    /// [`Code::DisabledByPolicy`]; [`Code::Conflict`] for one more than the policy lets them have; [`Code::Malformed`] at the field:
    /// too short, there already, or an answer that is one already.
    pub async fn add_question(&self, person: &Person, new: &OwnQuestion) -> Result<(), Refusal> {
        let hashed = async {
            let (subject, questions) = asked(&mut self.server.store.read().await?, person).await?;
            let (_, answer) = checked(&subject, &questions, new)?;
            self.count(person).await?;
            let others = hashes(subject.answered.iter().chain(&subject.own));
            self.differ(&answer, &others).await.map_err(|refusal| refusal.at("own_answer"))?;
            Ok::<_, Refusal>((self.server.workers.hash(vec![answer]).await?, others))
        };
        let hashed = hashed.await;
        let step = async |tx: &mut Tx| {
            let (mut hash, others) = hashed?;
            let hash = hash.pop().unwrap_or_default();
            // As it is now: another of the same user's pages may have been quicker.
            let (subject, questions) = asked(tx, person).await?;
            let (text, _) = checked(&subject, &questions, new)?;
            unchanged(&others, subject.answered.iter().chain(&subject.own))?;
            own_questions::insert(tx, &person.user, &random::token(), &text, &hash, self.server.now()).await
        };
        self.set(person, json!({"operation": "own-question-added"}), step).await
    }

    /// Takes one of the user's own questions away, with its answer.
    ///
    /// # Errors
    /// [`Code::DisabledByPolicy`] where the policy does not let users set answers; [`Code::NotFound`].
    pub async fn delete_question(&self, person: &Person, id: &str) -> Result<(), Refusal> {
        let step = async |tx: &mut Tx| {
            let (subject, _) = asked(tx, person).await?;
            subject.may_set_answers()?;
            if !subject.own.iter().any(|own| own.question.id == id) {
                return Err(Refusal::not_found("question"));
            }
            own_questions::delete(tx, &person.user, id).await
        };
        self.set(person, json!({"operation": "own-question-deleted"}), step).await
    }
}

/// Text and answer as they are stored and hashed.
fn checked(subject: &Subject, questions: &[Question], new: &OwnQuestion) -> Result<(String, Zeroizing<String>), Refusal> {
    subject.may_set_answers()?;
    let Authentication { own_questions: most, own_question_length, own_answer_length, .. } = subject.authentication();
    if most == 0 {
        return Err(Refusal::new(Code::DisabledByPolicy, sentence!("refused-no-own-questions")));
    }
    if subject.own.len() >= usize::from(most) {
        return Err(Refusal::new(Code::Conflict, sentence!("refused-own-questions-most", most = most)));
    }
    let text = names::named("own_text", sentence!("refused-name-question"), &new.text)?;
    let length = text.chars().count();
    if length < usize::from(own_question_length) {
        let message = sentence!("refused-own-question-short", least = own_question_length, length = length);
        return Err(Refusal::malformed(message).at("own_text"));
    }
    let key = names::key(&text);
    let there = questions.iter().chain(subject.own.iter().map(|own| &own.question));
    if there.into_iter().any(|other| names::key(&other.text) == key) {
        return Err(Refusal::new(Code::Conflict, sentence!("refused-own-question-there")).at("own_text"));
    }
    let answer = normalised(&new.answer);
    fits(&answer, &text, own_answer_length.into()).map_err(|refusal| refusal.at("own_answer"))?;
    Ok((text, answer))
}
