//! What administrators set: policies, questions, card types, users, roles and operators.

use crate::model::event::{Happening, Kind};
use crate::model::names;
use crate::model::policy::Policy;
use crate::model::refusal::{Code, Refusal};
use crate::model::role::{Privilege, Role};
use crate::service::Server;
use crate::service::login::Operator;
use crate::store::records::{self, CardType, NamedPolicy, Question};
use crate::store::{Tx, json as parsed, number, optional, text};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use zeroize::Zeroizing;

/// A user for the catalog.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// `DOMAIN\Name`.
    pub logon: String,
    /// `name@domain`.
    pub upn: String,
    /// Name.
    pub cn: String,
    /// Mail address.
    #[serde(default)]
    pub mail: String,
    /// Telephone.
    #[serde(default)]
    pub phone: String,
    /// For Self-Service.
    pub password: String,
    /// Id of the policy that holds.
    pub policy: String,
}

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

/// A card type as operators see it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CardTypeView {
    /// `3des`, `aes128`, `aes192` or `aes256`.
    pub cipher: String,
    /// *Default user PIN*, for those who set it on cards.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_user_pin: Option<String>,
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

/// A security question.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewQuestion {
    /// What to ask.
    pub text: String,
    /// *Minimum answer length*.
    #[serde(default = "three")]
    pub min_length: i64,
}

const fn three() -> i64 {
    3
}

fn named(what: &str, text: &str) -> Result<String, Refusal> {
    let text = text.trim();
    let right = text.chars().count() <= 200 && !text.chars().any(char::is_control) && !names::key(text).is_empty();
    if right { Ok(text.to_owned()) } else { Err(Refusal::malformed(format!("{what} has 1 to 200 characters in one line"))) }
}

impl Server {
    /// All policies.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`].
    pub async fn policies(&self, operator: &Operator) -> Result<Vec<NamedPolicy>, Refusal> {
        operator.require(Privilege::ViewPolicy, None)?;
        let mut tx = self.store.begin().await?;
        records::policies(&mut tx).await
    }

    /// Makes a policy; gives its id.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`], [`Code::Conflict`], [`Code::Malformed`].
    pub async fn add_policy(&self, operator: &Operator, name: &str, settings: &Policy) -> Result<String, Refusal> {
        let mut tx = self.store.begin().await?;
        let done = async {
            operator.require(Privilege::ChangePolicy, None)?;
            let id = self.insert_policy(&mut tx, &operator.name, name, settings).await?;
            Ok::<_, Refusal>(id)
        }
        .await;
        self.concluded(tx, done, &Happening::new(Kind::PolicyNotChanged, &operator.name)).await
    }

    pub(crate) async fn insert_policy(
        &self,
        tx: &mut Tx,
        initiator: &str,
        name: &str,
        settings: &Policy,
    ) -> Result<String, Refusal> {
        settings.check()?;
        let name = named("a policy's name", name)?;
        if records::policies(tx).await?.iter().any(|p| p.name == name) {
            return Err(Refusal::new(Code::Conflict, "there is a policy of this name"));
        }
        let id = crate::model::random::token();
        sqlx::query("INSERT INTO policies (id, name, body) VALUES ($1, $2, $3)")
            .bind(&id)
            .bind(&name)
            .bind(body(settings))
            .execute(&mut **tx)
            .await?;
        let detail = json!({"policy": name, "after": settings});
        self.record(tx, &Happening { detail, ..Happening::new(Kind::PolicyChanged, initiator) }).await?;
        Ok(id)
    }

    /// Changes a policy; holds from the next step of any flow on.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`], [`Code::NotFound`], [`Code::Malformed`].
    pub async fn change_policy(&self, operator: &Operator, id: &str, settings: &Policy) -> Result<(), Refusal> {
        let mut tx = self.store.begin().await?;
        let done = async {
            operator.require(Privilege::ChangePolicy, Some(id))?;
            settings.check()?;
            let before = records::policy(&mut tx, id).await?.ok_or_else(|| Refusal::not_found("policy"))?;
            sqlx::query("UPDATE policies SET body = $2 WHERE id = $1").bind(id).bind(body(settings)).execute(&mut *tx).await?;
            let detail = json!({"policy": before.name, "before": before.settings, "after": settings});
            self.record(&mut tx, &Happening { detail, ..Happening::new(Kind::PolicyChanged, &operator.name) }).await?;
            Ok::<_, Refusal>(())
        }
        .await;
        self.concluded(tx, done, &Happening::new(Kind::PolicyNotChanged, &operator.name)).await
    }

