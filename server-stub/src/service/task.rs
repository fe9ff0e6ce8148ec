//! Tasks for agents. An operator orders *Reset user PIN* for a card that is elsewhere; the workstation that has the
//! card takes the task, its user answers the security questions there and sets a new PIN.
//!
//! ```text
//! Idle -taken-> Running -the card has the PIN-> Completed
//!                       -the card refused the response-> Error
//!                       -the user goes, the card goes-> Idle, to be taken again after a minute
//! Idle, Running -an operator cancels-> Cancelled
//! ```
//! A task whose session has ended without a report is taken anew.

use crate::model::clock::Millis;
use crate::model::event::{Happening, Kind};
use crate::model::refusal::{Code, Refusal};
use crate::model::role::Privilege;
use crate::service::flow::{AGENT, ASKING, OVER};
use crate::service::login::Operator;
use crate::service::subject::{self, Subject};
use crate::service::{ONLINE, Server};
use crate::store::limits;
use crate::store::records::{self, Flow};
use crate::store::{Conn, Tx, number, text};
use cardlab_protocol::workstation::{CardOutcome, Open, TaskOffer};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::any::AnyRow;
use std::time::Duration;
use utoipa::ToSchema;

/// How long a user who has cancelled is left alone.
const AGAIN: Duration = Duration::from_secs(60);
/// A task that runs longer is shown as slow.
const SLOW: Duration = Duration::from_secs(10 * 60);
/// Longest comment, and longest name of a workstation.
const LONGEST: usize = 200;

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
    const ALL: [Self; 5] = [Self::Idle, Self::Running, Self::Completed, Self::Error, Self::Cancelled];

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

/// An order for an agent.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NewTask {
    /// Why, for the log.
    pub comment: String,
    /// The only workstation that may do it; empty is any that has the card.
    pub workstation: String,
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

struct Task {
    view: TaskView,
    changed_at: Millis,
    again: Millis,
    flow: String,
}

impl Task {
    fn of_row(row: &AnyRow) -> Result<Self, Refusal> {
        let name = text(row, "state")?;
        let state = TaskState::ALL.into_iter().find(|state| state.name() == name);
        let state = state
            .ok_or_else(|| Refusal::new(Code::StoreDown, format!("a task is '{name}', which this version does not know")))?;
        let view = TaskView {
            id: text(row, "id")?,
            card: text(row, "card")?,
            operator: text(row, "operator")?,
            comment: text(row, "comment")?,
            workstation: text(row, "workstation")?,
            state,
            slow: false,
            ordered_at: number(row, "ordered_at")?,
        };
        Ok(Self { view, changed_at: number(row, "changed_at")?, again: number(row, "again")?, flow: text(row, "flow")? })
    }

    fn view(self, now: Millis) -> TaskView {
        let slow = self.view.state == TaskState::Running && now - self.changed_at > SLOW.as_millis() as Millis;
        TaskView { slow, ..self.view }
    }
}

/// The tasks of a card, the newest first.
async fn of_card(conn: &mut Conn, serial: &str) -> Result<Vec<Task>, Refusal> {
    let rows = sqlx::query("SELECT * FROM tasks WHERE card = $1 ORDER BY ordered_at DESC, id")
        .bind(serial)
        .fetch_all(&mut *conn)
        .await?;
    rows.iter().map(Task::of_row).collect()
}

fn short(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(LONGEST).collect()
}

/// Tasks for agents: operators order them, agents take them.
#[derive(Clone, Copy)]
pub struct Tasks<'s> {
    pub(super) server: &'s Server,
}

