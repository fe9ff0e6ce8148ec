//! The card management server's workstation service, as a workstation uses it.

pub use crate::said::Said;
use crate::unlock::session::words::visible;
pub use crate::unreachable::{Distrust, Unreachable};
use cardlab_protocol::codes;
use cardlab_protocol::problem::Problem;
use cardlab_protocol::workstation::{Answers, Challenge, Judged, Open, Opened, Outcome, PATH, Report, Response, TaskOffer, Ways};
use reqwest::blocking::{Client, Response as Reply};
use reqwest::header::RETRY_AFTER;
use reqwest::redirect::Policy;
use reqwest::{Certificate, Url};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::Digest as _;
use std::error::Error as StdError;
use std::io::Read as _;
use std::net::IpAddr;
use std::time::Duration;
use thiserror::Error;

/// Longest wait for a connection: after it a person is offered another way.
const CONNECT: Duration = Duration::from_secs(3);
/// Longest wait for what nobody waits for: which ways are open, and that a report is taken.
const ASIDE: Duration = Duration::from_secs(5);
/// Longest wait for the whole of an answer.
const ANSWER: Duration = Duration::from_secs(30);
/// Bytes of the longest answer that is read.
const LONGEST_ANSWER: u64 = 10 * 1024 * 1024;

/// Why the server gave no answer.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ServiceError {
    /// Not an address.
    #[error("'{0}' is no server address: write https://HOST[:PORT], or http:// on this machine")]
    Address(String),
    /// An address with a user name or a password before its host. It is not repeated: the password may be somebody's.
    #[error("a server's address has no '@' and nothing before it: write https://HOST[:PORT], or http:// on this machine")]
    UserInfo,
    /// What is to be trusted is no certificate.
    #[error("what is to be trusted is no certificate in PEM")]
    Certificates,
    /// It cannot be reached, or is not the one it says it is.
    #[error("the server cannot be reached: {0}")]
    Unreachable(#[from] Unreachable),
    /// The session has ended.
    #[error("the session at the server is over: {0}")]
    Over(Said),
    /// Too many in too short a time: it says when again.
    #[error("{0}")]
    TooMany(Said),
    /// It cannot work now, and nothing was counted; a moment later it may.
    #[error("{0}")]
    Busy(Said),
    /// It gave a response for another card, which was not used.
    #[error("the server answered for another card; nothing was sent to this one")]
    OtherCard,
    /// It refused what was sent.
    #[error("{0}")]
    Refused(Said),
}

/// How far a server is trusted.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// PEM of the certificates that are trusted; `None` are those that the operating system trusts.
    pub roots: Option<Vec<u8>>,
    /// Any certificate, and any name in it: *Verify server certificate* = No.
    pub unverified: bool,
}

/// A server.
#[derive(Clone, Debug)]
pub struct Service {
    http: Client,
    base: String,
}

impl Service {
    /// The server at this address. Plain HTTP is for the same machine only. A server elsewhere is reached by way of the
    /// proxies that the environment names.
    ///
    /// Not from an asynchronous task: it waits, as every request does.
    ///
    /// # Errors
    /// [`ServiceError::Address`], [`ServiceError::UserInfo`], [`ServiceError::Certificates`].
    pub fn at(address: &str, trust: &Trust) -> Result<Self, ServiceError> {
        // Of two readers of an address one may take what is before an '@' for the host.
        if address.contains('@') {
            return Err(ServiceError::UserInfo);
        }
        let wrong = || ServiceError::Address(visible(address));
        let url = Url::parse(address).map_err(|_| wrong())?;
        if url.query().is_some() || url.fragment().is_some() {
            return Err(wrong());
        }
        let host = url.host_str().unwrap_or_default();
        let address_of = host.trim_matches(['[', ']']).parse::<IpAddr>();
        let local = host == "localhost" || address_of.is_ok_and(|ip| ip.is_loopback());
        match url.scheme() {
            "https" => {}
            "http" if local => {}
            _ => return Err(wrong()),
        }
        let http = || {
            let http = Client::builder()
                .user_agent(concat!("cardlab/", env!("CARGO_PKG_VERSION")))
                .connect_timeout(CONNECT)
                .redirect(Policy::none())
                .tls_danger_accept_invalid_certs(trust.unverified);
            if local { http.no_proxy() } else { http }
        };
        let http = match &trust.roots {
            Some(pem) => http().tls_certs_only(certificates(pem)?).build(),
            // Where nothing is encrypted nobody's certificates are read.
            None if url.scheme() == "http" => http().tls_certs_only([]).build(),
            // A machine without certificates trusts nobody, and says so when a server shows its own.
            None => http().build().or_else(|_| http().tls_certs_only([]).build()),
        };
        // As it was read, so that it is not read in another way once more.
        let base = url.as_str().trim_end_matches('/');
        let base = base.strip_suffix("/credprovapi").unwrap_or(base);
        Ok(Self { http: http.map_err(|_| ServiceError::Certificates)?, base: format!("{base}{PATH}") })
    }

