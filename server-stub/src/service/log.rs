//! The log, as operators read it.

use crate::model::event::{self, Event, Filter};
use crate::model::refusal::Refusal;
use crate::model::role::Privilege;
use crate::service::Server;
use crate::service::login::Operator;

/// The log, as operators read it.
#[derive(Clone, Copy)]
pub struct Log<'s> {
    pub(super) server: &'s Server,
}

impl Log<'_> {
    /// The log.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`].
    pub async fn list(&self, operator: &Operator, filter: &Filter) -> Result<Vec<Event>, Refusal> {
        operator.require(Privilege::ViewLog, None)?;
        let mut tx = self.server.store.begin().await?;
        event::list(&mut tx, filter).await
    }

    /// The latest events, the newest first.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`].
    pub async fn latest(&self, operator: &Operator, filter: &Filter, count: i64) -> Result<Vec<Event>, Refusal> {
        operator.require(Privilege::ViewLog, None)?;
        let mut tx = self.server.store.begin().await?;
        event::latest(&mut tx, filter, count).await
    }

    /// The first event whose hash does not follow from the one before it.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`].
    pub async fn check(&self, operator: &Operator) -> Result<Option<i64>, Refusal> {
        operator.require(Privilege::ViewLog, None)?;
        let mut tx = self.server.store.begin().await?;
        event::first_broken(&mut tx).await
    }
}