impl Tasks<'_> {
    async fn move_task(&self, tx: &mut Tx, id: &str, state: TaskState, again: Millis, flow: &str) -> Result<(), Refusal> {
        sqlx::query("UPDATE tasks SET state = $2, changed_at = $3, again = $4, flow = $5 WHERE id = $1")
            .bind(id)
            .bind(state.name())
            .bind(self.server.now())
            .bind(again)
            .bind(flow)
            .execute(&mut **tx)
            .await?;
        Ok(())
    }

    /// *Reset user PIN on agent*.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`], [`Code::NotFound`], [`Code::DisabledByPolicy`]; what keeps the card from being unlocked;
    /// [`Code::Conflict`] when such a task is open.
    pub async fn order_pin_reset(&self, operator: &Operator, serial: &str, new: &NewTask) -> Result<TaskView, Refusal> {
        let serial = subject::serial(serial)?;
        let mut tx = self.server.store.begin().await?;
        let done = async {
        let subject = Subject::of_card(&mut tx, &serial).await?;
        operator.require(Privilege::ResetPin, subject.policy.as_ref().map(|p| p.id.as_str()))?;
        let unlockable = subject.unlockable()?;
        if !unlockable.policy.settings.workflow.reset_user_pin {
            return Err(Refusal::new(Code::DisabledByPolicy, "Reset user PIN is switched off in the card's policy"));
        }
        if of_card(&mut tx, &serial).await?.iter().any(|task| task.view.state.is_open()) {
            return Err(Refusal::new(Code::Conflict, "this card's PIN is to be reset already; cancel that task first"));
        }
        let view = TaskView {
            id: crate::model::random::token(),
            card: serial.clone(),
            operator: operator.name.clone(),
            comment: short(&new.comment),
            workstation: short(&new.workstation),
            state: TaskState::Idle,
            slow: false,
            ordered_at: self.server.now(),
        };
        sqlx::query("INSERT INTO tasks (id, card, operator, comment, workstation, state, ordered_at, changed_at, again, flow) VALUES ($1, $2, $3, $4, $5, $6, $7, $7, 0, '')")
            .bind(&view.id).bind(&view.card).bind(&view.operator).bind(&view.comment).bind(&view.workstation)
            .bind(view.state.name()).bind(view.ordered_at).execute(&mut *tx).await?;
        let happening = Happening {
            card: &serial,
            user: &unlockable.user.id,
            workstation: &view.workstation,
            detail: json!({"task": view.id, "comment": view.comment}),
            ..Happening::new(Kind::TaskOrdered, &operator.name)
        };
        self.server.record(&mut tx, &happening).await?;
        Ok::<_, Refusal>(view)
        }.await;
        self.server
            .concluded(tx, done, &Happening { card: &serial, ..Happening::new(Kind::TaskNotOrdered, &operator.name) })
            .await
    }

    /// The tasks of a card, the newest first.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`].
    pub async fn of_card(&self, operator: &Operator, serial: &str) -> Result<Vec<TaskView>, Refusal> {
        operator.require(Privilege::ViewCards, None)?;
        let serial = subject::serial(serial)?;
        let mut tx = self.server.store.begin().await?;
        let now = self.server.now();
        Ok(of_card(&mut tx, &serial).await?.into_iter().map(|task| task.view(now)).collect())
    }

    /// An operator takes a task back, also while the user is being asked.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`], [`Code::NotFound`]; [`Code::Conflict`] when it has ended.
    pub async fn cancel(&self, operator: &Operator, id: &str) -> Result<TaskView, Refusal> {
        let mut tx = self.server.store.begin().await?;
        let done = async {
            let row = sqlx::query("SELECT * FROM tasks WHERE id = $1").bind(id).fetch_optional(&mut *tx).await?;
            let task = row.as_ref().map(Task::of_row).transpose()?.ok_or_else(|| Refusal::not_found("task"))?;
            let subject = Subject::of_card(&mut tx, &task.view.card).await?;
            operator.require(Privilege::ResetPin, subject.policy.as_ref().map(|p| p.id.as_str()))?;
            if !task.view.state.is_open() {
                return Err(Refusal::new(Code::Conflict, format!("the task is {} already", task.view.state.name())));
            }
            records::set_step(&mut tx, &task.flow, OVER).await?;
            self.move_task(&mut tx, id, TaskState::Cancelled, 0, &task.flow).await?;
            let detail = json!({"task": id});
            let happening = Happening { card: &task.view.card, detail, ..Happening::new(Kind::TaskCancelled, &operator.name) };
            self.server.record(&mut tx, &happening).await?;
            Ok::<_, Refusal>(TaskView { state: TaskState::Cancelled, ..task.view })
        }
        .await;
        self.server.concluded(tx, done, &Happening::new(Kind::TaskNotCancelled, &operator.name)).await
    }

    /// An agent asks whether there is something to do with the card that it has. Taken, a task becomes a session as of
    /// the lock screen.
    ///
    /// # Errors
    /// [`Code::Malformed`], [`Code::RateLimited`], [`Code::StoreDown`]; never why there is nothing.
    pub async fn take(&self, open: &Open, address: &str) -> Result<TaskOffer, Refusal> {
        let serial = subject::serial(&open.serial)?;
        let workstation = short(&open.workstation);
        let now = self.server.now();
        let mut tx = self.server.store.begin().await?;
        let mut found = None;
        for task in of_card(&mut tx, &serial).await? {
            let mine = task.view.workstation.is_empty() || task.view.workstation.eq_ignore_ascii_case(&workstation);
            let free = match task.view.state {
                // A time further ahead than it can be is of a clock that was wrong.
                TaskState::Idle => task.again <= now || task.again > self.server.until(AGAIN),
                TaskState::Running => {
                    let flow = records::flow(&mut tx, &task.flow, AGENT).await?;
                    !flow.is_some_and(|flow| self.server.flows().lives(&flow))
                }
                _ => false,
            };
            if mine && free {
                found = Some(task);
                break;
            }
        }
        let Some(task) = found else { return Ok(TaskOffer::None) };
        // Questions are shown to whoever has the card, so they are counted as those of the lock screen.
        let bucket = format!("sessions from {address}");
        if let Err(refusal) = self.server.limit(&mut tx, limits::SESSIONS_OF_ADDRESS, &bucket).await {
            let refused = Happening { card: &serial, workstation: &workstation, ..Happening::new(Kind::RateLimited, AGENT) };
            return self.server.concluded(tx, Err(refusal), &refused).await;
        }
        let subject = Subject::of_card(&mut tx, &serial).await?;
        let possible = subject.online().and_then(|unlockable| allowed(&unlockable).map(|()| unlockable.user.id.clone()));
        let Ok(user) = possible else { return Ok(TaskOffer::None) };
        let session = crate::model::random::token();
        let flow = Flow {
            id: crate::model::random::fingerprint(&session),
            opener: address.to_owned(),
            kind: AGENT.into(),
            card: serial.clone(),
            user,
            operator: task.view.operator.clone(),
            step: ASKING.into(),
            questions: self.server.flows().draw(&mut tx, &subject).await?,
            wrong: 0,
            workstation,
            expires: self.server.until(ONLINE),
            challenge: String::new(),
        };
        records::insert_flow(&mut tx, &flow).await?;
        self.move_task(&mut tx, &task.view.id, TaskState::Running, 0, &flow.id).await?;
        let happening = Happening {
            card: &serial,
            user: &flow.user,
            workstation: &flow.workstation,
            flow: &flow.id,
            detail: json!({"mode": "agent", "task": task.view.id}),
            ..Happening::new(Kind::UnlockOpened, AGENT)
        };
        self.server.record(&mut tx, &happening).await?;
        tx.commit().await?;
        let questions = subject.questions(&flow.questions);
        Ok(TaskOffer::ResetUserPin { session, questions, expires_in: ONLINE.as_secs() })
    }

    /// The user wants to be left alone: the task waits for a minute.
    ///
    /// # Errors
    /// [`Code::SessionOver`].
    pub async fn put_off(&self, session: &str, address: &str) -> Result<(), Refusal> {
        let mut tx = self.server.store.begin().await?;
        let flow = self.server.flows().living(&mut tx, session, AGENT, address).await?;
        records::set_step(&mut tx, &flow.id, OVER).await?;
        self.again_later(&mut tx, &flow).await?;
        let happening = Happening {
            card: &flow.card,
            user: &flow.user,
            workstation: &flow.workstation,
            flow: &flow.id,
            ..Happening::new(Kind::TaskPutOff, AGENT)
        };
        self.server.record(&mut tx, &happening).await?;
        Ok(tx.commit().await?)
    }

    async fn again_later(&self, tx: &mut Tx, flow: &Flow) -> Result<(), Refusal> {
        let again = self.server.until(AGAIN);
        sqlx::query(
            "UPDATE tasks SET state = 'Idle', changed_at = $2, again = $3, flow = '' WHERE flow = $1 AND state = 'Running'",
        )
        .bind(&flow.id)
        .bind(self.server.now())
        .bind(again)
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// What a report of the card means for the task that the session is for.
    pub(crate) async fn settle(&self, tx: &mut Tx, flow: &Flow, outcome: CardOutcome) -> Result<(), Refusal> {
        let (state, kind) = match outcome {
            CardOutcome::Gone => return self.again_later(tx, flow).await,
            CardOutcome::Unlocked => (TaskState::Completed, Kind::PinReset),
            CardOutcome::Refused => (TaskState::Error, Kind::PinNotReset),
        };
        // An operator may have cancelled it after the response was given: the card has its PIN all the same.
        sqlx::query("UPDATE tasks SET state = $2, changed_at = $3 WHERE flow = $1 AND state IN ('Running', 'Cancelled')")
            .bind(&flow.id)
            .bind(state.name())
            .bind(self.server.now())
            .execute(&mut **tx)
            .await?;
        let happening = Happening {
            card: &flow.card,
            user: &flow.user,
            workstation: &flow.workstation,
            flow: &flow.id,
            detail: json!({"ordered_by": flow.operator}),
            ..Happening::new(kind, AGENT)
        };
        self.server.record(tx, &happening).await
    }
}

/// The policy allows it now.
pub(crate) fn allowed(unlockable: &subject::Unlockable<'_>) -> Result<(), Refusal> {
    if unlockable.policy.settings.workflow.reset_user_pin {
        return Ok(());
    }
    Err(Refusal::new(Code::DisabledByPolicy, "Reset user PIN is switched off in the card's policy"))
}