    /// Asks which ways are open to a card; begins nothing.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn ways(&self, open: &Open) -> Result<Ways, ServiceError> {
        self.post_within(ASIDE, "/ways", open)
    }

    /// Tells what became of a card. The same may be told again: it is taken once.
    ///
    /// # Errors
    /// [`ServiceError`]; the report is worth keeping unless the server refused it.
    pub fn tell(&self, report: &Report) -> Result<(), ServiceError> {
        self.post_within::<serde_json::Value>(ASIDE, "/reports", report).map(drop)
    }

    /// Name of the file of reports that wait for this server.
    pub(crate) fn reports(&self) -> String {
        format!("reports-{}", &codes::digits(&sha2::Sha256::digest(self.base.as_bytes()))[..16])
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
    pub fn challenge(&self, session: &str, card: &str, challenge: &[u8]) -> Result<Vec<u8>, ServiceError> {
        let digits = Challenge { challenge: hex::encode_upper(challenge) };
        let response: Response = self.post(&format!("/sessions/{session}/challenge"), &digits)?;
        if !response.card.eq_ignore_ascii_case(card) {
            return Err(ServiceError::OtherCard);
        }
        let bytes = hex::decode(&response.response).ok().filter(|bytes| bytes.len() == challenge.len());
        let bytes = bytes.filter(|bytes| response.check.eq_ignore_ascii_case(&codes::check_code(bytes)));
        bytes.ok_or(ServiceError::Unreachable(Unreachable::NoSense))
    }

    /// Says how it ended. A server that does not hear it changes nothing at the card.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn report(&self, session: &str, outcome: &Outcome) -> Result<(), ServiceError> {
        self.post_within::<serde_json::Value>(ASIDE, &format!("/sessions/{session}/result"), outcome).map(drop)
    }

    fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, ServiceError> {
        self.post_within(ANSWER, path, body)
    }

    fn post_within<T: DeserializeOwned>(&self, longest: Duration, path: &str, body: &impl Serialize) -> Result<T, ServiceError> {
        let request = self.http.post(format!("{}{path}", self.base)).timeout(longest).json(body);
        let reply = request.send().map_err(unreachable)?;
        let status = reply.status().as_u16();
        if status == 200 {
            return read(reply);
        }
        let again = reply.headers().get(RETRY_AFTER).and_then(|again| again.to_str().ok()).map(str::to_owned);
        let said = Said::of(status, read::<Problem>(reply).ok(), again.as_deref());
        Err(match status {
            410 => ServiceError::Over(said),
            429 => ServiceError::TooMany(said),
            503 => ServiceError::Busy(said),
            _ => ServiceError::Refused(said),
        })
    }
}

fn unreachable(error: impl StdError + 'static) -> ServiceError {
    Unreachable::of(&error).into()
}

fn certificates(pem: &[u8]) -> Result<Vec<Certificate>, ServiceError> {
    let certificates = Certificate::from_pem_bundle(pem).ok().filter(|certificates| !certificates.is_empty());
    certificates.ok_or(ServiceError::Certificates)
}

