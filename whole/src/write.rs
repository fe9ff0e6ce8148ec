//! Writing files that a person names: whole or not at all. What is new is written beside what is there and takes its name when it is
//! all there, so a full disk costs nobody the file of before. At a named pipe nobody waits.

#[cfg(unix)]
use super::place::wrong;
use super::place::{is_file, is_no_named_pipe};
use super::{place, told};
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// Names that are tried for what is new.
const NAMES: u32 = 64;

/// Who may read a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum For {
    /// Its owner alone, whatever the umask: it may have PINs and keys.
    Owner,
    /// Whom the umask, or the file that was there, lets.
    Everybody,
}

/// Writes a file whole. What is there is replaced when what is new is all on the disk; where nothing can be made beside a file (others'
/// directories, files that a container is given) it is written over. What goes to a device (`/dev/null`), to `/dev/stdout` or to a
/// pipe of a shell (`>(..)`) goes there.
///
/// # Errors
/// The kind of the system's, as a sentence; [`ErrorKind::InvalidInput`] for a named pipe, a socket, a directory, a disk. What was there
/// is there as it was.
pub fn write(path: &Path, bytes: &[u8], readers: For) -> io::Result<()> {
    let write = || match std::fs::metadata(path) {
        Ok(about) if !about.is_file() || place::of_a_shell(path).is_some() => into(path, &about)?.write_all(bytes),
        Ok(about) => over(&std::fs::canonicalize(path)?, &about, bytes, readers),
        Err(error) if error.kind() == ErrorKind::NotFound => beside(&led_to(path)?, bytes, readers, None),
        Err(error) => Err(error),
    };
    write().map_err(told)
}

/// A file for its owner alone that is written bit by bit, from its beginning; otherwise as [`write()`]: what was there is gone.
///
/// # Errors
/// As [`write()`].
pub fn record(path: &Path) -> io::Result<File> {
    let open = || match std::fs::metadata(path) {
        Ok(about) if !about.is_file() || place::of_a_shell(path).is_some() => into(path, &about),
        _ => {
            let file = unwaited(OpenOptions::new().create(true).truncate(true), For::Owner).open(path)?;
            // A moment later another may stand there.
            is_file(file.metadata()?.file_type())?;
            let_read(&file, For::Owner, None)?;
            Ok(file)
        }
    };
    open().map_err(told)
}

/// A new file for its owner alone, on the disk when this returns. What cannot be written whole is taken away again.
///
/// # Errors
/// The kind of the system's, as a sentence; [`ErrorKind::AlreadyExists`].
pub fn make(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = unwaited(OpenOptions::new().create_new(true), For::Owner).open(path).map_err(told)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    written.map_err(|error| {
        let _ = std::fs::remove_file(path);
        told(error)
    })
}

/// Gives what `make` makes at `new` the name of `path` when it is whole. What fails half-way leaves nothing at `new`, and at `path` what
/// was there.
///
/// # Errors
/// Those of `make`, and the system's.
pub fn put<E: From<io::Error>>(new: &Path, path: &Path, make: impl FnOnce(&Path) -> Result<(), E>) -> Result<(), E> {
    let made = make(new).and_then(|()| Ok(std::fs::rename(new, path)?));
    if made.is_err() {
        let _ = std::fs::remove_file(new);
    }
    made
}

/// Writes over a file that is there.
fn over(path: &Path, about: &Metadata, bytes: &[u8], readers: For) -> io::Result<()> {
    // Who may not write to it does not replace it either.
    let mut file = unwaited(&mut OpenOptions::new(), readers).open(path)?;
    match beside(path, bytes, readers, Some(about)) {
        Err(error) if stays(error.kind()) => {
            let_read(&file, readers, Some(about))?;
            file.set_len(0)?;
            file.write_all(bytes)
        }
        done => done,
    }
}

/// Whether a file cannot be replaced by another, though it can be written: its directory is others', or it is a mount of its own.
const fn stays(why: ErrorKind) -> bool {
    matches!(why, ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem | ErrorKind::ResourceBusy)
}

/// Writes a file in the directory of `path`, and gives it that name.
fn beside(path: &Path, bytes: &[u8], readers: For, about: Option<&Metadata>) -> io::Result<()> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    for _ in 0..NAMES {
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let new = path.with_file_name(format!(".cardlab-{}-{number}.new", std::process::id()));
        // What a killed process has left has that name already, and is not ours to take away.
        let mut file = match unwaited(OpenOptions::new().create_new(true), readers).open(&new) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
            opened => opened?,
        };
        return put(&new, path, |_| {
            keep_owner(&file, about)?;
            let_read(&file, readers, about)?;
            file.write_all(bytes)?;
            file.sync_all()
        });
    }
    Err(io::Error::new(
        ErrorKind::AlreadyExists,
        "its directory is full of files that were not finished; remove .cardlab-*.new there",
    ))
}

