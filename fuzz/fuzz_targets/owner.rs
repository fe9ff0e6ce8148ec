//! A certificate as a card may hold it, packed or not: a name that can be shown, or none.
#![no_main]
use cardlab_client::owner::name_in;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Some(name) = name_in(bytes) {
        assert!(!name.trim().is_empty() && name.chars().count() <= 64);
    }
});
