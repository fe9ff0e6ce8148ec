//! The PIV card edge beyond PIN and PUK: selection, objects, administration, keys, chaining.
//! Results of cryptography are checked with the RustCrypto crates' public-key side.

use crate::common::{self, Bench, KEY, PROFILES, bench, result};
use cardlab_protocol::admin_key::{AdminKey, Cipher};
use cardlab_protocol::tlv;
use cardlab_sim::Random;
use cardlab_sim::crypto::ec::Curve;
use p256::ecdsa::signature::hazmat::PrehashVerifier;

fn hexed(bytes: &[u8]) -> String {
    hex::encode_upper(bytes)
}

#[test]
fn select_by_full_and_truncated_aid() {
    for profile in PROFILES {
        let mut b = bench(profile, &[]);
        let full = b.send("00A404000BA000000308000010000100");
        let template = if profile == "nist-piv" {
            "61164F0BA00000030800001000010079074F05A0000003089000"
        } else {
            "61114F0600001000010079074F05A0000003089000"
        };
        assert_eq!(full, template);
        assert_eq!(b.send("00A4040009A00000030800001000"), template);
        assert_eq!(b.send("00A4040005A000000308"), template);
        assert_eq!(b.send("00A4040005A00000030800"), template, "with Le");
        for bad in ["00A404000BA000000308000010000200", "00A4040004A0000003", "00A4040000", "00A404000CA00000030800001000010000"]
        {
            assert_eq!(b.sw(bad), "6A82", "{bad}");
        }
        assert_eq!(b.sw("00A4000005A000000308"), "6A86");
        assert_eq!(b.sw("00A4040105A000000308"), "6A86");
    }
}

#[test]
fn a_card_lists_the_algorithms_that_it_is_told_to_list() {
    let list = |profile: &str, settings: &[(&str, &str)]| {
        let select = bench(profile, settings).send("00A4040005A000000308");
        tlv::find_path(&hex::decode(&select[..select.len() - 4]).unwrap(), &[0x61, 0xAC]).map(hexed)
    };
    for profile in PROFILES {
        assert_eq!((list(profile, &[]), list(profile, &[("lists", "none")])), (None, None), "{profile}");
        assert_eq!(list(profile, &[("lists", "rsa2048+p384")]).as_deref(), Some("800107800114060100"), "{profile}");
    }
    let both = list("nist-piv", &[("sm", "cs7"), ("lists", "p256")]);
    assert_eq!(both.as_deref(), Some("80012E800111060100"), "the cipher suite stands first");
}

#[test]
fn classes_and_instructions_that_are_not_there() {
    let mut b = bench("nist-piv", &[]);
    for (command, sw) in [
        ("80CB3FFF", "6E00"),
        ("A0A40000", "6E00"),
        ("20200080", "6E00"),
        ("01200080", "6881"),
        ("03200080", "6881"),
        ("40200080", "6881"),
        ("0C200080", "6882"),
        ("04200080", "6882"),
        ("00700000", "6D00"),
        ("00FD0000", "6D00"),
        ("00", "6700"),
        ("", "6700"),
        ("0020008008313233", "6700"),
    ] {
        assert_eq!(b.sw(command), sw, "{command}");
    }
    assert_eq!(bench("yubikey-4.3", &[]).sw("00F8000000"), "6D00", "no GET SERIAL before firmware 5");
    assert_eq!(bench("nist-piv", &[("extended-length", "off")]).sw("00CB3FFF0000035C017E0000"), "6700");
}

