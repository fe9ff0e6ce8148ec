//! Cards that are not simulated, as people ask for them.
//!
//! ```text
//! vpcd:35963                              a reader that others' simulators connect to, on this machine
//! vpcd:0.0.0.0:35963,name=Desk            the same for other machines
//! pcsc:"Yubico YubiKey"                   a card of the system's pcscd, by its reader's name or the beginning of it
//! replay:session.jsonl,order=match        a recording that answers as the card did
//! ```
//! Behind a comma come the settings of the reader, as for every card, and those of the kind of guest.

use super::settings::{self, ReaderSettings};
use super::words::{self, Word};
use super::{SetupError, name_in};
use crate::pace::Pace;
use crate::replay::Order;
use crate::usb::Identity;
use crate::vpcd::guest::PATIENCE;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// Where a guest comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// From who connects to this port, by vsmartcard's protocol.
    Vpcd {
        /// Name or address of this machine; loopback where nothing is said.
        host: String,
        /// 0 for any that is free.
        port: u16,
    },
    /// From a reader of the system's PC/SC service.
    Pcsc {
        /// Its name, or the beginning of it.
        reader: String,
    },
    /// From a recording.
    Replay {
        /// What `--trace` wrote, with secrets.
        file: PathBuf,
        /// Which answer a command gets.
        order: Order,
        /// The card in it, where there are several.
        of: Option<String>,
    },
}

/// A guest that somebody asked for.
#[derive(Clone)]
pub struct GuestRequest {
    shown: String,
    source: Source,
    reader: ReaderSettings,
    patience: Duration,
}

/// The settings that a guest can have, for a sentence.
pub(super) fn names() -> String {
    format!("{}; answer-within= of vpcd: and pcsc:, order= and of= of replay:", settings::names_of_reader())
}

impl GuestRequest {
    /// The request in `text`; `None` when it is for a simulated card.
    ///
    /// # Errors
    /// [`SetupError`], saying what to change.
    pub fn parse(text: &str) -> Result<Option<Self>, SetupError> {
        let Some(kind) = text.split(':').next().filter(|kind| kind.len() < text.len()) else { return Ok(None) };
        let source = match kind {
            "vpcd" => vpcd,
            "pcsc" => pcsc,
            "replay" => replay,
            _ => return Ok(None),
        };
        let mut parts = words::split(text, ',')?.into_iter();
        let place = parts.next().unwrap_or_default().trim();
        let source = source(&place[kind.len() + 1..])?;
        let mut request = Self { shown: text.to_owned(), source, reader: ReaderSettings::default(), patience: PATIENCE };
        let mut given = Vec::new();
        for part in parts {
            let (name, value) = part.split_once('=').ok_or_else(|| SetupError::NoValue(name_in(part).into()))?;
            let name = name.trim();
            if given.contains(&name) {
                return Err(SetupError::Twice(name.into()));
            }
            given.push(name);
            request.set(name, value)?;
        }
        Ok(Some(request))
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), SetupError> {
        if let Some(set) = settings::set_of_reader(&mut self.reader, name, value) {
            return set;
        }
        match (name, &mut self.source) {
            ("of", Source::Replay { of, .. }) => {
                *of = Some(Word::of(value).text.to_string());
                Ok(())
            }
            ("order", Source::Replay { order, .. }) => {
                let wrong = |()| SetupError::Guest { name: "order", value: value.into(), expected: "strict or match" };
                *order = value.parse().map_err(wrong)?;
                Ok(())
            }
            ("answer-within", Source::Vpcd { .. } | Source::Pcsc { .. }) => {
                let wrong =
                    || SetupError::Guest { name: "answer-within", value: value.into(), expected: "seconds, from 0.1 to 3600" };
                let seconds = value.parse().ok().filter(|seconds| (0.1..=3600.0).contains(seconds)).ok_or_else(wrong)?;
                self.patience = Duration::from_secs_f64(seconds);
                Ok(())
            }
            _ => Err(SetupError::OnlyGuest(name_in(name).into())),
        }
    }

    /// Where it comes from.
    #[must_use]
    pub const fn source(&self) -> &Source {
        &self.source
    }

    /// The kind of source: what its records are called by.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self.source {
            Source::Vpcd { .. } => "vpcd",
            Source::Pcsc { .. } => "pcsc",
            Source::Replay { .. } => "replay",
        }
    }

    /// The reader's name without its ` RR SS` ending; for a real card that of its own reader, as far as it is said.
    #[must_use]
    pub fn reader_name(&self) -> &str {
        self.reader.name.as_deref().unwrap_or(match &self.source {
            Source::Vpcd { .. } => "cardlab vpcd",
            Source::Pcsc { reader } => reader,
            Source::Replay { .. } => "cardlab replay",
        })
    }

    /// Whether the reader's name was given.
    #[must_use]
    pub const fn is_named(&self) -> bool {
        self.reader.name.is_some()
    }

    /// Whether its reader has a keypad for PINs.
    #[must_use]
    pub const fn has_pin_pad(&self) -> bool {
        self.reader.pin_pad
    }

    /// Its reader as a USB device of one slot; `number` tells it from others.
    #[must_use]
    pub fn usb(&self, number: u32) -> Identity {
        Identity::of(&self.reader.usb, self.kind(), number, self.reader_name(), self.reader.pin_pad)
    }

    /// How much longer its commands take.
    #[must_use]
    pub const fn pace(&self) -> &Pace {
        &self.reader.pace
    }

    /// How long it may take for an answer.
    #[must_use]
    pub const fn patience(&self) -> Duration {
        self.patience
    }
}

