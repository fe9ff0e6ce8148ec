//! Policies and their security questions.

use crate::model::event::{Happening, Kind};
use crate::model::names;
use crate::model::policy::{NamedPolicy, Policy};
use crate::model::question::Question;
use crate::model::random;
use crate::model::refusal::{Code, Refusal};
use crate::model::role::{Privilege, Scope};
use crate::service::Server;
use crate::service::login::Operator;
use crate::service::order;
use crate::store::changed::Configured;
use crate::store::{Snapshot, Tx, answers, called, policies, questions};
use crate::words::sentence;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

/// A security question.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewQuestion {
    /// What to ask.
    pub text: String,
    /// *Minimum answer length*.
    #[serde(default = "three")]
    pub min_length: i64,
}

const fn three() -> i64 {
    3
}

/// Who is under a policy.
#[derive(Clone, Debug, Default)]
pub struct Affected {
    /// Id of the policy.
    pub policy: String,
    /// Users who are linked to it.
    pub users: i64,
    /// Cards that were issued under it.
    pub cards: i64,
}

/// Policies and their security questions.
#[derive(Clone, Copy)]
pub struct Policies<'s> {
    pub(super) server: &'s Server,
}

impl Policies<'_> {
    /// All policies; by a local role those that it is for.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`].
    pub async fn all(&self, operator: &Operator) -> Result<Vec<NamedPolicy>, Refusal> {
        let scope = operator.scope(Privilege::ViewPolicy)?;
        let mut policies = policies::all(&mut self.server.store.read().await?).await?;
        policies.retain(|policy| scope.covers(Some(&policy.id)));
        Ok(policies)
    }

    /// The same policies, each with who is under it; of whom a local role sees, for whom it holds.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`].
    pub async fn affected(&self, operator: &Operator) -> Result<Vec<Affected>, Refusal> {
        let scope = operator.scope(Privilege::ViewPolicy)?;
        let rows = policies::affected(&mut self.server.store.read().await?, scope != Scope::All).await?;
        let rows = rows.into_iter().filter(|(policy, ..)| scope.covers(Some(policy)));
        Ok(rows.map(|(policy, users, cards)| Affected { policy, users, cards }).collect())
    }

    /// Makes a policy with the settings and the questions of another one, or with the usual settings; gives its id.
    ///
    /// # Errors
    /// As [`Self::add`]; [`Code::NotFound`] for the other one.
    pub async fn add_copy(&self, operator: &Operator, name: &str, from: Option<&str>) -> Result<String, Refusal> {
        let step = async |tx: &mut Tx, operator: &Operator| {
            operator.require(Privilege::ChangePolicy, None)?;
            let Some(from) = from else { return self.insert(tx, &operator.name, name, &Policy::default()).await };
            let other = policies::by_id(tx, from).await?.ok_or_else(|| Refusal::not_found("policy"))?;
            let id = self.insert(tx, &operator.name, name, &other.settings).await?;
            for question in questions::of_policy(tx, from).await? {
                let new = NewQuestion { text: question.text, min_length: question.min_length };
                self.insert_question(tx, &operator.name, &id, &new).await?;
            }
            Ok(id)
        };
        self.server.attempt(operator, &Happening::new(Kind::PolicyNotChanged, &operator.name), step).await
    }

    /// Makes a policy; gives its id.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`], [`Code::Conflict`], [`Code::Malformed`].
    pub async fn add(&self, operator: &Operator, name: &str, settings: &Policy) -> Result<String, Refusal> {
        let step = async |tx: &mut Tx, operator: &Operator| {
            operator.require(Privilege::ChangePolicy, None)?;
            self.insert(tx, &operator.name, name, settings).await
        };
        self.server.attempt(operator, &Happening::new(Kind::PolicyNotChanged, &operator.name), step).await
    }

    pub(crate) async fn insert(&self, tx: &mut Tx, initiator: &str, name: &str, settings: &Policy) -> Result<String, Refusal> {
        settings.check()?;
        let name = names::named("name", sentence!("refused-name-policy"), name)?;
        if called::POLICIES.is_taken(tx, &name, None).await? {
            return Err(Refusal::new(Code::Conflict, sentence!("refused-policy-there")).at("name"));
        }
        let id = random::token();
        policies::insert(tx, &id, &name, settings).await?;
        Configured::Policy.note(tx, &id, initiator).await?;
        let detail = json!({"policy": name, "after": settings});
        self.server.record(tx, &Happening { detail, ..Happening::new(Kind::PolicyChanged, initiator) }).await?;
        Ok(id)
    }

    /// Changes a policy; holds from the next step of any flow on. `seen` is the revision that the change is of, where who makes it
    /// says so.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`], [`Code::NotFound`], [`Code::Malformed`]; [`Code::Conflict`] when it is another revision now.
    pub async fn change(&self, operator: &Operator, id: &str, settings: &Policy, seen: Option<&str>) -> Result<(), Refusal> {
        let step = async |tx: &mut Tx, operator: &Operator| {
            operator.require(Privilege::ChangePolicy, Some(id))?;
            settings.check()?;
            let before = policies::by_id(tx, id).await?.ok_or_else(|| Refusal::not_found("policy"))?;
            Configured::Policy.require(tx, id, &before.revision, seen).await?;
            let (asked, was_asked) = (settings.authentication.questions_to_ask, before.settings.authentication.questions_to_ask);
            let defined = questions::of_policy(tx, id).await?.len();
            // What a policy was made with stays until its questions are there.
            if asked > was_asked && usize::from(asked) > defined {
                let message = sentence!("refused-questions-defined", asked = asked, defined = defined);
                return Err(Refusal::malformed(message).at("questions_to_ask"));
            }
            policies::set(tx, id, settings).await?;
            Configured::Policy.note(tx, id, &operator.name).await?;
            let detail = json!({"policy": before.name, "before": before.settings, "after": settings});
            self.server.record(tx, &Happening { detail, ..Happening::new(Kind::PolicyChanged, &operator.name) }).await
        };
        self.server.attempt(operator, &Happening::new(Kind::PolicyNotChanged, &operator.name), step).await
    }

    /// Gives a policy another name. `seen` is the revision that the change is of, where who makes it says so.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`], [`Code::NotFound`], [`Code::Malformed`]; [`Code::Conflict`] when another is called so, for the one that
    /// stands by its name for those to whom none applies, and when it is another revision now.
    pub async fn rename(&self, operator: &Operator, id: &str, name: &str, seen: Option<&str>) -> Result<(), Refusal> {
        let step = async |tx: &mut Tx, operator: &Operator| {
            operator.require(Privilege::ChangePolicy, Some(id))?;
            let before = policies::by_id(tx, id).await?.ok_or_else(|| Refusal::not_found("policy"))?;
            let name = names::named("name", sentence!("refused-name-policy"), name)?;
            if name == before.name {
                return Ok(());
            }
            if before.is_default() {
                return Err(Refusal::new(Code::Conflict, sentence!("refused-policy-default")).at("name"));
            }
            if called::POLICIES.is_taken(tx, &name, Some(id)).await? {
                return Err(Refusal::new(Code::Conflict, sentence!("refused-policy-there")).at("name"));
            }
            Configured::Policy.require(tx, id, &before.revision, seen).await?;
            policies::rename(tx, id, &name).await?;
            Configured::Policy.note(tx, id, &operator.name).await?;
            let detail = json!({"operation": "renamed", "policy": name, "before": before.name});
            self.server.record(tx, &Happening { detail, ..Happening::new(Kind::PolicyChanged, &operator.name) }).await
        };
        self.server.attempt(operator, &Happening::new(Kind::PolicyNotChanged, &operator.name), step).await
    }

    /// Moves a policy before the one that stands before it: of several that a user is under, the first holds. `over` is the id of
    /// that one where who moves it has seen it: the policy stands before that one then, however often this is asked.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`], [`Code::NotFound`]; [`Code::Conflict`] for the first.
    pub async fn move_up(&self, operator: &Operator, id: &str, over: Option<&str>) -> Result<(), Refusal> {
        let step = async |tx: &mut Tx, operator: &Operator| {
            // Those of others are moved too.
            operator.require(Privilege::ChangePolicy, None)?;
            let all = policies::all(tx).await?;
            let mut ids: Vec<&str> = all.iter().map(|policy| policy.id.as_str()).collect();
            let moved = order::moved_up(&mut ids, id, over, "policy", sentence!("refused-policy-first"))?;
            let Some((place, above)) = moved else { return Ok(()) };
            policies::order(tx, &ids).await?;
            let detail = json!({"policy": all[place].name, "before": place + 1, "after": above + 1});
            self.server.record(tx, &Happening { detail, ..Happening::new(Kind::PolicyChanged, &operator.name) }).await
        };
        self.server.attempt(operator, &Happening::new(Kind::PolicyNotChanged, &operator.name), step).await
    }

    /// Deletes a policy that nothing hangs on.
    ///
    /// # Errors
    /// [`Code::Conflict`] while users or cards are under it.
    pub async fn delete(&self, operator: &Operator, id: &str) -> Result<(), Refusal> {
        let step = async |tx: &mut Tx, operator: &Operator| {
            operator.require(Privilege::ChangePolicy, Some(id))?;
            if policies::uses(tx, id).await? > 0 {
                return Err(Refusal::new(Code::Conflict, sentence!("refused-policy-in-use")));
            }
            let policy = policies::by_id(tx, id).await?.ok_or_else(|| Refusal::not_found("policy"))?;
            for question in questions::of_policy(tx, id).await? {
                Configured::Question.forget(tx, &question.id).await?;
            }
            questions::delete_of_policy(tx, id).await?;
            policies::delete(tx, id).await?;
            Configured::Policy.forget(tx, id).await?;
            let detail = json!({"policy": policy.name, "before": policy.settings});
            self.server.record(tx, &Happening { detail, ..Happening::new(Kind::PolicyChanged, &operator.name) }).await
        };
        self.server.attempt(operator, &Happening::new(Kind::PolicyNotChanged, &operator.name), step).await
    }

    /// The questions of a policy.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`].
    pub async fn questions(&self, operator: &Operator, policy: &str) -> Result<Vec<Question>, Refusal> {
        operator.require(Privilege::ViewPolicy, Some(policy))?;
        questions::of_policy(&mut self.server.store.read().await?, policy).await
    }

    /// *Create security question*; gives its id.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`], [`Code::NotFound`], [`Code::Malformed`].
    pub async fn add_question(&self, operator: &Operator, policy: &str, new: &NewQuestion) -> Result<String, Refusal> {
        let step = async |tx: &mut Tx, operator: &Operator| {
            operator.require(Privilege::ChangePolicy, Some(policy))?;
            self.insert_question(tx, &operator.name, policy, new).await
        };
        self.server.attempt(operator, &Happening::new(Kind::QuestionNotChanged, &operator.name), step).await
    }

    pub(crate) async fn insert_question(
        &self,
        tx: &mut Tx,
        initiator: &str,
        policy: &str,
        new: &NewQuestion,
    ) -> Result<String, Refusal> {
        policies::by_id(tx, policy).await?.ok_or_else(|| Refusal::not_found("policy"))?;
        let text = checked(tx, policy, None, new).await?;
        let question = Question::new(random::token(), text, new.min_length);
        questions::insert(tx, policy, &question).await?;
        Configured::Question.note(tx, &question.id, initiator).await?;
        let detail = json!({"after": question.text});
        self.server.record(tx, &Happening { detail, ..Happening::new(Kind::QuestionChanged, initiator) }).await?;
        Ok(question.id)
    }

    /// Changes a question; answers to it stay. `seen` is the revision that the change is of, where who makes it says so.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`], [`Code::NotFound`], [`Code::Malformed`]; [`Code::Conflict`] when the policy asks it already, and when
    /// it is another revision now.
    pub async fn change_question(
        &self,
        operator: &Operator,
        id: &str,
        new: &NewQuestion,
        seen: Option<&str>,
    ) -> Result<(), Refusal> {
        let step = async |tx: &mut Tx, operator: &Operator| {
            let (policy, before) = covered(tx, operator, id).await?;
            let text = checked(tx, &policy, Some(&before), new).await?;
            let after = Question::new(before.id, text, new.min_length);
            if after.revision == before.revision {
                return Ok(());
            }
            Configured::Question.require(tx, id, &before.revision, seen).await?;
            questions::set(tx, &after).await?;
            Configured::Question.note(tx, id, &operator.name).await?;
            let detail = json!({"before": before.text, "after": after.text});
            self.server.record(tx, &Happening { detail, ..Happening::new(Kind::QuestionChanged, &operator.name) }).await
        };
        self.server.attempt(operator, &Happening::new(Kind::QuestionNotChanged, &operator.name), step).await
    }

    /// Moves a question before the one that stands before it: in this order they are listed and asked. `over` is as of
    /// [`Self::move_up`].
    ///
    /// # Errors
    /// [`Code::NoPrivilege`], [`Code::NotFound`]; [`Code::Conflict`] for the first.
    pub async fn move_question_up(&self, operator: &Operator, id: &str, over: Option<&str>) -> Result<(), Refusal> {
        let step = async |tx: &mut Tx, operator: &Operator| {
            let (policy, question) = covered(tx, operator, id).await?;
            let all = questions::of_policy(tx, &policy).await?;
            let mut ids: Vec<&str> = all.iter().map(|question| question.id.as_str()).collect();
            let moved = order::moved_up(&mut ids, id, over, "question", sentence!("refused-question-first"))?;
            let Some((place, above)) = moved else { return Ok(()) };
            questions::order(tx, &ids).await?;
            let detail = json!({"question": question.text, "before": place + 1, "after": above + 1});
            self.server.record(tx, &Happening { detail, ..Happening::new(Kind::QuestionChanged, &operator.name) }).await
        };
        self.server.attempt(operator, &Happening::new(Kind::QuestionNotChanged, &operator.name), step).await
    }

    /// Deletes a question that nobody has answered.
    ///
    /// # Errors
    /// [`Code::Conflict`] while users have, or when fewer would be left than the policy asks.
    pub async fn delete_question(&self, operator: &Operator, id: &str) -> Result<(), Refusal> {
        let step = async |tx: &mut Tx, operator: &Operator| {
            let (policy, question) = covered(tx, operator, id).await?;
            if answers::uses(tx, id).await? > 0 {
                return Err(Refusal::new(Code::Conflict, sentence!("refused-question-in-use")));
            }
            let asked = policies::by_id(tx, &policy).await?.map_or(1, |p| p.settings.authentication.questions_to_ask);
            let left = questions::of_policy(tx, &policy).await?.len() - 1;
            if usize::from(asked) > left.max(1) {
                let message = sentence!("refused-questions-left", asked = asked, left = left);
                return Err(Refusal::new(Code::Conflict, message));
            }
            questions::delete(tx, id).await?;
            Configured::Question.forget(tx, id).await?;
            let detail = json!({"before": question.text});
            self.server.record(tx, &Happening { detail, ..Happening::new(Kind::QuestionChanged, &operator.name) }).await
        };
        self.server.attempt(operator, &Happening::new(Kind::QuestionNotChanged, &operator.name), step).await
    }
}

