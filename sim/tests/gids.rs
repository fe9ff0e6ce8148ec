//! The GIDS card edge, command by command.

use crate::common::{Bench, GIDS_KEY, SELECT_GIDS, bench, padded};
use cardlab_protocol::admin_key::{AdminKey, Cipher};
use cardlab_protocol::tlv;
use cardlab_sim::admin_key;
use cardlab_sim::gids::files;
use cardlab_sim::keys;

const PAIR: &str = "620082011883 02B0818C058F10101000A537";

/// A key file for every use of key 81 with this algorithm.
pub(crate) fn create_pair(b: &mut Bench, algorithm: u8) {
    let mut usages = Vec::new();
    for (tag, high) in [(0xB8, 0x00), (0xB8, 0x80), (0xB8, 0x40), (0xB6, 0x10), (0xB6, 0x50)] {
        let body = [[0x80, 0x01, high | algorithm], [0x83, 0x01, 0x81], [0x95, 0x01, 0x40]].concat();
        usages.extend(tlv::encode(tag, &body));
    }
    let header = hex::decode(PAIR[4..].replace(' ', "")).unwrap();
    let body = [&header[..header.len() - 2], &tlv::encode(0xA5, &usages)].concat();
    assert_eq!(b.long("00E00000", &tlv::encode(0x62, &body)).1, "9000");
    assert_eq!(b.sw("00440000"), "9000");
}

fn verified(profile: &str) -> Bench {
    let mut b = bench(profile, &[]);
    assert_eq!(b.verify("123456"), "9000");
    b
}

#[test]
fn selection_tells_what_p2_asks_for() {
    let mut b = bench("gids", &[]);
    assert_eq!(b.send(SELECT_GIDS), "61124F0BA000000397425446590201 7303 4001C09000".replace(' ', ""));
    assert_eq!(b.send("00A4040009A0000003974254465900"), b.send(SELECT_GIDS), "the first nine bytes count");
    assert_eq!(b.send("00A404040BA00000039742544659010100"), "62088201388C030330309000");
    assert_eq!(b.send("00A404080BA00000039742544659020100"), "64095F2F01607F650280009000");
    assert_eq!(b.send("00A4040C0BA00000039742544659020100"), "9000");
    assert_eq!(b.sw("00A404020BA00000039742544659020100"), "6A86");
    assert_eq!(b.sw("00A4040008A00000039742544600"), "6A82");
    assert_eq!(b.sw("00A404000BA0000003974349445F010000"), "6A82", "no plug-and-play applet");
    assert_eq!(b.sw("00200080"), "63C3", "still selected");
    assert_eq!(b.send("00A4000402A01200"), "620C8201398302A0128C030320009000");
    assert_eq!(b.sw("00A4000402A09900"), "6A82");
    assert_eq!(b.send("00CB2F01025C0000"), "4301F447030801804607636172646C61629000");
    let mut v1 = bench("gids-blank", &[]);
    assert_eq!(v1.sw("00CBA00004 5C02DF1F00".replace(' ', "").as_str()), "6A82", "no file yet");
}

#[test]
fn an_initialised_card_has_its_file_system() {
    let mut b = bench("gids", &[("card-id", "00112233445566778899AABBCCDDEEFF")]);
    assert_eq!(b.send("00CBA012045C02DF2000"), "DF201000112233445566778899AABBCCDDEEFF9000");
    assert_eq!(b.send("00CBA010045C02DF2100"), "DF21086D736370000000009000");
    assert_eq!(b.send("00CBA010045C02DF2300"), "DF23009000", "an empty container map is there");
    let (master, sw) = b.long("00CBA000", &[0x5C, 0x02, 0xDF, 0x1F]);
    assert_eq!(sw, "9000");
    let records = tlv::only(&master, 0xDF1F).unwrap();
    assert_eq!((records[0], records.len()), (1, 1 + 5 * 28));
    assert_eq!(records[29..57], *b"\0\0\0\0\0\0\0\0\0cardid\0\0\0\0\0\x20\xDF\0\0\x12\xA0\0\0");
}

