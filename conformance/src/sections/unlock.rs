//! The whole unlock: card, lock screen, tool, server and the people at it. Each scenario of the catalogue
//! is a test; its steps are in its file.

use crate::bench::Stop;
use crate::book::Book;
use crate::test::{Danger, Need};
use cardlab_scenario::catalogue;
use cardlab_scenario::file::Scenario;
use cardlab_scenario::play::play;
use cardlab_scenario::world::cards::Source;

pub(super) fn fill(book: &mut Book) {
    for entry in catalogue::all() {
        let (group, slug) = entry.name.split_once('/').unwrap_or(("", entry.name));
        let scenario = Scenario::parse(entry.text);
        let title = scenario.as_ref().map_or_else(|error| error.to_string(), |scenario| scenario.title.clone());
        let source = format!("cardlab's requirements of the unlock system, {group}");
        let mut section = book.section(&format!("unlock/scenarios/{group}"), &source, &[Need::Server]).at_least(Danger::Locks);
        section.profile(slug, &title, move |_| {
            let scenario = scenario.as_ref().map_err(|error| Stop::failed(error.to_string()))?;
            play(scenario, &Source::Simulated(1), |_, _| {}).map_err(|failure| Stop::failed(failure.to_string()))
        });
    }
}
