//! What requests carry, with refusals that say what was wrong.

use super::LONGEST_BODY;
use crate::login::Operator;
use crate::refusal::{Code, Refusal};
use crate::server::Server;
use axum::Json;
use axum::extract::{ConnectInfo, FromRequest, FromRequestParts, Request};
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use std::collections::HashMap;
use std::net::SocketAddr;

/// Fields of a form.
pub(super) type Fields = HashMap<String, String>;

/// A JSON body.
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<Server> for Body<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, server: &Server) -> Result<Self, Refusal> {
        let read = Json::from_request(request, server).await;
        read.map(|Json(value)| Self(value)).map_err(|rejection| rejected(rejection.status(), rejection.body_text()))
    }
}

/// The fields of a form.
pub(super) struct Form(pub(super) Fields);

impl FromRequest<Server> for Form {
    type Rejection = Refusal;

    async fn from_request(request: Request, server: &Server) -> Result<Self, Refusal> {
        let read = axum::Form::from_request(request, server).await;
        read.map(|axum::Form(fields)| Self(fields)).map_err(|rejection| rejected(rejection.status(), rejection.body_text()))
    }
}

/// The part behind `?`.
pub(super) struct Query<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequestParts<Server> for Query<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, server: &Server) -> Result<Self, Refusal> {
        let read = axum::extract::Query::from_request_parts(parts, server).await;
        read.map(|axum::extract::Query(query)| Self(query)).map_err(|rejection| Refusal::malformed(rejection.body_text()))
    }
}

/// What a request carries is not what is asked for, or too much of it.
fn rejected(status: StatusCode, why: String) -> Refusal {
    if status == StatusCode::PAYLOAD_TOO_LARGE {
        return Refusal::new(Code::TooLong, format!("a request has at most {LONGEST_BODY} bytes"));
    }
    Refusal::malformed(why)
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
pub(super) struct PeerAddress(pub(super) String);

impl FromRequestParts<Server> for PeerAddress {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, server: &Server) -> Result<Self, Refusal> {
        let info = ConnectInfo::<SocketAddr>::from_request_parts(parts, server).await;
        Ok(Self(info.map_or_else(|_| "unknown".into(), |ConnectInfo(address)| address.ip().to_string())))
    }
}
