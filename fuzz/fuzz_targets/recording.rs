//! Recordings and snapshots that somebody gives us: read, or refused.
#![no_main]

use cardlab_sim::World;
use cardlab_vreader::trace;
use cardlab_vreader::{Snapshot, TouchMode};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let shown = trace::shown(bytes);
    if let Ok(records) = trace::read(bytes) {
        // What can be read back can be shown, a record a line.
        assert_eq!(shown.map(|lines| lines.len()), Ok(records.len()));
        for record in &records {
            let _ = trace::text::write(record, false);
            let _ = trace::tree::of(record, false);
            let line = trace::json::write(record, true);
            assert_eq!(trace::json::read(&line).map(|again| again[0].what.clone()), Ok(record.what.clone()));
        }
    }
    let _ = trace::values(bytes).map(|values| trace::history::History::of(&values));
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    assert_eq!(trace::event::Event::read(text).to_string(), text);
    if let Ok(snapshot) = Snapshot::read(text, None)
        && let Ok(mut card) = snapshot.card(World::seeded(1))
    {
        card.power_on();
        let _ = card.transmit(&[0, 0xA4, 4, 0, 5, 0xA0, 0, 0, 3, 8]);
    }
    if let Ok(touch) = text.parse::<TouchMode>() {
        assert_eq!(touch.to_string().parse(), Ok(touch));
    }
});
