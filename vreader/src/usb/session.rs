//! A connection of a wire to a device: bytes in, bytes out, cards at work meanwhile.

use super::ccid::Function;
use super::device::Attachment;
use std::io::ErrorKind;
use std::time::Duration;
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// A guest that does not read for so long is gone.
const WRITE_LIMIT: Duration = Duration::from_secs(10);
/// Read at once.
const CHUNK: usize = 16 * 1024;
/// What a buffer keeps when it is empty.
const KEPT: usize = 64 * 1024;
/// Transfers that may wait at one endpoint. Hosts have a few.
pub(super) const MOST_WAITING: usize = 64;
/// Longest data of a transfer to the device: more than a message ever has.
pub(super) const MOST_DATA: usize = 128 * 1024;

/// Why a connection was ended from here.
#[derive(Debug, Error)]
pub enum SessionError {
    /// The system's error.
    #[error("the connection failed: {0}")]
    Io(#[from] std::io::Error),
    /// Nobody reads.
    #[error("the other side has not read for {} seconds; the connection is closed", WRITE_LIMIT.as_secs())]
    Stuck,
    /// Bytes that make no sense.
    #[error("the other side broke the protocol ({0}); the connection is closed")]
    Protocol(#[from] Fault),
    /// Somebody else has the device.
    #[error("another guest has the device; the connection is closed. End that guest, or give it a device of its own")]
    Taken,
}

/// What is wrong with bytes that came in.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Fault {
    /// Longer than anything that makes sense.
    #[error("a packet of {0} bytes")]
    TooLong(u64),
    /// A packet whose length does not fit its type.
    #[error("packet type {kind:#x} with {length} bytes")]
    Length {
        /// Its type.
        kind: u32,
        /// Its length without its head.
        length: usize,
    },
    /// A packet at a time, or of a kind, that the protocol does not have.
    #[error("packet type {0:#x} is not known here")]
    Kind(u32),
    /// More than a host ever does.
    #[error("more than {MOST_WAITING} transfers wait at one endpoint")]
    TooMany,
}

/// A wire's state machine: no I/O, no clock.
pub trait Wire {
    /// Takes what has come, in pieces of any size.
    ///
    /// # Errors
    /// [`Fault`]: the connection is over.
    fn receive(&mut self, bytes: &[u8], function: &mut Function) -> Result<(), Fault>;

    /// Gives waiting transfers what the function has for them; `plugged` says whether the device is plugged in. What
    /// is to be sent is added to `out`. `false` when the connection is over.
    fn advance(&mut self, function: &mut Function, plugged: bool, out: &mut Vec<u8>) -> bool;
}

/// Serves a guest until it or its device goes.
pub(super) async fn run<S, W>(stream: &mut S, wire: &mut W, attachment: &mut Attachment) -> Result<(), SessionError>
where
    S: AsyncRead + AsyncWrite + Unpin,
    W: Wire,
{
    match serve(stream, wire, attachment).await {
        // A guest that died with something unread, or before it had read all.
        Err(SessionError::Io(error)) if matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe) => Ok(()),
        ended => ended,
    }
}

async fn serve<S, W>(stream: &mut S, wire: &mut W, attachment: &mut Attachment) -> Result<(), SessionError>
where
    S: AsyncRead + AsyncWrite + Unpin,
    W: Wire,
{
    let (mut chunk, mut out) = (vec![0; CHUNK], Vec::new());
    loop {
        attachment.carry_out().await;
        let plugged = attachment.is_plugged();
        let goes_on = wire.advance(attachment.function(), plugged, &mut out);
        if !out.is_empty() {
            tokio::time::timeout(WRITE_LIMIT, stream.write_all(&out)).await.map_err(|_| SessionError::Stuck)??;
            out.clear();
            out.shrink_to(KEPT);
        }
        if !goes_on {
            return Ok(());
        }
        tokio::select! {
            read = stream.read(&mut chunk) => match read? {
                0 => return Ok(()),
                count => wire.receive(&chunk[..count], attachment.function())?,
            },
            () = attachment.happened() => {}
        }
    }
}
