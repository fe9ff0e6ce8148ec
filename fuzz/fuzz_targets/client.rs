//! The host's side against a card that answers anything. Input: responses, each behind its length.
#![no_main]
use cardlab_client::lock;
use cardlab_client::minidriver::{Authenticator, Minidriver, Secret};
use cardlab_client::transport::InProcess;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut rest = bytes;
    let mut card = InProcess(|_: &[u8]| {
        let (length, after) = rest.split_first()?;
        let (response, after) = after.split_at(after.len().min(usize::from(*length)));
        rest = after;
        Some(response.to_vec())
    });
    let Ok(mut card) = Minidriver::open(&mut card) else { return };
    let _ = card.card_pin_status();
    let _ = card.card_id();
    let _ = card.card_query_free_space();
    let _ = card.card_get_challenge();
    let _ = card.card_unblock_pin(Authenticator::Response(&[0; 8]), b"246810");
    let _ = lock::bring_to(&mut card, Secret::Pin, 0);
});
