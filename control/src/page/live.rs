//! What changes, as server-sent events: readers as they are now, what comes in.
//!
//! A page is told in beats. Whoever follows asks for nothing while the readers work: records wait in a bounded channel until the
//! next beat, and of many only the newest are shown, with the number of the others. So a page costs the readers the same however
//! much comes in.

use super::buttons::{Buttons, Key};
use super::frame::refused;
use super::picture::Picture;
use super::wire::{self, Choice, Readers, Row};
use super::{Recording, Site};
use crate::view::{CardView, ReaderView};
use askama::Template as _;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use cardlab_vreader::Place;
use cardlab_vreader::trace::Record;
use serde::Deserialize;
use std::collections::{HashMap, HashSet};
use std::convert::Infallible;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::broadcast::error::TryRecvError;
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::ReceiverStream;

/// Between two tellings.
const BEAT: Duration = Duration::from_millis(100);
/// How often readers are looked at while something happens, and while nothing does: programs come and go without a record.
const LOOK: Duration = Duration::from_millis(150);
const IDLE_LOOK: Duration = Duration::from_millis(500);
/// Rows that a page is owed in a beat, and that may gather while little comes in: what a program does in a moment is shown whole,
/// of what goes on and on only the newest, and the others are counted.
const ROWS: usize = 20;
const GATHERED: usize = 200;
/// Records that a page catches up with.
const CAUGHT_UP: usize = 1000;
/// Events that may wait for a page that reads slowly.
const WAITING: usize = 64;
/// Pages that follow at once.
pub(super) const MOST: usize = 32;

/// From where on a page follows: the mark of its newest row.
#[derive(Deserialize)]
pub(super) struct From {
    #[serde(default)]
    after: u64,
    /// What its readers looked like; see [`fingerprint`].
    #[serde(default)]
    seen: String,
}

/// What a page shows of the readers, in a word: a page that has just been made need not be told it again.
pub(super) fn fingerprint<'a>(shown: impl Iterator<Item = &'a (ReaderView, Key)>) -> String {
    let mut hasher = DefaultHasher::new();
    shown.for_each(|shown| shown.hash(&mut hasher));
    format!("{:016x}", hasher.finish())
}

/// The stream of one page.
pub(super) async fn follow(State(site): State<Site>, Query(from): Query<From>, headers: HeaderMap) -> Response {
    let after = Duration::from_nanos(from.after);
    let Ok(place) = site.followers.clone().try_acquire_owned() else {
        let message = format!("{MOST} pages follow the bench already; close one of them.");
        return refused(&headers, StatusCode::SERVICE_UNAVAILABLE, "TOO_MANY", &message);
    };
    let (sender, receiver) = mpsc::channel(WAITING);
    tokio::spawn(async move {
        // Whoever does not hear it any more has gone.
        let _ = Follower::new(site, sender).tell(after, &from.seen).await;
        drop(place);
    });
    Sse::new(ReceiverStream::new(receiver).map(Ok::<_, Infallible>)).keep_alive(KeepAlive::default()).into_response()
}

/// Nobody listens any more, or the readers have ended.
struct Over;

struct Follower {
    site: Site,
    page: mpsc::Sender<Event>,
    records: Receiver<Arc<Record>>,
    /// As the page shows them.
    shown: Vec<(ReaderView, Key)>,
    /// Whether it says that something is being recorded.
    recording: Option<bool>,
    looked: Option<Instant>,
    /// Rows that may be shown.
    owed: usize,
    /// Looks at cards that work, each as soon as it does not.
    between: HashMap<Place, JoinHandle<CardView>>,
}

impl Follower {
    fn new(site: Site, page: mpsc::Sender<Event>) -> Self {
        let records = site.control.trace().listen();
        Self { site, page, records, shown: Vec::new(), recording: None, looked: None, owed: GATHERED, between: HashMap::new() }
    }

