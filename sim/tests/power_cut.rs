//! Power is cut at every tear point of every command that writes PIN, PUK or keys. Afterwards the
//! card holds the old or the new state, never a free try, never a lost secret.

use crate::common::{Bench, MANAGED, PROFILES, bench, padded};
use cardlab_sim::NoAnswer;
use cardlab_sim::reference;

fn left(b: &Bench) -> (u8, u8) {
    (reference::PIN.counter(b.card.nvm()).left, reference::PUK.counter(b.card.nvm()).left)
}

/// Runs `command` on a fresh card with the power cut at each tear point in turn, until it gets
/// through; gives the cards that lost power, powered again.
fn cut_everywhere(profile: &str, prepare: impl Fn(&mut Bench), command: &str) -> Vec<Bench> {
    let bytes = hex::decode(command).unwrap();
    let mut cut = Vec::new();
    for point in 0.. {
        let mut b = bench(profile, &[]);
        prepare(&mut b);
        b.card.nvm_mut().cut_power_at(point);
        match b.card.transmit(&bytes) {
            Err(NoAnswer::PowerLost) => {
                assert!(!b.card.is_powered());
                assert_eq!(b.card.transmit(&bytes), Err(NoAnswer::Unpowered), "silent until powered again");
                b.power_on();
                cut.push(b);
            }
            answer => {
                assert!(b.card.nvm_mut().disarm(), "{answer:?} although the point was reached");
                return cut;
            }
        }
    }
    unreachable!("a command has an end")
}

#[test]
fn wrong_pin() {
    for profile in PROFILES {
        let cards = cut_everywhere(profile, |_| (), &format!("0020008008{}", padded("000000")));
        assert_eq!(cards.len(), 3, "write, before and after the commit of the decrement");
        for (point, b) in cards.iter().enumerate() {
            // Before the commit nothing has been compared, so nothing has been learned.
            assert_eq!(left(b), (if point < 2 { 3 } else { 2 }, 3), "{profile}, tear point {point}");
        }
    }
}

#[test]
fn right_pin_after_one_wrong() {
    let prepare = |b: &mut Bench| assert_eq!(b.verify("000000"), "63C2");
    for mut b in cut_everywhere("nist-piv", prepare, &format!("0020008008{}", padded("123456"))) {
        assert!((1..=3).contains(&left(&b).0));
        assert_eq!(b.status(), format!("63C{}", left(&b).0), "not verified after power-on");
        assert_eq!(b.verify("123456"), "9000", "the PIN is not lost");
    }
}

#[test]
fn the_last_try_is_spent_once() {
    let prepare = |b: &mut Bench| {
        b.verify("000000");
        b.verify("000000");
    };
    let wrong = format!("0020008008{}", padded("000000"));
    for (point, mut b) in cut_everywhere("yubikey-5.4", prepare, &wrong).into_iter().enumerate() {
        let expected = if point < 2 { "9000" } else { "6983" };
        assert_eq!(b.verify("123456"), expected, "tear point {point}");
    }
}

#[test]
fn change_leaves_exactly_one_value() {
    for profile in PROFILES {
        for mut b in cut_everywhere(profile, |_| (), &format!("0024008010{}{}", padded("123456"), padded("654321"))) {
            let verdicts = (b.verify("123456"), b.verify("654321"));
            assert!((verdicts.0 == "9000") != (verdicts.1 == "9000"), "{profile}: exactly one verifies, not {verdicts:?}");
        }
    }
}

#[test]
fn change_puk_leaves_exactly_one_value() {
    for mut b in cut_everywhere("nist-piv", |_| (), &format!("0024008110{}{}", padded("12345678"), padded("87654321"))) {
        let old = b.unblock("12345678", "123456") == "9000";
        let new = b.unblock("87654321", "123456") == "9000";
        assert!(old != new);
    }
}

#[test]
fn unblock_is_all_or_nothing() {
    let right = format!("002C008010{}{}", padded("12345678"), padded("654321"));
    for mut b in cut_everywhere("nist-piv", |b| b.block_pin(), &right) {
        match left(&b) {
            (0, puk) => assert!((2..=3).contains(&puk) && b.verify("654321") == "6983"),
            counters => assert!(counters == (3, 3) && b.verify("654321") == "9000", "{counters:?}"),
        }
        assert_eq!(b.unblock("12345678", "222222"), "9000", "the PUK is not lost");
    }
    let wrong = format!("002C008010{}{}", padded("00000000"), padded("654321"));
    for (point, b) in cut_everywhere("nist-piv", |b| b.block_pin(), &wrong).iter().enumerate() {
        assert_eq!(left(b), (0, if point < 2 { 3 } else { 2 }), "tear point {point}");
    }
}