/// The body of an answer.
fn read<T: DeserializeOwned>(reply: Reply) -> Result<T, ServiceError> {
    let mut body = Vec::new();
    reply.take(LONGEST_ANSWER + 1).read_to_end(&mut body).map_err(unreachable)?;
    if body.len() as u64 > LONGEST_ANSWER {
        return Err(Unreachable::NoSense.into());
    }
    serde_json::from_slice(&body).map_err(|_| Unreachable::NoSense.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::net::TcpListener;

    #[test]
    fn plain_http_stays_on_this_machine() {
        for right in [
            "http://127.0.0.1:8080",
            "http://localhost",
            "http://[::1]:1/",
            "http://127.0.0.2",
            "https://cms.example/credprovapi",
        ] {
            assert!(Service::at(right, &Trust::default()).is_ok(), "{right}");
        }
        for wrong in [
            "http://cms.example",
            "http://localhost.example",
            "http://127.0.0.1.example:80",
            "http://10.0.0.1",
            "https://cms.example/?x",
            "https://cms.example/#x",
            "ftp://localhost",
            "cms.example",
            "",
        ] {
            assert!(matches!(Service::at(wrong, &Trust::default()), Err(ServiceError::Address(_))), "{wrong}");
        }
    }

    /// A name and a password, and then the host: whoever the host is, and however it is reached.
    #[test]
    fn nothing_stands_before_the_host() {
        for wrong in [
            "http://localhost:80@cms.example",
            "http://localhost:x@127.0.0.2:9",
            "http://localhost@127.0.0.2:9",
            "https://:secret@cms.example",
            "https://@cms.example",
            "https://cms.example@",
            "https:secret@cms.example",
            "http:\\\\localhost@127.0.0.2",
        ] {
            let error = Service::at(wrong, &Trust::default()).unwrap_err();
            assert!(matches!(error, ServiceError::UserInfo), "{wrong}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
        for hidden in ["http://localhost%40127.0.0.2", "http://localhost\u{ff20}127.0.0.2", "http://a\u{fe6b}127.0.0.2"] {
            assert!(matches!(Service::at(hidden, &Trust::default()), Err(ServiceError::Address(_))), "{hidden}");
        }
    }

    fn card() -> Open {
        Open { serial: "00".into(), atr: String::new(), workstation: String::new(), remote_desktop: false }
    }

    #[test]
    fn where_nobody_is_the_reason_is_said() {
        let at = |address| Service::at(address, &Trust::default()).unwrap().open(&card()).unwrap_err();
        let nobody = at("http://127.0.0.1:1");
        assert_eq!(nobody.to_string(), "the server cannot be reached: no program listens at its address");
        let nameless = at("https://cms.invalid");
        assert!(matches!(nameless, ServiceError::Unreachable(Unreachable::NoSuchName)), "{nameless}");
    }

    #[test]
    fn who_takes_too_long_is_given_up() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let service = Service::at(&format!("http://{}", listener.local_addr().unwrap()), &Trust::default()).unwrap();
        let slow = service.post_within::<serde_json::Value>(Duration::from_millis(50), "/ways", &card()).unwrap_err();
        assert!(matches!(slow, ServiceError::Unreachable(Unreachable::TooSlow)), "{slow}");
    }

    #[test]
    fn what_is_no_certificate_is_trusted_by_nobody() {
        for pem in ["", "text", "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n"] {
            let trust = Trust { roots: Some(pem.into()), unverified: false };
            assert!(matches!(Service::at("https://cms.example", &trust), Err(ServiceError::Certificates)), "{pem}");
        }
    }

    /// What a server gets, and what a workstation makes of its answer.
    fn answered(answer: &str) -> (String, ServiceError) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/credprovapi/", listener.local_addr().unwrap());
        std::thread::scope(|scope| {
            let server = scope.spawn(move || {
                let mut stream = BufReader::new(listener.accept().unwrap().0);
                let lines: Vec<String> = std::iter::from_fn(|| {
                    let mut line = String::new();
                    stream.read_line(&mut line).unwrap();
                    Some(line)
                })
                .take_while(|line| !line.trim().is_empty())
                .collect();
                let length =
                    lines.iter().find_map(|line| line.to_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
                let mut body = vec![0; length.unwrap()];
                stream.read_exact(&mut body).unwrap();
                stream.get_mut().write_all(answer.as_bytes()).unwrap();
                lines.concat()
            });
            let error = Service::at(&address, &Trust::default()).unwrap().open(&card()).unwrap_err();
            (server.join().unwrap(), error)
        })
    }

    #[test]
    fn another_place_is_not_followed_and_no_proxy_is_asked() {
        // A proxy would be asked for the whole address.
        let (asked, error) =
            answered("HTTP/1.1 307 Temporary Redirect\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n");
        assert!(asked.starts_with("POST /credprovapi/v1/sessions HTTP/1.1\r\n"), "{asked}");
        assert_eq!(error.to_string(), "the server answered with status 307");
    }

    #[test]
    fn refusals_are_told_in_the_servers_words() {
        let with = |status: &str, again: &str, body: &str| {
            answered(&format!("HTTP/1.1 {status}\r\n{again}content-length: {}\r\n\r\n{body}", body.len())).1
        };
        let said =
            |status, error: &str, message: &str, again| Said { status, error: error.into(), message: message.into(), again };
        let over = with("410 Gone", "", r#"{"error":"SESSION_OVER","message":"too late"}"#);
        assert_eq!(over, ServiceError::Over(said(410, "SESSION_OVER", "too late", None)));
        assert_eq!(over.to_string(), "the session at the server is over: too late");
        let body = r#"{"error":"RATE_LIMITED","message":"too many"}"#;
        for (again, seconds) in [("retry-after: 300\r\n", Some(300)), ("retry-after: Fri, 27 Nov 2026 00:00:00 GMT\r\n", None)] {
            let often = with("429 Too Many Requests", again, body);
            assert_eq!(often, ServiceError::TooMany(said(429, "RATE_LIMITED", "too many", seconds)));
        }
    }

    #[test]
    fn an_answer_without_end_is_given_up() {
        let endless = LONGEST_ANSWER + 1;
        let (_, error) =
            answered(&format!("HTTP/1.1 200 OK\r\ncontent-length: {endless}\r\n\r\n{}", " ".repeat(endless as usize)));
        assert!(matches!(error, ServiceError::Unreachable(Unreachable::NoSense)), "{error}");
    }

    #[test]
    fn what_is_no_answer_is_told_apart() {
        for nonsense in [
            "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n[]",
            "220 mail.example ESMTP\r\n",
            "",
            "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{",
        ] {
            let (_, error) = answered(nonsense);
            assert!(matches!(error, ServiceError::Unreachable(Unreachable::NoSense)), "{nonsense}: {error}");
        }
        let with = |status: &str| answered(&format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n")).1;
        assert!(matches!(with("429 Too Many Requests"), ServiceError::TooMany(_)));
        assert!(matches!(with("503 Service Unavailable"), ServiceError::Busy(_)));
        assert!(matches!(with("400 Bad Request"), ServiceError::Refused(_)));
    }
}
