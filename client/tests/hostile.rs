//! A card that answers anything: every function returns, none panics.

use cardlab_client::lock;
use cardlab_client::minidriver::{Authenticator, Minidriver, Secret};
use cardlab_client::owner::owner;
use cardlab_client::piv;
use cardlab_client::recognise::Edge;
use cardlab_client::transport::InProcess;
use proptest::prelude::*;

/// Answers with status words that let the functions go on, and sometimes not.
fn response() -> impl Strategy<Value = Vec<u8>> {
    let data = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..40),
        Just(vec![0x7C, 0x0A, 0x81, 0x08, 1, 2, 3, 4, 5, 6, 7, 8]),
        Just(vec![0x7F, 0x71, 0x06, 0x97, 0x01, 0x02, 0x93, 0x01, 0x03]),
    ];
    let sw = prop_oneof![
        4 => Just(vec![0x90, 0x00]),
        1 => Just(vec![0x61, 0x10]),
        1 => (0u8..16).prop_map(|n| vec![0x63, 0xC0 | n]),
        1 => prop::collection::vec(any::<u8>(), 0..3),
    ];
    (data, sw).prop_map(|(data, sw)| [data, sw].concat())
}

proptest! {
    #[test]
    fn any_answers(responses in prop::collection::vec(response(), 1..60)) {
        let mut next = responses.into_iter().cycle().take(2000);
        let mut card = InProcess(move |_: &[u8]| next.next());
        let _ = piv::identity(&mut card);
        let _ = owner(&mut card, Edge::Gids { initialised: true });
        let _ = owner(&mut card, Edge::Piv { admin_unblock: false, yubikey: None });
        if let Ok(mut card) = Minidriver::open(&mut card) {
            let _ = card.card_pin_status();
            let _ = card.card_id();
            let _ = card.card_query_free_space();
            let _ = card.card_get_challenge();
            let _ = card.unblock_challenge();
            let _ = card.card_unblock_pin(Authenticator::Response(&[0; 8]), b"246810");
            let _ = card.card_unblock_pin(Authenticator::Puk(b"12345678"), b"246810");
            let _ = card.card_change_authenticator(b"123456", b"246810");
            let _ = lock::bring_to(&mut card, Secret::Pin, 0);
            let _ = lock::bring_to(&mut card, Secret::AdminKey, 0);
        }
    }
}
