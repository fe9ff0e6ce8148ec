//! `cardlab up`: readers that stay up.

use crate::bench::{self, Bench};
use crate::exit::{Exit, Failure, OrExit};
use crate::readers::ReaderOptions;
use crate::terminal::show_again;
use crate::usb::UsbOptions;
use anyhow::{Context as _, anyhow};
use cardlab_control::beside;
use cardlab_control::page::Shell;
use cardlab_pcsclite::wire::{SOCKET_VARIABLE, SYSTEM_SOCKET};
use cardlab_vreader::PrivateDirectory;
use cardlab_vreader::server::{Access, listen_for};
use cardlab_vreader::vpcd;
use cardlab_whole as whole;
use clap::Args;
use std::fs::File;
use std::io::{ErrorKind, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use tokio::net::UnixListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;

#[derive(Args)]
pub(crate) struct Up {
    #[command(flatten)]
    readers: ReaderOptions,

    /// Listen here instead of in a private directory
    #[arg(long, value_name = "PATH", conflicts_with_all = ["system", "vpcd"])]
    socket: Option<PathBuf>,

    /// Who may connect to the socket, as octal permission bits: 0666 is every user, 0660 the owner and a group. Else it
    /// is for its owner only (with --system for all). Containers run programs as other users
    #[arg(long, value_name = "MODE", value_parser = socket_mode, requires = "socket")]
    socket_mode: Option<u32>,

    /// The group that the socket belongs to, by its name or number; it may connect, unless --socket-mode says otherwise
    #[arg(long, value_name = "GROUP", value_parser = group, requires = "socket")]
    socket_group: Option<u32>,

    /// Listen where pcscd would, for every user: for setuid programs and services, which ignore
    /// PCSCLITE_CSOCK_NAME
    #[arg(long, conflicts_with = "vpcd")]
    system: bool,

    /// Where `cardlab card` drives the readers; else beside the socket, with .control at its end
    #[arg(long, value_name = "PATH", conflicts_with = "vpcd")]
    control: Option<PathBuf>,

    /// Put the cards into the vpcd readers of a system-wide pcscd instead: the first card at this
    /// port, each further one at the next
    #[arg(long, value_name = "HOST:PORT", conflicts_with_all = ["usbredir", "usbip", "usb_slots"])]
    vpcd: Option<String>,

    /// The bench in a browser: readers, cards and what comes in. The ready line has the address that opens it
    ///
    /// It is for this machine only. Without an address it is at a free port of 127.0.0.1.
    #[arg(long, value_name = "ADDRESS", num_args = 0..=1, default_missing_value = "127.0.0.1:0", conflicts_with = "vpcd")]
    page: Option<SocketAddr>,

    #[command(flatten)]
    usb: UsbOptions,

    /// Write the ready line to this file descriptor too
    #[arg(long, value_name = "N")]
    ready_fd: Option<u32>,

    /// Where that leads, taken before a descriptor of ours can have its number.
    #[arg(skip)]
    told: Option<File>,
}

impl Up {
    pub(crate) fn run(mut self) -> Result<Exit, Failure> {
        self.told = self.ready_fd.map(started_with).transpose().or_exit(Exit::USAGE)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let result = runtime.block_on(async {
            let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
            tokio::select! {
                failure = self.keep_up() => failure,
                _ = interrupt.recv() => Ok(Exit::FINE),
                _ = terminate.recv() => Ok(Exit::FINE),
            }
        });
        // A password may have been asked for.
        show_again();
        let _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
        runtime.shutdown_background();
        result
    }

    async fn keep_up(&self) -> Result<Exit, Failure> {
        if let Some(address) = &self.vpcd {
            return self.keep_in_vpcd(address).await;
        }
        let page = self.page.map(|address| bench::bind("--page", address)).transpose()?;
        let place = self.listen()?;
        let readers = self.readers.rack().await?;
        for port in &readers.ports {
            eprintln!("cardlab: cards connect to {port}");
        }
        let control = match &self.control {
            Some(path) => std::path::absolute(path)?,
            None => beside(&place.path),
        };
        let shell = Shell { socket: place.path.clone(), control: control.clone() };
        let bench = Bench::over(self.readers.control(&readers), shell);
        let _control = match listen_for(&control, Access::Owner) {
            Ok(listener) => {
                tokio::spawn(bench.control.clone().serve(listener));
                Some(SocketFile(control))
            }
            Err(error) if self.control.is_some() => return Err(error).context("--control").map_err(Failure::from),
            // Beside a socket that systemd passes there may be no room for another.
            Err(error) => {
                eprintln!("cardlab: no control socket: {error}; --control puts it elsewhere");
                None
            }
        };
        let usb = self.usb.serve(&readers.rack, &readers.devices).await?;
        let mut words = vec![format!("{SOCKET_VARIABLE}={}", place.path.display())];
        words.extend(usb.words.iter().cloned());
        if let Some(listener) = page {
            words.push(format!("page={}", bench.open(listener)?));
        }
        self.ready(&words.join(" "))?;
        match readers.rack.server().clone().serve(place.listener).await {}
    }

    /// The socket, and what has to go when it goes.
    fn listen(&self) -> Result<Place, Failure> {
        let passed = listenfd::ListenFd::from_env().take_unix_listener(0).context("LISTEN_FDS")?;
        if let Some(listener) = passed {
            listener.set_nonblocking(true)?;
            let path = listener.local_addr()?.as_pathname().map(Path::to_owned).unwrap_or_default();
            return Ok(Place { listener: UnixListener::from_std(listener)?, path, _remove: Remove::Nothing });
        }
        let (path, access) = match (&self.socket, self.system) {
            // The ready line must hold after a change of directory.
            (Some(path), _) => (std::path::absolute(path)?, self.access()),
            (None, true) => (PathBuf::from(SYSTEM_SOCKET), Access::Everyone),
            (None, false) => {
                let directory = PrivateDirectory::new()?;
                let path = directory.path().join("pcscd.comm");
                return Ok(Place { listener: listen_for(&path, Access::Owner)?, path, _remove: Remove::Directory(directory) });
            }
        };
        if let (true, Some(parent)) = (self.system, path.parent()) {
            std::fs::create_dir_all(parent).with_context(|| format!("{} (--system needs root)", parent.display()))?;
        }
        let listener = listen_for(&path, access)?;
        Ok(Place { listener, _remove: Remove::Socket(SocketFile(path.clone())), path })
    }

    /// Who may connect to a socket that was named.
    fn access(&self) -> Access {
        match (self.socket_mode, self.socket_group) {
            (None, None) => Access::Owner,
            (mode, group) => Access::Chosen { mode: mode.unwrap_or(0o660), group },
        }
    }

    async fn keep_in_vpcd(&self, address: &str) -> Result<Exit, Failure> {
        let (host, port) =
            address.rsplit_once(':').ok_or_else(|| anyhow!("--vpcd {address}: write HOST:PORT, such as 127.0.0.1:35963"))?;
        let port: u16 = port.parse().with_context(|| format!("--vpcd {address}: '{port}' is no port"))?;
        let mut cards = JoinSet::new();
        let (connected, mut connections) = tokio::sync::mpsc::unbounded_channel();
        let (made, _recording) = self.readers.make().await?;
        if made.iter().any(|card| card.keeper.is_some()) {
            return Err(anyhow!("--vpcd {address}: only simulated cards go into the readers of others")).or_exit(Exit::USAGE);
        }
        let mut missing = made.len();
        for (index, card) in made.into_iter().enumerate() {
            let port = port
                .checked_add(u16::try_from(index)?)
                .ok_or_else(|| anyhow!("--vpcd {address}: no ports left for {missing} cards"))?;
            let (address, connected) = (format!("{host}:{port}"), connected.clone());
            cards.spawn(async move {
                vpcd::serve(&address, Box::new(card.card), || {
                    let _ = connected.send(index);
                })
                .await
            });
        }
        let mut seen = vec![false; missing];
        while let Some(index) = connections.recv().await {
            if !std::mem::replace(&mut seen[index], true) {
                missing -= 1;
                if missing == 0 {
                    self.ready(&format!("vpcd={address}"))?;
                }
            }
        }
        Err(anyhow!("every vpcd task has ended").into())
    }

    fn ready(&self, what: &str) -> Result<(), Failure> {
        let line = format!("ready {what}\n");
        let mut stdout = std::io::stdout();
        // Nobody may be reading it; the readers stay up all the same.
        let _ = stdout.write_all(line.as_bytes()).and_then(|()| stdout.flush());
        if let Some(mut told) = self.told.as_ref() {
            told.write_all(line.as_bytes()).context("--ready-fd")?;
        }
        let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
        Ok(())
    }
}

/// A descriptor that the program was started with, to be written to.
fn started_with(fd: u32) -> anyhow::Result<File> {
    whole::record(Path::new(&format!("/dev/fd/{fd}"))).map_err(|error| match error.kind() {
        ErrorKind::NotFound => {
            anyhow!("--ready-fd {fd}: nothing is open there; start cardlab with it, as a shell does by {fd}>FILE")
        }
        _ => anyhow!("--ready-fd {fd}: {error}"),
    })
}

/// Permission bits of a socket: its owner connects in any case, and nobody runs it.
fn socket_mode(text: &str) -> Result<u32, String> {
    let mode = u32::from_str_radix(text, 8).ok().filter(|mode| mode & !0o666 == 0 && mode & 0o600 == 0o600);
    mode.ok_or_else(|| "octal permission bits between 0600 and 0666, such as 0660".into())
}

/// The number of a group.
fn group(text: &str) -> Result<u32, String> {
    if let Ok(number) = text.parse() {
        return Ok(number);
    }
    let groups = std::fs::read_to_string("/etc/group").map_err(|error| format!("/etc/group: {error}; give its number"))?;
    let named = groups.lines().map(|line| line.split(':')).find(|fields| fields.clone().next() == Some(text));
    let number = named.and_then(|mut fields| fields.nth(2)?.parse().ok());
    number.ok_or_else(|| "no such group in /etc/group; give its number".into())
}

struct Place {
    listener: UnixListener,
    path: PathBuf,
    _remove: Remove,
}

/// What goes with the listener; held for its `Drop`.
#[allow(dead_code)]
enum Remove {
    Nothing,
    Socket(SocketFile),
    Directory(PrivateDirectory),
}

/// A socket's file, which goes when this value goes.
pub(crate) struct SocketFile(pub(crate) PathBuf);

impl Drop for SocketFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}
