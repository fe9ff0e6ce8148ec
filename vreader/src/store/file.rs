//! The file of a state directory: made in one step, looked through before it is used.
//!
//! What is asked of the medium, and what follows from it, is told in `docs/durability.md`.

use super::{FILE, FORMAT, META, RECORDS};
use crate::contain::contained;
use redb::backends::{FileBackend, InMemoryBackend};
use redb::{Database, ReadableDatabase, StorageBackend, WriteTransaction};
use rustix::fs::{FlockOperation, Mode, OFlags, flock, fsync};
use rustix::io::Errno;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// A new file until it is whole.
const NEW: &str = "cards.redb.new";
/// Bytes of the largest file that is brought forward: a card fills some ten thousand.
const LARGEST: u64 = 256 * 1024 * 1024;
/// A card is a few kilobytes and is read once.
const CACHE: usize = 64 * 1024;

/// Why there is no database.
#[derive(Debug, Error)]
pub(super) enum Trouble {
    /// The system refuses: rights, space, a broken disk.
    #[error("{0}")]
    System(String),
    /// Another process has it.
    #[error("another process uses it")]
    InUse,
    /// Of a version that is not known.
    #[error("its format is {0}")]
    Format(u32),
    /// Not what was written.
    #[error("it is damaged ({0})")]
    Damaged(String),
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            // What is shorter than it says of itself, and what redb calls no database.
            ErrorKind::UnexpectedEof | ErrorKind::InvalidData => Self::Damaged(error.to_string()),
            _ => Self::System(cardlab_whole::why(&error)),
        }
    }
}

impl From<Errno> for Trouble {
    fn from(error: Errno) -> Self {
        io::Error::from(error).into()
    }
}

impl From<redb::Error> for Trouble {
    fn from(error: redb::Error) -> Self {
        match error {
            redb::Error::DatabaseAlreadyOpen => Self::InUse,
            redb::Error::Io(error) => error.into(),
            other => Self::Damaged(other.to_string()),
        }
    }
}

/// A directory that is this process's, and its file.
pub(super) struct Place {
    directory: PathBuf,
    /// Locked as long as this lives, also while the database is closed.
    _lock: File,
}

impl Place {
    /// Takes the directory, making it when it is not there: what is in it lasts only as long as its own name does.
    pub(super) fn take(directory: &Path) -> Result<Self, Trouble> {
        // The directories that are new, from the inside out, and the one that has them.
        let missing = directory.ancestors().take_while(|parent| !parent.as_os_str().is_empty() && !parent.exists()).count();
        cardlab_whole::directory(directory)?;
        for parent in directory.ancestors().skip(1).take(missing) {
            fsync(File::open(if parent.as_os_str().is_empty() { Path::new(".") } else { parent })?)?;
        }
        let lock = File::open(directory)?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Err(Errno::WOULDBLOCK) => Err(Trouble::InUse),
            // A file system without such locks: redb's own is left.
            _ => Ok(Self { directory: directory.into(), _lock: lock }),
        }
    }

    /// Opens the file, making it when it is not there.
    pub(super) fn open(&self) -> Result<Database, Trouble> {
        let path = self.directory.join(FILE);
        let file = match rustix::fs::open(&path, OFlags::RDWR | OFlags::CLOEXEC | OFlags::NONBLOCK, Mode::empty()) {
            Err(Errno::NOENT) => {
                self.make(&path)?;
                rustix::fs::open(&path, OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())?
            }
            opened => opened?,
        };
        let file = File::from(file);
        let about = file.metadata()?;
        if !about.is_file() {
            return Err(Trouble::System(format!("{FILE} is not a file")));
        }
        if about.len() == 0 {
            // It is never made empty: see `make`.
            return Err(Trouble::Damaged("it is empty".into()));
        }
        bring_forward(&file)?;
        database(FileBackend::new(file).map_err(redb::Error::from)?)
    }

    /// Makes the file under another name and gives it its own when it is whole: what fails half-way, for want of
    /// space or by a kill, leaves nothing that could be taken for cards.
    fn make(&self, path: &Path) -> Result<(), Trouble> {
        let new = self.directory.join(NEW);
        cardlab_whole::put(&new, path, fill)?;
        Ok(fsync(File::open(&self.directory)?)?)
    }
}

/// A database without cards; its file is for its owner only, whatever the umask.
fn fill(new: &Path) -> Result<(), Trouble> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::TRUNC | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(new, flags, Mode::RUSR | Mode::WUSR)?);
    let made = contained(|| empty(FileBackend::new(file)?));
    made.unwrap_or_else(|| Err(redb::Error::Corrupted("a new file cannot be written".into()))).map_err(Trouble::from)
}

