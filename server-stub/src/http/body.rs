//! What requests carry, with refusals that say what was wrong.

use crate::login::Operator;
use crate::refusal::{Code, Refusal};
use crate::server::Server;
use axum::Json;
use axum::extract::{ConnectInfo, FromRequest, FromRequestParts, Request};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use std::net::SocketAddr;

/// A JSON body.
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<Server> for Body<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, server: &Server) -> Result<Self, Refusal> {
        Json::from_request(request, server).await.map(|Json(value)| Self(value)).map_err(|e| Refusal::malformed(e.body_text()))
    }
}

/// The operator whose bearer token it is.
pub(super) struct Bearer(pub(super) Operator);

impl FromRequestParts<Server> for Bearer {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, server: &Server) -> Result<Self, Refusal> {
        let token = parts.headers.get(AUTHORIZATION).and_then(|v| v.to_str().ok()).and_then(|v| v.strip_prefix("Bearer "));
        let token = token
            .ok_or_else(|| Refusal::new(Code::NotLoggedIn, "send 'Authorization: Bearer TOKEN'; POST /api/v1/login gives one"))?;
        Ok(Self(server.operator(token).await?))
    }
}

/// The address that the request came from.
pub(super) struct From(pub(super) String);

impl FromRequestParts<Server> for From {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, server: &Server) -> Result<Self, Refusal> {
        let info = ConnectInfo::<SocketAddr>::from_request_parts(parts, server).await;
        Ok(Self(info.map_or_else(|_| "unknown".into(), |ConnectInfo(address)| address.ip().to_string())))
    }
}
