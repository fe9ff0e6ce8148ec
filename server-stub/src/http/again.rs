//! When it is worth asking again: `Retry-After` of what is refused for a while alone (RFC 9110, section 10.2.3).

use crate::model::refusal::Refusal;
use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;

/// The layer that says so in every answer to which it belongs, a page's or a program's.
pub(super) async fn told(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let seconds = response.extensions().get::<Refusal>().and_then(Refusal::again_in);
    if let Some(seconds) = seconds.filter(|_| response.status().as_u16() >= 400) {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}
