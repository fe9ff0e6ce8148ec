//! Scenario files, faults and paces that people write.
#![no_main]

use cardlab_scenario::file::Scenario;
use cardlab_vreader::{Fault, Pace};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Err(error) = Scenario::parse(text) {
        assert!(error.line >= 1 && error.line <= text.matches('\n').count() + 1);
    }
    if let Ok(fault) = text.parse::<Fault>() {
        assert_eq!(fault.to_string().parse(), Ok(fault));
    }
    if let Ok(pace) = text.parse::<Pace>() {
        assert_eq!(pace.to_string().parse(), Ok(pace));
    }
});
