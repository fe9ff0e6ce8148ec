//! Files that people name and that are read whole: with a limit, so that a wrong name - a disk image, a device that
//! never ends - is an error that says so and not a program without memory.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

/// Most bytes of a text that a person writes: settings, scenarios, keys, lists.
pub const TEXT: u64 = 4 << 20;
/// Most bytes of what programs write: traces, reports.
pub const RECORDING: u64 = 128 << 20;

/// The bytes of the file, `most` at most.
///
/// # Errors
/// The system's, or [`ErrorKind::FileTooLarge`] in a sentence.
pub fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    read_from(File::open(path)?, most)
}

/// The text of the file, `most` bytes at most.
///
/// # Errors
/// As [`read`]; [`ErrorKind::InvalidData`] for what is not UTF-8.
pub fn read_text(path: &Path, most: u64) -> io::Result<String> {
    text(read(path, most)?)
}

/// All that comes, `most` bytes at most.
///
/// # Errors
/// As [`read`].
pub fn read_from(source: impl Read, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(io::Error::new(ErrorKind::FileTooLarge, format!("larger than {}; give another file", size(most))));
    }
    Ok(bytes)
}

/// All text that comes, `most` bytes at most.
///
/// # Errors
/// As [`read_text`].
pub fn read_text_from(source: impl Read, most: u64) -> io::Result<String> {
    text(read_from(source, most)?)
}

fn text(bytes: Vec<u8>) -> io::Result<String> {
    String::from_utf8(bytes).map_err(|_| io::Error::new(ErrorKind::InvalidData, "not text in UTF-8"))
}

fn size(bytes: u64) -> String {
    match (bytes >> 20, bytes >> 10) {
        (0, 0) => format!("{bytes} bytes"),
        (0, kib) => format!("{kib} KiB"),
        (mib, _) => format!("{mib} MiB"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_is_not_read_to_its_end() {
        assert_eq!(read_from(&b"1234"[..], 4).unwrap(), b"1234");
        let e = read_from(&b"12345"[..], 4).unwrap_err();
        assert_eq!((e.kind(), e.to_string()), (ErrorKind::FileTooLarge, "larger than 4 bytes; give another file".into()));
        let e = read(Path::new("/dev/zero"), TEXT).unwrap_err();
        assert_eq!(e.to_string(), "larger than 4 MiB; give another file");
        assert_eq!(read_text_from(&[0xFF, 0xFE][..], 4).unwrap_err().to_string(), "not text in UTF-8");
        assert_eq!(read(Path::new("/"), TEXT).unwrap_err().kind(), ErrorKind::IsADirectory);
    }
}
