//! Tasks for agents: an operator orders *Reset user PIN* for a card that is elsewhere.
//!
//! ```text
//! Idle -taken-> Running -the card has the PIN-> Completed
//!                       -the card refused the response-> Error
//!                       -the user goes, the card goes-> Idle, to be taken again after a minute
//! Idle, Running -an operator cancels, the card is withdrawn from its user-> Cancelled
//! ```
//! A task whose session has ended without a report is taken anew.

use crate::model::clock::Millis;
use serde::Serialize;
use std::time::Duration;
use utoipa::ToSchema;

/// A task that runs longer is shown as slow.
const SLOW: Duration = Duration::from_secs(10 * 60);

/// Where a task stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub enum TaskState {
    /// Waits for its agent.
    Idle,
    /// The user is being asked.
    Running,
    /// Done.
    Completed,
    /// The card refused.
    Error,
    /// An operator took it back.
    Cancelled,
}

impl TaskState {
    pub(crate) const ALL: [Self; 5] = [Self::Idle, Self::Running, Self::Completed, Self::Error, Self::Cancelled];

    /// As consoles show it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Idle => "Idle",
            Self::Running => "Running",
            Self::Completed => "Completed",
            Self::Error => "Error",
            Self::Cancelled => "Cancelled",
        }
    }

    /// Whether it can still be done.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Idle | Self::Running)
    }
}

/// A task as consoles show one.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TaskView {
    /// Id.
    pub id: String,
    /// Serial of the card.
    pub card: String,
    /// Who ordered it.
    pub operator: String,
    /// Why.
    pub comment: String,
    /// The only workstation that may do it, or empty.
    pub workstation: String,
    /// Where it stands.
    pub state: TaskState,
    /// It has been running for more than ten minutes.
    pub slow: bool,
    /// UTC milliseconds since 1970.
    pub ordered_at: Millis,
}

/// A task as it is stored.
#[derive(Clone, Debug)]
pub(crate) struct Task {
    pub(crate) view: TaskView,
    /// Id of the user whose the card was when it was ordered, or empty where nobody knows.
    pub(crate) user: String,
    pub(crate) changed_at: Millis,
    /// Not taken before.
    pub(crate) again: Millis,
    /// The session that does it, or empty.
    pub(crate) flow: String,
}

impl Task {
    /// As it is shown now.
    pub(crate) fn shown(self, now: Millis) -> TaskView {
        let slow = self.view.state == TaskState::Running && now - self.changed_at > SLOW.as_millis() as Millis;
        TaskView { slow, ..self.view }
    }
}
