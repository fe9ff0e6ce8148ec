//! What changes, as server-sent events: readers as they are now, what comes in.
//!
//! A page is told in beats. Whoever follows asks for nothing while the readers work, and nothing is done for it when a command
//! comes: what came in since the last beat is read where it is kept anyway, of many only the newest, with the number of the others.
//! So a page costs the readers the same however much comes in.

use super::Recording;
use super::Site;
use super::buttons::{Buttons, Key};
use super::frame::{Gone, Hearer, event};
use super::newest::newest;
use super::picture::Picture;
use super::still::Still;
use super::wire::{Row, Whose};
use crate::view::{CardView, ReaderView};
use askama::Template as _;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::response::sse::Event;
use cardlab_vreader::Place;
use cardlab_vreader::icc::Trail;
use cardlab_vreader::rack::Here;
use cardlab_vreader::trace::Record;
use serde::Deserialize;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Between two tellings; and while more comes in than is shown, when nobody reads along anyway.
const BEAT: Duration = Duration::from_millis(100);
const FLOODED_BEAT: Duration = Duration::from_millis(200);
/// How often readers are looked at while something happens, and while nothing does: programs come and go without a record.
const LOOK: Duration = Duration::from_millis(150);
const IDLE_LOOK: Duration = Duration::from_millis(500);
/// Rows that a page is owed in a beat, and that may gather while little comes in: what a program does in a moment is shown whole. Of
/// what goes on and on the newest are shown, as many as a beat's, and the others are counted.
const ROWS: usize = 10;
const GATHERED: usize = 200;
/// Rows that a page catches up with.
const CAUGHT_UP: usize = 1000;

/// From where on a page follows.
#[derive(Deserialize)]
pub(super) struct From {
    /// Up to where it knows what came in, nanoseconds since 1970.
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

/// How long nothing may happen before readers are looked at again; the last look is `since` ago where one was left out after it.
fn until_look(since: Option<Duration>) -> Duration {
    since.map_or(IDLE_LOOK, |since| LOOK.saturating_sub(since))
}

/// The stream of one page.
pub(super) async fn follow(State(site): State<Site>, Query(from): Query<From>, headers: HeaderMap) -> Response {
    let frame = site.frame.clone();
    frame.telling(&headers, |page| Follower::new(site, page).follow(from))
}

/// What comes in at a card.
struct Followed {
    trail: Trail,
    /// Records that the page was told of, or that were counted for it.
    told: usize,
    /// Whose it is; nobody's when the card was thrown away.
    whose: Option<Whose>,
    /// Nothing can come any more, and all that came is told.
    is_over: bool,
}

struct Follower {
    site: Site,
    page: Hearer,
    cards: Vec<Followed>,
    /// As the page shows them.
    shown: Vec<(ReaderView, Key)>,
    /// Whether it says that something is being recorded.
    recording: Option<bool>,
    looked: Option<Instant>,
    /// A look was left out, so soon after the last it would have been.
    owes_look: bool,
    /// Rows that may be shown; and of more than these.
    owed: usize,
    sample: usize,
    /// What it is told next.
    beat: Vec<Event>,
    /// Looks at cards that work, each as soon as it does not.
    between: HashMap<Place, JoinHandle<CardView>>,
}

impl Follower {
    fn new(site: Site, page: Hearer) -> Self {
        let (cards, shown, between) = (Vec::new(), Vec::new(), HashMap::new());
        Self {
            site,
            page,
            cards,
            shown,
            recording: None,
            looked: None,
            owes_look: false,
            owed: CAUGHT_UP,
            sample: CAUGHT_UP,
            beat: Vec::new(),
            between,
        }
    }

    async fn follow(mut self, from: From) -> Result<(), Gone> {
        let rack = self.site.control.rack().clone();
        let mut changes = rack.server().changes();
        self.meet();
        let known = Duration::from_nanos(from.after);
        self.cards.iter_mut().for_each(|card| card.told = card.trail.journal().count_at(known));
        let now: Vec<_> = rack.places().into_iter().map(|place| Key::seen(&rack, place, self.site.control.look(place))).collect();
        if fingerprint(now.iter()) == from.seen {
            self.shown = now;
        }
        loop {
            let beat = if self.wire() { FLOODED_BEAT } else { BEAT };
            self.readers().await;
            self.recording();
            if !self.beat.is_empty() {
                self.page.hear(std::mem::take(&mut self.beat)).await?;
            }
            self.wait(&mut changes).await?;
            tokio::time::sleep(beat).await;
            (self.owed, self.sample) = ((self.owed + ROWS).min(GATHERED), ROWS);
        }
    }

    fn tell(&mut self, name: &'static str, text: String) {
        self.beat.push(event(name, text));
    }

