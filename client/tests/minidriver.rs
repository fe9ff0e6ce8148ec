//! The minidriver's functions on every kind of card, in process.

use cardlab_client::lock::{self, LockError};
use cardlab_client::minidriver::{Authenticator, CardError, Counter, Minidriver, PinCharacters, PinFault, Secret};
use cardlab_client::recognise::{Edge, current, recognise};
use cardlab_client::transport::{InProcess, Transport, TransportError};
use cardlab_protocol::admin_key::{AdminKey, Cipher};
use cardlab_sim::{Card, Issue, Issued, Profile, World};

const PIV_KEY: [u8; 24] = [1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8];

/// A powered card and what it was sent.
fn card(profile: &str, settings: &[(&str, &str)]) -> Card {
    let mut profile = Profile::builtin(profile).unwrap();
    for (key, value) in settings {
        profile.set(key, value).unwrap();
    }
    let mut card = Card::new(profile, World::seeded(42)).unwrap();
    card.power_on();
    card
}

fn reach(card: &mut Card) -> impl Transport + '_ {
    InProcess(move |command: &[u8]| card.transmit(command).ok())
}

fn tdes(key: &[u8]) -> AdminKey {
    AdminKey::new(Cipher::Tdes, key).unwrap()
}

/// Managed cards and their keys.
fn managed() -> Vec<(Card, AdminKey)> {
    let aes = "000102030405060708090A0B0C0D0E0F";
    let aes_key = || AdminKey::new(Cipher::Aes128, &hex::decode(aes).unwrap()).unwrap();
    vec![
        (card("gids", &[]), tdes(&[0; 24])),
        (card("piv-admin", &[]), tdes(&PIV_KEY)),
        (card("gids", &[("admin-key", aes), ("admin-algorithm", "aes128")]), aes_key()),
        (card("piv-admin", &[("admin-key", aes), ("admin-algorithm", "aes128")]), aes_key()),
    ]
}

#[test]
fn every_kind_is_recognised() {
    let kind = |profile: &str| recognise(&mut reach(&mut card(profile, &[]))).unwrap();
    let piv = |admin_unblock, yubikey| Some(Edge::Piv { admin_unblock, yubikey });
    assert_eq!(kind("gids"), Some(Edge::Gids { initialised: true }));
    assert_eq!(kind("gids-blank"), Some(Edge::Gids { initialised: false }));
    assert_eq!(kind("nist-piv"), piv(false, None));
    assert_eq!(kind("piv-admin"), piv(true, None));
    assert_eq!(kind("yubikey-5.7").map(|edge| edge.name()), Some("YubiKey 5.7.1".into()));
    // A card of another make says a version, and has no management application; another has neither version nor
    // discovery object.
    let without = |profile: &str, missing: &'static [&'static [u8]]| {
        let mut card = card(profile, &[]);
        let mut other = InProcess(move |command: &[u8]| {
            let missing = missing.iter().any(|begin| command.starts_with(begin));
            if missing { Some(vec![0x6A, 0x82]) } else { card.transmit(command).ok() }
        });
        recognise(&mut other).unwrap()
    };
    const MANAGEMENT: &[u8] = &[0x00, 0xA4, 0x04, 0x00, 0x08, 0xA0, 0x00, 0x00, 0x05, 0x27];
    assert_eq!(without("yubikey-5.4", &[MANAGEMENT]), piv(false, None));
    // It has the application, but no serial number; one of both is enough.
    assert_eq!(without("yubikey-5.4", &[&[0x00, 0x1D], &[0x00, 0xF8]]), piv(false, None));
    assert_eq!(without("yubikey-5.4", &[&[0x00, 0x1D]]), kind("yubikey-5.4"));
    assert_eq!(without("yubikey-5.4", &[&[0x00, 0xF8]]), kind("yubikey-5.4"));
    assert_eq!(without("nist-piv", &[&[0x00, 0xFD], &[0x00, 0xCB]]), piv(false, None));
    // A bank card; one that answers nonsense; one that never ends; none.
    let mut other = InProcess(|_: &[u8]| Some(vec![0x6A, 0x82]));
    assert!(matches!(Minidriver::open(&mut other), Err(CardError::Unknown)));
    let mut nonsense = InProcess(|_: &[u8]| Some(vec![0x90]));
    assert!(matches!(Minidriver::open(&mut nonsense), Err(CardError::Transport(TransportError::Short(1)))));
    let mut endless = InProcess(|_: &[u8]| Some(vec![0x61, 0x00]));
    assert!(matches!(Minidriver::open(&mut endless), Err(CardError::Transport(TransportError::Endless))));
    let mut gone = InProcess(|_: &[u8]| None);
    assert!(matches!(Minidriver::open(&mut gone), Err(CardError::Transport(TransportError::Removed))));
}

