//! How the server is reached, and by whom: requests under names that are not its own, and those that a page of another site
//! makes a browser send, end here, before anything is counted.
//!
//! A browser says in `Host` what its person asked for, and in `Origin` and `Sec-Fetch-Site` who makes it ask (Fetch standard,
//! sections 3.2 and 3.3; W3C Fetch Metadata, section 2.4). A name that somebody else points at this address is a name of
//! theirs (DNS rebinding). Programs that are no browsers send neither `Origin` nor `Sec-Fetch-Site`.

use super::pages::{is_framed, refusal_for};
use crate::model::refusal::{Code, Refusal};
use crate::words::sentence;
use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request, State};
use axum::http::header::{HOST, HeaderMap, HeaderName, ORIGIN};
use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{HeaderValue, Uri};
use axum::middleware::Next;
use axum::response::Response;
use cardlab_protocol::host::host;
pub(super) use cardlab_protocol::local::is_for_a_page;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// Longest time from a request's head to the end of its body.
const LONGEST_READ: Duration = Duration::from_secs(20);
const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Where the server is, as those who ask for it say.
#[derive(Clone, Debug)]
pub struct Front {
    listen: IpAddr,
    names: Arc<[String]>,
    encrypted: bool,
}

impl Front {
    /// At this address, known as the machine's own and by the address itself.
    #[must_use]
    pub fn at(listen: SocketAddr) -> Self {
        Self { listen: listen.ip(), names: Arc::default(), encrypted: false }
    }

    /// Also known by these names, without a port.
    #[must_use]
    pub fn named(self, names: &[String]) -> Self {
        Self { names: names.iter().map(|name| name.trim_end_matches('.').to_lowercase()).collect(), ..self }
    }

    /// Over TLS.
    #[must_use]
    pub fn encrypted(self, encrypted: bool) -> Self {
        Self { encrypted, ..self }
    }

    /// Whether what it sends is encrypted: its cookies are for such connections only.
    pub(super) const fn is_encrypted(&self) -> bool {
        self.encrypted
    }

    /// Whether a person may have asked for this host.
    fn knows(&self, host: &str) -> bool {
        let name = host.trim_end_matches('.').to_lowercase();
        match name.trim_matches(['[', ']']).parse::<IpAddr>() {
            // Everywhere: nobody makes a name of an address.
            Ok(address) => address.is_loopback() || address == self.listen || self.listen.is_unspecified(),
            Err(_) => name == "localhost" || self.is_named(&name),
        }
    }

    /// Whether it is a name that was given to it.
    fn is_named(&self, host: &str) -> bool {
        self.names.contains(&host.trim_end_matches('.').to_lowercase())
    }

    /// Whether this request is for this server, and from a page of its own if it is from a page.
    fn judge(&self, uri: &Uri, headers: &HeaderMap, changes: bool) -> Result<(), Refusal> {
        let elsewhere = || {
            let message = sentence!("refused-host");
            Refusal::new(Code::WrongHost, message)
        };
        let mut hosts = headers.get_all(HOST).iter();
        let in_header = hosts.next().map(authority).transpose().map_err(|()| elsewhere())?;
        if hosts.next().is_some() {
            return Err(elsewhere());
        }
        // HTTP/2 has it in the request's address.
        let asked = uri.authority().cloned().or(in_header.clone()).ok_or_else(elsewhere)?;
        if !host(asked.as_str()).is_some_and(|name| self.knows(name)) || in_header.is_some_and(|other| !same(&other, &asked)) {
            return Err(elsewhere());
        }
        if !is_text(uri.path()) || !is_text(uri.query().unwrap_or_default()) {
            return Err(Refusal::malformed(sentence!("refused-address")));
        }
        let another = || Refusal::new(Code::OtherSite, sentence!("refused-other-site"));
        if let Some(origin) = headers.get(ORIGIN) {
            let own = origin.to_str().ok().and_then(|origin| origin.parse::<Uri>().ok()).is_some_and(|origin| {
                let known = match origin.scheme_str() {
                    Some("http") => !self.encrypted,
                    // Without TLS of its own only where a proxy may have it: under a name that was given for that.
                    Some("https") => self.encrypted || host(asked.as_str()).is_some_and(|name| self.is_named(name)),
                    _ => false,
                };
                known && origin.authority().is_some_and(|authority| same(authority, &asked))
            });
            return if own { Ok(()) } else { Err(another()) };
        }
        match headers.get(SITE).map(HeaderValue::as_bytes) {
            None | Some(b"same-origin" | b"none") => Ok(()),
            // A link on another page leads here as it leads anywhere.
            Some(_) if !changes => Ok(()),
            Some(_) => Err(another()),
        }
    }
}

