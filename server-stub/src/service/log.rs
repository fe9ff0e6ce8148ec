//! The log, as operators read it.

use crate::model::event::{Event, Filter, Happening, Kind};
use crate::model::list::Listed;
use crate::model::refusal::Refusal;
use crate::model::role::Privilege;
use crate::service::Server;
use crate::service::login::Operator;
use crate::store::events;
use serde_json::json;

/// What is counted of an operator and a route begins so.
pub(super) const NOT_LET_IN: &str = "refused reads of ";

/// The log, as operators read it.
#[derive(Clone, Copy)]
pub struct Log<'s> {
    pub(super) server: &'s Server,
}

impl Log<'_> {
    /// Writes down that an operator was refused what only reads, or sent a form of nobody's page: once a minute and route.
    ///
    /// # Errors
    /// [`crate::model::refusal::Code::StoreDown`]: nobody is refused without it.
    pub(crate) async fn not_let_in(&self, operator: &str, route: &str, refusal: &Refusal) -> Result<(), Refusal> {
        let counted = Refusal::counted(refusal, &format!("{NOT_LET_IN}{operator} at {route}"));
        let detail = json!({"route": route});
        self.server.note_refusal(&Happening { detail, ..Happening::new(Kind::NotLetIn, operator) }, &counted).await
    }

    /// Events of a list; by a local role those of users and cards under its policies.
    ///
    /// # Errors
    /// [`crate::model::refusal::Code::NoPrivilege`], [`crate::model::refusal::Code::Malformed`].
    pub async fn list(&self, operator: &Operator, filter: &Filter) -> Result<Listed<Event>, Refusal> {
        let scope = operator.scope(Privilege::ViewLog)?;
        events::list(&mut self.server.store.read().await?, filter, &scope).await
    }

    /// The first event whose hash does not follow from the one before it. Reads the whole log, as it is at one moment: for a global
    /// role.
    ///
    /// # Errors
    /// [`crate::model::refusal::Code::NoPrivilege`].
    pub async fn check(&self, operator: &Operator) -> Result<Option<i64>, Refusal> {
        operator.require(Privilege::ViewLog, None)?;
        events::first_broken(&mut self.server.store.read().await?).await
    }
}
