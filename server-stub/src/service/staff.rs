//! Operators and their roles.

use crate::model::event::{Happening, Kind};
use crate::model::names::{self};
use crate::model::random;
use crate::model::refusal::{Code, Refusal};
use crate::model::role::{NamedRole, OperatorView, Privilege, Role};
use crate::service::Server;
use crate::service::login::Operator;
use crate::store::operators::OperatorRow;
use crate::store::{Snapshot, Tx, operators, roles, users};
use crate::words::sentence;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

/// An operator.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewOperator {
    /// Login name.
    pub name: String,
    /// Password.
    pub password: String,
    /// Id of the role; none refuses everything.
    #[serde(default)]
    pub role: Option<String>,
    /// Id of the catalog user who the operator is.
    #[serde(default)]
    pub user: Option<String>,
}

/// Who may do what.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Staff {
    /// Roles.
    pub roles: Vec<NamedRole>,
    /// Operators.
    pub operators: Vec<OperatorView>,
}

/// The role of an operator.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RoleOf {
    /// Id of the role; none takes it away.
    pub role: Option<String>,
}

/// Operators and their roles.
#[derive(Clone, Copy)]
pub struct Staffing<'s> {
    pub(super) server: &'s Server,
}

impl Staffing<'_> {
    /// Roles, and the operators who have them.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`].
    pub async fn all(&self, operator: &Operator) -> Result<Staff, Refusal> {
        operator.require(Privilege::ChangeRoles, None)?;
        staff(&mut self.server.store.read().await?).await
    }

    /// Gives an operator another role, or none; holds from the next request of any login on.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`], [`Code::NotFound`]; [`Code::Conflict`] for one's own role, which another must change.
    pub async fn assign_role(&self, operator: &Operator, id: &str, role: Option<&str>) -> Result<(), Refusal> {
        let step = async |tx: &mut Tx, operator: &Operator| {
            operator.require(Privilege::ChangeRoles, None)?;
            if operator.id == id {
                return Err(Refusal::new(Code::Conflict, sentence!("refused-own-role")));
            }
            let name = match role {
                None => None,
                Some(role) => Some(roles::by_id(tx, role).await?.ok_or_else(|| Refusal::not_found("role"))?.name),
            };
            let member = operators::by_id(tx, id).await?.ok_or_else(|| Refusal::not_found("operator"))?;
            operators::set_role(tx, id, role).await?;
            self.somebody_changes_roles(tx).await?;
            let detail = json!({"operator": member.name, "role": name});
            self.server.record(tx, &Happening { detail, ..Happening::new(Kind::RoleChanged, &operator.name) }).await
        };
        self.server.attempt(operator, &Happening::new(Kind::RoleNotChanged, &operator.name), step).await
    }

    /// Makes or changes a role; gives its id.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`], [`Code::Malformed`].
    pub async fn set_role(&self, operator: &Operator, name: &str, role: &Role) -> Result<String, Refusal> {
        let step = async |tx: &mut Tx, operator: &Operator| {
            operator.require(Privilege::ChangeRoles, None)?;
            // Nobody gives more to themselves, and nobody shuts themselves out.
            if operators::role_name(tx, &operator.id).await?.as_deref() == Some(name.trim()) {
                return Err(Refusal::new(Code::Conflict, sentence!("refused-own-role")));
            }
            let id = self.put_role(tx, &operator.name, name, role).await?;
            self.somebody_changes_roles(tx).await?;
            Ok(id)
        };
        self.server.attempt(operator, &Happening::new(Kind::RoleNotChanged, &operator.name), step).await
    }

    /// Refuses a change after which nobody could take it back. Who may not log in, because the user of the catalog is disabled,
    /// does not count.
    pub(crate) async fn somebody_changes_roles(&self, conn: &mut Snapshot) -> Result<(), Refusal> {
        let roles = operators::roles_of_active(conn).await?;
        if roles.iter().any(|role| role.allows(Privilege::ChangeRoles, None)) {
            return Ok(());
        }
        Err(Refusal::new(Code::Conflict, sentence!("refused-last-administrator")))
    }

    pub(crate) async fn put_role(&self, tx: &mut Tx, initiator: &str, name: &str, role: &Role) -> Result<String, Refusal> {
        let name = names::named(sentence!("refused-name-role"), name)?;
        let id = match roles::by_name(tx, &name).await? {
            Some(known) => {
                roles::set(tx, &known.id, role).await?;
                known.id
            }
            None => {
                let id = random::token();
                roles::insert(tx, &id, &name, role).await?;
                id
            }
        };
        let detail = json!({"role": name, "after": role});
        self.server.record(tx, &Happening { detail, ..Happening::new(Kind::RoleChanged, initiator) }).await?;
        Ok(id)
    }

    /// Adds an operator; gives the id.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`], [`Code::Conflict`], [`Code::Malformed`].
    pub async fn add_operator(&self, operator: &Operator, new: &NewOperator) -> Result<String, Refusal> {
        // Who may not is not hashed for.
        let hash = match operator.require(Privilege::ChangeRoles, None) {
            Ok(()) => self.server.workers.password(&new.password).await,
            Err(refusal) => Err(refusal),
        };
        let step = async |tx: &mut Tx, operator: &Operator| {
            operator.require(Privilege::ChangeRoles, None)?;
            self.insert_operator(tx, &operator.name, new, hash?).await
        };
        self.server.attempt(operator, &Happening::new(Kind::RoleNotChanged, &operator.name), step).await
    }

    pub(crate) async fn insert_operator(
        &self,
        tx: &mut Tx,
        initiator: &str,
        new: &NewOperator,
        hash: String,
    ) -> Result<String, Refusal> {
        let name = names::named(sentence!("refused-name-operator"), &new.name)?;
        if operators::is_taken(tx, &name).await? {
            return Err(Refusal::new(Code::Conflict, sentence!("refused-operator-there", name = &name)));
        }
        if let Some(role) = &new.role {
            roles::by_id(tx, role).await?.ok_or_else(|| Refusal::not_found("role"))?;
        }
        if let Some(user) = &new.user {
            users::by_id(tx, user).await?.ok_or_else(|| Refusal::not_found("user"))?;
        }
        let row = OperatorRow {
            id: random::token(),
            name,
            password: hash,
            user: new.user.clone(),
            may_log_in: true,
            role: None,
            role_name: None,
        };
        operators::insert(tx, &row, new.role.as_deref()).await?;
        let detail = json!({"operator": row.name});
        self.server.record(tx, &Happening { detail, ..Happening::new(Kind::RoleChanged, initiator) }).await?;
        Ok(row.id)
    }
}

async fn staff(conn: &mut Snapshot) -> Result<Staff, Refusal> {
    Ok(Staff { roles: roles::all(conn).await?, operators: operators::all(conn).await? })
}
