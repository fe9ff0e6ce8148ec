//! Tasks for agents ([`crate::model::task`]): an operator orders one for a card that is elsewhere; the workstation that has the
//! card takes it, its user answers the security questions there and sets a new PIN.

use crate::model::event::{AGENT, Happening, Kind};
use crate::model::flow::{Flow, FlowKind, Step};
use crate::model::refusal::{Code, Refusal};
use crate::model::role::Privilege;
use crate::model::subject::{self, Whose};
use crate::model::task::{Task, TaskState, TaskView};
use crate::model::{limit, names, random};
use crate::service::cards::{seen, told_of};
use crate::service::login::Operator;
use crate::service::{ONLINE, Server};
use crate::store::{Snapshot, Tx, flows, subjects, tasks};
use crate::words::sentence;
use cardlab_protocol::workstation::{CardOutcome, Open, TaskOffer};
use serde::Deserialize;
use serde_json::json;
use std::time::Duration;
use utoipa::ToSchema;

/// How long a user who has cancelled is left alone.
const AGAIN: Duration = Duration::from_secs(60);
/// Longest comment, and longest name of a workstation.
const LONGEST: usize = 200;

/// An order for an agent.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NewTask {
    /// Why, for the log.
    pub comment: String,
    /// The only workstation that may do it; empty is any that has the card.
    pub workstation: String,
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
    /// *Reset user PIN on agent*.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`], [`Code::NotFound`], [`Code::DisabledByPolicy`]; what keeps the card from being unlocked;
    /// [`Code::Conflict`] when such a task is open.
    pub async fn order_pin_reset(&self, operator: &Operator, serial: &str, new: &NewTask) -> Result<TaskView, Refusal> {
        let serial = subject::serial(serial)?;
        let refused = Happening { card: &serial, ..Happening::new(Kind::TaskNotOrdered, &operator.name) };
        let step = async |tx: &mut Tx, operator: &Operator| {
            let subject = subjects::of_card(tx, &serial).await?;
            operator.require(Privilege::ResetPin, subject.policy_id())?;
            let unlockable = subject.pin_resettable()?;
            if tasks::of_card(tx, &serial).await?.iter().any(|task| task.view.state.is_open()) {
                return Err(Refusal::new(Code::Conflict, sentence!("refused-task-there")));
            }
            let view = TaskView {
                id: random::token(),
                card: serial.clone(),
                operator: operator.name.clone(),
                comment: short(&new.comment),
                workstation: names::workstation(&new.workstation),
                state: TaskState::Idle,
                slow: false,
                ordered_at: self.server.now(),
            };
            tasks::insert(tx, &view, &unlockable.user.id).await?;
            let happening = Happening {
                card: &serial,
                user: &unlockable.user.id,
                workstation: &view.workstation,
                detail: json!({"task": view.id, "comment": view.comment}),
                ..Happening::new(Kind::TaskOrdered, &operator.name)
            };
            self.server.record(tx, &happening).await?;
            Ok(view)
        };
        self.server.attempt(operator, &refused, step).await
    }

    /// The tasks of a card, the newest first; by a local role those for who has the card now.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`], [`Code::NotFound`].
    pub async fn of_card(&self, operator: &Operator, serial: &str) -> Result<Vec<TaskView>, Refusal> {
        operator.scope(Privilege::ViewCards)?;
        let (mut snapshot, serial) = (self.server.store.read().await?, subject::serial(serial)?);
        let subject = seen(&mut snapshot, operator, &serial).await?;
        self.shown(&mut snapshot, &serial, told_of(operator, &subject)).await
    }

    /// The tasks of a card as they are shown, the newest first; as one user's card those alone that are for the user.
    pub(super) async fn shown(&self, conn: &mut Snapshot, serial: &str, whose: Whose<'_>) -> Result<Vec<TaskView>, Refusal> {
        let (tasks, now) = (tasks::of_card(conn, serial).await?, self.server.now());
        let is_told = |task: &Task| match whose {
            Whose::Anybodys => true,
            Whose::Of(user) => task.user == user,
            Whose::Nobodys => false,
        };
        Ok(tasks.into_iter().filter(is_told).map(|task| task.shown(now)).collect())
    }

    /// An operator takes a task back, also while the user is being asked.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`], [`Code::NotFound`]; [`Code::Conflict`] when it has ended.
    pub async fn cancel(&self, operator: &Operator, id: &str) -> Result<TaskView, Refusal> {
        let step = async |tx: &mut Tx, operator: &Operator| {
            let task = tasks::by_id(tx, id).await?;
            let subject = subjects::of_card_without_questions(tx, task.as_ref().map_or("", |task| &task.view.card)).await?;
            operator.require(Privilege::ResetPin, subject.policy_id())?;
            let task = task.ok_or_else(|| Refusal::not_found("task"))?;
            if !task.view.state.is_open() {
                return Err(Refusal::new(Code::Conflict, sentence!("refused-task-state", state = task.view.state.name())));
            }
            self.take_back(tx, &operator.name, &task).await?;
            Ok(TaskView { state: TaskState::Cancelled, ..task.view })
        };
        self.server.attempt(operator, &Happening::new(Kind::TaskNotCancelled, &operator.name), step).await
    }

    /// Takes the open tasks of a card back, which is its user's no more: whoever gets it next is not asked for them.
    pub(super) async fn take_back_all(&self, tx: &mut Tx, by: &str, serial: &str) -> Result<(), Refusal> {
        for task in tasks::of_card(tx, serial).await?.iter().filter(|task| task.view.state.is_open()) {
            self.take_back(tx, by, task).await?;
        }
        Ok(())
    }

    /// A task is cancelled, and the session that does it is over.
    async fn take_back(&self, tx: &mut Tx, by: &str, task: &Task) -> Result<(), Refusal> {
        flows::set_step(tx, &task.flow, Step::Over).await?;
        tasks::set_state(tx, &task.view.id, TaskState::Cancelled, &task.flow, self.server.now()).await?;
        let detail = json!({"task": task.view.id});
        let happening = Happening { card: &task.view.card, user: &task.user, detail, ..Happening::new(Kind::TaskCancelled, by) };
        self.server.record(tx, &happening).await
    }

    /// An agent asks whether there is something to do with the card that it has. Taken, a task becomes a session as of
    /// the lock screen.
    ///
    /// # Errors
    /// [`Code::Malformed`], [`Code::RateLimited`], [`Code::StoreDown`]; never why there is nothing.
    pub async fn take(&self, open: &Open, address: &str) -> Result<TaskOffer, Refusal> {
        let serial = subject::serial(&open.serial)?;
        subject::atr(&open.atr)?;
        let workstation = names::workstation(&open.workstation);
        // Agents ask again and again, and mostly for nothing: no writer waits for them.
        if self.free(&mut self.server.store.read().await?, &serial, &workstation).await?.is_none() {
            return Ok(TaskOffer::None);
        }
        let mut tx = self.server.begin().await?;
        let Some(task) = self.free(&mut tx, &serial, &workstation).await? else { return Ok(TaskOffer::None) };
        // Questions are shown to whoever has the card, so they are counted as those of the lock screen.
        let bucket = format!("sessions from {}", limit::network(address));
        if let Err(refusal) = self.server.limit(&mut tx, limit::SESSIONS_OF_ADDRESS, &bucket).await {
            let refused = Happening { card: &serial, workstation: &workstation, ..Happening::new(Kind::RateLimited, AGENT) };
            return self.server.concluded(tx, Err(refusal), &refused).await;
        }
        let subject = subjects::of_card(&mut tx, &serial).await?;
        let possible = subject.online().and_then(|_| subject.pin_resettable()).map(|unlockable| unlockable.user.id.clone());
        let Ok(user) = possible else { return Ok(TaskOffer::None) };
        let session = random::token();
        let flow = Flow {
            id: random::fingerprint(&session),
            opener: address.to_owned(),
            kind: FlowKind::Agent,
            card: serial.clone(),
            user,
            step: Step::Asking,
            questions: self.server.flows().draw(&mut tx, &subject).await?,
            wrong: 0,
            workstation,
            expires: self.server.until(ONLINE),
            challenge: String::new(),
        };
        flows::insert(&mut tx, &flow).await?;
        tasks::set_state(&mut tx, &task.view.id, TaskState::Running, &flow.id, self.server.now()).await?;
        let happening = Happening {
            card: &serial,
            user: &flow.user,
            workstation: &flow.workstation,
            flow: &flow.id,
            detail: json!({"mode": flow.kind.name(), "task": task.view.id}),
            ..Happening::new(Kind::UnlockOpened, AGENT)
        };
        self.server.record(&mut tx, &happening).await?;
        tx.commit().await?;
        let questions = subject.questions(&flow.questions);
        Ok(TaskOffer::ResetUserPin { session, questions, expires_in: ONLINE.as_secs() })
    }

    /// The newest task of a card that this workstation may take now.
    async fn free(&self, conn: &mut Snapshot, serial: &str, workstation: &str) -> Result<Option<Task>, Refusal> {
        let now = self.server.now();
        for task in tasks::of_card(conn, serial).await? {
            let mine = task.view.workstation.is_empty() || task.view.workstation.eq_ignore_ascii_case(workstation);
            let free = match task.view.state {
                // A time further ahead than it can be is of a clock that was wrong.
                TaskState::Idle => task.again <= now || task.again > self.server.until(AGAIN),
                TaskState::Running => {
                    let flow = flows::by_id(conn, &task.flow).await?;
                    !flow.is_some_and(|flow| self.server.flows().lives(&flow))
                }
                TaskState::Completed | TaskState::Error | TaskState::Cancelled => false,
            };
            if mine && free {
                return Ok(Some(task));
            }
        }
        Ok(None)
    }

    /// The user wants to be left alone: the task waits for a minute.
    ///
    /// # Errors
    /// [`Code::SessionOver`].
    pub async fn put_off(&self, session: &str, address: &str) -> Result<(), Refusal> {
        let mut tx = self.server.begin().await?;
        let flow = self.server.flows().living(&mut tx, session, &[FlowKind::Agent], address).await?;
        flows::set_step(&mut tx, &flow.id, Step::Over).await?;
        self.wait_again(&mut tx, &flow).await?;
        let happening = Happening {
            card: &flow.card,
            user: &flow.user,
            workstation: &flow.workstation,
            flow: &flow.id,
            ..Happening::new(Kind::TaskPutOff, AGENT)
        };
        self.server.record(&mut tx, &happening).await?;
        tx.commit().await
    }

    async fn wait_again(&self, tx: &mut Tx, flow: &Flow) -> Result<(), Refusal> {
        tasks::wait_again(tx, &flow.id, self.server.until(AGAIN), self.server.now()).await
    }

    /// What a report of the card means for the task that the session is for.
    pub(crate) async fn settle(&self, tx: &mut Tx, flow: &Flow, outcome: CardOutcome) -> Result<(), Refusal> {
        let (state, kind) = match outcome {
            CardOutcome::Gone => return self.wait_again(tx, flow).await,
            CardOutcome::Unlocked => (TaskState::Completed, Kind::PinReset),
            CardOutcome::Refused => (TaskState::Error, Kind::PinNotReset),
        };
        // An operator may have cancelled it after the response was given: the card has its PIN all the same.
        tasks::end(tx, &flow.id, state, self.server.now()).await?;
        let happening = Happening {
            card: &flow.card,
            user: &flow.user,
            workstation: &flow.workstation,
            flow: &flow.id,
            detail: json!({"ordered_by": tasks::ordered_by(tx, &flow.id).await?}),
            ..Happening::new(kind, AGENT)
        };
        self.server.record(tx, &happening).await
    }
}
