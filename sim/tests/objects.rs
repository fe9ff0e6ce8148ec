//! What is behind GET DATA and PUT DATA: the table by profile, and how much there is room for.

use crate::common::{Bench, PROFILES, bench};
use cardlab_sim::piv::access::Reach;
use cardlab_sim::piv::objects::{self, ReadRule, WriteRule};
use cardlab_sim::profile::Order;
use cardlab_sim::{Card, CardError, Issue, Issued, Profile, Random, World};
use std::fmt::Write as _;

const PROTECTED: [&str; 4] = ["5FC103", "5FC108", "5FC109", "5FC121"];

/// A certificate object around `length` bytes: what clients put on a card.
fn certificate(length: usize) -> Vec<u8> {
    let mut object = vec![0x70, 0x82, (length >> 8) as u8, length as u8];
    object.resize(4 + length, 0x30);
    object.extend([0x71, 0x01, 0x00, 0xFE, 0x00]);
    object
}

/// Tags of the certificates of 9A, 9C, 9D, 9E and the retired keys.
fn certificates() -> Vec<String> {
    let tag = |last: u8| format!("5FC1{last:02X}");
    [0x05, 0x0A, 0x0B, 0x01].into_iter().chain(0x0D..=0x20).map(tag).collect()
}

#[test]
fn a_yubikey_does_not_tell_whether_a_protected_object_is_there() {
    for profile in ["yubikey-4.3", "yubikey-5.4", "yubikey-5.7"] {
        let mut b = bench(profile, &[]);
        for tag in PROTECTED {
            assert_eq!(b.get(tag).1, "6982", "{profile}: {tag}, absent and without the PIN");
        }
        assert_eq!(b.get("5FC105").1, "6A82", "no rule, and absent");
        b.admin();
        for tag in PROTECTED {
            assert_eq!(b.get(tag).1, "6982", "{profile}: the administrator key is no PIN");
            assert_eq!(b.put(tag, b"x"), "9000");
            assert_eq!(b.get(tag).1, "6982", "{profile}: {tag}, there and without the PIN");
        }
        assert_eq!(b.put("5FC103", b""), "9000");
        b.verify("123456");
        assert_eq!(b.get("5FC103").1, "6A82", "{profile}: with the PIN it is told");
        assert_eq!(b.get("5FC109"), (vec![0x53, 0x01, b'x'], "9000".into()));
        // Yubico's manual: these four are protected, and no other.
        assert_eq!((b.put("5FC123", b"p"), b.sw("0020FF80")), ("9000".into(), b.sw("0020FF80")));
        b.select();
        assert_eq!(b.get("5FC123").1, "9000", "{profile}");
    }
}

#[test]
fn a_nist_card_looks_for_the_object_first() {
    for profile in ["nist-piv", "piv-admin"] {
        let mut b = bench(profile, &[]);
        for tag in PROTECTED.into_iter().chain(["5FC123"]) {
            assert_eq!(b.get(tag).1, "6A82", "{profile}: {tag}, absent");
        }
        b.admin();
        for tag in PROTECTED.into_iter().chain(["5FC123"]) {
            assert_eq!(b.put(tag, b"x"), "9000");
            assert_eq!(b.get(tag).1, "6982", "{profile}: {tag}, there");
        }
    }
}