#[test]
fn the_pin_is_not_padded() {
    let mut b = bench("gids", &[]);
    assert_eq!(b.sw("00200080"), "63C3");
    assert_eq!(b.send("00CB3FFF045C027F7100"), "7F71069701039301039000");
    assert_eq!(b.sw("0020008003313233"), "63C3", "a wrong length costs nothing");
    assert_eq!(b.sw(&format!("0020008008{}", padded("123456"))), "63C2", "padding is part of the value");
    assert_eq!(b.send("00CB3FFF045C027F7200"), "7F71069701029301039000".replace("7F71", "7F72"));
    assert_eq!(b.sw("0020000006313233343536"), "9000", "reference 00 is the same PIN");
    assert_eq!(b.sw("00200080"), "9000");
    assert_eq!(b.sw("00200082"), "9000");
    assert_eq!(b.sw("00200080"), "63C3", "forgotten");
    assert_eq!(b.sw("0020008106313233343536"), "6A88");
    assert_eq!(b.sw("002400800A31323334353631323334"), "9000", "old and new, nothing between");
    assert_eq!(b.verify("1234"), "9000");
    assert_eq!(b.sw("00240080083132333531323334"), "63C2", "wrong old value");
    assert_eq!(b.sw("00200080"), "63C2", "and no longer verified");
    assert_eq!(b.sw("002400800831323334313233"), "6700", "the APDU's length is wrong");
    assert_eq!(b.sw("00240080073132333431 3233".replace(' ', "").as_str()), "63C2", "too short for two PINs: no try");
    assert_eq!(b.sw("00240180083837363534333231"), "6982", "a new PIN alone needs the old one verified");
    assert_eq!(b.verify("1234"), "9000");
    assert_eq!(b.sw("00240180083837363534333231"), "9000");
    assert_eq!(b.sw("0024018003383736"), "6700");
    assert_eq!(b.sw("00200080083837363534333231"), "9000");
}

#[test]
fn three_wrong_pins_block_it_and_the_key_opens_it() {
    for (settings, length) in [
        (&[][..], 8),
        (&[("admin-algorithm", "aes128"), ("admin-key", "000102030405060708090A0B0C0D0E0F")], 16),
        (&[("admin-algorithm", "aes256"), ("admin-key", "000102030405060708090A0B0C0D0E0F000102030405060708090A0B0C0D0E0F")], 16),
    ] {
        for profile in ["gids", "piv-admin"] {
            let mut b = bench(profile, settings);
            b.block_pin();
            assert_eq!(b.verify("123456"), "6983");
            assert_eq!(b.unblock_by_admin("654321"), "6982", "not without the key");
            let challenge = b.challenge();
            assert_eq!(challenge.len(), length);
            let response = b.response(&challenge);
            assert_eq!(b.respond(&response), "9000");
            assert_eq!(b.unblock_by_admin("12"), if b.is_gids() { "6700" } else { "6A80" }, "a bad PIN changes nothing");
            assert_eq!(b.unblock_by_admin("654321"), "9000");
            assert_eq!(b.unblock_by_admin("111111"), "6982", "the unblock ends the authentication");
            assert_eq!(b.status(), "63C3", "and verifies nothing");
            assert_eq!(b.verify("654321"), "9000");
        }
    }
}

#[test]
fn a_challenge_serves_once() {
    for profile in ["gids", "piv-admin"] {
        let gone = if profile == "gids" { "6985" } else { "6982" };
        let left = |b: &mut Bench| b.send("00CB3FFF045C027F7300")[10..12].to_owned();
        let mut b = bench(profile, &[]);
        let first = b.challenge();
        let first = b.response(&first);
        let second = b.challenge();
        assert_eq!(b.respond(&first), "63C4", "{profile}: the next challenge replaced it");
        let second = b.response(&second);
        assert_eq!(b.respond(&second), gone, "{profile}: a wrong response ended it");
        assert_eq!(left(&mut b), "04", "{profile}: with nothing pending nothing is compared");
        let third = b.challenge();
        let third = b.response(&third);
        assert_eq!(b.respond(&third), "9000");
        assert_eq!(left(&mut b), "05", "{profile}: the right response gives the tries back");
        assert_eq!(b.respond(&third), gone, "{profile}: replayed");
        for end in [0, 1, 2, 3] {
            let challenge = b.challenge();
            let response = b.response(&challenge);
            match end {
                0 => b.power_on(),
                1 => {
                    b.card.reset();
                    b.select();
                }
                2 => assert_eq!(b.respond(&response[1..]), if b.is_gids() { "6984" } else { "6A80" }),
                _ => assert_eq!(b.select(), "9000"),
            }
            assert_eq!(b.respond(&response), gone, "{profile}: way {end}");
        }
        // Another card's random numbers are its own; here one challenge was drawn more.
        let mut other = bench(profile, &[]);
        let for_another = other.challenge();
        let for_another = other.response(&for_another);
        b.challenge();
        assert_eq!(b.respond(&for_another), "63C4", "{profile}: another card's");
    }
}

