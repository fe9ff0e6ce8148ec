//! Every scenario that comes with cardlab holds on simulated cards.

use cardlab_scenario::catalogue;
use cardlab_scenario::file::Scenario;
use cardlab_scenario::play::play;
use cardlab_scenario::world::cards::Source;

#[test]
fn every_scenario_holds() {
    let wanted = std::env::var("CARDLAB_SCENARIO").unwrap_or_default();
    let entries: Vec<_> = catalogue::all().into_iter().filter(|entry| entry.name.contains(&wanted)).collect();
    assert!(!entries.is_empty(), "no scenario has '{wanted}' in its name");
    let next = std::sync::atomic::AtomicUsize::new(0);
    let failed = std::sync::Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(entry) = entries.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) {
                    let played = match Scenario::parse(entry.text) {
                        Ok(scenario) => play(&scenario, &Source::Simulated(1), |_, _| {}).map_err(|e| e.to_string()),
                        Err(error) => Err(error.to_string()),
                    };
                    if let (Err(error), Ok(mut failed)) = (played, failed.lock()) {
                        failed.push(format!("{}: {error}", entry.name));
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap_or_default();
    assert!(failed.is_empty(), "{} of {} failed:\n{}", failed.len(), entries.len(), failed.join("\n"));
}
