//! The history of a session as one file that any browser opens: no script, nothing from elsewhere.

use crate::api::{Control, Query};
use crate::error::ApiError;
use crate::page::short;
use crate::view::{Of, Which};
use askama::Template;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use cardlab_protocol::problem::Problem;
use cardlab_vreader::trace::history::{History, Kind, Moment, Timeline, TriesLeft};
use cardlab_vreader::trace::{Record, json};
use jiff::Timestamp;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// How a timeline looks, on whichever page.
pub(crate) const TIMELINE_STYLE: &str = include_str!("../assets/timeline.css");
const STYLE: &str = include_str!("../templates/history.css");
/// Times before 2000 are counted records (`--seed`), not of a clock.
const CLOCK: Duration = Duration::from_secs(946_684_800);

/// The file.
#[derive(Template)]
#[template(path = "history.html")]
struct Page<'a> {
    names: String,
    /// The style of the timeline, and that of a page with nothing else.
    styles: [&'a str; 2],
    told: Told<'a>,
}

/// What is told, on whichever page.
#[derive(Template)]
#[template(path = "told.html")]
struct Told<'a> {
    headline: String,
    /// When it began, where a clock said so.
    began: Option<String>,
    lasted: String,
    secrets: bool,
    cards: Vec<Card<'a>>,
}

/// A card on the page.
struct Card<'a> {
    name: &'a str,
    commands: String,
    first: u64,
    /// Commands before the first are not known.
    cut: bool,
    /// What there is to tell, and how often, in words.
    counts: Vec<(Kind, String)>,
    moments: Vec<Row<'a>>,
}

/// A moment on the page.
struct Row<'a> {
    number: u64,
    time: String,
    kind: Kind,
    mark: char,
    what: &'a str,
    left: Vec<Left>,
    wire: &'a str,
}

/// Tries on the page.
struct Left {
    pips: String,
    words: String,
}

/// The file. With `secrets`, PINs and keys are in the records that it was made of.
#[must_use]
pub fn write(history: &History, secrets: bool) -> String {
    let names: Vec<&str> = history.cards.iter().map(|card| card.card.as_str()).collect();
    let names = if names.is_empty() { "no card".into() } else { names.join(", ") };
    Page { names, styles: [STYLE, TIMELINE_STYLE], told: told(history, secrets) }.to_string()
}

/// The same for a page that has a frame: HTML of what stands in its middle.
pub(crate) fn body(history: &History, secrets: bool) -> String {
    told(history, secrets).to_string()
}

fn told(history: &History, secrets: bool) -> Told<'_> {
    let times = || history.cards.iter().flat_map(|card| &card.moments).map(|moment| moment.at);
    let (first, last) = (times().min().unwrap_or_default(), times().max().unwrap_or_default());
    Told {
        headline: headline(history),
        began: (first > CLOCK).then(|| day(first)).flatten(),
        lasted: lasted(first, last),
        secrets,
        cards: history.cards.iter().map(|card| of_card(card, first)).collect(),
    }
}

impl Control {
    /// What became of the cards since their readers are up, of all or of that of a reader, made into a text by `make`. Thousands of
    /// records take their time: that is spent on a thread of its own.
    pub(crate) async fn history(&self, of: &Of, make: fn(&History, bool) -> String) -> Result<String, ApiError> {
        let places = match &of.reader {
            Some(name) => vec![self.rack().find(name)?],
            None => self.rack().places(),
        };
        let mut cards = Vec::new();
        for place in places {
            cards.push((self.rack().name(place), self.records(place, Which::default()).await?));
        }
        let secrets = self.shows_secrets();
        let told = move || {
            let lines: Vec<Value> =
                cards.iter().flat_map(|(_, records)| records).map(|record| json::value(record, secrets)).collect();
            let mut history = History::of(&lines)?;
            // People know a card by its reader.
            for card in &mut history.cards {
                let is_here =
                    |(_, records): &&(String, Vec<Arc<Record>>)| records.iter().any(|record| *record.card == *card.card);
                if let Some((reader, _)) = cards.iter().find(is_here) {
                    card.card = format!("{} ({})", short(reader), card.card);
                }
            }
            Ok(make(&history, secrets))
        };
        let broken = |why| ApiError(StatusCode::INTERNAL_SERVER_ERROR, why);
        let told = tokio::task::spawn_blocking(told).await;
        told.map_err(|_| broken("the history's thread ended".into()))?.map_err(broken)
    }
}