#[test]
fn wrong_responses_cost_the_card() {
    for profile in ["gids", "piv-admin"] {
        let mut b = bench(profile, &[("admin-tries", "2")]);
        b.block_pin();
        for left in ["63C1", "63C0"] {
            let challenge = b.challenge();
            assert_eq!(b.respond(&vec![0; challenge.len()]), left);
        }
        assert_eq!(b.try_challenge().1, "6983", "lost for unblocking");
        assert_eq!(b.respond(&[0; 8]), if b.is_gids() { "6985" } else { "6983" });
        assert_eq!(b.send("00CB3FFF045C027F7300"), "7F73069701009301029000");
        let mut b = bench(profile, &[("admin-tries", "none")]);
        for _ in 0..20 {
            let challenge = b.challenge();
            assert_eq!(b.respond(&vec![0; challenge.len()]), "6982");
        }
        assert_eq!(b.sw("00CB3FFF045C027F7300"), "6A88", "nothing is counted");
        b.admin();
    }
}

#[test]
fn mutual_authentication() {
    for (settings, cipher, key) in [
        (&[][..], Cipher::Tdes, GIDS_KEY),
        (
            &[("admin-algorithm", "aes192"), ("admin-key", "000102030405060708090A0B0C0D0E0F1011121314151617")],
            Cipher::Aes192,
            "000102030405060708090A0B0C0D0E0F1011121314151617",
        ),
    ] {
        let key = AdminKey::new(cipher, &hex::decode(key).unwrap()).unwrap();
        let block = cipher.block_len();
        let cbc = |plain: &[u8]| {
            let mut last = vec![0; block];
            let mut out = Vec::new();
            for part in plain.chunks(block) {
                let mixed: Vec<u8> = part.iter().zip(&last).map(|(a, b)| a ^ b).collect();
                last = key.encrypt(&mixed).unwrap();
                out.extend(&last);
            }
            out
        };
        let mut b = bench("gids", settings);
        for right in [false, true] {
            assert_eq!(b.sw("0022C1A403830180"), "9000");
            let r1 = [0x11; 16];
            let (data, sw) = b.long("00870000", &tlv::encode(0x7C, &tlv::encode(0x81, &r1)));
            assert_eq!(sw, "9000");
            let r2 = tlv::find(tlv::only(&data, 0x7C).unwrap(), 0x81).unwrap().to_vec();
            let mut z1 = vec![0x33; block];
            z1[block - 1] = if right { 0x80 } else { 0x81 };
            let answer = cbc(&[&r2[..], &r1, &z1].concat());
            let (data, sw) = b.long("00870000", &tlv::encode(0x7C, &tlv::encode(0x82, &answer)));
            assert_eq!(sw, if right { "9000" } else { "63C4" });
            if right {
                let reply = tlv::find(tlv::only(&data, 0x7C).unwrap(), 0x82).unwrap();
                assert_eq!((reply.len(), &reply[..32]), (answer.len(), &cbc(&[&r1[..], &r2].concat())[..]));
                assert_eq!(b.unblock_by_admin("654321"), "9000");
            }
        }
    }
}

#[test]
fn authentication_wants_its_key_named_and_its_template_whole() {
    let mut b = bench("gids", &[]);
    assert_eq!(b.sw("00870000047C028100 00".replace(' ', "").as_str()), "6985", "no MSE");
    assert_eq!(b.sw("0022C1A403830181"), "6984", "no such key");
    assert_eq!(b.sw("0022F3A4"), "6A81");
    assert_eq!(b.sw("0022C1A403830180"), "9000");
    for bad in ["0087000000", "00870000017C", "00870000027C00", "00870000027C0100", "00870000047C027900", "00870000047C028200"] {
        let sw = b.sw(bad);
        assert!(sw == "6984" || sw == "6700", "{bad}: {sw}");
    }
    assert_eq!(b.sw("00870100047C028100"), "6A86");
    assert_eq!(b.sw("002C0081 0431313131".replace(' ', "").as_str()), "6A86");
    assert_eq!(b.sw("002C02810431313131"), "6A88");
}

