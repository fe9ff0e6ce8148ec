//! Why a request was refused, as every service here says it.

use serde::{Deserialize, Serialize};

/// A problem of RFC 9457, with a name for programs.
///
/// `{"type":"about:blank","title":"Gone","status":410,"detail":"..","error":"SESSION_OVER","message":".."}`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    /// Always `about:blank`: what happened, `status` and `error` say.
    #[serde(rename = "type", default)]
    pub kind: String,
    /// The HTTP status in words.
    #[serde(default)]
    pub title: String,
    /// The HTTP status.
    #[serde(default)]
    pub status: u16,
    /// The sentence of `message`, under the standard's name.
    #[serde(default)]
    pub detail: String,
    /// A name for programs: `SESSION_OVER`, `RATE_LIMITED` ...
    pub error: String,
    /// A sentence for people.
    pub message: String,
}

#[cfg(feature = "http")]
impl Problem {
    /// A request that was refused with this status.
    #[must_use]
    pub fn new(status: http::StatusCode, error: &str, message: impl Into<String>) -> Self {
        let message = message.into();
        Self {
            kind: "about:blank".into(),
            title: status.canonical_reason().unwrap_or_default().into(),
            status: status.as_u16(),
            detail: message.clone(),
            error: error.into(),
            message,
        }
    }

    /// The answer to the request.
    #[must_use]
    pub fn answer(&self) -> http::Response<String> {
        // A structure of strings and a number always has its JSON.
        let mut answer = http::Response::new(serde_json::to_string(self).unwrap_or_default());
        *answer.status_mut() = http::StatusCode::from_u16(self.status).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
        let json = http::HeaderValue::from_static("application/problem+json");
        answer.headers_mut().insert(http::header::CONTENT_TYPE, json);
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(feature = "http")]
    fn as_on_the_wire() {
        let answer = Problem::new(http::StatusCode::GONE, "SESSION_OVER", "too late").answer();
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["content-type"]),
            (410, &"application/problem+json".parse().unwrap())
        );
        assert_eq!(
            answer.body(),
            r#"{"type":"about:blank","title":"Gone","status":410,"detail":"too late","error":"SESSION_OVER","message":"too late"}"#
        );
    }

    #[test]
    fn name_and_sentence_are_enough() {
        let problem: Problem = serde_json::from_str(r#"{"error":"BUSY","message":"later"}"#).unwrap();
        assert_eq!((problem.error, problem.message, problem.status), ("BUSY".into(), "later".into(), 0));
    }
}
