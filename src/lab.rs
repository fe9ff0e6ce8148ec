//! `cardlab lab`: everything together, to try it.

use crate::bench::{self, Bench};
use crate::choose::line;
use crate::exit::{Exit, Failure};
use crate::holders;
use crate::log::LogOptions;
use crate::readers::ReaderOptions;
use crate::site::{self, Master, Tls};
use crate::usb::UsbOptions;
use crate::web;
use anyhow::{Context as _, anyhow};
use cardlab_client::service::{Service, Trust};
use cardlab_client::unlock::desk::{Desk, Setup};
use cardlab_client::unlock::look::look;
use cardlab_client::unlock::session::{Begin, Face, First, Place, Rules};
use cardlab_control::beside;
use cardlab_control::page::Shell;
use cardlab_control::shell::quoted;
use cardlab_lockscreen::page;
use cardlab_pcsclite::client::Context;
use cardlab_pcsclite::wire::{ReaderState, SOCKET_VARIABLE};
use cardlab_protocol::admin_key::Cipher;
use cardlab_protocol::workstation::{Answer, Answers};
use cardlab_scenario::world::station::Readers;
use cardlab_server_stub::model::answers::Hashing;
use cardlab_server_stub::model::keys::CardIdentity;
use cardlab_server_stub::model::policy::Authentication;
use cardlab_server_stub::service::Server;
use cardlab_server_stub::service::cards::NewCard;
use cardlab_server_stub::service::login::Door;
use cardlab_server_stub::service::setup::{CARD_TYPE, MANAGED_CARD_TYPE, YUBIKEY_CARD_TYPE, sample};
use cardlab_vreader::PrivateDirectory;
use cardlab_vreader::server::{Access, listen_for};
use cardlab_whole as whole;
use clap::Args;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tracing_subscriber::filter::LevelFilter;
use zeroize::Zeroizing;

/// The PIN of every card.
const PIN: &str = "123456";
/// The PUK of every card that has one.
const PUK: &str = "12345678";
/// What everybody answers, in the order of [`sample::QUESTIONS`].
const ANSWERS: [&str; sample::QUESTIONS.len()] = ["Rex", "Uppsala", "Frey"];

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

    /// Where the bench listens, on this machine: readers, cards and what comes in, in a browser; port 0 is a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    bench: SocketAddr,

    /// Without limits on how often, to try the same again and again: guessing is free
    #[arg(long)]
    without_limits: bool,

    #[command(flatten)]
    usb: UsbOptions,

    #[command(flatten)]
    log: LogOptions,
}

/// A sample user's card.
struct SampleCard {
    /// `--card` setting.
    request: String,
    /// The administrator key that it was made with, where the server is to know it.
    key: Option<Zeroizing<String>>,
    /// What people call it.
    label: &'static str,
    /// The card type that it is registered with.
    card_type: &'static str,
    /// It has a PUK.
    puk: bool,
}

