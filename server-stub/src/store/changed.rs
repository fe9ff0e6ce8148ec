//! Table `changed`: who has changed something that is configured last. Whoever changes it from an older revision is refused, and
//! told who that was.

use super::rows::text;
use super::{Snapshot, Tx};
use crate::model::refusal::{Code, Refusal};
use crate::words::{Part, Sentence, sentence};
use sqlx::query;

/// What is configured, and has a form.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Configured {
    /// The settings of a policy.
    Policy,
    /// What is asked, and how long an answer must be.
    Question,
    /// Cipher and PIN of a card type.
    CardType,
    /// Name and rights of a role.
    Role,
    /// Name and role of an operator.
    Operator,
    /// What the catalog says of a user.
    UserData,
    /// Which policies a user is under.
    UserPolicies,
}

impl Configured {
    /// As stored.
    const fn name(self) -> &'static str {
        match self {
            Self::Policy => "policy",
            Self::Question => "question",
            Self::CardType => "card type",
            Self::Role => "role",
            Self::Operator => "operator",
            Self::UserData => "user data",
            Self::UserPolicies => "user policies",
        }
    }

    /// That somebody has changed it meanwhile.
    fn changed(self, by: Part) -> Sentence {
        match self {
            Self::Policy => sentence!("refused-policy-changed", name = by),
            Self::Question => sentence!("refused-question-changed", name = by),
            Self::CardType => sentence!("refused-card-type-changed", name = by),
            Self::Role => sentence!("refused-role-changed", name = by),
            Self::Operator => sentence!("refused-operator-changed", name = by),
            Self::UserData => sentence!("refused-user-changed", name = by),
            Self::UserPolicies => sentence!("refused-user-policies-changed", name = by),
        }
    }

    /// Refuses a change that was made of another revision than it has `now`. `seen` is the one that it was made of, where whoever
    /// makes it says so.
    ///
    /// # Errors
    /// [`Code::Conflict`] with the name of who has changed it meanwhile.
    pub(crate) async fn require(self, conn: &mut Snapshot, id: &str, now: &str, seen: Option<&str>) -> Result<(), Refusal> {
        if seen.is_none_or(|seen| seen == now) {
            return Ok(());
        }
        let by = query("SELECT changed_by FROM changed WHERE what = $1 AND id = $2").bind(self.name()).bind(id);
        let by = conn.optional(by).await?.map(|row| text(&row, "changed_by")).transpose()?;
        Err(Refusal::new(Code::Conflict, self.changed(by.map_or_else(|| sentence!("event-somebody").into(), Part::from))))
    }

    /// Notes who has changed it; `by` is a name.
    pub(crate) async fn note(self, tx: &mut Tx, id: &str, by: &str) -> Result<(), Refusal> {
        let note = "INSERT INTO changed (what, id, changed_by) VALUES ($1, $2, $3) \
                    ON CONFLICT (what, id) DO UPDATE SET changed_by = excluded.changed_by";
        tx.run(query(note).bind(self.name()).bind(id).bind(by)).await?;
        Ok(())
    }

    /// It is there no more.
    pub(crate) async fn forget(self, tx: &mut Tx, id: &str) -> Result<(), Refusal> {
        tx.run(query("DELETE FROM changed WHERE what = $1 AND id = $2").bind(self.name()).bind(id)).await?;
        Ok(())
    }
}
