//! pcsc-lite's socket, served by ourselves.
//!
//! [`Server`] holds the readers; [`Server::serve`] accepts clients, one task each (`connection`).
//! All of it is made for a runtime of one thread: a round trip then never changes threads. Commands
//! that take longer than that run on the runtime's blocking threads instead ([`crate::placement`]), so that
//! others are served.
//!
//! Locks: a reader's card is behind an async mutex, held for one command; the state machine is
//! behind a plain one, never held while waiting. Where both are taken, the card comes first.

mod connection;
mod guest;
mod holder;

pub use holder::Holder;

use crate::icc::{Icc, Loss};
use crate::pin_pad::PinPad;
use crate::resource::{ConnectionId, ProtocolVersion, ReaderId, Resource, Signals, SlotCard};
use cardlab_sim::random::Random;
use std::collections::{HashMap, HashSet};
use std::convert::Infallible;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use thiserror::Error;
use tokio::net::UnixListener;
use tokio::sync::Notify;

/// How long an unused card stays powered, as with event-driven drivers under pcscd.
pub const POWER_OFF_GRACE: Duration = Duration::from_secs(5);
/// How long changes of sharing are gathered before waiting clients are told.
const SHARING_DELAY: Duration = Duration::from_millis(200);
/// More clients at once are turned away; pcscd takes 200.
const MAX_CLIENTS: usize = 4096;
const BACKLOG: i32 = 1024;

/// Why a socket cannot be served.
#[derive(Debug, Error)]
pub enum ListenError {
    /// Longer than a Unix socket's address can be.
    #[error("socket path {} has {length} bytes; at most {} are possible", path.display(), crate::private::MAX_SOCKET_PATH)]
    TooLong {
        /// The path.
        path: PathBuf,
        /// Its length in bytes.
        length: usize,
    },
    /// Somebody listens there.
    #[error("socket {}: another server listens there; end it, or name another path", .0.display())]
    InUse(PathBuf),
    /// Something else stands there.
    #[error("socket {}: there is a file that is not a socket; it was left alone", .0.display())]
    NotASocket(PathBuf),
    /// A socket that answers in no way that one of ours does.
    #[error("socket {}: there is a socket of another program ({reason}); it was left alone, name another path", path.display())]
    NotOurs {
        /// The path.
        path: PathBuf,
        /// What the system says of it.
        reason: io::Error,
    },
    /// The system's error.
    #[error("socket {}: {reason}", path.display())]
    System {
        /// The path.
        path: PathBuf,
        /// Why.
        reason: io::Error,
    },
}

/// Versions of clients that are remembered; who invents more is served, and not told of.
const STRANGE: usize = 16;

/// Readers and their clients.
#[derive(Clone)]
pub struct Server {
    shared: Arc<Shared>,
}

struct Shared {
    resource: Mutex<Resource>,
    slots: Mutex<HashMap<ReaderId, Arc<Slot>>>,
    /// Rings when a connection has an event to send.
    bells: Mutex<HashMap<ConnectionId, Arc<Notify>>>,
    /// Whom each connection is of.
    clients: Mutex<HashMap<ConnectionId, holder::Client>>,
    /// Readers whose sharing will be published.
    gathering: Mutex<HashSet<ReaderId>>,
    grace: Duration,
    /// Counts what happens to readers and cards, for those who wait for it.
    changes: tokio::sync::watch::Sender<u64>,
    /// Versions that clients asked for and did not get, each once.
    strange: tokio::sync::watch::Sender<Vec<ProtocolVersion>>,
}

/// A reader's card, and who waits for its lock.
struct Slot {
    card: Arc<tokio::sync::Mutex<SlotCard>>,
    freed: Notify,
    /// Its keypad.
    pin_pad: std::sync::OnceLock<PinPad>,
}

/// What is left of a reader that was unplugged: a command may still be at work with its card.
#[must_use]
pub struct Leftover(Option<Arc<tokio::sync::Mutex<SlotCard>>>);