/// Gives the file to whose the one is that was there. Who may not is refused, and writes over that one.
#[cfg(unix)]
fn keep_owner(file: &File, about: Option<&Metadata>) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt as _, fchown};
    let Some(before) = about else { return Ok(()) };
    let now = file.metadata()?;
    let changed = |now: u32, before: u32| (now != before).then_some(before);
    match (changed(now.uid(), before.uid()), changed(now.gid(), before.gid())) {
        (None, None) => Ok(()),
        (owner, group) => fchown(file, owner, group),
    }
}

#[cfg(not(unix))]
fn keep_owner(_: &File, _: Option<&Metadata>) -> io::Result<()> {
    Ok(())
}

/// Lets those read the file who may: its owner, or who could read what was there.
#[cfg(unix)]
fn let_read(file: &File, readers: For, about: Option<&Metadata>) -> io::Result<()> {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;
    match (readers, about) {
        (For::Owner, _) => file.set_permissions(Permissions::from_mode(0o600)),
        (For::Everybody, Some(about)) => file.set_permissions(Permissions::from_mode(about.permissions().mode() & 0o777)),
        (For::Everybody, None) => Ok(()),
    }
}

#[cfg(not(unix))]
fn let_read(_: &File, _: For, _: Option<&Metadata>) -> io::Result<()> {
    Ok(())
}

/// Where a link leads at whose end there is nothing yet.
#[cfg(unix)]
fn led_to(path: &Path) -> io::Result<PathBuf> {
    let mut at = path.to_owned();
    for _ in 0..place::LINKS {
        match std::fs::read_link(&at) {
            Ok(next) => at = at.parent().unwrap_or(Path::new("")).join(next),
            Err(_) => return Ok(at),
        }
    }
    Err(wrong("it is a link that leads to itself; name a file"))
}

#[cfg(not(unix))]
fn led_to(path: &Path) -> io::Result<PathBuf> {
    Ok(path.to_owned())
}

/// To be written, so that opening waits for nobody.
fn unwaited(options: &mut OpenOptions, readers: For) -> &mut OpenOptions {
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        use std::os::unix::fs::OpenOptionsExt as _;
        options.custom_flags((OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed());
        if readers == For::Owner {
            options.mode(0o600);
        }
    }
    let _ = readers;
    options.write(true)
}

/// Opens what is no file of a directory: it is written to from where it is.
#[cfg(unix)]
fn into(path: &Path, about: &Metadata) -> io::Result<File> {
    use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
    use rustix::io::Errno;
    use std::os::fd::AsFd as _;
    use std::os::unix::fs::FileTypeExt as _;
    let shells = place::of_a_shell(path);
    let path = shells.as_deref().unwrap_or(path);
    // Opened anew it would have a place of its own, and what the program says besides would be written over.
    match path.to_str() {
        Some("/dev/stdout") => return Ok(io::stdout().as_fd().try_clone_to_owned()?.into()),
        Some("/dev/stderr") => return Ok(io::stderr().as_fd().try_clone_to_owned()?.into()),
        _ => {}
    }
    let kind = about.file_type();
    is_no_named_pipe(path, kind)?;
    if kind.is_dir() || kind.is_block_device() {
        is_file(kind)?;
    }
    let file = unwaited(OpenOptions::new().append(true), For::Owner).open(path).map_err(|error| {
        match Errno::from_io_error(&error) {
            // A pipe at whose other end nobody is.
            Some(Errno::NXIO) => Errno::PIPE.into(),
            _ => error,
        }
    })?;
    is_no_named_pipe(path, file.metadata()?.file_type())?;
    // Whoever reads it may take the time they need.
    fcntl_setfl(&file, fcntl_getfl(&file)? - OFlags::NONBLOCK)?;
    Ok(file)
}

