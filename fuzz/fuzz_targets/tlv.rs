//! Reading never panics, and what was read is written back to an equal sequence.
#![no_main]
use cardlab_protocol::tlv::{Reader, Writer};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let objects: Vec<_> = Reader::new(bytes).map_while(Result::ok).collect();
    let mut again = Vec::new();
    let mut writer = Writer::new(&mut again);
    for object in objects.iter().filter(|o| o.tag != 0) {
        writer.value(object.tag, object.value);
    }
    let read: Vec<_> = Reader::new(&again).map_while(Result::ok).collect();
    let kept: Vec<_> = objects.into_iter().filter(|o| o.tag != 0).collect();
    assert_eq!(read, kept);
});
