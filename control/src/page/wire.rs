//! What came in, as rows; and as files.

use super::Site;
use super::frame::{At, refused};
use super::newest::newest;
use super::picture::{Badge, short};
use crate::api::matches;
use crate::view::Which;
use askama::Template;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use cardlab_protocol::apdu::Command;
use cardlab_protocol::status::StatusWord;
use cardlab_vreader::trace::{Form, Record, What, decode, write_all};
use cardlab_vreader::{Place, Rack};
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;

/// Rows of a page.
const ROWS: usize = 200;
const SECONDS_OF_A_DAY: u64 = 86_400;
const INS_VERIFY: u8 = 0x20;

/// What a person wants to see of it. An empty field is none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct Choice {
    /// Number of a reader.
    pub(super) reader: String,
    /// A part of a command's name, such as `VERIFY`.
    pub(super) command: String,
    /// A status word; `x` stands for any digit.
    pub(super) status: String,
    /// A part of a program's name, such as `ssh`.
    pub(super) program: String,
}

impl Choice {
    fn which(&self) -> Which {
        let given = |text: &str| (!text.trim().is_empty()).then(|| text.trim().to_owned());
        let (name, status) = (given(&self.command).map(|name| name.to_uppercase()), given(&self.status));
        Which { name, status, program: given(&self.program), ..Which::default() }
    }

    /// The number of the reader whose rows alone are to be seen.
    fn only(&self) -> Option<usize> {
        self.reader.trim().parse().ok()
    }

    pub(super) fn is_reader(&self, number: &usize) -> bool {
        self.reader.trim().parse() == Ok(*number)
    }

    /// As it stands behind the `?` of an address.
    pub(super) fn query(&self) -> String {
        let fields = [("reader", &self.reader), ("command", &self.command), ("status", &self.status), ("program", &self.program)];
        form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
    }
}

/// One row.
#[derive(Template)]
#[template(path = "row.html")]
pub(super) struct Row {
    /// Milliseconds since 1970.
    pub(super) at: u128,
    /// Nanoseconds since 1970: what came later has more.
    mark: u128,
    /// Time of day, UTC; the script shows this machine's.
    pub(super) time: String,
    /// Number of the exchange.
    number: u64,
    /// The card's own name, as it stands in an address: its reader may have another card by then.
    label: String,
    /// Number of the reader that the card belongs to now.
    reader: Option<usize>,
    /// Its name; the card's where it is in none.
    pub(super) card: String,
    /// Which program it is of.
    pub(super) program: Option<Arc<str>>,
    /// Name of the command in the standard's capitals; empty for an event.
    pub(super) command: String,
    /// What it is about, or the event.
    pub(super) about: String,
    /// Status word in hexadecimal digits.
    status: String,
    /// How it went.
    badge: Option<Badge>,
}

/// Whose a card is.
pub(super) struct Whose {
    number: usize,
    /// Its name without the numbers that PC/SC puts behind it.
    name: String,
}

impl Whose {
    pub(super) fn of(rack: &Rack, place: Place) -> Self {
        Self { number: place.number(), name: short(&rack.name(place)).to_owned() }
    }

    /// Number of the reader.
    pub(super) const fn number(&self) -> usize {
        self.number
    }
}

impl Row {
    /// One of a card that is in no reader any more has the card's own name.
    pub(super) fn of(record: &Record, whose: Option<&Whose>) -> Self {
        let (command, about, status, badge) = match &record.what {
            What::Event { text, .. } => (String::new(), text.clone(), String::new(), None),
            What::Exchange { command, response, continues, .. } => {
                let (told, is_hidden) = decode::told(command, *continues);
                let (name, mut about) = named(&told);
                if is_hidden {
                    about.push_str(" ••••••");
                }
                let response = response.as_ref().map(|response| response.as_slice());
                let status =
                    response.and_then(|r| r.last_chunk::<2>()).map_or_else(String::new, |sw| cardlab_protocol::codes::digits(sw));
                (name, about, status, Some(outcome(command, response)))
            }
        };
        let (reader, card) = match whose {
            Some(whose) => (Some(whose.number), whose.name.clone()),
            None => (None, record.card.to_string()),
        };
        let (at, mark) = (record.at.as_millis(), record.at.as_nanos());
        let (time, program) = (time_of_day(record.at), record.program.clone());
        let label = form_urlencoded::byte_serialize(record.card.as_bytes()).collect();
        Self { at, mark, time, number: record.number, label, reader, card, program, command, about, status, badge }
    }
}

