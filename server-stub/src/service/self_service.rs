//! Self-Service: users set their answers.

use crate::model::event::{Happening, Kind};
use crate::model::refusal::{Code, Refusal};
use crate::service::Server;
use crate::service::flow::remote::OwnCard;
use crate::service::login::Person;
use crate::service::subject::Subject;
use crate::store::records::{self, Question};
use cardlab_protocol::workstation::Answers;
use serde::Serialize;
use utoipa::ToSchema;

/// What a user sees.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Own {
    /// Name.
    pub cn: String,
    /// `DOMAIN\Name`.
    pub logon: String,
    /// *User is locked*.
    pub locked: bool,
    /// Questions that can be answered.
    pub questions: Vec<Question>,
    /// Ids of those that are.
    pub answered: Vec<String>,
    /// How many are asked.
    pub questions_to_ask: u8,
    /// The user's cards.
    pub cards: Vec<OwnCard>,
}

/// Self-Service: users see their own, and set their answers.
#[derive(Clone, Copy)]
pub struct SelfService<'s> {
    pub(super) server: &'s Server,
}

impl SelfService<'_> {
    /// The user's own page.
    ///
    /// # Errors
    /// [`Code::NotFound`].
    pub async fn own(&self, person: &Person) -> Result<Own, Refusal> {
        let mut tx = self.server.store.begin().await?;
        let user = records::user(&mut tx, &person.user).await?;
        let subject = Subject::of_user(&mut tx, user).await?;
        let user = subject.user.as_ref().ok_or_else(|| Refusal::not_found("user"))?;
        let policy = subject.policy.as_ref();
        Ok(Own {
            cn: user.cn.clone(),
            logon: user.logon.clone(),
            locked: user.lock != records::UserLock::Open,
            questions: records::questions(&mut tx, policy.map_or("", |p| p.id.as_str())).await?,
            answered: subject.answered.iter().map(|a| a.question.id.clone()).collect(),
            questions_to_ask: policy.map_or(1, |p| p.settings.authentication.questions_to_ask),
            cards: self.server.remote().own_cards(&mut tx, &user.id).await?,
        })
    }

    /// Sets all answers anew; questions without one are not asked.
    ///
    /// # Errors
    /// [`Code::Malformed`] names the question and the rule.
    pub async fn set_answers(&self, person: &Person, answers: &Answers) -> Result<(), Refusal> {
        let own = self.own(person).await?;
        let done = self.set_answers_of(person, &own, answers).await;
        if let Err(refusal) = &done {
            let refused = Happening { user: &person.user, ..Happening::new(Kind::AnswersNotSet, &own.logon) };
            self.server.note_refusal(&refused, refusal).await?;
        }
        done
    }

    async fn set_answers_of(&self, person: &Person, own: &Own, answers: &Answers) -> Result<(), Refusal> {
        if own.questions.is_empty() {
            return Err(Refusal::new(Code::Conflict, "there are no security questions: an administrator makes them first"));
        }
        let mut set: Vec<(String, zeroize::Zeroizing<String>)> = Vec::new();
        for answer in &answers.answers {
            let question = own.questions.iter().find(|q| q.id == answer.question);
            let question = question.ok_or_else(|| Refusal::malformed("an answer is to a question that there is not"))?;
            let text = crate::model::answers::normalised(&answer.text);
            if text.is_empty() {
                continue;
            }
            let length = text.chars().count();
            if length < question.min_length as usize || length > crate::model::answers::LONGEST {
                let message = format!(
                    "'{}': an answer has {} to {} characters, not {length}",
                    question.text,
                    question.min_length,
                    crate::model::answers::LONGEST
                );
                return Err(Refusal::malformed(message));
            }
            if crate::model::answers::normalised(&question.text)
                .split(|c: char| !c.is_alphanumeric())
                .any(|word| word == text.as_str())
            {
                return Err(Refusal::malformed(format!("'{}': the answer stands in the question", question.text)));
            }
            if set.iter().any(|(id, other)| *other == text || *id == question.id) {
                return Err(Refusal::malformed(format!("'{}': each question has an answer of its own", question.text)));
            }
            set.push((question.id.clone(), text));
        }
        if set.len() < usize::from(own.questions_to_ask).min(own.questions.len()) {
            return Err(Refusal::malformed(format!("answer {} questions at least", own.questions_to_ask)));
        }
        let hashes = self.server.workers.hash(set.iter().map(|(_, text)| text.clone()).collect()).await?;
        let mut tx = self.server.store.begin().await?;
        sqlx::query("DELETE FROM answers WHERE user_id = $1").bind(&person.user).execute(&mut *tx).await?;
        for ((question, _), hash) in set.iter().zip(&hashes) {
            sqlx::query("INSERT INTO answers (user_id, question_id, hash, norm_version, set_at) VALUES ($1, $2, $3, $4, $5)")
                .bind(&person.user)
                .bind(question)
                .bind(hash)
                .bind(crate::model::answers::NORM_VERSION)
                .bind(self.server.now())
                .execute(&mut *tx)
                .await?;
        }
        sqlx::query("UPDATE users SET draw = '[]' WHERE id = $1").bind(&person.user).execute(&mut *tx).await?;
        self.server.record(&mut tx, &Happening { user: &person.user, ..Happening::new(Kind::AnswersSet, &own.logon) }).await?;
        Ok(tx.commit().await?)
    }
}
