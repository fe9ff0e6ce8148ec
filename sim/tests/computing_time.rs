//! What takes its time is announced before, so that a reader can serve others meanwhile; what does not is not.

use crate::common::{Bench, bench};
use std::time::Duration;

fn takes_time(b: &Bench, command: &str) -> bool {
    b.card.computing_time(&hex::decode(command.replace(' ', "")).unwrap()) > Duration::ZERO
}

#[test]
fn of_piv_and_a_yubikey() {
    for profile in ["nist-piv", "yubikey-5.7"] {
        let mut b = bench(profile, &[]);
        assert!(takes_time(&b, "0047009A 05 AC03800107 00"), "{profile}: GENERATE");
        assert!(!takes_time(&b, "0087079A 00"), "{profile}: an empty slot");
        b.admin();
        assert_eq!(b.generate("9A", "11").1, "9000");
        assert!(takes_time(&b, "0087119A 04 7C020000 00"), "{profile}: a signature");
        assert!(!takes_time(&b, "0087149A 04 7C020000 00"), "{profile}: under another algorithm");
        assert!(!takes_time(&b, "1087119A 04 7C020000"), "{profile}: a block that is not the last");
        assert!(!takes_time(&b, "00200080") && !takes_time(&b, "00CB3FFF 05 5C035FC102 00"), "{profile}: PIN and objects");
        assert!(!takes_time(&b, "8087119A 04 7C020000 00"), "{profile}: a class that is refused");
        b.card.power_off();
        assert!(!takes_time(&b, "0087119A 04 7C020000 00"), "{profile}: no power");
    }
}

#[test]
fn of_what_only_a_yubikey_does() {
    for (profile, moves) in [("yubikey-5.4", false), ("yubikey-5.7", true)] {
        let mut b = bench(profile, &[]);
        assert!(!takes_time(&b, "00F99A0000"), "{profile}: nothing is signed over an empty slot");
        b.admin();
        assert_eq!(b.generate("9A", "11").1, "9000");
        assert_eq!(takes_time(&b, "00F69D9A"), moves, "{profile}: a move");
        assert!(takes_time(&b, "00F7009A00") && takes_time(&b, "00F99A0000"), "{profile}: metadata, attestation");
        assert!(takes_time(&b, "00FE119A 02 0600") && !takes_time(&b, "00FE009A 02 0600"), "{profile}: import");
    }
}

#[test]
fn of_gids() {
    let mut b = bench("gids", &[]);
    assert!(takes_time(&b, "00470000 08 AC06800106830181 00"), "GENERATE");
    assert!(!takes_time(&b, "002A9E9A 01 00 00"), "no environment names a key");
    assert!(!takes_time(&b, "00200080") && !takes_time(&b, "00CBA012 04 5C02DF20 00"), "PIN and objects");
    assert_eq!(b.verify("123456"), "9000");
    crate::gids::create_pair(&mut b, 0x06);
    assert_eq!(b.long("00470000", &[0xAC, 0x06, 0x80, 0x01, 0x06, 0x83, 0x01, 0x81]).1, "9000");
    assert_eq!(b.sw("002241B606800156840181"), "9000");
    assert!(takes_time(&b, "002A9E9A 01 00 00"), "a signature");
    assert!(takes_time(&b, "002A8086 01 00 00"), "or a decryption, with the key that is named");
    assert!(!takes_time(&b, "002A0000 01 00 00"), "an operation that there is not");
    assert!(takes_time(&b, "00CB3FFF 0A 7008840181A5037F4980 00"), "the public key");
    for (kind, takes) in [("02", true), ("03", true), ("01", false)] {
        let import = format!("00DB3FFF 0D 700B 840181 A506 8301{kind} 870100");
        assert_eq!(takes_time(&b, &import), takes, "import of kind {kind}");
        assert_eq!(b.sw("10DB3FFF 06 700B 840181 A5"), "9000");
        assert_eq!(takes_time(&b, &format!("00DB3FFF 07 06 8301{kind} 870100")), takes, "the same in two blocks");
        b.status();
    }
}