impl Leftover {
    /// Waits until no command is at work with the card any more.
    pub async fn ended(self) {
        if let Some(card) = self.0 {
            drop(card.lock().await);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Server {
    /// No readers yet. `numbers` gives context and handle numbers; an unused card is powered off
    /// after `grace`, never when that is zero.
    #[must_use]
    pub fn new(numbers: Random, grace: Duration) -> Self {
        Self {
            shared: Arc::new(Shared {
                resource: Mutex::new(Resource::new(numbers)),
                slots: Mutex::default(),
                bells: Mutex::default(),
                clients: Mutex::default(),
                gathering: Mutex::default(),
                grace,
                changes: tokio::sync::watch::Sender::new(0),
                strange: tokio::sync::watch::Sender::default(),
            }),
        }
    }

    /// Adds a reader; its name is `name` and ` RR 00`.
    pub fn add_reader(&self, name: &str) -> ReaderId {
        let id = self.shared.resource().add_reader(name);
        self.shared.plugged(id);
        id
    }

    /// Plugs a reader in again, without a card and without a keypad. `None` when it is plugged in.
    #[must_use = "the reader has another identity from now on"]
    pub fn plug(&self, id: ReaderId) -> Option<ReaderId> {
        let id = self.shared.resource().plug(id)?;
        self.shared.plugged(id);
        Some(id)
    }

    /// Gives a reader a keypad for PINs; the first that it is given stays.
    pub fn set_pin_pad(&self, id: ReaderId, pad: PinPad) {
        if let Some(slot) = self.shared.slot(id) {
            let _ = slot.pin_pad.set(pad);
            self.shared.resource().set_pin_pad(id);
        }
    }

    /// Unplugs a reader, with its card. A command under way goes on until [`Leftover::ended`].
    pub fn unplug(&self, id: ReaderId) -> Leftover {
        self.shared.resource().unplug(id);
        self.shared.wake();
        let slot = lock(&self.shared.slots).remove(&id);
        self.shared.changed();
        Leftover(slot.map(|slot| Arc::clone(&slot.card)))
    }

    /// Puts a card into a reader, and gives back the one that was there.
    pub async fn insert(&self, id: ReaderId, icc: Box<dyn Icc>) -> SlotCard {
        let Some(slot) = self.shared.slot(id) else { return Some(icc) };
        let mut card = slot.card.lock().await;
        self.shared.resource().remove_card(id);
        let old = card.replace(icc);
        self.shared.resource().insert_card(id, &mut card);
        drop(card);
        self.shared.wake();
        self.shared.changed();
        old
    }

    /// Pulls the card out, also in the middle of a command.
    pub async fn remove(&self, id: ReaderId) -> SlotCard {
        self.shared.resource().remove_card(id);
        self.shared.wake();
        let mut card = self.shared.slot(id)?.card.clone().lock_owned().await.take();
        if let Some(icc) = card.as_mut() {
            icc.power_off();
        }
        self.shared.changed();
        card
    }

    /// Resets the card, as another program does; `cold` takes its power away for a moment. A command under
    /// way ends before.
    pub async fn reset(&self, id: ReaderId, cold: bool) {
        let Some(slot) = self.shared.slot(id) else { return };
        let mut card = slot.card.lock().await;
        self.shared.resource().reset_card(id, cold, &mut card);
        drop(card);
        self.shared.wake();
        self.shared.changed();
    }

    /// Tells of each change of a reader or its card: added, inserted, removed, reset, unplugged.
    #[must_use]
    pub fn changes(&self) -> tokio::sync::watch::Receiver<u64> {
        self.shared.changes.subscribe()
    }

    /// Versions of the protocol that clients asked for and that are not served, in the order that they came.
    #[must_use]
    pub fn strange_versions(&self) -> tokio::sync::watch::Receiver<Vec<ProtocolVersion>> {
        self.shared.strange.subscribe()
    }

    /// Whether there is a card in the reader; `None` when there is no such reader any more.
    #[must_use]
    pub fn has_card(&self, id: ReaderId) -> Option<bool> {
        self.shared.resource().has_card(id)
    }

    /// Makes a reader fail, or work again.
    pub fn set_failing(&self, id: ReaderId, failing: bool) {
        self.shared.resource().set_failing(id, failing);
        self.shared.wake();
    }

    /// The full name of a reader, plugged in or not.
    #[must_use]
    pub fn reader_name(&self, id: ReaderId) -> Option<String> {
        self.shared.resource().reader_name(id).map(str::to_owned)
    }

    /// Serves clients of `listener` for ever. A client's fault ends its own connection only.
    pub async fn serve(self, listener: UnixListener) -> Infallible {
        loop {
            match listener.accept().await {
                Ok((stream, _)) if lock(&self.shared.bells).len() < MAX_CLIENTS => {
                    tokio::spawn(connection::run(Arc::clone(&self.shared), stream));
                }
                Ok(_) => {}
                // Out of descriptors, most likely: let some connections end first.
                Err(_) => tokio::time::sleep(SHARING_DELAY).await,
            }
        }
    }
}

/// Who may connect to a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// The user who runs the server: mode 0600.
    Owner,
    /// Every user, as pcscd's own socket: mode 0666.
    Everyone,
    /// Whom somebody chose.
    Chosen {
        /// Permission bits of the socket file: to write is to connect.
        mode: u32,
        /// The group that the file belongs to, by its number; that of the process where nothing is said.
        group: Option<u32>,
    },
}

/// Listens at `path` for the owner. A stale socket of a dead server is replaced.
///
/// # Errors
/// [`ListenError`], saying what is in the way.
pub fn listen(path: &Path) -> Result<UnixListener, ListenError> {
    listen_for(path, Access::Owner)
}

/// As [`listen`], for those whom `access` names.
///
/// # Errors
/// [`ListenError`], saying what is in the way.
pub fn listen_for(path: &Path, access: Access) -> Result<UnixListener, ListenError> {
    use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
    use std::os::unix::fs::{FileTypeExt, PermissionsExt};
    let (mode, group) = match access {
        Access::Owner => (0o600, None),
        Access::Everyone => (0o666, None),
        Access::Chosen { mode, group } => (mode, group),
    };
    let length = path.as_os_str().len();
    if length > crate::private::MAX_SOCKET_PATH {
        return Err(ListenError::TooLong { path: path.into(), length });
    }
    let failed = |error: io::Error| {
        let why = match error.kind() {
            io::ErrorKind::NotFound => "there is no such directory; make it first".into(),
            _ => cardlab_whole::why(&error),
        };
        ListenError::System { path: path.into(), reason: io::Error::new(error.kind(), why) }
    };
    match std::fs::symlink_metadata(path) {
        Ok(m) if !m.file_type().is_socket() => return Err(ListenError::NotASocket(path.into())),
        Ok(_) => match std::os::unix::net::UnixStream::connect(path) {
            Ok(_) => return Err(ListenError::InUse(path.into())),
            // Only then nobody has it any more. What refuses otherwise, another kind of socket or another user's, is somebody's.
            Err(e) if e.kind() == io::ErrorKind::ConnectionRefused => std::fs::remove_file(path).map_err(failed)?,
            Err(e) => return Err(ListenError::NotOurs { path: path.into(), reason: e }),
        },
        Err(_) => {}
    }
    let bind = || -> rustix::io::Result<rustix::fd::OwnedFd> {
        let socket = rustix::net::socket_with(
            AddressFamily::UNIX,
            SocketType::STREAM,
            SocketFlags::CLOEXEC | SocketFlags::NONBLOCK,
            None,
        )?;
        // The mode is right from the first moment: nobody can connect before listen.
        rustix::net::bind(&socket, &SocketAddrUnix::new(path)?)?;
        Ok(socket)
    };
    let socket = bind().map_err(|e| failed(e.into()))?;
    if let Some(group) = group {
        std::os::unix::fs::chown(path, None, Some(group)).map_err(failed)?;
    }
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).map_err(failed)?;
    rustix::net::listen(&socket, BACKLOG).map_err(|e| failed(e.into()))?;
    UnixListener::from_std(socket.into()).map_err(failed)
}

impl Shared {
    fn resource(&self) -> MutexGuard<'_, Resource> {
        lock(&self.resource)
    }