    /// Until something has happened. What happened before is kept, so nobody listens while more and more comes in.
    async fn wait(&self, changes: &mut watch::Receiver<u64>) -> Result<(), Gone> {
        if self.has_news() {
            return Ok(());
        }
        let mut records = self.site.control.trace().listen();
        // What came before the listening is told to nobody.
        if self.has_news() {
            return Ok(());
        }
        let since = self.looked.filter(|_| self.owes_look).map(|looked| looked.elapsed());
        tokio::select! {
            record = records.recv() => match record {
                Ok(_) | Err(RecvError::Lagged(_)) => Ok(()),
                Err(RecvError::Closed) => Err(Gone),
            },
            changed = changes.changed() => changed.map_err(|_| Gone),
            () = tokio::time::sleep(until_look(since)) => Ok(()),
            () = self.page.gone() => Err(Gone),
        }
    }

    fn has_news(&self) -> bool {
        self.cards.iter().any(|card| card.trail.journal().count() > card.told)
    }

    fn recording(&mut self) {
        let under_way = self.site.control.is_recording();
        if self.recording.replace(under_way) != Some(under_way) {
            self.tell("part", Recording { under_way }.render().unwrap_or_default());
        }
    }

    /// What has come in since the last time; whether that is more than is shown.
    fn wire(&mut self) -> bool {
        self.meet();
        let (mut fresh, mut count) = (Vec::new(), 0);
        for (number, card) in self.cards.iter_mut().enumerate() {
            card.is_over = card.trail.has_ended();
            let (journal, told) = (card.trail.journal(), card.told);
            card.told = journal.count();
            if card.told > told {
                count += card.told - told;
                fresh.push((number, journal.back(told..card.told)));
            }
        }
        let most = if count > self.owed { self.sample } else { self.owed };
        let mut shown: Vec<(usize, Arc<Record>)> = newest(fresh).take(most).collect();
        shown.reverse();
        self.owed = self.owed.saturating_sub(shown.len());
        let mut rows = String::new();
        for (card, record) in &shown {
            // A template of strings and numbers always has its text.
            let _ = Row::of(record, self.cards[*card].whose.as_ref()).render_into(&mut rows);
        }
        self.cards.retain(|card| !card.is_over);
        let others = count - shown.len();
        if others > 0 {
            self.tell("missed", others.to_string());
        }
        if !rows.is_empty() {
            self.tell("wire", rows);
        }
        others > 0
    }

    /// Cards that have come, and where all of them are.
    fn meet(&mut self) {
        let (rack, cards) = (self.site.control.rack(), &mut self.cards);
        let mut places = vec![None; cards.len()];
        rack.each(|Here { place, card, .. }| {
            // Each stands at the number of its reader, until one is thrown away.
            let stands = cards.get(place.number()).is_some_and(|known| known.trail.is_of(card));
            let known = if stands { Some(place.number()) } else { cards.iter().position(|known| known.trail.is_of(card)) };
            match known {
                Some(number) => places[number] = Some(*place),
                None => {
                    let Some(trail) = card.trail() else { return };
                    cards.push(Followed { trail, told: 0, whose: None, is_over: false });
                    places.push(Some(*place));
                }
            }
        });
        for (card, place) in cards.iter_mut().zip(places) {
            if card.whose.as_ref().map(Whose::number) != place.map(Place::number) {
                card.whose = place.map(|place| Whose::of(rack, place));
            }
        }
    }

    /// Those that are not as the page shows them.
    async fn readers(&mut self) {
        self.owes_look = self.looked.is_some_and(|looked| looked.elapsed() < LOOK);
        if self.owes_look {
            return;
        }
        self.looked = Some(Instant::now());
        let rack = self.site.control.rack().clone();
        let (shown, between, readers) = (&self.shown, &mut self.between, rack.count());
        let mut others = Vec::new();
        rack.each(|here| match shown.get(here.place.number()).map(|shown| Still::of(here, readers, shown)) {
            Some(Still::Shown) => drop(between.remove(&here.place)),
            Some(Still::Changed | Still::AtWork) | None => others.push(here.place),
        });
        for place in others {
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
                self.tell("part", buttons.render().unwrap_or_default());
            }
            self.tell("part", Picture::of(view.clone()).render().unwrap_or_default());
            match self.shown.get_mut(place.number()) {
                Some(shown) => *shown = (view, key),
                None => self.shown.push((view, key)),
            }
        }
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
}

#[cfg(test)]
mod tests {
    use super::super::{Page, Shell};
    use super::*;
    use crate::api::Control;
    use cardlab_sim::{Card, Profile, Random, World};
    use cardlab_vreader::trace::Ticks;
    use cardlab_vreader::{Icc as _, Rack, Server, Trace, VirtualCard};
    use tokio::runtime::Handle;
    use tokio_stream::StreamExt as _;

    /// A page of a rack, as it hears it.
    struct Listening {
        parts: axum::body::BodyDataStream,
        heard: String,
        /// Rows that it was shown, and records that were counted.
        shown: usize,
        counted: usize,
    }

