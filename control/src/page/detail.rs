//! One exchange, taken apart; and two beside each other.

use super::Site;
use super::frame::{At, Frame, refused, rendered};
use super::wire::{Row, Whose};
use askama::Template;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use cardlab_vreader::Place;
use cardlab_vreader::trace::tree::{self, Line};
use cardlab_vreader::trace::{Record, What};
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;

/// Of which card it is, by the card's own name, and the exchange to compare with: `READER.NUMBER`. An empty field is none.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Beside {
    card: String,
    with: String,
}

/// A line, and whether it stands on the other side as well.
struct Told {
    /// Blanks before it.
    indent: String,
    line: Line,
    differs: bool,
}

/// One side.
struct Side {
    row: Row,
    number: u64,
    took: String,
    command: Vec<Told>,
    response: Vec<Told>,
}

#[derive(Template)]
#[template(path = "detail.html")]
struct Detail<'a> {
    frame: &'a Frame,
    current: &'a str,
    title: &'a str,
    reader: usize,
    number: u64,
    card: &'a str,
    sides: &'a [Side],
}

/// The exchange of this number at the card of a reader; with another beside it, what differs is marked.
pub(super) async fn show(
    State(site): State<Site>,
    At((reader, number)): At<(usize, u64)>,
    Query(beside): Query<Beside>,
    headers: HeaderMap,
) -> Response {
    let unknown = |reader: usize, number: u64| {
        let message = format!(
            "Command {number} of reader {reader} is not known any more: the newest are kept, and a reader keeps those of the card that is its own now."
        );
        refused(&headers, StatusCode::NOT_FOUND, "NOT_FOUND", &message)
    };
    let is_there = |place: Place| site.control.rack().card(place).label().is_some_and(|label| **label == *beside.card);
    let place = site.control.rack().places().into_iter().find(|place| is_there(*place));
    if !beside.card.is_empty() && place.is_none() {
        let message = format!("Command {number} is of a card that is there no more.");
        return refused(&headers, StatusCode::NOT_FOUND, "NOT_FOUND", &message);
    }
    // A card may be in another reader by now.
    let mut wanted = vec![(place.map_or(reader, Place::number), number)];
    if !beside.with.trim().is_empty() {
        let parsed =
            beside.with.trim().split_once('.').and_then(|(reader, number)| Some((reader.parse().ok()?, number.parse().ok()?)));
        let Some(other) = parsed else {
            let message = "Say which command to compare with as READER.NUMBER, such as 0.17.";
            return refused(&headers, StatusCode::BAD_REQUEST, "MALFORMED", message);
        };
        wanted.push(other);
    }
    let mut records = Vec::new();
    for (reader, number) in wanted {
        let Some(found) = find(&site, reader, number) else { return unknown(reader, number) };
        records.push(found);
    }
    let secrets = site.control.shows_secrets();
    let trees: Vec<_> = records.iter().map(|(_, record)| tree::of(record, secrets).unwrap_or_default()).collect();
    let sides: Vec<Side> = records
        .iter()
        .zip(&trees)
        .enumerate()
        .map(|(at, ((place, record), own))| {
            let other = trees.get(1 - at.min(1)).filter(|_| trees.len() == 2);
            let told = |lines: &[Line], others: Option<&Vec<Line>>| {
                let differs = |line: &Line| others.is_some_and(|others| !others.contains(line));
                lines
                    .iter()
                    .map(|line| Told { indent: "  ".repeat(line.depth), differs: differs(line), line: line.clone() })
                    .collect()
            };
            Side {
                row: Row::of(record, Some(&Whose::of(site.control.rack(), *place))),
                number: record.number,
                took: record.took.map(length).unwrap_or_default(),
                command: told(&own.command, other.map(|other| &other.command)),
                response: told(&own.response, other.map(|other| &other.response)),
            }
        })
        .collect();
    rendered(&Detail { frame: &site.frame, current: "-", title: "Command", reader, number, card: &beside.card, sides: &sides })
}

/// How long it took, in the unit that people read it in.
fn length(took: Duration) -> String {
    match took.as_micros() {
        microseconds @ 0..1000 => format!("{microseconds} µs"),
        microseconds @ 1000..1_000_000 => format!("{:.1} ms", microseconds as f64 / 1e3),
        microseconds => format!("{:.1} s", microseconds as f64 / 1e6),
    }
}

fn find(site: &Site, reader: usize, number: u64) -> Option<(Place, Arc<Record>)> {
    let place = site.control.rack().places().into_iter().find(|place| place.number() == reader)?;
    let mut records = site.control.rack().card(place).journal()?.after(number.checked_sub(1)?);
    let found = records.find(|record| record.number == number && matches!(record.what, What::Exchange { .. }))?;
    Some((place, found))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_long_it_took() {
        let told = [3, 999, 1500, 2_340_000].map(|microseconds| length(Duration::from_micros(microseconds)));
        assert_eq!(told, ["3 µs", "999 µs", "1.5 ms", "2.3 s"]);
    }
}
