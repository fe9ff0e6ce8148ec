//! Keys that an issuer puts on a new card: in their slots, or no card at all.

use crate::common::{Bench, SELECT_GIDS};
use cardlab_protocol::tlv;
use cardlab_sim::crypto::asymmetric::{Algorithm, KeyPair};
use cardlab_sim::crypto::ec::Curve;
use cardlab_sim::keys;
use cardlab_sim::{Card, CardError, Issue, Issued, Profile, Random, World};

fn issue(profile: &str, slot: u8, algorithm: Algorithm, certificate: Option<Vec<u8>>) -> Result<Card, CardError> {
    let key = KeyPair::generate(algorithm, &mut Random::from_number(1, 0)).unwrap();
    let keys = vec![Issued { slot, key, certificate, compressed: false }];
    Card::issue(Profile::builtin(profile).unwrap(), World::seeded(1), |_, _| Ok(Issue::of(keys)))
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

/// As Windows' minidriver and OpenSC look for them.
#[test]
fn a_gids_card_lists_them_in_its_file_system() {
    let mut b = Bench { card: issue("gids", 0x82, P256, Some(b"certificate".to_vec())).unwrap() };
    b.power_on();
    b.send(SELECT_GIDS);
    let mut object = |file: &str, tag: u16| {
        let (data, sw) = b.long(&format!("00CB{file}"), &[&[0x5C, 0x02][..], &tag.to_be_bytes()].concat());
        assert_eq!(sw, "9000");
        tlv::only(&data, tag.into()).unwrap().to_vec()
    };
    let map = object("A010", 0xDF23);
    assert_eq!(map.len(), 2 * 86, "container 0 is empty");
    assert!(map[..86].iter().all(|byte| *byte == 0));
    let name: Vec<u8> = "cardlab 01".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!((&map[86..106], &map[166..]), (&name[..], &[1, 0, 0, 0, 0, 1][..]));
    let keys = object("A000", 0xDF20);
    assert_eq!(keys[13..], [1, 0, 0, 0, 0x0C, 0x9A, 0x82, 0xB0, 0xFF, 0xFF, 0, 0]);
    let master = object("A000", 0xDF1F);
    assert_eq!(master[1 + 5 * 28..], *b"mscp\0\0\0\0\0kxc01\0\0\0\0\0\0\x24\xDF\0\0\x10\xA0\0\0");
    assert_eq!(object("A010", 0xDF24)[..4], [1, 0, 11, 0], "packed; its length");
    assert_eq!(b.sw("002241B60680011C840182"), "6982", "not without the PIN");
    assert_eq!(b.verify("123456"), "9000");
    assert_eq!(b.sw("002241B60680011C840182"), "9000");
    assert!(b.sw(&format!("002A9E9A20{}00", "11".repeat(32))).ends_with("9000"));
}

#[test]
fn without_contacts_only_the_card_authentication_key_signs() {
    for (slot, sw) in [(0x9E, "9000"), (0x9A, "6982")] {
        let mut profile = Profile::builtin("nist-piv").unwrap();
        profile.set("interface", "contactless").unwrap();
        let key = KeyPair::generate(P256, &mut Random::from_number(1, 0)).unwrap();
        let keys = vec![Issued { slot, key, certificate: None, compressed: false }];
        let issue = |_, _: &mut _| Ok::<_, CardError>(Issue::of(keys));
        let mut b = Bench { card: Card::issue(profile, World::seeded(1), issue).unwrap() };
        b.power_on();
        assert_eq!(b.sign("11", &format!("{slot:02X}"), &[1; 32]).1, sw, "{slot:02X}");
    }
}

#[test]
fn what_does_not_fit_is_refused_with_the_reason() {
    for (profile, slot, algorithm, length, reason) in [
        ("nist-piv", 0x9B, P256, 1, "not a key slot"),
        ("gids", 0x9A, P256, 1, "a gids has no such slot"),
        ("gids-blank", 0x81, P256, 1, "a gids-blank has no file system yet"),
        ("gids", 0x81, Algorithm::Ed25519, 1, "a gids cannot hold a ed25519 key"),
        ("gids", 0x81, P256, 100_000, "the certificate is longer than 65535 bytes"),
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

#[test]
fn a_gids_card_whose_memory_they_do_not_fit_in_is_none() {
    let issued = |_: u32, random: &mut Random| {
        let slots = 0x81..=0x8F;
        let key = KeyPair::generate(P256, random).unwrap();
        let certificate = || Some((0..2000).flat_map(|_| random.bytes::<32>()).collect());
        let keys = slots.zip(std::iter::repeat_with(certificate)).map(|(slot, certificate)| Issued {
            slot,
            key: key.clone(),
            certificate,
            compressed: false,
        });
        Ok::<_, CardError>(Issue::of(keys.collect()))
    };
    match Card::issue(Profile::builtin("gids").unwrap(), World::seeded(1), issued) {
        Err(CardError::Full { taken, memory }) => assert!(taken > memory),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it has no end"),
    }
}

#[test]
fn a_yubikey_attests_with_the_key_that_it_is_given_and_has_no_key_history() {
    let issued = |profile: &str, slot, certificate: Option<&[u8]>| issue(profile, slot, P256, certificate.map(<[u8]>::to_vec));
    let b = Bench { card: issued("yubikey-5.4", 0xF9, Some(b"own")).unwrap() };
    let object = |b: &Bench, tag| b.card.nvm().read(cardlab_sim::memory::object(tag)).map(<[u8]>::to_vec);
    assert_eq!(tlv::find(&object(&b, 0x5F_FF01).unwrap(), 0x70), Some(&b"own"[..]));
    assert_eq!(object(&b, 0x5F_FFCA), None, "the root of another key");
    assert_eq!(keys::info(b.card.nvm(), 0xF9).unwrap().algorithm, P256);
    let without = issued("yubikey-5.4", 0xF9, None).err().unwrap().to_string();
    assert_eq!(without, "slot f9: the attestation key needs a certificate: write f9=KEY:CERTIFICATE or f9=KEY:self");
    assert!(issued("nist-piv", 0xF9, Some(b"own")).err().unwrap().to_string().contains("not a key slot of this card"));
    let b = Bench { card: issued("yubikey-5.4", 0x82, Some(b"own")).unwrap() };
    assert_eq!(object(&b, 0x5F_C10C), None);
}
