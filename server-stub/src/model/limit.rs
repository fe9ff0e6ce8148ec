//! What may be done only so often.

use crate::model::clock::Millis;
use std::net::{IpAddr, Ipv6Addr};

/// Something that may be done only so often.
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    /// What, for people.
    pub what: &'static str,
    /// How often within the window.
    pub times: i64,
    /// Milliseconds.
    pub window: Millis,
}

pub(crate) const MINUTE: Millis = 60_000;
pub(crate) const HOUR: Millis = 60 * MINUTE;

/// Responses for one card.
pub const RESPONSES_OF_CARD: Limit = Limit { what: "limit-of-card-responses", times: 5, window: HOUR };
/// Responses of one operator.
pub const RESPONSES_OF_OPERATOR: Limit = Limit { what: "limit-of-operator-responses", times: 50, window: HOUR };
/// Sessions of one card from one address: what somebody else asks keeps no user from unlocking.
pub const SESSIONS_OF_CARD: Limit = Limit { what: "limit-of-card-sessions", times: 10, window: HOUR };
/// Sessions from one address.
pub const SESSIONS_OF_ADDRESS: Limit = Limit { what: "limit-of-address-sessions", times: 30, window: HOUR };
/// Questions which ways are open, from one address: every lock screen asks at every blocked card.
pub const WAYS_OF_ADDRESS: Limit = Limit { what: "limit-of-address-ways", times: 600, window: HOUR };
/// Reports from one address.
pub const REPORTS_OF_ADDRESS: Limit = Limit { what: "limit-of-address-reports", times: 300, window: HOUR };
/// Reports of one card from one address that nothing confirms: what a workstation kept while no server was there comes at once.
pub const REPORTS_OF_CARD: Limit = Limit { what: "limit-of-card-reports", times: 120, window: HOUR };
/// Reports of one response, by who has seen its challenge: one says how it ended, and some workstations say it twice.
pub const REPORTS_OF_RESPONSE: Limit = Limit { what: "limit-of-response-reports", times: 20, window: HOUR };
/// Answers for one user that operators type; right ones take them back.
pub const OPERATORS_ANSWERS: Limit = Limit { what: "limit-of-user-answers", times: 10, window: HOUR };
/// Answers that one user sets in Self-Service: each is compared with those that are set.
pub const ANSWERS_SET_BY_USER: Limit = Limit { what: "limit-of-own-answers", times: 30, window: HOUR };
/// Failed logins of one person, under whichever spelling.
pub const FAILED_LOGINS: Limit = Limit { what: "limit-of-name-logins", times: 5, window: 5 * MINUTE };
/// Failed logins from one address, under whichever names: who tries one password with everybody's name, or fills the log with
/// names that nobody has.
pub const FAILED_LOGINS_OF_ADDRESS: Limit = Limit { what: "limit-of-address-logins", times: 100, window: 15 * MINUTE };

/// Whose an address is, as it is counted. Of IPv6 a network of 64 bits is one subscriber's, who has all addresses of it
/// (RFC 6177, section 2); an IPv4 address that is written as one of IPv6 is one of IPv4.
#[must_use]
pub fn network(address: &str) -> String {
    match address.parse::<IpAddr>().map(|address| address.to_canonical()) {
        Ok(IpAddr::V6(address)) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{}/64", Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        Ok(IpAddr::V4(address)) => address.to_string(),
        // Where nobody knows from where it is.
        Err(_) => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_counted_as_its_network() {
        for (address, network_is) in [
            ("192.0.2.7", "192.0.2.7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
            ("2001:db8:1:2::", "2001:db8:1:2::/64"),
            ("2001:db8:1:3::6", "2001:db8:1:3::/64"),
            ("::1", "::/64"),
            ("unknown", "unknown"),
        ] {
            assert_eq!(network(address), network_is, "{address}");
        }
    }
}