    fn slot(&self, id: ReaderId) -> Option<Arc<Slot>> {
        lock(&self.slots).get(&id).cloned()
    }

    /// A reader is there: it gets a slot for a card.
    fn plugged(self: &Arc<Self>, id: ReaderId) {
        let slot = Slot { card: Arc::default(), freed: Notify::new(), pin_pad: std::sync::OnceLock::new() };
        lock(&self.slots).insert(id, Arc::new(slot));
        self.wake();
        self.changed();
    }

    fn strange(&self, version: ProtocolVersion) {
        self.strange.send_if_modified(|known| {
            let new = known.len() < STRANGE && !known.contains(&version);
            if new {
                known.push(version);
            }
            new
        });
    }

    /// What a card's failed exchange means for its reader.
    fn lost(&self, mut resource: MutexGuard<'_, Resource>, id: ReaderId, loss: Loss) {
        match loss {
            Loss::Card => resource.remove_card(id),
            Loss::Reader => {
                resource.unplug(id);
                lock(&self.slots).remove(&id);
            }
            Loss::Power => resource.card_lost_power(id),
            Loss::Mute => return,
        }
        drop(resource);
        self.changed();
    }

    fn changed(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    /// Passes on what the state machine has to tell.
    fn wake(self: &Arc<Self>) {
        let signals = self.resource().take_signals();
        if signals != Signals::default() {
            self.pass_on(signals);
        }
    }

    fn pass_on(self: &Arc<Self>, signals: Signals) {
        for id in signals.events {
            if let Some(bell) = lock(&self.bells).get(&id) {
                bell.notify_one();
            }
        }
        for id in signals.freed {
            if let Some(slot) = self.slot(id) {
                slot.freed.notify_waiters();
            }
        }
        for id in signals.idle {
            if !self.grace.is_zero() {
                tokio::spawn(Arc::clone(self).rest(id));
            }
        }
        for id in signals.shared {
            if lock(&self.gathering).insert(id) {
                tokio::spawn(Arc::clone(self).publish_sharing(id));
            }
        }
    }

    async fn rest(self: Arc<Self>, id: ReaderId) {
        let uses = self.resource().uses(id);
        tokio::time::sleep(self.grace).await;
        let Some(slot) = self.slot(id) else { return };
        let mut card = slot.card.lock().await;
        self.resource().rest(id, uses, &mut card);
    }

    async fn publish_sharing(self: Arc<Self>, id: ReaderId) {
        tokio::time::sleep(SHARING_DELAY).await;
        lock(&self.gathering).remove(&id);
        self.resource().publish_sharing(id);
        self.wake();
    }
}
