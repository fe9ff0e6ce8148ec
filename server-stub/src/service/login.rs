//! Logins of operators and of users in Self-Service.

use crate::model::event::{Happening, Kind};
use crate::model::names;
use crate::model::refusal::{Code, Refusal};
use crate::model::role::{Privilege, Role};
use crate::service::{SESSION, Server};
use crate::store::limits;
use crate::store::records;
use crate::store::{Conn, json, number, optional, text};
use serde_json::json;
use sqlx::any::AnyRow;
use zeroize::Zeroizing;

/// Characters of a name that are shown and compared: nobody has a longer one.
const LONGEST_NAME: usize = 200;

/// Who may log in where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// Operators at the Management Console.
    Console,
    /// Users at Self-Service.
    SelfService,
}

impl Door {
    const fn name(self) -> &'static str {
        match self {
            Self::Console => "console",
            Self::SelfService => "self-service",
        }
    }
}

/// A fresh login. `token` is shown once and stored as a fingerprint.
#[derive(Clone, Debug)]
pub struct Login {
    /// For the cookie or the `Authorization` header.
    pub token: String,
}

/// An operator who is logged in; role and privileges as they are now.
#[derive(Clone, Debug)]
pub struct Operator {
    /// Id.
    pub id: String,
    /// Login name.
    pub name: String,
    /// The catalog user who the operator is.
    pub user: Option<String>,
    /// The role; none yet means that everything is refused.
    pub role: Option<Role>,
    /// What a page must send back with a form.
    pub csrf: String,
}

/// A user who is logged in at Self-Service.
#[derive(Clone, Debug)]
pub struct Person {
    /// Id.
    pub user: String,
    /// What a page must send back with a form.
    pub csrf: String,
}

impl Operator {
    /// Refuses what the role does not allow for users under `policy`.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`].
    pub fn require(&self, privilege: Privilege, policy: Option<&str>) -> Result<(), Refusal> {
        if self.may(privilege, policy) {
            return Ok(());
        }
        let wanted = privilege.name();
        Err(Refusal::new(Code::NoPrivilege, format!("your role does not have the privilege {wanted} here")))
    }

    /// Whether the role allows it.
    #[must_use]
    pub fn may(&self, privilege: Privilege, policy: Option<&str>) -> bool {
        self.role.as_ref().is_some_and(|role| role.allows(privilege, policy))
    }
}

/// Logins of operators and of users in Self-Service.
#[derive(Clone, Copy)]
pub struct Logins<'s> {
    pub(super) server: &'s Server,
}

