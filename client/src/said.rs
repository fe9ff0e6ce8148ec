//! What a server says of a request that it refuses.

use cardlab_protocol::problem::Problem;
use std::fmt;

/// What a server says of a request that it refuses: the problem of its answer, or the status alone where it gave none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// The HTTP status.
    pub status: u16,
    /// A name for programs (`RATE_LIMITED`, `SESSION_OVER` ...); empty without a problem.
    pub error: String,
    /// A sentence in the server's language, without a full stop; empty without a problem.
    pub message: String,
    /// Seconds after which it is worth asking again, where the server says so (`Retry-After`, RFC 9110, section 10.2.3).
    pub again: Option<u64>,
}

impl Said {
    /// Of an answer with this status, its problem and the value of its `Retry-After`: a number of seconds, or a date, which is
    /// passed over.
    pub(crate) fn of(status: u16, problem: Option<Problem>, again: Option<&str>) -> Self {
        let (error, message) = problem.map_or_else(Default::default, |problem| (problem.error, problem.message));
        Self { status, error, message, again: again.and_then(|seconds| seconds.trim().parse().ok()) }
    }
}

/// As the server says it.
impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.message {
            "" => write!(f, "the server answered with status {}", self.status),
            message => f.write_str(message),
        }
    }
}