#[test]
fn objects_and_their_read_rules() {
    let mut b = bench("nist-piv", &[]);
    b.admin();
    for tag in ["5FC103", "5FC108", "5FC109", "5FC121", "5FC123"] {
        assert_eq!(b.put(tag, b"x"), "9000");
        assert_eq!(b.get(tag).1, "6982", "{tag} wants the PIN, not the administrator key");
        b.verify("123456");
        assert_eq!(b.get(tag), (vec![0x53, 0x01, b'x'], "9000".into()));
        b.sw("0020FF80");
    }
    for tag in ["5FC101", "5FC102", "5FC105", "5FC106", "5FC107", "5FC10A", "5FC10B", "5FC10C", "5FC10D", "5FC120", "5FC122"] {
        assert_eq!(b.put(tag, b"y"), "9000");
        assert_eq!(b.get(tag).0, [0x53, 0x01, b'y']);
    }
    assert_eq!(b.get("5FC1FF").1, "6A82");
    assert_eq!(b.put("5FC1FF", b"z"), "6A81");
    assert_eq!(b.put("5FC105", b""), "9000");
    assert_eq!(b.get("5FC105"), (vec![0x53, 0x00], "9000".into()), "NIST: emptied, still there");
    assert_eq!(b.sw("00CB3FFF055D035FC102"), "6A80");
    assert_eq!(b.sw("00CB3FFF065C045FC10200"), "6A80");
    assert_eq!(b.sw("00CB3FFF025C00"), "6A80");
    assert_eq!(b.sw("00CB3F00055C035FC102"), "6A86");
    assert_eq!(b.sw("10CB3FFF055C035FC102"), "6884", "chaining is for other commands");
    let mut b = bench("yubikey-5.4", &[]);
    b.admin();
    assert_eq!((b.put("5FFF10", b"v"), b.put("600000", b"v")), ("9000".into(), "6A81".into()));
    assert_eq!((b.put("5FFF10", b""), b.get("5FFF10").1), ("9000".into(), "6A82".into()));
    assert_eq!(b.put("5FFFCA", b"v"), "6A81", "the attestation root is read-only");
    assert_eq!((b.put("5FC105", &[7; 3063]), b.put("5FC105", &[8; 3064])), ("9000".into(), "6A84".into()));
    assert_eq!(b.get("5FC105").0[4..], [7; 3063], "the old value is intact");
}

#[test]
fn factory_content() {
    let mut b = bench("nist-piv", &[("serial", "4711"), ("chuid", "00010203-0405-4607-8809-0a0b0c0d0e0f")]);
    assert_eq!(hexed(&b.get("7E").0), "7E124F0BA0000003080000100001005F2F024000");
    let chuid = b.get("5FC102").0;
    let content = tlv::only(&chuid, 0x53).unwrap();
    assert_eq!(hexed(tlv::find(content, 0x34).unwrap()), "000102030405460788090A0B0C0D0E0F");
    assert!(hexed(tlv::find(content, 0x30).unwrap()).starts_with("D4E739DA"), "agency 9999");
    let tags: Vec<u32> = tlv::Reader::new(content).map(|o| o.unwrap().tag).collect();
    assert_eq!(tags, [0x30, 0x34, 0x35, 0x3E, 0xFE]);
    let ccc = b.get("5FC107").0;
    let tags: Vec<u32> = tlv::Reader::new(tlv::only(&ccc, 0x53).unwrap()).map(|o| o.unwrap().tag).collect();
    assert_eq!(tags, [0xF0, 0xF1, 0xF2, 0xF3, 0xF4, 0xF5, 0xF6, 0xF7, 0xFA, 0xFB, 0xFC, 0xFD, 0xFE]);
    let mut b = bench("yubikey-5.4", &[]);
    assert_eq!((b.get("5FC102").1, b.get("5FC107").1), ("6A82".into(), "6A82".into()));
    assert_eq!((b.get("7E").1, b.get("5FFF01").1), ("9000".into(), "9000".into()));
}

#[test]
fn long_answers_come_in_parts() {
    let mut b = bench("nist-piv", &[]);
    b.admin();
    let value: Vec<u8> = (0..2000u32).map(|n| n as u8).collect();
    assert_eq!(b.put("5FC105", &value), "9000");
    let first = b.send("00CB3FFF055C035FC10500");
    assert_eq!((first.len() / 2, &first[512..]), (258, "6100"));
    assert_eq!(b.get("5FC105").0[4..], value);
    // Another command drops the rest.
    b.send("00CB3FFF055C035FC10500");
    b.status();
    assert_eq!(b.sw("00C0000000"), "6985");
    // The Le of a client that wants little; GET RESPONSE without Le.
    let part = b.send("00CB3FFF055C035FC10550");
    assert_eq!((part.len() / 2, &part[160..]), (82, "6100"));
    assert!(b.send("00C00000").ends_with("6100"));
    // Extended length fetches all at once.
    let whole = b.send("00CB3FFF0000055C035FC1050000");
    assert_eq!((whole.len() / 2, whole.ends_with("9000")), (2006, true));
}

