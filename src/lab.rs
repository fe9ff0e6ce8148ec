//! `cardlab lab`: everything together, to try it.

use crate::exit::{Exit, Failure};
use crate::readers::ReaderOptions;
use crate::site::{self, Tls};
use anyhow::{Context as _, anyhow};
use cardlab_client::minidriver::Minidriver;
use cardlab_client::service::{Service, Trust};
use cardlab_client::unlock::desk::{Desk, Setup};
use cardlab_client::unlock::session::{Begin, Place, Rules};
use cardlab_control::beside;
use cardlab_lockscreen::page;
use cardlab_pcsclite::client::{Context, ShareMode};
use cardlab_pcsclite::wire::SOCKET_VARIABLE;
use cardlab_protocol::admin_key::Cipher;
use cardlab_scenario::world::station::Readers;
use cardlab_server_stub::answers::Hashing;
use cardlab_server_stub::bootstrap::{CARD_TYPE, sample};
use cardlab_server_stub::desk::NewCard;
use cardlab_server_stub::keys::CardIdentity;
use cardlab_server_stub::server::Server;
use cardlab_vreader::PrivateDirectory;
use cardlab_vreader::server::{Access, listen_for};
use clap::Args;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use zeroize::Zeroizing;

#[derive(Args)]
pub(crate) struct Lab {
    /// Keep cards, database and master key in this directory
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,

    /// Where the management server listens, on this machine
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8320")]
    server: SocketAddr,

    /// Where the lock screen listens, on this machine
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8321")]
    lockscreen: SocketAddr,
}

/// A sample user's card.
struct SampleCard {
    /// `--card` setting.
    request: String,
    /// The administration key that it was made with, where the server is to know it.
    key: Option<Zeroizing<String>>,
    label: &'static str,
}

impl Lab {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        for address in [self.server, self.lockscreen] {
            if !address.ip().is_loopback() {
                return Err(anyhow!("{address}: the lab is for this machine: 127.0.0.1 or [::1]").into());
            }
        }
        if let Some(directory) = &self.state {
            std::fs::create_dir_all(directory).with_context(|| directory.display().to_string())?;
        }
        let (db, master) = match &self.state {
            Some(directory) => {
                (format!("sqlite:{}", directory.join("cms.db").display()), site::master_key(&directory.join("master.key"))?)
            }
            None => {
                let mut master = Zeroizing::new(vec![0; 32]);
                getrandom::fill(&mut master)?;
                ("sqlite::memory:".to_owned(), master)
            }
        };
        let private = PrivateDirectory::new()?;
        let socket = private.path().join("pcscd.comm");
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let result = runtime.block_on(async {
            let server = site::open(&db, &master, Hashing::strong()).await?;
            let server = server.with_station(Arc::new(Readers::at(socket.clone())));
            server.bootstrap(sample::ADMINISTRATOR.0, sample::ADMINISTRATOR.1).await?;
            server.add_sample().await?;
            let cards = cards(&server)?;
            let readers = ReaderOptions::of(cards.iter().map(|c| c.request.clone()).collect(), self.state.clone());
            start_readers(readers, &socket)?;
            let registered = tokio::task::spawn_blocking({
                let socket = socket.clone();
                move || identities(&socket)
            });
            let ids = registered.await??;
            register(&server, &cards, &ids).await?;
            // The lock screen begins with the first sample user's card.
            let first = ids.first();
            let (cms, lock) = (bind(self.server)?, bind(self.lockscreen)?);
            let address = format!("http://{}", cms.local_addr()?);
            let service = tokio::task::spawn_blocking({
                let address = address.clone();
                move || Service::at(&address, &Trust::default())
            });
            let desk = Desk::start(Setup {
                socket: socket.clone(),
                reader: None,
                service: Some(service.await??),
                state: self.state.clone(),
                rules: Rules {
                    place: Place::LockScreen,
                    begin: Begin::Code,
                    server: true,
                    workstation: site::workstation(),
                    text: "Call the service desk and read the code to them.".into(),
                    keep: false,
                    first: first.map(hex::encode_upper),
                },
                look_every: None,
            });
            // Whoever reads that it is up may end it at once.
            let (stop_lock, stop_server) = (site::stopped()?, site::stopped()?);
            println!("{}", welcome(&address, &format!("http://{}", lock.local_addr()?), &socket));
            let lockscreen = site::serve(lock, Tls::None, page::router(desk, Place::LockScreen)?, stop_lock);
            let server = site::run(cms, Tls::None, &[], server, stop_server);
            tokio::try_join!(server, lockscreen)
        });
        runtime.shutdown_background();
        drop(private);
        result?;
        Ok(Exit::FINE)
    }
}

fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).with_context(|| format!("{address}; give another with --server or --lockscreen"))
}

/// One card for each sample user: a GIDS card with a key derived from the master key, a managed PIV card
/// with a key of its own, a YubiKey, which is unlocked with its PUK.
fn cards(server: &Server) -> Result<Vec<SampleCard>, Failure> {
    let mut id = [0; 16];
    getrandom::fill(&mut id)?;
    let identity = CardIdentity { card_type: CARD_TYPE, serial: &id, key_version: 1 };
    let derived = Zeroizing::new(hex::encode_upper(server.vault().derived(Cipher::Tdes, identity).as_bytes()));
    let mut own = Zeroizing::new(vec![0; 24]);
    getrandom::fill(&mut own)?;
    let own = Zeroizing::new(hex::encode_upper(&*own));
    Ok(vec![
        SampleCard {
            request: format!("gids,name=Anna,card-id={},admin-key={}", hex::encode_upper(id), *derived),
            key: Some(derived),
            label: "GIDS card",
        },
        SampleCard { request: format!("piv-admin,name=Boris,admin-key={}", *own), key: Some(own), label: "managed PIV card" },
        SampleCard { request: "yubikey-5.7,name=Clara".into(), key: None, label: "YubiKey, PUK 12345678" },
    ])
}

/// The readers, on a thread of their own.
fn start_readers(readers: ReaderOptions, socket: &Path) -> Result<(), Failure> {
    let (sender, receiver) = std::sync::mpsc::channel();
    let path = socket.to_owned();
    std::thread::spawn(move || {
        let run = || -> Result<(), Failure> {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let (rack, trace) = readers.rack().await?;
                tokio::spawn(readers.control(&rack, &trace).serve(listen_for(&beside(&path), Access::Owner)?));
                let listener = listen_for(&path, Access::Owner)?;
                let _ = sender.send(Ok(()));
                match rack.server().clone().serve(listener).await {}
            })
        };
        if let Err(failure) = run() {
            let _ = sender.send(Err(failure));
        }
    });
    receiver.recv().unwrap_or_else(|_| Err(anyhow!("the readers did not start").into()))
}

/// What the cards say they are, in the order of the readers.
fn identities(socket: &Path) -> anyhow::Result<Vec<Vec<u8>>> {
    let context = Context::establish_at(socket)?;
    let mut ids = Vec::new();
    for reader in context.readers()? {
        let mut card = context.connect(&reader.name, ShareMode::Shared)?;
        ids.push(Minidriver::open(&mut card)?.card_id()?.unwrap_or_default());
    }
    Ok(ids)
}

/// Registers the cards for the sample users. Cards that the database knows already stay as they are.
async fn register(server: &Server, cards: &[SampleCard], ids: &[Vec<u8>]) -> Result<(), Failure> {
    for ((card, id), (logon, ..)) in cards.iter().zip(ids).zip(sample::USERS) {
        let new = NewCard {
            serial: hex::encode_upper(id),
            card_type: CARD_TYPE.into(),
            atr: String::new(),
            label: card.label.into(),
            admin_key: card.key.as_ref().map(|key| key.to_string()),
            no_admin_key: card.key.is_none(),
        };
        server.add_issued_card(&new, logon).await?;
    }
    Ok(())
}

fn welcome(server: &str, lockscreen: &str, socket: &Path) -> String {
    let (admin, operator) = (sample::ADMINISTRATOR, sample::OPERATOR);
    let users: Vec<String> =
        sample::USERS.iter().map(|(logon, name, password)| format!("  {name}: {logon}, password {password}")).collect();
    format!(
        "ready\n\n\
         Lock screen          {lockscreen}\n\
         Management Console   {server}/mc     {} / {}, administrator {} / {}\n\
         Self-Service         {server}/ss     to set answers to security questions\n\
         Remote Self-Service  {server}/rss    to get a response without an operator\n\n\
         Users\n{}\n\n\
         The PIN of every card is 123456. Programs see the cards with\n  export {SOCKET_VARIABLE}={}\n\
         Try: cardlab card lock pin; cardlab unlock --online {server}",
        operator.0,
        operator.1,
        admin.0,
        admin.1,
        users.join("\n"),
        socket.display()
    )
}
