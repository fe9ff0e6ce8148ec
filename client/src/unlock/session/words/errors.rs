//! What a card, a server and the rules of a code refuse, as sentences. In the first language they are what the errors themselves say.

use super::language::{Value, plain, say};
use super::{sentence, visible};
use crate::minidriver::{CardError, PinFault, Secret};
use crate::service::{Distrust, Said, ServiceError, Unreachable};
use crate::transport::TransportError;
use cardlab_protocol::codes::CodeError;

/// A text of a person or a program, for a sentence.
pub(super) fn text(text: &str) -> Value<'static> {
    visible(text).into()
}

pub(super) fn pin(fault: PinFault) -> String {
    match fault {
        PinFault::Empty => plain("fault-pin-empty"),
        PinFault::Length { minimum, maximum, found } => {
            say("fault-pin-length", &[("least", minimum.into()), ("most", maximum.into()), ("found", found.into())])
        }
        PinFault::NotDigits => plain("fault-pin-digits"),
        PinFault::NotAscii => plain("fault-pin-ascii"),
        PinFault::Confirmation => plain("fault-pin-confirmation"),
        PinFault::RefusedByCard => plain("fault-pin-card"),
        PinFault::PukLength => plain("fault-puk-length"),
    }
}

pub(super) fn code(error: &CodeError) -> String {
    match error {
        CodeError::Digit { found, place } => {
            say("fault-code-digit", &[("digit", text(&found.to_string())), ("place", (*place).into())])
        }
        CodeError::Length { found, expected } => {
            let expected = expected.iter().map(ToString::to_string);
            let either = |one: String, other: String| say("or", &[("one", one.into()), ("other", other.into())]);
            let expected = expected.reduce(either).unwrap_or_default();
            say("fault-code-length", &[("found", (*found).into()), ("expected", expected.into())])
        }
        CodeError::Implausible => plain("fault-code-zeros"),
    }
}

pub(super) fn card(error: &CardError) -> String {
    match error {
        CardError::Wrong { secret, left } => {
            let key = match secret {
                Secret::Pin => "wrong-PIN",
                Secret::Puk => "wrong-PUK",
                Secret::AdminKey => "wrong-response",
            };
            say(key, &[("count", left.map_or(-1, i64::from).into())])
        }
        CardError::Blocked(Secret::Pin) => plain("blocked-PIN"),
        CardError::Blocked(Secret::Puk) => plain("blocked-PUK"),
        CardError::Blocked(Secret::AdminKey) => plain("blocked-response"),
        CardError::ChallengeGone => plain("challenge-gone"),
        CardError::AnotherCard => plain("another-card"),
        CardError::Pin(fault) => pin(*fault),
        CardError::NotAuthenticated => plain("not-authenticated"),
        CardError::Unknown => plain("unknown-card"),
        CardError::Unexpected { command, sw } => {
            say("unexpected", &[("status", format!("{sw:04X}").into()), ("command", format!("{command:02X}").into())])
        }
        CardError::Transport(error) => transport(error),
        // What a kind of card cannot do, for who administers it.
        CardError::NotSupported(why) => sentence(why),
    }
}

fn transport(error: &TransportError) -> String {
    match error {
        TransportError::Removed => plain("removed"),
        TransportError::Reset => plain("reset"),
        TransportError::NoReader => plain("no-reader"),
        TransportError::Busy => plain("busy"),
        TransportError::Short(bytes) => say("short", &[("count", (*bytes).into())]),
        TransportError::Endless => plain("endless"),
        // As the PC/SC service says it.
        TransportError::Silent(why) | TransportError::Other(why) => sentence(why),
    }
}

