//! What stands at a path that somebody has named: a file, or what is none.

use std::ffi::OsStr;
use std::fs::FileType;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// Links that lead to a file, at most; as many as Linux follows.
pub(crate) const LINKS: usize = 40;

/// Refuses what is no file, with what it is instead.
pub(crate) fn is_file(kind: FileType) -> io::Result<()> {
    if kind.is_file() { Ok(()) } else { Err(wrong(format!("it is {}, not a file; name a file", name(kind)))) }
}

/// Refuses what nobody may ever write into, or read from.
pub(crate) fn is_no_named_pipe(path: &Path, kind: FileType) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt as _;
        if kind.is_socket() || kind.is_fifo() && of_a_shell(path).is_none() {
            return is_file(kind);
        }
    }
    let _ = (path, kind);
    Ok(())
}

/// What its program was started with, where a path, or the link that stands there, names that and not what lies in a directory:
/// `<(..)` of a shell, or what stands before or behind a `|`. Somebody has it in hand already.
pub(crate) fn of_a_shell(path: &Path) -> Option<PathBuf> {
    let mut at = path.to_owned();
    for _ in 0..LINKS {
        if names_a_descriptor(&at) {
            return Some(at);
        }
        let next = std::fs::read_link(&at).ok()?;
        at = at.parent().unwrap_or(Path::new("")).join(next);
    }
    None
}

fn names_a_descriptor(path: &Path) -> bool {
    let is_number = |name: &OsStr| name.as_encoded_bytes().iter().all(u8::is_ascii_digit);
    let is_descriptor = (path.starts_with("/dev/fd") || path.starts_with("/proc"))
        && path.parent().is_some_and(|above| above.ends_with("fd"))
        && path.file_name().is_some_and(is_number);
    is_descriptor || ["/dev/stdin", "/dev/stdout", "/dev/stderr"].map(Path::new).contains(&path)
}

/// Makes a directory that somebody has named, and those above it, where they are missing.
///
/// # Errors
/// [`ErrorKind::NotADirectory`] with what is there instead; the kind of the system's, as a sentence.
pub fn directory(path: &Path) -> io::Result<()> {
    match std::fs::metadata(path) {
        Ok(about) if about.is_dir() => Ok(()),
        Ok(about) => {
            let sentence = format!("it is {}, not a directory; name a directory", name(about.file_type()));
            Err(io::Error::new(ErrorKind::NotADirectory, sentence))
        }
        Err(_) => std::fs::create_dir_all(path).map_err(super::told),
    }
}

/// An error with this sentence.
pub(crate) fn wrong(sentence: impl Into<String>) -> io::Error {
    io::Error::new(ErrorKind::InvalidInput, sentence.into())
}

fn name(kind: FileType) -> &'static str {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt as _;
        if kind.is_fifo() {
            return "a named pipe";
        }
        if kind.is_socket() {
            return "a socket";
        }
    }
    match kind {
        _ if kind.is_file() => "a file",
        _ if kind.is_dir() => "a directory",
        _ => "a device",
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn what_a_program_was_started_with_lies_in_no_directory() {
        for path in ["/dev/fd/63", "/proc/self/fd/0", "/proc/1/fd/12", "/dev/stdin", "/dev/stdout", "/dev/stderr"] {
            assert_eq!(of_a_shell(Path::new(path)), Some(path.into()));
        }
        for path in ["/tmp/fd/63", "/dev/fd", "/dev/fd/x", "/dev/fd/63/x", "fd/63", "/proc/63", "/dev/63", ""] {
            assert_eq!(of_a_shell(Path::new(path)), None, "{path}");
        }
    }

    #[test]
    fn a_directory_is_made_or_it_is_said_what_is_there() {
        let base = tempfile::tempdir().unwrap();
        let [file, pipe, new] = ["file", "pipe", "new/new"].map(|name| base.path().join(name));
        std::fs::write(&file, "").unwrap();
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, rustix::fs::Mode::RWXU, 0).unwrap();
        let said = |path: &Path| directory(path).map_err(|e| e.to_string());
        assert_eq!(said(&file), Err("it is a file, not a directory; name a directory".into()));
        assert_eq!(said(&pipe), Err("it is a named pipe, not a directory; name a directory".into()));
        assert_eq!(said(&file.join("in")), Err("it is no directory; name one".into()));
        assert_eq!((said(&new), said(&new), new.is_dir()), (Ok(()), Ok(()), true));
    }
}