/// What became of the cards since their readers are up, as an HTML file that needs nothing else; PINs and keys are masked.
#[utoipa::path(get, path = "/v1/history", params(Of), responses((status = 200, content_type = "text/html"), (status = 404, body = Problem)))]
pub(crate) async fn history_file(State(control): State<Control>, Query(of): Query<Of>) -> Result<impl IntoResponse, ApiError> {
    let file = control.history(&of, write).await?;
    // Its style stands in it, and nothing else of it does anything.
    let policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"session.html\""),
        (header::CONTENT_SECURITY_POLICY, policy),
    ];
    Ok((headers, file))
}

/// Date and time, UTC; none for a time that no calendar has.
fn day(time: Duration) -> Option<String> {
    let seconds = i64::try_from(time.as_secs()).ok()?;
    Some(Timestamp::from_second(seconds).ok()?.strftime("%Y-%m-%d %H:%M:%S UTC").to_string())
}

/// What a reader wants to know first: how it ended for each card that was locked.
fn headline(history: &History) -> String {
    let total = |kind| history.cards.iter().map(|card| card.count(kind)).sum::<usize>();
    let told = [Kind::Try, Kind::Lock, Kind::Unlock, Kind::Fault].map(|kind| (kind, total(kind)));
    let told: Vec<String> = told.into_iter().filter(|(_, n)| *n > 0).map(|(kind, n)| counted(kind, n)).collect();
    let cards = match history.cards.len() {
        1 => "One card".to_owned(),
        n => format!("{n} cards"),
    };
    if told.is_empty() { format!("{cards}, and no try was spent") } else { format!("{cards}: {}", told.join(", ")) }
}

fn of_card(card: &Timeline, began: Duration) -> Card<'_> {
    let counts = Kind::ALL.map(|kind| (kind, card.count(kind)));
    Card {
        name: &card.card,
        commands: plural(card.commands, "command", "commands") + ".",
        first: card.first,
        cut: card.first > 1,
        counts: counts.into_iter().filter(|(_, n)| *n > 0).map(|(kind, n)| (kind, counted(kind, n))).collect(),
        moments: card.moments.iter().map(|moment| of_moment(moment, began)).collect(),
    }
}

fn of_moment(moment: &Moment, began: Duration) -> Row<'_> {
    Row {
        number: moment.number,
        time: format!("+{}", since(moment.at.saturating_sub(began))),
        kind: moment.kind,
        mark: mark(moment.kind),
        what: &moment.what,
        left: moment.left.iter().map(tries).collect(),
        wire: &moment.wire,
    }
}

fn tries(tries: &TriesLeft) -> Left {
    let pips = "●".repeat(tries.left.into()) + &"○".repeat(tries.most.saturating_sub(tries.left).into());
    Left { pips, words: format!("{}: {} left", tries.of, plural(tries.left.into(), "try", "tries")) }
}

/// A sign that is told apart without its colour.
const fn mark(kind: Kind) -> char {
    match kind {
        Kind::Try => '▲',
        Kind::Lock => '■',
        Kind::Unlock => '□',
        Kind::Right => '✓',
        Kind::Change => '✎',
        Kind::Place => '⇄',
        Kind::Power => '↻',
        Kind::Fault => '✕',
        Kind::Bench => '⚙',
        Kind::Touch => '◎',
    }
}