#[test]
fn administration_by_challenge_and_response() {
    for profile in PROFILES {
        let mut b = bench(profile, &[]);
        let key = AdminKey::new(b.management_cipher(), &hex::decode(KEY).unwrap()).unwrap();
        assert_eq!(b.put("5FC105", b"x"), "6982");
        b.verify("123456");
        assert_eq!(b.put("5FC105", b"x"), "6982", "a PIN is not enough");
        let challenge = b.challenge();
        let response = key.encrypt(&challenge).unwrap();
        assert_eq!((b.respond(&response), b.put("5FC105", b"x")), ("9000".into(), "9000".into()));
        assert_eq!(b.respond(&response), "6982", "a challenge is answered once");
        assert_eq!(b.put("5FC105", b"x"), "6982", "and the failure took the status away");
        let first = b.challenge();
        assert_ne!(first, b.challenge());
        assert_eq!(b.respond(&key.encrypt(&first).unwrap()), "6982", "the next challenge ends the one before");
        assert_eq!(b.respond(&vec![0; key.cipher().block_len()]), "6982");
        b.challenge();
        assert_eq!(b.respond(&[0; 7]), "6A80");
        let challenge = b.challenge();
        b.sw("00A4040008A000000527471117");
        b.sw(common::SELECT);
        if profile != "nist-piv" {
            assert_eq!(b.respond(&key.encrypt(&challenge).unwrap()), "6982", "selection ends it too");
        }
    }
}

#[test]
fn mutual_authentication_and_cross_protocol_tricks() {
    for profile in PROFILES {
        let mut b = bench(profile, &[]);
        let cipher = b.management_cipher();
        let key = AdminKey::new(cipher, &hex::decode(KEY).unwrap()).unwrap();
        let header = format!("0087{:02X}9B", cipher.id());
        let host = vec![0x5A; cipher.block_len()];
        let template =
            |parts: &[(u32, &[u8])]| tlv::encode(0x7C, &parts.iter().flat_map(|(t, v)| tlv::encode(*t, v)).collect::<Vec<_>>());
        let witness = |b: &mut Bench| {
            let (data, _) = b.long(&header, &template(&[(0x80, &[])]));
            tlv::find(tlv::only(&data, 0x7C).unwrap(), 0x80).unwrap().to_vec()
        };
        for trailing in [true, false] {
            let plain = key.decrypt(&witness(&mut b)).unwrap();
            let mut parts: Vec<(u32, &[u8])> = vec![(0x80, &plain), (0x81, &host)];
            if trailing {
                parts.push((0x82, &[]));
            }
            let (data, sw) = b.long(&header, &template(&parts));
            assert_eq!((sw.as_str(), result(&data)), ("9000", &key.encrypt(&host).unwrap()[..]));
            assert_eq!(b.put("5FC105", b"x"), "9000");
        }
        witness(&mut b);
        let (data, sw) = b.long(&header, &template(&[(0x80, &host), (0x81, &host)]));
        assert_eq!((data.len(), sw.as_str()), (0, "6982"), "nothing is encrypted for a stranger");
        // A plain challenge must not pass as a witness, nor the other way round.
        let challenge = b.challenge();
        assert_ne!(b.long(&header, &template(&[(0x80, &challenge), (0x81, &host)])).1, "9000");
        let hidden = witness(&mut b);
        assert_ne!(b.respond(&hidden), "9000");
        assert_eq!(b.put("5FC105", b"x"), "6982");
        // Templates that say two things at once.
        let challenge = b.challenge();
        let response = key.encrypt(&challenge).unwrap();
        assert_eq!(b.long(&header, &template(&[(0x82, &response), (0x81, &host)])).1, "6A80");
        assert_eq!(b.long(&header, &template(&[])).1, "6A80");
        assert_eq!(b.long(&header, b"\x7B\x00").1, "6A80");
        let other = if cipher == Cipher::Tdes { "08" } else { "03" };
        let wrong = if profile == "nist-piv" { "6A86" } else { "6A80" };
        assert_eq!(b.sw(&format!("0087{other}9B047C02810000")), wrong);
    }
}