/// Whether an address is text that a database has a place for, once it is decoded (RFC 3986, section 2.1).
fn is_text(encoded: &str) -> bool {
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded.as_bytes();
    while let [first, behind @ ..] = rest {
        let code = (*first == b'%').then(|| behind.get(..2)).flatten().filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let code = code.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        bytes.push(code.unwrap_or(*first));
        rest = if code.is_some() { &behind[2..] } else { behind };
    }
    !bytes.contains(&0) && std::str::from_utf8(&bytes).is_ok()
}

fn authority(value: &HeaderValue) -> Result<Authority, ()> {
    Authority::try_from(value.as_bytes()).map_err(|_| ())
}

fn same(one: &Authority, other: &Authority) -> bool {
    one.as_str().eq_ignore_ascii_case(other.as_str())
}

/// The layer round all routes.
pub(super) async fn guard(State(front): State<Front>, mut request: Request, next: Next) -> Response {
    let changes = !request.method().is_safe();
    let at_page = is_for_a_page(request.headers());
    if let Err(refusal) = front.judge(request.uri(), request.headers(), changes) {
        return refusal_for(at_page, refusal);
    }
    request.extensions_mut().insert(front);
    match whole(request).await {
        Ok(request) => next.run(request).await,
        // A page says so in its frame, which knows who asked.
        Err((mut parts, refusal)) if at_page && is_framed(parts.uri.path()) => {
            parts.extensions.insert(Unread(refusal));
            next.run(Request::from_parts(parts, Body::empty())).await
        }
        Err((_, refusal)) => refusal_for(at_page, refusal),
    }
}

/// Why the body of a request that a page has made was not read to its end.
#[derive(Clone)]
pub(super) struct Unread(pub(super) Refusal);