    async fn tell(mut self, after: Duration, seen: &str) -> Result<(), Over> {
        let mut changes = self.site.control.rack().server().changes();
        let before = wire::records(&self.site, &Choice::default(), after, CAUGHT_UP).await;
        let before: Vec<Arc<Record>> = before.into_iter().map(|(record, _)| record).collect();
        let rack = self.site.control.rack();
        let now: Vec<_> = rack.places().into_iter().map(|place| Key::seen(rack, place, self.site.control.look(place))).collect();
        if fingerprint(now.iter()) == seen {
            self.shown = now;
        }
        // What came in between is in both.
        let known: HashSet<(Arc<str>, Duration)> = before.iter().map(|record| (record.card.clone(), record.at)).collect();
        self.wire(before, 0).await?;
        loop {
            self.readers().await?;
            self.recording().await?;
            let mut batch = Vec::new();
            let mut missed = 0;
            tokio::select! {
                record = self.records.recv() => match record {
                    Ok(record) => batch.push(record),
                    Err(RecvError::Lagged(count)) => missed += count,
                    Err(RecvError::Closed) => return Err(Over),
                },
                changed = changes.changed() => changed.map_err(|_| Over)?,
                () = tokio::time::sleep(IDLE_LOOK) => {}
                () = self.page.closed() => return Err(Over),
            }
            tokio::time::sleep(BEAT).await;
            self.owed = (self.owed + ROWS).min(GATHERED);
            let surplus = (batch.len() + self.records.len()).saturating_sub(self.owed);
            let mut passed = 0;
            loop {
                match self.records.try_recv() {
                    Ok(_) if passed < surplus => passed += 1,
                    Ok(record) => batch.push(record),
                    Err(TryRecvError::Lagged(count)) => missed += count,
                    Err(TryRecvError::Empty) => break,
                    Err(TryRecvError::Closed) => return Err(Over),
                }
            }
            missed += passed as u64;
            self.owed = self.owed.saturating_sub(batch.len());
            batch.retain(|record| !known.contains(&(record.card.clone(), record.at)));
            self.wire(batch, missed).await?;
        }
    }

    async fn recording(&mut self) -> Result<(), Over> {
        let under_way = self.site.control.is_recording();
        if self.recording.replace(under_way) == Some(under_way) {
            return Ok(());
        }
        self.say("part", Recording { under_way }.render().unwrap_or_default()).await
    }

    async fn wire(&self, batch: Vec<Arc<Record>>, missed: u64) -> Result<(), Over> {
        if missed > 0 {
            self.say("missed", missed.to_string()).await?;
        }
        if batch.is_empty() {
            return Ok(());
        }
        let readers = Readers::of(self.site.control.rack());
        let rows: Vec<String> = batch.iter().filter_map(|record| Row::of(record, &readers).render().ok()).collect();
        self.send(Event::default().event("wire").data(rows.concat())).await
    }

    /// Those that are not as the page shows them.
    async fn readers(&mut self) -> Result<(), Over> {
        if self.looked.is_some_and(|looked| looked.elapsed() < LOOK) {
            return Ok(());
        }
        self.looked = Some(Instant::now());
        let rack = self.site.control.rack().clone();
        for place in rack.places() {
            let mut view = self.site.control.look(place);
            let shown = self.shown.get(place.number()).cloned();
            view.card = match view.card {
                Some(card) => {
                    self.between.remove(&place);
                    Some(card)
                }
                // It works just now: it is looked at as soon as it has answered. What it was a moment ago tells more than nothing.
                None => self.between(place).await.or_else(|| shown.as_ref().and_then(|(shown, _)| shown.card.clone())),
            };
            let (view, key) = Key::seen(&rack, place, view);
            if shown.as_ref().is_some_and(|(shown, known)| *shown == view && *known == key) {
                continue;
            }
            // A template of strings and numbers always has its text.
            if shown.is_none_or(|(_, known)| known != key) {
                let buttons = Buttons::of(&rack, place, &view);
                self.say("part", buttons.render().unwrap_or_default()).await?;
            }
            self.say("part", Picture::of(view.clone()).render().unwrap_or_default()).await?;
            match self.shown.get_mut(place.number()) {
                Some(shown) => *shown = (view, key),
                None => self.shown.push((view, key)),
            }
        }
        Ok(())
    }

