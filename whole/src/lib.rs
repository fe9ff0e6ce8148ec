//! Files that people name. They are read whole: with a limit, so that a wrong name - a disk image, a device that
//! never ends - is an error that says so and not a program without memory. They are written whole: what was there stays until what
//! is new is all there ([`write()`]). Nobody is waited for at a named pipe. Errors are sentences that say what to do ([`why`]).
//! What was read may be a secret: no copy of it stays behind but the one that is handed over, for whoever wipes that.

#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod place;
mod read;
mod write;

pub use place::directory;
pub use read::{read, read_text};
pub use write::{For, make, put, record, write};

use std::io::{self, ErrorKind, Read};
use zeroize::{Zeroize, Zeroizing};

/// Most bytes of a text that a person writes: settings, scenarios, keys, lists.
pub const TEXT: u64 = 4 << 20;
/// Most bytes of what programs write: traces, reports.
pub const RECORDING: u64 = 128 << 20;

/// Bytes that are read at once, where nothing says how many there are.
const PIECE: usize = 8 << 10;
/// Byte order mark of UTF-8.
const MARK: char = '\u{feff}';
/// What to do with a text in UTF-16, which an older PowerShell makes of what is sent to a file.
const IN_UTF_16: &str = if cfg!(windows) {
    "text in UTF-16; save it as UTF-8, in PowerShell with: Out-File -Encoding utf8"
} else {
    "text in UTF-16; convert it with: iconv -f UTF-16 -t UTF-8 FILE > NEW"
};
/// Characters of a text of somebody else's that an error quotes.
const QUOTED: usize = 160;

/// What the system says of a file, in a sentence with what to do.
#[must_use]
pub fn why(error: &io::Error) -> String {
    match error.kind() {
        // It has a sentence of somebody who knew more.
        _ if error.get_ref().is_some() => error.to_string(),
        ErrorKind::NotFound => "there is no such file or directory; look at the name".into(),
        // Windows says so of a directory that is opened as a file, too.
        ErrorKind::PermissionDenied if cfg!(windows) => {
            "it is a directory, or you may not open it; look at its properties".into()
        }
        ErrorKind::PermissionDenied => "you may not open it; look at its owner and mode with ls -l".into(),
        ErrorKind::IsADirectory => "it is a directory; name a file".into(),
        ErrorKind::NotADirectory => "it is no directory; name one".into(),
        ErrorKind::StorageFull => "the disk is full; make room there".into(),
        ErrorKind::QuotaExceeded => "your quota of the disk is used up; make room there".into(),
        ErrorKind::BrokenPipe => "nobody reads what is written there any more; name a file".into(),
        ErrorKind::ReadOnlyFilesystem => "nothing can be written there: it is mounted to be read only".into(),
        _ => error.to_string(),
    }
}

/// The error with its sentence in place of the system's text.
fn told(error: io::Error) -> io::Error {
    // What has a text of ours already keeps it.
    if error.raw_os_error().is_some() { io::Error::new(error.kind(), why(&error)) } else { error }
}

/// The beginning of the first line of a text that an error quotes, such as a parser's own: a file's line may be as long as the
/// file, and may have what a terminal acts on.
#[must_use]
pub fn excerpt(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    let mut shown: String = line.chars().take(QUOTED).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if line.chars().nth(QUOTED).is_some() {
        shown.push_str("...");
    }
    shown
}

/// Where a parser found a fault: the line, from 1, in which this byte is.
#[must_use]
pub fn line_of(text: &str, byte: usize) -> usize {
    text.bytes().take(byte).filter(|b| *b == b'\n').count() + 1
}

/// All that comes, `most` bytes at most.
///
/// # Errors
/// As [`read`].
pub fn read_from(source: impl Read, most: u64) -> io::Result<Vec<u8>> {
    read_sized(source, 0, most)
}

