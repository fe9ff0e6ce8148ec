//! Users of the catalog, as operators handle them.

use crate::model::event::{Happening, Kind};
use crate::model::names::{self, Clash};
use crate::model::refusal::{Code, Refusal};
use crate::model::role::Privilege;
use crate::service::Server;
use crate::service::cards::CardView;
use crate::service::login::Operator;
use crate::service::subject::Subject;
use crate::store::records::{self, User, UserLock};
use crate::store::{Tx, text};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

/// A user as consoles show one.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct UserView {
    /// Id.
    pub id: String,
    /// `DOMAIN\Name`.
    pub logon: String,
    /// `name@domain`.
    pub upn: String,
    /// Name.
    pub cn: String,
    /// Mail address.
    pub mail: String,
    /// Telephone.
    pub phone: String,
    /// Active in the catalog.
    pub active: bool,
    /// *User is locked*.
    pub locked: bool,
    /// Wrong answers since the last right ones.
    pub failed: i64,
    /// Name of the policy that holds.
    pub policy: Option<String>,
    /// Questions answered.
    pub answers_set: usize,
    /// Serials of the cards.
    pub cards: Vec<CardView>,
}

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

/// Users of the catalog, as operators handle them.
#[derive(Clone, Copy)]
pub struct Users<'s> {
    pub(super) server: &'s Server,
}

