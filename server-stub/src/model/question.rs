//! Security questions and what users have answered.

use crate::model::revision;
use serde::Serialize;
use utoipa::ToSchema;

/// A security question.
#[derive(Clone, Debug, Serialize, ToSchema)]
// Apart from what is asked of a user, which is called a question too.
#[schema(as = PolicyQuestion)]
pub struct Question {
    /// Id.
    pub id: String,
    /// What to ask.
    pub text: String,
    /// Fewest characters of an answer.
    pub min_length: i64,
    /// Names text and minimum: a change that says of which it is does not undo another's.
    pub revision: String,
}

impl Question {
    /// As it is stored.
    pub(crate) fn new(id: String, text: String, min_length: i64) -> Self {
        let revision = revision::of(&(&text, min_length));
        Self { id, text, min_length, revision }
    }

    /// As workstations and pages show it.
    #[must_use]
    pub fn shown(&self) -> cardlab_protocol::workstation::Question {
        cardlab_protocol::workstation::Question { id: self.id.clone(), text: self.text.clone() }
    }
}

/// A question that a user has answered, and the answer's hash.
#[derive(Clone)]
pub(crate) struct Answered {
    pub(crate) question: Question,
    pub(crate) hash: String,
}
