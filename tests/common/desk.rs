//! Readers in a thread of the test, whose cards it can pull out and put back.

use cardlab_sim::card::{Card, World};
use cardlab_sim::profile::Profile;
use cardlab_sim::random::Random;
use cardlab_vreader::icc::{Icc, VirtualCard};
use cardlab_vreader::resource::ReaderId;
use cardlab_vreader::server::{Server, listen};
use std::path::PathBuf;
use std::sync::mpsc::channel;
use std::time::Duration;

pub struct Desk {
    pub socket: PathBuf,
    server: Server,
    reader: ReaderId,
    runtime: tokio::runtime::Handle,
    _stop: tokio::sync::oneshot::Sender<()>,
    _directory: tempfile::TempDir,
}

/// A card out of its reader.
pub struct InHand(Box<dyn Icc>);

/// A card of this profile and seed.
pub fn card(profile: &str, seed: u64) -> Card {
    Card::new(Profile::builtin(profile).unwrap(), World::seeded(seed)).unwrap()
}

impl Desk {
    /// One reader with this card in it.
    pub fn with(card: Card) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let socket = directory.path().join("s");
        let (tell, told) = channel();
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let path = socket.clone();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let server = Server::new(Random::from_number(1, 1), Duration::from_secs(60));
                let reader = server.add_reader("Desk");
                tokio::spawn(server.clone().serve(listen(&path).unwrap()));
                tell.send((server, reader, tokio::runtime::Handle::current())).unwrap();
                let _ = stopped.await;
            });
            runtime.shutdown_background();
        });
        let (server, reader, runtime) = told.recv().unwrap();
        let desk = Self { socket, server, reader, runtime, _stop: stop, _directory: directory };
        desk.insert(InHand(Box::new(VirtualCard::new(card, None))));
        desk
    }

    fn call<T: Send + 'static>(&self, call: impl Future<Output = T> + Send + 'static) -> T {
        let (sender, receiver) = channel();
        self.runtime.spawn(async move {
            let _ = sender.send(call.await);
        });
        receiver.recv().unwrap()
    }

    pub fn insert(&self, card: InHand) {
        let (server, reader) = (self.server.clone(), self.reader);
        self.call(async move { drop(server.insert(reader, card.0).await) });
    }

    pub fn remove(&self) -> InHand {
        let (server, reader) = (self.server.clone(), self.reader);
        InHand(self.call(async move { server.remove(reader).await }).expect("a card was in the reader"))
    }
}
