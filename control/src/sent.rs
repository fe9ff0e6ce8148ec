//! What somebody sends, taken in whole: a refusal that is answered before all has been sent is not heard by who still sends.

use axum::body::{Body, Bytes};
use tokio_stream::StreamExt as _;

/// How much is read of what is too long, to be thrown away: more than any file of ours, and not all that a device ever gives.
const READ_ON: u64 = 4 << 30;

/// Why there is nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unread {
    /// More bytes than are taken; it was read to its end all the same.
    TooLong,
    /// The connection ended before it did.
    Cut,
}

/// All of it, `most` bytes at most.
///
/// # Errors
/// [`Unread`].
pub async fn whole(body: Body, most: usize) -> Result<Bytes, Unread> {
    let (mut bytes, mut length) = (Vec::new(), 0_u64);
    let mut parts = body.into_data_stream();
    while let Some(part) = parts.next().await {
        let part = part.map_err(|_| Unread::Cut)?;
        length += part.len() as u64;
        if length > READ_ON {
            break;
        } else if length > most as u64 {
            bytes = Vec::new();
        } else {
            bytes.extend_from_slice(&part);
        }
    }
    if length > most as u64 { Err(Unread::TooLong) } else { Ok(bytes.into()) }
}
