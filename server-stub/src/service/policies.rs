//! Policies and their security questions.

use crate::model::event::{Happening, Kind};
use crate::model::names;
use crate::model::policy::Policy;
use crate::model::refusal::{Code, Refusal};
use crate::model::role::Privilege;
use crate::service::Server;
use crate::service::login::Operator;
use crate::store::records::{self, NamedPolicy, Question};
use crate::store::{self, Tx, number};
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

/// Policies and their security questions.
#[derive(Clone, Copy)]
pub struct Policies<'s> {
    pub(super) server: &'s Server,
}

impl Policies<'_> {
    /// All policies.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`].
    pub async fn all(&self, operator: &Operator) -> Result<Vec<NamedPolicy>, Refusal> {
        operator.require(Privilege::ViewPolicy, None)?;
        let mut tx = self.server.store.begin().await?;
        records::policies(&mut tx).await
    }

    /// Makes a policy; gives its id.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`], [`Code::Conflict`], [`Code::Malformed`].
    pub async fn add(&self, operator: &Operator, name: &str, settings: &Policy) -> Result<String, Refusal> {
        let mut tx = self.server.store.begin().await?;
        let done = async {
            operator.require(Privilege::ChangePolicy, None)?;
            let id = self.insert(&mut tx, &operator.name, name, settings).await?;
            Ok::<_, Refusal>(id)
        }
        .await;
        self.server.concluded(tx, done, &Happening::new(Kind::PolicyNotChanged, &operator.name)).await
    }

    pub(crate) async fn insert(&self, tx: &mut Tx, initiator: &str, name: &str, settings: &Policy) -> Result<String, Refusal> {
        settings.check()?;
        let name = names::named("a policy's name", name)?;
        if records::policies(tx).await?.iter().any(|p| p.name == name) {
            return Err(Refusal::new(Code::Conflict, "there is a policy of this name"));
        }
        let id = crate::model::random::token();
        sqlx::query("INSERT INTO policies (id, name, body) VALUES ($1, $2, $3)")
            .bind(&id)
            .bind(&name)
            .bind(store::body(settings))
            .execute(&mut **tx)
            .await?;
        let detail = json!({"policy": name, "after": settings});
        self.server.record(tx, &Happening { detail, ..Happening::new(Kind::PolicyChanged, initiator) }).await?;
        Ok(id)
    }

    /// Changes a policy; holds from the next step of any flow on.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`], [`Code::NotFound`], [`Code::Malformed`].
    pub async fn change(&self, operator: &Operator, id: &str, settings: &Policy) -> Result<(), Refusal> {
        let mut tx = self.server.store.begin().await?;
        let done = async {
            operator.require(Privilege::ChangePolicy, Some(id))?;
            settings.check()?;
            let before = records::policy(&mut tx, id).await?.ok_or_else(|| Refusal::not_found("policy"))?;
            sqlx::query("UPDATE policies SET body = $2 WHERE id = $1")
                .bind(id)
                .bind(store::body(settings))
                .execute(&mut *tx)
                .await?;
            let detail = json!({"policy": before.name, "before": before.settings, "after": settings});
            self.server.record(&mut tx, &Happening { detail, ..Happening::new(Kind::PolicyChanged, &operator.name) }).await?;
            Ok::<_, Refusal>(())
        }
        .await;
        self.server.concluded(tx, done, &Happening::new(Kind::PolicyNotChanged, &operator.name)).await
    }

    /// Deletes a policy that nothing hangs on.
    ///
    /// # Errors
    /// [`Code::Conflict`] while users or cards are under it.
    pub async fn delete(&self, operator: &Operator, id: &str) -> Result<(), Refusal> {
        let mut tx = self.server.store.begin().await?;
        let done = async {
        operator.require(Privilege::ChangePolicy, Some(id))?;
        let row = sqlx::query("SELECT (SELECT COUNT(*) FROM cards WHERE policy_id = $1) + (SELECT COUNT(*) FROM policy_links WHERE policy_id = $1) AS n")
            .bind(id).fetch_one(&mut *tx).await?;
        if number(&row, "n")? > 0 {
            return Err(Refusal::new(Code::Conflict, "users or cards are under this policy; move them first"));
        }
        let policy = records::policy(&mut tx, id).await?.ok_or_else(|| Refusal::not_found("policy"))?;
        sqlx::query("DELETE FROM questions WHERE policy_id = $1").bind(id).execute(&mut *tx).await?;
        sqlx::query("DELETE FROM policies WHERE id = $1").bind(id).execute(&mut *tx).await?;
        let detail = json!({"policy": policy.name, "before": policy.settings});
        self.server.record(&mut tx, &Happening { detail, ..Happening::new(Kind::PolicyChanged, &operator.name) }).await?;
        Ok::<_, Refusal>(())
        }.await;
        self.server.concluded(tx, done, &Happening::new(Kind::PolicyNotChanged, &operator.name)).await
    }

    /// The questions of a policy.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`].
    pub async fn questions(&self, operator: &Operator, policy: &str) -> Result<Vec<Question>, Refusal> {
        operator.require(Privilege::ViewPolicy, Some(policy))?;
        let mut tx = self.server.store.begin().await?;
        records::questions(&mut tx, policy).await
    }

    /// *Create security question*; gives its id.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`], [`Code::NotFound`], [`Code::Malformed`].
    pub async fn add_question(&self, operator: &Operator, policy: &str, new: &NewQuestion) -> Result<String, Refusal> {
        let mut tx = self.server.store.begin().await?;
        let done = async {
            operator.require(Privilege::ChangePolicy, Some(policy))?;
            let id = self.insert_question(&mut tx, &operator.name, policy, new).await?;
            Ok::<_, Refusal>(id)
        }
        .await;
        self.server.concluded(tx, done, &Happening::new(Kind::QuestionNotChanged, &operator.name)).await
    }

    pub(crate) async fn insert_question(
        &self,
        tx: &mut Tx,
        initiator: &str,
        policy: &str,
        new: &NewQuestion,
    ) -> Result<String, Refusal> {
        let text = names::named("a question", &new.text)?;
        if !(1..=50).contains(&new.min_length) {
            return Err(Refusal::malformed("a minimum answer length is 1 to 50"));
        }
        records::policy(tx, policy).await?.ok_or_else(|| Refusal::not_found("policy"))?;
        let id = crate::model::random::token();
        sqlx::query("INSERT INTO questions (id, policy_id, text, min_length) VALUES ($1, $2, $3, $4)")
            .bind(&id)
            .bind(policy)
            .bind(&text)
            .bind(new.min_length)
            .execute(&mut **tx)
            .await?;
        let detail = json!({"after": text});
        self.server.record(tx, &Happening { detail, ..Happening::new(Kind::QuestionChanged, initiator) }).await?;
        Ok(id)
    }

    /// Deletes a question that nobody has answered.
    ///
    /// # Errors
    /// [`Code::Conflict`] while users have.
    pub async fn delete_question(&self, operator: &Operator, id: &str) -> Result<(), Refusal> {
        let mut tx = self.server.store.begin().await?;
        let done = async {
            let row =
                sqlx::query("SELECT policy_id, text FROM questions WHERE id = $1").bind(id).fetch_optional(&mut *tx).await?;
            let row = row.ok_or_else(|| Refusal::not_found("question"))?;
            operator.require(Privilege::ChangePolicy, Some(&crate::store::text(&row, "policy_id")?))?;
            let used =
                sqlx::query("SELECT COUNT(*) AS n FROM answers WHERE question_id = $1").bind(id).fetch_one(&mut *tx).await?;
            if number(&used, "n")? > 0 {
                return Err(Refusal::new(
                    Code::Conflict,
                    "users have answered this question; it can be deleted when nobody uses it",
                ));
            }
            sqlx::query("DELETE FROM questions WHERE id = $1").bind(id).execute(&mut *tx).await?;
            let detail = json!({"before": crate::store::text(&row, "text")?});
            self.server.record(&mut tx, &Happening { detail, ..Happening::new(Kind::QuestionChanged, &operator.name) }).await?;
            Ok::<_, Refusal>(())
        }
        .await;
        self.server.concluded(tx, done, &Happening::new(Kind::QuestionNotChanged, &operator.name)).await
    }
}
