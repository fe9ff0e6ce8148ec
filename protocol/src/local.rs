//! Pages that are for this machine only: the lock screen, the bench. Whom they answer, and what goes with every answer.

use crate::host::host;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};

/// Of every answer: it is kept by nobody, is shown in no other site's page, and has nothing from elsewhere in it.
pub const HEADERS: [(HeaderName, &str); 4] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::X_FRAME_OPTIONS, "DENY"),
    // Without a referrer of its own a form comes from nowhere ("Origin: null", Fetch 3.2), as one of another site may.
    (header::REFERRER_POLICY, "same-origin"),
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'",
    ),
];

/// Whether a request is for a name that is not this machine's own, or comes from the page of another site: a page elsewhere
/// cannot reach here under a name of its own, nor send a form.
#[must_use]
pub fn is_elsewhere(headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(header::HOST).iter();
    let asked = hosts.next().and_then(|value| value.to_str().ok()).unwrap_or_default();
    let ours = matches!(host(asked), Some("127.0.0.1" | "localhost" | "[::1]")) && hosts.next().is_none();
    let foreign = |origin: &HeaderValue| origin.as_bytes() != format!("http://{asked}").as_bytes();
    !ours || headers.get(header::ORIGIN).is_some_and(foreign)
}

/// Whether who asks has a page before them, and is refused on one.
#[must_use]
pub fn is_for_a_page(headers: &HeaderMap) -> bool {
    headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).is_some_and(|accepted| accepted.contains("text/html"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(headers: &[(HeaderName, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name, value.parse().unwrap());
        }
        map
    }

    #[test]
    fn this_machine_and_its_own_pages() {
        let (host, origin) = (header::HOST, header::ORIGIN);
        for name in ["127.0.0.1:8320", "localhost:8320", "[::1]:8320"] {
            assert!(!is_elsewhere(&asked(&[(host.clone(), name)])), "{name}");
            let own = format!("http://{name}");
            assert!(!is_elsewhere(&asked(&[(host.clone(), name), (origin.clone(), &own)])), "{name}");
            for other in ["null", "http://evil.example", "http://127.0.0.1:1", "https://127.0.0.1:8320"] {
                assert!(is_elsewhere(&asked(&[(host.clone(), name), (origin.clone(), other)])), "{name} from {other}");
            }
        }
        for name in ["evil.example", "127.0.0.1:80x", "", "127.0.0.2"] {
            assert!(is_elsewhere(&asked(&[(host.clone(), name)])), "{name}");
        }
        assert!(is_elsewhere(&asked(&[])));
        assert!(is_elsewhere(&asked(&[(host.clone(), "localhost"), (host, "localhost")])), "two of them");
    }
}