impl Users<'_> {
    async fn shown(&self, tx: &mut Tx, user: User) -> Result<UserView, Refusal> {
        let cards = records::cards_of(tx, &user.id).await?;
        let subject = Subject::of_user(tx, Some(user)).await?;
        let user = subject.user.ok_or_else(|| Refusal::not_found("user"))?;
        Ok(UserView {
            id: user.id,
            logon: user.logon,
            upn: user.upn,
            cn: user.cn,
            mail: user.mail,
            phone: user.phone,
            active: user.active,
            locked: user.lock != UserLock::Open,
            failed: user.failed,
            policy: subject.policy.map(|p| p.name),
            answers_set: subject.answered.len(),
            cards: cards.iter().map(CardView::of).collect(),
        })
    }

    /// Users whose name has `part` in it.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`].
    pub async fn find(&self, operator: &Operator, part: &str) -> Result<Vec<UserView>, Refusal> {
        operator.require(Privilege::ViewUser, None)?;
        let mut tx = self.server.store.begin().await?;
        let mut views = Vec::new();
        for user in records::users(&mut tx, part).await? {
            views.push(self.shown(&mut tx, user).await?);
        }
        Ok(views)
    }

    /// The id of the user with this logon name.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`], [`Code::NotFound`].
    pub async fn id_of(&self, operator: &Operator, name: &str) -> Result<String, Refusal> {
        operator.require(Privilege::ViewUser, None)?;
        let mut tx = self.server.store.begin().await?;
        let user = records::user_by_name(&mut tx, name).await?;
        user.map(|user| user.id).ok_or_else(|| Refusal::not_found("user"))
    }

    /// One user.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`], [`Code::NotFound`].
    pub async fn view(&self, operator: &Operator, id: &str) -> Result<UserView, Refusal> {
        operator.require(Privilege::ViewUser, None)?;
        let mut tx = self.server.store.begin().await?;
        let user = records::user(&mut tx, id).await?.ok_or_else(|| Refusal::not_found("user"))?;
        self.shown(&mut tx, user).await
    }

    /// The policy of a user, for the question whether a role covers it.
    async fn covered(&self, tx: &mut Tx, operator: &Operator, id: &str, privilege: Privilege) -> Result<User, Refusal> {
        let user = records::user(tx, id).await?;
        let subject = Subject::of_user(tx, user).await?;
        operator.require(privilege, subject.policy.as_ref().map(|p| p.id.as_str()))?;
        subject.user.ok_or_else(|| Refusal::not_found("user"))
    }

    /// *Unlock user*: answers are compared again. Touches neither cards nor answers.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`], [`Code::NotFound`].
    pub async fn unlock(&self, operator: &Operator, id: &str) -> Result<(), Refusal> {
        let mut tx = self.server.store.begin().await?;
        let done = async {
            let user = self.covered(&mut tx, operator, id, Privilege::UnlockUser).await?;
            self.server.flows().settle_last_try(&mut tx, &user).await?;
            sqlx::query("UPDATE users SET failed = 0, lock_state = 0 WHERE id = $1").bind(&user.id).execute(&mut *tx).await?;
            self.server
                .record(&mut tx, &Happening { user: &user.id, ..Happening::new(Kind::UserUnlocked, &operator.name) })
                .await?;
            Ok::<_, Refusal>(())
        }
        .await;
        self.server.concluded(tx, done, &Happening { user: id, ..Happening::new(Kind::UserNotUnlocked, &operator.name) }).await
    }

    /// *Reset answers to security questions*. A locked user stays locked.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`], [`Code::NotFound`].
    pub async fn reset_answers(&self, operator: &Operator, id: &str) -> Result<(), Refusal> {
        let mut tx = self.server.store.begin().await?;
        let done = async {
            let user = self.covered(&mut tx, operator, id, Privilege::ResetQuestions).await?;
            sqlx::query("DELETE FROM answers WHERE user_id = $1").bind(&user.id).execute(&mut *tx).await?;
            sqlx::query("UPDATE users SET failed = 0, draw = '[]' WHERE id = $1").bind(&user.id).execute(&mut *tx).await?;
            self.server
                .record(&mut tx, &Happening { user: &user.id, ..Happening::new(Kind::AnswersReset, &operator.name) })
                .await?;
            Ok::<_, Refusal>(())
        }
        .await;
        self.server.concluded(tx, done, &Happening { user: id, ..Happening::new(Kind::AnswersNotReset, &operator.name) }).await
    }

    /// Activates or deactivates a user in the catalog.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`], [`Code::NotFound`]; [`Code::Conflict`] for the last operator who changes roles.
    pub async fn set_active(&self, operator: &Operator, id: &str, active: bool) -> Result<(), Refusal> {
        let mut tx = self.server.store.begin().await?;
        let done = async {
            let user = self.covered(&mut tx, operator, id, Privilege::ChangePolicy).await?;
            let state = if active { "active" } else { "disabled" };
            if !active {
                // Who is no user any more is nowhere logged in, neither as the operator who the user is, and has no session.
                let logins = "DELETE FROM logins WHERE subject = $1 OR subject IN (SELECT id FROM operators WHERE user_id = $1)";
                sqlx::query(logins).bind(&user.id).execute(&mut *tx).await?;
                self.server.flows().end_sessions(&mut tx, &user.id).await?;
            }
            sqlx::query("UPDATE users SET catalog_state = $2 WHERE id = $1").bind(&user.id).bind(state).execute(&mut *tx).await?;
            if !active {
                self.server.staff().somebody_changes_roles(&mut tx).await?;
            }
            let detail = json!({"to": state});
            self.server
                .record(&mut tx, &Happening { user: &user.id, detail, ..Happening::new(Kind::UserStateChanged, &operator.name) })
                .await?;
            Ok::<_, Refusal>(())
        }
        .await;
        self.server
            .concluded(tx, done, &Happening { user: id, ..Happening::new(Kind::UserStateNotChanged, &operator.name) })
            .await
    }

    /// Adds a user to the catalog; gives the id.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`], [`Code::Conflict`], [`Code::Malformed`].
    pub async fn add(&self, operator: &Operator, new: &NewUser) -> Result<String, Refusal> {
        let allowed = operator.require(Privilege::ChangePolicy, None);
        let hash = match allowed {
            Ok(()) => self.server.workers.password(&new.password).await,
            Err(refusal) => Err(refusal),
        };
        let mut tx = self.server.store.begin().await?;
        let done = match hash {
            Ok(hash) => self.insert(&mut tx, &operator.name, new, &hash).await,
            Err(refusal) => Err(refusal),
        };
        self.server.concluded(tx, done, &Happening::new(Kind::UserNotAdded, &operator.name)).await
    }

    pub(crate) async fn insert(&self, tx: &mut Tx, initiator: &str, new: &NewUser, hash: &str) -> Result<String, Refusal> {
        let (logon, upn, cn) =
            (names::named("a logon name", &new.logon)?, names::named("a UPN", &new.upn)?, names::named("a name", &new.cn)?);
        let optional = |what: &str, text: &str| if text.trim().is_empty() { Ok(String::new()) } else { names::named(what, text) };
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
        self.server.record(tx, &Happening { user: &id, ..Happening::new(Kind::UserAdded, initiator) }).await?;
        Ok(id)
    }

    /// Names that more than one has: each of them logs in by it only as it is written in the catalog.
    ///
    /// # Errors
    /// [`crate::model::refusal::Code::NoPrivilege`].
    pub async fn clashes(&self, operator: &Operator) -> Result<Vec<Clash>, Refusal> {
        operator.require(Privilege::ViewUser, None)?;
        let mut tx = self.server.store.begin().await?;
        let users = "WITH names AS (SELECT logon_key AS name, id, logon AS shown FROM users UNION SELECT upn_key, id, logon FROM users) SELECT name, shown FROM names WHERE name IN (SELECT name FROM names GROUP BY name HAVING COUNT(*) > 1) ORDER BY name, shown";
        let operators = "SELECT name_key AS name, name AS shown FROM operators WHERE name_key IN (SELECT name_key FROM operators GROUP BY name_key HAVING COUNT(*) > 1) ORDER BY name_key, name";
        let mut clashes: Vec<Clash> = Vec::new();
        for (statement, operators) in [(users, false), (operators, true)] {
            for row in sqlx::query(statement).fetch_all(&mut *tx).await? {
                let (name, shown) = (text(&row, "name")?, text(&row, "shown")?);
                match clashes.last_mut().filter(|clash| clash.name == name && clash.operators == operators) {
                    Some(clash) => clash.of.push(shown),
                    None => clashes.push(Clash { name, of: vec![shown], operators }),
                }
            }
        }
        Ok(clashes)
    }
}
