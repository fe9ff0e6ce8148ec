//! Who holds a card in readers of ours: they tell it on the control socket beside theirs. A foreign PC/SC service has none.

use cardlab_control::beside;
use cardlab_control::client::{Client, Method};
use cardlab_control::view::{HolderView, ReaderView};
use cardlab_scenario::world::station::Held;
use cardlab_server_stub::model::station::Holder;
use std::path::PathBuf;
use std::time::Duration;

/// Far more than readers need that are well; a page waits for it.
const LIMIT: Duration = Duration::from_secs(1);

/// Of the readers at this socket: who keeps others from the card in each. Nobody who is known for readers of others.
pub(crate) fn of(socket: PathBuf) -> impl Fn() -> Held + Send + Sync {
    move || {
        let readers =
            Client::at(&beside(&socket)).and_then(|readers| readers.within(LIMIT).json(Method::GET, "/v1/readers", &()));
        let readers: Vec<ReaderView> = readers.unwrap_or_default();
        readers.into_iter().filter_map(|reader| Some((reader.name, holder(reader.held_by)?))).collect()
    }
}

/// Who keeps others out, of those who are connected to a card.
fn holder(connected: Vec<HolderView>) -> Option<Holder> {
    let holder = connected.into_iter().find(|holder| holder.how != "shared" && !holder.program.is_empty())?;
    let since = i64::try_from(holder.since).ok()?.checked_mul(1000)?;
    Some(Holder { program: holder.program, process: holder.process, since })
}
