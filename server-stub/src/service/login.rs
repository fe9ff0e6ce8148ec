//! Logins of operators and of users in Self-Service.

use crate::model::event::{Happening, Kind};
use crate::model::refusal::{Code, Refusal};
use crate::model::role::{Privilege, Role, Scope};
use crate::model::{limit, names, random};
use crate::service::{SESSION, Server};
use crate::store::logins::{self, LoginRow};
use crate::store::operators::{self, OperatorRow};
use crate::store::{Snapshot, hits, users};
use crate::words::{Sentence, sentence};
use serde_json::json;
use std::time::Duration;
use zeroize::Zeroizing;

/// A login that is used is prolonged when this much of its time is gone: most requests of a busy operator only read.
const PROLONGED_AFTER: Duration = Duration::from_secs(60);
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
    /// What the role is called.
    pub role_name: Option<String>,
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
    pub(crate) fn of(row: OperatorRow, csrf: String) -> Self {
        Self { id: row.id, name: row.name, user: row.user, role: row.role, role_name: row.role_name, csrf }
    }

    /// Refuses what the role does not allow for users under `policy`.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`].
    pub fn require(&self, privilege: Privilege, policy: Option<&str>) -> Result<(), Refusal> {
        if self.may(privilege, policy) { Ok(()) } else { Err(lacks(privilege)) }
    }

    /// Whom and what the role allows it for.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`] where that is nobody and nothing.
    pub fn scope(&self, privilege: Privilege) -> Result<Scope, Refusal> {
        self.role.as_ref().and_then(|role| role.scope(privilege)).ok_or_else(|| lacks(privilege))
    }

    /// Whether the role allows it for some policy at least.
    #[must_use]
    pub fn may_somewhere(&self, privilege: Privilege) -> bool {
        self.role.as_ref().is_some_and(|role| role.privileges.contains(&privilege))
    }

    /// Whether the role allows it.
    #[must_use]
    pub fn may(&self, privilege: Privilege, policy: Option<&str>) -> bool {
        self.role.as_ref().is_some_and(|role| role.allows(privilege, policy))
    }
}

fn lacks(privilege: Privilege) -> Refusal {
    let wanted = Sentence::named(privilege.word());
    Refusal::new(Code::NoPrivilege, sentence!("refused-privilege", privilege = wanted))
}

/// Logins of operators and of users in Self-Service.
#[derive(Clone, Copy)]
pub struct Logins<'s> {
    pub(super) server: &'s Server,
}

