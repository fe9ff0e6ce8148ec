//! `cardlab exec`: a command with readers of its own.

use crate::bench::{self, Bench};
use crate::exit::{Exit, Failure, OrExit};
use crate::guests::PORTS_VARIABLE;
use crate::readers::ReaderOptions;
use crate::terminal::show_again;
use anyhow::anyhow;
use cardlab_control::page::Shell;
use cardlab_control::{CONTROL_VARIABLE, beside};
use cardlab_pcsclite::wire::SOCKET_VARIABLE;
use cardlab_vreader::PrivateDirectory;
use cardlab_vreader::server::listen;
use clap::Args;
use std::ffi::OsString;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use tokio::process::{Child, Command};
use tokio::signal::unix::{Signal, SignalKind, signal};

#[derive(Args)]
#[command(after_help = "Example:\n  cardlab exec --card yubikey-5.4 -- yubico-piv-tool -a status")]
pub(crate) struct Exec {
    #[command(flatten)]
    readers: ReaderOptions,

    /// Let the command use its usual cache directory; by default it gets an empty one, because
    /// OpenSC keeps card contents by serial number
    #[arg(long)]
    keep_cache: bool,

    /// The bench in a browser, as long as the command runs: readers, cards and what comes in. Stderr has the address that opens it
    #[arg(long)]
    page: bool,

    /// The command and its arguments
    #[arg(required = true, trailing_var_arg = true, value_name = "CMD")]
    command: Vec<OsString>,
}

impl Exec {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let result = runtime.block_on(self.run_inside());
        // A password may have been asked for.
        show_again();
        // A key generation that nobody waits for any more must not keep the process alive.
        runtime.shutdown_background();
        result
    }

    async fn run_inside(self) -> Result<Exit, Failure> {
        let mut signals = Signals::catch()?;
        let readers = tokio::select! {
            readers = self.readers.rack() => readers?,
            // There is no command yet that it could be meant for.
            kind = signals.next() => return Ok(Exit::signal(kind.as_raw_value())),
        };
        let directory = PrivateDirectory::new()?;
        let socket = directory.path().join("pcscd.comm");
        let listener = listen(&socket)?;
        tokio::spawn(readers.rack.server().clone().serve(listener));
        let control = beside(&socket);
        let shell = Shell { socket: socket.clone(), control: control.clone() };
        let bench = Bench::over(self.readers.control(&readers), shell);
        tokio::spawn(bench.control.clone().serve(listen(&control)?));
        if self.page {
            let listener = bench::bind("--page", SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
            eprintln!("cardlab: bench at {}", bench.open(listener)?);
        }
        let mut command = Command::new(&self.command[0]);
        command.args(&self.command[1..]).env(SOCKET_VARIABLE, &socket).env(CONTROL_VARIABLE, &control);
        if !readers.ports.is_empty() {
            command.env(PORTS_VARIABLE, readers.ports.iter().map(ToString::to_string).collect::<Vec<_>>().join(","));
        }
        if !self.keep_cache {
            let cache = directory.path().join("cache");
            std::fs::create_dir(&cache)?;
            command.env("XDG_CACHE_HOME", cache);
        }
        let program = self.command[0].to_string_lossy();
        let mut child = match command.spawn() {
            Ok(child) => child,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                return Err(anyhow!("{program}: command not found")).or_exit(Exit::NOT_FOUND);
            }
            Err(e) => return Err(anyhow!("{program}: {e}")).or_exit(Exit::NOT_EXECUTABLE),
        };
        let status = signals.forward_until_end(&mut child).await?;
        Ok(exit_of(status))
    }
}

/// Shell convention.
fn exit_of(status: ExitStatus) -> Exit {
    match (status.code(), status.signal()) {
        (Some(code), _) => Exit(code as u8),
        (None, Some(signal)) => Exit::signal(signal),
        (None, None) => Exit(1),
    }
}

/// Signals that are meant for the command.
struct Signals {
    caught: Vec<(SignalKind, Signal)>,
}

impl Signals {
    fn catch() -> std::io::Result<Self> {
        let kinds = [
            SignalKind::interrupt(),
            SignalKind::quit(),
            SignalKind::terminate(),
            SignalKind::hangup(),
            SignalKind::user_defined1(),
            SignalKind::user_defined2(),
        ];
        let caught = kinds.into_iter().map(|kind| Ok((kind, signal(kind)?))).collect::<std::io::Result<_>>()?;
        Ok(Self { caught })
    }

    async fn forward_until_end(&mut self, child: &mut Child) -> std::io::Result<ExitStatus> {
        let id = child.id().and_then(|id| rustix::process::Pid::from_raw(id.cast_signed()));
        loop {
            tokio::select! {
                status = child.wait() => return status,
                kind = self.next() => {
                    let from_terminal = matches!(kind, k if k == SignalKind::interrupt() || k == SignalKind::quit())
                        && is_foreground();
                    let number = rustix::process::Signal::from_named_raw(kind.as_raw_value());
                    // The terminal has sent its signals to the command as well.
                    if let (false, Some(id), Some(number)) = (from_terminal, id, number) {
                        let _ = rustix::process::kill_process(id, number);
                    }
                }
            }
        }
    }

    /// The next signal, of whichever kind.
    async fn next(&mut self) -> SignalKind {
        std::future::poll_fn(|context| {
            for (kind, signal) in &mut self.caught {
                if signal.poll_recv(context).is_ready() {
                    return std::task::Poll::Ready(*kind);
                }
            }
            std::task::Poll::Pending
        })
        .await
    }
}

/// Whether this process is in the foreground of a terminal.
fn is_foreground() -> bool {
    rustix::termios::tcgetpgrp(std::io::stdin()).is_ok_and(|group| group == rustix::process::getpgrp())
}
