//! Which language a page is in.

use crate::words::language::Language;
use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;

/// The layer that chooses it. A page says which it is in.
pub(super) async fn spoken(request: Request, next: Next) -> Response {
    let asked = request.headers().get_all(header::ACCEPT_LANGUAGE).iter().filter_map(|value| value.to_str().ok());
    let language = Language::liked(&asked.collect::<Vec<_>>().join(","));
    let mut response = language.answering(next.run(request)).await;
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    if kind.is_some_and(|kind| kind.starts_with("text/html")) {
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(language.name()));
        headers.append(header::VARY, HeaderValue::from_static("accept-language"));
    }
    response
}
