//! What parses as a command APDU is written back to the same bytes.
#![no_main]
use cardlab_protocol::apdu::Command;
use cardlab_sim::atr::Atr;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(command) = Command::parse(bytes) {
        assert_eq!(command.to_bytes(), bytes);
    }
    if let Ok(atr) = Atr::parse(bytes) {
        assert_eq!(atr.as_bytes(), bytes);
    }
});
