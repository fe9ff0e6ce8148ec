//! Errors, as problems.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use cardlab_protocol::problem::Problem;
use cardlab_vreader::fault::{ArmError, FaultError};
use cardlab_vreader::icc::UndoError;
use cardlab_vreader::pin_pad::EntryError;
use cardlab_vreader::rack::RackError;
use cardlab_vreader::snapshot::SnapshotError;
use cardlab_vreader::state::StateError;
use cardlab_vreader::{NotSimulated, PaceError, TouchError};

/// An error: its HTTP status, and a sentence for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError(pub StatusCode, pub String);

impl ApiError {
    pub(crate) fn bad(message: impl Into<String>) -> Self {
        Self(StatusCode::BAD_REQUEST, message.into())
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let name = match self.0 {
            StatusCode::BAD_REQUEST => "MALFORMED",
            StatusCode::NOT_FOUND => "NOT_FOUND",
            StatusCode::METHOD_NOT_ALLOWED => "WRONG_METHOD",
            StatusCode::REQUEST_TIMEOUT => "TOO_LATE",
            StatusCode::CONFLICT => "CONFLICT",
            StatusCode::GONE => "READERS_GONE",
            StatusCode::PAYLOAD_TOO_LARGE => "TOO_LONG",
            _ => "BROKEN",
        };
        Problem::new(self.0, name, self.1).answer().into_response()
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
refuses!(CONFLICT: UndoError, NotSimulated);

impl From<ArmError> for ApiError {
    fn from(error: ArmError) -> Self {
        let status = match error {
            ArmError::NoApplet { .. } => StatusCode::BAD_REQUEST,
            ArmError::TooMany | ArmError::NotSimulated(_) => StatusCode::CONFLICT,
        };
        Self(status, error.to_string())
    }
}