fn counted(kind: Kind, count: usize) -> String {
    let (one, many) = match kind {
        Kind::Try => ("wrong try", "wrong tries"),
        Kind::Lock => ("lock or refusal", "locks and refusals"),
        Kind::Unlock => ("unlock", "unlocks"),
        Kind::Right => ("right secret", "right secrets"),
        Kind::Change => ("change", "changes"),
        Kind::Place => ("removal or insertion", "removals and insertions"),
        Kind::Power => ("reset", "resets"),
        Kind::Fault => ("fault", "faults"),
        Kind::Bench => ("change at the bench", "changes at the bench"),
        Kind::Touch => ("touch", "touches"),
    };
    plural(count as u64, one, many)
}

fn plural(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// `0.123 s`, `4:05.0`, `1:04:05`.
fn since(time: Duration) -> String {
    let (seconds, millis) = (time.as_secs(), time.subsec_millis());
    match seconds {
        0..60 => format!("{seconds}.{millis:03} s"),
        60..3600 => format!("{}:{:02}.{}", seconds / 60, seconds % 60, millis / 100),
        _ => format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60),
    }
}

fn lasted(first: Duration, last: Duration) -> String {
    format!("from the first to the last in {}", since(last.saturating_sub(first)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn page(lines: &[serde_json::Value]) -> String {
        write(&History::of(lines).unwrap(), false)
    }

    #[test]
    fn it_tells_what_happened_and_needs_nothing_else() {
        let wrong = |n: u64, response: &str| json!({"n": n, "at": 1_790_000_000.5 + n as f64, "card": "0:gids", "command_masked": "00 20 00 80 06 [6 bytes masked]", "name": "VERIFY, PIN", "response": response, "meaning": "wrong"});
        let page = page(&[wrong(7, "63C1"), wrong(8, "63C0")]);
        for part in [
            "<h1>One card: 1 wrong try, 1 lock or refusal</h1>",
            "2026-09-21 14:13:27 UTC",
            "from the first to the last in 1.000 s",
            "the first command here is its number 7.",
            "<b>Wrong PIN: it is locked now</b>",
            "○○</span> PIN: 0 tries left",
            "<summary>Command 8</summary><pre>0008 0:gids &#62; 00 20 00 80 06 [6 bytes masked]",
        ] {
            assert!(page.contains(part), "{part}\n{page}");
        }
        for elsewhere in ["<script", "http://", "https://", "url(", "@import", "src="] {
            assert!(!page.contains(elsewhere), "{elsewhere}");
        }
    }

    #[test]
    fn what_a_trace_says_is_shown_and_never_markup() {
        let page = page(&[
            json!({"n": 0, "at": 0.001, "card": "<img src=x>", "event": "<script>alert(1)</script>"}),
            json!({"n": 1, "at": 0.002, "card": "<img src=x>", "command": "0020", "name": "</style><b>", "response": null}),
        ]);
        assert!(!page.contains("<img") && !page.contains("<script"), "{page}");
        assert!(page.contains("&#60;script&#62;alert(1)"), "{page}");
        assert!(!page.contains("1970"), "counted times are no times of a day");
    }

    #[test]
    fn a_session_of_nothing_is_one_too() {
        assert!(page(&[]).contains("<h1>0 cards, and no try was spent</h1>"));
        let quiet = page(&[json!({"n": 0, "at": 1, "card": "c", "event": "power on"})]);
        assert!(quiet.contains("No try, no lock, no fault"), "{quiet}");
    }

    #[test]
    fn times_are_read_at_a_glance() {
        let of = |millis: u64| since(Duration::from_millis(millis));
        assert_eq!(
            [of(0), of(59_999), of(60_000), of(3_599_949), of(3_600_000)],
            ["0.000 s", "59.999 s", "1:00.0", "59:59.9", "1:00:00"]
        );
    }
}
