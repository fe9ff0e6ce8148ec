//! A request of pcsc-lite's protocol is decoded, or refused; decoding is the inverse of writing.
#![no_main]
use cardlab_pcsclite::wire::{Decoded, ReaderState, decode};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(Decoded::Complete(request, used)) = decode(bytes) {
        let mut again = Vec::new();
        request.write(&mut again);
        assert_eq!(again[4..], bytes[4..used]);
    }
    let _ = ReaderState::read(bytes);
});
