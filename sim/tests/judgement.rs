//! What a command judges first: the old value or the new one, and what a refusal costs.

use crate::common::{Bench, bench};
use cardlab_sim::reference::{PIN, PUK};

/// Tries left of PIN and PUK.
fn left(b: &Bench) -> (u8, u8) {
    (PIN.counter(b.card.nvm()).left, PUK.counter(b.card.nvm()).left)
}

#[test]
fn a_yubikey_compares_the_old_value_before_it_judges_the_new_one() {
    for settings in [&[][..], &[("pin-complexity", "on")]] {
        for (profile, new) in
            [("yubikey-4.3", "12345"), ("yubikey-5.4", "12345"), ("yubikey-5.7", "12345"), ("yubikey-5.7", "111111")]
        {
            // 111111 is a PIN where nobody minds.
            if new == "111111" && settings.is_empty() {
                continue;
            }
            let mut b = bench(profile, settings);
            assert_eq!(b.change("80", "999999", new), "63C2", "{profile}: a wrong old PIN costs a try");
            assert_eq!(left(&b), (2, 3));
            assert_eq!(b.change("80", "123456", new), "6985", "{profile}: the right one does not");
            assert_eq!(left(&b), (2, 3), "and gives none back");
            assert_eq!(b.change("81", "99999999", new), "63C2", "{profile}: so does a wrong PUK");
            assert_eq!(b.change("81", "12345678", new), "6985");
            assert_eq!(left(&b), (2, 2));
            assert_eq!(b.unblock("99999999", new), "63C1", "{profile}: and one in RESET RETRY COUNTER");
            assert_eq!(b.unblock("12345678", new), "6985");
            assert_eq!(left(&b), (2, 1));
            assert_eq!((b.verify("123456"), b.change("81", "12345678", "87654321")), ("9000".into(), "9000".into()), "as before");
        }
    }
}

#[test]
fn a_wrong_old_value_blocks_whatever_the_new_one_is() {
    let mut b = bench("yubikey-5.7", &[("pin-complexity", "on")]);
    for sw in ["63C2", "63C1", "63C0", "6983"] {
        assert_eq!(b.change("80", "999999", "123456"), sw);
    }
    for sw in ["63C2", "63C1", "63C0", "6983"] {
        assert_eq!(b.unblock("99999999", "123456"), sw);
    }
}

#[test]
fn a_nist_card_judges_the_new_value_first() {
    let mut b = bench("nist-piv", &[]);
    assert_eq!(b.change("80", "999999", "12345"), "6A80");
    assert_eq!(b.unblock("99999999", "12345"), "6A80");
    assert_eq!(left(&b), (3, 3), "nothing was compared");
    b.verify("123456");
    assert_eq!(b.change("80", "123456", "12345"), "6A80");
    assert_eq!(b.status(), "9000", "a malformed new PIN leaves the status");
}

#[test]
fn a_gids_card_compares_first_too() {
    let mut b = bench("gids", &[]);
    // A new PIN of 17 bytes is none.
    let change = |old: &str| format!("0024008017{}{}", hex::encode(old), "39".repeat(17));
    assert_eq!(b.sw(&change("999999")), "63C2");
    assert_eq!(b.sw(&change("123456")), "6700");
    assert_eq!(b.status(), "63C2", "and gives none back");
}

#[test]
fn simple_values_are_refused_under_complexity_and_taken_without() {
    let simple = ["111111", "22222222", "333333", "4444444", "abc123", "password", "123123", "12345678", "1q2w3e4r"];
    let mut b = bench("yubikey-5.7", &[("pin-complexity", "on")]);
    for new in simple {
        assert_eq!(b.change("80", "123456", new), "6985", "{new}");
        assert_eq!(b.change("81", "12345678", new), "6985", "{new}");
        assert_eq!(b.unblock("12345678", new), "6985", "{new}");
    }
    assert_eq!(left(&b), (3, 3));
    // What yubikey-manager's device tests use where complexity is on.
    assert_eq!((b.change("80", "123456", "123458"), b.change("81", "12345678", "12345670")), ("9000".into(), "9000".into()));
    let mut b = bench("yubikey-5.7", &[]);
    let mut old = "123456";
    for new in simple {
        assert_eq!(b.change("80", old, new), "9000", "{new}");
        old = new;
    }
}

#[test]
fn read_config_tells_of_complexity_from_5_7_on() {
    let config = |profile: &str, settings: &[(&str, &str)]| {
        let mut b = bench(profile, settings);
        b.sw("00A4040008A000000527471117");
        b.send("001D000000")
    };
    assert!(config("yubikey-5.7", &[("pin-complexity", "on")]).contains("160101"));
    assert!(config("yubikey-5.7", &[]).contains("160100"));
    assert!(!config("yubikey-5.4", &[]).contains("1601"), "no such tag before");
}

#[test]
fn rsa_answers_every_number_below_the_modulus() {
    let mut b = bench("yubikey-5.4", &[]);
    b.admin();
    let (public, sw) = b.generate("9A", "06");
    assert_eq!(sw, "9000");
    let modulus = cardlab_protocol::tlv::find(cardlab_protocol::tlv::only(&public, 0x7F49).unwrap(), 0x81).unwrap().to_vec();
    let number = |last: u8| [&[0; 127][..], &[last]].concat();
    let mut below = modulus.clone();
    *below.last_mut().unwrap() -= 1;
    b.verify("123456");
    for block in [number(0), number(1), below] {
        let (answer, sw) = b.sign("06", "9A", &block);
        assert_eq!((crate::common::result(&answer), sw.as_str()), (&block[..], "9000"), "its own power");
    }
    assert_eq!(b.sign("06", "9A", &modulus).1, "6A80", "out of range");
    assert_eq!(b.sign("06", "9A", &[0xFF; 128]).1, "6A80");
}