#[test]
fn a_blank_card_is_open_until_it_is_activated() {
    let mut b = bench("gids-blank", &[]);
    assert_eq!(b.sw("00200080"), "9000", "nothing to verify yet");
    assert_eq!(b.verify("123456"), "63C2", "no PIN is no free PIN");
    assert_eq!(b.sw("00240180 0431323334".replace(' ', "").as_str()), "9000");
    assert_eq!(b.sw("0020008004 31323334".replace(' ', "").as_str()), "9000");
    assert_eq!(b.sw("00870000047C028100"), "6986");
    assert_eq!(b.sw("002C02800431323334"), "6986");
    assert_eq!(b.sw("00E000000E620C8201398302A0128C03032000"), "9000");
    assert_eq!(b.sw("00CBA012045C02DF2000"), "6985", "a file is made to be activated");
    assert_eq!(b.sw("00440000"), "9000");
    assert_eq!(b.sw("00DBA01205DF2002ABCD"), "9000");
    assert_eq!(b.send("00CBA012045C02DF2000"), "DF2002ABCD9000");
    assert_eq!(b.sw("00A4000C023FFF"), "9000");
    assert_eq!(b.sw("00440000"), "9000", "the application is operational");
    assert_eq!(b.sw("00200080"), "63C3", "and asks for its PIN");
    assert_eq!(b.sw("00DBA01205DF2002ABCE"), "6982", "an administrator's file");
    assert_eq!(b.sw("00E60000"), "6982");
    assert_eq!(b.sw("00E000000E620C8201398302A0158C03032000"), "6982");
}

#[test]
fn a_file_has_a_name_of_its_own_and_a_key_file_that_of_its_key() {
    let mut b = verified("gids");
    let mut create = |descriptor: u8, id: u16, rest: &[u8]| {
        let named = [tlv::encode(0x82, &[descriptor, 0x01]), tlv::encode(0x83, &id.to_be_bytes())].concat();
        b.long("00E00000", &tlv::encode(0x62, &[&named, rest].concat())).1
    };
    let rules = tlv::encode(0x8C, &[0x03, 0x00, 0x00]);
    for id in [0x3FFF, 0x3F00, 0x0000, 0xFFFF] {
        assert_eq!(create(0x39, id, &rules), "6984", "{id:04X}");
    }
    assert_eq!(create(0x39, 0xA099, &tlv::encode(0x8C, &[0x03, 0x00])), "6984", "a condition is missing");
    assert_eq!(create(0x39, 0xA099, &rules), "9000");
    let usage = tlv::encode(0xB6, &[0x80, 0x01, 0x16, 0x83, 0x01, 0x82]);
    let pair = [rules, tlv::encode(0xA5, &usage)].concat();
    assert_eq!((create(0x18, 0xB07F, &pair), create(0x18, 0xA082, &pair)), ("6984".into(), "6984".into()), "B0 and a reference");
    assert_eq!(create(0x18, 0xB09B, &pair), "6984", "where the card keeps its administrator key");
    assert_eq!(create(0x18, 0xB082, &pair), "9000");
}

#[test]
fn data_objects_come_and_go() {
    let mut b = verified("gids");
    assert_eq!(b.sw("00DBA01005DF2402ABCD"), "9000");
    assert_eq!(b.send("00CBA010045C02DF2400"), "DF2402ABCD9000");
    assert_eq!(b.sw("00DBA01003DF2400"), "9000");
    assert_eq!(b.send("00CBA010045C02DF2400"), "DF24009000", "emptied");
    assert_eq!(b.sw("00DBA01003DF2400"), "9000");
    assert_eq!(b.sw("00CBA010045C02DF2400"), "6A88", "gone");
    let long = vec![0x5A; 5000];
    assert_eq!(b.long("00DBA010", &tlv::encode(0xDF25, &long)).1, "9000");
    assert_eq!(b.long("00CBA010", &[0x5C, 0x02, 0xDF, 0x25]).0, tlv::encode(0xDF25, &long));
    let (all, _) = b.long("00CBA010", &[0x5C, 0x00]);
    assert!(all.len() > 5000 && all.starts_with(&[0xDF, 0x21]));
    assert_eq!(b.sw("00DBA01003DF2402"), "6984", "not an object");
    assert_eq!(b.sw("00DBB080 03DF2400".replace(' ', "").as_str()), "6981", "a key file");
    assert_eq!(b.sw("00CBFFFF045C02DF2400"), "6A86");
    // GET DATA selects the file it reads.
    assert_eq!(b.sw("00CBA012045C02DF2000"), "9000");
    assert_eq!(b.sw("00CB0000045C02DF2000"), "9000");
    assert_eq!(b.sw("00200082"), "9000");
    assert_eq!(b.sw("00DBA01005DF2402ABCD"), "6982", "user or administrator");
    assert_eq!(b.sw("00CBA013045C02DF2000"), "6982");
    assert_eq!(b.sw("00CBA011045C02DF2000"), "6982", "never");
}

