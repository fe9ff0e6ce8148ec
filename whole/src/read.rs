//! Reading files that are named by a person, or by a text that may come from anybody: nobody is waited for without end. At a named
//! pipe a service would wait for ever, and nothing could end it.

#[cfg(unix)]
use super::place::of_a_shell;
use super::place::{is_no_named_pipe, wrong};
use super::{read_sized, text, told};
use std::fs::{File, FileType, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::path::Path;

/// Seconds that somebody may take before the next byte comes out of a pipe: enough to type a password.
#[cfg(unix)]
const SILENCE: i64 = 60;

/// The bytes of a file, of a device that gives what it has at once, or of a pipe of a shell (`<(..)`, `/dev/stdin`); `most` at most.
///
/// # Errors
/// The kind of the system's, as a sentence; [`ErrorKind::FileTooLarge`]; [`ErrorKind::InvalidInput`] for a named pipe, a socket,
/// and a device that has nothing to give; [`ErrorKind::TimedOut`] for a pipe into which nobody writes for a minute.
pub fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let read = || {
        is_no_named_pipe(path, std::fs::metadata(path)?.file_type())?;
        let mut options = OpenOptions::new();
        // Opening a pipe waits for whoever writes into it, and a moment later one may stand there.
        #[cfg(unix)]
        {
            use rustix::fs::OFlags;
            use std::os::unix::fs::OpenOptionsExt as _;
            options.custom_flags((OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed());
        }
        let file = options.read(true).open(path)?;
        let about = file.metadata()?;
        is_no_named_pipe(path, about.file_type())?;
        read_sized(Patient::of(path, file, about.file_type()), about.len().min(most), most)
    };
    read().map_err(|error| match error.kind() {
        ErrorKind::WouldBlock => wrong("it is a device with nothing to read, not a file; name a file"),
        _ => told(error),
    })
}

/// The text of such a file.
///
/// # Errors
/// As [`read`]; [`ErrorKind::InvalidData`] for what is not UTF-8.
pub fn read_text(path: &Path, most: u64) -> io::Result<String> {
    text(read(path, most)?)
}

/// A file that is opened so that nobody waits at it; at what a shell has handed over one does, for a while.
struct Patient {
    file: File,
    #[cfg(unix)]
    somebody_writes: bool,
}

impl Patient {
    #[cfg(unix)]
    fn of(path: &Path, file: File, kind: FileType) -> Self {
        use std::os::unix::fs::FileTypeExt as _;
        Self { file, somebody_writes: kind.is_fifo() || of_a_shell(path).is_some() }
    }

    #[cfg(not(unix))]
    fn of(_: &Path, file: File, _: FileType) -> Self {
        Self { file }
    }
}

impl Read for Patient {
    #[cfg(unix)]
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        loop {
            match self.file.read(buffer) {
                Err(error) if error.kind() == ErrorKind::WouldBlock && self.somebody_writes => {
                    let silence = Timespec { tv_sec: SILENCE, tv_nsec: 0 };
                    if poll(&mut [PollFd::new(&self.file, PollFlags::IN)], Some(&silence))? == 0 {
                        let sentence = format!("nobody wrote into it for {SILENCE} seconds; name a file");
                        return Err(io::Error::new(ErrorKind::TimedOut, sentence));
                    }
                }
                read => return read,
            }
        }
    }

    #[cfg(not(unix))]
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read(buffer)
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::io::Write as _;
    use std::os::fd::AsRawFd as _;

    /// What the writer gives later than it is asked for is read to its end.
    #[test]
    fn a_pipe_of_a_shell_is_read_to_its_end() {
        let (ours, theirs) = rustix::pipe::pipe().unwrap();
        let path = format!("/dev/fd/{}", ours.as_raw_fd());
        let (asked, asks) = std::sync::mpsc::channel();
        let writer = std::thread::spawn(move || {
            let mut theirs = File::from(theirs);
            asks.recv().unwrap();
            for part in ["12", "34"] {
                theirs.write_all(part.as_bytes()).unwrap();
            }
        });
        asked.send(()).unwrap();
        assert_eq!(read_text(Path::new(&path), 4).unwrap(), "1234");
        writer.join().unwrap();
    }
}