impl Lab {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        for address in [self.server, self.lockscreen] {
            if !address.ip().is_loopback() {
                return Err(anyhow!("{address}: the lab is for this machine: 127.0.0.1 or [::1]").into());
            }
        }
        // Before anything is made that would be left behind.
        let (cms, lock) = (web::bind("--server", self.server)?, web::bind("--lockscreen", self.lockscreen)?);
        let bench = bench::bind("--bench", self.bench)?;
        let _log = self.log.begin(LevelFilter::WARN)?;
        if let Some(directory) = &self.state {
            whole::directory(directory).with_context(|| format!("--state {}", directory.display()))?;
        }
        let (db, master) = match &self.state {
            Some(directory) => {
                (format!("sqlite:{}", directory.join("cms.db").display()), Master::of(&directory.join("master.key"))?)
            }
            None => ("sqlite::memory:".to_owned(), Master::passing()?),
        };
        let private = PrivateDirectory::new()?;
        let socket = private.path().join("pcscd.comm");
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let result = runtime.block_on(async {
            let listeners = Listeners { cms: &cms, lock: &lock, bench };
            let ended = web::stopped()?;
            let up = tokio::select! {
                up = self.bring_up(&db, &master, &socket, listeners) => up?,
                () = ended => return Ok(()),
            };
            println!("{}", up.welcome);
            let lockscreen = web::serve(lock, None, page::router(up.desk, Place::LockScreen)?, up.stop_lock);
            let server = site::run(cms, Tls::None, &[], up.server, up.stop_server);
            tokio::try_join!(server, lockscreen).map(drop)
        });
        runtime.shutdown_background();
        drop(private);
        result?;
        Ok(Exit::FINE)
    }

    /// Server, cards, readers and lock screen, which wait for whoever opens them.
    async fn bring_up(
        &self,
        db: &str,
        master: &Master,
        socket: &Path,
        at: Listeners<'_>,
    ) -> Result<Running<impl Future<Output = ()> + use<>>, Failure> {
        let server = site::open(db, master, Hashing::strong()).await?;
        let server = if self.without_limits { server.without_limits() } else { server };
        let server = server.with_station(Arc::new(Readers::at(socket.to_owned()).telling(holders::of(socket.to_owned()))));
        server.setup().bootstrap(sample::ADMINISTRATOR.0, sample::ADMINISTRATOR.1).await?;
        if server.setup().add_sample().await? {
            set_answers(&server).await?;
        }
        let cards = cards(&server)?;
        let readers = ReaderOptions::of(cards.iter().map(|c| c.request.clone()).collect(), self.state.clone());
        let (address, lockscreen) = (format!("http://{}", at.cms.local_addr()?), format!("http://{}", at.lock.local_addr()?));
        let beside = vec![("Lock screen", lockscreen.clone()), ("Management Console", format!("{address}/mc"))];
        let (usb, bench) = start_readers(readers, self.usb.clone(), at.bench, socket, beside).await?;
        let registered = tokio::task::spawn_blocking({
            let socket = socket.to_owned();
            move || faces(&socket)
        });
        let faces = registered.await??;
        register(&server, &cards, &faces).await?;
        let service = tokio::task::spawn_blocking({
            let address = address.clone();
            move || Service::at(&address, &Trust::default())
        });
        let desk = Desk::start(Setup {
            socket: socket.to_owned(),
            reader: None,
            service: Some(service.await??),
            // Codes are noted where the Unlock tool of this user notes them.
            state: crate::unlock::state(),
            rules: Rules {
                place: Place::LockScreen,
                begin: Begin::Code,
                server: true,
                workstation: web::workstation(),
                text: sample::DESK.into(),
                keep: false,
                // The first sample user's.
                first: faces.first().map_or(First::Any, |face| First::Preferred(face.serial.clone())),
            },
            look_every: None,
        });
        let program = std::env::current_exe().context("where this program is")?;
        let addresses = Addresses { bench: &bench, server: &address, lockscreen: &lockscreen, socket, program: &program };
        let welcome = welcome(&addresses, &cards, &faces, &usb, self.state.as_deref());
        // Whoever reads that it is up may end it at once.
        Ok(Running { server, desk, welcome, stop_lock: web::stopped()?, stop_server: web::stopped()? })
    }
}

/// Where the lab listens.
struct Listeners<'a> {
    cms: &'a TcpListener,
    lock: &'a TcpListener,
    bench: TcpListener,
}

/// What is up, and what ends its two servers.
struct Running<S> {
    server: Server,
    desk: Desk,
    welcome: String,
    stop_lock: S,
    stop_server: S,
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
    let settings = |index: usize| {
        let name = sample::USERS[index].1;
        format!("name={},owner={name},pin={PIN}", name.split(' ').next().unwrap_or(name))
    };
    let card = |request: String, key, (label, card_type), puk| SampleCard { request, key, label, card_type, puk };
    let gids = format!("gids,{},card-id={},admin-key={}", settings(0), hex::encode_upper(id), *derived);
    let managed = format!("piv-admin,{},puk={PUK},admin-key={}", settings(1), *own);
    Ok(vec![
        card(gids, Some(derived), ("GIDS card", CARD_TYPE), false),
        card(managed, Some(own), ("managed PIV card", MANAGED_CARD_TYPE), true),
        card(format!("yubikey-5.7,{},puk={PUK}", settings(2)), None, ("YubiKey", YUBIKEY_CARD_TYPE), true),
    ])
}

/// The sample users' answers, as they would set them in Self-Service.
async fn set_answers(server: &Server) -> Result<(), Failure> {
    for (logon, _, password) in sample::USERS {
        let login = server.logins().log_in(Door::SelfService, logon, password, "127.0.0.1").await?;
        let person = server.logins().person(&login.token).await?;
        let questions = server.self_service().own(&person).await?.questions;
        let known = sample::QUESTIONS.iter().zip(ANSWERS);
        let answers = known.filter_map(|(text, answer)| {
            let question = questions.iter().find(|question| question.text == **text)?;
            Some(Answer { question: question.id.clone(), text: answer.to_owned() })
        });
        server.self_service().set_answers(&person, &Answers { answers: answers.collect() }).await?;
    }
    Ok(())
}

/// The readers, on a thread of their own, and the bench over them. Gives where they are served as USB devices, and what opens
/// the bench.
async fn start_readers(
    readers: ReaderOptions,
    usb: UsbOptions,
    bench: TcpListener,
    socket: &Path,
    beside_it: Vec<(&'static str, String)>,
) -> Result<(Vec<String>, String), Failure> {
    let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
    let path = socket.to_owned();
    std::thread::spawn(move || {
        let run = || -> Result<(), Failure> {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let up = readers.rack().await?;
                let shell = Shell { socket: path.clone(), control: beside(&path) };
                let over = Bench::over(readers.control(&up), shell).with_links(beside_it);
                tokio::spawn(over.control.clone().serve(listen_for(&beside(&path), Access::Owner)?));
                let bench = over.open(bench)?;
                let listener = listen_for(&path, Access::Owner)?;
                let served = usb.serve(&up.rack, &up.devices).await?;
                let _ = sender.send(Ok((served.words.clone(), bench)));
                match up.rack.server().clone().serve(listener).await {}
            })
        };
        if let Err(failure) = run() {
            let _ = sender.send(Err(failure));
        }
    });
    receiver.recv().await.unwrap_or_else(|| Err(anyhow!("the readers did not start").into()))
}

