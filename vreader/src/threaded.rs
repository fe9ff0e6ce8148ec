//! A rack on a thread of its own, with a socket in a private directory, for programs that are not
//! asynchronous: tests, the conformance suite, scenarios.

use crate::icc::VirtualCard;
use crate::private::PrivateDirectory;
use crate::rack::{Place, Rack, RackError};
use crate::server::{ListenError, Server, listen};
use cardlab_sim::random::Random;
use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;
use std::time::Duration;
use thiserror::Error;

/// Why it did not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// No directory, no thread, no runtime.
    #[error("readers of our own: {0}")]
    Io(#[from] std::io::Error),
    /// No socket.
    #[error("readers of our own: {0}")]
    Listen(#[from] ListenError),
    /// The thread ended before it was ready.
    #[error("readers of our own: their thread did not start")]
    Thread,
}

/// Readers that end with this value.
pub struct ThreadedRack {
    rack: Rack,
    runtime: tokio::runtime::Handle,
    socket: PathBuf,
    _stop: tokio::sync::oneshot::Sender<()>,
    _directory: PrivateDirectory,
}

impl ThreadedRack {
    /// An empty rack. `seed` gives the numbers of contexts and handles; an unused card is powered off after
    /// `grace`, never when that is zero.
    ///
    /// # Errors
    /// [`StartError`].
    pub fn start(seed: u64, grace: Duration) -> Result<Self, StartError> {
        let directory = PrivateDirectory::new()?;
        let socket = directory.path().join("pcscd.comm");
        let (tell, told) = channel();
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let path = socket.clone();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        std::thread::Builder::new().name("readers".into()).spawn(move || {
            runtime.block_on(async {
                let server = Server::new(Random::from_number(seed, 1), grace);
                match listen(&path) {
                    Ok(listener) => {
                        tokio::spawn(server.clone().serve(listener));
                        let _ = tell.send(Ok((Rack::new(server), tokio::runtime::Handle::current())));
                        // Ends with the sender's drop.
                        let _ = stopped.await;
                    }
                    Err(error) => drop(tell.send(Err(error))),
                }
            });
            runtime.shutdown_background();
        })?;
        let (rack, runtime) = told.recv().map_err(|_| StartError::Thread)??;
        Ok(Self { rack, runtime, socket, _stop: stop, _directory: directory })
    }

    /// Where programs connect.
    #[must_use]
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// The readers' thread, for what belongs to them.
    #[must_use]
    pub const fn runtime(&self) -> &tokio::runtime::Handle {
        &self.runtime
    }

    /// The readers, for what needs no waiting.
    #[must_use]
    pub const fn rack(&self) -> &Rack {
        &self.rack
    }

    /// As [`Rack::add`].
    pub fn add(&self, name: &str, card: VirtualCard) -> Place {
        self.runtime.block_on(self.rack.add(name, card))
    }

    /// As [`Rack::insert`].
    ///
    /// # Errors
    /// [`RackError`].
    pub fn insert(&self, place: Place) -> Result<(), RackError> {
        self.runtime.block_on(self.rack.insert(place))
    }

    /// As [`Rack::remove`].
    ///
    /// # Errors
    /// [`RackError`].
    pub fn remove(&self, place: Place) -> Result<(), RackError> {
        self.runtime.block_on(self.rack.remove(place))
    }

    /// As [`Rack::swap`].
    ///
    /// # Errors
    /// [`RackError`].
    pub fn swap(&self, one: Place, other: Place) -> Result<(), RackError> {
        self.runtime.block_on(self.rack.swap(one, other))
    }

    /// As [`Rack::reset`].
    ///
    /// # Errors
    /// [`RackError`].
    pub fn reset(&self, place: Place, cold: bool) -> Result<(), RackError> {
        self.runtime.block_on(self.rack.reset(place, cold))
    }

    /// As [`Rack::reset_usb`].
    ///
    /// # Errors
    /// [`RackError`].
    pub fn reset_usb(&self, place: Place) -> Result<(), RackError> {
        self.runtime.block_on(self.rack.reset_usb(place))
    }

    /// As [`Rack::unplug`].
    ///
    /// # Errors
    /// [`RackError`].
    pub fn unplug(&self, place: Place) -> Result<(), RackError> {
        let _inside = self.runtime.enter();
        self.rack.unplug(place)
    }

    /// As [`Rack::plug`].
    ///
    /// # Errors
    /// [`RackError`].
    pub fn plug(&self, place: Place) -> Result<(), RackError> {
        let _inside = self.runtime.enter();
        self.rack.plug(place)
    }

    /// Puts another card into a reader, in the place of the one before.
    pub fn replace(&self, place: Place, card: VirtualCard) {
        self.runtime.block_on(self.rack.replace(place, card));
    }
}
