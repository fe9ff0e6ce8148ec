//! Who holds a card in readers of ours: they tell it on the control socket beside theirs. A foreign PC/SC service has none.

use cardlab_control::beside;
use cardlab_control::client::{Client, Method};
use cardlab_control::view::ReaderView;
use cardlab_server_stub::model::station::Holder;
use serde_json::json;
use std::path::PathBuf;
use std::time::Duration;

/// Far more than readers need that are well; a page waits for it.
const LIMIT: Duration = Duration::from_secs(1);

/// Of the readers at this socket: who keeps others from the card in the reader of a name. Nobody who is known for readers of others.
pub(crate) fn of(socket: PathBuf) -> impl Fn(&str) -> Option<Holder> + Send + Sync {
    move |reader| {
        let readers = Client::at(&beside(&socket)).ok()?.within(LIMIT);
        let readers: Vec<ReaderView> = readers.json(Method::GET, "/v1/readers", &json!({})).ok()?;
        let holders = readers.into_iter().find(|known| known.name == reader)?.held_by;
        let holder = holders.into_iter().find(|holder| holder.how != "shared" && !holder.program.is_empty())?;
        let since = i64::try_from(holder.since).ok()?.checked_mul(1000)?;
        Some(Holder { program: holder.program, process: holder.process, since })
    }
}
