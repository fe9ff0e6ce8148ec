//! The server: a database, a vault, a clock, a pool of hashers, and a station where it has readers. Of people, cards and flows
//! it keeps nothing in memory, so any number of them work over one database.

pub mod admin_key;
pub mod captcha;
pub mod card_types;
pub mod cards;
pub mod flow;
pub mod issue;
pub mod log;
pub mod login;
pub mod meant;
mod order;
pub mod own_questions;
pub mod picture;
pub mod policies;
pub mod self_service;
pub mod setup;
pub mod staff;
pub mod task;
pub mod users;
pub mod workers;

use crate::model::answers::Hashing;
use crate::model::clock::{Clock, Millis};
use crate::model::event::{Happening, Kind, SERVER};
use crate::model::limit::Limit;
use crate::model::random;
use crate::model::refusal::{Code, Refusal};
use crate::model::station::Station;
use crate::model::vault::Vault;
use crate::service::login::Operator;
use crate::service::workers::Workers;
use crate::store::{self, Snapshot, Store, Tx, events, flows, hits, logins, meta, operators, refusals, reports};
use crate::words::sentence;
use serde_json::{Map, Value, json};
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

/// What a database calls the master key that it belongs to.
const MASTER: &str = "master";

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

fn fingerprint(vault: &Vault) -> String {
    random::fingerprint(&hex::encode(vault.salt()))
}

/// Whether the database belongs to this master key, and not to none.
async fn is_known(conn: &mut Snapshot, vault: &Vault) -> Result<bool, Refusal> {
    match meta::value(conn, MASTER).await? {
        Some(known) if known != fingerprint(vault) => Err(Refusal::new(Code::Conflict, sentence!("refused-master-key"))),
        known => Ok(known.is_some()),
    }
}

impl Server {
    /// Over an open database, which belongs to the master key that it was first opened with.
    ///
    /// # Errors
    /// [`Code::Conflict`] for another master key: its responses would cost tries of every card.
    pub async fn new(over: Store, vault: Vault, clock: Clock, hashing: Hashing) -> Result<Self, Refusal> {
        if let Some(now) = over.clock().await? {
            clock.set(now);
        }
        let nobody = hashing.hash(&random::token()).map_err(|why| Refusal::malformed(sentence!("refused-work", why = why)))?;
        let mut tx = over.begin().await?;
        if !is_known(&mut tx, &vault).await? {
            meta::insert(&mut tx, MASTER, &fingerprint(&vault)).await?;
        }
        store::fill::fill(&mut tx).await?;
        tx.commit().await?;
        Ok(Self {
            store: over,
            vault: Arc::new(vault),
            clock,
            workers: Workers::new(hashing),
            nobody: nobody.into(),
            limited: true,
            swept: Arc::default(),
            station: None,
        })
    }

    /// Whether an open database takes this master key: it is new, or belongs to it. Nothing is written.
    ///
    /// # Errors
    /// [`Code::Conflict`] for another, as [`Server::new`].
    pub async fn judge_master(over: &Store, vault: &Vault) -> Result<(), Refusal> {
        is_known(&mut over.read().await?, vault).await.map(drop)
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
        self.station.clone().ok_or_else(|| Refusal::new(Code::NoReaders, sentence!("refused-no-readers")))
    }

    /// Whether the database answers, and writes when it did not before.
    ///
    /// # Errors
    /// [`Code::StoreDown`].
    pub async fn look(&self) -> Result<(), Refusal> {
        self.store.look().await
    }

