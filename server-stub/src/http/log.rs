//! The log for who runs the server: one line a request, by [`tracing`]; a subscriber of the program's makes text or JSON of it.
//!
//! The span `request` has what is known of the request, and its line what became of it:
//!
//! | field | in | what |
//! |---|---|---|
//! | `id` | span | names the request; the answer has it as `x-request-id` |
//! | `from` | span | the address that it came from |
//! | `method`, `route` | span | as the routes are written: `/api/v1/users/{id}`; nothing of what stood there |
//! | `actor` | span | the operator's name, or `user` and the id of one in Self-Service; nothing for others |
//! | `status`, `ms` | line | the HTTP status, and milliseconds until the answer began |
//! | `error`, `cause` | line | of a refusal: its code, and why |
//!
//! Never in it: names that are tried at a login, what stands in addresses, queries, headers and bodies. What was malformed is
//! told in the answer alone: its sentence quotes what was sent.

use super::request_id::RequestId;
use crate::model::refusal::{Code, Refusal};
use axum::extract::{ConnectInfo, MatchedPath, Request};
use axum::http::Method;
use axum::response::Response;
use std::net::SocketAddr;
use std::time::Duration;
use tracing::field::Empty;
use tracing::{Span, debug, error_span, info, warn};

/// Of every span and line here, for filters.
const TARGET: &str = "cardlab::http";

/// A request's span. Of the highest level, so that whatever is logged has it.
pub(super) fn span(request: &Request) -> Span {
    let extensions = request.extensions();
    let id = extensions.get::<RequestId>().map(RequestId::text);
    let from = extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(address)| address.ip().to_string());
    let route = extensions.get::<MatchedPath>().map(MatchedPath::as_str);
    let method = method(request.method());
    error_span!(target: TARGET, "request", id, from, method, route, actor = Empty)
}

/// A method that somebody made up may be anything.
fn method(method: &Method) -> &str {
    const KNOWN: [Method; 7] =
        [Method::GET, Method::POST, Method::PUT, Method::DELETE, Method::HEAD, Method::OPTIONS, Method::PATCH];
    if KNOWN.contains(method) { method.as_str() } else { "other" }
}

/// Who the request is from, once that is known.
pub(super) fn actor(name: &str) {
    Span::current().record("actor", name);
}

/// What a refusal leaves with its answer, for the line.
pub(super) fn refused(response: &mut Response, refusal: &Refusal) {
    response.extensions_mut().insert(refusal.clone());
}

/// The line of a request that was answered. Quiet where a machine asks every few seconds whether all is well.
pub(super) fn answered(response: &Response, took: Duration, _: &Span) {
    let refusal = response.extensions().get::<Refusal>();
    let (error, cause) = (refusal.map(|refusal| refusal.code.name()), refusal.and_then(Refusal::cause));
    let status = response.status().as_u16();
    let ms = (took.as_secs_f64() * 10_000.0).round() / 10.0;
    if response.extensions().get::<Quiet>().is_some() && status < 400 {
        debug!(target: TARGET, status, ms, "answered");
    } else if status >= 500 || refusal.is_some_and(|refusal| refusal.code == Code::Busy) {
        warn!(target: TARGET, status, ms, error, cause, "answered");
    } else {
        info!(target: TARGET, status, ms, error, cause, "answered");
    }
}

/// In the answer to a question that is asked all the time.
#[derive(Clone, Copy)]
pub(super) struct Quiet;

/// The line of a request whose asker went before it was answered. The span is taken when the request comes.
pub(super) fn given_up<B>(_: &axum::http::Request<B>) -> impl FnOnce() + Send + use<B> {
    let span = Span::current();
    move || span.in_scope(|| info!(target: TARGET, "given up by who asked"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::sentence;

    #[test]
    fn a_method_that_is_made_up_is_not_shown() {
        assert_eq!(method(&Method::POST), "POST");
        assert_eq!(method(&Method::from_bytes(b"SECRET").unwrap()), "other");
    }

    #[test]
    fn what_may_be_quoted_is_no_cause() {
        assert_eq!(Refusal::malformed(sentence!("refused-day", day = "secret")).cause(), None);
        assert_eq!(Refusal::not_found("card").cause(), Some("there is no such card".into()));
    }
}
