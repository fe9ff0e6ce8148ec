//! Which language a page is in.

use axum::extract::Request;
use axum::http::header;
use axum::middleware::Next;
use axum::response::Response;
use cardlab_protocol::words::Language;

/// The layer that chooses it. A page says which it is in.
pub(super) async fn spoken(request: Request, next: Next) -> Response {
    let language = Language::asked(request.headers());
    let mut response = language.answering(next.run(request)).await;
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    if kind.is_some_and(|kind| kind.starts_with("text/html")) {
        language.tell(response.headers_mut());
    }
    response
}
