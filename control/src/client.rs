//! The control socket for programs in Rust, such as `cardlab card`.

use cardlab_protocol::problem::Problem;
pub use reqwest::Method;
use reqwest::Response;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sse_stream::{Sse, SseStream};
use std::error::Error as StdError;
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;
use thiserror::Error;
use tokio::runtime::Runtime;
use tokio_stream::{Stream, StreamExt as _};

/// Why nothing was done.
#[derive(Debug, Error)]
pub enum ControlError {
    /// Nobody listens there.
    #[error("no cardlab listens at {}: {reason}; start `cardlab up` or `cardlab exec`, and name its socket with --control or {}", path.display(), crate::CONTROL_VARIABLE)]
    Nobody {
        /// The socket.
        path: PathBuf,
        /// Why.
        reason: std::io::Error,
    },
    /// There is no such reader or snapshot.
    #[error("{0}")]
    NotThere(String),
    /// It was refused.
    #[error("{0}")]
    Refused(String),
    /// It did not happen in time.
    #[error("{0}")]
    TooLate(String),
    /// The connection broke, or something else answers.
    #[error("control socket: {0}")]
    Broken(String),
}

/// What lies under an error: the words of whoever met it first.
fn cause<'a>(error: &'a (dyn StdError + 'static)) -> &'a (dyn StdError + 'static) {
    let mut cause = error;
    while let Some(under) = cause.source() {
        cause = under;
    }
    cause
}

fn broken(error: impl StdError + 'static) -> ControlError {
    ControlError::Broken(cause(&error).to_string())
}

/// A control socket.
pub struct Client {
    socket: PathBuf,
    http: reqwest::Client,
    runtime: Runtime,
    limit: Option<Duration>,
}

impl Client {
    /// The one at this path.
    ///
    /// # Errors
    /// The system's, when there is no runtime.
    pub fn at(socket: &Path) -> Result<Self, ControlError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(broken)?;
        // Nothing is encrypted on the socket: no certificates are looked for. A connection is not kept: nobody would
        // see it end between two requests.
        let http = reqwest::Client::builder().unix_socket(socket).tls_certs_only([]).pool_max_idle_per_host(0).no_proxy();
        Ok(Self { socket: socket.to_owned(), http: http.build().map_err(broken)?, runtime, limit: None })
    }

    /// Gives up a request that has no answer after this time: whoever listens there may hang.
    #[must_use]
    pub fn within(mut self, limit: Duration) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Why a request got no answer.
    fn unanswered(&self, error: reqwest::Error) -> ControlError {
        let reason = cause(&error).downcast_ref::<io::Error>().filter(|_| error.is_connect());
        let Some(reason) = reason else { return broken(error) };
        let reason = reason.raw_os_error().map_or_else(|| reason.kind().into(), io::Error::from_raw_os_error);
        ControlError::Nobody { path: self.socket.clone(), reason }
    }

    async fn send(&self, method: Method, path: &str, body: &impl Serialize) -> Result<Response, ControlError> {
        let mut request = self.http.request(method, format!("http://cardlab{path}")).json(body);
        if let Some(limit) = self.limit {
            request = request.timeout(limit);
        }
        let response = request.send().await.map_err(|error| self.unanswered(error))?;
        let status = response.status().as_u16();
        if status == 200 {
            return Ok(response);
        }
        let message = response.json::<Problem>().await.map_or_else(|_| format!("status {status}"), |problem| problem.message);
        Err(match status {
            404 => ControlError::NotThere(message),
            408 => ControlError::TooLate(message),
            _ => ControlError::Refused(message),
        })
    }

    /// One request; its answer as text.
    ///
    /// # Errors
    /// [`ControlError`].
    pub fn text(&self, method: Method, path: &str, body: &impl Serialize) -> Result<String, ControlError> {
        self.runtime.block_on(async {
            let bytes = self.send(method, path, body).await?.bytes().await.map_err(broken)?;
            String::from_utf8(bytes.into()).map_err(broken)
        })
    }

    /// One request; its answer as data.
    ///
    /// # Errors
    /// [`ControlError`].
    pub fn json<T: DeserializeOwned>(&self, method: Method, path: &str, body: &impl Serialize) -> Result<T, ControlError> {
        serde_json::from_str(&self.text(method, path, body)?).map_err(broken)
    }

    /// What happens, event by event: its name and its data, until `each` breaks off or the readers are gone.
    ///
    /// # Errors
    /// [`ControlError`].
    pub fn follow(&self, each: impl FnMut(&str, &str) -> ControlFlow<()>) -> Result<(), ControlError> {
        self.runtime.block_on(async {
            let response = self.send(Method::GET, "/v1/events", &serde_json::json!({})).await?;
            hand_on(SseStream::new(reqwest::Body::from(response)), each).await
        })
    }
}

