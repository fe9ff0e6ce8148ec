//! For whom a request is: the host that stands in it (RFC 9110, section 7.2: `uri-host [ ":" port ]`).

/// The host of `name`, `name:8320`, `192.0.2.7:8320` or `[::1]:8320`, as it stands there; `None` for anything else, such as a
/// name behind a user, or a port that is none. What cannot be taken apart in one way is nobody's.
#[must_use]
pub fn host(authority: &str) -> Option<&str> {
    let end = if authority.starts_with('[') { authority.find(']')? + 1 } else { authority.find(':').unwrap_or(authority.len()) };
    let (host, port) = authority.split_at(end);
    let is_port =
        |digits: &str| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) && digits.parse::<u16>().is_ok();
    let right = !host.is_empty() && !host.contains('@') && (port.is_empty() || port.strip_prefix(':').is_some_and(is_port));
    right.then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_name_and_a_port_and_nothing_else() {
        for (authority, name) in [
            ("localhost", "localhost"),
            ("localhost:8320", "localhost"),
            ("127.0.0.1:1", "127.0.0.1"),
            ("[::1]", "[::1]"),
            ("[::1]:65535", "[::1]"),
        ] {
            assert_eq!(host(authority), Some(name), "{authority}");
        }
        for junk in [
            "",
            ":",
            ":80",
            "localhost:",
            "localhost:80x",
            "localhost:x",
            "localhost: 80",
            "localhost:+80",
            "localhost:80:80",
            "localhost:65536",
            "localhost:8320.evil.example",
            "x@localhost",
            "localhost:80@evil.example",
            "::1",
            "[::1",
            "[::1]x",
            "[::1]:",
            "[::1]:x",
            "[::1]80",
        ] {
            assert_eq!(host(junk), None, "{junk}");
        }
    }

    proptest! {
        #[test]
        fn what_is_taken_is_a_name_and_a_number(authority in "[a-z0-9.:@\\[\\]+ -]{0,12}") {
            if let Some(name) = host(&authority) {
                prop_assert!(authority == name || authority[name.len()..].starts_with(':'), "{}", authority);
                prop_assert!(authority[name.len()..].chars().all(|c| c == ':' || c.is_ascii_digit()));
            }
        }
    }
}