    /// Deletes a policy that nothing hangs on.
    ///
    /// # Errors
    /// [`Code::Conflict`] while users or cards are under it.
    pub async fn delete_policy(&self, operator: &Operator, id: &str) -> Result<(), Refusal> {
        let mut tx = self.store.begin().await?;
        let done = async {
        operator.require(Privilege::ChangePolicy, Some(id))?;
        let row = sqlx::query("SELECT (SELECT COUNT(*) FROM cards WHERE policy_id = $1) + (SELECT COUNT(*) FROM policy_links WHERE policy_id = $1) AS n")
            .bind(id).fetch_one(&mut *tx).await?;
        if number(&row, "n")? > 0 {
            return Err(Refusal::new(Code::Conflict, "users or cards are under this policy; move them first"));
        }
        let policy = records::policy(&mut tx, id).await?.ok_or_else(|| Refusal::not_found("policy"))?;
        sqlx::query("DELETE FROM questions WHERE policy_id = $1").bind(id).execute(&mut *tx).await?;
        sqlx::query("DELETE FROM policies WHERE id = $1").bind(id).execute(&mut *tx).await?;
        let detail = json!({"policy": policy.name, "before": policy.settings});
        self.record(&mut tx, &Happening { detail, ..Happening::new(Kind::PolicyChanged, &operator.name) }).await?;
        Ok::<_, Refusal>(())
        }.await;
        self.concluded(tx, done, &Happening::new(Kind::PolicyNotChanged, &operator.name)).await
    }

    /// The questions of a policy.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`].
    pub async fn questions(&self, operator: &Operator, policy: &str) -> Result<Vec<Question>, Refusal> {
        operator.require(Privilege::ViewPolicy, Some(policy))?;
        let mut tx = self.store.begin().await?;
        records::questions(&mut tx, policy).await
    }

    /// *Create security question*; gives its id.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`], [`Code::NotFound`], [`Code::Malformed`].
    pub async fn add_question(&self, operator: &Operator, policy: &str, new: &NewQuestion) -> Result<String, Refusal> {
        let mut tx = self.store.begin().await?;
        let done = async {
            operator.require(Privilege::ChangePolicy, Some(policy))?;
            let id = self.insert_question(&mut tx, &operator.name, policy, new).await?;
            Ok::<_, Refusal>(id)
        }
        .await;
        self.concluded(tx, done, &Happening::new(Kind::QuestionNotChanged, &operator.name)).await
    }

    pub(crate) async fn insert_question(
        &self,
        tx: &mut Tx,
        initiator: &str,
        policy: &str,
        new: &NewQuestion,
    ) -> Result<String, Refusal> {
        let text = named("a question", &new.text)?;
        if !(1..=50).contains(&new.min_length) {
            return Err(Refusal::malformed("a minimum answer length is 1 to 50"));
        }
        records::policy(tx, policy).await?.ok_or_else(|| Refusal::not_found("policy"))?;
        let id = crate::model::random::token();
        sqlx::query("INSERT INTO questions (id, policy_id, text, min_length) VALUES ($1, $2, $3, $4)")
            .bind(&id)
            .bind(policy)
            .bind(&text)
            .bind(new.min_length)
            .execute(&mut **tx)
            .await?;
        let detail = json!({"after": text});
        self.record(tx, &Happening { detail, ..Happening::new(Kind::QuestionChanged, initiator) }).await?;
        Ok(id)
    }

    /// Deletes a question that nobody has answered.
    ///
    /// # Errors
    /// [`Code::Conflict`] while users have.
    pub async fn delete_question(&self, operator: &Operator, id: &str) -> Result<(), Refusal> {
        let mut tx = self.store.begin().await?;
        let done = async {
            let row =
                sqlx::query("SELECT policy_id, text FROM questions WHERE id = $1").bind(id).fetch_optional(&mut *tx).await?;
            let row = row.ok_or_else(|| Refusal::not_found("question"))?;
            operator.require(Privilege::ChangePolicy, Some(&crate::store::text(&row, "policy_id")?))?;
            let used =
                sqlx::query("SELECT COUNT(*) AS n FROM answers WHERE question_id = $1").bind(id).fetch_one(&mut *tx).await?;
            if number(&used, "n")? > 0 {
                return Err(Refusal::new(
                    Code::Conflict,
                    "users have answered this question; it can be deleted when nobody uses it",
                ));
            }
            sqlx::query("DELETE FROM questions WHERE id = $1").bind(id).execute(&mut *tx).await?;
            let detail = json!({"before": crate::store::text(&row, "text")?});
            self.record(&mut tx, &Happening { detail, ..Happening::new(Kind::QuestionChanged, &operator.name) }).await?;
            Ok::<_, Refusal>(())
        }
        .await;
        self.concluded(tx, done, &Happening::new(Kind::QuestionNotChanged, &operator.name)).await
    }