#[test]
fn sixteen_certificates_of_3052_bytes_fit_on_a_yubikey_and_the_next_changes_nothing() {
    for profile in ["yubikey-4.3", "yubikey-5.4", "yubikey-5.7"] {
        let mut b = bench(profile, &[]);
        b.admin();
        let tags = certificates();
        let most = certificate(3052);
        for tag in &tags[..16] {
            assert_eq!(b.put(tag, &most), "9000", "{profile}: {tag}");
        }
        let before = b.card.nvm().records().clone();
        assert_eq!(b.put(&tags[16], &most), "6A84", "{profile}: the 17th");
        assert_eq!(b.put("5FFF00", &[1; 3000]), "6A84", "{profile}: nor any other object");
        assert_eq!(b.card.nvm().records(), &before, "{profile}: nothing is lost");
        let free = objects::free(b.card.nvm(), b.card.profile());
        assert!(free < most.len(), "{profile}: {free} bytes are left");
        // In the place of one that is there the same fits, and a longer one does not.
        assert_eq!(b.put(&tags[3], &most), "9000");
        assert_eq!(b.put(&tags[16], &vec![1; free]), "9000", "{profile}: what is said to be left");
        assert_eq!(objects::free(b.card.nvm(), b.card.profile()), 0);
        assert_eq!(b.put(&tags[17], &[1]), "6A84");
        assert_eq!(b.put(&tags[3], &certificate(3053)), "6A84", "{profile}: longer than what it replaces");
        assert_eq!(b.put(&tags[3], b""), "9000");
        assert_eq!(b.put(&tags[17], &most), "9000", "{profile}: room again");
    }
}

#[test]
fn twenty_four_certificates_of_the_documented_average_fit() {
    for (profile, length) in [("yubikey-4.3", 2075), ("yubikey-5.4", 2084), ("yubikey-5.7", 2084)] {
        let mut b = bench(profile, &[]);
        b.admin();
        for tag in certificates() {
            assert_eq!(b.put(&tag, &certificate(length)), "9000", "{profile}: {tag}");
        }
    }
}

#[test]
fn every_container_of_a_nist_card_fits_at_once() {
    let sizes = [("5FC107", 287), ("5FC102", 2916), ("5FC103", 4006), ("5FC106", 1336), ("5FC108", 12710), ("5FC109", 245)];
    let others = [("5FC10C", 256), ("5FC121", 7106), ("5FC122", 2471), ("5FC123", 12)];
    for profile in ["nist-piv", "piv-admin"] {
        let mut b = bench(profile, &[]);
        b.admin();
        for (tag, size) in sizes.into_iter().chain(others) {
            assert_eq!(b.put(tag, &vec![5; size]), "9000", "{profile}: {tag}");
        }
        for tag in certificates() {
            assert_eq!(b.put(&tag, &vec![5; 1905]), "9000", "{profile}: {tag}");
        }
    }
}

#[test]
fn a_card_is_not_issued_with_more_certificates_than_it_holds() {
    let issue = |count: u8, length: usize| {
        let key = || {
            let mut random = Random::from_number(1, 0);
            cardlab_sim::crypto::asymmetric::KeyPair::generate(
                cardlab_sim::crypto::asymmetric::Algorithm::Ec(cardlab_sim::crypto::ec::Curve::P256),
                &mut random,
            )
            .unwrap()
        };
        let issued = (0..count)
            .map(|n| Issued { slot: 0x82 + n, key: key(), certificate: Some(vec![0x30; length]), compressed: false })
            .collect::<Vec<_>>();
        Card::issue(Profile::builtin("yubikey-5.4").unwrap(), World::seeded(1), |_, _: &mut _| {
            Ok::<_, CardError>(Issue::of(issued))
        })
    };
    assert!(issue(16, 3052).is_ok());
    let error = issue(17, 3052).err().unwrap();
    assert!(matches!(error, CardError::Full { memory: 51200, .. }), "{error}");
    assert!(error.to_string().starts_with("the certificates do not fit: with them the card's objects take 5"), "{error}");
    assert!(issue(1, 3054).is_ok() && issue(1, 3055).is_err(), "an object has 3063 bytes, 9 of them around the certificate");
}

#[test]
fn retired_keys_come_with_a_key_history_on_cards_that_have_one() {
    let history = |profile: &str| {
        let key = cardlab_sim::crypto::asymmetric::KeyPair::generate(
            cardlab_sim::crypto::asymmetric::Algorithm::Ec(cardlab_sim::crypto::ec::Curve::P256),
            &mut Random::from_number(1, 0),
        )
        .unwrap();
        let issued =
            |_, _: &mut _| Ok::<_, CardError>(Issue::of(vec![Issued { slot: 0x82, key, certificate: None, compressed: false }]));
        let mut b = Bench { card: Card::issue(Profile::builtin(profile).unwrap(), World::seeded(1), issued).unwrap() };
        b.power_on();
        b.get("5FC10C").1
    };
    assert_eq!(["nist-piv", "piv-admin"].map(history), ["9000", "9000"]);
    assert_eq!(["yubikey-4.3", "yubikey-5.4", "yubikey-5.7"].map(history), ["6A82", "6A82", "6A82"]);
}

