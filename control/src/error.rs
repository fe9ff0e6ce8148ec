//! Errors, as HTTP status and JSON.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use cardlab_vreader::fault::{ArmError, FaultError};
use cardlab_vreader::icc::UndoError;
use cardlab_vreader::pin_pad::EntryError;
use cardlab_vreader::rack::RackError;
use cardlab_vreader::snapshot::SnapshotError;
use cardlab_vreader::state::StateError;
use cardlab_vreader::{PaceError, TouchError};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Why something was not done.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// A sentence for people.
    pub error: String,
}

/// An error with its HTTP status.
#[derive(Debug)]
pub(crate) struct ApiError(pub(crate) StatusCode, pub(crate) String);

impl ApiError {
    pub(crate) fn bad(message: impl Into<String>) -> Self {
        Self(StatusCode::BAD_REQUEST, message.into())
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        (self.0, Json(Problem { error: self.1 })).into_response()
    }
}

impl From<RackError> for ApiError {
    fn from(error: RackError) -> Self {
        let status = match error {
            RackError::NoReader { .. } => StatusCode::NOT_FOUND,
            RackError::Several { .. } => StatusCode::BAD_REQUEST,
            _ => StatusCode::CONFLICT,
        };
        Self(status, error.to_string())
    }
}

macro_rules! refuses {
    ($status:ident: $($error:ty),+) => {
        $(impl From<$error> for ApiError {
            fn from(error: $error) -> Self {
                Self(StatusCode::$status, error.to_string())
            }
        })+
    };
}
refuses!(BAD_REQUEST: EntryError, FaultError, PaceError, StateError, TouchError, SnapshotError);
refuses!(CONFLICT: UndoError);

impl From<ArmError> for ApiError {
    fn from(error: ArmError) -> Self {
        let status = match error {
            ArmError::NoApplet { .. } => StatusCode::BAD_REQUEST,
            ArmError::TooMany => StatusCode::CONFLICT,
        };
        Self(status, error.to_string())
    }
}
