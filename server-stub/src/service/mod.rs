//! The server: a database, a vault, a clock, a pool of hashers, and a station where it has readers. Of people, cards and flows
//! it keeps nothing in memory, so any number of them work over one database.

pub mod card_types;
pub mod cards;
pub mod flow;
pub mod issue;
pub mod log;
pub mod login;
pub mod policies;
pub mod self_service;
pub mod setup;
pub mod staff;
pub(crate) mod subject;
pub mod task;
pub mod users;
pub mod workers;

use crate::model::answers::Hashing;
use crate::model::clock::{Clock, Millis};
use crate::model::event::{self, Happening, Kind};
use crate::model::names;
use crate::model::refusal::{Code, Refusal};
use crate::model::station::Station;
use crate::model::vault::Vault;
use crate::service::workers::Workers;
use crate::store::limits::{self, Limit};
use crate::store::records;
use crate::store::{Store, Tx, text};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// How long an online unlock may take.
pub const ONLINE: Duration = Duration::from_secs(5 * 60);
/// How long an operator's or a remote user's unlock may take, and a login without use.
pub const SESSION: Duration = Duration::from_secs(15 * 60);

/// How often what is over is deleted.
const SWEEP_EVERY: Duration = Duration::from_secs(60);
/// How long a session that has given its response still takes the report of how it ended, and how long a report is known again.
const KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// One server process. Cheap to clone.
#[derive(Clone)]
pub struct Server {
    pub(crate) store: Store,
    pub(crate) vault: Arc<Vault>,
    pub(crate) clock: Clock,
    pub(crate) workers: Workers,
    /// A hash of nobody's secret: comparing with it takes as long as with a real one.
    pub(crate) nobody: Arc<str>,
    limited: bool,
    /// When what is over was last deleted.
    swept: Arc<AtomicI64>,
    station: Option<Arc<dyn Station>>,
}

impl Server {
    /// Over an open database, which belongs to the master key that it was first opened with.
    ///
    /// # Errors
    /// [`Code::Conflict`] for another master key: its responses would cost tries of every card.
    pub async fn new(store: Store, vault: Vault, clock: Clock, hashing: Hashing) -> Result<Self, Refusal> {
        if let Some(now) = store.clock().await? {
            clock.set(now);
        }
        let nobody = hashing.hash(&crate::model::random::token()).map_err(Refusal::malformed)?;
        let master = crate::model::random::fingerprint(&hex::encode(vault.salt()));
        let mut tx = store.begin().await?;
        let row = sqlx::query("SELECT value FROM meta WHERE name = 'master'").fetch_optional(&mut *tx).await?;
        match row {
            Some(row) if text(&row, "value")? == master => {}
            Some(_) => {
                return Err(Refusal::new(
                    Code::Conflict,
                    "this database belongs to another master key: give the one that it was made with",
                ));
            }
            None => {
                sqlx::query("INSERT INTO meta (name, value) VALUES ('master', $1)").bind(&master).execute(&mut *tx).await?;
            }
        }
        names::fill(&mut tx).await?;
        tx.commit().await?;
        Ok(Self {
            store,
            vault: Arc::new(vault),
            clock,
            workers: Workers::new(hashing),
            nobody: nobody.into(),
            limited: true,
            swept: Arc::default(),
            station: None,
        })
    }

    /// Without limits on how often, for benches and tests of something else.
    #[must_use]
    pub fn without_limits(mut self) -> Self {
        self.limited = false;
        self
    }

    /// With readers, where cards are issued.
    #[must_use]
    pub fn with_station(mut self, station: Arc<dyn Station>) -> Self {
        self.station = Some(station);
        self
    }

    pub(crate) fn station(&self) -> Result<Arc<dyn Station>, Refusal> {
        self.station.clone().ok_or_else(|| {
            Refusal::new(
                Code::NoReaders,
                "this server has no readers: start `cardlab serve --readers` on the machine that has them",
            )
        })
    }

    /// The vault, for giving new cards their keys.
    #[must_use]
    pub fn vault(&self) -> &Vault {
        &self.vault
    }

    pub(crate) fn now(&self) -> Millis {
        self.clock.now()
    }

    pub(crate) fn until(&self, lifetime: Duration) -> Millis {
        self.now() + lifetime.as_millis() as Millis
    }

    /// Counts one more in `bucket`, or refuses it. Now and then it deletes what is over, so that nothing grows for ever.
    pub(crate) async fn limit(&self, tx: &mut Tx, limit: Limit, bucket: &str) -> Result<(), Refusal> {
        self.sweep(tx).await?;
        if self.limited { limits::count(tx, limit, bucket, self.now()).await } else { Ok(()) }
    }

    pub(crate) async fn sweep(&self, tx: &mut Tx) -> Result<(), Refusal> {
        let now = self.now();
        let last = self.swept.load(Ordering::Relaxed);
        if now.abs_diff(last) < SWEEP_EVERY.as_millis() as u64 {
            return Ok(());
        }
        self.swept.store(now, Ordering::Relaxed);
        limits::sweep(tx, now).await?;
        let untold = now - KEPT.as_millis() as Millis;
        records::sweep_flows(tx, now, untold).await?;
        sqlx::query("DELETE FROM reports WHERE at <= $1").bind(untold).execute(&mut **tx).await?;
        sqlx::query("DELETE FROM logins WHERE expires <= $1").bind(now).execute(&mut **tx).await?;
        Ok(())
    }

