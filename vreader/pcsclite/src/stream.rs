//! What a client speaks to: the socket that pcsc-lite listens at, or - where a system has none of the kind - its own PC/SC library,
//! which [`crate::system`] makes speak the same.

use std::io::{Read, Result, Write};
use std::path::Path;
use std::time::Duration;

#[cfg(any(not(unix), feature = "pcsc"))]
use crate::system::System;

/// A connection to a PC/SC service.
pub(crate) enum Stream {
    /// pcscd, or cardlab.
    #[cfg(unix)]
    Socket(std::os::unix::net::UnixStream),
    /// The system's own.
    #[cfg(any(not(unix), feature = "pcsc"))]
    System(System),
}

impl Stream {
    /// The service at a socket; with the feature `pcsc`, at an empty path, the system's own.
    #[cfg(unix)]
    pub(crate) fn connect(path: &Path) -> Result<Self> {
        #[cfg(feature = "pcsc")]
        if path.as_os_str().is_empty() {
            return Ok(Self::System(System::start()));
        }
        Ok(Self::Socket(std::os::unix::net::UnixStream::connect(path)?))
    }

    /// The system's own service, which has no path.
    #[cfg(not(unix))]
    pub(crate) fn connect(_: &Path) -> Result<Self> {
        Ok(Self::System(System::start()))
    }

    /// The longest wait for bytes from now on; none is for ever.
    pub(crate) fn set_read_timeout(&mut self, limit: Option<Duration>) -> Result<()> {
        match self {
            #[cfg(unix)]
            Self::Socket(socket) => socket.set_read_timeout(limit),
            #[cfg(any(not(unix), feature = "pcsc"))]
            Self::System(system) => {
                system.set_read_timeout(limit);
                Ok(())
            }
        }
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        match self {
            #[cfg(unix)]
            Self::Socket(socket) => socket.read(buffer),
            #[cfg(any(not(unix), feature = "pcsc"))]
            Self::System(system) => system.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        match self {
            #[cfg(unix)]
            Self::Socket(socket) => socket.write(bytes),
            #[cfg(any(not(unix), feature = "pcsc"))]
            Self::System(system) => system.write(bytes),
        }
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}
