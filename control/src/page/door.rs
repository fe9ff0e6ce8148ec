//! Who may come in: names of this machine, pages of its own, and whoever has opened the address that was printed.
//!
//! The token stands in the address once. Opening it gives the browser a cookie of another value, and leads on to an address
//! without either, so that no referrer, no history of a shared screen and no bookmark has what opens the bench.

use super::frame::refused;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::CookieJar;
use cardlab_protocol::codes::digits;
use cardlab_protocol::local::{is_elsewhere, is_for_a_page};
use std::sync::Arc;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// Bytes of a token: nobody guesses it.
const TOKEN: usize = 16;

/// What is said to who has no cookie.
const NOT_OPENED: &str = "This address does not open the bench, or it is of one that has ended. Open the address that cardlab \
                          printed when it started: \"Bench\" in what lab says.";
/// And to a program, which may have thrown it away.
const COOKIE: &str = " It gives a cookie, which a browser keeps and a program sends along, as curl -L -b '' ADDRESS does.";

/// What opens the bench.
#[derive(Clone)]
pub(super) struct Door {
    /// In the address.
    token: Arc<Zeroizing<String>>,
    /// In the cookie.
    pass: Arc<Zeroizing<String>>,
}

impl Door {
    pub(super) fn new() -> Result<Self, getrandom::Error> {
        let drawn = || -> Result<_, getrandom::Error> {
            let mut bytes = Zeroizing::new([0; TOKEN]);
            getrandom::fill(&mut *bytes)?;
            Ok(Arc::new(Zeroizing::new(digits(&*bytes))))
        };
        Ok(Self { token: drawn()?, pass: drawn()? })
    }

    pub(super) fn token(&self) -> &str {
        &self.token
    }
}

fn same(one: &str, other: &str) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
}

/// Cookies know no ports (RFC 6265, section 8.5): each bench of this machine has one of its own.
fn cookie(headers: &HeaderMap) -> String {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let port = host.rsplit_once(':').map_or("", |(_, port)| port);
    format!("cardlab-bench-{port}")
}

/// Names of this machine only.
pub(super) async fn judge(request: Request, next: Next) -> Response {
    if is_elsewhere(request.headers()) {
        let message = "The bench is for this machine only: open it at 127.0.0.1 or localhost, from its own page.";
        return refused(request.headers(), StatusCode::FORBIDDEN, "ELSEWHERE", message);
    }
    next.run(request).await
}

/// Lets in who has the cookie, and gives it to who has the token.
pub(super) async fn guard(State(door): State<Door>, jar: CookieJar, request: Request, next: Next) -> Response {
    let name = cookie(request.headers());
    let path = request.uri().path();
    if request.method() == Method::GET && same(path.trim_start_matches('/'), door.token()) {
        let set = format!("{name}={}; Path=/; HttpOnly; SameSite=Strict", door.pass.as_str());
        return match HeaderValue::from_str(&set) {
            Ok(set) => ([(header::SET_COOKIE, set)], Redirect::to("/")).into_response(),
            Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        };
    }
    if jar.get(&name).is_some_and(|cookie| same(cookie.value(), &door.pass)) {
        return next.run(request).await;
    }
    let for_programs = if is_for_a_page(request.headers()) { "" } else { COOKIE };
    refused(request.headers(), StatusCode::FORBIDDEN, "NOT_OPENED", &[NOT_OPENED, for_programs].concat())
}
