//! Everything over HTTP/1.1 and 2.
//!
//! | below | who | how they are known |
//! |---|---|---|
//! | `/credprovapi/v1`, `/certiflow/credprovapi/v1` | workstations | not at all |
//! | `/api/v1` | programs of operators | `Authorization: Bearer` |
//! | `/mc`, `/ss`, `/rss` | people with browsers | cookie, and a token in every form |
//! | `/api/openapi.json` | everybody | |

mod api;
mod body;
mod pages;
mod workstation;

use crate::refusal::Refusal;
use crate::server::Server;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

/// Longest request body: answers, policies.
const LONGEST_BODY: usize = 16 * 1024;

#[derive(OpenApi)]
#[openapi(info(title = "cardlab management server", description = "Online and offline unlock of smart cards"))]
struct Document;

/// All routes.
pub fn router(server: Server) -> Router {
    let (routes, document) = described();
    let json = document.to_json().unwrap_or_default();
    routes
        .route(
            "/api/openapi.json",
            axum::routing::get(move || async move { ([(header::CONTENT_TYPE, "application/json")], json) }),
        )
        .merge(pages::router())
        .fallback(async || Refusal::not_found("page").into_response())
        .layer(DefaultBodyLimit::max(LONGEST_BODY))
        .layer(axum::middleware::map_response(no_store))
        .with_state(server)
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

/// Nothing of this server is kept by anybody.
async fn no_store(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    response
}

/// RFC 9457, with the name for programs as `error`.
impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = json!({
            "type": "about:blank", "title": status.canonical_reason(), "status": status.as_u16(),
            "error": self.code.name(), "message": self.message, "detail": self.message,
        });
        (status, [(header::CONTENT_TYPE, "application/problem+json")], body.to_string()).into_response()
    }
}
