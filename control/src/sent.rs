//! What somebody sends, taken in whole: a refusal that is answered before all has been sent is not heard by who still sends. It is
//! wiped as soon as nobody needs it.

use axum::body::{Body, Bytes};
use std::time::Duration;
use tokio_stream::StreamExt as _;
use zeroize::Zeroizing;

/// How many bytes are read of what is too long, to be thrown away: more than most files that are taken for one of ours, and not all
/// that a device ever gives.
const READ_ON: u64 = 256 << 20;

/// How long is waited for the next part.
const PATIENCE: Duration = Duration::from_secs(60);

/// Why there is nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unread {
    /// More bytes than are taken. It was read on, to its end or for 256 MiB, and while more of it came.
    TooLong,
    /// The connection ended before it did, or nothing came for a minute.
    Cut,
}

/// All of it, `most` bytes at most.
///
/// # Errors
/// [`Unread`].
pub async fn whole(body: Body, most: usize) -> Result<Bytes, Unread> {
    within(PATIENCE, body, most).await
}

/// All of it, where nobody is waited for any longer than so for a part.
async fn within(patience: Duration, body: Body, most: usize) -> Result<Bytes, Unread> {
    let (mut bytes, mut length) = (Zeroizing::new(Vec::new()), 0_u64);
    let mut parts = body.into_data_stream();
    loop {
        match tokio::time::timeout(patience, parts.next()).await {
            Ok(None) => break,
            Ok(Some(Ok(part))) => {
                length += part.len() as u64;
                if length > READ_ON {
                    break;
                } else if length > most as u64 {
                    bytes = Zeroizing::default();
                } else {
                    append(&mut bytes, &part);
                }
            }
            // Who sent too much is told so, and not that it should be sent again.
            Ok(Some(Err(_))) | Err(_) if length > most as u64 => break,
            Ok(Some(Err(_))) | Err(_) => return Err(Unread::Cut),
        }
    }
    if length > most as u64 { Err(Unread::TooLong) } else { Ok(Bytes::from_owner(bytes)) }
}

/// A PIN or a passphrase may be in it: what is left behind in growing is wiped.
fn append(bytes: &mut Zeroizing<Vec<u8>>, part: &[u8]) {
    let length = bytes.len() + part.len();
    if length > bytes.capacity() {
        let mut larger = Zeroizing::new(Vec::with_capacity(length.max(2 * bytes.capacity())));
        larger.extend_from_slice(bytes);
        *bytes = larger;
    }
    bytes.extend_from_slice(part);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    const MEGABYTE: Bytes = Bytes::from_static(&[0; 1 << 20]);

    /// Megabytes, one after the other, and how many of them were taken.
    fn megabytes(count: usize) -> (Body, Arc<AtomicU64>) {
        let taken = Arc::new(AtomicU64::new(0));
        let counted = taken.clone();
        let parts = std::iter::repeat_n(MEGABYTE, count).inspect(move |_| {
            counted.fetch_add(1, Ordering::Relaxed);
        });
        (Body::from_stream(tokio_stream::iter(parts.map(Ok::<_, Infallible>))), taken)
    }

    #[tokio::test]
    async fn what_is_too_long_is_read_to_its_end_and_no_further_than_some_hundred_megabytes() {
        assert_eq!(whole(megabytes(2).0, 2 << 20).await.map(|bytes| bytes.len()), Ok(2 << 20));
        for (sent, read) in [(3, 3), (256, 256), (5000, 257)] {
            let (body, taken) = megabytes(sent);
            assert_eq!(whole(body, 2 << 20).await, Err(Unread::TooLong));
            assert_eq!(taken.load(Ordering::Relaxed), read, "of {sent}");
        }
    }

    #[tokio::test]
    async fn nobody_is_waited_for_without_end() {
        let begun = |count: usize| {
            let parts = tokio_stream::iter(std::iter::repeat_n(MEGABYTE, count).map(Ok::<_, Infallible>));
            Body::from_stream(parts.chain(tokio_stream::pending()))
        };
        assert_eq!(within(Duration::ZERO, begun(1), 2 << 20).await, Err(Unread::Cut));
        assert_eq!(within(Duration::ZERO, begun(3), 2 << 20).await, Err(Unread::TooLong));
    }

    #[tokio::test]
    async fn what_breaks_off_is_cut() {
        let parts = [Ok(MEGABYTE), Err(std::io::Error::other("gone"))];
        assert_eq!(whole(Body::from_stream(tokio_stream::iter(parts)), 2 << 20).await, Err(Unread::Cut));
    }
}