impl fmt::Display for GuestRequest {
    /// As it was asked for.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

/// `[HOST:]PORT`.
fn vpcd(place: &str) -> Result<Source, SetupError> {
    let (host, port) = place.rsplit_once(':').unwrap_or(("127.0.0.1", place));
    let wrong = || SetupError::Guest { name: "vpcd", value: place.into(), expected: "[HOST:]PORT, such as 35963" };
    let port = port.parse().ok().filter(|_| !host.is_empty()).ok_or_else(wrong)?;
    Ok(Source::Vpcd { host: Word::of(host).text.to_string(), port })
}

/// A reader.
fn pcsc(reader: &str) -> Result<Source, SetupError> {
    let reader = Word::of(reader).text.to_string();
    if reader.is_empty() {
        return Err(SetupError::Guest { name: "pcsc", value: reader, expected: "a reader, as `cardlab card list` shows them" });
    }
    Ok(Source::Pcsc { reader })
}

/// A file.
fn replay(file: &str) -> Result<Source, SetupError> {
    let file = Word::of(file).text.to_string();
    if file.is_empty() {
        return Err(SetupError::Guest { name: "replay", value: file, expected: "a file that --trace wrote, such as t.jsonl" });
    }
    Ok(Source::Replay { file: file.into(), order: Order::default(), of: None })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(text: &str) -> Result<Option<GuestRequest>, String> {
        GuestRequest::parse(text).map_err(|error| error.to_string())
    }

    #[test]
    fn ports() {
        for (text, host, port) in [
            ("vpcd:35963", "127.0.0.1", 35963),
            ("vpcd:0", "127.0.0.1", 0),
            ("vpcd:desk.example:1", "desk.example", 1),
            ("vpcd:[::1]:65535", "[::1]", 65535),
        ] {
            let request = parse(text).unwrap().unwrap();
            assert_eq!(request.source(), &Source::Vpcd { host: host.into(), port }, "{text}");
            assert_eq!((request.reader_name(), request.patience()), ("cardlab vpcd", PATIENCE));
        }
        let request = parse("vpcd:1,name=\"Desk, left\",pin-pad=on,pace=any:5,answer-within=0.5").unwrap().unwrap();
        assert_eq!((request.reader_name(), request.has_pin_pad()), ("Desk, left", true));
        assert_eq!((request.patience(), request.pace().is_off()), (Duration::from_millis(500), false));
    }

    #[test]
    fn real_readers() {
        let request = parse("pcsc:\"Reader, left 00 00\",pace=any:5").unwrap().unwrap();
        assert_eq!(request.source(), &Source::Pcsc { reader: "Reader, left 00 00".into() });
        assert_eq!((request.reader_name(), request.is_named()), ("Reader, left 00 00", false));
    }

    #[test]
    fn recordings() {
        let request = parse("replay:\"a, b.jsonl\",of=0:gids,order=match").unwrap().unwrap();
        let (file, of) = ("a, b.jsonl".into(), Some("0:gids".into()));
        assert_eq!(request.source(), &Source::Replay { file, order: Order::Match, of });
        assert!(parse("replay:f,answer-within=1").is_err() && parse("vpcd:1,order=match").is_err());
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, said) in [
            ("vpcd:", "card setting 'vpcd': '' is not [HOST:]PORT, such as 35963"),
            ("vpcd:70000", "card setting 'vpcd': '70000' is not [HOST:]PORT, such as 35963"),
            ("vpcd::1", "card setting 'vpcd': ':1' is not [HOST:]PORT, such as 35963"),
            (
                "vpcd:1,pin=123456",
                "card setting 'pin': this card is not simulated here; only name=, pace=, pin-pad=, usb=, usb-product=, usb-serial=, usb-speed=; answer-within= of vpcd: and pcsc:, order= and of= of replay: can be set",
            ),
            ("pcsc:\"\"", "card setting 'pcsc': '' is not a reader, as `cardlab card list` shows them"),
            ("replay:", "card setting 'replay': '' is not a file that --trace wrote, such as t.jsonl"),
            ("replay:f,order=any", "card setting 'order': 'any' is not strict or match"),
            ("vpcd:1,name", "card setting 'name' has no value; write key=value, and a value with a comma in double quotes"),
            ("vpcd:1,pace=off,pace=off", "card setting 'pace' is given twice; give it once"),
            ("vpcd:1,answer-within=0", "card setting 'answer-within': '0' is not seconds, from 0.1 to 3600"),
            ("vpcd:1,answer-within=NaN", "card setting 'answer-within': 'NaN' is not seconds, from 0.1 to 3600"),
        ] {
            assert_eq!(parse(text).err().as_deref(), Some(said), "{text}");
        }
        assert!(["gids", "nist-piv,9a=a:b", "@vpcd:1", "vpcd", ""].iter().all(|text| parse(text).unwrap().is_none()));
    }

    proptest! {
        #[test]
        fn any_text_is_a_request_or_refused(text in "(vpcd:|replay:|pcsc:)?[a-z0-9:,=\"\\[\\] ]{0,40}") {
            if let Ok(Some(request)) = GuestRequest::parse(&text) {
                prop_assert_eq!(request.to_string(), text);
            }
        }
    }
}
