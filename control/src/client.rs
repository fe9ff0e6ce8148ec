//! The control socket for programs in Rust, such as `cardlab card`.

use crate::error::Problem;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use thiserror::Error;
use tokio::net::UnixStream;
use tokio::runtime::Runtime;

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

fn broken(error: impl std::fmt::Display) -> ControlError {
    ControlError::Broken(error.to_string())
}

/// A control socket.
pub struct Client {
    socket: PathBuf,
    runtime: Runtime,
}

impl Client {
    /// The one at this path.
    ///
    /// # Errors
    /// The system's, when there is no runtime.
    pub fn at(socket: &Path) -> Result<Self, ControlError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(broken)?;
        Ok(Self { socket: socket.to_owned(), runtime })
    }

    async fn send(&self, method: Method, path: &str, body: Vec<u8>) -> Result<Response<Incoming>, ControlError> {
        let stream = UnixStream::connect(&self.socket).await;
        let stream = stream.map_err(|reason| ControlError::Nobody { path: self.socket.clone(), reason })?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
        tokio::spawn(connection);
        let request =
            Request::builder().method(method).uri(path).header("host", "cardlab").header("content-type", "application/json");
        let request = request.body(Full::new(Bytes::from(body))).map_err(broken)?;
        let response = sender.send_request(request).await.map_err(broken)?;
        let status = response.status().as_u16();
        if status == 200 {
            return Ok(response);
        }
        let body = response.into_body().collect().await.map_err(broken)?.to_bytes();
        let message =
            serde_json::from_slice::<Problem>(&body).map_or_else(|_| format!("status {status}"), |problem| problem.error);
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
        let body = serde_json::to_vec(body).map_err(broken)?;
        self.runtime.block_on(async {
            let response = self.send(method, path, body).await?;
            let bytes = response.into_body().collect().await.map_err(broken)?.to_bytes();
            String::from_utf8(bytes.to_vec()).map_err(broken)
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
    pub fn follow(&self, mut each: impl FnMut(&str, &str) -> ControlFlow<()>) -> Result<(), ControlError> {
        self.runtime.block_on(async {
            let mut body = self.send(Method::GET, "/v1/events", Vec::new()).await?.into_body();
            let mut waiting = String::new();
            while let Some(frame) = body.frame().await {
                let Ok(data) = frame.map_err(broken)?.into_data() else { continue };
                waiting.push_str(&String::from_utf8_lossy(&data));
                while let Some((event, rest)) = waiting.split_once("\n\n") {
                    let field =
                        |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim_start();
                    let (name, data) = (field("event:").to_owned(), field("data:").to_owned());
                    waiting = rest.to_owned();
                    if !name.is_empty() && each(&name, &data).is_break() {
                        return Ok(());
                    }
                }
            }
            Ok(())
        })
    }
}
