//! stdin and the console of Windows. A console tells of keys, which can be waited for; a pipe is read by a thread, since it cannot.

use crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use crossterm::terminal::{disable_raw_mode, enable_raw_mode};
use std::io::{self, IsTerminal, Read};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;
use zeroize::Zeroizing;

/// stdin.
pub(super) struct Source {
    terminal: bool,
    /// What comes through a pipe, once somebody has asked for it.
    piped: Option<Receiver<io::Result<Zeroizing<Vec<u8>>>>>,
}

impl Source {
    /// What is typed is read key by key, and shown by who reads it.
    pub(super) const BY_KEYS: bool = true;

    pub(super) fn new() -> Self {
        Self { terminal: io::stdin().is_terminal(), piped: None }
    }

    pub(super) fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// The next bytes, none at the end of input; `None` when nothing comes for so long.
    pub(super) fn read(&mut self, wait: Duration) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
        if !self.terminal {
            return match self.piped.get_or_insert_with(pipe).recv_timeout(wait) {
                Ok(bytes) => bytes.map(Some),
                Err(RecvTimeoutError::Timeout) => Ok(None),
                Err(RecvTimeoutError::Disconnected) => Ok(Some(Zeroizing::default())),
            };
        }
        while event::poll(wait)? {
            let Event::Key(key) = event::read()? else { continue };
            let bytes = bytes(&key);
            if !bytes.is_empty() {
                return Ok(Some(bytes));
            }
        }
        Ok(None)
    }

    /// Forgets what was typed and not read.
    pub(super) fn discard(&self) -> io::Result<()> {
        while event::poll(Duration::ZERO)? {
            event::read()?;
        }
        Ok(())
    }

    pub(super) fn silence(&self) -> io::Result<Silence> {
        // Where the console knows them, what moves the cursor is done and not shown.
        let _ = crossterm::ansi_support::supports_ansi();
        enable_raw_mode()?;
        Ok(Silence)
    }
}

/// The bytes that a terminal would send for a key.
fn bytes(key: &KeyEvent) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(match key.code {
        _ if key.kind == KeyEventKind::Release => Vec::new(),
        KeyCode::Enter => vec![b'\n'],
        KeyCode::Backspace => vec![0x08],
        KeyCode::Char(letter @ 'a'..='z') if key.modifiers == KeyModifiers::CONTROL => vec![letter as u8 & 0x1F],
        KeyCode::Char(letter) => letter.to_string().into_bytes(),
        _ => Vec::new(),
    })
}

fn pipe() -> Receiver<io::Result<Zeroizing<Vec<u8>>>> {
    let (tell, read) = channel();
    std::thread::spawn(move || {
        let mut stdin = io::stdin().lock();
        loop {
            let mut buffer = Zeroizing::new([0u8; 1024]);
            let bytes = stdin.read(&mut buffer[..]).map(|count| Zeroizing::new(buffer[..count].to_vec()));
            let end = bytes.as_ref().map_or(true, |bytes| bytes.is_empty());
            if tell.send(bytes).is_err() || end {
                return;
            }
        }
    });
    read
}

/// The console hands over each key and shows none, until this is dropped.
pub(super) struct Silence;

impl Drop for Silence {
    fn drop(&mut self) {
        let _ = disable_raw_mode();
    }
}