/// Hands on the events that have a name, until `each` breaks off or there are no more.
async fn hand_on(
    events: impl Stream<Item = Result<Sse, sse_stream::Error>>,
    mut each: impl FnMut(&str, &str) -> ControlFlow<()>,
) -> Result<(), ControlError> {
    let mut events = std::pin::pin!(events);
    while let Some(event) = events.next().await {
        let event = event.map_err(broken)?;
        let (Some(name), Some(data)) = (event.event, event.data) else { continue };
        if each(&name, &data).is_break() {
            break;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::{Body, Bytes};
    use std::convert::Infallible;

    const STREAM: &str = ":\n\nevent: record\ndata: {\"card\":\"Zoë’s Ключ 鍵 🔑\"}\n\n: alive\n\nevent:missed\r\ndata: 7\r\n\r\ndata: no name\n\n\
                          event: ключ\ndata: é\ndata: ü\n\nevent: cut\ndata: of";
    const EVENTS: [(&str, &str); 3] = [("record", "{\"card\":\"Zoë’s Ключ 鍵 🔑\"}"), ("missed", "7"), ("ключ", "é\nü")];

    fn body<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Body {
        let pieces: Vec<Result<Bytes, Infallible>> = pieces.map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
        Body::from_stream(tokio_stream::iter(pieces))
    }

    fn is_whole(read: impl FnOnce(&mut dyn FnMut(&str, &str) -> ControlFlow<()>) -> Result<(), ControlError>) {
        let mut seen = Vec::new();
        let mut each = |name: &str, data: &str| {
            seen.push((name.to_owned(), data.to_owned()));
            ControlFlow::Continue(())
        };
        read(&mut each).unwrap();
        assert_eq!(seen, EVENTS.map(|(name, data)| (name.to_owned(), data.to_owned())));
    }

    #[test]
    fn events_are_the_same_wherever_the_stream_is_cut() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let bytes = STREAM.as_bytes();
        let is_whole = |cut: Body| is_whole(|each| runtime.block_on(hand_on(SseStream::new(cut), each)));
        for at in 0..=bytes.len() {
            let (before, after) = bytes.split_at(at);
            is_whole(body([before, after].into_iter()));
        }
        for length in 1..8 {
            is_whole(body(bytes.chunks(length)));
        }
    }

    #[test]
    fn events_come_over_the_socket_byte_by_byte() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("socket");
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(async { tokio::net::UnixListener::bind(&path).unwrap() });
        let events = axum::routing::get(async || body(STREAM.as_bytes().chunks(1)));
        runtime.spawn(async { axum::serve(listener, axum::Router::new().route("/v1/events", events)).await });
        let client = Client::at(&path).unwrap();
        is_whole(|each| client.follow(each));
    }

    #[test]
    fn one_that_hangs_is_given_up() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("socket");
        let _silent = std::os::unix::net::UnixListener::bind(&path).unwrap();
        let client = Client::at(&path).unwrap().within(Duration::from_millis(1));
        assert!(matches!(client.text(Method::GET, "/v1/readers", &()), Err(ControlError::Broken(_))));
    }

    #[test]
    fn where_nobody_listens_that_is_said() {
        let error = Client::at(Path::new("/nowhere/socket")).unwrap().text(Method::GET, "/v1/readers", &()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "no cardlab listens at /nowhere/socket: No such file or directory (os error 2); start `cardlab up` or \
             `cardlab exec`, and name its socket with --control or CARDLAB_CONTROL"
        );
    }
}
