//! `cardlab serve`: the card management server's stub.

use crate::exit::{Exit, Failure};
use crate::holders;
use crate::log::LogOptions;
use crate::site::{self, Master, Tls};
use crate::web;
use anyhow::{Context as _, anyhow};
use cardlab_pcsclite::client::default_socket;
use cardlab_scenario::world::station::Readers;
use cardlab_server_stub::model::answers::Hashing;
use cardlab_whole as whole;
use clap::Args;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use tracing_subscriber::filter::LevelFilter;
use zeroize::Zeroizing;

/// The password of the first administrator in the environment.
const PASSWORD_VARIABLE: &str = "CARDLAB_ADMIN_PASSWORD";

#[derive(Args)]
pub(crate) struct Serve {
    /// The database: sqlite:FILE, sqlite::memory: or postgres://USER@HOST/NAME
    #[arg(long, value_name = "URL", default_value = "sqlite:cardlab-cms.db")]
    db: String,

    /// Where to listen. Beyond this machine TLS is needed
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8320")]
    listen: SocketAddr,

    /// A name that the server is reached by, beside localhost and the address where it listens: others are refused
    #[arg(long, value_name = "NAME")]
    name: Vec<String>,

    /// File with the master key in hexadecimal, made when it is not there; CARDLAB_MASTER_KEY goes before it
    #[arg(long, value_name = "FILE", default_value = "cardlab-cms.key")]
    master_file: PathBuf,

    /// Name of the administrator that an empty database gets; the password is that of
    /// CARDLAB_ADMIN_PASSWORD, or one that is printed once
    #[arg(long, value_name = "NAME", default_value = "admin")]
    admin: String,

    /// Also sample users, questions and an operator in an empty database
    #[arg(long)]
    sample: bool,

    /// Let operators issue cards that are in readers of this machine
    #[arg(long)]
    readers: bool,

    /// The PC/SC socket of these readers; else the one of PCSCLITE_CSOCK_NAME, else pcscd's
    #[arg(long, value_name = "PATH", requires = "readers")]
    socket: Option<PathBuf>,

    /// Without limits on how often, for benches and load tests: guessing is free
    #[arg(long, help_heading = "For tests only")]
    without_limits: bool,

    /// With hashes of answers and passwords that are quick to make, and to guess
    #[arg(long, help_heading = "For tests only")]
    quick_hashes: bool,

    #[command(flatten)]
    log: LogOptions,

    /// PEM of the server's certificate chain
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_certificate: Option<PathBuf>,

    /// PEM of its key
    #[arg(long, value_name = "FILE", requires = "tls_certificate")]
    tls_key: Option<PathBuf>,

    /// Make a certificate and write it to this file, for workstations to trust
    #[arg(long, value_name = "FILE", conflicts_with = "tls_certificate")]
    tls_self_made: Option<PathBuf>,
}

impl Serve {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let encrypted = self.tls_certificate.is_some() || self.tls_self_made.is_some();
        if !encrypted && !self.listen.ip().is_loopback() {
            return Err(anyhow!(
                "--listen {}: beyond this machine only with TLS: --tls-certificate and --tls-key, or --tls-self-made",
                self.listen
            )
            .into());
        }
        if let Some(name) = self.name.iter().find(|name| name.is_empty() || name.contains([':', '/', '@', ' '])) {
            return Err(anyhow!("--name {name}: a host's name alone, as in --name cms.example").into());
        }
        let _log = self.log.begin(LevelFilter::INFO)?;
        let master = Master::of(&self.master_file)?;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(async {
            // All that can be wrong with the way in comes before the database is touched.
            let tls = self.tls().await?;
            let listener = web::bind("--listen", self.listen)?;
            let hashing = if self.quick_hashes { Hashing::quick() } else { Hashing::strong() };
            let server = site::open(&self.db, &master, hashing).await?;
            let server = if self.without_limits { server.without_limits() } else { server };
            let server = if self.readers {
                let socket = self.socket.clone().unwrap_or_else(default_socket);
                server.with_station(Arc::new(Readers::at(socket.clone()).telling(holders::of(socket))))
            } else {
                server
            };
            let given = std::env::var(PASSWORD_VARIABLE).ok().map(Zeroizing::new);
            let mut random = Zeroizing::new(vec![0; 12]);
            getrandom::fill(&mut random)?;
            let password = given.clone().unwrap_or_else(|| Zeroizing::new(hex::encode(&*random)));
            if server.setup().bootstrap(&self.admin, &password).await? && given.is_none() {
                eprintln!("cardlab: new administrator '{}', password {}", self.admin, *password);
            }
            if self.sample {
                server.setup().add_sample().await?;
            }
            // Whoever reads that it is up may end it at once.
            let stop = web::stopped()?;
            let address = format!("{}://{}", tls.scheme(), listener.local_addr()?);
            tracing::info!(version = env!("CARGO_PKG_VERSION"), %address, database = server.database(), "up");
            println!("ready {address}");
            let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
            site::run(listener, tls, &self.name, server, stop).await?;
            tracing::info!("stopped");
            Ok::<_, Failure>(())
        })?;
        Ok(Exit::FINE)
    }

    async fn tls(&self) -> Result<Tls, Failure> {
        let read = |path: &PathBuf| whole::read(path, whole::TEXT).with_context(|| path.display().to_string());
        match (&self.tls_certificate, &self.tls_key, &self.tls_self_made) {
            (Some(certificate), Some(key), _) => {
                let tls = Tls::of_pem(read(certificate)?, &Zeroizing::new(read(key)?)).await;
                Ok(tls.with_context(|| format!("TLS with {} and {}", certificate.display(), key.display()))?)
            }
            (_, _, Some(file)) => {
                let (tls, pem) = Tls::self_made(self.listen, &self.name).await?;
                let named = || format!("--tls-self-made {}", file.display());
                whole::write(file, pem.as_bytes(), whole::For::Everybody).with_context(named)?;
                Ok(tls)
            }
            _ => Ok(Tls::None),
        }
    }
}
