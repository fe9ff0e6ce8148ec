//! Files that people give to `conform`: known failures, credentials, reports.
#![no_main]

use cardlab_conformance::credentials::Credentials;
use cardlab_conformance::expectations::Expectations;
use cardlab_conformance::report::json;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let _ = Expectations::parse(text);
    let _ = Credentials::parse(text, "fuzz");
    if let Ok(report) = json::read(text) {
        assert_eq!(json::read(&json::write(&report)).ok(), Some(report));
    }
});