/// The request with its body, which has its time: who sends a byte now and then keeps nobody waiting.
async fn whole(request: Request) -> Result<Request, (Parts, Refusal)> {
    let (parts, body) = request.into_parts();
    let reading = Bytes::from_request(Request::from_parts(parts.clone(), body), &());
    let read = match tokio::time::timeout(LONGEST_READ, reading).await {
        Err(_) => Err(Refusal::new(Code::TooSlow, sentence!("refused-too-slow"))),
        Ok(read) => read.map_err(|rejection| super::body::rejected(rejection.status(), rejection.body_text())),
    };
    match read {
        Ok(bytes) => Ok(Request::from_parts(parts, bytes.into())),
        Err(refusal) => Err((parts, refusal)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(front: &Front, headers: &[(&str, &str)]) -> Result<(), Code> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(HeaderName::try_from(*name).unwrap(), HeaderValue::from_str(value).unwrap());
        }
        front.judge(&Uri::from_static("/x"), &map, true).map_err(|refusal| refusal.code)
    }

    #[test]
    fn its_own_names_and_no_other() {
        let front = Front::at("192.0.2.7:8320".parse().unwrap()).named(&["CMS.example.".into()]);
        for host in [
            "127.0.0.1:8320",
            "localhost",
            "LocalHost:1",
            "[::1]:8320",
            "192.0.2.7",
            "127.9.9.9",
            "cms.example:8320",
            "CMS.EXAMPLE.",
        ] {
            assert_eq!(judged(&front, &[("host", host)]), Ok(()), "{host}");
        }
        for host in [
            "evil.example",
            "192.0.2.8",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "x@localhost",
            "",
            "[::2]",
            "cms.example.evil",
            "0.0.0.0",
            // A port is a number, and nothing stands behind it.
            "localhost:",
            "localhost:80x",
            "localhost:x",
            "localhost:evil.example",
            "localhost:65536",
            "[::1]:x",
            "[::1]x",
            "127.0.0.1:8320@evil.example",
        ] {
            assert_eq!(judged(&front, &[("host", host)]), Err(Code::WrongHost), "{host}");
        }
        assert_eq!(judged(&front, &[]), Err(Code::WrongHost));
        assert_eq!(judged(&front, &[("host", "localhost"), ("host", "localhost")]), Err(Code::WrongHost));
        // Listening everywhere, it is reached by addresses that it cannot list, and by no name.
        let everywhere = Front::at("0.0.0.0:8320".parse().unwrap());
        assert_eq!(judged(&everywhere, &[("host", "192.0.2.8:8320")]), Ok(()));
        assert_eq!(judged(&everywhere, &[("host", "cms.example")]), Err(Code::WrongHost));
        // Over HTTP/2 the name is in the address; two names are one too many.
        let of = |uri, headers: &HeaderMap| front.judge(&Uri::from_static(uri), headers, true).map_err(|refusal| refusal.code);
        assert_eq!(of("https://cms.example/x", &HeaderMap::new()), Ok(()));
        assert_eq!(of("https://evil.example/x", &HeaderMap::new()), Err(Code::WrongHost));
        assert_eq!(of("https://x@cms.example/x", &HeaderMap::new()), Err(Code::WrongHost));
        let other = HeaderMap::from_iter([(HOST, HeaderValue::from_static("localhost"))]);
        assert_eq!(of("https://cms.example/x", &other), Err(Code::WrongHost));
    }

    #[test]
    fn an_address_is_text() {
        for text in ["", "/a/%41", "/%C3%A9", "/100%", "/%zz", "q=%2500", "/%", "/%0", "/%+0"] {
            assert!(is_text(text), "{text}");
        }
        for none in ["/%00", "q=a%00b", "/%FF", "/%C3", "/%ED%A0%80"] {
            assert!(!is_text(none), "{none}");
        }
    }

    #[test]
    fn its_own_pages_and_no_other() {
        let front = Front::at("127.0.0.1:8320".parse().unwrap());
        let from = |name: &str, value: &str| judged(&front, &[("host", "127.0.0.1:8320"), (name, value)]);
        assert_eq!((from("origin", "http://127.0.0.1:8320"), from("sec-fetch-site", "same-origin")), (Ok(()), Ok(())));
        assert_eq!(from("sec-fetch-site", "none"), Ok(()));
        for origin in [
            "null",
            "http://evil.example",
            "http://127.0.0.1:8321",
            "http://localhost:8320",
            "http://127.0.0.1",
            "ftp://127.0.0.1:8320",
            // Another scheme is another origin (RFC 6454, section 4).
            "https://127.0.0.1:8320",
            "",
        ] {
            assert_eq!(from("origin", origin), Err(Code::OtherSite), "{origin}");
        }
        for site in ["cross-site", "same-site", "whatever"] {
            assert_eq!(from("sec-fetch-site", site), Err(Code::OtherSite), "{site}");
        }
        // Behind a proxy with TLS, which goes by the name.
        let named = front.clone().named(&["cms.example".into()]);
        let by = |host, origin| judged(&named, &[("host", host), ("origin", origin)]);
        assert_eq!((by("cms.example", "https://cms.example"), by("CMS.example.", "https://CMS.example.")), (Ok(()), Ok(())));
        assert_eq!(by("localhost:8320", "https://localhost:8320"), Err(Code::OtherSite));
        assert_eq!(by("cms.example", "https://cms.example:8320"), Err(Code::OtherSite));
        let encrypted = front.encrypted(true);
        let over = |origin| judged(&encrypted, &[("host", "127.0.0.1:8320"), ("origin", origin)]);
        assert_eq!((over("https://127.0.0.1:8320"), over("http://127.0.0.1:8320")), (Ok(()), Err(Code::OtherSite)));
    }
}
