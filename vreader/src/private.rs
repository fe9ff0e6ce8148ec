//! Private directories: where a server's socket lives, readable by its owner only.
//!
//! A directory is `cardlab-XXXXXXXX` under `$XDG_RUNTIME_DIR` (or the temporary directory), mode
//! 0700, with a file `lock` that its owner holds locked. When a process is killed the lock goes with
//! it; the next start sweeps such directories away.

use rustix::fs::{FlockOperation, Mode, flock, mkdir};
use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

const PREFIX: &str = "cardlab-";
/// Longest path of a Unix socket: `sun_path` with its final zero.
pub(crate) const MAX_SOCKET_PATH: usize = 107;

/// A directory that goes when this value goes.
#[derive(Debug)]
pub struct PrivateDirectory {
    path: PathBuf,
    _lock: File,
}

impl PrivateDirectory {
    /// Makes a directory in the usual place and sweeps stale ones there.
    ///
    /// # Errors
    /// The system's error when none can be made.
    pub fn new() -> io::Result<Self> {
        let usual = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|p| p.is_dir());
        let base = usual.unwrap_or_else(std::env::temp_dir);
        sweep(&base);
        Self::new_in(&base)
    }

    /// Makes a directory in `base`.
    ///
    /// # Errors
    /// The system's error when none can be made.
    pub fn new_in(base: &Path) -> io::Result<Self> {
        for _ in 0..64 {
            let mut random = [0; 4];
            getrandom::fill(&mut random).map_err(io::Error::other)?;
            let name = format!("{PREFIX}{}", hex::encode(random));
            // Made under a name that no sweep looks at, and shown once its lock is held.
            let (hidden, path) = (base.join(format!(".{name}")), base.join(name));
            match mkdir(&hidden, Mode::RWXU) {
                Ok(()) => {
                    let lock = File::create(hidden.join("lock"))?;
                    flock(&lock, FlockOperation::NonBlockingLockExclusive)?;
                    std::fs::rename(&hidden, &path)?;
                    return Ok(Self { path, _lock: lock });
                }
                Err(rustix::io::Errno::EXIST) => {}
                Err(e) => return Err(io::Error::new(e.kind(), format!("cannot make a directory in {}: {e}", base.display()))),
            }
        }
        Err(io::Error::other("64 random names were taken"))
    }

    /// The directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for PrivateDirectory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

/// Removes directories of this user whose owner has gone.
fn sweep(base: &Path) {
    let me = rustix::process::geteuid().as_raw();
    let Ok(entries) = std::fs::read_dir(base) else { return };
    for entry in entries.flatten() {
        let ours = entry.file_name().to_string_lossy().starts_with(PREFIX)
            && entry.metadata().is_ok_and(|m| m.is_dir() && m.uid() == me && m.mode() & 0o077 == 0);
        let Some(lock) = ours.then(|| File::open(entry.path().join("lock")).ok()).flatten() else { continue };
        if flock(&lock, FlockOperation::NonBlockingLockExclusive).is_ok() {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn private_swept_and_gone() {
        let base = tempfile::tempdir().unwrap();
        let live = PrivateDirectory::new_in(base.path()).unwrap();
        assert_eq!(live.path().metadata().unwrap().permissions().mode() & 0o777, 0o700);
        let dead = PrivateDirectory::new_in(base.path()).unwrap();
        let dead_path = dead.path().to_owned();
        // What `kill -9` leaves: the directory without its lock being held.
        let PrivateDirectory { path: _, _lock } = &dead;
        flock(_lock, FlockOperation::Unlock).unwrap();
        sweep(base.path());
        assert!(live.path().exists() && !dead_path.exists());
        let path = live.path().to_owned();
        drop(live);
        assert!(!path.exists());
    }
}
