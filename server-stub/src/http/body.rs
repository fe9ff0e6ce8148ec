//! What requests carry, with refusals that say what was wrong.

use super::{LONGEST_BODY, actor, json};
use crate::model::refusal::{Code, Refusal};
use crate::service::Server;
use crate::service::login::Operator;
use crate::words::{Sentence, sentence};
use axum::body::Bytes;
use axum::extract::{ConnectInfo, FromRequest, FromRequestParts, Request};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
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
        if !is_json(request.headers()) {
            return Err(Refusal::malformed(sentence!("refused-json-wanted")));
        }
        let bytes = Bytes::from_request(request, server).await;
        let bytes = bytes.map_err(|rejection| rejected(rejection.status(), rejection.body_text()))?;
        json::read(&bytes).map(Self)
    }
}

/// Whether the body says that it is JSON: `application/json`, or a kind of it (RFC 6839, section 3.1).
fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind == "application/json" || kind.starts_with("application/") && kind.ends_with("+json")
}

/// The fields of a form.
pub(super) struct Form(pub(super) Fields);

impl FromRequest<Server> for Form {
    type Rejection = Refusal;

    async fn from_request(request: Request, server: &Server) -> Result<Self, Refusal> {
        let read = axum::Form::from_request(request, server).await;
        let axum::Form(fields): axum::Form<Fields> =
            read.map_err(|rejection| rejected(rejection.status(), rejection.body_text()))?;
        if fields.iter().any(|(name, text)| name.contains('\0') || text.contains('\0')) {
            return Err(Refusal::malformed(nul()));
        }
        Ok(Self(fields))
    }
}

/// The part behind `?`.
pub(super) struct Query<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequestParts<Server> for Query<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, server: &Server) -> Result<Self, Refusal> {
        let read = axum::extract::Query::from_request_parts(parts, server).await;
        read.map(|axum::extract::Query(query)| Self(query))
            .map_err(|rejection| Refusal::malformed(sentence!("refused-read", why = rejection.body_text())))
    }
}

/// No database of ours has a place for U+0000.
pub(super) fn nul() -> Sentence {
    sentence!("refused-nul")
}

/// What a request carries is not what is asked for, or too much of it.
pub(super) fn rejected(status: StatusCode, why: String) -> Refusal {
    if status == StatusCode::PAYLOAD_TOO_LARGE {
        return Refusal::new(Code::TooLong, sentence!("refused-too-long", most = LONGEST_BODY));
    }
    Refusal::malformed(sentence!("refused-read", why = why))
}

/// The operator whose bearer token it is.
pub(super) struct Bearer(pub(super) Operator);

impl FromRequestParts<Server> for Bearer {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, server: &Server) -> Result<Self, Refusal> {
        let token = parts.headers.get(AUTHORIZATION).and_then(|v| v.to_str().ok()).and_then(|v| v.strip_prefix("Bearer "));
        let token = token.ok_or_else(|| Refusal::new(Code::NotLoggedIn, sentence!("refused-bearer")))?;
        let operator = server.logins().operator(token).await?;
        actor::is(&operator.name, true);
        Ok(Self(operator))
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
