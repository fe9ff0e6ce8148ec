//! The server: a database, a vault, a clock and a pool of hashers. It keeps nothing else in memory, so
//! any number of them work over one database.

use crate::answers::Hashing;
use crate::clock::{Clock, Millis};
use crate::event::{self, Happening};
use crate::limits::{self, Limit};
use crate::refusal::{Code, Refusal};
use crate::station::Station;
use crate::store::{Store, Tx, text};
use crate::vault::Vault;
use crate::workers::Workers;
use std::sync::Arc;
use std::time::Duration;

/// How long an online unlock may take.
pub const ONLINE: Duration = Duration::from_secs(5 * 60);
/// How long an operator's or a remote user's unlock may take, and a login without use.
pub const SESSION: Duration = Duration::from_secs(15 * 60);

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
        let nobody = hashing.hash(&crate::random::token()).map_err(Refusal::malformed)?;
        let master = crate::random::fingerprint(&hex::encode(vault.salt()));
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
                tx.commit().await?;
            }
        }
        Ok(Self {
            store,
            vault: Arc::new(vault),
            clock,
            workers: Workers::new(hashing),
            nobody: nobody.into(),
            limited: true,
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

    /// Counts one more in `bucket`, or refuses it.
    pub(crate) async fn limit(&self, tx: &mut Tx, limit: Limit, bucket: &str) -> Result<(), Refusal> {
        if self.limited { limits::count(tx, limit, bucket, self.now()).await } else { Ok(()) }
    }

    /// Makes the question for a name that nobody has the same on every server with this master key.
    pub(crate) fn salt(&self) -> [u8; 32] {
        self.vault.salt()
    }

    pub(crate) async fn record(&self, tx: &mut Tx, happening: &Happening<'_>) -> Result<(), Refusal> {
        event::record(tx, self.now(), happening).await
    }
}
