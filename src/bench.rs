//! The bench in a browser, as `lab`, `up` and `exec` open it, with the rooms that the bench itself does not know.

mod conformance;
mod lines;
mod runs;
mod scenarios;

use crate::exit::Failure;
use crate::web;
use anyhow::{Context as _, anyhow};
use axum::http::StatusCode;
use cardlab_client::lock;
use cardlab_client::minidriver::{Minidriver, Secret};
use cardlab_control::api::Control;
use cardlab_control::error::ApiError;
use cardlab_control::hand::{Hand, Spent};
use cardlab_control::page::{Page, Shell};
use cardlab_pcsclite::client::{Context, Error, ShareMode};
use cardlab_pcsclite::code::ReturnCode;
use conformance::Suite;
use scenarios::Scenarios;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use tokio::runtime::Handle;

/// Listens for browsers of this machine; `option` gave the address.
pub(crate) fn bind(option: &str, address: SocketAddr) -> Result<TcpListener, Failure> {
    if !address.ip().is_loopback() {
        return Err(anyhow!("{option} {address}: the bench is for this machine: 127.0.0.1 or [::1]").into());
    }
    Ok(web::bind(option, address)?)
}

/// Spends tries through the PC/SC socket, as `cardlab card lock` does.
struct Client {
    socket: PathBuf,
}

impl Hand for Client {
    fn spend(&self, reader: &str, secret: Spent, left: u8) -> Result<(), String> {
        let said = |error: &dyn std::fmt::Display| error.to_string();
        let context = Context::establish_at(&self.socket).map_err(|error| said(&error))?;
        let held = || format!("another program has the card of {reader} for itself; nothing was done, try again when it is free");
        let busy = |error: Error| match error {
            Error::Refused { code: ReturnCode::SHARING_VIOLATION, .. } => held(),
            other => said(&other),
        };
        let mut card = context.connect(reader, ShareMode::Shared).map_err(busy)?;
        card.try_begin().map_err(busy)?;
        let mut card = Minidriver::open(&mut card).map_err(|error| said(&error))?;
        let secret = match secret {
            Spent::Pin => Secret::Pin,
            Spent::Puk => Secret::Puk,
            Spent::Admin => Secret::AdminKey,
        };
        lock::bring_to(&mut card, secret, left).map_err(|error| said(&error))
    }
}

/// What rooms work with.
#[derive(Clone)]
struct Driven {
    control: Control,
    /// The readers' own thread: what is done with them is done there.
    readers: Handle,
    /// The PC/SC socket.
    socket: PathBuf,
}

impl Driven {
    /// Does it where the readers are: what it begins there ends with them.
    async fn at_readers<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, ApiError>> + Send + 'static,
    ) -> Result<T, ApiError> {
        let ended = || ApiError(StatusCode::SERVICE_UNAVAILABLE, "the readers have ended".into());
        self.readers.spawn(work).await.unwrap_or_else(|_| Err(ended()))
    }
}

/// Does it on a thread of its own: neither readers nor pages are held up by what takes its time.
async fn beside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, ApiError> {
    let broken = |_| ApiError(StatusCode::INTERNAL_SERVER_ERROR, "It broke down; stderr of cardlab has why.".into());
    tokio::task::spawn_blocking(work).await.map_err(broken)
}

/// What drives readers, and the rooms in which more is done with them. The same for who comes over the control socket and for who
/// comes with a browser.
pub(crate) struct Bench {
    /// With the routes of the rooms.
    pub(crate) control: Control,
    scenarios: Arc<Scenarios>,
    suite: Arc<Suite>,
    shell: Shell,
    readers: Handle,
    /// Names and addresses of what is beside it.
    links: Vec<(&'static str, String)>,
}

impl Bench {
    /// Over the readers of this very thread.
    pub(crate) fn over(control: Control, shell: Shell) -> Self {
        let control = control.with_hand(Arc::new(Client { socket: shell.socket.clone() }));
        let readers = Handle::current();
        let driven = Driven { control: control.clone(), readers: readers.clone(), socket: shell.socket.clone() };
        let (scenarios, suite) = (Arc::new(Scenarios::over(driven.clone())), Arc::new(Suite::over(driven)));
        let routes = {
            let (scenarios, suite) = (scenarios.clone(), suite.clone());
            move || scenarios::requests::routes(scenarios.clone()).merge(conformance::requests::routes(suite.clone()))
        };
        Self { control: control.with_routes(routes), scenarios, suite, shell, readers, links: Vec::new() }
    }

    /// With ways to what is beside it: names and addresses.
    pub(crate) fn with_links(self, links: Vec<(&'static str, String)>) -> Self {
        Self { links, ..self }
    }

    /// Opens it for browsers, and gives the address. It has a thread of its own, so that what pages cost is not taken from the
    /// readers, and ends with the process.
    pub(crate) fn open(self, listener: TcpListener) -> Result<String, Failure> {
        let Self { control, scenarios, suite, shell, readers, links } = self;
        let page = Page::new(control, readers, shell)?;
        let page = page.with(scenarios::room(scenarios)).with(conformance::room(suite));
        let page = links.into_iter().fold(page, |page, (name, address)| page.with_link(name, address));
        let address = page.address(listener.local_addr()?);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let serve = move || {
            let served = runtime.block_on(async { web::serve(listener, None, page.router(), std::future::pending()).await });
            if let Err(failure) = served {
                eprintln!("cardlab: the bench has ended: {}; the readers go on", failure.sentence());
            }
        };
        std::thread::Builder::new().name("bench".into()).spawn(serve).context("a thread for the bench")?;
        Ok(address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cardlab_sim::Random;
    use cardlab_vreader::trace::Ticks;
    use cardlab_vreader::{Rack, Server, Trace};
    use std::future::poll_fn;
    use std::pin::pin;
    use std::task::Poll;
    use std::time::Duration;

    /// What comes of it at readers without a card; none of it before there is a thread for what takes its time.
    pub(super) fn beside_the_readers<F: Future>(work: impl FnOnce(Driven) -> F) -> F::Output {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(1).build().unwrap();
        runtime.block_on(async {
            let (free, busy) = std::sync::mpsc::channel::<()>();
            tokio::task::spawn_blocking(move || busy.recv());
            let rack = Rack::new(Server::new(Random::from_number(1, 1), Duration::ZERO));
            let control = Control::new(rack, Trace::new(Ticks::Count), false);
            let driven = Driven { control, readers: Handle::current(), socket: "pcscd.comm".into() };
            let mut work = pin!(work(driven));
            let is_done = poll_fn(|context| Poll::Ready(work.as_mut().poll(context).is_ready())).await;
            assert!(!is_done, "it was done on the readers' own thread");
            drop(free);
            work.await
        })
    }

    #[test]
    fn what_takes_its_time_is_done_beside_the_readers() {
        let (here, there) = beside_the_readers(|_| async {
            let there = beside(|| std::thread::current().id()).await;
            (std::thread::current().id(), there.unwrap())
        });
        assert_ne!(here, there);
        let broken = beside_the_readers(|_| beside::<()>(|| panic!("as it may")));
        assert_eq!(broken.map_err(|error| error.0), Err(StatusCode::INTERNAL_SERVER_ERROR));
    }
}