/// A question and the policy that asks it, if a role covers that policy.
async fn covered(conn: &mut Snapshot, operator: &Operator, id: &str) -> Result<(String, Question), Refusal> {
    let found = questions::by_id(conn, id).await?;
    operator.require(Privilege::ChangePolicy, found.as_ref().map(|(policy, _)| policy.as_str()))?;
    found.ok_or_else(|| Refusal::not_found("question"))
}

/// A question's text, when it can be one of the policy's beside the others. One that it has been, and an older version let be, stays.
async fn checked(tx: &mut Tx, policy: &str, own: Option<&Question>, new: &NewQuestion) -> Result<String, Refusal> {
    let text = match own {
        Some(own) if own.text == new.text => new.text.clone(),
        _ => names::named("text", sentence!("refused-name-question"), &new.text)?,
    };
    if !(1..=50).contains(&new.min_length) {
        return Err(Refusal::malformed(sentence!("refused-answer-length")).at("min_length"));
    }
    let key = names::key(&text);
    let others = questions::of_policy(tx, policy).await?;
    if others.iter().any(|other| own.is_none_or(|own| own.id != other.id) && names::key(&other.text) == key) {
        return Err(Refusal::new(Code::Conflict, sentence!("refused-question-there")).at("text"));
    }
    Ok(text)
}