/// As [`read_from`], where `length` bytes are expected.
fn read_sized(source: impl Read, length: u64, most: u64) -> io::Result<Vec<u8>> {
    // One more than there may be, and one to see the end by.
    let mut source = source.take(most.saturating_add(1));
    let mut bytes = Zeroizing::new(vec![0; usize::try_from(length).unwrap_or(PIECE).saturating_add(1).max(PIECE)]);
    let mut count = 0;
    loop {
        if count == bytes.len() {
            // It may be a key: what is left behind in growing is wiped.
            let mut larger = Zeroizing::new(vec![0; 2 * count]);
            larger[..count].copy_from_slice(&bytes);
            bytes = larger;
        }
        match source.read(&mut bytes[count..]) {
            Ok(0) => break,
            Ok(more) => count += more,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    if count as u64 > most {
        return Err(io::Error::new(ErrorKind::FileTooLarge, format!("larger than {}; give another file", size(most))));
    }
    bytes.truncate(count);
    Ok(std::mem::take(&mut *bytes))
}

/// All text that comes, `most` bytes at most.
///
/// # Errors
/// As [`read_text`].
pub fn read_text_from(source: impl Read, most: u64) -> io::Result<String> {
    text(read_from(source, most)?)
}

fn text(mut bytes: Vec<u8>) -> io::Result<String> {
    let wrong = |sentence| io::Error::new(ErrorKind::InvalidData, sentence);
    if bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF") {
        bytes.zeroize();
        return Err(wrong(IN_UTF_16));
    }
    let mut text = String::from_utf8(bytes).map_err(|error| {
        error.into_bytes().zeroize();
        wrong("not text in UTF-8; save it as UTF-8")
    })?;
    // Editors of another system put a mark before it.
    if text.starts_with(MARK) {
        text.drain(..MARK.len_utf8());
    }
    Ok(text)
}

fn size(bytes: u64) -> String {
    match (bytes >> 20, bytes >> 10) {
        (0, 0) => format!("{bytes} bytes"),
        (0, kib) => format!("{kib} KiB"),
        (mib, _) => format!("{mib} MiB"),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn what_is_too_long_is_not_read_to_its_end() {
        assert_eq!(read_from(&b"1234"[..], 4).unwrap(), b"1234");
        let e = read_from(&b"12345"[..], 4).unwrap_err();
        assert_eq!((e.kind(), e.to_string()), (ErrorKind::FileTooLarge, "larger than 4 bytes; give another file".into()));
        let e = read(Path::new("/dev/zero"), TEXT).unwrap_err();
        assert_eq!(e.to_string(), "larger than 4 MiB; give another file");
        assert_eq!(read(Path::new("/"), TEXT).unwrap_err().kind(), ErrorKind::IsADirectory);
    }

    /// Gives some bytes at a time, and is interrupted between.
    struct Pieces<'a>(&'a [u8], usize, bool);

    impl Read for Pieces<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.2 = !self.2;
            if self.2 {
                return Err(ErrorKind::Interrupted.into());
            }
            let most = buffer.len().min(self.1);
            self.0.read(&mut buffer[..most])
        }
    }

    #[test]
    fn all_comes_in_whatever_pieces() {
        let bytes: Vec<u8> = (0..5 * PIECE).map(|at| (at % 251) as u8).collect();
        for length in [0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 5 * PIECE] {
            let bytes = &bytes[..length];
            for piece in [7, PIECE, 5 * PIECE] {
                // What was told of the length is right, too short or too long.
                for told in [0, length, 3 * PIECE] {
                    assert_eq!(read_sized(Pieces(bytes, piece, false), told as u64, length as u64).unwrap(), bytes);
                }
                if length > 0 {
                    let e = read_from(Pieces(bytes, piece, false), length as u64 - 1).unwrap_err();
                    assert_eq!(e.kind(), ErrorKind::FileTooLarge);
                }
            }
        }
    }

    #[test]
    fn an_error_says_what_to_do() {
        let said = |e: io::Error| e.to_string();
        let of = |path: &str| said(read(Path::new(path), TEXT).unwrap_err());
        assert_eq!(of("/nowhere"), "there is no such file or directory; look at the name");
        assert_eq!(of("/"), "it is a directory; name a file");
        assert_eq!(of("/dev/null/x"), "it is no directory; name one");
        for utf16 in [&b"\xFF\xFEp\0"[..], b"\xFE\xFF\0p"] {
            assert!(said(read_text_from(utf16, 9).unwrap_err()).starts_with("text in UTF-16; convert it with: iconv"));
        }
        assert_eq!(said(read_text_from(&b"p\xC3"[..], 9).unwrap_err()), "not text in UTF-8; save it as UTF-8");
        assert_eq!(read_text_from("\u{feff}pin".as_bytes(), 9).unwrap(), "pin");
    }

    #[test]
    fn what_is_no_file_is_not_opened() {
        let directory = tempfile::tempdir().unwrap();
        let [pipe, file] = ["pipe", "file"].map(|name| directory.path().join(name));
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, rustix::fs::Mode::RWXU, 0).unwrap();
        std::fs::write(&file, "").unwrap();
        let read = |path: &Path| super::read(path, 3).map_err(|e| e.to_string());
        assert_eq!(read(&pipe), Err("it is a named pipe, not a file; name a file".into()));
        let desk = rustix::pty::openpt(rustix::pty::OpenptFlags::RDWR | rustix::pty::OpenptFlags::NOCTTY).unwrap();
        rustix::pty::unlockpt(&desk).unwrap();
        let terminal = rustix::pty::ptsname(&desk, Vec::new()).unwrap().into_string().unwrap();
        assert_eq!(read(Path::new(&terminal)), Err("it is a device with nothing to read, not a file; name a file".into()));
        assert_eq!(read(Path::new("/dev/zero")), Err("larger than 3 bytes; give another file".into()));
        assert_eq!(read(Path::new("/dev/null")), Ok(Vec::new()));
        assert_eq!(read(directory.path()), Err("it is a directory; name a file".into()));
        std::fs::write(&file, "123").unwrap();
        let link = directory.path().join("link");
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert_eq!((read(&file), read(&link)), (Ok(b"123".into()), Ok(b"123".into())));
        std::fs::write(&file, "1234").unwrap();
        assert_eq!(read(&file), Err("larger than 3 bytes; give another file".into()));
        assert_eq!(read(&directory.path().join("none")), Err("there is no such file or directory; look at the name".into()));
    }

    #[test]
    fn a_quoted_line_has_an_end_and_moves_no_cursor() {
        assert_eq!(excerpt("a\u{1b}[2Jb\nc"), "a [2Jb");
        let long = excerpt(&"x".repeat(3_000_000));
        assert_eq!((long.len(), long.ends_with("xxx...")), (QUOTED + 3, true));
        assert_eq!((line_of("a\nb\nc", 0), line_of("a\nb\nc", 4)), (1, 3));
    }
}
