//! Simulated cards behind pcsc-lite's socket: each test gets a new one, in a reader of its own server.

use super::pcsc::Connected;
use super::sim::Sim;
use super::{NoCard, Placed, Target, check_needs};
use crate::test::{Danger, Need, Wish};
use cardlab_pcsclite::client::{Context, ShareMode};
use cardlab_sim::card::Card;
use cardlab_sim::profile::ProfileError;
use cardlab_sim::random::Random;
use cardlab_vreader::icc::VirtualCard;
use cardlab_vreader::private::PrivateDirectory;
use cardlab_vreader::resource::ReaderId;
use cardlab_vreader::server::{Server, listen};
use std::path::PathBuf;
use std::sync::mpsc::channel;
use std::time::Duration;
use thiserror::Error;

/// Why there is no socket to speak through.
#[derive(Debug, Error)]
pub enum SocketError {
    /// No such profile.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// No directory, no socket.
    #[error("a socket of our own: {0}")]
    Io(#[from] std::io::Error),
    /// No service at it.
    #[error("a socket of our own: {0}")]
    Service(String),
}

/// New cards of one profile, behind a socket.
pub struct Socket {
    sim: Sim,
    server: Server,
    reader: ReaderId,
    reader_name: String,
    runtime: tokio::runtime::Handle,
    context: Context,
    socket: PathBuf,
    _stop: tokio::sync::oneshot::Sender<()>,
    _directory: PrivateDirectory,
}

impl Socket {
    /// As [`Sim::new`], with a reader on a socket that nobody else knows.
    ///
    /// # Errors
    /// [`SocketError`].
    pub fn new(profile: &str, seed: u64) -> Result<Self, SocketError> {
        let sim = Sim::new(profile, seed)?;
        let directory = PrivateDirectory::new()?;
        let socket = directory.path().join("pcscd.comm");
        let (tell, told) = channel();
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let path = socket.clone();
        std::thread::spawn(move || {
            let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
            runtime.block_on(async {
                let server = Server::new(Random::from_number(seed, 1), Duration::ZERO);
                let reader = server.add_reader("Conformance");
                let Ok(listener) = listen(&path) else { return };
                tokio::spawn(server.clone().serve(listener));
                let _ = tell.send((server, reader, tokio::runtime::Handle::current()));
                let _ = stopped.await;
            });
            runtime.shutdown_background();
        });
        let failed = || SocketError::Service("the reader's thread did not start".into());
        let (server, reader, runtime) = told.recv().map_err(|_| failed())?;
        let context = Context::establish_at(&socket).map_err(|e| SocketError::Service(e.to_string()))?;
        let reader_name = server.reader_name(reader).ok_or_else(failed)?;
        Ok(Self { sim, server, reader, reader_name, runtime, context, socket, _stop: stop, _directory: directory })
    }

    /// Puts a card into the reader, in the place of the one before.
    fn insert(&self, card: Card) {
        let (sender, receiver) = channel();
        let (server, reader) = (self.server.clone(), self.reader);
        self.runtime.spawn(async move {
            drop(server.insert(reader, Box::new(VirtualCard::new(card, None))).await);
            let _ = sender.send(());
        });
        let _ = receiver.recv();
    }
}

impl Target for Socket {
    fn name(&self) -> String {
        self.sim.name()
    }

    fn place(&mut self, needs: &[Need], wish: &Wish, _: Danger) -> Result<Placed<'_>, NoCard> {
        let (card, facts) = self.sim.make(wish)?;
        check_needs(&facts, needs, true, false)?;
        self.insert(card);
        let card = self.context.connect(&self.reader_name, ShareMode::Shared).map_err(|e| NoCard::NotRun(e.to_string()))?;
        Ok(Placed { slot: Box::new(Connected { card, socket: &self.socket, reader: &self.reader_name }), facts })
    }
}