#[test]
fn memory_has_an_end() {
    let mut b = verified("gids");
    let block = vec![0x77; 30_000];
    let answers: Vec<String> = (0..6u32).map(|n| b.long("00DBA010", &tlv::encode(0xDF30 + n, &block)).1).collect();
    assert_eq!(answers, ["9000", "9000", "9000", "9000", "6A84", "6A84"]);
    assert_eq!(b.long("00DBA010", &tlv::encode(0xDF30, &block)).1, "9000", "what is there can be replaced");
    let profile = b.card.profile().clone();
    assert!(files::free(b.card.nvm(), &profile) < 30_000);
}

/// A block for RSA-1024 (RFC 8017): kind 1 of a signature (section 9.2), 2 of what is encrypted (section 7.2.1).
fn block(kind: u8, data: &[u8]) -> Vec<u8> {
    let mut block = vec![0, kind];
    block.resize(127 - data.len(), 0xFF);
    [&block[..], &[0], data].concat()
}

/// The public operation with RSA-1024.
fn raised(key: &rsa::PublicKey, number: &[u8]) -> Vec<u8> {
    rsa::hazmat::rsa_encrypt(key, &rsa::BoxedUint::from_be_slice(number, 1024).unwrap()).unwrap().to_be_bytes().to_vec()
}

#[test]
fn rsa_keys_sign_and_decipher() {
    use rsa::traits::PublicKeyParts;
    let mut b = verified("gids");
    create_pair(&mut b, 0x06);
    let (public, sw) = b.long("00470000", &[0xAC, 0x06, 0x80, 0x01, 0x06, 0x83, 0x01, 0x81]);
    assert_eq!(sw, "9000");
    let parts = tlv::only(&public, 0x7F49).unwrap();
    let number = |tag| rsa::BoxedUint::from_be_slice_vartime(tlv::find(parts, tag).unwrap());
    let key = rsa::PublicKey::new(number(0x81), number(0x82)).unwrap();
    // OpenSC's form of the question has no length behind its last tag.
    assert_eq!(b.long("00CB3FFF", &hex::decode("7008840181A5037F4980").unwrap()).0, public);
    assert_eq!(b.long("00CB3FFF", &hex::decode("7009840181A5047F498000").unwrap()).0, public);

    assert_eq!(b.sw("002241B606800116840181"), "9000");
    let (signature, _) = b.long("002A9E9A", &[&[0x00, 0x01][..], &[0xFF; 114], &[0x00], b"digest info"].concat());
    assert_eq!(raised(&key, &signature), block(1, b"digest info"));
    assert_eq!(b.long("002A9E9A", b"digest info").1, "6700", "a block of its own has the modulus' length");

    assert_eq!(b.sw("002241B606800156840181"), "9000");
    let (signature, sw) = b.long("002A9E9A", b"digest info");
    assert_eq!((signature.len(), sw.as_str()), (128, "9000"));
    assert_eq!(raised(&key, &signature), block(1, b"digest info"));
    assert_eq!(b.long("002A9E9A", &[1; 120]).1, "6700", "no room for padding");
    assert_eq!(b.long("002A8086", &[0; 128]).1, "6985", "the environment is for signatures");

    let mut rng = <rand_chacha::ChaCha20Rng as rand_core::SeedableRng>::seed_from_u64(5);
    assert_eq!(b.sw("002241B806800106840181"), "9000");
    let one = [&[0; 127][..], &[1]].concat();
    assert_eq!(b.long("002A8086", &one), (one, "9000".into()), "a cryptogram that begins with 00 is no padding indicator");
    assert_eq!(b.sw("002241B806800146840181"), "9000");
    let cryptogram = raised(&key, &block(2, b"secret"));
    assert_eq!(b.long("002A8086", &cryptogram), (b"secret".to_vec(), "9000".into()));
    assert_eq!(b.long("002A8086", &[&[0][..], &cryptogram].concat()).0, b"secret", "with a padding indicator");
    assert_eq!(b.long("002A8086", &[7; 128]).1, "6A80");
    assert_eq!(b.sw("002241B806800186840181"), "9000");
    let cryptogram = key.encrypt(&mut rng, rsa::Oaep::<sha1::Sha1>::new(), b"hidden").unwrap();
    assert_eq!(b.long("002A8086", &cryptogram).0, b"hidden");
    assert_eq!(key.size(), 128);

    assert_eq!(b.sw("00200082"), "9000");
    assert_eq!(b.long("002A8086", &cryptogram).1, "6985", "the environment went with the PIN");
    assert_eq!(b.sw("002241B806800186840181"), "6982");
    assert_eq!(b.sw("002241B806800196840181"), "6984", "no such algorithm");
}

