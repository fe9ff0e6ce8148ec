//! VERIFY, CHANGE REFERENCE DATA, RESET RETRY COUNTER: SP 800-73-4 part 2 sections 3.2.1 to 3.2.3.

use crate::common::{self, PROFILES, bench, padded};

#[test]
fn verify_counts_and_restores() {
    for profile in PROFILES {
        let mut b = bench(profile, &[("pin-tries", "3")]);
        assert_eq!(b.status(), "63C3", "{profile}");
        assert_eq!(b.verify("000000"), "63C2");
        assert_eq!((b.status(), b.status()), ("63C2".into(), "63C2".into()), "asking costs nothing");
        assert_eq!(b.verify("123456"), "9000");
        assert_eq!(b.status(), "9000");
        assert_eq!(b.verify("000000"), "63C2");
        assert_eq!(b.status(), "63C2", "a wrong PIN takes the verification away");
        assert_eq!((b.verify("000000"), b.verify("000000")), ("63C1".into(), "63C0".into()));
        assert_eq!(b.verify("123456"), "6983", "nothing is compared at 0");
        let blocked = if profile == "nist-piv" { "63C0" } else { "6983" };
        assert_eq!(b.status(), blocked);
    }
}

#[test]
fn the_empty_verify_is_case_1_or_case_2() {
    let mut b = bench("nist-piv", &[]);
    assert_eq!(b.sw("00200080"), b.sw("0020008000"));
}

#[test]
fn forgetting_a_verification() {
    let mut b = bench("nist-piv", &[]);
    assert_eq!(b.sw("0020FF80"), "9000");
    b.verify("000000");
    assert_eq!(b.sw("0020FF80"), "9000");
    assert_eq!(b.status(), "63C2", "the counter is untouched");
    b.verify("123456");
    assert_eq!(b.sw("0020FF80"), "9000");
    assert_eq!(b.status(), "63C3");
    assert_eq!(b.sw(&format!("0020FF8008{}", padded("123456"))), "6A80");
    assert_eq!(bench("yubikey-4.3", &[]).sw("0020FF80"), "6A86", "firmware before 5.4.3 has no such P1");
}

#[test]
fn malformed_pins_are_refused_by_nist_and_counted_by_yubikeys() {
    for malformed in ["3132333435FFFFFF", "31323334353641FF", "FFFFFFFFFFFFFFFF", "313233343536FF38", "3132333435360000"] {
        let mut b = bench("nist-piv", &[]);
        b.verify("123456");
        assert_eq!(b.sw(&format!("0020008008{malformed}")), "6A80");
        assert_eq!(b.status(), "9000", "status and counter as they were");
        let mut b = bench("yubikey-5.4", &[]);
        assert_eq!(b.sw(&format!("0020008008{malformed}")), "63C2");
    }
    for length in ["07313233343536FF", "09313233343536FFFFFF"] {
        let mut b = bench("yubikey-5.4", &[]);
        assert_eq!(b.sw(&format!("00200080{length}")), "6A80");
        assert_eq!(b.status(), "63C3");
    }
}

#[test]
fn references_that_do_not_exist() {
    let mut b = bench("nist-piv", &[]);
    for reference in ["00", "81", "9B", "01", "FF", "96", "98"] {
        assert_eq!(b.sw(&format!("002000{reference}08{}", padded("123456"))), "6A88", "VERIFY {reference}");
    }
    for reference in ["00", "9B", "82", "98"] {
        assert_eq!(b.change(reference, "123456", "654321"), "6A88", "CHANGE {reference}");
    }
    for reference in ["81", "00", "9B"] {
        assert_eq!(b.sw(&format!("002C00{reference}10{}{}", padded("12345678"), padded("123456"))), "6A88");
    }
    assert_eq!(b.sw("00200180"), "6A86");
    assert_eq!(b.sw("00240180"), "6A86");
    assert_eq!(b.sw("002C0180"), "6A86");
    assert_eq!(b.status(), "63C3");
}

#[test]
fn the_global_pin_has_its_own_counter_and_survives_selection() {
    let mut b = bench("nist-piv", &[("global-pin", "111222"), ("global-pin-tries", "4")]);
    let global = |pin: &str| format!("0020000008{}", padded(pin));
    assert_eq!(b.sw(&global("000000")), "63C3");
    assert_eq!(b.status(), "63C3", "the PIV PIN keeps its own");
    assert_eq!(b.sw(&global("111222")), "9000");
    assert_eq!(b.get("7E").0[18..], [0x60, 0x10]);
    let mut b = bench("yubikey-5.4", &[("global-pin", "111222")]);
    assert_eq!(b.sw(&global("111222")), "9000");
    b.verify("123456");
    assert_eq!(b.sw("00A4040008A000000527471117"), "9000", "another application");
    b.sw(common::SELECT);
    assert_eq!((b.sw("00200000"), b.status()), ("9000".into(), "63C3".into()));
}

#[test]
fn change_sets_value_status_and_counter() {
    for profile in PROFILES {
        let mut b = bench(profile, &[]);
        b.verify("000000");
        assert_eq!(b.change("80", "123456", "654321"), "9000");
        assert_eq!(b.status(), "9000");
        b.sw("00200080");
        b.power_on();
        assert_eq!(b.status(), "63C3");
        assert_eq!((b.verify("123456"), b.verify("654321")), ("63C2".into(), "9000".into()));
    }
}

