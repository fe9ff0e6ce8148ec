//! The log, as operators read it.

use crate::model::event::{Event, Filter};
use crate::model::list::Listed;
use crate::model::refusal::Refusal;
use crate::model::role::Privilege;
use crate::service::Server;
use crate::service::login::Operator;
use crate::store::events;

/// The log, as operators read it.
#[derive(Clone, Copy)]
pub struct Log<'s> {
    pub(super) server: &'s Server,
}

impl Log<'_> {
    /// Events of a list.
    ///
    /// # Errors
    /// [`crate::model::refusal::Code::NoPrivilege`], [`crate::model::refusal::Code::Malformed`].
    pub async fn list(&self, operator: &Operator, filter: &Filter) -> Result<Listed<Event>, Refusal> {
        operator.require(Privilege::ViewLog, None)?;
        events::list(&mut self.server.store.read().await?, filter).await
    }

    /// The first event whose hash does not follow from the one before it. Reads the whole log, as it is at one moment.
    ///
    /// # Errors
    /// [`crate::model::refusal::Code::NoPrivilege`].
    pub async fn check(&self, operator: &Operator) -> Result<Option<i64>, Refusal> {
        operator.require(Privilege::ViewLog, None)?;
        events::first_broken(&mut self.server.store.read().await?).await
    }
}