#[test]
fn elliptic_curve_keys_sign_and_agree() {
    use cardlab_sim::crypto::ec::Curve;
    use cardlab_sim::random::Random;
    for (algorithm, curve) in [(0x0C, Curve::P256), (0x0D, Curve::P384), (0x0E, Curve::P521)] {
        let mut b = verified("gids");
        create_pair(&mut b, algorithm);
        let (public, sw) = b.long("00470000", &[0xAC, 0x06, 0x80, 0x01, algorithm, 0x83, 0x01, 0x81]);
        assert_eq!(sw, "9000");
        let point = tlv::find(tlv::only(&public, 0x7F49).unwrap(), 0x86).unwrap().to_vec();
        assert_eq!(b.sw(&format!("002241B60680 01{:02X}840181", 0x10 | algorithm).replace(' ', "")), "9000");
        let (signature, _) = b.long("002A9E9A", &[0x42; 32]);
        assert_eq!(signature.len(), 2 * curve.size());
        if curve == Curve::P256 {
            use p256::ecdsa::signature::hazmat::PrehashVerifier;
            let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(&point).unwrap();
            key.verify_prehash(&[0x42; 32], &p256::ecdsa::Signature::from_slice(&signature).unwrap()).unwrap();
        }
        if curve == Curve::P521 {
            use p521::ecdsa::signature::hazmat::PrehashVerifier;
            let key = p521::ecdsa::VerifyingKey::from_sec1_bytes(&point).unwrap();
            let digest = curve.integer(&[0x42; 32]).unwrap();
            key.verify_prehash(&digest, &p521::ecdsa::Signature::from_slice(&signature).unwrap()).unwrap();
        }
        assert_eq!(b.sw(&format!("002241B8068001{algorithm:02X}840181")), "9000");
        let mine = curve.generate(&mut Random::from_number(8, 0));
        let (shared, sw) = b.long("002A8086", &curve.public(&mine).unwrap());
        assert_eq!((shared, sw.as_str()), (curve.agree(&mine, &point).unwrap().to_vec(), "9000"));
    }
}

#[test]
fn a_key_can_be_loaded_and_deleted() {
    use rsa::pkcs1::EncodeRsaPrivateKey;
    let mut b = verified("gids");
    create_pair(&mut b, 0x06);
    let mut rng = <rand_chacha::ChaCha20Rng as rand_core::SeedableRng>::seed_from_u64(6);
    let key = rsa::PrivateKey::new(&mut rng, 1024).unwrap();
    let der = key.to_pkcs1_der().unwrap();
    let body = [tlv::encode(0x83, &[2]), tlv::encode(0x84, &[0]), tlv::encode(0x87, der.as_bytes())].concat();
    let template = tlv::encode(0x70, &[tlv::encode(0x84, &[0x81]), tlv::encode(0xA5, &body)].concat());
    assert_eq!(b.long("00DB3FFF", &template).1, "9000");
    assert_eq!(b.sw("002241B606800156840181"), "9000");
    let (signature, _) = b.long("002A9E9A", b"x");
    assert_eq!(raised(&rsa::PublicKey::from(&key), &signature), block(1, b"x"));
    assert_eq!(b.sw("00A4000C02B081"), "9000");
    assert!(keys::info(b.card.nvm(), 0x81).is_some());
    assert_eq!(b.sw("00E40000"), "9000");
    assert!(keys::info(b.card.nvm(), 0x81).is_none(), "the key goes with its file");
    assert_eq!(b.long("002A9E9A", b"x").1, "6985", "the key is gone, prepared or not");
    assert_eq!(b.long("00CB3FFF", &hex::decode("7008840181A5037F4980").unwrap()).1, "6984");
    let half = tlv::encode(0x70, &[tlv::encode(0x84, &[0x81]), tlv::encode(0xA5, &body[..40])].concat());
    assert_eq!(b.long("00DB3FFF", &half).1, "6984");
}

