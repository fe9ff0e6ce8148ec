//! The card management server as `serve` and `lab` start it.

use crate::connections::Places;
use crate::exit::Failure;
use anyhow::anyhow;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use cardlab_server_stub::http;
use cardlab_server_stub::model::answers::Hashing;
use cardlab_server_stub::model::clock::Clock;
use cardlab_server_stub::model::vault::Vault;
use cardlab_server_stub::service::Server;
use cardlab_server_stub::store::Store;
use cardlab_vreader::whole;
use hyper_util::rt::TokioTimer;
use std::io::{ErrorKind, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use zeroize::Zeroizing;

/// The master key in the environment, hexadecimal.
pub(crate) const MASTER_VARIABLE: &str = "CARDLAB_MASTER_KEY";
const MASTER_BYTES: usize = 32;
/// How long a connection may be without a request, or without the rest of one's head.
const NEXT_REQUEST: Duration = Duration::from_secs(20);
/// How long requests under way may take when the server is stopped.
const LAST_REQUESTS: Duration = Duration::from_secs(2);

/// The master key of the environment, or of a file, which is made when it is not there.
pub(crate) fn master_key(file: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    if let Some(text) = std::env::var_os(MASTER_VARIABLE) {
        let text = Zeroizing::new(text.to_string_lossy().into_owned());
        return Ok(decoded(MASTER_VARIABLE, &text)?);
    }
    whole::file_or_nothing(file).map_err(|error| anyhow!("master key {}: {error}", file.display()))?;
    match whole::read_text(file, whole::TEXT) {
        Ok(text) => Ok(decoded(&file.display().to_string(), &Zeroizing::new(text))?),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let mut key = Zeroizing::new(vec![0; MASTER_BYTES]);
            getrandom::fill(&mut key)?;
            let mut options = std::fs::OpenOptions::new();
            let made = options.write(true).create_new(true).mode(0o600).open(file);
            let mut made = made.map_err(|error| anyhow!("master key {}: {}", file.display(), whole::why(&error)))?;
            writeln!(made, "{}", Zeroizing::new(hex::encode(&*key)).as_str())?;
            made.sync_all()?;
            Ok(key)
        }
        Err(error) => Err(anyhow!("master key {}: {error}", file.display()).into()),
    }
}

fn decoded(from: &str, text: &str) -> anyhow::Result<Zeroizing<Vec<u8>>> {
    Ok(Zeroizing::new(
        hex::decode(text.trim()).map_err(|_| anyhow!("{from}: a master key is an even number of hexadecimal digits"))?,
    ))
}

/// Listens at an address that `option` gave.
pub(crate) fn bind(option: &str, address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).map_err(|error| {
        let why = match error.kind() {
            ErrorKind::AddrInUse => format!("another program listens there; end it, or give another address with {option}"),
            ErrorKind::AddrNotAvailable => "this machine has no such address; `ip address` shows those that it has".into(),
            ErrorKind::PermissionDenied => "ports below 1024 are the administrator's; give a larger one".into(),
            _ => error.to_string(),
        };
        anyhow!("{option} {address}: {why}")
    })
}

/// The server over a database.
pub(crate) async fn open(url: &str, master: &[u8], hashing: Hashing) -> Result<Server, Failure> {
    let vault = Vault::new(master)?;
    let store = Store::open(url).await?;
    Ok(Server::new(store, vault, Clock::start(), hashing).await?)
}

/// How the server is reached.
pub(crate) enum Tls {
    /// Not encrypted.
    None,
    /// With a certificate that its key belongs to.
    Certificate(RustlsConfig),
}

impl Tls {
    /// PEM of a certificate chain and of its key.
    pub(crate) async fn of_pem(certificate: Vec<u8>, key: &[u8]) -> anyhow::Result<Self> {
        // Fails when it is set already, which is as good.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        Ok(Self::Certificate(RustlsConfig::from_pem(certificate, key.to_vec()).await?))
    }

    /// A certificate of its own for this address, the machine's usual names and these, and its PEM.
    pub(crate) async fn self_made(address: SocketAddr, names: &[String]) -> anyhow::Result<(Self, String)> {
        let names = [vec!["localhost".to_owned(), address.ip().to_string(), "127.0.0.1".into()], names.to_vec()].concat();
        let made = rcgen::generate_simple_self_signed(names)?;
        let key = Zeroizing::new(made.signing_key.serialize_pem().into_bytes());
        let pem = made.cert.pem();
        Ok((Self::of_pem(pem.clone().into_bytes(), &key).await?, pem))
    }

    /// `http` or `https`.
    pub(crate) const fn scheme(&self) -> &'static str {
        match self {
            Self::None => "http",
            Self::Certificate(_) => "https",
        }
    }
}

/// Ends with SIGINT or SIGTERM.
pub(crate) fn stopped() -> Result<impl Future<Output = ()>, Failure> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// This machine's name, for the server's log.
pub(crate) fn workstation() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// Serves until `stop` ends, then lets requests under way end.
pub(crate) async fn run(
    listener: TcpListener,
    tls: Tls,
    names: &[String],
    server: Server,
    stop: impl Future<Output = ()>,
) -> Result<(), Failure> {
    let front = http::Front::at(listener.local_addr()?).named(names).encrypted(matches!(tls, Tls::Certificate(_)));
    serve(listener, tls, http::router(server, front), stop).await
}

/// Serves any routes.
pub(crate) async fn serve(
    listener: TcpListener,
    tls: Tls,
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
        match tls {
            Tls::None => server.serve(service).await,
            Tls::Certificate(config) => server.map(|places| RustlsAcceptor::new(config).acceptor(places)).serve(service).await,
        }
    };
    let mut serving = std::pin::pin!(serving);
    tokio::select! {
        ended = &mut serving => return Ok(ended?),
        () = stop => handle.graceful_shutdown(Some(LAST_REQUESTS)),
    }
    Ok(serving.await?)
}
