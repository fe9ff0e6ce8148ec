//! The scenarios as tests of the conformance suite: the whole unlock, with card, lock screen, tool, server and
//! the people at it. Each scenario of the catalogue is a test; its steps are in its file.

use crate::catalogue;
use crate::file::Scenario;
use crate::play::play;
use crate::world::cards::Source;
use cardlab_client::recognise::Edge;
use cardlab_client::transport::TransportError;
use cardlab_conformance::bench::{Facts, Objects, Stop};
use cardlab_conformance::book::Book;
use cardlab_conformance::credentials::Credentials;
use cardlab_conformance::target::{NoCard, Placed, Slot, Target};
use cardlab_conformance::test::{Danger, Need, Test, Wish};

/// The whole suite: cards and readers, then the unlock system. Ids are different from each other.
#[must_use]
pub fn all() -> Vec<Test> {
    let mut book = Book::default();
    cardlab_conformance::catalogue::fill(&mut book);
    fill(&mut book);
    book.into_tests()
}

/// Adds a test for each scenario of the catalogue.
pub fn fill(book: &mut Book) {
    for entry in catalogue::all() {
        let (group, slug) = entry.name.split_once('/').unwrap_or(("", entry.name));
        let scenario = Scenario::parse(entry.text);
        let title = scenario.as_ref().map_or_else(|error| error.to_string(), |scenario| scenario.title.clone());
        let source = format!("cardlab's requirements of the unlock system, {group}");
        let mut section = book.section(&format!("unlock/scenarios/{group}"), &source, &[Need::Server]).at_least(Danger::Locks);
        section.profile(slug, &title, move |_| {
            let scenario = scenario.as_ref().map_err(|error| Stop::Failed(error.to_string()))?;
            play(scenario, &Source::Simulated(1), |_| {}).map_err(|failure| Stop::Failed(failure.to_string()))
        });
    }
}

/// The target of these tests: no card at all, since each brings its own world with it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unlock;

struct NoSlot;

impl Slot for NoSlot {
    fn transmit(&mut self, _: &[u8]) -> Result<Vec<u8>, TransportError> {
        Err(TransportError::Removed)
    }

    fn reset(&mut self, _: bool) -> Result<(), TransportError> {
        Err(TransportError::Removed)
    }
}

impl Target for Unlock {
    fn name(&self) -> String {
        "unlock".into()
    }

    fn place(&mut self, needs: &[Need], _: &Wish, _: Danger) -> Result<Placed<'_>, NoCard> {
        if !needs.contains(&Need::Server) {
            return Err(NoCard::NotApplicable("for cards, not for the unlock system (card)".into()));
        }
        let facts = Facts {
            name: self.name(),
            edge: Edge::Gids { initialised: true },
            serial: String::new(),
            credentials: Credentials::default(),
            keys: Vec::new(),
            new: true,
            extended_length: false,
            tells_verified: true,
            pin_tries: None,
            objects: Objects::new(),
            files: Vec::new(),
        };
        Ok(Placed::new(Box::new(NoSlot), facts))
    }
}