/// Where PIV is selected already and stays so, the answer to reset tells a YubiKey from a card that only says a version.
#[test]
fn what_is_selected_is_recognised_without_selecting() {
    struct Seen<'c>(&'c mut Card, Option<&'c [u8]>);
    impl Transport for Seen<'_> {
        fn exchange(&mut self, command: &[u8]) -> Result<Vec<u8>, TransportError> {
            assert_ne!(command[1], 0xA4, "nothing is selected");
            self.0.transmit(command).map_err(|_| TransportError::Removed)
        }

        fn atr(&mut self) -> Option<Vec<u8>> {
            self.1.map(<[u8]>::to_vec)
        }
    }
    let mut card = card("yubikey-5.4", &[]);
    let opened = recognise(&mut reach(&mut card)).unwrap();
    let atr = card.power_on().as_bytes().to_vec();
    recognise(&mut reach(&mut card)).unwrap();
    assert_eq!(current(&mut Seen(&mut card, Some(&atr))).unwrap(), opened);
    let plain = Some(Edge::Piv { admin_unblock: false, yubikey: None });
    let pivapplet = hex::decode("3B80800101").unwrap();
    assert_eq!(current(&mut Seen(&mut card, Some(&pivapplet))).unwrap(), plain);
    assert_eq!(current(&mut Seen(&mut card, None)).unwrap(), plain);
}

#[test]
fn a_pin_is_verified_counted_and_changed() {
    for profile in ["gids", "piv-admin", "nist-piv", "yubikey-4.3", "yubikey-5.4", "yubikey-5.7"] {
        let mut card = card(profile, &[]);
        let mut transport = reach(&mut card);
        let mut card = Minidriver::open(&mut transport).unwrap();
        card.card_authenticate_pin(b"123456").unwrap();
        assert!(card.card_pin_status().unwrap().pin_verified, "{profile}");
        card.card_deauthenticate().unwrap();
        // A YubiKey 4 has nothing to forget with; see the function's description.
        assert_eq!(card.card_pin_status().unwrap().pin_verified, profile == "yubikey-4.3", "{profile}");
        let Err(CardError::Wrong { secret: Secret::Pin, left: Some(2) }) = card.card_authenticate_pin(b"654321") else {
            panic!("{profile}")
        };
        assert_eq!(card.card_pin_status().unwrap().pin.map(|c| c.left), Some(2), "{profile}");
        card.card_change_authenticator(b"123456", b"246810").unwrap();
        assert!(matches!(card.card_change_authenticator(b"123456", b"111222"), Err(CardError::Wrong { left: Some(2), .. })));
        card.card_authenticate_pin(b"246810").unwrap();
        lock::bring_to(&mut card, Secret::Pin, 0).unwrap();
        assert!(matches!(card.card_authenticate_pin(b"246810"), Err(CardError::Blocked(Secret::Pin))), "{profile}");
        assert_eq!(card.card_pin_status().unwrap().pin_blocked(), Some(true), "{profile}");
        assert!(matches!(lock::bring_to(&mut card, Secret::Pin, 2), Err(LockError::Fewer { left: 0, .. })));
    }
}

