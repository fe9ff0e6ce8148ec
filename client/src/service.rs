//! The card management server's workstation service, as a workstation uses it.

use crate::minidriver::{CardError, Secret};
use cardlab_protocol::workstation::{
    Answers, CardOutcome, Challenge, Judged, Open, Opened, Outcome, PATH, Problem, Response, TaskOffer,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::time::Duration;
use thiserror::Error;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

/// Longest wait for a connection: after it a person is offered another way.
const CONNECT: Duration = Duration::from_secs(3);
/// Longest wait for an answer.
const ANSWER: Duration = Duration::from_secs(30);

/// Why the server gave no answer.
#[derive(Debug, Error)]
pub enum ServiceError {
    /// Not an address.
    #[error("'{0}' is no server address: write https://HOST[:PORT], or http:// on this machine")]
    Address(String),
    /// It cannot be reached, or is not the one it says it is.
    #[error("the server cannot be reached: {0}")]
    Unreachable(String),
    /// The session has ended.
    #[error("the session at the server is over: {0}")]
    Over(String),
    /// It refused.
    #[error("{0}")]
    Refused(String),
}

/// What a server is to hear of a card that refused after a response was given; `None` when neither the
/// response nor the card's absence was the reason.
#[must_use]
pub fn outcome(error: &CardError) -> Option<Outcome> {
    let (outcome, tries_left) = match error {
        CardError::Wrong { secret: Secret::AdminKey, left } => (CardOutcome::Refused, *left),
        CardError::Blocked(Secret::AdminKey) => (CardOutcome::Refused, Some(0)),
        CardError::Transport(_) | CardError::ChallengeGone | CardError::AnotherCard => (CardOutcome::Gone, None),
        _ => return None,
    };
    Some(Outcome { outcome, tries_left })
}

/// How far a server is trusted.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// PEM of the certificates that are trusted; `None` are the usual ones.
    pub roots: Option<Vec<u8>>,
    /// Any certificate, and any name in it: *Verify server certificate* = No.
    pub unverified: bool,
}

/// A server.
#[derive(Clone, Debug)]
pub struct Service {
    agent: ureq::Agent,
    base: String,
}

impl Service {
    /// The server at this address. Plain HTTP is for the same machine only.
    ///
    /// # Errors
    /// [`ServiceError::Address`].
    pub fn at(address: &str, trust: &Trust) -> Result<Self, ServiceError> {
        let wrong = || ServiceError::Address(address.to_owned());
        let host = address.strip_prefix("http://").map(|rest| rest.split('/').next().unwrap_or_default());
        let local = |host: &str| {
            ["127.0.0.1", "localhost", "[::1]"]
                .iter()
                .any(|l| host == *l || host.strip_prefix(l).is_some_and(|p| p.starts_with(':')))
        };
        match host {
            Some(host) if !local(host) => return Err(wrong()),
            None if !address.starts_with("https://") => return Err(wrong()),
            _ => {}
        }
        let mut tls = TlsConfig::builder().disable_verification(trust.unverified);
        if let Some(pem) = &trust.roots {
            tls = tls.root_certs(RootCerts::new_with_certs(&[
                Certificate::from_pem(pem).map_err(|e| ServiceError::Unreachable(e.to_string()))?
            ]));
        }
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(CONNECT))
            .timeout_global(Some(ANSWER))
            .max_redirects(0)
            .tls_config(tls.build());
        let base = address.trim_end_matches('/');
        let base = base.strip_suffix("/credprovapi").unwrap_or(base);
        Ok(Self { agent: config.build().new_agent(), base: format!("{base}{PATH}") })
    }

    /// Asks what is possible for a card.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn open(&self, open: &Open) -> Result<Opened, ServiceError> {
        self.post("/sessions", open)
    }

    /// Asks, as an agent, what is to be done with a card.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn task(&self, open: &Open) -> Result<TaskOffer, ServiceError> {
        self.post("/tasks", open)
    }

    /// Says that the user does not want the task of this session now.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn later(&self, session: &str) -> Result<(), ServiceError> {
        self.post::<serde_json::Value>(&format!("/sessions/{session}/later"), &serde_json::json!({})).map(drop)
    }

    /// Gives the answers.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn answer(&self, session: &str, answers: &Answers) -> Result<Judged, ServiceError> {
        self.post(&format!("/sessions/{session}/answers"), answers)
    }

    /// The response to a challenge.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn challenge(&self, session: &str, challenge: &[u8]) -> Result<Vec<u8>, ServiceError> {
        let digits: String = challenge.iter().map(|b| format!("{b:02X}")).collect();
        let response: Response = self.post(&format!("/sessions/{session}/challenge"), &Challenge { challenge: digits })?;
        let text = response.response;
        let byte = |n: usize| text.get(2 * n..2 * n + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
        let bytes: Option<Vec<u8>> = (0..text.len() / 2).map(byte).collect();
        bytes.filter(|b| matches!(b.len(), 8 | 16)).ok_or_else(|| ServiceError::Refused("the server's response is none".into()))
    }

    /// Says how it ended. A server that does not hear it changes nothing at the card.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn report(&self, session: &str, outcome: &Outcome) -> Result<(), ServiceError> {
        self.post::<serde_json::Value>(&format!("/sessions/{session}/result"), outcome).map(drop)
    }

    fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, ServiceError> {
        let unreachable = |e: ureq::Error| ServiceError::Unreachable(e.to_string());
        let mut reply = self.agent.post(format!("{}{path}", self.base)).send_json(body).map_err(unreachable)?;
        let status = reply.status().as_u16();
        if status == 200 {
            return reply.body_mut().read_json().map_err(unreachable);
        }
        let problem: Option<Problem> = reply.body_mut().read_json().ok();
        let message = problem.map_or_else(|| format!("the server answered with status {status}"), |p| p.message);
        Err(if status == 410 { ServiceError::Over(message) } else { ServiceError::Refused(message) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_stays_on_this_machine() {
        for right in ["http://127.0.0.1:8080", "http://localhost", "http://[::1]:1/", "https://cms.example/credprovapi"] {
            assert!(Service::at(right, &Trust::default()).is_ok(), "{right}");
        }
        for wrong in ["http://cms.example", "http://localhost.example", "http://127.0.0.1.example:80", "cms.example", ""] {
            assert!(matches!(Service::at(wrong, &Trust::default()), Err(ServiceError::Address(_))), "{wrong}");
        }
        let nobody = Service::at("http://127.0.0.1:1", &Trust::default());
        let open = Open { serial: "00".into(), atr: String::new(), workstation: String::new(), remote_desktop: false };
        assert!(nobody.is_ok_and(|s| matches!(s.open(&open), Err(ServiceError::Unreachable(_)))));
    }
}
