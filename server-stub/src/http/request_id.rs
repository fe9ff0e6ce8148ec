//! What names a request in the log and, as `x-request-id`, in its answer: a person who reports an error reads it out. It is
//! always the server's own, whatever a request says: an id of somebody else's could be anything, and another's.

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use std::sync::Arc;

/// Where answers carry it.
pub(super) const HEADER: HeaderName = HeaderName::from_static("x-request-id");
/// Hexadecimal digits: nobody has two alike in one log.
const DIGITS: usize = 16;

/// The id of a request, in its extensions.
#[derive(Clone, Debug)]
pub(super) struct RequestId(Arc<str>);

impl RequestId {
    /// Hexadecimal digits.
    pub(super) fn text(&self) -> &str {
        &self.0
    }
}

/// The layer that gives each request its id.
pub(super) async fn name(mut request: Request, next: Next) -> Response {
    let id = RequestId(crate::model::random::token()[..DIGITS].into());
    request.extensions_mut().insert(id.clone());
    let mut response = next.run(request).await;
    if let Ok(value) = HeaderValue::from_str(id.text()) {
        response.headers_mut().insert(HEADER, value);
    }
    response
}