pub(super) fn service(error: &ServiceError) -> String {
    match error {
        ServiceError::Address(address) => say("server-address", &[("address", text(address))]),
        ServiceError::UserInfo => plain("server-user-info"),
        ServiceError::Certificates => plain("server-certificates"),
        ServiceError::Unreachable(why) => say("server-unreachable", &[("why", unreachable(*why).into())]),
        ServiceError::Over(_) => plain("server-over"),
        ServiceError::OtherCard => plain("server-other-card"),
        ServiceError::TooMany(said) | ServiceError::Busy(said) | ServiceError::Refused(said) => refused(said),
    }
}

/// What a server says to a workstation has a sentence by its name, as servers say theirs in English; what more such a sentence has of
/// the server's own, and what has a name that is not known here, is as the server says it.
fn refused(said: &Said) -> String {
    let own = [("said", sentence(&said.to_string()).into())];
    match &*said.error {
        "" => say("server-status", &[("status", said.status.to_string().into())]),
        "RATE_LIMITED" => {
            let minutes = said.again.map_or(0, |seconds| seconds.div_ceil(60));
            say("server-too-often", &[("minutes", minutes.into())])
        }
        "BUSY" => plain("server-busy"),
        "STORE_DOWN" => say("server-store", &own),
        "MALFORMED" => say("server-malformed", &own),
        _ => sentence(&said.to_string()),
    }
}

const fn unreachable(why: Unreachable) -> &'static str {
    match why {
        Unreachable::NobodyListens => "listens",
        Unreachable::TooSlow => "slow",
        Unreachable::NoSuchName => "name",
        Unreachable::NoWay => "way",
        Unreachable::Untrusted(Distrust::UnknownIssuer) => "issuer",
        Unreachable::Untrusted(Distrust::OtherName) => "other-name",
        Unreachable::Untrusted(Distrust::Expired) => "expired",
        Unreachable::Untrusted(Distrust::NotYetValid) => "not-yet",
        Unreachable::Untrusted(Distrust::Revoked) => "revoked",
        Unreachable::Untrusted(Distrust::Unusable) => "unusable",
        Unreachable::NoSense => "sense",
    }
}

#[cfg(test)]
mod tests {
    use super::super::language::Language;
    use super::*;

    fn cards() -> Vec<CardError> {
        let secrets = [Secret::Pin, Secret::Puk, Secret::AdminKey];
        let lefts = [None, Some(0), Some(1), Some(2)];
        let wrong = secrets.into_iter().flat_map(|secret| lefts.map(|left| CardError::Wrong { secret, left }));
        let transports = [
            TransportError::Removed,
            TransportError::Reset,
            TransportError::NoReader,
            TransportError::Busy,
            TransportError::Short(1),
            TransportError::Endless,
        ];
        let others = [
            CardError::ChallengeGone,
            CardError::AnotherCard,
            CardError::Pin(PinFault::Empty),
            CardError::NotAuthenticated,
            CardError::Unknown,
            CardError::Unexpected { command: 0x24, sw: 0x6F00 },
        ];
        wrong.chain(secrets.map(CardError::Blocked)).chain(transports.map(CardError::Transport)).chain(others).collect()
    }

    /// Each with its sentence.
    fn all() -> Vec<(String, String)> {
        let pins = [
            PinFault::Empty,
            PinFault::Length { minimum: 4, maximum: 16, found: 2 },
            PinFault::NotDigits,
            PinFault::NotAscii,
            PinFault::Confirmation,
            PinFault::RefusedByCard,
            PinFault::PukLength,
        ];
        let digits = "OoIlLiSsГ".chars().map(|found| CodeError::Digit { found, place: 3 });
        let lengths = [vec![16], vec![16, 32]].map(|expected| CodeError::Length { found: 5, expected });
        let distrusts = [
            Distrust::UnknownIssuer,
            Distrust::OtherName,
            Distrust::Expired,
            Distrust::NotYetValid,
            Distrust::Revoked,
            Distrust::Unusable,
        ];
        let unreachable =
            [Unreachable::NobodyListens, Unreachable::TooSlow, Unreachable::NoSuchName, Unreachable::NoWay, Unreachable::NoSense];
        let unreachable = unreachable.into_iter().chain(distrusts.map(Unreachable::Untrusted)).map(ServiceError::Unreachable);
        let services = [
            ServiceError::Address("ftp://x".into()),
            ServiceError::UserInfo,
            ServiceError::Certificates,
            ServiceError::Refused(said(502, "", "", None)),
            ServiceError::OtherCard,
        ];
        let mut all: Vec<(String, String)> = pins.iter().map(|fault| (fault.to_string(), pin(*fault))).collect();
        let codes = digits.chain(lengths).chain([CodeError::Implausible]);
        all.extend(codes.map(|error| (error.to_string(), code(&error))));
        all.extend(cards().iter().map(|error| (error.to_string(), card(error))));
        all.extend(unreachable.chain(services).map(|error| (error.to_string(), service(&error))));
        all
    }