    /// Makes the question for a name that nobody has the same on every server with this master key.
    pub(crate) fn salt(&self) -> [u8; 32] {
        self.vault.salt()
    }

    /// The end of a step: what it has written is there with its events, or nothing is and the log says why. `refused` is what
    /// is written of a refusal; one too many in too short a time is written as such.
    ///
    /// # Errors
    /// That of the step; [`Code::StoreDown`].
    pub(crate) async fn concluded<T>(&self, tx: Tx, step: Result<T, Refusal>, refused: &Happening<'_>) -> Result<T, Refusal> {
        let refusal = match step {
            Ok(value) => {
                tx.commit().await?;
                return Ok(value);
            }
            Err(refusal) => refusal,
        };
        drop(tx);
        self.note_refusal(refused, &refusal).await?;
        Err(refusal)
    }

    /// Writes down that something was refused and why; the transaction of the refusal is gone.
    pub(crate) async fn note_refusal(&self, refused: &Happening<'_>, refusal: &Refusal) -> Result<(), Refusal> {
        // What never came so far is no refusal.
        if matches!(refusal.code, Code::StoreDown | Code::Busy) {
            return Ok(());
        }
        let kind = if refusal.code == Code::RateLimited { Kind::RateLimited } else { refused.kind };
        let mut detail = refused.detail.clone();
        match &mut detail {
            Value::Object(fields) => drop(fields.insert("reason".into(), refusal.code.name().into())),
            _ => detail = json!({"reason": refusal.code.name()}),
        }
        let mut tx = self.store.begin().await?;
        if refusal.code == Code::RateLimited {
            // What the refused step has swept is gone with it.
            limits::sweep(&mut tx, self.now()).await?;
        }
        self.record(&mut tx, &Happening { kind, detail, ..refused.clone() }).await?;
        Ok(tx.commit().await?)
    }

    pub(crate) async fn record(&self, tx: &mut Tx, happening: &Happening<'_>) -> Result<(), Refusal> {
        event::record(tx, self.now(), happening).await
    }
}

/// The services: a use case each.
impl Server {
    /// Logins of operators and of users in Self-Service.
    #[must_use]
    pub const fn logins(&self) -> login::Logins<'_> {
        login::Logins { server: self }
    }

    /// Users of the catalog, as operators handle them.
    #[must_use]
    pub const fn users(&self) -> users::Users<'_> {
        users::Users { server: self }
    }

    /// Cards of the repository, as operators handle them.
    #[must_use]
    pub const fn cards(&self) -> cards::Cards<'_> {
        cards::Cards { server: self }
    }

    /// The log, as operators read it.
    #[must_use]
    pub const fn log(&self) -> log::Log<'_> {
        log::Log { server: self }
    }

    /// Policies and their security questions.
    #[must_use]
    pub const fn policies(&self) -> policies::Policies<'_> {
        policies::Policies { server: self }
    }

    /// Card types.
    #[must_use]
    pub const fn card_types(&self) -> card_types::CardTypes<'_> {
        card_types::CardTypes { server: self }
    }

    /// Operators and their roles.
    #[must_use]
    pub const fn staff(&self) -> staff::Staffing<'_> {
        staff::Staffing { server: self }
    }

    /// Writing to cards that are connected to the server's machine.
    #[must_use]
    pub const fn issuing(&self) -> issue::Issuing<'_> {
        issue::Issuing { server: self }
    }

    /// Self-Service: users see their own, and set their answers.
    #[must_use]
    pub const fn self_service(&self) -> self_service::SelfService<'_> {
        self_service::SelfService { server: self }
    }

    /// The first rows.
    #[must_use]
    pub const fn setup(&self) -> setup::Setup<'_> {
        setup::Setup { server: self }
    }

    /// Tasks for agents: operators order them, agents take them.
    #[must_use]
    pub const fn tasks(&self) -> task::Tasks<'_> {
        task::Tasks { server: self }
    }

    /// What all ways to a response have in common.
    #[must_use]
    pub(crate) const fn flows(&self) -> flow::Flows<'_> {
        flow::Flows { server: self }
    }

    /// Online unlock, for workstations.
    #[must_use]
    pub const fn online(&self) -> flow::online::Online<'_> {
        flow::online::Online { server: self }
    }

    /// Offline unlock, for operators.
    #[must_use]
    pub const fn wizards(&self) -> flow::wizard::Wizards<'_> {
        flow::wizard::Wizards { server: self }
    }

    /// Remote Self-Service, for users who have no card to log in with.
    #[must_use]
    pub const fn remote(&self) -> flow::remote::RemoteSelfService<'_> {
        flow::remote::RemoteSelfService { server: self }
    }

    /// What workstations ask and tell without a session.
    #[must_use]
    pub const fn workstations(&self) -> flow::told::Workstations<'_> {
        flow::told::Workstations { server: self }
    }
}
