//! Operators and their roles.

use crate::model::event::{Happening, Kind, PROGRAMS};
use crate::model::names::{self};
use crate::model::random;
use crate::model::refusal::{Code, Refusal};
use crate::model::role::{NamedRole, OperatorView, Privilege, Role};
use crate::service::Server;
use crate::service::login::Operator;
use crate::store::changed::Configured;
use crate::store::operators::OperatorRow;
use crate::store::{Snapshot, Tx, called, logins, operators, roles, users};
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

    /// Gives an operator another role, or none; holds from the next request of any login on. `seen` is the revision of the operator
    /// that the change is of, where who makes it says so.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`], [`Code::NotFound`]; [`Code::Conflict`] for one's own role, which another must change, and when it is
    /// another revision now.
    pub async fn assign_role(
        &self,
        operator: &Operator,
        id: &str,
        role: Option<&str>,
        seen: Option<&str>,
    ) -> Result<(), Refusal> {
        let step = async |tx: &mut Tx, operator: &Operator| {
            operator.require(Privilege::ChangeRoles, None)?;
            if operator.id == id {
                return Err(Refusal::new(Code::Conflict, sentence!("refused-own-role")));
            }
            let name = match role {
                None => None,
                Some(role) => Some(roles::by_id(tx, role).await?.ok_or_else(|| Refusal::not_found("role"))?.name),
            };
            let member = operators::view(tx, id).await?.ok_or_else(|| Refusal::not_found("operator"))?;
            if member.role.as_deref() == role {
                return Ok(());
            }
            Configured::Operator.require(tx, id, &member.revision, seen).await?;
            operators::set_role(tx, id, role).await?;
            Configured::Operator.note(tx, id, &operator.name).await?;
            self.somebody_changes_roles(tx).await?;
            let detail = json!({"operator": member.name, "role": name});
            self.server.record(tx, &Happening { detail, ..Happening::new(Kind::RoleChanged, &operator.name) }).await
        };
        self.server.attempt(operator, &Happening::new(Kind::RoleNotChanged, &operator.name), step).await
    }

    /// Makes or changes the role of this name; gives its id. `seen` is the revision that the change is of, where who makes it says so.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`], [`Code::Malformed`]; [`Code::Conflict`] for one's own role, which another must change, and when it is
    /// another revision now.
    pub async fn set_role(&self, operator: &Operator, name: &str, role: &Role, seen: Option<&str>) -> Result<String, Refusal> {
        let step = async |tx: &mut Tx, operator: &Operator| {
            operator.require(Privilege::ChangeRoles, None)?;
            let id = match roles::by_name(tx, name).await? {
                Some(known) => {
                    self.write_role(tx, operator, &known, &known.name, role, seen).await?;
                    known.id
                }
                None => self.put_role(tx, &operator.name, name, role).await?,
            };
            self.somebody_changes_roles(tx).await?;
            Ok(id)
        };
        self.server.attempt(operator, &Happening::new(Kind::RoleNotChanged, &operator.name), step).await
    }

    /// Makes a role; gives its id.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`], [`Code::Malformed`]; [`Code::Conflict`] when there is one of this name.
    pub async fn add_role(&self, operator: &Operator, name: &str, role: &Role) -> Result<String, Refusal> {
        let step = async |tx: &mut Tx, operator: &Operator| {
            operator.require(Privilege::ChangeRoles, None)?;
            self.put_role(tx, &operator.name, name, role).await
        };
        self.server.attempt(operator, &Happening::new(Kind::RoleNotChanged, &operator.name), step).await
    }

    /// What a role is called and allows from now on. `seen` is the revision that the change is of, where who makes it says so.
    ///
    /// # Errors
    /// As [`Self::add_role`]; [`Code::NotFound`]; [`Code::Conflict`] for one's own role, which another must change, and when it is
    /// another revision now.
    pub async fn change_role(
        &self,
        operator: &Operator,
        id: &str,
        name: &str,
        role: &Role,
        seen: Option<&str>,
    ) -> Result<(), Refusal> {
        let step = async |tx: &mut Tx, operator: &Operator| {
            operator.require(Privilege::ChangeRoles, None)?;
            let before = roles::by_id(tx, id).await?.ok_or_else(|| Refusal::not_found("role"))?;
            // A name that an older version let be stays, whatever else changes.
            let name = if name == before.name { before.name.clone() } else { free_role_name(tx, name, Some(id)).await? };
            self.write_role(tx, operator, &before, &name, role, seen).await?;
            self.somebody_changes_roles(tx).await
        };
        self.server.attempt(operator, &Happening::new(Kind::RoleNotChanged, &operator.name), step).await
    }

    /// Deletes a role that nobody has.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`], [`Code::NotFound`]; [`Code::Conflict`] while operators have it.
    pub async fn delete_role(&self, operator: &Operator, id: &str) -> Result<(), Refusal> {
        let step = async |tx: &mut Tx, operator: &Operator| {
            operator.require(Privilege::ChangeRoles, None)?;
            let role = roles::by_id(tx, id).await?.ok_or_else(|| Refusal::not_found("role"))?;
            let having = operators::of_role(tx, id).await?;
            if having > 0 {
                return Err(Refusal::new(Code::Conflict, sentence!("refused-role-in-use", count = having)));
            }
            roles::delete(tx, id).await?;
            Configured::Role.forget(tx, id).await?;
            let detail = json!({"role": role.name, "before": role.role});
            self.server.record(tx, &Happening { detail, ..Happening::new(Kind::RoleChanged, &operator.name) }).await
        };
        self.server.attempt(operator, &Happening::new(Kind::RoleNotChanged, &operator.name), step).await
    }

    /// Deletes an operator: open logins end, unlocks that the operator has begun are nobody's. The log keeps the name.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`], [`Code::NotFound`]; [`Code::Conflict`] for oneself, and for the last who may change roles.
    pub async fn delete_operator(&self, operator: &Operator, id: &str) -> Result<(), Refusal> {
        let step = async |tx: &mut Tx, operator: &Operator| {
            operator.require(Privilege::ChangeRoles, None)?;
            not_oneself(operator, id)?;
            let member = operators::by_id(tx, id).await?.ok_or_else(|| Refusal::not_found("operator"))?;
            logins::delete_of_operator(tx, id).await?;
            operators::delete(tx, id).await?;
            Configured::Operator.forget(tx, id).await?;
            self.somebody_changes_roles(tx).await?;
            let detail = json!({"operator": member.name, "deleted": true});
            self.server.record(tx, &Happening { detail, ..Happening::new(Kind::RoleChanged, &operator.name) }).await
        };
        self.server.attempt(operator, &Happening::new(Kind::RoleNotChanged, &operator.name), step).await
    }

    /// Gives an operator another name and, where one is given, another password, with which open logins end. `seen` is as of
    /// [`Self::assign_role`].
    ///
    /// # Errors
    /// [`Code::NoPrivilege`], [`Code::NotFound`], [`Code::Malformed`]; [`Code::Conflict`] for oneself, when another is called so, and
    /// when it is another revision now.
    pub async fn change_operator(
        &self,
        operator: &Operator,
        id: &str,
        name: &str,
        password: Option<&str>,
        seen: Option<&str>,
    ) -> Result<(), Refusal> {
        let hash = match (operator.require(Privilege::ChangeRoles, None), password) {
            (Ok(()), Some(password)) => self.server.workers.password("password", password).await.map(Some),
            (Ok(()), None) => Ok(None),
            (Err(refusal), _) => Err(refusal),
        };
        let step = async |tx: &mut Tx, operator: &Operator| {
            operator.require(Privilege::ChangeRoles, None)?;
            not_oneself(operator, id)?;
            let member = operators::by_id(tx, id).await?.ok_or_else(|| Refusal::not_found("operator"))?;
            let name = if name == member.name {
                member.name.clone()
            } else {
                free_operator_name(tx, name, Some(id), member.user.as_deref()).await?
            };
            let hash = hash?;
            if hash.is_none() && name == member.name {
                return Ok(());
            }
            let before = operators::view(tx, id).await?.ok_or_else(|| Refusal::not_found("operator"))?;
            Configured::Operator.require(tx, id, &before.revision, seen).await?;
            Configured::Operator.note(tx, id, &operator.name).await?;
            operators::set(tx, id, &name, hash.as_deref().unwrap_or(&member.password)).await?;
            if hash.is_some() {
                logins::delete_of_operator(tx, id).await?;
            }
            let detail = json!({"operator": name, "before": member.name, "password": hash.is_some()});
            self.server.record(tx, &Happening { detail, ..Happening::new(Kind::RoleChanged, &operator.name) }).await
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

    /// A new role.
    pub(crate) async fn put_role(&self, tx: &mut Tx, initiator: &str, name: &str, role: &Role) -> Result<String, Refusal> {
        let (id, name) = (random::token(), free_role_name(tx, name, None).await?);
        roles::insert(tx, &id, &name, role).await?;
        Configured::Role.note(tx, &id, initiator).await?;
        let detail = json!({"role": name, "after": role});
        self.server.record(tx, &Happening { detail, ..Happening::new(Kind::RoleChanged, initiator) }).await?;
        Ok(id)
    }

    /// Another name and other rights of a role. Nobody gives more to themselves, and nobody shuts themselves out.
    async fn write_role(
        &self,
        tx: &mut Tx,
        operator: &Operator,
        before: &NamedRole,
        name: &str,
        role: &Role,
        seen: Option<&str>,
    ) -> Result<(), Refusal> {
        if operators::role_id(tx, &operator.id).await?.as_deref() == Some(&*before.id) {
            return Err(Refusal::new(Code::Conflict, sentence!("refused-own-role")));
        }
        if before.name == name && before.role == *role {
            return Ok(());
        }
        Configured::Role.require(tx, &before.id, &before.revision, seen).await?;
        roles::set(tx, &before.id, name, role).await?;
        Configured::Role.note(tx, &before.id, &operator.name).await?;
        let mut detail = json!({"role": name, "before": before.role, "after": role});
        if name != before.name {
            detail["was"] = before.name.as_str().into();
        }
        self.server.record(tx, &Happening { detail, ..Happening::new(Kind::RoleChanged, &operator.name) }).await
    }

    /// Adds an operator; gives the id.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`], [`Code::Conflict`], [`Code::Malformed`].
    pub async fn add_operator(&self, operator: &Operator, new: &NewOperator) -> Result<String, Refusal> {
        // Who may not is not hashed for.
        let hash = match operator.require(Privilege::ChangeRoles, None) {
            Ok(()) => self.server.workers.password("password", &new.password).await,
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
        let name = free_operator_name(tx, &new.name, None, new.user.as_deref()).await?;
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
        Configured::Operator.note(tx, &row.id, initiator).await?;
        let detail = json!({"operator": row.name, "added": true});
        self.server.record(tx, &Happening { detail, ..Happening::new(Kind::RoleChanged, initiator) }).await?;
        Ok(row.id)
    }
}

/// What is done to an operator another does: whoever finds a console open takes no account over.
fn not_oneself(operator: &Operator, id: &str) -> Result<(), Refusal> {
    if operator.id == id { Err(Refusal::new(Code::Conflict, sentence!("refused-oneself"))) } else { Ok(()) }
}

/// The name, when the role of the id `own`, or a new one, can be called so.
async fn free_role_name(tx: &mut Tx, name: &str, own: Option<&str>) -> Result<String, Refusal> {
    let name = names::named_in_paths("role_name", sentence!("refused-name-role"), name)?;
    if called::ROLES.is_taken(tx, &name, own).await? {
        return Err(Refusal::new(Code::Conflict, sentence!("refused-role-there")).at("role_name"));
    }
    Ok(name)
}

/// The name, when the operator of the id `own`, or a new one, can be called so: as no program is in the log and no user, but for
/// the one of the id `user`, who the operator is.
async fn free_operator_name(tx: &mut Tx, name: &str, own: Option<&str>, user: Option<&str>) -> Result<String, Refusal> {
    let name = names::named("operator_name", sentence!("refused-name-operator"), name)?;
    if PROGRAMS.contains(&names::key(&name).as_str()) {
        return Err(Refusal::new(Code::Conflict, sentence!("refused-operator-program", name = &name)).at("operator_name"));
    }
    if called::OPERATORS.is_taken(tx, &name, own).await? {
        return Err(Refusal::new(Code::Conflict, sentence!("refused-operator-there", name = &name)).at("operator_name"));
    }
    if users::is_taken(tx, &name, user).await? {
        return Err(Refusal::new(Code::Conflict, sentence!("refused-operator-user", name = &name)).at("operator_name"));
    }
    Ok(name)
}

async fn staff(conn: &mut Snapshot) -> Result<Staff, Refusal> {
    Ok(Staff { roles: roles::all(conn).await?, operators: operators::all(conn).await? })
}
