//! Everything over HTTP/1.1 and 2.
//!
//! | below | who | how they are known |
//! |---|---|---|
//! | `/credprovapi/v1`, `/certiflow/credprovapi/v1` | workstations | not at all |
//! | `/api/v1` | programs of operators | `Authorization: Bearer` |
//! | `/mc`, `/ss`, `/rss` | people with browsers | cookie, and a token in every form |
//! | `/api/openapi.json` | everybody | |
//!
//! All of it only under the server's own names, and to no page of another site ([`Front`]).

mod api;
mod body;
mod front;
mod pages;
mod words;
mod workstation;

pub use front::Front;

use crate::model::refusal::{Code, Refusal};
use crate::service::Server;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use cardlab_protocol::problem::Problem;
use tower_http::set_header::SetResponseHeaderLayer;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

/// Longest request body: answers, policies.
const LONGEST_BODY: usize = 16 * 1024;

/// Of every answer: it is kept by nobody, is what it says it is, and is shown in no other site's page.
const HEADERS: [(HeaderName, &str); 5] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    // Not none at all: a browser then hides from the server which page of its own a form came from.
    (header::REFERRER_POLICY, "same-origin"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'",
    ),
];

#[derive(OpenApi)]
#[openapi(info(title = "cardlab management server", description = "Online and offline unlock of smart cards"))]
struct Document;

/// All routes, for requests that are for the server where it is.
pub fn router(server: Server, front: Front) -> Router {
    let (routes, document) = described();
    let json = document.to_json().unwrap_or_default();
    let router = routes
        .route(
            "/api/openapi.json",
            axum::routing::get(move || async move { ([(header::CONTENT_TYPE, "application/json")], json) }),
        )
        .merge(pages::router(&server))
        .fallback(async || Refusal::not_found("page"))
        .method_not_allowed_fallback(async || Refusal::new(Code::WrongMethod, "this is not asked so; /api/openapi.json says how"))
        .layer(axum::middleware::from_fn_with_state(front, front::guard))
        .layer(DefaultBodyLimit::max(LONGEST_BODY))
        .with_state(server);
    HEADERS.into_iter().fold(router, |router, (name, value)| {
        router.layer(SetResponseHeaderLayer::overriding(name, HeaderValue::from_static(value)))
    })
}

fn described() -> (Router<Server>, utoipa::openapi::OpenApi) {
    OpenApiRouter::with_openapi(Document::openapi())
        .nest(cardlab_protocol::workstation::PATH, workstation::router())
        .nest(&format!("/certiflow{}", cardlab_protocol::workstation::PATH), workstation::router())
        .nest("/api/v1", api::router())
        .split_for_parts()
}

/// The OpenAPI document of the routes.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    described().1
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        Problem::new(status(&self), self.code.name(), self.message).answer().into_response()
    }
}

fn status(refusal: &Refusal) -> StatusCode {
    StatusCode::from_u16(refusal.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
