//! Files that are the user's alone: on Unix by their mode, whatever the umask; elsewhere by the directory of the user that they are in.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::path::Path;

/// Makes the directory, and those above it, where they are missing.
///
/// # Errors
/// The system's.
pub(super) fn directory(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Opens a file to be read and written, and makes it where it is missing; `empty` takes out what is in it.
///
/// # Errors
/// The system's.
pub(super) fn file(path: &Path, empty: bool) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(empty);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