    #[test]
    fn an_error_says_the_same_everywhere_in_the_first_language() {
        let all = all();
        assert!(all.len() > 60, "{}", all.len());
        for (error, said) in all {
            assert_eq!(said, sentence(&error));
        }
    }

    #[test]
    fn nothing_of_an_error_is_left_in_the_first_language_in_another() {
        let german = Language::German.speaking(all);
        for ((error, said), (_, first)) in german.iter().zip(all()) {
            assert_ne!(*said, first, "{error}");
            let english = ["the ", "card", "server", " is ", "wrong", "left"].iter().any(|word| said.contains(word));
            assert!(!english, "{said}");
        }
    }

    fn said(status: u16, error: &str, message: &str, again: Option<u64>) -> Said {
        Said { status, error: error.into(), message: message.into(), again }
    }

    /// A German page said "Too many ..; try again in 5 minutes. Ihr Operator kann helfen."
    #[test]
    fn what_a_server_refuses_is_said_in_the_language_of_the_page() {
        let often = |again| ServiceError::TooMany(said(429, "RATE_LIMITED", "too many questions", again));
        let gone = ServiceError::Busy(said(503, "STORE_DOWN", "the server cannot reach its database", Some(5)));
        for (error, english, german) in [
            (
                often(Some(241)),
                "That was too often in too short a time; try again in 5 minutes.",
                "Das war zu oft in zu kurzer Zeit; versuchen Sie es in 5 Minuten noch einmal.",
            ),
            (
                often(Some(60)),
                "That was too often in too short a time; try again in 1 minute.",
                "Das war zu oft in zu kurzer Zeit; versuchen Sie es in 1 Minute noch einmal.",
            ),
            (
                often(None),
                "That was too often in too short a time; try again later.",
                "Das war zu oft in zu kurzer Zeit; versuchen Sie es später noch einmal.",
            ),
            (
                ServiceError::Busy(said(503, "BUSY", "the server is busy; try again in a moment", Some(5))),
                "The server is busy; try again in a moment.",
                "Der Server ist beschäftigt; versuchen Sie es gleich noch einmal.",
            ),
            (
                gone,
                "The server cannot work now. It says: The server cannot reach its database.",
                "Der Server kann gerade nicht arbeiten. Er sagt: The server cannot reach its database.",
            ),
            (
                ServiceError::Refused(said(400, "MALFORMED", "no session\u{1b}", None)),
                "The server does not take what was sent. It says: No session\u{241b}.",
                "Der Server nimmt nicht an, was gesendet wurde. Er sagt: No session\u{241b}.",
            ),
            (
                ServiceError::Over(said(410, "SESSION_OVER", "too late", None)),
                "The session at the server is over; start again.",
                "Die Sitzung beim Server ist vorbei; beginnen Sie von vorn.",
            ),
            (ServiceError::Refused(said(418, "TEAPOT", "it is a pot", None)), "It is a pot.", "It is a pot."),
        ] {
            assert_eq!(service(&error), english);
            assert_eq!(Language::German.speaking(|| service(&error)), german);
        }
    }
}
