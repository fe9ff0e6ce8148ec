//! A socket whose first client is there already, so that nothing is made ready before anybody comes.

use axum::serve::Listener;
use std::io;
use tokio::net::unix::SocketAddr;
use tokio::net::{UnixListener, UnixStream};

/// A listener, and the client that it has let in.
pub(crate) struct Opened {
    first: Option<(UnixStream, SocketAddr)>,
    listener: UnixListener,
}

impl Opened {
    /// Waits for the first client.
    pub(crate) async fn by_first_client(mut listener: UnixListener) -> Self {
        let first = Some(Listener::accept(&mut listener).await);
        Self { first, listener }
    }
}

impl Listener for Opened {
    type Io = UnixStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (UnixStream, SocketAddr) {
        match self.first.take() {
            Some(first) => first,
            None => Listener::accept(&mut self.listener).await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Listener::local_addr(&self.listener)
    }
}
