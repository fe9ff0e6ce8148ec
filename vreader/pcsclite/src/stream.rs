//! The socket that pcsc-lite listens at. Systems that have none of the kind have no pcsc-lite either: there, cards are reached by
//! the system's own PC/SC library.

#[cfg(unix)]
pub(crate) use std::os::unix::net::UnixStream as Stream;

#[cfg(not(unix))]
pub(crate) use nowhere::Stream;

#[cfg(not(unix))]
mod nowhere {
    use std::io::{Error, ErrorKind, Read, Result, Write};
    use std::path::Path;
    use std::time::Duration;

    /// A connection that there is never.
    pub(crate) enum Stream {}

    impl Stream {
        pub(crate) fn connect(_: &Path) -> Result<Self> {
            Err(Error::new(ErrorKind::Unsupported, "this system has no pcsc-lite"))
        }

        pub(crate) fn set_read_timeout(&self, _: Option<Duration>) -> Result<()> {
            match *self {}
        }
    }

    impl Read for Stream {
        fn read(&mut self, _: &mut [u8]) -> Result<usize> {
            match *self {}
        }
    }

    impl Write for Stream {
        fn write(&mut self, _: &[u8]) -> Result<usize> {
            match *self {}
        }

        fn flush(&mut self) -> Result<()> {
            match *self {}
        }
    }
}