#[test]
fn ecdsa_with_every_pin_rule() {
    let mut b = bench("yubikey-5.4", &[]);
    b.admin();
    for (slot, algorithm) in [("9A", "11"), ("9C", "11"), ("9D", "14"), ("9E", "11"), ("82", "11"), ("95", "14")] {
        let (public, sw) = b.generate(slot, algorithm);
        assert_eq!(sw, "9000");
        let point = tlv::find(tlv::only(&public, 0x7F49).unwrap(), 0x86).unwrap().to_vec();
        let digest = [0x77; 32];
        let unverified = b.sign(algorithm, slot, &digest).1;
        assert_eq!(unverified, if slot == "9E" { "9000" } else { "6982" }, "{slot}");
        b.verify("123456");
        let (data, sw) = b.sign(algorithm, slot, &digest);
        assert_eq!(sw, "9000", "{slot}");
        if algorithm == "11" {
            let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(&point).unwrap();
            key.verify_prehash(&digest, &p256::ecdsa::Signature::from_der(result(&data)).unwrap()).unwrap();
        } else {
            let key = p384::ecdsa::VerifyingKey::from_sec1_bytes(&point).unwrap();
            let digest = Curve::P384.integer(&digest).unwrap();
            key.verify_prehash(&digest, &p384::ecdsa::Signature::from_der(result(&data)).unwrap()).unwrap();
        }
        let again = b.sign(algorithm, slot, &digest).1;
        assert_eq!(again, if slot == "9C" { "6982" } else { "9000" }, "{slot}: a second use");
        assert_eq!(b.sign(algorithm, slot, &[0; 32]).1, if slot == "9C" { "6982" } else { "9000" }, "an all-zero digest");
        b.verify("123456");
        assert_eq!(b.sign(algorithm, slot, &[1; 49]).1, "6A80");
        b.verify("123456");
        assert_eq!(b.sign(algorithm, slot, &[]).1, "6A80");
        b.sw("0020FF80");
    }
}

#[test]
fn pin_always_means_the_next_command_on_a_strict_card() {
    let mut b = bench("nist-piv", &[]);
    b.admin();
    assert_eq!(b.generate("9C", "11").1, "9000");
    b.verify("123456");
    assert_eq!(b.sign("11", "9C", &[1; 32]).1, "9000");
    b.verify("123456");
    b.status();
    assert_eq!(b.sign("11", "9C", &[1; 32]).1, "9000", "the empty VERIFY is a VERIFY");
    b.verify("123456");
    b.get("7E");
    assert_eq!(b.sign("11", "9C", &[1; 32]).1, "6982", "another command came between");
    let mut b = bench("yubikey-5.4", &[]);
    b.admin();
    b.generate("9C", "11");
    b.verify("123456");
    b.get("7E");
    assert_eq!(b.sign("11", "9C", &[1; 32]).1, "9000", "a YubiKey waits until the key is used");
}

