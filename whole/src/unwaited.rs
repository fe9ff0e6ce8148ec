//! Files that a text names which may come from anybody, such as that of a card: nobody is waited for without end. At a named pipe
//! a service would wait for ever, and nothing could end it.

use super::{is_file, read_sized, text, told};
#[cfg(unix)]
use std::ffi::OsStr;
use std::fs::{File, FileType, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::path::Path;

/// Seconds that somebody may take before the next byte comes out of a pipe: enough to type a password.
#[cfg(unix)]
const SILENCE: i64 = 60;

/// As [`super::read`], of a file, a device that gives what it has at once, or a pipe of a shell (`<(..)`).
///
/// # Errors
/// As [`super::read`]; [`ErrorKind::InvalidInput`] for a named pipe, a socket, and a device that has nothing to give;
/// [`ErrorKind::TimedOut`] for a pipe into which nobody writes for a minute.
pub fn read_file(path: &Path, most: u64) -> io::Result<Vec<u8>> {
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
        read_sized(Patient::of(file, about.file_type()), about.len().min(most), most)
    };
    read().map_err(|error| match error.kind() {
        ErrorKind::WouldBlock => {
            io::Error::new(ErrorKind::InvalidInput, "it is a device with nothing to read, not a file; name a file")
        }
        _ => told(error),
    })
}

/// The text of such a file.
///
/// # Errors
/// As [`read_file`]; [`ErrorKind::InvalidData`] for what is not UTF-8.
pub fn read_text_file(path: &Path, most: u64) -> io::Result<String> {
    text(read_file(path, most)?)
}

/// Refuses what nobody may ever write into.
fn is_no_named_pipe(path: &Path, kind: FileType) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt as _;
        if kind.is_socket() || kind.is_fifo() && !is_of_a_shell(path) {
            return is_file(kind);
        }
    }
    let _ = (path, kind);
    Ok(())
}

/// Whether a path names what its program was started with, not what lies in a directory: `<(..)` of a shell, or what stands before
/// a `|`. Somebody has it in hand already.
#[cfg(unix)]
fn is_of_a_shell(path: &Path) -> bool {
    let is_number = |name: &OsStr| name.as_encoded_bytes().iter().all(u8::is_ascii_digit);
    let is_descriptor = (path.starts_with("/dev/fd") || path.starts_with("/proc"))
        && path.parent().is_some_and(|above| above.ends_with("fd"))
        && path.file_name().is_some_and(is_number);
    is_descriptor || path == Path::new("/dev/stdin")
}

/// A file that is opened so that nobody waits at it; at a pipe one does, for a while.
struct Patient {
    file: File,
    #[cfg(unix)]
    is_pipe: bool,
}

impl Patient {
    #[cfg(unix)]
    fn of(file: File, kind: FileType) -> Self {
        use std::os::unix::fs::FileTypeExt as _;
        Self { file, is_pipe: kind.is_fifo() }
    }

    #[cfg(not(unix))]
    fn of(file: File, _: FileType) -> Self {
        Self { file }
    }
}

impl Read for Patient {
    #[cfg(unix)]
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        loop {
            match self.file.read(buffer) {
                Err(error) if error.kind() == ErrorKind::WouldBlock && self.is_pipe => {
                    let silence = Timespec { tv_sec: SILENCE, tv_nsec: 0 };
                    if poll(&mut [PollFd::new(&self.file, PollFlags::IN)], Some(&silence))? == 0 {
                        let sentence = format!("nobody wrote into this pipe for {SILENCE} seconds; name a file");
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
        assert_eq!(read_text_file(Path::new(&path), 4).unwrap(), "1234");
        writer.join().unwrap();
    }

    #[test]
    fn what_a_program_was_started_with_lies_in_no_directory() {
        for path in ["/dev/fd/63", "/proc/self/fd/0", "/proc/1/fd/12", "/dev/stdin"] {
            assert!(is_of_a_shell(Path::new(path)), "{path}");
        }
        for path in ["/tmp/fd/63", "/dev/fd", "/dev/fd/x", "/dev/fd/63/x", "fd/63", "/proc/63", "/dev/63", ""] {
            assert!(!is_of_a_shell(Path::new(path)), "{path}");
        }
    }
}
