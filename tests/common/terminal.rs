//! A program in a terminal of its own, and somebody who reads and types there.

pub use pty_process::blocking::Command;

use pty_process::blocking::{Pty, open};
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use std::io::{Read, Write};
use std::process::Child;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

/// Longest wait for a word on the terminal.
const PATIENCE: Duration = Duration::from_secs(30);

pub struct Terminal {
    child: Child,
    keyboard: Arc<Pty>,
    screen: Receiver<Vec<u8>>,
    /// What is on the screen and was not yet looked for.
    unread: Vec<u8>,
}

impl Terminal {
    /// Starts a program. The terminal echoes nothing, so all that is seen comes from the program.
    pub fn run(command: Command) -> Self {
        let (pty, end) = open().unwrap();
        let mut modes = tcgetattr(&end).unwrap();
        modes.local_modes.remove(LocalModes::ECHO);
        tcsetattr(&end, OptionalActions::Now, &modes).unwrap();
        let child = command.spawn(end).unwrap();
        let keyboard = Arc::new(pty);
        let (sender, screen) = channel();
        let reader = Arc::clone(&keyboard);
        std::thread::spawn(move || {
            let mut piece = [0; 4096];
            // An error is the end: nobody has the other side open.
            while let Ok(length @ 1..) = (&*reader).read(&mut piece) {
                if sender.send(piece[..length].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self { child, keyboard, screen, unread: Vec::new() }
    }

    /// Waits for a text; gives what stood before it.
    #[track_caller]
    pub fn sees(&mut self, text: &str) -> String {
        loop {
            if let Some(at) = self.unread.windows(text.len()).position(|window| window == text.as_bytes()) {
                let before = self.unread.drain(..at + text.len()).take(at).collect::<Vec<u8>>();
                return String::from_utf8_lossy(&before).into_owned();
            }
            match self.screen.recv_timeout(PATIENCE) {
                Ok(piece) => self.unread.extend(piece),
                Err(error) => panic!("no '{text}', {error}; but {}", String::from_utf8_lossy(&self.unread)),
            }
        }
    }

    /// Waits for a question; gives it, from its capital letter on.
    #[track_caller]
    pub fn question(&mut self) -> String {
        let before = self.sees("? ");
        let start = before.rfind(char::is_uppercase).unwrap_or_else(|| panic!("no question in {before}"));
        before[start..].to_owned()
    }

    /// Waits for the program's end.
    #[track_caller]
    pub fn ends(&mut self) {
        loop {
            match self.screen.recv_timeout(PATIENCE) {
                Ok(piece) => self.unread.extend(piece),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("no end, but {}", String::from_utf8_lossy(&self.unread)),
            }
        }
        self.child.wait().unwrap();
    }

    pub fn types(&mut self, keys: &str) {
        (&*self.keyboard).write_all(keys.as_bytes()).unwrap();
    }

    /// A line and the Enter key.
    pub fn enters(&mut self, line: &str) {
        self.types(&format!("{line}\n"));
    }

    /// The Control key and a letter.
    pub fn control(&mut self, letter: char) {
        self.types(&char::from(u8::try_from(letter).unwrap() & 0x1F).to_string());
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