#[cfg(not(unix))]
fn into(path: &Path, about: &Metadata) -> io::Result<File> {
    is_no_named_pipe(path, about.file_type())?;
    if about.is_dir() {
        is_file(about.file_type())?;
    }
    OpenOptions::new().write(true).open(path)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::fd::AsRawFd as _;
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

    /// A directory and names in it.
    fn place<const N: usize>(names: [&str; N]) -> (tempfile::TempDir, [PathBuf; N]) {
        let directory = tempfile::tempdir().unwrap();
        let paths = names.map(|name| directory.path().join(name));
        (directory, paths)
    }

    fn mode(path: &Path) -> u32 {
        path.metadata().unwrap().permissions().mode() & 0o777
    }

    fn set_mode(path: &Path, mode: u32) {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    fn count(directory: &tempfile::TempDir) -> usize {
        directory.path().read_dir().unwrap().count()
    }

    #[test]
    fn what_is_new_takes_the_place_of_what_was_there_and_its_readers() {
        let (directory, [file, secret]) = place(["file", "secret"]);
        write(&file, b"one", For::Everybody).unwrap();
        set_mode(&file, 0o640);
        let before = file.metadata().unwrap().ino();
        write(&file, b"two", For::Everybody).unwrap();
        assert_eq!((std::fs::read(&file).unwrap(), mode(&file)), (b"two".into(), 0o640));
        assert_ne!(file.metadata().unwrap().ino(), before, "another file has its name");
        write(&file, b"keys", For::Owner).unwrap();
        write(&secret, b"keys", For::Owner).unwrap();
        assert_eq!((mode(&file), mode(&secret)), (0o600, 0o600));
        assert_eq!(count(&directory), 2, "nothing stays beside them");
    }

    /// Root writes over somebody's file, and it stays theirs.
    #[test]
    fn a_file_stays_its_owners() {
        let (_directory, [file]) = place(["file"]);
        std::fs::write(&file, "one").unwrap();
        // Without root there is nobody else to give it to.
        let is_given = std::os::unix::fs::chown(&file, Some(65_534), Some(65_534)).is_ok();
        for readers in [For::Everybody, For::Owner] {
            write(&file, b"two", readers).unwrap();
            let about = file.metadata().unwrap();
            assert_eq!((about.uid() == 65_534, about.gid() == 65_534), (is_given, is_given));
            assert_eq!(std::fs::read(&file).unwrap(), b"two");
        }
    }

    #[test]
    fn what_fails_leaves_what_was_there() {
        let (directory, [file, new]) = place(["file", "new"]);
        write(&file, b"one", For::Everybody).unwrap();
        let full = |path: &Path| {
            std::fs::write(path, b"half").unwrap();
            Err::<(), _>(io::Error::from(ErrorKind::StorageFull))
        };
        assert_eq!(put(&new, &file, full).unwrap_err().kind(), ErrorKind::StorageFull);
        assert_eq!((std::fs::read(&file).unwrap(), count(&directory)), (b"one".into(), 1));
        make(&new, b"key").unwrap();
        assert_eq!(make(&new, b"other").unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!((std::fs::read(&new).unwrap(), mode(&new)), (b"key".into(), 0o600));
    }

    #[test]
    fn a_link_stays_one() {
        let (_directory, [file, link, far, none]) = place(["file", "link", "far", "none"]);
        std::fs::write(&file, b"one").unwrap();
        symlink(&file, &link).unwrap();
        write(&link, b"two", For::Everybody).unwrap();
        symlink("none", &far).unwrap();
        write(&far, b"three", For::Owner).unwrap();
        assert!(link.is_symlink() && far.is_symlink());
        assert_eq!((std::fs::read(&file).unwrap(), std::fs::read(&none).unwrap()), (b"two".into(), b"three".into()));
    }

    #[test]
    fn what_is_no_file_is_refused_or_written_into() {
        let (directory, [pipe, file]) = place(["pipe", "file"]);
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, rustix::fs::Mode::RWXU, 0).unwrap();
        let said = |path: &Path| {
            let written = write(path, b"x", For::Owner).map_err(|e| e.to_string());
            assert_eq!(record(path).map(drop).map_err(|e| e.to_string()), written);
            written
        };
        assert_eq!(said(&pipe), Err("it is a named pipe, not a file; name a file".into()));
        assert_eq!(said(directory.path()), Err("it is a directory, not a file; name a file".into()));
        assert_eq!(said(&directory.path().join("none/file")), Err("there is no such file or directory; look at the name".into()));
        assert_eq!((said(Path::new("/dev/null")), said(&file)), (Ok(()), Ok(())));
        let full = write(Path::new("/dev/full"), b"x", For::Owner).map_err(|e| e.to_string());
        assert_eq!(full, Err("the disk is full; make room there".into()));
    }

    #[test]
    fn a_pipe_of_a_shell_gets_what_is_written() {
        let (ours, theirs) = rustix::pipe::pipe().unwrap();
        let path = format!("/dev/fd/{}", theirs.as_raw_fd());
        // Also by a link, as containers have one for a log.
        let (_directory, [link]) = place(["link"]);
        symlink(&path, &link).unwrap();
        write(&link, b"one", For::Owner).unwrap();
        drop((record(Path::new(&path)).unwrap(), theirs));
        assert_eq!(crate::read_text_from(File::from(ours), 9).unwrap(), "one");
        // Whoever was to read it has gone.
        let (ours, theirs) = rustix::pipe::pipe().unwrap();
        drop(ours);
        let gone = write(Path::new(&format!("/dev/fd/{}", theirs.as_raw_fd())), b"one", For::Owner).unwrap_err();
        assert_eq!(gone.to_string(), "nobody reads what is written there any more; name a file");
    }
}
