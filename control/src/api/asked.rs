//! How requests are read, and refused: in our words.

use super::{Control, LONGEST_BODY};
use crate::error::ApiError;
use crate::sent;
use crate::sent::Unread;
use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts};
use axum::http::{StatusCode, header};
use cardlab_vreader::Place;

/// JSON, or a problem.
pub type Reply<T> = Result<Json<T>, ApiError>;

/// Takes the whole request in before it is answered: a client that sends its body apart must not find the
/// connection closed. Who asks first whether it may send so much (RFC 9110, section 10.1.1) is told at once that it may not.
pub(super) async fn whole(request: axum::extract::Request) -> Result<axum::extract::Request, ApiError> {
    let too_long = || {
        let sentence = format!("that is too long: at most {} MiB; nothing was done", LONGEST_BODY >> 20);
        ApiError(StatusCode::PAYLOAD_TOO_LARGE, sentence)
    };
    let (parts, body) = request.into_parts();
    let announced = parts.headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if parts.headers.contains_key(header::EXPECT) && announced.is_some_and(|length| length > LONGEST_BODY as u64) {
        return Err(too_long());
    }
    match sent::whole(body, LONGEST_BODY).await {
        Ok(bytes) => Ok(axum::extract::Request::from_parts(parts, bytes.into())),
        Err(Unread::TooLong) => Err(too_long()),
        Err(Unread::Cut) => Err(ApiError::bad("the request was cut off; send it again")),
    }
}

/// A JSON body; refusals are ours. An empty one is `{}`.
pub struct Body<T>(pub T);

impl<S: Send + Sync, T: serde::de::DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: axum::extract::Request, state: &S) -> Result<Self, ApiError> {
        let bytes = axum::body::Bytes::from_request(request, state).await.map_err(|e| ApiError(e.status(), e.body_text()))?;
        let text: &[u8] = if bytes.is_empty() { b"{}" } else { &bytes };
        Json::from_bytes(text).map(|Json(body)| Self(body)).map_err(|e: JsonRejection| ApiError::bad(e.body_text()))
    }
}

/// What stands in the address; refusals are ours.
pub struct Path<T>(pub T);

impl<S: Send + Sync, T: serde::de::DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut axum::http::request::Parts, state: &S) -> Result<Self, ApiError> {
        let axum::extract::Path(found) = axum::extract::Path::from_request_parts(parts, state)
            .await
            .map_err(|_| ApiError(StatusCode::NOT_FOUND, "there is nothing at this address: a number in it is none".into()))?;
        Ok(Self(found))
    }
}

/// The part behind `?`; refusals are ours.
pub struct Query<T>(pub T);

impl<S: Send + Sync, T: serde::de::DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut axum::http::request::Parts, state: &S) -> Result<Self, ApiError> {
        let query = axum::extract::Query::from_request_parts(parts, state).await;
        query.map(|axum::extract::Query(value)| Self(value)).map_err(|e: QueryRejection| ApiError::bad(e.body_text()))
    }
}

/// A reader of the path: its number, its name or the beginning of its name.
pub(super) struct Reader(pub(super) Place);

impl FromRequestParts<Control> for Reader {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut axum::http::request::Parts, control: &Control) -> Result<Self, ApiError> {
        let name = axum::extract::Path::<String>::from_request_parts(parts, control).await;
        let axum::extract::Path(name) = name.map_err(|e| ApiError::bad(e.body_text()))?;
        Ok(Self(control.rack.find(&name)?))
    }
}