/// `docs/objects.md` is made from the table.
#[test]
fn the_page_of_objects_is_written() {
    let names: Vec<&str> = Profile::names().filter(|name| Profile::builtin(name).unwrap().piv.is_some()).collect();
    let profiles: Vec<Profile> = names.iter().map(|name| Profile::builtin(name).unwrap()).collect();
    let mut page = String::from(
        "# Data objects of PIV cards\n\nWhat is behind GET DATA and PUT DATA, made from the table in `sim/src/piv/objects.rs` and the profiles \
         (CARDLAB_WRITE_DOCS=1 writes this page). Sources stand in the profiles.\n\n",
    );
    let _ = writeln!(page, "| object | tags | without contacts | written by | {} |", names.join(" | "));
    let _ = writeln!(page, "|---|---|---|---|{}", "---|".repeat(names.len()));
    for row in &objects::TABLE {
        let tags =
            if row.tags.0 == row.tags.1 { format!("{:X}", row.tags.0) } else { format!("{:X} to {:X}", row.tags.0, row.tags.1) };
        let writer = if row.write == WriteRule::Administration { "administrator key" } else { "nobody" };
        let read = |profile: &Profile| {
            if !row.is_offered(profile) {
                return "-".to_owned();
            }
            let pin = |tag: u32| objects::of(tag, profile).is_some_and(|object| object.read == ReadRule::Pin);
            if (row.tags.0..=row.tags.1).any(pin) && row.tags.1 - row.tags.0 < 0x100 { "PIN".into() } else { "always".into() }
        };
        let cells: Vec<String> = profiles.iter().map(read).collect();
        let contactless = match row.reach {
            Reach::Contactless => "always",
            _ => "over the VCI, where `piv.contactless-rules` hold",
        };
        let _ = writeln!(page, "| {} | {tags} | {contactless} | {writer} | {} |", row.name, cells.join(" | "));
    }
    let row = |what: &str, cell: &dyn Fn(&Profile) -> String| {
        format!("| {what} | | | | {} |\n", profiles.iter().map(cell).collect::<Vec<_>>().join(" | "))
    };
    page += &row("GET DATA looks first at", &|profile| match profile.piv.as_ref().unwrap().looks_first {
        Order::Existence => "the object: 6A82 where it is absent".into(),
        Order::Rule => "its rule: 6982 without the PIN".into(),
    });
    page += &row("longest object, bytes", &|profile| profile.piv.as_ref().unwrap().max_object.to_string());
    page += &row("all objects, bytes", &|profile| profile.piv.as_ref().unwrap().memory.to_string());
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/objects.md");
    if std::env::var_os("CARDLAB_WRITE_DOCS").is_some() {
        std::fs::write(file, &page).unwrap();
    }
    assert_eq!(
        std::fs::read_to_string(file).unwrap_or_default(),
        page,
        "docs/objects.md is out of date; CARDLAB_WRITE_DOCS=1 writes it"
    );
}

#[test]
fn what_the_table_lets_nobody_write_is_not_written() {
    for profile in PROFILES {
        let mut b = bench(profile, &[]);
        b.admin();
        for row in objects::TABLE.iter().filter(|row| row.write == WriteRule::Nobody) {
            for tag in row.tags.0..=row.tags.1 {
                let value = b.get(&format!("{tag:X}"));
                assert_eq!(b.put(&format!("{tag:X}"), b"x"), "6A81", "{profile}: {tag:X}");
                assert_eq!(b.get(&format!("{tag:X}")), value);
            }
        }
    }
}