impl Logins<'_> {
    /// Name and password. An unknown name takes as long as a known one.
    ///
    /// # Errors
    /// [`Code::NotLoggedIn`] for a wrong name or password alike; [`Code::RateLimited`].
    pub async fn log_in(&self, door: Door, name: &str, password: &str) -> Result<Login, Refusal> {
        let place = self.server.workers.place()?;
        let name = shown_name(name);
        let mut tx = self.server.store.begin().await?;
        let mut found = match door {
            Door::Console => {
                let rows = sqlx::query("SELECT operators.id, operators.name, operators.password, operators.user_id, users.catalog_state FROM operators LEFT JOIN users ON users.id = operators.user_id WHERE operators.name_key = $1")
                    .bind(names::key(&name))
                    .fetch_all(&mut *tx)
                    .await?;
                match names::the_one(&rows, &name, &["name"])? {
                    Some(row) if may_log_in(row)? => Some((text(row, "id")?, text(row, "password")?)),
                    _ => None,
                }
            }
            Door::SelfService => records::user_by_name(&mut tx, &name).await?.filter(|u| u.active).map(|u| (u.id, u.password)),
        };
        // By person and by what both forms of a name have in common, so that no other spelling gives more tries. Counted before
        // it is compared; a right one takes it back. That the person's have run out nobody is told, who could see by it that two
        // names are one person's: from then on nothing is right.
        let bucket = |who: &str| format!("failed logins at {} of {who}", door.name());
        let mut buckets = vec![bucket(&own_part(&name))];
        buckets.extend(found.as_ref().map(|(id, _)| bucket(id)));
        let mut reason = None;
        let counted = async {
            self.server.sweep(&mut tx).await?;
            for (index, bucket) in buckets.iter().enumerate() {
                match limits::count(&mut tx, limits::FAILED_LOGINS, bucket, self.server.now()).await {
                    Err(refusal) if index > 0 && refusal.code == Code::RateLimited => {
                        reason = Some(refusal.code.name());
                        found = None;
                    }
                    counted => counted?,
                }
            }
            Ok(())
        }
        .await;
        self.server.concluded(tx, counted, &Happening::new(Kind::LoginFailed, &name)).await?;
        let hash = found.as_ref().map_or(&*self.server.nobody, |(_, hash)| hash).to_owned();
        let right = self.server.workers.verify(&place, vec![(Zeroizing::new(password.to_owned()), hash)]).await?;
        let mut tx = self.server.store.begin().await?;
        let login = match (found, right) {
            (Some((subject, _)), true) => {
                for bucket in &buckets {
                    limits::forget(&mut tx, bucket).await?;
                }
                let token = crate::model::random::token();
                sqlx::query("INSERT INTO logins (token, kind, subject, csrf, expires) VALUES ($1, $2, $3, $4, $5)")
                    .bind(crate::model::random::fingerprint(&token))
                    .bind(door.name())
                    .bind(&subject)
                    .bind(crate::model::random::token())
                    .bind(self.server.until(SESSION))
                    .execute(&mut *tx)
                    .await?;
                Some(Login { token })
            }
            _ => None,
        };
        let kind = if login.is_some() { Kind::LoggedIn } else { Kind::LoginFailed };
        let mut detail = json!({"at": door.name()});
        if let Some(reason) = reason {
            detail["reason"] = reason.into();
        }
        self.server.record(&mut tx, &Happening { detail, ..Happening::new(kind, &name) }).await?;
        tx.commit().await?;
        login.ok_or_else(|| Refusal::new(Code::NotLoggedIn, "wrong name or password"))
    }

    /// The operator whose token this is; the login lasts on.
    ///
    /// # Errors
    /// [`Code::NotLoggedIn`].
    pub async fn operator(&self, token: &str) -> Result<Operator, Refusal> {
        let (id, csrf) = self.subject_of(Door::Console, token).await?;
        let mut tx = self.server.store.begin().await?;
        let row = sqlx::query("SELECT operators.*, roles.body AS role, users.catalog_state FROM operators LEFT JOIN roles ON roles.id = operators.role_id LEFT JOIN users ON users.id = operators.user_id WHERE operators.id = $1")
            .bind(&id).fetch_optional(&mut *tx).await?;
        let row = row.ok_or_else(not_logged_in)?;
        if !may_log_in(&row)? {
            return Err(not_logged_in());
        }
        let role = optional(&row, "role")?.map(|_| json(&row, "role")).transpose()?;
        Ok(Operator { id, name: text(&row, "name")?, user: optional(&row, "user_id")?, role, csrf })
    }

    /// The user whose token this is; the login lasts on.
    ///
    /// # Errors
    /// [`Code::NotLoggedIn`].
    pub async fn person(&self, token: &str) -> Result<Person, Refusal> {
        let (user, csrf) = self.subject_of(Door::SelfService, token).await?;
        let mut tx = self.server.store.begin().await?;
        let active = records::user(&mut tx, &user).await?.is_some_and(|user| user.active);
        if active { Ok(Person { user, csrf }) } else { Err(not_logged_in()) }
    }

    /// Ends a login.
    ///
    /// # Errors
    /// [`Code::StoreDown`].
    pub async fn log_out(&self, token: &str) -> Result<(), Refusal> {
        let mut tx = self.server.store.begin().await?;
        sqlx::query("DELETE FROM logins WHERE token = $1")
            .bind(crate::model::random::fingerprint(token))
            .execute(&mut *tx)
            .await?;
        Ok(tx.commit().await?)
    }

    async fn subject_of(&self, door: Door, token: &str) -> Result<(String, String), Refusal> {
        let mut tx = self.server.store.begin().await?;
        let found = Self::login_row(&mut tx, door, token, self.server.now()).await?;
        sqlx::query("UPDATE logins SET expires = $2 WHERE token = $1")
            .bind(crate::model::random::fingerprint(token))
            .bind(self.server.until(SESSION))
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(found)
    }

    async fn login_row(conn: &mut Conn, door: Door, token: &str, now: i64) -> Result<(String, String), Refusal> {
        let row = sqlx::query("SELECT subject, csrf, expires FROM logins WHERE token = $1 AND kind = $2")
            .bind(crate::model::random::fingerprint(token))
            .bind(door.name())
            .fetch_optional(&mut *conn)
            .await?;
        match row {
            // No further ahead than a login lasts: a clock was wrong.
            Some(row) if (now..=now + SESSION.as_millis() as i64).contains(&(number(&row, "expires")? - 1)) => {
                Ok((text(&row, "subject")?, text(&row, "csrf")?))
            }
            _ => Err(not_logged_in()),
        }
    }
}

/// A name without its domain, in whichever form, as it is compared.
pub(crate) fn own_part(name: &str) -> Zeroizing<String> {
    let name = crate::model::answers::normalised(name);
    let name = name.rsplit_once('\\').map_or(name.as_str(), |(_, name)| name);
    Zeroizing::new(name.split_once('@').map_or(name, |(name, _)| name).to_owned())
}

/// A name that somebody has typed, as the log shows it.
pub(crate) fn shown_name(name: &str) -> String {
    name.trim().chars().filter(|c| !c.is_control()).take(LONGEST_NAME).collect()
}

/// Whether the operator of this row is no user of the catalog, or an active one.
fn may_log_in(row: &AnyRow) -> Result<bool, Refusal> {
    Ok(optional(row, "user_id")?.is_none() || optional(row, "catalog_state")?.as_deref() == Some("active"))
}

fn not_logged_in() -> Refusal {
    Refusal::new(Code::NotLoggedIn, "log in first")
}