#[test]
fn the_administration_key_protects_itself() {
    let mut b = verified("gids");
    let put = format!("00DB3FFF21701F840180A51A8718{}", "A0".repeat(24));
    assert_eq!(b.sw(&put), "6982", "the PIN is not enough");
    b.admin();
    assert_eq!(b.sw(&put), "9000");
    let challenge = b.challenge();
    let old = b.response(&challenge);
    assert_eq!(b.respond(&old), "63C4", "the old key is no longer good");
    assert_eq!(b.long("00470000", &[0xAC, 0x06, 0x80, 0x01, 0x06, 0x83, 0x01, 0x80]).1, "6982", "nobody may generate over it");
    assert_eq!(b.long("00CB3FFF", &hex::decode("7008840180A5037F4980").unwrap()).1, "6982", "never read");
    let short = "00DB3FFF11700F840180A50A8708A0A0A0A0A0A0A0A0";
    let sw = b.sw(short);
    assert!(sw == "6984" || sw == "6982", "{sw}");
}

#[test]
fn the_administration_key_goes_with_its_file() {
    let mut b = bench("gids", &[]);
    b.admin();
    assert_eq!(b.sw("00A4000C02B080"), "9000");
    assert!(admin_key::load(b.card.nvm()).is_some());
    assert_eq!(b.sw("00E40000"), "9000");
    assert!(admin_key::load(b.card.nvm()).is_none());
}

#[test]
fn a_terminated_card_does_nothing() {
    let mut b = bench("gids", &[]);
    b.admin();
    assert_eq!(b.sw("00E60000"), "9000");
    assert_eq!(b.sw("00200080"), "6285");
    assert_eq!(b.sw("00CBA012045C02DF2000"), "6285");
    b.card.power_on();
    assert_eq!(b.sw(SELECT_GIDS), "6285");
    assert_eq!(b.sw("002000800631323334 3536".replace(' ', "").as_str()), "6285");
}

#[test]
fn a_symmetric_key_goes_into_a_file_made_for_one_and_opens_nothing() {
    let mut b = bench("gids-blank", &[]);
    // The public applet's test of key import, for key 82 in the place of 80.
    assert_eq!(b.sw("00E000001C621A8201188302B0828C04870000FFA50BA4098001028301829501C0"), "9000");
    assert_eq!(b.sw("00440000"), "9000");
    let put = |key: &str, length: u8, kind: &str| {
        let body = format!("{kind}87{length:02X}{key}8803B073DC");
        let body = format!("840182A5{:02X}{body}", body.len() / 2);
        let body = format!("70{:02X}{body}", body.len() / 2);
        format!("00DB3FFF{:02X}{body}", body.len() / 2)
    };
    assert_eq!(b.sw(&put(&GIDS_KEY.replace("00", "5A"), 24, "")), "9000", "3DES");
    assert_eq!(b.sw(&put(&"5A".repeat(16), 16, "830101")), "9000", "AES-128, its kind said");
    assert_eq!(b.sw(&put(&"5A".repeat(32), 32, "")), "9000", "AES-256");
    assert_eq!(b.sw(&put(&"5A".repeat(23), 23, "")), "6984", "no key has 23 bytes");
    assert_eq!(b.sw(&put(&"5A".repeat(24), 24, "830104")), "6984", "no such kind");
    assert!(keys::info(b.card.nvm(), 0x82).is_none(), "no key pair");
    assert!(admin_key::load(b.card.nvm()).is_none(), "nor the administrator key");
    // It is chosen like any key, and authenticates nobody: its tries are not counted.
    assert_eq!(b.sw("0022C1A403830182"), "9000");
    assert_ne!(b.sw("00870000047C02810000"), "9000");
    // A file of key pairs takes none.
    let mut b = bench("gids-blank", &[]);
    create_pair(&mut b, 0x07);
    assert_eq!(b.sw(&put(&"5A".repeat(24), 24, "").replacen("840182", "840181", 1)), "6984");
}

