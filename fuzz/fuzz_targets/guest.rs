//! A card that is not ours says anything, in any pieces: it is heard, or sent away. A request for one is read, or refused.
#![no_main]
use cardlab_vreader::setup::guest::GuestRequest;
use cardlab_vreader::vpcd::{reader::Reader, wire};

fn hear(pieces: &[&[u8]], questions: u8) -> (Vec<cardlab_vreader::vpcd::reader::Heard>, bool) {
    let mut reader = Reader::default();
    let _ = reader.power_on();
    for _ in 0..questions {
        let _ = reader.command(&[0, 0xA4, 4, 0]);
    }
    let mut heard = Vec::new();
    let kept = pieces.iter().all(|piece| reader.receive(piece, &mut heard).is_ok());
    (heard, kept)
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(Some(request)) = str::from_utf8(bytes).map(GuestRequest::parse).unwrap_or(Ok(None)) {
        assert!(!request.reader_name().is_empty());
    }
    if let Some((message, used)) = wire::read(bytes) {
        let mut again = Vec::new();
        assert!(wire::write(message, &mut again));
        assert_eq!(again, bytes[..used]);
        let _ = wire::Asked::of(message);
    }
    let Some(([questions, cut], stream)) = bytes.split_first_chunk::<2>() else { return };
    let (first, second) = stream.split_at(usize::from(*cut).min(stream.len()));
    assert_eq!(hear(&[first, second], *questions), hear(&[stream], *questions));
});