/// The rules are looked at before the card is asked: no command, no try.
#[test]
fn a_pin_that_cannot_be_one_is_not_sent() {
    for (profile, minimum, maximum, characters) in [
        ("gids", 4, 16, PinCharacters::Ascii),
        ("nist-piv", 6, 8, PinCharacters::Digits),
        ("yubikey-5.4", 6, 8, PinCharacters::Ascii),
    ] {
        let mut card = card(profile, &[]);
        let mut transport = reach(&mut card);
        let mut card = Minidriver::open(&mut transport).unwrap();
        let policy = card.card_pin_policy();
        assert_eq!((policy.minimum, policy.maximum, policy.characters), (minimum, maximum, characters));
        let mut fault = |pin: &str| match card.card_authenticate_pin(pin.as_bytes()) {
            Err(CardError::Pin(fault)) => fault,
            other => panic!("{profile}, {pin}: {other:?}"),
        };
        assert_eq!(fault(""), PinFault::Empty);
        assert_eq!(fault("pässwd"), PinFault::NotAscii);
        assert_eq!(fault("123"), PinFault::Length { minimum, maximum, found: 3 });
        assert_eq!(fault(&"1".repeat(17)), PinFault::Length { minimum, maximum, found: 17 });
        if characters == PinCharacters::Digits {
            assert_eq!(fault("12345x"), PinFault::NotDigits);
        }
        assert_eq!(card.card_pin_status().unwrap().pin.map(|c| c.left), Some(3), "{profile}");
    }
}

#[test]
fn the_administration_key_unblocks() {
    for (mut card, key) in managed() {
        let kind = format!("{} {:?}", card.profile().name, key.cipher());
        let mut transport = reach(&mut card);
        let mut card = Minidriver::open(&mut transport).unwrap();
        lock::bring_to(&mut card, Secret::Pin, 0).unwrap();
        let full = card.card_pin_status().unwrap().admin;
        assert_eq!(full, Some(Counter { left: 5, maximum: Some(5) }), "{kind}");

        let first = card.card_get_challenge().unwrap();
        assert_eq!(first.len(), key.cipher().block_len(), "{kind}");
        let second = card.card_get_challenge().unwrap();
        assert_ne!(first, second);
        // Of the one before; then of none at all, which costs nothing.
        let old = key.respond(&first).unwrap();
        let refused = card.card_unblock_pin(Authenticator::Response(&old), b"246810");
        assert!(matches!(refused, Err(CardError::Wrong { secret: Secret::AdminKey, left: Some(4) })), "{kind}: {refused:?}");
        card.card_unblock_pin(Authenticator::Response(&key.respond(&second).unwrap()), b"246810").unwrap_err();
        assert_eq!(card.card_pin_status().unwrap().admin.map(|c| c.left), Some(4), "{kind}");

        let right = key.respond(&card.card_get_challenge().unwrap()).unwrap();
        card.card_unblock_pin(Authenticator::Response(&right), b"246810").unwrap();
        let status = card.card_pin_status().unwrap();
        assert_eq!((status.pin.map(|c| c.left), status.admin), (Some(3), full), "{kind}");
        card.card_authenticate_pin(b"246810").unwrap();
        card.card_unblock_pin(Authenticator::Response(&right), b"111222").unwrap_err();
        assert!(matches!(card.card_authenticate_challenge(&[1; 9]), Err(CardError::NotSupported(_))));

        lock::bring_to(&mut card, Secret::AdminKey, 0).unwrap();
        assert!(matches!(card.card_get_challenge(), Err(CardError::Blocked(Secret::AdminKey))), "{kind}");
        card.card_authenticate_pin(b"246810").unwrap();
    }
}