    /// All card types, by id.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`].
    pub async fn card_types(&self, operator: &Operator) -> Result<Vec<(String, CardTypeView)>, Refusal> {
        operator.require(Privilege::ViewCards, None)?;
        let sets_pins = [Privilege::ResetPin, Privilege::IssueCard, Privilege::ChangePolicy];
        let sets_pins = sets_pins.into_iter().any(|privilege| operator.may(privilege, None));
        let mut tx = self.store.begin().await?;
        let rows = sqlx::query("SELECT * FROM card_types ORDER BY id").fetch_all(&mut *tx).await?;
        let view = |about: CardType| CardTypeView {
            cipher: about.cipher,
            default_user_pin: sets_pins.then_some(about.default_user_pin),
        };
        rows.iter().map(|row| Ok((text(row, "id")?, view(parsed(row, "body")?)))).collect()
    }

    /// Adds a card type.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`], [`Code::Conflict`], [`Code::Malformed`].
    pub async fn add_card_type(&self, operator: &Operator, id: &str, about: &CardType) -> Result<(), Refusal> {
        let mut tx = self.store.begin().await?;
        let done = async {
            operator.require(Privilege::ChangePolicy, None)?;
            self.insert_card_type(&mut tx, id, about).await?;
            let detail = json!({"card_type": id.trim(), "after": {"cipher": about.cipher}});
            self.record(&mut tx, &Happening { detail, ..Happening::new(Kind::PolicyChanged, &operator.name) }).await?;
            Ok::<_, Refusal>(())
        }
        .await;
        self.concluded(tx, done, &Happening::new(Kind::PolicyNotChanged, &operator.name)).await
    }