/// `VERIFY, PIN` as `VERIFY` and `PIN`: what stands in capitals at the beginning is the command.
pub(super) fn named(described: &str) -> (String, String) {
    // Two digits of a tag are no command.
    let capitals = |word: &str| word.len() > 2 && word.chars().all(|c| c.is_ascii_uppercase() || matches!(c, ',' | ':'));
    let words: Vec<&str> = described.split(' ').collect();
    let mut count = words.iter().take_while(|word| capitals(word)).count();
    // What follows a comma, and what SELECT selects, may be capitals too.
    count = words[..count].iter().position(|word| word.ends_with([',', ':']) || *word == "SELECT").map_or(count, |at| at + 1);
    let (name, about) = words.split_at(count);
    (name.join(" ").trim_end_matches([',', ':']).to_owned(), about.join(" "))
}

/// How an exchange went, in a word.
fn outcome(command: &[u8], response: Option<&[u8]>) -> Badge {
    let Some(response) = response else { return Badge::new("bad", "no answer") };
    let Some(sw) = response.last_chunk::<2>() else { return Badge::new("bad", "no status word") };
    let sw = StatusWord(u16::from_be_bytes(*sw));
    let asks = Command::parse(command).is_ok_and(|command| command.ins == INS_VERIFY && command.data.is_empty());
    match (sw, sw.retries()) {
        (StatusWord::OK, _) => Badge::new("good", "ok"),
        (StatusWord(0x6100..=0x61FF), _) => Badge::new("good", "ok, goes on"),
        (_, Some(left)) if asks => Badge::new("", format!("{left} left")),
        (_, Some(0)) => Badge::new("bad", "wrong, blocked"),
        (_, Some(left)) => Badge::new("warn", format!("wrong, {left} left")),
        (StatusWord::BLOCKED, _) => Badge::new("bad", "blocked"),
        // What a program asks for to see whether it is there.
        (StatusWord(0x6D00 | 0x6E00 | 0x6A80..=0x6A8F | 0x6984), _) => Badge::new("", sw.meaning()),
        _ => Badge::new("warn", sw.meaning()),
    }
}

fn time_of_day(at: Duration) -> String {
    let seconds = at.as_secs() % SECONDS_OF_A_DAY;
    format!("{:02}:{:02}:{:02}.{:03}", seconds / 3600, seconds / 60 % 60, seconds % 60, at.subsec_millis())
}

/// The newest records of all cards that are to be seen, oldest first. No card is waited for.
async fn records(site: &Site, choice: &Choice, most: usize) -> Vec<(Place, Arc<Record>)> {
    let (rack, only, which) = (site.control.rack().clone(), choice.only(), choice.which());
    let found = tokio::task::spawn_blocking(move || {
        let places = rack.places().into_iter().filter(|place| only.is_none_or(|only| only == place.number()));
        let kept = places.filter_map(|place| Some((place, rack.card(place).journal()?.newest())));
        let chosen = kept.map(|(place, records)| (place, records.filter(|record| matches(record, &which))));
        let mut found: Vec<_> = newest(chosen).take(most).collect();
        found.reverse();
        found
    });
    // A thread that has ended has nothing to tell.
    found.await.unwrap_or_default()
}

/// What a page shows when it comes.
pub(super) struct Shown {
    /// The newest rows that are to be seen.
    pub(super) rows: Vec<Row>,
    /// Up to where all is known that came in, nanoseconds since 1970: what comes later is told to who follows.
    pub(super) newest: u128,
}

