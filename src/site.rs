//! The card management server as `serve` and `lab` start it.

use crate::exit::Failure;
use crate::web;
use anyhow::{Context as _, anyhow};
use axum_server::tls_rustls::RustlsConfig;
use cardlab_server_stub::http;
use cardlab_server_stub::model::answers::Hashing;
use cardlab_server_stub::model::clock::Clock;
use cardlab_server_stub::model::keys::MasterKey;
use cardlab_server_stub::model::vault::Vault;
use cardlab_server_stub::service::Server;
use cardlab_server_stub::store::Store;
use cardlab_whole as whole;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// The master key in the environment, hexadecimal.
pub(crate) const MASTER_VARIABLE: &str = "CARDLAB_MASTER_KEY";
const MASTER_BYTES: usize = 32;

/// The master key of a server.
pub(crate) struct Master {
    key: Zeroizing<Vec<u8>>,
    /// Where one that was made is still to be written.
    to: Option<PathBuf>,
}

impl Master {
    /// That of the environment, or of a file; where there is none, one is made, and written there when a database takes it.
    pub(crate) fn of(file: &Path) -> Result<Self, Failure> {
        if let Some(text) = std::env::var_os(MASTER_VARIABLE) {
            let text = Zeroizing::new(text.to_string_lossy().into_owned());
            return Ok(Self { key: decoded(MASTER_VARIABLE, &text)?, to: None });
        }
        match whole::read_text(file, whole::TEXT) {
            Ok(text) => Ok(Self { key: decoded(&named(file), &Zeroizing::new(text))?, to: None }),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Self { to: Some(file.to_owned()), ..Self::passing()? }),
            Err(error) => Err(error).with_context(|| named(file)).map_err(Failure::from),
        }
    }

    /// One that is written nowhere, for a database that is not kept.
    pub(crate) fn passing() -> Result<Self, Failure> {
        let mut key = Zeroizing::new(vec![0; MASTER_BYTES]);
        getrandom::fill(&mut key)?;
        Ok(Self { key, to: None })
    }

    /// Writes one that was made to its file.
    fn keep(&self) -> Result<(), Failure> {
        let Some(file) = &self.to else { return Ok(()) };
        let mut line = Zeroizing::new(vec![b'\n'; 2 * MASTER_BYTES + 1]);
        hex::encode_to_slice(&*self.key, &mut line[..2 * MASTER_BYTES])?;
        match whole::make(file, &line) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                Err(anyhow!("{}: another server has just made it; start this one again", named(file)).into())
            }
            made => made.with_context(|| named(file)).map_err(Failure::from),
        }
    }
}

fn named(file: &Path) -> String {
    format!("master key {}", file.display())
}

/// A key that was written down; `from` is where.
fn decoded(from: &str, text: &str) -> anyhow::Result<Zeroizing<Vec<u8>>> {
    let text = text.trim();
    if text.is_empty() {
        return Err(anyhow!(
            "{from}: there is nothing in it; bring back the key that the server had - without it nothing of its database opens - or, for \
             a new database, remove it, and a key is made"
        ));
    }
    let key = hex::decode(text).map_err(|_| anyhow!("{from}: a master key is an even number of hexadecimal digits"))?;
    let key = Zeroizing::new(key);
    MasterKey::new(&key).with_context(|| from.to_owned())?;
    Ok(key)
}

/// The server over a database.
pub(crate) async fn open(url: &str, master: &Master, hashing: Hashing) -> Result<Server, Failure> {
    let vault = Vault::new(&master.key)?;
    let store = Store::open(url).await?;
    // A refused start leaves no key behind, and nothing comes under a key that is not on the disk.
    Server::judge_master(&store, &vault).await?;
    master.keep()?;
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

/// Serves until `stop` ends, then lets requests under way end.
pub(crate) async fn run(
    listener: TcpListener,
    tls: Tls,
    names: &[String],
    server: Server,
    stop: impl Future<Output = ()>,
) -> Result<(), Failure> {
    let front = http::Front::at(listener.local_addr()?).named(names).encrypted(matches!(tls, Tls::Certificate(_)));
    let certificate = match tls {
        Tls::None => None,
        Tls::Certificate(config) => Some(config),
    };
    web::serve(listener, certificate, http::router(server, front), stop).await
}