    impl Listening {
        async fn to(control: Control, after: u64) -> Self {
            let shell = Shell { socket: "pcscd.comm".into(), control: "control".into() };
            let site = Page::new(control, Handle::current(), shell).unwrap().site;
            let followed = follow(State(site), Query(From { after, seen: String::new() }), HeaderMap::new()).await;
            Self { parts: followed.into_body().into_data_stream(), heard: String::new(), shown: 0, counted: 0 }
        }

        /// Until it was told of so many records; what they said.
        async fn until(&mut self, records: usize) -> String {
            let mut told = String::new();
            while self.shown + self.counted < records {
                self.heard.push_str(std::str::from_utf8(&self.parts.next().await.unwrap().unwrap()).unwrap());
                while let Some((first, rest)) = self.heard.split_once("\n\n").map(|(one, rest)| (one.to_owned(), rest.to_owned()))
                {
                    self.heard = rest;
                    let (name, data) = read(&first);
                    let rows = if name == "wire" { data.matches("<tr ").count() } else { 0 };
                    assert!(rows <= CAUGHT_UP, "{rows} rows at once");
                    self.shown += rows;
                    self.counted += if name == "missed" { data.parse::<usize>().unwrap() } else { 0 };
                    told.push_str(&data);
                }
            }
            assert_eq!(self.shown + self.counted, records, "{} rows, {} others", self.shown, self.counted);
            told
        }
    }

    fn card(trace: &Trace, label: &str) -> VirtualCard {
        let card = Card::new(Profile::builtin("nist-piv").unwrap(), World::seeded(1)).unwrap();
        VirtualCard::journaled(card, trace.of(label))
    }

    fn rack() -> Rack {
        Rack::new(Server::new(Random::from_number(1, 1), Duration::ZERO))
    }

    const ASK: &[u8] = &[0, 0x20, 0, 0x80];

    /// What an event of a page's stream is called, and what it says.
    fn read(text: &str) -> (String, String) {
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
        let (trace, rack) = (Trace::new(Ticks::Count), rack());
        let place = rack.add("Reader", card(&trace, "c")).await;
        let mut card = rack.card(place);
        let before = card.journal().unwrap().count();
        let mut page = Listening::to(Control::new(rack, trace, false), 0).await;
        page.until(before).await;
        for beat in 1..=BEATS {
            (0..EACH).for_each(|_| drop(card.transmit(ASK).unwrap()));
            let shown = page.shown;
            page.until(before + beat * EACH).await;
            assert!(page.shown - shown <= 2 * GATHERED, "{} rows", page.shown - shown);
        }
        assert!(page.shown >= BEATS * ROWS, "the newest of each are shown: {}", page.shown);
    }

    /// A page that comes back after much has happened: it is shown the newest, and the number of those before.
    #[tokio::test]
    async fn what_a_page_missed_is_told_or_counted_when_it_comes_back() {
        let (trace, rack) = (Trace::new(Ticks::Count), rack());
        let place = rack.add("Reader", card(&trace, "c")).await;
        let mut card = rack.card(place);
        let known = card.journal().unwrap().newest().next().unwrap().at;
        (0..CAUGHT_UP + 7).for_each(|_| drop(card.transmit(ASK).unwrap()));
        let mut page = Listening::to(Control::new(rack, trace, false), known.as_nanos() as u64).await;
        page.until(CAUGHT_UP + 7).await;
        assert_eq!((page.shown, page.counted), (CAUGHT_UP, 7));
    }

    /// What changed too soon after a look to be looked at is looked at when its time has come, though nothing more happens.
    #[test]
    fn a_look_that_was_left_out_is_made_up_for() {
        assert_eq!(until_look(None), IDLE_LOOK);
        assert_eq!(until_look(Some(LOOK / 3)), LOOK - LOOK / 3);
        assert_eq!(until_look(Some(IDLE_LOOK)), Duration::ZERO);
    }

    /// Also what a card does last, of which only its program still knows; under its own name, for its reader has another now.
    #[tokio::test]
    async fn what_a_card_does_when_it_was_thrown_away_is_told() {
        let (trace, rack) = (Trace::new(Ticks::Count), rack());
        let place = rack.add("Reader", card(&trace, "first")).await;
        let mut first = rack.card(place);
        let kept = first.journal().unwrap().clone();
        let mut page = Listening::to(Control::new(rack.clone(), trace.clone(), false), 0).await;
        let told = page.until(kept.count()).await;
        assert!(told.contains("Reader") && !told.contains("first"), "{told}");
        rack.replace(place, card(&trace, "second")).await;
        let second = rack.card(place).journal().unwrap().clone();
        page.until(kept.count() + second.count()).await;
        first.power_on();
        first.transmit(ASK).unwrap();
        drop(first);
        let told = page.until(kept.count() + second.count()).await;
        assert!(told.contains("status of PIN") && told.contains("first"), "{told}");
        // And nothing is told twice when the card is forgotten.
        drop(rack.card(place).transmit(ASK).unwrap());
        page.until(kept.count() + second.count()).await;
    }
}
