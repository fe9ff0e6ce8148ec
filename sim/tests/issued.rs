//! Keys that an issuer puts on a new card: in their slots, or no card at all.

use crate::common::Bench;
use cardlab_protocol::tlv;
use cardlab_sim::crypto::asymmetric::{Algorithm, KeyPair};
use cardlab_sim::crypto::ec::Curve;
use cardlab_sim::keys;
use cardlab_sim::{Card, CardError, Issued, Profile, Random, World};

fn issue(profile: &str, slot: u8, algorithm: Algorithm, certificate: Option<Vec<u8>>) -> Result<Card, CardError> {
    let key = KeyPair::generate(algorithm, &mut Random::from_number(1, 0)).unwrap();
    let issued = |_, _: &mut _| Ok(vec![Issued { slot, key, certificate }]);
    Card::issue(Profile::builtin(profile).unwrap(), World::seeded(1), issued)
}

const P256: Algorithm = Algorithm::Ec(Curve::P256);

#[test]
fn a_key_and_its_certificate_are_in_their_slot() {
    for (slot, tag) in [(0x9A, "5FC105"), (0x82, "5FC10D")] {
        let mut b = Bench { card: issue("nist-piv", slot, P256, Some(b"certificate".to_vec())).unwrap() };
        b.power_on();
        assert_eq!(keys::info(b.card.nvm(), slot).unwrap().algorithm, P256);
        let (object, _) = b.get(tag);
        assert_eq!(tlv::find(tlv::only(&object, 0x53).unwrap(), 0x70), Some(&b"certificate"[..]));
        let (history, _) = b.get("5FC10C");
        let on_card = tlv::only(&history, 0x53).and_then(|object| tlv::find(object, 0xC1));
        assert_eq!(on_card.unwrap_or(&[0]), [u8::from(slot == 0x82)], "the key history counts retired keys");
    }
}

#[test]
fn without_contacts_only_the_card_authentication_key_signs() {
    for (slot, sw) in [(0x9E, "9000"), (0x9A, "6982")] {
        let mut profile = Profile::builtin("nist-piv").unwrap();
        profile.set("interface", "contactless").unwrap();
        let key = KeyPair::generate(P256, &mut Random::from_number(1, 0)).unwrap();
        let issued = |_, _: &mut _| Ok::<_, CardError>(vec![Issued { slot, key, certificate: None }]);
        let mut b = Bench { card: Card::issue(profile, World::seeded(1), issued).unwrap() };
        b.power_on();
        assert_eq!(b.sign("11", &format!("{slot:02X}"), &[1; 32]).1, sw, "{slot:02X}");
    }
}

#[test]
fn what_does_not_fit_is_refused_with_the_reason() {
    for (profile, slot, algorithm, length, reason) in [
        ("nist-piv", 0x9B, P256, 1, "not a key slot"),
        ("gids", 0x9A, P256, 1, "a gids has no such slot"),
        ("nist-piv", 0x9A, Algorithm::Ed25519, 1, "a nist-piv cannot hold a"),
        ("nist-piv", 0x9A, P256, 100_000, "the certificate is longer than the card's"),
    ] {
        match issue(profile, slot, algorithm, Some(vec![0; length])) {
            Err(CardError::Slot { slot: named, reason: said }) => {
                assert_eq!(named, slot);
                assert!(said.starts_with(reason), "{said}");
            }
            Err(other) => panic!("{other}"),
            Ok(_) => panic!("{profile} took a key in {slot:02X}"),
        }
    }
}