impl Logins<'_> {
    /// Name and password. An unknown name takes as long as a known one. `address` is where the request came from.
    ///
    /// # Errors
    /// [`Code::NotLoggedIn`] for a wrong name or password alike; [`Code::RateLimited`].
    pub async fn log_in(&self, door: Door, name: &str, password: &str, address: &str) -> Result<Login, Refusal> {
        let place = self.server.workers.place()?;
        let name = shown_name(name);
        let mut tx = self.server.begin().await?;
        let mut found = secret(&mut tx, door, &name).await?;
        // By person and by what both forms of a name have in common, so that no other spelling gives more tries. Counted before
        // it is compared; a right one takes it back. That the person's have run out nobody is told, who could see by it that two
        // names are one person's: from then on nothing is right.
        let bucket = |who: &str| format!("failed logins at {} of {who}", door.name());
        let from = format!("failed logins from {}", limit::network(address));
        let mut buckets = vec![bucket(&names::own_part(&name))];
        buckets.extend(found.as_ref().map(|(id, _)| bucket(id)));
        let mut reason = None;
        let counted = async {
            self.server.limit(&mut tx, limit::FAILED_LOGINS_OF_ADDRESS, &from).await?;
            for (index, bucket) in buckets.iter().enumerate() {
                match self.server.limit(&mut tx, limit::FAILED_LOGINS, bucket).await {
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
        let detail = json!({"at": door.name(), "from": address});
        let failed = Happening { detail: detail.clone(), ..Happening::new(Kind::LoginFailed, &name) };
        self.server.concluded(tx, counted, &failed).await?;
        let hash = found.as_ref().map_or(&*self.server.nobody, |(_, hash)| hash).to_owned();
        let right = self.server.workers.verify(&place, vec![(Zeroizing::new(password.to_owned()), hash)]).await?;
        let mut tx = self.server.begin().await?;
        // As it is now: who was disabled while it was compared does not come in.
        let now = secret(&mut tx, door, &name).await?;
        let mut user = String::new();
        let login = match found.filter(|found| right && now.as_ref() == Some(found)) {
            Some((subject, _)) => {
                for bucket in &buckets {
                    hits::forget(&mut tx, bucket).await?;
                }
                // Those of others from there stay: who has a login is not free to guess at theirs.
                hits::take_back(&mut tx, &from).await?;
                let (token, until) = (random::token(), self.server.until(SESSION));
                let kept = (random::fingerprint(&token), random::token());
                logins::insert(&mut tx, (&kept.0, &kept.1), door.name(), &subject, until).await?;
                if door == Door::SelfService {
                    user = subject;
                }
                Some(Login { token })
            }
            None => None,
        };
        let kind = if login.is_some() { Kind::LoggedIn } else { Kind::LoginFailed };
        let mut detail = detail;
        if let Some(reason) = reason {
            detail["reason"] = reason.into();
        }
        // Of a failed one the user is nobody's to say: whoever knows a name could fill the story of the user.
        self.server.record(&mut tx, &Happening { user: &user, detail, ..Happening::new(kind, &name) }).await?;
        tx.commit().await?;
        login.ok_or_else(|| Refusal::new(Code::NotLoggedIn, sentence!("refused-login")))
    }

    /// The operator whose token this is; the login lasts on.
    ///
    /// # Errors
    /// [`Code::NotLoggedIn`].
    pub async fn operator(&self, token: &str) -> Result<Operator, Refusal> {
        let fingerprint = random::fingerprint(token);
        let found = logins::of_operator(&mut self.server.store.read().await?, &fingerprint).await?;
        let (login, operator) = found.filter(|(_, operator)| operator.may_log_in).ok_or_else(not_logged_in)?;
        self.go_on(&fingerprint, &login).await?;
        Ok(Operator::of(operator, login.csrf))
    }

    /// The user whose token this is; the login lasts on.
    ///
    /// # Errors
    /// [`Code::NotLoggedIn`].
    pub async fn person(&self, token: &str) -> Result<Person, Refusal> {
        let fingerprint = random::fingerprint(token);
        let found = logins::of_user(&mut self.server.store.read().await?, &fingerprint).await?;
        let (login, user) = found.ok_or_else(not_logged_in)?;
        self.go_on(&fingerprint, &login).await?;
        Ok(Person { user, csrf: login.csrf })
    }

    /// A login that is used lasts on, if it has not ended.
    async fn go_on(&self, fingerprint: &str, login: &LoginRow) -> Result<(), Refusal> {
        let (now, longest) = (self.server.now(), self.server.until(SESSION));
        // No further ahead than a login lasts: a clock was wrong.
        if login.expires <= now || login.expires > longest {
            return Err(not_logged_in());
        }
        if login.expires <= longest - PROLONGED_AFTER.as_millis() as i64 {
            let mut tx = self.server.begin().await?;
            logins::prolong(&mut tx, fingerprint, longest).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// Ends a login. One that has ended already leaves no event.
    ///
    /// # Errors
    /// [`Code::StoreDown`].
    pub async fn log_out(&self, door: Door, token: &str) -> Result<(), Refusal> {
        let fingerprint = random::fingerprint(token);
        let mut tx = self.server.begin().await?;
        let who = match door {
            Door::Console => {
                let operator = logins::of_operator(&mut tx, &fingerprint).await?;
                operator.map(|(_, operator)| (operator.name, String::new()))
            }
            Door::SelfService => match logins::of_user(&mut tx, &fingerprint).await? {
                Some((_, user)) => users::by_id(&mut tx, &user).await?.map(|user| (user.logon, user.id)),
                None => None,
            },
        };
        if let Some((name, user)) = who {
            logins::delete(&mut tx, &fingerprint).await?;
            let detail = json!({"at": door.name()});
            self.server.record(&mut tx, &Happening { user: &user, detail, ..Happening::new(Kind::LoggedOut, &name) }).await?;
        }
        tx.commit().await
    }
}

/// Whose name this is at a door, and the hash of the password: of those who may log in there.
async fn secret(conn: &mut Snapshot, door: Door, name: &str) -> Result<Option<(String, String)>, Refusal> {
    Ok(match door {
        Door::Console => operators::by_name(conn, name).await?.filter(|o| o.may_log_in).map(|o| (o.id, o.password)),
        Door::SelfService => users::by_name(conn, name).await?.filter(|user| user.active).map(|user| (user.id, user.password)),
    })
}

/// A name that somebody has typed, as the log shows it.
pub(crate) fn shown_name(name: &str) -> String {
    name.trim().chars().filter(|c| !c.is_control()).take(LONGEST_NAME).collect()
}

pub(super) fn not_logged_in() -> Refusal {
    Refusal::new(Code::NotLoggedIn, sentence!("refused-log-in-first"))
}
