//! stdin and the terminal of a Unix system.

use super::{Edited, edit};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{LocalModes, OptionalActions, QueueSelector, Termios, tcflush, tcgetattr, tcsetattr};
use std::io::{self, IsTerminal, Read, Stdin, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use zeroize::Zeroizing;

/// stdin.
pub(super) struct Source(Stdin);

impl Source {
    /// The terminal hands over lines, and shows what is typed.
    pub(super) const BY_KEYS: bool = false;

    pub(super) fn new() -> Self {
        Self(io::stdin())
    }

    pub(super) fn is_terminal(&self) -> bool {
        self.0.is_terminal()
    }

    /// The next bytes, none at the end of input; `None` when nothing comes for so long.
    pub(super) fn read(&mut self, wait: Duration) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
        let wait = Timespec { tv_sec: wait.as_secs().cast_signed(), tv_nsec: wait.subsec_nanos().into() };
        if poll(&mut [PollFd::new(&self.0, PollFlags::IN)], Some(&wait))? == 0 {
            return Ok(None);
        }
        let mut buffer = Zeroizing::new([0u8; 1024]);
        let count = rustix::io::read(&self.0, &mut buffer[..])?;
        Ok(Some(Zeroizing::new(buffer[..count].to_vec())))
    }

    /// Forgets what was typed and not read.
    pub(super) fn discard(&self) -> io::Result<()> {
        Ok(tcflush(&self.0, QueueSelector::IFlush)?)
    }

    pub(super) fn silence(&self) -> io::Result<Silence> {
        Silence::on(&self.0)
    }
}

/// Asks the person at the terminal of this process, wherever its input and output go; nothing of the answer is shown. `None`
/// when they give up.
///
/// # Errors
/// What the system says when there is no terminal.
pub(crate) fn ask_hidden(question: &str) -> io::Result<Option<Zeroizing<String>>> {
    let mut terminal = std::fs::File::options().read(true).write(true).open("/dev/tty")?;
    write!(terminal, "{question}")?;
    let _silence = Silence::on(&terminal)?;
    let mut line = Zeroizing::new(Vec::with_capacity(128));
    let end = loop {
        let mut byte = [0];
        if terminal.read(&mut byte)? == 0 {
            break Edited::GivenUp;
        }
        match edit(&mut line, byte[0], true) {
            Edited::Goes => {}
            end => break end,
        }
    };
    writeln!(terminal)?;
    Ok(match end {
        Edited::Done => Some(Zeroizing::new(String::from_utf8_lossy(&line).into_owned())),
        _ => None,
    })
}

/// The terminal that shows nothing now, and how it was before.
static SILENT: Mutex<Option<(OwnedFd, Termios)>> = Mutex::new(None);

/// The terminal shows nothing and hands over each key, until this is dropped.
pub(super) struct Silence(());

impl Silence {
    fn on(terminal: &impl AsFd) -> io::Result<Self> {
        let terminal = terminal.as_fd().try_clone_to_owned()?;
        let before = tcgetattr(&terminal)?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG);
        tcsetattr(&terminal, OptionalActions::Now, &silent)?;
        *SILENT.lock().unwrap_or_else(PoisonError::into_inner) = Some((terminal, before));
        Ok(Self(()))
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        show_again();
    }
}

/// Lets the terminal show what is typed, as before; for a process that ends while a thread of it still asks.
pub(crate) fn show_again() {
    if let Some((terminal, before)) = SILENT.lock().unwrap_or_else(PoisonError::into_inner).take() {
        let _ = tcsetattr(&terminal, OptionalActions::Now, &before);
    }
}