    pub(crate) async fn insert_card_type(&self, tx: &mut Tx, id: &str, about: &CardType) -> Result<(), Refusal> {
        about.cipher()?;
        let id = named("a card type's name", id)?;
        if !(4..=31).contains(&about.default_user_pin.len()) || !about.default_user_pin.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(Refusal::malformed("a default user PIN has 4 to 31 printable ASCII characters"));
        }
        let known = sqlx::query("SELECT id FROM card_types WHERE id = $1").bind(&id).fetch_optional(&mut **tx).await?;
        if known.is_some() {
            return Err(Refusal::new(Code::Conflict, "there is a card type of this name"));
        }
        sqlx::query("INSERT INTO card_types (id, body) VALUES ($1, $2)").bind(id).bind(body(about)).execute(&mut **tx).await?;
        Ok(())
    }

    /// Adds a user to the catalog; gives the id.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`], [`Code::Conflict`], [`Code::Malformed`].
    pub async fn add_user(&self, operator: &Operator, new: &NewUser) -> Result<String, Refusal> {
        let allowed = operator.require(Privilege::ChangePolicy, None);
        let hash = self.password_of(allowed, &new.password).await;
        let mut tx = self.store.begin().await?;
        let done = match hash {
            Ok(hash) => self.insert_user(&mut tx, &operator.name, new, &hash).await,
            Err(refusal) => Err(refusal),
        };
        self.concluded(tx, done, &Happening::new(Kind::UserNotAdded, &operator.name)).await
    }

    pub(crate) async fn insert_user(&self, tx: &mut Tx, initiator: &str, new: &NewUser, hash: &str) -> Result<String, Refusal> {
        let (logon, upn, cn) = (named("a logon name", &new.logon)?, named("a UPN", &new.upn)?, named("a name", &new.cn)?);
        let optional = |what: &str, text: &str| if text.trim().is_empty() { Ok(String::new()) } else { named(what, text) };
        let (mail, phone) = (optional("a mail address", &new.mail)?, optional("a telephone number", &new.phone)?);
        records::policy(tx, &new.policy).await?.ok_or_else(|| Refusal::not_found("policy"))?;
        names::logon(&logon)?;
        names::upn(&upn)?;
        for name in [&logon, &upn] {
            if names::is_taken(tx, name).await? {
                return Err(Refusal::new(Code::Conflict, format!("there is a user '{name}'")));
            }
        }
        let id = crate::model::random::token();
        sqlx::query("INSERT INTO users (id, logon, upn, cn, mail, phone, catalog_state, password, failed, lock_state, draw, logon_key, upn_key, search_key) VALUES ($1, $2, $3, $4, $5, $6, 'active', $7, 0, 0, '[]', $8, $9, $10)")
            .bind(&id).bind(&logon).bind(&upn).bind(&cn).bind(&mail).bind(&phone).bind(hash)
            .bind(names::key(&logon)).bind(names::key(&upn)).bind(names::search_key(&[&cn, &logon, &upn, &mail])).execute(&mut **tx).await?;
        sqlx::query("INSERT INTO policy_links (user_id, policy_id, priority) VALUES ($1, $2, 1)")
            .bind(&id)
            .bind(&new.policy)
            .execute(&mut **tx)
            .await?;
        self.record(tx, &Happening { user: &id, ..Happening::new(Kind::UserAdded, initiator) }).await?;
        Ok(id)
    }

    /// Roles, and the operators who have them.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`].
    pub async fn staff(&self, operator: &Operator) -> Result<Staff, Refusal> {
        operator.require(Privilege::ChangeRoles, None)?;
        let mut tx = self.store.begin().await?;
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
        let mut tx = self.store.begin().await?;
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
            self.record(&mut tx, &Happening { detail, ..Happening::new(Kind::RoleChanged, &operator.name) }).await?;
            Ok::<_, Refusal>(())
        }
        .await;
        self.concluded(tx, done, &Happening::new(Kind::RoleNotChanged, &operator.name)).await
    }

    /// Makes or changes a role; gives its id.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`], [`Code::Malformed`].
    pub async fn set_role(&self, operator: &Operator, name: &str, role: &Role) -> Result<String, Refusal> {
        let mut tx = self.store.begin().await?;
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
        self.concluded(tx, done, &Happening::new(Kind::RoleNotChanged, &operator.name)).await
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
        let name = named("a role's name", name)?;
        let row = sqlx::query("SELECT id FROM roles WHERE name = $1").bind(&name).fetch_optional(&mut **tx).await?;
        let id = match row {
            Some(row) => {
                let id = crate::store::text(&row, "id")?;
                sqlx::query("UPDATE roles SET body = $2 WHERE id = $1").bind(&id).bind(body(role)).execute(&mut **tx).await?;
                id
            }
            None => {
                let id = crate::model::random::token();
                sqlx::query("INSERT INTO roles (id, name, body) VALUES ($1, $2, $3)")
                    .bind(&id)
                    .bind(&name)
                    .bind(body(role))
                    .execute(&mut **tx)
                    .await?;
                id
            }
        };
        let detail = json!({"role": name, "after": role});
        self.record(tx, &Happening { detail, ..Happening::new(Kind::RoleChanged, initiator) }).await?;
        Ok(id)
    }

    /// Adds an operator; gives the id.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`], [`Code::Conflict`], [`Code::Malformed`].
    pub async fn add_operator(&self, operator: &Operator, new: &NewOperator) -> Result<String, Refusal> {
        let allowed = operator.require(Privilege::ChangeRoles, None);
        let hash = self.password_of(allowed, &new.password).await;
        let mut tx = self.store.begin().await?;
        let done = match hash {
            Ok(hash) => self.insert_operator(&mut tx, &operator.name, new, &hash).await,
            Err(refusal) => Err(refusal),
        };
        self.concluded(tx, done, &Happening::new(Kind::RoleNotChanged, &operator.name)).await
    }

    pub(crate) async fn insert_operator(
        &self,
        tx: &mut Tx,
        initiator: &str,
        new: &NewOperator,
        hash: &str,
    ) -> Result<String, Refusal> {
        let name = named("an operator's name", &new.name)?;
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
        self.record(tx, &Happening { detail, ..Happening::new(Kind::RoleChanged, initiator) }).await?;
        Ok(id)
    }

    /// The hash of a password, if it may be set.
    async fn password_of(&self, allowed: Result<(), Refusal>, password: &str) -> Result<String, Refusal> {
        allowed?;
        self.password(password).await
    }

    pub(crate) async fn password(&self, password: &str) -> Result<String, Refusal> {
        if !(8..=200).contains(&password.chars().count()) {
            return Err(Refusal::malformed("a password has 8 to 200 characters"));
        }
        let hashes = self.workers.hash(vec![Zeroizing::new(password.to_owned())]).await?;
        hashes.into_iter().next().ok_or_else(|| Refusal::new(Code::Busy, "the server is stopping"))
    }
}

fn body(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
