//! The connections of a server: as many at once as the process has descriptors for. Whoever comes when all places are taken
//! gets the place of the one that has been silent for longest, so that nobody shuts others out by connecting and waiting.

use axum_server::accept::Accept;
use std::future::{Ready, ready};
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Descriptors for everything else: the database, cards, files.
const OTHERS: u64 = 64;
/// Places at least, and at most.
const FEWEST: u64 = 16;
const MOST: u64 = 4096;

/// The places of a server.
#[derive(Clone)]
pub(crate) struct Places {
    most: usize,
    /// Who has one; a lock that is held for a look at the list alone.
    taken: Arc<Mutex<Vec<Arc<Place>>>>,
    /// Counts what is read and written, instead of a clock.
    turn: Arc<AtomicU64>,
}

/// One of them.
struct Place {
    /// The turn of what was read or written last.
    last: AtomicU64,
    /// Somebody else has it now.
    lost: AtomicBool,
    /// Whom to tell.
    waker: Mutex<Option<Waker>>,
}

impl Places {
    /// As many as this process may have files open, but for some.
    pub(crate) fn of_process() -> Self {
        #[cfg(unix)]
        let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current.unwrap_or(u64::MAX);
        #[cfg(not(unix))]
        let limit = u64::MAX;
        Self::new(limit.saturating_sub(OTHERS).clamp(FEWEST, MOST) as usize)
    }

    fn new(most: usize) -> Self {
        Self { most, taken: Arc::default(), turn: Arc::default() }
    }

    fn next_turn(&self) -> u64 {
        self.turn.fetch_add(1, Ordering::Relaxed)
    }

    fn take(&self) -> Arc<Place> {
        let place = Arc::new(Place { last: self.next_turn().into(), lost: AtomicBool::new(false), waker: Mutex::default() });
        let mut taken = locked(&self.taken);
        if taken.len() >= self.most {
            let silent = taken.iter().enumerate().min_by_key(|(_, place)| place.last.load(Ordering::Relaxed));
            if let Some((index, _)) = silent {
                let silent = taken.swap_remove(index);
                silent.lost.store(true, Ordering::Release);
                if let Some(waker) = locked(&silent.waker).take() {
                    waker.wake();
                }
            }
        }
        taken.push(place.clone());
        place
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<I, S> Accept<I, S> for Places {
    type Stream = Seated<I>;
    type Service = S;
    type Future = Ready<io::Result<(Seated<I>, S)>>;

    fn accept(&self, stream: I, service: S) -> Self::Future {
        ready(Ok((Seated { stream, place: self.take(), places: self.clone() }, service)))
    }
}

/// A connection that has a place.
pub(crate) struct Seated<I> {
    stream: I,
    place: Arc<Place>,
    places: Places,
}

impl<I> Seated<I> {
    /// Fails when the place is lost; is told when it is.
    fn still_here(&self, cx: &Context<'_>) -> io::Result<()> {
        *locked(&self.place.waker) = Some(cx.waker().clone());
        if self.place.lost.load(Ordering::Acquire) {
            return Err(io::Error::new(io::ErrorKind::ConnectionAborted, "silent for too long, and others wait"));
        }
        Ok(())
    }

    fn heard(&self) {
        self.place.last.store(self.places.next_turn(), Ordering::Relaxed);
    }

    /// What became of a write: one that waits, because nobody reads, is silence.
    fn written(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if matches!(written, Poll::Ready(Ok(1..))) {
            self.heard();
        }
        written
    }
}

impl<I> Drop for Seated<I> {
    fn drop(&mut self) {
        locked(&self.places.taken).retain(|place| !Arc::ptr_eq(place, &self.place));
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for Seated<I> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.still_here(cx)?;
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if buffer.filled().len() > before {
            self.heard();
        }
        read
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Seated<I> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.still_here(cx)?;
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.written(written)
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, cx: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        self.still_here(cx)?;
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.written(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.still_here(cx)?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};

    /// The server's end, and the other.
    async fn connected(places: &Places) -> (Seated<DuplexStream>, DuplexStream) {
        let (server, other) = duplex(64);
        let (seated, ()) = places.accept(server, ()).await.unwrap();
        (seated, other)
    }

    #[tokio::test]
    async fn the_silent_one_goes_when_all_places_are_taken() {
        let places = Places::new(2);
        let (mut first, mut first_other) = connected(&places).await;
        let (mut second, _second_other) = connected(&places).await;
        // The first one speaks: the second has been silent for longer.
        first_other.write_all(b"x").await.unwrap();
        let mut byte = [0];
        first.read_exact(&mut byte).await.unwrap();
        // Somebody who waits for it to speak hears at once that the place is lost.
        let waiting = tokio::spawn(async move {
            let mut byte = [0];
            let read = second.read(&mut byte).await.map_err(|e| e.kind());
            (read, second)
        });
        let (mut third, mut third_other) = connected(&places).await;
        let (read, second) = waiting.await.unwrap();
        assert_eq!(read, Err(io::ErrorKind::ConnectionAborted));
        drop(second);
        // Whoever has a place goes on, and who goes makes room.
        for (seated, other) in [(&mut first, &mut first_other), (&mut third, &mut third_other)] {
            other.write_all(b"y").await.unwrap();
            seated.read_exact(&mut byte).await.unwrap();
            assert_eq!(byte, *b"y");
        }
        drop(third);
        let (_fourth, _other) = connected(&places).await;
        first_other.write_all(b"z").await.unwrap();
        first.read_exact(&mut byte).await.unwrap();
        assert_eq!((byte, locked(&places.taken).len()), (*b"z", 2));
    }

    /// Who asks and asks and takes no answer is silent: the place goes, and the one who writes hears of it.
    #[tokio::test]
    async fn who_never_reads_has_no_place_for_ever() {
        let places = Places::new(2);
        let (mut first, _first_other) = connected(&places).await;
        let (mut second, mut second_other) = connected(&places).await;
        // As much as goes into the pipe; what comes then waits.
        first.write_all(&[0; 64]).await.unwrap();
        second_other.write_all(b"x").await.unwrap();
        let mut byte = [0];
        second.read_exact(&mut byte).await.unwrap();
        let (told, hears) = tokio::sync::oneshot::channel();
        let writing = tokio::spawn(async move {
            let mut told = Some(told);
            let ended = std::future::poll_fn(|cx| {
                let written = Pin::new(&mut first).poll_write(cx, b"y");
                if let Some(told) = told.take() {
                    told.send(written.is_pending()).unwrap();
                }
                written
            });
            let ended = ended.await.map_err(|e| e.kind());
            (ended, first)
        });
        assert!(hears.await.unwrap(), "it waits");
        let (_third, _third_other) = connected(&places).await;
        let (ended, mut first) = tokio::time::timeout(std::time::Duration::from_secs(10), writing).await.unwrap().unwrap();
        assert_eq!(ended, Err(io::ErrorKind::ConnectionAborted));
        for ended in [first.write_vectored(&[IoSlice::new(b"y")]).await.map(|_| ()), first.flush().await] {
            assert_eq!(ended.map_err(|e| e.kind()), Err(io::ErrorKind::ConnectionAborted));
        }
        second_other.write_all(b"z").await.unwrap();
        second.read_exact(&mut byte).await.unwrap();
        assert_eq!(byte, *b"z", "who was heard later stays");
    }
}
