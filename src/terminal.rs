//! Lines that a person types, or a program writes into our stdin.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{LocalModes, OptionalActions, QueueSelector, Termios, tcflush, tcgetattr, tcsetattr};
use std::io::{self, IsTerminal, Read, Stdin, Write};
use std::ops::ControlFlow;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;
use zeroize::{Zeroize, Zeroizing};

const INTERRUPT: u8 = 0x03;
const END: u8 = 0x04;
/// What Linux makes of [`END`] that was typed while the terminal still handed over whole lines.
const EARLY_END: u8 = 0x00;
const BACKSPACE: [u8; 2] = [0x08, 0x7F];
const KILL: u8 = 0x15;

/// Writes to stdout. A reader that has gone is no error: what is being done goes on without one. A stdout that
/// cannot be written ends the process, because whoever wants the output must not take silence for success.
pub(crate) fn print(text: std::fmt::Arguments<'_>) {
    let mut stdout = io::stdout().lock();
    match stdout.write_fmt(text).and_then(|()| stdout.flush()) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
        Err(error) => {
            eprintln!("cardlab: stdout: {error}");
            std::process::exit(2);
        }
    }
}

/// What came instead of a line, or the line.
pub(crate) enum Entry<B> {
    /// A line without its end.
    Line(Zeroizing<String>),
    /// There is no more input, or the person pressed Ctrl-C or Ctrl-D.
    End,
    /// What the `idle` function broke off with.
    Broken(B),
}

/// stdin, read line by line.
pub(crate) struct Lines {
    stdin: Stdin,
    /// Bytes read but not yet given out: programs write several lines at once.
    rest: Zeroizing<Vec<u8>>,
}

impl Lines {
    pub(crate) fn new() -> Self {
        Self { stdin: io::stdin(), rest: Zeroizing::new(Vec::new()) }
    }

    /// Whether a person sits there.
    pub(crate) fn is_terminal(&self) -> bool {
        self.stdin.is_terminal()
    }

    /// The next line. While it waits, `idle` is called after each `every`, and may break off. A
    /// `hidden` line shows a star for each character on a terminal.
    pub(crate) fn next<B>(
        &mut self,
        hidden: bool,
        every: Duration,
        mut idle: impl FnMut() -> ControlFlow<B>,
    ) -> io::Result<Entry<B>> {
        let silence = if hidden && self.is_terminal() { Some(Silence::on(&self.stdin)?) } else { None };
        if silence.is_some() {
            // Where the stars begin.
            print!("\x1b7");
            io::stdout().flush()?;
        }
        let mut line = Zeroizing::new(Vec::with_capacity(128));
        loop {
            let Some(byte) = self.byte(every, &mut idle)? else {
                return Ok(if line.is_empty() { Entry::End } else { text(&line) });
            };
            let byte = match byte {
                ControlFlow::Continue(byte) => byte,
                ControlFlow::Break(why) => {
                    // Half a line must not become the answer to the next question.
                    if self.is_terminal() {
                        tcflush(&self.stdin, QueueSelector::IFlush)?;
                    }
                    return Ok(Entry::Broken(why));
                }
            };
            match edit(&mut line, byte, silence.is_some()) {
                Edited::Done => {
                    if silence.is_some() {
                        println!();
                    }
                    return Ok(text(&line));
                }
                Edited::GivenUp => {
                    println!();
                    return Ok(Entry::End);
                }
                Edited::Goes => {
                    if silence.is_some() {
                        stars(&line)?;
                    }
                }
            }
        }
    }

    /// The next byte; `None` at the end of input.
    fn byte<B>(&mut self, every: Duration, idle: &mut impl FnMut() -> ControlFlow<B>) -> io::Result<Option<ControlFlow<B, u8>>> {
        if self.rest.is_empty() {
            let wait = Timespec { tv_sec: every.as_secs().cast_signed(), tv_nsec: every.subsec_nanos().into() };
            while poll(&mut [PollFd::new(&self.stdin, PollFlags::IN)], Some(&wait))? == 0 {
                if let ControlFlow::Break(why) = idle() {
                    return Ok(Some(ControlFlow::Break(why)));
                }
            }
            let mut buffer = Zeroizing::new([0u8; 1024]);
            let count = rustix::io::read(&self.stdin, &mut buffer[..])?;
            // Turned round, so that bytes come off the end.
            self.rest.extend(buffer[..count].iter().rev());
        }
        Ok(self.rest.pop().map(ControlFlow::Continue))
    }
}

/// What a byte did to a line.
enum Edited {
    /// The line is complete.
    Done,
    /// The person pressed Ctrl-C or Ctrl-D.
    GivenUp,
    /// There is more to come.
    Goes,
}

/// Takes a byte into a line; `keys` are pressed one by one, and some of them change what stands there.
fn edit(line: &mut Vec<u8>, byte: u8, keys: bool) -> Edited {
    match byte {
        b'\n' | b'\r' => return Edited::Done,
        INTERRUPT | END | EARLY_END if keys => return Edited::GivenUp,
        // A character of several bytes goes as a whole.
        byte if keys && BACKSPACE.contains(&byte) => while line.pop().is_some_and(|b| b & 0xC0 == 0x80) {},
        KILL if keys => line.zeroize(),
        byte => line.push(byte),
    }
    Edited::Goes
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

fn text<B>(line: &[u8]) -> Entry<B> {
    Entry::Line(Zeroizing::new(String::from_utf8_lossy(line).into_owned()))
}

/// One star a character, over what stands there.
fn stars(line: &[u8]) -> io::Result<()> {
    let count = line.iter().filter(|b| *b & 0xC0 != 0x80).count();
    print!("\x1b8\x1b[K{}", "*".repeat(count));
    io::stdout().flush()
}

/// The terminal shows nothing and hands over each key, until this is dropped.
struct Silence {
    terminal: OwnedFd,
    before: Termios,
}

impl Silence {
    fn on(terminal: &impl AsFd) -> io::Result<Self> {
        let terminal = terminal.as_fd().try_clone_to_owned()?;
        let before = tcgetattr(&terminal)?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG);
        tcsetattr(&terminal, OptionalActions::Now, &silent)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        let _ = tcsetattr(&self.terminal, OptionalActions::Now, &self.before);
    }
}
