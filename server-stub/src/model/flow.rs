//! Unlock flows: the ways to a response, and where one stands.

use crate::model::clock::Millis;

/// A way to a response. Its name is that of the channel in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlowKind {
    /// The card's user at the lock screen.
    Online,
    /// The card's user at a workstation whose agent has a task; else as [`FlowKind::Online`].
    Agent,
    /// An operator at the console.
    Operator,
    /// A user in Remote Self-Service.
    Remote,
}

impl FlowKind {
    pub(crate) const ALL: [Self; 4] = [Self::Online, Self::Agent, Self::Operator, Self::Remote];
    /// Those of workstations.
    pub(crate) const OF_WORKSTATIONS: [Self; 2] = [Self::Online, Self::Agent];

    /// As stored and logged.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::Agent => "agent",
            Self::Operator => "operator",
            Self::Remote => "remote",
        }
    }

    /// Whether a workstation has opened it.
    #[must_use]
    pub const fn is_of_workstation(self) -> bool {
        matches!(self, Self::Online | Self::Agent)
    }
}

/// Where a flow stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The questions are not answered yet.
    Asking,
    /// They are, rightly.
    Answered,
    /// A response has been given.
    Given,
    /// Asking, and never answered rightly any more: nobody's session, or one of a user who was locked since.
    Dead,
    /// The end.
    Over,
}

impl Step {
    pub(crate) const ALL: [Self; 5] = [Self::Asking, Self::Answered, Self::Given, Self::Dead, Self::Over];

    /// As stored.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Asking => "asking",
            Self::Answered => "answered",
            Self::Given => "given",
            Self::Dead => "dead",
            Self::Over => "over",
        }
    }

    /// Whether answers are still waited for.
    #[must_use]
    pub const fn asks(self) -> bool {
        matches!(self, Self::Asking | Self::Dead)
    }
}

/// Who is given a response: by id, which never changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// An operator of this id.
    Operator(String),
    /// A user of this id.
    User(String),
}

impl Actor {
    /// The id.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Operator(id) | Self::User(id) => id,
        }
    }
}

/// A step of an unlock flow, kept in the database so that any server goes on with it.
#[derive(Clone, Debug)]
pub(crate) struct Flow {
    /// SHA-256 of what opens it.
    pub(crate) id: String,
    /// Who opened it, and may alone go on with it: an operator's id, else an address.
    pub(crate) opener: String,
    pub(crate) kind: FlowKind,
    pub(crate) card: String,
    /// Id of the user whose answers count, or empty.
    pub(crate) user: String,
    pub(crate) step: Step,
    pub(crate) questions: Vec<String>,
    /// Answers since the last right ones.
    pub(crate) wrong: i64,
    pub(crate) workstation: String,
    pub(crate) expires: Millis,
    /// SHA-256 of the challenge that it has answered last, or empty.
    pub(crate) challenge: String,
}

impl Flow {
    /// Who is given its responses.
    pub(crate) fn actor(&self) -> Actor {
        match self.kind {
            FlowKind::Operator => Actor::Operator(self.opener.clone()),
            FlowKind::Online | FlowKind::Agent | FlowKind::Remote => Actor::User(self.user.clone()),
        }
    }
}
