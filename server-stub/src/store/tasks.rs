//! Table `tasks`: what agents on workstations are to do.

use super::rows::{named, number, text};
use super::{Snapshot, Tx};
use crate::model::clock::Millis;
use crate::model::refusal::Refusal;
use crate::model::task::{Task, TaskState, TaskView};
use sqlx::any::AnyRow;
use sqlx::query;

fn of_row(row: &AnyRow) -> Result<Task, Refusal> {
    let view = TaskView {
        id: text(row, "id")?,
        card: text(row, "card")?,
        operator: text(row, "ordered_by")?,
        comment: text(row, "comment")?,
        workstation: text(row, "workstation")?,
        state: named(row, "state", &TaskState::ALL, TaskState::name)?,
        slow: false,
        ordered_at: number(row, "ordered_at")?,
    };
    let (changed_at, again) = (number(row, "changed_at")?, number(row, "again")?);
    Ok(Task { view, user: text(row, "user_id")?, changed_at, again, flow: text(row, "flow")? })
}

/// The tasks of a card, the newest first.
pub(crate) async fn of_card(conn: &mut Snapshot, serial: &str) -> Result<Vec<Task>, Refusal> {
    let rows = conn.all(query("SELECT * FROM tasks WHERE card = $1 ORDER BY ordered_at DESC, id").bind(serial)).await?;
    rows.iter().map(of_row).collect()
}

/// The task of this id.
pub(crate) async fn by_id(conn: &mut Snapshot, id: &str) -> Result<Option<Task>, Refusal> {
    conn.optional(query("SELECT * FROM tasks WHERE id = $1").bind(id)).await?.as_ref().map(of_row).transpose()
}

/// The name of who ordered the task that a session is for.
pub(crate) async fn ordered_by(conn: &mut Snapshot, flow: &str) -> Result<Option<String>, Refusal> {
    let row = conn.optional(query("SELECT ordered_by FROM tasks WHERE flow = $1 LIMIT 1").bind(flow)).await?;
    row.map(|row| text(&row, "ordered_by")).transpose()
}

/// A new task, which is Idle, for the user of this id, whose the card is.
pub(crate) async fn insert(tx: &mut Tx, task: &TaskView, user: &str) -> Result<(), Refusal> {
    let insert = "INSERT INTO tasks (id, card, ordered_by, comment, workstation, state, ordered_at, changed_at, again, flow, \
                  user_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $7, 0, '', $8)";
    let insert = query(insert).bind(&task.id).bind(&task.card).bind(&task.operator).bind(&task.comment);
    tx.run(insert.bind(&task.workstation).bind(task.state.name()).bind(task.ordered_at).bind(user)).await?;
    Ok(())
}

/// Another state, by this session or none.
pub(crate) async fn set_state(tx: &mut Tx, id: &str, state: TaskState, flow: &str, now: Millis) -> Result<(), Refusal> {
    let update = query("UPDATE tasks SET state = $2, changed_at = $3, again = 0, flow = $4 WHERE id = $1");
    tx.run(update.bind(id).bind(state.name()).bind(now).bind(flow)).await?;
    Ok(())
}

/// The task that a session is for waits again, until a time.
pub(crate) async fn wait_again(tx: &mut Tx, flow: &str, again: Millis, now: Millis) -> Result<(), Refusal> {
    let update = "UPDATE tasks SET state = 'Idle', changed_at = $2, again = $3, flow = '' WHERE flow = $1 AND state = 'Running'";
    tx.run(query(update).bind(flow).bind(now).bind(again)).await?;
    Ok(())
}

/// The task that a session is for has ended, also when an operator has cancelled it meanwhile.
pub(crate) async fn end(tx: &mut Tx, flow: &str, state: TaskState, now: Millis) -> Result<(), Refusal> {
    let update = "UPDATE tasks SET state = $2, changed_at = $3 WHERE flow = $1 AND state IN ('Running', 'Cancelled')";
    tx.run(query(update).bind(flow).bind(state.name()).bind(now)).await?;
    Ok(())
}