#[test]
fn a_right_old_value_with_a_bad_new_one_changes_nothing() {
    for (profile, sw) in [("nist-piv", "6A80"), ("yubikey-5.4", "6985")] {
        let mut b = bench(profile, &[]);
        b.verify("000000");
        assert_eq!(b.change("80", "123456", "12345"), sw);
        assert_eq!(b.status(), "63C2", "neither verified nor counted");
        b.verify("123456");
        assert_eq!(b.change("80", "123456", "12345"), sw);
        assert_eq!(b.status(), "9000");
        assert_eq!(b.verify("123456"), "9000");
    }
}

#[test]
fn change_with_a_wrong_old_value_costs_a_try() {
    let mut b = bench("nist-piv", &[]);
    b.verify("123456");
    assert_eq!(b.change("80", "000000", "654321"), "63C2");
    assert_eq!(b.status(), "63C2");
    assert_eq!((b.change("80", "000000", "654321"), b.change("80", "000000", "654321")), ("63C1".into(), "63C0".into()));
    assert_eq!(b.change("80", "123456", "654321"), "6983");
    assert_eq!(b.verify("123456"), "6983", "one counter for both commands");
    for length in ["08", "0F", "11"] {
        let bytes = usize::from_str_radix(length, 16).unwrap();
        assert_eq!(b.sw(&format!("00240081{length}{}", "31".repeat(bytes))), "6A80");
    }
}

#[test]
fn the_puk_may_be_any_eight_bytes_on_nist_and_below_80_on_57() {
    let mut b = bench("nist-piv", &[]);
    let change = |old: &str, new: &str| format!("0024008110{old}{new}");
    assert_eq!(b.sw(&change("3132333435363738", "00FF028304058607")), "9000");
    assert_eq!(b.sw(&change("00FF028304058607", "3132333435363738")), "9000");
    let mut b = bench("yubikey-5.7", &[]);
    assert_eq!(b.sw(&change("3132333435363738", "8132333435363738")), "6985");
    let mut b = bench("yubikey-5.4", &[]);
    assert_eq!(b.change("81", "12345678", "123456"), "9000", "six characters, padded");
    assert_eq!(b.unblock("123456", "654321"), "9000");
}

#[test]
fn unblocking_with_the_puk() {
    for profile in PROFILES {
        let mut b = bench(profile, &[]);
        b.block_pin();
        assert_eq!(b.unblock("00000000", "654321"), "63C2", "PUK tries");
        assert_eq!(b.verify("123456"), "6983");
        assert_eq!(b.unblock("12345678", "654321"), "9000");
        assert_eq!(b.status(), "63C3", "unblocked, not verified");
        assert_eq!(b.verify("654321"), "9000");
        assert_eq!(b.unblock("12345678", "123456"), "9000");
        assert_eq!(b.status(), "9000", "a verified PIN stays verified");
        assert_eq!(b.unblock("00000000", "654321"), "63C2", "the success filled the PUK's counter");
        assert_eq!(b.status(), "63C3", "a wrong PUK takes the verification away");
        assert_eq!((b.unblock("00000000", "654321"), b.unblock("00000000", "654321")), ("63C1".into(), "63C0".into()));
        assert_eq!(b.unblock("12345678", "654321"), "6983");
        assert_eq!(b.verify("123456"), "9000", "the PIN is as it was");
    }
}

#[test]
fn unblocking_to_a_bad_pin_spends_nothing() {
    let mut b = bench("nist-piv", &[]);
    assert_eq!(b.unblock("12345678", "12345"), "6A80");
    assert_eq!(b.unblock("00000000", "12345"), "6A80");
    assert_eq!(b.unblock("00000000", "654321"), "63C2", "the first wrong one that was compared");
    let mut b = bench("yubikey-5.4", &[]);
    assert_eq!(b.unblock("12345678", "12345"), "6985");
    assert_eq!(b.sw(&format!("002C008010{}", "FF".repeat(16))), "63C2", "resetting tools rely on it");
}

#[test]
fn pin_complexity() {
    let mut b = bench("yubikey-5.7", &[("pin-complexity", "on")]);
    assert_eq!(b.change("80", "123456", "111111"), "6985");
    assert_eq!(b.change("80", "123456", "123456"), "6985");
    assert_eq!(b.change("80", "123456", "824657"), "9000");
}

#[test]
fn selection_and_reset() {
    let mut b = bench("nist-piv", &[]);
    b.verify("123456");
    b.sw(common::SELECT);
    assert_eq!(b.status(), "9000", "NIST: selecting PIV again keeps the status");
    assert_eq!(b.sw("00A4040006A00000030901"), "6A82");
    assert_eq!(b.status(), "9000", "an AID that is not there changes nothing");
    b.verify("000000");
    b.card.reset();
    assert_eq!(b.status(), "63C2", "PIV is the default application; the counter is kept");
    let mut b = bench("yubikey-5.4", &[]);
    b.verify("123456");
    b.sw(common::SELECT);
    assert_eq!(b.status(), "63C3", "YubiKey: selecting PIV again forgets");
}

#[test]
fn contactless_without_a_virtual_contact_interface() {
    let mut b = bench("nist-piv", &[("interface", "contactless")]);
    assert_eq!(b.verify("000000"), "6982");
    assert_eq!(b.change("80", "000000", "654321"), "6982");
    assert_eq!(b.unblock("12345678", "654321"), "6A81");
    assert_eq!(b.get("5FC102").1, "9000");
    assert_eq!(b.get("7E").1, "9000");
    assert_eq!(b.get("5FC107").1, "6982");
    assert_eq!(b.put("5FC102", &[1]), "6A81");
    assert_eq!(b.generate("9A", "11").1, "6A81");
    assert_eq!(b.sw("0087 0A 9B 04 7C028100 00"), "6982");
    let mut b = bench("yubikey-5.4", &[("interface", "contactless")]);
    assert_eq!(b.verify("123456"), "9000", "a YubiKey does the same over NFC");
}