/// Makes a database without cards.
pub(super) fn empty(backend: impl StorageBackend) -> Result<(), redb::Error> {
    let database = Database::builder().set_cache_size(CACHE).create_with_backend(backend)?;
    let write = begin(&database)?;
    write.open_table(META)?.insert("format", FORMAT)?;
    write.open_table(RECORDS)?;
    write.commit()?;
    Ok(database.close()?)
}

/// A transaction whose end is durable in two phases: first everything it has written, then the byte that makes it
/// what counts. So what is damaged later is found out, and never passed over for the state before.
pub(super) fn begin(database: &Database) -> Result<WriteTransaction, redb::Error> {
    let mut write = database.begin_write()?;
    write.set_two_phase_commit(true);
    Ok(write)
}

/// Opens what has been written, after all its checksums are found right.
pub(super) fn database(backend: impl StorageBackend) -> Result<Database, Trouble> {
    // redb reads some damaged pages with a panic; its checksums find the others.
    let opened = contained(|| {
        let mut database = Database::builder().set_cache_size(CACHE).create_with_backend(backend)?;
        let whole = database.check_integrity()?;
        let format = database.begin_read()?.open_table(META)?.get("format")?.map_or(0, |f| f.value());
        Ok::<_, redb::Error>((database, whole, format))
    });
    match opened {
        Some(Ok((database, true, FORMAT))) => Ok(database),
        Some(Ok((_, false, _))) => Err(Trouble::Damaged("checksums are wrong".into())),
        Some(Ok((.., found))) => Err(Trouble::Format(found)),
        Some(Err(error)) => Err(error.into()),
        None => Err(Trouble::Damaged("its pages make no sense".into())),
    }
}

/// redb's header: the byte of flags, and in which of the two commit slots the last commit is.
mod header {
    /// The bytes that tell it.
    pub(super) const LENGTH: usize = 320;
    /// The byte of flags.
    pub(super) const FLAGS: usize = 9;
    /// Set when slot 1 counts, otherwise slot 0 does.
    pub(super) const PRIMARY: u8 = 1;
    /// Set when the slot that counts was written in two phases.
    const TWO_PHASES: u8 = 4;
    /// Where the number of a slot's transaction is, 8 bytes little-endian.
    const TRANSACTION: [usize; 2] = [64 + 104, 192 + 104];

    /// Whether the slot that does not count is the newer one.
    pub(super) fn is_behind(bytes: &[u8; LENGTH]) -> bool {
        let number = |slot: usize| {
            let bytes = bytes[TRANSACTION[slot]..].first_chunk().copied().unwrap_or_default();
            u64::from_le_bytes(bytes)
        };
        let counts = usize::from(bytes[FLAGS] & PRIMARY);
        bytes[FLAGS] & TWO_PHASES != 0 && number(1 - counts) > number(counts)
    }
}

/// Takes up a commit that is whole and newer than the one that counts.
///
/// The byte that says which commit counts is the only one of the file without a checksum. A commit that was cut off
/// between its phases may count or not, for nobody has been told of it; so the newer one does, if it is whole. Then
/// a flipped bit in that byte cannot bring back what was before.
fn bring_forward(file: &File) -> Result<(), Trouble> {
    let mut head = [0; header::LENGTH];
    match file.read_exact_at(&mut head, 0) {
        Ok(()) if header::is_behind(&head) => {}
        _ => return Ok(()),
    }
    let length = file.metadata()?.len();
    if length > LARGEST {
        return Err(Trouble::Damaged(format!("it has {length} bytes, more than cards can fill")));
    }
    let mut image = vec![0; usize::try_from(length).map_err(io::Error::other)?];
    file.read_exact_at(&mut image, 0)?;
    if let Some(flags) = newer(&image) {
        file.write_all_at(&[flags], header::FLAGS as u64)?;
        file.sync_data()?;
    }
    Ok(())
}

/// The flags with which the newer commit of this file counts, if there is one and it is whole.
pub(super) fn newer(image: &[u8]) -> Option<u8> {
    let head = image.first_chunk::<{ header::LENGTH }>().filter(|head| header::is_behind(head))?;
    let flags = head[header::FLAGS] ^ header::PRIMARY;
    let backend = InMemoryBackend::new();
    let copied = backend.set_len(image.len() as u64).and_then(|()| backend.write(0, image));
    copied.and_then(|()| backend.write(header::FLAGS as u64, &[flags])).ok()?;
    database(backend).is_ok().then_some(flags)
}