    /// The database's URL, without what may have a password.
    #[must_use]
    pub fn database(&self) -> &str {
        self.store.name()
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

    /// The database that it is over.
    #[must_use]
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// Begins a step that writes.
    pub(crate) async fn begin(&self) -> Result<Tx, Refusal> {
        self.sweep().await?;
        self.store.begin().await
    }

    /// Begins a step of an operator, as one is now: who has lost a role since the request came is judged without it.
    pub(crate) async fn begin_by(&self, operator: &Operator) -> Result<(Tx, Operator), Refusal> {
        let mut tx = self.begin().await?;
        match operators::by_id(&mut tx, &operator.id).await?.filter(|now| now.may_log_in) {
            Some(now) => Ok((tx, Operator::of(now, operator.csrf.clone()))),
            None => Err(login::not_logged_in()),
        }
    }

    /// Counts one more in `bucket`, or refuses it.
    pub(crate) async fn limit(&self, tx: &mut Tx, limit: Limit, bucket: &str) -> Result<(), Refusal> {
        if self.limited { hits::count(tx, limit, bucket, self.now()).await } else { Ok(()) }
    }

    /// Now and then deletes what is over, so that nothing grows for ever: in a transaction of its own, which stays when the step
    /// that comes after it is refused.
    async fn sweep(&self) -> Result<(), Refusal> {
        let (now, last) = (self.now(), self.swept.load(Ordering::Relaxed));
        let due = now.abs_diff(last) >= SWEEP_EVERY.as_millis() as u64;
        // One of those who come at once does it.
        if !due || self.swept.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed).is_err() {
            return Ok(());
        }
        let swept = async {
            let mut tx = self.store.begin().await?;
            let untold = now - KEPT.as_millis() as Millis;
            hits::sweep(&mut tx, now).await?;
            for (bucket, refused) in refusals::take(&mut tx, now).await? {
                let (kind, reason, by) = counted(&bucket);
                let detail = json!({"reason": reason.name(), "counted": bucket, "refused": refused});
                self.record(&mut tx, &Happening { detail, ..Happening::new(kind, by) }).await?;
            }
            flows::sweep(&mut tx, now, untold).await?;
            reports::sweep(&mut tx, untold).await?;
            logins::sweep(&mut tx, now).await?;
            tx.commit().await
        };
        let swept = swept.await;
        if swept.is_err() {
            self.swept.store(last, Ordering::Relaxed);
        }
        swept
    }

    /// Makes the question for a name that nobody has the same on every server with this master key.
    pub(crate) fn salt(&self) -> [u8; 32] {
        self.vault.salt()
    }

    /// A step of an operator that writes: reads, judges and writes in one transaction, as the operator is now. `refused` is what
    /// is written of a refusal.
    ///
    /// # Errors
    /// That of the step; [`Code::NotLoggedIn`], [`Code::StoreDown`].
    pub(crate) async fn attempt<T>(
        &self,
        operator: &Operator,
        refused: &Happening<'_>,
        step: impl AsyncFnOnce(&mut Tx, &Operator) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let (mut tx, operator) = self.begin_by(operator).await?;
        let done = step(&mut tx, &operator).await;
        self.concluded(tx, done, refused).await
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
        tx.rollback().await?;
        self.note_refusal(refused, &refusal).await?;
        Err(refusal)
    }

    /// Writes down that something was refused and why, as a code or in the words of the card; the transaction of the refusal is
    /// gone. What was too often is written down once a minute, with how often that was.
    pub(crate) async fn note_refusal(&self, refused: &Happening<'_>, refusal: &Refusal) -> Result<(), Refusal> {
        // What never came so far is no refusal.
        if matches!(refusal.code, Code::StoreDown | Code::Busy) {
            return Ok(());
        }
        let mut detail = match &refused.detail {
            Value::Object(fields) => fields.clone(),
            _ => Map::new(),
        };
        let reason = if refusal.code == Code::CardRefused { refusal.message() } else { refusal.code.name().to_owned() };
        detail.insert("reason".into(), reason.into());
        let mut kind = refused.kind;
        let mut tx = self.store.begin().await?;
        if let Some(bucket) = refusal.bucket() {
            let Some(times) = refusals::count(&mut tx, bucket, self.now()).await? else { return tx.commit().await };
            // What a clock that was wrong has counted ahead of now is put right at once.
            hits::sweep(&mut tx, self.now()).await?;
            kind = counted(bucket).0;
            detail.extend([("counted".into(), bucket.into()), ("refused".into(), times.into())]);
        }
        self.record(&mut tx, &Happening { kind, detail: detail.into(), ..refused.clone() }).await?;
        tx.commit().await
    }

    pub(crate) async fn record(&self, tx: &mut Tx, happening: &Happening<'_>) -> Result<(), Refusal> {
        events::record(tx, self.now(), happening).await
    }
}

/// What is written down of what was counted, once a minute: too much of something, or that somebody was not let in; and by whom.
fn counted(bucket: &str) -> (Kind, Code, &str) {
    match bucket.strip_prefix(log::NOT_LET_IN).and_then(|of| of.rsplit_once(" at ")) {
        Some((operator, _)) => (Kind::NotLetIn, Code::NoPrivilege, operator),
        None => (Kind::RateLimited, Code::RateLimited, SERVER),
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

    /// What people call users, cards and operators.
    #[must_use]
    pub const fn meanings(&self) -> meant::Meanings<'_> {
        meant::Meanings { server: self }
    }

    /// What pages show of a card, a user, an unlock.
    #[must_use]
    pub const fn pictures(&self) -> picture::Pictures<'_> {
        picture::Pictures { server: self }
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

    /// Letters that are typed before a name is taken.
    #[must_use]
    pub const fn captchas(&self) -> captcha::Captchas<'_> {
        captcha::Captchas { server: self }
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
