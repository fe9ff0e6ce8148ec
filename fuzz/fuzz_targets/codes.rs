//! Codes as people type them: what is accepted reads back as the same bytes. And for whom a request is, as browsers say it.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    if let Ok(code) = cardlab_protocol::codes::parse(text, &[8, 16]) {
        assert_eq!(cardlab_protocol::codes::parse(&cardlab_protocol::codes::grouped(&code), &[code.len()]), Ok(code));
    }
    let _ = cardlab_protocol::codes::parse_challenge(text, &[8, 16]);
    if let Some(host) = cardlab_protocol::host::host(text) {
        assert!(text.starts_with(host) && cardlab_protocol::host::host(host) == Some(host));
    }
});