/// What the cards say they are, in the order of the readers.
fn faces(socket: &Path) -> anyhow::Result<Vec<Face>> {
    let context = Context::establish_at(socket)?;
    let readers = context.readers()?;
    let face = |reader: &ReaderState| {
        let card = look(&context, &reader.name);
        card.face.clone().ok_or_else(|| anyhow!("{}", line(&card)))
    };
    readers.iter().map(face).collect()
}

/// Registers the cards for the sample users. Cards that the database knows already stay as they are.
async fn register(server: &Server, cards: &[SampleCard], faces: &[Face]) -> Result<(), Failure> {
    for ((card, face), (logon, ..)) in cards.iter().zip(faces).zip(sample::USERS) {
        let new = NewCard {
            serial: face.serial.clone(),
            card_type: card.card_type.into(),
            atr: String::new(),
            label: card.label.into(),
            admin_key: card.key.as_ref().map(|key| key.to_string()),
            no_admin_key: card.key.is_none(),
            untried: false,
        };
        server.setup().add_card_type(card.card_type, Cipher::Tdes).await?;
        server.setup().add_issued_card(&new, logon).await?;
    }
    Ok(())
}

/// Where everything is.
struct Addresses<'a> {
    bench: &'a str,
    server: &'a str,
    lockscreen: &'a str,
    socket: &'a Path,
    /// This very program, which need not be on anybody's path.
    program: &'a Path,
}

/// What a newcomer needs: pages, people, cards, and commands that run as they stand.
fn welcome(at: &Addresses<'_>, cards: &[SampleCard], faces: &[Face], usb: &[String], state: Option<&Path>) -> String {
    let (admin, operator) = (sample::ADMINISTRATOR, sample::OPERATOR);
    let Addresses { bench, server, lockscreen, .. } = at;
    let socket = quoted(&at.socket.to_string_lossy());
    let command = |words: &str| format!("    {SOCKET_VARIABLE}={socket} {} {words}", quoted(&at.program.to_string_lossy()));
    let people = sample::USERS.iter().map(|(logon, name, password)| format!("  {name:<12}{logon:<12}{password}\n"));
    let carried = sample::USERS.iter().zip(cards).zip(faces).map(|(((_, name, _), card), face)| {
        let puk = if card.puk { format!("  PUK {PUK}") } else { String::new() };
        format!("  {name:<12}{:<18}···{}  in {:<14}  PIN {PIN}{puk}\n", card.label, face.last_digits(), face.reader)
    });
    let answers = sample::QUESTIONS.iter().zip(ANSWERS).map(|(question, answer)| format!("  {question:<30}{answer}\n"));
    let Authentication { questions_to_ask: asked, maximum_retry_count: wrong, .. } = Authentication::default();
    let name = sample::USERS[0].1;
    let first = faces.first().map(|face| quoted(&face.reader)).unwrap_or_default();
    let end = match state {
        Some(directory) => format!("Ctrl-C ends it. Cards, people and keys stay in {}.", directory.display()),
        None => "Ctrl-C ends it and leaves nothing behind; --state DIR keeps everything.".into(),
    };
    [
        format!("ready\n\nBench                {bench}\nLock screen          {lockscreen}\n"),
        format!(
            "Management Console   {server}/mc     operator {} / {}, administrator {} / {}\n",
            operator.0, operator.1, admin.0, admin.1
        ),
        format!("Self-Service         {server}/ss     to set other answers\n"),
        format!("Remote Self-Service  {server}/rss    a response without an operator\n\nUsers and their passwords\n"),
        people.collect(),
        "\nTheir cards\n".into(),
        carried.collect(),
        "\nWhat each of them answers, unless you have set other answers\n".into(),
        answers.collect(),
        format!("  {asked} of these is asked, drawn at random; {wrong} wrong answers lock the user, whom the operator unlocks\n"),
        format!("\nTry, in another terminal\n  Lock the card of {name}:\n"),
        command(&format!("card lock pin --reader {first}")),
        "\n  Unlock it by a security question:\n".into(),
        command(&format!("unlock --reader {first} --online {server}")),
        "\n  Lock it again, and open the lock screen: it shows a code to read to the operator, who sits at the Management Console.\n".into(),
        if usb.is_empty() { String::new() } else { format!("\nOther machines see the readers as USB devices at\n  {}\n", usb.join("\n  ")) },
        format!("\nOther programs see the cards with\n  export {SOCKET_VARIABLE}={socket}\n\n{end}"),
    ]
    .concat()
}