    /// The card of a reader as it was between two commands, where somebody waited for that.
    async fn between(&mut self, place: Place) -> Option<CardView> {
        let card = self.site.control.rack().card(place);
        let look = || tokio::task::spawn_blocking(move || CardView::of(&card.lock()));
        match self.between.remove(&place) {
            Some(looking) if looking.is_finished() => {
                self.between.insert(place, look());
                looking.await.ok()
            }
            Some(looking) => {
                self.between.insert(place, looking);
                None
            }
            None => {
                self.between.insert(place, look());
                None
            }
        }
    }

    async fn say(&self, name: &str, text: String) -> Result<(), Over> {
        // What a card or a program named has line ends in no case; a carriage return would end a line of the stream.
        self.send(Event::default().event(name).data(text.replace('\r', " "))).await
    }

    async fn send(&self, event: Event) -> Result<(), Over> {
        self.page.send(event).await.map_err(|_| Over)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Page, Shell};
    use super::*;
    use crate::api::Control;
    use cardlab_sim::Random;
    use cardlab_vreader::trace::Ticks;
    use cardlab_vreader::{Rack, Server, Trace};
    use tokio::runtime::Handle;

    /// What an event of a page's stream is called, and what it says.
    fn event(text: &str) -> (String, String) {
        let field = |name: &str| {
            let lines = text.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
            lines.collect::<Vec<_>>().join("\n")
        };
        (field("event"), field("data"))
    }

    /// A thousand commands a beat, which are 10,000 a second of a page that is told ten times a second: of each beat it is sent the
    /// newest, however many come in, and the number of all others, so that none is missing.
    #[tokio::test]
    async fn a_flood_is_sampled_and_every_command_is_told_or_counted() {
        const BEATS: usize = 20;
        const EACH: usize = 1000;
        let trace = Trace::new(Ticks::Count);
        let rack = Rack::new(Server::new(Random::from_number(1, 1), Duration::ZERO));
        let control = Control::new(rack, trace.clone(), false);
        let shell = Shell { socket: "pcscd.comm".into(), control: "control".into() };
        let site = Page::new(control, Handle::current(), shell).unwrap().site;
        let followed = follow(State(site), Query(From { after: 0, seen: String::new() }), HeaderMap::new()).await;
        let mut parts = followed.into_body().into_data_stream();
        let (mut heard, mut shown, mut counted) = (String::new(), 0, 0);
        let mut recorder = trace.of("c");
        for beat in 0..=BEATS {
            // Before the first it is told that nothing is recorded; so it listens.
            if beat > 0 {
                (0..EACH).for_each(|_| drop(recorder.exchange(&[0, 0x20, 0, 0x80], Some(&[0x63, 0xC3]), None)));
            }
            loop {
                heard.push_str(std::str::from_utf8(&parts.next().await.unwrap().unwrap()).unwrap());
                while let Some((first, rest)) = heard.split_once("\n\n").map(|(first, rest)| (first.to_owned(), rest.to_owned()))
                {
                    heard = rest;
                    let (name, data) = event(&first);
                    let rows = if name == "wire" { data.matches("<tr ").count() } else { 0 };
                    assert!(rows <= GATHERED, "{rows} rows at once");
                    shown += rows;
                    counted += if name == "missed" { data.parse::<usize>().unwrap() } else { 0 };
                }
                if shown + counted >= beat * EACH {
                    break;
                }
            }
            assert_eq!(shown + counted, beat * EACH, "{shown} rows, {counted} others");
        }
        assert!(shown >= BEATS * ROWS, "the newest of each are shown: {shown}");
    }
}