/// The newest rows.
pub(super) async fn shown(site: &Site, choice: &Choice) -> Shown {
    // Before the rows, so that nothing that comes in between is passed over.
    let last = records(site, &Choice::default(), 1).await;
    let found = records(site, choice, ROWS).await;
    let rack = site.control.rack();
    let whose: Vec<Whose> = rack.places().into_iter().map(|place| Whose::of(rack, place)).collect();
    let rows = found.iter().map(|(place, record)| Row::of(record, whose.get(place.number()))).collect();
    Shown { rows, newest: last.last().map_or(0, |(_, record)| record.at.as_nanos()) }
}

/// All that is kept of what is to be seen, as a file: `wire.txt`, `wire.jsonl`, `wire.pcapng`.
pub(super) async fn save(
    State(site): State<Site>,
    At(file): At<String>,
    Query(choice): Query<Choice>,
    headers: HeaderMap,
) -> Response {
    let (form, kind) = match file.as_str() {
        "wire.txt" => (Form::Text, "text/plain; charset=utf-8"),
        "wire.jsonl" => (Form::Json, "application/jsonl"),
        "wire.pcapng" => (Form::Pcapng, "application/x-pcapng"),
        _ => {
            let message = "The wire is saved as wire.txt, wire.jsonl or wire.pcapng.";
            return refused(&headers, StatusCode::NOT_FOUND, "NOT_FOUND", message);
        }
    };
    let records = records(&site, &choice, usize::MAX).await;
    let secrets = site.control.shows_secrets();
    let written = tokio::task::spawn_blocking(move || write_all(form, secrets, records.iter().map(|(_, record)| &**record)));
    match written.await {
        Ok(Ok(bytes)) => {
            let name = format!("attachment; filename=\"{file}\"");
            ([(header::CONTENT_TYPE, kind.to_owned()), (header::CONTENT_DISPOSITION, name)], bytes).into_response()
        }
        _ => refused(&headers, StatusCode::INTERNAL_SERVER_ERROR, "BROKEN", "The file could not be made; try again."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_stand_apart_from_what_they_are_about() {
        for (described, name, about) in [
            ("VERIFY, PIN", "VERIFY", "PIN"),
            ("VERIFY, status of PIN", "VERIFY", "status of PIN"),
            ("SELECT PIV", "SELECT", "PIV"),
            ("GET DATA certificate 9A", "GET DATA", "certificate 9A"),
            ("GENERAL AUTHENTICATE, algorithm 03, key 9B", "GENERAL AUTHENTICATE", "algorithm 03, key 9B"),
            ("GET DATA DF 1F", "GET DATA", "DF 1F"),
            ("not a command APDU", "", "not a command APDU"),
        ] {
            assert_eq!(named(described), (name.to_owned(), about.to_owned()), "{described}");
        }
    }

    #[test]
    fn how_it_went() {
        let (ask, guess) = ([0, 0x20, 0, 0x80], b"\x00\x20\x00\x80\x06999999");
        for (command, response, class, text) in [
            (&ask[..], &[0x63, 0xC3][..], "", "3 left"),
            (guess, &[0x63, 0xC2], "warn", "wrong, 2 left"),
            (guess, &[0x63, 0xC0], "bad", "wrong, blocked"),
            (guess, &[0x69, 0x83], "bad", "blocked"),
            (guess, &[0x90, 0x00], "good", "ok"),
            (guess, &[0x90], "bad", "no status word"),
            (guess, &[0x6D, 0x00], "", "unknown instruction"),
            (guess, &[0x69, 0x82], "warn", "security status not satisfied"),
        ] {
            assert_eq!(outcome(command, Some(response)), Badge::new(class, text));
        }
        assert_eq!(outcome(guess, None), Badge::new("bad", "no answer"));
    }

    #[test]
    fn a_choice_goes_along_as_it_is() {
        let choice = Choice { command: "GET DATA".into(), program: "cardlab card & co".into(), ..Choice::default() };
        assert_eq!(choice.query(), "reader=&command=GET+DATA&status=&program=cardlab+card+%26+co");
    }

    #[test]
    fn the_time_of_day() {
        assert_eq!(time_of_day(Duration::from_millis(86_400_000 + 3_723_004)), "01:02:03.004");
    }
}