#[test]
fn set_retries_and_reset_are_all_or_nothing() {
    let prepare = |b: &mut Bench| {
        b.admin();
        b.verify("123456");
        b.change("80", "123456", "654321");
    };
    for mut b in cut_everywhere("yubikey-5.4", prepare, "00FA0504") {
        match left(&b) {
            (3, 3) => assert_eq!(b.verify("654321"), "9000"),
            (5, 4) => assert_eq!(b.verify("123456"), "9000"),
            other => panic!("half a change: {other:?}"),
        }
    }
    let prepare = |b: &mut Bench| {
        b.admin();
        assert_eq!(b.generate("9A", "11").1, "9000");
        b.block_pin();
        b.block_puk();
    };
    for mut b in cut_everywhere("yubikey-5.4", prepare, "00FB0000") {
        let key = b.sw("00F7009A00");
        match left(&b) {
            (0, 0) => assert_eq!(key, "9000", "nothing was wiped"),
            (3, 3) => assert_eq!((key, b.verify("123456")), ("6A88".into(), "9000".into())),
            other => panic!("half a reset: {other:?}"),
        }
    }
}

#[test]
fn unblock_by_the_administration_key_is_all_or_nothing() {
    for profile in MANAGED {
        let prepare = |b: &mut Bench| {
            b.block_pin();
            b.admin();
        };
        let command = format!("002C0280{}", bench(profile, &[]).pin("654321"));
        let cards = cut_everywhere(profile, prepare, &command);
        assert_eq!(cards.len(), 4, "two writes, before and after the commit");
        for (point, mut b) in cards.into_iter().enumerate() {
            if point < 3 {
                assert_eq!((left(&b).0, b.verify("654321").as_str()), (0, "6983"), "{profile}, tear point {point}");
            } else {
                assert_eq!(b.verify("654321"), "9000", "{profile}, tear point {point}");
            }
            assert_eq!(b.unblock_by_admin("111111"), "6982", "the authentication went with the power");
        }
    }
}

#[test]
fn a_wrong_response_is_never_free() {
    for profile in MANAGED {
        for point in 0..4 {
            let mut b = bench(profile, &[]);
            let wrong = vec![0; b.challenge().len()];
            b.card.nvm_mut().cut_power_at(point);
            let template = [&[0x7C, 10, 0x82, 8][..], &wrong].concat();
            let p = if b.is_gids() { [0x00, 0x00] } else { [0x03, 0x9B] };
            let command = [&[0x00, 0x87, p[0], p[1], 12][..], &template].concat();
            let lost = b.card.transmit(&command).is_err();
            b.card.nvm_mut().disarm();
            let left = reference::ADMINISTRATION.counter(b.card.nvm()).left;
            assert_eq!((lost, left), (point < 3, if point < 2 { 5 } else { 4 }), "{profile}, tear point {point}");
        }
    }
}

#[test]
fn a_new_administration_key_is_whole_or_not_there() {
    let key = "A0".repeat(24);
    let prepare = |b: &mut Bench| b.admin();
    let command = format!("00DB3FFF21701F840180A51A8718{key}");
    let cards = cut_everywhere("gids", prepare, &command);
    assert_eq!(cards.len(), 4);
    for (point, b) in cards.iter().enumerate() {
        let stored = cardlab_sim::admin_key::load(b.card.nvm()).unwrap().0;
        assert_eq!(stored.as_bytes() == [0xA0; 24], point == 3, "tear point {point}");
    }
}

#[test]
fn an_object_is_old_or_new() {
    let prepare = |b: &mut Bench| {
        b.admin();
        assert_eq!(b.put("5FC105", b"old value, which is longer"), "9000");
    };
    for mut b in cut_everywhere("yubikey-5.4", prepare, "00DB3FFF0A5C035FC1055303 6E6577".replace(' ', "").as_str()) {
        let value = b.get("5FC105").0;
        assert!(value.ends_with(b"old value, which is longer") || value.ends_with(b"new"));
    }
}