#[test]
fn a_file_without_rules_is_open_or_closed() {
    for (setting, sw) in [("on", "9000"), ("off", "6982")] {
        let mut b = bench("gids-blank", &[("open-files", setting)]);
        assert_eq!(b.sw("00E000000962078201398302A020"), "9000");
        assert_eq!(b.sw("00440000"), "9000");
        // The PIN, then the application: its creation state is over, and with it what lets everybody do anything.
        assert_eq!(b.sw(&format!("00240180{}", b.pin("123456"))), "9000");
        assert_eq!(b.select(), "9000");
        assert_eq!(b.sw("00440000"), "9000");
        assert_eq!(b.sw("00DBA02004DF2001AA"), sw, "open-files={setting}: PUT DATA");
        assert_eq!(b.sw("00CBA020045C02DF2000"), sw, "open-files={setting}: GET DATA");
        assert_eq!(b.verify("123456"), "9000");
        assert_eq!(b.sw("00DBA02004DF2001AA"), sw, "open-files={setting}: nor does the PIN matter");
        // Deleting it is the application's to allow.
        b.sw("00200082");
        assert_eq!((b.sw("00A4000402A02000"), b.sw("00E40000")), ("9000".into(), "6982".into()));
    }
    let mut b = bench("gids", &[]);
    assert_eq!(b.sw("00DBA01204DF2001AA"), "6982", "a file with rules keeps them");
}

#[test]
fn the_product_name_of_ef_atr_can_be_set() {
    let mut b = bench("gids", &[("product", "Acme Card")]);
    assert_eq!(
        b.send("00CB2F01025C0000"),
        format!("4301F4470308018046 09{}9000", hex::encode_upper("Acme Card")).replace(' ', "")
    );
}

/// PUT DATA of 7F71, on both edges that have it.
#[test]
fn the_administrator_key_sets_how_many_wrong_pins_block() {
    for (profile, most) in [("gids", 15), ("piv-admin", 10)] {
        let mut b = bench(profile, &[]);
        let limit = |n: u8| format!("00DB3FFF067F710393 01{n:02X}").replace(' ', "");
        let status = |b: &mut Bench| b.send("00CB3FFF045C027F7100");
        let says = |left: u8, of: u8| format!("7F71069701{left:02X}9301{of:02X}9000");
        assert_eq!(b.sw(&limit(5)), "6982", "{profile}: without a key");
        assert_eq!(b.verify("123456"), "9000");
        assert_eq!(b.sw(&limit(5)), "6982", "{profile}: the PIN is not enough");
        b.admin();
        for wrong in [limit(0), limit(most + 1), "00DB3FFF037F7100".into(), "00DB3FFF077F71049302 0505".replace(' ', "")] {
            assert_eq!(b.sw(&wrong), "6A80", "{profile}: {wrong}");
        }
        assert_eq!(status(&mut b), says(3, 3));
        b.verify("999999");
        b.admin();
        // A try that was spent stays so, whichever limit is set.
        assert_eq!(b.sw(&limit(5)), "9000");
        assert_eq!(status(&mut b), says(2, 5));
        assert_eq!(b.sw(&limit(1)), "9000");
        assert_eq!(status(&mut b), says(1, 1));
        assert_eq!(b.sw(&limit(most)), "9000");
        assert_eq!(status(&mut b), says(1, most));
        b.block_pin();
        b.admin();
        assert_eq!(b.sw(&limit(5)), "9000");
        assert_eq!(status(&mut b), says(0, 5), "{profile}: a blocked PIN stays blocked");
        // Whoever unblocks it has all of the new ones.
        b.admin();
        assert_eq!(b.unblock_by_admin("654321"), "9000");
        b.power_on();
        assert_eq!(status(&mut b), says(5, 5));
        // It can be switched off, as on cards that have theirs from their maker.
        let mut fixed = bench(profile, &[("tries-writable", "off")]);
        fixed.admin();
        assert_eq!(fixed.sw(&limit(5)), if fixed.is_gids() { "6984" } else { "6A80" }, "{profile}: tries-writable=off");
        assert_eq!(status(&mut fixed), says(3, 3));
    }
}

/// SET MANAGEMENT KEY: a managed PIV card gets an administrator key of its own, as a GIDS card does.
#[test]
fn a_managed_piv_card_takes_another_administrator_key() {
    let mut b = bench("piv-admin", &[]);
    let set = format!("00FFFFFF1B039B18{}", "5A5A5A5A5A5A5A5B".repeat(3).replacen("5A", "4A", 1).replacen("5B", "6B", 1));
    assert_eq!(b.sw(&set), "6982", "without the old one");
    b.admin();
    assert_eq!(b.sw(&set), "9000");
    let challenge = b.challenge();
    let old = b.response(&challenge);
    assert_ne!(b.respond(&old), "9000", "the old one is of no use any more");
    assert_eq!(bench("nist-piv", &[]).sw(&set), "6D00");
}
