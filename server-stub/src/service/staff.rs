//! Operators and their roles.

use crate::model::event::{Happening, Kind};
use crate::model::names;
use crate::model::refusal::{Code, Refusal};
use crate::model::role::{Privilege, Role};
use crate::service::Server;
use crate::service::login::Operator;
use crate::store::{self, Tx, json as parsed, optional, text};
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

/// A role as administrators see it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct NamedRole {
    /// Id.
    pub id: String,
    /// Name.
    pub name: String,
    /// What it allows, and where.
    pub role: Role,
}

/// An operator as administrators see one.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OperatorView {
    /// Id.
    pub id: String,
    /// Login name.
    pub name: String,
    /// Id of the role; without one everything is refused.
    pub role: Option<String>,
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
        let mut tx = self.server.store.begin().await?;
        let rows = sqlx::query("SELECT * FROM roles ORDER BY name").fetch_all(&mut *tx).await?;
        let role = |row| Ok(NamedRole { id: text(row, "id")?, name: text(row, "name")?, role: parsed(row, "body")? });
        let roles = rows.iter().map(role).collect::<Result<_, Refusal>>()?;
        let rows = sqlx::query("SELECT * FROM operators ORDER BY name").fetch_all(&mut *tx).await?;
        let member = |row| Ok(OperatorView { id: text(row, "id")?, name: text(row, "name")?, role: optional(row, "role_id")? });
        let operators = rows.iter().map(member).collect::<Result<_, Refusal>>()?;
        Ok(Staff { roles, operators })
    }

    /// Gives an operator another role, or none; holds from the next request of any login on.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`], [`Code::NotFound`]; [`Code::Conflict`] for one's own role, which another must change.
    pub async fn assign_role(&self, operator: &Operator, id: &str, role: Option<&str>) -> Result<(), Refusal> {
        let mut tx = self.server.store.begin().await?;
        let done = async {
            operator.require(Privilege::ChangeRoles, None)?;
            if operator.id == id {
                return Err(Refusal::new(Code::Conflict, "your own role is changed by another administrator"));
            }
            let name = match role {
                None => None,
                Some(role) => {
                    let row = sqlx::query("SELECT name FROM roles WHERE id = $1").bind(role).fetch_optional(&mut *tx).await?;
                    Some(text(&row.ok_or_else(|| Refusal::not_found("role"))?, "name")?)
                }
            };
            let changed =
                sqlx::query("UPDATE operators SET role_id = $2 WHERE id = $1").bind(id).bind(role).execute(&mut *tx).await?;
            if changed.rows_affected() == 0 {
                return Err(Refusal::not_found("operator"));
            }
            self.somebody_changes_roles(&mut tx).await?;
            let row = sqlx::query("SELECT name FROM operators WHERE id = $1").bind(id).fetch_one(&mut *tx).await?;
            let detail = json!({"operator": text(&row, "name")?, "role": name});
            self.server.record(&mut tx, &Happening { detail, ..Happening::new(Kind::RoleChanged, &operator.name) }).await?;
            Ok::<_, Refusal>(())
        }
        .await;
        self.server.concluded(tx, done, &Happening::new(Kind::RoleNotChanged, &operator.name)).await
    }

    /// Makes or changes a role; gives its id.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`], [`Code::Malformed`].
    pub async fn set_role(&self, operator: &Operator, name: &str, role: &Role) -> Result<String, Refusal> {
        let mut tx = self.server.store.begin().await?;
        let done = async {
            operator.require(Privilege::ChangeRoles, None)?;
            // Nobody gives more to themselves, and nobody shuts themselves out.
            let own = "SELECT roles.name FROM operators JOIN roles ON roles.id = operators.role_id WHERE operators.id = $1";
            let own = sqlx::query(own).bind(&operator.id).fetch_optional(&mut *tx).await?;
            if own.map(|row| text(&row, "name")).transpose()?.as_deref() == Some(name.trim()) {
                return Err(Refusal::new(Code::Conflict, "your own role is changed by another administrator"));
            }
            let id = self.put_role(&mut tx, &operator.name, name, role).await?;
            self.somebody_changes_roles(&mut tx).await?;
            Ok::<_, Refusal>(id)
        }
        .await;
        self.server.concluded(tx, done, &Happening::new(Kind::RoleNotChanged, &operator.name)).await
    }

    /// Refuses a change after which nobody could take it back. Who may not log in, because the user of the catalog is disabled,
    /// does not count.
    pub(crate) async fn somebody_changes_roles(&self, tx: &mut Tx) -> Result<(), Refusal> {
        let query = "SELECT roles.body FROM operators JOIN roles ON roles.id = operators.role_id LEFT JOIN users ON users.id = operators.user_id WHERE operators.user_id IS NULL OR users.catalog_state = 'active'";
        for row in sqlx::query(query).fetch_all(&mut **tx).await? {
            if parsed::<Role>(&row, "body")?.allows(Privilege::ChangeRoles, None) {
                return Ok(());
            }
        }
        Err(Refusal::new(Code::Conflict, "nobody could change roles any more; give somebody that privilege first"))
    }

    pub(crate) async fn put_role(&self, tx: &mut Tx, initiator: &str, name: &str, role: &Role) -> Result<String, Refusal> {
        let name = names::named("a role's name", name)?;
        let row = sqlx::query("SELECT id FROM roles WHERE name = $1").bind(&name).fetch_optional(&mut **tx).await?;
        let id = match row {
            Some(row) => {
                let id = crate::store::text(&row, "id")?;
                sqlx::query("UPDATE roles SET body = $2 WHERE id = $1")
                    .bind(&id)
                    .bind(store::body(role))
                    .execute(&mut **tx)
                    .await?;
                id
            }
            None => {
                let id = crate::model::random::token();
                sqlx::query("INSERT INTO roles (id, name, body) VALUES ($1, $2, $3)")
                    .bind(&id)
                    .bind(&name)
                    .bind(store::body(role))
                    .execute(&mut **tx)
                    .await?;
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
        let allowed = operator.require(Privilege::ChangeRoles, None);
        let hash = match allowed {
            Ok(()) => self.server.workers.password(&new.password).await,
            Err(refusal) => Err(refusal),
        };
        let mut tx = self.server.store.begin().await?;
        let done = match hash {
            Ok(hash) => self.insert_operator(&mut tx, &operator.name, new, &hash).await,
            Err(refusal) => Err(refusal),
        };
        self.server.concluded(tx, done, &Happening::new(Kind::RoleNotChanged, &operator.name)).await
    }

    pub(crate) async fn insert_operator(
        &self,
        tx: &mut Tx,
        initiator: &str,
        new: &NewOperator,
        hash: &str,
    ) -> Result<String, Refusal> {
        let name = names::named("an operator's name", &new.name)?;
        if names::is_operators(tx, &name).await? {
            return Err(Refusal::new(Code::Conflict, format!("there is an operator '{name}'")));
        }
        for (what, statement, id) in
            [("role", "SELECT id FROM roles WHERE id = $1", &new.role), ("user", "SELECT id FROM users WHERE id = $1", &new.user)]
        {
            let known = sqlx::query(statement).bind(id.as_deref().unwrap_or_default()).fetch_optional(&mut **tx).await?;
            if id.is_some() && known.is_none() {
                return Err(Refusal::not_found(what));
            }
        }
        let id = crate::model::random::token();
        sqlx::query("INSERT INTO operators (id, name, password, role_id, user_id, name_key) VALUES ($1, $2, $3, $4, $5, $6)")
            .bind(&id)
            .bind(&name)
            .bind(hash)
            .bind(&new.role)
            .bind(&new.user)
            .bind(names::key(&name))
            .execute(&mut **tx)
            .await?;
        let detail = json!({"operator": name});
        self.server.record(tx, &Happening { detail, ..Happening::new(Kind::RoleChanged, initiator) }).await?;
        Ok(id)
    }
}
