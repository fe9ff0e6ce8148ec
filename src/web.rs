//! Pages for browsers: where they listen, how they are served, what ends them. The management server's and the lock screen's alike.

use crate::connections::Places;
use crate::exit::Failure;
use anyhow::anyhow;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use hyper_util::rt::TokioTimer;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

/// How long a connection may be without a request, or without the rest of one's head.
const NEXT_REQUEST: Duration = Duration::from_secs(20);
/// How long requests under way may take when the server is stopped.
const LAST_REQUESTS: Duration = Duration::from_secs(2);

/// What shows a machine's addresses.
const ADDRESSES: &str = if cfg!(windows) { "ipconfig" } else { "ip address" };

/// Listens at an address that `option` gave.
pub(crate) fn bind(option: &str, address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).map_err(|error| {
        let why = match error.kind() {
            ErrorKind::AddrInUse => format!("another program listens there; end it, or give another address with {option}"),
            ErrorKind::AddrNotAvailable => format!("this machine has no such address; `{ADDRESSES}` shows those that it has"),
            ErrorKind::PermissionDenied => "ports below 1024 are the administrator's; give a larger one".into(),
            _ => error.to_string(),
        };
        anyhow!("{option} {address}: {why}")
    })
}

/// Ends with SIGINT or SIGTERM.
#[cfg(unix)]
pub(crate) fn stopped() -> Result<impl Future<Output = ()>, Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Ends with Ctrl-C, or when the console is closed.
#[cfg(windows)]
pub(crate) fn stopped() -> Result<impl Future<Output = ()>, Failure> {
    use tokio::signal::windows::{ctrl_c, ctrl_close};
    let (mut interrupt, mut close) = (ctrl_c()?, ctrl_close()?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = close.recv() => {}
        }
    })
}

/// This machine's name, for the server's log.
pub(crate) fn workstation() -> String {
    #[cfg(unix)]
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    #[cfg(windows)]
    let name = std::env::var("COMPUTERNAME").unwrap_or_default();
    name
}

/// Serves any routes until `stop` ends, then lets requests under way end; encrypted where there is a certificate.
pub(crate) async fn serve(
    listener: TcpListener,
    certificate: Option<RustlsConfig>,
    routes: axum::Router,
    stop: impl Future<Output = ()>,
) -> Result<(), Failure> {
    listener.set_nonblocking(true)?;
    let service = routes.into_make_service_with_connect_info::<SocketAddr>();
    let handle = axum_server::Handle::new();
    let server = axum_server::from_tcp(listener)?.handle(handle.clone()).first_request_timeout(NEXT_REQUEST);
    let mut server = server.acceptor(Places::of_process());
    server.http_builder().http1().timer(TokioTimer::new()).header_read_timeout(NEXT_REQUEST);
    server.http_builder().http2().timer(TokioTimer::new()).keep_alive_interval(NEXT_REQUEST).keep_alive_timeout(NEXT_REQUEST);
    let serving = async {
        match certificate {
            None => server.serve(service).await,
            Some(config) => server.map(|places| RustlsAcceptor::new(config).acceptor(places)).serve(service).await,
        }
    };
    let mut serving = std::pin::pin!(serving);
    tokio::select! {
        ended = &mut serving => return Ok(ended?),
        () = stop => handle.graceful_shutdown(Some(LAST_REQUESTS)),
    }
    Ok(serving.await?)
}
