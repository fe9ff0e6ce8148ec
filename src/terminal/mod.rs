//! Lines that a person types, or a program writes into our stdin. Where bytes come from is the system's: `unix`, `windows`.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
use unix::Source;
#[cfg(unix)]
pub(crate) use unix::{ask_hidden, show_again};
#[cfg(windows)]
use windows::Source;

use std::io::{self, Write};
use std::ops::ControlFlow;
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
    let _ = print_while_read(text);
}

/// The same of what has no end but that: it is over as soon as nobody reads it any more.
pub(crate) fn print_while_read(text: std::fmt::Arguments<'_>) -> ControlFlow<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_fmt(text).and_then(|()| stdout.flush()) {
        Ok(()) => ControlFlow::Continue(()),
        // ERROR_PIPE_NOT_CONNECTED, which the standard library has no name for.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe || cfg!(windows) && error.raw_os_error() == Some(233) => {
            ControlFlow::Break(())
        }
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
    source: Source,
    /// Bytes read but not yet given out, turned round: programs write several lines at once.
    rest: Zeroizing<Vec<u8>>,
}

impl Lines {
    pub(crate) fn new() -> Self {
        Self { source: Source::new(), rest: Zeroizing::new(Vec::new()) }
    }

    /// Whether a person sits there.
    pub(crate) fn is_terminal(&self) -> bool {
        self.source.is_terminal()
    }

    /// The next line. While it waits, `idle` is called after each `every`, and may break off. A
    /// `hidden` line shows a star for each character on a terminal.
    pub(crate) fn next<B>(
        &mut self,
        hidden: bool,
        every: Duration,
        mut idle: impl FnMut() -> ControlFlow<B>,
    ) -> io::Result<Entry<B>> {
        // A terminal that cannot be waited for by lines is read by keys, and what was typed is shown here.
        let keys = self.is_terminal() && (hidden || Source::BY_KEYS);
        let silence = if keys { Some(self.source.silence()?) } else { None };
        if silence.is_some() {
            // Where what is shown begins.
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
                        self.source.discard()?;
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
                        show(&line, hidden)?;
                    }
                }
            }
        }
    }

    /// The next byte; `None` at the end of input.
    fn byte<B>(&mut self, every: Duration, idle: &mut impl FnMut() -> ControlFlow<B>) -> io::Result<Option<ControlFlow<B, u8>>> {
        while self.rest.is_empty() {
            match self.source.read(every)? {
                None => {
                    if let ControlFlow::Break(why) = idle() {
                        return Ok(Some(ControlFlow::Break(why)));
                    }
                }
                // Bytes come off the end.
                Some(bytes) if !bytes.is_empty() => self.rest.extend(bytes.iter().rev()),
                Some(_) => break,
            }
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

fn text<B>(line: &[u8]) -> Entry<B> {
    Entry::Line(Zeroizing::new(String::from_utf8_lossy(line).into_owned()))
}

/// The line over what stands there; of a hidden one a star for each character.
fn show(line: &[u8], hidden: bool) -> io::Result<()> {
    let shown = Zeroizing::new(String::from_utf8_lossy(line).into_owned());
    let shown = if hidden { Zeroizing::new("*".repeat(shown.chars().count())) } else { shown };
    print!("\x1b8\x1b[K{}", *shown);
    io::stdout().flush()
}
