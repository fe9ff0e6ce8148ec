//! Everything over HTTP/1.1 and 2.
//!
//! | below | who | how they are known |
//! |---|---|---|
//! | `/credprovapi/v1`, `/certiflow/credprovapi/v1` | workstations | not at all |
//! | `/api/v1` | programs of operators | `Authorization: Bearer` |
//! | `/mc`, `/ss`, `/rss` | people with browsers | cookie, and a token in every form |
//! | `/api/openapi.json`, `/healthz`, `/readyz` | everybody | |
//!
//! All of it only under the server's own names, and to no page of another site ([`Front`]). A request's way from outside in:
//!
//! | layer | what it does |
//! |---|---|
//! | `HEADERS` | what every answer says of itself |
//! | `request_id` | a name for the request, in the log and in its answer |
//! | `log` | its line |
//! | `actor` | who it is from, and what they were not let in to |
//! | `again` | says when it is worth asking again |
//! | `front` | whether it is for this server; its whole body |
//! | `body`, `json` | what it carries |

mod actor;
mod again;
mod api;
mod body;
mod document;
mod front;
mod health;
mod json;
mod language;
mod log;
mod pages;
mod request_id;
mod workstation;

pub use front::Front;

use crate::model::refusal::{Code, Refusal};
use crate::service::Server;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use cardlab_protocol::problem::Problem;
use tower_http::on_early_drop::OnEarlyDropLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::trace::TraceLayer;

/// Longest request body. Far more than anything here needs, so that what is too long for its field is told at the field.
const LONGEST_BODY: usize = 64 * 1024;

/// Of every answer: it is kept by nobody, is what it says it is, and is shown in no other site's page.
const HEADERS: [(HeaderName, &str); 5] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    // Not none at all: a browser then hides from the server which page of its own a form came from.
    (header::REFERRER_POLICY, "same-origin"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; media-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'",
    ),
];

/// All routes, for requests that are for the server where it is.
pub fn router(server: Server, front: Front) -> Router {
    let (routes, document) = document::described();
    let json = document.to_json().unwrap_or_default();
    let router = routes
        .route(
            "/api/openapi.json",
            axum::routing::get(move || async move { ([(header::CONTENT_TYPE, "application/json")], json) }),
        )
        .merge(health::router())
        .merge(pages::router(&server))
        .fallback(pages::nowhere)
        .method_not_allowed_fallback(pages::not_so)
        .layer(axum::middleware::from_fn_with_state(front, front::guard))
        .layer(axum::middleware::from_fn_with_state(server.clone(), actor::known))
        .layer(axum::middleware::from_fn(again::told))
        .layer(axum::middleware::from_fn(language::spoken))
        .layer(OnEarlyDropLayer::builder().on_future_drop(log::given_up))
        .layer(
            TraceLayer::new_for_http()
                .make_span_with(log::span)
                .on_request(())
                .on_response(log::answered)
                .on_body_chunk(())
                .on_eos(())
                .on_failure(()),
        )
        .layer(axum::middleware::from_fn(request_id::name))
        .layer(DefaultBodyLimit::max(LONGEST_BODY))
        .with_state(server);
    HEADERS.into_iter().fold(router, |router, (name, value)| {
        router.layer(SetResponseHeaderLayer::overriding(name, HeaderValue::from_static(value)))
    })
}

/// The OpenAPI document of the routes.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    document::described().1
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = Problem::new(status(&self), self.code.name(), self.message()).answer().into_response();
        if self.code == Code::NotLoggedIn {
            // RFC 9110, section 15.5.2: how one logs in (RFC 6750, section 3).
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        log::refused(&mut response, &self);
        response
    }
}

fn status(refusal: &Refusal) -> StatusCode {
    StatusCode::from_u16(refusal.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