#[test]
fn the_puk_unblocks_where_there_is_one() {
    for profile in ["nist-piv", "yubikey-5.4", "piv-admin"] {
        let mut card = card(profile, &[]);
        let mut transport = reach(&mut card);
        let mut card = Minidriver::open(&mut transport).unwrap();
        lock::bring_to(&mut card, Secret::Pin, 0).unwrap();
        let wrong = card.card_unblock_pin(Authenticator::Puk(b"87654321"), b"246810");
        assert!(matches!(wrong, Err(CardError::Wrong { secret: Secret::Puk, left: Some(2) })), "{profile}: {wrong:?}");
        let short = card.card_unblock_pin(Authenticator::Puk(b"1"), b"246810");
        assert!(matches!(short, Err(CardError::Pin(PinFault::PukLength))));
        card.card_unblock_pin(Authenticator::Puk(b"12345678"), b"246810").unwrap();
        card.card_authenticate_pin(b"246810").unwrap();
        card.card_change_puk(b"12345678", b"87654321").unwrap();
        lock::bring_to(&mut card, Secret::Puk, 0).unwrap();
        let blocked = card.card_unblock_pin(Authenticator::Puk(b"87654321"), b"246810");
        assert!(matches!(blocked, Err(CardError::Blocked(Secret::Puk))), "{profile}: {blocked:?}");
    }
    let mut gids = card("gids", &[]);
    let mut transport = reach(&mut gids);
    let mut gids = Minidriver::open(&mut transport).unwrap();
    let none = gids.card_unblock_pin(Authenticator::Puk(b"12345678"), b"246810");
    assert!(matches!(none, Err(CardError::NotSupported(_))));
    let mut piv = card("nist-piv", &[]);
    let mut transport = reach(&mut piv);
    let refused = Minidriver::open(&mut transport).unwrap().unblock_challenge().unwrap_err();
    assert_eq!(refused.to_string(), "this PIV card is unblocked with its PUK only");
}

#[test]
fn a_response_unblocks_and_a_slip_in_the_pin_spends_nothing() {
    for (mut card, key) in managed() {
        let mut transport = reach(&mut card);
        let mut card = Minidriver::open(&mut transport).unwrap();
        lock::bring_to(&mut card, Secret::Pin, 0).unwrap();
        let response = key.respond(&card.unblock_challenge().unwrap()).unwrap();
        let slip = card.card_unblock_pin(Authenticator::Response(&response), b"1");
        assert!(matches!(slip, Err(CardError::Pin(_))), "{slip:?}");
        // The challenge stays.
        card.card_unblock_pin(Authenticator::Response(&response), b"135791").unwrap();
        card.card_authenticate_pin(b"135791").unwrap();
        assert_eq!(card.card_pin_status().unwrap().admin.map(|c| c.left), Some(5));
    }
}

#[test]
fn identity_and_space() {
    let id = "00112233445566778899AABBCCDDEEFF";
    let mut gids = card("gids", &[("card-id", id)]);
    let mut transport = reach(&mut gids);
    let mut gids = Minidriver::open(&mut transport).unwrap();
    assert_eq!(gids.card_id().unwrap().map(hex::encode_upper).as_deref(), Some(id));
    let space = gids.card_query_free_space().unwrap();
    assert_eq!((space.bytes, space.containers), (None, space.maximum_containers));
    let mut piv = card("nist-piv", &[]);
    let mut transport = reach(&mut piv);
    let mut piv = Minidriver::open(&mut transport).unwrap();
    assert_eq!(piv.card_id().unwrap().map(|id| id.len()), Some(16), "the card UUID");
    let mut blank = card("gids-blank", &[]);
    let mut transport = reach(&mut blank);
    let mut blank = Minidriver::open(&mut transport).unwrap();
    assert_eq!(blank.card_id().unwrap(), None);
    let refused = blank.card_get_challenge();
    assert!(refused.is_err(), "no key yet: {refused:?}");
}

#[test]
fn keys_without_a_certificate_take_their_place_where_the_card_tells_of_them() {
    let key = || {
        let mut random = cardlab_sim::Random::from_number(1, 0);
        cardlab_sim::crypto::asymmetric::KeyPair::generate(
            cardlab_sim::crypto::asymmetric::Algorithm::Ec(cardlab_sim::crypto::ec::Curve::P256),
            &mut random,
        )
        .unwrap()
    };
    let space = |profile: &str| {
        let issued = |slot, certificate: Option<&[u8]>| Issued {
            slot,
            key: key(),
            certificate: certificate.map(<[u8]>::to_vec),
            compressed: false,
        };
        let keys = vec![issued(0x9A, Some(b"certificate")), issued(0x9C, None), issued(0x82, None)];
        let issue = |_, _: &mut _| Ok::<_, cardlab_sim::CardError>(Issue::of(keys));
        let mut card = Card::issue(Profile::builtin(profile).unwrap(), World::seeded(42), issue).unwrap();
        card.power_on();
        let mut transport = reach(&mut card);
        let space = Minidriver::open(&mut transport).unwrap().card_query_free_space().unwrap();
        assert_eq!(space.maximum_containers, 24);
        (space.containers, space.told)
    };
    assert_eq!(["yubikey-5.4", "yubikey-5.7", "nist-piv", "piv-admin"].map(space), [(21, true); 4]);
    assert_eq!(space("yubikey-4.3"), (23, false), "at most: only certificates are seen");
}

