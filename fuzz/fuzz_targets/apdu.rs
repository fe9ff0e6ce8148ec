//! What parses as a command APDU is written back to the same bytes; what it writes to a card is read off any bytes.
#![no_main]
use cardlab_conformance::place::Place;
use cardlab_protocol::apdu::Command;
use cardlab_sim::atr::Atr;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(command) = Command::parse(bytes) {
        assert_eq!(command.to_bytes(), bytes);
    }
    if let Some((header, data)) = bytes.split_first_chunk() {
        for gids in [false, true] {
            assert!(Place::written(*header, data, gids).iter().all(|place| place.suits(gids)));
        }
    }
    if let Ok(atr) = Atr::parse(bytes) {
        assert_eq!(atr.as_bytes(), bytes);
    }
});