#[test]
fn rsa_signs_and_decrypts_whole_blocks() {
    let mut b = bench("yubikey-5.4", &[]);
    b.admin();
    let (public, _) = b.generate("9D", "06");
    assert_eq!(public[..8], [0x7F, 0x49, 0x81, 0x88, 0x81, 0x81, 0x80, public[7]]);
    assert!(public.ends_with(&[0x82, 0x03, 1, 0, 1]));
    b.verify("123456");
    let mut block = vec![0x42; 128];
    block[0] = 0;
    let (data, sw) = b.sign("06", "9D", &block);
    assert_eq!((sw.as_str(), result(&data).len()), ("9000", 128));
    assert_eq!(b.sign("06", "9D", &block[1..]).1, "6A80");
    assert_eq!(b.sign("06", "9D", &[0xFF; 128]).1, "6A80", "not below the modulus");
    assert_eq!(b.agree("06", "9D", &[4; 65]).1, "6A80");
    assert_eq!(b.sign("07", "9D", &[0; 256]).1, "6A80", "another algorithm than the key's");
}

#[test]
fn key_agreement() {
    let mut random = Random::from_number(5, 5);
    let mut b = bench("nist-piv", &[]);
    b.admin();
    for (curve, algorithm) in [(Curve::P256, "11"), (Curve::P384, "14")] {
        let (public, _) = b.generate("9D", algorithm);
        let card_point = tlv::find(tlv::only(&public, 0x7F49).unwrap(), 0x86).unwrap().to_vec();
        let host = curve.generate(&mut random);
        let point = curve.public(&host).unwrap();
        assert_eq!(b.agree(algorithm, "9D", &point).1, "6982");
        b.verify("123456");
        let (data, _) = b.agree(algorithm, "9D", &point);
        assert_eq!(result(&data), &curve.agree(&host, &card_point).unwrap()[..]);
        let mut off = point.clone();
        off[9] ^= 1;
        for bad in [&off[..], &point[1..], &[4][..]] {
            assert_eq!(b.agree(algorithm, "9D", bad).1, "6A80");
        }
        b.generate("9A", algorithm);
        assert_eq!(b.agree(algorithm, "9A", &point).1, "6A80", "9A is no key establishment key");
        b.sw("0020FF80");
    }
}

#[test]
fn slots_and_algorithms_that_are_not_there() {
    let mut b = bench("nist-piv", &[]);
    b.admin();
    b.verify("123456");
    assert_eq!(b.sign("11", "9A", &[1; 32]).1, "6A86", "empty");
    for slot in ["99", "9F", "81", "96", "04", "F9"] {
        assert_eq!(b.sign("11", slot, &[1; 32]).1, "6A86", "{slot}");
        assert_eq!(b.generate(slot, "11").1, "6A86", "{slot}");
    }
    assert_eq!(
        (b.generate("9A", "99").1, b.generate("9A", "16").1, b.generate("9A", "E0").1),
        ("6A80".into(), "6A80".into(), "6A80".into())
    );
    assert_eq!(b.generate("82", "11").1, "6A86", "NIST loads retired keys, it does not make them");
    assert_eq!(b.sw("0047019A05AC03800111"), "6A86");
    assert_eq!((b.sw("0047009A02AC00"), b.sw("0047009A03800111")), ("6A80".into(), "6A80".into()));
    assert_eq!(b.sw("0047009A0AAC08800111810301000100"), "9000", "an exponent may be named");
    b.generate("9A", "11");
    assert_eq!(b.sign("14", "9A", &[1; 32]).1, "6A86", "another algorithm than the key's");
    let mut b = bench("yubikey-5.4", &[]);
    assert_eq!(b.sign("11", "9A", &[1; 32]).1, "6A80", "what YubiKeys say of an empty slot");
    assert_eq!(
        (b.generate("9A", "11").1, b.put("5FC105", b"x")),
        ("6982".into(), "6982".into()),
        "without the administrator key"
    );
}

#[test]
fn broken_templates() {
    let mut b = bench("yubikey-5.4", &[]);
    b.admin();
    b.generate("9E", "11");
    for template in
        ["", "7C00", "7B0482008100", "7C0482008105", "7C0283 00", "7C0482008200", "7C06820081018501", "7C0782008101AA8500"]
    {
        let bytes = hex::decode(template.replace(' ', "")).unwrap();
        assert_eq!(b.long("0087119E", &bytes).1, "6A80", "{template}");
    }
    assert_eq!(b.sign("11", "9E", &[1; 32]).1, "9000");
    let reordered = tlv::encode(0x7C, &[tlv::encode(0x81, &[1; 32]), tlv::encode(0x82, &[])].concat());
    assert_eq!(b.long("0087119E", &reordered).1, "9000", "any order will do");
}

