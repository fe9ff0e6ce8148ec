//! One run at a time on a card. Two programs that test a card at once undo each other's session and count each other's
//! tries as the card's.
//!
//! PC/SC has no word for it: an exclusive connection would keep out every program that only looks, and under pcscd its
//! lock stays after it was given up. So it is a name that the system keeps for one process (a socket in Linux' abstract
//! name space): it is gone with the process, however that ends, and leaves no file behind. Elsewhere it is a locked file.

use std::io;
use std::path::Path;
use thiserror::Error;

/// Why a run may not begin.
#[derive(Debug, Error)]
pub enum NotAlone {
    /// Another has begun.
    #[error("another run is on the card in {0}: nothing was done to it; wait for that run, or end it")]
    Taken(String),
    /// The system does not say whether one has.
    #[error("whether another run is on the card in {reader} cannot be told: {reason}")]
    System {
        /// The reader.
        reader: String,
        /// Why.
        reason: io::Error,
    },
}

/// As long as this lives nobody else has the card in that reader for a run. Keeps out only who asks for it.
#[derive(Debug)]
pub struct Alone(#[expect(dead_code, reason = "the name is the system's as long as this is open")] Name);

/// What has the name.
#[cfg(target_os = "linux")]
type Name = std::os::unix::net::UnixListener;
/// What has the name.
#[cfg(not(target_os = "linux"))]
type Name = std::fs::File;

impl Alone {
    /// Takes the card in a reader of the PC/SC service at a socket, by whatever path that is reached.
    ///
    /// # Errors
    /// [`NotAlone`].
    pub fn take(socket: &Path, reader: &str) -> Result<Self, NotAlone> {
        let refused = |reason: io::Error| match reason.kind() {
            io::ErrorKind::AddrInUse => NotAlone::Taken(reader.to_owned()),
            _ => NotAlone::System { reader: reader.to_owned(), reason },
        };
        name(socket, reader).map(Self).map_err(refused)
    }
}

#[cfg(target_os = "linux")]
fn name(socket: &Path, reader: &str) -> io::Result<Name> {
    use std::os::linux::net::SocketAddrExt as _;
    use std::os::unix::fs::MetadataExt as _;
    let service = std::fs::metadata(socket)?;
    // At most 107 bytes; a reader's name is at most 127, and readers of one name differ in their last digits.
    let reader = &reader.as_bytes()[reader.len().saturating_sub(56)..];
    let name = [format!("cardlab run {:x} {:x} ", service.dev(), service.ino()).as_bytes(), reader].concat();
    std::os::unix::net::UnixListener::bind_addr(&std::os::unix::net::SocketAddr::from_abstract_name(name)?)
}

/// There is one PC/SC service, whose readers have different names.
#[cfg(not(target_os = "linux"))]
fn name(_: &Path, reader: &str) -> io::Result<Name> {
    let name = format!("cardlab run {}", hex::encode(&reader.as_bytes()[reader.len().saturating_sub(56)..]));
    let file = std::fs::File::create(std::env::temp_dir().join(name))?;
    file.try_lock().map_err(|taken| match taken {
        std::fs::TryLockError::WouldBlock => io::ErrorKind::AddrInUse.into(),
        std::fs::TryLockError::Error(error) => error,
    })?;
    Ok(file)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::os::unix::net::UnixListener;

    #[test]
    fn a_card_is_taken_once_until_it_is_let_go() {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path();
        let (socket, other) = (place.join("pcscd.comm"), place.join("other.comm"));
        let _services = [&socket, &other].map(|path| UnixListener::bind(path).unwrap());
        let link = place.join("link.comm");
        std::os::unix::fs::symlink(&socket, &link).unwrap();
        let long = "R".repeat(120);
        let held = Alone::take(&socket, &format!("{long} 00 00")).unwrap();
        let refused = Alone::take(&link, &format!("{long} 00 00")).unwrap_err();
        assert!(matches!(refused, NotAlone::Taken(_)), "by whatever path: {refused}");
        Alone::take(&socket, &format!("{long} 01 00")).unwrap();
        Alone::take(&other, &format!("{long} 00 00")).unwrap();
        drop(held);
        Alone::take(&socket, &format!("{long} 00 00")).unwrap();
        assert!(matches!(Alone::take(&place.join("nothing"), "R"), Err(NotAlone::System { .. })));
    }
}
