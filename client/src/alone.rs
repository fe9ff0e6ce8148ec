//! One run at a time on a card. Two programs that test a card at once undo each other's session and count each other's
//! tries as the card's.
//!
//! PC/SC has no word for it: an exclusive connection would keep out every program that only looks, and under pcscd its
//! lock stays after it was given up. So it is a name that the system keeps for one process (a socket in Linux' abstract
//! name space): it is gone with the process, however that ends, and leaves no file behind.

use std::io;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::{SocketAddr, UnixListener};
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
pub struct Alone(#[expect(dead_code, reason = "the name is the system's as long as the socket is open")] UnixListener);

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
        let service = std::fs::metadata(socket).map_err(refused)?;
        // At most 107 bytes; a reader's name is at most 127, and readers of one name differ in their last digits.
        let reader = &reader.as_bytes()[reader.len().saturating_sub(56)..];
        let name = [format!("cardlab run {:x} {:x} ", service.dev(), service.ino()).as_bytes(), reader].concat();
        let address = SocketAddr::from_abstract_name(name).map_err(refused)?;
        UnixListener::bind_addr(&address).map(Self).map_err(refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_is_taken_once_until_it_is_let_go() {
        let place = std::env::temp_dir().join(format!("cardlab-alone-{}", std::process::id()));
        std::fs::create_dir_all(&place).unwrap();
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
        std::fs::remove_dir_all(&place).unwrap();
    }
}