#[test]
fn chains() {
    let mut b = bench("nist-piv", &[]);
    b.admin();
    assert_eq!(b.put("5FC105", b"old"), "9000");
    // Broken by another command: that one runs, the chain leaves no trace.
    assert_eq!(b.send("10DB3FFF085C035FC1055303 6E"), "9000");
    assert_eq!(b.get("7E").1, "9000");
    assert_eq!(b.sw("00DB3FFF026577"), "6A80");
    assert_eq!(b.get("5FC105").0, b"\x53\x03old");
    // Le on a block that is not the last is ignored.
    assert_eq!(b.send("10DB3FFF085C035FC1055303 6E00"), "9000");
    assert_eq!(b.sw("00DB3FFF026577"), "9000");
    assert_eq!(b.get("5FC105").0, b"\x53\x03new");
    // Another key reference starts afresh.
    b.generate("9E", "11");
    let last = |slot: &str| format!("008711{slot}228120{}00", "01".repeat(32));
    assert_eq!(b.send("1087119E047C248200"), "9000");
    assert_eq!(b.sw(&last("9A")), "6A86");
    assert_eq!(b.sw(&last("9E")), "6A80");
    // A SELECT in between drops it as well.
    assert_eq!(b.send("1087119E047C248200"), "9000");
    b.sw(common::SELECT);
    assert_eq!(b.sw(&last("9E")), "6A80");
    // More than the card buffers.
    let block = "AA".repeat(255);
    let mut answers = (0..80).map(|_| b.sw(&format!("10DB3FFFFF{block}")));
    assert!(answers.any(|sw| sw == "6700"));
}

#[test]
fn generate_replaces_the_key_and_keeps_the_certificate() {
    let mut b = bench("nist-piv", &[]);
    b.admin();
    let (first, _) = b.generate("9E", "11");
    b.put("5FC101", b"certificate");
    b.sign("11", "9E", &[3; 32]);
    let (second, _) = b.generate("9E", "11");
    assert_ne!(first, second);
    assert_eq!(b.get("5FC101").0[2..], *b"certificate");
    let point = tlv::find(tlv::only(&second, 0x7F49).unwrap(), 0x86).unwrap().to_vec();
    let (data, _) = b.sign("11", "9E", &[3; 32]);
    let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(&point).unwrap();
    key.verify_prehash(&[3; 32], &p256::ecdsa::Signature::from_der(result(&data)).unwrap()).unwrap();
}

#[test]
fn a_t0_card_says_61_and_6c() {
    // TS, T0 = 02: no TD1, so T=0 only; two historical bytes.
    let mut b = bench("nist-piv", &[("atr", "3B020102")]);
    assert_eq!(b.sw("00CB3FFF035C017E"), "6114", "case 4 is fetched with GET RESPONSE");
    assert_eq!(b.send("00C0000014"), "7E124F0BA0000003080000100001005F2F0240009000");
    assert_eq!(b.sw("00CB3FFF0000035C017E0000"), "6700", "no extended length in T=0");
    let mut b = bench("yubikey-5.4", &[("atr", "3B020102")]);
    assert_eq!(b.sw("00FD000000"), "6C03");
    assert_eq!(b.send("00FD000003"), "0504039000");
}

#[test]
fn a_managed_card_tells_its_tries_and_its_objects_apart() {
    let mut b = bench("piv-admin", &[]);
    assert_eq!(b.get("7F71"), (hex::decode("7F7106970103930103").unwrap(), "9000".into()));
    let (chuid, sw) = b.get("5FC102");
    assert_eq!((chuid.first(), sw.as_str()), (Some(&0x53), "9000"));
    assert_eq!(bench("nist-piv", &[]).get("7F71").1, "6A82", "another card has no such object");
}