#[test]
fn the_administration_key_is_changed_by_who_has_it() {
    let (mut card, old) = managed().swap_remove(0);
    let new = tdes(&hex::decode("0123456789ABCDEF23456789ABCDEF01456789ABCDEF0123").unwrap());
    let mut transport = reach(&mut card);
    let mut card = Minidriver::open(&mut transport).unwrap();
    let change = |card: &mut Minidriver<'_>| card.card_change_admin_key(&new);
    assert!(matches!(change(&mut card), Err(CardError::NotAuthenticated)));
    assert!(matches!(card.card_reset_pin(b"654321"), Err(CardError::Unexpected { sw: 0x6982, .. })));
    let challenge = card.card_get_challenge().unwrap();
    card.card_authenticate_challenge(&old.respond(&challenge).unwrap()).unwrap();
    change(&mut card).unwrap();
    card.card_reset_pin(b"654321").unwrap();
    card.card_authenticate_pin(b"654321").unwrap();
    let challenge = card.card_get_challenge().unwrap();
    assert!(matches!(card.card_authenticate_challenge(&old.respond(&challenge).unwrap()), Err(CardError::Wrong { .. })));
    let challenge = card.card_get_challenge().unwrap();
    card.card_authenticate_challenge(&new.respond(&challenge).unwrap()).unwrap();
    for (mut other, _) in managed().into_iter().filter(|(_, key)| key.as_bytes() == PIV_KEY) {
        let mut transport = reach(&mut other);
        assert!(matches!(change(&mut Minidriver::open(&mut transport).unwrap()), Err(CardError::NotAuthenticated)));
    }
    let mut plain = self::card("nist-piv", &[]);
    let mut transport = reach(&mut plain);
    assert!(matches!(change(&mut Minidriver::open(&mut transport).unwrap()), Err(CardError::NotSupported(_))));
}

#[test]
fn the_number_of_pin_tries_is_set_where_a_card_has_a_command_for_it() {
    for (profile, key) in [("gids", &[0; 24]), ("piv-admin", &PIV_KEY), ("yubikey-5.4", &PIV_KEY), ("yubikey-4.3", &PIV_KEY)] {
        let mut card = card(profile, &[]);
        let mut transport = reach(&mut card);
        let mut card = Minidriver::open(&mut transport).unwrap();
        assert!(matches!(card.card_set_pin_tries(5), Err(CardError::NotAuthenticated)), "{profile}");
        card.card_authenticate_pin(b"123456").unwrap();
        let challenge = card.card_get_challenge().unwrap();
        card.card_authenticate_challenge(&tdes(key).respond(&challenge).unwrap()).unwrap();
        assert!(matches!(card.card_set_pin_tries(0), Err(CardError::NotSupported(_))), "{profile}");
        card.card_set_pin_tries(5).unwrap();
        card.card_deauthenticate().unwrap();
        // GIDS and managed cards give no try back.
        let left = if profile.starts_with("yubikey") { 4 } else { 2 };
        let wrong = card.card_authenticate_pin(b"999999");
        assert!(matches!(wrong, Err(CardError::Wrong { left: Some(now), .. }) if now == left), "{profile}: {wrong:?}");
    }
    for (profile, settings) in [("nist-piv", &[][..]), ("gids", &[("tries-writable", "off")])] {
        let mut card = card(profile, settings);
        let mut transport = reach(&mut card);
        let mut card = Minidriver::open(&mut transport).unwrap();
        let fixed = card.card_set_pin_tries(5).unwrap_err();
        assert!(fixed.to_string().contains("from its maker"), "{profile}: {fixed}");
    }
}
